/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_IDENT_H
#define BW_IDENT_H
/*
 * The programs of a file, each with its canonical identity, and the objects that a loader's prediction can be made of. The
 * file may be an object or contain some (carve.h). It is parsed in a sandboxed child; everything here is owned text and
 * numbers that came back, checked.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auditor/arena.h"
#include "auditor/canonical.h"
#include "auditor/identity.h"
#include "auditor/predict.h"
#include "common/slice.h"

struct bw_ident_map {
	const char *name;
	uint8_t hash[BW_CANONICAL_LEN];
};

struct bw_ident_program {
	const char *name, *section;
	const char *target; /* what the section (or the light skeleton) says it attaches to; "" for nothing */
	uint32_t prog_type; /* with .type_known */
	uint32_t expected_attach_type; /* with .attach_known */
	bool type_known, attach_known, autoload;
	bool loader; /* of a light skeleton: loads the others */
	const char *why; /* why there is no canonical identity; NULL when there is one */
	uint8_t canonical[BW_CANONICAL_LEN];
	uint8_t code[BW_CANONICAL_LEN], rodata[BW_CANONICAL_LEN], data[BW_CANONICAL_LEN];
	bool has_rodata, has_data;
	struct bw_ident_map *maps; /* sorted by name */
	uint32_t n_maps, n_insns, n_funcs;
	struct bw_canonical_func *funcs; /* NULL for fewer than three */
	/*
	 * Of light skeletons, which bring their instructions as they will be loaded. Not for a program with references
	 * that the loader decides about.
	 */
	bool has_digest;
	uint8_t digest[BW_LOAD_DIGEST_LEN], tag_sha1[BW_KERNEL_TAG_LEN], tag_sha256[BW_KERNEL_TAG_LEN];
	uint32_t insn_cnt;
	uint64_t helpers[4];
};

struct bw_ident_object {
	const char *name;  /* "agent", "agent@0x1f2340": for messages; no control characters */
	const char *error; /* why it could not be read; NULL when it was */
	bool light;	   /* a light skeleton: .elf is empty */
	struct bw_slice elf; /* the object: in the file's bytes, or owned */
	uint8_t sha256[32];
	struct bw_ident_program *programs;
	uint32_t n;
};

struct bw_ident_file {
	const char *error; /* why nothing could be read, or not all; NULL when everything was */
	struct bw_ident_object *objects;
	uint32_t n;
	struct bw_arena arena; /* private */
};

/*
 * @bytes (of the file @path, untrusted) must outlive the result. Returns 0 (also when it could not be read: .error) or
 * -ENOMEM, -EPERM when the sandbox could not be set up. Release with bw_ident_free().
 */
int bw_ident_read(struct bw_slice bytes, const char *path, struct bw_ident_file *ret);
void bw_ident_free(struct bw_ident_file *f);
bool bw_ident_is(const struct bw_ident_program *p, const char *name, const char *section);
/* The program that a predicted one is; NULL when our reader does not see it. */
const struct bw_ident_program *bw_ident_find(const struct bw_ident_object *o, const char *name, const char *section);

/* The child's end of the wire, for the unit test: one object, encoded; and the parent's. -EBADMSG, -ENOMEM. */
int bw_ident_encode(const struct bw_object *o, struct bw_buf *out);
int bw_ident_decode(struct bw_slice wire, struct bw_slice file, struct bw_ident_file *ret);

#define _cleanup_ident_ BW_CLEANUP(bw_ident_free)

#endif
