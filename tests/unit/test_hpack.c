// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * HPACK: the examples of RFC 7541 appendix C, nghttp2's encoder as a peer, joining midway, and what must be refused.
 */
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
#include "guard/api/hpack.h"

static struct api_budget budget = { .max = 64 << 20 };

static void to_text(void *arg, const struct hpack_field *f)
{
	struct bw_buf *b = arg;

	if (f->flags & HPACK_NAME_UNKNOWN)
		bw_buf_char(b, '?');
	else
		bw_buf_append(b, f->name.data, f->name.len);
	bw_buf_str(b, ": ");
	if (f->flags & HPACK_VALUE_UNKNOWN)
		bw_buf_char(b, '?');
	else
		bw_buf_append(b, f->value.data, f->value.len);
	bw_buf_char(b, '\n');
}

static size_t unhex(const char *hex, uint8_t *out)
{
	size_t n = 0;

	for (unsigned int v; *hex; hex += 2) {
		while (*hex == ' ')
			hex++;
		assert_int_equal(sscanf(hex, "%2x", &v), 1);
		out[n++] = (uint8_t)v;
	}
	return n;
}

static void decodes(struct hpack *h, const char *hex, const char *expect, uint32_t size)
{
	uint8_t block[1024];
	size_t n = unhex(hex, block);
	struct bw_buf b = { 0 };

	assert_int_equal(hpack_decode(h, bw_slice(block, n), &budget, to_text, &b), HPACK_OK);
	assert_string_equal(bw_buf_cstr(&b), expect);
	assert_int_equal(h->size, size);
	bw_buf_free(&b);
}

static void refused(const char *hex)
{
	uint8_t block[1024];
	size_t n = unhex(hex, block);
	struct bw_buf b = { 0 };
	struct hpack h;

	hpack_init(&h);
	assert_int_equal(hpack_decode(&h, bw_slice(block, n), &budget, to_text, &b), HPACK_ERROR);
	hpack_clear(&h, &budget);
	bw_buf_free(&b);
}

#define C_REQ1 ":method: GET\n:scheme: http\n:path: /\n:authority: www.example.com\n"
#define C_REQ2 C_REQ1 "cache-control: no-cache\n"
#define C_REQ3 ":method: GET\n:scheme: https\n:path: /index.html\n:authority: www.example.com\ncustom-key: custom-value\n"
#define C_RESP1 ":status: 302\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:21 GMT\nlocation: https://www.example.com\n"
#define C_RESP2 ":status: 307\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:21 GMT\nlocation: https://www.example.com\n"
#define C_RESP3                                                                                                     \
	":status: 200\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:22 GMT\nlocation: https://www.example.com\n" \
	"content-encoding: gzip\nset-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1\n"

static void rfc7541_appendix_c(void **state)
{
	struct hpack h;

	hpack_init(&h); /* C.2 */
	decodes(&h, "400a637573746f6d2d6b65790d637573746f6d2d686561646572", "custom-key: custom-header\n", 55);
	decodes(&h, "040c2f73616d706c652f70617468", ":path: /sample/path\n", 55);
	decodes(&h, "100870617373776f726406736563726574", "password: secret\n", 55);
	decodes(&h, "82", ":method: GET\n", 55);
	hpack_clear(&h, &budget);

	hpack_init(&h); /* C.3 */
	decodes(&h, "828684410f7777772e6578616d706c652e636f6d", C_REQ1, 57);
	decodes(&h, "828684be58086e6f2d6361636865", C_REQ2, 110);
	decodes(&h, "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565", C_REQ3, 164);
	hpack_clear(&h, &budget);

	hpack_init(&h); /* C.4: Huffman */
	decodes(&h, "828684418cf1e3c2e5f23a6ba0ab90f4ff", C_REQ1, 57);
	decodes(&h, "828684be5886a8eb10649cbf", C_REQ2, 110);
	decodes(&h, "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf", C_REQ3, 164);
	hpack_clear(&h, &budget);

	hpack_init(&h); /* C.5: eviction at 256 bytes */
	h.max = 256;
	decodes(&h,
		"4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d546e1768747470733a2f2f7777772e"
		"6578616d706c652e636f6d", C_RESP1, 222);
	decodes(&h, "4803333037c1c0bf", C_RESP2, 222);
	decodes(&h,
		"88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d4153444a4b48514b425a584f5157"
		"454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f6e3d31", C_RESP3, 215);
	hpack_clear(&h, &budget);

	hpack_init(&h); /* C.6 */
	h.max = 256;
	decodes(&h, "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3",
		C_RESP1, 222);
	decodes(&h, "4883640effc1c0bf", C_RESP2, 222);
	decodes(&h,
		"88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab27"
		"0fb5291f9587316065c003ed4ee5b1063d5007", C_RESP3, 215);
	hpack_clear(&h, &budget);
	assert_int_equal(budget.used, 0);
}

static void what_is_not_hpack_is_refused(void **state)
{
	refused("80");		   /* index 0 */
	refused("be");		   /* an index nobody set */
	refused("ff8080808080");   /* an endless integer */
	refused("400a6375");	   /* a string that is longer than the block */
	refused("0085f2b24a84ff84"); /* cut */
	refused("00 83ffffff 00");   /* padding longer than seven bits */
	refused("00 84fffffffc 00"); /* EOS inside a string */
	refused("00 81 00 00");	     /* padding that is not ones */
	refused("3f");		     /* a size update without its number */
}

static void a_late_reader_goes_on_with_placeholders(void **state)
{
	struct hpack h;

	hpack_init(&h);
	hpack_lost(&h, &budget);
	/* The second request of C.3: its authority is entry 62, which was set before. */
	decodes(&h, "828684be58086e6f2d6361636865", ":method: GET\n:scheme: http\n:path: /\n?: ?\ncache-control: no-cache\n", 53);
	assert_int_equal(h.unknown, 1);
	/* The third: 63 is the authority still; 62 is known now. */
	decodes(&h, "be82bf", "cache-control: no-cache\n:method: GET\n?: ?\n", 53);
	/* A new value for a name that is not known becomes an entry whose name stays unknown. */
	decodes(&h, "7f00 0161", "?: a\n", 86);
	decodes(&h, "bebf", "?: a\ncache-control: no-cache\n", 86);
	hpack_clear(&h, &budget);
	assert_int_equal(budget.used, 0);
}

static void many_small_entries_have_a_maximum(void **state)
{
	uint8_t block[4] = { 0x40, 1, 'a', 0 };
	struct bw_buf b = { 0 };
	struct hpack h;

	hpack_init(&h);
	h.max = HPACK_MAX_SIZE;
	for (unsigned int i = 0; i < 2 * HPACK_MAX_ENTRIES; i++)
		assert_int_equal(hpack_decode(&h, bw_slice(block, 4), &budget, to_text, &b), HPACK_OK);
	assert_int_equal(h.n, HPACK_MAX_ENTRIES);
	assert_true(h.incomplete);
	hpack_clear(&h, &budget);
	bw_buf_free(&b);
}

static void without_memory_fields_are_decoded_all_the_same(void **state)
{
	struct api_budget none = { .max = 0 };
	uint8_t block[64];
	size_t n = unhex("400a637573746f6d2d6b65790d637573746f6d2d686561646572", block);
	struct bw_buf b = { 0 };
	struct hpack h;

	hpack_init(&h);
	assert_int_equal(hpack_decode(&h, bw_slice(block, n), &none, to_text, &b), HPACK_OK);
	assert_int_equal(hpack_decode(&h, bw_slice("\xbe", 1), &none, to_text, &b), HPACK_OK);
	assert_string_equal(bw_buf_cstr(&b), "custom-key: custom-header\n?: ?\n");
	assert_true(none.refused > 0);
	hpack_clear(&h, &none);
	bw_buf_free(&b);
}

/* ---- nghttp2 as the encoder ---------------------------------------------------------------------------------------------- */

static nghttp2_nv nv(const char *name, const uint8_t *value, size_t len)
{
	return (nghttp2_nv){ .name = (uint8_t *)name, .namelen = strlen(name), .value = (uint8_t *)value, .valuelen = len };
}

static void every_byte_survives_nghttp2s_huffman_code(void **state)
{
	nghttp2_hd_deflater *d;
	struct hpack h;

	assert_int_equal(nghttp2_hd_deflate_new(&d, 4096), 0);
	hpack_init(&h);
	for (unsigned int c = 0; c < 256; c++) {
		uint8_t value[64], block[512];
		nghttp2_nv field;
		struct bw_buf b = { 0 };
		ssize_t n;

		memset(value, 'e', sizeof(value)); /* short codes around it make the encoder use Huffman */
		value[40] = (uint8_t)c;
		field = nv("x", value, sizeof(value));
		n = nghttp2_hd_deflate_hd(d, block, sizeof(block), &field, 1);
		assert_true(n > 0);
		assert_int_equal(hpack_decode(&h, bw_slice(block, (size_t)n), &budget, to_text, &b), HPACK_OK);
		assert_int_equal(b.len, 3 + sizeof(value) + 1);
		assert_memory_equal(b.data + 3, value, sizeof(value));
		bw_buf_free(&b);
	}
	hpack_clear(&h, &budget);
	nghttp2_hd_deflate_del(d);
}

static void long_connections_with_nghttp2(void **state)
{
	static const char *const names[] = { ":path", ":authority", "x-request-id", "accept", "authorization", "cookie", "traceparent", "x-a" };
	nghttp2_hd_deflater *d;
	unsigned int seed = 7;
	struct hpack h;

	assert_int_equal(nghttp2_hd_deflate_new(&d, 4096), 0);
	hpack_init(&h);
	for (unsigned int round = 0; round < 3000; round++) {
		struct bw_buf got = { 0 }, want = { 0 };
		uint8_t values[8][80], block[4096];
		nghttp2_nv fields[8];
		ssize_t n;

		if (round % 500 == 499)
			assert_int_equal(nghttp2_hd_deflate_change_table_size(d, round % 1000 == 999 ? 4096 : 300), 0);
		for (unsigned int i = 0; i < 8; i++) {
			size_t len = (size_t)snprintf((char *)values[i], sizeof(values[i]), "value-%u-%.*s", rand_r(&seed) % 40, (int)(rand_r(&seed) % 50),
						      "0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdef");

			fields[i] = nv(names[(i + round) % 8], values[i], len);
			bw_buf_printf(&want, "%s: %s\n", names[(i + round) % 8], values[i]);
		}
		n = nghttp2_hd_deflate_hd(d, block, sizeof(block), fields, 8);
		assert_true(n > 0);
		assert_int_equal(hpack_decode(&h, bw_slice(block, (size_t)n), &budget, to_text, &got), HPACK_OK);
		assert_string_equal(bw_buf_cstr(&got), bw_buf_cstr(&want));
		bw_buf_free(&got);
		bw_buf_free(&want);
	}
	assert_int_equal(h.unknown, 0);
	hpack_clear(&h, &budget);
	nghttp2_hd_deflate_del(d);
	assert_int_equal(budget.used, 0);
}

/* Whoever joins at any point must never show a wrong value: right or unknown. */
struct late {
	struct bw_buf *want;
	unsigned int wrong, unknown, right;
	nghttp2_nv *fields;
	unsigned int i;
};

static void compare(void *arg, const struct hpack_field *f)
{
	struct late *l = arg;
	const nghttp2_nv *want = &l->fields[l->i++];

	if (f->flags & HPACK_VALUE_UNKNOWN)
		l->unknown++;
	else if (f->value.len == want->valuelen && !memcmp(f->value.data, want->value, f->value.len))
		l->right++;
	else
		l->wrong++;
}

static void a_late_reader_is_never_wrong(void **state)
{
	for (unsigned int join = 1; join < 30; join += 4) {
		nghttp2_hd_deflater *d;
		unsigned int seed = join;
		struct late l = { 0 };
		struct hpack h;

		assert_int_equal(nghttp2_hd_deflate_new(&d, 4096), 0);
		hpack_init(&h);
		hpack_lost(&h, &budget);
		for (unsigned int round = 0; round < 200; round++) {
			uint8_t values[4][40], block[1024];
			nghttp2_nv fields[4];
			ssize_t n;

			for (unsigned int i = 0; i < 4; i++)
				fields[i] = nv(i % 2 ? "x-long" : "x-short", values[i],
					       (size_t)snprintf((char *)values[i], 40, "v%u", rand_r(&seed) % 300));
			n = nghttp2_hd_deflate_hd(d, block, sizeof(block), fields, 4);
			if (round < join)
				continue;
			l.fields = fields;
			l.i = 0;
			assert_int_equal(hpack_decode(&h, bw_slice(block, (size_t)n), &budget, compare, &l), HPACK_OK);
		}
		assert_int_equal(l.wrong, 0);
		assert_true(l.right > 400);
		hpack_clear(&h, &budget);
		nghttp2_hd_deflate_del(d);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc7541_appendix_c),
		cmocka_unit_test(what_is_not_hpack_is_refused),
		cmocka_unit_test(a_late_reader_goes_on_with_placeholders),
		cmocka_unit_test(many_small_entries_have_a_maximum),
		cmocka_unit_test(without_memory_fields_are_decoded_all_the_same),
		cmocka_unit_test(every_byte_survives_nghttp2s_huffman_code),
		cmocka_unit_test(long_connections_with_nghttp2),
		cmocka_unit_test(a_late_reader_is_never_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
