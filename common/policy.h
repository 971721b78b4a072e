/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_POLICY_H
#define BW_POLICY_H
/*
 * A policy document (rules/README.md explains the format; rules/schema/policy-v1.schema.json states it), parsed strictly:
 * what is not understood is an error with its place in the file, never ignored.
 *
 * Everything inside struct bw_policy belongs to it, is read-only, and lives until bw_policy_free().
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "bpf/event.h"
#include "common/cleanup.h"

#define BW_POLICY_VERSION 1
/* Entries of one list inside a program or a rule (digests, loaders, names). */
#define BW_MAX_POLICY_LIST 1024u
/* Programs in one policy. */
#define BW_MAX_POLICY_PROGRAMS 1000000u
/* JSON values in one policy file: bounds the memory that reading it takes. */
#define BW_MAX_POLICY_VALUES (4u << 20)
/* An expected attach type; for struct_ops it is the index of a member. */
#define BW_MAX_ATTACH_TYPE 65535u
/* The largest integer that every JSON reader keeps exact. */
#define BW_MAX_POLICY_INT ((1ULL << 53) - 1)

/* Program types share a default by class; bw_policy_class() says which belongs where. */
enum bw_policy_class {
	BW_CLASS_TRACING,	/* kprobe, tracepoint, perf_event, raw_tracepoint, raw_tracepoint_writable, tracing */
	BW_CLASS_NETWORKING,	/* sched_*, xdp, lwt_*, sk_skb, sk_msg, sk_lookup, sk_reuseport, flow_dissector, netfilter */
	BW_CLASS_CGROUP,	/* cgroup_*, sock_ops */
	BW_CLASS_LSM,		/* lsm */
	BW_CLASS_SOCKET_FILTER, /* socket_filter */
	BW_CLASS_OTHER,		/* ext, struct_ops, syscall, lirc_mode2 and whatever a newer kernel brings */
	BW_CLASS_COUNT
};

struct bw_policy_tag {
	uint8_t tag[BW_TAG_LEN];
	uint32_t instructions;
};

#define BW_MAX_LOADER_HASHES 16u

/* An executable, and what else must be so when it loads. */
struct bw_policy_loader {
	const char *path; /* absolute; NULL: any, in the cgroups that are named */
	const uint8_t (*sha256)[32]; /* of its contents, any of these; none: whatever they are */
	uint8_t verity[32];	     /* fs-verity digest (SHA-256) */
	bool has_verity;
	bool host_namespaces;	     /* in the mount and PID namespaces of process 1 */
	uint32_t n_sha256, n_uids;
	uint32_t uids[BW_MAX_CONDITION_UIDS]; /* none: any user */
	const char *cgroups[BW_MAX_CONDITION_CGROUPS]; /* bw_cgroup_pattern_parse(); none: any */
	uint32_t n_cgroups;
};

/*
 * "/system.slice/nginx.service", "/system.slice/docker-*.scope": the cgroup and those below it. Returns 0, or
 * -EINVAL with what is wrong in *ret_why.
 */
int bw_cgroup_pattern_parse(const char *text, struct bw_cgroup_pattern *ret, const char **ret_why);

#define BW_POLICY_CANONICAL_LEN 32
#define BW_MAX_POLICY_MAPS 1024u
#define BW_MAX_POLICY_ATTACK 16u

struct bw_policy_map {
	const char *name;
	uint8_t definition[BW_POLICY_CANONICAL_LEN];
};

/*
 * The canonical identity that was approved, the same for every kernel and loader: what digests are derived from (policy
 * compile) and compared with (check). The kernel knows nothing of it. The parts say what differs when it does.
 */
struct bw_policy_canonical {
	uint8_t identity[BW_POLICY_CANONICAL_LEN];
	const char *source; /* name of the object; NULL when absent */
	uint8_t code[BW_POLICY_CANONICAL_LEN], rodata[BW_POLICY_CANONICAL_LEN], data[BW_POLICY_CANONICAL_LEN];
	bool has_code, has_rodata, has_data;
	const struct bw_policy_map *maps;
	uint32_t n_maps;
};

/* "This identity is approved, loaded by one of these, attached to one of these." */
struct bw_policy_program {
	const char *id;
	const char *name;   /* NULL when absent; informative, as the next */
	const char *reason; /* NULL when absent */
	const uint8_t (*digests)[BW_DIGEST_LEN]; /* load digests, one per kernel it relocates differently on */
	const struct bw_policy_tag *tags;	 /* for kernels before 6.9, where only the tag is known */
	const struct bw_policy_canonical *canonicals;
	const struct bw_policy_loader *loaders;	 /* none: any */
	const char *const *targets;		 /* names in the kernel's BTF, "bpf_lsm_file_open"; none: any */
	const char *const *kfuncs;		 /* informative: what it calls */
	uint64_t helpers[BW_HELPER_WORDS];	 /* informative: what it calls; all zero when not stated */
	uint32_t n_digests, n_tags, n_canonicals, n_loaders, n_targets, n_kfuncs;
	uint32_t type;
	uint32_t attach_type; /* meaningless with any_attach_type */
	bool any_attach_type;
};

/* "Nothing that does this may be loaded": all conditions that are stated must hold. Comes before every approval. */
struct bw_policy_rule {
	const char *id;
	const char *reason;		   /* NULL when absent */
	const char *const *attack;	   /* MITRE ATT&CK techniques, "T1014" or "T1562.001" */
	uint32_t n_attack;
	uint64_t helpers[BW_HELPER_WORDS]; /* any of them; all zero: no condition */
	uint64_t types;			   /* any of them, a bit per program type; zero: no condition */
	const char *const *kfuncs;	   /* any of them */
	uint32_t n_kfuncs;
	bool any_kfunc; /* "*" */
};

/* Words of the auditor's findings, in its order (auditor/finding.h). */
#define BW_POLICY_SEVERITIES 5
#define BW_POLICY_SEVERITY_HIGH 3
#define BW_POLICY_KINDS 3
#define BW_POLICY_KIND_ATTACK 1
#define BW_MAX_POLICY_REFUSALS 16u
#define BW_MAX_POLICY_WORDS 16u /* of one list in a refusal */
#define BW_MAX_POLICY_WORD 32u	/* bytes of one, with its end */
#define BW_MAX_POLICY_WAIT_MS 1000u
#define BW_MAX_POLICY_CALLER_MS 60000u

struct bw_policy_words {
	uint32_t n; /* 0: no condition */
	char words[BW_MAX_POLICY_WORDS][BW_MAX_POLICY_WORD];
};

/* "Programs with such a finding are refused": all that is stated must hold. */
struct bw_policy_refusal {
	uint32_t severity; /* this one or above */
	uint32_t kinds;	   /* a bit per kind */
	struct bw_policy_words rules, sources, channels; /* any word of each */
};

/* Mode protect: what becomes of a program that nobody approved. Flat: it is handed from process to process. */
struct bw_policy_protect {
	uint32_t n_refusals;
	uint32_t wait_ms;   /* of one try of the loader */
	uint32_t caller_ms; /* of one process within 10 seconds */
	uint8_t on_timeout, on_incomplete; /* enum bw_verdict */
	uint8_t pad[2];
	struct bw_policy_refusal refusals[BW_MAX_POLICY_REFUSALS];
};

/* Is all of it in bounds? For who got it from a process that read somebody's policy. */
bool bw_policy_protect_valid(const struct bw_policy_protect *p);
const char *bw_policy_severity_name(unsigned int severity); /* "?" for an unknown one */
const char *bw_policy_kind_name(unsigned int kind);
/* Does a finding, given by the numbers of its severity and kind, keep a program out? */
bool bw_policy_refuses(const struct bw_policy_protect *p, unsigned int severity, unsigned int kind, const char *rule,
		       const char *source, const char *channel);

/* "Nobody attaches that way, but for these": all conditions that are stated must hold. */
struct bw_policy_attach {
	const char *id;
	const char *reason;    /* NULL when absent */
	uint64_t ways;	       /* a bit per enum bw_way; zero: no condition */
	uint64_t attach_types; /* a bit per attach type; zero: no condition */
	uint64_t types;	       /* a bit per program type; zero: no condition */
	const char *const *loaders;  /* executables that may */
	const char *const *programs; /* ids of approvals whose programs may */
	uint32_t n_loaders, n_programs;
};

/* Maps of this name hold such data. */
struct bw_policy_watched {
	const char *name;
	uint32_t labels; /* a bit per class of data */
};

struct bw_policy {
	const char *name; /* NULL when absent */
	uint64_t serial;  /* 0 when absent */
	int64_t expires;  /* seconds since 1970, UTC; 0 when absent. For who verifies a signature */
	bool allow_init;
	bool allow_inert;
	uint32_t inert_max_instructions;
	uint8_t defaults[BW_CLASS_COUNT]; /* enum bw_verdict */
	struct bw_policy_protect protect;
	const struct bw_policy_program *programs;
	uint32_t n_programs;
	const struct bw_policy_rule *rules;
	uint32_t n_rules;
	const struct bw_policy_attach *attach;
	uint32_t n_attach;
	uint32_t response; /* enum bw_response to who sends what it read from a labelled map */
	bool analyse; /* programs that are let in, for labels of their maps */
	const struct bw_policy_watched *watched;
	uint32_t n_watched;
	struct bw_policy_chunk *memory; /* private: what all of the above lives in */
};

/* Why a policy was refused. One line; the text is printable whatever the file contains. */
struct bw_policy_error {
	unsigned int line, column; /* from 1; 0 when the file could not be read at all */
	char field[160];	   /* "programs[3].digests[0]"; empty for the file as a whole */
	char reason[256];
};

/*
 * Parses @text. Returns 0, -EBADMSG (not JSON), -EINVAL (JSON, but not a policy), -E2BIG (a maximum was reached) or
 * -ENOMEM; *ret_error is filled with every failure.
 */
int bw_policy_parse(const char *text, size_t len, struct bw_policy **ret, struct bw_policy_error *ret_error);

/* The text of a policy file, for who parses it elsewhere; the caller frees it. Errors as those of bw_file_read(), explained. */
int bw_policy_text(const char *path, char **ret_text, size_t *ret_len, struct bw_policy_error *ret_error);

/* Reads and parses a file; in addition what bw_file_read() returns (-EISDIR, -EFBIG, -EACCES, -ENOENT, ...). */
int bw_policy_read(const char *path, struct bw_policy **ret, struct bw_policy_error *ret_error);

void bw_policy_free(struct bw_policy *p);

/* "FILE:LINE:COLUMN: FIELD: reason", without the parts that do not exist; no newline. Returns @dst. */
char *bw_policy_error_format(const struct bw_policy_error *e, const char *file, char *dst, size_t size);

enum bw_policy_class bw_policy_class(uint32_t prog_type);
const char *bw_policy_class_name(enum bw_policy_class c);

/* "link" ... "fd_passed", by enum bw_way; NULL for others. */
const char *bw_policy_way_name(uint32_t way);
int bw_policy_way_id(const char *name); /* -ENOENT */

/* Classes of data, by bit of a label: the auditor's (auditor/flow.h, bw_source_name()). NULL beyond the last. */
const char *bw_policy_class_of_data(uint32_t bit);

/* Remarks about a valid policy (bw_policy_review(), bw_policy_compile()): what its author probably did not mean. */
struct bw_policy_warnings {
	char **lines; /* owned, "programs[3] (the-id): text" */
	uint32_t n;
	uint32_t more; /* further ones, not kept: BW_MAX_POLICY_WARNINGS */
};
#define BW_MAX_POLICY_WARNINGS 1000u
int bw_policy_warn(struct bw_policy_warnings *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void bw_policy_warnings_free(struct bw_policy_warnings *w);

/*
 * Looks for approvals that a deny rule takes back, attach types that do not belong to the program's type, entries
 * without a reason. Returns 0 or -ENOMEM; appends to *w.
 */
int bw_policy_review(const struct bw_policy *p, struct bw_policy_warnings *w);

static inline void bw_policy_freep(struct bw_policy **p)
{
	bw_policy_free(*p);
}
#define _cleanup_policy_ BW_CLEANUP(bw_policy_freep)

#endif
