// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "auditor/scan.h"

#include <errno.h>
#include <openssl/sha.h>
#include <string.h>

#include "auditor/analysis.h"
#include "common/bpf_names.h"
#include "common/cleanup.h"

#define BW_MAX_REASONS 32u

static char *hex_of(struct bw_arena *arena, const uint8_t *p, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	char *s = bw_arena_alloc(arena, 2 * len + 1, 1);

	for (size_t i = 0; s && i < len; i++) {
		s[2 * i] = digits[p[i] >> 4];
		s[2 * i + 1] = digits[p[i] & 15];
	}
	return s;
}

static int add_reason(struct bw_scan_object *o, struct bw_arena *arena, const char *reason)
{
	const char **list;

	for (uint32_t i = 0; i < o->n_reasons; i++)
		if (!strcmp(o->reasons[i], reason))
			return 0;
	if (o->n_reasons >= BW_MAX_REASONS)
		return 0;
	if (o->n_reasons == BW_MAX_REASONS - 1)
		reason = "more reasons of this kind are not listed";
	if (!o->reasons) {
		o->reasons = bw_arena_alloc(arena, BW_MAX_REASONS, sizeof(*o->reasons));
		if (!o->reasons)
			return -ENOMEM;
	}
	list = o->reasons;
	list[o->n_reasons] = bw_arena_str(arena, reason);
	return list[o->n_reasons++] ? 0 : -ENOMEM;
}

int bw_scan_unreadable(const char *path, const char *reason, struct bw_arena *arena, struct bw_scan_object *ret)
{
	struct bw_scan_object o = { .sha256 = "", .status = BW_SCAN_UNREADABLE };

	o.path = bw_arena_str(arena, path);
	if (!o.path || add_reason(&o, arena, reason) < 0)
		return -ENOMEM;
	*ret = o;
	return 0;
}

static const char *join(struct bw_arena *arena, struct bw_buf *b)
{
	return bw_buf_error(b) ? NULL : bw_arena_str(arena, bw_buf_cstr(b));
}

static const char *helper_list(const struct bw_prog_facts *p, struct bw_arena *arena)
{
	_cleanup_buf_ struct bw_buf b = { 0 };

	for (uint32_t i = 0; i < p->n_helpers; i++)
		bw_buf_printf(&b, "%s%s", b.len ? ", " : "", p->helpers[i].name);
	for (uint32_t i = 0; i < p->n_kfuncs; i++)
		bw_buf_printf(&b, "%s%s()", b.len ? ", " : "", p->kfuncs[i].name);
	return join(arena, &b);
}

static const char *mode_list(uint32_t modes, struct bw_arena *arena)
{
	_cleanup_buf_ struct bw_buf b = { 0 };

	for (unsigned int i = 0; i < 10; i++)
		if (modes >> i & 1)
			bw_buf_printf(&b, "%s%s", b.len ? ", " : "", bw_map_mode_name(1u << i));
	return join(arena, &b);
}

static int fill_program(const struct bw_facts *x, uint32_t i, struct bw_arena *arena, struct bw_scan_program *ret)
{
	const struct bw_object *o = x->o;
	const struct bw_prog *p = &o->progs[i];
	const struct bw_prog_facts *facts = &x->a->progs[i];
	const char *type = bw_prog_type_name(p->def.prog_type);

	ret->name = bw_arena_str(arena, p->name);
	ret->section = bw_arena_str(arena, p->section);
	ret->type = type ? type : "unspec";
	ret->target = bw_arena_str(arena, x->hooks[i].target);
	ret->n_insns = facts->n_insns;
	ret->helpers = helper_list(facts, arena);
	if (!ret->name || !ret->section || !ret->target || !ret->helpers)
		return -ENOMEM;
	ret->maps = bw_arena_alloc(arena, facts->n_maps + 1, sizeof(*ret->maps));
	if (!ret->maps)
		return -ENOMEM;
	for (uint32_t k = 0; k < facts->n_maps; k++) {
		struct bw_scan_map *m = &ret->maps[k];
		int32_t map = facts->maps[k].map;

		if (map < 0 || map >= (int32_t)o->n_maps)
			continue;
		type = bw_map_type_name(o->maps[map].type);
		m = &ret->maps[ret->n_maps++];
		m->name = bw_arena_str(arena, o->maps[map].name);
		m->type = type ? type : "?";
		m->modes = mode_list(facts->maps[k].modes, arena);
		if (!m->name || !m->modes)
			return -ENOMEM;
	}
	return 0;
}

static int fill_status(const struct bw_object *o, const struct bw_analysis *a, struct bw_arena *arena,
		       struct bw_scan_object *ret)
{
	int r = 0;

	for (uint32_t i = 0; i < o->n_notes && r >= 0; i++)
		if (o->notes[i].flags & BW_NOTE_INCOMPLETE)
			r = add_reason(ret, arena, o->notes[i].text);
	for (uint32_t i = 0; i < a->n_progs && r >= 0; i++)
		for (uint32_t k = 0; k < a->progs[i].n_unanalysed && r >= 0; k++) {
			_cleanup_buf_ struct bw_buf b = { 0 };

			bw_buf_printf(&b, "%s: %s", o->progs[a->progs[i].prog].name, a->progs[i].unanalysed[k].reason);
			r = bw_buf_error(&b) ? -ENOMEM : add_reason(ret, arena, bw_buf_cstr(&b));
		}
	if (r < 0)
		return r;
	if (o->incomplete || !a->complete) {
		ret->status = BW_SCAN_INCOMPLETE;
		if (!ret->n_reasons)
			r = add_reason(ret, arena, "something in it was not understood");
	}
	return r;
}

static int draw_graphs(const struct bw_object *o, struct bw_arena *arena, struct bw_scan_object *ret)
{
	int r = 0;

	for (uint32_t i = 0; i < o->n_progs && r >= 0; i++) {
		struct bw_scan_program *p = &ret->programs[i];

		if (p->n_findings && p->findings[0].severity > BW_SEV_INFO)
			r = bw_graph_build(o, (int32_t)i, &p->findings[0], BW_MAX_GRAPH_LINES, arena, &p->graph);
	}
	return r;
}

static int scan_object(const struct bw_object *o, const struct bw_analysis *a, const struct bw_scan_options *opt,
		       struct bw_arena *arena, struct bw_scan_object *ret)
{
	struct bw_scan_object s = { .status = BW_SCAN_OK };
	struct bw_facts x;
	int r;

	s.path = o->path;
	s.sha256 = hex_of(arena, o->sha256, sizeof(o->sha256));
	s.programs = bw_arena_alloc(arena, o->n_progs + 1, sizeof(*s.programs));
	if (!s.sha256 || !s.programs)
		return -ENOMEM;
	for (uint32_t i = 0; i < o->n_codes; i++)
		s.n_insns += o->codes[i].n_insns;
	r = bw_facts_build(o, a, arena, &x);
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < o->n_progs && r >= 0; i++)
		r = fill_program(&x, i, arena, &s.programs[i]);
	s.n_programs = o->n_progs;
	if (!o->n_progs) {
		/* findings about the object as a whole still need a place */
		s.programs[0] = (struct bw_scan_program){
			.name = "", .section = "", .type = "unspec", .target = "", .helpers = "",
		};
		s.n_programs = 1;
	}
	if (r >= 0)
		r = fill_status(o, a, arena, &s);
	if (r >= 0)
		r = bw_check(opt->rules, &x, arena, &s);
	if (!o->n_progs && !s.programs[0].n_findings)
		s.n_programs = 0;
	if (r >= 0 && opt->graphs)
		r = draw_graphs(o, arena, &s);
	if (r < 0)
		return r;
	*ret = s;
	return 0;
}

int bw_scan_encode_object(const struct bw_object *o, const struct bw_scan_options *opt, struct bw_buf *out)
{
	_cleanup_analysis_ struct bw_analysis *a = NULL;
	struct bw_arena scratch = { 0 };
	struct bw_scan_object s;
	int r;

	r = bw_analyse(o, opt->limits, &a);
	if (r < 0)
		return r;
	if (opt->analysed)
		opt->analysed(opt->arg, o, a);
	r = scan_object(o, a, opt, &scratch, &s);
	if (!r)
		bw_scan_object_encode(&s, out);
	bw_arena_free(&scratch);
	return r ? r : bw_buf_error(out);
}

int bw_scan_read_object(const struct bw_object *o, const struct bw_scan_options *opt, struct bw_arena *arena,
			struct bw_scan_object *ret)
{
	_cleanup_buf_ struct bw_buf copy = { 0 };
	int r;

	/* What was found is full of pointers into the object and the analysis; its bytes are not. */
	r = bw_scan_encode_object(o, opt, &copy);
	return r ? r : bw_scan_object_decode(bw_slice(copy.data, copy.len), arena, ret);
}

int bw_scan_encode_bytes(struct bw_slice bytes, const char *path, const struct bw_scan_options *opt, struct bw_buf *out)
{
	_cleanup_object_ struct bw_object *o = NULL;
	uint8_t digest[SHA256_DIGEST_LENGTH];
	struct bw_diag diag = { .offset = BW_DIAG_NO_OFFSET };
	char text[600], *reason = text;
	struct bw_arena arena = { 0 };
	struct bw_scan_object s;
	int r, err;

	err = bw_object_read(bytes, path, &o, &diag);
	if (!err)
		return bw_scan_encode_object(o, opt, out);
	diag.file[0] = 0;
	bw_diag_text(&diag, text, sizeof(text));
	while (*reason == ':' || *reason == ' ')
		reason++;
	r = bw_scan_unreadable(path, *reason ? reason : strerror(-err), &arena, &s);
	if (!r) {
		SHA256(bytes.data, bytes.len, digest);
		s.sha256 = hex_of(&arena, digest, sizeof(digest));
		r = s.sha256 ? 0 : -ENOMEM;
	}
	if (!r)
		bw_scan_object_encode(&s, out);
	bw_arena_free(&arena);
	if (!r)
		r = bw_buf_error(out);
	return r ? r : err == -ENOEXEC ? err : 0;
}
