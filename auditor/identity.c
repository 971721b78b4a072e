// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <string.h>
#include <openssl/evp.h>

#include "auditor/identity.h"
#include "common/cleanup.h"
#include "common/limits.h"

#define LD_IMM64 (BPF_LD | BPF_IMM | BPF_DW)
#define CALL	 (BPF_JMP | BPF_CALL)

/* Not in the uapi headers of every supported build: linux/bpf.h, "BPF_PSEUDO_*". */
enum { SRC_MAP_FD = 1, SRC_MAP_VALUE = 2, SRC_BTF_ID = 3, SRC_MAP_IDX = 5, SRC_MAP_IDX_VALUE = 6 };
enum { SRC_HELPER = 0, SRC_LOCAL_CALL = 1, SRC_KFUNC = 2 };

/* Instructions are copied and hashed in pieces of this many, so that no program needs memory of its own size. */
#define CHUNK 512

static void evp_ctx_freep(EVP_MD_CTX **ctx)
{
	EVP_MD_CTX_free(*ctx);
}

struct hash_state {
	bool second_half; /* of a map's ld_imm64, in the tag's rule */
	bool second_ksym; /* of a typed ksym's, in the digest's rule */
};

static void digest_rule(struct hash_state *s, struct bpf_insn *insn)
{
	/* The half after a wide load is never an instruction of its own, whatever bytes it holds. */
	if (s->second_half) {
		if (s->second_ksym)
			insn->imm = 0;
		s->second_half = s->second_ksym = false;
		return;
	}
	if (insn->code == LD_IMM64) {
		s->second_half = true;
		switch (insn->src_reg) {
		case SRC_BTF_ID:
			s->second_ksym = true;
			insn->imm = 0;
			break;
		case SRC_MAP_FD:
		case SRC_MAP_VALUE:
		case SRC_MAP_IDX:
		case SRC_MAP_IDX_VALUE:
			insn->imm = 0;
			break;
		}
	} else if (insn->code == CALL && insn->src_reg == SRC_KFUNC) {
		insn->imm = 0;
		insn->off = 0;
	}
}

/* bpf_prog_calc_tag(), kernel/bpf/core.c: the state machine is the kernel's own, odd second halves included. */
static void tag_rule(struct hash_state *s, struct bpf_insn *insn)
{
	if (!s->second_half && insn->code == LD_IMM64 &&
	    (insn->src_reg == SRC_MAP_FD || insn->src_reg == SRC_MAP_VALUE)) {
		s->second_half = true;
		insn->imm = 0;
	} else if (s->second_half && !insn->code && !insn->dst_reg && !insn->src_reg && !insn->off) {
		s->second_half = false;
		insn->imm = 0;
	} else {
		s->second_half = false;
	}
}

static int hash_insns(const struct bpf_insn *insns, size_t n, const EVP_MD *md,
		      void (*rule)(struct hash_state *s, struct bpf_insn *insn), uint8_t *ret, size_t ret_len)
{
	BW_CLEANUP(evp_ctx_freep) EVP_MD_CTX *ctx = NULL;
	struct bpf_insn chunk[CHUNK];
	struct hash_state s = { 0 };
	uint8_t out[EVP_MAX_MD_SIZE];
	unsigned int out_len;

	if (!n)
		return -EINVAL;
	if (n > BW_MAX_INSNS)
		return -E2BIG;
	ctx = EVP_MD_CTX_new();
	if (!ctx || EVP_DigestInit_ex(ctx, md, NULL) != 1)
		return -ENOMEM;
	while (n) {
		size_t k = n < CHUNK ? n : CHUNK;

		memcpy(chunk, insns, k * sizeof(*insns));
		for (size_t i = 0; i < k; i++)
			rule(&s, &chunk[i]);
		if (EVP_DigestUpdate(ctx, chunk, k * sizeof(*insns)) != 1)
			return -ENOMEM;
		insns += k;
		n -= k;
	}
	if (EVP_DigestFinal_ex(ctx, out, &out_len) != 1 || out_len < ret_len)
		return -ENOMEM;
	memcpy(ret, out, ret_len);
	return 0;
}

int identity_load_digest(const struct bpf_insn *insns, size_t n, uint8_t ret_digest[BW_LOAD_DIGEST_LEN])
{
	return hash_insns(insns, n, EVP_sha256(), digest_rule, ret_digest, BW_LOAD_DIGEST_LEN);
}

int identity_kernel_tag(const struct bpf_insn *insns, size_t n, enum bw_tag_alg alg, uint8_t ret_tag[BW_KERNEL_TAG_LEN])
{
	return hash_insns(insns, n, alg == BW_TAG_SHA1 ? EVP_sha1() : EVP_sha256(), tag_rule, ret_tag,
			  BW_KERNEL_TAG_LEN);
}

void identity_summary(const struct bpf_insn *insns, size_t n, struct bw_identity_summary *ret)
{
	struct bw_identity_summary sum = { .insn_cnt = (uint32_t)n };

	for (size_t i = 0; i < n; i++) {
		const struct bpf_insn *insn = &insns[i];

		if (insn->code == LD_IMM64) {
			switch (insn->src_reg) {
			case SRC_MAP_FD:
			case SRC_MAP_VALUE:
			case SRC_MAP_IDX:
			case SRC_MAP_IDX_VALUE:
				sum.map_refs++;
				break;
			case SRC_BTF_ID:
				sum.btf_refs++;
				if (i + 1 < n && insns[i + 1].imm)
					sum.btf_fd_refs++;
				break;
			}
			i++;
		} else if (insn->code == CALL) {
			uint32_t id = (uint32_t)insn->imm;

			if (insn->src_reg == SRC_LOCAL_CALL)
				sum.local_calls++;
			else if (insn->src_reg == SRC_KFUNC)
				sum.kfunc_calls++;
			else if (id < 256)
				sum.helpers[id / 64] |= 1ull << (id % 64);
			else
				sum.unknown_calls++;
		}
	}
	*ret = sum;
}
