// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// sample-min-kernel: 5.10
/* Weak kernel functions: one that newer kernels have (6.4), one that none has. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct bpf_dynptr;
extern int bpf_dynptr_from_xdp(struct xdp_md *x, __u64 flags, struct bpf_dynptr *ptr) __ksym __weak;
extern int bpf_no_such_kfunc(int x) __ksym __weak;

SEC("xdp")
int kfuncs_weak(struct xdp_md *ctx)
{
	__u64 ptr[2] __attribute__((aligned(8)));

	if (bpf_no_such_kfunc)
		return bpf_no_such_kfunc(1);
	if (bpf_dynptr_from_xdp)
		return bpf_dynptr_from_xdp(ctx, 0, (void *)ptr) ? XDP_ABORTED : XDP_PASS;
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
