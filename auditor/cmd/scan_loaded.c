// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "auditor/cmd/scan_loaded.h"

#include <bpf/btf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "auditor/analysis.h"
#include "auditor/predict.h"
#include "common/cleanup.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/sandbox.h"

struct loaded_job {
	const struct bw_analyst *analyst;
	const struct bw_loaded *in;
};

static const char *btf_name(void *ctx, uint32_t id)
{
	const struct btf_type *t = ctx ? btf__type_by_id(ctx, id) : NULL;

	return t ? btf__name_by_offset(ctx, t->name_off) : NULL;
}

static int child(void *arg, struct bw_sandbox_out *out)
{
	const struct loaded_job *job = arg;
	_cleanup_buf_ struct bw_buf b = { 0 };
	struct bw_arena arena = { 0 };
	struct bw_scan_object o;
	int r = bw_analyse_loaded(job->analyst, job->in, NULL, &arena, &o, NULL);

	if (r < 0)
		return r;
	bw_scan_object_encode(&o, &b);
	return bw_buf_error(&b) ? bw_buf_error(&b) : bw_sandbox_write(out, b.data, b.len);
}

static int fill_maps(const struct bw_predicted *p, struct bw_loaded_program *ret)
{
	struct bw_loaded_map *maps = calloc(p->n_maps + 1, sizeof(*maps));

	if (!maps)
		return -ENOMEM;
	for (size_t i = 0; i < p->n_maps; i++)
		maps[i] = (struct bw_loaded_map){
			.ref = p->maps[i].ref,
			.id = p->maps[i].id,
			.type = p->maps[i].type,
			.key_size = p->maps[i].key_size,
			.value_size = p->maps[i].value_size,
			.max_entries = p->maps[i].max_entries,
			.flags = p->maps[i].flags,
			.name = p->maps[i].name,
			.data = p->maps[i].data,
			.data_len = p->maps[i].data_len,
		};
	ret->maps = maps;
	ret->n_maps = (uint32_t)p->n_maps;
	return 0;
}

/* The programs that would be loaded; those that cannot be are reasons why the result is incomplete. */
static int fill_programs(const struct bw_prediction *pred, struct btf *btf, struct bw_loaded_program *list, uint32_t *ret_n,
			 const char **ret_error)
{
	uint32_t n = 0;
	int r = 0;

	for (size_t i = 0; i < pred->n && !r; i++) {
		const struct bw_predicted *p = &pred->programs[i];
		bool vmlinux = p->attach_btf && !strcmp(p->attach_btf, "vmlinux");
		const char *target = vmlinux ? btf_name(btf, p->attach_btf_id) : p->attach_target;

		if (p->error) {
			*ret_error = p->error;
			continue;
		}
		if (n == BW_MAX_LOADED_PROGRAMS)
			return -E2BIG;
		list[n] = (struct bw_loaded_program){
			.name = p->name,
			.prog_type = p->prog_type,
			.attach_type = p->expected_attach_type,
			.sleepable = p->prog_flags & BPF_F_SLEEPABLE,
			.target = p->attach_btf_id && target ? target : "",
			.insns = p->insns,
			.n_insns = (uint32_t)p->n_insns,
		};
		r = fill_maps(p, &list[n]);
		n += !r;
	}
	*ret_n = n;
	return r;
}

static int analyse(const struct bw_analyst *analyst, const struct bw_loaded *in, struct bw_arena *arena,
		   struct bw_scan_object *ret)
{
	struct bw_sandbox conf = { .wall_ms = BW_SCAN_FILE_MS };
	struct loaded_job job = { .analyst = analyst, .in = in };
	_cleanup_buf_ struct bw_buf out = { 0 };
	char reason[256];
	int r;

	r = bw_sandbox_run(&conf, child, &job, &out, reason, sizeof(reason));
	if (!r)
		r = bw_scan_object_decode(bw_slice(out.data, out.len), arena, ret);
	else if (r == -EPERM || r == -ENOMEM)
		return r;
	return r < 0 ? bw_scan_unreadable(in->name, r == -EBADMSG ? "the analysis returned damaged results" : reason, arena, ret) :
		       0;
}

static int scan_one(const char *path, const struct bw_analyst *analyst, const struct bw_kernel_btfs *btfs, struct btf *btf,
		    struct bw_arena *arena, struct bw_scan_object *ret)
{
	BW_CLEANUP(bw_prediction_free) struct bw_prediction pred = { 0 };
	const struct bw_predict_opts opts = { .btfs = btfs };
	struct bw_loaded in = { .name = path, .btf_name = btf_name, .ctx = btf };
	_cleanup_free_ struct bw_loaded_program *list = NULL;
	_cleanup_free_ char *bytes = NULL;
	const char *error = NULL;
	size_t len;
	int r;

	r = bw_file_read(path, BW_MAX_OBJECT_SIZE, &bytes, &len);
	if (r < 0)
		return bw_scan_unreadable(path, strerror(-r), arena, ret);
	r = bw_predict(bytes, len, &opts, &pred);
	if (r < 0)
		return r;
	list = calloc(BW_MAX_LOADED_PROGRAMS, sizeof(*list));
	if (!list)
		return -ENOMEM;
	in.programs = list;
	r = fill_programs(&pred, btf, list, &in.n_programs, &error);
	if (!r)
		r = in.n_programs ? analyse(analyst, &in, arena, ret) :
				    bw_scan_unreadable(path, error ? error : pred.error ? pred.error : "no programs", arena, ret);
	else if (r == -E2BIG)
		r = bw_scan_unreadable(path, "too many programs", arena, ret);
	if (!r && in.n_programs && error && ret->status == BW_SCAN_OK)
		ret->status = BW_SCAN_INCOMPLETE;
	for (uint32_t i = 0; i < in.n_programs; i++)
		free((void *)list[i].maps);
	return r;
}

int scan_as_loaded(const struct bw_scan_files *files, struct bw_scan *s)
{
	BW_CLEANUP(bw_kernel_btf_free) struct bw_kernel_btfs btfs = { 0 };
	struct bw_analyst *analyst = NULL;
	struct btf *btf = NULL;
	char why[700] = "";
	size_t cap = 0;
	int r;

	r = bw_kernel_btf_host(&btfs);
	if (r < 0) {
		bw_err("the types of this kernel cannot be read: %s", strerror(-r));
		return r;
	}
	btf = btf__new(btfs.items[0].data, (uint32_t)btfs.items[0].len);
	r = bw_analyst_new(&analyst, why, sizeof(why));
	if (r < 0)
		bw_err("rules: %s", why[0] ? why : strerror(-r));
	for (uint32_t i = 0; i < files->n && !r; i++) {
		if (!bw_arena_grow(&s->arena, &s->objects, s->n_objects, &cap, sizeof(*s->objects))) {
			r = -ENOMEM;
			break;
		}
		r = scan_one(files->items[i].path, analyst, &btfs, btf, &s->arena, &s->objects[s->n_objects]);
		s->n_objects += !r;
	}
	bw_analyst_free(analyst);
	btf__free(btf);
	return r;
}
