/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_API_SITES_H
#define BW_GUARD_API_SITES_H
/*
 * Which instructions of an executable or library the TLS probes go to. Pure, for bytes that nobody vouches for: runs in a sandbox, and
 * the parent checks what comes out of it.
 *
 * A probe costs several times less on an instruction that the kernel emulates (push, nop, jump, call) than on one that it has to
 * single-step (arch/x86/kernel/uprobes.c). So:
 * - a function that begins with such an instruction is probed there;
 * - OpenSSL's SSL_read and SSL_read_ex begin with "sub" and call one internal function with their arguments still in the registers; it
 *   begins with "push". When both lead to the same one, that one is probed, with SSL_read_ex's convention. SSL_write the same;
 * - a Go function's first branch (the check of its stack) comes before its arguments are touched;
 * - anything else is probed at its first byte.
 */
#include "guard/api/elf_code.h"

/* What runs at a site; the programs of bpf/api/tls.bpf.c. */
enum api_probe {
	API_PROBE_SSL_READ,
	API_PROBE_SSL_WRITE,
	API_PROBE_SSL_READ_EX,
	API_PROBE_SSL_WRITE_EX,
	API_PROBE_SSL_WRITE_EX2,
	API_PROBE_SSL_FREE,
	API_PROBE_BSSL_READ,
	API_PROBE_BSSL_WRITE,
	API_PROBE_BSSL_FREE,
	API_PROBE_GTLS_RECV,
	API_PROBE_GTLS_SEND,
	API_PROBE_GTLS_FREE,
	API_PROBE_GO_READ,
	API_PROBE_GO_WRITE,
	API_PROBE_GO_RET,
	API_PROBE_GO_CLOSE,
	API_PROBES
};

/* What a file speaks TLS with. */
enum api_stack {
	API_STACK_NONE,
	API_STACK_OPENSSL,
	API_STACK_BORINGSSL,
	API_STACK_GNUTLS,
	API_STACK_GO,
	API_STACK_GO_OLD,  /* Go without the register ABI: not seen */
	API_STACK_RUSTLS,  /* the rest: not seen */
	API_STACK_NSS,
	API_STACK_MBEDTLS,
	API_STACK_WOLFSSL,
	API_STACK_JAVA,
	API_STACK_OPENSSL_HIDDEN, /* linked in, and its symbols stripped */
	API_STACKS
};

const char *api_stack_name(enum api_stack s);

struct api_site {
	uint64_t offset; /* in the file */
	uint32_t probe;	 /* enum api_probe */
	uint16_t ret;	 /* also probe the return */
	uint16_t emulated;
};

#define API_MAX_SITES 96u

struct api_sites {
	uint32_t stack; /* enum api_stack */
	uint32_t n;
	struct api_site site[API_MAX_SITES];
};

/* Looks through a file. @whole: also for traces of TLS stacks that cannot be probed (slow). -EBADMSG: no x86-64 ELF file. */
int api_sites_find(struct bw_slice file, bool whole, struct api_sites *ret);

#endif
