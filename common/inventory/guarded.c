// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What cannot be opened because it is a guard's. The guard lets nobody have descriptors of its objects, and lists them in a map that
 * everybody may read (bw_owned, bpf/event.h): they are not hidden, and who opens them all the same raises alerts.
 */
#include "common/inventory/inventory.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bpf/event.h"
#include "common/cleanup.h"
#include "common/inventory/abi.h"

#define PINS	  "/sys/fs/bpf/bpfwarden" /* the guard's default */
#define MAP_NAME  "bw_owned"
#define MAX_NAMED 65536u /* entries of such a map that are read */

static int key_compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static bool named(const struct inventory *inv, uint64_t key)
{
	return inv->n_guarded && bsearch(&key, inv->guarded, inv->n_guarded, sizeof(key), key_compare);
}

bool inv_is_guarded(const struct inventory *inv, enum inv_kind kind, uint32_t id)
{
	static const enum bw_owned_kind kinds[INV_KINDS] = { [INV_PROG] = BW_OWNED_PROG, [INV_MAP] = BW_OWNED_MAP, [INV_LINK] = BW_OWNED_LINK };

	return named(inv, (uint64_t)kinds[kind] << 32 | id);
}

bool inv_is_guarded_code(const struct inventory *inv, uint64_t address)
{
	return address >> 63 && named(inv, address);
}

static bool is_list(int fd, struct bpf_map_info *ret)
{
	memset(ret, 0, sizeof(*ret));
	return inv_info(fd, ret, sizeof(*ret)) == 0 && !strncmp(ret->name, MAP_NAME, sizeof(ret->name)) &&
	       ret->type == BPF_MAP_TYPE_HASH && ret->key_size == sizeof(uint64_t) && ret->value_size == 1 &&
	       ret->map_flags & BPF_F_RDONLY_PROG;
}

static int keep(struct inventory *inv, uint64_t key)
{
	if (inv->n_guarded == inv->cap_guarded) {
		uint32_t cap = inv->cap_guarded ? 2 * inv->cap_guarded : 256;
		uint64_t *v = realloc(inv->guarded, cap * sizeof(*v));

		if (!v)
			return -ENOMEM;
		inv->guarded = v;
		inv->cap_guarded = cap;
	}
	inv->guarded[inv->n_guarded++] = key;
	return 0;
}

int inv_guarded_by(struct inventory *inv, int fd, bool in_place)
{
	struct bpf_map_info info;
	uint64_t key = 0, next = 0;
	union bpf_attr attr = { .map_fd = (uint32_t)fd, .next_key = (uintptr_t)&next };
	int r = 0;

	if (!is_list(fd, &info))
		return 0;
	for (uint32_t i = 0; i < ARRAY_SIZE(inv->guards); i++) {
		if (inv->guards[i].id == info.id)
			return 0;
		if (!inv->guards[i].id) {
			inv->guards[i].id = info.id;
			inv->guards[i].in_place = in_place;
			break;
		}
	}
	for (uint32_t n = 0; !r && !inv_bpf(BPF_MAP_GET_NEXT_KEY, &attr, sizeof(attr)); n++) {
		if (n == MAX_NAMED)
			return inv_note(inv, "map %u names more than %u objects of a guard", info.id, MAX_NAMED);
		key = next;
		attr.key = (uintptr_t)&key;
		r = keep(inv, key);
	}
	qsort(inv->guarded, inv->n_guarded, sizeof(*inv->guarded), key_compare);
	return r;
}

bool inv_is_guarded_pin(const struct inventory *inv, const char *path)
{
	return inv->guards[0].in_place && !strncmp(path, PINS "/", sizeof(PINS));
}

/* PINS/SET/bw_owned, before anything is opened by number. */
int inv_guarded(struct inventory *inv)
{
	DIR *d = opendir(PINS);
	struct dirent *e;
	int r = 0;

	while (!r && d && (e = readdir(d))) {
		char path[sizeof(PINS) + sizeof(e->d_name) + sizeof(MAP_NAME) + 2];
		union bpf_attr attr = { .pathname = (uintptr_t)path, .file_flags = BPF_F_RDONLY };
		_cleanup_close_ int fd = -1;

		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), PINS "/%s/" MAP_NAME, e->d_name);
		fd = inv_bpf(BPF_OBJ_GET, &attr, sizeof(attr));
		if (fd >= 0)
			r = inv_guarded_by(inv, fd, true);
	}
	if (d)
		closedir(d);
	return r;
}
