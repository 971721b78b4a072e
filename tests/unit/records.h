/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_TEST_RECORDS_H
#define BW_TEST_RECORDS_H
/* Ring-buffer records as the BPF programs would write them. */
#include <string.h>

#include "bpf/event.h"

static inline void record_hdr(struct bw_event_hdr *h, __u16 type, __u32 size, __u8 hook)
{
	*h = (struct bw_event_hdr){
		.version = BW_EVENT_VERSION, .type = type, .size = size, .time_ns = 123456789012ULL, .seq = 7, .cpu = 3, .hook = hook,
	};
}

static inline void record_actor(struct bw_actor *a)
{
	static const char path[] = "bpftool\0sbin\0usr";

	*a = (struct bw_actor){
		.pid = 4243, .tgid = 4242, .start_ns = 99000000000ULL, .ppid = 4000, .uid = 0, .gid = 0,
		.exe_dev = 259u << 20 | 2, .exe_ino = 1311, .cgroup_id = 5812, .pid_ns = 4026531836u, .mnt_ns = 4026531841u,
		.user_ns = 4026531837u, .net_ns = 4026531840u, .comm = "bpftool",
	};
	memcpy(a->path, path, sizeof(path));
	a->path_len = sizeof(path);
}

static inline struct bw_event_load record_load(void)
{
	struct bw_event_load l;

	memset(&l, 0, sizeof(l));
	record_hdr(&l.hdr, BW_EVENT_LOAD, sizeof(l), BW_HOOK_BPF_PROG_LOAD);
	record_actor(&l.actor);
	l.prog_type = 6; /* xdp */
	l.expected_attach_type = 37; /* xdp */
	l.insn_cnt = 42;
	memcpy(l.name, "xdp_filter", 10);
	l.identity = BW_IDENTITY_DIGEST;
	for (unsigned int i = 0; i < BW_DIGEST_LEN; i++)
		l.digest[i] = (__u8)(i * 7 + 1);
	l.helpers[0] = 1ULL << 1 | 1ULL << 6;
	l.helpers[1] = 1ULL << (113 - 64);
	l.load_flags = BW_LOAD_MAPS | BW_LOAD_SUBPROGRAMS;
	l.verdict = BW_VERDICT_DENY;
	l.action = BW_ACTION_DENIED;
	l.reason = BW_REASON_DEFAULT;
	l.entry = ~0u;
	l.hook_ns = 81234;
	l.generation = 3;
	return l;
}

static inline struct bw_event_command record_command(void)
{
	struct bw_event_command c;

	memset(&c, 0, sizeof(c));
	record_hdr(&c.hdr, BW_EVENT_COMMAND, sizeof(c), BW_HOOK_BPF);
	record_actor(&c.actor);
	c.cmd = 28; /* link_create */
	c.size = 16;
	c.attr[0] = 0x0000000500000004ULL;
	c.prog_id = 77;
	return c;
}

static inline struct bw_event_map record_map(void)
{
	struct bw_event_map m;

	memset(&m, 0, sizeof(m));
	record_hdr(&m.hdr, BW_EVENT_MAP, sizeof(m), BW_HOOK_BPF_MAP);
	record_actor(&m.actor);
	m.map_id = 12;
	m.map_type = 1; /* hash */
	m.key_size = 4;
	m.value_size = 8;
	m.max_entries = 1024;
	m.cmd = 0; /* map_create */
	m.fmode = 3;
	memcpy(m.name, "flows", 5);
	return m;
}

static inline struct bw_event_tamper record_tamper(void)
{
	struct bw_event_tamper t;

	memset(&t, 0, sizeof(t));
	record_hdr(&t.hdr, BW_EVENT_TAMPER, sizeof(t), BW_HOOK_TASK_KILL);
	record_actor(&t.actor);
	t.what = BW_TAMPER_SIGNAL;
	t.object = 812;
	t.detail = 9;
	t.action = BW_ACTION_DENIED;
	t.count = 4;
	memcpy(t.name, "bw-core", 7);
	return t;
}

/* With room for a classic filter behind it: its size is in hdr.size. */
struct record_attach {
	struct bw_event_attach attach;
	__u64 insns[BW_MAX_CLASSIC];
};

static inline struct record_attach record_attach(void)
{
	struct record_attach r;
	struct bw_event_attach *a = &r.attach;

	memset(&r, 0, sizeof(r));
	record_hdr(&a->hdr, BW_EVENT_ATTACH, sizeof(*a), BW_HOOK_BPF_DONE);
	record_actor(&a->actor);
	a->way = BW_WAY_LINK;
	a->request = 28; /* link_create */
	a->attr[0] = 0x0000000300000005ULL; /* program 5 on interface 3 */
	a->attr_len = 16;
	a->attach_type = 37; /* xdp */
	a->flags = BW_ATTACH_HAS_RESULT;
	a->error = 7;
	a->link_id = 9;
	a->link_type = 6; /* xdp */
	a->prog = (struct bw_prog_ref){ .id = 31, .type = 6, .expected_attach_type = 37, .name = "xdp_filter", .known = 1, .entry = ~0u };
	for (unsigned int i = 0; i < BW_DIGEST_LEN; i++)
		a->prog.digest[i] = (__u8)(i * 7 + 1);
	a->prog.tag[0] = 0xab;
	a->prog.helpers[0] = 1ULL << 1;
	a->rule = ~0u;
	a->generation = 3;
	return r;
}

#endif
