/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_POLICY_COMPILE_H
#define BW_POLICY_COMPILE_H
/*
 * From a policy document to the exact content of the kernel's maps on one host. Pure: what depends on the host comes
 * through struct bw_policy_env. The result is arrays in map-update order, nothing is left to decide for whoever pushes them.
 */
#include "common/policy.h"

/* The kernel's maps are created for at most so many elements. */
#define BW_MAX_APPROVALS (2u << 20)
#define BW_MAX_BINDINGS (2u << 20)
#define BW_MAX_KFUNC_RULES 65536u
#define BW_MAX_CGROUP_PATTERNS 4096u

#define BW_ATTACH_TYPE_ANY (~0u)

/* What is in a file, and since when: it is unchanged as long as its inode's time of change is. */
struct bw_loader_content {
	uint64_t changed_ns; /* ns since 1970 */
	uint8_t sha256[32];
	uint8_t verity[32]; /* fs-verity digest (SHA-256), with has_verity */
	uint8_t has_verity, pad[7];
};

/*
 * What only the host knows. Each callback returns 0 or a negative errno: the name is then unresolvable, which is a warning
 * and leaves what depends on it without effect. Each is called once per distinct name (and kind). A NULL callback
 * resolves nothing.
 */
struct bw_policy_env {
	void *ctx;
	/* The file that execve(@path) would run; @ret_dev in the kernel's encoding, major << 20 | minor. */
	int (*loader)(void *ctx, const char *path, uint32_t *ret_dev, uint64_t *ret_ino);
	/* The contents of that same file. */
	int (*loader_content)(void *ctx, const char *path, struct bw_loader_content *ret);
	/* Inode numbers of the namespaces of process 1; 0: not known. */
	uint32_t mnt_ns, pid_ns;
	/* The kernel's hook can tell whether a file was changed; if not, nothing that depends on contents is approved. */
	bool sees_changes;
	/* Contents and namespaces count as what the policy says: for who asks about another host, or the past. */
	bool any_host;
	/*
	 * attach_btf_id of the thing called @name, for a program of this type: a function, a btf_trace_ typedef, a struct.
	 * @attach_type is BW_ATTACH_TYPE_ANY when the entry leaves it open.
	 */
	int (*target)(void *ctx, const char *name, uint32_t prog_type, uint32_t attach_type, uint32_t *ret_btf_id);
	/* BTF id of a kfunc. */
	int (*kfunc)(void *ctx, const char *name, uint32_t *ret_btf_id);
};

struct bw_policy_approval {
	struct bw_approval_key key;
	struct bw_approval value;
};

struct bw_policy_kfunc {
	uint32_t btf_id;
	uint32_t rules; /* bit n: the kfunc is named by rule n */
};

/*
 * What an approval index (bw_event_load.entry) stands for: one entry of the document, several with one identity, or a
 * built-in one (a loader's feature probe, approved while the inert rule is on). For a single entry the approval index is
 * its index in the document.
 */
struct bw_policy_origin {
	uint32_t first; /* index into origin_programs[]; with n == 0 the number of a built-in entry */
	uint32_t n;
};

struct bw_policy_image {
	struct bw_policy_conf conf; /* generation and mode are the guard's to set */
	struct bw_policy_approval *approvals;
	struct bw_binding_key *bindings; /* "condition" is an index of the next; the kernel gets what it stands for as value */
	struct bw_condition *conditions; /* the first has no flags */
	struct bw_policy_kfunc *kfuncs;
	struct bw_cgroup_pattern *cgroups; /* by the number that conditions have for them */
	struct bw_policy_origin *origins; /* by approval index */
	uint32_t *origin_programs;	  /* indexes into bw_policy.programs */
	uint32_t n_approvals, n_bindings, n_conditions, n_kfuncs, n_cgroups, n_origins, n_origin_programs;
};

/*
 * Returns 0, -ENOMEM or -E2BIG (more approvals, bindings, kfuncs or cgroups than the maps hold). *ret_image is then to be
 * released with bw_policy_image_free(). Warnings are appended to *w.
 */
int bw_policy_compile(const struct bw_policy *p, const struct bw_policy_env *env, struct bw_policy_image *ret_image,
		      struct bw_policy_warnings *w);
void bw_policy_image_free(struct bw_policy_image *image);

/* The ids of the entries behind an approval index, "a, b"; "?" for an index out of range. Returns @dst. */
char *bw_policy_entry_id(const struct bw_policy *p, const struct bw_policy_image *image, uint32_t entry, char *dst,
			 size_t size);

/* Helpers whose call has no effect outside the program and gives it no data to carry away: for the inert rule. */
void bw_policy_safe_helpers(__u64 ret[BW_HELPER_WORDS]);

#endif
