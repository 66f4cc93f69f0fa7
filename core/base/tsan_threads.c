/* tsan_threads.c - C11's threads by POSIX's, and what is not looked at, in a build with SAN=thread
 *
 * ThreadSanitizer does not know thrd_create(), so that a thread of a library that uses it (librdkafka) crashes at its
 * first malloc(), and with mtx_lock() all that such a library guards looks like a race.  The dynamic linker gives the
 * library these in place of glibc's, whose types are the same.
 */
#include <pthread.h> /* in every build: a file has to hold something */

#ifdef __has_feature
#if __has_feature(thread_sanitizer)
#define __SANITIZE_THREAD__ 1
#endif
#endif

#ifdef __SANITIZE_THREAD__
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>

#include "core/base/xalloc.h"

static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t) && sizeof(cnd_t) == sizeof(pthread_cond_t), "as in glibc");

/* librdkafka lets go of its topics by an atomic counter, which cannot be seen from outside. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
	return "race_top:pthread_rwlock_destroy\n";
}

struct begin {
	thrd_start_t fn;
	void *arg;
};

static int words(int rc)
{
	return !rc ? thrd_success : rc == EBUSY ? thrd_busy : rc == ETIMEDOUT ? thrd_timedout : thrd_error;
}

static void *begin(void *arg)
{
	struct begin b = *(struct begin *)arg;

	free(arg);
	return (void *)(intptr_t)b.fn(b.arg);
}

int thrd_create(thrd_t *t, thrd_start_t fn, void *arg)
{
	struct begin *b = xmalloc(sizeof(*b));
	int rc;

	*b = (struct begin){ fn, arg };
	rc = pthread_create(t, NULL, begin, b);
	if (rc)
		free(b);
	return words(rc);
}

int thrd_join(thrd_t t, int *ret)
{
	void *value;
	int rc = pthread_join(t, &value);

	if (!rc && ret)
		*ret = (int)(intptr_t)value;
	return words(rc);
}

int thrd_detach(thrd_t t)
{
	return words(pthread_detach(t));
}

int mtx_init(mtx_t *m, int type)
{
	pthread_mutexattr_t attr;
	int rc;

	pthread_mutexattr_init(&attr);
	if (type & mtx_recursive)
		pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	rc = pthread_mutex_init((pthread_mutex_t *)m, &attr);
	pthread_mutexattr_destroy(&attr);
	return words(rc);
}

void mtx_destroy(mtx_t *m)
{
	pthread_mutex_destroy((pthread_mutex_t *)m);
}

int mtx_lock(mtx_t *m)
{
	return words(pthread_mutex_lock((pthread_mutex_t *)m));
}

int mtx_trylock(mtx_t *m)
{
	return words(pthread_mutex_trylock((pthread_mutex_t *)m));
}

int mtx_timedlock(mtx_t *m, const struct timespec *until)
{
	return words(pthread_mutex_timedlock((pthread_mutex_t *)m, until));
}

int mtx_unlock(mtx_t *m)
{
	return words(pthread_mutex_unlock((pthread_mutex_t *)m));
}

int cnd_init(cnd_t *c)
{
	return words(pthread_cond_init((pthread_cond_t *)c, NULL));
}

void cnd_destroy(cnd_t *c)
{
	pthread_cond_destroy((pthread_cond_t *)c);
}

int cnd_signal(cnd_t *c)
{
	return words(pthread_cond_signal((pthread_cond_t *)c));
}

int cnd_broadcast(cnd_t *c)
{
	return words(pthread_cond_broadcast((pthread_cond_t *)c));
}

int cnd_wait(cnd_t *c, mtx_t *m)
{
	return words(pthread_cond_wait((pthread_cond_t *)c, (pthread_mutex_t *)m));
}

int cnd_timedwait(cnd_t *c, mtx_t *m, const struct timespec *until)
{
	return words(pthread_cond_timedwait((pthread_cond_t *)c, (pthread_mutex_t *)m, until));
}
#endif
