// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Splunk HEC, OTLP, falcosidekick, Wazuh, GELF. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/format_parts.h"

/* Keys are words of at most EVENT_VIEW_MAX_KEY characters; @prefix is short. */
static const char *key_of(char dst[EVENT_VIEW_MAX_KEY + 16], const char *prefix, const struct event_member *m)
{
	snprintf(dst, EVENT_VIEW_MAX_KEY + 16, "%s%.*s", prefix, (int)m->key_len, m->key);
	return dst;
}

static void json_seconds(struct bw_json *j, const char *key, int64_t ns)
{
	char text[40];
	int n = snprintf(text, sizeof(text), "%" PRId64 ".%09d", ns / 1000000000, (int)(ns < 0 ? 0 : ns % 1000000000));

	bw_json_raw(j, key, text, (size_t)n);
}

/* Splunk, HTTP Event Collector, "event" endpoint: metadata around the native event. */
void format_hec(const struct format_options *o, const struct event_view *e, struct bw_buf *b)
{
	struct bw_json j = { .buf = b };

	bw_json_open(&j, NULL, '{');
	json_seconds(&j, "time", event_time(e));
	json_copy_string(&j, "host", event_get(e, "host"));
	bw_json_str(&j, "source", "bpfwarden");
	bw_json_str(&j, "sourcetype", o && o->hec_sourcetype ? o->hec_sourcetype : FORMAT_SOURCETYPE);
	if (o && o->hec_index)
		bw_json_str(&j, "index", o->hec_index);
	json_copy_all(&j, "event", e);
	bw_json_close(&j, '}');
}

/* Falco's output as falcosidekick takes it: output, priority, rule, time, output_fields. */
void format_falcosidekick(const struct event_view *e, struct bw_buf *b)
{
	static const char *const priorities[] = { "Debug", "Informational", "Notice", "Warning", "Error", "Critical" };
	const struct event_member *attack = event_get(e, "attack");
	struct bw_json j = { .buf = b };
	struct event_member item;
	size_t pos = 0;

	bw_json_open(&j, NULL, '{');
	json_copy_string(&j, "uuid", event_get(e, "uid"));
	json_summary(&j, "output", e);
	bw_json_str(&j, "priority", priorities[event_severity(e)]);
	json_copy_string(&j, "rule", event_get(e, "rule"));
	json_copy_string(&j, "time", event_get(e, "time"));
	bw_json_str(&j, "source", "bpfwarden");
	json_copy_string(&j, "hostname", event_get(e, "host"));
	bw_json_open(&j, "tags", '[');
	bw_json_str(&j, NULL, "bpf");
	while (attack && event_next(attack, &pos, &item))
		json_copy_string(&j, NULL, &item);
	bw_json_close(&j, ']');
	json_copy_all(&j, "output_fields", e);
	bw_json_close(&j, '}');
}

static void list_as_string(struct bw_json *j, const char *key, const struct event_member *m)
{
	static const struct text_style style = { .hidden = "", .quoted = "" };
	_cleanup_buf_ struct bw_buf t = { 0 };

	put_value(&t, m, &style);
	if (bw_buf_error(&t) && !j->buf->error)
		j->buf->error = bw_buf_error(&t);
	bw_json_strn(j, key, bw_buf_cstr(&t), t.len);
}

/* One level below one name, no lists: Wazuh's decoder makes "bpfwarden.rule" of it, and its fields are strings anyway. */
void format_wazuh(const struct event_view *e, struct bw_buf *b)
{
	char key[EVENT_VIEW_MAX_KEY + 16];
	struct bw_json j = { .buf = b };

	bw_json_open(&j, NULL, '{');
	bw_json_str(&j, "integration", "bpfwarden");
	bw_json_open(&j, "bpfwarden", '{');
	for (unsigned int i = 0; i < e->n; i++) {
		const struct event_member *m = &e->members[i];

		key_of(key, "", m);
		if (m->type == EVENT_LIST)
			list_as_string(&j, key, m);
		else if (m->type == EVENT_OBJECT)
			json_copy_string(&j, key, m);
		else
			json_copy(&j, key, m);
	}
	bw_json_close(&j, '}');
	bw_json_close(&j, '}');
}

/* GELF 1.1: additional fields are strings or numbers, their names begin with an underscore; "_id" is not allowed. */
void format_gelf(const struct event_view *e, struct bw_buf *b)
{
	char key[EVENT_VIEW_MAX_KEY + 16];
	struct bw_json j = { .buf = b };

	bw_json_open(&j, NULL, '{');
	bw_json_str(&j, "version", "1.1");
	if (event_get(e, "host"))
		json_copy_string(&j, "host", event_get(e, "host"));
	else
		bw_json_str(&j, "host", "unknown");
	json_summary(&j, "short_message", e);
	json_seconds(&j, "timestamp", event_time(e));
	bw_json_u64(&j, "level", format_syslog_level(event_severity(e)));
	for (unsigned int i = 0; i < e->n; i++) {
		const struct event_member *m = &e->members[i];

		key_of(key, m->key_len == 2 && !memcmp(m->key, "id", 2) ? "_bpfwarden_" : "_", m);
		if (m->type == EVENT_LIST)
			list_as_string(&j, key, m);
		else if (m->type == EVENT_NUMBER)
			json_copy(&j, key, m);
		else
			json_copy_string(&j, key, m);
	}
	bw_json_close(&j, '}');
}

/* ---- OTLP/JSON, logs: opentelemetry/proto/collector/logs/v1, in the mapping of the OTLP specification ----------------- */

static void otlp_string(struct bw_json *j, const char *key, const char *value)
{
	bw_json_open(j, NULL, '{');
	bw_json_str(j, "key", key);
	bw_json_open(j, "value", '{');
	bw_json_str(j, "stringValue", value);
	bw_json_close(j, '}');
	bw_json_close(j, '}');
}

/* int64 is a string in JSON; what does not fit is a stringValue. */
static void otlp_value(struct bw_json *j, const struct event_member *m)
{
	struct event_member item;
	size_t pos = 0;

	bw_json_open(j, "value", '{');
	switch (m->type) {
	case EVENT_NUMBER:
		if (event_number(m, INT64_MIN) != INT64_MIN)
			bw_json_strn(j, "intValue", m->value, m->value_len);
		else
			bw_json_strn(j, "stringValue", m->value, m->value_len);
		break;
	case EVENT_TRUE:
	case EVENT_FALSE:
		bw_json_bool(j, "boolValue", m->type == EVENT_TRUE);
		break;
	case EVENT_LIST:
		bw_json_open(j, "arrayValue", '{');
		bw_json_open(j, "values", '[');
		while (event_next(m, &pos, &item)) {
			bw_json_open(j, NULL, '{');
			json_copy_string(j, "stringValue", &item);
			bw_json_close(j, '}');
		}
		bw_json_close(j, ']');
		bw_json_close(j, '}');
		break;
	case EVENT_NULL:
		break; /* a value that is not set */
	default:
		json_copy_string(j, "stringValue", m);
	}
	bw_json_close(j, '}');
}

void format_otlp_begin(const struct event_view *first, struct bw_buf *b)
{
	const struct event_member *host = event_get(first, "host");
	struct bw_json j = { .buf = b };

	bw_json_open(&j, NULL, '{');
	bw_json_open(&j, "resourceLogs", '[');
	bw_json_open(&j, NULL, '{');
	bw_json_open(&j, "resource", '{');
	bw_json_open(&j, "attributes", '[');
	otlp_string(&j, "service.name", "bpfwarden");
	otlp_string(&j, "service.version", BW_VERSION);
	if (host) {
		bw_json_open(&j, NULL, '{');
		bw_json_str(&j, "key", "host.name");
		otlp_value(&j, host);
		bw_json_close(&j, '}');
	}
	bw_json_close(&j, ']');
	bw_json_close(&j, '}');
	bw_buf_str(b, ",\"scopeLogs\":[{\"scope\":{\"name\":\"bpfwarden\",\"version\":\"" BW_VERSION "\"},\"logRecords\":[");
}

void format_otlp_end(struct bw_buf *b)
{
	bw_buf_str(b, "]}]}]}");
}

bool format_otlp_items(const char *line, size_t len, const char *list, const char **ret, size_t *ret_len)
{
	size_t n = strlen(list);

	if (len < n + 7 || memcmp(line, "{\"", 2) || memcmp(line + 2, list, n) || memcmp(line + 2 + n, "\":[", 3) ||
	    memcmp(line + len - 2, "]}", 2))
		return false;
	*ret = line + n + 5;
	*ret_len = len - n - 7;
	return true;
}

void format_otlp_record(const struct event_view *e, struct bw_buf *b)
{
	/* SeverityNumber: DEBUG 5, INFO 9, INFO2 10, WARN 13, ERROR 17, FATAL 21 */
	static const unsigned int severities[] = { 5, 9, 10, 13, 17, 21 };
	int64_t ns = event_time(e);
	struct bw_json j = { .buf = b };
	char text[EVENT_VIEW_MAX_KEY + 16];

	bw_json_open(&j, NULL, '{');
	snprintf(text, sizeof(text), "%" PRId64, ns < 0 ? 0 : ns);
	bw_json_str(&j, "timeUnixNano", text);
	bw_json_str(&j, "observedTimeUnixNano", text);
	bw_json_u64(&j, "severityNumber", severities[event_severity(e)]);
	json_copy_string(&j, "severityText", event_get(e, "severity"));
	bw_json_open(&j, "body", '{');
	json_summary(&j, "stringValue", e);
	bw_json_close(&j, '}');
	bw_json_open(&j, "attributes", '[');
	for (unsigned int i = 0; i < e->n; i++) {
		bw_json_open(&j, NULL, '{');
		bw_json_str(&j, "key", key_of(text, "bpfwarden.", &e->members[i]));
		otlp_value(&j, &e->members[i]);
		bw_json_close(&j, '}');
	}
	bw_json_close(&j, ']');
	bw_json_close(&j, '}');
}
