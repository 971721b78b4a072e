// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Any bytes: either a policy that also compiles, or one printable line with a place inside the file. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/policy_compile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t sum(const char *s)
{
	uint32_t h = 0;

	while (*s)
		h = h * 31 + (unsigned char)*s++;
	return h;
}

/* Some names resolve, some do not, some collide. */
static int loader(void *ctx, const char *path, uint32_t *ret_dev, uint64_t *ret_ino)
{
	*ret_dev = sum(path) & 1;
	*ret_ino = sum(path) & 3;
	return sum(path) & 4 ? -ENOENT : 0;
}

static int target(void *ctx, const char *name, uint32_t prog_type, uint32_t attach_type, uint32_t *ret_btf_id)
{
	*ret_btf_id = sum(name) & 7;
	return sum(name) & 8 ? -ENOENT : 0;
}

static int kfunc(void *ctx, const char *name, uint32_t *ret_btf_id)
{
	return target(ctx, name, 0, 0, ret_btf_id);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct bw_policy_env env = { .loader = loader, .target = target, .kfunc = kfunc };
	struct bw_policy_warnings w = {};
	struct bw_policy_image image;
	struct bw_policy_error e;
	struct bw_policy *p = NULL;
	char line[700];

	if (bw_policy_parse((const char *)data, size, &p, &e) < 0) {
		bw_policy_error_format(&e, "f", line, sizeof(line));
		for (const char *c = line; *c; c++)
			if ((unsigned char)*c < 0x20 || *c == 0x7f)
				abort();
		if (p || !*e.reason || !e.line || !e.column)
			abort();
		return 0;
	}
	if (bw_policy_review(p, &w) < 0 || bw_policy_compile(p, &env, &image, &w) < 0)
		abort();
	for (uint32_t i = 0; i < image.n_approvals; i++)
		if (image.approvals[i].value.entry >= image.n_origins)
			abort();
	for (uint32_t i = 0; i < image.n_bindings; i++)
		if (image.bindings[i].entry >= image.n_origins)
			abort();
	bw_policy_entry_id(p, &image, 0, line, sizeof(line));
	bw_policy_image_free(&image);
	bw_policy_warnings_free(&w);
	bw_policy_free(p);
	return 0;
}
