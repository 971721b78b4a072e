// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// sample-min-kernel: 5.10
/* Attached by BTF id: a function, a raw tracepoint and an LSM hook of the kernel. Hosts that refuse trampolines refuse them. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

__u64 calls;

SEC("tp_btf/sys_enter")
int typed_tracepoint(void *ctx)
{
	calls++;
	return 0;
}

SEC("fentry/vfs_read")
int typed_function(void *ctx)
{
	calls += 2;
	return 0;
}

SEC("lsm/file_open")
int typed_hook(void *ctx)
{
	calls += 4;
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
