// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "auditor/cmd/policy_common.h"

#include <errno.h>
#include <limits.h>
#include <linux/bpf.h>
#include <string.h>

#include "common/bpf_names.h"
#include "common/buf.h"
#include "common/limits.h"
#include "common/log.h"

int policy_load(const char *path, struct bw_policy **ret)
{
	struct bw_policy_error error;
	char line[PATH_MAX + sizeof(error)];
	int r = bw_policy_read(path, ret, &error);

	if (r < 0)
		fprintf(stderr, "%s\n", bw_policy_error_format(&error, path, line, sizeof(line)));
	return r;
}

int policy_btf(const char *list, struct bw_kernel_btfs *ret)
{
	_cleanup_free_ char *copy = list ? strdup(list) : NULL;
	char *save = NULL;
	int r;

	if (!list) {
		r = bw_kernel_btf_host(ret);
		if (r == -ENOENT) {
			bw_warn("the running kernel shows no BTF; objects that need it fail (--btf names another kernel's)");
			return 0;
		}
		if (r < 0)
			bw_err("BTF of the running kernel: %s", strerror(-r));
		return r;
	}
	if (!copy)
		return -ENOMEM;
	for (char *path = strtok_r(copy, ",", &save); path; path = strtok_r(NULL, ",", &save)) {
		r = bw_kernel_btf_add(ret, path);
		if (r < 0) {
			bw_err("%s: %s", path,
			       r == -EBADMSG ? "no BTF in it (raw, or an ELF file with a .BTF section)" : strerror(-r));
			return r;
		}
	}
	return 0;
}

int policy_objects_read(const char *path, struct policy_objects *ret)
{
	struct policy_objects o = { 0 };
	size_t len;
	int r = bw_file_read(path, BW_MAX_OBJECT_SIZE, &o.data, &len);

	if (!r)
		r = bw_ident_read(bw_slice(o.data, len), path, &o.file);
	if (!r && o.file.error) {
		bw_err("%s: %s", path, o.file.error);
		policy_objects_free(&o);
		return -EINVAL;
	}
	if (r < 0) {
		bw_err("%s: %s", path, strerror(-r));
		policy_objects_free(&o);
		return r;
	}
	*ret = o;
	return 0;
}

void policy_objects_free(struct policy_objects *o)
{
	bw_ident_free(&o->file);
	free(o->data);
	o->data = NULL;
}

int policy_target_name(struct bw_buf *b, const struct bw_predicted *p)
{
	const char *prefix = "";

	if (!p->attach_target || !p->attach_btf_id || p->flags & BW_PREDICT_TARGET_OPEN)
		return 0;
	if (p->prog_type == BPF_PROG_TYPE_LSM)
		prefix = "bpf_lsm_";
	else if (p->prog_type == BPF_PROG_TYPE_TRACING && p->expected_attach_type == BPF_TRACE_RAW_TP)
		prefix = "btf_trace_";
	else if (p->prog_type == BPF_PROG_TYPE_TRACING && p->expected_attach_type == BPF_TRACE_ITER)
		prefix = "bpf_iter_";
	else if (p->prog_type != BPF_PROG_TYPE_TRACING)
		return 0;
	if (p->attach_btf && strcmp(p->attach_btf, "vmlinux"))
		bw_buf_printf(b, "%s:", p->attach_btf);
	bw_buf_printf(b, "%s%s", strncmp(p->attach_target, prefix, strlen(prefix)) ? prefix : "", p->attach_target);
	return 1;
}

const char *policy_attach_type_name(uint32_t type, uint32_t attach_type)
{
	if (!attach_type && type != BPF_PROG_TYPE_CGROUP_SKB)
		return "none";
	return type == BPF_PROG_TYPE_STRUCT_OPS ? NULL : bw_attach_type_name(attach_type);
}
