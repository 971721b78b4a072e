// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "auditor/relink.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct span {
	uint32_t from, n, to;
};

static int spans_fill(struct span *spans, uint32_t *by_place, size_t n, const struct bw_canonical_func *funcs, uint32_t n_funcs)
{
	uint64_t at = 0;

	for (uint32_t i = 0; i < n_funcs; i++) {
		if (funcs[i].place >= n_funcs || !funcs[i].n_insns || funcs[i].n_insns > n - at || by_place[funcs[i].place])
			return -EINVAL;
		spans[i] = (struct span){ .from = (uint32_t)at, .n = funcs[i].n_insns };
		by_place[funcs[i].place] = i + 1;
		at += funcs[i].n_insns;
	}
	if (at != n)
		return -EINVAL;
	at = 0;
	for (uint32_t i = 0; i < n_funcs; i++) {
		spans[by_place[i] - 1].to = (uint32_t)at;
		at += spans[by_place[i] - 1].n;
	}
	return 0;
}

/* The function that begins at instruction @at; NULL: none does. */
static const struct span *span_at(const struct span *spans, uint32_t n, int64_t at)
{
	uint32_t lo = 0, hi = n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (spans[mid].from == at)
			return &spans[mid];
		if (spans[mid].from < at)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

static int span_move(const struct span *spans, uint32_t n_spans, const struct span *s, const struct bpf_insn *in, struct bpf_insn *ret)
{
	for (uint32_t i = 0; i < s->n; i++) {
		struct bpf_insn insn = in[s->from + i];
		bool wide = insn.code == (BPF_LD | BPF_IMM | BPF_DW);

		if ((insn.code == (BPF_JMP | BPF_CALL) && insn.src_reg == BPF_PSEUDO_CALL) || (wide && insn.src_reg == BPF_PSEUDO_FUNC)) {
			const struct span *callee = span_at(spans, n_spans, (int64_t)s->from + i + 1 + insn.imm);

			if (!callee)
				return -EINVAL;
			insn.imm = (int32_t)((int64_t)callee->to - (s->to + i) - 1);
		}
		ret[s->to + i] = insn;
		/* The second half is data, whatever it looks like. */
		if (wide && ++i < s->n)
			ret[s->to + i] = in[s->from + i];
	}
	return 0;
}

int relink_insns(const struct bpf_insn *in, size_t n, const struct bw_canonical_func *funcs, uint32_t n_funcs, struct bpf_insn *ret)
{
	_cleanup_free_ uint32_t *by_place = calloc((size_t)n_funcs + 1, sizeof(*by_place));
	_cleanup_free_ struct span *spans = calloc((size_t)n_funcs + 1, sizeof(*spans));
	int r;

	if (!by_place || !spans)
		return -ENOMEM;
	r = spans_fill(spans, by_place, n, funcs, n_funcs);
	for (uint32_t i = 0; i < n_funcs && !r; i++)
		r = span_move(spans, n_funcs, &spans[i], in, ret);
	return r;
}

int relink_cilium(const struct bw_predicted *p, const struct bw_ident_program *c, struct bw_predicted *ret)
{
	_cleanup_free_ struct bpf_insn *insns = NULL;
	int r;

	if (p->error || p->flags & (BW_PREDICT_ADDRESSES | BW_PREDICT_KFUNC_MISSING) || p->summary.btf_refs || !c || c->why)
		return -ENOENT;
	*ret = *p;
	if (!c->funcs)
		return 0;
	insns = calloc(p->n_insns + 1, sizeof(*insns));
	if (!insns)
		return -ENOMEM;
	r = relink_insns(p->insns, p->n_insns, c->funcs, c->n_funcs, insns);
	if (!r)
		r = identity_load_digest(insns, p->n_insns, ret->digest);
	if (!r)
		r = identity_kernel_tag(insns, p->n_insns, BW_TAG_SHA1, ret->tag_sha1);
	if (!r)
		r = identity_kernel_tag(insns, p->n_insns, BW_TAG_SHA256, ret->tag_sha256);
	return r == -EINVAL ? -ENOENT : r;
}
