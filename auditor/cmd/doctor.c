// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* bpfwarden doctor: what the guard can do on this host, and what stands in the way of more. */
#include <stdio.h>
#include <string.h>

#include "auditor/commands.h"
#include "common/feature.h"
#include "common/json.h"
#include "common/opts.h"

struct diagnosis {
	struct bw_features features;
	enum bw_tier tier;
	enum bw_mechanism mechanism;
	char why[512];
};

/* Which features would lift the host to the next tier. */
static const enum bw_feature_id for_enforce[] = { BW_FEATURE_LSM, BW_FEATURE_FMOD_RET };
static const enum bw_feature_id for_watch[] = { BW_FEATURE_BPF, BW_FEATURE_BTF, BW_FEATURE_RINGBUF, BW_FEATURE_RAW_TP };

static const char *state_name(enum bw_feature_state s)
{
	static const char *const names[] = { "no", "yes", "off" };

	return names[s];
}

static const char *tier_meaning(enum bw_tier tier)
{
	switch (tier) {
	case BW_TIER_ENFORCE:
		return "loads can be refused in the kernel";
	case BW_TIER_WATCH:
		return "loads are seen and reported, nothing can be refused";
	case BW_TIER_BROKER:
		return "programs run by bpfwarden run are judged before they may load";
	default:
		return "static analysis only";
	}
}

static const char *identity_name(const struct diagnosis *d)
{
	if (d->tier == BW_TIER_ENFORCE)
		return bw_feature(&d->features, BW_FEATURE_LOAD_HOOK) ?
			       "load digest (SHA-256), computed in the kernel before verification" :
			       "the kernel's tag (8 bytes) with type and length, when the descriptor is made, and a digest over "
			       "user memory, which another thread could change: weaker";
	if (d->tier == BW_TIER_WATCH)
		return "load digest (SHA-256) over user memory, which another thread could change: weaker";
	return "none";
}

static void print_next(const struct diagnosis *d)
{
	const enum bw_feature_id *ids = d->tier == BW_TIER_WATCH ? for_enforce : for_watch;
	size_t n = d->tier == BW_TIER_WATCH ? ARRAY_SIZE(for_enforce) : ARRAY_SIZE(for_watch);

	if (d->tier == BW_TIER_ENFORCE)
		return;
	printf("\nTo reach the %s tier, %s:\n", bw_tier_name(d->tier == BW_TIER_WATCH ? BW_TIER_ENFORCE : BW_TIER_WATCH),
	       d->tier == BW_TIER_WATCH ? "one of" : "all of");
	for (size_t i = 0; i < n; i++)
		if (!bw_feature(&d->features, ids[i]))
			printf("  %-12s %s\n", bw_feature_name(ids[i]), bw_feature_remedy(ids[i]));
}

static void print_text(const struct diagnosis *d)
{
	printf("%-13s %-4s %s\n", "FEATURE", "HERE", "WHAT WAS SEEN");
	for (int i = 0; i < BW_FEATURE_COUNT; i++) {
		const struct bw_feature *f = &d->features.f[i];

		printf("%-13s %-4s %s: %s\n", bw_feature_name(i), state_name(f->state), bw_feature_title(i), f->detail);
		if (f->state != BW_FEATURE_YES)
			printf("%-18s without it: %s\n%-18s remedy: %s\n", "", bw_feature_missing(i), "",
			       bw_feature_remedy(i));
	}
	printf("\nTier: %s", bw_tier_name(d->tier));
	if (d->tier == BW_TIER_ENFORCE)
		printf(" by %s", bw_mechanism_name(d->mechanism));
	if (d->why[0])
		printf(", because %s", d->why);
	printf("\n      %s\nIdentity: %s\n", tier_meaning(d->tier), identity_name(d));
	print_next(d);
}

static int print_json(const struct diagnosis *d)
{
	_cleanup_buf_ struct bw_buf b = { 0 };
	struct bw_json j = { .buf = &b, .indent = 2 };

	bw_json_open(&j, NULL, '{');
	bw_json_str(&j, "version", BW_VERSION);
	bw_json_str(&j, "tier", bw_tier_name(d->tier));
	bw_json_str(&j, "mechanism", bw_mechanism_name(d->mechanism));
	bw_json_str(&j, "why", d->why);
	bw_json_str(&j, "identity", identity_name(d));
	bw_json_open(&j, "features", '[');
	for (int i = 0; i < BW_FEATURE_COUNT; i++) {
		const struct bw_feature *f = &d->features.f[i];

		bw_json_open(&j, NULL, '{');
		bw_json_str(&j, "name", bw_feature_name(i));
		bw_json_str(&j, "title", bw_feature_title(i));
		bw_json_str(&j, "state", state_name(f->state));
		bw_json_i64(&j, "error", f->error);
		bw_json_str(&j, "detail", f->detail);
		bw_json_str(&j, "missing", bw_feature_missing(i));
		bw_json_str(&j, "remedy", bw_feature_remedy(i));
		bw_json_close(&j, '}');
	}
	bw_json_close(&j, ']');
	bw_json_close(&j, '}');
	if (bw_buf_error(&b))
		return BW_EXIT_INTERNAL;
	puts(bw_buf_cstr(&b));
	return BW_EXIT_OK;
}

int cmd_doctor(int argc, char **argv)
{
	const char *format = "text", *features = NULL, *bad = NULL;
	const struct bw_opt opts[] = {
		BW_OPTS_HELP_ROW,
		{ BW_OPT_CHOICE, 0, "format", &format, "text|json", "how to print it" },
		{ BW_OPT_STRING, 0, "features", &features, "-NAME,...", "as if these features were missing" },
		{ 0 },
	};
	const struct bw_command command = {
		"bpfwarden doctor", "", "Probes what this host's kernel offers to the guard, and says which tier that makes.",
		"Every feature is tried, not looked up: programs are loaded, attached and must be seen to run. Needs root to say\n"
		"anything useful. Exit status 0 in the enforce tier, 1 in a lower one.",
	};
	struct diagnosis d;
	int nargs, r;

	r = bw_opts_parse(&command, opts, argc, argv, &nargs);
	if (r)
		return r < 0 ? BW_EXIT_INPUT : BW_EXIT_OK;
	if (nargs) {
		fprintf(stderr, "bpfwarden doctor: unexpected \"%s\"\n", argv[1]);
		return BW_EXIT_INPUT;
	}
	bw_features_probe(&d.features);
	if (features && bw_features_override(&d.features, features, &bad) < 0) {
		fprintf(stderr, "bpfwarden doctor: --features: \"%s\" names no feature to switch off (-NAME,...)\n", bad);
		return BW_EXIT_INPUT;
	}
	d.tier = bw_features_tier(&d.features, &d.mechanism, d.why, sizeof(d.why));
	if (!strcmp(format, "json")) {
		r = print_json(&d);
		if (r)
			return r;
	} else {
		print_text(&d);
	}
	return d.tier == BW_TIER_ENFORCE ? BW_EXIT_OK : BW_EXIT_FINDINGS;
}
