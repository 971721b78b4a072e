// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Any bytes as the answer of a prediction's child, which may have been taken over by the object it looked at. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "auditor/predict_child.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bw_prediction p = { 0 };
	int r = predict_take_records(bw_slice(data, size), &p);

	assert(r == 0 || r == -EBADMSG || r == -ENOMEM);
	for (size_t i = 0; i < p.n; i++) {
		assert(p.programs[i].name && p.programs[i].section);
		assert(strlen(p.programs[i].name) <= BW_PREDICT_MAX_TEXT);
		assert(!p.programs[i].insns == !!p.programs[i].error);
		assert(p.programs[i].n_insns * sizeof(struct bpf_insn) <= size);
		assert(p.programs[i].summary.insn_cnt == p.programs[i].n_insns);
	}
	bw_prediction_free(&p);
	return 0;
}
