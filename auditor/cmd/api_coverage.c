// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* bpfwarden api coverage: prints what the guard found out about every process that listens or is connected. */
#include <cJSON.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "auditor/commands.h"
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "common/opts.h"
#include "common/term.h"

#define STATE_DIR "/var/lib/bpfwarden"
#define FILE_NAME "api-coverage.json"
#define MAX_FILE (64u << 20)

static const struct bw_command command = {
	"bpfwarden api coverage", "", "Shows which processes' API calls are seen, and which are not and why.",
	"Every process that listens on TCP or a Unix stream socket, or is connected, with the TLS it speaks. The guard (with --api on)\n"
	"looks every 10 s; \"as of\" says when.",
};

static const char *text(const cJSON *o, const char *key)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

	return cJSON_IsString(v) ? v->valuestring : "";
}

static double number(const cJSON *o, const char *key)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

	return cJSON_IsNumber(v) ? v->valuedouble : 0;
}

/* The members of an array of strings, or @key of each object in it. */
static void join(const cJSON *array, const char *key, char *dst, size_t len)
{
	const cJSON *v;
	size_t at = 0;

	dst[0] = 0;
	cJSON_ArrayForEach(v, array) {
		const char *s = key ? text(v, key) : cJSON_IsString(v) ? v->valuestring : "";

		if (at < len)
			at += (size_t)snprintf(dst + at, len - at, "%s%s", at ? "; " : "", s);
	}
}

static bool is_blind(const cJSON *p)
{
	return cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(p, "blind")) > 0;
}

static void print_table(const cJSON *root, bool blind_only)
{
	time_t when = (time_t)(number(root, "time_ns") / 1e9);
	unsigned int n = 0, blind = 0;
	char at[40] = "";
	const cJSON *p;

	strftime(at, sizeof(at), "%Y-%m-%d %H:%M:%S", localtime(&when));
	printf("%8s  %-16s %-28s %5s  %-10s %-10s %s\n", "PID", "COMMAND", "LISTENS", "CONNS", "CLEAR TEXT", "TLS", "HOW");
	cJSON_ArrayForEach(p, cJSON_GetObjectItemCaseSensitive(root, "processes")) {
		char listens[512], how[2048], line[4096];

		n++;
		blind += is_blind(p);
		if (blind_only && !is_blind(p))
			continue;
		join(cJSON_GetObjectItemCaseSensitive(p, "listens"), NULL, listens, sizeof(listens));
		join(cJSON_GetObjectItemCaseSensitive(p, is_blind(p) ? "blind" : "tls"), is_blind(p) ? NULL : "how", how, sizeof(how));
		snprintf(line, sizeof(line), "%8.0f  %-16s %-28s %5.0f  %-10s %-10s %s", number(p, "pid"), text(p, "comm"), listens,
			 number(p, "connections"), text(p, "clear_text"), text(p, "tls_verdict"), how);
		/* Names of processes are theirs to choose. */
		term_str(stdout, line);
		putchar('\n');
	}
	printf("%u processes, %u of them with a blind spot; as of %s\n", n, blind, at);
}

int cmd_api_coverage(int argc, char **argv)
{
	const char *state_dir = STATE_DIR, *format = "table";
	_cleanup_free_ char *data = NULL;
	bool blind = false;
	const struct bw_opt opts[] = {
		BW_OPTS_HELP_ROW,
		{ BW_OPT_STRING, 0, "state-dir", &state_dir, "DIR", "the guard's state directory (default " STATE_DIR ")" },
		{ BW_OPT_CHOICE, 'f', "format", &format, "table|json", "table (the default) or what the guard wrote" },
		{ BW_OPT_FLAG, 0, "blind", &blind, NULL, "table: only processes with a blind spot" },
		{ 0 },
	};
	char path[4096];
	size_t len = 0;
	int nargs, r;
	cJSON *root;

	r = bw_opts_parse(&command, opts, argc, argv, &nargs);
	if (r)
		return r < 0 ? BW_EXIT_INPUT : BW_EXIT_OK;
	if (nargs) {
		bw_err("unexpected \"%s\"; --help explains", argv[1]);
		return BW_EXIT_INPUT;
	}
	snprintf(path, sizeof(path), "%s/%s", state_dir, FILE_NAME);
	r = bw_file_read(path, MAX_FILE, &data, &len);
	if (r < 0) {
		bw_err("%s: %s%s", path, strerror(-r), r == -ENOENT ? "; a guard with --api on writes it" : "");
		return BW_EXIT_INPUT;
	}
	root = cJSON_ParseWithLength(data, len);
	if (!cJSON_IsArray(cJSON_GetObjectItemCaseSensitive(root, "processes"))) {
		bw_err("%s: is not what a guard writes", path);
		cJSON_Delete(root);
		return BW_EXIT_INPUT;
	}
	if (!strcmp(format, "json")) {
		term_json(stdout, data, strcspn(data, "\n"));
		putchar('\n');
	} else {
		print_table(root, blind);
	}
	cJSON_Delete(root);
	return BW_EXIT_OK;
}
