// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/requests.h"

#include <string.h>

struct say_head {
	int64_t time_ns;
	uint32_t severity, n_kv;
};

struct say_kv {
	uint64_t u64;
	uint32_t type, has_str;
};

static void put_string(struct bw_buf *b, const char *s)
{
	bw_buf_append(b, s, strlen(s) + 1);
}

void say_pack(const struct say *s, const struct alert_kv *kv, struct bw_buf *out)
{
	struct say_head h = { .time_ns = s->time_ns, .severity = s->severity };

	while (kv && h.n_kv < SAY_MAX_KV && kv[h.n_kv].type != ALERT_KV_END)
		h.n_kv++;
	bw_buf_append(out, &h, sizeof(h));
	put_string(out, s->event);
	put_string(out, s->message);
	for (uint32_t i = 0; i < h.n_kv; i++) {
		struct say_kv v = { .u64 = kv[i].u64, .type = kv[i].type, .has_str = kv[i].str != NULL };

		bw_buf_append(out, &v, sizeof(v));
		put_string(out, kv[i].key);
		put_string(out, kv[i].str ? kv[i].str : "");
	}
}

static bool take(struct bw_slice *in, void *dst, size_t len)
{
	if (!bw_slice_copy(*in, 0, dst, len))
		return false;
	*in = bw_slice(in->data + len, in->len - len);
	return true;
}

static const char *take_string(struct bw_slice *in)
{
	const char *s = bw_slice_str(*in, 0);

	if (s)
		*in = bw_slice(in->data + strlen(s) + 1, in->len - strlen(s) - 1);
	return s;
}

int say_unpack(struct bw_slice in, struct say *ret)
{
	struct say s = { 0 };
	struct say_head h;
	struct say_kv v;

	if (!take(&in, &h, sizeof(h)) || h.severity >= ALERT_SEVERITIES || h.n_kv > SAY_MAX_KV)
		return -EBADMSG;
	s.time_ns = h.time_ns;
	s.severity = h.severity;
	s.event = take_string(&in);
	s.message = s.event ? take_string(&in) : NULL;
	if (!s.message)
		return -EBADMSG;
	for (uint32_t i = 0; i < h.n_kv; i++) {
		if (!take(&in, &v, sizeof(v)) || v.type == ALERT_KV_END || v.type > ALERT_KV_BOOL || v.has_str > 1)
			return -EBADMSG;
		s.kv[i].type = v.type;
		s.kv[i].u64 = v.u64;
		s.kv[i].key = take_string(&in);
		s.kv[i].str = s.kv[i].key ? take_string(&in) : NULL;
		if (!s.kv[i].str)
			return -EBADMSG;
		if (!v.has_str)
			s.kv[i].str = NULL;
	}
	if (in.len)
		return -EBADMSG;
	*ret = s;
	return 0;
}
