// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "auditor/cmd/inventory_approval.h"

#include <string.h>

#include "common/log.h"
#include "common/policy.h"

struct approvals {
	struct bw_policy *policy;
};

int approvals_read(const char *path, struct approvals **ret)
{
	_cleanup_free_ struct approvals *a = calloc(1, sizeof(*a));
	struct bw_policy_error error;
	char line[1024];
	int r;

	if (!a)
		return -ENOMEM;
	r = bw_policy_read(path, &a->policy, &error);
	if (r < 0) {
		bw_err("%s", bw_policy_error_format(&error, path, line, sizeof(line)));
		return r;
	}
	*ret = TAKE_PTR(a);
	return 0;
}

void approvals_free(struct approvals *a)
{
	if (a)
		bw_policy_free(a->policy);
	free(a);
}

/* By the kernel's tag: of a program that is loaded nothing else is left of what was given to it. */
const char *approvals_of(const struct approvals *a, const struct inv_object *prog)
{
	bool digests_only = false;

	for (uint32_t i = 0; i < a->policy->n_programs; i++) {
		const struct bw_policy_program *p = &a->policy->programs[i];

		if (p->type != prog->type)
			continue;
		digests_only |= !p->n_tags;
		for (uint32_t k = 0; k < p->n_tags; k++)
			if (!memcmp(p->tags[k].tag, prog->prog.tag, INV_TAG_LEN))
				return "approved";
		/* The digest of a program without map values begins with the tag that 6.18 and later give it. */
		for (uint32_t k = 0; k < p->n_digests; k++)
			if (!memcmp(p->digests[k], prog->prog.tag, INV_TAG_LEN))
				return "approved";
	}
	return digests_only ? "unknown" : "unapproved";
}
