// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * bpfwarden sink status: how delivery is doing, for people, as JSON, or as metrics for Prometheus.
 */
#include <cjson/cJSON.h>
#include <limits.h>
#include <string.h>
#include <time.h>

#include "auditor/client.h"
#include "auditor/commands.h"
#include "common/buf.h"
#include "common/opts.h"
#include "common/term.h"

#define ANSWER_TIMEOUT_S 10

static double number(const cJSON *o, const char *key)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

	return cJSON_IsNumber(v) ? v->valuedouble : 0;
}

static const char *string(const cJSON *o, const char *key)
{
	const char *s = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, key));

	return s ? s : "";
}

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

/* Label values: Prometheus' text format escapes backslash, quote and newline. */
static void print_label(const char *text)
{
	for (; *text; text++) {
		if (*text == '\n') {
			fputs("\\n", stdout);
			continue;
		}
		if (*text == '\\' || *text == '"')
			putchar('\\');
		putchar(*text);
	}
}

static void print_sinks(const cJSON *spool, const cJSON *sinks, const char *metric, const char *type, const char *help, const char *key)
{
	const cJSON *s;

	printf("# HELP %s %s\n# TYPE %s %s\n", metric, help, metric, type);
	cJSON_ArrayForEach(s, sinks) {
		double v = number(s, key);

		if (!strcmp(key, "waiting")) {
			v = number(spool, "last") - number(s, "cursor");
			v = v > 0 ? v : 0;
		} else if (!strcmp(key, "failing")) {
			v = strcmp(string(s, "state"), "ok") != 0;
		}
		printf("%s{sink=\"", metric);
		print_label(string(s, "name"));
		fputs("\",type=\"", stdout);
		print_label(string(s, "type"));
		printf("\"} %.0f\n", v);
	}
}

static void print_one(const char *metric, const char *type, const char *help, double v)
{
	printf("# HELP %s %s\n# TYPE %s %s\n%s %.0f\n", metric, help, metric, type, metric, v);
}

/* Events that noise control held back, by cause. */
static void print_noise(const cJSON *noise)
{
	static const char *const causes[] = { "repeat", "rate", "maintenance", "suppressed" };

	puts("# HELP bpfwarden_noise_held_back_total Events that the sinks get in summaries only.\n# TYPE bpfwarden_noise_held_back_total counter");
	for (size_t i = 0; i < ARRAY_SIZE(causes); i++)
		printf("bpfwarden_noise_held_back_total{cause=\"%s\"} %.0f\n", causes[i], number(noise, causes[i]));
	print_one("bpfwarden_noise_untold_events", "gauge", "Events held back that no summary has told of yet.", number(noise, "untold"));
	print_one("bpfwarden_noise_facts", "gauge", "Facts remembered, of at most 4096.", number(noise, "facts"));
	print_one("bpfwarden_noise_overflows_total", "counter", "Events sent because no more facts could be remembered.", number(noise, "overflows"));
	print_one("bpfwarden_noise_summaries_total", "counter", "Summaries made.", number(noise, "summaries"));
}

static void print_prometheus(const cJSON *status, const cJSON *spool, const cJSON *deliver, const cJSON *sinks)
{
	print_one("bpfwarden_loads_total", "counter", "BPF programs whose load was judged.", number(status, "loads"));
	print_one("bpfwarden_loads_denied_total", "counter", "Loads that were refused.", number(status, "loads_denied"));
	print_one("bpfwarden_alerts_total", "counter", "Events that were or would have been refused.", number(status, "alerts"));
	print_one("bpfwarden_ring_emitted_total", "counter", "Records that the kernel side put into the ring buffers.", number(status, "emitted"));
	print_one("bpfwarden_ring_received_total", "counter", "Records taken out of them.", number(status, "received"));
	print_one("bpfwarden_output_written_total", "counter", "Events written to the output.", number(status, "output_written"));
	print_one("bpfwarden_output_lost_total", "counter", "Events that the output did not take.", number(status, "output_lost"));
	print_one("bpfwarden_followers", "gauge", "Clients that follow events.", number(status, "followers"));
	print_one("bpfwarden_followers_dropped_total", "counter", "Followers that did not keep up.", number(status, "followers_dropped"));
	print_one("bpfwarden_lost_ring_total", "counter", "Records lost because a ring buffer was full.", number(status, "lost_ring"));
	print_one("bpfwarden_store_queued_events", "gauge", "Events that wait for the history.", number(status, "store_queued"));
	print_one("bpfwarden_store_written_total", "counter", "Events written to the history.", number(status, "store_written"));
	print_one("bpfwarden_store_lost_total", "counter", "Events missing in the history.", number(status, "store_lost"));
	print_one("bpfwarden_enforcing", "gauge", "Whether loads are refused, as proved by the latest attempt.",
		  cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(status, "enforcing")));
	print_one("bpfwarden_spool_size_bytes", "gauge", "Size of the spool.", number(spool, "bytes"));
	print_one("bpfwarden_spool_segments", "gauge", "Files of the spool.", number(spool, "segments"));
	print_one("bpfwarden_spool_failing", "gauge", "Whether the spool cannot be written.", cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(spool, "failing")));
	print_one("bpfwarden_dead_letter_size_bytes", "gauge", "Size of dead-letter.jsonl.", number(deliver, "dead_letter_bytes"));
	print_one("bpfwarden_dead_letter_lost_total", "counter", "Refused events that it had no room for.", number(deliver, "dead_letters_lost"));
	print_noise(cJSON_GetObjectItemCaseSensitive(status, "noise"));
	print_one("bpfwarden_spool_written_total", "counter", "Events written to the spool.", number(spool, "written"));
	print_one("bpfwarden_spool_dropped_total", "counter", "New events that the spool had no room for.", number(spool, "dropped"));
	print_one("bpfwarden_spool_shed_total", "counter", "Old events below high severity that made room.", number(spool, "shed"));
	print_one("bpfwarden_spool_expired_total", "counter", "Events in files that went because of their age or the limit.", number(spool, "expired"));
	print_sinks(spool, sinks, "bpfwarden_sink_waiting_events", "gauge", "Events that the sink has not confirmed.", "waiting");
	print_sinks(spool, sinks, "bpfwarden_sink_failing", "gauge", "Whether the sink does not deliver.", "failing");
	print_sinks(spool, sinks, "bpfwarden_sink_delivered_total", "counter", "Events delivered.", "delivered");
	print_sinks(spool, sinks, "bpfwarden_sink_filtered_total", "counter", "Events that the sink does not want.", "filtered");
	print_sinks(spool, sinks, "bpfwarden_sink_sent_bytes_total", "counter", "Bytes delivered.", "bytes");
	print_sinks(spool, sinks, "bpfwarden_sink_connects_total", "counter", "Connections made.", "connects");
	print_sinks(spool, sinks, "bpfwarden_sink_refused_total", "counter", "Events that the receiver refused for good.", "refused");
	print_sinks(spool, sinks, "bpfwarden_sink_missing_total", "counter", "Events given up in the spool before the sink had read them.", "missing");
	print_sinks(spool, sinks, "bpfwarden_sink_failures_total", "counter", "Attempts that failed.", "failures");
}

int cmd_sink_status(int argc, char **argv)
{
	static const struct bw_command cmd = {
		"bpfwarden sink status", "", "Says how delivery to the sinks is doing.",
		"Asks the running guard. WAITING is what a sink has not confirmed. The prometheus format is for a file of node_exporter's\n"
		"textfile collector (write a temporary file and rename it). Exit status 1 when a sink does not deliver, 2 when no guard\n"
		"answers or it has no sinks.",
	};
	const char *socket = NULL, *state_dir = NULL, *format = "table";
	const struct bw_opt opts[] = {
		{ BW_OPT_CHOICE, 0, "format", &format, "table|json|prometheus", "how to print it (default table)" },
		{ BW_OPT_STRING, 0, "socket", &socket, "PATH", "the guard's control socket" },
		{ BW_OPT_STRING, 0, "state-dir", &state_dir, "DIR", "the guard's state directory: its socket is looked for there" },
		BW_OPTS_HELP_ROW,
		{ 0 },
	};
	const cJSON *status, *spool, *deliver, *sinks, *s;
	_cleanup_client_ struct client *c = NULL;
	int nargs, r, result = BW_EXIT_OK;
	const char *path, *line;
	char buf[PATH_MAX];
	size_t len;
	cJSON *a;

	r = bw_opts_parse(&cmd, opts, argc, argv, &nargs);
	if (r)
		return r < 0 ? BW_EXIT_INPUT : BW_EXIT_OK;
	if (nargs) {
		fputs("bpfwarden sink status: takes no operand\n", stderr);
		return BW_EXIT_INPUT;
	}
	path = client_socket_path(socket, state_dir, buf, sizeof(buf));
	r = client_open(path, &c);
	if (r < 0) {
		fprintf(stderr, "bpfwarden sink status: %s: %s\n", path, client_open_error(r));
		return BW_EXIT_INPUT;
	}
	r = client_send(c, "{\"cmd\":\"status\"}");
	if (r == 0)
		r = client_receive(c, ANSWER_TIMEOUT_S, &line, &len);
	if (r <= 0) {
		fprintf(stderr, "bpfwarden sink status: %s: %s\n", path, r ? strerror(-r) : "the guard hung up");
		return BW_EXIT_INPUT;
	}
	a = cJSON_ParseWithLength(line, len);
	status = cJSON_GetObjectItemCaseSensitive(a, "status");
	spool = cJSON_GetObjectItemCaseSensitive(status, "spool");
	deliver = cJSON_GetObjectItemCaseSensitive(status, "deliver");
	sinks = cJSON_GetObjectItemCaseSensitive(deliver, "sinks");
	if (!spool) {
		fputs("bpfwarden sink status: the guard has no sinks (docs/sinks.md)\n", stderr);
		cJSON_Delete(a);
		return BW_EXIT_INPUT;
	}
	if (!strcmp(format, "table")) {
		print_table(status, spool, sinks);
	} else if (!strcmp(format, "prometheus")) {
		print_prometheus(status, spool, deliver, sinks);
	} else {
		char *texts[2] = { cJSON_PrintUnformatted(spool), cJSON_PrintUnformatted(deliver) };

		printf("{\"spool\":%s,\"deliver\":%s}\n", texts[0] ? texts[0] : "null", texts[1] ? texts[1] : "null");
		cJSON_free(texts[0]);
		cJSON_free(texts[1]);
	}
	cJSON_ArrayForEach(s, sinks)
		if (strcmp(string(s, "state"), "ok"))
			result = BW_EXIT_FINDINGS;
	cJSON_Delete(a);
	return result;
}
