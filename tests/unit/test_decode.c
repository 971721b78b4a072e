// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include <errno.h>

#include "guard/decode.h"
#include "tests/unit/records.h"

static void load_comes_out_whole(void **state)
{
	struct bw_event_load l = record_load();
	struct decode_event e;

	l.kfunc_ids[0] = 11;
	l.kfunc_ids[1] = 12;
	l.error = -1;
	assert_int_equal(decode_record(&l, sizeof(l), &e), 0);
	assert_int_equal(e.type, BW_EVENT_LOAD);
	assert_int_equal(e.hook, BW_HOOK_BPF_PROG_LOAD);
	assert_int_equal(e.time_ns, 123456789012ULL);
	assert_int_equal(e.cpu_seq, 7);
	assert_int_equal(e.cpu, 3);
	assert_int_equal(e.actor.pid, 4243);
	assert_int_equal(e.actor.tgid, 4242);
	assert_int_equal(e.actor.exe_major, 259);
	assert_int_equal(e.actor.exe_minor, 2);
	assert_string_equal(e.actor.exe, "/usr/sbin/bpftool");
	assert_string_equal(e.actor.comm, "bpftool");
	assert_false(e.actor.exe_truncated);
	assert_string_equal(e.load.name, "xdp_filter");
	assert_memory_equal(e.load.digest, l.digest, 32);
	assert_int_equal(e.load.n_kfunc_ids, 2);
	assert_int_equal(e.load.action, BW_ACTION_DENIED);
	assert_int_equal(e.load.reason, BW_REASON_DEFAULT);
	assert_int_equal(e.load.error, -1);
	assert_int_equal(e.load.generation, 3);
	assert_int_equal(e.load.entry, ~0u);
}

static void other_kinds_come_out_whole(void **state)
{
	struct bw_event_command c = record_command();
	struct bw_event_map m = record_map();
	struct decode_event e;

	assert_int_equal(decode_record(&c, sizeof(c), &e), 0);
	assert_int_equal(e.command.cmd, 28);
	assert_int_equal(e.command.attr_len, 16);
	assert_int_equal(e.command.prog_id, 77);
	c.size = 4096;
	assert_int_equal(decode_record(&c, sizeof(c), &e), 0);
	assert_int_equal(e.command.attr_len, 128);
	assert_int_equal(decode_record(&m, sizeof(m), &e), 0);
	assert_int_equal(e.map.map_id, 12);
	assert_string_equal(e.map.name, "flows");
	assert_int_equal(e.map.max_entries, 1024);
}

static void tamper_comes_out_whole(void **state)
{
	struct bw_event_tamper t = record_tamper();
	struct decode_event e;

	assert_int_equal(decode_record(&t, sizeof(t), &e), 0);
	assert_int_equal(e.hook, BW_HOOK_TASK_KILL);
	assert_int_equal(e.tamper.what, BW_TAMPER_SIGNAL);
	assert_int_equal(e.tamper.object, 812);
	assert_int_equal(e.tamper.detail, 9);
	assert_int_equal(e.tamper.action, BW_ACTION_DENIED);
	assert_int_equal(e.tamper.count, 4);
	assert_string_equal(e.tamper.name, "bw-core");
	memset(t.name, 'x', sizeof(t.name));
	assert_int_equal(decode_record(&t, sizeof(t), &e), 0);
	assert_int_equal(strlen(e.tamper.name), 32);
	t.what = BW_TAMPER_COUNT;
	assert_int_equal(decode_record(&t, sizeof(t), &e), -EBADMSG);
	t.what = BW_TAMPER_NONE;
	assert_int_equal(decode_record(&t, sizeof(t), &e), -EBADMSG);
	t.what = BW_TAMPER_MOUNT;
	t.action = BW_ACTION_WOULD_DENY + 1;
	assert_int_equal(decode_record(&t, sizeof(t), &e), -EBADMSG);
}

static void attach_comes_out_whole(void **state)
{
	struct record_attach r = record_attach();
	struct decode_event e;

	memcpy(r.attach.text, "vfs_read", 8);
	r.attach.text_len = 8;
	assert_int_equal(decode_record(&r, sizeof(r.attach), &e), 0);
	assert_int_equal(e.type, BW_EVENT_ATTACH);
	assert_int_equal(e.actor.tgid, 4242);
	assert_int_equal(e.attach.way, BW_WAY_LINK);
	assert_int_equal(e.attach.link_id, 9);
	assert_int_equal(e.attach.prog.id, 31);
	assert_string_equal(e.attach.prog.name, "xdp_filter");
	assert_string_equal(e.attach.text, "vfs_read");
	assert_int_equal(e.attach.n_insns_here, 0);
	/* With a filter behind it. */
	r.attach.hdr.size = sizeof(r);
	r.attach.n_insns = 300;
	r.attach.n_insns_here = BW_MAX_CLASSIC;
	r.insns[0] = 6;
	r.insns[BW_MAX_CLASSIC - 1] = 0x16;
	assert_int_equal(decode_record(&r, sizeof(r), &e), 0);
	assert_int_equal(e.attach.n_insns, 300);
	assert_int_equal(e.attach.insns[0], 6);
	assert_int_equal(e.attach.insns[BW_MAX_CLASSIC - 1], 0x16);
}

static void attach_is_checked(void **state)
{
	struct record_attach good = record_attach(), r;
	struct decode_event e;

#define REFUSED(change)                                                                                                          \
	do {                                                                                                                     \
		r = good;                                                                                                        \
		change;                                                                                                          \
		assert_int_equal(decode_record(&r, r.attach.hdr.size, &e), -EBADMSG);                                            \
	} while (0)
	REFUSED(r.attach.way = BW_WAY_NONE);
	REFUSED(r.attach.way = BW_WAY_COUNT);
	REFUSED(r.attach.attr_len = 129);
	REFUSED(r.attach.text_len = BW_PATH_LEN);
	REFUSED(r.attach.action = 3);
	REFUSED(r.attach.reason = BW_REASON_COUNT);
	REFUSED(r.attach.prog.reason = BW_REASON_COUNT);
	REFUSED(r.attach.prog.known = 2);
	REFUSED(r.attach.n_insns = r.attach.n_insns_here = 1); /* and there is no room for any */
	good.attach.hdr.size = sizeof(good);
	REFUSED(r.attach.n_insns = r.attach.n_insns_here = BW_MAX_CLASSIC + 1);
	REFUSED(r.attach.n_insns_here = 2); /* more than there are */
#undef REFUSED
	r = good;
	assert_int_equal(decode_record(&r, sizeof(r) - 8, &e), -EMSGSIZE);
	r.attach.hdr.size = sizeof(r) - 8;
	assert_int_equal(decode_record(&r, sizeof(r) - 8, &e), -EMSGSIZE);
}

static void sizes_are_checked(void **state)
{
	struct bw_event_load l = record_load();
	uint8_t big[sizeof(l) + 8];
	struct decode_event e, untouched;

	memset(&e, 0x5a, sizeof(e));
	memset(&untouched, 0x5a, sizeof(untouched));
	/* Each length in an allocation of its own: the sanitizer sees a read beyond it. */
	for (size_t n = 0; n < sizeof(l); n++) {
		uint8_t *copy = malloc(n ? n : 1);

		assert_non_null(copy);
		memcpy(copy, &l, n);
		assert_int_equal(decode_record(copy, n, &e), -EMSGSIZE);
		free(copy);
	}
	memset(big, 0, sizeof(big));
	memcpy(big, &l, sizeof(l));
	assert_int_equal(decode_record(big, sizeof(big), &e), -EMSGSIZE);
	l.hdr.size = sizeof(l) - 1;
	assert_int_equal(decode_record(&l, sizeof(l), &e), -EMSGSIZE);
	l = record_load();
	l.hdr.type = BW_EVENT_MAP;
	assert_int_equal(decode_record(&l, sizeof(l), &e), -EMSGSIZE);
	assert_memory_equal(&e, &untouched, sizeof(e));
}

static void enumerations_are_checked(void **state)
{
	const struct bw_event_load good = record_load();
	struct bw_event_command c = record_command();
	struct bw_event_load l;
	struct decode_event e;

#define BAD(member, value, error)                                         \
	do {                                                              \
		l = good;                                                 \
		l.member = (value);                                       \
		assert_int_equal(decode_record(&l, sizeof(l), &e), error); \
	} while (0)
	BAD(hdr.version, BW_EVENT_VERSION + 1, -EPROTONOSUPPORT);
	BAD(hdr.version, 0, -EPROTONOSUPPORT);
	BAD(hdr.type, 0, -EOPNOTSUPP);
	BAD(hdr.type, BW_EVENT_TYPES, -EOPNOTSUPP);
	BAD(hdr.hook, BW_HOOK_COUNT, -EBADMSG);
	BAD(identity, BW_IDENTITY_COUNT, -EBADMSG);
	BAD(verdict, BW_VERDICT_DENY + 1, -EBADMSG);
	BAD(action, BW_ACTION_HELD + 1, -EBADMSG);
	BAD(hold, BW_HOLD_COUNT, -EBADMSG);
	BAD(reason, BW_REASON_COUNT, -EBADMSG);
	BAD(actor.path_len, BW_PATH_LEN + 1, -EBADMSG);
	BAD(actor.path_truncated, 2, -EBADMSG);
	c.reason = BW_REASON_COUNT;
	assert_int_equal(decode_record(&c, sizeof(c), &e), -EBADMSG);
	/* The kernel may know program types that we do not: no reason to drop what it reports. */
	l = good;
	l.prog_type = 4711;
	assert_int_equal(decode_record(&l, sizeof(l), &e), 0);
	assert_int_equal(e.load.prog_type, 4711);
}

static void names_need_no_terminator(void **state)
{
	struct bw_event_load l = record_load();
	struct decode_event e;

	memset(l.name, 'n', sizeof(l.name));
	memset(l.actor.comm, 'c', sizeof(l.actor.comm));
	assert_int_equal(decode_record(&l, sizeof(l), &e), 0);
	assert_string_equal(e.load.name, "nnnnnnnnnnnnnnnn");
	assert_string_equal(e.actor.comm, "cccccccccccccccc");
	/* What a shorter name left behind it is not shown. */
	memcpy(l.name, "ab\0stale", 9);
	assert_int_equal(decode_record(&l, sizeof(l), &e), 0);
	assert_string_equal(e.load.name, "ab");
}

static void paths(void **state)
{
	char dst[DECODE_PATH_MAX], worst[BW_PATH_LEN];

	assert_true(decode_path("", 0, false, dst));
	assert_string_equal(dst, "");
	assert_true(decode_path("a", 2, false, dst));
	assert_string_equal(dst, "/a");
	assert_true(decode_path("c\0b\0a", 6, true, dst));
	assert_string_equal(dst, ".../a/b/c");
	assert_true(decode_path("memfd:x/../usr/bin/true\0", 24, false, dst));
	assert_string_equal(dst, "/memfd:x\\x2f..\\x2fusr\\x2fbin\\x2ftrue");
	assert_false(decode_path("abc", 3, false, dst)); /* not terminated */
	assert_string_equal(dst, "");
	assert_false(decode_path("a\0\0b", 5, false, dst)); /* an empty component */
	assert_false(decode_path("\0", 1, false, dst));
	assert_string_equal(dst, "");
	memset(worst, '/', sizeof(worst));
	worst[sizeof(worst) - 1] = '\0';
	assert_true(decode_path(worst, sizeof(worst), true, dst));
	assert_int_equal(strlen(dst), 3 + 1 + 4 * 255);
	for (size_t i = 1; i < sizeof(worst); i += 2)
		worst[i] = '\0';
	assert_true(decode_path(worst, sizeof(worst), true, dst));
	assert_int_equal(strlen(dst), 3 + 5 * 128);
}

static void gaps(void **state)
{
	struct decode_gaps g;

	assert_int_equal(decode_gaps_init(&g), 0);
	assert_int_equal(decode_gaps_note(&g, 0, 100), 0); /* whatever comes first is no gap */
	assert_int_equal(decode_gaps_note(&g, 1, 5), 0);
	assert_int_equal(decode_gaps_note(&g, 0, 101), 0);
	assert_int_equal(decode_gaps_note(&g, 0, 105), 3);
	assert_int_equal(g.missing, 3);
	assert_int_equal(decode_gaps_note(&g, 0, 103), 0); /* late, not lost */
	assert_int_equal(g.missing, 2);
	assert_int_equal(g.late, 1);
	assert_int_equal(decode_gaps_note(&g, 1, 6), 0);
	assert_int_equal(decode_gaps_note(&g, DECODE_MAX_CPUS, 9), 0);
	assert_int_equal(decode_gaps_note(&g, UINT32_MAX, 9), 0);
	decode_gaps_free(&g);
	assert_int_equal(decode_gaps_note(&g, 0, 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(load_comes_out_whole), cmocka_unit_test(other_kinds_come_out_whole),
		cmocka_unit_test(attach_comes_out_whole),
		cmocka_unit_test(tamper_comes_out_whole),
		cmocka_unit_test(attach_is_checked),
		cmocka_unit_test(sizes_are_checked),	cmocka_unit_test(enumerations_are_checked),
		cmocka_unit_test(names_need_no_terminator), cmocka_unit_test(paths),
		cmocka_unit_test(gaps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
