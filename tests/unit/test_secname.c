// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "auditor/object.h"
#include "auditor/insn.h"
#include "auditor/secname.h"
#include "common/bpf_names.h"
#include "common/cleanup.h"

enum { SLEEP = 1, OFF_BY_DEFAULT = 2, BTF = 4, MULTI = 8, SESSION = 16, RET = 32, FRAGS = 64, CONVENTION = 128, OPTIONAL = 256 };

static const struct {
	const char *name, *type, *attach, *target;
	uint64_t off;
	unsigned int flags;
} rows[] = {
	/* attach: NULL none, "?" open */
	{ "socket", "socket_filter", NULL, "", 0, 0 },
	{ "kprobe/do_sys_open", "kprobe", NULL, "do_sys_open", 0, 0 },
	{ "kprobe/do_sys_open+0x10", "kprobe", NULL, "do_sys_open", 16, 0 },
	{ "kprobe", "kprobe", NULL, "", 0, 0 },
	{ "kretprobe/vfs_read", "kprobe", NULL, "vfs_read", 0, RET },
	{ "uprobe/libssl.so.3:SSL_read+12", "kprobe", NULL, "libssl.so.3:SSL_read", 12, 0 },
	{ "uprobe//usr/bin/c++:main", "kprobe", NULL, "/usr/bin/c++:main", 0, 0 },
	{ "uretprobe.s//bin/bash:readline", "kprobe", NULL, "/bin/bash:readline", 0, RET | SLEEP },
	{ "kprobe.multi/tcp_*", "kprobe", "trace_kprobe_multi", "tcp_*", 0, MULTI },
	{ "kprobe.session/x", "kprobe", "trace_kprobe_session", "x", 0, MULTI | SESSION },
	{ "uprobe.multi.s/a:b*", "kprobe", "trace_uprobe_multi", "a:b*", 0, MULTI | SLEEP },
	{ "ksyscall/openat", "kprobe", NULL, "openat", 0, 0 },
	{ "kretsyscall/read", "kprobe", NULL, "read", 0, RET },
	{ "usdt/libc.so.6:libc:setjmp", "kprobe", NULL, "libc.so.6:libc:setjmp", 0, 0 },
	{ "tc", "sched_cls", NULL, "", 0, 0 },
	{ "tc/ingress", "sched_cls", "tcx_ingress", "", 0, 0 },
	{ "tcx/egress", "sched_cls", "tcx_egress", "", 0, 0 },
	{ "netkit/peer", "sched_cls", "netkit_peer", "", 0, 0 },
	{ "tp/syscalls/sys_enter_read", "tracepoint", NULL, "syscalls/sys_enter_read", 0, 0 },
	{ "raw_tp.w/x", "raw_tracepoint_writable", NULL, "x", 0, 0 },
	{ "tp_btf/sched_switch", "tracing", "trace_raw_tp", "sched_switch", 0, BTF },
	{ "?fentry.s/do_unlinkat", "tracing", "trace_fentry", "do_unlinkat", 0, BTF | SLEEP | OFF_BY_DEFAULT },
	{ "fexit/x", "tracing", "trace_fexit", "x", 0, BTF | RET },
	{ "fmod_ret/security_bpf", "tracing", "modify_return", "security_bpf", 0, BTF },
	{ "freplace/main", "ext", NULL, "main", 0, BTF },
	{ "lsm/bpf", "lsm", "lsm_mac", "bpf", 0, BTF },
	{ "lsm_cgroup/socket_bind", "lsm", "lsm_cgroup", "socket_bind", 0, BTF },
	{ "iter.s/task", "tracing", "trace_iter", "task", 0, BTF | SLEEP },
	{ "syscall", "syscall", NULL, "", 0, SLEEP },
	{ "xdp", "xdp", "xdp", "", 0, OPTIONAL },
	{ "xdp.frags", "xdp", "xdp", "", 0, FRAGS },
	{ "xdp.frags/devmap", "xdp", "xdp_devmap", "", 0, FRAGS },
	{ "xdp/cpumap", "xdp", "xdp_cpumap", "", 0, 0 },
	{ "sockops", "sock_ops", "cgroup_sock_ops", "", 0, OPTIONAL },
	{ "cgroup/skb", "cgroup_skb", "?", "", 0, 0 },
	{ "cgroup_skb/egress", "cgroup_skb", "cgroup_inet_egress", "", 0, OPTIONAL },
	{ "cgroup/connect4", "cgroup_sock_addr", "cgroup_inet4_connect", "", 0, 0 },
	{ "struct_ops.s/init", "struct_ops", "?", "init", 0, SLEEP },
	{ "sk_lookup", "sk_lookup", "sk_lookup", "", 0, 0 },
	{ "netfilter", "netfilter", "netfilter", "", 0, 0 },
	{ "from-netdev", "sched_cls", NULL, "", 0, CONVENTION },
	{ "action/mark", "sched_act", NULL, "mark", 0, CONVENTION },
	{ "2/0x10", "sched_cls", NULL, "2/0x10", 0, CONVENTION },
	{ "xdp_firewall", "xdp", "xdp", "", 0, CONVENTION | OPTIONAL },
	{ "socket1", "socket_filter", NULL, "", 0, CONVENTION },
	{ "sched_cls/egress", "sched_cls", NULL, "egress", 0, CONVENTION },
	{ "XDP", "xdp", "xdp", "", 0, CONVENTION | OPTIONAL },
	/* "tp" needs its slash, "kprobe" too */
	{ "tpx", NULL, "?", "tpx", 0, 0 },
	{ "kprobes/x", NULL, "?", "kprobes/x", 0, 0 },
	{ "2/x", NULL, "?", "2/x", 0, 0 },
	{ "mystery", NULL, "?", "mystery", 0, 0 },
};

static void grammar(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bw_secdef d;
		unsigned int flags;

		bw_secname_parse(rows[i].name, &d);
		flags = (d.sleepable ? SLEEP : 0) | (d.autoload ? 0 : OFF_BY_DEFAULT) | (d.needs_btf_target ? BTF : 0) |
			(d.multi ? MULTI : 0) | (d.session ? SESSION : 0) | (d.ret ? RET : 0) | (d.frags ? FRAGS : 0) |
			(d.convention ? CONVENTION : 0) | (d.attach_optional ? OPTIONAL : 0);
		if (d.known != (rows[i].type != NULL) || flags != rows[i].flags ||
		    (rows[i].type && d.prog_type != (uint32_t)bw_prog_type_id(rows[i].type)))
			fail_msg("%s: type %u, flags %u, known %d", rows[i].name, d.prog_type, flags, d.known);
		if (!rows[i].attach)
			assert_int_equal(d.attach_type, 0);
		else if (rows[i].attach[0] == '?')
			assert_int_equal(d.attach_type, BW_NONE);
		else
			assert_int_equal(d.attach_type, bw_attach_type_id(rows[i].attach));
		assert_int_equal(d.target_len, strlen(rows[i].target));
		assert_memory_equal(d.target, rows[i].target, d.target_len);
		assert_int_equal(d.target_off, rows[i].off);
	}
}

static void contexts(void **state)
{
	struct bw_secdef d;

	bw_secname_parse("?mystery", &d);
	bw_secname_from_context("task_struct", &d);
	assert_false(d.known);
	bw_secname_from_context("xdp_md", &d);
	assert_true(d.known && d.convention && !d.autoload);
	assert_int_equal(d.prog_type, bw_prog_type_id("xdp"));
	bw_secname_from_context("trace_event_raw_sys_enter", &d);
	assert_int_equal(d.prog_type, bw_prog_type_id("tracepoint"));
}

/* What the instructions speak for, when nothing else does. */
static void use(void **state)
{
	const struct bw_insn xdp[] = {
		{ .code = 0xbf, .dst = 6, .src = 1 },		 /* r6 = r1 */
		{ .code = 0x61, .dst = 2, .src = 6, .off = 0 },	 /* w2 = ctx->data */
		{ .code = 0x61, .dst = 3, .src = 6, .off = 4 },	 /* w3 = ctx->data_end */
		{ .code = 0xb7, .dst = 0, .imm = 2 }, { .code = 0x95 },
	};
	const struct bw_insn lost[] = {
		{ .code = 0xb7, .dst = 1, .imm = 0 },		 /* r1 = 0: the context is gone */
		{ .code = 0x61, .dst = 2, .src = 1, .off = 0 }, { .code = 0x61, .dst = 3, .src = 1, .off = 4 }, { .code = 0x95 },
	};
	const struct bw_insn store[] = {
		{ .code = 0x18, .dst = 2, .imm = 0x85 }, { .imm = 0x85 }, /* a constant that looks like a call */
		{ .code = 0x85, .imm = 9 }, { .code = 0x95 },		  /* skb_store_bytes */
	};
	const struct bw_insn local[] = { { .code = 0xb7, .dst = 1 }, { .code = 0x85, .src = 1, .imm = 9 }, { .code = 0x95 } };
	bool reads;

	assert_string_equal(bw_program_use(xdp, 5, &reads), "xdp_md");
	assert_true(reads);
	assert_null(bw_program_use(lost, 4, &reads));
	assert_false(reads);
	assert_string_equal(bw_program_use(store, 4, &reads), "__sk_buff");
	assert_null(bw_program_use(local, 3, &reads)); /* a call of a function of the program's own */
	assert_false(reads);
	assert_null(bw_program_use(NULL, 0, &reads));
}

static void windows_names_are_not_linux_types(void **state)
{
	struct bw_secdef d;

	bw_secname_parse_windows("xdp_test", &d);
	assert_false(d.known);
	assert_int_equal(d.prog_type, 0);
	assert_string_equal(d.rule, "xdp");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grammar),
		cmocka_unit_test(contexts),
		cmocka_unit_test(use),
		cmocka_unit_test(windows_names_are_not_linux_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
