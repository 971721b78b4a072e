// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* bpfwarden run: a command whose BPF calls are judged, and made for it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "auditor/broker/broker.h"
#include "auditor/commands.h"
#include "common/opts.h"

int cmd_run(int argc, char **argv)
{
	static const struct bw_command cmd = {
		"bpfwarden run", "-- COMMAND [ARGUMENT...]", "Runs a command and makes its BPF calls for it, after they were judged.",
		"Programs are judged by the policy, and where it does not name them by what they do. The judgement is of a copy, and the\n"
		"copy is what is loaded. Needs no BPF LSM. Exit status: that of the command; 128 and the number of the signal that ended it;\n"
		"126 or 127 when it could not be started; 2 usage or policy; 3 the supervision failed.",
	};
	struct broker_config config = { 0 };
	const struct bw_opt opts[] = {
		{ BW_OPT_STRING, 'p', "policy", &config.policy, "FILE", "the policy (default: none, programs are judged by what they do)" },
		{ BW_OPT_STRING, 0, "record", &config.record, "FILE", "allow everything, and write what was loaded as a policy" },
		{ BW_OPT_FLAG, 0, "dry-run", &config.dry_run, NULL, "judge, load nothing, let the command believe it did" },
		{ BW_OPT_FLAG, 0, "confine", &config.confine, NULL, "no programs, maps and links of others: by identifier or pin" },
		{ BW_OPT_STRING, 'o', "output", &config.output, "FILE", "append a JSON line for each call judged; - is standard error" },
		BW_OPTS_HELP_ROW,
		{ BW_OPT_END },
	};
	int nargs, r, command = argc;

	/* The command's own options are not ours: everything behind "--" is left alone. */
	for (int i = 1; i < argc && command == argc; i++)
		if (!strcmp(argv[i], "--"))
			command = i;
	r = bw_opts_parse(&cmd, opts, command, argv, &nargs);
	if (r)
		return r < 0 ? BW_EXIT_INPUT : BW_EXIT_OK;
	if (nargs || command + 1 >= argc) {
		fputs("bpfwarden run: takes -- COMMAND [ARGUMENT...]\n", stderr);
		return BW_EXIT_INPUT;
	}
	if (config.policy && config.record) {
		fputs("bpfwarden run: --record allows everything: it does not go with --policy\n", stderr);
		return BW_EXIT_INPUT;
	}
	r = broker_run(&config, argv + command + 1);
	if (r >= 0)
		return r;
	return r == -EINVAL || r == -ENOENT || r == -EBADMSG || r == -EACCES ? BW_EXIT_INPUT : BW_EXIT_INTERNAL;
}
