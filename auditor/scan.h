/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BW_SCAN_H
#define BW_SCAN_H
/*
 * From bytes to findings: read, analyse, apply the rules. Pure: made to run in the sandbox, on hostile input.
 */
#include <stdbool.h>
#include <stdint.h>

#include "auditor/checks/rule.h"
#include "auditor/finding.h"
#include "auditor/object.h"
#include "common/slice.h"

struct bw_analysis_limits;

struct bw_scan_options {
	const struct bw_ruleset *rules;
	const struct bw_analysis_limits *limits; /* NULL: the defaults */
	bool graphs; /* control flow of programs with findings, for the HTML report */
	/* Who wants more of the analysis than its findings; may be NULL. */
	void (*analysed)(void *arg, const struct bw_object *o, const struct bw_analysis *a);
	void *arg;
};

/* Blocks drawn of one program, and instructions shown of one block. */
#define BW_MAX_GRAPH_NODES 400u
#define BW_MAX_GRAPH_LINES 12u

/*
 * Scans one object; @path is what reports call it. Always puts a result into @out (an unreadable object is one, too).
 * Returns 0; -ENOEXEC when the bytes are no BPF object at all (the result says so as well); -ENOMEM.
 */
int bw_scan_encode_bytes(struct bw_slice bytes, const char *path, const struct bw_scan_options *opt, struct bw_buf *out);
/* The same for an object that was read already. */
int bw_scan_encode_object(const struct bw_object *o, const struct bw_scan_options *opt, struct bw_buf *out);
int bw_scan_read_object(const struct bw_object *o, const struct bw_scan_options *opt, struct bw_arena *arena,
			struct bw_scan_object *ret);
/* A result that says that @path could not be read. */
int bw_scan_unreadable(const char *path, const char *reason, struct bw_arena *arena, struct bw_scan_object *ret);

/*
 * The control flow of program @prog with what it calls, as basic blocks in instruction order. Steps of @f (may be NULL)
 * are marked, and the blocks and edges between them.
 */
int bw_graph_build(const struct bw_object *o, int32_t prog, const struct bw_finding *f, uint32_t max_lines,
		   struct bw_arena *arena, struct bw_graph *ret);

#endif
