/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_API_INSPECT_H
#define BW_GUARD_API_INSPECT_H
/*
 * What a message says beyond its framing: names, types, authentication, operations, personal data. Values are looked at
 * here, and end here. Pure.
 */
#include "common/buf.h"
#include "common/slice.h"
#include "guard/api/exchange.h"
#include "guard/api/extract.h"
#include "guard/api/pii.h"

struct inspect {
	struct pii_scanner *scanner; /* borrowed; NULL: no personal data is looked for */
	const struct pii_rules *rules;
	const struct pii_key *key;   /* NULL: hits have no hash */
	const struct api_extract *extract; /* borrowed; may be NULL */
	uint32_t max_body;
	/* scratch */
	struct bw_buf decoded, text;
	/* Values that custom rules want, until the hits of the scanner are used: looking at one is a scan of its own. */
	struct {
		const struct api_extract_rule *rule;
		struct bw_slice value;
	} wanted[API_CALL_MAX_EXTRACTED];
	unsigned int nwanted;
};

struct inspect_header {
	struct bw_slice name, value;
	bool unknown; /* value is not known (HPACK) */
};

/* Method and target of a request: path template, parameters. Comes before the headers. */
void inspect_target(struct inspect *in, struct exchange *x, struct bw_slice method, struct bw_slice target);
/* The headers of a side, or its trailers. */
void inspect_headers(struct inspect *in, struct exchange *x, enum exchange_side side, const struct inspect_header *h, size_t n);
/* The body of a side, as far as it was kept; it is freed. */
void inspect_body(struct inspect *in, struct exchange *x, enum exchange_side side);
void inspect_free(struct inspect *in);

/* Takes "a.example:80" as the host of a call: lower case, default port taken off. */
void inspect_host(struct exchange *x, struct bw_slice host);

#endif
