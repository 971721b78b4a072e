// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * bpfwarden check: the gate of a build. Is every program of these files approved, and can none do more than what was
 * approved? If not: exactly what differs, and the command that approves it.
 */
#include <inttypes.h>
#include <string.h>

#include "auditor/cmd/policy_common.h"
#include "auditor/commands.h"
#include "auditor/manifest.h"
#include "common/buf.h"
#include "common/json.h"
#include "common/log.h"
#include "common/opts.h"
#include "common/term.h"

struct check {
	const char *policy_path, *manifest_path;
	struct bw_policy *policy; /* NULL: only the manifest counts */
	char *manifest;		  /* NULL: only the identity counts */
	struct bw_kernel_btfs btfs;
	bool predict; /* --btf: the digest for that kernel must be approved, too */
	struct bw_buf text;
	struct bw_json *json; /* NULL: text is wanted */
	unsigned int programs, approved, refused, unknown, grew;
	bool add_needed;
};

static void check_release(struct check *c)
{
	bw_policy_free(c->policy);
	free(c->manifest);
	bw_kernel_btf_free(&c->btfs);
	bw_buf_free(&c->text);
}

static void put(struct bw_buf *differs, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void put(struct bw_buf *differs, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	bw_buf_vprintf(differs, fmt, ap);
	va_end(ap);
	bw_buf_char(differs, '\n');
}

/* ---- identity ---- */

static const struct bw_policy_program *find_canonical(const struct bw_policy *p, const uint8_t *canonical)
{
	for (uint32_t i = 0; i < p->n_programs; i++)
		for (uint32_t k = 0; k < p->programs[i].n_canonicals; k++)
			if (!memcmp(p->programs[i].canonicals[k].identity, canonical, BW_POLICY_CANONICAL_LEN))
				return &p->programs[i];
	return NULL;
}

static const struct bw_policy_program *find_digest(const struct bw_policy *p, const uint8_t *digest)
{
	for (uint32_t i = 0; i < p->n_programs; i++)
		for (uint32_t k = 0; k < p->programs[i].n_digests; k++)
			if (!memcmp(p->programs[i].digests[k], digest, BW_DIGEST_LEN))
				return &p->programs[i];
	return NULL;
}

static bool entry_has_digest(const struct bw_policy_program *e, const uint8_t *digest)
{
	for (uint32_t k = 0; k < e->n_digests; k++)
		if (!memcmp(e->digests[k], digest, BW_DIGEST_LEN))
			return true;
	return false;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The approved identity that a program is probably the next release of: same name, best from the same object. */
static const struct bw_policy_canonical *find_nearest(const struct bw_policy *p, const char *object, const char *program,
						      const struct bw_policy_program **ret_entry)
{
	const struct bw_policy_canonical *best = NULL;

	for (uint32_t i = 0; i < p->n_programs; i++) {
		const struct bw_policy_program *e = &p->programs[i];

		if (!e->name || strcmp(e->name, program) || !e->n_canonicals)
			continue;
		for (uint32_t k = e->n_canonicals; k-- > 0;) {
			bool same = e->canonicals[k].source && !strcmp(e->canonicals[k].source, base_name(object));

			if (!best || same) {
				best = &e->canonicals[k];
				*ret_entry = e;
			}
			if (same)
				return best;
		}
	}
	return best;
}

static const struct bw_policy_map *find_map(const struct bw_policy_canonical *c, const char *name)
{
	for (uint32_t i = 0; i < c->n_maps; i++)
		if (!strcmp(c->maps[i].name, name))
			return &c->maps[i];
	return NULL;
}

/* What of the identity is not what was approved. */
static void compare_parts(const struct bw_policy_canonical *old, const struct bw_ident_program *new,
			  struct bw_buf *differs)
{
	size_t before = differs->len;

	if (old->has_code && memcmp(old->code, new->code, BW_CANONICAL_LEN))
		put(differs, "the code, or what it refers to");
	if (old->has_rodata != new->has_rodata || memcmp(old->rodata, new->rodata, BW_CANONICAL_LEN))
		put(differs, "constants (.rodata)");
	if (old->has_data != new->has_data || memcmp(old->data, new->data, BW_CANONICAL_LEN))
		put(differs, "initial values (.data)");
	for (uint32_t i = 0; i < new->n_maps; i++) {
		const struct bw_policy_map *m = find_map(old, new->maps[i].name);

		if (!m)
			put(differs, "map %s is new", new->maps[i].name);
		else if (memcmp(m->definition, new->maps[i].hash, BW_CANONICAL_LEN))
			put(differs, "the definition of map %s", new->maps[i].name);
	}
	for (uint32_t i = 0; i < old->n_maps; i++) {
		bool found = false;

		for (uint32_t k = 0; k < new->n_maps && !found; k++)
			found = !strcmp(old->maps[i].name, new->maps[k].name);
		if (!found)
			put(differs, "map %s is gone", old->maps[i].name);
	}
	if (differs->len == before)
		put(differs, "%s", old->has_code ? "the section, program type, attach type or what stands around the code" :
						       "the identity; the policy does not say of which parts it was made");
}

enum outcome { APPROVED, REFUSED, UNKNOWN };
static const char *const outcome_names[] = { "approved", "not approved", "unknown" };

static void report(struct check *c, const char *object, const struct bw_ident_program *p, enum outcome outcome,
		   const struct bw_policy_program *entry, const struct bw_buf *lines)
{
	c->programs++;
	*(outcome == APPROVED ? &c->approved : outcome == REFUSED ? &c->refused : &c->unknown) += 1;
	c->add_needed |= outcome == REFUSED;
	if (c->json) {
		struct bw_json *j = c->json;

		bw_json_open(j, NULL, '{');
		bw_json_str(j, "object", object);
		bw_json_str(j, "program", p->name);
		bw_json_str(j, "outcome", outcome_names[outcome]);
		if (p->why)
			bw_json_null(j, "canonical");
		else
			bw_json_hex(j, "canonical", p->canonical, BW_CANONICAL_LEN);
		bw_json_str(j, "entry", entry ? entry->id : NULL);
		bw_json_open(j, "differs", '[');
		for (const char *line = bw_buf_cstr(lines), *end; *line; line = end + 1) {
			end = strchr(line, '\n');
			bw_json_strn(j, NULL, line, (size_t)(end - line));
		}
		bw_json_close(j, ']');
		bw_json_close(j, '}');
		return;
	}
	bw_buf_printf(&c->text, "%s: program %s: %s%s%s\n", object, p->name, outcome_names[outcome],
		      entry ? (outcome == APPROVED ? " by " : ", differs from ") : "", entry ? entry->id : "");
	for (const char *line = bw_buf_cstr(lines), *end; *line; line = end + 1) {
		end = strchr(line, '\n');
		bw_buf_printf(&c->text, "  %.*s\n", (int)(end - line), line);
	}
}

static const struct bw_predicted *find_predicted(const struct bw_prediction *pred, const struct bw_ident_program *p)
{
	for (size_t i = 0; i < pred->n; i++)
		if (bw_ident_is(p, pred->programs[i].name, pred->programs[i].section))
			return &pred->programs[i];
	return NULL;
}

static void check_program(struct check *c, const struct bw_ident_object *o, const struct bw_ident_program *p,
			  const struct bw_prediction *pred)
{
	const struct bw_predicted *q = find_predicted(pred, p);
	const uint8_t *digest = q && !q->error && !(q->flags & BW_PREDICT_ADDRESSES) ? q->digest : p->has_digest ? p->digest : NULL;
	const struct bw_policy_program *entry = NULL;
	const struct bw_policy_canonical *nearest;
	_cleanup_buf_ struct bw_buf lines = { 0 };

	if (!p->why)
		entry = find_canonical(c->policy, p->canonical);
	if (entry) {
		if (c->predict && q && q->error) {
			put(&lines, "not loadable on that kernel: %s", q->error);
			report(c, o->name, p, UNKNOWN, entry, &lines);
		} else if (c->predict && digest && !entry_has_digest(entry, digest)) {
			put(&lines, "the load digest for that kernel is not among its digests");
			report(c, o->name, p, REFUSED, entry, &lines);
		} else {
			report(c, o->name, p, APPROVED, entry, &lines);
		}
		return;
	}
	/* Entries that know digests only approve what comes out on this kernel, not what it is. */
	entry = digest ? find_digest(c->policy, digest) : NULL;
	if (entry && !entry->n_canonicals) {
		put(&lines, "by its load digest: the entry has no canonical identity");
		report(c, o->name, p, APPROVED, entry, &lines);
		return;
	}
	if (p->why) {
		put(&lines, "%s", p->why);
		report(c, o->name, p, UNKNOWN, NULL, &lines);
		return;
	}
	entry = NULL;
	nearest = find_nearest(c->policy, o->name, p->name, &entry);
	if (nearest)
		compare_parts(nearest, p, &lines);
	else
		put(&lines, "no program of this name is approved");
	report(c, o->name, p, REFUSED, entry, &lines);
}

static int check_object(struct check *c, const struct bw_ident_object *o)
{
	BW_CLEANUP(bw_prediction_free) struct bw_prediction pred = { 0 };
	const struct bw_predict_opts opts = { .btfs = &c->btfs };

	if (o->error) {
		bw_err("%s: %s", o->name, o->error);
		c->unknown++;
		return 0;
	}
	if (!o->light && bw_predict(o->elf.data, o->elf.len, &opts, &pred) < 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < o->n; i++)
		if (!o->programs[i].loader)
			check_program(c, o, &o->programs[i], &pred);
	return 0;
}

static int check_identity(struct check *c, const char *path)
{
	BW_CLEANUP(policy_objects_free) struct policy_objects o = { 0 };
	unsigned int before = c->programs;
	int r = policy_objects_read(path, &o);

	if (r < 0) {
		c->unknown++;
		return r == -ENOMEM || r == -EPERM ? r : 0;
	}
	for (uint32_t i = 0; i < o.file.n && !r; i++)
		r = check_object(c, &o.file.objects[i]);
	if (!r && c->programs == before && !c->unknown) {
		bw_err("%s: no program in it", path);
		c->unknown++;
	}
	return r;
}

/* ---- manifest ---- */

static int check_manifest(struct check *c, const char *path)
{
	_cleanup_buf_ struct bw_buf now = { 0 }, lines = { 0 };
	const char *why = "";
	int r = cmd_manifest_of(path, true, &now), grew;

	if (r < 0) {
		c->unknown++;
		return r == -ENOMEM || r == -EPERM ? r : 0;
	}
	if (r > 0) {
		bw_err("%s: not all of it could be analysed", path);
		c->unknown++;
	}
	grew = bw_manifest_diff(c->manifest, bw_buf_cstr(&now), &lines, &why);
	if (grew < 0) {
		bw_err("%s: %s", c->manifest_path, *why ? why : strerror(-grew));
		c->unknown++;
		return grew == -ENOMEM ? grew : 0;
	}
	c->grew += grew > 0;
	if (c->json) {
		bw_json_open(c->json, NULL, '{');
		bw_json_str(c->json, "file", path);
		bw_json_str(c->json, "outcome", grew ? "grew" : "within the approved manifest");
		bw_json_open(c->json, "changes", '[');
	} else {
		bw_buf_printf(&c->text, "%s: %s\n", path, grew ? "can do more than was approved" : "within the approved manifest");
	}
	for (const char *line = bw_buf_cstr(&lines), *end; *line; line = end + 1) {
		end = strchr(line, '\n');
		if (!end)
			break;
		if (c->json)
			bw_json_strn(c->json, NULL, line, (size_t)(end - line));
		else if (*line == '+')
			bw_buf_printf(&c->text, "  %.*s\n", (int)(end - line), line);
	}
	if (c->json) {
		bw_json_close(c->json, ']');
		bw_json_close(c->json, '}');
	}
	return 0;
}

/* ---- the command ---- */

static int run(struct check *c, char **files, int n)
{
	int r = 0;

	if (c->json) {
		bw_json_open(c->json, NULL, '{');
		bw_json_u64(c->json, "version", 1);
		bw_json_open(c->json, "programs", '[');
	}
	for (int i = 0; i < n && c->policy && !r; i++)
		r = check_identity(c, files[i]);
	if (c->json) {
		bw_json_close(c->json, ']');
		bw_json_open(c->json, "manifests", '[');
	}
	for (int i = 0; i < n && c->manifest && !r; i++)
		r = check_manifest(c, files[i]);
	if (c->json) {
		bw_json_close(c->json, ']');
		bw_json_str(c->json, "result", c->unknown ? "unknown" : c->refused || c->grew ? "not approved" : "approved");
		bw_json_close(c->json, '}');
		bw_buf_char(&c->text, '\n');
	}
	return r;
}

static void put_command(struct check *c, char **files, int n)
{
	if (c->json)
		return;
	if (c->policy)
		bw_buf_printf(&c->text, "%u program%s: %u approved, %u not approved, %u unknown\n", c->programs,
			      c->programs == 1 ? "" : "s", c->approved, c->refused, c->unknown);
	if (c->add_needed) {
		bw_buf_str(&c->text, "to approve: bpfwarden policy add");
		for (int i = 0; i < n; i++)
			bw_buf_printf(&c->text, " %s", files[i]);
		bw_buf_printf(&c->text, " --policy %s\n", c->policy_path);
	}
	if (c->grew && n == 1)
		bw_buf_printf(&c->text, "to approve what it can do: bpfwarden manifest %s -o %s\n", files[0], c->manifest_path);
}

int cmd_check(int argc, char **argv)
{
	BW_CLEANUP(check_release) struct check c = { 0 };
	const char *btf = NULL, *format = "text";
	const struct bw_opt opts[] = {
		{ BW_OPT_STRING, 0, "policy", &c.policy_path, "FILE", "every program must be approved by this policy" },
		{ BW_OPT_STRING, 0, "manifest", &c.manifest_path, "FILE",
		  "nothing may do more than this manifest says (\"bpfwarden manifest\")" },
		{ BW_OPT_STRING, 0, "btf", &btf, "VMLINUX[,MODULE...]",
		  "the load digest on the kernel with this BTF must be approved, too" },
		{ BW_OPT_CHOICE, 0, "format", &format, "text|json", "how to print; default text" },
		BW_OPTS_HELP_ROW,
		{ 0 },
	};
	static const struct bw_command cmd = {
		"bpfwarden check", "FILE...", "Checks that the programs of objects are approved.",
		"For CI. FILE is a BPF object, or an executable or archive that contains some. Programs are recognised by their\n"
		"canonical identity. Prints what differs from what was approved, and the command that approves it. Exit status: 0\n"
		"approved, 1 not, 2 when something could not be read or understood, 3 internal error."
	};
	struct bw_json json = { .buf = &c.text, .indent = 2 };
	size_t len;
	int n, r;

	r = bw_opts_parse(&cmd, opts, argc, argv, &n);
	if (r)
		return r < 0 ? BW_EXIT_INPUT : BW_EXIT_OK;
	if (!n || (!c.policy_path && !c.manifest_path)) {
		bw_err(n ? "check needs --policy, --manifest, or both" : "check needs at least one file");
		return BW_EXIT_INPUT;
	}
	if (c.policy_path && policy_load(c.policy_path, &c.policy) < 0)
		return BW_EXIT_INPUT;
	if (c.manifest_path) {
		r = bw_file_read(c.manifest_path, BW_MAX_MANIFEST_SIZE, &c.manifest, &len);
		if (r < 0) {
			bw_err("%s: %s", c.manifest_path, strerror(-r));
			return BW_EXIT_INPUT;
		}
	}
	c.predict = btf != NULL;
	if (c.policy && policy_btf(btf, &c.btfs) < 0)
		return BW_EXIT_INPUT;
	if (!strcmp(format, "json"))
		c.json = &json;
	r = run(&c, argv + 1, n);
	if (r < 0)
		return BW_EXIT_INTERNAL;
	put_command(&c, argv + 1, n);
	if (bw_buf_error(&c.text))
		return BW_EXIT_INTERNAL;
	/* Names come from the objects. */
	if (c.json)
		fwrite(bw_buf_cstr(&c.text), 1, c.text.len, stdout);
	for (const char *line = bw_buf_cstr(&c.text), *end; !c.json && *line; line = end + 1) {
		end = strchr(line, '\n');
		term_strn(stdout, line, (size_t)(end - line));
		putchar('\n');
	}
	if (fflush(stdout))
		return BW_EXIT_INTERNAL;
	return c.unknown ? BW_EXIT_INPUT : c.refused || c.grew ? BW_EXIT_FINDINGS : BW_EXIT_OK;
}
