// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The supervisor: one call at a time is read, judged, made, answered. A call whose number is in a register and which is harmless whatever its
 * arguments say goes on in the kernel (CONTINUE); everything that is judged is made here, on the copy.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/audit.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/perf_event.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "auditor/broker/broker.h"
#include "common/bpf_names.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/log.h"

/* 6.19: the number may carry this bit, and common attributes follow. Refused like a kernel without it does: libbpf then goes without. */
#define COMMON_ATTRS (1u << 16)
/* Commands that the oldest header lacks. */
enum { CMD_TOKEN_CREATE = 36, CMD_PROG_STREAM_READ = 37 };

#define I386_BPF	 357
#define I386_PERF_EVENT	 336
#define I386_SETSOCKOPT	 366
#define I386_SOCKETCALL	 102
#define I386_IOCTL	 54
#define MAX_OPTION	 4096u /* bytes of a socket option's value */
#define MAX_FAKES 65536u

struct broker {
	const struct broker_config *config;
	struct broker_judge *judge;
	struct broker_record *record;
	int listener;
	int output; /* -1: none */
	pid_t child;
	uint64_t calls, refused;
	ino_t *fakes; /* of descriptors that stand for programs and links in a dry run */
	uint32_t n_fakes;
};

/* What to answer: a result, an error, or let the kernel go on. */
struct answer {
	bool go_on;
	long result; /* or -errno */
};

#define ANSWER(n) ((struct answer){ .result = (n) })
#define GO_ON	  ((struct answer){ .go_on = true })

/* ---- telling ---- */

static void tell(struct broker *b, const struct broker_target *t, const char *call, const struct broker_load *l,
		 const struct broker_verdict *v, long result)
{
	_cleanup_buf_ struct bw_buf out = { 0 };
	struct bw_json j = { .buf = &out };
	struct timespec now;

	if (!v->allow) {
		b->refused++;
		bw_warn("%s of %s (%d)%s%s%s is refused: %s%s%s", call, t->comm, t->tgid, l && l->name[0] ? ", program \"" : "",
			l ? l->name : "", l && l->name[0] ? "\"," : "", v->reason, v->detail[0] ? ": " : "", v->detail);
	}
	if (b->output < 0)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	bw_json_open(&j, NULL, '{');
	bw_json_u64(&j, "v", 1);
	bw_json_u64(&j, "time_ns", (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec);
	bw_json_str(&j, "call", call);
	bw_json_u64(&j, "pid", (uint64_t)t->tgid);
	bw_json_u64(&j, "tid", (uint64_t)t->tid);
	bw_json_u64(&j, "uid", t->uid);
	bw_json_str(&j, "comm", t->comm);
	bw_json_str(&j, "exe", t->exe);
	bw_json_bool(&j, "compat", t->compat);
	if (l) {
		const char *type = bw_prog_type_name(l->prog_type);

		bw_json_str(&j, "prog_name", l->name);
		if (type)
			bw_json_str(&j, "prog_type", type);
		else
			bw_json_u64(&j, "prog_type", l->prog_type);
		bw_json_hex(&j, "digest", l->digest, sizeof(l->digest));
		bw_json_u64(&j, "insn_cnt", l->n_insns);
	}
	bw_json_str(&j, "verdict", v->allow ? "allow" : "deny");
	bw_json_str(&j, "reason", v->reason);
	if (v->detail[0])
		bw_json_str(&j, "detail", v->detail);
	bw_json_i64(&j, "result", result);
	if (b->config->dry_run)
		bw_json_bool(&j, "dry_run", true);
	bw_json_close(&j, '}');
	bw_buf_char(&out, '\n');
	if (bw_buf_error(&out) || write(b->output, out.data, out.len) != (ssize_t)out.len)
		bw_err("the output cannot be written: %s", strerror(bw_buf_error(&out) ? ENOMEM : errno));
}

/* ---- descriptors of nothing ---- */

static int fake_new(struct broker *b, const struct broker_target *t)
{
	_cleanup_close_ int fd = memfd_create("bpf-dry-run", MFD_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!b->fakes) {
		b->fakes = calloc(MAX_FAKES, sizeof(*b->fakes));
		if (!b->fakes)
			return -ENOMEM;
	}
	if (b->n_fakes == MAX_FAKES)
		return -ENFILE;
	b->fakes[b->n_fakes++] = st.st_ino;
	return broker_give(t, fd);
}

static bool is_fake(const struct broker *b, const struct broker_target *t, int fd)
{
	_cleanup_close_ int own = b->n_fakes ? broker_dup(t, fd) : -1;
	struct stat st;

	if (own < 0 || fstat(own, &st) < 0)
		return false;
	for (uint32_t i = b->n_fakes; i > 0; i--)
		if (b->fakes[i - 1] == st.st_ino)
			return true;
	return false;
}

/* ---- bpf(2) ---- */

static struct answer load(struct broker *b, const struct broker_target *t, uint64_t attr, uint32_t size)
{
	struct broker_verdict v = { .allow = true, .reason = "record" };
	struct broker_load l;
	int fd = -1, r;

	if (!t->capable) {
		v = (struct broker_verdict){ .reason = "unprivileged" };
		tell(b, t, "prog_load", NULL, &v, -EPERM);
		return ANSWER(-EPERM);
	}
	r = broker_load_copy(t, attr, size, &l);
	if (!r && !b->config->record)
		r = broker_judge_load(b->judge, t, &l, &v);
	if (!r && b->record)
		r = broker_record_add(b->record, t, &l);
	if (!r && !v.allow)
		r = -EPERM;
	if (!r && b->config->dry_run) {
		r = fake_new(b, t);
	} else if (!r) {
		fd = broker_load_execute(t, &l);
		r = fd < 0 ? fd : broker_give(t, fd);
	}
	if (fd >= 0)
		close(fd);
	if (v.allow && r < 0)
		v.reason = "error";
	tell(b, t, "prog_load", &l, &v, r);
	broker_load_free(&l);
	return ANSWER(r);
}

/* BPF_OBJ_GET_INFO_BY_FD of a descriptor of nothing: what loaders ask after a load. */
static struct answer fake_info(const struct broker_target *t, uint64_t attr)
{
	struct bpf_prog_info info = { .type = BPF_PROG_TYPE_UNSPEC, .id = UINT32_MAX };
	struct {
		uint32_t fd, len;
		uint64_t info;
	} a;

	if (broker_read(t, attr, &a, sizeof(a)) < 0)
		return ANSWER(-EFAULT);
	return ANSWER(broker_write(t, a.info, &info, a.len < sizeof(info) ? a.len : sizeof(info)));
}

/* In a dry run: what a command is about, when that is a descriptor of nothing. */
static struct answer dry(struct broker *b, const struct broker_target *t, uint32_t cmd, uint64_t attr, uint32_t size)
{
	uint32_t word[4] = { 0 };
	int fd;

	if (broker_read(t, attr, word, size < sizeof(word) ? size : sizeof(word)) < 0)
		return ANSWER(-EFAULT);
	switch (cmd) {
	case BPF_RAW_TRACEPOINT_OPEN: /* u64 name, u32 prog_fd */
	case BPF_OBJ_PIN:	      /* u64 pathname, u32 bpf_fd */
		fd = (int)word[2];
		break;
	case BPF_PROG_ATTACH: /* target, attach_bpf_fd */
	case BPF_PROG_DETACH:
	case BPF_LINK_UPDATE:
		fd = (int)word[1];
		break;
	default: /* LINK_CREATE, TEST_RUN, BIND_MAP, LINK_DETACH, ITER_CREATE, OBJ_GET_INFO: first */
		fd = (int)word[0];
	}
	/* A program in the value of an array of programs would not be a program: the map stays as it is. */
	if (cmd == BPF_MAP_UPDATE_ELEM) {
		uint64_t value;
		int in_value;

		if (broker_read(t, attr + 16, &value, sizeof(value)) == 0 && broker_read(t, value, &in_value, sizeof(in_value)) == 0 &&
		    is_fake(b, t, in_value))
			return ANSWER(0);
		return GO_ON;
	}
	if (!is_fake(b, t, fd))
		return GO_ON;
	switch (cmd) {
	case BPF_OBJ_GET_INFO_BY_FD:
		return fake_info(t, attr);
	case BPF_RAW_TRACEPOINT_OPEN:
	case BPF_LINK_CREATE:
	case BPF_ITER_CREATE:
		return ANSWER(fake_new(b, t));
	case BPF_PROG_TEST_RUN:
		return ANSWER(-EOPNOTSUPP);
	default:
		return ANSWER(0);
	}
}

static struct answer call_bpf(struct broker *b, const struct broker_target *t, const uint64_t *args)
{
	uint32_t cmd = (uint32_t)args[0], size = (uint32_t)args[2];
	struct broker_verdict v = { .reason = "confined" };

	if (cmd & COMMON_ATTRS)
		return ANSWER(-EINVAL);
	if (cmd == BPF_PROG_LOAD)
		return load(b, t, args[1], size);
	switch (cmd) {
	case CMD_TOKEN_CREATE:
		/* With a token somebody else could load, unseen. */
		v.reason = "token";
		tell(b, t, "token_create", NULL, &v, -EPERM);
		return ANSWER(-EPERM);
	case BPF_PROG_GET_FD_BY_ID:
	case BPF_MAP_GET_FD_BY_ID:
	case BPF_LINK_GET_FD_BY_ID:
	case BPF_OBJ_GET:
		if (!b->config->confine)
			return GO_ON;
		tell(b, t, bw_command_name(cmd), NULL, &v, -EPERM);
		return ANSWER(-EPERM);
	default:
		return b->config->dry_run ? dry(b, t, cmd, args[1], size) : GO_ON;
	}
}

/* ---- the other ways ---- */

/* Makes a classic filter's setsockopt(2) on the copy. */
static struct answer classic(struct broker *b, const struct broker_target *t, int fd, int option, uint64_t value, uint32_t len)
{
	struct sock_filter insns[BPF_MAXINSNS];
	struct sock_fprog prog = { .filter = insns };
	struct broker_verdict v;
	uint64_t address = 0;
	uint16_t n = 0;
	long r = 0;
	int own;

	if (t->compat) { /* struct compat_sock_fprog */
		struct {
			uint16_t len, pad;
			uint32_t filter;
		} p = { 0 };

		r = len < sizeof(p) ? -EINVAL : broker_read(t, value, &p, sizeof(p));
		n = p.len;
		address = p.filter;
	} else {
		struct {
			uint16_t len, pad[3];
			uint64_t filter;
		} p = { 0 };

		r = len < sizeof(p) ? -EINVAL : broker_read(t, value, &p, sizeof(p));
		n = p.len;
		address = p.filter;
	}
	if (!r && (!n || n > BPF_MAXINSNS))
		r = -EINVAL;
	if (!r)
		r = broker_read(t, address, insns, n * sizeof(*insns));
	if (r)
		return ANSWER(r);
	prog.len = n;
	if (b->config->record)
		v = (struct broker_verdict){ .allow = true, .reason = "record" };
	else
		broker_judge_classic(b->judge, &v);
	if (!v.allow) {
		r = -EPERM;
	} else if (!b->config->dry_run) {
		own = broker_dup(t, fd);
		if (own < 0)
			return ANSWER(own);
		r = setsockopt(own, SOL_SOCKET, option, &prog, sizeof(prog)) < 0 ? -errno : 0;
		close(own);
	}
	tell(b, t, option == SO_ATTACH_FILTER ? "attach_filter" : "attach_reuseport_filter", NULL, &v, r);
	return ANSWER(r);
}

static struct answer call_setsockopt(struct broker *b, const struct broker_target *t, const uint64_t *args)
{
	int option = (int)args[2], prog;

	if ((int)args[1] != SOL_SOCKET)
		return GO_ON;
	switch (option) {
	case SO_ATTACH_FILTER:
	case SO_ATTACH_REUSEPORT_CBPF:
		return classic(b, t, (int)args[0], option, args[3], (uint32_t)args[4]);
	case SO_ATTACH_BPF:
	case SO_ATTACH_REUSEPORT_EBPF:
		/* The program behind the descriptor was judged when it was loaded. */
		if (b->config->dry_run && broker_read(t, args[3], &prog, sizeof(prog)) == 0 && is_fake(b, t, prog))
			return ANSWER(0);
		return GO_ON;
	default:
		return GO_ON;
	}
}

static struct answer call_ioctl(struct broker *b, const struct broker_target *t, const uint64_t *args)
{
	int prog = (int)args[2];

	if (!b->config->dry_run)
		return GO_ON;
	if ((uint32_t)args[1] != PERF_EVENT_IOC_SET_BPF && broker_read(t, args[2], &prog, sizeof(prog)) < 0)
		return ANSWER(-EFAULT);
	return is_fake(b, t, prog) ? ANSWER(0) : GO_ON;
}

/*
 * 32-bit socketcall(2): the arguments are in memory, and would be read again by the kernel; so every option is set here, from a
 * copy. Options whose value differs between 32 and 64 bits are converted or refused.
 */
static struct answer call_socketcall(struct broker *b, const struct broker_target *t, const uint64_t *args)
{
	struct broker_verdict v = { .reason = "not-convertible" };
	uint32_t in[5]; /* socket, level, option, value, length */
	_Alignas(8) char value[MAX_OPTION];
	uint32_t len;
	int own, r;

	if (broker_read(t, args[1], in, sizeof(in)) < 0)
		return ANSWER(-EFAULT);
	len = in[4];
	if ((int)in[1] == SOL_SOCKET && (in[2] == SO_ATTACH_FILTER || in[2] == SO_ATTACH_REUSEPORT_CBPF))
		return classic(b, t, (int)in[0], (int)in[2], in[3], len);
	if (((int)in[1] == IPPROTO_IP || (int)in[1] == IPPROTO_IPV6) && in[2] >= MCAST_JOIN_GROUP && in[2] <= MCAST_MSFILTER) {
		snprintf(v.detail, sizeof(v.detail), "multicast option %u of a 32-bit program", in[2]);
		tell(b, t, "setsockopt", NULL, &v, -ENOPROTOOPT);
		return ANSWER(-ENOPROTOOPT);
	}
	if (len > sizeof(value))
		return ANSWER(-EINVAL);
	if (len && broker_read(t, in[3], value, len) < 0)
		return ANSWER(-EFAULT);
	if ((int)in[1] == SOL_SOCKET && (in[2] == SO_RCVTIMEO || in[2] == SO_SNDTIMEO) && len == 8) {
		int32_t old[2];
		struct timeval tv;

		memcpy(old, value, sizeof(old));
		tv = (struct timeval){ old[0], old[1] };
		memcpy(value, &tv, sizeof(tv));
		len = sizeof(tv);
	}
	own = broker_dup(t, (int)in[0]);
	if (own < 0)
		return ANSWER(own);
	r = setsockopt(own, (int)in[1], (int)in[2], value, len) < 0 ? -errno : 0;
	close(own);
	return ANSWER(r);
}

static struct answer dispatch(struct broker *b, const struct broker_target *t, const struct seccomp_notif *n)
{
	const uint64_t *args = (const uint64_t *)n->data.args;
	struct broker_verdict v = { .allow = true, .reason = "seen" };

	if (t->compat) {
		switch (n->data.nr) {
		case I386_BPF:
			return call_bpf(b, t, args);
		case I386_SETSOCKOPT:
			return call_setsockopt(b, t, args);
		case I386_SOCKETCALL:
			return call_socketcall(b, t, args);
		case I386_IOCTL:
			return call_ioctl(b, t, args);
		case I386_PERF_EVENT:
			tell(b, t, "perf_event_open", NULL, &v, 0);
			return GO_ON;
		default:
			return ANSWER(-ENOSYS);
		}
	}
	switch (n->data.nr) {
	case SYS_bpf:
		return call_bpf(b, t, args);
	case SYS_setsockopt:
		return call_setsockopt(b, t, args);
	case SYS_ioctl:
		return call_ioctl(b, t, args);
	case SYS_perf_event_open:
		tell(b, t, "perf_event_open", NULL, &v, 0);
		return GO_ON;
	default:
		return ANSWER(-ENOSYS);
	}
}

/* ---- the loop ---- */

static void serve(struct broker *b, const struct seccomp_notif *n, struct seccomp_notif_resp *resp)
{
	struct broker_target t;
	struct answer a;
	int r;

	memset(resp, 0, sizeof(*resp));
	resp->id = n->id;
	b->calls++;
	r = broker_target_open(b->listener, n->id, (pid_t)n->pid, n->data.arch == AUDIT_ARCH_I386, &t);
	if (r) {
		/* It is gone, or cannot be read: then nothing is done for it. */
		a = ANSWER(r == -ENOENT ? -EINTR : -EPERM);
		if (r != -ENOENT)
			bw_warn("process %u: %s; its call is refused", n->pid, strerror(-r));
	} else {
		a = dispatch(b, &t, n);
	}
	broker_target_close(&t);
	if (a.go_on)
		resp->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	else if (a.result < 0)
		resp->error = (int)a.result;
	else
		resp->val = a.result;
	if (ioctl(b->listener, SECCOMP_IOCTL_NOTIF_SEND, resp) < 0 && errno != ENOENT)
		bw_err("an answer could not be given: %s", strerror(errno));
}

/* Until the last process of the command has ended. Returns the exit status of the first. */
static int supervise(struct broker *b)
{
	struct seccomp_notif_sizes sizes;
	struct seccomp_notif *n;
	struct seccomp_notif_resp *resp;
	int status = -1, r = 0;

	if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) < 0)
		return -errno;
	n = calloc(1, sizes.seccomp_notif > sizeof(*n) ? sizes.seccomp_notif : sizeof(*n));
	resp = calloc(1, sizes.seccomp_notif_resp > sizeof(*resp) ? sizes.seccomp_notif_resp : sizeof(*resp));
	if (!n || !resp) {
		r = -ENOMEM;
		goto out;
	}
	for (;;) {
		struct pollfd p = { .fd = b->listener, .events = POLLIN };
		int ws;

		if (poll(&p, 1, 200) < 0 && errno != EINTR) {
			r = -errno;
			break;
		}
		if (status < 0 && waitpid(b->child, &ws, WNOHANG) == b->child)
			status = WIFEXITED(ws) ? WEXITSTATUS(ws) : 128 + WTERMSIG(ws);
		if (p.revents & POLLIN) {
			memset(n, 0, sizes.seccomp_notif);
			if (ioctl(b->listener, SECCOMP_IOCTL_NOTIF_RECV, n) == 0)
				serve(b, n, resp);
			else if (errno != EINTR && errno != ENOENT) {
				r = -errno;
				break;
			}
			continue;
		}
		/* Kernels before 5.10 do not hang up; there the first process decides. */
		if (p.revents & (POLLHUP | POLLERR) || (status >= 0 && !(p.revents & POLLIN) && kill(-b->child, 0) < 0 && errno == ESRCH))
			if (status >= 0)
				break;
		if (p.revents & POLLHUP) {
			while (waitpid(b->child, &ws, 0) < 0 && errno == EINTR)
				;
			status = WIFEXITED(ws) ? WEXITSTATUS(ws) : 128 + WTERMSIG(ws);
			break;
		}
	}
out:
	free(n);
	free(resp);
	return r ? r : status;
}

static void run_child(int socket, char *const *argv)
{
	int r = broker_filter_install(socket, geteuid() != 0);

	if (r < 0) {
		fprintf(stderr, "bpfwarden run: the filter cannot be installed: %s\n", strerror(-r));
		_exit(126);
	}
	close(socket);
	execvp(argv[0], argv);
	fprintf(stderr, "bpfwarden run: %s: %s\n", argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

static int start(struct broker *b, char *const *argv)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	b->child = fork();
	if (b->child < 0)
		return -errno;
	if (!b->child) {
		close(pair[0]);
		run_child(pair[1], argv);
	}
	close(pair[1]);
	b->listener = broker_filter_receive(pair[0]);
	close(pair[0]);
	return b->listener < 0 ? b->listener : 0;
}

int broker_run(const struct broker_config *config, char *const *argv)
{
	struct broker b = { .config = config, .listener = -1, .output = -1 };
	int r = 0, ws;

	if (config->output)
		b.output = !strcmp(config->output, "-") ? STDERR_FILENO :
							   open(config->output, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (config->output && b.output < 0) {
		bw_err("%s: %s", config->output, strerror(errno));
		return -EINVAL;
	}
	if (config->record)
		r = broker_record_open(&b.record);
	else
		r = broker_judge_open(config->policy, &b.judge);
	/* Before the listener is there a signal ends everything; afterwards the command decides what it does with one. */
	if (!r) {
		r = start(&b, argv);
		if (r < 0 && b.child > 0 && waitpid(b.child, &ws, 0) == b.child && WIFEXITED(ws))
			r = WEXITSTATUS(ws); /* it has said why */
		else if (r < 0)
			bw_err("%s", strerror(-r));
	}
	if (!r) {
		signal(SIGINT, SIG_IGN);
		signal(SIGQUIT, SIG_IGN);
		r = supervise(&b);
		if (r < 0)
			bw_err("supervision ended: %s; the calls of the command now fail", strerror(-r));
	}
	if (r >= 0 && config->record) {
		int w = broker_record_write(b.record, config->record);

		if (w < 0) {
			bw_err("%s: %s", config->record, strerror(-w));
			r = w;
		}
	}
	if (b.listener >= 0)
		close(b.listener);
	if (b.output > STDERR_FILENO)
		close(b.output);
	broker_judge_free(b.judge);
	broker_record_free(b.record);
	free(b.fakes);
	return r;
}
