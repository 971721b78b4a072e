// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// tool-pkgs: libbpf
/*
 * hide_ids OBJECT [open]: loads two programs that do nothing and hides the second from bpf(2): from the walk over identifiers,
 * with "open" from being opened by identifier as well. Says "victim=ID", then waits to be killed. For virtual machines.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

static int load_nothing(const char *name)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	return bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, name, "GPL", insns, 2, NULL);
}

int main(int argc, char **argv)
{
	struct {
		__u32 victim, next_cmd, open_cmd;
	} conf = { .next_cmd = BPF_PROG_GET_NEXT_ID };
	struct bpf_prog_info info = { 0 };
	__u32 len = sizeof(info);
	struct bpf_object *o;
	struct bpf_program *p;
	struct bpf_map *rodata;
	int before = load_nothing("bw_before"), victim = load_nothing("bw_victim");

	if (argc < 2 || before < 0 || victim < 0 || bpf_obj_get_info_by_fd(victim, &info, &len)) {
		fprintf(stderr, "hide_ids: usage, or no programs: %s\n", strerror(errno));
		return 2;
	}
	conf.victim = info.id;
	if (argc > 2 && !strcmp(argv[2], "open"))
		conf.open_cmd = BPF_PROG_GET_FD_BY_ID;
	o = bpf_object__open_file(argv[1], NULL);
	rodata = o ? bpf_object__find_map_by_name(o, ".rodata") : NULL;
	p = o ? bpf_object__find_program_by_name(o, "hide") : NULL;
	if (!rodata || !p || bpf_map__set_initial_value(rodata, &conf, sizeof(conf)) || bpf_object__load(o) || !bpf_program__attach(p)) {
		fprintf(stderr, "hide_ids: %s: %s\n", argv[1], strerror(errno));
		return 2;
	}
	printf("victim=%u\n", info.id);
	fflush(stdout);
	for (;;)
		pause();
}
