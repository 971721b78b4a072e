// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Light skeletons: instead of an ELF object, an executable carries a loader program (type syscall) and a blob with the
 * attributes, instructions and BTF that it hands to bpf_sys_bpf(). Source of the format: libbpf's gen_loader.c.
 *
 *   loader: bf16 (r6 = r1), bfa1 (r1 = r10), 07 01 (r1 += -N), b7 02 (r2 = N), b7 03 (r3 = 0), call probe_read_kernel ...
 *           r1 = CMD; r2 = blob + ATTR ll; r3 = SIZE; call sys_bpf             one bpf() command
 *           r0 = blob + DATA ll; r1 = blob + FIELD ll; *(u64 *)(r1) = r0       a pointer in its attributes
 *           r1 = blob + NAME ll; r2 = LEN; r3 = KIND; ...; call btf_find_by_name_kind; ... blob + PLACE ll   a name
 *
 * Where the blob is, nothing says: it is looked for around the loader, and believed when every program that the loader
 * loads from it decodes. Little endian only: this is data of the machine that runs it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "auditor/carve.h"
#include "auditor/secname.h"
#include "common/bpf_names.h"
#include "common/cleanup.h"

#define HELPER_SYS_BPF 166
#define HELPER_FIND_BY_NAME_KIND 167
#define HELPER_KALLSYMS_LOOKUP 159
#define HELPER_PROBE_READ_KERNEL 113
#define CMD_MAP_CREATE 0
#define CMD_PROG_LOAD 5
#define CMD_BTF_LOAD 18
#define SEARCH_WINDOW (4u << 20)
#define MAX_COMMANDS 4096u
#define MAX_NAMES 4096u
#define SEARCH_BUDGET (32u << 20)
#define FD_ARRAY_BYTES 1280u /* MAX_FD_ARRAY_SZ descriptors at the start of the blob */
#define IMM_OFFSET 4u
#define PROG_TYPE_SYSCALL 31

/* Fields of union bpf_attr, by command (include/uapi/linux/bpf.h). */
enum {
	MAP_NAME = 28,
	MAP_FLAGS = 16,
	MAP_ATTR_MIN = 44,
	BTF_DATA = 0,
	BTF_SIZE = 16,
	PROG_INSN_CNT = 4,
	PROG_INSNS = 8,
	PROG_LICENSE = 16,
	PROG_FLAGS = 44,
	PROG_NAME = 48,
	PROG_ATTACH_TYPE = 68,
	PROG_FUNC_INFO_SIZE = 76,
	PROG_LINE_INFO_SIZE = 92,
	PROG_LINE_INFO = 96,
	PROG_LINE_INFO_CNT = 104,
	PROG_ATTR_MIN = 112,
	PROG_F_SLEEPABLE = 0x10,
	NAME_LEN = 16,
};

static const uint8_t prologue[16] = { 0xbf, 0x16, 0, 0, 0, 0, 0, 0, 0xbf, 0xa1, 0, 0, 0, 0, 0, 0 };

struct lskel_command {
	uint32_t cmd, attr;
	bool inner; /* MAP_CREATE whose descriptor goes to the stack: only a template for the next map */
	bool stored;
};

/* *(blob + field) = blob + data */
struct lskel_pointer {
	uint32_t field, data;
};

/* What the kernel finds by name is stored in the instruction, or the attributes, at blob + place. */
struct lskel_name {
	uint32_t name, place;
};

struct lskel {
	struct lskel_command *commands;
	struct lskel_pointer *pointers;
	struct lskel_name *names;
	size_t n_commands, n_pointers, n_names;
	size_t commands_cap, pointers_cap, names_cap;
	uint32_t blob_min; /* the blob has at least that many bytes */
	uint64_t budget;   /* instructions that may still be looked at in search of the blob */
};

uint64_t bw_lskel_next(struct bw_slice file, uint64_t off)
{
	const uint8_t *p;

	if (off >= file.len)
		return file.len;
	p = memmem(file.data + off, file.len - off, prologue, sizeof(prologue));
	return p ? (uint64_t)(p - file.data) : file.len;
}

static struct bw_insn insn_at(struct bw_slice file, uint64_t off)
{
	return bw_insn_unpack(file.data + off, false);
}

/* Whether the loader's first instructions stand at @off; then how far valid code with an exit reaches. */
static uint64_t loader_length(struct bw_slice file, uint64_t off, uint64_t *ret_walked)
{
	static const uint8_t codes[] = { 0xbf, 0xbf, 0x07, 0xb7, 0xb7, 0x85 };
	uint64_t n = (file.len - off) / BW_INSN_SIZE, end = 0, i;
	struct bw_insn in[2];
	struct bw_decoded d;

	*ret_walked = 0;
	if (n < 16)
		return 0;
	for (i = 0; i < sizeof(codes); i++)
		if (insn_at(file, off + i * BW_INSN_SIZE).code != codes[i])
			return 0;
	if (insn_at(file, off + 5 * BW_INSN_SIZE).imm != HELPER_PROBE_READ_KERNEL ||
	    insn_at(file, off + 3 * BW_INSN_SIZE).imm != -insn_at(file, off + 2 * BW_INSN_SIZE).imm)
		return 0;
	if (n > BW_MAX_INSNS)
		n = BW_MAX_INSNS;
	for (i = 0; i < n; i += d.slots) {
		in[0] = insn_at(file, off + i * BW_INSN_SIZE);
		if (n - i >= 2)
			in[1] = insn_at(file, off + (i + 1) * BW_INSN_SIZE);
		/* The next loader, when they follow each other without a gap. */
		if (i && n - i >= 2 && !memcmp(file.data + off + i * BW_INSN_SIZE, prologue, sizeof(prologue)))
			break;
		if (bw_insn_decode(in, n - i >= 2 ? 2 : 1, 0, BW_INSN_OBJECT, &d, NULL))
			break;
		if (d.op == BW_OP_EXIT)
			end = i + 1;
	}
	*ret_walked = i;
	return end;
}

static int lskel_add(void **array, size_t *n, size_t *cap, const void *item, size_t size)
{
	if (*n >= *cap) {
		size_t want = *cap ? *cap * 2 : 16;
		void *p = want > BW_MAX_INSNS ? NULL : realloc(*array, want * size);

		if (!p)
			return -ENOMEM;
		*array = p;
		*cap = want;
	}
	memcpy((char *)*array + *n * size, item, size);
	(*n)++;
	return 0;
}

static void lskel_free(struct lskel *l)
{
	free(l->commands);
	free(l->pointers);
	free(l->names);
}
#define _cleanup_lskel_ BW_CLEANUP(lskel_free)

/* The field at blob offset @to is set to what is at @from: the same name, if a name's result is there. */
static int lskel_copy_name(struct lskel *l, uint32_t from, uint32_t to)
{
	for (size_t i = 0; i < l->n_names; i++) {
		struct lskel_name name = { l->names[i].name, to - IMM_OFFSET };

		if (l->names[i].place + IMM_OFFSET != from || to < IMM_OFFSET)
			continue;
		return l->n_names >= MAX_NAMES ?
			       -E2BIG :
			       lskel_add((void **)&l->names, &l->n_names, &l->names_cap, &name, sizeof(name));
	}
	return 0;
}

static int pointer_compare(const void *a, const void *b)
{
	const struct lskel_pointer *x = a, *y = b;

	return x->field < y->field ? -1 : x->field > y->field;
}

/* Follows the straight-line code: registers that hold blob addresses and constants. */
static int lskel_parse(struct bw_slice file, uint64_t off, uint64_t n, struct lskel *l)
{
	struct {
		bool blob, known, loaded;
		uint32_t value; /* offset in the blob, constant, or where in the blob it was loaded from */
	} reg[BW_N_REGS] = { 0 };
	bool pending = false; /* a name was just looked up: what for, the next address says */
	struct bw_decoded d;
	int r = 0;

	for (uint64_t i = 0; i < n && !r; i += d.slots) {
		struct bw_insn in[2] = { insn_at(file, off + i * BW_INSN_SIZE) };

		if (i + 1 < n)
			in[1] = insn_at(file, off + (i + 1) * BW_INSN_SIZE);
		if (bw_insn_decode(in, i + 1 < n ? 2 : 1, 0, BW_INSN_OBJECT, &d, NULL))
			return -EINVAL;
		if (d.op == BW_OP_LD_IMM64) {
			reg[d.dst].blob = d.pseudo == BW_PSEUDO_MAP_IDX_VALUE && d.imm == 0;
			reg[d.dst].known = reg[d.dst].loaded = false;
			reg[d.dst].value = (uint32_t)(d.imm64 >> 32);
			if (!reg[d.dst].blob)
				continue;
			if (reg[d.dst].value >= l->blob_min)
				l->blob_min = reg[d.dst].value + 1;
			if (pending && d.dst == 0) {
				if (reg[0].value >= FD_ARRAY_BYTES)
					l->names[l->n_names - 1].place = reg[0].value;
				pending = false;
			}
			continue;
		}
		if (d.op == BW_OP_MOV && d.use_imm) {
			reg[d.dst].blob = reg[d.dst].loaded = false;
			reg[d.dst].known = true;
			reg[d.dst].value = (uint32_t)d.imm;
			continue;
		}
		if (d.op == BW_OP_STORE && d.width == 8 && !d.use_imm && reg[d.dst].blob && reg[d.src].blob && !d.off) {
			struct lskel_pointer p = { reg[d.dst].value, reg[d.src].value };

			r = lskel_add((void **)&l->pointers, &l->n_pointers, &l->pointers_cap, &p, sizeof(p));
		}
		if (d.op == BW_OP_STORE && d.width == 4 && !d.use_imm && reg[d.dst].blob && reg[d.src].loaded)
			r = lskel_copy_name(l, reg[d.src].value, reg[d.dst].value + (uint32_t)d.off);
		/* Where the result of the last command goes. */
		if (d.op == BW_OP_STORE && d.width == 4 && !d.use_imm && d.src == 7 && l->n_commands &&
		    !l->commands[l->n_commands - 1].stored) {
			l->commands[l->n_commands - 1].stored = true;
			l->commands[l->n_commands - 1].inner = d.dst == 10;
		}
		if (d.op == BW_OP_CALL) {
			if (d.imm == HELPER_SYS_BPF && reg[1].known && reg[2].blob) {
				struct lskel_command c = { .cmd = reg[1].value, .attr = reg[2].value };

				if (l->n_commands >= MAX_COMMANDS)
					return -E2BIG;
				r = lskel_add((void **)&l->commands, &l->n_commands, &l->commands_cap, &c, sizeof(c));
			}
			pending = false;
			if ((d.imm == HELPER_FIND_BY_NAME_KIND || d.imm == HELPER_KALLSYMS_LOOKUP) && reg[1].blob && !r) {
				struct lskel_name name = { reg[1].value, reg[8].blob ? reg[8].value : 0 };

				if (l->n_names >= MAX_NAMES)
					return -E2BIG;
				r = lskel_add((void **)&l->names, &l->n_names, &l->names_cap, &name, sizeof(name));
				pending = !r;
			}
		}
		if (d.op == BW_OP_LOAD && d.width == 4 && reg[d.src].blob) {
			uint32_t from = reg[d.src].value + (uint32_t)d.off;

			reg[d.dst].blob = reg[d.dst].known = false;
			reg[d.dst].loaded = true;
			reg[d.dst].value = from;
			continue;
		}
		for (unsigned int k = 0; k < BW_N_REGS; k++)
			if (d.writes & 1u << k)
				reg[k].blob = reg[k].known = reg[k].loaded = false;
	}
	if (l->n_pointers)
		qsort(l->pointers, l->n_pointers, sizeof(*l->pointers), pointer_compare);
	l->budget = SEARCH_BUDGET;
	return r;
}

/* The blob offset that the pointer field at blob offset @field is set to. */
static bool lskel_pointer(const struct lskel *l, uint32_t field, uint32_t *ret)
{
	const struct lskel_pointer key = { .field = field };
	const struct lskel_pointer *p =
		l->n_pointers ? bsearch(&key, l->pointers, l->n_pointers, sizeof(key), pointer_compare) : NULL;

	if (!p)
		return false;
	*ret = p->data;
	return true;
}

struct lskel_prog {
	uint32_t type, n_insns, insns, license, flags, attach_type;
	const char *name; /* NAME_LEN bytes, terminated */
};

/* The attributes of a PROG_LOAD, if they and the code they point to look like ones. */
static bool prog_attr(const struct lskel *l, struct bw_slice blob, uint32_t attr, struct lskel_prog *ret)
{
	struct bw_slice a, code;

	if (!bw_slice_sub(blob, attr, PROG_ATTR_MIN, &a) || !lskel_pointer(l, attr + PROG_INSNS, &ret->insns) ||
	    !lskel_pointer(l, attr + PROG_LICENSE, &ret->license))
		return false;
	ret->type = bw_get_u32(a.data, false);
	ret->n_insns = bw_get_u32(a.data + PROG_INSN_CNT, false);
	ret->flags = bw_get_u32(a.data + PROG_FLAGS, false);
	ret->attach_type = bw_get_u32(a.data + PROG_ATTACH_TYPE, false);
	ret->name = (const char *)a.data + PROG_NAME;
	if (ret->type == 0 || ret->type > 255 || ret->n_insns == 0 || ret->n_insns > BW_MAX_INSNS ||
	    ret->name[NAME_LEN - 1] || !bw_slice_str(blob, ret->license) ||
	    !bw_slice_sub(blob, ret->insns, (uint64_t)ret->n_insns * BW_INSN_SIZE, &code))
		return false;
	return true;
}

/* Every program decodes from here: no other place in the file will do that by chance. */
static bool blob_fits(struct lskel *l, struct bw_slice blob)
{
	unsigned int progs = 0;

	for (size_t i = 0; i < l->n_commands; i++) {
		struct lskel_prog p;
		struct bw_insn in[2];
		struct bw_decoded d;

		if (l->commands[i].cmd != CMD_PROG_LOAD)
			continue;
		if (l->budget < 64 || !prog_attr(l, blob, l->commands[i].attr, &p))
			return false;
		l->budget -= 64;
		for (uint32_t k = 0; k < p.n_insns; k += d.slots) {
			if (!l->budget)
				return false;
			l->budget--;
			in[0] = insn_at(blob, p.insns + (uint64_t)k * BW_INSN_SIZE);
			if (k + 1 < p.n_insns)
				in[1] = insn_at(blob, p.insns + (uint64_t)(k + 1) * BW_INSN_SIZE);
			if (bw_insn_decode(in, k + 1 < p.n_insns ? 2 : 1, 0, BW_INSN_OBJECT, &d, NULL))
				return false;
			if (k + d.slots >= p.n_insns && d.op != BW_OP_EXIT && d.op != BW_OP_JA && !bw_op_is_call(d.op))
				return false;
		}
		progs++;
	}
	return progs > 0;
}

/* A cheap look at one candidate before blob_fits(). */
static bool blob_plausible(const struct lskel *l, const struct lskel_command *first, struct bw_slice file, uint64_t at)
{
	const uint8_t *a = file.data + at + first->attr;
	uint32_t type, n;

	if (file.len - at < (uint64_t)first->attr + PROG_ATTR_MIN || file.len - at < l->blob_min)
		return false;
	type = bw_get_u32(a, false);
	n = bw_get_u32(a + PROG_INSN_CNT, false);
	/* The file descriptor array at the start is still empty, and so are the pointers. */
	return type && type < 256 && n && n <= BW_MAX_INSNS && !bw_get_u64(a + PROG_INSNS, false) &&
	       !bw_get_u64(a + PROG_LICENSE, false) && !bw_get_u64(file.data + at, false);
}

static bool find_blob(struct lskel *l, struct bw_slice file, uint64_t loader, uint64_t *ret)
{
	const struct lskel_command *first = NULL;
	uint64_t lo = loader > SEARCH_WINDOW ? loader - SEARCH_WINDOW : 0;
	uint64_t hi = file.len - loader > SEARCH_WINDOW ? loader + SEARCH_WINDOW : file.len;

	for (size_t i = 0; i < l->n_commands && !first; i++)
		if (l->commands[i].cmd == CMD_PROG_LOAD)
			first = &l->commands[i];
	if (!first || hi - lo < l->blob_min)
		return false;
	/* Arrays of characters that hold instructions are 8-byte aligned, like the loader itself. */
	for (uint64_t at = lo + (loader - lo) % 8; at + l->blob_min <= hi; at += 8)
		if (blob_plausible(l, first, file, at) &&
		    blob_fits(l, bw_slice(file.data + at, file.len - at))) {
			*ret = at;
			return true;
		}
	return false;
}

bool bw_lskel_find(struct bw_slice file, uint64_t off, struct bw_carved *ret)
{
	_cleanup_lskel_ struct lskel l = { 0 };
	uint64_t walked, n = loader_length(file, off, &walked);

	ret->light_insns = n;
	ret->light_has_blob = false;
	if (!n || lskel_parse(file, off, n, &l) || !l.n_commands) {
		ret->light_insns = walked; /* so that the caller does not walk it again */
		return false;
	}
	ret->light_has_blob = find_blob(&l, file, off, &ret->light_blob);
	return true;
}

/* ---- the object model ---------------------------------------------------------------------------------------------- */

static int lskel_oom(const struct bw_carved *c, struct bw_diag *diag)
{
	return bw_diag_set(diag, -ENOMEM, c->name, "", BW_DIAG_NO_OFFSET, "needs too much memory");
}

static void lskel_note(struct bw_object *o, const char *section, uint64_t off, const char *text)
{
	o->incomplete = true;
	o->notes[o->n_notes++] =
		(struct bw_note){ .flags = BW_NOTE_INCOMPLETE, .section = section, .offset = off, .text = text };
}

static int add_map(struct bw_object *o, struct bw_slice blob, uint32_t attr)
{
	struct bw_map *m = &o->maps[o->n_maps];
	struct bw_slice a;
	const char *name;

	if (!bw_slice_sub(blob, attr, MAP_ATTR_MIN, &a))
		return -EINVAL;
	name = bw_arena_strn(&o->arena, (const char *)a.data + MAP_NAME, strnlen((const char *)a.data + MAP_NAME, NAME_LEN));
	if (!name)
		return -ENOMEM;
	*m = (struct bw_map){
		.name = name,
		.kind = BW_MAP_LIGHT,
		.type = bw_get_u32(a.data, false),
		.key_size = bw_get_u32(a.data + 4, false),
		.value_size = bw_get_u32(a.data + 8, false),
		.max_entries = bw_get_u32(a.data + 12, false),
		.flags = bw_get_u32(a.data + MAP_FLAGS, false),
		.section = "",
		.inner = BW_NONE,
		.struct_ops = BW_NONE,
		.value_size_known = true,
		.autocreate = true,
	};
	m->frozen = m->flags & 0x80;
	o->n_maps++;
	return 0;
}

static int set_reloc(struct bw_object *o, struct bw_code *c, const struct lskel *l, struct bw_slice blob,
		     const struct lskel_prog *p, uint32_t first_map, uint32_t at, const struct bw_decoded *d)
{
	struct bw_reloc rel = { .insn = at, .target = BW_NONE, .symbol = "", .kind = BW_RELOC_UNKNOWN };
	uint64_t place = p->insns + (uint64_t)at * BW_INSN_SIZE;

	if (d->op == BW_OP_LD_IMM64 && (d->pseudo == BW_PSEUDO_MAP_IDX || d->pseudo == BW_PSEUDO_MAP_IDX_VALUE)) {
		/* The loader's own map 0 is the blob, which comes after the maps that it creates. */
		uint64_t map = (uint64_t)first_map + (uint32_t)d->imm;

		if (d->imm >= 0 && map < o->n_maps) {
			rel.kind = d->pseudo == BW_PSEUDO_MAP_IDX ? BW_RELOC_MAP : BW_RELOC_DATA;
			rel.target = (int32_t)map;
			rel.symbol = o->maps[map].name;
			rel.addend = rel.kind == BW_RELOC_DATA ? (int64_t)(d->imm64 >> 32) : 0;
		}
	} else if (d->op == BW_OP_CALL_LOCAL || (d->op == BW_OP_LD_IMM64 && d->pseudo == BW_PSEUDO_FUNC)) {
		int64_t target = (int64_t)at + 1 + d->imm;

		rel.kind = d->op == BW_OP_CALL_LOCAL ? BW_RELOC_CALL : BW_RELOC_FUNC_ADDR;
		rel.target = target < 0 || target >= c->n_insns ? BW_NONE : (int32_t)target; /* a function later */
	} else {
		for (size_t i = 0; i < l->n_names; i++) {
			const char *name = bw_slice_str(blob, l->names[i].name);

			if (!name || l->names[i].place < place || l->names[i].place >= place + (d->slots * BW_INSN_SIZE))
				continue;
			o->externs[o->n_externs] = (struct bw_extern){
				.name = bw_arena_strn(&o->arena, name, strnlen(name, 256)),
				.kind = d->op == BW_OP_CALL_KFUNC ? BW_EXTERN_KFUNC : BW_EXTERN_KSYM,
			};
			rel.kind = d->op == BW_OP_CALL_KFUNC ? BW_RELOC_KFUNC : BW_RELOC_KSYM;
			rel.target = (int32_t)o->n_externs;
			rel.symbol = o->externs[o->n_externs].name;
			if (!rel.symbol)
				return -ENOMEM;
			o->n_externs++;
			break;
		}
		if (rel.kind == BW_RELOC_UNKNOWN && d->op != BW_OP_CALL_KFUNC && d->pseudo != BW_PSEUDO_BTF_ID)
			return 0;
	}
	c->relocs[c->n_relocs++] = rel;
	c->reloc_of[at] = c->n_relocs;
	return 0;
}

/* Functions: where the program starts and wherever it calls or takes an address. */
static int add_functions(struct bw_object *o, int32_t code, const struct lskel_prog *p, const char *name)
{
	struct bw_code *c = &o->codes[code];
	uint32_t first_func = o->n_funcs, start = 0;
	bool *starts = bw_arena_alloc(&o->arena, c->n_insns, sizeof(*starts));

	if (!starts)
		return -ENOMEM;
	for (uint32_t i = 0; i < c->n_relocs; i++)
		if ((c->relocs[i].kind == BW_RELOC_CALL || c->relocs[i].kind == BW_RELOC_FUNC_ADDR) &&
		    c->relocs[i].target != BW_NONE)
			starts[c->relocs[i].target] = true;
	for (uint32_t i = 1; i <= c->n_insns; i++) {
		if (i < c->n_insns && !starts[i])
			continue;
		o->funcs[o->n_funcs] = (struct bw_func){
			.name = start ? bw_arena_printf(&o->arena, "%s+0x%x", name, start * BW_INSN_SIZE) : name,
			.code = code,
			.first = start,
			.n_insns = i - start,
			.binding = start ? BW_BIND_LOCAL : BW_BIND_GLOBAL,
			.nameless = start,
			.prog = BW_NONE,
		};
		if (!o->funcs[o->n_funcs++].name)
			return -ENOMEM;
		start = i;
	}
	for (uint32_t i = 0; i < c->n_relocs; i++) {
		struct bw_reloc *rel = &c->relocs[i];

		if (rel->kind != BW_RELOC_CALL && rel->kind != BW_RELOC_FUNC_ADDR)
			continue;
		rel->target = rel->target == BW_NONE ? BW_NONE :
						       bw_object_func_starting(o, code, (uint32_t)rel->target);
		if (rel->target == BW_NONE)
			rel->kind = BW_RELOC_UNKNOWN;
		else
			rel->symbol = o->funcs[rel->target].name;
	}
	o->funcs[first_func].prog = (int32_t)o->n_progs;
	o->progs[o->n_progs++] = (struct bw_prog){
		.name = name,
		.section = c->name,
		.func = (int32_t)first_func,
		.struct_ops = BW_NONE,
		.member = BW_NONE,
		.def = {
			.known = true,
			.prog_type = p->type,
			.attach_type = (int32_t)p->attach_type,
			.rule = "",
			.target = "",
			.sleepable = p->flags & PROG_F_SLEEPABLE,
			.autoload = true,
		},
	};
	return 0;
}

static int add_code(struct bw_object *o, const struct lskel *l, struct bw_slice blob, const struct lskel_prog *p,
		    uint32_t first_map, const char *name)
{
	int32_t code = (int32_t)o->n_codes++;
	struct bw_code *c = &o->codes[code];
	struct bw_decoded d;
	int r = 0;

	c->name = name;
	c->n_insns = p->n_insns;
	c->insns = bw_arena_alloc(&o->arena, c->n_insns, sizeof(*c->insns));
	c->relocs = bw_arena_alloc(&o->arena, c->n_insns, sizeof(*c->relocs));
	c->reloc_of = bw_arena_alloc(&o->arena, c->n_insns, sizeof(*c->reloc_of));
	if (!c->insns || !c->relocs || !c->reloc_of)
		return -ENOMEM;
	bw_insns_unpack(blob.data + p->insns, p->n_insns, false, c->insns);
	for (uint32_t i = 0; i < c->n_insns && !r; i += d.slots) {
		if (bw_insn_decode(c->insns, c->n_insns, i, BW_INSN_OBJECT, &d, NULL))
			return -EINVAL;
		if (d.op == BW_OP_CALL_LOCAL || d.op == BW_OP_CALL_KFUNC || (d.op == BW_OP_LD_IMM64 && d.pseudo))
			r = set_reloc(o, c, l, blob, p, first_map, i, &d);
	}
	return r ? r : add_functions(o, code, p, name);
}

static void add_lines(struct bw_object *o, const struct lskel *l, struct bw_slice blob, uint32_t attr, struct bw_code *c)
{
	uint32_t size = bw_get_u32(blob.data + attr + PROG_LINE_INFO_SIZE, false);
	uint32_t n = bw_get_u32(blob.data + attr + PROG_LINE_INFO_CNT, false), at, last = 0;
	struct bw_slice records;

	if (!o->btf || size < 16 || size > 4096 || n > c->n_insns || !lskel_pointer(l, attr + PROG_LINE_INFO, &at) ||
	    !bw_slice_sub(blob, at, (uint64_t)n * size, &records))
		return;
	c->lines = bw_arena_alloc(&o->arena, n, sizeof(*c->lines));
	for (uint32_t i = 0; c->lines && i < n; i++) {
		const uint8_t *p = records.data + (size_t)i * size;
		uint32_t insn = bw_get_u32(p, false), word = bw_get_u32(p + 12, false);

		if (insn >= c->n_insns || insn < last)
			break;
		last = insn;
		c->lines[c->n_lines++] = (struct bw_line){
			.insn = insn,
			.line = word >> 10,
			.col = word & 0x3ff,
			.file = bw_btf_str(o->btf, bw_get_u32(p + 4, false)),
			.text = bw_btf_str(o->btf, bw_get_u32(p + 8, false)),
		};
	}
}

/* The loader itself is a program like any other, and may be all that can be shown. */
static int add_loader(struct bw_object *o, const struct bw_carved *c, const struct lskel *l)
{
	struct bw_slice code = bw_slice(c->bytes.data + c->offset, c->light_insns * BW_INSN_SIZE);
	struct lskel_prog p = { .type = PROG_TYPE_SYSCALL, .n_insns = (uint32_t)c->light_insns, .flags = PROG_F_SLEEPABLE };
	struct lskel none = { 0 };
	int32_t prog = (int32_t)o->n_progs;
	uint32_t blob = o->n_maps++;
	int r;

	o->maps[blob] = (struct bw_map){
		.name = "light skeleton data",
		.kind = BW_MAP_LIGHT,
		.type = 2, /* array */
		.key_size = 4,
		.value_size = l->blob_min,
		.max_entries = 1,
		.section = "",
		.inner = BW_NONE,
		.struct_ops = BW_NONE,
		.autocreate = true,
	};
	if (c->light_has_blob)
		bw_slice_sub(c->bytes, c->light_blob, l->blob_min, &o->maps[blob].data);
	r = add_code(o, &none, code, &p, blob, "light skeleton loader");

	if (!r)
		o->progs[prog].loader = true;
	return r;
}

static int lskel_build(struct bw_object *o, const struct bw_carved *c, const struct lskel *l, struct bw_slice blob)
{
	uint32_t at;
	int r = 0;

	for (size_t i = 0; i < l->n_commands && !r; i++) {
		struct bw_slice size, btf;

		if (l->commands[i].cmd == CMD_MAP_CREATE && !l->commands[i].inner)
			r = add_map(o, blob, l->commands[i].attr);
		else if (l->commands[i].cmd == CMD_BTF_LOAD && !o->btf &&
			 lskel_pointer(l, l->commands[i].attr + BTF_DATA, &at) &&
			 bw_slice_sub(blob, (uint64_t)l->commands[i].attr + BTF_SIZE, 4, &size) &&
			 bw_slice_sub(blob, at, bw_get_u32(size.data, false), &btf))
			r = bw_btf_read(btf, false, c->name, &o->arena, &o->btf, NULL) == -ENOMEM ? -ENOMEM : 0;
	}
	/* Templates last: instructions count the others only. */
	for (size_t i = 0, map = 0; i < l->n_commands && !r; i++) {
		if (l->commands[i].cmd != CMD_MAP_CREATE)
			continue;
		if (!l->commands[i].inner) {
			map++;
			continue;
		}
		r = add_map(o, blob, l->commands[i].attr);
		if (r)
			break;
		o->maps[o->n_maps - 1].is_inner = true;
		if (i + 1 < l->n_commands && l->commands[i + 1].cmd == CMD_MAP_CREATE && !l->commands[i + 1].inner)
			o->maps[map].inner = (int32_t)o->n_maps - 1;
	}
	for (size_t i = 0; i < l->n_commands && !r; i++) {
		uint32_t attr = l->commands[i].attr;
		struct lskel_prog p;
		const char *name;
		struct bw_prog *prog;

		if (l->commands[i].cmd != CMD_PROG_LOAD)
			continue;
		if (!prog_attr(l, blob, attr, &p))
			return -EINVAL;
		name = bw_arena_str(&o->arena, p.name[0] ? p.name : "(unnamed)");
		if (!name)
			return -ENOMEM;
		r = add_code(o, l, blob, &p, 0, name);
		if (r)
			break;
		add_lines(o, l, blob, attr, &o->codes[o->n_codes - 1]);
		o->license = bw_slice_str(blob, p.license);
		/* The name that ends up in attach_btf_id is what it attaches to. */
		prog = &o->progs[o->n_progs - 1];
		for (size_t k = 0; k < l->n_names; k++)
			if (l->names[k].place == attr && bw_slice_str(blob, l->names[k].name)) {
				const char *target = bw_slice_str(blob, l->names[k].name);

				prog->def.target = bw_arena_strn(&o->arena, target, strnlen(target, 256));
				prog->def.target_len = (uint32_t)strnlen(target, 256);
				prog->def.needs_btf_target = true;
				if (!prog->def.target)
					return -ENOMEM;
			}
	}
	return r;
}

int bw_lskel_read(const struct bw_carved *c, struct bw_object **ret, struct bw_diag *diag)
{
	_cleanup_object_ struct bw_object *o = calloc(1, sizeof(*o));
	_cleanup_lskel_ struct lskel l = { 0 };
	uint64_t insns = c->light_insns;
	struct bw_slice blob = { 0 };
	size_t n_progs = 1;
	int r;

	if (!o)
		return lskel_oom(c, diag);
	r = lskel_parse(c->bytes, c->offset, c->light_insns, &l);
	if (r)
		return bw_diag_set(diag, r == -ENOMEM ? r : -EINVAL, c->name, "", BW_DIAG_NO_OFFSET, "malformed loader program");
	if (c->light_has_blob)
		blob = bw_slice(c->bytes.data + c->light_blob, c->bytes.len - c->light_blob);
	for (size_t i = 0; i < l.n_commands && c->light_has_blob; i++) {
		struct lskel_prog p;

		if (l.commands[i].cmd != CMD_PROG_LOAD || !prog_attr(&l, blob, l.commands[i].attr, &p))
			continue;
		n_progs++;
		insns += p.n_insns;
	}
	if (insns > 4 * (uint64_t)BW_MAX_INSNS)
		return bw_diag_set(diag, -EINVAL, c->name, "", BW_DIAG_NO_OFFSET, "too many instructions");
	o->arena.max = (64u << 20) + insns * 256;
	o->license = "";
	o->cpu = 1;
	o->light_skeleton = true;
	o->size = c->light_insns * BW_INSN_SIZE;
	o->path = bw_arena_str(&o->arena, c->name);
	o->codes = bw_arena_alloc(&o->arena, n_progs, sizeof(*o->codes));
	o->progs = bw_arena_alloc(&o->arena, n_progs, sizeof(*o->progs));
	o->maps = bw_arena_alloc(&o->arena, l.n_commands + 1, sizeof(*o->maps));
	o->funcs = bw_arena_alloc(&o->arena, insns, sizeof(*o->funcs));
	o->externs = bw_arena_alloc(&o->arena, insns, sizeof(*o->externs));
	o->notes = bw_arena_alloc(&o->arena, 2, sizeof(*o->notes));
	if (!o->path || !o->codes || !o->progs || !o->maps || !o->funcs || !o->externs || !o->notes)
		return lskel_oom(c, diag);
	if (c->light_has_blob)
		r = lskel_build(o, c, &l, blob);
	else
		lskel_note(o, "", c->offset, "a light skeleton's loader, but its data was not found near it");
	if (!r)
		r = add_loader(o, c, &l);
	if (r == -ENOMEM)
		return lskel_oom(c, diag);
	if (r)
		return bw_diag_set(diag, -EINVAL, c->name, "", BW_DIAG_NO_OFFSET, "malformed light skeleton");
	for (uint32_t i = 0; i < o->n_codes && o->n_notes < 2; i++)
		for (uint32_t k = 0; k < o->codes[i].n_relocs && o->n_notes < 2; k++)
			if (o->codes[i].relocs[k].kind == BW_RELOC_UNKNOWN)
				lskel_note(o, o->codes[i].name, (uint64_t)o->codes[i].relocs[k].insn * BW_INSN_SIZE,
					   "what this instruction refers to was not found");
	if (!bw_sha256(c->bytes.data + c->offset, c->light_insns * BW_INSN_SIZE, o->sha256))
		return lskel_oom(c, diag);
	*ret = TAKE_PTR(o);
	return 0;
}
