// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What a sandboxed process may send: decoded, reported in every form, and encoded again to the same bytes. */
#include <stdlib.h>
#include <string.h>

#include "auditor/report/report.h"
#include "common/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_buf_ struct bw_buf again = { 0 };
	struct bw_ruleset rules = { 0 };
	struct bw_scan s = { .arena = { .max = 64 << 20 } };
	struct bw_scan_object o;
	struct bw_report r = { .scan = &s, .rules = &rules, .show = BW_SEV_INFO };
	uint32_t n;
	const struct bw_report_format *f = bw_report_formats(&n);

	if (bw_scan_object_decode(bw_slice(data, size), &s.arena, &o)) {
		bw_scan_free(&s);
		return 0;
	}
	bw_scan_object_encode(&o, &again);
	if (bw_buf_error(&again) || again.len != size || memcmp(again.data, data, size))
		abort();
	s.objects = &o;
	s.n_objects = 1;
	for (uint32_t i = 0; i < n; i++) {
		_cleanup_buf_ struct bw_buf out = { .max = 64 << 20 };

		f[i].write(&r, &out);
		if (out.data && memchr(out.data, 0x1b, out.len))
			abort();
	}
	bw_scan_free(&s);
	return 0;
}
