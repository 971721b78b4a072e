// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* bpfwarden api list, show, pii: the catalogue of APIs, read from the guard's state directory. */
#include <stdio.h>
#include <string.h>

#include "auditor/cmd/api_common.h"
#include "auditor/commands.h"
#include "common/opts.h"
#include "common/term.h"

static bool begin_facts(const struct api_fact *f, uint32_t i)
{
	return !i || strcmp(f[i].name, f[i - 1].name);
}

static void print_names(const struct api_endpoint *e, const char *kind)
{
	uint32_t n;
	const struct api_fact *f = api_endpoint_facts(e, kind, &n);
	bool any = false;

	for (uint32_t i = 0; i < n; i++) {
		if (!begin_facts(f, i))
			continue;
		if (any)
			putchar(',');
		any = true;
		term_str(stdout, f[i].name);
	}
	if (!any)
		putchar('-');
}

static void json_counts(struct bw_json *j, const char *key, const struct api_endpoint *e, const char *kind)
{
	uint32_t n;
	const struct api_fact *f = api_endpoint_facts(e, kind, &n);

	bw_json_open(j, key, '{');
	for (uint32_t i = 0; i < n; i++)
		bw_json_u64(j, f[i].name, f[i].count);
	bw_json_close(j, '}');
}

static void json_endpoint(struct bw_json *j, const struct api_endpoint *e)
{
	api_json_endpoint(j, e);
	bw_json_u64(j, "calls", e->calls);
	bw_json_u64(j, "errors", e->errors);
	if (e->timed)
		bw_json_u64(j, "mean_duration_ns", e->duration_ns / e->timed);
	bw_json_u64(j, "request_bytes", e->request_bytes);
	bw_json_u64(j, "response_bytes", e->response_bytes);
	api_json_time(j, "first_seen", e->first_ns);
	api_json_time(j, "last_seen", e->last_ns);
	json_counts(j, "statuses", e, "status");
	json_counts(j, "auth", e, "auth");
	api_json_names(j, "directions", e, "direction", true);
	api_json_names(j, "styles", e, "style", true);
	api_json_names(j, "classes", e, "class", true);
	api_json_names(j, "findings", e, "finding", true);
}

static int list_json(const struct api_data *d)
{
	struct bw_buf b = { 0 };
	struct bw_json j = { .buf = &b };

	bw_json_open(&j, NULL, '{');
	bw_json_i64(&j, "v", 1);
	bw_json_open(&j, "endpoints", '[');
	for (uint32_t i = 0; i < d->n; i++) {
		bw_json_open(&j, NULL, '{');
		json_endpoint(&j, &d->endpoints[i]);
		bw_json_close(&j, '}');
	}
	bw_json_close(&j, ']');
	bw_json_close(&j, '}');
	return api_print("api list", &b, BW_EXIT_OK);
}

static void list_table(const struct api_data *d)
{
	printf("%-7s %-24s %-44s %8s %7s %9s  %-18s %s\n", "METHOD", "HOST", "PATH", "CALLS", "ERRORS", "MEAN_MS", "AUTH", "PERSONAL DATA");
	for (uint32_t i = 0; i < d->n; i++) {
		const struct api_endpoint *e = &d->endpoints[i];

		/* Methods, hosts and paths hold no control characters that could move the cursor, but width is theirs: pad by hand. */
		term_str(stdout, *e->method ? e->method : "*");
		printf("%*s ", (int)(strlen(e->method) < 7 ? 7 - strlen(*e->method ? e->method : "*") : 0), "");
		term_str(stdout, e->host);
		printf("%*s ", (int)(strlen(e->host) < 24 ? 24 - strlen(e->host) : 0), "");
		term_str(stdout, e->path);
		printf("%*s ", (int)(strlen(e->path) < 44 ? 44 - strlen(e->path) : 0), "");
		printf("%8llu %7llu ", (unsigned long long)e->calls, (unsigned long long)e->errors);
		if (e->timed)
			printf("%9.1f  ", (double)(e->duration_ns / e->timed) / 1e6);
		else
			printf("%9s  ", "-");
		print_names(e, "auth");
		fputs("  ", stdout);
		print_names(e, "class");
		putchar('\n');
	}
}

int cmd_api_list(int argc, char **argv)
{
	static const struct bw_command cmd = {
		"bpfwarden api list", "", "Lists the API endpoints that were seen on this host.",
		"Reads the catalogue in the guard's state directory; the guard need not run. What the columns and the members of the JSON\n"
		"mean is in docs/api.md. Exit status 2 when there is no catalogue.",
	};
	struct api_choice choice = { 0 };
	const char *format = "table";
	const struct bw_opt opts[] = {
		API_CHOICE_ROWS(choice),
		{ BW_OPT_CHOICE, 0, "format", &format, "table|json", "how to print it (default table)" },
		BW_OPTS_HELP_ROW,
		{ 0 },
	};
	struct api_data d = { 0 };
	int nargs, r = bw_opts_parse(&cmd, opts, argc, argv, &nargs);

	if (r)
		return r < 0 ? BW_EXIT_INPUT : BW_EXIT_OK;
	if (nargs) {
		fputs("bpfwarden api list: takes no operand\n", stderr);
		return BW_EXIT_INPUT;
	}
	r = api_read("api list", &choice, &d);
	if (r == BW_EXIT_OK && !strcmp(format, "json"))
		r = list_json(&d);
	else if (r == BW_EXIT_OK)
		list_table(&d);
	api_data_free(&d);
	return r;
}

/* ---- show ----------------------------------------------------------------------------------------------------------------- */

static void json_facts(struct bw_json *j, const struct api_endpoint *e)
{
	bw_json_open(j, "facts", '{');
	for (uint32_t i = 0; i < e->nfacts;) {
		const char *kind = e->facts[i].kind;

		bw_json_open(j, kind, '[');
		for (; i < e->nfacts && !strcmp(e->facts[i].kind, kind); i++) {
			const struct api_fact *f = &e->facts[i];

			bw_json_open(j, NULL, '{');
			bw_json_str(j, "name", f->name);
			if (*f->value)
				bw_json_str(j, "value", f->value);
			bw_json_u64(j, "count", f->count);
			api_json_time(j, "first_seen", f->first_ns);
			api_json_time(j, "last_seen", f->last_ns);
			bw_json_close(j, '}');
		}
		bw_json_close(j, ']');
	}
	bw_json_close(j, '}');
}

static int show_json(const struct api_data *d)
{
	struct bw_buf b = { 0 };
	struct bw_json j = { .buf = &b };

	bw_json_open(&j, NULL, '{');
	bw_json_i64(&j, "v", 1);
	bw_json_open(&j, "endpoints", '[');
	for (uint32_t i = 0; i < d->n; i++) {
		bw_json_open(&j, NULL, '{');
		json_endpoint(&j, &d->endpoints[i]);
		json_facts(&j, &d->endpoints[i]);
		bw_json_close(&j, '}');
	}
	bw_json_close(&j, ']');
	bw_json_close(&j, '}');
	return api_print("api show", &b, BW_EXIT_OK);
}

static void show_table(const struct api_data *d)
{
	char first[API_TIME_TEXT], last[API_TIME_TEXT];

	for (uint32_t i = 0; i < d->n; i++) {
		const struct api_endpoint *e = &d->endpoints[i];

		api_time_text(e->first_ns, first);
		api_time_text(e->last_ns, last);
		if (i)
			putchar('\n');
		term_str(stdout, e->method);
		putchar(' ');
		term_str(stdout, e->host);
		term_str(stdout, e->path);
		printf("\n  calls %llu, errors %llu, first seen %s, last seen %s\n", (unsigned long long)e->calls, (unsigned long long)e->errors,
		       first, last);
		for (uint32_t k = 0; k < e->nfacts; k++) {
			const struct api_fact *f = &e->facts[k];

			printf("  %-16s ", k && !strcmp(f->kind, f[-1].kind) ? "" : f->kind);
			term_str(stdout, f->name);
			if (*f->value) {
				fputs(" = ", stdout);
				term_str(stdout, f->value);
			}
			printf("  (%llu)\n", (unsigned long long)f->count);
		}
	}
}

int cmd_api_show(int argc, char **argv)
{
	static const struct bw_command cmd = {
		"bpfwarden api show", "[METHOD] HOST/PATH", "Shows everything that is known of API endpoints.",
		"HOST/PATH is as bpfwarden api list prints it: \"shop.example/users/{number}\". Exit status 2 when there is no such endpoint.",
	};
	struct api_choice choice = { 0 };
	const char *format = "table", *slash;
	const struct bw_opt opts[] = {
		API_CHOICE_ROWS(choice),
		{ BW_OPT_CHOICE, 0, "format", &format, "table|json", "how to print it (default table)" },
		BW_OPTS_HELP_ROW,
		{ 0 },
	};
	struct api_data d = { 0 };
	char host[256] = "";
	uint32_t n = 0;
	int nargs, r = bw_opts_parse(&cmd, opts, argc, argv, &nargs);

	if (r)
		return r < 0 ? BW_EXIT_INPUT : BW_EXIT_OK;
	slash = nargs ? strchr(argv[nargs], '/') : NULL;
	if (nargs > 2 || (nargs && (!slash || (size_t)(slash - argv[nargs]) >= sizeof(host)))) {
		fputs("bpfwarden api show: the operands are [METHOD] HOST/PATH\n", stderr);
		return BW_EXIT_INPUT;
	}
	if (nargs == 2)
		choice.method = argv[1];
	if (slash) {
		snprintf(host, sizeof(host), "%.*s", (int)(slash - argv[nargs]), argv[nargs]);
		choice.host = host;
	}
	r = api_read("api show", &choice, &d);
	if (r == BW_EXIT_OK) {
		for (uint32_t i = 0; i < d.n; i++)
			if (!slash || !strcmp(d.endpoints[i].path, slash))
				d.endpoints[n++] = d.endpoints[i];
		d.n = n;
		if (!n) {
			fputs("bpfwarden api show: no such endpoint\n", stderr);
			r = BW_EXIT_INPUT;
		} else if (!strcmp(format, "json")) {
			r = show_json(&d);
		} else {
			show_table(&d);
		}
	}
	api_data_free(&d);
	return r;
}

/* ---- pii ------------------------------------------------------------------------------------------------------------------- */

/* "request.body:user.email" */
static const char *field_of(const struct api_fact *f, int *ret_place_len)
{
	const char *colon = strchr(f->name, ':');

	*ret_place_len = colon ? (int)(colon - f->name) : (int)strlen(f->name);
	return colon ? colon + 1 : "";
}

static int pii_json(const struct api_data *d, const char *class_name)
{
	struct bw_buf b = { 0 };
	struct bw_json j = { .buf = &b };

	bw_json_open(&j, NULL, '{');
	bw_json_i64(&j, "v", 1);
	bw_json_open(&j, "fields", '[');
	for (uint32_t i = 0; i < d->n; i++) {
		const struct api_endpoint *e = &d->endpoints[i];
		uint64_t without, with;
		uint32_t n;
		const struct api_fact *f = api_endpoint_facts(e, "pii", &n);

		api_auth_counts(e, &without, &with);
		for (uint32_t k = 0; k < n; k++) {
			int len;
			const char *field = field_of(&f[k], &len);

			if (class_name && strcmp(class_name, f[k].value))
				continue;
			bw_json_open(&j, NULL, '{');
			bw_json_str(&j, "class", f[k].value);
			api_json_endpoint(&j, e);
			bw_json_strn(&j, "in", f[k].name, (size_t)len);
			bw_json_str(&j, "field", field);
			bw_json_u64(&j, "count", f[k].count);
			bw_json_u64(&j, "calls_without_auth", without);
			api_json_time(&j, "first_seen", f[k].first_ns);
			api_json_time(&j, "last_seen", f[k].last_ns);
			bw_json_close(&j, '}');
		}
	}
	bw_json_close(&j, ']');
	bw_json_close(&j, '}');
	return api_print("api pii", &b, BW_EXIT_OK);
}

static void pii_table(const struct api_data *d, const char *class_name)
{
	printf("%-20s %8s  %-16s %-28s %s\n", "CLASS", "COUNT", "IN", "FIELD", "ENDPOINT");
	for (uint32_t i = 0; i < d->n; i++) {
		const struct api_endpoint *e = &d->endpoints[i];
		uint64_t without, with;
		uint32_t n;
		const struct api_fact *f = api_endpoint_facts(e, "pii", &n);

		api_auth_counts(e, &without, &with);
		for (uint32_t k = 0; k < n; k++) {
			int len;
			const char *field = field_of(&f[k], &len);

			if (class_name && strcmp(class_name, f[k].value))
				continue;
			printf("%-20s %8llu  %-16.*s ", f[k].value, (unsigned long long)f[k].count, len, f[k].name);
			term_str(stdout, *field ? field : "-");
			printf("%*s ", (int)(strlen(field) < 28 ? 28 - strlen(*field ? field : "-") : 0), "");
			term_str(stdout, e->method);
			putchar(' ');
			term_str(stdout, e->host);
			term_str(stdout, e->path);
			fputs(without ? "  (also without authentication)\n" : "\n", stdout);
		}
	}
}

int cmd_api_pii(int argc, char **argv)
{
	static const struct bw_command cmd = {
		"bpfwarden api pii", "", "Lists where in the APIs of this host personal data was seen.",
		"One line per field and class. Values are nowhere kept: classes, counts and places are.",
	};
	struct api_choice choice = { 0 };
	const char *format = "table", *class_name = NULL;
	const struct bw_opt opts[] = {
		API_CHOICE_ROWS(choice),
		{ BW_OPT_STRING, 0, "class", &class_name, "CLASS", "only that class, like card" },
		{ BW_OPT_CHOICE, 0, "format", &format, "table|json", "how to print it (default table)" },
		BW_OPTS_HELP_ROW,
		{ 0 },
	};
	struct api_data d = { 0 };
	int nargs, r = bw_opts_parse(&cmd, opts, argc, argv, &nargs);

	if (r)
		return r < 0 ? BW_EXIT_INPUT : BW_EXIT_OK;
	if (nargs) {
		fputs("bpfwarden api pii: takes no operand\n", stderr);
		return BW_EXIT_INPUT;
	}
	r = api_read("api pii", &choice, &d);
	if (r == BW_EXIT_OK && !strcmp(format, "json"))
		r = pii_json(&d, class_name);
	else if (r == BW_EXIT_OK)
		pii_table(&d, class_name);
	api_data_free(&d);
	return r;
}
