/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_PREDICT_CHILD_H
#define BW_PREDICT_CHILD_H
/*
 * Between bw_predict() and its sandboxed child: the job, and the records that come back. Both ends are one program, so
 * the records are in host layout; each is followed by its texts in the order of their lengths, then by its
 * instructions, then by its maps, each followed by its data.
 */
#include <stdint.h>
#include "auditor/fake_kernel.h"
#include "auditor/predict.h"
#include "common/sandbox.h"
#include "common/slice.h"

struct predict_job {
	const void *object;
	size_t len;
	const char *kconfig; /* may be NULL */
	struct fake_kernel kernel;
};

enum predict_kind {
	PREDICT_PROGRAM = 1,
	PREDICT_OBJECT_ERROR = 2, /* only the error's text */
};

#define PREDICT_NO_TEXT UINT32_MAX

struct predict_record {
	uint32_t kind; /* enum predict_kind */
	uint32_t autoload;
	uint32_t flags; /* enum bw_predict_flag */
	uint32_t prog_type, expected_attach_type, prog_flags, attach_btf_id;
	uint32_t name_len, section_len, target_len, attach_btf_len, error_len; /* or PREDICT_NO_TEXT */
	uint32_t insn_cnt;						       /* 0 exactly when there is an error */
	uint32_t map_cnt;
};

struct predict_map {
	uint32_t ref, id, type, key_size, value_size, max_entries, flags;
	uint32_t data_len;
	char name[16];
};

/*
 * Appends to @pred the programs in what the child sent. Stops at what makes no sense (-EBADMSG) or -ENOMEM; @pred keeps
 * what came before.
 */
int predict_take_records(struct bw_slice s, struct bw_prediction *pred);

/* For bw_sandbox_run(): @arg is a struct predict_job. */
int predict_in_child(void *arg, struct bw_sandbox_out *out);

#endif
