// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "auditor/cmd/api_common.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "auditor/commands.h"
#include "common/event_store.h"
#include "common/term.h"

static bool is_chosen(const struct api_choice *c, const struct api_endpoint *e)
{
	/* A host's overflow exists before it is needed. */
	return e->calls && (!c->host || !strcmp(c->host, e->host)) && (!c->method || !strcmp(c->method, e->method)) &&
	       (!c->path || !strncmp(c->path, e->path, strlen(c->path)));
}

int api_read(const char *command, const struct api_choice *choice, struct api_data *ret)
{
	struct sqlite3 *db __attribute__((cleanup(event_store_close))) = NULL;
	char path[PATH_MAX];
	uint32_t n = 0;
	int r;

	snprintf(path, sizeof(path), "%s/%s", choice->state_dir ? choice->state_dir : EVENT_STORE_DEFAULT_DIR, API_STORE_FILE);
	r = api_store_open(path, &db);
	if (!r)
		r = api_store_load(db, ret);
	if (r < 0) {
		fprintf(stderr, "bpfwarden %s: %s: %s\n", command, path,
			r == -EPROTO ? "not a catalogue of this version" : r == -EUCLEAN ? "is corrupt" : r == -E2BIG ? "is too large" : strerror(-r));
		return BW_EXIT_INPUT;
	}
	for (uint32_t i = 0; i < ret->n; i++)
		if (is_chosen(choice, &ret->endpoints[i]))
			ret->endpoints[n++] = ret->endpoints[i];
	ret->n = n;
	return BW_EXIT_OK;
}

int64_t api_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int api_time_parse(const char *text, int64_t now_ns, int64_t *ret)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 } };
	static const char *const forms[] = { "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%MZ", "%Y-%m-%d" };
	char *end;
	long long n;

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		struct tm tm = { 0 };

		end = strptime(text, forms[i], &tm);
		if (end && !*end) {
			*ret = (int64_t)timegm(&tm) * 1000000000;
			return 0;
		}
	}
	errno = 0;
	n = strtoll(text + (*text == '@'), &end, 10);
	if (errno || end == text + (*text == '@') || n < 0 || n > 1ll << 33)
		return -EINVAL;
	if (*text == '@') {
		*ret = n * 1000000000;
		return *end ? -EINVAL : 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (*end == units[i].unit && !end[1] && n <= now_ns / 1000000000 / units[i].seconds) {
			*ret = now_ns - n * units[i].seconds * 1000000000;
			return 0;
		}
	}
	return -EINVAL;
}

void api_time_text(int64_t ns, char text[API_TIME_TEXT])
{
	time_t s = (time_t)(ns / 1000000000);
	struct tm tm;

	if (!gmtime_r(&s, &tm) || !strftime(text, API_TIME_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm))
		snprintf(text, API_TIME_TEXT, "-");
}

void api_json_time(struct bw_json *j, const char *key, int64_t ns)
{
	char text[API_TIME_TEXT];

	api_time_text(ns, text);
	bw_json_str(j, key, text);
}

void api_json_endpoint(struct bw_json *j, const struct api_endpoint *e)
{
	bw_json_str(j, "host", e->host);
	bw_json_str(j, "method", e->method);
	bw_json_str(j, "path", e->path);
}

void api_json_names(struct bw_json *j, const char *key, const struct api_endpoint *e, const char *kind, bool always)
{
	uint32_t n;
	const struct api_fact *f = api_endpoint_facts(e, kind, &n);

	if (!n && !always)
		return;
	bw_json_open(j, key, '[');
	for (uint32_t i = 0; i < n; i++)
		if (!i || strcmp(f[i].name, f[i - 1].name))
			bw_json_str(j, NULL, f[i].name);
	bw_json_close(j, ']');
}

void api_auth_counts(const struct api_endpoint *e, uint64_t *ret_without, uint64_t *ret_with)
{
	uint32_t n;
	const struct api_fact *f = api_endpoint_facts(e, "auth", &n);

	*ret_without = *ret_with = 0;
	for (uint32_t i = 0; i < n; i++)
		*(strcmp(f[i].name, "none") ? ret_with : ret_without) += f[i].count;
}

int api_print(const char *command, struct bw_buf *b, int exit_status)
{
	int r = bw_buf_error(b);

	if (r) {
		fprintf(stderr, "bpfwarden %s: %s\n", command, strerror(-r));
		exit_status = BW_EXIT_INTERNAL;
	} else {
		/* Line by line: inside a text there is no line break. */
		for (const char *line = bw_buf_cstr(b), *end; *line; line = end + (*end != '\0')) {
			end = line + strcspn(line, "\n");
			term_json(stdout, line, (size_t)(end - line));
			putchar('\n');
		}
	}
	bw_buf_free(b);
	return exit_status;
}
