// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign shape: a profiler that collects an application's own variables: numbers, strings and maps of strings, each as long as it is, one
// behind the other in a per-CPU buffer. Everything unrolled: some ten thousand instructions, thousands of writes at places that vary.
#include "sample.h"

LICENSE;

#define N_STRINGS 25
#define N_MAPS 60
#define N_ENTRIES 20
#define STRING_MAX 24
#define PAYLOAD_MAX ((N_STRINGS + N_MAPS * (1 + 2 * N_ENTRIES)) * STRING_MAX)

struct config {
	u64 base;
	u64 ints[2], strings[N_STRINGS], maps[N_MAPS];
};
struct entry {
	u64 key, value;
};
struct user_map {
	u64 id, count;
	struct entry entries[N_ENTRIES];
};
struct sample {
	u32 pid, stack;
	char comm[16];
	u64 ints[2], seen;
	u16 string_len[N_STRINGS];
	struct {
		u64 id;
		u16 count, tag_len, key_len[N_ENTRIES], value_len[N_ENTRIES];
	} maps[N_MAPS];
	char payload[PAYLOAD_MAX];
};
HASH(configs, u32, struct config, 64);
PERCPU(heap, struct sample);
PERFBUF(samples);

static __always_inline u64 append(struct sample *s, u64 at, u64 from, u16 *ret)
{
	u64 len;

	*ret = 0;
	if (at > PAYLOAD_MAX - STRING_MAX)
		return at;
	len = bpf_probe_read_user_str(s->payload + at, STRING_MAX, (void *)from);
	if (len > STRING_MAX)
		return at;
	*ret = len;
	return at + len;
}

SEC("perf_event")
int sample_variables(struct bpf_perf_event_data *ctx)
{
	u32 zero = 0, pid = tgid();
	struct sample *s = bpf_map_lookup_elem(&heap, &zero);
	struct config *c = bpf_map_lookup_elem(&configs, &pid);
	u64 at = 0, len;

	if (!s || !c)
		return 0;
	s->pid = pid;
	s->seen = 0;
	bpf_get_current_comm(s->comm, sizeof(s->comm));
#pragma unroll
	for (int i = 0; i < 2; i++) {
		if (c->ints[i]) {
			bpf_probe_read_user(&s->ints[i], 8, (void *)(c->base + c->ints[i]));
			s->seen |= 1u << i;
		}
	}
#pragma unroll
	for (int i = 0; i < N_STRINGS; i++) {
		u64 p = 0;

		s->string_len[i] = 0;
		if (c->strings[i] && !bpf_probe_read_user(&p, 8, (void *)(c->base + c->strings[i])))
			at = append(s, at, p, &s->string_len[i]);
	}
#pragma unroll
	for (int i = 0; i < N_MAPS; i++) {
		struct user_map m;

		s->maps[i].count = 0;
		if (!c->maps[i] || bpf_probe_read_user(&m, sizeof(m), (void *)(c->base + c->maps[i])))
			continue;
		s->maps[i].id = m.id;
		s->maps[i].count = m.count;
		at = append(s, at, m.id, &s->maps[i].tag_len);
#pragma unroll
		for (int k = 0; k < N_ENTRIES; k++) {
			s->maps[i].key_len[k] = 0;
			s->maps[i].value_len[k] = 0;
			if (k >= m.count)
				break;
			at = append(s, at, m.entries[k].key, &s->maps[i].key_len[k]);
			at = append(s, at, m.entries[k].value, &s->maps[i].value_len[k]);
		}
	}
	len = sizeof(*s) - PAYLOAD_MAX + at;
	if (len <= sizeof(*s))
		bpf_perf_event_output(ctx, &samples, BPF_F_CURRENT_CPU, s, len);
	return 0;
}
