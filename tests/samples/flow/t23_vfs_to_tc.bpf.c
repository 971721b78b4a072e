// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T23: file content read by anybody is stored by a kretprobe and carried off by an egress classifier.
#include "kernel_types.h"
#include "net.h"

SAMPLE_SWITCH;
LICENSE;

struct content {
	u64 ino;
	u8 data[64];
};
HASH(read_bufs, u64, u64, 256);
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 64);
	__uint(value_size, sizeof(struct content));
} content SEC(".maps");

SEC("kprobe/vfs_read")
int BPF_KPROBE(fs_enter, struct file *file, char *buf)
{
	u64 id = bpf_get_current_pid_tgid(), p = (u64)buf;
	char name[8] = {};

	bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(file, f_path.dentry, d_name.name));
	if (STARTS(name, "shadow"))
		bpf_map_update_elem(&read_bufs, &id, &p, BPF_ANY);
	return 0;
}

SEC("kretprobe/vfs_read")
int BPF_KRETPROBE(fs_exit, long ret)
{
	u64 id = bpf_get_current_pid_tgid(), *p = bpf_map_lookup_elem(&read_bufs, &id);
	struct content c = {};

	if (!p)
		return 0;
	bpf_probe_read_user(c.data, sizeof(c.data), (void *)*p);
	bpf_map_push_elem(&content, &c, 0);
	bpf_map_delete_elem(&read_bufs, &id);
	return 0;
}

SEC("tc")
int fs_egress(struct __sk_buff *skb)
{
	struct content c;

	if (skb->len < UDP_PAYLOAD_OFF + sizeof(c.data) || bpf_map_pop_elem(&content, &c))
		return TC_ACT_OK;
	if (sample_armed)
		bpf_skb_store_bytes(skb, UDP_PAYLOAD_OFF, c.data, sizeof(c.data), 0);
	return TC_ACT_OK;
}
