// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * bpfwarden manifest, bpfwarden diff. Objects are read here and analysed in a sandboxed child, which hands back JSON.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auditor/carve.h"
#include "auditor/commands.h"
#include "auditor/manifest.h"
#include "auditor/object.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "common/opts.h"
#include "common/sandbox.h"

#define MAX_PARTS BW_MAX_CARVED

struct job {
	const char *path;
	struct bw_slice bytes;
	struct bw_manifest_part *parts;
	uint32_t n;
	const char *failed;
	char reason[512];
};

static int part_found(void *arg, const struct bw_carved *c)
{
	struct job *job = arg;
	struct bw_carved own = *c;
	struct bw_object *o = NULL;
	struct bw_analysis *a = NULL;
	struct bw_diag diag = { 0 };
	uint8_t *copy;
	int r;

	if (job->n == MAX_PARTS)
		return -E2BIG;
	/* The child ends with its work: nothing here is freed. */
	copy = malloc(c->bytes.len ? c->bytes.len : 1);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, c->bytes.data, c->bytes.len);
	own.bytes = bw_slice(copy, c->bytes.len);
	own.name = strdup(c->name);
	r = own.name ? bw_carved_read(&own, &o, &diag) : -ENOMEM;
	if (r) {
		bw_diag_text(&diag, job->reason, sizeof(job->reason));
		job->failed = job->reason;
		return r == -ENOMEM ? r : 0;
	}
	r = bw_analyse(o, NULL, &a);
	if (r)
		return r;
	job->parts[job->n++] = (struct bw_manifest_part){ own.name, o, a };
	return 0;
}

/* In the child. */
static int manifest_run(void *arg, struct bw_sandbox_out *out)
{
	struct job *job = arg;
	struct bw_buf text = { .max = BW_MAX_MANIFEST_SIZE };
	struct bw_diag diag = { 0 };
	char reason[512];
	int r;

	job->parts = calloc(MAX_PARTS, sizeof(*job->parts));
	if (!job->parts)
		return -ENOMEM;
	r = bw_carve(job->bytes, job->path, NULL, part_found, job, &diag);
	if (!r && !job->n && job->failed)
		r = -EINVAL;
	if (r) {
		const char *why = job->failed ? job->failed : diag.reason[0] ? bw_diag_text(&diag, reason, sizeof(reason)) : strerror(-r);

		bw_sandbox_write(out, "E", 1);
		return bw_sandbox_write(out, why, strlen(why));
	}
	if (job->n == 1)
		job->parts[0].name = "";
	r = bw_manifest_write(job->parts, job->n, &text);
	if (r)
		return r;
	{
		bool complete = !job->failed;

		for (uint32_t i = 0; i < job->n; i++)
			complete &= job->parts[i].analysis->complete && !job->parts[i].object->incomplete;
		bw_sandbox_write(out, complete ? "O" : "I", 1);
	}
	return bw_sandbox_write(out, text.data, text.len);
}

/* The manifest of an object file, or the text of a manifest that was written before. 0, 1 when incomplete, -errno. */
int cmd_manifest_of(const char *path, bool json_too, struct bw_buf *ret)
{
	const struct bw_sandbox conf = { .max_output = BW_MAX_MANIFEST_SIZE + 1 };
	struct job job = { .path = path };
	_cleanup_buf_ struct bw_buf out = { 0 };
	_cleanup_free_ char *data = NULL;
	char reason[256] = "";
	size_t len;
	int r;

	r = bw_file_read(path, BW_MAX_OBJECT_SIZE, &data, &len);
	if (r) {
		bw_err("%s: %s", path, r == -EFBIG ? "too large" : strerror(-r));
		return r;
	}
	if (json_too && len && data[strspn(data, " \t\r\n")] == '{') {
		bw_buf_append(ret, data, len);
		return bw_buf_error(ret);
	}
	job.bytes = bw_slice(data, len);
	r = bw_sandbox_run(&conf, manifest_run, &job, &out, reason, sizeof(reason));
	if (r || !out.len) {
		bw_err("%s: %s", path, *reason ? reason : r ? strerror(-r) : "no answer");
		return r ? r : -EIO;
	}
	if (out.data[0] == 'E') {
		bw_err("%s", out.data + 1);
		return -EINVAL;
	}
	bw_buf_append(ret, out.data + 1, out.len - 1);
	return bw_buf_error(ret) ? bw_buf_error(ret) : out.data[0] == 'I';
}

int cmd_manifest(int argc, char **argv)
{
	static const struct bw_command cmd = {
		"bpfwarden manifest", "FILE", "Prints what each program of a file can do, as JSON.",
		"FILE is a BPF object, or an executable or archive that contains some. The output is canonical: the same for the\n"
		"same capabilities, so that it can be kept and compared (see \"bpfwarden diff\").\n"
		"Exit status: 0; 2 when something could not be read or analysed in full.\n"
	};
	const char *output = NULL;
	const struct bw_opt opts[] = { { BW_OPT_STRING, 'o', "output", &output, "FILE", "write to FILE" }, BW_OPTS_HELP_ROW,
				       { BW_OPT_END } };
	_cleanup_buf_ struct bw_buf text = { 0 };
	int nargs, r;

	r = bw_opts_parse(&cmd, opts, argc, argv, &nargs);
	if (r)
		return r < 0 ? BW_EXIT_INPUT : BW_EXIT_OK;
	if (nargs != 1) {
		bw_err("manifest: one file is needed");
		return BW_EXIT_INPUT;
	}
	r = cmd_manifest_of(argv[1], false, &text);
	if (r < 0)
		return r == -ENOMEM || r == -EPERM ? BW_EXIT_INTERNAL : BW_EXIT_INPUT;
	if (output) {
		int w = bw_file_write_atomic(output, text.data, text.len, 0644);

		if (w) {
			bw_err("%s: %s", output, strerror(-w));
			return BW_EXIT_INPUT;
		}
	} else {
		fwrite(text.data, 1, text.len, stdout);
	}
	return r ? BW_EXIT_INPUT : BW_EXIT_OK;
}

int cmd_diff(int argc, char **argv)
{
	static const struct bw_command cmd = {
		"bpfwarden diff", "OLD NEW", "Shows which capabilities grew from one object or manifest to another.",
		"OLD and NEW are BPF objects or manifests (\"bpfwarden manifest\"). Lines with + are new or larger, lines with - are\n"
		"gone. Exit status: 0 nothing grew, 1 something did, 2 an input could not be read or analysed in full.\n"
	};
	const struct bw_opt opts[] = { BW_OPTS_HELP_ROW, { BW_OPT_END } };
	_cleanup_buf_ struct bw_buf old = { 0 }, new = { 0 }, text = { 0 };
	const char *why = "";
	int nargs, r, incomplete;

	r = bw_opts_parse(&cmd, opts, argc, argv, &nargs);
	if (r)
		return r < 0 ? BW_EXIT_INPUT : BW_EXIT_OK;
	if (nargs != 2) {
		bw_err("diff: two files are needed");
		return BW_EXIT_INPUT;
	}
	r = cmd_manifest_of(argv[1], true, &old);
	if (r < 0)
		return BW_EXIT_INPUT;
	incomplete = r;
	r = cmd_manifest_of(argv[2], true, &new);
	if (r < 0)
		return BW_EXIT_INPUT;
	incomplete |= r;
	r = bw_manifest_diff(bw_buf_cstr(&old), bw_buf_cstr(&new), &text, &why);
	if (r < 0) {
		bw_err("diff: %s", *why ? why : strerror(-r));
		return r == -ENOMEM ? BW_EXIT_INTERNAL : BW_EXIT_INPUT;
	}
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.data[i];

		fputc((c < ' ' && c != '\n') || c == 0x7f ? '?' : c, stdout);
	}
	if (incomplete) {
		bw_err("diff: not everything could be analysed");
		return BW_EXIT_INPUT;
	}
	return r ? BW_EXIT_FINDINGS : BW_EXIT_OK;
}
