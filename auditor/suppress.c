// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "auditor/suppress.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auditor/checks/rule.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/json_check.h"

#define BW_MAX_SUPPRESS_VALUES 2000000u

static void json_freep(cJSON **j)
{
	cJSON_Delete(*j);
}

static int parse(const char *text, size_t len, const char *name, cJSON **ret, struct bw_diag *diag)
{
	const char *reason;
	size_t off;

	if (bw_json_check(text, len, BW_MAX_SUPPRESS_VALUES, &off, &reason) < 0)
		return bw_diag_set(diag, -EINVAL, name, "", off, "%s", reason);
	*ret = cJSON_ParseWithLength(text, len);
	if (!*ret)
		return bw_diag_set(diag, -EINVAL, name, "", BW_DIAG_NO_OFFSET, "not JSON, or out of memory");
	return 0;
}

/* The list @key of an object {"version": 1, @key: [...]}; "$schema" may be there. */
static int get_list(const cJSON *root, const char *key, const char *name, const cJSON **ret, struct bw_diag *diag)
{
	const cJSON *version = cJSON_GetObjectItemCaseSensitive(root, "version");
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(root, key);

	if (!cJSON_IsObject(root) || !cJSON_IsNumber(version) || version->valuedouble != 1)
		return bw_diag_set(diag, -EINVAL, name, "", BW_DIAG_NO_OFFSET, "\"version\" must be 1");
	for (const cJSON *m = root->child; m; m = m->next)
		if (strcmp(m->string, "version") && strcmp(m->string, key) && strcmp(m->string, "$schema"))
			return bw_diag_set(diag, -EINVAL, name, "", BW_DIAG_NO_OFFSET, "unknown key \"%s\"", m->string);
	if (!cJSON_IsArray(list))
		return bw_diag_set(diag, -EINVAL, name, "", BW_DIAG_NO_OFFSET, "\"%s\" must be a list", key);
	*ret = list;
	return 0;
}

/* "2027-01-31" as 20270131; 0 when it is no day. */
static uint32_t parse_day(const char *s)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	uint32_t y, m, d, last;

	if (strlen(s) != 10 || s[4] != '-' || s[7] != '-')
		return 0;
	for (int i = 0; i < 10; i++)
		if (i != 4 && i != 7 && (s[i] < '0' || s[i] > '9'))
			return 0;
	y = (uint32_t)strtoul(s, NULL, 10);
	m = (uint32_t)strtoul(s + 5, NULL, 10);
	d = (uint32_t)strtoul(s + 8, NULL, 10);
	if (!y || m < 1 || m > 12)
		return 0;
	last = m == 2 && y % 4 == 0 && (y % 100 != 0 || y % 400 == 0) ? 29 : days[m - 1];
	return d < 1 || d > last ? 0 : y * 10000 + m * 100 + d;
}

static int read_entry(const cJSON *e, uint32_t index, const char *name, struct bw_suppressions *s, struct bw_diag *diag)
{
	static const char *const keys[] = { "rule", "object", "program", "function", "fingerprint", "reason", "expires" };
	const char *texts[ARRAY_SIZE(keys)];
	struct bw_suppression *n;
	char place[48];

	snprintf(place, sizeof(place), "suppressions[%u]", index);
	if (!cJSON_IsObject(e))
		return bw_diag_set(diag, -EINVAL, name, place, BW_DIAG_NO_OFFSET, "must be an object");
	for (const cJSON *m = e->child; m; m = m->next) {
		bool known = false;

		for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
			known |= !strcmp(m->string, keys[i]);
		if (!known || !cJSON_IsString(m))
			return bw_diag_set(diag, -EINVAL, name, place, BW_DIAG_NO_OFFSET, "%s \"%s\"",
					   known ? "a text is needed:" : "unknown key", m->string);
	}
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const cJSON *m = cJSON_GetObjectItemCaseSensitive(e, keys[i]);

		texts[i] = bw_arena_str(&s->arena, m ? m->valuestring : "");
		if (!texts[i])
			return bw_diag_set(diag, -ENOMEM, name, place, BW_DIAG_NO_OFFSET, "out of memory");
	}
	if (!*texts[0] && !*texts[4])
		return bw_diag_set(diag, -EINVAL, name, place, BW_DIAG_NO_OFFSET, "needs \"rule\" or \"fingerprint\"");
	if (strspn(texts[5], " \t\n") == strlen(texts[5]))
		return bw_diag_set(diag, -EINVAL, name, place, BW_DIAG_NO_OFFSET, "needs a \"reason\"");
	if (!parse_day(texts[6]))
		return bw_diag_set(diag, -EINVAL, name, place, BW_DIAG_NO_OFFSET,
				   "\"expires\" must be the last day it holds, like 2027-01-31");
	if (s->n >= BW_MAX_SUPPRESSIONS || !bw_arena_grow(&s->arena, &s->items, s->n, &s->cap, sizeof(*s->items)))
		return bw_diag_set(diag, -ENOMEM, name, place, BW_DIAG_NO_OFFSET, "too many");
	n = &s->items[s->n++];
	*n = (struct bw_suppression){ .rule = texts[0],	    .object = texts[1],	   .program = texts[2], .function = texts[3],
				      .fingerprint = texts[4], .reason = texts[5], .expires = parse_day(texts[6]) };
	return 0;
}

int bw_suppressions_read(const char *text, size_t len, const char *name, struct bw_suppressions *s, struct bw_diag *diag)
{
	BW_CLEANUP(json_freep) cJSON *root = NULL;
	const cJSON *list;
	uint32_t i = 0;
	int r;

	r = parse(text, len, name, &root, diag);
	if (!r)
		r = get_list(root, "suppressions", name, &list, diag);
	if (r < 0)
		return r;
	for (const cJSON *e = list->child; e && !r; e = e->next)
		r = read_entry(e, i++, name, s, diag);
	return r;
}

static bool fits(const char *pattern, const char *text)
{
	return !*pattern || bw_glob_match(pattern, text);
}

static bool covers(const struct bw_suppression *s, const struct bw_scan_object *o, const struct bw_finding *f)
{
	return fits(s->rule, f->rule) && fits(s->object, o->path) && fits(s->program, f->program) &&
	       fits(s->function, f->function) && (!*s->fingerprint || !strcmp(s->fingerprint, f->fingerprint));
}

static int apply_one(struct bw_suppressions *s, uint32_t today, struct bw_scan *scan, const struct bw_scan_object *o,
		     struct bw_finding *f)
{
	if (f->kind == BW_KIND_DEFECT)
		return 0;
	for (uint32_t i = 0; i < s->n; i++) {
		if (s->items[i].expires < today || !covers(&s->items[i], o, f))
			continue;
		s->items[i].used = true;
		f->suppressed = bw_arena_str(&scan->arena, s->items[i].reason);
		if (!f->suppressed) {
			f->suppressed = "";
			return -ENOMEM;
		}
		return 0;
	}
	return 0;
}

int bw_suppressions_apply(struct bw_suppressions *s, uint32_t today, struct bw_scan *scan, uint32_t *ret_expired)
{
	uint32_t expired = 0;
	int r = 0;

	for (uint32_t i = 0; i < s->n; i++)
		expired += s->items[i].expires < today;
	for (uint32_t i = 0; i < scan->n_objects; i++)
		for (uint32_t p = 0; p < scan->objects[i].n_programs; p++)
			for (uint32_t k = 0; k < scan->objects[i].programs[p].n_findings && r >= 0; k++)
				r = apply_one(s, today, scan, &scan->objects[i], &scan->objects[i].programs[p].findings[k]);
	*ret_expired = expired;
	return r;
}

void bw_suppressions_free(struct bw_suppressions *s)
{
	bw_arena_free(&s->arena);
	*s = (struct bw_suppressions){ 0 };
}

/* ---- baseline ------------------------------------------------------------------------------------------------------- */

/* Build folders differ between runs: only the last part of the path counts. */
static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static char *known_key(struct bw_arena *arena, const char *object, const char *fingerprint, const char *severity)
{
	return bw_arena_printf(arena, "%s\001%s\001%s", object, fingerprint, severity);
}

/* Known with this severity or a higher one: what became worse is new. */
static bool is_known(const char **keys, size_t n, const char *object, const struct bw_finding *f, struct bw_arena *arena)
{
	for (unsigned int s = f->severity; s < BW_SEV_COUNT_; s++) {
		const char *key = known_key(arena, object, f->fingerprint, bw_severity_name(s));

		if (key && bsearch(&key, keys, n, sizeof(*keys), by_text))
			return true;
	}
	return false;
}

int bw_baseline_apply(const char *text, size_t len, const char *name, struct bw_scan *scan, struct bw_diag *diag)
{
	BW_CLEANUP(json_freep) cJSON *root = NULL;
	struct bw_arena arena = { 0 };
	const char **keys = NULL;
	const cJSON *list;
	size_t n = 0;
	int r;

	r = parse(text, len, name, &root, diag);
	if (!r)
		r = get_list(root, "findings", name, &list, diag);
	if (r < 0)
		return r;
	keys = bw_arena_alloc(&arena, (size_t)cJSON_GetArraySize(list) + 1, sizeof(*keys));
	if (!keys)
		return bw_diag_set(diag, -ENOMEM, name, "", BW_DIAG_NO_OFFSET, "out of memory");
	for (const cJSON *e = list->child; e && !r; e = e->next) {
		const cJSON *object = cJSON_GetObjectItemCaseSensitive(e, "object");
		const cJSON *fp = cJSON_GetObjectItemCaseSensitive(e, "fingerprint");
		const cJSON *severity = cJSON_GetObjectItemCaseSensitive(e, "severity");

		if (!cJSON_IsString(object) || !cJSON_IsString(fp) || !cJSON_IsString(severity)) {
			r = bw_diag_set(diag, -EINVAL, name, "", BW_DIAG_NO_OFFSET,
					"findings[%zu] needs \"object\", \"fingerprint\" and \"severity\"", n);
			break;
		}
		keys[n] = known_key(&arena, object->valuestring, fp->valuestring, severity->valuestring);
		if (!keys[n++])
			r = bw_diag_set(diag, -ENOMEM, name, "", BW_DIAG_NO_OFFSET, "out of memory");
	}
	if (n > 1)
		qsort(keys, n, sizeof(*keys), by_text);
	for (uint32_t i = 0; i < scan->n_objects && !r; i++)
		for (uint32_t p = 0; p < scan->objects[i].n_programs; p++)
			for (uint32_t k = 0; k < scan->objects[i].programs[p].n_findings; k++) {
				struct bw_finding *f = &scan->objects[i].programs[p].findings[k];
				if (f->kind != BW_KIND_DEFECT)
					f->known = is_known(keys, n, base_name(scan->objects[i].path), f, &arena);
			}
	bw_arena_free(&arena);
	return r;
}

void bw_baseline_write(const struct bw_scan *scan, struct bw_buf *out)
{
	struct bw_json j = { .buf = out, .indent = 1 };

	bw_json_open(&j, NULL, '{');
	bw_json_u64(&j, "version", 1);
	bw_json_open(&j, "findings", '[');
	for (uint32_t i = 0; i < scan->n_objects; i++)
		for (uint32_t p = 0; p < scan->objects[i].n_programs; p++)
			for (uint32_t k = 0; k < scan->objects[i].programs[p].n_findings; k++) {
				const struct bw_finding *f = &scan->objects[i].programs[p].findings[k];

				if (f->kind == BW_KIND_DEFECT || *f->suppressed)
					continue;
				bw_json_open(&j, NULL, '{');
				bw_json_str(&j, "object", base_name(scan->objects[i].path));
				bw_json_str(&j, "fingerprint", f->fingerprint);
				bw_json_str(&j, "rule", f->rule);
				bw_json_str(&j, "severity", bw_severity_name(f->severity));
				bw_json_str(&j, "program", f->program);
				bw_json_str(&j, "message", f->message);
				bw_json_close(&j, '}');
			}
	bw_json_close(&j, ']');
	bw_json_close(&j, '}');
	bw_buf_char(out, '\n');
}
