/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_SUMMARY_H
#define BW_SUMMARY_H
/*
 * Everything the reader found in an object, as text: one line per thing, the same on every run. For people who wonder
 * what the reader saw, and for its golden tests.
 */
#include "auditor/object.h"
#include "common/buf.h"

void bw_object_summary(const struct bw_object *o, struct bw_buf *out);

#endif
