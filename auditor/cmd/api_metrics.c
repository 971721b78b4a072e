// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* bpfwarden api metrics: the catalogue as metrics, for a node exporter's textfile collector or an OTLP receiver. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "auditor/cmd/api_common.h"
#include "auditor/commands.h"
#include "common/api_metrics.h"
#include "common/opts.h"

int cmd_api_metrics(int argc, char **argv)
{
	static const struct bw_command cmd = {
		"bpfwarden api metrics", "", "Prints the catalogue of APIs as metrics.",
		"Rate, errors and duration per endpoint, personal data, findings, and what was lost. prometheus is the text format 0.0.4;\n"
		"otlp is an ExportMetricsServiceRequest in JSON, one line.",
	};
	struct api_choice choice = { 0 };
	const char *format = "prometheus";
	const struct bw_opt opts[] = {
		API_CHOICE_ROWS(choice),
		{ BW_OPT_CHOICE, 0, "format", &format, "prometheus|otlp", "how to print them (default prometheus)" },
		BW_OPTS_HELP_ROW,
		{ 0 },
	};
	struct api_data d = { 0 };
	struct bw_buf b = { 0 };
	char node[256] = "";
	int nargs, r = bw_opts_parse(&cmd, opts, argc, argv, &nargs);

	if (r)
		return r < 0 ? BW_EXIT_INPUT : BW_EXIT_OK;
	if (nargs) {
		fputs("bpfwarden api metrics: takes no operand\n", stderr);
		return BW_EXIT_INPUT;
	}
	r = api_read("api metrics", &choice, &d);
	if (r != BW_EXIT_OK)
		return r;
	if (!strcmp(format, "otlp")) {
		gethostname(node, sizeof(node) - 1);
		api_metrics_otlp(&d, api_now(), node, &b);
		r = api_print("api metrics", &b, BW_EXIT_OK);
	} else {
		api_metrics_prometheus(&d, &b);
		if (bw_buf_error(&b)) {
			fprintf(stderr, "bpfwarden api metrics: %s\n", strerror(-bw_buf_error(&b)));
			r = BW_EXIT_INTERNAL;
		} else {
			fwrite(bw_buf_cstr(&b), 1, b.len, stdout);
		}
		bw_buf_free(&b);
	}
	api_data_free(&d);
	return r;
}
