// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The type of a program whose section and prototype say nothing: loaders that set types themselves ("prog", "main", "filter")
 * leave none in the object. Some helpers exist for one type only, and packet programs take their data pointers from fixed
 * places of their context.
 */
#include <linux/bpf.h>
#include <stddef.h>

#include "auditor/reader.h"
#include "auditor/secname.h"
#include "common/cleanup.h"

#define OP_CALL 0x85
#define OP_LDX_W 0x61
#define OP_MOV64_REG 0xbf
#define OP_LD_IMM64 0x18

/* A helper, and the context structure of the programs that may call it. */
static const struct {
	int32_t helper;
	const char *context;
} owners[] = {
	{ BPF_FUNC_xdp_adjust_head, "xdp_md" },
	{ BPF_FUNC_xdp_adjust_meta, "xdp_md" },
	{ BPF_FUNC_xdp_adjust_tail, "xdp_md" },
	{ BPF_FUNC_xdp_output, "xdp_md" },
	{ BPF_FUNC_skb_store_bytes, "__sk_buff" },
	{ BPF_FUNC_l3_csum_replace, "__sk_buff" },
	{ BPF_FUNC_l4_csum_replace, "__sk_buff" },
	{ BPF_FUNC_clone_redirect, "__sk_buff" },
	{ BPF_FUNC_skb_vlan_push, "__sk_buff" },
	{ BPF_FUNC_skb_vlan_pop, "__sk_buff" },
	{ BPF_FUNC_skb_get_tunnel_key, "__sk_buff" },
	{ BPF_FUNC_skb_set_tunnel_key, "__sk_buff" },
	{ BPF_FUNC_skb_load_bytes, "__sk_buff" },
	{ BPF_FUNC_skb_change_proto, "__sk_buff" },
	{ BPF_FUNC_skb_change_tail, "__sk_buff" },
	{ BPF_FUNC_skb_change_head, "__sk_buff" },
	{ BPF_FUNC_skb_pull_data, "__sk_buff" },
	{ BPF_FUNC_skb_adjust_room, "__sk_buff" },
	{ BPF_FUNC_sock_map_update, "bpf_sock_ops" },
	{ BPF_FUNC_sock_hash_update, "bpf_sock_ops" },
	{ BPF_FUNC_sock_ops_cb_flags_set, "bpf_sock_ops" },
	{ BPF_FUNC_msg_redirect_map, "sk_msg_md" },
	{ BPF_FUNC_msg_redirect_hash, "sk_msg_md" },
	{ BPF_FUNC_msg_apply_bytes, "sk_msg_md" },
	{ BPF_FUNC_msg_pull_data, "sk_msg_md" },
	{ BPF_FUNC_bind, "bpf_sock_addr" },
	{ BPF_FUNC_sysctl_get_name, "bpf_sysctl" },
	{ BPF_FUNC_sk_select_reuseport, "sk_reuseport_md" },
	{ BPF_FUNC_probe_read, "pt_regs" },
	{ BPF_FUNC_probe_read_str, "pt_regs" },
	{ BPF_FUNC_probe_read_user, "pt_regs" },
	{ BPF_FUNC_probe_read_user_str, "pt_regs" },
	{ BPF_FUNC_probe_read_kernel, "pt_regs" },
	{ BPF_FUNC_probe_read_kernel_str, "pt_regs" },
	{ BPF_FUNC_probe_write_user, "pt_regs" },
	{ BPF_FUNC_override_return, "pt_regs" },
	{ BPF_FUNC_get_current_comm, "pt_regs" },
};

static const char *owner_of(int32_t helper)
{
	for (size_t i = 0; i < ARRAY_SIZE(owners); i++)
		if (owners[i].helper == helper)
			return owners[i].context;
	return NULL;
}

const char *bw_program_use(const struct bw_insn *insns, uint32_t n, bool *ret_reads_context)
{
	uint16_t ctx = 1u << 1; /* registers that hold the context; followed in a straight line, which is how programs begin */
	bool xdp_data = false, xdp_end = false, skb_data = false, skb_end = false;
	const char *by_helper = NULL;

	*ret_reads_context = false;
	for (uint32_t i = 0; i < n; i++) {
		const struct bw_insn *d = &insns[i];
		unsigned int class = d->code & 7;

		if (class == 1 && d->src < 11 && ctx >> d->src & 1) {
			*ret_reads_context = true;
			if (d->code == OP_LDX_W) {
				xdp_data |= d->off == offsetof(struct xdp_md, data);
				xdp_end |= d->off == offsetof(struct xdp_md, data_end);
				skb_data |= d->off == offsetof(struct __sk_buff, data);
				skb_end |= d->off == offsetof(struct __sk_buff, data_end);
			}
		}
		if (d->code == OP_CALL) {
			if (ctx >> 1 & 1)
				*ret_reads_context = true;
			if (!by_helper && !d->src)
				by_helper = owner_of(d->imm);
			ctx &= (uint16_t)~0x3fu;
		} else if (d->code == OP_MOV64_REG && d->dst < 11 && d->src < 11) {
			ctx = (uint16_t)((ctx & ~(1u << d->dst)) | (ctx >> d->src & 1u) << d->dst);
		} else if ((class == 0 || class == 1 || class == 4 || class == 7) && d->dst < 11) {
			ctx &= (uint16_t)~(1u << d->dst);
		}
		if (d->code == OP_LD_IMM64)
			i++;
	}
	if (skb_data && skb_end)
		return "__sk_buff";
	if (by_helper)
		return by_helper;
	return xdp_data && xdp_end ? "xdp_md" : NULL;
}
