// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/sinks/config.h"

#include <cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

static const char *const type_names[] = {
	[SINK_FILE] = "file",	[SINK_STDOUT] = "stdout",		[SINK_SYSLOG] = "syslog", [SINK_JOURNALD] = "journald",
	[SINK_HEC] = "hec",	[SINK_ELASTICSEARCH] = "elasticsearch", [SINK_OTLP] = "otlp",	  [SINK_FALCOSIDEKICK] = "falcosidekick",
	[SINK_WEBHOOK] = "webhook", [SINK_KAFKA] = "kafka",
};
static const char *const severity_names[] = { "debug", "info", "low", "medium", "high", "critical" };
static const char *const transport_names[] = { [SINK_UDP] = "udp", [SINK_TCP] = "tcp", [SINK_TLS] = "tls" };
static const char *const signal_names[] = { [SINK_LOGS] = "logs", [SINK_TRACES] = "traces", [SINK_METRICS] = "metrics" };

#define BIT(t) (1u << (t))
#define HTTP (BIT(SINK_HEC) | BIT(SINK_ELASTICSEARCH) | BIT(SINK_OTLP) | BIT(SINK_FALCOSIDEKICK) | BIT(SINK_WEBHOOK))
#define ALL (BIT(SINK_TYPES) - 1)
#define TLS_TYPES (HTTP | BIT(SINK_SYSLOG) | BIT(SINK_KAFKA))

enum key_type { KEY_STRING, KEY_LIST, KEY_NUMBER, KEY_BOOL, KEY_NOT_BOOL, KEY_SPECIAL };

/* One row a key: what it is, where it goes, and for which types of sinks it means something. */
static const struct sink_key {
	const char *name;
	enum key_type type;
	size_t offset;
	unsigned int types;
	uint64_t min, max;
} keys[] = {
#define AT(m) offsetof(struct sink_config, m)
	{ "name", KEY_SPECIAL, 0, ALL },
	{ "type", KEY_SPECIAL, 0, ALL },
	{ "format", KEY_SPECIAL, 0, BIT(SINK_FILE) | BIT(SINK_STDOUT) | BIT(SINK_SYSLOG) | BIT(SINK_WEBHOOK) | BIT(SINK_KAFKA) },
	{ "severity", KEY_SPECIAL, 0, ALL },
	{ "transport", KEY_SPECIAL, 0, BIT(SINK_SYSLOG) },
	{ "signal", KEY_SPECIAL, 0, BIT(SINK_OTLP) },
	{ "kinds", KEY_LIST, AT(kinds), ALL },
	{ "rules", KEY_LIST, AT(rules), ALL },
	{ "exclude", KEY_LIST, AT(exclude), ALL },
	{ "rate", KEY_NUMBER, AT(rate), ALL, 1, 10000000 },
	{ "batch", KEY_NUMBER, AT(batch), ALL, 1, 10000 },
	{ "timeout_ms", KEY_NUMBER, AT(timeout_ms), TLS_TYPES, 100, 600000 },
	{ "address", KEY_STRING, AT(address), BIT(SINK_SYSLOG) | BIT(SINK_JOURNALD) | BIT(SINK_KAFKA) },
	{ "url", KEY_STRING, AT(url), HTTP },
	{ "index", KEY_STRING, AT(index), BIT(SINK_HEC) | BIT(SINK_ELASTICSEARCH) },
	{ "sourcetype", KEY_STRING, AT(sourcetype), BIT(SINK_HEC) },
	{ "topic", KEY_STRING, AT(topic), BIT(SINK_KAFKA) },
	{ "path", KEY_STRING, AT(path), BIT(SINK_FILE) },
	{ "facility", KEY_NUMBER, AT(facility), BIT(SINK_SYSLOG), 1, 23 },
	{ "rotate_bytes", KEY_NUMBER, AT(rotate_bytes), BIT(SINK_FILE), 4096, 1ULL << 40 },
	{ "keep", KEY_NUMBER, AT(keep), BIT(SINK_FILE), 1, 100 },
	{ "newlines", KEY_BOOL, AT(lines), BIT(SINK_SYSLOG) },
	{ "ack", KEY_NOT_BOOL, AT(no_ack), BIT(SINK_HEC) },
	{ "sync", KEY_NOT_BOOL, AT(no_sync), BIT(SINK_FILE) },
	{ "user", KEY_STRING, AT(user), BIT(SINK_ELASTICSEARCH) | BIT(SINK_KAFKA) },
	{ "secret_file", KEY_STRING, AT(secret_file), HTTP | BIT(SINK_KAFKA) },
	{ "secret_credential", KEY_STRING, AT(secret_credential), HTTP | BIT(SINK_KAFKA) },
	{ "ca", KEY_STRING, AT(ca), TLS_TYPES },
	{ "cert", KEY_STRING, AT(cert), TLS_TYPES },
	{ "key", KEY_STRING, AT(key), TLS_TYPES },
	{ "server_name", KEY_STRING, AT(server_name), BIT(SINK_SYSLOG) },
	{ "verify", KEY_NOT_BOOL, AT(insecure), TLS_TYPES },
};

struct parser {
	char *field, *reason;
	size_t field_len, reason_len, index;
	bool *at_key;
};

static int fail(struct parser *p, const char *key, bool at_key, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
static int fail(struct parser *p, const char *key, bool at_key, const char *fmt, ...)
{
	va_list ap;

	snprintf(p->field, p->field_len, "sinks[%zu]%s%s", p->index, key ? "." : "", key ? key : "");
	*p->at_key = at_key;
	va_start(ap, fmt);
	vsnprintf(p->reason, p->reason_len, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

const char *sink_type_name(enum sink_type t)
{
	return (unsigned int)t < SINK_TYPES ? type_names[t] : "?";
}

const char *sink_signal_list(enum sink_signal s)
{
	static const char *const lists[] = { [SINK_LOGS] = "resourceLogs", [SINK_TRACES] = "resourceSpans", [SINK_METRICS] = "resourceMetrics" };

	return lists[s];
}

static int word_of(const cJSON *v, const char *const *names, size_t n)
{
	for (size_t i = 0; cJSON_IsString(v) && i < n; i++)
		if (!strcmp(names[i], v->valuestring))
			return (int)i;
	return -1;
}

static void free_list(char **list)
{
	for (char **p = list; p && *p; p++)
		free(*p);
	free(list);
}

static void sink_free(struct sink_config *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		void *at = (char *)c + keys[i].offset;

		if (keys[i].type == KEY_STRING)
			free(*(char **)at);
		else if (keys[i].type == KEY_LIST)
			free_list(*(char ***)at);
	}
}

void sinks_config_free(struct sinks_config *c)
{
	for (size_t i = 0; i < c->n; i++)
		sink_free(&c->sinks[i]);
	free(c->sinks);
	noise_config_free(&c->noise);
	memset(c, 0, sizeof(*c));
}

static int get_list(struct parser *p, const struct sink_key *k, const cJSON *v, char ***ret)
{
	int n = cJSON_GetArraySize(v), i = 0;
	const cJSON *item;

	if (!cJSON_IsArray(v) || !n || n > (int)SINK_MAX_PATTERNS)
		return fail(p, k->name, false, "must be a list of 1 to %u strings", SINK_MAX_PATTERNS);
	*ret = calloc((size_t)n + 1, sizeof(**ret));
	if (!*ret)
		return -ENOMEM;
	cJSON_ArrayForEach(item, v) {
		if (!cJSON_IsString(item) || !*item->valuestring)
			return fail(p, k->name, false, "must be a list of 1 to %u strings", SINK_MAX_PATTERNS);
		(*ret)[i] = strdup(item->valuestring);
		if (!(*ret)[i++])
			return -ENOMEM;
	}
	return 0;
}

static int get_value(struct parser *p, const struct sink_key *k, const cJSON *v, struct sink_config *c)
{
	void *at = (char *)c + k->offset;

	switch (k->type) {
	case KEY_STRING:
		if (!cJSON_IsString(v) || !*v->valuestring || strpbrk(v->valuestring, "\r\n"))
			return fail(p, k->name, false, "must be a non-empty string");
		*(char **)at = strdup(v->valuestring);
		return *(char **)at ? 0 : -ENOMEM;
	case KEY_LIST:
		return get_list(p, k, v, at);
	case KEY_NUMBER:
		if (!cJSON_IsNumber(v) || !(v->valuedouble >= (double)k->min && v->valuedouble <= (double)k->max) ||
		    v->valuedouble != (double)(uint64_t)v->valuedouble)
			return fail(p, k->name, false, "must be a whole number from %llu to %llu", (unsigned long long)k->min,
				    (unsigned long long)k->max);
		*(uint64_t *)at = (uint64_t)v->valuedouble;
		return 0;
	case KEY_BOOL:
	case KEY_NOT_BOOL:
		if (!cJSON_IsBool(v))
			return fail(p, k->name, false, "must be true or false");
		*(bool *)at = cJSON_IsTrue(v) == (k->type == KEY_BOOL);
		return 0;
	default:
		return 0;
	}
}

static int get_special(struct parser *p, const cJSON *o, struct sink_config *c)
{
	static const enum format_id formats[] = {
		[SINK_FILE] = FORMAT_NATIVE, [SINK_STDOUT] = FORMAT_NATIVE, [SINK_SYSLOG] = FORMAT_RFC5424, [SINK_JOURNALD] = FORMAT_JOURNAL,
		[SINK_HEC] = FORMAT_HEC, [SINK_ELASTICSEARCH] = FORMAT_ECS, [SINK_OTLP] = FORMAT_OTLP,
		[SINK_FALCOSIDEKICK] = FORMAT_FALCOSIDEKICK, [SINK_WEBHOOK] = FORMAT_NATIVE, [SINK_KAFKA] = FORMAT_NATIVE,
	};
	const cJSON *name = cJSON_GetObjectItemCaseSensitive(o, "name"), *v;
	int i;

	if (!cJSON_IsString(name) || !*name->valuestring || strlen(name->valuestring) > SINK_NAME_MAX ||
	    name->valuestring[strspn(name->valuestring, "abcdefghijklmnopqrstuvwxyz0123456789-_")])
		return fail(p, name ? "name" : NULL, false, "\"name\" must be 1 to %u of a-z, 0-9, - and _", SINK_NAME_MAX);
	snprintf(c->name, sizeof(c->name), "%s", name->valuestring);
	v = cJSON_GetObjectItemCaseSensitive(o, "type");
	i = word_of(v, type_names, ARRAY_SIZE(type_names));
	if (i < 0)
		return fail(p, v ? "type" : NULL, false, "\"type\" must be file, stdout, syslog, journald, hec, elasticsearch, otlp, falcosidekick, webhook or kafka");
	c->type = (enum sink_type)i;
	c->format = formats[c->type];
	c->transport = SINK_TCP;
	/* Falcosidekick takes one event a request: a large batch would not spare any, only be repeated as a whole after a kill. */
	c->batch = c->type == SINK_FALCOSIDEKICK ? SINK_FALCOSIDEKICK_BATCH : SINK_DEFAULT_BATCH;
	c->timeout_ms = 10000;
	c->keep = 5;
	v = cJSON_GetObjectItemCaseSensitive(o, "severity");
	i = word_of(v, severity_names, ARRAY_SIZE(severity_names));
	if (v && i < 0)
		return fail(p, "severity", false, "must be debug, info, low, medium, high or critical");
	c->min_severity = i < 0 ? 0 : (unsigned int)i;
	v = cJSON_GetObjectItemCaseSensitive(o, "format");
	if (v && (!cJSON_IsString(v) || format_parse(v->valuestring, &c->format) < 0))
		return fail(p, "format", false, "is not a format; docs/formats.md lists them");
	if (v && c->format == FORMAT_JOURNAL && c->type != SINK_FILE && c->type != SINK_STDOUT)
		return fail(p, "format", false, "\"journal\" has no lines: only files and standard output take it");
	v = cJSON_GetObjectItemCaseSensitive(o, "transport");
	i = word_of(v, transport_names, ARRAY_SIZE(transport_names));
	if (v && i < 0)
		return fail(p, "transport", false, "must be udp, tcp or tls");
	if (i >= 0)
		c->transport = (enum sink_transport)i;
	v = cJSON_GetObjectItemCaseSensitive(o, "signal");
	i = word_of(v, signal_names, ARRAY_SIZE(signal_names));
	if (v && i < 0)
		return fail(p, "signal", false, "must be logs, traces or metrics");
	if (i >= 0)
		c->signal = (enum sink_signal)i;
	return 0;
}

static bool address_ok(const char *address)
{
	const char *colon = strrchr(address, ':'), *bracket = strrchr(address, ']');
	size_t n;

	if (!colon || (bracket && colon < bracket))
		return true;
	n = strspn(colon + 1, "0123456789");
	return colon != address && n && n <= 5 && !colon[1 + n];
}

/* What a type cannot do without, and what does not go together. */
static int check_whole(struct parser *p, const struct sink_config *c)
{
	if (c->type == SINK_FILE && (!c->path || c->path[0] != '/'))
		return fail(p, c->path ? "path" : NULL, false, "a file needs \"path\", beginning with /");
	if ((c->type == SINK_SYSLOG || c->type == SINK_KAFKA) && !c->address)
		return fail(p, NULL, false, "needs \"address\", HOST:PORT");
	if (c->type == SINK_SYSLOG && !address_ok(c->address))
		return fail(p, "address", false, "must be HOST or HOST:PORT");
	if (c->type == SINK_KAFKA && !c->topic)
		return fail(p, NULL, false, "needs \"topic\"");
	if (BIT(c->type) & HTTP && (!c->url || (strncmp(c->url, "http://", 7) && strncmp(c->url, "https://", 8))))
		return fail(p, c->url ? "url" : NULL, false, "needs \"url\", beginning with http:// or https://");
	if (BIT(c->type) & HTTP && strchr(c->url + 8, '@'))
		return fail(p, "url", false, "must not hold a user or a password; \"secret_file\" does");
	if (c->signal != SINK_LOGS && (c->kinds || c->rules || c->exclude || c->min_severity))
		return fail(p, "signal", true, "traces and metrics are no events: severity, kinds, rules and exclude mean nothing for them");
	if (c->type == SINK_HEC && !c->secret_file && !c->secret_credential)
		return fail(p, NULL, false, "needs the token, in \"secret_file\" or \"secret_credential\"");
	if (c->secret_file && c->secret_credential)
		return fail(p, "secret_credential", true, "goes without \"secret_file\"");
	if (c->secret_credential && strchr(c->secret_credential, '/'))
		return fail(p, "secret_credential", false, "is a name, not a path");
	if (c->secret_file && c->secret_file[0] != '/')
		return fail(p, "secret_file", false, "must begin with /");
	if (!c->cert != !c->key)
		return fail(p, c->cert ? "cert" : "key", true, "\"cert\" and \"key\" go together");
	if (c->type == SINK_SYSLOG && c->transport != SINK_TLS && (c->ca || c->cert || c->server_name || c->insecure))
		return fail(p, c->ca ? "ca" : c->cert ? "cert" : c->server_name ? "server_name" : "verify", true, "is for \"transport\": \"tls\"");
	if (c->type == SINK_SYSLOG && c->transport == SINK_UDP && c->lines)
		return fail(p, "newlines", true, "is not for udp");
	return 0;
}

static int parse_sink(struct parser *p, const cJSON *o, struct sink_config *c)
{
	const cJSON *v;
	int r;

	if (!cJSON_IsObject(o))
		return fail(p, NULL, false, "must be an object");
	r = get_special(p, o, c);
	if (r < 0)
		return r;
	cJSON_ArrayForEach(v, o) {
		const struct sink_key *k = NULL;

		for (size_t i = 0; i < ARRAY_SIZE(keys) && !k; i++)
			if (!strcmp(keys[i].name, v->string))
				k = &keys[i];
		if (!k)
			return fail(p, v->string, true, "unknown key");
		if (cJSON_GetObjectItemCaseSensitive(o, v->string) != v)
			return fail(p, v->string, true, "given twice");
		if (!(k->types & BIT(c->type)))
			return fail(p, v->string, true, "means nothing for type \"%s\"", type_names[c->type]);
		r = get_value(p, k, v, c);
		if (r < 0)
			return r;
	}
	return check_whole(p, c);
}

static int parse_spool(struct parser *p, const cJSON *o, struct sinks_config *c)
{
	static const struct {
		const char *name;
		size_t offset;
		double min, max;
	} numbers[] = {
		{ "max_bytes", offsetof(struct sinks_config, spool_bytes), 1 << 20, 1LL << 44 },
		{ "max_age_s", offsetof(struct sinks_config, spool_age_s), 0, 1e9 },
		{ "sync_ms", offsetof(struct sinks_config, sync_ms), 10, 600000 },
	};
	const cJSON *v;

	if (!cJSON_IsObject(o)) {
		snprintf(p->field, p->field_len, "spool");
		snprintf(p->reason, p->reason_len, "must be an object");
		return -EINVAL;
	}
	cJSON_ArrayForEach(v, o) {
		size_t i;

		snprintf(p->field, p->field_len, "spool.%s", v->string);
		for (i = 0; i < ARRAY_SIZE(numbers) && strcmp(numbers[i].name, v->string); i++)
			;
		*p->at_key = i == ARRAY_SIZE(numbers);
		if (i == ARRAY_SIZE(numbers)) {
			snprintf(p->reason, p->reason_len, "unknown key");
			return -EINVAL;
		}
		if (!cJSON_IsNumber(v) || !(v->valuedouble >= numbers[i].min && v->valuedouble <= numbers[i].max)) {
			snprintf(p->reason, p->reason_len, "must be a whole number from %.0f to %.0f", numbers[i].min, numbers[i].max);
			return -EINVAL;
		}
		*(uint64_t *)((char *)c + numbers[i].offset) = (uint64_t)v->valuedouble;
	}
	return 0;
}

int sinks_config_parse(const struct cJSON *sinks, const struct cJSON *spool, const struct cJSON *noise, struct sinks_config *ret,
		       char *field, size_t field_len, bool *at_key, char *reason, size_t reason_len)
{
	struct parser p = { .field = field, .reason = reason, .field_len = field_len, .reason_len = reason_len, .at_key = at_key };
	struct sinks_config c = { .spool_age_s = 7 * 86400, .sync_ms = 1000 };
	const cJSON *v;
	int r = 0;

	*at_key = false;
	if (spool)
		r = parse_spool(&p, spool, &c);
	if (r < 0)
		return r;
	if (sinks && (!cJSON_IsArray(sinks) || cJSON_GetArraySize(sinks) > (int)SINKS_MAX)) {
		snprintf(field, field_len, "sinks");
		snprintf(reason, reason_len, "must be a list of at most %u sinks", SINKS_MAX);
		return -EINVAL;
	}
	c.sinks = calloc(SINKS_MAX, sizeof(*c.sinks));
	if (!c.sinks)
		return -ENOMEM;
	cJSON_ArrayForEach(v, sinks) {
		p.index = c.n;
		r = parse_sink(&p, v, &c.sinks[c.n++]);
		for (size_t i = 0; r == 0 && i + 1 < c.n; i++)
			if (!strcmp(c.sinks[i].name, c.sinks[c.n - 1].name))
				r = fail(&p, "name", false, "sinks[%zu] has that name", i);
		if (r < 0) {
			sinks_config_free(&c);
			return r;
		}
	}
	r = noise_config_parse(noise, &c.noise, field, field_len, at_key, reason, reason_len);
	if (r < 0) {
		sinks_config_free(&c);
		return r;
	}
	*ret = c;
	return 0;
}

bool sinks_carry_api(const struct sinks_config *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->sinks[i].signal != SINK_LOGS)
			return true;
	return false;
}

/* ---- filter ------------------------------------------------------------------------------------------------------- */

static bool fits(const struct event_member *m, char *const *patterns)
{
	for (; m && m->type == EVENT_STRING && *patterns; patterns++) {
		size_t len = strlen(*patterns);

		if ((*patterns)[len - 1] == '*' ? m->value_len >= len - 1 && !memcmp(m->value, *patterns, len - 1) :
						  event_is(m, *patterns))
			return true;
	}
	return false;
}

bool sink_wants(const struct sink_config *c, const struct event_view *e)
{
	const struct event_member *rule = event_get(e, "rule"), *kind = event_get(e, "kind");

	if (event_is(rule, "guard.sink_test")) {
		const struct event_member *m = event_get(e, "sink");

		return event_is(m, c->name); /* whatever the filter says */
	}
	/* A summary is wanted by who wants what it is about. */
	if (event_is(rule, "guard.summary") && event_get(e, "summary_rule")) {
		rule = event_get(e, "summary_rule");
		kind = event_get(e, "summary_kind");
	}
	return event_severity(e) >= c->min_severity && (!c->kinds || fits(kind, c->kinds)) && (!c->rules || fits(rule, c->rules)) &&
	       (!c->exclude || !fits(rule, c->exclude));
}
