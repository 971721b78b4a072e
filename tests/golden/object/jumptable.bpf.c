// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* For the object reader's golden test: indirect jumps. clang 22, -mcpu=v4. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("syscall")
int jumper(unsigned long long *ctx)
{
	switch (*ctx) {
	case 0: return bpf_get_prandom_u32();
	case 1: return bpf_ktime_get_ns();
	case 2: return bpf_get_smp_processor_id();
	case 3: return bpf_jiffies64();
	case 4: return 17;
	case 5: return bpf_get_numa_node_id();
	case 6: return bpf_ktime_get_boot_ns();
	case 7: return 99;
	default: return -1;
	}
}

char LICENSE[] SEC("license") = "GPL";
