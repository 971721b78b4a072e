// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Any bytes as HTTP/2 frames with HPACK inside, in pieces and with a gap: it gets on, and gives all memory back. */
#include <assert.h>
#include <stdlib.h>

#include "guard/api/hpack.h"
#include "guard/api/http2.h"

static void field(void *arg, const struct hpack_field *f)
{
	uint64_t *sum = arg;

	assert(f->name.len <= HPACK_MAX_STRING && f->value.len <= HPACK_MAX_STRING);
	for (size_t i = 0; i < f->name.len; i++)
		*sum += f->name.data[i];
	for (size_t i = 0; i < f->value.len; i++)
		*sum += f->value.data[i];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct api_budget budget = { .max = 1 << 20 };
	size_t step, gap_at, kept = 0, fed = 0;
	struct hpack hpack;
	struct http2 p;
	uint64_t sum = 0;
	uint8_t *tail;

	if (size < 3)
		return 0;
	step = data[1] + 1u;
	gap_at = data[2] ? data[2] * 4u : 0;
	http2_init(&p, data[0] & 1);
	hpack_init(&hpack);
	if (data[0] & 2)
		hpack_lost(&hpack, &budget);
	data += 3;
	size -= 3;
	tail = malloc(size + 1);
	while (fed < size) {
		size_t n = step < size - fed ? step : size - fed;

		memcpy(tail + kept, data + fed, n);
		fed += n;
		kept += n;
		for (unsigned int rounds = 0;; rounds++) {
			struct http2_event ev = { 0 };
			size_t used = 0;
			enum http2_result r = http2_next(&p, bw_slice(tail, kept), &budget, &used, &ev);

			assert(used <= kept && rounds < 4 * size + 16);
			if (r == HTTP2_OK && (ev.type == HTTP2_HEADERS || ev.type == HTTP2_PUSH) &&
			    hpack_decode(&hpack, ev.data, &budget, field, &sum) == HPACK_ERROR)
				hpack_lost(&hpack, &budget);
			kept -= used;
			memmove(tail, tail + used, kept);
			if (r == HTTP2_NEED_MORE)
				break;
			if (r == HTTP2_ERROR)
				hpack_lost(&hpack, &budget);
		}
		assert(kept <= HTTP2_MAX_BLOCK + step + HTTP2_FRAME_HEADER);
		if (gap_at && fed >= gap_at) {
			uint64_t lost;
			uint32_t stream;

			if (!http2_gap(&p, gap_at, &budget, &stream, &lost))
				kept = 0;
			gap_at = 0;
		}
	}
	free(tail);
	http2_clear(&p, &budget);
	hpack_clear(&hpack, &budget);
	assert(!budget.used);
	return 0;
}
