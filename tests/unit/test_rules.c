// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The rule language, on facts made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "auditor/checks/rule.h"
#include "common/cleanup.h"

/* An object with two programs: sys_enter_getdents64 keeps a pointer, sys_exit_getdents64 writes through it. */
static struct bw_insn insns[32];
static struct bw_code codes[1] = { { .name = "tp", .insns = insns, .n_insns = 32 } };
static struct bw_func funcs[2] = { { .name = "enter", .first = 0, .n_insns = 16, .prog = 0 },
				   { .name = "leave", .first = 16, .n_insns = 16, .prog = 1 } };
static struct bw_prog progs[2] = {
	{ .name = "enter", .section = "tp/syscalls/sys_enter_getdents64", .func = 0, .struct_ops = BW_NONE,
	  .def = { .known = true, .prog_type = 5, .attach_type = BW_NONE, .rule = "tp+", .target = "syscalls/sys_enter_getdents64" } },
	{ .name = "leave", .section = "tp/syscalls/sys_exit_getdents64", .func = 1, .struct_ops = BW_NONE,
	  .def = { .known = true, .prog_type = 5, .attach_type = BW_NONE, .rule = "tp+", .target = "syscalls/sys_exit_getdents64" } },
};
static struct bw_object object = { .path = "hand.o", .license = "GPL", .codes = codes, .n_codes = 1, .funcs = funcs, .n_funcs = 2,
				   .progs = progs, .n_progs = 2 };
static struct bw_user_write writes[1] = { { .func = 1, .insn = 20, .helper = "bpf_probe_write_user", .dst = BW_FROM_BIT(BW_FROM_STORED_ARG),
					    .dst_map = BW_NONE, .dst_prog = 0, .dst_detail = "dirent", .dst_off = 16, .len = { 2, 2 },
					    .sources = BW_SRC_BIT(BW_SRC_SYSCALL_BUFFER), .literal = { .text = "" } } };
static struct bw_compare compares[1] = { { .func = 1, .insn = 18, .sources = BW_SRC_BIT(BW_SRC_PROCESS_METADATA), .detail = "bpf_get_current_comm",
					   .literal = { (const uint8_t *)"sshd", 4, "sshd" }, .equality = true, .map = BW_NONE, .packet_off = -1,
					   .match_effects = BW_EFFECT_USER_WRITE, .match_verdicts = 1 } };
static struct bw_call_count helpers[1] = { { .id = 36, .name = "probe_write_user", .count = 1, .known = true } };
static struct bw_prog_facts facts[2] = {
	{ .prog = 0 },
	{ .prog = 1, .user_writes = writes, .n_user_writes = 1, .compares = compares, .n_compares = 1, .helpers = helpers, .n_helpers = 1,
	  .return_values = 1 },
};
static struct bw_step path[2] = { { BW_STEP_SOURCE, 1, 1, 17, "buffer of getdents64" }, { BW_STEP_SINK, 1, 1, 20, "bpf_probe_write_user" } };
static struct bw_flow flows[1] = { { .prog = 1, .source_prog = 1, .source = BW_SRC_SYSCALL_BUFFER, .source_detail = "sys_getdents64 dirent",
				     .channel = BW_CH_USER_WRITE, .channel_detail = "bpf_probe_write_user", .map = BW_NONE, .len = { 2, 2 },
				     .literal = { .text = "" }, .path = path, .n_path = 2 } };
static struct bw_analysis analysis = { .object = &object, .flows = flows, .n_flows = 1, .progs = facts, .n_progs = 2, .complete = true };

static const char *field_value(struct bw_scan_program *p, const char *rule)
{
	for (uint32_t i = 0; i < p->n_findings; i++)
		if (!strcmp(p->findings[i].rule, rule))
			return bw_severity_name(p->findings[i].severity);
	return "none";
}

/* Applies one rule, given by its JSON members behind "on", to program 1. */
static const char *verdict(const char *on, const char *members)
{
	static char out[16];
	struct bw_scan_program sp[2] = { { .name = "enter" }, { .name = "leave" } };
	struct bw_scan_object so = { .programs = sp, .n_programs = 2 };
	struct bw_ruleset set = { 0 };
	struct bw_arena arena = { 0 };
	struct bw_facts x;
	struct bw_diag diag = { 0 };
	char *text;
	int r;

	assert_true(asprintf(&text, "{\"version\":1,\"rules\":[{\"id\":\"XX001\",\"title\":\"t\",\"severity\":\"medium\",\"kind\":\"attack\",\"on\":\"%s\","
			     "\"message\":\"m\",\"rationale\":\"r\",\"remediation\":\"x\"%s%s}]}", on, *members ? "," : "", members) > 0);
	r = bw_ruleset_add(&set, text, strlen(text), "t", &diag);
	if (r)
		snprintf(out, sizeof(out), "error");
	free(text);
	if (!r) {
		bw_ruleset_finish(&set);
		assert_int_equal(bw_facts_build(&object, &analysis, &arena, &x), 0);
		assert_int_equal(bw_check(&set, &x, &arena, &so), 0);
		snprintf(out, sizeof(out), "%s", field_value(&sp[1], "XX001"));
	}
	bw_arena_free(&arena);
	bw_ruleset_free(&set);
	return out;
}

static void conditions(void **state)
{
	static const struct {
		const char *on, *members, *want;
	} t[] = {
		{ "user-write", "", "medium" },
		{ "user-write", "\"when\":{\"from\":\"stored-argument\"}", "medium" },
		{ "user-write", "\"when\":{\"from\":[\"map\",\"packet\"]}", "none" },
		{ "user-write", "\"when\":{\"from\":{\"only\":[\"stored-argument\",\"map\"]}}", "medium" },
		{ "user-write", "\"when\":{\"from\":{\"all\":[\"stored-argument\",\"map\"]}}", "none" },
		{ "user-write", "\"when\":{\"length-max\":2}", "medium" },
		{ "user-write", "\"when\":{\"length-max\":{\"min\":3}}", "none" },
		{ "user-write", "\"when\":{\"length-max\":[1,4]}", "none" },
		{ "user-write", "\"when\":{\"address-from-other-program\":true}", "medium" },
		{ "user-write", "\"when\":{\"address-hook\":\"syscall-enter\"}", "medium" },
		{ "user-write", "\"when\":{\"program.hook\":\"syscall-exit\",\"program.syscall\":\"getdents*\"}", "medium" },
		{ "user-write", "\"when\":{\"program.syscall\":\"GETDENTS*\"}", "none" },
		{ "user-write", "\"when\":{\"program.syscall\":\"~GETDENTS*\"}", "medium" },
		{ "user-write", "\"when\":{\"program.calls\":\"probe_*\"}", "medium" },
		{ "user-write", "\"when\":{\"program.returns\":{\"only\":[0]}}", "medium" },
		{ "user-write", "\"when\":{\"program.returns\":[1,\"other\"]}", "none" },
		{ "user-write", "\"when\":{\"not\":{\"length-max\":2}}", "none" },
		{ "user-write", "\"when\":{\"not\":[{\"length-max\":3},{\"length-max\":4}]}", "medium" },
		{ "user-write", "\"when\":{\"any\":[{\"length-max\":3},{\"length-max\":2}]}", "medium" },
		{ "user-write", "\"when\":{\"all\":[{\"length-max\":3},{\"length-max\":2}]}", "none" },
		{ "user-write", "\"when\":{\"exists\":{\"on\":\"compare\",\"in\":\"program\",\"when\":{\"literal\":\"sshd\"}}}", "medium" },
		{ "user-write", "\"when\":{\"exists\":{\"on\":\"compare\",\"in\":\"other-programs\"}}", "none" },
		{ "user-write", "\"when\":{\"exists\":{\"on\":\"compare\",\"in\":\"program\",\"at-least\":2}}", "none" },
		{ "user-write", "\"when\":{\"exists\":{\"on\":\"program\",\"in\":\"origin\",\"when\":{\"program.hook\":\"syscall-enter\"}}}", "medium" },
		{ "user-write", "\"levels\":[{\"when\":{\"length-max\":3},\"severity\":\"info\",\"because\":\"b\"},"
				"{\"when\":{\"length-max\":2},\"severity\":\"critical\",\"because\":\"b\"},{\"when\":{},\"severity\":\"low\",\"because\":\"b\"}]",
		  "critical" },
		{ "flow", "\"when\":{\"source\":\"syscall-buffer\",\"channel\":\"user-write\",\"derived\":false}", "medium" },
		{ "compare", "\"when\":{\"literal-number\":1684566899,\"match-effects\":\"user-write\",\"match-verdicts\":0}", "medium" },
		/* mistakes */
		{ "user-write", "\"when\":{\"channel\":\"ringbuf\"}", "error" },
		{ "user-write", "\"when\":{\"from\":\"nowhere\"}", "error" },
		{ "user-write", "\"when\":{\"length-max\":1.5}", "error" },
		{ "user-write", "\"when\":{\"exists\":{\"on\":\"compare\",\"in\":\"universe\"}}", "error" },
		{ "user-write", "\"wen\":{}", "error" },
		{ "user-write", "\"levels\":[{\"when\":{}}]", "error" },
		{ "user-writes", "", "error" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		if (strcmp(verdict(t[i].on, t[i].members), t[i].want))
			fail_msg("%s %s: %s, not %s", t[i].on, t[i].members, verdict(t[i].on, t[i].members), t[i].want);
}

static void globs(void **state)
{
	assert_true(bw_glob_match("a*c", "abbc"));
	assert_true(bw_glob_match("*", ""));
	assert_true(bw_glob_match("", ""));
	assert_false(bw_glob_match("a", "ab"));
	assert_false(bw_glob_match("a*b*c", "acb"));
	assert_true(bw_glob_match("*sudo*", "/etc/sudoers"));
	assert_true(bw_glob_match("~*SHADOW", "/etc/shadow"));
	assert_false(bw_glob_match("*SHADOW", "/etc/shadow"));
}

/* The rules that are compiled in find the hand-made rootkit, say why, and keep the flow's steps. */
static void built_in_rules_speak(void **state)
{
	struct bw_scan_program sp[2] = { { .name = "enter" }, { .name = "leave" } };
	struct bw_scan_object so = { .programs = sp, .n_programs = 2 };
	struct bw_ruleset set = { 0 };
	struct bw_arena arena = { 0 };
	struct bw_facts x;
	struct bw_diag diag;

	assert_int_equal(bw_ruleset_default(&set, &diag), 0);
	assert_true(set.n_rules > 40);
	assert_int_equal(bw_facts_build(&object, &analysis, &arena, &x), 0);
	assert_string_equal(x.hooks[1].syscall, "getdents64");
	assert_int_equal(bw_check(&set, &x, &arena, &so), 0);
	assert_int_equal(sp[0].n_findings, 0);
	assert_string_equal(field_value(&sp[1], "BW120"), "critical");
	assert_string_equal(field_value(&sp[1], "BW130"), "critical");
	/* one voice per group: the general rule is silent where a special one speaks */
	assert_string_equal(field_value(&sp[1], "BW121"), "none");
	for (uint32_t i = 0; i < sp[1].n_findings; i++) {
		const struct bw_finding *f = &sp[1].findings[i];

		if (strcmp(f->rule, "BW120"))
			continue;
		assert_string_equal(f->source, "syscall-buffer");
		assert_string_equal(f->channel, "user-write");
		assert_string_equal(f->message, "writes 2 bytes into the caller's buffer; its address was saved at the entry by enter");
		assert_int_equal(f->n_steps, 2);
		assert_string_equal(f->steps[0].text, "buffer of getdents64");
		assert_int_equal(f->at.insn, 20);
		assert_int_equal(f->kind, BW_KIND_ATTACK);
	}
	bw_arena_free(&arena);
	bw_ruleset_free(&set);
}

/* No sample holds such lines, so they are tried here: in the data section, and as what is written. */
static void privilege_lines(void **state)
{
	static const char data[] = "deploy ALL=(ALL:ALL) NOPASSWD: ALL\n\0%d\0/etc/sudoers";
	struct bw_map map = { .name = ".rodata", .kind = BW_MAP_RODATA, .data = bw_slice(data, sizeof(data)) };
	struct bw_scan_program sp[2] = { { .name = "enter" }, { .name = "leave" } };
	struct bw_scan_object so = { .programs = sp, .n_programs = 2 };
	struct bw_literal none = writes[0].literal;
	struct bw_ruleset set = { 0 };
	struct bw_arena arena = { 0 };
	struct bw_facts x;
	struct bw_diag diag;

	object.maps = &map;
	object.n_maps = 1;
	writes[0].literal = (struct bw_literal){ (const uint8_t *)data, 35, data };
	assert_int_equal(bw_ruleset_default(&set, &diag), 0);
	assert_int_equal(bw_facts_build(&object, &analysis, &arena, &x), 0);
	/* "%d" is too short to be a string of interest */
	assert_int_equal(x.n[BW_FACT_STRING], 2);
	assert_int_equal(bw_check(&set, &x, &arena, &so), 0);
	assert_string_equal(field_value(&sp[1], "BW124"), "critical");
	/* nobody refers to the section: the strings are the first program's */
	assert_string_equal(field_value(&sp[0], "BW183"), "critical");
	assert_string_equal(field_value(&sp[0], "BW180"), "high");
	writes[0].literal = none;
	object.maps = NULL;
	object.n_maps = 0;
	bw_arena_free(&arena);
	bw_ruleset_free(&set);
}

static void mistakes_in_files_are_named(void **state)
{
	static const struct {
		const char *text, *reason;
	} t[] = {
		{ "{\"version\":1,\"rules\":[{\"id\":\"x\"}]}", "an id is two capital letters and three to five digits" },
		{ "{\"version\":1,\"rules\":[{\"id\":\"AB123\"}]}", "\"title\" is missing" },
		{ "{\"version\":1,\"rules\":[{\"id\":\"AB123\",\"titel\":\"x\"}]}", "unknown key \"titel\"" },
		{ "{\"version\":1}", "\"rules\" must be a list" },
		{ "{\"version\":3,\"rules\":[]}", "\"version\" must be 1" },
		{ "{\"version\":1,\"rules\":[{\"id\":\"AB123\",\"title\":\"t\",\"severity\":\"high\",\"kind\":\"attack\",\"on\":\"flow\",\"message\":\"{sorce}\","
		  "\"rationale\":\"r\",\"remediation\":\"r\"}]}", "\"message\": {sorce} is not known" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct bw_ruleset set = { 0 };
		struct bw_diag diag = { 0 };

		assert_int_equal(bw_ruleset_add(&set, t[i].text, strlen(t[i].text), "f.json", &diag), -EINVAL);
		assert_string_equal(diag.reason, t[i].reason);
		assert_string_equal(diag.file, "f.json");
		bw_ruleset_free(&set);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conditions),
		cmocka_unit_test(globs),
		cmocka_unit_test(built_in_rules_speak),
		cmocka_unit_test(privilege_lines),
		cmocka_unit_test(mistakes_in_files_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
