/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef TEST_SCAN_MODEL_H
#define TEST_SCAN_MODEL_H
/* A scan made by hand, with something of everything that a report has to cope with. */
#include "auditor/finding.h"
#include "common/cleanup.h"

static struct bw_finding_step model_steps[] = {
	{ .kind = "evidence",
	  .text = "compares bpf_get_current_comm with \"sshd\"",
	  .program = "exit_read",
	  .function = "exit_read",
	  .at = { .file = "/src/a b.bpf.c", .line = 20, .column = 6, .text = "\tif (comm[0] != 's')", .section = "tp/x", .insn = 4 } },
	{ .kind = "source",
	  .text = "buffer of read(2)",
	  .program = "enter_read",
	  .function = "enter_read",
	  .at = { .file = "/src/a b.bpf.c", .line = 11, .column = 2, .text = "\tbpf_map_update_elem(&m, &k, &v, 0);", .section = "tp/e", .insn = 9 } },
	{ .kind = "sink",
	  .text = "bpf_probe_write_user <&\"'>",
	  .program = "exit_read",
	  .function = "store",
	  .at = { .file = "", .text = "", .section = "tp/x", .insn = 31 } },
};

static struct bw_finding model_findings[] = {
	{ .rule = "BW120", .title = "A system call's result is rewritten through a saved pointer", .severity = BW_SEV_CRITICAL,
	  .kind = BW_KIND_ATTACK, .source = "constant", .channel = "user-write", .message = "writes 2 bytes <b>&</b>",
	  .because = "the strongest signal", .program = "exit_read", .function = "store",
	  .at = { .file = "/src/a b.bpf.c", .line = 31, .column = 3, .text = "\t\tbpf_probe_write_user(p, \"<x>\", 2);", .section = "tp/x", .insn = 31 },
	  .steps = model_steps, .n_steps = ARRAY_SIZE(model_steps), .suppressed = "" },
	{ .rule = "BW106", .title = "Buffers of system calls are captured", .severity = BW_SEV_MEDIUM, .kind = BW_KIND_CAPABILITY,
	  .source = "syscall-buffer", .channel = "ringbuf", .message = "what is read reaches events", .because = "",
	  .program = "exit_read", .function = "exit_read", .at = { .file = "", .text = "", .section = "tp/x", .insn = 12 }, .suppressed = "" },
	{ .rule = "BW100", .title = "Data leaves through a channel", .severity = BW_SEV_INFO, .kind = BW_KIND_CAPABILITY,
	  .source = "process-metadata", .channel = "ringbuf", .message = "a pid\x1b[31m reaches events\xff", .because = "", .program = "exit_read",
	  .function = "exit_read", .at = { .file = "", .text = "", .section = "tp/x", .insn = 14 }, .suppressed = "" },
};

static struct bw_graph_line model_lines_a[] = { { .insn = 0, .text = "call bpf_get_current_comm", .mark = 1 }, { .insn = 1, .text = "if r0 == 0x0 goto +0x2" } };
static struct bw_graph_line model_lines_b[] = { { .insn = 2, .text = "call bpf_probe_write_user <&>", .mark = 3 } };
static struct bw_graph_line model_lines_c[] = { { .insn = 3, .text = "exit" } };
static struct bw_graph_node model_nodes[] = {
	{ .function = "exit_read", .lines = model_lines_a, .n_lines = 2, .on_flow = true },
	{ .function = "", .lines = model_lines_b, .n_lines = 1, .n_hidden = 7, .on_flow = true },
	{ .function = "", .lines = model_lines_c, .n_lines = 1 },
};
static struct bw_graph_edge model_edges[] = {
	{ .from = 0, .to = 2, .kind = BW_EDGE_TAKEN },
	{ .from = 0, .to = 1, .kind = BW_EDGE_NEXT, .on_flow = true },
	{ .from = 1, .to = 2, .kind = BW_EDGE_NEXT },
	{ .from = 1, .to = 0, .kind = BW_EDGE_TAKEN },
};

static struct bw_scan_map model_maps[] = { { .name = "events", .type = "ringbuf", .modes = "output" } };
static struct bw_scan_program model_programs[] = {
	{ .name = "exit_read", .section = "tp/x", .type = "tracepoint", .target = "sys_exit_read", .n_insns = 40,
	  .helpers = "probe_write_user, get_current_comm", .maps = model_maps, .n_maps = 1,
	  .findings = model_findings, .n_findings = ARRAY_SIZE(model_findings),
	  .graph = { .nodes = model_nodes, .n_nodes = 3, .edges = model_edges, .n_edges = 4 } },
	{ .name = "quiet", .section = "xdp", .type = "xdp", .target = "quiet", .n_insns = 2, .helpers = "" },
};
static const char *model_reasons[] = { "section .text is cut off" };
static struct bw_scan_object model_objects[] = {
	{ .path = "build/a b.bpf.o", .sha256 = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", .status = BW_SCAN_OK,
	  .n_insns = 42, .programs = model_programs, .n_programs = 2 },
	{ .path = "build/cut.bpf.o", .sha256 = "", .status = BW_SCAN_UNREADABLE, .reasons = model_reasons, .n_reasons = 1 },
};

/* The scan, fresh: reports and suppressions of an earlier test leave no trace. The caller frees it with bw_scan_free(). */
static inline struct bw_scan model_scan(void)
{
	static struct bw_arena fingerprints; /* they live as long as the static findings do */
	struct bw_scan s = { .objects = model_objects, .n_objects = ARRAY_SIZE(model_objects) };

	if (!fingerprints.head)
		bw_findings_finish(model_findings, ARRAY_SIZE(model_findings), &fingerprints);
	for (unsigned int i = 0; i < ARRAY_SIZE(model_findings); i++) {
		model_findings[i].suppressed = "";
		model_findings[i].known = false;
	}
	return s;
}

#endif
