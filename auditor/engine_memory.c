// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Reading and writing through abstract pointers. A pointer is a set of regions with one offset interval: each region gives
 * its part, and the parts are joined. A write is strong only when there is one region with one instance and one offset.
 */
#include "auditor/engine.h"

#include <linux/bpf.h>
#include <string.h>

#include "common/bpf_names.h"

#define S(x) BW_SRC_BIT(BW_SRC_##x)
#define MAX_RANGE 65536
#define FAR ((int64_t)1 << 40) /* no object is that large: such an offset says nothing */

/* The offset interval of an access; false when it is not usable as one (then anything may be touched). */
struct range {
	int64_t lo, hi; /* first byte, inclusive */
	bool exact, bad;
};

static struct range range_of(const struct bw_val *ptr, int64_t off)
{
	struct range r = { .lo = bw_sat_add(ptr->lo, off), .hi = bw_sat_add(ptr->hi, off) };
	uint64_t span = (uint64_t)r.hi - (uint64_t)r.lo; /* the difference of two int64_t needs 64 unsigned bits */

	r.bad = r.hi < r.lo || span > MAX_RANGE || (r.lo < 0 && span > MAX_RANGE / 2) || r.lo < -FAR || r.hi > FAR;
	r.exact = r.lo == r.hi && !r.bad;
	return r;
}

const char *bw_map_name(const struct bw_engine *e, int32_t map)
{
	if (map < 0 || (uint32_t)map >= 2 * e->n_maps)
		return "";
	return e->o->maps[(uint32_t)map % e->n_maps].name;
}

int64_t bw_map_value_size(const struct bw_engine *e, int32_t map)
{
	if (map < 0 || (uint32_t)map >= e->n_maps || !e->maps[map].value_size)
		return -1;
	return e->maps[map].value_size;
}

static struct bw_val plain(const struct bw_val *v, unsigned int width)
{
	struct bw_val u = *v;

	if (u.kind == BW_VAL_NONE)
		return bw_val_of_width(width);
	if (u.kind == BW_VAL_SCALAR && width < 8 && (u.lo < 0 || u.hi > (int64_t)((1ull << 8 * width) - 1))) {
		struct bw_val w = bw_val_of_width(width);

		u.lo = w.lo;
		u.hi = w.hi;
		u.ref = 0;
		u.flags &= (uint8_t)~BW_VAL_SOFT;
	}
	return u;
}

/* ---- maps -------------------------------------------------------------------------------------------------------------- */

/* A value as it comes out of a map: it was stored there, not given to the hook that reads it. */
static void from_map(struct bw_engine *e, struct bw_val *v, int32_t map)
{
	struct bw_map_info *m = &e->maps[map];

	if (v->from & BW_FROM_BIT(BW_FROM_CTX_ARG))
		v->from = (uint16_t)((v->from & ~BW_FROM_BIT(BW_FROM_CTX_ARG)) | BW_FROM_BIT(BW_FROM_STORED_ARG));
	if (v->taint || v->from & BW_FROM_BIT(BW_FROM_STORED_ARG))
		v->carry |= (uint16_t)BW_CARRY_BIT(m->carrier);
	v->map = bw_val_map_of(map);
}

/* What user space put there, as far as the object says. */
static struct bw_val map_initial(struct bw_engine *e, int32_t map, const struct range *r, unsigned int width)
{
	const struct bw_map *def = &e->o->maps[(uint32_t)map % e->n_maps];
	struct bw_map_info *m = &e->maps[map];
	struct bw_val v = bw_val_of_width(width);
	bool zero = true;

	if (!m->data || !r->exact || r->lo < 0) {
		v.from = BW_FROM_BIT(m->rodata ? BW_FROM_RODATA : BW_FROM_MAP);
		if (!m->rodata)
			bw_taint(e, &v, S(MAP_VALUE), bw_dom_str(&e->d, bw_map_name(e, map)));
		v.map = bw_val_map_of(map);
		return v;
	}
	for (uint32_t i = 0; i < def->n_relocs && width == 8; i++)
		if (def->relocs[i].insn == (uint64_t)r->lo) {
			const struct bw_reloc *rel = &def->relocs[i];

			if (rel->kind == BW_RELOC_DATA && rel->target >= 0)
				v = bw_val_ptr(bw_dom_region_set(&e->d, BW_REGION_MAPVAL, rel->target, 0), rel->addend);
			else if (rel->kind == BW_RELOC_FUNC_ADDR && rel->target >= 0)
				v = bw_val_ptr(bw_dom_region_set(&e->d, BW_REGION_FUNC, rel->target, 0), 0);
			else if (rel->kind == BW_RELOC_MAP && rel->target >= 0)
				v = bw_val_ptr(bw_dom_region_set(&e->d, BW_REGION_MAP, rel->target, 0), 0);
			return v;
		}
	{
		uint64_t number = 0;

		for (unsigned int i = 0; i < width; i++) {
			uint64_t at = (uint64_t)r->lo + i;
			uint8_t byte = at < def->data.len ? def->data.data[at] : 0;

			zero &= !byte;
			number |= (uint64_t)byte << 8 * (e->d.big_endian ? width - 1 - i : i);
		}
		v.lo = v.hi = (int64_t)number;
		v.flags |= BW_VAL_SOFT;
	}
	v.from = BW_FROM_BIT(m->rodata ? BW_FROM_RODATA : BW_FROM_MAP);
	v.map = bw_val_map_of(map);
	if (!m->rodata && zero && def->kind != BW_MAP_KCONFIG) {
		const struct bw_var *var = bw_object_data_var(e->o, map, (uint64_t)r->lo);

		bw_taint(e, &v, S(MAP_VALUE), bw_dom_str(&e->d, var ? var->name : bw_map_name(e, map)));
	}
	return v;
}

static struct bw_local_obj *overlay_of(struct bw_engine *e, struct bw_state *s, uint32_t region)
{
	struct bw_local_obj *o;

	if (!bw_dom_region_get(&e->d, region)->b)
		return NULL;
	o = bw_state_obj(s, region);
	bw_trace_obj(e, o, region);
	return o;
}

static struct bw_val map_read(struct bw_engine *e, struct bw_state *s, uint32_t region, const struct range *r, unsigned int width)
{
	int32_t map = bw_dom_region_get(&e->d, region)->a;
	struct bw_map_info *m;
	struct bw_local_obj *view = overlay_of(e, s, region);
	struct bw_val v = { 0 }, init;

	if (map < 0 || (uint32_t)map >= 2 * e->n_maps)
		return bw_val_of_width(width);
	m = &e->maps[map];
	e->map_reads[map] = 1;
	bw_trace_map(e, map);
	bw_map_use(e, map, BW_MODE_READ, NULL, NULL);
	if (view && r->exact && r->lo >= 0 && bw_mem_written(&e->d, view->mem, (uint64_t)r->lo, width)) {
		v = bw_mem_load(&e->d, view->mem, (uint64_t)r->lo, width);
		from_map(e, &v, map);
		return plain(&v, width);
	}
	if (m->content && !m->rodata) {
		if (r->exact && r->lo >= 0)
			v = bw_mem_load(&e->d, m->content, (uint64_t)r->lo, width);
		else
			v = bw_mem_collect(&e->d, m->content, r->bad || r->lo < 0 ? 0 : (uint64_t)r->lo,
					   r->bad || r->lo < 0 ? MAX_RANGE : (uint64_t)(r->hi - r->lo) + width);
	}
	if (v.kind == BW_VAL_NONE) {
		return map_initial(e, map, r, width);
	}
	v = plain(&v, width);
	from_map(e, &v, map);
	if (m->data) {
		/* Globals also hold what they began with. */
		init = map_initial(e, map, r, width);
		init.taint = 0;
		init.prov = 0;
		bw_val_join(&e->d, &v, &init, false);
	} else if (v.kind == BW_VAL_SCALAR) {
		/* A new element of a hash has what was put in; others begin with zeroes. User space may write as well. */
		struct bw_val w = bw_val_of_width(width);

		v.lo = w.lo;
		v.hi = w.hi;
		v.ref = 0;
		v.flags &= (uint8_t)~BW_VAL_SOFT;
	}
	return v;
}

void bw_map_store(struct bw_engine *e, int32_t map, uint64_t off, unsigned int width, const struct bw_val *v)
{
	struct bw_map_info *m;
	struct bw_val c = *v;

	if (map < 0 || (uint32_t)map >= 2 * e->n_maps)
		return;
	m = &e->maps[map];
	if (!m->content)
		m->content = bw_mem_new(&e->d);
	if (!m->content)
		return;
	c.prov = bw_carried(e, v->prov, (enum bw_carrier)m->carrier, map);
	c.tag = v->tag && bw_dom_tag(&e->d, v->tag)->kind == BW_TAG_ADDR ? v->tag : 0;
	if (c.kind == BW_VAL_PTR && bw_dom_only(&e->d, c.ref) && bw_dom_only(&e->d, c.ref)->kind == BW_REGION_STACK)
		c = bw_val_unknown();
	if (bw_mem_store(&e->d, &m->content, off, width, &c, true, m->updates > 64)) {
		m->version = ++e->clock;
		m->updates++;
	}
}

static void map_fill(struct bw_engine *e, int32_t map, uint64_t off, uint64_t len, const struct bw_val *v)
{
	struct bw_map_info *m = &e->maps[map];
	struct bw_val c = *v;

	if (!m->content)
		m->content = bw_mem_new(&e->d);
	if (!m->content)
		return;
	c.prov = bw_carried(e, v->prov, (enum bw_carrier)m->carrier, map);
	c.tag = 0;
	if (bw_mem_fill(&e->d, &m->content, off, len, &c, true, m->updates > 64)) {
		m->version = ++e->clock;
		m->updates++;
	}
}

/* Other local views of the same map may be the same element: they learn that it may have changed. */
static void overlays_weaken(struct bw_engine *e, struct bw_state *s, int32_t map, uint32_t but, uint64_t off, uint64_t len,
			    const struct bw_val *v)
{
	bw_trace_views(e, map);
	for (uint32_t i = 0; i < s->n_objs; i++) {
		const struct bw_region *g = bw_dom_region_get(&e->d, s->objs[i].region);

		if (g->kind == BW_REGION_MAPVAL && g->a == map && s->objs[i].region != but)
			bw_mem_weaken(&e->d, &s->objs[i].mem, off, len, v);
	}
}

static void map_sink(struct bw_engine *e, int32_t map, const struct bw_val *v, struct bw_length len)
{
	struct bw_map_info *m = &e->maps[map];

	/* What comes back changed to where it was taken from is a counter, or a position. */
	bw_map_use(e, map, BW_MODE_WRITE | (v->kind == BW_VAL_SCALAR && v->map == map + 1 ? BW_REC_COUNTED : 0), NULL, v);
	bw_effect(e, BW_EFFECT_MAP_WRITE);
	if (m->channel && v->taint)
		bw_sink(e, e->o->maps[(uint32_t)map % e->n_maps].pinning ? BW_CH_PINNED_MAP : BW_CH_MAP, map, v, len);
}

static void map_write(struct bw_engine *e, struct bw_state *s, uint32_t region, const struct range *r, uint64_t len,
		      unsigned int width, const struct bw_val *v, bool strong)
{
	int32_t map = bw_dom_region_get(&e->d, region)->a;
	uint64_t lo, span;
	struct bw_local_obj *view;

	if (map < 0 || (uint32_t)map >= 2 * e->n_maps)
		return;
	lo = r->bad || r->lo < 0 ? 0 : (uint64_t)r->lo;
	span = r->bad || r->lo < 0 ? MAX_RANGE : (uint64_t)(r->hi - r->lo) + len;
	if (e->maps[map].value_size) {
		/* The verifier keeps accesses inside the value. */
		uint64_t size = e->maps[map].value_size;

		if (lo >= size)
			lo = 0;
		if (span > size - lo)
			span = size - lo;
	}
	map_sink(e, map, v, (struct bw_length){ len, len });
	view = overlay_of(e, s, region);
	if (width && r->exact && r->lo >= 0) {
		bw_map_store(e, map, lo, width, v);
		if (view && strong)
			bw_mem_store(&e->d, &view->mem, lo, width, v, false, false);
	} else {
		map_fill(e, map, lo, span, v);
		if (view && strong && r->exact && r->lo >= 0)
			bw_mem_fill(&e->d, &view->mem, lo, len, v, false, false);
	}
	if (view && !(strong && r->exact && r->lo >= 0))
		bw_mem_weaken(&e->d, &view->mem, lo, span, v);
	if (e->maps[map].percpu)
		overlays_weaken(e, s, map, region, lo, span, v);
}

/* ---- packets ------------------------------------------------------------------------------------------------------------ */

static struct bw_val packet_read(struct bw_engine *e, struct bw_state *s, const struct range *r, uint64_t len, unsigned int width)
{
	struct bw_val v = bw_val_of_width(width ? width : 8);
	uint32_t classes = bw_packet_classes(e, s, r->bad ? INT64_MIN : r->lo, r->bad ? INT64_MAX : r->hi, len);
	uint32_t detail = r->exact && r->lo >= 0 && r->lo < 256 ? bw_dom_strf(&e->d, "packet+%lld", (long long)r->lo) :
								   bw_dom_str(&e->d, "packet");

	v.from = BW_FROM_BIT(BW_FROM_PACKET);
	bw_taint(e, &v, classes, detail);
	if (e->packet_mem && e->packet_mem->rest) {
		struct bw_val w = *(const struct bw_val *)bw_intern_get(&e->d.vals, e->packet_mem->rest);

		w.carry |= (uint16_t)BW_CARRY_BIT(BW_CARRY_PACKET);
		w.flags &= (uint8_t)~BW_VAL_DIRECT;
		bw_val_absorb(&e->d, &v, &w);
	}
	return v;
}

static void packet_write(struct bw_engine *e, struct bw_state *s, const struct range *r, struct bw_length len, const struct bw_val *v)
{
	struct bw_rec *rec = bw_rec_here(e, BW_REC_PACKET_WRITE, (int32_t)bw_dom_str(&e->d, "store"), 0);

	bw_effect(e, BW_EFFECT_PACKET_WRITE);
	if (!rec)
		return;
	bw_val_join(&e->d, &rec->val, v, false);
	rec->mask |= bw_packet_layers(e, s, r->bad ? INT64_MIN : r->lo, r->bad ? INT64_MAX : r->hi, len.max);
	if (!rec->len.max || len.min < rec->len.min)
		rec->len.min = len.min;
	if (len.max > rec->len.max)
		rec->len.max = len.max;
	rec->x = r->bad ? -1 : r->lo;
	rec->y = r->bad ? -1 : r->hi;
	bw_sink(e, BW_CH_PACKET_WRITE, BW_NONE, v, len);
	if (v->taint & ~(S(PACKET_HEADER) | S(PACKET_PAYLOAD) | S(DNS))) {
		if (!e->packet_mem)
			e->packet_mem = bw_mem_new(&e->d);
		if (e->packet_mem)
			bw_mem_fill(&e->d, &e->packet_mem, (uint64_t)BW_MAX_CHUNKS * 4096, 8, v, true, true);
	}
}

/* A frame is looked at where an access may go; what is said of all its bytes is looked at with any of them. */
static void trace_range(struct bw_engine *e, int32_t frame, const struct range *r, uint64_t len)
{
	if (r->bad || r->lo < 0)
		bw_trace_frame(e, frame, -1, 0);
	else
		bw_trace_frame(e, frame, r->lo, len > BW_STACK_SIZE || r->hi - r->lo > BW_STACK_SIZE ? BW_STACK_SIZE + 1 : (uint64_t)(r->hi - r->lo) + len);
}

/* ---- one region --------------------------------------------------------------------------------------------------------- */

static struct bw_val summary_read(struct bw_engine *e, const struct bw_mem *m, const struct range *r, uint64_t len, unsigned int width,
				  enum bw_carrier carrier)
{
	struct bw_val v = { 0 };

	if (!m)
		return bw_val_of_width(width ? width : 8);
	if (r->exact && r->lo >= 0 && width)
		v = bw_mem_load(&e->d, m, (uint64_t)r->lo, width);
	else
		v = bw_mem_collect(&e->d, m, r->bad || r->lo < 0 ? 0 : (uint64_t)r->lo,
				   r->bad || r->lo < 0 ? MAX_RANGE : (uint64_t)(r->hi - r->lo) + len);
	if (v.taint)
		v.carry |= (uint16_t)BW_CARRY_BIT(carrier);
	return width ? plain(&v, width) : v;
}

/* Bytes of a per-CPU value: where the local view knows them it alone answers, elsewhere the summary does. */
static struct bw_val view_gather(struct bw_engine *e, struct bw_state *s, uint32_t region, const struct bw_mem *view, int64_t off,
				 uint64_t len)
{
	int32_t map = bw_dom_region_get(&e->d, region)->a;
	struct bw_val out = { 0 }, v;
	int64_t end = off + (int64_t)(len > MAX_RANGE ? MAX_RANGE : len), from = off;
	int64_t size = bw_map_value_size(e, map);

	if (size > 0 && end > size)
		end = size;
	/* In runs of the same kind: known here, or not. */
	while (off < end) {
		int64_t next = off;
		bool known = bw_mem_written(&e->d, view, (uint64_t)off, (uint64_t)(end - off < 8 - off % 8 ? end - off : 8 - off % 8));

		while (next < end) {
			uint64_t n = (uint64_t)(end - next < 8 - next % 8 ? end - next : 8 - next % 8);

			if (bw_mem_written(&e->d, view, (uint64_t)next, n) != known)
				break;
			next += (int64_t)n;
		}
		if (known)
			v = bw_mem_collect(&e->d, view, (uint64_t)off, (uint64_t)(next - off));
		else
			v = map_read(e, s, region, &(struct range){ .lo = off, .hi = next - 1, .exact = false }, 1);
		if (known && v.taint)
			v.carry |= (uint16_t)BW_CARRY_BIT(e->maps[map].carrier);
		if (off == from)
			out = v;
		else
			bw_val_join(&e->d, &out, &v, true);
		off = next;
	}
	return out;
}

/* @width: 1 to 8 for a load, 0 for "these @len bytes". */
static struct bw_val region_read(struct bw_engine *e, struct bw_state *s, uint32_t region, const struct bw_val *ptr,
				 const struct range *r, uint64_t len, unsigned int width)
{
	const struct bw_region g = *bw_dom_region_get(&e->d, region);
	struct bw_local_obj *o;
	struct bw_val v;

	switch (g.kind) {
	case BW_REGION_STACK:
		if (g.a < 0 || (uint32_t)g.a > s->depth)
			break;
		trace_range(e, g.a, r, width ? width : len);
		return summary_read(e, s->frames[g.a], r, len, width, BW_CARRY_STACK);
	case BW_REGION_CTX:
		return bw_ctx_read(e, s, ptr, r->exact ? r->lo : -1, width);
	case BW_REGION_MAPVAL:
		if (width)
			return map_read(e, s, region, r, width);
		o = overlay_of(e, s, region);
		if (o && r->exact && r->lo >= 0)
			return view_gather(e, s, region, o->mem, r->lo, len);
		return map_read(e, s, region,
				&(struct range){ .lo = r->lo, .hi = bw_sat_add(r->hi, (int64_t)(len > MAX_RANGE ? MAX_RANGE : len) - 1),
						 .exact = false, .bad = r->bad || len > MAX_RANGE }, 1);
	case BW_REGION_MAPKEY:
		if (g.a >= 0 && (uint32_t)g.a < 2 * e->n_maps) {
			e->map_reads[g.a] = 1;
			bw_trace_map(e, g.a);
		}
		if (g.a >= 0 && (uint32_t)g.a < 2 * e->n_maps && e->maps[g.a].key.kind != BW_VAL_NONE) {
			v = bw_val_of_width(width ? width : 8);
			bw_val_absorb(&e->d, &v, &e->maps[g.a].key);
			v.carry |= (uint16_t)BW_CARRY_BIT(BW_CARRY_MAP_KEY);
			return v;
		}
		v = bw_val_of_width(width ? width : 8);
		v.from = BW_FROM_BIT(BW_FROM_MAP);
		return v;
	case BW_REGION_PACKET:
	case BW_REGION_PACKET_META:
		return packet_read(e, s, r, len, width);
	case BW_REGION_RECORD:
		o = bw_state_obj(s, region);
		bw_trace_obj(e, o, region);
		return summary_read(e, o ? o->mem : NULL, r, len, width, BW_CARRY_RINGBUF_MEM);
	case BW_REGION_EXT:
		return bw_ext_read(e, s, (uint32_t)g.a, ptr->tag, r->exact ? r->lo : -1, width, 0, r->exact);
	case BW_REGION_HEAP:
		return summary_read(e, e->heap_mem, r, len, width, BW_CARRY_MAP_VALUE);
	case BW_REGION_ANY:
		bw_unanalysed(e, "reads through a pointer that may lead to too many places");
		v = bw_val_of_width(width ? width : 8);
		bw_taint(e, &v, S(KERNEL_MEMORY), bw_dom_str(&e->d, "unknown memory"));
		return v;
	default:
		break;
	}
	return bw_val_of_width(width ? width : 8);
}

/* struct bpf_sock_addr (linux/bpf.h): what is stored there is where the connection or datagram goes, or seems to come from. */
static void sock_addr_write(struct bw_engine *e, const struct range *r, struct bw_length len, const struct bw_val *v)
{
	const char *field = r->bad || !r->exact ? "user_ip4" : r->lo == 4 ? "user_ip4" : r->lo >= 8 && r->lo < 24 ? "user_ip6" :
			    r->lo == 24 ? "user_port" : r->lo == 40 ? "msg_src_ip4" : r->lo >= 44 && r->lo < 60 ? "msg_src_ip6" : NULL;
	struct bw_rec *rec;

	if (e->o->progs[e->prog].def.prog_type != BPF_PROG_TYPE_CGROUP_SOCK_ADDR || !field)
		return;
	rec = bw_rec_here(e, BW_REC_REDIRECT, (int32_t)bw_dom_str(&e->d, field), BW_NONE);
	if (rec)
		bw_val_join(&e->d, &rec->val, v, false);
	bw_effect(e, BW_EFFECT_REDIRECT);
	bw_sink(e, BW_CH_PACKET_WRITE, BW_NONE, v, len);
}

static void region_write(struct bw_engine *e, struct bw_state *s, uint32_t region, const struct range *r, struct bw_length len,
			 unsigned int width, const struct bw_val *v, bool strong)
{
	const struct bw_region g = *bw_dom_region_get(&e->d, region);
	uint64_t n = len.max > MAX_RANGE ? MAX_RANGE : len.max;
	struct bw_mem **mp = NULL;
	struct bw_local_obj *o;

	switch (g.kind) {
	case BW_REGION_STACK:
		if (g.a >= 0 && (uint32_t)g.a <= s->depth) {
			trace_range(e, g.a, r, width ? width : n);
			mp = &s->frames[g.a];
		}
		break;
	case BW_REGION_RECORD:
		o = bw_state_obj(s, region);
		bw_trace_obj(e, o, region);
		if (o)
			mp = &o->mem;
		break;
	case BW_REGION_HEAP:
		if (!e->heap_mem)
			e->heap_mem = bw_mem_new(&e->d);
		mp = &e->heap_mem;
		strong = false;
		break;
	case BW_REGION_CTX:
		sock_addr_write(e, r, len, v);
		if (!e->ctx_mem)
			e->ctx_mem = bw_mem_new(&e->d);
		mp = &e->ctx_mem;
		strong = false;
		break;
	case BW_REGION_MAPVAL:
		map_write(e, s, region, r, n, width, v, strong && len.min == len.max);
		return;
	case BW_REGION_PACKET:
	case BW_REGION_PACKET_META:
		packet_write(e, s, r, len, v);
		return;
	case BW_REGION_EXT: {
		const struct bw_desc *d = bw_dom_desc(&e->d, (uint32_t)g.a);

		if (d->space == BW_SPACE_USER && d->aux == 1)
			bw_sink(e, BW_CH_USER_WRITE, BW_NONE, v, len);
		return;
	}
	default:
		return;
	}
	if (!mp || !*mp)
		return;
	{
		bool changed;

		if (r->exact && r->lo >= 0 && width)
			changed = bw_mem_store(&e->d, mp, (uint64_t)r->lo, width, v, !strong, !strong);
		else if (r->exact && r->lo >= 0)
			changed = bw_mem_fill(&e->d, mp, (uint64_t)r->lo, n, v, !strong || len.min != len.max, !strong);
		else
			changed = bw_mem_fill(&e->d, mp, r->bad || r->lo < 0 ? 0 : (uint64_t)r->lo,
					      r->bad || r->lo < 0 ? BW_STACK_SIZE : (uint64_t)(r->hi - r->lo) + n, v, true, true);
		if (changed && (g.kind == BW_REGION_HEAP || g.kind == BW_REGION_CTX))
			e->shared_version = ++e->clock;
	}
}

/* ---- what the rest uses --------------------------------------------------------------------------------------------------- */

static struct bw_val read_all(struct bw_engine *e, struct bw_state *s, const struct bw_val *p, int64_t off, uint64_t len,
			      unsigned int width)
{
	struct bw_val ptr = bw_as_pointer(e, p, 0), out = { 0 };
	struct range r = range_of(&ptr, off);
	uint32_t n, regions[BW_MAX_REGION_SET];
	const uint32_t *set = bw_dom_set(&e->d, ptr.ref, &n);

	if (n > BW_MAX_REGION_SET)
		n = BW_MAX_REGION_SET;
	memcpy(regions, set, n * sizeof(*set));
	for (uint32_t i = 0; i < n; i++) {
		struct bw_val v = region_read(e, s, regions[i], &ptr, &r, len, width);

		if (i)
			bw_val_join(&e->d, &out, &v, false);
		else
			out = v;
	}
	return out;
}

struct bw_val bw_mem_read(struct bw_engine *e, struct bw_state *s, const struct bw_val *ptr, int64_t off, unsigned int width)
{
	struct bw_val v = read_all(e, s, ptr, off, width, width);

	return v.kind == BW_VAL_NONE ? bw_val_of_width(width) : v;
}

struct bw_val bw_mem_gather(struct bw_engine *e, struct bw_state *s, const struct bw_val *ptr, struct bw_length len)
{
	return read_all(e, s, ptr, 0, len.max > MAX_RANGE ? MAX_RANGE : len.max, 0);
}

static void write_all(struct bw_engine *e, struct bw_state *s, const struct bw_val *p, int64_t off, struct bw_length len,
		      unsigned int width, const struct bw_val *v)
{
	struct bw_val ptr = bw_as_pointer(e, p, 0);
	struct range r = range_of(&ptr, off);
	uint32_t n, regions[BW_MAX_REGION_SET];
	const uint32_t *set = bw_dom_set(&e->d, ptr.ref, &n);

	if (!len.max)
		return;
	if (n > BW_MAX_REGION_SET)
		n = BW_MAX_REGION_SET;
	memcpy(regions, set, n * sizeof(*set));
	if (n == 1 && regions[0] && bw_dom_region_get(&e->d, regions[0])->kind == BW_REGION_ANY)
		bw_unanalysed(e, "writes through a pointer that may lead to too many places");
	for (uint32_t i = 0; i < n; i++)
		region_write(e, s, regions[i], &r, len, width, v, n == 1 && r.exact);
}

void bw_mem_write(struct bw_engine *e, struct bw_state *s, const struct bw_val *ptr, int64_t off, unsigned int width,
		  const struct bw_val *v)
{
	write_all(e, s, ptr, off, (struct bw_length){ width, width }, width, v);
}

void bw_mem_scatter(struct bw_engine *e, struct bw_state *s, const struct bw_val *ptr, struct bw_length len, const struct bw_val *v)
{
	write_all(e, s, ptr, 0, len, 0, v);
}

uint32_t bw_mem_known(struct bw_engine *e, struct bw_state *s, const struct bw_val *ptr, uint32_t max, uint8_t *ret, bool *ret_rodata)
{
	const struct bw_region *g = ptr->kind == BW_VAL_PTR ? bw_dom_only(&e->d, ptr->ref) : NULL;
	struct bw_local_obj *o;

	*ret_rodata = false;
	if (!g || ptr->lo != ptr->hi || ptr->lo < 0)
		return 0;
	switch (g->kind) {
	case BW_REGION_STACK:
		if (g->a < 0 || (uint32_t)g->a > s->depth || ptr->lo >= BW_STACK_SIZE)
			return 0;
		if (max > BW_STACK_SIZE - ptr->lo)
			max = (uint32_t)(BW_STACK_SIZE - ptr->lo);
		bw_trace_frame(e, g->a, ptr->lo, max);
		return bw_mem_literal(&e->d, s->frames[g->a], (uint64_t)ptr->lo, max, ret);
	case BW_REGION_RECORD:
		o = bw_state_obj(s, bw_dom_set(&e->d, ptr->ref, &(uint32_t){ 0 })[0]);
		bw_trace_obj(e, o, bw_dom_set(&e->d, ptr->ref, &(uint32_t){ 0 })[0]);
		return o ? bw_mem_literal(&e->d, o->mem, (uint64_t)ptr->lo, max, ret) : 0;
	case BW_REGION_MAPVAL: {
		struct bw_map_info *m;
		const struct bw_map *def;
		uint32_t n;

		if (g->a < 0 || (uint32_t)g->a >= e->n_maps)
			return 0;
		m = &e->maps[g->a];
		def = &e->o->maps[g->a];
		bw_trace_map(e, g->a);
		if (!m->data || (m->content && !m->rodata && bw_mem_collect(&e->d, m->content, (uint64_t)ptr->lo, max).kind))
			return 0;
		if ((uint64_t)ptr->lo >= def->data.len)
			return 0;
		n = def->data.len - (uint64_t)ptr->lo < max ? (uint32_t)(def->data.len - (uint64_t)ptr->lo) : max;
		memcpy(ret, def->data.data + ptr->lo, n);
		*ret_rodata = true;
		return n;
	}
	default:
		return 0;
	}
}

void bw_record_flush(struct bw_engine *e, struct bw_state *s, const struct bw_val *ptr)
{
	uint32_t n;
	const uint32_t *set = bw_dom_set(&e->d, ptr->ref, &n);
	uint32_t regions[BW_MAX_REGION_SET];

	if (ptr->kind != BW_VAL_PTR)
		return;
	if (n > BW_MAX_REGION_SET)
		n = BW_MAX_REGION_SET;
	memcpy(regions, set, n * sizeof(*set));
	for (uint32_t i = 0; i < n; i++) {
		const struct bw_region g = *bw_dom_region_get(&e->d, regions[i]);
		struct bw_local_obj *o = g.kind == BW_REGION_RECORD ? bw_state_obj(s, regions[i]) : NULL;

		if (g.kind == BW_REGION_RECORD)
			bw_trace_obj(e, o, regions[i]);
		if (o) {
			struct bw_val v = bw_mem_collect(&e->d, o->mem, 0, MAX_RANGE);
			uint64_t size = o->size < 0 ? BW_LENGTH_UNBOUNDED : (uint64_t)o->size;

			if (v.taint)
				v.carry |= (uint16_t)(BW_CARRY_BIT(BW_CARRY_RINGBUF_MEM) | ptr->carry);
			bw_sink(e, BW_CH_RINGBUF, g.a, &v, (struct bw_length){ o->size < 0 ? 0 : size, size });
			if (n == 1)
				bw_state_obj_drop(&e->d, s, o);
		}
	}
}
