// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T06: a fix-up for an input device that describes itself wrongly, as it was attached before Linux 6.11.
#include "sample.h"

LICENSE;

struct hid_bpf_ctx {
	u32 index;
} __attribute__((preserve_access_index));

extern u8 *hid_bpf_get_data(struct hid_bpf_ctx *ctx, unsigned int offset, const unsigned long size) __ksym;

static const u8 mended[6] = { 0x05, 0x0d, 0x09, 0x02, 0xa1, 0x01 };

SEC("fmod_ret/hid_bpf_rdesc_fixup")
int BPF_PROG(tablet_fix_rdesc, struct hid_bpf_ctx *hctx)
{
	u8 *data = hid_bpf_get_data(hctx, 0, 4096);

	if (!data)
		return 0;
	__builtin_memcpy(data, mended, sizeof(mended));
	return sizeof(mended);
}

SEC("fmod_ret/hid_bpf_device_event")
int BPF_PROG(tablet_fix_event, struct hid_bpf_ctx *hctx)
{
	u8 *data = hid_bpf_get_data(hctx, 0, 8);

	if (!data || data[0] != 8)
		return 0;
	data[1] &= 0x7f;
	return 7;
}
