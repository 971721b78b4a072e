// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The kernel's decision on the host, and loads by name: every branch of the verdict, and events as the guard writes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cjson/cJSON.h>
#include <cmocka.h>
#include <linux/bpf.h>

#include "auditor/simulate.h"
#include "common/buf.h"
#include "common/policy_builtin.h"

#define D1 "0101010101010101010101010101010101010101010101010101010101010101"
#define D2 "0202020202020202020202020202020202020202020202020202020202020202"

static const char policy_text[] =
	"{\"version\":1,\"exempt\":{\"inert\":{\"max_instructions\":16}},\"defaults\":{\"networking\":\"allow\"},\"programs\":["
	"{\"id\":\"any\",\"type\":\"kprobe\",\"digests\":[\"" D1 "\"]},"
	"{\"id\":\"bound\",\"type\":\"lsm\",\"attach_type\":\"lsm_mac\",\"digests\":[\"" D2 "\"],"
	"\"loaders\":[{\"path\":\"/no/such/agent\"}],\"targets\":[\"file_open\",\"bpf_lsm_bprm_check_security\"]},"
	"{\"id\":\"tag\",\"type\":\"kprobe\",\"tags\":[{\"tag\":\"0303030303030303\",\"instructions\":7}]}],"
	"\"rules\":[{\"id\":\"write\",\"deny\":{\"helpers\":[\"probe_write_user\"]}},"
	"{\"id\":\"tracing-kfunc\",\"deny\":{\"kfuncs\":[\"bpf_get_fsverity_digest\"],\"types\":[\"kprobe\",\"lsm\"]}},"
	"{\"id\":\"xdp-kfunc\",\"deny\":{\"kfuncs\":[\"*\"],\"types\":[\"xdp\"]}}]}";

static struct bw_policy *policy;
static struct bw_sim *sim;

static int setup(void **state)
{
	struct bw_policy_error e;

	return bw_policy_parse(policy_text, strlen(policy_text), &policy, &e) || bw_sim_new(policy, &sim);
}

static int teardown(void **state)
{
	bw_sim_free(sim);
	bw_policy_free(policy);
	return 0;
}

static struct bw_sim_load load(uint32_t type, uint32_t attach, uint8_t byte)
{
	struct bw_sim_load l = { .prog_type = type, .attach_type = attach, .identity = BW_IDENTITY_DIGEST, .insn_cnt = 100,
				 .tgid = 2 };

	memset(l.digest, byte, sizeof(l.digest));
	return l;
}

static void expect(const struct bw_sim_load *l, enum bw_verdict verdict, enum bw_reason reason, const char *entry,
		   const char *rule)
{
	struct bw_sim_answer a;

	assert_int_equal(bw_sim_judge(sim, l, &a), 0);
	assert_string_equal(bw_sim_reason_name(a.reason), bw_sim_reason_name(reason));
	assert_int_equal(a.verdict, verdict);
	assert_string_equal(a.entry, entry);
	assert_string_equal(a.rule ? a.rule : "", rule);
}

static void approvals(void **state)
{
	struct bw_sim_load l = load(BPF_PROG_TYPE_KPROBE, 0, 1);

	expect(&l, BW_VERDICT_ALLOW, BW_REASON_APPROVED, "any", "");
	l.digest[31] = 0;
	expect(&l, BW_VERDICT_DENY, BW_REASON_DEFAULT, "", "");
	l = load(BPF_PROG_TYPE_TRACEPOINT, 0, 1);
	expect(&l, BW_VERDICT_DENY, BW_REASON_DEFAULT, "", "");
	l = load(BPF_PROG_TYPE_XDP, BPF_XDP, 1);
	expect(&l, BW_VERDICT_ALLOW, BW_REASON_DEFAULT, "", "");
	l = load(BPF_PROG_TYPE_KPROBE, 0, 9);
	l.identity = BW_IDENTITY_NONE;
	expect(&l, BW_VERDICT_DENY, BW_REASON_NO_IDENTITY, "", "");
	l.tgid = 1;
	expect(&l, BW_VERDICT_ALLOW, BW_REASON_INIT, "", "");
}

static void bindings(void **state)
{
	struct bw_sim_load l = load(BPF_PROG_TYPE_LSM, BPF_LSM_MAC, 2);

	l.target = "bpf_lsm_file_open";
	expect(&l, BW_VERDICT_DENY, BW_REASON_LOADER_MISMATCH, "bound", "");
	l.loader = "/no/such/other";
	expect(&l, BW_VERDICT_DENY, BW_REASON_LOADER_MISMATCH, "bound", "");
	l.loader = "/no/such/agent";
	expect(&l, BW_VERDICT_ALLOW, BW_REASON_APPROVED, "bound", "");
	l.target = "bprm_check_security";
	expect(&l, BW_VERDICT_ALLOW, BW_REASON_APPROVED, "bound", "");
	l.target = "bpf_lsm_file_ioctl";
	expect(&l, BW_VERDICT_DENY, BW_REASON_TARGET_MISMATCH, "bound", "");
	l.target = NULL;
	expect(&l, BW_VERDICT_DENY, BW_REASON_TARGET_MISMATCH, "bound", "");
	l.attach_type = BPF_LSM_CGROUP;
	l.target = "bpf_lsm_file_open";
	expect(&l, BW_VERDICT_DENY, BW_REASON_DEFAULT, "", "");
}

static void tags(void **state)
{
	struct bw_sim_load l = load(BPF_PROG_TYPE_KPROBE, 0, 0);

	l.identity = BW_IDENTITY_TAG;
	memset(l.digest, 3, BW_TAG_LEN);
	memset(l.tag, 3, BW_TAG_LEN);
	l.insn_cnt = 7;
	expect(&l, BW_VERDICT_ALLOW, BW_REASON_APPROVED, "tag", "");
	l.insn_cnt = 8;
	expect(&l, BW_VERDICT_DENY, BW_REASON_LENGTH_MISMATCH, "tag", "");
}

static void rules(void **state)
{
	struct bw_sim_load l = load(BPF_PROG_TYPE_KPROBE, 0, 1);

	l.helpers[0] = 1ULL << BPF_FUNC_probe_write_user;
	expect(&l, BW_VERDICT_DENY, BW_REASON_RULE, "any", "write");
	l.helpers[0] = 1ULL << BPF_FUNC_probe_read;
	expect(&l, BW_VERDICT_ALLOW, BW_REASON_APPROVED, "any", "");
	l.kfuncs[0] = "bpf_task_acquire";
	l.n_kfuncs = l.kfunc_count = 1;
	expect(&l, BW_VERDICT_ALLOW, BW_REASON_APPROVED, "any", "");
	l.kfuncs[0] = "bpf_get_fsverity_digest";
	expect(&l, BW_VERDICT_DENY, BW_REASON_RULE, "any", "tracing-kfunc");
	l.prog_type = BPF_PROG_TYPE_TRACEPOINT;
	expect(&l, BW_VERDICT_DENY, BW_REASON_DEFAULT, "", "");
	l.prog_type = BPF_PROG_TYPE_XDP;
	l.kfuncs[0] = "bpf_task_acquire";
	expect(&l, BW_VERDICT_DENY, BW_REASON_RULE, "", "xdp-kfunc");
	/* What it calls is not known in full: only an approved one gets past a rule about helpers. */
	l = load(BPF_PROG_TYPE_XDP, BPF_XDP, 7);
	l.load_flags = BW_LOAD_HELPERS_UNKNOWN;
	expect(&l, BW_VERDICT_DENY, BW_REASON_RULE, "", "write");
	l = load(BPF_PROG_TYPE_KPROBE, 0, 1);
	l.load_flags = BW_LOAD_HELPERS_UNKNOWN;
	expect(&l, BW_VERDICT_ALLOW, BW_REASON_APPROVED, "any", "");
}

static void inert(void **state)
{
	struct bw_sim_load l = load(BPF_PROG_TYPE_KPROBE, 0, 9);
	struct bw_sim_answer a;

	l.insn_cnt = 16;
	l.inert = BW_JUDGE_INERT_YES;
	expect(&l, BW_VERDICT_ALLOW, BW_REASON_INERT, "", "");
	l.inert = BW_JUDGE_INERT_NO;
	expect(&l, BW_VERDICT_DENY, BW_REASON_DEFAULT, "", "");
	assert_int_equal(bw_sim_judge(sim, &l, &a), 0);
	assert_false(a.maybe);
	l.inert = BW_JUDGE_INERT_UNKNOWN;
	assert_int_equal(bw_sim_judge(sim, &l, &a), 0);
	assert_true(a.verdict == BW_VERDICT_DENY && a.maybe);
	l.insn_cnt = 17;
	assert_int_equal(bw_sim_judge(sim, &l, &a), 0);
	assert_true(a.verdict == BW_VERDICT_DENY && !a.maybe);
	l.insn_cnt = 16;
	l.helpers[0] = 1ULL << BPF_FUNC_map_update_elem;
	assert_int_equal(bw_sim_judge(sim, &l, &a), 0);
	assert_true(a.verdict == BW_VERDICT_DENY && !a.maybe);
	/* An approval does not ask. */
	l = load(BPF_PROG_TYPE_KPROBE, 0, 1);
	l.inert = BW_JUDGE_INERT_UNKNOWN;
	expect(&l, BW_VERDICT_ALLOW, BW_REASON_APPROVED, "any", "");
}

static void builtins(void **state)
{
	struct bw_sim_load l = { .prog_type = bw_policy_builtins[0].prog_type, .identity = BW_IDENTITY_DIGEST, .tgid = 2,
				 .insn_cnt = bw_policy_builtins[0].instructions };

	memcpy(l.digest, bw_policy_builtins[0].ids[BW_BUILTIN_DIGEST], BW_DIGEST_LEN);
	expect(&l, BW_VERDICT_ALLOW, BW_REASON_APPROVED, bw_policy_builtins[0].id, "");
}

/* Every approval of a large policy is found, and nothing else. */
static void large(void **state)
{
	_cleanup_buf_ struct bw_buf b = { 0 };
	_cleanup_policy_ struct bw_policy *p = NULL;
	_cleanup_sim_ struct bw_sim *s = NULL;
	struct bw_policy_error e;
	struct bw_sim_answer a;
	uint32_t x = 1;

	bw_buf_str(&b, "{\"version\":1,\"programs\":[");
	for (uint32_t i = 0; i < 5000; i++) {
		x = x * 1664525 + 1013904223;
		bw_buf_printf(&b, "%s{\"id\":\"e%u\",\"type\":\"kprobe\",\"digests\":[\"%08x%056x\"],\"loaders\":[{\"path\":\"/x/%u\"}]}",
			      i ? "," : "", i, x, 1 + i, i % 50);
	}
	bw_buf_str(&b, "]}");
	assert_int_equal(bw_policy_parse(b.data, b.len, &p, &e), 0);
	assert_int_equal(bw_sim_new(p, &s), 0);
	for (uint32_t i = 0; i < 5000; i++) {
		struct bw_sim_load l = load(BPF_PROG_TYPE_KPROBE, 0, 0);
		char path[32];

		memcpy(l.digest, p->programs[i].digests[0], BW_DIGEST_LEN);
		snprintf(path, sizeof(path), "/x/%u", i % 50);
		l.loader = path;
		assert_int_equal(bw_sim_judge(s, &l, &a), 0);
		assert_int_equal(a.verdict, BW_VERDICT_ALLOW);
		assert_string_equal(a.entry, p->programs[i].id);
		snprintf(path, sizeof(path), "/x/%u", (i + 1) % 50);
		assert_int_equal(bw_sim_judge(s, &l, &a), 0);
		assert_int_equal(a.reason, BW_REASON_LOADER_MISMATCH);
		l.digest[20] ^= 0x10;
		assert_int_equal(bw_sim_judge(s, &l, &a), 0);
		assert_int_equal(a.reason, BW_REASON_DEFAULT);
	}
}

static int from(const char *text, struct bw_sim_load *l, cJSON **e)
{
	*e = cJSON_Parse(text);
	assert_non_null(*e);
	return bw_sim_from_event(*e, l);
}

/* The guard's own golden events: what alert.c writes is what is read here. */
static void events(void **state)
{
	_cleanup_free_ char *text = NULL;
	struct bw_sim_load l = { 0 };
	cJSON *e;
	size_t len;

	assert_int_equal(bw_file_read("tests/golden/alert/load-denied.json", 1 << 20, &text, &len), 0);
	assert_int_equal(from(text, &l, &e), 0);
	assert_int_equal(l.prog_type, BPF_PROG_TYPE_XDP);
	assert_int_equal(l.attach_type, BPF_XDP);
	assert_int_equal(l.identity, BW_IDENTITY_DIGEST);
	assert_int_equal(l.digest[1], 0x08);
	assert_int_equal(l.insn_cnt, 42);
	assert_int_equal(l.load_flags, BW_LOAD_SUBPROGRAMS | BW_LOAD_MAPS);
	assert_int_equal(l.tgid, 4242);
	assert_string_equal(l.loader, "/usr/sbin/bpftool");
	assert_true(l.helpers[0] >> BPF_FUNC_map_lookup_elem & 1 && l.helpers[1] >> (BPF_FUNC_probe_read_kernel - 64) & 1);
	assert_int_equal(l.inert, BW_JUDGE_INERT_NO);
	cJSON_Delete(e);
	free(text);
	text = NULL;
	assert_int_equal(bw_file_read("tests/golden/alert/load-tag.json", 1 << 20, &text, &len), 0);
	assert_int_equal(from(text, &l, &e), 0);
	assert_int_equal(l.identity, BW_IDENTITY_TAG);
	assert_memory_equal(l.digest, l.tag, BW_TAG_LEN);
	cJSON_Delete(e);
	assert_int_equal(from("{\"kind\":\"guard\"}", &l, &e), -ENOENT);
	cJSON_Delete(e);
	assert_int_equal(from("{\"kind\":\"load\",\"canary\":true}", &l, &e), -ENOENT);
	cJSON_Delete(e);
	assert_int_equal(from("{\"kind\":\"load\",\"repeat_of\":3}", &l, &e), -ENOENT);
	cJSON_Delete(e);
	assert_int_equal(from("{\"v\":1}", &l, &e), -EBADMSG);
	cJSON_Delete(e);
	assert_int_equal(from("{\"kind\":\"load\",\"prog_type\":\"what\"}", &l, &e), -EBADMSG);
	cJSON_Delete(e);
	assert_int_equal(from("{\"kind\":\"load\",\"prog_type\":\"77\",\"identity\":\"digest\",\"digest\":\"12\"}", &l, &e), -EBADMSG);
	cJSON_Delete(e);
}

/* Where and by whom it is loaded; what only the host knows (contents, namespaces) counts as the policy says. */
static void conditions(void **state)
{
	static const char text[] = "{\"version\":1,\"programs\":[{\"id\":\"unit\",\"type\":\"kprobe\",\"digests\":[\"" D1 "\"],\"loaders\":["
				   "{\"path\":\"/no/such/agent\",\"sha256\":[\"" D2 "\"],\"namespaces\":\"host\",\"uids\":[7],"
				   "\"cgroups\":[\"/system.slice/agent.service\",\"/a*c/*\"]},{\"cgroups\":[\"/k/x-*.scope\"]}]}]}";
	static const struct {
		const char *loader, *cgroup;
		uint32_t uid;
		bool approved;
	} cases[] = {
		{ "/no/such/agent", "/system.slice/agent.service", 7, true },
		{ "/no/such/agent", "/system.slice/agent.service/below/it", 7, true },
		{ "/no/such/agent", "/system.slice/agent.service", 0, false },
		{ "/no/such/agent", "/system.slice/agent.servic", 7, false },
		{ "/no/such/agent", "/system.slice/agent.service2", 7, false },
		{ "/no/such/agent", "/system.slice", 7, false },
		{ "/no/such/agent", "/", 7, false },
		{ "/no/such/agent", NULL, 7, false },
		{ "/no/such/agent", "/user.slice/system.slice/agent.service", 7, false },
		{ "/no/such/agent", "/ac/x", 7, true },
		{ "/no/such/agent", "/abbbc/x", 7, true },
		{ "/no/such/agent", "/a/x", 7, false },
		{ "/no/such/agent", "/abc", 7, false },
		{ "/no/such/other", "/system.slice/agent.service", 7, false },
		{ "/no/such/other", "/k/x-1.scope/1/2/3/4/5/6/7/8/9", 0, true },
		{ NULL, "/k/x-.scope", 0, true },
		{ NULL, "/k/x.scope", 0, false },
		{ NULL, "/k/x-scope", 0, false },
	};
	_cleanup_policy_ struct bw_policy *p = NULL;
	_cleanup_sim_ struct bw_sim *s = NULL;
	struct bw_sim_answer a;
	struct bw_policy_error e;

	assert_int_equal(bw_policy_parse(text, strlen(text), &p, &e), 0);
	assert_int_equal(bw_sim_new(p, &s), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct bw_sim_load l = load(BPF_PROG_TYPE_KPROBE, 0, 1);

		l.loader = cases[i].loader;
		l.cgroup = cases[i].cgroup;
		l.uid = cases[i].uid;
		assert_int_equal(bw_sim_judge(s, &l, &a), 0);
		if ((a.reason == BW_REASON_APPROVED) != cases[i].approved)
			fail_msg("case %zu: %s", i, bw_sim_reason_name(a.reason));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(approvals), cmocka_unit_test(bindings), cmocka_unit_test(tags),
		cmocka_unit_test(rules),     cmocka_unit_test(inert),	 cmocka_unit_test(builtins),
		cmocka_unit_test(large),     cmocka_unit_test(events),	 cmocka_unit_test(conditions),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
