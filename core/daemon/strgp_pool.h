/* strgp_pool.h - the threads that storage policies run on: tasks that run when their time has come.
 *
 * A task is run by one thread at a time, tasks in the order of their times.  Idle threads sleep; one of them, the
 * keeper, sleeps until the first task is due, so that any number of policies costs one timer.
 */
#ifndef CORE_DAEMON_STRGP_POOL_H
#define CORE_DAEMON_STRGP_POOL_H

#include <sys/queue.h>

#include "core/daemon/strgp.h"

#define TASK_NEVER INT64_MAX /* not before strgp_pool_at() says so */
#define TASK_END   INT64_MIN /* never again: the pool lets go of it, then calls end() */

/* A member of the object whose task it is. */
struct strgp_task {
	int64_t (*run)(struct strgp_task *t); /* what may wait; returns when to run again (monotonic, us) */
	void (*end)(struct strgp_task *t);    /* may free it */
	/* strgp_pool.c's */
	TAILQ_ENTRY(strgp_task) link;
	int64_t due; /* when listed: its time; when running: the time it was asked for meanwhile */
	enum { TASK_IDLE, TASK_LISTED, TASK_RUNNING } state;
};

/* Before the first strgp_pool_at() of a task: see that there are threads.  Ended by TASK_END. */
int strgp_pool_join(struct strgp_pool *p, struct strgp_task *t, struct err *err);
/* Run it at that time or earlier; any thread; not after its TASK_END. */
void strgp_pool_at(struct strgp_pool *p, struct strgp_task *t, int64_t due_us);

#endif
