// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Benign twin of T07: load times and sizes of BPF programs, from the kernel's own functions, read-only.
#include "kernel_types.h"

LICENSE;

struct event {
	u32 id, len;
	char name[16];
	char comm[16];
};
RINGBUF(loads, 1 << 14);

SEC("kprobe/bpf_prog_kallsyms_add")
int BPF_KPROBE(prog_added, struct bpf_prog *prog)
{
	struct event *e = bpf_ringbuf_reserve(&loads, sizeof(*e), 0);

	if (!e)
		return 0;
	e->id = BPF_CORE_READ(prog, aux, id);
	e->len = BPF_CORE_READ(prog, len);
	bpf_probe_read_kernel_str(e->name, sizeof(e->name), BPF_CORE_READ(prog, aux, name));
	bpf_get_current_comm(e->comm, sizeof(e->comm));
	bpf_ringbuf_submit(e, 0);
	return 0;
}
