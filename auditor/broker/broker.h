/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_BROKER_H
#define BW_BROKER_H
/*
 * bpfwarden run: a command whose BPF calls are made for it. A seccomp filter (seccomp_unotify(2)) stops each call of the command and of
 * whatever it starts; the supervisor copies the arguments, judges the copy, makes the call on the copy, and hands the
 * descriptor back. What another thread writes into the arguments meanwhile changes nothing: they are read once.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/buf.h"

/* Bytes of one pointer argument that are copied: the kernel's own maxima, or more than any loader uses. */
#define BROKER_MAX_ATTR	 4096u
#define BROKER_MAX_LOG	 (16u << 20)
#define BROKER_MAX_INFO	 (32u << 20) /* function and line information, CO-RE records */
#define BROKER_MAX_FDS	 4096u	     /* descriptors that one load refers to */
#define BROKER_MAX_NAME	 4096u
/* Programs of one process that are analysed together, by the maps they share. */
#define BROKER_MAX_RECENT 64u

struct broker_config {
	const char *policy; /* path; NULL: by analysis alone */
	const char *record; /* write what the command would need, as a policy; everything is allowed */
	const char *output; /* JSON lines, appended; "-" for standard error; NULL: only refusals, as text */
	bool dry_run;	    /* loads are judged, not made: the command gets descriptors of nothing */
	bool confine;	    /* no objects by identifier or pin: only what the command made itself */
};

/* Runs @argv. Returns its exit status (128 + signal), or a negative errno after saying why. */
int broker_run(const struct broker_config *config, char *const *argv);

/* ---- filter.c --------------------------------------------------------------------------------------------------------- */

/*
 * In the child, before exec: installs the filter and sends its listening descriptor through @socket. @no_new_privs where the caller may
 * not do without (everybody but root). 0 or -errno.
 */
int broker_filter_install(int socket, bool no_new_privs);
/* Beside the filter: the descriptor that the child sent; -errno. */
int broker_filter_receive(int socket);

/* ---- target.c: the process whose call it is ------------------------------------------------------------------------------ */

struct broker_target {
	uint64_t id; /* of the notification */
	int listener;
	pid_t tid, tgid;
	int memory; /* /proc/TID/mem */
	int pidfd;
	uint32_t uid;
	bool capable; /* CAP_BPF or CAP_SYS_ADMIN, effective, in the supervisor's user namespace */
	bool compat;  /* 32-bit entry */
	uint32_t exe_dev; /* as in struct bw_actor */
	uint64_t exe_ino;
	char comm[17];
	char exe[256];
};

/* -ENOENT: the call was given up meanwhile. Release with broker_target_close() in every case. */
int broker_target_open(int listener, uint64_t id, pid_t tid, bool compat, struct broker_target *ret);
void broker_target_close(struct broker_target *t);
/* Exactly @len bytes at @address; -EFAULT. */
int broker_read(const struct broker_target *t, uint64_t address, void *ret, size_t len);
/* With the rights of the page: what the target may not write is not written. */
int broker_write(const struct broker_target *t, uint64_t address, const void *data, size_t len);
/* A NUL-terminated string of at most @size - 1 bytes; -ENAMETOOLONG. */
int broker_read_string(const struct broker_target *t, uint64_t address, char *ret, size_t size);
/* A duplicate of the target's descriptor; -EBADF and so on. */
int broker_dup(const struct broker_target *t, int fd);
/* Gives @fd to the target; the number there, or -errno. */
int broker_give(const struct broker_target *t, int fd);

/* ---- load.c -------------------------------------------------------------------------------------------------------------- */

struct bpf_insn;
struct broker_map {
	uint32_t ref; /* the number in the instruction */
	bool by_index;
	uint32_t id, type, key_size, value_size, max_entries, flags;
	char name[17];
};

/* A load as copied. Descriptors in it are the supervisor's. */
struct broker_load {
	uint32_t prog_type, attach_type, flags, attach_btf_id;
	bool attach_elsewhere; /* the target is in another program's or a module's BTF */
	bool token, sleepable;
	char name[17];
	struct bpf_insn *insns; /* as given; for the kernel the numbers in them are replaced in a copy */
	uint32_t n_insns;
	struct broker_map *maps;
	uint32_t n_maps;
	uint8_t digest[32];
	/* private to load.c */
	struct broker_attr *attr;
};

/* Copies everything that BPF_PROG_LOAD refers to. 0, or the errno that the kernel would give. */
int broker_load_copy(const struct broker_target *t, uint64_t attr, uint32_t size, struct broker_load *ret);
/* Makes the call. A descriptor of the supervisor, or -errno; the log is written to the target either way. */
int broker_load_execute(const struct broker_target *t, struct broker_load *l);
void broker_load_free(struct broker_load *l);

/* ---- judge.c ------------------------------------------------------------------------------------------------------------- */

struct broker_judge;
struct broker_verdict {
	bool allow;
	const char *reason; /* static: "approved", "rule", "finding", ... */
	char detail[512];   /* entry, rule, or the finding; "" for none */
};

/* Logs what is wrong. @policy may be NULL. */
int broker_judge_open(const char *policy, struct broker_judge **ret);
void broker_judge_free(struct broker_judge *j);
int broker_judge_load(struct broker_judge *j, const struct broker_target *t, const struct broker_load *l, struct broker_verdict *ret);
/* A classic filter has no identity: the default for socket filters decides. */
void broker_judge_classic(const struct broker_judge *j, struct broker_verdict *ret);

/* ---- record.c ------------------------------------------------------------------------------------------------------------ */

struct broker_record;
int broker_record_open(struct broker_record **ret);
int broker_record_add(struct broker_record *r, const struct broker_target *t, const struct broker_load *l);
/* Writes the policy: one entry a program and loader. 0 or -errno. */
int broker_record_write(const struct broker_record *r, const char *path);
void broker_record_free(struct broker_record *r);

#endif
