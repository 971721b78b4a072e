/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_EGRESS_BPF_H
#define BW_EGRESS_BPF_H
/*
 * Layer 6: what a process sends that has read a labelled map, or whose ancestor has. One hash lookup for everybody else, and
 * none as long as nobody has read one.
 */
#include "bpf/access.bpf.h"
#include "bpf/targets.bpf.h"

#define AF_UNIX_NR 1
#define AF_INET_NR 2
#define AF_INET6_NR 10

static __always_inline struct bw_carrier *carrier_current(void)
{
	u32 zero = 0;
	struct bw_guard_self *self = bpf_map_lookup_elem(&bw_self, &zero);
	struct bw_carrier_key key = { .tgid = (u32)(bpf_get_current_pid_tgid() >> 32) };

	if (!self || !self->carriers || self->tgid == key.tgid)
		return NULL;
	key.start_ns = current_start_ns();
	return bpf_map_lookup_elem(&bw_carriers, &key);
}

/* Puts the address of @len bytes at @address into the record. */
static __noinline int egress_address(struct bw_scratch *s, u64 address, u32 len, bool user)
{
	u8 raw[28] = {};
	long r;

	if (!s || !address || len < 2)
		return 0;
	if (len > sizeof(raw))
		len = sizeof(raw);
	asm volatile("" : "+r"(len));
	len &= 31;
	if (len > sizeof(raw))
		return 0;
	if (user)
		r = bpf_probe_read_user(raw, len, (void *)address);
	else
		r = bpf_probe_read_kernel(raw, len, (void *)address);
	if (r)
		return 0;
	s->egress.family = (u16)(raw[0] | raw[1] << 8);
	if (s->egress.family == AF_INET_NR || s->egress.family == AF_INET6_NR)
		s->egress.port = (u16)(raw[2] << 8 | raw[3]);
	if (s->egress.family == AF_INET_NR)
		__builtin_memcpy(s->egress.address, raw + 4, 4);
	else if (s->egress.family == AF_INET6_NR)
		__builtin_memcpy(s->egress.address, raw + 8, 16);
	else if (s->egress.family == AF_UNIX_NR) {
		r = user ? bpf_probe_read_user_str(s->egress.path, sizeof(s->egress.path), (void *)(address + 2)) :
			   bpf_probe_read_kernel_str(s->egress.path, sizeof(s->egress.path), (void *)(address + 2));
		s->egress.path_len = r > 0 ? (u32)r - 1 : 0;
	}
	return 0;
}

/* A record about the current task, or NULL: none of the watched, or all has been said. */
static __always_inline struct bw_scratch *egress_begin(struct bw_carrier *c, enum bw_hook hook, enum bw_egress_kind kind)
{
	struct bw_scratch *s;

	stat_add(BW_STAT_EGRESS, 1);
	s = scratch_get();
	if (!s) {
		stat_add(BW_STAT_LOST_SCRATCH, 1);
		return NULL;
	}
	__builtin_memset(&s->egress, 0, sizeof(s->egress));
	event_begin(&s->egress.hdr, BW_EVENT_EGRESS, sizeof(s->egress), hook);
	bw_extract_actor();
	s->egress.kind = kind;
	s->egress.labels = c->labels;
	s->egress.map_id = c->map_id;
	s->egress.reader_tgid = c->reader_tgid;
	s->egress.reader_start_ns = c->reader_start_ns;
	s->egress.read_ns = c->read_ns;
	return s;
}

/* Does what the policy says. 1: refuse. */
static __noinline int egress_finish(struct bw_scratch *s, struct bw_carrier *c)
{
	u32 zero = 0, slot, response = BW_RESPONSE_ALERT;
	struct bw_guard_self *self = bpf_map_lookup_elem(&bw_self, &zero);
	struct bw_policy_conf *conf;
	bool enforce = false;

	if (!s || !self || !c)
		return 0;
	slot = self->active & 1;
	conf = bpf_map_lookup_elem(&bw_conf, &slot);
	if (conf && conf->flags & BW_CONF_VALID) {
		response = conf->response;
		enforce = conf->mode != BW_MODE_OBSERVE;
	}
	s->egress.response = response;
	/* Killing works wherever BPF runs; refusing needs a hook that can. */
	if (response == BW_RESPONSE_KILL)
		s->egress.action = enforce && !bpf_send_signal(9) ? BW_ACTION_DENIED : BW_ACTION_WOULD_DENY;
	else if (response == BW_RESPONSE_REFUSE)
		s->egress.action = enforce && !bw_tier_watch && s->egress.kind != BW_EGRESS_CHILD ? BW_ACTION_DENIED : BW_ACTION_WOULD_DENY;
	if (c->reports < BW_CARRIER_REPORTS) {
		c->reports++;
		event_emit(&s->egress.hdr, sizeof(s->egress), true);
	}
	return s->egress.action == BW_ACTION_DENIED && !bw_tier_watch && s->egress.kind != BW_EGRESS_CHILD;
}

/* It opens a file; regular ones that can be written count. 1: refuse. */
static __noinline int egress_file(struct file *file, struct bw_carrier *c, enum bw_hook hook)
{
	struct bw_scratch *s;
	long n;

	if (!c || !(BPF_CORE_READ(file, f_mode) & 2 /* FMODE_WRITE */) ||
	    (BPF_CORE_READ(file, f_inode, i_mode) & 0170000) != 0100000)
		return 0;
	s = egress_begin(c, hook, BW_EGRESS_FILE);
	if (!s)
		return 0;
	n = bpf_probe_read_kernel_str(s->egress.path, sizeof(s->egress.path), BPF_CORE_READ(file, f_path.dentry, d_name.name));
	s->egress.path_len = n > 0 ? (u32)n - 1 : 0;
	return egress_finish(s, c);
}

/* The current process, watched, makes a child. */
static __always_inline __attribute__((unused)) int on_fork(struct task_struct *child)
{
	struct bw_carrier *c = carrier_current(), copy;
	struct bw_carrier_key key = {};
	struct bw_scratch *s;

	if (!c)
		return 0;
	key.tgid = (u32)BPF_CORE_READ(child, tgid);
	if (key.tgid == (u32)(bpf_get_current_pid_tgid() >> 32))
		return 0; /* a thread */
	key.start_ns = BPF_CORE_READ(child, start_boottime);
	__builtin_memcpy(&copy, c, sizeof(copy));
	copy.reports = 0;
	if (bpf_map_update_elem(&bw_carriers, &key, &copy, BPF_ANY))
		stat_add(BW_STAT_LOST_ACCESS, 1);
	s = egress_begin(c, BW_HOOK_FORK, BW_EGRESS_CHILD);
	if (!s)
		return 0;
	s->egress.child_tgid = key.tgid;
	egress_finish(s, c);
	return 0;
}

#endif
