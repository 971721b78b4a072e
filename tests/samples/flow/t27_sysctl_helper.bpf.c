// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T27: what is written to the setting that names the kernel's helper program is replaced by another path.
#include "sample.h"

SAMPLE_SWITCH;
LICENSE;

SEC("cgroup/sysctl")
int sysctl_helper(struct bpf_sysctl *ctx)
{
	char name[32] = {}, path[] = "/nonexistent/helper";

	if (!ctx->write || bpf_sysctl_get_name(ctx, name, sizeof(name), 0) < 0)
		return 1;
	if (STARTS(name, "kernel/core_pattern") && sample_armed)
		bpf_sysctl_set_new_value(ctx, path, sizeof(path));
	return 1;
}
