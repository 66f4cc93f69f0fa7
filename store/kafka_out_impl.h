/* kafka_out_impl.h - the inside of a producer, shared by its files: kafka_out.c (sending), kafka_rk.c (librdkafka's
 * producer: properties, reports). */
#ifndef STORE_KAFKA_OUT_IMPL_H
#define STORE_KAFKA_OUT_IMPL_H

#include "store/kafka.h"
#include "store/rdkafka.h"

#ifdef HAVE_RDKAFKA
#include <stdatomic.h>

#define KAFKA_REASON_SZ 256

/* A message that came back. */
struct kafka_again {
	uint64_t seq; /* its place in the order of taking */
	bool suspect; /* its batch was refused for what is in it */
	char *topic;
	rd_kafka_headers_t *headers;
	char *key; /* or NULL */
	size_t len;
	uint8_t value[];
};

struct kafka_topic;

struct kafka_out {
	const struct rdkafka *lib;
	const struct kv *props; /* the instance's */
	char *brokers;
	rd_kafka_t *rk; /* NULL: to be made anew */
	struct kafka_topic *topics;
	uint64_t seq;     /* of the next message */
	uint64_t pending; /* messages with librdkafka */
	unsigned int unpolled;

	struct kafka_again **again; /* oldest first once sorted */
	size_t n_again, cap_again;
	bool unsorted; /* some came since they were sorted */
	bool upset;    /* one came back: so shall the others */
	size_t step;   /* so many that came back were sent at once, and are pending; 0: none */
	enum { STEP_WELL, STEP_FAILED, STEP_REFUSED } step_failed;
	size_t group;                 /* suspects of the next step, at most */
	bool probe;                   /* one alone shows whether the reason is still there */
	bool renew;                   /* the next try needs a new producer */
	bool failing;                 /* since the last flush */
	atomic_bool aborted;          /* nothing waits any longer */
	char reason[KAFKA_REASON_SZ]; /* librdkafka's last words; "" */
	rd_kafka_resp_err_t code;     /* of a message that came back */
	bool refuse_topics;

	uint64_t refused;
	struct err refused_why;
};

/* A producer whose reports go to `o` (NULL: to nobody). */
int kafka_rk_new(const struct rdkafka *lib, const struct kv *props, const char *brokers, struct kafka_out *o,
		 rd_kafka_t **ret, struct err *err);
/* What to do about it. */
const char *kafka_advice(rd_kafka_resp_err_t code);
/* May a message be refused for that, also in company? */
bool kafka_refuses_now(const struct kafka_out *o, rd_kafka_resp_err_t code);
/* Is that about one message alone, and for good? */
bool kafka_refuses(rd_kafka_resp_err_t code);
void kafka_count_refused(struct kafka_out *o, rd_kafka_resp_err_t code, const char *topic, size_t len);
void kafka_again_free(struct kafka_out *o, struct kafka_again *a);

#endif
#endif
