// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/quarantine_job.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "guard/analyst.h"

#define MAX_JOB_PROGRAMS 64u /* analysed together */
#define MAX_JOB_MAPS 1024u

int held_programs_init(struct held_programs *h, uint32_t max, size_t max_bytes)
{
	*h = (struct held_programs){ .max = max, .max_bytes = max_bytes };
	h->list = calloc(max, sizeof(*h->list));
	return h->list ? 0 : -ENOMEM;
}

static void held_free(struct held_program *p)
{
	for (uint32_t i = 0; i < BW_HOLD_MAX_MAPS; i++)
		free(p->values[i].data);
	free(p->insns);
	free(p);
}

void held_programs_free(struct held_programs *h)
{
	for (uint32_t i = 0; i < h->n; i++)
		held_free(h->list[i]);
	free(h->list);
	*h = (struct held_programs){ 0 };
}

static size_t held_size(const struct held_program *p)
{
	size_t n = (size_t)p->q.insn_cnt * 8;

	for (uint32_t i = 0; i < BW_HOLD_MAX_MAPS; i++)
		n += p->values[i].len;
	return n;
}

static void forget_oldest(struct held_programs *h)
{
	h->bytes -= held_size(h->list[0]);
	held_free(h->list[0]);
	h->n--;
	memmove(h->list, h->list + 1, h->n * sizeof(*h->list));
}

int held_check(const void *record, size_t size)
{
	const struct bw_hold_question *q = record;
	const struct bw_hold_code *c = record;
	const size_t q_head = offsetof(struct bw_hold_question, maps), c_head = offsetof(struct bw_hold_code, insns);

	if (size < 8 || q->size != size)
		return -EBADMSG;
	switch (q->record) {
	case BW_HOLD_QUESTION:
		if (size < q_head || q->n_maps > BW_HOLD_MAX_MAPS || size != q_head + q->n_maps * sizeof(q->maps[0]))
			return -EBADMSG;
		return !q->nonce || !q->insn_cnt || q->insn_cnt > BW_HOLD_MAX_INSNS || q->name[BW_OBJ_NAME_LEN - 1] ? -EBADMSG : 0;
	case BW_HOLD_DATA:
		if (size < c_head || !c->count || c->count > sizeof(c->insns) || size != c_head + c->count || c->first >= BW_HOLD_MAX_MAPS)
			return -EBADMSG;
		return 0;
	case BW_HOLD_CODE:
		if (size < c_head || !c->count || c->count > BW_HOLD_CHUNK_INSNS || size != c_head + (size_t)c->count * 8)
			return -EBADMSG;
		return 0;
	default:
		return -EBADMSG;
	}
}

struct held_program *held_find(const struct held_programs *h, uint64_t nonce)
{
	for (uint32_t i = h->n; i > 0; i--)
		if (h->list[i - 1]->q.nonce == nonce)
			return h->list[i - 1];
	return NULL;
}

int held_begin(struct held_programs *h, const struct bw_hold_question *q, size_t size, struct held_program **ret)
{
	size_t bytes = (size_t)q->insn_cnt * 8;
	struct held_program *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	memcpy(&p->q, q, size < sizeof(p->q) ? size : sizeof(p->q));
	p->insns = calloc(q->insn_cnt, 8);
	if (!p->insns) {
		held_free(p);
		return -ENOMEM;
	}
	while (h->n && (h->n == h->max || h->bytes + bytes > h->max_bytes))
		forget_oldest(h);
	h->list[h->n++] = p;
	h->bytes += bytes;
	*ret = p;
	return 0;
}

static int add_value(struct held_programs *h, struct held_program *p, const struct bw_hold_code *c)
{
	struct held_value *v = &p->values[c->first];
	uint8_t *data;

	if (p->complete || c->first >= p->q.n_maps || c->count > p->q.maps[c->first].value_size - v->len || v->len >= BW_HOLD_MAX_DATA)
		return -EBADMSG;
	data = realloc(v->data, (size_t)v->len + c->count);
	if (!data)
		return -ENOMEM;
	memcpy(data + v->len, c->insns, c->count);
	v->data = data;
	v->len += c->count;
	h->bytes += c->count;
	return 0;
}

int held_code(struct held_programs *h, const struct bw_hold_code *c, struct held_program **ret)
{
	struct held_program *p = held_find(h, c->nonce);

	if (!p)
		return -ENOENT;
	if (c->record == BW_HOLD_DATA)
		return add_value(h, p, c);
	/* In order, each instruction once. */
	if (p->complete || c->first != p->got || c->count > p->q.insn_cnt - p->got)
		return -EBADMSG;
	memcpy(p->insns + p->got, c->insns, (size_t)c->count * 8);
	p->got += c->count;
	p->complete = p->got == p->q.insn_cnt;
	*ret = p;
	return p->complete;
}

/* ---- the job ----------------------------------------------------------------------------------------------------------- */

static bool uses_map(const struct held_program *p, uint32_t id)
{
	for (uint32_t i = 0; i < p->q.n_maps; i++)
		if (p->q.maps[i].id == id)
			return true;
	return false;
}

static bool share_map(const struct held_program *a, const struct held_program *b)
{
	for (uint32_t i = 0; i < a->q.n_maps; i++)
		if (uses_map(b, a->q.maps[i].id))
			return true;
	return false;
}

/* The same load again, as when a service restarts: it adds nothing. */
static bool same_load(const struct held_program *a, const struct held_program *b)
{
	const struct bw_hold_question *x = &a->q, *y = &b->q;

	if (memcmp(x->digest, y->digest, sizeof(x->digest)) || x->prog_type != y->prog_type ||
	    x->expected_attach_type != y->expected_attach_type || x->attach_btf_id != y->attach_btf_id || x->n_maps != y->n_maps)
		return false;
	for (uint32_t i = 0; i < x->n_maps; i++)
		if (x->maps[i].id != y->maps[i].id)
			return false;
	return true;
}

/*
 * @p and what is connected to it, however many maps lie between; @p first, then in the order they came. Who writes a map was mostly
 * there before who reads it, and the analysis sees more of the reader when it has seen the writer: so the job has @p last.
 */
static uint32_t connected(const struct held_programs *h, const struct held_program *p, const struct held_program **set,
			  bool *ret_truncated)
{
	uint32_t n = 1;

	set[0] = p;
	for (uint32_t at = 0; at < n; at++)
		for (uint32_t i = 0; i < h->n; i++) {
			const struct held_program *other = h->list[i];
			bool known = !other->complete || other->gone;

			for (uint32_t k = 0; k < n && !known; k++)
				known = set[k] == other || same_load(set[k], other);
			if (known || !share_map(set[at], other))
				continue;
			if (n == MAX_JOB_PROGRAMS) {
				*ret_truncated = true;
				return n;
			}
			set[n++] = other;
		}
	return n;
}

struct numbering {
	uint32_t ids[MAX_JOB_MAPS];
	uint32_t n;
};

/* From 1, in order of appearance; 0 when there are too many. */
static uint32_t number_of(struct numbering *nb, uint32_t id)
{
	for (uint32_t i = 0; i < nb->n; i++)
		if (nb->ids[i] == id)
			return i + 1;
	if (nb->n == MAX_JOB_MAPS)
		return 0;
	nb->ids[nb->n++] = id;
	return nb->n;
}

static const struct bw_hold_map *map_of(const struct held_program *p, uint32_t ref, bool by_index)
{
	for (uint32_t i = 0; i < p->q.n_maps; i++)
		if (p->q.maps[i].ref == ref && p->q.maps[i].by_index == by_index)
			return &p->q.maps[i];
	return NULL;
}

/* Writes the instructions with numbers of maps in the place of descriptors; an unknown map gets 0, which is none. */
static void put_insns(const struct held_program *p, struct numbering *nb, struct bw_buf *out)
{
	for (uint32_t i = 0; i < p->q.insn_cnt; i++) {
		struct bpf_insn in;

		memcpy(&in, &p->insns[i], sizeof(in));
		if (in.code == (BPF_LD | BPF_IMM | BPF_DW) &&
		    (in.src_reg == BPF_PSEUDO_MAP_FD || in.src_reg == BPF_PSEUDO_MAP_VALUE || in.src_reg == BPF_PSEUDO_MAP_IDX ||
		     in.src_reg == BPF_PSEUDO_MAP_IDX_VALUE)) {
			bool by_index = in.src_reg == BPF_PSEUDO_MAP_IDX || in.src_reg == BPF_PSEUDO_MAP_IDX_VALUE;
			bool value = in.src_reg == BPF_PSEUDO_MAP_VALUE || in.src_reg == BPF_PSEUDO_MAP_IDX_VALUE;
			const struct bw_hold_map *m = map_of(p, (uint32_t)in.imm, by_index);

			in.src_reg = value ? BPF_PSEUDO_MAP_VALUE : BPF_PSEUDO_MAP_FD;
			in.imm = m ? (int32_t)number_of(nb, m->id) : 0;
			bw_buf_append(out, &in, sizeof(in));
			/* The second half is data, whatever it looks like. */
			if (++i < p->q.insn_cnt)
				bw_buf_append(out, &p->insns[i], sizeof(in));
			continue;
		}
		bw_buf_append(out, &in, sizeof(in));
		if (in.code == (BPF_LD | BPF_IMM | BPF_DW) && ++i < p->q.insn_cnt)
			bw_buf_append(out, &p->insns[i], sizeof(in));
	}
}

static void put_maps(const struct held_program *p, struct numbering *nb, struct bw_buf *out)
{
	static const char zeros[8];

	for (uint32_t i = 0; i < p->q.n_maps; i++) {
		const struct bw_hold_map *m = &p->q.maps[i];
		struct analyst_map rec = {
			.id = number_of(nb, m->id),
			.type = m->type,
			.key_size = m->key_size,
			.value_size = m->value_size,
			.max_entries = m->max_entries,
			.flags = m->flags,
			.data_len = p->values[i].len,
		};

		memcpy(rec.name, m->name, sizeof(rec.name) - 1);
		bw_buf_append(out, &rec, sizeof(rec));
		bw_buf_append(out, p->values[i].data, rec.data_len);
		bw_buf_append(out, zeros, (8 - rec.data_len % 8) % 8);
	}
}

int held_job(const struct held_programs *h, const struct held_program *p, struct bw_buf *out, struct held_job *ret)
{
	_cleanup_free_ struct numbering *nb = calloc(1, sizeof(*nb));
	const struct held_program *set[MAX_JOB_PROGRAMS];
	struct held_job job = { 0 };
	struct analyst_job head = { 0 };
	int r;

	if (!nb)
		return -ENOMEM;
	head.n_programs = job.n_programs = connected(h, p, set, &job.truncated);
	bw_buf_append(out, &head, sizeof(head));
	for (uint32_t i = 0; i < job.n_programs; i++) {
		const struct held_program *one = set[(i + 1) % job.n_programs];
		const struct bw_hold_question *q = &one->q;
		struct analyst_program rec = {
			.prog_type = q->prog_type,
			.attach_type = q->expected_attach_type,
			.prog_flags = q->prog_flags,
			.attach_btf_id = q->flags & BW_HOLD_TARGET_ELSEWHERE ? 0 : q->attach_btf_id,
			.n_insns = q->insn_cnt,
			.n_maps = q->n_maps,
		};

		memcpy(rec.name, q->name, sizeof(rec.name) - 1);
		bw_buf_append(out, &rec, sizeof(rec));
		put_insns(one, nb, out);
		put_maps(one, nb, out);
	}
	r = bw_buf_error(out);
	if (!r && (out->len > ANALYST_MAX_JOB || nb->n == MAX_JOB_MAPS))
		r = -E2BIG;
	job.n_maps = nb->n < HELD_JOB_MAPS ? nb->n : HELD_JOB_MAPS;
	memcpy(job.map_ids, nb->ids, job.n_maps * sizeof(job.map_ids[0]));
	if (!r)
		*ret = job;
	return r;
}
