// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/analysis.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "guard/loader.h"

static const struct bw_policy_protect *on_question(void *arg)
{
	struct analysis *a = arg;

	return &a->protect;
}

/* "user-memory, credentials" */
static void classes_text(uint32_t sources, char *dst, size_t len)
{
	size_t n = 0;

	dst[0] = 0;
	for (unsigned int bit = 0; bit < 32; bit++) {
		const char *name = sources >> bit & 1 ? bw_policy_class_of_data(bit) : NULL;

		if (name && n < len)
			n += (size_t)snprintf(dst + n, len - n, "%s%s", n ? ", " : "", name);
	}
}

static void on_result(void *arg, const struct quarantine_result *r)
{
	char classes[256], message[512];
	struct analysis *a = arg;

	a->conf.result(a->conf.arg, r);
	if (!r->packet_sources)
		return;
	/* The chain that no process is part of: nobody reads a map, nobody sends. */
	classes_text(r->packet_sources, classes, sizeof(classes));
	snprintf(message, sizeof(message), "what the program %s takes (%s) goes into packets by the program %s, without a process", r->packet_from,
		 classes, r->packet_to);
	a->conf.say(a->conf.arg, "kernel_exfiltration", r->refused ? ALERT_HIGH : ALERT_CRITICAL,
		    (struct alert_kv[]){ ALERT_STR("from_program", r->packet_from), ALERT_STR("to_program", r->packet_to),
					 ALERT_STR("data_classes", classes), ALERT_U64("through_map", r->packet_map), ALERT_U64("loaded_by", r->tgid),
					 ALERT_BOOL("refused", r->refused), { 0 } },
		    message);
}

static void on_label(void *arg, uint32_t map_id, uint32_t sources)
{
	struct analysis *a = arg;
	int r = enforce_label(a->conf.enforce, map_id, sources);
	char message[160];

	if (r < 0 && !a->label_failed) {
		snprintf(message, sizeof(message), "map %" PRIu32 " cannot be labelled, who reads it is not watched: %s", map_id, strerror(-r));
		a->conf.say(a->conf.arg, "analysis_failed", ALERT_HIGH, NULL, message);
	}
	a->label_failed = r < 0;
}

static void on_problem(void *arg, const char *what)
{
	struct analysis *a = arg;

	a->conf.say(a->conf.arg, "analysis_failed", ALERT_HIGH, NULL, what);
}

/* Without the load hook there is nothing to analyse: in mode protect on_timeout decides then, and labels come from the policy alone. */
static void say_missing(struct analysis *a, bool analyse)
{
	if (a->missed)
		return;
	a->missed = true;
	if (a->conf.mode == BW_MODE_PROTECT)
		a->conf.say(a->conf.arg, "tier_degraded", ALERT_HIGH, NULL,
			    "mode protect needs the load hook (6.9): what is not approved is decided by on_timeout of the policy, unseen");
	if (analyse)
		a->conf.say(a->conf.arg, "tier_degraded", ALERT_MEDIUM, NULL,
			    "the policy wants programs analysed, which needs the load hook (6.9) and the enforce tier: only maps that it names have labels");
}

int analysis_start(struct analysis *a, const struct analysis_conf *conf, char *why, size_t why_len)
{
	const struct bw_policy_conf *running = enforce_running(conf->enforce);
	bool analyse = running && running->flags & BW_CONF_ANALYSE;
	const struct quarantine_conf qc = {
		.loop = conf->loop,
		.ring = loader_map_fd(conf->loader, LOADER_HOLD_RING),
		.answers = loader_map_fd(conf->loader, LOADER_HOLD_ANSWERS),
		.guard = loader_map_fd(conf->loader, LOADER_HOLD_GUARDS),
		.btf = enforce_btf(conf->enforce),
		.urgent = conf->mode == BW_MODE_PROTECT,
		.uid = conf->uid,
		.gid = conf->gid,
		.policy = on_question,
		.result = on_result,
		.label = on_label,
		.problem = on_problem,
		.arg = a,
	};
	int r;

	a->conf = *conf;
	if (a->quarantine || (conf->mode != BW_MODE_PROTECT && !analyse))
		return 0;
	if (!conf->possible) {
		say_missing(a, analyse);
		return 0;
	}
	r = quarantine_open(&qc, &a->quarantine);
	if (r < 0)
		snprintf(why, why_len, "starting the analysis: %s", strerror(-r));
	return r;
}

void analysis_policy(struct analysis *a)
{
	struct analysis_conf conf = a->conf;
	char why[200];

	/* Not before the start. */
	if (conf.enforce && analysis_start(a, &conf, why, sizeof(why)) < 0)
		a->conf.say(a->conf.arg, "analysis_failed", ALERT_HIGH, NULL, why);
}

void analysis_close(struct analysis *a)
{
	quarantine_close(a->quarantine);
	a->quarantine = NULL;
}
