// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "auditor/scan_run.h"

#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <openssl/sha.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "auditor/carve.h"
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/limits.h"
#include "common/sandbox.h"

/* One process gets at most so many files and bytes. */
#define BATCH_FILES 64u
#define BATCH_BYTES (8u << 20)
#define MAX_OUTPUT  (512u << 20)

/* What the process says of one file, before the bytes of its objects. */
enum frame_kind {
	FRAME_OBJECT, /* one object follows */
	FRAME_DONE,   /* the file is done */
	FRAME_NOT_BPF, /* ... and it is no BPF object and holds none */
};

struct frame {
	uint32_t kind;
	uint32_t file; /* index in the batch */
	uint32_t len;
};

struct input {
	uint32_t index; /* in the list of files */
	const char *path;
	char *data;
	size_t len;
};

struct batch {
	const struct bw_scan_options *opt;
	struct input in[BATCH_FILES];
	uint32_t n, from; /* in[from .. n) are with the process */
};

/* What is known of one file. */
struct result {
	struct bw_scan_object *objects;
	uint32_t n;
	size_t cap;
	bool skipped;
};

struct runner {
	const struct bw_scan_run *run;
	const struct bw_scan_files *files;
	struct bw_scan *s;
	struct result *results;
	uint32_t next, done, batch_files;
};

/* One process at work, and the files it and its successors have to do. */
struct lane {
	struct batch b;
	uint32_t n; /* files of the batch */
	bool alone; /* one died on in[from]: that file alone */
	bool running;
	struct bw_sandbox_process process;
	struct bw_buf out;
};

/* ---- in the sandbox --------------------------------------------------------------------------------------------- */

static int send_frame(struct bw_sandbox_out *out, enum frame_kind kind, uint32_t file, const struct bw_buf *body)
{
	struct frame f = { .kind = kind, .file = file, .len = body ? (uint32_t)body->len : 0 };
	int r = bw_sandbox_write(out, &f, sizeof(f));

	return r < 0 || !f.len ? r : bw_sandbox_write(out, body->data, body->len);
}

static int send_unreadable(struct bw_sandbox_out *out, uint32_t file, const char *path, const char *reason)
{
	_cleanup_buf_ struct bw_buf b = { 0 };
	struct bw_arena arena = { 0 };
	struct bw_scan_object o;
	int r = bw_scan_unreadable(path, reason, &arena, &o);

	if (r >= 0) {
		bw_scan_object_encode(&o, &b);
		r = bw_buf_error(&b) ? bw_buf_error(&b) : send_frame(out, FRAME_OBJECT, file, &b);
	}
	bw_arena_free(&arena);
	return r;
}

struct carving {
	const struct batch *b;
	uint32_t file;
	struct bw_sandbox_out *out;
};

static int scan_carved(void *arg, const struct bw_carved *found)
{
	const struct carving *c = arg;
	_cleanup_object_ struct bw_object *o = NULL;
	_cleanup_buf_ struct bw_buf b = { 0 };
	struct bw_diag diag = { .offset = BW_DIAG_NO_OFFSET };
	int r;

	r = bw_carved_read(found, &o, &diag);
	if (r)
		return send_unreadable(c->out, c->file, found->name, diag.reason[0] ? diag.reason : strerror(-r));
	r = bw_scan_encode_object(o, c->b->opt, &b);
	return r < 0 ? r : send_frame(c->out, FRAME_OBJECT, c->file, &b);
}

static int scan_one(const struct batch *b, uint32_t i, struct bw_sandbox_out *out)
{
	struct carving carving = { .b = b, .file = i, .out = out };
	struct bw_slice bytes = bw_slice(b->in[i].data, b->in[i].len);
	_cleanup_buf_ struct bw_buf found = { 0 };
	enum frame_kind end = FRAME_DONE;
	struct bw_diag diag = { .offset = BW_DIAG_NO_OFFSET };
	int r;

	r = bw_scan_encode_bytes(bytes, b->in[i].path, b->opt, &found);
	if (!r) {
		r = send_frame(out, FRAME_OBJECT, i, &found);
	} else if (r == -ENOEXEC) {
		/* not a BPF object itself: perhaps an executable or an archive that holds some */
		r = bw_carve(bytes, b->in[i].path, NULL, scan_carved, &carving, &diag);
		if (r == -ENOEXEC) {
			end = FRAME_NOT_BPF;
			r = send_frame(out, FRAME_OBJECT, i, &found);
		} else if (r == -E2BIG || r == -EINVAL) {
			r = send_unreadable(out, i, b->in[i].path, diag.reason);
		}
	}
	return r < 0 ? r : send_frame(out, end, i, NULL);
}

static int scan_batch(void *arg, struct bw_sandbox_out *out)
{
	const struct batch *b = arg;
	int r = 0;

	for (uint32_t i = b->from; i < b->n && r >= 0; i++)
		r = scan_one(b, i, out);
	return r;
}

/* ---- outside ---------------------------------------------------------------------------------------------------- */

static bool has_suffix(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && !strcmp(s + n - m, suffix);
}

/*
 * A file of a folder that is no BPF object: another file among objects, or an object that is broken? What is called an
 * object, or begins like an ELF file for no or the BPF machine, was meant to be one.
 */
static bool was_meant_as_object(const struct input *in)
{
	bool elf = in->len >= 4 && !memcmp(in->data, "\177ELF", 4);

	if (has_suffix(in->path, ".bpf.o"))
		return true;
	return has_suffix(in->path, ".o") && !elf;
}

static int add_object(struct runner *r, uint32_t file, const struct bw_scan_object *o)
{
	struct result *res = &r->results[file];

	if (!bw_arena_grow(&r->s->arena, &res->objects, res->n, &res->cap, sizeof(*o)))
		return -ENOMEM;
	res->objects[res->n++] = *o;
	return 0;
}

static int add_unreadable(struct runner *r, uint32_t file, const char *reason)
{
	struct bw_scan_object o;
	int err = bw_scan_unreadable(r->files->items[file].path, reason, &r->s->arena, &o);

	return err < 0 ? err : add_object(r, file, &o);
}

/*
 * Takes over what the process sent: *ret_done is the number of files it finished. Objects of a file it did not finish are
 * dropped. -EBADMSG when it did not speak our language.
 */
static int take_frames(struct runner *r, const struct batch *b, struct bw_slice bytes, uint32_t *ret_done)
{
	uint32_t at_file = b->from;
	uint32_t pending = 0; /* objects of the current file */
	size_t at = 0;
	int err;

	*ret_done = at_file;
	while (bytes.len - at >= sizeof(struct frame)) {
		struct result *res;
		struct bw_slice body;
		struct bw_scan_object o;
		struct frame f;

		bw_slice_copy(bytes, at, &f, sizeof(f));
		if (f.file != at_file || at_file >= b->n || f.kind > FRAME_NOT_BPF)
			return -EBADMSG;
		if (!bw_slice_sub(bytes, at + sizeof(f), f.len, &body))
			break; /* it died while writing */
		at += sizeof(f) + f.len;
		res = &r->results[b->in[at_file].index];
		if (f.kind == FRAME_OBJECT) {
			err = bw_scan_object_decode(body, &r->s->arena, &o);
			if (!err)
				err = add_object(r, b->in[at_file].index, &o);
			if (err < 0)
				return err;
			pending++;
			continue;
		}
		if (f.kind == FRAME_NOT_BPF && !r->files->items[b->in[at_file].index].named &&
		    !was_meant_as_object(&b->in[at_file])) {
			res->n = 0;
			res->skipped = true;
		}
		pending = 0;
		*ret_done = ++at_file;
	}
	if (pending)
		r->results[b->in[at_file].index].n -= pending;
	return 0;
}

/* Reads the next files. Returns how many, 0 when there are no more, or -errno. */
static int next_batch(struct runner *r, struct lane *l)
{
	struct batch *b = &l->b;
	size_t bytes = 0;

	*b = (struct batch){ .opt = &r->run->opt };
	while (r->next < r->files->n && b->n < r->batch_files && (!b->n || bytes < BATCH_BYTES)) {
		uint32_t index = r->next++;
		struct input *in = &b->in[b->n];
		int err;

		*in = (struct input){ .index = index, .path = r->files->items[index].path };
		err = bw_file_read(in->path, BW_MAX_OBJECT_SIZE, &in->data, &in->len);
		if (err < 0) {
			err = add_unreadable(r, index, err == -EFBIG ? "larger than any object that is read" : strerror(-err));
			if (err < 0)
				return err;
			r->done++;
			continue;
		}
		bytes += in->len;
		l->n = ++b->n;
	}
	l->alone = false;
	return (int)b->n;
}

static void free_batch(struct lane *l)
{
	for (uint32_t i = 0; i < l->n; i++)
		free(l->b.in[i].data);
	l->n = 0;
}

static void batch_done(struct runner *r, struct lane *l)
{
	r->done += l->n;
	if (l->n && r->run->progress)
		r->run->progress(r->run->progress_ctx, r->done, r->files->n, l->b.in[l->n - 1].path);
	free_batch(l);
}

/* Gives an idle lane a process over what is left of its batch, or of the next. Returns 1, 0 when nothing is left, or -errno. */
static int start(struct runner *r, struct lane *l)
{
	unsigned int file_ms = r->run->file_ms ? r->run->file_ms : BW_SCAN_FILE_MS;
	struct bw_sandbox conf = { .max_output = MAX_OUTPUT };
	char reason[256];
	int err;

	if (l->b.from == l->n) {
		batch_done(r, l);
		err = next_batch(r, l);
		if (err <= 0)
			return err;
	}
	l->b.n = l->alone ? l->b.from + 1 : l->n;
	conf.wall_ms = l->b.n - l->b.from > 1 ? 3 * file_ms : file_ms;
	l->out = (struct bw_buf){ .max = MAX_OUTPUT };
	err = bw_sandbox_start(&conf, scan_batch, &l->b, &l->process, reason, sizeof(reason));
	l->running = !err;
	return err ? err : 1;
}

/* The process has ended, or has to (@result, of bw_sandbox_read()): what it found, and how far it came. */
static int finish(struct runner *r, struct lane *l, int result)
{
	uint32_t first = l->b.from, done = first, file = l->b.in[first].index;
	char reason[256], text[320];
	int err = bw_sandbox_end(&l->process, result, reason, sizeof(reason));

	l->running = false;
	if (err == -EPERM && !strncmp(reason, "the sandbox could not", 21)) {
		bw_buf_free(&l->out);
		return err;
	}
	err = take_frames(r, &l->b, bw_slice(l->out.data, l->out.len), &done);
	bw_buf_free(&l->out);
	/* alone and still not done: that is the file's result */
	if (err == -EBADMSG || (!err && l->b.n - first == 1 && done == first)) {
		snprintf(text, sizeof(text), "the analysis failed: %s", err ? "it returned damaged results" : reason);
		r->results[file].n = 0;
		err = add_unreadable(r, file, text);
		done = first + 1;
	}
	/* it died on in[done]: that one alone, then the rest together again */
	l->alone = !l->alone && done < l->n;
	l->b.from = done;
	return err;
}

/* Waits until a process has said something or is late, and hears all who have. */
static int hear(struct runner *r, struct lane *lanes, uint32_t n)
{
	struct pollfd p[BW_MAX_SCAN_JOBS];
	int wait = INT_MAX, err = 0;

	for (uint32_t i = 0; i < n; i++) {
		p[i] = (struct pollfd){ .fd = lanes[i].running ? lanes[i].process.fd : -1, .events = POLLIN };
		if (lanes[i].running && bw_sandbox_left_ms(&lanes[i].process) < wait)
			wait = bw_sandbox_left_ms(&lanes[i].process);
	}
	if (poll(p, n, wait) < 0 && errno != EINTR)
		return -errno;
	for (uint32_t i = 0; i < n && !err; i++) {
		int got;

		if (!lanes[i].running || (!p[i].revents && bw_sandbox_left_ms(&lanes[i].process)))
			continue;
		got = bw_sandbox_read(&lanes[i].process, &lanes[i].out);
		if (got <= 0)
			err = finish(r, &lanes[i], got);
	}
	return err;
}

static int run_lanes(struct runner *r, struct lane *lanes, uint32_t n)
{
	for (;;) {
		uint32_t running = 0;
		int err;

		for (uint32_t i = 0; i < n; i++) {
			err = lanes[i].running ? 1 : start(r, &lanes[i]);
			if (err < 0)
				return err;
			running += err > 0;
		}
		if (!running)
			return 0;
		err = hear(r, lanes, n);
		if (err < 0)
			return err;
	}
}

/* After an error. */
static void stop_lanes(struct lane *lanes, uint32_t n)
{
	char reason[64];

	for (uint32_t i = 0; i < n; i++) {
		if (lanes[i].running)
			bw_sandbox_end(&lanes[i].process, -ECANCELED, reason, sizeof(reason));
		bw_buf_free(&lanes[i].out);
		free_batch(&lanes[i]);
	}
}

static int collect(struct runner *r, uint32_t *ret_skipped)
{
	struct bw_scan_object *all;
	uint32_t total = r->s->n_objects, n = 0;

	for (uint32_t i = 0; i < r->files->n; i++) {
		total += r->results[i].n;
		*ret_skipped += r->results[i].skipped;
	}
	all = bw_arena_alloc(&r->s->arena, total + 1u, sizeof(*all));
	if (!all)
		return -ENOMEM;
	for (uint32_t i = 0; i < r->s->n_objects; i++)
		all[n++] = r->s->objects[i];
	for (uint32_t i = 0; i < r->files->n; i++)
		for (uint32_t k = 0; k < r->results[i].n; k++)
			all[n++] = r->results[i].objects[k];
	r->s->objects = all;
	r->s->n_objects = n;
	return 0;
}

/* One object is like the next: what was freed is wanted again at once, and getting pages from the kernel is what costs. */
static void keep_memory(void)
{
	mallopt(M_MMAP_THRESHOLD, 64 << 20);
	mallopt(M_TRIM_THRESHOLD, 256 << 20);
	mallopt(M_TOP_PAD, 1 << 20);
}

int bw_scan_run(const struct bw_scan_run *run, const struct bw_scan_files *files, struct bw_scan *s,
		uint32_t *ret_skipped)
{
	struct runner runner = { .run = run, .files = files, .s = s };
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	uint32_t jobs = run->jobs ? run->jobs : cpus > 0 ? (uint32_t)cpus : 1;
	_cleanup_free_ struct result *results = calloc(files->n + 1u, sizeof(*results));
	_cleanup_free_ struct lane *lanes = NULL;
	uint8_t digest[SHA256_DIGEST_LENGTH];
	int r;

	if (jobs > BW_MAX_SCAN_JOBS)
		jobs = BW_MAX_SCAN_JOBS;
	if (jobs > files->n)
		jobs = files->n ? files->n : 1;
	lanes = calloc(jobs, sizeof(*lanes));
	if (!results || !lanes)
		return -ENOMEM;
	runner.results = results;
	runner.batch_files = files->n / jobs + 1 < BATCH_FILES ? files->n / jobs + 1 : BATCH_FILES;
	keep_memory();
	/* libcrypto reads its configuration at the first use; the processes could not */
	SHA256((const unsigned char *)"", 0, digest);
	r = run_lanes(&runner, lanes, jobs);
	stop_lanes(lanes, jobs);
	return r < 0 ? r : collect(&runner, ret_skipped);
}
