// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The prediction on whole and on broken objects. What a kernel makes of the same objects: tests/integration/t/identity.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "auditor/predict.h"
#include "common/buf.h"

static const struct bw_predict_opts nothing; /* no BTF */

static void read_sample(const char *name, char **ret, size_t *ret_len)
{
	const char *build = getenv("BUILD");
	char path[512];

	snprintf(path, sizeof(path), "%s/samples/%s.bpf.o", build ? build : "build", name);
	assert_int_equal(bw_file_read(path, 1 << 20, ret, ret_len), 0);
}

static void predict_sample(const char *name, const struct bw_predict_opts *opts, struct bw_prediction *ret)
{
	_cleanup_free_ char *data = NULL;
	size_t len = 0;

	read_sample(name, &data, &len);
	assert_int_equal(bw_predict(data, len, opts, ret), 0);
}

static const struct bw_predicted *program(const struct bw_prediction *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++)
		if (!strcmp(p->programs[i].name, name))
			return &p->programs[i];
	fail_msg("no program %s", name);
	return NULL;
}

static void value_offset_is_identity(void **state)
{
	struct bw_prediction p;
	const struct bw_predicted *seen, *dropped;

	predict_sample("identity/globals", &nothing, &p);
	assert_null(p.error);
	assert_int_equal(p.n, 3);
	assert_true(bw_prediction_complete(&p));
	seen = program(&p, "globals_seen");
	dropped = program(&p, "globals_dropped");
	assert_string_equal(seen->section, "socket");
	assert_int_equal(seen->prog_type, BPF_PROG_TYPE_SOCKET_FILTER);
	assert_int_equal(seen->summary.insn_cnt, 4);
	assert_int_equal(seen->summary.map_refs, 1);
	assert_int_equal(seen->insns[0].src_reg, BPF_PSEUDO_MAP_VALUE);
	assert_int_not_equal(seen->insns[1].imm, dropped->insns[1].imm);
	assert_memory_equal(seen->tag_sha256, dropped->tag_sha256, BW_KERNEL_TAG_LEN);
	assert_memory_not_equal(seen->digest, dropped->digest, BW_LOAD_DIGEST_LEN);
	bw_prediction_free(&p);
}

static void descriptors_do_not_matter(void **state)
{
	int fds[20];
	struct bw_prediction a, b;

	predict_sample("identity/map_refs", &nothing, &a);
	for (int i = 0; i < 20; i++)
		fds[i] = dup(0);
	predict_sample("identity/map_refs", &nothing, &b);
	for (int i = 0; i < 20; i++)
		close(fds[i]);
	assert_true(bw_prediction_complete(&a));
	assert_int_equal(a.n, 1);
	assert_int_equal(a.programs[0].summary.map_refs, 6);
	assert_memory_equal(a.programs[0].digest, b.programs[0].digest, BW_LOAD_DIGEST_LEN);
	bw_prediction_free(&a);
	bw_prediction_free(&b);
}

static void subprograms_are_appended(void **state)
{
	struct bw_prediction p;

	predict_sample("identity/subprograms", &nothing, &p);
	assert_true(bw_prediction_complete(&p));
	assert_int_equal(p.n, 3);
	/* global_one, middle, leaf, global_two follow; the second entry calls three of them itself. */
	assert_int_equal(program(&p, "subprograms_first")->summary.local_calls, 6);
	assert_int_equal(program(&p, "subprograms_second")->summary.local_calls, 7);
	assert_true(program(&p, "subprograms_first")->autoload);
	assert_false(program(&p, "subprograms_on_request")->autoload);
	assert_null(program(&p, "subprograms_on_request")->error);
	bw_prediction_free(&p);
}

static void kconfig_is_not_identity(void **state)
{
	const struct bw_predict_opts other = { .release = "9.9.9",
					       .kconfig = "CONFIG_HZ=250\nCONFIG_NO_SUCH_OPTION=y" };
	struct bw_prediction a, b;

	predict_sample("open/config", &nothing, &a);
	predict_sample("open/config", &other, &b);
	assert_true(bw_prediction_complete(&a) && bw_prediction_complete(&b));
	assert_memory_equal(a.programs[0].digest, b.programs[0].digest, BW_LOAD_DIGEST_LEN);
	bw_prediction_free(&a);
	bw_prediction_free(&b);
}

static void addresses_have_no_identity(void **state)
{
	struct bw_prediction p;

	predict_sample("open/ksym_address", &nothing, &p);
	assert_false(bw_prediction_complete(&p));
	assert_int_equal(program(&p, "with_address")->flags, BW_PREDICT_ADDRESSES);
	assert_int_equal(program(&p, "without_address")->flags, 0);
	assert_null(program(&p, "without_address")->error);
	bw_prediction_free(&p);
}

static void one_bad_program_leaves_the_others(void **state)
{
	struct bw_kernel_btfs host = { 0 };
	const struct bw_predict_opts opts = { .btfs = &host };
	struct bw_prediction p;

	if (bw_kernel_btf_host(&host) < 0)
		skip();
	predict_sample("open/partly", &opts, &p);
	assert_null(p.error);
	assert_int_equal(p.n, 4);
	assert_false(bw_prediction_complete(&p));
	assert_non_null(program(&p, "unloadable")->error);
	/* What follows is -3 or -ESRCH, depending on the version of libbpf. */
	assert_int_equal(strncmp(program(&p, "unloadable")->error,
				 "prog 'unloadable': failed to find kernel BTF type ID of 'no_such_hook'", 70),
			 0);
	assert_null(program(&p, "loadable")->error);
	assert_int_equal(program(&p, "loadable")->n_insns, 2);
	assert_int_equal(program(&p, "replacement")->flags, BW_PREDICT_TARGET_OPEN);
	assert_int_equal(program(&p, "replacement")->prog_type, BPF_PROG_TYPE_EXT);
	assert_string_equal(program(&p, "replacement")->attach_target, "some_function");
	assert_int_equal(program(&p, "untyped")->flags, BW_PREDICT_TYPE_OPEN);
	bw_prediction_free(&p);
	predict_sample("identity/kfuncs_weak", &opts, &p);
	assert_int_equal(p.programs[0].flags, BW_PREDICT_KFUNC_MISSING);
	bw_prediction_free(&p);
	predict_sample("identity/typed_tp", &opts, &p);
	assert_true(bw_prediction_complete(&p));
	assert_string_equal(program(&p, "typed_hook")->attach_btf, "vmlinux");
	assert_true(program(&p, "typed_hook")->attach_btf_id > 0);
	bw_prediction_free(&p);
	bw_kernel_btf_free(&host);
}

/* Truncated at every 97th byte, then 400 times with a few random bytes changed: an answer each time, of sane form. */
static void broken_objects_are_errors(void **state)
{
	static const struct bw_predict_opts quick = { .wall_ms = 3000 };
	_cleanup_free_ char *data = NULL, *copy = NULL;
	uint32_t seed = 0x5eed;
	size_t len = 0, whole = 0, broken = 0;
	struct bw_prediction p;

	read_sample("identity/globals", &data, &len);
	copy = malloc(len);
	assert_non_null(copy);
	for (size_t cut = 0; cut < len; cut += 97) {
		assert_int_equal(bw_predict(data, cut, &quick, &p), 0);
		assert_false(bw_prediction_complete(&p));
		assert_non_null(p.error);
		bw_prediction_free(&p);
	}
	for (int round = 0; round < 400; round++) {
		memcpy(copy, data, len);
		for (int k = 0; k < 1 + round % 7; k++) {
			seed = seed * 1664525 + 1013904223;
			/* Mostly where structure is: the ELF header and the section headers at the end. */
			size_t at = round % 3 == 0 ? seed % 64 : round % 3 == 1 ? len - 1 - seed % 2500 : seed % len;

			seed = seed * 1664525 + 1013904223;
			copy[at] = (char)(seed >> 24);
		}
		assert_int_equal(bw_predict(copy, len, &quick, &p), 0);
		for (size_t i = 0; i < p.n; i++)
			assert_true(!p.programs[i].insns == !!p.programs[i].error);
		if (bw_prediction_complete(&p))
			whole++;
		else
			broken++;
		bw_prediction_free(&p);
	}
	assert_true(whole > 20);
	assert_true(broken > 100);
}

static void kernel_btf_files(void **state)
{
	struct bw_kernel_btfs b = { 0 };

	assert_int_equal(bw_kernel_btf_add(&b, "/nonexistent"), -ENOENT);
	assert_int_equal(bw_kernel_btf_add(&b, "/etc/passwd"), -EBADMSG);
	assert_int_equal(bw_kernel_btf_add(&b, "/bin/sh"), -EBADMSG);
	assert_int_equal(b.n, 0);
	bw_kernel_btf_free(&b);
}

static void hostile_btf_is_contained(void **state)
{
	/* A header that promises more than there is; and no BTF at all. */
	struct bw_kernel_btf items[1] = { { .name = (char *)"vmlinux",
					    .data = (char *)"\x9f\xeb\1\0\x18\0\0\0\0\0\0\0\xff\xff\xff\x7f",
					    .len = 16 } };
	const struct bw_kernel_btfs btfs = { .items = items, .n = 1 };
	const struct bw_predict_opts opts = { .btfs = &btfs };
	struct bw_prediction p;

	predict_sample("identity/core_fields", &opts, &p);
	assert_false(bw_prediction_complete(&p));
	assert_int_equal(p.n, 2);
	assert_non_null(p.programs[0].error);
	bw_prediction_free(&p);
	predict_sample("identity/core_fields", &nothing, &p);
	assert_false(bw_prediction_complete(&p));
	bw_prediction_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(value_offset_is_identity),   cmocka_unit_test(descriptors_do_not_matter),
		cmocka_unit_test(subprograms_are_appended),   cmocka_unit_test(kconfig_is_not_identity),
		cmocka_unit_test(addresses_have_no_identity), cmocka_unit_test(one_bad_program_leaves_the_others),
		cmocka_unit_test(broken_objects_are_errors),  cmocka_unit_test(kernel_btf_files),
		cmocka_unit_test(hostile_btf_is_contained),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
