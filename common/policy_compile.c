// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Document -> kernel maps. The steps: every (identity, type, attach type) of every program becomes a candidate; sorted, the
 * candidates of one key stand together; keys with one owner use the owner's index as approval index, keys with several get
 * an index of their own, whose bindings are the union of the owners' pairs. A pair belongs to the key it was stated for:
 * were two owners simply merged, a loader approved for one attach type would be approved for all of the other's.
 */
#include "common/policy_compile.h"

#include <linux/bpf.h>
#include <string.h>

#include "common/bpf_names.h"
#include "common/buf.h"
#include "common/policy_builtin.h"
#include "common/policy_names.h"

/* ---- growing arrays ---- */

/* Makes room for one more element of @*array, doubling; -E2BIG beyond @max. */
static int array_grow(void *array, size_t size, uint32_t n, uint32_t *cap, uint32_t max)
{
	void **p = array, *bigger;
	uint32_t want;

	if (n < *cap)
		return 0;
	if (n >= max)
		return -E2BIG;
	want = *cap ? *cap * 2 : 64;
	bigger = realloc(*p, want * size);
	if (!bigger)
		return -ENOMEM;
	*p = bigger;
	*cap = want;
	return 0;
}

struct compiler {
	const struct bw_policy *policy;
	const struct bw_policy_env *env;
	struct bw_policy_image *image;
	struct bw_policy_warnings *warnings;

	struct policy_names_table names;

	struct candidate *candidates;
	uint32_t n_candidates, cap_candidates;
	uint32_t cap_bindings, cap_kfuncs, cap_conditions, cap_cgroups;
};

static int name_get(struct compiler *c, struct name wanted, const struct name **ret)
{
	return policy_name_get(&c->names, c->env, wanted, ret);
}

/* ---- candidates: who wants to approve what ---- */

struct candidate {
	struct bw_approval_key key;
	uint32_t instructions; /* 0 for a digest */
	uint32_t program;
};

static int candidate_add(struct compiler *c, const void *id, size_t len, uint32_t attach_type, uint32_t instructions,
			 uint32_t program)
{
	struct candidate *n;
	int r = array_grow(&c->candidates, sizeof(*n), c->n_candidates, &c->cap_candidates, BW_MAX_APPROVALS);

	if (r < 0)
		return r;
	n = &c->candidates[c->n_candidates++];
	*n = (struct candidate){
		.key = { .prog_type = c->policy->programs[program].type, .expected_attach_type = attach_type },
		.instructions = instructions,
		.program = program,
	};
	memcpy(n->key.id, id, len);
	return 0;
}

static int candidates_add_all(struct compiler *c, uint32_t program, uint32_t attach_type)
{
	const struct bw_policy_program *p = &c->policy->programs[program];
	int r = 0;

	for (uint32_t i = 0; i < p->n_digests && !r; i++)
		r = candidate_add(c, p->digests[i], BW_DIGEST_LEN, attach_type, 0, program);
	for (uint32_t i = 0; i < p->n_tags && !r; i++)
		r = candidate_add(c, p->tags[i].tag, BW_TAG_LEN, attach_type, p->tags[i].instructions, program);
	return r;
}

static int candidates_of(struct compiler *c, uint32_t program)
{
	const struct bw_policy_program *p = &c->policy->programs[program];
	static const uint8_t zero[] = { 0 };
	const uint8_t *types = zero;
	unsigned int n = 1;
	int r;

	if (!p->any_attach_type) {
		r = candidates_add_all(c, program, p->attach_type);
		/* A loader may have left it out: the kernel fills it in or does not care, and the hook may see 0. */
		if (!r && p->attach_type && p->attach_type == bw_prog_type_zero_means(p->type))
			r = candidates_add_all(c, program, 0);
		return r;
	}
	if (bw_prog_type_name(p->type))
		n = bw_prog_type_attach_types(p->type, &types);
	for (unsigned int i = 0; i < n; i++) {
		r = candidates_add_all(c, program, types[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

static int candidate_compare(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;
	int r = memcmp(&x->key, &y->key, sizeof(x->key));

	if (!r && x->program != y->program)
		r = x->program < y->program ? -1 : 1;
	/* Of one program's two lengths for one tag the shorter first, so that the result does not depend on the sort. */
	if (!r && x->instructions != y->instructions)
		r = x->instructions < y->instructions ? -1 : 1;
	return r;
}

static bool same_key(const struct candidate *a, const struct candidate *b)
{
	return !memcmp(&a->key, &b->key, sizeof(a->key));
}

/* Sorts; of candidates with one key and different lengths only those that agree with the first stay. */
static int candidates_settle(struct compiler *c)
{
	uint32_t kept = 0, first = 0;

	if (c->n_candidates)
		qsort(c->candidates, c->n_candidates, sizeof(*c->candidates), candidate_compare);
	for (uint32_t i = 0; i < c->n_candidates; i++) {
		struct candidate *n = &c->candidates[i];

		if (!kept || !same_key(&c->candidates[first], n)) {
			first = kept;
		} else if (n->instructions != c->candidates[first].instructions) {
			const struct bw_policy_program *p = c->policy->programs;
			uint32_t other = c->candidates[first].program;
			int r = bw_policy_warn(c->warnings,
					       "programs[%u] (%s): a tag of %u instructions is ignored: programs[%u] (%s) "
					       "says that it has %u",
					       n->program, p[n->program].id, n->instructions, other, p[other].id,
					       c->candidates[first].instructions);

			if (r < 0)
				return r;
			continue;
		}
		c->candidates[kept++] = *n;
	}
	c->n_candidates = kept;
	return 0;
}

/* ---- bindings ---- */

static int binding_add(struct compiler *c, uint32_t entry, uint32_t target, uint32_t dev, uint64_t ino, uint32_t condition)
{
	struct bw_policy_image *image = c->image;
	int r = array_grow(&image->bindings, sizeof(*image->bindings), image->n_bindings, &c->cap_bindings,
			   BW_MAX_BINDINGS);

	if (r < 0)
		return r;
	image->bindings[image->n_bindings++] = (struct bw_binding_key){
		.entry = entry,
		.attach_btf_id = target,
		.exe_ino = ino,
		.exe_dev = dev,
		.condition = condition,
	};
	return 0;
}

/* Index 0 is "none", so it is there from the beginning. */
static int condition_add(struct compiler *c, const struct bw_condition *condition, uint32_t *ret)
{
	struct bw_policy_image *image = c->image;
	int r;

	/* Loaders of one policy mostly state the same. */
	for (uint32_t i = image->n_conditions; i > 0 && image->n_conditions - i < 64; i--)
		if (!memcmp(&image->conditions[i - 1], condition, sizeof(*condition))) {
			*ret = i - 1;
			return 0;
		}
	r = array_grow(&image->conditions, sizeof(*image->conditions), image->n_conditions, &c->cap_conditions, BW_MAX_BINDINGS);
	if (r < 0)
		return r;
	*ret = image->n_conditions;
	image->conditions[image->n_conditions++] = *condition;
	return 0;
}

/* The number of a cgroup pattern, which was parsed with the document. */
static int cgroup_add(struct compiler *c, const char *text, uint32_t *ret)
{
	struct bw_policy_image *image = c->image;
	struct bw_cgroup_pattern p;
	const char *why;
	int r = bw_cgroup_pattern_parse(text, &p, &why);

	for (uint32_t i = 0; i < image->n_cgroups && !r; i++)
		if (!memcmp(&image->cgroups[i], &p, sizeof(p))) {
			*ret = i;
			return 0;
		}
	if (!r)
		r = array_grow(&image->cgroups, sizeof(*image->cgroups), image->n_cgroups, &c->cap_cgroups, BW_MAX_CGROUP_PATTERNS);
	if (r < 0)
		return r;
	*ret = image->n_cgroups;
	image->cgroups[image->n_cgroups++] = p;
	return 0;
}

struct file {
	uint32_t dev;
	uint64_t ino;
	uint32_t condition;
	const char *error; /* why it stands for nothing on this host; NULL */
};

static bool content_fits(const struct bw_policy_loader *l, const struct bw_loader_content *content)
{
	bool fits = !l->n_sha256;

	for (uint32_t i = 0; i < l->n_sha256 && !fits; i++)
		fits = !memcmp(l->sha256[i], content->sha256, sizeof(content->sha256));
	return fits && (!l->has_verity || (content->has_verity && !memcmp(l->verity, content->verity, sizeof(content->verity))));
}

/* The file that a loader stands for, and its conditions. */
static int loader_resolve(struct compiler *c, const struct bw_policy_loader *l, struct file *ret)
{
	struct bw_condition condition = { .n_uids = l->n_uids, .n_cgroups = l->n_cgroups };
	const struct name *n;
	int r = 0;

	*ret = (struct file){ 0 };
	if (l->n_uids)
		condition.flags |= BW_CONDITION_UIDS;
	if (l->n_cgroups)
		condition.flags |= BW_CONDITION_CGROUPS;
	for (uint32_t i = 0; i < l->n_cgroups && !r; i++)
		r = cgroup_add(c, l->cgroups[i], &condition.cgroups[i]);
	if (!r && l->path) {
		r = name_get(c, (struct name){ .text = l->path, .kind = NAME_LOADER }, &n);
		if (!r) {
			ret->dev = n->id;
			ret->ino = n->ino;
			ret->error = n->error ? policy_name_error(n) : NULL;
		}
	}
	if (r < 0)
		return r;
	if ((l->n_sha256 || l->has_verity) && !c->env->any_host) {
		/* Whatever is known of the file: what is asked must not depend on answers (guard/policy_load.c). */
		r = name_get(c, (struct name){ .text = l->path, .kind = NAME_CONTENT }, &n);
		if (r < 0)
			return r;
		if (ret->error)
			;
		else if (n->error)
			ret->error = policy_name_error(n);
		else if (!content_fits(l, &n->content))
			ret->error = l->has_verity && !n->content.has_verity ? "has no fs-verity digest" : "its contents are not those that are approved";
		else if (!c->env->sees_changes)
			ret->error = "this kernel does not show whether it was changed";
		condition.flags |= BW_CONDITION_UNCHANGED;
		condition.exe_changed_ns = n->content.changed_ns;
	}
	if (l->host_namespaces && !c->env->any_host) {
		if (!ret->error && (!c->env->mnt_ns || !c->env->pid_ns))
			ret->error = "the namespaces of process 1 are not known";
		condition.flags |= BW_CONDITION_NAMESPACES;
		condition.mnt_ns = c->env->mnt_ns;
		condition.pid_ns = c->env->pid_ns;
	}
	memcpy(condition.uids, l->uids, l->n_uids * sizeof(*l->uids));
	return ret->error ? 0 : condition_add(c, &condition, &ret->condition);
}

/* The pairs of one loader (0, 0: any) with every target of the program, and its marker. */
static int bindings_of_loader(struct compiler *c, uint32_t entry, const struct bw_policy_program *p, uint32_t dev,
			      uint64_t ino, uint32_t condition)
{
	const struct name *n;
	int r = binding_add(c, entry, BW_BINDING_LOADER_NAMED, dev, ino, condition);

	if (!r && !p->n_targets)
		r = binding_add(c, entry, 0, dev, ino, condition);
	for (uint32_t i = 0; i < p->n_targets && !r; i++) {
		r = name_get(c,
			     (struct name){ .text = p->targets[i],
					    .kind = NAME_TARGET,
					    .prog_type = p->type,
					    .attach_type = p->any_attach_type ? BW_ATTACH_TYPE_ANY : p->attach_type },
			     &n);
		if (!r && !n->error)
			r = binding_add(c, entry, n->id, dev, ino, condition);
	}
	return r;
}

static int bindings_of(struct compiler *c, uint32_t entry, uint32_t program)
{
	const struct bw_policy_program *p = &c->policy->programs[program];
	struct file f;
	int r;

	if (!p->n_loaders)
		return bindings_of_loader(c, entry, p, 0, 0, 0);
	for (uint32_t i = 0; i < p->n_loaders; i++) {
		r = loader_resolve(c, &p->loaders[i], &f);
		if (!r && !f.error)
			r = bindings_of_loader(c, entry, p, f.dev, f.ino, f.condition);
		if (r < 0)
			return r;
	}
	return 0;
}

static int binding_compare(const void *a, const void *b)
{
	const struct bw_binding_key *x = a, *y = b;

	if (x->entry != y->entry)
		return x->entry < y->entry ? -1 : 1;
	if (x->attach_btf_id != y->attach_btf_id)
		return x->attach_btf_id < y->attach_btf_id ? -1 : 1;
	if (x->exe_dev != y->exe_dev)
		return x->exe_dev < y->exe_dev ? -1 : 1;
	if (x->exe_ino != y->exe_ino)
		return x->exe_ino < y->exe_ino ? -1 : 1;
	return 0;
}

/* Of several conditions for the same pair the first stays: none, if there is one without. */
static int binding_compare_all(const void *a, const void *b)
{
	const struct bw_binding_key *x = a, *y = b;
	int r = binding_compare(a, b);

	return r ? r : (x->condition > y->condition) - (x->condition < y->condition);
}

static int bindings_settle(struct compiler *c)
{
	struct bw_policy_image *image = c->image;
	uint32_t kept = 0, dropped = 0;

	if (image->n_bindings)
		qsort(image->bindings, image->n_bindings, sizeof(*image->bindings), binding_compare_all);
	for (uint32_t i = 0; i < image->n_bindings; i++) {
		const struct bw_binding_key *last = kept ? &image->bindings[kept - 1] : NULL;

		if (!last || binding_compare(last, &image->bindings[i]))
			image->bindings[kept++] = image->bindings[i];
		else
			dropped += last->condition && last->condition != image->bindings[i].condition;
	}
	image->n_bindings = kept;
	if (!dropped)
		return 0;
	return bw_policy_warn(c->warnings, "%u times several entries approve one program for one loader under different conditions: only one of them counts",
			      dropped);
}

/* Says which names of an entry could not be resolved, and whether anything is left of it. */
static int program_warn(struct compiler *c, uint32_t program)
{
	const struct bw_policy_program *p = &c->policy->programs[program];
	uint32_t loaders = 0, targets = 0;
	const struct name *n;
	struct file f;
	int r = 0;

	for (uint32_t i = 0; i < p->n_loaders && !r; i++) {
		r = loader_resolve(c, &p->loaders[i], &f);
		if (!r && f.error)
			r = bw_policy_warn(c->warnings, "programs[%u] (%s): loader %s: %s", program, p->id,
					   p->loaders[i].path ? p->loaders[i].path : "of any path", f.error);
		else if (!r)
			loaders++;
	}
	for (uint32_t i = 0; i < p->n_targets && !r; i++) {
		r = name_get(c,
			     (struct name){ .text = p->targets[i],
					    .kind = NAME_TARGET,
					    .prog_type = p->type,
					    .attach_type = p->any_attach_type ? BW_ATTACH_TYPE_ANY : p->attach_type },
			     &n);
		if (!r && n->error)
			r = bw_policy_warn(c->warnings, "programs[%u] (%s): target %s: %s", program, p->id, p->targets[i],
					   policy_name_error(n));
		else if (!r)
			targets++;
	}
	if (!r && !p->n_digests && !p->n_tags)
		r = bw_policy_warn(c->warnings,
				   "programs[%u] (%s): approves nothing: it has a canonical identity only, from which \"policy "
				   "compile\" derives digests",
				   program, p->id);
	if (!r && ((p->n_loaders && !loaders) || (p->n_targets && !targets)))
		r = bw_policy_warn(c->warnings, "programs[%u] (%s): approves nothing on this host", program, p->id);
	return r;
}

/* ---- approvals ---- */

/* Candidates [first, first + n) have the same key and several owners. */
struct group {
	uint32_t first, n;
	uint32_t approval; /* index into image->approvals */
	const struct candidate *candidates;
};

/* By the set of owners, so that the same sets stand together. */
static int group_compare_owners(const struct group *x, const struct group *y)
{
	if (x->n != y->n)
		return x->n < y->n ? -1 : 1;
	for (uint32_t i = 0; i < x->n; i++) {
		uint32_t a = x->candidates[x->first + i].program, b = y->candidates[y->first + i].program;

		if (a != b)
			return a < b ? -1 : 1;
	}
	return 0;
}

static int group_compare(const void *a, const void *b)
{
	const struct group *x = a, *y = b;
	int r = group_compare_owners(x, y);

	return r ? r : (x->first > y->first) - (x->first < y->first);
}

/* Gives each distinct set of owners an approval index after those of the programs. */
static int groups_number(struct compiler *c, struct group *groups, uint32_t n)
{
	struct bw_policy_image *image = c->image;
	int r;

	if (n)
		qsort(groups, n, sizeof(*groups), group_compare);
	for (uint32_t i = 0; i < n; i++) {
		const struct group *g = &groups[i];

		if (!i || group_compare_owners(&groups[i - 1], g)) {
			struct bw_policy_origin *o = &image->origins[image->n_origins];

			*o = (struct bw_policy_origin){ .first = image->n_origin_programs, .n = g->n };
			for (uint32_t k = 0; k < g->n; k++) {
				uint32_t program = c->candidates[g->first + k].program;

				image->origin_programs[image->n_origin_programs++] = program;
				r = bindings_of(c, image->n_origins, program);
				if (r < 0)
					return r;
			}
			image->n_origins++;
		}
		image->approvals[g->approval].value.entry = image->n_origins - 1;
	}
	return 0;
}

/* The feature probes of loaders, unless the document says something about the very same program. */
static int builtins_add(struct compiler *c)
{
	struct bw_policy_image *image = c->image;
	uint32_t documented = image->n_approvals;

	for (uint32_t i = 0; i < BW_N_BUILTINS && c->policy->allow_inert; i++) {
		const struct bw_policy_builtin *b = &bw_policy_builtins[i];
		bool used = false;

		for (uint32_t form = 0; form < BW_BUILTIN_FORMS; form++) {
			struct bw_policy_approval a = { .value = { .entry = image->n_origins } };
			bool known = false;

			memcpy(a.key.id, b->ids[form], form == BW_BUILTIN_DIGEST ? BW_DIGEST_LEN : BW_TAG_LEN);
			a.key.prog_type = b->prog_type;
			a.value.insn_cnt = form == BW_BUILTIN_DIGEST ? 0 : b->instructions;
			/* A binary search would do, there are only a handful. */
			for (uint32_t k = 0; k < documented && !known; k++)
				known = !memcmp(&image->approvals[k].key, &a.key, sizeof(a.key));
			if (known)
				continue;
			image->approvals[image->n_approvals++] = a;
			used = true;
		}
		if (used) {
			int r = binding_add(c, image->n_origins, 0, 0, 0, 0);

			if (r < 0)
				return r;
			image->origins[image->n_origins++] = (struct bw_policy_origin){ .first = i };
		}
	}
	return 0;
}

static int approvals_build(struct compiler *c)
{
	const struct bw_policy *p = c->policy;
	struct bw_policy_image *image = c->image;
	_cleanup_free_ struct group *groups = NULL;
	_cleanup_free_ bool *alone = calloc(p->n_programs + 1, sizeof(*alone));
	uint32_t n_groups = 0;
	int r;

	image->approvals = calloc(c->n_candidates + BW_N_BUILTINS * BW_BUILTIN_FORMS, sizeof(*image->approvals));
	image->origins = calloc(p->n_programs + c->n_candidates + BW_N_BUILTINS, sizeof(*image->origins));
	image->origin_programs = calloc(p->n_programs + c->n_candidates + 1, sizeof(*image->origin_programs));
	groups = calloc(c->n_candidates / 2 + 1, sizeof(*groups));
	if (!alone || !groups || !image->approvals || !image->origins || !image->origin_programs)
		return -ENOMEM;
	for (uint32_t i = 0; i < p->n_programs; i++) {
		image->origins[i] = (struct bw_policy_origin){ .first = i, .n = 1 };
		image->origin_programs[i] = i;
	}
	image->n_origins = image->n_origin_programs = p->n_programs;
	for (uint32_t i = 0, n; i < c->n_candidates; i += n) {
		const struct candidate *first = &c->candidates[i];

		bool digests = p->programs[first->program].n_digests > 0;

		for (n = 1; i + n < c->n_candidates && same_key(first, first + n); n++)
			digests = digests && p->programs[first[n].program].n_digests > 0;
		if (n == 1)
			alone[first->program] = true;
		else
			groups[n_groups++] = (struct group){ i, n, image->n_approvals, c->candidates };
		image->approvals[image->n_approvals++] = (struct bw_policy_approval){
			.key = first->key,
			.value = { .entry = first->program, .insn_cnt = first->instructions,
				   .flags = first->instructions && digests ? BW_APPROVAL_DIGEST_TOO : 0 },
		};
	}
	for (uint32_t i = 0; i < p->n_programs; i++) {
		r = alone[i] ? bindings_of(c, i, i) : 0;
		if (r < 0)
			return r;
	}
	r = groups_number(c, groups, n_groups);
	if (!r)
		r = builtins_add(c);
	return r < 0 ? r : bindings_settle(c);
}

/* ---- rules ---- */

static int kfunc_compare(const void *a, const void *b)
{
	const struct bw_policy_kfunc *x = a, *y = b;

	return (x->btf_id > y->btf_id) - (x->btf_id < y->btf_id);
}

static int rule_kfuncs(struct compiler *c, uint32_t index)
{
	const struct bw_policy_rule *rule = &c->policy->rules[index];
	struct bw_policy_image *image = c->image;
	const struct name *n;
	uint32_t resolved = 0;

	for (uint32_t i = 0; i < rule->n_kfuncs; i++) {
		int r = name_get(c, (struct name){ .text = rule->kfuncs[i], .kind = NAME_KFUNC }, &n);

		if (!r && n->error) {
			r = bw_policy_warn(c->warnings, "rules[%u] (%s): kfunc %s: %s", index, rule->id, rule->kfuncs[i],
					   policy_name_error(n));
		} else if (!r) {
			r = array_grow(&image->kfuncs, sizeof(*image->kfuncs), image->n_kfuncs, &c->cap_kfuncs,
				       BW_MAX_KFUNC_RULES);
			if (!r)
				image->kfuncs[image->n_kfuncs++] = (struct bw_policy_kfunc){ n->id, 1u << index };
			resolved++;
		}
		if (r < 0)
			return r;
	}
	if (rule->n_kfuncs && !resolved && !rule->any_kfunc)
		return bw_policy_warn(c->warnings, "rules[%u] (%s): denies nothing on this host", index, rule->id);
	return 0;
}

static int rules_build(struct compiler *c)
{
	struct bw_policy_image *image = c->image;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < c->policy->n_rules; i++) {
		const struct bw_policy_rule *rule = &c->policy->rules[i];
		struct bw_kernel_rule *dst = &image->conf.rules[i];
		int r;

		memcpy(dst->helpers, rule->helpers, sizeof(dst->helpers));
		dst->prog_types = rule->types;
		dst->flags = BW_RULE_USED;
		if (rule->any_kfunc)
			dst->flags |= BW_RULE_ANY_KFUNC;
		else if (rule->n_kfuncs)
			dst->flags |= BW_RULE_KFUNCS;
		r = rule->any_kfunc ? 0 : rule_kfuncs(c, i);
		if (r < 0)
			return r;
	}
	image->conf.n_rules = c->policy->n_rules;
	if (image->n_kfuncs)
		qsort(image->kfuncs, image->n_kfuncs, sizeof(*image->kfuncs), kfunc_compare);
	for (uint32_t i = 0; i < image->n_kfuncs; i++) {
		if (kept && image->kfuncs[kept - 1].btf_id == image->kfuncs[i].btf_id)
			image->kfuncs[kept - 1].rules |= image->kfuncs[i].rules;
		else
			image->kfuncs[kept++] = image->kfuncs[i];
	}
	image->n_kfuncs = kept;
	return 0;
}

/* ---- rules about attaching ---- */

/* The approval indexes that stand for the entry with this id: it may share its identity with others. */
static int attach_program(struct compiler *c, uint32_t rule, const char *id)
{
	const struct bw_policy_image *image = c->image;
	int r = 0;

	for (uint32_t o = 0; !r && o < image->n_origins; o++)
		for (uint32_t k = 0; !r && k < image->origins[o].n; k++)
			if (!strcmp(c->policy->programs[image->origin_programs[image->origins[o].first + k]].id, id))
				r = binding_add(c, BW_BINDING_ATTACH | rule, o + 1, 0, 0, 0);
	return r;
}

static int attach_build(struct compiler *c)
{
	struct bw_policy_conf *conf = &c->image->conf;
	const struct name *n;
	int r = 0;

	for (uint32_t i = 0; i < c->policy->n_attach && !r; i++) {
		const struct bw_policy_attach *rule = &c->policy->attach[i];

		conf->attach_rules[i] = (struct bw_attach_rule){
			.ways = rule->ways, .attach_types = rule->attach_types, .prog_types = rule->types,
		};
		for (uint32_t k = 0; k < rule->n_loaders && !r; k++) {
			r = name_get(c, (struct name){ .text = rule->loaders[k], .kind = NAME_LOADER }, &n);
			if (!r && n->error)
				r = bw_policy_warn(c->warnings, "attach[%u] (%s): loader %s: %s", i, rule->id, rule->loaders[k],
						   policy_name_error(n));
			else if (!r)
				r = binding_add(c, BW_BINDING_ATTACH | i, 0, n->id, n->ino, 0);
		}
		for (uint32_t k = 0; k < rule->n_programs && !r; k++)
			r = attach_program(c, i, rule->programs[k]);
	}
	for (uint32_t i = 0; i < c->policy->n_watched; i++) {
		struct bw_watched_map *map = &conf->watched[i];

		memcpy(map->name, c->policy->watched[i].name, strlen(c->policy->watched[i].name));
		map->labels = c->policy->watched[i].labels;
	}
	conf->n_watched = c->policy->n_watched;
	conf->n_attach_rules = c->policy->n_attach;
	conf->response = c->policy->response;
	return r;
}

/* ---- all of it ---- */

static void conf_build(const struct bw_policy *p, struct bw_policy_conf *conf)
{
	conf->flags = BW_CONF_VALID;
	if (p->allow_init)
		conf->flags |= BW_CONF_ALLOW_INIT;
	if (p->allow_inert)
		conf->flags |= BW_CONF_ALLOW_INERT;
	if (p->analyse)
		conf->flags |= BW_CONF_ANALYSE;
	conf->inert_max_insns = p->inert_max_instructions;
	bw_policy_safe_helpers(conf->safe_helpers);
	for (uint32_t t = 0; t < BW_MAX_PROG_TYPES; t++)
		conf->type_default[t] = p->defaults[bw_policy_class(t)];
	conf->hold_wait_ns = p->protect.wait_ms * 1000000ull;
	conf->hold_caller_ns = p->protect.caller_ms * 1000000ull;
	conf->hold_timeout = p->protect.on_timeout;
}

static int compile(struct compiler *c)
{
	const struct bw_condition none = { 0 };
	uint32_t first;
	int r = condition_add(c, &none, &first);

	conf_build(c->policy, &c->image->conf);
	for (uint32_t i = 0; i < c->policy->n_programs && !r; i++)
		r = candidates_of(c, i);
	if (!r)
		r = candidates_settle(c);
	if (!r)
		r = approvals_build(c);
	for (uint32_t i = 0; i < c->policy->n_programs && !r; i++)
		r = program_warn(c, i);
	if (!r)
		r = attach_build(c);
	if (!r)
		r = rules_build(c);
	return r;
}

int bw_policy_compile(const struct bw_policy *p, const struct bw_policy_env *env, struct bw_policy_image *ret_image,
		      struct bw_policy_warnings *w)
{
	struct bw_policy_image image = {};
	struct compiler c = { .policy = p, .env = env, .image = &image, .warnings = w };
	int r = compile(&c);

	policy_names_table_free(&c.names);
	free(c.candidates);
	if (r < 0) {
		bw_policy_image_free(&image);
		return r;
	}
	*ret_image = image;
	return 0;
}

void bw_policy_image_free(struct bw_policy_image *image)
{
	free(image->approvals);
	free(image->bindings);
	free(image->conditions);
	free(image->kfuncs);
	free(image->cgroups);
	free(image->origins);
	free(image->origin_programs);
	*image = (struct bw_policy_image){};
}

char *bw_policy_entry_id(const struct bw_policy *p, const struct bw_policy_image *image, uint32_t entry, char *dst,
			 size_t size)
{
	const struct bw_policy_origin *o;
	size_t len = 0;

	snprintf(dst, size, "?");
	if (entry >= image->n_origins)
		return dst;
	o = &image->origins[entry];
	if (!o->n)
		snprintf(dst, size, "%s", bw_policy_builtins[o->first].id);
	for (uint32_t i = 0; i < o->n && len < size; i++) {
		int n = snprintf(dst + len, size - len, "%s%s", i ? ", " : "",
				 p->programs[image->origin_programs[o->first + i]].id);

		len += n > 0 ? (size_t)n : 0;
	}
	return dst;
}
