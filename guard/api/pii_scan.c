// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * One scan: anchors over all bytes, detectors around each anchor, then the same for what the decoders find. Costs per
 * byte are the anchors'; costs per anchor are bounded by windows.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "guard/api/pii_internal.h"

#define WINDOW_BACK  320u
#define WINDOW_AHEAD 4096u
#define NUMBER_MAX   64u

struct candidate {
	size_t start, end;
};

/* The state of one text: what was handed in, or what a decoder wrote. */
struct pass {
	struct pii_scanner *s;
	struct pii_level *level;
	struct bw_slice text;
	enum pii_content content;
	struct bw_slice field; /* of the whole text; len 0: none */
	size_t number_done, field_done;
	struct candidate found[PII_MAX_CANDIDATES];
	unsigned int n_found;
	/* what surrounds the value that is being judged */
	struct pii_words words;
	struct bw_slice name;
	bool known;
};

static void push(struct pass *p, const struct pii_detector *d, size_t start, size_t end, unsigned int confidence)
{
	struct pii_scanner *s = p->s;
	struct pii_hit *h;
	size_t from, to;

	pii_level_map(p->level, start, end, &from, &to);
	if (s->n_raw == PII_MAX_RAW_HITS) {
		if (!s->dropped++ || from < s->dropped_at)
			s->dropped_at = from;
		return;
	}
	h = &s->raw[s->n_raw++];
	*h = (struct pii_hit){
		.offset = from,
		.length = (uint32_t)(to - from),
		.class_id = d->class_id,
		.detector_id = (uint16_t)(d - s->rules->detectors),
		.confidence = (uint8_t)confidence,
		.depth = (uint8_t)p->level->depth,
		.via = p->level->vias,
		.value = bw_slice(p->text.data + start, end - start),
		.field = p->name,
	};
}

/* The words around a value: its field's name, and what stands before it inside the same value. */
static void look_around(struct pass *p, size_t start)
{
	size_t from;

	p->words = (struct pii_words){ 0 };
	p->known = true;
	if (!pii_field_before(p->text, start, &p->name, &from)) {
		p->name = p->field;
		if (start - from > PII_NEAR)
			from = start - PII_NEAR;
	}
	pii_words_of(p->s->rules, p->name, &p->words, true);
	if (start - from > PII_NEAR)
		from = start - PII_NEAR;
	while (from && from < start && pii_alnum(p->text.data[from]) && pii_alnum(p->text.data[from - 1]))
		from++;
	pii_words_of(p->s->rules, bw_slice(p->text.data + from, start - from), &p->words, false);
}

static bool any_of(const struct pii_wordset *set, const struct pii_words *w)
{
	for (unsigned int i = 0; set->any && i < w->n; i++)
		if (pii_wordset_has(set, w->ids[i]))
			return true;
	return false;
}

/* A word of the set on either side of the value. */
static bool beside(const struct pass *p, const struct pii_wordset *set, size_t start, size_t end)
{
	size_t from = start > PII_BESIDE ? start - PII_BESIDE : 0, to = p->text.len - end > PII_BESIDE ? end + PII_BESIDE : p->text.len;
	struct pii_words w = { 0 };

	if (p->name.len && p->name.data > p->text.data && p->name.data <= p->text.data + start)
		start = (size_t)(p->name.data - p->text.data); /* not its own name */
	if (start > from)
		pii_words_of(p->s->rules, bw_slice(p->text.data + from, start - from), &w, false);
	if (any_of(set, &w))
		return true;
	w = (struct pii_words){ 0 };
	pii_words_of(p->s->rules, bw_slice(p->text.data + end, to - end), &w, false);
	return any_of(set, &w);
}

static unsigned int threshold(const struct pii_rules *r, const struct pii_detector *d)
{
	return d->threshold ? d->threshold : r->classes[d->class_id].threshold;
}

/* What the context makes of a value that passed its validator; 0: not enough. */
static unsigned int confidence(struct pass *p, const struct pii_detector *d, size_t start, size_t end)
{
	unsigned int c = d->confidence;

	if (d->context.any || d->unless.any) {
		if (!p->known)
			look_around(p, start);
		if (any_of(&d->context, &p->words))
			c = d->in_context;
		else if (any_of(&d->unless, &p->words))
			c = c > PII_UNLESS ? c - PII_UNLESS : 0;
	} else if (!p->known) {
		look_around(p, start);
	}
	if (c < threshold(p->s->rules, d) || (d->beside.any && !beside(p, &d->beside, start, end)))
		return 0;
	return c;
}

static bool judge(struct pass *p, const struct pii_detector *d, size_t start, size_t end, size_t *ret_end)
{
	struct pii_value v = { p->text, start, end };
	unsigned int c;

	if (d->validate && !d->validate(&v))
		return false;
	c = confidence(p, d, v.start, v.end);
	if (!c || v.end <= v.start)
		return false;
	push(p, d, v.start, v.end, c);
	*ret_end = v.end;
	return true;
}

/* ---- numbers */

static int on_candidate(unsigned int id, unsigned long long from, unsigned long long to, unsigned int flags, void *ctx)
{
	struct pass *p = ctx;

	/* the same start again: the match grew */
	for (unsigned int i = p->n_found; i-- > 0;)
		if (p->found[i].start == from) {
			p->found[i].end = to;
			return 0;
		}
	if (p->n_found == PII_MAX_CANDIDATES)
		return 1;
	p->found[p->n_found++] = (struct candidate){ from, to };
	return 0;
}

/* Matches of @db in a window of the text, with offsets in the text. */
static void candidates(struct pass *p, const hs_database_t *db, size_t from, size_t to)
{
	p->n_found = 0;
	hs_scan(db, (const char *)p->text.data + from, (unsigned int)(to - from), 0, p->s->small, on_candidate, p);
	for (unsigned int i = 0; i < p->n_found; i++) {
		p->found[i].start += from;
		p->found[i].end += from;
	}
}

static bool number_sep(uint8_t c)
{
	return c == ' ' || c == '.' || c == '-' || c == '/' || c == '(' || c == ')';
}

static size_t number_end(struct bw_slice t, size_t i, unsigned int *digits)
{
	size_t limit = t.len - i > NUMBER_MAX ? i + NUMBER_MAX : t.len;

	while (i < limit) {
		size_t k = i;

		while (k < limit && k - i < 2 && number_sep(t.data[k]))
			k++;
		if (k == limit || !pii_digit(t.data[k]))
			break;
		(*digits)++;
		i = k + 1;
	}
	return i;
}

static size_t number_start(struct bw_slice t, size_t i, unsigned int *digits)
{
	size_t limit = i > NUMBER_MAX ? i - NUMBER_MAX : 0;

	while (i > limit) {
		size_t k = i;

		while (k > limit && i - k < 2 && number_sep(t.data[k - 1]))
			k--;
		if (k == limit || !pii_digit(t.data[k - 1]))
			break;
		(*digits)++;
		i = k - 1;
	}
	return i;
}

/* Part of something longer: an identifier with dashes, a decimal, a version, the local part of a mail address. */
static bool compound(struct bw_slice t, size_t start, size_t end)
{
	const uint8_t *p = t.data;

	if (start && (pii_alnum(p[start - 1]) || p[start - 1] == '_'))
		return true;
	if (start > 1 && (p[start - 1] == '-' || p[start - 1] == '.') && (pii_alnum(p[start - 2]) || p[start - 2] == '_'))
		return true;
	if (end < t.len && (pii_alnum(p[end]) || p[end] == '_' || p[end] == '@'))
		return true;
	return end + 1 < t.len && (p[end] == '-' || p[end] == '.') && (pii_alnum(p[end + 1]) || p[end + 1] == '_');
}

static void on_number(struct pass *p, size_t to)
{
	struct bw_slice t = p->text;
	unsigned int digits = 0;
	size_t start, end, from, until, ignored;
	bool spaced;

	if (to <= p->number_done)
		return;
	end = number_end(t, to - 1, &digits);
	start = number_start(t, to - 1, &digits);
	p->number_done = end;
	if (start && (t.data[start - 1] == '+' || t.data[start - 1] == '('))
		start--;
	if (start && t.data[start - 1] == '+')
		start--;
	/* eight digits alone are a day */
	if (digits < 9 && !(end < t.len && pii_alpha(t.data[end])) && !(start && pii_alpha(t.data[start - 1])))
		return;
	/* what it may be part of: letters right around it, and the groups of an IBAN */
	for (from = start; from && start - from < 24 && (pii_alnum(t.data[from - 1]) || t.data[from - 1] == '_'); from--)
		;
	for (unsigned int group = 0; group < 2 && from > 1 && t.data[from - 1] == ' ' && pii_alnum(t.data[from - 2]); group++)
		for (from--; from && start - from < 24 && pii_alnum(t.data[from - 1]); from--)
			;
	for (until = end; until < t.len && until - end < 24 && (pii_alnum(t.data[until]) || t.data[until] == '_' || t.data[until] == ' '); until++)
		;
	/* with one byte more on either side, so that a word's boundary is seen as what it is */
	if (from)
		from--;
	if (until < t.len)
		until++;
	spaced = memchr(t.data + start, ' ', end - start);
	p->name = (struct bw_slice){ 0 };
	look_around(p, start);
	for (unsigned int i = 0; i < p->s->rules->n_numbers; i++) {
		const struct pii_detector *d = &p->s->rules->detectors[p->s->rules->numbers[i]];

		/* two numbers with a space between them were taken for one */
		if (digits < d->min_digits || (digits > d->max_digits && !spaced) || !confidence(p, d, start, end))
			continue;
		candidates(p, d->db, from, until);
		for (unsigned int k = 0; k < p->n_found; k++)
			if (p->found[k].end > start && p->found[k].start < end && !compound(t, p->found[k].start, p->found[k].end))
				judge(p, d, p->found[k].start, p->found[k].end, &ignored);
	}
}

/* ---- patterns */

static bool window_stop(uint8_t c)
{
	return c <= ' ' || c == '"' || c == '\'' || c == '<' || c == '>' || c == '\\' || c == '`';
}

static void on_pattern(struct pass *p, unsigned int id, size_t to)
{
	const struct pii_detector *d = &p->s->rules->detectors[id];
	size_t from, until, limit;

	if (to <= p->s->done[id])
		return;
	from = to > 40 ? to - 40 : 0;
	if (d->multiline) {
		until = p->text.len - to > PII_MAX_VALUE ? to + PII_MAX_VALUE : p->text.len;
	} else {
		limit = to > WINDOW_BACK ? to - WINDOW_BACK : 0;
		while (from > limit && !window_stop(p->text.data[from - 1]))
			from--;
		limit = p->text.len - to > WINDOW_AHEAD ? to + WINDOW_AHEAD : p->text.len;
		for (until = to; until < limit && !window_stop(p->text.data[until]); until++)
			;
	}
	if (from)
		from--;
	if (until < p->text.len)
		until++;
	candidates(p, d->db, from, until);
	for (unsigned int i = 0; i < p->n_found; i++) {
		size_t end = p->found[i].end;

		if (end < to || p->found[i].start > to || end <= p->s->done[id])
			continue;
		p->known = false;
		p->name = (struct bw_slice){ 0 };
		judge(p, d, p->found[i].start, end, &end);
		p->s->done[id] = end;
	}
}

/* ---- fields */

static void judge_value(struct pass *p, const struct pii_detector *d, size_t start, size_t end)
{
	size_t ignored;

	if (!d->regex) {
		judge(p, d, start, end, &ignored);
		return;
	}
	candidates(p, d->db, start, end);
	for (unsigned int i = 0; i < p->n_found; i++)
		if (judge(p, d, p->found[i].start, p->found[i].end, &ignored))
			return;
}

static void field_values(struct pass *p, const struct pii_detector *d, size_t start, size_t end, bool list)
{
	const uint8_t *t = p->text.data;

	if (!list) {
		judge_value(p, d, start, end);
		return;
	}
	for (unsigned int n = 0; n < PII_MAX_ITEMS && start < end; n++) {
		size_t stop;

		while (start < end && (pii_blank(t[start]) || t[start] == ','))
			start++;
		if (start < end && t[start] == '"') {
			for (stop = ++start; stop < end && t[stop] != '"'; stop += t[stop] == '\\' ? 2 : 1)
				;
			stop = stop < end ? stop : end;
		} else {
			for (stop = start; stop < end && t[stop] != ','; stop++)
				;
		}
		if (stop > start)
			judge_value(p, d, start, stop);
		start = stop + 1;
	}
}

/* All field detectors whose context is what the name ends with: the longest word decides ("passport number", not "number"). */
static void field_value(struct pass *p, size_t start, size_t end, bool list)
{
	const struct pii_rules *r = p->s->rules;
	size_t longest = 0;

	for (unsigned int i = 0; i < p->words.n_field; i++)
		if (p->words.suffix >> i & 1 && r->words[p->words.ids[i]].is_field) {
			size_t len = strlen(r->words[p->words.ids[i]].text);

			longest = len > longest ? len : longest;
		}
	for (unsigned int i = 0; i < p->words.n_field && longest; i++) {
		const struct pii_word *w = &r->words[p->words.ids[i]];

		if (!(p->words.suffix >> i & 1) || !w->is_field || strlen(w->text) != longest)
			continue;
		for (unsigned int k = 0; k < w->n_fields; k++) {
			const struct pii_detector *d = &r->detectors[r->by_field[w->first_field + k]];

			if (!any_of(&d->unless, &p->words))
				field_values(p, d, start, end, list);
		}
	}
}

static void on_field(struct pass *p, size_t to)
{
	size_t start, end;
	bool list;

	if (to <= p->field_done)
		return;
	p->field_done = to;
	if (!pii_field_at(p->text, to, p->content, &p->name, &start, &end, &list))
		return;
	p->field_done = start;
	p->words = (struct pii_words){ 0 };
	p->known = true;
	pii_words_of(p->s->rules, p->name, &p->words, true);
	field_value(p, start, end, list);
}

static int on_anchor(unsigned int id, unsigned long long from, unsigned long long to, unsigned int flags, void *ctx)
{
	if (id == PII_ANCHOR_FIELD)
		on_field(ctx, to);
	else if (id == PII_ANCHOR_NUMBER)
		on_number(ctx, to);
	else
		on_pattern(ctx, id, to);
	return 0;
}

/* ---- levels */

static int scan_text(struct pii_scanner *s, struct pii_level *level, enum pii_content content, struct bw_slice field)
{
	struct pass p = { .s = s, .level = level, .text = level->text, .content = content, .field = field };
	struct pii_finder finder = { 0 };
	struct pii_level sub;
	int err;

	memset(s->done, 0, s->rules->n_detectors * sizeof(*s->done));
	if (field.len) { /* the text is the value of a field itself */
		p.name = field;
		p.known = true;
		pii_words_of(s->rules, field, &p.words, true);
		field_value(&p, 0, p.text.len, false);
	}
	err = hs_scan(s->rules->anchors, (const char *)p.text.data, (unsigned int)p.text.len, 0, s->scratch, on_anchor, &p);
	if (err != HS_SUCCESS)
		return -EIO;
	for (sub = (struct pii_level){ 0 }; pii_encoded_next(p.text, content, &finder, &sub); sub = (struct pii_level){ 0 }) {
		struct bw_slice name = field;
		size_t from;

		if (level->depth == PII_MAX_DEPTH || s->arena_used + sub.len > PII_MAX_DECODED) {
			s->partial = true;
			continue;
		}
		sub.text = bw_slice(s->arena + s->arena_used, pii_decode(p.text, &sub, s->arena + s->arena_used));
		if (!sub.text.len)
			continue;
		s->arena_used += sub.text.len;
		sub.up = level;
		sub.depth = level->depth + 1;
		sub.vias = level->vias | sub.via;
		if (!pii_field_before(p.text, sub.start, &name, &from))
			name = field;
		err = scan_text(s, &sub, sub.via == PII_VIA_URL ? content : PII_CONTENT_AUTO, name);
		if (err < 0)
			return err;
	}
	return 0;
}

static int by_offset(const void *a, const void *b)
{
	const struct pii_hit *x = a, *y = b;

	if (x->offset != y->offset)
		return x->offset < y->offset ? -1 : 1;
	if (x->length != y->length)
		return x->length > y->length ? -1 : 1;
	if (x->value.data != y->value.data)
		return x->value.data < y->value.data ? -1 : 1;
	return x->detector_id < y->detector_id ? -1 : x->detector_id > y->detector_id;
}

/* Of overlapping hits the more confident stays, of equals the longer, then the first; it takes the place of both. */
static bool better(const struct pii_hit *a, const struct pii_hit *b)
{
	if (a->confidence != b->confidence)
		return a->confidence > b->confidence;
	return a->value.len > b->value.len;
}

/* @b begins no earlier than @a. Two values in one encoded text have the same place, and are two all the same. */
static bool overlap(const struct pii_hit *a, const struct pii_hit *b)
{
	if (a->offset == b->offset && a->length == b->length && a->via & b->via & PII_VIA_BASE64)
		return a->value.data + a->value.len > b->value.data;
	return a->offset + a->length > b->offset;
}

static unsigned int resolve(struct pii_hit *h, unsigned int n)
{
	unsigned int kept = 0;

	qsort(h, n, sizeof(*h), by_offset);
	for (unsigned int i = 0; i < n; i++) {
		struct pii_hit *last = kept ? &h[kept - 1] : NULL, winner;
		uint64_t end = h[i].offset + h[i].length;

		if (!last || !overlap(last, &h[i])) {
			h[kept++] = h[i];
			continue;
		}
		winner = better(&h[i], last) ? h[i] : *last;
		if (last->offset + last->length > end)
			end = last->offset + last->length;
		winner.offset = last->offset;
		winner.length = (uint32_t)(end - last->offset);
		*last = winner;
	}
	return kept;
}

int pii_scan(struct pii_scanner *s, struct bw_slice bytes, const struct pii_context *ctx, struct pii_result *ret)
{
	struct pii_level top = { .text = bytes };
	struct bw_slice field = { 0 };
	size_t len = ctx && ctx->field ? strnlen(ctx->field, PII_MAX_FIELD) : 0;
	int err;

	*ret = (struct pii_result){ .complete_to = bytes.len };
	s->n_raw = s->dropped = 0;
	s->dropped_at = 0;
	s->arena_used = 0;
	s->partial = false;
	if (len)
		field = bw_slice(ctx->field, len);
	if (top.text.len > PII_MAX_SCAN) {
		top.text.len = PII_MAX_SCAN;
		ret->complete_to = PII_MAX_SCAN;
	}
	if (top.text.len) {
		err = scan_text(s, &top, ctx ? ctx->content : PII_CONTENT_AUTO, field);
		if (err < 0)
			return err;
	}
	s->n_raw = resolve(s->raw, s->n_raw);
	if (s->n_raw > PII_MAX_HITS) {
		if (!s->dropped || s->raw[PII_MAX_HITS].offset < s->dropped_at)
			s->dropped_at = s->raw[PII_MAX_HITS].offset;
		s->dropped += s->n_raw - PII_MAX_HITS;
		s->n_raw = PII_MAX_HITS;
	}
	if (s->dropped && s->dropped_at < ret->complete_to)
		ret->complete_to = s->dropped_at;
	while (s->n_raw && s->raw[s->n_raw - 1].offset + s->raw[s->n_raw - 1].length > ret->complete_to) {
		s->n_raw--;
		s->dropped++;
	}
	ret->hits = s->raw;
	ret->n_hits = s->n_raw;
	ret->dropped = s->dropped;
	ret->partial_decode = s->partial;
	return 0;
}

int pii_scanner_new(const struct pii_rules *rules, struct pii_scanner **ret)
{
	struct pii_scanner *s;

	if (!rules->compiled)
		return -EINVAL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->rules = rules;
	s->raw = malloc(PII_MAX_RAW_HITS * sizeof(*s->raw));
	s->arena = malloc(PII_MAX_DECODED);
	s->done = calloc(rules->n_detectors + 1, sizeof(*s->done));
	if (!s->raw || !s->arena || !s->done || hs_alloc_scratch(rules->anchors, &s->scratch) != HS_SUCCESS)
		goto fail;
	for (unsigned int i = 0; i < rules->n_detectors; i++)
		if (rules->detectors[i].db && hs_alloc_scratch(rules->detectors[i].db, &s->small) != HS_SUCCESS)
			goto fail;
	*ret = s;
	return 0;
fail:
	pii_scanner_free(s);
	return -ENOMEM;
}

void pii_scanner_free(struct pii_scanner *s)
{
	if (!s)
		return;
	hs_free_scratch(s->scratch);
	hs_free_scratch(s->small);
	free(s->raw);
	free(s->arena);
	free(s->done);
	free(s);
}
