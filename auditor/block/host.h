/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_BLOCK_HOST_H
#define BW_BLOCK_HOST_H
/*
 * What makes blocks true on this host. Needs root (CAP_NET_ADMIN, CAP_BPF). Every function returns 0 or a negative errno, and says in
 * @why (for people) what went wrong. docs/remediation.md.
 */
#include "auditor/block/block.h"

struct block_server {
	enum block_server_kind kind;
	char file[1024];	/* written by us, read by the server */
	char server_file[1024]; /* nginx: what each server {} includes */
	char login_header[64];	/* "": HTTP Basic */
	char **test, **reload;	/* argv, NULL-terminated; NULL: none */
};

struct block_config {
	struct block_prefix never[BLOCK_MAX_NEVER];
	uint32_t n_never;
	uint32_t limit;
	struct block_server servers[BLOCK_MAX_SERVERS];
	uint32_t n_servers;
};

/*
 * Reads the settings. It names commands that will be run: a file that others than its owner, root or the caller, can write is -EPERM. A file
 * that is not there is fine when @must is false.
 */
int block_config_read(const char *path, bool must, struct block_config *ret, char *why, size_t size);
void block_config_free(struct block_config *c);

/*
 * Adds what must never be cut off: this host's addresses, its default gateways, the other ends of the SSH sessions that this process descends
 * from. -E2BIG.
 */
int block_never_host(struct block_config *c);

/* Runs @text (block_text_nft()) as one transaction; @check: only says whether it would work. */
int block_nft_run(const char *text, bool check, char *why, size_t size);

/*
 * Has the addresses of @l cut off by programs at the root cgroup, pinned below @pins: the way without nftables. An empty list takes them out.
 */
int block_cgroup_addresses(const char *pins, const struct block_list *l, int64_t now_s, char *why, size_t size);
/* Cuts the cgroup of @b (BLOCK_SERVICE) off from everything but its addresses. Nothing to do is fine. */
int block_cgroup_isolate(const char *pins, const struct block *b, int64_t now_s, char *why, size_t size);
/* Ends the isolation by block @id; -ENOENT: there is none. */
int block_cgroup_release(const char *pins, uint32_t id);
/* Ends what no block of @l asks for. */
void block_cgroup_tidy(const char *pins, const struct block_list *l);
/* Packets and connections refused so far by block @id (0: the addresses); -ENOENT. */
int block_cgroup_refused(const char *pins, uint32_t id, uint64_t *ret);

/* Moves process @pid into a cgroup of its own, below the one it is in. */
int block_process_move(uint32_t pid, uint32_t id, char *cgroup, size_t size, char *why, size_t why_size);
/* Moves what is in that cgroup back to the one above, and removes it. */
void block_process_restore(const char *cgroup);

/* Ends the connections to and from @p in this network namespace. -EOPNOTSUPP: this kernel cannot (CONFIG_INET_DIAG_DESTROY). */
int block_kill_connections(const struct block_prefix *p, uint32_t *ret_n);

/*
 * Writes the rules of @l for one server. When they differ from what is there: has the server test its configuration, puts the old file back
 * when that fails, and has it reload. *ret_changed says whether there was anything to do.
 */
int block_server_apply(const struct block_server *s, const struct block_list *l, bool *ret_changed, char *why, size_t size);

#endif
