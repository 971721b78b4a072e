// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "common/policy_host.h"

#include <bpf/btf.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static int host_loader(void *ctx, const char *path, uint32_t *ret_dev, uint64_t *ret_ino)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	*ret_dev = major(st.st_dev) << 20 | minor(st.st_dev);
	*ret_ino = st.st_ino;
	return 0;
}

/* attach_btf_id as the kernel's verifier reads it: a function, "btf_trace_NAME" for tp_btf, a struct for struct_ops. */
static int host_target(void *ctx, const char *name, uint32_t prog_type, uint32_t attach_type, uint32_t *ret_btf_id)
{
	const struct bw_policy_host *host = ctx;
	char trace[256];
	int id = -ENOENT;

	if (!host->btf)
		return -ENOSYS;
	if (prog_type == BPF_PROG_TYPE_STRUCT_OPS)
		id = btf__find_by_name_kind(host->btf, name, BTF_KIND_STRUCT);
	else if (attach_type != BPF_TRACE_RAW_TP)
		id = btf__find_by_name_kind(host->btf, name, BTF_KIND_FUNC);
	if (id < 0 && prog_type == BPF_PROG_TYPE_LSM) {
		snprintf(trace, sizeof(trace), "bpf_lsm_%s", name);
		id = btf__find_by_name_kind(host->btf, trace, BTF_KIND_FUNC);
	}
	if (id < 0) {
		snprintf(trace, sizeof(trace), "btf_trace_%s", name);
		id = btf__find_by_name_kind(host->btf, strncmp(name, "btf_trace_", 10) ? trace : name, BTF_KIND_TYPEDEF);
	}
	if (id < 0)
		return id;
	*ret_btf_id = (uint32_t)id;
	return 0;
}

static int host_kfunc(void *ctx, const char *name, uint32_t *ret_btf_id)
{
	const struct bw_policy_host *host = ctx;
	int id = host->btf ? btf__find_by_name_kind(host->btf, name, BTF_KIND_FUNC) : -ENOSYS;

	if (id < 0)
		return id;
	*ret_btf_id = (uint32_t)id;
	return 0;
}

struct bw_policy_env bw_policy_host_env(struct bw_policy_host *host)
{
	return (struct bw_policy_env){ .ctx = host, .loader = host_loader, .target = host_target, .kfunc = host_kfunc };
}
