/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_SINK_H
#define BW_SINK_H
/*
 * One sink inside the delivery process: a thread, a reader of the spool, a cursor, and what the type does. A sink waits for
 * nobody but its own receiver.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "guard/sinks/config.h"
#include "guard/sinks/spool.h"

#define SINK_MAX_BATCH_BYTES (2u << 20)
#define SINK_WHY 256u
#define SINK_PEER 128u

enum item_status {
	ITEM_OPEN,   /* to be sent (again) */
	ITEM_DONE,   /* the receiver has it */
	ITEM_REFUSED, /* it will never take it: dead letter */
};

struct sink_item {
	uint64_t number; /* in the spool */
	size_t offset, len; /* in batch->text */
	size_t line_offset, line_len; /* the native event, in batch->lines */
	char uid[48];
	enum item_status status;
	bool test; /* guard.sink_test, of this sink */
};

struct sink_batch {
	struct sink_item *items;
	size_t n;
	struct bw_buf text, lines;
	char why[SINK_WHY]; /* of the last refusal */
};

struct sink_stats {
	atomic_uint_fast64_t read, delivered, filtered, refused, missing, damaged, bytes, failures, connects, cursor;
	atomic_int_fast64_t last_ok_s, failing_since_s; /* CLOCK_REALTIME; 0: not */
};

struct sink;

struct sink_ops {
	/* With privileges, before anything foreign: secrets, certificates, files. Negative errno and s->why. */
	int (*prepare)(struct sink *s);
	/* Connects. 0, or a negative errno and s->why. */
	int (*open)(struct sink *s);
	/*
	 * Sends the open items, setting their status. 0: all are done or refused. A negative errno and s->why: those still open are
	 * sent again later; -ECONNRESET and the like: after open().
	 */
	int (*send)(struct sink *s, struct sink_batch *b);
	/* For receivers that say nothing: the highest number that can be taken for received. NULL: what send() has done, is. */
	uint64_t (*confirmed)(struct sink *s);
	/* @orderly: let the receiver take what is under way. */
	void (*close)(struct sink *s, bool orderly);
	void (*release)(struct sink *s);
};

struct sink {
	const struct sink_config *config;
	const struct sink_ops *ops;
	struct format_options format;
	char *secret; /* owned */
	void *state;  /* of the type */
	int fd;	      /* standard output, kept for SINK_STDOUT */
	int dir_fd;   /* a directory that it writes to, of prepare(); -1: none */
	uid_t uid;    /* of the process, later */
	gid_t gid;
	bool is_open;
	uint32_t retry_after_ms; /* what the receiver asked for; 0: nothing */
	char why[SINK_WHY];

	/* of the thread */
	struct deliver *deliver;
	pthread_t thread;
	bool started;
	bool broken; /* cannot be set up: @error says why */
	bool told_failing;
	int64_t failing_ms; /* CLOCK_MONOTONIC: since when it fails; 0: it does not */
	unsigned int backoff_ms;
	int64_t rate_us; /* when what was sent so far was due */
	uint64_t missing_seen, loss_untold, refused_untold;
	int64_t loss_told_ms, refused_told_ms;
	atomic_bool idle; /* everything that is there has been dealt with */
	struct spool_reader *reader;
	struct spool_cursor cursor;
	uint64_t done; /* everything up to here has been dealt with */
	struct sink_stats stats;
	pthread_mutex_t lock; /* for what follows, which others read */
	char error[SINK_WHY];
	char peer[SINK_PEER], tls[SINK_PEER]; /* of the latest connection; "": none, or not known */
	uint64_t test_number; /* the latest test event that was taken or refused */
	bool test_refused;
};

void sink_why(struct sink *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Notes where the sink is connected to, and by which TLS (NULL: none). */
void sink_connected(struct sink *s, const char *peer, const char *tls);
/* Waits, unless the process is to end. False then. */
bool sink_wait(struct sink *s, unsigned int ms);
bool sink_stopping(const struct sink *s);

/* A file of secrets or certificates, at most 64 KiB. The caller frees. */
int sink_read_file(struct sink *s, const char *path, char **ret, size_t *ret_len);

extern const struct sink_ops sink_file_ops, sink_syslog_ops, sink_journald_ops, sink_http_ops, sink_kafka_ops;

#endif
