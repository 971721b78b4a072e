// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The other bpf() commands and map descriptors: reported; those that attach or hand on are judged as well.
 */
#include "bpf/access.bpf.h"
#include "bpf/attach_command.bpf.h"

static __always_inline u32 attr_u32(const union bpf_attr *attr, u32 offset)
{
	u32 v = 0;

	bpf_probe_read_kernel(&v, sizeof(v), (const void *)attr + offset);
	return v;
}

/*
 * Before 6.9 the later hook sees rewritten instructions only. What is in user memory now is what the kernel is about to
 * copy, unless another thread changes it: good enough to ask for more than the tag, not to rely on alone. Memory that is
 * not resident cannot be read here; the tag then stands alone.
 */
static __noinline int digest_user(const union bpf_attr *attr)
{
	u32 zero = 0;
	struct bw_guard_self *self = bpf_map_lookup_elem(&bw_self, &zero);
	struct bw_scratch *s = scratch_get();
	u64 insns = 0;

	if (!s || !self || !attr)
		return 0;
	bpf_probe_read_kernel(&insns, sizeof(insns), (const void *)attr + __builtin_offsetof(union bpf_attr, insns));
	__builtin_memset(&s->load, 0, sizeof(s->load));
	insns_begin(s);
	if (!insns_digest(s, insns, s->call.insn_cnt, true, self->active & 1))
		return 0;
	__builtin_memcpy(s->call.digest, s->load.digest, sizeof(s->call.digest));
	for (int i = 0; i < BW_HELPER_WORDS; i++)
		s->call.helpers[i] = s->load.helpers[i];
	s->call.has_digest = 1;
	return 0;
}

/* Keeps what the later hooks of the same call want to know. @attr is the kernel's own copy. */
static __noinline int call_remember(u32 cmd, const union bpf_attr *attr, u32 size, u32 flags)
{
	u64 id = bpf_get_current_pid_tgid();
	struct bw_scratch *s = scratch_get();

	if (!s) {
		stat_add(BW_STAT_LOST_CONTEXT, 1);
		return 0;
	}
	__builtin_memset(&s->call, 0, sizeof(s->call));
	s->call.cmd = cmd;
	s->call.size = size;
	s->call.flags = flags;
	if (cmd == BPF_PROG_LOAD && attr) {
		s->call.insn_cnt = attr_u32(attr, __builtin_offsetof(union bpf_attr, insn_cnt));
		s->call.prog_flags = attr_u32(attr, __builtin_offsetof(union bpf_attr, prog_flags));
		if (attr_u32(attr, __builtin_offsetof(union bpf_attr, attach_prog_fd)))
			s->call.flags |= BW_LOAD_TARGET_ELSEWHERE;
		if (bw_user_digest)
			digest_user(attr);
	}
	s->call.pending = way_of_command(cmd);
	if (s->call.pending && attr) {
		bpf_probe_read_kernel(s->call.attr, attr_size(size), attr);
		call_before(&s->call);
	}
	if (bpf_map_update_elem(&bw_calls, &id, &s->call, BPF_ANY))
		stat_add(BW_STAT_LOST_CONTEXT, 1);
	return 0;
}

static __noinline int report_command(u32 cmd, const union bpf_attr *attr, u32 size, u32 flags)
{
	u32 zero = 0;
	struct bw_guard_self *self = bpf_map_lookup_elem(&bw_self, &zero);
	struct bw_scratch *s = scratch_get();

	if (!self)
		return 0;
	if (!s) {
		stat_add(BW_STAT_LOST_SCRATCH, 1);
		return 0;
	}
	__builtin_memset(&s->command, 0, sizeof(s->command));
	event_begin(&s->command.hdr, BW_EVENT_COMMAND, sizeof(s->command), BW_HOOK_BPF);
	bw_extract_actor();
	if (is_guard(&s->command.actor, self))
		return 0;
	s->command.cmd = cmd;
	s->command.flags = flags;
	s->command.size = size;
	bpf_probe_read_kernel(s->command.attr, attr_size(size), attr);
	stat_add(BW_STAT_COMMANDS, 1);
	event_emit(&s->command.hdr, sizeof(s->command), false);
	return 0;
}

/*
 * Judges a command that attaches or hands on. What is let through is reported when the call returns, with its result; what
 * will not be seen returning (the kernel's own calls, and a program that is run, which may make such calls) at once. 1: refuse.
 */
static __noinline int attach_command(void)
{
	u64 id = bpf_get_current_pid_tgid();
	struct bw_call *call = bpf_map_lookup_elem(&bw_calls, &id);
	u32 zero = 0;
	struct bw_guard_self *self = bpf_map_lookup_elem(&bw_self, &zero);
	struct bw_scratch *s = scratch_get();

	if (!self || !call)
		return 0;
	if (!s) {
		stat_add(BW_STAT_LOST_SCRATCH, 1);
		return 0;
	}
	if (!attach_begin(s, self, BW_HOOK_BPF, call->pending, call->cmd)) {
		call->pending = BW_WAY_NONE;
		return 0;
	}
	if (attach_call_fill(s, call)) {
		call->pending = BW_WAY_NONE;
		return 0;
	}
	if (bw_attach_judge()) {
		call->pending = BW_WAY_NONE;
		attach_emit(s);
		return 1;
	}
	if (call->flags & BW_LOAD_KERNEL || call->cmd == BPF_PROG_TEST_RUN) {
		call->pending = BW_WAY_NONE;
		attach_emit(s);
	}
	return 0;
}

static __always_inline int on_bpf(u32 cmd, const union bpf_attr *attr, u32 size, bool kernel)
{
	u32 zero = 0, offset, op = access_of_command(cmd, &offset), type = 0;
	struct bw_guard_self *self;
	int r = 0;

	if (op != NO_OP && attr)
		type = access_fd(attr_u32(attr, offset), op, BW_HOOK_BPF);
	/* Lookups, updates and queries are the hot path: out before anything else. */
	if ((cmd > 63 || !(bw_command_mask >> cmd & 1)) && !(cmd == BPF_MAP_UPDATE_ELEM && holds_programs(type)))
		return 0;
	self = bpf_map_lookup_elem(&bw_self, &zero);
	if (self && self->tgid == (u32)(bpf_get_current_pid_tgid() >> 32))
		stat_add(BW_STAT_CANARY, 1);
	call_remember(cmd, attr, size, kernel ? BW_LOAD_KERNEL : 0);
	if (way_of_command(cmd)) {
		if (attach_command())
			r = refusal();
	} else if (cmd != BPF_PROG_LOAD && cmd != BPF_MAP_CREATE) {
		report_command(cmd, attr, size, kernel ? BW_LOAD_KERNEL : 0);
	}
	return r;
}

/* bpf(2) returns: @ret as the process will see it. */
static __always_inline int bpf_done(long ret)
{
	u64 id = bpf_get_current_pid_tgid();
	struct bw_call *call = bpf_map_lookup_elem(&bw_calls, &id);

	if (call && call->pending) {
		attach_call_done(call, ret, BW_HOOK_BPF_DONE);
		call->pending = BW_WAY_NONE;
	}
	return 0;
}

static __always_inline int on_bpf_map(struct bpf_map *map, u32 fmode)
{
	u64 id = bpf_get_current_pid_tgid();
	struct bw_call *call = bpf_map_lookup_elem(&bw_calls, &id);
	struct bw_scratch *s = scratch_get();
	u32 zero = 0, cmd = call ? call->cmd : ~0u;
	struct bw_guard_self *self = bpf_map_lookup_elem(&bw_self, &zero);

	if (!self)
		return 0;
	if (!s) {
		stat_add(BW_STAT_LOST_SCRATCH, 1);
		return 0;
	}
	__builtin_memset(&s->map, 0, sizeof(s->map));
	event_begin(&s->map.hdr, BW_EVENT_MAP, sizeof(s->map), BW_HOOK_BPF_MAP);
	bw_extract_actor();
	if (is_guard(&s->map.actor, self))
		return 0;
	s->map.map_id = BPF_CORE_READ(map, id);
	s->map.map_type = BPF_CORE_READ(map, map_type);
	s->map.key_size = BPF_CORE_READ(map, key_size);
	s->map.value_size = BPF_CORE_READ(map, value_size);
	s->map.max_entries = BPF_CORE_READ(map, max_entries);
	s->map.map_flags = BPF_CORE_READ(map, map_flags);
	bpf_core_read(s->map.name, sizeof(s->map.name), &map->name);
	s->map.name[BW_OBJ_NAME_LEN - 1] = 0;
	s->map.cmd = cmd;
	s->map.fmode = fmode;
	if (cmd == BPF_MAP_CREATE) {
		struct bw_map_owner owner = { .start_ns = s->map.actor.start_ns, .tgid = s->map.actor.tgid };
		u32 map_id = s->map.map_id;

		bpf_map_update_elem(&bw_map_owners, &map_id, &owner, BPF_ANY);
	}
	stat_add(BW_STAT_MAPS, 1);
	event_emit(&s->map.hdr, sizeof(s->map), false);
	return 0;
}

SEC("lsm/bpf")
int bw_lsm_bpf(u64 *ctx)
{
	return on_bpf((u32)ctx[0], (const union bpf_attr *)ctx[1], (u32)ctx[2], bw_lsm_kernel_arg ? (bool)ctx[3] : false);
}

SEC("fmod_ret/security_bpf")
int bw_mod_bpf(u64 *ctx)
{
	return on_bpf((u32)ctx[0], (const union bpf_attr *)ctx[1], (u32)ctx[2], bw_lsm_kernel_arg ? (bool)ctx[3] : false);
}

SEC("fexit/__x64_sys_bpf")
int bw_done_bpf(u64 *ctx)
{
	return bpf_done((long)ctx[1]);
}

SEC("fexit/__ia32_sys_bpf")
int bw_done_bpf32(u64 *ctx)
{
	u64 id = bpf_get_current_pid_tgid();
	struct bw_call *call = bpf_map_lookup_elem(&bw_calls, &id);

	if (call)
		call->flags |= BW_LOAD_COMPAT;
	return bpf_done((long)ctx[1]);
}

SEC("lsm/bpf_map")
int bw_lsm_map(u64 *ctx)
{
	return on_bpf_map((struct bpf_map *)ctx[0], (u32)ctx[1]);
}

SEC("fmod_ret/security_bpf_map")
int bw_mod_map(u64 *ctx)
{
	return on_bpf_map((struct bpf_map *)ctx[0], (u32)ctx[1]);
}
