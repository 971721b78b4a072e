// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T26: an LSM policy: opening a file is refused with the errno its rule names, cgroup by cgroup.
#include "kernel_types.h"

LICENSE;

struct rule_key {
	u64 cgroup;
	u64 ino;
};
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct rule_key);
	__type(value, s32);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} file_rules SEC(".maps");
RINGBUF(denied, 1 << 14);

SEC("lsm/file_open")
int BPF_PROG(policy_open, struct file *file, int ret)
{
	struct rule_key k = {};
	s32 *error;

	if (ret)
		return ret;
	k.cgroup = bpf_get_current_cgroup_id();
	k.ino = file->f_inode->i_ino;
	error = bpf_map_lookup_elem(&file_rules, &k);
	if (!error)
		return 0;
	bpf_ringbuf_output(&denied, &k, sizeof(k), 0);
	if (*error < 0 && *error > -4096)
		return *error;
	return 0;
}
