// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "common/policy.h"
#include "auditor/flow.h"
#include "guard/ledger.h"
#include "guard/technique.h"

static const struct ledger_namespaces own = { 1, 2, 3 };

static struct decode_event event(enum bw_event_type type, uint32_t tgid)
{
	struct decode_event e = { .type = type };

	e.actor.tgid = tgid;
	e.actor.start_ns = tgid * 1000;
	e.actor.pid_ns = 1;
	e.actor.mnt_ns = 2;
	e.actor.user_ns = 3;
	snprintf(e.actor.exe, sizeof(e.actor.exe), "/bin/p%u", tgid);
	return e;
}

static struct alert_detail look(struct ledger *l, const struct decode_event *e)
{
	struct alert_detail d = { 0 };

	ledger_look(l, e, &d);
	return d;
}

static void who_made_a_link_is_remembered(void **state)
{
	struct decode_event create = event(BW_EVENT_ATTACH, 10), detach = event(BW_EVENT_ATTACH, 10), other = event(BW_EVENT_ATTACH, 11);
	struct ledger *l;

	assert_int_equal(ledger_new(&own, &l), 0);
	create.attach.way = detach.attach.way = other.attach.way = BW_WAY_LINK;
	create.attach.request = 28;
	detach.attach.request = other.attach.request = 34;
	create.attach.link_id = detach.attach.link_id = other.attach.link_id = 7;
	assert_false(look(l, &other).not_owner); /* nobody knows */
	look(l, &create);
	assert_false(look(l, &detach).not_owner);
	assert_true(look(l, &other).not_owner);
	other.actor = create.actor;
	other.actor.start_ns++; /* the same number, another process */
	assert_true(look(l, &other).not_owner);
	/* What failed made nothing. */
	create.attach.link_id = other.attach.link_id = 8;
	create.attach.flags = BW_ATTACH_HAS_RESULT;
	create.attach.error = -1;
	look(l, &create);
	assert_false(look(l, &other).not_owner);
	ledger_free(l);
}

static void who_filled_an_interface_is_remembered(void **state)
{
	struct decode_event add = event(BW_EVENT_ATTACH, 10), del = event(BW_EVENT_ATTACH, 11);
	uint32_t ifindex = 3;
	struct ledger *l;

	assert_int_equal(ledger_new(&own, &l), 0);
	add.attach.way = del.attach.way = BW_WAY_NETLINK_TC;
	add.attach.request = 44;
	del.attach.request = 37;
	add.attach.attr_len = del.attach.attr_len = 128;
	memcpy((char *)add.attach.attr + 20, &ifindex, 4);
	memcpy((char *)del.attach.attr + 20, &ifindex, 4);
	assert_false(look(l, &del).not_owner);
	look(l, &add);
	assert_true(look(l, &del).not_owner);
	ledger_free(l);
}

static void other_namespaces_are_told(void **state)
{
	struct decode_event e = event(BW_EVENT_ATTACH, 10);
	struct ledger *l;

	assert_int_equal(ledger_new(&own, &l), 0);
	e.attach.way = BW_WAY_RAW_TRACEPOINT;
	assert_false(look(l, &e).other_namespaces);
	e.actor.mnt_ns = 9;
	assert_true(look(l, &e).other_namespaces);
	ledger_free(l);
	/* Without knowing its own there is nothing to compare. */
	assert_int_equal(ledger_new(&(struct ledger_namespaces){ 0 }, &l), 0);
	assert_false(look(l, &e).other_namespaces);
	ledger_free(l);
}

static void the_chain_is_completed(void **state)
{
	struct decode_event read = event(BW_EVENT_ACCESS, 10), send = event(BW_EVENT_EGRESS, 12);
	struct alert_detail d;
	struct ledger *l;

	assert_int_equal(ledger_new(&own, &l), 0);
	read.access.map_id = send.egress.map_id = 5;
	read.access.labels = 1;
	memcpy(read.access.name, "cards", 6);
	send.egress.reader_tgid = 10;
	send.egress.reader_start_ns = 10000;
	d = look(l, &send);
	assert_null(d.map_name);
	assert_null(d.reader_exe);
	look(l, &read);
	d = look(l, &send);
	assert_string_equal(d.map_name, "cards");
	assert_string_equal(d.reader_exe, "/bin/p10");
	send.egress.reader_start_ns++;
	assert_null(look(l, &send).reader_exe);
	ledger_free(l);
}

static void tables_are_bounded(void **state)
{
	struct decode_event e = event(BW_EVENT_MAP, 10);
	struct ledger *l;

	assert_int_equal(ledger_new(&own, &l), 0);
	memcpy(e.map.name, "m", 2);
	for (uint32_t id = 1; id <= 4 * LEDGER_PLACES; id++) {
		e.map.map_id = id;
		look(l, &e);
	}
	assert_true(ledger_forgotten(l) >= 3 * LEDGER_PLACES);
	ledger_free(l);
}

static const char *technique(const struct decode_attach *a, const char *target, bool owner, unsigned int filter)
{
	const struct technique *t = technique_find(a, &(struct technique_context){ .target = target, .owner = owner, .filter = filter });

	return t ? t->id : "";
}

static struct decode_attach probe(unsigned int helper)
{
	struct decode_attach a = { .way = BW_WAY_PERF_IOCTL, .attach_type = 41 };

	a.prog.type = 2;
	if (helper)
		a.prog.helpers[helper / 64] = 1ULL << helper % 64;
	return a;
}

static void techniques_are_named(void **state)
{
	struct decode_attach a = probe(36);

	assert_string_equal(technique(&a, "syscalls:sys_enter_bpf", true, 0), "T07");
	assert_string_equal(technique(&a, "syscalls:sys_exit_recvfrom", true, 0), "T08");
	assert_string_equal(technique(&a, "syscalls:sys_exit_recvmsg", true, 0), "T09");
	assert_string_equal(technique(&a, "vfs_read", true, 0), "");
	a = probe(109);
	assert_string_equal(technique(&a, "syscalls:sys_enter_ptrace", true, 0), "T05");
	assert_string_equal(technique(&a, "syscalls:sys_enter_kill", true, 0), "");
	a = probe(58);
	assert_string_equal(technique(&a, "__x64_sys_write", true, 0), "T06");
	a = probe(0);
	/* What merely looks is no attack. */
	assert_string_equal(technique(&a, "__x64_sys_bpf", true, 0), "");
	a.way = BW_WAY_LINK;
	a.request = 34;
	assert_string_equal(technique(&a, "7", false, 0), "T29");
	assert_string_equal(technique(&a, "7", true, 0), "");
	a.way = BW_WAY_PIN;
	a.link_id = 3;
	assert_string_equal(technique(&a, "/sys/fs/bpf/x", true, 0), "T33");
	a = probe(166);
	a.way = BW_WAY_TEST_RUN;
	a.prog.type = 31;
	assert_string_equal(technique(&a, "", true, 0), "T34");
}

static void classes_of_data_are_the_auditors(void **state)
{
	for (uint32_t bit = 0; bit < BW_SRC_CONSTANT; bit++)
		assert_string_equal(bw_policy_class_of_data(bit), bw_source_name((enum bw_source)bit));
	assert_null(bw_policy_class_of_data(BW_SRC_CONSTANT)); /* nothing to protect */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_made_a_link_is_remembered), cmocka_unit_test(who_filled_an_interface_is_remembered),
		cmocka_unit_test(other_namespaces_are_told),	 cmocka_unit_test(the_chain_is_completed),
		cmocka_unit_test(tables_are_bounded),		 cmocka_unit_test(techniques_are_named),
		cmocka_unit_test(classes_of_data_are_the_auditors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
