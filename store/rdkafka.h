/* rdkafka.h - librdkafka, opened when a store first wants it: a daemon without one does not pay for it. */
#ifndef STORE_RDKAFKA_H
#define STORE_RDKAFKA_H

#include "core/base/err.h"

#if defined(LDMS_STATIC)
#define RDKAFKA_NEEDS "librdkafka (STATIC=1 leaves it out)"
#elif !__has_include(<librdkafka/rdkafka.h>)
#define RDKAFKA_NEEDS "librdkafka"
#else
#define HAVE_RDKAFKA
#include <librdkafka/rdkafka.h>

#define RDKAFKA_FUNCTIONS(X)                                                                                           \
	X(conf_new)                                                                                                    \
	X(conf_set)                                                                                                    \
	X(conf_destroy)                                                                                                \
	X(conf_set_dr_msg_cb)                                                                                          \
	X(conf_set_error_cb)                                                                                           \
	X(conf_set_log_cb)                                                                                             \
	X(conf_set_opaque)                                                                                             \
	X(new)                                                                                                         \
	X(destroy)                                                                                                     \
	X(opaque)                                                                                                      \
	X(producev)                                                                                                    \
	X(poll)                                                                                                        \
	X(flush)                                                                                                       \
	X(purge)                                                                                                       \
	X(fatal_error)                                                                                                 \
	X(err2str)                                                                                                     \
	X(topic_new)                                                                                                   \
	X(topic_name)                                                                                                  \
	X(topic_destroy)                                                                                               \
	X(headers_new)                                                                                                 \
	X(headers_copy)                                                                                                \
	X(headers_destroy)                                                                                             \
	X(header_add)                                                                                                  \
	X(message_detach_headers)

struct rdkafka {
#define X(n) __typeof__(&rd_kafka_##n) n;
	RDKAFKA_FUNCTIONS(X)
#undef X
};

/* -ENOENT with words when it is not there; any thread. */
int rdkafka_get(const struct rdkafka **ret, struct err *err);

#endif
#endif
