/* strgp_impl.h - the inside of a storage policy, shared by its files: strgp.c (what operators see), strgp_conf.c (what
 * it takes), strgp_offer.c (the door), strgp_queue.c (the snapshots that wait), strgp_run.c (the worker's turns),
 * strgp_store.c (its hands), strgp_shape.c (how it cuts sets to rows), strgp_spool.c (its turns with a spool). */
#ifndef CORE_DAEMON_STRGP_IMPL_H
#define CORE_DAEMON_STRGP_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/base/regex.h"
#include "core/base/unit.h"
#include "core/daemon/spool.h"
#include "core/daemon/strgp.h"
#include "core/daemon/strgp_pool.h"

#define STRGP_BATCH     64             /* snapshots that the worker takes at a time */
#define STRGP_LINGER_US (20 * MSEC_US) /* offers of one burst of updates share one wake-up */
#define STRGP_HURRY     (1u << 20)     /* bytes: more than so many do not wait for that */
#define STRGP_FLUSH_US  SEC_US         /* unless the policy says */
#define STRGP_SHARE     4              /* of the queue's bound at most this part is in hand, and as much is kept */

/* Snapshots that wait, oldest first: a ring. */
struct strgp_queue {
	struct strgp_waiting {
		struct snap *sn;
		int64_t since_us; /* monotonic; 0: nobody asks */
		uint64_t bytes;   /* of it: it may have left the cache of who takes it out */
	} * ring;
	size_t cap, head, n; /* cap: a power of two */
	uint64_t bytes;
	/* rows of the oldest that the store has taken already, when it failed in the middle of a snapshot */
	uint32_t rows_done;
};

enum strgp_state { STRGP_STOPPED, STRGP_RUNNING, STRGP_STOPPING };

/* Sets of one shape, as the worker meets them; when refused, nothing of it is stored, which was said. */
struct strgp_shape {
	struct row_cut *cut; /* NULL: no set of this schema and digest can be cut */
	bool refused;
	char *schema;
	uint8_t digest[DIGEST_LEN];
};

/* The worker's own; nobody else looks at it while the task lives. */
struct strgp_work {
	struct store_sink *sink;
	struct strgp_shape **shapes; /* the one met last first */
	size_t n_shapes;
	bool full; /* more shapes than we keep; said */
	bool failing;
	int64_t failing_since, backoff_us;
	int64_t flush_at;      /* when there are unflushed snapshots */
	int64_t retry_at;      /* monotonic; while it fails */
	int64_t refused_said;  /* monotonic; 0: not yet */
	uint64_t dropped_seen; /* at calm_since, while the queue overflows */
	int64_t calm_since;
	bool part; /* rows of a snapshot that it took in part are with the store, unflushed */
	/* with a spool */
	struct strgp_kept {
		struct snap **sn; /* what is unflushed and not in the spool, in order */
		size_t n, cap;
		uint64_t bytes;
	} kept;
	uint64_t part_no;   /* this record's ... */
	uint32_t part_rows; /* ... first rows are with the store, though the spool does not say so */
	uint64_t refused;   /* of what was read from it, not yet counted */
	bool spool_failing; /* it cannot be written; said */
	int64_t spool_retry_at;
	bool spool_full; /* it is at its bound; said */
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
	uint64_t in_hand, in_hand_bytes;  /* snapshots with the worker */
	uint64_t unflushed;               /* snapshots with the store */
	struct spool_counts own, *counts; /* `own`, or those of the spool while it is open */
	uint64_t spool_tail, spool_bytes; /* with counts->taken: what is spooled */
	uint64_t rows, rows_refused, errors;
	uint64_t dropped_before; /* when the queue became full */
	bool overflowing;
	int64_t overflow_since_us; /* wall clock */
	bool soon, hurried;        /* the worker is on its way, or at work; ... without lingering */
	int64_t linger_us;         /* offers wait so long before they call the worker */
	char why[ERR_MAX];
	int64_t why_since_us, retry_at_us; /* wall clock, monotonic */
	char refused_why[ERR_MAX];         /* of the last rows that the engine refused; since when it refuses any */
	int64_t refused_since_us;
	char **seen; /* all metrics of the first set, where the configuration names none */
	size_t n_seen;
	struct store_sink *sink; /* the worker's, to abort() it; NULL: none */
	/* When strgp_stop() wants the worker back; INT64_MAX: not stopping. */
	_Atomic int64_t stop_by;

	struct strgp_times times; /* guards itself */
	struct spool *spool;      /* the worker's, too; NULL: none */
	struct strgp_work work;
};

/* -- strgp.c ------------------------------------------------------------------------------------------------------- */

enum strgp_state strgp_state(struct strgp *sg);

/* -- strgp_queue.c: under `lock` ----------------------------------------------------------------------------------- */

void queue_push(struct strgp_queue *q, struct snap *sn, int64_t now_us);
/* The oldest, NULL when empty. */
struct snap *queue_pop(struct strgp_queue *q);
/* Bytes of the oldest; there is one. */
uint64_t queue_first_bytes(const struct strgp_queue *q);
/* Put the oldest, which came then, back in front; rows_done belongs to the first of them. */
void queue_unpop(struct strgp_queue *q, struct snap *const *sn, size_t n, int64_t since_us, uint32_t rows_done);
/* Since when the oldest waits; INT64_MAX when there is none, or nobody asks. */
int64_t queue_since(const struct strgp_queue *q);
void queue_fini(struct strgp_queue *q);

/* -- strgp_run.c --------------------------------------------------------------------------------------------------- */

int64_t strgp_run(struct strgp_task *t);
/* Something is wrong.  Lock held. */
void strgp_why(struct strgp *sg, const char *text);
void strgp_well(struct strgp *sg);

/* -- strgp_store.c ------------------------------------------------------------------------------------------------- */

int strgp_sink_open(struct strgp *sg, struct err *err);
void strgp_sink_close(struct strgp *sg);
/* Hand a snapshot's rows to the store; *rows_done of them it has already.  0: all taken or dropped, and tallied;
 * otherwise the store failed, and *rows_done is anew. */
struct strgp_tally {
	uint64_t taken, dropped, rows; /* snapshots, snapshots, rows */
};
int strgp_snap_store(struct strgp *sg, const struct snap *sn, uint32_t *rows_done, struct strgp_tally *tally,
		     struct err *err);
/* Take the oldest of the queue in hand; returns how many.  Lock held. */
size_t strgp_batch_take(struct strgp *sg, struct snap *batch[STRGP_BATCH], int64_t *since_us, uint32_t *rows_done);
/* Store what is queued, up to a number of batches; 0 also when time is up. */
int strgp_drain(struct strgp *sg, struct err *err);
/* What the store has taken is stored, or it fails. */
int strgp_flush(struct strgp *sg, struct err *err);
bool strgp_has_unflushed(const struct strgp *sg);
bool strgp_time_is_up(struct strgp *sg);
int64_t strgp_flush_us(const struct strgp *sg);

/* -- strgp_shape.c ------------------------------------------------------------------------------------------------- */

/* See that the snapshot's shape is the first one.  -EAGAIN: it has no rows; -ENOSPC: there are too many shapes. */
int strgp_shape_find(struct strgp *sg, const struct snap *sn);
/* Sets of this shape are dropped from now on. */
void strgp_shape_refuse(struct strgp *sg, struct strgp_shape *sh, const struct err *err);
void strgp_shapes_fini(struct strgp_work *w);

/* -- strgp_spool.c: with a spool ----------------------------------------------------------------------------------- */

/* On the main loop, before the worker begins. */
int strgp_spool_begin(struct strgp *sg, struct err *err);
void strgp_spool_end(struct strgp *sg);
/* Are there records to store before the queue? */
bool strgp_spool_waits(const struct strgp *sg);
/* What the store has taken and not flushed, and the whole queue, go to the spool; what cannot be written stays where it
 * is.  False: it cannot be written. */
bool strgp_spool_queue(struct strgp *sg);
/* The store has taken that one; it is kept until the flush, when it could still fail for good. */
void strgp_spool_keep(struct strgp *sg, struct snap *sn);
/* So much is kept that the store should flush now. */
bool strgp_spool_keeps_much(const struct strgp *sg);
/* Store what is spooled, up to a number of records; 0 also when time is up. */
int strgp_spool_drain(struct strgp *sg, struct err *err);
/* The queue is so full, or so old, that the store does not keep up; and the spool can be written. */
bool strgp_spool_urgent(struct strgp *sg);
bool strgp_spool_is_urgent(const struct strgp *sg); /* lock held */
/* The store has flushed: what was read is done with.  Lock held. */
void strgp_spool_settle(struct strgp *sg);
/* ... and what was kept is let go, and its files are removed. */
void strgp_spool_clean(struct strgp *sg);

#endif
