// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "auditor/cmd/policy_common.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "auditor/policy_edit.h"
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

bool policy_same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

bool policy_loader_open(const struct bw_policy_loader *l)
{
	return !l->n_sha256 && !l->has_verity && !l->host_namespaces && !l->n_uids && !l->n_cgroups;
}

bool policy_same_loader(const struct bw_policy_loader *a, const struct bw_policy_loader *b)
{
	if (!policy_same_text(a->path, b->path) || a->n_sha256 != b->n_sha256 || a->has_verity != b->has_verity ||
	    a->host_namespaces != b->host_namespaces || a->n_uids != b->n_uids || a->n_cgroups != b->n_cgroups)
		return false;
	for (uint32_t i = 0; i < a->n_cgroups; i++)
		if (strcmp(a->cgroups[i], b->cgroups[i]))
			return false;
	return (!a->n_sha256 || !memcmp(a->sha256, b->sha256, a->n_sha256 * sizeof(*a->sha256))) &&
	       !memcmp(a->verity, b->verity, sizeof(a->verity)) && !memcmp(a->uids, b->uids, sizeof(a->uids));
}

/* ---- a policy that is being edited ---- */

int policy_file_parse(struct policy_file *f)
{
	struct bw_policy_error error;
	struct bw_policy *p = NULL;
	char line[PATH_MAX + sizeof(error)];
	int r = bw_policy_parse(bw_buf_cstr(&f->text), f->text.len, &p, &error);

	if (r < 0) {
		fprintf(stderr, "%s\n", bw_policy_error_format(&error, f->path, line, sizeof(line)));
		return r;
	}
	bw_policy_free(f->policy);
	f->policy = p;
	return 0;
}

/* The folder is locked: two of us at once would lose one's entries, and a lock on the file would end up on the replaced one. */
static int lock_folder(const char *path)
{
	_cleanup_free_ char *dir = strdup(path);
	_cleanup_close_ int lock = -1;

	if (!dir)
		return -ENOMEM;
	if (strrchr(dir, '/'))
		strrchr(dir, '/')[strrchr(dir, '/') == dir] = 0;
	lock = open(strchr(path, '/') ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (lock < 0 || flock(lock, LOCK_EX) < 0) {
		int r = -errno;

		bw_err("%s: %s", strchr(path, '/') ? dir : ".", strerror(-r));
		return r;
	}
	return TAKE_FD(lock);
}

int policy_file_open(struct policy_file *f, const char *path, const char *fresh)
{
	_cleanup_free_ char *text = NULL;
	struct stat st;
	size_t len;
	int r;

	*f = (struct policy_file){ .path = path, .text = { .max = BW_MAX_POLICY_SIZE }, .mode = 0644, .lock = -1 };
	f->real = realpath(path, NULL);
	if (!f->real)
		f->real = strdup(path);
	if (!f->real)
		return -ENOMEM;
	f->lock = lock_folder(f->real);
	if (f->lock < 0)
		return f->lock;
	if (fresh && stat(f->real, &st) < 0 && errno == ENOENT) {
		bw_buf_str(&f->text, fresh);
	} else {
		/* It has the words for everything that can be wrong with a file. */
		r = policy_load(path, &f->policy);
		if (!r)
			r = bw_file_read(f->real, BW_MAX_POLICY_SIZE, &text, &len);
		if (r < 0)
			return r;
		if (!stat(f->real, &st))
			f->mode = st.st_mode & 07777;
		bw_buf_append(&f->text, text, len);
	}
	r = bw_buf_error(&f->text);
	return r ? r : policy_file_parse(f);
}

int policy_file_write(struct policy_file *f)
{
	int r = bw_file_write_atomic(f->real, bw_buf_cstr(&f->text), f->text.len, f->mode);

	if (r < 0)
		bw_err("%s: %s", f->path, strerror(-r));
	return r;
}

void policy_file_release(struct policy_file *f)
{
	free(f->real);
	bw_buf_free(&f->text);
	bw_policy_free(f->policy);
	bw_closep(&f->lock);
	*f = (struct policy_file)POLICY_FILE_NONE;
}

int policy_file_extend(struct policy_file *f, uint32_t index, const char *key, bool exists, const char *value)
{
	_cleanup_buf_ struct bw_buf path = { 0 }, list = { 0 };

	bw_buf_printf(&path, "programs[%u]", index);
	if (exists) {
		bw_buf_printf(&path, ".%s", key);
		return policy_edit_append(&f->text, bw_buf_cstr(&path), value);
	}
	bw_buf_printf(&list, "[%s]", value);
	return policy_edit_add_member(&f->text, bw_buf_cstr(&path), key, bw_buf_cstr(&list));
}

void policy_file_warnings(const struct policy_file *f)
{
	BW_CLEANUP(bw_policy_warnings_free) struct bw_policy_warnings w = { 0 };

	bw_policy_review(f->policy, &w);
	for (uint32_t i = 0; i < w.n; i++)
		fprintf(stderr, "%s: warning: %s\n", f->path, w.lines[i]);
}

/* ---- objects ---- */

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
