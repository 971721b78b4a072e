/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_VERDICT_BPF_H
#define BW_VERDICT_BPF_H
/*
 * Layer 4: judges a load. In this order, the first that applies:
 *   the guard itself, process 1 (if exempt) -> deny rules -> approval (with its loader and target) -> inert -> default.
 * The answer is in s->load.{verdict,reason,rule,entry}; verdict_finish() turns it into an action.
 */
#include "bpf/insns.bpf.h"

#define BW_CALL_PROBE_INSNS 4

static __always_inline bool is_guard(const struct bw_actor *a, const struct bw_guard_self *self)
{
	return self->tgid && a->tgid == self->tgid && a->start_ns == self->start_ns;
}

#define CGROUP_WALK 40 /* folders from a task's cgroup up to the root; what is deeper is nobody's */

/* Where the task at hand is. Nested deeper than patterns can be, only the first folders are kept. */
static __always_inline void cgroup_look(struct bw_scratch *s)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct cgroup *at = BPF_CORE_READ(task, cgroups, dfl_cgrp);
	u32 level = (u32)BPF_CORE_READ(at, level);

	s->cgroup.known = 1;
	s->cgroup.depth = at && level <= CGROUP_WALK ? level : ~0u;
	for (u32 i = 0; i < CGROUP_WALK; i++) {
		u32 part = level - 1;
		long n;

		if (!level || !at)
			return;
		if (part < BW_MAX_CGROUP_DEPTH) {
			asm volatile("" : "+r"(part));
			part &= BW_MAX_CGROUP_DEPTH - 1;
			n = bpf_probe_read_kernel_str(s->cgroup.names[part], BW_CGROUP_NAME_LEN, BPF_CORE_READ(at, kn, name));
			s->cgroup.lens[part] = n <= 1 || n >= BW_CGROUP_NAME_LEN ? 0 : (u32)n - 1;
		}
		at = (void *)BPF_CORE_READ(at, self.parent);
		if (at)
			at = (void *)at - bpf_core_field_offset(struct cgroup, self);
		level--;
	}
}

/*
 * Is the text before (or, with @tail, behind) the "*" of folder @part there? Global, so that the verifier looks at the loop once, with
 * one number that it does not know at a time.
 */
__weak __noinline int bw_cgroup_text(u32 slot, u32 key, u32 part, u32 tail)
{
	void *patterns = bpf_map_lookup_elem(&bw_cgroups, &slot);
	struct bw_scratch *s = scratch_get();
	u32 n, from_name = 0, from_text = 0;
	struct bw_cgroup_pattern *pattern;
	struct bw_cgroup_part *p;

	if (!s || !patterns)
		return 0;
	pattern = bpf_map_lookup_elem(patterns, &key);
	if (!pattern)
		return 0;
	part &= BW_MAX_CGROUP_DEPTH - 1;
	p = &pattern->parts[part];
	n = p->head;
	if (tail) {
		n = p->tail;
		from_name = s->cgroup.lens[part] - n;
		from_text = p->head;
	}
	for (u32 i = 0; i < BW_CGROUP_TEXT_LEN; i++) {
		u32 in_name = from_name + i, in_text = from_text + i;

		if (i >= n)
			return 1;
		asm volatile("" : "+r"(in_name), "+r"(in_text));
		in_name &= BW_CGROUP_NAME_LEN - 1;
		if (in_text >= BW_CGROUP_TEXT_LEN || s->cgroup.names[part][in_name] != p->text[in_text])
			return 0;
	}
	return 1;
}

/* Is the task at hand in a cgroup of pattern @key, or below one? Global: the verifier looks at it once. */
__weak __noinline int bw_cgroup_fits(u32 slot, u32 key)
{
	void *patterns = bpf_map_lookup_elem(&bw_cgroups, &slot);
	struct bw_scratch *s = scratch_get();
	struct bw_cgroup_pattern *p;
	u32 len, head;

	if (!s || !patterns)
		return 0;
	p = bpf_map_lookup_elem(patterns, &key);
	if (!p)
		return 0;
	if (!s->cgroup.known)
		cgroup_look(s);
	if (!p->depth || s->cgroup.depth == ~0u || s->cgroup.depth < p->depth)
		return 0;
	for (u32 i = 0; i < BW_MAX_CGROUP_DEPTH; i++) {
		if (i >= p->depth)
			break;
		len = s->cgroup.lens[i];
		head = p->parts[i].head;
		if (!len || head + p->parts[i].tail > len || (p->parts[i].exact && head != len))
			return 0;
		if (!bw_cgroup_text(slot, key, i, 0) || !bw_cgroup_text(slot, key, i, 1))
			return 0;
	}
	return 1;
}

/* A binding, without its conditions. */
static __always_inline struct bw_condition *binding_find(void *bindings, u32 entry, u32 target, u64 ino, u32 dev)
{
	struct bw_binding_key key = { .entry = entry, .attach_btf_id = target, .exe_ino = ino, .exe_dev = dev };

	return bpf_map_lookup_elem(bindings, &key);
}

static __always_inline bool binding_exists(void *bindings, u32 entry, u32 target, u64 ino, u32 dev)
{
	return binding_find(bindings, entry, target, ino, dev) != NULL;
}

/* A binding whose conditions hold for s->load. */
static __noinline int binding_holds(struct bw_scratch *s, u32 slot, u32 entry, u32 target, bool any)
{
	void *bindings = bpf_map_lookup_elem(&bw_bindings, &slot);
	struct bw_condition *c;

	if (!s || !bindings)
		return 0;
	c = binding_find(bindings, entry, target, any ? 0 : s->load.actor.exe_ino, any ? 0 : s->load.actor.exe_dev);
	if (!c)
		return 0;
	if (!c->flags)
		return 1;
	if (c->flags & BW_CONDITION_UNCHANGED && (!s->exe_changed_ns || s->exe_changed_ns != c->exe_changed_ns))
		return 0;
	if (c->flags & BW_CONDITION_NAMESPACES && (s->load.actor.mnt_ns != c->mnt_ns || s->load.actor.pid_ns != c->pid_ns))
		return 0;
	if (c->flags & BW_CONDITION_UIDS) {
		u32 uid = s->load.actor.uid, fits = 0;

		for (u32 i = 0; i < BW_MAX_CONDITION_UIDS; i++)
			if (i < c->n_uids && c->uids[i] == uid)
				fits = 1;
		if (!fits)
			return 0;
	}
	if (!(c->flags & BW_CONDITION_CGROUPS))
		return 1;
	for (u32 i = 0; i < BW_MAX_CONDITION_CGROUPS; i++)
		if (i < c->n_cgroups && bw_cgroup_fits(slot, c->cgroups[i]))
			return 1;
	return 0;
}

/* Does the approval hold for this loader and this attach target? If not, why. */
static __noinline int binding_check(struct bw_scratch *s, u32 slot, u32 entry)
{
	u32 target;

	if (!s || !bpf_map_lookup_elem(&bw_bindings, &slot))
		return BW_REASON_NO_POLICY;
	/* Policies name targets in the kernel; the same number means something else in another BTF. */
	target = s->load.load_flags & BW_LOAD_TARGET_ELSEWHERE ? 0 : s->load.attach_btf_id;
	if (binding_holds(s, slot, entry, 0, true) || binding_holds(s, slot, entry, 0, false))
		return BW_REASON_APPROVED;
	if (target && (binding_holds(s, slot, entry, target, true) || binding_holds(s, slot, entry, target, false)))
		return BW_REASON_APPROVED;
	if (binding_holds(s, slot, entry, BW_BINDING_LOADER_NAMED, false) ||
	    binding_holds(s, slot, entry, BW_BINDING_LOADER_NAMED, true))
		return BW_REASON_TARGET_MISMATCH;
	return BW_REASON_LOADER_MISMATCH;
}

static __always_inline struct bw_approval *approval_lookup(struct bw_scratch *s, void *approvals, bool by_tag)
{
	if (by_tag) {
		__builtin_memset(s->key.id, 0, sizeof(s->key.id));
		__builtin_memcpy(s->key.id, s->load.tag, sizeof(s->load.tag));
	} else {
		__builtin_memcpy(s->key.id, s->load.digest, sizeof(s->key.id));
	}
	s->key.prog_type = s->load.prog_type;
	s->key.expected_attach_type = s->load.expected_attach_type;
	return bpf_map_lookup_elem(approvals, &s->key);
}

/* The approval of s->load's identity, or NULL. */
static __always_inline struct bw_approval *approval_find(struct bw_scratch *s, u32 slot)
{
	void *approvals = bpf_map_lookup_elem(&bw_approvals, &slot);
	struct bw_approval *a;

	if (!approvals || s->load.identity == BW_IDENTITY_NONE)
		return NULL;
	if (s->load.identity == BW_IDENTITY_DIGEST || s->load.identity == BW_IDENTITY_DIGEST_USER)
		return approval_lookup(s, approvals, false);
	a = approval_lookup(s, approvals, true);
	/* A tag does not cover the offsets into map values; the digest does. */
	if (a && a->flags & BW_APPROVAL_DIGEST_TOO && s->load.identity == BW_IDENTITY_TAG_DIGEST &&
	    !approval_lookup(s, approvals, false))
		return NULL;
	return a;
}

static __noinline int rule_matches(struct bw_scratch *s, const struct bw_kernel_rule *rule, u32 index, bool approved)
{
	u32 type;
	u64 any;

	if (!s || !rule)
		return 0;
	type = s->load.prog_type;
	if (rule->prog_types && (type > 63 || !(rule->prog_types >> type & 1)))
		return 0;
	any = rule->helpers[0] | rule->helpers[1] | rule->helpers[2] | rule->helpers[3];
	if (any) {
		any = (rule->helpers[0] & s->load.helpers[0]) | (rule->helpers[1] & s->load.helpers[1]) |
		      (rule->helpers[2] & s->load.helpers[2]) | (rule->helpers[3] & s->load.helpers[3]);
		/* What it calls is not known in full: it might be this, unless somebody approved the very program. */
		if (!any && (approved || !(s->load.load_flags & BW_LOAD_HELPERS_UNKNOWN)))
			return 0;
	}
	if (rule->flags & BW_RULE_ANY_KFUNC)
		return s->load.kfunc_count > 0;
	if (rule->flags & BW_RULE_KFUNCS)
		return s->kfunc_rules >> (index & 31) & 1;
	return 1;
}

/* Maps that the program refers to were all made by the process that loads it. */
static __noinline int maps_are_own(struct bw_scratch *s)
{
	u32 zero = 0;
	struct bw_guard_self *self = bpf_map_lookup_elem(&bw_self, &zero);

	if (!s || !self || !self->map_fops || s->load.load_flags & BW_LOAD_FOREIGN_MAP)
		return 0;
	for (u32 i = 0; i < BW_MAX_MAP_FDS; i++) {
		struct bw_map_owner *owner;
		const void *f_op = NULL;
		struct bpf_map *map;
		u32 id;

		if (i >= s->n_map_fds)
			break;
		map = extract_fd_object((u32)s->map_fds[i], &f_op);
		if (!map || (u64)f_op != self->map_fops)
			return 0;
		id = BPF_CORE_READ(map, id);
		owner = bpf_map_lookup_elem(&bw_map_owners, &id);
		if (!owner || owner->tgid != s->load.actor.tgid || owner->start_ns != s->load.actor.start_ns)
			return 0;
	}
	return 1;
}

/*
 * Types of program that may be attached although they were admitted only as inert, because loaders try just that
 * (libbpf: bpf_link for perf events, uprobe_multi): unlike others, their return value decides nothing.
 */
static __always_inline bool is_tracing(u32 type)
{
	return type == BPF_PROG_TYPE_KPROBE || type == BPF_PROG_TYPE_TRACEPOINT || type == BPF_PROG_TYPE_PERF_EVENT ||
	       type == BPF_PROG_TYPE_RAW_TRACEPOINT;
}

/* What loaders load to find out what the kernel can do: short, without any effect outside itself. */
static __noinline int is_inert(struct bw_scratch *s, const struct bw_policy_conf *conf)
{
	u64 unsafe;

	if (!s || !conf || !(conf->flags & BW_CONF_ALLOW_INERT))
		return 0;
	if (s->load.identity == BW_IDENTITY_NONE || s->load.insn_cnt > conf->inert_max_insns || s->load.kfunc_count ||
	    s->load.load_flags & BW_LOAD_HELPERS_UNKNOWN)
		return 0;
	/*
	 * "call; r0 = 0; exit" asks whether a helper exists. Only r1 is set there, to the context, so the verifier refuses
	 * every helper that takes a second argument, and the rest gets a pointer where it wants a number: nothing to fear.
	 */
	if (s->load.insn_cnt <= BW_CALL_PROBE_INSNS && s->helper_calls == 1 && INSN_CODE(s->first) == CALL &&
	    INSN_SRC(s->first) == 0 && !(s->load.load_flags & BW_LOAD_MAPS))
		return 1;
	unsafe = (s->load.helpers[0] & ~conf->safe_helpers[0]) | (s->load.helpers[1] & ~conf->safe_helpers[1]) |
		 (s->load.helpers[2] & ~conf->safe_helpers[2]) | (s->load.helpers[3] & ~conf->safe_helpers[3]);
	if (unsafe || s->unresolved_calls)
		return 0;
	/*
	 * What it sees must not get anywhere: no store of a register, and constants are stored only by what has read nothing
	 * (libbpf's probe for global data). Packets, contexts and maps stay as they are.
	 */
	if (s->memory & INSNS_STORE || (s->memory & INSNS_STORE_CONST && s->memory & INSNS_LOAD))
		return 0;
	if (s->load.load_flags & BW_LOAD_MAPS && !maps_are_own(s))
		return 0;
	return 1;
}

static __always_inline void verdict_set(struct bw_scratch *s, enum bw_verdict verdict, enum bw_reason reason)
{
	s->load.verdict = verdict;
	s->load.reason = reason;
}

/* Rules, approval, inertness, default: everything but the exemptions. */
__weak __noinline int bw_judge(u32 slot)
{
	struct bw_scratch *s = scratch_get();
	struct bw_policy_conf *conf = bpf_map_lookup_elem(&bw_conf, &slot);
	struct bw_approval *approval;
	int binding = BW_REASON_NONE;
	u32 type;

	if (!s)
		return 0;
	s->load.entry = ~0u;
	s->load.rule = ~0u;
	if (!conf || !(conf->flags & BW_CONF_VALID)) {
		verdict_set(s, BW_VERDICT_ALLOW, BW_REASON_NO_POLICY);
		return 0;
	}
	s->load.generation = conf->generation;
	approval = approval_find(s, slot);
	if (approval) {
		s->load.entry = approval->entry;
		binding = binding_check(s, slot, approval->entry);
		if (approval->insn_cnt && s->load.insn_cnt &&
		    approval->insn_cnt != s->load.insn_cnt)
			binding = BW_REASON_LENGTH_MISMATCH;
	}
	for (u32 i = 0; i < BW_MAX_RULES; i++) {
		if (i >= conf->n_rules)
			break;
		if (rule_matches(s, &conf->rules[i], i, binding == BW_REASON_APPROVED)) {
			s->load.rule = i;
			verdict_set(s, BW_VERDICT_DENY, BW_REASON_RULE);
			return 0;
		}
	}
	if (binding == BW_REASON_APPROVED) {
		verdict_set(s, BW_VERDICT_ALLOW, BW_REASON_APPROVED);
		return 0;
	}
	if (is_inert(s, conf)) {
		s->load.load_flags |= BW_LOAD_INERT;
		verdict_set(s, BW_VERDICT_ALLOW, BW_REASON_INERT);
		return 0;
	}
	type = s->load.prog_type;
	verdict_set(s, type < BW_MAX_PROG_TYPES ? conf->type_default[type] : BW_VERDICT_DENY, BW_REASON_DEFAULT);
	if (s->load.verdict == BW_VERDICT_DENY) {
		if (binding != BW_REASON_NONE)
			s->load.reason = (u8)binding;
		else if (s->load.identity == BW_IDENTITY_NONE)
			s->load.reason = BW_REASON_NO_IDENTITY;
	}
	return 0;
}

/* Turns the verdict into what is done, by mode and tier; counts it. Returns true when the load is to be refused. */
static __always_inline bool verdict_finish(struct bw_scratch *s, u32 slot)
{
	struct bw_policy_conf *conf = bpf_map_lookup_elem(&bw_conf, &slot);

	stat_add(BW_STAT_LOADS, 1);
	if (s->load.verdict == BW_VERDICT_ALLOW) {
		s->load.action = BW_ACTION_ALLOWED;
		return false;
	}
	if (bw_tier_watch || !conf || conf->mode == BW_MODE_OBSERVE) {
		s->load.action = BW_ACTION_WOULD_DENY;
		stat_add(BW_STAT_LOADS_WOULD, 1);
		return false;
	}
	s->load.action = BW_ACTION_DENIED;
	stat_add(BW_STAT_LOADS_DENIED, 1);
	return true;
}

/* The exemptions, then the judgement. */
static __always_inline void verdict_load(struct bw_scratch *s, const struct bw_guard_self *self, u32 slot)
{
	struct bw_policy_conf *conf = bpf_map_lookup_elem(&bw_conf, &slot);

	if (is_guard(&s->load.actor, self)) {
		s->load.entry = ~0u;
		s->load.rule = ~0u;
		verdict_set(s, BW_VERDICT_ALLOW, BW_REASON_GUARD);
	} else if (conf && conf->flags & BW_CONF_ALLOW_INIT && s->load.actor.tgid == 1) {
		s->load.entry = ~0u;
		s->load.rule = ~0u;
		verdict_set(s, BW_VERDICT_ALLOW, BW_REASON_INIT);
	} else {
		bw_judge(slot);
	}
}

#endif
