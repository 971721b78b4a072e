// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T16: a proxy's sockops program that adds the client's address as a TCP option.
#include "sample.h"

LICENSE;

struct toa {
	u8 kind, len;
	__be16 port;
	__be32 addr;
};
HASH(clients, u64, struct toa, 8192);

SEC("sockops")
int add_option(struct bpf_sock_ops *ops)
{
	u64 cookie = bpf_get_socket_cookie(ops);
	struct toa *t;

	switch (ops->op) {
	case BPF_SOCK_OPS_TCP_CONNECT_CB:
		bpf_sock_ops_cb_flags_set(ops, BPF_SOCK_OPS_WRITE_HDR_OPT_CB_FLAG);
		break;
	case BPF_SOCK_OPS_HDR_OPT_LEN_CB:
		if (bpf_map_lookup_elem(&clients, &cookie))
			bpf_reserve_hdr_opt(ops, sizeof(*t), 0);
		break;
	case BPF_SOCK_OPS_WRITE_HDR_OPT_CB:
		t = bpf_map_lookup_elem(&clients, &cookie);
		if (t)
			bpf_store_hdr_opt(ops, t, sizeof(*t), 0);
		break;
	}
	return 1;
}
