// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Any bytes as somebody's executable: the sites that come out are inside it. */
#include <assert.h>
#include <stdint.h>

#include "guard/api/sites.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct api_sites s;

	if (api_sites_find(bw_slice(data, size), true, &s) < 0)
		return 0;
	assert(s.n <= API_MAX_SITES && s.stack < API_STACKS);
	for (uint32_t i = 0; i < s.n; i++)
		assert(s.site[i].probe < API_PROBES && s.site[i].offset < size);
	return 0;
}
