// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/api/pii_load.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/limits.h"
#include "guard/api/pii_internal.h"

static int is_rule_file(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	return !strncmp(e->d_name, "pii-", 4) && n > 5 && !strcmp(e->d_name + n - 5, ".json");
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int fail(struct pii_error *e, const char *file, int err)
{
	*e = (struct pii_error){ 0 };
	snprintf(e->file, sizeof(e->file), "%s", file);
	snprintf(e->reason, sizeof(e->reason), "%s", err == -ENOENT ? "there are no rules (pii-*.json)" : strerror(-err));
	for (char *c = e->file; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	return err;
}

static int load_file(const char *dir, const char *name, struct pii_rules *rules, struct pii_error *e)
{
	_cleanup_free_ char *path = NULL, *text = NULL;
	size_t len;
	int err;

	if (asprintf(&path, "%s/%s", dir, name) < 0) {
		path = NULL;
		return fail(e, name, -ENOMEM);
	}
	err = bw_file_read(path, BW_MAX_POLICY_SIZE, &text, &len);
	return err < 0 ? fail(e, path, err) : pii_rules_add(rules, text, len, path, e);
}

int pii_load_rules(const char *dir, struct pii_rules **ret, struct pii_error *ret_error)
{
	BW_CLEANUP(pii_rules_freep) struct pii_rules *rules = NULL;
	struct dirent **names = NULL;
	int n = 0, err;

	err = pii_rules_new(&rules);
	if (err < 0)
		return fail(ret_error, "", err);
	err = pii_rules_add_builtin(rules, ret_error);
	if (!err && dir) {
		n = scandir(dir, &names, is_rule_file, by_name);
		if (n <= 0)
			err = fail(ret_error, dir, n < 0 && errno != ENOENT ? -errno : -ENOENT);
		for (int i = 0; i < n; i++) {
			if (!err)
				err = load_file(dir, names[i]->d_name, rules, ret_error);
			free(names[i]);
		}
		free(names);
	}
	if (!err)
		err = pii_rules_compile(rules, ret_error);
	if (!err)
		*ret = TAKE_PTR(rules);
	return err;
}

/* Written aside and moved to where nothing is yet, so that two that start at once agree on one key. Workers may not link(2). */
static int make_key(int dir)
{
	char temporary[64];
	struct pii_key key;
	_cleanup_close_ int fd = -1;
	int err = 0;

	if (getrandom(key.bytes, sizeof(key.bytes), 0) != sizeof(key.bytes))
		return -EIO;
	snprintf(temporary, sizeof(temporary), ".pii.key.%ld", (long)getpid());
	unlinkat(dir, temporary, 0);
	fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0400);
	if (fd < 0)
		return -errno;
	if (write(fd, key.bytes, sizeof(key.bytes)) != sizeof(key.bytes) || fsync(fd) < 0)
		err = errno ? -errno : -EIO;
	explicit_bzero(&key, sizeof(key));
	if (!err && renameat2(dir, temporary, dir, "pii.key", RENAME_NOREPLACE) < 0 && errno != EEXIST)
		err = -errno;
	unlinkat(dir, temporary, 0);
	if (!err && fsync(dir) < 0)
		err = -errno;
	return err;
}

int pii_load_key(const char *dir, struct pii_key *ret)
{
	_cleanup_close_ int at = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd = -1;
	struct pii_key key;
	struct stat st;
	int err;

	if (at < 0)
		return -errno;
	fd = openat(at, "pii.key", O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT) {
		err = make_key(at);
		if (err < 0)
			return err;
		fd = openat(at, "pii.key", O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	}
	if (fd < 0)
		return errno == ELOOP ? -EPERM : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_mode & 077 || st.st_uid != geteuid())
		return -EPERM;
	if (st.st_size != sizeof(key.bytes) || read(fd, key.bytes, sizeof(key.bytes)) != sizeof(key.bytes))
		return -EBADMSG;
	*ret = key;
	explicit_bzero(&key, sizeof(key));
	return 0;
}
