// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Blocks by cgroup programs (bpf/block/block.bpf.c): each is an instance of its own, whose links are pinned in a folder and so
 * outlive this process. An update attaches the new instance before the old one goes: there is no moment without.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "auditor/block/host.h"
#include "block.skel.h"
#include "bpf/block.h"
#include "common/cgroup2.h"
#include "common/cleanup.h"

static const char *const files[] = { "in", "out", "connect4", "connect6", "refused" };

static int no_print(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	return 0;
}

static uint64_t boot_ns(int64_t expires_s, int64_t now_s)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec + (expires_s > now_s ? (uint64_t)(expires_s - now_s) * 1000000000u : 0);
}

static void unpin(const char *dir)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		unlink(path);
	}
	rmdir(dir);
}

static int add_entry(struct block_bpf *s, const struct block_prefix *p, uint64_t until)
{
	struct bw_block_key key = { .prefix_len = p->len };

	memcpy(key.address, p->address, sizeof(key.address));
	return bpf_map__update_elem(s->maps.bw_block_list, &key, sizeof(key), &until, sizeof(until), BPF_ANY);
}

static int attach_and_pin(struct block_bpf *s, const char *dir, int cgroup)
{
	struct bpf_program *const progs[] = { s->progs.bw_block_in, s->progs.bw_block_out, s->progs.bw_block_connect4, s->progs.bw_block_connect6 };
	char path[PATH_MAX];
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(progs) && !r; i++) {
		struct bpf_link *link = bpf_program__attach_cgroup(progs[i], cgroup);

		if (!link)
			return -errno;
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		r = bpf_link__pin(link, path);
		bpf_link__destroy(link); /* the pin keeps it */
	}
	snprintf(path, sizeof(path), "%s/refused", dir);
	return r ? r : bpf_map__pin(s->maps.bss, path);
}

/* One instance in the folder @dir, which must not be there. */
static int instance(const char *dir, const char *cgroup_path, enum bw_block_mode mode, const struct block_prefix *const *list, const uint64_t *until,
		    uint32_t n, uint64_t until_all, char *why, size_t size)
{
	_cleanup_close_ int cgroup = open(cgroup_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const char *what = cgroup_path;
	struct block_bpf *s = NULL;
	int r = cgroup < 0 ? -errno : 0;

	libbpf_set_print(no_print);
	if (!r) {
		what = "the programs cannot be loaded";
		s = block_bpf__open();
		r = s ? 0 : -errno;
	}
	if (!r) {
		s->rodata->bw_block_mode = mode;
		s->rodata->bw_block_until_ns = until_all;
		r = block_bpf__load(s);
	}
	for (uint32_t i = 0; i < n && !r; i++) {
		what = "the list of addresses";
		r = add_entry(s, list[i], until[i]);
	}
	if (!r) {
		what = dir;
		r = mkdir(dir, 0700) < 0 ? -errno : 0;
		if (!r) {
			what = "the programs cannot be attached";
			r = attach_and_pin(s, dir, cgroup);
			if (r)
				unpin(dir);
		}
	}
	block_bpf__destroy(s);
	if (r)
		snprintf(why, size, "%s: %s%s", what, strerror(-r), r == -EPERM || r == -EACCES ? " (does the policy of the guard admit them?)" : "");
	return r;
}

/* mkdir -p of the last component, on a BPF file system. */
static int pins_dir(const char *pins, char *why, size_t size)
{
	if (mkdir(pins, 0700) < 0 && errno != EEXIST) {
		snprintf(why, size, "%s: %s (is a BPF file system mounted there?)", pins, strerror(errno));
		return -errno;
	}
	return 0;
}

int block_cgroup_addresses(const char *pins, const struct block_list *l, int64_t now_s, char *why, size_t size)
{
	const struct block_prefix *list[BLOCK_MAX];
	uint64_t until[BLOCK_MAX];
	char root[PATH_MAX], dirs[2][PATH_MAX];
	uint32_t n = 0;
	int now = 0, r;

	snprintf(dirs[0], sizeof(dirs[0]), "%s/addresses", pins);
	snprintf(dirs[1], sizeof(dirs[1]), "%s/addresses-2", pins);
	for (uint32_t i = 0; i < l->n && n < BLOCK_MAX; i++)
		if (l->v[i].kind == BLOCK_ADDRESS) {
			list[n] = &l->v[i].address;
			until[n++] = boot_ns(l->v[i].expires_s, now_s);
		}
	if (!n) {
		unpin(dirs[0]);
		unpin(dirs[1]);
		return 0;
	}
	r = cgroup2_mount(root, sizeof(root));
	if (r < 0) {
		snprintf(why, size, "there are no cgroups of version 2 here");
		return r;
	}
	r = pins_dir(pins, why, size);
	if (r < 0)
		return r;
	if (!access(dirs[0], F_OK)) {
		now = 1;
		unpin(dirs[1]); /* of an update that did not end */
	}
	r = instance(dirs[now], root, BW_BLOCK_LISTED, list, until, n, 0, why, size);
	if (!r)
		unpin(dirs[!now]);
	return r;
}

int block_cgroup_isolate(const char *pins, const struct block *b, int64_t now_s, char *why, size_t size)
{
	const struct block_prefix *list[BLOCK_MAX_ALLOW];
	uint64_t until[BLOCK_MAX_ALLOW];
	char root[PATH_MAX], cgroup[2 * PATH_MAX], dir[PATH_MAX];
	struct stat st;
	int r;

	snprintf(dir, sizeof(dir), "%s/block-%u", pins, b->id);
	if (!stat(dir, &st))
		return 0;
	r = cgroup2_mount(root, sizeof(root));
	if (r < 0) {
		snprintf(why, size, "there are no cgroups of version 2 here");
		return r;
	}
	for (uint32_t i = 0; i < b->n_allow; i++) {
		list[i] = &b->allow[i];
		until[i] = UINT64_MAX;
	}
	snprintf(cgroup, sizeof(cgroup), "%s%s", root, b->cgroup);
	r = pins_dir(pins, why, size);
	return r ? r : instance(dir, cgroup, BW_BLOCK_OTHERS, list, until, b->n_allow, boot_ns(b->expires_s, now_s), why, size);
}

int block_cgroup_release(const char *pins, uint32_t id)
{
	char dir[PATH_MAX];

	snprintf(dir, sizeof(dir), "%s/block-%u", pins, id);
	if (access(dir, F_OK) < 0)
		return -errno;
	unpin(dir);
	return 0;
}

void block_cgroup_tidy(const char *pins, const struct block_list *l)
{
	DIR *d = opendir(pins);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		const struct block *b;
		unsigned int id;

		if (sscanf(e->d_name, "block-%u", &id) != 1)
			continue;
		b = block_find(l, id);
		if (!b || b->kind != BLOCK_SERVICE)
			block_cgroup_release(pins, id);
	}
	if (d)
		closedir(d);
	rmdir(pins); /* when nothing is left */
}

int block_cgroup_refused(const char *pins, uint32_t id, uint64_t *ret)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];
	uint32_t key = 0;

	if (id)
		snprintf(path, sizeof(path), "%s/block-%u/refused", pins, id);
	else
		snprintf(path, sizeof(path), "%s/addresses%s/refused", pins, "");
	fd = bpf_obj_get(path);
	if (fd < 0)
		return fd;
	return bpf_map_lookup_elem(fd, &key, ret);
}

/* ---- one process -------------------------------------------------------------------------------------------------------------------- */

static int write_pid(const char *dir, uint32_t pid)
{
	char path[2 * PATH_MAX];
	_cleanup_close_ int fd = -1;
	int n;

	snprintf(path, sizeof(path), "%s/cgroup.procs", dir);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = dprintf(fd, "%u", pid);
	return n < 0 ? -errno : 0;
}

int block_process_move(uint32_t pid, uint32_t id, char *cgroup, size_t size, char *why, size_t why_size)
{
	char root[PATH_MAX], now[PATH_MAX], dir[3 * PATH_MAX];
	int r = cgroup2_mount(root, sizeof(root));

	if (!r)
		r = cgroup2_of(pid, now, sizeof(now));
	if (r < 0) {
		snprintf(why, why_size, "process %u: %s", pid, r == -ESRCH ? "there is none" : "it has no cgroup of version 2");
		return r;
	}
	if (snprintf(cgroup, size, "%s/bpfwarden-block-%u", strcmp(now, "/") ? now : "", id) >= (int)size)
		return -E2BIG;
	snprintf(dir, sizeof(dir), "%s%s", root, cgroup);
	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		r = -errno;
	if (!r)
		r = write_pid(dir, pid);
	if (r) {
		snprintf(why, why_size, "process %u cannot be moved to %s: %s", pid, dir, strerror(-r));
		rmdir(dir);
	}
	return r;
}

void block_process_restore(const char *cgroup)
{
	char root[PATH_MAX], dir[2 * PATH_MAX], above[2 * PATH_MAX], path[3 * PATH_MAX], *slash;

	if (cgroup2_mount(root, sizeof(root)) < 0)
		return;
	snprintf(dir, sizeof(dir), "%s%s", root, cgroup);
	snprintf(above, sizeof(above), "%s", dir);
	slash = strrchr(above, '/');
	if (!slash || !strstr(slash, "/bpfwarden-block-"))
		return;
	*slash = 0;
	snprintf(path, sizeof(path), "%s/cgroup.procs", dir);
	/* Again, should it fork meanwhile. */
	for (int tries = 0; tries < 10 && rmdir(dir) < 0 && errno == EBUSY; tries++) {
		_cleanup_fclose_ FILE *f = fopen(path, "re");
		unsigned int pid;

		while (f && fscanf(f, "%u", &pid) == 1)
			write_pid(above, pid);
	}
}
