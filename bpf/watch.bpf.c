// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The watch tier: sees bpf(2) at its entry and exit where no trampoline is allowed. It refuses nothing. What it reads of
 * the instructions is user memory, after the kernel has read it: marked as such, since another thread can change it.
 */
#include "bpf/access.bpf.h"
#include "bpf/attach_command.bpf.h"

#define NR_BPF_X86_64 321
#define NR_BPF_IA32 357
#define BW_CMD_MASK 0xffffu	     /* 7.3: BPF_COMMON_ATTRS is 1 << 16 */

/* Is this system call bpf(2), by either entry? */
static __always_inline bool is_bpf(long nr, bool *ret_compat)
{
	if (nr != NR_BPF_X86_64 && nr != NR_BPF_IA32)
		return false;
	*ret_compat = is_compat();
	return nr == (*ret_compat ? NR_BPF_IA32 : NR_BPF_X86_64);
}

SEC("raw_tp/sys_enter")
int bw_sys_enter(u64 *ctx)
{
	struct pt_regs___x86 *regs = (void *)ctx[0];
	u64 id = bpf_get_current_pid_tgid(), uattr;
	struct bw_scratch *s;
	struct bw_call *call;
	bool compat;
	u32 cmd, size, offset, op, fd = 0, type = 0;

	if (!is_bpf((long)ctx[1], &compat))
		return 0;
	if (compat) {
		cmd = (u32)BPF_CORE_READ(regs, bx);
		uattr = (u32)BPF_CORE_READ(regs, cx);
	} else {
		cmd = (u32)BPF_CORE_READ(regs, di);
		uattr = BPF_CORE_READ(regs, si);
	}
	size = (u32)BPF_CORE_READ(regs, dx);
	cmd &= BW_CMD_MASK;
	op = access_of_command(cmd, &offset);
	if (op != NO_OP) {
		/* At entry, too: afterwards the descriptor may stand for something else. */
		if (!bpf_probe_read_user(&fd, sizeof(fd), (void *)(uattr + offset)))
			type = access_fd(fd, op, BW_HOOK_SYS_BPF);
	}
	if ((cmd > 63 || !(bw_command_mask >> cmd & 1)) && !(cmd == BPF_MAP_UPDATE_ELEM && holds_programs(type)))
		return 0;
	s = scratch_get();
	if (!s) {
		stat_add(BW_STAT_LOST_CONTEXT, 1);
		return 0;
	}
	call = &s->call;
	__builtin_memset(call, 0, sizeof(*call));
	call->cmd = cmd;
	call->size = size;
	call->flags = compat ? BW_LOAD_COMPAT : 0;
	/* At entry: afterwards another thread may have changed it, and the kernel itself writes results into it. */
	bpf_probe_read_user(call->attr, attr_size(size), (void *)uattr);
	call->pending = way_of_command(cmd);
	if (call->pending)
		call_before(call);
	if (bpf_map_update_elem(&bw_calls, &id, call, BPF_ANY))
		stat_add(BW_STAT_LOST_CONTEXT, 1);
	return 0;
}

static __always_inline void load_from_attr(struct bw_event_load *e, const struct bw_call *call)
{
	const union bpf_attr *attr = (const void *)call->attr;

	e->prog_type = attr->prog_type;
	e->insn_cnt = attr->insn_cnt;
	e->prog_flags = attr->prog_flags;
	e->expected_attach_type = attr->expected_attach_type;
	/* bpf_prog_load_fixup_attach_type(): what the kernel makes of an attach type that was left out. */
	if (!e->expected_attach_type && e->prog_type == BPF_PROG_TYPE_CGROUP_SOCK)
		e->expected_attach_type = BPF_CGROUP_INET_SOCK_CREATE;
	if (!e->expected_attach_type && e->prog_type == BPF_PROG_TYPE_SK_REUSEPORT)
		e->expected_attach_type = BPF_SK_REUSEPORT_SELECT;
	e->attach_btf_id = attr->attach_btf_id;
	if (attr->attach_prog_fd)
		e->load_flags |= BW_LOAD_TARGET_ELSEWHERE;
	__builtin_memcpy(e->name, attr->prog_name, sizeof(e->name));
	e->name[BW_OBJ_NAME_LEN - 1] = 0;
}

/* What the kernel made of the load: its id and tag, from the descriptor it has just returned. */
static __always_inline struct bpf_prog *load_from_fd(struct bw_event_load *e, u32 fd, const struct bw_guard_self *self)
{
	const void *f_op = NULL;
	struct bpf_prog *prog = extract_fd_object(fd, &f_op);

	if (!prog || (u64)f_op != self->prog_fops)
		return NULL;
	e->prog_id = BPF_CORE_READ(prog, aux, id);
	bpf_core_read(e->tag, sizeof(e->tag), &prog->tag);
	return prog;
}

static __noinline int watch_load(struct bw_call *call, long ret)
{
	u64 start = bpf_ktime_get_boot_ns();
	u32 zero = 0, slot;
	struct bw_guard_self *self = bpf_map_lookup_elem(&bw_self, &zero);
	struct bw_scratch *s = scratch_get();
	struct bpf_prog *prog = NULL;

	if (!call || !self)
		return 0;
	if (!s) {
		stat_add(BW_STAT_LOADS, 1);
		stat_add(BW_STAT_LOST_SCRATCH, 1);
		return 0;
	}
	slot = self->active & 1;
	__builtin_memset(&s->load, 0, sizeof(s->load));
	insns_begin(s);
	event_begin(&s->load.hdr, BW_EVENT_LOAD, sizeof(s->load), BW_HOOK_SYS_BPF);
	bw_extract_actor();
	load_from_attr(&s->load, call);
	s->load.load_flags |= call->flags;
	s->load.error = (s32)ret;
	if (ret >= 0)
		prog = load_from_fd(&s->load, (u32)ret, self);
	if (insns_digest(s, ((union bpf_attr *)call->attr)->insns, s->load.insn_cnt, true, slot)) {
		s->load.identity = BW_IDENTITY_DIGEST_USER;
	} else {
		s->load.load_flags |= BW_LOAD_HELPERS_UNKNOWN | BW_LOAD_INSNS_TRUNCATED;
		stat_add(BW_STAT_READ_FAILED, 1);
		if (ret >= 0) {
			__builtin_memset(s->load.digest, 0, sizeof(s->load.digest));
			__builtin_memcpy(s->load.digest, s->load.tag, sizeof(s->load.tag));
			s->load.identity = BW_IDENTITY_TAG;
		}
	}
	verdict_load(s, self, slot);
	if (prog)
		program_note(s, prog);
	verdict_finish(s, slot);
	s->load.hook_ns = bpf_ktime_get_boot_ns() - start;
	event_emit(&s->load.hdr, sizeof(s->load), s->load.action != BW_ACTION_ALLOWED);
	return 0;
}

static __noinline int watch_command(struct bw_call *call, long ret)
{
	u32 zero = 0;
	struct bw_guard_self *self = bpf_map_lookup_elem(&bw_self, &zero);
	struct bw_scratch *s = scratch_get();

	if (!call || !self)
		return 0;
	if (!s) {
		stat_add(BW_STAT_LOST_SCRATCH, 1);
		return 0;
	}
	__builtin_memset(&s->command, 0, sizeof(s->command));
	event_begin(&s->command.hdr, BW_EVENT_COMMAND, sizeof(s->command), BW_HOOK_SYS_BPF);
	bw_extract_actor();
	if (is_guard(&s->command.actor, self))
		return 0;
	s->command.cmd = call->cmd;
	s->command.flags = call->flags;
	s->command.size = call->size;
	s->command.error = (s32)ret;
	__builtin_memcpy(s->command.attr, call->attr, sizeof(s->command.attr));
	stat_add(BW_STAT_COMMANDS, 1);
	event_emit(&s->command.hdr, sizeof(s->command), false);
	return 0;
}

SEC("raw_tp/sys_exit")
int bw_sys_exit(u64 *ctx)
{
	struct pt_regs___x86 *regs = (void *)ctx[0];
	u64 id = bpf_get_current_pid_tgid();
	u32 zero = 0;
	struct bw_guard_self *self;
	struct bw_call *call;
	bool compat;

	if (!is_bpf((long)BPF_CORE_READ(regs, orig_ax), &compat))
		return 0;
	self = bpf_map_lookup_elem(&bw_self, &zero);
	if (self && self->tgid == (u32)(id >> 32))
		stat_add(BW_STAT_CANARY, 1);
	call = bpf_map_lookup_elem(&bw_calls, &id);
	if (!call)
		return 0;
	if (call->cmd == BPF_PROG_LOAD)
		watch_load(call, (long)ctx[1]);
	else if (call->pending)
		attach_call_done(call, (long)ctx[1], BW_HOOK_SYS_BPF);
	else
		watch_command(call, (long)ctx[1]);
	bpf_map_delete_elem(&bw_calls, &id);
	return 0;
}
