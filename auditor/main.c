// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * bpfwarden: the command line. A table of subcommands; "policy add" style groups are rows with a space in the name.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "auditor/commands.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "common/opts.h"

static const struct bw_subcommand commands[] = {
	{ "scan", cmd_scan, "audit BPF objects: what they reach, what they do, how bad that is" },
	{ "graph", cmd_graph, "draw the control flow of a program with its most severe finding" },
	{ "explain", cmd_explain, "explain a rule of the auditor" },
	{ "rules", cmd_rules, "list the rules of the auditor" },
	{ "doctor", cmd_doctor, "say what the guard can do on this host, and why not more" },
	{ "run", cmd_run, "run a command whose BPF calls are judged and made for it" },
	{ "inventory", cmd_inventory, "list what BPF is on this host, who holds it, and what hides" },
	{ "exposure", cmd_exposure, "show which loaded programs can observe APIs that carry personal data" },
	{ "posture", cmd_posture, "say how hardened this host is against what BPF can be used for" },
	{ "identify", cmd_identify, "print the identity each program of an object will have in the kernel" },
	{ "events", cmd_events, "show what the guard saw" },
	{ "ledger", cmd_ledger, "show what is attached where, by whom and since when" },
	{ "sink test", cmd_sink_test, "send a test event to a sink and say how far it got" },
	{ "sink status", cmd_sink_status, "say how delivery to the sinks is doing" },
	{ "verify-log", cmd_verify_log, "check that the guard's events are complete and unchanged" },
	{ "status", cmd_status, "ask the running guard how it is" },
	{ "disasm", cmd_disasm, "print the instructions of BPF objects" },
	{ "manifest", cmd_manifest, "print what each program of an object can do" },
	{ "diff", cmd_diff, "show which capabilities grew between two objects or manifests" },
	{ "check", cmd_check, "check that the programs of objects are approved" },
	{ "policy add", cmd_policy_add, "approve the programs of an object" },
	{ "policy check", cmd_policy_check, "check a policy file" },
	{ "policy init", cmd_policy_init, "start a policy with the programs of objects" },
	{ "policy remove", cmd_policy_remove, "take entries out of a policy" },
	{ "policy test", cmd_policy_test, "check that a policy allows and denies what it is meant to" },
	{ "policy learn", cmd_policy_learn, "turn what the guard saw into a policy to review" },
	{ "policy review", cmd_policy_review, "say what each entry of a policy permits" },
	{ "policy compile", cmd_policy_compile, "print what a policy is for the kernel of a host" },
	{ "policy sign", cmd_policy_sign, "sign a policy" },
	{ "policy verify", cmd_policy_verify, "check the signature on a policy" },
	{ "policy diff", cmd_policy_diff, "show what a change of the policy changes" },
	{ "pii rules", cmd_pii_rules, "list what personal data and which secrets are recognised" },
	{ "pii scan", cmd_pii_scan, "say where in a text there is personal data, never which" },
	{ "api list", cmd_api_list, "list the API endpoints that were seen" },
	{ "api show", cmd_api_show, "show everything that is known of an endpoint" },
	{ "api pii", cmd_api_pii, "list where personal data was seen" },
	{ "api diff", cmd_api_diff, "show what is new between two points in time" },
	{ "api openapi", cmd_api_openapi, "print the APIs of a host as OpenAPI" },
	{ "api metrics", cmd_api_metrics, "print the catalogue as metrics" },
	{ "api coverage", cmd_api_coverage, "show which processes' API calls are seen, and which are not and why" },
	{ "block add", cmd_block_add, "cut off an address, a header's value, a login, or a service, for a time" },
	{ "block list", cmd_block_list, "list what is blocked" },
	{ "block remove", cmd_block_remove, "take blocks back" },
	{ "block apply", cmd_block_apply, "make the host as the list of blocks says" },
	{ "completion", cmd_completion, "print a shell's completion of these commands" },
	{ "manual", cmd_manual, "print the manual page's source" },
	{ "version", cmd_version, "print the version" },
};

const struct bw_subcommand *bw_subcommands(unsigned int *ret_n)
{
	*ret_n = ARRAY_SIZE(commands);
	return commands;
}

int cmd_version(int argc, char **argv)
{
	static const struct bw_command cmd = { "bpfwarden version", "", "Prints the version.", NULL };
	const struct bw_opt opts[] = { BW_OPTS_HELP_ROW, { BW_OPT_END } };
	int nargs, r;

	r = bw_opts_parse(&cmd, opts, argc, argv, &nargs);
	if (r)
		return r < 0 ? BW_EXIT_INPUT : BW_EXIT_OK;
	printf("bpfwarden %s\n", BW_VERSION);
	return BW_EXIT_OK;
}

static void usage(FILE *out)
{
	fputs("Usage: bpfwarden COMMAND [OPTION...] [ARGUMENT...]\n\n"
	      "Audits BPF programs: what they are, what they can reach, and whether they were approved.\n\nCommands:\n",
	      out);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(out, "  %-20s %s\n", commands[i].name, commands[i].summary);
	fputs("\n\"bpfwarden COMMAND --help\" explains one. Exit status: 0 clean, 1 findings, 2 usage or unreadable or\n"
	      "incomplete input, 3 internal error.\n",
	      out);
}

/* How many words of argv[1..] name this command; 0 when they name another. */
static int command_match(const struct bw_subcommand *c, int argc, char **argv)
{
	size_t first = strcspn(c->name, " ");

	if (argc < 2 || strlen(argv[1]) != first || strncmp(argv[1], c->name, first))
		return 0;
	if (!c->name[first])
		return 1;
	return argc > 2 && !strcmp(argv[2], c->name + first + 1) ? 2 : 0;
}

static bool is_group(const char *word)
{
	size_t len = strlen(word);

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strncmp(commands[i].name, word, len) && commands[i].name[len] == ' ')
			return true;
	return false;
}

int main(int argc, char **argv)
{
	bw_log_init("bpfwarden", BW_LOG_INFO);
	if (argc < 2) {
		usage(stderr);
		return BW_EXIT_INPUT;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		usage(stdout);
		return BW_EXIT_OK;
	}
	if (!strcmp(argv[1], "--version"))
		argv[1] = (char *)"version";
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		int words = command_match(&commands[i], argc, argv);

		if (words)
			return commands[i].run(argc - words, argv + words);
	}
	if (is_group(argv[1]))
		fprintf(stderr, "bpfwarden: \"%s\" needs one of its subcommands; --help lists them\n", argv[1]);
	else
		fprintf(stderr, "bpfwarden: unknown command \"%s\"; --help lists them\n", argv[1]);
	return BW_EXIT_INPUT;
}
