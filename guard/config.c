// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/config.h"

#include <cJSON.h>
#include <string.h>

#include "common/buf.h"
#include "common/json.h"

#define MAX_CONFIG_SIZE (1u << 20)

enum config_type { CONFIG_STRING, CONFIG_MODE, CONFIG_NUMBER };

static const struct config_key {
	const char *name;
	enum config_type type;
	size_t offset;
} keys[] = {
	{ "mode", CONFIG_MODE, offsetof(struct config, mode) },
	{ "policy", CONFIG_STRING, offsetof(struct config, policy) },
	{ "state_dir", CONFIG_STRING, offsetof(struct config, state_dir) },
	{ "socket", CONFIG_STRING, offsetof(struct config, socket) },
	{ "output", CONFIG_STRING, offsetof(struct config, output) },
	{ "pin_dir", CONFIG_STRING, offsetof(struct config, pin_dir) },
	{ "features", CONFIG_STRING, offsetof(struct config, features) },
	{ "retention_rows", CONFIG_NUMBER, offsetof(struct config, retention_rows) },
	{ "retention_days", CONFIG_NUMBER, offsetof(struct config, retention_days) },
};

int config_set(char **setting, const char *value)
{
	char *copy = strdup(value);

	if (!copy)
		return -ENOMEM;
	free(*setting);
	*setting = copy;
	return 0;
}

void config_free(struct config *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (keys[i].type == CONFIG_STRING)
			free(*(char **)((char *)c + keys[i].offset));
	memset(c, 0, sizeof(*c));
}

static const struct config_key *key_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strcmp(keys[i].name, name))
			return &keys[i];
	return NULL;
}

/* Returns NULL, or what is wrong with the value. With @c NULL only checks. */
static const char *apply(const struct config_key *k, const cJSON *v, struct config *c)
{
	void *field = c ? (char *)c + k->offset : NULL;

	switch (k->type) {
	case CONFIG_STRING:
		if (!cJSON_IsString(v) || !*v->valuestring)
			return "must be a non-empty string";
		if (c && config_set(field, v->valuestring) < 0)
			return "no memory";
		return NULL;
	case CONFIG_MODE:
		if (!cJSON_IsString(v) || (strcmp(v->valuestring, "observe") && strcmp(v->valuestring, "enforce")))
			return "must be \"observe\" or \"enforce\"";
		if (c)
			*(enum bw_mode *)field = strcmp(v->valuestring, "enforce") ? BW_MODE_OBSERVE : BW_MODE_ENFORCE;
		return NULL;
	case CONFIG_NUMBER:
		if (!cJSON_IsNumber(v) || v->valuedouble < 0 || v->valuedouble > 9007199254740991.0 ||
		    v->valuedouble != (double)(uint64_t)v->valuedouble)
			return "must be a whole number";
		if (c)
			*(uint64_t *)field = (uint64_t)v->valuedouble;
		return NULL;
	}
	return "unknown type";
}

static void complain(const char *path, const char *text, size_t len, const char *field, bool at_key,
		     const char *reason, char *why, size_t why_len)
{
	unsigned int line = 0, col = 0;
	char where[256];

	snprintf(where, sizeof(where), "%s%s", at_key ? "!" : "", field);
	if (bw_json_locate(text, len, where, &line, &col))
		snprintf(why, why_len, "%s:%u:%u: %s: %s", path, line, col, field, reason);
	else
		snprintf(why, why_len, "%s: %s: %s", path, field, reason);
}

static void complain_syntax(const char *path, const char *text, const char *at, char *why, size_t why_len)
{
	unsigned int line = 1, col = 1;

	for (const char *p = text; at && p < at; p++) {
		col = *p == '\n' ? 1 : col + 1;
		line += *p == '\n';
	}
	snprintf(why, why_len, "%s:%u:%u: not JSON from here on", path, line, col);
}

int config_read(const char *path, struct config *c, char *why, size_t why_len)
{
	_cleanup_free_ char *text = NULL;
	const char *end = NULL;
	const cJSON *v;
	size_t len = 0;
	cJSON *root;
	int r;

	r = bw_file_read(path, MAX_CONFIG_SIZE, &text, &len);
	if (r < 0) {
		snprintf(why, why_len, "%s: %s", path, strerror(-r));
		return r;
	}
	root = cJSON_ParseWithLengthOpts(text, len + 1, &end, true);
	if (!root || !cJSON_IsObject(root)) {
		if (root)
			snprintf(why, why_len, "%s:1:1: must be an object", path);
		else
			complain_syntax(path, text, end, why, why_len);
		cJSON_Delete(root);
		return -EBADMSG;
	}
	cJSON_ArrayForEach(v, root) {
		const struct config_key *k = key_find(v->string);
		const char *problem = k ? apply(k, v, NULL) : "unknown key";

		if (!problem && cJSON_GetObjectItemCaseSensitive(root, v->string) != v)
			problem = "given twice";
		if (problem) {
			complain(path, text, len, v->string, !k || !strcmp(problem, "given twice"), problem, why, why_len);
			cJSON_Delete(root);
			return -EINVAL;
		}
	}
	cJSON_ArrayForEach(v, root) {
		if (apply(key_find(v->string), v, c)) {
			snprintf(why, why_len, "%s: no memory", path);
			r = -ENOMEM;
			break;
		}
	}
	cJSON_Delete(root);
	return r;
}
