// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T13 and T05: a tracer and enforcer that decides on numbers which happen to be printable: the code segment of 64-bit
// processes is 0x33 ('3'), the command of a test run 10 (a line feed), and the kind of a classifier in a netlink message is "bpf".
#include "sample.h"

LICENSE;

struct event {
	u64 id;
	u64 command;
	u8 payload[64];
};
HASH(in_flight, u64, struct event, 8192);
HASH(policies, u32, u32, 64);
RINGBUF(trace, 1 << 20);

SEC("raw_tp/sys_enter")
int mode_enter(struct bpf_raw_tracepoint_args *ctx)
{
	struct pt_regs *regs = (void *)ctx->args[0];
	u64 id = bpf_get_current_pid_tgid();
	struct event e = { .id = ctx->args[1] };

	if (e.id != 1 || (BPF_CORE_READ(regs, cs) & 0xffff) != 0x33)
		return 0;
	e.command = PT_REGS_PARM1_CORE(regs);
	if ((u32)e.command == 10)
		return 0;
	bpf_probe_read_user(e.payload, sizeof(e.payload), (void *)PT_REGS_PARM2_CORE(regs));
	bpf_map_update_elem(&in_flight, &id, &e, BPF_ANY);
	return 0;
}

SEC("raw_tp/sys_exit")
int mode_exit(struct bpf_raw_tracepoint_args *ctx)
{
	u64 id = bpf_get_current_pid_tgid();
	struct event *e = bpf_map_lookup_elem(&in_flight, &id);

	if (!e)
		return 0;
	bpf_ringbuf_output(&trace, e, sizeof(*e), 0);
	bpf_map_delete_elem(&in_flight, &id);
	return 0;
}

/* int security_netlink_send(struct sock *sk, struct sk_buff *skb) */
SEC("fmod_ret/security_netlink_send")
int classifier_policy(u64 *ctx)
{
	u32 kind = 0, key, *denied;
	u64 data = 0;

	bpf_probe_read_kernel(&data, sizeof(data), (void *)(ctx[1] + 200));
	bpf_probe_read_kernel(&kind, sizeof(kind), (void *)(data + 40));
	if (kind != 0x00667062) /* "bpf" and its NUL */
		return 0;
	key = tgid();
	denied = bpf_map_lookup_elem(&policies, &key);
	if (denied && *denied)
		return -EPERM_;
	return 0;
}
