/* kafka_rk.c - librdkafka's producer: what it is told, and what it reports
 *
 * Its callbacks run in poll() and flush(), on the thread that calls these; only its log comes from elsewhere.
 */
#include "store/kafka_out_impl.h"

#ifdef HAVE_RDKAFKA
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/log.h"
#include "core/base/xalloc.h"

/* Ours where the properties say nothing else. */
static const struct default_prop {
	const char *name, *value;
} default_props[] = {
	{ "client.id", "ldms" },
	{ "message.timeout.ms", "0" }, /* for ever: dropping is the policy's business */
	{ "queue.buffering.max.kbytes", "16384" },
	{ "queue.buffering.max.messages", "50000" },
	{ "reconnect.backoff.max.ms", "2000" },
	/* until a topic that is not there is reported; brokers that make topics need less, and who waits tries again */
	{ "topic.metadata.propagation.max.ms", "2000" },
};

/* With refuse=topic what is lost is lost: brokers have more time to make it, as librdkafka has it. */
#define PATIENCE_REFUSE_MS "30000"

/* -- reports -------------------------------------------------------------------------------------------- */

/* Is that about this message alone, and for good? */
bool kafka_refuses(rd_kafka_resp_err_t code)
{
	switch (code) {
	case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
	case RD_KAFKA_RESP_ERR_INVALID_MSG:
	case RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE:
	case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
	case RD_KAFKA_RESP_ERR_INVALID_RECORD:
	case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
	case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION: /* its name is invalid */
		return true;
	default:
		return false;
	}
}

/* Is that about the topic? */
static bool is_of_topic(rd_kafka_resp_err_t code)
{
	return code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC ||
	       code == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION || code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
}

bool kafka_refuses_now(const struct kafka_out *o, rd_kafka_resp_err_t code)
{
	return kafka_refuses(code) || (o->refuse_topics && is_of_topic(code));
}

const char *kafka_advice(rd_kafka_resp_err_t code)
{
	return is_of_topic(code) ? "create it, or let this client write to it" : "see that its brokers run";
}

void kafka_count_refused(struct kafka_out *o, rd_kafka_resp_err_t code, const char *topic, size_t len)
{
	o->refused++;
	if (is_of_topic(code)) {
		err_set(&o->refused_why, -ENOENT, "topic %s: %s; %s", topic, o->lib->err2str(code), kafka_advice(code));
		return;
	}
	err_set(&o->refused_why, -EMSGSIZE,
		"topic %s: a message of %zu bytes: %s; see message.max.bytes here and at the brokers", topic, len,
		o->lib->err2str(code));
}

static void again_add(struct kafka_out *o, const rd_kafka_message_t *m)
{
	struct kafka_again *a = xcalloc(1, sizeof(*a) + m->len);

	a->seq = (uintptr_t)m->_private;
	a->suspect = kafka_refuses(m->err);
	a->topic = xstrdup(o->lib->topic_name(m->rkt));
	a->key = m->key ? xstrndup(m->key, m->key_len) : NULL;
	a->len = m->len;
	memcpy(a->value, m->payload, m->len);
	if (o->lib->message_detach_headers((rd_kafka_message_t *)m, &a->headers))
		a->headers = NULL;
	if (o->n_again == o->cap_again) {
		o->cap_again = o->cap_again ? 2 * o->cap_again : 64;
		o->again = xrealloc(o->again, o->cap_again * sizeof(*o->again));
	}
	o->again[o->n_again++] = a;
	o->unsorted = true;
}

void kafka_again_free(struct kafka_out *o, struct kafka_again *a)
{
	if (a->headers)
		o->lib->headers_destroy(a->headers);
	free(a->topic);
	free(a->key);
	free(a);
}

static bool is_purged(rd_kafka_resp_err_t code)
{
	return code == RD_KAFKA_RESP_ERR__PURGE_QUEUE || code == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT;
}

static void on_report(rd_kafka_t *rk, const rd_kafka_message_t *m, void *arg)
{
	struct kafka_out *o = arg;

	(void)rk;
	o->pending--;
	o->failing &= is_purged(m->err); /* somebody answers */
	if (!m->err) {
		*o->reason = '\0';
		o->code = RD_KAFKA_RESP_ERR_NO_ERROR;
		return;
	}
	if (o->step == 1 ? kafka_refuses_now(o, m->err) : !kafka_refuses(m->err) && kafka_refuses_now(o, m->err)) {
		kafka_count_refused(o, m->err, o->lib->topic_name(m->rkt), m->len);
		return;
	}
	if (!is_purged(m->err)) {
		snprintf(o->reason, sizeof(o->reason), "topic %.128s: %s", o->lib->topic_name(m->rkt),
			 o->lib->err2str(m->err));
		o->code = m->err;
		o->upset = true;
		o->renew |= !kafka_refuses(m->err);
		o->probe |= !kafka_refuses(m->err);
	}
	if (kafka_refuses(m->err))
		o->step_failed = STEP_REFUSED;
	else if (o->step_failed == STEP_WELL)
		o->step_failed = STEP_FAILED;
	again_add(o, m);
}

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *arg)
{
	struct kafka_out *o = arg;

	if (!o)
		return;
	if (code == RD_KAFKA_RESP_ERR__FATAL) {
		o->lib->fatal_error(rk, o->reason, sizeof(o->reason));
		o->upset = o->renew = true;
	} else if (code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || !*o->reason) {
		snprintf(o->reason, sizeof(o->reason), "%s", reason);
	}
}

/* From its threads.  What fails is said by the policy. */
static void on_log(const rd_kafka_t *rk, int level, const char *fac, const char *words)
{
	(void)rk;
	(void)level;
	if (!strcmp(fac, "CONFWARN")) /* what it thinks of the properties */
		log_info("store", "librdkafka: %s", words);
	else
		log_debug("store", "librdkafka: %s: %s", fac, words);
}

static void on_log_nothing(const rd_kafka_t *rk, int level, const char *fac, const char *words)
{
	(void)rk;
	(void)level;
	(void)fac;
	(void)words;
}

/* -- what it is told --------------------------------------------------------------------------------------------- */

/* What would break the store, where it is not said as librdkafka has it by itself. */
static const struct left_out {
	const char *name, *dflt, *why;
} props_left_out[] = {
	{ "delivery.report.only.error", "false", "what is delivered is counted by the reports" },
	{ "enabled_events", "0", "they would wait in memory, for nobody" },
	{ "log.queue", "false", "what it holds would wait in memory, for nobody" },
	{ "statistics.interval.ms", "0", "they would wait in memory, for nobody" },
};

static bool is_left_out(const struct kv_pair *prop, bool say)
{
	for (const struct left_out *l = props_left_out;
	     l < props_left_out + sizeof(props_left_out) / sizeof(*props_left_out); l++)
		if (!strcmp(l->name, prop->key)) {
			if (say && strcmp(prop->value, l->dflt))
				log_warning("store", "librdkafka's property %s=%s is left out: %s", prop->key,
					    prop->value, l->why);
			return true;
		}
	return false;
}

static int prop_set(const struct rdkafka *lib, rd_kafka_conf_t *conf, const char *name, const char *value,
		    struct err *err)
{
	char words[KAFKA_REASON_SZ];

	if (!strcmp(name, "transactional.id"))
		return err_set(err, -EINVAL, "transactional.id: rows are not sent in transactions; leave it out");
	if (lib->conf_set(conf, name, value, words, sizeof(words)) == RD_KAFKA_CONF_OK)
		return 0;
	return err_set(err, -EINVAL, "librdkafka: %s", words);
}

/* Idempotence keeps the order over losses of connections, and wants all brokers' acknowledgement.  Where the operator
 * wants less, one request at a time keeps it. */
static int order_set(const struct rdkafka *lib, rd_kafka_conf_t *conf, const struct kv *props, struct err *err)
{
	const char *acks = kafka_prop(props, "acks"), *idem = kafka_prop(props, "enable.idempotence");
	bool wants;
	int rc;

	if (!acks)
		acks = kafka_prop(props, "request.required.acks");
	wants = idem ? !strcmp(idem, "true") : !acks || !strcmp(acks, "all") || !strcmp(acks, "-1");
	rc = prop_set(lib, conf, "enable.idempotence", wants ? "true" : "false", err);
	if (!rc && !wants)
		rc = prop_set(lib, conf, "max.in.flight.requests.per.connection", "1", err);
	return rc;
}

int kafka_rk_new(const struct rdkafka *lib, const struct kv *props, const char *brokers, struct kafka_out *o,
		 rd_kafka_t **ret, struct err *err)
{
	rd_kafka_conf_t *conf = lib->conf_new();
	char words[KAFKA_REASON_SZ];
	int rc = order_set(lib, conf, props, err);

	for (size_t i = 0; i < sizeof(default_props) / sizeof(*default_props);
	     i++) /* some are newer than the library */
		lib->conf_set(conf, default_props[i].name, default_props[i].value, NULL, 0);
	if (!rc && o && o->refuse_topics)
		rc = prop_set(lib, conf, "topic.metadata.propagation.max.ms", PATIENCE_REFUSE_MS, err);
	for (size_t i = 0; !rc && i < props->n; i++)
		if (!is_left_out(&props->v[i], !o))
			rc = prop_set(lib, conf, props->v[i].key, props->v[i].value, err);
	if (!rc && brokers)
		rc = prop_set(lib, conf, "bootstrap.servers", brokers, err);
	if (rc)
		goto out;
	lib->conf_set_opaque(conf, o);
	lib->conf_set_dr_msg_cb(conf, on_report);
	lib->conf_set_error_cb(conf, on_error);
	lib->conf_set_log_cb(conf, o ? on_log : on_log_nothing);
	*ret = lib->new (RD_KAFKA_PRODUCER, conf, words, sizeof(words));
	if (*ret)
		return 0;
	rc = err_set(err, -EINVAL, "librdkafka: %s", words);
out:
	lib->conf_destroy(conf);
	return rc;
}

int kafka_out_check(const struct kv *props, struct err *err)
{
	const struct rdkafka *lib;
	rd_kafka_t *rk;
	int rc = rdkafka_get(&lib, err);

	/* names of nobody: nothing is connected to while it lives */
	if (!rc)
		rc = kafka_rk_new(lib, props, "", NULL, &rk, err);
	if (!rc)
		lib->destroy(rk);
	return rc;
}

#endif
