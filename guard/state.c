// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/state.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/event_store.h"

/* The worker's; the group keeps root, which makes and removes the control socket in it, without overriding permissions. */
#define STATE_MODE 0770

static const char *const store_files[] = { EVENT_STORE_FILE, EVENT_STORE_FILE "-wal", EVENT_STORE_FILE "-shm" };

static bool is_empty(int dir)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	bool empty = true;

	if (!d) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	while (empty && (e = readdir(d)))
		empty = !strcmp(e->d_name, ".") || !strcmp(e->d_name, "..");
	closedir(d);
	return empty;
}

/* Files of a guard that was one process, and of a reader that was root. Never what has a second name elsewhere. */
static int take_over_files(int dir, uid_t uid)
{
	for (size_t i = 0; i < ARRAY_SIZE(store_files); i++) {
		struct stat st;

		if (fstatat(dir, store_files[i], &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode) || st.st_nlink != 1 ||
		    st.st_uid == uid)
			continue;
		if (fchownat(dir, store_files[i], uid, 0, AT_SYMLINK_NOFOLLOW) < 0 && errno != EROFS)
			return -errno;
	}
	return 0;
}

static int fail(int r, const char *path, const char *reason, char *why, size_t why_len)
{
	snprintf(why, why_len, "%s: %s", path, reason ? reason : strerror(-r));
	return r;
}

int state_open(const char *path, uid_t uid, char *why, size_t why_len)
{
	bool made = mkdir(path, STATE_MODE) == 0;
	_cleanup_close_ int dir = -1;
	struct stat st;
	int r;

	if (!made && errno != EEXIST)
		return fail(-errno, path, NULL, why, why_len);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || fstat(dir, &st) < 0)
		return fail(-errno, path, NULL, why, why_len);
	if (st.st_uid != uid && !made && faccessat(dir, EVENT_STORE_FILE, F_OK, 0) < 0 && !is_empty(dir))
		return fail(-ENOTEMPTY, path, "is not empty and not a state directory: the guard needs one of its own", why, why_len);
	/* A file system that cannot be written is the store's problem: it says so and tries again. */
	if ((fchown(dir, uid, 0) < 0 || fchmod(dir, STATE_MODE) < 0) && errno != EROFS)
		return fail(-errno, path, NULL, why, why_len);
	r = take_over_files(dir, uid);
	if (r < 0)
		return fail(r, path, NULL, why, why_len);
	return TAKE_FD(dir);
}
