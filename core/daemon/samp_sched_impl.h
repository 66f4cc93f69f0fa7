/* samp_sched_impl.h - a schedule of samplers as its files know it: samp_sched.c (its owner and its tasks), samp_sched_time.c
 * (when), samp_sched_thread.c (by whom). */
#ifndef CORE_DAEMON_SAMP_SCHED_IMPL_H
#define CORE_DAEMON_SAMP_SCHED_IMPL_H

#include <pthread.h>

#include "core/daemon/samp_sched.h"

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
	unsigned int inside;      /* threads that run a task, or its end */
	bool stopping;
};

/* All with the lock held. */

/* -- samp_sched_time.c -- */
int64_t samp_sched_coarse_us(void);
struct timespec samp_sched_timespec(int64_t us);
/* Set both timers to what the tasks want. */
void samp_sched_arm(struct samp_sched *sc);
/* Let the watchdog fire in `us`; 0: not at all. */
void samp_sched_dog_set(struct samp_sched *sc, int64_t us);

/* -- samp_sched_thread.c -- */
/* The queue of those that wait for the leader. */
void samp_sched_ready_add(struct samp_sched *sc, struct samp_task *t);
void samp_sched_ready_del(struct samp_sched *sc, struct samp_task *t);
/* One more thread. */
int samp_sched_thread_new(struct samp_sched *sc, struct err *err);
/* A use of the schedule ends; the lock is not held afterwards. */
void samp_sched_put(struct samp_sched *sc);

#endif
