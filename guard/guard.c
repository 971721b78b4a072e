// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/guard.h"

#include <inttypes.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

#include "common/caps.h"
#include "common/log.h"
#include "common/sandbox_lock.h"
#include "guard/alert.h"
#include "guard/analysis.h"
#include "guard/api/api.h"
#include "guard/canary.h"
#include "guard/cgroup.h"
#include "guard/control.h"
#include "guard/enforce.h"
#include "guard/fail.h"
#include "guard/lines.h"
#include "guard/loader.h"
#include "guard/loop.h"
#include "guard/notify.h"
#include "guard/policies.h"
#include "guard/settings.h"
#include "guard/sinks/delivery.h"
#include "guard/state.h"
#include "guard/supervisor.h"
#include "guard/worker.h"

#define SECOND 1000000000ULL
#define TICKS_A_SECOND 5

enum { KEPT_ALERTS, KEPT_EVENTS, KEPT_LISTENING, KEPT_OUTPUT, KEPT };

struct guard {
	const struct config *config;
	const struct bw_features *features;
	enum bw_tier tier;
	enum bw_mechanism mechanism;
	enum bw_mode mode; /* what is in force: observe in a tier that cannot refuse */
	char why_tier[400];
	char instance[17], host[65], boot_id[37];

	struct loop *loop;
	struct loader *loader;
	struct enforce *enforce;
	int state_dir, cgroups;
	struct control_socket socket;
	char *store_name, *socket_name;

	struct worker_setup setup;
	struct privsep_job job;
	int kept[KEPT]; /* descriptors of the worker */
	struct supervisor_ops ops;
	struct api *api; /* NULL: API visibility is off */
	struct supervisor *supervisor;
	struct analysis analysis;
	struct policies_ops policies_ops;
	struct policies *policies;
	struct delivery *delivery; /* NULL: there are no sinks */
	struct settings settings; /* what of the configuration is read again */

	struct bw_stats stats_before; /* counters at the last look */
	uint64_t misses_before;
	uint64_t ticks;
	struct notify notify; /* the service manager */
	uint64_t last_sign_ns; /* when it was last told that the guard lives */
	bool canary_failed;
	bool hooks_dead;
};

static int64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * (int64_t)SECOND + ts.tv_nsec;
}

/* An event of the guard's own: the worker numbers and publishes it. */
static void say(struct guard *g, const char *event, enum alert_severity severity, const struct alert_kv *kv,
		const char *fmt, ...) __attribute__((format(printf, 5, 6)));

static void say(struct guard *g, const char *event, enum alert_severity severity, const struct alert_kv *kv,
		const char *fmt, ...)
{
	char message[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	bw_log(severity >= ALERT_HIGH ? BW_LOG_ERR : severity >= ALERT_LOW ? BW_LOG_WARNING : BW_LOG_INFO, "%s", message);
	supervisor_say(g->supervisor, &(struct say){ clock_ns(CLOCK_REALTIME), severity, event, message, { { 0 } } }, kv);
}

/* ---- the worker ------------------------------------------------------------------------------------------------------- */

static void on_status(void *arg, struct answer_status *ret)
{
	struct guard *g = arg;

	*ret = (struct answer_status){ .hooks_dead = g->hooks_dead, .canary_failed = g->canary_failed };
	ret->stats_known = loader_stats(g->loader, &ret->stats) == 0;
	ret->hook_skipped = loader_misses(g->loader);
	ret->quarantine_known = g->analysis.quarantine != NULL;
	if (g->analysis.quarantine)
		quarantine_stats(g->analysis.quarantine, &ret->quarantine);
}

static int on_cgroup(void *arg, uint64_t id, char *path, size_t len)
{
	struct guard *g = arg;

	return g->cgroups < 0 ? -ENOENT : cgroup_path(g->cgroups, id, path, len);
}

static void on_api_status(void *arg, struct bw_json *j)
{
	struct guard *g = arg;

	api_status(g->api, j);
}

static void on_api(void *arg, const char *event, enum alert_severity severity, uint64_t lost, const char *text)
{
	say(arg, event, severity, (struct alert_kv[]){ ALERT_U64("lost", lost), { 0 } }, "%s", text);
}

static void on_delivery(void *arg, const char *event, enum alert_severity severity, const char *sink, uint64_t n, const char *text)
{
	say(arg, event, severity, (struct alert_kv[]){ ALERT_U64("n", n), ALERT_STR("sink", sink), { 0 } }, "%s", text);
}

/* The kernel goes on judging; the ring buffers keep what there is to report. */
static void on_died(void *arg, const char *reason, uint64_t restart_ns)
{
	struct guard *g = arg;

	say(g, "worker_died", ALERT_CRITICAL,
	    (struct alert_kv[]){ ALERT_STR("reason", reason), ALERT_U64("restart_ms", restart_ns / 1000000), { 0 } },
	    "the worker %s; what is refused stays refused", reason);
}

static void on_restarted(void *arg, uint64_t lost)
{
	struct guard *g = arg;

	say(g, "worker_restarted", ALERT_HIGH, (struct alert_kv[]){ ALERT_U64("lost", lost), { 0 } }, "the worker was started again");
}

/* ---- the policy ----------------------------------------------------------------------------------------------------- */

static const struct btf *on_policy_btf(void *arg)
{
	const struct guard *g = arg;

	return enforce_btf(g->enforce);
}

static void on_policy_say(void *arg, const char *event, enum alert_severity severity, const struct alert_kv *kv, const char *text)
{
	say(arg, event, severity, kv, "%s", text);
}

static void log_warnings(const char *path, const struct policy_pack *p)
{
	struct bw_slice lines = p->warnings;

	for (uint32_t i = 0; i < p->n_warnings; i++)
		bw_warn("%s: %s", path, policy_pack_string(&lines));
}

static int on_policy_install(void *arg, const struct policy_loaded *p, const char *name, char *why, size_t why_len)
{
	struct told_policy told = TOLD_POLICY_NONE;
	struct guard *g = arg;
	int r = told_policy_make(&told, name, &p->pack.names);

	told.mode = g->mode;
	told.release = p->pack.release;
	if (!r)
		r = enforce_swap(g->enforce, &p->pack.image, g->mode);
	if (r < 0) {
		snprintf(why, why_len, "%s: cannot be put into the kernel: %s", name, strerror(-r));
		told_policy_free(&told);
		return r;
	}
	told.generation = enforce_running(g->enforce)->generation;
	g->analysis.protect = p->pack.protect;
	supervisor_tell_policy(g->supervisor, &told);
	log_warnings(name, &p->pack);
	return 0;
}

/* A load that must be refused, tried by a child. Says so when it is not. */
static void prove(struct guard *g)
{
	const struct bw_policy_conf *p = enforce_running(g->enforce);
	enum canary_result result;

	if (g->tier != BW_TIER_ENFORCE || g->mode == BW_MODE_OBSERVE || !p)
		return;
	result = canary_try(p);
	if (result == CANARY_LOADED && !g->canary_failed)
		say(g, "not_enforcing", ALERT_CRITICAL, NULL,
		    "a load that the policy refuses went through: enforcement is not working");
	else if (result == CANARY_REFUSED && g->canary_failed)
		say(g, "enforcing_again", ALERT_HIGH, NULL, "a load that the policy refuses is refused again");
	if (result != CANARY_UNKNOWN)
		g->canary_failed = result == CANARY_LOADED;
}

static void on_policy_swapped(void *arg)
{
	struct guard *g = arg;

	if (loader_note_files(g->loader, &(struct loader_files){ .policy = policies_path(g->policies) }) < 0)
		bw_warn("changes of the policy's file are not seen, ignoring");
	analysis_policy(&g->analysis);
	prove(g);
}

static void reopen_output(struct guard *g)
{
	const char *path = g->config->output;
	int fd;

	if (!path || !strcmp(path, "-"))
		return;
	fd = lines_target(path);
	if (fd < 0) {
		bw_warn("%s: %s, the old one stays in use", path, strerror(-fd));
		return;
	}
	supervisor_note(g->supervisor, NOTE_OUTPUT, NULL, 0, fd);
	close(g->setup.output);
	g->setup.output = g->kept[KEPT_OUTPUT] = fd; /* for the next worker */
}

static void say_setting(void *arg, const char *event, enum alert_severity severity, const char *file, const char *text)
{
	say(arg, event, severity, (struct alert_kv[]){ ALERT_STR("file", file), { 0 } }, "%s", text);
}

static void on_hangup(struct guard *g)
{
	_cleanup_close_ int noise = settings_reload(&g->settings, say_setting, g);

	reopen_output(g);
	if (noise >= 0)
		supervisor_note(g->supervisor, NOTE_NOISE, NULL, 0, noise);
	delivery_reload(g->delivery);
	policies_reload(g->policies);
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
		{ BW_STAT_LOST_ACCESS, "uses of maps that could not be remembered" },
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

static int on_tick(void *arg, uint64_t expirations)
{
	struct guard *g = arg;

	api_tick(g->api);
	if (g->analysis.quarantine)
		quarantine_tick(g->analysis.quarantine);
	delivery_tick(g->delivery);
	policies_tick(g->policies);
	g->ticks++;
	if (notify_due(&g->notify, g->last_sign_ns, (uint64_t)clock_ns(CLOCK_BOOTTIME))) {
		g->last_sign_ns = (uint64_t)clock_ns(CLOCK_BOOTTIME);
		notify_send(&g->notify, "WATCHDOG=1");
	}
	if (g->ticks % TICKS_A_SECOND == 0) {
		watch_counters(g);
		watch_hooks(g);
	}
	if (g->ticks % (TICKS_A_SECOND * 60) == 0)
		prove(g);
	return 0;
}

static int on_signal(void *arg, const struct signalfd_siginfo *si)
{
	struct guard *g = arg;

	if (si->ssi_signo == SIGHUP) {
		char reloading[64];

		snprintf(reloading, sizeof(reloading), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, (uint64_t)clock_ns(CLOCK_MONOTONIC) / 1000);
		notify_send(&g->notify, reloading);
		on_hangup(g);
		notify_send(&g->notify, "READY=1");
	} else if (si->ssi_signo == SIGCHLD) {
		supervisor_reap(g->supervisor); /* or a child of another kind, whose maker waits for it */
	} else {
		bw_info("received %s, draining", strsignal((int)si->ssi_signo));
		loop_quit(g->loop, 0);
	}
	return 0;
}

/* ---- start and end ---------------------------------------------------------------------------------------------------- */

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
	g->setup.context = (struct alert_context){
		.instance = g->instance,
		.host = g->host,
		.boot_id = g->boot_id[0] ? g->boot_id : NULL,
		.tier = bw_tier_name(g->tier),
		.mode = "observe",
		.boot_offset_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME),
	};
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

static uint32_t own_namespace(const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 ? 0 : (uint32_t)st.st_ino;
}

static int start_kernel_side(struct guard *g, char *why, size_t why_len)
{
	struct loader_config lc = {
		.features = g->features,
		.tier = g->tier,
		.mechanism = g->mechanism,
		.persistent = g->tier == BW_TIER_ENFORCE && g->config->mode != BW_MODE_OBSERVE &&
			      bw_feature(g->features, BW_FEATURE_BPFFS),
		.pin_dir = g->config->pin_dir ? g->config->pin_dir : LOADER_PIN_DIR,
		.protect = g->config->protect_self,
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
	g->setup.alerts = g->kept[KEPT_ALERTS] = loader_map_fd(g->loader, LOADER_ALERTS);
	g->setup.events = g->kept[KEPT_EVENTS] = loader_map_fd(g->loader, LOADER_EVENTS);
	return 0;
}

static void on_result(void *arg, const struct quarantine_result *r)
{
	struct guard *g = arg;

	supervisor_note(g->supervisor, NOTE_RESULT, r, sizeof(*r), -1);
}

static void on_analysis_event(void *arg, const char *event, enum alert_severity severity, const struct alert_kv *kv, const char *message)
{
	say(arg, event, severity, kv, "%s", message);
}

static int start_analysis(struct guard *g, char *why, size_t why_len)
{
	return analysis_start(&g->analysis,
			      &(struct analysis_conf){
				      .loop = g->loop,
				      .loader = g->loader,
				      .enforce = g->enforce,
				      .possible = bw_feature(g->features, BW_FEATURE_LOAD_HOOK) && g->tier == BW_TIER_ENFORCE,
				      .mode = g->mode,
				      .uid = g->job.uid,
				      .gid = g->job.gid,
				      .say = on_analysis_event,
				      .result = on_result,
				      .arg = g,
			      },
			      why, why_len);
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

static int start_outputs(struct guard *g, char *why, size_t why_len)
{
	const char *state = g->config->state_dir ? g->config->state_dir : CONFIG_STATE_DIR;
	_cleanup_free_ char *socket = NULL, *dir = NULL;
	char *slash;
	int r;

	r = socket_path(g, &socket, &dir);
	if (r < 0)
		return fail(r, why, why_len, "no memory");
	slash = strrchr(dir, '/');
	privsep_user(&g->job.uid, &g->job.gid);
	g->state_dir = g->job.root = state_open(state, g->job.uid, why, why_len);
	if (g->state_dir < 0)
		return g->state_dir;
	if (asprintf(&g->store_name, "%s/%s", state, EVENT_STORE_FILE) < 0) {
		g->store_name = NULL;
		return fail(-ENOMEM, why, why_len, "no memory");
	}
	g->setup.store_name = g->store_name;
	if (g->config->sinks.n) {
		g->setup.sinks = &g->settings.sinks;
		r = delivery_open(&g->config->sinks, g->state_dir, on_delivery, g, &g->delivery, why, why_len);
		if (r < 0)
			return r;
	}
	if (g->config->output) {
		r = lines_target(g->config->output);
		if (r < 0)
			return fail(r, why, why_len, "%s: %s", g->config->output, strerror(-r));
		g->setup.output = g->kept[KEPT_OUTPUT] = r;
	}
	if (slash && slash != dir) {
		*slash = 0;
		if (mkdir(dir, 0700) < 0 && errno != EEXIST)
			return fail(-errno, why, why_len, "%s: %s", dir, strerror(errno));
	}
	r = control_listen(socket, &g->socket);
	if (r == -EADDRINUSE)
		return fail(r, why, why_len, "%s: another guard is running", socket);
	if (r < 0)
		return fail(r, why, why_len, "%s: %s", socket, strerror(-r));
	g->socket_name = TAKE_PTR(socket);
	g->setup.listening = g->kept[KEPT_LISTENING] = g->socket.fd;
	return 0;
}

static int start_worker(struct guard *g, char *why, size_t why_len)
{
	int r;

	g->setup.enforce = g->enforce;
	g->setup.tier = g->tier;
	g->setup.mechanism = g->tier == BW_TIER_WATCH ? "raw_tracepoint" : bw_mechanism_name(g->mechanism);
	g->setup.tier_reason = g->why_tier;
	g->setup.identity = g->tier == BW_TIER_WATCH			     ? "digest-user-memory" :
			    bw_feature(g->features, BW_FEATURE_LOAD_HOOK) ? "digest" : "tag-and-digest";
	g->setup.retention_rows = g->config->retention_rows;
	g->setup.retention_days = g->config->retention_days;
	g->setup.adopted = loader_adopted(g->loader);
	g->setup.guard = getpid();
	g->setup.namespaces = (struct ledger_namespaces){ own_namespace("/proc/self/ns/pid"), own_namespace("/proc/self/ns/mnt"),
							  own_namespace("/proc/self/ns/user") };
	g->job.profile = &worker_profile;
	g->job.keep = g->kept;
	g->job.n_keep = KEPT;
	g->job.prepare = worker_prepare;
	g->job.run = worker_run;
	g->job.arg = &g->setup;
	g->ops = (struct supervisor_ops){ on_status, on_api_status, on_cgroup, on_died, on_restarted, g };
	r = supervisor_open(g->loop, &g->job, &g->ops, &g->supervisor);
	if (r < 0)
		return fail(r, why, why_len, "no memory");
	return supervisor_start(g->supervisor, why, why_len);
}

static int start_loop(struct guard *g, char *why, size_t why_len)
{
	sigset_t signals;
	int r;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGCHLD);
	r = loop_add_signals(g->loop, &signals, on_signal, g, NULL);
	if (!r)
		r = loop_add_timer(g->loop, SECOND / TICKS_A_SECOND, SECOND / TICKS_A_SECOND, on_tick, g, NULL);
	/* What ended before its signal was listened to. */
	supervisor_reap(g->supervisor);
	return r < 0 ? fail(r, why, why_len, "event loop: %s", strerror(-r)) : 0;
}

static void banner(struct guard *g)
{
	bool enforcing = g->mode != BW_MODE_OBSERVE;

	const char *unprotected = loader_unprotected(g->loader);
	const char *protection = loader_protection(g->tier, g->config->protect_self, g->mode);
	char by[40] = "", because[500] = "";

	if (g->tier == BW_TIER_ENFORCE)
		snprintf(by, sizeof(by), " by %s", bw_mechanism_name(g->mechanism));
	if (g->why_tier[0])
		snprintf(because, sizeof(because), ", because %s", g->why_tier);
	say(g, "start", ALERT_INFO,
	    (struct alert_kv[]){ ALERT_STR("guard_version", BW_VERSION),
				 ALERT_STR("mechanism", g->setup.mechanism),
				 ALERT_STR("tier_reason", g->why_tier[0] ? g->why_tier : NULL),
				 ALERT_STR("self_protection", protection),
				 ALERT_STR("self_protection_missing", unprotected[0] ? unprotected : NULL),
				 ALERT_BOOL("adopted", loader_adopted(g->loader)), { 0 } },
	    "bpfwardend %s: %s tier%s%s; mode %s%s", BW_VERSION, bw_tier_name(g->tier), by, because,
	    config_mode_name(g->mode),
	    enforcing ? "" : ": loads are judged and reported, nothing is refused");
	if (g->tier != BW_TIER_ENFORCE && g->config->mode != BW_MODE_OBSERVE)
		say(g, "tier_degraded", ALERT_HIGH, NULL,
		    "mode %s was asked for, but this host allows only the %s tier, because %s: loads are reported, not refused",
		    config_mode_name(g->config->mode), bw_tier_name(g->tier), g->why_tier);
	if (getenv("LD_PRELOAD") || getenv("LD_AUDIT") || access("/etc/ld.so.preload", F_OK) == 0)
		say(g, "preloaded", ALERT_HIGH, NULL, "libraries are loaded into the guard that are not its own: LD_PRELOAD, LD_AUDIT or /etc/ld.so.preload");
	if (unprotected[0] && strcmp(protection, "none"))
		say(g, "tier_degraded", ALERT_HIGH, NULL, "this kernel does not have all hooks of self-protection; missing: %s", unprotected);
	if (enforcing && !bw_feature(g->features, BW_FEATURE_BPFFS))
		say(g, "tier_degraded", ALERT_HIGH, NULL, "no BPF file system: enforcement ends when the guard ends");
	if (g->tier == BW_TIER_ENFORCE && !bw_feature(g->features, BW_FEATURE_LOAD_HOOK))
		say(g, "tier_degraded", ALERT_LOW, NULL,
		    "this kernel has no load hook (6.9): programs are identified by the kernel's 8-byte tag and a digest over user memory, which is weaker");
}

/*
 * What the guard still needs once it is armed; everything else goes, for good (docs/privileges.md has the reason for each).
 * Network types of programs cannot be tried by the canary without CAP_NET_ADMIN: permitted, in force in its child alone.
 */
static int drop_privileges(const struct guard *g)
{
	uint64_t caps = BW_CAP(CAP_BPF) | BW_CAP(CAP_PERFMON) | BW_CAP(CAP_DAC_READ_SEARCH) | BW_CAP(CAP_SETUID) | BW_CAP(CAP_SETGID) |
			BW_CAP(CAP_SYS_CHROOT) | BW_CAP(CAP_KILL);
	/* The executables and libraries of all processes: /proc/PID/root, /proc/PID/maps. */
	uint64_t api = g->api ? BW_CAP(CAP_SYS_PTRACE) : 0;
	/* The kernel wants it for a uprobe: permitted, in force while one is attached. */
	uint64_t probes = g->api ? BW_CAP(CAP_SYS_ADMIN) : 0;
	uint64_t canary = g->tier == BW_TIER_ENFORCE ? BW_CAP(CAP_NET_ADMIN) : 0;
	int r;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	r = bw_caps_limit(caps | api | probes | canary, caps | api);
	if (!r)
		r = bw_lock_calls(BW_CALLS_MEMFD | BW_CALLS_FILES | BW_CALLS_EVENTS | BW_CALLS_NETWORK | BW_CALLS_THREADS | BW_CALLS_PARENT, BW_OTHER_KILL);
	return r;
}

int guard_open(const struct config *config, const struct bw_features *features, struct guard **ret, char *why,
	       size_t why_len)
{
	struct guard *g = calloc(1, sizeof(*g));
	enum bw_mode mode = BW_MODE_OBSERVE;
	struct note_resume resume = { 0 };
	int r;

	if (!g)
		return fail(-ENOMEM, why, why_len, "no memory");
	g->config = config;
	settings_init(&g->settings, config);
	g->features = features;
	g->state_dir = g->setup.output = g->kept[KEPT_OUTPUT] = -1;
	g->socket.fd = g->socket.lock_fd = -1;
	g->cgroups = cgroup_root();
	r = notify_open(getenv("NOTIFY_SOCKET"), getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID"), &g->notify);
	if (r < 0)
		bw_warn("the service manager cannot be told anything: %s, ignoring", strerror(-r));
	g->tier = bw_features_tier(features, &g->mechanism, g->why_tier, sizeof(g->why_tier));
	describe_self(g);
	if (g->tier == BW_TIER_AUDIT) {
		r = fail(-EPERM, why, why_len, "only static analysis works on this host, because %s", g->why_tier);
		goto out;
	}
	if (g->tier == BW_TIER_ENFORCE)
		mode = config->mode;
	r = loop_open(&g->loop);
	if (r < 0) {
		fail(r, why, why_len, "%s", strerror(-r));
		goto out;
	}
	/* Everything that can fail for reasons of the configuration comes before the kernel is touched. */
	g->policies_ops = (struct policies_ops){ on_policy_btf, on_policy_install, on_policy_swapped, on_policy_say, g };
	r = policies_open(config, &g->policies_ops, &g->policies, why, why_len);
	if (!r)
		r = policies_check(g->policies, why, why_len);
	if (!r)
		r = start_outputs(g, why, why_len);
	if (!r)
		r = start_kernel_side(g, why, why_len);
	if (!r)
		r = start_worker(g, why, why_len);
	if (r < 0)
		goto out;
	loader_stats(g->loader, &g->stats_before);
	g->misses_before = loader_misses(g->loader);
	/* Judging has begun, refusing has not: whatever was loaded up to here keeps working. */
	if (!loader_adopted(g->loader))
		report_baseline(g);
	g->mode = mode;
	r = policies_start(g->policies, why, why_len);
	if (!r)
		r = start_analysis(g, why, why_len);
	if (r < 0)
		goto out;
	banner(g);
	if (loader_adopted(g->loader)) {
		resume.stats = g->stats_before;
		resume.adopted = true;
		supervisor_note(g->supervisor, NOTE_RESUME, &resume, sizeof(resume), -1);
	}
	g->hooks_dead = false;
	watch_hooks(g);
	loader_remove_others(g->loader);
	if (mode != BW_MODE_OBSERVE) {
		say(g, "armed", ALERT_INFO, NULL,
		    mode == BW_MODE_ENFORCE ? "armed: loads that the policy does not admit are refused" :
					      "armed: loads that the policy does not approve are analysed, then admitted or refused");
		prove(g);
	}
	if (g->config->api.on) {
		r = api_open(&g->config->api, &g->config->sinks, g->state_dir, on_api, g, &g->api, why, why_len);
		/* Looking at API calls is not what a host is guarded by: without it the guard goes on. */
		if (r < 0)
			say(g, "api_off", ALERT_HIGH, NULL, "no API calls are seen: %s", why);
	}
	/* What came after the programs: the API probes. */
	r = loader_own(g->loader);
	if (r < 0) {
		fail(r, why, why_len, "protecting the guard's objects: %s", strerror(-r));
		goto out;
	}
	if (loader_note_files(g->loader, &(struct loader_files){ policies_path(g->policies), config->file, g->store_name, g->socket_name }) < 0)
		bw_warn("changes of the guard's own files are not all seen, ignoring");
	r = drop_privileges(g);
	if (r < 0) {
		fail(r, why, why_len, "dropping privileges: %s", strerror(-r));
		goto out;
	}
	r = start_loop(g, why, why_len);
	if (!r)
		r = policies_watch(g->policies, g->loop, why, why_len);
	if (r < 0)
		goto out;
	supervisor_note(g->supervisor, NOTE_GO, NULL, 0, -1);
	*ret = g;
	return 0;
out:
	guard_free(g);
	return r;
}

int guard_run(struct guard *g)
{
	char how[200], ready[600];
	int r;

	snprintf(ready, sizeof(ready), "READY=1\nSTATUS=%s tier, mode %s%s%s", bw_tier_name(g->tier), config_mode_name(g->mode),
		 g->why_tier[0] ? ": " : "", g->why_tier);
	notify_send(&g->notify, ready);
	r = loop_run(g->loop);
	notify_send(&g->notify, "STOPPING=1");
	supervisor_note(g->supervisor, NOTE_DRAIN, NULL, 0, -1);
	loader_release(g->loader);
	watch_counters(g);
	say(g, "stop", ALERT_INFO, NULL, "stopped%s",
	    g->mode != BW_MODE_OBSERVE && bw_feature(g->features, BW_FEATURE_BPFFS) ?
		    "; the kernel goes on refusing (bpfwardend --disarm ends that)" : "");
	supervisor_note(g->supervisor, NOTE_STOP, NULL, 0, -1);
	if (!supervisor_stop(g->supervisor, how, sizeof(how)))
		bw_err("the worker %s", how);
	return r;
}

void guard_free(struct guard *g)
{
	if (!g)
		return;
	notify_close(&g->notify);
	api_close(g->api);
	analysis_close(&g->analysis);
	supervisor_free(g->supervisor);
	delivery_close(g->delivery);
	policies_close(g->policies);
	control_unlisten(&g->socket);
	enforce_free(g->enforce);
	loader_free(g->loader);
	if (g->setup.output >= 0)
		close(g->setup.output);
	if (g->state_dir >= 0)
		close(g->state_dir);
	if (g->cgroups >= 0)
		close(g->cgroups);
	loop_close(g->loop);
	settings_free(&g->settings);
	free(g->store_name);
	free(g->socket_name);
	free(g);
}
