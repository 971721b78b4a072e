// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * syslog over UDP (RFC 5426), TCP (RFC 6587, octet counting or newlines) and TLS (RFC 5425). The protocol has no acknowledgement. Over
 * TCP the kernel knows how many bytes the other kernel has; what it has not, and the last WINDOW bytes or WINDOW_MS
 * milliseconds of what it has, are sent again over the next connection.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "guard/sinks/sink.h"

#define WINDOW (256u << 10)
#define WINDOW_MS 10000
#define MAX_FLIGHT 65536u /* records remembered */
#define UDP_MAX 65000u
#define CA_FILE "/etc/ssl/certs/ca-certificates.crt"

struct flight {
	uint64_t number, end; /* @end: where it ends in the stream of bytes */
	int64_t sent_ms;
};

struct syslog {
	char host[256], port[16];
	SSL_CTX *ctx;
	SSL *ssl;
	int fd;
	uint64_t written; /* bytes, by us, when there is no TLS */
	struct flight *flights;
	size_t head, n;
	uint64_t confirmed;
};

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int tls_why(struct sink *s, const char *what, int r)
{
	unsigned long e = ERR_get_error();
	const char *reason = ERR_reason_error_string(e);

	sink_why(s, "%s: %s: %s", s->config->address, what, reason ? reason : strerror(-r));
	ERR_clear_error();
	return r;
}

static int tls_prepare(struct sink *s, struct syslog *y)
{
	const struct sink_config *c = s->config;

	y->ctx = SSL_CTX_new(TLS_client_method());
	if (!y->ctx)
		return tls_why(s, "TLS", -ENOMEM);
	SSL_CTX_set_min_proto_version(y->ctx, TLS1_2_VERSION);
	SSL_CTX_set_mode(y->ctx, SSL_MODE_AUTO_RETRY | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_verify(y->ctx, c->insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
	if (!c->insecure && SSL_CTX_load_verify_file(y->ctx, c->ca ? c->ca : CA_FILE) != 1)
		return tls_why(s, c->ca ? c->ca : CA_FILE, -EINVAL);
	if (c->cert && SSL_CTX_use_certificate_chain_file(y->ctx, c->cert) != 1)
		return tls_why(s, c->cert, -EINVAL);
	if (c->key && (SSL_CTX_use_PrivateKey_file(y->ctx, c->key, SSL_FILETYPE_PEM) != 1 || SSL_CTX_check_private_key(y->ctx) != 1))
		return tls_why(s, c->key, -EINVAL);
	return 0;
}

static int syslog_prepare(struct sink *s)
{
	const char *address = s->config->address, *colon = strrchr(address, ':'), *bracket = strrchr(address, ']');
	struct syslog *y = calloc(1, sizeof(*y));
	size_t len;

	if (!y)
		return -ENOMEM;
	s->state = y;
	y->fd = -1;
	y->flights = calloc(MAX_FLIGHT, sizeof(*y->flights));
	if (!y->flights)
		return -ENOMEM;
	if (colon && bracket && colon < bracket)
		colon = NULL;
	snprintf(y->port, sizeof(y->port), "%s", colon ? colon + 1 : s->config->transport == SINK_TLS ? "6514" : "514");
	len = colon ? (size_t)(colon - address) : strlen(address);
	if (address[0] == '[' && len > 2 && address[len - 1] == ']') {
		address++;
		len -= 2;
	}
	if (!len || len >= sizeof(y->host)) {
		sink_why(s, "%s: is not HOST:PORT", s->config->address);
		return -EINVAL;
	}
	memcpy(y->host, address, len);
	return s->config->transport == SINK_TLS ? tls_prepare(s, y) : 0;
}

static int wait_fd(struct sink *s, int fd, short events, int64_t until)
{
	while (now_ms() < until) {
		struct pollfd p = { .fd = fd, .events = events };

		if (sink_stopping(s))
			return -ECANCELED;
		if (poll(&p, 1, 100) > 0)
			return 0;
	}
	return -ETIMEDOUT;
}

static int connect_to(struct sink *s, const struct addrinfo *a, int *ret)
{
	_cleanup_close_ int fd = socket(a->ai_family, a->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, a->ai_protocol);
	socklen_t len = sizeof(int);
	int error = 0, on = 1, r;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	/* A peer that is gone is noticed within the time limit, even with nothing but unanswered data under way. */
	if (a->ai_socktype == SOCK_STREAM) {
		unsigned int ms = 30000;

		setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms));
	}
	if (connect(fd, a->ai_addr, a->ai_addrlen) < 0) {
		if (errno != EINPROGRESS)
			return -errno;
		r = wait_fd(s, fd, POLLOUT, now_ms() + (int64_t)s->config->timeout_ms);
		if (r < 0)
			return r;
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
			return -errno;
		if (error)
			return -error;
	}
	*ret = TAKE_FD(fd);
	return 0;
}

static int tls_io(struct sink *s, struct syslog *y, int ssl_result, int64_t until)
{
	int e = SSL_get_error(y->ssl, ssl_result);

	if (e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE)
		return wait_fd(s, y->fd, e == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, until);
	if (e == SSL_ERROR_SYSCALL && errno)
		return -errno;
	return e == SSL_ERROR_ZERO_RETURN || e == SSL_ERROR_SYSCALL ? -ECONNRESET : -EPROTO;
}

static int tls_open(struct sink *s, struct syslog *y)
{
	const char *name = s->config->server_name ? s->config->server_name : y->host;
	int64_t until = now_ms() + (int64_t)s->config->timeout_ms;
	X509_VERIFY_PARAM *param;
	int r = 0, n;

	y->ssl = SSL_new(y->ctx);
	if (!y->ssl || SSL_set_fd(y->ssl, y->fd) != 1)
		return tls_why(s, "TLS", -ENOMEM);
	param = SSL_get0_param(y->ssl);
	if (X509_VERIFY_PARAM_set1_ip_asc(param, name) != 1) {
		ERR_clear_error();
		X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
		if (X509_VERIFY_PARAM_set1_host(param, name, 0) != 1 || SSL_set_tlsext_host_name(y->ssl, name) != 1)
			return tls_why(s, "TLS", -EINVAL);
	}
	errno = 0;
	while (r == 0 && (n = SSL_connect(y->ssl)) != 1)
		r = tls_io(s, y, n, until);
	if (r == -EPROTO) {
		long v = SSL_get_verify_result(y->ssl);

		if (v != X509_V_OK) {
			sink_why(s, "%s: certificate: %s", s->config->address, X509_verify_cert_error_string(v));
			ERR_clear_error();
			return r;
		}
		return tls_why(s, "TLS handshake", r);
	}
	if (r < 0)
		sink_why(s, "%s: TLS handshake: %s", s->config->address, strerror(-r));
	return r;
}

static void syslog_close(struct sink *s, bool orderly);

static void tell_peer(struct sink *s, const struct syslog *y)
{
	char host[64] = "?", port[8] = "?", peer[SINK_PEER], tls[SINK_PEER];
	struct sockaddr_storage a;
	socklen_t len = sizeof(a);

	if (getpeername(y->fd, (struct sockaddr *)&a, &len) == 0)
		getnameinfo((struct sockaddr *)&a, len, host, sizeof(host), port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);
	snprintf(peer, sizeof(peer), strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
	if (y->ssl)
		snprintf(tls, sizeof(tls), "%s, %s%s", SSL_get_version(y->ssl), SSL_get_cipher_name(y->ssl), s->config->insecure ? ", certificate not checked" : "");
	sink_connected(s, peer, y->ssl ? tls : NULL);
}

static int syslog_open(struct sink *s)
{
	struct addrinfo hints = { .ai_socktype = s->config->transport == SINK_UDP ? SOCK_DGRAM : SOCK_STREAM }, *list = NULL;
	struct syslog *y = s->state;
	int r = getaddrinfo(y->host, y->port, &hints, &list);

	if (r) {
		sink_why(s, "%s: %s", s->config->address, gai_strerror(r));
		return -EHOSTUNREACH;
	}
	r = -EHOSTUNREACH;
	for (const struct addrinfo *a = list; a && r < 0 && !sink_stopping(s); a = a->ai_next)
		r = connect_to(s, a, &y->fd);
	freeaddrinfo(list);
	if (r < 0) {
		sink_why(s, "%s: %s", s->config->address, strerror(-r));
		return r;
	}
	y->written = 0;
	y->head = y->n = 0;
	y->confirmed = 0;
	tell_peer(s, y);
	if (s->config->transport == SINK_TLS) {
		r = tls_open(s, y);
		if (r < 0)
			syslog_close(s, false);
		else
			tell_peer(s, y);
	}
	return r;
}

/* Nobody talks to us over these connections: what arrives is their end (or TLS's own records). */
static int peer_gone(struct syslog *y)
{
	char byte[64];
	ssize_t n;

	if (y->ssl) {
		n = SSL_read(y->ssl, byte, sizeof(byte));
		if (n > 0)
			return 0;
		switch (SSL_get_error(y->ssl, (int)n)) {
		case SSL_ERROR_WANT_READ:
		case SSL_ERROR_WANT_WRITE:
			return 0;
		default:
			ERR_clear_error();
			return -ECONNRESET;
		}
	}
	n = recv(y->fd, byte, sizeof(byte), MSG_DONTWAIT);
	if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return 0;
	return n < 0 ? -errno : -ECONNRESET;
}

static int write_all(struct sink *s, struct syslog *y, const char *data, size_t len)
{
	int r = 0;

	while (len && r == 0) {
		/* A receiver that takes nothing for so long is given up, and its connection begun anew. */
		int64_t until = now_ms() + (int64_t)s->config->timeout_ms;
		ssize_t n;

		if (y->ssl) {
			errno = 0;
			n = SSL_write(y->ssl, data, len < INT32_MAX ? (int)len : INT32_MAX);
			if (n <= 0) {
				r = tls_io(s, y, (int)n, until);
				continue;
			}
		} else {
			n = send(y->fd, data, len, MSG_NOSIGNAL);
			if (n < 0) {
				r = errno == EAGAIN ? wait_fd(s, y->fd, POLLOUT, until) : errno == EINTR ? 0 : -errno;
				continue;
			}
			y->written += (uint64_t)n;
		}
		data += n;
		len -= (size_t)n;
	}
	return r;
}

static uint64_t position(const struct syslog *y)
{
	return y->ssl ? BIO_number_written(SSL_get_wbio(y->ssl)) : y->written;
}

/* The header of a frame, without printf(): there may be 200,000 of them a second. */
static void frame(struct bw_buf *out, const char *data, size_t len, bool newline)
{
	char digits[24];
	size_t n = sizeof(digits), v = len;

	if (newline) {
		bw_buf_append(out, data, len);
		bw_buf_char(out, '\n');
		return;
	}
	digits[--n] = ' ';
	do
		digits[--n] = (char)('0' + v % 10);
	while (v /= 10);
	bw_buf_append(out, digits + n, sizeof(digits) - n);
	bw_buf_append(out, data, len);
}

static int send_udp(struct sink *s, struct syslog *y, struct sink_batch *b)
{
	for (size_t i = 0; i < b->n; i++) {
		struct sink_item *it = &b->items[i];
		ssize_t n;

		if (it->status != ITEM_OPEN)
			continue;
		if (it->len > UDP_MAX) {
			snprintf(b->why, sizeof(b->why), "larger than a datagram");
			it->status = ITEM_REFUSED;
			continue;
		}
		do
			n = send(y->fd, b->text.data + it->offset, it->len, MSG_NOSIGNAL);
		while (n < 0 && (errno == EINTR || (errno == EAGAIN && wait_fd(s, y->fd, POLLOUT, now_ms() + 1000) == 0)));
		if (n < 0) {
			sink_why(s, "%s: %s", s->config->address, strerror(errno));
			return -errno;
		}
		it->status = ITEM_DONE;
	}
	return 0;
}

static int send_stream(struct sink *s, struct syslog *y, struct sink_batch *b)
{
	_cleanup_buf_ struct bw_buf out = { 0 };
	uint64_t before = position(y);
	size_t ends[64], n_ends = 0, step = b->n / 60 + 1;
	int64_t now = now_ms();
	int r = peer_gone(y);

	/* Where some of the records end is enough to know; a record is never confirmed early. */
	for (size_t i = 0; i < b->n; i++) {
		if (b->items[i].status == ITEM_OPEN)
			frame(&out, b->text.data + b->items[i].offset, b->items[i].len, s->config->lines);
		if ((i % step == step - 1 || i + 1 == b->n) && n_ends < ARRAY_SIZE(ends))
			ends[n_ends++] = out.len;
	}
	if (r == 0)
		r = bw_buf_error(&out);
	if (r == 0)
		r = write_all(s, y, out.data, out.len);
	if (r < 0) {
		sink_why(s, "%s: %s", s->config->address, strerror(-r));
		return r;
	}
	for (size_t i = 0, e = 0; i < b->n; i++) {
		b->items[i].status = b->items[i].status == ITEM_OPEN ? ITEM_DONE : b->items[i].status;
		if ((i % step == step - 1 || i + 1 == b->n) && e < n_ends) {
			/* Records of TLS have their own length: only the end of the whole is known. */
			uint64_t end = y->ssl ? position(y) : before + ends[e];

			e++;
			if (y->n < MAX_FLIGHT)
				y->flights[(y->head + y->n++) % MAX_FLIGHT] = (struct flight){ b->items[i].number, end, now };
		}
	}
	return 0;
}

static int syslog_send(struct sink *s, struct sink_batch *b)
{
	struct syslog *y = s->state;

	return s->config->transport == SINK_UDP ? send_udp(s, y, b) : send_stream(s, y, b);
}

static uint64_t acked(const struct syslog *y)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	if (getsockopt(y->fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0 || !info.tcpi_bytes_acked)
		return 0;
	return info.tcpi_bytes_acked - 1; /* the SYN counts as a byte */
}

static uint64_t syslog_confirmed(struct sink *s)
{
	struct syslog *y = s->state;
	int64_t now = now_ms();
	uint64_t have;

	if (s->config->transport == SINK_UDP)
		return UINT64_MAX;
	if (y->fd < 0)
		return y->confirmed;
	if (!y->n)
		return UINT64_MAX;
	have = acked(y);
	while (y->n) {
		const struct flight *f = &y->flights[y->head];

		if (have < f->end || (have - f->end < WINDOW && now - f->sent_ms < WINDOW_MS))
			break;
		y->confirmed = f->number;
		y->head = (y->head + 1) % MAX_FLIGHT;
		y->n--;
	}
	if (y->n && peer_gone(y) < 0) {
		sink_why(s, "%s: the receiver closed the connection", s->config->address);
		syslog_close(s, false);
		s->is_open = false;
	}
	return y->n || y->fd < 0 ? y->confirmed : UINT64_MAX;
}

static void syslog_close(struct sink *s, bool orderly)
{
	struct syslog *y = s->state;

	if (y->fd < 0)
		return;
	if (orderly && s->config->transport != SINK_UDP) {
		int64_t until = now_ms() + 1000;
		char byte[64];

		if (y->ssl)
			SSL_shutdown(y->ssl);
		shutdown(y->fd, SHUT_WR);
		/* Its end says that it has read everything. */
		while (now_ms() < until) {
			struct pollfd p = { .fd = y->fd, .events = POLLIN };
			ssize_t n;

			if (poll(&p, 1, 50) <= 0)
				continue;
			n = recv(y->fd, byte, sizeof(byte), MSG_DONTWAIT);
			if (n == 0 && y->n) {
				y->confirmed = y->flights[(y->head + y->n - 1) % MAX_FLIGHT].number;
				y->n = 0;
			}
			if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
				break;
		}
	}
	SSL_free(y->ssl);
	y->ssl = NULL;
	close(y->fd);
	y->fd = -1;
	ERR_clear_error();
}

static void syslog_release(struct sink *s)
{
	struct syslog *y = s->state;

	if (!y)
		return;
	syslog_close(s, false);
	SSL_CTX_free(y->ctx);
	free(y->flights);
	free(y);
}

const struct sink_ops sink_syslog_ops = {
	.prepare = syslog_prepare, .open = syslog_open, .send = syslog_send, .confirmed = syslog_confirmed, .close = syslog_close,
	.release = syslog_release,
};
