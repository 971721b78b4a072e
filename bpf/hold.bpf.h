/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_HOLD_BPF_H
#define BW_HOLD_BPF_H
/*
 * Layer 5: mode protect. What the policy does not approve is held inside the hook while the guard analyses the very
 * instructions that the kernel holds:
 *
 *   question + code -> bw_hold_ring -> guard -> bw_hold_answers[nonce, digest] -> admitted or refused
 *
 * The wait burns the loader's CPU: it is bounded per call, and per process within a window; what is not answered by then gets
 * EAGAIN, upon which loaders try again, and after BW_HOLD_ATTEMPTS the policy's on_timeout decides.
 */
#include "bpf/verdict.bpf.h"

#define HOLD_POLLS (1u << 23) /* BPF_MAX_LOOPS; the clock ends the wait long before */

__weak struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096); /* the loader makes it larger where questions can be asked */
} bw_hold_ring SEC(".maps");

/* Old answers that nobody came back for fall out. */
__weak struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct bw_hold_key);
	__type(value, struct bw_hold_answer);
} bw_hold_answers SEC(".maps");

/* Nobody in user space has a descriptor of this. */
struct hold_state {
	u64 nonce; /* the last one given */
};

__weak struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct hold_state);
} bw_hold_states SEC(".maps");

__weak struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct bw_hold_guard);
} bw_hold_guards SEC(".maps");

/* A load that got EAGAIN: the same load by the same thread is the same question. Everything that the analysis sees counts. */
struct hold_pending_key {
	u64 start_ns;
	u32 pid;
	u32 prog_type;
	u32 expected_attach_type;
	u32 attach_btf_id;
	u32 prog_flags;
	u32 flags;
	u64 maps; /* over the ids of the maps, in order */
	u8 digest[BW_DIGEST_LEN];
};

struct hold_pending {
	u64 nonce;
	u64 since_ns;
	u32 attempts;
	u32 pad;
};

__weak struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct hold_pending_key);
	__type(value, struct hold_pending);
} bw_hold_pendings SEC(".maps");

struct hold_caller_key {
	u64 start_ns;
	u32 tgid;
	u32 pad;
};

struct hold_caller {
	u64 window_ns; /* when the window began */
	u64 waited_ns;
};

__weak struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct hold_caller_key);
	__type(value, struct hold_caller);
} bw_hold_callers SEC(".maps");

/* Larger than the scratch memory of every load has to be. */
struct hold_scratch {
	struct bw_hold_question q;
	struct bw_hold_code code;
	struct hold_pending_key key;
	u64 fd_array; /* address of the loader's array of descriptors, 0: none */
	u64 insns;
	u64 values[BW_HOLD_MAX_MAPS]; /* addresses of the only elements; 0: not looked at */
	u32 fd_array_kernel;
	u32 second; /* the next instruction is the second half of an ld_imm64 */
};

__weak struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct hold_scratch);
} bw_hold_scratches SEC(".maps");

static __always_inline struct hold_scratch *hold_scratch_get(void)
{
	return bpf_task_storage_get(&bw_hold_scratches, (void *)bpf_get_current_task_btf(), NULL,
				    BPF_LOCAL_STORAGE_GET_F_CREATE);
}

/*
 * Is this a load to be held: one that the policy knows nothing about. What a rule denies, what the guard or its children load
 * (the test of enforcement), and what has no identity is never held.
 */
static __always_inline bool hold_applies(const struct bw_scratch *s, const struct bw_guard_self *self, u32 slot)
{
	const struct bw_policy_conf *conf = bpf_map_lookup_elem(&bw_conf, &slot);

	if (bw_tier_watch || !conf || conf->mode != BW_MODE_PROTECT || s->load.verdict != BW_VERDICT_DENY)
		return false;
	if (s->load.reason != BW_REASON_DEFAULT && s->load.reason != BW_REASON_LOADER_MISMATCH &&
	    s->load.reason != BW_REASON_TARGET_MISMATCH && s->load.reason != BW_REASON_LENGTH_MISMATCH)
		return false;
	return s->load.actor.ppid != self->tgid;
}

/* No answer: the policy says what then. */
static __always_inline void hold_unanswered(struct bw_scratch *s, const struct bw_policy_conf *conf, enum bw_hold why)
{
	s->load.hold = why;
	s->load.reason = BW_REASON_UNANSWERED;
	s->load.verdict = conf && conf->hold_timeout == BW_VERDICT_ALLOW ? BW_VERDICT_ALLOW : BW_VERDICT_DENY;
	stat_add(BW_STAT_UNANSWERED, 1);
}

/* ---- the question ------------------------------------------------------------------------------------------------------ */

static __noinline int hold_note_map(struct hold_scratch *h, u32 ref, u32 by_index)
{
	u32 zero = 0, n, fd = ref;
	struct bw_guard_self *self = bpf_map_lookup_elem(&bw_self, &zero);
	const void *f_op = NULL;
	struct bw_hold_map *m;
	struct bpf_map *map;

	if (!h || !self)
		return 0;
	n = h->q.n_maps;
	for (u32 i = 0; i < BW_HOLD_MAX_MAPS; i++)
		if (i < n && h->q.maps[i].ref == ref && h->q.maps[i].by_index == by_index)
			return 0;
	if (by_index) {
		u64 at = h->fd_array + (u64)ref * 4;
		long r = h->fd_array_kernel ? bpf_probe_read_kernel(&fd, sizeof(fd), (void *)at) :
					      bpf_probe_read_user(&fd, sizeof(fd), (void *)at);

		if (!h->fd_array || r)
			goto missing;
	}
	map = extract_fd_object(fd, &f_op);
	if (!map || !self->map_fops || (u64)f_op != self->map_fops || n >= BW_HOLD_MAX_MAPS)
		goto missing;
	m = &h->q.maps[n & (BW_HOLD_MAX_MAPS - 1)];
	m->ref = ref;
	m->by_index = by_index;
	m->id = BPF_CORE_READ(map, id);
	m->type = BPF_CORE_READ(map, map_type);
	m->key_size = BPF_CORE_READ(map, key_size);
	m->value_size = BPF_CORE_READ(map, value_size);
	m->max_entries = BPF_CORE_READ(map, max_entries);
	m->flags = BPF_CORE_READ(map, map_flags);
	bpf_core_read(m->name, sizeof(m->name), &map->name);
	m->name[BW_OBJ_NAME_LEN - 1] = 0;
	h->values[n & (BW_HOLD_MAX_MAPS - 1)] = 0;
	/* What libbpf makes of .rodata and .data. */
	if (m->type == BPF_MAP_TYPE_ARRAY && m->max_entries == 1 && m->flags & (BPF_F_RDONLY_PROG | BPF_F_MMAPABLE))
		h->values[n & (BW_HOLD_MAX_MAPS - 1)] = (u64)map + bpf_core_field_offset(struct bpf_array, value);
	h->key.maps = (h->key.maps ^ m->id) * 0x100000001b3ull;
	h->q.n_maps = n + 1;
	return 0;
missing:
	h->q.flags |= BW_HOLD_MAPS_MISSING;
	return 0;
}

/* bpf_loop() over the instructions. */
static long hold_insn(u64 i, void *unused)
{
	struct hold_scratch *h = hold_scratch_get();
	u64 w = 0;

	if (!h)
		return 1;
	if (h->second) {
		h->second = 0;
		return 0;
	}
	if (bpf_probe_read_kernel(&w, sizeof(w), (void *)(h->insns + i * 8))) {
		h->q.flags |= BW_HOLD_MAPS_MISSING;
		return 1;
	}
	if (INSN_CODE(w) != LD_IMM64)
		return 0;
	h->second = 1;
	if (INSN_SRC(w) == 1 || INSN_SRC(w) == 2)
		hold_note_map(h, INSN_IMM(w), 0);
	else if (INSN_SRC(w) == 5 || INSN_SRC(w) == 6)
		hold_note_map(h, INSN_IMM(w), 1);
	return 0;
}

/* The instructions from @first on, as many as a record holds. Returns 1 when there is no room. */
__weak __noinline int bw_hold_code(u64 first)
{
	struct hold_scratch *h = hold_scratch_get();
	struct bw_hold_code *c;
	u32 n;

	if (!h || first >= h->q.insn_cnt)
		return 1;
	c = &h->code;
	n = h->q.insn_cnt - (u32)first;
	if (n > BW_HOLD_CHUNK_INSNS)
		n = BW_HOLD_CHUNK_INSNS;
	/* Says it again after the compiler has had its way with it. */
	asm volatile("" : "+r"(n));
	if (n > BW_HOLD_CHUNK_INSNS)
		return 1;
	c->record = BW_HOLD_CODE;
	c->size = __builtin_offsetof(struct bw_hold_code, insns) + n * 8;
	c->nonce = h->q.nonce;
	c->first = (u32)first;
	c->count = n;
	if (bpf_probe_read_kernel(c->insns, n * 8, (void *)(h->insns + first * 8)))
		return 1;
	return bpf_ringbuf_output(&bw_hold_ring, c, __builtin_offsetof(struct bw_hold_code, insns) + n * 8,
				  (u32)first + n < h->q.insn_cnt ? BPF_RB_NO_WAKEUP : BPF_RB_FORCE_WAKEUP) != 0;
}

/* The value of map @index of the question, as far as it is looked at. Returns 1 when there is no room. */
__weak __noinline int bw_hold_data(u64 index)
{
	struct hold_scratch *h = hold_scratch_get();
	struct bw_hold_code *c;
	u64 at;

	if (!h || index >= BW_HOLD_MAX_MAPS)
		return 1;
	at = h->values[index];
	c = &h->code;
	for (u32 i = 0; at && i < BW_HOLD_MAX_DATA / sizeof(c->insns); i++) {
		u32 size = h->q.maps[index].value_size, done = i * sizeof(c->insns), n = size - done;

		if (done >= size)
			break;
		if (n > sizeof(c->insns))
			n = sizeof(c->insns);
		asm volatile("" : "+r"(n));
		if (n > sizeof(c->insns))
			return 1;
		c->record = BW_HOLD_DATA;
		c->size = __builtin_offsetof(struct bw_hold_code, insns) + n;
		c->nonce = h->q.nonce;
		c->first = (u32)index;
		c->count = n;
		if (bpf_probe_read_kernel(c->insns, n, (void *)(at + done)))
			return 0; /* without its contents, then */
		if (bpf_ringbuf_output(&bw_hold_ring, c, __builtin_offsetof(struct bw_hold_code, insns) + n, BPF_RB_NO_WAKEUP))
			return 1;
	}
	return 0;
}

static __always_inline bool hold_ask(struct hold_scratch *h)
{
	u32 n = h->q.n_maps;

	asm volatile("" : "+r"(n));
	if (n > BW_HOLD_MAX_MAPS)
		return false;
	h->q.size = __builtin_offsetof(struct bw_hold_question, maps) + n * sizeof(h->q.maps[0]);
	if (bpf_ringbuf_output(&bw_hold_ring, &h->q, __builtin_offsetof(struct bw_hold_question, maps) + n * sizeof(h->q.maps[0]),
			       BPF_RB_NO_WAKEUP))
		return false;
	for (u32 i = 0; i < BW_HOLD_MAX_MAPS; i++) {
		if (i >= h->q.n_maps)
			break;
		if (bw_hold_data(i))
			return false;
	}
	for (u32 i = 0; i < BW_HOLD_MAX_INSNS / BW_HOLD_CHUNK_INSNS; i++) {
		if (i * BW_HOLD_CHUNK_INSNS >= h->q.insn_cnt)
			break;
		if (bw_hold_code((u64)i * BW_HOLD_CHUNK_INSNS))
			return false;
	}
	return true;
}

/* ---- the wait ---------------------------------------------------------------------------------------------------------- */

struct hold_wait {
	struct bw_hold_key key;
	u64 cpu_end_ns; /* of the thread's time on a CPU */
	u64 end_ns;	/* by the clock */
	u32 answered;
	u32 verdict;
};

static __always_inline u64 cpu_time(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	return BPF_CORE_READ(task, se.sum_exec_runtime);
}

static __always_inline bool guard_lives(const struct bw_hold_guard *guard, u64 now)
{
	return now < guard->heartbeat_ns || now - guard->heartbeat_ns <= BW_HOLD_HEARTBEAT_NS;
}

/*
 * By the thread's own time: with more loaders than CPUs each of them stands still most of the time, and so does the answer.
 */
static long hold_poll(u64 i, void *arg)
{
	struct hold_wait *w = arg;
	struct bw_hold_answer *a = bpf_map_lookup_elem(&bw_hold_answers, &w->key);
	struct bw_hold_guard *guard;
	u32 zero = 0;
	u64 now;

	if (a) {
		w->verdict = a->verdict;
		w->answered = 1;
		return 1;
	}
	now = bpf_ktime_get_boot_ns();
	guard = bpf_map_lookup_elem(&bw_hold_guards, &zero);
	return now >= w->end_ns || cpu_time() >= w->cpu_end_ns || !guard || !guard_lives(guard, now);
}

/* How long this process may still wait; notes the beginning of a window. */
static __always_inline u64 caller_left(const struct bw_actor *a, const struct bw_policy_conf *conf, u64 now)
{
	struct hold_caller_key key = { .start_ns = a->start_ns, .tgid = a->tgid };
	struct hold_caller fresh = { .window_ns = now }, *c = bpf_map_lookup_elem(&bw_hold_callers, &key);

	if (!c || now - c->window_ns > BW_HOLD_WINDOW_NS) {
		bpf_map_update_elem(&bw_hold_callers, &key, &fresh, BPF_ANY);
		return conf->hold_caller_ns;
	}
	return c->waited_ns < conf->hold_caller_ns ? conf->hold_caller_ns - c->waited_ns : 0;
}

static __always_inline void caller_spend(const struct bw_actor *a, u64 ns)
{
	struct hold_caller_key key = { .start_ns = a->start_ns, .tgid = a->tgid };
	struct hold_caller *c = bpf_map_lookup_elem(&bw_hold_callers, &key);

	if (c)
		__sync_fetch_and_add(&c->waited_ns, ns);
}

static __always_inline enum bw_hold hold_wait(struct bw_scratch *s, struct hold_scratch *h, u64 may_ns)
{
	struct hold_wait w = { .key.nonce = h->q.nonce };
	u64 start = bpf_ktime_get_boot_ns(), cpu_start = cpu_time();

	__builtin_memcpy(w.key.digest, h->q.digest, sizeof(w.key.digest));
	w.cpu_end_ns = cpu_start + may_ns;
	w.end_ns = start + may_ns * BW_HOLD_STRETCH;
	bpf_loop(HOLD_POLLS, hold_poll, &w, 0);
	s->load.wait_ns = bpf_ktime_get_boot_ns() - start;
	caller_spend(&s->load.actor, cpu_time() - cpu_start);
	if (!w.answered)
		return BW_HOLD_AGAIN;
	bpf_map_delete_elem(&bw_hold_answers, &w.key);
	s->load.verdict = w.verdict == BW_VERDICT_ALLOW ? BW_VERDICT_ALLOW : BW_VERDICT_DENY;
	s->load.reason = BW_REASON_ANALYSED;
	return BW_HOLD_ANSWERED;
}

static __always_inline void hold_describe(struct bw_scratch *s, struct hold_scratch *h, u64 insns, const union bpf_attr *attr,
					  bool kernel)
{
	__builtin_memset(&h->key, 0, sizeof(h->key));
	h->fd_array = 0;
	h->second = 0;
	h->q.n_maps = 0;
	h->q.flags = 0;
	h->q.pad = 0;
	h->q.record = BW_HOLD_QUESTION;
	h->q.time_ns = bpf_ktime_get_boot_ns();
	h->q.start_ns = s->load.actor.start_ns;
	h->q.tgid = s->load.actor.tgid;
	h->q.pid = s->load.actor.pid;
	__builtin_memcpy(h->q.digest, s->load.digest, sizeof(h->q.digest));
	h->q.prog_type = s->load.prog_type;
	h->q.expected_attach_type = s->load.expected_attach_type;
	h->q.prog_flags = s->load.prog_flags;
	h->q.insn_cnt = s->load.insn_cnt;
	h->q.attach_btf_id = s->load.attach_btf_id;
	if (s->load.load_flags & BW_LOAD_TARGET_ELSEWHERE)
		h->q.flags |= BW_HOLD_TARGET_ELSEWHERE;
	__builtin_memcpy(h->q.name, s->load.name, sizeof(h->q.name));
	h->insns = insns;
	h->fd_array_kernel = kernel;
	bpf_probe_read_kernel(&h->fd_array, sizeof(h->fd_array), &attr->fd_array);
	bpf_loop(h->q.insn_cnt, hold_insn, NULL, 0);
	h->key.start_ns = h->q.start_ns;
	h->key.pid = h->q.pid;
	h->key.prog_type = h->q.prog_type;
	h->key.expected_attach_type = h->q.expected_attach_type;
	h->key.attach_btf_id = h->q.attach_btf_id;
	h->key.prog_flags = h->q.prog_flags;
	h->key.flags = h->q.flags;
	__builtin_memcpy(h->key.digest, h->q.digest, sizeof(h->key.digest));
}

/* Is this a load that is let in and yet to be looked at? What can do nothing and the guard's own are not. */
static __always_inline bool note_applies(const struct bw_scratch *s, const struct bw_guard_self *self, u32 slot)
{
	const struct bw_policy_conf *conf = bpf_map_lookup_elem(&bw_conf, &slot);

	return !bw_tier_watch && conf && conf->flags & BW_CONF_ANALYSE && s->load.action != BW_ACTION_DENIED &&
	       s->load.action != BW_ACTION_HELD && s->load.reason != BW_REASON_GUARD && s->load.reason != BW_REASON_INERT &&
	       s->load.reason != BW_REASON_ANALYSED && s->load.actor.ppid != self->tgid && s->load.insn_cnt <= BW_HOLD_MAX_INSNS;
}

/* The same question, for whose answer nobody waits. What finds no room is not looked at: counted. */
__weak __noinline int bw_hold_note(u64 insns, u64 attr, bool kernel)
{
	u32 zero = 0;
	struct hold_state *state = bpf_map_lookup_elem(&bw_hold_states, &zero);
	struct bw_hold_guard *guard = bpf_map_lookup_elem(&bw_hold_guards, &zero);
	struct hold_scratch *h = hold_scratch_get();
	struct bw_scratch *s = scratch_get();

	if (!s || !h || !state || !guard || !guard_lives(guard, bpf_ktime_get_boot_ns())) {
		stat_add(BW_STAT_LOST_NOTES, 1);
		return 0;
	}
	hold_describe(s, h, insns, (const union bpf_attr *)attr, kernel);
	h->q.flags |= BW_HOLD_NOTE;
	h->q.nonce = __sync_fetch_and_add(&state->nonce, 1) + 1;
	if (!hold_ask(h))
		stat_add(BW_STAT_LOST_NOTES, 1);
	return 0;
}

/* Asks and waits; the result is in s->load. */
__weak __noinline int bw_hold(u32 slot, u64 insns, u64 attr, bool kernel)
{
	struct bw_policy_conf *conf = bpf_map_lookup_elem(&bw_conf, &slot);
	struct hold_scratch *h = hold_scratch_get();
	struct bw_scratch *s = scratch_get();
	struct hold_pending fresh = {}, *p;
	u64 now = bpf_ktime_get_boot_ns(), left;
	struct bw_hold_guard *guard;
	struct hold_state *state;
	enum bw_hold r;
	u32 zero = 0;

	state = bpf_map_lookup_elem(&bw_hold_states, &zero);
	guard = bpf_map_lookup_elem(&bw_hold_guards, &zero);
	if (!s || !conf)
		return 0;
	if (!h || !state || !guard) {
		hold_unanswered(s, conf, BW_HOLD_NO_ROOM);
		return 0;
	}
	if (guard->cpus < 2) {
		hold_unanswered(s, conf, BW_HOLD_ONE_CPU);
		return 0;
	}
	if (!guard_lives(guard, now)) {
		hold_unanswered(s, conf, BW_HOLD_NO_GUARD);
		return 0;
	}
	if (s->load.insn_cnt > BW_HOLD_MAX_INSNS) {
		hold_unanswered(s, conf, BW_HOLD_TOO_LONG);
		return 0;
	}
	left = caller_left(&s->load.actor, conf, now);
	if (!left) {
		hold_unanswered(s, conf, BW_HOLD_SPENT);
		return 0;
	}
	hold_describe(s, h, insns, (const union bpf_attr *)attr, kernel);
	p = bpf_map_lookup_elem(&bw_hold_pendings, &h->key);
	if (p && now - p->since_ns < BW_HOLD_WINDOW_NS) {
		fresh = *p;
		h->q.nonce = fresh.nonce;
	} else {
		fresh.since_ns = now;
		fresh.nonce = h->q.nonce = __sync_fetch_and_add(&state->nonce, 1) + 1;
		if (!hold_ask(h)) {
			hold_unanswered(s, conf, BW_HOLD_NO_ROOM);
			return 0;
		}
		stat_add(BW_STAT_HELD, 1);
	}
	s->load.nonce = fresh.nonce;
	s->load.attempt = (u8)++fresh.attempts;
	r = hold_wait(s, h, left < conf->hold_wait_ns ? left : conf->hold_wait_ns);
	s->load.hold = (u8)r;
	if (r == BW_HOLD_ANSWERED) {
		bpf_map_delete_elem(&bw_hold_pendings, &h->key);
	} else if (fresh.attempts >= BW_HOLD_ATTEMPTS) {
		bpf_map_delete_elem(&bw_hold_pendings, &h->key);
		hold_unanswered(s, conf, BW_HOLD_TIMEOUT);
	} else {
		bpf_map_update_elem(&bw_hold_pendings, &h->key, &fresh, BPF_ANY);
		s->load.action = BW_ACTION_HELD;
		s->load.reason = BW_REASON_UNANSWERED;
		stat_add(BW_STAT_LOADS, 1);
	}
	return 0;
}

#endif
