// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What self-protection protects: the map bw_owned, and who may take it over. */
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "guard/loader.h"

#define MAX_FUNCTIONS 64 /* of a program */

void loader_control_names(struct bw_control_name ret[static BW_CONTROL_NAMES])
{
	static const struct {
		const char name[sizeof(ret->word)];
		enum bw_control control;
	} names[BW_CONTROL_NAMES] = {
		{ "ftrace_enabled", BW_CONTROL_SYSCTL },     { "cgroup.freeze", BW_CONTROL_CGROUP },
		{ "cgroup.kill", BW_CONTROL_CGROUP },	     { "memory.max", BW_CONTROL_CGROUP_LIMIT },
		{ "memory.high", BW_CONTROL_CGROUP_LIMIT },  { "memory.swap.max", BW_CONTROL_CGROUP_LIMIT },
		{ "pids.max", BW_CONTROL_CGROUP_LIMIT },     { "cpu.max", BW_CONTROL_CGROUP_LIMIT },
	};

	for (size_t i = 0; i < BW_CONTROL_NAMES; i++) {
		memcpy(ret[i].word, names[i].name, sizeof(ret[i].word));
		ret[i].control = names[i].control;
	}
}

static uint32_t map_id(int fd)
{
	struct bpf_map_info info = { 0 };
	__u32 len = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &len) < 0 ? 0 : info.id;
}

static int own_key(const struct loader *l, uint64_t key, uint8_t value)
{
	return bpf_map_update_elem(loader_map_fd(l, LOADER_OWNED), &key, &value, BPF_ANY) < 0 ? -errno : 0;
}

static int own(const struct loader *l, enum bw_owned_kind kind, uint32_t id)
{
	bool list = kind == BW_OWNED_MAP && id == map_id(loader_map_fd(l, LOADER_OWNED));

	return own_key(l, (uint64_t)kind << 32 | id, list ? BW_OWNED_READABLE : BW_OWNED_CLOSED);
}

/* The functions of a program, for who compares the kernel's symbols with the programs that can be opened. */
static int own_code(const struct loader *l, int fd)
{
	uint64_t code[MAX_FUNCTIONS] = { 0 };
	struct bpf_prog_info info = { .nr_jited_ksyms = MAX_FUNCTIONS, .jited_ksyms = (uintptr_t)code };
	__u32 len = sizeof(info);
	int r = 0;

	if (bpf_obj_get_info_by_fd(fd, &info, &len) < 0)
		return -errno;
	for (uint32_t i = 0; !r && i < info.nr_jited_ksyms && i < MAX_FUNCTIONS; i++)
		if (code[i] >> 63) /* 0: concealed by kernel.kptr_restrict */
			r = own_key(l, code[i], BW_OWNED_CLOSED);
	return r;
}

void loader_disown_code(const struct loader *l)
{
	uint64_t key, next;
	bool more = !bpf_map_get_next_key(loader_map_fd(l, LOADER_OWNED), NULL, &next);

	while (more) {
		key = next;
		more = !bpf_map_get_next_key(loader_map_fd(l, LOADER_OWNED), &key, &next);
		if (key >> 63)
			bpf_map_delete_elem(loader_map_fd(l, LOADER_OWNED), &key);
	}
}

/* The kind and id of the BPF object behind a descriptor; 0: it is none. */
static enum bw_owned_kind owned_kind(int fd, uint32_t *ret_id)
{
	static const struct {
		const char *name;
		enum bw_owned_kind kind;
	} kinds[] = { { "anon_inode:bpf-prog", BW_OWNED_PROG }, { "anon_inode:bpf-map", BW_OWNED_MAP }, { "anon_inode:bpf_link", BW_OWNED_LINK } };
	union {
		struct bpf_prog_info prog;
		struct bpf_map_info map;
		struct bpf_link_info link;
	} info = { 0 };
	__u32 len;
	char path[32], target[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return 0;
	target[n] = 0;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(target, kinds[i].name))
			continue;
		len = kinds[i].kind == BW_OWNED_PROG ? sizeof(info.prog) : kinds[i].kind == BW_OWNED_MAP ? sizeof(info.map) : sizeof(info.link);
		if (bpf_obj_get_info_by_fd(fd, &info, &len) < 0)
			return 0;
		*ret_id = kinds[i].kind == BW_OWNED_MAP ? info.map.id : kinds[i].kind == BW_OWNED_PROG ? info.prog.id : info.link.id;
		return kinds[i].kind;
	}
	return 0;
}

int loader_own(const struct loader *l)
{
	DIR *d = opendir("/proc/self/fd");
	struct dirent *e;
	int r = 0;

	if (!d)
		return -errno;
	while (!r && (e = readdir(d))) {
		enum bw_owned_kind kind;
		uint32_t id;

		if (e->d_name[0] == '.')
			continue;
		kind = owned_kind((int)strtol(e->d_name, NULL, 10), &id);
		if (kind)
			r = own(l, kind, id);
		if (!r && kind == BW_OWNED_PROG)
			r = own_code(l, (int)strtol(e->d_name, NULL, 10));
	}
	closedir(d);
	return r;
}

int loader_own_map(const struct loader *l, int fd)
{
	uint32_t id = map_id(fd);

	return id ? own(l, BW_OWNED_MAP, id) : -errno;
}

void loader_disown_map(const struct loader *l, uint32_t id)
{
	uint64_t key = (uint64_t)BW_OWNED_MAP << 32 | id;

	bpf_map_delete_elem(loader_map_fd(l, LOADER_OWNED), &key);
}

void loader_release(const struct loader *l)
{
	struct bw_guard_self self;
	uint32_t zero = 0;

	if (bpf_map_lookup_elem(loader_map_fd(l, LOADER_SELF), &zero, &self) < 0)
		return;
	self.released = 1;
	bpf_map_update_elem(loader_map_fd(l, LOADER_SELF), &zero, &self, BPF_ANY);
}

int loader_note_files(const struct loader *l, const struct loader_files *f)
{
	const struct {
		enum bw_file kind;
		const char *path;
	} files[] = {
		{ BW_FILE_POLICY, f->policy }, { BW_FILE_CONFIG, f->config },	   { BW_FILE_STATE, f->store },
		{ BW_FILE_STATE, f->socket },  { BW_FILE_EXE, "/proc/self/exe" },
	};

	int ret = 0;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		int r = files[i].path ? loader_note_file(l, files[i].kind, files[i].path) : 0;

		if (r < 0 && r != -ENOENT)
			ret = r;
	}
	return ret;
}

const char *loader_protection(enum bw_tier tier, bool protect, enum bw_mode mode)
{
	if (tier != BW_TIER_ENFORCE || !protect)
		return "none";
	return mode == BW_MODE_OBSERVE ? "report" : "refuse";
}
