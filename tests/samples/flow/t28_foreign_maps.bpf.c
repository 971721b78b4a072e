// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T28: a program of type SYSCALL that takes hold of maps by their numbers, whoever they belong to.
#include "sample.h"

SAMPLE_SWITCH;
LICENSE;

SEC("syscall")
int foreign_maps(void *ctx)
{
	union bpf_attr attr;
	int fd;

	__builtin_memset(&attr, 0, sizeof(attr));
	attr.map_id = 1;
	if (!sample_armed)
		return 0;
	fd = bpf_sys_bpf(BPF_MAP_GET_FD_BY_ID, &attr, sizeof(attr));
	if (fd >= 0)
		bpf_sys_close(fd);
	return 0;
}
