// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// tool-alone: -static
/*
 * bwhammer: loads a program that nobody approved and that is too long to be inert.
 *
 *   bwhammer FILE        once: appends a line "uptime_ms=T pid=P errno=E" to FILE
 *   bwhammer -l FILE     until SIGTERM, without a pause worth mentioning; then writes "attempts=N refused=N loaded=N other=N" to FILE
 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <linux/bpf.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#define N_INSNS 100

static volatile sig_atomic_t ended;

static void on_term(int sig)
{
	(void)sig;
	ended = 1;
}

/* The immediates make each one a program that was never seen before. Returns 0 or the errno. */
static int load(uint32_t n)
{
	static struct bpf_insn insns[N_INSNS];
	union bpf_attr attr;
	int fd;

	for (int i = 0; i < N_INSNS - 2; i++)
		insns[i] = (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = (int32_t)(n + (uint32_t)i) };
	insns[N_INSNS - 2] = (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_K };
	insns[N_INSNS - 1] = (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT };
	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT;
	attr.insns = (uint64_t)(uintptr_t)insns;
	attr.insn_cnt = N_INSNS;
	attr.license = (uint64_t)(uintptr_t) "GPL";
	memcpy(attr.prog_name, "unapproved", sizeof("unapproved"));
	fd = (int)syscall(__NR_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

int main(int argc, char **argv)
{
	unsigned long attempts = 0, refused = 0, loaded = 0, other = 0;
	int loop = argc == 3 && !strcmp(argv[1], "-l");
	struct timespec now;
	FILE *f;
	int r;

	if (argc != 2 && !loop) {
		fprintf(stderr, "usage: bwhammer [-l] FILE\n");
		return 2;
	}
	setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){ RLIM_INFINITY, RLIM_INFINITY });
	sigaction(SIGTERM, &(struct sigaction){ .sa_handler = on_term }, NULL);
	clock_gettime(CLOCK_BOOTTIME, &now);
	if (!loop) {
		r = load((uint32_t)now.tv_nsec);
		f = fopen(argv[1], "ae");
		if (!f)
			return 2;
		fprintf(f, "uptime_ms=%lld pid=%d errno=%d\n", (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000, (int)getpid(), r);
		return fclose(f) ? 2 : 0;
	}
	while (!ended) {
		r = load((uint32_t)(now.tv_nsec + (long)attempts));
		/* the verifier gives up when a signal is pending; before 6.9 it comes before the refusal */
		if (ended && (r == EAGAIN || r == EINTR))
			break;
		attempts++;
		refused += r == EPERM;
		loaded += !r;
		other += r && r != EPERM;
		usleep(500); /* leaves the processor to what is tested */
	}
	f = fopen(argv[2], "we");
	if (!f)
		return 2;
	fprintf(f, "attempts=%lu refused=%lu loaded=%lu other=%lu\n", attempts, refused, loaded, other);
	return fclose(f) ? 2 : 0;
}
