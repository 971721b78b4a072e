/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_GUARD_DECODE_H
#define BW_GUARD_DECODE_H
/*
 * Ring-buffer records (bpf/event.h) to host structures. Pure: no I/O, no clock, no allocation. A record is untrusted:
 * nothing of it is used before its version, type, size, lengths and enumerations were checked. Strings come out
 * NUL-terminated and otherwise as the kernel gave them; whoever prints them makes them safe.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/event.h"

/* Room for a path all of whose bytes had to be escaped (see decode_path()). */
#define DECODE_PATH_MAX (4 * BW_PATH_LEN + 8)

struct decode_actor {
	uint32_t pid, tgid, ppid, uid, gid;
	uint64_t start_ns; /* CLOCK_BOOTTIME */
	uint32_t exe_major, exe_minor;
	uint32_t exe_dev; /* as in struct bw_actor */
	uint64_t exe_ino;
	uint64_t cgroup_id;
	uint32_t pid_ns, mnt_ns, user_ns, net_ns;
	char comm[BW_COMM_LEN + 1];
	char exe[DECODE_PATH_MAX]; /* absolute; "" when unknown; starts with ".../" when truncated at the root end */
	bool exe_truncated;
};

struct decode_load {
	uint32_t prog_type, expected_attach_type, prog_flags, insn_cnt, attach_btf_id, prog_id;
	char name[BW_OBJ_NAME_LEN + 1];
	enum bw_identity identity;
	uint8_t digest[BW_DIGEST_LEN]; /* by identity */
	uint8_t tag[BW_TAG_LEN];
	uint64_t helpers[BW_HELPER_WORDS];
	uint32_t kfunc_count;
	uint32_t kfunc_ids[BW_MAX_KFUNC_IDS];
	unsigned int n_kfunc_ids;
	uint32_t load_flags;
	enum bw_verdict verdict;
	enum bw_action action;
	enum bw_reason reason;
	uint32_t rule, entry;
	int32_t error;
	uint64_t hook_ns;
	uint64_t generation;
	uint64_t nonce, wait_ns;
	enum bw_hold hold;
	uint8_t attempt;
};

struct decode_command {
	uint32_t cmd, flags, size;
	int32_t error;
	uint64_t attr[16];
	unsigned int attr_len; /* bytes of attr[] that the caller gave: min(size, 128) */
	uint32_t prog_id;
	enum bw_action action;
	enum bw_reason reason;
};

struct decode_map {
	uint32_t map_id, map_type, key_size, value_size, max_entries, map_flags, cmd, fmode;
	char name[BW_OBJ_NAME_LEN + 1];
};

struct decode_attach {
	uint64_t attr[BW_ATTR_LEN / 8]; /* by way: see struct bw_event_attach */
	unsigned int attr_len;		/* bytes of it that are meant */
	struct bw_prog_ref prog;	/* name[] ends with a NUL */
	enum bw_way way;
	uint32_t request;
	uint32_t flags; /* enum bw_attach_flag */
	int32_t error;	/* with BW_ATTACH_HAS_RESULT */
	uint32_t attach_type; /* ~0: none */
	uint32_t old_prog_id, target_prog_id, link_id, link_type, map_id, map_type, perf_type;
	uint64_t target_ino, perf_config, offset;
	char text[BW_PATH_LEN + 1];
	enum bw_action action;
	enum bw_reason reason;
	uint32_t rule;
	uint64_t generation;
	uint32_t attempts; /* of asking for identifiers that there are not; 0: it is about something else */
	uint32_t n_insns; /* of the classic filter */
	uint32_t n_insns_here;
	uint64_t insns[BW_MAX_CLASSIC];
};

struct decode_access {
	uint32_t map_id, map_type, ops, labels, owner_tgid;
	enum bw_map_op op;
	uint64_t owner_start_ns;
	char name[BW_OBJ_NAME_LEN + 1];
};

struct decode_egress {
	enum bw_egress_kind kind;
	uint32_t labels, map_id, reader_tgid, child_tgid;
	uint64_t reader_start_ns, read_ns;
	uint16_t family, port;
	uint8_t address[16];
	char path[108 + 1];
	enum bw_action action;
	enum bw_response response;
};

struct decode_tamper {
	enum bw_tamper what;
	uint32_t object, detail;
	enum bw_action action;
	uint64_t count;
	char name[33];
};

struct decode_event {
	enum bw_event_type type;
	enum bw_hook hook;
	uint64_t time_ns; /* CLOCK_BOOTTIME */
	uint64_t cpu_seq;
	uint32_t cpu;
	struct decode_actor actor;
	union {
		struct decode_load load;
		struct decode_command command;
		struct decode_map map;
		struct decode_attach attach;
		struct decode_tamper tamper;
		struct decode_access access;
		struct decode_egress egress;
	};
};

/*
 * Decodes one record of @size bytes. Errors, *ret untouched:
 * -EPROTONOSUPPORT another version; -EOPNOTSUPP unknown type; -EMSGSIZE a size that does not fit the type or the header;
 * -EBADMSG a length or an enumeration out of range.
 */
int decode_record(const void *data, size_t size, struct decode_event *ret);

/* The actor of a record; also of the API probes' (bpf/api.h). -EBADMSG, *ret undefined. */
int decode_actor(const struct bw_actor *a, struct decode_actor *ret);

/*
 * Joins path components (leaf first, each NUL-terminated, @len bytes in all) to a path in @dst (DECODE_PATH_MAX bytes).
 * A slash inside a component (memfd names can hold one) becomes "\x2f", so that it cannot pose as another path.
 * Returns false, with @dst empty, when the bytes are not such components.
 */
bool decode_path(const char *src, size_t len, bool truncated, char *dst);

/* Finds what the per-CPU numbering of records says about losses. CPUs beyond the maximum are not tracked. */
#define DECODE_MAX_CPUS 4096
struct decode_gaps {
	uint64_t *next; /* per CPU: the number expected next; 0 before its first record */
	uint64_t missing; /* numbers skipped and not seen since */
	uint64_t late;	  /* records that came after a higher number of their CPU */
};

int decode_gaps_init(struct decode_gaps *g); /* -ENOMEM */
void decode_gaps_free(struct decode_gaps *g);
/* Notes one record; returns how many numbers were skipped directly before it. */
uint64_t decode_gaps_note(struct decode_gaps *g, uint32_t cpu, uint64_t cpu_seq);

#endif
