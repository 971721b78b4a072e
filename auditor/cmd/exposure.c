// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* bpfwarden exposure: which loaded programs can observe APIs that carry personal data, and who reads what they collect. */
#include <cjson/cJSON.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "auditor/client.h"
#include "auditor/cmd/api_common.h"
#include "auditor/cmd/inventory_approval.h"
#include "auditor/commands.h"
#include "auditor/exposure_host.h"
#include "auditor/flow.h"
#include "auditor/live_flows.h"
#include "common/event_store.h"
#include "common/json.h"
#include "common/log.h"
#include "common/opts.h"
#include "common/term.h"

#define STATUS_TIMEOUT_S 10
#define MAX_ACCESSES 16384u /* the latest events about maps that are looked at */

struct command {
	struct exposure_host host;
	struct approvals *approvals;
	uint32_t own_pids[2];
	uint32_t n_own_pids;
	char policy[PATH_MAX];
	struct exposure_access *accesses;
	uint32_t n_accesses;
	char boot_id[40];
	char *notes[INV_MAX_NOTES + 8];
	uint32_t n_notes;
	uint32_t unanalysed;
};

static void note(struct command *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void note(struct command *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (c->n_notes < ARRAY_SIZE(c->notes) && vasprintf(&c->notes[c->n_notes], fmt, ap) >= 0)
		c->n_notes++;
	va_end(ap);
}

/* ---- what the guard knows ------------------------------------------------------------------------------------------------- */

static const char *str(const cJSON *o, const char *key)
{
	const char *s = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, key));

	return s ? s : "";
}

static uint32_t num(const cJSON *o, const char *key)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

	return cJSON_IsNumber(v) && v->valuedouble > 0 && v->valuedouble <= UINT32_MAX ? (uint32_t)v->valuedouble : 0;
}

/* Its processes and its policy. That no guard runs is no error: then nothing is its own. */
static void ask_guard(struct command *c, const char *socket, const char *state_dir)
{
	_cleanup_client_ struct client *cl = NULL;
	const char *keys[] = { "pid", "worker_pid" };
	char buf[PATH_MAX];
	const cJSON *status;
	const char *line;
	size_t len;
	cJSON *a;

	if (client_open(client_socket_path(socket, state_dir, buf, sizeof(buf)), &cl) < 0 || client_send(cl, "{\"cmd\":\"status\"}") < 0 ||
	    client_receive(cl, STATUS_TIMEOUT_S, &line, &len) <= 0)
		return;
	a = cJSON_ParseWithLength(line, len);
	status = cJSON_GetObjectItemCaseSensitive(a, "status");
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (num(status, keys[i]))
			c->own_pids[c->n_own_pids++] = num(status, keys[i]);
	snprintf(c->policy, sizeof(c->policy), "%s", str(status, "policy"));
	cJSON_Delete(a);
}

static int access_row(void *arg, uint64_t seq, const char *json, int len)
{
	struct command *c = arg;
	cJSON *e = cJSON_ParseWithLength(json, (size_t)len);
	struct exposure_access a = { .map = num(e, "map_id"), .pid = num(e, "loader_tgid") };

	/* Map ids mean something within one boot only. */
	if (a.map && a.pid && !strcmp(str(e, "boot_id"), c->boot_id) && c->n_accesses < MAX_ACCESSES) {
		a.comm = strdup(str(e, "loader_comm"));
		a.exe = strdup(str(e, "loader_exe"));
		if (a.comm && a.exe) {
			c->accesses[c->n_accesses++] = a;
		} else {
			free((void *)a.comm);
			free((void *)a.exe);
		}
	}
	cJSON_Delete(e);
	return 0;
}

static int read_accesses(struct command *c, const char *state_dir)
{
	struct sqlite3 *db __attribute__((cleanup(event_store_close))) = NULL;
	const struct event_store_query q = { .kind = "access", .limit = MAX_ACCESSES };
	_cleanup_fclose_ FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");
	char path[PATH_MAX];
	int r;

	c->accesses = calloc(MAX_ACCESSES, sizeof(*c->accesses));
	if (!c->accesses)
		return -ENOMEM;
	if (f && fgets(c->boot_id, sizeof(c->boot_id), f))
		c->boot_id[strcspn(c->boot_id, "\n")] = 0;
	snprintf(path, sizeof(path), "%s/%s", state_dir ? state_dir : EVENT_STORE_DEFAULT_DIR, EVENT_STORE_FILE);
	r = event_store_open(path, &db);
	if (!r)
		r = event_store_query(db, &q, access_row, c);
	if (r < 0 && r != -ENOENT)
		note(c, "who read maps earlier is not known: %s: %s", path, strerror(-r));
	return 0;
}

/* ---- what programs take ------------------------------------------------------------------------------------------------------ */

static bool begins(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

/* The attachment in the words of section names, which the analysis understands. @buf holds the target. */
static bool target_of(const struct exposure_point *p, struct bw_live_target *ret, char *buf, size_t size)
{
	static const struct {
		const char *text, *rule, *strip;
		bool ret;
	} forms[] = {
		{ "kprobe ", "kprobe", "", false },	       { "kretprobe ", "kretprobe", "", true },
		{ "tracepoint ", "tp", "", false },	       { "raw tracepoint ", "raw_tp", "", false },
		{ "trace_fentry ", "fentry", "", false },      { "trace_fexit ", "fexit", "", true },
		{ "modify_return ", "fmod_ret", "", false },   { "lsm_mac ", "lsm", "bpf_lsm_", false },
		{ "trace_raw_tp ", "tp_btf", "btf_trace_", false },
	};
	char path[PATH_MAX], symbol[256] = "";
	bool on_return = begins(p->text, "uretprobe");

	if (p->place == EXPOSURE_AT_FILE && p->name_len < sizeof(path)) {
		snprintf(path, sizeof(path), "%.*s", (int)p->name_len, p->name);
		if (p->offset)
			exposure_symbol(path, p->offset, symbol, sizeof(symbol));
		*ret = (struct bw_live_target){ on_return ? "uretprobe" : "uprobe", buf, on_return };
		return snprintf(buf, size, "%s:%s", path, symbol) < (int)size;
	}
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		const char *name = p->text + strlen(forms[i].text);

		if (!begins(p->text, forms[i].text))
			continue;
		if (begins(name, forms[i].strip))
			name += strlen(forms[i].strip);
		*ret = (struct bw_live_target){ forms[i].rule, buf, forms[i].ret };
		return snprintf(buf, size, "%.*s", (int)strcspn(name, "+ "), name) < (int)size;
	}
	return false;
}

static uint32_t reads(void *arg, const struct inv_object *prog, const struct exposure_point *p)
{
	static const struct {
		uint32_t sources, reads;
	} means[] = {
		{ BW_SRC_BIT(BW_SRC_TLS_PLAINTEXT) | BW_SRC_BIT(BW_SRC_USER_MEMORY), EXPOSURE_READS_MEMORY },
		{ BW_SRC_BIT(BW_SRC_SYSCALL_BUFFER), EXPOSURE_READS_CALLS },
		{ BW_SRC_BIT(BW_SRC_PACKET_PAYLOAD), EXPOSURE_READS_PACKETS },
		{ BW_SRC_BIT(BW_SRC_KERNEL_MEMORY), EXPOSURE_READS_KERNEL },
	};
	char buf[PATH_MAX + 260];
	struct command *c = arg;
	struct bw_live_target t;
	struct bw_live_flows f;
	uint32_t out = 0;

	if (bw_live_flows(prog->id, target_of(p, &t, buf, sizeof(buf)) ? &t : NULL, &f) < 0) {
		c->unanalysed++;
		return EXPOSURE_READS_UNKNOWN;
	}
	for (size_t i = 0; i < ARRAY_SIZE(means); i++)
		if (f.sources & means[i].sources)
			out |= means[i].reads;
	return out | (f.complete ? 0 : EXPOSURE_READS_UNKNOWN);
}

static const char *approval(void *arg, const struct inv_object *prog)
{
	const struct command *c = arg;

	return c->approvals ? approvals_of(c->approvals, prog) : NULL;
}

static void locate(void *arg, struct exposure_point *p)
{
	const struct command *c = arg;

	exposure_host_locate(&c->host, p);
}

/* ---- the command ---------------------------------------------------------------------------------------------------------------- */

static int print_report(struct command *c, const struct exposure_report *rep, bool json)
{
	_cleanup_buf_ struct bw_buf out = { 0 };
	int status = BW_EXIT_OK;

	if (json)
		exposure_report_json(rep, c->notes, c->n_notes, &out);
	else
		exposure_report_table(rep, c->notes, c->n_notes, &out);
	if (bw_buf_error(&out)) {
		bw_err("the report: %s", strerror(-bw_buf_error(&out)));
		return BW_EXIT_INTERNAL;
	}
	for (const char *line = bw_buf_cstr(&out), *end; *line; line = end + (*end != '\0')) {
		end = line + strcspn(line, "\n");
		if (json)
			term_json(stdout, line, (size_t)(end - line));
		else
			term_strn(stdout, line, (size_t)(end - line));
		putchar('\n');
	}
	for (uint32_t i = 0; i < rep->n_programs; i++)
		if (exposure_alarming(&rep->programs[i]))
			status = BW_EXIT_FINDINGS;
	return status == BW_EXIT_OK && (rep->incomplete || c->n_notes) ? BW_EXIT_INPUT : status;
}

static int join(struct command *c, const struct api_data *data, bool everything, bool json)
{
	struct exposure_report rep = { 0 };
	struct inventory inv;
	int r = inv_collect(&inv, NULL, NULL), status = BW_EXIT_INTERNAL;

	if (r < 0) {
		bw_err("what is loaded cannot be listed: %s%s", strerror(-r), r == -EPERM ? " (CAP_SYS_ADMIN is needed)" : "");
		inv_free(&inv);
		return r == -EPERM || r == -ENOSYS ? BW_EXIT_INPUT : BW_EXIT_INTERNAL;
	}
	for (uint32_t i = 0; i < inv.n_notes && inv.incomplete; i++)
		note(c, "%s", inv.notes[i]);
	r = exposure_host_read(data, &c->host);
	if (!r)
		r = exposure_join(&(struct exposure_input){ .data = data, .inv = &inv, .services = c->host.services, .n_services = c->host.n_services,
							    .own_pids = c->own_pids, .n_own_pids = c->n_own_pids, .accesses = c->accesses,
							    .n_accesses = c->n_accesses, .everything = everything, .locate = locate,
							    .reads = reads, .approval = approval, .arg = c },
				  &rep);
	if (!r)
		r = exposure_host_connections(&rep);
	if (c->host.truncated)
		note(c, "more than %u processes, or files of one, have to do with these APIs: not all were looked at", EXPOSURE_MAX_SERVICES);
	if (rep.incomplete)
		note(c, "more than %u observations", EXPOSURE_MAX_OBSERVERS);
	if (r < 0)
		bw_err("%s", strerror(-r));
	else
		status = print_report(c, &rep, json);
	exposure_report_free(&rep);
	exposure_host_free(&c->host);
	inv_free(&inv);
	return status;
}

int cmd_exposure(int argc, char **argv)
{
	static const struct bw_command cmd = {
		"bpfwarden exposure", "", "Shows which loaded BPF programs can observe APIs that carry personal data.",
		"Joins the catalogue of APIs (a guard with --api on keeps it) with every loaded program: where it is attached, what its\n"
		"instructions take and hand on, and who reads its maps. Needs root. Exit status 1: a program that is neither approved nor\n"
		"the guard's own takes personal data, or may; 2: not all could be read.",
	};
	struct api_choice choice = { 0 };
	const char *format = "table", *policy = NULL, *socket = NULL;
	struct api_data data = { 0 };
	struct command c = { 0 };
	bool all = false;
	const struct bw_opt opts[] = {
		{ BW_OPT_CHOICE, 'f', "format", &format, "table|json", "how to print it (default table)" },
		{ BW_OPT_STRING, 'p', "policy", &policy, "FILE", "say which programs it approves (default: the policy of the running guard)" },
		{ BW_OPT_FLAG, 'a', "all", &all, NULL, "also programs past which the data goes and that were not found to take it" },
		{ BW_OPT_STRING, 0, "socket", &socket, "PATH", "the guard's control socket" },
		API_CHOICE_ROWS(choice),
		BW_OPTS_HELP_ROW,
		{ BW_OPT_END },
	};
	int nargs, r, status;

	r = bw_opts_parse(&cmd, opts, argc, argv, &nargs);
	if (r)
		return r < 0 ? BW_EXIT_INPUT : BW_EXIT_OK;
	if (nargs) {
		fputs("bpfwarden exposure: takes no operand\n", stderr);
		return BW_EXIT_INPUT;
	}
	status = api_read("exposure", &choice, &data);
	if (status)
		return status;
	ask_guard(&c, socket, choice.state_dir);
	if (!policy && c.policy[0])
		policy = c.policy;
	status = BW_EXIT_INPUT;
	if (!policy || approvals_read(policy, &c.approvals) >= 0)
		status = read_accesses(&c, choice.state_dir) < 0 ? BW_EXIT_INTERNAL : join(&c, &data, all, !strcmp(format, "json"));
	for (uint32_t i = 0; i < c.n_accesses; i++) {
		free((void *)c.accesses[i].comm);
		free((void *)c.accesses[i].exe);
	}
	free(c.accesses);
	for (uint32_t i = 0; i < c.n_notes; i++)
		free(c.notes[i]);
	approvals_free(c.approvals);
	api_data_free(&data);
	return status;
}
