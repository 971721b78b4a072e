/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_LIVE_H
#define BW_LIVE_H
/*
 * Programs that are loaded in the running kernel, by id. The code is what BPF_OBJ_GET_INFO_BY_FD hands out: already
 * translated (dead code gone, helpers inlined, context accesses rewritten), so it can be analysed but not identified.
 * Needs CAP_SYS_ADMIN; without CAP_PERFMON and CAP_BPF the kernel leaves out the code.
 */
#include "auditor/object.h"

/*
 * Returns -ENOENT for an id that does not exist, -EPERM where the caller may not see it (also when the kernel left the
 * code out), -ENOSYS without bpf(2); @diag is filled.
 */
int bw_live_read(uint32_t id, struct bw_object **ret, struct bw_diag *diag);
/* The next loaded program's id after @id (0 to start). -ENOENT at the end, -EPERM. */
int bw_live_next(uint32_t id, uint32_t *ret);

#endif
