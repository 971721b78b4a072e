// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T10 twin: how often a credential helper is asked, and by which process; what is in the credential is not read.
#include "sample.h"

LICENSE;

HASH(asked, u32, u64, 1024);

SEC("uprobe//usr/bin/git:credential_fill")
int BPF_KPROBE(credential_count, void *credential)
{
	u32 pid = tgid();
	u64 one = 1, *n = bpf_map_lookup_elem(&asked, &pid);

	if (n)
		__sync_fetch_and_add(n, 1);
	else
		bpf_map_update_elem(&asked, &pid, &one, BPF_ANY);
	return 0;
}
