/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_LOADER_H
#define BW_GUARD_LOADER_H
/*
 * Puts the guard's BPF programs into the kernel for a tier, or takes over those that an earlier guard left there.
 *
 * Persistent programs are pinned under PIN_DIR/BUILD-MECHANISM/: "BUILD" is a hash of the BPF object, so that a new version
 * of the guard never mistakes the programs of an older one for its own. The order of an upgrade is: claim the old
 * programs (so that they let this process load), load and attach the new ones, give them the policy, remove the old.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/event.h"
#include "common/feature.h"

#define LOADER_PIN_DIR "/sys/fs/bpf/bpfwarden"

enum loader_map {
	LOADER_ALERTS,
	LOADER_EVENTS,
	LOADER_CPUS,
	LOADER_SELF,
	LOADER_CONF,
	LOADER_APPROVALS,
	LOADER_BINDINGS,
	LOADER_KFUNCS,
	LOADER_CGROUPS,
	LOADER_ADMITTED,
	LOADER_HELPER_IMMS,
	LOADER_HOLD_RING,
	LOADER_HOLD_ANSWERS,
	LOADER_HOLD_GUARDS,
	LOADER_ACCESSES,
	LOADER_LABELS,
	LOADER_OWNED,
	LOADER_FILES,
	LOADER_MAPS
};

struct loader_config {
	const struct bw_features *features;
	enum bw_tier tier; /* BW_TIER_WATCH or BW_TIER_ENFORCE */
	enum bw_mechanism mechanism;
	bool persistent;     /* pin, and take over what is pinned */
	const char *pin_dir; /* on a BPF file system */
	bool protect;	     /* refuse and report what would take the guard out */
};

struct loader;

/*
 * Makes the programs that an earlier guard left in the kernel take this process for the guard. Comes before everything
 * else: they would refuse what this process loads, its probes included. -EBUSY when the guard that these programs obey is
 * running: taking them from it would leave it blind; -EPERM when they obey another executable only (self-protection).
 */
int loader_claim(const char *pin_dir);

/*
 * Loads and attaches, or adopts. On failure returns a negative errno, *ret untouched, and says in @why (one line) what
 * could not be done. loader_free() detaches what is not pinned.
 */
int loader_open(const struct loader_config *config, struct loader **ret, char *why, size_t why_len);
void loader_free(struct loader *l);
/* Unpins what was loaded here, so that loader_free() leaves nothing. */
void loader_discard(struct loader *l);
bool loader_adopted(const struct loader *l);
/* Is this one of the programs attached here, or the claim program? */
bool loader_owns(const struct loader *l, uint32_t prog_id);
/* What becomes of attempts against the guard itself: "refuse", "report", "none". */
const char *loader_protection(enum bw_tier tier, bool protect, enum bw_mode mode);
/* Hooks of self-protection that this kernel lacks, "move_mount, ..."; "" when it has all. */
const char *loader_unprotected(const struct loader *l);
int loader_map_fd(const struct loader *l, enum loader_map map);
/* Number of programs that the kernel skipped because they were already running on the CPU: verdicts not given. */
uint64_t loader_misses(const struct loader *l);
/*
 * Puts every program, map and link that this process has a descriptor of under self-protection. To be called again when there
 * are more; a map that is put into another one and then closed is given to loader_own_map(), and back when it is replaced.
 */
int loader_own(const struct loader *l);
int loader_own_map(const struct loader *l, int fd);
void loader_disown_map(const struct loader *l, uint32_t id);
/* The code of a guard that was here before: its addresses may be somebody else's by now. Identifiers are not used twice. */
void loader_disown_code(const struct loader *l);
/* For the programs: which control files to watch. */
void loader_control_names(struct bw_control_name ret[static BW_CONTROL_NAMES]);
/* Changes of these files are attempts, and of the executable: refused for BW_FILE_STATE, else reported. NULL: none. */
struct loader_files {
	const char *policy, *config, *store, *socket;
};
/* Again when there is another in the place of one. What is not there is not watched. Negative errno: not all the others are. */
int loader_note_files(const struct loader *l, const struct loader_files *files);
/* ... the one behind this path: runs the claim program. */
int loader_note_file(const struct loader *l, enum bw_file kind, const char *path);
/* The guard ends in order: the next one may be another executable (an upgrade). */
void loader_release(const struct loader *l);
/* Sums the per-CPU counters. */
int loader_stats(const struct loader *l, struct bw_stats *ret);
/* True when the hooks count a bpf() call made now by this process. */
bool loader_alive(const struct loader *l);
/* Unpins every other set of programs under the pin directory. Returns how many there were, or a negative errno. */
int loader_remove_others(const struct loader *l);
/* Unpins every set of programs; enforcement ends. Returns how many there were, or a negative errno: -EPERM as loader_claim(). */
int loader_disarm(const char *pin_dir);

#endif
