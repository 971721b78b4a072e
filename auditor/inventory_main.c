// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * bpfwarden-inventory: the inventory in one statically linked program, for a host whose libraries may lie (a preloaded library
 * answers for the C library's system calls). Prints JSON; arguments: none.
 */
#include <errno.h>
#include <string.h>

#include "common/inventory/inventory.h"

int main(int argc, char **argv)
{
	_cleanup_buf_ struct bw_buf out = { 0 };
	struct inventory inv;
	bool hidden = false;
	int r;

	if (argc > 1) {
		fprintf(stderr, "%s: takes no arguments; prints what \"bpfwarden inventory --format json\" prints\n", argv[0]);
		return 2;
	}
	r = inv_collect(&inv, NULL, NULL);
	if (r < 0) {
		fprintf(stderr, "%s: what is loaded cannot be listed: %s\n", argv[0], strerror(-r));
		inv_free(&inv);
		return r == -EPERM || r == -ENOSYS ? 2 : 3;
	}
	inv_report_json(&inv, NULL, &out);
	if (bw_buf_error(&out) || fwrite(out.data, 1, out.len, stdout) != out.len || fflush(stdout)) {
		fprintf(stderr, "%s: the report cannot be written\n", argv[0]);
		inv_free(&inv);
		return 3;
	}
	for (uint32_t i = 0; i < inv.n_discrepancies; i++)
		hidden |= inv.discrepancies[i].severity == INV_CRITICAL;
	r = hidden ? 1 : inv.incomplete ? 2 : 0;
	inv_free(&inv);
	return r;
}
