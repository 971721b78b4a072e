/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_POLICY_PACK_H
#define BW_GUARD_POLICY_PACK_H
/*
 * A compiled policy as bytes: what the process that parsed it, which has no privileges, hands to the one that puts it into the
 * kernel, and what that one passes on to the worker that explains verdicts. Pure. Host byte order: both ends are one binary.
 *
 *	head | protect | approvals | bindings | conditions | kfuncs | cgroups | techniques per rule | names | loaders | warnings | error
 *
 * Names are NUL-terminated strings: for each rule its id and its ATT&CK techniques, then for each approval index its id, then
 * for each rule about attaching its id.
 * Nothing in it is believed: every count, index, flag and string is checked by policy_unpack().
 */
#include "common/buf.h"
#include "common/policy_compile.h"
#include "common/policy_sign.h"
#include "common/slice.h"

#define POLICY_PACK_MAX (512u << 20) /* bytes */
#define POLICY_PACK_MAX_ENTRIES (BW_MAX_POLICY_PROGRAMS + BW_MAX_APPROVALS)
#define POLICY_PACK_MAX_LOADERS (4u << 20)

/* Which policy this is, and who vouches for it. Flat: it is handed from process to process. */
struct policy_release {
	uint64_t serial;    /* 0: none */
	int64_t expires;    /* seconds since 1970; 0: never */
	uint8_t sha256[32]; /* of the text */
	uint32_t trusted;   /* signers that are trusted; 0: no signature was asked for */
	char signers[512];  /* their subjects, printable */
	uint32_t pad;
};

struct policy_pack_head {
	uint32_t magic;
	int32_t result; /* 0, or the negative errno that "error" explains; nothing else is there then */
	uint32_t refused; /* enum bw_signature, of a failure; BW_SIGNATURE_OK: it is not about the signature */
	uint32_t pad;
	struct policy_release release;
	uint32_t n_programs, n_rules, n_entries;
	uint32_t n_approvals, n_bindings, n_kfuncs;
	uint32_t n_loaders; /* files whose inode was asked for and not known */
	uint32_t n_warnings, more_warnings;
	uint32_t names_len, loaders_len, warnings_len, error_len;
	uint32_t n_attach, n_conditions, n_cgroups, pad2;
	struct bw_policy_conf conf;
};

/* What explains a verdict: ids. */
struct policy_names {
	uint32_t n_programs, n_rules, n_entries, n_attach;
	uint32_t n_attack[BW_MAX_RULES];
	const char **strings; /* rules' ids and techniques, entries' ids, ids of the rules about attaching; into text */
	uint32_t first[BW_MAX_RULES]; /* index of a rule's id in strings */
	uint32_t first_entry, first_attach;
	char *text;
};

struct policy_pack {
	int result;
	enum bw_signature refused;
	struct policy_release release;
	struct bw_policy_image image; /* without origins: names stand for them */
	struct policy_names names;
	struct bw_policy_protect protect;
	struct bw_slice loaders, warnings; /* NUL-terminated strings, into the input */
	uint32_t n_loaders, n_warnings, more_warnings;
	char error[1024];
};

/* Appends a compiled policy to @out. @loaders: n_loaders NUL-terminated strings. Errors stick in @out. */
void policy_pack(const struct policy_release *release, const struct bw_policy *p, const struct bw_policy_image *image, const struct bw_policy_warnings *w,
		 const struct bw_buf *loaders, uint32_t n_loaders, struct bw_buf *out);
/* Appends a failure: a negative errno, what to say, and what is wrong with the signature if it is that. */
void policy_pack_error(int result, enum bw_signature refused, const char *error, struct bw_buf *out);

/*
 * Returns 0 (which includes packed failures: look at ret->result), -EBADMSG for what policy_pack() would not have written,
 * -ENOMEM. @in is borrowed by ret->loaders and ret->warnings.
 */
int policy_unpack(struct bw_slice in, struct policy_pack *ret);
void policy_pack_free(struct policy_pack *p);

/* Is it one that policy_pack() would have written? For who gets it from another process. */
bool policy_release_fits(const struct policy_release *r);

/* The names alone, for who only explains: written and read as above. */
void policy_names_pack(const struct policy_names *n, struct bw_buf *out);
int policy_names_unpack(struct bw_slice in, struct policy_names *ret);
void policy_names_free(struct policy_names *n);

/* NULL for an index out of range. */
const char *policy_names_rule(const struct policy_names *n, uint32_t rule);
const char *const *policy_names_attack(const struct policy_names *n, uint32_t rule, uint32_t *ret_n);
/* Of a rule about attaching. */
const char *policy_names_attach(const struct policy_names *n, uint32_t rule);
const char *policy_names_entry(const struct policy_names *n, uint32_t entry);

/* The @i-th of the strings in @s; they were checked by policy_unpack(). */
const char *policy_pack_string(struct bw_slice *s);

#endif
