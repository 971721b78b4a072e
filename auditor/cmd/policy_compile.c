// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * bpfwarden policy compile: the exact content of the kernel's maps for this host (or, with --btf, another), as JSON. Objects
 * given with it are recognised by their canonical identity, and the digests that they have on that kernel are derived.
 */
#include <bpf/btf.h>
#include <inttypes.h>
#include <string.h>

#include "auditor/cmd/policy_common.h"
#include "auditor/commands.h"
#include "common/bpf_names.h"
#include "common/buf.h"
#include "common/json.h"
#include "common/log.h"
#include "common/opts.h"
#include "common/policy_host.h"

/* What came of one program of an object. */
struct derived {
	char *object, *program, *entry; /* entry: NULL when nothing approves it */
	char *why; /* it has no digest; else NULL */
	uint8_t canonical[BW_CANONICAL_LEN], digest[BW_LOAD_DIGEST_LEN];
	bool has_canonical, fresh; /* fresh: the entry did not have the digest */
};

struct compile {
	struct policy_file file;
	struct bw_kernel_btfs btfs;
	struct derived *derived;
	size_t n, cap;
	unsigned int missing; /* programs that nothing approves, or without a digest */
	struct bw_policy_image image;
	struct bw_policy_warnings warnings;
	struct bw_buf out;
};

static void compile_release(struct compile *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->derived[i].object);
		free(c->derived[i].program);
		free(c->derived[i].entry);
		free(c->derived[i].why);
	}
	free(c->derived);
	bw_policy_image_free(&c->image);
	bw_policy_warnings_free(&c->warnings);
	bw_kernel_btf_free(&c->btfs);
	policy_file_release(&c->file);
	bw_buf_free(&c->out);
}

/* ---- objects: canonical identity -> entries -> digests ---- */

static bool entry_is(const struct bw_policy_program *e, const uint8_t *canonical)
{
	for (uint32_t i = 0; i < e->n_canonicals; i++)
		if (!memcmp(e->canonicals[i].identity, canonical, BW_POLICY_CANONICAL_LEN))
			return true;
	return false;
}

static int derived_add(struct compile *c, const struct derived *d, const char *object, const char *program, const char *entry,
		       const char *why)
{
	struct derived *n;

	if (c->n == c->cap) {
		size_t cap = c->cap ? 2 * c->cap : 64;

		n = realloc(c->derived, cap * sizeof(*n));
		if (!n)
			return -ENOMEM;
		c->derived = n;
		c->cap = cap;
	}
	n = &c->derived[c->n];
	*n = *d;
	n->object = strdup(object);
	n->program = strdup(program);
	n->entry = entry ? strdup(entry) : NULL;
	n->why = why ? strdup(why) : NULL;
	c->n++;
	c->missing += !entry || why;
	return n->object && n->program && (n->entry || !entry) && (n->why || !why) ? 0 : -ENOMEM;
}

/* Gives the digest to every entry that approves the program. */
static int derive(struct compile *c, const char *object, const char *name, struct derived *d, const char *why)
{
	bool any = false;
	int r = 0;

	for (uint32_t i = 0; d->has_canonical && i < c->file.policy->n_programs && !r; i++) {
		const struct bw_policy_program *e = &c->file.policy->programs[i];
		_cleanup_free_ char *id = NULL;

		if (!entry_is(e, d->canonical))
			continue;
		any = true;
		id = strdup(e->id);
		d->fresh = !why;
		for (uint32_t k = 0; k < e->n_digests; k++)
			d->fresh &= memcmp(e->digests[k], d->digest, BW_DIGEST_LEN) != 0;
		if (d->fresh) {
			_cleanup_buf_ struct bw_buf value = { 0 };

			bw_buf_char(&value, '"');
			bw_buf_hex(&value, d->digest, sizeof(d->digest));
			bw_buf_char(&value, '"');
			r = policy_file_extend(&c->file, i, "digests", e->n_digests, bw_buf_cstr(&value));
			if (!r)
				r = policy_file_parse(&c->file); /* @e is gone */
		}
		if (!r)
			r = id ? derived_add(c, d, object, name, id, why) : -ENOMEM;
	}
	return r || any ? r : derived_add(c, d, object, name, NULL, why);
}

static int object_derive(struct compile *c, const struct bw_ident_object *o)
{
	BW_CLEANUP(bw_prediction_free) struct bw_prediction pred = { 0 };
	const struct bw_predict_opts opts = { .btfs = &c->btfs };
	int r = 0;

	if (o->error) {
		bw_err("%s: %s", o->name, o->error);
		return -EINVAL;
	}
	if (!o->light)
		r = bw_predict(o->elf.data, o->elf.len, &opts, &pred);
	for (uint32_t i = 0; i < o->n && !r; i++) {
		const struct bw_ident_program *p = &o->programs[i];
		const char *why = o->light ? (p->has_digest ? NULL : "its loader decides about kernel functions and symbols") :
					     pred.error ? pred.error : "libbpf does not take it for a program";
		struct derived d = { .has_canonical = !p->why };

		if (p->loader)
			continue;
		memcpy(d.canonical, p->canonical, sizeof(d.canonical));
		memcpy(d.digest, p->digest, sizeof(d.digest));
		for (size_t k = 0; k < pred.n; k++) {
			const struct bw_predicted *q = &pred.programs[k];

			if (!bw_ident_is(p, q->name, q->section))
				continue;
			why = q->error;
			if (!why && q->flags & BW_PREDICT_ADDRESSES)
				why = "addresses of kernel symbols are written into it at load";
			memcpy(d.digest, q->digest, sizeof(d.digest));
		}
		if (why && !p->autoload)
			continue;
		r = derive(c, o->name, p->name, &d, why);
	}
	return r;
}

static int file_derive(struct compile *c, const char *path)
{
	BW_CLEANUP(policy_objects_free) struct policy_objects o = { 0 };
	int r = policy_objects_read(path, &o);

	for (uint32_t i = 0; i < o.file.n && !r; i++)
		r = object_derive(c, &o.file.objects[i]);
	return r;
}

/* ---- what is printed ---- */

static void put_type(struct bw_json *j, const char *key, const char *name, uint32_t number)
{
	if (name)
		bw_json_str(j, key, name);
	else
		bw_json_u64(j, key, number);
}

static void put_helpers(struct bw_json *j, const char *key, const __u64 *helpers)
{
	bw_json_open(j, key, '[');
	for (uint32_t h = 1; h < 64 * BW_HELPER_WORDS; h++)
		if (helpers[h / 64] >> (h % 64) & 1)
			put_type(j, NULL, bw_helper_name(h), h);
	bw_json_close(j, ']');
}

static void put_conf(struct bw_json *j, const struct bw_policy *p, const struct bw_policy_conf *conf)
{
	bw_json_open(j, "conf", '{');
	bw_json_u64(j, "flags", conf->flags);
	bw_json_u64(j, "inert_max_instructions", conf->inert_max_insns);
	put_helpers(j, "safe_helpers", conf->safe_helpers);
	bw_json_open(j, "type_default", '{');
	for (uint32_t t = 1; t < bw_prog_type_count(); t++)
		if (bw_prog_type_name(t))
			bw_json_str(j, bw_prog_type_name(t), conf->type_default[t] == BW_VERDICT_ALLOW ? "allow" : "deny");
	bw_json_close(j, '}');
	bw_json_open(j, "rules", '[');
	for (uint32_t i = 0; i < conf->n_rules; i++) {
		bw_json_open(j, NULL, '{');
		bw_json_str(j, "id", p->rules[i].id);
		put_helpers(j, "helpers", conf->rules[i].helpers);
		bw_json_u64(j, "prog_types", conf->rules[i].prog_types);
		bw_json_u64(j, "flags", conf->rules[i].flags);
		bw_json_close(j, '}');
	}
	bw_json_close(j, ']');
	bw_json_close(j, '}');
}

static void put_numbers(struct bw_json *j, const char *key, const uint32_t *numbers, uint32_t n)
{
	if (!n)
		return;
	bw_json_open(j, key, '[');
	for (uint32_t i = 0; i < n; i++)
		bw_json_u64(j, NULL, numbers[i]);
	bw_json_close(j, ']');
}

static void put_condition(struct bw_json *j, const struct bw_condition *c)
{
	if (c->flags & BW_CONDITION_UNCHANGED)
		bw_json_u64(j, "exe_changed_ns", c->exe_changed_ns);
	if (c->flags & BW_CONDITION_NAMESPACES) {
		bw_json_u64(j, "mnt_ns", c->mnt_ns);
		bw_json_u64(j, "pid_ns", c->pid_ns);
	}
	put_numbers(j, "uids", c->uids, c->n_uids);
	put_numbers(j, "cgroups", c->cgroups, c->n_cgroups);
}

static void put_cgroup(struct bw_json *j, const struct bw_cgroup_pattern *p)
{
	_cleanup_buf_ struct bw_buf path = { 0 };

	for (uint32_t i = 0; i < p->depth; i++) {
		const struct bw_cgroup_part *part = &p->parts[i];

		bw_buf_char(&path, '/');
		bw_buf_append(&path, part->text, part->head);
		if (!part->exact)
			bw_buf_char(&path, '*');
		bw_buf_append(&path, part->text + part->head, part->tail);
	}
	bw_json_str(j, NULL, bw_buf_cstr(&path));
}

static void put_image(struct bw_json *j, const struct bw_policy *p, const struct bw_policy_image *image)
{
	char ids[1024];

	put_conf(j, p, &image->conf);
	bw_json_open(j, "approvals", '[');
	for (uint32_t i = 0; i < image->n_approvals; i++) {
		const struct bw_policy_approval *a = &image->approvals[i];

		bw_json_open(j, NULL, '{');
		bw_json_hex(j, "id", a->key.id, sizeof(a->key.id));
		put_type(j, "type", bw_prog_type_name(a->key.prog_type), a->key.prog_type);
		bw_json_u64(j, "expected_attach_type", a->key.expected_attach_type);
		bw_json_u64(j, "entry", a->value.entry);
		bw_json_u64(j, "instructions", a->value.insn_cnt);
		bw_json_u64(j, "flags", a->value.flags);
		bw_json_str(j, "of", bw_policy_entry_id(p, image, a->value.entry, ids, sizeof(ids)));
		bw_json_close(j, '}');
	}
	bw_json_close(j, ']');
	bw_json_open(j, "bindings", '[');
	for (uint32_t i = 0; i < image->n_bindings; i++) {
		const struct bw_binding_key *b = &image->bindings[i];

		bw_json_open(j, NULL, '{');
		bw_json_u64(j, "entry", b->entry);
		if (b->attach_btf_id == BW_BINDING_LOADER_NAMED)
			bw_json_bool(j, "loader_named", true);
		else
			bw_json_u64(j, "attach_btf_id", b->attach_btf_id);
		bw_json_u64(j, "exe_dev", b->exe_dev);
		bw_json_u64(j, "exe_ino", b->exe_ino);
		put_condition(j, &image->conditions[b->condition]);
		bw_json_close(j, '}');
	}
	bw_json_close(j, ']');
	bw_json_open(j, "cgroups", '[');
	for (uint32_t i = 0; i < image->n_cgroups; i++)
		put_cgroup(j, &image->cgroups[i]);
	bw_json_close(j, ']');
	bw_json_open(j, "kfuncs", '[');
	for (uint32_t i = 0; i < image->n_kfuncs; i++) {
		bw_json_open(j, NULL, '{');
		bw_json_u64(j, "btf_id", image->kfuncs[i].btf_id);
		bw_json_u64(j, "rules", image->kfuncs[i].rules);
		bw_json_close(j, '}');
	}
	bw_json_close(j, ']');
}

static void put_derived(struct bw_json *j, const struct compile *c)
{
	bw_json_open(j, "programs", '[');
	for (size_t i = 0; i < c->n; i++) {
		const struct derived *d = &c->derived[i];

		bw_json_open(j, NULL, '{');
		bw_json_str(j, "object", d->object);
		bw_json_str(j, "program", d->program);
		if (d->has_canonical)
			bw_json_hex(j, "canonical", d->canonical, sizeof(d->canonical));
		else
			bw_json_null(j, "canonical");
		bw_json_str(j, "entry", d->entry);
		if (d->why)
			bw_json_null(j, "digest");
		else
			bw_json_hex(j, "digest", d->digest, sizeof(d->digest));
		bw_json_bool(j, "derived", d->fresh && d->entry && !d->why);
		bw_json_str(j, "error", d->why);
		bw_json_close(j, '}');
	}
	bw_json_close(j, ']');
}

static void put_all(struct compile *c)
{
	struct bw_json j = { .buf = &c->out, .indent = 1 };
	const struct bw_policy *p = c->file.policy;

	bw_json_open(&j, NULL, '{');
	bw_json_u64(&j, "version", 1);
	bw_json_open(&j, "policy", '{');
	bw_json_str(&j, "name", p->name);
	bw_json_u64(&j, "serial", p->serial);
	bw_json_close(&j, '}');
	put_derived(&j, c);
	put_image(&j, p, &c->image);
	bw_json_open(&j, "warnings", '[');
	for (uint32_t i = 0; i < c->warnings.n; i++)
		bw_json_str(&j, NULL, c->warnings.lines[i]);
	bw_json_close(&j, ']');
	bw_json_close(&j, '}');
	bw_buf_char(&c->out, '\n');
}

static int compile(struct compile *c)
{
	struct bw_policy_host host = { 0 };
	const struct bw_policy_env env = bw_policy_host_env(&host);
	struct btf *btf = NULL;
	int r;

	if (c->btfs.n) {
		btf = btf__new(c->btfs.items[0].data, (uint32_t)c->btfs.items[0].len);
		if (!btf) {
			bw_err("the kernel's BTF: %s", strerror(errno));
			return -EINVAL;
		}
	}
	host.btf = btf;
	r = bw_policy_compile(c->file.policy, &env, &c->image, &c->warnings);
	btf__free(btf);
	if (r < 0)
		bw_err("%s: %s", c->file.path, r == -E2BIG ? "too large for the kernel's maps" : strerror(-r));
	return r;
}

int cmd_policy_compile(int argc, char **argv)
{
	BW_CLEANUP(compile_release) struct compile c = { .file = POLICY_FILE_NONE };
	const char *path = POLICY_DEFAULT_FILE, *btf = NULL, *output = NULL;
	const struct bw_opt opts[] = {
		{ BW_OPT_STRING, 0, "policy", &path, "FILE", "the policy; default " POLICY_DEFAULT_FILE },
		{ BW_OPT_STRING, 0, "btf", &btf, "VMLINUX[,MODULE...]", "for the kernel with this BTF; default: this host's" },
		{ BW_OPT_STRING, 'o', "output", &output, "FILE",
		  "write the policy with the digests derived from the objects to FILE; nothing is printed" },
		BW_OPTS_HELP_ROW,
		{ 0 },
	};
	static const struct bw_command cmd = {
		"bpfwarden policy compile", "[FILE...]", "Prints what a policy is for the kernel of a host.",
		"The exact content of the maps that the guard fills, as JSON. The programs of the objects FILE are recognised by\n"
		"their canonical identity, and the load digests that they have on that kernel are derived and added to the entries\n"
		"that approve them. Exit status 1 when a program is approved by no entry or its digest cannot be known."
	};
	int n, r;

	r = bw_opts_parse(&cmd, opts, argc, argv, &n);
	if (r)
		return r < 0 ? BW_EXIT_INPUT : BW_EXIT_OK;
	if (policy_file_open(&c.file, path, NULL) < 0 || policy_btf(btf, &c.btfs) < 0)
		return BW_EXIT_INPUT;
	bw_closep(&c.file.lock);
	c.file.lock = -1;
	for (int i = 1; i <= n; i++) {
		r = file_derive(&c, argv[i]);
		if (r < 0)
			return r == -ENOMEM ? BW_EXIT_INTERNAL : BW_EXIT_INPUT;
	}
	r = compile(&c);
	if (r < 0)
		return r == -ENOMEM ? BW_EXIT_INTERNAL : BW_EXIT_INPUT;
	for (size_t i = 0; i < c.n; i++)
		if (!c.derived[i].entry || c.derived[i].why)
			bw_warn("%s: program %s: %s", c.derived[i].object, c.derived[i].program,
				c.derived[i].why ? c.derived[i].why : "no entry approves it");
	if (output) {
		r = bw_file_write_atomic(output, bw_buf_cstr(&c.file.text), c.file.text.len, 0644);
		if (r < 0) {
			bw_err("%s: %s", output, strerror(-r));
			return BW_EXIT_INPUT;
		}
	} else {
		put_all(&c);
		if (bw_buf_error(&c.out) || fwrite(bw_buf_cstr(&c.out), 1, c.out.len, stdout) != c.out.len || fflush(stdout))
			return BW_EXIT_INTERNAL;
	}
	return c.missing ? BW_EXIT_FINDINGS : BW_EXIT_OK;
}
