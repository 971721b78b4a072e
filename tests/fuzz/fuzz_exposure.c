// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Any bytes as somebody's library, and as what the kernel says of an attachment: what comes out is inside of what went in. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "auditor/elf_symbol.h"
#include "common/exposure.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct exposure_point p;
	const char *name;
	char *text;

	if (size < 2)
		return 0;
	name = elf_symbol_at(bw_slice(data, size), (uint64_t)data[size - 1] << 8 | data[size - 2]);
	assert(!name || ((const uint8_t *)name >= data && (const uint8_t *)name + strlen(name) < data + size));
	text = malloc(size + 1);
	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = 0;
	exposure_point_read(text, &p);
	assert(p.place < EXPOSURE_PLACES);
	assert(!p.name || (p.name >= text && p.name_len <= strlen(p.name)));
	free(text);
	return 0;
}
