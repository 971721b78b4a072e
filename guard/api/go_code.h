/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_API_GO_CODE_H
#define BW_GUARD_API_GO_CODE_H
/*
 * Functions of Go programs, found through the table that the runtime needs for its stack traces (.gopclntab): it is there in
 * stripped programs too. Layout of Go 1.18 (magic 0xfffffff0) and 1.20 on (0xfffffff1): $GOROOT/src/internal/abi/symtab.go and
 * runtime/symtab.go, pcHeader. Earlier ones have no register ABI or are no longer maintained: not supported. Pure, for
 * bytes that nobody vouches for.
 */
#include "guard/api/elf_code.h"

#define GO_CODE_MAX_FUNCTIONS 4000000u

/*
 * Looks functions up. Returns how many of @wanted are there; -ENOENT when this is no Go program, -EOPNOTSUPP when it is one of
 * an unsupported version, -EBADMSG when its table is damaged.
 */
int go_code_functions(const struct elf_code *e, struct elf_code_symbol *wanted, unsigned int n);

#endif
