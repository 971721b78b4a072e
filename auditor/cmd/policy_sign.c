// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* bpfwarden policy sign and policy verify: detached CMS signatures on policies (common/policy_sign.h). */
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <time.h>

#include "auditor/cmd/policy_common.h"
#include "auditor/commands.h"
#include "common/buf.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/opts.h"
#include "common/policy_sign.h"
#include "common/term.h"

#define MAX_PEM (1u << 20)

struct inputs {
	char *data[2 * BW_MAX_SIGNERS];
	struct bw_slice certs[BW_MAX_SIGNERS], keys[BW_MAX_SIGNERS];
};

static void inputs_release(struct inputs *in)
{
	for (size_t i = 0; i < ARRAY_SIZE(in->data); i++) {
		if (in->data[i])
			explicit_bzero(in->data[i], strlen(in->data[i]));
		free(in->data[i]);
	}
}

static int read_text(const char *path, size_t max, char **ret, size_t *ret_len)
{
	int r = bw_file_read(path, max, ret, ret_len);

	if (r < 0)
		bw_err("%s: %s", path, strerror(-r));
	return r;
}

static const char *signature_path(const char *given, const char *policy, char *buf, size_t size)
{
	if (given)
		return given;
	snprintf(buf, size, "%s.p7s", policy);
	return buf;
}

static int sign(const char *policy, const struct bw_strlist *certs, const struct bw_strlist *keys, const char *output)
{
	BW_CLEANUP(inputs_release) struct inputs in = { 0 };
	_cleanup_policy_ struct bw_policy *p = NULL;
	_cleanup_free_ char *text = NULL, *pem = NULL;
	char why[256];
	size_t len, pem_len;
	int r;

	/* What is signed is a policy, with a number that the next one can exceed. */
	if (policy_load(policy, &p) < 0 || read_text(policy, BW_MAX_POLICY_SIZE, &text, &len) < 0)
		return BW_EXIT_INPUT;
	if (!p->serial) {
		bw_err("%s: it has no \"serial\"; without one it could be put back after the next one", policy);
		return BW_EXIT_INPUT;
	}
	for (unsigned int i = 0; i < certs->n; i++) {
		size_t n;

		if (read_text(certs->items[i], MAX_PEM, &in.data[2 * i], &n) < 0)
			return BW_EXIT_INPUT;
		in.certs[i] = bw_slice(in.data[2 * i], n);
		if (read_text(keys->items[i], MAX_PEM, &in.data[2 * i + 1], &n) < 0)
			return BW_EXIT_INPUT;
		in.keys[i] = bw_slice(in.data[2 * i + 1], n);
	}
	r = bw_policy_sign(bw_slice(text, len), in.certs, in.keys, certs->n, &pem, &pem_len, why, sizeof(why));
	if (r < 0) {
		bw_err("%s", why[0] ? why : strerror(-r));
		return r == -ENOMEM ? BW_EXIT_INTERNAL : BW_EXIT_INPUT;
	}
	r = bw_file_write_atomic(output, pem, pem_len, 0644);
	if (r < 0) {
		bw_err("%s: %s", output, strerror(-r));
		return BW_EXIT_INPUT;
	}
	printf("%s: serial %" PRIu64 " signed by %u key%s, %s\n", policy, p->serial, certs->n, certs->n == 1 ? "" : "s", output);
	return BW_EXIT_OK;
}

int cmd_policy_sign(int argc, char **argv)
{
	BW_CLEANUP(bw_strlist_free) struct bw_strlist certs = { 0 }, keys = { 0 };
	const char *output = NULL;
	char path[PATH_MAX];
	const struct bw_opt opts[] = {
		{ BW_OPT_LIST, 0, "cert", &certs, "FILE", "certificate of the signer, PEM (repeatable, each with its --key)" },
		{ BW_OPT_LIST, 0, "key", &keys, "FILE", "its private key, PEM: RSA from 2048 bits, or ECDSA" },
		{ BW_OPT_STRING, 'o', "output", &output, "FILE", "the signature; default: POLICY.p7s" },
		BW_OPTS_HELP_ROW,
		{ 0 },
	};
	static const struct bw_command cmd = { "bpfwarden policy sign", "POLICY", "Signs a policy.",
					       "Writes a detached CMS signature. To rotate a key, sign with the old and the new one "
					       "until every host trusts\nthe new one. The policy needs a serial; each release a higher "
					       "one." };
	int n, r;

	r = bw_opts_parse(&cmd, opts, argc, argv, &n);
	if (r)
		return r < 0 ? BW_EXIT_INPUT : BW_EXIT_OK;
	if (n != 1 || !certs.n || certs.n != keys.n || certs.n > BW_MAX_SIGNERS) {
		bw_err("policy sign needs one policy, and as many --cert as --key (at most %u)", BW_MAX_SIGNERS);
		return BW_EXIT_INPUT;
	}
	return sign(argv[1], &certs, &keys, signature_path(output, argv[1], path, sizeof(path)));
}

/* A state that cannot be read is no reason to accept an old policy. */
static int read_state(const char *path, struct bw_signature_state *ret)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = bw_file_read(path, BW_SIGNATURE_STATE_MAX, &text, &len);

	if (r == -ENOENT) {
		*ret = (struct bw_signature_state){ 0 };
		return 0;
	}
	if (!r)
		r = bw_signature_state_read(text, len, ret);
	if (r < 0)
		bw_err("%s: %s", path, r == -EBADMSG || r == -EFBIG ? "is not what was written there" : strerror(-r));
	return r;
}

/* Returns an exit status. */
static int verify(const char *policy, const char *signature, const char *trust, const char *state_path, unsigned int signers,
		  int64_t now)
{
	_cleanup_free_ char *text = NULL, *sig = NULL, *certs = NULL;
	struct bw_signature_state state = { 0 };
	struct bw_signature_result res;
	size_t len, sig_len, certs_len;
	char line[BW_SIGNATURE_STATE_MAX];
	int r;

	if (read_text(policy, BW_MAX_POLICY_SIZE, &text, &len) < 0 || read_text(trust, MAX_PEM, &certs, &certs_len) < 0 ||
	    read_text(signature, BW_MAX_SIGNATURE_SIZE, &sig, &sig_len) < 0 || (state_path && read_state(state_path, &state) < 0))
		return BW_EXIT_INPUT;
	r = bw_policy_verify(bw_slice(text, len), bw_slice(sig, sig_len), bw_slice(certs, certs_len), now, signers,
			     state_path ? &state : NULL, &res);
	if (r < 0) {
		bw_err("%s: %s", r == -EINVAL ? trust : policy, r == -EINVAL ? "no certificate in PEM form" : strerror(-r));
		return r == -EINVAL ? BW_EXIT_INPUT : BW_EXIT_INTERNAL;
	}
	if (res.verdict != BW_SIGNATURE_OK) {
		fprintf(stderr, "%s: refused, %s: ", policy, bw_signature_name(res.verdict));
		term_str(stderr, res.detail);
		fputc('\n', stderr);
		return BW_EXIT_FINDINGS;
	}
	if (state_path) {
		bw_signature_state_write(&res.state, line);
		r = bw_file_write_atomic(state_path, line, strlen(line), 0600);
		if (r < 0) {
			bw_err("%s: %s", state_path, strerror(-r));
			return BW_EXIT_INPUT;
		}
	}
	printf("%s: serial %" PRIu64 ", signed by ", policy, res.state.serial);
	term_str(stdout, res.signers);
	putchar('\n');
	return BW_EXIT_OK;
}

int cmd_policy_verify(int argc, char **argv)
{
	const char *signature = NULL, *trust = NULL, *state = NULL, *at = NULL;
	unsigned int signers = 1;
	char path[PATH_MAX];
	const struct bw_opt opts[] = {
		{ BW_OPT_STRING, 0, "trust", &trust, "FILE", "certificates of signers or their authorities, PEM, one or more" },
		{ BW_OPT_STRING, 0, "signature", &signature, "FILE", "the signature, PEM or DER; default: POLICY.p7s" },
		{ BW_OPT_STRING, 0, "state", &state, "FILE",
		  "remember the serial there, and refuse a lower one (or another policy with the same)" },
		{ BW_OPT_UINT, 0, "signers", &signers, "N", "so many trusted signers are needed; default 1" },
		{ BW_OPT_STRING, 0, "at", &at, "TIME", "as if it were that time, 2026-01-31T12:00:00Z" },
		BW_OPTS_HELP_ROW,
		{ 0 },
	};
	static const struct bw_command cmd = { "bpfwarden policy verify", "POLICY", "Checks the signature on a policy.",
					       "Exit status 0 when it is accepted; 1 when it is refused, with the reason: cut off, "
					       "tampered with, not trusted,\nexpired, rolled back and others; 2 when something could "
					       "not be read." };
	int64_t now = time(NULL);
	int n, r;

	r = bw_opts_parse(&cmd, opts, argc, argv, &n);
	if (r)
		return r < 0 ? BW_EXIT_INPUT : BW_EXIT_OK;
	if (n != 1 || !trust || !signers) {
		bw_err("policy verify needs one policy, --trust, and at least one signer");
		return BW_EXIT_INPUT;
	}
	if (at) {
		struct tm tm = { 0 };
		const char *end = strptime(at, "%Y-%m-%dT%H:%M:%SZ", &tm);

		if (!end || *end) {
			bw_err("--at takes a time like 2026-01-31T12:00:00Z, not \"%s\"", at);
			return BW_EXIT_INPUT;
		}
		now = timegm(&tm);
	}
	return verify(argv[1], signature_path(signature, argv[1], path, sizeof(path)), trust, state, signers, now);
}
