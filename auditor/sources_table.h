/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_SOURCES_TABLE_H
#define BW_SOURCES_TABLE_H
/* What the tables of sources*.c share: rows are written short. */
#include "auditor/sources.h"

#define S(x) BW_SRC_BIT(BW_SRC_##x)
#define U(c, n) { BW_ARG_USER_PTR, c, n, "" }
#define P(c, n) { BW_ARG_POINTERS, c, n, "" }
#define N(n) { BW_ARG_NUMBER, S(PROCESS_METADATA), n, "" }
#define BUF S(SYSCALL_BUFFER)
#define NAME S(FILE_NAME)
#define MEM S(USER_MEMORY)

/* Argument @i of the function @a is attached to, by its name; false when nothing is known about it. */
bool bw_user_func_arg(const struct bw_attach *a, int i, struct bw_arg *ret);
bool bw_kernel_func_arg(const struct bw_attach *a, int i, struct bw_arg *ret);
uint32_t bw_user_func_classes(const struct bw_attach *a); /* of all that such a function's arguments lead to */

#endif
