// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* bpfwarden graph: the control flow of one program, as DOT or SVG, with the way of one finding drawn on it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "auditor/carve.h"
#include "auditor/cmd/rules_load.h"
#include "auditor/commands.h"
#include "auditor/report/report.h"
#include "auditor/scan.h"
#include "common/cleanup.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/opts.h"
#include "common/sandbox.h"

#define BW_GRAPH_LINES 64u

struct graph_job {
	struct bw_slice bytes;
	const char *path, *program, *rule;
	struct bw_scan_options opt;
	struct bw_sandbox_out *out;
	bool found;
};

static const struct bw_finding *pick_finding(const struct bw_scan_program *p, const char *rule)
{
	for (uint32_t i = 0; i < p->n_findings; i++)
		if (!rule || !strcmp(p->findings[i].rule, rule))
			return &p->findings[i];
	return NULL;
}

/* Sends an object with nothing but the program asked for, its graph, and the finding that is drawn. */
static int draw_object(struct graph_job *job, const struct bw_object *o)
{
	_cleanup_buf_ struct bw_buf b = { 0 };
	struct bw_arena arena = { 0 };
	struct bw_scan_object s;
	int32_t prog = bw_object_find_prog(o, job->program);
	int r;

	if (prog == BW_NONE || job->found)
		return 0;
	r = bw_scan_read_object(o, &job->opt, &arena, &s);
	if (!r) {
		struct bw_scan_program *p = &s.programs[prog];
		const struct bw_finding *f = pick_finding(p, job->rule);

		r = bw_graph_build(o, prog, f, BW_GRAPH_LINES, &arena, &p->graph);
		p->findings = (struct bw_finding *)f;
		p->n_findings = f != NULL;
		s.programs = p;
		s.n_programs = 1;
	}
	if (!r) {
		bw_scan_object_encode(&s, &b);
		r = bw_buf_error(&b) ? bw_buf_error(&b) : bw_sandbox_write(job->out, b.data, b.len);
	}
	bw_arena_free(&arena);
	job->found = true;
	return r;
}

static int draw_found(void *arg, const struct bw_carved *c)
{
	_cleanup_object_ struct bw_object *o = NULL;
	struct bw_diag diag;

	return bw_carved_read(c, &o, &diag) ? 0 : draw_object(arg, o);
}

static int draw(void *arg, struct bw_sandbox_out *out)
{
	struct graph_job *job = arg;
	struct bw_diag diag;
	int r;

	job->out = out;
	r = bw_carve(job->bytes, job->path, NULL, draw_found, job, &diag);
	return r ? r : job->found ? 0 : -ENOENT;
}

static int render(const struct graph_job *job, const struct bw_slice bytes, const char *format, struct bw_buf *out)
{
	_cleanup_buf_ struct bw_buf title = { 0 };
	struct bw_arena arena = { 0 };
	struct bw_scan_object s;
	const struct bw_scan_program *p;
	int r = bw_scan_object_decode(bytes, &arena, &s);

	if (!r && s.n_programs != 1)
		r = -EBADMSG;
	if (!r) {
		p = &s.programs[0];
		bw_buf_printf(&title, "%s: %s", s.path, p->name);
		if (p->n_findings)
			bw_buf_printf(&title, " - %s %s: %s", p->findings[0].rule, bw_severity_name(p->findings[0].severity),
				      p->findings[0].message);
		if (!strcmp(format, "dot"))
			bw_graph_dot(&p->graph, bw_buf_cstr(&title), out);
		else
			bw_graph_svg(&p->graph, bw_buf_cstr(&title), "g", true, out);
		if (job->rule && !p->n_findings)
			bw_warn("%s has no finding of rule %s", job->program, job->rule);
	}
	bw_arena_free(&arena);
	return r ? r : bw_buf_error(out);
}

int cmd_graph(int argc, char **argv)
{
	static const struct bw_command cmd = {
		"bpfwarden graph", "PROG FILE", "Draws the control flow of a program.",
		"The steps of the program's most severe finding (or of the one --rule names) are marked, and the ways between them."
	};
	const char *format = "svg", *output = NULL, *rule = NULL, *dir = NULL;
	const struct bw_opt opts[] = {
		{ BW_OPT_CHOICE, 'f', "format", &format, "svg|dot", "(default: svg)" },
		{ BW_OPT_STRING, 'o', "output", &output, "FILE", "write there instead of to standard output" },
		{ BW_OPT_STRING, 0, "rule", &rule, "RULE", "draw the finding of this rule" },
		{ BW_OPT_STRING, 0, "rules", &dir, "DIR", "rules from DIR/audit-*.json instead of those built in" },
		BW_OPTS_HELP_ROW,
		{ BW_OPT_END },
	};
	BW_CLEANUP(bw_ruleset_free) struct bw_ruleset rules = { 0 };
	_cleanup_buf_ struct bw_buf sent = { 0 }, text = { 0 };
	struct bw_sandbox conf = { .wall_ms = 30000 };
	struct graph_job job = { .opt = { .rules = &rules } };
	_cleanup_free_ char *data = NULL;
	char reason[256];
	size_t len;
	int nargs, r;

	r = bw_opts_parse(&cmd, opts, argc, argv, &nargs);
	if (r)
		return r < 0 ? BW_EXIT_INPUT : BW_EXIT_OK;
	if (nargs != 2) {
		fprintf(stderr, "%s: needs the name of a program and a file\n", cmd.name);
		return BW_EXIT_INPUT;
	}
	if (rules_load(dir, &rules) < 0)
		return BW_EXIT_INPUT;
	job.program = argv[1];
	job.path = argv[2];
	job.rule = rule;
	r = bw_file_read(job.path, BW_MAX_OBJECT_SIZE, &data, &len);
	if (r < 0) {
		bw_err("%s: %s", job.path, strerror(-r));
		return BW_EXIT_INPUT;
	}
	job.bytes = bw_slice(data, len);
	r = bw_sandbox_run(&conf, draw, &job, &sent, reason, sizeof(reason));
	if (r == -ENOENT)
		bw_err("%s: has no program %s", job.path, job.program);
	else if (r == -ENOEXEC)
		bw_err("%s: no BPF object", job.path);
	else if (r < 0)
		bw_err("%s: %s", job.path, reason);
	if (r < 0)
		return BW_EXIT_INPUT;
	r = render(&job, bw_slice(sent.data, sent.len), format, &text);
	if (!r && output)
		r = bw_file_write_atomic(output, bw_buf_cstr(&text), text.len, 0644);
	else if (!r && fwrite(bw_buf_cstr(&text), 1, text.len, stdout) != text.len)
		r = -EIO;
	if (r < 0)
		bw_err("%s: %s", output ? output : "the drawing", strerror(-r));
	return r < 0 ? BW_EXIT_INTERNAL : BW_EXIT_OK;
}
