// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T27: a service manager's device policy: major and minor numbers, nothing else.
#include "sample.h"

LICENSE;

SEC("cgroup/dev")
int device_policy(struct bpf_cgroup_dev_ctx *ctx)
{
	short type = ctx->access_type & 0xffff;

	if (type == BPF_DEVCG_DEV_CHAR && ctx->major == 1 && (ctx->minor == 3 || ctx->minor == 5 || ctx->minor == 8))
		return 1;
	if (type == BPF_DEVCG_DEV_CHAR && ctx->major == 136)
		return 1;
	return 0;
}
