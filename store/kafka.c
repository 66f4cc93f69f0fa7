/* kafka.c - rows as messages of Kafka: the stores kafka (as ldmsd's store_kafka) and avro_kafka (store_avro_kafka).
 *
 * A row is one message of the topic that the template says, its key the producer, its value JSON or Avro.  A policy
 * has a producer of its own, and the container is the list of brokers.  What is taken is safe when the brokers have
 * acknowledged it: flush() waits for that, shortly.
 */
#include "store/kafka.h"

#include "store/rdkafka.h"
#include "store/store.h"

static const struct store_attr kafka_attrs[] = {
	{ "encoding", NULL, "of messages: json or avro; store kafka's is json unless given, avro_kafka's avro",
	  "json|avro" },
	{ "header", "digest", "digest: a header \"digest\" with that of the row schema, in hexadecimal; none",
	  "digest|none" },
	{ "kafka_conf", NULL, "a file of librdkafka's properties, lines of KEY=VALUE", "file" },
	{ "key", "producer", "what the key of messages is: producer, instance or none", "producer|instance|none" },
	{ "path", NULL, "a file of librdkafka's properties, an object of JSON", "file" },
	{ "refuse", "nothing",
	  "what is counted as refused, and lost, so that the policy's other rows need not wait: topic (rows of one "
	  "that "
	  "the brokers do not have, or not for this client), schema (while the registry does not answer for it), both; "
	  "nothing: all wait",
	  "nothing|topic|schema|both" },
	{ "serdes_conf", NULL, "a file of the schema registry's properties, lines of KEY=VALUE", "file" },
	{ "topic", "%S",
	  "%F json or avro, %S row schema, %P producer, %I instance, %u and %U owner (name, number), %g and %G group, "
	  "%a and %A permissions",
	  "template" },
	{ 0 },
};

#ifdef HAVE_RDKAFKA
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "store/avro.h"
#include "store/json_row.h"

enum kafka_key { KEY_PRODUCER, KEY_INSTANCE, KEY_NONE };
static const char *const key_words[] = { "producer", "instance", "none", NULL };

enum kafka_encoding { ENCODING_JSON, ENCODING_AVRO };
static const char *const encoding_words[] = { "json", "avro", NULL };

enum kafka_refuse { REFUSE_TOPIC = 1, REFUSE_SCHEMA = 2 };
static const char *const refuse_words[] = {
	[0] = "nothing",
	[REFUSE_TOPIC] = "topic",
	[REFUSE_SCHEMA] = "schema",
	[REFUSE_TOPIC | REFUSE_SCHEMA] = "both",
	NULL,
};

enum kafka_header { HEADER_DIGEST, HEADER_NONE };
static const char *const header_words[] = { "digest", "none", NULL };

/* An instance. */
struct kafka {
	const char *name;
	struct kv props;
	char *topic;
	unsigned int encoding, key, header, refuse;
	struct registry *registry; /* of Avro; NULL: none */
};

/* Rows of one schema. */
struct kafka_shape {
	struct row_schema *schema;
	struct json_row json;   /* of one encoding */
	struct row_fields avro; /* ... and of the other */
	uint32_t id;            /* the schema's, in the registry */
	char *topic;            /* NULL: another for each set */
	struct kafka_head *head;
};

struct store_sink {
	const struct kafka *kafka;
	struct kafka_out *out;
	struct kafka_shape **shapes;
	size_t n_shapes, last; /* the one of the last row */
	struct kafka_names names;
	struct buf topic, value; /* of the row at hand */
	uint64_t refused;
	struct err refused_why;
};

/* -- configuration ------------------------------------------------------------------------------------------------- */

static int conf_word(const struct store *st, const char *attr, const char *const *words, unsigned int *ret,
		     struct err *err)
{
	const char *text = store_attr(st, attr);
	struct buf all = { 0 };
	int rc;

	for (unsigned int i = 0; text && words[i]; i++)
		if (!strcasecmp(text, words[i])) {
			*ret = i;
			return 0;
		}
	if (!text)
		return 0;
	for (unsigned int i = 0; words[i]; i++)
		buf_addf(&all, "%s%s", i ? ", " : "", words[i]);
	rc = err_set(err, -EINVAL, "%s=%s: one of %s goes there", attr, text, buf_str(&all));
	buf_fini(&all);
	return rc;
}

/* Quotes around it are those of shells, and of ldmsd's users. */
static int conf_topic(struct kafka *k, const struct store *st, struct err *err)
{
	const char *text = store_attr(st, "topic");
	size_t len = text ? strlen(text) : 0;
	bool quoted = len >= 2 && text[0] == '"' && text[len - 1] == '"';

	k->topic = text ? xstrndup(text + quoted, len - 2 * quoted) : xstrdup("%S");
	return kafka_topic_check(k->topic, err);
}

static int conf_registry(struct kafka *k, const struct store *st, struct err *err)
{
	const char *path = store_attr(st, "serdes_conf");
	struct kv props = { 0 };
	int rc = path ? kafka_props_file(path, kafka_props_lines, &props, err) : 0;

	if (!rc)
		rc = registry_new(&props, &k->registry, err);
	if (rc && path && strncmp(err ? err->msg : path, path, strlen(path)))
		err_prefix(err, rc, "%s: ", path);
	kv_fini(&props);
	return rc;
}

static void kafka_fini(struct store *st)
{
	struct kafka *k = store_state(st);

	registry_free(k->registry);
	kv_fini(&k->props);
	free(k->topic);
	*k = (struct kafka){ 0 };
}

static int config(struct store *st, enum kafka_encoding encoding, struct err *err)
{
	struct kafka *k = store_state(st);
	const char *json = store_attr(st, "path"), *lines = store_attr(st, "kafka_conf");
	int rc;

	k->name = store_name(st);
	k->encoding = encoding;
	rc = conf_word(st, "encoding", encoding_words, &k->encoding, err);
	if (!rc)
		rc = conf_word(st, "key", key_words, &k->key, err);
	if (!rc)
		rc = conf_word(st, "header", header_words, &k->header, err);
	if (!rc)
		rc = conf_word(st, "refuse", refuse_words, &k->refuse, err);
	if (!rc)
		rc = conf_topic(k, st, err);
	if (!rc && json)
		rc = kafka_props_file(json, kafka_props_json, &k->props, err);
	if (!rc && lines)
		rc = kafka_props_file(lines, kafka_props_lines, &k->props, err);
	if (!rc)
		rc = kafka_out_check(&k->props, err);
	if (!rc && k->encoding == ENCODING_AVRO)
		rc = conf_registry(k, st, err);
	if (!rc)
		return 0;
	kafka_fini(st);
	return err_prefix(err, rc, "store %s: ", store_name(st));
}

static int kafka_config(struct store *st, struct err *err)
{
	return config(st, ENCODING_JSON, err);
}

static int avro_kafka_config(struct store *st, struct err *err)
{
	return config(st, ENCODING_AVRO, err);
}

/* -- a policy's ---------------------------------------------------------------------------------------------------- */

/* The container is the brokers'; but a policy has one also where nobody gave it any, so one without a port gives way to
 * brokers of the properties. */
static int kafka_open(struct store *st, const char *container, struct store_sink **ret, struct err *err)
{
	const struct kafka *k = store_state(st);
	bool of_props = kafka_prop(&k->props, "bootstrap.servers") || kafka_prop(&k->props, "metadata.broker.list");
	struct kafka_out *out;
	struct store_sink *sk;
	int rc = kafka_out_open(&k->props, of_props && !strchr(container, ':') ? NULL : container,
				k->refuse & REFUSE_TOPIC, &out, err);

	if (rc)
		return err_prefix(err, rc, "store %s: ", k->name);
	sk = xcalloc(1, sizeof(*sk));
	sk->kafka = k;
	sk->out = out;
	*ret = sk;
	return 0;
}

static void shape_free(struct store_sink *sk, struct kafka_shape *sh)
{
	json_row_fini(&sh->json);
	row_fields_fini(&sh->avro);
	kafka_head_free(sk->out, sh->head);
	row_schema_put(sh->schema);
	free(sh->topic);
	free(sh);
}

static int shape_avro(struct store_sink *sk, struct kafka_shape *sh, struct err *err)
{
	struct buf text = { 0 };
	int rc;

	row_fields_init(&sh->avro, sh->schema, ROW_FIELD_NAMES_AVRO);
	avro_schema_put(&text, sh->schema->name, &sh->avro);
	rc = registry_id(sk->kafka->registry, sh->schema->name, buf_str(&text), &sh->id, err);
	buf_fini(&text);
	return rc;
}

static int shape_topic(struct store_sink *sk, struct kafka_shape *sh, const struct row *row, struct err *err)
{
	const struct kafka *k = sk->kafka;
	int rc;

	if (!kafka_topic_is_of_schema(k->topic))
		return 0;
	rc = kafka_topic_expand(k->topic, encoding_words[k->encoding], &sk->names, row, &sk->topic, err);
	if (!rc)
		sh->topic = xstrdup(buf_str(&sk->topic));
	return rc;
}

static int shape_add(struct store_sink *sk, const struct row *row, struct err *err)
{
	struct kafka_shape *sh = xcalloc(1, sizeof(*sh));
	char hex[2 * DIGEST_LEN + 1];
	int rc;

	sh->schema = row_schema_get(row->schema);
	rc = shape_topic(sk, sh, row, err);
	if (!rc && sk->kafka->encoding == ENCODING_AVRO)
		rc = shape_avro(sk, sh, err);
	else if (!rc)
		json_row_init(&sh->json, sh->schema);
	if (rc) {
		shape_free(sk, sh);
		return rc;
	}
	if (sk->kafka->header == HEADER_DIGEST) {
		digest_hex(sh->schema->digest, hex);
		sh->head = kafka_head_new(sk->out, "digest", hex);
	}
	sk->shapes = xrealloc(sk->shapes, (sk->n_shapes + 1) * sizeof(*sk->shapes));
	sk->last = sk->n_shapes++;
	sk->shapes[sk->last] = sh;
	return 0;
}

static int shape_find(struct store_sink *sk, const struct row *row, struct err *err)
{
	if (sk->n_shapes && sk->shapes[sk->last]->schema == row->schema)
		return 0;
	for (size_t i = 0; i < sk->n_shapes; i++)
		if (row_schema_same(sk->shapes[i]->schema, row->schema)) {
			sk->last = i;
			return 0;
		}
	return shape_add(sk, row, err);
}

/* Confluent's framing: 0, the schema's number, the record. */
static void value_put(struct store_sink *sk, const struct kafka_shape *sh, const struct row *row)
{
	buf_reset(&sk->value);
	if (sk->kafka->encoding == ENCODING_JSON) {
		json_row_put(&sk->value, &sh->json, row);
		return;
	}
	buf_u8(&sk->value, 0);
	buf_be32(&sk->value, sh->id);
	avro_row_put(&sk->value, &sh->avro, row);
}

static int kafka_row(struct store_sink *sk, const struct row *row, struct err *err)
{
	const struct kafka *k = sk->kafka;
	const char *const keys[] = { [KEY_PRODUCER] = row->producer, [KEY_INSTANCE] = row->instance };
	struct kafka_msg msg = { .key = k->key == KEY_NONE ? NULL : keys[k->key], .value = &sk->value };
	struct kafka_shape *sh;
	int rc = shape_find(sk, row, err);

	if (rc && rc != -EINVAL && k->refuse & REFUSE_SCHEMA) { /* the registry does not answer */
		sk->refused++;
		if (err)
			sk->refused_why = *err;
		return 0;
	}
	if (rc)
		goto out;
	sh = sk->shapes[sk->last];
	if (!sh->topic &&
	    kafka_topic_expand(k->topic, encoding_words[k->encoding], &sk->names, row, &sk->topic, &sk->refused_why)) {
		sk->refused++; /* of this set alone */
		return 0;
	}
	msg.topic = sh->topic ? sh->topic : buf_str(&sk->topic);
	msg.head = sh->head;
	value_put(sk, sh, row);
	rc = kafka_out_put(sk->out, &msg, err);
out:
	return rc ? err_prefix(err, rc, "store %s: ", k->name) : 0;
}

static int kafka_flush(struct store_sink *sk, struct err *err)
{
	int rc = kafka_out_flush(sk->out, err);

	return rc ? err_prefix(err, rc, "store %s: ", sk->kafka->name) : 0;
}

static uint64_t kafka_refused(struct store_sink *sk, struct err *why)
{
	uint64_t n = sk->refused;

	if (n && why)
		*why = sk->refused_why;
	sk->refused = 0;
	return n + kafka_out_refused(sk->out, why);
}

static void kafka_abort(struct store_sink *sk)
{
	kafka_out_abort(sk->out);
}

static void kafka_close(struct store_sink *sk)
{
	const char *name = sk->kafka->name;
	uint64_t lost;

	for (size_t i = 0; i < sk->n_shapes; i++)
		shape_free(sk, sk->shapes[i]);
	lost = kafka_out_close(sk->out);
	if (lost)
		log_error("store",
			  "store %s: closed with messages=%" PRIu64
			  " that were not delivered; without a spool they are lost",
			  name, lost);
	kafka_names_fini(&sk->names);
	buf_fini(&sk->topic);
	buf_fini(&sk->value);
	free(sk->shapes);
	free(sk);
}

#define KAFKA_FACE(conf)                                                                                               \
	.reads = "path kafka_conf serdes_conf", .state_size = sizeof(struct kafka), .config = (conf),                  \
	.open = kafka_open, .row = kafka_row, .flush = kafka_flush, .refused = kafka_refused, .abort = kafka_abort,    \
	.close = kafka_close, .fini = kafka_fini
#else
#define KAFKA_FACE(conf) .needs = RDKAFKA_NEEDS
#endif

/* The topic is the row schema's name unless it is said. */
#define KAFKA_TO(type, format)                                                                                         \
	{                                                                                                              \
		.word = (type), .form = "HOST:PORT[,...][/TOPIC]", .tail = "topic",                                    \
		.help = "messages of Kafka, " format "; TOPIC may be as ldms.%S",                                      \
	}

static const struct store_to kafka_to[] = { KAFKA_TO("kafka", "JSON"), { 0 } };
static const struct store_to avro_kafka_to[] = { KAFKA_TO("avro_kafka", "Avro"), { 0 } };

static const struct store_about kafka_about = {
	.example = "load name=kf plugin=kafka\n"
		   "config name=kf topic=ldms.%S path=/etc/ldms/kafka.json\n"
		   "strgp_add name=kf plugin=kf container=b1:9092,b2:9092 regex=.* \\\n"
		   "          spool=/var/spool/ldms\n"
		   "strgp_start name=kf\n",
	.flush = "when the brokers have acknowledged the message: all replicas that are in sync, unless acks says less",
	.once = "at least once: none comes twice while the policy runs; when the daemon is killed, or the policy "
		"stopped "
		"while its brokers hang, what was sent and not counted as stored comes again from the spool, alike to "
		"the byte",
};

const struct store_type store_kafka = {
	.name = "kafka",
	.brief = "messages of Kafka, JSON; the container is HOST:PORT of its brokers",
	.about = &kafka_about,
	.to = kafka_to,
	.attrs = kafka_attrs,
	KAFKA_FACE(kafka_config),
};

static const struct store_about avro_kafka_about = {
	.example = "load name=kf plugin=avro_kafka\n"
		   "config name=kf topic=ldms.%S path=/etc/ldms/kafka.json \\\n"
		   "       serdes_conf=/etc/ldms/registry.conf\n"
		   "strgp_add name=kf plugin=kf container=b1:9092,b2:9092 regex=.* \\\n"
		   "          decomposition=/etc/ldms/decomp.json \\\n"
		   "          spool=/var/spool/ldms\n"
		   "strgp_start name=kf\n",
	.flush = "as store kafka",
	.once = "as store kafka",
};

const struct store_type store_avro_kafka = {
	.name = "avro_kafka",
	.brief = "messages of Kafka, Avro with a schema registry; the container is HOST:PORT of its brokers",
	.about = &avro_kafka_about,
	.to = avro_kafka_to,
	.attrs = kafka_attrs,
	KAFKA_FACE(avro_kafka_config),
};
