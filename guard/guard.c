// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/guard.h"

#include <bpf/libbpf.h>
#include <inttypes.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

#include "common/event_chain.h"
#include "common/json.h"
#include "common/log.h"
#include "guard/alert.h"
#include "guard/api/api.h"
#include "guard/canary.h"
#include "guard/cgroup.h"
#include "guard/control.h"
#include "guard/enforce.h"
#include "guard/lines.h"
#include "guard/loader.h"
#include "guard/loop.h"
#include "guard/repeat.h"
#include "guard/store.h"

#define SECOND 1000000000ULL
/* The ring buffers are looked at this often even when nobody was woken: bounds the delay, see docs/failure-modes.md. */
#define TICK_NS (SECOND / 5)
/* Whoever receives the events misses these when the guard is gone. */
#define HEARTBEAT_MINUTES 10

struct guard {
	const struct config *config;
	const struct bw_features *features;
	enum bw_tier tier;
	enum bw_mechanism mechanism;
	enum bw_mode mode; /* what is in force: observe in a tier that cannot refuse */
	char why_tier[400];

	struct loop *loop;
	struct loader *loader;
	struct enforce *enforce;
	struct ring_buffer *rings;
	struct store *store;
	struct lines *lines;
	struct control_ops control_ops;
	struct control *control;
	struct api *api; /* NULL: API visibility is off */
	struct cgroup_names *cgroups;

	struct alert_context context;
	char instance[17], host[65], boot_id[37];
	struct bw_buf line; /* of the event at hand */
	struct event_chain chain;
	struct decode_gaps gaps;
	struct bw_stats stats_before; /* counters at the last look */
	uint64_t misses_before;
	uint64_t received, undecodable, store_messages;
	uint64_t received_before; /* by the guard whose programs were taken over */
	uint64_t alerts;	   /* events that were or would have been refused */
	uint64_t ticks;
	struct repeat repeat;
	int canary_pid; /* the child that tried last */
	bool canary_failed;
	bool hooks_dead;
};

static int64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * (int64_t)SECOND + ts.tv_nsec;
}

/* ---- events out ----------------------------------------------------------------------------------------------------- */

/* Seals the event in g->line and hands it to everybody. */
static void publish(struct guard *g, struct alert *a)
{
	int r;

	g->line.max = ALERT_MAX_LINE + EVENT_CHAIN_ROOM;
	r = event_chain_seal(&g->chain, &g->line, a->seq);
	if (r < 0) {
		bw_err("event %" PRIu64 ": %s", a->seq, strerror(-r));
		return;
	}
	a->line = bw_buf_cstr(&g->line);
	a->line_len = g->line.len;
	store_add(g->store, a);
	if (g->lines)
		lines_write(g->lines, a->line, a->line_len);
	if (g->control)
		control_publish(g->control, a);
}

/* An event of the guard's own. */
static void say(struct guard *g, const char *event, enum alert_severity severity, const struct alert_kv *kv,
		const char *fmt, ...) __attribute__((format(printf, 5, 6)));

static void say(struct guard *g, const char *event, enum alert_severity severity, const struct alert_kv *kv,
		const char *fmt, ...)
{
	char message[1024];
	struct alert a;
	va_list ap;
	int r;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	bw_log(severity >= ALERT_HIGH ? BW_LOG_ERR : severity >= ALERT_LOW ? BW_LOG_WARNING : BW_LOG_INFO, "%s", message);
	r = alert_guard_event(&g->context, store_next_seq(g->store), clock_ns(CLOCK_REALTIME), event, severity, message,
			      kv, &g->line, &a);
	if (r < 0)
		bw_err("event %s: %s", event, strerror(-r));
	else
		publish(g, &a);
}

static void explain_rule(const struct enforce_policy *p, uint32_t rule, struct alert_detail *d)
{
	if (!p || rule >= p->policy->n_rules)
		return;
	d->policy_rule = p->policy->rules[rule].id;
	d->attack = p->policy->rules[rule].attack;
	d->n_attack = p->policy->rules[rule].n_attack;
}

/* Adds what only user space knows to a load. @entry is room for the id of the approval. */
static void explain_load(struct guard *g, const struct decode_load *load, struct alert_detail *d, char *entry,
			 size_t entry_len)
{
	const struct enforce_policy *p = enforce_policy(g->enforce, load->generation);

	if (p && load->entry != ~0u) {
		bw_policy_entry_id(p->policy, &p->image, load->entry, entry, entry_len);
		d->policy_entry = entry;
	}
	if (load->reason == BW_REASON_RULE)
		explain_rule(p, load->rule, d);
	if (!(load->load_flags & BW_LOAD_TARGET_ELSEWHERE))
		d->attach_target = enforce_btf_name(g->enforce, load->attach_btf_id);
	for (unsigned int i = 0; i < load->n_kfunc_ids; i++)
		d->kfuncs[i] = enforce_btf_name(g->enforce, load->kfunc_ids[i]);
}

/* libbpf calls this for each record; anything but 0 would stop the draining. */
static int on_record(void *arg, void *data, size_t size)
{
	struct guard *g = arg;
	struct decode_event event;
	struct alert_detail detail = { 0 };
	char entry[512];
	struct alert a;
	int r;

	g->received++;
	r = decode_record(data, size, &event);
	if (r < 0) {
		if (!g->undecodable++)
			bw_err("a record of %zu bytes from the kernel cannot be decoded (%s), ignoring it", size,
			       strerror(-r));
		return 0;
	}
	detail.event = &event;
	detail.seq = store_next_seq(g->store);
	detail.lost_before = decode_gaps_note(&g->gaps, event.cpu, event.cpu_seq);
	detail.cgroup = cgroup_name(g->cgroups, event.actor.cgroup_id);
	if (event.type == BW_EVENT_LOAD) {
		explain_load(g, &event.load, &detail, entry, sizeof(entry));
		detail.canary = g->canary_pid && event.actor.tgid == (uint32_t)g->canary_pid &&
				event.actor.ppid == (uint32_t)getpid();
		detail.repeat_of = repeat_find(&g->repeat, &event, detail.seq);
		g->alerts += event.load.action != BW_ACTION_ALLOWED && !detail.canary && !detail.repeat_of;
	}
	r = alert_event(&g->context, &detail, &g->line, &a);
	if (r < 0)
		bw_err("event %" PRIu64 ": %s", detail.seq, strerror(-r));
	else
		publish(g, &a);
	return 0;
}

/* ---- the policy ----------------------------------------------------------------------------------------------------- */

static const char *policy_path(const struct guard *g)
{
	struct stat st;

	if (g->config->policy)
		return g->config->policy;
	return stat(CONFIG_POLICY, &st) == 0 ? CONFIG_POLICY : CONFIG_POLICY_SHIPPED;
}

/* Is the policy one that can be read? So that a mistake is said before anything else is done. */
static int policy_check(struct guard *g, char *why, size_t why_len)
{
	_cleanup_policy_ struct bw_policy *p = NULL;
	struct bw_policy_error error;
	int r = bw_policy_read(policy_path(g), &p, &error);

	if (r < 0)
		bw_policy_error_format(&error, policy_path(g), why, why_len);
	return r;
}

/* Reads, compiles and swaps. On failure the running policy stays; one line in @why. */
static int policy_load(struct guard *g, enum bw_mode mode, char *why, size_t why_len)
{
	_cleanup_policy_ struct bw_policy *p = NULL;
	struct bw_policy_warnings w = { 0 };
	struct bw_policy_error error;
	const char *path = policy_path(g);
	int r;

	r = bw_policy_read(path, &p, &error);
	if (r < 0) {
		bw_policy_error_format(&error, path, why, why_len);
		return r;
	}
	bw_policy_review(p, &w);
	r = enforce_swap(g->enforce, p, mode, &w);
	if (r < 0) {
		snprintf(why, why_len, "%s: cannot be put into the kernel: %s", path, strerror(-r));
	} else {
		TAKE_PTR(p);
		g->mode = mode;
		g->context.mode = mode == BW_MODE_ENFORCE ? "enforce" : "observe";
		g->context.generation = enforce_running(g->enforce)->generation;
		for (uint32_t i = 0; i < w.n; i++)
			bw_warn("%s: %s", path, w.lines[i]);
	}
	bw_policy_warnings_free(&w);
	return r;
}

/* A load that must be refused, tried by a child. Says so when it is not. */
static void prove(struct guard *g)
{
	const struct enforce_policy *p = enforce_running(g->enforce);
	enum canary_result result;

	if (g->tier != BW_TIER_ENFORCE || g->mode != BW_MODE_ENFORCE || !p)
		return;
	result = canary_try(&p->image.conf, &g->canary_pid);
	if (result == CANARY_LOADED && !g->canary_failed)
		say(g, "not_enforcing", ALERT_CRITICAL, NULL,
		    "a load that the policy refuses went through: enforcement is not working");
	else if (result == CANARY_REFUSED && g->canary_failed)
		say(g, "enforcing_again", ALERT_HIGH, NULL, "a load that the policy refuses is refused again");
	if (result != CANARY_UNKNOWN)
		g->canary_failed = result == CANARY_LOADED;
}

static int on_hangup(struct guard *g)
{
	char why[1024] = "";
	int r;

	if (g->lines)
		lines_reopen(g->lines);
	r = policy_load(g, g->mode, why, sizeof(why));
	if (r < 0) {
		say(g, "policy_refused", ALERT_HIGH, (struct alert_kv[]){ ALERT_STR("file", policy_path(g)), { 0 } },
		    "%s; the running policy stays", why);
		return 0;
	}
	say(g, "policy_swapped", ALERT_INFO,
	    (struct alert_kv[]){ ALERT_STR("file", policy_path(g)),
				 ALERT_U64("programs", enforce_running(g->enforce)->policy->n_programs),
				 ALERT_U64("rules", enforce_running(g->enforce)->policy->n_rules),
				 { 0 } },
	    "policy %s is in force, generation %" PRIu64, policy_path(g), g->context.generation);
	prove(g);
	return 0;
}

/* ---- looking after everything ---------------------------------------------------------------------------------------- */

static void watch_counters(struct guard *g)
{
	static const struct {
		enum bw_stat stat;
		const char *what;
	} losses[] = {
		{ BW_STAT_LOST_RING, "records lost because a ring buffer was full" },
		{ BW_STAT_LOST_SCRATCH, "loads judged without a record because scratch memory was missing" },
		{ BW_STAT_LOST_CONTEXT, "calls whose arguments could not be kept" },
	};
	struct bw_stats now;
	uint64_t misses;

	if (loader_stats(g->loader, &now) < 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(losses); i++) {
		uint64_t n = now.v[losses[i].stat] - g->stats_before.v[losses[i].stat];

		if (n)
			say(g, "loss", ALERT_HIGH,
			    (struct alert_kv[]){ ALERT_STR("site", losses[i].what), ALERT_U64("lost", n),
						 ALERT_U64("lost_total", now.v[losses[i].stat]), { 0 } },
			    "%" PRIu64 " %s", n, losses[i].what);
	}
	g->stats_before = now;
	misses = loader_misses(g->loader);
	if (misses > g->misses_before)
		say(g, "hook_skipped", ALERT_CRITICAL,
		    (struct alert_kv[]){ ALERT_U64("skipped", misses - g->misses_before), { 0 } },
		    "the kernel skipped %" PRIu64 " calls of the guard's programs: they were running on the same CPU",
		    misses - g->misses_before);
	g->misses_before = misses;
}

static void watch_hooks(struct guard *g)
{
	bool alive = loader_alive(g->loader);

	if (!alive && !g->hooks_dead)
		say(g, "hooks_dead", ALERT_CRITICAL, NULL, "the kernel no longer calls the guard's programs");
	else if (alive && g->hooks_dead)
		say(g, "hooks_alive", ALERT_HIGH, NULL, "the kernel calls the guard's programs again");
	g->hooks_dead = !alive;
}

static void watch_store(struct guard *g)
{
	struct store_stats s;

	store_flush(g->store);
	store_stats(g->store, &s);
	if (s.messages != g->store_messages) {
		g->store_messages = s.messages;
		say(g, s.failing ? "store_failed" : "store_recovered", s.failing ? ALERT_HIGH : ALERT_LOW,
		    (struct alert_kv[]){ ALERT_U64("lost", s.lost), { 0 } }, "event store: %s", s.message);
	}
}

static int on_tick(void *arg, uint64_t expirations)
{
	struct guard *g = arg;

	ring_buffer__consume(g->rings);
	if (g->lines)
		lines_flush(g->lines);
	api_tick(g->api);
	g->ticks++;
	if (g->ticks % 5 == 0) { /* each second */
		watch_store(g);
		watch_counters(g);
		watch_hooks(g);
		store_maintain(g->store, clock_ns(CLOCK_REALTIME));
		g->context.boot_offset_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME);
	}
	if (g->ticks % (5 * 60) == 0) { /* each minute */
		prove(g);
		cgroup_names_forget(g->cgroups);
	}
	if (g->ticks % (5 * 60 * HEARTBEAT_MINUTES) == 0)
		say(g, "heartbeat", ALERT_INFO,
		    (struct alert_kv[]){ ALERT_U64("received", g->received + g->received_before), ALERT_U64("alerts", g->alerts),
					 ALERT_U64("lost_total", g->stats_before.v[BW_STAT_LOST_RING]), { 0 } },
		    "the guard runs; %" PRIu64 " events from the kernel so far", g->received + g->received_before);
	return 0;
}

static void on_api(void *arg, const char *event, enum alert_severity severity, uint64_t lost, const char *text)
{
	say(arg, event, severity, (struct alert_kv[]){ ALERT_U64("lost", lost), { 0 } }, "%s", text);
}

static int on_ring(void *arg, int fd, uint32_t events)
{
	struct guard *g = arg;

	ring_buffer__poll(g->rings, 0);
	return 0;
}

static int on_signal(void *arg, const struct signalfd_siginfo *si)
{
	struct guard *g = arg;

	if (si->ssi_signo == SIGHUP)
		return on_hangup(g);
	bw_info("received %s, draining", strsignal((int)si->ssi_signo));
	loop_quit(g->loop, 0);
	return 0;
}

/* ---- status --------------------------------------------------------------------------------------------------------- */

static int on_status(void *arg, struct bw_buf *out)
{
	static const char *const stat_names[BW_STAT_COUNT] = {
		"loads", "loads_denied", "loads_would_deny", "commands", "maps", "emitted", "lost_ring", "lost_scratch",
		"lost_context", "read_failed", "attaches", "canary",
	};
	struct guard *g = arg;
	const struct enforce_policy *p = enforce_running(g->enforce);
	struct bw_json j = { .buf = out };
	struct control_stats cs;
	struct bw_stats stats;
	struct store_stats ss;

	bw_json_open(&j, NULL, '{');
	bw_json_str(&j, "version", BW_VERSION);
	bw_json_u64(&j, "pid", (uint64_t)getpid());
	bw_json_str(&j, "tier", bw_tier_name(g->tier));
	bw_json_str(&j, "mechanism", g->tier == BW_TIER_WATCH ? "raw_tracepoint" : bw_mechanism_name(g->mechanism));
	bw_json_str(&j, "tier_reason", g->why_tier);
	bw_json_str(&j, "mode", g->context.mode);
	bw_json_str(&j, "identity",
		    g->tier == BW_TIER_WATCH			   ? "digest-user-memory" :
		    bw_feature(g->features, BW_FEATURE_LOAD_HOOK) ? "digest" : "tag-and-digest");
	bw_json_bool(&j, "adopted", loader_adopted(g->loader));
	bw_json_bool(&j, "hooks_alive", !g->hooks_dead);
	bw_json_bool(&j, "enforcing", g->tier == BW_TIER_ENFORCE && g->mode == BW_MODE_ENFORCE && !g->hooks_dead &&
					      !g->canary_failed);
	bw_json_str(&j, "policy", policy_path(g));
	bw_json_u64(&j, "policy_generation", g->context.generation);
	bw_json_u64(&j, "policy_programs", p ? p->policy->n_programs : 0);
	bw_json_u64(&j, "policy_rules", p ? p->policy->n_rules : 0);
	if (!loader_stats(g->loader, &stats))
		for (int i = 0; i < BW_STAT_COUNT; i++)
			bw_json_u64(&j, stat_names[i], stats.v[i]);
	bw_json_u64(&j, "hook_skipped", loader_misses(g->loader));
	bw_json_u64(&j, "received", g->received + g->received_before);
	bw_json_u64(&j, "undecodable", g->undecodable);
	bw_json_u64(&j, "alerts", g->alerts);
	store_stats(g->store, &ss);
	bw_json_u64(&j, "store_written", ss.written);
	bw_json_u64(&j, "store_queued", ss.queued);
	bw_json_u64(&j, "store_lost", ss.lost);
	bw_json_bool(&j, "store_failing", ss.failing);
	bw_json_u64(&j, "chain_seq", g->chain.seq);
	bw_json_hex(&j, "chain_head", g->chain.head, sizeof(g->chain.head));
	if (g->lines) {
		struct lines_stats ls;

		lines_stats(g->lines, &ls);
		bw_json_u64(&j, "output_written", ls.written);
		bw_json_u64(&j, "output_lost", ls.lost);
	}
	control_stats(g->control, &cs);
	bw_json_u64(&j, "followers", cs.followers);
	bw_json_u64(&j, "followers_dropped", cs.dropped);
	bw_json_open(&j, "api", '{');
	api_status(g->api, &j);
	bw_json_close(&j, '}');
	bw_json_close(&j, '}');
	return bw_buf_error(out);
}

static int on_query(void *arg, const struct event_store_query *q, event_store_row_fn fn, void *fn_arg)
{
	struct guard *g = arg;

	return store_query(g->store, q, fn, fn_arg);
}

/* ---- start and end ---------------------------------------------------------------------------------------------------- */

static int fail(int r, char *why, size_t why_len, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static int fail(int r, char *why, size_t why_len, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, why_len, fmt, ap);
	va_end(ap);
	return r;
}

static void describe_self(struct guard *g)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");
	uint64_t random = 0;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		random = (uint64_t)clock_ns(CLOCK_REALTIME);
	snprintf(g->instance, sizeof(g->instance), "%016" PRIx64, random);
	if (gethostname(g->host, sizeof(g->host) - 1) < 0)
		g->host[0] = 0;
	if (!f || fscanf(f, "%36s", g->boot_id) != 1)
		g->boot_id[0] = 0;
	g->context = (struct alert_context){
		.instance = g->instance,
		.host = g->host,
		.boot_id = g->boot_id[0] ? g->boot_id : NULL,
		.tier = bw_tier_name(g->tier),
		.mode = "observe",
		.boot_offset_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME),
	};
}

static int make_dir(const char *path)
{
	return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

/* Events of what an earlier guard left in the rings are consumed as usual; this says how long nobody was listening. */
static void report_restart(struct guard *g)
{
	struct store_stats ss;
	struct bw_stats now;
	int64_t gap;

	store_stats(g->store, &ss);
	if (!loader_adopted(g->loader))
		return;
	gap = ss.last_time_before ? clock_ns(CLOCK_REALTIME) - ss.last_time_before : 0;
	/* What waits in the rings has not been received by anybody; the rest of what was emitted has been. */
	ring_buffer__consume(g->rings);
	if (!loader_stats(g->loader, &now))
		g->received_before = now.v[BW_STAT_EMITTED] - g->received;
	say(g, "gap", ALERT_MEDIUM,
	    (struct alert_kv[]){ ALERT_I64("last_event_ns", ss.last_time_before), ALERT_U64("gap_ms", gap > 0 ? (uint64_t)gap / 1000000 : 0),
				 ALERT_U64("last_seq", ss.last_seq_before), ALERT_BOOL("unclean", ss.unclean),
				 ALERT_U64("loads_total", g->stats_before.v[BW_STAT_LOADS]),
				 ALERT_U64("lost_total", g->stats_before.v[BW_STAT_LOST_RING]), { 0 } },
	    "took over the programs of an earlier guard%s; nobody listened for %.3f s, the kernel went on judging%s",
	    ss.unclean ? " that did not end in order" : "", gap > 0 ? (double)gap / 1e9 : 0.0,
	    g->stats_before.v[BW_STAT_LOST_RING] ? ", and records were lost" : "");
}

static void report_baseline(struct guard *g)
{
	_cleanup_free_ struct enforce_baseline *list = NULL;
	size_t n = 0;
	int r;

	r = enforce_baseline(g->enforce, &list, &n);
	if (r < 0) {
		say(g, "baseline_failed", ALERT_HIGH, NULL, "cannot list the programs that are loaded: %s", strerror(-r));
		return;
	}
	for (size_t i = 0; i < n; i++) {
		char tag[2 * BW_TAG_LEN + 1];

		for (int k = 0; k < BW_TAG_LEN; k++)
			snprintf(tag + 2 * k, 3, "%02x", list[i].tag[k]);
		say(g, "baseline", ALERT_INFO,
		    (struct alert_kv[]){ ALERT_U64("baseline_prog_id", list[i].id), ALERT_STR("baseline_prog_name", list[i].name),
					 ALERT_U64("baseline_prog_type", list[i].type), ALERT_STR("baseline_tag", tag), { 0 } },
		    "program %u \"%s\" (tag %s) was there before the guard", list[i].id, list[i].name, tag);
	}
}

static int start_kernel_side(struct guard *g, char *why, size_t why_len)
{
	struct loader_config lc = {
		.features = g->features,
		.tier = g->tier,
		.mechanism = g->mechanism,
		.persistent = g->tier == BW_TIER_ENFORCE && g->config->mode == BW_MODE_ENFORCE &&
			      bw_feature(g->features, BW_FEATURE_BPFFS),
		.pin_dir = g->config->pin_dir ? g->config->pin_dir : LOADER_PIN_DIR,
	};
	int r;

	r = loader_open(&lc, &g->loader, why, why_len);
	if (r < 0)
		return r;
	r = enforce_open(g->loader, &g->enforce);
	if (r < 0)
		return fail(r, why, why_len, "reading the kernel's BTF: %s", strerror(-r));
	if (!bw_feature(g->features, BW_FEATURE_LOAD_HOOK) && g->tier == BW_TIER_ENFORCE) {
		r = enforce_helper_table(g->enforce);
		if (r < 0)
			bw_warn("helper addresses: %s; rules about helpers match approved programs only by name, ignoring",
				strerror(-r));
	}
	g->rings = ring_buffer__new(loader_map_fd(g->loader, LOADER_ALERTS), on_record, g, NULL);
	if (!g->rings)
		return fail(-errno, why, why_len, "opening the ring buffer: %s", strerror(errno));
	r = ring_buffer__add(g->rings, loader_map_fd(g->loader, LOADER_EVENTS), on_record, g);
	if (r < 0)
		return fail(r, why, why_len, "opening the ring buffer: %s", strerror(-r));
	return 0;
}

/* A guard with a state directory of its own has its socket there as well. @ret_copy is for taking apart. */
static int socket_path(const struct guard *g, char **ret, char **ret_copy)
{
	if (g->config->socket)
		*ret = strdup(g->config->socket);
	else if (g->config->state_dir && strcmp(g->config->state_dir, CONFIG_STATE_DIR)) {
		if (asprintf(ret, "%s/guard.sock", g->config->state_dir) < 0)
			*ret = NULL;
	} else
		*ret = strdup(CONFIG_SOCKET);
	*ret_copy = *ret ? strdup(*ret) : NULL;
	return *ret_copy ? 0 : -ENOMEM;
}

static int chain_row(void *arg, uint64_t seq, const char *json, int len)
{
	struct guard *g = arg;

	/* One of before there were chains: a new one begins. */
	event_chain_resume(&g->chain, json, (size_t)len);
	return 0;
}

static int start_outputs(struct guard *g, char *why, size_t why_len)
{
	const char *state = g->config->state_dir ? g->config->state_dir : CONFIG_STATE_DIR;
	_cleanup_free_ char *socket = NULL;
	_cleanup_free_ char *db = NULL, *dir = NULL;
	struct store_config sc = {
		.max_rows = g->config->retention_rows,
		.max_age_ns = (int64_t)g->config->retention_days * 86400 * (int64_t)SECOND,
	};
	char *slash;
	int r;

	r = socket_path(g, &socket, &dir);
	if (r < 0)
		return fail(r, why, why_len, "no memory");
	slash = strrchr(dir, '/');
	r = make_dir(state);
	if (r < 0)
		return fail(r, why, why_len, "%s: %s", state, strerror(-r));
	if (asprintf(&db, "%s/%s", state, EVENT_STORE_FILE) < 0) {
		db = NULL;
		return fail(-ENOMEM, why, why_len, "no memory");
	}
	sc.path = db;
	r = store_open(&sc, &g->store);
	if (r < 0)
		return fail(r, why, why_len, "%s: %s", db, strerror(-r));
	r = store_query(g->store, &(struct event_store_query){ .limit = 1 }, chain_row, g);
	if (r < 0)
		bw_warn("%s: the chain of events begins anew: %s, ignoring", db, strerror(-r));
	if (g->config->output) {
		r = lines_open(g->config->output, &g->lines);
		if (r < 0)
			return fail(r, why, why_len, "%s: %s", g->config->output, strerror(-r));
	}
	if (slash && slash != dir) {
		*slash = 0;
		r = make_dir(dir);
		if (r < 0)
			return fail(r, why, why_len, "%s: %s", dir, strerror(-r));
	}
	r = control_open(g->loop, socket, &g->control_ops, &g->control);
	if (r == -EADDRINUSE)
		return fail(r, why, why_len, "%s: another guard is running", socket);
	if (r < 0)
		return fail(r, why, why_len, "%s: %s", socket, strerror(-r));
	return 0;
}

static int start_loop(struct guard *g, char *why, size_t why_len)
{
	sigset_t signals;
	int r;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	r = loop_add_signals(g->loop, &signals, on_signal, g, NULL);
	if (!r)
		r = loop_add_fd(g->loop, ring_buffer__epoll_fd(g->rings), EPOLLIN, on_ring, g, NULL);
	if (!r)
		r = loop_add_timer(g->loop, TICK_NS, TICK_NS, on_tick, g, NULL);
	return r < 0 ? fail(r, why, why_len, "event loop: %s", strerror(-r)) : 0;
}

static void banner(struct guard *g)
{
	bool enforcing = g->mode == BW_MODE_ENFORCE;

	char by[40] = "", because[500] = "";

	if (g->tier == BW_TIER_ENFORCE)
		snprintf(by, sizeof(by), " by %s", bw_mechanism_name(g->mechanism));
	if (g->why_tier[0])
		snprintf(because, sizeof(because), ", because %s", g->why_tier);
	say(g, "start", ALERT_INFO,
	    (struct alert_kv[]){ ALERT_STR("guard_version", BW_VERSION),
				 ALERT_STR("mechanism", g->tier == BW_TIER_WATCH ? "raw_tracepoint" : bw_mechanism_name(g->mechanism)),
				 ALERT_STR("tier_reason", g->why_tier[0] ? g->why_tier : NULL),
				 ALERT_BOOL("adopted", loader_adopted(g->loader)), { 0 } },
	    "bpfwardend %s: %s tier%s%s; mode %s%s", BW_VERSION, bw_tier_name(g->tier), by, because, g->context.mode,
	    enforcing ? "" : ": loads are judged and reported, nothing is refused");
	if (g->tier != BW_TIER_ENFORCE && g->config->mode == BW_MODE_ENFORCE)
		say(g, "tier_degraded", ALERT_HIGH, NULL,
		    "mode enforce was asked for, but this host allows only the %s tier, because %s: loads are reported, not refused",
		    bw_tier_name(g->tier), g->why_tier);
	if (enforcing && !bw_feature(g->features, BW_FEATURE_BPFFS))
		say(g, "tier_degraded", ALERT_HIGH, NULL, "no BPF file system: enforcement ends when the guard ends");
	if (g->tier == BW_TIER_ENFORCE && !bw_feature(g->features, BW_FEATURE_LOAD_HOOK))
		say(g, "tier_degraded", ALERT_LOW, NULL,
		    "this kernel has no load hook (6.9): programs are identified by the kernel's 8-byte tag and a digest over user memory, which is weaker");
}

int guard_open(const struct config *config, const struct bw_features *features, struct guard **ret, char *why,
	       size_t why_len)
{
	struct guard *g = calloc(1, sizeof(*g));
	enum bw_mode mode = BW_MODE_OBSERVE;
	int r;

	if (!g)
		return fail(-ENOMEM, why, why_len, "no memory");
	g->config = config;
	g->features = features;
	g->line.max = ALERT_MAX_LINE;
	g->control_ops = (struct control_ops){ .status = on_status, .query = on_query, .arg = g };
	g->tier = bw_features_tier(features, &g->mechanism, g->why_tier, sizeof(g->why_tier));
	describe_self(g);
	if (g->tier == BW_TIER_AUDIT) {
		r = fail(-EPERM, why, why_len, "only static analysis works on this host, because %s", g->why_tier);
		goto out;
	}
	if (g->tier == BW_TIER_ENFORCE)
		mode = config->mode;
	r = loop_open(&g->loop);
	if (!r)
		r = decode_gaps_init(&g->gaps);
	if (!r)
		r = cgroup_names_open(&g->cgroups);
	if (r < 0) {
		fail(r, why, why_len, "%s", strerror(-r));
		goto out;
	}
	/* Everything that can fail for reasons of the configuration comes before the kernel is touched. */
	r = policy_check(g, why, why_len);
	if (!r)
		r = start_outputs(g, why, why_len);
	if (!r)
		r = start_kernel_side(g, why, why_len);
	if (r < 0)
		goto out;
	loader_stats(g->loader, &g->stats_before);
	g->misses_before = loader_misses(g->loader);
	/* Judging has begun, refusing has not: whatever was loaded up to here keeps working. */
	if (!loader_adopted(g->loader))
		report_baseline(g);
	r = policy_load(g, mode, why, why_len);
	if (r < 0)
		goto out;
	banner(g);
	report_restart(g);
	g->hooks_dead = false;
	watch_hooks(g);
	loader_remove_others(g->loader);
	if (mode == BW_MODE_ENFORCE) {
		say(g, "armed", ALERT_INFO, NULL, "armed: loads that the policy does not admit are refused");
		prove(g);
	}
	/* From here on the file says since when somebody listened. */
	store_flush(g->store);
	r = start_loop(g, why, why_len);
	if (!r && g->config->api.on)
		r = api_open(&g->config->api, g->config->state_dir, on_api, g, &g->api, why, why_len);
	if (r < 0)
		goto out;
	*ret = g;
	return 0;
out:
	guard_free(g);
	return r;
}

int guard_run(struct guard *g)
{
	int r = loop_run(g->loop);

	ring_buffer__consume(g->rings);
	watch_counters(g);
	say(g, "stop", ALERT_INFO, NULL, "stopped%s",
	    g->mode == BW_MODE_ENFORCE && bw_feature(g->features, BW_FEATURE_BPFFS) ?
		    "; the kernel goes on refusing (bpfwardend --disarm ends that)" : "");
	store_flush(g->store);
	return r;
}

void guard_free(struct guard *g)
{
	if (!g)
		return;
	api_close(g->api);
	control_close(g->control);
	ring_buffer__free(g->rings);
	enforce_free(g->enforce);
	loader_free(g->loader);
	lines_close(g->lines, NULL);
	store_close(g->store);
	cgroup_names_free(g->cgroups);
	decode_gaps_free(&g->gaps);
	loop_close(g->loop);
	bw_buf_free(&g->line);
	free(g);
}
