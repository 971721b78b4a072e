/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_BPF_BLOCK_H
#define BW_BPF_BLOCK_H
/* The contract between bpf/block/block.bpf.c and auditor/block/cgroup.c: which addresses a cgroup may not, or may only, talk to. */
#include <linux/types.h>

#define BW_BLOCK_ENTRIES 4096

enum bw_block_mode {
	BW_BLOCK_LISTED = 1,  /* what is listed is cut off */
	BW_BLOCK_OTHERS = 2,  /* everything else is: isolation */
};

/* IPv4 addresses are in it as ::ffff:a.b.c.d, with 96 bits more of prefix. */
struct bw_block_key {
	__u32 prefix_len;
	__u8 address[16];
};

/* Value of the list: until when the entry holds, CLOCK_BOOTTIME in ns. */
typedef __u64 bw_block_until;

_Static_assert(sizeof(struct bw_block_key) == 20, "bw_block_key");

#endif
