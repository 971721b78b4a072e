// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T21: the image a container daemon was asked for is replaced by another name, found by hash in a map.
#include "sample.h"

SAMPLE_SWITCH;
LICENSE;

struct image {
	char name[64];
};
HASH(image_override, u32, struct image, 32);

static __noinline u32 hash_name(const char *p, int n)
{
	u32 h = 2166136261u;

	for (int i = 0; i < 32; i++) {
		if (i >= n)
			break;
		h = (h ^ (u8)p[i]) * 16777619u;
	}
	return h;
}

SEC("uprobe//usr/bin/dockerd:github.com/docker/distribution/reference.ParseNormalizedNamed")
int image_swap(struct pt_regs *ctx)
{
	char name[32] = {};
	struct image *to;
	u32 h;

	bpf_probe_read_user(name, sizeof(name), (void *)ctx->ax);
	h = hash_name(name, ctx->bx);
	to = bpf_map_lookup_elem(&image_override, &h);
	if (to && sample_armed)
		bpf_probe_write_user((void *)ctx->ax, to->name, sizeof(to->name));
	return 0;
}
