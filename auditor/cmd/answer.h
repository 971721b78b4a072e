/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_CMD_ANSWER_H
#define BW_CMD_ANSWER_H
/* Members of what the guard answered: 0 and "" where one is missing or of another kind. The text belongs to the object. */
#include <cjson/cJSON.h>

static inline double number(const cJSON *o, const char *key)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

	return cJSON_IsNumber(v) ? v->valuedouble : 0;
}

static inline const char *string(const cJSON *o, const char *key)
{
	const char *s = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, key));

	return s ? s : "";
}

#endif
