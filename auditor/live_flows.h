/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_LIVE_FLOWS_H
#define BW_LIVE_FLOWS_H
/* What a loaded program takes in and hands on, given where it is attached: read with privileges, analysed in the sandbox. */
#include <stdbool.h>
#include <stdint.h>

/* The attachment, in the words of section names: "kprobe" "tcp_sendmsg", "uprobe" "/usr/lib/libssl.so:SSL_write", "raw_tp" "sys_enter". */
struct bw_live_target {
	const char *rule, *target;
	bool ret; /* at the return */
};

struct bw_live_flows {
	uint32_t sources;  /* BW_SRC_BIT(): classes that reach a channel as bytes, not as a hash or a count of them */
	uint32_t channels; /* BW_CH_BIT() */
	bool complete;
};

/* @t may be NULL: not known. -ENOENT when the program is gone, -EPERM without privilege or sandbox, -EIO when the analysis failed. */
int bw_live_flows(uint32_t id, const struct bw_live_target *t, struct bw_live_flows *ret);

#endif
