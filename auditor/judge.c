// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The kernel's decision, on the host: bpf/verdict.bpf.h as it is, with the few kernel things that it uses stood in for.
 * What it reads from maps comes from a policy image; what it reads from the kernel (descriptors behind numbers) is never
 * asked for, as there are none.
 */
/* The BPF side defines bool itself, so its headers come first; unused parts of them are no mistake here. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunknown-pragmas"
#pragma GCC diagnostic ignored "-Wattributes"
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-variable"
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#pragma GCC diagnostic ignored "-Wpointer-arith"
#define __builtin_preserve_access_index(x) (x)
#define __builtin_preserve_field_info(field, kind) 0
#define __builtin_preserve_type_info(type, kind) 0
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
static void *lookup(const void *map, const void *key);
static long read_kernel(void *dst, unsigned int size, const void *src);
#define bpf_map_lookup_elem(map, key) lookup(map, key)
#define bpf_probe_read_kernel(dst, size, src) read_kernel(dst, size, src)
#undef __weak
#define __weak static /* what is not used here need not be in the program */
#include "bpf/verdict.bpf.h"
#pragma GCC diagnostic pop

#include <string.h>
#include "auditor/judge.h"

/* One judgement. */
struct state {
	const struct bw_policy_image *image;
	struct bw_policy_conf conf;
	struct bw_scratch scratch;
	struct bw_guard_self self;
	struct bw_approval approval;
	struct bw_condition condition;
	struct bw_cgroup_pattern cgroup;
};

static __thread struct state *current;
/* What the outer maps answer with: there is one slot. */
static char approvals_inner, bindings_inner, cgroups_inner;

static long read_kernel(void *dst, unsigned int size, const void *src)
{
	memset(dst, 0, size);
	return -1;
}

static int approval_compare(const struct bw_approval_key *key, const struct bw_policy_approval *a)
{
	return memcmp(key, &a->key, sizeof(*key));
}

/* Sorted by key, but for the built-in ones at the end. */
static void *find_approval(const struct bw_approval_key *key)
{
	const struct bw_policy_image *image = current->image;
	u32 lo = 0, n = image->n_approvals, hi;

	while (n && !image->origins[image->approvals[n - 1].value.entry].n) {
		n--;
		if (!approval_compare(key, &image->approvals[n])) {
			current->approval = image->approvals[n].value;
			return &current->approval;
		}
	}
	for (hi = n; lo < hi;) {
		u32 mid = lo + (hi - lo) / 2;
		int r = approval_compare(key, &image->approvals[mid]);

		if (!r) {
			current->approval = image->approvals[mid].value;
			return &current->approval;
		}
		if (r < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

static int binding_compare(const struct bw_binding_key *x, const struct bw_binding_key *y)
{
	if (x->entry != y->entry)
		return x->entry < y->entry ? -1 : 1;
	if (x->attach_btf_id != y->attach_btf_id)
		return x->attach_btf_id < y->attach_btf_id ? -1 : 1;
	if (x->exe_dev != y->exe_dev)
		return x->exe_dev < y->exe_dev ? -1 : 1;
	return x->exe_ino == y->exe_ino ? 0 : x->exe_ino < y->exe_ino ? -1 : 1;
}

static void *find_binding(const struct bw_binding_key *key)
{
	const struct bw_policy_image *image = current->image;
	u32 lo = 0, hi = image->n_bindings;

	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;
		int r = binding_compare(key, &image->bindings[mid]);

		if (!r) {
			/* Files and namespaces of the past, or of another host, are not looked at. */
			current->condition = image->conditions[image->bindings[mid].condition];
			current->condition.flags &= BW_CONDITION_UIDS | BW_CONDITION_CGROUPS;
			return &current->condition;
		}
		if (r < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

static void *find_cgroup(const u32 *key)
{
	if (*key >= current->image->n_cgroups)
		return NULL;
	current->cgroup = current->image->cgroups[*key];
	return &current->cgroup;
}

/* "/system.slice/nginx.service", as the kernel side would have found it out; NULL: not known, so nowhere. */
static void place(struct cgroup_place *ret, const char *path)
{
	ret->known = 1;
	ret->depth = path && path[0] == '/' ? 0 : ~0u;
	while (ret->depth != ~0u && *path) {
		size_t len = strcspn(++path, "/");

		if (ret->depth < BW_MAX_CGROUP_DEPTH && len < BW_CGROUP_NAME_LEN) {
			memcpy(ret->names[ret->depth], path, len);
			ret->lens[ret->depth] = (u32)len;
		}
		ret->depth += len > 0;
		path += len;
	}
}

static void *lookup(const void *map, const void *key)
{
	if (map == &bw_cpu_scratches)
		return &current->scratch;
	if (map == &bw_conf)
		return &current->conf;
	if (map == &bw_self)
		return &current->self;
	if (map == &bw_approvals)
		return &approvals_inner;
	if (map == &bw_bindings)
		return &bindings_inner;
	if (map == &bw_cgroups)
		return &cgroups_inner;
	if (map == &cgroups_inner)
		return find_cgroup(key);
	if (map == &approvals_inner)
		return find_approval(key);
	if (map == &bindings_inner)
		return find_binding(key);
	return NULL;
}

/* Which rules name a kernel function that it calls: the walk over its instructions notes that in the kernel. */
static u32 kfunc_rules(const struct bw_policy_image *image, const struct bw_event_load *load)
{
	u32 rules = 0;

	for (u32 i = 0; i < BW_MAX_KFUNC_IDS && load->kfunc_ids[i]; i++)
		for (u32 k = 0; k < image->n_kfuncs; k++)
			if (image->kfuncs[k].btf_id == load->kfunc_ids[i])
				rules |= image->kfuncs[k].rules;
	return rules;
}

static void judge(const struct bw_policy_image *image, bool inert, const struct bw_event_load *load, const char *cgroup,
		  struct state *s)
{
	memset(s, 0, sizeof(*s));
	s->image = image;
	s->conf = image->conf;
	/* Descriptors of maps are not looked behind: with none in the list, those that there are count as its own. */
	s->self.map_fops = 1;
	if (!inert)
		s->conf.flags &= ~(u32)BW_CONF_ALLOW_INERT;
	s->scratch.load = *load;
	s->scratch.load.load_flags &= ~(u32)BW_LOAD_INERT;
	place(&s->scratch.cgroup, cgroup);
	s->scratch.kfunc_rules = kfunc_rules(image, load);
	/* The shortest feature probe, where the instructions that tell are not at hand: one call and nothing else. */
	if (inert && load->insn_cnt <= BW_CALL_PROBE_INSNS) {
		s->scratch.helper_calls = 1;
		s->scratch.first = CALL;
	}
	current = s;
	verdict_load(&s->scratch, &s->self, 0);
	current = NULL;
}

void bw_judge_load(const struct bw_policy_image *image, enum bw_judge_inert inert, struct bw_event_load *load, const char *cgroup,
		   int *ret_maybe)
{
	struct state s;

	if (ret_maybe)
		*ret_maybe = 0;
	if (inert == BW_JUDGE_INERT_UNKNOWN && ret_maybe) {
		judge(image, true, load, cgroup, &s);
		*ret_maybe = s.scratch.load.reason == BW_REASON_INERT;
	}
	judge(image, inert == BW_JUDGE_INERT_YES, load, cgroup, &s);
	load->verdict = s.scratch.load.verdict;
	load->reason = s.scratch.load.reason;
	load->rule = s.scratch.load.rule;
	load->entry = s.scratch.load.entry;
	load->load_flags = s.scratch.load.load_flags;
}
