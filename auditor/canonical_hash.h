/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_CANONICAL_HASH_H
#define BW_CANONICAL_HASH_H
/* Private to canonical*.c: the stream that is hashed, and the part of it that comes from types. */
#include <openssl/evp.h>

#include "auditor/canonical.h"

#define CANON_MAX_BYTES ((uint64_t)1 << 30)

/* Numbers are little endian, strings preceded by their length: no two different inputs make the same stream. */
struct canon_hash {
	EVP_MD_CTX *ctx;
	size_t used;
	uint64_t total; /* bytes hashed for the object so far: CANON_MAX_BYTES bounds the time that it takes */
	bool failed;
	uint8_t buf[4096];
};

/* A type that waits for its turn. */
struct canon_type {
	uint32_t id;
	uint32_t depth;
	bool behind; /* a pointer: of structs, only the name counts */
};

struct canon_types {
	const struct bw_btf *btf;
	uint32_t budget; /* BW_MAX_CANONICAL_TYPES, counting down */
	struct canon_type *stack; /* BW_MAX_CANONICAL_STACK */
};

static inline bool canon_too_long(const struct canon_hash *h)
{
	return h->total > CANON_MAX_BYTES;
}

int canon_start(struct canon_hash *h);
void canon_bytes(struct canon_hash *h, const void *data, size_t len);
void canon_u8(struct canon_hash *h, uint8_t v);
void canon_u32(struct canon_hash *h, uint32_t v);
void canon_u64(struct canon_hash *h, uint64_t v);
void canon_str(struct canon_hash *h, const char *s);
void canon_strn(struct canon_hash *h, const char *s, size_t len);
/* -ENOMEM when the library failed at any time since canon_start(). */
int canon_end(struct canon_hash *h, uint8_t ret[BW_CANONICAL_LEN]);

/* The length of a type's name without "___flavor" (libbpf: bpf_core_essential_name_len()). */
size_t canon_essential_len(const char *name);

/*
 * A type, through typedefs and modifiers. With @layout also where members are and what enumerators are worth; without,
 * what CO-RE compares. @behind: a struct counts by its name. Returns false, and has hashed less, when the type is broken or
 * larger than the budget.
 */
bool canon_type(struct canon_hash *h, struct canon_types *t, uint32_t id, bool layout, bool behind);
/* What a CO-RE relocation asks for. */
bool canon_core(struct canon_hash *h, struct canon_types *t, const struct bw_core_relo *core);

#endif
