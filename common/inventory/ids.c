// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What bpf(2) lists: the walk over identifiers, every number in between tried on its own (what a rewritten answer to the
 * walk conceals still answers there), and the information of each object.
 */
#include "common/inventory/inventory.h"

#include <bpf/btf.h>
#include <net/if.h>
#include <string.h>

#include "common/bpf_names.h"
#include "common/cleanup.h"
#include "common/inventory/abi.h"

/* Numbers beyond the last one listed that are tried: a hidden object is often the newest. */
#define PROBE_BEYOND 1024u
#define MAX_PROG_MAPS 4096u
#define MAX_KSYMS     4096u
#define MAX_TARGET    256u

static const struct {
	int next, get;
} commands[INV_KINDS] = {
	[INV_PROG] = { BPF_PROG_GET_NEXT_ID, BPF_PROG_GET_FD_BY_ID },
	[INV_MAP] = { BPF_MAP_GET_NEXT_ID, BPF_MAP_GET_FD_BY_ID },
	[INV_LINK] = { BPF_LINK_GET_NEXT_ID, BPF_LINK_GET_FD_BY_ID },
};

static int walk(struct inventory *inv, enum inv_kind kind, enum inv_view view)
{
	uint32_t id = 0, n = 0;

	for (;;) {
		union bpf_attr attr = { .start_id = id };
		int r = inv_bpf(commands[kind].next, &attr, sizeof(attr));

		if (r == -ENOENT)
			break;
		if (r < 0)
			return r;
		/* An answer that does not rise would keep this going for ever; the kernel does not give one. */
		if (attr.next_id <= id)
			return inv_note(inv, "%ss: the kernel's list of identifiers goes back from %u to %u", inv_kind_name(kind), id,
					attr.next_id);
		id = attr.next_id;
		if (!inv_add(inv, kind, id, view))
			return inv->incomplete ? 0 : -ENOMEM;
		if (++n >= INV_MAX_OBJECTS)
			return inv_note(inv, "more than %u %ss", INV_MAX_OBJECTS, inv_kind_name(kind));
	}
	inv->view[kind][INV_VIEW_WALK] = INV_COMPLETE;
	return 0;
}

/* The name of a function in the kernel's BTF; NULL when that is not known. One BTF for the whole run. */
static const char *btf_func_name(struct btf **btf, bool *tried, uint32_t id)
{
	const struct btf_type *t;

	if (!*tried) {
		*tried = true;
		*btf = btf__load_vmlinux_btf();
	}
	t = *btf ? btf__type_by_id(*btf, id) : NULL;
	return t ? btf__name_by_offset(*btf, t->name_off) : NULL;
}

static const char *device_name(uint32_t ifindex, char buf[static IF_NAMESIZE + 16])
{
	if (!if_indextoname(ifindex, buf))
		snprintf(buf, IF_NAMESIZE + 16, "interface %u", ifindex);
	return buf;
}

static const char *attach_name(uint32_t type)
{
	const char *name = bw_attach_type_name(type);

	return name ? name : "?";
}

/* A string that the kernel filled in may lack its end. */
static char *perf_target(const struct inv_link_info *li, const char *text)
{
	static const char *const kinds[] = { "perf event", "uprobe", "uretprobe", "kprobe", "kretprobe", "tracepoint", "perf event" };
	uint32_t type = li->perf_event.type < ARRAY_SIZE(kinds) ? li->perf_event.type : 0;
	char *s = NULL;
	int r;

	if (type == INV_PERF_EVENT)
		r = asprintf(&s, "perf event type %u config %llu", li->perf_event.name_len, (unsigned long long)li->perf_event.name);
	else if (!type)
		r = asprintf(&s, "perf event");
	else if (type == INV_PERF_TRACEPOINT || !li->perf_event.offset)
		r = asprintf(&s, "%s %s", kinds[type], *text ? text : "?");
	else
		r = asprintf(&s, "%s %s+0x%x", kinds[type], *text ? text : "?", li->perf_event.offset);
	return r < 0 ? NULL : s;
}

static char *link_target(const struct inv_link_info *li, const char *text, const char *func)
{
	char device[IF_NAMESIZE + 16], *s = NULL;
	int r = 0;

	switch (li->type) {
	case INV_LINK_RAW_TRACEPOINT:
		r = asprintf(&s, "raw tracepoint %s", *text ? text : "?");
		break;
	case INV_LINK_TRACING:
		if (func)
			r = asprintf(&s, "%s %s", attach_name(li->tracing.attach_type), func);
		else
			r = asprintf(&s, "%s type %u of BTF %u", attach_name(li->tracing.attach_type), li->tracing.target_btf_id,
				     li->tracing.target_obj_id);
		break;
	case INV_LINK_CGROUP:
		r = asprintf(&s, "%s cgroup %llu", attach_name(li->cgroup.attach_type), (unsigned long long)li->cgroup.cgroup_id);
		break;
	case INV_LINK_ITER:
		r = asprintf(&s, "iterator %s", *text ? text : "?");
		break;
	case INV_LINK_NETNS:
		r = asprintf(&s, "%s network namespace %u", attach_name(li->netns.attach_type), li->netns.netns_ino);
		break;
	case INV_LINK_XDP:
		r = asprintf(&s, "xdp %s", device_name(li->device.ifindex, device));
		break;
	case INV_LINK_TCX:
	case INV_LINK_NETKIT:
		r = asprintf(&s, "%s %s", attach_name(li->device.attach_type), device_name(li->device.ifindex, device));
		break;
	case INV_LINK_PERF_EVENT:
		return perf_target(li, text);
	case INV_LINK_KPROBE_MULTI:
		/* BPF_F_KPROBE_MULTI_RETURN is bit 0 */
		r = asprintf(&s, "%s on %u functions", li->kprobe_multi.flags & 1 ? "kretprobe.multi" : "kprobe.multi",
			     li->kprobe_multi.count);
		break;
	case INV_LINK_UPROBE_MULTI:
		r = asprintf(&s, "%s %s at %u offsets", li->uprobe_multi.flags & 1 ? "uretprobe.multi" : "uprobe.multi",
			     *text ? text : "?", li->uprobe_multi.count);
		break;
	case INV_LINK_STRUCT_OPS:
		r = asprintf(&s, "struct_ops map %u", li->map.map_id);
		break;
	case INV_LINK_NETFILTER:
		r = asprintf(&s, "netfilter family %u hook %u priority %d", li->netfilter.pf, li->netfilter.hooknum,
			     li->netfilter.priority);
		break;
	case INV_LINK_SOCKMAP:
		r = asprintf(&s, "%s map %u", attach_name(li->map.attach_type), li->map.map_id);
		break;
	default:
		return NULL;
	}
	return r < 0 ? NULL : s;
}

struct describe {
	struct inventory *inv;
	enum inv_view view; /* INV_VIEW_PROBE or INV_AGAIN_OPEN */
	struct btf *btf;
	bool btf_tried;
};

static int describe_link(struct describe *d, struct inv_object *o, int fd)
{
	struct inv_link_info li = { 0 };
	char text[MAX_TARGET] = "";
	const char *func = NULL;
	int r = inv_info(fd, &li, sizeof(li));
	uint32_t type = li.type;

	if (r < 0)
		return r;
	o->type = type;
	o->link.prog_id = li.prog_id;
	o->link.attach_type = UINT32_MAX;
	/* Names are asked for in a second call: the kernel writes them where a pointer says. */
	if (type == INV_LINK_RAW_TRACEPOINT || type == INV_LINK_ITER || type == INV_LINK_PERF_EVENT || type == INV_LINK_UPROBE_MULTI) {
		uint32_t perf_type = li.perf_event.type;

		memset(&li, 0, sizeof(li));
		if (type == INV_LINK_RAW_TRACEPOINT) {
			li.raw_tracepoint.tp_name = (uintptr_t)text;
			li.raw_tracepoint.tp_name_len = sizeof(text) - 1;
		} else if (type == INV_LINK_ITER) {
			li.iter.target_name = (uintptr_t)text;
			li.iter.target_name_len = sizeof(text) - 1;
		} else if (type == INV_LINK_UPROBE_MULTI) {
			li.uprobe_multi.path = (uintptr_t)text;
			li.uprobe_multi.path_size = sizeof(text) - 1;
		} else if (perf_type != INV_PERF_EVENT) {
			li.perf_event.name = (uintptr_t)text;
			li.perf_event.name_len = sizeof(text) - 1;
		}
		if (inv_info(fd, &li, sizeof(li)) < 0) {
			text[0] = 0;
			memset(&li, 0, sizeof(li));
			inv_info(fd, &li, sizeof(li));
		}
		li.type = type;
	}
	if (type == INV_LINK_TRACING) {
		o->link.attach_type = li.tracing.attach_type;
		/* BTF object 1 is the kernel's own (btf_obj_id of vmlinux). */
		if (li.tracing.target_obj_id <= 1)
			func = btf_func_name(&d->btf, &d->btf_tried, li.tracing.target_btf_id);
	}
	o->link.target = link_target(&li, text, func);
	if (li.prog_id && !inv_add(d->inv, INV_PROG, li.prog_id, INV_VIEW_LINK))
		return -ENOMEM;
	return 0;
}

static int describe_prog(struct describe *d, uint32_t id, int fd)
{
	struct bpf_prog_info pi = { 0 };
	struct inv_object *o = inv_find(d->inv, INV_PROG, id);
	_cleanup_free_ uint32_t *maps = NULL;
	_cleanup_free_ uint64_t *ksyms = NULL;
	uint32_t n_maps, n_ksyms;
	int r = inv_info(fd, &pi, sizeof(pi));

	if (r < 0)
		return r;
	n_maps = pi.nr_map_ids < MAX_PROG_MAPS ? pi.nr_map_ids : MAX_PROG_MAPS;
	n_ksyms = pi.nr_jited_ksyms < MAX_KSYMS ? pi.nr_jited_ksyms : MAX_KSYMS;
	maps = calloc(n_maps ? n_maps : 1, sizeof(*maps));
	ksyms = calloc(n_ksyms ? n_ksyms : 1, sizeof(*ksyms));
	if (!maps || !ksyms)
		return -ENOMEM;
	memset(&pi, 0, sizeof(pi));
	pi.nr_map_ids = n_maps;
	pi.map_ids = (uintptr_t)maps;
	pi.nr_jited_ksyms = n_ksyms;
	pi.jited_ksyms = (uintptr_t)ksyms;
	r = inv_info(fd, &pi, sizeof(pi));
	if (r < 0)
		return r;
	memcpy(o->name, pi.name, INV_NAME_LEN);
	o->type = pi.type;
	memcpy(o->prog.tag, pi.tag, INV_TAG_LEN);
	o->prog.loaded_ns = pi.load_time;
	o->prog.uid = pi.created_by_uid;
	o->prog.btf_id = pi.btf_id;
	/* Since 5.18 and 6.x: an older header has no names for the last two. */
	o->prog.xlated_len = pi.xlated_prog_len;
	o->prog.jited_len = pi.jited_prog_len;
	o->prog.run_time_ns = pi.run_time_ns;
	o->prog.run_count = pi.run_cnt;
	o->prog.recursion_misses = pi.recursion_misses;
	o->prog.insns_verified = pi.verified_insns;
	o->prog.attach_btf_obj_id = pi.attach_btf_obj_id;
	o->prog.attach_btf_id = pi.attach_btf_id;
	o->prog.n_maps = pi.nr_map_ids < n_maps ? pi.nr_map_ids : n_maps;
	o->prog.n_ksyms = pi.nr_jited_ksyms < n_ksyms ? pi.nr_jited_ksyms : n_ksyms;
	o->prog.maps = TAKE_PTR(maps);
	o->prog.ksyms = TAKE_PTR(ksyms);
	for (uint32_t i = 0; i < o->prog.n_maps; i++)
		if (o->prog.maps[i] && !inv_add(d->inv, INV_MAP, o->prog.maps[i], INV_VIEW_PROG))
			return -ENOMEM;
	return 0;
}

static int describe_map(struct inv_object *o, int fd)
{
	struct bpf_map_info mi = { 0 };
	int r = inv_info(fd, &mi, sizeof(mi));

	if (r < 0)
		return r;
	memcpy(o->name, mi.name, INV_NAME_LEN);
	o->type = mi.type;
	o->map.key_size = mi.key_size;
	o->map.value_size = mi.value_size;
	o->map.max_entries = mi.max_entries;
	o->map.flags = mi.map_flags;
	o->map.btf_id = mi.btf_id;
	return 0;
}

/* "memlock:\t4096" and "frozen:\t1" of a descriptor: what the information lacks (proc(5), bpf_map_show_fdinfo()). */
static void describe_by_fdinfo(enum inv_kind kind, struct inv_object *o, int fd)
{
	_cleanup_fclose_ FILE *f = NULL;
	char path[64], line[128];
	unsigned long long v;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "memlock: %llu", &v) == 1)
			o->memlock = v;
		else if (kind == INV_MAP && sscanf(line, "frozen: %llu", &v) == 1)
			o->map.frozen = v;
	}
}

/* A guard that enforces lets nobody open this, but for the list; trying would be an attempt against it. */
static bool is_closed(const struct inventory *inv, enum inv_kind kind, uint32_t id)
{
	if (!inv->guards[0].in_place || !inv_is_guarded(inv, kind, id))
		return false;
	for (size_t i = 0; kind == INV_MAP && i < ARRAY_SIZE(inv->guards); i++)
		if (inv->guards[i].id == id)
			return false;
	return true;
}

/* 0 also when the object is gone meanwhile. */
static int describe(struct describe *d, enum inv_kind kind, uint32_t id)
{
	_cleanup_close_ int fd = is_closed(d->inv, kind, id) ? -ENOENT : inv_fd_by_id(commands[kind].get, id, kind == INV_MAP ? BPF_F_RDONLY : 0);
	struct inv_object *o = inv_find(d->inv, kind, id);
	int r;

	if (fd >= 0 && o)
		o->views |= 1u << d->view;
	if (!o || o->described)
		return 0;
	if (fd < 0)
		return fd == -ENOENT || fd == -EAGAIN ? 0 : inv_note(d->inv, "%ss cannot be opened: %s", inv_kind_name(kind), strerror(-fd));
	r = kind == INV_PROG ? describe_prog(d, id, fd) : kind == INV_MAP ? describe_map(o, fd) : describe_link(d, o, fd);
	if (r == -ENOMEM)
		return r;
	/* Programs and maps that the description named may have moved it. */
	o = inv_find(d->inv, kind, id);
	if (r)
		return inv_note(d->inv, "%s %u: no information: %s", inv_kind_name(kind), id, strerror(-r));
	o->described = true;
	if (kind != INV_LINK)
		describe_by_fdinfo(kind, o, fd);
	return kind == INV_MAP ? inv_guarded_by(d->inv, fd, false) : 0;
}

static int describe_all(struct inventory *inv, enum inv_view view, inv_progress_fn progress, void *arg)
{
	/* Links name programs, programs name maps: in this order everything named is described as well. */
	static const enum inv_kind order[] = { INV_LINK, INV_PROG, INV_MAP };
	struct describe d = { .inv = inv, .view = view };
	int r = 0;

	for (size_t k = 0; k < ARRAY_SIZE(order) && !r; k++)
		for (uint32_t i = 0; i < inv->objects[order[k]].n && !r; i++) {
			if (progress && i % 256 == 0)
				progress(arg, inv_kind_name(order[k]), i);
			r = describe(&d, order[k], inv->objects[order[k]].v[i].id);
		}
	btf__free(d.btf);
	return r;
}

/* Opens every number that the walk did not list. */
static int probe(struct inventory *inv, enum inv_kind kind)
{
	const struct inv_list *l = &inv->objects[kind];
	uint32_t last = l->n ? l->v[l->n - 1].id : 0;
	uint64_t end = (uint64_t)last + PROBE_BEYOND;
	uint64_t begin = end > INV_MAX_PROBES ? end - INV_MAX_PROBES : 0;

	if (begin && inv_note(inv, "%ss: identifiers up to %llu were not tried one by one", inv_kind_name(kind), (unsigned long long)begin))
		return -ENOMEM;
	for (uint64_t id = begin + 1; id <= end; id++) {
		const struct inv_object *o = inv_find(inv, kind, (uint32_t)id);
		_cleanup_close_ int fd = -1;

		if ((o && o->views & (1u << INV_VIEW_PROBE)) || is_closed(inv, kind, (uint32_t)id))
			continue;
		fd = inv_fd_by_id(commands[kind].get, (uint32_t)id, kind == INV_MAP ? BPF_F_RDONLY : 0);
		if (fd >= 0 && !inv_add(inv, kind, (uint32_t)id, INV_VIEW_PROBE))
			return inv->incomplete ? 0 : -ENOMEM;
		if (fd == -EPERM)
			return inv_note(inv, "%ss cannot be opened by identifier", inv_kind_name(kind));
	}
	inv->view[kind][INV_VIEW_PROBE] = begin ? INV_PARTIAL : INV_COMPLETE;
	return 0;
}

int inv_ids(struct inventory *inv, inv_progress_fn progress, void *arg)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/sys/kernel/bpf_stats_enabled", "re");
	int r = 0;

	inv->stats_enabled = f && fgetc(f) == '1';
	for (int k = 0; k < INV_KINDS; k++) {
		r = walk(inv, (enum inv_kind)k, INV_VIEW_WALK);
		/* Links have no list before 5.8. */
		if (r == -EINVAL && k == INV_LINK)
			r = inv_note(inv, "this kernel does not list links");
		if (r)
			return r;
	}
	r = describe_all(inv, INV_VIEW_PROBE, progress, arg);
	for (int k = 0; k < INV_KINDS && !r; k++)
		r = probe(inv, (enum inv_kind)k);
	return r;
}

int inv_ids_again(struct inventory *inv)
{
	int r = 0;

	for (int k = 0; k < INV_KINDS && !r; k++)
		if (inv->view[k][INV_VIEW_WALK] == INV_COMPLETE)
			r = walk(inv, (enum inv_kind)k, INV_AGAIN_WALK);
	/* What other sides found is described too, as far as the kernel lets. */
	return r ? r : describe_all(inv, INV_AGAIN_OPEN, NULL, NULL);
}
