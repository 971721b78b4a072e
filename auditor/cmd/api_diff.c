// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * bpfwarden api diff: what is new in the catalogue between two points in time. Every endpoint and every fact about one knows
 * when it was first and last seen, so any two points can be compared, not only those at which somebody took a snapshot.
 */
#include <stdio.h>
#include <string.h>

#include "auditor/cmd/api_common.h"
#include "auditor/commands.h"
#include "common/opts.h"
#include "common/term.h"

struct change {
	const char *what, *detail;
	const struct api_endpoint *endpoint;
	int64_t at_ns;
};

struct diff {
	int64_t from, to;
	bool fields, json;
	struct bw_json j;
	unsigned int n;
};

static void report(struct diff *d, const struct change *c)
{
	char at[API_TIME_TEXT];

	d->n++;
	if (d->json) {
		bw_json_open(&d->j, NULL, '{');
		bw_json_str(&d->j, "change", c->what);
		api_json_endpoint(&d->j, c->endpoint);
		if (*c->detail)
			bw_json_str(&d->j, "detail", c->detail);
		api_json_time(&d->j, "at", c->at_ns);
		bw_json_close(&d->j, '}');
		return;
	}
	api_time_text(c->at_ns, at);
	printf("%s  %-22s ", at, c->what);
	term_str(stdout, c->endpoint->method);
	putchar(' ');
	term_str(stdout, c->endpoint->host);
	term_str(stdout, c->endpoint->path);
	if (*c->detail) {
		fputs("  ", stdout);
		term_str(stdout, c->detail);
	}
	putchar('\n');
}

static bool is_new(const struct diff *d, int64_t first_ns)
{
	return first_ns > d->from && first_ns <= d->to;
}

/* Facts of a kind that are new on an endpoint that is not. */
static void new_facts(struct diff *d, const struct api_endpoint *e, const char *kind, const char *what)
{
	uint32_t n;
	const struct api_fact *f = api_endpoint_facts(e, kind, &n);

	for (uint32_t i = 0; i < n; i++) {
		char detail[512];

		if (!is_new(d, f[i].first_ns))
			continue;
		snprintf(detail, sizeof(detail), "%s%s%s", f[i].name, *f[i].value ? " " : "", f[i].value);
		report(d, &(struct change){ what, detail, e, f[i].first_ns });
	}
}

static void new_unauthenticated(struct diff *d, const struct api_endpoint *e)
{
	uint32_t n;
	const struct api_fact *f = api_endpoint_facts(e, "auth", &n), *none = NULL;
	const char *before = NULL;

	for (uint32_t i = 0; i < n; i++) {
		if (!strcmp(f[i].name, "none"))
			none = &f[i];
		else if (f[i].first_ns <= d->from)
			before = f[i].name;
	}
	if (none && before && is_new(d, none->first_ns))
		report(d, &(struct change){ "newly-unauthenticated", before, e, none->first_ns });
}

static void compare(struct diff *d, const struct api_endpoint *e)
{
	static const char *const field_kinds[] = { "query", "request.body", "response.body", "request.header", "response.header" };

	if (is_new(d, e->first_ns)) {
		uint64_t without, with;

		api_auth_counts(e, &without, &with);
		report(d, &(struct change){ "new-endpoint", without ? "unauthenticated" : "", e, e->first_ns });
		new_facts(d, e, "class", "new-class");
		return;
	}
	if (e->first_ns > d->to)
		return;
	new_unauthenticated(d, e);
	new_facts(d, e, "class", "new-class");
	new_facts(d, e, "finding", "new-finding");
	new_facts(d, e, "direction", "new-direction");
	for (size_t i = 0; d->fields && i < ARRAY_SIZE(field_kinds); i++)
		new_facts(d, e, field_kinds[i], "new-field");
	if (e->last_ns <= d->from)
		report(d, &(struct change){ "not-seen", "", e, e->last_ns });
}

int cmd_api_diff(int argc, char **argv)
{
	static const struct bw_command cmd = {
		"bpfwarden api diff", "", "Shows what is new in the APIs of this host between two points in time.",
		"Changes are: new-endpoint, newly-unauthenticated (it had only been called with credentials), new-class (of personal data),\n"
		"new-finding, new-direction, not-seen (known before, not called since), and with --fields new-field. A TIME is 2024-05-01,\n"
		"2024-05-01T12:00:00Z, @SECONDS since 1970, or so long ago: 90m, 24h, 7d. Exit status 1 when there are changes.",
	};
	struct api_choice choice = { 0 };
	const char *format = "table", *from = "24h", *to = NULL;
	struct diff d = { 0 };
	const struct bw_opt opts[] = {
		{ BW_OPT_STRING, 0, "from", &from, "TIME", "the earlier point (default 24h)" },
		{ BW_OPT_STRING, 0, "to", &to, "TIME", "the later point (default now)" },
		{ BW_OPT_FLAG, 0, "fields", &d.fields, NULL, "also new parameters, headers and fields of bodies" },
		API_CHOICE_ROWS(choice),
		{ BW_OPT_CHOICE, 0, "format", &format, "table|json", "how to print it (default table)" },
		BW_OPTS_HELP_ROW,
		{ 0 },
	};
	struct api_data data = { 0 };
	struct bw_buf b = { 0 };
	int64_t now = api_now();
	int nargs, r = bw_opts_parse(&cmd, opts, argc, argv, &nargs);

	if (r)
		return r < 0 ? BW_EXIT_INPUT : BW_EXIT_OK;
	d.to = now;
	if (nargs || api_time_parse(from, now, &d.from) < 0 || (to && api_time_parse(to, now, &d.to) < 0) || d.from > d.to) {
		fprintf(stderr, "bpfwarden api diff: %s\n", nargs ? "takes no operand" : "--from and --to take times, the earlier one first");
		return BW_EXIT_INPUT;
	}
	r = api_read("api diff", &choice, &data);
	if (r != BW_EXIT_OK)
		return r;
	d.json = !strcmp(format, "json");
	d.j = (struct bw_json){ .buf = &b };
	if (d.json) {
		bw_json_open(&d.j, NULL, '{');
		bw_json_i64(&d.j, "v", 1);
		api_json_time(&d.j, "from", d.from);
		api_json_time(&d.j, "to", d.to);
		bw_json_open(&d.j, "changes", '[');
	}
	for (uint32_t i = 0; i < data.n; i++)
		compare(&d, &data.endpoints[i]);
	r = d.n ? BW_EXIT_FINDINGS : BW_EXIT_OK;
	if (d.json) {
		bw_json_close(&d.j, ']');
		bw_json_close(&d.j, '}');
		r = api_print("api diff", &b, r);
	}
	api_data_free(&data);
	return r;
}
