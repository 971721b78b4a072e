// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Any bytes as code: what decodes is consistent, prints, and decodes the same in the other byte order. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "auditor/insn.h"
#include "common/cleanup.h"

#define MAX 256u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct bw_insn repack_big(const struct bw_insn *in)
{
	uint8_t b[8] = { in->code, (uint8_t)(in->dst << 4 | in->src), (uint8_t)((uint16_t)in->off >> 8), (uint8_t)in->off,
			 (uint8_t)((uint32_t)in->imm >> 24), (uint8_t)((uint32_t)in->imm >> 16),
			 (uint8_t)((uint32_t)in->imm >> 8), (uint8_t)in->imm };

	return bw_insn_unpack(b, true);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bw_insn insns[MAX];
	size_t n = size / BW_INSN_SIZE;
	_cleanup_buf_ struct bw_buf text = { 0 };

	if (n > MAX)
		n = MAX;
	bw_insns_unpack(data, n, false, insns);
	for (size_t i = 0; i < n; i++) {
		struct bw_insn other = repack_big(&insns[i]);
		struct bw_decoded d, x;
		const char *why = NULL;
		int64_t target;
		int r = bw_insn_decode(insns, n, i, BW_INSN_OBJECT, &d, &why);

		assert(!memcmp(&other.code, &insns[i].code, 3) && other.off == insns[i].off && other.imm == insns[i].imm);
		if (r) {
			assert(why);
			if (!bw_insn_decode(insns, n, i, BW_INSN_XLATED, &x, NULL))
				bw_insn_text(&x, &text);
			continue;
		}
		/* Translated code is a superset. */
		assert(!bw_insn_decode(insns, n, i, BW_INSN_XLATED, &x, NULL) && x.op == d.op);
		assert(d.op < BW_OP_COUNT_ && (d.slots == 1 || d.slots == 2) && i + d.slots <= n);
		assert((d.slots == 2) == bw_insn_is_ld_imm64(&insns[i]));
		assert(!(d.reads & ~0x7ff) && !(d.writes & ~0x3ff));
		assert(d.width <= 8 && !(d.width & (d.width - 1)));
		if (bw_op_is_jump(d.op) || d.op == BW_OP_CALL_LOCAL) {
			target = bw_insn_target(&d, i, n);
			assert(target == -1 || (size_t)target < n);
		}
		bw_buf_reset(&text);
		bw_insn_text(&d, &text);
		assert(text.len && !bw_buf_error(&text) && !memchr(text.data, '\n', text.len));
	}
	return 0;
}
