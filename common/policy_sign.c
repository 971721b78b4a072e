// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "common/policy_sign.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/cms.h> /* after pem.h: only then it declares its PEM functions */
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/policy.h"

static void bio_freep(BIO **b)
{
	BIO_free(*b);
}

static void cms_freep(CMS_ContentInfo **c)
{
	CMS_ContentInfo_free(*c);
}

static void key_freep(EVP_PKEY **k)
{
	EVP_PKEY_free(*k);
}

static void certs_freep(STACK_OF(X509) **s)
{
	sk_X509_pop_free(*s, X509_free);
}

static void store_freep(X509_STORE **s)
{
	X509_STORE_free(*s);
}

/* OpenSSL keeps errors per thread: nothing of ours may be left for the next. */
static void errors_clear(const int *unused)
{
	ERR_clear_error();
}
#define SCOPED_ERRORS BW_CLEANUP(errors_clear) __attribute__((unused)) int errors_ = 0

static BIO *bio_of(struct bw_slice s)
{
	return s.len > INT_MAX ? NULL : BIO_new_mem_buf(s.len ? (const void *)s.data : "", (int)s.len);
}

static STACK_OF(X509) *read_certs(struct bw_slice pem)
{
	BW_CLEANUP(bio_freep) BIO *bio = bio_of(pem);
	STACK_OF(X509) *list = sk_X509_new_null();
	X509 *cert;

	while (bio && list && (cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)))
		if (!sk_X509_push(list, cert)) {
			X509_free(cert);
			break;
		}
	ERR_clear_error();
	return list;
}

static void set_why(char *why, size_t len, const char *what)
{
	unsigned long e = ERR_peek_last_error();
	const char *reason = e ? ERR_reason_error_string(e) : NULL;

	snprintf(why, len, "%s%s%s", what, reason ? ": " : "", reason ? reason : "");
}

/* ---- signing ---- */

static int add_signer(CMS_ContentInfo *cms, struct bw_slice cert_pem, struct bw_slice key_pem, char *why, size_t why_len)
{
	BW_CLEANUP(certs_freep) STACK_OF(X509) *certs = read_certs(cert_pem);
	BW_CLEANUP(bio_freep) BIO *bio = bio_of(key_pem);
	BW_CLEANUP(key_freep) EVP_PKEY *key = NULL;
	X509 *cert;

	if (!certs || !bio)
		return -ENOMEM;
	cert = sk_X509_value(certs, 0);
	if (!cert) {
		snprintf(why, why_len, "no certificate in PEM form");
		return -EINVAL;
	}
	key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	if (!key) {
		set_why(why, why_len, "no private key in PEM form");
		return -EINVAL;
	}
	if (X509_check_private_key(cert, key) != 1) {
		snprintf(why, why_len, "the key does not belong to the certificate");
		return -EKEYREJECTED;
	}
	if (!CMS_add1_signer(cms, cert, key, EVP_sha256(), CMS_BINARY | CMS_NOSMIMECAP)) {
		set_why(why, why_len, "this key cannot sign");
		return -EINVAL;
	}
	for (int i = 1; i < sk_X509_num(certs); i++)
		if (!CMS_add1_cert(cms, sk_X509_value(certs, i)))
			return -ENOMEM;
	return 0;
}

int bw_policy_sign(struct bw_slice text, const struct bw_slice *certs, const struct bw_slice *keys, unsigned int n,
		   char **ret_pem, size_t *ret_len, char *why, size_t why_len)
{
	const unsigned int flags = CMS_PARTIAL | CMS_DETACHED | CMS_BINARY;
	BW_CLEANUP(bio_freep) BIO *content = bio_of(text);
	BW_CLEANUP(bio_freep) BIO *out = BIO_new(BIO_s_mem());
	BW_CLEANUP(cms_freep) CMS_ContentInfo *cms = NULL;
	SCOPED_ERRORS;
	char *data;
	long len;
	int r = 0;

	why[0] = 0;
	if (!n || n > BW_MAX_SIGNERS) {
		snprintf(why, why_len, "%u signers", n);
		return -EINVAL;
	}
	cms = CMS_sign(NULL, NULL, NULL, content, flags);
	if (!content || !out || !cms)
		return -ENOMEM;
	for (unsigned int i = 0; i < n; i++)
		for (unsigned int k = 0; k < i; k++)
			if (certs[i].len == certs[k].len && !memcmp(certs[i].data, certs[k].data, certs[i].len)) {
				snprintf(why, why_len, "the same certificate twice");
				return -EINVAL;
			}
	for (unsigned int i = 0; i < n && !r; i++)
		r = add_signer(cms, certs[i], keys[i], why, why_len);
	if (r < 0)
		return r;
	if (CMS_final(cms, content, NULL, flags) != 1) {
		set_why(why, why_len, "signing failed");
		return -EINVAL;
	}
	if (PEM_write_bio_CMS(out, cms) != 1)
		return -ENOMEM;
	len = BIO_get_mem_data(out, &data);
	*ret_pem = malloc((size_t)len + 1);
	if (!*ret_pem)
		return -ENOMEM;
	memcpy(*ret_pem, data, (size_t)len);
	(*ret_pem)[len] = 0;
	*ret_len = (size_t)len;
	return 0;
}

/* ---- verifying ---- */

static int refuse(struct bw_signature_result *ret, enum bw_signature verdict, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static int refuse(struct bw_signature_result *ret, enum bw_signature verdict, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(ret->detail, sizeof(ret->detail), fmt, ap);
	va_end(ap);
	ret->verdict = verdict;
	return 0;
}

/* DER begins with its own length: a file shorter than that is cut off. */
static bool der_is_cut(struct bw_slice s)
{
	uint64_t len;
	unsigned int n;

	if (s.len < 2 || s.data[0] != 0x30)
		return false;
	if (s.data[1] < 0x80)
		return s.data[1] > s.len - 2;
	n = s.data[1] & 0x7f;
	if (n == 0 || n > 4)
		return false;
	if (n > s.len - 2)
		return true;
	len = 0;
	for (unsigned int i = 0; i < n; i++)
		len = len << 8 | s.data[2 + i];
	return len > s.len - 2 - n;
}

static bool contains(struct bw_slice s, const char *text)
{
	return memmem(s.data, s.len, text, strlen(text)) != NULL;
}

static CMS_ContentInfo *read_cms(struct bw_slice s, bool *ret_cut)
{
	BW_CLEANUP(bio_freep) BIO *bio = bio_of(s);
	CMS_ContentInfo *cms = NULL;

	*ret_cut = false;
	if (!bio)
		return NULL;
	if (contains(s, "-----BEGIN CMS-----")) {
		cms = PEM_read_bio_CMS(bio, NULL, NULL, NULL);
		*ret_cut = !cms && !contains(s, "-----END CMS-----");
	} else if (s.len && s.data[0] == 0x30) {
		cms = d2i_CMS_bio(bio, NULL);
		*ret_cut = !cms && der_is_cut(s);
	}
	return cms;
}

static void subject_of(X509 *cert, char *dst, size_t size)
{
	X509_NAME_oneline(X509_get_subject_name(cert), dst, (int)size);
	for (char *p = dst; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
}

static void add_signer_name(struct bw_signature_result *ret, X509 *cert)
{
	size_t len = strlen(ret->signers);
	char name[256];

	subject_of(cert, name, sizeof(name));
	snprintf(ret->signers + len, sizeof(ret->signers) - len, "%s%s", len ? "; " : "", name);
}

/* Why a signer is not to be trusted at @now; X509_V_OK when it is. */
static int check_cert(X509_STORE *store, STACK_OF(X509) *others, X509 *cert, int64_t now)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	int result = X509_V_ERR_UNSPECIFIED;

	if (ctx && X509_STORE_CTX_init(ctx, store, cert, others) == 1) {
		X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);

		/* A pinned certificate is an anchor as good as an authority; nothing below 2048 bits of RSA or SHA-256. */
		X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
		X509_VERIFY_PARAM_set_time(param, (time_t)now);
		X509_VERIFY_PARAM_set_auth_level(param, 2);
		result = X509_verify_cert(ctx) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(ctx);
		if (result == X509_V_OK && !(X509_get_key_usage(cert) & KU_DIGITAL_SIGNATURE))
			result = X509_V_ERR_INVALID_PURPOSE;
	}
	X509_STORE_CTX_free(ctx);
	return result;
}

static bool is_weak_error(int e)
{
	return e == X509_V_ERR_EE_KEY_TOO_SMALL || e == X509_V_ERR_CA_KEY_TOO_SMALL || e == X509_V_ERR_CA_MD_TOO_WEAK;
}

static bool hash_is_good(CMS_SignerInfo *si)
{
	X509_ALGOR *digest = NULL;
	const ASN1_OBJECT *oid;
	int nid;

	CMS_SignerInfo_get0_algs(si, NULL, NULL, &digest, NULL);
	X509_ALGOR_get0(&oid, NULL, NULL, digest);
	nid = OBJ_obj2nid(oid);
	return nid == NID_sha256 || nid == NID_sha384 || nid == NID_sha512;
}

/* Counts the trusted signers; the verdict is that of the nearest miss when there are too few. */
static int check_signers(CMS_ContentInfo *cms, X509_STORE *store, int64_t now, unsigned int min_signers,
			 struct bw_signature_result *ret)
{
	STACK_OF(CMS_SignerInfo) *list = CMS_get0_SignerInfos(cms);
	BW_CLEANUP(certs_freep) STACK_OF(X509) *others = CMS_get1_certs(cms);
	X509 *seen[BW_MAX_SIGNERS];
	unsigned int n_seen = 0;
	enum bw_signature miss = BW_SIGNATURE_UNTRUSTED;
	char who[256] = "nobody", when[64] = "";

	for (int i = 0; i < sk_CMS_SignerInfo_num(list) && i < (int)BW_MAX_SIGNERS; i++) {
		CMS_SignerInfo *si = sk_CMS_SignerInfo_value(list, i);
		X509 *cert = NULL;
		bool again = false;
		int e;

		CMS_SignerInfo_get0_algs(si, NULL, &cert, NULL, NULL);
		if (!cert)
			continue;
		e = check_cert(store, others, cert, now);
		for (unsigned int k = 0; k < n_seen; k++)
			again |= !X509_cmp(seen[k], cert);
		if (again)
			continue;
		seen[n_seen++] = cert;
		if (e == X509_V_OK && hash_is_good(si)) {
			if (!ret->trusted)
				ret->signers[0] = 0;
			ret->trusted++;
			add_signer_name(ret, cert);
			continue;
		}
		if (!ret->trusted)
			add_signer_name(ret, cert);
		/* Of several misses the one that is nearest to being trusted says most. */
		if (e == X509_V_ERR_CERT_HAS_EXPIRED || e == X509_V_ERR_CERT_NOT_YET_VALID) {
			BW_CLEANUP(bio_freep) BIO *b = BIO_new(BIO_s_mem());
			int len = 0;

			miss = e == X509_V_ERR_CERT_HAS_EXPIRED ? BW_SIGNATURE_CERT_EXPIRED : BW_SIGNATURE_CERT_EARLY;
			subject_of(cert, who, sizeof(who));
			if (b && ASN1_TIME_print(b, e == X509_V_ERR_CERT_HAS_EXPIRED ? X509_get0_notAfter(cert) :
										     X509_get0_notBefore(cert)))
				len = BIO_read(b, when, sizeof(when) - 1);
			when[len > 0 ? len : 0] = 0;
		} else if (miss == BW_SIGNATURE_UNTRUSTED) {
			subject_of(cert, who, sizeof(who));
			if (e == X509_V_OK || is_weak_error(e))
				miss = BW_SIGNATURE_WEAK;
		}
	}
	if (ret->trusted >= min_signers)
		return refuse(ret, BW_SIGNATURE_OK, "%s", "");
	if (ret->trusted)
		return refuse(ret, BW_SIGNATURE_UNTRUSTED, "%u trusted signer%s, %u are required", ret->trusted,
			      ret->trusted == 1 ? "" : "s", min_signers);
	switch (miss) {
	case BW_SIGNATURE_CERT_EXPIRED:
		return refuse(ret, miss, "the certificate of %.120s expired on %s", who, when);
	case BW_SIGNATURE_CERT_EARLY:
		return refuse(ret, miss, "the certificate of %.120s is valid from %s on", who, when);
	case BW_SIGNATURE_WEAK:
		return refuse(ret, miss, "%.120s signed with a key or hash that is too weak (RSA from 2048 bits, SHA-256)", who);
	default:
		return refuse(ret, BW_SIGNATURE_UNTRUSTED, "signed by %.120s, whom no trusted certificate vouches for", who);
	}
}

static X509_STORE *store_of(STACK_OF(X509) *certs)
{
	X509_STORE *store = X509_STORE_new();

	for (int i = 0; store && i < sk_X509_num(certs); i++)
		X509_STORE_add_cert(store, sk_X509_value(certs, i));
	return store;
}

/* What the policy itself says: its serial, its end. */
static int check_policy(struct bw_slice text, int64_t now, const struct bw_signature_state *state,
			struct bw_signature_result *ret)
{
	_cleanup_policy_ struct bw_policy *p = NULL;
	struct bw_policy_error error;
	unsigned int len = sizeof(ret->state.sha256);
	char when[32];
	time_t t;
	struct tm tm;
	int r = bw_policy_parse((const char *)text.data, text.len, &p, &error);

	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		char line[600];

		return refuse(ret, BW_SIGNATURE_NOT_A_POLICY, "%.200s", bw_policy_error_format(&error, "policy", line, sizeof(line)));
	}
	if (!p->serial)
		return refuse(ret, BW_SIGNATURE_NO_SERIAL, "it has no \"serial\": it could be put back any time");
	if (p->expires && now > p->expires) {
		t = (time_t)p->expires;
		strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &tm));
		return refuse(ret, BW_SIGNATURE_EXPIRED, "its time was over at %s", when);
	}
	if (EVP_Digest(text.data, text.len, ret->state.sha256, &len, EVP_sha256(), NULL) != 1)
		return -ENOMEM;
	ret->state.serial = p->serial;
	if (state && state->serial > p->serial)
		return refuse(ret, BW_SIGNATURE_ROLLBACK, "serial %" PRIu64 ", but %" PRIu64 " was accepted before", p->serial,
			      state->serial);
	if (state && state->serial == p->serial && memcmp(state->sha256, ret->state.sha256, sizeof(state->sha256)))
		return refuse(ret, BW_SIGNATURE_TWIN, "another policy with serial %" PRIu64 " was accepted before", p->serial);
	return 0;
}

int bw_policy_verify(struct bw_slice text, struct bw_slice signature, struct bw_slice trusted, int64_t now,
		     unsigned int min_signers, const struct bw_signature_state *state, struct bw_signature_result *ret)
{
	BW_CLEANUP(certs_freep) STACK_OF(X509) *certs = read_certs(trusted);
	BW_CLEANUP(store_freep) X509_STORE *store = store_of(certs);
	BW_CLEANUP(bio_freep) BIO *content = bio_of(text);
	BW_CLEANUP(cms_freep) CMS_ContentInfo *cms = NULL;
	SCOPED_ERRORS;
	bool cut = false;
	int r;

	memset(ret, 0, sizeof(*ret));
	if (!certs || !store || !content)
		return -ENOMEM;
	if (!sk_X509_num(certs))
		return -EINVAL;
	cms = read_cms(signature, &cut);
	if (!cms)
		return refuse(ret, cut ? BW_SIGNATURE_CUT : BW_SIGNATURE_NONE,
			      cut ? "the signature is cut off" : "there is no CMS signature in it");
	/* A signature that brings its own content would be verified for that instead of the policy. */
	if (OBJ_obj2nid(CMS_get0_type(cms)) != NID_pkcs7_signed || CMS_is_detached(cms) != 1)
		return refuse(ret, BW_SIGNATURE_NONE, "it is no detached CMS signature");
	if (CMS_verify(cms, certs, NULL, content, NULL, CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY) != 1) {
		struct bw_policy_error error;
		struct bw_policy *p = NULL;

		if (ERR_GET_REASON(ERR_peek_error()) == CMS_R_SIGNER_CERTIFICATE_NOT_FOUND)
			return refuse(ret, BW_SIGNATURE_UNTRUSTED, "signed by somebody whose certificate is not there");
		if (bw_policy_parse((const char *)text.data, text.len, &p, &error) == -EBADMSG &&
		    strstr(error.reason, "too early"))
			return refuse(ret, BW_SIGNATURE_POLICY_CUT, "the policy is cut off");
		bw_policy_free(p);
		return refuse(ret, BW_SIGNATURE_TAMPERED, "the policy is not what was signed, or the signature was changed");
	}
	r = check_signers(cms, store, now, min_signers ? min_signers : 1, ret);
	if (r < 0 || ret->verdict != BW_SIGNATURE_OK)
		return r;
	return check_policy(text, now, state, ret);
}

/* ---- words ---- */

static const char *const verdict_words[BW_SIGNATURES] = {
	[BW_SIGNATURE_OK] = "accepted",
	[BW_SIGNATURE_NONE] = "not signed",
	[BW_SIGNATURE_CUT] = "signature cut off",
	[BW_SIGNATURE_TAMPERED] = "tampered with",
	[BW_SIGNATURE_POLICY_CUT] = "policy cut off",
	[BW_SIGNATURE_UNTRUSTED] = "not trusted",
	[BW_SIGNATURE_CERT_EXPIRED] = "certificate expired",
	[BW_SIGNATURE_CERT_EARLY] = "certificate not valid yet",
	[BW_SIGNATURE_WEAK] = "too weak",
	[BW_SIGNATURE_NOT_A_POLICY] = "not a policy",
	[BW_SIGNATURE_NO_SERIAL] = "no serial",
	[BW_SIGNATURE_EXPIRED] = "policy expired",
	[BW_SIGNATURE_ROLLBACK] = "rolled back",
	[BW_SIGNATURE_TWIN] = "serial used twice",
};

const char *bw_signature_name(enum bw_signature verdict)
{
	return (unsigned int)verdict < BW_SIGNATURES ? verdict_words[verdict] : "?";
}

/* ---- what was accepted ---- */

void bw_signature_state_write(const struct bw_signature_state *s, char *dst)
{
	int n = snprintf(dst, BW_SIGNATURE_STATE_MAX, "{\"serial\":%" PRIu64 ",\"sha256\":\"", s->serial);

	for (size_t i = 0; i < sizeof(s->sha256); i++)
		n += snprintf(dst + n, BW_SIGNATURE_STATE_MAX - (size_t)n, "%02x", s->sha256[i]);
	snprintf(dst + n, BW_SIGNATURE_STATE_MAX - (size_t)n, "\"}\n");
}

int bw_signature_state_read(const char *text, size_t len, struct bw_signature_state *ret)
{
	struct bw_signature_state s = { 0 };
	char copy[BW_SIGNATURE_STATE_MAX], again[BW_SIGNATURE_STATE_MAX], hash[65];

	if (len >= sizeof(copy))
		return -EBADMSG;
	memcpy(copy, text, len);
	copy[len] = 0;
	if (sscanf(copy, "{\"serial\":%" SCNu64 ",\"sha256\":\"%64[0-9a-f]\"}", &s.serial, hash) != 2 || strlen(hash) != 64)
		return -EBADMSG;
	for (size_t i = 0; i < sizeof(s.sha256); i++) {
		const char pair[3] = { hash[2 * i], hash[2 * i + 1], 0 };

		s.sha256[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
	/* Nothing but what was written: a damaged state must not become an old one. */
	bw_signature_state_write(&s, again);
	if (strcmp(copy, again))
		return -EBADMSG;
	*ret = s;
	return 0;
}
