// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Any bytes as a ring-buffer record: decoded or refused, and what was decoded becomes one line of valid JSON. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "guard/alert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct alert_context ctx = { .instance = "0011223344556677", .host = "h", .boot_offset_ns = 1 };
	_cleanup_buf_ struct bw_buf buf = { 0 };
	struct alert_detail d = { .seq = 1 };
	struct decode_event e;
	struct alert a;
	cJSON *json;

	if (decode_record(data, size, &e) < 0)
		return 0;
	assert(strlen(e.actor.comm) <= BW_COMM_LEN && strlen(e.actor.exe) < DECODE_PATH_MAX);
	d.event = &e;
	assert(alert_event(&ctx, &d, &buf, &a) == 0);
	assert(strlen(a.line) == a.line_len && !memchr(a.line, '\n', a.line_len));
	json = cJSON_Parse(a.line);
	assert(cJSON_IsObject(json));
	cJSON_Delete(json);
	return 0;
}
