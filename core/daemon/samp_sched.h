/* samp_sched.h - the schedule that sampler instances share; samp.c is its only user beside the tests.
 *
 * A task is something that runs on interval * k + offset of the wall clock on one of the schedule's threads, never
 * twice at once.  Its memory is the owner's; it starts as all zero but for the three functions.
 */
#ifndef CORE_DAEMON_SAMP_SCHED_H
#define CORE_DAEMON_SAMP_SCHED_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/hist.h"
#include "core/daemon/samp.h"

struct samp_task {
	void (*run)(struct samp_task *t); /* on a worker; may take its time, or hang */
	/* It holds its worker for longer than the grace, which is held_us; or it has come back (0).  On a worker, with
	 * the schedule's lock held: it may log and take note, and calls nothing of this header. */
	void (*overdue)(struct samp_task *t, int64_t held_us);
	/* The last call, on a worker: samp_sched_leave() gave up on it, and now it has come back. */
	void (*gone)(struct samp_task *t);

	/* the schedule's, under its lock */
	struct samp_task *next, *next_ready;
	int64_t interval_us, offset_us, due_us;
	uint64_t missed; /* slots that passed without a run */
	bool listed;     /* runs at intervals */
	bool ready;      /* waits for a worker */
	bool busy;       /* on a worker */
	bool late;       /* ... for longer than the grace */
	bool ran;        /* in the wake-up that is under way: a slot that it slept over is missed, not made up */
	bool abandoned;
	bool mail;            /* it was kicked while it ran */
	int64_t slot_us;      /* of the run that is due */
	int64_t took_us;      /* a run, of late */
	struct hist lateness; /* us from the slot to the run */

	bool due; /* for run(): its slot has come, or samp_sched_once(); false: it was kicked */
};

/* Run at intervals from the next slot on; interval_us > |offset_us|. */
void samp_sched_add(struct samp_sched *sc, struct samp_task *t, int64_t interval_us, int64_t offset_us);
/* No more runs.  Waits shortly for one that is under way; false: it goes on. */
bool samp_sched_del(struct samp_sched *sc, struct samp_task *t);
/* Run once, now.  Waits shortly for it; false: it goes on. */
bool samp_sched_once(struct samp_sched *sc, struct samp_task *t);
/* Run it soon, with `due` only if its slot has come meanwhile; also while it runs.  Does not wait. */
void samp_sched_kick(struct samp_sched *sc, struct samp_task *t);
/* samp_sched_del() for good: after false, the task's memory belongs to the schedule until it calls gone(). */
bool samp_sched_leave(struct samp_sched *sc, struct samp_task *t);

struct samp_sched_look {
	bool busy, overdue;
	uint64_t missed;
	struct samp_lateness late;
};
void samp_sched_look(struct samp_sched *sc, const struct samp_task *t, struct samp_sched_look *ret);

/* A schedule with threads of its own (of that name), for tasks that shall not share; what is counted there counts in `sc`, too. */
struct samp_sched *samp_sched_branch(struct samp_sched *sc, const char *name, struct err *err);
/* It ends; a task that hangs there is left to it, and samp_sched_free(sc) says so. */
void samp_sched_branch_end(struct samp_sched *sc, struct samp_sched *branch);

/* When is the task due after the moment `now_us`, at which it runs?  Counts what was missed in between. */
void samp_task_plan(struct samp_task *t, int64_t now_us);
/* The wall clock has jumped to `now_us`. */
void samp_task_replan(struct samp_task *t, int64_t now_us);

#endif
