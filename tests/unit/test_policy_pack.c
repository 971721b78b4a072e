// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What passes between the guard's processes: compiled policies and events. What was written is read; nothing else is believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "guard/policy_pack.h"
#include "guard/requests.h"

static const char text[] =
	"{\"version\": 1, \"exempt\": {\"init\": true, \"inert\": {\"enabled\": true}},"
	"\"defaults\": {\"tracing\": \"deny\", \"networking\": \"allow\", \"cgroup\": \"deny\", \"lsm\": \"deny\", \"socket_filter\": \"deny\", \"other\": \"deny\"},"
	"\"programs\": [{\"id\": \"one\", \"type\": \"xdp\", \"digests\": [\"0000000000000000000000000000000000000000000000000000000000000001\"],"
	"\"loaders\": [{\"cgroups\": [\"/a/b-*\"]}]}],"
	"\"rules\": [{\"id\": \"no-write\", \"deny\": {\"helpers\": [\"probe_write_user\"]}, \"attack\": [\"T1014\", \"T1562.001\"]}]}";

static void packed(struct bw_buf *out)
{
	const struct bw_policy_env env = { 0 };
	struct bw_policy_warnings w = { 0 };
	struct bw_policy_image image;
	struct bw_policy_error error;
	struct bw_policy *p = NULL;
	struct bw_buf loaders = { 0 };

	if (bw_policy_parse(text, sizeof(text) - 1, &p, &error) < 0)
		fail_msg("%s: %s", error.field, error.reason);
	bw_policy_warn(&w, "a warning");
	assert_int_equal(bw_policy_compile(p, &env, &image, &w), 0);
	bw_buf_append(&loaders, "/bin/a", 7);
	policy_pack(&(struct policy_release){ .serial = 7, .expires = 1900000000, .sha256 = { 1, 2 }, .trusted = 1, .signers = "/CN=release" }, p, &image, &w, &loaders, 1, out);
	assert_int_equal(bw_buf_error(out), 0);
	bw_buf_free(&loaders);
	bw_policy_image_free(&image);
	bw_policy_warnings_free(&w);
	bw_policy_free(p);
}

static void assert_names(const struct policy_names *n)
{
	const char *const *attack;
	uint32_t count;

	assert_string_equal(policy_names_rule(n, 0), "no-write");
	assert_null(policy_names_rule(n, 1));
	attack = policy_names_attack(n, 0, &count);
	assert_int_equal(count, 2);
	assert_string_equal(attack[1], "T1562.001");
	assert_null(policy_names_attack(n, 1, &count));
	assert_int_equal(count, 0);
	assert_string_equal(policy_names_entry(n, 0), "one");
	assert_null(policy_names_entry(n, n->n_entries));
}

static void comes_back(void **state)
{
	_cleanup_buf_ struct bw_buf b = { 0 }, names = { 0 };
	struct policy_names n;
	struct policy_pack p;

	packed(&b);
	assert_int_equal(policy_unpack(bw_slice(b.data, b.len), &p), 0);
	assert_int_equal(p.result, 0);
	assert_int_equal(p.release.serial, 7);
	assert_int_equal(p.release.expires, 1900000000);
	assert_string_equal(p.release.signers, "/CN=release");
	assert_true(p.image.n_approvals > 1); /* the document's and the built-in ones */
	assert_int_equal(p.image.conf.type_default[6], BW_VERDICT_ALLOW);
	assert_int_equal(p.image.n_cgroups, 1);
	assert_int_equal(p.image.cgroups[0].depth, 2);
	assert_memory_equal(p.image.cgroups[0].parts[1].text, "b-", 2);
	assert_int_equal(p.n_loaders, 1);
	assert_string_equal(policy_pack_string(&p.loaders), "/bin/a");
	assert_int_equal(p.n_warnings, 1);
	assert_string_equal(policy_pack_string(&p.warnings), "a warning");
	assert_names(&p.names);
	policy_names_pack(&p.names, &names);
	assert_int_equal(policy_names_unpack(bw_slice(names.data, names.len), &n), 0);
	assert_names(&n);
	policy_names_free(&n);
	policy_pack_free(&p);
}

static void errors_come_back(void **state)
{
	_cleanup_buf_ struct bw_buf b = { 0 }, forged = { 0 };
	struct policy_pack p;

	policy_pack_error(-EKEYREJECTED, BW_SIGNATURE_ROLLBACK, "p.json:1:2: programs: must be a list", &b);
	assert_int_equal(policy_unpack(bw_slice(b.data, b.len), &p), 0);
	assert_int_equal(p.result, -EKEYREJECTED);
	assert_int_equal(p.refused, BW_SIGNATURE_ROLLBACK);
	assert_string_equal(p.error, "p.json:1:2: programs: must be a list");
	policy_pack_error(-EINVAL, BW_SIGNATURE_OK, "one\nbpfwardend: armed", &forged);
	assert_int_equal(policy_unpack(bw_slice(forged.data, forged.len), &p), -EBADMSG);
}

/* Every length but the right one, in memory of exactly that length. */
static void nothing_shorter(void **state)
{
	_cleanup_buf_ struct bw_buf b = { 0 };
	struct policy_pack p;

	packed(&b);
	for (size_t len = 0; len <= b.len + 1; len++) {
		char *copy = calloc(1, len + 1);

		memcpy(copy, b.data, len < b.len ? len : b.len);
		if (len != b.len)
			assert_int_equal(policy_unpack(bw_slice(copy, len), &p), -EBADMSG);
		free(copy);
	}
}

static int with(const struct bw_buf *b, size_t at, uint32_t value)
{
	_cleanup_free_ char *copy = malloc(b->len);
	struct policy_pack p;
	int r;

	memcpy(copy, b->data, b->len);
	memcpy(copy + at, &value, sizeof(value));
	r = policy_unpack(bw_slice(copy, b->len), &p);
	if (!r)
		policy_pack_free(&p);
	return r;
}

#define HEAD(m) offsetof(struct policy_pack_head, m)
#define CONF(m) (HEAD(conf) + offsetof(struct bw_policy_conf, m))

static void nothing_is_believed(void **state)
{
	_cleanup_buf_ struct bw_buf b = { 0 };
	static const size_t counts[] = { HEAD(n_entries),  HEAD(n_approvals), HEAD(n_bindings),	 HEAD(n_kfuncs),  HEAD(n_rules), HEAD(n_loaders),
					 HEAD(n_warnings), HEAD(names_len),   HEAD(loaders_len), HEAD(warnings_len), HEAD(error_len) };
	const size_t approval = sizeof(struct policy_pack_head) + sizeof(struct bw_policy_protect) + offsetof(struct bw_policy_approval, value);

	packed(&b);
	assert_int_equal(with(&b, CONF(inert_max_insns), 7), 0);
	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		assert_int_equal(with(&b, counts[i], ~0u), -EBADMSG);
		assert_int_equal(with(&b, counts[i], 1000), -EBADMSG);
	}
	assert_int_equal(with(&b, HEAD(magic), 0), -EBADMSG);
	assert_int_equal(with(&b, HEAD(result), 1), -EBADMSG);
	/* mode and generation are the guard's; flags, verdicts and indexes that do not exist */
	assert_int_equal(with(&b, CONF(mode), 1), -EBADMSG);
	assert_int_equal(with(&b, CONF(generation), 9), -EBADMSG);
	assert_int_equal(with(&b, CONF(flags), 1u << 31), -EBADMSG);
	assert_int_equal(with(&b, CONF(n_rules), 32), -EBADMSG);
	assert_int_equal(with(&b, CONF(type_default), 2), -EBADMSG);
	assert_int_equal(with(&b, CONF(rules) + offsetof(struct bw_kernel_rule, flags), 1u << 30), -EBADMSG);
	assert_int_equal(with(&b, CONF(rules[1]) + offsetof(struct bw_kernel_rule, flags), 1), -EBADMSG);
	assert_int_equal(with(&b, approval + offsetof(struct bw_approval, entry), 1u << 20), -EBADMSG);
	assert_int_equal(with(&b, approval + offsetof(struct bw_approval, flags), 1u << 5), -EBADMSG);
	assert_int_equal(with(&b, CONF(n_attach_rules), 1), -EBADMSG);
	assert_int_equal(with(&b, CONF(response), 3), -EBADMSG);
	assert_int_equal(with(&b, CONF(n_watched), BW_MAX_WATCHED_MAPS + 1), -EBADMSG);
	assert_int_equal(with(&b, HEAD(n_attach), 1), -EBADMSG);
	/* no byte of it, whatever it becomes, breaks anything */
	for (size_t at = 0; at + 4 <= b.len; at++)
		with(&b, at, 0xfffffff0u);
}

static void events_come_back(void **state)
{
	_cleanup_buf_ struct bw_buf b = { 0 };
	const struct say in = { .time_ns = 5, .severity = ALERT_HIGH, .event = "loss", .message = "3 lost" };
	struct say out;

	say_pack(&in, (struct alert_kv[]){ ALERT_STR("site", "x"), ALERT_U64("lost", 3), ALERT_STR("none", NULL), { 0 } }, &b);
	assert_int_equal(say_unpack(bw_slice(b.data, b.len), &out), 0);
	assert_int_equal(out.time_ns, 5);
	assert_int_equal(out.severity, ALERT_HIGH);
	assert_string_equal(out.event, "loss");
	assert_string_equal(out.message, "3 lost");
	assert_string_equal(out.kv[0].str, "x");
	assert_int_equal(out.kv[1].u64, 3);
	assert_null(out.kv[2].str);
	assert_int_equal(out.kv[3].type, ALERT_KV_END);
	for (size_t len = 0; len < b.len; len++) {
		char *copy = malloc(len + 1);

		memcpy(copy, b.data, len);
		assert_int_equal(say_unpack(bw_slice(copy, len), &out), -EBADMSG);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_back),	       cmocka_unit_test(errors_come_back), cmocka_unit_test(nothing_shorter),
		cmocka_unit_test(nothing_is_believed), cmocka_unit_test(events_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
