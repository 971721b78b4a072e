// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/quarantine_event.h"

void quarantine_describe(const struct quarantine_result *r, struct alert_analysis *ret)
{
	static const char *const statuses[] = { [ANALYST_OK] = "ok", [ANALYST_INCOMPLETE] = "incomplete", [ANALYST_FAILED] = "failed" };
	const struct analyst_finding *f = &r->finding;

	*ret = (struct alert_analysis){
		.status = statuses[r->status],
		.reason = r->reason[0] ? r->reason : NULL,
		.analysis_ns = r->analysis_ns,
		.n_programs = r->n_programs,
		.n_findings = r->n_findings,
	};
	if (!r->has_finding)
		return;
	ret->decided = r->decided;
	ret->rule = f->rule;
	ret->severity = bw_policy_severity_name(f->severity);
	ret->kind = bw_policy_kind_name(f->kind);
	ret->title = f->title;
	ret->program = f->program;
	ret->source = f->source[0] ? f->source : NULL;
	ret->channel = f->channel[0] ? f->channel : NULL;
}

void quarantine_status(const struct quarantine_stats *s, struct bw_json *j)
{
	bw_json_u64(j, "analysts", s->analysts);
	bw_json_u64(j, "analyses", s->analyses);
	bw_json_u64(j, "analyses_repeated", s->repeated);
	bw_json_u64(j, "analyses_refused", s->refused);
	bw_json_u64(j, "analyses_incomplete", s->incomplete);
	bw_json_u64(j, "analyses_failed", s->failures);
	bw_json_u64(j, "analysis_max_ns", s->analysis_ns_max);
	bw_json_u64(j, "maps_labelled", s->labels);
	bw_json_u64(j, "questions_open", s->open);
	bw_json_u64(j, "questions_dropped", s->dropped);
}
