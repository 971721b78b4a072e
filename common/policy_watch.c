// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "common/policy_watch.h"

#include <errno.h>
#include <string.h>

#include "common/bpf_names.h"

static const char *const way_names[BW_WAY_COUNT] = {
	[BW_WAY_LINK] = "link",
	[BW_WAY_PROG_ATTACH] = "prog_attach",
	[BW_WAY_RAW_TRACEPOINT] = "raw_tracepoint",
	[BW_WAY_TEST_RUN] = "test_run",
	[BW_WAY_PIN] = "pin",
	[BW_WAY_PIN_GET] = "pin_get",
	[BW_WAY_FD_BY_ID] = "fd_by_id",
	[BW_WAY_ITERATOR] = "iterator",
	[BW_WAY_TOKEN] = "token",
	[BW_WAY_MAP_UPDATE] = "map_update",
	[BW_WAY_PERF_IOCTL] = "perf_ioctl",
	[BW_WAY_TUN_IOCTL] = "tun_ioctl",
	[BW_WAY_NETLINK_XDP] = "netlink_xdp",
	[BW_WAY_NETLINK_TC] = "netlink_tc",
	[BW_WAY_NETLINK_LWT] = "netlink_lwt",
	[BW_WAY_CLASSIC_FILTER] = "classic_filter",
	[BW_WAY_SOCKET_FILTER] = "socket_filter",
	[BW_WAY_FILTER_DETACH] = "filter_detach",
	[BW_WAY_FD_PASSED] = "fd_passed",
};

static const char *const data_names[] = {
	"tls-plaintext", "user-memory",	  "syscall-buffer", "exec-args",	"keystrokes",	   "tty",
	"file-content",	 "file-name",	  "packet-payload", "packet-header",	"credentials",	   "environment",
	"dns",		 "kernel-memory", "kernel-pointer", "process-metadata", "map-value",
};

const char *bw_policy_way_name(uint32_t way)
{
	return way < BW_WAY_COUNT ? way_names[way] : NULL;
}

int bw_policy_way_id(const char *name)
{
	for (int i = 0; i < BW_WAY_COUNT; i++)
		if (way_names[i] && !strcmp(way_names[i], name))
			return i;
	return -ENOENT;
}

const char *bw_policy_class_of_data(uint32_t bit)
{
	return bit < ARRAY_SIZE(data_names) ? data_names[bit] : NULL;
}

static int class_of_data_id(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(data_names); i++)
		if (!strcmp(data_names[i], name))
			return (int)i;
	return -ENOENT;
}

#define MEMBER(up_, keys, members, i) (&(struct policy_node){ .up = (up_), .key = (keys)[i], .value = (members)[i] })

/* A list of names (or numbers below 64, with @numbers) to bits. */
static int parse_bits(struct policy_parser *ps, const struct policy_node *n, const char *what, int (*find)(const char *), bool numbers,
		      uint64_t *ret)
{
	struct policy_node at = { .up = n };
	uint32_t count, value;
	int r = policy_get_list(ps, n, 1, 64, &count);

	if (r < 0)
		return r;
	cJSON_ArrayForEach(at.value, n->value) {
		if (!numbers && !cJSON_IsString(at.value))
			return policy_fail(ps, &at, "must be the name of a %s", what);
		r = policy_get_named(ps, &at, what, find, 0, 63, &value);
		if (r < 0)
			return r;
		*ret |= 1ULL << value;
		at.index++;
	}
	return 0;
}

static int parse_attach_deny(struct policy_parser *ps, const struct policy_node *n, struct bw_policy_attach *rule)
{
	static const char *const keys[] = { "ways", "attach_types", "types" };
	const cJSON *m[ARRAY_SIZE(keys)];
	int r = policy_get_members(ps, n, keys, ARRAY_SIZE(keys), m);

	if (r < 0)
		return r;
	if (!m[0] && !m[1] && !m[2])
		return policy_fail(ps, n, "\"ways\", \"attach_types\" or \"types\" is missing");
	if (m[0])
		r = parse_bits(ps, MEMBER(n, keys, m, 0), "way", bw_policy_way_id, false, &rule->ways);
	if (!r && m[1])
		r = parse_bits(ps, MEMBER(n, keys, m, 1), "attach type", bw_attach_type_id, true, &rule->attach_types);
	if (!r && m[2])
		r = parse_bits(ps, MEMBER(n, keys, m, 2), "program type", bw_prog_type_id, true, &rule->types);
	return r;
}

static int parse_texts(struct policy_parser *ps, const struct policy_node *n,
		       int (*get)(struct policy_parser *, const struct policy_node *, const char **), const char *const **ret,
		       uint32_t *ret_n)
{
	struct policy_node at = { .up = n };
	const char **list;
	int r = policy_get_list(ps, n, 1, BW_MAX_POLICY_LIST, ret_n);

	if (r < 0)
		return r;
	list = policy_alloc(ps->policy, *ret_n, sizeof(*list));
	if (!list)
		return policy_no_memory(ps);
	cJSON_ArrayForEach(at.value, n->value) {
		r = get(ps, &at, &list[at.index]);
		if (r < 0)
			return r;
		at.index++;
	}
	*ret = list;
	return 0;
}

static int parse_except(struct policy_parser *ps, const struct policy_node *n, struct bw_policy_attach *rule)
{
	static const char *const keys[] = { "loaders", "programs" };
	const cJSON *m[ARRAY_SIZE(keys)];
	int r = policy_get_members(ps, n, keys, ARRAY_SIZE(keys), m);

	if (!r && !m[0] && !m[1])
		return policy_fail(ps, n, "\"loaders\" or \"programs\" is missing");
	if (!r && m[0])
		r = parse_texts(ps, MEMBER(n, keys, m, 0), policy_get_path, &rule->loaders, &rule->n_loaders);
	if (!r && m[1])
		r = parse_texts(ps, MEMBER(n, keys, m, 1), policy_get_id, &rule->programs, &rule->n_programs);
	/* The programs come before the rules about attaching: see parse_document(). */
	for (uint32_t i = 0; !r && i < rule->n_programs; i++) {
		uint32_t k = 0;

		while (k < ps->policy->n_programs && strcmp(ps->policy->programs[k].id, rule->programs[i]))
			k++;
		if (k == ps->policy->n_programs)
			return policy_fail(ps, MEMBER(n, keys, m, 1), "there is no program \"%s\"", rule->programs[i]);
	}
	return r;
}

int policy_parse_attach(struct policy_parser *ps, const struct policy_node *n)
{
	static const char *const keys[] = { "id", "deny", "reason", "except" };
	struct policy_node at = { .up = n };
	const cJSON *m[ARRAY_SIZE(keys)];
	struct bw_policy_attach *list;
	int r = policy_get_list(ps, n, 0, BW_MAX_ATTACH_RULES, &ps->policy->n_attach);

	if (r < 0)
		return r;
	list = policy_alloc(ps->policy, ps->policy->n_attach, sizeof(*list));
	if (!list)
		return policy_no_memory(ps);
	ps->policy->attach = list;
	cJSON_ArrayForEach(at.value, n->value) {
		struct bw_policy_attach *rule = &list[at.index];

		r = policy_get_members(ps, &at, keys, ARRAY_SIZE(keys), m);
		if (r < 0)
			return r;
		for (size_t i = 0; i < 2; i++)
			if (!m[i])
				return policy_fail(ps, &at, "\"%s\" is missing", keys[i]);
		r = policy_get_id(ps, MEMBER(&at, keys, m, 0), &rule->id);
		if (!r)
			r = parse_attach_deny(ps, MEMBER(&at, keys, m, 1), rule);
		if (!r && m[2])
			r = policy_get_text(ps, MEMBER(&at, keys, m, 2), 1024, &rule->reason);
		if (!r && m[3])
			r = parse_except(ps, MEMBER(&at, keys, m, 3), rule);
		if (r < 0)
			return r;
		for (uint32_t i = 0; i < at.index; i++)
			if (!strcmp(list[i].id, rule->id))
				return policy_fail(ps, MEMBER(&at, keys, m, 0), "duplicate id \"%s\", already used by attach[%u]", rule->id, i);
		at.index++;
	}
	return 0;
}

static int parse_watched_map(struct policy_parser *ps, const struct policy_node *n, struct bw_policy_watched *map)
{
	static const char *const keys[] = { "name", "classes" };
	const cJSON *m[ARRAY_SIZE(keys)];
	uint64_t bits = 0;
	int r = policy_get_members(ps, n, keys, ARRAY_SIZE(keys), m);

	for (size_t i = 0; !r && i < ARRAY_SIZE(keys); i++)
		if (!m[i])
			return policy_fail(ps, n, "\"%s\" is missing", keys[i]);
	if (!r)
		r = policy_get_text(ps, MEMBER(n, keys, m, 0), BW_OBJ_NAME_LEN - 1, &map->name);
	if (!r)
		r = parse_bits(ps, MEMBER(n, keys, m, 1), "class of data", class_of_data_id, false, &bits);
	map->labels = (uint32_t)bits;
	return r;
}

int policy_parse_exfiltration(struct policy_parser *ps, const struct policy_node *n)
{
	static const char *const keys[] = { "action", "maps", "analyse" };
	static const char *const actions[] = { "alert", "refuse", "kill" };
	const cJSON *m[ARRAY_SIZE(keys)];
	struct bw_policy_watched *list;
	int r = policy_get_members(ps, n, keys, ARRAY_SIZE(keys), m);

	if (r < 0)
		return r;
	if (m[0]) {
		const char *action = cJSON_GetStringValue(m[0]);
		uint32_t i = 0;

		while (i < ARRAY_SIZE(actions) && (!action || strcmp(actions[i], action)))
			i++;
		if (i == ARRAY_SIZE(actions))
			return policy_fail(ps, MEMBER(n, keys, m, 0), "must be \"alert\", \"refuse\" or \"kill\"");
		ps->policy->response = i;
	}
	if (m[2]) {
		r = policy_get_bool(ps, MEMBER(n, keys, m, 2), &ps->policy->analyse);
		if (r < 0)
			return r;
	}
	if (m[1]) {
		const struct policy_node *maps = MEMBER(n, keys, m, 1);
		struct policy_node at = { .up = maps };

		r = policy_get_list(ps, maps, 1, BW_MAX_WATCHED_MAPS, &ps->policy->n_watched);
		if (r < 0)
			return r;
		list = policy_alloc(ps->policy, ps->policy->n_watched, sizeof(*list));
		if (!list)
			return policy_no_memory(ps);
		ps->policy->watched = list;
		cJSON_ArrayForEach(at.value, maps->value) {
			r = parse_watched_map(ps, &at, &list[at.index]);
			if (r < 0)
				return r;
			at.index++;
		}
	}
	return 0;
}
