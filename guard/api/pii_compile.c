// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Makes databases of rules: the anchors that every byte is read with, and the expressions that are tried around them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "guard/api/pii_internal.h"

#define DETECTOR_FLAGS (HS_FLAG_DOTALL | HS_FLAG_SOM_LEFTMOST)

int pii_word_add(struct pii_rules *r, const char *spaced, unsigned int *ret)
{
	struct pii_word w = { 0 };
	unsigned int parts = 1;
	size_t n = 0;
	uint32_t h, hash;
	int id;

	if (strlen(spaced) >= sizeof(w.spaced))
		return -EINVAL;
	for (const char *c = spaced; *c; c++) {
		if (*c == ' ') {
			if (c == spaced || c[1] == ' ' || !c[1])
				return -EINVAL;
			parts++;
		} else if (*c >= 'a' && *c <= 'z') {
			w.text[n++] = *c;
		} else {
			return -EINVAL;
		}
	}
	if (!n || parts > PII_MAX_GRAM)
		return -EINVAL;
	h = hash = pii_word_hash(PII_HASH_START, (const uint8_t *)w.text, n);
	w.len = (uint8_t)n;
	id = pii_word_find(r, h, w.text, n);
	if (id < 0) {
		if (r->n_words == PII_MAX_WORDS)
			return -E2BIG;
		snprintf(w.spaced, sizeof(w.spaced), "%s", spaced);
		id = (int)r->n_words++;
		r->words[id] = w;
		for (h %= 2 * PII_MAX_WORDS; r->table[h]; h = (h + 1) % (2 * PII_MAX_WORDS))
			;
		r->table[h] = (uint16_t)(id + 1);
		r->hashes[h] = hash;
	}
	*ret = (unsigned int)id;
	return 0;
}

hs_database_t *pii_compile_regex(const char *regex, char *reason, size_t size)
{
	hs_compile_error_t *error = NULL;
	hs_database_t *db = NULL;

	if (hs_compile(regex, DETECTOR_FLAGS, HS_MODE_BLOCK, NULL, &db, &error) == HS_SUCCESS)
		return db;
	snprintf(reason, size, "%s", error ? error->message : "out of memory");
	hs_free_compile_error(error);
	return NULL;
}

static unsigned int width(unsigned int w)
{
	return w < PII_MAX_DIGITS ? w : PII_MAX_DIGITS - 1;
}

static int index_numbers(struct pii_rules *r)
{
	r->numbers = calloc(r->n_detectors + 1, sizeof(*r->numbers));
	if (!r->numbers)
		return -ENOMEM;
	memset(r->least_width, 0xff, sizeof(r->least_width));
	for (unsigned int i = 0; i < r->n_detectors; i++) {
		const struct pii_detector *d = &r->detectors[i];

		if (d->trigger != PII_TRIGGER_NUMBER)
			continue;
		r->numbers[r->n_numbers++] = (struct pii_number_rule){
			.detector = (uint16_t)i,
			.min_width = (uint16_t)width(d->min_width),
			.max_width = (uint16_t)width(d->max_width),
			.min_digits = d->min_digits,
			.max_digits = d->max_digits,
			.letters = d->letters,
			.first = d->first,
		};
		for (unsigned int n = 0; n <= PII_MAX_DIGITS; n++) {
			/* Beyond the 64th all are tried. */
			uint64_t bit = r->n_numbers > 64 ? 0 : 1ull << (r->n_numbers - 1);

			if (n >= d->min_digits && n <= d->max_digits)
				r->with_digits[n] |= bit;
			if (n >= d->min_digits)
				r->up_to_digits[n] |= bit;
		}
		for (unsigned int n = d->min_digits; n <= d->max_digits; n++) {
			if (d->min_width < r->least_width[n])
				r->least_width[n] = d->min_width;
			for (unsigned int w = width(d->min_width); d->letters && w <= width(d->max_width); w++)
				r->letter_widths[n] |= 1ull << w;
		}
	}
	return 0;
}

/* Which detectors start from a word. */
static int index_fields(struct pii_rules *r)
{
	unsigned int n = 0;

	for (unsigned int d = 0; d < r->n_detectors; d++)
		for (unsigned int w = 0; r->detectors[d].trigger == PII_TRIGGER_FIELD && w < r->n_words; w++)
			n += pii_wordset_has(&r->detectors[d].context, w);
	r->by_field = calloc(n + 1, sizeof(*r->by_field));
	if (!r->by_field)
		return -ENOMEM;
	for (unsigned int w = 0; w < r->n_words; w++) {
		struct pii_word *word = &r->words[w];

		word->first_field = (uint16_t)r->n_by_field;
		for (unsigned int d = 0; d < r->n_detectors; d++)
			if (r->detectors[d].trigger == PII_TRIGGER_FIELD && pii_wordset_has(&r->detectors[d].context, w))
				r->by_field[r->n_by_field++] = (uint16_t)d;
		word->n_fields = (uint16_t)(r->n_by_field - word->first_field);
		word->is_field = word->n_fields > 0;
	}
	return 0;
}

/* The patterns of one database, on their way to the compiler. */
struct patterns {
	const char **text;
	unsigned int *flags, *ids, n, cap;
};

static bool patterns_add(struct patterns *p, const char *text, unsigned int flags, unsigned int id)
{
	if (p->n == p->cap) {
		unsigned int cap = p->cap ? 2 * p->cap : 64;
		const char **t = realloc(p->text, cap * sizeof(*t));
		unsigned int *f, *i;

		if (!t)
			return false;
		p->text = t;
		f = realloc(p->flags, cap * sizeof(*f));
		if (!f)
			return false;
		p->flags = f;
		i = realloc(p->ids, cap * sizeof(*i));
		if (!i)
			return false;
		p->ids = i;
		p->cap = cap;
	}
	p->text[p->n] = text;
	p->flags[p->n] = flags;
	p->ids[p->n++] = id;
	return true;
}

static void patterns_free(struct patterns *p)
{
	free(p->text);
	free(p->flags);
	free(p->ids);
}

static int compile(struct pii_rules *r, const struct patterns *p, hs_database_t **ret, struct pii_error *e)
{
	hs_compile_error_t *error = NULL;
	const struct pii_detector *d;

	if (hs_compile_multi(p->text, p->flags, p->ids, p->n, HS_MODE_BLOCK, NULL, ret, &error) == HS_SUCCESS)
		return 0;
	*e = (struct pii_error){ 0 };
	snprintf(e->reason, sizeof(e->reason), "%s", error ? error->message : "out of memory");
	if (error && error->expression >= 0 && p->ids[error->expression] < r->n_detectors) {
		d = &r->detectors[p->ids[error->expression]];
		snprintf(e->file, sizeof(e->file), "%s", d->file);
		snprintf(e->where, sizeof(e->where), "%s", d->where);
		e->line = d->line;
		e->column = d->column;
	}
	hs_free_compile_error(error);
	return -EINVAL;
}

static bool covered(const struct patterns *stems, const char *text)
{
	for (unsigned int i = 0; i < stems->n; i++)
		if (stems->ids[i] == PII_ANCHOR_FIELD && strstr(text, stems->text[i]))
			return true;
	return false;
}

static bool common_part(const char *s)
{
	static const char *const common[] = { "number", "of", "no", "id", "code", "num", "data", "value", "line", "the", "date", "type" };

	for (size_t i = 0; i < ARRAY_SIZE(common); i++)
		if (!strcmp(common[i], s))
			return true;
	return false;
}

/*
 * The literals that say "here may be a field": few and as long as can be, but at least one in every way to write each name. Names
 * of one part need themselves or a piece of them ("pass" stands for "password" as well), names of more parts one of them:
 * "first name" is written firstName, first_name, first-name.
 */
static int add_stems(struct pii_rules *r, struct patterns *p, char (*parts)[PII_MAX_WORD])
{
	for (size_t len = 1; len < PII_MAX_WORD; len++)
		for (unsigned int w = 0; w < r->n_words; w++) {
			const struct pii_word *word = &r->words[w];

			if (word->is_field && !strchr(word->spaced, ' ') && strlen(word->text) == len && !covered(p, word->text) &&
			    !patterns_add(p, word->text, HS_FLAG_CASELESS | HS_FLAG_DOTALL, PII_ANCHOR_FIELD))
				return -ENOMEM;
		}
	for (unsigned int w = 0; w < r->n_words; w++) {
		const char *s = r->words[w].spaced;
		char best[PII_MAX_WORD] = "";
		bool have = false;

		if (!r->words[w].is_field || !strchr(s, ' '))
			continue;
		for (size_t n; *s && !have; s += n + (s[n] == ' ')) {
			char part[PII_MAX_WORD];

			n = strcspn(s, " ");
			snprintf(part, sizeof(part), "%.*s", (int)n, s);
			have = covered(p, part);
			if (!*best || (common_part(best) && !common_part(part)) ||
			    (common_part(best) == common_part(part) && strlen(part) > strlen(best)))
				snprintf(best, sizeof(best), "%s", part);
		}
		if (have)
			continue;
		snprintf(parts[w], sizeof(parts[w]), "%s", best);
		if (!patterns_add(p, parts[w], HS_FLAG_CASELESS | HS_FLAG_DOTALL, PII_ANCHOR_FIELD))
			return -ENOMEM;
	}
	return 0;
}

static int compile_anchors(struct pii_rules *r, struct pii_error *e)
{
	BW_CLEANUP(patterns_free) struct patterns p = { 0 };
	_cleanup_free_ char(*parts)[PII_MAX_WORD] = calloc(r->n_words + 1, sizeof(*parts));
	int err;

	if (!parts)
		return -ENOMEM;
	for (unsigned int i = 0; i < r->n_detectors; i++) {
		const struct pii_detector *d = &r->detectors[i];

		if (d->trigger == PII_TRIGGER_PATTERN && !patterns_add(&p, d->anchor ? d->anchor : d->regex, HS_FLAG_DOTALL, i))
			return -ENOMEM;
	}
	err = add_stems(r, &p, parts);
	/* there is always a database: of nothing else, one byte that UTF-8 does not have */
	if (!err && !p.n && !patterns_add(&p, "\\xff\\xff\\xff\\xff", HS_FLAG_DOTALL, PII_ANCHOR_FIELD))
		err = -ENOMEM;
	return err ? err : compile(r, &p, &r->anchors, e);
}

int pii_rules_compile(struct pii_rules *r, struct pii_error *ret_error)
{
	int err;

	if (r->compiled)
		return 0;
	*ret_error = (struct pii_error){ .reason = "out of memory" };
	err = index_numbers(r);
	if (!err)
		err = index_fields(r);
	if (!err)
		err = compile_anchors(r, ret_error);
	r->compiled = !err;
	return err;
}

const struct pii_class *pii_class(const struct pii_rules *r, unsigned int id)
{
	return id < r->n_classes ? &r->classes[id].pub : NULL;
}

const char *pii_detector_name(const struct pii_rules *r, unsigned int id)
{
	return id < r->n_detectors ? r->detectors[id].name : NULL;
}

unsigned int pii_class_detectors(const struct pii_rules *r, unsigned int id)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < r->n_detectors; i++)
		n += r->detectors[i].class_id == id;
	return n;
}

int pii_class_find(const struct pii_rules *r, const char *name)
{
	for (unsigned int i = 0; i < r->n_classes; i++)
		if (!strcmp(r->classes[i].name, name))
			return (int)i;
	return -1;
}
