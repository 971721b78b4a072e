// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Who holds what: descriptors of programs, maps, links and perf events in /proc/PID/fd and fdinfo (proc(5); bpf_prog_show_fdinfo(),
 * bpf_map_show_fdinfo(), bpf_link_show_fdinfo()), and the programs behind perf events (BPF_TASK_FD_QUERY).
 */
#include "common/inventory/inventory.h"

#include <dirent.h>
#include <limits.h>
#include <linux/bpf.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/inventory/abi.h"

static void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

static bool number(const char *s, unsigned long *ret)
{
	char *end;

	if (*s < '0' || *s > '9')
		return false;
	errno = 0;
	*ret = strtoul(s, &end, 10);
	return !errno && !*end && *ret <= INT_MAX;
}

struct process {
	struct inventory *inv;
	uint32_t pid;
	char comm[17];
	char exe[PATH_MAX]; /* "" when it cannot be read */
};

static int saw_fd(struct process *p, enum inv_kind kind, uint32_t id, int fd)
{
	struct inv_sighting s = { .kind = kind, .view = INV_VIEW_FD, .id = id, .pid = p->pid, .fd = fd };
	char *exe = *p->exe ? strdup(p->exe) : NULL;

	if (*p->exe && !exe)
		return -ENOMEM;
	memcpy(s.comm, p->comm, sizeof(s.comm));
	return inv_saw(p->inv, &s, exe);
}

static int fd_info(struct process *p, enum inv_kind kind, int fd)
{
	static const char *const field[INV_KINDS] = { "prog_id:", "map_id:", "link_id:" };
	_cleanup_fclose_ FILE *f = NULL;
	char path[64], line[256];
	uint32_t id = 0, prog_id = 0;
	int r = 0;

	snprintf(path, sizeof(path), "/proc/%u/fdinfo/%d", p->pid, fd);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		if (!strncmp(line, field[kind], strlen(field[kind])))
			id = (uint32_t)strtoul(line + strlen(field[kind]), NULL, 10);
		else if (kind == INV_LINK && !strncmp(line, "prog_id:", 8))
			prog_id = (uint32_t)strtoul(line + 8, NULL, 10);
	}
	if (id)
		r = saw_fd(p, kind, id, fd);
	if (!r && prog_id && !inv_add(p->inv, INV_PROG, prog_id, INV_VIEW_LINK))
		r = -ENOMEM;
	return r;
}

/* Not answered for perf events without a program, for those of link descriptors, and for foreign ones without privilege. */
static int perf_event(struct process *p, int fd)
{
	static const char *const kinds[] = { "raw tracepoint", "tracepoint", "kprobe", "kretprobe", "uprobe", "uretprobe" };
	char name[256] = "", *text;
	union bpf_attr attr = { .task_fd_query = { .pid = p->pid, .fd = (uint32_t)fd, .buf = (uintptr_t)name, .buf_len = sizeof(name) } };
	struct inv_sighting s = { .kind = INV_PROG, .view = INV_VIEW_PERF, .pid = p->pid, .fd = fd };
	int r = inv_bpf(BPF_TASK_FD_QUERY, &attr, sizeof(attr));
	uint32_t type = attr.task_fd_query.fd_type;

	if (r < 0 && r != -ENOSPC)
		return 0;
	name[sizeof(name) - 1] = 0;
	if (type >= 4 && name[0])
		r = asprintf(&text, "%s %s+0x%llx", type < ARRAY_SIZE(kinds) ? kinds[type] : "?", name,
			     (unsigned long long)attr.task_fd_query.probe_offset);
	else
		r = asprintf(&text, "%s %s", type < ARRAY_SIZE(kinds) ? kinds[type] : "?", name);
	if (r < 0)
		return -ENOMEM;
	s.id = attr.task_fd_query.prog_id;
	memcpy(s.comm, p->comm, sizeof(s.comm));
	return inv_saw(p->inv, &s, text);
}

static int process(struct process *p, bool *complete)
{
	BW_CLEANUP(closedirp) DIR *d = NULL;
	struct dirent *e;
	char path[64];
	bool named = false;

	snprintf(path, sizeof(path), "/proc/%u/fd", p->pid);
	d = opendir(path);
	if (!d) {
		*complete &= errno == ENOENT || errno == ESRCH;
		return 0;
	}
	while ((e = readdir(d))) {
		char link[96];
		unsigned long fd;
		ssize_t n;
		int r = 0;

		if (!number(e->d_name, &fd))
			continue;
		n = readlinkat(dirfd(d), e->d_name, link, sizeof(link) - 1);
		if (n < 0)
			continue;
		link[n] = 0;
		if (strncmp(link, "anon_inode:", 11))
			continue;
		if (!named) {
			_cleanup_fclose_ FILE *f = NULL;
			char file[64];

			named = true;
			snprintf(file, sizeof(file), "/proc/%u/comm", p->pid);
			f = fopen(file, "re");
			if (!f || !fgets(p->comm, sizeof(p->comm), f))
				p->comm[0] = 0;
			p->comm[strcspn(p->comm, "\n")] = 0;
			snprintf(file, sizeof(file), "/proc/%u/exe", p->pid);
			n = readlink(file, p->exe, sizeof(p->exe) - 1);
			p->exe[n > 0 ? n : 0] = 0;
		}
		if (!strcmp(link + 11, "bpf-prog"))
			r = fd_info(p, INV_PROG, (int)fd);
		else if (!strcmp(link + 11, "bpf-map"))
			r = fd_info(p, INV_MAP, (int)fd);
		else if (!strcmp(link + 11, "bpf_link") || !strcmp(link + 11, "bpf-link"))
			r = fd_info(p, INV_LINK, (int)fd);
		else if (!strcmp(link + 11, "[perf_event]"))
			r = perf_event(p, (int)fd);
		if (r)
			return r;
	}
	return 0;
}

int inv_processes(struct inventory *inv, inv_progress_fn progress, void *arg)
{
	BW_CLEANUP(closedirp) DIR *d = opendir("/proc");
	struct process p = { .inv = inv };
	struct dirent *e;
	uint32_t done = 0;
	bool complete = true;

	if (!d)
		return inv_note(inv, "no processes: /proc: %s", strerror(errno));
	while ((e = readdir(d))) {
		unsigned long pid;
		int r;

		if (!number(e->d_name, &pid))
			continue;
		p.pid = (uint32_t)pid;
		p.comm[0] = p.exe[0] = 0;
		r = process(&p, &complete);
		if (r)
			return r;
		if (progress && ++done % 256 == 0)
			progress(arg, "process", done);
	}
	for (int k = 0; k < INV_KINDS; k++)
		inv->view[k][INV_VIEW_FD] = complete ? INV_COMPLETE : INV_PARTIAL;
	inv->view[INV_PROG][INV_VIEW_PERF] = complete ? INV_COMPLETE : INV_PARTIAL;
	return complete ? 0 : inv_note(inv, "descriptors of some processes cannot be read");
}
