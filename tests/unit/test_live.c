// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What translated calls mean, with a kallsyms of our own. The rest needs a kernel: tests/integration/t/live. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "auditor/live_calls.h"
#include "common/bpf_names.h"
#include "common/cleanup.h"

static void helper_names(void **state)
{
	static const struct {
		const char *function, *helper; /* NULL: none */
	} rows[] = {
		{ "bpf_ringbuf_output", "ringbuf_output" },
		{ "bpf_perf_event_output_tp", "perf_event_output" },
		{ "bpf_perf_event_output_raw_tp", "perf_event_output" },
		{ "bpf_skb_event_output", "perf_event_output" },
		{ "bpf_user_rnd_u32", "get_prandom_u32" },
		{ "bpf_probe_read_compat", "probe_read" },
		{ "bpf_probe_read_compat_str", "probe_read_str" },
		{ "bpf_sock_ops_setsockopt", "setsockopt" },
		{ "bpf_sock_addr_getsockopt", "getsockopt" },
		{ "__htab_map_lookup_elem", "map_lookup_elem" },
		{ "htab_lru_map_update_elem", "map_update_elem" },
		{ "array_map_delete_elem", "map_delete_elem" },
		{ "trie_lookup_elem", "map_lookup_elem" },
		{ "htab_percpu_map_lookup_percpu_elem", "map_lookup_percpu_elem" },
		{ "queue_stack_map_push_elem", "map_push_elem" },
		{ "dev_map_redirect", "redirect_map" },
		{ "bpf_nothing_like_it", NULL },
		{ "schedule", NULL },
		{ "do_lookup_elem", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (bw_live_helper(rows[i].function) != (rows[i].helper ? bw_helper_id(rows[i].helper) : -ENOENT))
			fail_msg("%s is helper %d", rows[i].function, bw_live_helper(rows[i].function));
}

static void calls(void **state)
{
	static const char kallsyms[] = "ffffffff81000000 T _text\n"
				       "not a line\n"
				       "ffffffff81000100 T __bpf_call_base\n"
				       "ffffffff81000200 t other_name_of_it\n"
				       "ffffffff81000200 T bpf_ringbuf_output\n"
				       "ffffffff81000080 T bpf_get_current_pid_tgid\n"
				       "ffffffffc0000100 t bpf_kfunc_of_module\t[module]\n";
	struct bw_insn insns[] = {
		{ 0x85, 0, 0, 0, 0x100 },		       /* base + 0x100 */
		{ 0x85, 0, 0, 0, -0x80 },		       /* base - 0x80 */
		{ 0x18, 1, 0, 0, 0 },			       /* a constant whose halves look like a call */
		{ 0x85, 0, 0, 0, 0 },
		{ 0x85, 0, 0, 0, 12 },			       /* stays a number */
		{ 0x85, 0, 2, 0, 0x3f000000 },		       /* a kfunc, base + that */
		{ 0x85, 0, 0, 0, 0x777 },		       /* nobody's address */
		{ 0x85, 0, 1, 0, 0x100 },		       /* a subprogram */
	};
	struct bw_reloc relocs[8] = { 0 };
	uint32_t reloc_of[8] = { 0 }, unknown = 99;
	struct bw_code code = { .name = "x", .insns = insns, .n_insns = 8, .relocs = relocs, .reloc_of = reloc_of };
	struct bw_object o = { .codes = &code, .n_codes = 1 };
	char path[] = "/tmp/bw-kallsyms-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, kallsyms, strlen(kallsyms)), strlen(kallsyms));
	close(fd);
	assert_int_equal(bw_live_calls(&o, path, &unknown), 0);
	unlink(path);
	assert_int_equal(unknown, 1);
	assert_int_equal(insns[0].imm, bw_helper_id("ringbuf_output"));
	assert_int_equal(insns[1].imm, bw_helper_id("get_current_pid_tgid"));
	assert_int_equal(insns[3].imm, 0);
	assert_int_equal(insns[4].imm, 12);
	assert_int_equal(insns[6].imm, 0x777);
	assert_int_equal(insns[7].imm, 0x100);
	assert_int_equal(code.n_relocs, 1);
	assert_int_equal(relocs[0].insn, 5);
	assert_int_equal(relocs[0].kind, BW_RELOC_KFUNC);
	assert_string_equal(relocs[0].symbol, "bpf_kfunc_of_module");
	bw_arena_free(&o.arena);

	/* addresses hidden: everything stays unknown, nothing fails */
	o = (struct bw_object){ .codes = &code, .n_codes = 1 };
	insns[0].imm = 0x100000;
	code.n_relocs = 0;
	assert_int_equal(bw_live_calls(&o, "/nonexistent", &unknown), 0);
	assert_int_equal(unknown, 3);
	bw_arena_free(&o.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(helper_names),
		cmocka_unit_test(calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
