// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Source classes reached from fentry, fexit and LSM hooks. Written by generate.py.
#include "kernel_types.h"

SAMPLE_SWITCH;
LICENSE;

struct rec {
	u8 b[16] __attribute__((aligned(8)));
};
RINGBUF(g_ring, 1 << 16);
PERFBUF(g_perf);
HASH(g_map, u32, struct rec, 16);
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, u32);
	__type(value, struct rec);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} g_pinned SEC(".maps");
static const u32 g_zero __attribute__((unused));

SEC("fexit/vfs_read")
int BPF_PROG(fexit_read, struct file *f, char *buf, size_t n, s64 *pos, long ret)
{
	struct rec b = {};

	bpf_probe_read_user(b.b, 16, buf);
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

SEC("fentry/vfs_write")
int BPF_PROG(fentry_write, struct file *f, const char *buf, size_t n)
{
	struct rec b = {};

	bpf_probe_read_user(b.b, 16, buf);
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

SEC("fentry/__x64_sys_write")
int BPF_PROG(fentry_syswrite, const struct pt_regs *regs)
{
	struct rec b = {};

	bpf_probe_read_user(b.b, 16, (void *)regs->si);
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

SEC("fentry/pty_write")
int BPF_PROG(fentry_pty, void *tty, const u8 *buf, size_t n)
{
	struct rec b = {};

	bpf_probe_read_kernel(b.b, 16, buf);
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

SEC("fentry/kbd_event")
int BPF_PROG(fentry_kbd, void *h, unsigned int type, unsigned int code, int value)
{
	struct rec b = {};

	*(u32 *)b.b = code;
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

SEC("fentry/filp_close")
int BPF_PROG(d_path_open, struct file *f)
{
	struct rec b = {};

	bpf_d_path(&f->f_path, (char *)b.b, 16);
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

SEC("lsm/cred_prepare")
int BPF_PROG(lsm_cred, struct cred *new, const struct cred *old, int gfp, int ret)
{
	struct rec b = {};

	*(u32 *)b.b = old->uid.val;
	*(u64 *)(b.b + 8) = old->cap_effective.val;
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

SEC("lsm/bprm_check_security")
int BPF_PROG(lsm_bprm, struct linux_binprm *bprm, int ret)
{
	struct rec b = {};

	bpf_probe_read_kernel_str(b.b, 16, bprm->filename);
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}

SEC("fentry/do_exit")
int BPF_PROG(fentry_kptr, long code)
{
	struct rec b = {};

	*(u64 *)b.b = (u64)bpf_get_current_task_btf();
	bpf_ringbuf_output(&g_ring, &b, sizeof(b), 0);
	return 0;
}
