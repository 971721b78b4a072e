// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Programs that are held: put together from records, connected by maps, turned into jobs, analysed. */
#include <linux/bpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "auditor/analysis.h"
#include "common/cleanup.h"
#include "guard/quarantine_job.h"
#include "guard/analyst.h"

#define LD_MAP(dst, src, fd) ((uint64_t)(uint32_t)(fd) << 32 | (uint64_t)(src) << 12 | (uint64_t)(dst) << 8 | 0x18), 0
#define EXIT 0x95

static struct bw_hold_question question(uint64_t nonce, uint32_t insns)
{
	struct bw_hold_question q = {
		.record = BW_HOLD_QUESTION, .size = offsetof(struct bw_hold_question, maps), .nonce = nonce, .insn_cnt = insns,
		.prog_type = BPF_PROG_TYPE_XDP, .name = "held",
	};

	memset(q.digest, (int)nonce, sizeof(q.digest));
	return q;
}

static void add_map(struct bw_hold_question *q, uint32_t ref, uint32_t id, uint32_t by_index)
{
	q->maps[q->n_maps++] = (struct bw_hold_map){
		.ref = ref, .by_index = by_index, .id = id, .type = BPF_MAP_TYPE_HASH, .key_size = 4, .value_size = 8,
		.max_entries = 16, .name = "m",
	};
	q->size += sizeof(q->maps[0]);
}

static struct bw_hold_code code(uint64_t nonce, uint32_t first, const uint64_t *insns, uint32_t n)
{
	struct bw_hold_code c = { .record = BW_HOLD_CODE, .size = (uint32_t)offsetof(struct bw_hold_code, insns) + n * 8, .nonce = nonce,
				  .first = first, .count = n };

	memcpy(c.insns, insns, n * 8);
	return c;
}

/* Adds a program of one record of code. */
static struct held_program *put(struct held_programs *h, const struct bw_hold_question *q, const uint64_t *insns)
{
	struct bw_hold_code c = code(q->nonce, 0, insns, q->insn_cnt);
	struct held_program *p, *again;

	assert_int_equal(held_check(q, q->size), 0);
	assert_int_equal(held_begin(h, q, q->size, &p), 0);
	assert_int_equal(held_check(&c, c.size), 0);
	assert_int_equal(held_code(h, &c, &again), 1);
	assert_ptr_equal(p, again);
	return p;
}

static void records_are_checked(void **state)
{
	struct bw_hold_question q = question(1, 2);
	static const uint64_t insns[2] = { 0xb7, EXIT };
	struct bw_hold_code c = code(1, 0, insns, 2);

	assert_int_equal(held_check(&q, q.size), 0);
	assert_int_equal(held_check(&c, c.size), 0);
	for (size_t n = 0; n < q.size; n++) {
		_cleanup_free_ uint8_t *copy = malloc(n ? n : 1);

		memcpy(copy, &q, n);
		assert_int_equal(held_check(copy, n), -EBADMSG);
	}
#define BAD(rec, member, value)                                      \
	do {                                                         \
		typeof(rec) bad = (rec);                             \
		bad.member = (value);                                \
		assert_int_equal(held_check(&bad, (rec).size), -EBADMSG); \
	} while (0)
	BAD(q, record, 0);
	BAD(q, record, 3);
	BAD(q, size, q.size + 1);
	BAD(q, nonce, 0);
	BAD(q, insn_cnt, 0);
	BAD(q, insn_cnt, BW_HOLD_MAX_INSNS + 1);
	BAD(q, n_maps, 1);
	BAD(q, n_maps, BW_HOLD_MAX_MAPS + 1);
	BAD(q, name[BW_OBJ_NAME_LEN - 1], 'x');
	BAD(c, count, 0);
	BAD(c, count, 1);
	BAD(c, count, BW_HOLD_CHUNK_INSNS + 1);
}

static void code_comes_in_order(void **state)
{
	struct bw_hold_question q = question(7, 4);
	static const uint64_t insns[4] = { 0xb7, 0xb7, 0xb7, EXIT };
	struct bw_hold_code c = code(7, 0, insns, 2);
	struct held_programs h;
	struct held_program *p;

	assert_int_equal(held_programs_init(&h, 4, 1 << 20), 0);
	assert_int_equal(held_code(&h, &c, &p), -ENOENT);
	assert_int_equal(held_begin(&h, &q, q.size, &p), 0);
	c.first = 1;
	assert_int_equal(held_code(&h, &c, &p), -EBADMSG);
	c.first = 0;
	assert_int_equal(held_code(&h, &c, &p), 0);
	assert_int_equal(held_code(&h, &c, &p), -EBADMSG);
	c = code(7, 2, insns, 3);
	assert_int_equal(held_code(&h, &c, &p), -EBADMSG);
	c = code(7, 2, insns + 2, 2);
	assert_int_equal(held_code(&h, &c, &p), 1);
	assert_memory_equal(p->insns, insns, sizeof(insns));
	assert_int_equal(held_code(&h, &c, &p), -EBADMSG);
	held_programs_free(&h);
}

static void the_oldest_make_room(void **state)
{
	static const uint64_t insns[2] = { 0xb7, EXIT };
	struct held_programs h;

	assert_int_equal(held_programs_init(&h, 3, 1 << 20), 0);
	for (uint64_t i = 1; i <= 5; i++) {
		struct bw_hold_question q = question(i, 2);

		put(&h, &q, insns);
	}
	assert_int_equal(h.n, 3);
	assert_null(held_find(&h, 2));
	assert_non_null(held_find(&h, 3));
	held_programs_free(&h);
	/* by bytes, too */
	assert_int_equal(held_programs_init(&h, 100, 40), 0);
	for (uint64_t i = 1; i <= 5; i++) {
		struct bw_hold_question q = question(i, 2);

		put(&h, &q, insns);
	}
	assert_int_equal(h.n, 2);
	assert_int_equal(h.bytes, 32);
	held_programs_free(&h);
}

static uint32_t programs_of(const struct held_programs *h, const struct held_program *p)
{
	_cleanup_buf_ struct bw_buf b = { 0 };
	struct held_job job;

	assert_int_equal(held_job(h, p, &b, &job), 0);
	assert_false(job.truncated);
	return job.n_programs;
}

static void maps_connect(void **state)
{
	static const uint64_t insns[3] = { LD_MAP(1, BPF_PSEUDO_MAP_FD, 5), EXIT };
	struct bw_hold_question a = question(1, 3), b = question(2, 3), c = question(3, 3), d = question(4, 3), again;
	struct held_program *pa, *pc, *pd;
	struct held_programs h;

	assert_int_equal(held_programs_init(&h, 16, 1 << 20), 0);
	add_map(&a, 5, 100, 0);
	add_map(&b, 5, 100, 0);
	add_map(&b, 6, 200, 0);
	add_map(&c, 9, 200, 0);
	add_map(&d, 5, 300, 0);
	pa = put(&h, &a, insns);
	assert_int_equal(programs_of(&h, pa), 1);
	put(&h, &b, insns);
	pc = put(&h, &c, insns);
	pd = put(&h, &d, insns);
	/* a - 100 - b - 200 - c; d alone, although its descriptor is the same as a's */
	assert_int_equal(programs_of(&h, pa), 3);
	assert_int_equal(programs_of(&h, pc), 3);
	assert_int_equal(programs_of(&h, pd), 1);
	/* the same load once more adds nothing, another one with the same maps does */
	again = c;
	again.nonce = 5;
	put(&h, &again, insns);
	assert_int_equal(programs_of(&h, pa), 3);
	again.nonce = 6;
	again.digest[0] ^= 1;
	put(&h, &again, insns)->gone = true;
	assert_int_equal(programs_of(&h, pa), 3);
	held_find(&h, 6)->gone = false;
	assert_int_equal(programs_of(&h, pa), 4);
	held_programs_free(&h);
}

/* The analysis sees more of a reader when it has seen the writer, which mostly was there before: who asks is the last in the job. */
static void who_asks_comes_last(void **state)
{
	static const uint64_t insns[3] = { LD_MAP(1, BPF_PSEUDO_MAP_FD, 5), EXIT };
	struct bw_hold_question writer = question(1, 3), reader = question(2, 3);
	_cleanup_buf_ struct bw_buf first = { 0 }, second = { 0 };
	struct held_program *w, *r;
	struct held_programs h;
	struct held_job job;

	assert_int_equal(held_programs_init(&h, 16, 1 << 20), 0);
	add_map(&writer, 5, 100, 0);
	add_map(&reader, 5, 100, 0);
	memcpy(writer.name, "writer", 7);
	memcpy(reader.name, "reader", 7);
	w = put(&h, &writer, insns);
	r = put(&h, &reader, insns);
	assert_int_equal(held_job(&h, r, &first, &job), 0);
	assert_int_equal(held_job(&h, w, &second, &job), 0);
	assert_true(memmem(first.data, first.len, "writer", 7) < memmem(first.data, first.len, "reader", 7));
	assert_true(memmem(second.data, second.len, "reader", 7) < memmem(second.data, second.len, "writer", 7));
	held_programs_free(&h);
}

/* Two loads of one object have other descriptors and other ids: the jobs are equal. A different map makes another job. */
static void equal_loads_make_equal_jobs(void **state)
{
	static const uint64_t first[5] = { LD_MAP(1, BPF_PSEUDO_MAP_FD, 5), LD_MAP(2, BPF_PSEUDO_MAP_VALUE, 6), EXIT };
	static const uint64_t second[5] = { LD_MAP(1, BPF_PSEUDO_MAP_IDX, 0), LD_MAP(2, BPF_PSEUDO_MAP_IDX_VALUE, 1), EXIT };
	static const uint64_t third[5] = { LD_MAP(1, BPF_PSEUDO_MAP_FD, 6), LD_MAP(2, BPF_PSEUDO_MAP_VALUE, 5), EXIT };
	struct bw_hold_question a = question(1, 5), b = question(2, 5), c = question(3, 5);
	_cleanup_buf_ struct bw_buf ja = { 0 }, jb = { 0 }, jc = { 0 };
	struct held_programs h;
	struct held_job job;

	assert_int_equal(held_programs_init(&h, 16, 1 << 20), 0);
	add_map(&a, 5, 100, 0);
	add_map(&a, 6, 101, 0);
	add_map(&b, 0, 200, 1);
	add_map(&b, 1, 201, 1);
	add_map(&c, 6, 300, 0);
	add_map(&c, 5, 301, 0);
	c.maps[0].value_size = 16;
	assert_int_equal(held_job(&h, put(&h, &a, first), &ja, &job), 0);
	assert_int_equal(held_job(&h, put(&h, &b, second), &jb, &job), 0);
	assert_int_equal(held_job(&h, put(&h, &c, third), &jc, &job), 0);
	assert_int_equal(ja.len, jb.len);
	assert_memory_equal(ja.data, jb.data, ja.len);
	assert_int_equal(ja.len, jc.len);
	assert_memory_not_equal(ja.data, jc.data, ja.len);
	held_programs_free(&h);
}

/* Values come in pieces, in order, no more than there is. */
static void values_are_kept(void **state)
{
	struct bw_hold_question q = question(1, 1);
	struct bw_hold_code c = { .record = BW_HOLD_DATA, .nonce = 1, .first = 0, .count = 5 };
	static const uint64_t insns[1] = { EXIT };
	struct held_programs h;
	struct held_program *p;

	add_map(&q, 5, 100, 0); /* of 8 bytes */
	c.size = offsetof(struct bw_hold_code, insns) + 5;
	memcpy(c.insns, "01234567", 8);
	assert_int_equal(held_check(&c, c.size), 0);
	assert_int_equal(held_check(&c, c.size + 1), -EBADMSG);
	assert_int_equal(held_programs_init(&h, 16, 1 << 20), 0);
	assert_int_equal(held_begin(&h, &q, q.size, &p), 0);
	assert_int_equal(held_code(&h, &c, &p), 0);
	assert_int_equal(held_code(&h, &c, &p), -EBADMSG); /* 10 bytes */
	c.count = 3;
	assert_int_equal(held_code(&h, &c, &p), 0);
	assert_memory_equal(p->values[0].data, "01234012", 8);
	assert_int_equal(h.bytes, 16);
	c.first = 1;
	assert_int_equal(held_code(&h, &c, &p), -EBADMSG);
	c = code(1, 0, insns, 1);
	assert_int_equal(held_code(&h, &c, &p), 1);
	c.record = BW_HOLD_DATA;
	assert_int_equal(held_code(&h, &c, &p), -EBADMSG);
	held_programs_free(&h);
}

static void jobs_are_analysed(void **state)
{
	static const uint64_t insns[3] = { LD_MAP(1, BPF_PSEUDO_MAP_VALUE, 5), EXIT };
	struct bw_hold_question q = question(1, 3);
	_cleanup_buf_ struct bw_buf b = { 0 };
	struct bw_analyst *rules;
	struct analyst_answer a;
	struct held_programs h;
	struct held_program *p;
	struct held_job job;
	char why[256];

	assert_int_equal(bw_analyst_new(&rules, why, sizeof(why)), 0);
	assert_int_equal(held_programs_init(&h, 16, 1 << 20), 0);
	add_map(&q, 5, 100, 0);
	q.maps[0].type = BPF_MAP_TYPE_ARRAY;
	q.maps[0].max_entries = 1;
	q.maps[0].flags = BPF_F_RDONLY_PROG;
	p = put(&h, &q, insns);
	p->values[0].data = (uint8_t *)strdup("/etc/shadow");
	p->values[0].len = 12;
	assert_int_equal(held_job(&h, p, &b, &job), 0);
	assert_non_null(memmem(b.data, b.len, "/etc/shadow", 12));
	analyst_work(rules, NULL, bw_slice(b.data, b.len), &a);
	assert_int_equal(a.status, ANALYST_OK);
	/* cut off anywhere, or followed by something, it is no job */
	for (size_t n = 0; n < b.len; n++) {
		_cleanup_free_ char *copy = malloc(n ? n : 1);

		memcpy(copy, b.data, n);
		analyst_work(rules, NULL, bw_slice(copy, n), &a);
		assert_int_equal(a.status, ANALYST_FAILED);
		assert_int_equal(a.error, EBADMSG);
	}
	bw_buf_append(&b, "01234567", 8);
	analyst_work(rules, NULL, bw_slice(b.data, b.len), &a);
	assert_int_equal(a.status, ANALYST_FAILED);
	/* a map that nobody described */
	q.n_maps = 0;
	q.size = offsetof(struct bw_hold_question, maps);
	q.nonce = 2;
	bw_buf_reset(&b);
	assert_int_equal(held_job(&h, put(&h, &q, insns), &b, &job), 0);
	analyst_work(rules, NULL, bw_slice(b.data, b.len), &a);
	assert_int_equal(a.status, ANALYST_INCOMPLETE);
	held_programs_free(&h);
	bw_analyst_free(rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_are_checked), cmocka_unit_test(code_comes_in_order),
		cmocka_unit_test(the_oldest_make_room), cmocka_unit_test(values_are_kept), cmocka_unit_test(maps_connect),
		cmocka_unit_test(equal_loads_make_equal_jobs), cmocka_unit_test(jobs_are_analysed),
		cmocka_unit_test(who_asks_comes_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
