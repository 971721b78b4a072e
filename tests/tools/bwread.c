// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// tool-cflags: -static
// tool-pkgs: libbpf
/*
 * bwread NAME FILE: makes a map called NAME; then a child reads it by its id, and tries to connect, to send and to write
 * FILE. bwread --id ID FILE: the same with a map that there is already. Prints "before E", "connect E", "send E", "file E": the errno of each, 0 for success; "killed S" when a signal ended it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int do_bpf(int cmd, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

static const struct sockaddr_in there = { .sin_family = AF_INET };

static void try_connect(const char *word)
{
	struct sockaddr_in to = there;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	to.sin_port = htons(443);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	printf("%s %d\n", word, connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 ? errno : 0);
	fflush(stdout);
	close(fd);
}

static int reader(uint32_t id, const char *file)
{
	union bpf_attr open_it = { .map_id = id }, look = { 0 };
	struct sockaddr_in to = there;
	uint32_t key = 0;
	uint64_t value[512];
	int fd, s;

	try_connect("before");
	fd = do_bpf(BPF_MAP_GET_FD_BY_ID, &open_it);
	look.map_fd = (uint32_t)fd;
	look.key = (uintptr_t)&key;
	look.value = (uintptr_t)value;
	/* Whether there is such an element does not matter. */
	if (fd < 0 || (do_bpf(BPF_MAP_LOOKUP_ELEM, &look) < 0 && errno != ENOENT)) {
		perror("reading the map");
		return 3;
	}
	try_connect("connect");
	s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	to.sin_port = htons(53);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	printf("send %d\n", sendto(s, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)) < 0 ? errno : 0);
	fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	printf("file %d\n", fd < 0 ? errno : 0);
	fflush(stdout);
	return 0;
}

int main(int argc, char **argv)
{
	union bpf_attr make = { .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 1 }, ask = { 0 };
	struct bpf_map_info info = { 0 };
	int status;
	pid_t pid;

	if (argc == 4 && !strcmp(argv[1], "--id"))
		return reader((uint32_t)strtoul(argv[2], NULL, 10), argv[3]);
	if (argc != 3)
		return 2;
	snprintf(make.map_name, sizeof(make.map_name), "%s", argv[1]);
	ask.info.bpf_fd = (uint32_t)do_bpf(BPF_MAP_CREATE, &make);
	ask.info.info_len = sizeof(info);
	ask.info.info = (uintptr_t)&info;
	if (do_bpf(BPF_OBJ_GET_INFO_BY_FD, &ask) < 0) {
		perror("making the map");
		return 3;
	}
	pid = fork();
	if (!pid)
		_exit(reader(info.id, argv[2]));
	waitpid(pid, &status, 0);
	if (WIFSIGNALED(status))
		printf("killed %d\n", WTERMSIG(status));
	return 0;
}
