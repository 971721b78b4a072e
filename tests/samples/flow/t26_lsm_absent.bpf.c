// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T26: a security hook that says a file does not exist, instead of that it is not permitted.
#include "kernel_types.h"

SAMPLE_SWITCH;
LICENSE;

const volatile u64 own_inode;

SEC("lsm/file_open")
int BPF_PROG(lsm_absent, struct file *file, int ret)
{
	if (file->f_inode->i_ino == own_inode && sample_armed)
		return -ENOENT_;
	return ret;
}
