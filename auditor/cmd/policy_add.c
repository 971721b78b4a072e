// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * bpfwarden policy add: predicts what the programs of an object will be for the kernel and writes that into a policy.
 * All or nothing: the text is edited in memory, parsed again, and replaces the file only when everything went well.
 */
#include <inttypes.h>
#include <limits.h>
#include <linux/bpf.h>
#include <string.h>

#include "auditor/cmd/policy_common.h"
#include "auditor/commands.h"
#include "auditor/ident.h"
#include "auditor/policy_edit.h"
#include "auditor/relink.h"
#include "auditor/predict.h"
#include "common/bpf_names.h"
#include "common/buf.h"
#include "common/json.h"
#include "common/log.h"
#include "common/opts.h"
#include "common/policy.h"

struct add {
	struct policy_file file;
	const char *id, *reason;
	struct bw_strlist loaders, targets, types;
	bool any_target, cilium;
	uint32_t type; /* the one of --type that is being added; 0: as the object says */
	struct bw_buf report;	  /* printed when the file was written */
	unsigned int added, extended, unchanged;
};

static void add_release(struct add *a)
{
	policy_file_release(&a->file);
	bw_buf_free(&a->report);
	bw_strlist_free(&a->loaders);
	bw_strlist_free(&a->targets);
	bw_strlist_free(&a->types);
}

/* ---- what to write ---- */

static uint32_t type_of(const struct add *a, const struct bw_predicted *p)
{
	return a->type ? a->type : p->prog_type;
}

/* Loaded as another type (libxdp loads XDP programs as extensions), it has another attach type and target, too. */
static bool type_is_own(const struct add *a, const struct bw_predicted *p)
{
	return !(p->flags & BW_PREDICT_TYPE_OPEN) && type_of(a, p) == p->prog_type;
}

/* "xdp_filter.bpf.o" and "drop" give "xdp_filter/drop", in the letters an id may have. */
static int make_id(struct bw_buf *b, const struct add *a, const char *object, const struct bw_predicted *prog,
		   bool only)
{
	const char *base = strrchr(object, '/') ? strrchr(object, '/') + 1 : object;
	size_t len = strlen(base);

	if (a->id) {
		bw_buf_str(b, a->id);
	} else {
		if (len > 2 && !strcmp(base + len - 2, ".o"))
			len -= 2;
		if (len > 4 && !strncmp(base + len - 4, ".bpf", 4))
			len -= 4;
		bw_buf_append(b, base, len);
	}
	if (!a->id || !only)
		bw_buf_printf(b, "/%s", prog->name);
	/* Several --type: an entry each, the one of the section's own type under the plain name. */
	if (a->types.n > 1 && !type_is_own(a, prog))
		bw_buf_printf(b, "@%s", bw_prog_type_name(a->type));
	for (size_t i = 0; !a->id && i < b->len; i++) {
		char c = b->data[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

		if (!letter && (!c || !strchr("._/@+-", c) || !i))
			b->data[i] = i ? '-' : 'x';
	}
	if (b->len > 128 && !bw_buf_error(b))
		b->data[b->len = 128] = 0;
	return bw_buf_error(b);
}

static void put_name(struct bw_json *j, const char *key, const char *name, uint32_t number)
{
	if (name)
		bw_json_str(j, key, name);
	else
		bw_json_u64(j, key, number);
}

static bool has_tags(const struct bw_predicted *p)
{
	return !(p->flags & BW_PREDICT_TAG_UNSTABLE);
}

static void put_tag(struct bw_json *j, const struct bw_predicted *p)
{
	/* Tags are for kernels before 6.9, which hash with SHA-1. */
	bw_json_open(j, NULL, '{');
	bw_json_hex(j, "tag", p->tag_sha1, sizeof(p->tag_sha1));
	bw_json_u64(j, "instructions", p->n_insns);
	bw_json_close(j, '}');
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* What was approved, whatever kernel it is for: what "policy compile" derives digests from, and "check" compares with. */
static void put_canonical(struct bw_json *j, const char *object, const struct bw_ident_program *c)
{
	bw_json_open(j, NULL, '{');
	bw_json_hex(j, "identity", c->canonical, sizeof(c->canonical));
	bw_json_strn(j, "source", base_name(object), strnlen(base_name(object), 255));
	bw_json_hex(j, "code", c->code, sizeof(c->code));
	if (c->has_rodata)
		bw_json_hex(j, "rodata", c->rodata, sizeof(c->rodata));
	if (c->has_data)
		bw_json_hex(j, "data", c->data, sizeof(c->data));
	if (c->n_maps && c->n_maps <= BW_MAX_POLICY_MAPS) {
		bw_json_open(j, "maps", '[');
		for (uint32_t i = 0; i < c->n_maps; i++) {
			bw_json_open(j, NULL, '{');
			bw_json_strn(j, "name", c->maps[i].name, strnlen(c->maps[i].name, 255));
			bw_json_hex(j, "definition", c->maps[i].hash, sizeof(c->maps[i].hash));
			bw_json_close(j, '}');
		}
		bw_json_close(j, ']');
	}
	bw_json_close(j, '}');
}

static void put_entry(struct bw_buf *b, const struct add *a, const char *id, const char *object,
		      const struct bw_predicted *p, const struct bw_ident_program *c)
{
	struct bw_json j = { .buf = b, .indent = 2 };
	_cleanup_buf_ struct bw_buf target = { 0 }, reason = { 0 };
	uint32_t type = type_of(a, p);
	bool bound = type_is_own(a, p) && policy_target_name(&target, p);

	bw_json_open(&j, NULL, '{');
	bw_json_str(&j, "id", id);
	bw_json_str(&j, "name", p->name);
	if (a->reason) {
		bw_json_str(&j, "reason", a->reason);
	} else {
		bw_buf_printf(&reason, "from %s", base_name(object));
		bw_json_str(&j, "reason", bw_buf_cstr(&reason));
	}
	put_name(&j, "type", bw_prog_type_name(type), type);
	if (type_is_own(a, p))
		put_name(&j, "attach_type", policy_attach_type_name(type, p->expected_attach_type), p->expected_attach_type);
	bw_json_open(&j, "digests", '[');
	bw_json_hex(&j, NULL, p->digest, sizeof(p->digest));
	bw_json_close(&j, ']');
	if (has_tags(p)) {
		bw_json_open(&j, "tags", '[');
		put_tag(&j, p);
		bw_json_close(&j, ']');
	}
	if (c && !c->why) {
		bw_json_open(&j, "canonical", '[');
		put_canonical(&j, object, c);
		bw_json_close(&j, ']');
	}
	if (a->loaders.n) {
		bw_json_open(&j, "loaders", '[');
		for (unsigned int i = 0; i < a->loaders.n; i++) {
			bw_json_open(&j, NULL, '{');
			bw_json_str(&j, "path", a->loaders.items[i]);
			bw_json_close(&j, '}');
		}
		bw_json_close(&j, ']');
	}
	if (a->targets.n || (bound && !a->any_target)) {
		bw_json_open(&j, "targets", '[');
		for (unsigned int i = 0; i < a->targets.n; i++)
			bw_json_str(&j, NULL, a->targets.items[i]);
		if (!a->targets.n)
			bw_json_str(&j, NULL, bw_buf_cstr(&target));
		bw_json_close(&j, ']');
	}
	bw_json_open(&j, "helpers", '[');
	for (uint32_t h = 1; h < BW_HELPER_WORDS * 64; h++)
		if (p->summary.helpers[h / 64] >> (h % 64) & 1)
			put_name(&j, NULL, bw_helper_name(h), h);
	bw_json_close(&j, ']');
	bw_json_close(&j, '}');
}

/* ---- an entry that is there already ---- */

static const struct bw_policy_program *entry_find(const struct bw_policy *p, const char *id)
{
	for (uint32_t i = 0; i < p->n_programs; i++)
		if (!strcmp(p->programs[i].id, id))
			return &p->programs[i];
	return NULL;
}

static bool entry_has_digest(const struct bw_policy_program *e, const struct bw_predicted *p)
{
	for (uint32_t i = 0; i < e->n_digests; i++)
		if (!memcmp(e->digests[i], p->digest, BW_DIGEST_LEN))
			return true;
	return false;
}

static bool entry_has_tag(const struct bw_policy_program *e, const struct bw_predicted *p)
{
	for (uint32_t i = 0; i < e->n_tags; i++)
		if (!memcmp(e->tags[i].tag, p->tag_sha1, BW_TAG_LEN) && e->tags[i].instructions == p->n_insns)
			return true;
	return false;
}

static bool entry_has_canonical(const struct bw_policy_program *e, const struct bw_ident_program *c)
{
	for (uint32_t i = 0; i < e->n_canonicals; i++)
		if (!memcmp(e->canonicals[i].identity, c->canonical, BW_POLICY_CANONICAL_LEN))
			return true;
	return false;
}

static bool strings_contain(const struct bw_strlist *l, const char *s)
{
	for (unsigned int i = 0; i < l->n; i++)
		if (!strcmp(l->items[i], s))
			return true;
	return false;
}

/* Why the digest must not simply be added to the entry: what is asked for differs from what it says. NULL: it may. */
static const char *entry_conflict(const struct add *a, const struct bw_policy_program *e, const struct bw_predicted *p)
{
	_cleanup_buf_ struct bw_buf target = { 0 };
	bool found = false;

	if (e->type != type_of(a, p))
		return "has another program type";
	if (!e->any_attach_type && type_is_own(a, p) && e->attach_type != p->expected_attach_type)
		return "has another attach type";
	if (a->loaders.n) {
		if (e->n_loaders != a->loaders.n)
			return "names other loaders";
		for (uint32_t i = 0; i < e->n_loaders; i++)
			if (!e->loaders[i].path || !strings_contain(&a->loaders, e->loaders[i].path))
				return "names other loaders";
	}
	if (a->any_target)
		return e->n_targets ? "names targets" : NULL;
	if (a->targets.n) {
		if (e->n_targets != a->targets.n)
			return "names other targets";
		for (uint32_t i = 0; i < e->n_targets; i++)
			if (!strings_contain(&a->targets, e->targets[i]))
				return "names other targets";
	} else if (e->n_targets && type_is_own(a, p) && policy_target_name(&target, p)) {
		for (uint32_t i = 0; i < e->n_targets; i++)
			found |= !strcmp(e->targets[i], bw_buf_cstr(&target));
		if (!found)
			return "names other targets";
	}
	return NULL;
}

/* Adds an element to the list @key of entry @index, or the list. */
static int entry_update(struct add *a, const char *object, const struct bw_policy_program *e, const struct bw_predicted *p,
			const struct bw_ident_program *c)
{
	uint32_t index = (uint32_t)(e - a->file.policy->programs);
	bool digest = !entry_has_digest(e, p), tag = has_tags(p) && !entry_has_tag(e, p);
	bool canonical = c && !c->why && !entry_has_canonical(e, c);
	_cleanup_buf_ struct bw_buf value = { 0 };
	int r = 0;

	if (!digest && !tag && !canonical) {
		bw_buf_printf(&a->report, "%s: approved already\n", e->id);
		a->unchanged++;
		return 0;
	}
	if (digest) {
		bw_buf_char(&value, '"');
		bw_buf_hex(&value, p->digest, sizeof(p->digest));
		bw_buf_char(&value, '"');
		r = policy_file_extend(&a->file, index, "digests", e->n_digests, bw_buf_cstr(&value));
	}
	if (!r && tag) {
		struct bw_json j = { .buf = &value };

		bw_buf_reset(&value);
		put_tag(&j, p);
		r = policy_file_extend(&a->file, index, "tags", e->n_tags, bw_buf_cstr(&value));
	}
	if (!r && canonical) {
		struct bw_json j = { .buf = &value };

		bw_buf_reset(&value);
		put_canonical(&j, object, c);
		r = policy_file_extend(&a->file, index, "canonical", e->n_canonicals, bw_buf_cstr(&value));
	}
	if (r < 0)
		return r;
	bw_buf_printf(&a->report, "%s: %s added\n", e->id,
		      digest && tag ? "digest and tag"
		      : digest	    ? "digest"
		      : tag	    ? "tag"
				    : "canonical identity");
	a->extended++;
	return policy_file_parse(&a->file);
}

/* ---- objects ---- */

static int program_add(struct add *a, const char *object, const struct bw_predicted *p, const struct bw_ident_program *c,
		       bool only)
{
	_cleanup_buf_ struct bw_buf id = { 0 }, value = { 0 };
	const struct bw_policy_program *e;
	int r = make_id(&id, a, object, p, only);

	if (r < 0)
		return r;
	e = entry_find(a->file.policy, bw_buf_cstr(&id));
	if (e) {
		const char *conflict = entry_conflict(a, e, p);

		if (!conflict)
			return entry_update(a, object, e, p, c);
		bw_err("%s: program %s: the entry \"%s\" of %s %s; change it there, or choose another --id", object,
		       p->name, e->id, a->file.path, conflict);
		return -EEXIST;
	}
	put_entry(&value, a, bw_buf_cstr(&id), object, p, c);
	if (bw_buf_error(&value))
		return bw_buf_error(&value);
	r = policy_edit_append(&a->file.text, "programs", bw_buf_cstr(&value));
	if (r == -ENOENT) {
		r = policy_edit_add_member(&a->file.text, "", "programs", "[]");
		if (!r)
			r = policy_edit_append(&a->file.text, "programs", bw_buf_cstr(&value));
	}
	if (!r)
		r = policy_file_parse(&a->file);
	if (r < 0)
		return r;
	bw_buf_printf(&a->report, "%s: added\n", bw_buf_cstr(&id));
	a->added++;
	return 0;
}

/* The same program as cilium/ebpf loads it, where that is another digest. */
static int cilium_add(struct add *a, const char *object, const struct bw_predicted *p, const struct bw_ident_program *c, bool only)
{
	struct bw_predicted q;
	int r = relink_cilium(p, c, &q);

	if (r == -ENOENT) {
		bw_warn("%s: program %s: what cilium/ebpf makes of it cannot be predicted: learn it on a host", object, p->name);
		return 0;
	}
	return r < 0 || !memcmp(q.digest, p->digest, sizeof(q.digest)) ? r : program_add(a, object, &q, c, only);
}

/* One object, of a file that is one or contains it. @kernel names the BTF it was predicted for, for messages. */
static int object_add(struct add *a, const struct bw_ident_object *o, const struct bw_predict_opts *opts, const char *kernel)
{
	BW_CLEANUP(bw_prediction_free) struct bw_prediction pred = { 0 };
	const char *object = o->name;
	int result = 0, r;

	if (o->error || o->light) {
		bw_err("%s: %s", object,
		       o->error ? o->error : "a light skeleton: approve the digests that \"bpfwarden identify\" or the guard shows");
		return -EINVAL;
	}
	r = bw_predict(o->elf.data, o->elf.len, opts, &pred);
	if (r < 0 || pred.error || !pred.n) {
		bw_err("%s: %s", object, pred.error ? pred.error : r < 0 ? strerror(-r) : "no program in it");
		return r < 0 ? r : -EINVAL;
	}
	for (size_t i = 0; i < pred.n; i++) {
		const struct bw_predicted *p = &pred.programs[i];
		const struct bw_ident_program *c = bw_ident_find(o, p->name, p->section);
		const char *why = p->error;

		if (!why && p->flags & BW_PREDICT_ADDRESSES)
			why = "addresses of kernel symbols are written into it at load: it has no identity before";
		else if (!why && p->flags & BW_PREDICT_TYPE_OPEN && !a->types.n)
			why = "its section does not tell the program type: state --type";
		if (why && !p->autoload) {
			bw_warn("%s: program %s, for %s: %s; left out, as it is loaded only on request", object,
				p->name, kernel, why);
			continue;
		}
		if (why)
			bw_err("%s: program %s, for %s: %s", object, p->name, kernel, why);
		if (!why && p->flags & BW_PREDICT_KFUNC_MISSING)
			bw_warn("%s: program %s, for %s: calls a kernel function that is not there: its digest holds "
				"only for "
				"this version of libbpf",
				object, p->name, kernel);
		for (unsigned int k = 0; k < a->types.n || !k; k++) {
			a->type = a->types.n ? (uint32_t)bw_prog_type_id(a->types.items[k]) : 0;
			r = why ? -EINVAL : program_add(a, object, p, c, pred.n == 1);
			if (!r && a->cilium)
				r = cilium_add(a, object, p, c, pred.n == 1);
			if (r < 0 && !result)
				result = r;
			if (r < 0 && !why && r != -EEXIST) {
				bw_err("%s: program %s: %s", object, p->name, strerror(-r));
				return r;
			}
		}
	}
	return result;
}

static int file_add(struct add *a, const char *path, const struct bw_predict_opts *opts, const char *kernel)
{
	BW_CLEANUP(policy_objects_free) struct policy_objects o = { 0 };
	int r = policy_objects_read(path, &o), result = r;

	for (uint32_t i = 0; i < o.file.n; i++) {
		r = object_add(a, &o.file.objects[i], opts, kernel);
		if (r < 0 && !result)
			result = r;
	}
	return result;
}

static int objects_add(struct add *a, char **objects, int n, const char *btf)
{
	BW_CLEANUP(bw_kernel_btf_free) struct bw_kernel_btfs btfs = { 0 };
	const struct bw_predict_opts opts = { .btfs = &btfs };
	int r = policy_btf(btf, &btfs), result = 0;

	if (r < 0)
		return r;
	for (int i = 0; i < n; i++) {
		r = file_add(a, objects[i], &opts, btf ? btf : "the running kernel");
		if (r < 0 && !result)
			result = r;
	}
	return result;
}

/* A new policy. What "policy init" starts says everything that "policy add" leaves to the defaults. */
static void put_fresh(struct bw_buf *b, bool init, const char *name)
{
	struct bw_json j = { .buf = b, .indent = 2 };

	bw_json_open(&j, NULL, '{');
	bw_json_u64(&j, "version", BW_POLICY_VERSION);
	if (init) {
		if (name)
			bw_json_str(&j, "name", name);
		bw_json_u64(&j, "serial", 1);
		bw_json_open(&j, "exempt", '{');
		bw_json_bool(&j, "init", true);
		bw_json_open(&j, "inert", '{');
		bw_json_bool(&j, "enabled", true);
		bw_json_u64(&j, "max_instructions", 64);
		bw_json_close(&j, '}');
		bw_json_close(&j, '}');
		bw_json_open(&j, "defaults", '{');
		for (unsigned int c = 0; c < BW_CLASS_COUNT; c++)
			bw_json_str(&j, bw_policy_class_name(c), "deny");
		bw_json_close(&j, '}');
	}
	bw_json_open(&j, "programs", '[');
	bw_json_close(&j, ']');
	bw_json_close(&j, '}');
	bw_buf_char(b, '\n');
}

static int options_check(const struct add *a)
{
	for (unsigned int i = 0; i < a->loaders.n; i++)
		if (a->loaders.items[i][0] != '/') {
			bw_err("--loader takes an absolute path, not \"%s\"", a->loaders.items[i]);
			return -EINVAL;
		}
	if (a->any_target && a->targets.n) {
		bw_err("--any-target and --target exclude each other");
		return -EINVAL;
	}
	for (unsigned int i = 0; i < a->types.n; i++)
		if (bw_prog_type_id(a->types.items[i]) <= 0) {
			bw_err("--type: unknown program type \"%s\"", a->types.items[i]);
			return -EINVAL;
		}
	return 0;
}

static const char *const details[] = {
	"Predicts what each program will be for the kernel (see \"bpfwarden identify\") and writes an entry for it. If\n"
	"there is an entry with its id, the digest is added to that. The layout of the file stays as it is. Nothing is\n"
	"written unless all programs could be identified.",
	"As \"policy add\", into a file that must not exist yet. Everything that is not approved there is denied.",
};

/* @init: the policy is a new one. */
static int run(int argc, char **argv, bool init)
{
	BW_CLEANUP(add_release) struct add a = { .file = POLICY_FILE_NONE };
	BW_CLEANUP(bw_strlist_free) struct bw_strlist btfs = { 0 };
	_cleanup_buf_ struct bw_buf fresh = { 0 };
	const char *path = init ? NULL : POLICY_DEFAULT_FILE, *name = NULL;
	const struct bw_opt opts[] = {
		{ BW_OPT_STRING, 0, init ? "output" : "policy", &path, "FILE",
		  init ? "the policy to write" : "the policy to change or to start; default " POLICY_DEFAULT_FILE },
		{ BW_OPT_LIST, 0, "loader", &a.loaders, "PATH",
		  "only this executable may load it (repeatable); default: any" },
		{ BW_OPT_LIST, 0, "target", &a.targets, "NAME",
		  "only to this may it be attached, by its name in the kernel's BTF" },
		{ BW_OPT_FLAG, 0, "any-target", &a.any_target, NULL,
		  "do not bind to the target that its section names" },
		{ BW_OPT_LIST, 0, "type", &a.types, "TYPE",
		  "program type, where it is not what the section says (repeatable: an entry each)" },
		{ BW_OPT_FLAG, 0, "cilium", &a.cilium, NULL, "also as cilium/ebpf loads it: functions in another order, another digest" },
		{ BW_OPT_STRING, 0, "reason", &a.reason, "TEXT", "why it is approved" },
		{ BW_OPT_STRING, 0, "id", &a.id, "ID",
		  "id of the entry (several programs: ID/PROGRAM); default FILE/PROGRAM" },
		{ BW_OPT_LIST, 0, "btf", &btfs, "VMLINUX[,MODULE...]",
		  "predict for the kernel with this BTF (repeatable: a kernel each); default: this host's" },
		BW_OPTS_HELP_ROW,
		{ init ? BW_OPT_STRING : BW_OPT_END, 0, "name", &name, "TEXT", "name of the policy, for people" },
		{ 0 },
	};
	const struct bw_command cmd = { init ? "bpfwarden policy init" : "bpfwarden policy add", "FILE...",
					init ? "Starts a policy with the programs of BPF objects." :
					       "Approves the programs of BPF objects.",
					details[init] };
	int n, r, result;

	r = bw_opts_parse(&cmd, opts, argc, argv, &n);
	if (r)
		return r < 0 ? BW_EXIT_INPUT : BW_EXIT_OK;
	if (!n || !path) {
		bw_err(n ? "policy init needs --output FILE" : "policy %s needs at least one object file", init ? "init" : "add");
		return BW_EXIT_INPUT;
	}
	if (options_check(&a) < 0)
		return BW_EXIT_INPUT;
	put_fresh(&fresh, init, name);
	if (init && !access(path, F_OK)) {
		bw_err("%s is there already; \"policy add\" adds to it", path);
		return BW_EXIT_INPUT;
	}
	if (policy_file_open(&a.file, path, bw_buf_cstr(&fresh)) < 0)
		return BW_EXIT_INPUT;
	result = objects_add(&a, argv + 1, n, btfs.n ? btfs.items[0] : NULL);
	for (unsigned int i = 1; i < btfs.n && !result; i++)
		result = objects_add(&a, argv + 1, n, btfs.items[i]);
	if (result < 0) {
		bw_err("%s is as it was", path);
		return result == -ENOMEM ? BW_EXIT_INTERNAL : BW_EXIT_INPUT;
	}
	if ((a.added || a.extended) && policy_file_write(&a.file) < 0)
		return BW_EXIT_INPUT;
	policy_file_warnings(&a.file);
	fputs(bw_buf_cstr(&a.report), stdout);
	printf("%s: %u added, %u extended, %u unchanged\n", path, a.added, a.extended, a.unchanged);
	return BW_EXIT_OK;
}

int cmd_policy_add(int argc, char **argv)
{
	return run(argc, argv, false);
}

int cmd_policy_init(int argc, char **argv)
{
	return run(argc, argv, true);
}
