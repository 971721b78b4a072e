// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * bpfwarden verify-log: follows the hash chain of the guard's events, in its database or in files of JSON lines.
 */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "auditor/client.h"
#include "auditor/commands.h"
#include "common/event_chain.h"
#include "common/event_store.h"
#include "common/opts.h"
#include "common/term.h"

#define MAX_SHOWN 100
#define ANSWER_TIMEOUT_S 5
#define FLUSH_WAIT_US 1500000 /* the guard writes its database once a second */

struct verify {
	struct event_chain_check check;
	const char *name; /* of what is being read */
	uint64_t line, faults;
	/* What the running guard says its latest event is; 0: no guard was asked. */
	uint64_t head_seq;
	uint8_t head[EVENT_CHAIN_LEN];
	bool head_seen;
};

static void complain(struct verify *v, enum event_chain_fault fault, uint64_t before)
{
	const struct event_chain_check *c = &v->check;

	if (v->faults++ >= MAX_SHOWN)
		return;
	term_str(stdout, v->name);
	if (v->line)
		printf(":%" PRIu64, v->line);
	printf(": %s", event_chain_fault_name(fault));
	switch (fault) {
	case EVENT_CHAIN_GAP:
		printf(": events %" PRIu64 " to %" PRIu64 " are missing\n", c->expected, c->seq - 1);
		break;
	case EVENT_CHAIN_EDITED:
		printf(": event %" PRIu64 " is not what was sealed\n", c->seq);
		break;
	case EVENT_CHAIN_REPLACED:
		printf(": event %" PRIu64 " does not follow the event %" PRIu64 " that stands before it\n", c->seq, before);
		break;
	case EVENT_CHAIN_ORDER:
		printf(": event %" PRIu64 " comes after %" PRIu64 "\n", c->seq, before);
		break;
	case EVENT_CHAIN_FORKED:
		printf(": event %" PRIu64 " is of another run of the guard and does not follow %" PRIu64
		       " (an unclean end, or missing events)\n", c->seq, before);
		break;
	default:
		putchar('\n');
	}
}

static void take(struct verify *v, const char *line, size_t len)
{
	uint64_t before = v->check.at.seq;
	enum event_chain_fault fault = event_chain_check(&v->check, line, len);

	if (fault)
		complain(v, fault, before);
	if (v->head_seq && v->check.seq == v->head_seq) {
		v->head_seen = true;
		if (memcmp(v->head, v->check.at.head, sizeof(v->head)))
			complain(v, EVENT_CHAIN_REPLACED, before);
	}
}

static int row(void *arg, uint64_t seq, const char *json, int len)
{
	(void)seq;
	take(arg, json, (size_t)len);
	return 0;
}

/* The number and the hash of the latest event, from the running guard. */
static void ask_guard(struct verify *v, const char *socket, const char *state_dir)
{
	_cleanup_client_ struct client *c = NULL;
	const char *line, *hex;
	char buf[PATH_MAX];
	const cJSON *status;
	size_t len;
	cJSON *a;

	if (client_open(client_socket_path(socket, state_dir, buf, sizeof(buf)), &c) < 0 ||
	    client_send(c, "{\"cmd\":\"status\"}") < 0 || client_receive(c, ANSWER_TIMEOUT_S, &line, &len) <= 0)
		return;
	a = cJSON_ParseWithLength(line, len);
	status = cJSON_GetObjectItemCaseSensitive(a, "status");
	hex = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(status, "chain_head"));
	if (hex && strlen(hex) == 2 * EVENT_CHAIN_LEN) {
		const cJSON *seq = cJSON_GetObjectItemCaseSensitive(status, "chain_seq");

		for (size_t i = 0; i < EVENT_CHAIN_LEN; i++) {
			unsigned int byte = 0;

			if (sscanf(hex + 2 * i, "%2x", &byte) == 1)
				v->head[i] = (uint8_t)byte;
		}
		v->head_seq = cJSON_IsNumber(seq) ? (uint64_t)seq->valuedouble : 0;
	}
	cJSON_Delete(a);
}

static int verify_store(struct verify *v, const char *path)
{
	struct sqlite3 *db __attribute__((cleanup(event_store_close))) = NULL;
	struct event_store_query q = { .forward = 1 };
	int r = event_store_open(path, &db);

	if (r == 0)
		r = event_store_query(db, &q, row, v);
	if (r == 0 && v->head_seq > v->check.at.seq) {
		usleep(FLUSH_WAIT_US); /* what the guard had not written yet */
		q.since_seq = v->check.at.seq + 1;
		r = event_store_query(db, &q, row, v);
	}
	if (r < 0) {
		fprintf(stderr, "bpfwarden verify-log: %s: %s\n", path,
			r == -EPROTO ? "not an event store of this version" : r == -EUCLEAN ? "is corrupt" : strerror(-r));
		return r;
	}
	if (v->head_seq && !v->head_seen) {
		v->faults++;
		printf("%s: cut off: the guard's latest event is %" PRIu64 ", the last one here is %" PRIu64 "\n", path,
		       v->head_seq, v->check.at.seq);
	}
	return 0;
}

static int verify_lines(struct verify *v, const char *path)
{
	_cleanup_fclose_ FILE *f = strcmp(path, "-") ? fopen(path, "re") : fdopen(dup(0), "r");
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	ssize_t n = -1;

	if (!f) {
		fprintf(stderr, "bpfwarden verify-log: %s: %s\n", path, strerror(errno));
		return -errno;
	}
	v->line = 0;
	while ((n = getline(&line, &size, f)) > 0) {
		bool ended = line[n - 1] == '\n';

		v->line++;
		if (!ended && feof(f)) {
			v->faults++;
			printf("%s:%" PRIu64 ": the last line has no end: it is torn\n", path, v->line);
			break;
		}
		take(v, line, (size_t)n - 1);
	}
	if (ferror(f)) {
		fprintf(stderr, "bpfwarden verify-log: %s: %s\n", path, strerror(errno));
		return -EIO;
	}
	return 0;
}

static bool is_database(const char *path)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	char magic[16];

	return f && fread(magic, sizeof(magic), 1, f) == 1 && !memcmp(magic, "SQLite format 3", sizeof(magic));
}

int cmd_verify_log(int argc, char **argv)
{
	static const struct bw_command cmd = {
		"bpfwarden verify-log", "[FILE...]", "Checks that the guard's events are complete, in order and as they were written.",
		"Each event carries the hash of the one before it. Without FILE the database of the state directory is checked, and\n"
		"against the running guard, if there is one, that nothing is cut off at the end. FILE is such a database or JSON lines\n"
		"(--output of the guard, a sink of the native format); several files are read as one, oldest first; - is standard\n"
		"input. The chain has no key: compare its end with what has left the host. Exit status 1 when something does not fit.",
	};
	const char *socket = NULL, *state_dir = NULL;
	const struct bw_opt opts[] = {
		{ BW_OPT_STRING, 0, "state-dir", &state_dir, "DIR", "the guard's state directory (default " EVENT_STORE_DEFAULT_DIR ")" },
		{ BW_OPT_STRING, 0, "socket", &socket, "PATH", "the guard's control socket" },
		BW_OPTS_HELP_ROW,
		{ 0 },
	};
	struct verify v = { 0 };
	char path[PATH_MAX];
	int nargs, r;

	r = bw_opts_parse(&cmd, opts, argc, argv, &nargs);
	if (r)
		return r < 0 ? BW_EXIT_INPUT : BW_EXIT_OK;
	if (nargs && state_dir) {
		fputs("bpfwarden verify-log: either --state-dir or files\n", stderr);
		return BW_EXIT_INPUT;
	}
	if (!nargs) {
		snprintf(path, sizeof(path), "%s/%s", state_dir ? state_dir : EVENT_STORE_DEFAULT_DIR, EVENT_STORE_FILE);
		v.name = path;
		ask_guard(&v, socket, state_dir);
		r = verify_store(&v, path);
	}
	for (int i = 1; i <= nargs && r == 0; i++) {
		v.name = argv[i];
		r = is_database(argv[i]) ? verify_store(&v, argv[i]) : verify_lines(&v, argv[i]);
	}
	if (r < 0)
		return BW_EXIT_INPUT;
	if (v.faults > MAX_SHOWN)
		printf("%" PRIu64 " more are not shown\n", v.faults - MAX_SHOWN);
	printf("%" PRIu64 " events", v.check.events);
	if (v.check.any)
		printf(", %" PRIu64 " to %" PRIu64, v.check.first_seq, v.check.at.seq);
	if (v.check.skipped)
		printf(", %" PRIu64 " numbers never used", v.check.skipped);
	if (v.check.missing)
		printf(", %" PRIu64 " missing", v.check.missing);
	printf(v.faults ? "; %" PRIu64 " places do not fit\n" : "; the chain holds\n", v.faults);
	return v.faults ? BW_EXIT_FINDINGS : BW_EXIT_OK;
}
