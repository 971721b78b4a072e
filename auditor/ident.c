// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "auditor/ident.h"

#include <errno.h>
#include <string.h>

#include "auditor/carve.h"
#include "common/buf.h"
#include "common/limits.h"
#include "common/sandbox.h"

#define MAX_IDENT_PROGRAMS 1000000u
#define MAX_IDENT_TEXT 8192u
#define MAX_OUTPUT ((unsigned long long)BW_MAX_OBJECT_SIZE + (256ull << 20))

/* Records on the pipe. Both ends are one program: host byte order. */
enum record {
	RECORD_OBJECT = 1, /* name, the object's bytes or "as the file", programs */
	RECORD_BROKEN,	   /* name, error */
	RECORD_ERROR,	   /* error of the file */
};

/* ---- in the child ------------------------------------------------------------------------------------------------ */

static void put_u32(struct bw_buf *b, uint32_t v)
{
	bw_buf_append(b, &v, sizeof(v));
}

static void put_text(struct bw_buf *b, const char *s)
{
	uint32_t len = (uint32_t)strnlen(s, MAX_IDENT_TEXT);

	put_u32(b, len);
	bw_buf_append(b, s, len);
}

/* References of a light skeleton whose form depends on what its loader finds. */
static bool is_decided_later(const struct bw_object *o, const struct bw_func *f)
{
	const struct bw_code *c = &o->codes[f->code];

	for (uint32_t i = 0; i < c->n_relocs; i++)
		if (c->relocs[i].kind == BW_RELOC_UNKNOWN || c->relocs[i].kind == BW_RELOC_KSYM ||
		    c->relocs[i].kind == BW_RELOC_KFUNC)
			return true;
	return false;
}

/* The code of a light skeleton's program is the whole of what is loaded, subprograms included. */
static int put_digest(struct bw_buf *b, const struct bw_object *o, const struct bw_prog *p)
{
	const struct bw_func *f = &o->funcs[p->func];
	const struct bw_code *c = &o->codes[f->code];
	struct bw_identity_summary sum;
	uint8_t digest[BW_LOAD_DIGEST_LEN], sha1[BW_KERNEL_TAG_LEN], sha256[BW_KERNEL_TAG_LEN];
	_cleanup_free_ struct bpf_insn *insns = NULL;
	int r;

	if (!o->light_skeleton || p->loader || is_decided_later(o, f)) {
		put_u32(b, 0);
		return 0;
	}
	insns = calloc(c->n_insns, sizeof(*insns));
	if (!insns)
		return -ENOMEM;
	for (uint32_t i = 0; i < c->n_insns; i++)
		insns[i] = (struct bpf_insn){ .code = c->insns[i].code, .dst_reg = c->insns[i].dst & 15,
					      .src_reg = c->insns[i].src & 15, .off = c->insns[i].off,
					      .imm = c->insns[i].imm };
	r = identity_load_digest(insns, c->n_insns, digest);
	if (!r)
		r = identity_kernel_tag(insns, c->n_insns, BW_TAG_SHA1, sha1);
	if (!r)
		r = identity_kernel_tag(insns, c->n_insns, BW_TAG_SHA256, sha256);
	if (r == -ENOMEM)
		return r;
	put_u32(b, !r);
	if (r)
		return 0;
	identity_summary(insns, c->n_insns, &sum);
	bw_buf_append(b, digest, sizeof(digest));
	bw_buf_append(b, sha1, sizeof(sha1));
	bw_buf_append(b, sha256, sizeof(sha256));
	put_u32(b, c->n_insns);
	bw_buf_append(b, sum.helpers, sizeof(sum.helpers));
	return 0;
}

static int put_program(struct bw_buf *b, const struct bw_object *o, const struct bw_prog *p, const struct bw_canonical *c)
{
	uint32_t target_len = !p->def.target		   ? 0 :
			      p->def.target_len > 512 ? 512 :
							p->def.target_len;

	put_text(b, p->name);
	put_text(b, p->section);
	put_u32(b, target_len);
	bw_buf_append(b, p->def.target, target_len);
	put_u32(b, p->def.prog_type);
	put_u32(b, p->def.attach_type == BW_NONE ? 0 : (uint32_t)p->def.attach_type);
	put_u32(b, (uint32_t)(p->def.known | (p->def.attach_type != BW_NONE) << 1 | p->def.autoload << 2 | p->loader << 3 |
			      (!c->why) << 4 | c->has_rodata << 5 | c->has_data << 6));
	if (c->why) {
		put_text(b, c->why);
	} else {
		bw_buf_append(b, c->hash, BW_CANONICAL_LEN);
		bw_buf_append(b, c->code, BW_CANONICAL_LEN);
		bw_buf_append(b, c->rodata, BW_CANONICAL_LEN);
		bw_buf_append(b, c->data, BW_CANONICAL_LEN);
		put_u32(b, c->n_insns);
		put_u32(b, c->n_funcs);
		put_u32(b, c->n_maps);
		for (uint32_t i = 0; i < c->n_maps; i++) {
			put_text(b, c->maps[i].name);
			bw_buf_append(b, c->maps[i].hash, BW_CANONICAL_LEN);
		}
		put_u32(b, c->funcs ? c->n_funcs : 0);
		if (c->funcs)
			bw_buf_append(b, c->funcs, c->n_funcs * sizeof(*c->funcs));
	}
	return put_digest(b, o, p);
}

int bw_ident_encode(const struct bw_object *o, struct bw_buf *out)
{
	_cleanup_canonicals_ struct bw_canonicals c = { 0 };
	int r = bw_canonical(o, &c);

	if (r)
		return r;
	bw_buf_append(out, o->sha256, sizeof(o->sha256));
	put_u32(out, o->light_skeleton);
	put_u32(out, o->n_progs);
	for (uint32_t i = 0; i < o->n_progs && !r; i++)
		r = put_program(out, o, &o->progs[i], &c.progs[i]);
	return r ? r : bw_buf_error(out);
}

struct job {
	struct bw_slice bytes;
	const char *path;
	struct bw_sandbox_out *out;
};

static int send_carved(void *arg, const struct bw_carved *found)
{
	struct job *job = arg;
	_cleanup_object_ struct bw_object *o = NULL;
	_cleanup_buf_ struct bw_buf b = { .max = MAX_OUTPUT };
	struct bw_diag diag = { .offset = BW_DIAG_NO_OFFSET };
	bool whole;
	int r = bw_carved_read(found, &o, &diag);

	if (r == -ENOMEM)
		return r;
	put_u32(&b, r ? RECORD_BROKEN : RECORD_OBJECT);
	put_text(&b, found->name);
	if (r) {
		put_text(&b, diag.reason[0] ? diag.reason : strerror(-r));
	} else {
		/* A part of the file need not travel; what was unpacked must. */
		whole = found->kind == BW_CARVED_LIGHT;
		whole |= found->bytes.data >= job->bytes.data && found->bytes.data <= job->bytes.data + job->bytes.len &&
			found->bytes.len <= (size_t)(job->bytes.data + job->bytes.len - found->bytes.data);
		put_u32(&b, whole);
		if (found->kind == BW_CARVED_LIGHT) {
			put_u32(&b, 0);
			put_u32(&b, 0);
		} else {
			put_u32(&b, whole ? (uint32_t)(found->bytes.data - job->bytes.data) : 0);
			put_u32(&b, (uint32_t)found->bytes.len);
		}
		if (!whole)
			bw_buf_append(&b, found->bytes.data, found->bytes.len);
		r = bw_ident_encode(o, &b);
	}
	if (r == -ENOMEM || bw_buf_error(&b))
		return r == -ENOMEM ? r : bw_buf_error(&b);
	return bw_sandbox_write(job->out, b.data, b.len);
}

static int ident_child(void *arg, struct bw_sandbox_out *out)
{
	struct job *job = arg;
	struct bw_diag diag = { .offset = BW_DIAG_NO_OFFSET };
	_cleanup_buf_ struct bw_buf b = { 0 };
	int r;

	job->out = out;
	r = bw_carve(job->bytes, job->path, NULL, send_carved, job, &diag);
	if (!r || r == -ENOMEM || out->error)
		return out->error ? out->error : r;
	put_u32(&b, RECORD_ERROR);
	put_text(&b, diag.reason[0] ? diag.reason : strerror(-r));
	return bw_buf_error(&b) ? bw_buf_error(&b) : bw_sandbox_write(out, b.data, b.len);
}

/* ---- in the parent ------------------------------------------------------------------------------------------------ */

struct cursor {
	struct bw_slice s;
	size_t at;
	struct bw_arena *arena;
	int error; /* sticks */
};

static bool take(struct cursor *c, void *dst, size_t len)
{
	if (c->error || !bw_slice_copy(c->s, c->at, dst, len)) {
		if (!c->error)
			c->error = -EBADMSG;
		memset(dst, 0, len);
		return false;
	}
	c->at += len;
	return true;
}

static uint32_t take_u32(struct cursor *c)
{
	uint32_t v = 0;

	take(c, &v, sizeof(v));
	return v;
}

static const char *take_text(struct cursor *c)
{
	uint32_t len = take_u32(c);
	struct bw_slice text;
	char *copy;

	if (c->error || len > MAX_IDENT_TEXT || !bw_slice_sub(c->s, c->at, len, &text) || memchr(text.data, 0, len)) {
		if (!c->error)
			c->error = -EBADMSG;
		return "";
	}
	c->at += len;
	copy = bw_arena_strn(c->arena, (const char *)text.data, len);
	if (!copy)
		c->error = -ENOMEM;
	return copy ? copy : "";
}

/* The number of things that follow; each takes at least @size bytes on the wire. */
static uint32_t take_count(struct cursor *c, uint32_t max, size_t size)
{
	uint32_t n = take_u32(c);

	if (!c->error && (n > max || n > (c->s.len - c->at) / size))
		c->error = -EBADMSG;
	return c->error ? 0 : n;
}

static void *take_array(struct cursor *c, uint32_t n, size_t size)
{
	void *p = c->error ? NULL : bw_arena_alloc(c->arena, n, size);

	if (!p && !c->error)
		c->error = -ENOMEM;
	return p;
}

static void take_program(struct cursor *c, struct bw_ident_program *p)
{
	uint32_t flags, n_funcs;

	p->name = take_text(c);
	p->section = take_text(c);
	p->target = take_text(c);
	p->prog_type = take_u32(c);
	p->expected_attach_type = take_u32(c);
	flags = take_u32(c);
	p->type_known = flags & 1;
	p->attach_known = flags & 2;
	p->autoload = flags & 4;
	p->loader = flags & 8;
	p->has_rodata = flags & 32;
	p->has_data = flags & 64;
	if (!(flags & 16)) {
		p->why = take_text(c);
	} else {
		take(c, p->canonical, BW_CANONICAL_LEN);
		take(c, p->code, BW_CANONICAL_LEN);
		take(c, p->rodata, BW_CANONICAL_LEN);
		take(c, p->data, BW_CANONICAL_LEN);
		p->n_insns = take_u32(c);
		p->n_funcs = take_u32(c);
		p->n_maps = take_count(c, BW_MAX_MAPS, 4 + BW_CANONICAL_LEN);
		p->maps = take_array(c, p->n_maps, sizeof(*p->maps));
		for (uint32_t i = 0; i < p->n_maps && !c->error; i++) {
			p->maps[i].name = take_text(c);
			take(c, p->maps[i].hash, BW_CANONICAL_LEN);
		}
		n_funcs = take_count(c, p->n_funcs, sizeof(*p->funcs));
		if (n_funcs && n_funcs != p->n_funcs && !c->error)
			c->error = -EBADMSG;
		if (n_funcs) {
			p->funcs = take_array(c, n_funcs, sizeof(*p->funcs));
			if (p->funcs)
				take(c, p->funcs, n_funcs * sizeof(*p->funcs));
		}
	}
	p->has_digest = take_u32(c);
	if (!p->has_digest)
		return;
	take(c, p->digest, sizeof(p->digest));
	take(c, p->tag_sha1, sizeof(p->tag_sha1));
	take(c, p->tag_sha256, sizeof(p->tag_sha256));
	p->insn_cnt = take_u32(c);
	take(c, p->helpers, sizeof(p->helpers));
}

static void take_bytes(struct cursor *c, struct bw_slice file, struct bw_slice *ret)
{
	uint32_t in_file = take_u32(c), off = take_u32(c), len = take_u32(c);
	struct bw_slice s = { 0 };
	void *copy;

	if (c->error)
		return;
	if (in_file) {
		if (!bw_slice_sub(file, off, len, ret))
			c->error = -EBADMSG;
		return;
	}
	if (!bw_slice_sub(c->s, c->at, len, &s)) {
		c->error = -EBADMSG;
		return;
	}
	c->at += len;
	copy = take_array(c, len, 1);
	if (copy) {
		memcpy(copy, s.data, len);
		*ret = bw_slice(copy, len);
	}
}

static void take_object(struct cursor *c, struct bw_slice file, struct bw_ident_object *o)
{
	o->name = take_text(c);
	take_bytes(c, file, &o->elf);
	take(c, o->sha256, sizeof(o->sha256));
	o->light = take_u32(c);
	if (o->light)
		o->elf = (struct bw_slice){ 0 };
	o->n = take_count(c, MAX_IDENT_PROGRAMS, 32);
	o->programs = take_array(c, o->n, sizeof(*o->programs));
	for (uint32_t i = 0; i < o->n && !c->error; i++)
		take_program(c, &o->programs[i]);
}

int bw_ident_decode(struct bw_slice wire, struct bw_slice file, struct bw_ident_file *ret)
{
	_cleanup_ident_ struct bw_ident_file f = { 0 };
	struct cursor c = { .s = wire, .arena = &f.arena };
	size_t cap = 0;

	while (c.at < wire.len && !c.error) {
		struct bw_ident_object *o;
		uint32_t kind = take_u32(&c);

		if (kind == RECORD_ERROR) {
			f.error = take_text(&c);
			continue;
		}
		if (kind != RECORD_OBJECT && kind != RECORD_BROKEN) {
			c.error = -EBADMSG;
			break;
		}
		if (!bw_arena_grow(&f.arena, &f.objects, f.n, &cap, sizeof(*f.objects))) {
			c.error = -ENOMEM;
			break;
		}
		o = &f.objects[f.n];
		*o = (struct bw_ident_object){ 0 };
		if (kind == RECORD_OBJECT) {
			take_object(&c, file, o);
		} else {
			o->name = take_text(&c);
			o->error = take_text(&c);
		}
		f.n++;
	}
	if (c.error)
		return c.error;
	*ret = f;
	f = (struct bw_ident_file){ 0 };
	return 0;
}

int bw_ident_read(struct bw_slice bytes, const char *path, struct bw_ident_file *ret)
{
	const struct bw_sandbox conf = { .max_output = MAX_OUTPUT, .memory = 3ull << 30, .wall_ms = 60000 };
	_cleanup_buf_ struct bw_buf out = { .max = MAX_OUTPUT };
	struct job job = { .bytes = bytes, .path = path };
	struct bw_ident_file f = { 0 };
	char reason[256] = "";
	int run = bw_sandbox_run(&conf, ident_child, &job, &out, reason, sizeof(reason)), r;

	if (run == -EPERM)
		return run;
	/* What came back before it failed is good, but for what it was in the middle of. */
	r = bw_ident_decode(bw_slice(out.data, out.len), bytes, &f);
	if (r == -ENOMEM)
		return r;
	if (r)
		f = (struct bw_ident_file){ 0 };
	if ((run || r) && !f.error) {
		f.error = bw_arena_str(&f.arena, reason[0] ? reason : strerror(run ? -run : -r));
		if (!f.error) {
			bw_ident_free(&f);
			return -ENOMEM;
		}
	}
	*ret = f;
	return 0;
}

void bw_ident_free(struct bw_ident_file *f)
{
	bw_arena_free(&f->arena);
	*f = (struct bw_ident_file){ 0 };
}

/* libbpf drops the "?" of programs that are loaded only on request. */
static const char *plain_section(const char *s)
{
	return *s == '?' ? s + 1 : s;
}

bool bw_ident_is(const struct bw_ident_program *p, const char *name, const char *section)
{
	return !strcmp(p->name, name) && !strcmp(plain_section(p->section), plain_section(section));
}

const struct bw_ident_program *bw_ident_find(const struct bw_ident_object *o, const char *name, const char *section)
{
	for (uint32_t i = 0; i < o->n; i++)
		if (bw_ident_is(&o->programs[i], name, section))
			return &o->programs[i];
	return NULL;
}
