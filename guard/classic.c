// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/classic.h"

#include <inttypes.h>
#include <linux/filter.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"

/* Ancillary data of the kernel: linux/filter.h, SKF_AD_*. */
static const char *const ancillary[] = {
	"proto", "type", "ifidx", "nla", "nlan", "mark", "queue", "hatype", "rxhash", "cpu", "alu_xor_x", "vlan_tci", "vlan_pr", "pay_offset",
	"random", "vlan_tpid",
};

static void load_operand(uint16_t code, uint32_t k, char *dst, size_t len)
{
	int32_t at = (int32_t)k;

	switch (BPF_MODE(code)) {
	case BPF_IMM:
		snprintf(dst, len, "#0x%" PRIx32, k);
		break;
	case BPF_ABS:
		if (at >= SKF_AD_OFF && at - SKF_AD_OFF < (int32_t)(4 * ARRAY_SIZE(ancillary)) && !((at - SKF_AD_OFF) % 4))
			snprintf(dst, len, "%s", ancillary[(at - SKF_AD_OFF) / 4]);
		else
			snprintf(dst, len, "[%" PRId32 "]", at);
		break;
	case BPF_IND:
		snprintf(dst, len, "[x + %" PRId32 "]", at);
		break;
	case BPF_MEM:
		snprintf(dst, len, "M[%" PRIu32 "]", k);
		break;
	case BPF_LEN:
		snprintf(dst, len, "#pktlen");
		break;
	case BPF_MSH:
		snprintf(dst, len, "4*([%" PRIu32 "]&0xf)", k);
		break;
	default:
		snprintf(dst, len, "?0x%" PRIx32, k);
	}
}

static const char *size_suffix(uint16_t code)
{
	return BPF_SIZE(code) == BPF_W ? "" : BPF_SIZE(code) == BPF_H ? "h" : BPF_SIZE(code) == BPF_B ? "b" : "?";
}

char *classic_text(unsigned int index, uint64_t insn, char dst[CLASSIC_TEXT_LEN])
{
	static const char *const alu[] = { "add", "sub", "mul", "div", "or", "and", "lsh", "rsh", "neg", "mod", "xor" };
	static const char *const jump[] = { "ja", "jeq", "jgt", "jge", "jset" };
	uint16_t code = CLASSIC_CODE(insn);
	uint32_t k = CLASSIC_K(insn);
	char operand[32] = "", name[12] = "";
	unsigned int op = BPF_OP(code) >> 4;

	switch (BPF_CLASS(code)) {
	case BPF_LD:
		snprintf(name, sizeof(name), "ld%s", size_suffix(code));
		load_operand(code, k, operand, sizeof(operand));
		break;
	case BPF_LDX:
		snprintf(name, sizeof(name), "ldx%s", size_suffix(code));
		load_operand(code, k, operand, sizeof(operand));
		break;
	case BPF_ST:
	case BPF_STX:
		snprintf(name, sizeof(name), BPF_CLASS(code) == BPF_ST ? "st" : "stx");
		snprintf(operand, sizeof(operand), "M[%" PRIu32 "]", k);
		break;
	case BPF_ALU:
		snprintf(name, sizeof(name), "%s", op < ARRAY_SIZE(alu) ? alu[op] : "alu?");
		if (op < ARRAY_SIZE(alu) && BPF_OP(code) != BPF_NEG) {
			if (BPF_SRC(code) == BPF_X)
				snprintf(operand, sizeof(operand), "x");
			else
				snprintf(operand, sizeof(operand), "#0x%" PRIx32, k);
		}
		break;
	case BPF_JMP:
		snprintf(name, sizeof(name), "%s", op < ARRAY_SIZE(jump) ? jump[op] : "jmp?");
		if (BPF_OP(code) == BPF_JA) {
			snprintf(operand, sizeof(operand), "%" PRIu64, (uint64_t)index + 1 + k);
			break;
		}
		if (BPF_SRC(code) == BPF_X)
			snprintf(operand, sizeof(operand), "x");
		else
			snprintf(operand, sizeof(operand), "#0x%" PRIx32, k);
		snprintf(dst, CLASSIC_TEXT_LEN, "(%03u) %-8s %-16s jt %u jf %u", index, name, operand,
			 index + 1 + CLASSIC_JT(insn), index + 1 + CLASSIC_JF(insn));
		return dst;
	case BPF_RET:
		snprintf(name, sizeof(name), "ret");
		if (BPF_RVAL(code) == BPF_A)
			snprintf(operand, sizeof(operand), "a");
		else if (BPF_RVAL(code) == BPF_X)
			snprintf(operand, sizeof(operand), "x");
		else
			snprintf(operand, sizeof(operand), "#%" PRIu32, k);
		break;
	default:
		snprintf(name, sizeof(name), BPF_MISCOP(code) == BPF_TXA ? "txa" : "tax");
	}
	snprintf(dst, CLASSIC_TEXT_LEN, operand[0] ? "(%03u) %-8s %s" : "(%03u) %s", index, name, operand);
	return dst;
}

/* Where a value comes from, as far as that is needed here. */
enum origin {
	ORIGIN_OTHER,
	ORIGIN_IP_HEADER,  /* X: length of the IP header */
	ORIGIN_COMPUTED,   /* X: that, with a length read from the packet added: begin of the payload */
	ORIGIN_PORT,	   /* A: a port */
	ORIGIN_PAYLOAD,	   /* A: bytes behind the transport header */
	ORIGIN_PACKET,	   /* A: other bytes of the packet */
};

struct walk {
	enum origin a, x;
	uint32_t ip_start; /* where the IP header begins, from "4*([k]&0xf)" */
	uint16_t size;	   /* of A's load */
};

static enum origin load_origin(const struct walk *w, uint16_t code, uint32_t k)
{
	uint32_t at = k - w->ip_start;

	if (BPF_MODE(code) == BPF_ABS) /* behind an IPv6 header, or an IPv4 one without options */
		return k == 54 || k == 56 ? ORIGIN_PORT : ORIGIN_PACKET;
	if (BPF_MODE(code) != BPF_IND)
		return ORIGIN_OTHER;
	if (w->x == ORIGIN_COMPUTED)
		return ORIGIN_PAYLOAD;
	if (w->x != ORIGIN_IP_HEADER || k < w->ip_start)
		return ORIGIN_PACKET;
	/* From the end of the IP header: 0 and 2 are the ports, 12 and 13 TCP's header length and flags, 8 is UDP's payload. */
	if (at == 0 || at == 2)
		return BPF_SIZE(code) == BPF_B ? ORIGIN_PACKET : ORIGIN_PORT; /* a byte there is ICMP's type */
	return at >= 8 && at != 12 && at != 13 ? ORIGIN_PAYLOAD : ORIGIN_PACKET;
}

/* Where a jump of instruction @i goes; @n when it leaves what is there. */
static size_t jump_target(size_t i, uint8_t distance, size_t n)
{
	return i + 1 + distance < n ? i + 1 + distance : n;
}

static bool returns_constant(const uint64_t *insns, size_t n, size_t at, bool zero)
{
	return at < n && BPF_CLASS(CLASSIC_CODE(insns[at])) == BPF_RET && BPF_RVAL(CLASSIC_CODE(insns[at])) == BPF_K &&
	       (CLASSIC_K(insns[at]) == 0) == zero;
}

/*
 * Follows the instructions in their order: what a register holds on another path does not count. Good enough for filters as
 * compilers and authors write them; it decides about a remark, not about a verdict.
 */
unsigned int classic_findings(const uint64_t *insns, size_t n, size_t total)
{
	unsigned int found = total > n ? CLASSIC_CUT : 0;
	struct walk w = { 0 };

	if (n && BPF_CLASS(CLASSIC_CODE(insns[0])) == BPF_RET && BPF_RVAL(CLASSIC_CODE(insns[0])) == BPF_K)
		found |= CLASSIC_K(insns[0]) ? CLASSIC_ACCEPT_ALL : CLASSIC_REJECT_ALL;
	for (size_t i = 0; i < n; i++) {
		uint16_t code = CLASSIC_CODE(insns[i]);
		uint32_t k = CLASSIC_K(insns[i]);

		switch (BPF_CLASS(code)) {
		case BPF_LD:
			w.a = load_origin(&w, code, k);
			w.size = BPF_SIZE(code);
			break;
		case BPF_LDX:
			w.x = BPF_MODE(code) == BPF_MSH ? ORIGIN_IP_HEADER : ORIGIN_OTHER;
			if (BPF_MODE(code) == BPF_MSH)
				w.ip_start = k;
			break;
		case BPF_ALU:
			/* "add x": a length from the packet on top of the IP header's. */
			if (BPF_OP(code) == BPF_ADD && BPF_SRC(code) == BPF_X && w.x == ORIGIN_IP_HEADER && w.a == ORIGIN_PACKET)
				w.a = ORIGIN_COMPUTED;
			break;
		case BPF_MISC:
			if (BPF_MISCOP(code) == BPF_TAX)
				w.x = w.a == ORIGIN_COMPUTED ? ORIGIN_COMPUTED : ORIGIN_OTHER;
			else
				w.a = w.x;
			break;
		case BPF_JMP:
			if (BPF_OP(code) != BPF_JEQ || BPF_SRC(code) != BPF_K)
				break;
			if (w.a == ORIGIN_PORT) {
				found |= CLASSIC_PORTS;
				if (returns_constant(insns, n, jump_target(i, CLASSIC_JT(insns[i]), n), true) &&
				    !returns_constant(insns, n, jump_target(i, CLASSIC_JF(insns[i]), n), true))
					found |= CLASSIC_DROP_PORT;
			}
			if (w.a == ORIGIN_PAYLOAD && k)
				found |= CLASSIC_PAYLOAD;
			break;
		}
	}
	if (found & CLASSIC_PAYLOAD && !(found & CLASSIC_PORTS))
		found |= CLASSIC_MAGIC;
	return found;
}

const char *classic_finding_name(unsigned int bit)
{
	static const char *const names[CLASSIC_FINDINGS] = {
		"ports", "payload", "magic_packet", "drops_port", "accepts_all", "rejects_all", "cut",
	};

	return bit < ARRAY_SIZE(names) ? names[bit] : NULL;
}
