// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Any bytes as the header of a package and as a change log: what is found lies inside, and is found again. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "auditor/posture/posture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bw_slice s = bw_slice(data, size), since;
	struct bw_arena a = { .max = 1u << 24 };
	struct posture_changelog c;
	struct posture_rpm r;

	if (!posture_rpm_parse(s, &r)) {
		assert(r.changelog.len <= size);
		posture_rpm_is_kernel(&r, "5.14.0-1.el9.x86_64");
		s = r.changelog;
	}
	if (posture_changelog_since(s, "5.15.0-1.2", &since))
		assert(since.len && since.data >= s.data && since.data + since.len == s.data + s.len && memmem(since.data, since.len, "(5.15.0-1.2)", 12));
	if (!posture_changelog_scan(s, &a, &c))
		for (size_t i = 0; i < c.n_ids; i++) {
			char text[40];

			snprintf(text, sizeof(text), "CVE-%04u-%04u", c.ids[i].year, c.ids[i].number);
			assert(posture_changelog_names(&c, text));
			assert(!i || c.ids[i - 1].year < c.ids[i].year || (c.ids[i - 1].year == c.ids[i].year && c.ids[i - 1].number < c.ids[i].number));
		}
	bw_arena_free(&a);
	return 0;
}
