// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign shape: a service manager that fixes one socket option's value.
#include "sample.h"

LICENSE;

const volatile int forced_tos = 0;

SEC("cgroup/getsockopt")
int keep_tos(struct bpf_sockopt *ctx)
{
	void *end = ctx->optval_end;
	u8 *val = ctx->optval;

	if (ctx->level != 0 || ctx->optname != 1)
		return 1;
	if ((void *)(val + 1) > end)
		return 1;
	*val = forced_tos;
	ctx->retval = 0;
	return 1;
}
