/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_EVENT_H
#define BW_EVENT_H
/*
 * The one contract between the BPF programs and user space: event records, policy map entries, counters.
 * Compiled by clang for BPF and by the C compiler for the host: fixed-width types, named padding, asserted layout.
 * All integers are in host byte order. Names of members that come from the kernel are the kernel's.
 */
#include <linux/types.h>

#define BW_EVENT_VERSION 1

#define BW_COMM_LEN 16	   /* TASK_COMM_LEN */
#define BW_OBJ_NAME_LEN 16 /* BPF_OBJ_NAME_LEN */
#define BW_DIGEST_LEN 32
#define BW_TAG_LEN 8 /* BPF_TAG_SIZE */
#define BW_PATH_LEN 256
#define BW_ATTR_LEN 128 /* bytes of union bpf_attr that are reported */
#define BW_HELPER_WORDS 4 /* helper ids 0..255 */
#define BW_MAX_KFUNC_IDS 8
#define BW_MAX_RULES 32
#define BW_MAX_PROG_TYPES 64

enum bw_event_type {
	BW_EVENT_LOAD = 1,    /* a program load was judged (struct bw_event_load) */
	BW_EVENT_COMMAND = 2, /* another bpf() command was seen (struct bw_event_command) */
	BW_EVENT_MAP = 3,     /* a map descriptor was made (struct bw_event_map) */
	BW_EVENT_ATTACH = 4,  /* a program or descriptor went somewhere, by whatever way (struct bw_event_attach) */
	BW_EVENT_ACCESS = 5,  /* a process used a map for the first time in this way (struct bw_event_access) */
	BW_EVENT_EGRESS = 6,  /* a process that has read a labelled map sends something (struct bw_event_egress) */
	BW_EVENT_TAMPER = 7,  /* somebody tried to take the guard out (struct bw_event_tamper) */
	BW_EVENT_TYPES
};

/* Which kernel hook reported. */
enum bw_hook {
	BW_HOOK_NONE,
	BW_HOOK_BPF,	       /* security_bpf */
	BW_HOOK_BPF_PROG_LOAD, /* security_bpf_prog_load, 6.9 on */
	BW_HOOK_BPF_PROG,      /* security_bpf_prog: a program descriptor is made */
	BW_HOOK_BPF_MAP,       /* security_bpf_map: a map descriptor is made */
	BW_HOOK_SYS_BPF,       /* sys_exit of bpf(2): the watch tier */
	BW_HOOK_SYS_EXIT,      /* sys_exit of another system call: the watch tier */
	BW_HOOK_BPF_DONE,      /* the system call bpf(2) returns: fexit */
	BW_HOOK_FILE_IOCTL,    /* security_file_ioctl, security_file_ioctl_compat */
	BW_HOOK_NETLINK_SEND,  /* security_netlink_send */
	BW_HOOK_SETSOCKOPT,    /* security_socket_setsockopt */
	BW_HOOK_FILTER_DONE,   /* sk_attach_filter() and the like return: fexit */
	BW_HOOK_FILE_RECEIVE,  /* security_file_receive */
	BW_HOOK_MMAP_FILE,     /* security_mmap_file */
	BW_HOOK_CONNECT,       /* security_socket_connect */
	BW_HOOK_SENDMSG,       /* security_socket_sendmsg */
	BW_HOOK_FILE_OPEN,     /* security_file_open */
	BW_HOOK_FORK,	       /* the tracepoint sched_process_fork */
	BW_HOOK_INODE_UNLINK,  /* security_inode_unlink, security_inode_rmdir */
	BW_HOOK_INODE_RENAME,  /* security_inode_rename */
	BW_HOOK_INODE_CREATE,  /* security_inode_create */
	BW_HOOK_CGROUP_MOVE,   /* the tracepoint cgroup_attach_task */
	BW_HOOK_KERNEL_LOAD,   /* security_kernel_read_file, security_kernel_load_data */
	BW_HOOK_LOCKED_DOWN,   /* security_locked_down */
	BW_HOOK_SETTIME,       /* security_settime64 */
	BW_HOOK_SB_UMOUNT,     /* security_sb_umount */
	BW_HOOK_SB_MOUNT,      /* security_sb_mount, security_move_mount */
	BW_HOOK_TASK_KILL,     /* security_task_kill */
	BW_HOOK_PTRACE,	       /* security_ptrace_access_check */
	BW_HOOK_TASK_LIMIT,    /* security_task_setrlimit */
	BW_HOOK_COUNT
};

enum bw_verdict {
	BW_VERDICT_ALLOW,
	BW_VERDICT_DENY,
};

/* What was done about the verdict. */
enum bw_action {
	BW_ACTION_ALLOWED,
	BW_ACTION_DENIED,     /* the kernel refused */
	BW_ACTION_WOULD_DENY, /* observe mode, or a tier that cannot refuse: an alert */
	BW_ACTION_HELD,	      /* mode protect: EAGAIN, the loader tries again while the analysis goes on */
};

enum bw_reason {
	BW_REASON_NONE,
	BW_REASON_APPROVED,	   /* an entry of the policy approves this identity, loader and target */
	BW_REASON_GUARD,	   /* loaded by the guard itself */
	BW_REASON_INIT,		   /* loaded by process 1 and the policy exempts it */
	BW_REASON_INERT,	   /* can do nothing: feature probes of loaders */
	BW_REASON_BASELINE,	   /* was there before the guard was armed */
	BW_REASON_DEFAULT,	   /* no entry: the default of its program type */
	BW_REASON_RULE,		   /* a deny rule matched */
	BW_REASON_LOADER_MISMATCH, /* identity approved, but not for this loader */
	BW_REASON_TARGET_MISMATCH, /* identity approved, but not for this attach target */
	BW_REASON_LENGTH_MISMATCH, /* tag approved, but the instruction count differs (kernels before 6.9) */
	BW_REASON_NO_IDENTITY,	   /* its identity could not be computed */
	BW_REASON_NO_POLICY,	   /* no policy is loaded */
	BW_REASON_NOT_ADMITTED,	   /* a descriptor of a program that was never admitted (kernels before 6.9) */
	BW_REASON_ANALYSED,	   /* mode protect: the analysis decided */
	BW_REASON_UNANSWERED,	   /* mode protect: there was no answer, on_timeout decided; enum bw_hold says why */
	BW_REASON_COUNT
};

enum bw_identity {
	BW_IDENTITY_NONE,
	BW_IDENTITY_DIGEST,	 /* load digest over the instructions the kernel holds, before verification */
	BW_IDENTITY_TAG,	 /* the kernel's tag: 8 bytes in digest[0..7] */
	BW_IDENTITY_DIGEST_USER, /* load digest over user memory: another thread could have changed it meanwhile */
	BW_IDENTITY_TAG_DIGEST,	 /* the kernel's tag, in tag[], and in addition a load digest over user memory */
	BW_IDENTITY_COUNT
};

enum bw_load_flag {
	BW_LOAD_KERNEL = 1u << 0,	      /* loaded by the kernel itself (light skeleton, preload) */
	BW_LOAD_COMPAT = 1u << 1,	      /* through the 32-bit system call entry */
	BW_LOAD_HELPERS_UNKNOWN = 1u << 2,    /* the helper bitmap is incomplete */
	BW_LOAD_INERT = 1u << 3,	      /* meets the inert rule */
	BW_LOAD_SUBPROGRAMS = 1u << 4,	      /* has program-local calls */
	BW_LOAD_MAPS = 1u << 5,		      /* refers to maps */
	BW_LOAD_INSNS_TRUNCATED = 1u << 6,    /* not all instructions could be read */
	BW_LOAD_HELPERS_FROM_XLATED = 1u << 7, /* helper bitmap read back from rewritten instructions */
	BW_LOAD_KFUNCS_TRUNCATED = 1u << 8,   /* more kfuncs than kfunc_ids[] holds */
	BW_LOAD_FOREIGN_MAP = 1u << 9,	      /* refers to a map that the loader did not create */
	BW_LOAD_TARGET_ELSEWHERE = 1u << 10,  /* attach_btf_id is in another program's or a module's BTF, not the kernel's */
};

/* Mode protect: what became of the question. */
enum bw_hold {
	BW_HOLD_NONE,	  /* nothing was asked */
	BW_HOLD_ANSWERED,
	BW_HOLD_AGAIN,	  /* not yet: EAGAIN */
	BW_HOLD_TIMEOUT,  /* not within BW_HOLD_ATTEMPTS waits */
	BW_HOLD_NO_GUARD, /* the guard is not running, or is stopped */
	BW_HOLD_ONE_CPU,  /* the guard could not run while the loader waits */
	BW_HOLD_NO_ROOM,  /* the question did not fit into the ring buffer */
	BW_HOLD_TOO_LONG, /* more than BW_HOLD_MAX_INSNS instructions */
	BW_HOLD_SPENT,	  /* this process has waited for as long as one may */
	BW_HOLD_NO_HOOK,  /* kernels before 6.9 do not show the instructions in time */
	BW_HOLD_COUNT
};

/* Starts every record in the ring buffer. */
struct bw_event_hdr {
	__u16 version; /* BW_EVENT_VERSION */
	__u16 type;    /* enum bw_event_type */
	__u32 size;    /* of the whole record, in bytes */
	__u64 time_ns; /* CLOCK_BOOTTIME */
	__u64 seq;     /* counts the events of this CPU, lost ones included: a gap is a loss */
	__u32 cpu;
	__u8 hook; /* enum bw_hook */
	__u8 pad[3];
};

/* Who did it. Identities of namespaces are their inode numbers. */
struct bw_actor {
	__u32 pid;	/* thread, in the initial PID namespace */
	__u32 tgid;	/* process, in the initial PID namespace */
	__u64 start_ns; /* start of the process, CLOCK_BOOTTIME; with tgid it names the process for good */
	__u32 ppid;
	__u32 uid; /* in the initial user namespace */
	__u32 gid;
	__u32 exe_dev; /* kernel dev_t: major << 20 | minor */
	__u64 exe_ino; /* 0 for a kernel thread */
	__u64 cgroup_id;
	__u32 pid_ns;
	__u32 mnt_ns;
	__u32 user_ns;
	__u32 net_ns;
	char comm[BW_COMM_LEN];
	/* Components of the executable's path, leaf first, each NUL-terminated, up to the root of its mount tree. */
	char path[BW_PATH_LEN];
	__u16 path_len; /* bytes used in path[] */
	__u8 path_truncated;
	__u8 pad[5];
};

struct bw_event_load {
	struct bw_event_hdr hdr;
	struct bw_actor actor;

	__u32 prog_type;	    /* enum bpf_prog_type */
	__u32 expected_attach_type; /* enum bpf_attach_type */
	__u32 prog_flags;	    /* BPF_F_* of BPF_PROG_LOAD */
	__u32 insn_cnt;		    /* as given to BPF_PROG_LOAD */
	__u32 attach_btf_id;
	__u32 prog_id; /* 0 until the kernel has given one */
	char name[BW_OBJ_NAME_LEN];

	__u8 digest[BW_DIGEST_LEN]; /* by identity; zero beyond its length */
	__u8 tag[BW_TAG_LEN];	    /* the kernel's, where it is already known; else zero */
	__u64 helpers[BW_HELPER_WORDS];
	__u32 kfunc_count; /* kfunc calls, in instructions */
	__u32 kfunc_ids[BW_MAX_KFUNC_IDS]; /* distinct BTF ids, zero-terminated when fewer */
	__u32 load_flags;		   /* enum bw_load_flag */

	__u8 identity; /* enum bw_identity */
	__u8 verdict;  /* enum bw_verdict */
	__u8 action;   /* enum bw_action */
	__u8 reason;   /* enum bw_reason */
	__u32 rule;    /* index of the deny rule for BW_REASON_RULE */
	__u32 entry;   /* index of the approval for BW_REASON_APPROVED and the mismatches; else ~0 */
	__s32 error;   /* result of the system call where it is known (watch tier): a descriptor or -errno; else 0 */
	__u64 hook_ns; /* time spent judging, up to the moment the record was written */
	__u64 generation; /* of the policy that judged */
	__u64 nonce;	  /* of the question, in mode protect; else 0 */
	__u64 wait_ns;	  /* time spent waiting for its answer, in this call */
	__u8 hold;	  /* enum bw_hold */
	__u8 attempt;	  /* which try of the loader this is, from 1; 0 when nothing was asked */
	__u8 pad[6];
};

struct bw_event_command {
	struct bw_event_hdr hdr;
	struct bw_actor actor;
	__u32 cmd;   /* enum bpf_cmd, common-attribute bit removed */
	__u32 flags; /* enum bw_load_flag: KERNEL, COMPAT */
	__u32 size;  /* of the attribute union, as given */
	__s32 error; /* result where known, else 0 */
	__u64 attr[BW_ATTR_LEN / 8]; /* the first bytes of union bpf_attr as the kernel copied it; user pointers are not followed */
	__u32 prog_id;	/* of the program descriptor in the command, where there is one */
	__u8 action;
	__u8 reason;
	__u8 pad[2];
};

struct bw_event_map {
	struct bw_event_hdr hdr;
	struct bw_actor actor;
	__u32 map_id;
	__u32 map_type;
	__u32 key_size;
	__u32 value_size;
	__u32 max_entries;
	__u32 map_flags;
	__u32 cmd;   /* the bpf() command that made the descriptor; ~0 when it came another way */
	__u32 fmode; /* FMODE_READ 1, FMODE_WRITE 2 */
	char name[BW_OBJ_NAME_LEN];
};

/* By which way something was attached, handed on or kept. Also the bits of a rule about attaching. */
enum bw_way {
	BW_WAY_NONE,
	BW_WAY_LINK,	       /* BPF_LINK_CREATE, _UPDATE, _DETACH */
	BW_WAY_PROG_ATTACH,    /* BPF_PROG_ATTACH, _DETACH */
	BW_WAY_RAW_TRACEPOINT, /* BPF_RAW_TRACEPOINT_OPEN */
	BW_WAY_TEST_RUN,       /* BPF_PROG_TEST_RUN */
	BW_WAY_PIN,	       /* BPF_OBJ_PIN */
	BW_WAY_PIN_GET,	       /* BPF_OBJ_GET */
	BW_WAY_FD_BY_ID,       /* BPF_PROG_GET_FD_BY_ID, _MAP_, _LINK_ */
	BW_WAY_ITERATOR,       /* BPF_ITER_CREATE */
	BW_WAY_TOKEN,	       /* BPF_TOKEN_CREATE */
	BW_WAY_MAP_UPDATE,     /* BPF_MAP_UPDATE_ELEM of a map whose elements are programs: tail calls, devmap, struct_ops */
	BW_WAY_PERF_IOCTL,     /* PERF_EVENT_IOC_SET_BPF */
	BW_WAY_TUN_IOCTL,      /* TUNSETSTEERINGEBPF, TUNSETFILTEREBPF */
	BW_WAY_NETLINK_XDP,    /* RTM_SETLINK, RTM_NEWLINK with IFLA_XDP */
	BW_WAY_NETLINK_TC,     /* RTM_NEWTFILTER, RTM_NEWACTION, ... of kind bpf */
	BW_WAY_NETLINK_LWT,    /* RTM_NEWROUTE with LWTUNNEL_ENCAP_BPF or a seg6local program */
	BW_WAY_CLASSIC_FILTER, /* SO_ATTACH_FILTER, SO_ATTACH_REUSEPORT_CBPF, PACKET_FANOUT_DATA with classic BPF */
	BW_WAY_SOCKET_FILTER,  /* SO_ATTACH_BPF, SO_ATTACH_REUSEPORT_EBPF: a program's descriptor */
	BW_WAY_FILTER_DETACH,  /* SO_DETACH_FILTER, SO_DETACH_REUSEPORT_BPF, SO_LOCK_FILTER */
	BW_WAY_FD_PASSED,      /* a descriptor came over a UNIX socket or by pidfd_getfd() */
	BW_WAY_COUNT
};

/* A program, as far as the kernel side knows it. */
struct bw_prog_ref {
	__u32 id; /* 0: there is none, or it could not be found */
	__u32 type;
	__u32 expected_attach_type;
	__u32 attach_btf_id;
	char name[BW_OBJ_NAME_LEN];
	__u8 tag[BW_TAG_LEN];
	/* From its load, where that was seen; else zero. */
	__u8 digest[BW_DIGEST_LEN];
	__u64 helpers[BW_HELPER_WORDS];
	__u32 entry;	/* index of the approval, or ~0 */
	__u8 known;	/* its load was seen */
	__u8 reason;	/* enum bw_reason of that verdict */
	__u8 pad[2];
};

enum bw_attach_flag {
	BW_ATTACH_KERNEL = 1u << 0,	/* by the kernel itself, for a light skeleton */
	BW_ATTACH_COMPAT = 1u << 1,	/* through the 32-bit system call entry */
	BW_ATTACH_HAS_RESULT = 1u << 2,	/* error is the result; else what came of it is not known at this hook */
	BW_ATTACH_USER_MEMORY = 1u << 3, /* read from user memory, which another thread can change */
	BW_ATTACH_TEXT_TRUNCATED = 1u << 4,
	BW_ATTACH_MORE = 1u << 5,	/* the request had more parts than were looked at */
	BW_ATTACH_RETURN = 1u << 6,	/* the probe is on the return of the function */
	BW_ATTACH_FD_WRITE = 1u << 7,	/* the descriptor handed on can be written through */
	BW_ATTACH_KPROBE = 1u << 8,	/* text names a function of the kernel ... */
	BW_ATTACH_UPROBE = 1u << 9,	/* ... a file in which offset is probed ... */
	BW_ATTACH_TRACEPOINT = 1u << 10, /* ... an event, "system:event" */
	BW_ATTACH_FLAGS = 11
};

/*
 * Only the kernel can resolve descriptors; what the raw bytes mean is worked out in user space. attr holds for a bpf()
 * command union bpf_attr; for an ioctl its three arguments; for setsockopt() level, name and length; for netlink the
 * message (BW_ATTR_LEN bytes of it, header first).
 */
struct bw_event_attach {
	struct bw_event_hdr hdr;
	struct bw_actor actor;
	__u64 attr[BW_ATTR_LEN / 8];
	struct bw_prog_ref prog;
	__u32 way;     /* enum bw_way */
	__u32 request; /* bpf() command, ioctl, socket option, netlink message type */
	__u32 flags;   /* enum bw_attach_flag */
	__s32 error;
	__u32 attr_len;
	__u32 attach_type; /* as given, or as the link says; ~0: none */
	__u32 old_prog_id; /* what was there before */
	__u32 link_id, link_type;
	__u32 map_id, map_type;
	__u32 target_prog_id; /* the program that this one replaces a function of, or traces */
	__u64 target_ino; /* inode behind a target descriptor: a cgroup's id, a network namespace's number */
	__u64 perf_config; /* struct perf_event_attr: of the event that the program is put on */
	__u32 perf_type;
	__u32 text_len; /* bytes in text[], without a NUL */
	__u64 offset;	/* of the probed instruction: in the function, or in the file */
	char text[BW_PATH_LEN]; /* function, tracepoint, path of the probed file, path of the pin */
	__u8 action;	/* enum bw_action */
	__u8 reason;	/* enum bw_reason */
	__u8 pad[2];
	__u32 rule;	/* index of the rule about attaching for BW_REASON_RULE */
	__u64 generation;
	__u32 n_insns; /* of the classic filter; those in the record follow the structure, 8 bytes each */
	__u32 n_insns_here;
	__u32 attempts; /* identifiers that this process asked for and that there are not: 1, 2, 4, 8, ... are reported; else 0 */
	__u32 pad2;
};

/* What was tried against the guard. */
enum bw_tamper {
	BW_TAMPER_NONE,
	BW_TAMPER_PROG_FD,     /* a descriptor of one of its programs */
	BW_TAMPER_MAP_FD,      /* ... of one of its maps */
	BW_TAMPER_LINK_FD,     /* ... of one of its links */
	BW_TAMPER_LINK_CHANGE, /* update or detach one of its links */
	BW_TAMPER_PIN_REMOVE,  /* remove a pin, or their directory */
	BW_TAMPER_PIN_RENAME,
	BW_TAMPER_PIN_CREATE, /* put a pin of one's own among them */
	BW_TAMPER_UMOUNT, /* take the file system with the pins away */
	BW_TAMPER_MOUNT,  /* cover or move it */
	BW_TAMPER_SIGNAL, /* kill or stop one of its processes */
	BW_TAMPER_STOP,	  /* ask it to end: allowed */
	BW_TAMPER_PTRACE, /* attach to one of its processes, also /proc/PID/mem and pidfd_getfd() */
	BW_TAMPER_LIMIT,  /* change its resource limits */
	BW_TAMPER_CLAIM,  /* become the guard: allowed to its executable */
	BW_TAMPER_STATE,  /* remove or replace its socket or its history */
	BW_TAMPER_PROC,	  /* write something under /proc/PID of one of its processes */
	BW_TAMPER_CGROUP, /* freeze, kill or limit its cgroup */
	BW_TAMPER_SYSCTL, /* kernel.ftrace_enabled, which its programs need */
	/* Reported only. */
	BW_TAMPER_SEEN,
	BW_TAMPER_FILE = BW_TAMPER_SEEN, /* change its executable, policy or settings */
	BW_TAMPER_MOVE,	  /* put one of its processes into another cgroup */
	BW_TAMPER_MODULE, /* load a kernel module */
	BW_TAMPER_KERNEL, /* kexec, /dev/mem and the like */
	BW_TAMPER_CLOCK,  /* set the clock */
	BW_TAMPER_COUNT
};

/* BW_TAMPER_KERNEL: by what. */
enum bw_kernel_way { BW_KERNEL_KEXEC = 1, BW_KERNEL_DEV_MEM, BW_KERNEL_IOPORT, BW_KERNEL_MSR, BW_KERNEL_HIBERNATION, BW_KERNEL_KCORE };

struct bw_event_tamper {
	struct bw_event_hdr hdr;
	struct bw_actor actor;
	__u32 what;   /* enum bw_tamper */
	__u32 object; /* id of the program, map or link; process; else 0 */
	__u32 detail; /* bpf() command, signal, access mode, resource, enum bw_file, cgroups up, enum bw_kernel_way; else 0 */
	__u8 action;  /* enum bw_action */
	__u8 pad[3];
	__u64 count; /* how often this process has tried it: the 1st, 2nd, 4th, 8th, ... are reported */
	char name[32]; /* of the program, map, pin or process */
};

#define BW_MAX_CLASSIC 256 /* instructions of a classic filter that are reported */

/* What a process does with a map. */
enum bw_map_op {
	BW_MAP_LOOKUP,	/* single elements and batches */
	BW_MAP_NEXT_KEY,
	BW_MAP_MMAP,	/* for reading */
	BW_MAP_UPDATE,
	BW_MAP_DELETE,
	BW_MAP_FREEZE,
	BW_MAP_MMAP_WRITE,
	BW_MAP_OPS
};
#define BW_MAP_READS (1u << BW_MAP_LOOKUP | 1u << BW_MAP_NEXT_KEY | 1u << BW_MAP_MMAP | 1u << BW_MAP_MMAP_WRITE)
#define BW_MAP_WRITES (1u << BW_MAP_UPDATE | 1u << BW_MAP_DELETE | 1u << BW_MAP_MMAP_WRITE)

/* One for each process, map and operation; how often it happened is in the kernel's table. */
struct bw_event_access {
	struct bw_event_hdr hdr;
	struct bw_actor actor;
	__u32 map_id;
	__u32 map_type;
	__u32 op;     /* enum bw_map_op */
	__u32 ops;    /* what this process has done with this map so far: bits of enum bw_map_op */
	__u32 labels; /* what flows into the map: bits of the auditor's source classes; 0: nothing is known */
	__u32 owner_tgid; /* who made the map; 0: not known */
	__u64 owner_start_ns;
	char name[BW_OBJ_NAME_LEN];
	__s32 error; /* in the watch tier */
	__u32 pad;
};

enum bw_egress_kind {
	BW_EGRESS_CONNECT,
	BW_EGRESS_SEND, /* to an address, without a connection */
	BW_EGRESS_FILE, /* a regular file is opened for writing */
	BW_EGRESS_CHILD, /* a child process: what it does from now on counts as well */
	BW_EGRESS_KINDS
};

struct bw_event_egress {
	struct bw_event_hdr hdr;
	struct bw_actor actor;
	__u32 kind;   /* enum bw_egress_kind */
	__u32 labels;
	__u32 map_id; /* that it read, or its ancestor */
	__u32 reader_tgid; /* who read it: itself, or an ancestor */
	__u64 reader_start_ns;
	__u64 read_ns; /* when, CLOCK_BOOTTIME */
	__u32 child_tgid; /* for BW_EGRESS_CHILD */
	__u16 family; /* AF_* */
	__u16 port;   /* host byte order */
	__u8 address[16];
	char path[108]; /* of a UNIX socket (an abstract one begins with a NUL) or a file */
	__u32 path_len;
	__u8 action; /* enum bw_action */
	__u8 pad[3];
	__u32 response; /* enum bw_response: what the policy wants */
};

enum bw_response {
	BW_RESPONSE_ALERT,
	BW_RESPONSE_REFUSE, /* connecting, sending and writing fail for the process */
	BW_RESPONSE_KILL,
};

/* ---- policy, as the kernel sees it ---------------------------------------------------------------------------- */

enum bw_mode {
	BW_MODE_OBSERVE, /* judge, report, never refuse */
	BW_MODE_ENFORCE,
	BW_MODE_PROTECT, /* what the policy does not approve is analysed before it is admitted or refused */
};

enum bw_conf_flag {
	BW_CONF_ALLOW_INIT = 1u << 0,  /* process 1 may load anything */
	BW_CONF_ALLOW_INERT = 1u << 1, /* the inert rule applies */
	BW_CONF_VALID = 1u << 2,       /* a policy is loaded */
	BW_CONF_ANALYSE = 1u << 3,     /* what is let in is analysed as well, so that its maps get labels */
};

/* One deny rule; all conditions that are set must hold. */
struct bw_kernel_rule {
	__u64 helpers[BW_HELPER_WORDS]; /* any of these is called; all zero: not a condition */
	__u64 prog_types;		/* bit per enum bpf_prog_type; zero: not a condition */
	__u32 flags;			/* enum bw_rule_flag */
	__u32 pad;
};

enum bw_rule_flag {
	BW_RULE_USED = 1u << 0,
	BW_RULE_KFUNCS = 1u << 1,    /* a kfunc of the rule is called: bit of the rule in struct bw_kfunc_rules */
	BW_RULE_ANY_KFUNC = 1u << 2, /* any kfunc is called, modules' too */
};

/* "Nobody attaches that way": all conditions that are set must hold, and no exception. */
struct bw_attach_rule {
	__u64 ways;	    /* bit per enum bw_way; zero: not a condition */
	__u64 attach_types; /* bit per enum bpf_attach_type; zero: not a condition */
	__u64 prog_types;   /* bit per enum bpf_prog_type; zero: not a condition */
	__u64 pad;
};
#define BW_MAX_ATTACH_RULES 16
/*
 * Exceptions are bindings: entry is this plus the rule's index; attach_btf_id is an approval's index plus one, or 0 for any
 * program; the executable, or 0 for any.
 */
#define BW_BINDING_ATTACH 0x80000000u

/* Maps of this name hold such data. */
struct bw_watched_map {
	__u64 name[BW_OBJ_NAME_LEN / 8]; /* as the kernel has it, zeros behind it */
	__u32 labels; /* bits of the classes of data */
	__u32 pad;
};
#define BW_MAX_WATCHED_MAPS 32

/* One per generation: everything about a policy that is not a table. */
struct bw_policy_conf {
	__u64 generation;
	__u32 flags; /* enum bw_conf_flag */
	__u32 mode;  /* enum bw_mode */
	__u32 inert_max_insns;
	__u32 n_rules;
	__u64 safe_helpers[BW_HELPER_WORDS]; /* the inert rule's: no effect outside the program */
	__u8 type_default[BW_MAX_PROG_TYPES]; /* enum bw_verdict per program type */
	struct bw_kernel_rule rules[BW_MAX_RULES];
	/* mode protect */
	__u64 hold_wait_ns;   /* of one try, on a CPU */
	__u64 hold_caller_ns; /* the same of one process within BW_HOLD_WINDOW_NS */
	__u32 hold_timeout;   /* enum bw_verdict: without an answer */
	__u32 pad;
	__u32 n_attach_rules;
	__u32 response; /* enum bw_response, to a process that sends what it read from a labelled map */
	struct bw_attach_rule attach_rules[BW_MAX_ATTACH_RULES];
	__u32 n_watched;
	__u32 pad2;
	struct bw_watched_map watched[BW_MAX_WATCHED_MAPS];
};

struct bw_approval_key {
	__u8 id[BW_DIGEST_LEN]; /* load digest, or tag and zeros */
	__u32 prog_type;
	__u32 expected_attach_type;
};

struct bw_approval {
	__u32 entry;	/* index of the (first) policy entry, and the key of its bindings */
	__u32 insn_cnt; /* checked for tags: they are short */
	__u32 flags;	/* enum bw_approval_flag */
	__u32 pad;
};

enum bw_approval_flag {
	/* A tag whose entries list load digests too: where one can be had, it must be approved as well (before 6.9). */
	BW_APPROVAL_DIGEST_TOO = 1u << 0,
};

/* What has to be so, besides, for a binding to count: the value behind its key. All that flags name. */
#define BW_MAX_CONDITION_UIDS 4
#define BW_MAX_CONDITION_CGROUPS 4
enum bw_condition_flag {
	BW_CONDITION_UNCHANGED = 1u << 0,  /* the executable's inode was last changed when its contents were looked at */
	BW_CONDITION_UIDS = 1u << 1,	   /* one of these users, in the initial user namespace */
	BW_CONDITION_NAMESPACES = 1u << 2, /* these mount and PID namespaces */
	BW_CONDITION_CGROUPS = 1u << 3,	   /* one of these cgroups (version 2), or below it */
};
struct bw_condition {
	__u64 exe_changed_ns; /* time of the inode's last change, ns since 1970 */
	__u32 flags;	      /* enum bw_condition_flag; 0: none */
	__u32 mnt_ns, pid_ns;
	__u32 n_uids;
	__u32 uids[BW_MAX_CONDITION_UIDS];
	__u32 n_cgroups;
	__u32 cgroups[BW_MAX_CONDITION_CGROUPS]; /* keys of patterns */
	__u32 pad;
};

/*
 * The path of a cgroup from the root down, folder by folder, as an expression: in each folder's name one "*" may stand for any
 * text. Folders below the last one belong to it.
 */
#define BW_MAX_CGROUP_DEPTH 8
#define BW_CGROUP_TEXT_LEN 92
struct bw_cgroup_part {
	__u8 head, tail; /* bytes of text before and after the "*" */
	__u8 exact;	 /* there is none: text is head bytes, and so is the name */
	__u8 pad;
	char text[BW_CGROUP_TEXT_LEN];
};
struct bw_cgroup_pattern {
	__u32 depth; /* parts used, from 1 */
	struct bw_cgroup_part parts[BW_MAX_CGROUP_DEPTH];
};

/* Approval @entry holds for this pair; zero means any. */
struct bw_binding_key {
	__u32 entry;
	__u32 attach_btf_id; /* BW_BINDING_LOADER_NAMED: "this loader is named by the entry", for the reason */
	__u64 exe_ino;
	__u32 exe_dev;
	__u32 condition; /* in a compiled policy: which of its conditions; in the kernel's keys 0 */
};
#define BW_BINDING_LOADER_NAMED (~0u)

/* Control files by which the guard, or what its programs need, can be switched off. */
#define BW_CONTROL_NAMES 8

enum bw_control {
	BW_CONTROL_NONE,
	BW_CONTROL_SYSCTL,
	BW_CONTROL_CGROUP, /* stops a whole subtree */
	BW_CONTROL_CGROUP_LIMIT,
};

struct bw_control_name {
	__u64 word[2]; /* the name as it lies in memory, ended and filled up with zeros */
	__u64 control; /* enum bw_control */
};

/* Set by the guard for itself, outside the generations. */
struct bw_guard_self {
	__u32 tgid;
	__u32 active; /* which policy slot is in force: 0 or 1 */
	__u64 start_ns;
	__u64 prog_fops; /* file operations of program and map descriptors: tell what is behind one; 0: unknown */
	__u64 map_fops;
	__u32 mechanism; /* enum bw_mechanism: which programs are attached */
	__u32 pad;
	__u32 carriers; /* there is, or was, a process that has read a labelled map: zero saves everybody the look */
	__u32 pad2;
	__u64 exe_ino; /* the guard's executable: no rule about attaching keeps the next guard out */
	__u32 exe_dev;
	__u32 pad3;
	__u64 link_fops, perf_fops, socket_fops; /* the same for links, perf events and sockets */
	__u64 link_release; /* what ends a link's descriptor: links that can be polled (struct_ops) have operations of their own */
	/* Self-protection. */
	__u32 protect;	/* 0: off; else only the same executable may become the guard ... */
	__u32 released; /* ... unless the last one has ended in order */
	__u64 pin_ino; /* the directory with the pins; 0: none */
	__u64 pin_mnt; /* address of the struct mount it is in, that one's peer group, and what tells it from a later one there */
	__u64 pin_mnt_tag;
	__u32 pin_dev;
	__u32 pin_group;
	__u32 claim_prog; /* id of the program that makes a process the guard */
	__u32 pin_master_group; /* of the mount below */
	/* In a mount namespace of its own (a service with PrivateMounts=): the mount whose changes are passed on to that one; 0: none. */
	__u64 pin_master;
	__u64 pin_master_tag;
	__u64 cgroup; /* address of its struct cgroup (version 2); 0: not known */
};

/* ---- mode protect: questions to the guard, and its answers --------------------------------------------------------- */

#define BW_HOLD_MAX_INSNS 65536u
#define BW_HOLD_MAX_MAPS 64
#define BW_HOLD_MAX_DATA 16384u /* bytes of a map with one element (.rodata, .data) that are looked at */
#define BW_HOLD_ATTEMPTS 5 /* libbpf and cilium/ebpf try a load that gets EAGAIN that often */
#define BW_HOLD_WINDOW_NS 10000000000ull
#define BW_HOLD_HEARTBEAT_NS 2000000000ull /* a guard that has not been heard of for that long is not asked */
#define BW_HOLD_CHUNK_INSNS 512
/* A try ends when the loader has burnt its time on a CPU; on a busy machine that may take so many times as long. */
#define BW_HOLD_STRETCH 16

enum bw_hold_record {
	BW_HOLD_QUESTION = 1, /* struct bw_hold_question */
	BW_HOLD_DATA = 2,     /* struct bw_hold_code: the value of one of its maps, in order */
	BW_HOLD_CODE = 3,     /* struct bw_hold_code: its instructions, in order; the last of them ends the question */
};

/* A map that the instructions refer to, as the loader's descriptors are at that moment. */
struct bw_hold_map {
	__u32 ref; /* the descriptor, or with by_index the index of fd_array */
	__u32 by_index;
	__u32 id, type, key_size, value_size, max_entries, flags;
	char name[BW_OBJ_NAME_LEN];
};

enum bw_hold_flag {
	BW_HOLD_MAPS_MISSING = 1u << 0, /* some maps are not described: too many, or not found */
	BW_HOLD_TARGET_ELSEWHERE = 1u << 1, /* as BW_LOAD_TARGET_ELSEWHERE */
	BW_HOLD_NOTE = 1u << 2, /* it was let in, nobody waits */
};

struct bw_hold_question {
	__u32 record; /* enum bw_hold_record */
	__u32 size;   /* of the record */
	__u64 nonce;
	__u64 time_ns;	/* CLOCK_BOOTTIME */
	__u64 start_ns; /* of the process, as in struct bw_actor */
	__u32 tgid, pid;
	__u8 digest[BW_DIGEST_LEN];
	__u32 prog_type, expected_attach_type, prog_flags, insn_cnt, attach_btf_id;
	__u32 flags; /* enum bw_hold_flag */
	char name[BW_OBJ_NAME_LEN];
	__u32 n_maps;
	__u32 pad;
	struct bw_hold_map maps[BW_HOLD_MAX_MAPS];
};

struct bw_hold_code {
	__u32 record;
	__u32 size;
	__u64 nonce;
	__u32 first; /* index of the first instruction here; of data: of the map in the question */
	__u32 count; /* instructions; of data: bytes */
	__u64 insns[BW_HOLD_CHUNK_INSNS];
};

/* An answer is for one question only: a nonce is never used twice, and the digest has to be the same. */
struct bw_hold_key {
	__u64 nonce;
	__u8 digest[BW_DIGEST_LEN];
};

struct bw_hold_answer {
	__u32 verdict; /* enum bw_verdict */
	__u32 pad;
};

/* Written by the guard alone, so that nothing it writes can touch the numbering of questions. */
struct bw_hold_guard {
	__u64 heartbeat_ns; /* CLOCK_BOOTTIME */
	__u32 cpus;	    /* it can run on */
	__u32 pad;
};

/* Files of the guard, the map bw_files. */
enum bw_file { BW_FILE_EXE = 1, BW_FILE_POLICY, BW_FILE_CONFIG, BW_FILE_STATE };

/* What belongs to the guard, the map bw_owned: kind << 32 | id. A key with its highest bit set is the address of code of its programs. */
enum bw_owned_kind { BW_OWNED_PROG = 1, BW_OWNED_MAP, BW_OWNED_LINK };

/* Its values. Everybody may read the map itself, so that what cannot be opened can be told from what hides (bpfwarden inventory). */
enum bw_owned_value { BW_OWNED_CLOSED = 1, BW_OWNED_READABLE };

/* ---- counters: one array of struct bw_stats per CPU, never reset ------------------------------------------------ */

enum bw_stat {
	BW_STAT_LOADS,		/* program loads judged */
	BW_STAT_LOADS_DENIED,	/* refused by the kernel */
	BW_STAT_LOADS_WOULD,	/* would have been refused */
	BW_STAT_COMMANDS,	/* other commands reported */
	BW_STAT_MAPS,		/* map descriptors reported */
	BW_STAT_EMITTED,	/* records written to the ring buffer */
	BW_STAT_LOST_RING,	/* records lost: ring buffer full */
	BW_STAT_LOST_SCRATCH,	/* judged without a record: no scratch memory */
	BW_STAT_LOST_CONTEXT,	/* calls whose arguments could not be kept from entry to exit */
	BW_STAT_READ_FAILED,	/* kernel or user memory could not be read */
	BW_STAT_ATTACHES,	/* attachments and handed on descriptors reported */
	BW_STAT_HELD,		/* questions asked in mode protect */
	BW_STAT_UNANSWERED,	/* loads decided without an answer in mode protect */
	BW_STAT_ACCESSES,	/* uses of maps seen */
	BW_STAT_EGRESS,		/* what processes sent that had read a labelled map */
	BW_STAT_LOST_ACCESS,	/* uses of maps that could not be remembered */
	BW_STAT_CANARY,		/* calls of security_bpf made by the guard itself: shows that the hooks are alive */
	BW_STAT_TAMPERS_DENIED,	/* attempts against the guard that were refused */
	BW_STAT_LOST_NOTES,	/* programs let in that were to be analysed and could not be told of */
	BW_STAT_ID_PROBES,	/* identifiers asked for that there are not; reported are the 1st, 2nd, 4th, ... of a process */
	BW_STAT_COUNT
};

struct bw_stats {
	__u64 v[BW_STAT_COUNT];
};

_Static_assert(sizeof(struct bw_event_hdr) == 32, "bw_event_hdr");
_Static_assert(sizeof(struct bw_actor) == 344, "bw_actor");
_Static_assert(sizeof(struct bw_event_load) == 584, "bw_event_load");
_Static_assert(__builtin_offsetof(struct bw_event_load, digest) == 416, "bw_event_load.digest");
_Static_assert(__builtin_offsetof(struct bw_event_load, hook_ns) == 544, "bw_event_load.hook_ns");
_Static_assert(sizeof(struct bw_event_command) == 528, "bw_event_command");
_Static_assert(sizeof(struct bw_event_map) == 424, "bw_event_map");
_Static_assert(sizeof(struct bw_prog_ref) == 112, "bw_prog_ref");
_Static_assert(sizeof(struct bw_event_attach) == 984, "bw_event_attach");
_Static_assert(__builtin_offsetof(struct bw_event_attach, text) == 696, "bw_event_attach.text");
_Static_assert(sizeof(struct bw_event_access) == 432, "bw_event_access");
_Static_assert(sizeof(struct bw_event_egress) == 552, "bw_event_egress");
_Static_assert(sizeof(struct bw_policy_conf) == 2976, "bw_policy_conf");
_Static_assert(sizeof(struct bw_hold_question) == 3192, "bw_hold_question");
_Static_assert(sizeof(struct bw_hold_code) == 4120, "bw_hold_code");
_Static_assert(sizeof(struct bw_hold_key) == 40, "bw_hold_key");
_Static_assert(sizeof(struct bw_event_tamper) == 432, "bw_event_tamper");
_Static_assert(sizeof(struct bw_approval_key) == 40, "bw_approval_key");
_Static_assert(sizeof(struct bw_approval) == 16, "bw_approval");
_Static_assert(sizeof(struct bw_binding_key) == 24, "bw_binding_key");
_Static_assert(sizeof(struct bw_condition) == 64, "bw_condition");
_Static_assert(sizeof(struct bw_cgroup_pattern) == 4 + BW_MAX_CGROUP_DEPTH * 96, "bw_cgroup_pattern");

#endif
