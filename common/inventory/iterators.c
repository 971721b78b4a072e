// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What the kernel itself walks over: BPF iterators (kernel/bpf/prog_iter.c, map_iter.c, link_iter.c). Their programs are a dozen
 * instructions that write the identifier of each object; they run in the kernel, where rewriting the results of system calls
 * changes nothing. Offsets come from the kernel's BTF.
 */
#include "common/inventory/inventory.h"

#include <bpf/btf.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/inventory/abi.h"

#define INSN(c, d, s, o, i) { .code = (c), .dst_reg = (d), .src_reg = (s), .off = (short)(o), .imm = (int)(i) }
#define LOAD64(d, s, o)	    INSN(BPF_LDX | BPF_MEM | BPF_DW, d, s, o, 0)

/* Offset in bytes of a member of a structure that is not below another; -ENOENT. */
static int member_offset(const struct btf *btf, const char *type, const char *member)
{
	int id = btf__find_by_name_kind(btf, type, BTF_KIND_STRUCT);
	const struct btf_type *t = id > 0 ? btf__type_by_id(btf, (uint32_t)id) : NULL;
	const struct btf_member *m = t ? btf_members(t) : NULL;

	for (uint16_t i = 0; t && i < btf_vlen(t); i++)
		if (!strcmp(btf__name_by_offset(btf, m[i].name_off), member))
			return (int)(btf_member_bit_offset(t, i) / 8);
	return -ENOENT;
}

/* The program: context -> object -> [aux ->] id -> seq_write. Returns a descriptor or -errno. */
static int load(const struct btf *btf, enum inv_kind kind)
{
	static const char *const hooks[INV_KINDS] = { "bpf_iter_bpf_prog", "bpf_iter_bpf_map", "bpf_iter_bpf_link" };
	static const char *const types[INV_KINDS] = { "bpf_prog_aux", "bpf_map", "bpf_link" };
	int hook = btf__find_by_name_kind(btf, hooks[kind], BTF_KIND_FUNC);
	int id = member_offset(btf, types[kind], "id");
	int aux = kind == INV_PROG ? member_offset(btf, "bpf_prog", "aux") : 0;
	struct bpf_insn insns[] = {
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 6, 1, 0, 0),
		LOAD64(7, 6, 8), /* struct bpf_iter__bpf_*: meta, then the object; NULL at the end */
		INSN(BPF_JMP | BPF_JEQ | BPF_K, 7, 0, 9, 0),
		kind == INV_PROG ? (struct bpf_insn)LOAD64(7, 7, aux) : (struct bpf_insn)INSN(BPF_ALU64 | BPF_MOV | BPF_X, 7, 7, 0, 0),
		INSN(BPF_LDX | BPF_MEM | BPF_W, 8, 7, id, 0),
		INSN(BPF_STX | BPF_MEM | BPF_W, 10, 8, -4, 0),
		LOAD64(1, 6, 0),
		LOAD64(1, 1, 0), /* struct bpf_iter_meta: seq is first */
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 2, 10, 0, 0),
		INSN(BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, 0, -4),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 3, 0, 0, 4),
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_seq_write),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_TRACING,
		.expected_attach_type = BPF_TRACE_ITER,
		.insns = (uintptr_t)insns,
		.insn_cnt = ARRAY_SIZE(insns),
		.license = (uintptr_t) "GPL",
		.prog_name = "bw_inventory",
		.attach_btf_id = (uint32_t)hook,
	};

	if (hook < 0 || id < 0 || aux < 0)
		return -ENOENT;
	return inv_bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
}

/* The programs and links made here are in the list they write. */
static int note_own(struct inventory *inv, enum inv_kind kind, int fd)
{
	union {
		struct bpf_prog_info prog;
		struct inv_link_info link;
	} info = { 0 };
	int r = inv_info(fd, &info, kind == INV_PROG ? sizeof(info.prog) : sizeof(info.link));

	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(inv->own[kind]); i++)
		if (!inv->own[kind][i]) {
			inv->own[kind][i] = kind == INV_PROG ? info.prog.id : info.link.id;
			return 0;
		}
	return -ENOBUFS;
}

static bool is_own(const struct inventory *inv, enum inv_kind kind, uint32_t id)
{
	for (size_t i = 0; i < ARRAY_SIZE(inv->own[kind]); i++)
		if (inv->own[kind][i] == id)
			return true;
	return false;
}

static int read_ids(struct inventory *inv, enum inv_kind kind, enum inv_view view, int fd)
{
	uint32_t ids[1024];
	size_t have = 0;

	for (;;) {
		ssize_t n = read(fd, (char *)ids + have, sizeof(ids) - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return 0;
		have += (size_t)n;
		for (size_t i = 0; i < have / sizeof(*ids); i++)
			if (ids[i] && !is_own(inv, kind, ids[i]) && !inv_add(inv, kind, ids[i], view))
				return inv->incomplete ? 0 : -ENOMEM;
		memmove(ids, (char *)ids + have / sizeof(*ids) * sizeof(*ids), have % sizeof(*ids));
		have %= sizeof(*ids);
	}
}

static int iterate(struct inventory *inv, const struct btf *btf, enum inv_kind kind, enum inv_view view)
{
	_cleanup_close_ int prog = load(btf, kind), link = -1, iter = -1;
	union bpf_attr attr = { .link_create = { .prog_fd = (uint32_t)prog, .attach_type = BPF_TRACE_ITER } };

	if (prog < 0)
		return prog;
	link = inv_bpf(BPF_LINK_CREATE, &attr, sizeof(attr));
	if (link < 0)
		return link;
	attr = (union bpf_attr){ .iter_create = { .link_fd = (uint32_t)link } };
	if (note_own(inv, INV_PROG, prog) < 0 || note_own(inv, INV_LINK, link) < 0)
		return -ENOBUFS;
	iter = inv_bpf(BPF_ITER_CREATE, &attr, sizeof(attr));
	return iter < 0 ? iter : read_ids(inv, kind, view, iter);
}

int inv_iterators(struct inventory *inv, enum inv_view view)
{
	struct btf *btf = btf__load_vmlinux_btf();
	int r = 0;

	if (!btf)
		return inv_remark(inv, "no iterators: the kernel has no BTF");
	for (int k = 0; k < INV_KINDS && !r; k++) {
		int e = iterate(inv, btf, (enum inv_kind)k, view);

		if (!e && view == INV_AGAIN_ITERATOR)
			continue;
		if (!e)
			inv->view[k][INV_VIEW_ITERATOR] = INV_COMPLETE;
		else if (e == -ENOMEM)
			r = e;
		else if (e == -ENOENT)
			r = inv_remark(inv, "no iterator over %ss: this kernel has none", inv_kind_name((enum inv_kind)k));
		else
			r = inv_note(inv, "no iterator over %ss: %s", inv_kind_name((enum inv_kind)k), strerror(-e));
	}
	btf__free(btf);
	return r;
}
