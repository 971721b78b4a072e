// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* bpfwarden inventory: what BPF is on this host, from several sides; what one side conceals from another. */
#include <cjson/cJSON.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "auditor/client.h"
#include "auditor/cmd/inventory_approval.h"
#include "auditor/cmd/rules_load.h"
#include "auditor/commands.h"
#include "auditor/scan_live.h"
#include "common/inventory/inventory.h"
#include "common/json.h"
#include "common/log.h"
#include "common/opts.h"
#include "common/term.h"

#define STATUS_TIMEOUT_S 10

struct opinions {
	struct approvals *approvals; /* NULL: no policy */
	struct bw_ruleset rules;
	bool scan;
	struct bw_arena arena;
	struct bw_buf text;
};

static void progress(void *arg, const char *what, uint32_t done)
{
	if (done)
		fprintf(stderr, "\r\033[K%s %u", what, done);
}

static const char *approval(void *arg, const struct inv_object *prog)
{
	const struct opinions *o = arg;

	return o->approvals && prog->described ? approvals_of(o->approvals, prog) : NULL;
}

static const char *findings(void *arg, const struct inv_object *prog)
{
	struct opinions *o = arg;
	struct bw_scan_options opt = { .rules = &o->rules };
	struct bw_json j = { .buf = &o->text };
	struct bw_scan_object result;

	if (!o->scan || !prog->described)
		return NULL;
	bw_buf_reset(&o->text);
	if (bw_scan_live(prog->id, &opt, &o->arena, &result) < 0)
		return NULL;
	bw_json_open(&j, NULL, '[');
	for (uint32_t p = 0; p < result.n_programs; p++)
		for (uint32_t i = 0; i < result.programs[p].n_findings; i++) {
			const struct bw_finding *f = &result.programs[p].findings[i];

			bw_json_open(&j, NULL, '{');
			bw_json_str(&j, "rule", f->rule);
			bw_json_str(&j, "severity", bw_severity_name(f->severity));
			bw_json_str(&j, "kind", bw_finding_kind_name(f->kind));
			bw_json_str(&j, "source", f->source);
			bw_json_str(&j, "channel", f->channel);
			bw_json_str(&j, "message", f->message);
			bw_json_close(&j, '}');
		}
	for (uint32_t i = 0; i < result.n_reasons; i++) {
		bw_json_open(&j, NULL, '{');
		bw_json_str(&j, "rule", "incomplete");
		bw_json_str(&j, "severity", "info");
		bw_json_str(&j, "kind", "defect");
		bw_json_str(&j, "source", "");
		bw_json_str(&j, "channel", "");
		bw_json_str(&j, "message", result.reasons[i]);
		bw_json_close(&j, '}');
	}
	bw_json_close(&j, ']');
	return bw_buf_error(&o->text) ? NULL : bw_buf_cstr(&o->text);
}

/* The policy that the running guard goes by; "" when no guard answers. */
static void guards_policy(const char *socket, const char *state_dir, char *ret, size_t size)
{
	_cleanup_client_ struct client *c = NULL;
	char buf[PATH_MAX];
	const char *line, *path;
	size_t len;
	cJSON *a;

	ret[0] = 0;
	if (client_open(client_socket_path(socket, state_dir, buf, sizeof(buf)), &c) < 0 || client_send(c, "{\"cmd\":\"status\"}") < 0 ||
	    client_receive(c, STATUS_TIMEOUT_S, &line, &len) <= 0)
		return;
	a = cJSON_ParseWithLength(line, len);
	path = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(a, "status"), "policy"));
	if (path && strlen(path) < size)
		memcpy(ret, path, strlen(path) + 1);
	cJSON_Delete(a);
}

static int print_report(const struct inventory *inv, struct opinions *o, bool json)
{
	const struct inv_opinion opinion = { .approval = approval, .findings = findings, .arg = o };
	_cleanup_buf_ struct bw_buf out = { 0 };

	if (json)
		inv_report_json(inv, &opinion, &out);
	else
		inv_report_table(inv, &opinion, &out);
	if (bw_buf_error(&out)) {
		bw_err("the report: %s", strerror(-bw_buf_error(&out)));
		return -1;
	}
	if (json) {
		fwrite(out.data, 1, out.len, stdout);
		return 0;
	}
	for (const char *p = out.data, *end; p < out.data + out.len; p = end + 1) {
		end = strchr(p, '\n');
		if (!end)
			end = out.data + out.len;
		term_strn(stdout, p, (size_t)(end - p));
		putchar('\n');
	}
	return 0;
}

static int exit_status(const struct inventory *inv)
{
	for (uint32_t i = 0; i < inv->n_discrepancies; i++)
		if (inv->discrepancies[i].severity == INV_CRITICAL)
			return BW_EXIT_FINDINGS;
	return inv->incomplete ? BW_EXIT_INPUT : BW_EXIT_OK;
}

int cmd_inventory(int argc, char **argv)
{
	static const struct bw_command cmd = {
		"bpfwarden inventory", "", "Lists the programs, maps and links of this kernel, who holds them, and what hides.",
		"Every list is held against the others: identifiers, the kernel's iterators, descriptors of all processes, pins, symbols,\n"
		"interfaces and cgroups. What one shows and another conceals is hidden: exit status 1. Exit status 2: not all could be\n"
		"read (root is needed). Needs no running guard; bpfwarden-inventory does the same, statically linked.",
	};
	const char *format = "table", *policy_path = NULL, *state_dir = NULL, *socket = NULL;
	bool scan = false, quiet = false;
	const struct bw_opt opts[] = {
		{ BW_OPT_CHOICE, 0, "format", &format, "table|json", "how to print it (default table)" },
		{ BW_OPT_STRING, 'p', "policy", &policy_path, "FILE", "say which programs it approves (default: the policy of the running guard)" },
		{ BW_OPT_FLAG, 0, "findings", &scan, NULL, "analyse each program as scan --live does; JSON only" },
		{ BW_OPT_STRING, 0, "socket", &socket, "PATH", "the guard's control socket" },
		{ BW_OPT_STRING, 0, "state-dir", &state_dir, "DIR", "the guard's state directory: its socket is looked for there" },
		{ BW_OPT_FLAG, 'q', "quiet", &quiet, NULL, "no progress on standard error" },
		BW_OPTS_HELP_ROW,
		{ BW_OPT_END },
	};
	struct opinions o = { 0 };
	struct inventory inv;
	char path[PATH_MAX];
	int nargs, r, status;
	bool tty;

	r = bw_opts_parse(&cmd, opts, argc, argv, &nargs);
	if (r)
		return r < 0 ? BW_EXIT_INPUT : BW_EXIT_OK;
	if (nargs) {
		fputs("bpfwarden inventory: takes no operand\n", stderr);
		return BW_EXIT_INPUT;
	}
	if (!policy_path) {
		guards_policy(socket, state_dir, path, sizeof(path));
		policy_path = path[0] ? path : NULL;
	}
	if (policy_path && approvals_read(policy_path, &o.approvals) < 0)
		return BW_EXIT_INPUT;
	o.scan = scan && !strcmp(format, "json");
	if (o.scan && rules_load(NULL, &o.rules) < 0)
		return BW_EXIT_INTERNAL;
	tty = !quiet && isatty(STDERR_FILENO);
	r = inv_collect(&inv, tty ? progress : NULL, NULL);
	if (tty)
		fputs("\r\033[K", stderr);
	if (r < 0) {
		bw_err("what is loaded cannot be listed: %s%s", strerror(-r), r == -EPERM ? " (CAP_SYS_ADMIN is needed)" : "");
		status = r == -EPERM || r == -ENOSYS ? BW_EXIT_INPUT : BW_EXIT_INTERNAL;
	} else {
		status = print_report(&inv, &o, !strcmp(format, "json")) < 0 ? BW_EXIT_INTERNAL : exit_status(&inv);
	}
	inv_free(&inv);
	bw_ruleset_free(&o.rules);
	bw_arena_free(&o.arena);
	bw_buf_free(&o.text);
	approvals_free(o.approvals);
	return status;
}
