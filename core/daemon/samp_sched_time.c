/* samp_sched_time.c - when a schedule's tasks are due, and the two timers that wake its threads.  See samp_sched.h. */
#include <errno.h>
#include <sys/timerfd.h>

#include "core/base/clock.h"
#include "core/base/unit.h"
#include "core/daemon/samp_sched_impl.h"

int64_t samp_sched_coarse_us(void)
{
	return clock_us(CLOCK_MONOTONIC_COARSE);
}

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

struct timespec samp_sched_timespec(int64_t us)
{
	return (struct timespec){ .tv_sec = us / SEC_US, .tv_nsec = us % SEC_US * 1000 };
}

static int timer_set(int fd, int flags, int64_t us)
{
	struct itimerspec it = { .it_value = samp_sched_timespec(us) };

	return timerfd_settime(fd, flags, &it, NULL) ? -errno : 0;
}

void samp_sched_dog_set(struct samp_sched *sc, int64_t us)
{
	sc->dog_us = us ? samp_sched_coarse_us() + us : 0;
	timer_set(sc->dog_fd, 0, us);
}

/* The next wake-up is in `us`.  A watchdog that fires well behind it, and not too late, stays: should a task run by then, the
 * follower waits for the rest of its grace. */
static void dog_push(struct samp_sched *sc, int64_t us)
{
	int64_t left = sc->dog_us - samp_sched_coarse_us();

	if (left < us + sc->grace_us / 2 || left > us + sc->grace_us)
		samp_sched_dog_set(sc, us + sc->grace_us);
}

/* Set both timers to what the tasks want. */
void samp_sched_arm(struct samp_sched *sc)
{
	bool running = sc->leader && sc->leader->task; /* then the watchdog is for that run, else for the next one */
	int64_t now, due;

	do {
		now = wall_us();
		due = sc->ready || sc->stopping ? 1 : soonest(sc, now);
	} while (timer_set(sc->due_fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, due) ==
		 -ECANCELED); /* clock was set */
	if (sc->stopping)
		samp_sched_dog_set(sc, 1);
	else if (running || due)
		dog_push(sc, !running && due > now ? due - now : 0);
	else
		samp_sched_dog_set(sc, 0);
}
