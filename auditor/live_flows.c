// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "auditor/live_flows.h"

#include <errno.h>
#include <string.h>

#include "auditor/analysis.h"
#include "auditor/live.h"
#include "common/sandbox.h"

#define ANALYSIS_MS 30000u

/* Reads arbitrary addresses; without that, what looks like kernel memory are fields of structures and inlined map lookups. */
static bool reads_addresses(const struct bw_prog_facts *f)
{
	for (uint32_t i = 0; i < f->n_helpers; i++)
		if (strstr(f->helpers[i].name, "probe_read") || !f->helpers[i].known)
			return true;
	return f->n_kfuncs > 0;
}

static int child(void *arg, struct bw_sandbox_out *out)
{
	const uint32_t hands_on = ~(uint32_t)(BW_CH_BIT(BW_CH_RETURN_VALUE) | BW_CH_BIT(BW_CH_SIGNAL));
	_cleanup_analysis_ struct bw_analysis *a = NULL;
	struct bw_live_flows f = { 0 };
	int r = bw_analyse(arg, NULL, &a);

	if (r < 0)
		return r;
	f.complete = a->complete && !((const struct bw_object *)arg)->incomplete;
	for (uint32_t i = 0; i < a->n_flows; i++)
		if (!a->flows[i].derived && BW_CH_BIT(a->flows[i].channel) & hands_on) {
			f.sources |= BW_SRC_BIT(a->flows[i].source);
			f.channels |= BW_CH_BIT(a->flows[i].channel);
		}
	if (a->n_progs && !reads_addresses(&a->progs[0]))
		f.sources &= ~BW_SRC_BIT(BW_SRC_KERNEL_MEMORY);
	return bw_sandbox_write(out, &f, sizeof(f));
}

int bw_live_flows(uint32_t id, const struct bw_live_target *t, struct bw_live_flows *ret)
{
	_cleanup_object_ struct bw_object *o = NULL;
	_cleanup_buf_ struct bw_buf out = { 0 };
	struct bw_sandbox conf = { .wall_ms = ANALYSIS_MS };
	struct bw_diag diag;
	struct bw_live_flows f;
	char reason[256];
	int r;

	r = bw_live_read(id, &o, &diag);
	if (r < 0)
		return r;
	if (t) {
		o->progs[0].def.rule = t->rule;
		o->progs[0].def.target = t->target;
		o->progs[0].def.target_len = (uint32_t)strlen(t->target);
		o->progs[0].def.ret = t->ret;
	}
	r = bw_sandbox_run(&conf, child, o, &out, reason, sizeof(reason));
	if (r < 0)
		return r == -EPERM || r == -ENOMEM ? r : -EIO;
	if (out.len != sizeof(f))
		return -EIO;
	memcpy(&f, out.data, sizeof(f));
	/* From a process that computed over foreign code: nothing but known bits. */
	ret->sources = f.sources & BW_SRC_ALL;
	ret->channels = f.channels & (BW_CH_BIT(BW_CH_COUNT_) - 1);
	ret->complete = *(const unsigned char *)&f.complete == 1;
	return 0;
}
