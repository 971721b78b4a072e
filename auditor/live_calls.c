// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Calls in translated code: the verifier has replaced a helper's number by the distance of its function from
 * __bpf_call_base, often by a function for one map or program type. Which function that is, /proc/kallsyms says; which
 * helper it implements, its name. Without addresses there (kernel.kptr_restrict) the calls stay unknown.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "auditor/live_calls.h"
#include "common/bpf_names.h"
#include "common/cleanup.h"

/* Kernel functions whose name is not that of the helper, by program or map type (net/core/filter.c, kernel/trace/bpf_trace.c). */
static const struct {
	const char *function, *helper;
} renamed[] = {
	{ "bpf_user_rnd_u32", "get_prandom_u32" },
	{ "bpf_get_raw_cpu_id", "get_smp_processor_id" },
	{ "bpf_skb_event_output", "perf_event_output" },
	{ "bpf_xdp_event_output", "perf_event_output" },
	{ "bpf_event_output_data", "perf_event_output" },
	{ "bpf_sockopt_event_output", "perf_event_output" },
	{ "bpf_perf_prog_read_value", "perf_prog_read_value" },
	{ "bpf_xdp_redirect", "redirect" },
	{ "bpf_xdp_redirect_map", "redirect_map" },
	{ "sk_skb_pull_data", "skb_pull_data" },
	{ "sk_skb_change_tail", "skb_change_tail" },
	{ "sk_skb_change_head", "skb_change_head" },
	{ "sk_skb_adjust_room", "skb_adjust_room" },
	{ "bpf_sock_hash_update", "sock_hash_update" },
	{ "bpf_cgroup_storage_get", "cgrp_storage_get" },
	{ "bpf_cgroup_storage_delete", "cgrp_storage_delete" },
	{ "bpf_unlocked_sk_setsockopt", "setsockopt" },
	{ "bpf_unlocked_sk_getsockopt", "getsockopt" },
	{ "bpf_probe_read_compat_str", "probe_read_str" },
};

/* Endings that kernel functions have for one kind of program. */
static const char *const endings[] = { "_tracing", "_raw_tp", "_compat", "_flags", "_tp", "_pe", "_sleepable", "_prealloc" };

/* Map operations are called directly: htab_map_update_elem, __htab_map_lookup_elem, array_map_push_elem, ... */
static const struct {
	const char *ending, *helper;
} map_operations[] = {
	{ "_lookup_elem", "map_lookup_elem" },
	{ "_update_elem", "map_update_elem" },
	{ "_delete_elem", "map_delete_elem" },
	{ "_push_elem", "map_push_elem" },
	{ "_pop_elem", "map_pop_elem" },
	{ "_peek_elem", "map_peek_elem" },
	{ "_lookup_percpu_elem", "map_lookup_percpu_elem" },
	{ "_redirect", "redirect_map" },
};

static bool ends_with(const char *s, size_t len, const char *ending)
{
	size_t n = strlen(ending);

	return len > n && !memcmp(s + len - n, ending, n);
}

int bw_live_helper(const char *function)
{
	const char *name = function;
	char text[128];
	size_t len;
	int id;

	for (size_t i = 0; i < ARRAY_SIZE(renamed); i++)
		if (!strcmp(function, renamed[i].function))
			return bw_helper_id(renamed[i].helper);
	while (!strncmp(name, "____", 4))
		name += 4;
	if (!strncmp(name, "bpf_", 4)) {
		id = bw_helper_id(name + 4);
		if (id >= 0)
			return id;
		/* bpf_sock_ops_setsockopt and the like: the helper is what follows the program type. */
		if (!strncmp(name, "bpf_sock_ops_", 13) || !strncmp(name, "bpf_sock_addr_", 14)) {
			id = bw_helper_id(name + (name[9] == 'o' ? 13 : 14));
			if (id >= 0)
				return id;
		}
		for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
			len = strlen(name);
			if (!ends_with(name, len, endings[i]) || len >= sizeof(text))
				continue;
			len -= strlen(endings[i]);
			memcpy(text, name, len);
			text[len] = '\0';
			id = bw_helper_id(text + 4);
			if (id >= 0)
				return id;
		}
	}
	len = strlen(name);
	for (size_t i = 0; i < ARRAY_SIZE(map_operations); i++)
		if (ends_with(name, len, map_operations[i].ending) &&
		    (strstr(name, "map") || strstr(name, "trie") || strstr(name, "queue") || strstr(name, "array") ||
		     strstr(name, "bloom")))
			return bw_helper_id(map_operations[i].helper);
	return -ENOENT;
}

struct wanted {
	uint64_t address;
	uint32_t insn;
};

static int wanted_compare(const void *a, const void *b)
{
	const struct wanted *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

/* "ffffffff81000000 T name [module]": false for a line that is something else. */
static bool kallsyms_line(char *line, uint64_t *ret_address, const char **ret_name)
{
	char *end;
	char *name;

	*ret_address = strtoull(line, &end, 16);
	if (end == line || end[0] != ' ' || !end[1] || end[2] != ' ')
		return false;
	name = end + 3;
	name[strcspn(name, " \t\n")] = '\0';
	*ret_name = name;
	return true;
}

static int call_named(struct bw_object *o, uint32_t insn, const char *name, uint32_t *ret_named)
{
	struct bw_code *c = &o->codes[0];
	struct bw_insn *in = &c->insns[insn];
	int id = bw_live_helper(name);

	if (in->src == 0 && id < 0)
		return 0; /* another name of the same address may tell */
	if (in->src == 0) {
		in->imm = id;
		(*ret_named)++;
		return 0;
	}
	o->externs[o->n_externs] = (struct bw_extern){ .name = bw_arena_str(&o->arena, name), .kind = BW_EXTERN_KFUNC };
	if (!o->externs[o->n_externs].name)
		return -ENOMEM;
	c->relocs[c->n_relocs] = (struct bw_reloc){ .insn = insn, .kind = BW_RELOC_KFUNC, .target = (int32_t)o->n_externs,
						    .symbol = o->externs[o->n_externs].name };
	o->n_externs++;
	c->reloc_of[insn] = ++c->n_relocs;
	(*ret_named)++;
	return 0;
}

int bw_live_calls(struct bw_object *o, const char *kallsyms, uint32_t *ret_unknown)
{
	struct bw_code *c = &o->codes[0];
	_cleanup_fclose_ FILE *f = NULL;
	_cleanup_free_ struct wanted *list = NULL;
	_cleanup_free_ bool *done = NULL;
	_cleanup_free_ char *line = NULL;
	uint64_t base = 0, address;
	uint32_t n = 0, named = 0;
	const char *name;
	size_t cap = 0;
	int r;

	list = calloc(c->n_insns ? c->n_insns : 1, sizeof(*list));
	done = calloc(c->n_insns ? c->n_insns : 1, sizeof(*done));
	if (!list || !done)
		return -ENOMEM;
	for (uint32_t i = 0; i < c->n_insns; i++) {
		const struct bw_insn *in = &c->insns[i];

		if (bw_insn_is_ld_imm64(in)) {
			i++;
			continue;
		}
		/* Numbers stay for what has no function of its own, such as the tail call. */
		if (in->code != 0x85 || (in->src != 0 && in->src != 2) ||
		    (in->src == 0 && in->imm > 0 && (uint32_t)in->imm < bw_helper_count()))
			continue;
		list[n++] = (struct wanted){ (uint64_t)(int64_t)in->imm, i };
	}
	*ret_unknown = n;
	if (!n)
		return 0;
	o->externs = bw_arena_alloc(&o->arena, n, sizeof(*o->externs));
	if (!o->externs)
		return -ENOMEM;
	f = fopen(kallsyms, "re");
	if (!f)
		return 0;
	while (!base && getline(&line, &cap, f) > 0)
		if (kallsyms_line(line, &address, &name) && !strcmp(name, "__bpf_call_base"))
			base = address;
	if (!base)
		return 0;
	for (uint32_t i = 0; i < n; i++)
		list[i].address += base;
	qsort(list, n, sizeof(*list), wanted_compare);
	rewind(f);
	while (getline(&line, &cap, f) > 0) {
		uint32_t lo = 0, hi = n;

		if (!kallsyms_line(line, &address, &name))
			continue;
		while (lo < hi) {
			uint32_t mid = lo + (hi - lo) / 2;

			if (list[mid].address < address)
				lo = mid + 1;
			else
				hi = mid;
		}
		for (; lo < n && list[lo].address == address; lo++) {
			uint32_t before = named;

			if (done[lo])
				continue;
			r = call_named(o, list[lo].insn, name, &named);
			if (r)
				return r;
			done[lo] = named > before;
		}
	}
	*ret_unknown = n - named;
	return 0;
}
