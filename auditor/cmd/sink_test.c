// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * bpfwarden sink test: sends a marked event to one sink and says how far it got.
 */
#include <cjson/cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <time.h>

#include "auditor/client.h"
#include "auditor/cmd/answer.h"
#include "auditor/commands.h"
#include "common/buf.h"
#include "common/json.h"
#include "common/opts.h"
#include "common/term.h"

#define ANSWER_TIMEOUT_S 10
#define LOOK_NS 100000000L

enum step { STEP_SPOOLED, STEP_CONNECTED, STEP_TLS, STEP_ACCEPTED, STEP_ACKNOWLEDGED, STEPS };
static const char *const step_names[STEPS] = { "spooled", "connected", "tls", "accepted", "acknowledged" };

enum outcome { OUTCOME_NO, OUTCOME_YES, OUTCOME_NONE /* there is no such step with this sink */ };
static const char *const outcome_names[] = { "no", "yes", "-" };

struct progress {
	enum outcome outcome[STEPS];
	char why[STEPS][512];
	bool over; /* it will not get further */
};

static bool is_true(const cJSON *o, const char *key)
{
	return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(o, key));
}

/* The guard's answer, NULL after saying why there is none. The caller deletes it. */
static cJSON *ask(struct client *c, const char *request)
{
	const char *line;
	size_t len;
	cJSON *a;
	int r = client_send(c, request);

	if (r == 0)
		r = client_receive(c, ANSWER_TIMEOUT_S, &line, &len);
	if (r <= 0) {
		fprintf(stderr, "bpfwarden sink test: the guard %s\n", r ? strerror(-r) : "hung up");
		return NULL;
	}
	a = cJSON_ParseWithLength(line, len);
	if (is_true(a, "ok"))
		return a;
	fputs("bpfwarden sink test: the guard says: ", stderr);
	term_str(stderr, string(a, "error"));
	fputc('\n', stderr);
	cJSON_Delete(a);
	return NULL;
}

static void set(struct progress *p, enum step step, enum outcome o, const char *why)
{
	p->outcome[step] = o;
	snprintf(p->why[step], sizeof(p->why[step]), "%s", why);
}

/* What the status says about the event with that number in the spool. */
static void look(const cJSON *status, const char *name, double event, struct progress *p)
{
	const cJSON *spool = cJSON_GetObjectItemCaseSensitive(status, "spool"), *s = NULL, *i;
	const char *promise, *peer, *tls, *error;
	bool taken, refused, network;
	char text[200];

	cJSON_ArrayForEach(i, cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(status, "deliver"), "sinks"))
		if (!strcmp(string(i, "name"), name))
			s = i;
	promise = string(s, "promise");
	peer = string(s, "peer");
	tls = string(s, "tls");
	error = string(s, "error");
	taken = number(s, "test_number") >= event;
	refused = taken && is_true(s, "test_refused");
	network = strcmp(string(s, "type"), "file") && strcmp(string(s, "type"), "stdout") && strcmp(string(s, "type"), "journald");

	if (is_true(spool, "failing"))
		set(p, STEP_SPOOLED, OUTCOME_NO, "the spool cannot be written");
	else
		set(p, STEP_SPOOLED, OUTCOME_YES, "");
	if (!s)
		snprintf(text, sizeof(text), "the delivery has not said anything about this sink yet");
	else if (event - 1 > number(s, "cursor") && !taken)
		snprintf(text, sizeof(text), "%.0f events wait before it", event - 1 - number(s, "cursor"));
	else
		text[0] = '\0';
	if (!network)
		set(p, STEP_CONNECTED, OUTCOME_NONE, "");
	else
		set(p, STEP_CONNECTED, *peer || taken ? OUTCOME_YES : OUTCOME_NO, *peer ? peer : taken ? "" : *error ? error : text);
	if (*tls)
		set(p, STEP_TLS, OUTCOME_YES, tls);
	else
		set(p, STEP_TLS, OUTCOME_NONE, p->outcome[STEP_CONNECTED] == OUTCOME_YES && network && strcmp(string(s, "type"), "kafka") ? "not encrypted" : "");
	set(p, STEP_ACCEPTED, taken && !refused ? OUTCOME_YES : OUTCOME_NO, taken && !refused ? "" : *error ? error : text);
	if (refused)
		set(p, STEP_ACCEPTED, OUTCOME_NO, *error ? error : "the receiver refused it: see dead-letter.jsonl");
	if (!strcmp(promise, "sent"))
		set(p, STEP_ACKNOWLEDGED, OUTCOME_NONE, "this way has no acknowledgement: whether the receiver has it, only the receiver knows");
	else if (!strcmp(promise, "transport"))
		set(p, STEP_ACKNOWLEDGED, OUTCOME_NONE, "syslog has no acknowledgement: the receiver's host has it, the receiver should show it");
	else
		set(p, STEP_ACKNOWLEDGED, taken && !refused ? OUTCOME_YES : OUTCOME_NO, "");
	p->over = taken || !strcmp(string(s, "state"), "broken");
}

static void print(const struct progress *p, const char *name, const cJSON *test, bool json)
{
	struct bw_buf b = { 0 };
	struct bw_json j = { .buf = &b };

	if (!json) {
		printf("test event %.0f for the sink %s, number %.0f in the spool\n", number(test, "seq"), name, number(test, "number"));
		for (int i = 0; i < STEPS; i++) {
			printf("  %-13s %-4s", step_names[i], outcome_names[p->outcome[i]]);
			term_str(stdout, p->why[i]);
			putchar('\n');
		}
		return;
	}
	bw_json_open(&j, NULL, '{');
	bw_json_str(&j, "sink", name);
	bw_json_u64(&j, "seq", (uint64_t)number(test, "seq"));
	bw_json_u64(&j, "number", (uint64_t)number(test, "number"));
	for (int i = 0; i < STEPS; i++) {
		bw_json_open(&j, step_names[i], '{');
		if (p->outcome[i] == OUTCOME_NONE)
			bw_json_null(&j, "done");
		else
			bw_json_bool(&j, "done", p->outcome[i] == OUTCOME_YES);
		bw_json_str(&j, "detail", p->why[i]);
		bw_json_close(&j, '}');
	}
	bw_json_close(&j, '}');
	puts(bw_buf_cstr(&b));
	bw_buf_free(&b);
}

static int64_t monotonic_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int test(struct client *c, const char *name, unsigned int timeout_s, bool json)
{
	int64_t end = monotonic_ms() + (int64_t)timeout_s * 1000;
	_cleanup_buf_ struct bw_buf b = { 0 };
	struct bw_json j = { .buf = &b };
	struct progress p = { 0 };
	cJSON *sent, *a;

	bw_json_open(&j, NULL, '{');
	bw_json_str(&j, "cmd", "sink_test");
	bw_json_str(&j, "sink", name);
	bw_json_close(&j, '}');
	sent = ask(c, bw_buf_cstr(&b));
	if (!sent)
		return BW_EXIT_INPUT;
	do {
		nanosleep(&(struct timespec){ .tv_nsec = LOOK_NS }, NULL);
		a = ask(c, "{\"cmd\":\"status\"}");
		if (!a) {
			cJSON_Delete(sent);
			return BW_EXIT_INPUT;
		}
		look(cJSON_GetObjectItemCaseSensitive(a, "status"), name, number(sent, "number"), &p);
		cJSON_Delete(a);
	} while (!p.over && monotonic_ms() < end);
	print(&p, name, sent, json);
	cJSON_Delete(sent);
	for (int i = 0; i < STEPS; i++)
		if (p.outcome[i] == OUTCOME_NO)
			return BW_EXIT_FINDINGS;
	return BW_EXIT_OK;
}

int cmd_sink_test(int argc, char **argv)
{
	static const struct bw_command cmd = {
		"bpfwarden sink test", "NAME", "Sends a test event to a sink and says how far it got.",
		"The event (guard.sink_test, severity info) goes the way of all events: through the spool, to that sink alone, whatever its filter\n"
		"says. It waits behind what waits there. Exit status 0 when it got as far as the protocol can tell, 1 when it did not within the\n"
		"time limit (it still may), 2 when no guard answers or there is no such sink.",
	};
	const char *socket = NULL, *state_dir = NULL, *format = "table";
	unsigned int timeout_s = 15;
	const struct bw_opt opts[] = {
		{ BW_OPT_CHOICE, 0, "format", &format, "table|json", "how to print it (default table)" },
		{ BW_OPT_UINT, 0, "timeout", &timeout_s, "SECONDS", "how long to look (default 15)" },
		{ BW_OPT_STRING, 0, "socket", &socket, "PATH", "the guard's control socket" },
		{ BW_OPT_STRING, 0, "state-dir", &state_dir, "DIR", "the guard's state directory: its socket is looked for there" },
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
	if (nargs != 1) {
		fputs("bpfwarden sink test: takes the name of one sink\n", stderr);
		return BW_EXIT_INPUT;
	}
	path = client_socket_path(socket, state_dir, buf, sizeof(buf));
	r = client_open(path, &c);
	if (r < 0) {
		fprintf(stderr, "bpfwarden sink test: %s: %s\n", path, client_open_error(r));
		return BW_EXIT_INPUT;
	}
	return test(c, argv[1], timeout_s, !strcmp(format, "json"));
}
