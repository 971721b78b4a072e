// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign shape: operations per second of the file system layer, with fentry.
#include "sample.h"

LICENSE;

u64 stats[5];

#define COUNT(fn_, n_)                             \
	SEC("fentry/" #fn_)                        \
	int BPF_PROG(stat_##fn_)                   \
	{                                          \
		__sync_fetch_and_add(&stats[n_], 1); \
		return 0;                          \
	}
COUNT(vfs_read, 0)
COUNT(vfs_write, 1)
COUNT(vfs_fsync, 2)
COUNT(vfs_open, 3)
COUNT(vfs_create, 4)
