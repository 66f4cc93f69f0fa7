/* work.c - see work.h */
#include "core/base/work.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "core/base/log.h"
#include "core/base/thread.h"
#include "core/base/xalloc.h"

#define IDLE_S 10 /* an idle worker ends after this; a daemon in its steady state keeps none */

struct work {
	char *name;
	pthread_mutex_t lock;
	pthread_cond_t more, fewer;
	struct work_job *head, **tail;
	unsigned int max, threads, idle, queued;
	bool closing;
};

static void back_cb(struct loop_job *back)
{
	struct work_job *job = (struct work_job *)((char *)back - offsetof(struct work_job, back));

	job->done(job);
}

static struct work_job *take(struct work *w)
{
	struct work_job *job = w->head;

	if (!job)
		return NULL;
	w->queued--;
	w->head = job->next;
	if (!w->head)
		w->tail = &w->head;
	return job;
}

static void *worker(void *arg)
{
	struct work *w = arg;
	struct work_job *job;
	struct timespec until;

	pthread_setname_np(pthread_self(), w->name);
	thread_enter(w->name, NULL);
	pthread_mutex_lock(&w->lock);
	for (;;) {
		int rc = 0;

		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += IDLE_S;
		w->idle++;
		while (!w->head && !w->closing && rc != ETIMEDOUT)
			rc = pthread_cond_timedwait(&w->more, &w->lock, &until);
		w->idle--;
		job = take(w);
		if (!job)
			break;
		pthread_mutex_unlock(&w->lock);
		job->run(job);
		loop_post(job->loop, &job->back);
		pthread_mutex_lock(&w->lock);
	}
	thread_leave();
	w->threads--;
	pthread_cond_signal(&w->fewer);
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

struct work *work_new(const char *name, unsigned int max_threads)
{
	struct work *w = xcalloc(1, sizeof(*w));
	pthread_condattr_t attr;

	w->name = xstrdup(name);
	w->max = max_threads;
	w->tail = &w->head;
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->more, &attr);
	pthread_cond_init(&w->fewer, &attr);
	pthread_condattr_destroy(&attr);
	return w;
}

bool work_free(struct work *w, int64_t deadline_us)
{
	struct timespec until;
	struct work_job *job;
	int rc = 0;

	if (!w)
		return true;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += deadline_us / 1000000;
	until.tv_nsec += deadline_us % 1000000 * 1000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&w->lock);
	w->closing = true;
	while ((job = take(w)))
		loop_post(job->loop, &job->back);
	pthread_cond_broadcast(&w->more);
	while (w->threads && rc != ETIMEDOUT)
		rc = pthread_cond_timedwait(&w->fewer, &w->lock, &until);
	pthread_mutex_unlock(&w->lock);
	if (rc == ETIMEDOUT)
		return false;
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->more);
	pthread_cond_destroy(&w->fewer);
	free(w->name);
	free(w);
	return true;
}

void work_add(struct work *w, struct work_job *job)
{
	pthread_attr_t attr;
	pthread_t t;

	job->back = (struct loop_job){ .fn = back_cb };
	job->next = NULL;
	pthread_mutex_lock(&w->lock);
	*w->tail = job;
	w->tail = &job->next;
	if (++w->queued > w->idle && w->threads < w->max) {
		pthread_attr_init(&attr);
		pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
		if (!pthread_create(&t, &attr, worker, w))
			w->threads++;
		else if (!w->threads)
			log_error(w->name, "no thread could be made; the job waits for the next one");
		pthread_attr_destroy(&attr);
	}
	pthread_cond_signal(&w->more);
	pthread_mutex_unlock(&w->lock);
}
