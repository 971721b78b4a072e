/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_EMIT_BPF_H
#define BW_EMIT_BPF_H
/*
 * Layer 3: hands records to user space. Every loss is counted here, at its site.
 */
#include "bpf/extract.bpf.h"

static __always_inline void event_begin(struct bw_event_hdr *hdr, enum bw_event_type type, u32 size, enum bw_hook hook)
{
	hdr->version = BW_EVENT_VERSION;
	hdr->type = type;
	hdr->size = size;
	hdr->hook = hook;
	hdr->time_ns = bpf_ktime_get_boot_ns();
}

/* @alert: the record goes to the buffer reserved for what was refused. */
static __always_inline void event_emit(struct bw_event_hdr *hdr, u32 size, bool alert)
{
	u32 zero = 0;
	struct bw_cpu *c = bpf_map_lookup_elem(&bw_cpus, &zero);
	long r;

	hdr->cpu = bpf_get_smp_processor_id();
	hdr->seq = c ? ++c->seq : 0;
	if (alert)
		r = bpf_ringbuf_output(&bw_alerts, hdr, size, 0);
	else
		r = bpf_ringbuf_output(&bw_events, hdr, size, 0);
	stat_add(r ? BW_STAT_LOST_RING : BW_STAT_EMITTED, 1);
}

#endif
