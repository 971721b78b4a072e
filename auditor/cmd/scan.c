// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* bpfwarden scan: files in, reports and an exit status out. The files are parsed in sandboxed processes (scan_run.c). */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "auditor/cmd/rules_load.h"
#include "auditor/cmd/scan_loaded.h"
#include "auditor/commands.h"
#include "auditor/live.h"
#include "auditor/report/report.h"
#include "auditor/scan_live.h"
#include "auditor/scan_run.h"
#include "auditor/suppress.h"
#include "common/cleanup.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/opts.h"
#include "common/sandbox.h"

struct scan_args {
	struct bw_strlist formats, path_maps;
	const char *fail_on, *show, *rules, *suppress, *baseline, *write_baseline, *source_root, *colour;
	unsigned int jobs;
	bool live, as_loaded, quiet;
};

static const struct bw_command cmd = {
	"bpfwarden scan", "PATH...", "Audits BPF objects: which data they can reach, how it can leave, and what else they do.",
	"PATH is a file, a folder (everything below it) or a pattern. Executables and archives are searched for the objects\n"
	"they hold. Exit status: 0 nothing at --fail-on or above; 1 findings; 2 usage, or input that could not be read or\n"
	"judged in full; 3 internal error."
};

static void progress(void *ctx, uint32_t done, uint32_t total, const char *path)
{
	const time_t *start = ctx;
	const char *slash = strrchr(path, '/');

	if (time(NULL) - *start < 1 && done < total)
		return;
	if (time(NULL) - *start >= 1)
		fprintf(stderr, "\r\033[K[%u/%u] %.60s", done, total, done < total ? (slash ? slash + 1 : path) : "");
	if (done == total && time(NULL) - *start >= 1)
		fputs("\r\033[K", stderr);
}

/* ---- live programs -------------------------------------------------------------------------------------------------- */

/* Programs that come and go while we look are no error. */
static int scan_live(const struct bw_scan_options *opt, struct bw_scan *s)
{
	size_t cap = 0;
	uint32_t id = 0;
	int r;

	for (;;) {
		struct bw_scan_object o;

		r = bw_live_next(id, &id);
		if (r == -ENOENT)
			return 0;
		if (r < 0) {
			bw_err("loaded programs cannot be listed: %s (CAP_SYS_ADMIN is needed)", strerror(-r));
			return r;
		}
		r = bw_scan_live(id, opt, &s->arena, &o);
		if (r == -ENOENT)
			continue;
		if (r < 0)
			return r;
		if (!bw_arena_grow(&s->arena, &s->objects, s->n_objects, &cap, sizeof(o)))
			return -ENOMEM;
		s->objects[s->n_objects++] = o;
	}
}

/* ---- output --------------------------------------------------------------------------------------------------------- */

static int write_out(const char *path, const struct bw_buf *b)
{
	struct stat st;
	int r;

	if (bw_buf_error(b)) {
		bw_err("%s: the report could not be made: %s", path ? path : "standard output", strerror(-bw_buf_error(b)));
		return bw_buf_error(b);
	}
	if (!path) {
		if (fwrite(bw_buf_cstr(b), 1, b->len, stdout) != b->len || fflush(stdout)) {
			r = -errno;
			bw_err("standard output: %s", strerror(-r));
			return r;
		}
		return 0;
	}
	if (!stat(path, &st) && !S_ISREG(st.st_mode)) {
		_cleanup_fclose_ FILE *f = fopen(path, "we");

		r = !f || fwrite(bw_buf_cstr(b), 1, b->len, f) != b->len || fflush(f) ? -errno : 0;
	} else {
		r = bw_file_write_atomic(path, bw_buf_cstr(b), b->len, 0644);
	}
	if (r < 0)
		bw_err("%s: %s", path, strerror(-r));
	return r;
}

struct target {
	const struct bw_report_format *format;
	const char *path; /* NULL: standard output */
};

static int parse_formats(const struct scan_args *a, struct target **ret, unsigned int *ret_n)
{
	_cleanup_free_ struct target *t = calloc(a->formats.n + 1, sizeof(*t));
	unsigned int n = 0, to_stdout = 0;

	if (!t)
		return -ENOMEM;
	for (unsigned int i = 0; i < a->formats.n; i++) {
		const char *spec = a->formats.items[i], *eq = strchr(spec, '=');
		char name[32];

		snprintf(name, sizeof(name), "%.*s", (int)(eq ? eq - spec : (long)strlen(spec)), spec);
		t[n].format = bw_report_format(name);
		if (!t[n].format) {
			fprintf(stderr, "%s: --format: there is no format \"%s\"; text, json, sarif, junit, codequality, github "
					"and html are known\n",
				cmd.name, name);
			return -EINVAL;
		}
		if (eq && !eq[1]) {
			fprintf(stderr, "%s: --format %s needs a file after the \"=\"\n", cmd.name, spec);
			return -EINVAL;
		}
		t[n].path = eq && strcmp(eq + 1, "-") ? eq + 1 : NULL;
		to_stdout += !t[n++].path;
	}
	if (!n) {
		t[n++].format = bw_report_format("text");
		to_stdout = 1;
	}
	if (to_stdout > 1) {
		fprintf(stderr, "%s: only one --format can go to standard output; give the others a file (FORMAT=FILE)\n",
			cmd.name);
		return -EINVAL;
	}
	*ret = TAKE_PTR(t);
	*ret_n = n;
	return 0;
}

static bool use_colour(const struct scan_args *a)
{
	const char *term = getenv("TERM"), *none = getenv("NO_COLOR");

	if (strcmp(a->colour, "auto"))
		return !strcmp(a->colour, "always");
	return isatty(STDOUT_FILENO) && !(none && *none) && term && strcmp(term, "dumb");
}

static int write_reports(const struct scan_args *a, const struct target *t, unsigned int n, struct bw_report *report)
{
	for (unsigned int i = 0; i < n; i++) {
		_cleanup_buf_ struct bw_buf out = { .max = 1u << 30 };
		int r;

		report->colour = !t[i].path && use_colour(a);
		t[i].format->write(report, &out);
		r = write_out(t[i].path, &out);
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- what was decided before ------------------------------------------------------------------------------------------ */

static int read_decision(const char *path, char **ret, size_t *ret_len)
{
	int r = bw_file_read(path, BW_MAX_POLICY_SIZE, ret, ret_len);

	if (r < 0)
		bw_err("%s: %s", path, strerror(-r));
	return r;
}

static int apply_suppressions(const char *path, struct bw_scan *s)
{
	BW_CLEANUP(bw_suppressions_free) struct bw_suppressions list = { 0 };
	_cleanup_free_ char *text = NULL;
	struct bw_diag diag;
	time_t now = time(NULL);
	char line[700];
	uint32_t expired;
	struct tm tm;
	size_t len;
	int r;

	r = read_decision(path, &text, &len);
	if (r < 0)
		return r;
	r = bw_suppressions_read(text, len, path, &list, &diag);
	if (r < 0) {
		bw_err("%s", bw_diag_text(&diag, line, sizeof(line)));
		return r;
	}
	gmtime_r(&now, &tm);
	r = bw_suppressions_apply(&list, (uint32_t)((tm.tm_year + 1900) * 10000 + (tm.tm_mon + 1) * 100 + tm.tm_mday), s,
				  &expired);
	if (r < 0)
		return r;
	if (expired)
		bw_warn("%s: %u suppression%s expired and no longer holds", path, expired, expired == 1 ? "" : "s");
	for (uint32_t i = 0; i < list.n; i++)
		if (!list.items[i].used)
			bw_info("%s: suppressions[%u] (%s) applies to nothing", path, i,
				*list.items[i].rule ? list.items[i].rule : list.items[i].fingerprint);
	return 0;
}

static int apply_baseline(const char *path, struct bw_scan *s)
{
	_cleanup_free_ char *text = NULL;
	struct bw_diag diag;
	char line[700];
	size_t len;
	int r;

	r = read_decision(path, &text, &len);
	if (r < 0)
		return r;
	r = bw_baseline_apply(text, len, path, s, &diag);
	if (r < 0)
		bw_err("%s", bw_diag_text(&diag, line, sizeof(line)));
	return r;
}

static int exit_status(const struct bw_scan *s, int fail_on)
{
	struct bw_counts c;

	bw_report_count(s, &c);
	if (c.unreadable || c.incomplete || !c.objects)
		return BW_EXIT_INPUT;
	for (unsigned int i = 0; i < BW_SEV_COUNT_; i++)
		if (fail_on >= 0 && (int)i >= fail_on && c.by_severity[i])
			return BW_EXIT_FINDINGS;
	return BW_EXIT_OK;
}

static int collect_files(int nargs, char **argv, struct bw_scan_files *files)
{
	for (int i = 1; i <= nargs; i++) {
		const char *reason = "?";
		int r = bw_scan_files_add(files, argv[i], &reason);

		if (r < 0) {
			bw_err("%s: %s", argv[i], reason);
			return r;
		}
	}
	return 0;
}

static int scan_all(const struct scan_args *a, const struct bw_ruleset *rules, const struct target *t, unsigned int n,
		    const struct bw_scan_files *files, struct bw_scan *s)
{
	time_t start = time(NULL);
	struct bw_scan_run run = { .opt = { .rules = rules }, .jobs = a->jobs };
	uint32_t skipped = 0;
	int r = 0;

	for (unsigned int i = 0; i < n; i++)
		run.opt.graphs |= !strcmp(t[i].format->name, "html");
	if (!a->quiet && isatty(STDERR_FILENO)) {
		run.progress = progress;
		run.progress_ctx = &start;
	}
	if (a->live)
		r = scan_live(&run.opt, s);
	if (a->as_loaded)
		r = scan_as_loaded(files, s);
	else if (!r && files->n)
		r = bw_scan_run(&run, files, s, &skipped);
	if (r < 0) {
		bw_err("the scan failed: %s", strerror(-r));
		return r;
	}
	if (skipped && !a->quiet)
		bw_info("%u other file%s skipped", skipped, skipped == 1 ? "" : "s");
	if (!s->n_objects)
		bw_err("there is no BPF object in what was given");
	return 0;
}

static int run_scan(const struct scan_args *a, int nargs, char **argv)
{
	BW_CLEANUP(bw_ruleset_free) struct bw_ruleset rules = { 0 };
	BW_CLEANUP(bw_scan_files_free) struct bw_scan_files files = { 0 };
	BW_CLEANUP(bw_scan_free) struct bw_scan s = { 0 };
	_cleanup_free_ struct target *targets = NULL;
	struct bw_report report = { .scan = &s, .rules = &rules, .show = BW_SEV_LOW };
	_cleanup_buf_ struct bw_buf baseline = { 0 };
	int fail_on = bw_severity_id(a->fail_on);
	unsigned int n;

	for (unsigned int i = 0; i < a->path_maps.n; i++)
		if (strchr(a->path_maps.items[i], '=') == NULL || a->path_maps.items[i][0] == '=') {
			fprintf(stderr, "%s: --path-map takes FROM=TO, not \"%s\"\n", cmd.name, a->path_maps.items[i]);
			return BW_EXIT_INPUT;
		}
	if (parse_formats(a, &targets, &n) < 0 || rules_load(a->rules, &rules) < 0 || collect_files(nargs, argv, &files) < 0)
		return BW_EXIT_INPUT;
	if (scan_all(a, &rules, targets, n, &files, &s) < 0)
		return a->live ? BW_EXIT_INPUT : BW_EXIT_INTERNAL;
	if ((a->suppress && apply_suppressions(a->suppress, &s) < 0) || (a->baseline && apply_baseline(a->baseline, &s) < 0))
		return BW_EXIT_INPUT;
	if (a->write_baseline) {
		bw_baseline_write(&s, &baseline);
		if (write_out(a->write_baseline, &baseline) < 0)
			return BW_EXIT_INTERNAL;
	}
	report.fail_on = fail_on < 0 ? BW_SEV_COUNT_ : (enum bw_severity)fail_on;
	if (a->show)
		report.show = (enum bw_severity)bw_severity_id(a->show);
	report.source_root = a->source_root;
	report.path_maps = a->path_maps.items;
	report.n_path_maps = a->path_maps.n;
	if (write_reports(a, targets, n, &report) < 0)
		return BW_EXIT_INTERNAL;
	return exit_status(&s, fail_on);
}

int cmd_scan(int argc, char **argv)
{
	struct scan_args a = { .fail_on = "high", .colour = "auto" };
	const struct bw_opt opts[] = {
		{ BW_OPT_LIST, 'f', "format", &a.formats, "text|json|sarif|junit|codequality|github|html[=FILE]",
		  "how to report, and where to; may be given several times (default: text)" },
		{ BW_OPT_CHOICE, 0, "fail-on", &a.fail_on, "info|low|medium|high|critical|none",
		  "exit 1 when there is a finding of this severity or above (default: high)" },
		{ BW_OPT_CHOICE, 0, "show", &a.show, "info|low|medium|high|critical",
		  "text, html, github: leave out what is below (default: low)" },
		{ BW_OPT_STRING, 0, "suppress", &a.suppress, "FILE", "findings that were decided about, each with reason and expiry" },
		{ BW_OPT_STRING, 0, "baseline", &a.baseline, "FILE", "findings that were there before do not count" },
		{ BW_OPT_STRING, 0, "write-baseline", &a.write_baseline, "FILE", "write the findings of this scan as a baseline" },
		{ BW_OPT_STRING, 0, "rules", &a.rules, "DIR", "rules from DIR/audit-*.json instead of those built in" },
		{ BW_OPT_STRING, 0, "source-root", &a.source_root, "DIR", "name source files below DIR relative to it" },
		{ BW_OPT_LIST, 0, "path-map", &a.path_maps, "FROM=TO", "replace the beginning of source file names" },
		{ BW_OPT_FLAG, 0, "live", &a.live, NULL, "scan the programs that are loaded in this kernel (root)" },
		{ BW_OPT_FLAG, 0, "as-loaded", &a.as_loaded, NULL,
		  "judge what the kernel would be given: what the guard sees in mode protect, without names of attach points" },
		{ BW_OPT_UINT, 'j', "jobs", &a.jobs, "N", "processes at a time (default: one per CPU)" },
		{ BW_OPT_CHOICE, 0, "color", &a.colour, "auto|always|never", "colours of the text report (NO_COLOR is honoured)" },
		{ BW_OPT_FLAG, 'q', "quiet", &a.quiet, NULL, "no progress and no remarks on standard error" },
		BW_OPTS_HELP_ROW,
		{ BW_OPT_END },
	};
	int nargs, r, status;

	r = bw_opts_parse(&cmd, opts, argc, argv, &nargs);
	if (r) {
		status = r < 0 ? BW_EXIT_INPUT : BW_EXIT_OK;
	} else if (!nargs && !a.live) {
		fprintf(stderr, "%s: what is to be scanned? --help explains\n", cmd.name);
		status = BW_EXIT_INPUT;
	} else if (a.as_loaded && (a.live || a.rules)) {
		fprintf(stderr, "%s: --as-loaded is about files, with the rules built in\n", cmd.name);
		status = BW_EXIT_INPUT;
	} else {
		status = run_scan(&a, nargs, argv);
	}
	bw_strlist_free(&a.formats);
	bw_strlist_free(&a.path_maps);
	return status;
}
