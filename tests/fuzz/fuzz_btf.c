// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Any bytes as BTF (the first byte chooses the byte order): every question about every type ends. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "auditor/btf.h"
#include "common/buf.h"
#include "common/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bw_arena arena = { .max = 64 << 20 };
	struct bw_diag diag = { 0 };
	struct bw_btf *b = NULL;
	uint64_t names = 0;

	if (!size)
		return 0;
	if (bw_btf_read(bw_slice(data + 1, size - 1), data[0] & 1, "fuzz", &arena, &b, &diag)) {
		assert(!b);
		bw_arena_free(&arena);
		return 0;
	}
	for (uint32_t id = 0; id <= b->n_types; id++) {
		_cleanup_buf_ struct bw_buf path = { .max = 1 << 16 };
		struct bw_btf_member m;
		struct bw_btf_array a;
		struct bw_btf_type t, r;

		assert(bw_btf_type(b, id, &t) && t.id == id);
		names += strnlen(t.name, 64);
		for (uint32_t i = 0; bw_btf_member(b, &t, i, &m); i++) {
			assert(m.type <= b->n_types);
			names += strnlen(m.name, 64);
		}
		if (bw_btf_array(b, &t, &a))
			assert(a.type <= b->n_types && a.index_type <= b->n_types);
		if (bw_btf_resolve(b, id, &r))
			assert(r.id <= b->n_types && r.kind != BW_BTF_TYPEDEF && r.kind != BW_BTF_CONST);
		assert(bw_btf_size(b, id) >= -1);
		bw_btf_access_path(b, id, "0:1:0:2", &path, NULL);
		bw_btf_access_path(b, id, "4294967295", &path, NULL);
	}
	assert(!bw_btf_type(b, b->n_types + 1, &(struct bw_btf_type){ 0 }));
	bw_btf_find(b, BW_BTF_STRUCT, "task_struct");
	assert(names < UINT64_MAX);
	bw_arena_free(&arena);
	return 0;
}
