// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What maps hold: a lookup in an array of programs, or in a map of maps, answers with the identifier of what is there
 * (bpf_fd_array_map_lookup_elem()); maps of devices and CPUs tell their program beside the value.
 */
#include "common/inventory/inventory.h"

#include <linux/bpf.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/inventory/abi.h"

/* Entries of one map that are looked at. */
#define MAX_ENTRIES 65536u
#define MAX_KEY	    512u

static int lookup(int fd, const void *key, void *value)
{
	union bpf_attr attr = { .map_fd = (uint32_t)fd, .key = (uintptr_t)key, .value = (uintptr_t)value };

	return inv_bpf(BPF_MAP_LOOKUP_ELEM, &attr, sizeof(attr));
}

static int next_key(int fd, const void *key, void *next)
{
	union bpf_attr attr = { .map_fd = (uint32_t)fd, .key = (uintptr_t)key, .next_key = (uintptr_t)next };

	return inv_bpf(BPF_MAP_GET_NEXT_KEY, &attr, sizeof(attr));
}

/* Where in the value the identifier stands; -1 for maps that hold nothing. */
static int id_offset(const struct inv_object *m, enum inv_kind *ret_kind)
{
	*ret_kind = INV_PROG;
	switch (m->type) {
	case BPF_MAP_TYPE_PROG_ARRAY:
		return 0;
	case BPF_MAP_TYPE_ARRAY_OF_MAPS:
	case BPF_MAP_TYPE_HASH_OF_MAPS:
		*ret_kind = INV_MAP;
		return 0;
	case BPF_MAP_TYPE_DEVMAP: /* struct bpf_devmap_val, struct bpf_cpumap_val */
	case BPF_MAP_TYPE_DEVMAP_HASH:
	case BPF_MAP_TYPE_CPUMAP:
		return m->map.value_size >= 8 ? 4 : -1;
	default:
		return -1;
	}
}

static int look(struct inventory *inv, enum inv_kind kind, uint32_t map, int fd, int offset, uint32_t max)
{
	char keys[2][MAX_KEY] = { { 0 } }, value[64];
	const void *previous = NULL;

	for (uint32_t n = 0; n < max; n++) {
		struct inv_sighting s = { .kind = kind, .view = INV_VIEW_MAP, .fd = -1 };
		int r = next_key(fd, previous, keys[n % 2]);
		char *text;

		if (r)
			return 0;
		previous = keys[n % 2];
		if (lookup(fd, previous, value))
			continue;
		memcpy(&s.id, value + offset, sizeof(s.id));
		if (!s.id)
			continue;
		if (asprintf(&text, "in map %u", map) < 0)
			return -ENOMEM;
		r = inv_saw(inv, &s, text);
		if (r)
			return r;
	}
	return 0;
}

int inv_nested(struct inventory *inv)
{
	const struct inv_list *maps = &inv->objects[INV_MAP];
	int r = 0;

	/* Maps found on the way come in as well: by identifier, so that a list that moves does no harm. */
	for (uint32_t i = 0; i < maps->n && !r; i++) {
		const struct inv_object *m = &maps->v[i];
		uint32_t id = m->id, max = m->map.max_entries < MAX_ENTRIES ? m->map.max_entries : MAX_ENTRIES;
		enum inv_kind kind;
		int offset = id_offset(m, &kind);
		_cleanup_close_ int fd = -1;

		if (!m->described || offset < 0 || m->map.key_size > MAX_KEY || m->map.value_size > 64)
			continue;
		fd = inv_fd_by_id(BPF_MAP_GET_FD_BY_ID, id, BPF_F_RDONLY);
		if (fd >= 0)
			r = look(inv, kind, id, fd, offset, max);
		if (!r && m->map.max_entries > MAX_ENTRIES)
			r = inv_note(inv, "map %u: only %u of its entries were looked at", id, MAX_ENTRIES);
	}
	return r;
}
