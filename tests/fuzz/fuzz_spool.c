// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Any bytes as a segment and as a cursor file: the reader gets through, and only over records that a writer makes. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "guard/sinks/spool_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bw_slice s = bw_slice(data, size);
	struct spool_record r;
	uint64_t number;

	spool_cursor_parse(s, &number);
	while (s.len) {
		size_t n;

		switch (spool_record_parse(s, &r)) {
		case SPOOL_OK: {
			uint8_t header[SPOOL_HEADER];

			spool_record_header(&r, header);
			assert(!memcmp(header, s.data, 25) && !memcmp(header + 28, s.data + 28, 4));
			n = SPOOL_HEADER + r.len;
			break;
		}
		case SPOOL_MORE:
			return 0;
		default:
			n = spool_record_resync(s);
		}
		assert(n && n <= s.len);
		s = bw_slice(s.data + n, s.len - n);
	}
	return 0;
}
