/* mock.c - a cluster of brokers in one process, librdkafka's own: Kafka's protocol over TCP, nothing on disk
 *
 *	mock TOPIC...       makes the topics (one partition each) and prints HOST:PORT of the broker
 *
 * Then it reads commands, a line each, and answers "ok": `down` (connections are closed, none are taken), `up`, `rtt
 * MS`, `fail N CODE` (the next N requests to produce, and no others, are answered with that error of Kafka), `create
 * TOPIC`.  It ends with its input.
 */
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PRODUCE    0 /* the request's number */
#define ERRORS_MAX 1024

static void fail(rd_kafka_mock_cluster_t *m, int n, int code)
{
	rd_kafka_resp_err_t errors[ERRORS_MAX];

	for (int i = 0; i < n && i < ERRORS_MAX; i++)
		errors[i] = (rd_kafka_resp_err_t)code;
	rd_kafka_mock_clear_request_errors(m, PRODUCE);
	rd_kafka_mock_push_request_errors_array(m, PRODUCE, (size_t)(n < ERRORS_MAX ? n : ERRORS_MAX), errors);
}

static void obey(rd_kafka_mock_cluster_t *m, const char *line)
{
	char topic[256];
	int n, code;

	if (!strcmp(line, "down\n"))
		rd_kafka_mock_broker_set_down(m, 1);
	else if (!strcmp(line, "up\n"))
		rd_kafka_mock_broker_set_up(m, 1);
	else if (sscanf(line, "rtt %d", &n) == 1)
		rd_kafka_mock_broker_set_rtt(m, 1, n);
	else if (sscanf(line, "fail %d %d", &n, &code) == 2)
		fail(m, n, code);
	else if (sscanf(line, "create %255s", topic) == 1)
		rd_kafka_mock_topic_create(m, topic, 1, 1);
	puts("ok");
}

int main(int argc, char **argv)
{
	char words[512], line[512];
	rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), words, sizeof(words));
	rd_kafka_mock_cluster_t *m = rk ? rd_kafka_mock_cluster_new(rk, 1) : NULL;

	if (!m) {
		fprintf(stderr, "no cluster: %s\n", words);
		return 1;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int i = 1; i < argc; i++)
		rd_kafka_mock_topic_create(m, argv[i], 1, 1);
	puts(rd_kafka_mock_cluster_bootstraps(m));
	while (fgets(line, sizeof(line), stdin))
		obey(m, line);
	rd_kafka_mock_cluster_destroy(m);
	rd_kafka_destroy(rk);
	return 0;
}
