/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_COMMANDS_H
#define BW_COMMANDS_H
/*
 * The subcommands of bpfwarden. Each lives in auditor/cmd/NAME.c, takes argc/argv with argv[0] being its own name, and
 * returns an exit status. Adding one: a file there, a line here, a row in the table of main.c.
 */

#include <stdbool.h>

struct bw_buf;

enum bw_exit {
	BW_EXIT_OK = 0,
	BW_EXIT_FINDINGS = 1, /* findings at or above the threshold; a check that did not hold */
	BW_EXIT_INPUT = 2,    /* usage, unreadable or incomplete input: never 0 */
	BW_EXIT_INTERNAL = 3,
};

struct bw_subcommand {
	const char *name; /* one word, or "GROUP WORD" */
	int (*run)(int argc, char **argv);
	const char *summary;
};

/* The table of main.c. */
const struct bw_subcommand *bw_subcommands(unsigned int *ret_n);

int cmd_scan(int argc, char **argv);
int cmd_graph(int argc, char **argv);
int cmd_rules(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_completion(int argc, char **argv);
int cmd_policy_add(int argc, char **argv);
int cmd_policy_check(int argc, char **argv);
int cmd_policy_init(int argc, char **argv);
int cmd_policy_remove(int argc, char **argv);
int cmd_policy_compile(int argc, char **argv);
int cmd_policy_learn(int argc, char **argv);
int cmd_policy_review(int argc, char **argv);
int cmd_policy_sign(int argc, char **argv);
int cmd_policy_verify(int argc, char **argv);
int cmd_policy_test(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_policy_diff(int argc, char **argv);
int cmd_version(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_identify(int argc, char **argv);
int cmd_events(int argc, char **argv);
int cmd_ledger(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_sink_status(int argc, char **argv);
int cmd_sink_test(int argc, char **argv);
int cmd_verify_log(int argc, char **argv);
int cmd_disasm(int argc, char **argv);
int cmd_manifest(int argc, char **argv);
int cmd_diff(int argc, char **argv);
int cmd_posture(int argc, char **argv);
int cmd_api_list(int argc, char **argv);
int cmd_api_show(int argc, char **argv);
int cmd_api_pii(int argc, char **argv);
int cmd_api_diff(int argc, char **argv);
int cmd_api_openapi(int argc, char **argv);
int cmd_api_metrics(int argc, char **argv);
int cmd_api_coverage(int argc, char **argv);
int cmd_inventory(int argc, char **argv);
int cmd_exposure(int argc, char **argv);
int cmd_block_add(int argc, char **argv);
int cmd_block_list(int argc, char **argv);
int cmd_block_remove(int argc, char **argv);
int cmd_block_apply(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_manual(int argc, char **argv);
int cmd_pii_rules(int argc, char **argv);
int cmd_pii_scan(int argc, char **argv);

/*
 * Shared by commands: the manifest of an object file, or (with @json_too) the text of one that was written before. Returns 0; 1
 * when not all could be analysed; or a negative errno, after saying why.
 */
int cmd_manifest_of(const char *path, bool json_too, struct bw_buf *ret);

#endif
