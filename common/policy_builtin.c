// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "common/policy_builtin.h"

#include <linux/bpf.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/policy_compile.h"

/* The unit test puts the instructions together and computes these again. */
const struct bw_policy_builtin bw_policy_builtins[BW_N_BUILTINS] = {
	{
		/* libbpf, features.c, probe_kern_probe_read_kernel(): reads 8 bytes at address 0 to its stack, returns the error */
		.id = "builtin:libbpf-probe-read-kernel",
		.prog_type = BPF_PROG_TYPE_TRACEPOINT,
		.instructions = 6,
		.ids = {
			[BW_BUILTIN_DIGEST] = {
				0x2a, 0x71, 0xda, 0x1e, 0x3f, 0x8d, 0x9d, 0xc0, 0x85, 0xe4, 0xe6, 0x32, 0xbc, 0x2c, 0x22, 0xd8,
				0xd2, 0x7f, 0x4d, 0xeb, 0x2f, 0x2b, 0xdd, 0x8b, 0x5c, 0x27, 0x3d, 0x7e, 0x85, 0x39, 0x8e, 0x53,
			},
			[BW_BUILTIN_TAG_SHA1] = { 0x99, 0x7b, 0xca, 0xa9, 0x85, 0x15, 0x1b, 0x1b },
			[BW_BUILTIN_TAG_SHA256] = { 0x2a, 0x71, 0xda, 0x1e, 0x3f, 0x8d, 0x9d, 0xc0 },
		},
	},
	{
		/* cilium/ebpf, syscalls.go, haveProbeReadKernel: the same as a kprobe */
		.id = "builtin:cilium-probe-read-kernel",
		.prog_type = BPF_PROG_TYPE_KPROBE,
		.instructions = 6,
		.ids = {
			[BW_BUILTIN_DIGEST] = {
				0x2a, 0x71, 0xda, 0x1e, 0x3f, 0x8d, 0x9d, 0xc0, 0x85, 0xe4, 0xe6, 0x32, 0xbc, 0x2c, 0x22, 0xd8,
				0xd2, 0x7f, 0x4d, 0xeb, 0x2f, 0x2b, 0xdd, 0x8b, 0x5c, 0x27, 0x3d, 0x7e, 0x85, 0x39, 0x8e, 0x53,
			},
			[BW_BUILTIN_TAG_SHA1] = { 0x99, 0x7b, 0xca, 0xa9, 0x85, 0x15, 0x1b, 0x1b },
			[BW_BUILTIN_TAG_SHA256] = { 0x2a, 0x71, 0xda, 0x1e, 0x3f, 0x8d, 0x9d, 0xc0 },
		},
	},
	{
		/* libbpf, features.c, probe_kern_arg_ctx_tag(): a subprogram that calls get_func_ip */
		.id = "builtin:libbpf-arg-ctx-tag",
		.prog_type = BPF_PROG_TYPE_KPROBE,
		.instructions = 4,
		.ids = {
			[BW_BUILTIN_DIGEST] = {
				0x13, 0xb5, 0x71, 0x67, 0x62, 0x6c, 0x8d, 0xd1, 0x9c, 0xfe, 0x79, 0x64, 0xfc, 0xa5, 0x42, 0xee,
				0x44, 0x58, 0x48, 0x21, 0x17, 0x64, 0xb9, 0x7f, 0x2b, 0xdd, 0x85, 0xa9, 0xff, 0x36, 0x65, 0xda,
			},
			[BW_BUILTIN_TAG_SHA1] = { 0x49, 0x18, 0xfb, 0x79, 0x91, 0x8c, 0x4d, 0xa5 },
			[BW_BUILTIN_TAG_SHA256] = { 0x13, 0xb5, 0x71, 0x67, 0x62, 0x6c, 0x8d, 0xd1 },
		},
	},
	{
		/*
		 * bpftool, feature.c, probe_large_insn_limit(), and cilium/ebpf, features/misc.go: 4,096 times r0 = 1, exit. It
		 * asks whether a program may be that long, so it cannot be as short as the inert rule wants it.
		 */
		.id = "builtin:large-program",
		.prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
		.instructions = 4097,
		.ids = {
			[BW_BUILTIN_DIGEST] = {
				0xd5, 0x71, 0xf1, 0x42, 0x1f, 0x63, 0x9c, 0xba, 0xce, 0x53, 0xc0, 0xf6, 0x70, 0x5f, 0xc4, 0x43,
				0x8c, 0x45, 0xe3, 0x4d, 0xbc, 0xa0, 0x2a, 0x91, 0x0f, 0x86, 0x08, 0x1e, 0xea, 0x2c, 0xd0, 0xad,
			},
			[BW_BUILTIN_TAG_SHA1] = { 0xf3, 0x3e, 0x5b, 0x77, 0xe1, 0xf3, 0x28, 0x22 },
			[BW_BUILTIN_TAG_SHA256] = { 0xd5, 0x71, 0xf1, 0x42, 0x1f, 0x63, 0x9c, 0xba },
		},
	},
};

/*
 * The inert rule lets a program through that nobody approved, if it is short, owns its maps and calls nothing but these.
 * So a helper is safe only if a program that calls it, in any program type, can neither change anything outside itself nor
 * learn anything worth carrying away in a map of its own (which user space reads) or in its return value (which
 * PROG_TEST_RUN hands out):
 *   - clocks, random numbers, the number of this CPU and node, the cookie its loader gave it: no secret, no effect;
 *   - ids of the current task and its name: what every process may read in /proc;
 *   - pure computation on memory the program has already.
 * Not safe, although harmless at first sight:
 *   - probe_read*, copy_from_user*, get_current_task*, per_cpu_ptr, snprintf (%s, %pB), d_path, stacks, registers, skb and
 *     socket readers: they read what the program could not read without them. The probe by which libbpf looks for
 *     probe_read_kernel is approved by its exact instructions instead (policy_builtin.h);
 *   - map helpers: map_lookup_elem and the ring buffer are how data leaves, and feature probes do without;
 *   - trace_printk (writes a shared log), bpf_loop, timers, callbacks, tail_call (run code or time that is not the
 *     program's own), get_func_ip and get_func_arg/ret (kernel addresses and arguments), anything that sets or redirects.
 */
void bw_policy_safe_helpers(__u64 ret[BW_HELPER_WORDS])
{
	static const uint8_t safe[] = {
		5,   /* ktime_get_ns */
		7,   /* get_prandom_u32 */
		8,   /* get_smp_processor_id */
		14,  /* get_current_pid_tgid */
		15,  /* get_current_uid_gid */
		16,  /* get_current_comm */
		28,  /* csum_diff */
		42,  /* get_numa_node_id */
		80,  /* get_current_cgroup_id */
		105, /* strtol */
		106, /* strtoul */
		118, /* jiffies64 */
		120, /* get_ns_current_pid_tgid */
		123, /* get_current_ancestor_cgroup_id */
		125, /* ktime_get_boot_ns */
		160, /* ktime_get_coarse_ns */
		174, /* get_attach_cookie */
		182, /* strncmp */
		185, /* get_func_arg_cnt */
		208, /* ktime_get_tai_ns */
	};

	memset(ret, 0, BW_HELPER_WORDS * sizeof(*ret));
	for (size_t i = 0; i < ARRAY_SIZE(safe); i++)
		ret[safe[i] / 64] |= 1ULL << (safe[i] % 64);
}
