/* samp_sched.c - a schedule's owner, and its tasks.  See samp_sched.h; its threads: samp_sched_thread.c.
 *
 * The schedule lives until its owner and the last thread have left it.
 */
#include "core/daemon/samp_sched.h"

#include <errno.h>
#include <sys/timerfd.h>

#include "core/base/clock.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/daemon/samp_sched_impl.h"

#define WAIT_US (200 * MSEC_US) /* how long operators wait for a run under way: the main loop stands still */

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
	if (samp_sched_thread_new(sc, err) || samp_sched_thread_new(sc, err))
		goto fail;
	pthread_mutex_unlock(&sc->lock);
	return sc;
fail:
	sc->stopping = true;
	samp_sched_arm(sc);
	samp_sched_put(sc);
	return NULL;
}

struct samp_sched *samp_sched_new(int64_t grace_us, struct err *err)
{
	return sched_new(grace_us, "sampler", NULL, err);
}

static struct timespec wait_end(void)
{
	return samp_sched_timespec(mono_us() + WAIT_US);
}

bool samp_sched_free(struct samp_sched *sc)
{
	struct timespec end = wait_end();
	bool alone;

	if (!sc)
		return true;
	pthread_mutex_lock(&sc->lock);
	sc->stopping = true;
	samp_sched_arm(sc);
	/* a thread that is in no source only wants the processor */
	while (sc->users > 1 && !(sc->inside ? pthread_cond_timedwait(&sc->back, &sc->lock, &end)
					     : pthread_cond_wait(&sc->back, &sc->lock)))
		;
	alone = sc->users == 1 && !sc->left_behind;
	samp_sched_put(sc);
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
	samp_sched_arm(sc);
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
	samp_sched_ready_del(sc, t);
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
		samp_sched_ready_add(sc, t);
		samp_sched_arm(sc);
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
		samp_sched_ready_add(sc, t);
		samp_sched_arm(sc);
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
