// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What contexts hold, and memory outside the program: user space, kernel structures, packets.
 * Layouts: include/uapi/linux/bpf.h (__sk_buff, xdp_md, sk_msg_md, bpf_sock_ops, ...).
 */
#include "auditor/engine.h"

#include <stdio.h>
#include <string.h>

#define S(x) BW_SRC_BIT(BW_SRC_##x)

/* ---- descriptors ------------------------------------------------------------------------------------------------------- */

uint32_t bw_ext_set(struct bw_engine *e, const struct bw_desc *desc)
{
	return bw_dom_region_set(&e->d, BW_REGION_EXT, (int32_t)bw_intern_add(&e->d.descs, desc), 0);
}

static struct bw_val ext_ptr(struct bw_engine *e, const struct bw_desc *desc)
{
	return bw_val_ptr(bw_ext_set(e, desc), 0);
}

static struct bw_val ext_number(struct bw_engine *e, const struct bw_desc *desc)
{
	struct bw_val v = bw_val_unknown();

	v.tag = bw_dom_tag_add(&e->d, BW_TAG_ADDR, bw_intern_add(&e->d.descs, desc), 0, 0, 0);
	return v;
}

static struct bw_desc plain_desc(struct bw_engine *e, enum bw_space space, uint32_t classes, uint32_t detail)
{
	return (struct bw_desc){ .space = space, .kind = BW_DESC_PLAIN, .classes = classes, .detail = detail };
}

struct bw_val bw_as_pointer(struct bw_engine *e, const struct bw_val *v, uint32_t sources)
{
	struct bw_val p;

	if (v->kind == BW_VAL_PTR)
		return *v;
	if (v->tag && bw_dom_tag(&e->d, v->tag)->kind == BW_TAG_ADDR) {
		p = bw_val_ptr(bw_dom_region_set(&e->d, BW_REGION_EXT, (int32_t)bw_dom_tag(&e->d, v->tag)->a, 0), 0);
	} else {
		struct bw_desc d = plain_desc(e, BW_SPACE_UNKNOWN, sources ? 0 : S(KERNEL_MEMORY), 0);

		p = ext_ptr(e, &d);
	}
	p.from = v->from;
	p.map = v->map;
	p.taint = v->taint;
	p.prov = v->prov;
	return p;
}

/* A descriptor of a structure by its BTF type, "" when unnamed. */
static struct bw_desc struct_desc(struct bw_engine *e, const char *type, uint32_t btf_type)
{
	return (struct bw_desc){ .space = BW_SPACE_KERNEL, .kind = BW_DESC_STRUCT, .type = bw_dom_str(&e->d, type),
				 .detail = bw_dom_str(&e->d, type), .btf_type = btf_type };
}

struct bw_val bw_arg_value(struct bw_engine *e, const struct bw_arg *a, int i)
{
	char detail[192];
	struct bw_desc d;
	struct bw_val v;
	bool syscall = e->at->target == BW_TARGET_SYSCALL || e->at->target == BW_TARGET_WRAPPER;

	if (!e->at->name_len)
		snprintf(detail, sizeof(detail), "the probed function's argument %d", i + 1);
	else if (*a->name)
		snprintf(detail, sizeof(detail), "%s%.*s %s", syscall ? "sys_" : "", (int)e->at->name_len, e->at->name, a->name);
	else
		snprintf(detail, sizeof(detail), "%s%.*s argument %d", syscall ? "sys_" : "", (int)e->at->name_len, e->at->name, i + 1);
	switch (a->kind) {
	case BW_ARG_NUMBER:
		v = bw_val_unknown();
		bw_taint(e, &v, a->classes, bw_dom_str(&e->d, detail));
		break;
	case BW_ARG_USER_PTR:
		d = plain_desc(e, BW_SPACE_USER, a->classes, bw_dom_str(&e->d, detail));
		v = ext_ptr(e, &d);
		if (!(a->classes & ~S(USER_MEMORY))) {
			/* Nothing says that it is a pointer: it may also be a number. */
			v = ext_number(e, &d);
			bw_taint(e, &v, S(USER_MEMORY), bw_dom_str(&e->d, detail));
		}
		break;
	case BW_ARG_KERNEL_PTR:
		d = plain_desc(e, BW_SPACE_KERNEL, a->classes, bw_dom_str(&e->d, detail));
		v = ext_ptr(e, &d);
		bw_taint(e, &v, a->classes, bw_dom_str(&e->d, detail));
		break;
	case BW_ARG_STRUCT:
		d = struct_desc(e, a->type, 0);
		v = ext_ptr(e, &d);
		bw_taint(e, &v, S(KERNEL_POINTER), bw_dom_str(&e->d, detail));
		break;
	case BW_ARG_POINTERS: {
		struct bw_desc inner = plain_desc(e, BW_SPACE_USER, a->classes, bw_dom_str(&e->d, detail));

		d = inner;
		d.kind = BW_DESC_POINTERS;
		d.deref = bw_intern_add(&e->d.descs, &inner);
		v = ext_ptr(e, &d);
		break;
	}
	case BW_ARG_PTREGS:
		d = (struct bw_desc){ .space = BW_SPACE_KERNEL, .kind = BW_DESC_PTREGS, .detail = bw_dom_str(&e->d, "pt_regs"),
				      .aux = -1 };
		v = ext_ptr(e, &d);
		break;
	default: {
		uint32_t classes = a->classes;

		d = plain_desc(e, BW_SPACE_UNKNOWN, 0, bw_dom_str(&e->d, detail));
		v = ext_number(e, &d);
		/* A number or an address: nothing tells which. */
		if (!classes)
			classes = syscall ? S(PROCESS_METADATA) : S(KERNEL_MEMORY) | S(KERNEL_POINTER);
		bw_taint(e, &v, classes, bw_dom_str(&e->d, detail));
		break;
	}
	}
	v.from = BW_FROM_BIT(BW_FROM_CTX_ARG);
	return v;
}

/* ---- CO-RE ---------------------------------------------------------------------------------------------------------------- */

const struct bw_core_relo *bw_core_here(struct bw_engine *e)
{
	int32_t code = e->o->funcs[e->func].code;

	if (!e->core_bits[code] || !(e->core_bits[code][e->insn / 8] & 1u << e->insn % 8))
		return NULL;
	return bw_code_core(&e->o->codes[code], e->insn);
}

uint32_t bw_core_tag(struct bw_engine *e)
{
	const struct bw_core_relo *c = bw_core_here(e);
	int32_t code = e->o->funcs[e->func].code;
	uint32_t *cached;
	_cleanup_buf_ struct bw_buf path = { .max = 1024 };
	struct bw_btf_type t;
	char type[128], pointee[128] = "";
	const char *flavour;
	uint32_t reached = 0, kind = 0;

	if (!c || c->kind != BW_CORE_FIELD_BYTE_OFFSET || !e->o->btf || !*c->type)
		return 0;
	cached = &e->core_tags[code][c - e->o->codes[code].cores];
	if (*cached)
		return *cached - 1;
	flavour = strstr(c->type, "___");
	snprintf(type, sizeof(type), "%.*s", flavour ? (int)(flavour - c->type) : (int)strlen(c->type), c->type);
	if (bw_btf_access_path(e->o->btf, c->type_id, c->access, &path, &reached) || bw_buf_error(&path)) {
		bw_buf_reset(&path);
		bw_buf_str(&path, type);
	}
	if (reached && bw_btf_resolve(e->o->btf, reached, &t)) {
		if (t.kind == BW_BTF_PTR) {
			struct bw_btf_type to;

			kind = 1;
			if (bw_btf_resolve(e->o->btf, t.type, &to)) {
				if (to.kind == BW_BTF_STRUCT || to.kind == BW_BTF_UNION || to.kind == BW_BTF_FWD) {
					flavour = strstr(to.name, "___");
					snprintf(pointee, sizeof(pointee), "%.*s",
						 flavour ? (int)(flavour - to.name) : (int)strlen(to.name), to.name);
				} else if (to.kind == BW_BTF_INT && to.size == 1) {
					kind = 2;
				}
			}
		} else if (t.kind == BW_BTF_ARRAY || t.kind == BW_BTF_STRUCT || t.kind == BW_BTF_UNION) {
			kind = 3;
			if (t.kind != BW_BTF_ARRAY)
				snprintf(pointee, sizeof(pointee), "%s", t.name);
		}
	}
	*cached = 1 + bw_dom_tag_add(&e->d, BW_TAG_CORE, bw_dom_str(&e->d, bw_buf_cstr(&path)), (int64_t)bw_dom_str(&e->d, type),
				     *pointee ? bw_dom_str(&e->d, pointee) : 0, kind);
	return *cached - 1;
}

/* "file.f_path.dentry" for a constant offset into a structure the object's BTF describes; "" when it does not. */
static void field_at(struct bw_engine *e, const char *type, int64_t off, char *path, size_t size, struct bw_desc *ret_pointee,
		     bool *ret_is_pointer)
{
	uint32_t id = e->o->btf ? bw_btf_find(e->o->btf, BW_BTF_STRUCT, type) : 0;
	struct bw_btf_type t;

	*ret_is_pointer = false;
	snprintf(path, size, "%s", type);
	if (!id || off < 0)
		return;
	for (unsigned int depth = 0; depth < 8 && bw_btf_resolve(e->o->btf, id, &t); depth++) {
		struct bw_btf_member m, best = { 0 };
		bool found = false;

		if (t.kind == BW_BTF_PTR) {
			struct bw_btf_type to;

			*ret_is_pointer = true;
			*ret_pointee = (struct bw_desc){ 0 };
			if (bw_btf_resolve(e->o->btf, t.type, &to) && (to.kind == BW_BTF_STRUCT || to.kind == BW_BTF_FWD))
				*ret_pointee = struct_desc(e, to.name, 0);
			return;
		}
		if (t.kind != BW_BTF_STRUCT)
			return;
		for (uint32_t i = 0; i < t.vlen && i < 4096 && bw_btf_member(e->o->btf, &t, i, &m); i++)
			if (m.bit_offset / 8 <= (uint64_t)off) {
				best = m;
				found = true;
			}
		if (!found)
			return;
		if (*best.name) {
			size_t n = strlen(path);

			snprintf(path + n, size - n, ".%s", best.name);
		}
		off -= best.bit_offset / 8;
		id = best.type;
	}
}

/* ---- memory outside ---------------------------------------------------------------------------------------------------------- */

static struct bw_val regs_read(struct bw_engine *e, struct bw_state *s, const struct bw_desc *d, const char *field, int64_t off,
			       unsigned int width)
{
	int role = bw_ptregs_role(e->at, field, off, true);
	struct bw_val v = bw_val_of_width(width ? width : 8);
	const char *name = e->at->target == BW_TARGET_WRAPPER || e->at->target == BW_TARGET_SYSCALL ? e->at->name : NULL;
	size_t len = name ? e->at->name_len : 0;
	struct bw_arg a;
	struct bw_desc p;
	char detail[128];

	if (role == BW_REG_STACK) {
		p = plain_desc(e, BW_SPACE_USER, S(USER_MEMORY), bw_dom_str(&e->d, "user stack"));
		v = ext_number(e, &p);
		v.from = BW_FROM_BIT(BW_FROM_STACK_REG);
		bw_taint(e, &v, S(PROCESS_METADATA), bw_dom_str(&e->d, "user registers"));
		return v;
	}
	if (role < 0) {
		bw_taint(e, &v, S(PROCESS_METADATA), bw_dom_str(&e->d, "user registers"));
		v.from = BW_FROM_BIT(BW_FROM_CTX_ARG);
		if (role == BW_REG_SYSNR)
			v.tag = bw_dom_tag_add(&e->d, BW_TAG_SYSNR, 0, 0, 0, 0);
		return v;
	}
	if (!name && s->sysnr >= 0) {
		name = bw_syscall_name(s->sysnr);
		len = name ? strlen(name) : 0;
	}
	if (name && len && bw_syscall_arg(name, len, role, &a)) {
		struct bw_attach as = *e->at;
		const struct bw_attach *keep = e->at;

		as.name = name;
		as.name_len = len;
		as.target = BW_TARGET_SYSCALL;
		e->at = &as;
		v = bw_arg_value(e, &a, role);
		e->at = keep;
		return v;
	}
	/* The system call is decided elsewhere on the path: when the pointer is used, more may be known. */
	snprintf(detail, sizeof(detail), "system call argument %d", role + 1);
	p = (struct bw_desc){ .space = BW_SPACE_USER, .kind = BW_DESC_SYSARG, .classes = S(SYSCALL_BUFFER),
			      .detail = bw_dom_str(&e->d, detail), .aux = role };
	v = ext_number(e, &p);
	bw_taint(e, &v, S(PROCESS_METADATA), p.detail);
	v.from = BW_FROM_BIT(BW_FROM_CTX_ARG);
	return v;
}

static struct bw_val field_read(struct bw_engine *e, const char *type, const char *path, const char *pointee, uint32_t kind,
				unsigned int width, enum bw_space space)
{
	struct bw_val v = bw_val_of_width(width ? width : 8);
	struct bw_field f;
	struct bw_desc d;
	uint32_t detail = bw_dom_str(&e->d, path);

	bw_field_of(type, path, &f);
	if (kind == 3 && *pointee && !strchr(path, '.'))
		f.classes = bw_struct_classes(pointee);
	if (width == 8 && (f.pointee || kind == 1 || kind == 2)) {
		if (kind == 1 && *pointee && !f.pointee) {
			d = struct_desc(e, pointee, 0);
			d.space = space;
		} else {
			d = plain_desc(e, f.user ? BW_SPACE_USER : space, f.pointee ? f.pointee : f.classes, detail);
		}
		v = ext_ptr(e, &d);
		bw_taint(e, &v, f.user || space == BW_SPACE_USER ? S(PROCESS_METADATA) : S(KERNEL_POINTER), detail);
	} else {
		if (width == 8) {
			d = plain_desc(e, space, f.classes, detail);
			v = ext_number(e, &d);
		}
		bw_taint(e, &v, f.classes, detail);
	}
	v.from = BW_FROM_BIT(space == BW_SPACE_USER ? BW_FROM_USER_MEMORY : BW_FROM_KERNEL_MEMORY);
	return v;
}

/* @sources: what the helper reads, when nothing better is known; 0 for a plain load. */
struct bw_val bw_ext_read(struct bw_engine *e, struct bw_state *s, uint32_t desc, uint32_t tag, int64_t off, unsigned int width,
			  uint32_t sources, bool exact)
{
	struct bw_desc d = *bw_dom_desc(&e->d, desc);
	struct bw_val v = bw_val_of_width(width ? width : 8);
	uint32_t classes, core = sources ? 0 : bw_core_tag(e);
	bool user;

	if (!core && tag && bw_dom_tag(&e->d, tag)->kind == BW_TAG_CORE)
		core = tag;
	/* A helper that reads user space does not read the kernel structure the pointer seemed to lead to, and the other way. */
	if (sources && d.space == BW_SPACE_KERNEL && !(sources & S(KERNEL_MEMORY)))
		d = plain_desc(e, BW_SPACE_USER, 0, d.detail);
	if (sources && d.space == BW_SPACE_USER && !(sources & S(USER_MEMORY)) && d.kind == BW_DESC_PLAIN && !d.classes)
		d.space = BW_SPACE_KERNEL;
	user = d.space == BW_SPACE_USER || (d.space == BW_SPACE_UNKNOWN && sources && !(sources & S(KERNEL_MEMORY)));
	if (core && d.kind != BW_DESC_PTREGS) {
		char type[128], path[256], pointee[128];
		const struct bw_tag *t = bw_dom_tag(&e->d, core);
		uint32_t kind = t->d;

		snprintf(type, sizeof(type), "%s", bw_dom_cstr(&e->d, (uint32_t)t->b));
		snprintf(path, sizeof(path), "%s", bw_dom_cstr(&e->d, t->a));
		snprintf(pointee, sizeof(pointee), "%s", bw_dom_cstr(&e->d, t->c));
		if (user && d.classes)
			/* CO-RE used for a user-space structure: its bytes are what the pointer says. */
			goto by_desc;
		return field_read(e, type, path, pointee, kind, width, user ? BW_SPACE_USER : BW_SPACE_KERNEL);
	}
by_desc:
	switch (d.kind) {
	case BW_DESC_PTREGS: {
		char field[128] = "";

		if (core)
			snprintf(field, sizeof(field), "%s", bw_dom_cstr(&e->d, bw_dom_tag(&e->d, core)->a));
		return regs_read(e, s, &d, field, exact ? off : -1, width);
	}
	case BW_DESC_STRUCT: {
		char type[128], path[256];
		struct bw_desc pointee;
		bool is_pointer;

		snprintf(type, sizeof(type), "%s", bw_dom_cstr(&e->d, d.type));
		field_at(e, type, exact ? off : -1, path, sizeof(path), &pointee, &is_pointer);
		if (is_pointer && width == 8) {
			char to[128];

			snprintf(to, sizeof(to), "%s", bw_dom_cstr(&e->d, pointee.type));
			return field_read(e, type, path, to, *to ? 1 : 2, width, BW_SPACE_KERNEL);
		}
		return field_read(e, type, path, "", 0, width, BW_SPACE_KERNEL);
	}
	case BW_DESC_SYSARG: {
		const char *name = bw_syscall_name(s->sysnr);
		struct bw_arg a;

		if (name && bw_syscall_arg(name, strlen(name), d.aux, &a) && a.kind != BW_ARG_NUMBER) {
			d.classes = a.classes;
			d.detail = bw_dom_strf(&e->d, "sys_%s %s", name, a.name);
		}
		break;
	}
	case BW_DESC_POINTERS:
		if (width == 8) {
			v = bw_val_ptr(bw_dom_region_set(&e->d, BW_REGION_EXT, (int32_t)d.deref, 0), 0);
			v.from = BW_FROM_BIT(BW_FROM_USER_MEMORY);
			return v;
		}
		break;
	default:
		break;
	}
	classes = d.classes;
	if (!classes)
		classes = sources ? sources : S(KERNEL_MEMORY);
	if (width == 8 || !width) {
		/* Eight bytes may be a pointer: to more of the same. */
		struct bw_desc to = d;

		if (d.deref)
			to = *bw_dom_desc(&e->d, d.deref);
		else if (d.kind != BW_DESC_SYSARG)
			to.kind = BW_DESC_PLAIN;
		to.aux = d.kind == BW_DESC_SYSARG ? d.aux : 0;
		to.space = user ? BW_SPACE_USER : d.space == BW_SPACE_KERNEL ? BW_SPACE_KERNEL : BW_SPACE_UNKNOWN;
		if (user && to.classes & (S(KERNEL_MEMORY) | S(KERNEL_POINTER)))
			to.classes = 0;
		v = ext_number(e, &to);
	}
	bw_taint(e, &v, classes, d.detail ? d.detail : bw_dom_str(&e->d, user ? "user memory" : "kernel memory"));
	v.from = BW_FROM_BIT(user ? BW_FROM_USER_MEMORY : BW_FROM_KERNEL_MEMORY);
	return v;
}

/* ---- packets ------------------------------------------------------------------------------------------------------------------- */

/*
 * Where in a packet [lo, hi + len) lies, counted from the link header. A constant offset says it directly. A variable one was made
 * by adding header lengths read from the packet: one variable length (width up to 60, the longest IPv4 or TCP header) leads
 * to the transport header, two lead behind it.
 */
static uint32_t layers_at(const struct bw_state *s, int64_t lo, int64_t hi, uint64_t len, bool l3)
{
	int64_t w, l4 = s->l4 == 17 || s->l4 == 1 ? 8 : 20, k, end;

	if (__builtin_sub_overflow(hi, lo, &w) || lo == INT64_MIN || hi == INT64_MAX || w < 0 || w > 0xffff * 2 ||
	    lo < -1024 || lo > 1 << 30)
		return BW_LAYER_L2 | BW_LAYER_L3 | BW_LAYER_L4 | BW_LAYER_PAYLOAD;
	if (l3)
		lo += 14;
	if (len > 65536)
		len = 65536;
	if (!len)
		len = 1;
	if (w == 0) {
		uint32_t layers = 0;

		end = lo + (int64_t)len;
		if (lo < 14)
			layers |= BW_LAYER_L2;
		if (lo < 34 && end > 14)
			layers |= BW_LAYER_L3;
		if (lo < 34 + l4 && end > 34)
			layers |= BW_LAYER_L4;
		/* Where the path does not know the protocol, what is behind a UDP header may be payload. */
		if (end > 34 + (s->l4 ? l4 : 8))
			layers |= BW_LAYER_PAYLOAD;
		return layers;
	}
	if (w > 60)
		return BW_LAYER_PAYLOAD;
	k = lo - 14 - (w == 60 ? 0 : 60 - w);
	end = k + (int64_t)len;
	if (lo < 14)
		return BW_LAYER_L2 | BW_LAYER_L3;
	return (k < l4 ? BW_LAYER_L4 : 0) | (end > (s->l4 ? l4 : 8) ? BW_LAYER_PAYLOAD : 0);
}

uint32_t bw_packet_layers(struct bw_engine *e, const struct bw_state *s, int64_t lo, int64_t hi, uint64_t len)
{
	return layers_at(s, lo, hi, len, e->at->l3);
}

uint32_t bw_packet_classes(struct bw_engine *e, const struct bw_state *s, int64_t lo, int64_t hi, uint64_t len)
{
	uint32_t layers = layers_at(s, lo, hi, len, e->at->l3), classes = 0;

	if (e->at->ctx == BW_CTX_SK_MSG)
		return S(PACKET_PAYLOAD) | S(SYSCALL_BUFFER);
	if (e->at->stream)
		return S(PACKET_PAYLOAD);
	if (e->at->ctx == BW_CTX_SK_REUSEPORT)
		return S(PACKET_HEADER) | S(PACKET_PAYLOAD);
	if (layers & (BW_LAYER_L2 | BW_LAYER_L3 | BW_LAYER_L4))
		classes |= S(PACKET_HEADER);
	if (layers & BW_LAYER_PAYLOAD)
		classes |= s->dns ? S(DNS) | S(PACKET_PAYLOAD) : S(PACKET_PAYLOAD);
	return classes;
}

/* ---- contexts --------------------------------------------------------------------------------------------------------------------- */

static struct bw_val region_ptr(struct bw_engine *e, enum bw_region_kind kind)
{
	return bw_val_ptr(bw_dom_region_set(&e->d, kind, 0, 0), 0);
}

static struct bw_val number(struct bw_engine *e, unsigned int width, uint32_t classes, const char *detail)
{
	struct bw_val v = bw_val_of_width(width ? width : 8);

	bw_taint(e, &v, classes, bw_dom_str(&e->d, detail));
	v.from = BW_FROM_BIT(BW_FROM_CTX_ARG);
	return v;
}

static struct bw_val arg_read(struct bw_engine *e, int i)
{
	struct bw_arg a;

	bw_attach_arg(e->at, i, &a);
	return bw_arg_value(e, &a, i);
}

static struct bw_val ptregs_read(struct bw_engine *e, int64_t off, unsigned int width)
{
	uint32_t core = bw_core_tag(e);
	const char *field = core ? bw_dom_cstr(&e->d, bw_dom_tag(&e->d, core)->a) : "";
	char path[128];
	int role;
	struct bw_val v;

	snprintf(path, sizeof(path), "%s", field);
	role = bw_ptregs_role(e->at, path, off, false);
	if (role >= 0 && !(e->at->ret && e->at->target != BW_TARGET_USER)) {
		v = arg_read(e, role);
		if (e->at->target == BW_TARGET_SYSCALL && role == 0) {
			/* Kernels with syscall wrappers pass struct pt_regs *; which one is decided at run time. */
			struct bw_arg regs = { BW_ARG_PTREGS, 0, "regs", "pt_regs" };
			struct bw_val w = bw_arg_value(e, &regs, 0);

			bw_val_join(&e->d, &v, &w, false);
		}
		return v;
	}
	if (role == BW_REG_RET) {
		v = arg_read(e, -1);
		if (e->at->user_classes & ~S(USER_MEMORY) && !e->at->ret) {
			/* Go passes its first argument in ax. */
			struct bw_val w = arg_read(e, 0);

			bw_val_join(&e->d, &v, &w, false);
		}
		return v;
	}
	if (role == BW_REG_STACK) {
		struct bw_desc d = plain_desc(e, BW_SPACE_USER, 0, bw_dom_str(&e->d, "stack"));

		if (e->at->target == BW_TARGET_USER)
			d.classes = e->at->user_classes ?: S(USER_MEMORY);
		else
			d.space = BW_SPACE_UNKNOWN;
		v = ext_number(e, &d);
		v.from = BW_FROM_BIT(BW_FROM_STACK_REG);
		bw_taint(e, &v, e->at->target == BW_TARGET_USER ? S(PROCESS_METADATA) : S(KERNEL_POINTER),
			 bw_dom_str(&e->d, "pt_regs"));
		return v;
	}
	/* Other registers: arguments of a Go function, or of a probe inside a function (USDT). */
	{
		uint32_t classes = e->at->user_classes;
		struct bw_desc d = plain_desc(e, e->at->target == BW_TARGET_USER ? BW_SPACE_USER : BW_SPACE_UNKNOWN, classes,
					      bw_dom_strf(&e->d, "%.*s register", (int)e->at->name_len, e->at->name));

		v = ext_number(e, &d);
		bw_taint(e, &v, e->at->target == BW_TARGET_USER ? S(USER_MEMORY) : S(KERNEL_MEMORY), d.detail);
		v.from = BW_FROM_BIT(BW_FROM_CTX_ARG);
		return v;
	}
}

static struct bw_val skb_read(struct bw_engine *e, int64_t off, unsigned int width)
{
	struct bw_val v;

	switch (off) {
	case 76:
		return region_ptr(e, BW_REGION_PACKET);
	case 80:
		return region_ptr(e, BW_REGION_PACKET_END);
	case 140:
		return region_ptr(e, BW_REGION_PACKET_META);
	case 168: /* sk */ {
		struct bw_desc d = struct_desc(e, "bpf_sock", 0);

		return ext_ptr(e, &d);
	}
	case 0:
		v = bw_val_scalar(0, 65535);
		v.from = BW_FROM_BIT(BW_FROM_CTX_ARG);
		return v;
	}
	if (e->ctx_mem && off >= 0 && ((off >= 48 && off < 68) || off == 8 || off == 44 || off == 72 || off == 152)) {
		/* What a program left in the packet's control block for the next one. */
		v = bw_mem_load(&e->d, e->ctx_mem, (uint64_t)off, width);
		if (v.kind != BW_VAL_NONE) {
			v.carry |= (uint16_t)BW_CARRY_BIT(BW_CARRY_TAIL_CALL);
			return v;
		}
	}
	return number(e, width, S(PACKET_HEADER), "__sk_buff");
}

/* @off is -1 when it is not constant; @width 0 for a piece of memory. */
struct bw_val bw_ctx_read(struct bw_engine *e, struct bw_state *s, const struct bw_val *ptr, int64_t off, unsigned int width)
{
	struct bw_desc d;
	struct bw_val v;
	char detail[160];

	switch (e->at->ctx) {
	case BW_CTX_PTREGS:
		return ptregs_read(e, off, width);
	case BW_CTX_PERF:
		if (off >= 0 && off < 168)
			return ptregs_read(e, off, width);
		return number(e, width, S(KERNEL_POINTER), "bpf_perf_event_data");
	case BW_CTX_TP_ENTER:
		if (off >= 16 && off < 64 && !(off % 8))
			return arg_read(e, (int)(off - 16) / 8);
		return number(e, width, S(PROCESS_METADATA), "tracepoint");
	case BW_CTX_TP_EXIT:
		if (off == 16)
			return arg_read(e, -1);
		return number(e, width, S(PROCESS_METADATA), "tracepoint");
	case BW_CTX_TP:
		if (bw_glob("raw_syscalls/sys_e*", e->at->name, e->at->name_len)) {
			bool enter = bw_glob("*sys_enter", e->at->name, e->at->name_len);

			if (off == 8) {
				v = number(e, width, S(PROCESS_METADATA), "raw_syscalls id");
				v.tag = bw_dom_tag_add(&e->d, BW_TAG_SYSNR, 0, 0, 0, 0);
				return v;
			}
			if (enter && off >= 16 && off < 64) {
				struct bw_desc regs = { 0 };
				static const int16_t by_arg[] = { 112, 104, 96, 56, 72, 64 };

				return regs_read(e, s, &regs, "", e->at->arm64 ? (off - 16) : by_arg[(off - 16) / 8], width);
			}
		}
		snprintf(detail, sizeof(detail), "%.*s", (int)e->at->name_len, *e->at->name ? e->at->name : "tracepoint");
		{
			uint32_t core = bw_core_tag(e), classes = e->at->record_classes;

			if (core)
				snprintf(detail, sizeof(detail), "%s", bw_dom_cstr(&e->d, bw_dom_tag(&e->d, core)->a));
			if (width == 8) {
				/* Records hold numbers and, here and there, a kernel address. */
				d = plain_desc(e, BW_SPACE_KERNEL, classes & ~S(PROCESS_METADATA) ? classes : 0,
					       bw_dom_str(&e->d, detail));
				v = ext_number(e, &d);
				bw_taint(e, &v, classes, d.detail);
				v.from = BW_FROM_BIT(BW_FROM_CTX_ARG);
				return v;
			}
			return number(e, width, classes, detail);
		}
	case BW_CTX_ARGS:
		if (off < 0)
			return number(e, width, S(KERNEL_MEMORY), "arguments");
		if (e->at->target == BW_TARGET_RAW_SYS_ENTER && off == 8) {
			v = number(e, width, S(PROCESS_METADATA), "system call number");
			v.tag = bw_dom_tag_add(&e->d, BW_TAG_SYSNR, 0, 0, 0, 0);
			return v;
		}
		v = arg_read(e, (int)(off / 8));
		if (width && width < 8 && v.kind == BW_VAL_SCALAR) {
			struct bw_val w = bw_val_of_width(width);

			v.lo = w.lo;
			v.hi = w.hi;
		}
		return v;
	case BW_CTX_SKB:
		return skb_read(e, off, width);
	case BW_CTX_XDP:
		switch (off) {
		case 0:
			return region_ptr(e, BW_REGION_PACKET);
		case 4:
			return region_ptr(e, BW_REGION_PACKET_END);
		case 8:
			return region_ptr(e, BW_REGION_PACKET_META);
		}
		return number(e, width, S(PACKET_HEADER), "xdp_md");
	case BW_CTX_SK_MSG:
	case BW_CTX_SK_REUSEPORT:
		if (off == 0)
			return region_ptr(e, BW_REGION_PACKET);
		if (off == 8)
			return region_ptr(e, BW_REGION_PACKET_END);
		return number(e, width, S(PACKET_HEADER), e->at->ctx == BW_CTX_SK_MSG ? "sk_msg_md" : "sk_reuseport_md");
	case BW_CTX_SOCK_OPS:
		if (off == 184 || off == 192 || off == 200) {
			if (off == 184) {
				d = struct_desc(e, "bpf_sock", 0);
				return ext_ptr(e, &d);
			}
			return region_ptr(e, off == 192 ? BW_REGION_PACKET : BW_REGION_PACKET_END);
		}
		return number(e, width, S(PACKET_HEADER), "bpf_sock_ops");
	case BW_CTX_SOCK:
		if (width == 8) {
			d = struct_desc(e, "bpf_sock", 0);
			return ext_ptr(e, &d);
		}
		return number(e, width, S(PACKET_HEADER), "bpf_sock_addr");
	case BW_CTX_SOCKOPT:
		if (off == 8 || off == 16) {
			d = plain_desc(e, BW_SPACE_USER, S(SYSCALL_BUFFER), bw_dom_str(&e->d, "sockopt optval"));
			d.aux = 1;
			v = ext_ptr(e, &d);
			v.from = BW_FROM_BIT(BW_FROM_CTX_ARG);
			return v;
		}
		return number(e, width, S(PROCESS_METADATA), "bpf_sockopt");
	case BW_CTX_SYSCTL:
		return number(e, width, S(PROCESS_METADATA), "bpf_sysctl");
	case BW_CTX_ITER: {
		uint32_t core = bw_core_tag(e);

		if (core && width == 8) {
			const struct bw_tag *t = bw_dom_tag(&e->d, core);
			char type[128], path[256], pointee[128];
			uint32_t kind = t->d;

			snprintf(type, sizeof(type), "%s", bw_dom_cstr(&e->d, (uint32_t)t->b));
			snprintf(path, sizeof(path), "%s", bw_dom_cstr(&e->d, t->a));
			snprintf(pointee, sizeof(pointee), "%s", bw_dom_cstr(&e->d, t->c));
			return field_read(e, type, path, pointee, kind, width, BW_SPACE_KERNEL);
		}
		if (width == 8) {
			d = plain_desc(e, BW_SPACE_KERNEL, S(KERNEL_MEMORY), bw_dom_str(&e->d, "iterator object"));
			v = ext_ptr(e, &d);
			bw_taint(e, &v, S(KERNEL_POINTER), d.detail);
			return v;
		}
		return number(e, width, S(PROCESS_METADATA), "iterator");
	}
	case BW_CTX_SYSCALL:
		v = bw_val_of_width(width ? width : 8);
		bw_taint(e, &v, S(MAP_VALUE), bw_dom_str(&e->d, "caller's context"));
		v.from = BW_FROM_BIT(BW_FROM_MAP);
		return v;
	case BW_CTX_LIRC:
		return number(e, width, S(KEYSTROKES), "infrared scan code");
	case BW_CTX_NETFILTER:
		d = struct_desc(e, off == 0 ? "nf_hook_state" : "sk_buff", 0);
		return ext_ptr(e, &d);
	default:
		return number(e, width, S(KERNEL_MEMORY), "context");
	}
}
