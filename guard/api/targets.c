// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/api/targets.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "common/caps.h"
#include "common/cleanup.h"
#include "common/sandbox.h"

#define MAX_FILE (512u << 20)	  /* a larger executable is not looked at */
#define MIN_EXECUTABLE (512u << 10) /* a smaller one holds no TLS library */
#define ANALYSE_MS 3000u

struct api_targets {
	struct api_probes *probes;
	struct api_target *target[API_MAX_TARGETS];
	uint32_t n;
	uint64_t scan;
	uint32_t budget; /* files that may still be parsed */
	bool pending;	 /* and more are waiting */
	struct api_targets_stats stats;
};

int api_targets_new(struct api_probes *probes, struct api_targets **ret)
{
	struct api_targets *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->probes = probes;
	t->budget = UINT32_MAX;
	*ret = t;
	return 0;
}

void api_targets_budget(struct api_targets *t, uint32_t files)
{
	t->budget = files;
	t->pending = false;
}

bool api_targets_pending(const struct api_targets *t)
{
	return t->pending;
}

static void target_free(struct api_targets *t, struct api_target *g)
{
	for (uint32_t i = 0; i < g->n_links; i++)
		api_probes_detach(g->links[i]);
	t->stats.links -= g->n_links;
	t->stats.probed -= g->n_links > 0;
	free(g->links);
	free(g);
}

void api_targets_free(struct api_targets *t)
{
	if (!t)
		return;
	for (uint32_t i = 0; i < t->n; i++)
		target_free(t, t->target[i]);
	free(t);
}

static struct api_target *target_find(const struct api_targets *t, uint32_t major, uint32_t minor, uint64_t ino)
{
	for (uint32_t i = 0; i < t->n; i++)
		if (t->target[i]->ino == ino && t->target[i]->major == major && t->target[i]->minor == minor)
			return t->target[i];
	return NULL;
}

/* ---- what is in the file? ------------------------------------------------------------------------------------------ */

struct analysis {
	struct bw_slice file;
	bool whole;
};

static int analyse(void *arg, struct bw_sandbox_out *out)
{
	const struct analysis *a = arg;
	struct api_sites sites;
	int r = api_sites_find(a->file, a->whole, &sites);

	return r < 0 ? r : bw_sandbox_write(out, &sites, sizeof(sites));
}

/* What the sandbox says is untrusted as well. */
static bool sites_valid(const struct api_sites *s, uint64_t size)
{
	if (s->stack >= API_STACKS || s->n > API_MAX_SITES)
		return false;
	for (uint32_t i = 0; i < s->n; i++)
		if (s->site[i].probe >= API_PROBES || s->site[i].offset >= size)
			return false;
	return true;
}

static int sites_of(int fd, uint64_t size, bool whole, struct api_sites *ret)
{
	static const struct bw_sandbox conf = { .wall_ms = ANALYSE_MS, .max_output = sizeof(*ret) };
	_cleanup_buf_ struct bw_buf out = { 0 };
	void *map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	struct analysis a = { .whole = whole };
	char reason[256];
	int r;

	if (map == MAP_FAILED)
		return -errno;
	a.file = bw_slice(map, size);
	r = bw_sandbox_run(&conf, analyse, &a, &out, reason, sizeof(reason));
	munmap(map, size);
	if (r < 0)
		return r;
	if (out.len != sizeof(*ret))
		return -EPROTO;
	memcpy(ret, out.data, sizeof(*ret));
	return sites_valid(ret, size) ? 0 : -EPROTO;
}

static int attach_all(struct api_targets *t, struct api_target *g, int fd, const struct api_sites *s)
{
	g->links = calloc(2 * s->n, sizeof(*g->links));
	if (!g->links)
		return -ENOMEM;
	for (uint32_t i = 0; i < s->n; i++) {
		struct bpf_link *links[2];
		int n = t->stats.links + 2 > API_MAX_TARGET_LINKS ?
				-ENOSPC :
				api_probes_attach(t->probes, (enum api_probe)s->site[i].probe, fd, s->site[i].offset, s->site[i].ret, links);

		if (n < 0) {
			/* Half of the probes would see half of the bytes. */
			while (g->n_links) {
				api_probes_detach(g->links[--g->n_links]);
				t->stats.links--;
			}
			return n;
		}
		for (int k = 0; k < n; k++)
			g->links[g->n_links++] = links[k];
		t->stats.links += (uint64_t)n;
		g->emulated += s->site[i].emulated;
	}
	t->stats.probed++;
	return 0;
}

/* perf_event_open() of a uprobe takes CAP_SYS_ADMIN, which is in force for nothing else. */
static int attach(struct api_targets *t, struct api_target *g, int fd, const struct api_sites *s)
{
	uint64_t raise = BW_CAP(CAP_SYS_ADMIN) & ~bw_caps_effective();
	int r;

	if (raise)
		bw_caps_raise(raise);
	r = attach_all(t, g, fd, s);
	if (raise)
		bw_caps_lower(raise);
	return r;
}

static void target_analyse(struct api_targets *t, struct api_target *g, int fd, const struct stat *st, bool exe)
{
	struct api_sites sites = { 0 };
	int r;

	g->analysed = true;
	if (!S_ISREG(st->st_mode) || st->st_size > MAX_FILE || (exe && st->st_size < MIN_EXECUTABLE))
		return;
	t->stats.analysed++;
	t->budget -= t->budget > 0;
	r = sites_of(fd, (uint64_t)st->st_size, exe, &sites);
	if (r < 0) {
		g->error = r == -EBADMSG ? 0 : r;
		t->stats.failed += r != -EBADMSG;
		return;
	}
	g->stack = (enum api_stack)sites.stack;
	g->sites = sites.n;
	if (sites.n) {
		g->error = attach(t, g, fd, &sites);
		t->stats.failed += g->error < 0;
	}
}

static struct api_target *target_add(struct api_targets *t, uint32_t major, uint32_t minor, uint64_t ino, const char *path)
{
	struct api_target *g;

	if (t->n == API_MAX_TARGETS) {
		t->stats.full++;
		return NULL;
	}
	g = calloc(1, sizeof(*g));
	if (!g)
		return NULL;
	g->major = major;
	g->minor = minor;
	g->ino = ino;
	snprintf(g->path, sizeof(g->path), "%s", path);
	t->target[t->n++] = g;
	t->stats.files = t->n;
	return g;
}

/* ---- which files? -------------------------------------------------------------------------------------------------- */

/* A library that may speak TLS, by its name. Names lie: what counts is what is found in it. */
static enum api_stack library_hint(const char *path, bool *ret_look)
{
	const char *base = strrchr(path, '/');
	static const struct {
		const char *part;
		enum api_stack stack; /* of a library that is known and not probed */
	} names[] = {
		{ "libnspr4.so", API_STACK_NSS },    { "libmbedtls.so", API_STACK_MBEDTLS }, { "libwolfssl.so", API_STACK_WOLFSSL },
		{ "libjvm.so", API_STACK_JAVA },     { "ssl", API_STACK_NONE },		     { "gnutls", API_STACK_NONE },
		{ "conscrypt", API_STACK_NONE },
	};

	base = base ? base + 1 : path;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!strstr(base, names[i].part))
			continue;
		*ret_look = names[i].stack == API_STACK_NONE;
		return names[i].stack;
	}
	*ret_look = false;
	return API_STACK_NONE;
}

struct mapping {
	unsigned long start, end;
	unsigned int major, minor;
	uint64_t ino;
	char *path;
};

/* "55d0-55d1 r-xp 00002000 08:01 1311 /usr/bin/x": an executable mapping of a file. */
static bool mapping_parse(char *line, struct mapping *m)
{
	char perms[5];
	int at = 0;

	if (sscanf(line, "%lx-%lx %4s %*x %x:%x %" SCNu64 " %n", &m->start, &m->end, perms, &m->major, &m->minor, &m->ino, &at) < 6 ||
	    perms[2] != 'x' || !m->ino || !at)
		return false;
	m->path = line + at;
	m->path[strcspn(m->path, "\n")] = 0;
	return m->path[0] == '/';
}

static struct api_target *target_of_mapping(struct api_targets *t, pid_t pid, const struct mapping *m, bool exe)
{
	struct api_target *g = target_find(t, m->major, m->minor, m->ino);
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX + 32];
	enum api_stack hint;
	struct stat st;
	bool look;

	if (g)
		return g;
	hint = library_hint(m->path, &look);
	if (!exe && !look && hint == API_STACK_NONE)
		return NULL;
	if (!t->budget) {
		t->pending = true;
		return NULL;
	}
	g = target_add(t, m->major, m->minor, m->ino, m->path);
	if (!g || (!exe && !look)) {
		if (g)
			g->stack = hint;
		return g;
	}
	/* As the process sees it, in whatever mount namespace. Its name may mean another file by now: then it is not the one. */
	if (exe)
		snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	else
		snprintf(path, sizeof(path), "/proc/%d/root%s", pid, m->path);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0)
		g->error = -errno;
	else if (st.st_ino != m->ino)
		g->error = -ESTALE;
	else
		target_analyse(t, g, fd, &st, exe);
	return g;
}

typedef void (*target_fn)(void *arg, const struct api_target *g, bool exe);

static void look_at(struct api_targets *t, pid_t pid, target_fn fn, void *arg)
{
	_cleanup_fclose_ FILE *f = NULL;
	_cleanup_free_ char *line = NULL;
	struct api_target *last = NULL, *g;
	char path[64], exe[PATH_MAX];
	struct mapping m;
	size_t cap = 0;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	n = readlink(path, exe, sizeof(exe) - 1);
	exe[n < 0 ? 0 : n] = 0;
	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	f = fopen(path, "re");
	if (!f)
		return;
	while (getline(&line, &cap, f) > 0) {
		if (!mapping_parse(line, &m))
			continue;
		g = target_of_mapping(t, pid, &m, !strcmp(m.path, exe));
		if (!g || g == last)
			continue;
		last = g;
		g->seen = t->scan;
		if (fn)
			fn(arg, g, !strcmp(m.path, exe));
	}
}

void api_targets_scan_process(struct api_targets *t, pid_t pid)
{
	look_at(t, pid, NULL, NULL);
}

void api_targets_of(struct api_targets *t, pid_t pid, target_fn fn, void *arg)
{
	look_at(t, pid, fn, arg);
}

static void sweep(struct api_targets *t)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < t->n; i++) {
		if (t->target[i]->seen == t->scan || t->target[i]->keep)
			t->target[kept++] = t->target[i];
		else
			target_free(t, t->target[i]);
	}
	t->n = kept;
	t->stats.files = kept;
}

void api_targets_scan_all(struct api_targets *t)
{
	DIR *d = opendir("/proc");
	struct dirent *e;

	if (!d)
		return;
	t->scan++;
	while ((e = readdir(d)))
		if (isdigit((unsigned char)e->d_name[0]))
			look_at(t, (pid_t)strtol(e->d_name, NULL, 10), NULL, NULL);
	closedir(d);
	/* As long as files are waiting, what is there stays: it costs nothing, and the next scan is near. */
	if (!t->pending)
		sweep(t);
}

/* The device as /proc/PID/maps shows it is the one that stat() shows, but for file systems like btrfs and overlayfs; there a library is
 * simply met again, and the kernel counts probes on one inode together. */
static void preload_one(struct api_targets *t, const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct api_target *g;
	struct stat st;

	if (!t->budget) {
		t->pending = true;
		return;
	}
	if (fd < 0 || fstat(fd, &st) < 0 || target_find(t, major(st.st_dev), minor(st.st_dev), st.st_ino))
		return;
	g = target_add(t, major(st.st_dev), minor(st.st_dev), st.st_ino, path);
	if (!g)
		return;
	g->keep = true;
	target_analyse(t, g, fd, &st, false);
}

void api_targets_preload(struct api_targets *t)
{
	static const char *const patterns[] = {
		"/usr/lib/*-linux-gnu/libssl.so.*", "/usr/lib/*-linux-gnu/libgnutls.so.30*", "/usr/lib64/libssl.so.*",
		"/usr/lib64/libgnutls.so.30*",	    "/usr/local/lib/libssl.so.*",	     "/usr/local/lib64/libssl.so.*",
	};

	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
		glob_t g;

		if (glob(patterns[i], 0, NULL, &g))
			continue;
		for (size_t k = 0; k < g.gl_pathc; k++)
			preload_one(t, g.gl_pathv[k]);
		globfree(&g);
	}
}

const struct api_targets_stats *api_targets_stats(const struct api_targets *t)
{
	return &t->stats;
}
