// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Symbols are looked up in the sandbox: the file is a stranger's. */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "auditor/elf_symbol.h"
#include "auditor/exposure_host.h"
#include "common/cleanup.h"
#include "common/sandbox.h"

#define MAX_FILE (1ull << 30)
#define SYMBOL_MS 5000u

struct job {
	struct bw_slice file;
	uint64_t offset;
};

static int child(void *arg, struct bw_sandbox_out *out)
{
	const struct job *j = arg;
	const char *name = elf_symbol_at(j->file, j->offset);

	return name ? bw_sandbox_write(out, name, strlen(name)) : 0;
}

void exposure_symbol(const char *path, uint64_t offset, char *name, size_t size)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	_cleanup_buf_ struct bw_buf out = { .max = size };
	struct bw_sandbox conf = { .wall_ms = SYMBOL_MS };
	struct job j = { .offset = offset };
	char reason[128];
	struct stat st;
	void *p;

	name[0] = 0;
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size <= 0 || (uint64_t)st.st_size > MAX_FILE)
		return;
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return;
	j.file = bw_slice(p, (size_t)st.st_size);
	if (!bw_sandbox_run(&conf, child, &j, &out, reason, sizeof(reason)) && out.len && out.len < size && !memchr(out.data, 0, out.len))
		memcpy(name, out.data, out.len + 1);
	munmap(p, (size_t)st.st_size);
}
