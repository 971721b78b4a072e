/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_INVENTORY_ABI_H
#define BW_INVENTORY_ABI_H
/*
 * bpf(2) as of Linux 7.3 where the installed headers may be older: struct bpf_link_info (include/uapi/linux/bpf.h). An older
 * kernel fills less; what it does not know stays zero.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	INV_LINK_RAW_TRACEPOINT = 1,
	INV_LINK_TRACING,
	INV_LINK_CGROUP,
	INV_LINK_ITER,
	INV_LINK_NETNS,
	INV_LINK_XDP,
	INV_LINK_PERF_EVENT,
	INV_LINK_KPROBE_MULTI,
	INV_LINK_STRUCT_OPS,
	INV_LINK_NETFILTER,
	INV_LINK_TCX,
	INV_LINK_UPROBE_MULTI,
	INV_LINK_NETKIT,
	INV_LINK_SOCKMAP,
};

enum {
	INV_PERF_UPROBE = 1,
	INV_PERF_URETPROBE,
	INV_PERF_KPROBE,
	INV_PERF_KRETPROBE,
	INV_PERF_TRACEPOINT,
	INV_PERF_EVENT,
};

struct inv_link_info {
	uint32_t type, id, prog_id, pad;
	union {
		struct {
			uint64_t tp_name;
			uint32_t tp_name_len;
		} raw_tracepoint;
		struct {
			uint32_t attach_type, target_obj_id, target_btf_id;
		} tracing;
		struct {
			uint64_t cgroup_id;
			uint32_t attach_type;
		} cgroup;
		struct {
			uint64_t target_name;
			uint32_t target_name_len, map_id;
		} iter;
		struct {
			uint32_t netns_ino, attach_type;
		} netns;
		struct {
			uint32_t ifindex, attach_type; /* xdp: ifindex only */
		} device;
		struct {
			uint32_t map_id, attach_type; /* struct_ops: map_id only */
		} map;
		struct {
			uint32_t pf, hooknum;
			int32_t priority;
			uint32_t flags;
		} netfilter;
		struct {
			uint64_t addrs;
			uint32_t count, flags;
			uint64_t missed, cookies;
		} kprobe_multi;
		struct {
			uint64_t path, offsets, ref_ctr_offsets, cookies;
			uint32_t path_size, count, flags, pid;
		} uprobe_multi;
		struct {
			uint32_t type, pad;
			uint64_t name; /* of the file, function or tracepoint; event: the configuration */
			uint32_t name_len; /* event: the type */
			uint32_t offset;
		} perf_event;
		uint64_t room[24];
	};
};

static inline int inv_bpf(int cmd, void *attr, size_t size)
{
	long r = syscall(__NR_bpf, cmd, attr, size);

	return r < 0 ? -errno : (int)r;
}

static inline int inv_info(int fd, void *info, uint32_t size)
{
	union bpf_attr attr = { .info = { .bpf_fd = (uint32_t)fd, .info_len = size, .info = (uintptr_t)info } };

	return inv_bpf(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr));
}

/* @flags: BPF_F_RDONLY of a map. */
static inline int inv_fd_by_id(int cmd, uint32_t id, uint32_t flags)
{
	union bpf_attr attr = { .prog_id = id, .open_flags = flags }; /* prog_id, map_id and link_id share their place */

	return inv_bpf(cmd, &attr, sizeof(attr));
}

#endif
