// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/store.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "common/buf.h"
#include "common/cleanup.h"

/* Numbers are reserved in the file ahead of use, so that even a killed guard never hands out the same one twice. */
#define SEQ_RESERVE 4096
#define MAX_MOVED_ASIDE 10

/* One waiting event; its strings follow the structure. */
struct row {
	struct row *next;
	size_t size; /* of all of it */
	uint64_t seq;
	int64_t time_ns;
	int severity;
	uint32_t pid;
	const char *kind, *rule, *action, *digest, *prog_name, *comm, *exe, *json;
	size_t json_len;
};

struct row_list {
	struct row *first, **tail;
};

struct store {
	char *path;
	char *name; /* in messages */
	struct store_config config;
	sqlite3 *db;
	sqlite3_stmt *insert, *set_meta;
	dev_t dev;
	ino_t ino;
	bool opened; /* at least once: the numbers of the file are known */
	bool busy;   /* inside a query: the statement must not lose its database */
	uint64_t next_seq, reserved;
	/* What may be given up for the sake of the other comes first. */
	struct row_list queue[2];
	size_t queue_bytes;
	uint64_t written_before; /* at the last store_maintain() */
	struct store_stats stats;
	char message[512];
};

static void say(struct store *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(struct store *s, const char *fmt, ...)
{
	char text[sizeof(s->message)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!strcmp(text, s->message))
		return;
	memcpy(s->message, text, sizeof(text));
	s->stats.messages++;
}

/* ---- the queue ------------------------------------------------------------------------------------------------- */

static struct row_list *row_class(struct store *s, int severity)
{
	return &s->queue[severity >= ALERT_HIGH];
}

static void list_append(struct row_list *l, struct row *r)
{
	r->next = NULL;
	*l->tail = r;
	l->tail = &r->next;
}

static bool list_drop_first(struct store *s, struct row_list *l)
{
	struct row *r = l->first;

	if (!r)
		return false;
	l->first = r->next;
	if (!l->first)
		l->tail = &l->first;
	s->stats.queued--;
	s->queue_bytes -= r->size;
	free(r);
	return true;
}

static void queue_clear(struct store *s)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(s->queue); i++)
		while (list_drop_first(s, &s->queue[i]))
			;
}

static const char *put_str(char **pos, const char *str, size_t len)
{
	char *at = *pos;

	memcpy(at, str, len);
	at[len] = '\0';
	*pos += len + 1;
	return at;
}

static struct row *row_new(const struct alert *a)
{
	const char *const strs[] = { a->kind, a->rule, a->action, a->digest, a->prog_name, a->comm, a->exe };
	size_t size = sizeof(struct row) + a->line_len + 1;
	struct row *r;
	char *pos;

	for (size_t i = 0; i < ARRAY_SIZE(strs); i++)
		size += strlen(strs[i]) + 1;
	r = malloc(size);
	if (!r)
		return NULL;
	pos = (char *)(r + 1);
	*r = (struct row){
		.size = size, .seq = a->seq, .time_ns = a->time_ns, .severity = a->severity, .pid = a->pid, .json_len = a->line_len,
	};
	r->kind = put_str(&pos, a->kind, strlen(a->kind));
	r->rule = put_str(&pos, a->rule, strlen(a->rule));
	r->action = put_str(&pos, a->action, strlen(a->action));
	r->digest = put_str(&pos, a->digest, strlen(a->digest));
	r->prog_name = put_str(&pos, a->prog_name, strlen(a->prog_name));
	r->comm = put_str(&pos, a->comm, strlen(a->comm));
	r->exe = put_str(&pos, a->exe, strlen(a->exe));
	r->json = put_str(&pos, a->line, a->line_len);
	return r;
}

/* ---- the file --------------------------------------------------------------------------------------------------- */

static int exec(struct store *s, const char *sql)
{
	return sqlite3_exec(s->db, sql, NULL, NULL, NULL);
}

/* The first column of the first row; *ret untouched when there is none or it is NULL. */
static int get_i64(struct store *s, const char *sql, int64_t *ret)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(s->db, sql, -1, &st, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW && sqlite3_column_type(st, 0) == SQLITE_INTEGER)
		*ret = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int set_meta(struct store *s, const char *key, uint64_t value)
{
	int rc;

	sqlite3_bind_text(s->set_meta, 1, key, -1, SQLITE_STATIC);
	sqlite3_bind_int64(s->set_meta, 2, (sqlite3_int64)value);
	rc = sqlite3_step(s->set_meta);
	sqlite3_reset(s->set_meta);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static void db_close(struct store *s)
{
	sqlite3_finalize(s->insert);
	sqlite3_finalize(s->set_meta);
	s->insert = s->set_meta = NULL;
	/*
	 * SQLite does not do this for a file that was renamed under it: its last events would stay in a -wal that has the old
	 * name, and be taken for part of whatever file gets that name next.
	 */
	if (s->db)
		sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	sqlite3_close_v2(s->db);
	s->db = NULL;
}

/* Step i brings a file of version i to version i + 1. */
static const char *const migrations[] = {
	EVENT_STORE_SCHEMA_1,
};
_Static_assert(ARRAY_SIZE(migrations) == EVENT_STORE_VERSION, "one step per version");

static int migrate(struct store *s)
{
	int64_t version = 0, tables = 0;
	char sql[64];
	int rc;

	rc = get_i64(s, "PRAGMA user_version", &version);
	if (rc == SQLITE_OK)
		rc = get_i64(s, "SELECT count(*) FROM sqlite_master", &tables);
	if (rc != SQLITE_OK)
		return rc;
	if (version == EVENT_STORE_VERSION)
		return SQLITE_OK;
	if (version > EVENT_STORE_VERSION || version < 0 || (!version && tables)) {
		say(s, "%s: is not an event store that this version writes (schema %lld)", s->name, (long long)version);
		return SQLITE_MISMATCH;
	}
	rc = exec(s, "BEGIN IMMEDIATE");
	for (int64_t i = version; rc == SQLITE_OK && i < EVENT_STORE_VERSION; i++)
		rc = exec(s, migrations[i]);
	snprintf(sql, sizeof(sql), "PRAGMA user_version = %d", EVENT_STORE_VERSION);
	if (rc == SQLITE_OK)
		rc = exec(s, sql);
	if (rc == SQLITE_OK)
		rc = exec(s, "COMMIT");
	if (rc != SQLITE_OK)
		exec(s, "ROLLBACK");
	return rc;
}

/* Takes the numbers of the file; ours may be ahead when it could be opened only now. */
static int take_numbers(struct store *s)
{
	int64_t reserved = 0, clean = 1, last = 0, last_time = 0, rows = 0;
	uint64_t next;
	int rc;

	rc = get_i64(s, "SELECT value FROM meta WHERE key = 'reserved_seq'", &reserved);
	if (rc == SQLITE_OK)
		rc = get_i64(s, "SELECT value FROM meta WHERE key = 'clean'", &clean);
	if (rc == SQLITE_OK)
		rc = get_i64(s, "SELECT max(seq) FROM events", &last);
	if (rc == SQLITE_OK)
		rc = get_i64(s, "SELECT time_ns FROM events ORDER BY seq DESC LIMIT 1", &last_time);
	/* Even of a damaged file the numbers that could be read are respected. */
	next = (uint64_t)(reserved > last ? reserved : last) + 1;
	if (next > s->next_seq)
		s->next_seq = next;
	if (rc == SQLITE_OK)
		rc = get_i64(s, "SELECT count(*) FROM events", &rows);
	if (rc != SQLITE_OK)
		return rc;
	if (!s->opened) {
		s->stats.unclean = !clean;
		s->stats.last_seq_before = (uint64_t)last;
		s->stats.last_time_before = last_time;
	}
	s->stats.rows = (uint64_t)rows;
	return SQLITE_OK;
}

static int db_setup(struct store *s)
{
	char sql[64];
	int rc;

	sqlite3_extended_result_codes(s->db, 1);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	/* Never wait for another process. Only the very first time some patience is right: nothing is running yet. */
	sqlite3_busy_timeout(s->db, s->opened ? 0 : 1000);
	rc = migrate(s);
	if (rc == SQLITE_OK)
		rc = exec(s, EVENT_STORE_INDEX_SEVERE);
	if (rc == SQLITE_OK)
		rc = exec(s, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 16777216;"
			     "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -4096");
	if (rc == SQLITE_OK && s->config.max_pages) {
		snprintf(sql, sizeof(sql), "PRAGMA max_page_count = %u", s->config.max_pages);
		rc = exec(s, sql);
	}
	if (rc == SQLITE_OK)
		rc = take_numbers(s);
	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v3(s->db, "INSERT INTO events VALUES(?,?,?,?,?,?,?,?,?,?,?,?)", -1,
					SQLITE_PREPARE_PERSISTENT, &s->insert, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v3(s->db, "INSERT OR REPLACE INTO meta VALUES(?,?)", -1, SQLITE_PREPARE_PERSISTENT,
					&s->set_meta, NULL);
	if (rc == SQLITE_OK)
		rc = set_meta(s, "reserved_seq", s->next_seq + SEQ_RESERVE - 1);
	if (rc == SQLITE_OK)
		rc = set_meta(s, "clean", 0);
	if (rc != SQLITE_OK)
		return rc;
	s->reserved = s->next_seq + SEQ_RESERVE - 1;
	sqlite3_busy_timeout(s->db, 0);
	return SQLITE_OK;
}

/* A SQLite result code, SQLITE_OK when the file can be written now. */
static int db_open(struct store *s)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	int rc;

	/* SQLite would create it with the umask's mode. Its companions (-wal, -shm) take the mode of the file. */
	fd = open(s->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (fd < 0 || fstat(fd, &st) < 0) {
		say(s, "%s: cannot be opened: %s", s->name, strerror(errno));
		return SQLITE_CANTOPEN;
	}
	if (!S_ISREG(st.st_mode)) {
		say(s, "%s: is not a regular file", s->name);
		return SQLITE_CANTOPEN;
	}
	rc = sqlite3_open_v2(s->path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc == SQLITE_OK)
		rc = db_setup(s);
	if (rc != SQLITE_OK) {
		if (rc != SQLITE_MISMATCH)
			say(s, "%s: cannot be used: %s", s->name, s->db ? sqlite3_errmsg(s->db) : sqlite3_errstr(rc));
		db_close(s);
		return rc;
	}
	s->dev = st.st_dev;
	s->ino = st.st_ino;
	s->opened = true;
	return SQLITE_OK;
}

/* Keeps a corrupt file for whoever wants to look at it, under the first free number, and only so many of them. */
static int move_aside(struct store *s)
{
	char from[4096], to[4096];
	struct stat st;
	unsigned int n;

	for (n = 0; n < MAX_MOVED_ASIDE - 1; n++) {
		snprintf(to, sizeof(to), "%s.corrupt-%u", s->path, n);
		if (lstat(to, &st) < 0)
			break;
	}
	snprintf(to, sizeof(to), "%s.corrupt-%u", s->path, n);
	if (rename(s->path, to) < 0)
		return -errno;
	say(s, "%s: was corrupt; moved to %s, a new one begun", s->name, to);
	snprintf(from, sizeof(from), "%s-wal", s->path);
	snprintf(to, sizeof(to), "%s.corrupt-%u-wal", s->path, n);
	rename(from, to);
	snprintf(from, sizeof(from), "%s-shm", s->path);
	unlink(from);
	return 0;
}

static bool is_corrupt(int rc)
{
	return (rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB;
}

/* Opens the file if it is not, moving a corrupt one aside. */
static int db_ready(struct store *s)
{
	int rc;

	if (s->db)
		return SQLITE_OK;
	rc = db_open(s);
	if (is_corrupt(rc) && move_aside(s) == 0) {
		s->stats.recoveries++;
		rc = db_open(s);
	}
	return rc;
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static int insert_row(struct store *s, const struct row *r)
{
	sqlite3_stmt *st = s->insert;
	int rc;

	sqlite3_bind_int64(st, 1, (sqlite3_int64)r->seq);
	sqlite3_bind_int64(st, 2, r->time_ns);
	sqlite3_bind_text(st, 3, r->kind, -1, SQLITE_STATIC);
	sqlite3_bind_int(st, 4, r->severity);
	sqlite3_bind_text(st, 5, r->rule, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 6, r->action, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 7, r->digest, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 8, r->prog_name, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 9, r->comm, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 10, r->exe, -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 11, r->pid);
	sqlite3_bind_text(st, 12, r->json, (int)r->json_len, SQLITE_STATIC);
	rc = sqlite3_step(st);
	sqlite3_reset(st);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* All waiting rows in one transaction. @ret_taken: numbers that the file has for another event already. */
static int write_queue(struct store *s, uint64_t *ret_taken)
{
	uint64_t taken = 0, reserved = s->reserved;
	int rc = exec(s, "BEGIN IMMEDIATE");

	if (rc != SQLITE_OK)
		return rc;
	for (unsigned int i = 0; i < ARRAY_SIZE(s->queue); i++) {
		for (const struct row *r = s->queue[i].first; r && rc == SQLITE_OK; r = r->next) {
			rc = insert_row(s, r);
			if ((rc & 0xff) == SQLITE_CONSTRAINT) {
				taken++;
				rc = SQLITE_OK;
			}
		}
	}
	if (rc == SQLITE_OK && s->next_seq + SEQ_RESERVE / 2 > reserved) {
		reserved = s->next_seq + SEQ_RESERVE;
		rc = set_meta(s, "reserved_seq", reserved);
	}
	if (rc == SQLITE_OK)
		rc = exec(s, "COMMIT");
	if (rc != SQLITE_OK)
		return rc;
	s->reserved = reserved;
	*ret_taken = taken;
	return SQLITE_OK;
}

/* Notes a failure of the open file; gives up the connection where it may be the cause. */
static void db_failed(struct store *s, int rc)
{
	say(s, "%s: cannot be written: %s", s->name, sqlite3_errmsg(s->db));
	if (!sqlite3_get_autocommit(s->db))
		exec(s, "ROLLBACK");
	if (is_corrupt(rc) || (rc & 0xff) == SQLITE_IOERR || (rc & 0xff) == SQLITE_READONLY || (rc & 0xff) == SQLITE_CANTOPEN)
		db_close(s);
}

int store_flush(struct store *s)
{
	uint64_t taken = 0, queued = s->stats.queued;
	int rc;

	if (s->busy)
		return -EBUSY;
	if (!queued && !s->stats.failing)
		return 0;
	rc = db_ready(s);
	if (rc == SQLITE_OK && queued) {
		rc = write_queue(s, &taken);
		if (rc != SQLITE_OK) {
			db_failed(s, rc);
			/* A corrupt file is replaced and the rows, which are still here, go to the new one. */
			if (is_corrupt(rc) && move_aside(s) == 0) {
				s->stats.recoveries++;
				s->stats.rows = 0;
				rc = db_ready(s);
				if (rc == SQLITE_OK)
					rc = write_queue(s, &taken);
				if (rc != SQLITE_OK && s->db)
					db_failed(s, rc);
			}
		}
	}
	if (rc != SQLITE_OK) {
		s->stats.failures++;
		s->stats.failing = true;
		return event_store_errno(rc);
	}
	if (s->stats.failing) {
		s->stats.failing = false;
		say(s, "%s: is written again", s->name);
	}
	s->stats.written += queued - taken;
	s->stats.rows += queued - taken;
	s->stats.lost += taken;
	queue_clear(s);
	return 0;
}

int store_add(struct store *s, const struct alert *a)
{
	struct row *r = row_new(a);
	int ret = 0;

	if (!r) {
		s->stats.lost++;
		return -ENOBUFS;
	}
	while (s->stats.queued >= STORE_MAX_QUEUE || s->queue_bytes + r->size > STORE_MAX_QUEUE_BYTES) {
		ret = -ENOBUFS;
		s->stats.lost++;
		/* The oldest of the less severe ones goes; a less severe one never displaces another class. */
		if (!list_drop_first(s, &s->queue[0]) &&
		    (row_class(s, r->severity) == &s->queue[0] || !list_drop_first(s, &s->queue[1]))) {
			free(r);
			return ret;
		}
	}
	list_append(row_class(s, r->severity), r);
	s->stats.queued++;
	s->queue_bytes += r->size;
	if (s->stats.queued >= STORE_BATCH && !s->stats.failing && !s->busy)
		store_flush(s); /* a failure is in the statistics; the event is safe in the queue */
	return ret;
}

uint64_t store_next_seq(struct store *s)
{
	return s->next_seq++;
}

/* ---- upkeep ----------------------------------------------------------------------------------------------------- */

static int prune(struct store *s, const char *sql, int64_t a, int64_t b, uint64_t *ret_deleted)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(s->db, sql, -1, &st, NULL);

	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(st, 1, a);
		sqlite3_bind_int64(st, 2, b);
		rc = sqlite3_step(st);
	}
	sqlite3_finalize(st);
	if (rc != SQLITE_DONE)
		return rc;
	*ret_deleted = (uint64_t)sqlite3_changes(s->db);
	s->stats.pruned += *ret_deleted;
	s->stats.rows -= *ret_deleted < s->stats.rows ? *ret_deleted : s->stats.rows;
	return SQLITE_OK;
}

static int prune_oldest(struct store *s, uint64_t n, uint64_t *ret_deleted)
{
	return prune(s, "DELETE FROM events WHERE seq IN (SELECT seq FROM events ORDER BY seq LIMIT ?1) AND ?2 = 0", (int64_t)n, 0,
		     ret_deleted);
}

int store_maintain(struct store *s, int64_t now_ns)
{
	/* What came since the last call can go in this one: else a flood would let the file grow as long as it lasts. */
	uint64_t budget, deleted = 0;
	struct stat st;
	int rc = SQLITE_OK, r;

	if (s->busy)
		return -EBUSY;
	if (s->db && (stat(s->path, &st) < 0 || st.st_dev != s->dev || st.st_ino != s->ino)) {
		db_close(s);
		s->stats.recoveries++;
		s->stats.rows = 0;
		s->stats.failing = true; /* until the flush below has opened a new one */
		say(s, "%s: vanished or was replaced; opened anew", s->name);
	}
	r = store_flush(s);
	if (!s->db)
		return r;
	budget = STORE_PRUNE_ROWS + s->stats.written - s->written_before;
	s->written_before = s->stats.written;
	if (s->config.max_rows && s->stats.rows > s->config.max_rows) {
		uint64_t n = s->stats.rows - s->config.max_rows;

		rc = prune_oldest(s, n < budget ? n : budget, &deleted);
		budget -= deleted;
	}
	if (rc == SQLITE_OK && budget && s->config.max_age_ns)
		rc = prune(s, "DELETE FROM events WHERE seq IN (SELECT seq FROM events WHERE time_ns < ?1 ORDER BY time_ns LIMIT ?2)",
			   now_ns - s->config.max_age_ns, (int64_t)budget, &deleted);
	/* The size the operator allowed is used up: the oldest events make room. */
	if (rc == SQLITE_OK && r == -ENOSPC && s->config.max_pages) {
		rc = prune_oldest(s, budget, &deleted);
		if (rc == SQLITE_OK)
			r = store_flush(s);
	}
	if (rc != SQLITE_OK) {
		db_failed(s, rc);
		s->stats.failures++;
		s->stats.failing = true;
		return event_store_errno(rc);
	}
	return r;
}

/* A question that has to look at every event of a large file must not keep the guard from its work. */
static int query_too_long(void *arg)
{
	const struct timespec *end = arg;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec > end->tv_sec || (now.tv_sec == end->tv_sec && now.tv_nsec > end->tv_nsec);
}

int store_query(struct store *s, const struct event_store_query *q, event_store_row_fn fn, void *arg)
{
	int r = store_flush(s);
	struct timespec end;

	if (!s->db || s->busy)
		return r < 0 ? r : -EIO;
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_nsec += STORE_QUERY_NS;
	end.tv_sec += end.tv_nsec / 1000000000;
	end.tv_nsec %= 1000000000;
	s->busy = true;
	sqlite3_progress_handler(s->db, 10000, query_too_long, &end);
	r = event_store_query(s->db, q, fn, arg);
	sqlite3_progress_handler(s->db, 0, NULL, NULL);
	s->busy = false;
	return r;
}

void store_stats(const struct store *s, struct store_stats *ret)
{
	*ret = s->stats;
	ret->message = s->message;
}

int store_open(const struct store_config *c, struct store **ret)
{
	struct store *s;
	int rc;

	if (!c->path || !*c->path)
		return -EINVAL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->path = strdup(c->path);
	s->name = strdup(c->name ? c->name : c->path);
	if (!s->path || !s->name) {
		free(s->path);
		free(s->name);
		free(s);
		return -ENOMEM;
	}
	s->config = *c;
	s->config.path = s->path;
	s->config.name = s->name;
	s->next_seq = 1;
	for (unsigned int i = 0; i < ARRAY_SIZE(s->queue); i++)
		s->queue[i].tail = &s->queue[i].first;
	rc = db_ready(s);
	if (rc != SQLITE_OK) {
		s->stats.failing = true;
		s->stats.failures++;
	}
	s->stats.first_seq = s->next_seq;
	*ret = s;
	return 0;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	store_flush(s);
	if (s->db) {
		exec(s, "BEGIN IMMEDIATE");
		set_meta(s, "reserved_seq", s->next_seq - 1);
		set_meta(s, "clean", 1);
		if (exec(s, "COMMIT") != SQLITE_OK)
			exec(s, "ROLLBACK");
	}
	db_close(s);
	queue_clear(s);
	free(s->path);
	free(s->name);
	free(s);
}
