// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* bpfwarden manual: the manual page as scdoc(5) source, from the tables that parse the options. */
#include <stdio.h>
#include <string.h>

#include "auditor/commands.h"
#include "common/buf.h"
#include "common/opts.h"

/* scdoc's own characters, taken literally. */
static void put(struct bw_buf *out, const char *s)
{
	for (; *s; s++) {
		if (strchr("\\*_#<>`", *s))
			bw_buf_char(out, '\\');
		bw_buf_char(out, *s == '\n' ? ' ' : *s);
	}
}

static void visit(void *ctx, const struct bw_command *cmd, const struct bw_opt *opts)
{
	struct bw_buf *out = ctx;

	bw_buf_str(out, "## ");
	put(out, cmd->name);
	if (*cmd->synopsis) {
		bw_buf_char(out, ' ');
		put(out, cmd->synopsis);
	}
	bw_buf_str(out, "\n\n");
	put(out, cmd->summary);
	bw_buf_str(out, "\n\n");
	if (cmd->details) {
		put(out, cmd->details);
		bw_buf_str(out, "\n\n");
	}
	for (const struct bw_opt *o = opts; o->type != BW_OPT_END; o++) {
		bw_buf_char(out, '*');
		if (o->short_name)
			bw_buf_printf(out, "-%c*, *", o->short_name);
		bw_buf_printf(out, "--%s*", o->name);
		if (o->arg) {
			bw_buf_char(out, ' ');
			put(out, o->arg);
		}
		bw_buf_str(out, "\n\t");
		put(out, o->help);
		bw_buf_str(out, "\n\n");
	}
}

int cmd_manual(int argc, char **argv)
{
	static const struct bw_command cmd = {
		"bpfwarden manual", "", "Prints the manual page of bpfwarden(1) as scdoc source.", "bpfwarden manual | scdoc > bpfwarden.1",
	};
	const struct bw_opt opts[] = { BW_OPTS_HELP_ROW, { BW_OPT_END } };
	_cleanup_buf_ struct bw_buf out = { 0 };
	const struct bw_subcommand *subs;
	unsigned int n;
	int nargs, r;

	r = bw_opts_parse(&cmd, opts, argc, argv, &nargs);
	if (r)
		return r < 0 ? BW_EXIT_INPUT : BW_EXIT_OK;
	if (nargs) {
		fprintf(stderr, "%s: takes no operand\n", cmd.name);
		return BW_EXIT_INPUT;
	}
	subs = bw_subcommands(&n);
	bw_buf_str(&out, "bpfwarden(1)\n\n# NAME\n\nbpfwarden - audit BPF programs\n\n# SYNOPSIS\n\n*bpfwarden* _command_ "
			 "[_option_...] [_argument_...]\n\n# DESCRIPTION\n\nbpfwarden says what BPF programs are, what they can reach and by "
			 "which way it can leave, whether they were approved, and what is loaded on a host. The guard that does so as programs are "
			 "loaded is *bpfwardend*(8).\n\n# EXIT STATUS\n\n0 clean; 1 findings, or a check that did not hold; 2 usage, or input that "
			 "could not be read or judged in full; 3 internal error. *bpfwarden run* ends as the command it runs.\n\n# COMMANDS\n\n");
	bw_opts_set_visitor(visit, &out);
	for (unsigned int i = 0; i < n; i++) {
		char name[64], *sub_argv[2] = { name, NULL };

		snprintf(name, sizeof(name), "%s", subs[i].name);
		subs[i].run(1, sub_argv);
	}
	bw_opts_set_visitor(NULL, NULL);
	bw_buf_str(&out, "# ENVIRONMENT\n\n*NO_COLOR*\n\tno colours in the text report\n\n# SEE ALSO\n\n*bpfwardend*(8), *bpftool*(8)\n");
	return !bw_buf_error(&out) && fwrite(out.data, 1, out.len, stdout) == out.len ? BW_EXIT_OK : BW_EXIT_INTERNAL;
}
