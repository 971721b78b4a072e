// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * bpfwarden api openapi: the catalogue of one host as an OpenAPI 3.1 document. What was seen is what it says: a field that no
 * call had is not there, and nothing is "required" but parameters in a path.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "auditor/cmd/api_common.h"
#include "auditor/commands.h"
#include "common/cleanup.h"
#include "common/opts.h"
#include "common/term.h"

/* ---- schemas: "user.emails[]" = string, ... as a tree ------------------------------------------------------------------- */

#define MAX_NODES 2048u

struct node {
	char name[128];
	bool item; /* an element of an array */
	uint32_t types; /* bit per row of type_names */
	const char *class_name; /* of personal data; NULL */
	struct node *child, *next;
};

struct tree {
	struct node nodes[MAX_NODES];
	unsigned int n;
};

static const char *const type_names[] = { "null", "boolean", "integer", "number", "string", "object", "array" };
#define TYPE_OBJECT (1u << 5)
#define TYPE_ARRAY (1u << 6)

static struct node *child(struct tree *t, struct node *parent, const char *name, size_t len, bool item)
{
	struct node **at = &parent->child;

	parent->types |= item ? TYPE_ARRAY : TYPE_OBJECT;
	while (*at && ((*at)->item != item || strlen((*at)->name) != len || memcmp((*at)->name, name, len)))
		at = &(*at)->next;
	if (!*at && t->n < MAX_NODES && len < sizeof((*at)->name)) {
		*at = &t->nodes[t->n++];
		**at = (struct node){ .item = item };
		memcpy((*at)->name, name, len);
	}
	return *at;
}

static struct node *node_of(struct tree *t, const char *path)
{
	struct node *n = &t->nodes[0];

	while (n && *path) {
		size_t len = strcspn(path, ".[");

		if (!strncmp(path, "[]", 2)) {
			n = child(t, n, "", 0, true);
			path += 2;
		} else {
			if (path[len] == '[' && path[len + 1] != ']') /* a form's "a[b]" is one name */
				len = strcspn(path, ".");
			n = child(t, n, path, len, false);
			path += len;
		}
		path += *path == '.';
	}
	return n;
}

static void set_type(struct node *n, const char *type)
{
	for (size_t i = 0; i < ARRAY_SIZE(type_names); i++)
		if (!strcmp(type_names[i], type))
			n->types |= 1u << i;
	if (!strcmp(type, "file"))
		n->types |= 1u << 4; /* a string, in OpenAPI */
}

static const char *class_at(const struct api_endpoint *e, const char *place, const char *field)
{
	char name[192];
	const struct api_fact *f;

	snprintf(name, sizeof(name), "%s:%s", place, field);
	f = api_endpoint_fact(e, "pii", name);
	return f ? f->value : NULL;
}

static void fill(struct tree *t, const struct api_endpoint *e, const char *kind)
{
	uint32_t n;
	const struct api_fact *f = api_endpoint_facts(e, kind, &n);

	for (uint32_t i = 0; i < n; i++) {
		struct node *node = node_of(t, f[i].name);

		if (!node || !strcmp(f[i].name, "{other}"))
			continue;
		set_type(node, f[i].value);
		if (!node->class_name)
			node->class_name = class_at(e, kind, f[i].name);
	}
}

static void put_types(struct bw_json *j, uint32_t types)
{
	/* An integer is a number. */
	if (types & (1u << 3))
		types &= ~(1u << 2);
	if (!types)
		return;
	if (!(types & (types - 1))) {
		bw_json_str(j, "type", type_names[__builtin_ctz(types)]);
		return;
	}
	bw_json_open(j, "type", '[');
	for (size_t i = 0; i < ARRAY_SIZE(type_names); i++)
		if (types & (1u << i))
			bw_json_str(j, NULL, type_names[i]);
	bw_json_close(j, ']');
}

#define MAX_DEPTH 40u

static void put_schema(struct bw_json *j, const char *key, const struct node *n, unsigned int depth)
{
	bool properties = false;

	bw_json_open(j, key, '{');
	put_types(j, n->types);
	if (n->class_name)
		bw_json_str(j, "x-bpfwarden-personal-data", n->class_name);
	for (const struct node *c = depth < MAX_DEPTH ? n->child : NULL; c; c = c->next) {
		if (c->item || c->name[0] == '{')
			continue;
		if (!properties)
			bw_json_open(j, "properties", '{');
		properties = true;
		put_schema(j, c->name, c, depth + 1);
	}
	if (properties)
		bw_json_close(j, '}');
	/* A member whose name was an identifier stands for all such members; the first of them describes them. */
	for (const struct node *c = depth < MAX_DEPTH ? n->child : NULL; c; c = c->next) {
		if (!c->item && c->name[0] == '{') {
			put_schema(j, "additionalProperties", c, depth + 1);
			break;
		}
	}
	for (const struct node *c = depth < MAX_DEPTH ? n->child : NULL; c; c = c->next)
		if (c->item)
			put_schema(j, "items", c, depth + 1);
	bw_json_close(j, '}');
}

/* ---- paths: "/users/{number}/{number}" needs parameters with different names ------------------------------------------------- */

/*
 * OpenAPI takes "/a/{number}" and "/a/{uuid}" for the same path, so endpoints that differ in nothing else are one here.
 * The key of a path has "{}" for each parameter.
 */
static void path_key(const char *path, char *out, size_t size)
{
	size_t n = 0;

	for (; *path && n + 3 < size; path++) {
		out[n++] = *path;
		if (*path == '{') {
			while (*path && *path != '}')
				path++;
			if (!*path)
				break;
			out[n++] = '}';
		}
	}
	out[n] = '\0';
}

#define MAX_PARAMETERS 24u

struct path {
	char text[1024];
	char names[MAX_PARAMETERS][32];
	char kinds[MAX_PARAMETERS][32];
	unsigned int n;
};

static bool name_is_used(const struct path *p, const char *name)
{
	for (unsigned int i = 0; i < p->n; i++)
		if (!strcmp(p->names[i], name))
			return true;
	return false;
}

/* The path with parameters that have names of their own: {number}, {number2}. */
static void path_parameters(const char *in, struct path *p)
{
	char kind[32], name[32];
	size_t n = 0;

	p->n = 0;
	while (*in && n + 40 < sizeof(p->text)) {
		size_t len = strcspn(in, "}");

		if (*in != '{' || !in[len] || p->n == MAX_PARAMETERS) {
			p->text[n++] = *in++;
			continue;
		}
		snprintf(kind, sizeof(kind), "%.*s", (int)(len - 1 < 24 ? len - 1 : 24), in + 1);
		if (!strcmp(kind, "..."))
			snprintf(kind, sizeof(kind), "rest");
		snprintf(name, sizeof(name), "%s", kind);
		for (unsigned int k = 2; name_is_used(p, name); k++)
			snprintf(name, sizeof(name), "%.24s%u", kind, k);
		memcpy(p->kinds[p->n], kind, sizeof(kind));
		memcpy(p->names[p->n], name, sizeof(name));
		n += (size_t)snprintf(p->text + n, sizeof(p->text) - n, "{%s}", name);
		p->n++;
		in += len + 1;
	}
	p->text[n] = '\0';
}

static void put_path_parameters(struct bw_json *j, const struct path *p)
{
	static const char *const formats[] = { "uuid", "date", "email" };

	for (unsigned int i = 0; i < p->n; i++) {
		const char *format = NULL;

		for (size_t k = 0; k < ARRAY_SIZE(formats); k++)
			if (!strcmp(formats[k], p->kinds[i]))
				format = formats[k];
		bw_json_open(j, NULL, '{');
		bw_json_str(j, "name", p->names[i]);
		bw_json_str(j, "in", "path");
		bw_json_bool(j, "required", true);
		bw_json_open(j, "schema", '{');
		bw_json_str(j, "type", "string");
		if (format)
			bw_json_str(j, "format", format);
		if (!strcmp(p->kinds[i], "number"))
			bw_json_str(j, "pattern", "^[-+]?[0-9][0-9._~-]*$");
		bw_json_close(j, '}');
		bw_json_close(j, '}');
	}
}

/* ---- operations ---------------------------------------------------------------------------------------------------------------- */

static const char *const methods[] = { "get", "put", "post", "delete", "options", "head", "patch", "trace" };

static bool is_method(const char *method)
{
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
		if (!strcasecmp(methods[i], method))
			return true;
	return false;
}

/* Headers that OpenAPI says elsewhere (3.1.0, 4.8.12.2.1), or that belong to the hop. */
static bool is_plain_header(const char *name)
{
	static const char *const others[] = { "accept", "content-type", "authorization", "host", "connection", "content-length",
					      "transfer-encoding", "cookie", "user-agent", "accept-encoding", "upgrade", "te", "expect" };

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (!strcmp(others[i], name))
			return false;
	return name[0] != '{';
}

static void put_parameters(struct bw_json *j, const struct api_endpoint *e, const char *kind, const char *in)
{
	uint32_t n;
	const struct api_fact *f = api_endpoint_facts(e, kind, &n);

	for (uint32_t i = 0; i < n;) {
		const char *name = f[i].name, *class_name = class_at(e, kind, name);
		struct node types = { 0 };

		for (; i < n && !strcmp(f[i].name, name); i++)
			set_type(&types, f[i].value);
		if (!*name || name[0] == '{' || (!strcmp(in, "header") && !is_plain_header(name)))
			continue;
		bw_json_open(j, NULL, '{');
		bw_json_str(j, "name", name);
		bw_json_str(j, "in", in);
		bw_json_open(j, "schema", '{');
		put_types(j, types.types);
		bw_json_close(j, '}');
		if (class_name)
			bw_json_str(j, "x-bpfwarden-personal-data", class_name);
		bw_json_close(j, '}');
	}
}

static void put_content(struct bw_json *j, const struct api_endpoint *e, const char *type_kind, const char *field_kind, struct tree *t)
{
	uint32_t n, fields;
	const struct api_fact *f = api_endpoint_facts(e, type_kind, &n);

	api_endpoint_facts(e, field_kind, &fields);
	memset(&t->nodes[0], 0, sizeof(t->nodes[0]));
	t->n = 1;
	fill(t, e, field_kind);
	bw_json_open(j, "content", '{');
	for (uint32_t i = 0; i < n; i++) {
		bool structured = strstr(f[i].name, "json") || strstr(f[i].name, "form");

		if (f[i].name[0] == '{' || !strchr(f[i].name, '/'))
			continue;
		bw_json_open(j, f[i].name, '{');
		if (structured && fields)
			put_schema(j, "schema", &t->nodes[0], 0);
		bw_json_close(j, '}');
	}
	bw_json_close(j, '}');
}

static void put_responses(struct bw_json *j, const struct api_endpoint *e, struct tree *t)
{
	uint32_t n, types;
	const struct api_fact *f = api_endpoint_facts(e, "status", &n);
	bool any = false;

	api_endpoint_facts(e, "response.type", &types);
	bw_json_open(j, "responses", '{');
	for (uint32_t i = 0; i < n; i++) {
		if (strlen(f[i].name) != 3 || f[i].name[0] < '1' || f[i].name[0] > '5')
			continue;
		any = true;
		bw_json_open(j, f[i].name, '{');
		bw_json_str(j, "description", "seen");
		/* The catalogue has one shape for all responses of an endpoint; it is that of those that succeeded. */
		if (f[i].name[0] == '2' && types)
			put_content(j, e, "response.type", "response.body", t);
		bw_json_u64(j, "x-bpfwarden-count", f[i].count);
		bw_json_close(j, '}');
	}
	if (!any) {
		bw_json_open(j, "default", '{');
		bw_json_str(j, "description", "no response was seen");
		bw_json_close(j, '}');
	}
	bw_json_close(j, '}');
}

static void put_security(struct bw_json *j, const struct api_endpoint *e)
{
	uint32_t n;
	const struct api_fact *f = api_endpoint_facts(e, "auth", &n);

	if (!n)
		return;
	bw_json_open(j, "security", '[');
	for (uint32_t i = 0; i < n; i++) {
		bw_json_open(j, NULL, '{');
		if (strcmp(f[i].name, "none") && f[i].name[0] != '{') {
			bw_json_open(j, f[i].name, '[');
			bw_json_close(j, ']');
		}
		bw_json_close(j, '}');
	}
	bw_json_close(j, ']');
}

static void put_operation(struct bw_json *j, const struct api_endpoint *e, const struct path *p, struct tree *t)
{
	char method[32], seen[API_TIME_TEXT];
	uint32_t types, n;

	for (n = 0; e->method[n] && n + 1 < sizeof(method); n++)
		method[n] = (char)(e->method[n] | 0x20);
	method[n] = '\0';
	bw_json_open(j, method, '{');
	bw_json_open(j, "parameters", '[');
	put_path_parameters(j, p);
	put_parameters(j, e, "query", "query");
	put_parameters(j, e, "request.header", "header");
	put_parameters(j, e, "request.cookie", "cookie");
	bw_json_close(j, ']');
	api_endpoint_facts(e, "request.type", &types);
	if (types) {
		bw_json_open(j, "requestBody", '{');
		put_content(j, e, "request.type", "request.body", t);
		bw_json_close(j, '}');
	}
	put_responses(j, e, t);
	put_security(j, e);
	bw_json_u64(j, "x-bpfwarden-calls", e->calls);
	api_time_text(e->first_ns, seen);
	bw_json_str(j, "x-bpfwarden-first-seen", seen);
	api_json_names(j, "x-bpfwarden-operations", e, "operation", false);
	api_json_names(j, "x-bpfwarden-findings", e, "finding", false);
	bw_json_close(j, '}');
}

static void put_components(struct bw_json *j, const struct api_data *d)
{
	static const struct {
		const char *name, *type, *scheme, *in, *parameter;
	} schemes[] = {
		{ "basic", "http", "basic", NULL, NULL },
		{ "bearer", "http", "bearer", NULL, NULL },
		{ "digest", "http", "digest", NULL, NULL },
		{ "negotiate", "http", "negotiate", NULL, NULL },
		{ "signature", "apiKey", NULL, "header", "Authorization" },
		{ "api-key", "apiKey", NULL, "header", "X-API-Key" },
		{ "cookie", "apiKey", NULL, "cookie", "session" },
		{ "other", "apiKey", NULL, "header", "Authorization" },
	};

	bw_json_open(j, "components", '{');
	bw_json_open(j, "securitySchemes", '{');
	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
		bool used = false;

		for (uint32_t k = 0; k < d->n && !used; k++)
			used = api_endpoint_fact(&d->endpoints[k], "auth", schemes[i].name) != NULL;
		if (!used)
			continue;
		bw_json_open(j, schemes[i].name, '{');
		bw_json_str(j, "type", schemes[i].type);
		if (schemes[i].scheme) {
			bw_json_str(j, "scheme", schemes[i].scheme);
		} else {
			bw_json_str(j, "in", schemes[i].in);
			bw_json_str(j, "name", schemes[i].parameter);
		}
		bw_json_close(j, '}');
	}
	bw_json_close(j, '}');
	bw_json_close(j, '}');
}

struct row {
	const struct api_endpoint *e;
	char key[1024];
};

static int by_key(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int r = strcmp(x->key, y->key);

	if (!r)
		r = strcmp(x->e->method, y->e->method);
	/* Of two that OpenAPI cannot tell apart the one with more calls comes first, and is the one that is shown. */
	return r ? r : x->e->calls > y->e->calls ? -1 : x->e->calls < y->e->calls;
}

static int put_paths(struct bw_json *j, const struct api_data *d)
{
	_cleanup_free_ struct row *rows = calloc((size_t)d->n + 1, sizeof(*rows));
	_cleanup_free_ struct tree *t = calloc(1, sizeof(*t));
	uint32_t n = 0;

	if (!rows || !t)
		return -ENOMEM;
	for (uint32_t i = 0; i < d->n; i++) {
		const struct api_endpoint *e = &d->endpoints[i];

		if (e->path[0] != '/' || !is_method(e->method))
			continue;
		rows[n].e = e;
		path_key(e->path, rows[n].key, sizeof(rows[n].key));
		n++;
	}
	qsort(rows, n, sizeof(*rows), by_key);
	bw_json_open(j, "paths", '{');
	for (uint32_t i = 0; i < n;) {
		struct path p;
		uint32_t first = i;

		path_parameters(rows[i].e->path, &p);
		bw_json_open(j, p.text, '{');
		for (; i < n && !strcmp(rows[i].key, rows[first].key); i++)
			if (i == first || strcmp(rows[i].e->method, rows[i - 1].e->method))
				put_operation(j, rows[i].e, &p, t);
		bw_json_close(j, '}');
	}
	bw_json_close(j, '}');
	return 0;
}

static int put_document(const struct api_data *d, struct bw_buf *b)
{
	struct bw_json j = { .buf = b, .indent = 2 };
	const struct api_fact *scheme;
	int64_t last = 0;
	char text[512], seen[API_TIME_TEXT];
	int r;

	for (uint32_t i = 0; i < d->n; i++)
		if (d->endpoints[i].last_ns > last)
			last = d->endpoints[i].last_ns;
	api_time_text(last, seen);
	bw_json_open(&j, NULL, '{');
	bw_json_str(&j, "openapi", "3.1.0");
	bw_json_open(&j, "info", '{');
	bw_json_str(&j, "title", d->endpoints[0].host);
	bw_json_str(&j, "description", "As seen by bpfwarden: what was called, not what was promised.");
	bw_json_str(&j, "version", seen);
	bw_json_close(&j, '}');
	scheme = api_endpoint_fact(&d->endpoints[0], "scheme", "https");
	snprintf(text, sizeof(text), "%s://%s", scheme ? "https" : "http", d->endpoints[0].host);
	bw_json_open(&j, "servers", '[');
	bw_json_open(&j, NULL, '{');
	bw_json_str(&j, "url", text);
	bw_json_close(&j, '}');
	bw_json_close(&j, ']');
	r = put_paths(&j, d);
	put_components(&j, d);
	bw_json_close(&j, '}');
	return r;
}

int cmd_api_openapi(int argc, char **argv)
{
	static const struct bw_command cmd = {
		"bpfwarden api openapi", "", "Prints the APIs of one host as an OpenAPI 3.1 document.",
		"With more than one host in the catalogue --host must say which. Members that begin with x-bpfwarden- are ours: counts,\n"
		"classes of personal data, findings. Exit status 2 when there is no such host.",
	};
	struct api_choice choice = { 0 };
	const struct bw_opt opts[] = {
		API_CHOICE_ROWS(choice),
		BW_OPTS_HELP_ROW,
		{ 0 },
	};
	struct api_data d = { 0 };
	struct bw_buf b = { 0 };
	int nargs, r = bw_opts_parse(&cmd, opts, argc, argv, &nargs);

	if (r)
		return r < 0 ? BW_EXIT_INPUT : BW_EXIT_OK;
	if (nargs) {
		fputs("bpfwarden api openapi: takes no operand\n", stderr);
		return BW_EXIT_INPUT;
	}
	r = api_read("api openapi", &choice, &d);
	if (r == BW_EXIT_OK && !d.n) {
		fputs("bpfwarden api openapi: no endpoint is known there\n", stderr);
		r = BW_EXIT_INPUT;
	} else if (r == BW_EXIT_OK && strcmp(d.endpoints[0].host, d.endpoints[d.n - 1].host)) {
		fputs("bpfwarden api openapi: several hosts are known; choose one with --host:\n", stderr);
		for (uint32_t i = 0; i < d.n; i++)
			if (!i || strcmp(d.endpoints[i].host, d.endpoints[i - 1].host)) {
				fputs("  ", stderr);
				term_str(stderr, d.endpoints[i].host);
				fputc('\n', stderr);
			}
		r = BW_EXIT_INPUT;
	} else if (r == BW_EXIT_OK) {
		r = put_document(&d, &b) < 0 ? BW_EXIT_INTERNAL : BW_EXIT_OK;
		r = api_print("api openapi", &b, r);
	}
	api_data_free(&d);
	return r;
}
