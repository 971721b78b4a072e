// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <linux/filter.h>
#include <string.h>

#include "common/cleanup.h"
#include "guard/classic.h"

#define INSN(code, jt, jf, k) ((uint64_t)(uint16_t)(code) | (uint64_t)(jt) << 16 | (uint64_t)(jf) << 24 | (uint64_t)(uint32_t)(k) << 32)
#define LDH(k) INSN(BPF_LD | BPF_H | BPF_ABS, 0, 0, k)
#define LDB(k) INSN(BPF_LD | BPF_B | BPF_ABS, 0, 0, k)
#define LDXMSH(k) INSN(BPF_LDX | BPF_B | BPF_MSH, 0, 0, k)
#define LDHX(k) INSN(BPF_LD | BPF_H | BPF_IND, 0, 0, k)
#define LDWX(k) INSN(BPF_LD | BPF_W | BPF_IND, 0, 0, k)
#define LDBX(k) INSN(BPF_LD | BPF_B | BPF_IND, 0, 0, k)
#define JEQ(k, jt, jf) INSN(BPF_JMP | BPF_JEQ | BPF_K, jt, jf, k)
#define JSET(k, jt, jf) INSN(BPF_JMP | BPF_JSET | BPF_K, jt, jf, k)
#define RET(k) INSN(BPF_RET | BPF_K, 0, 0, k)
#define ALU(op, k) INSN(BPF_ALU | (op) | BPF_K, 0, 0, k)

static void text(const char *want, unsigned int index, uint64_t insn)
{
	char got[CLASSIC_TEXT_LEN];

	assert_string_equal(classic_text(index, insn, got), want);
}

/* What tcpdump -d prints, but for its tabs. */
static void instructions_are_text(void **state)
{
	text("(000) ldh      [12]", 0, LDH(12));
	text("(001) jeq      #0x800           jt 2 jf 9", 1, JEQ(0x800, 0, 7));
	text("(004) ldxb     4*([14]&0xf)", 4, LDXMSH(14));
	text("(005) ldh      [x + 16]", 5, LDHX(16));
	text("(006) jset     #0x1fff          jt 8 jf 7", 6, JSET(0x1fff, 1, 0));
	text("(007) ret      #262144", 7, RET(262144));
	text("(008) and      #0xf0", 8, ALU(BPF_AND, 0xf0));
	text("(009) tax", 9, INSN(BPF_MISC | BPF_TAX, 0, 0, 0));
	text("(010) ja       15", 10, INSN(BPF_JMP | BPF_JA, 0, 0, 4));
	text("(011) ld       #pktlen", 11, INSN(BPF_LD | BPF_W | BPF_LEN, 0, 0, 0));
	text("(012) ldh      ifidx", 12, LDH((uint32_t)(SKF_AD_OFF + SKF_AD_IFINDEX)));
	text("(013) add      x", 13, INSN(BPF_ALU | BPF_ADD | BPF_X, 0, 0, 0));
	text("(014) st       M[3]", 14, INSN(BPF_ST, 0, 0, 3));
	text("(015) ret      a", 15, INSN(BPF_RET | BPF_A, 0, 0, 0));
	/* Whatever the bytes are, there is a text of bounded length without control characters. */
	for (uint32_t code = 0; code < 65536; code++) {
		char got[CLASSIC_TEXT_LEN];

		classic_text(4095, INSN(code, 255, 255, 0xffffffff), got);
		assert_true(strlen(got) < sizeof(got) && got[0] == '(');
		for (const char *c = got; *c; c++)
			assert_true(*c >= ' ' && *c < 127);
	}
}

#define FINDINGS(...)                                                                                                            \
	({                                                                                                                       \
		const uint64_t _f[] = { __VA_ARGS__ };                                                                           \
		classic_findings(_f, ARRAY_SIZE(_f), ARRAY_SIZE(_f));                                                            \
	})

static void magic_packets_are_told(void **state)
{
	/* UDP or ICMP: a word of the payload. */
	assert_int_equal(FINDINGS(LDH(12), JEQ(0x800, 0, 7), LDB(23), JEQ(17, 0, 5), LDXMSH(14), LDHX(22), JEQ(0x7255, 0, 2), RET(65535),
				  RET(0), RET(0)),
			 CLASSIC_PAYLOAD | CLASSIC_MAGIC);
	/* TCP: the payload begins where the header says. */
	assert_int_equal(FINDINGS(LDB(23), JEQ(6, 0, 9), LDXMSH(14), LDBX(26), ALU(BPF_AND, 0xf0), ALU(BPF_RSH, 2),
				  INSN(BPF_ALU | BPF_ADD | BPF_X, 0, 0, 0), INSN(BPF_MISC | BPF_TAX, 0, 0, 0), LDHX(14), JEQ(0x5293, 0, 1), RET(65535),
				  RET(0)),
			 CLASSIC_PAYLOAD | CLASSIC_MAGIC);
	/* On a cooked socket the IP header comes first. */
	assert_int_equal(FINDINGS(LDB(9), JEQ(17, 0, 4), LDXMSH(0), LDWX(8), JEQ(0xdeadbeef, 0, 1), RET(65535), RET(0)),
			 CLASSIC_PAYLOAD | CLASSIC_MAGIC);
}

static void captures_are_not(void **state)
{
	/* udp port 53 */
	assert_int_equal(FINDINGS(LDH(12), JEQ(0x800, 0, 8), LDB(23), JEQ(17, 0, 6), LDXMSH(14), LDHX(14), JEQ(53, 2, 0), LDHX(16), JEQ(53, 0, 1),
				  RET(262144), RET(0)),
			 CLASSIC_PORTS);
	/* A DHCP client's: the port at its place, the rest at fixed ones. */
	assert_int_equal(FINDINGS(LDH(12), JEQ(0x800, 0, 6), LDB(23), JEQ(17, 0, 4), LDH(20), JSET(0x1fff, 2, 0), LDXMSH(14), LDHX(16),
				  JEQ(68, 0, 1), RET(0xffffffff), RET(0)),
			 CLASSIC_PORTS);
	/* tcp[tcpflags] & tcp-syn */
	assert_int_equal(FINDINGS(LDXMSH(14), LDBX(27), JSET(2, 0, 1), RET(262144), RET(0)), 0);
	/* icmp[icmptype] == icmp-echo */
	assert_int_equal(FINDINGS(LDB(23), JEQ(1, 0, 3), LDXMSH(14), LDBX(14), JEQ(8, 0, 1), RET(262144), RET(0)), 0);
	/* A payload, but of one port only: what somebody looks at on purpose. */
	assert_int_equal(FINDINGS(LDXMSH(14), LDHX(16), JEQ(8080, 0, 3), LDWX(34), JEQ(0x47455420, 0, 1), RET(262144), RET(0)),
			 CLASSIC_PORTS | CLASSIC_PAYLOAD);
}

static void ports_that_are_hidden_are_told(void **state)
{
	/* not port 4444, and the rest of the filter behind it */
	assert_int_equal(FINDINGS(LDXMSH(14), LDHX(16), JEQ(4444, 0, 1), RET(0), LDH(12), JEQ(0x800, 0, 1), RET(262144), RET(0)),
			 CLASSIC_PORTS | CLASSIC_DROP_PORT);
}

static void extremes(void **state)
{
	const uint64_t one[] = { RET(1) };

	assert_int_equal(FINDINGS(RET(262144)), CLASSIC_ACCEPT_ALL);
	assert_int_equal(FINDINGS(RET(0)), CLASSIC_REJECT_ALL);
	assert_int_equal(classic_findings(NULL, 0, 0), 0);
	assert_int_equal(classic_findings(one, 1, 4096), CLASSIC_ACCEPT_ALL | CLASSIC_CUT);
	assert_int_equal(FINDINGS(LDXMSH(0), LDHX(2), JEQ(1, 255, 255)), CLASSIC_PORTS); /* jumps out of it */
	assert_string_equal(classic_finding_name(2), "magic_packet");
	assert_null(classic_finding_name(CLASSIC_FINDINGS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(instructions_are_text), cmocka_unit_test(magic_packets_are_told), cmocka_unit_test(captures_are_not),
		cmocka_unit_test(ports_that_are_hidden_are_told), cmocka_unit_test(extremes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
