// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/api/grpc.h"

#include <string.h>

void grpc_feed(struct grpc_reader *g, struct bw_slice data)
{
	while (data.len && !g->broken) {
		size_t n;

		if (g->have < sizeof(g->prefix)) {
			g->prefix[g->have++] = data.data[0];
			data.data++;
			data.len--;
			if (g->have < sizeof(g->prefix))
				continue;
			g->left = bw_get_u32(g->prefix + 1, true);
			g->in_trailer = g->prefix[0] & 0x80;
			if (g->left > GRPC_MAX_MESSAGE || (g->prefix[0] & 0x7e)) {
				g->broken = true;
				return;
			}
			if (!g->in_trailer) {
				g->messages++;
				g->compressed += g->prefix[0] & 1;
			}
			if (!g->left)
				g->have = 0;
			continue;
		}
		n = g->left < data.len ? g->left : data.len;
		if (g->in_trailer) {
			size_t room = sizeof(g->trailer) - g->trailer_len, take = n < room ? n : room;

			memcpy(g->trailer + g->trailer_len, data.data, take);
			g->trailer_len = (uint16_t)(g->trailer_len + take);
		}
		g->left -= (uint32_t)n;
		data.data += n;
		data.len -= n;
		if (!g->left)
			g->have = 0;
	}
}

void grpc_gap(struct grpc_reader *g, uint64_t n)
{
	if (g->have < sizeof(g->prefix) || n > g->left) {
		g->broken = true;
		return;
	}
	g->left -= (uint32_t)n;
	if (!g->left)
		g->have = 0;
}

int grpc_status_parse(struct bw_slice v)
{
	int n = 0;

	while (v.len && v.data[0] == ' ') {
		v.data++;
		v.len--;
	}
	if (!v.len || v.len > 3)
		return -1;
	for (size_t i = 0; i < v.len; i++) {
		if (v.data[i] < '0' || v.data[i] > '9')
			return -1;
		n = n * 10 + (v.data[i] - '0');
	}
	return n;
}

int grpc_web_status(const struct grpc_reader *g)
{
	static const char name[] = "grpc-status:";
	size_t len = sizeof(name) - 1;

	for (size_t i = 0; i + len <= g->trailer_len; i++) {
		size_t end = i + len;

		if ((i && g->trailer[i - 1] != '\n') || strncasecmp(g->trailer + i, name, len))
			continue;
		while (end < g->trailer_len && g->trailer[end] != '\r' && g->trailer[end] != '\n')
			end++;
		return grpc_status_parse(bw_slice(g->trailer + i + len, end - i - len));
	}
	return -1;
}

bool grpc_is_path(struct bw_slice path)
{
	const uint8_t *slash;

	if (path.len < 4 || path.data[0] != '/')
		return false;
	slash = memchr(path.data + 1, '/', path.len - 1);
	return slash && slash > path.data + 1 && slash + 1 < path.data + path.len &&
	       !memchr(slash + 1, '/', (size_t)(path.data + path.len - slash - 1));
}
