// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Finds the change log of the package of the running kernel: Ubuntu's in /usr/share/doc, that of RHEL and its relatives in the database of
 * rpm (SQLite since RHEL 9, Amazon Linux 2023, Fedora 33; older and SUSE's formats are not read). What is not found is not known.
 */
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "auditor/posture/posture.h"
#include "common/cleanup.h"

#define MAX_CHANGELOG (64u << 20)
#define MAX_PACKAGES  4096u

static int keep(struct posture_host *h, struct bw_slice text, const char *from)
{
	int r = posture_changelog_scan(text, &h->arena, &h->changelog);

	if (r < 0)
		return r;
	h->changelog.from = bw_arena_str(&h->arena, from);
	return h->changelog.from ? 0 : -ENOMEM;
}

static int read_deb(struct posture_host *h, const char *root)
{
	static const char *const packages[] = { "linux-modules", "linux-image-unsigned", "linux-image" };
	char version[128], path[512];

	if (h->ubuntu.state != POSTURE_VALUE || h->release.state != POSTURE_VALUE || strchr(h->release.text, '/') ||
	    !posture_ubuntu_version(h->ubuntu.text, version, sizeof(version)))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(packages); i++) {
		_cleanup_buf_ struct bw_buf text = { .max = MAX_CHANGELOG };
		struct bw_slice since;

		snprintf(path, sizeof(path), "/usr/share/doc/%s-%s/changelog.Debian.gz", packages[i], h->release.text);
		if (posture_read_gz(root, path, MAX_CHANGELOG, &text) == 0 &&
		    posture_changelog_since(bw_slice(text.data, text.len), version, &since))
			return keep(h, since, path);
	}
	return 0;
}

static void close_db(sqlite3 **db)
{
	sqlite3_close(*db);
}

static void finalize(sqlite3_stmt **s)
{
	sqlite3_finalize(*s);
}

/* file:PATH?immutable=1: nothing is written beside it, no lock is taken. */
static bool uri_of(const char *path, char *ret, size_t size)
{
	size_t n = (size_t)snprintf(ret, size, "file:");

	for (; *path && n + 4 < size; path++)
		n += (size_t)(strchr("%?#", *path) ? snprintf(ret + n, size - n, "%%%02x", (unsigned char)*path) :
						     snprintf(ret + n, size - n, "%c", *path));
	return !*path && (size_t)snprintf(ret + n, size - n, "?immutable=1") < size - n;
}

static int read_rpm(struct posture_host *h, const char *root)
{
	static const char *const places[] = { "/usr/lib/sysimage/rpm/rpmdb.sqlite", "/var/lib/rpm/rpmdb.sqlite" };

	for (size_t i = 0; i < ARRAY_SIZE(places) && h->release.state == POSTURE_VALUE; i++) {
		BW_CLEANUP(close_db) sqlite3 *db = NULL;
		BW_CLEANUP(finalize) sqlite3_stmt *s = NULL;
		char path[PATH_MAX], uri[PATH_MAX * 3 + 32];

		if (snprintf(path, sizeof(path), "%s%s", root, places[i]) >= (int)sizeof(path) || access(path, R_OK) < 0 ||
		    !uri_of(path, uri, sizeof(uri)) ||
		    sqlite3_open_v2(uri, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK ||
		    sqlite3_prepare_v2(db, "SELECT blob FROM Packages WHERE hnum IN (SELECT hnum FROM Name WHERE key LIKE 'kernel%')", -1, &s, NULL) != SQLITE_OK)
			continue;
		for (unsigned int n = 0; n < MAX_PACKAGES && sqlite3_step(s) == SQLITE_ROW; n++) {
			const void *blob = sqlite3_column_blob(s, 0);
			int len = sqlite3_column_bytes(s, 0);
			struct posture_rpm rpm;
			char from[256];

			/* Every package that was built together with the kernel has its change log. */
			if (!blob || len <= 0 || posture_rpm_parse(bw_slice(blob, (size_t)len), &rpm) < 0 ||
			    !posture_rpm_is_kernel(&rpm, h->release.text) || !rpm.changelog.len)
				continue;
			snprintf(from, sizeof(from), "the change log of %s-%s-%s.%s", rpm.name, rpm.version, rpm.release, rpm.arch);
			return keep(h, rpm.changelog, from);
		}
	}
	return 0;
}

int posture_host_read_packages(const char *root, struct posture_host *h)
{
	int r = read_deb(h, root);

	return r < 0 || *h->changelog.from ? r : read_rpm(h, root);
}
