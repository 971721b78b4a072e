// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What is pinned: every file on every BPF file system, in every mount namespace that some process has (proc(5),
 * /proc/PID/mountinfo and /proc/PID/root).
 */
#include "common/inventory/inventory.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/inventory/abi.h"

#define MAX_DEPTH  16u
#define MAX_MOUNTS 1024u

static void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

struct seen {
	dev_t dev[MAX_MOUNTS];
	uint32_t n;
	unsigned long ns[MAX_MOUNTS];
	uint32_t n_ns;
};

/* The kind of a pinned object: only the matching information has a size of its own. */
static int saw_pin(struct inventory *inv, const char *real, const char *shown)
{
	union bpf_attr attr = { .pathname = (uintptr_t)real, .file_flags = BPF_F_RDONLY };
	struct inv_sighting s = { .view = INV_VIEW_PIN, .fd = -1 };
	_cleanup_close_ int fd = inv_bpf(BPF_OBJ_GET, &attr, sizeof(attr));
	char path[64], line[128], *text;
	_cleanup_fclose_ FILE *f = NULL;
	unsigned int id;

	if (fd < 0) { /* programs and links have no read-only descriptors */
		attr.file_flags = 0;
		fd = inv_bpf(BPF_OBJ_GET, &attr, sizeof(attr));
	}
	if (fd < 0)
		return fd == -ENOENT ? 0 : inv_note(inv, "a pinned object cannot be opened: %s", strerror(-fd));
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		/* A link says prog_id as well, after its own. */
		if (sscanf(line, "link_id: %u", &id) == 1) {
			s.kind = INV_LINK;
			s.id = id;
			break;
		}
		if (sscanf(line, "map_id: %u", &id) == 1) {
			s.kind = INV_MAP;
			s.id = id;
		} else if (!s.id && sscanf(line, "prog_id: %u", &id) == 1) {
			s.kind = INV_PROG;
			s.id = id;
		}
	}
	if (!s.id)
		return 0;
	text = strdup(shown);
	return text ? inv_saw(inv, &s, text) : -ENOMEM;
}

static int walk(struct inventory *inv, int dir_fd, const char *real, const char *shown, unsigned int depth)
{
	BW_CLEANUP(closedirp) DIR *d = fdopendir(dir_fd);
	struct dirent *e;
	int r = 0;

	if (!d) {
		close(dir_fd);
		return -ENOMEM;
	}
	while (!r && (e = readdir(d))) {
		_cleanup_free_ char *below = NULL, *name = NULL;
		struct stat st;

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (asprintf(&below, "%s/%s", real, e->d_name) < 0) {
			below = NULL;
			return -ENOMEM;
		}
		if (asprintf(&name, "%s/%s", shown, e->d_name) < 0) {
			name = NULL;
			return -ENOMEM;
		}
		if (S_ISREG(st.st_mode) && inv_is_guarded_pin(inv, name)) {
			continue; /* opening it would be an attempt against the guard */
		} else if (S_ISREG(st.st_mode)) {
			r = saw_pin(inv, below, name);
		} else if (S_ISDIR(st.st_mode)) {
			int fd = openat(dirfd(d), e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

			if (depth == MAX_DEPTH)
				r = inv_note(inv, "folders of BPF file systems nest deeper than %u", MAX_DEPTH);
			else if (fd >= 0)
				r = walk(inv, fd, below, name, depth + 1);
			if (depth == MAX_DEPTH && fd >= 0)
				close(fd);
		}
	}
	return r;
}

/* mountinfo escapes blanks as octal numbers. */
static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++)
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] && s[3]) {
			*to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 3;
		} else {
			*to++ = *s;
		}
	*to = 0;
}

static int mounts_of(struct inventory *inv, uint32_t pid, struct seen *seen)
{
	_cleanup_fclose_ FILE *f = NULL;
	_cleanup_free_ char *line = NULL;
	char path[64];
	size_t cap = 0;
	int r = 0;

	snprintf(path, sizeof(path), "/proc/%u/mountinfo", pid);
	f = fopen(path, "re");
	while (f && !r && getline(&line, &cap, f) > 0) {
		char *type = strstr(line, " - "), point[PATH_MAX], real[PATH_MAX + 32];
		struct stat st;
		int fd;
		bool known = false;

		if (!type || strncmp(type, " - bpf ", 7) || sscanf(line, "%*u %*u %*s %*s %4095s", point) != 1)
			continue;
		unescape(point);
		snprintf(real, sizeof(real), "/proc/%u/root%s", pid, point);
		fd = open(real, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0 || fstat(fd, &st) < 0) {
			if (fd >= 0)
				close(fd);
			r = inv_note(inv, "a BPF file system cannot be read: %s", strerror(errno));
			continue;
		}
		for (uint32_t i = 0; i < seen->n; i++)
			known |= seen->dev[i] == st.st_dev;
		if (known || seen->n == MAX_MOUNTS) {
			close(fd);
			if (!known)
				r = inv_note(inv, "more than %u BPF file systems", MAX_MOUNTS);
			continue;
		}
		seen->dev[seen->n++] = st.st_dev;
		r = walk(inv, fd, real, point, 0);
	}
	return r;
}

int inv_pins(struct inventory *inv)
{
	BW_CLEANUP(closedirp) DIR *d = opendir("/proc");
	_cleanup_free_ struct seen *seen = calloc(1, sizeof(*seen));
	struct dirent *e;
	int r;

	if (!seen)
		return -ENOMEM;
	/* The mounts of this process first: their paths are the ones its user knows. */
	r = mounts_of(inv, (uint32_t)getpid(), seen);
	while (!r && d && (e = readdir(d))) {
		char path[64], link[64];
		unsigned long ns = 0;
		bool known = false;
		ssize_t n;

		if (e->d_name[0] < '0' || e->d_name[0] > '9')
			continue;
		snprintf(path, sizeof(path), "/proc/%.20s/ns/mnt", e->d_name);
		n = readlink(path, link, sizeof(link) - 1);
		if (n <= 0)
			continue;
		link[n] = 0;
		if (sscanf(link, "mnt:[%lu]", &ns) != 1)
			continue;
		for (uint32_t i = 0; i < seen->n_ns; i++)
			known |= seen->ns[i] == ns;
		if (known || seen->n_ns == MAX_MOUNTS)
			continue;
		seen->ns[seen->n_ns++] = ns;
		r = mounts_of(inv, (uint32_t)strtoul(e->d_name, NULL, 10), seen);
	}
	for (int k = 0; k < INV_KINDS; k++)
		inv->view[k][INV_VIEW_PIN] = d ? INV_COMPLETE : INV_PARTIAL;
	return r;
}
