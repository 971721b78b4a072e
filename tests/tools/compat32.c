// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// tool-alone: -m32 -static
/*
 * For tests of the 32-bit system call table. Loads "return N" as a socket filter and attaches a classic
 * filter to a socket; says "load=R filter=R": a descriptor is 1, otherwise -errno.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct bpf_insn insns[2] = { { .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = argc > 1 ? atoi(argv[1]) : 1 }, { .code = BPF_JMP | BPF_EXIT } };
	union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_SOCKET_FILTER, .insn_cnt = 2, .insns = (uintptr_t)insns, .license = (uintptr_t) "GPL" };
	struct sock_filter all[] = { BPF_STMT(BPF_RET | BPF_K, 0xffff) };
	struct sock_fprog prog = { 1, all };
	int s = socket(AF_INET, SOCK_DGRAM, 0);
	long load = syscall(__NR_bpf, BPF_PROG_LOAD, &attr, sizeof(attr)), filter;

	load = load < 0 ? -errno : 1;
	filter = setsockopt(s, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)) < 0 ? -errno : 1;
	printf("load=%ld filter=%ld\n", load, filter);
	return 0;
}
