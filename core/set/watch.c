/* watch.c - see watch.h
 *
 * The lists are guarded by a few locks that all sets share: a set is watched by few, and a set has to be small.
 */
#include "core/set/watch.h"

#include <pthread.h>

#define LOCKS 16 /* more than there are threads that write sets */

static struct {
	pthread_mutex_t m;
} __attribute__((aligned(64))) locks[LOCKS] = { [0 ... LOCKS - 1] = { PTHREAD_MUTEX_INITIALIZER } };

static pthread_mutex_t *lock_of(const struct set *s)
{
	return &locks[(uintptr_t)s / sizeof(*s) % LOCKS].m;
}

void set_watch_add(struct set *s, struct set_watch *w)
{
	pthread_mutex_t *lock = lock_of(s);
	struct set_watch *first;

	pthread_mutex_lock(lock);
	first = atomic_load_explicit(&s->watches, memory_order_relaxed);
	w->next = first;
	w->prev = NULL;
	if (first)
		first->prev = &w->next;
	atomic_store_explicit(&s->watches, w, memory_order_release);
	pthread_mutex_unlock(lock);
}

void set_watch_del(struct set *s, struct set_watch *w)
{
	pthread_mutex_t *lock = lock_of(s);

	pthread_mutex_lock(lock);
	if (w->prev)
		*w->prev = w->next;
	else
		atomic_store_explicit(&s->watches, w->next, memory_order_release);
	if (w->next)
		w->next->prev = w->prev;
	pthread_mutex_unlock(lock);
}

void set_tell_watches(struct set *s)
{
	pthread_mutex_t *lock = lock_of(s);

	pthread_mutex_lock(lock);
	for (struct set_watch *w = atomic_load_explicit(&s->watches, memory_order_relaxed); w; w = w->next)
		w->changed(w);
	pthread_mutex_unlock(lock);
}
