// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The HTTP/1 parser: every case is a row of bytes and the events that it must give, whatever pieces the bytes come in. Among
 * the cases are the published request-smuggling vectors (CL.TE, TE.CL, TE.TE, chunk sizes, line ends, folds).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "common/buf.h"
#include "guard/api/http1.h"

#define F(x) (1ull << API_FIND_##x)

struct log {
	struct bw_buf buf;
	uint64_t findings;
	bool in_body;
};

static void log_findings(struct log *l, uint64_t findings)
{
	l->findings |= findings;
}

static void log_event(struct log *l, const struct http1 *p, const struct http1_event *ev, const struct http1_head *h)
{
	/* Pieces of a body are one piece here: where they are cut is not a property of the message. */
	if (l->in_body && ev->type != HTTP1_BODY && ev->type != HTTP1_RAW) {
		bw_buf_str(&l->buf, "] ");
		l->in_body = false;
	}
	switch (ev->type) {
	case HTTP1_HEAD:
		if (p->response)
			bw_buf_printf(&l->buf, "%d/%u/%u ", h->status, h->minor, h->nfields);
		else
			bw_buf_printf(&l->buf, "%.*s %.*s/%u/%u ", (int)h->method.len, h->method.data, (int)h->target.len,
				      h->target.data, h->minor, h->nfields);
		log_findings(l, ev->findings);
		break;
	case HTTP1_BODY:
	case HTTP1_RAW:
		if (!l->in_body)
			bw_buf_str(&l->buf, ev->type == HTTP1_RAW ? "raw[" : "[");
		l->in_body = true;
		bw_buf_append(&l->buf, ev->data.data, ev->data.len);
		break;
	case HTTP1_END:
		bw_buf_str(&l->buf, "end ");
		log_findings(l, ev->findings);
		break;
	}
}

/* Feeds @text in pieces of @step bytes. @head_request: the first response answers HEAD. */
static void run(const char *text, size_t len, bool response, size_t step, bool head_request, bool close, struct log *l)
{
	static struct http1_head head;
	struct bw_buf tail = { 0 };
	struct http1 p;

	http1_init(&p, response);
	for (size_t at = 0; at < len; at += step) {
		bw_buf_append(&tail, text + at, step < len - at ? step : len - at);
		for (;;) {
			struct http1_event ev;
			size_t used = 0;
			enum http1_result r = http1_next(&p, bw_slice(tail.data, tail.len), &head, &used, &ev);

			assert_true(used <= tail.len);
			if (r == HTTP1_OK)
				log_event(l, &p, &ev, &head);
			if (r == HTTP1_OK && ev.type == HTTP1_HEAD && head_request) {
				http1_no_body(&p);
				head_request = false;
			}
			if (r == HTTP1_OK && ev.type == HTTP1_HEAD && response && head.status == 101)
				http1_raw(&p);
			if (r == HTTP1_ERROR) {
				bw_buf_str(&l->buf, l->in_body ? "] error " : "error ");
				l->in_body = false;
				log_findings(l, p.findings);
			}
			tail.len -= used;
			memmove(tail.data, tail.data + used, tail.len);
			if (r == HTTP1_NEED_MORE)
				break;
		}
	}
	if (close && http1_close(&p)) {
		struct http1_event ev;
		size_t used;

		assert_int_equal(http1_next(&p, bw_slice("", 0), &head, &used, &ev), HTTP1_OK);
		log_event(l, &p, &ev, &head);
	}
	if (l->in_body)
		bw_buf_str(&l->buf, "]");
	bw_buf_free(&tail);
}

static void check(const char *text, bool response, const char *expect, uint64_t findings)
{
	const size_t steps[] = { 1, 2, 3, 7, 64, SIZE_MAX };
	size_t len = strlen(text);

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct log l = { 0 };

		run(text, len, response, steps[i] > len ? len : steps[i], false, true, &l);
		if (strcmp(bw_buf_cstr(&l.buf), expect) || l.findings != findings)
			print_message("step %zu: findings %llx, expected %llx\n%s\n", steps[i], (unsigned long long)l.findings,
				      (unsigned long long)findings, text);
		assert_string_equal(bw_buf_cstr(&l.buf), expect);
		assert_true(l.findings == findings);
		bw_buf_free(&l.buf);
	}
}

static void request(const char *text, const char *expect, uint64_t findings)
{
	check(text, false, expect, findings);
}

static void response(const char *text, const char *expect, uint64_t findings)
{
	check(text, true, expect, findings);
}

#define H "Host: a\r\n"

static void plain_messages(void **state)
{
	request("GET / HTTP/1.1\r\n" H "\r\n", "GET //1/1 end ", 0);
	request("GET / HTTP/1.0\r\n\r\n", "GET //0/0 end ", 0);
	request("\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n", "GET //1/1 end ", 0);
	request("POST /x HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhello", "POST /x/1/2 [hello] end ", 0);
	request("POST /x HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n", "POST /x/1/2 end ", 0);
	/* pipelined */
	request("GET /1 HTTP/1.1\r\n" H "\r\nPOST /2 HTTP/1.1\r\n" H "Content-Length: 2\r\n\r\nabGET /3 HTTP/1.1\r\n" H "\r\n",
		"GET /1/1/1 end POST /2/1/2 [ab] end GET /3/1/1 end ", 0);
	request("CONNECT a:443 HTTP/1.1\r\n" H "\r\n", "CONNECT a:443/1/1 end ", 0);
	request("OPTIONS * HTTP/1.1\r\n" H "\r\n", "OPTIONS */1/1 end ", 0);
	request("GET http://a/x HTTP/1.1\r\n" H "\r\n", "GET http://a/x/1/1 end ", 0);
	response("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
		 "200/1/1 [ok] end 404/1/1 end ", 0);
	response("HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", "200/1/1 [ok] end ", 0);
}

static void bodies_and_their_absence(void **state)
{
	struct log l = { 0 };
	const char *head = "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nHTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 304 Not Modified\r\n"
			   "Content-Length: 9\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx";

	run(head, strlen(head), true, 5, true, true, &l);
	assert_string_equal(bw_buf_cstr(&l.buf), "200/1/1 end 204/1/0 end 304/1/1 end 200/1/1 [x] end ");
	bw_buf_free(&l.buf);

	response("HTTP/1.0 200 OK\r\n\r\nuntil the end", "200/0/0 [until the end] end ", 0);
	response("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", "100/1/0 end 200/1/1 [x] end ", 0);
	response("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n\x81\x02hi",
		 "101/1/2 raw[\x81\x02hi]", 0);
	response("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", "200/1/1 [abc] end ", 0);
}

static void chunked(void **state)
{
#define C "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
	request(C "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "POST //1/2 [hello world] end ", 0);
	request(C "a;name=value\r\n0123456789\r\n0\r\n\r\n", "POST //1/2 [0123456789] end ", 0);
	request(C "1\r\nx\r\n0\r\nX-Sum: 1\r\nX-Other: 2\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n", "POST //1/2 [x] end GET //1/1 end ", 0);
	request(C "1\r\nx\r\n0\r\nContent-Length: 1\r\n\r\n", "POST //1/2 [x] end ", F(FORBIDDEN_TRAILER));
	request(C "0\r\n\r\n", "POST //1/2 end ", 0);
	request(C "5\nhello\n0\n\n", "POST //1/2 [hello] end ", F(BARE_LF) | F(BAD_CHUNK_END));
	request(C "5\r\nhelloX5\r\nworld\r\n0\r\n\r\n", "POST //1/2 [hello] error ", F(BAD_CHUNK_END) | F(BAD_CHUNK_SIZE));
	request(C "0x5\r\nhello\r\n0\r\n\r\n", "POST //1/2 [hello] end ", F(BAD_CHUNK_SIZE));
	request(C "+5\r\nhello\r\n0\r\n\r\n", "POST //1/2 [hello] end ", F(BAD_CHUNK_SIZE));
	request(C "5 \r\nhello\r\n0\r\n\r\n", "POST //1/2 [hello] end ", F(BAD_CHUNK_SIZE));
	request(C "-1\r\nhello", "POST //1/2 error ", F(BAD_CHUNK_SIZE));
	request(C "fffffffffffffffff\r\nhello", "POST //1/2 error ", F(BAD_CHUNK_SIZE));
	request(C "5;a\rb\r\nhello\r\n0\r\n\r\n", "POST //1/2 [hello] end ", F(BARE_CR));
}

static void smuggling(void **state)
{
	/* CL.TE, TE.CL */
	request("POST / HTTP/1.1\r\n" H "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /admin HTTP/1.1\r\n" H "\r\n",
		"POST //1/3 end GET /admin/1/1 end ", F(TE_AND_CL));
	request("POST / HTTP/1.1\r\n" H "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
		"POST //1/3 [ab] end ", F(TE_AND_CL));
	/* TE.TE: one of them obfuscated */
	request("POST / HTTP/1.1\r\n" H "Transfer-Encoding: xchunked\r\n\r\n", "POST //1/2 end ", F(BAD_TE));
	request("POST / HTTP/1.1\r\n" H "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", "POST //1/2 end ", F(SPACE_BEFORE_COLON));
	request("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n", "POST //1/3 end ", F(BAD_TE));
	request("POST / HTTP/1.1\r\n" H "Transfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "POST //1/3 end ", F(BAD_TE));
	request("POST / HTTP/1.1\r\n" H "Transfer-Encoding:\x0b" "chunked\r\n\r\n0\r\n\r\n", "POST //1/2 end ", F(BAD_TE));
	request("POST / HTTP/1.1\r\n" H "Transfer-Encoding:\n chunked\r\n\r\n0\r\n\r\n", "POST //1/2 end ",
		F(OBS_FOLD) | F(BARE_LF) | F(BAD_TE));
	request("POST / HTTP/1.1\r\n" H "X: y\r\n Transfer-Encoding: chunked\r\n\r\n", "POST //1/2 end ", F(OBS_FOLD));
	request("POST / HTTP/1.1\r\n" H "X: y\rTransfer-Encoding: chunked\r\n\r\n", "POST //1/2 end ", F(BARE_CR));
	request("POST / HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "POST //0/2 end ", F(TE_IN_HTTP10));
	/* Content-Length */
	request("POST / HTTP/1.1\r\n" H "Content-Length: 2\r\nContent-Length: 3\r\n\r\nab", "POST //1/3 [ab] end ", F(DUPLICATE_CL));
	request("POST / HTTP/1.1\r\n" H "Content-Length: 2\r\nContent-Length: 2\r\n\r\nab", "POST //1/3 [ab] end ", F(REPEATED_CL));
	request("POST / HTTP/1.1\r\n" H "Content-Length: 2, 2\r\n\r\nab", "POST //1/2 [ab] end ", F(REPEATED_CL));
	request("POST / HTTP/1.1\r\n" H "Content-Length: +2\r\n\r\n", "POST //1/2 end ", F(BAD_CL));
	request("POST / HTTP/1.1\r\n" H "Content-Length: 0x2\r\n\r\n", "POST //1/2 end ", F(BAD_CL));
	request("POST / HTTP/1.1\r\n" H "Content-Length: 99999999999999999999999\r\n\r\n", "POST //1/2 end ", F(BAD_CL));
	request("GET / HTTP/1.1\r\n" H "Content-Length: 2\r\n\r\nab", "GET //1/2 [ab] end ", F(GET_WITH_BODY));
	/* Host */
	request("GET / HTTP/1.1\r\n\r\n", "GET //1/0 end ", F(NO_HOST));
	request("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "GET //1/2 end ", F(DUPLICATE_HOST));
	request("GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", "GET http://b//1/1 end ", F(HOST_MISMATCH));
	/* lines */
	request("GET / HTTP/1.1\n" "Host: a\n\n", "GET //1/1 end ", F(BARE_LF));
	request("GET  / HTTP/1.1\r\n" H "\r\n", "GET //1/1 end ", F(BAD_REQUEST_LINE));
	request("GET /a b HTTP/1.1\r\n" H "\r\n", "GET /a b/1/1 end ", F(BAD_REQUEST_LINE));
	request("GET / HTTP/1.1\r\n" H "no colon\r\n\r\n", "GET //1/1 end ", F(HEADER_WITHOUT_COLON));
	request("GET / HTTP/1.1\r\n" H "b@d: 1\r\n\r\n", "GET //1/2 end ", F(BAD_HEADER_NAME));
	/* answers */
	response("HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n", "204/1/1 end ", F(BODY_ON_NO_BODY));
	response("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", "200/1/2 end ", F(TE_AND_CL));
}

static void a_nul_in_a_header_is_a_finding(void **state)
{
	static const char text[] = "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n";
	struct log l = { 0 };

	run(text, sizeof(text) - 1, false, 4, false, false, &l);
	assert_string_equal(bw_buf_cstr(&l.buf), "GET //1/2 end ");
	assert_true(l.findings == F(NUL));
	bw_buf_free(&l.buf);
}

static void what_is_no_message_is_passed_over(void **state)
{
	request("nonsense\r\nGET /a HTTP/1.1\r\n" H "\r\n", "error GET /a/1/1 end ", 0);
	request("GET / HTTP/2.7\r\n\r\nGET /b HTTP/1.1\r\n" H "\r\n", "error GET /b/1/1 end ", 0);
	request("EHLO mail\r\n", "error ", 0);
	/* Inside rubbish a request line has to be whole. */
	request("rubbish\r\nGET /x of rubbish\r\nGET /c HTTP/1.1\r\n" H "\r\n", "error GET /c/1/1 end ", 0);
}

static void a_head_has_a_maximum(void **state)
{
	struct bw_buf b = { 0 };
	struct log l = { 0 };

	bw_buf_str(&b, "GET / HTTP/1.1\r\nX: ");
	for (unsigned int i = 0; i < HTTP1_MAX_HEAD; i++)
		bw_buf_char(&b, 'a');
	bw_buf_str(&b, "\r\n\r\nGET /next HTTP/1.1\r\n" H "\r\n");
	run(b.data, b.len, false, 1000, false, false, &l);
	assert_string_equal(bw_buf_cstr(&l.buf), "error GET /next/1/1 end ");
	bw_buf_free(&b);
	bw_buf_free(&l.buf);

	l = (struct log){ 0 };
	bw_buf_str(&b, "GET / HTTP/1.1\r\nHost: a\r\n");
	for (unsigned int i = 0; i < HTTP1_MAX_FIELDS + 5; i++)
		bw_buf_printf(&b, "X%u: y\r\n", i);
	bw_buf_str(&b, "\r\n");
	run(b.data, b.len, false, 100, false, false, &l);
	assert_string_equal(bw_buf_cstr(&l.buf), "GET //1/200 end ");
	bw_buf_free(&b);
	bw_buf_free(&l.buf);
}

/* Feeds one piece and checks the event that comes first. */
static enum http1_event_type first(struct http1 *p, const char *text, size_t *ret_used)
{
	static struct http1_head head;
	struct http1_event ev;

	assert_int_equal(http1_next(p, bw_slice(text, strlen(text)), &head, ret_used, &ev), HTTP1_OK);
	return ev.type;
}

static void a_gap_inside_a_body_is_bridged(void **state)
{
	struct http1 p;
	size_t used;

	http1_init(&p, false);
	assert_int_equal(first(&p, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n", &used), HTTP1_HEAD);
	assert_int_equal(first(&p, "0123456789", &used), HTTP1_BODY);
	assert_true(http1_gap(&p, 990));
	assert_int_equal(first(&p, "", &used), HTTP1_END);
	assert_int_equal(first(&p, "GET /next HTTP/1.1\r\nHost: a\r\n\r\n", &used), HTTP1_HEAD);

	http1_init(&p, false);
	first(&p, C "64\r\nabc", &used);
	assert_int_equal(first(&p, "64\r\nabc", &used), HTTP1_BODY);
	assert_true(http1_gap(&p, 97));
	assert_int_equal(p.state, HTTP1_S_CHUNK_END);
	first(&p, "\r\n0\r\n\r\n", &used);

	/* One byte more than the body: the next message has lost its front. */
	http1_init(&p, false);
	first(&p, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n", &used);
	assert_false(http1_gap(&p, 11));
	assert_int_equal(p.state, HTTP1_S_SYNC);
	assert_int_equal(first(&p, "T /lost HTTP/1.1x\r\nA: b\r\n\r\nGET /found HTTP/1.1\r\nHost: a\r\n\r\n", &used), HTTP1_HEAD);
	assert_true(p.skipped > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_messages),
		cmocka_unit_test(bodies_and_their_absence),
		cmocka_unit_test(chunked),
		cmocka_unit_test(smuggling),
		cmocka_unit_test(a_nul_in_a_header_is_a_finding),
		cmocka_unit_test(what_is_no_message_is_passed_over),
		cmocka_unit_test(a_head_has_a_maximum),
		cmocka_unit_test(a_gap_inside_a_body_is_bridged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
