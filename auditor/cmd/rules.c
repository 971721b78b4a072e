// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* bpfwarden rules, bpfwarden explain. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "auditor/cmd/rules_load.h"
#include "auditor/commands.h"
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/log.h"
#include "common/opts.h"

static void list_json(const struct bw_ruleset *s)
{
	_cleanup_buf_ struct bw_buf b = { 0 };
	struct bw_json j = { .buf = &b, .indent = 1 };

	bw_json_open(&j, NULL, '[');
	for (uint32_t i = 0; i < s->n_rules; i++) {
		const struct bw_rule *r = &s->rules[i];

		bw_json_open(&j, NULL, '{');
		bw_json_str(&j, "id", r->id);
		bw_json_str(&j, "title", r->title);
		bw_json_str(&j, "severity", bw_severity_name(r->severity));
		bw_json_str(&j, "kind", bw_finding_kind_name(r->kind));
		bw_json_str(&j, "on", bw_fact_kind_name(r->on));
		bw_json_open(&j, "attack", '[');
		for (uint32_t k = 0; k < r->n_attack; k++)
			bw_json_str(&j, NULL, r->attack[k]);
		bw_json_close(&j, ']');
		bw_json_str(&j, "rationale", r->rationale);
		bw_json_str(&j, "remediation", r->remediation);
		bw_json_close(&j, '}');
	}
	bw_json_close(&j, ']');
	puts(bw_buf_cstr(&b));
}

int cmd_rules(int argc, char **argv)
{
	static const struct bw_command cmd = { "bpfwarden rules", "", "Lists the rules of the auditor.", NULL };
	const char *dir = NULL;
	bool json = false, fields = false;
	const struct bw_opt opts[] = {
		{ BW_OPT_STRING, 0, "rules", &dir, "DIR", "rules from DIR/audit-*.json instead of those built in" },
		{ BW_OPT_FLAG, 0, "json", &json, NULL, "as JSON" },
		{ BW_OPT_FLAG, 0, "fields", &fields, NULL, "list what a rule's conditions can ask for" },
		BW_OPTS_HELP_ROW,
		{ BW_OPT_END },
	};
	BW_CLEANUP(bw_ruleset_free) struct bw_ruleset set = { 0 };
	int nargs, r;

	r = bw_opts_parse(&cmd, opts, argc, argv, &nargs);
	if (r)
		return r < 0 ? BW_EXIT_INPUT : BW_EXIT_OK;
	if (nargs) {
		fprintf(stderr, "%s: takes no operands\n", cmd.name);
		return BW_EXIT_INPUT;
	}
	if (fields) {
		uint32_t n;
		const struct bw_field *f = bw_fields(&n);

		for (uint32_t i = 0; i < n; i++) {
			printf("%-28s %s", f[i].name, f[i].help);
			if (strncmp(f[i].name, "program.", 8) && strncmp(f[i].name, "object.", 7)) {
				printf(" [");
				for (unsigned int k = 0, first = 1; k < BW_FACT_COUNT_; k++)
					if (f[i].kinds >> k & 1) {
						printf("%s%s", first ? "" : " ", bw_fact_kind_name(k));
						first = 0;
					}
				printf("]");
			}
			putchar('\n');
		}
		return BW_EXIT_OK;
	}
	if (rules_load(dir, &set) < 0)
		return BW_EXIT_INPUT;
	if (json) {
		list_json(&set);
		return BW_EXIT_OK;
	}
	for (uint32_t i = 0; i < set.n_rules; i++) {
		const struct bw_rule *rule = &set.rules[i];
		enum bw_severity top = rule->severity;

		for (uint32_t k = 0; k < rule->n_levels; k++)
			top = rule->levels[k].severity > top ? rule->levels[k].severity : top;
		printf("%s  %-8s%s%-10s %-10s  %s\n", rule->id, bw_severity_name(rule->severity), top > rule->severity ? ".." : "  ",
		       top > rule->severity ? bw_severity_name(top) : "", bw_finding_kind_name(rule->kind), rule->title);
	}
	return BW_EXIT_OK;
}

/* Prints @text in lines of at most 100 columns. */
static void print_wrapped(const char *text)
{
	size_t col = 0;

	while (*text) {
		size_t n = strcspn(text, " \n");

		if (col && col + n + 1 > 98) {
			putchar('\n');
			col = 0;
		}
		printf("%s%.*s", col ? " " : "  ", (int)n, text);
		col += n + (col ? 1 : 2);
		text += n;
		while (*text == ' ' || *text == '\n')
			text++;
	}
	putchar('\n');
}

static void explain(const struct bw_rule *rule)
{
	printf("%s: %s\n", rule->id, rule->title);
	printf("severity %s, kind %s, looks at facts of kind \"%s\"\n", bw_severity_name(rule->severity),
	       bw_finding_kind_name(rule->kind), bw_fact_kind_name(rule->on));
	puts("\nWhy");
	print_wrapped(rule->rationale);
	if (rule->n_levels)
		puts("\nSeverity follows the evidence; the first that holds decides");
	for (uint32_t i = 0; i < rule->n_levels; i++)
		printf("  %-8s %-10s  %s\n", bw_severity_name(rule->levels[i].severity),
		       bw_finding_kind_name(rule->levels[i].kind), rule->levels[i].because);
	if (rule->n_levels)
		printf("  %-8s %-10s  otherwise\n", bw_severity_name(rule->severity), bw_finding_kind_name(rule->kind));
	puts("\nWhat to do");
	print_wrapped(rule->remediation);
	if (rule->n_attack)
		puts("\nMITRE ATT&CK");
	for (uint32_t i = 0; i < rule->n_attack; i++)
		printf("  %s\n", rule->attack[i]);
	if (rule->n_positive) {
		printf("\nSamples that it speaks about: ");
		for (uint32_t i = 0; i < rule->n_positive; i++)
			printf("%s%s", i ? ", " : "", rule->positive[i]);
		putchar('\n');
	}
	if (rule->n_negative) {
		printf("Samples that only look like it: ");
		for (uint32_t i = 0; i < rule->n_negative; i++)
			printf("%s%s", i ? ", " : "", rule->negative[i]);
		putchar('\n');
	}
	printf("\nDefined in %s\n", rule->file);
}

int cmd_explain(int argc, char **argv)
{
	static const struct bw_command cmd = { "bpfwarden explain", "RULE...", "Explains rules of the auditor.", NULL };
	const char *dir = NULL;
	const struct bw_opt opts[] = {
		{ BW_OPT_STRING, 0, "rules", &dir, "DIR", "rules from DIR/audit-*.json instead of those built in" },
		BW_OPTS_HELP_ROW,
		{ BW_OPT_END },
	};
	BW_CLEANUP(bw_ruleset_free) struct bw_ruleset set = { 0 };
	int nargs, r, status = BW_EXIT_OK;

	r = bw_opts_parse(&cmd, opts, argc, argv, &nargs);
	if (r)
		return r < 0 ? BW_EXIT_INPUT : BW_EXIT_OK;
	if (!nargs) {
		fprintf(stderr, "%s: which rule? \"bpfwarden rules\" lists them\n", cmd.name);
		return BW_EXIT_INPUT;
	}
	if (rules_load(dir, &set) < 0)
		return BW_EXIT_INPUT;
	for (int i = 1; i <= nargs; i++) {
		const struct bw_rule *rule = bw_ruleset_find(&set, argv[i]);

		if (i > 1)
			putchar('\n');
		if (rule) {
			explain(rule);
		} else {
			fprintf(stderr, "%s: there is no rule %s\n", cmd.name, argv[i]);
			status = BW_EXIT_INPUT;
		}
	}
	return status;
}
