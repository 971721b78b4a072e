/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_API_INSPECT_INTERNAL_H
#define BW_GUARD_API_INSPECT_INTERNAL_H
/* Shared by inspect.c and inspect_body.c. */
#include "guard/api/inspect.h"

/* A field with its value: what custom rules say is done, then it is noted. */
void inspect_field(struct inspect *in, struct exchange *x, enum api_place place, const char *name, uint32_t types, struct bw_slice value);
/* What custom rules wanted of the fields since the last time. Uses the scanner. */
void inspect_extract(struct inspect *in, struct exchange *x);
/* Looks for personal data; false: there is no detector, or it failed, which is noted as API_CALL_BODY_OPAQUE. */
bool inspect_scan(struct inspect *in, struct exchange *x, struct bw_slice bytes, enum pii_content content, const char *field,
		  struct pii_result *ret);
void inspect_hit(struct inspect *in, struct exchange *x, enum api_place place, const char *name, const struct pii_hit *hit);
/* Names and values of "a=b&c=d". */
void inspect_form(struct inspect *in, struct exchange *x, enum api_place place, struct bw_slice text);
/* A GraphQL document becomes the operation of the call. */
void inspect_graphql(struct exchange *x, struct bw_slice query);

#endif
