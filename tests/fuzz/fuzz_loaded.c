// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Any instructions as what a loader gives to the kernel: two programs, which share maps. Bytes: types of both, a flag byte,
 * then the instructions of the first (half of them) and of the second.
 */
#include <stdlib.h>
#include <string.h>

#include "auditor/analysis.h"
#include "common/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct bw_analysis_limits limits = { .max_steps = 20000, .max_inline = 20000, .max_rounds = 4 };
	static struct bw_analyst *analyst;
	struct bw_loaded_map maps[4];
	struct bw_loaded_program programs[2];
	const struct bw_loaded in = { .name = "fuzz", .programs = programs, .n_programs = 2 };
	_cleanup_free_ uint64_t *insns = NULL;
	struct bw_arena arena = { .max = 64 << 20 };
	struct bw_loaded_flows flows;
	struct bw_scan_object o;
	char why[256];
	size_t n;
	int r;

	if (size < 8 + 16 || size > 1 << 16)
		return 0;
	if (!analyst && bw_analyst_new(&analyst, why, sizeof(why)))
		abort();
	n = (size - 8) / 8;
	insns = malloc(n * 8);
	if (!insns)
		return 0;
	memcpy(insns, data + 8, n * 8);
	for (uint32_t i = 0; i < ARRAY_SIZE(maps); i++)
		maps[i] = (struct bw_loaded_map){ .ref = i, .by_index = data[4] >> i & 1, .id = i + 1, .type = data[5] % 36, .key_size = 8,
						  .value_size = data[6], .max_entries = 1 + (data[7] & 1), .name = "map",
						  .flags = data[7] & 2 ? 0x80 : 0x400, .data = data, .data_len = 8 };
	for (size_t i = 0; i < 2; i++)
		programs[i] = (struct bw_loaded_program){ .name = i ? "second" : "first", .prog_type = data[i] % 36,
							  .attach_type = data[2 + i] % 64, .target = i ? "vfs_read" : "bpf_lsm_file_open",
							  .insns = insns + i * (n / 2), .n_insns = (uint32_t)(n / 2), .maps = maps,
							  .n_maps = ARRAY_SIZE(maps) };
	r = bw_analyse_loaded(analyst, &in, &limits, &arena, &o, &flows);
	if (!r && (o.n_programs != 2 || flows.n_maps > ARRAY_SIZE(maps)))
		abort();
	/* Only maps that were described get labels. */
	for (uint32_t i = 0; !r && i < flows.n_maps; i++)
		if (!flows.maps[i].id || flows.maps[i].id > ARRAY_SIZE(maps) || !flows.maps[i].sources)
			abort();
	bw_arena_free(&arena);
	return 0;
}
