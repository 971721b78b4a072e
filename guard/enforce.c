// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/enforce.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <string.h>

#include "guard/symbols.h"

struct enforce {
	const struct loader *loader;
	struct btf *btf;
	struct bw_policy_conf now; /* what is in force; generation 0: nothing yet */
};

int enforce_open(const struct loader *l, struct enforce **ret)
{
	struct enforce *e = calloc(1, sizeof(*e));

	if (!e)
		return -ENOMEM;
	e->loader = l;
	e->btf = btf__load_vmlinux_btf();
	if (!e->btf) {
		int r = -errno;

		free(e);
		return r;
	}
	*ret = e;
	return 0;
}

void enforce_free(struct enforce *e)
{
	if (!e)
		return;
	btf__free(e->btf);
	free(e);
}

/* ---- tables --------------------------------------------------------------------------------------------------------- */

struct table {
	const char *name;
	uint32_t key_size, value_size;
	uint32_t n;
	const void *keys, *values;
};

/* Makes an inner map that holds exactly the table, freezes it, and puts it into the slot of the outer one. */
static int table_install(const struct loader *l, enum loader_map map, uint32_t slot, const struct table *t)
{
	LIBBPF_OPTS(bpf_map_create_opts, create, .map_flags = BPF_F_RDONLY_PROG);
	uint32_t entries = t->n ? t->n : 1, count = t->n, old = 0;
	_cleanup_close_ int fd = -1;
	int outer = loader_map_fd(l, map), r;

	fd = bpf_map_create(BPF_MAP_TYPE_HASH, t->name, t->key_size, t->value_size, entries, &create);
	if (fd < 0)
		return -errno;
	if (t->n) {
		LIBBPF_OPTS(bpf_map_batch_opts, opts, .elem_flags = BPF_ANY);

		if (bpf_map_update_batch(fd, t->keys, t->values, &count, &opts) < 0)
			return -errno;
		if (count != t->n)
			return -EIO;
	}
	/* From here on nobody can change it, the guard included. */
	if (bpf_map_freeze(fd) < 0)
		return -errno;
	r = loader_own_map(l, fd);
	if (r < 0)
		return r;
	/* What a program sees as a map is an id here. */
	if (bpf_map_lookup_elem(outer, &slot, &old) < 0)
		old = 0;
	if (bpf_map_update_elem(outer, &slot, &fd, BPF_ANY) < 0)
		return -errno;
	if (old)
		loader_disown_map(l, old);
	return 0;
}

static int install_approvals(const struct enforce *e, uint32_t slot, const struct bw_policy_image *image)
{
	_cleanup_free_ struct bw_approval_key *keys = calloc(image->n_approvals + 1, sizeof(*keys));
	_cleanup_free_ struct bw_approval *values = calloc(image->n_approvals + 1, sizeof(*values));

	if (!keys || !values)
		return -ENOMEM;
	for (uint32_t i = 0; i < image->n_approvals; i++) {
		keys[i] = image->approvals[i].key;
		values[i] = image->approvals[i].value;
	}
	return table_install(e->loader, LOADER_APPROVALS, slot,
			     &(struct table){ "bw_approvals", sizeof(*keys), sizeof(*values), image->n_approvals, keys,
					      values });
}

static int install_bindings(const struct enforce *e, uint32_t slot, const struct bw_policy_image *image)
{
	_cleanup_free_ struct bw_binding_key *keys = calloc(image->n_bindings + 1, sizeof(*keys));
	_cleanup_free_ struct bw_condition *values = calloc(image->n_bindings + 1, sizeof(*values));

	if (!keys || !values)
		return -ENOMEM;
	for (uint32_t i = 0; i < image->n_bindings; i++) {
		keys[i] = image->bindings[i];
		keys[i].condition = 0;
		values[i] = image->conditions[image->bindings[i].condition];
	}
	return table_install(e->loader, LOADER_BINDINGS, slot,
			     &(struct table){ "bw_bindings", sizeof(*keys), sizeof(*values), image->n_bindings, keys, values });
}

static int install_kfuncs(const struct enforce *e, uint32_t slot, const struct bw_policy_image *image)
{
	_cleanup_free_ uint32_t *keys = calloc(image->n_kfuncs + 1, sizeof(*keys));
	_cleanup_free_ uint32_t *values = calloc(image->n_kfuncs + 1, sizeof(*values));

	if (!keys || !values)
		return -ENOMEM;
	for (uint32_t i = 0; i < image->n_kfuncs; i++) {
		keys[i] = image->kfuncs[i].btf_id;
		values[i] = image->kfuncs[i].rules;
	}
	return table_install(e->loader, LOADER_KFUNCS, slot,
			     &(struct table){ "bw_kfuncs", sizeof(*keys), sizeof(*values), image->n_kfuncs, keys,
					      values });
}

static int install_cgroups(const struct enforce *e, uint32_t slot, const struct bw_policy_image *image)
{
	_cleanup_free_ uint32_t *keys = calloc(image->n_cgroups + 1, sizeof(*keys));

	if (!keys)
		return -ENOMEM;
	for (uint32_t i = 0; i < image->n_cgroups; i++)
		keys[i] = i;
	return table_install(e->loader, LOADER_CGROUPS, slot,
			     &(struct table){ "bw_cgroups", sizeof(*keys), sizeof(*image->cgroups), image->n_cgroups, keys,
					      image->cgroups });
}

int enforce_swap(struct enforce *e, const struct bw_policy_image *image, enum bw_mode mode)
{
	int self_fd = loader_map_fd(e->loader, LOADER_SELF), conf_fd = loader_map_fd(e->loader, LOADER_CONF);
	struct bw_policy_conf running, conf = image->conf;
	struct bw_guard_self self;
	uint32_t zero = 0, slot;
	int r;

	if (bpf_map_lookup_elem(self_fd, &zero, &self) < 0)
		return -errno;
	slot = self.active & 1;
	if (bpf_map_lookup_elem(conf_fd, &slot, &running) < 0)
		return -errno;
	slot = !slot;
	/* Generations go on from what an adopted guard left, so that an event names one policy only. */
	conf.generation = running.generation + 1;
	conf.mode = mode;
	conf.flags |= BW_CONF_VALID;
	r = install_approvals(e, slot, image);
	if (!r)
		r = install_bindings(e, slot, image);
	if (!r)
		r = install_kfuncs(e, slot, image);
	if (!r)
		r = install_cgroups(e, slot, image);
	if (!r && bpf_map_update_elem(conf_fd, &slot, &conf, BPF_ANY) < 0)
		r = -errno;
	self.active = slot;
	if (!r && bpf_map_update_elem(self_fd, &zero, &self, BPF_ANY) < 0)
		r = -errno;
	if (!r)
		e->now = conf;
	return r;
}

const struct bw_policy_conf *enforce_running(const struct enforce *e)
{
	return e->now.generation ? &e->now : NULL;
}

const struct btf *enforce_btf(const struct enforce *e)
{
	return e->btf;
}

const char *enforce_btf_name(const struct enforce *e, uint32_t btf_id)
{
	const struct btf_type *t = btf_id ? btf__type_by_id(e->btf, btf_id) : NULL;

	return t ? btf__name_by_offset(e->btf, t->name_off) : NULL;
}

/* Identifiers are not given twice: what is gone is gone. */
static void labels_forget(int labels)
{
	uint32_t id = 0, next;
	bool first = true;

	for (; !bpf_map_get_next_key(labels, first ? NULL : &id, &next); id = next) {
		int fd;

		if (!first && (fd = bpf_map_get_fd_by_id(id)) >= 0)
			close(fd);
		else if (!first && errno == ENOENT)
			bpf_map_delete_elem(labels, &id);
		first = false;
	}
}

int enforce_label(struct enforce *e, uint32_t map_id, uint32_t labels)
{
	int fd = loader_map_fd(e->loader, LOADER_LABELS);
	uint32_t old = 0;

	if (!bpf_map_lookup_elem(fd, &map_id, &old) && (old & labels) == labels)
		return 0;
	labels |= old;
	if (!bpf_map_update_elem(fd, &map_id, &labels, BPF_ANY))
		return 0;
	if (errno != E2BIG)
		return -errno;
	labels_forget(fd);
	return bpf_map_update_elem(fd, &map_id, &labels, BPF_ANY) < 0 ? -errno : 0;
}

int enforce_baseline(struct enforce *e, struct enforce_baseline **ret, size_t *ret_n)
{
	_cleanup_free_ struct enforce_baseline *list = NULL;
	size_t n = 0, cap = 0;
	uint8_t one = 1;
	uint32_t id = 0;

	while (!bpf_prog_get_next_id(id, &id)) {
		struct bpf_prog_info info = { 0 };
		_cleanup_close_ int fd = -1;
		__u32 len = sizeof(info);

		fd = bpf_prog_get_fd_by_id(id);
		if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len) < 0)
			continue; /* gone meanwhile */
		if (bpf_map_update_elem(loader_map_fd(e->loader, LOADER_ADMITTED), &id, &one, BPF_ANY) < 0)
			return -errno;
		if (loader_owns(e->loader, id))
			continue;
		if (n == cap) {
			struct enforce_baseline *bigger = reallocarray(list, cap ? cap * 2 : 64, sizeof(*list));

			if (!bigger)
				return -ENOMEM;
			list = bigger;
			cap = cap ? cap * 2 : 64;
		}
		list[n] = (struct enforce_baseline){ .id = id, .type = info.type };
		memcpy(list[n].name, info.name, BW_OBJ_NAME_LEN);
		memcpy(list[n].tag, info.tag, BW_TAG_LEN);
		n++;
	}
	*ret = TAKE_PTR(list);
	*ret_n = n;
	return 0;
}

int enforce_helper_table(struct enforce *e)
{
	_cleanup_fclose_ FILE *in = fopen("/proc/kallsyms", "re");
	_cleanup_free_ struct symbol_imm *imms = NULL;
	size_t n = 0;
	int r;

	if (!in)
		return -errno;
	r = symbols_helper_imms(in, &imms, &n);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		if (bpf_map_update_elem(loader_map_fd(e->loader, LOADER_HELPER_IMMS), &imms[i].imm, &imms[i].helper,
					BPF_ANY) < 0)
			return -errno;
	return (int)n;
}
