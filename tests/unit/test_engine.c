// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Chunks in, calls out: what the engine makes of whole connections, of gaps, of both ends of one, of too much. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <nghttp2/nghttp2.h>

#include "common/buf.h"
#include "guard/api/engine.h"
#include "guard/api/extract.h"

#define SECOND 1000000000ull

static struct {
	struct api_engine *engine;
	struct bw_buf log;
	struct api_peer peers[8];
	uint64_t pos[8][API_DIRS];
	uint64_t now;
	uint32_t tid;
	uint64_t findings;
	struct api_trace traces[8];
	unsigned int calls;
} t;

static void on_call(void *arg, const struct api_call *c)
{
	struct bw_buf *b = &t.log;

	if (t.calls < 8)
		t.traces[t.calls] = c->trace;
	t.calls++;
	t.findings |= c->findings;
	bw_buf_printf(b, "%s %s%s %d", c->method, c->host, c->path, c->status);
	if (c->request.body_bytes || c->response.body_bytes)
		bw_buf_printf(b, " %llu/%llu", (unsigned long long)c->request.body_bytes, (unsigned long long)c->response.body_bytes);
	if (*c->operation)
		bw_buf_printf(b, " %s:%s", api_style_name(c->style), c->operation);
	else if (c->style)
		bw_buf_printf(b, " %s", api_style_name(c->style));
	if (c->grpc_status >= 0)
		bw_buf_printf(b, " grpc=%d", c->grpc_status);
	for (unsigned int i = 0; i < 15; i++)
		if (c->flags & (1u << i))
			bw_buf_printf(b, " %s", api_call_flag_name(i));
	bw_buf_char(b, '\n');
	/* what the record promises */
	assert_true(c->id && c->request.content_type && c->response.content_type && c->comm && c->exe);
	for (uint32_t i = 0; i < c->nfields; i++)
		assert_true(c->fields[i].name && strlen(c->fields[i].name) < API_MAX_NAME);
}

static struct api_address address(const char *ip, uint16_t port)
{
	struct api_address a = { .family = AF_INET, .port = port };

	inet_pton(AF_INET, ip, a.bytes);
	return a;
}

static void start(struct api_engine_config config)
{
	memset(&t, 0, sizeof(t));
	config.on_call = on_call;
	config.seed[0] = 1;
	assert_int_equal(api_engine_new(&config, &t.engine), 0);
	for (unsigned int i = 0; i < 8; i++)
		t.peers[i] = (struct api_peer){ .tgid = 100 + i, .comm = "nginx", .exe = "/usr/sbin/nginx", .role = API_ROLE_SERVER,
						.local = address("10.0.0.1", 80), .remote = address("10.0.0.2", (uint16_t)(5000 + i)) };
	t.now = SECOND;
	t.tid = 7;
}

static void chunk(unsigned int conn, enum api_dir dir, const void *data, size_t len, uint32_t skipped, uint32_t flags)
{
	struct api_chunk c = { .conn = conn + 1, .time_ns = t.now, .pos = t.pos[conn][dir], .data = data, .len = (uint32_t)len,
			       .skipped = skipped, .tid = t.tid, .flags = flags, .dir = dir, .peer = &t.peers[conn] };

	t.pos[conn][dir] += len + skipped;
	api_engine_chunk(t.engine, &c);
}

/* @in and @out bytes were left out on purpose, then come @len bytes of @text that begin with a request. */
static void skipped_to(unsigned int conn, uint64_t in, uint64_t out, const char *text, size_t len)
{
	struct api_chunk c = { .conn = conn + 1, .time_ns = t.now, .pos = t.pos[conn][API_DIR_IN] += in, .other = t.pos[conn][API_DIR_OUT] += out,
			       .data = (const uint8_t *)text, .len = (uint32_t)len, .tid = t.tid, .flags = API_CHUNK_SKIPPED,
			       .dir = API_DIR_IN, .peer = &t.peers[conn] };

	t.pos[conn][API_DIR_IN] += len;
	api_engine_chunk(t.engine, &c);
}

static void skipped(unsigned int conn, uint64_t in, uint64_t out, const char *text)
{
	skipped_to(conn, in, out, text, strlen(text));
}

static void in(unsigned int conn, const char *text)
{
	chunk(conn, API_DIR_IN, text, strlen(text), 0, 0);
}

static void out(unsigned int conn, const char *text)
{
	chunk(conn, API_DIR_OUT, text, strlen(text), 0, 0);
}

static void end(unsigned int conn, uint32_t flags)
{
	chunk(conn, API_DIR_IN, "", 0, 0, API_CHUNK_CLOSED | flags);
}

/* The calls so far are these; with everything closed, all memory is given back. */
static void calls(const char *expect)
{
	assert_string_equal(bw_buf_cstr(&t.log), expect);
	t.log.len = 0;
	if (t.log.data)
		t.log.data[0] = '\0';
}

static void stop(const char *expect)
{
	const struct api_engine_stats *s;

	api_engine_flush(t.engine);
	calls(expect);
	s = api_engine_stats(t.engine);
	assert_int_equal(s->memory, 0);
	assert_int_equal(s->conns, 0);
	api_engine_free(t.engine);
	bw_buf_free(&t.log);
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define OK200 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

static void a_call(void **state)
{
	start((struct api_engine_config){ 0 });
	in(0, GET("/users/4711?x=1"));
	t.now += 5000000;
	out(0, OK200);
	calls("GET a/users/{number} 200 0/2\n");
	stop("");
}

static void in_single_bytes(void **state)
{
	static const char request[] = "POST /x HTTP/1.1\r\nHost: A:80\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
				      "8\r\n{\"a\": 1}\r\n0\r\n\r\n";

	start((struct api_engine_config){ 0 });
	for (size_t i = 0; i + 1 < sizeof(request); i++)
		chunk(0, API_DIR_IN, request + i, 1, 0, 0);
	for (size_t i = 0; i + 1 < sizeof(OK200); i++)
		chunk(0, API_DIR_OUT, OK200 + i, 1, 0, 0);
	stop("POST a/x 200 8/2\n");
}

static void pipelined_and_kept_alive(void **state)
{
	start((struct api_engine_config){ 0 });
	in(0, GET("/a") GET("/b") "HEAD /c HTTP/1.1\r\nHost: a\r\n\r\n");
	out(0, OK200);
	out(0, "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n");
	in(0, "POST /d HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
	out(0, "HTTP/1.1 100 Continue\r\n\r\n");
	in(0, "abc");
	out(0, "HTTP/1.0 500 No\r\n\r\nuntil the end");
	calls("GET a/a 200 0/2\nGET a/b 204\nHEAD a/c 200\n");
	end(0, 0);
	calls("POST a/d 500 3/13\n");
	stop("");
}

static void a_client(void **state)
{
	start((struct api_engine_config){ 0 });
	t.peers[0].role = API_ROLE_CLIENT;
	out(0, GET("/a"));
	in(0, OK200);
	/* A role that capture did not know is read from the bytes. */
	t.peers[1].role = API_ROLE_UNKNOWN;
	out(1, GET("/b"));
	in(1, OK200);
	stop("GET a/a 200 0/2\nGET a/b 200 0/2\n");
}

static void ends_without_a_response(void **state)
{
	start((struct api_engine_config){ 0 });
	in(0, GET("/closed"));
	end(0, 0);
	in(1, GET("/reset"));
	end(1, API_CHUNK_RESET);
	in(2, GET("/half"));
	out(2, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc");
	end(2, 0);
	in(3, GET("/slow"));
	t.now += 61 * SECOND;
	api_engine_tick(t.engine, t.now);
	out(3, OK200); /* too late: it belongs to nobody */
	in(3, GET("/next"));
	out(3, OK200);
	t.now += 400 * SECOND;
	in(4, GET("/open"));
	api_engine_tick(t.engine, t.now);
	calls("GET a/closed 0 no-response\nGET a/reset 0 no-response reset\nGET a/half 200 0/3 incomplete\nGET a/slow 0 no-response timeout\n"
	      "GET a/next 200 0/2\n");
	assert_int_equal(api_engine_stats(t.engine)->conns, 1);
	stop("GET a/open 0 no-response\n");
}

static void gaps_inside_bodies_are_bridged(void **state)
{
	static const char head[] = "POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n0123456789";

	start((struct api_engine_config){ 0 });
	chunk(0, API_DIR_IN, head, sizeof(head) - 1, 990, API_CHUNK_SAMPLED);
	out(0, OK200);
	in(0, GET("/after"));
	out(0, OK200);
	calls("POST a/up 200 1000/2 sampled\nGET a/after 200 0/2\n");
	assert_int_equal(api_engine_stats(t.engine)->sampled_bytes, 990);
	assert_int_equal(api_engine_stats(t.engine)->gaps, 0);
	stop("");
}

static void gaps_elsewhere_cost_what_they_hit(void **state)
{
	start((struct api_engine_config){ 0 });
	/* a request is lost as a whole; its response belongs to nobody */
	in(0, GET("/a"));
	out(0, OK200);
	t.pos[0][API_DIR_IN] += 50;
	out(0, OK200);
	in(0, GET("/b"));
	out(0, OK200);
	calls("GET a/a 200 0/2\n?  200 0/2 no-request\nGET a/b 200 0/2 uncertain\n");
	assert_int_equal(t.findings & (1ull << API_FIND_UNASKED_RESPONSE), 1ull << API_FIND_UNASKED_RESPONSE);
	in(0, GET("/c"));
	out(0, OK200);
	calls("GET a/c 200 0/2\n");
	/* a response is lost: who waits for it may have got it */
	in(0, GET("/d"));
	t.pos[0][API_DIR_OUT] += 41;
	in(0, GET("/e"));
	out(0, OK200);
	calls("GET a/d 0 gap no-response\nGET a/e 0 gap no-response\n?  200 0/2 no-request\n");
	in(0, GET("/f"));
	out(0, OK200);
	stop("GET a/f 200 0/2\n");
}

static void what_is_left_out_on_purpose_is_no_gap(void **state)
{
	const struct api_engine_stats *s;

	start((struct api_engine_config){ 0 });
	in(0, GET("/a"));
	out(0, OK200);
	skipped(0, 1000, 5000, GET("/b"));
	out(0, OK200);
	calls("GET a/a 200 0/2\nGET a/b 200 0/2\n");
	/* Whoever waited for a response does not get that of another. */
	in(0, "POST /c HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf");
	skipped(0, 5, 70, GET("/d"));
	out(0, OK200);
	calls("POST a/c 0 4/0 sampled no-response\nGET a/d 200 0/2\n");
	s = api_engine_stats(t.engine);
	assert_int_equal(s->gaps, 0);
	assert_int_equal(s->resyncs, 0);
	assert_int_equal(s->parse_errors, 0);
	assert_int_equal(s->sampled_bytes, 6075);
	/* Before anything was recognised, and where the last was left out. */
	skipped(1, 0, 100, GET("/e"));
	out(1, OK200);
	end(1, API_CHUNK_SKIPPED);
	stop("GET a/e 200 0/2\n");
}

static void joined_midway(void **state)
{
	start((struct api_engine_config){ 0 });
	t.pos[0][API_DIR_IN] = 7000;
	t.pos[0][API_DIR_OUT] = 9000;
	out(0, "the rest of a body that nobody has seen the beginning of");
	in(0, GET("/a"));
	out(0, OK200);
	calls("GET a/a 200 0/2\n");
	assert_int_equal(t.findings, 0);
	/* in the middle of a request */
	t.pos[1][API_DIR_IN] = 10;
	in(1, "p: x\r\nCookie: y\r\n\r\n");
	in(1, GET("/b"));
	out(1, OK200);
	stop("GET a/b 200 0/2\n");
}

static void what_is_not_http_is_left_alone(void **state)
{
	start((struct api_engine_config){ 0 });
	chunk(0, API_DIR_IN, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11, 0, 0);
	in(1, "SSH-2.0-OpenSSH\r\n");
	in(2, "EHLO mail.example\r\n");
	in(3, "GET /x of something else\r\n\r\n");
	for (unsigned int i = 0; i < 1000; i++)
		in(0, GET("/never"));
	assert_int_equal(api_engine_stats(t.engine)->not_http, 4);
	assert_int_equal(api_engine_stats(t.engine)->parse_errors, 1);
	stop("");
}

static void an_upgrade_ends_http(void **state)
{
	start((struct api_engine_config){ 0 });
	in(0, "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
	out(0, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n\x81\x02hi");
	in(0, "\x81\x82xxxxhi");
	in(1, "CONNECT b:443 HTTP/1.1\r\nHost: b:443\r\n\r\n");
	out(1, "HTTP/1.1 200 OK\r\n\r\n");
	in(1, "\x16\x03\x01");
	stop("GET a/ws 101 websocket upgraded\nCONNECT b 200 upgraded\n");
}

static void both_ends_count_once(void **state)
{
	start((struct api_engine_config){ 0 });
	t.peers[1] = (struct api_peer){ .tgid = 200, .comm = "curl", .exe = "/usr/bin/curl", .role = API_ROLE_CLIENT,
					.local = t.peers[0].remote, .remote = t.peers[0].local };
	out(1, GET("/a"));
	in(0, GET("/a"));
	out(0, OK200);
	in(1, OK200);
	/* another connection of the client, whose server is elsewhere */
	t.peers[2] = t.peers[1];
	t.peers[2].remote = address("10.0.0.9", 80);
	out(2, GET("/b"));
	in(2, OK200);
	calls("GET a/a 200 0/2\nGET a/a 200 0/2 duplicate\nGET a/b 200 0/2\n");
	assert_int_equal(api_engine_stats(t.engine)->calls_duplicate, 1);
	stop("");
}

static void calls_of_a_thread_are_linked(void **state)
{
	static const uint8_t trace[16] = { 0x0a, 0xf7, 0x65, 0x19, 0x16, 0xcd, 0x43, 0xdd, 0x84, 0x48, 0xeb, 0x21, 0x1c, 0x80, 0x31, 0x9c };

	start((struct api_engine_config){ 0 });
	t.peers[1].role = API_ROLE_CLIENT;
	in(0, "GET /in HTTP/1.1\r\nHost: a\r\ntraceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n\r\n");
	out(1, GET("/out"));
	in(1, OK200);
	out(0, OK200);
	out(1, GET("/later")); /* nothing is served any more */
	in(1, OK200);
	t.tid = 8;
	in(0, GET("/again"));
	t.tid = 9; /* another thread */
	out(1, GET("/other"));
	in(1, OK200);
	calls("GET a/out 200 0/2\nGET a/in 200 0/2\nGET a/later 200 0/2\nGET a/other 200 0/2\n");
	assert_true(t.traces[1].seen && t.traces[1].flags == 1 && t.traces[1].parent_id[0] == 0xb7);
	assert_memory_equal(t.traces[1].trace_id, trace, 16);
	assert_memory_equal(t.traces[0].trace_id, trace, 16);
	assert_memory_equal(t.traces[0].parent_id, t.traces[1].span_id, 8);
	assert_true(t.traces[0].linked_call == 1);
	assert_true(!t.traces[2].linked_call && memcmp(t.traces[2].trace_id, trace, 16));
	assert_true(!t.traces[3].linked_call);
	stop("GET a/again 0 no-response\n");
}

static void styles(void **state)
{
	start((struct api_engine_config){ 0 });
	in(0, "POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 52\r\n\r\n"
	      "{\"query\":\"query GetUser($id: ID!) { user(id: $id) }\"}");
	out(0, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 36\r\n\r\n{\"errors\":[{\"message\":\"no\"}],\"a\":\"b\"}");
	in(0, "POST /rpc HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 47\r\n\r\n"
	      "{\"jsonrpc\":\"2.0\",\"method\":\"user.get\",\"id\":\"abc\"}");
	out(0, OK200);
	in(0, GET("/events"));
	out(0, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\ndata: 2\n\n");
	end(0, 0);
	in(1, GET("/graphql?query=%7Buser%7Bname%7D%7D"));
	out(1, OK200);
	stop("POST a/graphql 200 52/36 graphql:query GetUser\nPOST a/rpc 200 47/2 json-rpc:user.get\nGET a/events 200 0/18 sse\n"
	     "GET a/graphql 200 0/2 graphql:query user\n");
}

static void a_pipeline_has_a_maximum(void **state)
{
	start((struct api_engine_config){ 0 });
	for (unsigned int i = 0; i < API_CONN_MAX_PIPELINE + 3; i++)
		in(0, GET("/a"));
	assert_int_equal(api_engine_stats(t.engine)->pipeline_overflow, 3);
	for (unsigned int i = 0; i < API_CONN_MAX_PIPELINE + 3; i++)
		out(0, OK200);
	assert_int_equal(t.calls, API_CONN_MAX_PIPELINE);
	assert_int_equal(t.findings, 0);
	t.log.len = 0;
	in(0, GET("/b"));
	out(0, OK200);
	stop("GET a/b 200 0/2\n");
}

static void connections_and_memory_have_a_maximum(void **state)
{
	start((struct api_engine_config){ .max_conns = 3 });
	for (unsigned int i = 0; i < 5; i++)
		in(i, GET("/a"));
	assert_int_equal(api_engine_stats(t.engine)->conns, 3);
	assert_int_equal(api_engine_stats(t.engine)->conns_evicted, 2);
	stop("GET a/a 0 no-response evicted\nGET a/a 0 no-response evicted\nGET a/a 0 no-response\nGET a/a 0 no-response\nGET a/a 0 no-response\n");

	start((struct api_engine_config){ .max_memory = 64 << 10 });
	for (unsigned int round = 0; round < 50; round++)
		for (unsigned int i = 0; i < 8; i++) {
			static char body[40000];

			in(i, "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 40000\r\n\r\n");
			chunk(i, API_DIR_IN, body, sizeof(body), 0, 0);
			assert_true(api_engine_stats(t.engine)->memory <= 64 << 10);
		}
	assert_true(api_engine_stats(t.engine)->budget_refused > 0 || api_engine_stats(t.engine)->conns_evicted > 0);
	api_engine_flush(t.engine);
	t.log.len = 0;
	t.log.data[0] = '\0';
	stop("");
}

static void bodies_have_a_maximum(void **state)
{
	static char body[100000];

	start((struct api_engine_config){ .max_body = 1000 });
	in(0, "POST /a HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n");
	memset(body, ' ', sizeof(body));
	chunk(0, API_DIR_IN, body, sizeof(body), 0, 0);
	out(0, OK200);
	assert_int_equal(api_engine_stats(t.engine)->bodies_cut, 1);
	assert_int_equal(t.findings, 0); /* a part of JSON is not bad JSON */
	stop("POST a/a 200 100000/2 body-cut\n");
}

/* ---- HTTP/2, with nghttp2 at both ends ------------------------------------------------------------------------------------- */

struct side {
	nghttp2_session *session;
	unsigned int answer; /* status of responses; 0: a client */
	bool grpc;
};

static ssize_t read_body(nghttp2_session *s, int32_t id, uint8_t *buf, size_t len, uint32_t *flags, nghttp2_data_source *src, void *user)
{
	const char *text = src->ptr;
	size_t n = strlen(text);

	memcpy(buf, text, n);
	/* gRPC: five bytes before the message */
	if (n && text[0] == '#') {
		memmove(buf + 5, buf + 1, n - 1);
		memset(buf, 0, 4);
		buf[4] = (uint8_t)(n - 1);
		n += 4;
		*flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
	}
	*flags |= NGHTTP2_DATA_FLAG_EOF;
	if (n && text[0] == '#') {
		const nghttp2_nv nv = { (uint8_t *)"grpc-status", (uint8_t *)"5", 11, 1, 0 };

		nghttp2_submit_trailer(s, id, &nv, 1);
	}
	return (ssize_t)n;
}

#define NV(n, v) { (uint8_t *)n, (uint8_t *)(v), strlen(n), strlen(v), 0 }

static int on_frame(nghttp2_session *s, const nghttp2_frame *f, void *user)
{
	struct side *side = user;

	if (side->answer && (f->hd.type == NGHTTP2_HEADERS || f->hd.type == NGHTTP2_DATA) && (f->hd.flags & NGHTTP2_FLAG_END_STREAM)) {
		const nghttp2_nv nv[] = { NV(":status", side->answer == 200 ? "200" : "404"),
					  NV("content-type", side->grpc ? "application/grpc" : "text/plain"), NV("x-served-by", "unit") };
		nghttp2_data_provider body = { .source.ptr = side->grpc ? "#reply" : "hello", .read_callback = read_body };

		nghttp2_submit_response(s, f->hd.stream_id, nv, 3, &body);
	}
	return 0;
}

static void session_new(struct side *s)
{
	nghttp2_session_callbacks *cb;

	nghttp2_session_callbacks_new(&cb);
	nghttp2_session_callbacks_set_on_frame_recv_callback(cb, on_frame);
	if (s->answer)
		nghttp2_session_server_new(&s->session, cb, s);
	else
		nghttp2_session_client_new(&s->session, cb, s);
	nghttp2_session_callbacks_del(cb);
	nghttp2_submit_settings(s->session, 0, NULL, 0);
}

/* Moves bytes both ways until nobody has any; the engine sees the server's view from @from calls on. */
static void pump(struct side *client, struct side *server, unsigned int conn, bool seen, size_t step)
{
	for (bool moved = true; moved;) {
		struct side *sides[] = { client, server };

		moved = false;
		for (unsigned int i = 0; i < 2; i++) {
			const uint8_t *data;
			ssize_t n;

			while ((n = nghttp2_session_mem_send(sides[i]->session, &data)) > 0) {
				enum api_dir dir = i ? API_DIR_OUT : API_DIR_IN;

				for (size_t at = 0; at < (size_t)n; at += step) {
					size_t piece = step < (size_t)n - at ? step : (size_t)n - at;

					if (seen)
						chunk(conn, dir, data + at, piece, 0, 0);
					else
						t.pos[conn][dir] += piece;
				}
				assert_int_equal(nghttp2_session_mem_recv(sides[1 - i]->session, data, (size_t)n), n);
				moved = true;
			}
		}
	}
}

static void submit(struct side *client, const char *path, bool grpc)
{
	const nghttp2_nv nv[] = { NV(":method", grpc ? "POST" : "GET"), NV(":path", path), NV(":scheme", "https"), NV(":authority", "api.example"),
				  NV("user-agent", "unit/1"), NV("te", "trailers"), NV("content-type", "application/grpc") };

	assert_true(nghttp2_submit_request(client->session, NULL, nv, grpc ? 7 : 5, NULL, NULL) > 0);
}

static void http2(void **state)
{
	for (size_t step = 1; step < 100000; step *= 17) {
		struct side client = { 0 }, server = { .answer = 200 }, rpc_client = { 0 }, rpc_server = { .answer = 200, .grpc = true };

		start((struct api_engine_config){ 0 });
		session_new(&client);
		session_new(&server);
		submit(&client, "/a/1", false);
		submit(&client, "/b?q=2", false);
		pump(&client, &server, 0, true, step);
		for (unsigned int i = 0; i < 3; i++)
			submit(&client, "/c", false);
		pump(&client, &server, 0, true, step);
		calls("GET api.example/a/{number} 200 0/5\nGET api.example/b 200 0/5\nGET api.example/c 200 0/5\nGET api.example/c 200 0/5\n"
		      "GET api.example/c 200 0/5\n");
		session_new(&rpc_client);
		session_new(&rpc_server);
		submit(&rpc_client, "/pkg.Users/Get", true);
		pump(&rpc_client, &rpc_server, 1, true, step);
		calls("POST api.example/pkg.Users/Get 200 0/10 grpc:pkg.Users/Get grpc=5\n");
		assert_int_equal(t.findings, 0);
		assert_int_equal(api_engine_stats(t.engine)->headers_unknown, 0);
		stop("");
		nghttp2_session_del(client.session);
		nghttp2_session_del(server.session);
		nghttp2_session_del(rpc_client.session);
		nghttp2_session_del(rpc_server.session);
	}
}

static void http2_joined_midway(void **state)
{
	struct side client = { 0 }, server = { .answer = 200 };

	start((struct api_engine_config){ 0 });
	session_new(&client);
	session_new(&server);
	submit(&client, "/a", false);
	pump(&client, &server, 0, false, 1000);
	submit(&client, "/b", false); /* authority and user agent are in the table by now */
	pump(&client, &server, 0, true, 100000);
	assert_int_equal(t.calls, 1);
	assert_non_null(strstr(bw_buf_cstr(&t.log), "/b 200 0/5 headers-unknown"));
	assert_null(strstr(bw_buf_cstr(&t.log), "/a"));
	assert_true(api_engine_stats(t.engine)->headers_unknown > 0);
	assert_int_equal(t.findings, 0);
	t.log.len = 0;
	t.log.data[0] = '\0';
	stop("");
	nghttp2_session_del(client.session);
	nghttp2_session_del(server.session);
}

/* What is left out may begin inside a frame: what comes after it is not the rest of that frame. */
static void http2_left_out_inside_data(void **state)
{
	/* Frames by hand: length, type, flags, stream; HPACK: method POST, scheme http, :path and :authority literal. */
	static const char first[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"
				    "\0\0\13\1\4\0\0\0\1\203\206\4\4/one\1\1h\0\7\320\0\1\0\0\0\1" "some of 2000 bytes";
	static const char later[] = "\0\0\13\1\5\0\0\0\5\203\206\4\4/two\1\1h";
	static const char more[] = "\0\0\13\1\5\0\0\0\7\203\206\4\4/six\1\1h";
	static const char answer[] = "\0\0\1\1\5\0\0\0\5\210\0\0\1\1\5\0\0\0\7\210";

	start((struct api_engine_config){ 0 });
	chunk(0, API_DIR_IN, first, sizeof(first) - 1, 0, 0);
	skipped_to(0, 30000, 20000, later, sizeof(later) - 1);
	chunk(0, API_DIR_IN, more, sizeof(more) - 1, 0, 0);
	chunk(0, API_DIR_OUT, answer, sizeof(answer) - 1, 0, 0);
	end(0, 0);
	stop("POST h/one 0 18/0 sampled no-response\nPOST h/two 200\nPOST h/six 200\n");
}

static void http2_resets(void **state)
{
	struct side client = { 0 }, server = { .answer = 0 };

	start((struct api_engine_config){ 0 });
	session_new(&client);
	server.answer = 1;
	session_new(&server);
	server.answer = 0; /* it never answers */
	submit(&client, "/a", false);
	submit(&client, "/b", false);
	pump(&client, &server, 0, true, 1000);
	nghttp2_submit_rst_stream(client.session, 0, 1, NGHTTP2_CANCEL);
	pump(&client, &server, 0, true, 1000);
	calls("GET api.example/a 0 no-response reset\n");
	nghttp2_submit_goaway(server.session, 0, 1, NGHTTP2_NO_ERROR, NULL, 0);
	pump(&client, &server, 0, true, 1000);
	calls("GET api.example/b 0 no-response reset\n");
	stop("");
	nghttp2_session_del(client.session);
	nghttp2_session_del(server.session);
}

static void http2_after_an_upgrade(void **state)
{
	struct side client = { 0 }, server = { .answer = 200 };
	static const uint8_t settings[] = { 0, 3, 0, 0, 0, 100 };

	start((struct api_engine_config){ 0 });
	in(0, "GET /first HTTP/1.1\r\nHost: api.example\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n");
	out(0, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n");
	session_new(&client);
	session_new(&server);
	assert_int_equal(nghttp2_session_upgrade2(client.session, settings, sizeof(settings), 0, NULL), 0);
	assert_int_equal(nghttp2_session_upgrade2(server.session, settings, sizeof(settings), 0, NULL), 0);
	{
		const nghttp2_nv nv[] = { NV(":status", "200") };
		nghttp2_data_provider body = { .source.ptr = "hello", .read_callback = read_body };

		nghttp2_submit_response(server.session, 1, nv, 1, &body);
	}
	submit(&client, "/second", false);
	pump(&client, &server, 0, true, 1000);
	stop("GET api.example/first 200 0/5 upgraded\nGET api.example/second 200 0/5\n");
	nghttp2_session_del(client.session);
	nghttp2_session_del(server.session);
}

static void http2_oddities(void **state)
{
	/* RFC 9113: upper case, connection header, a pseudo header behind others, Content-Length that is wrong */
	static const uint8_t head[] = { 0x82, 0x86, 0x84, 0x00, 1, 'A', 1, 'b', 0x00, 10, 'c', 'o', 'n', 'n', 'e', 'c', 't', 'i', 'o', 'n', 1, 'x',
					0x01, 1, 'a', 0x0f, 13, 1, '9' };
	uint8_t frames[24 + 9 + sizeof(head) + 9 + 2] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
	size_t n = 24;

	start((struct api_engine_config){ 0 });
	memcpy(frames + n, (uint8_t[]){ 0, 0, sizeof(head), 1, 4, 0, 0, 0, 1 }, 9);
	memcpy(frames + n + 9, head, sizeof(head));
	n += 9 + sizeof(head);
	memcpy(frames + n, (uint8_t[]){ 0, 0, 2, 0, 1, 0, 0, 0, 1, 'h', 'i' }, 11);
	n += 11;
	chunk(0, API_DIR_IN, frames, n, 0, 0);
	api_engine_flush(t.engine);
	assert_true(t.findings == (1ull << API_FIND_H2_BAD_FIELD | 1ull << API_FIND_H2_CONNECTION_HEADER | 1ull << API_FIND_H2_BAD_PSEUDO |
				   1ull << API_FIND_H2_CL_MISMATCH));
	stop("GET a/ 0 2/0 no-response\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call),
		cmocka_unit_test(in_single_bytes),
		cmocka_unit_test(pipelined_and_kept_alive),
		cmocka_unit_test(a_client),
		cmocka_unit_test(ends_without_a_response),
		cmocka_unit_test(gaps_inside_bodies_are_bridged),
		cmocka_unit_test(gaps_elsewhere_cost_what_they_hit),
		cmocka_unit_test(what_is_left_out_on_purpose_is_no_gap),
		cmocka_unit_test(joined_midway),
		cmocka_unit_test(what_is_not_http_is_left_alone),
		cmocka_unit_test(an_upgrade_ends_http),
		cmocka_unit_test(both_ends_count_once),
		cmocka_unit_test(calls_of_a_thread_are_linked),
		cmocka_unit_test(styles),
		cmocka_unit_test(a_pipeline_has_a_maximum),
		cmocka_unit_test(connections_and_memory_have_a_maximum),
		cmocka_unit_test(bodies_have_a_maximum),
		cmocka_unit_test(http2),
		cmocka_unit_test(http2_joined_midway),
		cmocka_unit_test(http2_left_out_inside_data),
		cmocka_unit_test(http2_resets),
		cmocka_unit_test(http2_after_an_upgrade),
		cmocka_unit_test(http2_oddities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
