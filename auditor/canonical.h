/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_CANONICAL_H
#define BW_CANONICAL_H
/*
 * The canonical identity of a program: what it is in its object, before any loader or kernel has had a hand in it. The
 * same for every kernel, loader and build path; what CI approves, and what load digests are derived from again.
 *
 * Its code is the program's call graph, functions in the order in which libbpf appends them (each at its first call,
 * depth first). Every field that a loader fills in is replaced by what it stands for:
 *
 *   map          name and definition, without max_entries (loaders size maps by the host)
 *   data         section, variable and offset in it
 *   extern       kind, name, weak, and of kernel functions the prototype
 *   CO-RE        kind, root type without ___flavor, names along the access path and what they must be compatible with.
 *                The value that the compiler put there is no part of it: loaders overwrite it or refuse the object
 *   call         place of the callee in the order above. The callee's code is part of the same hash, so the call stands
 *                for all of it, and a cycle needs no rule of its own
 *   jump table   its targets, relative to the function
 *
 * Beside the code stand the program type, the attach type, the section, the definitions of the maps in reach and the
 * initial values of the data in reach; .hash is over all of that.
 *
 * Pure. The identity is SHA-256 over a tagged, length-prefixed stream; BW_CANONICAL_VERSION is its first word.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auditor/arena.h"
#include "auditor/object.h"
#include "common/cleanup.h"

#define BW_CANONICAL_VERSION 1
#define BW_CANONICAL_LEN 32
/* Instructions hashed for one object: programs that share functions have them hashed once each. */
#define BW_MAX_CANONICAL_WORK (64u << 20)
/* Bytes of results for one object. */
#define BW_MAX_CANONICAL_MEMORY ((size_t)256 << 20)
/* Nodes of BTF types looked at for one object, and waiting to be looked at. */
#define BW_MAX_CANONICAL_TYPES (4u << 20)
#define BW_MAX_CANONICAL_STACK 16384u

/* A map in reach of a program. */
struct bw_canonical_map {
	const char *name;
	int32_t map;			 /* index in the object */
	uint8_t hash[BW_CANONICAL_LEN];	 /* of its definition */
};

/* A function of a program, in libbpf's order. */
struct bw_canonical_func {
	uint32_t n_insns;
	uint32_t place; /* where cilium/ebpf puts it, from 0 */
};

struct bw_canonical {
	const char *why; /* why it has no canonical identity; NULL when it has one */
	uint8_t hash[BW_CANONICAL_LEN];	  /* over everything below, type, attach type and section */
	uint8_t code[BW_CANONICAL_LEN];
	uint8_t rodata[BW_CANONICAL_LEN]; /* initial values that programs cannot change; zeros without any */
	uint8_t data[BW_CANONICAL_LEN];	  /* those that they can */
	bool has_rodata, has_data;
	uint32_t n_insns, n_funcs; /* in its call graph */
	struct bw_canonical_func *funcs; /* NULL for fewer than three: there is one order only */
	struct bw_canonical_map *maps; /* sorted by name */
	uint32_t n_maps;
};

struct bw_canonicals {
	struct bw_canonical *progs; /* by index of the object's programs */
	uint32_t n;
	struct bw_arena arena; /* private: names point into the object, the rest is here */
};

/*
 * Returns 0 or -ENOMEM. Programs of which something was not understood have .why set, and no hashes. The object must
 * outlive the result; release it with bw_canonicals_free(). Nothing that was read back from a kernel has a canonical
 * identity: its code was rewritten.
 */
int bw_canonical(const struct bw_object *o, struct bw_canonicals *ret);
void bw_canonicals_free(struct bw_canonicals *c);

#define _cleanup_canonicals_ BW_CLEANUP(bw_canonicals_free)

#endif
