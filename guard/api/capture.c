// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/api/capture.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "bpf/api.h"
#include "common/cleanup.h"
#include "common/slice.h"
#include "guard/decode.h"

struct conn {
	uint64_t id;
	struct conn *chain;	   /* same bucket */
	struct conn *newer, *older; /* by last use */
	uint64_t used_ns;
	uint64_t next[API_DIRS]; /* position expected */
	uint32_t flags;
	struct api_peer peer;
	char comm[BW_COMM_LEN + 1];
	char *exe;
};

struct api_capture {
	api_chunk_fn fn;
	void *arg;
	uint32_t max, n_buckets;
	struct conn **buckets;
	struct conn *newest, *oldest;
	struct api_capture_stats stats;
};

_Static_assert((int)BW_API_IN == (int)API_DIR_IN && (int)BW_API_OUT == (int)API_DIR_OUT, "directions");
_Static_assert((int)BW_API_BORINGSSL == (int)API_SOURCE_BORINGSSL && (int)BW_API_GO_TLS == (int)API_SOURCE_GO_TLS &&
		       (int)BW_API_GNUTLS == (int)API_SOURCE_GNUTLS && (int)BW_API_OPENSSL == (int)API_SOURCE_OPENSSL,
	       "sources");
_Static_assert((int)BW_API_SERVER == (int)API_ROLE_SERVER && (int)BW_API_CLIENT == (int)API_ROLE_CLIENT, "roles");

int api_capture_new(uint32_t max_conns, api_chunk_fn fn, void *arg, struct api_capture **ret)
{
	struct api_capture *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->fn = fn;
	c->arg = arg;
	c->max = max_conns ? max_conns : API_CAPTURE_MAX_CONNS;
	for (c->n_buckets = 64; c->n_buckets < c->max; c->n_buckets *= 2)
		;
	c->buckets = calloc(c->n_buckets, sizeof(*c->buckets));
	if (!c->buckets) {
		free(c);
		return -ENOMEM;
	}
	*ret = c;
	return 0;
}

/* ---- the table ----------------------------------------------------------------------------------------------------- */

static struct conn **bucket_of(struct api_capture *c, uint64_t id)
{
	return &c->buckets[(id * 0x9e3779b97f4a7c15ULL >> 32) & (c->n_buckets - 1)];
}

static struct conn *conn_find(struct api_capture *c, uint64_t id)
{
	struct conn *conn = *bucket_of(c, id);

	while (conn && conn->id != id)
		conn = conn->chain;
	return conn;
}

static void list_remove(struct api_capture *c, struct conn *conn)
{
	*(conn->newer ? &conn->newer->older : &c->newest) = conn->older;
	*(conn->older ? &conn->older->newer : &c->oldest) = conn->newer;
}

static void list_add(struct api_capture *c, struct conn *conn)
{
	conn->newer = NULL;
	conn->older = c->newest;
	*(c->newest ? &c->newest->newer : &c->oldest) = conn;
	c->newest = conn;
}

static void conn_used(struct api_capture *c, struct conn *conn, uint64_t now_ns)
{
	conn->used_ns = now_ns;
	if (c->newest == conn)
		return;
	list_remove(c, conn);
	list_add(c, conn);
}

static void conn_forget(struct api_capture *c, struct conn *conn)
{
	struct conn **p = bucket_of(c, conn->id);

	while (*p != conn)
		p = &(*p)->chain;
	*p = conn->chain;
	list_remove(c, conn);
	c->stats.conns--;
	free(conn->exe);
	free(conn);
}

static void say_closed(struct api_capture *c, struct conn *conn, uint64_t time_ns, uint32_t flags)
{
	struct api_chunk chunk = {
		.conn = conn->id,
		.time_ns = time_ns,
		.pos = conn->next[API_DIR_IN],
		.other = conn->next[API_DIR_OUT],
		.data = (const uint8_t *)"",
		.flags = API_CHUNK_CLOSED | flags,
		.dir = API_DIR_IN,
		.peer = &conn->peer,
	};

	c->stats.chunks++;
	c->fn(c->arg, &chunk);
}

void api_capture_free(struct api_capture *c)
{
	if (!c)
		return;
	while (c->oldest)
		conn_forget(c, c->oldest);
	free(c->buckets);
	free(c);
}

static int conn_add(struct api_capture *c, uint64_t id, uint64_t now_ns, struct conn **ret)
{
	struct conn *conn = calloc(1, sizeof(*conn)), **bucket;

	if (!conn)
		return -ENOMEM;
	if (c->stats.conns >= c->max) {
		say_closed(c, c->oldest, now_ns, 0);
		conn_forget(c, c->oldest);
		c->stats.evicted++;
	}
	bucket = bucket_of(c, id);
	conn->id = id;
	conn->used_ns = now_ns;
	conn->chain = *bucket;
	*bucket = conn;
	list_add(c, conn);
	c->stats.conns++;
	*ret = conn;
	return 0;
}

/* ---- records ------------------------------------------------------------------------------------------------------- */

/* An IPv4 address in an IPv6 socket (RFC 4291 2.5.5.2) is an IPv4 address. */
static bool address_decode(const struct bw_api_addr *a, struct api_address *ret)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (a->family && a->family != AF_INET && a->family != AF_INET6 && a->family != AF_UNIX)
		return false;
	*ret = (struct api_address){ .family = a->family, .port = a->port };
	if (a->family == AF_INET6 && !memcmp(a->bytes, mapped, sizeof(mapped))) {
		ret->family = AF_INET;
		memcpy(ret->bytes, a->bytes + 12, 4);
	} else if (a->family == AF_INET6) {
		memcpy(ret->bytes, a->bytes, 16);
	} else if (a->family == AF_INET) {
		memcpy(ret->bytes, a->bytes, 4);
	}
	return true;
}

/* May come again for a connection of which more has become known. */
static int on_open(struct api_capture *c, struct bw_slice record)
{
	_cleanup_free_ char *exe = NULL;
	struct api_address local, remote;
	struct decode_actor actor;
	struct bw_api_open o;
	struct conn *conn;
	int r;

	if (record.len != sizeof(o) || !bw_slice_copy(record, 0, &o, sizeof(o)))
		return -EMSGSIZE;
	if (o.role > BW_API_CLIENT || o.source > BW_API_BORINGSSL || !address_decode(&o.local, &local) ||
	    !address_decode(&o.remote, &remote))
		return -EBADMSG;
	r = decode_actor(&o.actor, &actor);
	if (r < 0)
		return r;
	exe = strdup(actor.exe);
	if (!exe)
		return -ENOMEM;
	conn = conn_find(c, o.hdr.conn);
	if (!conn) {
		r = conn_add(c, o.hdr.conn, o.hdr.time_ns, &conn);
		if (r < 0)
			return r;
	}
	conn_used(c, conn, o.hdr.time_ns);
	if (o.flags & BW_API_MIDWAY)
		conn->flags |= API_CHUNK_MIDWAY;
	memcpy(conn->comm, actor.comm, sizeof(conn->comm));
	free(conn->exe);
	conn->exe = TAKE_PTR(exe);
	conn->peer = (struct api_peer){
		.tgid = actor.tgid,
		.start_ns = actor.start_ns,
		.cgroup_id = actor.cgroup_id,
		.uid = actor.uid,
		.net_ns = actor.net_ns,
		.comm = conn->comm,
		.exe = conn->exe,
		.role = (enum api_role)o.role,
		.source = (enum api_source)o.source,
		.local = local,
		.remote = remote,
	};
	return 0;
}

static int on_data(struct api_capture *c, struct bw_slice record)
{
	struct api_chunk chunk;
	struct bw_slice bytes;
	struct bw_api_data d;
	struct conn *conn;

	if (!bw_slice_copy(record, 0, &d, sizeof(d)) || !bw_slice_sub(record, sizeof(d), d.len, &bytes) ||
	    record.len != sizeof(d) + d.len)
		return -EMSGSIZE;
	if (d.dir >= API_DIRS || d.len > BW_API_DATA_MAX || d.total < d.len || d.pos > UINT64_MAX - d.total)
		return -EBADMSG;
	conn = conn_find(c, d.hdr.conn);
	if (!conn) {
		c->stats.unknown_conn++;
		return 0;
	}
	conn_used(c, conn, d.hdr.time_ns);
	if (d.pos < conn->next[d.dir]) {
		c->stats.late++;
		return 0;
	}
	conn->next[d.dir] = d.pos + d.total;
	if (d.flags & BW_API_SKIPPED && d.other > conn->next[!d.dir])
		conn->next[!d.dir] = d.other;
	chunk = (struct api_chunk){
		.conn = conn->id,
		.time_ns = d.hdr.time_ns,
		.pos = d.pos,
		.other = conn->next[!d.dir],
		.data = bytes.data,
		.len = d.len,
		.skipped = d.total - d.len,
		.tid = d.tid,
		.flags = conn->flags | (d.flags & BW_API_SAMPLED ? API_CHUNK_SAMPLED : 0) | (d.flags & BW_API_SKIPPED ? API_CHUNK_SKIPPED : 0),
		.dir = (enum api_dir)d.dir,
		.peer = &conn->peer,
	};
	c->stats.chunks++;
	c->stats.bytes += d.len;
	c->fn(c->arg, &chunk);
	return 0;
}

static int on_close(struct api_capture *c, struct bw_slice record)
{
	struct bw_api_close e;
	struct conn *conn;

	if (record.len != sizeof(e) || !bw_slice_copy(record, 0, &e, sizeof(e)))
		return -EMSGSIZE;
	conn = conn_find(c, e.hdr.conn);
	if (!conn)
		return 0;
	/* Says how much went each way in all: what was lost at the end is a gap as well. */
	for (int dir = 0; dir < API_DIRS; dir++)
		if (e.pos[dir] > conn->next[dir])
			conn->next[dir] = e.pos[dir];
	say_closed(c, conn, e.hdr.time_ns, conn->flags | (e.flags & BW_API_RESET ? API_CHUNK_RESET : 0) | (e.flags & BW_API_SKIPPED ? API_CHUNK_SKIPPED : 0));
	conn_forget(c, conn);
	return 0;
}

static int record_decode(struct api_capture *c, struct bw_slice record)
{
	struct bw_api_hdr h;

	if (!bw_slice_copy(record, 0, &h, sizeof(h)))
		return -EMSGSIZE;
	if (h.version != BW_API_VERSION)
		return -EPROTONOSUPPORT;
	if (h.size > record.len)
		return -EMSGSIZE;
	record.len = h.size; /* the ring rounds up */
	switch (h.type) {
	case BW_API_OPEN:
		return on_open(c, record);
	case BW_API_DATA:
		return on_data(c, record);
	case BW_API_CLOSE:
		return on_close(c, record);
	}
	return -EOPNOTSUPP;
}

int api_capture_record(struct api_capture *c, const void *data, size_t size)
{
	int r = record_decode(c, bw_slice(data, size));

	c->stats.records++;
	c->stats.undecodable += r < 0;
	return r;
}

void api_capture_expire(struct api_capture *c, uint64_t before_ns)
{
	while (c->oldest && c->oldest->used_ns < before_ns) {
		say_closed(c, c->oldest, before_ns, 0);
		conn_forget(c, c->oldest);
		c->stats.expired++;
	}
}

const struct api_capture_stats *api_capture_stats(const struct api_capture *c)
{
	return &c->stats;
}
