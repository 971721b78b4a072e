// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What the operands of "scan" name. */
#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "auditor/scan_run.h"
#include "common/cleanup.h"

void bw_scan_files_free(struct bw_scan_files *l)
{
	bw_arena_free(&l->arena);
	*l = (struct bw_scan_files){ 0 };
}

static int add_file(struct bw_scan_files *l, const char *path, bool named)
{
	char *copy;

	if (l->n >= BW_MAX_SCAN_FILES)
		return -E2BIG;
	copy = bw_arena_str(&l->arena, path);
	if (!copy || !bw_arena_grow(&l->arena, &l->items, l->n, &l->cap, sizeof(*l->items)))
		return -ENOMEM;
	l->items[l->n++] = (struct bw_scan_file){ .path = copy, .named = named };
	return 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int not_dots(const struct dirent *e)
{
	return strcmp(e->d_name, ".") && strcmp(e->d_name, "..");
}

/* The folders' depth is limited, and so is this recursion. */
static int add_folder(struct bw_scan_files *l, const char *path, unsigned int depth)
{
	struct dirent **names = NULL;
	int n, r = 0;

	if (depth > BW_MAX_SCAN_DEPTH)
		return -ELOOP;
	n = scandir(path, &names, not_dots, by_name);
	if (n < 0)
		return -errno;
	for (int i = 0; i < n; i++) {
		_cleanup_free_ char *child = NULL;
		struct stat st;

		if (r >= 0 && asprintf(&child, "%s%s%s", path, path[strlen(path) - 1] == '/' ? "" : "/",
				       names[i]->d_name) < 0) {
			child = NULL;
			r = -ENOMEM;
		}
		free(names[i]);
		if (r < 0 || lstat(child, &st) < 0)
			continue;
		if (S_ISDIR(st.st_mode))
			r = add_folder(l, child, depth + 1);
		else if (S_ISREG(st.st_mode) || (S_ISLNK(st.st_mode) && !stat(child, &st) && S_ISREG(st.st_mode)))
			r = add_file(l, child, false);
	}
	free(names);
	return r;
}

static int add_path(struct bw_scan_files *l, const char *path, const struct stat *st)
{
	return S_ISDIR(st->st_mode) ? add_folder(l, path, 0) : add_file(l, path, true);
}

int bw_scan_files_add(struct bw_scan_files *l, const char *path, const char **ret_reason)
{
	struct stat st;
	glob_t g = { 0 };
	int r;

	if (!*path) {
		*ret_reason = "an empty path";
		return -EINVAL;
	}
	if (!stat(path, &st)) {
		r = add_path(l, path, &st);
	} else if (errno == ENOENT && strpbrk(path, "*?[")) {
		r = glob(path, 0, NULL, &g);
		r = r == GLOB_NOMATCH ? -ENOENT : r ? -EIO : 0;
		for (size_t i = 0; i < g.gl_pathc && r >= 0; i++)
			if (!stat(g.gl_pathv[i], &st))
				r = add_path(l, g.gl_pathv[i], &st);
		globfree(&g);
	} else {
		r = -errno;
	}
	if (r < 0)
		*ret_reason = r == -E2BIG ? "too many files" : r == -ELOOP ? "folders are nested too deep" : strerror(-r);
	return r;
}
