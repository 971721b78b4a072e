/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_CMD_API_COMMON_H
#define BW_CMD_API_COMMON_H
/* Shared by the commands "bpfwarden api ...": finding the catalogue, choosing endpoints, times. */
#include <stdbool.h>
#include <stdint.h>

#include "common/api_store.h"
#include "common/json.h"

struct api_choice {
	const char *state_dir, *host, *method, *path; /* NULL: any; @path is its beginning */
};

/* Reads the catalogue and drops what was not chosen. Returns BW_EXIT_OK, or an exit status after saying why. */
int api_read(const char *command, const struct api_choice *choice, struct api_data *ret);

/* RFC 3339 ("2024-05-01T12:00:00Z", "2024-05-01"), seconds since 1970 ("@1714564800"), or before now ("24h", "7d"). */
int api_time_parse(const char *text, int64_t now_ns, int64_t *ret_ns);
/* UTC, seconds. */
#define API_TIME_TEXT 32
void api_time_text(int64_t ns, char text[API_TIME_TEXT]);
void api_json_time(struct bw_json *j, const char *key, int64_t ns);
int64_t api_now(void);

/* "host", "method", "path" of the object that is open. */
void api_json_endpoint(struct bw_json *j, const struct api_endpoint *e);
/* The names of all facts of a kind as an array; nothing when there are none and @always is false. */
void api_json_names(struct bw_json *j, const char *key, const struct api_endpoint *e, const char *kind, bool always);
/* Calls without any credential, and with one. */
void api_auth_counts(const struct api_endpoint *e, uint64_t *ret_without, uint64_t *ret_with);
/* Prints @b and frees it; BW_EXIT_INTERNAL when it has an error. */
int api_print(const char *command, struct bw_buf *b, int exit_status);

#define API_CHOICE_ROWS(c)                                                                                       \
	{ BW_OPT_STRING, 0, "state-dir", &(c).state_dir, "DIR", "the guard's state directory: the catalogue is in it" }, \
	{ BW_OPT_STRING, 0, "host", &(c).host, "HOST", "only endpoints of that host" },                           \
	{ BW_OPT_STRING, 0, "method", &(c).method, "METHOD", "only endpoints with that method" },                 \
	{ BW_OPT_STRING, 0, "path", &(c).path, "PREFIX", "only endpoints whose path begins so" }

#endif
