// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Any bytes as a file: everything found in it is read, summarised and disassembled, and the model keeps its promises. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "auditor/carve.h"
#include "auditor/disasm.h"
#include "auditor/summary.h"
#include "common/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What analyses rely on without checking. */
static void check_model(const struct bw_object *o)
{
	for (uint32_t i = 0; i < o->n_progs; i++) {
		assert(o->progs[i].func >= 0 && (uint32_t)o->progs[i].func < o->n_funcs);
		assert(o->funcs[o->progs[i].func].prog == (int32_t)i);
	}
	for (uint32_t i = 0; i < o->n_funcs; i++) {
		const struct bw_func *f = &o->funcs[i];

		assert(f->code >= 0 && (uint32_t)f->code < o->n_codes && f->n_insns);
		assert(f->first < o->codes[f->code].n_insns && f->n_insns <= o->codes[f->code].n_insns - f->first);
		if (i && o->funcs[i - 1].code == f->code)
			assert(o->funcs[i - 1].first + o->funcs[i - 1].n_insns <= f->first);
		assert(bw_object_func_at(o, f->code, f->first) == (int32_t)i);
	}
	for (uint32_t i = 0; i < o->n_maps; i++)
		assert(o->maps[i].inner >= BW_NONE && o->maps[i].inner < (int32_t)o->n_maps);
	for (uint32_t i = 0; i < o->n_codes; i++) {
		const struct bw_code *c = &o->codes[i];
		bool broken = o->incomplete;

		for (uint32_t k = 0; k < c->n_relocs; k++) {
			const struct bw_reloc *r = &c->relocs[k];
			uint32_t limit = 0;

			assert(r->insn < c->n_insns && bw_code_reloc(c, r->insn) == r);
			assert(!k || c->relocs[k - 1].insn < r->insn);
			switch (r->kind) {
			case BW_RELOC_MAP:
			case BW_RELOC_DATA:
				limit = o->n_maps;
				break;
			case BW_RELOC_CALL:
			case BW_RELOC_FUNC_ADDR:
				limit = o->n_funcs;
				break;
			case BW_RELOC_KFUNC:
			case BW_RELOC_KSYM:
			case BW_RELOC_KCONFIG:
				limit = o->n_externs;
				break;
			case BW_RELOC_JUMPTABLE:
				limit = o->n_jumptables;
				break;
			case BW_RELOC_UNKNOWN:
				assert(broken && r->target == BW_NONE);
				continue;
			}
			assert(r->target >= 0 && (uint32_t)r->target < limit);
		}
	}
}

static int found(void *arg, const struct bw_carved *c)
{
	const struct bw_disasm_options opts = { 0 };
	_cleanup_object_ struct bw_object *o = NULL;
	_cleanup_buf_ struct bw_buf text = { .max = 1 << 22 };
	struct bw_diag diag = { 0 };

	if (bw_carved_read(c, &o, &diag)) {
		assert(!o && diag.reason[0]);
		return 0;
	}
	check_model(o);
	bw_object_summary(o, &text);
	bw_disasm(o, &opts, &text);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bw_diag diag;

	bw_carve(bw_slice(data, size), "fuzz", NULL, found, NULL, &diag);
	return 0;
}
