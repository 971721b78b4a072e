/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_DRIFT_H
#define BW_GUARD_DRIFT_H
/*
 * How far this host is from its policy: what is approved and was never loaded, what was loaded and is not approved, and by which digests
 * the approved was recognised here. Counted from the start of the worker on; entries are remembered by their ids, so that another
 * policy with the same entries changes nothing. Pure.
 */
#include "common/json.h"
#include "guard/decode.h"
#include "guard/policy_pack.h"

#define DRIFT_MAX_SEEN 65536u	   /* pairs of an approval and a digest; further ones are counted as one number */
#define DRIFT_MAX_UNAPPROVED 1024u /* digests */
#define DRIFT_LISTED 32u	   /* of each kind, in a report */

struct drift;

struct drift_counts {
	uint64_t approved;	    /* entries of the policy */
	uint64_t never_seen;	    /* of them */
	uint64_t unapproved;	    /* different programs that were loaded, or refused, without approval */
	uint64_t unapproved_loads;  /* how often, in all */
	uint64_t digests;	    /* by which approved programs were recognised */
	uint64_t forgotten;	    /* that did not fit the tables above */
};

int drift_new(struct drift **ret); /* -ENOMEM */
void drift_free(struct drift *d);

/* A load that was judged; @entry: id of the approval that applied, or NULL. */
void drift_note(struct drift *d, const struct decode_load *load, const char *entry);

/* Under a policy. Takes time in proportion to its entries. */
void drift_count(const struct drift *d, const struct policy_names *names, struct drift_counts *ret);
/* Has something come up since the last call? */
bool drift_changed(struct drift *d);

/* Members of the object that is open: the counts, and the first DRIFT_LISTED of each kind. */
void drift_status(const struct drift *d, const struct policy_names *names, struct bw_json *j);
/* The same as texts, ", " between, as many as fit. */
void drift_never_seen(const struct drift *d, const struct policy_names *names, char *dst, size_t size);
void drift_unapproved(const struct drift *d, char *dst, size_t size);

#endif
