// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/cleanup.h"
#include "guard/api/body.h"
#include "guard/api/inspect_internal.h"
#include "guard/api/json_scan.h"
#include "guard/api/template.h"

/* ---- operations ------------------------------------------------------------------------------------------------------- */

static bool word_char(uint8_t c)
{
	return ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

static struct bw_slice next_word(struct bw_slice *s)
{
	struct bw_slice w;

	while (s->len && (s->data[0] == ' ' || s->data[0] == '\t' || s->data[0] == '\n' || s->data[0] == '\r' || s->data[0] == '\\')) {
		/* in a JSON string a line break is "\n" */
		size_t n = s->data[0] == '\\' && s->len > 1 ? 2 : 1;

		s->data += n;
		s->len -= n;
	}
	w = bw_slice(s->data, 0);
	while (s->len && word_char(s->data[0])) {
		s->data++;
		s->len--;
		w.len++;
	}
	return w;
}

static bool is_word(struct bw_slice w, const char *text)
{
	return w.len == strlen(text) && !memcmp(w.data, text, w.len);
}

/* "query Name(...) {...}", or "{ field }": then the first field names it. */
void inspect_graphql(struct exchange *x, struct bw_slice query)
{
	static const char *const kinds[] = { "query", "mutation", "subscription" };
	struct bw_slice word = next_word(&query), name;
	const char *kind = NULL;
	char text[API_MAX_OPERATION];
	const uint8_t *brace;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (is_word(word, kinds[i]))
			kind = kinds[i];
	if (!kind && (word.len || !query.len || query.data[0] != '{'))
		return;
	name = kind ? next_word(&query) : bw_slice("", 0);
	if (!name.len) {
		brace = memchr(query.data, '{', query.len);
		if (brace) {
			query.len -= (size_t)(brace + 1 - query.data);
			query.data = brace + 1;
			name = next_word(&query);
		}
	}
	snprintf(text, sizeof(text), "%s %.*s", kind ? kind : "query", (int)(name.len < 100 ? name.len : 100), (const char *)name.data);
	x->call.style = API_STYLE_GRAPHQL;
	x->call.operation = exchange_text(x, bw_slice(text, strlen(text)), API_MAX_OPERATION);
}

/* ---- JSON --------------------------------------------------------------------------------------------------------------- */

struct json_walk {
	struct inspect *in;
	struct exchange *x;
	enum exchange_side side;
	enum api_place place;
	const uint8_t *text;
	size_t base; /* of this value, when the text holds several */
	const struct pii_result *res;
	uint32_t hit;
	struct bw_slice query, operation_name, rpc_method; /* data NULL: not there */
	bool rpc, rpc_version;
	unsigned int errors;
	int rpc_code;
};

static void note_operation(struct json_walk *w, const struct json_scan_value *v)
{
	struct bw_slice text = bw_slice(w->text + w->base + v->offset, v->len);
	const char *path = v->path;

	if (!strncmp(path, "[].", 3)) /* a batch */
		path += 3;
	if (w->side == EXCHANGE_RESPONSE) {
		if (!strcmp(path, "error.code") && v->type == API_TYPE_INTEGER && !w->rpc_code) {
			char number[16] = "";

			memcpy(number, text.data, text.len < 15 ? text.len : 15);
			w->rpc_code = (int)strtol(number, NULL, 10);
		} else if (!strcmp(path, "errors[]")) {
			w->errors++;
		}
		return;
	}
	if (v->type != API_TYPE_STRING)
		return;
	if (!strcmp(path, "query") && !w->query.data)
		w->query = text;
	else if (!strcmp(path, "operationName") && !w->operation_name.data)
		w->operation_name = text;
	else if (!strcmp(path, "method") && !w->rpc_method.data)
		w->rpc_method = text;
	else if (!strcmp(path, "jsonrpc"))
		w->rpc_version = true;
}

static bool json_value(void *arg, const struct json_scan_value *v)
{
	struct json_walk *w = arg;
	uint64_t end = w->base + v->offset + v->len;

	if (*v->path)
		inspect_field(w->in, w->x, w->place, v->path, v->type, bw_slice(w->text + w->base + v->offset, v->len));
	note_operation(w, v);
	/* Containers are as long as their first byte here: what is inside belongs to who is inside. */
	if (v->type != API_TYPE_OBJECT && v->type != API_TYPE_ARRAY)
		for (; w->hit < w->res->n_hits && w->res->hits[w->hit].offset < end; w->hit++)
			inspect_hit(w->in, w->x, w->place, v->path, &w->res->hits[w->hit]);
	return true;
}

static void take_operation(struct json_walk *w)
{
	struct api_call *c = &w->x->call;

	if (w->side == EXCHANGE_RESPONSE) {
		if (c->style == API_STYLE_JSON_RPC)
			c->rpc_error = w->rpc_code;
		else if (c->style == API_STYLE_GRAPHQL)
			c->rpc_error = (int)(w->errors < 1000 ? w->errors : 1000);
		return;
	}
	if (w->rpc_version && w->rpc_method.data) {
		char name[API_MAX_NAME];

		api_template_name(w->rpc_method, name);
		c->style = API_STYLE_JSON_RPC;
		c->operation = exchange_text(w->x, bw_slice(name, strlen(name)), API_MAX_OPERATION);
	} else if (w->query.data) {
		inspect_graphql(w->x, w->query);
		/* A name that is given beside the document says which of its operations is meant. */
		if (c->style == API_STYLE_GRAPHQL && w->operation_name.len) {
			char text[API_MAX_OPERATION], name[API_MAX_NAME];
			size_t kind = strcspn(c->operation, " ");

			api_template_name(w->operation_name, name);
			snprintf(text, sizeof(text), "%.*s %.90s", (int)(kind < 16 ? kind : 16), c->operation, name);
			c->operation = exchange_text(w->x, bw_slice(text, strlen(text)), API_MAX_OPERATION);
		}
	}
}

/* @lines: one value after another (NDJSON); otherwise one. */
static void take_json(struct json_walk *w, struct bw_slice text, bool whole, bool lines)
{
	enum json_scan_result r;
	size_t end = 0;

	w->text = text.data;
	do {
		struct bw_slice rest = bw_slice(text.data + w->base, text.len - w->base);

		r = json_scan(rest, json_value, w, &end);
		w->base += end;
		while (w->base < text.len && strchr(" \t\r\n", text.data[w->base]))
			w->base++;
	} while (lines && r == JSON_SCAN_OK && end && w->base < text.len);
	if (whole && (r == JSON_SCAN_BAD || (r == JSON_SCAN_OK && w->base < text.len) || (r == JSON_SCAN_CUT && text.len && !lines)))
		w->x->call.findings |= 1ull << API_FIND_BAD_JSON;
	take_operation(w);
}

/* ---- other bodies -------------------------------------------------------------------------------------------------------- */

static const uint8_t *find(struct bw_slice in, const char *what, size_t len)
{
	return memmem(in.data, in.len, what, len);
}

/* The value of name="..." in the headers of a part. */
static bool part_attribute(struct bw_slice head, const char *attribute, struct bw_slice *ret)
{
	size_t len = strlen(attribute);
	struct bw_slice rest = head;
	const uint8_t *p, *end;

	while ((p = find(rest, attribute, len))) {
		/* "filename=" ends in "name=" */
		if (p > head.data && (p[-1] == ' ' || p[-1] == ';' || p[-1] == '\t'))
			break;
		rest = bw_slice(p + len, (size_t)(rest.data + rest.len - p) - len);
	}
	if (!p)
		return false;
	p += len;
	if (p < head.data + head.len && *p == '"') {
		p++;
		end = memchr(p, '"', (size_t)(head.data + head.len - p));
	} else {
		end = memchr(p, '\r', (size_t)(head.data + head.len - p));
	}
	if (!end)
		end = head.data + head.len;
	*ret = bw_slice(p, (size_t)(end - p));
	return true;
}

static void take_multipart(struct inspect *in, struct exchange *x, enum exchange_side side, enum api_place place, struct bw_slice text,
			   const struct pii_result *res)
{
	char marker[80];
	size_t mlen = (size_t)snprintf(marker, sizeof(marker), "--%s", x->boundary[side]);
	struct bw_slice rest = text;
	const uint8_t *p = find(rest, marker, mlen);
	uint32_t hit = 0;

	while (p && *x->boundary[side]) {
		const uint8_t *end = text.data + text.len, *body, *next;
		struct bw_slice head, name, file;
		char safe[API_MAX_NAME] = "";

		p += mlen;
		rest = bw_slice(p, (size_t)(end - p));
		next = find(rest, marker, mlen);
		body = find(rest, "\r\n\r\n", 4);
		if (!body || (next && body > next))
			break;
		head = bw_slice(p, (size_t)(body - p));
		body += 4;
		if (part_attribute(head, "name=", &name)) {
			bool is_file = part_attribute(head, "filename=", &file);
			const uint8_t *stop = next && next - 2 >= body ? next - 2 : next ? next : end;

			api_template_name(name, safe);
			inspect_field(in, x, place, safe, is_file ? API_TYPE_FILE : API_TYPE_STRING, bw_slice(body, (size_t)(stop - body)));
		}
		for (; hit < res->n_hits && res->hits[hit].offset < (uint64_t)((next ? next : end) - text.data); hit++)
			inspect_hit(in, x, place, safe, &res->hits[hit]);
		p = next;
	}
	for (; hit < res->n_hits; hit++)
		inspect_hit(in, x, place, "", &res->hits[hit]);
}

/* Hits of a text without fields of ours: the detector says which name stood before the value. */
static void take_hits(struct inspect *in, struct exchange *x, enum api_place place, const struct pii_result *res, uint32_t from)
{
	for (uint32_t i = from; i < res->n_hits; i++) {
		char name[API_MAX_NAME] = "";

		if (res->hits[i].field.len)
			api_template_name(res->hits[i].field, name);
		inspect_hit(in, x, place, name, &res->hits[i]);
	}
}

static uint32_t count_events(struct bw_slice text)
{
	uint32_t n = 0;

	for (size_t i = 0; i + 5 <= text.len; i++)
		n += (!i || text.data[i - 1] == '\n') && !memcmp(text.data + i, "data:", 5);
	return n;
}

/* ---- all of them ---------------------------------------------------------------------------------------------------------- */

static bool has(const char *type, const char *part)
{
	return strstr(type, part) != NULL;
}

static bool is_opaque_type(const char *t)
{
	return !strncmp(t, "image/", 6) || !strncmp(t, "video/", 6) || !strncmp(t, "audio/", 6) || !strncmp(t, "font/", 5) ||
	       has(t, "zip") || has(t, "wasm") || !strcmp(t, "application/pdf");
}

static bool looks_like_json(struct bw_slice text)
{
	size_t i = 0;

	while (i < text.len && strchr(" \t\r\n", text.data[i]) && text.data[i])
		i++;
	return i < text.len && (text.data[i] == '{' || text.data[i] == '[');
}

static void look(struct inspect *in, struct exchange *x, enum exchange_side side, struct bw_slice text, bool whole)
{
	enum api_place place = side == EXCHANGE_REQUEST ? API_AT_REQUEST_BODY : API_AT_RESPONSE_BODY;
	const char *type = exchange_message(x, side)->content_type;
	struct pii_result res = { 0 };
	struct json_walk w = { .in = in, .x = x, .side = side, .place = place, .res = &res };

	if (is_opaque_type(type))
		return;
	if (x->grpc[side] || has(type, "protobuf") || !strcmp(type, "application/octet-stream")) {
		inspect_scan(in, x, text, PII_CONTENT_BINARY, NULL, &res);
		take_hits(in, x, place, &res, 0);
	} else if (has(type, "json") || (!*type && looks_like_json(text))) {
		inspect_scan(in, x, text, PII_CONTENT_JSON, NULL, &res);
		take_json(&w, text, whole, has(type, "ndjson") || has(type, "json-seq") || has(type, "jsonl"));
		take_hits(in, x, place, &res, w.hit); /* behind the place where it stopped being JSON */
	} else if (!strcmp(type, "application/graphql")) {
		inspect_graphql(x, text);
		inspect_scan(in, x, text, PII_CONTENT_AUTO, NULL, &res);
		take_hits(in, x, place, &res, 0);
	} else if (!strcmp(type, "application/x-www-form-urlencoded")) {
		inspect_form(in, x, place, text);
	} else if (!strncmp(type, "multipart/", 10)) {
		inspect_scan(in, x, text, PII_CONTENT_MULTIPART, NULL, &res);
		take_multipart(in, x, side, place, text, &res);
	} else {
		if (!strcmp(type, "text/event-stream"))
			exchange_message(x, side)->messages = count_events(text);
		inspect_scan(in, x, text, has(type, "xml") ? PII_CONTENT_XML : PII_CONTENT_AUTO, NULL, &res);
		take_hits(in, x, place, &res, 0);
	}
}

void inspect_body(struct inspect *in, struct exchange *x, enum exchange_side side)
{
	struct exchange_body *b = &x->body[side];
	struct api_message *m = exchange_message(x, side);
	struct bw_slice text = bw_slice(b->data ? b->data : (const uint8_t *)"", b->len);
	bool whole = !b->cut && !b->broken;

	if (x->grpc[side]) {
		m->messages = x->grpc[side]->messages;
		if (x->call.style == API_STYLE_GRPC_WEB && side == EXCHANGE_RESPONSE && x->call.grpc_status < 0)
			x->call.grpc_status = grpc_web_status(x->grpc[side]);
	}
	if (b->cut)
		x->call.flags |= API_CALL_BODY_CUT;
	m->decoded_bytes = text.len;
	if (text.len && body_is_coded(m->coding)) {
		enum body_result r;

		bw_buf_reset(&in->decoded);
		r = body_decode(m->coding, text, in->max_body, &in->decoded);
		text = bw_slice(bw_buf_cstr(&in->decoded), in->decoded.len);
		m->decoded_bytes = text.len;
		whole = whole && r == BODY_WHOLE;
		if (r == BODY_CUT && !b->cut && !b->broken)
			x->call.flags |= API_CALL_BODY_CUT;
		if (r == BODY_BOMB)
			x->call.findings |= 1ull << API_FIND_BODY_BOMB;
		if (r == BODY_BAD && !b->broken)
			x->call.findings |= 1ull << API_FIND_BAD_CODING;
		if (r == BODY_BAD || r == BODY_UNKNOWN)
			x->call.flags |= API_CALL_BODY_OPAQUE;
	}
	if (text.len)
		look(in, x, side, text, whole);
	inspect_extract(in, x);
	if (in->decoded.data)
		explicit_bzero(in->decoded.data, in->decoded.len);
	exchange_body_free(x, side);
}
