// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// tool-pkgs: libbpf
/*
 * bwload: loads each program of an object by itself and says what the kernel made of it. One line a program:
 *
 *   name=N errno=E stage=kernel|libbpf|open id=I tag=T insns=C loads=L ok=K ns=T cpu_ns=T
 *
 * errno 0 means loaded; stage says who refused; tag is the kernel's own; ns and cpu_ns are the mean times, on the clock and
 * of the processor, of a BPF_PROG_LOAD. Exit status 0 when all loaded, 1 when some did not, 2 for a file that cannot be
 * opened.
 *
 * Static, so that a copy of it is another executable with the same behaviour, and so that it runs in a busybox VM.
 * Changes to instructions are made where they leave libbpf, in syscall(): after relocation, exactly as the kernel will
 * see them.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define LD_IMM64 (BPF_LD | BPF_IMM | BPF_DW)

#define FLIP_NONE  (-1)
#define FLIP_FIRST (-2) /* the first that moves a constant to a register */

struct change {
	long flip;	  /* instruction whose imm gets its lowest bit flipped, or one of: */
	bool cold;	  /* the instructions are in memory that nobody has touched */
	bool bump_offset; /* adds 8 to the offset into the first map value that is referred to */
	unsigned long repeat;
};

static struct change change = { .flip = FLIP_NONE, .repeat = 1 };
static bool armed;	   /* the next named PROG_LOAD is the program's */
static bool reached;	   /* it was made */
static bool change_missed; /* there was nothing to change */
static unsigned long ok_loads;
static int kept_fd = -1; /* a duplicate of the last program's descriptor */
static uint64_t total_ns, total_cpu_ns;

/* The system call itself; libc's syscall() is the function below. */
static long raw_syscall(long nr, long a, long b, long c, long d, long e, long f)
{
#if defined(__x86_64__)
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
	return x0;
#else
#error "how a system call is made on this architecture has to be said here"
#endif
}

static uint64_t now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void change_insns(struct bpf_insn *insns, uint32_t n)
{
	if (change.flip != FLIP_NONE) {
		uint32_t at = change.flip >= 0 ? (uint32_t)change.flip : 0;

		while (change.flip == FLIP_FIRST && at < n && insns[at].code != (BPF_ALU64 | BPF_MOV | BPF_K) &&
		       insns[at].code != (BPF_ALU | BPF_MOV | BPF_K))
			at++;
		if (at < n)
			insns[at].imm ^= 1;
		else
			change_missed = true;
	}
	if (!change.bump_offset)
		return;
	for (uint32_t i = 0; i + 1 < n; i++) {
		if (insns[i].code != LD_IMM64)
			continue;
		if (insns[i].src_reg == BPF_PSEUDO_MAP_VALUE) {
			insns[i + 1].imm += 8;
			return;
		}
		i++;
	}
	change_missed = true;
}

/* A mapping with a copy of the instructions that is not in the page table yet. */
static void *cold_copy(const struct bpf_insn *insns, size_t size)
{
	int fd = memfd_create("insns", MFD_CLOEXEC);
	void *p = MAP_FAILED;

	if (fd >= 0 && write(fd, insns, size) == (ssize_t)size)
		p = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (fd >= 0)
		close(fd);
	return p == MAP_FAILED ? NULL : p;
}

static long load_program(union bpf_attr *attr, long size)
{
	struct bpf_insn *mine = malloc(attr->insn_cnt * sizeof(*mine));
	uint64_t theirs = attr->insns, start, cpu;
	long fd = -ENOMEM;

	if (!mine)
		return fd;
	memcpy(mine, (void *)(uintptr_t)attr->insns, attr->insn_cnt * sizeof(*mine));
	change_insns(mine, attr->insn_cnt);
	attr->insns = (uintptr_t)(change.cold ? cold_copy(mine, attr->insn_cnt * sizeof(*mine)) : mine);
	ok_loads = 0;
	start = now_ns(CLOCK_MONOTONIC);
	cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID);
	for (unsigned long i = 0; i < change.repeat; i++) {
		long last = fd;

		fd = raw_syscall(SYS_bpf, BPF_PROG_LOAD, (long)attr, size, 0, 0, 0);
		if (fd >= 0) {
			ok_loads++;
			if (last >= 0)
				close((int)last);
		} else {
			/* Keeps a good one, if there was any, for the caller to look at. */
			int error = (int)fd;

			fd = last >= 0 ? last : error;
		}
	}
	total_cpu_ns = now_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	total_ns = now_ns(CLOCK_MONOTONIC) - start;
	if (fd >= 0)
		kept_fd = dup((int)fd);
	attr->insns = theirs;
	free(mine);
	return fd;
}

/* libbpf calls the kernel through this; a definition in the executable goes before libc's. */
long syscall(long nr, ...)
{
	long a[6], r;
	va_list ap;

	va_start(ap, nr);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (nr == SYS_bpf && a[0] == BPF_PROG_LOAD && armed) {
		union bpf_attr *attr = (union bpf_attr *)a[1];

		/* Feature probes have no name, or libbpf's. */
		if (attr->prog_name[0] && strncmp(attr->prog_name, "libbpf_", 7)) {
			reached = true;
			r = load_program(attr, a[2]);
			goto out;
		}
	}
	r = raw_syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
out:
	if (r < 0 && r > -4096) {
		errno = (int)-r;
		return -1;
	}
	return r;
}

static bool verbose;

static int on_print(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	return verbose && level != LIBBPF_DEBUG ? vfprintf(stderr, fmt, ap) : 0;
}

static void report(const char *name, int error, const char *stage, size_t insns)
{
	struct bpf_prog_info info = { 0 };
	uint32_t len = sizeof(info);

	printf("name=%s errno=%d stage=%s", name, error, stage);
	if (!error && !bpf_obj_get_info_by_fd(kept_fd, &info, &len)) {
		printf(" id=%u tag=", info.id);
		for (size_t i = 0; i < sizeof(info.tag); i++)
			printf("%02x", info.tag[i]);
	}
	if (!error)
		printf(" insns=%zu", insns);
	if (reached)
		printf(" loads=%lu ok=%lu ns=%llu cpu_ns=%llu", change.repeat, ok_loads,
		       (unsigned long long)(total_ns / change.repeat), (unsigned long long)(total_cpu_ns / change.repeat));
	printf("\n");
	fflush(stdout);
}

/* 1: loaded, 0: not, -1: cannot be opened. @hold keeps it loaded. */
static int load_one(const char *path, const char *wanted, bool hold)
{
	struct bpf_object *obj = bpf_object__open_file(path, NULL);
	struct bpf_program *prog, *mine = NULL;
	struct bpf_map *map;
	int error = 0;

	if (!obj)
		return -1;
	bpf_object__for_each_map(map, obj) bpf_map__set_pin_path(map, NULL);
	bpf_object__for_each_program(prog, obj)
	{
		bool is_it = !strcmp(bpf_program__name(prog), wanted);

		bpf_program__set_autoload(prog, is_it);
		if (is_it)
			mine = prog;
	}
	if (mine && !bpf_program__type(mine))
		bpf_program__set_type(mine, BPF_PROG_TYPE_SOCKET_FILTER);
	armed = true;
	reached = change_missed = false;
	ok_loads = 0;
	if (!mine)
		error = ENOENT;
	else if (bpf_object__load(obj))
		error = errno;
	armed = false;
	/* libbpf can fail after the program was loaded: filling a program array with programs that were left out. */
	if (error && ok_loads == change.repeat)
		error = 0;
	if (change_missed && !error)
		error = ERANGE;
	report(wanted, error, error && !reached ? "libbpf" : "kernel", mine ? bpf_program__insn_cnt(mine) : 0);
	if (!hold || error) {
		bpf_object__close(obj);
		if (kept_fd >= 0)
			close(kept_fd);
	}
	kept_fd = -1;
	return !error;
}

static void usage(FILE *out)
{
	fputs("usage: bwload [OPTION...] FILE.o...\n"
	      "  --prog NAME            only this program (default: all, each by itself)\n"
	      "  --flip N|first         flip the lowest bit of the immediate of instruction N, or of the first that "
	      "moves a\n"
	      "                         constant to a register, after relocation\n"
	      "  --bump-value-offset    add 8 to the first offset into a map's value, after relocation\n"
	      "  --cold                 give the kernel the instructions in memory that nobody has touched\n"
	      "  --repeat N             make each BPF_PROG_LOAD N times\n"
	      "  --hold SECONDS         keep what was loaded for so long\n"
	      "  --skip-attach          nothing is ever attached; accepted for clarity\n"
	      "  --verbose              libbpf's messages on standard error\n"
	      "A change that finds nothing to change is errno 34 (ERANGE).\n",
	      out);
}

static unsigned long number(const char *text)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = text ? strtoul(text, &end, 10) : 0;
	if (!text || errno || end == text || *end || *text == '-') {
		fprintf(stderr, "bwload: not a number: %s\n", text ? text : "(missing)");
		exit(2);
	}
	return n;
}

int main(int argc, char **argv)
{
	const char *only = NULL;
	unsigned long hold = 0;
	bool files = false;
	int status = 0;

	libbpf_set_print(on_print);
	for (int i = 1; i < argc; i++) {
		const char *a = argv[i];

		if (!strcmp(a, "--prog") && i + 1 < argc) {
			only = argv[++i];
		} else if (!strcmp(a, "--flip")) {
			i++;
			change.flip = argv[i] && !strcmp(argv[i], "first") ? FLIP_FIRST : (long)number(argv[i]);
		} else if (!strcmp(a, "--bump-value-offset")) {
			change.bump_offset = true;
		} else if (!strcmp(a, "--cold")) {
			change.cold = true;
		} else if (!strcmp(a, "--repeat")) {
			change.repeat = number(argv[++i]);
			if (!change.repeat)
				change.repeat = 1;
		} else if (!strcmp(a, "--hold")) {
			hold = number(argv[++i]);
		} else if (!strcmp(a, "--verbose")) {
			verbose = true;
		} else if (!strcmp(a, "--help")) {
			usage(stdout);
			return 0;
		} else if (!strcmp(a, "--skip-attach")) {
			continue;
		} else if (a[0] == '-') {
			usage(stderr);
			return 2;
		} else {
			struct bpf_object *obj = bpf_object__open_file(a, NULL);
			struct bpf_program *prog;

			files = true;
			if (!obj) {
				printf("name=%s errno=%d stage=open\n", a, errno);
				status = 2;
				continue;
			}
			if (only && load_one(a, only, hold) <= 0 && !status)
				status = 1;
			if (!only)
				bpf_object__for_each_program(
					prog, obj) if (load_one(a, bpf_program__name(prog), hold) <= 0 && !status)
					status = 1;
			bpf_object__close(obj);
		}
	}
	if (!files) {
		usage(stderr);
		return 2;
	}
	if (hold)
		sleep((unsigned int)hold);
	return status;
}
