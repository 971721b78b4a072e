// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "guard/control.h"
#include "guard/control_report.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/json.h"

#define REPLAY_BATCH 64		   /* events fetched at once */
#define REPLAY_LOW_WATER (256u << 10) /* more history is fetched while less than this waits */
#define NOTICE_ROOM 512		   /* beyond the bound, for the line that tells of a loss */
#define TICK_NS 1000000000ULL
#define CLOSING_TICKS 10 /* what a dropped follower has to take its last lines */
#define IDLE_TICKS 60	 /* a client that asks nothing */

enum client_state {
	CLIENT_IDLE,	/* waits for a request */
	CLIENT_REPLAY,	/* gets stored events */
	CLIENT_LIVE,	/* follows */
	CLIENT_CLOSING, /* gets what waits, then is closed */
};

struct client {
	struct control *control;
	int fd; /* -1: a free slot */
	struct loop_source *source;
	enum client_state state;
	uint32_t interest;
	bool eof;  /* will not send anything more */
	bool slow; /* is closing because it did not keep up */
	unsigned int ticks;
	char in[CONTROL_MAX_REQUEST];
	size_t in_len;
	char *out; /* CONTROL_MAX_OUTPUT + NOTICE_ROOM bytes, made when first needed */
	size_t head, len;
	/* the request for events */
	bool follow;
	char kind[16], rule[64], program[2 * BW_DIGEST_LEN + 1], process[256]; /* "": any */
	uint64_t pid, since_ms, until_ms; /* 0: any */
	int min_severity;
	uint64_t next_seq, until_seq, sent;
	uint64_t limit; /* 0: none */
};

struct control {
	struct loop *loop;
	const struct control_ops *ops;
	int fd;
	struct loop_source *source, *timer;
	bool paused; /* no descriptors left: accepting rests until the next tick */
	uint64_t last_seq;
	struct client clients[CONTROL_MAX_CLIENTS];
	struct control_stats stats;
};

static void client_close(struct client *cl)
{
	loop_remove(cl->source);
	close(cl->fd);
	free(cl->out);
	*cl = (struct client){ .control = cl->control, .fd = -1 };
}

/* ---- output ----------------------------------------------------------------------------------------------------- */

static bool out_append(struct client *cl, const char *data, size_t len, size_t bound)
{
	if (!cl->out)
		cl->out = malloc(CONTROL_MAX_OUTPUT + NOTICE_ROOM);
	if (!cl->out || cl->len > bound || len > bound - cl->len)
		return false;
	if (len > CONTROL_MAX_OUTPUT + NOTICE_ROOM - cl->head - cl->len) {
		memmove(cl->out, cl->out + cl->head, cl->len);
		cl->head = 0;
	}
	memcpy(cl->out + cl->head + cl->len, data, len);
	cl->len += len;
	return true;
}

/* Queues a line; false when there is no room for all of it. */
static bool out_line(struct client *cl, const char *line, size_t len)
{
	if (!out_append(cl, line, len, CONTROL_MAX_OUTPUT - 1))
		return false;
	return out_append(cl, "\n", 1, CONTROL_MAX_OUTPUT);
}

static void out_notice(struct client *cl, struct bw_buf *b)
{
	bw_buf_char(b, '\n');
	if (!bw_buf_error(b))
		out_append(cl, bw_buf_cstr(b), b->len, CONTROL_MAX_OUTPUT + NOTICE_ROOM);
}

static void out_error(struct client *cl, const char *error)
{
	_cleanup_buf_ struct bw_buf b = { 0 };
	struct bw_json j = { .buf = &b };

	bw_json_open(&j, NULL, '{');
	bw_json_bool(&j, "ok", false);
	bw_json_str(&j, "error", error);
	bw_json_close(&j, '}');
	out_notice(cl, &b);
}

/* The bound is reached: say from where on events are missing, and close when the client has taken that. */
static void client_drop(struct client *cl, uint64_t lost_seq)
{
	_cleanup_buf_ struct bw_buf b = { 0 };
	struct bw_json j = { .buf = &b };

	bw_json_open(&j, NULL, '{');
	bw_json_bool(&j, "ok", false);
	bw_json_str(&j, "error", "too slow: events were lost");
	bw_json_u64(&j, "lost_from_seq", lost_seq);
	bw_json_close(&j, '}');
	out_notice(cl, &b);
	cl->state = CLIENT_CLOSING;
	cl->slow = true;
	cl->ticks = 0;
	cl->control->stats.dropped++;
	cl->control->stats.lost++;
}

static void replay(struct client *cl);

/* Sends what waits and sets what to wait for. May close the client. */
static void client_push(struct client *cl)
{
	for (;;) {
		ssize_t n;

		if (cl->state == CLIENT_REPLAY)
			replay(cl);
		if (!cl->len)
			break;
		n = send(cl->fd, cl->out + cl->head, cl->len, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0) {
			if (errno == EAGAIN || errno == EINTR || errno == ENOBUFS)
				break;
			client_close(cl);
			return;
		}
		cl->head += (size_t)n;
		cl->len -= (size_t)n;
		cl->ticks = 0;
		if (!cl->len)
			cl->head = 0;
		if (cl->state == CLIENT_REPLAY)
			break; /* others get their turn; the next part when this is writable again */
	}
	if (!cl->len && (cl->state == CLIENT_CLOSING || (cl->eof && cl->state == CLIENT_IDLE))) {
		client_close(cl);
	} else {
		bool more = cl->len || cl->state == CLIENT_REPLAY;
		uint32_t want = (cl->eof || cl->state == CLIENT_CLOSING ? 0 : EPOLLIN) | (more ? EPOLLOUT : 0);

		if (want != cl->interest && loop_modify(cl->source, want) == 0)
			cl->interest = want;
	}
}

/* ---- events ----------------------------------------------------------------------------------------------------- */

static bool client_wants(const struct client *cl, const struct alert *a)
{
	return a->seq >= cl->next_seq && (int)a->severity >= cl->min_severity && (!cl->kind[0] || !strcmp(cl->kind, a->kind)) &&
	       (!cl->rule[0] || !strcmp(cl->rule, a->rule)) && (!cl->pid || cl->pid == a->pid) &&
	       (!cl->process[0] || !strcmp(cl->process, a->exe) || !strcmp(cl->process, a->comm)) &&
	       (!cl->program[0] || !strcmp(cl->program, a->prog_name) ||
		(strlen(cl->program) >= 8 && !strncmp(a->digest, cl->program, strlen(cl->program)))) &&
	       (!cl->until_ms || a->time_ns <= (int64_t)cl->until_ms * 1000000) && a->time_ns >= (int64_t)cl->since_ms * 1000000;
}

static struct event_store_query client_query(const struct client *cl)
{
	return (struct event_store_query){
		.since_seq = cl->next_seq,
		.kind = cl->kind[0] ? cl->kind : NULL,
		.rule = cl->rule[0] ? cl->rule : NULL,
		.program = cl->program[0] ? cl->program : NULL,
		.process = cl->process[0] ? cl->process : NULL,
		.pid = (uint32_t)cl->pid,
		.since_ns = (int64_t)cl->since_ms * 1000000,
		.until_ns = (int64_t)cl->until_ms * 1000000,
		.min_severity = cl->min_severity,
		.forward = 1,
	};
}

struct replay_state {
	struct client *cl;
	unsigned int rows;
};

#define REPLAY_STOP 1 /* ends a query from its callback */

static int replay_row(void *arg, uint64_t seq, const char *json, int len)
{
	struct replay_state *st = arg;
	struct client *cl = st->cl;

	if (cl->until_seq && seq > cl->until_seq)
		return REPLAY_STOP;
	if (!out_line(cl, json, (size_t)len)) {
		if (cl->len)
			st->rows = REPLAY_BATCH; /* full: goes on from here when there is room */
		else
			cl->next_seq = seq + 1;
		return REPLAY_STOP;
	}
	st->rows++;
	cl->sent++;
	cl->next_seq = seq + 1;
	return 0;
}

static void replay_end(struct client *cl)
{
	_cleanup_buf_ struct bw_buf b = { 0 };
	struct bw_json j = { .buf = &b };

	if (cl->follow) {
		cl->state = CLIENT_LIVE;
		return;
	}
	bw_json_open(&j, NULL, '{');
	bw_json_bool(&j, "ok", true);
	bw_json_bool(&j, "end", true);
	bw_json_u64(&j, "count", cl->sent);
	bw_json_close(&j, '}');
	out_notice(cl, &b);
	cl->state = CLIENT_IDLE;
}

static void replay(struct client *cl)
{
	const struct control_ops *ops = cl->control->ops;

	while (cl->state == CLIENT_REPLAY && cl->len < REPLAY_LOW_WATER) {
		struct event_store_query q = client_query(cl);
		struct replay_state st = { .cl = cl };
		int r;

		q.limit = REPLAY_BATCH;
		/* since_seq with a limit means the first so many. */
		if (cl->limit && cl->limit - cl->sent < q.limit)
			q.limit = (unsigned int)(cl->limit - cl->sent);
		r = q.limit ? ops->query(ops->arg, &q, replay_row, &st) : 0;
		if (r == -ETIME && st.rows)
			continue; /* goes on behind the last one it got */
		if (r < 0) {
			out_error(cl, r == -ETIME ? "searching the stored events takes too long; read the file instead" :
						    "the stored events cannot be read");
			cl->state = cl->follow ? CLIENT_LIVE : CLIENT_IDLE;
		} else if (st.rows < REPLAY_BATCH) {
			replay_end(cl);
		}
	}
}

static int first_row(void *arg, uint64_t seq, const char *json, int len)
{
	(void)json;
	(void)len;
	*(uint64_t *)arg = seq;
	return REPLAY_STOP;
}

/* Finds where the latest @limit matching events begin; the answer is then read forward in bounded parts. */
static void seek_latest(struct client *cl)
{
	const struct control_ops *ops = cl->control->ops;
	struct event_store_query q = client_query(cl);

	q.forward = 0;
	q.limit = (unsigned int)cl->limit;
	ops->query(ops->arg, &q, first_row, &cl->next_seq);
}

static void begin_events(struct client *cl, bool since_given)
{
	static const char header[] = "{\"ok\":true,\"stream\":\"events\"}";

	cl->sent = 0;
	cl->until_seq = cl->follow ? 0 : cl->control->last_seq;
	out_line(cl, header, sizeof(header) - 1);
	cl->state = CLIENT_REPLAY;
	if (!since_given && cl->limit) {
		seek_latest(cl);
	} else if (!since_given && cl->follow) {
		cl->state = CLIENT_LIVE;
	}
	if (cl->follow && !since_given)
		cl->limit = 0;
}

void control_publish(struct control *c, const struct alert *a)
{
	c->last_seq = a->seq;
	for (size_t i = 0; i < CONTROL_MAX_CLIENTS; i++) {
		struct client *cl = &c->clients[i];

		if (cl->fd < 0 || !client_wants(cl, a))
			continue;
		if (cl->state == CLIENT_LIVE) {
			if (a->line_len + 1 > CONTROL_MAX_OUTPUT - cl->len || !out_line(cl, a->line, a->line_len))
				client_drop(cl, a->seq);
			else
				cl->next_seq = a->seq + 1;
			client_push(cl);
		} else if (cl->slow) {
			c->stats.lost++;
		}
	}
}

/* ---- requests --------------------------------------------------------------------------------------------------- */

static void do_status(struct client *cl)
{
	const struct control_ops *ops = cl->control->ops;
	_cleanup_buf_ struct bw_buf status = { 0 }, b = { 0 };
	struct bw_json j = { .buf = &b };

	if (ops->status(ops->arg, &status) < 0 || bw_buf_error(&status)) {
		out_error(cl, "the status cannot be told");
		return;
	}
	bw_json_open(&j, NULL, '{');
	bw_json_bool(&j, "ok", true);
	bw_json_raw(&j, "status", bw_buf_cstr(&status), status.len);
	bw_json_close(&j, '}');
	if (bw_buf_error(&b) || !out_line(cl, bw_buf_cstr(&b), b.len))
		out_error(cl, "the status is too long");
}

static void do_sink_test(struct client *cl, const cJSON *req)
{
	const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(req, "sink"));
	const struct control_ops *ops = cl->control->ops;
	_cleanup_buf_ struct bw_buf b = { 0 };
	struct bw_json j = { .buf = &b };
	int r;

	bw_json_open(&j, NULL, '{');
	bw_json_bool(&j, "ok", true);
	r = name && ops->sink_test ? ops->sink_test(ops->arg, name, &j) : -ENOENT;
	bw_json_close(&j, '}');
	if (r < 0 || bw_buf_error(&b) || !out_line(cl, bw_buf_cstr(&b), b.len))
		out_error(cl, r == -ENOENT ? "there is no such sink" : "the test event cannot be made");
}

static bool get_number(const cJSON *v, uint64_t max, uint64_t *ret)
{
	/* Numbers are doubles to cJSON: whole ones up to 2^53 are exact. */
	if (!cJSON_IsNumber(v) || !(v->valuedouble >= 0 && v->valuedouble <= (double)max) ||
	    v->valuedouble != (double)(uint64_t)v->valuedouble)
		return false;
	*ret = (uint64_t)v->valuedouble;
	return true;
}

static bool get_word(const cJSON *v, char *dst, size_t size)
{
	if (!cJSON_IsString(v) || strlen(v->valuestring) >= size)
		return false;
	memcpy(dst, v->valuestring, strlen(v->valuestring) + 1);
	return true;
}

/* Takes one member of a request for events; false when it is unknown or wrong. */
static bool events_member(struct client *cl, const cJSON *v, bool *since_given)
{
	enum alert_severity severity;

	if (!strcmp(v->string, "cmd"))
		return true;
	if (!strcmp(v->string, "follow")) {
		cl->follow = cJSON_IsTrue(v);
		return cJSON_IsBool(v);
	}
	if (!strcmp(v->string, "since_seq")) {
		*since_given = true;
		return get_number(v, 1ULL << 53, &cl->next_seq);
	}
	if (!strcmp(v->string, "limit"))
		return get_number(v, INT32_MAX, &cl->limit);
	if (!strcmp(v->string, "kind"))
		return get_word(v, cl->kind, sizeof(cl->kind));
	if (!strcmp(v->string, "rule"))
		return get_word(v, cl->rule, sizeof(cl->rule));
	if (!strcmp(v->string, "program"))
		return get_word(v, cl->program, sizeof(cl->program));
	if (!strcmp(v->string, "process"))
		return get_word(v, cl->process, sizeof(cl->process));
	if (!strcmp(v->string, "pid"))
		return get_number(v, UINT32_MAX, &cl->pid);
	if (!strcmp(v->string, "since_ms"))
		return get_number(v, INT64_MAX / 1000000, &cl->since_ms);
	if (!strcmp(v->string, "until_ms"))
		return get_number(v, INT64_MAX / 1000000, &cl->until_ms);
	if (!strcmp(v->string, "severity") && cJSON_IsString(v) && alert_severity_parse(v->valuestring, &severity) == 0) {
		cl->min_severity = severity;
		return true;
	}
	return false;
}

static void do_events(struct client *cl, const cJSON *req)
{
	bool since_given = false;
	const cJSON *v;

	cl->follow = false;
	cl->kind[0] = cl->rule[0] = cl->program[0] = cl->process[0] = '\0';
	cl->pid = cl->since_ms = cl->until_ms = 0;
	cl->min_severity = 0;
	cl->next_seq = cl->limit = 0;
	cJSON_ArrayForEach(v, req) {
		if (!events_member(cl, v, &since_given)) {
			_cleanup_buf_ struct bw_buf b = { 0 };

			bw_buf_printf(&b, "bad or unknown member \"%.32s\"", v->string);
			cl->control->stats.bad++;
			out_error(cl, bw_buf_cstr(&b));
			return;
		}
	}
	begin_events(cl, since_given);
}

static bool by_root(int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) && cred.uid == 0;
}

static void do_report(struct client *cl, const cJSON *req)
{
	static const char done[] = "{\"ok\":true}";
	const struct control_ops *ops = cl->control->ops;
	struct control_report r;

	if (!ops->report || !by_root(cl->fd) || !control_report_read(req, &r)) {
		cl->control->stats.bad++;
		out_error(cl, "not a report, or not by root");
		return;
	}
	ops->report(ops->arg, r.event, r.message, r.severity, r.kv);
	out_line(cl, done, sizeof(done) - 1);
}

static void do_request(struct client *cl, const char *line, size_t len)
{
	cJSON *req = cJSON_ParseWithLength(line, len);
	const cJSON *cmd = cJSON_GetObjectItemCaseSensitive(req, "cmd");

	if (!cJSON_IsObject(req) || !cJSON_IsString(cmd)) {
		cl->control->stats.bad++;
		out_error(cl, "a request is one line: a JSON object with \"cmd\"");
	} else if (!strcmp(cmd->valuestring, "status")) {
		do_status(cl);
	} else if (!strcmp(cmd->valuestring, "events")) {
		do_events(cl, req);
	} else if (!strcmp(cmd->valuestring, "sink_test")) {
		do_sink_test(cl, req);
	} else if (!strcmp(cmd->valuestring, "report")) {
		do_report(cl, req);
	} else {
		cl->control->stats.bad++;
		out_error(cl, "unknown cmd; there are \"status\", \"events\", \"report\" and \"sink_test\"");
	}
	cJSON_Delete(req);
}

/* Handles the lines that are complete, one at a time: the next one waits until the answer to the last was given. */
static void client_requests(struct client *cl)
{
	while (cl->state == CLIENT_IDLE && cl->len < REPLAY_LOW_WATER) {
		char *nl = memchr(cl->in, '\n', cl->in_len);
		size_t len;

		if (!nl) {
			if (cl->in_len == sizeof(cl->in)) {
				cl->control->stats.bad++;
				out_error(cl, "the request is too long");
				cl->state = CLIENT_CLOSING;
			}
			return;
		}
		len = (size_t)(nl - cl->in);
		if (len)
			do_request(cl, cl->in, len);
		cl->in_len -= len + 1;
		memmove(cl->in, nl + 1, cl->in_len);
		if (cl->state == CLIENT_REPLAY)
			replay(cl);
	}
}

static int client_event(void *arg, int fd, uint32_t events)
{
	struct client *cl = arg;

	if (events & (EPOLLHUP | EPOLLERR)) {
		client_close(cl);
		return 0;
	}
	if (events & EPOLLIN) {
		size_t room = sizeof(cl->in) - cl->in_len;
		ssize_t n;

		if (!room) { /* a client that talks while it is being answered, without end */
			client_close(cl);
			return 0;
		}
		n = recv(fd, cl->in + cl->in_len, room, MSG_DONTWAIT);
		if (n < 0 && errno != EAGAIN && errno != EINTR) {
			client_close(cl);
			return 0;
		}
		if (n == 0)
			cl->eof = true;
		if (n > 0) {
			cl->in_len += (size_t)n;
			cl->ticks = 0;
		}
	}
	client_requests(cl);
	client_push(cl);
	if (cl->fd >= 0 && cl->state == CLIENT_IDLE && memchr(cl->in, '\n', cl->in_len)) {
		client_requests(cl);
		client_push(cl);
	}
	return 0;
}

/* ---- the socket --------------------------------------------------------------------------------------------------- */

static bool peer_allowed(int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return false;
	return cred.uid == 0 || cred.uid == geteuid();
}

static void refuse(struct control *c, int fd, const char *error)
{
	c->stats.refused++;
	(void)!send(fd, error, strlen(error), MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void client_open(struct control *c, int conn)
{
	_cleanup_close_ int fd = conn;
	struct client *cl = NULL;

	for (size_t i = 0; i < CONTROL_MAX_CLIENTS && !cl; i++)
		if (c->clients[i].fd < 0)
			cl = &c->clients[i];
	if (!peer_allowed(fd)) {
		refuse(c, fd, "{\"ok\":false,\"error\":\"not allowed\"}\n");
		return;
	}
	if (!cl) {
		refuse(c, fd, "{\"ok\":false,\"error\":\"too many clients\"}\n");
		return;
	}
	*cl = (struct client){ .control = c, .fd = -1, .interest = EPOLLIN };
	if (loop_add_fd(c->loop, fd, EPOLLIN, client_event, cl, &cl->source) < 0) {
		c->stats.refused++;
		return;
	}
	cl->fd = TAKE_FD(fd);
	c->stats.accepted++;
}

static int control_accept(void *arg, int listen_fd, uint32_t events)
{
	struct control *c = arg;

	(void)events;
	for (unsigned int i = 0; i < CONTROL_MAX_CLIENTS; i++) {
		int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0) {
			client_open(c, fd);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
			c->paused = loop_modify(c->source, 0) == 0; /* else it would be ready again at once, for ever */
		break;
	}
	return 0;
}

static int control_tick(void *arg, uint64_t expirations)
{
	struct control *c = arg;

	(void)expirations;
	if (c->paused && loop_modify(c->source, EPOLLIN) == 0)
		c->paused = false;
	for (size_t i = 0; i < CONTROL_MAX_CLIENTS; i++) {
		struct client *cl = &c->clients[i];

		if (cl->fd < 0 || cl->state == CLIENT_LIVE)
			continue;
		if (++cl->ticks > (cl->state == CLIENT_CLOSING ? CLOSING_TICKS : IDLE_TICKS))
			client_close(cl);
	}
	return 0;
}

/* Whether somebody listens there. The file of a daemon that is gone refuses connections. */
static int socket_is_live(const struct sockaddr_un *addr, bool *ret)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	*ret = connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) == 0 || (errno != ECONNREFUSED && errno != ENOENT);
	return 0;
}

static int make_way(const struct sockaddr_un *addr)
{
	struct stat st;
	bool live = false;
	int r;

	if (lstat(addr->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -ENOTSOCK;
	r = socket_is_live(addr, &live);
	if (r < 0)
		return r;
	if (live)
		return -EADDRINUSE;
	return unlink(addr->sun_path) < 0 && errno != ENOENT ? -errno : 0;
}

/* Two guards that start together would both find the file stale: the lock lets one go first. It is held to the end. */
static int take_lock(const char *path, int *ret_fd)
{
	_cleanup_buf_ struct bw_buf name = { 0 };
	_cleanup_close_ int fd = -1;

	bw_buf_printf(&name, "%s.lock", path);
	if (bw_buf_error(&name))
		return bw_buf_error(&name);
	fd = open(bw_buf_cstr(&name), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EADDRINUSE : -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int listen_at(struct control_socket *cs)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct stat st;

	if (fd < 0)
		return -errno;
	/* On Linux the file gets the mode of the socket: it is never open to others, not even for a moment. */
	if (fchmod(fd, 0600) < 0 || bind(fd, (struct sockaddr *)&cs->addr, sizeof(cs->addr)) < 0)
		return -errno;
	if (lstat(cs->addr.sun_path, &st) < 0 || listen(fd, CONTROL_MAX_CLIENTS) < 0) {
		int r = -errno;

		unlink(cs->addr.sun_path);
		return r;
	}
	cs->dev = st.st_dev;
	cs->ino = st.st_ino;
	cs->fd = TAKE_FD(fd);
	return 0;
}

int control_listen(const char *path, struct control_socket *ret)
{
	struct control_socket cs = { .fd = -1, .lock_fd = -1, .addr.sun_family = AF_UNIX };
	int r;

	if (strlen(path) >= sizeof(cs.addr.sun_path))
		return -ENAMETOOLONG;
	memcpy(cs.addr.sun_path, path, strlen(path) + 1);
	r = take_lock(path, &cs.lock_fd);
	if (r == 0)
		r = make_way(&cs.addr);
	if (r == 0)
		r = listen_at(&cs);
	if (r < 0) {
		control_unlisten(&cs);
		return r;
	}
	*ret = cs;
	return 0;
}

void control_unlisten(struct control_socket *cs)
{
	struct stat st;

	if (cs->fd >= 0) {
		if (lstat(cs->addr.sun_path, &st) == 0 && st.st_dev == cs->dev && st.st_ino == cs->ino)
			unlink(cs->addr.sun_path);
		close(cs->fd);
	}
	if (cs->lock_fd >= 0)
		close(cs->lock_fd);
	cs->fd = cs->lock_fd = -1;
}

int control_open(struct loop *l, int fd, const struct control_ops *ops, struct control **ret)
{
	struct control *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	c->loop = l;
	c->ops = ops;
	c->fd = fd;
	for (size_t i = 0; i < CONTROL_MAX_CLIENTS; i++)
		c->clients[i] = (struct client){ .control = c, .fd = -1 };
	r = loop_add_fd(l, c->fd, EPOLLIN, control_accept, c, &c->source);
	if (r == 0)
		r = loop_add_timer(l, TICK_NS, TICK_NS, control_tick, c, &c->timer);
	if (r < 0) {
		control_close(c);
		return r;
	}
	*ret = c;
	return 0;
}

void control_close(struct control *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < CONTROL_MAX_CLIENTS; i++) {
		struct client *cl = &c->clients[i];

		if (cl->fd >= 0 && cl->len) /* one last attempt */
			(void)!send(cl->fd, cl->out + cl->head, cl->len, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (cl->fd >= 0)
			client_close(cl);
	}
	loop_remove(c->source);
	loop_remove(c->timer);
	free(c);
}

void control_stats(const struct control *c, struct control_stats *ret)
{
	*ret = c->stats;
	for (size_t i = 0; i < CONTROL_MAX_CLIENTS; i++) {
		const struct client *cl = &c->clients[i];

		ret->clients += cl->fd >= 0;
		ret->followers += cl->fd >= 0 && (cl->state == CLIENT_LIVE || (cl->state == CLIENT_REPLAY && cl->follow));
	}
}
