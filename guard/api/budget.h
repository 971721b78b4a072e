/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_API_BUDGET_H
#define BW_GUARD_API_BUDGET_H
/* Memory that all connections of an engine share. Who is refused goes on without, and says so in the record. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct api_budget {
	uint64_t used, max;
	uint64_t refused;
};

static inline bool api_budget_take(struct api_budget *b, size_t n)
{
	if (n > b->max || b->used > b->max - n) {
		b->refused++;
		return false;
	}
	b->used += n;
	return true;
}

static inline void api_budget_give(struct api_budget *b, size_t n)
{
	b->used -= n;
}

#endif
