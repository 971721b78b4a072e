// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* posture on recorded trees of facts: tests/golden/posture. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <cjson/cJSON.h>
#include <sqlite3.h>
#include <zlib.h>
#include <cmocka.h>

#include "auditor/posture/posture.h"
#include "common/cleanup.h"

#define GOLDEN "tests/golden/posture/"

static char root[64];

/* ---- trees ---------------------------------------------------------------------------------------------------------- */

static void path_of(char *full, size_t size, const char *path)
{
	assert_true(snprintf(full, size, "%s/%s", root, path) < (int)size);
	for (char *p = full + strlen(root) + 1; (p = strchr(p, '/')); p++) {
		*p = 0;
		mkdir(full, 0755);
		*p = '/';
	}
}

static void put_file(const char *path, const char *data, size_t len)
{
	char full[512];

	path_of(full, sizeof(full), path);
	assert_int_equal(bw_file_write_atomic(full, data, len, 0644), 0);
}

static void remove_file(const char *path)
{
	char full[512];

	path_of(full, sizeof(full), path);
	unlink(full);
}

/* "== file PATH", "== dir PATH MODE", "== link PATH TARGET" */
static void put_tree(const char *name)
{
	_cleanup_free_ char *text = NULL;
	char file[128];
	size_t len;

	snprintf(file, sizeof(file), GOLDEN "%s", name);
	assert_int_equal(bw_file_read(file, 1 << 20, &text, &len), 0);
	for (char *p = strstr(text, "== "); p;) {
		char *end = strchr(p, '\n'), *next = strstr(end, "\n== "), *last;
		char full[512];

		*end = 0;
		last = strrchr(p, ' ');
		if (!strncmp(p, "== file ", 8)) {
			put_file(p + 8, end + 1, next ? (size_t)(next - end) : strlen(end + 1));
		} else if (!strncmp(p, "== dir ", 7)) {
			*last = 0;
			path_of(full, sizeof(full), p + 7);
			mkdir(full, 0755);
			assert_int_equal(chmod(full, (mode_t)strtoul(last + 1, NULL, 8)), 0);
		} else {
			char *target = strchr(p + 8, ' ');

			*target++ = 0;
			path_of(full, sizeof(full), p + 8);
			assert_int_equal(symlink(target, full), 0);
		}
		p = next ? next + 1 : NULL;
	}
}

static int tree_setup(void **state)
{
	snprintf(root, sizeof(root), "/tmp/posture.XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int tree_teardown(void **state)
{
	char command[192];

	snprintf(command, sizeof(command), "chmod -R u+rwx '%s' && rm -rf '%s'", root, root);
	return system(command);
}

struct run {
	struct posture_host host;
	struct posture_cves cves;
	struct posture_report report;
};

static void run_tree(struct run *r, enum posture_profile profile)
{
	assert_int_equal(posture_host_read(root, &r->host), 0);
	assert_int_equal(posture_cves_judge(&r->host, &r->cves), 0);
	assert_int_equal(posture_judge(&r->host, &r->cves, profile, &r->report), 0);
}

static void run_free(struct run *r)
{
	posture_report_free(&r->report);
	posture_cves_free(&r->cves);
	posture_host_free(&r->host);
}

static const struct posture_result *result_of(const struct run *r, const char *id)
{
	for (size_t i = 0; i < r->report.n_results; i++)
		if (!strcmp(r->report.results[i].check->id, id))
			return &r->report.results[i];
	fail_msg("no check %s", id);
	return NULL;
}

static const char *verdict_of(const struct run *r, const char *id)
{
	return posture_verdict_name(result_of(r, id)->verdict);
}

/* ---- checks --------------------------------------------------------------------------------------------------------- */

static void test_hardened(void **state)
{
	struct run r;

	put_tree("server.facts");
	run_tree(&r, POSTURE_STRICT);
	for (size_t i = 0; i < r.report.n_results; i++)
		if (r.report.results[i].verdict != POSTURE_PASS && r.report.results[i].verdict != POSTURE_NA)
			fail_msg("%s: %s", r.report.results[i].check->id, r.report.results[i].value);
	assert_int_equal(r.report.n_results, 36);
	assert_int_equal(r.report.score, 100);
	assert_string_equal(verdict_of(&r, "BP209"), "not-applicable");
	assert_int_equal(r.host.n_mounts, 5);
	assert_string_equal(r.host.mounts[4].point, "/mnt/with space");
	/* kthreadd is the kernel, process 900 is root elsewhere */
	assert_int_equal(r.host.n_processes, 2);
	assert_true(r.host.processes[0].other_userns || r.host.processes[1].other_userns);
	run_free(&r);
	/* other profiles ask less */
	run_tree(&r, POSTURE_WORKSTATION);
	assert_int_equal(r.report.n_results, 23);
	assert_int_equal(r.report.score, 100);
	run_free(&r);
}

/* Is "ID=verdict" in the list; without an entry the check must be good. */
static void expect(const char *list, const struct posture_result *o, const char *row)
{
	const char *at = strstr(list, o->check->id), *got = posture_verdict_name(o->verdict);
	size_t n = strlen(got);

	if (!at) {
		if (o->verdict != POSTURE_PASS && o->verdict != POSTURE_NA)
			fail_msg("%s: %s is %s (%s)", row, o->check->id, got, o->value);
		return;
	}
	at += strlen(o->check->id) + 1;
	if (strncmp(at, got, n) || (at[n] && at[n] != ','))
		fail_msg("%s: %s is %s (%s), not %s", row, o->check->id, got, o->value, at);
}

static void unescape(char *s)
{
	char *w = s;

	for (; *s; s++)
		if (*s == '\\' && (s[1] == 'n' || s[1] == 't'))
			*w++ = *++s == 'n' ? '\n' : '\t';
		else
			*w++ = *s;
	*w = 0;
}

static void test_flips(void **state)
{
	_cleanup_free_ char *text = NULL;
	unsigned int rows = 0;
	size_t len;

	put_tree("server.facts");
	assert_int_equal(bw_file_read(GOLDEN "flips.tsv", 1 << 20, &text, &len), 0);
	for (char *line = text, *next; *line; line = next) {
		_cleanup_free_ char *before = NULL;
		char *path = line, *content, *list, full[512], row[128];
		size_t before_len;
		struct run r;

		next = strchr(line, '\n');
		*next++ = 0;
		if (*line == '#')
			continue;
		content = strchr(path, '\t');
		*content++ = 0;
		list = strchr(content, '\t');
		*list++ = 0;
		snprintf(row, sizeof(row), "%s = %.40s", path, content);
		path_of(full, sizeof(full), path);
		if (bw_file_read(full, 1 << 20, &before, &before_len) < 0)
			before = NULL;
		unescape(content);
		if (!strcmp(content, "-"))
			remove_file(path);
		else
			put_file(path, content, strlen(content));
		run_tree(&r, POSTURE_STRICT);
		for (size_t i = 0; i < r.report.n_results; i++)
			expect(list, &r.report.results[i], row);
		assert_int_equal(r.report.score == 100, !*list || strstr(list, "BP404"));
		run_free(&r);
		if (before)
			put_file(path, before, before_len);
		else
			remove_file(path);
		rows++;
	}
	assert_int_equal(rows, 50);
}

/* Where nothing can be read, nothing passes, in no profile. */
static void test_nothing_readable(void **state)
{
	for (int p = 0; p < POSTURE_PROFILE_COUNT; p++) {
		struct run r;

		run_tree(&r, (enum posture_profile)p);
		for (size_t i = 0; i < r.report.n_results; i++)
			if (r.report.results[i].verdict != POSTURE_UNKNOWN && strcmp(r.report.results[i].check->id, "BP404"))
				fail_msg("%s is %s", r.report.results[i].check->id, posture_verdict_name(r.report.results[i].verdict));
		assert_int_equal(r.report.score, 0);
		assert_int_equal(r.report.count[POSTURE_PASS], 0);
		run_free(&r);
	}
}

/* Modes of mounts, which git does not keep. */
static void test_modes(void **state)
{
	static const struct {
		const char *dir, *id;
		mode_t mode;
		const char *verdict;
	} rows[] = {
		{ "sys/fs/bpf", "BP107", 01777, "fail" },	  { "sys/fs/bpf", "BP107", 0755, "pass" },
		{ "sys/fs/bpf", "BP107", 0770, "fail" },	  { "sys/kernel/debug", "BP305", 0755, "fail" },
		{ "sys/kernel/tracing", "BP306", 0755, "fail" }, { "sys/kernel/tracing", "BP306", 0750, "pass" },
		{ "mnt/with space", "BP107", 0722, "fail" },
	};

	put_tree("server.facts");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char full[512];
		struct run r;

		path_of(full, sizeof(full), rows[i].dir);
		assert_int_equal(chmod(full, rows[i].mode), 0);
		run_tree(&r, POSTURE_SERVER);
		assert_string_equal(verdict_of(&r, rows[i].id), rows[i].verdict);
		run_free(&r);
		assert_int_equal(chmod(full, 0700), 0);
	}
}

static void test_container(void **state)
{
	static const char status[] = "Name:\tagent\nUid:\t0\t0\t0\t0\nVmSize:\t1 kB\nCapEff:\t0000008000000000\n";
	static const char cgroup[] = "0::/system.slice/docker-0123.scope\n";
	char full[512];
	struct run r;

	put_tree("server.facts");
	put_file("proc/88/status", status, strlen(status));
	put_file("proc/88/cgroup", cgroup, strlen(cgroup));
	path_of(full, sizeof(full), "proc/88/ns/user");
	assert_int_equal(symlink("user:[4026531837]", full), 0);
	run_tree(&r, POSTURE_CONTAINER_HOST);
	assert_string_equal(verdict_of(&r, "BP401"), "fail");
	assert_string_equal(result_of(&r, "BP401")->value, "agent (pid 88, uid 0) CAP_BPF");
	run_free(&r);
}

/* ---- fix, undo ------------------------------------------------------------------------------------------------------ */

static void file_is(const char *path, const char *want)
{
	_cleanup_free_ char *text = NULL;
	char full[512];
	size_t len;
	int r;

	path_of(full, sizeof(full), path);
	r = bw_file_read(full, 1 << 20, &text, &len);
	if (!want) {
		assert_int_equal(r, -ENOENT);
		return;
	}
	assert_int_equal(r, 0);
	assert_string_equal(text, want);
}

static size_t fix_tree(enum posture_profile profile)
{
	struct posture_plan plan;
	const char *what;
	struct run r;
	size_t n;

	run_tree(&r, profile);
	assert_int_equal(posture_plan_make(&r.report, root, &plan), 0);
	n = plan.n_changes;
	if (n)
		assert_int_equal(posture_plan_apply(&plan, root, &what), 0);
	posture_plan_free(&plan);
	run_free(&r);
	return n;
}

static void test_fix_undo(void **state)
{
	static const char conf[] = "# ours\nkernel.kptr_restrict=0\nkernel.sysrq = 0\n";
	_cleanup_buf_ struct bw_buf said = { 0 };
	struct run r;

	put_tree("server.facts");
	put_file("etc/sysctl.d/99-bpfwarden.conf", conf, strlen(conf));
	put_file("proc/sys/kernel/kptr_restrict", "0\n", 2);
	put_file("proc/sys/kernel/unprivileged_bpf_disabled", "0\n", 2);
	put_file("proc/sys/kernel/kexec_load_disabled", "0\n", 2);
	put_file("proc/sys/net/core/bpf_jit_harden", "0\n", 2);
	/* kexec cannot be taken back: not fixed */
	assert_int_equal(fix_tree(POSTURE_SERVER), 3);
	file_is("proc/sys/kernel/kptr_restrict", "1\n");
	file_is("proc/sys/kernel/unprivileged_bpf_disabled", "2\n");
	file_is("proc/sys/kernel/kexec_load_disabled", "0\n");
	file_is("etc/sysctl.d/99-bpfwarden.conf", "# ours\nkernel.sysrq = 0\nkernel.unprivileged_bpf_disabled = 2\n"
						  "net.core.bpf_jit_harden = 1\nkernel.kptr_restrict = 1\n");
	run_tree(&r, POSTURE_SERVER);
	assert_string_equal(verdict_of(&r, "BP101"), "pass");
	run_free(&r);
	assert_int_equal(fix_tree(POSTURE_SERVER), 0);
	/* a second, stricter fix keeps the first state */
	assert_int_equal(fix_tree(POSTURE_STRICT), 2);
	file_is("proc/sys/kernel/kptr_restrict", "2\n");
	assert_int_equal(posture_undo(root, &said), 0);
	file_is("proc/sys/kernel/kptr_restrict", "0\n");
	file_is("proc/sys/kernel/unprivileged_bpf_disabled", "0\n");
	file_is("proc/sys/net/core/bpf_jit_harden", "0\n");
	file_is("etc/sysctl.d/99-bpfwarden.conf", conf);
	file_is("var/lib/bpfwarden/posture-undo.json", NULL);
	assert_int_equal(posture_undo(root, &said), -ENOENT);
}

static void test_undo_respects_others(void **state)
{
	_cleanup_buf_ struct bw_buf said = { 0 };

	put_tree("server.facts");
	put_file("proc/sys/kernel/kptr_restrict", "0\n", 2);
	put_file("proc/sys/kernel/dmesg_restrict", "0\n", 2);
	assert_int_equal(fix_tree(POSTURE_SERVER), 2);
	put_file("proc/sys/kernel/kptr_restrict", "2\n", 2);
	assert_int_equal(posture_undo(root, &said), -EEXIST);
	assert_non_null(strstr(bw_buf_cstr(&said), "kernel.kptr_restrict: is 2, was set to 1: changed since, left alone"));
	file_is("proc/sys/kernel/kptr_restrict", "2\n");
	file_is("proc/sys/kernel/dmesg_restrict", "0\n");
	file_is("etc/sysctl.d/99-bpfwarden.conf", NULL);
}

/* A value that cannot be set: everything as before, and no record. */
static void test_fix_fails(void **state)
{
	struct posture_plan plan;
	const char *what = "";
	char full[512];
	struct run r;

	put_tree("server.facts");
	put_file("proc/sys/kernel/kptr_restrict", "0\n", 2);
	put_file("proc/sys/kernel/dmesg_restrict", "0\n", 2);
	run_tree(&r, POSTURE_SERVER);
	assert_int_equal(posture_plan_make(&r.report, root, &plan), 0);
	path_of(full, sizeof(full), "proc/sys/kernel/dmesg_restrict");
	unlink(full);
	assert_int_equal(mkdir(full, 0755), 0);
	assert_int_equal(posture_plan_apply(&plan, root, &what), -EISDIR);
	assert_string_equal(what, "kernel.dmesg_restrict");
	file_is("proc/sys/kernel/kptr_restrict", "0\n");
	file_is("etc/sysctl.d/99-bpfwarden.conf", NULL);
	file_is("var/lib/bpfwarden/posture-undo.json", NULL);
	posture_plan_free(&plan);
	run_free(&r);
}

/* ---- vulnerabilities ------------------------------------------------------------------------------------------------ */

static enum posture_cve_verdict judge(const char *introduced, const char *fixed, const char *kernel)
{
	const struct posture_cve c = { .introduced = introduced, .introduced_sure = true, .fixed = fixed };
	struct posture_version v;

	assert_true(posture_version_parse(kernel, &v));
	return posture_cve_by_version(&c, &v);
}

static void test_stream_rule(void **state)
{
	static const char fixed[] = "5.10.44,5.12.11,5.13";
	const struct posture_cve unsure = { .introduced = "5.0", .introduced_sure = false, .fixed = "5.10.44" };
	struct posture_version v = { 4, 19, 0, false };

	assert_int_equal(judge("5.7", fixed, "5.10.43"), POSTURE_CVE_PRIVILEGED);
	assert_int_equal(judge("5.7", fixed, "5.10.44"), POSTURE_CVE_FIXED);
	assert_int_equal(judge("5.7", fixed, "5.10.262-1"), POSTURE_CVE_FIXED);
	/* a stream that never got the fix */
	assert_int_equal(judge("5.7", fixed, "5.11.22"), POSTURE_CVE_PRIVILEGED);
	assert_int_equal(judge("5.7", fixed, "5.12.10"), POSTURE_CVE_PRIVILEGED);
	assert_int_equal(judge("5.7", fixed, "5.13"), POSTURE_CVE_FIXED);
	assert_int_equal(judge("5.7", fixed, "5.13-rc1"), POSTURE_CVE_UNKNOWN);
	assert_int_equal(judge("5.7", fixed, "6.1.2"), POSTURE_CVE_FIXED);
	assert_int_equal(judge("5.7", fixed, "5.6.19"), POSTURE_CVE_BEFORE);
	/* brought into older streams */
	assert_int_equal(judge("5.10.33,5.12", "6.8", "5.10.32"), POSTURE_CVE_BEFORE);
	assert_int_equal(judge("5.10.33,5.12", "6.8", "5.10.33"), POSTURE_CVE_PRIVILEGED);
	assert_int_equal(judge("5.10.33,5.12", "6.8", "5.11.3"), POSTURE_CVE_BEFORE);
	/* only ever in a stream */
	assert_int_equal(judge("5.16.11", "5.16.12", "5.16.11"), POSTURE_CVE_PRIVILEGED);
	assert_int_equal(judge("5.16.11", "5.16.12", "5.15.99"), POSTURE_CVE_BEFORE);
	assert_int_equal(judge("5.16.11", "5.16.12", "5.17"), POSTURE_CVE_FIXED);
	assert_int_equal(judge("", "5.10.44", "5.10.43"), POSTURE_CVE_UNKNOWN);
	assert_int_equal(judge("5.7", "", "5.10.43"), POSTURE_CVE_UNKNOWN);
	assert_int_equal(posture_cve_by_version(&unsure, &v), POSTURE_CVE_UNKNOWN);
	assert_false(posture_version_parse("x6.1", &v));
	assert_false(posture_version_parse("6", &v));
	assert_false(posture_version_parse("6.", &v));
	assert_false(posture_version_parse("6.999999999999999999", &v));
}

/* Lists of versions ascend, one entry a stream, the mainline's release last. */
static void check_list(const char *cve, const char *list)
{
	unsigned int last = 0, dots_before = 2;

	while (*list) {
		size_t n = strcspn(list, ",");
		unsigned int dots = 0, stream;
		struct posture_version v;

		for (size_t i = 0; i < n; i++) {
			assert_true((list[i] >= '0' && list[i] <= '9') || list[i] == '.');
			dots += list[i] == '.';
		}
		if (!posture_version_parse(list, &v) || dots < 1 || dots > 2)
			fail_msg("%s: %s", cve, list);
		stream = v.major * 1000 + v.minor;
		if (stream <= last || dots_before == 1)
			fail_msg("%s: order of %s", cve, list);
		last = stream;
		dots_before = dots;
		list += n + (list[n] == ',');
	}
}

static void test_table(void **state)
{
	const struct posture_cve *c;
	size_t n;

	c = posture_cve_rows(&n);
	assert_int_equal(n, 391);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(strncmp(c[i].cve, "CVE-", 4), 0);
		if (i)
			assert_string_not_equal(c[i].cve, c[i - 1].cve);
		check_list(c[i].cve, c[i].introduced);
		check_list(c[i].cve, c[i].fixed);
		assert_true(*c[i].source && *c[i].condition);
	}
}

/* From introduction to the last fix, whatever the stream says: what the rule is better than. */
static bool raw_interval(const struct posture_cve *c, const struct posture_version *k)
{
	struct posture_version lo, hi;
	const char *last = strrchr(c->fixed, ',');
	uint64_t v = k->major * 1000000ull + k->minor * 1000 + k->patch;

	if (!posture_version_parse(c->introduced, &lo) || !posture_version_parse(last ? last + 1 : c->fixed, &hi))
		return false;
	return v >= lo.major * 1000000ull + lo.minor * 1000 + lo.patch && v < hi.major * 1000000ull + hi.minor * 1000 + hi.patch;
}

static void test_false_hits(void **state)
{
	static const struct {
		const char *kernel;
		unsigned int raw, rule;
	} rows[] = { { "5.10.262", 152, 58 }, { "6.1.192", 180, 40 },	    { "6.12.117", 144, 19 },
		     { "6.18.15", 98, 80 }, { "6.18.44", 99, 11 }, { "7.3.4", 0, 0 } };
	const struct posture_cve *c;
	size_t n;

	c = posture_cve_rows(&n);
	for (size_t k = 0; k < ARRAY_SIZE(rows); k++) {
		unsigned int raw = 0, rule = 0;
		struct posture_version v;

		assert_true(posture_version_parse(rows[k].kernel, &v));
		for (size_t i = 0; i < n; i++) {
			bool hit = posture_cve_by_version(&c[i], &v) == POSTURE_CVE_PRIVILEGED;

			raw += raw_interval(&c[i], &v);
			rule += hit;
		}
		print_message("# %s: interval %u, rule %u\n", rows[k].kernel, raw, rule);
		assert_int_equal(raw, rows[k].raw);
		assert_int_equal(rule, rows[k].rule);
	}
}

static void test_distributions(void **state)
{
	static const struct {
		const char *release, *version, *ubuntu, *os;
		const char *want;
		enum posture_backport backport;
	} rows[] = {
		{ "6.1.0-56-cloud-amd64", "Linux version 6.1.0-56-cloud-amd64 #1 SMP Debian 6.1.192-2 (2026)", NULL, "debian", "6.1.192", POSTURE_STREAM },
		{ "6.18.15+deb13-cloud-amd64", "Linux version 6.18.15+deb13 #1 SMP Debian 6.18.15-1~bpo13+1", NULL, "debian", "6.18.15", POSTURE_STREAM },
		{ "5.15.0-91-generic", "Linux version 5.15.0-91 (Ubuntu 11.4)", "Ubuntu 5.15.0-91.101-generic 5.15.131", "ubuntu", "5.15.131", POSTURE_BACKPORT },
		{ "5.15.0-91-generic", "Linux version 5.15.0-91 (Ubuntu 11.4)", NULL, "ubuntu", "5.15.0", POSTURE_BACKPORT },
		{ "5.14.0-427.13.1.el9_4.x86_64", "Linux version", NULL, "rhel", "5.14.0", POSTURE_REBASED },
		{ "6.1.102-108.177.amzn2023.x86_64", "Linux version", NULL, "amzn", "6.1.102", POSTURE_REBASED },
		{ "6.4.0-150600.23-default", "Linux version", NULL, "sles", "6.4.0", POSTURE_REBASED },
		{ "6.18.4-200.fc43.x86_64", "Linux version", NULL, "fedora", "6.18.4", POSTURE_STREAM },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct posture_host h = { .release = { POSTURE_VALUE, rows[i].release }, .version = { POSTURE_VALUE, rows[i].version },
					  .os_id = { POSTURE_VALUE, rows[i].os } };
		enum posture_backport b;
		struct posture_version v;
		const char *basis;
		char text[32];

		if (rows[i].ubuntu)
			h.ubuntu = (struct posture_text){ POSTURE_VALUE, rows[i].ubuntu };
		assert_true(posture_kernel_version(&h, &v, &b, &basis));
		snprintf(text, sizeof(text), "%u.%u.%u", v.major, v.minor, v.patch);
		assert_string_equal(text, rows[i].want);
		assert_int_equal(b, rows[i].backport);
	}
}

static enum posture_cve_verdict cve_of(const struct run *r, const char *cve)
{
	for (size_t i = 0; i < r->cves.n_results; i++)
		if (!strcmp(r->cves.results[i].cve->cve, cve))
			return r->cves.results[i].verdict;
	fail_msg("no %s", cve);
	return POSTURE_CVE_UNKNOWN;
}

/* CVE-2021-3490: 5.7 to 5.10.37, unprivileged. CVE-2022-0433 and the like need more. */
static void test_reach(void **state)
{
	static const char old[] = "Linux version 5.10.0-1-amd64 (gcc) #1 SMP Debian 5.10.30-1";
	static const char rhel[] = "5.14.0-427.13.1.el9_4.x86_64\n";
	struct run r;

	put_tree("server.facts");
	put_file("proc/version", old, strlen(old));
	put_file("proc/sys/kernel/unprivileged_bpf_disabled", "0\n", 2);
	run_tree(&r, POSTURE_SERVER);
	assert_int_equal(cve_of(&r, "CVE-2021-3490"), POSTURE_CVE_ANYONE);
	assert_int_equal(cve_of(&r, "CVE-2025-37948"), POSTURE_CVE_OTHER_ARCH);
	assert_string_equal(verdict_of(&r, "BP501"), "fail");
	run_free(&r);
	put_file("proc/sys/kernel/unprivileged_bpf_disabled", "2\n", 2);
	run_tree(&r, POSTURE_SERVER);
	assert_int_equal(cve_of(&r, "CVE-2021-3490"), POSTURE_CVE_PRIVILEGED);
	/* AF_XDP, whose option is set here */
	assert_int_equal(cve_of(&r, "CVE-2024-26611"), POSTURE_CVE_BEFORE);
	run_free(&r);
	put_file("boot/config-7.3.4+deb13-cloud-amd64", "CONFIG_NET=y\n", 13);
	run_tree(&r, POSTURE_SERVER);
	assert_int_equal(cve_of(&r, "CVE-2021-3490"), POSTURE_CVE_UNREACHABLE);
	run_free(&r);
	remove_file("boot/config-7.3.4+deb13-cloud-amd64");
	put_file("proc/sys/kernel/osrelease", rhel, strlen(rhel));
	run_tree(&r, POSTURE_SERVER);
	assert_int_equal(cve_of(&r, "CVE-2021-3490"), POSTURE_CVE_FIXED); /* 5.13 */
	assert_int_equal(cve_of(&r, "CVE-2022-0500"), POSTURE_CVE_BACKPORT);
	assert_string_equal(verdict_of(&r, "BP501"), "unknown");
	run_free(&r);
}

/* ---- change logs of packages ---------------------------------------------------------------------------------------- */

static void put_gz(const char *path, const char *text)
{
	char full[512];
	gzFile f;

	path_of(full, sizeof(full), path);
	f = gzopen(full, "wb9");
	assert_non_null(f);
	assert_int_equal(gzwrite(f, text, (unsigned int)strlen(text)), strlen(text));
	assert_int_equal(gzclose(f), Z_OK);
}

static const char *why_of(const struct run *r, const char *cve)
{
	for (size_t i = 0; i < r->cves.n_results; i++)
		if (!strcmp(r->cves.results[i].cve->cve, cve))
			return r->cves.results[i].why;
	return NULL;
}

static void test_changelog_text(void **state)
{
	static const char text[] = "linux (5.10.0-3.4) x; urgency=low\n\n  * CVE-2021-3490\n linux (5.10.0-2.3) not a header\n\n"
				   "linux (5.10.0-2.3) x; urgency=low\n  * CVE-2021-31440, CVE-2021-31440;CVE-2020-8835 CVE-2020-883x CVE-20-1 XCVE-1999-0001\n CVE-2020-1";
	struct posture_changelog c;
	struct bw_arena a = { 0 };
	struct posture_cve_id id;
	struct bw_slice since;
	char version[32];

	assert_int_equal(posture_changelog_scan(bw_slice(text, strlen(text)), &a, &c), 0);
	assert_int_equal(c.n_ids, 4);
	assert_true(posture_changelog_names(&c, "CVE-2021-31440"));
	assert_true(posture_changelog_names(&c, "CVE-1999-0001"));
	assert_false(posture_changelog_names(&c, "CVE-2020-883"));
	assert_false(posture_changelog_names(&c, "CVE-2021-3491"));
	assert_true(posture_changelog_since(bw_slice(text, strlen(text)), "5.10.0-2.3", &since));
	assert_int_equal(since.data - (const uint8_t *)text, strstr(text, "\n\nlinux") + 2 - text);
	assert_false(posture_changelog_since(bw_slice(text, strlen(text)), "5.10.0-2", &since));
	assert_false(posture_changelog_since(bw_slice(text, strlen(text)), "", &since));
	assert_false(posture_changelog_since(bw_slice(text, 10), "5.10.0-3.4", &since));
	assert_false(posture_cve_id_parse("CVE-2021-3490 ", &id));
	bw_arena_free(&a);
	assert_true(posture_ubuntu_version("Ubuntu 5.15.0-91.101-generic 5.15.131", version, sizeof(version)));
	assert_string_equal(version, "5.15.0-91.101");
	assert_true(posture_ubuntu_version("Ubuntu 6.8.0-31.31~22.04.1-aws-64k 6.8.1", version, sizeof(version)));
	assert_string_equal(version, "6.8.0-31.31~22.04.1-aws"); /* in no change log: nothing is said */
	assert_false(posture_ubuntu_version("Ubuntu", version, sizeof(version)));
	assert_false(posture_ubuntu_version("Ubuntu 5.15.0-generic 5.15.131", version, sizeof(version)));
}

/* What Ubuntu has fixed up to the upload that runs; not what was installed later. */
static void test_ubuntu_changelog(void **state)
{
	static const char log[] = "linux (5.10.0-2.3) jammy; urgency=medium\n\n  * CVE-2021-3490\n\n -- K <k@example.com>  Mon\n\n"
				  "linux (5.10.0-1.2) jammy; urgency=medium\n\n  * CVE-2021-31440\n\n -- K <k@example.com>  Mon\n";
	static const char version[] = "Linux version 5.10.0-1-generic (Ubuntu 11.4)", release[] = "5.10.0-1-generic\n";
	struct run r;

	put_tree("server.facts");
	put_file("proc/version", version, strlen(version));
	put_file("proc/sys/kernel/osrelease", release, strlen(release));
	put_file("proc/version_signature", "Ubuntu 5.10.0-1.2-generic 5.10.30\n", 35);
	run_tree(&r, POSTURE_SERVER);
	assert_int_equal(cve_of(&r, "CVE-2021-31440"), POSTURE_CVE_BACKPORT);
	run_free(&r);
	put_gz("usr/share/doc/linux-modules-5.10.0-1-generic/changelog.Debian.gz", log);
	run_tree(&r, POSTURE_SERVER);
	assert_int_equal(cve_of(&r, "CVE-2021-31440"), POSTURE_CVE_FIXED);
	assert_string_equal(why_of(&r, "CVE-2021-31440"), "named in the package's change log");
	assert_int_equal(cve_of(&r, "CVE-2021-3490"), POSTURE_CVE_BACKPORT);
	assert_string_equal(why_of(&r, "CVE-2021-3490"), "not named in the package's change log");
	run_free(&r);
	/* the upload that runs is not in it: whose is it? */
	put_file("proc/version_signature", "Ubuntu 5.10.0-1.9-generic 5.10.30\n", 35);
	run_tree(&r, POSTURE_SERVER);
	assert_int_equal(cve_of(&r, "CVE-2021-31440"), POSTURE_CVE_BACKPORT);
	run_free(&r);
}

static void be32(uint8_t **p, uint32_t v)
{
	for (int i = 3; i >= 0; i--)
		*(*p)++ = (uint8_t)(v >> (i * 8));
}

/* A header with four strings and a change log of two entries. */
static size_t make_rpm(uint8_t *buf, const char *name, const char *release, const char *log1, const char *log2)
{
	const char *const text[] = { name, "5.14.0", release, "x86_64", log1, log2 };
	static const uint32_t tags[] = { 1000, 1001, 1002, 1022, 1082 };
	uint32_t at[6], bytes = 0;
	uint8_t *p = buf;

	for (int i = 0; i < 6; i++) {
		at[i] = bytes;
		bytes += (uint32_t)strlen(text[i]) + 1;
	}
	be32(&p, 5);
	be32(&p, bytes);
	for (int i = 0; i < 5; i++) {
		be32(&p, tags[i]);
		be32(&p, i < 4 ? 6 : 8);
		be32(&p, at[i]);
		be32(&p, i < 4 ? 1 : 2);
	}
	for (int i = 0; i < 6; i++) {
		memcpy(p, text[i], strlen(text[i]) + 1);
		p += strlen(text[i]) + 1;
	}
	return (size_t)(p - buf);
}

static void test_rpm_header(void **state)
{
	uint8_t buf[512];
	size_t len = make_rpm(buf, "kernel-core", "1.el9", "- a {CVE-2021-3490}", "- b");
	struct posture_rpm r;

	assert_int_equal(posture_rpm_parse(bw_slice(buf, len), &r), 0);
	assert_string_equal(r.name, "kernel-core");
	assert_int_equal(r.changelog.len, strlen("- a {CVE-2021-3490}") + strlen("- b") + 2);
	assert_true(posture_rpm_is_kernel(&r, "5.14.0-1.el9.x86_64"));
	assert_true(posture_rpm_is_kernel(&r, "5.14.0-1.el9.x86_64+rt"));
	assert_false(posture_rpm_is_kernel(&r, "5.14.0-1.el9_4.x86_64"));
	assert_false(posture_rpm_is_kernel(&r, "5.14.0-1.el9.aarch64"));
	assert_false(posture_rpm_is_kernel(&r, "5.14.0-1.el9"));
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(posture_rpm_parse(bw_slice(buf, cut), &r), -EBADMSG);
	buf[8 + 4 * 16 + 15] = 3; /* one string more than there is */
	assert_int_equal(posture_rpm_parse(bw_slice(buf, len), &r), -EBADMSG);
	buf[8 + 4 * 16 + 15] = 2;
	buf[8 + 7] = 4; /* the name is a number */
	assert_int_equal(posture_rpm_parse(bw_slice(buf, len), &r), -EBADMSG);
}

static void test_rpm_database(void **state)
{
	static const char release[] = "5.14.0-427.13.1.el9_4.x86_64\n", version[] = "Linux version";
	static const struct {
		const char *name, *release, *log;
	} packages[] = { { "kernel-core", "400.el9", "- {CVE-2024-26611}" }, { "bash", "427.13.1.el9_4", "- {CVE-2024-26611}" },
			 { "kernel-core", "427.13.1.el9_4", "- bpf: fix {CVE-2022-0500}" } };
	char full[512];
	struct run r;
	sqlite3 *db;

	put_tree("server.facts");
	put_file("proc/version", version, strlen(version));
	put_file("proc/sys/kernel/osrelease", release, strlen(release));
	path_of(full, sizeof(full), "var/lib/rpm/rpmdb.sqlite");
	assert_int_equal(sqlite3_open(full, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL);"
					  "CREATE TABLE Name (key TEXT NOT NULL, hnum INTEGER NOT NULL, idx INTEGER NOT NULL)",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	for (size_t i = 0; i < ARRAY_SIZE(packages); i++) {
		uint8_t buf[512];
		size_t len = make_rpm(buf, packages[i].name, packages[i].release, packages[i].log, "- older");
		sqlite3_stmt *s;

		assert_int_equal(sqlite3_prepare_v2(db, "INSERT INTO Packages (blob) VALUES (?)", -1, &s, NULL), SQLITE_OK);
		sqlite3_bind_blob(s, 1, buf, (int)len, SQLITE_STATIC);
		assert_int_equal(sqlite3_step(s), SQLITE_DONE);
		sqlite3_finalize(s);
		assert_int_equal(sqlite3_prepare_v2(db, "INSERT INTO Name VALUES (?, ?, 0)", -1, &s, NULL), SQLITE_OK);
		sqlite3_bind_text(s, 1, packages[i].name, -1, SQLITE_STATIC);
		sqlite3_bind_int64(s, 2, (int64_t)i + 1);
		assert_int_equal(sqlite3_step(s), SQLITE_DONE);
		sqlite3_finalize(s);
	}
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	run_tree(&r, POSTURE_SERVER);
	assert_string_equal(r.cves.changelog, "the change log of kernel-core-5.14.0-427.13.1.el9_4.x86_64");
	assert_int_equal(cve_of(&r, "CVE-2022-0500"), POSTURE_CVE_FIXED);
	assert_int_equal(cve_of(&r, "CVE-2024-26611"), POSTURE_CVE_BACKPORT);
	run_free(&r);
	put_file("var/lib/rpm/rpmdb.sqlite", "SQLite format 3", 15);
	run_tree(&r, POSTURE_SERVER);
	assert_string_equal(r.cves.changelog, "");
	assert_int_equal(cve_of(&r, "CVE-2022-0500"), POSTURE_CVE_BACKPORT);
	run_free(&r);
}

/* ---- output --------------------------------------------------------------------------------------------------------- */

static void test_output(void **state)
{
	_cleanup_buf_ struct bw_buf json = { 0 }, sarif = { 0 }, html = { 0 }, text = { 0 };
	cJSON *doc, *runs;
	struct run r;

	put_tree("server.facts");
	put_file("proc/sys/kernel/kptr_restrict", "0\n", 2);
	put_file("sys/kernel/security/lsm", "<b>&\x1b[2J\n", 9);
	run_tree(&r, POSTURE_STRICT);
	r.report.list_cves = true;
	posture_write_json(&r.report, &json);
	posture_write_sarif(&r.report, &sarif);
	posture_write_html(&r.report, &html);
	posture_write_text(&r.report, true, &text);
	doc = cJSON_Parse(bw_buf_cstr(&json));
	assert_non_null(doc);
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(doc, "checks")), (int)r.report.n_results);
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(cJSON_GetObjectItem(doc, "vulnerabilities"), "list")), 388);
	assert_int_equal(cJSON_GetObjectItem(doc, "score")->valueint, (int)r.report.score);
	cJSON_Delete(doc);
	doc = cJSON_Parse(bw_buf_cstr(&sarif));
	assert_non_null(doc);
	runs = cJSON_GetArrayItem(cJSON_GetObjectItem(doc, "runs"), 0);
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(runs, "results")), 2);
	cJSON_Delete(doc);
	assert_non_null(strstr(bw_buf_cstr(&html), "&lt;b&gt;&amp;"));
	assert_null(strstr(bw_buf_cstr(&html), "<b>"));
	assert_null(strchr(bw_buf_cstr(&text), 0x1b));
	assert_non_null(strstr(bw_buf_cstr(&text), "points lost to") ? "" : strstr(bw_buf_cstr(&text), "lost to 2 failed"));
	run_free(&r);
}

#define TREE(f) cmocka_unit_test_setup_teardown(f, tree_setup, tree_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TREE(test_hardened), TREE(test_flips), TREE(test_nothing_readable), TREE(test_modes), TREE(test_container),
		TREE(test_fix_undo), TREE(test_undo_respects_others), TREE(test_fix_fails),
		cmocka_unit_test(test_stream_rule), cmocka_unit_test(test_table), cmocka_unit_test(test_false_hits),
		cmocka_unit_test(test_distributions), TREE(test_reach),
		cmocka_unit_test(test_changelog_text),
		TREE(test_ubuntu_changelog),
		cmocka_unit_test(test_rpm_header),
		TREE(test_rpm_database), TREE(test_output),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
