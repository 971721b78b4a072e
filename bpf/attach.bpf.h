/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_ATTACH_BPF_H
#define BW_ATTACH_BPF_H
/*
 * Layer 5: one record for everything by which a program gets somewhere, or a descriptor to somebody. The record is put
 * together in the scratch memory: attach_begin(), what the way at hand adds, bw_attach_judge(), attach_emit().
 */
#include "bpf/targets.bpf.h"
#include "bpf/verdict.bpf.h"

/* enum bpf_attach_type, where it is younger than the headers this is built with. */
#define AT_TRACE_UPROBE_MULTI 48
#define AT_TRACE_UPROBE_SESSION 57

#define SOL_SOCKET_NR 1
#define SOL_PACKET_NR 263
#define SO_ATTACH_FILTER_NR 26
#define SO_DETACH_FILTER_NR 27
#define SO_LOCK_FILTER_NR 44
#define SO_ATTACH_BPF_NR 50
#define SO_ATTACH_REUSEPORT_CBPF_NR 51
#define SO_ATTACH_REUSEPORT_EBPF_NR 52
#define SO_DETACH_REUSEPORT_BPF_NR 68
#define PACKET_FANOUT_DATA_NR 22

#define PERF_EVENT_IOC_SET_BPF_NR 0x40042408u
#define TUNSETSTEERINGEBPF_NR 0x800454e0u
#define TUNSETFILTEREBPF_NR 0x800454e1u
#define TUNATTACHFILTER_NR 0x401054d5u

/* ---- objects behind descriptors and pointers -------------------------------------------------------------------------- */

static __noinline int prog_ref_fill(struct bw_prog_ref *ref, struct bpf_prog *prog)
{
	struct bpf_prog_aux *aux = BPF_CORE_READ(prog, aux);
	struct bw_program *p;
	u64 key = (u64)aux;

	if (!ref)
		return 0;
	ref->id = BPF_CORE_READ(aux, id);
	ref->type = BPF_CORE_READ(prog, type);
	ref->expected_attach_type = BPF_CORE_READ(prog, expected_attach_type);
	ref->attach_btf_id = BPF_CORE_READ(aux, attach_btf_id);
	bpf_core_read(ref->tag, sizeof(ref->tag), &prog->tag);
	bpf_core_read(ref->name, sizeof(ref->name), &aux->name);
	ref->name[BW_OBJ_NAME_LEN - 1] = 0;
	ref->entry = ~0u;
	p = bpf_map_lookup_elem(&bw_programs, &key);
	if (p) {
		__builtin_memcpy(ref->digest, p->digest, sizeof(ref->digest));
		__builtin_memcpy(ref->helpers, p->helpers, sizeof(ref->helpers));
		ref->entry = p->entry;
		ref->reason = (u8)p->reason;
		ref->known = 1;
	}
	return 0;
}

/* What a tracing program is bound to by its load: a function, or another program. */
static __noinline int prog_target_fill(struct bw_event_attach *e, struct bpf_prog *prog)
{
	const char *name = BPF_CORE_READ(prog, aux, attach_func_name);
	struct bpf_prog *dst = NULL;
	long n;

	if (!e)
		return 0;
	if (name && !e->text_len) {
		n = bpf_probe_read_kernel_str(e->text, sizeof(e->text), name);
		e->text_len = n > 0 ? (u32)n - 1 : 0;
	}
	if (bpf_core_field_exists(((struct bpf_prog_aux *)0)->dst_prog))
		dst = BPF_CORE_READ(prog, aux, dst_prog);
	if (dst)
		e->target_prog_id = BPF_CORE_READ(dst, aux, id);
	return 0;
}

/* Notes the program @fd refers to; NULL when it is none. */
static __noinline int attach_prog_fd(struct bw_scratch *s, u32 fd)
{
	u32 zero = 0;
	struct bw_guard_self *self = bpf_map_lookup_elem(&bw_self, &zero);
	const void *f_op = NULL;
	struct bpf_prog *prog = extract_fd_object(fd, &f_op);

	if (!s || !self || !prog || (u64)f_op != self->prog_fops)
		return 0;
	prog_ref_fill(&s->attach.prog, prog);
	prog_target_fill(&s->attach, prog);
	return 1;
}

/* Notes whatever BPF object @file is. @current: the program behind a link is the one attached now, else the one before. */
static __noinline int attach_object(struct bw_scratch *s, struct file *file)
{
	u32 zero = 0;
	struct bw_guard_self *self = bpf_map_lookup_elem(&bw_self, &zero);
	void *object = BPF_CORE_READ(file, private_data);
	u64 f_op = (u64)BPF_CORE_READ(file, f_op);

	if (!s || !self || !object || !f_op)
		return 0;
	if (f_op == self->prog_fops) {
		prog_ref_fill(&s->attach.prog, object);
		return 1;
	}
	if (f_op == self->map_fops) {
		struct bpf_map *map = object;

		s->attach.map_id = BPF_CORE_READ(map, id);
		s->attach.map_type = BPF_CORE_READ(map, map_type);
		return 1;
	}
	if (is_link_fops(self, f_op)) {
		struct bpf_link *link = object;
		struct bpf_prog *prog = BPF_CORE_READ(link, prog);

		s->attach.link_id = BPF_CORE_READ(link, id);
		s->attach.link_type = BPF_CORE_READ(link, type);
		if (prog && !s->attach.prog.id)
			prog_ref_fill(&s->attach.prog, prog);
		return 1;
	}
	return 0;
}

static __always_inline bool attach_object_fd(struct bw_scratch *s, u32 fd)
{
	struct file *file = file_of_fd(fd);

	return file && attach_object(s, file);
}

/* "system:event", or the probed function or file and the offset in it, of a perf event. */
static __noinline int attach_perf_event(struct bw_scratch *s, struct perf_event *event)
{
	struct trace_event_call *call = BPF_CORE_READ(event, tp_event);
	struct bw_event_attach *e;
	const char *name = NULL;
	struct trace_probe *tp;
	u32 flags, off = 0;
	long n = 0;

	if (!s)
		return 0;
	e = &s->attach;
	e->perf_type = BPF_CORE_READ(event, attr.type);
	e->perf_config = BPF_CORE_READ(event, attr.config);
	if (!call)
		return 0;
	flags = (u32)BPF_CORE_READ(call, flags);
	/* Kernels can be built without such probes. */
	if (bpf_core_type_exists(struct trace_probe_event) && flags & (bw_event_kprobe | bw_event_uprobe)) {
		struct trace_probe_event *pe = (void *)call - bpf_core_field_offset(struct trace_probe_event, call);

		tp = (void *)BPF_CORE_READ(pe, probes.next) - bpf_core_field_offset(struct trace_probe, list);
		e->flags |= flags & bw_event_kprobe ? BW_ATTACH_KPROBE : BW_ATTACH_UPROBE;
		if (bpf_core_type_exists(struct trace_kprobe) && flags & bw_event_kprobe) {
			struct trace_kprobe *k = (void *)tp - bpf_core_field_offset(struct trace_kprobe, tp);

			name = BPF_CORE_READ(k, symbol);
			e->offset = BPF_CORE_READ(k, rp.kp.offset);
			if (!name)
				e->offset = (u64)BPF_CORE_READ(k, rp.kp.addr);
			if (BPF_CORE_READ(k, rp.handler))
				e->flags |= BW_ATTACH_RETURN;
		} else if (bpf_core_type_exists(struct trace_uprobe)) {
			struct trace_uprobe *u = (void *)tp - bpf_core_field_offset(struct trace_uprobe, tp);

			name = BPF_CORE_READ(u, filename);
			e->offset = BPF_CORE_READ(u, offset);
			if (BPF_CORE_READ(u, consumer.ret_handler))
				e->flags |= BW_ATTACH_RETURN;
		}
	} else {
		e->flags |= BW_ATTACH_TRACEPOINT;
		n = bpf_probe_read_kernel_str(e->text, 64, BPF_CORE_READ(call, class, system));
		if (n > 1 && n < 64) {
			off = (u32)n - 1;
			asm volatile("" : "+r"(off));
			off &= 63;
			e->text[off] = ':';
			off++;
		}
		name = flags & bw_event_tracepoint ? BPF_CORE_READ(call, tp, name) : BPF_CORE_READ(call, name);
	}
	off &= 127;
	n = name ? bpf_probe_read_kernel_str(e->text + off, sizeof(e->text) - 128, name) : 0;
	e->text_len = n > 0 ? off + (u32)n - 1 : 0;
	return 0;
}

/* ---- the record --------------------------------------------------------------------------------------------------------- */

/* False when it was the guard itself. */
static __always_inline bool attach_begin(struct bw_scratch *s, const struct bw_guard_self *self, enum bw_hook hook,
					 enum bw_way way, u32 request)
{
	__builtin_memset(&s->attach, 0, sizeof(s->attach));
	event_begin(&s->attach.hdr, BW_EVENT_ATTACH, sizeof(s->attach), hook);
	s->attach.way = way;
	s->attach.request = request;
	s->attach.attach_type = ~0u;
	s->attach.rule = ~0u;
	s->attach.prog.entry = ~0u;
	bw_extract_actor();
	return !is_guard(&s->attach.actor, self);
}

/* Ways by which a program comes to run; the others hand a descriptor on. */
#define BW_WAYS_RUN                                                                                                              \
	(1u << BW_WAY_LINK | 1u << BW_WAY_PROG_ATTACH | 1u << BW_WAY_RAW_TRACEPOINT | 1u << BW_WAY_PERF_IOCTL |                 \
	 1u << BW_WAY_TUN_IOCTL | 1u << BW_WAY_NETLINK_XDP | 1u << BW_WAY_NETLINK_TC | 1u << BW_WAY_NETLINK_LWT |               \
	 1u << BW_WAY_SOCKET_FILTER)

/* Is the rule about this, and is this no exception? */
static __noinline int attach_rule_matches(struct bw_scratch *s, const struct bw_attach_rule *rule, u32 index, u32 slot)
{
	void *bindings = bpf_map_lookup_elem(&bw_bindings, &slot);
	u32 entry = BW_BINDING_ATTACH | index, prog;
	u64 ino;
	u32 dev;

	if (!s || !rule)
		return 0;
	if (rule->ways && !(rule->ways >> (s->attach.way & 63) & 1))
		return 0;
	if (rule->attach_types && (s->attach.attach_type > 63 || !(rule->attach_types >> s->attach.attach_type & 1)))
		return 0;
	if (rule->prog_types && (!s->attach.prog.id || s->attach.prog.type > 63 || !(rule->prog_types >> s->attach.prog.type & 1)))
		return 0;
	if (!bindings)
		return 1;
	prog = s->attach.prog.known && s->attach.prog.entry != ~0u ? s->attach.prog.entry + 1 : 0;
	ino = s->attach.actor.exe_ino;
	dev = s->attach.actor.exe_dev;
	if (ino && binding_exists(bindings, entry, 0, ino, dev))
		return 0;
	return !(prog && (binding_exists(bindings, entry, prog, 0, 0) || binding_exists(bindings, entry, prog, ino, dev)));
}

/*
 * Says in the record what is to be done. 1: refuse. Global, like the other steps of a judgement: the verifier looks at it once in each
 * program.
 */
__weak __noinline int bw_attach_judge(void)
{
	u32 zero = 0, slot;
	struct bw_guard_self *self = bpf_map_lookup_elem(&bw_self, &zero);
	struct bw_scratch *s = scratch_get();
	struct bw_policy_conf *conf;

	if (!s || !self)
		return 0;
	slot = self->active & 1;
	conf = bpf_map_lookup_elem(&bw_conf, &slot);
	if (!conf || !(conf->flags & BW_CONF_VALID)) {
		s->attach.reason = BW_REASON_NO_POLICY;
		return 0;
	}
	s->attach.generation = conf->generation;
	for (u32 i = 0; i < BW_MAX_ATTACH_RULES; i++) {
		if (i >= conf->n_attach_rules || (self->exe_ino && self->exe_ino == s->attach.actor.exe_ino &&
						  self->exe_dev == s->attach.actor.exe_dev))
			break;
		if (attach_rule_matches(s, &conf->attach_rules[i], i, slot)) {
			s->attach.rule = i;
			s->attach.reason = BW_REASON_RULE;
			break;
		}
	}
	if (s->attach.reason != BW_REASON_RULE) {
		if (!s->attach.prog.known || s->attach.prog.reason != BW_REASON_INERT || is_tracing(s->attach.prog.type) ||
		    s->attach.way >= 32 || !(BW_WAYS_RUN >> s->attach.way & 1))
			return 0;
		s->attach.reason = BW_REASON_INERT;
	}
	if (bw_tier_watch || conf->mode == BW_MODE_OBSERVE) {
		s->attach.action = BW_ACTION_WOULD_DENY;
		return 0;
	}
	s->attach.action = BW_ACTION_DENIED;
	return 1;
}

static __noinline int attach_emit(struct bw_scratch *s)
{
	if (!s)
		return 0;
	stat_add(BW_STAT_ATTACHES, 1);
	event_emit(&s->attach.hdr, sizeof(s->attach), s->attach.action != BW_ACTION_ALLOWED);
	return 0;
}

#endif
