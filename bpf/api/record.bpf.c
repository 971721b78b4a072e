// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * API visibility: from "this call moved these bytes on that connection" to records. Connections that do not speak HTTP stop being
 * copied after a few calls; what is not copied is counted and marked. When the reader does not keep up, whole requests are left out with
 * their responses, so that what is recorded is worth reading.
 */
#include "bpf/api/emit.bpf.h"

#define API_TRIES 6	    /* calls after which a connection seen from its beginning is something else */
#define API_TRIES_MIDWAY 64 /* the same for one that is older than the probes */

struct api_iovec {
	u64 base;
	u64 len;
};

__noinline int bw_api_gather(u32 slot)
{
	struct api_scratch *s = bpf_map_lookup_elem(&bw_api_scratch, &slot);
	u32 off = 0, want;

	if (!s)
		return 0;
	s->failed = 0;
	want = s->want;
	if (want > BW_API_DATA_MAX)
		want = BW_API_DATA_MAX;
	for (u32 i = 0; i < API_MAX_IOVS; i++) {
		struct api_iovec v = { s->base, want };
		u32 n;

		if (off >= want)
			break;
		if (s->iov) {
			if (i >= s->n_iov)
				break;
			if (bpf_probe_read_user(&v, sizeof(v), (void *)(s->iov + i * sizeof(v)))) {
				s->failed = 1;
				break;
			}
		} else if (i) {
			break;
		}
		n = v.len > want - off ? want - off : (u32)v.len;
		if (!n)
			continue;
		/* In a form that older verifiers keep track of. */
		asm volatile("" : "+r"(n), "+r"(off));
		if (n > BW_API_DATA_MAX)
			break;
		off &= BW_API_DATA_MAX - 1;
		if (bpf_probe_read_user(s->bytes + off, n, (void *)v.base)) {
			s->failed = 1;
			break;
		}
		off += n;
	}
	s->got = off;
	return 0;
}

/* ---- what is it? -------------------------------------------------------------------------------------------------- */

#define WORD(a, b, c, d) ((u32)(a) | (u32)(b) << 8 | (u32)(c) << 16 | (u32)(d) << 24)

static __always_inline bool is_http1(u32 w)
{
	switch (w) {
	case WORD('G', 'E', 'T', ' '):
	case WORD('P', 'O', 'S', 'T'):
	case WORD('P', 'U', 'T', ' '):
	case WORD('H', 'E', 'A', 'D'):
	case WORD('H', 'T', 'T', 'P'):
	case WORD('D', 'E', 'L', 'E'):
	case WORD('P', 'A', 'T', 'C'):
	case WORD('O', 'P', 'T', 'I'):
	case WORD('C', 'O', 'N', 'N'):
	case WORD('T', 'R', 'A', 'C'):
	case WORD('P', 'R', 'I', ' '): /* the preface of HTTP/2 */
	case WORD('P', 'R', 'O', 'P'): /* PROPFIND, PROPPATCH */
	case WORD('R', 'E', 'P', 'O'):
	case WORD('S', 'E', 'A', 'R'):
	case WORD('P', 'U', 'R', 'G'):
	case WORD('M', 'K', 'C', 'O'):
	case WORD('Q', 'U', 'E', 'R'):
	case WORD('P', 'R', 'O', 'X'): /* the PROXY protocol, version 1 */
		return true;
	}
	return false;
}

/* RFC 9113 4.1: a frame that a connection without its beginning is recognised by: HEADERS on a stream of a client. */
static __always_inline bool is_http2_frame(const u8 *p)
{
	u32 len = (u32)p[0] << 16 | (u32)p[1] << 8 | p[2];
	u32 stream = (u32)p[5] << 24 | (u32)p[6] << 16 | (u32)p[7] << 8 | p[8];

	return p[3] == 1 && len && len <= 16384 && (p[4] & 4) && !(p[4] & ~0x2d) && (stream & 1) && stream < 1u << 24;
}

/* RFC 9113 6.5: the server's first frame. */
static __always_inline bool is_http2_settings(const u8 *p)
{
	u32 len = (u32)p[0] << 16 | (u32)p[1] << 8 | p[2];

	return p[3] == 4 && len % 6 == 0 && len <= 120 && !p[4] && !(p[5] | p[6] | p[7] | p[8]);
}

static __always_inline enum bw_api_state sniff(const u8 *p, u32 len)
{
	if (len < 4)
		return BW_API_UNKNOWN;
	if (is_http1(WORD(p[0], p[1], p[2], p[3])))
		return BW_API_HTTP;
	/* RFC 8446 5.1: a record's type, and the version that all of them state. */
	if (p[0] >= 20 && p[0] <= 23 && p[1] == 3 && p[2] <= 4)
		return BW_API_TLS;
	if (len >= 9 && (is_http2_frame(p) || is_http2_settings(p)))
		return BW_API_HTTP;
	return BW_API_UNKNOWN;
}

/* Of a connection that is HTTP, as struct api_conn has it. */
static __always_inline u8 requests_of(const u8 *p, u32 dir)
{
	u32 w = WORD(p[0], p[1], p[2], p[3]);

	if (!is_http1(w) || w == WORD('P', 'R', 'I', ' '))
		return 0;
	return 1 + (w == WORD('H', 'T', 'T', 'P') ? !dir : dir);
}

/* ---- records ------------------------------------------------------------------------------------------------------ */

/* A number that no other connection gets: which CPU, and how many it has given. */
static __always_inline u64 conn_number(struct api_cpu *c)
{
	return ++c->ids << 12 | (bpf_get_smp_processor_id() & 0xfff);
}

/* Tells user space about the connection. On loss it is told at the next occasion. */
static __always_inline bool emit_open(struct api_scratch *s, u64 id, struct api_conn *conn, struct api_cpu *c, u64 now)
{
	struct bw_api_open *o = &s->open;
	u64 number = conn->id ? conn->id : conn_number(c);

	__builtin_memset(o, 0, sizeof(*o));
	hdr_fill(&o->hdr, BW_API_OPEN, sizeof(*o), number, now);
	actor_fill(&o->actor);
	o->local = conn->local;
	o->remote = conn->remote;
	o->flags = conn->flags;
	o->role = conn->role;
	o->source = conn->source;
	if (s->owner != id) {
		api_stat(BW_API_STAT_LOST_SCRATCH, 1);
		return false;
	}
	if (!emit(&o->hdr, sizeof(*o)))
		return false;
	conn->id = number;
	conn->changed = 0;
	return true;
}

/* Budgets are per second. */
static __always_inline void roll(struct api_conn *conn, struct api_cpu *c, u64 second)
{
	if (conn->window != second) {
		conn->window = second;
		conn->spent = 0;
		conn->calls = 0;
	}
	if (c->window != second) {
		c->window = second;
		c->spent = 0;
		c->calls = 0;
	}
}

/* ---- what is left out --------------------------------------------------------------------------------------------- */

/* The client's end of a connection within this host: the server's end tells of the same calls. */
static __always_inline bool is_second_end(const struct api_conn *conn)
{
	if (conn->role != BW_API_CLIENT)
		return false;
	if (conn->remote.family == AF_UNIX || (conn->remote.family == AF_INET && conn->remote.bytes[0] == 127))
		return true;
	for (int i = 0; i < 16; i++)
		if (conn->remote.bytes[i] != conn->local.bytes[i])
			return false;
	return true;
}

/* Is there room for another request, or only in a quarter of the usual? Second ends are the first to be left out. */
static __always_inline bool has_room(struct api_conn *conn, struct api_cpu *c, bool second_end, u32 part)
{
	u64 limit = bw_api_conf.ring_bytes / (second_end ? 16 : 4);

	if (bpf_ringbuf_query(&bw_api_ring, BPF_RB_AVAIL_DATA) > limit / part)
		return false;
	if (bw_api_conf.conn_calls && conn->calls >= bw_api_conf.conn_calls)
		return false;
	if (bw_api_conf.cpu_calls && c->calls >= bw_api_conf.cpu_calls)
		return false;
	return true;
}

/* The first @n bytes of what was moved. */
static __always_inline bool peek(const struct api_scratch *s, u8 *p, u32 n)
{
	struct api_iovec v = { s->base, s->n };

	if (s->iov && bpf_probe_read_user(&v, sizeof(v), (void *)s->iov))
		return false;
	return v.base && v.len >= n && s->n >= n && !bpf_probe_read_user(p, n, (void *)v.base);
}

/* May the decision about this connection change with these bytes? */
static __always_inline bool is_turn(const struct api_scratch *s, const struct api_conn *conn, bool turned)
{
	u32 word;
	u8 p[9];

	/* HTTP/1: with a request that comes after a response. What follows "100 Continue" is none. */
	if (conn->requests)
		return turned && conn->requests == 1 + (s->dir & 1) && peek(s, (u8 *)&word, sizeof(word)) && is_http1(word);
	/* HTTP/2: at any time to be left out, since without all of its headers those that follow mean nothing; to come back, not
	   before the next second, and with a request's headers. */
	if (conn->skip != API_SKIPPING)
		return true;
	return bpf_ktime_get_boot_ns() / SECOND != conn->window && conn->role == ((s->dir & 1) ? BW_API_CLIENT : BW_API_SERVER) &&
	       peek(s, p, sizeof(p)) && is_http2_frame(p);
}

/*
 * Are these bytes recorded? What does not fit is left out by whole requests with their responses, or by whole connections: an
 * application is not slowed down by a reader that lags, and what is recorded has no holes.
 */
static __always_inline bool is_taken(struct api_scratch *s, struct api_conn *conn, struct api_cpu *c, u64 now)
{
	u8 dir = 1 + (s->dir & 1);
	bool turned = conn->last != dir, second;

	conn->last = dir;
	if (is_turn(s, conn, turned)) {
		second = is_second_end(conn);
		if (conn->requests || conn->skip != API_SKIPPING)
			roll(conn, c, now / SECOND);
		if (!has_room(conn, c, second, conn->requests || conn->skip != API_SKIPPING ? 1 : 4)) {
			if (conn->requests || conn->skip != API_SKIPPING)
				api_stat(second ? BW_API_STAT_SKIPPED_ENDS : BW_API_STAT_SKIPPED, 1);
			conn->skip = API_SKIPPING;
		} else {
			conn->calls += !!conn->requests;
			c->calls += !!conn->requests;
			if (conn->skip == API_SKIPPING)
				conn->skip = API_RESUMED;
		}
	}
	if (conn->skip != API_SKIPPING)
		return true;
	api_stat(BW_API_STAT_SKIPPED_BYTES, s->n);
	return false;
}

/* ---- bytes -------------------------------------------------------------------------------------------------------- */

/* How much of @n bytes may be copied now. */
static __always_inline u32 budget(struct api_conn *conn, struct api_cpu *c, u64 n, u64 now)
{
	u64 waiting = bpf_ringbuf_query(&bw_api_ring, BPF_RB_AVAIL_DATA);
	u64 ring = bw_api_conf.ring_bytes;
	u32 allowed = bw_api_conf.call_bytes;

	roll(conn, c, now / SECOND);
	/* The reader does not keep up: first heads only, then lengths only. */
	if (waiting > ring / 2 || conn->spent > bw_api_conf.conn_bytes || c->spent > bw_api_conf.cpu_bytes)
		allowed = BW_API_CUT;
	if (waiting > ring / 8 * 7 || conn->spent > bw_api_conf.conn_bytes * 2 || c->spent > bw_api_conf.cpu_bytes * 2)
		allowed = 0;
	if (allowed > BW_API_DATA_MAX)
		allowed = BW_API_DATA_MAX;
	if (n < allowed)
		allowed = (u32)n;
	conn->spent += allowed;
	c->spent += allowed;
	return allowed;
}

static __always_inline void emit_data(struct api_scratch *s, u32 slot, u64 id, struct api_conn *conn, struct api_cpu *c,
				      u64 now)
{
	struct bw_api_data *d = &s->data;
	u32 got = 0;

	s->want = s->base || s->iov ? budget(conn, c, s->n, now) : 0;
	s->got = 0;
	s->failed = 0;
	if (s->want)
		bw_api_gather(slot);
	if (s->failed)
		api_stat(BW_API_STAT_READ_FAILED, 1);
	got = s->got;
	if (got > BW_API_DATA_MAX)
		got = BW_API_DATA_MAX;
	hdr_fill(&d->hdr, BW_API_DATA, sizeof(*d) + got, conn->id, now);
	d->pos = conn->pos[s->dir & 1];
	d->len = got;
	d->total = s->n > 0xffffffff ? 0xffffffff : (u32)s->n;
	d->tid = (u32)id;
	d->flags = got < s->n && !s->failed ? BW_API_SAMPLED : 0;
	d->dir = s->dir & 1;
	d->pad = 0;
	d->other = conn->pos[~s->dir & 1];
	if (conn->skip == API_RESUMED)
		d->flags |= BW_API_SKIPPED;
	if (s->owner != id) {
		api_stat(BW_API_STAT_LOST_SCRATCH, 1);
		return;
	}
	asm volatile("" : "+r"(got));
	if (got > BW_API_DATA_MAX)
		return;
	if (!emit(&d->hdr, sizeof(*d) + got)) {
		api_stat(BW_API_STAT_LOST_BYTES, got);
		if (conn->requests)
			conn->skip = API_SKIPPING; /* the rest of a request without its beginning is of no use */
		return;
	}
	conn->skip = API_TAKEN;
	api_stat(BW_API_STAT_COPIED, got);
	if (got < s->n)
		api_stat(BW_API_STAT_CUT, s->n - got);
}

/* Looks at the first bytes of a call on a connection that nothing is known of yet. */
static __always_inline void recognise(struct api_scratch *s, u32 slot, struct api_conn *conn)
{
	enum bw_api_state state;

	if (!s->base && !s->iov)
		return;
	s->want = s->n < BW_API_SNIFF ? (u32)s->n : BW_API_SNIFF;
	bw_api_gather(slot);
	state = sniff(s->bytes, s->got);
	if (state == BW_API_UNKNOWN && ++conn->tries >= (conn->flags & BW_API_MIDWAY ? API_TRIES_MIDWAY : API_TRIES))
		state = BW_API_OTHER;
	if (state == BW_API_UNKNOWN)
		return;
	conn->state = state;
	conn->requests = state == BW_API_HTTP ? requests_of(s->bytes, s->dir & 1) : 0;
	/* The first bytes through a TLS object are the beginning, whether its handshake was seen or not. */
	if (conn->source != BW_API_SOCKET && conn->tries <= 1 && !conn->pos[0] && !conn->pos[1])
		conn->flags &= ~BW_API_MIDWAY;
	api_stat(state == BW_API_HTTP ? BW_API_STAT_HTTP : state == BW_API_TLS ? BW_API_STAT_TLS : BW_API_STAT_OTHER, 1);
	if (state == BW_API_HTTP && (conn->pos[0] || conn->pos[1]))
		conn->flags |= BW_API_MIDWAY;
	if (state == BW_API_HTTP && conn->flags & BW_API_MIDWAY)
		api_stat(BW_API_STAT_MIDWAY, 1);
}

__noinline int bw_api_record(u32 slot, u64 a, u64 b)
{
	struct api_scratch *s = bpf_map_lookup_elem(&bw_api_scratch, &slot);
	struct api_tls_key key = { a, (u32)b, (u32)(b >> 32) };
	u64 id = bpf_get_current_pid_tgid(), now;
	struct api_conn *conn;
	struct api_cpu *c;
	u32 zero = 0;

	conn = b ? bpf_map_lookup_elem(&bw_api_tls, &key) : bpf_map_lookup_elem(&bw_api_conns, &a);
	c = bpf_map_lookup_elem(&bw_api_cpus, &zero);
	if (!s || !conn || !c)
		return 0;
	if (conn->state == BW_API_UNKNOWN)
		recognise(s, slot, conn);
	if (conn->state == BW_API_HTTP) {
		now = bpf_ktime_get_boot_ns();
		if (is_taken(s, conn, c, now)) {
			if ((conn->id && !conn->changed) || emit_open(s, id, conn, c, now))
				emit_data(s, slot, id, conn, c, now);
			else
				api_stat(BW_API_STAT_LOST_BYTES, s->n);
		}
	}
	__atomic_fetch_add(&conn->pos[s->dir & 1], s->n, __ATOMIC_RELAXED);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
