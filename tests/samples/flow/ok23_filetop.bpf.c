// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T23: which files are read and written most: names and byte counts, no content.
#include "kernel_types.h"

LICENSE;

struct file_id {
	u64 ino;
	u32 pid;
	u32 dev;
};
struct file_stat {
	u64 reads, read_bytes, writes, write_bytes;
	char name[32];
	char comm[16];
};
HASH(entries, struct file_id, struct file_stat, 10240);
static const struct file_stat zero_stat;

static __always_inline int account(struct file *file, u64 count, bool write)
{
	struct file_id k = {};
	struct file_stat *s;

	k.pid = tgid();
	k.ino = BPF_CORE_READ(file, f_inode, i_ino);
	k.dev = BPF_CORE_READ(file, f_inode, i_sb, s_dev);
	s = bpf_map_lookup_elem(&entries, &k);
	if (!s) {
		bpf_map_update_elem(&entries, &k, &zero_stat, BPF_NOEXIST);
		s = bpf_map_lookup_elem(&entries, &k);
		if (!s)
			return 0;
		bpf_get_current_comm(s->comm, sizeof(s->comm));
		bpf_probe_read_kernel_str(s->name, sizeof(s->name), BPF_CORE_READ(file, f_path.dentry, d_name.name));
	}
	if (write) {
		s->writes++;
		s->write_bytes += count;
	} else {
		s->reads++;
		s->read_bytes += count;
	}
	return 0;
}

SEC("kprobe/vfs_read")
int BPF_KPROBE(top_read, struct file *file, char *buf, size_t count)
{
	return account(file, count, false);
}

SEC("kprobe/vfs_write")
int BPF_KPROBE(top_write, struct file *file, const char *buf, size_t count)
{
	return account(file, count, true);
}
