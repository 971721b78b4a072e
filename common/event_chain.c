// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "common/event_chain.h"

#include <errno.h>
#include <openssl/sha.h>
#include <string.h>

#define PREV_KEY ",\"prev\":\""
#define HASH_KEY ",\"hash\":\""
#define HEX_LEN (2 * EVENT_CHAIN_LEN)
/* ,"hash":"..."} and ,"prev":"..." before it */
#define HASH_PART (sizeof(HASH_KEY) - 1 + HEX_LEN + 2)
#define PREV_PART (sizeof(PREV_KEY) - 1 + HEX_LEN + 1)

_Static_assert(EVENT_CHAIN_LEN == SHA256_DIGEST_LENGTH, "SHA-256");
_Static_assert(HASH_PART + PREV_PART <= EVENT_CHAIN_ROOM, "room for a seal");

int event_chain_seal(struct event_chain *c, struct bw_buf *line, uint64_t seq)
{
	uint8_t hash[EVENT_CHAIN_LEN];

	if (bw_buf_error(line))
		return bw_buf_error(line);
	if (line->len < 3 || line->data[0] != '{' || line->data[line->len - 1] != '}')
		return -EINVAL;
	line->len--;
	bw_buf_str(line, PREV_KEY);
	bw_buf_hex(line, c->head, sizeof(c->head));
	bw_buf_char(line, '"');
	if (bw_buf_error(line))
		return bw_buf_error(line);
	SHA256((const unsigned char *)line->data, line->len, hash);
	bw_buf_str(line, HASH_KEY);
	bw_buf_hex(line, hash, sizeof(hash));
	bw_buf_str(line, "\"}");
	if (bw_buf_error(line))
		return bw_buf_error(line);
	memcpy(c->head, hash, sizeof(hash));
	c->seq = seq;
	return 0;
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool get_hex(const char *text, uint8_t ret[EVENT_CHAIN_LEN])
{
	for (size_t i = 0; i < EVENT_CHAIN_LEN; i++) {
		int hi = hex_digit(text[2 * i]), lo = hex_digit(text[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return false;
		ret[i] = (uint8_t)(hi << 4 | lo);
	}
	return true;
}

struct seal {
	uint8_t prev[EVENT_CHAIN_LEN], hash[EVENT_CHAIN_LEN];
	size_t covered; /* bytes under the hash */
};

static bool get_seal(const char *line, size_t len, struct seal *ret)
{
	const char *hash, *prev;

	if (len < HASH_PART + PREV_PART + 2)
		return false;
	hash = line + len - HASH_PART;
	prev = hash - PREV_PART;
	if (memcmp(hash, HASH_KEY, sizeof(HASH_KEY) - 1) || memcmp(line + len - 2, "\"}", 2) ||
	    memcmp(prev, PREV_KEY, sizeof(PREV_KEY) - 1) || hash[-1] != '"')
		return false;
	ret->covered = len - HASH_PART;
	return get_hex(hash + sizeof(HASH_KEY) - 1, ret->hash) && get_hex(prev + sizeof(PREV_KEY) - 1, ret->prev);
}

/* `{"v":1,"seq":N,"uid":"RUN-...`: how every event begins. */
static bool get_head(const char *line, size_t len, uint64_t *ret_seq, char run[17])
{
	static const char begin[] = "{\"v\":1,\"seq\":", middle[] = ",\"uid\":\"";
	size_t i = sizeof(begin) - 1, n;
	uint64_t seq = 0;

	if (len < i || memcmp(line, begin, i))
		return false;
	for (n = i; i < len && line[i] >= '0' && line[i] <= '9'; i++) {
		unsigned int digit = (unsigned int)(line[i] - '0');

		if (seq > (UINT64_MAX - digit) / 10)
			return false;
		seq = seq * 10 + digit;
	}
	if (i == n || len - i < sizeof(middle) - 1 || memcmp(line + i, middle, sizeof(middle) - 1))
		return false;
	i += sizeof(middle) - 1;
	for (n = 0; n < 16 && i + n < len && line[i + n] != '-' && line[i + n] != '"'; n++)
		run[n] = line[i + n];
	run[n] = '\0';
	*ret_seq = seq;
	return true;
}

int event_chain_resume(struct event_chain *c, const char *line, size_t len)
{
	struct seal seal;
	uint64_t seq;
	char run[17];

	if (!get_head(line, len, &seq, run) || !get_seal(line, len, &seal))
		return -EBADMSG;
	memcpy(c->head, seal.hash, sizeof(c->head));
	c->seq = seq;
	return 0;
}

/* How the event fits behind the highest one so far. */
static enum event_chain_fault link_check(struct event_chain_check *c, const struct seal *seal, const char *run)
{
	bool linked = !memcmp(seal->prev, c->at.head, EVENT_CHAIN_LEN);

	if (!c->any || c->broken) {
		if (!c->any)
			c->first_seq = c->seq;
		return EVENT_CHAIN_OK;
	}
	if (c->seq <= c->at.seq)
		return EVENT_CHAIN_ORDER;
	if (linked) {
		c->skipped += c->seq - c->at.seq - 1;
		return EVENT_CHAIN_OK;
	}
	if (strcmp(run, c->run))
		return EVENT_CHAIN_FORKED;
	if (c->seq == c->at.seq + 1)
		return EVENT_CHAIN_REPLACED;
	c->expected = c->at.seq + 1;
	c->missing += c->seq - c->expected;
	return EVENT_CHAIN_GAP;
}

enum event_chain_fault event_chain_check(struct event_chain_check *c, const char *line, size_t len)
{
	uint8_t hash[EVENT_CHAIN_LEN];
	enum event_chain_fault fault;
	struct seal seal;
	char run[17];

	c->seq = 0;
	c->events++;
	if (!get_head(line, len, &c->seq, run)) {
		c->broken = c->any;
		return EVENT_CHAIN_NOT_EVENT;
	}
	if (!get_seal(line, len, &seal)) {
		c->broken = c->any;
		return EVENT_CHAIN_UNSEALED;
	}
	SHA256((const unsigned char *)line, seal.covered, hash);
	fault = link_check(c, &seal, run);
	if (memcmp(hash, seal.hash, sizeof(hash)))
		fault = EVENT_CHAIN_EDITED;
	if (fault == EVENT_CHAIN_ORDER || (fault == EVENT_CHAIN_EDITED && c->any && c->seq <= c->at.seq))
		return fault;
	/* What the line claims is what the next one was linked to, edited or not. */
	memcpy(c->at.head, seal.hash, sizeof(seal.hash));
	c->at.seq = c->seq;
	memcpy(c->run, run, sizeof(run));
	c->any = true;
	c->broken = false;
	return fault;
}

const char *event_chain_fault_name(enum event_chain_fault f)
{
	static const char *const names[] = {
		[EVENT_CHAIN_OK] = "in order",
		[EVENT_CHAIN_NOT_EVENT] = "not an event",
		[EVENT_CHAIN_UNSEALED] = "event without a seal",
		[EVENT_CHAIN_EDITED] = "edited",
		[EVENT_CHAIN_GAP] = "gap",
		[EVENT_CHAIN_REPLACED] = "replaced",
		[EVENT_CHAIN_ORDER] = "out of order",
		[EVENT_CHAIN_FORKED] = "not linked",
	};

	return (unsigned int)f < ARRAY_SIZE(names) ? names[f] : "?";
}
