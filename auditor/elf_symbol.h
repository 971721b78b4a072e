/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_ELF_SYMBOL_H
#define BW_ELF_SYMBOL_H
/* Which function of an executable or a library an offset lies in. */
#include "common/slice.h"

/* The name, inside @file; NULL when no symbol table knows it. @offset counts from the beginning of the file, as a uprobe's does. */
const char *elf_symbol_at(struct bw_slice file, uint64_t offset);

#endif
