// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Kafka by librdkafka: idempotent producer, acks=all. An event is delivered when all replicas in sync have it. */
#include <errno.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "guard/sinks/sink.h"

struct kafka {
	rd_kafka_t *rk;
	char *ca, *cert, *key;
	struct sink_batch *batch; /* the one that is under way */
	size_t open;
	rd_kafka_resp_err_t error;
};

static int kafka_prepare(struct sink *s)
{
	struct kafka *k = calloc(1, sizeof(*k));
	size_t len;
	int r = 0;

	if (!k)
		return -ENOMEM;
	s->state = k;
	if (s->config->ca)
		r = sink_read_file(s, s->config->ca, &k->ca, &len);
	if (r == 0 && s->config->cert)
		r = sink_read_file(s, s->config->cert, &k->cert, &len);
	if (r == 0 && s->config->key)
		r = sink_read_file(s, s->config->key, &k->key, &len);
	return r;
}

/* Called by rd_kafka_poll(), in the sink's own thread. */
static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *m, void *arg)
{
	struct kafka *k = ((struct sink *)arg)->state;
	struct sink_item *it = m->_private;

	(void)rk;
	k->open--;
	if (!m->err) {
		it->status = ITEM_DONE;
	} else if (m->err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE || m->err == RD_KAFKA_RESP_ERR_INVALID_MSG) {
		it->status = ITEM_REFUSED;
		snprintf(k->batch->why, sizeof(k->batch->why), "%s", rd_kafka_err2str(m->err));
	} else {
		k->error = m->err;
	}
}

static void on_log(const rd_kafka_t *rk, int level, const char *fac, const char *buf)
{
	struct sink *s = rd_kafka_opaque(rk);

	(void)fac;
	if (s && level <= 3)
		sink_why(s, "%s: %s", s->config->address, buf);
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value, char *error, size_t len, int *r)
{
	if (value && *r == 0 && rd_kafka_conf_set(conf, name, value, error, len) != RD_KAFKA_CONF_OK)
		*r = -EINVAL;
}

static int kafka_open(struct sink *s)
{
	const struct sink_config *c = s->config;
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	struct kafka *k = s->state;
	bool tls = c->ca || c->cert;
	char error[512] = "", timeout[24];
	int r = 0;

	snprintf(timeout, sizeof(timeout), "%llu", (unsigned long long)(3 * c->timeout_ms));
	set(conf, "bootstrap.servers", c->address, error, sizeof(error), &r);
	set(conf, "client.id", "bpfwarden", error, sizeof(error), &r);
	set(conf, "enable.idempotence", "true", error, sizeof(error), &r);
	set(conf, "acks", "all", error, sizeof(error), &r);
	set(conf, "message.timeout.ms", timeout, error, sizeof(error), &r);
	set(conf, "linger.ms", "5", error, sizeof(error), &r);
	set(conf, "compression.codec", "lz4", error, sizeof(error), &r);
	set(conf, "security.protocol", c->user ? (tls ? "sasl_ssl" : "sasl_plaintext") : tls ? "ssl" : NULL, error, sizeof(error), &r);
	set(conf, "ssl.ca.pem", k->ca, error, sizeof(error), &r);
	set(conf, "ssl.certificate.pem", k->cert, error, sizeof(error), &r);
	set(conf, "ssl.key.pem", k->key, error, sizeof(error), &r);
	set(conf, "enable.ssl.certificate.verification", c->insecure ? "false" : NULL, error, sizeof(error), &r);
	set(conf, "sasl.mechanism", c->user ? "SCRAM-SHA-256" : NULL, error, sizeof(error), &r);
	set(conf, "sasl.username", c->user, error, sizeof(error), &r);
	set(conf, "sasl.password", c->user ? s->secret : NULL, error, sizeof(error), &r);
	rd_kafka_conf_set_opaque(conf, s);
	rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
	rd_kafka_conf_set_log_cb(conf, on_log);
	if (r == 0)
		k->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, sizeof(error));
	if (!k->rk) {
		sink_why(s, "%s: %s", c->address, error);
		rd_kafka_conf_destroy(conf);
		return r ? r : -EIO;
	}
	return 0;
}

static int kafka_send(struct sink *s, struct sink_batch *b)
{
	struct kafka *k = s->state;

	k->batch = b;
	k->open = 0;
	k->error = 0;
	for (size_t i = 0; i < b->n && !sink_stopping(s); i++) {
		struct sink_item *it = &b->items[i];
		char *value = b->text.data + it->offset;
		rd_kafka_resp_err_t e;

		if (it->status != ITEM_OPEN)
			continue;
		/* The uid's run is the key: the events of one run of the guard stay in order, in one partition. */
		while ((e = rd_kafka_producev(k->rk, RD_KAFKA_V_TOPIC(s->config->topic), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
					      RD_KAFKA_V_VALUE(value, it->len),
					      RD_KAFKA_V_KEY(it->uid, strcspn(it->uid, "-")), RD_KAFKA_V_OPAQUE(it), RD_KAFKA_V_END)) ==
			       RD_KAFKA_RESP_ERR__QUEUE_FULL && !sink_stopping(s))
			rd_kafka_poll(k->rk, 50);
		if (e == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
			it->status = ITEM_REFUSED;
			snprintf(b->why, sizeof(b->why), "%s", rd_kafka_err2str(e));
		} else if (e) {
			k->error = e;
			break;
		} else {
			k->open++;
		}
	}
	while (k->open && !sink_stopping(s))
		rd_kafka_poll(k->rk, 100);
	if (k->open) {
		/* The process ends: what is under way may arrive, and comes again with the same uid. */
		rd_kafka_purge(k->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
		while (k->open)
			if (!rd_kafka_poll(k->rk, 1000))
				break;
		return -ECANCELED;
	}
	if (k->error) {
		sink_why(s, "%s: %s", s->config->address, rd_kafka_err2str(k->error));
		/* An idempotent producer that has had a fatal error produces nothing more. */
		return -ECONNRESET;
	}
	return 0;
}

static void kafka_close(struct sink *s, bool orderly)
{
	struct kafka *k = s->state;

	(void)orderly;
	if (k->rk)
		rd_kafka_destroy_flags(k->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
	k->rk = NULL;
}

static void kafka_release(struct sink *s)
{
	struct kafka *k = s->state;

	if (!k)
		return;
	kafka_close(s, false);
	free(k->ca);
	free(k->cert);
	free(k->key);
	free(k);
}

const struct sink_ops sink_kafka_ops = {
	.prepare = kafka_prepare, .open = kafka_open, .send = kafka_send, .close = kafka_close, .release = kafka_release,
};
