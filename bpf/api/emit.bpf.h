/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_API_EMIT_BPF_H
#define BW_API_EMIT_BPF_H
/*
 * API visibility, layer 2: what all of its programs share. record.bpf.c does the rest, as a global function: the verifier
 * looks at it once, and not again for each of the many ways that lead there.
 */
#include "bpf/api/maps.bpf.h"

#define SECOND 1000000000ULL

/* ---- scratch ------------------------------------------------------------------------------------------------------ */

/*
 * A slot of this CPU. Taking it is not atomic: who was interrupted in the middle of it finds another owner in the slot
 * when it looks again, before anything is handed on.
 */
static __always_inline struct api_scratch *scratch_take(u64 id, u32 *ret_slot)
{
	u32 slot = bpf_get_smp_processor_id() * BW_API_SLOTS;

	for (int i = 0; i < BW_API_SLOTS; i++, slot++) {
		struct api_scratch *s = bpf_map_lookup_elem(&bw_api_scratch, &slot);

		if (s && !s->owner) {
			s->owner = id;
			*ret_slot = slot;
			return s;
		}
	}
	api_stat(BW_API_STAT_LOST_SCRATCH, 1);
	return NULL;
}

static __always_inline void scratch_give(struct api_scratch *s, u64 id)
{
	if (s->owner == id)
		s->owner = 0;
}

/* ---- records ------------------------------------------------------------------------------------------------------ */

static __always_inline void hdr_fill(struct bw_api_hdr *h, enum bw_api_type type, u32 size, u64 conn, u64 now)
{
	h->version = BW_API_VERSION;
	h->type = type;
	h->size = size;
	h->time_ns = now;
	h->conn = conn;
}

/* Nobody is woken, which would cost more than the copy: the reader looks by itself, many times a second. */
static __always_inline bool emit(struct bw_api_hdr *h, u32 size)
{
	if (bpf_ringbuf_output(&bw_api_ring, h, size, BPF_RB_NO_WAKEUP)) {
		api_stat(BW_API_STAT_LOST_RING, 1);
		return false;
	}
	api_stat(BW_API_STAT_RECORDS, 1);
	return true;
}

/* The connection has ended: nothing is said of one that was never told of. Needs no scratch: may come at any time. */
static __always_inline void emit_close(const struct api_conn *conn, u32 flags)
{
	struct bw_api_close e = { 0 };

	if (!conn->id)
		return;
	hdr_fill(&e.hdr, BW_API_CLOSE, sizeof(e), conn->id, bpf_ktime_get_boot_ns());
	e.pos[0] = conn->pos[0];
	e.pos[1] = conn->pos[1];
	e.flags = conn->skip ? flags | BW_API_SKIPPED : flags;
	emit(&e.hdr, sizeof(e));
}

static __always_inline bool is_ignored(u32 tgid)
{
	for (int i = 0; i < BW_API_MAX_IGNORED; i++)
		if (bw_api_conf.ignored[i] == tgid)
			return true;
	return false;
}

/*
 * Records that @slot's bytes were moved over the connection @a of bw_api_conns (@b is 0), or over that of bw_api_tls with the object
 * @a and @b = TLS_KEY(process, source).
 */
int bw_api_record(u32 slot, u64 a, u64 b);
#define TLS_KEY(tgid, source) ((u64)(source) << 32 | (tgid))

#endif
