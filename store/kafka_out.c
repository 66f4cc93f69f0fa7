/* kafka_out.c - a producer: what was taken is in librdkafka's memory until the brokers have it, or here again.
 *
 * librdkafka sends again, in order, for as long as it takes (message.timeout.ms=0), so that dead brokers fail no
 * message; its bounded queue fills, and no more is taken.  A message that it gives back all the same comes to the list
 * `again`, and with it all that librdkafka has not sent yet, so that nothing overtakes it.  The list is sent in steps,
 * the next when all of one is delivered.  Those whose batch was refused are sent in ever smaller steps: a batch may have
 * been too large as a whole, and what is refused alone is refused for good.  Where the reason is no message's (an
 * unknown topic, no permission, a producer that the brokers no longer know), the next try is that of a new producer, of
 * one message at first.
 *
 * All is done on the policy's worker: librdkafka's callbacks run in its poll() and flush().
 */
#include "store/kafka_out_impl.h"

#ifdef HAVE_RDKAFKA
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"

#define FLUSH_MAX_US  (3 * SEC_US)   /* that long a flush waits, or who meets a full queue */
#define QUIET_US      SEC_US         /* ... without a delivery, when an error was reported */
#define QUIET_DOWN_US (20 * MSEC_US) /* ... when the last one gave up */
#define SLICE_MS      50             /* of waiting in librdkafka */
#define POLL_EVERY    64             /* messages, until reports of delivery are looked at */
#define TOPICS_MAX    4096           /* handles that are kept */
#define GROUP         64             /* messages that are sent again at first, when a batch was refused */

struct kafka_topic {
	UT_hash_handle hh;
	char *name;
	rd_kafka_topic_t *rkt;
};

struct kafka_head {
	rd_kafka_headers_t *headers;
};

/* -- opening and closing ------------------------------------------------------------------------------------------- */

int kafka_out_open(const struct kv *props, const char *brokers, bool refuse_topics, struct kafka_out **ret,
		   struct err *err)
{
	struct kafka_out *o;
	const struct rdkafka *lib;
	int rc = rdkafka_get(&lib, err);

	if (rc)
		return rc;
	o = xcalloc(1, sizeof(*o));
	o->lib = lib;
	o->props = props;
	o->brokers = xstrdup(brokers);
	o->group = GROUP;
	o->refuse_topics = refuse_topics;
	rc = kafka_rk_new(lib, props, brokers, o, &o->rk, err);
	if (rc) {
		free(o->brokers);
		free(o);
		return rc;
	}
	*ret = o;
	return 0;
}

static void topics_forget(struct kafka_out *o)
{
	struct kafka_topic *t, *next;

	HASH_ITER(hh, o->topics, t, next) {
		HASH_DEL(o->topics, t);
		o->lib->topic_destroy(t->rkt);
		free(t->name);
		free(t);
	}
}

static void rk_end(struct kafka_out *o)
{
	topics_forget(o);
	if (o->rk)
		o->lib->destroy(o->rk);
	o->rk = NULL;
}

uint64_t kafka_out_close(struct kafka_out *o)
{
	uint64_t lost;

	kafka_out_flush(o, NULL);
	o->upset = false;
	if (o->rk && o->pending) {
		o->lib->purge(o->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
		while (o->pending && o->lib->poll(o->rk, SLICE_MS))
			;
	}
	lost = o->pending + o->n_again;
	rk_end(o);
	for (size_t i = 0; i < o->n_again; i++)
		kafka_again_free(o, o->again[i]);
	free(o->again);
	free(o->brokers);
	free(o);
	return lost;
}

void kafka_out_abort(struct kafka_out *o)
{
	o->aborted = true;
}

/* -- headers ------------------------------------------------------------------------------------------------------- */

struct kafka_head *kafka_head_new(const struct kafka_out *o, const char *name, const char *value)
{
	struct kafka_head *h = xcalloc(1, sizeof(*h));

	h->headers = o->lib->headers_new(1);
	o->lib->header_add(h->headers, name, -1, value, -1);
	return h;
}

void kafka_head_free(const struct kafka_out *o, struct kafka_head *h)
{
	if (!h)
		return;
	o->lib->headers_destroy(h->headers);
	free(h);
}

/* -- sending ------------------------------------------------------------------------------------------------------- */

static int failed(struct kafka_out *o, struct err *err)
{
	o->failing = true;
	return err_set(err, -EAGAIN, "Kafka %s: messages=%" PRIu64 " are not delivered: %s; %s",
		       o->brokers ? o->brokers : "(bootstrap.servers)", o->pending + o->n_again,
		       *o->reason ? o->reason : "no answer yet", kafka_advice(o->code));
}

/* Callbacks run in here; then what shall come back is called back. */
static void serve(struct kafka_out *o, int ms, bool flush)
{
	o->unpolled = 0;
	if (flush)
		o->lib->flush(o->rk, ms); /* lets nothing linger */
	else
		o->lib->poll(o->rk, ms);
	while (o->upset && o->pending) {
		o->upset = false;
		o->lib->purge(o->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_NON_BLOCKING);
		o->lib->poll(o->rk, 0);
	}
}

/* Brokers that only take their time are no failure. */
static int64_t patience_us(const struct kafka_out *o)
{
	return o->failing ? QUIET_DOWN_US : *o->reason ? QUIET_US : FLUSH_MAX_US;
}

/* Until `most` are pending; false: it did not come to that in time. */
static bool wait_pending(struct kafka_out *o, uint64_t most, int64_t deadline)
{
	int64_t now = mono_us(), since = now;
	uint64_t before = o->pending;

	while (o->pending > most && now < since + patience_us(o) && now < deadline && !o->aborted) {
		serve(o, o->failing ? QUIET_DOWN_US / MSEC_US : SLICE_MS, true);
		now = mono_us();
		if (o->pending < before)
			since = now;
		before = o->pending;
	}
	return o->pending <= most;
}

static rd_kafka_topic_t *topic_get(struct kafka_out *o, const char *name)
{
	struct kafka_topic *t;

	HASH_FIND_STR(o->topics, name, t);
	if (t)
		return t->rkt;
	if (HASH_COUNT(o->topics) >= TOPICS_MAX)
		topics_forget(o); /* librdkafka keeps those that have messages */
	t = xcalloc(1, sizeof(*t));
	t->name = xstrdup(name);
	t->rkt = o->lib->topic_new(o->rk, name, NULL);
	if (!t->rkt) {
		free(t->name);
		free(t);
		return NULL;
	}
	HASH_ADD_KEYPTR(hh, o->topics, t->name, strlen(t->name), t);
	return t->rkt;
}

/* Takes the headers when it succeeds. */
static rd_kafka_resp_err_t produce(struct kafka_out *o, const char *topic, const char *key, const void *value,
				   size_t len, rd_kafka_headers_t *headers, uint64_t seq)
{
	rd_kafka_topic_t *rkt = topic_get(o, topic);
	rd_kafka_resp_err_t code;

	if (!rkt)
		return RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION;
	code = o->lib->producev(o->rk, RD_KAFKA_V_RKT(rkt), RD_KAFKA_V_KEY(key, key ? strlen(key) : 0),
				RD_KAFKA_V_VALUE((void *)value, len), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
				RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_OPAQUE((void *)(uintptr_t)seq), RD_KAFKA_V_END);
	o->pending += !code;
	return code;
}

static int by_seq(const void *a, const void *b)
{
	const struct kafka_again *x = *(struct kafka_again *const *)a, *y = *(struct kafka_again *const *)b;

	return (x->seq > y->seq) - (x->seq < y->seq);
}

/* A new producer, where the last one is of no more use.  Nothing is pending. */
static int renew(struct kafka_out *o, struct err *err)
{
	int rc = 0;

	if (o->renew)
		rk_end(o);
	if (!o->rk)
		rc = kafka_rk_new(o->lib, o->props, o->brokers, o, &o->rk, err);
	o->renew &= rc != 0;
	return rc == -EINVAL ? -EIO
			     : rc; /* which the policy takes for the row's: a file of TLS may be away for a while */
}

/* How many of those that came back are sent at once, from the oldest. */
static size_t step_size(const struct kafka_out *o)
{
	if (o->probe)
		return 1;
	for (size_t i = 0; i < o->n_again; i++)
		if (o->again[i]->suspect)
			return o->group < o->n_again ? o->group : o->n_again;
	return o->n_again;
}

/* Nothing is pending. */
static int step_send(struct kafka_out *o, struct err *err)
{
	size_t i;
	int rc = 0;

	o->step = step_size(o);
	o->step_failed = STEP_WELL;
	for (i = 0; i < o->step; i++) {
		struct kafka_again *a = o->again[i];
		rd_kafka_resp_err_t code = produce(o, a->topic, a->key, a->value, a->len, a->headers, a->seq);

		if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL && o->pending)
			break;
		if (code && code != RD_KAFKA_RESP_ERR__QUEUE_FULL && !kafka_refuses_now(o, code)) {
			o->code = code;
			snprintf(o->reason, sizeof(o->reason), "topic %.128s: %s", a->topic, o->lib->err2str(code));
			o->renew = true;
			rc = failed(o, err);
			break;
		}
		if (code)
			kafka_count_refused(o, code, a->topic, a->len);
		else
			a->headers = NULL;
		kafka_again_free(o, a);
	}
	o->n_again -= i;
	memmove(o->again, o->again + i, o->n_again * sizeof(*o->again));
	return rc;
}

/* Nothing is pending any more. */
static void step_end(struct kafka_out *o)
{
	if (o->step && o->step_failed == STEP_REFUSED)
		o->group = o->step > 1 ? o->step / 2 : 1;
	if (o->step && o->step_failed == STEP_WELL) {
		o->group = 2 * o->step;
		o->probe = false;
	}
	o->step = 0;
}

/* All that came back, in order. */
static int again_all(struct kafka_out *o, int64_t deadline, struct err *err)
{
	int rc = 0;

	if (!o->n_again && !o->step)
		return 0;
	if (!wait_pending(o, 0, deadline)) /* those in flight may come back, too */
		return failed(o, err);
	step_end(o);
	if (o->n_again)
		log_debug("store", "Kafka: messages=%zu came back (%s); they are sent again", o->n_again, o->reason);
	while (!rc && o->n_again) {
		if (o->unsorted)
			qsort(o->again, o->n_again, sizeof(*o->again), by_seq);
		o->unsorted = false;
		rc = renew(o, err);
		if (!rc)
			rc = mono_us() < deadline ? step_send(o, err) : failed(o, err);
		if (!rc && (!wait_pending(o, 0, deadline) || o->renew))
			rc = failed(o, err);
		if (!o->pending)
			step_end(o);
	}
	if (!rc)
		o->group = GROUP;
	o->upset = false;
	return rc;
}

int kafka_out_flush(struct kafka_out *o, struct err *err)
{
	int64_t deadline = mono_us() + FLUSH_MAX_US;
	int rc;

	if (o->rk && !wait_pending(o, 0, deadline))
		return failed(o, err);
	rc = again_all(o, deadline, err);
	o->failing = rc;
	return rc;
}

int kafka_out_put(struct kafka_out *o, const struct kafka_msg *msg, struct err *err)
{
	int64_t deadline = mono_us() + FLUSH_MAX_US;
	int rc = again_all(o, deadline, err);
	rd_kafka_headers_t *headers;
	rd_kafka_resp_err_t code;

	if (!rc && o->renew) /* what is on its way may come back, and goes first */
		rc = wait_pending(o, 0, deadline) ? again_all(o, deadline, err) : failed(o, err);
	if (!rc && o->renew)
		rc = renew(o, err);
	if (rc)
		return rc;
	headers = msg->head ? o->lib->headers_copy(msg->head->headers) : NULL;
	while ((code = produce(o, msg->topic, msg->key, msg->value->p, msg->value->len, headers, o->seq)) ==
		       RD_KAFKA_RESP_ERR__QUEUE_FULL &&
	       o->pending && wait_pending(o, o->pending - 1, deadline) && !o->n_again)
		;
	if (code && headers)
		o->lib->headers_destroy(headers);
	if (!code) {
		o->seq++;
		if (++o->unpolled >= POLL_EVERY)
			serve(o, 0, false);
		return 0;
	}
	if (kafka_refuses_now(o, code) || (code == RD_KAFKA_RESP_ERR__QUEUE_FULL && !o->pending && !o->n_again)) {
		kafka_count_refused(o, code, msg->topic, msg->value->len);
		return 0;
	}
	if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
		o->code = code;
		snprintf(o->reason, sizeof(o->reason), "topic %.128s: %s", msg->topic, o->lib->err2str(code));
		o->renew = true;
	}
	return failed(o, err);
}

uint64_t kafka_out_refused(struct kafka_out *o, struct err *why)
{
	uint64_t n = o->refused;

	if (n && why)
		*why = o->refused_why;
	o->refused = 0;
	return n;
}

#endif
