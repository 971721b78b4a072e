// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The parent's half of the prediction: starts the child of predict_child.c, believes nothing it sends back. */
#include <string.h>
#include <sys/utsname.h>

#include "auditor/fake_kernel.h"
#include "auditor/predict.h"
#include "auditor/predict_child.h"
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/limits.h"
#include "common/sandbox.h"
#include "common/slice.h"

static int take_text(struct bw_slice *s, uint32_t len, char **ret)
{
	struct bw_slice text;
	char *copy;

	*ret = NULL;
	if (len == PREDICT_NO_TEXT)
		return 0;
	if (len > BW_PREDICT_MAX_TEXT || !bw_slice_sub(*s, 0, len, &text))
		return -EBADMSG;
	copy = malloc(len + 1);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, text.data, len);
	copy[len] = 0;
	/* A NUL inside would hide what follows it. */
	if (strlen(copy) != len) {
		free(copy);
		return -EBADMSG;
	}
	*ret = copy;
	*s = bw_slice(s->data + len, s->len - len);
	return 0;
}

static void predicted_free(struct bw_predicted *p)
{
	free(p->name);
	free(p->section);
	free(p->attach_target);
	free(p->attach_btf);
	free(p->error);
	free(p->insns);
	for (size_t i = 0; i < p->n_maps; i++)
		free(p->maps[i].data);
	free(p->maps);
	*p = (struct bw_predicted){ 0 };
}

/* libbpf before 1.2 leaves such a call with id 0; later ones call helper 2002000000 + index of the extern (libbpf.c).
 */
static bool calls_missing_kfunc(const struct bpf_insn *insns, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (insns[i].code == (BPF_LD | BPF_IMM | BPF_DW)) {
			i++;
			continue;
		}
		if (insns[i].code != (BPF_JMP | BPF_CALL))
			continue;
		if (insns[i].src_reg == BPF_PSEUDO_KFUNC_CALL && !insns[i].imm)
			return true;
		if (!insns[i].src_reg && insns[i].imm >= 2002000000 && insns[i].imm < 2003000000)
			return true;
	}
	return false;
}

static int identify(struct bw_predicted *p)
{
	int r;

	identity_summary(p->insns, p->n_insns, &p->summary);
	if (p->summary.btf_fd_refs)
		p->flags |= BW_PREDICT_TAG_UNSTABLE;
	if (calls_missing_kfunc(p->insns, p->n_insns))
		p->flags |= BW_PREDICT_KFUNC_MISSING;
	r = identity_load_digest(p->insns, p->n_insns, p->digest);
	if (!r)
		r = identity_kernel_tag(p->insns, p->n_insns, BW_TAG_SHA1, p->tag_sha1);
	if (!r)
		r = identity_kernel_tag(p->insns, p->n_insns, BW_TAG_SHA256, p->tag_sha256);
	return r;
}

static int take_maps(struct bw_slice *s, uint32_t n, struct bw_predicted *p)
{
	if (n > FAKE_MAX_LOAD_MAPS)
		return -EBADMSG;
	p->maps = n ? calloc(n, sizeof(*p->maps)) : NULL;
	if (n && !p->maps)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		struct bw_predicted_map *m = &p->maps[i];
		struct predict_map rec;
		struct bw_slice data;

		if (!bw_slice_copy(*s, 0, &rec, sizeof(rec)) || !bw_slice_sub(*s, sizeof(rec), rec.data_len, &data))
			return -EBADMSG;
		*m = (struct bw_predicted_map){
			.ref = rec.ref,
			.id = rec.id,
			.type = rec.type,
			.key_size = rec.key_size,
			.value_size = rec.value_size,
			.max_entries = rec.max_entries,
			.flags = rec.flags,
		};
		memcpy(m->name, rec.name, sizeof(m->name));
		m->name[sizeof(m->name) - 1] = 0;
		p->n_maps++;
		if (data.len) {
			m->data = malloc(data.len);
			if (!m->data)
				return -ENOMEM;
			memcpy(m->data, data.data, data.len);
			m->data_len = (uint32_t)data.len;
		}
		*s = bw_slice(s->data + sizeof(rec) + data.len, s->len - sizeof(rec) - data.len);
	}
	return 0;
}

static int take_program(struct bw_slice *s, const struct predict_record *rec, struct bw_predicted *ret)
{
	struct bw_predicted p = {
		.autoload = rec->autoload,
		.flags = rec->flags,
		.prog_type = rec->prog_type,
		.expected_attach_type = rec->expected_attach_type,
		.prog_flags = rec->prog_flags,
		.attach_btf_id = rec->attach_btf_id,
	};
	struct bw_slice insns;
	int r;

	r = take_text(s, rec->name_len, &p.name);
	if (!r)
		r = take_text(s, rec->section_len, &p.section);
	if (!r)
		r = take_text(s, rec->target_len, &p.attach_target);
	if (!r)
		r = take_text(s, rec->attach_btf_len, &p.attach_btf);
	if (!r)
		r = take_text(s, rec->error_len, &p.error);
	if (!r && (!p.name || !p.section || rec->insn_cnt > BW_MAX_INSNS || !rec->insn_cnt != !!p.error ||
		   (rec->map_cnt && !rec->insn_cnt)))
		r = -EBADMSG;
	if (!r && rec->insn_cnt) {
		if (!bw_slice_sub(*s, 0, rec->insn_cnt * sizeof(*p.insns), &insns)) {
			r = -EBADMSG;
		} else {
			p.insns = malloc(insns.len);
			if (p.insns) {
				memcpy(p.insns, insns.data, insns.len);
				p.n_insns = rec->insn_cnt;
				*s = bw_slice(s->data + insns.len, s->len - insns.len);
				r = take_maps(s, rec->map_cnt, &p);
				if (!r)
					r = identify(&p);
			} else {
				r = -ENOMEM;
			}
		}
	}
	if (r < 0) {
		predicted_free(&p);
		return r;
	}
	*ret = p;
	return 0;
}

int predict_take_records(struct bw_slice s, struct bw_prediction *pred)
{
	while (s.len) {
		struct bw_predicted *programs;
		struct predict_record rec;
		int r;

		if (!bw_slice_copy(s, 0, &rec, sizeof(rec)))
			return -EBADMSG;
		s = bw_slice(s.data + sizeof(rec), s.len - sizeof(rec));
		if (rec.kind == PREDICT_OBJECT_ERROR) {
			if (pred->error || rec.error_len == PREDICT_NO_TEXT)
				return -EBADMSG;
			r = take_text(&s, rec.error_len, &pred->error);
			if (r < 0)
				return r;
			continue;
		}
		if (rec.kind != PREDICT_PROGRAM || pred->n == BW_PREDICT_MAX_PROGRAMS)
			return -EBADMSG;
		programs = reallocarray(pred->programs, pred->n + 1, sizeof(*programs));
		if (!programs)
			return -ENOMEM;
		pred->programs = programs;
		r = take_program(&s, &rec, &programs[pred->n]);
		if (r < 0)
			return r;
		pred->n++;
	}
	return 0;
}

int bw_predict(const void *object, size_t len, const struct bw_predict_opts *opts, struct bw_prediction *ret)
{
	struct fake_btf btf[FAKE_MAX_BTF];
	struct predict_job job = { .object = object, .len = len, .kconfig = opts->kconfig, .kernel = { .btf = btf } };
	const struct bw_sandbox box = {
		.wall_ms = opts->wall_ms ? opts->wall_ms : BW_PREDICT_DEFAULT_MS,
		.max_output = BW_MAX_BUF,
		.memory = 2ull << 30,
		.memfd = true,
		.trap = fake_kernel_trap,
	};
	BW_CLEANUP(bw_prediction_free) struct bw_prediction pred = { 0 };
	_cleanup_buf_ struct bw_buf out = { 0 };
	char reason[256];
	struct utsname u;
	int r, parsed;

	for (size_t i = 0; opts->btfs && i < opts->btfs->n && i < FAKE_MAX_BTF; i++) {
		const struct bw_kernel_btf *b = &opts->btfs->items[i];

		btf[job.kernel.n_btf++] = (struct fake_btf){ .name = b->name, .data = b->data, .len = b->len };
	}
	job.kernel.release = opts->release;
	if (!job.kernel.release) {
		uname(&u);
		job.kernel.release = u.release;
	}
	r = bw_sandbox_run(&box, predict_in_child, &job, &out, reason, sizeof(reason));
	parsed = predict_take_records(bw_slice(out.data, out.len), &pred);
	if (r == -ENOMEM || parsed == -ENOMEM)
		return -ENOMEM;
	/* What came before a crash is kept, and the object marked: what is missing is not known. */
	if (r < 0 || parsed < 0) {
		free(pred.error);
		pred.error = strdup(r < 0 ? reason : "the sandboxed process sent nonsense");
		if (!pred.error)
			return -ENOMEM;
	}
	*ret = pred;
	pred = (struct bw_prediction){ 0 };
	return 0;
}

bool bw_prediction_complete(const struct bw_prediction *p)
{
	if (p->error)
		return false;
	for (size_t i = 0; i < p->n; i++)
		if (p->programs[i].error || p->programs[i].flags & BW_PREDICT_ADDRESSES)
			return false;
	return true;
}

void bw_prediction_free(struct bw_prediction *p)
{
	for (size_t i = 0; i < p->n; i++)
		predicted_free(&p->programs[i]);
	free(p->programs);
	free(p->error);
	*p = (struct bw_prediction){ 0 };
}
