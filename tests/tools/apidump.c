// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// tool-libs: guard
/*
 * What the API probes capture, one JSON line per chunk, until standard input ends; then one line of counters.
 *	apidump [CALL_BYTES [RING_BYTES [PID...]]]	the TLS libraries of these processes are probed as well
 */
#include <arpa/inet.h>
#include <bpf/libbpf.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "common/buf.h"
#include "common/json.h"
#include "guard/api/capture.h"
#include "guard/api/probes.h"
#include "guard/api/targets.h"

static void put_address(struct bw_json *j, const char *key, const struct api_address *a)
{
	char text[INET6_ADDRSTRLEN] = "", all[80];

	if (a->family == AF_INET || a->family == AF_INET6)
		inet_ntop(a->family, a->bytes, text, sizeof(text));
	snprintf(all, sizeof(all), "%s:%u", a->family == AF_UNIX ? "unix" : text, a->port);
	bw_json_str(j, key, a->family ? all : "");
}

static void on_chunk(void *arg, const struct api_chunk *c)
{
	struct bw_buf *b = arg;
	struct bw_json j = { .buf = b };

	bw_buf_reset(b);
	bw_json_open(&j, NULL, '{');
	bw_json_u64(&j, "conn", c->conn);
	bw_json_u64(&j, "time", c->time_ns);
	bw_json_str(&j, "dir", c->dir == API_DIR_IN ? "in" : "out");
	bw_json_u64(&j, "pos", c->pos);
	bw_json_u64(&j, "len", c->len);
	bw_json_u64(&j, "skipped", c->skipped);
	bw_json_u64(&j, "flags", c->flags);
	bw_json_u64(&j, "role", c->peer->role);
	bw_json_u64(&j, "source", c->peer->source);
	bw_json_u64(&j, "tgid", c->peer->tgid);
	bw_json_str(&j, "comm", c->peer->comm);
	bw_json_str(&j, "exe", c->peer->exe);
	put_address(&j, "local", &c->peer->local);
	put_address(&j, "remote", &c->peer->remote);
	bw_json_strn(&j, "data", (const char *)c->data, c->len);
	bw_json_close(&j, '}');
	puts(bw_buf_cstr(b));
}

static int on_record(void *arg, void *data, size_t size)
{
	api_capture_record(arg, data, size);
	return 0;
}

int main(int argc, char **argv)
{
	struct api_limits limits = { API_DEFAULT_CALL_BYTES, API_DEFAULT_CONN_BYTES, API_DEFAULT_TOTAL_BYTES, API_DEFAULT_RING_BYTES };
	static const char *const names[BW_API_STAT_COUNT] = {
		"calls", "records", "copied", "cut", "lost_ring", "lost_bytes", "lost_scratch", "lost_state", "read_failed", "http",
		"tls", "other", "midway", "skipped", "skipped_ends", "skipped_bytes",
	};
	struct pollfd in = { .fd = 0, .events = POLLIN };
	struct api_capture *capture;
	struct api_targets *targets;
	struct api_probes *probes;
	struct ring_buffer *ring;
	struct bw_api_stats stats;
	struct bw_buf line = { 0 };
	char why[512];

	if (argc > 1 && *argv[1])
		limits.call_bytes = (uint32_t)strtoul(argv[1], NULL, 10);
	if (argc > 2 && *argv[2])
		limits.ring_bytes = (uint32_t)strtoul(argv[2], NULL, 10);
	setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){ RLIM_INFINITY, RLIM_INFINITY });
	if (api_capture_new(0, on_chunk, &line, &capture) < 0 || api_probes_open(&limits, &probes, why, sizeof(why)) < 0) {
		fprintf(stderr, "apidump: %s\n", why);
		return 1;
	}
	api_probes_ignore(probes, 0, getpid());
	if (api_targets_new(probes, &targets) < 0)
		return 1;
	if (argc > 3)
		api_targets_preload(targets);
	for (int i = 3; i < argc; i++)
		api_targets_scan_process(targets, (pid_t)strtol(argv[i], NULL, 10));
	ring = ring_buffer__new(api_probes_ring_fd(probes), on_record, capture, NULL);
	if (!ring) {
		perror("apidump: ring buffer");
		return 1;
	}
	printf("{\"ready\":true,\"files\":%" PRIu64 ",\"probes\":%" PRIu64 ",\"failed\":%" PRIu64 "}\n", api_targets_stats(targets)->probed,
	       api_targets_stats(targets)->links, api_targets_stats(targets)->failed);
	fflush(stdout);
	while (poll(&in, 1, 10) == 0) {
		ring_buffer__consume(ring);
		fflush(stdout);
	}
	ring_buffer__consume(ring);
	api_probes_stats(probes, &stats);
	printf("{\"stats\":true");
	for (int i = 0; i < BW_API_STAT_COUNT; i++)
		printf(",\"%s\":%" PRIu64, names[i], (uint64_t)stats.v[i]);
	printf(",\"late\":%" PRIu64 ",\"unknown_conn\":%" PRIu64 ",\"undecodable\":%" PRIu64 "}\n", api_capture_stats(capture)->late,
	       api_capture_stats(capture)->unknown_conn, api_capture_stats(capture)->undecodable);
	ring_buffer__free(ring);
	api_targets_free(targets);
	api_probes_free(probes);
	api_capture_free(capture);
	bw_buf_free(&line);
	return 0;
}
