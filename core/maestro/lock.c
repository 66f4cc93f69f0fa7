/* lock.c - see lock.h: a thread of its own asks for the lock, and renews it */
#include "core/maestro/lock.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/random.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/maestro/lock_impl.h"

#define RENEWALS 4 /* within a lease: some may fail */
#define TRY_US   SEC_US

struct lock {
	const struct lock_type *type;
	void *at; /* the type's; the thread's, once there is one */
	int64_t lease_us;
	struct loop *loop;
	void (*held)(void *arg, bool ours);
	void *arg;
	ev_timer watch; /* the loop's: gives up in time, also when the thread hangs */
	pthread_t thread;
	bool running, ours;
	pthread_mutex_t mutex;
	pthread_cond_t news;
	/* guarded by mutex */
	bool end;
	int64_t until_us; /* monotonic: it is ours until then; 0: it is not */
	struct err other; /* who has it, or why nobody knows */
};

char *lock_id(void)
{
	char host[256] = "?";
	uint32_t number = 0;

	gethostname(host, sizeof(host) - 1);
	if (getrandom(&number, sizeof(number), 0) < 0)
		number = (uint32_t)clock_us(CLOCK_REALTIME);
	return xasprintf("%s %d %08x", host, (int)getpid(), number);
}

/* Wait; true: it is the end. */
static bool pause_is_end(struct lock *l, int64_t us)
{
	struct timespec until;
	bool end;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (until.tv_nsec / 1000 + us) / SEC_US;
	until.tv_nsec = (until.tv_nsec / 1000 + us) % SEC_US * 1000;
	pthread_mutex_lock(&l->mutex);
	while (!l->end && !pthread_cond_timedwait(&l->news, &l->mutex, &until))
		;
	end = l->end;
	pthread_mutex_unlock(&l->mutex);
	return end;
}

static void *run(void *arg)
{
	struct lock *l = arg;
	bool failed = false, waits = false;

	for (;;) {
		struct err err = { "" };
		int64_t asked_us = clock_us(CLOCK_MONOTONIC);
		int rc = l->type->hold(l->at, asked_us + l->lease_us / 2, &err);

		if (rc < 0 && !failed)
			log_error("maestro", "the lock: %s", err.msg);
		if (!rc && !waits)
			log_info("maestro", "the lock is another one's: %s; this maestro waits",
				 *err.msg ? err.msg : "who, it does not say");
		failed = rc < 0;
		waits = !rc || (waits && failed);
		pthread_mutex_lock(&l->mutex);
		l->other = err;
		if (rc > 0)
			l->until_us = asked_us + l->lease_us;
		else if (!rc)
			l->until_us = 0;
		pthread_mutex_unlock(&l->mutex);
		if (pause_is_end(l, rc > 0 ? l->lease_us / RENEWALS : TRY_US < l->lease_us ? TRY_US / 2 : TRY_US))
			return NULL;
	}
}

/* Ours until an eighth of the lease before its end: what was begun is then over. */
static void on_watch(struct ev_loop *ev, ev_timer *t, int events)
{
	struct lock *l = t->data;
	bool ours;

	(void)ev;
	(void)events;
	pthread_mutex_lock(&l->mutex);
	ours = l->until_us - l->lease_us / 8 > clock_us(CLOCK_MONOTONIC);
	pthread_mutex_unlock(&l->mutex);
	if (ours == l->ours)
		return;
	l->ours = ours;
	log_info("maestro", ours ? "the lock is ours: this maestro acts" : "the lock is lost: this maestro waits");
	l->held(l->arg, ours);
}

char *lock_holder(struct lock *l)
{
	char *ret;

	pthread_mutex_lock(&l->mutex);
	ret = xstrdup(l->other.msg);
	pthread_mutex_unlock(&l->mutex);
	return ret;
}

int lock_new(const struct lock_conf *conf, struct lock **ret, struct err *err)
{
	struct lock *l = xcalloc(1, sizeof(*l));
	pthread_condattr_t attr;
	int rc;

	l->type = conf->file ? &lock_file : &lock_etcd;
	l->lease_us = conf->lease_us;
	rc = l->type->open(conf, &l->at, err);
	if (rc) {
		free(l);
		return rc;
	}
	pthread_mutex_init(&l->mutex, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&l->news, &attr);
	pthread_condattr_destroy(&attr);
	*ret = l;
	return 0;
}

void lock_start(struct lock *l, struct loop *loop, void (*held)(void *arg, bool ours), void *arg)
{
	l->loop = loop;
	l->held = held;
	l->arg = arg;
	ev_timer_init(&l->watch, on_watch, 0.1, 0.1);
	/* behind a standstill nothing is done before it is known whose the lock is */
	ev_set_priority(&l->watch, EV_MAXPRI);
	l->watch.data = l;
	ev_timer_start(loop_ev(loop), &l->watch);
	l->running = !pthread_create(&l->thread, NULL, run, l);
	if (!l->running)
		log_critical("maestro", "the lock: no thread can be made for it; this maestro waits");
}

void lock_free(struct lock *l)
{
	if (!l)
		return;
	if (l->loop)
		ev_timer_stop(loop_ev(l->loop), &l->watch);
	pthread_mutex_lock(&l->mutex);
	l->end = true;
	pthread_cond_signal(&l->news);
	pthread_mutex_unlock(&l->mutex);
	if (l->running)
		pthread_join(l->thread, NULL);
	l->type->release(l->at);
	l->type->close(l->at);
	pthread_cond_destroy(&l->news);
	pthread_mutex_destroy(&l->mutex);
	free(l);
}
