// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/quarantine.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <openssl/evp.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "auditor/analysis.h"
#include "common/cleanup.h"
#include "guard/loop.h"
#include "guard/quarantine_job.h"

_Static_assert(BW_POLICY_SEVERITIES == BW_SEV_COUNT_ && BW_POLICY_SEVERITY_HIGH == BW_SEV_HIGH &&
		       BW_POLICY_KINDS == BW_KIND_COUNT_ && BW_POLICY_KIND_ATTACK == BW_KIND_ATTACK,
	       "a policy's words for findings are the auditor's");

#define HASH_LEN 32
#define QUARANTINE_NICE (-20)

enum question_state { QUESTION_INCOMING, QUESTION_QUEUED, QUESTION_RUNNING };

struct question {
	uint64_t nonce;
	uint8_t digest[BW_DIGEST_LEN];
	enum question_state state;
	uint64_t since_ns;
	uint8_t hash[HASH_LEN]; /* of the job */
	struct held_job about;
	bool note; /* nobody waits for the answer: it was let in, and is looked at all the same */
	uint32_t tgid;
	struct bw_buf job; /* empty for one that waits for an equal job */
};

struct analyst_slot {
	struct quarantine *q;
	struct privsep_worker worker;
	struct loop_source *source;
	bool busy;
	uint8_t hash[HASH_LEN]; /* of the job it works on */
	uint64_t since_ns;
	uint64_t again_ns; /* not to be started before that */
};

/* An answer of an analyst that may serve again. */
struct remembered {
	uint8_t hash[HASH_LEN];
	struct analyst_answer answer;
};

struct quarantine {
	struct quarantine_conf conf;
	struct ring_buffer *ring;
	struct loop_source *ring_source;
	struct held_programs held;
	struct question *questions[QUARANTINE_QUESTIONS];
	uint32_t n_questions;
	struct analyst_slot analysts[QUARANTINE_ANALYSTS];
	struct remembered *remembered; /* QUARANTINE_RESULTS, the oldest is overwritten */
	uint32_t next_remembered;
	struct quarantine_stats stats;
};

static uint64_t now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void question_free(struct question *qu)
{
	bw_buf_free(&qu->job);
	free(qu);
}

static void question_drop(struct quarantine *q, uint32_t i)
{
	question_free(q->questions[i]);
	q->questions[i] = q->questions[--q->n_questions];
}

/* ---- answers ------------------------------------------------------------------------------------------------------------- */

/* Applies the policy. */
static void decide(const struct quarantine *q, const struct analyst_answer *a, bool truncated, struct quarantine_result *ret)
{
	const struct bw_policy_protect *p = q->conf.policy(q->conf.arg);
	bool complete = a->status == ANALYST_OK && !truncated && a->n == a->n_findings;

	ret->status = a->status == ANALYST_OK && !complete ? ANALYST_INCOMPLETE : (enum analyst_status)a->status;
	memcpy(ret->reason, a->reason, sizeof(ret->reason));
	if (!complete && !ret->reason[0])
		snprintf(ret->reason, sizeof(ret->reason), truncated ? "more programs share its maps than are analysed together" :
								       "more findings than fit into an answer");
	ret->n_findings = a->n_findings;
	ret->verdict = complete ? BW_VERDICT_ALLOW : (enum bw_verdict)p->on_incomplete;
	ret->has_finding = a->n > 0;
	if (a->n)
		ret->finding = a->findings[0];
	for (uint32_t i = 0; i < a->n && !ret->decided; i++) {
		const struct analyst_finding *f = &a->findings[i];

		if (!bw_policy_refuses(p, f->severity, f->kind, f->rule, f->source, f->channel))
			continue;
		ret->decided = true;
		ret->verdict = BW_VERDICT_DENY;
		ret->finding = *f;
	}
}

/* What was let in may put such data there: who reads it is watched from now on. */
static void label_maps(struct quarantine *q, const struct question *qu, const struct analyst_flows *f)
{
	for (uint32_t i = 0; i < f->n_labels; i++)
		if (f->labels[i].map && f->labels[i].map <= qu->about.n_maps && f->labels[i].sources) {
			q->stats.labels++;
			q->conf.label(q->conf.arg, qu->about.map_ids[f->labels[i].map - 1], f->labels[i].sources);
		}
}

static void describe_packets(const struct question *qu, const struct analyst_flows *f, struct quarantine_result *r)
{
	r->packet_sources = f->packet_sources;
	r->packet_map = f->packet_map && f->packet_map <= qu->about.n_maps ? qu->about.map_ids[f->packet_map - 1] : 0;
	memcpy(r->packet_from, f->packet_from, sizeof(r->packet_from));
	memcpy(r->packet_to, f->packet_to, sizeof(r->packet_to));
}

static void answer_question(struct quarantine *q, const struct question *qu, const struct analyst_answer *a, uint64_t ns,
			    bool repeated)
{
	struct quarantine_result r = { .nonce = qu->nonce, .analysis_ns = ns, .repeated = repeated, .n_programs = qu->about.n_programs };
	struct bw_hold_key key = { .nonce = qu->nonce };
	struct held_program *p = held_find(&q->held, qu->nonce);
	struct bw_hold_answer answer = { 0 };

	decide(q, a, qu->about.truncated, &r);
	if (p && !qu->note && r.verdict == BW_VERDICT_DENY)
		p->gone = true;
	answer.verdict = r.verdict;
	memcpy(key.digest, qu->digest, sizeof(key.digest));
	q->stats.answers++;
	q->stats.repeated += repeated;
	q->stats.refused += !qu->note && r.verdict == BW_VERDICT_DENY;
	q->stats.incomplete += r.status != ANALYST_OK;
	if (!qu->note && bpf_map_update_elem(q->conf.answers, &key, &answer, BPF_ANY) < 0)
		q->stats.failures++;
	r.tgid = qu->tgid;
	r.refused = !qu->note && r.verdict == BW_VERDICT_DENY;
	describe_packets(qu, &a->flows, &r);
	if (qu->note || r.verdict == BW_VERDICT_ALLOW)
		label_maps(q, qu, &a->flows);
	/* Somebody was waiting for the answer; nobody is for this. */
	q->conf.result(q->conf.arg, &r);
}

static const struct remembered *recall(const struct quarantine *q, const uint8_t *hash)
{
	for (uint32_t i = 0; i < QUARANTINE_RESULTS && i < q->next_remembered; i++)
		if (!memcmp(q->remembered[i].hash, hash, HASH_LEN))
			return &q->remembered[i];
	return NULL;
}

/* All questions with this job have their answer. */
static void settle(struct quarantine *q, const uint8_t *hash, const struct analyst_answer *a, uint64_t ns)
{
	bool first = true;

	for (uint32_t i = 0; i < q->n_questions;) {
		struct question *qu = q->questions[i];

		if (qu->state == QUESTION_INCOMING || memcmp(qu->hash, hash, HASH_LEN)) {
			i++;
			continue;
		}
		answer_question(q, qu, a, ns, !first);
		first = false;
		question_drop(q, i);
	}
}

/* ---- analysts -------------------------------------------------------------------------------------------------------------- */

static int on_answer(void *arg, int fd, uint32_t events);

static int analyst_up(struct quarantine *q, struct analyst_slot *s)
{
	const struct analyst_config c = { .btf = q->conf.btf, .uid = q->conf.uid, .gid = q->conf.gid };
	int r = analyst_start(&c, &s->worker);

	if (!r)
		r = loop_add_fd(q->conf.loop, s->worker.ch.requests, EPOLLIN, on_answer, s, &s->source);
	return r;
}

/* It is of no use any more: ends it, answers for it, and has a new one started later. */
static void analyst_lost(struct analyst_slot *s, const char *because)
{
	struct analyst_answer failed = { .status = ANALYST_FAILED };
	struct quarantine *q = s->q;
	uint64_t now = now_ns(CLOCK_MONOTONIC);
	char why[96] = "", line[sizeof(failed.reason)];

	loop_remove(s->source);
	s->source = NULL;
	privsep_reap(&s->worker, true, now, why, sizeof(why));
	s->again_ns = now + privsep_backoff_ns(&s->worker);
	snprintf(line, sizeof(line), "the analysis %s", because ? because : why);
	q->stats.failures++;
	q->conf.problem(q->conf.arg, line);
	if (!s->busy)
		return;
	s->busy = false;
	memcpy(failed.reason, line, sizeof(failed.reason));
	settle(q, s->hash, &failed, now_ns(CLOCK_BOOTTIME) - s->since_ns);
}

static struct analyst_slot *idle_analyst(struct quarantine *q)
{
	for (unsigned int i = 0; i < QUARANTINE_ANALYSTS; i++)
		if (q->analysts[i].worker.pid && !q->analysts[i].busy)
			return &q->analysts[i];
	return NULL;
}

static bool is_running(const struct quarantine *q, const uint8_t *hash)
{
	for (unsigned int i = 0; i < QUARANTINE_ANALYSTS; i++)
		if (q->analysts[i].busy && !memcmp(q->analysts[i].hash, hash, HASH_LEN))
			return true;
	return false;
}

/* Gives work to whoever has none: the oldest question first. */
static void dispatch(struct quarantine *q)
{
	struct analyst_slot *s;

	while ((s = idle_analyst(q))) {
		struct question *oldest = NULL;

		for (uint32_t i = 0; i < q->n_questions; i++) {
			struct question *qu = q->questions[i];

			if (qu->state != QUESTION_QUEUED || is_running(q, qu->hash))
				continue;
			/* Who waits comes first. */
			if (!oldest || qu->note < oldest->note || (qu->note == oldest->note && qu->nonce < oldest->nonce))
				oldest = qu;
		}
		if (!oldest)
			return;
		if (analyst_send(&s->worker, &oldest->job) < 0) {
			analyst_lost(s, "could not be given its work");
			continue;
		}
		s->busy = true;
		s->since_ns = now_ns(CLOCK_BOOTTIME);
		memcpy(s->hash, oldest->hash, HASH_LEN);
		oldest->state = QUESTION_RUNNING;
		bw_buf_free(&oldest->job);
		q->stats.analyses++;
	}
}

static int on_answer(void *arg, int fd, uint32_t events)
{
	struct analyst_slot *s = arg;
	struct quarantine *q = s->q;
	static struct analyst_answer a;
	uint64_t ns;
	int r = analyst_receive(&s->worker, &a);

	if (r == -EAGAIN)
		return 0;
	if (r < 0 || !s->busy) {
		analyst_lost(s, r == -ENOTCONN ? NULL : "answered nonsense");
		dispatch(q);
		return 0;
	}
	ns = now_ns(CLOCK_BOOTTIME) - s->since_ns;
	if (ns > q->stats.analysis_ns_max)
		q->stats.analysis_ns_max = ns;
	s->busy = false;
	if (a.status != ANALYST_FAILED) {
		struct remembered *m = &q->remembered[q->next_remembered++ % QUARANTINE_RESULTS];

		memcpy(m->hash, s->hash, HASH_LEN);
		m->answer = a;
	}
	settle(q, s->hash, &a, ns);
	dispatch(q);
	return 0;
}

/* ---- questions ------------------------------------------------------------------------------------------------------------- */

static void question_ready(struct quarantine *q, uint32_t at, const struct held_program *p)
{
	struct question *qu = q->questions[at];
	struct analyst_answer failed = { .status = ANALYST_FAILED };
	const struct remembered *m;
	unsigned int len = 0;
	int r;

	r = held_job(&q->held, p, &qu->job, &qu->about);
	if (!r && !EVP_Digest(qu->job.data, qu->job.len, qu->hash, &len, EVP_sha256(), NULL))
		r = -EIO;
	if (!r && p->q.flags & BW_HOLD_MAPS_MISSING)
		qu->about.truncated = true;
	if (r < 0) {
		snprintf(failed.reason, sizeof(failed.reason), "%s", r == -E2BIG ? "too large to be analysed" : strerror(-r));
		answer_question(q, qu, &failed, 0, false);
		question_drop(q, at);
		return;
	}
	m = recall(q, qu->hash);
	if (m) {
		answer_question(q, qu, &m->answer, 0, true);
		question_drop(q, at);
		return;
	}
	qu->state = QUESTION_QUEUED;
}

static void on_question(struct quarantine *q, const struct bw_hold_question *rec, size_t size)
{
	struct held_program *p;
	struct question *qu;

	q->stats.questions++;
	if (q->n_questions == QUARANTINE_QUESTIONS) {
		q->stats.dropped++;
		return;
	}
	qu = calloc(1, sizeof(*qu));
	if (!qu || held_begin(&q->held, rec, size, &p) < 0) {
		free(qu);
		q->stats.dropped++;
		return;
	}
	qu->nonce = rec->nonce;
	qu->note = rec->flags & BW_HOLD_NOTE;
	qu->tgid = rec->tgid;
	qu->since_ns = now_ns(CLOCK_BOOTTIME);
	memcpy(qu->digest, rec->digest, sizeof(qu->digest));
	qu->job.max = 2 * ANALYST_MAX_JOB;
	q->questions[q->n_questions++] = qu;
}

/* libbpf calls this for each record; anything but 0 would stop the draining. */
static int on_record(void *arg, void *data, size_t size)
{
	struct quarantine *q = arg;
	const struct bw_hold_code *c = data;
	struct held_program *p;

	if (held_check(data, size) < 0) {
		q->stats.failures++;
		return 0;
	}
	if (c->record == BW_HOLD_QUESTION) {
		on_question(q, data, size);
		return 0;
	}
	if (held_code(&q->held, c, &p) != 1)
		return 0;
	for (uint32_t i = 0; i < q->n_questions; i++)
		if (q->questions[i]->nonce == c->nonce && q->questions[i]->state == QUESTION_INCOMING) {
			question_ready(q, i, p);
			break;
		}
	return 0;
}

static int on_ring(void *arg, int fd, uint32_t events)
{
	struct quarantine *q = arg;

	ring_buffer__consume(q->ring);
	dispatch(q);
	return 0;
}

/* ---- all of it --------------------------------------------------------------------------------------------------------------- */

/* CPUs that this process may run on: with one alone the loader's wait and the guard would be in each other's way. */
static uint32_t cpus(void)
{
	cpu_set_t set;

	/* More CPUs than the set has room for are more than enough. */
	return sched_getaffinity(0, sizeof(set), &set) < 0 ? (errno == EINVAL ? CPU_SETSIZE : 1) : (uint32_t)CPU_COUNT(&set);
}

static void heartbeat(struct quarantine *q)
{
	const struct bw_hold_guard g = { .heartbeat_ns = now_ns(CLOCK_BOOTTIME), .cpus = cpus() };
	uint32_t zero = 0;

	if (bpf_map_update_elem(q->conf.guard, &zero, &g, BPF_ANY) < 0)
		q->stats.failures++;
}

void quarantine_tick(struct quarantine *q)
{
	uint64_t now = now_ns(CLOCK_BOOTTIME), mono = now_ns(CLOCK_MONOTONIC);

	ring_buffer__consume(q->ring);
	heartbeat(q);
	for (unsigned int i = 0; i < QUARANTINE_ANALYSTS; i++) {
		struct analyst_slot *s = &q->analysts[i];

		if (s->busy && now - s->since_ns > QUARANTINE_ANALYSIS_MS * 1000000ull)
			analyst_lost(s, "took too long");
		if (!s->worker.pid && mono >= s->again_ns && analyst_up(q, s) < 0)
			s->again_ns = mono + 1000000000ull;
	}
	for (uint32_t i = 0; i < q->n_questions;) {
		if (q->questions[i]->state == QUESTION_INCOMING &&
		    now - q->questions[i]->since_ns > QUARANTINE_QUESTION_MS * 1000000ull) {
			q->stats.dropped++;
			question_drop(q, i);
		} else {
			i++;
		}
	}
	dispatch(q);
}

void quarantine_stats(const struct quarantine *q, struct quarantine_stats *ret)
{
	*ret = q->stats;
	ret->open = q->n_questions;
	ret->programs = q->held.n;
	for (unsigned int i = 0; i < QUARANTINE_ANALYSTS; i++)
		ret->analysts += q->analysts[i].worker.pid != 0;
}

int quarantine_open(const struct quarantine_conf *conf, struct quarantine **ret)
{
	struct quarantine *q = calloc(1, sizeof(*q));
	int r;

	if (!q)
		return -ENOMEM;
	q->conf = *conf;
	for (unsigned int i = 0; i < QUARANTINE_ANALYSTS; i++) {
		q->analysts[i].q = q;
		q->analysts[i].worker = (struct privsep_worker)PRIVSEP_WORKER_NONE;
	}
	q->remembered = calloc(QUARANTINE_RESULTS, sizeof(*q->remembered));
	r = q->remembered ? held_programs_init(&q->held, QUARANTINE_PROGRAMS, QUARANTINE_BYTES) : -ENOMEM;
	/* Whoever waits for an answer has a CPU all to himself meanwhile: the answer must not have to queue. No harm if refused. */
	if (conf->urgent)
		setpriority(PRIO_PROCESS, 0, QUARANTINE_NICE);
	for (unsigned int i = 0; i < QUARANTINE_ANALYSTS && !r; i++)
		r = analyst_up(q, &q->analysts[i]);
	if (!r) {
		q->ring = ring_buffer__new(conf->ring, on_record, q, NULL);
		r = q->ring ? loop_add_fd(conf->loop, ring_buffer__epoll_fd(q->ring), EPOLLIN, on_ring, q, &q->ring_source) : -errno;
	}
	if (r < 0) {
		quarantine_close(q);
		return r;
	}
	heartbeat(q);
	*ret = q;
	return 0;
}

void quarantine_close(struct quarantine *q)
{
	char why[128];

	if (!q)
		return;
	loop_remove(q->ring_source);
	ring_buffer__free(q->ring);
	for (unsigned int i = 0; i < QUARANTINE_ANALYSTS; i++) {
		loop_remove(q->analysts[i].source);
		if (q->analysts[i].worker.pid)
			privsep_reap(&q->analysts[i].worker, true, now_ns(CLOCK_MONOTONIC), why, sizeof(why));
	}
	for (uint32_t i = 0; i < q->n_questions; i++)
		question_free(q->questions[i]);
	held_programs_free(&q->held);
	free(q->remembered);
	free(q);
}
