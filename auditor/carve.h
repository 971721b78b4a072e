/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_CARVE_H
#define BW_CARVE_H
/*
 * BPF code inside other files: whole ELF objects at any alignment in an executable's data (libbpf and Go skeletons), light
 * skeletons (a loader program and a blob, bpftool gen skeleton -L), members of ar archives, and all of that behind one
 * layer of gzip. Work is linear in the size of the file.
 */
#include <stdbool.h>
#include <stdint.h>

#include "auditor/diag.h"
#include "auditor/object.h"
#include "common/slice.h"

#define BW_MAX_CARVED 4096u	  /* objects in one file */
#define BW_MAX_GZIP_RATIO 200u	  /* more is refused as a decompression bomb; text compresses about 10 times */

enum bw_carved_kind {
	BW_CARVED_FILE,	    /* the file is the object */
	BW_CARVED_EMBEDDED, /* an ELF object inside it */
	BW_CARVED_LIGHT,    /* a light skeleton; .bytes is the file, .offset the loader's first instruction */
};

struct bw_carved {
	enum bw_carved_kind kind;
	const char *name;      /* "agent@0x1f2340", "lib.a(prog.o)": for messages */
	struct bw_slice bytes; /* valid during the call only */
	uint64_t offset;       /* in the (uncompressed) file or member */
	uint64_t light_insns;  /* LIGHT: length of the loader program */
	uint64_t light_blob;   /* LIGHT: offset of the blob, when it was found */
	bool light_has_blob;
};

/* Called for each find. A negative return ends the search and becomes its result. */
typedef int (*bw_carve_fn)(void *arg, const struct bw_carved *found);

/*
 * Looks through @bytes (file @name). Returns 0 when something was found; -ENOEXEC with @diag when there was nothing,
 * -E2BIG when there are more than BW_MAX_CARVED, -EINVAL for a broken or bomb-like gzip stream, -ENOMEM, or what @fn
 * returned. *ret_n (may be NULL) is how many were found.
 */
int bw_carve(struct bw_slice bytes, const char *name, unsigned int *ret_n, bw_carve_fn fn, void *arg,
	     struct bw_diag *diag);
/* Reads what was found, of whatever kind. As bw_object_read(). */
int bw_carved_read(const struct bw_carved *c, struct bw_object **ret, struct bw_diag *diag);

/* Light skeletons (lskel.c): whether a loader program starts at @off, how long it is and where its blob is. */
bool bw_lskel_find(struct bw_slice file, uint64_t off, struct bw_carved *ret);
/* The next offset at or after @off where one might start; file.len when none does. */
uint64_t bw_lskel_next(struct bw_slice file, uint64_t off);
int bw_lskel_read(const struct bw_carved *c, struct bw_object **ret, struct bw_diag *diag);

#endif
