/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_PREDICT_H
#define BW_PREDICT_H
/*
 * What a loader would give to BPF_PROG_LOAD for an object, found without loading it and without privileges: libbpf's
 * own loader runs in a sandboxed child against a fake kernel (fake_kernel.h) that has the BTF it is given.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auditor/identity.h"

#define BW_PREDICT_MAX_PROGRAMS 4096u
#define BW_PREDICT_MAX_TEXT	4096u /* one name or message that comes back */
#define BW_PREDICT_DEFAULT_MS	60000u

/* One BTF object of the kernel to predict for. */
struct bw_kernel_btf {
	char *name; /* "vmlinux", or the module's */
	char *data; /* raw BTF, not checked */
	size_t len;
};

struct bw_kernel_btfs {
	struct bw_kernel_btf *items; /* [0] is vmlinux */
	size_t n;
};

struct bw_predict_opts {
	const struct bw_kernel_btfs *btfs; /* NULL: none, objects that need it fail */
	const char *release;		   /* "6.12.0": what uname says there; NULL: the running kernel's */
	const char *kconfig;  /* text of the kernel's config; NULL: every option is off. No instruction depends on it */
	unsigned int wall_ms; /* 0: BW_PREDICT_DEFAULT_MS */
};

enum bw_predict_flag {
	/* Its attach target is a function of another program, or is chosen by its loader, or is not in the BTF. */
	BW_PREDICT_TARGET_OPEN = 1u << 0,
	/* The loader writes addresses of kernel symbols into it: neither digest nor tags can be known beforehand. */
	BW_PREDICT_ADDRESSES = 1u << 1,
	/* It refers to a variable of a module by descriptor number, which the kernel's tag covers: no tags. */
	BW_PREDICT_TAG_UNSTABLE = 1u << 2,
	/* Its section does not tell the program type: the loader sets it. */
	BW_PREDICT_TYPE_OPEN = 1u << 3,
	/* It calls a weak kernel function that is not there, and loaders write different things in such a place. */
	BW_PREDICT_KFUNC_MISSING = 1u << 4,
};

/* A map that a program refers to, as it is there. */
struct bw_predicted_map {
	uint32_t ref; /* the descriptor in the instructions */
	uint32_t id;  /* two programs of one load with the same use the same map */
	uint32_t type, key_size, value_size, max_entries, flags;
	char name[16];
	uint8_t *data; /* the value of a map with one element (.rodata, .data), NULL when not known */
	uint32_t data_len;
};

struct bw_predicted {
	char *name;
	char *section;
	char *attach_target; /* what the section names; NULL for none */
	char *attach_btf;    /* "vmlinux" or a module: what attach_btf_id is an id of; NULL for none */
	char *error;	     /* why this one cannot be loaded or predicted; NULL when it was predicted */
	bool autoload;	     /* false: loaded only when asked for (SEC("?...")) */
	uint32_t flags;	     /* enum bw_predict_flag */
	uint32_t prog_type, expected_attach_type, prog_flags, attach_btf_id;
	struct bpf_insn *insns; /* as given to BPF_PROG_LOAD; NULL after an error */
	size_t n_insns;
	struct bw_predicted_map *maps;
	size_t n_maps;
	uint8_t digest[BW_LOAD_DIGEST_LEN];
	uint8_t tag_sha1[BW_KERNEL_TAG_LEN];
	uint8_t tag_sha256[BW_KERNEL_TAG_LEN];
	struct bw_identity_summary summary;
};

struct bw_prediction {
	struct bw_predicted *programs; /* in the object's order */
	size_t n;
	char *error; /* why the object could not be read at all, or not to its end; NULL for none */
};

/*
 * @object (@len bytes of an ELF file, untrusted) for the kernel in @opts. Returns 0 and a prediction, whose errors are
 * part of it, or -ENOMEM. The caller frees it.
 */
int bw_predict(const void *object, size_t len, const struct bw_predict_opts *opts, struct bw_prediction *ret);
void bw_prediction_free(struct bw_prediction *p);
/* Whether every program was predicted. */
bool bw_prediction_complete(const struct bw_prediction *p);

/*
 * Adds the BTF in @path, raw or in the .BTF section of a 64-bit little-endian ELF file. The first one is vmlinux,
 * whatever its file is called; the others are its modules, named after their files. -EBADMSG when there is no BTF in
 * it.
 */
int bw_kernel_btf_add(struct bw_kernel_btfs *b, const char *path);
/* The running kernel's, modules included: readable by everybody where the kernel has it at all. */
int bw_kernel_btf_host(struct bw_kernel_btfs *b);
void bw_kernel_btf_free(struct bw_kernel_btfs *b);

#endif
