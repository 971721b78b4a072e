// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "common/event_store.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"

int event_store_errno(int rc)
{
	switch (rc & 0xff) { /* the primary code of an extended one */
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EUCLEAN;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return -EACCES;
	case SQLITE_CONSTRAINT:
		return -EEXIST;
	case SQLITE_TOOBIG:
		return -E2BIG;
	case SQLITE_INTERRUPT:
		return -ETIME;
	default:
		return -EIO;
	}
}

void event_store_close(struct sqlite3 **db)
{
	sqlite3_close_v2(*db);
	*db = NULL;
}

static int read_version(struct sqlite3 *db, int *ret)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &st, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		*ret = sqlite3_column_int(st, 0);
	sqlite3_finalize(st);
	return rc == SQLITE_ROW ? 0 : rc == SQLITE_DONE ? -EIO : event_store_errno(rc);
}

int event_store_open(const char *path, struct sqlite3 **ret)
{
	struct sqlite3 *db __attribute__((cleanup(event_store_close))) = NULL;
	int version = 0, rc, r;

	if (access(path, R_OK) < 0)
		return -errno;
	rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc != SQLITE_OK)
		return event_store_errno(rc);
	sqlite3_busy_timeout(db, 2000);
	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	r = read_version(db, &version);
	if (r < 0)
		return r;
	if (version != EVENT_STORE_VERSION)
		return -EPROTO;
	*ret = db;
	db = NULL;
	return 0;
}

static void conditions(struct bw_buf *sql, const struct event_store_query *q)
{
	bw_buf_str(sql, " WHERE 1");
	if (q->since_seq)
		bw_buf_str(sql, " AND seq >= :seq");
	if (q->since_ns)
		bw_buf_str(sql, " AND time_ns >= :since");
	if (q->until_ns)
		bw_buf_str(sql, " AND time_ns <= :until");
	if (q->kind)
		bw_buf_str(sql, " AND kind = :kind");
	if (q->rule)
		bw_buf_str(sql, " AND rule = :rule");
	if (q->program)
		bw_buf_str(sql, " AND (prog_name = :program OR (length(:program) >= 8 AND substr(digest, 1, length(:program)) = :program))");
	if (q->process)
		bw_buf_str(sql, " AND (exe = :process OR comm = :process)");
	if (q->pid)
		bw_buf_str(sql, " AND pid = :pid");
	if (q->min_severity > 0)
		bw_buf_str(sql, " AND severity >= :severity");
	/* As a constant too, so that the index of these is known to fit. */
	if (q->min_severity >= EVENT_STORE_SEVERE)
		bw_buf_str(sql, " AND severity >= 4");
}

/* Named parameters, so that the statement can be put together in any combination. */
static void bind_query(sqlite3_stmt *st, const struct event_store_query *q)
{
	int i;

	if ((i = sqlite3_bind_parameter_index(st, ":seq")))
		sqlite3_bind_int64(st, i, (sqlite3_int64)q->since_seq);
	if ((i = sqlite3_bind_parameter_index(st, ":since")))
		sqlite3_bind_int64(st, i, q->since_ns);
	if ((i = sqlite3_bind_parameter_index(st, ":until")))
		sqlite3_bind_int64(st, i, q->until_ns);
	if ((i = sqlite3_bind_parameter_index(st, ":kind")))
		sqlite3_bind_text(st, i, q->kind, -1, SQLITE_STATIC);
	if ((i = sqlite3_bind_parameter_index(st, ":rule")))
		sqlite3_bind_text(st, i, q->rule, -1, SQLITE_STATIC);
	if ((i = sqlite3_bind_parameter_index(st, ":program")))
		sqlite3_bind_text(st, i, q->program, -1, SQLITE_STATIC);
	if ((i = sqlite3_bind_parameter_index(st, ":process")))
		sqlite3_bind_text(st, i, q->process, -1, SQLITE_STATIC);
	if ((i = sqlite3_bind_parameter_index(st, ":pid")))
		sqlite3_bind_int64(st, i, q->pid);
	if ((i = sqlite3_bind_parameter_index(st, ":severity")))
		sqlite3_bind_int(st, i, q->min_severity);
	if ((i = sqlite3_bind_parameter_index(st, ":limit")))
		sqlite3_bind_int64(st, i, q->limit);
}

int event_store_query(struct sqlite3 *db, const struct event_store_query *q, event_store_row_fn fn, void *arg)
{
	_cleanup_buf_ struct bw_buf sql = { 0 };
	sqlite3_stmt *st = NULL;
	bool by_time;
	int rc, r = 0;

	/* By the index of times, when they say where to begin: by numbers everything behind that would be looked at first. */
	by_time = q->limit && (q->forward ? q->since_ns : q->until_ns);
	bw_buf_str(&sql, "SELECT seq, json FROM events");
	if (by_time) {
		bw_buf_str(&sql, " WHERE seq IN (SELECT seq FROM events");
		conditions(&sql, q);
		bw_buf_printf(&sql, " ORDER BY time_ns%s LIMIT :limit)", q->forward ? "" : " DESC");
	} else {
		conditions(&sql, q);
	}
	if (q->limit && !q->forward && !by_time) {
		/* Where the latest so many begin: nothing but numbers is sorted, however large the limit. */
		bw_buf_str(&sql, " AND seq >= (SELECT min(seq) FROM (SELECT seq FROM events");
		conditions(&sql, q);
		bw_buf_str(&sql, " ORDER BY seq DESC LIMIT :limit))");
	}
	bw_buf_str(&sql, " ORDER BY seq");
	if (q->limit && q->forward && !by_time)
		bw_buf_str(&sql, " LIMIT :limit");
	if (bw_buf_error(&sql))
		return bw_buf_error(&sql);

	rc = sqlite3_prepare_v2(db, bw_buf_cstr(&sql), -1, &st, NULL);
	if (rc == SQLITE_OK) {
		bind_query(st, q);
		while (!r && (rc = sqlite3_step(st)) == SQLITE_ROW) {
			const char *json = (const char *)sqlite3_column_text(st, 1);

			r = fn(arg, (uint64_t)sqlite3_column_int64(st, 0), json ? json : "", sqlite3_column_bytes(st, 1));
		}
	}
	sqlite3_finalize(st);
	return r ? r : event_store_errno(rc);
}
