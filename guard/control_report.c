// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/control_report.h"

#include <cjson/cJSON.h>
#include <string.h>

#include "common/cleanup.h"

/* Nothing that another event of the guard could be taken for. */
static const struct {
	const char *event;
	enum alert_severity severity;
} reports[] = { { "block_added", ALERT_MEDIUM }, { "block_removed", ALERT_MEDIUM }, { "block_expired", ALERT_INFO }, { "block_failed", ALERT_HIGH } };
static const char *const numbers[] = { "block_id", "block_expires_s", "block_time_s" };
static const char *const texts[] = { "block_kind", "block_target", "block_owner", "block_reason" };

_Static_assert(ARRAY_SIZE(numbers) + ARRAY_SIZE(texts) == CONTROL_REPORT_MEMBERS, "a place for each");

bool control_report_read(const struct cJSON *req, struct control_report *ret)
{
	const char *event = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(req, "event"));
	const char *message = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(req, "message"));
	struct control_report r = { .message = message };
	size_t n = 0;

	for (size_t i = 0; event && i < ARRAY_SIZE(reports); i++)
		if (!strcmp(event, reports[i].event)) {
			r.event = reports[i].event;
			r.severity = reports[i].severity;
		}
	if (!r.event || !message)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		const cJSON *v = cJSON_GetObjectItemCaseSensitive(req, numbers[i]);

		/* Whole numbers up to 2^53 are exact in a double. */
		if (cJSON_IsNumber(v) && v->valuedouble >= 0 && v->valuedouble <= 9007199254740992.0)
			r.kv[n++] = (struct alert_kv)ALERT_U64(numbers[i], (uint64_t)v->valuedouble);
	}
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		const char *s = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(req, texts[i]));

		if (s)
			r.kv[n++] = (struct alert_kv)ALERT_STR(texts[i], s);
	}
	*ret = r;
	return true;
}
