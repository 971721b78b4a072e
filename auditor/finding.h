/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_FINDING_H
#define BW_FINDING_H
/*
 * What a scan says: objects, their programs, the findings of each. The output type of the rules and the input type of
 * every report. It refers to nothing outside itself: it is made in a sandboxed process, crosses a pipe as bytes, and is
 * printed by another. All of it belongs to one arena; strings are never NULL.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auditor/arena.h"
#include "common/buf.h"
#include "common/slice.h"

enum bw_severity {
	BW_SEV_INFO,
	BW_SEV_LOW,
	BW_SEV_MEDIUM,
	BW_SEV_HIGH,
	BW_SEV_CRITICAL,
	BW_SEV_COUNT_,
};

enum bw_finding_kind {
	BW_KIND_CAPABILITY, /* something an approver decides on */
	BW_KIND_ATTACK,	    /* evidence of hiding, tampering, stealth or theft */
	BW_KIND_DEFECT,	    /* the object could not be judged in full */
	BW_KIND_COUNT_,
};

enum bw_scan_status {
	BW_SCAN_OK,
	BW_SCAN_INCOMPLETE, /* read, but something in it was not understood or not analysed */
	BW_SCAN_UNREADABLE,
	BW_SCAN_STATUS_COUNT_,
};

/* A place in the source and in the code. */
struct bw_place {
	const char *file;      /* "" when the object has no line information */
	uint32_t line, column; /* from 1; 0 unknown */
	const char *text;      /* the source line, "" unknown */
	const char *section;
	uint32_t insn;	       /* index in the section's code */
};

struct bw_finding_step {
	const char *kind; /* "source", "carry", "sink", "evidence" */
	const char *text;
	const char *program, *function;
	struct bw_place at;
};

struct bw_finding {
	const char *rule, *title;
	enum bw_severity severity;
	enum bw_finding_kind kind;
	const char *source, *channel; /* names of flow.h; "" where the finding is not about a flow */
	const char *message;
	const char *because; /* why the severity is what it is: the evidence. "" for the rule's own severity */
	const char *program, *function;
	uint32_t ordinal; /* among the findings of one rule, program and function, by place; from 0 */
	struct bw_place at;
	struct bw_finding_step *steps;
	uint32_t n_steps;
	const char *fingerprint; /* 32 hex digits */
	const char *suppressed;	 /* the reason given in the suppressions file; "" when it counts */
	bool known;		 /* in the baseline: it does not count */
};

struct bw_graph_edge {
	uint32_t from, to;
	uint32_t kind; /* enum bw_graph_edge_kind */
	bool on_flow;
};

enum bw_graph_edge_kind {
	BW_EDGE_NEXT,
	BW_EDGE_TAKEN, /* of a conditional jump */
	BW_EDGE_CALL,
};

struct bw_graph_line {
	uint32_t insn;
	const char *text;
	uint32_t mark; /* 0; or 1 + the number of the flow step that is here */
};

struct bw_graph_node {
	const char *function; /* set on the first block of each function */
	struct bw_graph_line *lines;
	uint32_t n_lines;
	uint32_t n_hidden; /* lines left out of a long block */
	bool on_flow;
};

struct bw_graph {
	struct bw_graph_node *nodes;
	uint32_t n_nodes;
	struct bw_graph_edge *edges;
	uint32_t n_edges;
	bool truncated; /* there are more blocks than BW_MAX_GRAPH_NODES */
};

struct bw_scan_map {
	const char *name, *type, *modes;
};

struct bw_scan_program {
	const char *name, *section, *type, *target;
	uint32_t n_insns;
	const char *helpers; /* "probe_read_user, ringbuf_output" */
	struct bw_scan_map *maps;
	uint32_t n_maps;
	struct bw_finding *findings;
	uint32_t n_findings;
	struct bw_graph graph; /* empty unless asked for */
};

struct bw_scan_object {
	const char *path;   /* as given; of a carved object "path[1]" */
	const char *sha256; /* 64 hex digits, "" when it could not be read */
	enum bw_scan_status status;
	const char **reasons; /* why the status is not ok */
	uint32_t n_reasons;
	uint64_t n_insns;
	struct bw_scan_program *programs;
	uint32_t n_programs;
};

struct bw_scan {
	struct bw_scan_object *objects; /* in the order they were asked for */
	uint32_t n_objects;
	struct bw_arena arena;
};

void bw_scan_free(struct bw_scan *s);

const char *bw_severity_name(enum bw_severity s);
const char *bw_finding_kind_name(enum bw_finding_kind k);
const char *bw_scan_status_name(enum bw_scan_status s);
int bw_severity_id(const char *name); /* -1 for an unknown one */
int bw_finding_kind_id(const char *name);

/* It counts: neither suppressed nor in the baseline. */
static inline bool bw_finding_counts(const struct bw_finding *f)
{
	return !*f->suppressed && !f->known;
}

/*
 * Sorts a program's findings (most severe first, then rule, place), numbers them and computes their fingerprints:
 * the first half of SHA-256 over rule, program, function and ordinal, NUL-separated. Never over an offset or a line, so that
 * code which moves keeps its findings. Returns 0 or -ENOMEM.
 */
int bw_findings_finish(struct bw_finding *f, uint32_t n, struct bw_arena *arena);
/* @ret gets 33 bytes. */
void bw_fingerprint(const char *rule, const char *program, const char *function, uint32_t ordinal, char *ret);

/*
 * One object as bytes, and back. The bytes come from a process that parsed hostile input: every length is checked, a
 * value out of range is -EBADMSG. Decoding allocates from @arena.
 */
void bw_scan_object_encode(const struct bw_scan_object *o, struct bw_buf *out);
int bw_scan_object_decode(struct bw_slice bytes, struct bw_arena *arena, struct bw_scan_object *ret);

#endif
