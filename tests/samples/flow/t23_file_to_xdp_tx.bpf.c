// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T23: XDP answers a probe packet with file content that an fexit program put into an array.
#include "kernel_types.h"
#include "net.h"

SAMPLE_SWITCH;
LICENSE;

struct page {
	u8 data[32];
};
ARRAY(page, struct page, 1);

SEC("fexit/vfs_read")
int BPF_PROG(page_fill, struct file *file, char *buf, size_t count, s64 *pos, long ret)
{
	u32 zero = 0;
	struct page *p = bpf_map_lookup_elem(&page, &zero);

	if (p && ret >= (long)sizeof(p->data))
		bpf_probe_read_user(p->data, sizeof(p->data), buf);
	return 0;
}

SEC("xdp")
int page_reply(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct iphdr *ip = ipv4(data, end);
	u8 *payload = data + UDP_PAYLOAD_OFF;
	u32 zero = 0;
	struct page *p = bpf_map_lookup_elem(&page, &zero);
	__be32 addr;

	if (!ip || !p || (void *)(payload + sizeof(p->data)) > end || !sample_armed)
		return XDP_PASS;
	__builtin_memcpy(payload, p->data, sizeof(p->data));
	addr = ip->saddr;
	ip->saddr = ip->daddr;
	ip->daddr = addr;
	return XDP_TX;
}
