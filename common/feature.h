/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_FEATURE_H
#define BW_FEATURE_H
/*
 * What this host's kernel offers to the guard, found out by doing it: programs are loaded, attached, and must be seen to
 * run. Versions and configuration files are never asked.
 */
#include <stdbool.h>
#include <stddef.h>

enum bw_feature_id {
	BW_FEATURE_BPF,		/* bpf(2) may be used at all */
	BW_FEATURE_BTF,		/* the kernel describes its types */
	BW_FEATURE_RINGBUF,	/* BPF ring buffer (5.8) */
	BW_FEATURE_RAW_TP,	/* raw tracepoint programs on sys_enter/sys_exit */
	BW_FEATURE_LSM,		/* an LSM program loads, attaches and is called */
	BW_FEATURE_FMOD_RET,	/* the same for fmod_ret on security_bpf */
	BW_FEATURE_LOAD_HOOK,	/* security_bpf_prog_load exists (6.9): digest in the kernel */
	BW_FEATURE_KERNEL_ARG,	/* its "bool kernel" argument (6.15) */
	BW_FEATURE_TASK_STORAGE, /* task local storage (5.11) */
	BW_FEATURE_KALLSYMS,	/* kernel symbol addresses can be read */
	BW_FEATURE_BPFFS,	/* a BPF file system to pin in */
	BW_FEATURE_USER_NOTIF,	/* seccomp user notification: the broker */
	BW_FEATURE_COUNT
};

enum bw_feature_state {
	BW_FEATURE_NO,
	BW_FEATURE_YES,
	BW_FEATURE_OFF, /* there, but switched off by the operator */
};

struct bw_feature {
	enum bw_feature_state state;
	int error;	  /* negative errno of the step that failed, 0 if none */
	char detail[160]; /* what was seen, one line */
};

struct bw_features {
	struct bw_feature f[BW_FEATURE_COUNT];
};

enum bw_tier {
	BW_TIER_AUDIT,
	BW_TIER_WATCH,
	BW_TIER_BROKER,
	BW_TIER_ENFORCE,
};

/* Which kind of program refuses. */
enum bw_mechanism {
	BW_MECHANISM_NONE,
	BW_MECHANISM_LSM,
	BW_MECHANISM_FMOD_RET,
};

/* Runs every probe. Leaves nothing behind in the kernel. Cannot fail: what fails is a result. */
void bw_features_probe(struct bw_features *ret);
/* Applies "-name,-name" (only switching off is possible). Returns -EINVAL and the offending word in *ret_bad (borrowed). */
int bw_features_override(struct bw_features *f, const char *list, const char **ret_bad);

static inline bool bw_feature(const struct bw_features *f, enum bw_feature_id id)
{
	return f->f[id].state == BW_FEATURE_YES;
}

const char *bw_feature_name(enum bw_feature_id id);
const char *bw_feature_title(enum bw_feature_id id);
/* What it means for the guard when it is missing. */
const char *bw_feature_missing(enum bw_feature_id id);
/* What the operator can do about it. */
const char *bw_feature_remedy(enum bw_feature_id id);

/* The best tier these features allow, the mechanism of the enforce tier, and why it is not a better one ("" at the top). */
enum bw_tier bw_features_tier(const struct bw_features *f, enum bw_mechanism *ret_mechanism, char *why, size_t why_len);
const char *bw_tier_name(enum bw_tier tier);
const char *bw_mechanism_name(enum bw_mechanism mechanism);

#endif
