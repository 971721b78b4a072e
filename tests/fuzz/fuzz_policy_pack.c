// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What processes without privileges answer to the guard. */
#include <stddef.h>
#include <stdint.h>

#include "guard/policy_pack.h"
#include "guard/requests.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bw_slice in = bw_slice(data, size);
	struct policy_names names;
	struct policy_pack p;
	struct say say;

	if (policy_unpack(in, &p) == 0) {
		for (uint32_t i = 0; i < p.n_warnings; i++)
			policy_pack_string(&p.warnings);
		policy_names_entry(&p.names, 0);
		policy_pack_free(&p);
	}
	if (policy_names_unpack(in, &names) == 0)
		policy_names_free(&names);
	say_unpack(in, &say);
	return 0;
}
