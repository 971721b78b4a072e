// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A sequence of records of the API probes, each after two bytes of length: chunks stay in order and inside their record. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "guard/api/capture.h"

static void on_chunk(void *arg, const struct api_chunk *c)
{
	volatile uint8_t sum = 0;

	assert(c->dir < API_DIRS && c->peer && c->peer->comm && c->peer->exe);
	for (uint32_t i = 0; i < c->len; i++)
		sum += c->data[i];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct api_capture *c;

	assert(api_capture_new(4, on_chunk, NULL, &c) == 0);
	while (size > 2) {
		size_t len = (size_t)data[0] | (size_t)data[1] << 8;

		data += 2;
		size -= 2;
		if (len > size)
			len = size;
		api_capture_record(c, data, len);
		data += len;
		size -= len;
	}
	assert(api_capture_stats(c)->conns <= 4);
	api_capture_expire(c, 1000);
	api_capture_free(c);
	return 0;
}
