// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/canary.h"

#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "common/caps.h"
#include "common/cleanup.h"

#define MAX_INSNS 4096 /* what any kernel takes */

/*
 * Too long to be inert, it does nothing but set r0; the immediate is the time, so that nobody can approve it. The child
 * uses the bare system call only: it shares nothing with a possibly broken parent.
 */
static int child_load(uint32_t type, struct bpf_insn *insns, uint32_t n)
{
	struct timespec now = { 0 };
	union bpf_attr attr;
	static const char license[] = "GPL";
	int fd;

	/* In case the type needs it: a refusal by the kernel's own checks would prove nothing. */
	bw_caps_raise(BW_CAP(CAP_NET_ADMIN));
	clock_gettime(CLOCK_MONOTONIC, &now);
	for (uint32_t i = 0; i < n; i++)
		insns[i] = (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = (int)now.tv_nsec };
	insns[n - 2].imm = 0;
	insns[n - 1] = (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT };
	memset(&attr, 0, sizeof(attr));
	attr.prog_type = type;
	attr.insns = (uint64_t)(uintptr_t)insns;
	attr.insn_cnt = n;
	attr.license = (uint64_t)(uintptr_t)license;
	memcpy(attr.prog_name, CANARY_NAME, sizeof(CANARY_NAME));
	fd = (int)syscall(__NR_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	if (fd >= 0)
		return 0;
	return errno == EPERM ? 1 : 2;
}

enum canary_result canary_try(const struct bw_policy_conf *conf)
{
	static const uint32_t types[] = { BPF_PROG_TYPE_RAW_TRACEPOINT, BPF_PROG_TYPE_TRACEPOINT, BPF_PROG_TYPE_XDP,
					  BPF_PROG_TYPE_SCHED_CLS, BPF_PROG_TYPE_SOCKET_FILTER };
	uint32_t n = conf->inert_max_insns + 3;
	_cleanup_free_ struct bpf_insn *insns = NULL;

	if (n > MAX_INSNS)
		return CANARY_UNKNOWN;
	insns = calloc(n, sizeof(*insns));
	if (!insns)
		return CANARY_UNKNOWN;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		int status;
		pid_t pid;

		if (conf->type_default[types[i]] != BW_VERDICT_DENY)
			continue;
		pid = fork();
		if (pid < 0)
			return CANARY_UNKNOWN;
		if (!pid)
			_exit(child_load(types[i], insns, n));
		while (waitpid(pid, &status, 0) < 0)
			if (errno != EINTR)
				return CANARY_UNKNOWN;
		if (!WIFEXITED(status) || WEXITSTATUS(status) > 1)
			return CANARY_UNKNOWN;
		return WEXITSTATUS(status) == 1 ? CANARY_REFUSED : CANARY_LOADED;
	}
	return CANARY_UNKNOWN;
}
