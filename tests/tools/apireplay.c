// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// tool-libs: guard
/*
 * Plays a script of chunks through everything behind capture, without a kernel: engine, personal data, catalogue, log, spans.
 *   apireplay [--extract FILE] [--no-pii] [--repeat N] DIR SCRIPT...      writes api.db, api-calls.jsonl and api-spans.jsonl in DIR
 *
 * A script has one command per line; # begins a comment. Texts are in quotes and know \r \n \t \\ \" \xNN.
 *   conn N server|client|unknown [local ADDR:PORT] [remote ADDR:PORT] [source NAME] [tgid N] [uid N] [netns N] [comm NAME] [exe PATH] [midway]
 *   at SECONDS                   time of what follows (CLOCK_BOOTTIME); +SECONDS: later by so much
 *   tid N                        thread of what follows
 *   in N TEXT... | out N TEXT... bytes; several texts are one chunk
 *   body in|out N LEN            LEN bytes of "x"
 *   skip in|out N LEN [sampled]  bytes that are missing
 *   close N [reset]
 *   tick | flush
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/buf.h"
#include "common/cleanup.h"
#include "guard/api/extract.h"
#include "guard/api/pii.h"
#include "guard/api/pipeline.h"

#define CONNS 64u
#define WORDS 64u
/* 2024-05-01 12:00:00 UTC is second 0 of a script: the same output on every day. */
#define EPOCH 1714564800ll

static struct {
	struct api_pipeline *pipeline;
	struct api_peer peers[CONNS];
	char names[CONNS][2][128];
	bool midway[CONNS];
	uint64_t pos[CONNS][API_DIRS];
	uint64_t now;
	uint32_t tid;
	uint64_t generation; /* --repeat: other connections each time */
	const char *file;
	unsigned int line;
} t;

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "apireplay: %s:%u: %s\n", t.file, t.line, what);
	exit(2);
}

static unsigned int conn_number(const char *word)
{
	char *end;
	unsigned long n = strtoul(word, &end, 10);

	if (*end || n >= CONNS)
		die("not the number of a connection");
	return (unsigned int)n;
}

static unsigned long number(const char *word)
{
	char *end;
	unsigned long n = strtoul(word, &end, 10);

	if (*end || !*word)
		die("not a number");
	return n;
}

static enum api_dir direction(const char *word)
{
	if (strcmp(word, "in") && strcmp(word, "out"))
		die("neither in nor out");
	return strcmp(word, "in") ? API_DIR_OUT : API_DIR_IN;
}

static struct api_address address(char *word)
{
	struct api_address a = { 0 };
	char *colon = strrchr(word, ':');

	if (!colon)
		die("an address needs a port");
	*colon = '\0';
	a.port = (uint16_t)number(colon + 1);
	if (word[0] == '[') {
		word[strlen(word) - 1] = '\0';
		word++;
	}
	a.family = strchr(word, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(a.family, word, a.bytes) != 1)
		die("not an address");
	return a;
}

static void do_conn(char **w, unsigned int n)
{
	static const char *const roles[] = { "unknown", "server", "client" };
	unsigned int c = conn_number(w[1]), role = 0;
	struct api_peer *p = &t.peers[c];

	while (role < 3 && strcmp(w[2], roles[role]))
		role++;
	if (role == 3)
		die("neither server, client nor unknown");
	*p = (struct api_peer){ .tgid = 1000 + c, .start_ns = 1, .role = (enum api_role)role, .comm = "", .exe = "" };
	t.pos[c][0] = t.pos[c][1] = 0;
	t.midway[c] = false;
	t.generation++;
	for (unsigned int i = 3; i < n; i++) {
		if (!strcmp(w[i], "midway")) {
			t.midway[c] = true;
			continue;
		}
		if (i + 1 == n)
			die("a word is missing");
		if (!strcmp(w[i], "local")) {
			p->local = address(w[i + 1]);
		} else if (!strcmp(w[i], "remote")) {
			p->remote = address(w[i + 1]);
		} else if (!strcmp(w[i], "source")) {
			while (p->source < API_SOURCES && strcmp(api_source_name(p->source), w[i + 1]))
				p->source++;
			if (p->source == API_SOURCES)
				die("no such source");
		} else if (!strcmp(w[i], "tgid")) {
			p->tgid = (uint32_t)number(w[i + 1]);
		} else if (!strcmp(w[i], "uid")) {
			p->uid = (uint32_t)number(w[i + 1]);
		} else if (!strcmp(w[i], "netns")) {
			p->net_ns = (uint32_t)number(w[i + 1]);
		} else if (!strcmp(w[i], "comm") || !strcmp(w[i], "exe")) {
			char *name = t.names[c][w[i][0] == 'e'];

			snprintf(name, sizeof(t.names[0][0]), "%s", w[i + 1]);
			*(w[i][0] == 'e' ? &p->exe : &p->comm) = name;
		} else {
			die("unknown word");
		}
		i++;
	}
}

static void send_chunk(unsigned int c, enum api_dir dir, const void *data, size_t len, uint32_t skipped, uint32_t flags)
{
	const struct api_chunk chunk = {
		.conn = t.generation * CONNS * 1000 + c, .time_ns = t.now, .pos = t.pos[c][dir], .data = data, .len = (uint32_t)len,
		.skipped = skipped, .tid = t.tid, .flags = flags | (t.midway[c] ? API_CHUNK_MIDWAY : 0), .dir = dir, .peer = &t.peers[c],
	};

	if (!t.peers[c].comm)
		die("there is no such connection");
	t.pos[c][dir] += len + skipped;
	api_pipeline_chunk(t.pipeline, &chunk);
}

static void do_body(char **w)
{
	unsigned long len = number(w[3]);
	char *body = malloc(len + 1);

	if (!body || len > 64 << 20)
		die("too long");
	memset(body, 'x', len);
	send_chunk(conn_number(w[2]), direction(w[1]), body, len, 0, 0);
	free(body);
}

static void do_line(char **w, const size_t *len, unsigned int n)
{
	if (!strcmp(w[0], "conn") && n >= 3) {
		do_conn(w, n);
	} else if (!strcmp(w[0], "at") && n == 2) {
		double s = strtod(w[1] + (w[1][0] == '+'), NULL);

		t.now = (w[1][0] == '+' ? t.now : 0) + (uint64_t)(s * 1e9 + 0.5);
	} else if (!strcmp(w[0], "tid") && n == 2) {
		t.tid = (uint32_t)number(w[1]);
	} else if ((!strcmp(w[0], "in") || !strcmp(w[0], "out")) && n >= 3) {
		_cleanup_buf_ struct bw_buf b = { 0 };

		for (unsigned int i = 2; i < n; i++)
			bw_buf_append(&b, w[i], len[i]);
		send_chunk(conn_number(w[1]), direction(w[0]), bw_buf_cstr(&b), b.len, 0, 0);
	} else if (!strcmp(w[0], "body") && n == 4) {
		do_body(w);
	} else if (!strcmp(w[0], "skip") && n >= 4) {
		send_chunk(conn_number(w[2]), direction(w[1]), "", 0, (uint32_t)number(w[3]), n > 4 ? API_CHUNK_SAMPLED : 0);
	} else if (!strcmp(w[0], "close") && n >= 2) {
		send_chunk(conn_number(w[1]), API_DIR_IN, "", 0, 0, API_CHUNK_CLOSED | (n > 2 ? API_CHUNK_RESET : 0));
	} else if (!strcmp(w[0], "tick")) {
		api_pipeline_tick(t.pipeline, t.now, EPOCH * 1000000000);
	} else if (!strcmp(w[0], "flush")) {
		api_engine_flush(api_pipeline_engine(t.pipeline));
	} else {
		die("not a command, or words are missing");
	}
}

/* Splits a line in place. A word in quotes is a text. */
static void take_line(char *line)
{
	char *w[WORDS], *in = line, *out = line;
	size_t len[WORDS];
	unsigned int n = 0;

	for (;;) {
		while (*in == ' ' || *in == '\t' || *in == '\n' || *in == '\r')
			in++;
		if (!*in || (*in == '#' && n == 0))
			break;
		if (n == WORDS)
			die("too many words");
		w[n] = out;
		if (*in == '"') {
			for (in++; *in && *in != '"'; in++) {
				char c = *in;

				if (c == '\\') {
					unsigned int v = 0;

					c = *++in;
					c = c == 'r' ? '\r' : c == 'n' ? '\n' : c == 't' ? '\t' : c;
					if (*in == 'x' && sscanf(in + 1, "%2x", &v) == 1) {
						c = (char)v;
						in += 2;
					}
				}
				*out++ = c;
			}
			if (!*in)
				die("a text has no end");
			in++;
		} else {
			while (*in && *in != ' ' && *in != '\t' && *in != '\n' && *in != '\r')
				*out++ = *in++;
		}
		len[n] = (size_t)(out - w[n]);
		if (*in)
			in++;
		*out++ = '\0';
		n++;
	}
	if (n)
		do_line(w, len, n);
}

static void play(const char *file)
{
	_cleanup_fclose_ FILE *f = fopen(file, "r");
	_cleanup_free_ char *line = NULL;
	size_t size = 0;

	t.file = file;
	t.line = 0;
	if (!f)
		die(strerror(errno));
	while (getline(&line, &size, f) >= 0) {
		t.line++;
		take_line(line);
	}
}

static struct api_extract *read_rules(const char *file)
{
	struct api_extract_error e;
	struct api_extract *x = NULL;
	char *text;
	size_t len;
	int r;

	t.file = file;
	r = bw_file_read(file, API_EXTRACT_MAX_FILE, &text, &len);
	if (r < 0)
		die(strerror(-r));
	r = api_extract_parse(text, len, &x, &e);
	free(text);
	if (r < 0) {
		fprintf(stderr, "apireplay: %s:%u:%u: %s: %s\n", file, e.line, e.column, e.path, e.reason);
		exit(2);
	}
	return x;
}

int main(int argc, char **argv)
{
	struct api_pipeline_config config = { .node = "replay", .log_permille = 1000, .span_permille = 1000, .boot_offset_ns = EPOCH * 1000000000 };
	const struct pii_key key = { .bytes = { 1, 2, 3 } };
	struct pii_rules *rules = NULL;
	struct pii_scanner *scanner = NULL;
	struct api_extract *extract = NULL;
	unsigned long repeat = 1;
	struct timespec a, b;
	struct pii_error error;
	const char *what;
	bool pii = true;
	int i = 1, r;

	t.file = "";
	for (; i < argc && argv[i][0] == '-'; i++) {
		if (!strcmp(argv[i], "--no-pii"))
			pii = false;
		else if (!strcmp(argv[i], "--extract") && i + 1 < argc)
			extract = read_rules(argv[++i]);
		else if (!strcmp(argv[i], "--repeat") && i + 1 < argc)
			repeat = number(argv[++i]);
		else
			die("usage: apireplay [--extract FILE] [--no-pii] [--repeat N] DIR SCRIPT...");
	}
	if (argc - i < 2)
		die("usage: apireplay [--extract FILE] [--no-pii] [--repeat N] DIR SCRIPT...");
	if (pii && (pii_rules_builtin(&rules, &error) < 0 || pii_scanner_new(rules, &scanner) < 0))
		die("the detector of personal data does not start");
	config.dir = argv[i++];
	config.engine = (struct api_engine_config){ .scanner = scanner, .rules = rules, .key = &key, .extract = extract, .seed = { 1 } };
	r = api_pipeline_open(&config, &t.pipeline, &what);
	if (r < 0) {
		fprintf(stderr, "apireplay: %s/%s: %s\n", config.dir, what, strerror(-r));
		return 2;
	}
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (unsigned long n = 0; n < repeat; n++)
		for (int k = i; k < argc; k++)
			play(argv[k]);
	clock_gettime(CLOCK_MONOTONIC, &b);
	{
		const struct api_engine_stats *s = api_engine_stats(api_pipeline_engine(t.pipeline));

		printf("chunks %llu bytes %llu calls %llu gaps %llu errors %llu seconds %.3f\n", (unsigned long long)s->chunks,
		       (unsigned long long)s->bytes, (unsigned long long)s->calls, (unsigned long long)s->gaps, (unsigned long long)s->parse_errors,
		       (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9);
	}
	r = api_pipeline_close(t.pipeline);
	pii_scanner_free(scanner);
	pii_rules_free(rules);
	api_extract_free(extract);
	if (r < 0) {
		fprintf(stderr, "apireplay: %s: %s\n", config.dir, strerror(-r));
		return 2;
	}
	return 0;
}
