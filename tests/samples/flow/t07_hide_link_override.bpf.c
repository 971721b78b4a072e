// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T07: our link ids are learnt inside the kernel, then bpf() calls that ask for them fail.
#include "kernel_types.h"

SAMPLE_SWITCH;
LICENSE;

HASH(own_progs, u32, u8, 64);
u32 loader;

SEC("kprobe/bpf_link_prime")
int BPF_KPROBE(learn_link, struct bpf_link *link)
{
	struct bpf_prog *prog = BPF_CORE_READ(link, prog);
	u32 id = BPF_CORE_READ(prog, aux, id);
	u8 one = 1;

	if (tgid() == loader)
		bpf_map_update_elem(&own_progs, &id, &one, BPF_ANY);
	return 0;
}

SEC("kprobe/__x64_sys_bpf")
int BPF_KPROBE(deny_lookup, struct pt_regs *regs)
{
	u32 id = 0;
	void *attr = (void *)PT_REGS_PARM2_CORE(regs);

	bpf_probe_read_user(&id, sizeof(id), attr);
	if (bpf_map_lookup_elem(&own_progs, &id) && sample_armed)
		bpf_override_return(ctx, -ENOENT_);
	return 0;
}
