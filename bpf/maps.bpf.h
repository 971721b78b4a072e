/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_MAPS_BPF_H
#define BW_MAPS_BPF_H
/*
 * Layer 1: the maps and the constants set by the loader. Every concern is an object of its own; the linker joins these
 * weak definitions into one.
 */
#include "bpf/kernel.bpf.h"
#include "bpf/event.h"
#include "bpf/sha256.bpf.h"

/* ---- set by the loader, constant afterwards: branches on them are resolved by the verifier ------------------------- */

__weak const volatile bool bw_task_scratch;	/* task storage is available (5.11): scratch is per task */
__weak const volatile bool bw_lsm_kernel_arg;	/* hooks have a "bool kernel" last (6.15) */
__weak const volatile bool bw_tier_watch;	/* only watching: nothing can be refused */
__weak const volatile bool bw_user_digest;	/* no load hook (before 6.9): digest user memory when the call begins */
__weak const volatile unsigned int bw_event_tracepoint, bw_event_kprobe, bw_event_uprobe; /* TRACE_EVENT_FL_* */
__weak const volatile struct bw_control_name bw_control_names[BW_CONTROL_NAMES]; /* files that can take the guard out */
__weak const volatile unsigned long long bw_command_mask; /* commands that are reported, bit per enum bpf_cmd */

/* ---- output ------------------------------------------------------------------------------------------------------- */

/* What was refused or would have been: its own buffer, so that a flood of harmless events cannot crowd it out. */
__weak struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} bw_alerts SEC(".maps");

__weak struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 << 20);
} bw_events SEC(".maps");

struct bw_cpu {
	struct bw_stats stats;
	u64 seq;
};

__weak struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct bw_cpu);
} bw_cpus SEC(".maps");

/* ---- policy: two generations, one in force; the loader fills the other and then switches --------------------------- */

__weak struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct bw_guard_self);
} bw_self SEC(".maps");

__weak struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, u32);
	__type(value, struct bw_policy_conf);
} bw_conf SEC(".maps");

struct bw_approvals_inner {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct bw_approval_key));
	__uint(value_size, sizeof(struct bw_approval));
	__uint(map_flags, BPF_F_RDONLY_PROG);
};

__weak struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, u32);
	__array(values, struct bw_approvals_inner);
} bw_approvals SEC(".maps");

struct bw_bindings_inner {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct bw_binding_key));
	__uint(value_size, sizeof(struct bw_condition));
	__uint(map_flags, BPF_F_RDONLY_PROG);
};

__weak struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, u32);
	__array(values, struct bw_bindings_inner);
} bw_bindings SEC(".maps");

struct bw_kfuncs_inner {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(u32));
	__uint(value_size, sizeof(u32));
	__uint(map_flags, BPF_F_RDONLY_PROG);
};

/* BTF id of a kfunc (in vmlinux) -> bit mask of the rules that name it. */
__weak struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, u32);
	__array(values, struct bw_kfuncs_inner);
} bw_kfuncs SEC(".maps");

struct bw_cgroups_inner {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(u32));
	__uint(value_size, sizeof(struct bw_cgroup_pattern));
	__uint(map_flags, BPF_F_RDONLY_PROG);
};

/* Cgroups that conditions of bindings name. */
__weak struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, u32);
	__array(values, struct bw_cgroups_inner);
} bw_cgroups SEC(".maps");

/* ---- state -------------------------------------------------------------------------------------------------------- */

/* The bpf() call a thread is in. Kept from one hook to the next. */
struct bw_call {
	u32 cmd;
	u32 size;
	u32 flags; /* enum bw_load_flag */
	u32 insn_cnt;
	u32 prog_flags;
	u32 pad0;
	u64 attr[BW_ATTR_LEN / 8];
	/* Before 6.9: what the instructions in user memory said when the call began. */
	u64 helpers[BW_HELPER_WORDS];
	u8 digest[BW_DIGEST_LEN];
	u32 has_digest;
	u32 pending; /* enum bw_way: to be reported when the call returns */
	/* Of a link that is updated or detached, and of a detached program: what was there before. */
	u32 old_prog_id, link_id, link_type;
	u32 target_prog_id; /* that is about to be replaced or traced */
};

__weak struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, u64); /* pid_tgid */
	__type(value, struct bw_call);
} bw_calls SEC(".maps");

/* Program ids that may have descriptors although nobody approved them: the baseline, and what was admitted (before 6.9). */
__weak struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u32);
	__type(value, u8);
} bw_admitted SEC(".maps");

/* What a load said about a program, for when it is attached; by the address of its bpf_prog_aux. */
struct bw_program {
	u8 digest[BW_DIGEST_LEN];
	u64 helpers[BW_HELPER_WORDS];
	u32 entry;  /* index of the approval, or ~0 */
	u32 reason; /* BW_REASON_INERT: admitted only because it can do nothing, not to be attached */
};

__weak struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, u64);
	__type(value, struct bw_program);
} bw_programs SEC(".maps");

/* Which process made a map: map id -> tgid and start time. */
struct bw_map_owner {
	u64 start_ns;
	u32 tgid;
	u32 pad;
};

__weak struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, u32);
	__type(value, struct bw_map_owner);
} bw_map_owners SEC(".maps");

/* Who used which map how: bounded, the oldest are forgotten. User space lists it. */
struct bw_access_key {
	u64 start_ns;
	u32 tgid;
	u32 map_id;
};

struct bw_access {
	u64 first_ns, last_ns;
	u64 reads, writes;
	u32 ops; /* bits of enum bw_map_op */
	u32 labels; /* by the map's name, when it was first used */
};

__weak struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, struct bw_access_key);
	__type(value, struct bw_access);
} bw_accesses SEC(".maps");

/* Map id -> what flows into it, as the guard has found out. */
__weak struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u32);
	__type(value, u32);
} bw_labels SEC(".maps");

/* Processes that have read a labelled map, and their children. */
struct bw_carrier_key {
	u64 start_ns;
	u32 tgid;
	u32 pad;
};

struct bw_carrier {
	u64 read_ns;
	u64 reader_start_ns;
	u32 reader_tgid;
	u32 map_id; /* the first labelled map */
	u32 labels; /* of all */
	u32 reports; /* so far: at most BW_CARRIER_REPORTS, then only counted */
};
#define BW_CARRIER_REPORTS 64

__weak struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct bw_carrier_key);
	__type(value, struct bw_carrier);
} bw_carriers SEC(".maps");

/* Immediate of a resolved helper call (its address relative to __bpf_call_base) -> helper id; filled from kallsyms. */
__weak struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2048);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, s32);
	__type(value, u32);
} bw_helper_imms SEC(".maps");

/* The guard's own programs, maps and links: enum bw_owned_kind << 32 | id; and their code. */
__weak struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_RDONLY_PROG);
	__type(key, u64);
	__type(value, u8);
} bw_owned SEC(".maps");

/* Files whose change is to be seen: its executable, policy, settings; its socket and history. */
struct bw_file_key {
	u64 ino;
	u32 dev;
	u32 pad;
};

__weak struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 64);
	__type(key, struct bw_file_key);
	__type(value, u8); /* enum bw_file */
} bw_files SEC(".maps");

/* How often a process has tried something against the guard. */
struct bw_tamper_key {
	u64 start_ns;
	u32 tgid;
	u32 what; /* enum bw_tamper */
};

__weak struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct bw_tamper_key);
	__type(value, u64);
} bw_tampers SEC(".maps");

/* ---- scratch: larger than the stack allows -------------------------------------------------------------------------- */

#define BW_MAX_MAP_FDS 8

/* The cgroup (version 2) of the task at hand: the names of its first folders, from the root down. */
#define BW_CGROUP_NAME_LEN 128
struct cgroup_place {
	u32 known; /* it was looked at */
	u32 depth; /* folders below the root; ~0: cannot be told */
	u32 lens[BW_MAX_CGROUP_DEPTH]; /* 0: cannot be told, or longer than is kept */
	char names[BW_MAX_CGROUP_DEPTH][BW_CGROUP_NAME_LEN];
};

struct bw_scratch {
	union {
		struct bw_event_load load;
		struct bw_event_command command;
		struct bw_event_map map;
		struct bw_event_attach attach;
		struct bw_event_access access;
		struct bw_event_egress egress;
		struct bw_event_tamper tamper;
	};
	struct bw_approval_key key;
	struct bw_program program;
	struct bw_call call; /* while it is put together */
	struct sha256 sha;
	u32 kfunc_rules; /* rules that name a kfunc that is called */
	u32 second;	 /* the next instruction is the second half of an ld_imm64: its src_reg + 1 */
	u32 n_map_fds;	 /* descriptors of maps in the instructions; more than BW_MAX_MAP_FDS: not all are kept */
	u32 read_failed;
	u32 helper_calls;
	u32 unresolved_calls; /* of them, calls of something that has no helper's number (before 6.9) */
	u32 memory; /* enum insns_memory */
	u64 first; /* the first instruction */
	s32 map_fds[BW_MAX_MAP_FDS];
	struct cgroup_place cgroup;
	u64 exe_changed_ns; /* of the loader's executable: when its inode was last changed; 0: not known */
	/* The walk from a file to the root: a dentry and the struct mount it is in. */
	u64 walk_dentry, walk_mnt;
	/* The walk over the instructions at hand. */
	u64 walk_base; /* address of the first */
	u32 walk_count;
	u32 walk_blocks; /* of SHA-256, padding included */
	u32 walk_user;	 /* walk_base is a user address */
	u32 walk_slot;	 /* policy slot whose kfunc table counts */
};

__weak struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct bw_scratch);
} bw_task_scratches SEC(".maps");

__weak struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct bw_scratch);
} bw_cpu_scratches SEC(".maps");

/* Per task where the kernel offers it, since two tasks can be in a hook on one CPU; else per CPU (before 5.11). */
static __always_inline struct bw_scratch *scratch_get(void)
{
	u32 zero = 0;

	if (bw_task_scratch)
		return bpf_task_storage_get(&bw_task_scratches, (void *)bpf_get_current_task_btf(), NULL,
					    BPF_LOCAL_STORAGE_GET_F_CREATE);
	return bpf_map_lookup_elem(&bw_cpu_scratches, &zero);
}

static __always_inline void stat_add(enum bw_stat stat, u64 n)
{
	u32 zero = 0;
	struct bw_cpu *c = bpf_map_lookup_elem(&bw_cpus, &zero);

	/* Relaxed and unused: an instruction every kernel since 5.10 knows, whatever the compiler's version. */
	if (c)
		__atomic_fetch_add(&c->stats.v[stat], n, __ATOMIC_RELAXED);
}

#endif
