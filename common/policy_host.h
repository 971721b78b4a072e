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

/* @host is borrowed, and must outlive what is compiled with the result. */
struct bw_policy_env bw_policy_host_env(struct bw_policy_host *host);

#endif
