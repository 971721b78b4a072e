// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "auditor/cmd/rules_load.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/limits.h"
#include "common/log.h"

static int is_rule_file(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	return !strncmp(e->d_name, "audit-", 6) && n > 5 && !strcmp(e->d_name + n - 5, ".json");
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int load_file(const char *dir, const char *name, struct bw_ruleset *ret)
{
	_cleanup_free_ char *path = NULL, *text = NULL;
	struct bw_diag diag;
	char line[700];
	size_t len;
	int r;

	if (asprintf(&path, "%s/%s", dir, name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	r = bw_file_read(path, BW_MAX_POLICY_SIZE, &text, &len);
	if (r < 0) {
		bw_err("%s: %s", path, strerror(-r));
		return r;
	}
	r = bw_ruleset_add(ret, text, len, path, &diag);
	if (r < 0)
		bw_err("%s", bw_diag_text(&diag, line, sizeof(line)));
	return r;
}

int rules_load(const char *dir, struct bw_ruleset *ret)
{
	struct dirent **names = NULL;
	struct bw_diag diag;
	char line[700];
	int n, r = 0;

	if (!dir) {
		r = bw_ruleset_default(ret, &diag);
		if (r < 0)
			bw_err("%s", bw_diag_text(&diag, line, sizeof(line)));
		return r;
	}
	n = scandir(dir, &names, is_rule_file, by_name);
	if (n < 0) {
		r = -errno;
		bw_err("%s: %s", dir, strerror(-r));
		return r;
	}
	if (!n) {
		bw_err("%s: there are no rules in it (audit-*.json)", dir);
		r = -ENOENT;
	}
	for (int i = 0; i < n; i++) {
		if (r >= 0)
			r = load_file(dir, names[i]->d_name, ret);
		free(names[i]);
	}
	free(names);
	bw_ruleset_finish(ret);
	return r;
}
