// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/worker.h"

#include <bpf/libbpf.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "common/api_store.h"
#include "common/event_chain.h"
#include "common/json.h"
#include "common/log.h"
#include "guard/alert.h"
#include "guard/canary.h"
#include "guard/cgroup.h"
#include "guard/config.h"
#include "guard/control.h"
#include "guard/drift.h"
#include "guard/exposed.h"
#include "guard/ledger.h"
#include "guard/lines.h"
#include "guard/loop.h"
#include "guard/policy_pack.h"
#include "guard/quarantine_event.h"
#include "guard/repeat.h"
#include "guard/requests.h"
#include "guard/sinks/spooler.h"
#include "guard/store.h"

#define SECOND 1000000000ULL
/* The ring buffers are looked at this often even when nobody was woken: bounds the delay, see docs/failure-modes.md. */
#define TICK_NS (SECOND / 5)
/* Whoever receives the events misses these when the guard is gone. */
#define HEARTBEAT_MINUTES 10
/* How long the worker waits to be told why a held program was decided about as it was. */
#define RESULT_MS 50

/* A policy whose verdicts can be explained. */
struct known_policy {
	uint64_t generation; /* 0: none */
	char path[4096];
	struct policy_release release;
	struct policy_names names;
};

struct worker {
	const struct worker_setup *setup;
	struct privsep_channels ch;
	struct loop *loop;
	struct ring_buffer *rings;
	struct store *store;
	struct spooler *spooler; /* NULL: there are no sinks */
	struct lines *lines;
	struct control_ops control_ops;
	struct control *control;
	struct cgroup_names *cgroups;

	struct alert_context context;
	struct known_policy now, before;
	struct bw_buf line; /* of the event at hand */
	struct event_chain chain;
	struct decode_gaps gaps;
	uint64_t received, undecodable, store_messages;
	uint64_t received_before; /* by those who read the rings before */
	uint64_t alerts;	   /* events that were or would have been refused */
	uint64_t ticks;
	struct repeat repeat;
	struct quarantine_result results[QUARANTINE_RESULTS]; /* mode protect: of the latest questions */
	uint64_t n_results;
	struct ledger *ledger;
	struct drift *drift;
	struct exposed *exposed;
	bool parent_gone;
	struct privsep_message message; /* large: not on the stack */
};

/* There is one, and it is made before the privileges go: the callbacks of the ring buffer need its address. */
static struct worker *worker;

static int64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * (int64_t)SECOND + ts.tv_nsec;
}

/* Asks the guard. Without it there is nothing to go on for. */
static int ask(struct worker *w, enum request request, const void *data, size_t len)
{
	int r = w->parent_gone ? -ENOTCONN :
				 privsep_ask(w->ch.requests, answer_forms, REQUEST_COUNT, request, data, len, &w->message);

	if (r < 0 && !w->parent_gone) {
		w->parent_gone = true;
		loop_quit(w->loop, r);
	}
	return r;
}

static int ask_status(struct worker *w, struct answer_status *ret)
{
	int r = ask(w, REQUEST_STATUS, NULL, 0);

	if (!r)
		memcpy(ret, w->message.data, sizeof(*ret));
	return r;
}

static int ask_cgroup(void *arg, uint64_t id, char *path, size_t len)
{
	struct worker *w = arg;
	int r = ask(w, REQUEST_CGROUP, &id, sizeof(id));

	if (r < 0)
		return r;
	if (!w->message.len || w->message.len >= len)
		return -ENOENT;
	memcpy(path, w->message.data, w->message.len);
	path[w->message.len] = 0;
	return 0;
}

/* ---- events out ----------------------------------------------------------------------------------------------------- */

/* Seals the event in w->line and hands it to everybody. */
static void publish(struct worker *w, struct alert *a)
{
	int r;

	w->line.max = ALERT_MAX_LINE + EVENT_CHAIN_ROOM;
	r = event_chain_seal(&w->chain, &w->line, a->seq);
	if (r < 0) {
		bw_err("event %" PRIu64 ": %s", a->seq, strerror(-r));
		return;
	}
	a->line = bw_buf_cstr(&w->line);
	a->line_len = w->line.len;
	store_add(w->store, a);
	spooler_publish(w->spooler, a);
	if (w->lines)
		lines_write(w->lines, a->line, a->line_len);
	if (w->control)
		control_publish(w->control, a);
}

static void publish_own(struct worker *w, int64_t time_ns, const char *event, enum alert_severity severity,
			const char *message, const struct alert_kv *kv)
{
	struct alert a;
	int r = alert_guard_event(&w->context, store_next_seq(w->store), time_ns, event, severity, message, kv, &w->line, &a);

	if (r < 0)
		bw_err("event %s: %s", event, strerror(-r));
	else
		publish(w, &a);
}

/* An event of the guard's own that this process knows of. */
static void say(struct worker *w, const char *event, enum alert_severity severity, const struct alert_kv *kv,
		const char *fmt, ...) __attribute__((format(printf, 5, 6)));

static void say(struct worker *w, const char *event, enum alert_severity severity, const struct alert_kv *kv,
		const char *fmt, ...)
{
	char message[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	bw_log(severity >= ALERT_HIGH ? BW_LOG_ERR : severity >= ALERT_LOW ? BW_LOG_WARNING : BW_LOG_INFO, "%s", message);
	publish_own(w, clock_ns(CLOCK_REALTIME), event, severity, message, kv);
}

/* ---- events in ------------------------------------------------------------------------------------------------------ */

static const struct known_policy *policy_of(const struct worker *w, uint64_t generation)
{
	if (!generation)
		return NULL;
	return w->now.generation == generation ? &w->now : w->before.generation == generation ? &w->before : NULL;
}

/* Adds what only user space knows to a load. */
static void explain_load(struct worker *w, const struct decode_load *load, struct alert_detail *d)
{
	const struct known_policy *p = policy_of(w, load->generation);

	if (p && load->entry != ~0u) {
		d->policy_entry = policy_names_entry(&p->names, load->entry);
		if (!d->policy_entry)
			d->policy_entry = "?";
	}
	if (p && load->reason == BW_REASON_RULE) {
		d->policy_rule = policy_names_rule(&p->names, load->rule);
		d->attack = policy_names_attack(&p->names, load->rule, &d->n_attack);
	}
	if (!(load->load_flags & BW_LOAD_TARGET_ELSEWHERE))
		d->attach_target = enforce_btf_name(w->setup->enforce, load->attach_btf_id);
	for (unsigned int i = 0; i < load->n_kfunc_ids; i++)
		d->kfuncs[i] = enforce_btf_name(w->setup->enforce, load->kfunc_ids[i]);
}

static void explain_attach(struct worker *w, const struct decode_attach *a, struct alert_detail *d)
{
	const struct known_policy *p = policy_of(w, a->generation);

	if (p && a->prog.known && a->prog.entry != ~0u)
		d->policy_entry = policy_names_entry(&p->names, a->prog.entry);
	if (p && a->reason == BW_REASON_RULE)
		d->policy_rule = policy_names_attach(&p->names, a->rule);
}

/* By the policy that judged; 0: none did. */
static uint64_t generation_of(const struct decode_event *e)
{
	return e->type == BW_EVENT_LOAD ? e->load.generation : e->type == BW_EVENT_ATTACH ? e->attach.generation : 0;
}

static int read_notes(struct worker *w);

/* Mode protect: what became of question @nonce. The guard answers first and tells then: it may take a moment. */
static const struct quarantine_result *find_result(struct worker *w, uint64_t nonce)
{
	for (int tries = 0; tries < 2; tries++) {
		struct pollfd p = { .fd = w->ch.notes, .events = POLLIN };

		for (uint64_t i = 0; i < QUARANTINE_RESULTS && i < w->n_results; i++)
			if (w->results[i].nonce == nonce)
				return &w->results[i];
		if (!tries)
			poll(&p, 1, RESULT_MS);
		read_notes(w);
	}
	return NULL;
}

/* libbpf calls this for each record; anything but 0 would stop the draining. */
static int on_record(void *arg, void *data, size_t size)
{
	struct worker *w = arg;
	struct decode_event event;
	struct alert_detail detail = { 0 };
	const struct quarantine_result *result = NULL;
	struct alert_analysis analysis;
	struct alert a;
	int r;

	w->received++;
	r = decode_record(data, size, &event);
	if (r < 0) {
		if (!w->undecodable++)
			bw_err("a record of %zu bytes from the kernel cannot be decoded (%s), ignoring it", size,
			       strerror(-r));
		return 0;
	}
	/* Judged by a policy that the guard has told of, but this process has not read of yet. */
	if (generation_of(&event) > w->now.generation)
		read_notes(w);
	detail.event = &event;
	detail.cgroup = cgroup_name(w->cgroups, event.actor.cgroup_id);
	detail.seq = store_next_seq(w->store);
	detail.lost_before = decode_gaps_note(&w->gaps, event.cpu, event.cpu_seq);
	ledger_look(w->ledger, &event, &detail);
	detail.exposure = exposed_look(w->exposed, &event, clock_ns(CLOCK_MONOTONIC));
	if (event.type == BW_EVENT_ATTACH) {
		explain_attach(w, &event.attach, &detail);
		w->alerts += event.attach.action != BW_ACTION_ALLOWED;
	} else if (event.type == BW_EVENT_EGRESS) {
		w->alerts++;
	} else if (event.type == BW_EVENT_LOAD) {
		explain_load(w, &event.load, &detail);
		if (event.load.hold == BW_HOLD_ANSWERED)
			result = find_result(w, event.load.nonce);
		if (result) {
			quarantine_describe(result, &analysis);
			detail.analysis = &analysis;
		}
		detail.canary = event.actor.ppid == (uint32_t)w->setup->guard && !strcmp(event.load.name, CANARY_NAME);
		detail.repeat_of = repeat_find(&w->repeat, &event, detail.seq);
		if (!detail.canary && !detail.repeat_of)
			drift_note(w->drift, &event.load, detail.policy_entry);
		w->alerts += event.load.action != BW_ACTION_ALLOWED && event.load.action != BW_ACTION_HELD && !detail.canary && !detail.repeat_of;
	}
	r = alert_event(&w->context, &detail, &w->line, &a);
	if (r < 0)
		bw_err("event %" PRIu64 ": %s", detail.seq, strerror(-r));
	else
		publish(w, &a);
	return 0;
}

static int on_ring(void *arg, int fd, uint32_t events)
{
	struct worker *w = arg;

	ring_buffer__poll(w->rings, 0);
	spooler_flush(w->spooler);
	return 0;
}

/* ---- looking after the outputs -------------------------------------------------------------------------------------- */

static void watch_store(struct worker *w)
{
	struct store_stats s;

	store_flush(w->store);
	store_stats(w->store, &s);
	if (s.messages != w->store_messages) {
		w->store_messages = s.messages;
		say(w, s.failing ? "store_failed" : "store_recovered", s.failing ? ALERT_HIGH : ALERT_LOW,
		    (struct alert_kv[]){ ALERT_U64("lost", s.lost), { 0 } }, "event store: %s", s.message);
	}
}

static void heartbeat(struct worker *w)
{
	struct answer_status status;

	if (ask_status(w, &status) < 0)
		return;
	say(w, "heartbeat", ALERT_INFO,
	    (struct alert_kv[]){ ALERT_U64("received", w->received + w->received_before), ALERT_U64("alerts", w->alerts),
				 ALERT_U64("lost_total", status.stats.v[BW_STAT_LOST_RING]), { 0 } },
	    "the guard runs; %" PRIu64 " events from the kernel so far", w->received + w->received_before);
}

/* What this host was found to be, for who looks at many: only when something has come up. */
static void report_drift(struct worker *w)
{
	char never[512], unapproved[512], digest[2 * sizeof(w->now.release.sha256) + 1];
	struct drift_counts c;

	if (!w->now.generation || !drift_changed(w->drift))
		return;
	drift_count(w->drift, &w->now.names, &c);
	drift_never_seen(w->drift, &w->now.names, never, sizeof(never));
	drift_unapproved(w->drift, unapproved, sizeof(unapproved));
	for (size_t i = 0; i < sizeof(w->now.release.sha256); i++)
		snprintf(digest + 2 * i, 3, "%02x", w->now.release.sha256[i]);
	say(w, "drift", ALERT_INFO,
	    (struct alert_kv[]){ ALERT_U64("policy_serial", w->now.release.serial), ALERT_STR("policy_sha256", digest), ALERT_U64("approved", c.approved),
				 ALERT_U64("never_seen", c.never_seen), ALERT_STR("never_seen_entries", never[0] ? never : NULL),
				 ALERT_U64("unapproved", c.unapproved), ALERT_STR("unapproved_digests", unapproved[0] ? unapproved : NULL),
				 ALERT_U64("digests", c.digests), ALERT_U64("forgotten", c.forgotten), { 0 } },
	    "%" PRIu64 " of %" PRIu64 " approvals were never used since the guard started; %" PRIu64 " programs came without one", c.never_seen, c.approved,
	    c.unapproved);
}

static int on_tick(void *arg, uint64_t expirations)
{
	struct worker *w = arg;

	ring_buffer__consume(w->rings);
	spooler_tick(w->spooler);
	if (w->lines)
		lines_flush(w->lines);
	w->ticks++;
	if (w->ticks % 5 == 0) { /* each second */
		watch_store(w);
		store_maintain(w->store, clock_ns(CLOCK_REALTIME));
		w->context.boot_offset_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME);
	}
	if (w->ticks % (5 * 60) == 0) /* each minute */
		cgroup_names_forget(w->cgroups);
	if (w->ticks % (5 * 60 * HEARTBEAT_MINUTES) == 0) {
		heartbeat(w);
		report_drift(w);
	}
	return 0;
}

/* ---- status --------------------------------------------------------------------------------------------------------- */

static int on_status(void *arg, struct bw_buf *out)
{
	static const char *const stat_names[BW_STAT_COUNT] = {
		"loads", "loads_denied", "loads_would_deny", "commands", "maps", "emitted", "lost_ring", "lost_scratch",
		"lost_context", "read_failed", "attaches", "held", "unanswered", "accesses", "egress", "lost_access", "canary", "tampers_denied",
		"lost_notes", "id_probes",
	};
	struct worker *w = arg;
	struct bw_json j = { .buf = out };
	struct answer_status status;
	struct control_stats cs;
	struct store_stats ss;
	bool enforce;
	int r = ask_status(w, &status);

	if (r < 0)
		return r;
	enforce = strcmp(w->context.mode, "observe") != 0;
	bw_json_open(&j, NULL, '{');
	bw_json_str(&j, "version", BW_VERSION);
	bw_json_u64(&j, "pid", (uint64_t)w->setup->guard);
	bw_json_u64(&j, "worker_pid", (uint64_t)getpid());
	bw_json_str(&j, "tier", bw_tier_name(w->setup->tier));
	bw_json_str(&j, "mechanism", w->setup->mechanism);
	bw_json_str(&j, "tier_reason", w->setup->tier_reason);
	bw_json_str(&j, "mode", w->context.mode);
	bw_json_str(&j, "identity", w->setup->identity);
	bw_json_bool(&j, "adopted", w->setup->adopted);
	bw_json_bool(&j, "hooks_alive", !status.hooks_dead);
	bw_json_bool(&j, "enforcing", w->setup->tier == BW_TIER_ENFORCE && enforce && !status.hooks_dead && !status.canary_failed);
	bw_json_str(&j, "policy", w->now.path);
	bw_json_u64(&j, "policy_generation", w->context.generation);
	if (w->now.release.serial)
		bw_json_u64(&j, "policy_serial", w->now.release.serial);
	if (w->now.release.expires)
		bw_json_i64(&j, "policy_expires", w->now.release.expires);
	bw_json_hex(&j, "policy_sha256", w->now.release.sha256, sizeof(w->now.release.sha256));
	if (w->now.release.trusted)
		bw_json_str(&j, "policy_signed_by", w->now.release.signers);
	bw_json_u64(&j, "policy_programs", w->now.names.n_programs);
	bw_json_u64(&j, "policy_rules", w->now.names.n_rules);
	for (int i = 0; i < BW_STAT_COUNT && status.stats_known; i++)
		bw_json_u64(&j, stat_names[i], status.stats.v[i]);
	bw_json_u64(&j, "hook_skipped", status.hook_skipped);
	bw_json_u64(&j, "received", w->received + w->received_before);
	bw_json_u64(&j, "undecodable", w->undecodable);
	bw_json_u64(&j, "ledger_forgotten", ledger_forgotten(w->ledger));
	bw_json_u64(&j, "alerts", w->alerts);
	store_stats(w->store, &ss);
	bw_json_u64(&j, "store_written", ss.written);
	bw_json_u64(&j, "store_queued", ss.queued);
	bw_json_u64(&j, "store_lost", ss.lost);
	bw_json_bool(&j, "store_failing", ss.failing);
	bw_json_u64(&j, "chain_seq", w->chain.seq);
	bw_json_hex(&j, "chain_head", w->chain.head, sizeof(w->chain.head));
	if (w->lines) {
		struct lines_stats ls;

		lines_stats(w->lines, &ls);
		bw_json_u64(&j, "output_written", ls.written);
		bw_json_u64(&j, "output_lost", ls.lost);
	}
	bw_json_open(&j, "drift", '{');
	drift_status(w->drift, &w->now.names, &j);
	bw_json_close(&j, '}');
	if (status.quarantine_known)
		quarantine_status(&status.quarantine, &j);
	spooler_status(w->spooler, &j);
	control_stats(w->control, &cs);
	bw_json_u64(&j, "followers", cs.followers);
	bw_json_u64(&j, "followers_dropped", cs.dropped);
	r = ask(w, REQUEST_API, NULL, 0);
	if (r < 0)
		return r;
	bw_json_raw(&j, "api", w->message.data, w->message.len);
	bw_json_close(&j, '}');
	return bw_buf_error(out);
}

/* It goes the way of all events; only the sink that it names wants it. */
static int on_sink_test(void *arg, const char *name, struct bw_json *j)
{
	struct worker *w = arg;
	uint64_t before = spooler_last(w->spooler);
	char message[100];

	if (!spooler_has_sink(w->spooler, name))
		return -ENOENT;
	snprintf(message, sizeof(message), "a test of the sink %s: nothing happened", name);
	publish_own(w, clock_ns(CLOCK_REALTIME), "sink_test", ALERT_INFO, message, (struct alert_kv[]){ ALERT_STR("sink", name), { 0 } });
	spooler_flush(w->spooler);
	if (spooler_last(w->spooler) == before)
		return -EIO;
	bw_json_u64(j, "number", spooler_last(w->spooler));
	bw_json_u64(j, "seq", w->chain.seq);
	return 0;
}

static int on_query(void *arg, const struct event_store_query *q, event_store_row_fn fn, void *fn_arg)
{
	struct worker *w = arg;

	return store_query(w->store, q, fn, fn_arg);
}

static void on_report(void *arg, const char *event, const char *message, enum alert_severity severity, const struct alert_kv *kv)
{
	publish_own(arg, clock_ns(CLOCK_REALTIME), event, severity, message, kv);
}

/* ---- what the guard tells ------------------------------------------------------------------------------------------- */

/* What is in the memory file of a note, with a NUL behind it. */
static int read_note_fd(int fd, off_t max, char **ret, size_t *ret_len)
{
	_cleanup_free_ char *bytes = NULL;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size < 0 || st.st_size > max)
		return -EBADMSG;
	bytes = malloc((size_t)st.st_size + 1);
	if (!bytes)
		return -ENOMEM;
	for (off_t at = 0; at < st.st_size;) {
		ssize_t got = pread(fd, bytes + at, (size_t)(st.st_size - at), at);

		if (got <= 0)
			return got < 0 ? -errno : -EBADMSG;
		at += got;
	}
	bytes[st.st_size] = '\0';
	*ret_len = (size_t)st.st_size;
	*ret = TAKE_PTR(bytes);
	return 0;
}

static int take_policy(struct worker *w, const struct privsep_message *m)
{
	_cleanup_free_ char *bytes = NULL;
	struct known_policy p = { 0 };
	struct note_policy n;
	size_t len;
	int r;

	memcpy(&n, m->data, sizeof(n));
	snprintf(p.path, sizeof(p.path), "%.*s", (int)(m->len - sizeof(n)), m->data + sizeof(n));
	p.generation = n.generation;
	p.release = n.release;
	if (!policy_release_fits(&n.release))
		return -EBADMSG;
	r = read_note_fd(m->fd, POLICY_PACK_MAX, &bytes, &len);
	if (r < 0)
		return r;
	r = policy_names_unpack(bw_slice(bytes, len), &p.names);
	if (r < 0)
		return r;
	policy_names_free(&w->before.names);
	w->before = w->now;
	w->now = p;
	w->context.mode = config_mode_name((enum bw_mode)n.mode);
	w->context.generation = n.generation;
	return 0;
}

static int take_noise(struct worker *w, int fd)
{
	_cleanup_free_ char *text = NULL;
	struct noise_config c = { 0 };
	size_t len = 0;
	int r = read_note_fd(fd, CONFIG_MAX_SIZE, &text, &len);

	if (!r)
		r = noise_config_text(text, len, &c);
	if (!r)
		r = spooler_set_noise(w->spooler, &c);
	noise_config_free(&c);
	if (r < 0)
		bw_err("settings of noise control: %s, the old ones stay", strerror(-r));
	return 0;
}

static int take_output(struct worker *w, int fd)
{
	int r = w->lines ? lines_replace(w->lines, fd) : lines_open(fd, &w->lines);

	if (r < 0)
		close(fd);
	return 0; /* the old one goes on */
}

static void take_say(struct worker *w, const struct privsep_message *m)
{
	struct say s;

	if (say_unpack(bw_slice(m->data, m->len), &s) < 0)
		bw_err("an event of the guard's own cannot be read, ignoring it");
	else
		publish_own(w, s.time_ns, s.event, s.severity, s.message, s.kv);
}

/* Events of what others left in the rings are consumed as usual; this says how long nobody was listening. */
static void resume(struct worker *w, const struct privsep_message *m)
{
	struct answer_status status;
	struct note_resume n;
	struct store_stats ss;
	int64_t gap;

	memcpy(&n, m->data, sizeof(n));
	/* What waits in the rings has not been received by anybody; the rest of what was emitted has been. */
	ring_buffer__consume(w->rings);
	if (!ask_status(w, &status) && status.stats_known)
		w->received_before = status.stats.v[BW_STAT_EMITTED] - w->received;
	if (!n.adopted)
		return;
	store_stats(w->store, &ss);
	gap = ss.last_time_before ? clock_ns(CLOCK_REALTIME) - ss.last_time_before : 0;
	say(w, "gap", ALERT_MEDIUM,
	    (struct alert_kv[]){ ALERT_I64("last_event_ns", ss.last_time_before), ALERT_U64("gap_ms", gap > 0 ? (uint64_t)gap / 1000000 : 0),
				 ALERT_U64("last_seq", ss.last_seq_before), ALERT_BOOL("unclean", ss.unclean),
				 ALERT_U64("loads_total", n.stats.v[BW_STAT_LOADS]),
				 ALERT_U64("lost_total", n.stats.v[BW_STAT_LOST_RING]), { 0 } },
	    "took over the programs of an earlier guard%s; nobody listened for %.3f s, the kernel went on judging%s",
	    ss.unclean ? " that did not end in order" : "", gap > 0 ? (double)gap / 1e9 : 0.0,
	    n.stats.v[BW_STAT_LOST_RING] ? ", and records were lost" : "");
}

static int go(struct worker *w)
{
	int r;

	/* From here on the file says since when somebody listened. */
	store_flush(w->store);
	r = control_open(w->loop, w->setup->listening, &w->control_ops, &w->control);
	if (!r)
		r = loop_add_fd(w->loop, ring_buffer__epoll_fd(w->rings), EPOLLIN, on_ring, w, NULL);
	if (!r)
		r = loop_add_timer(w->loop, TICK_NS, TICK_NS, on_tick, w, NULL);
	return r;
}

static int take_note(struct worker *w, struct privsep_message *m)
{
	int r = 0;

	switch ((enum note)m->type) {
	case NOTE_SAY:
		take_say(w, m);
		break;
	case NOTE_POLICY:
		r = take_policy(w, m);
		break;
	case NOTE_OUTPUT:
		return take_output(w, TAKE_FD(m->fd));
	case NOTE_NOISE:
		r = take_noise(w, m->fd);
		break;
	case NOTE_RESUME:
		resume(w, m);
		break;
	case NOTE_RESULT:
		memcpy(&w->results[w->n_results++ % QUARANTINE_RESULTS], m->data, sizeof(w->results[0]));
		break;
	case NOTE_GO:
		r = go(w);
		break;
	case NOTE_DRAIN:
		ring_buffer__consume(w->rings);
		report_drift(w);
		break;
	case NOTE_STOP:
		loop_quit(w->loop, 0);
		break;
	case NOTE_COUNT:
		break;
	}
	if (m->fd >= 0)
		close(TAKE_FD(m->fd));
	return r;
}

/* All that are there. Not into w->message: what one of them leads to may ask something. */
static int read_notes(struct worker *w)
{
	static struct privsep_message m;
	static bool reading;
	int r = 0;

	/* From a record that a note has had read. */
	if (reading)
		return 0;
	reading = true;
	while (!r) {
		r = privsep_recv(w->ch.notes, note_forms, NOTE_COUNT, &m, false);
		if (!r)
			r = take_note(w, &m);
	}
	reading = false;
	if (r == -ENOTCONN)
		w->parent_gone = true;
	return r == -EAGAIN ? 0 : r;
}

static int on_notes(void *arg, int fd, uint32_t events)
{
	return read_notes(arg);
}

/* ---- start and end ---------------------------------------------------------------------------------------------------- */

const struct privsep_profile worker_profile = { .name = "core", .calls = BW_CALLS_FILES | BW_CALLS_EVENTS };

int worker_prepare(void *arg)
{
	const struct worker_setup *s = arg;
	struct worker *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->setup = s;
	w->rings = ring_buffer__new(s->alerts, on_record, w, NULL);
	if (!w->rings || ring_buffer__add(w->rings, s->events, on_record, w) < 0)
		return -EIO;
	worker = w;
	return 0;
}

static int chain_row(void *arg, uint64_t seq, const char *json, int len)
{
	struct worker *w = arg;

	/* One of before there were chains: a new one begins. */
	event_chain_resume(&w->chain, json, (size_t)len);
	return 0;
}

static int open_store(struct worker *w)
{
	const struct store_config sc = {
		.path = "/" EVENT_STORE_FILE, /* the state directory is all there is */
		.name = w->setup->store_name,
		.max_rows = w->setup->retention_rows,
		.max_age_ns = (int64_t)w->setup->retention_days * 86400 * (int64_t)SECOND,
	};
	int r = store_open(&sc, &w->store);

	if (r < 0)
		return r;
	r = store_query(w->store, &(struct event_store_query){ .limit = 1 }, chain_row, w);
	if (r < 0)
		bw_warn("%s: the chain of events begins anew: %s, ignoring", sc.name, strerror(-r));
	return 0;
}

static void on_spool(void *arg, const char *event, enum alert_severity severity, const struct alert_kv *kv, const char *text)
{
	/* What it is about was reported when it happened. */
	if (!strcmp(event, "summary"))
		publish_own(arg, clock_ns(CLOCK_REALTIME), event, severity, text, kv);
	else
		say(arg, event, severity, kv, "%s", text);
}

static int start(struct worker *w)
{
	int r = loop_open(&w->loop);

	if (!r)
		r = decode_gaps_init(&w->gaps);
	if (!r)
		r = cgroup_names_open(ask_cgroup, w, &w->cgroups);
	if (!r)
		r = ledger_new(&w->setup->namespaces, &w->ledger);
	if (!r)
		r = drift_new(&w->drift);
	if (!r)
		r = exposed_new("/" API_STORE_FILE, &w->exposed);
	if (!r)
		r = open_store(w);
	if (!r && w->setup->sinks)
		r = spooler_open(w->setup->sinks, "", on_spool, w, &w->spooler);
	if (!r && w->setup->output >= 0)
		r = lines_open(w->setup->output, &w->lines);
	if (!r)
		r = loop_add_fd(w->loop, w->ch.notes, EPOLLIN, on_notes, w, NULL);
	if (!r)
		r = privsep_send(w->ch.requests, REQUEST_READY, NULL, 0, -1, true);
	return r;
}

int worker_run(void *arg, const struct privsep_channels *ch)
{
	struct worker *w = worker;
	int r;

	w->ch = *ch;
	w->context = w->setup->context;
	w->line.max = ALERT_MAX_LINE;
	w->control_ops = (struct control_ops){ .status = on_status, .query = on_query, .sink_test = on_sink_test, .report = on_report, .arg = w };
	r = start(w);
	if (!r)
		r = loop_run(w->loop);
	if (r < 0) {
		/* Not in order, and the store is not to say that it was. */
		if (!w->parent_gone)
			bw_err("the worker: %s", strerror(-r));
		if (w->store)
			store_flush(w->store);
		spooler_flush(w->spooler);
		return r;
	}
	spooler_finish(w->spooler);
	control_close(w->control);
	spooler_close(w->spooler);
	lines_close(w->lines, NULL);
	store_close(w->store);
	return 0;
}
