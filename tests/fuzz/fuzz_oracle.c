// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The recall oracle over many seeds: the input is only a seed. */
#include <stdint.h>

#include "tests/unit/oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct oracle o;
	uint64_t seed = 0;
	unsigned int flows;
	char why[256] = "";

	for (size_t i = 0; i < size && i < 8; i++)
		seed |= (uint64_t)data[i] << 8 * i;
	if (oracle_try(&o, seed, 10, &flows, why, sizeof(why))) {
		fprintf(stderr, "%s\n", why);
		abort();
	}
	return 0;
}
