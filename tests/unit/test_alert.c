// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Records to lines, compared with tests/golden/alert/NAME.json (BW_UPDATE_GOLDEN=1 writes them anew), and each line against
 * the schema: every member documented, of its type, and among its values.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <cjson/cJSON.h>

#include "guard/alert.h"
#include "tests/unit/records.h"

static const struct alert_context ctx = {
	.instance = "00112233aabbccdd",
	.host = "web-1",
	.boot_id = "7a1f0d5e-2f8e-4d0a-9d57-3a4b1e0f6c21",
	.tier = "enforce",
	.mode = "enforce",
	.boot_offset_ns = 1700000000000000000LL,
	.generation = 3,
};

static cJSON *schema;

static int schema_load(void **state)
{
	_cleanup_free_ char *text = NULL;
	size_t len;

	if (bw_file_read("rules/schema/event-v1.schema.json", 1 << 20, &text, &len) < 0)
		return -1;
	schema = cJSON_ParseWithLength(text, len);
	return schema ? 0 : -1;
}

static int schema_free(void **state)
{
	cJSON_Delete(schema);
	return 0;
}

static void members_are_described(void **state)
{
	_cleanup_free_ char *doc = NULL;
	const cJSON *v;
	size_t len;

	assert_int_equal(bw_file_read("docs/events.md", 1 << 20, &doc, &len), 0);
	assert_true(cJSON_GetArraySize(cJSON_GetObjectItem(schema, "properties")) > 70);
	cJSON_ArrayForEach(v, cJSON_GetObjectItem(schema, "properties")) {
		char row[64];

		snprintf(row, sizeof(row), "| `%s` |", v->string);
		if (!strstr(doc, row))
			fail_msg("\"%s\" has no row in docs/events.md", v->string);
	}
}

static bool type_fits(const cJSON *rule, const cJSON *v)
{
	const char *type = cJSON_GetStringValue(cJSON_GetObjectItem(rule, "type"));
	const cJSON *choices = cJSON_GetObjectItem(rule, "enum"), *choice;

	if (!type) /* "const" */
		return cJSON_Compare(cJSON_GetObjectItem(rule, "const"), v, true);
	if (!strcmp(type, "string")) {
		if (!cJSON_IsString(v))
			return false;
		cJSON_ArrayForEach(choice, choices)
			if (!strcmp(choice->valuestring, v->valuestring))
				return true;
		return !choices;
	}
	if (!strcmp(type, "integer"))
		return cJSON_IsNumber(v);
	if (!strcmp(type, "boolean"))
		return cJSON_IsBool(v);
	return !strcmp(type, "array") && cJSON_IsArray(v);
}

static void required_are_there(const cJSON *list, const cJSON *event)
{
	const cJSON *key;

	assert_true(cJSON_IsArray(list));
	cJSON_ArrayForEach(key, list)
		if (!cJSON_HasObjectItem(event, key->valuestring))
			fail_msg("\"%s\" is required and missing", key->valuestring);
}

static void check_schema(const char *line)
{
	const cJSON *props = cJSON_GetObjectItem(schema, "properties"), *v, *cond;
	cJSON *event = cJSON_Parse(line);
	const char *kind;

	assert_non_null(event);
	kind = cJSON_GetStringValue(cJSON_GetObjectItem(event, "kind"));
	assert_non_null(kind);
	cJSON_ArrayForEach(v, event) {
		const cJSON *rule = cJSON_GetObjectItemCaseSensitive(props, v->string);

		if (!rule && strcmp(kind, "guard"))
			fail_msg("\"%s\" is not in the schema", v->string);
		if (rule && !type_fits(rule, v))
			fail_msg("\"%s\" does not fit the schema", v->string);
	}
	required_are_there(cJSON_GetObjectItem(schema, "required"), event);
	cJSON_ArrayForEach(cond, cJSON_GetObjectItem(schema, "allOf")) {
		const cJSON *k = cJSON_GetObjectItem(cJSON_GetObjectItem(cJSON_GetObjectItem(cond, "if"), "properties"), "kind");

		if (!strcmp(cJSON_GetStringValue(cJSON_GetObjectItem(k, "const")), kind))
			required_are_there(cJSON_GetObjectItem(cJSON_GetObjectItem(cond, "then"), "required"), event);
	}
	cJSON_Delete(event);
}

static void check_golden(const char *name, const struct alert *a)
{
	_cleanup_free_ char *want = NULL;
	char path[128];
	size_t len;

	assert_int_equal(strlen(a->line), a->line_len);
	assert_null(strchr(a->line, '\n'));
	check_schema(a->line);
	snprintf(path, sizeof(path), "tests/golden/alert/%s.json", name);
	if (getenv("BW_UPDATE_GOLDEN")) {
		_cleanup_fclose_ FILE *f = fopen(path, "w");

		assert_non_null(f);
		fprintf(f, "%s\n", a->line);
		return;
	}
	assert_int_equal(bw_file_read(path, 1 << 20, &want, &len), 0);
	want[strcspn(want, "\n")] = '\0';
	assert_string_equal(a->line, want);
}

static void run(const char *name, const void *record, size_t size, struct alert_detail d, struct alert *ret)
{
	static struct bw_buf buf;
	struct decode_event e;

	assert_int_equal(decode_record(record, size, &e), 0);
	d.event = &e;
	bw_buf_free(&buf);
	assert_int_equal(alert_event(&ctx, &d, &buf, ret), 0);
	check_golden(name, ret);
	ret->line = NULL; /* goes with the buffer */
	bw_buf_free(&buf);
}

static void load_denied(void **state)
{
	struct bw_event_load l = record_load();
	struct alert a;

	run("load-denied", &l, sizeof(l), (struct alert_detail){ .seq = 1234, .cgroup = "/system.slice/x.service" }, &a);
	assert_int_equal(a.seq, 1234);
	assert_int_equal(a.time_ns, 1700000123456789012LL);
	assert_string_equal(a.kind, "load");
	assert_int_equal(a.severity, ALERT_HIGH);
	assert_string_equal(a.action, "denied");
	assert_string_equal(a.rule, "load.default");
	assert_string_equal(a.digest, "01080f161d242b323940474e555c636a71787f868d949ba2a9b0b7bec5ccd3da");
	assert_string_equal(a.prog_name, "xdp_filter");
	assert_string_equal(a.exe, "/usr/sbin/bpftool");
	assert_int_equal(a.pid, 4242);
}

static void load_by_tag(void **state)
{
	struct bw_event_load l = record_load();
	struct alert a;

	memset(l.digest + BW_TAG_LEN, 0, BW_DIGEST_LEN - BW_TAG_LEN);
	l.hdr.hook = BW_HOOK_BPF_PROG;
	l.identity = BW_IDENTITY_TAG;
	l.verdict = BW_VERDICT_ALLOW;
	l.action = BW_ACTION_ALLOWED;
	l.reason = BW_REASON_APPROVED;
	l.entry = 2;
	l.prog_id = 31;
	run("load-tag", &l, sizeof(l), (struct alert_detail){ .seq = 2, .policy_entry = "xdp-filter" }, &a);
	assert_int_equal(a.severity, ALERT_INFO);
	assert_string_equal(a.digest, "01080f161d242b32");
	assert_string_equal(a.rule, "load.approved");
}

static void load_watched(void **state)
{
	static const char *const attack[] = { "T1014", "T1562.001" };
	struct bw_event_load l = record_load();
	struct alert a;

	l.hdr.hook = BW_HOOK_SYS_BPF;
	l.identity = BW_IDENTITY_DIGEST_USER;
	l.action = BW_ACTION_WOULD_DENY;
	l.reason = BW_REASON_RULE;
	l.prog_type = 26; /* tracing */
	l.expected_attach_type = 24; /* trace_fentry */
	l.attach_btf_id = 999;
	l.kfunc_count = 5;
	l.kfunc_ids[0] = 100;
	l.kfunc_ids[1] = 200;
	l.error = -13;
	l.load_flags = 1u << 31 | BW_LOAD_COMPAT;
	l.helpers[3] = 1ULL << 63; /* 255: has no name */
	l.actor.path_truncated = 1;
	l.actor.exe_ino = 0;
	run("load-watched", &l, sizeof(l),
	    (struct alert_detail){ .seq = 3, .policy_rule = "no-write-user", .attack = attack, .n_attack = 2, .attach_target = "do_unlinkat",
				   .kfuncs = { "bpf_task_from_pid" }, .lost_before = 12 },
	    &a);
	assert_int_equal(a.severity, ALERT_CRITICAL);
	assert_string_equal(a.rule, "load.rule");
}

static void load_hostile(void **state)
{
	static const char path[] = "a\"b\\\n\x1b[2J\0\xff\xfe\0\xe2\x80\xae";
	struct bw_event_load l = record_load();
	struct alert a;

	memcpy(l.name, "\"},{\"v\":2,\n\x7f\x9b\xc3", 14);
	memset(l.actor.comm, 0x01, sizeof(l.actor.comm));
	memset(l.actor.path, 0, sizeof(l.actor.path));
	memcpy(l.actor.path, path, sizeof(path));
	l.actor.path_len = sizeof(path);
	l.prog_type = 4711;
	l.expected_attach_type = 4712;
	run("load-hostile", &l, sizeof(l), (struct alert_detail){ .seq = UINT64_MAX, .cgroup = "/\n\"" }, &a);
}

static void command_and_map(void **state)
{
	struct bw_event_command c = record_command();
	struct bw_event_map m = record_map();
	struct alert a;

	run("command", &c, sizeof(c), (struct alert_detail){ .seq = 4 }, &a);
	assert_string_equal(a.rule, "command.none");
	assert_int_equal(a.severity, ALERT_INFO);
	assert_string_equal(a.digest, "");
	c.action = BW_ACTION_DENIED;
	c.reason = BW_REASON_RULE;
	c.cmd = 4711;
	c.flags = BW_LOAD_KERNEL;
	c.hdr.hook = BW_HOOK_SYS_BPF;
	c.error = -1;
	run("command-denied", &c, sizeof(c), (struct alert_detail){ .seq = 5 }, &a);
	assert_int_equal(a.severity, ALERT_HIGH);
	run("map", &m, sizeof(m), (struct alert_detail){ .seq = 6 }, &a);
	assert_string_equal(a.rule, "map.opened");
	m.cmd = ~0u;
	run("map-no-command", &m, sizeof(m), (struct alert_detail){ .seq = 7 }, &a);
}

static void tampering(void **state)
{
	struct bw_event_tamper t = record_tamper();
	struct alert a;

	run("tamper", &t, sizeof(t), (struct alert_detail){ .seq = 8 }, &a);
	assert_string_equal(a.kind, "tamper");
	assert_string_equal(a.rule, "tamper.signal");
	assert_string_equal(a.action, "denied");
	assert_int_equal(a.severity, ALERT_CRITICAL);
	t.what = BW_TAMPER_CLAIM;
	t.action = BW_ACTION_ALLOWED;
	t.object = t.detail = 0;
	memset(t.name, 0, sizeof(t.name));
	run("tamper-claim", &t, sizeof(t), (struct alert_detail){ .seq = 9 }, &a);
	assert_int_equal(a.severity, ALERT_MEDIUM);
	t.action = BW_ACTION_DENIED;
	run("tamper-claim-denied", &t, sizeof(t), (struct alert_detail){ .seq = 10 }, &a);
	assert_int_equal(a.severity, ALERT_CRITICAL);
}

static void attachments(void **state)
{
	static const __u64 magic[] = { /* udp, payload begins with 0x7255 */
		0x0000000c00000028, 0x0000080007000015, 0x0000001700000030, 0x0000001105000015, 0x0000000e000000b1,
		0x0000001600000048, 0x0000725502000015, 0x0000ffff00000006, 0x0000000000000006, 0x0000000000000006,
	};
	struct record_attach r = record_attach();
	struct alert a;

	run("attach-link", &r, sizeof(r.attach), (struct alert_detail){ .seq = 10 }, &a);
	assert_string_equal(a.kind, "attach");
	assert_string_equal(a.rule, "attach.link");
	assert_int_equal(a.severity, ALERT_INFO);
	assert_string_equal(a.prog_name, "xdp_filter");
	assert_int_equal(strlen(a.digest), 64);
	/* The same where personal data passes: approved, and not. */
	{
		const struct alert_exposure x = { .n_apis = 2, .api = "POST shop.example/checkout", .place = "interface",
						  .classes = { "card", "email" }, .n_classes = 2 };

		r.attach.prog.entry = 1;
		run("attach-exposed-approved", &r, sizeof(r.attach), (struct alert_detail){ .seq = 14, .exposure = &x }, &a);
		assert_int_equal(a.severity, ALERT_INFO);
		r.attach.prog.entry = ~0u;
		run("attach-exposed", &r, sizeof(r.attach), (struct alert_detail){ .seq = 15, .exposure = &x }, &a);
		assert_int_equal(a.severity, ALERT_HIGH);
	}
	/* A program that decides results, on the kernel's BPF functions. */
	r.attach.way = BW_WAY_PERF_IOCTL;
	r.attach.request = 0x40042408;
	r.attach.flags = BW_ATTACH_KPROBE | BW_ATTACH_COMPAT;
	r.attach.attach_type = 41;
	r.attach.prog.type = 2;
	r.attach.prog.helpers[0] |= 1ULL << 58;
	r.attach.link_id = 0;
	memcpy(r.attach.text, "__x64_sys_bpf", 13);
	r.attach.text_len = 13;
	r.attach.hdr.hook = BW_HOOK_FILE_IOCTL;
	run("attach-override", &r, sizeof(r.attach), (struct alert_detail){ .seq = 11 }, &a);
	assert_int_equal(a.severity, ALERT_CRITICAL);
	/* Refused. */
	r.attach.action = BW_ACTION_DENIED;
	r.attach.reason = BW_REASON_INERT;
	r.attach.prog.known = 0;
	run("attach-denied", &r, sizeof(r.attach), (struct alert_detail){ .seq = 12 }, &a);
	assert_string_equal(a.rule, "attach.inert");
	assert_string_equal(a.digest, "");
	/* A classic filter. */
	r = record_attach();
	r.attach.hdr.size = sizeof(r);
	r.attach.hdr.hook = BW_HOOK_FILTER_DONE;
	r.attach.way = BW_WAY_CLASSIC_FILTER;
	r.attach.request = 26;
	r.attach.attr[0] = 1ULL << 32 | 26;
	r.attach.attr[1] = 3ULL << 32 | 17;
	r.attach.attr[2] = 0x300;
	r.attach.attr_len = 24;
	r.attach.attach_type = ~0u;
	r.attach.link_id = 0;
	r.attach.prog.id = 0;
	r.attach.error = 0;
	r.attach.n_insns = r.attach.n_insns_here = 10;
	memcpy(r.insns, magic, sizeof(magic));
	run("attach-filter", &r, sizeof(r), (struct alert_detail){ .seq = 13 }, &a);
	assert_int_equal(a.severity, ALERT_HIGH);
}

static void guard_events(void **state)
{
	_cleanup_buf_ struct bw_buf buf = { 0 };
	const struct alert_kv taken[] = { ALERT_STR("seq", "x"), { 0 } };
	const struct alert_kv odd[] = { ALERT_STR("a b", "x"), { 0 } };
	struct alert a = { .seq = 99 };

	assert_int_equal(alert_guard_event(&ctx, 8, 1700000000000000001LL, "policy_refused", ALERT_HIGH, "the running policy stays",
					   (struct alert_kv[]){ ALERT_STR("file", "/etc/p\n.json"), ALERT_U64("line", 12),
								ALERT_I64("error", -22), ALERT_BOOL("kept", true),
								ALERT_STR("absent", NULL), { 0 } },
					   &buf, &a), 0);
	check_golden("guard-policy-refused", &a);
	assert_string_equal(a.rule, "guard.policy_refused");
	assert_string_equal(a.kind, "guard");
	assert_int_equal(alert_guard_event(&ctx, 9, 0, "x", ALERT_INFO, NULL, taken, &buf, &a), -EINVAL);
	assert_int_equal(alert_guard_event(&ctx, 9, 0, "x", ALERT_INFO, NULL, odd, &buf, &a), -EINVAL);
	assert_int_equal(a.seq, 8);
	assert_int_equal(alert_guard_event(&(struct alert_context){ 0 }, 10, -1, "start", ALERT_INFO, NULL, NULL, &buf, &a), 0);
	check_golden("guard-bare", &a);
}

static void limits_and_names(void **state)
{
	_cleanup_buf_ struct bw_buf buf = { 0 };
	_cleanup_free_ char *big = malloc(ALERT_MAX_LINE + 1);
	enum alert_severity s = ALERT_LOW;
	struct alert a = { .seq = 99 };

	assert_non_null(big);
	memset(big, 'x', ALERT_MAX_LINE);
	big[ALERT_MAX_LINE] = '\0';
	assert_int_equal(alert_guard_event(&ctx, 1, 0, "start", ALERT_INFO, big, NULL, &buf, &a), -E2BIG);
	assert_int_equal(a.seq, 99);
	/* The buffer is good for the next one. */
	assert_int_equal(alert_guard_event(&ctx, 1, 0, "start", ALERT_INFO, "m", NULL, &buf, &a), 0);
	assert_int_equal(alert_severity_parse("critical", &s), 0);
	assert_int_equal(s, ALERT_CRITICAL);
	assert_int_equal(alert_severity_parse("fatal", &s), -EINVAL);
	assert_string_equal(alert_severity_name(ALERT_DEBUG), "debug");
	assert_string_equal(alert_severity_name(99), "critical");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(load_denied),	cmocka_unit_test(load_by_tag),	   cmocka_unit_test(load_watched),
		cmocka_unit_test(load_hostile), cmocka_unit_test(command_and_map), cmocka_unit_test(guard_events),
		cmocka_unit_test(tampering),
		cmocka_unit_test(attachments),
		cmocka_unit_test(limits_and_names), cmocka_unit_test(members_are_described),
	};

	return cmocka_run_group_tests(tests, schema_load, schema_free);
}
