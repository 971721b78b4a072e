/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_BPF_NAMES_H
#define BW_BPF_NAMES_H
/*
 * Names of the numbers of the bpf(2) interface, both ways, for all kernels up to the one common/bpf_names_table.h was
 * generated from. Spelling: the uapi constant without its prefix, in lower case (helpers: without "bpf_"):
 * "probe_read_kernel", "raw_tracepoint", "trace_fentry", "percpu_array", "kprobe_multi", "prog_load".
 *
 * bw_*_name() returns NULL for a number that has no name yet; bw_*_id() returns -ENOENT for an unknown name.
 */
#include <stdbool.h>
#include <stdint.h>

const char *bw_helper_name(uint32_t id); /* helper 0 does not exist */
const char *bw_prog_type_name(uint32_t type);
const char *bw_attach_type_name(uint32_t type);
const char *bw_map_type_name(uint32_t type);
const char *bw_link_type_name(uint32_t type);
const char *bw_command_name(uint32_t cmd);

int bw_helper_id(const char *name);
int bw_prog_type_id(const char *name);
int bw_attach_type_id(const char *name);
int bw_map_type_id(const char *name);
int bw_link_type_id(const char *name);
int bw_command_id(const char *name);

/* One more than the largest number known. */
uint32_t bw_helper_count(void);
uint32_t bw_prog_type_count(void);
uint32_t bw_attach_type_count(void);

/*
 * The expected attach types with which programs of @type are loaded: those the kernel accepts (bpf_prog_load_check_attach()
 * in kernel/bpf/syscall.c), narrowed to what loaders use where the kernel takes any number. Zero is among them where a
 * loader may leave it out. For struct_ops the number is the index of a member: the first 64 are returned.
 * @ret points to static memory; returns how many there are, 0 for an unknown type.
 */
unsigned int bw_prog_type_attach_types(uint32_t type, const uint8_t **ret);

/*
 * The attach type that a load with 0 means: the kernel replaces 0 by it before the load is judged
 * (bpf_prog_load_fixup_attach_type(); who reads the arguments of the system call instead still sees 0), or treats the two
 * alike. 0 when there is none.
 */
uint32_t bw_prog_type_zero_means(uint32_t type);

#endif
