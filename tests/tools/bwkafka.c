// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A Kafka cluster of three brokers inside one process (librdkafka's own mock), with a consumer that prints what it gets.
 *	bwkafka TOPIC          prints "brokers HOST:PORT,..." first, then a line a message; ends with its standard input.
 *	                       "down N" and "up N" on standard input stop and start a broker.
 */
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_mock_cluster_t *cluster;
	char error[512], line[100];
	rd_kafka_t *rk, *consumer;
	int broker;

	if (argc != 2)
		return 2;
	setvbuf(stdin, NULL, _IONBF, 0); /* poll() is to see each line */
	rk = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), error, sizeof(error));
	cluster = rk ? rd_kafka_mock_cluster_new(rk, 3) : NULL;
	if (!cluster || rd_kafka_mock_topic_create(cluster, argv[1], 4, 3))
		return 1;
	printf("brokers %s\n", rd_kafka_mock_cluster_bootstraps(cluster));
	fflush(stdout);
	rd_kafka_conf_set(conf, "bootstrap.servers", rd_kafka_mock_cluster_bootstraps(cluster), error, sizeof(error));
	rd_kafka_conf_set(conf, "group.id", "test", error, sizeof(error));
	rd_kafka_conf_set(conf, "auto.offset.reset", "earliest", error, sizeof(error));
	consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, error, sizeof(error));
	if (!consumer)
		return 1;
	rd_kafka_poll_set_consumer(consumer);
	rd_kafka_topic_partition_list_add(topics, argv[1], RD_KAFKA_PARTITION_UA);
	rd_kafka_subscribe(consumer, topics);
	for (;;) {
		struct pollfd p = { .fd = 0, .events = POLLIN };
		rd_kafka_message_t *m = rd_kafka_consumer_poll(consumer, 50);

		if (m && !m->err)
			printf("%.*s\n", (int)m->len, (const char *)m->payload);
		fflush(stdout);
		if (m)
			rd_kafka_message_destroy(m);
		if (poll(&p, 1, 0) <= 0)
			continue;
		if (!fgets(line, sizeof(line), stdin))
			return 0;
		if (sscanf(line, "down %d", &broker) == 1)
			rd_kafka_mock_broker_set_down(cluster, broker);
		else if (sscanf(line, "up %d", &broker) == 1)
			rd_kafka_mock_broker_set_up(cluster, broker);
	}
}
