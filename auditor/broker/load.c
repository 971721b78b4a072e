// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * BPF_PROG_LOAD on copied arguments. Everything it points to is read once; descriptors (of maps in instructions and in the array of
 * descriptors, of BTF, of the target) are duplicated into this process and replaced. Layout: union bpf_attr of Linux 7.3
 * (include/uapi/linux/bpf.h), by offset, since the installed header may be older.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "auditor/broker/broker.h"
#include "auditor/identity.h"
#include "common/cleanup.h"
#include "common/limits.h"

#define ATTR_SIZE 168u /* up to and with keyring_id */
#define MAX_LICENSE 128u
#define MAX_SIGNATURE (64u << 10)

enum { SRC_MAP = 1, SRC_VALUE = 2, SRC_BTF = 3, SRC_INDEX = 5, SRC_INDEX_VALUE = 6, SRC_KFUNC = 2 };

struct broker_attr {
	union {
		uint8_t bytes[ATTR_SIZE];
		struct {
			uint32_t prog_type, insn_cnt;
			uint64_t insns, license;
			uint32_t log_level, log_size;
			uint64_t log_buf;
			uint32_t kern_version, prog_flags;
			char prog_name[16];
			uint32_t prog_ifindex, expected_attach_type, prog_btf_fd, func_info_rec_size;
			uint64_t func_info;
			uint32_t func_info_cnt, line_info_rec_size;
			uint64_t line_info;
			uint32_t line_info_cnt, attach_btf_id, attach_fd, core_relo_cnt;
			uint64_t fd_array, core_relos;
			uint32_t core_relo_rec_size, log_true_size, prog_token_fd, fd_array_cnt;
			uint64_t signature;
			uint32_t signature_size;
			int32_t keyring_id;
		} f;
	};
	uint32_t size;	     /* as the target gave it, at most ATTR_SIZE */
	uint64_t address;    /* of the target's */
	uint64_t log_buf;    /* of the target's */
	struct bpf_insn *insns; /* with this process's descriptors */
	void *info[5];	     /* copies of what the attributes point to */
	int *fd_array;
	uint32_t n_array;
	char license[MAX_LICENSE];
	int *fds; /* to be closed */
	uint32_t n_fds, cap_fds;
};

_Static_assert(sizeof(((struct broker_attr *)0)->f) == ATTR_SIZE, "union bpf_attr");
_Static_assert(__builtin_offsetof(struct broker_attr, f.fd_array) == 120, "union bpf_attr");

/* A duplicate of the target's descriptor that lives as long as the load; -errno. The same number gives the same duplicate. */
static int take_fd(const struct broker_target *t, struct broker_attr *a, int fd, int (*known)[2], uint32_t *n_known)
{
	int own;

	for (uint32_t i = 0; i < *n_known; i++)
		if (known[i][0] == fd)
			return known[i][1];
	if (a->n_fds == BROKER_MAX_FDS)
		return -E2BIG;
	own = broker_dup(t, fd);
	if (own < 0)
		return own;
	if (a->n_fds == a->cap_fds) {
		uint32_t cap = a->cap_fds ? 2 * a->cap_fds : 16;
		int *fds = realloc(a->fds, cap * sizeof(*fds));

		if (!fds) {
			close(own);
			return -ENOMEM;
		}
		a->fds = fds;
		a->cap_fds = cap;
	}
	a->fds[a->n_fds++] = own;
	known[*n_known][0] = fd;
	known[(*n_known)++][1] = own;
	return own;
}

static int copy(const struct broker_target *t, uint64_t *address, uint64_t count, uint64_t each, size_t max, void **ret)
{
	if (!*address || !count || !each)
		return 0;
	if (count > max / each)
		return -E2BIG;
	*ret = malloc((size_t)(count * each));
	if (!*ret)
		return -ENOMEM;
	if (broker_read(t, *address, *ret, (size_t)(count * each)) < 0)
		return -EFAULT;
	*address = (uintptr_t)*ret;
	return 0;
}

static int copy_attr(const struct broker_target *t, uint64_t address, uint32_t size, struct broker_attr *a)
{
	uint8_t rest[BROKER_MAX_ATTR];

	if (size > BROKER_MAX_ATTR)
		return -E2BIG;
	if (broker_read(t, address, rest, size) < 0)
		return -EFAULT;
	/* As the kernel does with what it does not know (bpf_check_uarg_tail_zero()). */
	for (uint32_t i = ATTR_SIZE; i < size; i++)
		if (rest[i])
			return -E2BIG;
	a->size = size < ATTR_SIZE ? size : ATTR_SIZE;
	a->address = address;
	memcpy(a->bytes, rest, a->size);
	return 0;
}

static bool is_ld_imm64(const struct bpf_insn *in)
{
	return in->code == (BPF_LD | BPF_IMM | BPF_DW);
}

static int replace_fds(const struct broker_target *t, struct broker_attr *a, const struct bpf_insn *insns, uint32_t n)
{
	_cleanup_free_ int (*known)[2] = calloc(BROKER_MAX_FDS, sizeof(*known));
	_cleanup_free_ uint8_t *used = NULL;
	uint32_t n_known = 0, n_array = a->f.fd_array ? a->f.fd_array_cnt : 0;
	int fd;

	if (!known)
		return -ENOMEM;
	if (n_array > BROKER_MAX_FDS)
		return -E2BIG;
	/* Without a count the array is as long as what refers to it. */
	for (uint32_t i = 0; i < n && a->f.fd_array; i++) {
		uint32_t index = UINT32_MAX;

		if (is_ld_imm64(&insns[i]) && (insns[i].src_reg == SRC_INDEX || insns[i].src_reg == SRC_INDEX_VALUE))
			index = (uint32_t)insns[i].imm;
		else if (insns[i].code == (BPF_JMP | BPF_CALL) && insns[i].src_reg == SRC_KFUNC && insns[i].off)
			index = (uint16_t)insns[i].off;
		if (index != UINT32_MAX && index < BROKER_MAX_FDS && index >= n_array)
			n_array = index + 1;
		i += is_ld_imm64(&insns[i]);
	}
	a->n_array = n_array;
	if (n_array) {
		a->fd_array = calloc(n_array, sizeof(int));
		used = calloc(n_array, 1);
		if (!a->fd_array || !used)
			return -ENOMEM;
		memset(used, a->f.fd_array_cnt ? 1 : 0, n_array);
	}
	for (uint32_t i = 0; i < n; i++) {
		struct bpf_insn *out = &a->insns[i];

		if (!is_ld_imm64(out)) {
			if (out->code == (BPF_JMP | BPF_CALL) && out->src_reg == SRC_KFUNC && (uint16_t)out->off < n_array && out->off)
				used[(uint16_t)out->off] = 1;
			continue;
		}
		if (i + 1 == n)
			return -EINVAL;
		if (out->src_reg == SRC_MAP || out->src_reg == SRC_VALUE) {
			fd = take_fd(t, a, out->imm, known, &n_known);
			if (fd < 0)
				return fd;
			out->imm = fd;
		} else if (out->src_reg == SRC_BTF && out[1].imm) {
			fd = take_fd(t, a, out[1].imm, known, &n_known);
			if (fd < 0)
				return fd;
			out[1].imm = fd;
		} else if ((out->src_reg == SRC_INDEX || out->src_reg == SRC_INDEX_VALUE) && (uint32_t)out->imm < n_array) {
			used[out->imm] = 1;
		}
		i++;
	}
	for (uint32_t i = 0; i < n_array; i++) {
		int theirs;

		a->fd_array[i] = -1;
		if (!used[i])
			continue;
		if (broker_read(t, a->f.fd_array + 4ULL * i, &theirs, sizeof(theirs)) < 0)
			return -EFAULT;
		fd = take_fd(t, a, theirs, known, &n_known);
		if (fd < 0)
			return fd;
		a->fd_array[i] = fd;
	}
	if (n_array)
		a->f.fd_array = (uintptr_t)a->fd_array;
	if (a->f.prog_btf_fd) {
		fd = take_fd(t, a, (int)a->f.prog_btf_fd, known, &n_known);
		if (fd < 0)
			return fd;
		a->f.prog_btf_fd = (uint32_t)fd;
	}
	if (a->f.attach_fd) {
		fd = take_fd(t, a, (int)a->f.attach_fd, known, &n_known);
		if (fd < 0)
			return fd;
		a->f.attach_fd = (uint32_t)fd;
	}
	return 0;
}

static int add_map(struct broker_load *l, uint32_t ref, bool by_index, int fd)
{
	struct bpf_map_info info = { 0 };
	union bpf_attr attr = { .info = { .bpf_fd = (uint32_t)fd, .info_len = sizeof(info), .info = (uintptr_t)&info } };
	struct broker_map *m;

	for (uint32_t i = 0; i < l->n_maps; i++)
		if (l->maps[i].ref == ref && l->maps[i].by_index == by_index)
			return 0;
	m = realloc(l->maps, (l->n_maps + 1) * sizeof(*m));
	if (!m)
		return -ENOMEM;
	l->maps = m;
	m += l->n_maps;
	/* A descriptor of something else: the kernel refuses it by itself. */
	if (syscall(SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)) < 0)
		return 0;
	*m = (struct broker_map){ .ref = ref, .by_index = by_index, .id = info.id, .type = info.type, .key_size = info.key_size,
				  .value_size = info.value_size, .max_entries = info.max_entries, .flags = info.map_flags };
	memcpy(m->name, info.name, sizeof(info.name));
	l->n_maps++;
	return 0;
}

static int describe_maps(struct broker_load *l)
{
	const struct broker_attr *a = l->attr;

	for (uint32_t i = 0; i + 1 < l->n_insns; i++) {
		const struct bpf_insn *in = &l->insns[i];
		int r = 0;

		if (!is_ld_imm64(in))
			continue;
		if (in->src_reg == SRC_MAP || in->src_reg == SRC_VALUE)
			r = add_map(l, (uint32_t)in->imm, false, a->insns[i].imm);
		else if ((in->src_reg == SRC_INDEX || in->src_reg == SRC_INDEX_VALUE) && (uint32_t)in->imm < a->n_array)
			r = add_map(l, (uint32_t)in->imm, true, a->fd_array[in->imm]);
		if (r)
			return r;
		i++;
	}
	return 0;
}

int broker_load_copy(const struct broker_target *t, uint64_t address, uint32_t size, struct broker_load *ret)
{
	struct broker_attr *a;
	struct broker_load *l = ret;
	void *insns = NULL;
	int r;

	*l = (struct broker_load){ 0 };
	l->attr = a = calloc(1, sizeof(*a));
	if (!a)
		return -ENOMEM;
	r = copy_attr(t, address, size, a);
	if (r)
		return r;
	if (!a->f.insn_cnt || a->f.insn_cnt > BW_MAX_INSNS)
		return -E2BIG;
	r = copy(t, &a->f.insns, a->f.insn_cnt, sizeof(struct bpf_insn), BW_MAX_INSNS * sizeof(struct bpf_insn), &insns);
	l->insns = insns;
	if (r || !insns)
		return r ? r : -EFAULT;
	l->n_insns = a->f.insn_cnt;
	a->insns = malloc(l->n_insns * sizeof(*a->insns));
	if (!a->insns)
		return -ENOMEM;
	memcpy(a->insns, l->insns, l->n_insns * sizeof(*a->insns));
	a->f.insns = (uintptr_t)a->insns;
	r = broker_read_string(t, a->f.license, a->license, sizeof(a->license));
	if (r)
		return r == -ENAMETOOLONG ? -EINVAL : r;
	a->f.license = (uintptr_t)a->license;
	r = copy(t, &a->f.func_info, a->f.func_info_cnt, a->f.func_info_rec_size, BROKER_MAX_INFO, &a->info[0]);
	if (!r)
		r = copy(t, &a->f.line_info, a->f.line_info_cnt, a->f.line_info_rec_size, BROKER_MAX_INFO, &a->info[1]);
	if (!r)
		r = copy(t, &a->f.core_relos, a->f.core_relo_cnt, a->f.core_relo_rec_size, BROKER_MAX_INFO, &a->info[2]);
	if (!r)
		r = copy(t, &a->f.signature, a->f.signature_size, 1, MAX_SIGNATURE, &a->info[3]);
	l->attach_elsewhere = a->f.attach_fd;
	if (!r)
		r = replace_fds(t, a, l->insns, l->n_insns);
	if (!r)
		r = describe_maps(l);
	if (!r)
		r = identity_load_digest(l->insns, l->n_insns, l->digest);
	if (r)
		return r;
	a->log_buf = a->f.log_buf;
	if (a->f.log_buf && a->f.log_size) {
		if (a->f.log_size > BROKER_MAX_LOG)
			a->f.log_size = BROKER_MAX_LOG;
		a->info[4] = calloc(1, a->f.log_size);
		if (!a->info[4])
			return -ENOMEM;
		a->f.log_buf = (uintptr_t)a->info[4];
	}
	l->prog_type = a->f.prog_type;
	l->attach_type = a->f.expected_attach_type;
	l->flags = a->f.prog_flags;
	l->attach_btf_id = a->f.attach_btf_id;
	l->sleepable = a->f.prog_flags & BPF_F_SLEEPABLE;
	l->token = a->f.prog_flags & (1u << 16); /* BPF_F_TOKEN_FD, 6.9 */
	memcpy(l->name, a->f.prog_name, sizeof(a->f.prog_name));
	return 0;
}

int broker_load_execute(const struct broker_target *t, struct broker_load *l)
{
	struct broker_attr *a = l->attr;
	int fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, a->bytes, a->size);

	if (fd < 0)
		fd = -errno;
	/* As much of the log as the kernel wrote. */
	if (a->info[4] && a->log_buf) {
		size_t n = strnlen(a->info[4], a->f.log_size);

		n = n < a->f.log_size ? n + 1 : n;
		if (broker_write(t, a->log_buf, a->info[4], n) < 0 && fd >= 0) {
			close(fd);
			return -EFAULT;
		}
	}
	if (a->size >= 144)
		broker_write(t, a->address + __builtin_offsetof(struct broker_attr, f.log_true_size), &a->f.log_true_size,
			     sizeof(a->f.log_true_size));
	return fd;
}

void broker_load_free(struct broker_load *l)
{
	struct broker_attr *a = l->attr;

	free(l->insns);
	free(l->maps);
	if (!a)
		return;
	for (uint32_t i = 0; i < a->n_fds; i++)
		close(a->fds[i]);
	for (size_t i = 0; i < ARRAY_SIZE(a->info); i++)
		free(a->info[i]);
	free(a->fds);
	free(a->fd_array);
	free(a->insns);
	free(a);
	l->attr = NULL;
}
