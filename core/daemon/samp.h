/* samp.h - sampler instances: configured by operators, sampled on the wall clock by worker threads.
 *
 * States: LOADED (no config yet), CONFIGURED, RUNNING; and whether the instance is healthy, degraded (its source failed;
 * retried) or overdue (a sample has not come back by its deadline).  An instance is owned by the main loop; its plugin
 * code runs on sampler workers only.
 */
#ifndef CORE_DAEMON_SAMP_H
#define CORE_DAEMON_SAMP_H

#include "core/base/loop.h"
#include "core/set/setdb.h"
#include "plugins/samp.h"

struct samp_sched;
struct daemon;
struct streams;
struct bus;

/* The attributes that every sampler has, for help; ended by a row without name. */
extern const struct samp_attr samp_common_attrs[];

/* What all instances of a daemon share; borrowed, outlives them. */
struct samp_env {
	struct loop *loop;
	struct pool *pool;
	struct setdb *sets;
	struct samp_sched *sched; /* NULL: for samp_once() only */
	struct streams *streams;  /* and bus: NULL: there are none */
	struct bus *bus;
	struct daemon *daemon;   /* for the sampler `self`; NULL: there is none */
	const char *producer;    /* default of producer=; instance= is then producer/NAME */
	uint64_t component_id;   /* default of component_id= */
	uint32_t uid, gid, perm; /* defaults of sets */
	const char *sysroot;     /* "" or a folder in front of /proc and /sys */
	bool draft;              /* attributes are looked at, sources are not */
};

/* Threads that sample.  One leader sleeps until the next instance is due and runs all that are due in one wake-up; when
 * an instance holds it past `grace_us` another worker takes over the schedule, so that a hung source delays only itself. */
struct samp_sched *samp_sched_new(int64_t grace_us, struct err *err);
/* Stops sampling; an instance that hangs in its source is abandoned after a short while.  False: one does, and may yet
 * write to its sets: their pool must stay. */
bool samp_sched_free(struct samp_sched *sc);

struct samp_lateness { /* of samples: how long after its slot each began */
	uint64_t n, p50_us, p99_us, max_us;
};
/* Of all samples of that schedule. */
void samp_sched_lateness(struct samp_sched *sc, struct samp_lateness *ret);

enum samp_state_ { SAMP_LOADED, SAMP_CONFIGURED, SAMP_RUNNING };

/* -EEXIST never (names are the caller's table); -ENOSYS with words when the build lacks the type. */
struct samp *samp_new(const struct samp_env *env, const struct samp_type *type, const char *name, struct err *err);
void samp_free(struct samp *sp); /* stops; its sets are unpublished */
/* `config`: the attributes are copied.  Unknown ones are refused with the nearest name.  Opens the plugin now: a source
 * that is missing degrades the instance (0 is returned, the state says so) unless required=true; a slip in the
 * attributes (-EINVAL, -EEXIST ... from open) is refused. */
int samp_config(struct samp *sp, const struct kv *attrs, struct err *err);
/* samp_config() without a look at the source, for a trial that samples nothing. */
int samp_check(struct samp *sp, const struct kv *attrs, struct err *err);
/* Could samp_start() take these? */
int samp_start_check(const struct samp *sp, int64_t interval_us, int64_t offset_us, struct err *err);
/* From its next start on: on a thread of its own, as with exclusive_thread=1. */
void samp_exclusive(struct samp *sp);
/* Sample on interval * k + offset; |offset| < interval.  -EBUSY when running. */
int samp_start(struct samp *sp, int64_t interval_us, int64_t offset_us, struct err *err);
int samp_stop(struct samp *sp, struct err *err);
/* One sample now, in the calling thread (`--once`); the instance must not be running. */
int samp_once(struct samp *sp, struct err *err);

/* Hand it a message as if that had been published: for tests of samplers.  It is delivered with the next samp_once(), or
 * by the schedule.  Any thread. */
void samp_tell(struct samp *sp, const struct samp_msg *m);

const struct samp_type *samp_type(const struct samp *sp);
struct daemon *samp_daemon(const struct samp *sp); /* that it belongs to; NULL: to none */
struct samp_status {
	enum samp_state_ state;
	bool degraded, overdue;
	char why[ERR_MAX]; /* of degraded */
	int64_t interval_us, offset_us;
	uint64_t samples, errors, missed; /* missed: slots of the wall clock that passed without a sample */
	int64_t retry_us; /* of degraded: when it is tried again; 0: at its next slot, -1: when it is started */
	struct samp_lateness late;
	unsigned int sets;
	uint64_t msgs, msg_errors, msg_lost; /* taken by the plugin; of these it refused; did not fit the queue */
};
void samp_status(struct samp *sp, struct samp_status *ret);
/* Is a thread with that owner (core/base/thread.h) its exclusive one? */
bool samp_is_thread_of(const struct samp *sp, const void *owner);
/* The instance's sets, in order of making; returns how many, and fills up to n (each with a reference that is yours). */
unsigned int samp_sets(struct samp *sp, struct set **sets, unsigned int n);

#endif
