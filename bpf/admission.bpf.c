// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Admission: judges program loads inside the kernel. The same two programs exist for BPF LSM and, where that is not
 * active, for fmod_ret on the security_* functions; the loader attaches one kind.
 *   bpf_prog_load  from 6.9: original instructions, load digest
 *   bpf_prog       before: instructions are rewritten already; identity is the kernel's tag
 */
#include "bpf/hold.bpf.h"

/* Clears what a previous load may have left; the arrays of names are overwritten as a whole. */
static __always_inline void load_begin(struct bw_scratch *s, enum bw_hook hook)
{
	__builtin_memset(&s->load, 0, sizeof(s->load));
	insns_begin(s);
	event_begin(&s->load.hdr, BW_EVENT_LOAD, sizeof(s->load), hook);
	bw_extract_actor();
}

static __always_inline void load_from_prog(struct bw_event_load *e, struct bpf_prog *prog)
{
	struct bpf_prog_aux *aux = BPF_CORE_READ(prog, aux);

	e->prog_type = BPF_CORE_READ(prog, type);
	e->expected_attach_type = BPF_CORE_READ(prog, expected_attach_type);
	e->attach_btf_id = BPF_CORE_READ(aux, attach_btf_id);
	bpf_core_read(e->name, sizeof(e->name), &aux->name);
	e->name[BW_OBJ_NAME_LEN - 1] = 0;
}

static __always_inline int try_again(void)
{
	int r = -11; /* EAGAIN */

	asm volatile("%0 = -11" : "=r"(r));
	return r;
}

/* No scratch memory: nothing is known about the load. Fail as the policy's mode says; the loss is counted. */
static __noinline int no_scratch(void)
{
	u32 zero = 0, slot = 0;
	struct bw_guard_self *self = bpf_map_lookup_elem(&bw_self, &zero);
	struct bw_policy_conf *conf;

	stat_add(BW_STAT_LOADS, 1);
	stat_add(BW_STAT_LOST_SCRATCH, 1);
	if (self)
		slot = self->active & 1;
	conf = bpf_map_lookup_elem(&bw_conf, &slot);
	if (conf && conf->flags & BW_CONF_VALID && conf->mode != BW_MODE_OBSERVE && !bw_tier_watch) {
		stat_add(BW_STAT_LOADS_DENIED, 1);
		return refusal();
	}
	return 0;
}

static __always_inline int judge_prog_load(struct bpf_prog *prog, union bpf_attr *attr, bool kernel)
{
	u64 start = bpf_ktime_get_boot_ns();
	u32 zero = 0, slot, elsewhere = 0;
	struct bw_guard_self *self = bpf_map_lookup_elem(&bw_self, &zero);
	struct bw_scratch *s = scratch_get();
	bool deny, again;
	u64 insns;

	if (!s)
		return no_scratch();
	if (!self)
		return 0;
	slot = self->active & 1;
	load_begin(s, BW_HOOK_BPF_PROG_LOAD);
	load_from_prog(&s->load, prog);
	s->load.insn_cnt = BPF_CORE_READ(prog, len);
	bpf_probe_read_kernel(&s->load.prog_flags, sizeof(u32), &attr->prog_flags);
	bpf_probe_read_kernel(&elsewhere, sizeof(elsewhere), &attr->attach_prog_fd);
	if (elsewhere)
		s->load.load_flags |= BW_LOAD_TARGET_ELSEWHERE;
	if (kernel)
		s->load.load_flags |= BW_LOAD_KERNEL;
	insns = address_of(prog) + bpf_core_field_offset(struct bpf_prog, insnsi);
	if (insns_digest(s, insns, s->load.insn_cnt, false, slot)) {
		s->load.identity = BW_IDENTITY_DIGEST;
	} else {
		s->load.load_flags |= BW_LOAD_INSNS_TRUNCATED | BW_LOAD_HELPERS_UNKNOWN;
		stat_add(BW_STAT_READ_FAILED, 1);
	}
	verdict_load(s, self, slot);
	if (hold_applies(s, self, slot))
		bw_hold(slot, insns, address_of(attr), kernel);
	program_note(s, prog);
	again = s->load.hold == BW_HOLD_AGAIN;
	deny = !again && verdict_finish(s, slot);
	if (note_applies(s, self, slot))
		bw_hold_note(insns, address_of(attr), kernel);
	s->load.hook_ns = bpf_ktime_get_boot_ns() - start;
	event_emit(&s->load.hdr, sizeof(s->load),
		   s->load.action != BW_ACTION_HELD &&
			   (s->load.action != BW_ACTION_ALLOWED || s->load.reason == BW_REASON_UNANSWERED));
	return again ? try_again() : deny ? refusal() : 0;
}

/* ---- before 6.9 ----------------------------------------------------------------------------------------------------- */

#define BW_XLATED_BLOCKS 1024 /* of 8 instructions: what a bounded loop may look at on 5.10 */

/*
 * Notes the helpers that eight rewritten instructions call, @n of which count. A resolved call holds the helper's address
 * relative to __bpf_call_base; calls that the verifier inlined are gone, and map helpers often call the map type's own
 * function, which nobody can name here. Returns 1 when they cannot be read. Global, so
 * that the verifier of 5.10 need not follow it a thousand times.
 */
__noinline int bw_xlated_block(u64 address, u32 n)
{
	struct bw_scratch *s = scratch_get();
	u64 w[8] = {};

	if (!s)
		return 1;
	/* The last block may end before its eighth instruction: then one by one. */
	if (n >= 8) {
		if (bpf_probe_read_kernel(w, sizeof(w), (void *)address))
			return 1;
	} else {
		for (u32 k = 0; k < 7; k++)
			if (k < n && bpf_probe_read_kernel(&w[k], 8, (void *)(address + k * 8)))
				return 1;
	}
	for (u32 k = 0; k < 8; k++) {
		s32 imm = (s32)INSN_IMM(w[k]);
		u32 *id;

		note_memory(s, w[k]);
		if (INSN_CODE(w[k]) != CALL)
			continue;
		if (INSN_SRC(w[k]) == 2)
			s->load.kfunc_count++;
		if (INSN_SRC(w[k]) != 0)
			continue;
		s->helper_calls++;
		id = bpf_map_lookup_elem(&bw_helper_imms, &imm);
		if (id)
			note_helper(s, *id);
		else
			s->unresolved_calls++;
	}
	return 0;
}

static __always_inline void helpers_from_xlated(struct bw_scratch *s, u64 base, u32 len)
{
	u32 i;

	s->load.load_flags |= BW_LOAD_HELPERS_FROM_XLATED;
	bpf_probe_read_kernel(&s->first, sizeof(s->first), (void *)base);
	for (i = 0; i < BW_XLATED_BLOCKS; i++) {
		if (i * 8 >= len)
			return;
		if (bw_xlated_block(base + (u64)i * 64, len - i * 8))
			break;
	}
	s->load.load_flags |= BW_LOAD_HELPERS_UNKNOWN;
}

static __always_inline int judge_prog_fd(struct bpf_prog *prog)
{
	u64 start = bpf_ktime_get_boot_ns(), id = bpf_get_current_pid_tgid();
	struct bw_call *call = bpf_map_lookup_elem(&bw_calls, &id);
	u32 zero = 0, slot, prog_id, len;
	struct bw_guard_self *self = bpf_map_lookup_elem(&bw_self, &zero);
	struct bw_scratch *s = scratch_get();
	bool is_load = !call || call->cmd == BPF_PROG_LOAD;
	bool deny;
	u8 one = 1;

	prog_id = BPF_CORE_READ(prog, aux, id);
	/* Whoever asks for a descriptor of what was admitted at its load, or was there before, gets it. */
	if (!is_load && bpf_map_lookup_elem(&bw_admitted, &prog_id))
		return 0;
	if (!s)
		return no_scratch();
	if (!self)
		return 0;
	slot = self->active & 1;
	load_begin(s, BW_HOOK_BPF_PROG);
	load_from_prog(&s->load, prog);
	s->load.prog_id = prog_id;
	bpf_core_read(s->load.tag, sizeof(s->load.tag), &prog->tag);
	len = BPF_CORE_READ(prog, len);
	if (call && is_load) {
		s->load.insn_cnt = call->insn_cnt;
		s->load.prog_flags = call->prog_flags;
		s->load.load_flags |= call->flags;
		/* Calls that the verifier has inlined are seen only there. */
		for (int i = 0; i < BW_HELPER_WORDS; i++)
			s->load.helpers[i] = call->helpers[i];
	}
	if (call && is_load && call->has_digest) {
		__builtin_memcpy(s->load.digest, call->digest, sizeof(s->load.digest));
		s->load.identity = BW_IDENTITY_TAG_DIGEST;
	} else {
		__builtin_memcpy(s->load.digest, s->load.tag, sizeof(s->load.tag));
		s->load.identity = BW_IDENTITY_TAG;
	}
	helpers_from_xlated(s, address_of(prog) + bpf_core_field_offset(struct bpf_prog, insnsi), len);
	/* Before 6.9 nobody can tell from the rewritten instructions whose maps they use. */
	s->load.load_flags |= BW_LOAD_FOREIGN_MAP & (call && is_load ? 0 : ~0u);
	verdict_load(s, self, slot);
	if (hold_applies(s, self, slot))
		hold_unanswered(s, bpf_map_lookup_elem(&bw_conf, &slot), BW_HOLD_NO_HOOK);
	if (!is_load && s->load.verdict == BW_VERDICT_DENY)
		s->load.reason = BW_REASON_NOT_ADMITTED;
	program_note(s, prog);
	deny = verdict_finish(s, slot);
	if (!deny)
		bpf_map_update_elem(&bw_admitted, &prog_id, &one, BPF_ANY);
	s->load.hook_ns = bpf_ktime_get_boot_ns() - start;
	event_emit(&s->load.hdr, sizeof(s->load), s->load.action != BW_ACTION_ALLOWED);
	return deny ? refusal() : 0;
}

/* ---- entry points: ctx holds the arguments of the hook, one word each ------------------------------------------------ */

SEC("lsm/bpf_prog_load")
int bw_lsm_prog_load(u64 *ctx)
{
	return judge_prog_load((struct bpf_prog *)ctx[0], (union bpf_attr *)ctx[1],
			       bw_lsm_kernel_arg ? (bool)ctx[3] : false);
}

SEC("fmod_ret/security_bpf_prog_load")
int bw_mod_prog_load(u64 *ctx)
{
	return judge_prog_load((struct bpf_prog *)ctx[0], (union bpf_attr *)ctx[1],
			       bw_lsm_kernel_arg ? (bool)ctx[3] : false);
}

SEC("lsm/bpf_prog")
int bw_lsm_prog(u64 *ctx)
{
	return judge_prog_fd((struct bpf_prog *)ctx[0]);
}

SEC("fmod_ret/security_bpf_prog")
int bw_mod_prog(u64 *ctx)
{
	return judge_prog_fd((struct bpf_prog *)ctx[0]);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
