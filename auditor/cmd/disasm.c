// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * bpfwarden disasm: the code of an object, or of every object inside an executable or archive. The file is read here and
 * parsed in a sandboxed child; what that hands back is text, printed without control characters.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "auditor/carve.h"
#include "auditor/commands.h"
#include "auditor/disasm.h"
#include "auditor/live.h"
#include "auditor/summary.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "common/opts.h"
#include "common/sandbox.h"

struct disasm_job {
	const char *path;
	struct bw_slice bytes;
	struct bw_disasm_options opts;
	bool summary;
	bool found; /* a program of the name asked for */
	bool incomplete;
	struct bw_buf text;
};

static void print_notes(const struct bw_object *o, struct bw_buf *out)
{
	for (uint32_t i = 0; i < o->n_notes; i++) {
		const struct bw_note *n = &o->notes[i];

		bw_buf_printf(out, "; %s: %s", n->flags & BW_NOTE_INCOMPLETE ? "not understood" : "note", n->section);
		if (n->offset != BW_DIAG_NO_OFFSET)
			bw_buf_printf(out, "+0x%llx", (unsigned long long)n->offset);
		bw_buf_printf(out, "%s%s\n", n->section[0] ? ": " : "", n->text);
	}
	if (o->n_notes_dropped)
		bw_buf_printf(out, "; and %u more\n", o->n_notes_dropped);
}

static int disasm_object(const struct bw_object *o, struct disasm_job *job)
{
	int r;

	bw_buf_printf(&job->text, "%s:\tfile format elf64-%s%s\n", o->path, o->big_endian ? "bpfeb" : "bpf",
		      o->flavour == BW_FLAVOUR_WINDOWS ? " (eBPF for Windows)" : "");
	print_notes(o, &job->text);
	bw_buf_char(&job->text, '\n');
	if (job->summary) {
		bw_object_summary(o, &job->text);
		r = bw_buf_error(&job->text);
	} else {
		r = bw_disasm(o, &job->opts, &job->text);
	}
	if (r == -ENOENT)
		return 0;
	job->found = true;
	job->incomplete |= o->incomplete;
	return r;
}

static int disasm_found(void *arg, const struct bw_carved *c)
{
	struct disasm_job *job = arg;
	_cleanup_object_ struct bw_object *o = NULL;
	struct bw_diag diag;
	char text[1024];
	int r;

	r = bw_carved_read(c, &o, &diag);
	if (r == -ENOMEM)
		return r;
	if (r) {
		bw_buf_printf(&job->text, "; %s\n", bw_diag_text(&diag, text, sizeof(text)));
		job->incomplete = true;
		return 0;
	}
	return disasm_object(o, job);
}

/* In the child. */
static int disasm_run(void *arg, struct bw_sandbox_out *out)
{
	struct disasm_job *job = arg;
	struct bw_diag diag = { 0 };
	char text[1024];
	int r;

	r = bw_carve(job->bytes, job->path, NULL, disasm_found, job, &diag);
	if (r) {
		bw_buf_printf(&job->text, "%s\n", diag.reason[0] ? bw_diag_text(&diag, text, sizeof(text)) : strerror(-r));
		bw_sandbox_write(out, "E", 1);
	} else if (!job->found) {
		bw_buf_printf(&job->text, "%s: no program %s\n", job->path, job->opts.prog ? job->opts.prog : "in this file");
		bw_sandbox_write(out, "E", 1);
	} else {
		bw_sandbox_write(out, job->incomplete ? "I" : "O", 1);
	}
	if (bw_buf_error(&job->text))
		return bw_buf_error(&job->text);
	return bw_sandbox_write(out, bw_buf_cstr(&job->text), job->text.len);
}

/* Text from the child, without anything that a terminal would obey. */
static void print_clean(const char *text, size_t len, FILE *to)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		fputc((c < ' ' && c != '\n' && c != '\t') || c == 0x7f ? '?' : c, to);
	}
}

static int disasm_file(const char *path, const struct bw_disasm_options *opts, bool summary)
{
	const struct bw_sandbox conf = { .max_output = 1ull << 30 };
	_cleanup_buf_ struct bw_buf out = { 0 };
	_cleanup_free_ char *data = NULL;
	struct disasm_job job = { .path = path, .opts = *opts, .summary = summary };
	char reason[256];
	size_t len;
	int r;

	r = bw_file_read(path, BW_MAX_OBJECT_SIZE, &data, &len);
	if (r) {
		bw_err("%s: %s", path, r == -EFBIG ? "too large" : strerror(-r));
		return BW_EXIT_INPUT;
	}
	job.bytes = bw_slice(data, len);
	r = bw_sandbox_run(&conf, disasm_run, &job, &out, reason, sizeof(reason));
	if (r || !out.len) {
		bw_err("%s: %s", path, reason[0] ? reason : strerror(-r));
		return r == -EPERM ? BW_EXIT_INTERNAL : BW_EXIT_INPUT;
	}
	print_clean(out.data + 1, out.len - 1, out.data[0] == 'E' ? stderr : stdout);
	return out.data[0] == 'O' ? BW_EXIT_OK : BW_EXIT_INPUT;
}

static int disasm_live(unsigned int id, const struct bw_disasm_options *opts, bool summary)
{
	struct disasm_job job = { .path = "", .opts = *opts, .summary = summary };
	_cleanup_object_ struct bw_object *o = NULL;
	struct bw_diag diag = { 0 };
	char text[1024];
	int r;

	r = bw_live_read(id, &o, &diag);
	if (r) {
		bw_err("%s", diag.reason[0] ? bw_diag_text(&diag, text, sizeof(text)) : strerror(-r));
		return BW_EXIT_INPUT;
	}
	r = disasm_object(o, &job);
	if (!r)
		print_clean(bw_buf_cstr(&job.text), job.text.len, stdout);
	bw_buf_free(&job.text);
	return r ? BW_EXIT_INTERNAL : o->incomplete ? BW_EXIT_INPUT : BW_EXIT_OK;
}

int cmd_disasm(int argc, char **argv)
{
	static const struct bw_command command = {
		"bpfwarden disasm",
		"FILE...",
		"print the instructions of BPF objects",
		"Instructions are written as llvm-objdump writes them; after a \";\" stand source lines, maps, variables,\n"
		"helpers, kfuncs and CO-RE paths. FILE is a BPF object, or an executable or archive that contains some.\n"
		"Exit status 2 when a file could not be read or something in it was not understood.",
	};
	struct bw_disasm_options opts = { 0 };
	unsigned int id = 0;
	bool summary = false;
	const struct bw_opt table[] = {
		{ BW_OPT_STRING, 'p', "prog", &opts.prog, "NAME", "only this program or function" },
		{ BW_OPT_FLAG, 0, "no-bytes", &opts.no_bytes, NULL, "leave out the bytes of the instructions" },
		{ BW_OPT_FLAG, 0, "no-source", &opts.no_source, NULL, "leave out source lines" },
		{ BW_OPT_FLAG, 0, "no-comments", &opts.no_comments, NULL, "leave out names of maps, helpers and so on" },
		{ BW_OPT_FLAG, 0, "summary", &summary, NULL, "print what the object is made of instead of its code" },
		{ BW_OPT_UINT, 0, "id", &id, "ID", "the loaded program with this id, as the kernel translated it (root)" },
		BW_OPTS_HELP_ROW,
		{ 0 },
	};
	int n, r, status = BW_EXIT_OK;

	r = bw_opts_parse(&command, table, argc, argv, &n);
	if (r)
		return r > 0 ? BW_EXIT_OK : BW_EXIT_INPUT;
	if (!n && !id) {
		bw_err("disasm needs a file; --help explains");
		return BW_EXIT_INPUT;
	}
	if (id)
		status = disasm_live(id, &opts, summary);
	for (int i = 1; i <= n; i++) {
		r = disasm_file(argv[i], &opts, summary);
		if (r > status)
			status = r;
	}
	return status;
}
