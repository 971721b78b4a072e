// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Any bytes through the analysis: as a file, or (first byte odd) as the instructions of programs that share maps, call each
 * other and take callbacks. It must end, within its budgets, and give the same result twice.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "auditor/carve.h"
#include "auditor/manifest.h"
#include "common/cleanup.h"
#include "tests/unit/mini_object.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct bw_analysis_limits limits = { .max_steps = 20000, .max_inline = 20000, .max_rounds = 8,
						  .max_memory = 64 << 20 };

static void analyse(const struct bw_object *o)
{
	struct bw_analysis *a = NULL, *b = NULL;
	struct bw_buf one = { 0 }, two = { 0 };

	if (bw_analyse(o, &limits, &a))
		return;
	assert(a->n_progs == o->n_progs && a->memory <= limits.max_memory);
	for (uint32_t i = 0; i < a->n_flows; i++) {
		const struct bw_flow *f = &a->flows[i];

		assert(f->prog >= 0 && (uint32_t)f->prog < o->n_progs && f->source < BW_SRC_COUNT_ && f->channel < BW_CH_COUNT_);
		assert(f->len.min <= f->len.max && f->map < (int32_t)o->n_maps && f->n_path);
	}
	if (!bw_manifest_write(&(struct bw_manifest_part){ "", o, a }, 1, &one) && !bw_analyse(o, &limits, &b) &&
	    !bw_manifest_write(&(struct bw_manifest_part){ "", o, b }, 1, &two))
		assert(one.len == two.len && !memcmp(one.data, two.data, one.len));
	bw_buf_free(&one);
	bw_buf_free(&two);
	bw_analysis_free(a);
	bw_analysis_free(b);
}

static int found(void *arg, const struct bw_carved *c)
{
	_cleanup_object_ struct bw_object *o = NULL;

	if (!bw_carved_read(c, &o, NULL))
		analyse(o);
	return 0;
}

static void as_code(const uint8_t *data, size_t size)
{
	static const char *const sections[] = { "uprobe/libssl.so:SSL_write", "xdp", "tc", "tp/syscalls/sys_enter_read",
						"tp/syscalls/sys_exit_read", "kprobe/vfs_read", "raw_tp/sys_enter", "fmod_ret/x" };
	static const uint8_t bytes[64] = "/etc/passwd";
	struct bw_insn insns[256];
	struct mini m;
	uint32_t n_funcs = 1 + data[0] / 2 % 4, each;

	mini_init(&m);
	mini_map(&m, "ring", 27, 0, 0);
	mini_map(&m, "hash", 1, 8, 32);
	mini_map(&m, "scratch", 6, 4, 600);
	mini_map(&m, "outer", 12, 4, 4);
	mini_map(&m, "progs", 3, 4, 4);
	mini_data(&m, ".rodata", BW_MAP_RODATA, bytes, sizeof(bytes));
	mini_data(&m, ".bss", BW_MAP_BSS, NULL, 64);
	size--;
	each = (uint32_t)(size / 8 / n_funcs);
	if (each > 256)
		each = 256;
	for (uint32_t f = 0; f < n_funcs && each; f++) {
		bw_insns_unpack(data + 1 + (size_t)f * each * 8, each, false, insns);
		for (uint32_t i = 0; i < each; i++) {
			/* References into what exists, and opcodes that decode, so that more than errors is reached. */
			insns[i].dst %= 11;
			insns[i].src %= 11;
			if (insns[i].code == 0x18) {
				insns[i].src = (uint8_t)(insns[i].src % 5 == 3 ? 0 : insns[i].src % 5);
				insns[i].off = 0;
				if (insns[i].src)
					insns[i].imm = (int32_t)((uint32_t)insns[i].imm % (insns[i].src == 4 ? n_funcs : 7));
				if (i + 1 < each) {
					int32_t next = insns[i + 1].imm;

					memset(&insns[i + 1], 0, sizeof(insns[i]));
					insns[i + 1].imm = insns[i].src == 2 ? next & 63 : next;
					i++;
				}
			} else if (insns[i].code == 0x85) {
				insns[i].dst = 0;
				insns[i].off = 0;
				insns[i].src &= 1;
				insns[i].imm = (int32_t)((uint32_t)insns[i].imm % (insns[i].src ? n_funcs : 220));
			}
		}
		if (f % 2)
			mini_func(&m, "sub", insns, each);
		else
			mini_prog(&m, "prog", sections[(data[0] >> 3) % 8], insns, each);
	}
	if (m.o.n_funcs == n_funcs)
		analyse(&m.o);
	mini_free(&m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 9)
		return 0;
	if (data[0] & 1)
		as_code(data, size);
	else
		bw_carve(bw_slice(data + 1, size - 1), "fuzz", NULL, found, NULL, NULL);
	return 0;
}
