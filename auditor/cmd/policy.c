// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* bpfwarden policy check: is this a policy, and does it say what its author meant? rules/README.md explains the format.
 */
#include <inttypes.h>
#include <string.h>

#include "auditor/commands.h"
#include "common/buf.h"
#include "common/log.h"
#include "common/opts.h"
#include "common/policy.h"

static void print_summary(const char *path, const struct bw_policy *p, uint32_t warnings)
{
	uint64_t digests = 0, tags = 0;
	_cleanup_buf_ struct bw_buf b = { 0 };

	for (uint32_t i = 0; i < p->n_programs; i++) {
		digests += p->programs[i].n_digests;
		tags += p->programs[i].n_tags;
	}
	bw_buf_printf(&b,
		      "%s: policy %s, serial %" PRIu64 ": %u programs (%" PRIu64 " digests, %" PRIu64
		      " tags), %u rules; ",
		      path, p->name ? p->name : "without a name", p->serial, p->n_programs, digests, tags, p->n_rules);
	bw_buf_printf(&b, "exempt: %s", p->allow_init ? "init" : "");
	if (p->allow_inert)
		bw_buf_printf(&b, "%sinert up to %u instructions", p->allow_init ? ", " : "",
			      p->inert_max_instructions);
	if (!p->allow_init && !p->allow_inert)
		bw_buf_str(&b, "nothing");
	bw_buf_str(&b, "; allowed by default:");
	for (unsigned int c = 0, n = 0; c < BW_CLASS_COUNT || !n; c++) {
		if (c == BW_CLASS_COUNT) {
			bw_buf_str(&b, " nothing");
			break;
		}
		if (p->defaults[c] == BW_VERDICT_ALLOW) {
			bw_buf_printf(&b, " %s", bw_policy_class_name(c));
			n++;
		}
	}
	bw_buf_printf(&b, "; %u warnings\n", warnings);
	fputs(bw_buf_cstr(&b), stdout);
}

int cmd_policy_check(int argc, char **argv)
{
	bool strict = false;
	const struct bw_opt opts[] = {
		{ BW_OPT_FLAG, 0, "strict", &strict, NULL, "exit with 1 when there are warnings" },
		BW_OPTS_HELP_ROW,
		{ 0 },
	};
	static const struct bw_command cmd = {
		"bpfwarden policy check", "FILE", "Checks a policy file.",
		"Prints one line \"FILE:LINE:COLUMN: FIELD: reason\" and exits with 2 when FILE is not a policy; else "
		"a summary,\n"
		"and warnings about what its author probably did not mean, such as an approval that a rule takes back."
	};
	BW_CLEANUP(bw_policy_warnings_free) struct bw_policy_warnings w = { 0 };
	_cleanup_policy_ struct bw_policy *p = NULL;
	struct bw_policy_error error;
	int n, r;

	r = bw_opts_parse(&cmd, opts, argc, argv, &n);
	if (r)
		return r < 0 ? BW_EXIT_INPUT : BW_EXIT_OK;
	if (n != 1) {
		bw_err("policy check needs one policy file");
		return BW_EXIT_INPUT;
	}
	r = bw_policy_read(argv[1], &p, &error);
	if (r < 0) {
		char line[4096 + sizeof(error)];

		fprintf(stderr, "%s\n", bw_policy_error_format(&error, argv[1], line, sizeof(line)));
		return BW_EXIT_INPUT;
	}
	r = bw_policy_review(p, &w);
	if (r < 0) {
		bw_err("%s: %s", argv[1], strerror(-r));
		return BW_EXIT_INTERNAL;
	}
	for (uint32_t i = 0; i < w.n; i++)
		fprintf(stderr, "%s: warning: %s\n", argv[1], w.lines[i]);
	if (w.more)
		fprintf(stderr, "%s: %u more warnings\n", argv[1], w.more);
	print_summary(argv[1], p, w.n + w.more);
	return strict && w.n ? BW_EXIT_FINDINGS : BW_EXIT_OK;
}
