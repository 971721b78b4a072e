// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* bpfwarden identify: what each program of an object will be for the kernel. docs/identify.md describes the output. */
#include <inttypes.h>
#include <string.h>
#include <linux/bpf.h>

#include "auditor/commands.h"
#include "auditor/ident.h"
#include "auditor/predict.h"
#include "auditor/relink.h"
#include "common/bpf_names.h"
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/opts.h"

#define FORMAT_VERSION 1

struct note {
	uint32_t flag;
	const char *word; /* in JSON: stable */
	const char *text;
};

static const struct note notes[] = {
	{ BW_PREDICT_TYPE_OPEN, "type-open", "the section does not tell the program type: its loader chooses" },
	{ BW_PREDICT_TARGET_OPEN, "target-open",
	  "the attach target is another program's function, chosen by the loader, or not in this kernel's BTF" },
	{ BW_PREDICT_KFUNC_MISSING, "kfunc-missing",
	  "calls a kernel function that this kernel lacks: loaders mark such calls differently, and the digest with "
	  "them" },
	{ BW_PREDICT_ADDRESSES, "kernel-addresses",
	  "addresses of kernel symbols are written into it at load: it has no identity that can be known before" },
	{ BW_PREDICT_TAG_UNSTABLE, "tag-unstable",
	  "refers to a module's variable by descriptor number: its kernel tag differs from load to load" },
};

static bool has_digest(const struct bw_predicted *p)
{
	return !p->error && !(p->flags & BW_PREDICT_ADDRESSES);
}

static bool has_tags(const struct bw_predicted *p)
{
	return has_digest(p) && !(p->flags & BW_PREDICT_TAG_UNSTABLE);
}

/* A number without a name is printed as a number, in the buffer given. */
static const char *name_or_number(const char *name, uint32_t number, char buf[16])
{
	if (name)
		return name;
	snprintf(buf, 16, "%" PRIu32, number);
	return buf;
}

/* Zero is the first attach type of cgroup programs; for all others it says that none was given. */
static const char *attach_type(const struct bw_predicted *p, char buf[16])
{
	if (!p->expected_attach_type && p->prog_type != BPF_PROG_TYPE_CGROUP_SKB)
		return "none";
	return name_or_number(bw_attach_type_name(p->expected_attach_type), p->expected_attach_type, buf);
}

/* Names from the object are escaped before they reach a terminal. */
static void put_text(struct bw_buf *b, const char *s)
{
	bw_json_escape(b, s, strlen(s));
}

static void put_hex(struct bw_buf *b, const char *label, const void *data, size_t len, bool known)
{
	bw_buf_printf(b, "  %-14s ", label);
	if (known)
		bw_buf_hex(b, data, len);
	else
		bw_buf_str(b, "unpredictable");
	bw_buf_char(b, '\n');
}

/* Only where it is another one than libbpf's. */
static void cilium_text(struct bw_buf *b, const struct bw_predicted *p, const struct bw_ident_program *c)
{
	struct bw_predicted q;

	if (relink_cilium(p, c, &q) < 0)
		bw_buf_str(b, "  cilium/ebpf    unpredictable: learn it on a host (bpfwarden policy learn)\n");
	else if (memcmp(q.digest, p->digest, sizeof(q.digest)))
		put_hex(b, "cilium/ebpf", q.digest, sizeof(q.digest), true);
}

static void canonical_text(struct bw_buf *b, const struct bw_ident_program *c)
{
	if (!c)
		return;
	put_hex(b, "canonical", c->canonical, sizeof(c->canonical), !c->why);
	if (c->why) {
		bw_buf_str(b, "                 ");
		put_text(b, c->why);
		bw_buf_char(b, '\n');
		return;
	}
	put_hex(b, "  code", c->code, sizeof(c->code), true);
	if (c->has_rodata)
		put_hex(b, "  .rodata", c->rodata, sizeof(c->rodata), true);
	if (c->has_data)
		put_hex(b, "  .data", c->data, sizeof(c->data), true);
	for (uint32_t i = 0; i < c->n_maps; i++) {
		bw_buf_str(b, "    map          ");
		bw_buf_hex(b, c->maps[i].hash, 8);
		bw_buf_char(b, ' ');
		put_text(b, c->maps[i].name);
		bw_buf_char(b, '\n');
	}
}

static void helpers_text(struct bw_buf *b, const uint64_t helpers[4])
{
	bool any = false;

	bw_buf_str(b, "  helpers       ");
	for (uint32_t id = 0; id < 256; id++) {
		char number[16];

		if (!(helpers[id / 64] >> (id % 64) & 1))
			continue;
		any = true;
		bw_buf_printf(b, " %s", name_or_number(bw_helper_name(id), id, number));
	}
	bw_buf_str(b, any ? "\n" : " none\n");
}

static void program_text(struct bw_buf *b, const struct bw_predicted *p, const struct bw_ident_program *c)
{
	char type[16], attach[16];

	bw_buf_str(b, "\nprogram ");
	put_text(b, p->name);
	bw_buf_str(b, "\n  section        ");
	put_text(b, p->section);
	if (!p->autoload)
		bw_buf_str(b, " (loaded only on request)");
	bw_buf_printf(b, "\n  type           %s",
		      p->flags & BW_PREDICT_TYPE_OPEN
			      ? "chosen by the loader"
			      : name_or_number(bw_prog_type_name(p->prog_type), p->prog_type, type));
	bw_buf_printf(b, "\n  attach type    %s\n", attach_type(p, attach));
	if (p->attach_target) {
		bw_buf_str(b, "  attach target  ");
		put_text(b, p->attach_target);
		if (p->attach_btf_id) {
			bw_buf_printf(b, " (BTF id %" PRIu32 " of ", p->attach_btf_id);
			put_text(b, p->attach_btf ? p->attach_btf : "?");
			bw_buf_char(b, ')');
		}
		bw_buf_char(b, '\n');
	}
	canonical_text(b, c);
	if (p->error) {
		bw_buf_str(b, "  error          ");
		put_text(b, p->error);
		bw_buf_char(b, '\n');
		return;
	}
	bw_buf_printf(b, "  instructions   %" PRIu32 "\n", p->summary.insn_cnt);
	put_hex(b, "load digest", p->digest, sizeof(p->digest), has_digest(p));
	cilium_text(b, p, c);
	put_hex(b, "tag (SHA-256)", p->tag_sha256, sizeof(p->tag_sha256), has_tags(p));
	put_hex(b, "tag (SHA-1)", p->tag_sha1, sizeof(p->tag_sha1), has_tags(p));
	helpers_text(b, p->summary.helpers);
	if (p->summary.kfunc_calls)
		bw_buf_printf(b, "  kfunc calls    %" PRIu32 "\n", p->summary.kfunc_calls);
	if (p->summary.unknown_calls)
		bw_buf_printf(b,
			      "  unresolved     %" PRIu32 " call%s to nothing: what they named is not in this kernel\n",
			      p->summary.unknown_calls, p->summary.unknown_calls == 1 ? "" : "s");
	for (size_t i = 0; i < ARRAY_SIZE(notes); i++)
		if (p->flags & notes[i].flag)
			bw_buf_printf(b, "  note           %s\n", notes[i].text);
}

static void hex_or_null(struct bw_json *j, const char *key, const void *data, size_t len, bool known)
{
	if (known)
		bw_json_hex(j, key, data, len);
	else
		bw_json_null(j, key);
}

static void canonical_json(struct bw_json *j, const struct bw_ident_program *c)
{
	bool known = c && !c->why;

	hex_or_null(j, "canonical", known ? c->canonical : NULL, BW_CANONICAL_LEN, known);
	if (!c)
		return;
	if (c->why) {
		bw_json_str(j, "canonical_error", c->why);
		return;
	}
	bw_json_open(j, "canonical_parts", '{');
	bw_json_hex(j, "code", c->code, sizeof(c->code));
	hex_or_null(j, "rodata", c->rodata, sizeof(c->rodata), c->has_rodata);
	hex_or_null(j, "data", c->data, sizeof(c->data), c->has_data);
	bw_json_open(j, "maps", '[');
	for (uint32_t i = 0; i < c->n_maps; i++) {
		bw_json_open(j, NULL, '{');
		bw_json_str(j, "name", c->maps[i].name);
		bw_json_hex(j, "definition", c->maps[i].hash, sizeof(c->maps[i].hash));
		bw_json_close(j, '}');
	}
	bw_json_close(j, ']');
	bw_json_close(j, '}');
}

static void helpers_json(struct bw_json *j, const uint64_t helpers[4])
{
	char number[16];

	bw_json_open(j, "helpers", '[');
	for (uint32_t id = 0; id < 256; id++)
		if (helpers[id / 64] >> (id % 64) & 1)
			bw_json_str(j, NULL, name_or_number(bw_helper_name(id), id, number));
	bw_json_close(j, ']');
}

static void program_json(struct bw_json *j, const struct bw_predicted *p, const struct bw_ident_program *c)
{
	const struct bw_identity_summary *s = &p->summary;
	bool type_open = p->flags & BW_PREDICT_TYPE_OPEN;
	struct bw_predicted q = { 0 };
	char number[16];

	bw_json_open(j, NULL, '{');
	bw_json_str(j, "name", p->name);
	bw_json_str(j, "section", p->section);
	bw_json_bool(j, "autoload", p->autoload);
	bw_json_str(j, "type",
		    type_open ? NULL : name_or_number(bw_prog_type_name(p->prog_type), p->prog_type, number));
	if (type_open)
		bw_json_null(j, "type_id");
	else
		bw_json_u64(j, "type_id", p->prog_type);
	bw_json_str(j, "expected_attach_type", attach_type(p, number));
	bw_json_u64(j, "expected_attach_type_id", p->expected_attach_type);
	bw_json_str(j, "attach_target", p->attach_target);
	bw_json_str(j, "attach_btf", p->attach_btf);
	if (p->attach_btf_id)
		bw_json_u64(j, "attach_btf_id", p->attach_btf_id);
	else
		bw_json_null(j, "attach_btf_id");
	bw_json_str(j, "error", p->error);
	canonical_json(j, c);
	hex_or_null(j, "load_digest", p->digest, sizeof(p->digest), has_digest(p));
	hex_or_null(j, "load_digest_cilium", q.digest, sizeof(q.digest), relink_cilium(p, c, &q) == 0);
	hex_or_null(j, "tag_sha1", p->tag_sha1, sizeof(p->tag_sha1), has_tags(p));
	hex_or_null(j, "tag_sha256", p->tag_sha256, sizeof(p->tag_sha256), has_tags(p));
	if (!p->error) {
		bw_json_u64(j, "insn_cnt", s->insn_cnt);
		bw_json_u64(j, "prog_flags", p->prog_flags);
		helpers_json(j, s->helpers);
		bw_json_u64(j, "kfunc_calls", s->kfunc_calls);
		bw_json_u64(j, "unresolved_calls", s->unknown_calls);
		bw_json_u64(j, "map_refs", s->map_refs);
	}
	bw_json_open(j, "notes", '[');
	for (size_t i = 0; i < ARRAY_SIZE(notes); i++)
		if (p->flags & notes[i].flag)
			bw_json_str(j, NULL, notes[i].word);
	bw_json_close(j, ']');
	bw_json_close(j, '}');
}

/* ---- what libbpf would not load, and light skeletons, whose instructions are in the file as they will be loaded ---- */

static bool attach_known(const struct bw_ident_program *c)
{
	return c->attach_known && (c->expected_attach_type || c->prog_type == BPF_PROG_TYPE_CGROUP_SKB);
}

static void unpredicted_text(struct bw_buf *b, const struct bw_ident_program *c, bool light, const char *error)
{
	char type[16], attach[16];

	bw_buf_str(b, "\nprogram ");
	put_text(b, c->name);
	if (!light) {
		bw_buf_str(b, "\n  section        ");
		put_text(b, c->section);
	}
	bw_buf_printf(b, "\n  type           %s\n",
		      c->type_known ? name_or_number(bw_prog_type_name(c->prog_type), c->prog_type, type) :
				      "chosen by the loader");
	bw_buf_printf(b, "  attach type    %s\n",
		      attach_known(c) ? name_or_number(bw_attach_type_name(c->expected_attach_type),
							     c->expected_attach_type, attach) :
					      "none");
	if (c->target[0]) {
		bw_buf_str(b, "  attach target  ");
		put_text(b, c->target);
		bw_buf_char(b, '\n');
	}
	canonical_text(b, c);
	if (!light) {
		bw_buf_str(b, "  error          ");
		put_text(b, error);
		bw_buf_char(b, '\n');
		return;
	}
	put_hex(b, "load digest", c->digest, sizeof(c->digest), c->has_digest);
	put_hex(b, "tag (SHA-256)", c->tag_sha256, sizeof(c->tag_sha256), c->has_digest);
	put_hex(b, "tag (SHA-1)", c->tag_sha1, sizeof(c->tag_sha1), c->has_digest);
	if (c->has_digest)
		helpers_text(b, c->helpers);
	else
		bw_buf_str(b, "  note           its loader decides about kernel functions and symbols: approve what the guard "
			      "reports\n");
}

static void unpredicted_json(struct bw_json *j, const struct bw_ident_program *c, bool light, const char *error)
{
	char number[16];

	bw_json_open(j, NULL, '{');
	bw_json_str(j, "name", c->name);
	bw_json_str(j, "section", c->section);
	bw_json_bool(j, "autoload", c->autoload);
	bw_json_str(j, "type",
		    c->type_known ? name_or_number(bw_prog_type_name(c->prog_type), c->prog_type, number) : NULL);
	if (c->type_known)
		bw_json_u64(j, "type_id", c->prog_type);
	else
		bw_json_null(j, "type_id");
	bw_json_str(j, "expected_attach_type",
		    attach_known(c) ? name_or_number(bw_attach_type_name(c->expected_attach_type),
							   c->expected_attach_type, number) :
					    "none");
	bw_json_u64(j, "expected_attach_type_id", c->expected_attach_type);
	bw_json_str(j, "attach_target", c->target[0] ? c->target : NULL);
	bw_json_null(j, "attach_btf");
	bw_json_null(j, "attach_btf_id");
	bw_json_str(j, "error", light ? NULL : error);
	canonical_json(j, c);
	hex_or_null(j, "load_digest", c->digest, sizeof(c->digest), c->has_digest);
	hex_or_null(j, "tag_sha1", c->tag_sha1, sizeof(c->tag_sha1), c->has_digest);
	hex_or_null(j, "tag_sha256", c->tag_sha256, sizeof(c->tag_sha256), c->has_digest);
	if (c->has_digest) {
		bw_json_u64(j, "insn_cnt", c->insn_cnt);
		helpers_json(j, c->helpers);
	}
	bw_json_open(j, "notes", '[');
	if (light)
		bw_json_str(j, NULL, "light-skeleton");
	bw_json_close(j, ']');
	bw_json_close(j, '}');
}

/* ---- objects and files ---- */

/* The next program of @o at or after @i that was not predicted. */
static uint32_t next_unpredicted(const struct bw_ident_object *o, const struct bw_prediction *pred, uint32_t i)
{
	for (; i < o->n; i++) {
		bool found = o->programs[i].loader;

		for (size_t k = 0; k < pred->n && !found; k++)
			found = bw_ident_is(&o->programs[i], pred->programs[k].name, pred->programs[k].section);
		if (!found)
			break;
	}
	return i;
}

static const char *unpredicted_error(const char *error)
{
	return error ? error : "libbpf does not take it for a program";
}

static void object_text(struct bw_buf *b, const char *name, const char *error, const struct bw_prediction *pred,
			const struct bw_ident_object *o)
{
	bw_buf_str(b, "file ");
	put_text(b, name);
	bw_buf_char(b, '\n');
	for (size_t i = 0; i < pred->n; i++)
		program_text(b, &pred->programs[i], bw_ident_find(o, pred->programs[i].name, pred->programs[i].section));
	for (uint32_t i = next_unpredicted(o, pred, 0); i < o->n; i = next_unpredicted(o, pred, i + 1))
		unpredicted_text(b, &o->programs[i], o->light, unpredicted_error(error));
	bw_buf_char(b, '\n');
}

static void object_json(struct bw_json *j, const char *name, const char *error, const struct bw_prediction *pred,
			const struct bw_ident_object *o)
{
	bw_json_open(j, NULL, '{');
	bw_json_str(j, "file", name);
	bw_json_str(j, "error", error);
	bw_json_open(j, "programs", '[');
	for (size_t i = 0; i < pred->n; i++)
		program_json(j, &pred->programs[i],
			     bw_ident_find(o, pred->programs[i].name, pred->programs[i].section));
	for (uint32_t i = next_unpredicted(o, pred, 0); i < o->n; i = next_unpredicted(o, pred, i + 1))
		unpredicted_json(j, &o->programs[i], o->light, unpredicted_error(error));
	bw_json_close(j, ']');
	bw_json_close(j, '}');
}

struct output {
	struct bw_buf *text;
	struct bw_json *json; /* NULL: text is wanted */
};

/* Returns 1 when all of the object was identified, 0 when not (standard error says what), or a negative errno. */
static int identify_object(const struct bw_ident_object *o, const struct bw_predict_opts *opts, const struct output *out)
{
	BW_CLEANUP(bw_prediction_free) struct bw_prediction pred = { 0 };
	const char *error = o->error;
	bool complete = true;
	int r;

	if (!error && !o->light) {
		r = bw_predict(o->elf.data, o->elf.len, opts, &pred);
		if (r < 0)
			return r;
		error = pred.error;
		complete = bw_prediction_complete(&pred);
	}
	if (error)
		bw_err("%s: %s", o->name, error);
	for (size_t i = 0; i < pred.n; i++) {
		const struct bw_predicted *p = &pred.programs[i];

		if (p->error)
			bw_err("%s: program %s (section %s): %s", o->name, p->name, p->section, p->error);
		else if (p->flags & BW_PREDICT_ADDRESSES)
			bw_err("%s: program %s (section %s): its identity depends on addresses of kernel symbols", o->name,
			       p->name, p->section);
	}
	if (out->json)
		object_json(out->json, o->name, error, &pred, o);
	else if (pred.n || o->n)
		object_text(out->text, o->name, error, &pred, o);
	return !error && complete;
}

/* Returns whether all of it was identified; says on standard error what was not. */
static bool identify_file(const char *path, const struct bw_predict_opts *opts, const struct output *out)
{
	static const struct bw_prediction nothing;
	_cleanup_ident_ struct bw_ident_file file = { 0 };
	_cleanup_free_ char *data = NULL;
	const char *error = NULL;
	bool complete = true;
	size_t len;
	int r;

	r = bw_file_read(path, BW_MAX_OBJECT_SIZE, &data, &len);
	if (!r)
		r = bw_ident_read(bw_slice(data, len), path, &file);
	for (uint32_t i = 0; i < file.n && r >= 0; i++) {
		r = identify_object(&file.objects[i], opts, out);
		complete &= r > 0;
	}
	if (r < 0)
		error = strerror(-r);
	else if (file.error)
		error = file.error;
	if (error)
		bw_err("%s: %s", path, error);
	if (error && out->json && !file.n)
		object_json(out->json, path, error, &nothing, &(struct bw_ident_object){ 0 });
	return complete && !error;
}

static bool version_is_valid(const char *v)
{
	unsigned int a, b, c;
	int end = 0;

	return sscanf(v, "%3u.%3u.%5u%n", &a, &b, &c, &end) == 3 && !v[end];
}

static int read_btfs(const struct bw_strlist *paths, struct bw_kernel_btfs *btfs)
{
	int r;

	for (unsigned int i = 0; i < paths->n; i++) {
		r = bw_kernel_btf_add(btfs, paths->items[i]);
		if (r < 0) {
			bw_err("%s: %s", paths->items[i],
			       r == -EBADMSG ? "no BTF in it (raw, or an ELF file with a .BTF section)" : strerror(-r));
			return r;
		}
	}
	if (paths->n)
		return 0;
	r = bw_kernel_btf_host(btfs);
	if (r < 0 && r != -ENOENT) {
		bw_err("BTF of the running kernel: %s", strerror(-r));
		return r;
	}
	if (r < 0)
		bw_warn("the running kernel shows no BTF; objects that need it fail (--btf names another kernel's)");
	return 0;
}

int cmd_identify(int argc, char **argv)
{
	BW_CLEANUP(bw_strlist_free) struct bw_strlist btf_paths = { 0 };
	BW_CLEANUP(bw_kernel_btf_free) struct bw_kernel_btfs btfs = { 0 };
	const char *format = "text", *version = NULL, *kconfig_path = NULL;
	_cleanup_free_ char *kconfig = NULL;
	_cleanup_buf_ struct bw_buf out = { 0 };
	struct bw_json json = { .buf = &out, .indent = 2 };
	const struct bw_opt opts[] = {
		{ BW_OPT_LIST, 0, "btf", &btf_paths, "FILE",
		  "predict for the kernel with this BTF (raw or ELF; first vmlinux, then modules); default: this "
		  "host's" },
		{ BW_OPT_STRING, 0, "kernel-version", &version, "X.Y.Z", "what LINUX_KERNEL_VERSION is there" },
		{ BW_OPT_STRING, 0, "kconfig", &kconfig_path, "FILE", "that kernel's config, for CONFIG_ variables" },
		{ BW_OPT_CHOICE, 0, "format", &format, "text|json", "how to print; default text" },
		BW_OPTS_HELP_ROW,
		{ 0 },
	};
	const struct bw_command cmd = { "bpfwarden identify", "FILE...",
					"Prints what each program of a BPF object is, and what it will be for the kernel.",
					"FILE is an object, or an executable or archive that contains some. The "
					"canonical identity is the same for every\n"
					"kernel and loader. For the rest libbpf's loader runs against a kernel that "
					"is not there: nothing is loaded,\n"
					"no privilege is needed. The load digest is what a policy approves; the tags are "
					"what the kernel itself shows\n"
					"(SHA-1 before Linux 6.18, SHA-256 from then on). CO-RE relocations make them "
					"depend on the kernel: name its BTF.\n"
					"Exit status 2 when anything could not be identified; the rest is still printed." };
	struct bw_predict_opts predict = { .btfs = &btfs };
	bool complete = true;
	size_t len;
	int n, r;

	r = bw_opts_parse(&cmd, opts, argc, argv, &n);
	if (r)
		return r < 0 ? BW_EXIT_INPUT : BW_EXIT_OK;
	if (!n) {
		bw_err("identify needs at least one object file");
		return BW_EXIT_INPUT;
	}
	if (version && !version_is_valid(version)) {
		bw_err("--kernel-version takes three numbers like 6.12.0, not \"%s\"", version);
		return BW_EXIT_INPUT;
	}
	if (kconfig_path) {
		r = bw_file_read(kconfig_path, BW_MAX_OBJECT_SIZE, &kconfig, &len);
		if (r < 0) {
			bw_err("%s: %s", kconfig_path, strerror(-r));
			return BW_EXIT_INPUT;
		}
	}
	if (read_btfs(&btf_paths, &btfs) < 0)
		return BW_EXIT_INPUT;
	predict.release = version;
	predict.kconfig = kconfig;

	if (!strcmp(format, "json")) {
		bw_json_open(&json, NULL, '{');
		bw_json_u64(&json, "version", FORMAT_VERSION);
		bw_json_open(&json, "files", '[');
	}
	for (int i = 1; i <= n; i++)
		complete &= identify_file(argv[i], &predict,
					  &(struct output){ &out, strcmp(format, "json") ? NULL : &json });
	if (!strcmp(format, "json")) {
		bw_json_close(&json, ']');
		bw_json_close(&json, '}');
		bw_buf_char(&out, '\n');
	}
	if (bw_buf_error(&out)) {
		bw_err("printing: %s", strerror(-bw_buf_error(&out)));
		return BW_EXIT_INTERNAL;
	}
	if (fwrite(bw_buf_cstr(&out), 1, out.len, stdout) != out.len || fflush(stdout)) {
		bw_err("printing: %m");
		return BW_EXIT_INTERNAL;
	}
	return complete ? BW_EXIT_OK : BW_EXIT_INPUT;
}
