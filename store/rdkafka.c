/* rdkafka.c - see rdkafka.h */
#include "store/rdkafka.h"

#ifdef HAVE_RDKAFKA
#include <stddef.h>

#include "core/base/library.h"

static struct rdkafka table;
static struct library library = {
	.files = (const char *const[]){ "librdkafka.so.1", NULL },
	.functions =
		(const char *const[]){
#define X(n) "rd_kafka_" #n,
			RDKAFKA_FUNCTIONS(X) NULL
#undef X
		},
	.table = &table,
	.package = "librdkafka 1.6 or later",
	.lock = PTHREAD_MUTEX_INITIALIZER,
};

int rdkafka_get(const struct rdkafka **ret, struct err *err)
{
	*ret = &table;
	return library_get(&library, err);
}

#endif
