/* strgp_pool.c - see strgp_pool.h */
#include "core/daemon/strgp_pool.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/thread.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"

struct strgp_pool {
	pthread_mutex_t lock;
	pthread_cond_t tick;            /* the keeper's: an earlier time, or the end */
	pthread_cond_t more;            /* the other idle threads': be the keeper, or end */
	pthread_cond_t fewer;           /* strgp_pool_free()'s */
	TAILQ_HEAD(, strgp_task) tasks; /* listed ones, the earliest first */
	unsigned int max, threads, idle, joined;
	bool keeper, closing;
	int64_t until; /* the keeper's sleep */
};

static void task_list(struct strgp_pool *p, struct strgp_task *t, int64_t due)
{
	struct strgp_task *later;

	t->due = due;
	t->state = TASK_LISTED;
	TAILQ_FOREACH(later, &p->tasks, link)
		if (later->due > due)
			break;
	if (later)
		TAILQ_INSERT_BEFORE(later, t, link);
	else
		TAILQ_INSERT_TAIL(&p->tasks, t, link);
}

static void task_take(struct strgp_pool *p, struct strgp_task *t)
{
	TAILQ_REMOVE(&p->tasks, t, link);
	t->state = TASK_RUNNING;
	t->due = TASK_NEVER;
}

/* Somebody must know of the first task's time. */
static void wake(struct strgp_pool *p)
{
	if (p->keeper)
		pthread_cond_signal(&p->tick);
	else if (p->idle)
		pthread_cond_signal(&p->more);
	/* else all are at work, and will look before they sleep */
}

static void sleep_until(struct strgp_pool *p, int64_t due_us)
{
	struct timespec ts = { .tv_sec = due_us / SEC_US, .tv_nsec = due_us % SEC_US * 1000 };

	p->keeper = true;
	p->until = due_us;
	pthread_cond_timedwait(&p->tick, &p->lock, &ts);
	p->keeper = false;
}

static void run(struct strgp_pool *p, struct strgp_task *t)
{
	int64_t due;

	task_take(p, t);
	if (!TAILQ_EMPTY(&p->tasks) && !p->keeper && p->idle)
		pthread_cond_signal(&p->more); /* another one minds the rest */
	pthread_mutex_unlock(&p->lock);
	due = t->run(t);
	pthread_mutex_lock(&p->lock);
	if (due == TASK_END) {
		t->state = TASK_IDLE;
		p->joined--;
		pthread_mutex_unlock(&p->lock);
		t->end(t);
		pthread_mutex_lock(&p->lock);
		return;
	}
	if (t->due < due)
		due = t->due;
	t->state = TASK_IDLE;
	if (due == TASK_NEVER)
		return;
	task_list(p, t, due);
	if (p->keeper && due < p->until) /* it went to sleep when this one was not listed */
		wake(p);
}

static void *worker(void *arg)
{
	struct strgp_pool *p = arg;

	thread_enter("store", NULL);
	pthread_mutex_lock(&p->lock);
	for (;;) {
		struct strgp_task *t = TAILQ_FIRST(&p->tasks);

		if (t && t->due <= mono_us()) {
			run(p, t);
			continue;
		}
		if (p->closing)
			break;
		p->idle++;
		if (t && !p->keeper)
			sleep_until(p, t->due);
		else
			pthread_cond_wait(&p->more, &p->lock);
		p->idle--;
	}
	thread_leave();
	p->threads--;
	pthread_cond_signal(&p->fewer);
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

struct strgp_pool *strgp_pool_new(unsigned int max_threads)
{
	struct strgp_pool *p = xcalloc(1, sizeof(*p));
	pthread_condattr_t attr;

	p->max = max_threads;
	TAILQ_INIT(&p->tasks);
	pthread_mutex_init(&p->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&p->tick, &attr);
	pthread_cond_init(&p->more, &attr);
	pthread_cond_init(&p->fewer, &attr);
	pthread_condattr_destroy(&attr);
	return p;
}

void strgp_pool_free(struct strgp_pool *p, int64_t deadline_us)
{
	int64_t until = mono_us() + deadline_us;
	struct timespec ts = { .tv_sec = until / SEC_US, .tv_nsec = until % SEC_US * 1000 };
	unsigned int left;
	int rc = 0;

	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->closing = true;
	pthread_cond_broadcast(&p->tick);
	pthread_cond_broadcast(&p->more);
	while (p->threads && !rc)
		rc = pthread_cond_timedwait(&p->fewer, &p->lock, &ts);
	left = p->threads;
	pthread_mutex_unlock(&p->lock);
	if (left) {
		log_error("store", "%u threads do not come back from their stores; they are left behind", left);
		return;
	}
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->tick);
	pthread_cond_destroy(&p->more);
	pthread_cond_destroy(&p->fewer);
	free(p);
}

/* Signals are the main loop's, and a store that meets the limit of file sizes wants EFBIG, not to die of SIGXFSZ. */
static int thread_start(struct strgp_pool *p)
{
	sigset_t all, old;
	pthread_attr_t attr;
	pthread_t t;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	rc = pthread_create(&t, &attr, worker, p);
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -rc;
}

int strgp_pool_join(struct strgp_pool *p, struct strgp_task *t, struct err *err)
{
	int rc = 0;

	pthread_mutex_lock(&p->lock);
	if (p->threads < p->max && p->threads <= p->joined) {
		rc = thread_start(p);
		p->threads += !rc;
	}
	/* with fewer threads than hoped for, policies take turns; with none, nothing would ever be stored */
	if (p->threads) {
		p->joined++;
		t->state = TASK_IDLE;
		rc = 0;
	}
	pthread_mutex_unlock(&p->lock);
	return rc ? err_set(err, rc, "no thread for storing: %s; raise the limit of threads", err_name(rc)) : 0;
}

void strgp_pool_at(struct strgp_pool *p, struct strgp_task *t, int64_t due_us)
{
	pthread_mutex_lock(&p->lock);
	if (t->state == TASK_RUNNING) {
		t->due = due_us < t->due ? due_us : t->due;
	} else if (t->state == TASK_IDLE || due_us < t->due) {
		if (t->state == TASK_LISTED)
			TAILQ_REMOVE(&p->tasks, t, link);
		task_list(p, t, due_us);
		if (TAILQ_FIRST(&p->tasks) == t)
			wake(p);
	}
	pthread_mutex_unlock(&p->lock);
}
