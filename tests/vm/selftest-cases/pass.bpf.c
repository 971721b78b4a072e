// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* For the test "stuck": an XDP program that does nothing. */
__attribute__((section("xdp"), used)) int pass(void *ctx)
{
	(void)ctx;
	return 2;	/* XDP_PASS */
}

__attribute__((section("license"), used)) char _license[] = "Dual BSD/GPL";
