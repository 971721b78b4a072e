/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_API_PII_H
#define BW_GUARD_API_PII_H
/*
 * Finds personal data and secrets in bytes of an API call.
 *
 *   rules (JSON) -> pii_rules: one vectorscan database, immutable, shared
 *   bytes -> prefilter -> validator -> context -> hits -> redaction, keyed hash
 *
 * What a rule says is in rules/README.md; which detectors are shipped is in docs/personal-data.md. Everything here but
 * pii_load.h is pure: no I/O, no clock, no log. A value is never copied into what outlives a scan: who wants to
 * recognise it again takes pii_hash().
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/slice.h"

#define PII_MAX_HITS	    4096u	/* of one scan; what comes behind them is counted, and redacted as a whole */
#define PII_MAX_DEPTH	    3u		/* decoders behind each other */
#define PII_MAX_DECODED	    (4u << 20)	/* bytes that the decoders of one scan write */
#define PII_MAX_SCAN	    (256u << 20) /* bytes of one scan */
#define PII_MAX_VALUE	    8192u	/* one hit; a stream carries as much over to its next piece */
#define PII_MAX_FIELD	    64u		/* bytes of a field's name */
#define PII_MAX_NAME	    64u		/* bytes of the name of a class or detector */
#define PII_MAX_CLASSES	    256u
#define PII_MAX_DETECTORS   1024u

/* What the bytes are; it decides which decoders are tried and how a field's name is found before a value. */
enum pii_content {
	PII_CONTENT_AUTO,      /* not known: all of them, told apart by the bytes around a value */
	PII_CONTENT_TEXT,      /* one value, e.g. of a header; its field is in the context */
	PII_CONTENT_JSON,      /* also GraphQL, JSON-RPC, event streams */
	PII_CONTENT_FORM,      /* application/x-www-form-urlencoded, or a query string, or a path */
	PII_CONTENT_XML,
	PII_CONTENT_MULTIPART,
	PII_CONTENT_HEADERS,   /* "Name: value" lines */
	PII_CONTENT_BINARY,    /* protobuf and the like: strings among other bytes */
	PII_CONTENTS
};

struct pii_context {
	const char *field; /* name of the header, parameter or key that the bytes are the value of; NULL: none. Borrowed */
	enum pii_content content;
};

/* Regimes that a class belongs to. */
enum pii_category {
	PII_GDPR = 1u << 0,	    /* personal data, Art. 4(1) */
	PII_GDPR_SPECIAL = 1u << 1, /* special categories, Art. 9(1) */
	PII_PCI_DSS = 1u << 2,	    /* cardholder data and sensitive authentication data */
	PII_HIPAA = 1u << 3,	    /* identifiers of 45 CFR 164.514(b)(2) */
	PII_SECRET = 1u << 4,	    /* opens a door: keys, tokens, passwords */
};

struct pii_class {
	const char *name;  /* "card": stable, what is stored and exported */
	const char *title; /* for people */
	uint32_t categories; /* enum pii_category */
};

struct pii_rules;
struct pii_scanner;
struct pii_stream;

/* Why rules were refused. Texts are printable. */
struct pii_error {
	char file[256];
	char where[96]; /* "detectors[3].regex"; "" for the file as a whole */
	unsigned int line, column; /* from 1; 0 when there is no such place */
	char reason[256];
};

/*
 * Rules are collected from files, then compiled; the compiled ones do not change any more. pii_rules_add() takes the text of
 * one file (@name for messages); -EINVAL with @ret_error for a mistake in it, -ENOMEM. pii_rules_compile(): the same.
 */
int pii_rules_new(struct pii_rules **ret);
int pii_rules_add(struct pii_rules *r, const char *text, size_t len, const char *name, struct pii_error *ret_error);
int pii_rules_compile(struct pii_rules *r, struct pii_error *ret_error);
void pii_rules_free(struct pii_rules *r);
/* Those of rules/pii-*.json that are built in, compiled. */
int pii_rules_builtin(struct pii_rules **ret, struct pii_error *ret_error);
/* "FILE:LINE:COLUMN: WHERE: reason" */
const char *pii_error_text(const struct pii_error *e, char *buf, size_t size);

/* NULL beyond the last one. */
const struct pii_class *pii_class(const struct pii_rules *r, unsigned int id);
const char *pii_detector_name(const struct pii_rules *r, unsigned int id);
/* How many detectors a class has. */
unsigned int pii_class_detectors(const struct pii_rules *r, unsigned int id);
/* -1 when there is none. */
int pii_class_find(const struct pii_rules *r, const char *name);
/* "gdpr", ...; NULL for what is not one bit of enum pii_category. */
const char *pii_category_name(enum pii_category c);

enum pii_via {
	PII_VIA_URL = 1u << 0,
	PII_VIA_BASE64 = 1u << 1,
	PII_VIA_JSON = 1u << 2, /* escapes of a string */
};

struct pii_hit {
	uint64_t offset;     /* of the scanned bytes, or of the stream */
	uint32_t length;     /* there: for what was seen through base64, of all of the encoded text */
	uint16_t class_id;
	uint16_t detector_id;
	uint8_t confidence;  /* 1 to 100 */
	uint8_t depth;	     /* decoders it was seen through */
	uint8_t via;	     /* enum pii_via */
	struct bw_slice value; /* decoded; borrowed: see pii_scan() */
	struct bw_slice field; /* name of its field; len 0: none. Borrowed as well */
};

struct pii_result {
	const struct pii_hit *hits; /* the scanner's; in rising order, without overlaps but for those in one base64 text */
	uint32_t n_hits;
	uint32_t dropped;	/* hits beyond PII_MAX_HITS */
	uint64_t complete_to;	/* from here on nothing was looked for, or not reported: @dropped, too long a scan */
	bool partial_decode;	/* a decoder reached PII_MAX_DECODED or PII_MAX_DEPTH: it may hide something */
};

/* One for each thread. @rules stay borrowed and must be compiled. */
int pii_scanner_new(const struct pii_rules *rules, struct pii_scanner **ret);
void pii_scanner_free(struct pii_scanner *s);

/*
 * Looks at @bytes as a whole. @ctx may be NULL. The result, and what its hits point to, holds until the next call with the
 * same scanner and as long as @bytes do. Returns 0 or -ENOMEM, -EIO (vectorscan failed): then nothing may be taken for clean.
 */
int pii_scan(struct pii_scanner *s, struct bw_slice bytes, const struct pii_context *ctx, struct pii_result *ret);

/*
 * The same over pieces of one body in their order, with offsets from the start of the stream: each hit is reported
 * once, no later than with the piece that ends it plus 256 bytes, or with @last. @ctx is copied. Bytes before complete_to are
 * final: who redacts a stream writes up to there and holds back the rest. A gap starts a new stream at the position behind
 * it: nothing is glued over. Also -E2BIG for a piece over PII_MAX_SCAN.
 */
int pii_stream_new(const struct pii_context *ctx, uint64_t pos, struct pii_stream **ret);
void pii_stream_free(struct pii_stream *st);
int pii_stream_feed(struct pii_stream *st, struct pii_scanner *s, struct bw_slice piece, bool last, struct pii_result *ret);

/*
 * Appends @bytes with every hit replaced by "[class]". @base is the offset of bytes[0] (0 after pii_scan()). What lies
 * behind complete_to becomes "[not-scanned]". Errors stick to @out.
 */
void pii_redact(const struct pii_rules *rules, struct bw_slice bytes, uint64_t base, const struct pii_result *res, struct bw_buf *out);
/* Scan and redact in one: for a path, a header, a message. On an error all of it becomes "[not-scanned]"; returns it. */
int pii_redact_text(struct pii_scanner *s, struct bw_slice bytes, const struct pii_context *ctx, struct bw_buf *out);

/*
 * Recognises a value without keeping it: HMAC-SHA-256 over class and value under the installation's key, cut to 64 bits. Case and
 * separators do not count where the class has none that matter. Without the key the small value spaces (cards, national
 * ids) could be tried out, so the key is the guard's alone: pii_load.h.
 */
struct pii_key {
	uint8_t bytes[32];
};
int pii_hash(const struct pii_key *key, const struct pii_rules *rules, const struct pii_hit *hit, uint64_t *ret);

static inline void pii_scanner_freep(struct pii_scanner **s)
{
	pii_scanner_free(*s);
}

static inline void pii_rules_freep(struct pii_rules **r)
{
	pii_rules_free(*r);
}

static inline void pii_stream_freep(struct pii_stream **st)
{
	pii_stream_free(*st);
}

#endif
