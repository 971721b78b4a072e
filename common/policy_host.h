/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_POLICY_HOST_H
#define BW_POLICY_HOST_H
/*
 * What a policy's names stand for on a host: files by path, kernel functions and types by BTF. The same for the guard, which
 * puts the result into the kernel, and for "policy compile", which shows it.
 */
#include "common/policy_compile.h"

struct btf;

struct bw_policy_host {
	const struct btf *btf; /* the kernel's; NULL: no target and no kfunc is known */
};

/* Reads the whole file, at most BW_MAX_OBJECT_SIZE bytes. Negative errno; -EAGAIN when it is being changed. */
int bw_policy_host_content(const char *path, struct bw_loader_content *ret);
/* Those of process 1; 0 where they cannot be seen. */
void bw_policy_host_namespaces(uint32_t *ret_mnt, uint32_t *ret_pid);
/* Does the kernel's inode have one of the members that bpf/actor.bpf.h looks for? */
bool bw_policy_host_sees_changes(const struct btf *btf);

/* @host is borrowed, and must outlive what is compiled with the result. */
struct bw_policy_env bw_policy_host_env(struct bw_policy_host *host);

#endif
