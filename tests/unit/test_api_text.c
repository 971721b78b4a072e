// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Templates of paths, names, shapes of JSON, content codings, gRPC messages, addresses. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <zlib.h>

#include "guard/api/body.h"
#include "guard/api/grpc.h"
#include "guard/api/json_scan.h"
#include "guard/api/template.h"

#define S(text) bw_slice(text, strlen(text))

static void path(const char *in, const char *expect)
{
	char out[API_MAX_PATH];

	assert_true(api_template_path(S(in), NULL, 0, false, out));
	assert_string_equal(out, expect);
}

static void identifiers_become_one_endpoint(void **state)
{
	path("/", "/");
	path("", "/");
	path("/users/4711/orders/17", "/users/{number}/orders/{number}");
	path("/users/4711/", "/users/{number}/");
	path("/x/550e8400-e29b-41d4-a716-446655440000", "/x/{uuid}");
	path("/x/550E8400-E29B-41D4-A716-446655440000.json", "/x/{uuid}.json");
	path("/blob/d41d8cd98f00b204e9800998ecf8427e", "/blob/{hash}");
	path("/o/507f1f77bcf86cd799439011", "/o/{hash}");
	path("/static/app.3f2a1b9c8d7e.js", "/static/{token}.js");
	path("/static/3f2a1b9c8d7e6f5a.js", "/static/{hash}.js");
	path("/report/2024-05-01", "/report/{date}");
	path("/u/jane@example.org", "/u/{email}");
	path("/u/jane%40example.org", "/u/{email}");
	path("/t/01ARZ3NDEKTSV4RRFFQ69G5FAV", "/t/{token}");
	path("/t/V1StGXR8Z5jdHi6BmyT9", "/t/{token}");
	path("/geo/52.5,13.4", "/geo/{value}");
	path("/geo/52.5", "/geo/{number}");
	path("/f/a%2Fb", "/f/{value}");
	path("/x;jsessionid=F00BA4/y", "/x/y");
}

static void words_are_never_merged(void **state)
{
	path("/api/v1/users", "/api/v1/users");
	path("/api/v2.1/forgot-password", "/api/v2.1/forgot-password");
	path("/API/orders.json", "/API/orders.json");
	path("/.well-known/openid-configuration", "/.well-known/openid-configuration");
	path("/oauth2/token", "/oauth2/token");
	path("/pkg.Service/GetUser", "/pkg.Service/GetUser");
	path("/p/iphone-14-pro", "/p/iphone-14-pro"); /* a slug: the catalogue decides */
	path("/feed/face", "/feed/face");	      /* hexadecimal letters, but words */
	path("/deadbeef", "/deadbeef");
	path("/internationalization", "/internationalization");
}

static void templates_have_a_maximum(void **state)
{
	char in[3000] = "", out[API_MAX_PATH];

	for (unsigned int i = 0; i < 40; i++)
		strcat(in, "/a");
	assert_false(api_template_path(S(in), NULL, 0, false, out));
	assert_non_null(strstr(out, "/{...}"));
	in[0] = '\0';
	for (unsigned int i = 0; i < 20; i++)
		strcat(in, "/abcdefghijabcdefghijabcdefghijabcdefghij");
	assert_false(api_template_path(S(in), NULL, 0, false, out));
	assert_true(strlen(out) < API_MAX_PATH);
	assert_string_equal(out + strlen(out) - 5, "{...}");
}

static void marked_segments_lose_their_text(void **state)
{
	const struct api_template_mark marks[] = { { 3, 4, "card" }, { 9, 2, "name" } };
	char out[API_MAX_PATH];

	assert_true(api_template_path(S("/a/1234/ xy/b"), marks, 2, false, out));
	assert_string_equal(out, "/a/{card}/{name}/b");
	/* without a detector only plain words stay */
	assert_true(api_template_path(S("/a/iphone-14-pro/b"), NULL, 0, true, out));
	assert_string_equal(out, "/a/{value}/b");
}

static void names(void **state)
{
	static const char *const cases[][2] = {
		{ "user_id", "user_id" }, { "filter%5Bname%5D", "filter[name]" }, { "4711", "{number}" }, { "a@b.de", "{email}" },
		{ "hello world", "{value}" }, { "@type", "@type" }, { "x\x01", "{value}" }, { "", "" }, { "$ref", "$ref" },
		{ "550e8400-e29b-41d4-a716-446655440000", "{uuid}" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char out[API_MAX_NAME];

		api_template_name(S(cases[i][0]), out);
		assert_string_equal(out, cases[i][1]);
	}
}

/* ---- JSON --------------------------------------------------------------------------------------------------------------- */

static bool note(void *arg, const struct json_scan_value *v)
{
	bw_buf_printf(arg, "%s=%x ", v->path, v->type);
	return true;
}

static void json(const char *text, enum json_scan_result result, const char *expect)
{
	struct bw_buf b = { 0 };

	assert_int_equal(json_scan(S(text), note, &b, NULL), result);
	assert_string_equal(bw_buf_cstr(&b), expect);
	bw_buf_free(&b);
}

static void shapes_of_json(void **state)
{
	json("{}", JSON_SCAN_OK, "=20 ");
	json("[]", JSON_SCAN_OK, "=40 ");
	json(" 12 ", JSON_SCAN_OK, "=4 ");
	json("{\"a\":1,\"b\":1.5,\"c\":true,\"d\":null,\"e\":\"x\"}", JSON_SCAN_OK, "=20 a=4 b=8 c=2 d=1 e=10 ");
	json("{\"u\":{\"mails\":[\"a\",\"b\"],\"x\":[]},\"z\":0}", JSON_SCAN_OK, "=20 u=20 u.mails=40 u.mails[]=10 u.mails[]=10 u.x=40 z=4 ");
	json("[{\"id\":1},{\"id\":2}]", JSON_SCAN_OK, "=40 []=20 [].id=4 []=20 [].id=4 ");
	json("[[1],[2]]", JSON_SCAN_OK, "=40 []=40 [][]=4 []=40 [][]=4 ");
	json("{\"4711\":{\"n\":1},\"4712\":{\"n\":2}}", JSON_SCAN_OK, "=20 {number}=20 {number}.n=4 {number}=20 {number}.n=4 ");
	json("{\"a\\\"b\":\"c\\\"d\",\"e\":1}", JSON_SCAN_OK, "=20 {value}=10 e=4 ");
	/* cut, wherever */
	json("{\"a\":1,\"b\":[1,2", JSON_SCAN_CUT, "=20 a=4 b=40 b[]=4 b[]=4 ");
	json("{\"a\":\"unfini", JSON_SCAN_CUT, "=20 a=10 ");
	json("{\"a\":tr", JSON_SCAN_CUT, "=20 ");
	json("{\"a", JSON_SCAN_CUT, "=20 ");
	json("", JSON_SCAN_CUT, "");
	json("{\"a\":\"x\\", JSON_SCAN_CUT, "=20 a=10 ");
	/* wrong */
	json("{\"a\":1,}", JSON_SCAN_BAD, "=20 a=4 ");
	json("{a:1}", JSON_SCAN_BAD, "=20 ");
	json("{\"a\" 1}", JSON_SCAN_BAD, "=20 ");
	json("[1 2]", JSON_SCAN_BAD, "=40 []=4 ");
	json("<html>", JSON_SCAN_BAD, "");
}

static void json_has_a_depth(void **state)
{
	char text[200];
	struct bw_buf b = { 0 };

	memset(text, '[', sizeof(text));
	assert_int_equal(json_scan(bw_slice(text, sizeof(text)), note, &b, NULL), JSON_SCAN_BAD);
	bw_buf_free(&b);
}

/* ---- codings --------------------------------------------------------------------------------------------------------------- */

static size_t compress_to(const void *in, size_t len, int window, uint8_t *out, size_t size)
{
	z_stream z = { .next_in = (Bytef *)in, .avail_in = (uInt)len, .next_out = out, .avail_out = (uInt)size };

	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return size - z.avail_out;
}

static void decodes(const char *coding, const void *in, size_t len, enum body_result result, const char *expect)
{
	struct bw_buf out = { 0 };

	assert_int_equal(body_decode(coding, bw_slice(in, len), 65536, &out), result);
	if (expect)
		assert_string_equal(bw_buf_cstr(&out), expect);
	bw_buf_free(&out);
}

static void content_codings(void **state)
{
	/* "hello brotli" three times, made with brotli's own encoder */
	static const uint8_t br[] = { 0x1b, 0x27, 0x00, 0x00, 0xc4, 0x71, 0x6c, 0xdd, 0xfc, 0xee, 0xea, 0x45, 0x44, 0xaa, 0x41, 0xf8, 0xa9, 0xc7, 0x73, 0x7a, 0x42, 0xeb, 0x63, 0x02 };
	uint8_t z[256], zz[256];
	size_t n, nn;

	n = compress_to("hello gzip", 10, MAX_WBITS + 16, z, sizeof(z));
	decodes("gzip", z, n, BODY_WHOLE, "hello gzip");
	decodes("x-gzip", z, n, BODY_WHOLE, "hello gzip");
	decodes("gzip", z, n - 9, BODY_CUT, NULL);
	memcpy(zz, z, n);
	zz[n / 2] ^= 0x55;
	decodes("gzip", zz, n, BODY_BAD, NULL);
	decodes("gzip", "not gzip", 8, BODY_BAD, "");
	decodes("zstd", "x", 1, BODY_UNKNOWN, "");
	nn = compress_to(z, n, MAX_WBITS, zz, sizeof(zz));
	decodes("gzip, deflate", zz, nn, BODY_WHOLE, "hello gzip");
	decodes("deflate,gzip", zz, nn, BODY_BAD, NULL);
	decodes("br, gzip, deflate", zz, nn, BODY_UNKNOWN, NULL);
	n = compress_to("hello zlib", 10, MAX_WBITS, z, sizeof(z));
	decodes("deflate", z, n, BODY_WHOLE, "hello zlib");
	n = compress_to("hello raw", 9, -MAX_WBITS, z, sizeof(z));
	decodes("deflate", z, n, BODY_WHOLE, "hello raw");
	decodes("br", br, sizeof(br), BODY_WHOLE, "hello brotli, hello brotli, hello brotli");
	decodes("br", br, 6, BODY_CUT, NULL);
	decodes("br", "\xff\xff\xff\xff", 4, BODY_BAD, NULL);
	assert_false(body_is_coded(""));
	assert_false(body_is_coded("identity"));
	assert_true(body_is_coded("gzip"));
}

static void bombs_are_stopped(void **state)
{
	size_t size = 32 << 20;
	char *zeros = calloc(1, size);
	uint8_t *z = malloc(1 << 20);
	struct bw_buf out = { 0 };
	size_t n = compress_to(zeros, size, MAX_WBITS + 16, z, 1 << 20);

	assert_int_equal(body_decode("gzip", bw_slice(z, n), size, &out), BODY_BOMB);
	assert_true(out.len <= (n + 1) * BODY_MAX_RATIO + BODY_FREE_BYTES);
	bw_buf_free(&out);
	/* within the limit of bytes it is cut before */
	assert_int_equal(body_decode("gzip", bw_slice(z, n), 1000, &out), BODY_CUT);
	assert_int_equal(out.len, 1000);
	bw_buf_free(&out);
	free(zeros);
	free(z);
}

/* ---- gRPC and addresses --------------------------------------------------------------------------------------------------------- */

static void grpc_messages(void **state)
{
	static const uint8_t two[] = { 0, 0, 0, 0, 3, 'a', 'b', 'c', 1, 0, 0, 0, 0 };
	static const char trailer[] = "\x80\0\0\0\x20grpc-message:x\r\ngrpc-status: 14\r\n";

	for (size_t step = 1; step <= sizeof(two); step++) {
		struct grpc_reader g = { 0 };

		for (size_t i = 0; i < sizeof(two); i += step)
			grpc_feed(&g, bw_slice(two + i, step < sizeof(two) - i ? step : sizeof(two) - i));
		assert_int_equal(g.messages, 2);
		assert_int_equal(g.compressed, 1);
		assert_false(g.broken);
	}
	struct grpc_reader g = { 0 };

	grpc_feed(&g, bw_slice("\0\0\0\0\x64" "abc", 8));
	grpc_gap(&g, 97);
	grpc_feed(&g, bw_slice(two, sizeof(two)));
	assert_int_equal(g.messages, 3);
	grpc_gap(&g, 1);
	assert_true(g.broken);

	g = (struct grpc_reader){ 0 };
	grpc_feed(&g, bw_slice("GET / HTTP/1.1", 14));
	assert_true(g.broken);

	g = (struct grpc_reader){ 0 };
	grpc_feed(&g, bw_slice(trailer, sizeof(trailer) - 1));
	assert_int_equal(grpc_web_status(&g), 14);
	assert_int_equal(g.messages, 0);

	assert_int_equal(grpc_status_parse(S(" 7")), 7);
	assert_int_equal(grpc_status_parse(S("x")), -1);
	assert_int_equal(grpc_status_parse(S("")), -1);
	assert_true(grpc_is_path(S("/pkg.Service/Method")));
	assert_false(grpc_is_path(S("/a/b/c")));
	assert_false(grpc_is_path(S("/a/")));
}

static struct api_address address(const char *text, uint16_t port)
{
	struct api_address a = { .port = port, .family = strchr(text, ':') ? AF_INET6 : AF_INET };

	assert_int_equal(inet_pton(a.family, text, a.bytes), 1);
	return a;
}

static void addresses(void **state)
{
	static const struct {
		const char *local, *remote;
		enum api_direction direction;
	} cases[] = {
		{ "10.0.0.1", "10.2.3.4", API_DIRECTION_EAST_WEST },	{ "10.0.0.1", "8.8.8.8", API_DIRECTION_NORTH_SOUTH },
		{ "127.0.0.1", "127.0.0.1", API_DIRECTION_LOOPBACK },	{ "10.0.0.1", "10.0.0.1", API_DIRECTION_LOOPBACK },
		{ "10.0.0.1", "172.31.0.1", API_DIRECTION_EAST_WEST },	{ "10.0.0.1", "172.32.0.1", API_DIRECTION_NORTH_SOUTH },
		{ "::1", "::1", API_DIRECTION_LOOPBACK },		{ "fd00::1", "fd00::2", API_DIRECTION_EAST_WEST },
		{ "2001:db8::1", "2001:db8::2", API_DIRECTION_NORTH_SOUTH }, { "::ffff:127.0.0.1", "::ffff:127.0.0.1", API_DIRECTION_LOOPBACK },
		{ "10.0.0.1", "100.64.1.1", API_DIRECTION_EAST_WEST },
	};
	struct api_address a, b;
	char text[API_ADDRESS_TEXT];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		a = address(cases[i].local, 1);
		b = address(cases[i].remote, 2);
		assert_int_equal(api_direction_of(&a, &b), cases[i].direction);
	}
	a = address("127.0.0.1", 80);
	b = address("::ffff:127.0.0.1", 80);
	assert_true(api_address_same(&a, &b));
	b.port = 81;
	assert_false(api_address_same(&a, &b));
	b = address("2001:db8::1", 443);
	api_address_text(&b, text);
	assert_string_equal(text, "[2001:db8::1]:443");
	/* every number has a name, and no two the same one */
	for (unsigned int i = 0; i < API_FINDINGS; i++)
		for (unsigned int j = 0; j < i; j++)
			assert_string_not_equal(api_finding_name(i), api_finding_name(j));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(identifiers_become_one_endpoint), cmocka_unit_test(words_are_never_merged),
		cmocka_unit_test(templates_have_a_maximum),	   cmocka_unit_test(marked_segments_lose_their_text),
		cmocka_unit_test(names),			   cmocka_unit_test(shapes_of_json),
		cmocka_unit_test(json_has_a_depth),		   cmocka_unit_test(content_codings),
		cmocka_unit_test(bombs_are_stopped),		   cmocka_unit_test(grpc_messages),
		cmocka_unit_test(addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
