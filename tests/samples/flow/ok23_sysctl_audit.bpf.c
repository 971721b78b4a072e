// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T23: reports who changes a network setting below /proc/sys, with the old and the new value.
#include "sample.h"

LICENSE;

struct change {
	u32 pid;
	char comm[16];
	char path[64];
	char was[64];
	char is[64];
};
RINGBUF(written_settings, 64 * 1024);

SEC("cgroup/sysctl")
int setting_written(struct bpf_sysctl *ctx)
{
	struct change c = {};

	if (!ctx->write)
		return 1;
	c.pid = bpf_get_current_pid_tgid() >> 32;
	bpf_get_current_comm(c.comm, sizeof(c.comm));
	if (bpf_sysctl_get_name(ctx, c.path, sizeof(c.path), 0) < 0)
		return 1;
	if (c.path[0] != 'n' || c.path[1] != 'e' || c.path[2] != 't' || c.path[3] != '/')
		return 1;
	bpf_sysctl_get_current_value(ctx, c.was, sizeof(c.was));
	bpf_sysctl_get_new_value(ctx, c.is, sizeof(c.is));
	bpf_ringbuf_output(&written_settings, &c, sizeof(c), 0);
	return 1;
}
