// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/api/extract.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "common/json_check.h"

#define FORMAT "bpfwarden-api-extract/1"
#define MAX_VALUES 20000u

static const char *const actions[] = { "record", "hash", "rename", "drop" };

static int refuse(struct api_extract_error *e, const char *path, const char *reason)
{
	snprintf(e->path, sizeof(e->path), "%s", path);
	snprintf(e->reason, sizeof(e->reason), "%s", reason);
	return -EINVAL;
}

static int read_text(const cJSON *v, const char *path, size_t max, char *out, struct api_extract_error *e)
{
	if (!cJSON_IsString(v))
		return refuse(e, path, "must be a string");
	if (!*v->valuestring || strlen(v->valuestring) > max)
		return refuse(e, path, "is empty or too long");
	snprintf(out, max + 1, "%s", v->valuestring);
	return 0;
}

static int read_choice(const cJSON *v, const char *path, unsigned int n, const char *(*name)(unsigned int), unsigned int *ret,
		       struct api_extract_error *e)
{
	for (unsigned int i = 0; cJSON_IsString(v) && i < n; i++) {
		if (!strcmp(name(i), v->valuestring)) {
			*ret = i;
			return 0;
		}
	}
	return refuse(e, path, cJSON_IsString(v) ? "is not one of the words that are known here" : "must be a string");
}

static const char *action_name(unsigned int i)
{
	return actions[i];
}

static const char *place_name(unsigned int i)
{
	return api_place_name((enum api_place)i);
}

static int read_member(const cJSON *v, const char *path, struct api_extract_rule *r, struct api_extract_error *e)
{
	unsigned int n = 0;
	int ret;

	if (!strcmp(v->string, "action")) {
		ret = read_choice(v, path, ARRAY_SIZE(actions), action_name, &n, e);
		r->action = (enum api_extract_action)n;
		return ret;
	}
	if (!strcmp(v->string, "in")) {
		ret = read_choice(v, path, API_PLACES, place_name, &n, e);
		r->place = (enum api_place)n;
		return ret < 0 ? ret : n == API_AT_PATH ? refuse(e, path, "a path has no names") : 0;
	}
	if (!strcmp(v->string, "name"))
		return read_text(v, path, sizeof(r->name) - 1, r->name, e);
	if (!strcmp(v->string, "as"))
		return read_text(v, path, sizeof(r->as) - 1, r->as, e);
	if (!strcmp(v->string, "host"))
		return read_text(v, path, sizeof(r->host) - 1, r->host, e);
	if (!strcmp(v->string, "path"))
		return read_text(v, path, sizeof(r->path) - 1, r->path, e);
	if (!strcmp(v->string, "max_length")) {
		if (!cJSON_IsNumber(v) || v->valuedouble != (double)v->valueint || v->valueint < 1 || v->valueint > (int)API_EXTRACT_MAX_LENGTH)
			return refuse(e, path, "must be a whole number from 1 to 1024");
		r->max_length = (unsigned int)v->valueint;
		return 0;
	}
	if (!strcmp(v->string, "reason"))
		return cJSON_IsString(v) ? 0 : refuse(e, path, "must be a string");
	return refuse(e, path, "unknown key");
}

static int read_rule(const cJSON *o, unsigned int i, struct api_extract_rule *r, struct api_extract_error *e)
{
	static const char *const needed[] = { "action", "in", "name" };
	char path[96];
	const cJSON *v;
	size_t len;
	int ret;

	snprintf(path, sizeof(path), "rules[%u]", i);
	if (!cJSON_IsObject(o))
		return refuse(e, path, "must be an object");
	r->max_length = API_EXTRACT_DEFAULT_LENGTH;
	cJSON_ArrayForEach(v, o) {
		snprintf(path, sizeof(path), "rules[%u].%.60s", i, v->string);
		for (const cJSON *w = o->child; w != v; w = w->next)
			if (!strcmp(w->string, v->string))
				return refuse(e, path, "is there twice");
		ret = read_member(v, path, r, e);
		if (ret < 0)
			return ret;
	}
	snprintf(path, sizeof(path), "rules[%u]", i);
	for (size_t k = 0; k < ARRAY_SIZE(needed); k++)
		if (!cJSON_GetObjectItemCaseSensitive(o, needed[k]))
			return refuse(e, path, "needs \"action\", \"in\" and \"name\"");
	if (r->action == API_EXTRACT_RENAME && !*r->as)
		return refuse(e, path, "rename needs \"as\"");
	len = strlen(r->name);
	r->prefix = r->name[len - 1] == '*';
	if (r->prefix)
		r->name[len - 1] = '\0';
	if (!*r->as)
		memcpy(r->as, r->name, sizeof(r->as));
	return 0;
}

static int read_document(const cJSON *doc, struct api_extract *x, struct api_extract_error *e)
{
	const cJSON *rules = cJSON_GetObjectItemCaseSensitive(doc, "rules"), *v;
	const char *format = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(doc, "format"));
	int n = cJSON_GetArraySize(rules), r;

	if (!cJSON_IsObject(doc))
		return refuse(e, "", "must be an object");
	cJSON_ArrayForEach(v, doc)
		if (strcmp(v->string, "format") && strcmp(v->string, "rules") && strcmp(v->string, "$schema"))
			return refuse(e, v->string, "unknown key");
	if (!format || strcmp(format, FORMAT))
		return refuse(e, "format", "must be \"" FORMAT "\"");
	if (!cJSON_IsArray(rules))
		return refuse(e, "rules", "must be an array");
	if (n > (int)API_EXTRACT_MAX_RULES)
		return refuse(e, "rules", "more than 256 rules");
	x->rules = calloc((size_t)n + 1, sizeof(*x->rules));
	if (!x->rules)
		return -ENOMEM;
	cJSON_ArrayForEach(v, rules) {
		r = read_rule(v, x->n, &x->rules[x->n], e);
		if (r < 0)
			return r;
		x->n++;
	}
	return 0;
}

int api_extract_parse(const char *text, size_t len, struct api_extract **ret, struct api_extract_error *e)
{
	__attribute__((cleanup(api_extract_freep))) struct api_extract *x = NULL;
	const char *reason = NULL;
	size_t offset = 0;
	cJSON *doc;
	int r;

	*e = (struct api_extract_error){ 0 };
	r = len > API_EXTRACT_MAX_FILE ? -E2BIG : bw_json_check(text, len, MAX_VALUES, &offset, &reason);
	if (r < 0) {
		bw_json_position(text, offset, &e->line, &e->column);
		return refuse(e, "", reason ? reason : "is larger than 1 MiB");
	}
	doc = cJSON_ParseWithLength(text, len);
	x = calloc(1, sizeof(*x));
	r = doc && x ? read_document(doc, x, e) : -ENOMEM;
	cJSON_Delete(doc);
	if (r < 0) {
		if (*e->path)
			bw_json_locate(text, len, e->path, &e->line, &e->column);
		return r;
	}
	*ret = TAKE_PTR(x);
	return 0;
}

void api_extract_free(struct api_extract *e)
{
	if (!e)
		return;
	free(e->rules);
	free(e);
}

const struct api_extract_rule *api_extract_find(const struct api_extract *e, const char *host, const char *path, enum api_place place,
						const char *name)
{
	for (unsigned int i = 0; i < e->n; i++) {
		const struct api_extract_rule *r = &e->rules[i];

		if (r->place != place || (r->prefix ? strncmp(name, r->name, strlen(r->name)) : strcmp(name, r->name)))
			continue;
		if (*r->host && strcmp(host, r->host))
			continue;
		if (*r->path && strncmp(path, r->path, strlen(r->path)))
			continue;
		return r;
	}
	return NULL;
}
