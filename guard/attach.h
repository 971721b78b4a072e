/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_ATTACH_H
#define BW_GUARD_ATTACH_H
/*
 * What an attach record means: who does what, to which target. Works out the raw bytes that the kernel side reports
 * (struct bw_event_attach). Pure.
 */
#include <stdint.h>

#include "common/json.h"
#include "guard/decode.h"
#include "guard/technique.h"

#define ATTACH_ENUMERATION 64u /* identifiers that a process asks for in vain: no bad luck any more */

struct attach_view {
	const char *way;	 /* "link", "perf_ioctl", "netlink_xdp", ... */
	const char *operation;	 /* "attach", "update", "detach", "run", "pin", "open", "iterate", "delegate", "receive" */
	const char *target_kind; /* "kprobe", "uprobe", "tracepoint", "function", "interface", "cgroup", ...; "" for none */
	char request[48];	 /* "link_create", "so_attach_filter", "rtm_newtfilter", ... */
	char target[BW_PATH_LEN + 64]; /* what of that kind: a name, "FILE:0xOFFSET", an interface's index */
	uint32_t ifindex;	 /* 0: none */
	uint32_t count;		 /* functions or offsets at once; 0: does not apply */
};

void attach_view(const struct decode_attach *a, struct attach_view *ret);

/* Members of the event that say what was attached where. @technique: NULL for none. */
void attach_write(struct bw_json *j, const struct decode_attach *a, const struct attach_view *v, const struct technique *technique);

#endif
