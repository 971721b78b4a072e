// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Small programs and the flows they have; each positive with a near miss. The tables behind it are complete. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdint.h>
#include <stdio.h>

#include "auditor/analysis.h"
#include "auditor/helpers.h"
#include "auditor/manifest.h"
#include "auditor/sources.h"
#include "common/bpf_names.h"
#include "tests/unit/mini_object.h"

#define HASH 1
#define ARRAY 2
#define PERCPU_ARRAY 6
#define RINGBUF 27
#define LOOKUP 1
#define UPDATE 2
#define PROBE_READ_USER 112
#define PROBE_WRITE_USER 36
#define RB_OUTPUT 130
#define RB_RESERVE 131
#define RB_SUBMIT 132
#define RB_DISCARD 133
#define PID_TGID 14

static struct mini m;
static struct bw_analysis *a;

static void analyse(void)
{
	assert_int_equal(bw_analyse(&m.o, NULL, &a), 0);
}

static void done(void)
{
	bw_analysis_free(a);
	a = NULL;
	mini_free(&m);
}

static const struct bw_flow *find(enum bw_source s, enum bw_channel c)
{
	for (uint32_t i = 0; i < a->n_flows; i++)
		if (a->flows[i].source == s && a->flows[i].channel == c)
			return &a->flows[i];
	return NULL;
}

static const struct bw_flow *need(enum bw_source s, enum bw_channel c)
{
	const struct bw_flow *f = find(s, c);

	if (!f)
		fail_msg("no flow %s -> %s", bw_source_name(s), bw_channel_name(c));
	return f;
}

static void none(enum bw_source s, enum bw_channel c)
{
	if (find(s, c))
		fail_msg("a flow %s -> %s", bw_source_name(s), bw_channel_name(c));
}

/* SSL_write's buffer read to the stack (fp-16, 16 bytes); then @middle; then the 16 bytes into the ring buffer. */
#define READ_TLS LD64(3, 1, 104), MOV(6, 1), MOV(1, 10), ADDI(1, -16), MOVI(2, 16), CALL(PROBE_READ_USER)
#define SEND_STACK MAP(1, 0), MOV(2, 10), ADDI(2, -16), MOVI(3, 16), MOVI(4, 0), CALL(RB_OUTPUT), MOVI(0, 0), EXIT

static void begin(void)
{
	mini_init(&m);
	mini_map(&m, "ring", RINGBUF, 0, 0);
}

static void a_buffer_goes_over_the_stack(void **state)
{
	const struct bw_flow *f;

	begin();
	mini_prog(&m, "p", "uprobe/libssl.so:SSL_write", INSNS(READ_TLS, SEND_STACK));
	analyse();
	f = need(BW_SRC_TLS_PLAINTEXT, BW_CH_RINGBUF);
	assert_int_equal(f->len.min, 16);
	assert_int_equal(f->len.max, 16);
	assert_true(f->carriers & BW_CARRY_BIT(BW_CARRY_STACK));
	assert_string_equal(f->source_detail, "SSL_write buf");
	assert_string_equal(f->channel_detail, "ring");
	assert_false(f->derived);
	assert_int_equal(f->n_path, 2);
	assert_int_equal(f->path[0].kind, BW_STEP_SOURCE);
	assert_int_equal(f->path[0].insn, 5);
	assert_int_equal(f->path[1].insn, 12);
	assert_true(a->complete);
	done();
}

static void overwriting_the_buffer_ends_the_flow(void **state)
{
	begin();
	mini_prog(&m, "p", "uprobe/libssl.so:SSL_write", INSNS(READ_TLS, STI64(10, -16, 0), STI64(10, -8, 0), SEND_STACK));
	analyse();
	none(BW_SRC_TLS_PLAINTEXT, BW_CH_RINGBUF);
	done();
	/* One byte is left. */
	begin();
	mini_prog(&m, "p", "uprobe/libssl.so:SSL_write", INSNS(READ_TLS, STI64(10, -16, 0), STI32(10, -8, 0), SEND_STACK));
	analyse();
	need(BW_SRC_TLS_PLAINTEXT, BW_CH_RINGBUF);
	done();
}

static void xor_with_itself_ends_the_flow(void **state)
{
	begin();
	mini_prog(&m, "p", "uprobe/libssl.so:SSL_write",
		  INSNS(READ_TLS, LD64(7, 10, -16), STI64(10, -8, 0), XOR(7, 7), ST64(10, -16, 7), SEND_STACK));
	analyse();
	none(BW_SRC_TLS_PLAINTEXT, BW_CH_RINGBUF);
	done();
	begin();
	mini_prog(&m, "p", "uprobe/libssl.so:SSL_write",
		  INSNS(READ_TLS, LD64(7, 10, -16), STI64(10, -8, 0), MULI(7, 31), ST64(10, -16, 7), SEND_STACK));
	analyse();
	assert_true(need(BW_SRC_TLS_PLAINTEXT, BW_CH_RINGBUF)->derived);
	done();
}

static void symbols_decide_the_class(void **state)
{
	static const struct {
		const char *section;
		enum bw_source source;
	} t[] = {
		{ "uprobe/libssl.so:SSL_write", BW_SRC_TLS_PLAINTEXT },
		{ "uprobe/libgnutls.so:gnutls_record_send", BW_SRC_TLS_PLAINTEXT },
		{ "uprobe/libpam.so:pam_get_authtok", BW_SRC_CREDENTIALS },
		{ "uprobe/app:handle", BW_SRC_USER_MEMORY },
		{ "kprobe/vfs_write", BW_SRC_FILE_CONTENT },
		{ "kprobe/ksys_write", BW_SRC_SYSCALL_BUFFER },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		begin();
		mini_prog(&m, "p", t[i].section, INSNS(READ_TLS, SEND_STACK));
		analyse();
		need(t[i].source, BW_CH_RINGBUF);
		for (int s = 0; s < BW_SRC_COUNT_; s++)
			if (s != (int)t[i].source)
				none((enum bw_source)s, BW_CH_RINGBUF);
		done();
	}
}

static void syscalls_decide_by_argument(void **state)
{
	/* sys_enter_execve: the file's name at 16, argv at 24; argv's first pointer is read, then the string. */
	begin();
	mini_prog(&m, "p", "tp/syscalls/sys_enter_execve",
		  INSNS(LD64(3, 1, 24), MOV(1, 10), ADDI(1, -24), MOVI(2, 8), CALL(PROBE_READ_USER), LD64(3, 10, -24), MOV(1, 10),
			ADDI(1, -16), MOVI(2, 16), CALL(PROBE_READ_USER), SEND_STACK));
	analyse();
	need(BW_SRC_EXEC_ARGS, BW_CH_RINGBUF);
	none(BW_SRC_FILE_NAME, BW_CH_RINGBUF);
	done();
	begin();
	mini_prog(&m, "p", "tp/syscalls/sys_enter_execve",
		  INSNS(LD64(3, 1, 16), MOV(1, 10), ADDI(1, -16), MOVI(2, 16), CALL(PROBE_READ_USER), SEND_STACK));
	analyse();
	need(BW_SRC_FILE_NAME, BW_CH_RINGBUF);
	none(BW_SRC_EXEC_ARGS, BW_CH_RINGBUF);
	done();
}

static void lengths_are_bounded_by_branches(void **state)
{
	const struct bw_flow *f;

	/* r7 = the third argument; at most 64 after the comparison. */
	begin();
	mini_prog(&m, "p", "uprobe/libssl.so:SSL_write",
		  INSNS(LD64(7, 1, 96), LD64(3, 1, 104), JGTI(7, 64, 11), MOV(2, 7), MOV(1, 10), ADDI(1, -64), CALL(PROBE_READ_USER),
			MAP(1, 0), MOV(2, 10), ADDI(2, -64), MOV(3, 7), MOVI(4, 0), CALL(RB_OUTPUT), MOVI(0, 0), EXIT));
	analyse();
	f = need(BW_SRC_TLS_PLAINTEXT, BW_CH_RINGBUF);
	assert_int_equal(f->len.max, 64);
	done();
	begin();
	mini_prog(&m, "p", "uprobe/libssl.so:SSL_write",
		  INSNS(LD64(7, 1, 96), LD64(3, 1, 104), ANDI(7, 31), MOV(2, 7), MOV(1, 10), ADDI(1, -64), CALL(PROBE_READ_USER),
			MAP(1, 0), MOV(2, 10), ADDI(2, -64), MOV(3, 7), MOVI(4, 0), CALL(RB_OUTPUT), MOVI(0, 0), EXIT));
	analyse();
	assert_int_equal(need(BW_SRC_TLS_PLAINTEXT, BW_CH_RINGBUF)->len.max, 31);
	done();
}

static void records_leave_at_submit_only(void **state)
{
	for (int submit = 0; submit < 2; submit++) {
		begin();
		mini_prog(&m, "p", "uprobe/libssl.so:SSL_write",
			  INSNS(LD64(7, 1, 104), MAP(1, 0), MOVI(2, 32), MOVI(3, 0), CALL(RB_RESERVE), JEQI(0, 0, 9), MOV(6, 0),
				MOV(1, 6), MOVI(2, 32), MOV(3, 7), CALL(PROBE_READ_USER), MOV(1, 6), MOVI(2, 0),
				CALL(submit ? RB_SUBMIT : RB_DISCARD), MOVI(0, 0), EXIT));
		analyse();
		if (submit) {
			assert_int_equal(need(BW_SRC_TLS_PLAINTEXT, BW_CH_RINGBUF)->len.max, 32);
			assert_true(find(BW_SRC_TLS_PLAINTEXT, BW_CH_RINGBUF)->carriers & BW_CARRY_BIT(BW_CARRY_RINGBUF_MEM));
		} else {
			none(BW_SRC_TLS_PLAINTEXT, BW_CH_RINGBUF);
		}
		done();
	}
}

/* Program "in" stores the buffer in map 1, program "out" sends what is there. */
static void two_programs(uint32_t type, const char *in_section, bool same_map)
{
	begin();
	mini_map(&m, "shared", type, 4, 16);
	mini_map(&m, "other", type, 4, 16);
	mini_prog(&m, "in", in_section, INSNS(READ_TLS, STI32(10, -24, 0), MAP(1, 1), MOV(2, 10), ADDI(2, -24), MOV(3, 10),
					      ADDI(3, -16), MOVI(4, 0), CALL(UPDATE), MOVI(0, 0), EXIT));
	mini_prog(&m, "out", "kprobe/do_exit",
		  INSNS(STI32(10, -24, 0), MAP(1, same_map ? 1 : 2), MOV(2, 10), ADDI(2, -24), CALL(LOOKUP), JEQI(0, 0, 6), MOV(2, 0),
			MAP(1, 0), MOVI(3, 16), MOVI(4, 0), CALL(RB_OUTPUT), MOVI(0, 0), EXIT));
	analyse();
}

static void maps_carry_from_program_to_program(void **state)
{
	const struct bw_flow *f;

	two_programs(HASH, "uprobe/libssl.so:SSL_write", true);
	f = need(BW_SRC_TLS_PLAINTEXT, BW_CH_RINGBUF);
	assert_int_equal(f->prog, 1);
	assert_int_equal(f->source_prog, 0);
	assert_true(f->carriers & BW_CARRY_BIT(BW_CARRY_CROSS_PROG));
	assert_true(f->carriers & BW_CARRY_BIT(BW_CARRY_MAP_VALUE));
	assert_int_equal(f->n_path, 3);
	assert_int_equal(f->path[1].kind, BW_STEP_CARRY);
	assert_true(a->n_cross >= 1);
	assert_true(a->cross[0].sources & BW_SRC_BIT(BW_SRC_TLS_PLAINTEXT));
	assert_true(a->cross[0].reader_channels & BW_CH_BIT(BW_CH_RINGBUF));
	need(BW_SRC_TLS_PLAINTEXT, BW_CH_MAP);
	done();
	two_programs(HASH, "uprobe/libssl.so:SSL_write", false);
	none(BW_SRC_TLS_PLAINTEXT, BW_CH_RINGBUF);
	need(BW_SRC_MAP_VALUE, BW_CH_RINGBUF);
	done();
}

static void pinned_maps_are_their_own_channel(void **state)
{
	begin();
	mini_map(&m, "kept", HASH, 4, 16);
	m.maps[1].pinning = 1;
	mini_prog(&m, "p", "uprobe/libssl.so:SSL_write",
		  INSNS(READ_TLS, STI32(10, -24, 0), MAP(1, 1), MOV(2, 10), ADDI(2, -24), MOV(3, 10), ADDI(3, -16), MOVI(4, 0),
			CALL(UPDATE), MOVI(0, 0), EXIT));
	analyse();
	need(BW_SRC_TLS_PLAINTEXT, BW_CH_PINNED_MAP);
	none(BW_SRC_TLS_PLAINTEXT, BW_CH_MAP);
	done();
}

static void fields_of_values_are_told_apart(void **state)
{
	/* 8 bytes of plaintext at 0, a number at 8; only the second half goes out. */
	for (int off = 0; off <= 8; off += 8) {
		begin();
		mini_map(&m, "scratch", ARRAY, 4, 16);
		mini_prog(&m, "p", "uprobe/libssl.so:SSL_write",
			  INSNS(LD64(7, 1, 104), STI32(10, -4, 0), MAP(1, 1), MOV(2, 10), ADDI(2, -4), CALL(LOOKUP), JEQI(0, 0, 13), MOV(6, 0),
				STI64(6, 8, 7), MOV(1, 6), MOVI(2, 8), MOV(3, 7), CALL(PROBE_READ_USER), MOV(2, 6), ADDI(2, off),
				MAP(1, 0), MOVI(3, 8), MOVI(4, 0), CALL(RB_OUTPUT), MOVI(0, 0), EXIT));
		analyse();
		if (off)
			none(BW_SRC_TLS_PLAINTEXT, BW_CH_RINGBUF);
		else
			need(BW_SRC_TLS_PLAINTEXT, BW_CH_RINGBUF);
		done();
	}
}

static void functions_write_through_pointers(void **state)
{
	int f;

	begin();
	/* f(dst, src): probe_read_user(dst, 16, src) */
	f = mini_func(&m, "fill", INSNS(MOV(3, 2), MOVI(2, 16), CALL(PROBE_READ_USER), MOVI(0, 0), EXIT));
	mini_prog(&m, "p", "uprobe/libssl.so:SSL_write",
		  INSNS(LD64(2, 1, 104), STI64(10, -16, 0), STI64(10, -8, 0), MOV(1, 10), ADDI(1, -16), CALLF(f), SEND_STACK));
	analyse();
	assert_true(need(BW_SRC_TLS_PLAINTEXT, BW_CH_RINGBUF)->carriers & BW_CARRY_BIT(BW_CARRY_SUBPROG));
	done();
	/* The same into a place that is not sent. */
	begin();
	f = mini_func(&m, "fill", INSNS(MOV(3, 2), MOVI(2, 16), CALL(PROBE_READ_USER), MOVI(0, 0), EXIT));
	mini_prog(&m, "p", "uprobe/libssl.so:SSL_write",
		  INSNS(LD64(2, 1, 104), STI64(10, -16, 0), STI64(10, -8, 0), MOV(1, 10), ADDI(1, -32), CALLF(f), SEND_STACK));
	analyse();
	none(BW_SRC_TLS_PLAINTEXT, BW_CH_RINGBUF);
	done();
}

static void callbacks_see_their_context(void **state)
{
	int f;

	begin();
	/* cb(index, ctx): ring_output(ring, ctx, 16, 0) */
	f = mini_func(&m, "cb", INSNS(MAP(1, 0), MOVI(3, 16), MOVI(4, 0), CALL(RB_OUTPUT), MOVI(0, 0), EXIT));
	mini_prog(&m, "p", "uprobe/libssl.so:SSL_write",
		  INSNS(READ_TLS, MOVI(1, 4), FUNC(2, f), MOV(3, 10), ADDI(3, -16), MOVI(4, 0), CALL(181), MOVI(0, 0), EXIT));
	analyse();
	assert_true(need(BW_SRC_TLS_PLAINTEXT, BW_CH_RINGBUF)->carriers & BW_CARRY_BIT(BW_CARRY_CALLBACK));
	assert_true(a->progs[0].uses_bpf_loop);
	done();
}

static void stored_arguments_are_told_from_direct_ones(void **state)
{
	const struct bw_user_write *w;

	/* Entry: the buffer's address goes into a map; exit: something is written there. */
	begin();
	mini_map(&m, "addrs", HASH, 8, 8);
	mini_prog(&m, "enter", "tp/syscalls/sys_enter_read",
		  INSNS(LD64(6, 1, 24), CALL(PID_TGID), ST64(10, -8, 0), ST64(10, -16, 6), MAP(1, 1), MOV(2, 10), ADDI(2, -8), MOV(3, 10),
			ADDI(3, -16), MOVI(4, 0), CALL(UPDATE), MOVI(0, 0), EXIT));
	mini_prog(&m, "exit", "tp/syscalls/sys_exit_read",
		  INSNS(CALL(PID_TGID), ST64(10, -8, 0), MAP(1, 1), MOV(2, 10), ADDI(2, -8), CALL(LOOKUP), JEQI(0, 0, 6), LD64(1, 0, 0),
			STI64(10, -16, 0x41424344), MOV(2, 10), ADDI(2, -16), MOVI(3, 4), CALL(PROBE_WRITE_USER), MOVI(0, 0), EXIT));
	analyse();
	assert_int_equal(a->progs[1].n_user_writes, 1);
	w = &a->progs[1].user_writes[0];
	assert_int_equal(w->dst, BW_FROM_BIT(BW_FROM_STORED_ARG));
	assert_int_equal(w->dst_map, 1);
	assert_int_equal(w->dst_prog, 0);
	assert_string_equal(w->dst_detail, "sys_read buf");
	assert_int_equal(w->len.max, 4);
	assert_int_equal(w->sources, BW_SRC_BIT(BW_SRC_CONSTANT));
	assert_memory_equal(w->literal.bytes, "DCBA", 4);
	need(BW_SRC_CONSTANT, BW_CH_USER_WRITE);
	done();
	begin();
	mini_prog(&m, "enter", "tp/syscalls/sys_enter_read",
		  INSNS(LD64(1, 1, 24), STI64(10, -16, 0), MOV(2, 10), ADDI(2, -16), MOVI(3, 4), CALL(PROBE_WRITE_USER), MOVI(0, 0), EXIT));
	analyse();
	assert_int_equal(a->progs[0].user_writes[0].dst, BW_FROM_BIT(BW_FROM_CTX_ARG));
	done();
}

static void byte_comparisons_spell_a_word(void **state)
{
	const struct bw_compare *c = NULL;

	/* comm == "sshd" byte by byte; then a write into user memory. */
	begin();
	mini_prog(&m, "p", "tp/syscalls/sys_enter_read",
		  INSNS(LD64(6, 1, 24), MOV(1, 10), ADDI(1, -16), MOVI(2, 16), CALL(16), LD8(1, 10, -16), JNEI(1, 's', 12), LD8(1, 10, -15),
			JNEI(1, 's', 10), LD8(1, 10, -14), JNEI(1, 'h', 8), LD8(1, 10, -13), JNEI(1, 'd', 6), MOV(1, 6), MOV(2, 10),
			ADDI(2, -16), MOVI(3, 4), CALL(PROBE_WRITE_USER), JA(0), MOVI(0, 0), EXIT));
	analyse();
	for (uint32_t i = 0; i < a->progs[0].n_compares; i++)
		if (*a->progs[0].compares[i].literal.text)
			c = &a->progs[0].compares[i];
	assert_non_null(c);
	assert_string_equal(c->literal.text, "sshd");
	assert_int_equal(c->sources, BW_SRC_BIT(BW_SRC_PROCESS_METADATA));
	assert_true(c->match_effects & BW_EFFECT_USER_WRITE);
	assert_false(c->mismatch_effects & BW_EFFECT_USER_WRITE);
	done();
}

static void packet_offsets_decide_the_layer(void **state)
{
	static const struct {
		int off;
		enum bw_source source, not_source;
	} t[] = {
		{ 30, BW_SRC_PACKET_HEADER, BW_SRC_PACKET_PAYLOAD },
		{ 60, BW_SRC_PACKET_PAYLOAD, BW_SRC_PACKET_HEADER },
	};

	for (size_t i = 0; i < 2; i++) {
		begin();
		mini_prog(&m, "p", "xdp",
			  INSNS(LD32(2, 1, 0), LD32(3, 1, 4), MOV(4, 2), ADDI(4, 100), JGT(4, 3, 9), LD32(5, 2, t[i].off), ST32(10, -16, 5),
				MAP(1, 0), MOV(2, 10), ADDI(2, -16), MOVI(3, 4), MOVI(4, 0), CALL(RB_OUTPUT), MOVI(0, 2), EXIT));
		analyse();
		need(t[i].source, BW_CH_RINGBUF);
		none(t[i].not_source, BW_CH_RINGBUF);
		done();
	}
}

static void initial_values_of_rodata_decide_nothing(void **state)
{
	static const uint8_t zero[8];
	int ro;

	begin();
	ro = mini_data(&m, ".rodata", BW_MAP_RODATA, zero, 8);
	mini_prog(&m, "p", "uprobe/libssl.so:SSL_write",
		  INSNS(LD64(7, 1, 104), DATA(1, ro, 0), LD8(2, 1, 0), JEQI(2, 0, 11), MOV(1, 10), ADDI(1, -16), MOVI(2, 16), MOV(3, 7),
			CALL(PROBE_READ_USER), MAP(1, 0), MOV(2, 10), ADDI(2, -16), MOVI(3, 16), MOVI(4, 0), CALL(RB_OUTPUT), MOVI(0, 0),
			EXIT));
	analyse();
	need(BW_SRC_TLS_PLAINTEXT, BW_CH_RINGBUF);
	done();
	/* A constant does decide. */
	begin();
	mini_prog(&m, "p", "uprobe/libssl.so:SSL_write",
		  INSNS(LD64(7, 1, 104), MOVI(2, 0), JEQI(2, 0, 11), MOV(1, 10), ADDI(1, -16), MOVI(2, 16), MOV(3, 7),
			CALL(PROBE_READ_USER), MAP(1, 0), MOV(2, 10), ADDI(2, -16), MOVI(3, 16), MOVI(4, 0), CALL(RB_OUTPUT), MOVI(0, 0),
			EXIT));
	analyse();
	none(BW_SRC_TLS_PLAINTEXT, BW_CH_RINGBUF);
	done();
}

static void running_out_is_said(void **state)
{
	const struct bw_analysis_limits few = { .max_steps = 4 };

	begin();
	mini_prog(&m, "p", "uprobe/libssl.so:SSL_write", INSNS(READ_TLS, JA(0), MOVI(1, 0), JA(0), SEND_STACK));
	assert_int_equal(bw_analyse(&m.o, &few, &a), 0);
	assert_false(a->complete);
	assert_int_equal(a->progs[0].n_unanalysed, 1);
	assert_string_equal(a->progs[0].unanalysed[0].reason, "step budget exhausted");
	done();
	/* Hostile code: jumps out, into ld_imm64, off the end; unknown opcodes. */
	begin();
	mini_prog(&m, "p", "xdp", INSNS(JEQI(1, 0, 1), IMM64(2, 0, 1, 0), JEQI(1, 5, 100), { .code = 0xff }, MOVI(0, 0)));
	analyse();
	assert_false(a->complete);
	assert_true(a->progs[0].n_unanalysed >= 2);
	done();
}

static void loops_end(void **state)
{
	begin();
	mini_prog(&m, "p", "xdp", INSNS(MOVI(6, 0), ADDI(6, 1), STI64(10, -8, 0), JGTI(6, 1000000, 1), JA(-4), MOV(0, 6), EXIT));
	analyse();
	assert_true(a->complete);
	assert_true(a->progs[0].return_max >= 1000001);
	done();
	begin();
	mini_prog(&m, "p", "xdp", INSNS(JA(-1)));
	analyse();
	assert_true(a->complete);
	done();
}

static void every_helper_has_a_row(void **state)
{
	for (uint32_t i = 1; i < bw_helper_count(); i++) {
		const struct bw_callee *c = bw_helper_get(i);

		if (!bw_helper_name(i))
			continue;
		assert_non_null(c);
		assert_string_equal(c->name, bw_helper_name(i));
		assert_true(strlen(c->args) <= 5);
		assert_int_equal(strspn(c->args, ".cmkvVrnwbsuxLISdDfpt"), strlen(c->args));
		assert_non_null(strchr("ilhTVKvS", c->ret));
	}
	assert_null(bw_helper_get(0));
	assert_null(bw_helper_get(100000));
}

static void kfuncs_are_sorted(void **state)
{
	uint32_t n;
	const struct bw_callee *t = bw_kfunc_table(&n);

	assert_true(n > 150);
	for (uint32_t i = 0; i < n; i++) {
		assert_ptr_equal(bw_kfunc_get(t[i].name), &t[i]);
		assert_true(!i || strcmp(t[i - 1].name, t[i].name) < 0);
		assert_int_equal(strspn(t[i].args, ".cmkvVrnwbsuxLISdDfpt"), strlen(t[i].args));
	}
	assert_non_null(bw_kfunc_get("bpf_task_acquire___new"));
	assert_null(bw_kfunc_get("no_such_kfunc"));
}

static void names_go_both_ways(void **state)
{
	for (int i = 0; i < BW_SRC_COUNT_; i++)
		assert_int_equal(bw_source_id(bw_source_name((enum bw_source)i)), i);
	for (int i = 0; i < BW_CH_COUNT_; i++)
		assert_int_equal(bw_channel_id(bw_channel_name((enum bw_channel)i)), i);
	for (int i = 0; i < BW_CARRY_COUNT_; i++)
		assert_int_equal(bw_carrier_id(bw_carrier_name((enum bw_carrier)i)), i);
	for (int i = 0; i < BW_FROM_COUNT_; i++)
		assert_int_equal(bw_origin_id(bw_origin_name((enum bw_origin)i)), i);
	assert_int_equal(bw_source_id("plaintext"), -1);
	assert_string_equal(bw_source_name(BW_SRC_COUNT_), "?");
}

static void globs(void **state)
{
	assert_true(bw_glob("SSL_read*", "SSL_read_ex", 11));
	assert_false(bw_glob("SSL_read", "SSL_read_ex", 11));
	assert_true(bw_glob("*sendmsg*", "tcp_sendmsg_locked", 18));
	assert_true(bw_glob("*", "", 0));
	assert_false(bw_glob("a*b", "acbd", 4));
}

static void manifests_are_stable_and_comparable(void **state)
{
	struct bw_manifest_part part = { .name = "" };
	struct bw_buf one = { 0 }, two = { 0 }, small = { 0 }, diff = { 0 };
	const char *why = "";

	begin();
	mini_prog(&m, "p", "uprobe/libssl.so:SSL_write", INSNS(READ_TLS, SEND_STACK));
	analyse();
	part.object = &m.o;
	part.analysis = a;
	assert_int_equal(bw_manifest_write(&part, 1, &one), 0);
	assert_int_equal(bw_manifest_write(&part, 1, &two), 0);
	assert_string_equal(one.data, two.data);
	assert_non_null(strstr(one.data, "\"source\":\"tls-plaintext\""));
	assert_non_null(strstr(one.data, "\"status\": \"ok\""));
	done();
	begin();
	mini_prog(&m, "p", "uprobe/libssl.so:SSL_write", INSNS(MOVI(0, 0), EXIT));
	analyse();
	part.analysis = a;
	assert_int_equal(bw_manifest_write(&part, 1, &small), 0);
	assert_int_equal(bw_manifest_diff(one.data, two.data, &diff, &why), 0);
	assert_int_equal(diff.len, 0);
	assert_int_equal(bw_manifest_diff(one.data, small.data, &diff, &why), 0);
	assert_true(diff.len > 0 && diff.data[0] == '-');
	bw_buf_reset(&diff);
	assert_true(bw_manifest_diff(small.data, one.data, &diff, &why) >= 3);
	assert_non_null(strstr(diff.data, "+ p: flow tls-plaintext (SSL_write buf) -> ringbuf (ring), up to 16 bytes"));
	assert_int_equal(bw_manifest_diff("[]", one.data, &diff, &why), -EINVAL);
	assert_true(*why);
	done();
	bw_buf_free(&one);
	bw_buf_free(&two);
	bw_buf_free(&small);
	bw_buf_free(&diff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_buffer_goes_over_the_stack),
		cmocka_unit_test(overwriting_the_buffer_ends_the_flow),
		cmocka_unit_test(xor_with_itself_ends_the_flow),
		cmocka_unit_test(symbols_decide_the_class),
		cmocka_unit_test(syscalls_decide_by_argument),
		cmocka_unit_test(lengths_are_bounded_by_branches),
		cmocka_unit_test(records_leave_at_submit_only),
		cmocka_unit_test(maps_carry_from_program_to_program),
		cmocka_unit_test(pinned_maps_are_their_own_channel),
		cmocka_unit_test(fields_of_values_are_told_apart),
		cmocka_unit_test(functions_write_through_pointers),
		cmocka_unit_test(callbacks_see_their_context),
		cmocka_unit_test(stored_arguments_are_told_from_direct_ones),
		cmocka_unit_test(byte_comparisons_spell_a_word),
		cmocka_unit_test(packet_offsets_decide_the_layer),
		cmocka_unit_test(initial_values_of_rodata_decide_nothing),
		cmocka_unit_test(running_out_is_said),
		cmocka_unit_test(loops_end),
		cmocka_unit_test(every_helper_has_a_row),
		cmocka_unit_test(kfuncs_are_sorted),
		cmocka_unit_test(names_go_both_ways),
		cmocka_unit_test(globs),
		cmocka_unit_test(manifests_are_stable_and_comparable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
