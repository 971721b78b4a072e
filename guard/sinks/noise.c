// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/sinks/noise.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json.h"

#define HEADS 1024u
#define NONE UINT32_MAX
#define DAY_S 86400
#define WEEK_S (7 * DAY_S)
#define EPOCH_WEEKDAY 4 /* 1970-01-01 was a Thursday */

struct fact {
	uint8_t key[SHA256_DIGEST_LENGTH];
	uint32_t next; /* in its chain, or in the list of free ones */
	uint32_t owner; /* NOISE_MAINTENANCE: which window */
	enum noise_verdict cause;
	bool used, delivered;
	unsigned int severity; /* of those counted */
	int64_t since_s; /* boot */
	uint64_t count, first_seq, last_seq; /* of those not told yet */
	char rule[64], kind[16];
	char *text;
};

struct bucket {
	char rule[64];
	size_t limit; /* index */
	int64_t at_s;
	uint64_t tokens;
};

/* Of a suppression or window. */
struct tally {
	uint64_t total, untold, first_seq, last_seq;
	int64_t told_s;
	bool expiry_told;
};

struct noise {
	const struct noise_config *config;
	struct fact *facts;
	uint32_t heads[HEADS], free;
	struct bucket buckets[NOISE_MAX_BUCKETS];
	size_t n_buckets;
	struct tally suppressed[NOISE_MAX_RULES], maintained[NOISE_MAX_RULES];
	struct noise_stats stats;
	struct bw_buf list, scratch;
	char rule[64], kind[16]; /* of the summary at hand */
};

static const char *const verdict_names[] = {
	[NOISE_SEND] = "send", [NOISE_REPEAT] = "repeat", [NOISE_LIMITED] = "rate", [NOISE_MAINTENANCE] = "maintenance", [NOISE_SUPPRESSED] = "suppressed",
};

const char *noise_verdict_name(enum noise_verdict v)
{
	return (unsigned int)v < NOISE_VERDICTS ? verdict_names[v] : "?";
}

int noise_new(const struct noise_config *c, struct noise **ret)
{
	struct noise *n = calloc(1, sizeof(*n));

	if (!n)
		return -ENOMEM;
	n->config = c;
	n->facts = calloc(NOISE_MAX_FACTS, sizeof(*n->facts));
	if (!n->facts) {
		free(n);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < HEADS; i++)
		n->heads[i] = NONE;
	for (uint32_t i = 0; i < NOISE_MAX_FACTS; i++)
		n->facts[i].next = i + 1 < NOISE_MAX_FACTS ? i + 1 : NONE;
	*ret = n;
	return 0;
}

void noise_free(struct noise *n)
{
	if (!n)
		return;
	for (uint32_t i = 0; i < NOISE_MAX_FACTS; i++)
		free(n->facts[i].text);
	free(n->facts);
	bw_buf_free(&n->list);
	bw_buf_free(&n->scratch);
	free(n);
}

/* ---- what a fact is --------------------------------------------------------------------------------------------------- */

/* Called for every member of every event: the first character settles most of it. */
static bool is_one_of(const struct event_member *m, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (names[i][0] == m->key[0] && !strncmp(names[i], m->key, m->key_len) && !names[i][m->key_len])
			return true;
	return false;
}

/* Differs from one event to the next although they say the same. All others, known or not, make another fact. */
static bool is_volatile(const struct event_member *m)
{
	static const char *const names[] = {
		"seq", "uid", "time", "prev", "hash", "loader_pid", "loader_tgid", "loader_ppid", "loader_start_ns", "cpu", "cpu_seq", "boot_ns",
		"lost_before", "repeat_of", "prog_id", "map_id", "link_id", "old_prog_id", "hook_ns", "hold_attempt", "hold_wait_ns", "analysis_ns",
		"map_owner_tgid", "map_owner_start_ns", "reader_tgid", "reader_start_ns", "read_boot_ns", "attr",
	};

	if (is_one_of(m, names, ARRAY_SIZE(names)))
		return true;
	/* A descriptor is any number; an error says something. */
	return m->key_len == 5 && !memcmp(m->key, "error", 5) && m->value_len && m->value[0] != '-';
}

/* The same for all events of a host and a rule, or said by the summary itself. */
static bool is_common(const struct event_member *m)
{
	static const char *const names[] = { "v", "host", "boot_id", "kind", "rule", "mode", "tier" };

	return is_one_of(m, names, ARRAY_SIZE(names));
}

static int fact_key(struct noise *n, const struct event_view *e, uint32_t owner, uint8_t key[SHA256_DIGEST_LENGTH])
{
	bw_buf_reset(&n->scratch);
	bw_buf_append(&n->scratch, &owner, sizeof(owner));
	for (unsigned int i = 0; i < e->n; i++) {
		const struct event_member *m = &e->members[i];

		if (is_volatile(m))
			continue;
		/* Keys and values are JSON text: no NUL in them. */
		bw_buf_append(&n->scratch, m->key, m->key_len);
		bw_buf_char(&n->scratch, '\0');
		bw_buf_append(&n->scratch, m->value, m->value_len);
		bw_buf_char(&n->scratch, '\0');
	}
	if (bw_buf_error(&n->scratch))
		return bw_buf_error(&n->scratch);
	SHA256((const unsigned char *)n->scratch.data, n->scratch.len, key);
	return 0;
}

/* For people and for parsers: key=value, strings in quotes with JSON's escapes. Lists are left to the history: the digest names them. */
static char *fact_text(struct noise *n, const struct event_view *e)
{
	bool cut = false;

	bw_buf_reset(&n->scratch);
	for (unsigned int i = 0; i < e->n; i++) {
		const struct event_member *m = &e->members[i];
		bool quoted = m->type == EVENT_STRING;

		if (is_volatile(m) || is_common(m) || m->type == EVENT_LIST || m->type == EVENT_OBJECT)
			continue;
		if (n->scratch.len + m->key_len + m->value_len + 4 > NOISE_FACT_TEXT - 16) {
			cut = true;
			continue;
		}
		if (n->scratch.len)
			bw_buf_char(&n->scratch, ' ');
		bw_buf_append(&n->scratch, m->key, m->key_len);
		bw_buf_str(&n->scratch, quoted ? "=\"" : "=");
		bw_buf_append(&n->scratch, m->value, m->value_len);
		if (quoted)
			bw_buf_char(&n->scratch, '"');
	}
	if (cut)
		bw_buf_str(&n->scratch, " cut=true");
	return bw_buf_error(&n->scratch) ? NULL : strdup(bw_buf_cstr(&n->scratch));
}

static uint32_t *fact_head(struct noise *n, const uint8_t *key)
{
	return &n->heads[(key[0] | (uint32_t)key[1] << 8) % HEADS];
}

static struct fact *fact_find(struct noise *n, const uint8_t *key)
{
	for (uint32_t i = *fact_head(n, key); i != NONE; i = n->facts[i].next)
		if (!memcmp(n->facts[i].key, key, SHA256_DIGEST_LENGTH))
			return &n->facts[i];
	return NULL;
}

static void copy_word(char *dst, size_t size, const struct event_member *m)
{
	size_t len = m && m->type == EVENT_STRING ? m->value_len : 0;

	len = len < size ? len : size - 1;
	if (len)
		memcpy(dst, m->value, len);
	dst[len] = '\0';
}

/* NULL: no room. */
static struct fact *fact_new(struct noise *n, const struct event_view *e, const uint8_t *key, int64_t boot_s)
{
	uint32_t i = n->free, *head = fact_head(n, key);
	struct fact *f;

	if (i == NONE)
		return NULL;
	f = &n->facts[i];
	n->free = f->next;
	*f = (struct fact){ .used = true, .since_s = boot_s, .next = *head };
	memcpy(f->key, key, sizeof(f->key));
	copy_word(f->rule, sizeof(f->rule), event_get(e, "rule"));
	copy_word(f->kind, sizeof(f->kind), event_get(e, "kind"));
	*head = i;
	n->stats.facts++;
	return f;
}

static void fact_forget(struct noise *n, struct fact *f)
{
	uint32_t i = (uint32_t)(f - n->facts), *p = fact_head(n, f->key);

	while (*p != i)
		p = &n->facts[*p].next;
	*p = f->next;
	free(f->text);
	*f = (struct fact){ .next = n->free };
	n->free = i;
	n->stats.facts--;
}

static uint64_t seq_of(const struct event_view *e)
{
	const struct event_member *m = event_get(e, "seq");

	return m && m->type == EVENT_NUMBER ? strtoull(m->value, NULL, 10) : 0;
}

/* False: it could not be remembered what it says, so it has to be sent. */
static bool fact_count(struct noise *n, struct fact *f, const struct event_view *e)
{
	uint64_t seq = seq_of(e);

	if (!f->text)
		f->text = fact_text(n, e);
	if (!f->text)
		return false;
	if (!f->count++) {
		f->first_seq = seq;
		f->severity = 0;
	}
	f->last_seq = seq;
	if (event_severity(e) > f->severity)
		f->severity = event_severity(e);
	n->stats.untold++;
	return true;
}

/* ---- settings applied ---------------------------------------------------------------------------------------------------- */

static bool glob(const char *pattern, const char *s, const char *end)
{
	const char *star = NULL, *retry = s;

	for (;;) {
		if (*pattern == '*') {
			star = ++pattern;
			retry = s;
		} else if (s < end && *pattern == *s) {
			pattern++;
			s++;
		} else if (s == end && !*pattern) {
			return true;
		} else if (star && retry < end) {
			s = ++retry;
			pattern = star;
		} else {
			return false;
		}
	}
}

static bool fits_member(struct noise *n, const struct event_member *m, const char *pattern)
{
	struct event_member item;
	size_t pos = 0;

	if (m->type == EVENT_LIST) {
		while (event_next(m, &pos, &item))
			if (fits_member(n, &item, pattern))
				return true;
		return false;
	}
	bw_buf_reset(&n->scratch);
	event_text(m, &n->scratch);
	return !bw_buf_error(&n->scratch) && glob(pattern, bw_buf_cstr(&n->scratch), bw_buf_cstr(&n->scratch) + n->scratch.len);
}

static bool fits(struct noise *n, const struct noise_rule *r, const struct event_view *e)
{
	if (event_severity(e) > r->max_severity)
		return false;
	for (size_t i = 0; i < r->match.n; i++) {
		const struct event_member *m = event_get(e, r->match.members[i].key);

		if (!m || !fits_member(n, m, r->match.members[i].pattern))
			return false;
	}
	return true;
}

bool noise_window_open(const struct noise_rule *r, int64_t real_s)
{
	int64_t week, start;

	if (!r->days)
		return real_s >= r->from_s && real_s < r->until_s;
	week = (real_s + EPOCH_WEEKDAY * DAY_S) % WEEK_S; /* since Sunday, 00:00 */
	if (week < 0)
		week += WEEK_S;
	for (int day = 0; day < 7; day++) {
		if (!(r->days >> day & 1))
			continue;
		start = day * (int64_t)DAY_S + (int64_t)r->at_minute * 60;
		/* It may go over the end of the week. */
		if ((week - start + WEEK_S) % WEEK_S < (int64_t)r->minutes * 60)
			return true;
	}
	return false;
}

static void count(struct tally *t, const struct event_view *e, int64_t boot_s)
{
	uint64_t seq = seq_of(e);

	t->total++;
	if (!t->untold++) {
		t->first_seq = seq;
		if (!t->told_s)
			t->told_s = boot_s;
	}
	t->last_seq = seq;
}

static const struct noise_limit *limit_of(const struct noise *n, const char *rule)
{
	for (size_t i = 0; i < n->config->n_limits; i++)
		if (glob(n->config->limits[i].rule, rule, rule + strlen(rule)))
			return &n->config->limits[i];
	return NULL;
}

/* A bucket a rule. Once there are too many rules, those that share a limit share its last one. */
static bool take_token(struct noise *n, const char *rule, int64_t boot_s)
{
	const struct noise_limit *l = limit_of(n, rule);
	struct bucket *b = NULL, *shared = NULL;

	if (!l)
		return true;
	for (size_t i = 0; i < n->n_buckets && !b; i++) {
		if (n->buckets[i].limit == (size_t)(l - n->config->limits))
			shared = &n->buckets[i];
		if (!strcmp(n->buckets[i].rule, rule))
			b = &n->buckets[i];
	}
	if (!b && n->n_buckets == NOISE_MAX_BUCKETS)
		b = shared;
	if (!b) {
		if (n->n_buckets == NOISE_MAX_BUCKETS)
			return true; /* of a limit that never got one: better too many than none */
		b = &n->buckets[n->n_buckets++];
		*b = (struct bucket){ .limit = (size_t)(l - n->config->limits), .at_s = boot_s, .tokens = l->burst };
		snprintf(b->rule, sizeof(b->rule), "%s", rule);
	}
	if (boot_s > b->at_s) {
		uint64_t more = (uint64_t)(boot_s - b->at_s) * l->per_s;

		b->tokens = more >= l->burst - (b->tokens < l->burst ? b->tokens : l->burst) ? l->burst : b->tokens + more;
		b->at_s = boot_s;
	}
	if (!b->tokens)
		return false;
	b->tokens--;
	return true;
}

static int64_t window(const struct noise *n)
{
	return n->config->window_s ? (int64_t)n->config->window_s : NOISE_WINDOW_S;
}

static enum noise_verdict overflow(struct noise *n)
{
	n->stats.overflows++;
	return NOISE_SEND;
}

static enum noise_verdict maintain(struct noise *n, const struct event_view *e, uint32_t i, int64_t boot_s)
{
	uint8_t key[SHA256_DIGEST_LENGTH];
	struct fact *f;

	if (fact_key(n, e, i + 1, key) < 0)
		return overflow(n);
	f = fact_find(n, key);
	if (!f)
		f = fact_new(n, e, key, boot_s);
	if (!f || !fact_count(n, f, e))
		return overflow(n);
	f->cause = NOISE_MAINTENANCE;
	f->owner = i;
	count(&n->maintained[i], e, boot_s);
	return NOISE_MAINTENANCE;
}

static enum noise_verdict judge_fact(struct noise *n, const struct event_view *e, const char *rule, int64_t boot_s)
{
	uint8_t key[SHA256_DIGEST_LENGTH];
	struct fact *f;

	if (n->config->no_dedup && !limit_of(n, rule))
		return NOISE_SEND;
	if (fact_key(n, e, 0, key) < 0)
		return overflow(n);
	f = fact_find(n, key);
	/* Its window is over, and nothing has been held back since: as if it were new. */
	if (f && f->delivered && !f->count && boot_s - f->since_s >= window(n)) {
		fact_forget(n, f);
		f = NULL;
	}
	if (f && f->delivered && !n->config->no_dedup) {
		f->cause = NOISE_REPEAT;
		return fact_count(n, f, e) ? NOISE_REPEAT : overflow(n);
	}
	if (take_token(n, rule, boot_s)) {
		if (!f && !n->config->no_dedup) {
			f = fact_new(n, e, key, boot_s);
			if (!f)
				return overflow(n);
		}
		if (f)
			f->delivered = true;
		return NOISE_SEND;
	}
	if (!f)
		f = fact_new(n, e, key, boot_s);
	if (!f || !fact_count(n, f, e))
		return overflow(n);
	f->cause = NOISE_LIMITED;
	return NOISE_LIMITED;
}

static enum noise_verdict judge(struct noise *n, const struct event_view *e, int64_t boot_s, int64_t real_s)
{
	const struct noise_config *c = n->config;
	char rule[64], kind[16];

	copy_word(rule, sizeof(rule), event_get(e, "rule"));
	copy_word(kind, sizeof(kind), event_get(e, "kind"));
	/* What the guard says about itself is never noise: losses and failures are told by it, and so are the summaries. */
	if (!strcmp(kind, "guard"))
		return NOISE_SEND;
	for (size_t i = 0; i < c->n_suppress; i++) {
		if (real_s < c->suppress[i].until_s && fits(n, &c->suppress[i], e)) {
			count(&n->suppressed[i], e, boot_s);
			n->stats.untold++;
			return NOISE_SUPPRESSED;
		}
	}
	for (size_t i = 0; i < c->n_maintenance; i++)
		if (noise_window_open(&c->maintenance[i], real_s) && fits(n, &c->maintenance[i], e))
			return maintain(n, e, (uint32_t)i, boot_s);
	return judge_fact(n, e, rule, boot_s);
}

enum noise_verdict noise_judge(struct noise *n, const struct event_view *e, int64_t boot_s, int64_t real_s)
{
	enum noise_verdict v = judge(n, e, boot_s, real_s);

	n->stats.verdicts[v]++;
	return v;
}

/* ---- summaries ----------------------------------------------------------------------------------------------------------- */

static bool is_due(const struct noise *n, const struct fact *f, int64_t boot_s, int64_t real_s, bool all)
{
	if (!f->used || !f->count)
		return false;
	if (all)
		return true;
	if (f->cause == NOISE_MAINTENANCE) /* not before its end, unless room is needed */
		return !noise_window_open(&n->config->maintenance[f->owner], real_s) || n->stats.facts > NOISE_MAX_FACTS / 4 * 3;
	return boot_s - f->since_s >= (f->severity >= EVENT_HIGH && !f->delivered ? NOISE_URGENT_S : window(n));
}

static void fact_told(struct noise *n, struct fact *f, int64_t boot_s)
{
	n->stats.untold -= f->count;
	f->count = 0;
	f->delivered = true;
	f->since_s = boot_s;
	if (f->cause == NOISE_MAINTENANCE || n->config->no_dedup)
		fact_forget(n, f);
}

static int next_facts(struct noise *n, struct fact *first, int64_t boot_s, struct noise_summary *ret)
{
	enum noise_verdict cause = first->cause;
	uint32_t owner = first->owner;
	struct bw_json j = { .buf = &n->list };
	struct bw_buf one = { 0 };

	bw_buf_reset(&n->list);
	memcpy(n->rule, first->rule, sizeof(n->rule));
	memcpy(n->kind, first->kind, sizeof(n->kind));
	*ret = (struct noise_summary){ .event = "summary", .cause = cause, .rule = n->rule, .kind = n->kind, .first_seq = UINT64_MAX };
	bw_json_open(&j, NULL, '[');
	for (struct fact *f = first; f < n->facts + NOISE_MAX_FACTS && ret->facts < NOISE_SUMMARY_FACTS && n->list.len < NOISE_SUMMARY_BYTES; f++) {
		if (!f->used || !f->count || f->cause != cause || f->owner != owner || strcmp(f->rule, n->rule))
			continue;
		bw_buf_reset(&one);
		bw_buf_printf(&one, "count=%" PRIu64 " first_seq=%" PRIu64 " last_seq=%" PRIu64 " %s", f->count, f->first_seq, f->last_seq, f->text);
		bw_json_strn(&j, NULL, bw_buf_cstr(&one), one.len);
		ret->facts++;
		ret->count += f->count;
		ret->first_seq = f->first_seq < ret->first_seq ? f->first_seq : ret->first_seq;
		ret->last_seq = f->last_seq > ret->last_seq ? f->last_seq : ret->last_seq;
		ret->severity = f->severity > ret->severity ? f->severity : ret->severity;
		fact_told(n, f, boot_s);
	}
	bw_json_close(&j, ']');
	bw_buf_free(&one);
	if (!bw_buf_error(&n->list))
		ret->list = bw_buf_cstr(&n->list);
	if (cause == NOISE_MAINTENANCE) {
		ret->id = n->config->maintenance[owner].id;
		ret->reason = n->config->maintenance[owner].reason;
		ret->severity = EVENT_INFO;
		n->maintained[owner].untold = 0;
	}
	n->stats.summaries++;
	return 1;
}

int noise_next(struct noise *n, int64_t boot_s, int64_t real_s, bool all, struct noise_summary *ret)
{
	const struct noise_config *c = n->config;

	for (struct fact *f = n->facts; f < n->facts + NOISE_MAX_FACTS; f++) {
		if (is_due(n, f, boot_s, real_s, all))
			return next_facts(n, f, boot_s, ret);
		if (f->used && !f->count && boot_s - f->since_s >= window(n))
			fact_forget(n, f);
	}
	for (size_t i = 0; i < c->n_suppress; i++) {
		struct tally *t = &n->suppressed[i];
		bool over = real_s >= c->suppress[i].until_s;

		*ret = (struct noise_summary){ .event = "summary", .cause = NOISE_SUPPRESSED, .id = c->suppress[i].id, .reason = c->suppress[i].reason,
					       .severity = EVENT_INFO, .count = t->untold, .first_seq = t->first_seq, .last_seq = t->last_seq };
		if (t->untold && (all || over || boot_s - t->told_s >= NOISE_COUNT_S)) {
			n->stats.untold -= t->untold;
			t->untold = 0;
			t->told_s = boot_s;
			n->stats.summaries++;
			return 1;
		}
		if (over && !t->expiry_told) {
			t->expiry_told = true;
			ret->event = "suppression_expired";
			ret->severity = EVENT_LOW;
			ret->count = t->total;
			return 1;
		}
	}
	return 0;
}

void noise_stats(const struct noise *n, struct noise_stats *ret)
{
	*ret = n->stats;
}

uint64_t noise_rule_count(const struct noise *n, bool maintenance, size_t i)
{
	return (maintenance ? n->maintained : n->suppressed)[i].total;
}
