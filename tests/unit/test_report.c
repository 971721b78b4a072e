// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Each report against its golden file (tests/golden/report), from a scan made by hand. UPDATE_GOLDEN=1 writes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "auditor/report/report.h"
#include "tests/unit/scan_model.h"

static struct bw_ruleset rules;

static struct bw_report model_report(struct bw_scan *s)
{
	return (struct bw_report){ .scan = s, .rules = &rules, .fail_on = BW_SEV_HIGH, .show = BW_SEV_INFO };
}

static void render(const char *format, struct bw_buf *out)
{
	struct bw_scan s = model_scan();
	struct bw_report r = model_report(&s);

	bw_report_format(format)->write(&r, out);
	assert_int_equal(bw_buf_error(out), 0);
	bw_scan_free(&s);
}

static void check_golden(const char *format, const char *file)
{
	_cleanup_buf_ struct bw_buf out = { 0 }, again = { 0 };
	_cleanup_free_ char *path = NULL, *want = NULL;
	size_t len;

	render(format, &out);
	render(format, &again);
	assert_int_equal(out.len, again.len);
	assert_memory_equal(out.data, again.data, out.len);
	assert_true(asprintf(&path, "tests/golden/report/%s", file) > 0);
	if (getenv("UPDATE_GOLDEN"))
		assert_int_equal(bw_file_write_atomic(path, out.data, out.len, 0644), 0);
	assert_int_equal(bw_file_read(path, 1 << 24, &want, &len), 0);
	assert_string_equal(bw_buf_cstr(&out), want);
}

static void text_golden(void **state) { check_golden("text", "scan.txt"); }
static void json_golden(void **state) { check_golden("json", "scan.json"); }
static void sarif_golden(void **state) { check_golden("sarif", "scan.sarif"); }
static void junit_golden(void **state) { check_golden("junit", "scan.junit.xml"); }
static void codequality_golden(void **state) { check_golden("codequality", "scan.codequality.json"); }
static void github_golden(void **state) { check_golden("github", "scan.github.txt"); }
static void html_golden(void **state) { check_golden("html", "scan.html"); }

/* What comes out of an object reaches a terminal or a page only as text. */
static void hostile_text_stays_text(void **state)
{
	uint32_t n;
	const struct bw_report_format *f = bw_report_formats(&n);

	assert_int_equal(n, 7);
	for (uint32_t i = 0; i < n; i++) {
		_cleanup_buf_ struct bw_buf out = { 0 };

		render(f[i].name, &out);
		assert_null(memchr(out.data, 0x1b, out.len));
	}
	{
		_cleanup_buf_ struct bw_buf out = { 0 };

		render("html", &out);
		assert_null(strstr(bw_buf_cstr(&out), "<b>&</b>"));
		assert_non_null(strstr(bw_buf_cstr(&out), "&lt;b&gt;&amp;&lt;/b&gt;"));
		assert_null(strstr(bw_buf_cstr(&out), "http://example"));
	}
}

static void colour_is_only_added(void **state)
{
	struct bw_scan s = model_scan();
	struct bw_report r = model_report(&s);
	_cleanup_buf_ struct bw_buf plain = { 0 }, coloured = { 0 }, stripped = { 0 };

	bw_report_text(&r, &plain);
	r.colour = true;
	bw_report_text(&r, &coloured);
	for (const char *p = bw_buf_cstr(&coloured); *p; p++) {
		if (*p == '\033') {
			p += strcspn(p, "m");
			continue;
		}
		bw_buf_char(&stripped, *p);
	}
	assert_true(coloured.len > plain.len);
	assert_string_equal(bw_buf_cstr(&stripped), bw_buf_cstr(&plain));
	bw_scan_free(&s);
}

static void source_names_are_mapped(void **state)
{
	static const char *const maps[] = { "/src/=/work/tree/", "/other=x" };
	struct bw_report r = { .path_maps = maps, .n_path_maps = 2, .source_root = "/work/tree/" };
	struct bw_place p = { .file = "/src/net/a.c", .line = 1 };
	_cleanup_buf_ struct bw_buf b = { 0 };

	bw_report_source(&r, &p, &b);
	assert_string_equal(bw_buf_cstr(&b), "net/a.c");
	bw_buf_reset(&b);
	p.file = "/work/treetop/a.c";
	bw_report_source(&r, &p, &b);
	assert_string_equal(bw_buf_cstr(&b), "/work/treetop/a.c");
	bw_buf_reset(&b);
	p.file = "./a.c";
	bw_report_source(&r, &p, &b);
	assert_string_equal(bw_buf_cstr(&b), "a.c");
}

static void counting(void **state)
{
	struct bw_scan s = model_scan();
	struct bw_counts c;

	model_findings[0].suppressed = "x";
	model_findings[1].known = true;
	bw_report_count(&s, &c);
	assert_int_equal(c.objects, 2);
	assert_int_equal(c.programs, 2);
	assert_int_equal(c.unreadable, 1);
	assert_int_equal(c.by_severity[BW_SEV_CRITICAL], 0);
	assert_int_equal(c.by_severity[BW_SEV_INFO], 1);
	assert_int_equal(c.suppressed, 1);
	assert_int_equal(c.known, 1);
	bw_scan_free(&s);
}

/* Blocks do not overlap, and every edge has a line. */
static void graph_is_laid_out(void **state)
{
	_cleanup_buf_ struct bw_buf svg = { 0 }, dot = { 0 };
	struct { int x, y, w, h; } box[3];
	const char *p;
	int n = 0, edges = 0;

	bw_graph_svg(&model_programs[0].graph, "t<&>", "g0", true, &svg);
	assert_int_equal(bw_buf_error(&svg), 0);
	assert_non_null(strstr(bw_buf_cstr(&svg), "t&lt;&amp;&gt;"));
	for (p = bw_buf_cstr(&svg); (p = strstr(p, "<g class=\"b")); p++) {
		p = strstr(p, "<rect");
		assert_int_equal(sscanf(p, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"", &box[n].x, &box[n].y, &box[n].w,
					&box[n].h), 4);
		n++;
	}
	assert_int_equal(n, 3);
	for (int i = 0; i < n; i++)
		for (int k = i + 1; k < n; k++)
			assert_true(box[i].x + box[i].w <= box[k].x || box[k].x + box[k].w <= box[i].x ||
				    box[i].y + box[i].h <= box[k].y || box[k].y + box[k].h <= box[i].y);
	for (p = bw_buf_cstr(&svg); (p = strstr(p, "<path class=\"e ")); p++)
		edges++;
	assert_int_equal(edges, 4);
	bw_graph_dot(&model_programs[0].graph, "a \"quoted\" title", &dot);
	assert_non_null(strstr(bw_buf_cstr(&dot), "a \\\"quoted\\\" title"));
	assert_non_null(strstr(bw_buf_cstr(&dot), "b0 -> b1 [color=\"#d9480f\""));
}

static int setup(void **state)
{
	/* only the rules that the scan names: the golden files do not change with every other rule */
	static const char text[] =
		"{\"version\":1,\"rules\":["
		"{\"id\":\"BW100\",\"title\":\"Data leaves through a channel\",\"severity\":\"info\",\"kind\":\"capability\",\"on\":\"flow\","
		"\"message\":\"m\",\"rationale\":\"Each flow.\",\"remediation\":\"None.\"},"
		"{\"id\":\"BW106\",\"title\":\"Buffers of system calls are captured\",\"severity\":\"medium\",\"kind\":\"capability\",\"on\":\"flow\","
		"\"message\":\"m\",\"rationale\":\"Why <it> matters.\",\"remediation\":\"Approve.\",\"attack\":[\"T1005\"]},"
		"{\"id\":\"BW120\",\"title\":\"A system call's result is rewritten through a saved pointer\",\"severity\":\"critical\","
		"\"kind\":\"attack\",\"on\":\"user-write\",\"message\":\"m\",\"rationale\":\"The strongest.\",\"remediation\":\"Do not load it.\","
		"\"attack\":[\"T1014\",\"T1565.003\"]}]}";
	struct bw_diag diag;

	assert_int_equal(bw_ruleset_add(&rules, text, strlen(text), "test", &diag), 0);
	bw_ruleset_finish(&rules);
	return 0;
}

static int teardown(void **state)
{
	bw_ruleset_free(&rules);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_golden),
		cmocka_unit_test(json_golden),
		cmocka_unit_test(sarif_golden),
		cmocka_unit_test(junit_golden),
		cmocka_unit_test(codequality_golden),
		cmocka_unit_test(github_golden),
		cmocka_unit_test(html_golden),
		cmocka_unit_test(hostile_text_stays_text),
		cmocka_unit_test(colour_is_only_added),
		cmocka_unit_test(source_names_are_mapped),
		cmocka_unit_test(counting),
		cmocka_unit_test(graph_is_laid_out),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
