// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/api/view.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/slice.h"

/* RFC 3339, UTC, nanoseconds */
static void put_time(struct bw_json *j, const char *key, int64_t ns)
{
	time_t s = (time_t)(ns / 1000000000);
	char text[64];
	struct tm tm;
	size_t n;

	if (ns <= 0 || !gmtime_r(&s, &tm))
		return;
	n = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + n, sizeof(text) - n, ".%09dZ", (int)(ns % 1000000000));
	bw_json_str(j, key, text);
}

static int64_t wall(const struct api_view_context *ctx, uint64_t boot_ns)
{
	return boot_ns ? (int64_t)boot_ns + ctx->boot_offset_ns : 0;
}

static void put_bits(struct bw_json *j, const char *key, uint64_t bits, const char *(*name)(unsigned int))
{
	if (!bits)
		return;
	bw_json_open(j, key, '[');
	for (unsigned int i = 0; i < 64 && bits >> i; i++)
		if (bits & (1ull << i))
			bw_json_str(j, NULL, name(i));
	bw_json_close(j, ']');
}

static void put_fields(struct bw_json *j, const char *key, const struct api_call *c, enum api_place place)
{
	bool any = false;

	for (uint32_t i = 0; i < c->nfields; i++) {
		if (c->fields[i].place != place)
			continue;
		if (!any)
			bw_json_open(j, key, '[');
		any = true;
		bw_json_str(j, NULL, c->fields[i].name);
	}
	if (any)
		bw_json_close(j, ']');
}

static void put_message(struct bw_json *j, const char *key, const struct api_call *c, const struct api_message *m, bool request)
{
	if (!m->first_ns)
		return;
	bw_json_open(j, key, '{');
	bw_json_u64(j, "head_bytes", m->head_bytes);
	bw_json_u64(j, "body_bytes", m->body_bytes);
	if (m->missing_bytes)
		bw_json_u64(j, "missing_bytes", m->missing_bytes);
	if (m->messages)
		bw_json_u64(j, "messages", m->messages);
	if (*m->content_type)
		bw_json_str(j, "content_type", m->content_type);
	if (*m->coding)
		bw_json_str(j, "coding", m->coding);
	put_fields(j, "headers", c, request ? API_AT_REQUEST_HEADER : API_AT_RESPONSE_HEADER);
	put_fields(j, "cookies", c, request ? API_AT_REQUEST_COOKIE : API_AT_RESPONSE_COOKIE);
	if (request)
		put_fields(j, "query", c, API_AT_QUERY);
	put_fields(j, "fields", c, request ? API_AT_REQUEST_BODY : API_AT_RESPONSE_BODY);
	bw_json_close(j, '}');
}

static void put_pii(struct bw_json *j, const struct api_call *c)
{
	if (!c->npii)
		return;
	bw_json_open(j, "personal_data", '[');
	for (uint32_t i = 0; i < c->npii; i++) {
		const struct api_pii_hit *p = &c->pii[i];
		char hash[24];

		bw_json_open(j, NULL, '{');
		bw_json_str(j, "class", p->class_name);
		bw_json_str(j, "in", api_place_name(p->place));
		if (*p->name)
			bw_json_str(j, "field", p->name);
		bw_json_u64(j, "count", p->count);
		if (p->hash) {
			snprintf(hash, sizeof(hash), "%016" PRIx64, p->hash);
			bw_json_str(j, "hash", hash);
		}
		bw_json_close(j, '}');
	}
	bw_json_close(j, ']');
}

static void put_process(struct bw_json *j, const struct api_call *c)
{
	char text[API_ADDRESS_TEXT];

	bw_json_open(j, "process", '{');
	bw_json_u64(j, "pid", c->tgid);
	bw_json_u64(j, "uid", c->uid);
	bw_json_str(j, "comm", c->comm);
	bw_json_str(j, "exe", c->exe);
	bw_json_u64(j, "cgroup_id", c->cgroup_id);
	bw_json_close(j, '}');
	api_address_text(&c->local, text);
	if (*text)
		bw_json_str(j, "local", text);
	api_address_text(&c->remote, text);
	if (*text)
		bw_json_str(j, "remote", text);
}

static void put_trace(struct bw_json *j, const struct api_call *c)
{
	static const uint8_t zero[8];

	bw_json_hex(j, "trace_id", c->trace.trace_id, sizeof(c->trace.trace_id));
	bw_json_hex(j, "span_id", c->trace.span_id, sizeof(c->trace.span_id));
	if (memcmp(c->trace.parent_id, zero, sizeof(zero)))
		bw_json_hex(j, "parent_id", c->trace.parent_id, sizeof(c->trace.parent_id));
	if (c->trace.linked_call)
		bw_json_u64(j, "served_in", c->trace.linked_call);
}

void api_view_log(const struct api_view_context *ctx, const struct api_call *c, struct bw_buf *out)
{
	const char *exception = api_call_exception(c);
	struct bw_json j = { .buf = out };
	uint64_t duration = api_call_duration_ns(c);

	bw_json_open(&j, NULL, '{');
	bw_json_i64(&j, "v", 1);
	bw_json_u64(&j, "call", c->id);
	put_time(&j, "time", wall(ctx, c->request.first_ns ? c->request.first_ns : c->response.first_ns));
	bw_json_str(&j, "node", ctx->host);
	bw_json_str(&j, "role", api_role_name(c->role));
	bw_json_str(&j, "direction", api_direction_name(c->direction));
	bw_json_str(&j, "source", api_source_name(c->source));
	bw_json_str(&j, "protocol", api_protocol_name(c->protocol));
	bw_json_str(&j, "style", api_style_name(c->style));
	bw_json_str(&j, "method", c->method);
	bw_json_str(&j, "scheme", c->scheme);
	bw_json_str(&j, "host", c->host);
	bw_json_str(&j, "path", c->path);
	if (*c->operation)
		bw_json_str(&j, "operation", c->operation);
	if (c->status)
		bw_json_i64(&j, "status", c->status);
	if (c->grpc_status >= 0)
		bw_json_i64(&j, "grpc_status", c->grpc_status);
	if (c->rpc_error)
		bw_json_i64(&j, "rpc_error", c->rpc_error);
	if (duration)
		bw_json_u64(&j, "duration_ns", duration);
	if (exception)
		bw_json_str(&j, "exception", exception);
	put_bits(&j, "auth", c->auth, api_auth_name);
	put_bits(&j, "flags", c->flags, api_call_flag_name);
	put_bits(&j, "findings", c->findings, api_finding_name);
	put_message(&j, "request", c, &c->request, true);
	put_message(&j, "response", c, &c->response, false);
	put_pii(&j, c);
	if (c->nextracted) {
		bw_json_open(&j, "extracted", '[');
		for (uint32_t i = 0; i < c->nextracted; i++) {
			bw_json_open(&j, NULL, '{');
			bw_json_str(&j, "name", c->extracted[i].name);
			bw_json_str(&j, "value", c->extracted[i].value);
			bw_json_close(&j, '}');
		}
		bw_json_close(&j, ']');
	}
	put_trace(&j, c);
	put_process(&j, c);
	bw_json_close(&j, '}');
}

/* ---- OTLP: OpenTelemetry's semantic conventions for HTTP and RPC ------------------------------------------------------------- */

static void attribute_str(struct bw_json *j, const char *key, const char *value)
{
	if (!*value)
		return;
	bw_json_open(j, NULL, '{');
	bw_json_str(j, "key", key);
	bw_json_open(j, "value", '{');
	bw_json_str(j, "stringValue", value);
	bw_json_close(j, '}');
	bw_json_close(j, '}');
}

/* 64-bit integers are strings in OTLP/JSON. */
static void attribute_int(struct bw_json *j, const char *key, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, value);
	bw_json_open(j, NULL, '{');
	bw_json_str(j, "key", key);
	bw_json_open(j, "value", '{');
	bw_json_str(j, "intValue", text);
	bw_json_close(j, '}');
	bw_json_close(j, '}');
}

static void put_nano(struct bw_json *j, const char *key, int64_t ns)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, ns);
	bw_json_str(j, key, text);
}

static void put_attributes(struct bw_json *j, const struct api_call *c, const char *exception)
{
	char local[API_ADDRESS_TEXT], remote[API_ADDRESS_TEXT];

	api_address_text(&c->local, local);
	api_address_text(&c->remote, remote);
	bw_json_open(j, "attributes", '[');
	attribute_str(j, "http.request.method", c->method);
	attribute_str(j, "url.scheme", c->scheme);
	attribute_str(j, c->role == API_ROLE_CLIENT ? "url.template" : "http.route", c->path);
	attribute_str(j, "server.address", c->host);
	if (c->status)
		attribute_int(j, "http.response.status_code", c->status);
	attribute_str(j, "network.protocol.version", c->protocol == API_PROTO_HTTP2 ? "2" : c->protocol == API_PROTO_HTTP10 ? "1.0" : "1.1");
	attribute_int(j, "http.request.body.size", (int64_t)c->request.body_bytes);
	attribute_int(j, "http.response.body.size", (int64_t)c->response.body_bytes);
	attribute_str(j, "network.local.address", local);
	attribute_str(j, "network.peer.address", remote);
	if (c->style == API_STYLE_GRPC || c->style == API_STYLE_GRPC_WEB) {
		attribute_str(j, "rpc.system", "grpc");
		if (c->grpc_status >= 0)
			attribute_int(j, "rpc.grpc.status_code", c->grpc_status);
	}
	if (c->style == API_STYLE_GRAPHQL)
		attribute_str(j, "graphql.operation.name", c->operation);
	else if (*c->operation)
		attribute_str(j, "rpc.method", c->operation);
	if (exception)
		attribute_str(j, "error.type", exception);
	attribute_int(j, "process.pid", c->tgid);
	for (uint32_t i = 0; i < c->npii; i++) {
		char key[160];

		snprintf(key, sizeof(key), "bpfwarden.personal_data.%s", api_place_name(c->pii[i].place));
		attribute_str(j, key, c->pii[i].class_name);
	}
	bw_json_close(j, ']');
}

void api_view_span(const struct api_view_context *ctx, const struct api_call *c, struct bw_buf *out)
{
	const char *exception = api_call_exception(c);
	struct bw_json j = { .buf = out };
	const uint64_t begin = c->request.first_ns ? c->request.first_ns : c->response.first_ns;
	const uint64_t end = c->response.last_ns ? c->response.last_ns : c->request.last_ns;
	static const uint8_t zero[8];
	char name[API_MAX_METHOD + API_MAX_PATH + 2];

	snprintf(name, sizeof(name), "%s %s", c->method, c->path);
	bw_json_open(&j, NULL, '{');
	bw_json_open(&j, "resourceSpans", '[');
	bw_json_open(&j, NULL, '{');
	bw_json_open(&j, "resource", '{');
	bw_json_open(&j, "attributes", '[');
	attribute_str(&j, "service.name", c->comm);
	attribute_str(&j, "host.name", ctx->host);
	attribute_str(&j, "process.executable.path", c->exe);
	bw_json_close(&j, ']');
	bw_json_close(&j, '}');
	bw_json_open(&j, "scopeSpans", '[');
	bw_json_open(&j, NULL, '{');
	bw_json_open(&j, "scope", '{');
	bw_json_str(&j, "name", "bpfwarden");
	bw_json_close(&j, '}');
	bw_json_open(&j, "spans", '[');
	bw_json_open(&j, NULL, '{');
	bw_json_hex(&j, "traceId", c->trace.trace_id, sizeof(c->trace.trace_id));
	bw_json_hex(&j, "spanId", c->trace.span_id, sizeof(c->trace.span_id));
	if (memcmp(c->trace.parent_id, zero, sizeof(zero)))
		bw_json_hex(&j, "parentSpanId", c->trace.parent_id, sizeof(c->trace.parent_id));
	bw_json_u64(&j, "flags", c->trace.flags);
	bw_json_str(&j, "name", *c->operation && c->style == API_STYLE_GRPC ? c->operation : name);
	bw_json_u64(&j, "kind", c->role == API_ROLE_CLIENT ? 3 : 2); /* SPAN_KIND_CLIENT, SPAN_KIND_SERVER */
	put_nano(&j, "startTimeUnixNano", wall(ctx, begin));
	put_nano(&j, "endTimeUnixNano", wall(ctx, end > begin ? end : begin));
	put_attributes(&j, c, exception);
	bw_json_open(&j, "status", '{');
	if (exception)
		bw_json_u64(&j, "code", 2); /* STATUS_CODE_ERROR */
	bw_json_close(&j, '}');
	bw_json_close(&j, '}');
	bw_json_close(&j, ']');
	bw_json_close(&j, '}');
	bw_json_close(&j, ']');
	bw_json_close(&j, '}');
	bw_json_close(&j, ']');
	bw_json_close(&j, '}');
}

bool api_view_sampled(const struct api_call *c, unsigned int permille)
{
	uint64_t n = bw_get_u64(c->trace.trace_id + 8, true);

	if (permille >= 1000 || c->npii || api_call_exception(c))
		return true;
	for (unsigned int i = 0; i < API_FINDINGS; i++)
		if ((c->findings & (1ull << i)) && api_finding_is_smuggling(i))
			return true;
	/* The last 56 bits of a trace's id are random by W3C Trace Context, level 2. */
	return (n & 0xffffffffffffffull) < (0x100000000000000ull / 1000) * permille;
}
