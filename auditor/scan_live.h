/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_SCAN_LIVE_H
#define BW_SCAN_LIVE_H
/* Scans programs of the running kernel: read with privileges, analysed in the sandbox. */
#include "auditor/scan.h"

/*
 * Scans program @id; an unreadable one is a result, allocated from @arena like any other. -ENOENT when it is gone, -EPERM when
 * there is no sandbox, -ENOMEM.
 */
int bw_scan_live(uint32_t id, const struct bw_scan_options *opt, struct bw_arena *arena, struct bw_scan_object *ret);

#endif
