// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "guard/enforce.h"
#include "guard/guard.h"
#include "guard/loader.h"
#include "guard/policies.h"

struct arm {
	enum bw_mode mode;
	struct enforce *enforce;
};

static const struct btf *on_btf(void *arg)
{
	const struct arm *a = arg;

	return enforce_btf(a->enforce);
}

static int on_install(void *arg, const struct policy_loaded *p, const char *name, char *why, size_t why_len)
{
	const struct arm *a = arg;
	int r = enforce_swap(a->enforce, &p->pack.image, a->mode);

	if (r < 0)
		snprintf(why, why_len, "%s: cannot be put into the kernel: %s", name, strerror(-r));
	return r;
}

static void on_swapped(void *arg)
{
}

/* There is nobody yet to tell. The service reads the same policy, and says it then. */
static void on_say(void *arg, const char *event, enum alert_severity severity, const struct alert_kv *kv, const char *text)
{
}

/* Programs that are there before the guard keep working. */
static int keep_baseline(struct enforce *e, char *why, size_t why_len)
{
	_cleanup_free_ struct enforce_baseline *list = NULL;
	size_t n;
	int r = enforce_baseline(e, &list, &n);

	if (r < 0)
		snprintf(why, why_len, "listing the programs that are loaded: %s", strerror(-r));
	return r;
}

/* The kernel side, and the policy in it. */
static int put(const struct loader_config *lc, struct arm *a, struct policies *policies, char *why, size_t why_len)
{
	struct loader *l = NULL;
	int r = loader_open(lc, &l, why, why_len);

	if (r < 0)
		return r;
	r = enforce_open(l, &a->enforce);
	if (r < 0)
		snprintf(why, why_len, "reading the kernel's BTF: %s", strerror(-r));
	/* Without addresses of helpers rules about them match by name only: the service says so. */
	if (!r && !bw_feature(lc->features, BW_FEATURE_LOAD_HOOK))
		enforce_helper_table(a->enforce);
	if (!r && !loader_adopted(l))
		r = keep_baseline(a->enforce, why, why_len);
	if (!r)
		r = policies_start(policies, why, why_len);
	if (!r) {
		r = loader_own(l);
		if (r < 0)
			snprintf(why, why_len, "protecting the guard's objects: %s", strerror(-r));
	}
	if (!r)
		loader_remove_others(l);
	else if (!loader_adopted(l))
		loader_discard(l);
	enforce_free(a->enforce);
	loader_free(l);
	return r;
}

int guard_arm(const struct config *config, const struct bw_features *features, char *why, size_t why_len)
{
	struct arm a = { .mode = config->mode };
	const struct policies_ops ops = { on_btf, on_install, on_swapped, on_say, &a };
	struct policies *policies = NULL;
	struct loader_config lc = {
		.features = features,
		.persistent = true,
		.pin_dir = config->pin_dir ? config->pin_dir : LOADER_PIN_DIR,
		.protect = config->protect_self,
	};
	char because[400];
	int r;

	lc.tier = bw_features_tier(features, &lc.mechanism, because, sizeof(because));
	if (lc.tier != BW_TIER_ENFORCE) {
		snprintf(why, why_len, "only the %s tier works on this host, because %s", bw_tier_name(lc.tier), because);
		return -EPERM;
	}
	if (!bw_feature(features, BW_FEATURE_BPFFS)) {
		snprintf(why, why_len, "without a BPF file system nothing stays in the kernel");
		return -EPERM;
	}
	r = policies_open(config, &ops, &policies, why, why_len);
	/* A mistake in the policy is said before the kernel is touched. */
	if (!r)
		r = policies_check(policies, why, why_len);
	if (!r)
		r = put(&lc, &a, policies, why, why_len);
	policies_close(policies);
	return r;
}
