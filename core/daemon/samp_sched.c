/* samp_sched.c - see samp_sched.h.
 *
 * Two threads at rest: the leader sleeps on a timer of the wall clock until the next task is due, runs all that are due
 * by then, one after the other, those that take long last, and sets the timer again; the follower sleeps on a watchdog timer, which the leader
 * pushes to `grace` behind the next wake-up, unless it fires long enough behind that already.  So a wake-up costs a read
 * and one or two settings, whatever the number of tasks.  When the watchdog does fire while a task holds the leader, that
 * task is overdue: the follower becomes the leader, goes on with those that were waiting, and a new follower is made.  A
 * thread that comes back to find itself deposed becomes the follower when there is none, and else ends.  As a busy task is
 * not scheduled, there are never more threads than hung tasks and two.
 *
 * The schedule lives until its owner and the last thread have left it.
 */
#include "core/daemon/samp_sched.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/thread.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"

#define WAIT_US     (200 * MSEC_US) /* how long operators wait for a run under way: the main loop stands still */
#define THREAD_NAME 16              /* what the kernel keeps of a name */
#define STACK_SIZE  (256u << 10)    /* samplers keep what is large in their state */

struct worker { /* on its thread's stack */
	struct samp_sched *sc;
	int64_t woke_us;        /* wall clock, until the first task of a wake-up has begun; then 0 */
	struct samp_task *task; /* that it runs */
	int64_t began_us;       /* on the coarse clock */
	/* The task that ran right before in this wake-up, and when it began; NULL: none did.  Looked at with the lock
	 * held all the time since it came back. */
	struct samp_task *before;
	int64_t before_us;
};

struct samp_sched {
	pthread_mutex_t lock; /* of everything here and in the tasks */
	pthread_cond_t back;  /* a task has come back, or a thread ended */
	int64_t grace_us;
	int due_fd, dog_fd;
	int64_t dog_us;                       /* when the watchdog fires, on the coarse clock; 0: not set, or it has */
	struct samp_task *tasks;              /* those that run at intervals */
	struct samp_task *ready, **ready_end; /* those that wait for the leader, in order */
	struct worker *leader, *follower;
	char *name;               /* of its threads */
	struct samp_sched *trunk; /* whose branch it is; NULL: nobody's */
	bool left_behind;         /* a branch has a task that hangs */
	struct hist lateness;     /* of all tasks */
	unsigned int users;       /* threads, and the owner */
	bool stopping;
};

static int64_t coarse_us(void)
{
	return clock_us(CLOCK_MONOTONIC_COARSE);
}

/* -- time ---------------------------------------------------------------------------------------------------------- */

void samp_task_plan(struct samp_task *t, int64_t now_us)
{
	int64_t slept = now_us - t->due_us;

	if (slept >= t->interval_us) {
		int64_t k = slept / t->interval_us;

		t->missed += (uint64_t)k;
		t->due_us += k * t->interval_us;
	}
	t->due_us += t->interval_us;
}

void samp_task_replan(struct samp_task *t, int64_t now_us)
{
	if (now_us >= t->due_us)
		t->missed += (uint64_t)((now_us - t->due_us) / t->interval_us) + 1;
	t->due_us = next_slot_us(now_us, t->interval_us, t->offset_us);
}

/* The soonest slot of all tasks, or 0 when there is none.  After a wake-up (now > 0) tasks that ran in it are put
 * behind `now`, and also those whose slot has moved into the far future because the clock was set back. */
static int64_t soonest(struct samp_sched *sc, int64_t now)
{
	int64_t due = 0;

	for (struct samp_task *t = sc->tasks; t; t = t->next) {
		if (t->busy || t->ready)
			continue;
		if (t->ran && t->due_us <= now)
			samp_task_replan(t, now);
		else if (t->due_us > now + t->interval_us)
			samp_task_replan(t, now);
		t->ran = false;
		if (!due || t->due_us < due)
			due = t->due_us;
	}
	return due;
}

static struct timespec timespec_of(int64_t us)
{
	return (struct timespec){ .tv_sec = us / SEC_US, .tv_nsec = us % SEC_US * 1000 };
}

static int timer_set(int fd, int flags, int64_t us)
{
	struct itimerspec it = { .it_value = timespec_of(us) };

	return timerfd_settime(fd, flags, &it, NULL) ? -errno : 0;
}

static void dog_set(struct samp_sched *sc, int64_t us)
{
	sc->dog_us = us ? coarse_us() + us : 0;
	timer_set(sc->dog_fd, 0, us);
}

/* The next wake-up is in `us`.  A watchdog that fires well behind it, and not too late, stays: should a task run by then, the
 * follower waits for the rest of its grace. */
static void dog_push(struct samp_sched *sc, int64_t us)
{
	int64_t left = sc->dog_us - coarse_us();

	if (left < us + sc->grace_us / 2 || left > us + sc->grace_us)
		dog_set(sc, us + sc->grace_us);
}

/* Set both timers to what the tasks want. */
static void arm(struct samp_sched *sc)
{
	bool running = sc->leader && sc->leader->task; /* then the watchdog is for that run, else for the next one */
	int64_t now, due;

	do {
		now = wall_us();
		due = sc->ready || sc->stopping ? 1 : soonest(sc, now);
	} while (timer_set(sc->due_fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, due) ==
		 -ECANCELED); /* clock was set */
	if (sc->stopping)
		dog_set(sc, 1);
	else if (running || due)
		dog_push(sc, !running && due > now ? due - now : 0);
	else
		dog_set(sc, 0);
}

/* -- the queue of a wake-up ---------------------------------------------------------------------------------------- */

static void ready_add(struct samp_sched *sc, struct samp_task *t)
{
	t->ready = true;
	t->next_ready = NULL;
	*sc->ready_end = t;
	sc->ready_end = &t->next_ready;
}

static void ready_del(struct samp_sched *sc, struct samp_task *t)
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
			ready_add(sc, t);
	}
}

/* -- threads ------------------------------------------------------------------------------------------------------- */

/* A use of the schedule ends; the lock is held, and is not afterwards. */
static void sched_put(struct samp_sched *sc)
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

	ready_del(sc, t);
	t->busy = true;
	t->due = due;
	t->mail = false;
	if (due && t->listed)
		begin_note(me, t);
	else
		me->before = NULL;
	me->began_us = coarse_us();
	me->task = t;
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
		t->gone(t);
		pthread_mutex_lock(&sc->lock);
		return;
	}
	if (t->mail)
		ready_add(sc, t);
	if (!t->listed)
		pthread_cond_broadcast(&sc->back); /* somebody may wait for it */
	if (sc->leader != me)
		arm(sc); /* the leader sleeps without a thought of this task */
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
		arm(sc);
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

static int thread_new(struct samp_sched *sc, struct err *err);

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
	arm(sc); /* the next one in the queue may hang, too */
	if (thread_new(sc, &err))
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
			arm(sc);
			continue;
		}
		left = sc->leader->began_us + sc->grace_us - coarse_us();
		if (left > 0)
			dog_set(sc, left);
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
	sched_put(sc);
	return NULL;
}

/* One more thread; the lock is held. */
static int thread_new(struct samp_sched *sc, struct err *err)
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

/* -- the owner ----------------------------------------------------------------------------------------------------- */

static struct samp_sched *sched_new(int64_t grace_us, const char *name, struct samp_sched *trunk, struct err *err)
{
	struct samp_sched *sc = xcalloc(1, sizeof(*sc));
	pthread_condattr_t attr;

	*sc = (struct samp_sched){ .grace_us = grace_us > MSEC_US ? grace_us : MSEC_US, .trunk = trunk, .users = 1 };
	sc->name = xstrdup(name);
	sc->ready_end = &sc->ready;
	pthread_mutex_init(&sc->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&sc->back, &attr);
	pthread_condattr_destroy(&attr);
	sc->due_fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC);
	sc->dog_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	pthread_mutex_lock(&sc->lock);
	if (sc->due_fd < 0 || sc->dog_fd < 0) {
		err_set(err, -errno, "samplers: no timer: %s; raise `ulimit -n`", err_name(errno));
		goto fail;
	}
	if (thread_new(sc, err) || thread_new(sc, err))
		goto fail;
	pthread_mutex_unlock(&sc->lock);
	return sc;
fail:
	sc->stopping = true;
	arm(sc);
	sched_put(sc);
	return NULL;
}

struct samp_sched *samp_sched_new(int64_t grace_us, struct err *err)
{
	return sched_new(grace_us, "sampler", NULL, err);
}

static struct timespec wait_end(void)
{
	return timespec_of(mono_us() + WAIT_US);
}

bool samp_sched_free(struct samp_sched *sc)
{
	struct timespec end = wait_end();
	bool alone;

	if (!sc)
		return true;
	pthread_mutex_lock(&sc->lock);
	sc->stopping = true;
	arm(sc);
	while (sc->users > 1 && !pthread_cond_timedwait(&sc->back, &sc->lock, &end))
		;
	alone = sc->users == 1 && !sc->left_behind;
	sched_put(sc);
	return alone;
}

struct samp_sched *samp_sched_branch(struct samp_sched *sc, const char *name, struct err *err)
{
	return sched_new(sc->grace_us, name, sc, err);
}

void samp_sched_branch_end(struct samp_sched *sc, struct samp_sched *branch)
{
	bool alone = samp_sched_free(branch);

	pthread_mutex_lock(&sc->lock);
	sc->left_behind |= !alone;
	pthread_mutex_unlock(&sc->lock);
}

/* -- tasks --------------------------------------------------------------------------------------------------------- */

static bool wait_idle(struct samp_sched *sc, const struct samp_task *t)
{
	struct timespec end = wait_end();

	/* one that is overdue was waited for already */
	while ((t->busy || t->ready) && !t->late && !pthread_cond_timedwait(&sc->back, &sc->lock, &end))
		;
	return !t->busy && !t->ready;
}

void samp_sched_add(struct samp_sched *sc, struct samp_task *t, int64_t interval_us, int64_t offset_us)
{
	struct samp_task **at = &sc->tasks;

	pthread_mutex_lock(&sc->lock);
	while (*at)
		at = &(*at)->next;
	*at = t;
	t->next = NULL;
	t->listed = true;
	t->ran = false;
	t->interval_us = interval_us;
	t->offset_us = offset_us;
	t->due_us = next_slot_us(wall_us(), interval_us, offset_us);
	arm(sc);
	pthread_mutex_unlock(&sc->lock);
}

static bool task_take_out(struct samp_sched *sc, struct samp_task *t)
{
	struct samp_task **at = &sc->tasks;

	if (t->listed) {
		while (*at != t)
			at = &(*at)->next;
		*at = t->next;
		t->listed = false;
	}
	ready_del(sc, t);
	t->mail = false;
	return wait_idle(sc, t);
}

bool samp_sched_del(struct samp_sched *sc, struct samp_task *t)
{
	bool idle;

	pthread_mutex_lock(&sc->lock);
	idle = task_take_out(sc, t);
	pthread_mutex_unlock(&sc->lock);
	return idle;
}

bool samp_sched_leave(struct samp_sched *sc, struct samp_task *t)
{
	bool idle;

	pthread_mutex_lock(&sc->lock);
	idle = task_take_out(sc, t);
	t->abandoned = !idle;
	pthread_mutex_unlock(&sc->lock);
	return idle;
}

bool samp_sched_once(struct samp_sched *sc, struct samp_task *t)
{
	bool idle;

	pthread_mutex_lock(&sc->lock);
	idle = wait_idle(sc, t);
	if (idle) {
		t->due = true;
		ready_add(sc, t);
		arm(sc);
		idle = wait_idle(sc, t);
	}
	pthread_mutex_unlock(&sc->lock);
	return idle;
}

void samp_sched_kick(struct samp_sched *sc, struct samp_task *t)
{
	pthread_mutex_lock(&sc->lock);
	if (t->busy) {
		t->mail = true;
	} else if (!t->ready) {
		ready_add(sc, t);
		arm(sc);
	}
	pthread_mutex_unlock(&sc->lock);
}

static void lateness_of(const struct hist *h, struct samp_lateness *ret)
{
	*ret = (struct samp_lateness){
		.n = h->n,
		.p50_us = hist_quantile(h, 0.50),
		.p99_us = hist_quantile(h, 0.99),
		.max_us = h->max,
	};
}

void samp_sched_look(struct samp_sched *sc, const struct samp_task *t, struct samp_sched_look *ret)
{
	pthread_mutex_lock(&sc->lock);
	*ret = (struct samp_sched_look){ .busy = t->busy, .overdue = t->late, .missed = t->missed };
	lateness_of(&t->lateness, &ret->late);
	pthread_mutex_unlock(&sc->lock);
}

void samp_sched_lateness(struct samp_sched *sc, struct samp_lateness *ret)
{
	pthread_mutex_lock(&sc->lock);
	lateness_of(&sc->lateness, ret);
	pthread_mutex_unlock(&sc->lock);
}
