/* strgp_impl.h - the inside of a storage policy, shared by its files: strgp.c (what operators and producers see),
 * strgp_queue.c (the snapshots that wait), strgp_run.c (the worker's side). */
#ifndef CORE_DAEMON_STRGP_IMPL_H
#define CORE_DAEMON_STRGP_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/base/regex.h"
#include "core/base/unit.h"
#include "core/daemon/strgp.h"
#include "core/daemon/strgp_pool.h"

#define STRGP_BATCH     64             /* snapshots that the worker takes at a time */
#define STRGP_LINGER_US (20 * MSEC_US) /* offers of one burst of updates share one wake-up */
#define STRGP_HURRY     (1u << 20)     /* bytes: more than so many do not wait for that */
#define STRGP_FLUSH_US  SEC_US         /* unless the policy says */

/* Snapshots that wait, oldest first: a ring. */
struct strgp_queue {
	struct snap **ring;
	size_t cap, head, n; /* cap: a power of two */
	uint64_t bytes;
	/* rows of the oldest that the store has taken already, when it failed in the middle of a snapshot */
	uint32_t rows_done;
};

enum strgp_state { STRGP_STOPPED, STRGP_RUNNING, STRGP_STOPPING };

/* Sets of one shape, as the worker meets them. */
struct strgp_shape;

/* The worker's own; nobody else looks at it while the task lives. */
struct strgp_work {
	struct store_sink *sink;
	struct strgp_shape **shapes; /* the one met last first */
	size_t n_shapes;
	bool full; /* more shapes than we keep; said */
	bool failing;
	int64_t failing_since, backoff_us;
	int64_t flush_at;      /* when there are unflushed snapshots */
	uint64_t dropped_seen; /* at calm_since, while the queue overflows */
	int64_t calm_since;
};

struct strgp {
	struct strgp_task task;
	struct strgp_pool *pool;
	struct strgp_conf conf; /* its texts are ours */
	atomic_uint refs;

	/* What it takes.  Changed by the main loop while stopped, read on any thread. */
	pthread_mutex_t conf_lock; /* outside of `lock` */
	struct rx schema_rx, *prdcrs;
	size_t n_prdcrs;
	char **metrics;
	size_t n_metrics;

	/* Held for a few instructions; outside of the pool's. */
	pthread_mutex_t lock;
	pthread_cond_t ended;
	enum strgp_state state;
	struct strgp_queue queue;
	uint64_t in_hand, in_hand_bytes; /* snapshots with the worker */
	uint64_t unflushed;              /* snapshots with the store */
	uint64_t produced, stored, dropped, rows, errors;
	uint64_t dropped_before; /* when the queue became full */
	bool overflowing;
	bool soon, hurried; /* the worker is on its way, or at work; ... without lingering */
	char why[ERR_MAX];
	char **seen; /* all metrics of the first set, where the configuration names none */
	size_t n_seen;
	/* When strgp_stop() wants the worker back; INT64_MAX: not stopping. */
	_Atomic int64_t stop_by;

	struct strgp_times times; /* guards itself */
	struct strgp_work work;
};

/* -- strgp_queue.c: under `lock` ----------------------------------------------------------------------------------- */

uint64_t snap_bytes(const struct snap *sn);
void queue_push(struct strgp_queue *q, struct snap *sn);
/* The oldest, NULL when empty. */
struct snap *queue_pop(struct strgp_queue *q);
/* Put the oldest back in front; rows_done belongs to the first of them. */
void queue_unpop(struct strgp_queue *q, struct snap *const *sn, size_t n, uint32_t rows_done);
void queue_fini(struct strgp_queue *q);

/* -- strgp_run.c --------------------------------------------------------------------------------------------------- */

int64_t strgp_run(struct strgp_task *t);

#endif
