// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The guard's counters as metrics, in Prometheus' text format. */
#include "auditor/cmd/sink_metrics.h"

#include <string.h>

#include "auditor/cmd/answer.h"
#include "common/cleanup.h"

/* Label values: Prometheus' text format escapes backslash, quote and newline. */
static void print_label(FILE *f, const char *text)
{
	for (; *text; text++) {
		if (*text == '\n') {
			fputs("\\n", f);
			continue;
		}
		if (*text == '\\' || *text == '"')
			fputc('\\', f);
		fputc(*text, f);
	}
}

static void print_sinks(FILE *f, const cJSON *spool, const cJSON *sinks, const char *metric, const char *type, const char *help, const char *key)
{
	const cJSON *s;

	fprintf(f, "# HELP %s %s\n# TYPE %s %s\n", metric, help, metric, type);
	cJSON_ArrayForEach(s, sinks) {
		double v = number(s, key);

		if (!strcmp(key, "waiting")) {
			v = number(spool, "last") - number(s, "cursor");
			v = v > 0 ? v : 0;
		} else if (!strcmp(key, "failing")) {
			v = strcmp(string(s, "state"), "ok") != 0;
		}
		fprintf(f, "%s{sink=\"", metric);
		print_label(f, string(s, "name"));
		fputs("\",type=\"", f);
		print_label(f, string(s, "type"));
		fprintf(f, "\"} %.0f\n", v);
	}
}

static void print_one(FILE *f, const char *metric, const char *type, const char *help, double v)
{
	fprintf(f, "# HELP %s %s\n# TYPE %s %s\n%s %.0f\n", metric, help, metric, type, metric, v);
}

/* Events that noise control held back, by cause. */
static void print_noise(FILE *f, const cJSON *noise)
{
	static const char *const causes[] = { "repeat", "rate", "maintenance", "suppressed" };

	fputs("# HELP bpfwarden_noise_held_back_total Events that the sinks get in summaries only.\n# TYPE bpfwarden_noise_held_back_total counter\n", f);
	for (size_t i = 0; i < ARRAY_SIZE(causes); i++)
		fprintf(f, "bpfwarden_noise_held_back_total{cause=\"%s\"} %.0f\n", causes[i], number(noise, causes[i]));
	print_one(f, "bpfwarden_noise_untold_events", "gauge", "Events held back that no summary has told of yet.", number(noise, "untold"));
	print_one(f, "bpfwarden_noise_facts", "gauge", "Facts remembered, of at most 4096.", number(noise, "facts"));
	print_one(f, "bpfwarden_noise_overflows_total", "counter", "Events sent because no more facts could be remembered.", number(noise, "overflows"));
	print_one(f, "bpfwarden_noise_summaries_total", "counter", "Summaries made.", number(noise, "summaries"));
}

void sink_metrics(FILE *f, const cJSON *status)
{
	const cJSON *spool = cJSON_GetObjectItemCaseSensitive(status, "spool"), *deliver = cJSON_GetObjectItemCaseSensitive(status, "deliver");
	const cJSON *sinks = cJSON_GetObjectItemCaseSensitive(deliver, "sinks");

	print_one(f, "bpfwarden_up", "gauge", "Whether a guard answers.", status != NULL);
	if (!status)
		return;
	print_one(f, "bpfwarden_loads_total", "counter", "BPF programs whose load was judged.", number(status, "loads"));
	print_one(f, "bpfwarden_loads_denied_total", "counter", "Loads that were refused.", number(status, "loads_denied"));
	print_one(f, "bpfwarden_alerts_total", "counter", "Events that were or would have been refused.", number(status, "alerts"));
	print_one(f, "bpfwarden_ring_emitted_total", "counter", "Records that the kernel side put into the ring buffers.", number(status, "emitted"));
	print_one(f, "bpfwarden_ring_received_total", "counter", "Records taken out of them.", number(status, "received"));
	print_one(f, "bpfwarden_output_written_total", "counter", "Events written to the output.", number(status, "output_written"));
	print_one(f, "bpfwarden_output_lost_total", "counter", "Events that the output did not take.", number(status, "output_lost"));
	print_one(f, "bpfwarden_followers", "gauge", "Clients that follow events.", number(status, "followers"));
	print_one(f, "bpfwarden_followers_dropped_total", "counter", "Followers that did not keep up.", number(status, "followers_dropped"));
	print_one(f, "bpfwarden_lost_ring_total", "counter", "Records lost because a ring buffer was full.", number(status, "lost_ring"));
	print_one(f, "bpfwarden_store_queued_events", "gauge", "Events that wait for the history.", number(status, "store_queued"));
	print_one(f, "bpfwarden_store_written_total", "counter", "Events written to the history.", number(status, "store_written"));
	print_one(f, "bpfwarden_store_lost_total", "counter", "Events missing in the history.", number(status, "store_lost"));
	print_one(f, "bpfwarden_enforcing", "gauge", "Whether loads are refused, as proved by the latest attempt.",
		  cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(status, "enforcing")));
	if (!spool)
		return; /* a guard without sinks */
	print_one(f, "bpfwarden_spool_size_bytes", "gauge", "Size of the spool.", number(spool, "bytes"));
	print_one(f, "bpfwarden_spool_segments", "gauge", "Files of the spool.", number(spool, "segments"));
	print_one(f, "bpfwarden_spool_failing", "gauge", "Whether the spool cannot be written.", cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(spool, "failing")));
	print_one(f, "bpfwarden_dead_letter_size_bytes", "gauge", "Size of dead-letter.jsonl.", number(deliver, "dead_letter_bytes"));
	print_one(f, "bpfwarden_dead_letter_lost_total", "counter", "Refused events that it had no room for.", number(deliver, "dead_letters_lost"));
	print_noise(f, cJSON_GetObjectItemCaseSensitive(status, "noise"));
	print_one(f, "bpfwarden_spool_written_total", "counter", "Events written to the spool.", number(spool, "written"));
	print_one(f, "bpfwarden_spool_dropped_total", "counter", "New events that the spool had no room for.", number(spool, "dropped"));
	print_one(f, "bpfwarden_spool_shed_total", "counter", "Old events below high severity that made room.", number(spool, "shed"));
	print_one(f, "bpfwarden_spool_expired_total", "counter", "Events in files that went because of their age or the limit.", number(spool, "expired"));
	print_sinks(f, spool, sinks, "bpfwarden_sink_waiting_events", "gauge", "Events that the sink has not confirmed.", "waiting");
	print_sinks(f, spool, sinks, "bpfwarden_sink_failing", "gauge", "Whether the sink does not deliver.", "failing");
	print_sinks(f, spool, sinks, "bpfwarden_sink_delivered_total", "counter", "Events delivered.", "delivered");
	print_sinks(f, spool, sinks, "bpfwarden_sink_filtered_total", "counter", "Events that the sink does not want.", "filtered");
	print_sinks(f, spool, sinks, "bpfwarden_sink_sent_bytes_total", "counter", "Bytes delivered.", "bytes");
	print_sinks(f, spool, sinks, "bpfwarden_sink_connects_total", "counter", "Connections made.", "connects");
	print_sinks(f, spool, sinks, "bpfwarden_sink_refused_total", "counter", "Events that the receiver refused for good.", "refused");
	print_sinks(f, spool, sinks, "bpfwarden_sink_missing_total", "counter", "Events given up in the spool before the sink had read them.", "missing");
	print_sinks(f, spool, sinks, "bpfwarden_sink_failures_total", "counter", "Attempts that failed.", "failures");
}
