// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/sinks/spool_record.h"

#include <string.h>
#include <zlib.h>

static const uint8_t record_magic[4] = { 0x01, 'B', 'W', 0x1e }; /* control characters: no JSON line has them */
static const uint8_t cursor_magic[8] = "BWCURSR1";

static void put(uint8_t *p, uint64_t v, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static uint32_t record_crc(const uint8_t *header, const void *payload, uint32_t len)
{
	uLong crc = crc32(0, header, SPOOL_HEADER - 4);

	return (uint32_t)crc32(crc, payload, len);
}

void spool_record_header(const struct spool_record *r, uint8_t dst[SPOOL_HEADER])
{
	memset(dst, 0, SPOOL_HEADER);
	memcpy(dst, record_magic, sizeof(record_magic));
	put(dst + 4, r->len, 4);
	put(dst + 8, r->number, 8);
	put(dst + 16, (uint64_t)r->time_ns, 8);
	dst[24] = r->severity;
	put(dst + 25, crc32(0, dst, 25), 3);
	put(dst + 28, record_crc(dst, r->line, r->len), 4);
}

enum spool_parse spool_record_parse(struct bw_slice data, struct spool_record *ret)
{
	struct bw_slice header, payload;
	uint8_t check[3];
	uint32_t len;

	if (!bw_slice_sub(data, 0, SPOOL_HEADER, &header))
		return !memcmp(data.data, record_magic, data.len < 4 ? data.len : 4) ? SPOOL_MORE : SPOOL_BAD;
	put(check, crc32(0, header.data, 25), 3);
	if (memcmp(header.data, record_magic, sizeof(record_magic)) || memcmp(header.data + 25, check, 3))
		return SPOOL_BAD;
	len = bw_get_u32(header.data + 4, false);
	if (len > SPOOL_MAX_PAYLOAD)
		return SPOOL_BAD;
	if (!bw_slice_sub(data, SPOOL_HEADER, len, &payload))
		return SPOOL_MORE;
	if (bw_get_u32(header.data + 28, false) != record_crc(header.data, payload.data, len))
		return SPOOL_BAD;
	*ret = (struct spool_record){
		.number = bw_get_u64(header.data + 8, false),
		.time_ns = (int64_t)bw_get_u64(header.data + 16, false),
		.severity = header.data[24],
		.line = (const char *)payload.data,
		.len = len,
	};
	return SPOOL_OK;
}

size_t spool_record_resync(struct bw_slice data)
{
	for (size_t i = 1; i < data.len; i++) {
		size_t n = data.len - i < sizeof(record_magic) ? data.len - i : sizeof(record_magic);

		if (!memcmp(data.data + i, record_magic, n))
			return i;
	}
	return data.len;
}

void spool_cursor_write(uint64_t number, uint8_t dst[SPOOL_CURSOR_SLOT])
{
	memset(dst, 0, SPOOL_CURSOR_SLOT);
	memcpy(dst, cursor_magic, sizeof(cursor_magic));
	put(dst + 8, number, 8);
	put(dst + 16, crc32(0, dst, 16), 4);
}

bool spool_cursor_parse(struct bw_slice data, uint64_t *ret)
{
	bool found = false;
	uint64_t best = 0;

	for (uint64_t i = 0; i < 2; i++) {
		struct bw_slice s;
		uint64_t number;

		if (!bw_slice_sub(data, i * SPOOL_CURSOR_SLOT, 20, &s) || memcmp(s.data, cursor_magic, sizeof(cursor_magic)) ||
		    bw_get_u32(s.data + 16, false) != (uint32_t)crc32(0, s.data, 16))
			continue;
		number = bw_get_u64(s.data + 8, false);
		if (!found || number > best)
			best = number;
		found = true;
	}
	if (found)
		*ret = best;
	return found;
}
