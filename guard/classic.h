/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_CLASSIC_H
#define BW_GUARD_CLASSIC_H
/*
 * Classic BPF (the filters of SO_ATTACH_FILTER; linux/filter.h, Documentation/networking/filter.rst): to text, and what can be
 * said about what a filter looks for. Pure. The instructions are whatever a process gave; every one is printable.
 */
#include <stddef.h>
#include <stdint.h>

/* struct sock_filter as one word, little endian: code (16), jt (8), jf (8), k (32). */
#define CLASSIC_CODE(w) ((uint16_t)(w))
#define CLASSIC_JT(w) ((uint8_t)((w) >> 16))
#define CLASSIC_JF(w) ((uint8_t)((w) >> 24))
#define CLASSIC_K(w) ((uint32_t)((w) >> 32))

/* "(012) jeq      #0x800           jt 2	jf 13" in the way of tcpdump -d, without a tab. Returns @dst. */
#define CLASSIC_TEXT_LEN 80
char *classic_text(unsigned int index, uint64_t insn, char dst[CLASSIC_TEXT_LEN]);

enum classic_finding {
	CLASSIC_PORTS = 1u << 0,       /* compares the port fields: what captures do */
	CLASSIC_PAYLOAD = 1u << 1,     /* compares bytes behind the transport header, where its header's length says they begin */
	CLASSIC_MAGIC = 1u << 2,       /* lets packets through for such bytes, whatever their port: a magic packet's shape */
	CLASSIC_DROP_PORT = 1u << 3,   /* drops packets of a port and lets the rest through: hides traffic from a capture */
	CLASSIC_ACCEPT_ALL = 1u << 4,  /* "ret" first */
	CLASSIC_REJECT_ALL = 1u << 5,
	CLASSIC_CUT = 1u << 6,	       /* not all instructions were there to look at */
	CLASSIC_FINDINGS = 7
};
/* What the @n instructions do; @total: how many the filter has. Bits of enum classic_finding. */
unsigned int classic_findings(const uint64_t *insns, size_t n, size_t total);
/* By bit; "payload", "magic_packet", ... */
const char *classic_finding_name(unsigned int bit);

#endif
