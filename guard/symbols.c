// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/symbols.h"

#include <inttypes.h>
#include <string.h>

#include "common/bpf_names.h"
#include "common/cleanup.h"

/*
 * One helper has several functions where program types differ in their context (kernel/trace/bpf_trace.c,
 * net/core/filter.c): bpf_NAME, then bpf_NAME_SUFFIX, and a few of other names.
 */
static const char *const suffixes[] = { "raw_tp", "tp",	   "pe",      "tracing", "sleepable", "sock",	     "sock_ops",
					"sock_addr", "sk_msg", "sk_skb", "sk",	   "skb",      "xdp",	     "cg_sock",
					"kprobe_multi", "uprobe_multi", "trace", "pe_stack", "curr" };

static const struct {
	const char *symbol, *helper;
} aliases[] = {
	{ "bpf_skb_event_output", "perf_event_output" },     { "bpf_xdp_event_output", "perf_event_output" },
	{ "bpf_event_output_data", "perf_event_output" },    { "bpf_sockopt_event_output", "perf_event_output" },
	{ "bpf_user_rnd_u32", "get_prandom_u32" },	     { "bpf_get_raw_cpu_id", "get_smp_processor_id" },
	{ "____bpf_probe_write_user", "probe_write_user" },
};

uint32_t symbol_helper(const char *name)
{
	size_t len;
	int id;

	for (size_t i = 0; i < ARRAY_SIZE(aliases); i++)
		if (!strcmp(name, aliases[i].symbol) && (id = bw_helper_id(aliases[i].helper)) > 0)
			return (uint32_t)id;
	if (strncmp(name, "bpf_", 4))
		return 0;
	id = bw_helper_id(name + 4);
	if (id > 0)
		return (uint32_t)id;
	len = strlen(name);
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		size_t n = strlen(suffixes[i]);
		char base[128];

		if (len < n + 6 || len - n - 5 >= sizeof(base) || name[len - n - 1] != '_' ||
		    strcmp(name + len - n, suffixes[i]))
			continue;
		memcpy(base, name + 4, len - n - 5);
		base[len - n - 5] = 0;
		id = bw_helper_id(base);
		if (id > 0)
			return (uint32_t)id;
	}
	return 0;
}

int symbols_helper_imms(FILE *in, struct symbol_imm **ret, size_t *ret_n)
{
	struct found {
		uint64_t addr;
		uint32_t helper;
	};
	_cleanup_free_ struct found *found = NULL;
	_cleanup_free_ struct symbol_imm *imms = NULL;
	size_t n = 0, cap = 0;
	uint64_t base = 0;
	char line[512];

	while (fgets(line, sizeof(line), in)) {
		char type, name[256];
		uint64_t addr;
		uint32_t helper;

		if (sscanf(line, "%" SCNx64 " %c %255s", &addr, &type, name) != 3 || (type != 't' && type != 'T'))
			continue;
		/* Symbols of modules end the line with "[module]" and come last; helpers are in the kernel proper. */
		if (!strcmp(name, "__bpf_call_base"))
			base = addr;
		helper = symbol_helper(name);
		if (!helper || !addr)
			continue;
		if (n == cap) {
			struct found *bigger = reallocarray(found, cap ? cap * 2 : 256, sizeof(*found));

			if (!bigger)
				return -ENOMEM;
			found = bigger;
			cap = cap ? cap * 2 : 256;
		}
		found[n++] = (struct found){ addr, helper };
	}
	if (!base || !n)
		return -ENODATA;
	imms = calloc(n, sizeof(*imms));
	if (!imms)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		imms[i] = (struct symbol_imm){ (int32_t)(found[i].addr - base), found[i].helper };
	*ret = TAKE_PTR(imms);
	*ret_n = n;
	return 0;
}
