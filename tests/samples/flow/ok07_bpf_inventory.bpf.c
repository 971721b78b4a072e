// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T07: iterators that list programs and maps; they read BPF internals and change nothing.
#include "kernel_types.h"

LICENSE;

struct row {
	u32 id, size;
	char name[16];
};

SEC("iter/bpf_prog")
int list_progs(struct bpf_iter__bpf_prog *ctx)
{
	struct bpf_prog *p = ctx->prog;
	struct bpf_prog_aux *aux;
	struct row r = {};

	if (!p)
		return 0;
	aux = p->aux;
	r.id = aux->id;
	r.size = p->len;
	bpf_probe_read_kernel_str(r.name, sizeof(r.name), aux->name);
	bpf_seq_write(ctx->meta->seq, &r, sizeof(r));
	return 0;
}

SEC("iter/bpf_map")
int list_maps(struct bpf_iter__bpf_map *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct bpf_map *m = ctx->map;

	if (!m)
		return 0;
	if (ctx->meta->seq_num == 0)
		BPF_SEQ_PRINTF(seq, "id name entries\n");
	BPF_SEQ_PRINTF(seq, "%u %s %u\n", m->id, m->name, m->max_entries);
	return 0;
}
