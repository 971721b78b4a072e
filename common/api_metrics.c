// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "common/api_metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json.h"

/* The bounds that the catalogue writes (guard/api/catalogue.c), in rising order. */
static const char *const bounds[] = { "0.005", "0.01", "0.025", "0.05", "0.075", "0.1", "0.25", "0.5",
				      "0.75",  "1",    "2.5",	"5",	"7.5",	 "10",	"+Inf" };

/* Counters per fact of one kind; @label names what the fact's name is. */
static const struct family {
	const char *name, *help, *kind, *label;
} families[] = {
	{ "bpfwarden_api_responses_total", "Calls by status of the response.", "status", "status" },
	{ "bpfwarden_api_grpc_responses_total", "Calls by gRPC status.", "grpc-status", "grpc_status" },
	{ "bpfwarden_api_exceptions_total", "Calls that failed on the server's side or did not end.", "exception", "reason" },
	{ "bpfwarden_api_personal_data_total", "Hits of detectors of personal data.", "class", "class" },
	{ "bpfwarden_api_findings_total", "Oddities of messages, request smuggling among them.", "finding", "finding" },
	{ "bpfwarden_api_auth_total", "Calls by how the caller said who it is.", "auth", "scheme" },
};

static void label(struct bw_buf *b, const char *name, const char *value)
{
	bw_buf_printf(b, "%s=\"", name);
	for (; *value; value++) {
		/* The three that the format escapes. Others stand as they are: it is UTF-8. */
		if (*value == '\\' || *value == '"')
			bw_buf_char(b, '\\');
		if (*value == '\n')
			bw_buf_str(b, "\\n");
		else
			bw_buf_char(b, *value);
	}
	bw_buf_char(b, '"');
}

static void labels(struct bw_buf *b, const struct api_endpoint *e)
{
	label(b, "host", e->host);
	bw_buf_char(b, ',');
	label(b, "method", e->method);
	bw_buf_char(b, ',');
	label(b, "path", e->path);
}

static void head(struct bw_buf *b, const char *name, const char *type, const char *help)
{
	bw_buf_printf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void sample(struct bw_buf *b, const char *name, const struct api_endpoint *e, uint64_t value)
{
	bw_buf_printf(b, "%s{", name);
	labels(b, e);
	bw_buf_printf(b, "} %" PRIu64 "\n", value);
}

static void put_family(const struct family *f, const struct api_data *d, struct bw_buf *b)
{
	head(b, f->name, "counter", f->help);
	for (uint32_t i = 0; i < d->n; i++) {
		const struct api_fact *fact;
		uint32_t n;

		fact = api_endpoint_facts(&d->endpoints[i], f->kind, &n);
		for (uint32_t k = 0; k < n; k++) {
			bw_buf_printf(b, "%s{", f->name);
			labels(b, &d->endpoints[i]);
			bw_buf_char(b, ',');
			label(b, f->label, fact[k].name);
			bw_buf_printf(b, "} %" PRIu64 "\n", fact[k].count);
		}
	}
}

static uint64_t bucket(const struct api_endpoint *e, const char *bound)
{
	const struct api_fact *f = api_endpoint_fact(e, "duration", bound);

	return f ? f->count : 0;
}

static void put_durations(const struct api_data *d, struct bw_buf *b)
{
	static const char name[] = "bpfwarden_api_request_duration_seconds";

	head(b, name, "histogram", "Time from the first byte of the request to the last of the response.");
	for (uint32_t i = 0; i < d->n; i++) {
		const struct api_endpoint *e = &d->endpoints[i];
		uint64_t sum = 0;

		if (!e->timed)
			continue;
		for (size_t k = 0; k < ARRAY_SIZE(bounds); k++) {
			sum += bucket(e, bounds[k]);
			bw_buf_printf(b, "%s_bucket{", name);
			labels(b, e);
			bw_buf_printf(b, ",le=\"%s\"} %" PRIu64 "\n", bounds[k], sum);
		}
		bw_buf_printf(b, "%s_sum{", name);
		labels(b, e);
		bw_buf_printf(b, "} %" PRIu64 ".%09" PRIu64 "\n", e->duration_ns / 1000000000, e->duration_ns % 1000000000);
		bw_buf_printf(b, "%s_count{", name);
		labels(b, e);
		bw_buf_printf(b, "} %" PRIu64 "\n", sum);
	}
}

void api_metrics_prometheus(const struct api_data *d, struct bw_buf *b)
{
	head(b, "bpfwarden_api_endpoints", "gauge", "Endpoints in the catalogue.");
	bw_buf_printf(b, "bpfwarden_api_endpoints %u\n", d->n);
	head(b, "bpfwarden_api_requests_total", "counter", "Calls.");
	for (uint32_t i = 0; i < d->n; i++)
		sample(b, "bpfwarden_api_requests_total", &d->endpoints[i], d->endpoints[i].calls);
	head(b, "bpfwarden_api_errors_total", "counter", "Calls that failed on the server's side or did not end.");
	for (uint32_t i = 0; i < d->n; i++)
		sample(b, "bpfwarden_api_errors_total", &d->endpoints[i], d->endpoints[i].errors);
	head(b, "bpfwarden_api_request_bytes_total", "counter", "Bytes of requests, heads and bodies.");
	for (uint32_t i = 0; i < d->n; i++)
		sample(b, "bpfwarden_api_request_bytes_total", &d->endpoints[i], d->endpoints[i].request_bytes);
	head(b, "bpfwarden_api_response_bytes_total", "counter", "Bytes of responses, heads and bodies.");
	for (uint32_t i = 0; i < d->n; i++)
		sample(b, "bpfwarden_api_response_bytes_total", &d->endpoints[i], d->endpoints[i].response_bytes);
	put_durations(d, b);
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		put_family(&families[i], d, b);
	if (!d->ncounters)
		return;
	head(b, "bpfwarden_api_events_total", "counter", "What capture, engine and catalogue counted since they started; losses among it.");
	for (uint32_t i = 0; i < d->ncounters; i++) {
		bw_buf_str(b, "bpfwarden_api_events_total{");
		label(b, "event", d->counters[i].name);
		bw_buf_printf(b, "} %" PRIu64 "\n", d->counters[i].value);
	}
}

/* ---- OTLP ---------------------------------------------------------------------------------------------------------------- */

static void nano(struct bw_json *j, const char *key, int64_t v)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, v);
	bw_json_str(j, key, text);
}

static void attribute(struct bw_json *j, const char *key, const char *value)
{
	bw_json_open(j, NULL, '{');
	bw_json_str(j, "key", key);
	bw_json_open(j, "value", '{');
	bw_json_str(j, "stringValue", value);
	bw_json_close(j, '}');
	bw_json_close(j, '}');
}

static void open_point(struct bw_json *j, const struct api_endpoint *e, const char *key, const char *value, int64_t now)
{
	bw_json_open(j, NULL, '{');
	bw_json_open(j, "attributes", '[');
	attribute(j, "server.address", e->host);
	attribute(j, "http.request.method", e->method);
	attribute(j, "http.route", e->path);
	if (key)
		attribute(j, key, value);
	bw_json_close(j, ']');
	nano(j, "startTimeUnixNano", e->first_ns);
	nano(j, "timeUnixNano", now);
}

static void open_metric(struct bw_json *j, const char *name, const char *unit, const char *type)
{
	bw_json_open(j, NULL, '{');
	bw_json_str(j, "name", name);
	bw_json_str(j, "unit", unit);
	bw_json_open(j, type, '{');
	bw_json_i64(j, "aggregationTemporality", 2); /* AGGREGATION_TEMPORALITY_CUMULATIVE */
	if (!strcmp(type, "sum"))
		bw_json_bool(j, "isMonotonic", true);
	bw_json_open(j, "dataPoints", '[');
}

static void close_metric(struct bw_json *j)
{
	bw_json_close(j, ']');
	bw_json_close(j, '}');
	bw_json_close(j, '}');
}

static void otlp_durations(struct bw_json *j, const struct api_data *d, int64_t now)
{
	open_metric(j, "http.server.request.duration", "s", "histogram");
	for (uint32_t i = 0; i < d->n; i++) {
		const struct api_endpoint *e = &d->endpoints[i];
		char sum[48];

		if (!e->timed)
			continue;
		open_point(j, e, NULL, NULL, now);
		nano(j, "count", (int64_t)e->timed);
		snprintf(sum, sizeof(sum), "%" PRIu64 ".%09" PRIu64, e->duration_ns / 1000000000, e->duration_ns % 1000000000);
		bw_json_raw(j, "sum", sum, strlen(sum));
		bw_json_open(j, "bucketCounts", '[');
		for (size_t k = 0; k < ARRAY_SIZE(bounds); k++)
			nano(j, NULL, (int64_t)bucket(e, bounds[k]));
		bw_json_close(j, ']');
		bw_json_open(j, "explicitBounds", '[');
		for (size_t k = 0; k + 1 < ARRAY_SIZE(bounds); k++)
			bw_json_raw(j, NULL, bounds[k], strlen(bounds[k]));
		bw_json_close(j, ']');
		bw_json_close(j, '}');
	}
	close_metric(j);
}

/* A number that each endpoint has, at @offset of it. */
static void otlp_number(struct bw_json *j, const struct api_data *d, const char *name, const char *unit, size_t offset, int64_t now)
{
	open_metric(j, name, unit, "sum");
	for (uint32_t i = 0; i < d->n; i++) {
		open_point(j, &d->endpoints[i], NULL, NULL, now);
		nano(j, "asInt", (int64_t)*(const uint64_t *)(const void *)((const char *)&d->endpoints[i] + offset));
		bw_json_close(j, '}');
	}
	close_metric(j);
}

/* What capture, engine and catalogue counted since they started. */
static void otlp_events(struct bw_json *j, const struct api_data *d, int64_t now)
{
	open_metric(j, "bpfwarden.api.events", "1", "sum");
	for (uint32_t i = 0; i < d->ncounters; i++) {
		bw_json_open(j, NULL, '{');
		bw_json_open(j, "attributes", '[');
		attribute(j, "event", d->counters[i].name);
		bw_json_close(j, ']');
		nano(j, "timeUnixNano", now);
		nano(j, "asInt", (int64_t)d->counters[i].value);
		bw_json_close(j, '}');
	}
	close_metric(j);
}

/* One counter per fact of a kind; @attr names what the fact's name is. */
static void otlp_sum(struct bw_json *j, const struct api_data *d, const char *name, const char *kind, const char *attr, int64_t now)
{
	open_metric(j, name, "1", "sum");
	for (uint32_t i = 0; i < d->n; i++) {
		const struct api_endpoint *e = &d->endpoints[i];
		uint32_t n;
		const struct api_fact *f = api_endpoint_facts(e, kind, &n);

		for (uint32_t k = 0; k < n; k++) {
			open_point(j, e, attr, f[k].name, now);
			nano(j, "asInt", (int64_t)f[k].count);
			bw_json_close(j, '}');
		}
	}
	close_metric(j);
}

void api_metrics_otlp(const struct api_data *d, int64_t now, const char *node, struct bw_buf *out)
{
	struct bw_json j = { .buf = out };

	bw_json_open(&j, NULL, '{');
	bw_json_open(&j, "resourceMetrics", '[');
	bw_json_open(&j, NULL, '{');
	bw_json_open(&j, "resource", '{');
	bw_json_open(&j, "attributes", '[');
	attribute(&j, "service.name", "bpfwarden");
	attribute(&j, "host.name", node);
	bw_json_close(&j, ']');
	bw_json_close(&j, '}');
	bw_json_open(&j, "scopeMetrics", '[');
	bw_json_open(&j, NULL, '{');
	bw_json_open(&j, "scope", '{');
	bw_json_str(&j, "name", "bpfwarden");
	bw_json_close(&j, '}');
	bw_json_open(&j, "metrics", '[');
	otlp_durations(&j, d, now);
	otlp_number(&j, d, "bpfwarden.api.requests", "1", offsetof(struct api_endpoint, calls), now);
	otlp_number(&j, d, "bpfwarden.api.errors", "1", offsetof(struct api_endpoint, errors), now);
	otlp_number(&j, d, "bpfwarden.api.request.bytes", "By", offsetof(struct api_endpoint, request_bytes), now);
	otlp_number(&j, d, "bpfwarden.api.response.bytes", "By", offsetof(struct api_endpoint, response_bytes), now);
	otlp_sum(&j, d, "bpfwarden.api.responses", "status", "http.response.status_code", now);
	otlp_sum(&j, d, "bpfwarden.api.grpc_responses", "grpc-status", "rpc.grpc.status_code", now);
	otlp_sum(&j, d, "bpfwarden.api.auth", "auth", "bpfwarden.scheme", now);
	otlp_sum(&j, d, "bpfwarden.api.exceptions", "exception", "error.type", now);
	otlp_sum(&j, d, "bpfwarden.api.personal_data", "class", "bpfwarden.class", now);
	otlp_sum(&j, d, "bpfwarden.api.findings", "finding", "bpfwarden.finding", now);
	otlp_events(&j, d, now);
	bw_json_close(&j, ']');
	bw_json_close(&j, '}');
	bw_json_close(&j, ']');
	bw_json_close(&j, '}');
	bw_json_close(&j, ']');
	bw_json_close(&j, '}');
}
