/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_POLICY_VALUE_H
#define BW_POLICY_VALUE_H
/*
 * Private to the policy parser: takes typed values out of a cJSON tree, and says precisely where one is not what it must
 * be. All return 0 or a negative errno with parser->error filled; results live in the memory of the policy.
 */
#include <cjson/cJSON.h>
#include "common/policy.h"

struct policy_parser {
	const char *text;
	size_t len;
	struct bw_policy *policy;
	struct bw_policy_error *error;
};

/* A value and the way to it. Lives on the stack of whoever looks at the value. */
struct policy_node {
	const struct policy_node *up;
	const char *key; /* member of an object; else element @index of a list */
	unsigned int index;
	const cJSON *value;
};

/* Zeroed memory of the policy; NULL when there is none. */
void *policy_alloc(struct bw_policy *p, size_t n, size_t size);

/* Fills the error and returns @r. @key: the place is the member of @n with that name (the last, if there are several). */
int policy_fail_at(struct policy_parser *ps, const struct policy_node *n, const char *key, int r, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
#define policy_fail(ps, n, ...) policy_fail_at(ps, n, NULL, -EINVAL, __VA_ARGS__)
int policy_no_memory(struct policy_parser *ps);

/*
 * The members of an object, by the list of its keys: members[i] is the one named keys[i], or NULL. An object with a key not
 * in the list, or with one twice, is refused.
 */
int policy_get_members(struct policy_parser *ps, const struct policy_node *n, const char *const *keys,
		       unsigned int n_keys, const cJSON **members);

/* A list of @min to @max elements: checks that and counts them. */
int policy_get_list(struct policy_parser *ps, const struct policy_node *n, unsigned int min, unsigned int max,
		    uint32_t *ret_n);
int policy_get_bool(struct policy_parser *ps, const struct policy_node *n, bool *ret);
int policy_get_uint(struct policy_parser *ps, const struct policy_node *n, uint64_t min, uint64_t max, uint64_t *ret);
/* One to @max characters, none of them a control character. */
int policy_get_text(struct policy_parser *ps, const struct policy_node *n, unsigned int max, const char **ret);
int policy_get_id(struct policy_parser *ps, const struct policy_node *n, const char **ret);
int policy_get_path(struct policy_parser *ps, const struct policy_node *n, const char **ret);
int policy_get_hex(struct policy_parser *ps, const struct policy_node *n, uint8_t *dst, size_t len);
/* A name, or the number itself for what is newer than the table of names. */
int policy_get_named(struct policy_parser *ps, const struct policy_node *n, const char *what,
		     int (*find)(const char *), uint64_t min, uint64_t max, uint32_t *ret);
int policy_get_prog_type(struct policy_parser *ps, const struct policy_node *n, uint32_t *ret);
/* Sets the bits of the helpers in the list. */
int policy_get_helpers(struct policy_parser *ps, const struct policy_node *n, unsigned int min, uint64_t *ret);
/* Names of kernel symbols; with @star, "*" is taken out of the list and reported there. */
int policy_get_symbols(struct policy_parser *ps, const struct policy_node *n, unsigned int min, bool *star,
		       const char *const **ret, uint32_t *ret_n);

#endif
