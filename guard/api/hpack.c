// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/api/hpack.h"

#include <stdlib.h>
#include <string.h>

/* What RFC 7541 4.1 adds for each entry. */
#define ENTRY_OVERHEAD 32u

struct hpack_entry {
	unsigned int flags; /* HPACK_*_UNKNOWN */
	uint32_t name_len, value_len;
	uint8_t bytes[]; /* name, value */
};

/* RFC 7541 appendix A */
static const struct {
	const char *name, *value;
} table_static[HPACK_STATIC] = {
	{ ":authority", "" }, { ":method", "GET" }, { ":method", "POST" }, { ":path", "/" }, { ":path", "/index.html" },
	{ ":scheme", "http" }, { ":scheme", "https" }, { ":status", "200" }, { ":status", "204" }, { ":status", "206" },
	{ ":status", "304" }, { ":status", "400" }, { ":status", "404" }, { ":status", "500" }, { "accept-charset", "" },
	{ "accept-encoding", "gzip, deflate" }, { "accept-language", "" }, { "accept-ranges", "" }, { "accept", "" },
	{ "access-control-allow-origin", "" }, { "age", "" }, { "allow", "" }, { "authorization", "" }, { "cache-control", "" },
	{ "content-disposition", "" }, { "content-encoding", "" }, { "content-language", "" }, { "content-length", "" },
	{ "content-location", "" }, { "content-range", "" }, { "content-type", "" }, { "cookie", "" }, { "date", "" }, { "etag", "" },
	{ "expect", "" }, { "expires", "" }, { "from", "" }, { "host", "" }, { "if-match", "" }, { "if-modified-since", "" },
	{ "if-none-match", "" }, { "if-range", "" }, { "if-unmodified-since", "" }, { "last-modified", "" }, { "link", "" },
	{ "location", "" }, { "max-forwards", "" }, { "proxy-authenticate", "" }, { "proxy-authorization", "" }, { "range", "" },
	{ "referer", "" }, { "refresh", "" }, { "retry-after", "" }, { "server", "" }, { "set-cookie", "" },
	{ "strict-transport-security", "" }, { "transfer-encoding", "" }, { "user-agent", "" }, { "vary", "" }, { "via", "" },
	{ "www-authenticate", "" },
};

void hpack_init(struct hpack *h)
{
	*h = (struct hpack){ .max = HPACK_DEFAULT_SIZE };
}

static size_t entry_bytes(const struct hpack_entry *e)
{
	return sizeof(*e) + e->name_len + e->value_len;
}

static struct hpack_entry **entry_at(struct hpack *h, unsigned int i)
{
	return &h->ring[(h->first + i) % HPACK_MAX_ENTRIES];
}

static void entry_free(struct hpack_entry *e, struct api_budget *budget)
{
	size_t n = entry_bytes(e);

	api_budget_give(budget, n);
	explicit_bzero(e, n);
	free(e);
}

static void evict_last(struct hpack *h, struct api_budget *budget)
{
	struct hpack_entry **last = entry_at(h, h->n - 1);

	h->size -= (*last)->name_len + (*last)->value_len + ENTRY_OVERHEAD;
	entry_free(*last, budget);
	*last = NULL;
	h->n--;
}

void hpack_lost(struct hpack *h, struct api_budget *budget)
{
	while (h->n)
		evict_last(h, budget);
	h->incomplete = true;
}

void hpack_clear(struct hpack *h, struct api_budget *budget)
{
	hpack_lost(h, budget);
	if (h->ring) {
		free(h->ring);
		api_budget_give(budget, HPACK_MAX_ENTRIES * sizeof(*h->ring));
	}
	hpack_init(h);
}

/* RFC 7541 4.4. What cannot be kept makes everything before it unknown too: numbers count from the newest. */
static void insert(struct hpack *h, const struct hpack_field *f, struct api_budget *budget)
{
	size_t bytes = sizeof(struct hpack_entry) + f->name.len + f->value.len, size = f->name.len + f->value.len + ENTRY_OVERHEAD;
	struct hpack_entry *e;

	if (!h->incomplete && size > h->max) {
		/* An entry larger than the table empties it, and that is no error. */
		while (h->n)
			evict_last(h, budget);
		return;
	}
	if (!h->ring) {
		if (!api_budget_take(budget, HPACK_MAX_ENTRIES * sizeof(*h->ring))) {
			h->incomplete = true;
			return;
		}
		h->ring = calloc(HPACK_MAX_ENTRIES, sizeof(*h->ring));
		if (!h->ring) {
			api_budget_give(budget, HPACK_MAX_ENTRIES * sizeof(*h->ring));
			h->incomplete = true;
			return;
		}
	}
	/* Joined late, the limit is not known: what the sender has evicted it does not refer to, so keeping more is harmless. */
	while (h->n && h->size + size > (h->incomplete ? HPACK_MAX_SIZE : h->max))
		evict_last(h, budget);
	if (h->n == HPACK_MAX_ENTRIES) {
		evict_last(h, budget);
		h->incomplete = true; /* the sender still has it */
	}
	e = api_budget_take(budget, bytes) ? malloc(bytes) : NULL;
	if (!e) {
		hpack_lost(h, budget);
		return;
	}
	e->flags = f->flags & (HPACK_NAME_UNKNOWN | HPACK_VALUE_UNKNOWN | HPACK_CUT);
	e->name_len = (uint32_t)f->name.len;
	e->value_len = (uint32_t)f->value.len;
	if (f->name.len)
		memcpy(e->bytes, f->name.data, f->name.len);
	if (f->value.len)
		memcpy(e->bytes + e->name_len, f->value.data, f->value.len);
	h->first = (h->first + HPACK_MAX_ENTRIES - 1) % HPACK_MAX_ENTRIES;
	h->ring[h->first] = e;
	h->n++;
	h->size += (uint32_t)size;
}

/* RFC 7541 5.1 */
static bool read_int(struct bw_slice *in, unsigned int prefix_bits, uint32_t *ret)
{
	uint32_t mask = (1u << prefix_bits) - 1, v;

	if (!in->len)
		return false;
	v = in->data[0] & mask;
	in->data++;
	in->len--;
	if (v < mask) {
		*ret = v;
		return true;
	}
	for (unsigned int shift = 0; in->len && shift <= 21; shift += 7) {
		uint8_t b = in->data[0];

		in->data++;
		in->len--;
		v += (uint32_t)(b & 0x7f) << shift;
		if (!(b & 0x80)) {
			*ret = v;
			return true;
		}
	}
	return false;
}

/* RFC 7541 5.2. The string is in the block, or in @scratch when it was coded. */
static bool read_string(struct bw_slice *in, uint8_t scratch[HPACK_MAX_STRING], struct bw_slice *ret, unsigned int *flags)
{
	bool coded = in->len && (in->data[0] & 0x80);
	struct bw_slice raw;
	uint32_t len;
	long n;

	if (!read_int(in, 7, &len) || !bw_slice_sub(*in, 0, len, &raw))
		return false;
	in->data += len;
	in->len -= len;
	if (coded) {
		n = hpack_huffman_decode(raw, scratch, HPACK_MAX_STRING);
		if (n < 0)
			return false;
		raw = bw_slice(scratch, (size_t)n);
	}
	if (raw.len > HPACK_MAX_STRING) {
		raw.len = HPACK_MAX_STRING;
		*flags |= HPACK_CUT;
	}
	*ret = raw;
	return true;
}

/* RFC 7541 2.3.3. False: there can be no such entry. */
static bool lookup(struct hpack *h, uint32_t index, struct hpack_field *f)
{
	const struct hpack_entry *e;

	if (!index)
		return false;
	if (index <= HPACK_STATIC) {
		f->name = bw_slice(table_static[index - 1].name, strlen(table_static[index - 1].name));
		f->value = bw_slice(table_static[index - 1].value, strlen(table_static[index - 1].value));
		return true;
	}
	index -= HPACK_STATIC + 1;
	if (index >= h->n) {
		if (!h->incomplete)
			return false;
		f->name = f->value = bw_slice("", 0);
		f->flags |= HPACK_NAME_UNKNOWN | HPACK_VALUE_UNKNOWN;
		return true;
	}
	e = *entry_at(h, index);
	f->name = bw_slice(e->bytes, e->name_len);
	f->value = bw_slice(e->bytes + e->name_len, e->value_len);
	f->flags |= e->flags;
	return true;
}

static void resize(struct hpack *h, uint32_t max, struct api_budget *budget)
{
	h->max = max < HPACK_MAX_SIZE ? max : HPACK_MAX_SIZE;
	if (max > HPACK_MAX_SIZE)
		h->incomplete = true; /* the sender may refer to what we do not keep */
	while (h->n && h->size > h->max)
		evict_last(h, budget);
}

static bool read_literal(struct hpack *h, struct bw_slice *in, unsigned int prefix_bits, struct hpack_field *f, uint8_t *name_scratch,
			 uint8_t *value_scratch)
{
	uint32_t index;

	if (!read_int(in, prefix_bits, &index))
		return false;
	if (index) {
		if (!lookup(h, index, f))
			return false;
		f->flags &= ~(unsigned int)(HPACK_VALUE_UNKNOWN | HPACK_CUT);
		/* The entry may be evicted by the insertion of this very field. */
		if (f->name.len)
			memcpy(name_scratch, f->name.data, f->name.len);
		f->name.data = name_scratch;
	} else if (!read_string(in, name_scratch, &f->name, &f->flags)) {
		return false;
	}
	return read_string(in, value_scratch, &f->value, &f->flags);
}

enum hpack_result hpack_decode(struct hpack *h, struct bw_slice block, struct api_budget *budget, hpack_field_fn fn, void *arg)
{
	uint8_t name[HPACK_MAX_STRING], value[HPACK_MAX_STRING];
	unsigned int n = 0;

	while (block.len) {
		struct hpack_field f = { 0 };
		uint8_t b = block.data[0];
		uint32_t v;

		if (b & 0x80) { /* 6.1 indexed */
			if (!read_int(&block, 7, &v) || !lookup(h, v, &f))
				return HPACK_ERROR;
		} else if (b & 0x40) { /* 6.2.1 literal, added to the table */
			if (!read_literal(h, &block, 6, &f, name, value))
				return HPACK_ERROR;
			insert(h, &f, budget);
		} else if (b & 0x20) { /* 6.3 size update */
			if (!read_int(&block, 5, &v))
				return HPACK_ERROR;
			resize(h, v, budget);
			continue;
		} else { /* 6.2.2, 6.2.3 literal, not added */
			if (!read_literal(h, &block, 4, &f, name, value))
				return HPACK_ERROR;
			if (b & 0x10)
				f.flags |= HPACK_NEVER_INDEXED;
		}
		if (f.flags & (HPACK_NAME_UNKNOWN | HPACK_VALUE_UNKNOWN))
			h->unknown++;
		if (n++ < HPACK_MAX_FIELDS)
			fn(arg, &f);
	}
	return n > HPACK_MAX_FIELDS ? HPACK_STOPPED : HPACK_OK;
}
