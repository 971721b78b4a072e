// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The member "noise" of guard.json (docs/noise.md, rules/schema/guard-v1.schema.json). */
#include <cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/cleanup.h"
#include "guard/sinks/noise.h"

#define MAX_PATTERN 1024u

static const char *const severity_names[] = { "debug", "info", "low", "medium", "high", "critical" };
static const char *const day_names[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat" };

struct parser {
	char *field, *reason;
	size_t field_len, reason_len;
	bool *at_key;
	const char *list; /* "suppress"; NULL: the object itself */
	size_t index;
};

static int fail(struct parser *p, const char *key, bool at_key, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
static int fail(struct parser *p, const char *key, bool at_key, const char *fmt, ...)
{
	va_list ap;

	if (p->list)
		snprintf(p->field, p->field_len, "noise.%s[%zu]%s%s", p->list, p->index, key ? "." : "", key ? key : "");
	else
		snprintf(p->field, p->field_len, "noise%s%s", key ? "." : "", key ? key : "");
	*p->at_key = at_key;
	va_start(ap, fmt);
	vsnprintf(p->reason, p->reason_len, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

/* Unknown keys and keys given twice. */
static int check_keys(struct parser *p, const cJSON *o, const char *const *known)
{
	const cJSON *v;

	if (!cJSON_IsObject(o))
		return fail(p, NULL, false, "must be an object");
	cJSON_ArrayForEach(v, o) {
		size_t i;

		for (i = 0; known[i] && strcmp(known[i], v->string); i++)
			;
		if (!known[i])
			return fail(p, v->string, true, "unknown key");
		if (cJSON_GetObjectItemCaseSensitive(o, v->string) != v)
			return fail(p, v->string, true, "given twice");
	}
	return 0;
}

static bool whole(const cJSON *v, double min, double max)
{
	return cJSON_IsNumber(v) && v->valuedouble >= min && v->valuedouble <= max && v->valuedouble == (double)(int64_t)v->valuedouble;
}

static bool digits(const char *s, const char *shape)
{
	for (; *shape; shape++, s++)
		if (*shape == '9' ? *s < '0' || *s > '9' : *s != *shape)
			return false;
	return !*s;
}

/* "2027-01-31" or "2027-01-31T18:00:00Z". A day that does not exist is none. */
static bool parse_time(const char *s, bool end_of_day, int64_t *ret)
{
	bool day = digits(s, "9999-99-99");
	struct tm tm = { 0 }, back;
	time_t t;

	if (!day && !digits(s, "9999-99-99T99:99:99Z"))
		return false;
	tm.tm_year = (int)strtol(s, NULL, 10) - 1900;
	tm.tm_mon = (int)strtol(s + 5, NULL, 10) - 1;
	tm.tm_mday = (int)strtol(s + 8, NULL, 10);
	if (!day) {
		tm.tm_hour = (int)strtol(s + 11, NULL, 10);
		tm.tm_min = (int)strtol(s + 14, NULL, 10);
		tm.tm_sec = (int)strtol(s + 17, NULL, 10);
	}
	back = tm;
	t = timegm(&back);
	if (back.tm_mon != tm.tm_mon || back.tm_mday != tm.tm_mday || back.tm_hour != tm.tm_hour || back.tm_min != tm.tm_min || back.tm_sec != tm.tm_sec)
		return false;
	*ret = (int64_t)t + (day && end_of_day ? 86400 : 0);
	return true;
}

static int get_time(struct parser *p, const cJSON *o, const char *key, bool end_of_day, int64_t *ret)
{
	const char *s = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, key));

	if (!s || !parse_time(s, end_of_day, ret))
		return fail(p, s ? key : NULL, false, "\"%s\" must be a day like 2027-01-31, or a time like 2027-01-31T18:00:00Z", key);
	return 0;
}

static int get_match(struct parser *p, const cJSON *v, struct noise_match *ret)
{
	const cJSON *m;

	if (!cJSON_IsObject(v) || !cJSON_GetArraySize(v) || cJSON_GetArraySize(v) > (int)NOISE_MAX_MATCH)
		return fail(p, v ? "match" : NULL, false, "\"match\" must be an object of 1 to %u members of an event", NOISE_MAX_MATCH);
	cJSON_ArrayForEach(m, v) {
		size_t len = strlen(m->string);

		if (!len || len > EVENT_VIEW_MAX_KEY || m->string[strspn(m->string, "abcdefghijklmnopqrstuvwxyz0123456789_")] ||
		    cJSON_GetObjectItemCaseSensitive(v, m->string) != m)
			return fail(p, "match", false, "\"%.40s\" is not a member of an event (docs/events.md), or is given twice", m->string);
		if (!cJSON_IsString(m) || !*m->valuestring || strlen(m->valuestring) > MAX_PATTERN)
			return fail(p, "match", false, "\"%s\" must be a pattern: a non-empty string, in which * stands for any text", m->string);
		memcpy(ret->members[ret->n].key, m->string, len + 1);
		ret->members[ret->n].pattern = strdup(m->valuestring);
		if (!ret->members[ret->n++].pattern)
			return -ENOMEM;
	}
	return 0;
}

static int get_days(struct parser *p, const cJSON *v, unsigned int *ret)
{
	const cJSON *d;

	if (!cJSON_IsArray(v) || !cJSON_GetArraySize(v))
		return fail(p, "days", false, "must be a list of mon, tue, wed, thu, fri, sat, sun");
	cJSON_ArrayForEach(d, v) {
		unsigned int i;

		for (i = 0; i < 7 && (!cJSON_IsString(d) || strcmp(d->valuestring, day_names[i])); i++)
			;
		if (i == 7)
			return fail(p, "days", false, "must be a list of mon, tue, wed, thu, fri, sat, sun");
		*ret |= 1u << i;
	}
	return 0;
}

/* Either "from" and "until", or "days", "at" and "minutes". */
static int get_window(struct parser *p, const cJSON *o, struct noise_rule *r)
{
	const cJSON *days = cJSON_GetObjectItemCaseSensitive(o, "days"), *minutes = cJSON_GetObjectItemCaseSensitive(o, "minutes");
	const char *at = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, "at"));
	int rc;

	if (!days) {
		if (at || minutes)
			return fail(p, NULL, false, "\"at\" and \"minutes\" need \"days\"");
		rc = get_time(p, o, "from", false, &r->from_s);
		if (rc == 0)
			rc = get_time(p, o, "until", true, &r->until_s);
		if (rc == 0 && r->until_s <= r->from_s)
			rc = fail(p, "until", false, "is not after \"from\"");
		return rc;
	}
	if (cJSON_HasObjectItem(o, "from") || cJSON_HasObjectItem(o, "until"))
		return fail(p, "days", true, "goes without \"from\" and \"until\"");
	rc = get_days(p, days, &r->days);
	if (rc < 0)
		return rc;
	if (!at || !digits(at, "99:99") || strtol(at, NULL, 10) > 23 || strtol(at + 3, NULL, 10) > 59)
		return fail(p, at ? "at" : NULL, false, "\"at\" must be a time of day like 02:30 (UTC)");
	r->at_minute = (unsigned int)(strtol(at, NULL, 10) * 60 + strtol(at + 3, NULL, 10));
	if (!whole(minutes, 1, 1440))
		return fail(p, minutes ? "minutes" : NULL, false, "\"minutes\" must be a whole number from 1 to 1440");
	r->minutes = (unsigned int)minutes->valuedouble;
	return 0;
}

static int get_rule(struct parser *p, const cJSON *o, bool maintenance, struct noise_rule *r)
{
	static const char *const suppress_keys[] = { "id", "reason", "expires", "match", "max_severity", NULL };
	static const char *const window_keys[] = { "id", "reason", "from", "until", "days", "at", "minutes", "match", "max_severity", NULL };
	const char *id, *reason;
	const cJSON *v;
	int rc = check_keys(p, o, maintenance ? window_keys : suppress_keys);

	if (rc < 0)
		return rc;
	id = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, "id"));
	reason = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, "reason"));
	if (!id || !*id || strlen(id) > NOISE_ID_MAX || id[strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-_.")])
		return fail(p, id ? "id" : NULL, false, "\"id\" must be 1 to %u of a-z, 0-9, -, _ and .", NOISE_ID_MAX);
	memcpy(r->id, id, strlen(id) + 1);
	if (!reason || !reason[strspn(reason, " \t\r\n")])
		return fail(p, reason ? "reason" : NULL, false, "\"reason\" must say why: whoever reads this later has to know");
	r->reason = strdup(reason);
	if (!r->reason)
		return -ENOMEM;
	r->max_severity = EVENT_HIGH;
	v = cJSON_GetObjectItemCaseSensitive(o, "max_severity");
	if (v) {
		unsigned int i;

		for (i = 0; i < ARRAY_SIZE(severity_names) && (!cJSON_IsString(v) || strcmp(v->valuestring, severity_names[i])); i++)
			;
		if (i == ARRAY_SIZE(severity_names))
			return fail(p, "max_severity", false, "must be debug, info, low, medium, high or critical");
		r->max_severity = i;
	}
	v = cJSON_GetObjectItemCaseSensitive(o, "match");
	if (v || !maintenance) {
		rc = get_match(p, v, &r->match);
		if (rc < 0)
			return rc;
	}
	return maintenance ? get_window(p, o, r) : get_time(p, o, "expires", true, &r->until_s);
}

static int get_rules(struct parser *p, const cJSON *list, const char *name, bool maintenance, struct noise_rule **ret, size_t *ret_n)
{
	const cJSON *v;
	int r = 0;

	if (!list)
		return 0;
	if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) > (int)NOISE_MAX_RULES)
		return fail(p, name, false, "must be a list of at most %u", NOISE_MAX_RULES);
	*ret = calloc(NOISE_MAX_RULES, sizeof(**ret));
	if (!*ret)
		return -ENOMEM;
	p->list = name;
	cJSON_ArrayForEach(v, list) {
		p->index = *ret_n;
		r = get_rule(p, v, maintenance, &(*ret)[(*ret_n)++]);
		for (size_t i = 0; r == 0 && i + 1 < *ret_n; i++)
			if (!strcmp((*ret)[i].id, (*ret)[*ret_n - 1].id))
				r = fail(p, "id", false, "%s[%zu] has that id", name, i);
		if (r < 0)
			break;
	}
	p->list = r < 0 ? p->list : NULL;
	return r;
}

static int get_limit(struct parser *p, const cJSON *o, struct noise_limit *l)
{
	static const char *const known[] = { "rule", "per_s", "burst", NULL };
	const char *rule;
	const cJSON *v;
	int r = check_keys(p, o, known);

	if (r < 0)
		return r;
	rule = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, "rule"));
	if (!rule || !*rule || strlen(rule) > MAX_PATTERN)
		return fail(p, rule ? "rule" : NULL, false, "\"rule\" must be a pattern of rules, like load.*");
	if (!strncmp(rule, "guard.", 6))
		return fail(p, "rule", false, "what the guard says about itself is not limited");
	l->rule = strdup(rule);
	if (!l->rule)
		return -ENOMEM;
	v = cJSON_GetObjectItemCaseSensitive(o, "per_s");
	if (!whole(v, 1, 1000000))
		return fail(p, v ? "per_s" : NULL, false, "\"per_s\" must be a whole number from 1 to 1000000");
	l->per_s = l->burst = (uint64_t)v->valuedouble;
	v = cJSON_GetObjectItemCaseSensitive(o, "burst");
	if (v && !whole(v, 1, 10000000))
		return fail(p, "burst", false, "must be a whole number from 1 to 10000000");
	if (v)
		l->burst = (uint64_t)v->valuedouble;
	return 0;
}

static int get_limits(struct parser *p, const cJSON *list, struct noise_config *c)
{
	const cJSON *v;
	int r = 0;

	if (!list)
		return 0;
	if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) > (int)NOISE_MAX_RULES)
		return fail(p, "limits", false, "must be a list of at most %u", NOISE_MAX_RULES);
	c->limits = calloc(NOISE_MAX_RULES, sizeof(*c->limits));
	if (!c->limits)
		return -ENOMEM;
	p->list = "limits";
	cJSON_ArrayForEach(v, list) {
		p->index = c->n_limits;
		r = get_limit(p, v, &c->limits[c->n_limits++]);
		if (r < 0)
			return r;
	}
	p->list = NULL;
	return 0;
}

static int get_all(struct parser *p, const cJSON *o, struct noise_config *c)
{
	static const char *const known[] = { "dedup", "window_s", "limits", "maintenance", "suppress", NULL };
	const cJSON *v;
	int r = check_keys(p, o, known);

	if (r < 0)
		return r;
	v = cJSON_GetObjectItemCaseSensitive(o, "dedup");
	if (v && !cJSON_IsBool(v))
		return fail(p, "dedup", false, "must be true or false");
	c->no_dedup = cJSON_IsFalse(v);
	v = cJSON_GetObjectItemCaseSensitive(o, "window_s");
	if (v && !whole(v, 1, 86400))
		return fail(p, "window_s", false, "must be a whole number from 1 to 86400");
	if (v)
		c->window_s = (uint64_t)v->valuedouble;
	r = get_limits(p, cJSON_GetObjectItemCaseSensitive(o, "limits"), c);
	if (r == 0)
		r = get_rules(p, cJSON_GetObjectItemCaseSensitive(o, "maintenance"), "maintenance", true, &c->maintenance, &c->n_maintenance);
	if (r == 0)
		r = get_rules(p, cJSON_GetObjectItemCaseSensitive(o, "suppress"), "suppress", false, &c->suppress, &c->n_suppress);
	return r;
}

int noise_config_parse(const struct cJSON *o, struct noise_config *ret, char *field, size_t field_len, bool *at_key, char *reason,
		       size_t reason_len)
{
	struct parser p = { .field = field, .reason = reason, .field_len = field_len, .reason_len = reason_len, .at_key = at_key };
	struct noise_config c = { 0 };
	int r;

	*at_key = false;
	if (!o)
		return 0;
	r = get_all(&p, o, &c);
	if (r < 0) {
		noise_config_free(&c);
		return r;
	}
	*ret = c;
	return 0;
}

int noise_config_text(const char *text, size_t len, struct noise_config *ret)
{
	char field[128], reason[256];
	cJSON *o = len ? cJSON_ParseWithLength(text, len) : NULL;
	bool at_key;
	int r;

	if (len && !o)
		return -EBADMSG;
	r = noise_config_parse(o, ret, field, sizeof(field), &at_key, reason, sizeof(reason));
	cJSON_Delete(o);
	return r;
}

static void rules_free(struct noise_rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(rules[i].reason);
		for (size_t k = 0; k < rules[i].match.n; k++)
			free(rules[i].match.members[k].pattern);
	}
	free(rules);
}

void noise_config_free(struct noise_config *c)
{
	for (size_t i = 0; i < c->n_limits; i++)
		free(c->limits[i].rule);
	free(c->limits);
	rules_free(c->maintenance, c->n_maintenance);
	rules_free(c->suppress, c->n_suppress);
	memset(c, 0, sizeof(*c));
}
