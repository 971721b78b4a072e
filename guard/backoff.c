// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/backoff.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/cleanup.h"

#define RECORD	     "starts"
#define MAX_FAILURES 1000u

uint32_t backoff_wait_ms(uint32_t failures)
{
	uint32_t ms = 2000;

	if (failures < 2)
		return 0;
	for (; failures > 2 && ms < BACKOFF_MAX_MS; failures--)
		ms *= 2;
	return ms < BACKOFF_MAX_MS ? ms : BACKOFF_MAX_MS;
}

static int path_of(const char *dir, char *ret, size_t size)
{
	return snprintf(ret, size, "%s/" RECORD, dir) < (int)size ? 0 : -ENAMETOOLONG;
}

/* "FAILURES MILLISECONDS\n" */
static bool parse(const char *text, uint32_t *ret_failures, uint64_t *ret_ms)
{
	char *end;
	unsigned long failures;
	unsigned long long ms;

	errno = 0;
	failures = strtoul(text, &end, 10);
	if (errno || end == text || *end != ' ' || failures > MAX_FAILURES)
		return false;
	text = end + 1;
	ms = strtoull(text, &end, 10);
	if (errno || end == text || *end != '\n')
		return false;
	*ret_failures = (uint32_t)failures;
	*ret_ms = ms;
	return true;
}

static bool changed_since(const char *const *settings, const struct stat *record)
{
	for (; *settings; settings++) {
		struct stat st;

		if (stat(*settings, &st) == 0 &&
		    (st.st_ctim.tv_sec != record->st_mtim.tv_sec ? st.st_ctim.tv_sec > record->st_mtim.tv_sec :
								     st.st_ctim.tv_nsec > record->st_mtim.tv_nsec))
			return true;
	}
	return false;
}

int backoff_begin(const char *dir, uint64_t now_ms, const char *const *settings, uint32_t *ret_failures)
{
	char path[PATH_MAX], line[64];
	_cleanup_free_ char *text = NULL;
	uint32_t failures = 0;
	uint64_t began;
	struct stat st;
	size_t len;
	int r = path_of(dir, path, sizeof(path)), n;

	if (!r)
		r = bw_file_read(path, sizeof(line), &text, &len);
	if (r < 0 && r != -ENOENT)
		return r;
	/* Its line is missing or damaged: as if there had been none. */
	if (!r && parse(text, &failures, &began)) {
		failures = stat(path, &st) == 0 && changed_since(settings, &st)		 ? 0 :
			   now_ms >= began && now_ms - began >= BACKOFF_STABLE_MS	 ? 1 :
			   failures < MAX_FAILURES					 ? failures + 1 :
											   failures;
	}
	n = snprintf(line, sizeof(line), "%u %llu\n", failures, (unsigned long long)(now_ms + backoff_wait_ms(failures)));
	r = bw_file_write_atomic(path, line, (size_t)n, 0600);
	if (!r)
		*ret_failures = failures;
	return r;
}

void backoff_end(const char *dir)
{
	char path[PATH_MAX];

	if (!path_of(dir, path, sizeof(path)))
		unlink(path);
}
