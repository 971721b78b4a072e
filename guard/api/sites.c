// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/api/sites.h"

#include <capstone/capstone.h>
#include <errno.h>
#include <stdio.h>

#include "common/cleanup.h"
#include "guard/api/go_code.h"

#define HEAD_BYTES 96u	      /* of a function, in which its first call is looked for */
#define HEAD_INSNS 20u
#define MAX_FUNCTION 65536u   /* bytes of a Go function that are disassembled */

const char *api_stack_name(enum api_stack s)
{
	static const char *const names[API_STACKS] = {
		[API_STACK_NONE] = "none",	     [API_STACK_OPENSSL] = "openssl", [API_STACK_BORINGSSL] = "boringssl",
		[API_STACK_GNUTLS] = "gnutls",	     [API_STACK_GO] = "go",	      [API_STACK_GO_OLD] = "go before 1.18",
		[API_STACK_RUSTLS] = "rustls",	     [API_STACK_NSS] = "nss",	      [API_STACK_MBEDTLS] = "mbedtls",
		[API_STACK_WOLFSSL] = "wolfssl",     [API_STACK_JAVA] = "java",	      [API_STACK_OPENSSL_HIDDEN] = "openssl without symbols",
	};

	return s < API_STACKS ? names[s] : "unknown";
}

struct finder {
	const struct elf_code *elf;
	csh cs;
	cs_insn *insn;
	struct api_sites *out;
};

static void add(struct finder *f, enum api_probe probe, uint64_t offset, bool ret, bool emulated)
{
	if (f->out->n < API_MAX_SITES)
		f->out->site[f->out->n++] = (struct api_site){ offset, probe, ret, emulated };
}

/* Does the kernel emulate it? branch_setup_insn() and push_setup_insn(): push of a register, nop, jump, call, conditional jump. */
static bool is_emulated(const cs_insn *i)
{
	const uint8_t *b = i->bytes;

	if (i->size == 2 && b[0] == 0x41)
		return b[1] >= 0x50 && b[1] <= 0x57;
	return (i->size == 1 && ((b[0] >= 0x50 && b[0] <= 0x57) || b[0] == 0x90)) || b[0] == 0xe8 || b[0] == 0xe9 || b[0] == 0xeb ||
	       (b[0] >= 0x70 && b[0] <= 0x7f) || (b[0] == 0x0f && b[1] >= 0x80 && b[1] <= 0x8f) || (b[0] == 0x0f && b[1] == 0x1f);
}

/* The first instruction of a function that may be probed instead of its first byte, return included: the stack is still as it was. */
static bool begins_emulated(struct finder *f, uint64_t addr, uint64_t *ret_offset, bool *ret_emulated)
{
	struct bw_slice code;
	const uint8_t *p;
	size_t len;
	uint64_t at = addr, offset;

	if (!elf_code_at(f->elf, addr, 32, &code, &offset))
		return false;
	*ret_offset = offset;
	*ret_emulated = false;
	p = code.data;
	len = code.len;
	/* endbr64 changes nothing and cannot be emulated: what follows it will do as well. */
	if (len > 4 && !memcmp(p, "\xf3\x0f\x1e\xfa", 4)) {
		p += 4;
		len -= 4;
		at += 4;
		offset += 4;
	}
	if (!cs_disasm_iter(f->cs, &p, &len, &at, f->insn) || !is_emulated(f->insn))
		return true;
	*ret_offset = offset;
	*ret_emulated = true;
	return true;
}

static bool is_write_to(csh cs, const cs_insn *i, const x86_reg *regs, size_t n)
{
	cs_regs read, write;
	uint8_t nread, nwrite;

	/* movslq %edx,%rdx only widens the length. */
	if (i->id == X86_INS_MOVSXD && i->detail->x86.op_count == 2 && i->detail->x86.operands[0].reg == X86_REG_RDX &&
	    i->detail->x86.operands[1].type == X86_OP_REG && i->detail->x86.operands[1].reg == X86_REG_EDX)
		return false;
	if (cs_regs_access(cs, i, read, &nread, write, &nwrite))
		return true;
	for (uint8_t k = 0; k < nwrite; k++)
		for (size_t r = 0; r < n; r++)
			if (write[k] == regs[r])
				return true;
	return false;
}

static const x86_reg c_arguments[] = { X86_REG_RDI, X86_REG_EDI, X86_REG_RSI, X86_REG_ESI, X86_REG_RDX, X86_REG_EDX };

/* Where the function at @addr goes with its first three arguments as it got them; 0: it is not that simple. */
static uint64_t first_callee(struct finder *f, uint64_t addr)
{
	struct bw_slice code;
	const uint8_t *p;
	uint64_t offset;
	size_t len;

	if (!addr || !elf_code_at(f->elf, addr, HEAD_BYTES, &code, &offset))
		return 0;
	p = code.data;
	len = code.len;
	for (unsigned int n = 0; n < HEAD_INSNS && cs_disasm_iter(f->cs, &p, &len, &addr, f->insn); n++) {
		const cs_x86 *x = &f->insn->detail->x86;

		if (f->insn->id == X86_INS_CALL || f->insn->id == X86_INS_JMP)
			return x->op_count == 1 && x->operands[0].type == X86_OP_IMM ? (uint64_t)x->operands[0].imm : 0;
		if (f->insn->id == X86_INS_RET || is_write_to(f->cs, f->insn, c_arguments, ARRAY_SIZE(c_arguments)))
			return 0;
	}
	return 0;
}

/* A function and its return. */
static void add_function(struct finder *f, enum api_probe probe, uint64_t addr, bool ret)
{
	uint64_t offset;
	bool emulated;

	if (addr && begins_emulated(f, addr, &offset, &emulated))
		add(f, probe, offset, ret, emulated);
}

/*
 * SSL_read and SSL_read_ex, or the writing ones: their common internal function where it can be probed well, else each of them.
 * @ex2: SSL_write_ex2 of OpenSSL 3.3: then the internal function has its arguments.
 */
static void add_pair(struct finder *f, uint64_t plain, uint64_t ex, uint64_t ex2, enum api_probe p_plain, enum api_probe p_ex)
{
	uint64_t callee = first_callee(f, plain), offset;
	bool emulated;

	if (callee && callee == first_callee(f, ex) && (!ex2 || callee == first_callee(f, ex2)) &&
	    begins_emulated(f, callee, &offset, &emulated) && emulated) {
		add(f, ex2 ? API_PROBE_SSL_WRITE_EX2 : p_ex, offset, true, true);
		return;
	}
	add_function(f, p_plain, plain, true);
	add_function(f, p_ex, ex, true);
	add_function(f, API_PROBE_SSL_WRITE_EX2, ex2, true);
}

static void find_openssl(struct finder *f)
{
	enum { READ, WRITE, READ_EX, WRITE_EX, WRITE_EX2, FREE, BORING_A, BORING_B, N };
	struct elf_code_symbol s[N] = {
		{ "SSL_read" }, { "SSL_write" }, { "SSL_read_ex" }, { "SSL_write_ex" }, { "SSL_write_ex2" }, { "SSL_free" },
		{ "SSL_CTX_set_grease_enabled" }, { "SSL_early_callback_ctx_extension_get" },
	};

	elf_code_symbols(f->elf, s, N);
	if (!s[READ].addr || !s[WRITE].addr)
		return;
	if (s[BORING_A].addr || s[BORING_B].addr) {
		f->out->stack = API_STACK_BORINGSSL;
		add_function(f, API_PROBE_BSSL_READ, s[READ].addr, true);
		add_function(f, API_PROBE_BSSL_WRITE, s[WRITE].addr, true);
		add_function(f, API_PROBE_BSSL_FREE, s[FREE].addr, false);
		return;
	}
	f->out->stack = API_STACK_OPENSSL;
	add_pair(f, s[READ].addr, s[READ_EX].addr, 0, API_PROBE_SSL_READ, API_PROBE_SSL_READ_EX);
	add_pair(f, s[WRITE].addr, s[WRITE_EX].addr, s[WRITE_EX2].addr, API_PROBE_SSL_WRITE, API_PROBE_SSL_WRITE_EX);
	add_function(f, API_PROBE_SSL_FREE, s[FREE].addr, false);
}

/*
 * gnutls_record_send() is a jump to gnutls_record_send2(): one probe sees both, and a return address that is replaced twice
 * would be lost. Older versions have no send2.
 */
static void find_gnutls(struct finder *f)
{
	enum { RECV, SEND, SEND2, DEINIT, N };
	struct elf_code_symbol s[N] = {
		{ "gnutls_record_recv" }, { "gnutls_record_send" }, { "gnutls_record_send2" }, { "gnutls_deinit" },
	};

	elf_code_symbols(f->elf, s, N);
	if (!s[RECV].addr || !s[SEND].addr)
		return;
	f->out->stack = API_STACK_GNUTLS;
	add_function(f, API_PROBE_GTLS_RECV, s[RECV].addr, true);
	add_function(f, API_PROBE_GTLS_SEND, s[SEND2].addr ? s[SEND2].addr : s[SEND].addr, true);
	add_function(f, API_PROBE_GTLS_FREE, s[DEINIT].addr, false);
}

static const x86_reg go_arguments[] = { X86_REG_RAX, X86_REG_EAX, X86_REG_RBX, X86_REG_EBX, X86_REG_R14 };

/* A Go function: at the branch of its stack check, or at its first byte. With @rets, each RET. */
static bool add_go(struct finder *f, enum api_probe probe, const struct elf_code_symbol *s, bool rets)
{
	uint64_t addr = s->addr, offset, at;
	struct bw_slice code;
	const uint8_t *p;
	bool chosen = false, intact = true;
	unsigned int before = f->out->n, n = 0;
	size_t len;

	if (!addr || !s->size || s->size > MAX_FUNCTION || !elf_code_at(f->elf, addr, s->size, &code, &offset) || code.len < s->size)
		return false;
	add(f, probe, offset, false, false);
	p = code.data;
	len = code.len;
	while (len) {
		at = (uint64_t)(p - code.data);
		if (!cs_disasm_iter(f->cs, &p, &len, &addr, f->insn))
			break;
		if (!chosen && intact && n++ < 4 && is_emulated(f->insn) && before < f->out->n) {
			f->out->site[before].offset = offset + at;
			f->out->site[before].emulated = chosen = true;
		}
		intact = intact && !is_write_to(f->cs, f->insn, go_arguments, ARRAY_SIZE(go_arguments));
		if (rets && f->insn->id == X86_INS_RET)
			add(f, API_PROBE_GO_RET, offset + at, false, false);
	}
	/* Padding after the last RET may not be code (int3 is); anything else means that not all returns were found. */
	return f->out->n > before && (!rets || f->out->n > before + 1) && f->out->n < API_MAX_SITES;
}

static void find_go(struct finder *f)
{
	enum { READ, WRITE, CLOSE, N };
	struct elf_code_symbol s[N] = { { "crypto/tls.(*Conn).Read" }, { "crypto/tls.(*Conn).Write" }, { "crypto/tls.(*Conn).Close" } };
	int r = go_code_functions(f->elf, s, N);

	if (r == -EOPNOTSUPP)
		f->out->stack = API_STACK_GO_OLD;
	if (r < 2 || !s[READ].addr || !s[WRITE].addr)
		return;
	if (!add_go(f, API_PROBE_GO_READ, &s[READ], true) || !add_go(f, API_PROBE_GO_WRITE, &s[WRITE], true)) {
		f->out->n = 0;
		return;
	}
	f->out->stack = API_STACK_GO;
	add_go(f, API_PROBE_GO_CLOSE, &s[CLOSE], false);
}

/* What gives a linked-in library away when nothing of it can be probed. */
static enum api_stack find_trace(struct bw_slice file)
{
	/* The first byte apart, so that this program does not give itself away. */
	static const struct {
		char first;
		const char *rest;
		enum api_stack stack;
	} traces[] = {
		{ '/', "rustls-", API_STACK_RUSTLS },
		{ 'm', "bedtls_ssl_handshake", API_STACK_MBEDTLS },
		{ 'w', "olfSSL_read", API_STACK_WOLFSSL },
		{ 's', "sl/ssl_lib.c", API_STACK_OPENSSL_HIDDEN },
	};

	for (size_t i = 0; i < ARRAY_SIZE(traces); i++) {
		char text[32];

		snprintf(text, sizeof(text), "%c%s", traces[i].first, traces[i].rest);
		if (memmem(file.data, file.len, text, strlen(text)))
			return traces[i].stack;
	}
	return API_STACK_NONE;
}

int api_sites_find(struct bw_slice file, bool whole, struct api_sites *ret)
{
	struct elf_code elf;
	struct finder f = { .elf = &elf, .out = ret };
	int r = elf_code_open(file, &elf);

	if (r < 0)
		return r;
	*ret = (struct api_sites){ 0 };
	if (cs_open(CS_ARCH_X86, CS_MODE_64, &f.cs) != CS_ERR_OK)
		return -ENOMEM;
	cs_option(f.cs, CS_OPT_DETAIL, CS_OPT_ON);
	f.insn = cs_malloc(f.cs);
	if (!f.insn) {
		cs_close(&f.cs);
		return -ENOMEM;
	}
	find_openssl(&f);
	if (ret->stack == API_STACK_NONE)
		find_gnutls(&f);
	if (ret->stack == API_STACK_NONE)
		find_go(&f);
	if (ret->stack == API_STACK_NONE && whole)
		ret->stack = find_trace(file);
	cs_free(f.insn, 1);
	cs_close(&f.cs);
	return 0;
}
