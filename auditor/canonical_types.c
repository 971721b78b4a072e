// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Types in the canonical identity: of CO-RE relocations, kernel functions and map values. What of a local type decides the
 * outcome of a relocation is taken from libbpf's relo_core.c: bpf_core_fields_are_compat(), bpf_core_types_are_compat(),
 * __bpf_core_types_match().
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "auditor/canonical_hash.h"

int canon_start(struct canon_hash *h)
{
	h->used = 0;
	h->failed = EVP_DigestInit_ex(h->ctx, EVP_sha256(), NULL) != 1;
	return h->failed ? -ENOMEM : 0;
}

static void flush(struct canon_hash *h)
{
	if (h->used && EVP_DigestUpdate(h->ctx, h->buf, h->used) != 1)
		h->failed = true;
	h->used = 0;
}

void canon_bytes(struct canon_hash *h, const void *data, size_t len)
{
	h->total += len;
	if (len > sizeof(h->buf) - h->used)
		flush(h);
	if (len > sizeof(h->buf)) {
		if (EVP_DigestUpdate(h->ctx, data, len) != 1)
			h->failed = true;
	} else if (len) {
		memcpy(h->buf + h->used, data, len);
		h->used += len;
	}
}

void canon_u8(struct canon_hash *h, uint8_t v)
{
	canon_bytes(h, &v, 1);
}

void canon_u32(struct canon_hash *h, uint32_t v)
{
	const uint8_t b[4] = { (uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24) };

	canon_bytes(h, b, sizeof(b));
}

void canon_u64(struct canon_hash *h, uint64_t v)
{
	canon_u32(h, (uint32_t)v);
	canon_u32(h, (uint32_t)(v >> 32));
}

void canon_strn(struct canon_hash *h, const char *s, size_t len)
{
	canon_u32(h, (uint32_t)len);
	canon_bytes(h, s, len);
}

void canon_str(struct canon_hash *h, const char *s)
{
	canon_strn(h, s, strlen(s));
}

int canon_end(struct canon_hash *h, uint8_t ret[BW_CANONICAL_LEN])
{
	uint8_t md[EVP_MAX_MD_SIZE];

	flush(h);
	if (h->failed || EVP_DigestFinal_ex(h->ctx, md, NULL) != 1)
		return -ENOMEM;
	memcpy(ret, md, BW_CANONICAL_LEN);
	return 0;
}

size_t canon_essential_len(const char *name)
{
	size_t n = strlen(name);

	/* "a___b": the last three underscores with something else on both sides. */
	for (size_t i = n; i >= 5; i--) {
		const char *s = name + i - 5;

		if (s[0] != '_' && s[1] == '_' && s[2] == '_' && s[3] == '_' && s[4] != '_')
			return i - 4;
	}
	return n;
}

static void put_name(struct canon_hash *h, const char *name)
{
	canon_strn(h, name, canon_essential_len(name));
}

static bool is_composite(enum bw_btf_kind kind)
{
	return kind == BW_BTF_STRUCT || kind == BW_BTF_UNION || kind == BW_BTF_FWD;
}

static bool push(struct canon_types *t, uint32_t *n, uint32_t id, uint32_t depth, bool behind)
{
	if (*n >= BW_MAX_CANONICAL_STACK || depth > BW_MAX_BTF_DEPTH)
		return false;
	t->stack[(*n)++] = (struct canon_type){ .id = id, .depth = depth, .behind = behind };
	return true;
}

/* Members in reverse, so that the first is taken from the stack first; their names and places right now. */
static bool put_members(struct canon_hash *h, struct canon_types *t, uint32_t *n, const struct bw_btf_type *type,
			uint32_t depth, bool layout)
{
	struct bw_btf_member m;

	if (type->vlen > t->budget)
		return false;
	t->budget -= type->vlen;
	canon_u32(h, type->vlen);
	for (uint32_t i = 0; i < type->vlen; i++) {
		if (!bw_btf_member(t->btf, type, i, &m) || canon_too_long(h))
			return false;
		if (type->kind != BW_BTF_FUNC_PROTO)
			canon_str(h, m.name);
		if (layout && type->kind != BW_BTF_FUNC_PROTO) {
			canon_u32(h, m.bit_offset);
			canon_u32(h, m.bit_size);
			canon_u64(h, (uint64_t)m.value);
		}
	}
	if (type->kind == BW_BTF_ENUM || type->kind == BW_BTF_ENUM64)
		return true;
	for (uint32_t i = type->vlen; i-- > 0;)
		if (!bw_btf_member(t->btf, type, i, &m) || !push(t, n, m.type, depth + 1, false))
			return false;
	return true;
}

static bool put_node(struct canon_hash *h, struct canon_types *t, uint32_t *n, struct canon_type item, bool layout)
{
	struct bw_btf_array a;
	struct bw_btf_type type;

	if (!bw_btf_resolve(t->btf, item.id, &type))
		return false;
	/* A forward declaration behind a pointer is as good as the struct. */
	canon_u8(h, item.behind && is_composite(type.kind) ? BW_BTF_STRUCT : type.kind);
	switch (type.kind) {
	case BW_BTF_VOID:
		return true;
	case BW_BTF_INT:
	case BW_BTF_FLOAT:
		if (layout)
			canon_u32(h, type.size);
		return true;
	case BW_BTF_PTR:
		return push(t, n, type.type, item.depth + 1, true);
	case BW_BTF_ARRAY:
		if (!bw_btf_array(t->btf, &type, &a))
			return false;
		if (layout)
			canon_u32(h, a.nelems);
		return push(t, n, a.type, item.depth + 1, item.behind);
	case BW_BTF_STRUCT:
	case BW_BTF_UNION:
	case BW_BTF_FWD:
		put_name(h, type.name);
		if (item.behind || type.kind == BW_BTF_FWD)
			return true;
		if (layout)
			canon_u32(h, type.size);
		return put_members(h, t, n, &type, item.depth, layout);
	case BW_BTF_ENUM:
	case BW_BTF_ENUM64:
		put_name(h, type.name);
		return item.behind || put_members(h, t, n, &type, item.depth, layout);
	case BW_BTF_FUNC_PROTO:
		return push(t, n, type.type, item.depth + 1, false) && put_members(h, t, n, &type, item.depth, layout);
	case BW_BTF_FUNC:
	case BW_BTF_VAR:
		return push(t, n, type.type, item.depth + 1, false);
	default:
		return false;
	}
}

bool canon_type(struct canon_hash *h, struct canon_types *t, uint32_t id, bool layout, bool behind)
{
	uint32_t n = 0;

	if (!t->btf || !push(t, &n, id, 0, behind))
		return false;
	while (n) {
		struct canon_type item = t->stack[--n];

		if (!t->budget || canon_too_long(h))
			return false;
		t->budget--;
		if (!put_node(h, t, &n, item, layout))
			return false;
	}
	return true;
}

/* The names along an access string, and of every field what it must be compatible with. */
static bool put_path(struct canon_hash *h, struct canon_types *t, const struct bw_core_relo *core)
{
	const char *access = core->access;
	struct bw_btf_member m;
	struct bw_btf_array a;
	struct bw_btf_type type;

	if (!bw_btf_resolve(t->btf, core->type_id, &type))
		return false;
	for (unsigned int i = 0; *access; i++) {
		char *end;
		unsigned long index;

		errno = 0;
		index = strtoul(access, &end, 10);
		if (end == access || errno || index > UINT32_MAX || (*end && *end != ':') || i > 64)
			return false;
		access = *end ? end + 1 : end;
		if (!i) {
			canon_u32(h, (uint32_t)index);
			continue;
		}
		if (type.kind == BW_BTF_ARRAY) {
			if (!bw_btf_array(t->btf, &type, &a) || !bw_btf_resolve(t->btf, a.type, &type))
				return false;
			canon_u8(h, 'i');
			canon_u32(h, (uint32_t)index);
		} else if (type.kind == BW_BTF_STRUCT || type.kind == BW_BTF_UNION) {
			if (!bw_btf_member(t->btf, &type, (uint32_t)index, &m) || !bw_btf_resolve(t->btf, m.type, &type))
				return false;
			canon_u8(h, 'm');
			canon_str(h, m.name);
			/* Without a name its place counts among those that have none either. */
			if (!m.name[0])
				canon_u32(h, (uint32_t)index);
			if (!canon_type(h, t, m.type, false, true))
				return false;
		} else {
			return false;
		}
	}
	canon_u8(h, 'e');
	return true;
}

bool canon_core(struct canon_hash *h, struct canon_types *t, const struct bw_core_relo *core)
{
	struct bw_btf_type root, type;
	struct bw_btf_member m;
	unsigned long index;
	char *end;

	if (!t->btf || !bw_btf_type(t->btf, core->type_id, &root) || !bw_btf_resolve(t->btf, core->type_id, &type))
		return false;
	canon_u32(h, core->kind);
	/* Candidates are looked for by the kind and name of the root as it is, typedefs included. */
	canon_u8(h, root.kind);
	put_name(h, root.name);
	canon_u8(h, type.kind);
	canon_u8(h, strcmp(core->access, "0") != 0); /* types have no other; loaders refuse those */
	switch (core->kind) {
	case BW_CORE_FIELD_BYTE_OFFSET:
	case BW_CORE_FIELD_BYTE_SIZE:
	case BW_CORE_FIELD_EXISTS:
	case BW_CORE_FIELD_SIGNED:
	case BW_CORE_FIELD_LSHIFT_U64:
	case BW_CORE_FIELD_RSHIFT_U64:
		return put_path(h, t, core);
	case BW_CORE_TYPE_ID_LOCAL:
		return canon_type(h, t, core->type_id, true, false);
	case BW_CORE_TYPE_ID_TARGET:
	case BW_CORE_TYPE_EXISTS:
	case BW_CORE_TYPE_SIZE:
		return canon_type(h, t, core->type_id, false, true);
	case BW_CORE_TYPE_MATCHES:
		return canon_type(h, t, core->type_id, false, false);
	case BW_CORE_ENUMVAL_EXISTS:
	case BW_CORE_ENUMVAL_VALUE:
		errno = 0;
		index = strtoul(core->access, &end, 10);
		if (end == core->access || *end || errno || index > UINT32_MAX ||
		    (type.kind != BW_BTF_ENUM && type.kind != BW_BTF_ENUM64) ||
		    !bw_btf_member(t->btf, &type, (uint32_t)index, &m))
			return false;
		put_name(h, m.name);
		return true;
	}
	return false;
}
