/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_API_EXTRACT_H
#define BW_GUARD_API_EXTRACT_H
/*
 * Custom extraction: rules that name a header, parameter, cookie or JSON path and say what becomes of it, without
 * recompiling. The format is in rules/README.md and rules/schema/api-extract-v1.schema.json.
 */
#include <stdbool.h>
#include <stddef.h>

#include "common/slice.h"
#include "guard/api/call.h"

#define API_EXTRACT_MAX_RULES 256u
#define API_EXTRACT_MAX_FILE (1u << 20)
#define API_EXTRACT_DEFAULT_LENGTH 128u
#define API_EXTRACT_MAX_LENGTH 1024u

enum api_extract_action {
	API_EXTRACT_RECORD, /* the value goes into the record, personal data in it redacted */
	API_EXTRACT_HASH,   /* its keyed hash does */
	API_EXTRACT_RENAME, /* the field is known by another name */
	API_EXTRACT_DROP,   /* the field is not known at all */
};

struct api_extract_rule {
	enum api_extract_action action;
	enum api_place place;
	bool prefix;	  /* the name ends in "*" */
	char name[API_MAX_NAME];
	char as[API_MAX_NAME];
	char host[API_MAX_HOST + 1]; /* "" any */
	char path[API_MAX_PATH];     /* beginning of the templated path; "" any */
	unsigned int max_length;
};

struct api_extract {
	struct api_extract_rule *rules; /* owned */
	unsigned int n;
};

struct api_extract_error {
	char path[96]; /* "rules[3].name" */
	unsigned int line, column;
	char reason[160];
};

/* -EINVAL with *ret_error, -ENOMEM. Release with api_extract_free(). */
int api_extract_parse(const char *text, size_t len, struct api_extract **ret, struct api_extract_error *ret_error);
void api_extract_free(struct api_extract *e);

/* The first rule that fits; NULL: none. */
const struct api_extract_rule *api_extract_find(const struct api_extract *e, const char *host, const char *path, enum api_place place,
						const char *name);

static inline void api_extract_freep(struct api_extract **e)
{
	api_extract_free(*e);
}

#endif
