// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The comparison of the sides: what is hidden, what only came and went. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "common/cleanup.h"
#include "common/inventory/inventory.h"

#define BIT(v) (1u << (v))
#define LISTED (BIT(INV_VIEW_WALK) | BIT(INV_AGAIN_WALK))
#define OPENED (BIT(INV_VIEW_PROBE) | BIT(INV_AGAIN_OPEN))
#define ITERATED (BIT(INV_VIEW_ITERATOR) | BIT(INV_AGAIN_ITERATOR))

static void complete(struct inventory *inv)
{
	*inv = (struct inventory){ 0 };
	for (int k = 0; k < INV_KINDS; k++)
		for (int v = 0; v < INV_VIEWS; v++)
			inv->view[k][v] = INV_COMPLETE;
}

static struct inv_object *object(struct inventory *inv, enum inv_kind kind, uint32_t id, uint32_t views)
{
	struct inv_object *o = inv_add(inv, kind, id, INV_VIEW_FD);

	o->views = views;
	o->described = true;
	return o;
}

static const struct inv_discrepancy *only(const struct inventory *inv)
{
	assert_int_equal(inv->n_discrepancies, 1);
	return &inv->discrepancies[0];
}

/* Each row: what was seen, and what has to be said. */
static void test_sides(void **state)
{
	static const struct {
		uint32_t views;
		const char *what; /* NULL: nothing */
		enum inv_severity severity;
	} rows[] = {
		{ LISTED | OPENED | ITERATED | BIT(INV_VIEW_FD), NULL, 0 },
		/* The walk skips it, opening it works. */
		{ OPENED | ITERATED | BIT(INV_VIEW_FD), "hidden_from_ids", INV_CRITICAL },
		/* Walk and opening conceal it, the kernel's own list does not. */
		{ ITERATED, "hidden_from_ids", INV_CRITICAL },
		{ BIT(INV_AGAIN_ITERATOR) | BIT(INV_VIEW_PIN), "hidden_from_ids", INV_CRITICAL },
		/* Only an attachment tells of it, and cannot be asked twice. */
		{ BIT(INV_VIEW_NETLINK), "seen_once", INV_MEDIUM },
		/* Loaded while the sides were read: in the second list. */
		{ BIT(INV_AGAIN_WALK) | BIT(INV_AGAIN_OPEN) | BIT(INV_VIEW_FD), NULL, 0 },
		/* Unloaded meanwhile. */
		{ BIT(INV_VIEW_WALK) | BIT(INV_VIEW_PROBE) | BIT(INV_VIEW_FD), NULL, 0 },
		{ BIT(INV_VIEW_ITERATOR), NULL, 0 },
		{ LISTED | OPENED | BIT(INV_VIEW_FD), "hidden_from_iterator", INV_CRITICAL },
		{ LISTED | ITERATED | BIT(INV_VIEW_FD), "hidden_from_open", INV_CRITICAL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct inventory inv;

		complete(&inv);
		object(&inv, INV_MAP, 7, rows[i].views);
		assert_int_equal(inv_compare(&inv), 0);
		if (rows[i].what) {
			assert_string_equal(only(&inv)->what, rows[i].what);
			assert_int_equal(only(&inv)->severity, rows[i].severity);
			assert_int_equal(only(&inv)->id, 7);
			assert_int_equal(inv_find(&inv, INV_MAP, 7)->hidden, rows[i].severity == INV_CRITICAL);
		} else {
			assert_int_equal(inv.n_discrepancies, 0);
		}
		inv_free(&inv);
	}
}

/* A side that could not be had conceals nothing. */
static void test_missing_sides(void **state)
{
	struct inventory inv;

	complete(&inv);
	inv.view[INV_MAP][INV_VIEW_ITERATOR] = INV_UNAVAILABLE;
	object(&inv, INV_MAP, 7, LISTED | OPENED | BIT(INV_VIEW_FD));
	assert_int_equal(inv_compare(&inv), 0);
	assert_int_equal(inv.n_discrepancies, 0);
	inv_free(&inv);

	complete(&inv);
	inv.view[INV_LINK][INV_VIEW_WALK] = INV_UNAVAILABLE;
	object(&inv, INV_LINK, 7, OPENED | BIT(INV_VIEW_FD));
	assert_int_equal(inv_compare(&inv), 0);
	assert_int_equal(inv.n_discrepancies, 0);
	inv_free(&inv);
}

static void test_holders(void **state)
{
	const uint32_t there = LISTED | OPENED | ITERATED;
	struct inventory inv;

	complete(&inv);
	object(&inv, INV_PROG, 1, there | BIT(INV_VIEW_FD));
	object(&inv, INV_PROG, 2, there | BIT(INV_VIEW_PIN));
	object(&inv, INV_PROG, 3, there | BIT(INV_VIEW_LINK));
	object(&inv, INV_PROG, 4, there | BIT(INV_VIEW_NETLINK));
	object(&inv, INV_PROG, 5, there);
	object(&inv, INV_PROG, 6, there | BIT(INV_VIEW_MAP));
	object(&inv, INV_PROG, 8, there | BIT(INV_VIEW_LINK));
	object(&inv, INV_LINK, 1, there | BIT(INV_VIEW_PIN))->link.prog_id = 3;
	object(&inv, INV_LINK, 2, there | BIT(INV_VIEW_FD))->link.prog_id = 8;
	assert_int_equal(inv_compare(&inv), 0);
	assert_string_equal(inv_holder_of(&inv, INV_PROG, inv_find(&inv, INV_PROG, 1)), "process");
	assert_string_equal(inv_holder_of(&inv, INV_PROG, inv_find(&inv, INV_PROG, 2)), "pin");
	assert_string_equal(inv_holder_of(&inv, INV_PROG, inv_find(&inv, INV_PROG, 3)), "link");
	assert_string_equal(inv_holder_of(&inv, INV_PROG, inv_find(&inv, INV_PROG, 4)), "attachment");
	assert_string_equal(inv_holder_of(&inv, INV_PROG, inv_find(&inv, INV_PROG, 5)), "unknown");
	assert_string_equal(inv_holder_of(&inv, INV_PROG, inv_find(&inv, INV_PROG, 6)), "map");
	assert_string_equal(inv_holder_of(&inv, INV_PROG, inv_find(&inv, INV_PROG, 8)), "process");
	/* 2, 3, 4 and 6 live without a process; 5 nobody explains. */
	assert_int_equal(inv.n_discrepancies, 5);
	for (uint32_t i = 0; i < inv.n_discrepancies; i++) {
		const struct inv_discrepancy *d = &inv.discrepancies[i];

		assert_string_equal(d->what, d->id == 5 ? "unexplained" : "no_process");
		assert_int_equal(d->severity, d->id == 5 ? INV_MEDIUM : INV_INFO);
	}
	inv_free(&inv);
}

static void add_symbol(struct inventory *inv, uint64_t address, const char *name, bool again)
{
	inv->symbols = realloc(inv->symbols, (inv->n_symbols + 1) * sizeof(*inv->symbols));
	inv->symbols[inv->n_symbols++] = (struct inv_symbol){ .address = address, .name = strdup(name), .again = again };
}

static void test_symbols(void **state)
{
	struct inventory inv;
	struct inv_object *o;

	complete(&inv);
	o = object(&inv, INV_PROG, 1, LISTED | OPENED | ITERATED | BIT(INV_VIEW_FD));
	o->prog.ksyms = calloc(2, sizeof(uint64_t));
	o->prog.n_ksyms = 2;
	o->prog.ksyms[0] = 0xffffffffc0000100;
	o->prog.ksyms[1] = 0xffffffffc0000200;
	add_symbol(&inv, 0xffffffffc0000100, "bpf_prog_0011223344556677_a", true);
	add_symbol(&inv, 0xffffffffc0000200, "bpf_prog_8899aabbccddeeff_b", true);
	add_symbol(&inv, 0xffffffffc0000300, "bpf_prog_0000000000000000_gone", false);
	add_symbol(&inv, 0xffffffffc0000400, "bpf_prog_0123456789abcdef_hides", true);
	assert_int_equal(inv_compare(&inv), 0);
	assert_string_equal(only(&inv)->what, "hidden_code");
	assert_non_null(strstr(only(&inv)->message, "bpf_prog_0123456789abcdef_hides"));
	inv_free(&inv);
}

/* What a guard closes and lists is said once; what it does not list is hidden all the same. */
static void test_guarded(void **state)
{
	static const uint64_t keys[] = { 1ULL << 32 | 5, 2ULL << 32 | 7, 3ULL << 32 | 5, 0xffffffffc0000400 }; /* sorted */

	for (int in_place = 0; in_place < 2; in_place++) {
		struct inventory inv;
		uint32_t hidden = 0, guarded = 0;

		complete(&inv);
		inv.guarded = memcpy(malloc(sizeof(keys)), keys, sizeof(keys));
		inv.n_guarded = inv.cap_guarded = ARRAY_SIZE(keys);
		inv.guards[0].id = 9;
		inv.guards[0].in_place = in_place;
		object(&inv, INV_PROG, 5, LISTED | ITERATED)->described = false;
		object(&inv, INV_MAP, 7, LISTED | ITERATED)->described = false;
		object(&inv, INV_MAP, 5, LISTED | ITERATED)->described = false; /* the same number, another kind */
		object(&inv, INV_LINK, 5, LISTED | ITERATED)->described = false;
		inv_add(&inv, INV_PROG, 6, INV_VIEW_FD)->views = LISTED | ITERATED | OPENED | BIT(INV_VIEW_FD);
		inv_find(&inv, INV_PROG, 6)->described = true;
		inv_find(&inv, INV_PROG, 6)->prog.n_ksyms = 1;
		inv_find(&inv, INV_PROG, 6)->prog.ksyms = calloc(1, sizeof(uint64_t));
		inv_find(&inv, INV_PROG, 6)->prog.ksyms[0] = 0xffffffffc0000100;
		add_symbol(&inv, 0xffffffffc0000400, "bpf_prog_0123456789abcdef_bw_lsm_bpf", true);
		add_symbol(&inv, 0xffffffffc0000500, "bpf_prog_0123456789abcdef_hides", true);
		assert_int_equal(inv_compare(&inv), 0);
		for (uint32_t i = 0; i < inv.n_discrepancies; i++) {
			const struct inv_discrepancy *d = &inv.discrepancies[i];

			if (d->severity == INV_CRITICAL) {
				hidden++;
				assert_true((!strcmp(d->what, "hidden_from_open") && d->kind == INV_MAP && d->id == 5) ||
					    (!strcmp(d->what, "hidden_code") && strstr(d->message, "_hides")));
			} else {
				guarded++;
				assert_string_equal(d->what, "guarded");
				assert_int_equal(d->id, 9);
				assert_int_equal(d->severity, in_place ? INV_INFO : INV_MEDIUM);
				assert_non_null(strstr(d->message, "1 programs, 1 maps and 1 links"));
			}
		}
		assert_int_equal(hidden, 2);
		assert_int_equal(guarded, 1);
		inv_free(&inv);
	}
}

static void test_kallsyms(void **state)
{
	char path[] = "/tmp/bw-kallsyms-XXXXXX";
	int fd = mkstemp(path);
	static const char text[] = "ffffffff81000000 T _stext\n"
				   "ffffffffc0000400 t bpf_prog_0123456789abcdef_hides\t[bpf]\n"
				   "ffffffffc0000200 t bpf_prog_8899aabbccddeeff\t[bpf]\n"
				   "ffffffffc0000500 t bpf_trampoline_6442509074\t[bpf]\n"
				   "ffffffffc0000600 t bpf_prog_short_x\t[bpf]\n"
				   "ffffffffc0000700 t bpf_prog_0123456789abcdef_x\t[other]\n";
	struct inventory inv = { 0 };

	assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
	close(fd);
	assert_int_equal(inv_symbols(&inv, path), 0);
	assert_int_equal(inv.view[INV_PROG][INV_VIEW_KALLSYMS], INV_COMPLETE);
	assert_int_equal(inv.n_symbols, 2);
	assert_string_equal(inv.symbols[0].name, "bpf_prog_8899aabbccddeeff");
	assert_int_equal(inv.symbols[1].address, 0xffffffffc0000400);
	assert_false(inv.symbols[0].again);
	assert_int_equal(inv_symbols(&inv, path), 0);
	assert_true(inv.symbols[0].again && inv.symbols[1].again);
	assert_int_equal(inv.n_symbols, 2);
	unlink(path);
	inv_free(&inv);
	assert_int_equal(inv_symbols(&inv, "/nonexistent"), 0);
	assert_true(inv.incomplete);
	inv_free(&inv);
}

/* Names come from strangers: the report stays JSON. */
static void test_report(void **state)
{
	_cleanup_buf_ struct bw_buf json = { 0 }, table = { 0 };
	struct inv_sighting s = { .kind = INV_PROG, .view = INV_VIEW_PIN, .id = 1, .fd = -1 };
	struct inventory inv;
	struct inv_object *o;

	complete(&inv);
	o = object(&inv, INV_PROG, 1, LISTED | OPENED | ITERATED);
	strcpy(o->name, "a\"b\n\x80");
	assert_int_equal(inv_saw(&inv, &s, strdup("/sys/fs/bpf/\"x\n")), 0);
	assert_int_equal(inv_compare(&inv), 0);
	inv_report_json(&inv, NULL, &json);
	inv_report_table(&inv, NULL, &table);
	assert_int_equal(bw_buf_error(&json), 0);
	assert_non_null(strstr(json.data, "\"name\": \"a\\\"b\\u000a\xef\xbf\xbd\"") ?: strstr(json.data, "\"name\": \"a\\\"b\\n\xef\xbf\xbd\""));
	assert_non_null(strstr(json.data, "/sys/fs/bpf/\\\"x"));
	assert_non_null(strstr(json.data, "\"held_by\": \"pin\""));
	assert_non_null(strstr(table.data, "1 programs, 0 maps, 0 links"));
	inv_free(&inv);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sides),	   cmocka_unit_test(test_missing_sides), cmocka_unit_test(test_holders),
		cmocka_unit_test(test_symbols), cmocka_unit_test(test_kallsyms),      cmocka_unit_test(test_report),
		cmocka_unit_test(test_guarded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
