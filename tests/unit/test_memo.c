// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Calls of functions whose results are known already: equal input is followed once, and everything that may differ is input. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdint.h>
#include <string.h>

#include "auditor/analysis.h"
#include "tests/unit/mini_object.h"

#define ARRAY 2
#define PERCPU_ARRAY 6
#define RINGBUF 27
#define LOOKUP 1
#define PROBE_READ_USER 112
#define RB_OUTPUT 130

static struct mini m;
static struct bw_analysis *a;

static void begin(void)
{
	mini_init(&m);
	mini_map(&m, "ring", RINGBUF, 0, 0);
}

static void analyse(void)
{
	assert_int_equal(bw_analyse(&m.o, NULL, &a), 0);
	assert_true(a->complete);
}

static void done(void)
{
	bw_analysis_free(a);
	a = NULL;
	mini_free(&m);
}

static bool leaves(enum bw_source s, enum bw_channel c)
{
	for (uint32_t i = 0; i < a->n_flows; i++)
		if (a->flows[i].source == s && a->flows[i].channel == c)
			return true;
	return false;
}

/* send(p): ringbuf_output(ring, p, 16, 0) */
static int func_send(void)
{
	return mini_func(&m, "send", INSNS(MOV(2, 1), MAP(1, 0), MOVI(3, 16), MOVI(4, 0), CALL(RB_OUTPUT), MOVI(0, 0), EXIT));
}

#define CLEAR STI64(10, -16, 0), STI64(10, -8, 0)
#define SEND(f) MOV(1, 10), ADDI(1, -16), CALLF(f)
#define READ_TLS LD64(3, 6, 104), MOV(1, 10), ADDI(1, -16), MOVI(2, 16), CALL(PROBE_READ_USER)

static void equal_calls_are_followed_once(void **state)
{
	uint64_t once;
	int f;

	begin();
	f = func_send();
	mini_prog(&m, "p", "uprobe/libssl.so:SSL_write", INSNS(CLEAR, SEND(f), MOVI(0, 0), EXIT));
	analyse();
	once = a->steps;
	done();
	begin();
	f = func_send();
	mini_prog(&m, "p", "uprobe/libssl.so:SSL_write", INSNS(CLEAR, SEND(f), SEND(f), SEND(f), SEND(f), MOVI(0, 0), EXIT));
	analyse();
	/* The three more calls cost their own three instructions each. */
	assert_int_equal(a->steps, once + 9);
	assert_false(leaves(BW_SRC_TLS_PLAINTEXT, BW_CH_RINGBUF));
	done();
}

static void what_a_pointer_leads_to_is_input(void **state)
{
	int f;

	begin();
	f = func_send();
	mini_prog(&m, "p", "uprobe/libssl.so:SSL_write", INSNS(MOV(6, 1), CLEAR, SEND(f), READ_TLS, SEND(f), MOVI(0, 0), EXIT));
	analyse();
	assert_true(leaves(BW_SRC_TLS_PLAINTEXT, BW_CH_RINGBUF));
	done();
	/* The other order: what was sent first is gone when it is sent again. */
	begin();
	f = func_send();
	mini_prog(&m, "p", "uprobe/libssl.so:SSL_write", INSNS(MOV(6, 1), CLEAR, SEND(f), READ_TLS, CLEAR, SEND(f), MOVI(0, 0), EXIT));
	analyse();
	assert_false(leaves(BW_SRC_TLS_PLAINTEXT, BW_CH_RINGBUF));
	done();
}

static void slots_it_does_not_look_at_are_not(void **state)
{
	uint64_t steps;
	int f;

	begin();
	f = func_send();
	mini_prog(&m, "p", "uprobe/libssl.so:SSL_write", INSNS(CLEAR, STI64(10, -24, 1), SEND(f), STI64(10, -24, 2), SEND(f), MOVI(0, 0), EXIT));
	analyse();
	steps = a->steps;
	done();
	begin();
	f = func_send();
	mini_prog(&m, "p", "uprobe/libssl.so:SSL_write", INSNS(CLEAR, STI64(10, -16, 1), SEND(f), STI64(10, -16, 2), SEND(f), MOVI(0, 0), EXIT));
	analyse();
	assert_true(a->steps > steps);
	done();
}

static void what_it_wrote_is_written_again(void **state)
{
	int f, g;

	begin();
	/* fill(dst, src): probe_read_user(dst, 16, src) */
	f = mini_func(&m, "fill", INSNS(MOV(3, 2), MOVI(2, 16), CALL(PROBE_READ_USER), MOVI(0, 0), EXIT));
	g = func_send();
#define FILL MOV(1, 10), ADDI(1, -16), LD64(2, 6, 104), CALLF(f)
	mini_prog(&m, "p", "uprobe/libssl.so:SSL_write", INSNS(MOV(6, 1), CLEAR, FILL, CLEAR, FILL, SEND(g), MOVI(0, 0), EXIT));
	analyse();
	assert_true(leaves(BW_SRC_TLS_PLAINTEXT, BW_CH_RINGBUF));
	done();
	begin();
	f = mini_func(&m, "fill", INSNS(MOV(3, 2), MOVI(2, 16), CALL(PROBE_READ_USER), MOVI(0, 0), EXIT));
	g = func_send();
	mini_prog(&m, "p", "uprobe/libssl.so:SSL_write", INSNS(MOV(6, 1), CLEAR, FILL, CLEAR, FILL, CLEAR, SEND(g), MOVI(0, 0), EXIT));
	analyse();
	assert_false(leaves(BW_SRC_TLS_PLAINTEXT, BW_CH_RINGBUF));
	done();
}

/* forward(): ringbuf_output(ring, lookup(map, 0), 16, 0) */
static int func_forward(int map)
{
	return mini_func(&m, "forward",
			 INSNS(STI32(10, -4, 0), MAP(1, map), MOV(2, 10), ADDI(2, -4), CALL(LOOKUP), JEQI(0, 0, 6), MOV(2, 0), MAP(1, 0),
			       MOVI(3, 16), MOVI(4, 0), CALL(RB_OUTPUT), MOVI(0, 0), EXIT));
}

/* Nothing else differs between two such calls. */
#define FORWARD(f) MOVI(1, 0), MOVI(2, 0), MOVI(3, 0), MOVI(4, 0), MOVI(5, 0), CALLF(f)

static void contents_of_maps_are_input(void **state)
{
	static const uint32_t types[] = { ARRAY, PERCPU_ARRAY };

	for (unsigned int i = 0; i < 2; i++)
		for (int stored = 0; stored < 2; stored++) {
			int map, f;

			begin();
			map = mini_map(&m, "scratch", types[i], 4, 16);
			f = func_forward(map);
			/* A call before, one after the bytes were read to the map's value, or only to the stack. */
			mini_prog(&m, "p", "uprobe/libssl.so:SSL_write",
				  INSNS(MOV(6, 1), FORWARD(f), STI32(10, -4, 0), MAP(1, map), MOV(2, 10), ADDI(2, -4), CALL(LOOKUP),
					JEQI(0, 0, 9), LD64(3, 6, 104), MOV(1, 0), JEQI(1, 0, 0), MOVI(2, 16), JA(stored ? 2 : 0), MOV(1, 10),
					ADDI(1, -32), CALL(PROBE_READ_USER), FORWARD(f), MOVI(0, 0), EXIT));
			analyse();
			assert_int_equal(leaves(BW_SRC_TLS_PLAINTEXT, BW_CH_RINGBUF), stored);
			done();
		}
}

static void recursion_is_said_each_time(void **state)
{
	begin();
	/* f calls itself: not followed for ever, never taken for known. */
	mini_func(&m, "f", INSNS(CALLF(0), MOVI(0, 0), EXIT));
	mini_prog(&m, "p", "uprobe/libssl.so:SSL_write", INSNS(CALLF(0), CALLF(0), MOVI(0, 0), EXIT));
	assert_int_equal(bw_analyse(&m.o, NULL, &a), 0);
	assert_false(a->complete);
	assert_string_equal(a->progs[0].unanalysed[0].reason, "recursive call");
	done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_calls_are_followed_once),
		cmocka_unit_test(what_a_pointer_leads_to_is_input),
		cmocka_unit_test(slots_it_does_not_look_at_are_not),
		cmocka_unit_test(what_it_wrote_is_written_again),
		cmocka_unit_test(contents_of_maps_are_input),
		cmocka_unit_test(recursion_is_said_each_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
