// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// tool-pkgs: libbpf
/*
 * bwlookup [--count N] [--rounds R]: how long a BPF_MAP_LOOKUP_ELEM system call takes. Prints one line,
 *
 *   lookups=N wall_ns=T cpu_ns=T per_s=P
 *
 * the time of one lookup, of the fastest of R rounds of N lookups: what else the machine does only ever adds to it.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long sys_bpf(int cmd, union bpf_attr *attr)
{
	return syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

static double now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static unsigned long number(const char *text)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = text ? strtoul(text, &end, 10) : 0;
	if (!text || errno || end == text || *end || *text == '-' || !n) {
		fprintf(stderr, "bwlookup: not a positive number: %s\n", text ? text : "(missing)");
		exit(2);
	}
	return n;
}

int main(int argc, char **argv)
{
	unsigned long count = 100000, rounds = 5;
	double wall = 0, cpu = 0;
	union bpf_attr attr;
	uint32_t key = 0, value = 0;
	long map;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--count")) {
			count = number(argv[++i]);
		} else if (!strcmp(argv[i], "--rounds")) {
			rounds = number(argv[++i]);
		} else {
			fprintf(stderr, "Usage: bwlookup [--count N] [--rounds R]\n");
			return 2;
		}
	}
	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_ARRAY;
	attr.key_size = sizeof(key);
	attr.value_size = sizeof(value);
	attr.max_entries = 1;
	map = sys_bpf(BPF_MAP_CREATE, &attr);
	if (map < 0) {
		perror("bwlookup: map");
		return 1;
	}
	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)map;
	attr.key = (uintptr_t)&key;
	attr.value = (uintptr_t)&value;
	for (unsigned long r = 0; r < rounds; r++) {
		double w = now_ns(CLOCK_MONOTONIC), c = now_ns(CLOCK_PROCESS_CPUTIME_ID);

		for (unsigned long i = 0; i < count; i++)
			if (sys_bpf(BPF_MAP_LOOKUP_ELEM, &attr)) {
				perror("bwlookup: lookup");
				return 1;
			}
		c = now_ns(CLOCK_PROCESS_CPUTIME_ID) - c;
		w = now_ns(CLOCK_MONOTONIC) - w;
		if (!r || w < wall)
			wall = w;
		if (!r || c < cpu)
			cpu = c;
	}
	printf("lookups=%lu wall_ns=%.1f cpu_ns=%.1f per_s=%.0f\n", count, wall / (double)count, cpu / (double)count,
	       1e9 * (double)count / wall);
	return 0;
}
