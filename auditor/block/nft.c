// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * libnftables, opened when it is needed: a host without nftables runs this program too, and most commands never come here.
 */
#include <dlfcn.h>
#include <errno.h>
#include <nftables/libnftables.h>
#include <stdio.h>
#include <string.h>

#include "auditor/block/host.h"

#define LIBRARY "libnftables.so.1"

struct library {
	void *handle;
	__typeof__(nft_ctx_new) *new;
	__typeof__(nft_ctx_free) *free;
	__typeof__(nft_ctx_set_dry_run) *set_dry_run;
	__typeof__(nft_ctx_buffer_error) *buffer_error;
	__typeof__(nft_ctx_buffer_output) *buffer_output;
	__typeof__(nft_ctx_get_error_buffer) *error;
	__typeof__(nft_run_cmd_from_buffer) *run;
};

static int library_open(struct library *l)
{
	l->handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!l->handle)
		return -ENOENT;
	l->new = dlsym(l->handle, "nft_ctx_new");
	l->free = dlsym(l->handle, "nft_ctx_free");
	l->set_dry_run = dlsym(l->handle, "nft_ctx_set_dry_run");
	l->buffer_error = dlsym(l->handle, "nft_ctx_buffer_error");
	l->buffer_output = dlsym(l->handle, "nft_ctx_buffer_output");
	l->error = dlsym(l->handle, "nft_ctx_get_error_buffer");
	l->run = dlsym(l->handle, "nft_run_cmd_from_buffer");
	if (l->new && l->free && l->set_dry_run && l->buffer_error && l->buffer_output && l->error && l->run)
		return 0;
	dlclose(l->handle);
	return -ENOENT;
}

int block_nft_run(const char *text, bool check, char *why, size_t size)
{
	struct library l = { 0 };
	struct nft_ctx *c;
	const char *error;
	int r = library_open(&l);

	if (r < 0) {
		snprintf(why, size, "nftables: there is no " LIBRARY " (package libnftables1)");
		return r;
	}
	c = l.new(NFT_CTX_DEFAULT);
	if (!c || l.buffer_error(c) || l.buffer_output(c)) {
		r = -ENOMEM;
	} else {
		l.set_dry_run(c, check);
		if (l.run(c, text)) {
			error = l.error(c);
			snprintf(why, size, "nftables: %.*s", (int)strcspn(error ? error : "", "\n"), error ? error : "");
			r = -EIO;
		}
	}
	if (c)
		l.free(c);
	dlclose(l.handle);
	return r;
}
