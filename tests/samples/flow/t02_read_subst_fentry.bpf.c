// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T02: fentry/fexit variant; the path comes from the file itself and the replacement from an array user space fills.
#include "kernel_types.h"

SAMPLE_SWITCH;
LICENSE;

struct payload {
	u32 len;
	char text[128];
};
ARRAY(payloads, struct payload, 1);
HASH(target_inodes, u64, u8, 16);
HASH(armed_tasks, u32, u64, 128);

SEC("fentry/vfs_read")
int BPF_PROG(subst_fentry, struct file *file, char *buf, size_t count)
{
	u64 ino = BPF_CORE_READ(file, f_inode, i_ino), p = (u64)buf;
	u32 tid = bpf_get_current_pid_tgid();

	if (bpf_map_lookup_elem(&target_inodes, &ino))
		bpf_map_update_elem(&armed_tasks, &tid, &p, BPF_ANY);
	return 0;
}

SEC("fexit/vfs_read")
int BPF_PROG(subst_fexit, struct file *file, char *buf, size_t count, void *pos, long ret)
{
	u32 tid = bpf_get_current_pid_tgid(), zero = 0;
	u64 *p = bpf_map_lookup_elem(&armed_tasks, &tid);
	struct payload *pl;

	if (!p)
		return 0;
	pl = bpf_map_lookup_elem(&payloads, &zero);
	if (pl && ret >= (long)sizeof(pl->text) && sample_armed)
		bpf_probe_write_user((void *)*p, pl->text, sizeof(pl->text));
	bpf_map_delete_elem(&armed_tasks, &tid);
	return 0;
}
