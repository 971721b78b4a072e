// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * bpfwarden policy test: does a policy say what its author means? A file of loads, each with the answer expected, judged by
 * the kernel's own code. rules/schema/policy-test-v1.schema.json states its shape.
 */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/bpf.h>
#include <string.h>

#include "auditor/cmd/policy_common.h"
#include "auditor/commands.h"
#include "auditor/simulate.h"
#include "common/bpf_names.h"
#include "common/buf.h"
#include "common/json_check.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/opts.h"
#include "common/policy_value.h"
#include "common/term.h"

#define MAX_TESTS 100000u

struct test {
	const char *name, *object, *program, *reason, *entry, *loader, *target;
	enum bw_verdict expect;
	struct bw_sim_load load;
	bool has_digest, has_canonical, has_type, has_attach_type, init;
	uint8_t canonical[BW_POLICY_CANONICAL_LEN];
};

struct tests {
	const char *path;
	const char *policy_path;	/* of the document */
	struct bw_policy memory;	/* what the values live in */
	struct test *list;
	uint32_t n;
	struct bw_policy *policy;
	struct bw_sim *sim;
	struct bw_kernel_btfs btfs;
	unsigned int failed, broken;
};

static void tests_release(struct tests *t)
{
	struct bw_policy *p = calloc(1, sizeof(*p));

	/* bw_policy_free() frees what it is given and the memory of its values. */
	if (p) {
		p->memory = t->memory.memory;
		bw_policy_free(p);
	}
	bw_sim_free(t->sim);
	bw_policy_free(t->policy);
	bw_kernel_btf_free(&t->btfs);
}

/* ---- the document ---- */

static int find_attach_type(const char *name)
{
	return strcmp(name, "none") ? bw_attach_type_id(name) : 0;
}

static int parse_word(struct policy_parser *ps, const struct policy_node *n, const char *const *words, unsigned int *ret)
{
	for (unsigned int i = 0; words[i]; i++)
		if (cJSON_IsString(n->value) && !strcmp(n->value->valuestring, words[i])) {
			*ret = i;
			return 0;
		}
	return policy_fail(ps, n, "must be \"%s\" or \"%s\"", words[0], words[1]);
}

static int parse_test(struct policy_parser *ps, const struct policy_node *n, struct test *t)
{
	enum { NAME, EXPECT, REASON, ENTRY, OBJECT, PROGRAM, DIGEST, CANONICAL, TYPE, ATTACH_TYPE, LOADER, TARGET, HELPERS,
	       KFUNCS, INSTRUCTIONS, INIT, CGROUP, UID, N_KEYS };
	static const char *const keys[] = { "name",   "expect",	   "reason",  "entry",	"object", "program", "digest",
					    "canonical", "type",   "attach_type", "loader", "target", "helpers", "kfuncs",
					    "instructions", "init",   "cgroup",	 "uid" };
	static const char *const verdicts[] = { "allow", "deny", NULL };
	const char *const *kfuncs = NULL;
	const cJSON *m[N_KEYS];
	unsigned int verdict = 0;
	uint32_t n_kfuncs = 0;
	uint64_t v, uid = 0;
	int r;

	_Static_assert(ARRAY_SIZE(keys) == N_KEYS, "keys of a test");
	r = policy_get_members(ps, n, keys, N_KEYS, m);
	if (r < 0)
		return r;
#define AT(i) (&(struct policy_node){ .up = n, .key = keys[i], .value = m[i] })
	if (!m[NAME] || !m[EXPECT])
		return policy_fail(ps, n, "\"%s\" is missing", m[NAME] ? "expect" : "name");
	if (!!m[OBJECT] + !!m[DIGEST] + !!m[CANONICAL] != 1)
		return policy_fail(ps, n, "one of \"object\", \"digest\" and \"canonical\" says what is loaded");
	if (!m[OBJECT] && !m[TYPE])
		return policy_fail(ps, n, "\"type\" is missing");
	r = policy_get_text(ps, AT(NAME), 256, &t->name);
	if (!r)
		r = parse_word(ps, AT(EXPECT), verdicts, &verdict);
	t->expect = (enum bw_verdict)verdict;
	if (!r && m[REASON])
		r = policy_get_text(ps, AT(REASON), 64, &t->reason);
	if (!r && t->reason && bw_sim_reason_id(t->reason) < 0)
		return policy_fail(ps, AT(REASON), "is no reason of the event format");
	if (!r && m[ENTRY])
		r = policy_get_id(ps, AT(ENTRY), &t->entry);
	if (!r && m[OBJECT])
		r = policy_get_text(ps, AT(OBJECT), PATH_MAX, &t->object);
	if (!r && m[PROGRAM])
		r = policy_get_text(ps, AT(PROGRAM), 512, &t->program);
	if (!r && m[DIGEST])
		r = policy_get_hex(ps, AT(DIGEST), t->load.digest, BW_DIGEST_LEN);
	if (!r && m[CANONICAL])
		r = policy_get_hex(ps, AT(CANONICAL), t->canonical, BW_POLICY_CANONICAL_LEN);
	if (!r && m[TYPE])
		r = policy_get_prog_type(ps, AT(TYPE), &t->load.prog_type);
	if (!r && m[ATTACH_TYPE])
		r = policy_get_named(ps, AT(ATTACH_TYPE), "attach type", find_attach_type, 0, BW_MAX_ATTACH_TYPE,
				     &t->load.attach_type);
	if (!r && m[LOADER])
		r = policy_get_path(ps, AT(LOADER), &t->loader);
	if (!r && m[TARGET])
		r = policy_get_text(ps, AT(TARGET), 320, &t->target);
	if (!r && m[HELPERS])
		r = policy_get_helpers(ps, AT(HELPERS), 0, t->load.helpers);
	if (!r && m[KFUNCS])
		r = policy_get_symbols(ps, AT(KFUNCS), 0, NULL, &kfuncs, &n_kfuncs);
	if (!r && n_kfuncs > BW_MAX_KFUNC_IDS)
		return policy_fail(ps, AT(KFUNCS), "must not have more than %u elements", BW_MAX_KFUNC_IDS);
	v = 0;
	if (!r && m[INSTRUCTIONS])
		r = policy_get_uint(ps, AT(INSTRUCTIONS), 1, BW_MAX_INSNS, &v);
	if (!r && m[INIT])
		r = policy_get_bool(ps, AT(INIT), &t->init);
	if (!r && m[CGROUP])
		r = policy_get_path(ps, AT(CGROUP), &t->load.cgroup);
	if (!r && m[UID])
		r = policy_get_uint(ps, AT(UID), 0, UINT32_MAX - 1, &uid);
#undef AT
	if (r < 0)
		return r;
	t->load.uid = (uint32_t)uid;
	t->load.insn_cnt = (uint32_t)v;
	for (uint32_t i = 0; i < n_kfuncs; i++)
		t->load.kfuncs[i] = kfuncs[i];
	t->load.n_kfuncs = t->load.kfunc_count = n_kfuncs;
	t->has_digest = m[DIGEST];
	t->has_canonical = m[CANONICAL];
	t->has_type = m[TYPE];
	t->has_attach_type = m[ATTACH_TYPE];
	return 0;
}

static int parse_tests(struct policy_parser *ps, struct tests *t, const cJSON *root)
{
	enum { VERSION, POLICY, TESTS, SCHEMA, N_KEYS };
	static const char *const keys[] = { "version", "policy", "tests", "$schema" };
	const struct policy_node top = { .value = root };
	const cJSON *m[N_KEYS];
	const char *ignored;
	uint64_t v;
	int r = policy_get_members(ps, &top, keys, N_KEYS, m);

	if (r < 0)
		return r;
#define AT(i) (&(struct policy_node){ .up = &top, .key = keys[i], .value = m[i] })
	if (!m[VERSION] || !m[TESTS])
		return policy_fail(ps, &top, "\"%s\" is missing", m[VERSION] ? "tests" : "version");
	r = policy_get_uint(ps, AT(VERSION), 1, 1, &v);
	if (!r && m[SCHEMA])
		r = policy_get_text(ps, AT(SCHEMA), 1024, &ignored);
	if (!r && m[POLICY])
		r = policy_get_text(ps, AT(POLICY), PATH_MAX, &t->policy_path);
	if (!r) {
		const struct policy_node *list = AT(TESTS);
		struct policy_node at = { .up = list };

		r = policy_get_list(ps, list, 1, MAX_TESTS, &t->n);
		if (r < 0)
			return r;
		t->list = policy_alloc(ps->policy, t->n, sizeof(*t->list));
		if (!t->list)
			return policy_no_memory(ps);
		cJSON_ArrayForEach(at.value, list->value) {
			r = parse_test(ps, &at, &t->list[at.index]);
			if (r < 0)
				return r;
			at.index++;
		}
	}
#undef AT
	return r;
}

static int tests_read(struct tests *t)
{
	_cleanup_free_ char *text = NULL;
	struct bw_policy_error error = { 0 };
	struct policy_parser ps = { .policy = &t->memory, .error = &error };
	char line[PATH_MAX + sizeof(error)];
	const char *reason;
	size_t offset;
	cJSON *root;
	int r = bw_file_read(t->path, BW_MAX_POLICY_SIZE, &text, &ps.len);

	if (r < 0) {
		bw_err("%s: %s", t->path, strerror(-r));
		return r;
	}
	ps.text = text;
	r = bw_json_check(text, ps.len, BW_MAX_POLICY_VALUES, &offset, &reason);
	if (r < 0) {
		bw_json_position(text, offset, &error.line, &error.column);
		snprintf(error.reason, sizeof(error.reason), "%s", ps.len ? reason : "the file is empty");
	} else {
		root = cJSON_ParseWithLength(text, ps.len);
		r = root ? parse_tests(&ps, t, root) : policy_no_memory(&ps);
		cJSON_Delete(root);
	}
	if (r < 0)
		fprintf(stderr, "%s\n", bw_policy_error_format(&error, t->path, line, sizeof(line)));
	return r;
}

/* ---- judging ---- */

/* A path in the document is relative to it. */
static char *beside(const char *document, const char *path)
{
	const char *slash = strrchr(document, '/');
	char *out;

	if (path[0] == '/' || !slash)
		return strdup(path);
	return asprintf(&out, "%.*s/%s", (int)(slash - document), document, path) < 0 ? NULL : out;
}

static void say(const struct test *t, bool ok, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void say(const struct test *t, bool ok, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fputs(ok ? "ok " : "not ok ", stdout);
	term_str(stdout, t->name);
	if (!ok) {
		fputs(": ", stdout);
		term_str(stdout, text);
	}
	putchar('\n');
}

/* One load; what is not stated in the test comes from the program. Returns whether the answer was as expected. */
static bool judge(struct tests *t, const struct test *test, const struct bw_sim_load *load, const char *program)
{
	struct bw_sim_answer a;

	if (bw_sim_judge(t->sim, load, &a) < 0)
		return false;
	if (a.verdict == test->expect && (!test->reason || !strcmp(test->reason, bw_sim_reason_name(a.reason))) &&
	    (!test->entry || !strcmp(test->entry, a.entry)))
		return true;
	say(test, false, "%s%s%s (%s%s%s%s%s)%s", program ? program : "", program ? ": " : "",
	    a.verdict == BW_VERDICT_ALLOW ? "allowed" : "denied", bw_sim_reason_name(a.reason), a.entry[0] ? ", entry " : "",
	    a.entry, a.rule ? ", rule " : "", a.rule ? a.rule : "",
	    a.maybe ? "; it might pass as a program that can do nothing" : "");
	return false;
}

static struct bw_sim_load load_of(const struct test *test, const struct bw_predicted *p, const char *target)
{
	struct bw_sim_load l = test->load;

	memcpy(l.digest, p->digest, sizeof(l.digest));
	l.identity = BW_IDENTITY_DIGEST;
	l.insn_cnt = p->summary.insn_cnt;
	memcpy(l.helpers, p->summary.helpers, sizeof(l.helpers));
	if (!l.kfunc_count)
		l.kfunc_count = p->summary.kfunc_calls;
	if (p->summary.map_refs)
		l.load_flags |= BW_LOAD_MAPS;
	if (!test->has_type)
		l.prog_type = p->prog_type;
	if (!test->has_attach_type)
		l.attach_type = p->expected_attach_type;
	l.target = test->target ? test->target : target;
	return l;
}

static void run_object(struct tests *t, const struct test *test)
{
	BW_CLEANUP(policy_objects_free) struct policy_objects o = { 0 };
	_cleanup_free_ char *path = beside(t->path, test->object);
	const struct bw_predict_opts opts = { .btfs = &t->btfs };
	unsigned int judged = 0;
	bool ok = true;

	if (!path || policy_objects_read(path, &o) < 0) {
		say(test, false, "%s cannot be read", test->object);
		t->broken++;
		return;
	}
	for (uint32_t i = 0; i < o.file.n; i++) {
		BW_CLEANUP(bw_prediction_free) struct bw_prediction pred = { 0 };
		const struct bw_ident_object *obj = &o.file.objects[i];

		if (obj->light || obj->error || bw_predict(obj->elf.data, obj->elf.len, &opts, &pred) < 0)
			continue;
		for (size_t k = 0; k < pred.n; k++) {
			const struct bw_predicted *p = &pred.programs[k];
			_cleanup_buf_ struct bw_buf target = { 0 };
			struct bw_sim_load l;

			if (p->error || p->flags & BW_PREDICT_ADDRESSES ||
			    (test->program ? strcmp(test->program, p->name) != 0 : !p->autoload))
				continue;
			policy_target_name(&target, p);
			l = load_of(test, p, target.len ? bw_buf_cstr(&target) : NULL);
			judged++;
			ok &= judge(t, test, &l, p->name);
		}
	}
	if (!judged) {
		say(test, false, "%s: no program%s%s of which it is known how it will be loaded", test->object,
		    test->program ? " " : "", test->program ? test->program : "");
		t->broken++;
	} else if (ok) {
		say(test, true, "%s", "");
	} else {
		t->failed++;
	}
}

/* A canonical identity is judged by the digests of the entries that have it; without one it is any unknown program. */
static void run_canonical(struct tests *t, const struct test *test)
{
	struct bw_sim_load l = test->load;
	bool found = false, ok = true;

	for (uint32_t i = 0; i < t->policy->n_programs; i++) {
		const struct bw_policy_program *p = &t->policy->programs[i];

		for (uint32_t k = 0; k < p->n_canonicals; k++)
			for (uint32_t d = 0; d < p->n_digests && !memcmp(p->canonicals[k].identity, test->canonical,
									 BW_POLICY_CANONICAL_LEN);
			     d++) {
				memcpy(l.digest, p->digests[d], BW_DIGEST_LEN);
				found = true;
				ok &= judge(t, test, &l, p->id);
			}
	}
	if (!found)
		ok = judge(t, test, &l, NULL);
	if (ok)
		say(test, true, "%s", "");
	else
		t->failed++;
}

static void run_test(struct tests *t, struct test *test)
{
	_cleanup_free_ char *real = test->loader ? realpath(test->loader, NULL) : NULL;

	test->load.loader = real ? real : test->loader;
	test->load.target = test->target;
	test->load.tgid = test->init ? 1 : 2;
	test->load.identity = BW_IDENTITY_DIGEST;
	test->load.inert = BW_JUDGE_INERT_UNKNOWN;
	if (test->object) {
		run_object(t, test);
	} else if (test->has_canonical) {
		run_canonical(t, test);
	} else if (judge(t, test, &test->load, NULL)) {
		say(test, true, "%s", "");
	} else {
		t->failed++;
	}
	test->load.loader = NULL;
}

int cmd_policy_test(int argc, char **argv)
{
	BW_CLEANUP(tests_release) struct tests t = { 0 };
	const char *policy = NULL, *btf = NULL;
	const struct bw_opt opts[] = {
		{ BW_OPT_STRING, 0, "policy", &policy, "FILE", "the policy to test; default: the one the test file names" },
		{ BW_OPT_STRING, 0, "btf", &btf, "VMLINUX[,MODULE...]",
		  "objects are loaded on the kernel with this BTF; default: this host's" },
		BW_OPTS_HELP_ROW,
		{ 0 },
	};
	static const struct bw_command cmd = {
		"bpfwarden policy test", "FILE", "Checks that a policy allows and denies what it is meant to.",
		"FILE is a list of loads with the answer expected (rules/README.md). They are judged by the code that the\n"
		"kernel runs. Prints \"ok NAME\" or \"not ok NAME: what came out\" per test. Exit status 1 when an answer is not\n"
		"as expected, 2 when something could not be read."
	};
	_cleanup_free_ char *path = NULL;
	int n, r;

	r = bw_opts_parse(&cmd, opts, argc, argv, &n);
	if (r)
		return r < 0 ? BW_EXIT_INPUT : BW_EXIT_OK;
	if (n != 1) {
		bw_err("policy test needs one test file");
		return BW_EXIT_INPUT;
	}
	t.path = argv[1];
	if (tests_read(&t) < 0)
		return BW_EXIT_INPUT;
	path = policy ? strdup(policy) : t.policy_path ? beside(t.path, t.policy_path) : strdup(POLICY_DEFAULT_FILE);
	if (!path || policy_load(path, &t.policy) < 0)
		return BW_EXIT_INPUT;
	r = bw_sim_new(t.policy, &t.sim);
	if (r < 0) {
		bw_err("%s: %s", path, strerror(-r));
		return r == -E2BIG ? BW_EXIT_INPUT : BW_EXIT_INTERNAL;
	}
	for (uint32_t i = 0; i < t.n; i++)
		if (t.list[i].object) {
			if (policy_btf(btf, &t.btfs) < 0)
				return BW_EXIT_INPUT;
			break;
		}
	for (uint32_t i = 0; i < t.n; i++)
		run_test(&t, &t.list[i]);
	printf("%u tests, %u failed, %u could not be run\n", t.n, t.failed, t.broken);
	return t.broken ? BW_EXIT_INPUT : t.failed ? BW_EXIT_FINDINGS : BW_EXIT_OK;
}
