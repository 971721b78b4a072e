/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_POLICY_SIGN_H
#define BW_POLICY_SIGN_H
/*
 * Signatures on policies: CMS SignedData (RFC 5652), detached, by one or more keys. Who verifies trusts a set of
 * certificates, of signers or of their authorities; one trusted signer is enough unless more are asked for, so a key is
 * rotated by signing with the old and the new one for a while. A lower serial than before is a rollback.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/slice.h"

#define BW_MAX_SIGNATURE_SIZE (1u << 20)
#define BW_MAX_SIGNERS 16u

enum bw_signature {
	BW_SIGNATURE_OK,
	BW_SIGNATURE_NONE,	   /* what should be a signature is none */
	BW_SIGNATURE_CUT,	   /* it is cut off */
	BW_SIGNATURE_TAMPERED,	   /* the policy is not what was signed, or the signature itself was changed */
	BW_SIGNATURE_POLICY_CUT,   /* ... because it is cut off */
	BW_SIGNATURE_UNTRUSTED,	   /* nobody trusted has signed it, or too few */
	BW_SIGNATURE_CERT_EXPIRED, /* a signer would be trusted, but the certificate has expired */
	BW_SIGNATURE_CERT_EARLY,   /* ... or is not valid yet */
	BW_SIGNATURE_WEAK,	   /* a short key or an old hash */
	BW_SIGNATURE_NOT_A_POLICY, /* signed, but no policy */
	BW_SIGNATURE_NO_SERIAL,	   /* a signed policy needs a serial: without one it could be put back any time */
	BW_SIGNATURE_EXPIRED,	   /* the policy says that its time is over */
	BW_SIGNATURE_ROLLBACK,	   /* a later one was accepted before */
	BW_SIGNATURE_TWIN,	   /* another policy with this serial was accepted before */
	BW_SIGNATURES
};

/* "accepted", "rolled back", "policy expired", ...; "?" for none of them. */
const char *bw_signature_name(enum bw_signature verdict);

/* What was accepted last: kept by who verifies. All zero: nothing yet. */
struct bw_signature_state {
	uint64_t serial;
	uint8_t sha256[32];
};

struct bw_signature_result {
	enum bw_signature verdict;
	char signers[512];     /* subjects of the trusted signers, "; " between; else of those that are not */
	char detail[256];      /* one line for people: what exactly is wrong; "" when nothing is */
	unsigned int trusted;  /* how many */
	struct bw_signature_state state; /* to keep when it is accepted */
};

/*
 * Signs @text. @certs and @keys are @n PEM texts each (a certificate may be followed by its intermediates). Returns 0 and
 * *ret_pem, which the caller frees; -EINVAL, -EKEYREJECTED (a key that does not belong to its certificate) with one line in
 * @why; -ENOMEM.
 */
int bw_policy_sign(struct bw_slice text, const struct bw_slice *certs, const struct bw_slice *keys, unsigned int n,
		   char **ret_pem, size_t *ret_len, char *why, size_t why_len);

/*
 * Checks @signature (PEM or DER, untrusted) on @text against the certificates in @trusted (PEM, one or more), at the time
 * @now (seconds since 1970). @min_signers 0 means 1. @state may be NULL: no rollback is noticed. Returns 0 with the verdict,
 * -EINVAL when @trusted has no certificate, -ENOMEM.
 */
int bw_policy_verify(struct bw_slice text, struct bw_slice signature, struct bw_slice trusted, int64_t now,
		     unsigned int min_signers, const struct bw_signature_state *state, struct bw_signature_result *ret);

/* The state as one line of JSON, and back. The buffer has room for BW_SIGNATURE_STATE_MAX bytes. -EBADMSG. */
#define BW_SIGNATURE_STATE_MAX 160u
void bw_signature_state_write(const struct bw_signature_state *s, char *dst);
int bw_signature_state_read(const char *text, size_t len, struct bw_signature_state *ret);

#endif
