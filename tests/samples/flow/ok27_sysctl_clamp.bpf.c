// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T27 twin: a container that asks for a larger backlog than it may have gets the largest that is allowed.
#include "sample.h"

LICENSE;

SEC("cgroup/sysctl")
int sysctl_clamp(struct bpf_sysctl *ctx)
{
	char name[32] = {}, asked[16] = {}, most[] = "4096";
	unsigned long n = 0;

	if (!ctx->write || bpf_sysctl_get_name(ctx, name, sizeof(name), 0) < 0)
		return 1;
	if (!STARTS(name, "net/core/somaxconn"))
		return 1;
	if (bpf_sysctl_get_new_value(ctx, asked, sizeof(asked)) < 0 || bpf_strtoul(asked, sizeof(asked), 0, &n) < 0)
		return 0;
	if (n > 4096)
		bpf_sysctl_set_new_value(ctx, most, sizeof(most));
	return 1;
}
