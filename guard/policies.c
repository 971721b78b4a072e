// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/policies.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/limits.h"
#include "common/policy_host.h"
#include "guard/policy_fetch.h"
#include "guard/policy_keep.h"

#define SECOND 1000000000ULL
#define MAX_TRUST (1u << 20) /* bytes of certificates */
#define READ_TRIES 5	     /* for a policy and a signature of the same moment */
#define SETTLE_NS (SECOND / 5) /* after the last change: who writes two files is given time for both */
#define LOOK_NS (10 * SECOND) /* where inotify does not report: file systems of others, watches that ran out */
#define MAX_LINKS 8	     /* symbolic links that are followed one by one */

enum { FILE_POLICY, FILE_SIGNATURE, FILE_TRUST, FILES };

struct stamp {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime, ctime;
};

struct policies {
	const struct config *config;
	const struct policies_ops *ops;
	uint32_t mnt_ns, pid_ns; /* of process 1 */
	char *keep; /* directory; NULL: nothing has to be kept */
	char accepted[BW_SIGNATURE_STATE_MAX];
	size_t accepted_len;
	struct stamp stamps[FILES]; /* of what was read last */
	int notify;		    /* inotify, -1: changes are not looked for */
	struct loop_source *notify_source;
	uint64_t changed_ns, looked_ns; /* CLOCK_MONOTONIC; changed 0: nothing has */
	struct policy_release now;
	bool told_expired;
	/* from a URL */
	struct fetch_ops fetch_ops;
	struct policy_fetch *fetch; /* NULL: from files */
	uint64_t fetch_ns;	    /* CLOCK_MONOTONIC: when the next time is */
	char etag[FETCH_MAX_ETAG + 1]; /* of the policy in force; "": what is there is to be looked at in any case */
	uint64_t taken_hash, refused_hash; /* of the policy in force; of what was refused last, and why: that is said once */
	bool told_failed;
};

/* A policy on its way in. */
struct candidate {
	char *text, *signature, *trust; /* owned */
	size_t len, signature_len, trust_len;
	const char *name;
};

static uint64_t monotonic_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * SECOND + (uint64_t)ts.tv_nsec;
}

static void say(struct policies *p, const char *event, enum alert_severity severity, const struct alert_kv *kv, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

static void say(struct policies *p, const char *event, enum alert_severity severity, const struct alert_kv *kv, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	p->ops->say(p->ops->arg, event, severity, kv, text);
}

static void candidate_free(struct candidate *c)
{
	free(c->text);
	free(c->signature);
	free(c->trust);
	*c = (struct candidate){ 0 };
}
#define _cleanup_candidate_ BW_CLEANUP(candidate_free)

/* ---- files --------------------------------------------------------------------------------------------------------- */

static const char *file_path(const struct policies *p, int which, char *buf, size_t size)
{
	const char *policy = p->config->policy;
	struct stat st;

	if (!policy)
		policy = stat(CONFIG_POLICY, &st) == 0 ? CONFIG_POLICY : CONFIG_POLICY_SHIPPED;
	if (which == FILE_POLICY)
		return policy;
	if (which == FILE_TRUST)
		return p->config->policy_trust;
	if (!p->config->policy_trust)
		return NULL;
	if (p->config->policy_signature)
		return p->config->policy_signature;
	snprintf(buf, size, "%s.p7s", policy);
	return buf;
}

const char *policies_path(const struct policies *p)
{
	return file_path(p, FILE_POLICY, NULL, 0);
}

static void stamps_take(const struct policies *p, struct stamp *ret)
{
	memset(ret, 0, FILES * sizeof(*ret));
	for (int i = 0; i < FILES; i++) {
		char buf[PATH_MAX];
		const char *path = file_path(p, i, buf, sizeof(buf));
		struct stat st;

		if (path && stat(path, &st) == 0) {
			ret[i].dev = st.st_dev;
			ret[i].ino = st.st_ino;
			ret[i].size = st.st_size;
			ret[i].mtime = st.st_mtim;
			ret[i].ctime = st.st_ctim;
		}
	}
}

static int read_trust(const struct policies *p, struct candidate *c, char *why, size_t why_len)
{
	const char *path = p->config->policy_trust;
	int r = path ? bw_file_read(path, MAX_TRUST, &c->trust, &c->trust_len) : 0;

	if (r < 0)
		snprintf(why, why_len, "%s: %s", path, strerror(-r));
	return r;
}

static int read_once(const struct policies *p, struct candidate *c, char *why, size_t why_len)
{
	struct bw_policy_error error;
	char buf[PATH_MAX];
	const char *path;
	int r;

	c->name = file_path(p, FILE_POLICY, NULL, 0);
	r = bw_policy_text(c->name, &c->text, &c->len, &error);
	if (r < 0) {
		bw_policy_error_format(&error, c->name, why, why_len);
		return r;
	}
	path = file_path(p, FILE_SIGNATURE, buf, sizeof(buf));
	r = path ? bw_file_read(path, BW_MAX_SIGNATURE_SIZE, &c->signature, &c->signature_len) : 0;
	if (r < 0 && r != -ENOENT) { /* none: is refused as such */
		snprintf(why, why_len, "%s: %s", path, strerror(-r));
		return r;
	}
	return read_trust(p, c, why, why_len);
}

/* Policy and signature of the same release, also while both are being replaced. */
static int read_files(struct policies *p, struct candidate *c, char *why, size_t why_len)
{
	struct stamp after[FILES];
	int r;

	for (int i = 0; i < READ_TRIES; i++) {
		candidate_free(c);
		stamps_take(p, p->stamps);
		r = read_once(p, c, why, why_len);
		stamps_take(p, after);
		if (!memcmp(after, p->stamps, sizeof(after)))
			break;
	}
	return r;
}

/* ---- judging and putting in force ------------------------------------------------------------------------------------ */

/* @now: the time to judge expiry by. */
static int judge(const struct policies *p, const struct candidate *c, bool signature, int64_t now, const struct btf *btf, struct policy_loaded *ret,
		 enum bw_signature *ret_refused, char *why, size_t why_len)
{
	const struct policy_input in = {
		.name = c->name,
		.text = bw_slice(c->text, c->len),
		.must_be_signed = signature,
		.signature = bw_slice(c->signature ? c->signature : "", c->signature_len),
		.trust = bw_slice(c->trust ? c->trust : "", c->trust_len),
		.min_signers = (unsigned int)p->config->policy_signers,
		.now = now,
		.mnt_ns = p->mnt_ns,
		.pid_ns = p->pid_ns,
		.accepted = bw_slice(p->accepted, p->accepted_len),
	};

	return policy_load(&in, btf, ret, ret_refused, why, why_len);
}

/* Also when that fails: this guard does not go back, and says that the next one might. */
static void keep(struct policies *p, const struct candidate *c, const char *etag, int64_t accepted)
{
	const struct policy_kept k = {
		.text = c->text, .len = c->len, .signature = c->signature, .signature_len = c->signature_len, .etag = (char *)etag, .accepted = accepted,
	};
	int r;

	if (!p->keep)
		return;
	if (p->now.trusted) {
		struct bw_signature_state s = { .serial = p->now.serial };

		memcpy(s.sha256, p->now.sha256, sizeof(s.sha256));
		bw_signature_state_write(&s, p->accepted);
		p->accepted_len = strlen(p->accepted);
	}
	r = policy_keep_write(p->keep, &k);
	if (!r && p->now.trusted)
		r = policy_keep_set_serial(p->keep, p->accepted);
	if (r < 0)
		say(p, "policy_not_kept", ALERT_HIGH, (struct alert_kv[]){ ALERT_STR("file", p->keep), ALERT_U64("policy_serial", p->now.serial), { 0 } },
		    "%s: %s: after a restart an older policy could be accepted again", p->keep, strerror(-r));
}

static int install(struct policies *p, const struct policy_loaded *l, const struct candidate *c, const char *etag, int64_t accepted, char *why,
		   size_t why_len)
{
	int r = p->ops->install(p->ops->arg, l, c->name, why, why_len);

	if (r < 0)
		return r;
	p->now = l->pack.release;
	p->told_expired = false;
	keep(p, c, etag, accepted);
	return 0;
}

static void say_refused(struct policies *p, const char *name, enum bw_signature refused, const char *why, const char *then)
{
	say(p, "policy_refused", ALERT_HIGH,
	    (struct alert_kv[]){ ALERT_STR("file", name), ALERT_STR("signature", refused ? bw_signature_name(refused) : NULL), { 0 } }, "%s; %s", why,
	    then);
}

static uint64_t hash(uint64_t h, const void *data, size_t len)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * 0x100000001b3ULL;
	return h;
}

static uint64_t candidate_hash(const struct candidate *c)
{
	return hash(hash(hash(0xcbf29ce484222325ULL, c->text, c->len), c->signature, c->signature_len), c->trust, c->trust_len);
}

/* Judges @c and puts it in force, saying what came of it; @again: not what was said already. Returns whether it is in force. */
static bool take(struct policies *p, const struct candidate *c, const char *etag, const char *why_not, bool again)
{
	int64_t now = (int64_t)time(NULL);
	enum bw_signature refused = BW_SIGNATURE_OK;
	struct policy_loaded l = { 0 };
	char why[1024], digest[2 * sizeof(p->now.sha256) + 1];
	int r = -EIO;

	snprintf(why, sizeof(why), "%s", why_not ? why_not : "");
	if (!why_not)
		r = judge(p, c, p->config->policy_trust != NULL, now, p->ops->btf(p->ops->arg), &l, &refused, why, sizeof(why));
	if (!r)
		r = install(p, &l, c, etag, now, why, sizeof(why));
	if (r < 0) {
		uint64_t h = hash(candidate_hash(c), why, strlen(why));

		if (!again || h != p->refused_hash)
			say_refused(p, c->name, refused, why, "the running policy stays");
		p->refused_hash = h;
		policy_load_free(&l);
		return false;
	}
	p->refused_hash = 0;
	for (size_t i = 0; i < sizeof(p->now.sha256); i++)
		snprintf(digest + 2 * i, 3, "%02x", p->now.sha256[i]);
	say(p, "policy_swapped", ALERT_INFO,
	    (struct alert_kv[]){ ALERT_STR("file", c->name), ALERT_U64("programs", l.pack.names.n_programs), ALERT_U64("rules", l.pack.names.n_rules),
				 ALERT_U64("policy_serial", p->now.serial), ALERT_STR("policy_sha256", digest),
				 ALERT_STR("policy_signed_by", p->now.trusted ? p->now.signers : NULL), { 0 } },
	    "policy %s is in force%s%s", c->name, p->now.trusted ? ", signed by " : "", p->now.trusted ? p->now.signers : "");
	policy_load_free(&l);
	p->ops->swapped(p->ops->arg);
	return true;
}

/* ---- the start -------------------------------------------------------------------------------------------------------- */

/*
 * The one accepted last, judged as of then: it has been in force on this host, so that its time is over is no reason to go without. That its
 * signers are not trusted any more is.
 */
static int start_kept(struct policies *p, const struct btf *btf, bool put, char *why, size_t why_len)
{
	_cleanup_candidate_ struct candidate c = { .name = p->keep };
	struct policy_kept k = { 0 };
	struct policy_loaded l = { 0 };
	enum bw_signature refused;
	int r = p->keep ? policy_keep_read(p->keep, &k) : -ENOENT;

	if (r < 0)
		return r;
	c.text = TAKE_PTR(k.text);
	c.len = k.len;
	c.signature = TAKE_PTR(k.signature);
	c.signature_len = k.signature_len;
	r = read_trust(p, &c, why, why_len);
	if (!r)
		r = judge(p, &c, p->config->policy_trust != NULL, k.accepted, btf, &l, &refused, why, why_len);
	if (!r && put)
		r = install(p, &l, &c, k.etag, k.accepted, why, why_len);
	if (!r && put) {
		snprintf(p->etag, sizeof(p->etag), "%s", k.etag);
		p->taken_hash = candidate_hash(&c);
	}
	policy_load_free(&l);
	policy_kept_free(&k);
	return r;
}

static int start_file(struct policies *p, const struct btf *btf, bool put, enum bw_signature *ret_refused, char *why, size_t why_len)
{
	_cleanup_candidate_ struct candidate c = { 0 };
	int64_t now = (int64_t)time(NULL);
	struct policy_loaded l = { 0 };
	int r = read_files(p, &c, why, why_len);

	/* Before the first one was fetched: what the package, or who set the host up, put there. */
	bool first = p->config->policy_fetch.url && !p->accepted_len;

	*ret_refused = BW_SIGNATURE_OK;
	if (!r)
		r = judge(p, &c, p->config->policy_trust && !first, now, btf, &l, ret_refused, why, why_len);
	if (!r && put && first)
		r = p->ops->install(p->ops->arg, &l, c.name, why, why_len);
	else if (!r && put)
		r = install(p, &l, &c, "", now, why, why_len);
	policy_load_free(&l);
	return r;
}

static int start(struct policies *p, const struct btf *btf, bool put, char *why, size_t why_len)
{
	enum bw_signature refused;
	char why_kept[1024] = "";
	int r;

	if (p->config->policy_fetch.url) {
		r = start_kept(p, btf, put, why_kept, sizeof(why_kept));
		if (!r)
			return 0;
		if (r != -ENOENT && put)
			say_refused(p, p->keep, BW_SIGNATURE_OK, why_kept[0] ? why_kept : strerror(-r), "the file stands in until one is fetched");
	}
	r = start_file(p, btf, put, &refused, why, why_len);

	if (!r || p->config->policy_fetch.url || start_kept(p, btf, put, why_kept, sizeof(why_kept)) < 0)
		return r;
	if (put)
		say_refused(p, file_path(p, FILE_POLICY, NULL, 0), refused, why, "the policy accepted last is in force");
	return 0;
}

int policies_check(struct policies *p, char *why, size_t why_len)
{
	return start(p, NULL, false, why, why_len);
}

int policies_start(struct policies *p, char *why, size_t why_len)
{
	return start(p, p->ops->btf(p->ops->arg), true, why, why_len);
}

/* ---- a URL -------------------------------------------------------------------------------------------------------------- */

/* A tenth of the interval more or less, and at the start up to 10 s: a fleet that is started at once does not ask at once. */
static uint64_t next_fetch(const struct policies *p, bool first)
{
	uint64_t interval = (p->config->policy_fetch.interval_s ? p->config->policy_fetch.interval_s : CONFIG_FETCH_INTERVAL_S) * SECOND;
	uint64_t random = 0;

	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != sizeof(random))
		random = (uint64_t)getpid() * 2654435761u;
	if (first)
		return monotonic_ns() + random % (interval / 10 < 10 * SECOND ? interval / 10 : 10 * SECOND);
	return monotonic_ns() + interval - interval / 10 + random % (interval / 5 + 1);
}

static void fetch_works(struct policies *p)
{
	if (p->told_failed)
		say(p, "policy_fetch_recovered", ALERT_LOW, NULL, "%s can be fetched again", p->config->policy_fetch.url);
	p->told_failed = false;
}

static void on_same(void *arg)
{
	fetch_works(arg);
}

static void on_failed(void *arg, const char *why)
{
	struct policies *p = arg;

	if (!p->told_failed)
		say(p, "policy_fetch_failed", ALERT_MEDIUM, (struct alert_kv[]){ ALERT_STR("reason", why), { 0 } },
		    "the policy cannot be fetched, the running one stays: %s", why);
	p->told_failed = true;
}

static void on_got(void *arg, char *text, size_t len, char *signature, size_t signature_len, const char *etag)
{
	_cleanup_candidate_ struct candidate c = { .text = text, .len = len, .signature = signature, .signature_len = signature_len };
	struct policies *p = arg;
	char why[1024] = "";
	uint64_t h;
	int r;

	fetch_works(p);
	c.name = p->config->policy_fetch.url;
	r = read_trust(p, &c, why, sizeof(why));
	h = candidate_hash(&c);
	if (h == p->taken_hash && !r)
		return; /* of a server without ETags */
	/* What is refused is fetched and judged again each time: its other half, or its time, may come. */
	p->etag[0] = 0;
	if (take(p, &c, etag, r < 0 ? why : NULL, true)) {
		p->taken_hash = h;
		snprintf(p->etag, sizeof(p->etag), "%s", etag);
	}
}

static int start_fetching(struct policies *p, char *why, size_t why_len)
{
	const struct policy_fetch_config *f = &p->config->policy_fetch;
	const struct fetch_conf conf = {
		.url = f->url,
		.ca = f->ca,
		.cert = f->cert,
		.key = f->key,
		.timeout_ms = f->timeout_ms ? f->timeout_ms : CONFIG_FETCH_TIMEOUT_MS,
		.max_bytes = f->max_bytes ? f->max_bytes : BW_MAX_POLICY_SIZE,
		.want_signature = p->config->policy_trust != NULL,
	};
	int r;

	p->fetch_ops = (struct fetch_ops){ on_got, on_same, on_failed, p };
	r = policy_fetch_open(&conf, &p->fetch_ops, &p->fetch);
	if (r < 0)
		snprintf(why, why_len, "no memory");
	else
		p->fetch_ns = next_fetch(p, true);
	return r;
}

/* ---- changes ---------------------------------------------------------------------------------------------------------- */

static void reload_files(struct policies *p)
{
	_cleanup_candidate_ struct candidate c = { 0 };
	char why[1024] = "";
	int r = read_files(p, &c, why, sizeof(why));

	take(p, &c, "", r < 0 ? why : NULL, false);
}

void policies_reload(struct policies *p)
{
	if (p->fetch) {
		policy_fetch_renew(p->fetch);
		p->fetch_ns = 0;
		return;
	}
	reload_files(p);
}

/*
 * Directories, not files: files are replaced. And those that symbolic links lead through: a Kubernetes ConfigMap is replaced by renaming
 * a link, "..data", that the file's name leads through.
 */
static void watch_path(int notify, const char *path)
{
	const uint32_t mask = IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_DELETE_SELF | IN_MOVE_SELF;
	char now[PATH_MAX], next[PATH_MAX], target[PATH_MAX];

	snprintf(now, sizeof(now), "%s", path);
	for (int i = 0; i < MAX_LINKS; i++) {
		char *slash = strrchr(now, '/');
		ssize_t n;

		/* Without the right to read it, or without room for a watch, stat() finds out later. */
		if (!slash) {
			inotify_add_watch(notify, ".", mask);
		} else {
			*slash = 0;
			inotify_add_watch(notify, *now ? now : "/", mask);
			*slash = '/';
		}
		n = readlink(now, target, sizeof(target) - 1);
		if (n <= 0)
			break;
		target[n] = 0;
		if (target[0] == '/')
			snprintf(next, sizeof(next), "%s", target);
		else if (snprintf(next, sizeof(next), "%.*s%s", slash ? (int)(slash - now) + 1 : 0, now, target) >= (int)sizeof(next))
			break;
		memcpy(now, next, sizeof(now));
	}
}

static void watch_files(struct policies *p)
{
	for (int i = 0; i < FILES; i++) {
		char buf[PATH_MAX];
		const char *path = file_path(p, i, buf, sizeof(buf));

		if (path)
			watch_path(p->notify, path);
	}
}

static int on_notify(void *arg, int fd, uint32_t events)
{
	struct policies *p = arg;
	char buf[4096] __attribute__((aligned(__alignof__(struct inotify_event))));

	while (read(fd, buf, sizeof(buf)) > 0)
		;
	p->changed_ns = monotonic_ns();
	return 0;
}

int policies_watch(struct policies *p, struct loop *l, char *why, size_t why_len)
{
	int r;

	if (p->config->policy_fetch.url)
		return start_fetching(p, why, why_len);
	if (!p->config->policy_watch)
		return 0;
	p->notify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (p->notify < 0) {
		r = -errno;
		snprintf(why, why_len, "inotify: %s", strerror(-r));
		return r;
	}
	watch_files(p);
	r = loop_add_fd(l, p->notify, EPOLLIN, on_notify, p, &p->notify_source);
	if (r < 0)
		snprintf(why, why_len, "inotify: %s", strerror(-r));
	return r;
}

static void look_for_changes(struct policies *p)
{
	uint64_t now = monotonic_ns();
	struct stamp stamps[FILES];

	if (p->notify < 0)
		return;
	if (p->changed_ns ? now - p->changed_ns < SETTLE_NS : now - p->looked_ns < LOOK_NS)
		return;
	p->changed_ns = 0;
	p->looked_ns = now;
	/* The links may lead elsewhere now. */
	watch_files(p);
	stamps_take(p, stamps);
	if (memcmp(stamps, p->stamps, sizeof(stamps)))
		reload_files(p);
}

static void look_at_expiry(struct policies *p)
{
	int64_t now = (int64_t)time(NULL);

	if (p->told_expired || !p->now.expires || now <= p->now.expires)
		return;
	p->told_expired = true;
	say(p, "policy_expired", ALERT_HIGH,
	    (struct alert_kv[]){ ALERT_U64("policy_serial", p->now.serial), ALERT_I64("expires", p->now.expires), { 0 } },
	    "the time of the policy in force is over; it stays in force until there is another");
}

void policies_tick(struct policies *p)
{
	if (p->fetch) {
		if (monotonic_ns() >= p->fetch_ns) {
			p->fetch_ns = next_fetch(p, false);
			policy_fetch_go(p->fetch, p->etag);
		}
		policy_fetch_tick(p->fetch);
	}
	look_for_changes(p);
	look_at_expiry(p);
}

/* ---- open and close --------------------------------------------------------------------------------------------------- */

int policies_open(const struct config *config, const struct policies_ops *ops, struct policies **ret, char *why, size_t why_len)
{
	struct policies *p = calloc(1, sizeof(*p));
	int r = 0;

	if (!p) {
		snprintf(why, why_len, "no memory");
		return -ENOMEM;
	}
	p->config = config;
	p->ops = ops;
	p->notify = -1;
	bw_policy_host_namespaces(&p->mnt_ns, &p->pid_ns); /* later it may not be looked at any more */
	if (config->policy_trust || config->policy_fetch.url) {
		r = policy_keep_open(config->state_dir ? config->state_dir : CONFIG_STATE_DIR, &p->keep, why, why_len);
		if (!r) {
			r = policy_keep_serial(p->keep, p->accepted, &p->accepted_len);
			if (r < 0)
				snprintf(why, why_len, "%s/serial: %s", p->keep, r == -EBADMSG ? "is not what was written there" : strerror(-r));
		}
	}
	if (r < 0) {
		policies_close(p);
		return r;
	}
	*ret = p;
	return 0;
}

void policies_close(struct policies *p)
{
	if (!p)
		return;
	policy_fetch_close(p->fetch);
	loop_remove(p->notify_source);
	if (p->notify >= 0)
		close(p->notify);
	free(p->keep);
	free(p);
}
