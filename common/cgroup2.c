// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "common/cgroup2.h"

#include <limits.h>
#include <string.h>

#include "common/cleanup.h"

int cgroup2_mount(char *path, size_t size)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/self/mountinfo", "re");
	_cleanup_free_ char *line = NULL;
	size_t cap = 0;

	while (f && getline(&line, &cap, f) > 0) {
		const char *type = strstr(line, " - ");
		char point[PATH_MAX];

		if (!type || strncmp(type, " - cgroup2 ", 11) || sscanf(line, "%*u %*u %*s %*s %4095s", point) != 1)
			continue;
		return snprintf(path, size, "%s", point) < (int)size ? 0 : -E2BIG;
	}
	return -ENOENT;
}

int cgroup2_of(unsigned int pid, char *path, size_t size)
{
	_cleanup_fclose_ FILE *f = NULL;
	_cleanup_free_ char *line = NULL;
	char file[64];
	size_t cap = 0;

	snprintf(file, sizeof(file), "/proc/%u/cgroup", pid);
	f = fopen(file, "re");
	if (!f)
		return -ESRCH;
	while (getline(&line, &cap, f) > 0) {
		if (strncmp(line, "0::/", 4))
			continue;
		line[strcspn(line, "\n")] = 0;
		return snprintf(path, size, "%s", line + 3) < (int)size ? 0 : -E2BIG;
	}
	return -ENOENT;
}
