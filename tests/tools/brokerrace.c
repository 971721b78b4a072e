// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// tool-cflags: -static
// tool-pkgs: libbpf
/*
 * brokerrace SECONDS: loads a program again and again while another thread rewrites its instructions between "return 1" and "return 2".
 * Says "one=N two=N refused=N": what was loaded, by the kernel's own account (the tag), and how often it was not.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static volatile struct bpf_insn insns[2] = {
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 1 },
	{ .code = BPF_JMP | BPF_EXIT },
};
static volatile int stop;

static long sys_bpf(int cmd, union bpf_attr *attr)
{
	return syscall(__NR_bpf, cmd, attr, sizeof(*attr));
}

static int load(const volatile struct bpf_insn *code)
{
	union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_SOCKET_FILTER, .insn_cnt = 2, .insns = (uintptr_t)code, .license = (uintptr_t) "GPL" };

	return (int)sys_bpf(BPF_PROG_LOAD, &attr);
}

static uint64_t tag_of(int fd)
{
	struct bpf_prog_info info = { 0 };
	union bpf_attr attr = { .info = { .bpf_fd = (uint32_t)fd, .info_len = sizeof(info), .info = (uintptr_t)&info } };
	uint64_t tag = 0;

	if (sys_bpf(BPF_OBJ_GET_INFO_BY_FD, &attr) == 0)
		memcpy(&tag, info.tag, sizeof(tag));
	return tag;
}

static void *flip(void *arg)
{
	while (!stop)
		insns[0].imm = insns[0].imm == 1 ? 2 : 1;
	return NULL;
}

int main(int argc, char **argv)
{
	struct bpf_insn one[2] = { { .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 1 }, { .code = BPF_JMP | BPF_EXIT } };
	time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 2);
	unsigned long n_one = 0, n_two = 0, refused = 0;
	int fd = load(one);
	uint64_t tag;
	pthread_t t;

	if (fd < 0) {
		fprintf(stderr, "brokerrace: %s\n", strerror(errno));
		return 2;
	}
	tag = tag_of(fd);
	close(fd);
	if (pthread_create(&t, NULL, flip, NULL))
		return 2;
	while (time(NULL) < end) {
		fd = load(insns);
		if (fd < 0) {
			refused++;
			continue;
		}
		*(tag_of(fd) == tag ? &n_one : &n_two) += 1;
		close(fd);
	}
	stop = 1;
	pthread_join(t, NULL);
	printf("one=%lu two=%lu refused=%lu\n", n_one, n_two, refused);
	return 0;
}
