/* samp_sched_thread.c - the threads of a schedule, and the queue that they work off.
 *
 * Two threads at rest: the leader sleeps on a timer of the wall clock until the next task is due, runs all that are due
 * by then, one after the other, those that take long last, and sets the timer again; the follower sleeps on a watchdog
 * timer, which the leader pushes to `grace` behind the next wake-up, unless it fires long enough behind that already.  So a
 * wake-up costs a read and one or two settings, whatever the number of tasks.  When the watchdog does fire while a task
 * holds the leader, that task is overdue: the follower becomes the leader, goes on with those that were waiting, and a new
 * follower is made.  A thread that comes back to find itself deposed becomes the follower when there is none, and else
 * ends.  As a busy task is not scheduled, there are never more threads than hung tasks and two.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/thread.h"
#include "core/daemon/samp_sched_impl.h"

#define THREAD_NAME 16           /* what the kernel keeps of a name */
#define STACK_SIZE  (256u << 10) /* samplers keep what is large in their state */

void samp_sched_ready_add(struct samp_sched *sc, struct samp_task *t)
{
	t->ready = true;
	t->next_ready = NULL;
	*sc->ready_end = t;
	sc->ready_end = &t->next_ready;
}

void samp_sched_ready_del(struct samp_sched *sc, struct samp_task *t)
{
	struct samp_task **at = &sc->ready;

	if (!t->ready)
		return;
	while (*at != t)
		at = &(*at)->next_ready;
	*at = t->next_ready;
	if (!*at)
		sc->ready_end = at;
	t->ready = t->due = false;
}

/* Those that take long come last, so that the others are not late by them: a step of sorting at each wake-up. */
static void ready_add_due(struct samp_sched *sc, int64_t now)
{
	struct samp_task *t;

	for (struct samp_task **at = &sc->tasks; (t = *at); at = &(*at)->next) {
		struct samp_task *next = t->next;

		if (next && next->took_us < t->took_us) {
			t->next = next->next;
			next->next = t;
			*at = t = next;
		}
		if (t->due_us > now || t->busy || (t->ready && t->due))
			continue;
		samp_task_plan(t, now);
		t->slot_us = t->due_us - t->interval_us;
		t->due = true;
		if (!t->ready)
			samp_sched_ready_add(sc, t);
	}
}

/* A use of the schedule ends; the lock is held, and is not afterwards. */
void samp_sched_put(struct samp_sched *sc)
{
	bool last = !--sc->users;

	pthread_cond_broadcast(&sc->back);
	pthread_mutex_unlock(&sc->lock);
	if (!last)
		return;
	close(sc->due_fd);
	close(sc->dog_fd);
	pthread_cond_destroy(&sc->back);
	pthread_mutex_destroy(&sc->lock);
	free(sc->name);
	free(sc);
}

/* How late does it begin, and how long did the one before take?  The clock is read once for each task of a wake-up. */
static void begin_note(struct worker *me, struct samp_task *t)
{
	int64_t now = me->woke_us ? me->woke_us : wall_us(), late_us = now - t->slot_us;
	struct samp_sched *trunk = me->sc->trunk;

	me->woke_us = 0;
	if (me->before && now >= me->before_us) /* a quarter of what is new counts */
		me->before->took_us += (now - me->before_us - me->before->took_us) / 4;
	me->before = t;
	me->before_us = now;
	if (late_us < 0)
		late_us = 0; /* the clock was set back */
	hist_add(&t->lateness, (uint64_t)late_us);
	hist_add(&me->sc->lateness, (uint64_t)late_us);
	if (!trunk)
		return;
	pthread_mutex_lock(&trunk->lock);
	hist_add(&trunk->lateness, (uint64_t)late_us);
	pthread_mutex_unlock(&trunk->lock);
}

/* Run the first task that waits.  The lock is held, and let go meanwhile. */
static void run_one(struct worker *me)
{
	struct samp_sched *sc = me->sc;
	struct samp_task *t = sc->ready;
	bool due = t->due;

	samp_sched_ready_del(sc, t);
	t->busy = true;
	t->due = due;
	t->mail = false;
	if (due && t->listed)
		begin_note(me, t);
	else
		me->before = NULL;
	me->began_us = samp_sched_coarse_us();
	me->task = t;
	sc->inside++;
	pthread_mutex_unlock(&sc->lock);
	t->run(t);
	pthread_mutex_lock(&sc->lock);
	me->task = NULL;
	t->busy = false;
	t->ran = due;
	t->due = false;
	if (t->late) {
		t->late = false;
		t->overdue(t, 0);
	}
	if (t->abandoned) {
		me->before = NULL;
		pthread_mutex_unlock(&sc->lock);
		t->gone(t); /* its source is closed, which may hang, too */
		pthread_mutex_lock(&sc->lock);
		sc->inside--;
		return;
	}
	sc->inside--;
	if (t->mail)
		samp_sched_ready_add(sc, t);
	if (!t->listed)
		pthread_cond_broadcast(&sc->back); /* somebody may wait for it */
	if (sc->leader != me)
		samp_sched_arm(sc); /* the leader sleeps without a thought of this task */
}

/* Take turns at sleeping and running, until deposed. */
static void lead(struct worker *me)
{
	struct samp_sched *sc = me->sc;

	for (;;) {
		uint64_t expirations;
		bool clock_set;
		int64_t now;

		while (sc->ready && sc->leader == me && !sc->stopping)
			run_one(me);
		me->before = NULL;
		if (sc->leader != me || sc->stopping)
			return;
		samp_sched_arm(sc);
		pthread_mutex_unlock(&sc->lock);
		clock_set = read(sc->due_fd, &expirations, sizeof(expirations)) < 0 && errno == ECANCELED;
		now = wall_us();
		pthread_mutex_lock(&sc->lock);
		if (clock_set)
			for (struct samp_task *t = sc->tasks; t; t = t->next)
				samp_task_replan(t, now);
		else
			ready_add_due(sc, now);
		me->woke_us = now;
	}
}

int samp_sched_thread_new(struct samp_sched *sc, struct err *err);

/* The leader hangs in its task: that one is overdue, and this thread takes over. */
static void take_over(struct worker *me)
{
	struct samp_sched *sc = me->sc;
	struct samp_task *t = sc->leader->task;
	struct err err;

	t->late = true;
	t->overdue(t, sc->grace_us);
	sc->leader = me;
	sc->follower = NULL;
	samp_sched_arm(sc); /* the next one in the queue may hang, too */
	if (samp_sched_thread_new(sc, &err))
		log_warning("sampler", "%s; the next source that hangs will delay the others", err.msg);
}

/* Watch the leader, until this thread is the leader. */
static void follow(struct worker *me)
{
	struct samp_sched *sc = me->sc;

	while (sc->leader != me && !sc->stopping) {
		int64_t left;
		uint64_t expirations;

		pthread_mutex_unlock(&sc->lock);
		if (read(sc->dog_fd, &expirations, sizeof(expirations)) < 0)
			expirations = 0; /* then look all the same */
		pthread_mutex_lock(&sc->lock);
		sc->dog_us = 0;
		if (sc->stopping)
			return; /* the leader may be gone already */
		if (!sc->leader->task) {
			samp_sched_arm(sc);
			continue;
		}
		left = sc->leader->began_us + sc->grace_us - samp_sched_coarse_us();
		if (left > 0)
			samp_sched_dog_set(sc, left);
		else
			take_over(me);
	}
}

static void *thread_main(void *arg)
{
	struct worker me = { .sc = arg };
	struct samp_sched *sc = arg;
	char kernels[THREAD_NAME];
	sigset_t all;

	snprintf(kernels, sizeof(kernels), "%s", sc->name);
	pthread_setname_np(pthread_self(), kernels);
	thread_enter(sc->name, sc);
	sigfillset(&all); /* signals are the main loop's */
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	pthread_mutex_lock(&sc->lock);
	while (!sc->stopping) {
		if (!sc->leader)
			sc->leader = &me;
		if (sc->leader == &me) {
			lead(&me);
		} else if (!sc->follower) {
			sc->follower = &me;
			follow(&me);
		} else {
			break;
		}
	}
	thread_leave();
	samp_sched_put(sc);
	return NULL;
}

/* One more thread; the lock is held. */
int samp_sched_thread_new(struct samp_sched *sc, struct err *err)
{
	pthread_attr_t attr;
	pthread_t thread;
	int rc;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	sc->users++;
	rc = pthread_create(&thread, &attr, thread_main, sc);
	pthread_attr_destroy(&attr);
	if (rc) {
		sc->users--;
		return err_set(err, -rc, "samplers: no thread: %s; raise `ulimit -u`", err_name(rc));
	}
	return 0;
}
