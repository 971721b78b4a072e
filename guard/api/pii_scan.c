// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * One scan: anchors over all bytes, detectors around each anchor, then the same for what the decoders find. Costs per
 * byte are the anchors'; costs per anchor are bounded by windows.
 */
#include <emmintrin.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "guard/api/pii_internal.h"

#define WINDOW_BACK  320u
#define WINDOW_AHEAD 4096u
#define NUMBER_MIN   3u /* the digits in one piece of an Italian fiscal code */
#define NUMBER_MAX   PII_MAX_DIGITS
#define NUMBER_TOKEN 34u /* the longest identifier with letters: an IBAN */

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
	size_t field_done;
	struct candidate found[PII_MAX_CANDIDATES];
	unsigned int n_found;
	/* what surrounds the value that is being judged */
	struct pii_words words;
	struct bw_slice name;
	bool known;
	uint64_t numbers; /* as in struct pii_name, when @known by look_around() */
	size_t token_from, token_until; /* letters and digits that were looked at last */
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

static bool any_of(const struct pii_wordset *set, const struct pii_words *w)
{
	for (unsigned int i = 0; set->any && i < w->n; i++)
		if (pii_wordset_has(set, w->ids[i]))
			return true;
	return false;
}

/* What a detector's own words make of a value, before its surroundings are looked at. */
static unsigned int base_confidence(const struct pii_detector *d, const struct pii_words *w)
{
	unsigned int c = d->confidence;

	if (any_of(&d->context, w))
		return d->in_context;
	return any_of(&d->unless, w) ? (c > PII_UNLESS ? c - PII_UNLESS : 0) : c;
}

static unsigned int threshold(const struct pii_rules *r, const struct pii_detector *d)
{
	return d->threshold ? d->threshold : r->classes[d->class_id].threshold;
}

/* Number detectors that are confident enough among these words; beyond the 64th all are. */
static uint64_t able_numbers(const struct pii_rules *r, const struct pii_words *w)
{
	uint64_t able = 0;

	for (unsigned int i = 0; i < r->n_numbers && i < 64; i++) {
		const struct pii_detector *d = &r->detectors[r->numbers[i].detector];

		if (base_confidence(d, w) >= threshold(r, d))
			able |= 1ull << i;
	}
	return able;
}

static const struct pii_name *name_of(struct pii_scanner *s, struct bw_slice name)
{
	struct pii_name *n = &s->names[pii_word_hash(PII_HASH_START, name.data, name.len) & (PII_CACHED - 1)];

	if (n->len == name.len && !memcmp(n->text, name.data, name.len))
		return n;
	memcpy(n->text, name.data, name.len);
	n->len = (uint8_t)name.len;
	n->words = (struct pii_words){ 0 };
	pii_words_of(s->rules, name, &n->words, true);
	n->numbers = able_numbers(s->rules, &n->words);
	return n;
}

/* The words of the field's name, and which number detectors they suffice for. */
static void take_name(struct pass *p)
{
	const struct pii_name *n;

	if (p->name.len && p->name.len <= PII_MAX_CACHED) {
		n = name_of(p->s, p->name);
		p->words.n = n->words.n;
		p->words.n_field = n->words.n_field;
		p->words.suffix = n->words.suffix;
		memcpy(p->words.ids, n->words.ids, n->words.n * sizeof(*n->words.ids));
		p->numbers = n->numbers;
		return;
	}
	p->words.n = p->words.n_field = 0;
	p->words.suffix = 0;
	pii_words_of(p->s->rules, p->name, &p->words, true);
	p->numbers = able_numbers(p->s->rules, &p->words);
}

/* The words around a value: its field's name, and what stands before it inside the same value. */
static void look_around(struct pass *p, size_t start)
{
	size_t from;

	p->known = true;
	if (!pii_field_before(p->text, start, &p->name, &from)) {
		p->name = p->field;
		if (start - from > PII_NEAR)
			from = start - PII_NEAR;
	}
	take_name(p);
	if (start - from > PII_NEAR)
		from = start - PII_NEAR;
	while (from && from < start && pii_alnum(p->text.data[from]) && pii_alnum(p->text.data[from - 1]))
		from++;
	/* not what an earlier sentence speaks of */
	for (size_t i = start; i > from + 1; i--)
		if (p->text.data[i - 1] == ' ' && (p->text.data[i - 2] == '.' || p->text.data[i - 2] == ';' || p->text.data[i - 2] == '?'))
			from = i;
	pii_words_of(p->s->rules, bw_slice(p->text.data + from, start - from), &p->words, false);
	if (p->words.n > p->words.n_field)
		p->numbers = ~0ull; /* each has to ask */
}

/* A word of the set on either side of the value, in the same object. */
static bool beside(const struct pass *p, const struct pii_wordset *set, size_t start, size_t end)
{
	size_t from = start > PII_BESIDE ? start - PII_BESIDE : 0, to = p->text.len - end > PII_BESIDE ? end + PII_BESIDE : p->text.len;
	struct pii_words w = { 0 };

	if (p->name.len && p->name.data > p->text.data && p->name.data <= p->text.data + start)
		start = (size_t)(p->name.data - p->text.data); /* not its own name */
	for (size_t i = start; i > from; i--)
		if (p->text.data[i - 1] == '{' || p->text.data[i - 1] == '}')
			from = i;
	for (size_t i = end; i < to; i++)
		if (p->text.data[i] == '{' || p->text.data[i] == '}')
			to = i;
	if (start > from)
		pii_words_of(p->s->rules, bw_slice(p->text.data + from, start - from), &w, false);
	if (any_of(set, &w))
		return true;
	w = (struct pii_words){ 0 };
	pii_words_of(p->s->rules, bw_slice(p->text.data + end, to - end), &w, false);
	return any_of(set, &w);
}

/* What the context makes of a value that passed its validator; 0: not enough. */
static unsigned int confidence(struct pass *p, const struct pii_detector *d, size_t start, size_t end)
{
	unsigned int c;

	if (!p->known)
		look_around(p, start);
	c = base_confidence(d, &p->words);
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

/* The first digit from @i on; @t.len when there is none. */
static size_t next_digit(struct bw_slice t, size_t i)
{
	const __m128i zero = _mm_set1_epi8('0'), nine = _mm_set1_epi8(9);

	for (; t.len - i >= 16; i += 16) {
		__m128i v = _mm_sub_epi8(_mm_loadu_si128((const __m128i *)(const void *)(t.data + i)), zero);
		int mask = _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(v, nine), v));

		if (mask)
			return i + (size_t)__builtin_ctz((unsigned int)mask);
	}
	while (i < t.len && !pii_digit(t.data[i]))
		i++;
	return i;
}

struct number {
	size_t start, end; /* from its first to its last digit, with a + or ( before it */
	size_t token;	   /* length of the letters and digits around it; 0: it stands by itself */
	unsigned int digits;
	bool spaced; /* it may be two numbers, with a space between them */
	bool letters; /* there is a letter beside it, behind a separator */
	uint8_t first;
};

static unsigned int width(size_t n)
{
	return n < PII_MAX_DIGITS ? (unsigned int)n : PII_MAX_DIGITS - 1;
}

/* Whether any detector can match around a number, by what is cheap to know. */
static bool number_fits_any(const struct pii_rules *r, const struct number *n)
{
	uint64_t letters = r->letter_widths[n->digits];

	if (n->spaced)
		return true;
	return n->token ? letters >> width(n->token) & 1 : n->end - n->start >= r->least_width[n->digits] || (letters && n->letters);
}

static bool number_fits(const struct pii_number_rule *d, const struct number *n)
{
	if (n->digits < d->min_digits || (n->digits > d->max_digits && !n->spaced) || (d->first && !strchr(d->first, n->first)))
		return false;
	if (n->token)
		return d->letters && (n->spaced || (width(n->token) >= d->min_width && width(n->token) <= d->max_width));
	return n->end - n->start >= d->min_width || (d->letters && (n->spaced || n->letters));
}

static void number_window(struct bw_slice t, const struct number *n, size_t *ret_from, size_t *ret_until)
{
	size_t from = n->start, until = n->end;

	/* letters right around it, and the groups of an IBAN */
	while (from && n->start - from < 24 && (pii_alnum(t.data[from - 1]) || t.data[from - 1] == '_'))
		from--;
	for (unsigned int group = 0; group < 2 && from > 1 && t.data[from - 1] == ' ' && pii_alnum(t.data[from - 2]); group++)
		for (from--; from && n->start - from < 24 && pii_alnum(t.data[from - 1]); from--)
			;
	while (until < t.len && until - n->end < 24 && (pii_alnum(t.data[until]) || t.data[until] == '_' || t.data[until] == ' '))
		until++;
	/* with one byte more on either side, so that a word's boundary is seen as what it is */
	*ret_from = from ? from - 1 : 0;
	*ret_until = until < t.len ? until + 1 : until;
}

/* The first byte from @i on that is neither letter nor digit. */
static size_t token_end(struct bw_slice t, size_t i)
{
	for (; t.len - i >= 16; i += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)(t.data + i));
		__m128i digit = _mm_sub_epi8(v, _mm_set1_epi8('0'));
		__m128i alpha = _mm_sub_epi8(_mm_or_si128(v, _mm_set1_epi8(0x20)), _mm_set1_epi8('a'));
		int mask = _mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(_mm_min_epu8(digit, _mm_set1_epi8(9)), digit),
							  _mm_cmpeq_epi8(_mm_min_epu8(alpha, _mm_set1_epi8(25)), alpha)));

		if (mask != 0xffff)
			return i + (size_t)__builtin_ctz(~(unsigned int)mask);
	}
	while (i < t.len && pii_alnum(t.data[i]))
		i++;
	return i;
}

/* Letters and digits on both sides of @i, where more of them before it than matter are not counted. The same token is asked for again. */
static void find_token(struct pass *p, size_t i)
{
	size_t from = i;

	if (i < p->token_until && i >= p->token_from)
		return;
	while (from && i - from <= NUMBER_TOKEN && pii_alnum(p->text.data[from - 1]))
		from--;
	p->token_from = from;
	p->token_until = token_end(p->text, i);
}

/* A number that begins at @i; returns where to look on. */
static size_t on_number(struct pass *p, size_t i)
{
	const struct pii_rules *r = p->s->rules;
	struct number n = { .start = i };
	struct bw_slice t = p->text;
	size_t from = 0, until = 0, ignored, next;
	uint64_t able;
	bool looked = false;

	/* A hash, a key: whichever of its digits comes first says so. */
	if (i && pii_alnum(t.data[i - 1])) {
		find_token(p, i);
		if (p->token_until - p->token_from > NUMBER_TOKEN)
			return p->token_until;
	}
	n.end = next = number_end(t, i, &n.digits);
	if (n.digits < NUMBER_MIN)
		return next;
	/* the groups of a UUID, a number behind a prefix */
	if (i > 1 && (t.data[i - 1] == '-' || t.data[i - 1] == '_') && pii_alnum(t.data[i - 2]))
		return next;
	n.spaced = n.end - n.start > n.digits && memchr(t.data + n.start, ' ', n.end - n.start);
	if ((i && pii_alnum(t.data[i - 1])) || (n.end < t.len && pii_alnum(t.data[n.end]))) {
		from = i && pii_alnum(t.data[i - 1]) ? p->token_from : i;
		until = token_end(t, n.end);
		n.token = until - from;
		if (!n.spaced && n.token > NUMBER_TOKEN) /* a hash, a key: its other digits are not worth a look either */
			return until;
	}
	if (i && t.data[i - 1] == '(')
		n.start--;
	if (n.start && t.data[n.start - 1] == '+')
		n.start--;
	n.first = t.data[n.start];
	n.letters = (n.end + 1 < t.len && number_sep(t.data[n.end]) && pii_alpha(t.data[n.end + 1])) ||
		    (i > 1 && number_sep(t.data[i - 1]) && pii_alpha(t.data[i - 2]));
	if (!number_fits_any(r, &n))
		return next;
	until = 0;
	able = n.spaced ? r->up_to_digits[n.digits] : r->with_digits[n.digits];
	for (unsigned int k = 0; k < r->n_numbers; k++) {
		const struct pii_detector *d;

		if (k < 64) { /* on to the next that may be */
			uint64_t rest = able >> k;

			if (!rest && r->n_numbers <= 64)
				break;
			k = rest ? k + (unsigned int)__builtin_ctzll(rest) : 64;
		}
		if (!number_fits(&r->numbers[k], &n))
			continue;
		if (!looked) { /* the first that fits */
			p->name = (struct bw_slice){ 0 };
			look_around(p, n.start);
			looked = true;
			able &= p->numbers;
			if (k < 64 && !(able >> k & 1))
				continue;
		}
		d = &r->detectors[r->numbers[k].detector];
		if (!until)
			number_window(t, &n, &from, &until);
		if (!confidence(p, d, n.start, n.end))
			continue;
		candidates(p, d->db, from, until);
		for (unsigned int c = 0; c < p->n_found; c++)
			if (p->found[c].end > n.start && p->found[c].start < n.end && !compound(t, p->found[c].start, p->found[c].end))
				judge(p, d, p->found[c].start, p->found[c].end, &ignored);
	}
	return next;
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
	p->known = true;
	take_name(p);
	field_value(p, start, end, list);
}

static int on_anchor(unsigned int id, unsigned long long from, unsigned long long to, unsigned int flags, void *ctx)
{
	if (id == PII_ANCHOR_FIELD)
		on_field(ctx, to);
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
	for (size_t i = next_digit(p.text, 0); i < p.text.len; i = next_digit(p.text, i))
		i = on_number(&p, i);
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
	s->names = calloc(PII_CACHED, sizeof(*s->names));
	s->raw = malloc(PII_MAX_RAW_HITS * sizeof(*s->raw));
	s->arena = malloc(PII_MAX_DECODED);
	s->done = calloc(rules->n_detectors + 1, sizeof(*s->done));
	if (!s->names || !s->raw || !s->arena || !s->done || hs_alloc_scratch(rules->anchors, &s->scratch) != HS_SUCCESS)
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
	free(s->names);
	free(s->raw);
	free(s->arena);
	free(s->done);
	free(s);
}
