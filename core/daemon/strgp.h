/* strgp.h - storage policies: which sets go to which store, through a bounded queue, on a store worker.
 *
 * At every moment produced = stored + queued + spooled + dropped (counted in snapshots), and status says so.  A
 * snapshot is stored when the store has flushed it; until then it counts as queued, or as spooled when it came from
 * there.  A policy is owned by the main loop; strgp_offer() and strgp_wants() may be called on any thread.
 *
 * A store that fails (a full disk) is tried again after 1 s, then 2, up to 30 s.  Meanwhile the queue fills, and its
 * oldest snapshots are dropped; or the worker writes the queue to the spool (spool.h), where it is read again in order
 * before anything newer is stored, also by the next process.  With a spool the numbers go on over restarts, and what was
 * in memory when a process was killed is counted as dropped by the next.  What a store had taken and not flushed when it
 * failed is in the spool, too, and is given to the store of the next process again, behind what stores of files have
 * noted is taken back.  A set that cannot be cut to rows is dropped, and said once for its schema and digest.
 */
#ifndef CORE_DAEMON_STRGP_H
#define CORE_DAEMON_STRGP_H

#include "core/base/loop.h"
#include "core/base/shard.h"
#include "core/daemon/strgp_times.h"
#include "core/set/snap.h"
#include "store/decomp.h"
#include "store/store.h"

#define STRGP_QUEUE_BYTES_DFLT (64u << 20)  /* snapshots waiting for one policy's worker */
#define STRGP_SPOOL_BYTES_DFLT (4ull << 30) /* ... and on disk */

/* A store instance. */
int store_new(const struct store_type *type, const char *name, struct store **ret, struct err *err);
int store_config(struct store *st, const struct kv *attrs, struct err *err); /* -EINVAL when done already */
bool store_configured(const struct store *st);
struct store *store_get(struct store *st);
void store_put(struct store *st);
const struct store_type *store_type(const struct store *st);

/* Threads shared by the policies; one policy is on one of them at a time, several policies in parallel. */
struct strgp_pool;
struct strgp_pool *strgp_pool_new(unsigned int max_threads);
/* Policies must have been stopped.  A thread that hangs (a dead file system) is waited for until the deadline, then left
 * behind. */
void strgp_pool_free(struct strgp_pool *p, int64_t deadline_us);

enum strgp_overflow { STRGP_DROP_OLDEST, STRGP_SPOOL };

struct strgp;
struct strgp_conf {
	const char *name;
	struct store *store;
	const char *container;     /* default: the name */
	const char *schema;        /* exact schema name, or NULL */
	const char *schema_regex;  /* POSIX extended, or NULL */
	struct decomp *decomp;     /* what rows a set becomes; strgp_new() takes it when it succeeds; or NULL */
	const char *decomposition; /* ... the file that says so */
	int64_t flush_us;          /* at least this often while rows come; 0: default 1 s */
	uint64_t queue_bytes;      /* 0: STRGP_QUEUE_BYTES_DFLT */
	int64_t queue_age_us;      /* what waited longer is dropped, or goes to the spool; 0: any age */
	enum strgp_overflow overflow;
	const char *spool;    /* the folder below which the spool is made, named as the policy; for STRGP_SPOOL */
	uint64_t spool_bytes; /* the oldest are dropped beyond; 0: STRGP_SPOOL_BYTES_DFLT */
	int64_t spool_age_us; /* older ones are dropped; 0: any age */
	struct shard shard;   /* of the sets that match, those whose names are its */
	uint32_t uid, gid, perm;
};

int strgp_new(const struct strgp_conf *conf, struct strgp_pool *pool, struct strgp **ret, struct err *err);
struct strgp *strgp_get(struct strgp *sg);
/* The last one frees; it must be stopped. */
void strgp_put(struct strgp *sg);
const char *strgp_name(const struct strgp *sg);

/* Changes only while stopped: -EBUSY otherwise. */
int strgp_prdcr_add(struct strgp *sg, const char *regex, struct err *err);
int strgp_prdcr_del(struct strgp *sg, const char *regex, struct err *err);
int strgp_metric_add(struct strgp *sg, const char *metric, struct err *err);
int strgp_metric_del(struct strgp *sg, const char *metric, struct err *err);
int strgp_start(struct strgp *sg, struct err *err); /* -EBUSY when running */
/* No more offers are taken; what is queued is stored, flushed and closed within `deadline_us`, the rest is spooled, or
 * dropped and counted; a store that fails is tried once more.  Waits; call it without a loop's lock or accept the wait.  -EBUSY
 * when not running; -ETIMEDOUT when the store does not come back: what it has in hand counts as queued until it does.
 */
int strgp_stop(struct strgp *sg, int64_t deadline_us, struct err *err);
bool strgp_running(const struct strgp *sg);

/* Does it take the set of that name, of this producer and schema, now? */
bool strgp_wants(struct strgp *sg, const char *prdcr, const char *schema, const char *set);
/* A set of that name is (is no longer) going to be offered; both are counted.  For strgp_times() alone. */
void strgp_join(struct strgp *sg, const char *set, const char *prdcr, const char *schema);
void strgp_leave(struct strgp *sg, const char *set);
/* Queue a snapshot (a reference is taken).  Never waits: the oldest ones are dropped when the queue is full. */
void strgp_offer(struct strgp *sg, struct snap *sn);
/* Some of them, in order; their references become the policy's. */
void strgp_offer_all(struct strgp *sg, struct snap *const *sn, size_t n);

struct strgp_status {
	bool running;
	uint64_t produced, stored, queued, spooled, dropped; /* snapshots */
	uint64_t rows;                                       /* that the store has taken */
	uint64_t
		refused; /* rows that it took first, and its engine refused: these are lost, and in none of the others */
	uint64_t errors;
	uint64_t queued_bytes, spooled_bytes;
	char why[ERR_MAX]; /* what is wrong: why the store fails, or why some sets are dropped; "" when all is well */
	int64_t since_us;  /* wall clock: what is wrong has been so since then; 0 when all is well */
	int64_t retry_us;  /* until the store is tried again; 0: it does not fail */
	char refused_why[ERR_MAX]; /* of the last rows that the engine refused; "" while it refused none */
	int64_t refused_since_us;  /* wall clock: of the first */
};
void strgp_status(struct strgp *sg, struct strgp_status *ret);
/* How long storing took, for each set; all begins anew when `reset`. */
void strgp_times(struct strgp *sg, bool reset, void (*fn)(const struct strgp_time *tm, void *arg), void *arg);
const struct strgp_conf *strgp_conf(const struct strgp *sg);
/* The folder of its spool: below `spool`, named as the policy, whose name may be anything.  Yours. */
char *strgp_spool_dir(const struct strgp_conf *conf);
/* The i-th producer regex / metric, NULL behind the last one. */
const char *strgp_prdcr(const struct strgp *sg, size_t i);
const char *strgp_metric(const struct strgp *sg, size_t i);
/* What it stores where it was not told: the metrics of the first set that came. */
void strgp_seen(struct strgp *sg, void (*fn)(const char *metric, void *arg), void *arg);

#endif
