/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_ACCESS_BPF_H
#define BW_ACCESS_BPF_H
/*
 * Layer 5: which process uses which map. The first time that a process uses a map in some way is reported, then it is
 * counted, so that the cost of a lookup does not depend on what happens to the report.
 */
#include "bpf/verdict.bpf.h"

#define NO_OP (~0u)

/* enum bw_map_op of a bpf() command, and where the map's descriptor stands in its attributes. */
static __always_inline u32 access_of_command(u32 cmd, u32 *ret_offset)
{
	*ret_offset = 0;
	switch (cmd) {
	case BPF_MAP_LOOKUP_ELEM:
	case BPF_MAP_LOOKUP_AND_DELETE_ELEM:
		return BW_MAP_LOOKUP;
	case BPF_MAP_GET_NEXT_KEY:
		return BW_MAP_NEXT_KEY;
	case BPF_MAP_UPDATE_ELEM:
		return BW_MAP_UPDATE;
	case BPF_MAP_DELETE_ELEM:
		return BW_MAP_DELETE;
	case BPF_MAP_FREEZE:
		return BW_MAP_FREEZE;
	case BPF_MAP_LOOKUP_BATCH:
	case BPF_MAP_LOOKUP_AND_DELETE_BATCH:
		*ret_offset = __builtin_offsetof(union bpf_attr, batch.map_fd);
		return BW_MAP_LOOKUP;
	case BPF_MAP_UPDATE_BATCH:
		*ret_offset = __builtin_offsetof(union bpf_attr, batch.map_fd);
		return BW_MAP_UPDATE;
	case BPF_MAP_DELETE_BATCH:
		*ret_offset = __builtin_offsetof(union bpf_attr, batch.map_fd);
		return BW_MAP_DELETE;
	default:
		return NO_OP;
	}
}

static __always_inline u64 current_start_ns(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	return BPF_CORE_READ(task, group_leader, start_boottime);
}

/* The process has read @map: from now on it is watched what it sends. */
static __noinline int carrier_note(u32 tgid, u64 start_ns, u32 map_id, u32 labels)
{
	struct bw_carrier_key key = { .tgid = tgid, .start_ns = start_ns };
	struct bw_carrier *known = bpf_map_lookup_elem(&bw_carriers, &key);
	struct bw_carrier c = { .read_ns = bpf_ktime_get_boot_ns(), .reader_tgid = tgid, .reader_start_ns = start_ns,
				.map_id = map_id, .labels = labels };

	u32 zero = 0;
	struct bw_guard_self *self = bpf_map_lookup_elem(&bw_self, &zero);

	if (self)
		self->carriers = 1;
	if (known)
		known->labels |= labels;
	else if (bpf_map_update_elem(&bw_carriers, &key, &c, BPF_ANY))
		stat_add(BW_STAT_LOST_ACCESS, 1);
	return 0;
}

static __noinline int access_report(struct bpf_map *map, u32 op, u32 ops, u32 labels, enum bw_hook hook)
{
	struct bw_scratch *s = scratch_get();
	struct bw_map_owner *owner;
	u32 id;

	if (!s) {
		stat_add(BW_STAT_LOST_SCRATCH, 1);
		return 0;
	}
	__builtin_memset(&s->access, 0, sizeof(s->access));
	event_begin(&s->access.hdr, BW_EVENT_ACCESS, sizeof(s->access), hook);
	bw_extract_actor();
	id = BPF_CORE_READ(map, id);
	s->access.map_id = id;
	s->access.map_type = BPF_CORE_READ(map, map_type);
	bpf_core_read(s->access.name, sizeof(s->access.name), &map->name);
	s->access.name[BW_OBJ_NAME_LEN - 1] = 0;
	s->access.op = op;
	s->access.ops = ops;
	s->access.labels = labels;
	owner = bpf_map_lookup_elem(&bw_map_owners, &id);
	if (owner) {
		s->access.owner_tgid = owner->tgid;
		s->access.owner_start_ns = owner->start_ns;
	}
	/* What reads personal data is not lost in a flood. */
	event_emit(&s->access.hdr, sizeof(s->access), labels != 0);
	return 0;
}

/* What the policy says about maps of this name. */
static __noinline u32 labels_by_name(struct bpf_map *map, u32 slot)
{
	struct bw_policy_conf *conf = bpf_map_lookup_elem(&bw_conf, &slot);
	u64 name[BW_OBJ_NAME_LEN / 8] = {};
	u32 labels = 0;

	if (!conf || !(conf->flags & BW_CONF_VALID) || !conf->n_watched)
		return 0;
	bpf_core_read(name, sizeof(name), &map->name);
	for (u32 i = 0; i < BW_MAX_WATCHED_MAPS; i++) {
		if (i >= conf->n_watched)
			break;
		if (conf->watched[i].name[0] == name[0] && conf->watched[i].name[1] == name[1])
			labels |= conf->watched[i].labels;
	}
	return labels;
}

/* The current process does @op with @map. */
static __noinline int access_note(struct bpf_map *map, u32 op, enum bw_hook hook)
{
	u32 zero = 0, tgid = (u32)(bpf_get_current_pid_tgid() >> 32), id, bit, *label, labels = 0;
	struct bw_guard_self *self = bpf_map_lookup_elem(&bw_self, &zero);
	struct bw_access_key key = { .tgid = tgid };
	struct bw_access *known, fresh = {};
	bool first;

	if (!self || !map || self->tgid == tgid)
		return 0;
	id = BPF_CORE_READ(map, id);
	key.start_ns = current_start_ns();
	key.map_id = id;
	bit = 1u << (op & 31);
	stat_add(BW_STAT_ACCESSES, 1);
	known = bpf_map_lookup_elem(&bw_accesses, &key);
	if (!known) {
		fresh.first_ns = bpf_ktime_get_boot_ns();
		fresh.labels = labels_by_name(map, self->active & 1);
		if (bpf_map_update_elem(&bw_accesses, &key, &fresh, BPF_NOEXIST))
			stat_add(BW_STAT_LOST_ACCESS, 1);
		known = bpf_map_lookup_elem(&bw_accesses, &key);
		if (!known)
			return 0;
	}
	first = !(known->ops & bit);
	known->ops |= bit;
	known->last_ns = bpf_ktime_get_boot_ns();
	if (bit & BW_MAP_READS)
		known->reads++;
	if (bit & (BW_MAP_WRITES | 1u << BW_MAP_FREEZE))
		known->writes++;
	labels = known->labels;
	label = bpf_map_lookup_elem(&bw_labels, &id);
	if (label)
		labels |= *label;
	/* A perf event array is read by putting the reader's event into it. */
	if (labels && (bit & BW_MAP_READS ||
		       (op == BW_MAP_UPDATE && BPF_CORE_READ(map, map_type) == BPF_MAP_TYPE_PERF_EVENT_ARRAY)))
		carrier_note(tgid, key.start_ns, id, labels);
	if (first)
		access_report(map, op, known->ops, labels, hook);
	return 0;
}

/* The map behind a descriptor of the current process, or NULL. */
static __always_inline struct bpf_map *map_of_fd(u32 fd)
{
	u32 zero = 0;
	struct bw_guard_self *self = bpf_map_lookup_elem(&bw_self, &zero);
	const void *f_op = NULL;
	struct bpf_map *map = extract_fd_object(fd, &f_op);

	return map && self && self->map_fops && (u64)f_op == self->map_fops ? map : NULL;
}

/* The map's type; 0: it is none. */
static __noinline __attribute__((unused)) u32 access_fd(u32 fd, u32 op, enum bw_hook hook)
{
	struct bpf_map *map = map_of_fd(fd);

	if (!map)
		return 0;
	access_note(map, op, hook);
	return BPF_CORE_READ(map, map_type);
}

#endif
