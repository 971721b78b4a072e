// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T34: a program of type SYSCALL that makes bpf() calls itself, the shape of a loader without a loader process.
#include "sample.h"

LICENSE;

struct job {
	u32 cmd, size;
	u8 attr[64];
};

SEC("syscall")
int self_loader(struct job *j)
{
	union bpf_attr attr;

	__builtin_memset(&attr, 0, sizeof(attr));
	__builtin_memcpy(&attr, j->attr, sizeof(j->attr));
	return bpf_sys_bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
}
