// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "auditor/btf.h"
#include "common/buf.h"

#define BTF_MAGIC 0xeb9f
#define BTF_HDR_MIN 24u
#define TYPE_HDR 12u
#define MAX_BITS (1ull << 35) /* sizes are 32-bit numbers of bytes */

static uint32_t btf_u32(const struct bw_btf *b, uint32_t off)
{
	return bw_get_u32(b->types.data + off, b->big_endian);
}

/* Bytes that follow the 12-byte header; -1 for an unknown kind. */
static int64_t btf_extra(uint32_t kind, uint32_t vlen)
{
	switch (kind) {
	case BW_BTF_PTR:
	case BW_BTF_FWD:
	case BW_BTF_TYPEDEF:
	case BW_BTF_VOLATILE:
	case BW_BTF_CONST:
	case BW_BTF_RESTRICT:
	case BW_BTF_FUNC:
	case BW_BTF_FLOAT:
	case BW_BTF_TYPE_TAG:
		return 0;
	case BW_BTF_INT:
	case BW_BTF_VAR:
	case BW_BTF_DECL_TAG:
		return 4;
	case BW_BTF_ARRAY:
		return 12;
	case BW_BTF_ENUM:
	case BW_BTF_FUNC_PROTO:
		return 8ll * vlen;
	case BW_BTF_STRUCT:
	case BW_BTF_UNION:
	case BW_BTF_DATASEC:
	case BW_BTF_ENUM64:
		return 12ll * vlen;
	}
	return -1;
}

/* Whether the header's third word is a type id rather than a size. */
static bool btf_has_type(uint32_t kind)
{
	switch (kind) {
	case BW_BTF_PTR:
	case BW_BTF_TYPEDEF:
	case BW_BTF_VOLATILE:
	case BW_BTF_CONST:
	case BW_BTF_RESTRICT:
	case BW_BTF_FUNC:
	case BW_BTF_FUNC_PROTO:
	case BW_BTF_VAR:
	case BW_BTF_DECL_TAG:
	case BW_BTF_TYPE_TAG:
		return true;
	}
	return false;
}

/* References of type @id are inside the sections: then nobody has to check again. */
static const char *btf_check(const struct bw_btf *b, uint32_t id)
{
	uint32_t off = b->offsets[id], info = btf_u32(b, off + 4), kind = info >> 24 & 0x1f, vlen = info & 0xffff;
	uint32_t p = off + TYPE_HDR, step = kind == BW_BTF_ENUM || kind == BW_BTF_FUNC_PROTO ? 8 : 12;

	if (btf_u32(b, off) >= b->strings.len)
		return "a name outside the strings";
	if (btf_has_type(kind) && btf_u32(b, off + 8) > b->n_types)
		return "a reference to a type that does not exist";
	switch (kind) {
	case BW_BTF_ARRAY:
		if (btf_u32(b, p) > b->n_types || btf_u32(b, p + 4) > b->n_types)
			return "an array of a type that does not exist";
		break;
	case BW_BTF_STRUCT:
	case BW_BTF_UNION:
	case BW_BTF_FUNC_PROTO:
	case BW_BTF_ENUM:
	case BW_BTF_ENUM64:
		for (uint32_t i = 0; i < vlen; i++, p += step) {
			if (btf_u32(b, p) >= b->strings.len)
				return "a member's name outside the strings";
			if (kind != BW_BTF_ENUM && kind != BW_BTF_ENUM64 && btf_u32(b, p + 4) > b->n_types)
				return "a member of a type that does not exist";
		}
		break;
	case BW_BTF_DATASEC:
		for (uint32_t i = 0; i < vlen; i++, p += step)
			if (btf_u32(b, p) > b->n_types)
				return "a variable of a type that does not exist";
		break;
	}
	return NULL;
}

int bw_btf_read(struct bw_slice bytes, bool big_endian, const char *file, struct bw_arena *arena, struct bw_btf **ret,
		struct bw_diag *diag)
{
	uint32_t hdr_len, type_off, type_len, str_off, str_len;
	uint64_t n = 0, off, size;
	struct bw_slice rest;
	const char *why;
	struct bw_btf *b;

	if (bytes.len < BTF_HDR_MIN)
		return bw_diag_set(diag, -EINVAL, file, ".BTF", 0, "too short for its header");
	if (bw_get_u16(bytes.data, big_endian) != BTF_MAGIC)
		return bw_diag_set(diag, -EINVAL, file, ".BTF", 0, "bad magic number");
	if (bytes.data[2] != 1)
		return bw_diag_set(diag, -EINVAL, file, ".BTF", 2, "unknown version %u", bytes.data[2]);
	hdr_len = bw_get_u32(bytes.data + 4, big_endian);
	type_off = bw_get_u32(bytes.data + 8, big_endian);
	type_len = bw_get_u32(bytes.data + 12, big_endian);
	str_off = bw_get_u32(bytes.data + 16, big_endian);
	str_len = bw_get_u32(bytes.data + 20, big_endian);
	if (hdr_len < BTF_HDR_MIN || hdr_len > bytes.len)
		return bw_diag_set(diag, -EINVAL, file, ".BTF", 4, "bad header length %u", hdr_len);
	rest = bw_slice(bytes.data + hdr_len, bytes.len - hdr_len);
	b = bw_arena_alloc(arena, 1, sizeof(*b));
	if (!b)
		return -ENOMEM;
	b->big_endian = big_endian;
	b->arena = arena;
	if (!bw_slice_sub(rest, type_off, type_len, &b->types))
		return bw_diag_set(diag, -EINVAL, file, ".BTF", 8, "types outside the section");
	if (!bw_slice_sub(rest, str_off, str_len, &b->strings))
		return bw_diag_set(diag, -EINVAL, file, ".BTF", 16, "strings outside the section");
	if (str_len == 0 || b->strings.data[0] || b->strings.data[str_len - 1])
		return bw_diag_set(diag, -EINVAL, file, ".BTF", (uint64_t)hdr_len + str_off, "malformed strings");

	for (off = 0; off < type_len; off += size, n++) {
		uint32_t info;
		int64_t extra;

		if (type_len - off < TYPE_HDR)
			return bw_diag_set(diag, -EINVAL, file, ".BTF", hdr_len + type_off + off, "a type is cut off");
		info = btf_u32(b, (uint32_t)off + 4);
		extra = btf_extra(info >> 24 & 0x1f, info & 0xffff);
		if (extra < 0)
			return bw_diag_set(diag, -EINVAL, file, ".BTF", hdr_len + type_off + off, "unknown kind %u",
					   info >> 24 & 0x1f);
		size = TYPE_HDR + (uint64_t)extra;
		if (size > type_len - off)
			return bw_diag_set(diag, -EINVAL, file, ".BTF", hdr_len + type_off + off, "a type is cut off");
	}
	if (n > BW_MAX_BTF_TYPES)
		return bw_diag_set(diag, -EINVAL, file, ".BTF", 12, "more than %u types", BW_MAX_BTF_TYPES);
	b->n_types = (uint32_t)n;
	b->offsets = bw_arena_alloc(arena, n + 1, sizeof(*b->offsets));
	if (!b->offsets)
		return -ENOMEM;
	off = 0;
	for (uint32_t id = 1; id <= n; id++) {
		uint32_t info = btf_u32(b, (uint32_t)off + 4);

		b->offsets[id] = (uint32_t)off;
		off += TYPE_HDR + (uint64_t)btf_extra(info >> 24 & 0x1f, info & 0xffff);
	}
	for (uint32_t id = 1; id <= n; id++) {
		why = btf_check(b, id);
		if (why)
			return bw_diag_set(diag, -EINVAL, file, ".BTF", hdr_len + type_off + b->offsets[id],
					   "type %u has %s", id, why);
	}
	*ret = b;
	return 0;
}

const char *bw_btf_str(const struct bw_btf *b, uint32_t off)
{
	return off < b->strings.len ? (const char *)b->strings.data + off : "";
}

bool bw_btf_type(const struct bw_btf *b, uint32_t id, struct bw_btf_type *ret)
{
	struct bw_btf_type t = { .name = "" };
	uint32_t off, info, word;

	if (id > b->n_types)
		return false;
	if (id == 0) {
		*ret = t;
		return true;
	}
	off = b->offsets[id];
	info = btf_u32(b, off + 4);
	word = btf_u32(b, off + 8);
	t.id = id;
	t.kind = info >> 24 & 0x1f;
	t.kind_flag = info >> 31;
	t.vlen = info & 0xffff;
	t.name = bw_btf_str(b, btf_u32(b, off));
	if (btf_has_type(t.kind))
		t.type = word;
	else
		t.size = word;
	t.aux_off = off + TYPE_HDR;
	*ret = t;
	return true;
}

bool bw_btf_member(const struct bw_btf *b, const struct bw_btf_type *t, uint32_t i, struct bw_btf_member *ret)
{
	struct bw_btf_member m = { .name = "" };
	uint32_t p, word;

	if (i >= t->vlen)
		return false;
	switch (t->kind) {
	case BW_BTF_STRUCT:
	case BW_BTF_UNION:
		p = t->aux_off + i * 12;
		m.name = bw_btf_str(b, btf_u32(b, p));
		m.type = btf_u32(b, p + 4);
		word = btf_u32(b, p + 8);
		m.bit_offset = t->kind_flag ? word & 0xffffff : word;
		m.bit_size = t->kind_flag ? word >> 24 : 0;
		break;
	case BW_BTF_FUNC_PROTO:
		p = t->aux_off + i * 8;
		m.name = bw_btf_str(b, btf_u32(b, p));
		m.type = btf_u32(b, p + 4);
		break;
	case BW_BTF_ENUM:
		p = t->aux_off + i * 8;
		m.name = bw_btf_str(b, btf_u32(b, p));
		word = btf_u32(b, p + 4);
		m.value = t->kind_flag ? (int64_t)(int32_t)word : (int64_t)word;
		break;
	case BW_BTF_ENUM64:
		p = t->aux_off + i * 12;
		m.name = bw_btf_str(b, btf_u32(b, p));
		m.value = (int64_t)((uint64_t)btf_u32(b, p + 8) << 32 | btf_u32(b, p + 4));
		break;
	case BW_BTF_DATASEC:
		p = t->aux_off + i * 12;
		m.type = btf_u32(b, p);
		m.offset = btf_u32(b, p + 4);
		m.size = btf_u32(b, p + 8);
		if (m.type)
			m.name = bw_btf_str(b, btf_u32(b, b->offsets[m.type]));
		break;
	default:
		return false;
	}
	*ret = m;
	return true;
}

bool bw_btf_array(const struct bw_btf *b, const struct bw_btf_type *t, struct bw_btf_array *ret)
{
	if (t->kind != BW_BTF_ARRAY)
		return false;
	ret->type = btf_u32(b, t->aux_off);
	ret->index_type = btf_u32(b, t->aux_off + 4);
	ret->nelems = btf_u32(b, t->aux_off + 8);
	return true;
}

int bw_btf_int_encoding(const struct bw_btf *b, const struct bw_btf_type *t)
{
	if (t->kind != BW_BTF_INT)
		return -1;
	return (int)(btf_u32(b, t->aux_off) >> 24 & 0xf);
}

uint32_t bw_btf_var_linkage(const struct bw_btf *b, const struct bw_btf_type *t)
{
	return t->kind == BW_BTF_VAR || t->kind == BW_BTF_DECL_TAG ? btf_u32(b, t->aux_off) : 0;
}

static bool btf_is_modifier(enum bw_btf_kind kind)
{
	return kind == BW_BTF_TYPEDEF || kind == BW_BTF_VOLATILE || kind == BW_BTF_CONST || kind == BW_BTF_RESTRICT ||
	       kind == BW_BTF_TYPE_TAG;
}

bool bw_btf_resolve(const struct bw_btf *b, uint32_t id, struct bw_btf_type *ret)
{
	struct bw_btf_type t;

	for (uint32_t depth = 0; depth < BW_MAX_BTF_DEPTH; depth++) {
		if (!bw_btf_type(b, id, &t))
			return false;
		if (!btf_is_modifier(t.kind)) {
			*ret = t;
			return true;
		}
		id = t.type;
	}
	return false;
}

int64_t bw_btf_size(const struct bw_btf *b, uint32_t id)
{
	uint64_t count = 1, size;
	struct bw_btf_array a;
	struct bw_btf_type t;

	for (uint32_t depth = 0; depth < BW_MAX_BTF_DEPTH; depth++) {
		if (!bw_btf_resolve(b, id, &t))
			return -1;
		switch (t.kind) {
		case BW_BTF_INT:
		case BW_BTF_STRUCT:
		case BW_BTF_UNION:
		case BW_BTF_ENUM:
		case BW_BTF_ENUM64:
		case BW_BTF_DATASEC:
		case BW_BTF_FLOAT:
			size = t.size;
			break;
		case BW_BTF_PTR:
			size = 8;
			break;
		case BW_BTF_VAR:
			id = t.type;
			continue;
		case BW_BTF_ARRAY:
			bw_btf_array(b, &t, &a);
			if (__builtin_mul_overflow(count, (uint64_t)a.nelems, &count) || count > MAX_BITS)
				return -1;
			id = a.type;
			continue;
		default:
			return -1;
		}
		if (__builtin_mul_overflow(count, size, &size) || size > MAX_BITS)
			return -1;
		return (int64_t)size;
	}
	return -1;
}

uint32_t bw_btf_find(const struct bw_btf *b, enum bw_btf_kind kind, const char *name)
{
	struct bw_btf_type t;

	for (uint32_t id = 1; id <= b->n_types; id++)
		if (bw_btf_type(b, id, &t) && t.kind == kind && !strcmp(t.name, name))
			return id;
	return 0;
}

int bw_btf_access_path(const struct bw_btf *b, uint32_t type_id, const char *access, struct bw_buf *out,
		       uint32_t *ret_type)
{
	struct bw_btf_member m;
	struct bw_btf_array a;
	struct bw_btf_type t;
	unsigned long index;
	char *end;

	if (!bw_btf_resolve(b, type_id, &t))
		return -EINVAL;
	bw_buf_str(out, t.name[0] ? t.name : "(anon)");
	for (unsigned int i = 0; *access; i++) {
		errno = 0;
		index = strtoul(access, &end, 10);
		if (end == access || errno || index > UINT32_MAX || (*end && *end != ':') || i > 64)
			return -EINVAL;
		access = *end ? end + 1 : end;
		if (i == 0 && t.kind != BW_BTF_ENUM && t.kind != BW_BTF_ENUM64) {
			/* the root is taken as an array: [0] unless the program indexed a pointer */
			if (index)
				bw_buf_printf(out, "[%lu]", index);
			continue;
		}
		switch (t.kind) {
		case BW_BTF_STRUCT:
		case BW_BTF_UNION:
		case BW_BTF_ENUM:
		case BW_BTF_ENUM64:
			if (!bw_btf_member(b, &t, (uint32_t)index, &m))
				return -EINVAL;
			if (m.name[0])
				bw_buf_printf(out, ".%s", m.name);
			if (t.kind == BW_BTF_ENUM || t.kind == BW_BTF_ENUM64)
				break;
			if (!bw_btf_resolve(b, m.type, &t))
				return -EINVAL;
			break;
		case BW_BTF_ARRAY:
			bw_btf_array(b, &t, &a);
			bw_buf_printf(out, "[%lu]", index);
			if (!bw_btf_resolve(b, a.type, &t))
				return -EINVAL;
			break;
		default:
			return -EINVAL;
		}
	}
	if (ret_type)
		*ret_type = t.id;
	return bw_buf_error(out);
}
