/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_IDENTITY_H
#define BW_IDENTITY_H
/*
 * What a BPF program is, as the kernel sees it at BPF_PROG_LOAD: the load digest, the kernel's tag, and a summary of
 * its calls. Pure: instructions in, values out. Instructions are in host byte order, exactly as given to the kernel.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/bpf.h>

#define BW_LOAD_DIGEST_LEN 32
#define BW_KERNEL_TAG_LEN  8 /* BPF_TAG_SIZE */

enum bw_tag_alg {
	BW_TAG_SHA1,   /* kernels before 6.18 */
	BW_TAG_SHA256, /* 6.18 on */
};

struct bw_identity_summary {
	uint64_t helpers[4];	/* bit per helper id 0..255 */
	uint32_t insn_cnt;	/* 8-byte slots: what the kernel counts */
	uint32_t kfunc_calls;	/* call instructions with src_reg 2 */
	uint32_t local_calls;	/* calls of subprograms */
	uint32_t map_refs;	/* ld_imm64 with src_reg 1, 2, 5, 6 */
	uint32_t btf_refs;	/* ld_imm64 with src_reg 3 */
	uint32_t btf_fd_refs;	/* those whose second half holds a BTF descriptor: the kernel's tag covers its number */
	uint32_t unknown_calls; /* helper calls with an id over 255: loaders poison what they could not resolve so */
};

/*
 * SHA-256 of the instructions with every field zeroed that names a descriptor, an index or a BTF id:
 *   ld_imm64 src_reg 1, 2, 5, 6 (map)    the first imm; the second slot stays (2 and 6: the offset into the map's
 * value) ld_imm64 src_reg 3 (typed ksym)      both imms call src_reg 2 (kfunc)               imm and off Everything
 * else counts as given. The LSM hook computes the same over bpf_prog->insnsi before verification. Returns 0, -EINVAL
 * for no instructions, -E2BIG over BW_MAX_INSNS, -ENOMEM.
 */
int identity_load_digest(const struct bpf_insn *insns, size_t n, uint8_t ret_digest[BW_LOAD_DIGEST_LEN]);

/*
 * The tag the kernel gives the program: bpf_prog_calc_tag() of kernel/bpf/core.c. It zeroes both imms of ld_imm64 with
 * src_reg 1 and 2 and nothing else (not the fd_array forms 5 and 6, not BTF ids): the first 8 bytes of SHA-1, from 6.18
 * on of SHA-256. Errors as above.
 */
int identity_kernel_tag(const struct bpf_insn *insns, size_t n, enum bw_tag_alg alg,
			uint8_t ret_tag[BW_KERNEL_TAG_LEN]);

void identity_summary(const struct bpf_insn *insns, size_t n, struct bw_identity_summary *ret);

#endif
