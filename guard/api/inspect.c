// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/api/inspect.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/cleanup.h"
#include "guard/api/http1.h"
#include "guard/api/inspect_internal.h"
#include "guard/api/template.h"

#define MAX_MARKS 64u

void inspect_free(struct inspect *in)
{
	if (in->decoded.data)
		explicit_bzero(in->decoded.data, in->decoded.cap);
	if (in->text.data)
		explicit_bzero(in->text.data, in->text.cap);
	bw_buf_free(&in->decoded);
	bw_buf_free(&in->text);
}

/* ---- personal data and custom rules ---------------------------------------------------------------------------------- */

bool inspect_scan(struct inspect *in, struct exchange *x, struct bw_slice bytes, enum pii_content content, const char *field,
		  struct pii_result *ret)
{
	const struct pii_context ctx = { .field = field, .content = content };

	if (!in->scanner || !bytes.len)
		return false;
	if (pii_scan(in->scanner, bytes, &ctx, ret) < 0) {
		x->call.flags |= API_CALL_BODY_OPAQUE;
		return false;
	}
	if (ret->dropped || ret->partial_decode)
		x->call.flags |= API_CALL_LIMIT;
	return true;
}

void inspect_hit(struct inspect *in, struct exchange *x, enum api_place place, const char *name, const struct pii_hit *hit)
{
	const struct api_extract_rule *r =
		in->extract ? api_extract_find(in->extract, x->call.host, x->call.path, place, name) : NULL;
	const struct pii_class *c = pii_class(in->rules, hit->class_id);
	uint64_t hash = 0;

	/* A field that custom rules drop is not known, but that it is personal must be. */
	if (r && r->action == API_EXTRACT_RENAME)
		name = r->as;
	else if (r && r->action == API_EXTRACT_DROP)
		name = "";

	if (!c)
		return;
	if (in->key && pii_hash(in->key, in->rules, hit, &hash) < 0)
		hash = 0;
	exchange_pii(x, place, name, hit->class_id, c->name, hash);
}

static void extract_value(struct inspect *in, struct exchange *x, const struct api_extract_rule *r, struct bw_slice value)
{
	_cleanup_buf_ struct bw_buf out = { 0 };

	if (value.len > API_EXTRACT_MAX_LENGTH)
		value.len = API_EXTRACT_MAX_LENGTH;
	if (r->action == API_EXTRACT_HASH) {
		uint8_t mac[EVP_MAX_MD_SIZE];
		unsigned int len = 0;

		/* Without the installation's key a hash would be a riddle that can be tried out. */
		if (!in->key || !HMAC(EVP_sha256(), in->key->bytes, sizeof(in->key->bytes), value.data, value.len, mac, &len) || len < 8)
			return;
		bw_buf_hex(&out, mac, 8);
	} else if (in->scanner) {
		const struct pii_context ctx = { .field = r->name, .content = PII_CONTENT_TEXT };

		pii_redact_text(in->scanner, value, &ctx, &out);
		if (out.len > r->max_length)
			out.len = r->max_length;
	} else {
		return; /* what was not looked at is not recorded */
	}
	if (!bw_buf_error(&out))
		exchange_extracted(x, r->as, bw_slice(bw_buf_cstr(&out), out.len));
}

void inspect_field(struct inspect *in, struct exchange *x, enum api_place place, const char *name, uint32_t types, struct bw_slice value)
{
	const struct api_extract_rule *r =
		in->extract ? api_extract_find(in->extract, x->call.host, x->call.path, place, name) : NULL;

	if (!r) {
		exchange_field(x, place, name, types);
		return;
	}
	switch (r->action) {
	case API_EXTRACT_DROP:
		return;
	case API_EXTRACT_RENAME:
		exchange_field(x, place, r->as, types);
		return;
	default:
		exchange_field(x, place, name, types);
		if (!(types & (API_TYPE_STRING | API_TYPE_INTEGER | API_TYPE_NUMBER | API_TYPE_BOOL)))
			return;
		if (in->nwanted == ARRAY_SIZE(in->wanted)) {
			x->call.flags |= API_CALL_LIMIT;
			return;
		}
		in->wanted[in->nwanted].rule = r;
		in->wanted[in->nwanted++].value = value;
	}
}

void inspect_extract(struct inspect *in, struct exchange *x)
{
	for (unsigned int i = 0; i < in->nwanted; i++)
		extract_value(in, x, in->wanted[i].rule, in->wanted[i].value);
	in->nwanted = 0;
}

/* ---- target ------------------------------------------------------------------------------------------------------------ */

static bool next_pair(struct bw_slice *text, struct bw_slice *name, struct bw_slice *value)
{
	const uint8_t *amp, *eq;
	size_t n;

	if (!text->len)
		return false;
	amp = memchr(text->data, '&', text->len);
	n = amp ? (size_t)(amp - text->data) : text->len;
	eq = memchr(text->data, '=', n);
	*name = bw_slice(text->data, eq ? (size_t)(eq - text->data) : n);
	*value = eq ? bw_slice(eq + 1, n - name->len - 1) : bw_slice("", 0);
	text->data += n + (amp != NULL);
	text->len -= n + (amp != NULL);
	return true;
}

static uint32_t type_of_text(struct bw_slice v)
{
	size_t i = v.len && v.data[0] == '-';

	if (i == v.len)
		return API_TYPE_STRING;
	for (; i < v.len; i++)
		if (v.data[i] < '0' || v.data[i] > '9')
			return (v.len == 4 && !memcmp(v.data, "true", 4)) || (v.len == 5 && !memcmp(v.data, "false", 5)) ? API_TYPE_BOOL :
													       API_TYPE_STRING;
	return API_TYPE_INTEGER;
}

static bool is_api_key_name(const char *name)
{
	static const char *const names[] = { "api_key", "apikey", "api-key", "x-api-key", "x-apikey", "access_token", "x-auth-token",
					     "x-access-token", "x-functions-key", "ocp-apim-subscription-key", "private-token" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcasecmp(name, names[i]))
			return true;
	return false;
}

void inspect_form(struct inspect *in, struct exchange *x, enum api_place place, struct bw_slice text)
{
	const uint8_t *start = text.data;
	struct pii_result res = { 0 };
	struct bw_slice rest = text, name, value;
	char safe[API_MAX_NAME];
	uint32_t h = 0;

	inspect_scan(in, x, text, PII_CONTENT_FORM, NULL, &res);
	while (next_pair(&rest, &name, &value)) {
		uint64_t end = (uint64_t)((value.len ? value.data + value.len : name.data + name.len) - start);
		bool in_name = h < res.n_hits && res.hits[h].offset < (uint64_t)(name.data - start) + name.len;

		if (!name.len && !value.len)
			continue;
		if (in_name)
			memcpy(safe, "{value}", sizeof("{value}")); /* the name itself is personal */
		else
			api_template_name(name, safe);
		inspect_field(in, x, place, safe, type_of_text(value), value);
		if (place == API_AT_QUERY && is_api_key_name(safe))
			x->call.auth |= API_AUTH_API_KEY;
		if (!strcmp(safe, "query") && strstr(x->call.path, "graphql")) {
			uint8_t buf[512];
			size_t n;

			if (value.len > sizeof(buf))
				value.len = sizeof(buf);
			if (api_percent_decode(value, true, buf, sizeof(buf), &n))
				inspect_graphql(x, bw_slice(buf, n));
		}
		for (; h < res.n_hits && res.hits[h].offset < end; h++)
			inspect_hit(in, x, place, safe, &res.hits[h]);
	}
}

static void take_path(struct inspect *in, struct exchange *x, struct bw_slice path)
{
	struct api_template_mark marks[MAX_MARKS];
	char text[API_MAX_PATH];
	struct pii_result res = { 0 };
	size_t n = 0;

	if (inspect_scan(in, x, path, PII_CONTENT_FORM, NULL, &res)) {
		for (uint32_t i = 0; i < res.n_hits; i++) {
			const struct pii_class *c = pii_class(in->rules, res.hits[i].class_id);

			inspect_hit(in, x, API_AT_PATH, "", &res.hits[i]);
			if (n < MAX_MARKS && c)
				marks[n++] = (struct api_template_mark){ res.hits[i].offset, res.hits[i].length, c->name };
		}
	}
	if (!api_template_path(path, marks, n, !in->scanner, text))
		x->call.flags |= API_CALL_LIMIT;
	x->call.path = exchange_text(x, bw_slice(text, strlen(text)), API_MAX_PATH - 1);
}

void inspect_host(struct exchange *x, struct bw_slice host)
{
	const uint8_t *colon, *at;

	if (!host.len)
		return;
	colon = memrchr(host.data, ':', host.len);
	at = memrchr(host.data, '@', host.len);
	if (at) { /* user information is no part of the name */
		host.len -= (size_t)(at - host.data) + 1;
		host.data = at + 1;
	}
	if (colon && colon > host.data &&
	    ((host.data + host.len - colon == 3 && !memcmp(colon, ":80", 3)) || (host.data + host.len - colon == 4 && !memcmp(colon, ":443", 4))))
		host.len = (size_t)(colon - host.data);
	/* What cannot be a host is not kept: it may be anything. */
	for (size_t i = 0; i < host.len; i++) {
		uint8_t c = host.data[i];

		if (!((c | 0x20) >= 'a' && (c | 0x20) <= 'z') && !(c >= '0' && c <= '9') && !strchr("-._:[]", c)) {
			x->call.host = "{value}";
			return;
		}
	}
	if (host.len && host.len <= API_MAX_HOST)
		x->call.host = exchange_text_lower(x, host, API_MAX_HOST);
}

void inspect_target(struct inspect *in, struct exchange *x, struct bw_slice method, struct bw_slice target)
{
	const uint8_t *q;
	struct bw_slice path;

	if (!target.len)
		target = bw_slice("", 0);
	path = target;
	x->call.method = exchange_text(x, method, API_MAX_METHOD);
	x->head_request = http1_equal(method, "head");
	if (http1_equal(method, "connect")) {
		inspect_host(x, target);
		x->call.path = "";
		return;
	}
	/* absolute-form: scheme and authority come first (RFC 9112 3.2.2) */
	if (target.len > 8 && (!strncasecmp((const char *)target.data, "http://", 7) || !strncasecmp((const char *)target.data, "https://", 8))) {
		size_t start = target.data[4] == ':' ? 7 : 8, end = start;

		while (end < target.len && target.data[end] != '/' && target.data[end] != '?')
			end++;
		inspect_host(x, bw_slice(target.data + start, end - start));
		path = bw_slice(target.data + end, target.len - end);
	}
	for (size_t i = 0; i < path.len; i++)
		if (path.data[i] == '#')
			path.len = i;
	q = memchr(path.data, '?', path.len);
	take_path(in, x, bw_slice(path.data, q ? (size_t)(q - path.data) : path.len));
	if (q)
		inspect_form(in, x, API_AT_QUERY, bw_slice(q + 1, path.len - (size_t)(q - path.data) - 1));
	inspect_extract(in, x);
}

/* ---- headers ----------------------------------------------------------------------------------------------------------- */

static int hex_digit(uint8_t c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool unhex(const uint8_t *in, size_t n, uint8_t *out)
{
	uint8_t any = 0;

	for (size_t i = 0; i < n; i++) {
		int hi = hex_digit(in[2 * i]), lo = hex_digit(in[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return false;
		out[i] = (uint8_t)(hi << 4 | lo);
		any |= out[i];
	}
	return any;
}

/* W3C Trace Context: version-traceid-parentid-flags */
static void take_traceparent(struct exchange *x, struct bw_slice v)
{
	struct api_trace t = { .seen = true };
	uint8_t flags;

	if (v.len < 55 || v.data[2] != '-' || v.data[35] != '-' || v.data[52] != '-' || (v.len > 55 && v.data[55] != '-') ||
	    !memcmp(v.data, "ff", 2) || hex_digit(v.data[0]) < 0 || hex_digit(v.data[1]) < 0)
		return;
	if (!unhex(v.data + 3, 16, t.trace_id) || !unhex(v.data + 36, 8, t.parent_id))
		return;
	if (hex_digit(v.data[53]) < 0 || hex_digit(v.data[54]) < 0)
		return;
	flags = (uint8_t)(hex_digit(v.data[53]) << 4 | hex_digit(v.data[54]));
	t.flags = flags;
	t.linked_call = x->call.trace.linked_call;
	memcpy(t.span_id, x->call.trace.span_id, sizeof(t.span_id));
	x->call.trace = t;
}

static void take_authorization(struct exchange *x, struct bw_slice v)
{
	static const struct {
		const char *scheme;
		uint32_t bit;
	} schemes[] = { { "basic", API_AUTH_BASIC }, { "bearer", API_AUTH_BEARER }, { "digest", API_AUTH_DIGEST }, { "negotiate", API_AUTH_NEGOTIATE },
			{ "ntlm", API_AUTH_NEGOTIATE }, { "aws4-hmac-sha256", API_AUTH_SIGNATURE }, { "signature", API_AUTH_SIGNATURE },
			{ "hmac", API_AUTH_SIGNATURE }, { "apikey", API_AUTH_API_KEY }, { "token", API_AUTH_BEARER } };
	size_t n = 0;

	while (n < v.len && v.data[n] != ' ' && v.data[n] != '\t')
		n++;
	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
		if (http1_equal(bw_slice(v.data, n), schemes[i].scheme)) {
			x->call.auth |= schemes[i].bit;
			return;
		}
	}
	if (v.len)
		x->call.auth |= API_AUTH_OTHER;
}

static bool is_session_cookie(const char *name)
{
	static const char *const parts[] = { "sess", "sid", "auth", "token", "jwt", "login" };

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (strcasestr(name, parts[i]))
			return true;
	return false;
}

/* "a=1; b=2" of a request; of a response only the first is a cookie, the others are its attributes. */
static void take_cookies(struct inspect *in, struct exchange *x, enum exchange_side side, struct bw_slice v)
{
	enum api_place place = side == EXCHANGE_REQUEST ? API_AT_REQUEST_COOKIE : API_AT_RESPONSE_COOKIE;

	while (v.len) {
		const uint8_t *semi = memchr(v.data, ';', v.len), *eq;
		size_t n = semi ? (size_t)(semi - v.data) : v.len;
		char name[API_MAX_NAME];

		eq = memchr(v.data, '=', n);
		if (eq) {
			api_template_name(bw_slice(v.data, (size_t)(eq - v.data)), name);
			inspect_field(in, x, place, name, API_TYPE_STRING, bw_slice(eq + 1, n - (size_t)(eq + 1 - v.data)));
			if (side == EXCHANGE_REQUEST && is_session_cookie(name))
				x->call.auth |= API_AUTH_COOKIE;
		}
		n += semi != NULL;
		v.data += n;
		v.len -= n;
		while (v.len && v.data[0] == ' ') {
			v.data++;
			v.len--;
		}
		if (side == EXCHANGE_RESPONSE)
			return;
	}
}

static void take_content_type(struct exchange *x, enum exchange_side side, struct bw_slice v)
{
	struct api_message *m = exchange_message(x, side);
	size_t n = 0;

	while (n < v.len && v.data[n] != ';' && v.data[n] != ',')
		n++;
	while (n && (v.data[n - 1] == ' ' || v.data[n - 1] == '\t'))
		n--;
	m->content_type = exchange_text_lower(x, bw_slice(v.data, n), API_MAX_MEDIA_TYPE);
	if (!strncmp(m->content_type, "multipart/", 10)) {
		for (; n + 9 < v.len; n++) {
			struct bw_slice b = bw_slice(v.data + n + 9, v.len - n - 9);

			if (strncasecmp((const char *)v.data + n, "boundary=", 9))
				continue;
			if (b.data[0] == '"') {
				const uint8_t *end = memchr(b.data + 1, '"', b.len - 1);

				b = bw_slice(b.data + 1, end ? (size_t)(end - b.data) - 1 : b.len - 1);
			} else {
				const uint8_t *end = memchr(b.data, ';', b.len);

				if (end)
					b.len = (size_t)(end - b.data);
			}
			x->boundary[side] = exchange_text(x, b, 70);
			break;
		}
	}
	if (!strncmp(m->content_type, "application/grpc-web", 20)) {
		x->call.style = API_STYLE_GRPC_WEB;
		/* grpc-web-text is base64: its messages are not counted */
		if (strncmp(m->content_type, "application/grpc-web-text", 25))
			exchange_grpc(x, side);
	} else if (!strncmp(m->content_type, "application/grpc", 16)) {
		x->call.style = API_STYLE_GRPC;
		exchange_grpc(x, side);
	} else if (!strcmp(m->content_type, "text/event-stream") && side == EXCHANGE_RESPONSE) {
		x->call.style = API_STYLE_SSE;
	}
	if ((x->call.style == API_STYLE_GRPC || x->call.style == API_STYLE_GRPC_WEB) && !*x->call.operation &&
	    grpc_is_path(bw_slice(x->call.path, strlen(x->call.path))))
		x->call.operation = exchange_text(x, bw_slice(x->call.path + 1, strlen(x->call.path) - 1), API_MAX_OPERATION);
}

static void take_length(struct exchange *x, enum exchange_side side, struct bw_slice v)
{
	uint64_t n = 0;

	for (size_t i = 0; i < v.len; i++) {
		if (v.data[i] < '0' || v.data[i] > '9' || n > UINT64_MAX / 10 - 1)
			return;
		n = n * 10 + (v.data[i] - '0');
	}
	if (v.len)
		x->content_length[side] = n;
}

static void take_header(struct inspect *in, struct exchange *x, enum exchange_side side, const char *name, struct bw_slice v)
{
	bool request = side == EXCHANGE_REQUEST;

	if (!strcmp(name, "content-type")) {
		take_content_type(x, side, v);
	} else if (!strcmp(name, "content-encoding")) {
		exchange_message(x, side)->coding = exchange_text_lower(x, v, 64);
	} else if (!strcmp(name, "content-length")) {
		take_length(x, side, v);
	} else if (!strcmp(name, request ? "cookie" : "set-cookie")) {
		take_cookies(in, x, side, v);
	} else if (!strcmp(name, "grpc-status")) {
		if (!request)
			x->call.grpc_status = grpc_status_parse(v);
	} else if (!request) {
		return;
	} else if (!strcmp(name, "host")) {
		if (!*x->call.host)
			inspect_host(x, v);
	} else if (!strcmp(name, "authorization")) {
		take_authorization(x, v);
	} else if (!strcmp(name, "traceparent")) {
		take_traceparent(x, v);
	} else if (!strcmp(name, "upgrade")) {
		if (http1_has_token(v, "websocket"))
			x->call.style = API_STYLE_WEBSOCKET;
	} else if (is_api_key_name(name) && v.len) {
		x->call.auth |= API_AUTH_API_KEY;
	}
}

/* Personal data in headers: all of them as one text, so that the detectors run once. */
static void scan_headers(struct inspect *in, struct exchange *x, enum exchange_side side, const struct inspect_header *h, size_t n)
{
	bool request = side == EXCHANGE_REQUEST;
	struct pii_result res = { 0 };
	uint64_t end = 0;
	uint32_t hit = 0;

	if (!in->scanner)
		return;
	bw_buf_reset(&in->text);
	for (size_t i = 0; i < n; i++) {
		bw_buf_append(&in->text, h[i].name.data, h[i].name.len);
		bw_buf_str(&in->text, ": ");
		bw_buf_append(&in->text, h[i].value.data, h[i].value.len);
		bw_buf_char(&in->text, '\n');
	}
	if (bw_buf_error(&in->text)) {
		x->call.flags |= API_CALL_LIMIT;
		return;
	}
	if (!inspect_scan(in, x, bw_slice(bw_buf_cstr(&in->text), in->text.len), PII_CONTENT_HEADERS, NULL, &res))
		return;
	for (size_t i = 0; i < n && hit < res.n_hits; i++) {
		enum api_place place = request ? API_AT_REQUEST_HEADER : API_AT_RESPONSE_HEADER;
		char name[API_MAX_NAME];

		end += h[i].name.len + h[i].value.len + 3;
		if (res.hits[hit].offset >= end)
			continue;
		api_template_name(h[i].name, name);
		for (; hit < res.n_hits && res.hits[hit].offset < end; hit++)
			inspect_hit(in, x, place, name, &res.hits[hit]);
	}
	explicit_bzero(in->text.data, in->text.len);
}

void inspect_headers(struct inspect *in, struct exchange *x, enum exchange_side side, const struct inspect_header *h, size_t n)
{
	enum api_place place = side == EXCHANGE_REQUEST ? API_AT_REQUEST_HEADER : API_AT_RESPONSE_HEADER;

	/* The host first: custom rules may ask for it. */
	for (size_t i = 0; i < n && side == EXCHANGE_REQUEST && !*x->call.host; i++)
		if (!h[i].unknown && http1_equal(h[i].name, "host"))
			inspect_host(x, h[i].value);
	for (size_t i = 0; i < n; i++) {
		char name[API_MAX_NAME];

		if (!h[i].name.len) {
			x->call.flags |= API_CALL_HEADERS_UNKNOWN;
			continue;
		}
		api_template_name(h[i].name, name);
		for (char *p = name; *p; p++)
			if (*p >= 'A' && *p <= 'Z')
				*p = (char)(*p | 0x20);
		inspect_field(in, x, place, name, API_TYPE_STRING, h[i].value);
		if (h[i].unknown)
			x->call.flags |= API_CALL_HEADERS_UNKNOWN;
		else
			take_header(in, x, side, name, h[i].value);
	}
	scan_headers(in, x, side, h, n);
	inspect_extract(in, x);
}
