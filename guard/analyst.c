// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/analyst.h"

#include <bpf/btf.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/mman.h>

#include "auditor/analysis.h"
#include "common/cleanup.h"

enum { MESSAGE_JOB, MESSAGE_ANSWER, MESSAGES };

static const struct privsep_form forms[MESSAGES] = {
	[MESSAGE_JOB] = { .name = "job", .min = sizeof(uint64_t), .max = sizeof(uint64_t), .fd = true },
	[MESSAGE_ANSWER] = { .name = "answer", .min = sizeof(struct analyst_answer), .max = sizeof(struct analyst_answer) },
};

_Static_assert(sizeof(struct analyst_answer) <= PRIVSEP_MAX_MESSAGE, "an answer is one message");

/* ---- in the worker ---------------------------------------------------------------------------------------------------- */

static const char *btf_name(void *ctx, uint32_t id)
{
	const struct btf_type *t = ctx ? btf__type_by_id(ctx, id) : NULL;

	return t ? btf__name_by_offset(ctx, t->name_off) : NULL;
}

/* Takes @len bytes off the front. */
static const void *take(struct bw_slice *s, size_t len)
{
	const void *p = s->data;

	if (len > s->len)
		return NULL;
	*s = bw_slice(s->data + len, s->len - len);
	return p;
}

static int take_maps(struct bw_slice *s, struct bw_loaded_program *p)
{
	struct bw_loaded_map *maps;

	if (p->n_maps > BW_MAX_LOADED_MAPS)
		return -EBADMSG;
	p->maps = maps = calloc(p->n_maps + 1, sizeof(*maps));
	if (!maps)
		return -ENOMEM;
	for (uint32_t i = 0; i < p->n_maps; i++) {
		const struct analyst_map *m = take(s, sizeof(*m));

		if (!m || memchr(m->name, 0, sizeof(m->name)) == NULL)
			return -EBADMSG;
		maps[i] = (struct bw_loaded_map){
			.ref = m->id,
			.id = m->id,
			.type = m->type,
			.key_size = m->key_size,
			.value_size = m->value_size,
			.max_entries = m->max_entries,
			.flags = m->flags,
			.name = m->name,
			.data_len = m->data_len,
		};
		/* Rounded up, so that what follows is aligned. */
		maps[i].data = m->data_len ? take(s, ((size_t)m->data_len + 7) & ~(size_t)7) : NULL;
		if (m->data_len && !maps[i].data)
			return -EBADMSG;
	}
	return 0;
}

static int take_programs(struct bw_slice job, const struct btf *btf, struct bw_loaded *in, struct bw_loaded_program *list)
{
	const struct analyst_job *head = take(&job, sizeof(*head));
	int r = 0;

	if (!head || !head->n_programs || head->n_programs > BW_MAX_LOADED_PROGRAMS)
		return -EBADMSG;
	for (uint32_t i = 0; i < head->n_programs && !r; i++) {
		const struct analyst_program *p = take(&job, sizeof(*p));
		const char *target;

		if (!p || memchr(p->name, 0, sizeof(p->name)) == NULL)
			return -EBADMSG;
		target = p->attach_btf_id ? btf_name((void *)btf, p->attach_btf_id) : NULL;
		list[i] = (struct bw_loaded_program){
			.name = p->name,
			.prog_type = p->prog_type,
			.attach_type = p->attach_type,
			.sleepable = p->prog_flags & BPF_F_SLEEPABLE,
			.target = target ? target : "",
			.n_insns = p->n_insns,
			.n_maps = p->n_maps,
			.insns = take(&job, (size_t)p->n_insns * sizeof(struct bpf_insn)),
		};
		in->n_programs++;
		if (!list[i].insns)
			return -EBADMSG;
		r = take_maps(&job, &list[i]);
	}
	return r ? r : job.len ? -EBADMSG : 0;
}

static void copy(char *dst, size_t len, const char *src)
{
	snprintf(dst, len, "%s", src);
}

static void add_finding(struct analyst_answer *a, const struct bw_finding *f)
{
	struct analyst_finding *dst;
	uint32_t at = a->n;

	a->n_findings++;
	/* Sorted, the most severe first; attacks before others of the same severity. */
	while (at && (a->findings[at - 1].severity < f->severity ||
		      (a->findings[at - 1].severity == f->severity && f->kind == BW_KIND_ATTACK &&
		       a->findings[at - 1].kind != BW_KIND_ATTACK)))
		at--;
	if (at == ANALYST_MAX_FINDINGS)
		return;
	if (a->n < ANALYST_MAX_FINDINGS)
		a->n++;
	memmove(&a->findings[at + 1], &a->findings[at], (a->n - 1 - at) * sizeof(a->findings[0]));
	dst = &a->findings[at];
	memset(dst, 0, sizeof(*dst));
	dst->severity = f->severity;
	dst->kind = f->kind;
	copy(dst->rule, sizeof(dst->rule), f->rule);
	copy(dst->source, sizeof(dst->source), f->source);
	copy(dst->channel, sizeof(dst->channel), f->channel);
	copy(dst->program, sizeof(dst->program), f->program);
	copy(dst->title, sizeof(dst->title), f->title);
}

_Static_assert(ANALYST_MAX_LABELS == BW_MAX_LABELLED_MAPS, "labels");

static void add_flows(struct analyst_flows *dst, const struct bw_loaded_flows *f)
{
	dst->n_labels = f->n_maps;
	for (uint32_t i = 0; i < f->n_maps; i++)
		dst->labels[i] = (struct analyst_label){ .map = f->maps[i].id, .sources = f->maps[i].sources };
	dst->packet_sources = f->packet_sources;
	dst->packet_map = f->packet_map;
	copy(dst->packet_from, sizeof(dst->packet_from), f->packet_from);
	copy(dst->packet_to, sizeof(dst->packet_to), f->packet_to);
}

void analyst_work(const struct bw_analyst *a, const struct btf *btf, struct bw_slice job, struct analyst_answer *ret)
{
	static const struct bw_analysis_limits limits = { .max_steps = ANALYST_STEPS };
	_cleanup_free_ struct bw_loaded_program *list = calloc(BW_MAX_LOADED_PROGRAMS, sizeof(*list));
	struct bw_loaded in = { .name = "load", .programs = list, .btf_name = btf_name, .ctx = (void *)btf };
	struct bw_arena arena = { .max = ANALYST_MEMORY };
	struct bw_scan_object o = { .path = "" };
	struct bw_loaded_flows flows;
	int r = list ? take_programs(job, btf, &in, list) : -ENOMEM;

	memset(ret, 0, sizeof(*ret));
	if (!r)
		r = bw_analyse_loaded(a, &in, &limits, &arena, &o, &flows);
	for (uint32_t i = 0; i < in.n_programs; i++)
		free((void *)list[i].maps);
	if (r < 0) {
		ret->status = ANALYST_FAILED;
		ret->error = (uint32_t)-r;
		copy(ret->reason, sizeof(ret->reason), strerror(-r));
	} else {
		ret->status = o.status == BW_SCAN_OK ? ANALYST_OK : ANALYST_INCOMPLETE;
		if (o.n_reasons)
			copy(ret->reason, sizeof(ret->reason), o.reasons[0]);
		for (uint32_t i = 0; i < o.n_programs; i++)
			for (uint32_t k = 0; k < o.programs[i].n_findings; k++)
				add_finding(ret, &o.programs[i].findings[k]);
		add_flows(&ret->flows, &flows);
	}
	bw_arena_free(&arena);
}

struct analyst {
	const struct btf *btf;
	struct bw_analyst *rules;
	struct analyst_answer answer;
};

/* While the process has its privileges: reads nothing foreign. */
static int prepare(void *arg)
{
	struct analyst *a = arg;
	char why[256];

	if (bw_lock_limit(RLIMIT_FSIZE, 0) < 0 || (!BW_SANITIZED && bw_lock_limit(RLIMIT_DATA, 2ull << 30) < 0))
		return -EPERM;
	return bw_analyst_new(&a->rules, why, sizeof(why));
}

static int one_job(struct analyst *a, int fd, size_t len, struct analyst_answer *ret)
{
	_cleanup_free_ char *bytes = len <= ANALYST_MAX_JOB ? malloc(len) : NULL;
	size_t got = 0;

	if (!bytes)
		return -ENOMEM;
	while (got < len) {
		ssize_t n = pread(fd, bytes + got, len - got, (off_t)got);

		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		got += (size_t)n;
	}
	analyst_work(a->rules, a->btf, bw_slice(bytes, len), ret);
	return 0;
}

static int run(void *arg, const struct privsep_channels *ch)
{
	struct analyst *a = arg;
	struct privsep_message m;

	for (;;) {
		_cleanup_close_ int fd = -1;
		uint64_t len;
		int r = privsep_recv(ch->notes, forms, MESSAGES, &m, true);

		if (r == -ENOTCONN)
			return 0;
		if (r < 0)
			return r;
		if (m.type != MESSAGE_JOB)
			return -EBADMSG;
		fd = m.fd;
		memcpy(&len, m.data, sizeof(len));
		r = one_job(a, fd, len, &a->answer);
		if (r < 0) {
			memset(&a->answer, 0, sizeof(a->answer));
			a->answer.status = ANALYST_FAILED;
			a->answer.error = (uint32_t)-r;
			copy(a->answer.reason, sizeof(a->answer.reason), strerror(-r));
		}
		r = privsep_send(ch->requests, MESSAGE_ANSWER, &a->answer, sizeof(a->answer), -1, true);
		if (r < 0)
			return r;
	}
}

/* ---- in the guard ------------------------------------------------------------------------------------------------------ */

int analyst_start(const struct analyst_config *conf, struct privsep_worker *w)
{
	static const struct privsep_profile profile = { .name = "analyst", .calls = BW_CALLS_EVENTS };
	struct analyst a = { .btf = conf->btf };
	const struct privsep_job job = {
		.profile = &profile, .root = -1, .uid = conf->uid, .gid = conf->gid, .prepare = prepare, .run = run, .arg = &a,
	};

	return privsep_spawn(&job, w);
}

int analyst_send(const struct privsep_worker *w, const struct bw_buf *job)
{
	_cleanup_close_ int fd = -1;
	uint64_t len = job->len;
	size_t done = 0;

	if (job->len > ANALYST_MAX_JOB)
		return -E2BIG;
	fd = memfd_create("bpfwarden-job", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	while (done < job->len) {
		ssize_t n = write(fd, job->data + done, job->len - done);

		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		done += (size_t)n;
	}
	/* What was sent stays what it was: the same job may be an answer for another loader later. */
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
		return -errno;
	return privsep_send(w->ch.notes, MESSAGE_JOB, &len, sizeof(len), fd, false);
}

static bool terminated(const char *s, size_t len)
{
	return memchr(s, 0, len) != NULL;
}

int analyst_receive(const struct privsep_worker *w, struct analyst_answer *ret)
{
	struct privsep_message m;
	struct analyst_answer *a = (struct analyst_answer *)m.data;
	int r = privsep_recv(w->ch.requests, forms, MESSAGES, &m, false);

	if (r < 0)
		return r;
	if (m.type != MESSAGE_ANSWER) {
		if (m.fd >= 0)
			close(m.fd);
		return -EBADMSG;
	}
	if (a->status >= ANALYST_STATUSES || a->n > ANALYST_MAX_FINDINGS || a->n > a->n_findings ||
	    !terminated(a->reason, sizeof(a->reason)))
		return -EBADMSG;
	for (uint32_t i = 0; i < a->n; i++) {
		const struct analyst_finding *f = &a->findings[i];

		if (f->severity >= BW_SEV_COUNT_ || f->kind >= BW_KIND_COUNT_ || !terminated(f->rule, sizeof(f->rule)) ||
		    !terminated(f->source, sizeof(f->source)) || !terminated(f->channel, sizeof(f->channel)) ||
		    !terminated(f->program, sizeof(f->program)) || !terminated(f->title, sizeof(f->title)))
			return -EBADMSG;
	}
	if (a->flows.n_labels > ANALYST_MAX_LABELS || a->flows.packet_sources & ~BW_SRC_ALL ||
	    !terminated(a->flows.packet_from, sizeof(a->flows.packet_from)) || !terminated(a->flows.packet_to, sizeof(a->flows.packet_to)))
		return -EBADMSG;
	for (uint32_t i = 0; i < a->flows.n_labels; i++)
		if (a->flows.labels[i].sources & ~BW_SRC_ALL)
			return -EBADMSG;
	*ret = *a;
	return 0;
}
