// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* bpfwarden policy remove: takes entries, or single identities of them, out of a policy; the rest of the text stays. */
#include <string.h>

#include "auditor/cmd/policy_common.h"
#include "auditor/commands.h"
#include "auditor/policy_edit.h"
#include "common/buf.h"
#include "common/log.h"
#include "common/opts.h"

static uint32_t find_entry(const struct bw_policy *p, const char *id)
{
	uint32_t i = 0;

	while (i < p->n_programs && strcmp(p->programs[i].id, id))
		i++;
	return i;
}

static bool is_hex(const uint8_t *data, size_t len, const char *text)
{
	char one[3];

	for (size_t i = 0; i < len; i++) {
		snprintf(one, sizeof(one), "%02x", data[i]);
		if (strncmp(one, text + 2 * i, 2))
			return false;
	}
	return !text[2 * len];
}

/* Takes @digest (a load digest or canonical identity) out of entry @i. Returns 1 when it was the last that it had. */
static int remove_identity(struct policy_file *f, uint32_t i, const char *digest)
{
	const struct bw_policy_program *e = &f->policy->programs[i];
	char path[64];

	for (uint32_t k = 0; k < e->n_digests; k++)
		if (is_hex(e->digests[k], BW_DIGEST_LEN, digest)) {
			if (e->n_digests == 1)
				return 1;
			snprintf(path, sizeof(path), "programs[%u].digests", i);
			return policy_edit_remove(&f->text, path, k);
		}
	for (uint32_t k = 0; k < e->n_canonicals; k++)
		if (is_hex(e->canonicals[k].identity, BW_POLICY_CANONICAL_LEN, digest)) {
			if (e->n_canonicals == 1)
				return 1;
			snprintf(path, sizeof(path), "programs[%u].canonical", i);
			return policy_edit_remove(&f->text, path, k);
		}
	return -ENOENT;
}

int cmd_policy_remove(int argc, char **argv)
{
	BW_CLEANUP(policy_file_release) struct policy_file f = POLICY_FILE_NONE;
	const char *path = POLICY_DEFAULT_FILE, *digest = NULL;
	const struct bw_opt opts[] = {
		{ BW_OPT_STRING, 0, "policy", &path, "FILE", "the policy to change; default " POLICY_DEFAULT_FILE },
		{ BW_OPT_STRING, 0, "digest", &digest, "HEX",
		  "take only this load digest or canonical identity out of the entry" },
		BW_OPTS_HELP_ROW,
		{ 0 },
	};
	static const struct bw_command cmd = { "bpfwarden policy remove", "ID...", "Takes entries out of a policy.",
					       "Nothing is written unless all of them are there. \"policy diff\" shows what it "
					       "would have changed." };
	int n, r;

	r = bw_opts_parse(&cmd, opts, argc, argv, &n);
	if (r)
		return r < 0 ? BW_EXIT_INPUT : BW_EXIT_OK;
	if (!n || (digest && n != 1)) {
		bw_err(n ? "--digest goes with one ID" : "policy remove needs the ID of an entry");
		return BW_EXIT_INPUT;
	}
	if (policy_file_open(&f, path, NULL) < 0)
		return BW_EXIT_INPUT;
	for (int i = 1; i <= n; i++) {
		uint32_t at = find_entry(f.policy, argv[i]);

		if (at == f.policy->n_programs) {
			bw_err("%s: no entry \"%s\"; the file is as it was", path, argv[i]);
			return BW_EXIT_INPUT;
		}
		r = digest ? remove_identity(&f, at, digest) : policy_edit_remove(&f.text, "programs", at);
		if (r > 0) {
			bw_err("%s: \"%s\" has no other: remove the entry", path, argv[i]);
			return BW_EXIT_INPUT;
		}
		if (r == -ENOENT) {
			bw_err("%s: \"%s\" does not have %s", path, argv[i], digest);
			return BW_EXIT_INPUT;
		}
		if (!r)
			r = policy_file_parse(&f);
		if (r < 0)
			return BW_EXIT_INTERNAL;
	}
	if (policy_file_write(&f) < 0)
		return BW_EXIT_INPUT;
	policy_file_warnings(&f);
	for (int i = 1; i <= n; i++)
		printf("%s: %s\n", argv[i], digest ? "identity removed" : "removed");
	return BW_EXIT_OK;
}
