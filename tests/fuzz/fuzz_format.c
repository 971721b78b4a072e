// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Any bytes as an event: refused, or every format is made of it: one line each, those that are JSON valid JSON. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/event_chain.h"
#include "common/format.h"
#include "common/json_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct event_chain_check check = { 0 };
	char *line = malloc(size + 1);
	struct event_view e;

	memcpy(line, data, size);
	line[size] = '\0';
	event_chain_check(&check, line, size);
	event_chain_check(&check, line, size);
	if (event_view_parse(line, size, &e) == 0) {
		for (unsigned int f = 0; f < FORMAT_COUNT; f++) {
			struct bw_buf b = { 0 };
			const char *why;
			size_t at;

			assert(format_event(f, NULL, &e, &b) == 0);
			if (format_is_line(f))
				assert(!memchr(b.data, '\n', b.len) && !memchr(b.data, '\r', b.len) && !memchr(b.data, 0, b.len));
			if (f == FORMAT_NATIVE || (f >= FORMAT_ECS && f <= FORMAT_GELF))
				assert(bw_json_check(b.data, b.len, 1 << 20, &at, &why) == 0 || strstr(why, "nest"));
			bw_buf_free(&b);
		}
	}
	free(line);
	return 0;
}
