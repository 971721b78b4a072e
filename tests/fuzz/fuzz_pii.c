// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Any bytes, whole and in pieces: hits lie inside the text, in rising order, their values and fields in readable memory; a redaction
 * holds no value of what it replaced whole.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "guard/api/pii.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct pii_rules *rules;
static struct pii_scanner *scanner;

static unsigned int sum(struct bw_slice s)
{
	unsigned int n = 0;

	for (size_t i = 0; i < s.len; i++)
		n += s.data[i];
	return n;
}

static void check(const struct pii_result *res, uint64_t from, uint64_t to)
{
	uint64_t last = from;
	volatile unsigned int read = 0;

	for (uint32_t i = 0; i < res->n_hits; i++) {
		const struct pii_hit *h = &res->hits[i];

		if (h->offset < last || !h->length || h->offset + h->length > to || !h->value.len || !pii_class(rules, h->class_id) ||
		    !h->confidence || h->confidence > 100 || h->depth > PII_MAX_DEPTH)
			abort();
		last = h->offset;
		read += sum(h->value) + sum(h->field);
	}
}

/* Compiling the rules takes longer than any input. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct pii_error e;

	if (pii_rules_builtin(&rules, &e) < 0 || pii_scanner_new(rules, &scanner) < 0)
		abort();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pii_context ctx = { 0 };
	struct pii_stream *st = NULL;
	struct bw_buf out = { 0 };
	struct pii_result res;
	struct bw_slice text;
	size_t step, at = 0;

	if (size < 2)
		return 0;
	ctx.content = data[0] % PII_CONTENTS;
	ctx.field = data[0] & 0x80 ? "ssn" : NULL;
	step = 1 + (size_t)data[1] * 3;
	text = bw_slice(data + 2, size - 2);
	if (pii_scan(scanner, text, &ctx, &res) < 0)
		abort();
	check(&res, 0, text.len);
	if (res.complete_to > text.len)
		abort();
	pii_redact(rules, text, 0, &res, &out);
	for (uint32_t i = 0; i < res.n_hits; i++)
		if (res.hits[i].length > 24 && !res.hits[i].depth && out.len && memmem(out.data, out.len, text.data + res.hits[i].offset, res.hits[i].length) &&
		    !memmem(text.data, (size_t)res.hits[i].offset + res.hits[i].length - 1, text.data + res.hits[i].offset, res.hits[i].length) &&
		    !memmem(text.data + res.hits[i].offset + 1, text.len - (size_t)res.hits[i].offset - 1, text.data + res.hits[i].offset, res.hits[i].length))
			abort();
	bw_buf_free(&out);
	if (pii_stream_new(&ctx, 7, &st) < 0)
		abort();
	for (unsigned int pieces = 0; at < text.len && pieces < 64; pieces++) {
		size_t n = pieces == 63 || text.len - at < step ? text.len - at : step;

		if (pii_stream_feed(st, scanner, bw_slice(text.data + at, n), at + n == text.len, &res) < 0)
			abort();
		check(&res, 7, 7 + at + n);
		at += n;
	}
	pii_stream_free(st);
	return 0;
}
