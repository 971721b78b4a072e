/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_ATTACH_COMMAND_BPF_H
#define BW_ATTACH_COMMAND_BPF_H
/*
 * Layer 6: the bpf() commands by which something is attached, handed on or kept. The call's attributes are in struct bw_call:
 * copied by the kernel, or, in the watch tier, read from user memory when the call began.
 */
#include "bpf/attach.bpf.h"

static __always_inline enum bw_way way_of_command(u32 cmd)
{
	switch (cmd) {
	case BPF_LINK_CREATE:
	case BPF_LINK_UPDATE:
	case BPF_LINK_DETACH:
		return BW_WAY_LINK;
	case BPF_PROG_ATTACH:
	case BPF_PROG_DETACH:
		return BW_WAY_PROG_ATTACH;
	case BPF_RAW_TRACEPOINT_OPEN:
		return BW_WAY_RAW_TRACEPOINT;
	case BPF_PROG_TEST_RUN:
		return BW_WAY_TEST_RUN;
	case BPF_OBJ_PIN:
		return BW_WAY_PIN;
	case BPF_OBJ_GET:
		return BW_WAY_PIN_GET;
	case BPF_PROG_GET_FD_BY_ID:
	case BPF_MAP_GET_FD_BY_ID:
	case BPF_LINK_GET_FD_BY_ID:
		return BW_WAY_FD_BY_ID;
	case BPF_ITER_CREATE:
		return BW_WAY_ITERATOR;
	case 36: /* BPF_TOKEN_CREATE */
		return BW_WAY_TOKEN;
	case BPF_MAP_UPDATE_ELEM: /* only of maps for which holds_programs() */
		return BW_WAY_MAP_UPDATE;
	default:
		return BW_WAY_NONE;
	}
}

/* Maps by whose elements programs come to run. */
static __always_inline bool holds_programs(u32 map_type)
{
	switch (map_type) {
	case BPF_MAP_TYPE_PROG_ARRAY:
	case BPF_MAP_TYPE_DEVMAP:
	case BPF_MAP_TYPE_DEVMAP_HASH:
	case BPF_MAP_TYPE_CPUMAP:
	case BPF_MAP_TYPE_STRUCT_OPS:
		return true;
	default:
		return false;
	}
}

#define CALL_ATTR(call) ((const union bpf_attr *)(call)->attr)

static __always_inline struct bpf_link *link_of_fd(u32 fd, const struct bw_guard_self *self)
{
	const void *f_op = NULL;
	struct bpf_link *link = extract_fd_object(fd, &f_op);

	return link && is_link_fops(self, (u64)f_op) ? link : NULL;
}

/*
 * Before the kernel acts: what a link that is about to be changed holds now, and which program is about to be replaced or
 * traced: once it is attached it does not say so any more.
 */
static __noinline int call_before(struct bw_call *call)
{
	u32 zero = 0, cmd;
	struct bw_guard_self *self = bpf_map_lookup_elem(&bw_self, &zero);
	struct bpf_link *link;
	struct bpf_prog *prog, *dst = NULL;
	const void *f_op = NULL;

	if (!call || !self)
		return 0;
	cmd = call->cmd;
	if (cmd == BPF_LINK_CREATE || cmd == BPF_RAW_TRACEPOINT_OPEN) {
		prog = extract_fd_object(cmd == BPF_LINK_CREATE ? CALL_ATTR(call)->link_create.prog_fd : CALL_ATTR(call)->raw_tracepoint.prog_fd,
					 &f_op);
		if (prog && (u64)f_op == self->prog_fops && bpf_core_field_exists(((struct bpf_prog_aux *)0)->dst_prog))
			dst = BPF_CORE_READ(prog, aux, dst_prog);
		if (dst)
			call->target_prog_id = BPF_CORE_READ(dst, aux, id);
		return 0;
	}
	/* link_update.link_fd, link_detach.link_fd, iter_create.link_fd: all first. */
	if (cmd != BPF_LINK_UPDATE && cmd != BPF_LINK_DETACH && cmd != BPF_ITER_CREATE)
		return 0;
	link = link_of_fd(CALL_ATTR(call)->link_update.link_fd, self);
	if (!link)
		return 0;
	prog = BPF_CORE_READ(link, prog);
	call->link_id = BPF_CORE_READ(link, id);
	call->link_type = BPF_CORE_READ(link, type);
	if (prog)
		call->old_prog_id = BPF_CORE_READ(prog, aux, id);
	return 0;
}

static __noinline int attach_perf_fd(struct bw_scratch *s, u32 fd)
{
	u32 zero = 0;
	struct bw_guard_self *self = bpf_map_lookup_elem(&bw_self, &zero);
	const void *f_op = NULL;
	struct perf_event *event = extract_fd_object(fd, &f_op);

	if (!s || !self || !event || (u64)f_op != self->perf_fops)
		return 0;
	return attach_perf_event(s, event);
}

/* A string in the caller's memory. */
static __noinline int attach_user_text(struct bw_scratch *s, u64 address)
{
	long n;

	if (!s || !address)
		return 0;
	n = bpf_probe_read_user_str(s->attach.text, sizeof(s->attach.text), (void *)address);
	s->attach.flags |= BW_ATTACH_USER_MEMORY;
	s->attach.text_len = n > 0 ? (u32)n - 1 : 0;
	if (n == sizeof(s->attach.text))
		s->attach.flags |= BW_ATTACH_TEXT_TRUNCATED;
	return 0;
}

static __always_inline void attach_target_file(struct bw_scratch *s, u32 fd)
{
	struct file *file = file_of_fd(fd);

	if (!file)
		return;
	s->attach.target_ino = BPF_CORE_READ(file, f_inode, i_ino);
}

static __noinline int link_create_fill(struct bw_scratch *s, const struct bw_call *call)
{
	const union bpf_attr *attr;
	u64 first = 0;
	u32 type;

	if (!s || !call)
		return 0;
	attr = CALL_ATTR(call);
	type = attr->link_create.attach_type;
	s->attach.attach_type = type;
	if (type == 44 /* BPF_STRUCT_OPS: map_fd in the place of prog_fd */) {
		attach_object_fd(s, attr->link_create.prog_fd);
		return 0;
	}
	attach_prog_fd(s, attr->link_create.prog_fd);
	switch (type) {
	case BPF_PERF_EVENT:
		attach_perf_fd(s, attr->link_create.target_fd);
		break;
	case 42: /* BPF_TRACE_KPROBE_MULTI: an array of pointers to names; the first stands for all */
	case 56: /* BPF_TRACE_KPROBE_SESSION */
		if (call->attr[3] && !bpf_probe_read_user(&first, sizeof(first), (void *)call->attr[3]))
			attach_user_text(s, first);
		break;
	case AT_TRACE_UPROBE_MULTI:
	case AT_TRACE_UPROBE_SESSION:
		attach_user_text(s, call->attr[2]);
		break;
	case BPF_XDP:
	case 45: /* BPF_NETFILTER */
	case 46: /* BPF_TCX_INGRESS */
	case 47: /* BPF_TCX_EGRESS */
	case 54: /* BPF_NETKIT_PRIMARY */
	case 55: /* BPF_NETKIT_PEER */
		break; /* an interface's index, or nothing */
	default:
		if (attr->link_create.target_fd)
			attach_target_file(s, attr->link_create.target_fd);
	}
	return 0;
}

/*
 * A map is given an element: the program in it, whose descriptor is in the caller's memory. 1: there is none. Memory that
 * cannot be read may hold one.
 */
static __noinline int map_update_fill(struct bw_scratch *s, u64 value)
{
	u32 offset = 0, fd = 0;

	if (!s)
		return 0;
	if (s->attach.map_type == BPF_MAP_TYPE_STRUCT_OPS)
		return 0;
	if (s->attach.map_type != BPF_MAP_TYPE_PROG_ARRAY)
		offset = 4; /* struct bpf_devmap_val, struct bpf_cpumap_val: the second word, where it is that long */
	s->attach.flags |= BW_ATTACH_USER_MEMORY;
	if (bpf_probe_read_user(&fd, sizeof(fd), (void *)(value + offset)))
		return 0;
	return !attach_prog_fd(s, fd);
}

/* Everything the attributes say, with the descriptors resolved. 1: it is about no program after all. */
static __noinline int attach_call_fill(struct bw_scratch *s, struct bw_call *call)
{
	const union bpf_attr *attr;

	if (!s || !call)
		return 0;
	attr = CALL_ATTR(call);
	__builtin_memcpy(s->attach.attr, call->attr, sizeof(s->attach.attr));
	s->attach.attr_len = call->size < BW_ATTR_LEN ? call->size : BW_ATTR_LEN;
	if (call->flags & BW_LOAD_KERNEL)
		s->attach.flags |= BW_ATTACH_KERNEL;
	if (call->flags & BW_LOAD_COMPAT)
		s->attach.flags |= BW_ATTACH_COMPAT;
	if (bw_tier_watch)
		s->attach.flags |= BW_ATTACH_USER_MEMORY;
	s->attach.old_prog_id = call->old_prog_id;
	s->attach.link_id = call->link_id;
	s->attach.link_type = call->link_type;
	s->attach.target_prog_id = call->target_prog_id;
	switch (call->cmd) {
	case BPF_LINK_CREATE:
		link_create_fill(s, call);
		break;
	case BPF_LINK_UPDATE:
		attach_object_fd(s, attr->link_update.new_prog_fd);
		break;
	case BPF_PROG_ATTACH:
	case BPF_PROG_DETACH:
		s->attach.attach_type = attr->attach_type;
		if (attr->attach_bpf_fd)
			attach_prog_fd(s, attr->attach_bpf_fd);
		if (attr->attach_type == BPF_FLOW_DISSECTOR)
			s->attach.target_ino = s->attach.actor.net_ns; /* goes nowhere else */
		if (attr->target_fd && attr->attach_type != 46 && attr->attach_type != 47 && attr->attach_type != 54 &&
		    attr->attach_type != 55) {
			attach_target_file(s, attr->target_fd);
			attach_object_fd(s, attr->target_fd); /* a sockmap */
		}
		break;
	case BPF_RAW_TRACEPOINT_OPEN:
		attach_prog_fd(s, attr->raw_tracepoint.prog_fd);
		if (attr->raw_tracepoint.name) {
			s->attach.text_len = 0;
			attach_user_text(s, attr->raw_tracepoint.name);
		}
		break;
	case BPF_PROG_TEST_RUN:
		attach_prog_fd(s, attr->test.prog_fd);
		break;
	case BPF_OBJ_PIN:
	case BPF_OBJ_GET:
		if (call->cmd == BPF_OBJ_PIN)
			attach_object_fd(s, attr->bpf_fd);
		attach_user_text(s, attr->pathname);
		break;
	case BPF_ITER_CREATE:
		attach_object_fd(s, attr->iter_create.link_fd);
		break;
	case 36: /* BPF_TOKEN_CREATE */
		attach_target_file(s, (u32)(call->attr[0] >> 32)); /* token_create.bpffs_fd */
		break;
	case BPF_MAP_UPDATE_ELEM:
		attach_object_fd(s, attr->map_fd);
		return map_update_fill(s, attr->value);
	}
	return 0;
}

/* The call returned: what came of it. */
static __noinline int attach_call_result(struct bw_scratch *s, struct bw_call *call, long ret)
{
	if (!s || !call)
		return 0;
	s->attach.flags |= BW_ATTACH_HAS_RESULT;
	s->attach.error = (s32)ret;
	if (ret < 0)
		return 0;
	switch (call->cmd) {
	case BPF_LINK_CREATE:
	case BPF_RAW_TRACEPOINT_OPEN:
	case BPF_OBJ_GET:
	case BPF_PROG_GET_FD_BY_ID:
	case BPF_MAP_GET_FD_BY_ID:
	case BPF_LINK_GET_FD_BY_ID:
		attach_object_fd(s, (u32)ret);
	}
	return 0;
}

/*
 * A process tries identifiers: once may be bad luck, each one after the other is an enumeration. How often it has done so by now;
 * in the table of attempts against the guard, as one of their kinds that there is not.
 */
static __noinline u32 count_probe(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct bw_tamper_key key = { .what = BW_TAMPER_COUNT };
	u64 *seen, count = 1;

	key.tgid = (u32)(bpf_get_current_pid_tgid() >> 32);
	key.start_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	stat_add(BW_STAT_ID_PROBES, 1);
	seen = bpf_map_lookup_elem(&bw_tampers, &key);
	if (seen)
		count = *seen + 1;
	bpf_map_update_elem(&bw_tampers, &key, &count, BPF_ANY);
	return count > 0x80000000u ? 0x80000000u : (u32)count;
}

static __always_inline void attach_call_done(struct bw_call *call, long ret, enum bw_hook hook)
{
	u32 zero = 0;
	struct bw_guard_self *self = bpf_map_lookup_elem(&bw_self, &zero);
	struct bw_scratch *s = scratch_get();

	if (!self)
		return;
	if (!s) {
		stat_add(BW_STAT_LOST_SCRATCH, 1);
		return;
	}
	if (!attach_begin(s, self, hook, call->pending, call->cmd))
		return;
	if (attach_call_fill(s, call))
		return;
	attach_call_result(s, call, ret);
	bw_attach_judge();
	/* It was let through: had it been refused, the hook before would have said so. */
	if (s->attach.action == BW_ACTION_DENIED)
		s->attach.action = BW_ACTION_WOULD_DENY;
	if (call->pending == BW_WAY_FD_BY_ID && ret == -2 /* ENOENT */) {
		u32 n = count_probe();

		s->attach.attempts = n;
		if (n & (n - 1))
			return;
	}
	attach_emit(s);
}

#endif
