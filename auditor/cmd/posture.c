// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* bpfwarden posture: how hardened this host is against what BPF can be used for. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "auditor/commands.h"
#include "auditor/posture/posture.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "common/opts.h"

static const struct bw_command cmd = {
	"bpfwarden posture",
	"",
	"Checks how hardened this host is against what BPF can be used for.",
	"Sysctls, kernel configuration and command line, security modules, mounts, capabilities, known "
	"vulnerabilities. What\n"
	"cannot be read is unknown and earns nothing. --fix sets the sysctls that can be set now and taken back by "
	"--undo; it\n"
	"shows the change first. Exit status: 0 nothing failed at --fail-on or above; 1 a check failed; 2 usage, or a "
	"check of\n"
	"that severity could not be judged; 3 internal error.",
};

struct posture_args {
	const char *format, *profile, *root, *fail_on;
	bool fix, yes, undo, cves, all;
};

static int undo(const char *root)
{
	_cleanup_buf_ struct bw_buf said = { 0 };
	int r = posture_undo(root, &said);

	fputs(bw_buf_cstr(&said), stdout);
	if (r == -ENOENT) {
		fprintf(stderr, "%s: --undo: there is no %s%s: nothing to take back\n", cmd.name, root,
			POSTURE_UNDO_FILE);
		return BW_EXIT_INPUT;
	}
	if (r == -EEXIST) {
		bw_err("not everything could be taken back; %s%s stays", root, POSTURE_UNDO_FILE);
		return BW_EXIT_FINDINGS;
	}
	if (r < 0) {
		bw_err("--undo: %s", r == -EBADMSG ? "the record " POSTURE_UNDO_FILE " is damaged" : strerror(-r));
		return BW_EXIT_INPUT;
	}
	return BW_EXIT_OK;
}

static bool confirmed(const struct posture_args *a)
{
	char answer[16];

	if (a->yes)
		return true;
	if (!isatty(STDIN_FILENO)) {
		fprintf(stderr, "%s: nothing was changed; --fix --yes does it\n", cmd.name);
		return false;
	}
	fputs("Do it? [y/N] ", stdout);
	fflush(stdout);
	return fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

static int fix(const struct posture_args *a, const struct posture_report *report, const char *root)
{
	BW_CLEANUP(posture_plan_free) struct posture_plan plan = { 0 };
	_cleanup_buf_ struct bw_buf diff = { 0 };
	const char *what = "";
	int r = posture_plan_make(report, root, &plan);

	if (r < 0) {
		bw_err("%s: %s", POSTURE_SYSCTL_FILE, strerror(-r));
		return BW_EXIT_INPUT;
	}
	if (!plan.n_changes) {
		puts("Nothing that can be fixed at run time.");
		return BW_EXIT_OK;
	}
	posture_plan_diff(&plan, &diff);
	fputs(bw_buf_cstr(&diff), stdout);
	fflush(stdout);
	if (!confirmed(a))
		return BW_EXIT_FINDINGS;
	r = posture_plan_apply(&plan, root, &what);
	if (r < 0) {
		bw_err("%s: %s; everything is as it was", what, strerror(-r));
		return BW_EXIT_INPUT;
	}
	printf("%zu changed; bpfwarden posture --undo takes it back\n", plan.n_changes);
	return BW_EXIT_OK;
}

static int print(const struct posture_args *a, struct posture_report *report)
{
	_cleanup_buf_ struct bw_buf out = { 0 };

	report->list_cves = a->cves;
	if (!strcmp(a->format, "json"))
		posture_write_json(report, &out);
	else if (!strcmp(a->format, "sarif"))
		posture_write_sarif(report, &out);
	else if (!strcmp(a->format, "html"))
		posture_write_html(report, &out);
	else
		posture_write_text(report, a->all, &out);
	if (bw_buf_error(&out) || fwrite(bw_buf_cstr(&out), 1, out.len, stdout) != out.len || fflush(stdout))
		return -EIO;
	return 0;
}

static int exit_status(const struct posture_report *r, int fail_on)
{
	int status = BW_EXIT_OK;

	for (size_t i = 0; i < r->n_results && fail_on >= 0; i++) {
		if ((int)r->results[i].check->severity < fail_on)
			continue;
		if (r->results[i].verdict == POSTURE_UNKNOWN)
			return BW_EXIT_INPUT;
		if (r->results[i].verdict == POSTURE_FAIL)
			status = BW_EXIT_FINDINGS;
	}
	return status;
}

static int run(const struct posture_args *a)
{
	BW_CLEANUP(posture_host_free) struct posture_host host = { 0 };
	BW_CLEANUP(posture_cves_free) struct posture_cves cves = { 0 };
	BW_CLEANUP(posture_report_free) struct posture_report report = { 0 };
	const char *root = strcmp(a->root, "/") ? a->root : "";
	int fail_on = strcmp(a->fail_on, "none") ? bw_severity_id(a->fail_on) : -1;

	if (*root && access(root, R_OK | X_OK) < 0) {
		bw_err("--root %s: %s", root, strerror(errno));
		return BW_EXIT_INPUT;
	}
	if (a->undo)
		return undo(root);
	if (posture_host_read(root, &host) < 0 || posture_cves_judge(&host, &cves) < 0 ||
	    posture_judge(&host, &cves, (enum posture_profile)posture_profile_id(a->profile), &report) < 0) {
		bw_err("out of memory");
		return BW_EXIT_INTERNAL;
	}
	if (a->fix)
		return fix(a, &report, root);
	if (print(a, &report) < 0) {
		bw_err("the report could not be written");
		return BW_EXIT_INTERNAL;
	}
	return exit_status(&report, fail_on);
}

int cmd_posture(int argc, char **argv)
{
	struct posture_args a = { .format = "text", .profile = "server", .root = "", .fail_on = "high" };
	const struct bw_opt opts[] = {
		{ BW_OPT_CHOICE, 'f', "format", &a.format, "text|json|sarif|html", "how to print it (default: text)" },
		{ BW_OPT_CHOICE, 'p', "profile", &a.profile, "workstation|server|container-host|strict",
		  "what is asked of the host (default: server)" },
		{ BW_OPT_FLAG, 0, "cves", &a.cves, NULL, "list the known vulnerabilities one by one" },
		{ BW_OPT_FLAG, 'a', "all", &a.all, NULL, "text: explain what passed as well" },
		{ BW_OPT_CHOICE, 0, "fail-on", &a.fail_on, "info|low|medium|high|critical|none",
		  "exit 1 when a check of this severity or above failed (default: high)" },
		{ BW_OPT_FLAG, 0, "fix", &a.fix, NULL, "show what can be fixed at run time, ask, and fix it" },
		{ BW_OPT_FLAG, 'y', "yes", &a.yes, NULL, "with --fix: do not ask" },
		{ BW_OPT_FLAG, 0, "undo", &a.undo, NULL, "take back what --fix did" },
		{ BW_OPT_STRING, 0, "root", &a.root, "DIR", "read (and fix) a tree of facts instead of this host" },
		BW_OPTS_HELP_ROW,
		{ BW_OPT_END },
	};
	int nargs, r;

	r = bw_opts_parse(&cmd, opts, argc, argv, &nargs);
	if (r)
		return r < 0 ? BW_EXIT_INPUT : BW_EXIT_OK;
	if (nargs || (a.fix && a.undo) || (a.yes && !a.fix)) {
		fprintf(stderr, "%s: %s\n", cmd.name, nargs ? "takes no operands" : "--fix, --fix --yes, or --undo");
		return BW_EXIT_INPUT;
	}
	return run(&a);
}
