// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Near misses: sensitive data decides, but only a constant event or nothing leaves.
#include "sample.h"

LICENSE;

RINGBUF(out, 4096);
HASH(limits, u64, u32, 64);

SEC("uprobe/libpam.so.0:pam_get_authtok")
int BPF_KPROBE(pam_compare, void *pamh, int item, const char **tok)
{
	u64 one = 1;

	if (item == 6)
		bpf_ringbuf_output(&out, &one, sizeof(one), 0);
	return 0;
}

SEC("tracepoint/syscalls/sys_enter_write")
int write_compare(struct tp_enter *ctx)
{
	char head[4] = {};

	bpf_probe_read_user(head, sizeof(head), (void *)ctx->args[1]);
	if (STARTS(head, "HTTP"))
		return 1;
	return 0;
}

SEC("tracepoint/syscalls/sys_enter_openat")
int name_as_lookup_only(struct tp_enter *ctx)
{
	u64 name = 0;
	u32 *limit, n = 0;

	bpf_probe_read_user(&name, sizeof(name), (void *)ctx->args[1]);
	limit = bpf_map_lookup_elem(&limits, &name);
	if (limit)
		n = *limit;
	bpf_ringbuf_output(&out, &n, sizeof(n), 0);
	return 0;
}

SEC("xdp")
int const_verdict(struct xdp_md *ctx)
{
	u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;

	if (data + 64 <= end && data[60] == 1)
		asm volatile("");
	return XDP_PASS;
}
