/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_CMD_BLOCK_COMMON_H
#define BW_CMD_BLOCK_COMMON_H
/* Shared by the commands "bpfwarden block ...": state, settings, making it so, telling the guard. */
#include "auditor/block/host.h"
#include "common/opts.h"

#define BLOCK_DIR "/var/lib/bpfwarden-block"
#define BLOCK_CONFIG "/etc/bpfwarden/block.json"
#define BLOCK_PINS "/sys/fs/bpf/bpfwarden-block"
#define BLOCK_TABLE "bpfwarden"
#define BLOCK_STATE_FILE "blocks.json"
#define BLOCK_PENDING_FILE "events.jsonl" /* events that no guard has taken yet */
#define BLOCK_MAX_PENDING (1u << 20)	  /* bytes of it; more are counted in a last one */

struct block_run {
	/* options */
	const char *dir, *config_path, *pins, *table, *means, *socket, *state_dir;
	/* the rest */
	struct block_config config;
	struct block_list list;
	int64_t now_s;
	int lock_fd;
	bool changed; /* the list differs from the file */
};

#define BLOCK_ROWS(run)                                                                                                          \
	{ BW_OPT_STRING, 0, "dir", &(run).dir, "DIR", "where blocks are kept (default " BLOCK_DIR ")" },                           \
	{ BW_OPT_STRING, 0, "config", &(run).config_path, "FILE", "settings (default " BLOCK_CONFIG ", if it is there)" },         \
	{ BW_OPT_STRING, 0, "pin-dir", &(run).pins, "DIR", "where programs are pinned (default " BLOCK_PINS ")" },                 \
	{ BW_OPT_STRING, 0, "table", &(run).table, "NAME", "table of nftables, of family inet (default " BLOCK_TABLE ")" },        \
	{ BW_OPT_CHOICE, 0, "means", &(run).means, "auto|nftables|cgroup", "how addresses are blocked (default auto: nftables, else cgroup)" }, \
	{ BW_OPT_STRING, 0, "socket", &(run).socket, "PATH", "the guard's control socket, for events" },                           \
	{ BW_OPT_STRING, 0, "state-dir", &(run).state_dir, "DIR", "the guard's state directory: its socket is looked for there" }

/*
 * Locks and reads the state, ends what is over, and says so. Returns 0, or an exit status after saying why. @write: the state will be
 * changed; needs root.
 */
int block_begin(struct block_run *run, bool write);
/* Saves what changed, unlocks. 0 or an exit status. */
int block_end(struct block_run *run);
int block_save(struct block_run *run);
/* Makes the host as the list says. 0, or a negative errno with @why; goes on with the rest after a failure. */
int block_make_so(struct block_run *run, char *why, size_t size);
/* Undoes what a block alone has done: of a process, where it is. */
void block_undo(const struct block_run *run, const struct block *b);
/* An event of the guard: at once, or as soon as one runs. @event: "block_added", ... */
void block_tell(struct block_run *run, const char *event, const struct block *b, const char *message);
/* What is blocked, for people and events: without the values of headers and logins. */
#define BLOCK_TARGET_TEXT 1200
void block_target_text(const struct block *b, char text[BLOCK_TARGET_TEXT]);

#endif
