/* rdkafka.c - see rdkafka.h */
#include "store/rdkafka.h"

#ifdef HAVE_RDKAFKA
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>

#define LIBRARY "librdkafka.so.1"

static int load(struct rdkafka *lib, struct err *err)
{
	void *so = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

	if (!so)
		return err_set(err, -ENOENT, LIBRARY " is not there: %s; install the package of librdkafka", dlerror());
#define X(n)                                                                                                           \
	lib->n = (__typeof__(lib->n))dlsym(so, "rd_kafka_" #n);                                                        \
	if (!lib->n)                                                                                                   \
		return err_set(err, -ENOSYS, LIBRARY " is too old: %s; install librdkafka 1.6 or later", dlerror());
	RDKAFKA_FUNCTIONS(X)
#undef X
	return 0;
}

int rdkafka_get(const struct rdkafka **ret, struct err *err)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static struct rdkafka lib;
	static bool loaded;
	int rc = 0;

	pthread_mutex_lock(&lock);
	if (!loaded)
		rc = load(&lib, err); /* once more each time: it may have been installed meanwhile */
	loaded |= !rc;
	pthread_mutex_unlock(&lock);
	*ret = &lib;
	return rc;
}

#endif
