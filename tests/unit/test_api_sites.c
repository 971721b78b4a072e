// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include <errno.h>

#include "guard/api/go_code.h"
#include "guard/api/sites.h"
#include "tests/unit/mini_code.h"

static struct mini_code m;
static struct api_sites sites;

#define CODE(...) (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })
/* sub $0x18,%rsp; test %edx,%edx; js +5; mov %rsp,%rcx; movslq %edx,%rdx; call (at 14); ret */
#define PLAIN CODE(0x48, 0x83, 0xec, 0x18, 0x85, 0xd2, 0x78, 0x05, 0x48, 0x89, 0xe1, 0x48, 0x63, 0xd2, 0xe8, 0, 0, 0, 0, 0xc3)
#define PLAIN_CALL 14
/* sub $0x8,%rsp; call (at 4); ret */
#define EX CODE(0x48, 0x83, 0xec, 0x08, 0xe8, 0, 0, 0, 0, 0xc3)
#define EX_CALL 4
#define PUSH_RET CODE(0x41, 0x54, 0x41, 0x5c, 0xc3)
#define SUB_RET CODE(0x48, 0x83, 0xec, 0x08, 0xc3)

static void find(void)
{
	assert_int_equal(api_sites_find(mini_end(&m), true, &sites), 0);
}

static void is_site(unsigned int i, enum api_probe probe, uint64_t addr, bool ret, bool emulated)
{
	assert_true(i < sites.n);
	assert_int_equal(sites.site[i].probe, probe);
	assert_int_equal(sites.site[i].offset, addr - MINI_ADDR);
	assert_int_equal(sites.site[i].ret, ret);
	assert_int_equal(sites.site[i].emulated, emulated);
}

/* OpenSSL as Debian builds it: both entries begin with sub and call the same function, which begins with push. */
static void the_common_internal_function_is_probed(void **state)
{
	uint64_t read, write, a, b;

	mini_begin(&m);
	read = mini_function(&m, NULL, PUSH_RET);
	write = mini_function(&m, NULL, PUSH_RET);
	a = mini_function(&m, "SSL_read", PLAIN);
	b = mini_function(&m, "SSL_read_ex", EX);
	mini_call(&m, a + PLAIN_CALL, read);
	mini_call(&m, b + EX_CALL, read);
	a = mini_function(&m, "SSL_write", PLAIN);
	b = mini_function(&m, "SSL_write_ex", EX);
	mini_call(&m, a + PLAIN_CALL, write);
	mini_call(&m, b + EX_CALL, write);
	find();
	assert_int_equal(sites.stack, API_STACK_OPENSSL);
	assert_int_equal(sites.n, 2);
	is_site(0, API_PROBE_SSL_READ_EX, read, true, true);
	is_site(1, API_PROBE_SSL_WRITE_EX, write, true, true);
}

/* Entries that lead to different functions, or to one that begins with an instruction that is not emulated, are probed themselves. */
static void otherwise_the_entries_are_probed(void **state)
{
	uint64_t one, two, slow, read, read_ex, write, write_ex, gone;

	mini_begin(&m);
	one = mini_function(&m, NULL, PUSH_RET);
	two = mini_function(&m, NULL, PUSH_RET);
	slow = mini_function(&m, NULL, SUB_RET);
	read = mini_function(&m, "SSL_read", PLAIN);
	read_ex = mini_function(&m, "SSL_read_ex", EX);
	mini_call(&m, read + PLAIN_CALL, one);
	mini_call(&m, read_ex + EX_CALL, two);
	write = mini_function(&m, "SSL_write", PLAIN);
	write_ex = mini_function(&m, "SSL_write_ex", EX);
	mini_call(&m, write + PLAIN_CALL, slow);
	mini_call(&m, write_ex + EX_CALL, slow);
	/* push %rbp after endbr64 */
	gone = mini_function(&m, "SSL_free", CODE(0xf3, 0x0f, 0x1e, 0xfa, 0x55, 0x5d, 0xc3));
	find();
	assert_int_equal(sites.n, 5);
	is_site(0, API_PROBE_SSL_READ, read, true, false);
	is_site(1, API_PROBE_SSL_READ_EX, read_ex, true, false);
	is_site(2, API_PROBE_SSL_WRITE, write, true, false);
	is_site(3, API_PROBE_SSL_WRITE_EX, write_ex, true, false);
	is_site(4, API_PROBE_SSL_FREE, gone + 4, false, true);
}

/* An argument is changed before the call: the callee gets something else. */
static void changed_arguments_are_noticed(void **state)
{
	static const uint8_t changed[] = { 0x48, 0x83, 0xec, 0x08, 0x48, 0x89, 0xd6 /* mov %rdx,%rsi */, 0xe8, 0, 0, 0, 0, 0xc3 };
	uint64_t internal, read, read_ex;

	mini_begin(&m);
	internal = mini_function(&m, NULL, PUSH_RET);
	read = mini_function(&m, "SSL_read", changed, sizeof(changed));
	read_ex = mini_function(&m, "SSL_read_ex", EX);
	mini_call(&m, read + 7, internal);
	mini_call(&m, read_ex + EX_CALL, internal);
	mini_function(&m, "SSL_write", PUSH_RET);
	find();
	is_site(0, API_PROBE_SSL_READ, read, true, false);
	is_site(1, API_PROBE_SSL_READ_EX, read_ex, true, false);
}

static void the_fifth_argument_of_write_ex2(void **state)
{
	uint64_t internal, f[3];

	mini_begin(&m);
	internal = mini_function(&m, NULL, PUSH_RET);
	mini_function(&m, "SSL_read", PUSH_RET);
	f[0] = mini_function(&m, "SSL_write", PLAIN);
	f[1] = mini_function(&m, "SSL_write_ex", EX);
	f[2] = mini_function(&m, "SSL_write_ex2", EX);
	mini_call(&m, f[0] + PLAIN_CALL, internal);
	mini_call(&m, f[1] + EX_CALL, internal);
	mini_call(&m, f[2] + EX_CALL, internal);
	find();
	is_site(1, API_PROBE_SSL_WRITE_EX2, internal, true, true);
}

static void other_libraries(void **state)
{
	uint64_t recv, send2;

	mini_begin(&m);
	recv = mini_function(&m, "gnutls_record_recv", SUB_RET);
	mini_function(&m, "gnutls_record_send", SUB_RET);
	send2 = mini_function(&m, "gnutls_record_send2", PUSH_RET);
	find();
	assert_int_equal(sites.stack, API_STACK_GNUTLS);
	assert_int_equal(sites.n, 2);
	is_site(0, API_PROBE_GTLS_RECV, recv, true, false);
	is_site(1, API_PROBE_GTLS_SEND, send2, true, true);

	mini_begin(&m);
	mini_function(&m, "SSL_read", PUSH_RET);
	mini_function(&m, "SSL_write", PUSH_RET);
	mini_function(&m, "SSL_CTX_set_grease_enabled", PUSH_RET);
	find();
	assert_int_equal(sites.stack, API_STACK_BORINGSSL);
	assert_int_equal(sites.site[0].probe, API_PROBE_BSSL_READ);

	mini_begin(&m);
	mini_function(&m, "main", CODE('/', 'r', 'u', 's', 't', 'l', 's', '-', '0'));
	find();
	assert_int_equal(sites.stack, API_STACK_RUSTLS);
	assert_int_equal(sites.n, 0);
	assert_int_equal(api_sites_find(bw_slice(m.file, m.len), false, &sites), 0);
	assert_int_equal(sites.stack, API_STACK_NONE);
}

static void put32(uint8_t *p, uint32_t v)
{
	memcpy(p, &v, 4);
}

static void put64(uint8_t *p, uint64_t v)
{
	memcpy(p, &v, 8);
}

/* cmp 0x10(%r14),%rsp; jbe; ...; ret; ...; ret: two returns. */
#define GO_BODY CODE(0x49, 0x3b, 0x66, 0x10, 0x76, 0x06, 0x85, 0xc0, 0x74, 0x01, 0xc3, 0x90, 0xc3)
#define GO_LEN 16

static struct bw_slice go_file(uint32_t magic, bool text_start)
{
	static const char names[] = "main.main\0crypto/tls.(*Conn).Read\0crypto/tls.(*Conn).Write\0crypto/tls.(*Conn).Close";
	static const uint32_t at[] = { 0, 10, 34, 59 };
	static uint8_t t[512];

	mini_begin(&m);
	for (int i = 0; i < 4; i++)
		mini_function(&m, NULL, GO_BODY);
	memset(t, 0, sizeof(t));
	put32(t, magic);
	t[6] = 1;
	t[7] = 8;
	put64(t + 8, 4);
	put64(t + 8 + 2 * 8, text_start ? MINI_ADDR + MINI_CODE : 0);
	put64(t + 8 + 3 * 8, 80);
	put64(t + 8 + 7 * 8, 200);
	memcpy(t + 80, names, sizeof(names));
	for (uint32_t i = 0; i < 4; i++) {
		put32(t + 200 + 8 * i, i * GO_LEN);
		put32(t + 200 + 8 * i + 4, 60 + 8 * i);
		put32(t + 260 + 8 * i, i * GO_LEN);
		put32(t + 260 + 8 * i + 4, at[i]);
	}
	put32(t + 232, 4 * GO_LEN);
	m.pclntab = bw_slice(t, 300);
	return mini_end(&m);
}

static void go_returns_are_probed(void **state)
{
	uint64_t base = MINI_ADDR + MINI_CODE;

	for (int variant = 0; variant < 2; variant++) {
		assert_int_equal(api_sites_find(go_file(variant ? 0xfffffff1 : 0xfffffff0, !variant), false, &sites), 0);
		assert_int_equal(sites.stack, API_STACK_GO);
		assert_int_equal(sites.n, 7);
		is_site(0, API_PROBE_GO_READ, base + GO_LEN + 4, false, true);
		is_site(1, API_PROBE_GO_RET, base + GO_LEN + 10, false, false);
		is_site(2, API_PROBE_GO_RET, base + GO_LEN + 12, false, false);
		is_site(3, API_PROBE_GO_WRITE, base + 2 * GO_LEN + 4, false, true);
		is_site(6, API_PROBE_GO_CLOSE, base + 3 * GO_LEN + 4, false, true);
	}
	assert_int_equal(api_sites_find(go_file(0xfffffffa, true), false, &sites), 0);
	assert_int_equal(sites.stack, API_STACK_GO_OLD);
	assert_int_equal(sites.n, 0);
}

static void damage_is_survived(void **state)
{
	struct bw_slice file = go_file(0xfffffff1, true);
	struct elf_code e;

	assert_int_equal(api_sites_find(bw_slice(file.data, 20), true, &sites), -EBADMSG);
	assert_int_equal(api_sites_find(bw_slice("#!/bin/sh\n", 10), true, &sites), -EBADMSG);
	for (size_t cut = 64; cut < file.len; cut += 7)
		api_sites_find(bw_slice(file.data, cut), true, &sites);
	for (size_t i = 0; i < file.len; i++) {
		m.file[i] ^= 0xff;
		api_sites_find(file, true, &sites);
		assert_true(sites.n <= API_MAX_SITES);
		m.file[i] ^= 0xff;
	}
	assert_int_equal(elf_code_open(file, &e), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_common_internal_function_is_probed), cmocka_unit_test(otherwise_the_entries_are_probed),
		cmocka_unit_test(changed_arguments_are_noticed),	  cmocka_unit_test(the_fifth_argument_of_write_ex2),
		cmocka_unit_test(other_libraries),			  cmocka_unit_test(go_returns_are_probed),
		cmocka_unit_test(damage_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
