/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_BTF_H
#define BW_BTF_H
/*
 * BTF type information (Documentation/bpf/btf.rst, include/uapi/linux/btf.h), read from untrusted bytes of either byte
 * order. Types that refer outside the type section, strings outside the string section and unknown kinds make it
 * unreadable; a reference cycle is legal input and never followed without a bound.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auditor/arena.h"
#include "auditor/diag.h"
#include "common/slice.h"

#define BW_MAX_BTF_TYPES 2000000u
#define BW_MAX_BTF_DEPTH 32u /* modifiers, typedefs and arrays followed in a row */

enum bw_btf_kind {
	BW_BTF_VOID = 0,
	BW_BTF_INT = 1,
	BW_BTF_PTR = 2,
	BW_BTF_ARRAY = 3,
	BW_BTF_STRUCT = 4,
	BW_BTF_UNION = 5,
	BW_BTF_ENUM = 6,
	BW_BTF_FWD = 7,
	BW_BTF_TYPEDEF = 8,
	BW_BTF_VOLATILE = 9,
	BW_BTF_CONST = 10,
	BW_BTF_RESTRICT = 11,
	BW_BTF_FUNC = 12,
	BW_BTF_FUNC_PROTO = 13,
	BW_BTF_VAR = 14,
	BW_BTF_DATASEC = 15,
	BW_BTF_FLOAT = 16,
	BW_BTF_DECL_TAG = 17,
	BW_BTF_TYPE_TAG = 18,
	BW_BTF_ENUM64 = 19,
};

struct bw_btf {
	struct bw_slice types, strings;
	bool big_endian;
	uint32_t n_types;  /* ids 1 to n_types; 0 is void */
	uint32_t *offsets; /* of type id in .types; [0] unused */
	struct bw_arena *arena;
};

struct bw_btf_type {
	uint32_t id;
	enum bw_btf_kind kind;
	const char *name; /* "" for anonymous */
	bool kind_flag;
	uint32_t vlen;
	uint32_t size;	/* INT, STRUCT, UNION, ENUM, ENUM64, DATASEC, FLOAT */
	uint32_t type;	/* PTR, TYPEDEF, modifiers, FUNC, FUNC_PROTO (the return), VAR, tags */
	uint32_t aux_off; /* where what follows the 12-byte header is, in .types */
};

/* One member of a STRUCT or UNION, parameter of a FUNC_PROTO, value of an ENUM(64), or variable of a DATASEC. */
struct bw_btf_member {
	const char *name;
	uint32_t type;
	uint32_t bit_offset; /* STRUCT, UNION */
	uint32_t bit_size;   /* of a bit field, else 0 */
	uint32_t offset, size; /* DATASEC: bytes */
	int64_t value;	     /* ENUM, ENUM64 */
};

struct bw_btf_array {
	uint32_t type, index_type, nelems;
};

/* Reads .BTF; the arena owns what is allocated. -EINVAL with @diag, -ENOMEM. @bytes must outlive the result. */
int bw_btf_read(struct bw_slice bytes, bool big_endian, const char *file, struct bw_arena *arena, struct bw_btf **ret,
		struct bw_diag *diag);

/* False (and *ret untouched) for an id that does not exist. Id 0 is void. */
bool bw_btf_type(const struct bw_btf *b, uint32_t id, struct bw_btf_type *ret);
/* Member @i of @t; false when it has none such. */
bool bw_btf_member(const struct bw_btf *b, const struct bw_btf_type *t, uint32_t i, struct bw_btf_member *ret);
bool bw_btf_array(const struct bw_btf *b, const struct bw_btf_type *t, struct bw_btf_array *ret);
/* INT encoding: BTF_INT_SIGNED 1, CHAR 2, BOOL 4; -1 for another kind. */
int bw_btf_int_encoding(const struct bw_btf *b, const struct bw_btf_type *t);
/* VAR linkage (0 static, 1 global, 2 extern), DECL_TAG component index; FUNC linkage is vlen. */
uint32_t bw_btf_var_linkage(const struct bw_btf *b, const struct bw_btf_type *t);
/* Follows typedefs and modifiers (const, volatile, restrict, type tags). False on a bad id or too deep a chain. */
bool bw_btf_resolve(const struct bw_btf *b, uint32_t id, struct bw_btf_type *ret);
/* Size in bytes; -1 when it has none (void, functions, forward declarations) or is beyond bounds. */
int64_t bw_btf_size(const struct bw_btf *b, uint32_t id);
/* The first type of that kind and name; 0 for none. Linear: not for loops. */
uint32_t bw_btf_find(const struct bw_btf *b, enum bw_btf_kind kind, const char *name);
const char *bw_btf_str(const struct bw_btf *b, uint32_t off);
/*
 * Follows a CO-RE access string ("0:1:2") from @type_id and appends "task_struct.signal.tty" to @out.
 * *ret_type is the type reached (may be NULL). -EINVAL when the string does not fit the types.
 */
struct bw_buf;
int bw_btf_access_path(const struct bw_btf *b, uint32_t type_id, const char *access, struct bw_buf *out,
		       uint32_t *ret_type);

#endif
