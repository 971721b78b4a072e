/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_CMD_POLICY_COMMON_H
#define BW_CMD_POLICY_COMMON_H
/* What the policy commands share. These log: they are parts of commands. */
#include <stddef.h>
#include <sys/types.h>

#include "auditor/ident.h"
#include "auditor/predict.h"
#include "common/opts.h"
#include "common/policy.h"

#define POLICY_DEFAULT_FILE "/etc/bpfwarden/policy.json"

/* Reads a policy; a mistake in it is printed as "FILE:LINE:COLUMN: FIELD: reason". */
int policy_load(const char *path, struct bw_policy **ret);

/* A policy that is being edited: its folder is locked, the text is what was read until it is written. */
struct policy_file {
	const char *path; /* as given */
	char *real;	  /* behind a symbolic link the file is replaced, not the link */
	struct bw_buf text;
	struct bw_policy *policy; /* @text, parsed */
	mode_t mode;
	int lock;
};
#define POLICY_FILE_NONE { .lock = -1 }

/* @fresh is the text of a file that does not exist yet; NULL: it must exist. Prints what is wrong. */
int policy_file_open(struct policy_file *f, const char *path, const char *fresh);
/* After a change of the text. */
int policy_file_parse(struct policy_file *f);
int policy_file_write(struct policy_file *f);
void policy_file_release(struct policy_file *f);
/* Adds @value to the list @key of the entry at @index, which has it already when @exists. */
int policy_file_extend(struct policy_file *f, uint32_t index, const char *key, bool exists, const char *value);
/* To standard error. */
void policy_file_warnings(const struct policy_file *f);

/* The BTF of --btf "VMLINUX[,MODULE...]", or (NULL) the running kernel's. Without any it goes on, with a warning. */
int policy_btf(const char *list, struct bw_kernel_btfs *ret);

/* A file with objects in it; release data and file. Prints what is wrong. */
struct policy_objects {
	char *data;
	struct bw_ident_file file;
};
int policy_objects_read(const char *path, struct policy_objects *ret);
void policy_objects_free(struct policy_objects *o);

/*
 * The name in the kernel's BTF of what a predicted program is bound to, appended to @b; returns 0 when it is bound to
 * nothing that has a name there.
 */
int policy_target_name(struct bw_buf *b, const struct bw_predicted *p);

/* Two loaders of entries: the same executable under the same conditions; one that asks for nothing but its path; texts or NULL. */
bool policy_same_loader(const struct bw_policy_loader *a, const struct bw_policy_loader *b);
bool policy_loader_open(const struct bw_policy_loader *l);
bool policy_same_text(const char *a, const char *b);

/* "none" for 0 where 0 is no attach type; NULL for what has no name (struct_ops: the index of a member). */
const char *policy_attach_type_name(uint32_t type, uint32_t attach_type);

#endif
