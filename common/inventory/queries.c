// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* BPF_PROG_QUERY: what is attached to every cgroup of version 2, and to maps of sockets. */
#include "common/inventory/inventory.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/stat.h>

#include "common/bpf_names.h"
#include "common/cgroup2.h"
#include "common/cleanup.h"
#include "common/inventory/abi.h"

#define MAX_ATTACHED 1024u
#define MAX_CGROUPS  262144u
#define MAX_TYPES    64u

int inv_query(struct inventory *inv, uint32_t target, uint32_t attach_type, const char *where)
{
	static uint32_t ids[MAX_ATTACHED];
	union bpf_attr attr = { .query = { .target_fd = target, .attach_type = attach_type, .prog_ids = (uintptr_t)ids, .prog_cnt = MAX_ATTACHED } };
	int r = inv_bpf(BPF_PROG_QUERY, &attr, sizeof(attr));

	if (r == -ENOSPC)
		r = inv_note(inv, "%s: more than %u programs", where, MAX_ATTACHED);
	if (r < 0) /* not on this kernel, or not for this kind of target */
		return r == -ENOMEM ? r : 0;
	for (uint32_t i = 0; i < attr.query.prog_cnt && i < MAX_ATTACHED; i++) {
		struct inv_sighting s = { .kind = INV_PROG, .view = INV_VIEW_QUERY, .id = ids[i], .fd = -1 };
		char *text = strdup(where);

		r = text ? inv_saw(inv, &s, text) : -ENOMEM;
		if (r)
			return r;
	}
	return 0;
}

struct walk {
	struct inventory *inv;
	uint32_t types[MAX_TYPES], n_types;
	uint32_t n_cgroups;
};

static int cgroup(struct walk *w, int dir_fd, const char *path)
{
	DIR *d = fdopendir(dir_fd);
	struct dirent *e;
	char where[PATH_MAX + 64];
	int r = 0;

	if (!d) {
		close(dir_fd);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < w->n_types && !r; i++) {
		snprintf(where, sizeof(where), "%s %s", bw_attach_type_name(w->types[i]), *path ? path : "/");
		r = inv_query(w->inv, (uint32_t)dir_fd, w->types[i], where);
	}
	while (!r && (e = readdir(d))) {
		char below[PATH_MAX];
		int fd;

		if (e->d_type != DT_DIR || e->d_name[0] == '.')
			continue;
		if (++w->n_cgroups > MAX_CGROUPS) {
			r = inv_note(w->inv, "more than %u cgroups", MAX_CGROUPS);
			break;
		}
		fd = openat(dir_fd, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (snprintf(below, sizeof(below), "%s/%s", path, e->d_name) >= (int)sizeof(below))
			close(fd);
		else
			r = cgroup(w, fd, below);
	}
	closedir(d);
	return r;
}

/* Programs of maps of sockets: since 5.17 or so. */
static int socket_maps(struct inventory *inv)
{
	static const char *const types[] = { "sk_skb_stream_parser", "sk_skb_stream_verdict", "sk_skb_verdict", "sk_msg_verdict" };
	const struct inv_list *maps = &inv->objects[INV_MAP];
	int r = 0;

	for (uint32_t i = 0; i < maps->n && !r; i++) {
		uint32_t type = maps->v[i].type, id = maps->v[i].id;
		_cleanup_close_ int fd = -1;

		if (type != BPF_MAP_TYPE_SOCKMAP && type != BPF_MAP_TYPE_SOCKHASH)
			continue;
		fd = inv_fd_by_id(BPF_MAP_GET_FD_BY_ID, id, BPF_F_RDONLY);
		for (size_t k = 0; fd >= 0 && k < ARRAY_SIZE(types) && !r; k++) {
			char where[64];

			snprintf(where, sizeof(where), "%s map %u", types[k], id);
			r = inv_query(inv, (uint32_t)fd, (uint32_t)bw_attach_type_id(types[k]), where);
		}
	}
	return r;
}

int inv_cgroups(struct inventory *inv)
{
	struct walk w = { .inv = inv };
	char point[PATH_MAX];
	int r = 0, fd;

	for (uint32_t t = 0; t < bw_attach_type_count() && w.n_types < MAX_TYPES; t++) {
		const char *name = bw_attach_type_name(t);

		if (name && (!strncmp(name, "cgroup_", 7) || !strcmp(name, "lsm_cgroup")))
			w.types[w.n_types++] = t;
	}
	fd = cgroup2_mount(point, sizeof(point)) < 0 ? -1 : open(point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	inv->view[INV_PROG][INV_VIEW_QUERY] = fd >= 0 ? INV_COMPLETE : INV_PARTIAL;
	if (fd >= 0)
		r = cgroup(&w, fd, "");
	return r ? r : socket_maps(inv);
}
