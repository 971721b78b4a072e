/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_SECNAME_H
#define BW_SECNAME_H
/*
 * What a section's name says about the programs in it: the SEC() grammar of libbpf 1.7 (section_defs[] in libbpf.c), the
 * prefix rules of libbpf before 1.0, the conventions of iproute2 and Cilium, and the names of eBPF for Windows.
 */
#include <stdbool.h>
#include <stdint.h>

struct bw_insn;
struct bw_secdef;

/* @name must outlive the result (its target points into it). Never fails: .known is false for a name without meaning. */
void bw_secname_parse(const char *name, struct bw_secdef *ret);
void bw_secname_parse_windows(const char *name, struct bw_secdef *ret);
/*
 * Fills in the type by the name of the context structure ("xdp_md", "pt_regs") of a program whose section says
 * nothing; leaves @def alone when that says nothing either.
 */
void bw_secname_from_context(const char *type_name, struct bw_secdef *def);
/*
 * The context structure that the instructions of a program speak for, NULL when nothing does. *ret_reads_context: it looks into
 * its context, so that without its type not everything can be known.
 */
const char *bw_program_use(const struct bw_insn *insns, uint32_t n, bool *ret_reads_context);

#endif
