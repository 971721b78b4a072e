// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/decode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/slice.h"

/* MINORBITS of include/linux/kdev_t.h */
#define KDEV_MINOR_BITS 20

/* Copies a name that fills its field or ends with a NUL; what follows the NUL is not looked at. @dst has @size + 1 bytes. */
static void copy_name(char *dst, const char *src, size_t size)
{
	size_t n = strnlen(src, size);

	memcpy(dst, src, n);
	dst[n] = '\0';
}

/* Appends one component, or nothing at all when it does not fit. */
static bool path_append(char *dst, size_t *pos, struct bw_slice component)
{
	if (*pos + 1 >= DECODE_PATH_MAX)
		return false;
	dst[(*pos)++] = '/';
	for (size_t i = 0; i < component.len; i++) {
		bool slash = component.data[i] == '/';
		size_t n = slash ? 4 : 1;

		if (n >= DECODE_PATH_MAX - *pos)
			return false;
		if (slash)
			memcpy(dst + *pos, "\\x2f", 4);
		else
			dst[*pos] = (char)component.data[i];
		*pos += n;
	}
	return true;
}

bool decode_path(const char *src, size_t len, bool truncated, char *dst)
{
	size_t end = len, pos = 0;

	dst[0] = '\0';
	if (!len)
		return true;
	if (len > BW_PATH_LEN || src[len - 1])
		return false;
	if (truncated) {
		memcpy(dst, "...", 3);
		pos = 3;
	}
	/* From the last component (nearest the root) to the first (the leaf). src[end - 1] is the NUL of a component. */
	while (end) {
		size_t begin = end - 1;

		while (begin && src[begin - 1])
			begin--;
		if (begin == end - 1 || !path_append(dst, &pos, bw_slice(src + begin, end - 1 - begin))) {
			dst[0] = '\0';
			return false; /* an empty component names nothing */
		}
		end = begin;
	}
	dst[pos] = '\0';
	return true;
}

int decode_actor(const struct bw_actor *a, struct decode_actor *ret)
{
	if (a->path_len > BW_PATH_LEN || a->path_truncated > 1)
		return -EBADMSG;
	if (!decode_path(a->path, a->path_len, a->path_truncated, ret->exe))
		return -EBADMSG;
	ret->exe_truncated = a->path_truncated;
	ret->pid = a->pid;
	ret->tgid = a->tgid;
	ret->ppid = a->ppid;
	ret->uid = a->uid;
	ret->gid = a->gid;
	ret->start_ns = a->start_ns;
	ret->exe_dev = a->exe_dev;
	ret->exe_major = a->exe_dev >> KDEV_MINOR_BITS;
	ret->exe_minor = a->exe_dev & ((1u << KDEV_MINOR_BITS) - 1);
	ret->exe_ino = a->exe_ino;
	ret->cgroup_id = a->cgroup_id;
	ret->pid_ns = a->pid_ns;
	ret->mnt_ns = a->mnt_ns;
	ret->user_ns = a->user_ns;
	ret->net_ns = a->net_ns;
	copy_name(ret->comm, a->comm, sizeof(a->comm));
	return 0;
}

static bool action_fits(uint8_t action, uint8_t reason)
{
	return action <= BW_ACTION_WOULD_DENY && reason < BW_REASON_COUNT;
}

static int decode_load(const struct bw_event_load *r, struct decode_load *ret)
{
	if (r->identity >= BW_IDENTITY_COUNT || r->verdict > BW_VERDICT_DENY || r->hold >= BW_HOLD_COUNT)
		return -EBADMSG;
	/* Only loads are held. */
	if (!action_fits(r->action == BW_ACTION_HELD ? BW_ACTION_ALLOWED : r->action, r->reason))
		return -EBADMSG;
	ret->prog_type = r->prog_type;
	ret->expected_attach_type = r->expected_attach_type;
	ret->prog_flags = r->prog_flags;
	ret->insn_cnt = r->insn_cnt;
	ret->attach_btf_id = r->attach_btf_id;
	ret->prog_id = r->prog_id;
	copy_name(ret->name, r->name, sizeof(r->name));
	ret->identity = r->identity;
	memcpy(ret->digest, r->digest, sizeof(ret->digest));
	memcpy(ret->tag, r->tag, sizeof(ret->tag));
	memcpy(ret->helpers, r->helpers, sizeof(ret->helpers));
	ret->kfunc_count = r->kfunc_count;
	memcpy(ret->kfunc_ids, r->kfunc_ids, sizeof(ret->kfunc_ids));
	while (ret->n_kfunc_ids < BW_MAX_KFUNC_IDS && ret->kfunc_ids[ret->n_kfunc_ids])
		ret->n_kfunc_ids++;
	ret->load_flags = r->load_flags;
	ret->verdict = r->verdict;
	ret->action = r->action;
	ret->reason = r->reason;
	ret->rule = r->rule;
	ret->entry = r->entry;
	ret->error = r->error;
	ret->hook_ns = r->hook_ns;
	ret->generation = r->generation;
	ret->nonce = r->nonce;
	ret->wait_ns = r->wait_ns;
	ret->hold = r->hold;
	ret->attempt = r->attempt;
	return 0;
}

static int decode_command(const struct bw_event_command *r, struct decode_command *ret)
{
	if (!action_fits(r->action, r->reason))
		return -EBADMSG;
	ret->cmd = r->cmd;
	ret->flags = r->flags;
	ret->size = r->size;
	ret->error = r->error;
	memcpy(ret->attr, r->attr, sizeof(ret->attr));
	ret->attr_len = r->size < sizeof(r->attr) ? r->size : sizeof(r->attr);
	ret->prog_id = r->prog_id;
	ret->action = r->action;
	ret->reason = r->reason;
	return 0;
}

static void decode_map(const struct bw_event_map *r, struct decode_map *ret)
{
	ret->map_id = r->map_id;
	ret->map_type = r->map_type;
	ret->key_size = r->key_size;
	ret->value_size = r->value_size;
	ret->max_entries = r->max_entries;
	ret->map_flags = r->map_flags;
	ret->cmd = r->cmd;
	ret->fmode = r->fmode;
	copy_name(ret->name, r->name, sizeof(r->name));
}

/* What the ring holds for an attachment: with a classic filter, the room for its instructions follows. */
struct attach_record {
	struct bw_event_attach attach;
	uint64_t insns[BW_MAX_CLASSIC];
};

static int decode_attach(const struct attach_record *rec, struct decode_attach *ret)
{
	const struct bw_event_attach *r = &rec->attach;
	bool filter = r->hdr.size == sizeof(*rec);

	if (!action_fits(r->action, r->reason) || r->way == BW_WAY_NONE || r->way >= BW_WAY_COUNT ||
	    r->attr_len > sizeof(r->attr) || r->text_len >= sizeof(r->text) || r->prog.reason >= BW_REASON_COUNT ||
	    r->prog.known > 1 || r->n_insns_here > (filter ? BW_MAX_CLASSIC : 0) || r->n_insns_here > r->n_insns)
		return -EBADMSG;
	memcpy(ret->attr, r->attr, sizeof(ret->attr));
	ret->attr_len = r->attr_len;
	ret->prog = r->prog;
	ret->prog.name[BW_OBJ_NAME_LEN - 1] = '\0';
	ret->way = r->way;
	ret->request = r->request;
	ret->flags = r->flags;
	ret->error = r->error;
	ret->attach_type = r->attach_type;
	ret->old_prog_id = r->old_prog_id;
	ret->target_prog_id = r->target_prog_id;
	ret->link_id = r->link_id;
	ret->link_type = r->link_type;
	ret->map_id = r->map_id;
	ret->map_type = r->map_type;
	ret->perf_type = r->perf_type;
	ret->perf_config = r->perf_config;
	ret->target_ino = r->target_ino;
	ret->offset = r->offset;
	copy_name(ret->text, r->text, r->text_len);
	ret->action = r->action;
	ret->reason = r->reason;
	ret->rule = r->rule;
	ret->generation = r->generation;
	ret->attempts = r->attempts;
	ret->n_insns = r->n_insns;
	ret->n_insns_here = r->n_insns_here;
	memcpy(ret->insns, rec->insns, r->n_insns_here * sizeof(ret->insns[0]));
	return 0;
}

static int decode_access(const struct bw_event_access *r, struct decode_access *ret)
{
	if (r->op >= BW_MAP_OPS)
		return -EBADMSG;
	ret->map_id = r->map_id;
	ret->map_type = r->map_type;
	ret->op = r->op;
	ret->ops = r->ops;
	ret->labels = r->labels;
	ret->owner_tgid = r->owner_tgid;
	ret->owner_start_ns = r->owner_start_ns;
	copy_name(ret->name, r->name, sizeof(r->name));
	return 0;
}

static int decode_egress(const struct bw_event_egress *r, struct decode_egress *ret)
{
	if (r->kind >= BW_EGRESS_KINDS || r->action > BW_ACTION_WOULD_DENY || r->response > BW_RESPONSE_KILL ||
	    r->path_len > sizeof(r->path))
		return -EBADMSG;
	ret->kind = r->kind;
	ret->labels = r->labels;
	ret->map_id = r->map_id;
	ret->reader_tgid = r->reader_tgid;
	ret->child_tgid = r->child_tgid;
	ret->reader_start_ns = r->reader_start_ns;
	ret->read_ns = r->read_ns;
	ret->family = r->family;
	ret->port = r->port;
	memcpy(ret->address, r->address, sizeof(ret->address));
	copy_name(ret->path, r->path, r->path_len);
	ret->action = r->action;
	ret->response = r->response;
	return 0;
}

static int decode_tamper(const struct bw_event_tamper *r, struct decode_tamper *ret)
{
	if (r->what == BW_TAMPER_NONE || r->what >= BW_TAMPER_COUNT || r->action > BW_ACTION_WOULD_DENY)
		return -EBADMSG;
	ret->what = r->what;
	ret->object = r->object;
	ret->detail = r->detail;
	ret->action = r->action;
	ret->count = r->count;
	_Static_assert(sizeof(ret->name) == sizeof(r->name) + 1, "room for the name");
	copy_name(ret->name, r->name, sizeof(r->name));
	return 0;
}

static size_t record_size(uint16_t type)
{
	switch (type) {
	case BW_EVENT_LOAD:
		return sizeof(struct bw_event_load);
	case BW_EVENT_COMMAND:
		return sizeof(struct bw_event_command);
	case BW_EVENT_MAP:
		return sizeof(struct bw_event_map);
	case BW_EVENT_ATTACH:
		return sizeof(struct bw_event_attach);
	case BW_EVENT_TAMPER:
		return sizeof(struct bw_event_tamper);
	case BW_EVENT_ACCESS:
		return sizeof(struct bw_event_access);
	case BW_EVENT_EGRESS:
		return sizeof(struct bw_event_egress);
	default:
		return 0;
	}
}

int decode_record(const void *data, size_t size, struct decode_event *ret)
{
	/* An own, aligned copy: the ring is shared memory. */
	union {
		struct bw_event_hdr hdr;
		struct bw_event_load load;
		struct bw_event_command command;
		struct bw_event_map map;
		struct attach_record attach;
		struct bw_event_tamper tamper;
		struct bw_event_access access;
		struct bw_event_egress egress;
	} rec;
	const struct bw_actor *actor = &rec.load.actor;
	struct decode_event e = { 0 };
	struct bw_slice s = bw_slice(data, size);
	int r;

	_Static_assert(offsetof(struct bw_event_load, actor) == offsetof(struct bw_event_command, actor) &&
			       offsetof(struct bw_event_load, actor) == offsetof(struct bw_event_map, actor) &&
			       offsetof(struct bw_event_load, actor) == offsetof(struct bw_event_attach, actor) &&
			       offsetof(struct bw_event_load, actor) == offsetof(struct bw_event_tamper, actor) &&
			       offsetof(struct bw_event_load, actor) == offsetof(struct bw_event_access, actor) &&
			       offsetof(struct bw_event_load, actor) == offsetof(struct bw_event_egress, actor),
		       "one place for the actor");
	/* At most the largest record is copied, once; everything is checked on the copy. */
	if (size < sizeof(rec.hdr) || !bw_slice_copy(s, 0, &rec, size < sizeof(rec) ? size : sizeof(rec)))
		return -EMSGSIZE;
	if (rec.hdr.version != BW_EVENT_VERSION)
		return -EPROTONOSUPPORT;
	if (!record_size(rec.hdr.type))
		return -EOPNOTSUPP;
	if (size != rec.hdr.size ||
	    (size != record_size(rec.hdr.type) && (rec.hdr.type != BW_EVENT_ATTACH || size != sizeof(rec.attach))))
		return -EMSGSIZE;
	if (rec.hdr.hook >= BW_HOOK_COUNT)
		return -EBADMSG;

	e.type = rec.hdr.type;
	e.hook = rec.hdr.hook;
	e.time_ns = rec.hdr.time_ns;
	e.cpu_seq = rec.hdr.seq;
	e.cpu = rec.hdr.cpu;
	r = decode_actor(actor, &e.actor);
	if (r < 0)
		return r;
	switch (e.type) {
	case BW_EVENT_LOAD:
		r = decode_load(&rec.load, &e.load);
		break;
	case BW_EVENT_COMMAND:
		r = decode_command(&rec.command, &e.command);
		break;
	case BW_EVENT_ATTACH:
		r = decode_attach(&rec.attach, &e.attach);
		break;
	case BW_EVENT_TAMPER:
		r = decode_tamper(&rec.tamper, &e.tamper);
		break;
	case BW_EVENT_ACCESS:
		r = decode_access(&rec.access, &e.access);
		break;
	case BW_EVENT_EGRESS:
		r = decode_egress(&rec.egress, &e.egress);
		break;
	default:
		decode_map(&rec.map, &e.map);
		break;
	}
	if (r < 0)
		return r;
	*ret = e;
	return 0;
}

int decode_gaps_init(struct decode_gaps *g)
{
	uint64_t *next = calloc(DECODE_MAX_CPUS, sizeof(*next));

	if (!next)
		return -ENOMEM;
	*g = (struct decode_gaps){ .next = next };
	return 0;
}

void decode_gaps_free(struct decode_gaps *g)
{
	free(g->next);
	*g = (struct decode_gaps){ 0 };
}

uint64_t decode_gaps_note(struct decode_gaps *g, uint32_t cpu, uint64_t cpu_seq)
{
	uint64_t skipped = 0;

	if (!g->next || cpu >= DECODE_MAX_CPUS)
		return 0;
	if (g->next[cpu] && cpu_seq < g->next[cpu]) {
		/* A program was preempted between taking its number and its place in the ring by another. */
		g->late++;
		if (g->missing)
			g->missing--;
		return 0;
	}
	if (g->next[cpu])
		skipped = cpu_seq - g->next[cpu];
	g->next[cpu] = cpu_seq + 1;
	g->missing += skipped;
	return skipped;
}
