// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * bpfwarden events: the history, and what is happening now. From the running guard; without one, from its database.
 */
#include <cjson/cJSON.h>
#include <limits.h>
#include <time.h>
#include <string.h>

#include "auditor/client.h"
#include "auditor/commands.h"
#include "common/buf.h"
#include "common/event_store.h"
#include "common/format.h"
#include "common/json.h"
#include "common/opts.h"
#include "common/term.h"

#define ANSWER_TIMEOUT_S 30
#define SEVERITIES "debug|info|low|medium|high|critical"
#define DEFAULT_LIMIT 100
#define FORMATS "table|json|csv|rfc5424|rfc3164|cef|leef|ecs|ocsf|hec|otlp|falcosidekick|wazuh|gelf|journal"

enum print { PRINT_TABLE, PRINT_JSON, PRINT_CSV, PRINT_FORMAT };

struct events {
	const char *socket, *state_dir, *kind, *rule, *severity, *since_seq, *from, *until, *program, *process;
	int64_t from_ns, until_ns; /* CLOCK_REALTIME; 0: any */
	uint32_t pid; /* of @process, when it is a number */
	unsigned int limit;
	bool follow;
	const char *input;
	enum print print;
	enum format_id format; /* for PRINT_FORMAT */
	struct bw_buf record;
	uint64_t since;
	bool header_done;
};

/* ---- printing ----------------------------------------------------------------------------------------------------- */

static const char *get_str(const cJSON *event, const char *key)
{
	const char *s = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(event, key));

	return s ? s : "";
}

/* What the event is about, and what is worth saying about it. */
static void print_subject(const cJSON *e)
{
	const char *kind = get_str(e, "kind");

	if (!strcmp(kind, "guard")) {
		term_str(stdout, get_str(e, "message"));
	} else {
		const char *name = !strcmp(kind, "map") ? get_str(e, "map_name") :
				   !strcmp(kind, "load") ? get_str(e, "prog_name") : get_str(e, "command");
		const char *type = !strcmp(kind, "map") ? get_str(e, "map_type") : get_str(e, "prog_type");
		const char *id = *get_str(e, "digest") ? get_str(e, "digest") : get_str(e, "tag");
		const cJSON *pid = cJSON_GetObjectItemCaseSensitive(e, "loader_tgid");
		const char *exe = get_str(e, "loader_exe");

		term_str(stdout, *name ? name : "-");
		if (*type) {
			fputs(" (", stdout);
			term_str(stdout, type);
			fputs(")", stdout);
		}
		if (*id) {
			fputs(" ", stdout);
			term_strn(stdout, id, strlen(id) < 16 ? strlen(id) : 16);
		}
		fputs(" by ", stdout);
		term_str(stdout, *exe ? exe : get_str(e, "loader_comm"));
		printf("[%.0f]", pid ? pid->valuedouble : 0.0);
	}
}

static void print_table(struct events *o, const cJSON *e)
{
	if (!o->header_done)
		printf("%-30s %-8s %-10s %-24s %s\n", "TIME", "SEVERITY", "ACTION", "RULE", "WHAT");
	term_cell(stdout, get_str(e, "time"), 30);
	term_cell(stdout, get_str(e, "severity"), 8);
	term_cell(stdout, *get_str(e, "action") ? get_str(e, "action") : "-", 10);
	term_cell(stdout, get_str(e, "rule"), 24);
	print_subject(e);
	putchar('\n');
}

static const char *const csv_columns[] = {
	"seq", "uid", "time", "host", "kind", "severity", "rule", "mode", "tier", "action", "reason", "policy_generation",
	"policy_entry", "policy_rule", "prog_name", "prog_type", "attach_type", "attach_target", "identity", "digest", "tag",
	"insn_cnt", "helpers", "kfunc_count", "command", "map_name", "map_type", "loader_tgid", "loader_uid", "loader_comm",
	"loader_exe", "loader_cgroup", "event", "message",
};

/* RFC 4180: a quote inside a quoted field is doubled. */
static void csv_field(const char *text)
{
	putchar('"');
	for (;;) {
		size_t n = strcspn(text, "\"");

		term_strn(stdout, text, n);
		if (!text[n])
			break;
		fputs("\"\"", stdout);
		text += n + 1;
	}
	putchar('"');
}

static void print_csv(struct events *o, const cJSON *e)
{
	if (!o->header_done)
		for (size_t i = 0; i < ARRAY_SIZE(csv_columns); i++)
			printf("%s%s", csv_columns[i], i + 1 < ARRAY_SIZE(csv_columns) ? "," : "\r\n");
	for (size_t i = 0; i < ARRAY_SIZE(csv_columns); i++) {
		const cJSON *v = cJSON_GetObjectItemCaseSensitive(e, csv_columns[i]), *item;

		if (i)
			putchar(',');
		if (cJSON_IsString(v)) {
			csv_field(v->valuestring);
		} else if (cJSON_IsArray(v)) {
			_cleanup_buf_ struct bw_buf b = { 0 };

			cJSON_ArrayForEach(item, v) {
				if (b.len)
					bw_buf_char(&b, ' ');
				bw_buf_str(&b, cJSON_IsString(item) ? item->valuestring : "?");
			}
			csv_field(bw_buf_cstr(&b));
		} else if (cJSON_IsNumber(v)) {
			printf("%.0f", v->valuedouble);
		}
	}
	fputs("\r\n", stdout);
}

static int print_format(struct events *o, const char *line, size_t len)
{
	struct event_view view;
	int r = event_view_parse(line, len, &view);

	bw_buf_reset(&o->record);
	if (r == 0)
		r = format_event(o->format, &(struct format_options){ 0 }, &view, &o->record);
	if (r < 0) {
		fprintf(stderr, "bpfwarden events: an event is not valid: %s\n", strerror(-r));
		return r;
	}
	fwrite(o->record.data, 1, o->record.len, stdout);
	if (format_is_line(o->format))
		putchar('\n');
	return 0;
}

static int print_event(struct events *o, const char *line, size_t len)
{
	cJSON *e;

	if (o->print == PRINT_FORMAT) {
		int r = print_format(o, line, len);

		if (r < 0)
			return r;
	} else if (o->print == PRINT_JSON) {
		term_json(stdout, line, len);
		putchar('\n');
	} else {
		e = cJSON_ParseWithLength(line, len);
		if (!cJSON_IsObject(e)) {
			fputs("bpfwarden events: an event is not valid JSON\n", stderr);
			cJSON_Delete(e);
			return -EBADMSG;
		}
		if (o->print == PRINT_TABLE)
			print_table(o, e);
		else
			print_csv(o, e);
		cJSON_Delete(e);
		o->header_done = true;
	}
	if (o->follow)
		fflush(stdout);
	return ferror(stdout) ? -EPIPE : 0;
}

/* ---- from the guard ------------------------------------------------------------------------------------------------- */

static int send_request(struct client *c, const struct events *o)
{
	_cleanup_buf_ struct bw_buf b = { 0 };
	struct bw_json j = { .buf = &b };

	bw_json_open(&j, NULL, '{');
	bw_json_str(&j, "cmd", "events");
	bw_json_bool(&j, "follow", o->follow);
	if (o->since_seq)
		bw_json_u64(&j, "since_seq", o->since);
	if (o->limit && !(o->follow && o->since_seq))
		bw_json_u64(&j, "limit", o->limit);
	if (o->kind)
		bw_json_str(&j, "kind", o->kind);
	if (o->rule)
		bw_json_str(&j, "rule", o->rule);
	if (o->severity)
		bw_json_str(&j, "severity", o->severity);
	if (o->program)
		bw_json_str(&j, "program", o->program);
	if (o->pid)
		bw_json_u64(&j, "pid", o->pid);
	else if (o->process)
		bw_json_str(&j, "process", o->process);
	if (o->from_ns)
		bw_json_i64(&j, "since_ms", o->from_ns / 1000000);
	if (o->until_ns)
		bw_json_i64(&j, "until_ms", o->until_ns / 1000000);
	bw_json_close(&j, '}');
	return bw_buf_error(&b) ? bw_buf_error(&b) : client_send(c, bw_buf_cstr(&b));
}

#define ANSWER_END 1

/* Lines of the protocol begin with "ok", events with "v". Returns ANSWER_END, 0, or a negative errno after saying why. */
static int protocol_line(const char *line, size_t len)
{
	cJSON *a = cJSON_ParseWithLength(line, len);
	const cJSON *lost = cJSON_GetObjectItemCaseSensitive(a, "lost_from_seq");
	int r = 0;

	if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(a, "ok"))) {
		r = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(a, "end")) ? ANSWER_END : 0;
	} else {
		fflush(stdout);
		fputs("bpfwarden events: the guard says: ", stderr);
		term_str(stderr, get_str(a, "error"));
		if (lost)
			fprintf(stderr, " (from number %.0f on; --since-seq goes on there)", lost->valuedouble);
		fputc('\n', stderr);
		r = -EREMOTEIO;
	}
	cJSON_Delete(a);
	return r;
}

static int from_file(struct events *o, const char *socket_path, int socket_error);

static int from_guard(struct client *c, struct events *o)
{
	int r = send_request(c, o);
	bool any = false;

	if (r < 0) {
		fprintf(stderr, "bpfwarden events: the guard cannot be asked: %s\n", strerror(-r));
		return BW_EXIT_INPUT;
	}
	for (;;) {
		const char *line;
		size_t len;

		r = client_receive(c, o->follow ? 0 : ANSWER_TIMEOUT_S, &line, &len);
		if (r <= 0) {
			fflush(stdout);
			fprintf(stderr, "bpfwarden events: the guard %s\n", r ? strerror(-r) : "ended");
			return BW_EXIT_INPUT;
		}
		if (!strncmp(line, "{\"ok\":", 6)) {
			/* The guard does not search for long; this process may. */
			if (!any && !o->follow && strstr(line, "takes too long"))
				return from_file(o, "the guard", -ETIMEDOUT);
			r = protocol_line(line, len);
			if (r == ANSWER_END)
				return BW_EXIT_OK;
		} else {
			r = print_event(o, line, len);
			any = true;
		}
		if (r == -EPIPE)
			return BW_EXIT_OK; /* whoever read us has enough */
		if (r < 0)
			return BW_EXIT_INPUT;
	}
}

/* ---- from the file -------------------------------------------------------------------------------------------------- */

static int row(void *arg, uint64_t seq, const char *json, int len)
{
	(void)seq;
	return print_event(arg, json, (size_t)len);
}

static int severity_number(const char *name)
{
	static const char *const names[] = { "debug", "info", "low", "medium", "high", "critical" };

	for (int i = 0; name && i < (int)ARRAY_SIZE(names); i++)
		if (!strcmp(name, names[i]))
			return i;
	return 0;
}

static int from_file(struct events *o, const char *socket_path, int socket_error)
{
	struct event_store_query q = {
		.since_seq = o->since, .kind = o->kind, .rule = o->rule, .min_severity = severity_number(o->severity),
		.limit = o->limit, .forward = o->since_seq != NULL, .program = o->program, .process = o->pid ? NULL : o->process, .pid = o->pid,
		.since_ns = o->from_ns, .until_ns = o->until_ns,
	};
	struct sqlite3 *db __attribute__((cleanup(event_store_close))) = NULL;
	char path[PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "%s/%s", o->state_dir ? o->state_dir : EVENT_STORE_DEFAULT_DIR, EVENT_STORE_FILE);
	r = event_store_open(path, &db);
	if (r < 0) {
		fprintf(stderr, "bpfwarden events: %s: %s; %s: %s\n", socket_path, client_open_error(socket_error), path,
			r == -EPROTO ? "not an event store of this version" : r == -EUCLEAN ? "is corrupt" : strerror(-r));
		return BW_EXIT_INPUT;
	}
	r = event_store_query(db, &q, row, o);
	if (r == -EPIPE)
		return BW_EXIT_OK;
	if (r < 0) {
		fflush(stdout);
		fprintf(stderr, "bpfwarden events: %s: %s\n", path, r == -EUCLEAN ? "is corrupt" : strerror(-r));
		return BW_EXIT_INPUT;
	}
	return BW_EXIT_OK;
}

static bool is_text(const struct event_view *v, const char *key, const char *want, bool beginning)
{
	const struct event_member *m = event_get(v, key);
	_cleanup_buf_ struct bw_buf b = { 0 };

	if (!m)
		return false;
	event_text(m, &b);
	return beginning ? !strncmp(bw_buf_cstr(&b), want, strlen(want)) : !strcmp(bw_buf_cstr(&b), want);
}

/* The conditions that the store looks at otherwise. */
static bool input_fits(const struct events *o, const struct event_view *v)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%u", o->pid);
	return (!o->from_ns || event_time(v) >= o->from_ns) && (!o->until_ns || event_time(v) <= o->until_ns) &&
	       (!o->program || is_text(v, "prog_name", o->program, false) || (strlen(o->program) >= 8 && is_text(v, "digest", o->program, true))) &&
	       (!o->process || (o->pid ? is_text(v, "loader_tgid", pid, false) :
					 is_text(v, "loader_exe", o->process, false) || is_text(v, "loader_comm", o->process, false)));
}

/* Lines that were written before. What does not fit the conditions is left out. */
static int from_input(struct events *o)
{
	_cleanup_fclose_ FILE *f = strcmp(o->input, "-") ? fopen(o->input, "re") : fdopen(dup(0), "r");
	int min_severity = severity_number(o->severity);
	_cleanup_free_ char *line = NULL;
	struct event_view *view;
	unsigned long number = 0;
	size_t size = 0;
	ssize_t n;
	int r = 0;

	if (!f) {
		fprintf(stderr, "bpfwarden events: %s: %s\n", o->input, strerror(errno));
		return BW_EXIT_INPUT;
	}
	view = malloc(sizeof(*view));
	while (view && r == 0 && (n = getline(&line, &size, f)) > 0) {
		number++;
		if (line[n - 1] == '\n')
			line[--n] = '\0';
		r = event_view_parse(line, (size_t)n, view);
		if (r < 0)
			fprintf(stderr, "bpfwarden events: %s:%lu: not an event\n", o->input, number);
		else if ((int)event_severity(view) >= min_severity && (!o->kind || event_is(event_get(view, "kind"), o->kind)) &&
			 (!o->rule || event_is(event_get(view, "rule"), o->rule)) && input_fits(o, view))
			r = print_event(o, line, (size_t)n);
	}
	if (!view || ferror(f)) {
		fprintf(stderr, "bpfwarden events: %s: %s\n", o->input, strerror(errno));
		r = -EIO;
	}
	free(view);
	return r == 0 || r == -EPIPE ? BW_EXIT_OK : BW_EXIT_INPUT;
}

static int parse_seq(const char *text, uint64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoull(text, &end, 10);
	return errno || !*text || *end || text[strspn(text, "0123456789")] || *ret > 1ULL << 53 ? -EINVAL : 0;
}

/* "2027-01-31", "2027-01-31T18:00:00Z", or so long ago: "90s", "30m", "12h", "7d". */
static int parse_when(const char *text, int64_t now_s, bool end, int64_t *ret_ns)
{
	static const char units[] = "smhd";
	static const int64_t seconds[] = { 1, 60, 3600, 86400 };
	const char *unit, *rest;
	struct tm tm = { 0 };
	char *stop;
	long long n;

	rest = strptime(text, "%Y-%m-%d", &tm);
	if (rest && !*rest) {
		*ret_ns = ((int64_t)timegm(&tm) + (end ? 86400 : 0)) * 1000000000 - (end ? 1 : 0);
		return 0;
	}
	rest = rest && *rest == 'T' ? strptime(rest, "T%H:%M:%SZ", &tm) : NULL;
	if (rest && !*rest) {
		*ret_ns = (int64_t)timegm(&tm) * 1000000000 + (end ? 999999999 : 0);
		return 0;
	}
	errno = 0;
	n = strtoll(text, &stop, 10);
	unit = *stop ? strchr(units, *stop) : NULL;
	if (errno || text[0] < '0' || text[0] > '9' || !unit || stop[1] || n > 40000000)
		return -EINVAL;
	*ret_ns = (now_s - n * seconds[unit - units]) * 1000000000;
	return 0;
}

static int parse_conditions(struct events *o)
{
	uint64_t pid;
	int64_t now = (int64_t)time(NULL);

	if ((o->from && parse_when(o->from, now, false, &o->from_ns) < 0) || (o->until && parse_when(o->until, now, true, &o->until_ns) < 0)) {
		fputs("bpfwarden events: --since and --until take a time (2027-01-31, 2027-01-31T18:00:00Z), or how long ago (30m, 12h, 7d)\n", stderr);
		return -EINVAL;
	}
	if (o->process && parse_seq(o->process, &pid) == 0) {
		if (!pid || pid > UINT32_MAX) {
			fputs("bpfwarden events: --process takes the number of a process, its executable or its name\n", stderr);
			return -EINVAL;
		}
		o->pid = (uint32_t)pid;
	}
	return 0;
}

int cmd_events(int argc, char **argv)
{
	static const struct bw_command cmd = {
		"bpfwarden events", "", "Shows the events of the guard.",
		"Asks the running guard; without one, reads its database. Without --since-seq the latest events are shown\n"
		"(100 unless --limit says otherwise; 0 is all); with it, those from that number on. --follow goes on with what happens.\n"
		"JSON output is the native format of docs/events.md, one event per line; the other formats are in docs/formats.md. Exit status 2 when neither a guard nor a\n"
		"database is found, or the guard ended while being followed.",
	};
	struct events o = { .limit = UINT_MAX };
	const char *format = "table";
	const struct bw_opt opts[] = {
		{ BW_OPT_FLAG, 'f', "follow", &o.follow, NULL, "go on with new events; needs a running guard" },
		{ BW_OPT_STRING, 0, "since-seq", &o.since_seq, "N", "begin with event number N" },
		{ BW_OPT_UINT, 'n', "limit", &o.limit, "N", "at most N events of the past" },
		{ BW_OPT_CHOICE, 0, "kind", &o.kind, "load|command|map|attach|access|egress|guard", "only events of that kind" },
		{ BW_OPT_CHOICE, 0, "severity", &o.severity, SEVERITIES, "only events at least so severe" },
		{ BW_OPT_STRING, 0, "rule", &o.rule, "RULE", "only events with that rule, like load.default" },
		{ BW_OPT_STRING, 0, "since", &o.from, "TIME", "only events from then on: 2027-01-31T18:00:00Z, 2027-01-31, or 30m, 12h, 7d ago" },
		{ BW_OPT_STRING, 0, "until", &o.until, "TIME", "only events until then" },
		{ BW_OPT_STRING, 0, "program", &o.program, "NAME", "only events about the program of that name, or whose digest begins so" },
		{ BW_OPT_STRING, 0, "process", &o.process, "PROCESS", "only events by that process: its number, executable or name" },
		{ BW_OPT_CHOICE, 0, "format", &format, FORMATS, "how to print them (default table); json is the native format" },
		{ BW_OPT_STRING, 0, "input", &o.input, "FILE", "events of the native format in a file (- is standard input), instead of the guard's" },
		{ BW_OPT_STRING, 0, "socket", &o.socket, "PATH", "the guard's control socket" },
		{ BW_OPT_STRING, 0, "state-dir", &o.state_dir, "DIR", "the guard's state directory: socket and database" },
		BW_OPTS_HELP_ROW,
		{ 0 },
	};
	_cleanup_client_ struct client *c = NULL;
	char buf[PATH_MAX];
	const char *path;
	int nargs, r;

	r = bw_opts_parse(&cmd, opts, argc, argv, &nargs);
	if (r)
		return r < 0 ? BW_EXIT_INPUT : BW_EXIT_OK;
	if (nargs || (o.since_seq && parse_seq(o.since_seq, &o.since) < 0)) {
		fprintf(stderr, "bpfwarden events: %s\n", nargs ? "takes no operand" : "--since-seq takes a whole number");
		return BW_EXIT_INPUT;
	}
	if (parse_conditions(&o) < 0)
		return BW_EXIT_INPUT;
	o.print = !strcmp(format, "table") ? PRINT_TABLE : !strcmp(format, "json") ? PRINT_JSON :
		  !strcmp(format, "csv")   ? PRINT_CSV : PRINT_FORMAT;
	if (o.print == PRINT_FORMAT)
		format_parse(format, &o.format);
	if (o.limit == UINT_MAX)
		o.limit = o.since_seq || o.follow ? 0 : DEFAULT_LIMIT;
	if (o.input && (o.follow || o.socket || o.state_dir)) {
		fputs("bpfwarden events: --input goes without --follow, --socket and --state-dir\n", stderr);
		return BW_EXIT_INPUT;
	}
	if (o.input) {
		r = from_input(&o);
		bw_buf_free(&o.record);
		return r;
	}
	path = client_socket_path(o.socket, o.state_dir, buf, sizeof(buf));
	r = client_open(path, &c);
	if (r == 0 || (!o.follow && !o.socket)) {
		r = r == 0 ? from_guard(c, &o) : from_file(&o, path, r);
		bw_buf_free(&o.record);
		return r;
	}
	fprintf(stderr, "bpfwarden events: %s: %s\n", path, client_open_error(r));
	return BW_EXIT_INPUT;
}
