// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Who may use BPF: capabilities of processes (proc(5), /proc/PID/status), of files (capabilities(7);
 * linux/capability.h, struct vfs_cap_data) and of systemd units.
 */
#include <dirent.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "auditor/posture/posture.h"
#include "common/cleanup.h"
#include "common/slice.h"

#define MAX_PROCESSES 65536u
#define MAX_ENTRIES   65536u
#define GUARD_UNIT    "bpfwardend.service"

static void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

static bool field_of(const char *status, const char *name, int base, uint64_t *ret)
{
	size_t len = strlen(name);
	const char *p = status;

	for (; p && *p; p = strchr(p, '\n'), p = p ? p + 1 : NULL)
		if (!strncmp(p, name, len) && p[len] == ':') {
			char *end;

			errno = 0;
			*ret = strtoull(p + len + 1, &end, base);
			return !errno && end != p + len + 1;
		}
	return false;
}

static bool in_container(const char *cgroup)
{
	static const char *const marks[] = { "docker", "kubepods",	"containerd", "libpod", "crio-",
					     "/lxc",   "machine.slice", "garden/",    "podman-" };

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if (strstr(cgroup, marks[i]))
			return true;
	return false;
}

static bool link_of(const char *root, const char *path, char *buf, size_t size)
{
	char full[PATH_MAX];
	ssize_t n;

	if (snprintf(full, sizeof(full), "%s%s", root, path) >= (int)sizeof(full))
		return false;
	n = readlink(full, buf, size - 1);
	if (n < 0)
		return false;
	buf[n] = 0;
	return true;
}

static int read_process(const char *root, unsigned long pid, const char *init_userns, struct bw_arena *scratch,
			struct posture_host *h, size_t *cap)
{
	struct posture_process p = { .pid = (uint32_t)pid };
	struct posture_text status, cgroup;
	char path[64], ns[64];
	uint64_t caps, uid, kernel_thread;
	const char *name;

	snprintf(path, sizeof(path), "/proc/%lu/status", pid);
	status = posture_read(scratch, root, path);
	if (status.state == POSTURE_ABSENT)
		return 0;
	if (status.state != POSTURE_VALUE || !field_of(status.text, "CapEff", 16, &caps) ||
	    !field_of(status.text, "Uid", 10, &uid)) {
		/* ended while we looked: nothing is missing */
		h->processes_known &= status.state == POSTURE_UNREAD && errno == ESRCH;
		return 0;
	}
	h->n_all_processes++;
	p.caps = caps & POSTURE_CAPS;
	p.uid = (uint32_t)uid;
	/* kernel threads hold everything and are the kernel ("Kthread:" from 6.11; else they have no memory) */
	if (!p.caps ||
	    (field_of(status.text, "Kthread", 10, &kernel_thread) ? kernel_thread : !strstr(status.text, "VmSize:")))
		return 0;
	snprintf(path, sizeof(path), "/proc/%lu/cgroup", pid);
	cgroup = posture_read(scratch, root, path);
	p.container = cgroup.state == POSTURE_VALUE && in_container(cgroup.text);
	snprintf(path, sizeof(path), "/proc/%lu/ns/user", pid);
	p.userns_known = *init_userns && link_of(root, path, ns, sizeof(ns));
	p.other_userns = p.userns_known && strcmp(ns, init_userns);
	name = strncmp(status.text, "Name:\t", 6) ? "" : status.text + 6;
	p.comm = bw_arena_strn(&h->arena, name, strcspn(name, "\n"));
	if (!p.comm || !bw_arena_grow(&h->arena, &h->processes, h->n_processes, cap, sizeof(p)))
		return -ENOMEM;
	h->processes[h->n_processes++] = p;
	return 0;
}

static int read_processes(const char *root, struct posture_host *h)
{
	BW_CLEANUP(closedirp) DIR *d = NULL;
	char full[PATH_MAX], init_userns[64] = "";
	struct dirent *e;
	bool saw_first = false;
	size_t cap = 0;

	if (snprintf(full, sizeof(full), "%s/proc", root) >= (int)sizeof(full))
		return 0;
	d = opendir(full);
	if (!d)
		return 0;
	link_of(root, "/proc/1/ns/user", init_userns, sizeof(init_userns));
	h->processes_known = true;
	while ((e = readdir(d))) {
		struct bw_arena scratch = { 0 };
		char *end;
		unsigned long pid = strtoul(e->d_name, &end, 10);
		uint32_t seen;
		int r;

		if (*end || !pid || pid > UINT32_MAX || e->d_name[0] == '+' || e->d_name[0] == '-')
			continue;
		if (h->n_all_processes >= MAX_PROCESSES) {
			h->processes_known = false;
			break;
		}
		seen = h->n_all_processes;
		r = read_process(root, pid, init_userns, &scratch, h, &cap);
		saw_first |= pid == 1 && h->n_all_processes > seen;
		bw_arena_free(&scratch);
		if (r < 0)
			return r;
	}
	/* process 1 is always there: without it others are hidden as well (hidepid=) */
	h->processes_known &= saw_first;
	return 0;
}

/* The permitted set of a file, in POSTURE_CAPS; 0 for none. */
static uint64_t caps_of_file(const char *path, bool *ret_unreadable)
{
	uint8_t raw[64];
	ssize_t n = lgetxattr(path, "security.capability", raw, sizeof(raw));
	uint32_t magic;
	uint64_t caps;

	if (n < 0) {
		*ret_unreadable |= errno != ENODATA && errno != ENOTSUP && errno != ENOENT;
		return 0;
	}
	if (n < XATTR_CAPS_SZ_1)
		return 0;
	magic = bw_get_u32(raw, false);
	caps = bw_get_u32(raw + 4, false);
	if ((magic & VFS_CAP_REVISION_MASK) != VFS_CAP_REVISION_1 && n >= XATTR_CAPS_SZ_2)
		caps |= (uint64_t)bw_get_u32(raw + 12, false) << 32;
	/* revision 3 with a root id other than 0 counts in that user namespace only */
	if ((magic & VFS_CAP_REVISION_MASK) == VFS_CAP_REVISION_3 && n >= XATTR_CAPS_SZ_3 &&
	    bw_get_u32(raw + 20, false))
		return 0;
	return caps & POSTURE_CAPS;
}

static int read_filecaps(const char *root, struct posture_host *h)
{
	static const char *const dirs[] = { "/usr/bin",	    "/usr/sbin", "/usr/local/bin", "/usr/local/sbin",
					    "/usr/libexec", "/bin",	 "/sbin" };
	size_t cap = 0;
	uint32_t seen = 0, opened = 0;
	bool unreadable = false;

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		BW_CLEANUP(closedirp) DIR *d = NULL;
		char full[PATH_MAX];
		struct dirent *e;
		struct stat st;

		snprintf(full, sizeof(full), "%s%s", root, dirs[i]);
		if (lstat(full, &st) < 0 || !S_ISDIR(st.st_mode))
			continue;
		d = opendir(full);
		if (!d) {
			unreadable = true;
			continue;
		}
		opened++;
		while ((e = readdir(d)) && seen++ < MAX_ENTRIES) {
			uint64_t caps;

			if (snprintf(full, sizeof(full), "%s%s/%s", root, dirs[i], e->d_name) >= (int)sizeof(full))
				continue;
			caps = caps_of_file(full, &unreadable);
			if (!caps)
				continue;
			if (!bw_arena_grow(&h->arena, &h->filecaps, h->n_filecaps, &cap, sizeof(*h->filecaps)))
				return -ENOMEM;
			h->filecaps[h->n_filecaps++] =
				(struct posture_filecap){ bw_arena_str(&h->arena, full + strlen(root)), caps };
		}
	}
	h->filecaps_known = opened && !unreadable && seen < MAX_ENTRIES;
	return 0;
}

/* Words of systemd.exec(5), AmbientCapabilities=; an assignment that begins with ~ takes away. */
static uint64_t ambient_of(const char *text)
{
	static const struct {
		const char *name;
		uint64_t bit;
	} names[] = { { "CAP_BPF", POSTURE_CAP_BPF },
		      { "CAP_PERFMON", POSTURE_CAP_PERFMON },
		      { "CAP_SYS_ADMIN", POSTURE_CAP_SYS_ADMIN } };
	uint64_t caps = 0;
	const char *p = text;

	for (; p && *p; p = strchr(p, '\n'), p = p ? p + 1 : NULL) {
		const char *v;
		uint64_t here = 0;
		size_t n;

		if (strncmp(p, "AmbientCapabilities=", 20))
			continue;
		v = p + 20;
		n = strcspn(v, "\n");
		for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
			const char *at = memmem(v, n, names[i].name, strlen(names[i].name));

			if (at)
				here |= names[i].bit;
		}
		if (!n)
			caps = 0;
		else if (*v == '~')
			caps = (caps ? caps : POSTURE_CAPS) & ~here;
		else
			caps |= here;
	}
	return caps;
}

/* Is there /etc/systemd/system/ANY.wants/NAME (or .requires)? */
static bool unit_enabled(const char *root, const char *name)
{
	static const char *const ends[] = { ".wants", ".requires" };
	BW_CLEANUP(closedirp) DIR *d = NULL;
	char full[PATH_MAX];
	struct dirent *e;

	snprintf(full, sizeof(full), "%s/etc/systemd/system", root);
	d = opendir(full);
	while (d && (e = readdir(d)))
		for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
			size_t n = strlen(e->d_name), m = strlen(ends[i]);
			struct stat st;

			if (n > m && !strcmp(e->d_name + n - m, ends[i]) &&
			    snprintf(full, sizeof(full), "%s/etc/systemd/system/%s/%s", root, e->d_name, name) <
				    (int)sizeof(full) &&
			    !lstat(full, &st))
				return true;
		}
	return false;
}

static int read_units(const char *root, struct posture_host *h)
{
	static const char *const dirs[] = { "/etc/systemd/system", "/run/systemd/system",
					    "/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
					    "/lib/systemd/system" };
	uint32_t seen = 0, opened = 0;
	size_t cap = 0;

	h->units_state = POSTURE_ABSENT;
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		BW_CLEANUP(closedirp) DIR *d = NULL;
		char full[PATH_MAX];
		struct dirent *e;

		snprintf(full, sizeof(full), "%s%s", root, dirs[i]);
		d = opendir(full);
		if (!d) {
			if (errno != ENOENT)
				h->units_state = POSTURE_UNREAD;
			continue;
		}
		opened++;
		while ((e = readdir(d)) && seen++ < MAX_ENTRIES) {
			struct bw_arena scratch = { 0 };
			struct posture_text t;
			struct posture_unit u;
			size_t n = strlen(e->d_name);
			bool known = false;

			/* the first folder that has a unit decides (systemd.unit(5)) */
			for (size_t k = 0; k < h->n_units; k++)
				known |= !strcmp(h->units[k].name, e->d_name);
			if (known || n < 9 || strcmp(e->d_name + n - 8, ".service") ||
			    snprintf(full, sizeof(full), "%s/%s", dirs[i], e->d_name) >= (int)sizeof(full))
				continue;
			t = posture_read(&scratch, root, full);
			u = (struct posture_unit){ .ambient = t.state == POSTURE_VALUE ? ambient_of(t.text) : 0 };
			u.early = t.state == POSTURE_VALUE && strstr(t.text, "\nDefaultDependencies=no");
			bw_arena_free(&scratch);
			if (t.state != POSTURE_VALUE || (!u.ambient && strcmp(e->d_name, GUARD_UNIT)))
				continue;
			u.enabled = unit_enabled(root, e->d_name);
			u.name = bw_arena_str(&h->arena, e->d_name);
			if (!u.name || !bw_arena_grow(&h->arena, &h->units, h->n_units, &cap, sizeof(u)))
				return -ENOMEM;
			h->units[h->n_units++] = u;
		}
	}
	if (opened && h->units_state == POSTURE_ABSENT && seen < MAX_ENTRIES)
		h->units_state = POSTURE_VALUE;
	else if (opened)
		h->units_state = POSTURE_UNREAD;
	return 0;
}

int posture_host_read_people(const char *root, struct posture_host *h)
{
	int r = read_processes(root, h);

	if (!r)
		r = read_filecaps(root, h);
	return r ? r : read_units(root, h);
}
