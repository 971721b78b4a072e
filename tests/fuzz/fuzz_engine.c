// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Any chunks: connections, directions, gaps, resets and times are taken from the input too. Every call that comes out is whole as a
 * record, becomes a line and a span that are JSON, and goes through the catalogue; all memory is given back.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/json_check.h"
#include "guard/api/catalogue.h"
#include "guard/api/engine.h"
#include "guard/api/extract.h"
#include "guard/api/view.h"

static const char extract_text[] =
	"{\"format\":\"bpfwarden-api-extract/1\",\"rules\":[{\"action\":\"record\",\"in\":\"request.body\",\"name\":\"*\"},"
	"{\"action\":\"hash\",\"in\":\"request.header\",\"name\":\"*\"},{\"action\":\"drop\",\"in\":\"query\",\"name\":\"a*\"}]}";

static void check_json(struct bw_buf *b)
{
	const char *reason;
	size_t at;

	assert(!bw_buf_error(b) && bw_json_check(b->data, b->len, 100000, &at, &reason) == 0);
	bw_buf_free(b);
}

static void on_call(void *arg, const struct api_call *c)
{
	const struct api_view_context ctx = { .host = "h", .boot_offset_ns = 5 };
	struct bw_buf b = { 0 };

	assert(c->id && strlen(c->path) < API_MAX_PATH && strlen(c->host) <= API_MAX_HOST && strlen(c->method) <= API_MAX_METHOD);
	assert(c->nfields <= API_CALL_MAX_FIELDS && c->npii <= API_CALL_MAX_PII && c->nextracted <= API_CALL_MAX_EXTRACTED);
	assert(!(c->findings >> API_FINDINGS));
	api_view_log(&ctx, c, &b);
	check_json(&b);
	api_view_span(&ctx, c, &b);
	check_json(&b);
	api_catalogue_add(arg, c, 1000000000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct api_engine_config config = { .on_call = on_call, .max_conns = 3, .max_memory = 300000, .max_body = 4096, .idle_ns = 100, .timeout_ns = 50 };
	struct api_peer peers[4] = { 0 };
	uint64_t pos[4][API_DIRS] = { 0 }, now = 1;
	struct api_extract_error error;
	struct api_extract *extract = NULL;
	struct api_catalogue *catalogue;
	struct api_engine *e;

	assert(api_catalogue_new(&catalogue) == 0);
	assert(api_extract_parse(extract_text, sizeof(extract_text) - 1, &extract, &error) == 0);
	config.arg = catalogue;
	config.extract = extract;
	assert(api_engine_new(&config, &e) == 0);
	for (unsigned int i = 0; i < 4; i++)
		peers[i] = (struct api_peer){ .comm = "c", .exe = "e", .role = i % 3, .local = { 2, (uint16_t)(80 + i / 2), { 127, 0, 0, 1 } },
					      .remote = { 2, (uint16_t)(81 - i / 2), { 127, 0, 0, 1 } } };
	/* conn and direction, flags, length: three bytes before each chunk */
	while (size >= 3) {
		unsigned int conn = data[0] & 3, flags = data[1], len = data[2];
		enum api_dir dir = (data[0] >> 2) & 1;
		struct api_chunk c = { .conn = conn, .time_ns = now, .pos = pos[conn][dir], .data = data + 3, .dir = dir, .peer = &peers[conn], .tid = conn };

		data += 3;
		size -= 3;
		len = (data[-3] & 8) ? len * 16 : len;
		c.len = (uint32_t)(len < size ? len : size);
		if ((flags & 0xf0) == 0xf0)
			c.pos += 1 + (flags & 15);
		else if ((flags & 0xf0) == 0xe0)
			c.skipped = 1 + (flags & 15) * 30;
		else if ((flags & 0xf0) == 0xd0)
			c.flags = flags & 15;
		else if ((flags & 0xf0) == 0xc0)
			c.pos -= (flags & 15) < c.pos ? (flags & 15) : c.pos;
		else if ((flags & 0xf0) == 0xb0)
			now += (flags & 15) * 10;
		api_engine_chunk(e, &c);
		pos[conn][dir] = c.pos + c.len + c.skipped;
		if ((flags & 0xf0) == 0xa0)
			api_engine_tick(e, now += 1000000000);
		assert(api_engine_stats(e)->memory <= config.max_memory);
		data += c.len;
		size -= c.len;
	}
	api_engine_flush(e);
	assert(api_engine_stats(e)->memory == 0 && api_engine_stats(e)->conns == 0);
	api_engine_free(e);
	api_catalogue_free(catalogue);
	api_extract_free(extract);
	return 0;
}
