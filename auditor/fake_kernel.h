/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_FAKE_KERNEL_H
#define BW_FAKE_KERNEL_H
/*
 * The kernel that libbpf talks to while the prediction runs its loader: answers the system calls of a sandboxed child
 * (bw_sandbox_trap_fn). Maps, BTF and programs are memory files; BPF_PROG_LOAD keeps the instructions. One per process,
 * for the process's life: only for use inside bw_sandbox_run(), with its memfd option.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/bpf.h>

#define FAKE_MAX_OBJECTS 65536u /* descriptors handed out */
/* Where the object itself can be opened, for the functions of libbpf that want a file. */
#define FAKE_OBJECT_PATH "/object"
#define FAKE_MAX_BTF	 512u /* vmlinux and modules */

struct fake_btf {
	const char *name; /* "vmlinux" for the first; a module's name */
	const void *data; /* raw BTF; borrowed */
	size_t len;
};

struct fake_kernel {
	const char *release;	    /* what uname says */
	const struct fake_btf *btf; /* borrowed; [0] is vmlinux, the others are its modules */
	size_t n_btf;
	const char *kallsyms; /* content of /proc/kallsyms; borrowed */
	const void *object;   /* content of FAKE_OBJECT_PATH; borrowed */
	size_t object_len;
	unsigned int max_helper; /* programs of feature probes that call this or a higher id are refused; 0: none */
};

#define FAKE_MAX_LOAD_MAPS 1024u	   /* maps that one program refers to */
#define FAKE_MAX_MAP_DATA (64u << 10) /* of the value of a map with one element that is kept */

/* A map that a program refers to. */
struct fake_map {
	uint32_t ref; /* the descriptor in the instructions */
	uint32_t id;  /* of the map: two programs with the same use the same map */
	uint32_t type, key_size, value_size, max_entries, flags;
	char name[BPF_OBJ_NAME_LEN];
	const void *data; /* the only element's value, when one was stored; owned by the fake kernel */
	uint32_t data_len;
};

/* What BPF_PROG_LOAD was given. */
struct fake_load {
	uint32_t prog_type, expected_attach_type, prog_flags, attach_btf_id;
	const char *attach_btf; /* name of the BTF object that attach_btf_id is of; NULL for a program's */
	struct bpf_insn *insns; /* owned by the fake kernel */
	uint32_t insn_cnt;
	struct fake_map *maps; /* owned by the fake kernel */
	uint32_t n_maps;
};

/* Takes effect for fake_kernel_trap(); @conf is borrowed and may be changed between two loads. */
void fake_kernel_set(const struct fake_kernel *conf);
long fake_kernel_trap(void *ctx, long nr, const unsigned long args[6]);

/* What was loaded to get @prog_fd; NULL when it is not such a descriptor. */
const struct fake_load *fake_kernel_load(int prog_fd);

/*
 * A descriptor of a program that was never loaded and whose BTF is @btf (@len bytes, borrowed): something for freplace
 * and fentry programs to attach to. Returns it or -errno.
 */
int fake_kernel_target(const void *btf, size_t len);

/* Forgets all loads and targets: their descriptors were closed. */
void fake_kernel_reset(void);

#endif
