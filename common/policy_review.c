// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What can be said about a policy without a host: names of classes, the text of an error, remarks for its author.
 */
#include "common/policy.h"

#include <stdarg.h>
#include <string.h>

#include "common/bpf_names.h"
#include "common/buf.h"

const char *bw_policy_class_name(enum bw_policy_class c)
{
	static const char *const names[] = {
		[BW_CLASS_TRACING] = "tracing",
		[BW_CLASS_NETWORKING] = "networking",
		[BW_CLASS_CGROUP] = "cgroup",
		[BW_CLASS_LSM] = "lsm",
		[BW_CLASS_SOCKET_FILTER] = "socket_filter",
		[BW_CLASS_OTHER] = "other",
	};

	return c < BW_CLASS_COUNT ? names[c] : "?";
}

enum bw_policy_class bw_policy_class(uint32_t prog_type)
{
	/* Numbers as in enum bpf_prog_type; 0, gaps and what is beyond: other. */
	static const uint8_t classes[] = {
		[1] = 1 + BW_CLASS_SOCKET_FILTER, [2] = 1 + BW_CLASS_TRACING,	  /* kprobe */
		[3] = 1 + BW_CLASS_NETWORKING,					  /* sched_cls */
		[4] = 1 + BW_CLASS_NETWORKING,					  /* sched_act */
		[5] = 1 + BW_CLASS_TRACING,					  /* tracepoint */
		[6] = 1 + BW_CLASS_NETWORKING,					  /* xdp */
		[7] = 1 + BW_CLASS_TRACING,					  /* perf_event */
		[8] = 1 + BW_CLASS_CGROUP,					  /* cgroup_skb */
		[9] = 1 + BW_CLASS_CGROUP,					  /* cgroup_sock */
		[10] = 1 + BW_CLASS_NETWORKING,					  /* lwt_in */
		[11] = 1 + BW_CLASS_NETWORKING,					  /* lwt_out */
		[12] = 1 + BW_CLASS_NETWORKING,					  /* lwt_xmit */
		[13] = 1 + BW_CLASS_CGROUP,					  /* sock_ops */
		[14] = 1 + BW_CLASS_NETWORKING,					  /* sk_skb */
		[15] = 1 + BW_CLASS_CGROUP,					  /* cgroup_device */
		[16] = 1 + BW_CLASS_NETWORKING,					  /* sk_msg */
		[17] = 1 + BW_CLASS_TRACING,					  /* raw_tracepoint */
		[18] = 1 + BW_CLASS_CGROUP,					  /* cgroup_sock_addr */
		[19] = 1 + BW_CLASS_NETWORKING,					  /* lwt_seg6local */
		[21] = 1 + BW_CLASS_NETWORKING,					  /* sk_reuseport */
		[22] = 1 + BW_CLASS_NETWORKING,					  /* flow_dissector */
		[23] = 1 + BW_CLASS_CGROUP,					  /* cgroup_sysctl */
		[24] = 1 + BW_CLASS_TRACING,					  /* raw_tracepoint_writable */
		[25] = 1 + BW_CLASS_CGROUP,					  /* cgroup_sockopt */
		[26] = 1 + BW_CLASS_TRACING,					  /* tracing */
		[29] = 1 + BW_CLASS_LSM,	  [30] = 1 + BW_CLASS_NETWORKING, /* sk_lookup */
		[32] = 1 + BW_CLASS_NETWORKING,					  /* netfilter */
	};

	if (prog_type < ARRAY_SIZE(classes) && classes[prog_type])
		return (enum bw_policy_class)(classes[prog_type] - 1);
	return BW_CLASS_OTHER;
}

char *bw_policy_error_format(const struct bw_policy_error *e, const char *file, char *dst, size_t size)
{
	char place[32] = "";

	if (e->line)
		snprintf(place, sizeof(place), ":%u:%u", e->line, e->column);
	snprintf(dst, size, "%s%s: %s%s%s", file, place, e->field, *e->field ? ": " : "", e->reason);
	return dst;
}

int bw_policy_warn(struct bw_policy_warnings *w, const char *fmt, ...)
{
	char *line, **bigger;
	va_list ap;
	int n;

	if (w->n == BW_MAX_POLICY_WARNINGS) {
		w->more++;
		return 0;
	}
	va_start(ap, fmt);
	n = vasprintf(&line, fmt, ap);
	va_end(ap);
	if (n < 0)
		return -ENOMEM;
	bigger = realloc(w->lines, (w->n + 1) * sizeof(*w->lines));
	if (!bigger) {
		free(line);
		return -ENOMEM;
	}
	w->lines = bigger;
	w->lines[w->n++] = line;
	return 0;
}

void bw_policy_warnings_free(struct bw_policy_warnings *w)
{
	for (uint32_t i = 0; i < w->n; i++)
		free(w->lines[i]);
	free(w->lines);
	*w = (struct bw_policy_warnings){};
}

static bool rule_names_kfunc_of(const struct bw_policy_rule *rule, const struct bw_policy_program *prog)
{
	if (rule->any_kfunc && prog->n_kfuncs)
		return true;
	for (uint32_t i = 0; i < rule->n_kfuncs; i++)
		for (uint32_t k = 0; k < prog->n_kfuncs; k++)
			if (!strcmp(rule->kfuncs[i], prog->kfuncs[k]))
				return true;
	return false;
}

/* As far as the entry says what the program calls. */
static bool rule_denies(const struct bw_policy_rule *rule, const struct bw_policy_program *prog)
{
	bool needs_helper = false, has_helper = false;

	for (int i = 0; i < BW_HELPER_WORDS; i++) {
		needs_helper |= rule->helpers[i] != 0;
		has_helper |= (rule->helpers[i] & prog->helpers[i]) != 0;
	}
	if (needs_helper && !has_helper)
		return false;
	if (rule->types && !(rule->types >> prog->type & 1))
		return false;
	return (!rule->any_kfunc && !rule->n_kfuncs) || rule_names_kfunc_of(rule, prog);
}

static bool attach_type_fits(const struct bw_policy_program *prog)
{
	const uint8_t *list;
	unsigned int n = bw_prog_type_attach_types(prog->type, &list);

	for (unsigned int i = 0; i < n; i++)
		if (list[i] == prog->attach_type)
			return true;
	return prog->any_attach_type || !n; /* a type newer than the table: who knows */
}

int bw_policy_review(const struct bw_policy *p, struct bw_policy_warnings *w)
{
	int r = 0;

	for (uint32_t i = 0; i < p->n_programs && !r; i++) {
		const struct bw_policy_program *prog = &p->programs[i];

		for (uint32_t k = 0; k < p->n_rules && !r; k++)
			if (rule_denies(&p->rules[k], prog))
				r = bw_policy_warn(w, "programs[%u] (%s): without effect: the rule \"%s\" denies it", i,
						   prog->id, p->rules[k].id);
		if (!r && !attach_type_fits(prog))
			r = bw_policy_warn(w, "programs[%u] (%s): attach type %u is not one of program type %s", i,
					   prog->id, prog->attach_type, bw_prog_type_name(prog->type));
		if (!r && prog->any_attach_type && !bw_prog_type_name(prog->type))
			r = bw_policy_warn(
				w,
				"programs[%u] (%s): program type %u is not known here: only attach type 0 is "
				"approved; state \"attach_type\"",
				i, prog->id, prog->type);
		if (!r && !prog->reason)
			r = bw_policy_warn(w, "programs[%u] (%s): says no reason", i, prog->id);
	}
	for (uint32_t k = 0; k < p->n_rules && !r; k++)
		if (!p->rules[k].reason)
			r = bw_policy_warn(w, "rules[%u] (%s): says no reason", k, p->rules[k].id);
	return r;
}
