// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Calls that read, write and redirect packets.
 */
#include "auditor/engine_call.h"

#include <string.h>

#define S(x) BW_SRC_BIT(BW_SRC_##x)

void bw_call_packet_load(struct bw_engine *e, struct bw_state *s, struct bw_call_args *c, bool relative)
{
	struct bw_length len = bw_len_of(&c->arg[4]);
	const struct bw_val *off = &c->arg[2];
	int64_t lo = off->flags & BW_VAL_SOFT ? INT64_MIN : off->lo, hi = off->flags & BW_VAL_SOFT ? INT64_MAX : off->hi;
	struct bw_val v = bw_val_of_width(8);
	uint32_t detail, packet = bw_dom_region_set(&e->d, BW_REGION_PACKET, 0, 0);
	bool exact;

	if (relative && bw_val_is_const(&c->arg[5]) && c->arg[5].lo == 1 && lo != INT64_MIN) {
		/* From the network header. */
		lo = bw_sat_add(lo, e->at->l3 ? 0 : 14);
		hi = bw_sat_add(hi, e->at->l3 ? 0 : 14);
	}
	detail = lo == hi && lo >= 0 && lo < 4096 ? bw_dom_strf(&e->d, "packet+%lld", (long long)lo) : bw_dom_str(&e->d, "packet");
	v.from = BW_FROM_BIT(BW_FROM_PACKET);
	exact = lo == hi && lo >= 0 && lo <= UINT32_MAX;
	bw_taint(e, &v, bw_packet_classes(e, s, lo, hi, len.max), detail);
	if (len.min == len.max && len.max <= 64 && (exact || (lo >= 0 && hi <= 65535))) {
		for (uint64_t i = 0; i < len.max; i++) {
			struct bw_val b = bw_val_of_width(1);

			b.from = v.from;
			bw_taint(e, &b, exact ? bw_packet_classes(e, s, lo + (int64_t)i, hi + (int64_t)i, 1) : v.taint, detail);
			b.tag = bw_packet_tag(e, packet, lo + (int64_t)i, hi + (int64_t)i, 1);
			bw_mem_write(e, s, &c->arg[3], (int64_t)i, 1, &b);
		}
	} else {
		bw_mem_scatter(e, s, &c->arg[3], len, &v);
	}
}

void bw_call_packet_write(struct bw_engine *e, struct bw_state *s, struct bw_call_args *c, const struct bw_val *off, const struct bw_val *src,
			 struct bw_length len)
{
	struct bw_rec *rec = bw_rec_here(e, BW_REC_PACKET_WRITE, (int32_t)bw_dom_str(&e->d, c->name), 0);
	struct bw_val data = bw_mem_gather(e, s, src, len);
	int64_t lo = off->kind == BW_VAL_SCALAR && !(off->flags & BW_VAL_SOFT) ? off->lo : INT64_MIN;
	int64_t hi = off->kind == BW_VAL_SCALAR && !(off->flags & BW_VAL_SOFT) ? off->hi : INT64_MAX;
	bool rodata;

	if (!rec)
		return;
	bw_val_join(&e->d, &rec->val, &data, true);
	rec->mask |= bw_packet_layers(e, s, lo, hi, len.max);
	rec->len = len;
	rec->x = lo < 0 || lo > 65535 ? -1 : lo;
	rec->y = hi < 0 || hi > 65535 ? -1 : hi;
	bw_call_literal(e, s, src, len, &rec->lit, &rodata);
	bw_sink(e, BW_CH_PACKET_WRITE, BW_NONE, &data, len);
}

void bw_call_redirect(struct bw_engine *e, struct bw_state *s, struct bw_call_args *c, const struct bw_val *target, int32_t map)
{
	struct bw_rec *rec = bw_rec_here(e, BW_REC_REDIRECT, (int32_t)bw_dom_str(&e->d, c->name), map);
	struct bw_val packet = bw_val_unknown();

	if (rec)
		bw_val_join(&e->d, &rec->val, target, false);
	bw_taint(e, &packet, S(PACKET_HEADER) | S(PACKET_PAYLOAD), bw_dom_str(&e->d, "packet"));
	bw_sink(e, BW_CH_PACKET_REDIRECT, map, &packet, BW_LEN_ANY);
}

void bw_call_packet_bytes(struct bw_engine *e, struct bw_state *s, struct bw_call_args *c)
{
	struct bw_val v = bw_val_unknown();
	struct bw_length len = { 0, 0xfffff };
	const struct bw_val *f = &c->arg[3];

	if (!e->at->network && strcmp(c->name, "skb_output") && strcmp(c->name, "xdp_output"))
		return;
	if (f->kind == BW_VAL_SCALAR && !(f->flags & BW_VAL_SOFT)) {
		if (f->lo == f->hi) {
			len.max = (uint64_t)f->lo >> 32 & 0xfffff;
			len.min = len.max;
		} else if (f->lo >= 0 && f->hi <= UINT32_MAX) {
			len.max = 0;
		} else if (f->lo >= 0) {
			len.min = (uint64_t)f->lo >> 32 & 0xfffff;
			len.max = f->hi >> 52 ? 0xfffff : (uint64_t)f->hi >> 32 & 0xfffff;
		}
	}
	if (!len.max)
		return;
	bw_taint(e, &v, bw_packet_classes(e, s, 0, 0, len.max), bw_dom_str(&e->d, "packet"));
	bw_sink(e, BW_CH_PERF, c->map, &v, len);
}
