// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Any bytes as HTTP/1, in pieces and with gaps: the first byte says which direction and the size of the pieces. It always gets
 * on, consumes no more than it was given, and says the same whatever the pieces (up to the first error: after it, the
 * beginning of a piece is taken for what a writer began).
 */
#include <assert.h>
#include <stdlib.h>

#include "guard/api/http1.h"

/* A sum over the events that does not depend on where bodies are cut. */
static uint64_t run(const uint8_t *data, size_t size, bool response, size_t step, size_t gap_at)
{
	static struct http1_head head;
	uint64_t sum = 0;
	bool lost = false;
	size_t kept = 0, fed = 0;
	struct http1 p;
	uint8_t *tail = malloc(size + 1);

	http1_init(&p, response);
	while (fed < size) {
		size_t n = step < size - fed ? step : size - fed;

		memcpy(tail + kept, data + fed, n);
		fed += n;
		kept += n;
		for (unsigned int rounds = 0;; rounds++) {
			struct http1_event ev = { 0 };
			size_t used = 0;
			enum http1_result r = http1_next(&p, bw_slice(tail, kept), &head, &used, &ev);

			assert(used <= kept);
			assert(rounds < 8 * size + 16); /* it gets on */
			lost |= r == HTTP1_ERROR;
			if (r == HTTP1_OK && !lost) {
				if (ev.type == HTTP1_BODY || ev.type == HTTP1_RAW) {
					for (size_t i = 0; i < ev.data.len; i++)
						sum = sum * 31 + ev.data.data[i];
				} else {
					sum = sum * 31 + ev.type + ev.findings;
				}
				if (ev.type == HTTP1_HEAD) {
					assert(head.nfields <= HTTP1_MAX_FIELDS);
					for (unsigned int i = 0; i < head.nfields; i++)
						assert(head.fields[i].name.data >= tail && head.fields[i].value.data + head.fields[i].value.len <= tail + kept);
					if (head.status == 101)
						http1_raw(&p);
				}
			}
			kept -= used;
			memmove(tail, tail + used, kept);
			if (r == HTTP1_NEED_MORE)
				break;
		}
		if (gap_at && fed >= gap_at) {
			if (!http1_gap(&p, gap_at))
				kept = 0;
			gap_at = 0;
		}
		assert(kept <= HTTP1_MAX_HEAD + step);
	}
	http1_close(&p);
	free(tail);
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool response;
	size_t step;

	if (size < 2)
		return 0;
	response = data[0] & 1;
	step = data[1] + 1u;
	data += 2;
	size -= 2;
	assert(run(data, size, response, step, 0) == run(data, size, response, size + 1, 0));
	run(data, size, response, step, step * 3);
	return 0;
}
