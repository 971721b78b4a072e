// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "auditor/exposure_host.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "common/cgroup2.h"
#include "common/cleanup.h"

#define MAX_CGROUP_DEPTH 64u
#define MAX_SOCKETS 65536u

static void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

static bool number(const char *s, uint32_t *ret)
{
	char *end;
	unsigned long v;

	if (*s < '0' || *s > '9')
		return false;
	v = strtoul(s, &end, 10);
	*ret = (uint32_t)v;
	return !*end && v <= INT_MAX;
}

static uint64_t inode_of(const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 ? 0 : st.st_ino;
}

static void service_free(struct exposure_service *s)
{
	for (uint32_t i = 0; i < s->n_files; i++)
		free((void *)s->files[i].path);
	free((void *)s->files);
	free((void *)s->cgroups);
	free((void *)s->exe);
	free((void *)s->comm);
	*s = (struct exposure_service){ 0 };
}

static bool has_file(const struct exposure_file *v, uint32_t n, const char *path)
{
	for (uint32_t i = 0; i < n; i++)
		if (!strcmp(v[i].path, path))
			return true;
	return false;
}

/* Files mapped as code (proc(5), /proc/PID/maps), as the process sees them. */
static int read_files(struct exposure_host *h, struct exposure_service *s)
{
	struct exposure_file *v = calloc(EXPOSURE_MAX_FILES, sizeof(*v));
	_cleanup_fclose_ FILE *f = NULL;
	_cleanup_free_ char *line = NULL;
	char path[64], seen[PATH_MAX + 64];
	size_t cap = 0;

	if (!v)
		return -ENOMEM;
	s->files = v;
	snprintf(path, sizeof(path), "/proc/%u/maps", s->pid);
	f = fopen(path, "re");
	while (f && getline(&line, &cap, f) > 0) {
		char perms[5], *name = strchr(line, '/');
		struct stat st;

		if (!name || sscanf(line, "%*s %4s", perms) != 1 || perms[2] != 'x')
			continue;
		name[strcspn(name, "\n")] = 0;
		if (strlen(name) >= PATH_MAX || has_file(v, s->n_files, name))
			continue;
		if (s->n_files == EXPOSURE_MAX_FILES) {
			h->truncated = true;
			break;
		}
		v[s->n_files].path = strdup(name);
		if (!v[s->n_files].path)
			return -ENOMEM;
		snprintf(seen, sizeof(seen), "/proc/%u/root%s", s->pid, name);
		if (!stat(seen, &st)) {
			v[s->n_files].dev = st.st_dev;
			v[s->n_files].ino = st.st_ino;
		}
		s->n_files++;
	}
	return 0;
}

/* The cgroup and all above it, by id: the inode number of its directory. */
static int read_cgroups(const struct exposure_host *h, struct exposure_service *s)
{
	uint64_t *v = calloc(MAX_CGROUP_DEPTH, sizeof(*v));
	char below[PATH_MAX], dir[2 * PATH_MAX];
	size_t root = strlen(h->cgroup_root);

	if (!v)
		return -ENOMEM;
	s->cgroups = v;
	if (!root || cgroup2_of(s->pid, below, sizeof(below)) < 0)
		return 0;
	snprintf(dir, sizeof(dir), "%s%s", h->cgroup_root, strcmp(below, "/") ? below : "");
	for (;;) {
		uint64_t id = inode_of(dir);
		char *slash = strrchr(dir, '/');

		if (id && s->n_cgroups < MAX_CGROUP_DEPTH)
			v[s->n_cgroups++] = id;
		if (strlen(dir) <= root || !slash)
			return 0;
		*slash = 0;
	}
}

static int read_service(struct exposure_host *h, const struct api_data *data, uint32_t pid, struct exposure_service *s)
{
	char path[64], exe[PATH_MAX], comm[17] = "";
	_cleanup_fclose_ FILE *f = NULL;
	static const char deleted[] = " (deleted)";
	ssize_t n;
	int r;

	snprintf(path, sizeof(path), "/proc/%u/exe", pid);
	n = readlink(path, exe, sizeof(exe) - 1);
	exe[n > 0 ? n : 0] = 0;
	if (n > (ssize_t)strlen(deleted) && !strcmp(exe + n - strlen(deleted), deleted))
		exe[n - (ssize_t)strlen(deleted)] = 0;
	snprintf(path, sizeof(path), "/proc/%u/comm", pid);
	f = fopen(path, "re");
	if (!f || !fgets(comm, sizeof(comm), f))
		return -ESRCH;
	comm[strcspn(comm, "\n")] = 0;
	if (!exposure_concerns(data, *exe ? exe : comm))
		return -ESRCH;
	*s = (struct exposure_service){ .pid = pid, .exe = strdup(exe), .comm = strdup(comm) };
	if (!s->exe || !s->comm)
		return -ENOMEM;
	r = read_files(h, s);
	if (!r)
		r = read_cgroups(h, s);
	snprintf(path, sizeof(path), "/proc/%u/ns/net", pid);
	s->netns = inode_of(path);
	return r;
}

int exposure_host_read(const struct api_data *data, struct exposure_host *ret)
{
	BW_CLEANUP(closedirp) DIR *d = opendir("/proc");
	struct exposure_host h = { .own_netns = inode_of("/proc/self/ns/net") };
	struct dirent *e;
	int r = 0;

	if (cgroup2_mount(h.cgroup_root, sizeof(h.cgroup_root)) < 0)
		h.cgroup_root[0] = 0;
	h.services = calloc(EXPOSURE_MAX_SERVICES, sizeof(*h.services));
	if (!h.services)
		return -ENOMEM;
	while (!r && d && (e = readdir(d))) {
		uint32_t pid;

		if (!number(e->d_name, &pid))
			continue;
		if (h.n_services == EXPOSURE_MAX_SERVICES) {
			h.truncated = true;
			break;
		}
		r = read_service(&h, data, pid, &h.services[h.n_services]);
		if (r == -ESRCH)
			r = 0;
		else
			h.n_services++;
	}
	if (r < 0) {
		exposure_host_free(&h);
		return r;
	}
	*ret = h;
	return 0;
}

void exposure_host_free(struct exposure_host *h)
{
	for (uint32_t i = 0; h->services && i < h->n_services; i++)
		service_free(&h->services[i]);
	free(h->services);
	*h = (struct exposure_host){ 0 };
}

void exposure_host_locate(const struct exposure_host *h, struct exposure_point *p)
{
	char path[PATH_MAX];
	struct stat st;

	if (p->place == EXPOSURE_AT_FILE && p->name_len < sizeof(path)) {
		memcpy(path, p->name, p->name_len);
		path[p->name_len] = 0;
		if (path[0] == '/' && !stat(path, &st)) {
			p->dev = st.st_dev;
			p->ino = st.st_ino;
		}
	} else if (p->place == EXPOSURE_AT_CGROUP && !p->cgroup && p->name_len < sizeof(path)) {
		if (snprintf(path, sizeof(path), "%s%.*s", h->cgroup_root, (int)p->name_len, p->name) < (int)sizeof(path) && *h->cgroup_root)
			p->cgroup = inode_of(path);
	} else if ((p->place == EXPOSURE_AT_INTERFACE || p->place == EXPOSURE_AT_NETNS) && p->netns == h->own_netns) {
		p->netns = 0;
	} else if (p->place == EXPOSURE_AT_INTERFACE && !p->netns && p->name_len == 2 && !memcmp(p->name, "lo", 2)) {
		/* The loopback of the host is not that of another namespace. */
		p->netns = h->own_netns;
	}
}

/* ---- connections of readers ------------------------------------------------------------------------------------------------- */

static int inode_order(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Inode numbers of a process' sockets, sorted. */
static uint32_t sockets_of(uint32_t pid, uint64_t *inodes)
{
	BW_CLEANUP(closedirp) DIR *d = NULL;
	struct dirent *e;
	char path[64], link[64];
	uint32_t n = 0;

	snprintf(path, sizeof(path), "/proc/%u/fd", pid);
	d = opendir(path);
	while (d && n < MAX_SOCKETS && (e = readdir(d))) {
		ssize_t len = readlinkat(dirfd(d), e->d_name, link, sizeof(link) - 1);

		if (len <= 0)
			continue;
		link[len] = 0;
		n += sscanf(link, "socket:[%" SCNu64 "]", &inodes[n]) == 1;
	}
	qsort(inodes, n, sizeof(*inodes), inode_order);
	return n;
}

static bool is_loopback(int family, const void *addr)
{
	const uint8_t *b = addr;

	if (family == AF_INET6 && IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)addr))
		b += 12;
	else if (family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK((const struct in6_addr *)addr);
	return b[0] == 127;
}

/* One line of /proc/net/tcp or tcp6: addresses are in words of the host's byte order. */
static int connection(struct exposure_reader *r, const char *line, const uint64_t *inodes, uint32_t n_inodes)
{
	char remote[40], text[INET6_ADDRSTRLEN], *shown;
	unsigned int port, state;
	uint32_t words[4] = { 0 };
	uint64_t inode;
	int family;

	if (sscanf(line, " %*u: %*32[0-9A-Fa-f]:%*x %32[0-9A-Fa-f]:%x %x %*s %*s %*s %*u %*u %" SCNu64, remote, &port, &state, &inode) != 4 ||
	    state != 1 /* TCP_ESTABLISHED */ || !bsearch(&inode, inodes, n_inodes, sizeof(*inodes), inode_order))
		return 0;
	family = strlen(remote) == 8 ? AF_INET : AF_INET6;
	for (int i = 0; i < (family == AF_INET ? 1 : 4); i++)
		if (sscanf(remote + 8 * i, "%8x", &words[i]) != 1)
			return 0;
	if (is_loopback(family, words) || !inet_ntop(family, words, text, sizeof(text)))
		return 0;
	if (asprintf(&shown, family == AF_INET ? "%s:%u" : "[%s]:%u", text, port) < 0)
		return -ENOMEM;
	if (!r->connections)
		r->connections = calloc(EXPOSURE_MAX_CONNECTIONS, sizeof(*r->connections));
	if (!r->connections) {
		free(shown);
		return -ENOMEM;
	}
	r->connections[r->n_connections++] = shown;
	return 0;
}

int exposure_host_connections(struct exposure_report *rep)
{
	static const char *const tables[] = { "tcp", "tcp6" };
	_cleanup_free_ uint64_t *inodes = malloc(MAX_SOCKETS * sizeof(*inodes));
	int r = 0;

	if (!inodes)
		return -ENOMEM;
	for (uint32_t p = 0; p < rep->n_programs; p++)
		for (uint32_t i = 0; i < rep->programs[p].n_readers; i++) {
			struct exposure_reader *reader = &rep->programs[p].readers[i];
			uint32_t n = reader->now ? sockets_of(reader->pid, inodes) : 0;

			for (size_t t = 0; n && t < ARRAY_SIZE(tables); t++) {
				_cleanup_fclose_ FILE *f = NULL;
				char path[64], line[512];

				snprintf(path, sizeof(path), "/proc/%u/net/%s", reader->pid, tables[t]);
				f = fopen(path, "re");
				while (f && !r && reader->n_connections < EXPOSURE_MAX_CONNECTIONS && fgets(line, sizeof(line), f))
					r = connection(reader, line, inodes, n);
			}
			if (r)
				return r;
		}
	return 0;
}
