/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_API_PII_INTERNAL_H
#define BW_GUARD_API_PII_INTERNAL_H
/*
 * What the parts of pii.h share.
 *
 * A scan is one pass of vectorscan over all bytes with "anchors": short and cheap patterns that say "something may be
 * here" (an @, "eyJ", a word that names a field), and one that stops at digits. Only around an anchor are the detectors' own expressions tried, on a
 * window of a few bytes, then the validator, then the context.
 */
#include <hs/hs.h>

#include "guard/api/pii.h"

#define PII_MAX_WORDS	   4096u /* distinct context words of all detectors */
#define PII_MAX_WORD	   48u	 /* bytes of one */
#define PII_MAX_SEGMENTS   12u	 /* parts of a field's name that are looked at: the last ones */
#define PII_MAX_GRAM	   4u	 /* parts that make one word: "date of birth" */
#define PII_MAX_DIGITS	   64u	 /* of a number */
#define PII_MAX_FOUND	   48u	 /* context words around one value */
#define PII_NEAR	   48u	 /* bytes before a value in which words count */
#define PII_BESIDE	   240u	 /* bytes on either side in which a "beside" word must be */
#define PII_MAX_RAW_HITS   (2 * PII_MAX_HITS)
#define PII_MAX_CANDIDATES 32u	 /* matches of the detectors' expressions in one window */
#define PII_MAX_ITEMS	   64u	 /* of a list that is the value of one field */
#define PII_UNLESS	   40	 /* what a word that speaks against a detector takes away */

/*
 * Judges the bytes that an expression matched, or the value of a field. It may narrow them (*start, *end are offsets in
 * @text). Pure; reads nothing outside @text.
 */
struct pii_value {
	struct bw_slice text;
	size_t start, end;
};
typedef bool (*pii_validate_fn)(struct pii_value *v);

/* NULL when there is no such validator. */
pii_validate_fn pii_validator(const char *name);
/* For messages and documents: NULL beyond the last one. */
const char *pii_validator_name(unsigned int i);

struct pii_validator_row {
	const char *name;
	pii_validate_fn fn;
};
extern const struct pii_validator_row pii_validators_numbers[], pii_validators_national[], pii_validators_text[],
	pii_validators_secrets[];

/* The value as digits without separators (space . - / and parentheses); returns how many, 0 when something else is there. */
unsigned int pii_digits(const struct pii_value *v, uint8_t *out, unsigned int max);
bool pii_luhn(const uint8_t *digits, unsigned int n);
static inline const uint8_t *pii_value_bytes(const struct pii_value *v, size_t *ret_len)
{
	*ret_len = v->end - v->start;
	return v->text.data + v->start;
}

enum pii_trigger {
	PII_TRIGGER_PATTERN, /* its anchor, or else its own expression */
	PII_TRIGGER_NUMBER,  /* digits, with single separators */
	PII_TRIGGER_FIELD,   /* a field whose name ends with one of its context words */
};

struct pii_wordset {
	uint64_t bits[PII_MAX_WORDS / 64];
	bool any;
};

struct pii_detector {
	char name[PII_MAX_NAME];
	char where[64]; /* "detectors[3]" of @file, for messages of the compiler */
	const char *file;
	unsigned int line, column;
	uint16_t class_id;
	enum pii_trigger trigger;
	char *anchor, *regex; /* owned; NULL: none */
	pii_validate_fn validate; /* NULL: every match is one */
	uint8_t min_digits, max_digits; /* PII_TRIGGER_NUMBER */
	char *first;	      /* the same: bytes it begins with; owned, NULL: any */
	bool letters; /* the same: there may be letters in it */
	unsigned int min_width, max_width; /* bytes that @regex matches */
	uint8_t confidence, in_context, threshold; /* threshold 0: the class's */
	bool multiline; /* a match may contain blanks, quotes and line ends */
	struct pii_wordset context, unless, beside;
	hs_database_t *db; /* of @regex, with the start of a match */
};

/* What decides cheaply whether a number detector can match: kept apart, in few cache lines. */
struct pii_number_rule {
	uint16_t detector, min_width, max_width;
	uint8_t min_digits, max_digits;
	bool letters;
	const char *first;
};

struct pii_class_rule {
	char name[PII_MAX_NAME], title[128];
	struct pii_class pub;
	uint8_t threshold;
	bool fold; /* the keyed hash ignores case and separators */
};

/* One distinct context word: "firstname", written "first name" in the rules. */
struct pii_word {
	char text[PII_MAX_WORD];   /* lower case, without separators */
	char spaced[PII_MAX_WORD]; /* with the spaces between its parts */
	uint8_t len;		   /* of @text */
	bool is_field;		   /* a field detector starts from it */
	uint16_t first_field, n_fields; /* in pii_rules.by_field */
};

/* Identifiers of the patterns in the anchors' database: the detectors come first. */
#define PII_ANCHOR_FIELD 0x10000u

struct pii_rules {
	struct pii_class_rule *classes; /* PII_MAX_CLASSES */
	struct pii_detector *detectors; /* n_detectors, grown */
	unsigned int n_classes, n_detectors, cap_detectors;
	struct pii_word *words; /* PII_MAX_WORDS */
	unsigned int n_words;
	uint16_t table[2 * PII_MAX_WORDS]; /* open addressing; 0: free, else index + 1 */
	uint32_t hashes[2 * PII_MAX_WORDS]; /* of what @table holds */
	uint16_t *by_field; /* detectors of each word */
	unsigned int n_by_field;
	char **files; /* names, owned */
	unsigned int n_files;
	struct pii_number_rule *numbers; /* the detectors with that trigger */
	unsigned int n_numbers;
	/* by the digits of a number: the least width that fits one of them, and (bit n) widths with letters around it */
	uint32_t least_width[PII_MAX_DIGITS + 1];
	uint64_t letter_widths[PII_MAX_DIGITS + 1];
	/* the same as a bit for each of the first 64 of them: with so many digits, with so many or fewer */
	uint64_t with_digits[PII_MAX_DIGITS + 1], up_to_digits[PII_MAX_DIGITS + 1];
	hs_database_t *anchors;
	bool compiled;
};

uint32_t pii_word_hash(uint32_t h, const uint8_t *s, size_t n); /* FNV-1a over lower case; start with PII_HASH_START */
#define PII_HASH_START	2166136261u
#define PII_HASH_FACTOR 16777619u
/* The word's index, or -1. @h is the hash of its text, @s its text in pieces already lower case. */
int pii_word_find(const struct pii_rules *r, uint32_t h, const char *s, size_t n);
/* @spaced: "first name". -EINVAL for what is no word, -E2BIG for one too many. */
int pii_word_add(struct pii_rules *r, const char *spaced, unsigned int *ret);
int pii_rules_add_builtin(struct pii_rules *r, struct pii_error *ret_error);
/* The database of one detector; NULL when it is no good, with the reason. */
hs_database_t *pii_compile_regex(const char *regex, char *reason, size_t size);

static inline bool pii_wordset_has(const struct pii_wordset *s, unsigned int w)
{
	return s->bits[w / 64] >> (w % 64) & 1;
}

/* Words found around a value. Those of the field's name come first; a word that the name ends with is a suffix. */
struct pii_words {
	uint16_t ids[PII_MAX_FOUND];
	unsigned int n, n_field;
	uint64_t suffix; /* bit i: ids[i] is a suffix of the field's name */
};

/* What is known of a field's name: names come again and again. */
#define PII_MAX_CACHED 48u
#define PII_CACHED     256u /* a power of two */
struct pii_name {
	uint8_t text[PII_MAX_CACHED];
	uint8_t len; /* 0: free */
	struct pii_words words;
	uint64_t numbers; /* bit i: rules.numbers[i] is confident enough behind this name and no other word */
};

/* The words of a name ("billingAddress.zip_code"), appended. */
void pii_words_of(const struct pii_rules *r, struct bw_slice name, struct pii_words *w, bool field);

/* Where the value that contains @pos has its name: before it (JSON, form, XML, header, multipart). False: it has none. */
bool pii_field_before(struct bw_slice text, size_t pos, struct bw_slice *ret_name, size_t *ret_value_start);
/*
 * @pos is inside or at the end of a word. If that word belongs to the name of a field, its name and the extent of its value; in
 * @ret_list whether that is a list. False otherwise.
 */
bool pii_field_at(struct bw_slice text, size_t pos, enum pii_content content, struct bw_slice *ret_name, size_t *ret_start,
		  size_t *ret_end, bool *ret_list);

/* Text that a decoder wrote, and where it comes from. */
struct pii_level {
	struct pii_level *up; /* NULL: what was handed in */
	struct bw_slice text;
	size_t start, len; /* in up->text */
	unsigned int depth;
	uint8_t via, vias; /* how, and by all decoders up to here */
	bool plus;	   /* PII_VIA_URL: + stands for a space */
	size_t at_in, at_out; /* a place that was mapped before: hits come nearly in order */
};
/* Offsets in the text of @l, as offsets in what was handed in. */
void pii_level_map(struct pii_level *l, size_t start, size_t end, size_t *ret_start, size_t *ret_end);

/*
 * Finds the next piece that can be decoded from @pos on: what it is in *ret (start, len, via, plus), false when there is none.
 * pii_decode() writes it to @dst (at least its length); 0: it is not what it looked like.
 */
struct pii_finder {
	size_t escape, percent, run; /* where to look on for each */
	bool started;
};
bool pii_encoded_next(struct bw_slice text, enum pii_content content, struct pii_finder *f, struct pii_level *ret);
size_t pii_decode(struct bw_slice text, const struct pii_level *l, uint8_t *dst);
/* Base64 or base64url without padding checks; returns the length, or 0 when a byte is foreign to both. */
size_t pii_base64(const uint8_t *p, size_t n, uint8_t *dst);
bool pii_is_base64(uint8_t c);

struct pii_scanner {
	const struct pii_rules *rules;
	hs_scratch_t *scratch, *small;
	struct pii_name *names; /* PII_CACHED */
	struct pii_hit *raw; /* PII_MAX_RAW_HITS */
	unsigned int n_raw;
	uint32_t dropped;
	uint64_t dropped_at;
	bool partial;
	uint8_t *arena; /* PII_MAX_DECODED */
	size_t arena_used;
	uint64_t *done; /* per detector: matches that end up to here were looked at, in the text being scanned */
};

/* ---- character classes, without the locale */
static inline bool pii_digit(uint8_t c)
{
	return (uint8_t)(c - '0') < 10;
}

static inline bool pii_alpha(uint8_t c)
{
	return (uint8_t)((c | 0x20) - 'a') < 26;
}

static inline bool pii_alnum(uint8_t c)
{
	return pii_digit(c) || pii_alpha(c);
}

static inline uint8_t pii_lower(uint8_t c)
{
	return (uint8_t)(c - 'A') < 26 ? c | 0x20 : c;
}

static inline uint8_t pii_upper(uint8_t c)
{
	return (uint8_t)(c - 'a') < 26 ? c & 0xdf : c;
}

static inline bool pii_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

#endif
