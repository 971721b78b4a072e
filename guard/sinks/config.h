/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_SINKS_CONFIG_H
#define BW_SINKS_CONFIG_H
/* The members "sinks", "spool" and "noise" of guard.json (docs/sinks.md). Secrets are names of files here, never values. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/format.h"
#include "guard/sinks/noise.h"

struct cJSON;

#define SINKS_MAX 16u
#define SINK_NAME_MAX 32u
#define SINK_MAX_PATTERNS 64u
#define SINK_DEFAULT_BATCH 1000u
#define SINK_FALCOSIDEKICK_BATCH 10u

enum sink_type {
	SINK_FILE,
	SINK_STDOUT,
	SINK_SYSLOG,
	SINK_JOURNALD,
	SINK_HEC,
	SINK_ELASTICSEARCH,
	SINK_OTLP,
	SINK_FALCOSIDEKICK,
	SINK_WEBHOOK,
	SINK_KAFKA,
	SINK_TYPES
};
const char *sink_type_name(enum sink_type t);

enum sink_transport { SINK_UDP, SINK_TCP, SINK_TLS };

/* What an OTLP sink carries: the guard's events, or what is made of API calls (guard/api/export.h). */
enum sink_signal { SINK_LOGS, SINK_TRACES, SINK_METRICS };
/* The list that its OTLP requests consist of: "resourceSpans". */
const char *sink_signal_list(enum sink_signal s);

/* All strings owned; NULL: not given. */
struct sink_config {
	char name[SINK_NAME_MAX + 1];
	enum sink_type type;
	enum format_id format;
	enum sink_signal signal;
	/* which events */
	unsigned int min_severity; /* enum event_severity */
	char **kinds, **rules, **exclude; /* NULL-terminated lists; patterns of rules end with "*" or are whole */
	uint64_t rate;		   /* events a second at most; 0: no limit */
	uint64_t batch;		   /* events in one go */
	/* where to */
	enum sink_transport transport;
	char *address;		   /* host:port of syslog; the socket of journald; brokers of Kafka */
	char *url, *index, *sourcetype, *topic, *path;
	uint64_t facility, rotate_bytes, keep, timeout_ms;
	bool lines;  /* newlines between syslog messages, instead of octet counting */
	bool no_ack; /* HEC without acknowledgement */
	bool no_sync; /* files: not synced */
	/* who */
	char *user;
	char *secret_file, *secret_credential; /* token, password or key; $CREDENTIALS_DIRECTORY/NAME */
	char *ca, *cert, *key, *server_name;
	bool insecure; /* the peer's certificate is not checked */
};

struct sinks_config {
	struct sink_config *sinks;
	size_t n;
	uint64_t spool_bytes, spool_age_s, sync_ms;
	struct noise_config noise;
};

/*
 * Reads the members; any may be NULL. On failure a negative errno, *ret untouched, the place in @field ("sinks[2].url"; @at_key: the key itself)
 * and what is wrong in @reason.
 */
int sinks_config_parse(const struct cJSON *sinks, const struct cJSON *spool, const struct cJSON *noise, struct sinks_config *ret,
		       char *field, size_t field_len, bool *at_key, char *reason, size_t reason_len);
void sinks_config_free(struct sinks_config *c);

/* Is there a sink for what is made of API calls? */
bool sinks_carry_api(const struct sinks_config *c);

/* Does the sink want that event? */
bool sink_wants(const struct sink_config *c, const struct event_view *e);

#endif
