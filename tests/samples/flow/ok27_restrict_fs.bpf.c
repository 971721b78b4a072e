// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T27: what a service manager attaches: file systems allowed per unit's cgroup, by magic number.
#include "kernel_types.h"

LICENSE;

struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(max_entries, 2048);
	__type(key, u64);
	__array(values, struct {
		__uint(type, BPF_MAP_TYPE_HASH);
		__uint(max_entries, 128);
		__type(key, u32);
		__type(value, u32);
	});
} cgroup_hash SEC(".maps");

SEC("lsm/file_open")
int BPF_PROG(restrict_filesystems, struct file *file, int ret)
{
	u64 cg = bpf_get_current_cgroup_id();
	u32 magic, zero = 0, *is_allow;
	void *inner, *hit;

	if (ret)
		return ret;
	magic = BPF_CORE_READ(file, f_inode, i_sb, s_magic);
	inner = bpf_map_lookup_elem(&cgroup_hash, &cg);
	if (!inner)
		return 0;
	is_allow = bpf_map_lookup_elem(inner, &zero);
	if (!is_allow)
		return 0;
	hit = bpf_map_lookup_elem(inner, &magic);
	if (*is_allow)
		return hit ? 0 : -EPERM_;
	return hit ? -EPERM_ : 0;
}
