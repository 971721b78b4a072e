// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/sinks/deliver.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netdb.h>
#include <poll.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "guard/sinks/sink.h"
#include "guard/sinks/sink_thread.h"

#define END_LOOKS 40   /* of 50 ms */
#define FRESH_LOOKS 4 /* until every thread has seen what was written last */

const struct privsep_form deliver_forms[DELIVER_NOTES] = {
	[DELIVER_NOTE] = { .name = "note", .min = 2, .max = 4096 },
};

static const struct sink_ops *const ops_of[SINK_TYPES] = {
	[SINK_FILE] = &sink_file_ops, [SINK_STDOUT] = &sink_file_ops, [SINK_SYSLOG] = &sink_syslog_ops, [SINK_JOURNALD] = &sink_journald_ops,
	[SINK_HEC] = &sink_http_ops, [SINK_ELASTICSEARCH] = &sink_http_ops, [SINK_OTLP] = &sink_http_ops,
	[SINK_FALCOSIDEKICK] = &sink_http_ops, [SINK_WEBHOOK] = &sink_http_ops, [SINK_KAFKA] = &sink_kafka_ops,
};

/* ---- with privileges, before anything foreign --------------------------------------------------------------------- */

int sink_read_file(struct sink *s, const char *path, char **ret, size_t *ret_len)
{
	int r = bw_file_read(path, 1 << 20, ret, ret_len);

	if (r < 0)
		sink_why(s, "%s: %s", path, strerror(-r));
	return r;
}

static int read_secret(struct sink *s)
{
	const struct sink_config *c = s->config;
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	char path[4096];
	size_t len;
	int r;

	if (c->secret_credential && !dir) {
		sink_why(s, "secret_credential: $CREDENTIALS_DIRECTORY is not set: systemd passes no credentials");
		return -ENOENT;
	}
	if (c->secret_credential)
		snprintf(path, sizeof(path), "%s/%s", dir, c->secret_credential);
	else if (c->secret_file)
		snprintf(path, sizeof(path), "%s", c->secret_file);
	else
		return 0;
	r = sink_read_file(s, path, &s->secret, &len);
	if (r < 0)
		return r;
	s->secret[strcspn(s->secret, "\r\n")] = '\0';
	if (!*s->secret) {
		sink_why(s, "%s: is empty", path);
		return -EINVAL;
	}
	return 0;
}

/* What libraries load when they are first used cannot be loaded later: the system call filter lets no memory become executable. */
static void load_libraries(void)
{
	struct addrinfo *list = NULL;

	res_init();
	_res.retrans = 1;
	_res.retry = 1;
	if (getaddrinfo("bpfwarden.invalid", "1", NULL, &list) == 0)
		freeaddrinfo(list);
	res_init();
}

static int open_directories(struct deliver *d, const struct deliver_job *j)
{
	d->events_fd = openat(j->state_fd, DELIVER_EVENTS, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	d->api_fd = openat(j->state_fd, DELIVER_API, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	d->own_fd = openat(j->state_fd, DELIVER_OWN, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return d->events_fd < 0 || d->api_fd < 0 || d->own_fd < 0 ? -errno : 0;
}

/* What the process may reach: by descriptor, because it could not walk there. */
static void allow(struct deliver_job *j, int fd, bool write)
{
	size_t n = j->profile.n_paths;

	if (fd < 0 || n == ARRAY_SIZE(j->paths))
		return;
	snprintf(j->names[n], sizeof(j->names[n]), "/proc/self/fd/%d", fd);
	j->paths[n] = (struct bw_lock_path){ j->names[n], write };
	j->profile.n_paths++;
}

static struct deliver the_deliver; /* of this process */

static int prepare(void *arg)
{
	struct deliver_job *j = arg;
	struct deliver *d = &the_deliver;
	int r;

	*d = (struct deliver){ .config = j->config, .events_fd = -1, .api_fd = -1, .own_fd = -1, .dead_fd = -1, .notes = -1 };
	pthread_mutex_init(&d->dead_lock, NULL);
	pthread_mutex_init(&d->note_lock, NULL);
	r = open_directories(d, j);
	if (r < 0)
		return r;
	allow(j, d->events_fd, false);
	allow(j, d->api_fd, false);
	allow(j, d->own_fd, true);
	d->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (d->stop_fd < 0)
		return -errno;
	d->n = j->config->n;
	for (size_t i = 0; i < d->n; i++) {
		struct sink *s = &d->sinks[i];

		s->config = &j->config->sinks[i];
		s->ops = ops_of[s->config->type];
		s->format = (struct format_options){
			.facility = (unsigned int)s->config->facility, .hec_index = s->config->index, .hec_sourcetype = s->config->sourcetype,
		};
		s->fd = j->stdout_fd;
		s->dir_fd = -1;
		s->uid = j->job.uid;
		s->gid = j->job.gid;
		s->deliver = d;
		pthread_mutex_init(&s->lock, NULL);
		r = read_secret(s);
		if (r == 0)
			r = s->ops->prepare(s);
		/* One that cannot be set up does not take the others along: it says so until it is mended. */
		if (r < 0)
			s->broken = true;
		allow(j, s->dir_fd, true);
	}
	close(j->state_fd);
	load_libraries();
	return 0;
}

/* ---- without ----------------------------------------------------------------------------------------------------- */

static int64_t realtime_s(void)
{
	return (int64_t)time(NULL);
}

static void write_file(struct deliver *d, const char *name, const char *tmp, const struct bw_buf *b)
{
	_cleanup_close_ int fd = openat(d->own_fd, tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);

	if (fd < 0 || bw_buf_error(b))
		return;
	fchmod(fd, 0644);
	if (write(fd, b->data, b->len) == (ssize_t)b->len)
		renameat(d->own_fd, tmp, d->own_fd, name);
}

/* What "delivered" means, as far as the protocol goes. */
static const char *promise(const struct sink_config *c)
{
	if (c->type == SINK_SYSLOG)
		return c->transport == SINK_UDP ? "sent" : "transport";
	if (c->type == SINK_STDOUT || c->type == SINK_JOURNALD || (c->type == SINK_HEC && c->no_ack))
		return "sent";
	return "acknowledged";
}

static void write_status(struct deliver *d)
{
	_cleanup_buf_ struct bw_buf b = { 0 };
	struct bw_json j = { .buf = &b };

	bw_json_open(&j, NULL, '{');
	bw_json_i64(&j, "time", realtime_s());
	bw_json_u64(&j, "pid", (uint64_t)getpid());
	bw_json_u64(&j, "dead_letter_bytes", d->dead_bytes);
	bw_json_u64(&j, "dead_letters_lost", d->dead_lost);
	bw_json_open(&j, "sinks", '[');
	for (size_t i = 0; i < d->n; i++) {
		struct sink *s = &d->sinks[i];
		int64_t since = atomic_load(&s->stats.failing_since_s), ok = atomic_load(&s->stats.last_ok_s);

		bw_json_open(&j, NULL, '{');
		bw_json_str(&j, "name", s->config->name);
		bw_json_str(&j, "type", sink_type_name(s->config->type));
		bw_json_str(&j, "format", format_name(s->config->format));
		bw_json_str(&j, "promise", promise(s->config));
		bw_json_str(&j, "state", s->broken ? "broken" : since ? "failing" : "ok");
		bw_json_u64(&j, "cursor", atomic_load(&s->stats.cursor));
		bw_json_u64(&j, "read", atomic_load(&s->stats.read));
		bw_json_u64(&j, "delivered", atomic_load(&s->stats.delivered));
		bw_json_u64(&j, "filtered", atomic_load(&s->stats.filtered));
		bw_json_u64(&j, "refused", atomic_load(&s->stats.refused));
		bw_json_u64(&j, "missing", atomic_load(&s->stats.missing));
		bw_json_u64(&j, "damaged_bytes", atomic_load(&s->stats.damaged));
		bw_json_u64(&j, "bytes", atomic_load(&s->stats.bytes));
		bw_json_u64(&j, "failures", atomic_load(&s->stats.failures));
		bw_json_u64(&j, "connects", atomic_load(&s->stats.connects));
		if (ok)
			bw_json_i64(&j, "last_ok", ok);
		if (since)
			bw_json_i64(&j, "failing_since", since);
		pthread_mutex_lock(&s->lock);
		bw_json_str(&j, "error", s->error);
		bw_json_str(&j, "peer", s->peer);
		bw_json_str(&j, "tls", s->tls);
		if (s->test_number) {
			bw_json_u64(&j, "test_number", s->test_number);
			bw_json_bool(&j, "test_refused", s->test_refused);
		}
		pthread_mutex_unlock(&s->lock);
		bw_json_close(&j, '}');
	}
	bw_json_close(&j, ']');
	bw_json_close(&j, '}');
	bw_buf_char(&b, '\n');
	write_file(d, "status.json", "status.tmp", &b);
}

/* The guard closes its end of "notes" when the process is to end. */
static bool told_to_end(int notes)
{
	struct pollfd p = { .fd = notes, .events = POLLIN };

	return poll(&p, 1, 250) > 0;
}

/* Those that fail are not waited for. */
static bool all_idle(struct deliver *d)
{
	for (size_t i = 0; i < d->n; i++)
		if (!atomic_load(&d->sinks[i].idle) && !atomic_load(&d->sinks[i].stats.failing_since_s))
			return false;
	return true;
}

static int run(void *arg, const struct privsep_channels *ch)
{
	struct deliver *d = &the_deliver;
	uint64_t synced = 0, api_synced = 0, one = 1;
	int64_t last_sync = 0;

	(void)arg;
	d->notes = ch->requests;
	d->dead_fd = openat(d->own_fd, "dead-letter.jsonl", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (d->dead_fd >= 0) {
		struct stat st;

		d->dead_bytes = fstat(d->dead_fd, &st) == 0 ? (uint64_t)st.st_size : 0;
	}
	for (size_t i = 0; i < d->n; i++)
		sink_thread_start(&d->sinks[i]);
	while (!told_to_end(ch->notes)) {
		struct timespec ts;
		int64_t now;

		clock_gettime(CLOCK_MONOTONIC, &ts);
		now = (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
		if (now - last_sync >= (int64_t)d->config->sync_ms) {
			spool_sync(d->events_fd, &synced);
			spool_sync(d->api_fd, &api_synced);
			last_sync = now;
		}
		write_status(d);
	}
	/* The last events of the guard: what a receiver takes now it need not wait for until the next start. */
	for (int i = 0; i < END_LOOKS && (i < FRESH_LOOKS || !all_idle(d)); i++)
		nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
	atomic_store(&d->stopping, true);
	if (write(d->stop_fd, &one, sizeof(one)) < 0)
		return -errno;
	for (size_t i = 0; i < d->n; i++)
		sink_thread_join(&d->sinks[i]);
	write_status(d);
	return 0;
}

int deliver_prepare_job(struct deliver_job *j)
{
	static const char *const readable[] = { "/etc", "/usr", "/lib", "/run" };
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(readable); i++)
		j->paths[n++] = (struct bw_lock_path){ readable[i], false };
	j->profile = (struct privsep_profile){
		.name = "deliver",
		.calls = BW_CALLS_FILES | BW_CALLS_EVENTS | BW_CALLS_NETWORK | BW_CALLS_THREADS | BW_CALLS_MEMFD,
		.paths = j->paths,
		.n_paths = n,
	};
	j->job = (struct privsep_job){ .profile = &j->profile, .root = -1, .prepare = prepare, .run = run, .arg = j };
	j->keep[0] = j->state_fd; /* until it has opened what is below */
	j->keep[1] = j->stdout_fd;
	j->job.keep = j->keep;
	j->job.n_keep = ARRAY_SIZE(j->keep);
	privsep_user(&j->job.uid, &j->job.gid);
	return 0;
}
