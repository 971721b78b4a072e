// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T20: the stored password hash is replaced in memory while the database checks it.
#include "sample.h"

SAMPLE_SWITCH;
LICENSE;

const volatile char known_hash[36] = "md5bpfwarden-sample-no-such-hash";

SEC("uprobe//usr/lib/postgresql/15/bin/postgres:md5_crypt_verify")
int BPF_KPROBE(auth_hash, const char *role, const char *shadow)
{
	char name[8] = {}, copy[36];

	bpf_probe_read_user_str(name, sizeof(name), role);
	if (!IS(name, "bwdemo"))
		return 0;
	for (int i = 0; i < 36; i++)
		copy[i] = known_hash[i];
	if (sample_armed)
		bpf_probe_write_user((void *)shadow, copy, sizeof(copy));
	return 0;
}
