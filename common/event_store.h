/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_EVENT_STORE_H
#define BW_EVENT_STORE_H
/*
 * The event database, shared by its writer (the guard) and its readers: names, schema version, and queries.
 */
#include <stdint.h>

struct sqlite3;

#define EVENT_STORE_FILE "events.db" /* in the state directory */
#define EVENT_STORE_DEFAULT_DIR "/var/lib/bpfwarden"
#define EVENT_STORE_DEFAULT_SOCKET "/run/bpfwarden/guard.sock"
#define EVENT_STORE_SOCKET_FILE "guard.sock" /* in the state directory */

/* PRAGMA user_version. A file of a newer version is never touched. */
#define EVENT_STORE_VERSION 1

#define EVENT_STORE_SCHEMA_1                                                                                                \
	"CREATE TABLE events(seq INTEGER PRIMARY KEY, time_ns INTEGER NOT NULL, kind TEXT NOT NULL,"                        \
	" severity INTEGER NOT NULL, rule TEXT NOT NULL, action TEXT NOT NULL, digest TEXT, prog_name TEXT, comm TEXT,"     \
	" exe TEXT, pid INTEGER, json TEXT NOT NULL);"                                                                      \
	"CREATE INDEX events_time ON events(time_ns);"                                                                      \
	"CREATE INDEX events_rule ON events(rule, seq);"                                                                    \
	"CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"

/* What is high or critical is asked for most, and is one in thousands. Not part of the version: older readers need not know. */
#define EVENT_STORE_SEVERE 4
#define EVENT_STORE_INDEX_SEVERE "CREATE INDEX IF NOT EXISTS events_severe ON events(seq) WHERE severity >= 4"

/* All conditions must hold; zero values are no condition. */
struct event_store_query {
	uint64_t since_seq; /* this number and later ones */
	int64_t since_ns, until_ns; /* CLOCK_REALTIME, both inclusive */
	const char *kind;
	const char *rule;
	const char *program; /* name of a program, or the beginning of its digest (8 digits or more) */
	const char *process; /* path of the executable, or name of the thread */
	uint32_t pid;	     /* the process */
	int min_severity; /* 0 "debug" .. 5 "critical" */
	unsigned int limit; /* the latest so many that match (the first so many with @forward); 0: all */
	int forward;
};

/* Called per event in rising order of seq; anything but 0 ends the query and becomes its result. */
typedef int (*event_store_row_fn)(void *arg, uint64_t seq, const char *json, int len);

/* Opens read-only. -ENOENT no such file; -EPROTO a newer or foreign schema; -EIO. Release with event_store_close(). */
int event_store_open(const char *path, struct sqlite3 **ret);
void event_store_close(struct sqlite3 **db);
/* 0, the callback's result, or a negative errno (-EBUSY, -EUCLEAN for a corrupt file, -ETIME when interrupted, -EIO, -ENOMEM). */
int event_store_query(struct sqlite3 *db, const struct event_store_query *q, event_store_row_fn fn, void *arg);
/* A SQLite result code as a negative errno. */
int event_store_errno(int rc);

#endif
