// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "common/bpf_names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

struct bpf_name {
	const char *name;
	int value;
};

#include "common/bpf_names_table.h"

static int name_compare(const void *key, const void *member)
{
	return strcmp(key, ((const struct bpf_name *)member)->name);
}

static int name_find(const struct bpf_name *table, size_t n, const char *name)
{
	const struct bpf_name *found = bsearch(name, table, n, sizeof(*table), name_compare);

	return found ? found->value : -ENOENT;
}

/* bw_WHAT_name() and bw_WHAT_id() over the two generated tables of WHAT. */
#define NAMES(what)                                                                   \
	const char *bw_##what##_name(uint32_t value)                                  \
	{                                                                             \
		return value < ARRAY_SIZE(what##_names) ? what##_names[value] : NULL; \
	}                                                                             \
	int bw_##what##_id(const char *name)                                          \
	{                                                                             \
		return name_find(what##_sorted, ARRAY_SIZE(what##_sorted), name);     \
	}

NAMES(helper)
NAMES(prog_type)
NAMES(attach_type)
NAMES(map_type)
NAMES(link_type)
NAMES(command)

uint32_t bw_helper_count(void)
{
	return ARRAY_SIZE(helper_names);
}

uint32_t bw_prog_type_count(void)
{
	return ARRAY_SIZE(prog_type_names);
}

uint32_t bw_attach_type_count(void)
{
	return ARRAY_SIZE(attach_type_names);
}

/*
 * Numbers, not enum members: the build machine's linux/bpf.h may be older than the table. The test checks each against the
 * names. Program types that are not listed are loaded with 0.
 */
#define ATTACH(...) .n = sizeof((uint8_t[]){ __VA_ARGS__ }), .types = (const uint8_t[]){ __VA_ARGS__ }
static const struct {
	uint8_t n;
	const uint8_t *types;
} prog_attach_types[] = {
	[2] = { ATTACH(0, 42, 48, 56, 57) },	/* kprobe: kprobe and uprobe, multi and session */
	[3] = { ATTACH(0, 46, 47, 54, 55) },	/* sched_cls: clsact, tcx, netkit */
	[6] = { ATTACH(0, 37, 33, 35) },	/* xdp: device, devmap, cpumap */
	[8] = { ATTACH(0, 1) },			/* cgroup_skb: ingress is 0 */
	[9] = { ATTACH(0, 2, 34, 12, 13) },	/* cgroup_sock: create, release, post_bind */
	[13] = { ATTACH(0, 3) },		/* sock_ops */
	[14] = { ATTACH(0, 4, 5, 38) },		/* sk_skb */
	[15] = { ATTACH(0, 6) },		/* cgroup_device */
	[16] = { ATTACH(0, 7) },		/* sk_msg */
	[18] = { ATTACH(8, 9, 10, 11, 14, 15, 19, 20, 29, 30, 31, 32, 49, 50, 51, 52, 53) }, /* cgroup_sock_addr */
	[20] = { ATTACH(0, 16) },		/* lirc_mode2 */
	[21] = { ATTACH(0, 39, 40) },		/* sk_reuseport */
	[22] = { ATTACH(0, 17) },		/* flow_dissector */
	[23] = { ATTACH(0, 18) },		/* cgroup_sysctl */
	[25] = { ATTACH(21, 22) },		/* cgroup_sockopt */
	[26] = { ATTACH(23, 24, 25, 26, 28, 58, 59, 60, 61) }, /* tracing */
	[27] = { ATTACH(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27,
			28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52,
			53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63) }, /* struct_ops: a member's index */
	[29] = { ATTACH(27, 43) },		/* lsm: mac, cgroup */
	[30] = { ATTACH(36) },			/* sk_lookup */
	[32] = { ATTACH(45) },			/* netfilter */
};

unsigned int bw_prog_type_attach_types(uint32_t type, const uint8_t **ret)
{
	static const uint8_t zero[] = { 0 };

	if (!type || type >= ARRAY_SIZE(prog_type_names))
		return 0;
	if (type < ARRAY_SIZE(prog_attach_types) && prog_attach_types[type].n) {
		*ret = prog_attach_types[type].types;
		return prog_attach_types[type].n;
	}
	*ret = zero;
	return 1;
}

uint32_t bw_prog_type_zero_means(uint32_t type)
{
	switch (type) {
	case 6: /* xdp: libbpf states it, cilium/ebpf does not; the kernel asks only for xdp_devmap and xdp_cpumap */
		return 37; /* xdp */
	case 9: /* cgroup_sock */
		return 2; /* cgroup_inet_sock_create */
	case 21: /* sk_reuseport */
		return 39; /* sk_reuseport_select */
	}
	return 0;
}
