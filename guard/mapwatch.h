/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_MAPWATCH_H
#define BW_GUARD_MAPWATCH_H
/*
 * What a use of a map, and what a process that has read a labelled map sends, mean: names, severity, members of the event.
 * Pure.
 */
#include "common/json.h"
#include "guard/alert.h"
#include "guard/decode.h"

const char *mapwatch_op_name(uint32_t op);     /* "lookup", ...; NULL for an unknown one */
const char *mapwatch_kind_name(uint32_t kind); /* "connect", ... */

/*
 * High when somebody changes a map that another process made, or reads one that personal data flows into; who made it is
 * known only for maps made since the guard's programs are there.
 */
enum alert_severity mapwatch_access_severity(const struct decode_access *a, uint32_t tgid, uint64_t start_ns);
/* Critical when data leaves for another host; high when it goes to a file, a process of this host or a child. */
enum alert_severity mapwatch_egress_severity(const struct decode_egress *e);

void mapwatch_write_access(struct bw_json *j, const struct decode_event *e);
/* @map_name, @reader_exe: NULL when they are not known. */
void mapwatch_write_egress(struct bw_json *j, const struct decode_event *e, const char *map_name, const char *reader_exe);

#endif
