// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <linux/bpf.h>
#include <openssl/sha.h>
#include <string.h>
#include <time.h>

#include "common/bpf_names.h"
#include "common/buf.h"
#include "common/policy_builtin.h"
#include "common/policy_compile.h"

#define D1 "1111111111111111111111111111111111111111111111111111111111111111"
#define D2 "2222222222222222222222222222222222222222222222222222222222222222"
#define T3 "3333333333333333"
#define POLICY(rest) "{\"version\":1,\"exempt\":{\"inert\":{\"enabled\":false}}," rest "}"
#define PROGRAM(id, rest) "{\"id\":\"" id "\"," rest "}"

static unsigned int calls;

/* "/dDiI" is inode I of device D. */
static int env_loader(void *ctx, const char *path, uint32_t *ret_dev, uint64_t *ret_ino)
{
	unsigned int dev, ino;

	calls++;
	if (sscanf(path, "/d%ui%u", &dev, &ino) != 2)
		return -ENOENT;
	*ret_dev = dev;
	*ret_ino = ino;
	return 0;
}

/* "tN" is BTF id N for LSM programs, 1000 + N for others. */
static int env_target(void *ctx, const char *name, uint32_t prog_type, uint32_t attach_type, uint32_t *ret_btf_id)
{
	unsigned int id;

	calls++;
	if (sscanf(name, "t%u", &id) != 1)
		return -ENOENT;
	*ret_btf_id = id + (prog_type == BPF_PROG_TYPE_LSM || !id ? 0 : 1000);
	return 0;
}

static int env_kfunc(void *ctx, const char *name, uint32_t *ret_btf_id)
{
	calls++;
	return sscanf(name, "k%u", ret_btf_id) == 1 ? 0 : -ENOENT;
}

static const struct bw_policy_env env = { .loader = env_loader, .target = env_target, .kfunc = env_kfunc };

struct fixture {
	struct bw_policy *policy;
	struct bw_policy_image image;
	struct bw_policy_warnings warnings;
};

static void compile(struct fixture *f, const char *text)
{
	struct bw_policy_error e;
	char line[700];
	int r;

	*f = (struct fixture){};
	r = bw_policy_parse(text, strlen(text), &f->policy, &e);
	if (r)
		fail_msg("%s", bw_policy_error_format(&e, "", line, sizeof(line)));
	calls = 0;
	assert_int_equal(bw_policy_compile(f->policy, &env, &f->image, &f->warnings), 0);
}

static void release(struct fixture *f)
{
	bw_policy_image_free(&f->image);
	bw_policy_warnings_free(&f->warnings);
	bw_policy_free(f->policy);
}

/* The approval of an identity (all bytes of the digest, or of the tag, alike), or NULL. */
static const struct bw_approval *find(const struct fixture *f, uint8_t byte, size_t len, uint32_t type, uint32_t attach)
{
	const struct bw_approval *found = NULL;
	struct bw_approval_key key = { .prog_type = type, .expected_attach_type = attach };

	memset(key.id, byte, len);
	for (uint32_t i = 0; i < f->image.n_approvals; i++)
		if (!memcmp(&f->image.approvals[i].key, &key, sizeof(key))) {
			assert_null(found); /* keys are unique */
			found = &f->image.approvals[i].value;
		}
	return found;
}

static bool has_binding(const struct fixture *f, uint32_t entry, uint32_t target, uint32_t dev, uint64_t ino)
{
	const struct bw_binding_key key = { .entry = entry, .attach_btf_id = target, .exe_dev = dev, .exe_ino = ino };

	for (uint32_t i = 0; i < f->image.n_bindings; i++)
		if (!memcmp(&f->image.bindings[i], &key, sizeof(key)))
			return true;
	return false;
}

/* What the kernel's binding_check() decides. */
static bool holds(const struct fixture *f, uint32_t entry, uint32_t target, uint32_t dev, uint64_t ino)
{
	return has_binding(f, entry, 0, 0, 0) || has_binding(f, entry, 0, dev, ino) ||
	       (target && (has_binding(f, entry, target, 0, 0) || has_binding(f, entry, target, dev, ino)));
}

static void conf_of_a_document(void **state)
{
	struct fixture f;

	compile(&f, "{\"version\":1,\"exempt\":{\"init\":false,\"inert\":{\"max_instructions\":33}},"
		    "\"defaults\":{\"networking\":\"allow\",\"other\":\"allow\"},"
		    "\"rules\":[{\"id\":\"a\",\"deny\":{\"helpers\":[\"probe_write_user\",\"override_return\"]}},"
		    "{\"id\":\"b\",\"deny\":{\"types\":[\"ext\"],\"kfuncs\":[\"k5\",\"k6\",\"no\"]}},"
		    "{\"id\":\"c\",\"deny\":{\"kfuncs\":[\"k5\"]}},{\"id\":\"d\",\"deny\":{\"kfuncs\":[\"*\",\"k9\"]}},"
		    "{\"id\":\"e\",\"deny\":{\"kfuncs\":[\"no\"]}}]}");
	assert_int_equal(f.image.conf.flags, BW_CONF_VALID | BW_CONF_ALLOW_INERT);
	assert_int_equal(f.image.conf.inert_max_insns, 33);
	assert_int_equal(f.image.conf.generation, 0);
	assert_int_equal(f.image.conf.type_default[BPF_PROG_TYPE_XDP], BW_VERDICT_ALLOW);
	assert_int_equal(f.image.conf.type_default[BPF_PROG_TYPE_KPROBE], BW_VERDICT_DENY);
	assert_int_equal(f.image.conf.type_default[BPF_PROG_TYPE_EXT], BW_VERDICT_ALLOW);
	assert_int_equal(f.image.conf.type_default[63], BW_VERDICT_ALLOW);
	assert_int_equal(f.image.conf.n_rules, 5);
	assert_true(f.image.conf.rules[0].helpers[0] == (1ULL << 36 | 1ULL << 58));
	assert_int_equal(f.image.conf.rules[0].flags, BW_RULE_USED);
	assert_true(f.image.conf.rules[1].prog_types == 1ULL << BPF_PROG_TYPE_EXT);
	assert_int_equal(f.image.conf.rules[1].flags, BW_RULE_USED | BW_RULE_KFUNCS);
	assert_int_equal(f.image.conf.rules[3].flags, BW_RULE_USED | BW_RULE_ANY_KFUNC);
	assert_int_equal(f.image.conf.rules[4].flags, BW_RULE_USED | BW_RULE_KFUNCS);
	assert_int_equal(f.image.n_kfuncs, 2);
	assert_int_equal(f.image.kfuncs[0].btf_id, 5);
	assert_int_equal(f.image.kfuncs[0].rules, 1 << 1 | 1 << 2);
	assert_int_equal(f.image.kfuncs[1].btf_id, 6);
	assert_int_equal(f.image.kfuncs[1].rules, 1 << 1);
	assert_int_equal(f.warnings.n, 3);
	assert_string_equal(f.warnings.lines[0], "rules[1] (b): kfunc no: No such file or directory");
	assert_string_equal(f.warnings.lines[2], "rules[4] (e): denies nothing on this host");
	release(&f);
}

static void one_entry(void **state)
{
	const struct bw_approval *a;
	char id[64];
	struct fixture f;

	compile(&f, POLICY("\"programs\":[" PROGRAM("skip", "\"type\":\"ext\",\"digests\":[\"" D2 "\"]") "," PROGRAM(
			    "it", "\"type\":\"xdp\",\"attach_type\":\"xdp\",\"digests\":[\"" D1 "\"],\"tags\":[{\"tag\":\"" T3
				  "\",\"instructions\":7}],\"loaders\":[{\"path\":\"/d2i5\"},{\"path\":\"/d2i6\"}]") "]"));
	assert_int_equal(f.image.n_approvals, 5);
	assert_int_equal(f.image.n_origins, 2);
	a = find(&f, 0x11, 32, BPF_PROG_TYPE_XDP, 37);
	assert_non_null(a);
	assert_int_equal(a->entry, 1);
	assert_int_equal(a->insn_cnt, 0);
	a = find(&f, 0x33, 8, BPF_PROG_TYPE_XDP, 37);
	assert_non_null(a);
	assert_int_equal(a->entry, 1);
	assert_int_equal(a->insn_cnt, 7);
	/* A loader that does not state it means the same. */
	assert_non_null(find(&f, 0x11, 32, BPF_PROG_TYPE_XDP, 0));
	assert_non_null(find(&f, 0x33, 8, BPF_PROG_TYPE_XDP, 0));
	assert_null(find(&f, 0x11, 32, BPF_PROG_TYPE_XDP, BPF_XDP_DEVMAP));
	assert_null(find(&f, 0x11, 32, BPF_PROG_TYPE_EXT, 37));
	assert_true(holds(&f, 1, 0, 2, 5));
	assert_true(holds(&f, 1, 77, 2, 6));
	assert_false(holds(&f, 1, 0, 2, 7));
	assert_false(holds(&f, 1, 0, 3, 5));
	assert_true(holds(&f, 0, 0, 9, 9));
	assert_true(has_binding(&f, 1, BW_BINDING_LOADER_NAMED, 2, 5));
	assert_false(has_binding(&f, 1, BW_BINDING_LOADER_NAMED, 2, 7));
	assert_true(has_binding(&f, 0, BW_BINDING_LOADER_NAMED, 0, 0));
	assert_string_equal(bw_policy_entry_id(f.policy, &f.image, 1, id, sizeof(id)), "it");
	assert_string_equal(bw_policy_entry_id(f.policy, &f.image, 2, id, sizeof(id)), "?");
	assert_string_equal(bw_policy_entry_id(f.policy, &f.image, UINT32_MAX, id, sizeof(id)), "?");
	assert_int_equal(f.warnings.n, 0);
	release(&f);
}

static void any_attach_type_is_expanded(void **state)
{
	struct fixture f;

	compile(&f, POLICY("\"programs\":[" PROGRAM("x", "\"type\":\"xdp\",\"digests\":[\"" D1 "\"]") "," PROGRAM(
			    "k", "\"type\":\"sk_lookup\",\"digests\":[\"" D1 "\"]") "," PROGRAM(
			    "s", "\"type\":\"cgroup_sock\",\"attach_type\":\"cgroup_inet_sock_create\",\"digests\":[\"" D1
				 "\"]") "," PROGRAM("n", "\"type\":60,\"digests\":[\"" D1 "\"]") "]"));
	assert_non_null(find(&f, 0x11, 32, BPF_PROG_TYPE_XDP, 0));
	assert_non_null(find(&f, 0x11, 32, BPF_PROG_TYPE_XDP, 33));
	assert_non_null(find(&f, 0x11, 32, BPF_PROG_TYPE_XDP, BPF_XDP_DEVMAP));
	assert_non_null(find(&f, 0x11, 32, BPF_PROG_TYPE_XDP, 37));
	assert_null(find(&f, 0x11, 32, BPF_PROG_TYPE_XDP, 36));
	assert_non_null(find(&f, 0x11, 32, BPF_PROG_TYPE_SK_LOOKUP, 36));
	assert_null(find(&f, 0x11, 32, BPF_PROG_TYPE_SK_LOOKUP, 0));
	/* The kernel takes 0 for it. */
	assert_non_null(find(&f, 0x11, 32, BPF_PROG_TYPE_CGROUP_SOCK, 2));
	assert_non_null(find(&f, 0x11, 32, BPF_PROG_TYPE_CGROUP_SOCK, 0));
	assert_non_null(find(&f, 0x11, 32, 60, 0));
	assert_int_equal(f.image.n_approvals, 4 + 1 + 2 + 1);
	release(&f);
}

static void targets_and_loaders_are_pairs(void **state)
{
	struct fixture f;

	compile(&f, POLICY("\"programs\":[" PROGRAM("a", "\"type\":\"lsm\",\"attach_type\":\"lsm_mac\",\"digests\":[\"" D1
							 "\"],\"targets\":[\"t5\",\"t6\"],\"loaders\":[{\"path\":\"/d1i1\"}]") ","
		     PROGRAM("b", "\"type\":\"lsm\",\"attach_type\":\"lsm_mac\",\"digests\":[\"" D2
				  "\"],\"targets\":[\"t5\"]") "]"));
	assert_true(holds(&f, 0, 5, 1, 1));
	assert_true(holds(&f, 0, 6, 1, 1));
	assert_false(holds(&f, 0, 7, 1, 1));
	assert_false(holds(&f, 0, 0, 1, 1));
	assert_false(holds(&f, 0, 5, 1, 2));
	assert_true(holds(&f, 1, 5, 8, 8));
	assert_false(holds(&f, 1, 6, 8, 8));
	assert_false(holds(&f, 1, 0, 8, 8));
	/* Any loader is a named one: the reason is then the target. */
	assert_true(has_binding(&f, 1, BW_BINDING_LOADER_NAMED, 0, 0));
	assert_int_equal(f.image.n_bindings, 2 + 1 + 1 + 1);
	release(&f);
}

/* Two entries with one identity: the union of their pairs, never the product, and only where both apply. */
static void entries_with_one_identity(void **state)
{
	const struct bw_approval *both, *first;
	struct fixture f;
	char id[64];

	compile(&f,
		POLICY("\"programs\":[" PROGRAM("wide", "\"type\":\"xdp\",\"digests\":[\"" D1 "\",\"" D2
							"\"],\"loaders\":[{\"path\":\"/d1i1\"}],\"targets\":[\"t1\"]") "," PROGRAM(
			"narrow", "\"type\":\"xdp\",\"attach_type\":\"xdp_devmap\",\"digests\":[\"" D2 "\",\"" D1
				  "\"],\"loaders\":[{\"path\":\"/d1i2\"}],\"targets\":[\"t2\"]") "]"));
	both = find(&f, 0x11, 32, BPF_PROG_TYPE_XDP, BPF_XDP_DEVMAP);
	first = find(&f, 0x11, 32, BPF_PROG_TYPE_XDP, 0);
	assert_non_null(both);
	assert_non_null(first);
	assert_int_equal(first->entry, 0);
	assert_int_equal(both->entry, 2);
	/* The same set of owners has one index. */
	assert_int_equal(find(&f, 0x22, 32, BPF_PROG_TYPE_XDP, BPF_XDP_DEVMAP)->entry, 2);
	assert_int_equal(f.image.n_origins, 3);
	assert_true(holds(&f, 2, 1001, 1, 1));
	assert_true(holds(&f, 2, 1002, 1, 2));
	assert_false(holds(&f, 2, 1002, 1, 1));
	assert_false(holds(&f, 2, 1001, 1, 2));
	/* The narrow entry's loader gains nothing where only the wide one applies. */
	assert_true(holds(&f, 0, 1001, 1, 1));
	assert_false(holds(&f, 0, 1002, 1, 2));
	/* No approval stands for the narrow one alone, so nothing is bound to it. */
	assert_false(holds(&f, 1, 1002, 1, 2));
	assert_string_equal(bw_policy_entry_id(f.policy, &f.image, 2, id, sizeof(id)), "wide, narrow");
	assert_string_equal(bw_policy_entry_id(f.policy, &f.image, 2, id, 8), "wide, n");
	release(&f);
}

static void what_cannot_be_resolved_approves_nothing(void **state)
{
	static const char *const expected[] = {
		"programs[0] (l): loader /gone: No such file or directory",
		"programs[0] (l): approves nothing on this host",
		"programs[1] (t): target gone: No such file or directory",
		"programs[1] (t): target t0: Invalid argument",
		"programs[1] (t): approves nothing on this host",
		"programs[2] (half): loader /gone: No such file or directory",
	};
	struct fixture f;

	compile(&f, POLICY("\"programs\":[" PROGRAM("l", "\"type\":\"syscall\",\"digests\":[\"" D1
							 "\"],\"loaders\":[{\"path\":\"/gone\"}]") "," PROGRAM(
			    "t", "\"type\":\"lsm\",\"attach_type\":\"lsm_mac\",\"digests\":[\"" D1
				 "\"],\"targets\":[\"gone\",\"t0\"]") "," PROGRAM(
			    "half", "\"type\":\"syscall\",\"digests\":[\"" D2
				    "\"],\"loaders\":[{\"path\":\"/gone\"},{\"path\":\"/d4i4\"}]") "]"));
	assert_int_equal(f.warnings.n, ARRAY_SIZE(expected));
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
		assert_string_equal(f.warnings.lines[i], expected[i]);
	/* The approvals are there, so that the kernel can say what did not match. */
	assert_int_equal(f.image.n_approvals, 3);
	for (uint32_t i = 0; i < f.image.n_bindings; i++) {
		assert_int_not_equal(f.image.bindings[i].entry, 0);
		if (f.image.bindings[i].entry == 1)
			assert_int_equal(f.image.bindings[i].attach_btf_id, BW_BINDING_LOADER_NAMED);
	}
	assert_true(holds(&f, 2, 0, 4, 4));
	assert_false(holds(&f, 2, 0, 0, 0));
	/* Each name once, although it is used for bindings and for warnings. */
	assert_int_equal(calls, 4);
	release(&f);
}

/* A host that answers with what means "any" in the kernel's keys must not widen an entry. */
static void answers_that_mean_any(void **state)
{
	struct fixture f;

	compile(&f, POLICY("\"programs\":[" PROGRAM("l", "\"type\":\"syscall\",\"digests\":[\"" D1
							 "\"],\"loaders\":[{\"path\":\"/d0i0\"}]") "]"));
	assert_false(holds(&f, 0, 0, 3, 3));
	assert_int_equal(f.image.n_bindings, 0);
	assert_string_equal(f.warnings.lines[0], "programs[0] (l): loader /d0i0: Invalid argument");
	release(&f);
	compile(&f, POLICY("\"programs\":[" PROGRAM("t", "\"type\":\"lsm\",\"digests\":[\"" D1
							 "\"],\"targets\":[\"t4294967295\"]") "]"));
	assert_int_equal(f.image.n_bindings, 1);
	assert_true(has_binding(&f, 0, BW_BINDING_LOADER_NAMED, 0, 0));
	assert_int_equal(f.warnings.n, 2);
	release(&f);
}

/* What "/dDiI" holds: all bytes of the hash are I; changed at second I. Those of device 9 cannot be read. */
static int env_content(void *ctx, const char *path, struct bw_loader_content *ret)
{
	unsigned int dev, ino;

	if (sscanf(path, "/d%ui%u", &dev, &ino) != 2 || dev == 9)
		return -EACCES;
	memset(ret->sha256, (int)ino, sizeof(ret->sha256));
	ret->has_verity = dev == 8;
	memset(ret->verity, 0xee, sizeof(ret->verity));
	ret->changed_ns = ino * 1000000000ull;
	return 0;
}

#define H1 "0101010101010101010101010101010101010101010101010101010101010101"
#define HE "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"
#define LOADER(rest) "{\"path\":" rest "}"
#define BOUND(loaders) POLICY("\"programs\":[" PROGRAM("l", "\"type\":\"syscall\",\"digests\":[\"" D1 "\"],\"loaders\":[" loaders "]") "]")

/* The condition of the first entry's binding to inode 1; NULL: there is none. */
static const struct bw_condition *condition_of(const struct fixture *f)
{
	for (uint32_t i = 0; i < f->image.n_bindings; i++)
		if (f->image.bindings[i].attach_btf_id == 0 && f->image.bindings[i].exe_ino == 1)
			return &f->image.conditions[f->image.bindings[i].condition];
	return NULL;
}

static void compile_with(struct fixture *f, const struct bw_policy_env *e, const char *text)
{
	struct bw_policy_error error;
	char line[700];

	*f = (struct fixture){};
	if (bw_policy_parse(text, strlen(text), &f->policy, &error))
		fail_msg("%s", bw_policy_error_format(&error, "", line, sizeof(line)));
	assert_int_equal(bw_policy_compile(f->policy, e, &f->image, &f->warnings), 0);
}

static void loaders_have_conditions(void **state)
{
	struct bw_policy_env e = env;
	const struct bw_condition *c;
	struct fixture f;

	e.loader_content = env_content;
	e.sees_changes = true;
	e.mnt_ns = 11;
	e.pid_ns = 12;
	compile_with(&f, &e, BOUND(LOADER("\"/d3i1\"")));
	assert_int_equal(condition_of(&f)->flags, 0);
	release(&f);
	compile_with(&f, &e, BOUND(LOADER("\"/d3i1\",\"sha256\":[\"" HE "\",\"" H1 "\"],\"uids\":[7,0],\"namespaces\":\"host\"")));
	c = condition_of(&f);
	assert_int_equal(c->flags, BW_CONDITION_UNCHANGED | BW_CONDITION_UIDS | BW_CONDITION_NAMESPACES);
	assert_int_equal(c->exe_changed_ns, 1000000000);
	assert_int_equal(c->n_uids, 2);
	assert_int_equal(c->uids[0], 7);
	assert_int_equal(c->uids[1], 0);
	assert_int_equal(c->mnt_ns, 11);
	assert_int_equal(c->pid_ns, 12);
	assert_int_equal(f.warnings.n, 0);
	release(&f);
	compile_with(&f, &e, BOUND(LOADER("\"/d8i1\",\"fsverity\":\"" HE "\"")));
	assert_int_equal(condition_of(&f)->flags, BW_CONDITION_UNCHANGED);
	release(&f);
}

static void loaders_in_cgroups(void **state)
{
	struct bw_policy_env e = env;
	const struct bw_condition *c;
	struct fixture f;

	compile_with(&f, &e, BOUND(LOADER("\"/d3i1\",\"cgroups\":[\"/system.slice/a.service\",\"/k*s/x-*.scope\"]")
				   ",{\"cgroups\":[\"/k*s/x-*.scope\"]}"));
	c = condition_of(&f);
	assert_int_equal(c->flags, BW_CONDITION_CGROUPS);
	assert_int_equal(c->n_cgroups, 2);
	/* The same text is one pattern, whoever names it. */
	assert_int_equal(f.image.n_cgroups, 2);
	assert_int_equal(f.image.cgroups[c->cgroups[0]].depth, 2);
	assert_int_equal(f.image.cgroups[c->cgroups[0]].parts[1].exact, 1);
	assert_int_equal(f.image.cgroups[c->cgroups[1]].parts[0].head, 1);
	assert_int_equal(f.image.cgroups[c->cgroups[1]].parts[0].tail, 1);
	assert_memory_equal(f.image.cgroups[c->cgroups[1]].parts[1].text, "x-.scope", 9);
	/* Whatever executable: the binding of any loader, under the condition. */
	for (uint32_t i = 0; i < f.image.n_bindings; i++)
		if (!f.image.bindings[i].exe_ino)
			assert_int_equal(f.image.conditions[f.image.bindings[i].condition].flags, BW_CONDITION_CGROUPS);
	assert_int_equal(f.image.n_bindings, 4);
	assert_int_equal(f.warnings.n, 0);
	release(&f);
}

/* What cannot be had or does not fit approves nothing, and is said. */
static void conditions_that_do_not_hold(void **state)
{
	static const struct {
		const char *loader, *warning;
		bool blind;
	} cases[] = {
		{ LOADER("\"/d3i1\",\"sha256\":[\"" HE "\"]"), "its contents are not those that are approved", false },
		{ LOADER("\"/d9i1\",\"sha256\":[\"" H1 "\"]"), "Permission denied", false },
		{ LOADER("\"/d3i1\",\"fsverity\":\"" HE "\""), "has no fs-verity digest", false },
		{ LOADER("\"/d8i1\",\"fsverity\":\"" H1 "\""), "its contents are not those that are approved", false },
		{ LOADER("\"/d8i1\",\"fsverity\":\"" HE "\",\"sha256\":[\"" HE "\"]"), "its contents are not those that are approved", false },
		{ LOADER("\"/d3i1\",\"sha256\":[\"" H1 "\"]"), "this kernel does not show whether it was changed", true },
		{ LOADER("\"/d3i1\",\"namespaces\":\"host\""), "the namespaces of process 1 are not known", true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct bw_policy_env e = env;
		char text[1000];
		struct fixture f;

		e.loader_content = env_content;
		e.sees_changes = !cases[i].blind;
		e.mnt_ns = e.pid_ns = cases[i].blind ? 0 : 5;
		snprintf(text, sizeof(text), BOUND("%s"), cases[i].loader);
		compile_with(&f, &e, text);
		assert_null(condition_of(&f));
		assert_int_equal(f.image.n_bindings, 0);
		assert_non_null(strstr(f.warnings.lines[0], cases[i].warning));
		release(&f);
	}
}

/* Two entries for one program and one loader: without conditions if one has none; else the first, with a warning. */
static void conditions_that_differ(void **state)
{
	struct bw_policy_env e = env;
	struct fixture f;

	compile_with(&f, &e, POLICY("\"programs\":[" PROGRAM("a", "\"type\":\"syscall\",\"digests\":[\"" D1 "\"],\"loaders\":[{\"path\":\"/d3i1\",\"uids\":[5]}]") ","
				    PROGRAM("b", "\"type\":\"syscall\",\"digests\":[\"" D1 "\"],\"loaders\":[{\"path\":\"/d3i1\"}]") "]"));
	assert_int_equal(condition_of(&f)->flags, 0);
	assert_int_equal(f.warnings.n, 0);
	release(&f);
	compile_with(&f, &e, POLICY("\"programs\":[" PROGRAM("a", "\"type\":\"syscall\",\"digests\":[\"" D1 "\"],\"loaders\":[{\"path\":\"/d3i1\",\"uids\":[5]}]") ","
				    PROGRAM("b", "\"type\":\"syscall\",\"digests\":[\"" D1 "\"],\"loaders\":[{\"path\":\"/d3i1\",\"uids\":[6]}]") "]"));
	assert_int_equal(condition_of(&f)->uids[0], 5);
	assert_int_equal(f.warnings.n, 1);
	release(&f);
}

static void without_an_environment(void **state)
{
	static const struct bw_policy_env nothing;
	struct bw_policy_image image;
	struct bw_policy_warnings w = {};
	_cleanup_policy_ struct bw_policy *p = NULL;
	struct bw_policy_error e;
	const char *text = POLICY("\"programs\":[" PROGRAM("l", "\"type\":\"syscall\",\"digests\":[\"" D1
								"\"],\"loaders\":[{\"path\":\"/d1i1\"}]") "]");

	assert_int_equal(bw_policy_parse(text, strlen(text), &p, &e), 0);
	assert_int_equal(bw_policy_compile(p, &nothing, &image, &w), 0);
	assert_int_equal(image.n_bindings, 0);
	assert_string_equal(w.lines[0], "programs[0] (l): loader /d1i1: cannot be resolved here");
	bw_policy_image_free(&image);
	bw_policy_warnings_free(&w);
}

static void one_tag_two_lengths(void **state)
{
	struct fixture f;

	compile(&f, POLICY("\"programs\":[" PROGRAM("a", "\"type\":\"syscall\",\"tags\":[{\"tag\":\"" T3
							 "\",\"instructions\":9}],\"loaders\":[{\"path\":\"/d1i1\"}]") "," PROGRAM(
			    "b", "\"type\":\"syscall\",\"tags\":[{\"tag\":\"" T3
				 "\",\"instructions\":8}],\"loaders\":[{\"path\":\"/d1i2\"}]") "]"));
	assert_int_equal(f.image.n_approvals, 1);
	assert_int_equal(f.image.approvals[0].value.insn_cnt, 9);
	assert_int_equal(f.image.approvals[0].value.entry, 0);
	assert_false(holds(&f, 0, 0, 1, 2));
	assert_int_equal(f.warnings.n, 1);
	assert_string_equal(f.warnings.lines[0],
			    "programs[1] (b): a tag of 8 instructions is ignored: programs[0] (a) says that it has 9");
	release(&f);
}

static void safe_helpers_have_no_reach(void **state)
{
	static const char *const unsafe[] = {
		"map_lookup_elem", "map_update_elem", "probe_read", "probe_read_kernel", "probe_read_user_str",
		"probe_write_user", "trace_printk", "perf_event_output", "ringbuf_output", "ringbuf_reserve", "get_stackid",
		"get_current_task", "get_current_task_btf", "override_return", "send_signal", "tail_call", "redirect",
		"skb_load_bytes", "snprintf", "d_path", "bpf_loop", "sys_bpf", "copy_from_user", "per_cpu_ptr", "get_func_ip",
		"get_func_arg", "set_retval", "skb_store_bytes", "kallsyms_lookup_name", "sk_storage_get",
	};
	static const char *const safe[] = { "ktime_get_ns", "get_prandom_u32", "get_smp_processor_id", "get_attach_cookie",
					    "get_current_comm", "strtol", "strncmp", "csum_diff", "jiffies64",
					    "get_numa_node_id", "ktime_get_tai_ns", "get_func_arg_cnt" };
	__u64 set[BW_HELPER_WORDS];
	unsigned int n = 0;

	bw_policy_safe_helpers(set);
	for (size_t i = 0; i < ARRAY_SIZE(unsafe); i++) {
		int id = bw_helper_id(!strcmp(unsafe[i], "bpf_loop") ? "loop" : unsafe[i]);

		if (id < 0)
			fail_msg("%s is no helper", unsafe[i]);
		assert_false(set[id / 64] >> (id % 64) & 1);
	}
	for (size_t i = 0; i < ARRAY_SIZE(safe); i++) {
		int id = bw_helper_id(safe[i]);

		assert_true(id > 0);
		assert_true(set[id / 64] >> (id % 64) & 1);
	}
	for (int i = 0; i < BW_HELPER_WORDS; i++)
		n += (unsigned int)__builtin_popcountll(set[i]);
	assert_int_equal(n, 20); /* whoever adds one adds it here, too, and says why there */
}

#define MOV64_REG(d, s) { .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = d, .src_reg = s }
#define MOV64_IMM(d, i) { .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = d, .imm = i }
#define ADD64_IMM(d, i) { .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = d, .imm = i }
#define CALL(s, i) { .code = BPF_JMP | BPF_CALL, .src_reg = s, .imm = i }
#define EXIT { .code = BPF_JMP | BPF_EXIT }

static void check_builtin(const char *id, const struct bpf_insn *insns, uint32_t n)
{
	const struct bw_policy_builtin *b = NULL;
	uint8_t sha256[SHA256_DIGEST_LENGTH], sha1[SHA_DIGEST_LENGTH];

	for (uint32_t i = 0; i < BW_N_BUILTINS; i++)
		if (!strcmp(bw_policy_builtins[i].id, id))
			b = &bw_policy_builtins[i];
	assert_non_null(b);
	/* No field of these is normalised: the load digest is the plain hash. */
	SHA256((const uint8_t *)insns, n * sizeof(*insns), sha256);
	SHA1((const uint8_t *)insns, n * sizeof(*insns), sha1);
	assert_int_equal(b->instructions, n);
	assert_memory_equal(b->ids[BW_BUILTIN_DIGEST], sha256, 32);
	assert_memory_equal(b->ids[BW_BUILTIN_TAG_SHA256], sha256, 8);
	assert_memory_equal(b->ids[BW_BUILTIN_TAG_SHA1], sha1, 8);
}

static void known_probes_are_approved_exactly(void **state)
{
	static const struct bpf_insn read_kernel[] = { MOV64_REG(1, 10), ADD64_IMM(1, -8), MOV64_IMM(2, 8),
						       MOV64_IMM(3, 0),	 CALL(0, 113),	  EXIT };
	static const struct bpf_insn arg_ctx[] = { CALL(1, 1), EXIT, CALL(0, 173), EXIT };
	static struct bpf_insn large[4097];
	const struct bw_approval_key *k;
	struct fixture f;
	char id[64];

	for (int i = 0; i < 4096; i++)
		large[i] = (struct bpf_insn)MOV64_IMM(0, 1);
	large[4096] = (struct bpf_insn)EXIT;
	check_builtin("builtin:large-program", large, ARRAY_SIZE(large));
	check_builtin("builtin:libbpf-probe-read-kernel", read_kernel, ARRAY_SIZE(read_kernel));
	check_builtin("builtin:cilium-probe-read-kernel", read_kernel, ARRAY_SIZE(read_kernel));
	check_builtin("builtin:libbpf-arg-ctx-tag", arg_ctx, ARRAY_SIZE(arg_ctx));
	compile(&f, "{\"version\":1}");
	assert_int_equal(f.image.n_approvals, BW_N_BUILTINS * 3);
	assert_int_equal(f.image.n_origins, BW_N_BUILTINS);
	k = &f.image.approvals[0].key;
	assert_memory_equal(k->id, bw_policy_builtins[0].ids[0], 32);
	assert_int_equal(k->prog_type, BPF_PROG_TYPE_TRACEPOINT);
	assert_int_equal(k->expected_attach_type, 0);
	assert_int_equal(f.image.approvals[0].value.insn_cnt, 0);
	assert_int_equal(f.image.approvals[1].value.insn_cnt, 6);
	assert_true(holds(&f, 0, 0, 7, 7));
	assert_string_equal(bw_policy_entry_id(f.policy, &f.image, 0, id, sizeof(id)), "builtin:libbpf-probe-read-kernel");
	release(&f);
	compile(&f, POLICY("\"programs\":[]"));
	assert_int_equal(f.image.n_approvals, 0);
	release(&f);
	/* A document that speaks of the very program has the say. */
	compile(&f, "{\"version\":1,\"programs\":[{\"id\":\"mine\",\"type\":\"tracepoint\",\"loaders\":[{\"path\":\"/d1i1\"}],"
		    "\"digests\":[\"2a71da1e3f8d9dc085e4e632bc2c22d8d27f4deb2f2bdd8b5c273d7e85398e53\"]}]}");
	assert_int_equal(f.image.n_approvals, BW_N_BUILTINS * 3);
	assert_int_equal(f.image.approvals[0].value.entry, 0);
	assert_false(holds(&f, 0, 0, 7, 7));
	assert_true(holds(&f, 0, 0, 1, 1));
	release(&f);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void a_large_policy_takes_no_time(void **state)
{
	_cleanup_buf_ struct bw_buf b = {};
	struct fixture f;
	double start;

	bw_buf_str(&b, "{\"version\":1,\"programs\":[");
	for (unsigned int i = 0; i < 100000; i++)
		bw_buf_printf(&b,
			      "%s{\"id\":\"p%u\",\"reason\":\"because\",\"digests\":[\"%08x" "ffffffffffffffffffffffffffffffffffffffff"
			      "ffffffffffffffff\"],\"type\":\"xdp\",\"attach_type\":\"xdp_devmap\",\"loaders\":[{\"path\":\"/d1i%u\"}],"
			      "\"targets\":[\"t%u\"]}",
			      i ? "," : "", i, i, i % 50 + 1, i % 2000 + 1);
	bw_buf_str(&b, "]}");
	assert_int_equal(bw_buf_error(&b), 0);
	start = seconds();
	compile(&f, b.data);
	/* Measured 0.2 s; the limit allows for sanitizers and a busy machine, and fails for anything quadratic. */
	assert_true(seconds() - start < 10);
	assert_int_equal(f.image.n_approvals, 100000 + BW_N_BUILTINS * 3);
	assert_int_equal(f.image.n_bindings, 200000 + BW_N_BUILTINS);
	assert_int_equal(calls, 50 + 2000);
	assert_int_equal(f.warnings.n, 0);
	assert_true(holds(&f, 99999, 1000 + 99999 % 2000 + 1, 1, 99999 % 50 + 1));
	release(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conf_of_a_document),
		cmocka_unit_test(one_entry),
		cmocka_unit_test(any_attach_type_is_expanded),
		cmocka_unit_test(targets_and_loaders_are_pairs),
		cmocka_unit_test(entries_with_one_identity),
		cmocka_unit_test(what_cannot_be_resolved_approves_nothing),
		cmocka_unit_test(loaders_have_conditions),
		cmocka_unit_test(loaders_in_cgroups),
		cmocka_unit_test(conditions_that_do_not_hold),
		cmocka_unit_test(conditions_that_differ),
		cmocka_unit_test(answers_that_mean_any),
		cmocka_unit_test(without_an_environment),
		cmocka_unit_test(one_tag_two_lengths),
		cmocka_unit_test(safe_helpers_have_no_reach),
		cmocka_unit_test(known_probes_are_approved_exactly),
		cmocka_unit_test(a_large_policy_takes_no_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
