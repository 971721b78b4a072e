// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Any bytes as the state of blocks: what is taken is written back as it was, and makes rules; and as what an operator types. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "auditor/block/block.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bw_buf one = { 0 }, two = { 0 };
	struct block_list l, again;
	struct block_prefix p, q;
	char *text = malloc(size + 1), why[200], shown[BLOCK_PREFIX_TEXT];
	uint32_t s;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = 0;
	if (!block_prefix_read(text, &p)) {
		block_prefix_text(&p, shown);
		assert(!block_prefix_read(shown, &q) && !memcmp(&p, &q, sizeof(p)));
	}
	if (!block_duration_read(text, &s))
		assert(s && s <= BLOCK_MAX_SECONDS);
	if (!block_state_read(text, size, &l, why, sizeof(why))) {
		block_state_write(&l, &one);
		assert(!block_state_read(one.data, one.len, &again, why, sizeof(why)) && again.n == l.n);
		block_state_write(&again, &two);
		assert(one.len == two.len && !memcmp(one.data, two.data, one.len));
		for (int k = 0; k < BLOCK_SERVER_KINDS; k++)
			block_text_server((enum block_server_kind)k, &l, NULL, &two);
		block_text_nft(&l, "t", 0, &two);
		free(l.v);
		free(again.v);
	}
	bw_buf_free(&one);
	bw_buf_free(&two);
	free(text);
	return 0;
}
