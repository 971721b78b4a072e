// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "auditor/scan_live.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "auditor/live.h"
#include "auditor/scan_run.h"
#include "common/cleanup.h"
#include "common/sandbox.h"

struct live_job {
	const struct bw_object *o;
	const struct bw_scan_options *opt;
};

static int live_child(void *arg, struct bw_sandbox_out *out)
{
	const struct live_job *job = arg;
	_cleanup_buf_ struct bw_buf b = { 0 };
	struct bw_arena arena = { 0 };
	struct bw_scan_object o;
	int r = bw_scan_read_object(job->o, job->opt, &arena, &o);

	if (r < 0)
		return r;
	bw_scan_object_encode(&o, &b);
	return bw_buf_error(&b) ? bw_buf_error(&b) : bw_sandbox_write(out, b.data, b.len);
}

int bw_scan_live(uint32_t id, const struct bw_scan_options *opt, struct bw_arena *arena, struct bw_scan_object *ret)
{
	_cleanup_object_ struct bw_object *o = NULL;
	_cleanup_buf_ struct bw_buf out = { 0 };
	struct bw_sandbox conf = { .wall_ms = BW_SCAN_FILE_MS };
	struct live_job job = { .opt = opt };
	struct bw_diag diag = { .offset = BW_DIAG_NO_OFFSET };
	char reason[256], path[32];
	int r;

	snprintf(path, sizeof(path), "program-id:%u", id);
	r = bw_live_read(id, &o, &diag);
	if (r == -ENOENT)
		return r;
	if (r < 0)
		return bw_scan_unreadable(path, diag.reason[0] ? diag.reason : strerror(-r), arena, ret);
	job.o = o;
	r = bw_sandbox_run(&conf, live_child, &job, &out, reason, sizeof(reason));
	if (!r)
		r = bw_scan_object_decode(bw_slice(out.data, out.len), arena, ret);
	else if (r == -EPERM)
		return r;
	if (r < 0)
		r = bw_scan_unreadable(path, r == -EBADMSG ? "the analysis returned damaged results" : reason, arena, ret);
	return r;
}
