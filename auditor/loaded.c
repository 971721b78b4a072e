// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Programs as BPF_PROG_LOAD gets them, as one object: instructions with descriptors of maps and BTF ids in them, the kernel's
 * facts about the maps, no sections. A section's name is made up from type, attach type and target, so that everything that
 * reads names of sections understands these as well.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auditor/analysis.h"
#include "auditor/checks/rule.h"
#include "auditor/object.h"
#include "auditor/scan.h"
#include "auditor/secname.h"
#include "common/bpf_names.h"

/* Newer than the oldest header this builds with (include/uapi/linux/bpf.h, enum bpf_attach_type). */
enum { ATTACH_UPROBE_MULTI = 48, ATTACH_KPROBE_SESSION = 56, ATTACH_UPROBE_SESSION = 57 };

struct bw_analyst {
	struct bw_ruleset rules;
};

int bw_analyst_new(struct bw_analyst **ret, char *why, size_t why_len)
{
	struct bw_analyst *a = calloc(1, sizeof(*a));
	struct bw_diag diag = { .offset = BW_DIAG_NO_OFFSET };
	int r;

	if (!a)
		return -ENOMEM;
	r = bw_ruleset_default(&a->rules, &diag);
	if (r < 0) {
		bw_diag_text(&diag, why, why_len);
		bw_analyst_free(a);
		return r;
	}
	*ret = a;
	return 0;
}

void bw_analyst_free(struct bw_analyst *a)
{
	if (!a)
		return;
	bw_ruleset_free(&a->rules);
	free(a);
}

/* ---- the object ------------------------------------------------------------------------------------------------------ */

struct reader {
	const struct bw_loaded *in;
	struct bw_object *o;
	size_t externs_cap, funcs_cap;
};

/* "fentry/vfs_read": what SEC() would say. */
static const char *section_of(struct bw_arena *arena, const struct bw_loaded_program *p)
{
	static const struct {
		uint32_t type;
		const char *section;
	} by_type[] = {
		{ BPF_PROG_TYPE_SOCKET_FILTER, "socket" },  { BPF_PROG_TYPE_KPROBE, "kprobe" },
		{ BPF_PROG_TYPE_SCHED_CLS, "tc" },	    { BPF_PROG_TYPE_SCHED_ACT, "action" },
		{ BPF_PROG_TYPE_TRACEPOINT, "tracepoint" }, { BPF_PROG_TYPE_XDP, "xdp" },
		{ BPF_PROG_TYPE_PERF_EVENT, "perf_event" }, { BPF_PROG_TYPE_RAW_TRACEPOINT, "raw_tp" },
		{ BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE, "raw_tp.w" },
		{ BPF_PROG_TYPE_SYSCALL, "syscall" },	    { BPF_PROG_TYPE_EXT, "freplace" },
	};
	static const struct {
		uint32_t type, attach_type;
		const char *section, *prefix; /* @prefix: what the kernel puts before the name */
	} by_target[] = {
		{ BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP, "tp_btf", "btf_trace_" },
		{ BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY, "fentry", "" },
		{ BPF_PROG_TYPE_TRACING, BPF_TRACE_FEXIT, "fexit", "" },
		{ BPF_PROG_TYPE_TRACING, BPF_MODIFY_RETURN, "fmod_ret", "" },
		{ BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER, "iter", "bpf_iter_" },
		{ BPF_PROG_TYPE_LSM, BPF_LSM_MAC, "lsm", "bpf_lsm_" },
		{ BPF_PROG_TYPE_KPROBE, BPF_TRACE_KPROBE_MULTI, "kprobe.multi", "" },
		{ BPF_PROG_TYPE_KPROBE, ATTACH_KPROBE_SESSION, "kprobe.session", "" },
		{ BPF_PROG_TYPE_KPROBE, ATTACH_UPROBE_MULTI, "uprobe.multi", "" },
		{ BPF_PROG_TYPE_KPROBE, ATTACH_UPROBE_SESSION, "uprobe.session", "" },
		{ BPF_PROG_TYPE_LSM, BPF_LSM_CGROUP, "lsm_cgroup", "bpf_lsm_" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(by_target); i++) {
		const char *target = p->target;
		size_t n = strlen(by_target[i].prefix);

		if (p->prog_type != by_target[i].type || p->attach_type != by_target[i].attach_type)
			continue;
		if (!strncmp(target, by_target[i].prefix, n))
			target += n;
		return bw_arena_printf(arena, "%s%s%s%s", by_target[i].section, p->sleepable ? ".s" : "", *target ? "/" : "",
				       target);
	}
	for (size_t i = 0; i < ARRAY_SIZE(by_type); i++)
		if (p->prog_type == by_type[i].type)
			return by_type[i].section;
	return "";
}

static int32_t find_map(const struct bw_object *o, uint32_t id)
{
	for (uint32_t i = 0; i < o->n_maps; i++)
		if (o->maps[i].id == id)
			return (int32_t)i;
	return BW_NONE;
}

static enum bw_map_kind map_kind(const struct bw_loaded_map *m)
{
	if (m->type != BPF_MAP_TYPE_ARRAY || m->max_entries != 1)
		return BW_MAP_LIVE;
	/* What libbpf makes of sections. A map of somebody's own that looks like one is treated just so. */
	if (m->flags & BPF_F_RDONLY_PROG)
		return BW_MAP_RODATA;
	return m->flags & BPF_F_MMAPABLE ? BW_MAP_DATA : BW_MAP_LIVE;
}

static int add_map(struct bw_object *o, const struct bw_loaded_map *m)
{
	struct bw_map *map;

	if (find_map(o, m->id) != BW_NONE)
		return 0;
	if (o->n_maps == BW_MAX_LOADED_MAPS)
		return -E2BIG;
	map = &o->maps[o->n_maps];
	*map = (struct bw_map){
		.name = bw_arena_str(&o->arena, *m->name ? m->name : "(unnamed)"),
		.kind = map_kind(m),
		.type = m->type,
		.key_size = m->key_size,
		.value_size = m->value_size,
		.max_entries = m->max_entries,
		.flags = m->flags,
		.id = m->id,
		.section = "",
		.inner = BW_NONE,
		.struct_ops = BW_NONE,
		.value_size_known = true,
		.autocreate = true,
		.frozen = m->flags & BPF_F_RDONLY_PROG,
		.data = bw_slice(m->data, m->data ? m->data_len : 0),
	};
	if (!map->name)
		return -ENOMEM;
	o->n_maps++;
	return 0;
}

static int add_extern(struct reader *r, uint32_t btf_id, enum bw_extern_kind kind, struct bw_reloc *rel)
{
	const char *name = r->in->btf_name ? r->in->btf_name(r->in->ctx, btf_id) : NULL;
	struct bw_object *o = r->o;

	if (!bw_arena_grow(&o->arena, &o->externs, o->n_externs, &r->externs_cap, sizeof(*o->externs)))
		return -ENOMEM;
	o->externs[o->n_externs] = (struct bw_extern){
		.name = name ? bw_arena_str(&o->arena, name) : bw_arena_printf(&o->arena, "btf_id:%u", btf_id),
		.kind = kind,
	};
	if (!o->externs[o->n_externs].name)
		return -ENOMEM;
	*rel = (struct bw_reloc){
		.insn = rel->insn,
		.kind = kind == BW_EXTERN_KFUNC ? BW_RELOC_KFUNC : BW_RELOC_KSYM,
		.target = (int32_t)o->n_externs,
		.symbol = o->externs[o->n_externs].name,
	};
	o->n_externs++;
	return 0;
}

static void map_reloc(const struct reader *r, const struct bw_loaded_program *p, const struct bw_decoded *d, struct bw_reloc *rel)
{
	bool by_index = d->pseudo == BW_PSEUDO_MAP_IDX || d->pseudo == BW_PSEUDO_MAP_IDX_VALUE;
	bool value = d->pseudo == BW_PSEUDO_MAP_VALUE || d->pseudo == BW_PSEUDO_MAP_IDX_VALUE;

	for (uint32_t i = 0; i < p->n_maps && rel->target == BW_NONE; i++)
		if (p->maps[i].by_index == by_index && p->maps[i].ref == (uint32_t)d->imm)
			rel->target = find_map(r->o, p->maps[i].id);
	if (rel->target == BW_NONE)
		return;
	rel->kind = value ? BW_RELOC_DATA : BW_RELOC_MAP;
	rel->symbol = r->o->maps[rel->target].name;
	rel->addend = value ? (int64_t)(d->imm64 >> 32) : 0;
}

/* What the instructions refer to; @starts[i] is set where a function begins. */
static int add_relocs(struct reader *r, const struct bw_loaded_program *p, struct bw_code *c, bool *starts)
{
	struct bw_decoded d;
	int err = 0;

	for (uint32_t i = 0; i < c->n_insns && !err; i += d.slots) {
		struct bw_reloc rel = { .insn = i, .target = BW_NONE, .symbol = "", .kind = BW_RELOC_UNKNOWN };

		if (bw_insn_decode(c->insns, c->n_insns, i, BW_INSN_OBJECT, &d, NULL)) {
			r->o->incomplete = true;
			d.slots = 1;
			continue;
		}
		if (d.op == BW_OP_CALL_LOCAL || (d.op == BW_OP_LD_IMM64 && d.pseudo == BW_PSEUDO_FUNC)) {
			int64_t target = (int64_t)i + 1 + d.imm;

			rel.kind = d.op == BW_OP_CALL_LOCAL ? BW_RELOC_CALL : BW_RELOC_FUNC_ADDR;
			if (target > 0 && target < c->n_insns) {
				starts[target] = true;
				rel.target = (int32_t)target; /* a function later */
			}
		} else if (d.op == BW_OP_CALL_KFUNC) {
			err = add_extern(r, (uint32_t)d.imm, BW_EXTERN_KFUNC, &rel);
		} else if (d.op == BW_OP_LD_IMM64 && d.pseudo == BW_PSEUDO_BTF_ID) {
			err = add_extern(r, (uint32_t)d.imm, BW_EXTERN_KSYM, &rel);
		} else if (d.op == BW_OP_LD_IMM64 && d.pseudo) {
			map_reloc(r, p, &d, &rel);
		} else {
			continue;
		}
		c->relocs[c->n_relocs++] = rel;
		c->reloc_of[i] = c->n_relocs;
	}
	return err;
}

static int add_functions(struct reader *r, int32_t code, const bool *starts, const char *name)
{
	struct bw_object *o = r->o;
	struct bw_code *c = &o->codes[code];
	uint32_t start = 0;

	for (uint32_t i = 1; i <= c->n_insns; i++) {
		if (i < c->n_insns && !starts[i])
			continue;
		if (!bw_arena_grow(&o->arena, &o->funcs, o->n_funcs, &r->funcs_cap, sizeof(*o->funcs)))
			return -ENOMEM;
		o->funcs[o->n_funcs] = (struct bw_func){
			.name = start ? bw_arena_printf(&o->arena, "%s+0x%x", name, start * BW_INSN_SIZE) : name,
			.code = code,
			.first = start,
			.n_insns = i - start,
			.binding = start ? BW_BIND_LOCAL : BW_BIND_GLOBAL,
			.nameless = start,
			.prog = start ? BW_NONE : (int32_t)o->n_progs,
		};
		if (!o->funcs[o->n_funcs++].name)
			return -ENOMEM;
		start = i;
	}
	for (uint32_t i = 0; i < c->n_relocs; i++) {
		struct bw_reloc *rel = &c->relocs[i];

		if (rel->kind == BW_RELOC_CALL || rel->kind == BW_RELOC_FUNC_ADDR) {
			rel->target = rel->target == BW_NONE ? BW_NONE :
							       bw_object_func_starting(o, code, (uint32_t)rel->target);
			if (rel->target == BW_NONE)
				rel->kind = BW_RELOC_UNKNOWN;
			else
				rel->symbol = o->funcs[rel->target].name;
		}
		if (rel->kind == BW_RELOC_UNKNOWN)
			o->incomplete = true;
	}
	return 0;
}

static int add_program(struct reader *r, const struct bw_loaded_program *p)
{
	struct bw_object *o = r->o;
	int32_t code = (int32_t)o->n_codes++, func;
	struct bw_code *c = &o->codes[code];
	struct bw_secdef def;
	bool *starts;
	int err;

	c->name = section_of(&o->arena, p);
	c->n_insns = p->n_insns;
	c->insns = bw_arena_alloc(&o->arena, c->n_insns, sizeof(*c->insns));
	c->relocs = bw_arena_alloc(&o->arena, c->n_insns, sizeof(*c->relocs));
	c->reloc_of = bw_arena_alloc(&o->arena, c->n_insns, sizeof(*c->reloc_of));
	starts = bw_arena_alloc(&o->arena, c->n_insns, sizeof(*starts));
	if (!c->name || !c->insns || !c->relocs || !c->reloc_of || !starts)
		return -ENOMEM;
	bw_insns_unpack(p->insns, p->n_insns, __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__, c->insns);
	err = add_relocs(r, p, c, starts);
	func = (int32_t)o->n_funcs;
	if (!err)
		err = add_functions(r, code, starts, bw_arena_str(&o->arena, *p->name ? p->name : "(unnamed)"));
	if (err)
		return err;
	bw_secname_parse(c->name, &def);
	def.known = true;
	def.prog_type = p->prog_type;
	def.attach_type = (int32_t)p->attach_type;
	def.sleepable = p->sleepable;
	def.autoload = true;
	if (!def.target)
		def.target = "";
	o->progs[o->n_progs++] = (struct bw_prog){
		.name = o->funcs[func].name,
		.section = c->name,
		.func = func,
		.struct_ops = BW_NONE,
		.member = BW_NONE,
		.def = def,
	};
	return 0;
}

static int object_fill(struct reader *r)
{
	const struct bw_loaded *in = r->in;
	struct bw_object *o = r->o;
	uint64_t insns = 0, maps = 0;
	int err = 0;

	for (uint32_t i = 0; i < in->n_programs; i++) {
		if (!in->programs[i].n_insns || in->programs[i].n_insns > BW_MAX_INSNS)
			return -E2BIG;
		insns += in->programs[i].n_insns;
		maps += in->programs[i].n_maps;
	}
	if (in->n_programs > BW_MAX_LOADED_PROGRAMS || insns > 4 * (uint64_t)BW_MAX_INSNS)
		return -E2BIG;
	o->arena.max = (64u << 20) + insns * 256;
	o->license = "";
	o->cpu = 1;
	o->big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
	o->size = insns * BW_INSN_SIZE;
	o->path = bw_arena_str(&o->arena, in->name);
	o->codes = bw_arena_alloc(&o->arena, in->n_programs, sizeof(*o->codes));
	o->progs = bw_arena_alloc(&o->arena, in->n_programs, sizeof(*o->progs));
	o->maps = bw_arena_alloc(&o->arena, maps < BW_MAX_LOADED_MAPS ? maps : BW_MAX_LOADED_MAPS, sizeof(*o->maps));
	if (!o->path || !o->codes || !o->progs || !o->maps)
		return -ENOMEM;
	for (uint32_t i = 0; i < in->n_programs; i++)
		for (uint32_t k = 0; k < in->programs[i].n_maps && !err; k++)
			err = add_map(o, &in->programs[i].maps[k]);
	for (uint32_t i = 0; i < in->n_programs && !err; i++)
		err = add_program(r, &in->programs[i]);
	return err;
}

/* ---- what flows where -------------------------------------------------------------------------------------------------- */

static void label(struct bw_loaded_flows *f, uint32_t id, uint32_t source)
{
	uint32_t i = 0;

	while (i < f->n_maps && f->maps[i].id != id)
		i++;
	if (i == BW_MAX_LABELLED_MAPS) {
		f->more = true;
		return;
	}
	if (i == f->n_maps)
		f->maps[f->n_maps++] = (struct bw_loaded_label){ .id = id };
	f->maps[i].sources |= BW_SRC_BIT(source);
}

/* A map that the one fills and the other takes from; 0: none, or more than one way. */
static uint32_t map_between(const struct bw_object *o, const struct bw_analysis *a, const struct bw_flow *flow)
{
	const struct bw_prog_facts *from = NULL, *to = NULL;

	for (uint32_t i = 0; i < a->n_progs; i++) {
		if (a->progs[i].prog == flow->source_prog)
			from = &a->progs[i];
		if (a->progs[i].prog == flow->prog)
			to = &a->progs[i];
	}
	for (uint32_t i = 0; from && to && i < from->n_maps; i++)
		for (uint32_t k = 0; k < to->n_maps; k++)
			if (from->maps[i].map >= 0 && from->maps[i].map == to->maps[k].map && from->maps[i].value_sources & BW_SRC_BIT(flow->source))
				return o->maps[from->maps[i].map].id;
	return 0;
}

static const char *program_name(const struct bw_object *o, int32_t prog)
{
	return prog >= 0 && (uint32_t)prog < o->n_progs ? o->progs[prog].name : "";
}

/* Content. Names, numbers and times of processes, headers and addresses are in every other map: who reads them is no news. */
#define CONTENT                                                                                                                          \
	(BW_SRC_BIT(BW_SRC_TLS_PLAINTEXT) | BW_SRC_BIT(BW_SRC_USER_MEMORY) | BW_SRC_BIT(BW_SRC_SYSCALL_BUFFER) |                         \
	 BW_SRC_BIT(BW_SRC_EXEC_ARGS) | BW_SRC_BIT(BW_SRC_KEYSTROKES) | BW_SRC_BIT(BW_SRC_TTY) | BW_SRC_BIT(BW_SRC_FILE_CONTENT) |       \
	 BW_SRC_BIT(BW_SRC_PACKET_PAYLOAD) | BW_SRC_BIT(BW_SRC_CREDENTIALS) | BW_SRC_BIT(BW_SRC_ENVIRONMENT) | BW_SRC_BIT(BW_SRC_DNS))
/* What packets are made of: nothing is carried off when it goes into another one. */
#define OF_PACKETS (BW_SRC_BIT(BW_SRC_PACKET_PAYLOAD) | BW_SRC_BIT(BW_SRC_DNS))

static void note_flows(void *arg, const struct bw_object *o, const struct bw_analysis *a)
{
	struct bw_loaded_flows *ret = arg;

	for (uint32_t i = 0; i < a->n_flows; i++) {
		const struct bw_flow *f = &a->flows[i];

		if (f->derived)
			continue;
		switch (f->channel) {
		case BW_CH_RINGBUF:
		case BW_CH_PERF:
		case BW_CH_MAP:
		case BW_CH_PINNED_MAP:
			if (f->map >= 0 && o->maps[f->map].id && CONTENT & BW_SRC_BIT(f->source))
				label(ret, o->maps[f->map].id, f->source);
			break;
		case BW_CH_PACKET_WRITE:
		case BW_CH_PACKET_REDIRECT:
			if (!(CONTENT & ~OF_PACKETS & BW_SRC_BIT(f->source)))
				break;
			if (!ret->packet_sources) {
				ret->packet_map = map_between(o, a, f);
				snprintf(ret->packet_from, sizeof(ret->packet_from), "%s", program_name(o, f->source_prog));
				snprintf(ret->packet_to, sizeof(ret->packet_to), "%s", program_name(o, f->prog));
			}
			ret->packet_sources |= BW_SRC_BIT(f->source);
			break;
		default:
			break;
		}
	}
}

int bw_analyse_loaded(const struct bw_analyst *a, const struct bw_loaded *in, const struct bw_analysis_limits *limits,
		      struct bw_arena *arena, struct bw_scan_object *ret, struct bw_loaded_flows *ret_flows)
{
	const struct bw_scan_options opt = { .rules = &a->rules, .limits = limits, .analysed = ret_flows ? note_flows : NULL, .arg = ret_flows };
	_cleanup_object_ struct bw_object *o = calloc(1, sizeof(*o));
	struct reader r = { .in = in, .o = o };
	int err;

	if (!o)
		return -ENOMEM;
	if (ret_flows)
		memset(ret_flows, 0, sizeof(*ret_flows));
	err = object_fill(&r);
	return err ? err : bw_scan_read_object(o, &opt, arena, ret);
}
