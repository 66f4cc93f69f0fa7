/* loop.c - see loop.h */
#include "core/base/loop.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "core/base/thread.h"
#include "core/base/xalloc.h"

struct loop {
	struct ev_loop *ev;
	char *name;
	pthread_t thread;
	bool threaded;
	pthread_mutex_t turn;      /* who waits for `lock`: the loop, too, comes behind whoever was there before it */
	pthread_mutex_t lock;      /* held while callbacks run */
	_Atomic(pthread_t) holder; /* 0: nobody.  One variable, so that who asks sees himself or not, never a mixture */
	unsigned int nested;       /* loop_enter()s by the holder */
	pthread_mutex_t jobs_lock; /* guards the list below; innermost */
	struct loop_job *jobs, **jobs_tail;
	size_t jobs_n;
	ev_async door;
	atomic_bool stopping;
	void *io;
	void (*io_fini)(void *io);
};

static void take(struct loop *l)
{
	pthread_mutex_lock(&l->turn);
	pthread_mutex_lock(&l->lock);
	pthread_mutex_unlock(&l->turn);
	atomic_store_explicit(&l->holder, pthread_self(), memory_order_relaxed);
}

static void leave(struct loop *l)
{
	atomic_store_explicit(&l->holder, 0, memory_order_relaxed);
	pthread_mutex_unlock(&l->lock);
}

static void before_wait(struct ev_loop *ev) EV_NOEXCEPT
{
	leave(ev_userdata(ev));
}

static void after_wait(struct ev_loop *ev) EV_NOEXCEPT
{
	take(ev_userdata(ev));
}

/* Those that are queued now; what they post themselves waits for the next turn: are there such? */
static bool jobs_run(struct loop *l)
{
	bool more;

	struct loop_job *job;
	size_t n;

	pthread_mutex_lock(&l->jobs_lock);
	n = l->jobs_n;
	pthread_mutex_unlock(&l->jobs_lock);
	for (; n; n--) {
		pthread_mutex_lock(&l->jobs_lock);
		job = l->jobs;
		l->jobs = job->next;
		if (!l->jobs)
			l->jobs_tail = &l->jobs;
		l->jobs_n--;
		job->queued = false; /* from here on it may be posted again, or freed by its fn */
		pthread_mutex_unlock(&l->jobs_lock);
		job->fn(job);
	}
	pthread_mutex_lock(&l->jobs_lock);
	more = l->jobs;
	pthread_mutex_unlock(&l->jobs_lock);
	return more;
}

static void door_cb(struct ev_loop *ev, ev_async *w, int events)
{
	struct loop *l = w->data;

	(void)events;
	if (jobs_run(l))
		ev_async_send(ev, w);
	if (l->stopping)
		ev_break(ev, EVBREAK_ALL);
}

struct loop *loop_new(const char *name, struct err *err)
{
	struct loop *l = xcalloc(1, sizeof(*l));

	l->ev = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
	if (!l->ev) {
		free(l);
		err_set(err, -ENOMEM, "loop %s: the kernel gave no event queue; raise `ulimit -n`", name);
		return NULL;
	}
	l->name = xstrdup(name);
	pthread_mutex_init(&l->turn, NULL);
	pthread_mutex_init(&l->lock, NULL);
	pthread_mutex_init(&l->jobs_lock, NULL);
	l->jobs_tail = &l->jobs;
	ev_set_userdata(l->ev, l);
	ev_set_loop_release_cb(l->ev, before_wait, after_wait);
	ev_async_init(&l->door, door_cb);
	l->door.data = l;
	ev_async_start(l->ev, &l->door);
	ev_unref(l->ev); /* the door alone does not keep the loop turning */
	return l;
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	take(l);
	while (jobs_run(l))
		;
	if (l->io_fini)
		l->io_fini(l->io);
	ev_ref(l->ev);
	ev_async_stop(l->ev, &l->door);
	leave(l);
	ev_loop_destroy(l->ev);
	pthread_mutex_destroy(&l->lock);
	pthread_mutex_destroy(&l->turn);
	pthread_mutex_destroy(&l->jobs_lock);
	free(l->name);
	free(l);
}

struct ev_loop *loop_ev(struct loop *l)
{
	return l->ev;
}

void loop_run(struct loop *l)
{
	thread_enter(l->name, l);
	take(l);
	ev_ref(l->ev);
	jobs_run(l);
	if (!l->stopping)
		ev_run(l->ev, 0);
	ev_unref(l->ev);
	leave(l);
	thread_leave();
}

static void *thread_main(void *arg)
{
	struct loop *l = arg;

	pthread_setname_np(pthread_self(), l->name); /* by itself: after a change of user nobody else may */
	loop_run(l);
	return NULL;
}

int loop_start(struct loop *l, struct err *err)
{
	int rc = pthread_create(&l->thread, NULL, thread_main, l);

	if (rc)
		return err_set(err, -rc, "loop %s: no thread: %s; raise `ulimit -u`", l->name, err_name(rc));
	l->threaded = true;
	return 0;
}

void loop_join(struct loop *l)
{
	if (!l || !l->threaded)
		return;
	loop_stop(l);
	pthread_join(l->thread, NULL);
	l->threaded = false;
}

bool loop_stopping(const struct loop *l)
{
	return l->stopping;
}

void loop_stop(struct loop *l)
{
	l->stopping = true;
	ev_async_send(l->ev, &l->door);
}

void loop_lock(struct loop *l)
{
	take(l);
}

void loop_unlock(struct loop *l)
{
	leave(l);
	/* timers and watchers may have been changed under a loop that waits: let it look again */
	ev_async_send(l->ev, &l->door);
}

void loop_enter(struct loop *l)
{
	if (loop_is_mine(l))
		l->nested++;
	else
		take(l);
}

void loop_leave(struct loop *l)
{
	if (l->nested)
		l->nested--;
	else
		loop_unlock(l);
}

bool loop_is_mine(const struct loop *l)
{
	return atomic_load_explicit(&l->holder, memory_order_relaxed) == pthread_self();
}

void loop_post(struct loop *l, struct loop_job *job)
{
	pthread_mutex_lock(&l->jobs_lock);
	if (!job->queued) {
		job->queued = true;
		job->next = NULL;
		*l->jobs_tail = job;
		l->jobs_tail = &job->next;
		l->jobs_n++;
	}
	pthread_mutex_unlock(&l->jobs_lock);
	ev_async_send(l->ev, &l->door);
}

struct call {
	struct loop_job job;
	void (*fn)(void *arg);
	void *arg;
};

static void call_cb(struct loop_job *job)
{
	struct call c = *(struct call *)job;

	free(job);
	c.fn(c.arg);
}

void loop_call(struct loop *l, void (*fn)(void *arg), void *arg)
{
	struct call *c = xcalloc(1, sizeof(*c));

	*c = (struct call){ .job = { .fn = call_cb }, .fn = fn, .arg = arg };
	loop_post(l, &c->job);
}

void loop_io_set(struct loop *l, void *io, void (*fini)(void *io))
{
	l->io = io;
	l->io_fini = fini;
}

void *loop_io(const struct loop *l)
{
	return l->io;
}
