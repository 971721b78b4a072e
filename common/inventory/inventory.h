/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_INVENTORY_H
#define BW_INVENTORY_H
/*
 * What BPF is on this host, seen from several sides. Every side (enum inv_view) says on its own which programs, maps and
 * links there are; an object that one side shows and another conceals is what a rootkit hides (inv_compare()). Needs no
 * guard, no policy and no library that could be replaced: system calls, /proc, netlink and BPF iterators.
 *
 * Filled by inv_collect(); everything inside struct inventory belongs to it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

#define INV_NAME_LEN 16 /* BPF_OBJ_NAME_LEN */
#define INV_TAG_LEN  8	/* BPF_TAG_SIZE */

/* Objects of one kind, sightings of them, identifiers that are tried one by one. Reaching one makes the inventory incomplete. */
#define INV_MAX_OBJECTS	  (1u << 20)
#define INV_MAX_SIGHTINGS (1u << 22)
#define INV_MAX_PROBES	  (1u << 20)
#define INV_MAX_NOTES	  64u

enum inv_kind { INV_PROG, INV_MAP, INV_LINK, INV_KINDS };

enum inv_view {
	INV_VIEW_WALK,	   /* BPF_*_GET_NEXT_ID */
	INV_VIEW_PROBE,	   /* BPF_*_GET_FD_BY_ID of every number in between */
	INV_VIEW_ITERATOR, /* bpf_iter_bpf_prog, _map, _link: run in the kernel */
	INV_VIEW_FD,	   /* /proc/PID/fdinfo */
	INV_VIEW_PIN,	   /* files on BPF file systems */
	INV_VIEW_LINK,	   /* the program of a link */
	INV_VIEW_PROG,	   /* the maps of a program */
	INV_VIEW_MAP,	   /* the programs in a map of programs, the maps in a map of maps */
	INV_VIEW_KALLSYMS, /* code in the kernel's symbol table */
	INV_VIEW_NETLINK,  /* XDP and tc, rtnetlink */
	INV_VIEW_QUERY,	   /* BPF_PROG_QUERY: cgroups, network namespaces, tcx, netkit */
	INV_VIEW_PERF,	   /* BPF_TASK_FD_QUERY of perf events */
	INV_VIEWS,
	/* The second look, at the end: tells what is hidden from what came or went meanwhile. */
	INV_AGAIN_WALK = INV_VIEWS,
	INV_AGAIN_OPEN,
	INV_AGAIN_ITERATOR,
};

/* How a view could be had. */
enum inv_state {
	INV_UNAVAILABLE, /* not on this kernel, or not for this user: a note says why */
	INV_PARTIAL,
	INV_COMPLETE,
};

struct inv_object {
	uint32_t id;
	uint32_t views; /* bit per enum inv_view */
	bool described; /* the kernel answered BPF_OBJ_GET_INFO_BY_FD */
	bool hidden;	/* inv_compare() */
	char name[INV_NAME_LEN + 1];
	uint32_t type; /* bpf_prog_type, bpf_map_type, bpf_link_type */
	union {
		struct {
			uint8_t tag[INV_TAG_LEN];
			uint64_t loaded_ns; /* since boot, CLOCK_BOOTTIME */
			uint32_t uid;
			uint32_t btf_id, attach_btf_obj_id, attach_btf_id;
			uint32_t xlated_len, jited_len, insns_verified;
			uint64_t run_time_ns, run_count; /* 0 unless kernel.bpf_stats_enabled */
			uint64_t recursion_misses;
			uint32_t n_maps;
			uint32_t *maps; /* ids */
			uint32_t n_ksyms;
			uint64_t *ksyms; /* addresses of its functions; zeros when the kernel conceals them */
		} prog;
		struct {
			uint32_t key_size, value_size, max_entries, flags, btf_id;
			bool frozen;
		} map;
		struct {
			uint32_t prog_id, attach_type;
			char *target; /* "fentry bpf_lsm_file_open", "xdp eth0"; NULL: nothing to say */
		} link;
	};
	uint64_t memlock; /* bytes charged, of programs and maps; 0 until a descriptor told (fdinfo) */
};

/* Where an object was seen, other than in a list of identifiers. */
struct inv_sighting {
	enum inv_kind kind;
	enum inv_view view;
	uint32_t id; /* 0: the program behind it has no identifier that is known (kallsyms) */
	uint32_t pid; /* INV_VIEW_FD, INV_VIEW_PERF */
	int fd;
	char *text; /* path of a pin, attach point, symbol; for descriptors the executable, NULL for none */
	char comm[17];
};

/* Code of a BPF program in /proc/kallsyms. */
struct inv_symbol {
	uint64_t address; /* 0: concealed by kernel.kptr_restrict */
	char *name;	  /* "bpf_prog_<tag>_<name>" */
	bool again;	  /* in the second reading too */
};

struct inv_list {
	struct inv_object *v; /* sorted by id */
	uint32_t n, cap;
};

enum inv_severity { INV_INFO, INV_MEDIUM, INV_CRITICAL };

struct inv_discrepancy {
	enum inv_severity severity;
	enum inv_kind kind;
	uint32_t id; /* 0: unknown */
	const char *what; /* static: "hidden_from_ids", ... */
	char *message;
};

struct inventory {
	struct inv_list objects[INV_KINDS];
	struct inv_sighting *sightings;
	uint32_t n_sightings, cap_sightings;
	enum inv_state view[INV_KINDS][INV_VIEWS];
	struct inv_symbol *symbols; /* sorted by address and name */
	uint32_t n_symbols, cap_symbols;
	struct inv_discrepancy *discrepancies;
	uint32_t n_discrepancies, cap_discrepancies;
	char *notes[INV_MAX_NOTES]; /* why something is missing */
	uint32_t n_notes;
	bool incomplete;
	bool stats_enabled; /* kernel.bpf_stats_enabled */
	struct {
		uint32_t id; /* of the map in which a guard lists what is its; 0: no more */
		bool in_place; /* pinned where only a guard's programs let it be */
	} guards[4];
	uint64_t *guarded;  /* what they list, sorted */
	uint32_t n_guarded, cap_guarded;
	uint32_t own[INV_KINDS][8]; /* what looking takes: the iterators' programs and links */
};

/* Called now and then with what is being read and how much of it; may be NULL. */
typedef void (*inv_progress_fn)(void *arg, const char *what, uint32_t done);

/*
 * Looks at this host from every side. Returns 0 (also when sides are missing: notes), -EPERM when not even the identifiers may
 * be read, -ENOSYS without bpf(2), -ENOMEM. inv_free() in every case.
 */
int inv_collect(struct inventory *inv, inv_progress_fn progress, void *arg);
void inv_free(struct inventory *inv);

/* Compares the sides and fills in discrepancies; pure. -ENOMEM. */
int inv_compare(struct inventory *inv);

struct inv_object *inv_find(const struct inventory *inv, enum inv_kind kind, uint32_t id);
const char *inv_kind_name(enum inv_kind kind);	  /* "program" */
const char *inv_view_name(enum inv_view view);	  /* "ids" */
const char *inv_severity_name(enum inv_severity s);
/* What keeps the program or map alive, a word: "process", "pin", "link", "attachment", "map", "program", "unknown". */
const char *inv_holder_of(const struct inventory *inv, enum inv_kind kind, const struct inv_object *o);

/* What a policy or an analysis says of a program, for the report. Both may return NULL. */
struct inv_opinion {
	const char *(*approval)(void *arg, const struct inv_object *prog); /* "approved", "unapproved" */
	/* JSON text of an array of findings, borrowed. */
	const char *(*findings)(void *arg, const struct inv_object *prog);
	void *arg;
};
/* rules/schema/inventory-v1.schema.json. @opinion may be NULL. Errors stick to @out. */
void inv_report_json(const struct inventory *inv, const struct inv_opinion *opinion, struct bw_buf *out);
/* Text for people; what strangers chose is escaped by whoever prints it (term_strn()). */
void inv_report_table(const struct inventory *inv, const struct inv_opinion *opinion, struct bw_buf *out);

/* ---- between the parts: each looks from one side ----------------------------------------------------------------------- */

struct inv_object *inv_add(struct inventory *inv, enum inv_kind kind, uint32_t id, enum inv_view view); /* NULL: no memory, or full */
/* Takes @text (may be NULL), also on failure. */
int inv_saw(struct inventory *inv, const struct inv_sighting *s, char *text);
/* Why something is missing; the inventory is then incomplete. */
int inv_note(struct inventory *inv, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* What this kernel does not have: a side fewer, nothing that is missing from the lists. */
int inv_remark(struct inventory *inv, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

int inv_guarded(struct inventory *inv);		       /* what a guard closes to everybody else: before the others */
int inv_guarded_by(struct inventory *inv, int map_fd, bool in_place); /* the same, if that map is a guard's list */
bool inv_is_guarded(const struct inventory *inv, enum inv_kind kind, uint32_t id);
bool inv_is_guarded_pin(const struct inventory *inv, const char *path);
bool inv_is_guarded_code(const struct inventory *inv, uint64_t address);
int inv_ids(struct inventory *inv, inv_progress_fn progress, void *arg);	/* walk, probe, information */
int inv_ids_again(struct inventory *inv);					/* the same, once more at the end */
int inv_iterators(struct inventory *inv, enum inv_view view);			/* INV_VIEW_ITERATOR or INV_AGAIN_ITERATOR */
int inv_processes(struct inventory *inv, inv_progress_fn progress, void *arg);
int inv_pins(struct inventory *inv);
int inv_symbols(struct inventory *inv, const char *kallsyms); /* to be called twice, with inv_ids_again() in between */
int inv_nested(struct inventory *inv);			      /* what maps of programs and maps of maps contain */
int inv_network(struct inventory *inv);			      /* XDP, tc, tcx, netkit and network namespaces */
int inv_cgroups(struct inventory *inv);			      /* cgroups, and maps of sockets */
/* BPF_PROG_QUERY: the programs that @target (a descriptor, or an interface) has for @attach_type; @where is shown before them. */
int inv_query(struct inventory *inv, uint32_t target, uint32_t attach_type, const char *where);

#endif
