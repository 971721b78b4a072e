// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The process that fetches policies: libcurl, and nothing of what it gets is looked at but the ETag. */
#include <curl/curl.h>
#include <errno.h>
#include <netdb.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/policy_sign.h"
#include "guard/policy_fetch.h"

#define CA_FILE "/etc/ssl/certs/ca-certificates.crt"
#define MAX_PEM (4u << 20)
#define MAX_REDIRECTS 3L
#define SLOW_BYTES 64L /* a second, over the whole time of a transfer: less is a stall */

const struct privsep_form fetch_notes[FETCH_NOTES] = {
	[FETCH_NOTE_GO] = { "go", 0, FETCH_MAX_ETAG, false },
};
const struct privsep_form fetch_requests[FETCH_REQUESTS] = {
	[FETCH_GOT] = { "got", sizeof(struct fetch_got), sizeof(struct fetch_got) + FETCH_MAX_ETAG, true },
	[FETCH_SAME] = { "same", 0, 0, false },
	[FETCH_FAILED] = { "failed", 1, FETCH_MAX_WHY, false },
};

struct pem {
	char *data;
	size_t len;
};

struct transfer {
	struct bw_buf body;
	char etag[FETCH_MAX_ETAG + 1];
	long status;
};

static struct {
	struct pem ca, cert, key;
	char why[FETCH_MAX_WHY];
} child; /* of this process */

/* ---- with privileges, before anything foreign ------------------------------------------------------------------------ */

static int read_pem(const char *path, struct pem *ret)
{
	int r = path ? bw_file_read(path, MAX_PEM, &ret->data, &ret->len) : 0;

	if (r < 0)
		snprintf(child.why, sizeof(child.why), "%s: %s", path, strerror(-r));
	return r;
}

int fetch_prepare(void *arg)
{
	const struct fetch_conf *c = arg;
	struct addrinfo *list = NULL;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return -ENOMEM;
	/* What cannot be read is said when it is asked to fetch. */
	if (!read_pem(c->ca ? c->ca : CA_FILE, &child.ca) && !read_pem(c->cert, &child.cert))
		read_pem(c->key, &child.key);
	/* What libraries load when a name is first looked up cannot be loaded later: the filter lets no memory become executable. */
	res_init();
	_res.retrans = 1;
	_res.retry = 1;
	if (getaddrinfo("bpfwarden.invalid", "1", NULL, &list) == 0)
		freeaddrinfo(list);
	res_init();
	return 0;
}

/* ---- without ---------------------------------------------------------------------------------------------------------- */

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;

	bw_buf_append(&t->body, data, size * n);
	return bw_buf_error(&t->body) ? 0 : size * n;
}

static size_t on_header(char *data, size_t size, size_t n, void *arg)
{
	static const char name[] = "etag:";
	size_t len = size * n, at = sizeof(name) - 1;
	struct transfer *t = arg;

	/* Of a redirect's answer, the last one counts. */
	if (len >= 5 && !strncmp(data, "HTTP/", 5))
		t->etag[0] = 0;
	if (len < at || strncasecmp(data, name, at))
		return len;
	while (at < len && (data[at] == ' ' || data[at] == '\t'))
		at++;
	while (len > at && (data[len - 1] == '\r' || data[len - 1] == '\n' || data[len - 1] == ' '))
		len--;
	t->etag[0] = 0;
	/* One that does not fit, or is not plain text, is none: everything is fetched each time then. */
	if (len - at < sizeof(t->etag)) {
		for (size_t i = at; i < len; i++)
			if ((unsigned char)data[i] < 0x21 || (unsigned char)data[i] > 0x7e)
				return size * n;
		memcpy(t->etag, data + at, len - at);
		t->etag[len - at] = 0;
	}
	return size * n;
}

static void set_blob(CURL *curl, CURLoption option, const struct pem *p)
{
	struct curl_blob blob = { .data = p->data, .len = p->len, .flags = CURL_BLOB_NOCOPY };

	if (p->data)
		curl_easy_setopt(curl, option, &blob);
}

/* 0 with t->status, or a negative errno and child.why. */
static int transfer(CURL *curl, const struct fetch_conf *c, const char *url, const char *etag, size_t max, struct transfer *t)
{
	char condition[FETCH_MAX_ETAG + 32], error[CURL_ERROR_SIZE] = "";
	struct curl_slist *list = NULL;
	CURLcode code;

	bw_buf_reset(&t->body);
	t->body.max = max;
	t->status = 0;
	curl_easy_reset(curl);
	if (*etag) {
		snprintf(condition, sizeof(condition), "If-None-Match: %s", etag);
		list = curl_slist_append(NULL, condition);
		if (!list)
			return -ENOMEM;
	}
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "https");
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(curl, CURLOPT_MAXREDIRS, MAX_REDIRECTS);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "bpfwarden/" BW_VERSION);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)max);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)c->timeout_ms);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)c->timeout_ms);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, SLOW_BYTES);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)(c->timeout_ms / 1000 + 1));
	curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
	set_blob(curl, CURLOPT_CAINFO_BLOB, &child.ca);
	set_blob(curl, CURLOPT_SSLCERT_BLOB, &child.cert);
	set_blob(curl, CURLOPT_SSLKEY_BLOB, &child.key);
	code = curl_easy_perform(curl);
	curl_slist_free_all(list);
	if (code != CURLE_OK) {
		if (bw_buf_error(&t->body) == -E2BIG || code == CURLE_FILESIZE_EXCEEDED)
			snprintf(child.why, sizeof(child.why), "%s: more than %zu bytes", url, max);
		else
			snprintf(child.why, sizeof(child.why), "%s: %s", url, error[0] ? error : curl_easy_strerror(code));
		return -EIO;
	}
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &t->status);
	return 0;
}

static int answer_got(int requests, const struct transfer *policy, const struct transfer *signature)
{
	const struct fetch_got g = { .len = policy->body.len, .signature_len = signature->body.len };
	_cleanup_close_ int fd = memfd_create("bw-policy", MFD_CLOEXEC);
	const struct bw_buf *parts[] = { &policy->body, &signature->body };
	char message[sizeof(g) + FETCH_MAX_ETAG];

	if (fd < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		for (size_t at = 0; at < parts[i]->len;) {
			ssize_t n = write(fd, parts[i]->data + at, parts[i]->len - at);

			if (n < 0)
				return -errno;
			at += (size_t)n;
		}
	memcpy(message, &g, sizeof(g));
	memcpy(message + sizeof(g), policy->etag, strlen(policy->etag));
	return privsep_send(requests, FETCH_GOT, message, sizeof(g) + strlen(policy->etag), fd, true);
}

static int answer_failed(int requests)
{
	return privsep_send(requests, FETCH_FAILED, child.why, strlen(child.why), -1, true);
}

static int fetch(CURL *curl, const struct fetch_conf *c, const char *etag, int requests)
{
	struct transfer policy = { 0 }, signature = { 0 };
	_cleanup_free_ char *url = NULL;
	int r;

	if (child.why[0])
		return answer_failed(requests); /* of the preparation */
	if (asprintf(&url, "%s.p7s", c->url) < 0)
		return -ENOMEM;
	r = transfer(curl, c, c->url, etag, c->max_bytes, &policy);
	if (!r && policy.status == 304 && *etag) {
		bw_buf_free(&policy.body);
		return privsep_send(requests, FETCH_SAME, NULL, 0, -1, true);
	}
	if (!r && policy.status != 200) {
		snprintf(child.why, sizeof(child.why), "%s: the server answered %ld", c->url, policy.status);
		r = -EIO;
	}
	if (!r && c->want_signature) {
		r = transfer(curl, c, url, "", BW_MAX_SIGNATURE_SIZE, &signature);
		/* There is none: that is judged by who knows whether there must be one. */
		if (!r && signature.status == 404)
			bw_buf_reset(&signature.body);
		else if (!r && signature.status != 200) {
			snprintf(child.why, sizeof(child.why), "%s: the server answered %ld", url, signature.status);
			r = -EIO;
		}
	}
	r = r < 0 ? answer_failed(requests) : answer_got(requests, &policy, &signature);
	child.why[0] = 0;
	bw_buf_free(&policy.body);
	bw_buf_free(&signature.body);
	return r;
}

int fetch_run(void *arg, const struct privsep_channels *ch)
{
	static struct privsep_message m;
	CURL *curl = curl_easy_init();
	int r = curl ? 0 : -ENOMEM;

	while (!r) {
		char etag[FETCH_MAX_ETAG + 1];

		r = privsep_recv(ch->notes, fetch_notes, FETCH_NOTES, &m, true);
		if (r < 0)
			break;
		snprintf(etag, sizeof(etag), "%.*s", (int)m.len, m.data);
		r = fetch(curl, arg, etag, ch->requests);
	}
	curl_easy_cleanup(curl);
	return r == -ENOTCONN ? 0 : r;
}
