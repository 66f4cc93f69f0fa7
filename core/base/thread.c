/* thread.c - see thread.h */
#include "core/base/thread.h"

#include <stdio.h>
#include <sys/queue.h>
#include <unistd.h>

#include "core/base/clock.h"

#define NAME_SZ 16 /* the kernel's, for threads */

struct moment {
	int64_t at_us, active_us;
};

struct thread {
	TAILQ_ENTRY(thread) entry;
	char name[NAME_SZ];
	const void *owner;
	pthread_t id;
	pid_t tid;
	clockid_t clock;          /* what it has had of processors */
	struct moment base, seen; /* counted from; looked at last, 0: never */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static TAILQ_HEAD(, thread) threads = TAILQ_HEAD_INITIALIZER(threads);
static _Thread_local struct thread self;
static _Thread_local unsigned int entered; /* how often: the first name counts */

static struct moment moment_of(const struct thread *t)
{
	return (struct moment){ .at_us = mono_us(), .active_us = clock_us(t->clock) };
}

/* The two clocks are not read at once: never more on a processor than there was time. */
static int64_t active_since(struct moment then, struct moment now)
{
	int64_t all = now.at_us - then.at_us, active = now.active_us - then.active_us;

	return active < all ? active : all;
}

void thread_enter(const char *name, const void *owner)
{
	struct thread *t = &self;

	if (entered++)
		return;
	snprintf(t->name, sizeof(t->name), "%s", name);
	t->owner = owner;
	t->id = pthread_self();
	t->tid = gettid();
	if (pthread_getcpuclockid(t->id, &t->clock))
		t->clock = CLOCK_THREAD_CPUTIME_ID;
	t->base = moment_of(t);
	t->seen = (struct moment){ 0 };
	pthread_mutex_lock(&lock);
	TAILQ_INSERT_TAIL(&threads, t, entry);
	pthread_mutex_unlock(&lock);
}

void thread_leave(void)
{
	if (--entered)
		return;
	pthread_mutex_lock(&lock);
	TAILQ_REMOVE(&threads, &self, entry);
	pthread_mutex_unlock(&lock);
}

void threads_each(void (*fn)(const struct thread_look *look, void *arg), void *arg)
{
	struct thread *t;

	pthread_mutex_lock(&lock);
	TAILQ_FOREACH(t, &threads, entry) {
		const struct moment now = moment_of(t);
		struct thread_look look = {
			.name = t->name,
			.owner = t->owner,
			.id = t->id,
			.tid = t->tid,
			.total_us = now.at_us - t->base.at_us,
			.active_us = active_since(t->base, now),
		};

		if (t->seen.at_us) {
			look.window_us = now.at_us - t->seen.at_us;
			look.window_active_us = active_since(t->seen, now);
		}
		t->seen = now;
		fn(&look, arg);
	}
	pthread_mutex_unlock(&lock);
}

void threads_reset(void)
{
	struct thread *t;

	pthread_mutex_lock(&lock);
	TAILQ_FOREACH(t, &threads, entry) {
		t->base = moment_of(t);
		t->seen = (struct moment){ 0 };
	}
	pthread_mutex_unlock(&lock);
}
