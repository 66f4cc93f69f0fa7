/* kafka.h - the parts of the stores kafka and avro_kafka: what they are told, topics, the producer, the registry. */
#ifndef STORE_KAFKA_H
#define STORE_KAFKA_H

#include "core/base/buf.h"
#include "core/base/kv.h"
#include "store/row.h"

/* -- kafka_props.c: properties of librdkafka, and of the registry -------------------------------------------------- */

/* One object of JSON, of texts, numbers and booleans; -EINVAL with words. */
int kafka_props_json(const char *text, size_t len, struct kv *ret, struct err *err);
/* Lines of KEY=VALUE, and comments (#). */
int kafka_props_lines(const char *text, size_t len, struct kv *ret, struct err *err);
/* A file of either; what is read is added to *ret. */
int kafka_props_file(const char *path, int (*parse)(const char *text, size_t len, struct kv *ret, struct err *err),
		     struct kv *ret, struct err *err);
/* The last one of that name, "" too; NULL when there is none. */
const char *kafka_prop(const struct kv *props, const char *key);

/* -- kafka_topic.c ------------------------------------------------------------------------------------------------- */

#define KAFKA_NAMES_N 64

struct kafka_names {
	struct kafka_name {
		uint32_t id;
		char *name; /* NULL: none yet */
	} users[KAFKA_NAMES_N], groups[KAFKA_NAMES_N];
};

int kafka_topic_check(const char *template, struct err *err);
/* The same topic for all rows of a schema? */
bool kafka_topic_is_of_schema(const char *template);
/* Into `to`, in place of what was there; -EINVAL when it is none that Kafka takes. */
int kafka_topic_expand(const char *template, const char *format, struct kafka_names *names, const struct row *row,
		       struct buf *to, struct err *err);
void kafka_names_fini(struct kafka_names *names);

/* -- registry*.c: the schema registry ------------------------------------------------------------------------------ */

struct registry;
/* From properties as of libserdes.  -EINVAL with words. */
int registry_new(const struct kv *props, struct registry **ret, struct err *err);
void registry_free(struct registry *r); /* NULL is fine */
/* The number of a schema (the text of JSON) below a subject: asked once for each.  -EINVAL: the registry will not have
 * this schema; otherwise it did not answer; -EAGAIN: yet.  Any thread; waits for a second at most. */
int registry_id(struct registry *r, const char *subject, const char *schema, uint32_t *ret, struct err *err);
/* What it is asked, and what its answer says. */
void registry_request(struct buf *to, const char *schema);
int registry_answer_id(const char *body, size_t len, uint32_t *ret, struct err *err);
/* ... when it is not content: "Incompatible schema ..." */
void registry_answer_words(const char *body, size_t len, char *to, size_t size);

/* -- kafka_out.c: a producer --------------------------------------------------------------------------------------- */

/* Is that what librdkafka takes?  Makes a producer and ends it. */
int kafka_out_check(const struct kv *props, struct err *err);

struct kafka_out;
/* `brokers`: a list of HOST:PORT, or NULL when the properties say.  Messages of a topic that is not there, or not for
 * us, are refused; otherwise all wait for it. */
int kafka_out_open(const struct kv *props, const char *brokers, bool refuse_topics, struct kafka_out **ret,
		   struct err *err);
/* What is not delivered yet is waited for, shortly, and then lost: the number of messages. */
uint64_t kafka_out_close(struct kafka_out *o);

/* Headers of messages, kept for many: NAME is VALUE. */
struct kafka_head;
struct kafka_head *kafka_head_new(const struct kafka_out *o, const char *name, const char *value);
void kafka_head_free(const struct kafka_out *o, struct kafka_head *h); /* NULL is fine */

struct kafka_msg {
	const char *topic, *key; /* key: or NULL */
	const struct buf *value;
	const struct kafka_head *head; /* or NULL */
};
/* Take a message, waiting shortly when there are many.  -EAGAIN: the brokers take none.  Not -EINVAL. */
int kafka_out_put(struct kafka_out *o, const struct kafka_msg *msg, struct err *err);
/* 0: all are delivered, or refused for good.  Otherwise they stay here; -EAGAIN with the reason. */
int kafka_out_flush(struct kafka_out *o, struct err *err);
/* What waits in these fails now, and does not wait any more.  Any thread. */
void kafka_out_abort(struct kafka_out *o);
/* How many were refused for good since the last call; of the last one, why. */
uint64_t kafka_out_refused(struct kafka_out *o, struct err *why);

#endif
