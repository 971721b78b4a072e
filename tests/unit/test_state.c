// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The laws of the lattice on random values, and memory that remembers bytes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "auditor/state.h"

static struct bw_domain dom;
static uint64_t seed = 0x1234567;

static uint32_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 16);
}

static uint32_t random_prov(void)
{
	struct bw_origin_node n = { .source = rnd() % BW_SRC_COUNT_, .detail = rnd() % 4, .map = -1 };

	return bw_dom_set_of(&dom, bw_intern_add(&dom.origins, &n));
}

static struct bw_val random_val(void)
{
	static const int64_t points[] = { INT64_MIN, -4096, -1, 0, 1, 7, 255, 65535, INT32_MAX, UINT32_MAX, INT64_MAX };
	struct bw_val v = { 0 };
	int64_t a = points[rnd() % 11], b = points[rnd() % 11];

	switch (rnd() % 5) {
	case 0:
		return v;
	case 1:
		v = bw_val_const(points[rnd() % 11]);
		v.flags |= rnd() % 3 ? 0 : BW_VAL_SOFT;
		break;
	case 2:
		v = bw_val_scalar(a < b ? a : b, a < b ? b : a);
		break;
	case 3: {
		struct bw_val c = bw_val_const((int32_t)(rnd() % 50));

		v = bw_val_const((int32_t)(rnd() % 50));
		bw_val_join(&dom, &v, &c, false);
		break;
	}
	default:
		v = bw_val_ptr(bw_dom_region_set(&dom, BW_REGION_MAPVAL, (int32_t)(rnd() % 6), 0), rnd() % 64);
		v.flags |= rnd() % 2 ? BW_VAL_NULLABLE : 0;
	}
	v.taint = rnd() & BW_SRC_ALL & (rnd() % 2 ? ~0u : 0);
	if (v.taint)
		v.prov = random_prov();
	v.from |= (uint16_t)(1u << rnd() % BW_FROM_COUNT_);
	v.carry = (uint16_t)(rnd() % 8);
	v.map = (uint16_t)(rnd() % 4);
	return v;
}

static bool same(const struct bw_val *a, const struct bw_val *b)
{
	return !memcmp(a, b, sizeof(*a));
}

static struct bw_val joined(struct bw_val a, struct bw_val b)
{
	bw_val_join(&dom, &a, &b, false);
	return a;
}

static void join_has_its_laws(void **state)
{
	for (int i = 0; i < 200000; i++) {
		struct bw_val a = random_val(), b = random_val(), ab = joined(a, b), ba = joined(b, a), aa = joined(a, a), aab;

		assert_true(same(&ab, &ba));	      /* commutative */
		assert_true(same(&aa, &a));	      /* idempotent */
		aab = joined(ab, a);
		assert_true(same(&aab, &ab));	      /* a is at or below the join */
		aab = joined(ab, b);
		assert_true(same(&aab, &ab));
		assert_true(bw_val_leq(&dom, &a, &ab));
		assert_true(!(~ab.taint & (a.taint | b.taint)));
	}
	assert_false(dom.budget.failed);
}

static void join_is_monotone(void **state)
{
	unsigned int tried = 0;

	for (int i = 0; i < 200000; i++) {
		struct bw_val a = random_val(), b = joined(a, random_val()), c = random_val(), ac = joined(a, c), bc = joined(b, c);

		/* a <= b, so a joined with c is at or below b joined with c. */
		assert_true(bw_val_leq(&dom, &ac, &bc));
		tried++;
	}
	assert_int_equal(tried, 200000);
}

static void widening_ends(void **state)
{
	for (int i = 0; i < 2000; i++) {
		struct bw_val v = random_val();
		unsigned int changes = 0;

		for (int k = 0; k < 400; k++) {
			struct bw_val n = random_val();

			n.prov = 0;
			changes += bw_val_join(&dom, &v, &n, true);
		}
		assert_true(changes < 120);
	}
}

static void clamping_never_grows(void **state)
{
	for (int i = 0; i < 100000; i++) {
		struct bw_val v = random_val(), old = v;
		int64_t lo = (int32_t)(rnd() % 600) - 300, hi = lo + rnd() % 300;

		if (v.kind != BW_VAL_SCALAR)
			continue;
		if (!bw_val_clamp(&dom, &v, lo, hi)) {
			assert_true(old.hi < lo || old.lo > hi || old.ref);
			continue;
		}
		if (!(v.flags & BW_VAL_SOFT)) {
			assert_true(v.lo >= old.lo && v.hi <= old.hi);
			assert_true(v.lo >= lo && v.hi <= hi);
		}
	}
}

static struct bw_val data(uint32_t taint, int64_t c)
{
	struct bw_val v = bw_val_const(c);

	v.taint = taint;
	return v;
}

static void memory_gives_back_what_was_stored(void **state)
{
	struct bw_mem *m = bw_mem_new(&dom);
	struct bw_val v = data(1, 0x1122334455667788), r;
	uint8_t bytes[16];

	bw_mem_store(&dom, &m, 8, 8, &v, false, false);
	r = bw_mem_load(&dom, m, 8, 8);
	assert_true(same(&r, &v));
	r = bw_mem_load(&dom, m, 8, 2);
	assert_int_equal(r.lo, 0x7788);
	assert_int_equal(r.taint, 1);
	r = bw_mem_load(&dom, m, 14, 1);
	assert_int_equal(r.lo, 0x22);
	/* A partial overwrite changes its bytes and no others. */
	v = data(0, 0xaa);
	bw_mem_store(&dom, &m, 10, 1, &v, false, false);
	r = bw_mem_load(&dom, m, 10, 1);
	assert_int_equal(r.taint, 0);
	r = bw_mem_load(&dom, m, 8, 8);
	assert_int_equal(r.lo, 0x1122334455aa7788);
	assert_int_equal(r.taint, 1);
	assert_int_equal(bw_mem_literal(&dom, m, 8, 8, bytes), 8);
	assert_int_equal(bytes[2], 0xaa);
	/* Across two slots. */
	v = data(4, 0x01020304);
	bw_mem_store(&dom, &m, 14, 4, &v, false, false);
	r = bw_mem_load(&dom, m, 14, 4);
	assert_int_equal(r.lo, 0x01020304);
	assert_int_equal(r.taint, 4);
	r = bw_mem_collect(&dom, m, 0, 64);
	assert_int_equal(r.taint, 5);
	r = bw_mem_load(&dom, m, 40, 8);
	assert_int_equal(r.kind, BW_VAL_NONE);
	assert_true(bw_mem_written(&dom, m, 8, 10));
	assert_false(bw_mem_written(&dom, m, 8, 11));
	bw_mem_put(&dom, m);
}

static void overwriting_kills_and_weak_stores_do_not(void **state)
{
	struct bw_mem *m = bw_mem_new(&dom);
	struct bw_val t = data(2, 5), zero = data(0, 0), r;

	bw_mem_store(&dom, &m, 0, 8, &t, false, false);
	bw_mem_store(&dom, &m, 0, 8, &zero, true, false);
	r = bw_mem_load(&dom, m, 0, 8);
	assert_int_equal(r.taint, 2);
	bw_mem_store(&dom, &m, 0, 8, &zero, false, false);
	r = bw_mem_load(&dom, m, 0, 8);
	assert_int_equal(r.taint, 0);
	bw_mem_fill(&dom, &m, 100, 5000, &t, false, false);
	r = bw_mem_load(&dom, m, 5095, 4);
	assert_int_equal(r.taint, 2);
	r = bw_mem_load(&dom, m, 5100, 4);
	assert_int_equal(r.kind, BW_VAL_NONE);
	/* What is written at an unknown place may be anywhere. */
	bw_mem_fill(&dom, &m, (uint64_t)1 << 40, 8, &t, true, true);
	r = bw_mem_load(&dom, m, 5100, 4);
	assert_int_equal(r.taint, 2);
	bw_mem_put(&dom, m);
}

static void states_share_until_written(void **state)
{
	struct bw_state *a = bw_state_new(&dom), *b = bw_state_new(&dom);
	struct bw_val t = data(2, 5), r;

	a->frames[0] = bw_mem_new(&dom);
	bw_mem_store(&dom, &a->frames[0], 0, 8, &t, false, false);
	bw_state_copy(&dom, b, a);
	assert_ptr_equal(a->frames[0], b->frames[0]);
	t.taint = 8;
	bw_mem_store(&dom, &b->frames[0], 0, 8, &t, false, false);
	r = bw_mem_load(&dom, a->frames[0], 0, 8);
	assert_int_equal(r.taint, 2);
	b->r[3] = data(16, 1);
	assert_true(bw_state_join(&dom, a, b, false));
	assert_false(bw_state_join(&dom, a, b, false));
	r = bw_mem_load(&dom, a->frames[0], 0, 8);
	assert_int_equal(r.taint, 10);
	assert_int_equal(a->r[3].taint, 16);
	bw_state_free(&dom, a);
	bw_state_free(&dom, b);
}

static void local_views_join_to_what_both_know(void **state)
{
	uint32_t region = bw_dom_region(&dom, BW_REGION_MAPVAL, 1, 7);
	struct bw_state *a = bw_state_new(&dom), *b = bw_state_new(&dom);
	struct bw_local_obj *oa = bw_state_obj_add(&dom, a, region), *ob = bw_state_obj_add(&dom, b, region);
	struct bw_val t = data(2, 5);

	bw_mem_store(&dom, &oa->mem, 0, 8, &t, false, false);
	bw_mem_store(&dom, &oa->mem, 8, 8, &t, false, false);
	bw_mem_store(&dom, &ob->mem, 8, 8, &t, false, false);
	bw_state_join(&dom, a, b, false);
	oa = bw_state_obj(a, region);
	assert_non_null(oa);
	assert_false(bw_mem_written(&dom, oa->mem, 0, 8));
	assert_true(bw_mem_written(&dom, oa->mem, 8, 8));
	bw_state_obj_drop(&dom, b, bw_state_obj(b, region));
	bw_state_join(&dom, a, b, false);
	assert_null(bw_state_obj(a, region));
	bw_state_free(&dom, a);
	bw_state_free(&dom, b);
}

/* Stores, fills and joins in any order, on memories that share chunks, against a model that keeps the taint of every word. */
#define MODEL_WORDS 1600u /* 25 chunks */
static void memory_agrees_with_a_model(void **state)
{
	static uint32_t model[4][MODEL_WORDS];
	struct bw_mem *m[4];

	memset(model, 0, sizeof(model));
	for (int i = 0; i < 4; i++)
		m[i] = bw_mem_new(&dom);
	for (int round = 0; round < 30000; round++) {
		uint32_t which = rnd() % 4, from = rnd() % 3 ? rnd() % MODEL_WORDS : rnd() % 24 * 64, taint = 1u << rnd() % 10, n, other;
		bool weak = rnd() % 3, widen = rnd() % 2;
		struct bw_val v = bw_val_scalar(0, rnd()), got;
		uint32_t wanted = 0;

		n = rnd() % 4 ? rnd() % 6 + 1 : rnd() % 2 ? rnd() % (MODEL_WORDS / 2) : 64 * (rnd() % 20);
		n = n > MODEL_WORDS - from ? MODEL_WORDS - from : n;
		v.taint = taint;
		switch (rnd() % 8) {
		case 0: /* a copy that shares everything */
			other = rnd() % 4;
			if (other == which)
				break;
			bw_mem_put(&dom, m[other]);
			m[other] = m[which];
			m[other]->refs++;
			memcpy(model[other], model[which], sizeof(model[0]));
			break;
		case 1:
			other = rnd() % 4;
			bw_mem_join(&dom, &m[which], m[other], widen);
			for (uint32_t i = 0; i < MODEL_WORDS; i++)
				model[which][i] |= model[other][i];
			break;
		case 2:
		case 3:
			n = n > 6 ? 6 : n;
			for (uint32_t i = 0; i < n; i++)
				bw_mem_store(&dom, &m[which], 8 * (from + i), 8, &v, weak, widen);
			for (uint32_t i = 0; i < n; i++)
				model[which][from + i] = taint | (weak ? model[which][from + i] : 0);
			break;
		default:
			bw_mem_fill(&dom, &m[which], 8 * from, 8 * n, &v, weak, widen);
			for (uint32_t i = 0; i < n; i++)
				model[which][from + i] = taint | (weak ? model[which][from + i] : 0);
			for (uint32_t i = n; i-- > 0 && !weak;)
				assert_true(bw_mem_written(&dom, m[which], 8 * (from + i), 8));
		}
		from = rnd() % MODEL_WORDS;
		n = rnd() % (MODEL_WORDS - from) + 1;
		for (uint32_t i = 0; i < n; i++)
			wanted |= model[which][from + i];
		got = bw_mem_collect(&dom, m[which], 8 * from, 8 * n);
		assert_int_equal(got.taint, wanted);
		got = bw_mem_load(&dom, m[which], 8 * from, 8);
		assert_int_equal(got.taint, model[which][from]);
	}
	for (int i = 0; i < 4; i++)
		bw_mem_put(&dom, m[i]);
}

/* However many sources there are: the sets stay small, each class keeps one, and joining the same again changes nothing. */
static void many_sources_keep_a_witness_each(void **state)
{
	struct bw_val all = bw_val_unknown(), again;
	struct bw_domain d;
	uint32_t n, seen = 0, members[40];
	const uint32_t *set;

	assert_int_equal(bw_domain_init(&d, 64 << 20), 0);
	for (uint32_t i = 0; i < 200000; i++) {
		struct bw_origin_node o = { .source = i % 2 ? 1 : 2 + i / 2 % 5, .insn = i, .map = -1 };
		struct bw_val v = bw_val_unknown();

		v.prov = bw_dom_set_of(&d, bw_intern_add(&d.origins, &o));
		v.taint = BW_SRC_BIT(o.source);
		/* Ever new pairs, as unrolled code makes them. */
		again = all;
		bw_val_join(&d, &again, &v, false);
		bw_val_join(&d, &all, &again, false);
		assert_false(bw_val_join(&d, &all, &v, false));
		assert_false(d.budget.failed);
		for (uint32_t k = 0; k < 40; k++)
			members[k] = rnd() % (i + 1) + 1;
		bw_dom_prov_of(&d, members, 40);
	}
	set = bw_dom_set(&d, all.prov, &n);
	assert_in_range(n, 6, BW_MAX_PROV_SET);
	for (uint32_t i = 0; i < n; i++)
		seen |= BW_SRC_BIT(bw_dom_origin(&d, set[i])->source);
	assert_int_equal(seen, all.taint);
	assert_in_range(d.prov_max, 1, BW_MAX_PROV_SET / 4);
	bw_domain_free(&d);
}

static void budgets_end_in_a_flag(void **state)
{
	struct bw_domain d;

	assert_int_equal(bw_domain_init(&d, 400 << 10), 0);
	for (uint32_t i = 0; i < 100000 && !d.budget.failed; i++) {
		struct bw_val v = bw_val_const(i);

		bw_intern_add(&d.vals, &v);
	}
	assert_true(d.budget.failed);
	assert_true(d.budget.peak <= 400 << 10);
	bw_domain_free(&d);
	assert_int_equal(d.budget.used, 0);
}

static int setup(void **state)
{
	return bw_domain_init(&dom, 64 << 20);
}

static int teardown(void **state)
{
	bw_domain_free(&dom);
	return dom.budget.used != 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(join_has_its_laws),
		cmocka_unit_test(join_is_monotone),
		cmocka_unit_test(widening_ends),
		cmocka_unit_test(clamping_never_grows),
		cmocka_unit_test(memory_gives_back_what_was_stored),
		cmocka_unit_test(overwriting_kills_and_weak_stores_do_not),
		cmocka_unit_test(states_share_until_written),
		cmocka_unit_test(local_views_join_to_what_both_know),
		cmocka_unit_test(memory_agrees_with_a_model),
		cmocka_unit_test(many_sources_keep_a_witness_each),
		cmocka_unit_test(budgets_end_in_a_flag),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
