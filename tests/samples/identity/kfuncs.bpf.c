// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// sample-min-kernel: 6.12
/* Calls of kernel functions (6.4), by BTF id: the id differs in every kernel build. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

extern int bpf_dynptr_from_xdp(struct xdp_md *x, __u64 flags, struct bpf_dynptr *ptr) __ksym;
extern void *bpf_dynptr_slice(const struct bpf_dynptr *ptr, __u32 offset, void *buffer, __u32 size) __ksym;

SEC("xdp")
int kfuncs(struct xdp_md *ctx)
{
	char buffer[14] = "";
	struct bpf_dynptr ptr;
	const char *mac;

	if (bpf_dynptr_from_xdp(ctx, 0, &ptr))
		return XDP_PASS;
	mac = bpf_dynptr_slice(&ptr, 0, buffer, sizeof(buffer));
	return mac && mac[0] == 1 ? XDP_DROP : XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
