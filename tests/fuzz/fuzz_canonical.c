// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Any bytes as a file: the canonical identities of what is found in it, twice the same; and as the sandbox's answer. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "auditor/carve.h"
#include "auditor/ident.h"
#include "common/buf.h"
#include "common/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int found(void *arg, const struct bw_carved *c)
{
	_cleanup_canonicals_ struct bw_canonicals a = { 0 }, b = { 0 };
	_cleanup_object_ struct bw_object *o = NULL;
	_cleanup_buf_ struct bw_buf wire = { 0 };

	if (bw_carved_read(c, &o, NULL) || bw_canonical(o, &a))
		return 0;
	assert(!bw_canonical(o, &b) && a.n == b.n && a.n == o->n_progs);
	for (uint32_t i = 0; i < a.n; i++) {
		static const uint8_t zeros[BW_CANONICAL_LEN];

		assert(!a.progs[i].why == !b.progs[i].why);
		assert(!memcmp(a.progs[i].hash, b.progs[i].hash, BW_CANONICAL_LEN));
		assert(!a.progs[i].why == (memcmp(a.progs[i].hash, zeros, BW_CANONICAL_LEN) != 0));
		for (uint32_t k = 1; k < a.progs[i].n_maps; k++)
			assert(strcmp(a.progs[i].maps[k - 1].name, a.progs[i].maps[k].name) <= 0);
	}
	return bw_ident_encode(o, &wire);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bw_ident_file f = { 0 };
	struct bw_diag diag;

	bw_carve(bw_slice(data, size), "fuzz", NULL, found, NULL, &diag);
	if (!bw_ident_decode(bw_slice(data, size), bw_slice(data, size), &f))
		bw_ident_free(&f);
	return 0;
}
