// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The digest rule, field by field. Expected hashes come from sha256sum/sha1sum over hand-written bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <cmocka.h>

#include "auditor/identity.h"
#include "common/buf.h"
#include "common/limits.h"

#define INSN(c, d, s, o, i)                                                                                            \
	{                                                                                                              \
		.code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i)                                    \
	}
#define MOV0 INSN(0xb7, 0, 0, 0, 0)
#define EXIT INSN(0x95, 0, 0, 0, 0)
#define N(a) (sizeof(a) / sizeof((a)[0]))

static const char *digest(const struct bpf_insn *insns, size_t n)
{
	static char text[4][2 * BW_LOAD_DIGEST_LEN + 1];
	static unsigned int turn;
	char *out = text[turn++ % 4];
	uint8_t d[BW_LOAD_DIGEST_LEN];

	assert_int_equal(identity_load_digest(insns, n, d), 0);
	for (size_t i = 0; i < sizeof(d); i++)
		snprintf(out + 2 * i, 3, "%02x", d[i]);
	return out;
}

static const char *tag(const struct bpf_insn *insns, size_t n, enum bw_tag_alg alg)
{
	static char text[4][2 * BW_KERNEL_TAG_LEN + 1];
	static unsigned int turn;
	char *out = text[turn++ % 4];
	uint8_t t[BW_KERNEL_TAG_LEN];

	assert_int_equal(identity_kernel_tag(insns, n, alg, t), 0);
	for (size_t i = 0; i < sizeof(t); i++)
		snprintf(out + 2 * i, 3, "%02x", t[i]);
	return out;
}

/* printf '\xb7\0\0\0\0\0\0\0\x95\0\0\0\0\0\0\0' | sha256sum */
static void plain_program_is_hashed_as_it_is(void **state)
{
	const struct bpf_insn p[] = { MOV0, EXIT };

	assert_string_equal(digest(p, 2), "59f4a931744dcdc62944a018ed3990e666ec6444616418d3b09a82dc5c753d52");
	assert_string_equal(tag(p, 2, BW_TAG_SHA1), "a04f5eef06a7f555");
	assert_string_equal(tag(p, 2, BW_TAG_SHA256), "59f4a931744dcdc6");
}

/* printf '\x18\x11\0\0\0\0\0\0' (r1, src 1, imm 0) + '\0\0\0\0\0\0\0\0' + the two above */
static void map_fd_is_zeroed(void **state)
{
	const struct bpf_insn a[] = { INSN(0x18, 1, 1, 0, 7), INSN(0, 0, 0, 0, 0), MOV0, EXIT };
	const struct bpf_insn b[] = { INSN(0x18, 1, 1, 0, 8), INSN(0, 0, 0, 0, 0), MOV0, EXIT };

	assert_string_equal(digest(a, 4), "0bd0168676c7c779bf913a1998c82d13dda46d601363c5a519f463257f0a5a4b");
	assert_string_equal(digest(b, 4), "0bd0168676c7c779bf913a1998c82d13dda46d601363c5a519f463257f0a5a4b");
	assert_string_equal(tag(a, 4, BW_TAG_SHA1), "2c24d7c519a868e3");
	assert_string_equal(tag(b, 4, BW_TAG_SHA256), "0bd0168676c7c779");
}

/* The same bytes with src 2 and the offset 0x10 in the second imm; the tag has 0 there. */
static void map_value_offset_stays_in_the_digest(void **state)
{
	const struct bpf_insn a[] = { INSN(0x18, 1, 2, 0, 7), INSN(0, 0, 0, 0, 16), MOV0, EXIT };
	const struct bpf_insn b[] = { INSN(0x18, 1, 2, 0, 9), INSN(0, 0, 0, 0, 16), MOV0, EXIT };
	const struct bpf_insn c[] = { INSN(0x18, 1, 2, 0, 7), INSN(0, 0, 0, 0, 24), MOV0, EXIT };

	assert_string_equal(digest(a, 4), "fa3325284635bd723cceea69d6594d0f056e44a1147b1feb614ab19230e818e5");
	assert_string_equal(digest(b, 4), "fa3325284635bd723cceea69d6594d0f056e44a1147b1feb614ab19230e818e5");
	assert_string_not_equal(digest(c, 4), digest(a, 4));
	assert_string_equal(tag(a, 4, BW_TAG_SHA256), "28813e616f1f93d1");
	assert_string_equal(tag(c, 4, BW_TAG_SHA256), "28813e616f1f93d1");
	assert_string_equal(tag(c, 4, BW_TAG_SHA1), "e76de9ef2eb663cb");
}

static void map_indexes_are_zeroed_in_the_digest_only(void **state)
{
	for (uint8_t src = 5; src <= 6; src++) {
		const struct bpf_insn a[] = { INSN(0x18, 1, src, 0, 1), INSN(0, 0, 0, 0, 4), MOV0, EXIT };
		const struct bpf_insn b[] = { INSN(0x18, 1, src, 0, 2), INSN(0, 0, 0, 0, 4), MOV0, EXIT };
		const struct bpf_insn c[] = { INSN(0x18, 1, src, 0, 1), INSN(0, 0, 0, 0, 8), MOV0, EXIT };

		assert_string_equal(digest(a, 4), digest(b, 4));
		assert_string_not_equal(digest(a, 4), digest(c, 4));
		assert_string_not_equal(tag(a, 4, BW_TAG_SHA1), tag(b, 4, BW_TAG_SHA1));
		assert_string_not_equal(tag(a, 4, BW_TAG_SHA1), tag(c, 4, BW_TAG_SHA1));
	}
}

static void typed_ksym_loses_both_halves(void **state)
{
	const struct bpf_insn a[] = { INSN(0x18, 1, 3, 0, 0x1234), INSN(0, 0, 0, 0, 5), MOV0, EXIT };
	const struct bpf_insn b[] = { INSN(0x18, 1, 3, 0, 0), INSN(0, 0, 0, 0, 0), MOV0, EXIT };

	assert_string_equal(digest(a, 4), "9a8267bb7bc2091714dffd26f38a65c945e611bc1a4d25c45e579427aa45b0fe");
	assert_string_equal(digest(b, 4), "9a8267bb7bc2091714dffd26f38a65c945e611bc1a4d25c45e579427aa45b0fe");
	assert_string_not_equal(tag(a, 4, BW_TAG_SHA1), tag(b, 4, BW_TAG_SHA1));
}

static void kfunc_loses_imm_and_off(void **state)
{
	const struct bpf_insn a[] = { INSN(0x85, 0, 2, 3, 0x4321), EXIT };
	const struct bpf_insn b[] = { INSN(0x85, 0, 2, 0, 0), EXIT };
	const struct bpf_insn helper[] = { INSN(0x85, 0, 0, 0, 5), EXIT };
	const struct bpf_insn other[] = { INSN(0x85, 0, 0, 0, 6), EXIT };
	const struct bpf_insn local[] = { INSN(0x85, 0, 1, 0, 5), EXIT };

	assert_string_equal(digest(a, 2), "70d0464733e5236ecd9b87ece7e6b257b87079af615e5331ae84ccb17d2da558");
	assert_string_equal(digest(b, 2), "70d0464733e5236ecd9b87ece7e6b257b87079af615e5331ae84ccb17d2da558");
	assert_string_not_equal(tag(a, 2, BW_TAG_SHA1), tag(b, 2, BW_TAG_SHA1));
	assert_string_not_equal(digest(helper, 2), digest(other, 2));
	assert_string_not_equal(digest(helper, 2), digest(local, 2));
}

static void constants_and_callbacks_stay(void **state)
{
	for (uint8_t src = 0; src <= 4; src += 4) {
		const struct bpf_insn a[] = { INSN(0x18, 1, src, 0, 1), INSN(0, 0, 0, 0, 0), EXIT };
		const struct bpf_insn b[] = { INSN(0x18, 1, src, 0, 2), INSN(0, 0, 0, 0, 0), EXIT };
		const struct bpf_insn c[] = { INSN(0x18, 1, src, 0, 1), INSN(0, 0, 0, 0, 1), EXIT };

		assert_string_not_equal(digest(a, 3), digest(b, 3));
		assert_string_not_equal(digest(a, 3), digest(c, 3));
	}
}

static void second_half_is_data(void **state)
{
	/* The half looks like a kfunc call or a map load; neither may lose its imm. */
	const struct bpf_insn a[] = { INSN(0x18, 1, 0, 0, 0), INSN(0x85, 0, 2, 1, 1), EXIT };
	const struct bpf_insn b[] = { INSN(0x18, 1, 0, 0, 0), INSN(0x85, 0, 2, 1, 2), EXIT };
	const struct bpf_insn cut[] = { MOV0, INSN(0x18, 1, 1, 0, 3) };
	struct bw_identity_summary sum;

	assert_string_not_equal(digest(a, 3), digest(b, 3));
	digest(cut, 2);
	tag(cut, 2, BW_TAG_SHA1);
	identity_summary(cut, 2, &sum);
	assert_int_equal(sum.map_refs, 1);
}

/* Every bit of every other field counts: flip each of the 128 bits of a two-instruction program. */
static void every_flipped_bit_changes_the_digest(void **state)
{
	const struct bpf_insn p[] = { INSN(0x61, 2, 1, 76, 0), INSN(0x15, 2, 0, 1, 42), MOV0, EXIT };
	char before[65];

	snprintf(before, sizeof(before), "%s", digest(p, N(p)));
	for (size_t bit = 0; bit < sizeof(p) * 8; bit++) {
		struct bpf_insn q[N(p)];

		memcpy(q, p, sizeof(q));
		((uint8_t *)q)[bit / 8] ^= (uint8_t)(1 << (bit % 8));
		assert_string_not_equal(digest(q, N(q)), before);
	}
}

static void pieces_join(void **state)
{
	/* A wide load across the 512-instruction piece: the state must survive the seam. */
	static struct bpf_insn p[1024], q[1024];

	for (size_t i = 0; i < N(p); i++)
		p[i] = (struct bpf_insn)MOV0;
	p[511] = (struct bpf_insn)INSN(0x18, 1, 3, 0, 77);
	p[512] = (struct bpf_insn)INSN(0, 0, 0, 0, 78);
	p[1023] = (struct bpf_insn)EXIT;
	memcpy(q, p, sizeof(q));
	q[511].imm = q[512].imm = 0;
	assert_string_equal(digest(p, N(p)), digest(q, N(q)));
	p[511].src_reg = q[511].src_reg = 2;
	assert_string_equal(tag(p, N(p), BW_TAG_SHA1), tag(q, N(q), BW_TAG_SHA1));
	assert_string_not_equal(digest(p, N(p)), digest(q, N(q)));
}

static void sizes_are_checked(void **state)
{
	const struct bpf_insn one = EXIT;
	uint8_t d[BW_LOAD_DIGEST_LEN];

	assert_int_equal(identity_load_digest(&one, 0, d), -EINVAL);
	assert_int_equal(identity_load_digest(&one, BW_MAX_INSNS + 1, d), -E2BIG);
	assert_int_equal(identity_kernel_tag(&one, 0, BW_TAG_SHA1, d), -EINVAL);
}

static void summary_counts(void **state)
{
	const struct bpf_insn p[] = {
		INSN(0x18, 1, 1, 0, 3),
		INSN(0, 0, 0, 0, 0),
		INSN(0x18, 1, 3, 0, 9),
		INSN(0, 0, 0, 0, 4),
		INSN(0x85, 0, 0, 0, 1),
		INSN(0x85, 0, 0, 0, 255),
		INSN(0x85, 0, 0, 0, 2002000000),
		INSN(0x85, 0, 1, 0, 1),
		INSN(0x85, 0, 2, 0, 77),
		EXIT,
		MOV0,
		EXIT,
	};
	struct bw_identity_summary s;

	identity_summary(p, N(p), &s);
	assert_int_equal(s.insn_cnt, 12);
	assert_int_equal(s.helpers[0], 2);
	assert_true(s.helpers[3] == 1ull << 63);
	assert_int_equal(s.unknown_calls, 1);
	assert_int_equal(s.local_calls, 1);
	assert_int_equal(s.kfunc_calls, 1);
	assert_int_equal(s.map_refs, 1);
	assert_int_equal(s.btf_refs, 1);
	assert_int_equal(s.btf_fd_refs, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_program_is_hashed_as_it_is),
		cmocka_unit_test(map_fd_is_zeroed),
		cmocka_unit_test(map_value_offset_stays_in_the_digest),
		cmocka_unit_test(map_indexes_are_zeroed_in_the_digest_only),
		cmocka_unit_test(typed_ksym_loses_both_halves),
		cmocka_unit_test(kfunc_loses_imm_and_off),
		cmocka_unit_test(constants_and_callbacks_stay),
		cmocka_unit_test(second_half_is_data),
		cmocka_unit_test(every_flipped_bit_changes_the_digest),
		cmocka_unit_test(pieces_join),
		cmocka_unit_test(sizes_are_checked),
		cmocka_unit_test(summary_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
