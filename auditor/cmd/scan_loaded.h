/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_SCAN_LOADED_H
#define BW_SCAN_LOADED_H
/*
 * scan --as-loaded: what the guard sees of an object in mode protect. The object is loaded into a kernel that is not there
 * (predict.h), and the instructions that it would have given to the real one are analysed.
 */
#include "auditor/scan_run.h"

/* Appends one object per file to @s. Returns 0 or -errno when no scan was possible; it has been said then. */
int scan_as_loaded(const struct bw_scan_files *files, struct bw_scan *s);

#endif
