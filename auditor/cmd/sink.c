// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * bpfwarden sink status: how delivery is doing, for people, as JSON, or as metrics for Prometheus.
 */
#include <cjson/cJSON.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <time.h>

#include "auditor/client.h"
#include "auditor/cmd/answer.h"
#include "auditor/cmd/sink_metrics.h"
#include "auditor/commands.h"
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/opts.h"
#include "common/term.h"

#define ANSWER_TIMEOUT_S 10

static void print_table(const cJSON *status, const cJSON *spool, const cJSON *sinks)
{
	const cJSON *noise = cJSON_GetObjectItemCaseSensitive(status, "noise"), *s;

	printf("spool: %.0f bytes in %.0f segments, last event %.0f; given up: %.0f new, %.0f shed, %.0f expired\n", number(spool, "bytes"),
	       number(spool, "segments"), number(spool, "last"), number(spool, "dropped"), number(spool, "shed"), number(spool, "expired"));
	if (noise)
		printf("held back: %.0f repeats, %.0f over a limit, %.0f in maintenance, %.0f suppressed; not in a summary yet: %.0f\n", number(noise, "repeat"),
		       number(noise, "rate"), number(noise, "maintenance"), number(noise, "suppressed"), number(noise, "untold"));
	printf("%-16s %-14s %-8s %10s %10s %8s %8s  %s\n", "SINK", "TYPE", "STATE", "WAITING", "DELIVERED", "REFUSED", "MISSING", "ERROR");
	cJSON_ArrayForEach(s, sinks) {
		double waiting = number(spool, "last") - number(s, "cursor");

		/* Names are words by the rules of the settings; but this came from a process that is not trusted. */
		printf("%-16.16s %-14.14s %-8.8s %10.0f %10.0f %8.0f %8.0f  ", string(s, "name"), string(s, "type"), string(s, "state"),
		       waiting > 0 ? waiting : 0, number(s, "delivered"), number(s, "refused"), number(s, "missing"));
		term_str(stdout, string(s, "error"));
		putchar('\n');
	}
}

/* To standard output, or into @path at one go: whoever reads that finds all of it. */
static int print_metrics(const cJSON *status, const char *path)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	int r;

	if (!f)
		return -ENOMEM;
	sink_metrics(f, status);
	if (fclose(f))
		return -ENOMEM;
	if (!path)
		return fwrite(text, 1, len, stdout) == len ? 0 : -EIO;
	r = bw_file_write_atomic(path, text, len, 0644);
	if (r < 0)
		fprintf(stderr, "bpfwarden sink status: %s: %s\n", path, strerror(-r));
	return r;
}

/* The guard's answer; NULL after saying why there is none. */
static cJSON *ask_status(const char *path)
{
	_cleanup_client_ struct client *c = NULL;
	const char *line;
	size_t len;
	int r = client_open(path, &c);

	if (r < 0) {
		fprintf(stderr, "bpfwarden sink status: %s: %s\n", path, client_open_error(r));
		return NULL;
	}
	r = client_send(c, "{\"cmd\":\"status\"}");
	if (r == 0)
		r = client_receive(c, ANSWER_TIMEOUT_S, &line, &len);
	if (r <= 0) {
		fprintf(stderr, "bpfwarden sink status: %s: %s\n", path, r ? strerror(-r) : "the guard hung up");
		return NULL;
	}
	return cJSON_ParseWithLength(line, len);
}

int cmd_sink_status(int argc, char **argv)
{
	static const struct bw_command cmd = {
		"bpfwarden sink status", "", "Says how delivery to the sinks is doing.",
		"Asks the running guard. WAITING is what a sink has not confirmed. The prometheus format is for node_exporter's textfile\n"
		"collector (--output /var/lib/prometheus/node-exporter/bpfwarden.prom). Exit status 1 when a sink does not deliver, 2 when no guard\n"
		"answers or it has no sinks.",
	};
	const char *socket = NULL, *state_dir = NULL, *format = "table", *output = NULL;
	const struct bw_opt opts[] = {
		{ BW_OPT_CHOICE, 0, "format", &format, "table|json|prometheus", "how to print it (default table)" },
		{ BW_OPT_STRING, 'o', "output", &output, "FILE", "prometheus: into FILE, at one go" },
		{ BW_OPT_STRING, 0, "socket", &socket, "PATH", "the guard's control socket" },
		{ BW_OPT_STRING, 0, "state-dir", &state_dir, "DIR", "the guard's state directory: its socket is looked for there" },
		BW_OPTS_HELP_ROW,
		{ 0 },
	};
	const cJSON *status, *spool, *deliver, *sinks, *s;
	int nargs, r, result = BW_EXIT_OK;
	char buf[PATH_MAX];
	bool metrics;
	cJSON *a;

	r = bw_opts_parse(&cmd, opts, argc, argv, &nargs);
	if (r)
		return r < 0 ? BW_EXIT_INPUT : BW_EXIT_OK;
	metrics = !strcmp(format, "prometheus");
	if (nargs || (output && !metrics)) {
		fputs(nargs ? "bpfwarden sink status: takes no operand\n" : "bpfwarden sink status: --output goes with --format prometheus\n", stderr);
		return BW_EXIT_INPUT;
	}
	a = ask_status(client_socket_path(socket, state_dir, buf, sizeof(buf)));
	status = cJSON_GetObjectItemCaseSensitive(a, "status");
	spool = cJSON_GetObjectItemCaseSensitive(status, "spool");
	deliver = cJSON_GetObjectItemCaseSensitive(status, "deliver");
	sinks = cJSON_GetObjectItemCaseSensitive(deliver, "sinks");
	if (metrics && print_metrics(status, output) < 0)
		result = BW_EXIT_INPUT;
	if (!a)
		return BW_EXIT_INPUT;
	if (!spool) {
		fputs("bpfwarden sink status: the guard has no sinks (docs/sinks.md)\n", stderr);
		cJSON_Delete(a);
		return BW_EXIT_INPUT;
	}
	if (!strcmp(format, "table")) {
		print_table(status, spool, sinks);
	} else if (!metrics) {
		char *texts[2] = { cJSON_PrintUnformatted(spool), cJSON_PrintUnformatted(deliver) };

		printf("{\"spool\":%s,\"deliver\":%s}\n", texts[0] ? texts[0] : "null", texts[1] ? texts[1] : "null");
		cJSON_free(texts[0]);
		cJSON_free(texts[1]);
	}
	cJSON_ArrayForEach(s, sinks)
		if (!result && strcmp(string(s, "state"), "ok"))
			result = BW_EXIT_FINDINGS;
	cJSON_Delete(a);
	return result;
}
