// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* HTTP/2 frames: rows of bytes and the events they must give in whatever pieces they come; gaps and joining midway. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "common/buf.h"
#include "guard/api/http2.h"

static struct api_budget budget = { .max = 1 << 20 };

static void frame(struct bw_buf *b, uint8_t type, uint8_t flags, uint32_t stream, const char *payload, size_t len)
{
	const uint8_t h[9] = { (uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len, type, flags,
			       (uint8_t)(stream >> 24), (uint8_t)(stream >> 16), (uint8_t)(stream >> 8), (uint8_t)stream };

	bw_buf_append(b, h, 9);
	bw_buf_append(b, payload, len);
}

#define FRAME(b, type, flags, stream, text) frame(b, HTTP2_F_##type, flags, stream, text, sizeof(text) - 1)

static void feed(struct http2 *p, struct bw_buf *tail, const char *data, size_t len, struct bw_buf *log)
{
	static const char *const names[] = { "headers", "push", "data", "end", "rst", "goaway", "settings" };

	bw_buf_append(tail, data, len);
	for (;;) {
		struct http2_event ev;
		size_t used = 0;
		enum http2_result r = http2_next(p, bw_slice(tail->data ? tail->data : "", tail->len), &budget, &used, &ev);

		assert_true(used <= tail->len);
		if (r == HTTP2_OK && ev.type == HTTP2_DATA && log->len > 1 && log->data[log->len - 1] == ']') {
			/* pieces that follow each other are one piece here */
			log->len--;
			bw_buf_printf(log, "%.*s]", (int)ev.data.len, ev.data.data);
		} else if (r == HTTP2_OK) {
			bw_buf_printf(log, " %s %u", names[ev.type], ev.stream);
			if (ev.type == HTTP2_HEADERS && ev.end_stream)
				bw_buf_str(log, "!");
			if (ev.type == HTTP2_RST || ev.type == HTTP2_GOAWAY)
				bw_buf_printf(log, " code %u", ev.code);
			else if (ev.type == HTTP2_PUSH)
				bw_buf_printf(log, " %u (%.*s)", ev.promised, (int)ev.data.len, ev.data.data);
			else if (ev.type == HTTP2_DATA)
				bw_buf_printf(log, " [%.*s]", (int)ev.data.len, ev.data.data);
			else if (ev.type == HTTP2_HEADERS)
				bw_buf_printf(log, " (%.*s)", (int)ev.data.len, ev.data.data);
		} else if (r == HTTP2_ERROR) {
			bw_buf_str(log, " error");
		}
		tail->len -= used;
		memmove(tail->data, tail->data + used, tail->len);
		if (r == HTTP2_NEED_MORE)
			return;
	}
}

static void check(const struct bw_buf *in, bool client, const char *expect)
{
	const size_t steps[] = { 1, 2, 5, 9, 10, 100, SIZE_MAX };

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct bw_buf tail = { 0 }, log = { 0 };
		struct http2 p;

		http2_init(&p, client);
		for (size_t at = 0; at < in->len; at += steps[i] < in->len ? steps[i] : in->len)
			feed(&p, &tail, in->data + at, steps[i] < in->len - at ? steps[i] : in->len - at, &log);
		assert_string_equal(bw_buf_cstr(&log), expect);
		http2_clear(&p, &budget);
		assert_int_equal(budget.used, 0);
		bw_buf_free(&tail);
		bw_buf_free(&log);
	}
}

static void frames_of_a_client(void **state)
{
	struct bw_buf b = { 0 };

	bw_buf_str(&b, HTTP2_PREFACE);
	FRAME(&b, SETTINGS, 0, 0, "\0\3\0\0\0\x64");
	FRAME(&b, WINDOW_UPDATE, 0, 0, "\0\0\1\0");
	FRAME(&b, HEADERS, HTTP2_END_STREAM | HTTP2_END_HEADERS, 1, "one");
	FRAME(&b, PRIORITY, 0, 3, "\0\0\0\0\1");
	FRAME(&b, HEADERS, HTTP2_END_HEADERS, 3, "three");
	FRAME(&b, DATA, 0, 3, "hel");
	FRAME(&b, PING, 0, 0, "12345678");
	FRAME(&b, DATA, HTTP2_END_STREAM, 3, "lo");
	FRAME(&b, RST_STREAM, 0, 5, "\0\0\0\x8");
	FRAME(&b, GOAWAY, 0, 0, "\0\0\0\7\0\0\0\2debug");
	frame(&b, 0x42, 0, 1, "an extension", 12);
	check(&b, true, " settings 0 headers 1! (one) headers 3 (three) data 3 [hello] end 3 rst 5 code 8 goaway 7 code 2");
	bw_buf_free(&b);
}

static void padding_priority_and_continuation(void **state)
{
	struct bw_buf b = { 0 };

	FRAME(&b, HEADERS, HTTP2_PADDED | HTTP2_HAS_PRIORITY, 1, "\3\0\0\0\0\x10" "ab" "\0\0\0");
	FRAME(&b, CONTINUATION, 0, 1, "cd");
	FRAME(&b, CONTINUATION, HTTP2_END_HEADERS, 1, "ef");
	FRAME(&b, DATA, HTTP2_PADDED | HTTP2_END_STREAM, 1, "\4data\0\0\0\0");
	FRAME(&b, DATA, HTTP2_PADDED, 3, "\0more");
	FRAME(&b, DATA, HTTP2_PADDED | HTTP2_END_STREAM, 3, "\2\0\0");
	FRAME(&b, DATA, HTTP2_END_STREAM, 5, "");
	FRAME(&b, PUSH_PROMISE, HTTP2_END_HEADERS, 1, "\0\0\0\2push");
	check(&b, false, " headers 1 (abcdef) data 1 [data] end 1 data 3 [more] end 3 end 5 push 1 2 (push)");
	bw_buf_free(&b);
}

static void what_breaks_the_rules_is_an_error(void **state)
{
	struct bw_buf b = { 0 };

	/* something between HEADERS and CONTINUATION; afterwards it finds its way */
	FRAME(&b, HEADERS, 0, 1, "ab");
	FRAME(&b, PING, 0, 0, "12345678");
	FRAME(&b, HEADERS, HTTP2_END_HEADERS, 3, "ok");
	FRAME(&b, DATA, HTTP2_END_STREAM, 3, "x");
	FRAME(&b, PING, 0, 0, "12345678");
	{
		struct bw_buf tail = { 0 }, log = { 0 };
		struct http2 p;

		http2_init(&p, false);
		feed(&p, &tail, b.data, b.len, &log);
		assert_string_equal(bw_buf_cstr(&log), " error headers 3 (ok) data 3 [x] end 3");
		http2_clear(&p, &budget);
		bw_buf_free(&tail);
		bw_buf_free(&log);
	}
	bw_buf_free(&b);

	struct {
		uint8_t type, flags;
		uint32_t stream;
		const char *payload;
		size_t len;
	} bad[] = {
		{ HTTP2_F_CONTINUATION, HTTP2_END_HEADERS, 1, "x", 1 }, { HTTP2_F_DATA, 0, 0, "x", 1 },
		{ HTTP2_F_HEADERS, HTTP2_END_HEADERS, 0, "x", 1 },	{ HTTP2_F_DATA, HTTP2_PADDED, 1, "\2x", 2 },
		{ HTTP2_F_DATA, HTTP2_PADDED, 1, "", 0 },		{ HTTP2_F_HEADERS, HTTP2_PADDED, 1, "\2x", 2 },
		{ HTTP2_F_RST_STREAM, 0, 1, "x", 1 },			{ HTTP2_F_GOAWAY, 0, 0, "x", 1 },
		{ HTTP2_F_HEADERS, HTTP2_HAS_PRIORITY, 1, "x", 1 },	{ HTTP2_F_PUSH_PROMISE, 0, 1, "x", 1 },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct bw_buf in = { 0 }, tail = { 0 }, log = { 0 };
		struct http2 p;

		frame(&in, bad[i].type, bad[i].flags, bad[i].stream, bad[i].payload, bad[i].len);
		http2_init(&p, false);
		feed(&p, &tail, in.data, in.len, &log);
		assert_memory_equal(bw_buf_cstr(&log), " error", 6);
		http2_clear(&p, &budget);
		bw_buf_free(&in);
		bw_buf_free(&tail);
		bw_buf_free(&log);
	}
	assert_int_equal(budget.used, 0);
}

static void header_blocks_have_a_maximum(void **state)
{
	struct bw_buf b = { 0 }, tail = { 0 }, log = { 0 };
	static char big[16000];
	struct http2 p;

	FRAME(&b, HEADERS, 0, 1, "ab");
	for (unsigned int i = 0; i < 5; i++)
		frame(&b, HTTP2_F_CONTINUATION, 0, 1, big, sizeof(big));
	http2_init(&p, false);
	feed(&p, &tail, b.data, b.len, &log);
	assert_non_null(strstr(bw_buf_cstr(&log), "error"));
	http2_clear(&p, &budget);

	/* the flood of empty continuations (CVE-2024-27316 and its kind) */
	b.len = log.len = tail.len = 0;
	FRAME(&b, HEADERS, 0, 1, "ab");
	for (unsigned int i = 0; i <= HTTP2_MAX_CONTINUATIONS; i++)
		FRAME(&b, CONTINUATION, 0, 1, "");
	http2_init(&p, false);
	feed(&p, &tail, b.data, b.len, &log);
	assert_non_null(strstr(bw_buf_cstr(&log), "error"));
	http2_clear(&p, &budget);
	assert_int_equal(budget.used, 0);
	bw_buf_free(&b);
	bw_buf_free(&tail);
	bw_buf_free(&log);
}

static void gaps(void **state)
{
	struct bw_buf b = { 0 }, tail = { 0 }, log = { 0 };
	uint64_t data;
	uint32_t stream;
	struct http2 p;

	/* inside DATA: 100 bytes, 8 of them padding behind the length byte */
	frame(&b, HTTP2_F_DATA, HTTP2_PADDED | HTTP2_END_STREAM, 7, "\x08" "0123456789", 11);
	b.data[2] = 100;
	http2_init(&p, false);
	feed(&p, &tail, b.data, b.len, &log);
	assert_true(http2_gap(&p, 85, &budget, &stream, &data));
	assert_int_equal(stream, 7);
	assert_int_equal(data, 81);
	b.len = 0;
	bw_buf_str(&b, "\1\2\3\4");
	FRAME(&b, RST_STREAM, 0, 9, "\0\0\0\1");
	feed(&p, &tail, b.data, b.len, &log);
	assert_string_equal(bw_buf_cstr(&log), " data 7 [0123456789] end 7 rst 9 code 1");

	/* between frames: not bridged; the next row of frames is found behind rubbish */
	assert_false(http2_gap(&p, 5, &budget, &stream, &data));
	b.len = log.len = tail.len = 0;
	bw_buf_str(&b, "rest of something");
	FRAME(&b, HEADERS, HTTP2_END_HEADERS, 11, "h");
	FRAME(&b, DATA, HTTP2_END_STREAM, 11, "d");
	FRAME(&b, PING, 0, 0, "12345678");
	feed(&p, &tail, b.data, b.len, &log);
	assert_string_equal(bw_buf_cstr(&log), " headers 11 (h) data 11 [d] end 11");
	assert_int_equal(p.skipped, 17);
	http2_clear(&p, &budget);
	bw_buf_free(&b);
	bw_buf_free(&tail);
	bw_buf_free(&log);
}

static void recognised_from_the_middle(void **state)
{
	struct bw_buf b = { 0 };

	FRAME(&b, HEADERS, HTTP2_END_HEADERS, 1, "abc");
	assert_int_equal(http2_sniff(bw_slice(b.data, b.len)), HTTP2_OK);
	assert_int_equal(http2_sniff(bw_slice(b.data, 5)), HTTP2_NEED_MORE);
	assert_int_equal(http2_sniff(bw_slice("GET / HTTP/1.1\r\n", 16)), HTTP2_ERROR);
	assert_int_equal(http2_sniff(bw_slice("\x16\x03\x01\x02\0\1\0\1\xfc\3\3", 11)), HTTP2_ERROR);
	assert_int_equal(http2_sniff(bw_slice("SSH-2.0-OpenSSH_9.2\r\n", 21)), HTTP2_ERROR);
	bw_buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_of_a_client),
		cmocka_unit_test(padding_priority_and_continuation),
		cmocka_unit_test(what_breaks_the_rules_is_an_error),
		cmocka_unit_test(header_blocks_have_a_maximum),
		cmocka_unit_test(gaps),
		cmocka_unit_test(recognised_from_the_middle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
