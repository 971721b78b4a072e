// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * bpfwarden status: asks the running guard how it is.
 */
#include <cjson/cJSON.h>
#include <limits.h>
#include <string.h>

#include "auditor/client.h"
#include "auditor/commands.h"
#include "common/opts.h"
#include "common/term.h"

#define STATUS_TIMEOUT_S 10
#define STATUS_DEPTH 8 /* how deep objects are shown */

static void print_label(const cJSON *const *path, unsigned int depth)
{
	int width = 0;

	for (unsigned int i = 0; i < depth; i++) {
		if (i)
			putchar('.');
		term_str(stdout, path[i]->string ? path[i]->string : "-");
		width += (int)strlen(path[i]->string ? path[i]->string : "-") + (i > 0);
	}
	printf("%*s ", width < 28 ? 28 - width : 0, "");
}

/* One line per member that is not an object: "store.written  12". */
static void print_text(const cJSON *object)
{
	const cJSON *path[STATUS_DEPTH];
	unsigned int depth = 1;

	path[0] = object->child;
	while (depth) {
		const cJSON *v = path[depth - 1];

		if (!v) {
			depth--;
			if (depth)
				path[depth - 1] = path[depth - 1]->next;
			continue;
		}
		if ((cJSON_IsObject(v) || (cJSON_IsArray(v) && (cJSON_IsObject(v->child) || cJSON_IsArray(v->child)))) && v->child &&
		    depth < STATUS_DEPTH) {
			path[depth++] = v->child;
			continue;
		}
		print_label(path, depth);
		if (cJSON_IsString(v)) {
			term_str(stdout, v->valuestring);
		} else {
			char *text = cJSON_PrintUnformatted(v);

			term_str(stdout, text ? text : "?");
			cJSON_free(text);
		}
		putchar('\n');
		path[depth - 1] = v->next;
	}
}

static int answer(const char *line, size_t len, bool json)
{
	cJSON *a = cJSON_ParseWithLength(line, len);
	const cJSON *status = cJSON_GetObjectItemCaseSensitive(a, "status");
	const char *error = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(a, "error"));
	int exit_status = BW_EXIT_OK;

	if (!cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(a, "ok")) || !cJSON_IsObject(status)) {
		fputs("bpfwarden status: the guard refused: ", stderr);
		term_str(stderr, error ? error : "not an answer");
		fputc('\n', stderr);
		exit_status = BW_EXIT_INPUT;
	} else if (json) {
		/* The text as it came, without the envelope: numbers of 64 bits keep their digits. */
		const char *begin = strstr(line, "\"status\":");
		size_t skip = (size_t)(begin - line) + strlen("\"status\":");

		term_json(stdout, line + skip, len - skip - 1);
		putchar('\n');
	} else {
		print_text(status);
	}
	cJSON_Delete(a);
	return exit_status;
}

int cmd_status(int argc, char **argv)
{
	static const struct bw_command cmd = {
		"bpfwarden status", "", "Asks the running guard for its tier, mode, policy, counters and losses.",
		"Exit status 2 when no guard runs there or it does not answer.",
	};
	const char *socket = NULL, *state_dir = NULL, *format = "text";
	const struct bw_opt opts[] = {
		{ BW_OPT_CHOICE, 0, "format", &format, "text|json", "how to print it (default text)" },
		{ BW_OPT_STRING, 0, "socket", &socket, "PATH", "the guard's control socket" },
		{ BW_OPT_STRING, 0, "state-dir", &state_dir, "DIR", "the guard's state directory: its socket is looked for there" },
		BW_OPTS_HELP_ROW,
		{ 0 },
	};
	_cleanup_client_ struct client *c = NULL;
	char buf[PATH_MAX];
	const char *path, *line;
	size_t len;
	int nargs, r;

	r = bw_opts_parse(&cmd, opts, argc, argv, &nargs);
	if (r)
		return r < 0 ? BW_EXIT_INPUT : BW_EXIT_OK;
	if (nargs) {
		fputs("bpfwarden status: takes no operand\n", stderr);
		return BW_EXIT_INPUT;
	}
	path = client_socket_path(socket, state_dir, buf, sizeof(buf));
	r = client_open(path, &c);
	if (r < 0) {
		fprintf(stderr, "bpfwarden status: %s: %s\n", path, client_open_error(r));
		return BW_EXIT_INPUT;
	}
	r = client_send(c, "{\"cmd\":\"status\"}");
	if (r == 0)
		r = client_receive(c, STATUS_TIMEOUT_S, &line, &len);
	if (r <= 0) {
		fprintf(stderr, "bpfwarden status: %s: %s\n", path, r ? strerror(-r) : "the guard hung up");
		return BW_EXIT_INPUT;
	}
	return answer(line, len, !strcmp(format, "json"));
}
