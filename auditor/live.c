// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "auditor/live.h"
#include "auditor/live_calls.h"
#include "common/cleanup.h"

#define MAX_MAP_IDS 4096u
#define MAX_BTF (64u << 20)

static int sys_bpf(int cmd, union bpf_attr *attr, size_t size)
{
	long r = syscall(__NR_bpf, cmd, attr, size);

	return r < 0 ? -errno : (int)r;
}

static int fd_by_id(int cmd, uint32_t id)
{
	union bpf_attr attr = { .prog_id = id }; /* prog_id, map_id and btf_id share their place */

	return sys_bpf(cmd, &attr, sizeof(attr));
}

static int info_by_fd(int fd, void *info, uint32_t size)
{
	union bpf_attr attr = { .info = { .bpf_fd = (uint32_t)fd, .info_len = size, .info = (uintptr_t)info } };

	return sys_bpf(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr));
}

int bw_live_next(uint32_t id, uint32_t *ret)
{
	union bpf_attr attr = { .start_id = id };
	int r = sys_bpf(BPF_PROG_GET_NEXT_ID, &attr, sizeof(attr));

	if (r < 0)
		return r;
	*ret = attr.next_id;
	return 0;
}

static int live_map(struct bw_object *o, uint32_t id)
{
	struct bpf_map_info info = { 0 };
	struct bw_map *m = &o->maps[o->n_maps];
	_cleanup_close_ int fd = fd_by_id(BPF_MAP_GET_FD_BY_ID, id);
	int r = fd < 0 ? fd : info_by_fd(fd, &info, sizeof(info));

	*m = (struct bw_map){ .kind = BW_MAP_LIVE, .id = id, .section = "", .inner = BW_NONE, .struct_ops = BW_NONE,
			      .autocreate = true };
	m->name = r ? "(gone)" : bw_arena_strn(&o->arena, info.name, strnlen(info.name, sizeof(info.name)));
	if (!m->name)
		return -ENOMEM;
	o->n_maps++;
	if (r) {
		o->incomplete = true;
		return 0;
	}
	m->type = info.type;
	m->key_size = info.key_size;
	m->value_size = info.value_size;
	m->value_size_known = true;
	m->max_entries = info.max_entries;
	m->flags = info.map_flags;
	m->extra = info.map_extra;
	m->frozen = info.map_flags & BPF_F_RDONLY_PROG;
	return 0;
}

static int live_btf(struct bw_object *o, uint32_t id)
{
	struct bpf_btf_info info = { 0 };
	_cleanup_close_ int fd = fd_by_id(BPF_BTF_GET_FD_BY_ID, id);
	void *data;
	int r;

	if (fd < 0)
		return 0;
	r = info_by_fd(fd, &info, sizeof(info));
	if (r || info.btf_size > MAX_BTF)
		return 0;
	data = bw_arena_alloc(&o->arena, info.btf_size, 1);
	if (!data)
		return -ENOMEM;
	info = (struct bpf_btf_info){ .btf = (uintptr_t)data, .btf_size = info.btf_size };
	if (info_by_fd(fd, &info, sizeof(info)))
		return 0;
	r = bw_btf_read(bw_slice(data, info.btf_size), __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__, o->path, &o->arena, &o->btf,
			NULL);
	return r == -ENOMEM ? r : 0;
}

/* References to maps by id; callees and callbacks inside the program. */
static int live_relocs(struct bw_object *o, struct bw_code *c, bool jited, bool *starts)
{
	struct bw_decoded d;

	c->relocs = bw_arena_alloc(&o->arena, c->n_insns, sizeof(*c->relocs));
	c->reloc_of = bw_arena_alloc(&o->arena, c->n_insns, sizeof(*c->reloc_of));
	if (!c->relocs || !c->reloc_of)
		return -ENOMEM;
	for (uint32_t i = 0; i < c->n_insns; i += d.slots) {
		struct bw_reloc rel = { .insn = i, .target = BW_NONE, .symbol = "", .kind = BW_RELOC_UNKNOWN };
		int64_t target;

		if (bw_insn_decode(c->insns, c->n_insns, i, BW_INSN_XLATED, &d, NULL)) {
			o->incomplete = true;
			d.slots = 1;
			continue;
		}
		if (d.op == BW_OP_LD_IMM64 && (d.pseudo == BW_PSEUDO_MAP_FD || d.pseudo == BW_PSEUDO_MAP_VALUE)) {
			for (uint32_t k = 0; k < o->n_maps; k++)
				if (o->maps[k].id == (uint32_t)d.imm)
					rel.target = (int32_t)k;
			if (rel.target != BW_NONE) {
				rel.kind = d.pseudo == BW_PSEUDO_MAP_FD ? BW_RELOC_MAP : BW_RELOC_DATA;
				rel.symbol = o->maps[rel.target].name;
				rel.addend = d.pseudo == BW_PSEUDO_MAP_VALUE ? (int64_t)(d.imm64 >> 32) : 0;
			}
		} else if (d.op == BW_OP_CALL_LOCAL || (d.op == BW_OP_LD_IMM64 && d.pseudo == BW_PSEUDO_FUNC)) {
			/* Of JITed programs the distance is in off, and imm has the subprogram's number (jit_subprogs()). */
			target = (int64_t)i + 1 + (d.op == BW_OP_CALL_LOCAL && jited ? c->insns[i].off : d.imm);
			rel.kind = d.op == BW_OP_CALL_LOCAL ? BW_RELOC_CALL : BW_RELOC_FUNC_ADDR;
			if (target > 0 && target < c->n_insns) {
				starts[target] = true;
				rel.target = (int32_t)target;
			}
		} else {
			continue;
		}
		c->relocs[c->n_relocs++] = rel;
		c->reloc_of[i] = c->n_relocs;
	}
	return 0;
}

static int reloc_compare(const void *a, const void *b)
{
	const struct bw_reloc *x = a, *y = b;

	return x->insn < y->insn ? -1 : x->insn > y->insn;
}

static int live_call_names(struct bw_object *o)
{
	struct bw_code *c = &o->codes[0];
	uint32_t unknown;
	int r = bw_live_calls(o, "/proc/kallsyms", &unknown);

	if (r)
		return r;
	if (c->n_relocs)
		qsort(c->relocs, c->n_relocs, sizeof(*c->relocs), reloc_compare);
	for (uint32_t i = 0; i < c->n_relocs; i++)
		c->reloc_of[c->relocs[i].insn] = i + 1;
	if (!unknown)
		return 0;
	o->incomplete = true;
	o->notes = bw_arena_alloc(&o->arena, 1, sizeof(*o->notes));
	if (!o->notes)
		return -ENOMEM;
	o->notes[o->n_notes++] = (struct bw_note){
		.flags = BW_NOTE_INCOMPLETE,
		.section = c->name,
		.offset = BW_DIAG_NO_OFFSET,
		.text = bw_arena_printf(&o->arena, "%u calls to kernel functions without a known name (kallsyms)", unknown),
	};
	return o->notes[0].text ? 0 : -ENOMEM;
}

static int live_functions(struct bw_object *o, const bool *starts, const char *name)
{
	struct bw_code *c = &o->codes[0];
	uint32_t start = 0, n = 1;

	for (uint32_t i = 1; i < c->n_insns; i++)
		n += starts[i];
	o->funcs = bw_arena_alloc(&o->arena, n, sizeof(*o->funcs));
	if (!o->funcs)
		return -ENOMEM;
	for (uint32_t i = 1; i <= c->n_insns; i++) {
		if (i < c->n_insns && !starts[i])
			continue;
		o->funcs[o->n_funcs] = (struct bw_func){
			.name = start ? bw_arena_printf(&o->arena, "%s+0x%x", name, start * BW_INSN_SIZE) : name,
			.first = start,
			.n_insns = i - start,
			.binding = start ? BW_BIND_LOCAL : BW_BIND_GLOBAL,
			.nameless = start,
			.prog = start ? BW_NONE : 0,
		};
		if (!o->funcs[o->n_funcs++].name)
			return -ENOMEM;
		start = i;
	}
	for (uint32_t i = 0; i < c->n_relocs; i++) {
		struct bw_reloc *rel = &c->relocs[i];

		if (rel->kind != BW_RELOC_CALL && rel->kind != BW_RELOC_FUNC_ADDR)
			continue;
		if (rel->target != BW_NONE)
			rel->target = bw_object_func_starting(o, 0, (uint32_t)rel->target);
		if (rel->target == BW_NONE) {
			rel->kind = BW_RELOC_UNKNOWN;
			o->incomplete = true;
		} else {
			rel->symbol = o->funcs[rel->target].name;
		}
	}
	return 0;
}

static int live_lines(struct bw_object *o, const struct bpf_line_info *lines, uint32_t n, const struct bpf_func_info *funcs,
		      uint32_t n_funcs)
{
	struct bw_code *c = &o->codes[0];
	struct bw_btf_type t;

	if (!o->btf)
		return 0;
	c->lines = bw_arena_alloc(&o->arena, n, sizeof(*c->lines));
	if (!c->lines)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		if (lines[i].insn_off >= c->n_insns || (c->n_lines && lines[i].insn_off < c->lines[c->n_lines - 1].insn))
			continue;
		c->lines[c->n_lines++] = (struct bw_line){
			.insn = lines[i].insn_off,
			.line = lines[i].line_col >> 10,
			.col = lines[i].line_col & 0x3ff,
			.file = bw_btf_str(o->btf, lines[i].file_name_off),
			.text = bw_btf_str(o->btf, lines[i].line_off),
		};
	}
	for (uint32_t i = 0; i < n_funcs; i++) {
		int32_t f = bw_object_func_starting(o, 0, funcs[i].insn_off);

		if (f == BW_NONE || !bw_btf_type(o->btf, funcs[i].type_id, &t) || t.kind != BW_BTF_FUNC)
			continue;
		o->funcs[f].btf_func = t.id;
		o->funcs[f].name = t.name;
		o->funcs[f].nameless = false;
	}
	return 0;
}

/* Everything of one program; @fd stays the caller's. */
static int live_fill(struct bw_object *o, int fd, uint32_t id, struct bw_diag *diag)
{
	struct bpf_prog_info first = { 0 }, info = { 0 };
	struct bpf_line_info *lines;
	struct bpf_func_info *funcs;
	uint32_t *map_ids;
	uint8_t *code;
	const char *name;
	bool *starts;
	int r;

	r = info_by_fd(fd, &first, sizeof(first));
	if (r)
		return bw_diag_set(diag, r, o->path, "", BW_DIAG_NO_OFFSET, "%s", strerror(-r));
	if (first.nr_map_ids > MAX_MAP_IDS || first.xlated_prog_len > BW_MAX_INSNS * BW_INSN_SIZE ||
	    first.nr_line_info > BW_MAX_INSNS || first.nr_func_info > BW_MAX_INSNS)
		return bw_diag_set(diag, -E2BIG, o->path, "", BW_DIAG_NO_OFFSET, "larger than expected");
	if (!first.xlated_prog_len)
		return bw_diag_set(diag, -EPERM, o->path, "", BW_DIAG_NO_OFFSET,
				   "the kernel does not show its code (CAP_BPF and CAP_PERFMON are needed)");
	code = bw_arena_alloc(&o->arena, first.xlated_prog_len, 1);
	map_ids = bw_arena_alloc(&o->arena, first.nr_map_ids, sizeof(*map_ids));
	lines = bw_arena_alloc(&o->arena, first.nr_line_info, sizeof(*lines));
	funcs = bw_arena_alloc(&o->arena, first.nr_func_info, sizeof(*funcs));
	if (!code || !map_ids || !lines || !funcs)
		return -ENOMEM;
	info.xlated_prog_insns = (uintptr_t)code;
	info.xlated_prog_len = first.xlated_prog_len;
	info.map_ids = (uintptr_t)map_ids;
	info.nr_map_ids = first.nr_map_ids;
	info.line_info = (uintptr_t)lines;
	info.nr_line_info = first.nr_line_info;
	info.line_info_rec_size = sizeof(*lines);
	info.func_info = (uintptr_t)funcs;
	info.nr_func_info = first.nr_func_info;
	info.func_info_rec_size = sizeof(*funcs);
	r = info_by_fd(fd, &info, sizeof(info));
	if (r)
		return bw_diag_set(diag, r, o->path, "", BW_DIAG_NO_OFFSET, "%s", strerror(-r));
	if (!info.xlated_prog_insns)
		return bw_diag_set(diag, -EPERM, o->path, "", BW_DIAG_NO_OFFSET,
				   "the kernel does not show its code (CAP_BPF and CAP_PERFMON are needed)");
	/* Maps may have been bound and lines may have gone in between: never trust the larger number. */
	if (info.nr_map_ids > first.nr_map_ids)
		info.nr_map_ids = first.nr_map_ids;
	if (info.nr_line_info > first.nr_line_info)
		info.nr_line_info = first.nr_line_info;
	if (info.nr_func_info > first.nr_func_info)
		info.nr_func_info = first.nr_func_info;
	if (info.xlated_prog_len > first.xlated_prog_len)
		info.xlated_prog_len = first.xlated_prog_len;
	o->codes = bw_arena_alloc(&o->arena, 1, sizeof(*o->codes));
	o->progs = bw_arena_alloc(&o->arena, 1, sizeof(*o->progs));
	o->maps = bw_arena_alloc(&o->arena, info.nr_map_ids, sizeof(*o->maps));
	starts = bw_arena_alloc(&o->arena, info.xlated_prog_len / BW_INSN_SIZE, sizeof(*starts));
	name = bw_arena_strn(&o->arena, info.name, strnlen(info.name, sizeof(info.name)));
	if (!o->codes || !o->progs || !o->maps || !starts || !name)
		return -ENOMEM;
	for (uint32_t i = 0; i < info.nr_map_ids && !r; i++)
		r = live_map(o, map_ids[i]);
	if (!r && info.btf_id)
		r = live_btf(o, info.btf_id);
	if (r)
		return r;
	o->n_codes = 1;
	o->codes[0].name = name;
	o->codes[0].n_insns = info.xlated_prog_len / BW_INSN_SIZE;
	o->codes[0].insns = bw_arena_alloc(&o->arena, o->codes[0].n_insns, sizeof(struct bw_insn));
	if (!o->codes[0].insns)
		return -ENOMEM;
	bw_insns_unpack(code, o->codes[0].n_insns, o->big_endian, o->codes[0].insns);
	o->size = info.xlated_prog_len;
	o->license = info.gpl_compatible ? "GPL" : "";
	r = live_relocs(o, &o->codes[0], info.jited_prog_len > 0, starts);
	if (!r)
		r = live_call_names(o);
	if (!r)
		r = live_functions(o, starts, name);
	if (!r)
		r = live_lines(o, lines, info.nr_line_info, funcs, info.nr_func_info);
	if (r)
		return r;
	o->n_progs = 1;
	o->progs[0] = (struct bw_prog){
		.name = o->funcs[0].name,
		.section = name,
		.struct_ops = BW_NONE,
		.member = BW_NONE,
		.id = id,
		.def = { .known = true, .prog_type = info.type, .attach_type = BW_NONE, .rule = "", .target = "",
			 .autoload = true },
	};
	if (!bw_sha256(code, info.xlated_prog_len, o->sha256))
		return -ENOMEM;
	return 0;
}

int bw_live_read(uint32_t id, struct bw_object **ret, struct bw_diag *diag)
{
	_cleanup_object_ struct bw_object *o = calloc(1, sizeof(*o));
	_cleanup_close_ int fd = -1;
	char path[32];
	int r;

	if (!o)
		return -ENOMEM;
	snprintf(path, sizeof(path), "program %u", id);
	o->live = true;
	o->big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
	o->license = "";
	o->cpu = 1;
	o->path = bw_arena_str(&o->arena, path);
	if (!o->path)
		return -ENOMEM;
	fd = fd_by_id(BPF_PROG_GET_FD_BY_ID, id);
	if (fd < 0)
		return bw_diag_set(diag, fd, path, "", BW_DIAG_NO_OFFSET, "%s", strerror(-fd));
	r = live_fill(o, fd, id, diag);
	if (r == -ENOMEM)
		bw_diag_set(diag, r, path, "", BW_DIAG_NO_OFFSET, "needs too much memory");
	if (r)
		return r;
	*ret = TAKE_PTR(o);
	return 0;
}
