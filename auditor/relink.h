/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_RELINK_H
#define BW_RELINK_H
/*
 * The same program as another loader lays it out: its functions in another order, calls and function pointers to match. All else in
 * the instructions is the same. Pure.
 */
#include <stddef.h>
#include <stdint.h>

#include "auditor/ident.h"
#include "auditor/predict.h"

struct bpf_insn;

/*
 * @in has the functions @funcs one after the other, in libbpf's order; @ret gets them in cilium/ebpf's (.place). Returns 0, or -EINVAL
 * when the instructions are not those functions (their number, or a call into the middle of one), -ENOMEM.
 */
int relink_insns(const struct bpf_insn *in, size_t n, const struct bw_canonical_func *funcs, uint32_t n_funcs, struct bpf_insn *ret);
/*
 * What cilium/ebpf gives to the kernel for a program that libbpf's loader was asked about: *ret is @p with other digest and tags, and
 * borrows all the rest. -ENOENT: that cannot be known (it marks calls of missing kernel functions in its own way, and what it does
 * about kernel symbols depends on its release): such programs are learned on a host.
 */
int relink_cilium(const struct bw_predicted *p, const struct bw_ident_program *c, struct bw_predicted *ret);

#endif
