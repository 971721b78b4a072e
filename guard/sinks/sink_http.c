// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * HTTP(S) by libcurl: Splunk HEC with acknowledgement, Elasticsearch bulk, OTLP, falcosidekick, webhook. An event counts as
 * delivered when the receiver has said so about it.
 */
#include <cJSON.h>
#include <curl/curl.h>
#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "guard/sinks/sink.h"

#define MAX_ANSWER (8u << 20)
#define ACK_POLL_MS 200
#define CA_FILE "/etc/ssl/certs/ca-certificates.crt"

struct http {
	CURL *curl;
	CURLM *multi;
	char *ca, *cert, *key; /* PEM, in memory: the process cannot read the files later */
	size_t ca_len, cert_len, key_len;
	char channel[37];
	char error[CURL_ERROR_SIZE];
	struct bw_buf body, answer;
	long status;
	long retry_after_s;
};

/* ---- requests ----------------------------------------------------------------------------------------------------- */

static size_t on_answer(char *data, size_t size, size_t n, void *arg)
{
	struct http *h = arg;

	bw_buf_append(&h->answer, data, size * n);
	return bw_buf_error(&h->answer) ? 0 : size * n;
}

static void add_header(struct curl_slist **list, int *r, const char *name, const char *scheme, const char *value)
{
	_cleanup_buf_ struct bw_buf b = { 0 };
	struct curl_slist *l;

	bw_buf_printf(&b, "%s: %s%s", name, scheme, value);
	l = bw_buf_error(&b) ? NULL : curl_slist_append(*list, bw_buf_cstr(&b));
	if (l)
		*list = l;
	else
		*r = -ENOMEM;
}

static void sign(struct sink *s, struct http *h, struct curl_slist **list, int *r)
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	_cleanup_buf_ struct bw_buf text = { 0 }, value = { 0 };
	unsigned int len = 0;
	char when[24];

	snprintf(when, sizeof(when), "%lld", (long long)time(NULL));
	bw_buf_printf(&text, "%s.", when);
	bw_buf_append(&text, h->body.data, h->body.len);
	if (bw_buf_error(&text) || !HMAC(EVP_sha256(), s->secret, (int)strlen(s->secret), (const unsigned char *)text.data, text.len, mac, &len)) {
		*r = -ENOMEM;
		return;
	}
	bw_buf_printf(&value, "t=%s,v1=", when);
	bw_buf_hex(&value, mac, len);
	add_header(list, r, "X-Bpfwarden-Signature", "", bw_buf_cstr(&value));
}

static int headers(struct sink *s, struct http *h, struct curl_slist **ret)
{
	const struct sink_config *c = s->config;
	int r = 0;

	add_header(ret, &r, "Content-Type", "",
		   c->type == SINK_ELASTICSEARCH || c->type == SINK_WEBHOOK ? "application/x-ndjson" : "application/json");
	add_header(ret, &r, "Expect", "", "");
	if (c->type == SINK_HEC) {
		add_header(ret, &r, "Authorization", "Splunk ", s->secret);
		add_header(ret, &r, "X-Splunk-Request-Channel", "", h->channel);
	} else if (c->type == SINK_WEBHOOK && s->secret) {
		sign(s, h, ret, &r);
	} else if (c->type == SINK_ELASTICSEARCH && s->secret && !c->user) {
		add_header(ret, &r, "Authorization", "ApiKey ", s->secret);
	} else if (s->secret && !c->user) {
		add_header(ret, &r, "Authorization", "Bearer ", s->secret);
	}
	return r;
}

static void set_blob(CURL *curl, CURLoption option, char *data, size_t len)
{
	struct curl_blob blob = { .data = data, .len = len, .flags = CURL_BLOB_NOCOPY };

	if (data)
		curl_easy_setopt(curl, option, &blob);
}

/* Runs the request to its end, looking whether the process is to end. */
static CURLcode perform(struct sink *s, struct http *h)
{
	CURLcode code = CURLE_ABORTED_BY_CALLBACK;
	int running = 1, left;
	CURLMsg *m;

	if (curl_multi_add_handle(h->multi, h->curl) != CURLM_OK)
		return CURLE_OUT_OF_MEMORY;
	while (running) {
		if (curl_multi_perform(h->multi, &running) != CURLM_OK || (running && sink_stopping(s)))
			break;
		if (running)
			curl_multi_poll(h->multi, NULL, 0, 100, NULL);
	}
	while ((m = curl_multi_info_read(h->multi, &left)))
		if (m->msg == CURLMSG_DONE)
			code = m->data.result;
	curl_multi_remove_handle(h->multi, h->curl);
	return code;
}

/* As far as it came; a connection that is used again keeps what is known of it. */
static void tell_peer(struct sink *s, struct http *h)
{
	const char *ip = NULL, *scheme = NULL;
	char peer[SINK_PEER];
	curl_off_t tls_us = 0;
	long port = 0, made = 0;
	bool tls;

	curl_easy_getinfo(h->curl, CURLINFO_PRIMARY_IP, &ip);
	curl_easy_getinfo(h->curl, CURLINFO_PRIMARY_PORT, &port);
	curl_easy_getinfo(h->curl, CURLINFO_NUM_CONNECTS, &made);
	curl_easy_getinfo(h->curl, CURLINFO_APPCONNECT_TIME_T, &tls_us);
	curl_easy_getinfo(h->curl, CURLINFO_SCHEME, &scheme);
	if (!made || !ip || !*ip)
		return;
	tls = tls_us > 0 && scheme && (!strcmp(scheme, "https") || !strcmp(scheme, "HTTPS"));
	snprintf(peer, sizeof(peer), strchr(ip, ':') ? "[%s]:%ld" : "%s:%ld", ip, port);
	sink_connected(s, peer, !tls ? NULL : s->config->insecure ? "TLS, certificate not checked" : "TLS, certificate checked");
}

/* Posts h->body to @url; the answer is in h->status and h->answer. Negative errno when there was none. */
static int post(struct sink *s, struct http *h, const char *url)
{
	const struct sink_config *c = s->config;
	struct curl_slist *list = NULL;
	curl_off_t after = 0;
	CURLcode code;
	int r = headers(s, h, &list);

	if (r < 0) {
		curl_slist_free_all(list);
		return r;
	}
	curl_easy_reset(h->curl);
	h->error[0] = '\0';
	bw_buf_reset(&h->answer);
	h->answer.max = MAX_ANSWER;
	curl_easy_setopt(h->curl, CURLOPT_URL, url);
	curl_easy_setopt(h->curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(h->curl, CURLOPT_POSTFIELDS, bw_buf_cstr(&h->body));
	curl_easy_setopt(h->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)h->body.len);
	curl_easy_setopt(h->curl, CURLOPT_HTTPHEADER, list);
	curl_easy_setopt(h->curl, CURLOPT_WRITEFUNCTION, on_answer);
	curl_easy_setopt(h->curl, CURLOPT_WRITEDATA, h);
	curl_easy_setopt(h->curl, CURLOPT_ERRORBUFFER, h->error);
	curl_easy_setopt(h->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(h->curl, CURLOPT_USERAGENT, "bpfwarden/" BW_VERSION);
	curl_easy_setopt(h->curl, CURLOPT_PROXY, "");
	curl_easy_setopt(h->curl, CURLOPT_CONNECTTIMEOUT_MS, (long)c->timeout_ms);
	curl_easy_setopt(h->curl, CURLOPT_TIMEOUT_MS, (long)(3 * c->timeout_ms));
	curl_easy_setopt(h->curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(h->curl, CURLOPT_SSL_VERIFYPEER, c->insecure ? 0L : 1L);
	curl_easy_setopt(h->curl, CURLOPT_SSL_VERIFYHOST, c->insecure ? 0L : 2L);
	set_blob(h->curl, CURLOPT_CAINFO_BLOB, h->ca, h->ca_len);
	set_blob(h->curl, CURLOPT_SSLCERT_BLOB, h->cert, h->cert_len);
	set_blob(h->curl, CURLOPT_SSLKEY_BLOB, h->key, h->key_len);
	if (c->user) {
		curl_easy_setopt(h->curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		curl_easy_setopt(h->curl, CURLOPT_USERNAME, c->user);
		curl_easy_setopt(h->curl, CURLOPT_PASSWORD, s->secret ? s->secret : "");
	}
	code = perform(s, h);
	tell_peer(s, h);
	curl_slist_free_all(list);
	h->status = 0;
	if (code != CURLE_OK) {
		if (code != CURLE_ABORTED_BY_CALLBACK)
			sink_why(s, "%s: %s", c->url, h->error[0] ? h->error : curl_easy_strerror(code));
		return code == CURLE_OPERATION_TIMEDOUT ? -ETIMEDOUT : -ECONNRESET;
	}
	curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &h->status);
	curl_easy_getinfo(h->curl, CURLINFO_RETRY_AFTER, &after);
	s->retry_after_ms = after > 0 ? (uint32_t)(after < 600 ? after : 600) * 1000 : 0;
	return 0;
}

/* ---- answers ------------------------------------------------------------------------------------------------------- */

enum verdict { TAKEN, LATER, REFUSED };

/* 401, 403, 404: the receiver or its settings are wrong, not the event: it is kept until somebody mends that. */
static enum verdict judge(long status)
{
	if (status >= 200 && status < 300)
		return TAKEN;
	if (status == 400 || status == 413 || status == 415 || status == 422)
		return REFUSED;
	return LATER;
}

static void say_status(struct sink *s, struct http *h)
{
	size_t n = h->answer.len < 120 ? h->answer.len : 120;

	sink_why(s, "%s: the receiver answered %ld: %.*s", s->config->url, h->status, (int)n, bw_buf_cstr(&h->answer));
}

/* Elasticsearch says about each item what became of it, in order. */
static int elastic_items(struct sink *s, struct http *h, struct sink_batch *b, size_t first, size_t n)
{
	cJSON *a = cJSON_ParseWithLength(bw_buf_cstr(&h->answer), h->answer.len);
	const cJSON *items = cJSON_GetObjectItemCaseSensitive(a, "items"), *item;
	size_t i = first;
	int r = 0;

	if (!cJSON_IsArray(items)) {
		sink_why(s, "%s: the answer is not that of _bulk", s->config->url);
		cJSON_Delete(a);
		return -EPROTO;
	}
	cJSON_ArrayForEach(item, items) {
		const cJSON *result = item->child, *status = cJSON_GetObjectItemCaseSensitive(result, "status");
		long code = cJSON_IsNumber(status) ? (long)status->valuedouble : 0;

		while (i < first + n && b->items[i].status != ITEM_OPEN)
			i++;
		if (i == first + n)
			break;
		/* 409: it is there already, from an earlier attempt. */
		if (code == 409 || judge(code) == TAKEN) {
			b->items[i].status = ITEM_DONE;
		} else if (judge(code) == REFUSED) {
			const char *why = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(
				cJSON_GetObjectItemCaseSensitive(result, "error"), "reason"));

			b->items[i].status = ITEM_REFUSED;
			snprintf(b->why, sizeof(b->why), "status %ld: %.200s", code, why ? why : "");
		} else {
			sink_why(s, "%s: status %ld for some events", s->config->url, code);
			r = -EAGAIN;
		}
		i++;
	}
	for (i = first; i < first + n && r == 0; i++)
		if (b->items[i].status == ITEM_OPEN) {
			sink_why(s, "%s: the answer leaves events out", s->config->url);
			r = -EPROTO;
		}
	cJSON_Delete(a);
	return r;
}

/* Waits until Splunk says that what it took is on its disks. */
static int hec_ack(struct sink *s, struct http *h)
{
	cJSON *a = cJSON_ParseWithLength(bw_buf_cstr(&h->answer), h->answer.len);
	const cJSON *id = cJSON_GetObjectItemCaseSensitive(a, "ackId");
	_cleanup_buf_ struct bw_buf url = { 0 };
	uint64_t waited = 0, ack;
	const char *end;
	bool have = cJSON_IsNumber(id);

	ack = have ? (uint64_t)id->valuedouble : 0;
	cJSON_Delete(a);
	if (!have) {
		sink_why(s, "%s: no ackId in the answer: acknowledgement is off for this token (\"ack\": false does without)", s->config->url);
		return -EPROTO;
	}
	end = strstr(s->config->url, "/services/collector");
	bw_buf_append(&url, s->config->url, end ? (size_t)(end - s->config->url) : strlen(s->config->url));
	bw_buf_printf(&url, "/services/collector/ack?channel=%s", h->channel);
	for (; waited < 6 * s->config->timeout_ms; waited += ACK_POLL_MS) {
		char key[24];
		bool done;
		int r;

		bw_buf_reset(&h->body);
		bw_buf_printf(&h->body, "{\"acks\":[%" PRIu64 "]}", ack);
		r = post(s, h, bw_buf_cstr(&url));
		if (r < 0)
			return r;
		if (judge(h->status) != TAKEN) {
			say_status(s, h);
			return -EAGAIN;
		}
		a = cJSON_ParseWithLength(bw_buf_cstr(&h->answer), h->answer.len);
		snprintf(key, sizeof(key), "%" PRIu64, ack);
		done = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(a, "acks"), key));
		cJSON_Delete(a);
		if (done)
			return 0;
		if (!sink_wait(s, ACK_POLL_MS))
			return -ECANCELED;
	}
	sink_why(s, "%s: no acknowledgement within %" PRIu64 " ms", s->config->url, waited);
	return -ETIMEDOUT;
}

/* OTLP does not say which ones it left out, and forbids sending them again: all of the request go to the dead letters. */
static bool otlp_partial(struct http *h, enum sink_signal signal, char *why, size_t why_len)
{
	static const char *const names[] = {
		[SINK_LOGS] = "rejectedLogRecords", [SINK_TRACES] = "rejectedSpans", [SINK_METRICS] = "rejectedDataPoints",
	};
	cJSON *a = cJSON_ParseWithLength(bw_buf_cstr(&h->answer), h->answer.len);
	const cJSON *p = cJSON_GetObjectItemCaseSensitive(a, "partialSuccess"), *n = cJSON_GetObjectItemCaseSensitive(p, names[signal]);
	const char *message = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(p, "errorMessage"));
	long long rejected = cJSON_IsNumber(n) ? (long long)n->valuedouble : cJSON_IsString(n) ? strtoll(n->valuestring, NULL, 10) : 0;

	if (rejected)
		snprintf(why, why_len, "%lld items of its request were rejected, it does not say which: %.150s", rejected, message ? message : "");
	cJSON_Delete(a);
	return rejected != 0;
}

/* ---- bodies ---------------------------------------------------------------------------------------------------------- */

static int make_body(struct sink *s, struct http *h, struct sink_batch *b, size_t first, size_t n)
{
	struct event_view *view = s->config->type == SINK_OTLP ? malloc(sizeof(*view)) : NULL;
	bool any = false;

	bw_buf_reset(&h->body);
	for (size_t i = first; i < first + n; i++) {
		const struct sink_item *it = &b->items[i];

		if (it->status != ITEM_OPEN)
			continue;
		if (s->config->signal != SINK_LOGS) {
			if (any)
				bw_buf_char(&h->body, ',');
			else
				bw_buf_printf(&h->body, "{\"%s\":[", sink_signal_list(s->config->signal));
			bw_buf_append(&h->body, b->text.data + it->offset, it->len);
			any = true;
			continue;
		}
		if (s->config->type == SINK_OTLP) {
			if (!view || event_view_parse(b->lines.data + it->line_offset, it->line_len, view) < 0)
				continue; /* it was parsed before: does not happen */
			if (any)
				bw_buf_char(&h->body, ',');
			else
				format_otlp_begin(view, &h->body);
			format_otlp_record(view, &h->body);
			any = true;
			continue;
		}
		if (s->config->type == SINK_ELASTICSEARCH) {
			struct bw_json j = { .buf = &h->body };

			/* "create" with the uid: sent twice is there once, and data streams take nothing else. */
			bw_json_open(&j, NULL, '{');
			bw_json_open(&j, "create", '{');
			bw_json_str(&j, "_index", s->config->index ? s->config->index : "bpfwarden");
			bw_json_str(&j, "_id", it->uid);
			bw_json_close(&j, '}');
			bw_json_close(&j, '}');
			bw_buf_char(&h->body, '\n');
		}
		bw_buf_append(&h->body, b->text.data + it->offset, it->len);
		if (s->config->type != SINK_FALCOSIDEKICK)
			bw_buf_char(&h->body, '\n');
	}
	if (any && s->config->signal != SINK_LOGS)
		bw_buf_str(&h->body, "]}");
	else if (any)
		format_otlp_end(&h->body);
	free(view);
	return bw_buf_error(&h->body);
}

static void mark(struct sink_batch *b, size_t first, size_t n, enum item_status status)
{
	for (size_t i = first; i < first + n; i++)
		if (b->items[i].status == ITEM_OPEN)
			b->items[i].status = status;
}

/* One request for the items of a range. What is refused as a whole is halved until it is known which one it is. */
static int send_range(struct sink *s, struct http *h, struct sink_batch *b, size_t first, size_t n)
{
	size_t open = 0;
	int r;

	for (size_t i = first; i < first + n; i++)
		open += b->items[i].status == ITEM_OPEN;
	if (!open)
		return 0;
	r = make_body(s, h, b, first, n);
	if (r == 0)
		r = post(s, h, s->config->url);
	if (r < 0)
		return r;
	switch (judge(h->status)) {
	case LATER:
		say_status(s, h);
		return -EAGAIN;
	case REFUSED:
		if (open > 1) {
			r = send_range(s, h, b, first, n / 2);
			return r < 0 ? r : send_range(s, h, b, first + n / 2, n - n / 2);
		}
		snprintf(b->why, sizeof(b->why), "status %ld: %.*s", h->status, (int)(h->answer.len < 200 ? h->answer.len : 200), bw_buf_cstr(&h->answer));
		mark(b, first, n, ITEM_REFUSED);
		return 0;
	default:
		break;
	}
	if (s->config->type == SINK_ELASTICSEARCH)
		return elastic_items(s, h, b, first, n);
	if (s->config->type == SINK_HEC && !s->config->no_ack)
		r = hec_ack(s, h);
	if (r < 0)
		return r;
	if (s->config->type == SINK_OTLP && otlp_partial(h, s->config->signal, b->why, sizeof(b->why)))
		mark(b, first, n, ITEM_REFUSED);
	else
		mark(b, first, n, ITEM_DONE);
	return 0;
}

static int http_send(struct sink *s, struct sink_batch *b)
{
	struct http *h = s->state;
	int r = 0;

	if (s->config->type != SINK_FALCOSIDEKICK)
		return send_range(s, h, b, 0, b->n);
	for (size_t i = 0; i < b->n && r == 0; i++) /* one event a request */
		r = send_range(s, h, b, i, 1);
	return r;
}

/* ---- start and end ------------------------------------------------------------------------------------------------- */

static int http_prepare(struct sink *s)
{
	const struct sink_config *c = s->config;
	bool tls = !strncmp(c->url, "https:", 6);
	struct http *h = calloc(1, sizeof(*h));
	unsigned char random[16];
	FILE *f = fopen("/dev/urandom", "re");
	int r = 0;

	if (!h) {
		if (f)
			fclose(f);
		return -ENOMEM;
	}
	s->state = h;
	if (!f || fread(random, sizeof(random), 1, f) != 1)
		memset(random, 1, sizeof(random));
	if (f)
		fclose(f);
	for (size_t i = 0, o = 0; i < sizeof(random); i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			h->channel[o++] = '-';
		snprintf(h->channel + o, 3, "%02x", random[i]);
		o += 2;
	}
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return -ENOMEM;
	if (tls && !c->insecure)
		r = sink_read_file(s, c->ca ? c->ca : CA_FILE, &h->ca, &h->ca_len);
	if (r == 0 && c->cert)
		r = sink_read_file(s, c->cert, &h->cert, &h->cert_len);
	if (r == 0 && c->key)
		r = sink_read_file(s, c->key, &h->key, &h->key_len);
	return r;
}

static int http_open(struct sink *s)
{
	struct http *h = s->state;

	if (!h->curl)
		h->curl = curl_easy_init();
	if (!h->multi)
		h->multi = curl_multi_init();
	return h->curl && h->multi ? 0 : -ENOMEM;
}

static void http_close(struct sink *s, bool orderly)
{
	struct http *h = s->state;

	(void)orderly;
	/* A new connection the next time, whatever state the old one is in. */
	curl_easy_cleanup(h->curl);
	curl_multi_cleanup(h->multi);
	h->curl = NULL;
	h->multi = NULL;
}

static void http_release(struct sink *s)
{
	struct http *h = s->state;

	if (!h)
		return;
	http_close(s, false);
	bw_buf_free(&h->body);
	bw_buf_free(&h->answer);
	free(h->ca);
	free(h->cert);
	free(h->key);
	free(h);
}

const struct sink_ops sink_http_ops = {
	.prepare = http_prepare, .open = http_open, .send = http_send, .close = http_close, .release = http_release,
};
