/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_POLICY_LOAD_H
#define BW_GUARD_POLICY_LOAD_H
/*
 * From a policy file to what the kernel gets, without parsing a byte of it here: the text goes to a process that can do nothing but
 * compute (common/sandbox.h), made for this one file, so that nothing else can talk it into anything; signatures and certificates are
 * looked at there as well; what comes back is checked (guard/policy_pack.h). Only the inodes of loaders are looked up here.
 */
#include "guard/policy_pack.h"

struct btf;

/* All as bytes that nobody here has looked at. */
struct policy_input {
	const char *name; /* for messages */
	struct bw_slice text;
	bool must_be_signed;
	struct bw_slice signature; /* detached CMS; empty: there is none */
	struct bw_slice trust;	   /* certificates, PEM */
	unsigned int min_signers;
	int64_t now;		   /* seconds since 1970 */
	uint32_t mnt_ns, pid_ns;   /* of process 1; 0: not known */
	struct bw_slice accepted;  /* bw_signature_state_write() of what was accepted last; empty: nothing yet */
};

/*
 * @btf NULL: only finds out whether it is a policy; *ret has no image then. Returns 0, or a negative errno, one line in @why, and in
 * @ret_refused what is wrong with the signature (-EKEYREJECTED) or BW_SIGNATURE_OK. *ret is to be released with policy_load_free().
 */
struct policy_loaded {
	struct policy_pack pack;
	struct bw_buf bytes; /* what pack's warnings point into */
};

int policy_load(const struct policy_input *in, const struct btf *btf, struct policy_loaded *ret, enum bw_signature *ret_refused, char *why,
		size_t why_len);
void policy_load_free(struct policy_loaded *p);

#endif
