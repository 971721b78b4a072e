// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/sinks/sink_thread.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "guard/sinks/deliver.h"

#define IDLE_MS 50u
#define BACKOFF_MIN_MS 500u
#define BACKOFF_MAX_MS 60000u
#define FAILING_AFTER_S 5 /* a failure that lasts so long is told to the guard */
#define RATE_BURST_MS 1000
#define TELL_MS 60000

void sink_why(struct sink *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s->why, sizeof(s->why), fmt, ap);
	va_end(ap);
}

void sink_connected(struct sink *s, const char *peer, const char *tls)
{
	pthread_mutex_lock(&s->lock);
	snprintf(s->peer, sizeof(s->peer), "%s", peer);
	snprintf(s->tls, sizeof(s->tls), "%s", tls ? tls : "");
	pthread_mutex_unlock(&s->lock);
}

bool sink_stopping(const struct sink *s)
{
	return atomic_load(&s->deliver->stopping);
}

bool sink_wait(struct sink *s, unsigned int ms)
{
	struct pollfd p = { .fd = s->deliver->stop_fd, .events = POLLIN };

	poll(&p, 1, (int)ms);
	return !sink_stopping(s);
}

static int64_t monotonic_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Tells the guard, which makes an event of it. When the channel is full the guard has heard enough. */
static void note(struct sink *s, const char *event, const char *message, uint64_t n)
{
	_cleanup_buf_ struct bw_buf b = { 0 };
	struct bw_json j = { .buf = &b };

	bw_json_open(&j, NULL, '{');
	bw_json_str(&j, "sink", s->config->name);
	bw_json_str(&j, "event", event);
	bw_json_str(&j, "message", message);
	bw_json_u64(&j, "n", n);
	bw_json_close(&j, '}');
	if (bw_buf_error(&b))
		return;
	pthread_mutex_lock(&s->deliver->note_lock);
	privsep_send(s->deliver->notes, DELIVER_NOTE, b.data, b.len, -1, false);
	pthread_mutex_unlock(&s->deliver->note_lock);
}

/* ---- dead letters ------------------------------------------------------------------------------------------------- */

static void bury(struct sink *s, const struct sink_batch *b, const struct sink_item *it)
{
	_cleanup_buf_ struct bw_buf out = { 0 };
	struct bw_json j = { .buf = &out };
	struct deliver *d = s->deliver;

	bw_json_open(&j, NULL, '{');
	bw_json_i64(&j, "time", (int64_t)time(NULL));
	bw_json_str(&j, "sink", s->config->name);
	bw_json_u64(&j, "number", it->number);
	bw_json_str(&j, "reason", b->why);
	bw_json_raw(&j, "event", b->lines.data + it->line_offset, it->line_len);
	bw_json_close(&j, '}');
	bw_buf_char(&out, '\n');
	pthread_mutex_lock(&d->dead_lock);
	if (bw_buf_error(&out) || d->dead_fd < 0 || atomic_load(&d->dead_bytes) + out.len > DELIVER_MAX_DEAD ||
	    write(d->dead_fd, out.data, out.len) != (ssize_t)out.len)
		atomic_fetch_add(&d->dead_lost, 1);
	else
		atomic_fetch_add(&d->dead_bytes, out.len);
	pthread_mutex_unlock(&d->dead_lock);
}

/* At most once a minute each: what is told becomes an event, which this sink may lose or see refused as well. */
static void tell_counts(struct sink *s, const char *why)
{
	int64_t now = monotonic_ms();
	char text[2 * SINK_WHY];

	if (s->refused_untold && (!s->refused_told_ms || now - s->refused_told_ms >= TELL_MS)) {
		snprintf(text, sizeof(text), "sink %s: the receiver refused %" PRIu64 " events (%s); they are in dead-letter.jsonl", s->config->name,
			 s->refused_untold, why);
		note(s, "sink_refused", text, s->refused_untold);
		s->refused_told_ms = now;
		s->refused_untold = 0;
	}
	if (s->loss_untold && (!s->loss_told_ms || now - s->loss_told_ms >= TELL_MS)) {
		snprintf(text, sizeof(text), "sink %s: %" PRIu64 " events were given up in the spool before it had read them", s->config->name,
			 s->loss_untold);
		note(s, "sink_loss", text, s->loss_untold);
		s->loss_told_ms = now;
		s->loss_untold = 0;
	}
}

/* ---- batches -------------------------------------------------------------------------------------------------------- */

static void batch_reset(struct sink_batch *b)
{
	b->n = 0;
	b->why[0] = '\0';
	bw_buf_reset(&b->text);
	bw_buf_reset(&b->lines);
}

static void take_uid(const struct event_view *e, const char *line, size_t len, char uid[48])
{
	const struct event_member *m = e ? event_get(e, "uid") : NULL;
	const char *p = NULL;

	uid[0] = '\0';
	if (m && m->type == EVENT_STRING && m->value_len < 48) {
		memcpy(uid, m->value, m->value_len);
		uid[m->value_len] = '\0';
		return;
	}
	p = e ? NULL : memmem(line, len < 200 ? len : 200, "\"uid\":\"", 7);
	for (size_t i = 0; p && i < 40 && p[7 + i] != '"'; i++) {
		uid[i] = p[7 + i];
		uid[i + 1] = '\0';
	}
}

/* The native format, unfiltered, needs no look inside: that is the fast way. */
static bool needs_view(const struct sink_config *c)
{
	return c->format != FORMAT_NATIVE || c->type == SINK_KAFKA /* its key */ || c->kinds || c->rules || c->exclude;
}

/* Of the other spool, where both signals are: whole OTLP requests, of which the items are sent. */
static bool signal_add(struct sink *s, struct sink_batch *b, const struct spool_record *rec)
{
	struct sink_item *it = &b->items[b->n];
	const char *items;
	size_t len;

	if (!format_otlp_items(rec->line, rec->len, sink_signal_list(s->config->signal), &items, &len))
		return false;
	*it = (struct sink_item){ .number = rec->number, .offset = b->text.len, .len = len, .line_offset = b->lines.len, .line_len = rec->len };
	bw_buf_append(&b->lines, rec->line, rec->len);
	bw_buf_append(&b->text, items, len);
	b->n++;
	return true;
}

/* Adds a record to the batch. False when the sink does not want it. */
static bool batch_add(struct sink *s, struct sink_batch *b, const struct spool_record *rec, struct event_view *view)
{
	const struct sink_config *c = s->config;
	struct sink_item *it = &b->items[b->n];
	bool test = rec->len > 40 && memmem(rec->line, rec->len < 600 ? rec->len : 600, "\"guard.sink_test\"", 17);

	*it = (struct sink_item){ .number = rec->number, .offset = b->text.len, .line_offset = b->lines.len, .line_len = rec->len, .test = test };
	if (!test && rec->severity < c->min_severity)
		return false;
	/* With the NUL that the parser wants behind it. */
	bw_buf_append(&b->lines, rec->line, rec->len);
	bw_buf_char(&b->lines, '\0');
	if (bw_buf_error(&b->lines))
		return true;
	if (needs_view(c) || test) {
		/* What is not an event never got here; should it, it goes where somebody sees it. */
		if (event_view_parse(b->lines.data + it->line_offset, rec->len, view) < 0) {
			snprintf(b->why, sizeof(b->why), "is not a valid event");
			it->status = ITEM_REFUSED;
		} else if (!sink_wants(c, view)) {
			b->lines.len = it->line_offset;
			return false;
		} else {
			format_event(c->format, &s->format, view, &b->text);
			take_uid(view, rec->line, rec->len, it->uid);
		}
	} else {
		bw_buf_append(&b->text, rec->line, rec->len);
		take_uid(NULL, rec->line, rec->len, it->uid);
	}
	it->len = b->text.len - it->offset;
	b->n++;
	return true;
}

/* Reads until the batch is full or nothing is there. Negative errno of the spool. */
static int batch_fill(struct sink *s, struct sink_batch *b, struct event_view *view, uint64_t *ret_last)
{
	struct spool_reader_stats stats;
	struct spool_record rec;
	size_t looked = 0;
	int r = 0;

	batch_reset(b);
	while (b->n < s->config->batch && b->text.len < SINK_MAX_BATCH_BYTES && b->lines.len < SINK_MAX_BATCH_BYTES && looked++ < 20000 &&
	       (r = spool_reader_next(s->reader, &rec)) > 0) {
		atomic_fetch_add(&s->stats.read, 1);
		if (!(s->config->signal == SINK_LOGS ? batch_add(s, b, &rec, view) : signal_add(s, b, &rec)))
			atomic_fetch_add(&s->stats.filtered, 1);
		*ret_last = rec.number;
	}
	spool_reader_stats(s->reader, &stats);
	if (stats.missing > s->missing_seen) {
		uint64_t n = stats.missing - s->missing_seen;

		s->missing_seen = stats.missing;
		atomic_fetch_add(&s->stats.missing, n);
		s->loss_untold += n;
	}
	tell_counts(s, b->why);
	atomic_store(&s->stats.damaged, stats.damaged);
	return r < 0 ? r : bw_buf_error(&b->text) ? bw_buf_error(&b->text) : bw_buf_error(&b->lines);
}

/* ---- sending -------------------------------------------------------------------------------------------------------- */

static void set_error(struct sink *s, const char *text)
{
	pthread_mutex_lock(&s->lock);
	snprintf(s->error, sizeof(s->error), "%s", text);
	pthread_mutex_unlock(&s->lock);
}

static void went_well(struct sink *s)
{
	int64_t since = atomic_load(&s->stats.failing_since_s), since_ms = s->failing_ms;
	char text[SINK_WHY];

	atomic_store(&s->stats.last_ok_s, (int64_t)time(NULL));
	s->backoff_ms = 0;
	if (!since)
		return;
	atomic_store(&s->stats.failing_since_s, 0);
	s->failing_ms = 0;
	set_error(s, "");
	if (s->told_failing) {
		snprintf(text, sizeof(text), "sink %s: delivers again, after %lld s", s->config->name, (long long)(monotonic_ms() - since_ms) / 1000);
		note(s, "sink_recovered", text, 0);
	}
	s->told_failing = false;
}

/* Notes a failure and waits: doubling, with jitter, or as long as the receiver asked. False when the process is to end. */
static bool went_wrong(struct sink *s, int r)
{
	int64_t since = atomic_load(&s->stats.failing_since_s);
	unsigned int ms;
	uint16_t random = 0;

	if (!s->why[0])
		sink_why(s, "%s", strerror(-r));
	atomic_fetch_add(&s->stats.failures, 1);
	set_error(s, s->why);
	if (!since)
		atomic_store(&s->stats.failing_since_s, (int64_t)time(NULL));
	if (!s->failing_ms)
		s->failing_ms = monotonic_ms();
	if (!s->told_failing && monotonic_ms() - s->failing_ms >= FAILING_AFTER_S * 1000) {
		char text[2 * SINK_WHY];

		s->told_failing = true;
		snprintf(text, sizeof(text), "sink %s: does not deliver: %s", s->config->name, s->why);
		note(s, "sink_failed", text, 0);
	}
	s->backoff_ms = !s->backoff_ms ? BACKOFF_MIN_MS : s->backoff_ms < BACKOFF_MAX_MS / 2 ? 2 * s->backoff_ms : BACKOFF_MAX_MS;
	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
		random = 0;
	ms = s->backoff_ms / 2 + random % (s->backoff_ms / 2 + 1);
	if (s->retry_after_ms > ms)
		ms = s->retry_after_ms;
	s->retry_after_ms = 0;
	return sink_wait(s, ms);
}

static void wait_for_rate(struct sink *s, size_t n)
{
	int64_t now = monotonic_ms(), due;

	if (!s->config->rate)
		return;
	if (s->rate_us < (now - RATE_BURST_MS) * 1000)
		s->rate_us = (now - RATE_BURST_MS) * 1000;
	s->rate_us += (int64_t)(n * 1000000 / s->config->rate);
	due = s->rate_us / 1000;
	while (due > now && sink_wait(s, (unsigned int)(due - now < 1000 ? due - now : 1000)))
		now = monotonic_ms();
}

static void settle(struct sink *s, struct sink_batch *b)
{
	uint64_t refused = 0;

	for (size_t i = 0; i < b->n; i++) {
		const struct sink_item *it = &b->items[i];

		if (it->test) {
			pthread_mutex_lock(&s->lock);
			s->test_number = it->number;
			s->test_refused = it->status != ITEM_DONE;
			if (s->test_refused)
				snprintf(s->error, sizeof(s->error), "%s", b->why);
			pthread_mutex_unlock(&s->lock);
		}
		if (it->status == ITEM_DONE) {
			atomic_fetch_add(&s->stats.delivered, 1);
			atomic_fetch_add(&s->stats.bytes, it->len);
		} else {
			bury(s, b, it);
			refused++;
		}
	}
	atomic_fetch_add(&s->stats.refused, refused);
	s->refused_untold += refused;
	tell_counts(s, b->why);
}

static void advance(struct sink *s)
{
	uint64_t to = s->done;

	if (s->ops->confirmed) {
		uint64_t c = s->ops->confirmed(s);

		to = c < to ? c : to;
	}
	if (to > s->cursor.number && spool_cursor_set(&s->cursor, to) < 0)
		set_error(s, "its cursor cannot be written: events will come again");
	atomic_store(&s->stats.cursor, s->cursor.number);
}

/* What it reads: events, or what is made of API calls. */
static int spool_of(const struct sink *s)
{
	return s->config->signal == SINK_LOGS ? s->deliver->events_fd : s->deliver->api_fd;
}

/* Begins again behind the cursor: what was under way on a connection that broke. */
static int rewind_reader(struct sink *s)
{
	struct spool_reader *r;
	int rc;

	if (s->done == s->cursor.number && s->reader)
		return 0;
	rc = spool_reader_open(spool_of(s), s->cursor.number, &r);
	if (rc < 0)
		return rc;
	spool_reader_close(s->reader);
	s->reader = r;
	s->missing_seen = 0;
	s->done = s->cursor.number;
	return 0;
}

static int ensure_open(struct sink *s)
{
	int r;

	if (s->is_open)
		return 0;
	s->why[0] = '\0';
	if (s->broken) {
		pthread_mutex_lock(&s->lock);
		snprintf(s->why, sizeof(s->why), "%s", s->error);
		pthread_mutex_unlock(&s->lock);
		return -EINVAL;
	}
	r = s->ops->open(s);
	if (r < 0)
		return r;
	atomic_fetch_add(&s->stats.connects, 1);
	s->is_open = true;
	/* Receivers that acknowledge have what they acknowledged; from the others more may be missing. */
	return s->ops->confirmed ? rewind_reader(s) : 0;
}

static void shut(struct sink *s, bool orderly)
{
	if (!s->is_open)
		return;
	s->ops->close(s, orderly);
	sink_connected(s, "", NULL);
	if (orderly)
		advance(s);
	s->is_open = false;
}

/* Sends the batch until every item is done or refused. False: the process is to end, or the batch has to be read again. */
static bool deliver_batch(struct sink *s, struct sink_batch *b)
{
	while (!sink_stopping(s)) {
		bool fresh = !s->is_open;
		int r = ensure_open(s);

		/* After a break the reader stands elsewhere: this batch is read again, from the cursor on. */
		if (r == 0 && fresh && s->ops->confirmed && b->n && s->done + 1 < b->items[0].number)
			return false;
		if (r == 0) {
			s->why[0] = '\0';
			r = s->ops->send(s, b);
		}
		if (r == 0) {
			settle(s, b);
			went_well(s);
			return true;
		}
		if (r == -ECANCELED)
			return false;
		shut(s, false);
		if (!went_wrong(s, r))
			return false;
		if (s->ops->confirmed) {
			/* Whatever had been sent before is in doubt, too. */
			if (rewind_reader(s) < 0)
				return false;
			return false;
		}
	}
	return false;
}

static void *sink_main(void *arg)
{
	struct sink *s = arg;
	struct event_view *view = malloc(sizeof(*view));
	struct sink_batch b = { .items = calloc(s->config->batch, sizeof(struct sink_item)) };
	char name[SINK_NAME_MAX + 16];
	int r;

	b.text.max = b.lines.max = 4 * SINK_MAX_BATCH_BYTES;
	snprintf(name, sizeof(name), "%s.cursor", s->config->name);
	r = view && b.items ? spool_cursor_open(s->deliver->own_fd, name, &s->cursor) : -ENOMEM;
	if (r == 0) {
		s->done = s->cursor.number;
		r = rewind_reader(s);
	}
	if (r < 0) {
		set_error(s, strerror(-r));
		s->broken = true;
		goto out;
	}
	atomic_store(&s->stats.cursor, s->cursor.number);
	while (!sink_stopping(s)) {
		uint64_t last = s->done;

		/* Its state tells before there is anything to send. */
		if (s->broken) {
			if (!went_wrong(s, -EINVAL))
				break;
			continue;
		}
		if (!s->reader && rewind_reader(s) < 0)
			break;
		r = batch_fill(s, &b, view, &last);
		if (r < 0) {
			sink_why(s, "the spool cannot be read: %s", strerror(-r));
			if (!went_wrong(s, r))
				break;
			continue;
		}
		if (b.n) {
			wait_for_rate(s, b.n);
			if (!deliver_batch(s, &b)) {
				/* Read again from what is done. */
				spool_reader_close(s->reader);
				s->reader = NULL;
				s->missing_seen = 0;
				if (spool_reader_open(spool_of(s), s->done, &s->reader) < 0)
					break;
				continue;
			}
		}
		s->done = last;
		advance(s);
		if (s->ops->confirmed && !s->is_open && s->cursor.number < s->done && ensure_open(s) < 0 && !went_wrong(s, -ECONNRESET))
			break;
		atomic_store(&s->idle, !b.n && s->cursor.number == s->done);
		if (!b.n && !sink_wait(s, IDLE_MS))
			break;
	}
	shut(s, true);
out:
	spool_reader_close(s->reader);
	if (s->cursor.fd >= 0)
		close(s->cursor.fd);
	s->ops->release(s);
	bw_buf_free(&b.text);
	bw_buf_free(&b.lines);
	free(b.items);
	free(view);
	if (s->secret)
		explicit_bzero(s->secret, strlen(s->secret));
	free(s->secret);
	return NULL;
}

void sink_thread_start(struct sink *s)
{
	if (s->broken)
		set_error(s, s->why);
	s->started = pthread_create(&s->thread, NULL, sink_main, s) == 0;
	if (!s->started)
		set_error(s, "its thread cannot be started");
}

void sink_thread_join(struct sink *s)
{
	if (s->started)
		pthread_join(s->thread, NULL);
}
