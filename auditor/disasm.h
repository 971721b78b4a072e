/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_DISASM_H
#define BW_DISASM_H
/*
 * A whole object as text: instructions in llvm-objdump's syntax, and what that does not know as comments after ";":
 * source lines, maps, variables, helpers, kfuncs, CO-RE paths, jump targets.
 */
#include <stdbool.h>

#include "auditor/object.h"
#include "common/buf.h"

struct bw_disasm_options {
	const char *prog; /* only this program (or function); NULL for all */
	bool no_bytes;	  /* without the instructions' bytes */
	bool no_source;	  /* without source lines */
	bool no_comments; /* without what objdump does not print */
};

/* Appends the text. -ENOENT when there is no program of that name. An unknown encoding is printed as "<unknown>". */
int bw_disasm(const struct bw_object *o, const struct bw_disasm_options *opts, struct bw_buf *out);
/* The comment for one instruction ("map events", "bpf_map_lookup_elem"), appended; nothing when there is none. */
void bw_disasm_comment(const struct bw_object *o, int32_t code, uint32_t insn, const struct bw_decoded *d,
		       struct bw_buf *out);

#endif
