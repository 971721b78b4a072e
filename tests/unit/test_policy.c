// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "common/bpf_names.h"
#include "common/buf.h"
#include "common/json_check.h"
#include "common/limits.h"
#include "common/policy.h"

#define GOLDEN "tests/golden/policy/"

/* Every document of the shared list gives exactly the line that is written down for it. */
static void documents(void **state)
{
	_cleanup_fclose_ FILE *f = fopen(GOLDEN "expect.tsv", "re");
	char line[1024];
	unsigned int n = 0, bad = 0;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		struct bw_policy_error e;
		struct bw_policy *p = NULL;
		char path[1100], got[700] = "ok", *tab, *expected;
		int r;

		if (*line == '#')
			continue;
		line[strcspn(line, "\n")] = 0;
		tab = strchr(line, '\t');
		assert_non_null(tab);
		*tab = 0;
		expected = strchr(tab + 1, '\t') + 1;
		snprintf(path, sizeof(path), GOLDEN "%s", line);
		r = bw_policy_read(path, &p, &e);
		if (r < 0) {
			assert_null(p);
			bw_policy_error_format(&e, "", got, sizeof(got));
		}
		if (strcmp(got, expected)) {
			print_error("%s:\n  got      %s\n  expected %s\n", line, got, expected);
			bad++;
		}
		bw_policy_free(p);
		n++;
	}
	assert_int_equal(bad, 0);
	assert_true(n >= 100);
}

static void the_schema_agrees(void **state)
{
	int status = system("/usr/bin/python3 tests/tools/check-policy-schema >&2");

	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77 || WEXITSTATUS(status) == 127)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_full_document(void **state)
{
	_cleanup_policy_ struct bw_policy *p = NULL;
	const struct bw_policy_program *prog;
	struct bw_policy_error e;

	assert_int_equal(bw_policy_read(GOLDEN "full.json", &p, &e), 0);
	assert_string_equal(p->name, "edge hosts");
	assert_true(p->serial == BW_MAX_POLICY_INT);
	assert_false(p->allow_init);
	assert_false(p->allow_inert);
	assert_int_equal(p->inert_max_instructions, 32);
	assert_int_equal(p->defaults[BW_CLASS_TRACING], BW_VERDICT_DENY);
	assert_int_equal(p->defaults[BW_CLASS_NETWORKING], BW_VERDICT_ALLOW);
	assert_int_equal(p->defaults[BW_CLASS_SOCKET_FILTER], BW_VERDICT_ALLOW);
	assert_int_equal(p->defaults[BW_CLASS_OTHER], BW_VERDICT_DENY);
	assert_int_equal(p->n_programs, 2);
	prog = &p->programs[0];
	assert_string_equal(prog->id, "xdp-filter/drop");
	assert_string_equal(prog->name, "xdp_drop");
	assert_int_equal(prog->type, 6);
	assert_false(prog->any_attach_type);
	assert_int_equal(prog->attach_type, 37);
	assert_int_equal(prog->n_digests, 2);
	assert_int_equal(prog->digests[0][0], 0x01);
	assert_int_equal(prog->digests[0][31], 0xef);
	assert_int_equal(prog->digests[1][7], 0xff);
	assert_int_equal(prog->n_tags, 1);
	assert_memory_equal(prog->tags[0].tag, "\x00\x11\x22\x33\x44\x55\x66\x77", 8);
	assert_int_equal(prog->tags[0].instructions, 12);
	assert_int_equal(prog->n_loaders, 2);
	assert_string_equal(prog->loaders[1].path, "/opt/ä b");
	assert_int_equal(prog->helpers[0], 1 << 1 | 1 << 6);
	assert_int_equal(prog->n_targets, 0);
	prog = &p->programs[1];
	assert_null(prog->reason);
	assert_int_equal(prog->type, 29);
	assert_int_equal(prog->n_targets, 2);
	assert_string_equal(prog->targets[1], "mod-x:f.isra.0");
	assert_int_equal(prog->n_kfuncs, 1);
	assert_int_equal(p->n_rules, 2);
	assert_true(p->rules[0].any_kfunc);
	assert_int_equal(p->rules[0].n_kfuncs, 1);
	assert_true(p->rules[0].types == (1 << 5 | 1 << 2));
	assert_true(p->rules[0].helpers[0] == 1ULL << 36);
	assert_false(p->rules[1].any_kfunc);
}

static void what_is_absent(void **state)
{
	_cleanup_policy_ struct bw_policy *p = NULL;
	struct bw_policy_error e;

	assert_int_equal(bw_policy_parse("{\"version\":1}", 13, &p, &e), 0);
	assert_null(p->name);
	assert_true(p->allow_init);
	assert_true(p->allow_inert);
	assert_int_equal(p->inert_max_instructions, 64);
	for (int i = 0; i < BW_CLASS_COUNT; i++)
		assert_int_equal(p->defaults[i], BW_VERDICT_DENY);
	assert_int_equal(p->n_programs, 0);
	assert_int_equal(p->n_rules, 0);
}

static void escapes_are_decoded(void **state)
{
	_cleanup_policy_ struct bw_policy *p = NULL;
	struct bw_policy_error e;

	assert_int_equal(bw_policy_read(GOLDEN "escapes.json", &p, &e), 0);
	assert_string_equal(p->name, "aA\xf0\x9f\x98\x80 / \"q\"");
}

static void expect_file_error(const char *path, int error, const char *line)
{
	struct bw_policy *p = NULL;
	struct bw_policy_error e;
	char got[700];

	assert_int_equal(bw_policy_read(path, &p, &e), error);
	assert_null(p);
	assert_string_equal(bw_policy_error_format(&e, path, got, sizeof(got)), line);
}

static void files_that_are_no_policy(void **state)
{
	char dir[] = "/tmp/bw-test-policy.XXXXXX", path[64], line[128];
	FILE *f;

	assert_non_null(mkdtemp(dir));
	snprintf(line, sizeof(line), "%s: is a directory, not a policy file", dir);
	expect_file_error(dir, -EISDIR, line);
	snprintf(path, sizeof(path), "%s/none", dir);
	snprintf(line, sizeof(line), "%s: cannot be read: No such file or directory", path);
	expect_file_error(path, -ENOENT, line);
	snprintf(path, sizeof(path), "%s/fifo", dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	snprintf(line, sizeof(line), "%s: is not a regular file", path);
	expect_file_error(path, -EINVAL, line);
	unlink(path);
	/* 100 MB, none of it on the disk. */
	snprintf(path, sizeof(path), "%s/big", dir);
	f = fopen(path, "we");
	assert_non_null(f);
	assert_int_equal(ftruncate(fileno(f), 100000000), 0);
	snprintf(line, sizeof(line), "%s: larger than 64 MiB", path);
	expect_file_error(path, -EFBIG, line);
	if (geteuid()) { /* root may read everything */
		assert_int_equal(ftruncate(fileno(f), 0), 0);
		assert_int_equal(chmod(path, 0), 0);
		snprintf(line, sizeof(line), "%s: cannot be read: Permission denied", path);
		expect_file_error(path, -EACCES, line);
	}
	fclose(f);
	unlink(path);
	rmdir(dir);
}

static void nesting_and_numbers_of_values_are_limited(void **state)
{
	_cleanup_free_ char *text = malloc(200001);
	const char *reason = NULL;
	size_t offset = 0;

	assert_non_null(text);
	memset(text, '[', 200000);
	text[200000] = 0;
	assert_int_equal(bw_json_check(text, 200000, 1000000, &offset, &reason), -E2BIG);
	assert_int_equal(offset, BW_MAX_JSON_DEPTH);
	assert_int_equal(bw_json_check("[1,2,3]", 7, 4, &offset, &reason), 0);
	assert_int_equal(bw_json_check("[1,2,3]", 7, 3, &offset, &reason), -E2BIG);
	assert_int_equal(offset, 5);
	/* Exactly as deep as allowed. */
	memset(text + BW_MAX_JSON_DEPTH, ']', BW_MAX_JSON_DEPTH);
	assert_int_equal(bw_json_check(text, 2 * BW_MAX_JSON_DEPTH, 1000, &offset, &reason), 0);
}

/* Cutting a valid document anywhere never gives a policy, and always a place inside the file. */
static void every_truncation_is_refused(void **state)
{
	_cleanup_free_ char *text = NULL;
	size_t len;

	assert_int_equal(bw_file_read(GOLDEN "full.json", 1 << 20, &text, &len), 0);
	while (len && text[len - 1] == '\n')
		len--;
	for (size_t n = 0; n < len; n++) {
		_cleanup_free_ char *copy = malloc(n + 1); /* exact: the sanitizer sees a read beyond it */
		struct bw_policy_error e;
		struct bw_policy *p = NULL;

		assert_non_null(copy);
		memcpy(copy, text, n);
		assert_int_equal(bw_policy_parse(copy, n, &p, &e), -EBADMSG);
		assert_null(p);
		assert_true(e.line >= 1 && e.column >= 1);
		assert_true(*e.reason);
	}
}

static void errors_are_one_printable_line(void **state)
{
	_cleanup_buf_ struct bw_buf b = {};
	struct bw_policy_error e;
	struct bw_policy *p = NULL;
	char line[700];

	bw_buf_str(&b, "{\"version\":1,\"");
	for (int i = 0; i < 5000; i++)
		bw_buf_str(&b, "\\u001b\\n\xc3\xa4");
	bw_buf_str(&b, "\":1}");
	assert_int_equal(bw_policy_parse(b.data, b.len, &p, &e), -EINVAL);
	bw_policy_error_format(&e, "f", line, sizeof(line));
	for (const char *c = line; *c; c++)
		assert_true((unsigned char)*c >= 0x20);
	assert_true(strlen(e.field) > 100);
	assert_string_equal(e.reason, "unknown key");
}

static void classes_cover_every_type(void **state)
{
	static const struct {
		const char *type;
		enum bw_policy_class class;
	} some[] = {
		{ "kprobe", BW_CLASS_TRACING },	     { "raw_tracepoint_writable", BW_CLASS_TRACING },
		{ "tracing", BW_CLASS_TRACING },     { "perf_event", BW_CLASS_TRACING },
		{ "xdp", BW_CLASS_NETWORKING },	     { "lwt_seg6local", BW_CLASS_NETWORKING },
		{ "netfilter", BW_CLASS_NETWORKING }, { "sk_lookup", BW_CLASS_NETWORKING },
		{ "sock_ops", BW_CLASS_CGROUP },     { "cgroup_sockopt", BW_CLASS_CGROUP },
		{ "cgroup_sock_addr", BW_CLASS_CGROUP }, { "lsm", BW_CLASS_LSM },
		{ "socket_filter", BW_CLASS_SOCKET_FILTER }, { "ext", BW_CLASS_OTHER },
		{ "struct_ops", BW_CLASS_OTHER },    { "syscall", BW_CLASS_OTHER },
		{ "lirc_mode2", BW_CLASS_OTHER },    { "unspec", BW_CLASS_OTHER },
	};

	for (size_t i = 0; i < ARRAY_SIZE(some); i++)
		assert_int_equal(bw_policy_class((uint32_t)bw_prog_type_id(some[i].type)), some[i].class);
	/* Whose name says it. */
	for (uint32_t t = 0; t < bw_prog_type_count(); t++)
		if (!strncmp(bw_prog_type_name(t), "cgroup_", 7))
			assert_int_equal(bw_policy_class(t), BW_CLASS_CGROUP);
	assert_int_equal(bw_policy_class(bw_prog_type_count()), BW_CLASS_OTHER);
	assert_int_equal(bw_policy_class(UINT32_MAX), BW_CLASS_OTHER);
}

static void review_finds_what_was_not_meant(void **state)
{
	static const char text[] =
		"{\"version\":1,\"programs\":["
		"{\"id\":\"a\",\"reason\":\"r\",\"type\":\"kprobe\",\"tags\":[{\"tag\":\"0011223344556677\",\"instructions\":1}],"
		"\"helpers\":[\"probe_write_user\"]},"
		"{\"id\":\"b\",\"reason\":\"r\",\"type\":\"xdp\",\"tags\":[{\"tag\":\"0011223344556678\",\"instructions\":1}],"
		"\"helpers\":[\"probe_write_user\"],\"attach_type\":\"lsm_mac\"},"
		"{\"id\":\"c\",\"type\":\"lsm\",\"tags\":[{\"tag\":\"0011223344556679\",\"instructions\":1}],\"kfuncs\":[\"f\"]},"
		"{\"id\":\"d\",\"reason\":\"r\",\"type\":63,\"tags\":[{\"tag\":\"0011223344556670\",\"instructions\":1}]}],"
		"\"rules\":[{\"id\":\"w\",\"reason\":\"r\",\"deny\":{\"helpers\":[\"probe_write_user\"],\"types\":[\"kprobe\"]}},"
		"{\"id\":\"k\",\"deny\":{\"kfuncs\":[\"*\"]}},{\"id\":\"g\",\"reason\":\"r\",\"deny\":{\"kfuncs\":[\"g\"]}}]}";
	static const char *const expected[] = {
		"programs[0] (a): without effect: the rule \"w\" denies it",
		"programs[1] (b): attach type 27 is not one of program type xdp",
		"programs[2] (c): without effect: the rule \"k\" denies it",
		"programs[2] (c): says no reason",
		"programs[3] (d): program type 63 is not known here: only attach type 0 is approved; state \"attach_type\"",
		"rules[1] (k): says no reason",
	};
	_cleanup_policy_ struct bw_policy *p = NULL;
	struct bw_policy_warnings w = {};
	struct bw_policy_error e;

	assert_int_equal(bw_policy_parse(text, strlen(text), &p, &e), 0);
	assert_int_equal(bw_policy_review(p, &w), 0);
	assert_int_equal(w.n, ARRAY_SIZE(expected));
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
		assert_string_equal(w.lines[i], expected[i]);
	for (int i = 0; i < 2000; i++)
		assert_int_equal(bw_policy_warn(&w, "%d", i), 0);
	assert_int_equal(w.n, BW_MAX_POLICY_WARNINGS);
	assert_int_equal(w.more, 2000 + ARRAY_SIZE(expected) - BW_MAX_POLICY_WARNINGS);
	bw_policy_warnings_free(&w);
	assert_int_equal(w.n, 0);
}

static void the_shipped_policy(void **state)
{
	_cleanup_policy_ struct bw_policy *p = NULL;
	struct bw_policy_warnings w = {};
	struct bw_policy_error e;

	assert_int_equal(bw_policy_read("rules/observe.json", &p, &e), 0);
	assert_int_equal(bw_policy_review(p, &w), 0);
	assert_int_equal(w.n, 0);
	assert_true(p->allow_init && p->allow_inert);
	assert_int_equal(p->n_rules, 2);
	assert_true(p->rules[0].helpers[0] == 1ULL << 36);
	assert_true(p->rules[1].helpers[0] == 1ULL << 58);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(documents),
		cmocka_unit_test(the_schema_agrees),
		cmocka_unit_test(a_full_document),
		cmocka_unit_test(what_is_absent),
		cmocka_unit_test(escapes_are_decoded),
		cmocka_unit_test(files_that_are_no_policy),
		cmocka_unit_test(nesting_and_numbers_of_values_are_limited),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(errors_are_one_printable_line),
		cmocka_unit_test(classes_cover_every_type),
		cmocka_unit_test(review_finds_what_was_not_meant),
		cmocka_unit_test(the_shipped_policy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
