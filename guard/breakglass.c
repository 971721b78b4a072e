// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/breakglass.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/cleanup.h"

#define MAX_CMDLINE 65536
#define WHITE " \t\n"

bool breakglass_in_cmdline(const char *cmdline)
{
	while (*(cmdline += strspn(cmdline, WHITE))) {
		size_t n = strcspn(cmdline, WHITE);

		if (n == strlen(BREAKGLASS_WORD) && !memcmp(cmdline, BREAKGLASS_WORD, n))
			return true;
		cmdline += n;
	}
	return false;
}

bool breakglass_pulled(const char *cmdline_path, const char *file, char *why, size_t why_len)
{
	_cleanup_free_ char *cmdline = NULL;
	struct stat st;
	size_t len;

	*why = 0;
	if (bw_file_read(cmdline_path, MAX_CMDLINE, &cmdline, &len) == 0 && breakglass_in_cmdline(cmdline)) {
		snprintf(why, why_len, "\"" BREAKGLASS_WORD "\" is on the kernel's command line");
		return true;
	}
	if (lstat(file, &st) < 0)
		return false;
	if (!S_ISREG(st.st_mode) || st.st_uid != 0 || st.st_mode & (S_IWGRP | S_IWOTH)) {
		snprintf(why, why_len, "%s is not a file of root's that only root can write: it is not heeded", file);
		return false;
	}
	snprintf(why, why_len, "%s exists", file);
	return true;
}

int breakglass_log(const char *message)
{
	_cleanup_close_ int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC | O_NOCTTY);
	char line[700];
	int n;

	/* One write() is one record, and the device cannot be sought in, which stdio tries. */
	n = snprintf(line, sizeof(line), "<4>bpfwardend: %s\n", message);
	if (fd < 0 || write(fd, line, (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1) < 0)
		return -errno;
	return 0;
}
