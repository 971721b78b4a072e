// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include "bpf/api.h"
#include "guard/api/capture.h"
#include "tests/unit/records.h"

/* What came out, one line per chunk. */
static char seen[4096];

static void on_chunk(void *arg, const struct api_chunk *c)
{
	size_t len = strlen(seen);

	snprintf(seen + len, sizeof(seen) - len, "%llu %s %llu+%u+%u f%x %.*s\n", (unsigned long long)c->conn,
		 c->dir == API_DIR_IN ? "in" : "out", (unsigned long long)c->pos, c->len, c->skipped, c->flags, (int)c->len, c->data);
	assert_non_null(c->peer->comm);
	assert_non_null(c->peer->exe);
	if (arg)
		*(struct api_peer *)arg = *c->peer;
}

static struct api_capture *fresh(uint32_t max, void *arg)
{
	struct api_capture *c;

	seen[0] = 0;
	assert_int_equal(api_capture_new(max, on_chunk, arg, &c), 0);
	return c;
}

static void hdr(struct bw_api_hdr *h, __u16 type, __u32 size, __u64 conn, __u64 time_ns)
{
	*h = (struct bw_api_hdr){ BW_API_VERSION, type, size, time_ns, conn };
}

static struct bw_api_open open_record(__u64 conn, __u64 time_ns)
{
	struct bw_api_open o;

	memset(&o, 0, sizeof(o));
	hdr(&o.hdr, BW_API_OPEN, sizeof(o), conn, time_ns);
	record_actor(&o.actor);
	o.local = (struct bw_api_addr){ AF_INET, 8080, { 127, 0, 0, 1 } };
	o.remote = (struct bw_api_addr){ AF_INET6, 40000, { [10] = 0xff, [11] = 0xff, [12] = 192, 0, 2, 7 } };
	o.role = BW_API_SERVER;
	return o;
}

static int open_conn(struct api_capture *c, __u64 conn, __u64 time_ns)
{
	struct bw_api_open o = open_record(conn, time_ns);

	return api_capture_record(c, &o, sizeof(o));
}

static struct { struct bw_api_data d; char bytes[64]; } packet;

static __u64 other; /* position of the other direction, where it is told */

static int data(struct api_capture *c, __u64 conn, __u8 dir, __u64 pos, const char *text, __u32 total, __u16 flags)
{
	size_t len = strlen(text);

	memset(&packet, 0, sizeof(packet));
	hdr(&packet.d.hdr, BW_API_DATA, (__u32)(sizeof(packet.d) + len), conn, 1000 + pos);
	packet.d.pos = pos;
	packet.d.len = (__u32)len;
	packet.d.total = total;
	packet.d.flags = flags;
	packet.d.dir = dir;
	packet.d.other = other;
	memcpy(packet.bytes, text, len);
	/* The ring rounds sizes up to 8. */
	return api_capture_record(c, &packet, (sizeof(packet.d) + len + 7) & ~7ul);
}

static int close_conn(struct api_capture *c, __u64 conn, __u32 flags)
{
	struct bw_api_close e = { .pos = { 5, 0 }, .flags = flags };

	hdr(&e.hdr, BW_API_CLOSE, sizeof(e), conn, 9000);
	return api_capture_record(c, &e, sizeof(e));
}

static void a_connection_comes_out_in_order(void **state)
{
	struct api_peer peer = { 0 };
	struct api_capture *c = fresh(0, &peer);

	assert_int_equal(open_conn(c, 7, 1), 0);
	assert_int_equal(data(c, 7, BW_API_IN, 0, "GET /", 5, 0), 0);
	assert_int_equal(data(c, 7, BW_API_OUT, 0, "HTTP", 100, BW_API_SAMPLED), 0);
	assert_int_equal(data(c, 7, BW_API_OUT, 100, "", 30, BW_API_SAMPLED), 0);
	assert_int_equal(close_conn(c, 7, BW_API_RESET), 0);
	assert_string_equal(seen, "7 in 0+5+0 f0 GET /\n7 out 0+4+96 f8 HTTP\n7 out 100+0+30 f8 \n7 in 5+0+0 f6 \n");
	assert_int_equal(peer.tgid, 4242);
	assert_int_equal(peer.role, API_ROLE_SERVER);
	assert_int_equal(peer.local.port, 8080);
	assert_int_equal(peer.remote.family, AF_INET);
	assert_memory_equal(peer.remote.bytes, ((uint8_t[]){ 192, 0, 2, 7 }), 4);
	assert_int_equal(api_capture_stats(c)->conns, 0);
	/* After its end there is no such connection. */
	assert_int_equal(data(c, 7, BW_API_IN, 5, "x", 1, 0), 0);
	assert_int_equal(api_capture_stats(c)->unknown_conn, 1);
	api_capture_free(c);
}

static void what_has_passed_is_dropped_and_counted(void **state)
{
	struct api_capture *c = fresh(0, NULL);

	assert_int_equal(open_conn(c, 1, 1), 0);
	assert_int_equal(data(c, 1, BW_API_IN, 10, "abc", 3, 0), 0);
	assert_int_equal(data(c, 1, BW_API_IN, 5, "late", 4, 0), 0);
	assert_int_equal(data(c, 1, BW_API_IN, 20, "gap", 3, 0), 0);
	assert_string_equal(seen, "1 in 10+3+0 f0 abc\n1 in 20+3+0 f0 gap\n");
	assert_int_equal(api_capture_stats(c)->late, 1);
	api_capture_free(c);
}

static void what_was_left_out_moves_both_positions(void **state)
{
	struct api_capture *c = fresh(0, NULL);

	assert_int_equal(open_conn(c, 1, 1), 0);
	assert_int_equal(data(c, 1, BW_API_IN, 0, "one", 3, 0), 0);
	other = 50;
	assert_int_equal(data(c, 1, BW_API_IN, 30, "two", 3, BW_API_SKIPPED), 0);
	other = 0;
	assert_int_equal(data(c, 1, BW_API_OUT, 40, "of one", 6, 0), 0);
	assert_int_equal(data(c, 1, BW_API_OUT, 50, "of two", 6, 0), 0);
	assert_int_equal(close_conn(c, 1, BW_API_SKIPPED), 0);
	assert_string_equal(seen, "1 in 0+3+0 f0 one\n1 in 30+3+0 f10 two\n1 out 50+6+0 f0 of two\n1 in 33+0+0 f12 \n");
	assert_int_equal(api_capture_stats(c)->late, 1);
	api_capture_free(c);
}

static void a_second_opening_says_more(void **state)
{
	struct api_peer peer = { 0 };
	struct api_capture *c = fresh(0, &peer);
	struct bw_api_open o = open_record(3, 1);

	o.remote.family = 0;
	o.flags = BW_API_MIDWAY;
	assert_int_equal(api_capture_record(c, &o, sizeof(o)), 0);
	assert_int_equal(data(c, 3, BW_API_IN, 0, "a", 1, 0), 0);
	assert_int_equal(peer.remote.family, 0);
	assert_int_equal(open_conn(c, 3, 2), 0);
	assert_int_equal(data(c, 3, BW_API_IN, 1, "b", 1, 0), 0);
	assert_int_equal(peer.remote.port, 40000);
	assert_string_equal(seen, "3 in 0+1+0 f1 a\n3 in 1+1+0 f1 b\n");
	assert_int_equal(api_capture_stats(c)->conns, 1);
	api_capture_free(c);
}

static void the_table_is_bounded(void **state)
{
	struct api_capture *c = fresh(4, NULL);

	for (__u64 i = 1; i <= 4; i++)
		assert_int_equal(open_conn(c, i, i), 0);
	assert_int_equal(data(c, 1, BW_API_IN, 0, "x", 1, 0), 0); /* now the latest used */
	seen[0] = 0;
	assert_int_equal(open_conn(c, 5, 5), 0);
	assert_string_equal(seen, "2 in 0+0+0 f2 \n");
	assert_int_equal(api_capture_stats(c)->evicted, 1);
	assert_int_equal(api_capture_stats(c)->conns, 4);
	seen[0] = 0;
	api_capture_expire(c, 5);
	assert_string_equal(seen, "3 in 0+0+0 f2 \n4 in 0+0+0 f2 \n");
	assert_int_equal(api_capture_stats(c)->expired, 2);
	assert_int_equal(api_capture_stats(c)->conns, 2);
	api_capture_free(c);
}

static void bad_records_are_refused(void **state)
{
	struct api_capture *c = fresh(0, NULL);
	struct bw_api_open o = open_record(1, 1);

	assert_int_equal(api_capture_record(c, &o, 10), -EMSGSIZE);
	assert_int_equal(api_capture_record(c, &o, sizeof(o) - 8), -EMSGSIZE);
	o.hdr.version = 9;
	assert_int_equal(api_capture_record(c, &o, sizeof(o)), -EPROTONOSUPPORT);
	o = open_record(1, 1);
	o.hdr.type = 99;
	assert_int_equal(api_capture_record(c, &o, sizeof(o)), -EOPNOTSUPP);
	o = open_record(1, 1);
	o.role = 3;
	assert_int_equal(api_capture_record(c, &o, sizeof(o)), -EBADMSG);
	o = open_record(1, 1);
	o.source = 5;
	assert_int_equal(api_capture_record(c, &o, sizeof(o)), -EBADMSG);
	o = open_record(1, 1);
	o.local.family = 77;
	assert_int_equal(api_capture_record(c, &o, sizeof(o)), -EBADMSG);
	o = open_record(1, 1);
	o.actor.path_len = BW_PATH_LEN + 1;
	assert_int_equal(api_capture_record(c, &o, sizeof(o)), -EBADMSG);
	assert_int_equal(open_conn(c, 1, 1), 0);
	assert_int_equal(data(c, 1, 2, 0, "x", 1, 0), -EBADMSG);
	assert_int_equal(data(c, 1, 0, 0, "xyz", 2, 0), -EBADMSG);
	assert_int_equal(data(c, 1, 0, ~0ULL, "x", 1, 0), -EBADMSG);
	assert_int_equal(data(c, 1, 0, 0, "x", 1, 0), 0);
	packet.d.len = 60;
	assert_int_equal(api_capture_record(c, &packet, sizeof(packet.d) + 8), -EMSGSIZE);
	assert_string_equal(seen, "1 in 0+1+0 f0 x\n");
	assert_int_equal(api_capture_stats(c)->undecodable, 12);
	api_capture_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection_comes_out_in_order), cmocka_unit_test(what_has_passed_is_dropped_and_counted),
		cmocka_unit_test(what_was_left_out_moves_both_positions),
		cmocka_unit_test(a_second_opening_says_more),	   cmocka_unit_test(the_table_is_bounded),
		cmocka_unit_test(bad_records_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
