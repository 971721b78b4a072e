/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_API_TARGETS_H
#define BW_GUARD_API_TARGETS_H
/*
 * Finds the executables and libraries through which this host's processes speak TLS, and puts probes on them: once per file, for all its
 * processes; takes them off when no process has it mapped any more. Part of the privileged parent: the files are parsed in a sandbox
 * (common/sandbox.h), what comes back is checked, and a probe only ever goes to the file that was parsed.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "guard/api/probes.h"
#include "guard/api/sites.h"

#define API_MAX_TARGETS 2048u	  /* files that are known */
#define API_MAX_TARGET_LINKS 8192u /* probes, over all files */

struct api_target {
	uint32_t major, minor;
	uint64_t ino;
	enum api_stack stack;
	uint32_t sites, emulated; /* probes wanted, and of them on instructions that the kernel emulates */
	int error;		  /* negative errno: why it is not probed although it could be; 0 */
	char path[256];		  /* as first met; for people */
	/* Of this module: */
	struct bpf_link **links;
	uint32_t n_links;
	uint64_t seen; /* scan in which it was last mapped */
	bool analysed, keep;
};

struct api_targets;

struct api_targets_stats {
	uint64_t files, probed, links, failed, analysed, full;
};

/* -ENOMEM. @probes must outlive it. */
int api_targets_new(struct api_probes *probes, struct api_targets **ret);
void api_targets_free(struct api_targets *t);

/*
 * Parsing takes time, and who asks has other things to do: a call of the functions below parses at most @files new files, then leaves the
 * rest for the next call. True when it did.
 */
void api_targets_budget(struct api_targets *t, uint32_t files);
bool api_targets_pending(const struct api_targets *t);

/* The libraries of the host, whether a process uses them yet or not. */
void api_targets_preload(struct api_targets *t);
/* Looks at one process; at all of them, and forgets what none of them uses. */
void api_targets_scan_process(struct api_targets *t, pid_t pid);
void api_targets_scan_all(struct api_targets *t);

/*
 * Calls @fn for what process @pid speaks TLS with: its executable first (@exe), then libraries. A file that was not looked at (small
 * executables) comes without a stack.
 */
void api_targets_of(struct api_targets *t, pid_t pid, void (*fn)(void *arg, const struct api_target *target, bool exe), void *arg);
const struct api_targets_stats *api_targets_stats(const struct api_targets *t);

#endif
