// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * May this be loaded? First the policy, by the kernel's own decision (judge.h). What it admits by an entry is admitted; what it
 * admits only by a default, and everything where there is no policy, is analysed together with what the same process loaded
 * before and shares maps with, in the sandbox: an attack of severity high is refused.
 */
#include <bpf/btf.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "auditor/analysis.h"
#include "auditor/broker/broker.h"
#include "auditor/identity.h"
#include "auditor/judge.h"
#include "auditor/simulate.h"
#include "common/cgroup2.h"
#include "common/log.h"
#include "common/policy_host.h"
#include "common/sandbox.h"

#define ANALYSIS_MS 20000u

/* A program that was admitted, for the analysis of the next one. */
struct recent {
	pid_t tgid;
	char name[17];
	uint32_t prog_type, attach_type;
	bool sleepable;
	char target[128];
	struct bpf_insn *insns;
	uint32_t n_insns;
	struct broker_map *maps;
	uint32_t n_maps;
};

struct broker_judge {
	struct bw_policy *policy; /* NULL: none */
	struct bw_policy_image image;
	struct btf *btf; /* NULL: names are unknown */
	struct bw_analyst *analyst;
	struct recent recent[BROKER_MAX_RECENT];
	uint32_t n_recent; /* the oldest is overwritten */
};

static void recent_free(struct recent *r)
{
	free(r->insns);
	free(r->maps);
	*r = (struct recent){ 0 };
}

int broker_judge_open(const char *policy, struct broker_judge **ret)
{
	struct broker_judge *j = calloc(1, sizeof(*j));
	struct bw_policy_host host = { 0 };
	struct bw_policy_env env;
	struct bw_policy_warnings w = { 0 };
	struct bw_policy_error error;
	char line[1024] = "";
	int r;

	if (!j)
		return -ENOMEM;
	j->btf = btf__load_vmlinux_btf();
	host.btf = j->btf;
	r = bw_analyst_new(&j->analyst, line, sizeof(line));
	if (r < 0)
		bw_err("rules: %s", line[0] ? line : strerror(-r));
	if (!r && policy) {
		r = bw_policy_read(policy, &j->policy, &error);
		if (r < 0) {
			bw_err("%s", bw_policy_error_format(&error, policy, line, sizeof(line)));
		} else {
			env = bw_policy_host_env(&host);
			r = bw_policy_compile(j->policy, &env, &j->image, &w);
			if (r < 0)
				bw_err("%s: %s", policy, r == -E2BIG ? "too large" : strerror(-r));
			for (uint32_t i = 0; i < w.n; i++)
				bw_warn("%s: %s", policy, w.lines[i]);
			bw_policy_warnings_free(&w);
		}
	}
	if (r < 0) {
		broker_judge_free(j);
		return r;
	}
	*ret = j;
	return 0;
}

void broker_judge_free(struct broker_judge *j)
{
	if (!j)
		return;
	for (uint32_t i = 0; i < BROKER_MAX_RECENT; i++)
		recent_free(&j->recent[i]);
	if (j->policy)
		bw_policy_image_free(&j->image);
	bw_policy_free(j->policy);
	bw_analyst_free(j->analyst);
	btf__free(j->btf);
	free(j);
}

static const char *btf_name(void *ctx, uint32_t id)
{
	const struct btf_type *t = ctx ? btf__type_by_id(ctx, id) : NULL;

	return t ? btf__name_by_offset(ctx, t->name_off) : NULL;
}

/* ---- the policy ---- */

static void fill_event(const struct broker_target *t, const struct broker_load *l, struct bw_event_load *e)
{
	struct bw_identity_summary s;
	uint32_t n = 0;

	memset(e, 0, sizeof(*e));
	e->actor.pid = (uint32_t)t->tid;
	e->actor.tgid = (uint32_t)t->tgid;
	e->actor.uid = t->uid;
	e->actor.exe_dev = t->exe_dev;
	e->actor.exe_ino = t->exe_ino;
	e->prog_type = l->prog_type;
	e->expected_attach_type = l->attach_type;
	e->prog_flags = l->flags;
	e->insn_cnt = l->n_insns;
	e->attach_btf_id = l->attach_btf_id;
	e->identity = BW_IDENTITY_DIGEST;
	memcpy(e->digest, l->digest, sizeof(e->digest));
	if (l->attach_elsewhere)
		e->load_flags |= BW_LOAD_TARGET_ELSEWHERE;
	identity_summary(l->insns, l->n_insns, &s);
	memcpy(e->helpers, s.helpers, sizeof(e->helpers));
	e->kfunc_count = s.kfunc_calls;
	if (s.map_refs)
		e->load_flags |= BW_LOAD_MAPS;
	if (s.local_calls)
		e->load_flags |= BW_LOAD_SUBPROGRAMS;
	if (s.unknown_calls)
		e->load_flags |= BW_LOAD_HELPERS_UNKNOWN;
	for (uint32_t i = 0; i < l->n_insns && n < BW_MAX_KFUNC_IDS; i++) {
		const struct bpf_insn *in = &l->insns[i];
		bool known = false;

		if (in->code == (BPF_LD | BPF_IMM | BPF_DW)) {
			i++;
			continue;
		}
		if (in->code != (BPF_JMP | BPF_CALL) || in->src_reg != BPF_PSEUDO_KFUNC_CALL)
			continue;
		for (uint32_t k = 0; k < n; k++)
			known |= e->kfunc_ids[k] == (uint32_t)in->imm;
		if (!known)
			e->kfunc_ids[n++] = (uint32_t)in->imm;
	}
}

static bool stores(const struct broker_load *l)
{
	for (uint32_t i = 0; i < l->n_insns; i++) {
		uint8_t class = BPF_CLASS(l->insns[i].code);

		if (class == BPF_ST || class == BPF_STX)
			return true;
		i += l->insns[i].code == (BPF_LD | BPF_IMM | BPF_DW);
	}
	return false;
}

/* True when the policy has decided. */
static bool judge_policy(const struct broker_judge *j, const struct broker_target *t, const struct broker_load *l,
			 struct broker_verdict *v)
{
	struct bw_event_load e;
	char cgroup[PATH_MAX];
	int maybe = 0;

	fill_event(t, l, &e);
	bw_judge_load(&j->image, BW_JUDGE_INERT_UNKNOWN, &e, cgroup2_of((unsigned int)t->tgid, cgroup, sizeof(cgroup)) < 0 ? NULL : cgroup,
		      &maybe);
	v->reason = bw_sim_reason_name(e.reason);
	v->allow = e.verdict == BW_VERDICT_ALLOW;
	if (e.entry != ~0u)
		bw_policy_entry_id(j->policy, &j->image, e.entry, v->detail, sizeof(v->detail));
	if (e.reason == BW_REASON_RULE && e.rule < j->policy->n_rules)
		snprintf(v->detail, sizeof(v->detail), "%s", j->policy->rules[e.rule].id);
	/* A feature probe: short, nothing but harmless helpers, and it leaves nothing in memory. */
	if (!v->allow && maybe && !stores(l) && e.reason != BW_REASON_RULE) {
		v->allow = true;
		v->reason = "inert";
		return true;
	}
	return !v->allow || e.reason == BW_REASON_APPROVED || e.reason == BW_REASON_INERT;
}

void broker_judge_classic(const struct broker_judge *j, struct broker_verdict *ret)
{
	*ret = (struct broker_verdict){ .allow = true, .reason = "default" };
	if (j->policy)
		ret->allow = j->policy->defaults[BW_CLASS_SOCKET_FILTER] == BW_VERDICT_ALLOW;
}

/* ---- the analysis ---- */

struct job {
	const struct bw_analyst *analyst;
	const struct bw_loaded *in;
};

static int child(void *arg, struct bw_sandbox_out *out)
{
	const struct job *job = arg;
	_cleanup_buf_ struct bw_buf b = { 0 };
	struct bw_arena arena = { 0 };
	struct bw_scan_object o;
	int r = bw_analyse_loaded(job->analyst, job->in, NULL, &arena, &o, NULL);

	if (r < 0)
		return r;
	bw_scan_object_encode(&o, &b);
	return bw_buf_error(&b) ? bw_buf_error(&b) : bw_sandbox_write(out, b.data, b.len);
}

static struct bw_loaded_map *loaded_maps(const struct broker_map *maps, uint32_t n)
{
	struct bw_loaded_map *out = calloc(n + 1, sizeof(*out));

	for (uint32_t i = 0; out && i < n; i++)
		out[i] = (struct bw_loaded_map){ .ref = maps[i].ref, .by_index = maps[i].by_index, .id = maps[i].id, .type = maps[i].type,
						 .key_size = maps[i].key_size, .value_size = maps[i].value_size,
						 .max_entries = maps[i].max_entries, .flags = maps[i].flags, .name = maps[i].name };
	return out;
}

/* The new program and those of its process, as the kernel would hold them. */
static int collect(const struct broker_judge *j, pid_t tgid, const struct recent *new, struct bw_loaded_program *list, uint32_t *ret_n)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i <= BROKER_MAX_RECENT; i++) {
		const struct recent *p = i < BROKER_MAX_RECENT ? &j->recent[i] : new;

		if (p->tgid != tgid || !p->insns)
			continue;
		list[n] = (struct bw_loaded_program){ .name = p->name, .prog_type = p->prog_type, .attach_type = p->attach_type,
						      .sleepable = p->sleepable, .target = p->target, .insns = p->insns,
						      .n_insns = p->n_insns, .maps = loaded_maps(p->maps, p->n_maps), .n_maps = p->n_maps };
		if (!list[n].maps)
			return -ENOMEM;
		*ret_n = ++n;
	}
	return 0;
}

static int analyse(const struct broker_judge *j, const struct recent *new, struct broker_verdict *v)
{
	struct bw_loaded_program list[BROKER_MAX_RECENT + 1] = { 0 };
	struct bw_loaded in = { .name = "loads", .programs = list, .btf_name = btf_name, .ctx = j->btf };
	struct job job = { .analyst = j->analyst, .in = &in };
	struct bw_sandbox conf = { .wall_ms = ANALYSIS_MS };
	_cleanup_buf_ struct bw_buf out = { 0 };
	struct bw_arena arena = { 0 };
	struct bw_scan_object o;
	char why[256];
	int r;

	r = collect(j, new->tgid, new, list, &in.n_programs);
	if (!r)
		r = bw_sandbox_run(&conf, child, &job, &out, why, sizeof(why));
	if (!r)
		r = bw_scan_object_decode(bw_slice(out.data, out.len), &arena, &o);
	if (r) {
		/* What could not be judged is not let through. */
		*v = (struct broker_verdict){ .reason = "unanalysed" };
		snprintf(v->detail, sizeof(v->detail), "%s", r == -EBADMSG ? "damaged results" : why[0] ? why : strerror(-r));
	} else {
		for (uint32_t p = 0; p < o.n_programs; p++)
			for (uint32_t i = 0; i < o.programs[p].n_findings; i++) {
				const struct bw_finding *f = &o.programs[p].findings[i];

				if (f->kind != BW_KIND_ATTACK || f->severity < BW_SEV_HIGH || !v->allow)
					continue;
				v->allow = false;
				v->reason = "finding";
				snprintf(v->detail, sizeof(v->detail), "%s: %s", f->rule, f->message);
			}
	}
	for (uint32_t i = 0; i < in.n_programs; i++)
		free((void *)list[i].maps);
	bw_arena_free(&arena);
	return 0;
}

static int remember(const struct broker_judge *j, const struct broker_target *t, const struct broker_load *l, struct recent *ret)
{
	const char *target = l->attach_btf_id && !l->attach_elsewhere ? btf_name(j->btf, l->attach_btf_id) : NULL;

	*ret = (struct recent){ .tgid = t->tgid, .prog_type = l->prog_type, .attach_type = l->attach_type, .sleepable = l->sleepable,
				.n_insns = l->n_insns, .n_maps = l->n_maps };
	memcpy(ret->name, l->name, sizeof(ret->name));
	snprintf(ret->target, sizeof(ret->target), "%s", target ? target : "");
	ret->insns = malloc(l->n_insns * sizeof(*l->insns));
	ret->maps = malloc((l->n_maps + 1) * sizeof(*l->maps));
	if (!ret->insns || !ret->maps) {
		recent_free(ret);
		return -ENOMEM;
	}
	memcpy(ret->insns, l->insns, l->n_insns * sizeof(*l->insns));
	if (l->n_maps)
		memcpy(ret->maps, l->maps, l->n_maps * sizeof(*l->maps));
	return 0;
}

int broker_judge_load(struct broker_judge *j, const struct broker_target *t, const struct broker_load *l, struct broker_verdict *ret)
{
	struct recent *slot = &j->recent[j->n_recent % BROKER_MAX_RECENT], new;
	int r;

	*ret = (struct broker_verdict){ .allow = true, .reason = "clean" };
	if (l->token) {
		*ret = (struct broker_verdict){ .reason = "token" };
		return 0;
	}
	r = remember(j, t, l, &new);
	if (r)
		return r;
	if (!j->policy || !judge_policy(j, t, l, ret))
		r = analyse(j, &new, ret);
	if (r || !ret->allow) {
		recent_free(&new);
		return r;
	}
	recent_free(slot);
	*slot = new;
	j->n_recent++;
	return 0;
}
