// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/cgroup.h"

#include <fcntl.h>
#include <string.h>

#include "common/cleanup.h"

#define CGROUP_ROOT "/sys/fs/cgroup"
#define CACHE 64
#define FILEID_KERNFS 0xfe /* include/linux/exportfs.h */

struct cgroup_names {
	cgroup_resolve_fn resolve;
	void *arg;
	struct {
		uint64_t id;
		char path[CGROUP_PATH_LEN]; /* "": there is none */
	} cache[CACHE];
};

int cgroup_names_open(cgroup_resolve_fn resolve, void *arg, struct cgroup_names **ret)
{
	struct cgroup_names *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->resolve = resolve;
	c->arg = arg;
	*ret = c;
	return 0;
}

void cgroup_names_free(struct cgroup_names *c)
{
	free(c);
}

void cgroup_names_forget(struct cgroup_names *c)
{
	for (int i = 0; i < CACHE; i++)
		c->cache[i].id = 0;
}

int cgroup_root(void)
{
	int fd = open(CGROUP_ROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* A cgroup's id is the file handle of its directory (kernfs). */
int cgroup_path(int root, uint64_t id, char *path, size_t len)
{
	union {
		struct file_handle h;
		char room[sizeof(struct file_handle) + sizeof(id)];
	} u = { .h = { .handle_bytes = sizeof(id), .handle_type = FILEID_KERNFS } };
	_cleanup_close_ int fd = -1;
	char link[64], target[CGROUP_PATH_LEN];
	ssize_t n;

	memcpy(u.h.f_handle, &id, sizeof(id));
	fd = open_by_handle_at(root, &u.h, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	target[n] = 0;
	if (strncmp(target, CGROUP_ROOT, strlen(CGROUP_ROOT)))
		return -ENOENT;
	snprintf(path, len, "%s", target[strlen(CGROUP_ROOT)] ? target + strlen(CGROUP_ROOT) : "/"); /* shorter than target */
	return 0;
}

const char *cgroup_name(struct cgroup_names *c, uint64_t id)
{
	unsigned int slot = (unsigned int)(id % CACHE);

	if (!id)
		return NULL;
	if (c->cache[slot].id != id) {
		/* One that is gone is not asked for again with every event. */
		if (c->resolve(c->arg, id, c->cache[slot].path, CGROUP_PATH_LEN) < 0)
			c->cache[slot].path[0] = 0;
		c->cache[slot].id = id;
	}
	return c->cache[slot].path[0] ? c->cache[slot].path : NULL;
}
