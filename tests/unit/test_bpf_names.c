// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <string.h>

#include "common/bpf_names.h"

static void names_of_known_numbers(void **state)
{
	assert_string_equal(bw_helper_name(BPF_FUNC_map_lookup_elem), "map_lookup_elem");
	assert_string_equal(bw_helper_name(BPF_FUNC_probe_write_user), "probe_write_user");
	assert_string_equal(bw_helper_name(211), "cgrp_storage_delete");
	assert_string_equal(bw_prog_type_name(BPF_PROG_TYPE_RAW_TRACEPOINT), "raw_tracepoint");
	assert_string_equal(bw_prog_type_name(32), "netfilter");
	assert_string_equal(bw_attach_type_name(BPF_LSM_MAC), "lsm_mac");
	assert_string_equal(bw_attach_type_name(61), "trace_fsession_multi");
	assert_string_equal(bw_map_type_name(19), "cgroup_storage");
	assert_string_equal(bw_map_type_name(33), "arena");
	assert_string_equal(bw_link_type_name(15), "tracing_multi");
	assert_string_equal(bw_command_name(BPF_PROG_LOAD), "prog_load");
	assert_string_equal(bw_command_name(10), "prog_test_run");
}

static void unknown_numbers_have_no_name(void **state)
{
	assert_null(bw_helper_name(0));
	assert_null(bw_helper_name(bw_helper_count()));
	assert_null(bw_helper_name(UINT32_MAX));
	assert_null(bw_prog_type_name(bw_prog_type_count()));
	assert_null(bw_attach_type_name(bw_attach_type_count()));
	assert_null(bw_map_type_name(UINT32_MAX));
	assert_null(bw_link_type_name(UINT32_MAX));
	assert_null(bw_command_name(UINT32_MAX));
}

static void every_name_leads_back(void **state)
{
	assert_true(bw_helper_count() >= 212);
	for (uint32_t i = 1; i < bw_helper_count(); i++)
		assert_int_equal(bw_helper_id(bw_helper_name(i)), i);
	assert_true(bw_prog_type_count() >= 33);
	for (uint32_t i = 0; i < bw_prog_type_count(); i++)
		assert_int_equal(bw_prog_type_id(bw_prog_type_name(i)), i);
	for (uint32_t i = 0; i < bw_attach_type_count(); i++)
		assert_int_equal(bw_attach_type_id(bw_attach_type_name(i)), i);
	for (uint32_t i = 0; bw_map_type_name(i); i++)
		assert_int_equal(bw_map_type_id(bw_map_type_name(i)), i);
	for (uint32_t i = 0; bw_link_type_name(i); i++)
		assert_int_equal(bw_link_type_id(bw_link_type_name(i)), i);
	for (uint32_t i = 0; bw_command_name(i); i++)
		assert_int_equal(bw_command_id(bw_command_name(i)), i);
}

static void names_that_are_none(void **state)
{
	assert_int_equal(bw_helper_id("bpf_probe_write_user"), -ENOENT);
	assert_int_equal(bw_helper_id("unspec"), -ENOENT);
	assert_int_equal(bw_helper_id(""), -ENOENT);
	assert_int_equal(bw_prog_type_id("XDP"), -ENOENT);
	assert_int_equal(bw_attach_type_id("xd"), -ENOENT);
	assert_int_equal(bw_command_id("prog_run"), 10);
	assert_int_equal(bw_map_type_id("cgroup_storage_deprecated"), 19);
}

static bool has_attach_type(const char *type, const char *attach)
{
	const uint8_t *list;
	unsigned int n = bw_prog_type_attach_types((uint32_t)bw_prog_type_id(type), &list);
	int wanted = attach ? bw_attach_type_id(attach) : 0;

	assert_true(wanted >= 0);
	for (unsigned int i = 0; i < n; i++)
		if (list[i] == wanted)
			return true;
	return false;
}

static void attach_types_of_a_program_type(void **state)
{
	/* Every attach type whose name says what it belongs to, against the numbers in bpf_names.c. */
	static const struct {
		const char *type, *attach;
	} pairs[] = {
		{ "xdp", "xdp" }, { "xdp", "xdp_devmap" }, { "xdp", "xdp_cpumap" }, { "xdp", NULL },
		{ "kprobe", "trace_kprobe_multi" }, { "kprobe", "trace_uprobe_multi" }, { "kprobe", "trace_kprobe_session" },
		{ "kprobe", "trace_uprobe_session" }, { "kprobe", NULL }, { "sched_cls", "tcx_ingress" },
		{ "sched_cls", "tcx_egress" }, { "sched_cls", "netkit_primary" }, { "sched_cls", "netkit_peer" },
		{ "cgroup_skb", "cgroup_inet_ingress" }, { "cgroup_skb", "cgroup_inet_egress" },
		{ "cgroup_sock", "cgroup_inet_sock_create" }, { "cgroup_sock", "cgroup_inet_sock_release" },
		{ "cgroup_sock", "cgroup_inet4_post_bind" }, { "cgroup_sock", "cgroup_inet6_post_bind" },
		{ "sock_ops", "cgroup_sock_ops" }, { "sk_skb", "sk_skb_stream_parser" }, { "sk_skb", "sk_skb_stream_verdict" },
		{ "sk_skb", "sk_skb_verdict" }, { "cgroup_device", "cgroup_device" }, { "sk_msg", "sk_msg_verdict" },
		{ "cgroup_sock_addr", "cgroup_inet4_bind" }, { "cgroup_sock_addr", "cgroup_inet6_bind" },
		{ "cgroup_sock_addr", "cgroup_inet4_connect" }, { "cgroup_sock_addr", "cgroup_inet6_connect" },
		{ "cgroup_sock_addr", "cgroup_udp4_sendmsg" }, { "cgroup_sock_addr", "cgroup_udp6_sendmsg" },
		{ "cgroup_sock_addr", "cgroup_udp4_recvmsg" }, { "cgroup_sock_addr", "cgroup_udp6_recvmsg" },
		{ "cgroup_sock_addr", "cgroup_inet4_getpeername" }, { "cgroup_sock_addr", "cgroup_inet6_getsockname" },
		{ "cgroup_sock_addr", "cgroup_unix_connect" }, { "cgroup_sock_addr", "cgroup_unix_getsockname" },
		{ "lirc_mode2", "lirc_mode2" }, { "sk_reuseport", "sk_reuseport_select" },
		{ "sk_reuseport", "sk_reuseport_select_or_migrate" }, { "flow_dissector", "flow_dissector" },
		{ "cgroup_sysctl", "cgroup_sysctl" }, { "cgroup_sockopt", "cgroup_getsockopt" },
		{ "cgroup_sockopt", "cgroup_setsockopt" }, { "tracing", "trace_raw_tp" }, { "tracing", "trace_fentry" },
		{ "tracing", "trace_fexit" }, { "tracing", "modify_return" }, { "tracing", "trace_iter" },
		{ "tracing", "trace_fsession" }, { "tracing", "trace_fentry_multi" }, { "lsm", "lsm_mac" },
		{ "lsm", "lsm_cgroup" }, { "sk_lookup", "sk_lookup" }, { "netfilter", "netfilter" }, { "syscall", NULL },
		{ "socket_filter", NULL }, { "tracepoint", NULL }, { "ext", NULL }, { "raw_tracepoint", NULL },
	};
	const uint8_t *list = NULL;

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if (!has_attach_type(pairs[i].type, pairs[i].attach))
			fail_msg("%s lacks %s", pairs[i].type, pairs[i].attach ? pairs[i].attach : "0");
	assert_false(has_attach_type("lsm", "trace_fentry"));
	assert_false(has_attach_type("tracing", NULL));
	assert_false(has_attach_type("sk_lookup", NULL));
	assert_int_equal(bw_prog_type_attach_types(0, &list), 0);
	assert_int_equal(bw_prog_type_attach_types(bw_prog_type_count(), &list), 0);
	assert_null(list);
	for (uint32_t t = 1; t < bw_prog_type_count(); t++)
		assert_true(bw_prog_type_attach_types(t, &list) >= 1);
	assert_int_equal(bw_prog_type_attach_types((uint32_t)bw_prog_type_id("struct_ops"), &list), 64);
	assert_int_equal(list[63], 63);
}

static void zero_stands_for_another(void **state)
{
	assert_int_equal(bw_prog_type_zero_means(BPF_PROG_TYPE_CGROUP_SOCK), BPF_CGROUP_INET_SOCK_CREATE);
	assert_int_equal(bw_prog_type_zero_means(BPF_PROG_TYPE_SK_REUSEPORT), BPF_SK_REUSEPORT_SELECT);
	assert_int_equal(bw_prog_type_zero_means(BPF_PROG_TYPE_XDP), BPF_XDP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_known_numbers),
		cmocka_unit_test(unknown_numbers_have_no_name),
		cmocka_unit_test(every_name_leads_back),
		cmocka_unit_test(names_that_are_none),
		cmocka_unit_test(attach_types_of_a_program_type),
		cmocka_unit_test(zero_stands_for_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
