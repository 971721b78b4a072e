// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/canary.h"

#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "common/cleanup.h"

/*
 * A map of its own would be inert; a helper with an effect is not: trace_printk of nothing. The immediate is the time, so
 * that nobody can approve it. The child uses the bare system call only: it shares nothing with a possibly broken parent.
 */
static int child_load(uint32_t type)
{
	struct timespec now = { 0 };
	union bpf_attr attr;
	static const char license[] = "GPL";
	int fd;

	clock_gettime(CLOCK_MONOTONIC, &now);
	struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = (int)now.tv_nsec },
		{ .code = BPF_ST | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_10, .off = -8, .imm = 0 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_1, .src_reg = BPF_REG_10 },
		{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = BPF_REG_1, .imm = -8 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2, .imm = 1 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_trace_printk },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = type;
	attr.insns = (uint64_t)(uintptr_t)insns;
	attr.insn_cnt = ARRAY_SIZE(insns);
	attr.license = (uint64_t)(uintptr_t)license;
	memcpy(attr.prog_name, "bw_canary", sizeof("bw_canary"));
	fd = (int)syscall(__NR_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	if (fd >= 0)
		return 0;
	return errno == EPERM ? 1 : 2;
}

enum canary_result canary_try(const struct bw_policy_conf *conf)
{
	static const uint32_t types[] = { BPF_PROG_TYPE_RAW_TRACEPOINT, BPF_PROG_TYPE_TRACEPOINT, BPF_PROG_TYPE_XDP,
					  BPF_PROG_TYPE_SCHED_CLS, BPF_PROG_TYPE_SOCKET_FILTER };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		int status;
		pid_t pid;

		if (conf->type_default[types[i]] != BW_VERDICT_DENY)
			continue;
		pid = fork();
		if (pid < 0)
			return CANARY_UNKNOWN;
		if (!pid)
			_exit(child_load(types[i]));
		while (waitpid(pid, &status, 0) < 0)
			if (errno != EINTR)
				return CANARY_UNKNOWN;
		if (!WIFEXITED(status) || WEXITSTATUS(status) > 1)
			return CANARY_UNKNOWN;
		return WEXITSTATUS(status) == 1 ? CANARY_REFUSED : CANARY_LOADED;
	}
	return CANARY_UNKNOWN;
}
