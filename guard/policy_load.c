// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/policy_load.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "common/policy_host.h"
#include "common/sandbox.h"

#define COMPILE_MS 60000u
#define COMPILE_MEMORY (4ull << 30) /* a policy of the largest size */

#define ASK_CONTENT "content:" /* before the path, when it is the contents that are wanted */
#define MAX_CONTENTS 256u      /* files that are read for one policy */

/* A loader's file or its contents, in the order in which the compiler asks. */
struct loader_answer {
	int error;
	uint32_t dev;
	uint64_t ino;
	struct bw_loader_content content;
};

struct job {
	const struct policy_input *in;
	const struct btf *btf;
	const struct loader_answer *answers; /* of an earlier run; NULL in the first */
	uint32_t n_answers;
	/* in the sandbox */
	struct bw_policy_host host;
	struct bw_policy_env names;
	struct bw_buf loaders;
	uint32_t n_loaders;
};

/* ---- in the sandbox ----------------------------------------------------------------------------------------------- */

/* There are no files here. The compiler asks for each path once, and in the same order in each run. */
static int ask_loader(void *ctx, const char *path, uint32_t *ret_dev, uint64_t *ret_ino)
{
	struct job *j = ctx;
	uint32_t i = j->n_loaders++;

	if (!j->answers) {
		bw_buf_append(&j->loaders, path, strlen(path) + 1);
		return -EAGAIN;
	}
	if (i >= j->n_answers)
		return -EINVAL;
	*ret_dev = j->answers[i].dev;
	*ret_ino = j->answers[i].ino;
	return j->answers[i].error;
}

static int ask_content(void *ctx, const char *path, struct bw_loader_content *ret)
{
	struct job *j = ctx;
	uint32_t i = j->n_loaders++;

	if (!j->answers) {
		bw_buf_str(&j->loaders, ASK_CONTENT);
		bw_buf_append(&j->loaders, path, strlen(path) + 1);
		return -EAGAIN;
	}
	if (i >= j->n_answers)
		return -EINVAL;
	*ret = j->answers[i].content;
	return j->answers[i].error;
}

static int ask_target(void *ctx, const char *name, uint32_t prog_type, uint32_t attach_type, uint32_t *ret_btf_id)
{
	struct job *j = ctx;

	return j->names.target(j->names.ctx, name, prog_type, attach_type, ret_btf_id);
}

static int ask_kfunc(void *ctx, const char *name, uint32_t *ret_btf_id)
{
	struct job *j = ctx;

	return j->names.kfunc(j->names.ctx, name, ret_btf_id);
}

static int fail(struct bw_sandbox_out *out, int result, enum bw_signature refused, const char *text)
{
	struct bw_buf bytes = { 0 };

	policy_pack_error(result, refused, text, &bytes);
	return bw_buf_error(&bytes) ? bw_buf_error(&bytes) : bw_sandbox_write(out, bytes.data, bytes.len);
}

/* Who signed it, and may this one follow the last? Returns false after saying why not. */
static bool check_signature(const struct policy_input *in, struct policy_release *ret, struct bw_sandbox_out *out, int *ret_r)
{
	struct bw_signature_state state = { 0 };
	struct bw_signature_result res;
	char line[1000];

	if (in->accepted.len && bw_signature_state_read((const char *)in->accepted.data, in->accepted.len, &state) < 0) {
		snprintf(line, sizeof(line), "%s: what is kept of the policy accepted last is not what was written: it cannot be told whether this one is older",
			 in->name);
		*ret_r = fail(out, -EBADMSG, BW_SIGNATURE_OK, line);
		return false;
	}
	*ret_r = bw_policy_verify(in->text, in->signature, in->trust, in->now, in->min_signers, in->accepted.len ? &state : NULL, &res);
	if (*ret_r == -EINVAL) {
		snprintf(line, sizeof(line), "%s: the file of trusted signers holds no certificate in PEM form", in->name);
		*ret_r = fail(out, -EINVAL, BW_SIGNATURE_OK, line);
		return false;
	}
	if (*ret_r < 0)
		return false;
	if (res.verdict != BW_SIGNATURE_OK) {
		snprintf(line, sizeof(line), "%s: refused, %s: %s", in->name, bw_signature_name(res.verdict), res.detail);
		*ret_r = fail(out, -EKEYREJECTED, res.verdict, line);
		return false;
	}
	ret->trusted = res.trusted;
	snprintf(ret->signers, sizeof(ret->signers), "%s", res.signers);
	return true;
}

static int compile(void *arg, struct bw_sandbox_out *out)
{
	struct job *j = arg;
	const struct bw_policy_env env = {
		.ctx = j,
		.loader = ask_loader,
		.loader_content = ask_content,
		.target = ask_target,
		.kfunc = ask_kfunc,
		.mnt_ns = j->in->mnt_ns,
		.pid_ns = j->in->pid_ns,
		.sees_changes = bw_policy_host_sees_changes(j->btf),
	};
	struct bw_buf bytes = { .max = POLICY_PACK_MAX };
	struct bw_policy_warnings warnings = { 0 };
	struct bw_policy_image image = { 0 };
	struct policy_release release = { 0 };
	unsigned int digest_len = sizeof(release.sha256);
	struct bw_policy_error error;
	struct bw_policy *p = NULL;
	char line[1000];
	int r;

	/* There are no settings of OpenSSL's here, and they are not to decide what is trusted. */
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	if (j->in->must_be_signed && !check_signature(j->in, &release, out, &r))
		return r;
	if (EVP_Digest(j->in->text.data, j->in->text.len, release.sha256, &digest_len, EVP_sha256(), NULL) != 1)
		return -ENOMEM;
	j->loaders.max = POLICY_PACK_MAX;
	j->host.btf = j->btf;
	j->names = bw_policy_host_env(&j->host);
	r = bw_policy_parse((const char *)j->in->text.data, j->in->text.len, &p, &error);
	if (r < 0)
		return fail(out, r, BW_SIGNATURE_OK, bw_policy_error_format(&error, j->in->name, line, sizeof(line)));
	release.serial = p->serial;
	release.expires = p->expires;
	if (j->btf) {
		bw_policy_review(p, &warnings);
		r = bw_policy_compile(p, &env, &image, &warnings);
		if (r < 0)
			return r;
	} else {
		image.conf.n_rules = p->n_rules;
	}
	/* Asked for again with what the first run wanted to know: nothing is wanting then. */
	policy_pack(&release, p, &image, &warnings, &j->loaders, j->answers ? 0 : j->n_loaders, &bytes);
	if (bw_buf_error(&bytes))
		return bw_buf_error(&bytes);
	return bw_sandbox_write(out, bytes.data, bytes.len); /* nothing is freed: the process ends */
}

/* ---- here --------------------------------------------------------------------------------------------------------- */

static int run(struct job *j, struct policy_loaded *ret, enum bw_signature *ret_refused, char *why, size_t why_len)
{
	const char *name = j->in->name;
	const struct bw_sandbox conf = { .wall_ms = COMPILE_MS, .memory = COMPILE_MEMORY, .max_output = POLICY_PACK_MAX };
	char reason[200];
	int r;

	ret->bytes = (struct bw_buf){ .max = POLICY_PACK_MAX };
	r = bw_sandbox_run(&conf, compile, j, &ret->bytes, reason, sizeof(reason));
	if (r < 0) {
		snprintf(why, why_len, "%s: cannot be compiled: %s", name, reason);
	} else {
		r = policy_unpack(bw_slice(ret->bytes.data, ret->bytes.len), &ret->pack);
		if (r < 0)
			snprintf(why, why_len, "%s: the process that compiles it answers nonsense: %s", name, strerror(-r));
		else if (ret->pack.result)
			snprintf(why, why_len, "%s", ret->pack.error);
		if (!r) {
			*ret_refused = ret->pack.refused;
			r = ret->pack.result;
		}
	}
	if (r < 0)
		policy_load_free(ret);
	return r;
}

static struct loader_answer *look_up(const struct policy_pack *pack)
{
	struct bw_policy_host host = { 0 };
	const struct bw_policy_env env = bw_policy_host_env(&host);
	struct loader_answer *answers = calloc((size_t)pack->n_loaders + 1, sizeof(*answers));
	struct bw_slice paths = pack->loaders;
	uint32_t n = 0;

	for (uint32_t i = 0; answers && i < pack->n_loaders; i++) {
		const char *path = policy_pack_string(&paths);

		if (strncmp(path, ASK_CONTENT, strlen(ASK_CONTENT)))
			answers[i].error = env.loader(env.ctx, path, &answers[i].dev, &answers[i].ino);
		else if (n++ < MAX_CONTENTS)
			answers[i].error = env.loader_content(env.ctx, path + strlen(ASK_CONTENT), &answers[i].content);
		else
			answers[i].error = -E2BIG;
	}
	return answers;
}

int policy_load(const struct policy_input *in, const struct btf *btf, struct policy_loaded *ret, enum bw_signature *ret_refused, char *why,
		size_t why_len)
{
	_cleanup_free_ struct loader_answer *answers = NULL;
	struct job j = { .in = in, .btf = btf };
	int r;

	*ret = (struct policy_loaded){ 0 };
	*ret_refused = BW_SIGNATURE_OK;
	r = run(&j, ret, ret_refused, why, why_len);
	if (r < 0 || !ret->pack.n_loaders)
		return r;
	answers = look_up(&ret->pack);
	if (!answers) {
		policy_load_free(ret);
		snprintf(why, why_len, "no memory");
		return -ENOMEM;
	}
	j.answers = answers;
	j.n_answers = ret->pack.n_loaders;
	policy_load_free(ret);
	return run(&j, ret, ret_refused, why, why_len);
}

void policy_load_free(struct policy_loaded *p)
{
	policy_pack_free(&p->pack);
	bw_buf_free(&p->bytes);
}
