/* strgp.c - storage policies: making and ending, starting and stopping, and what they say of themselves. */
#include "core/daemon/strgp.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/xalloc.h"
#include "core/daemon/strgp_impl.h"

#define ABORT_GRACE_US SEC_US          /* what a store that was aborted did not take is on its way to the spool */
#define STOP_GRACE_US  (100 * MSEC_US) /* what closing may take after the deadline, before we go on without it */

/* -- making and ending --------------------------------------------------------------------------------------------- */

static void strgp_free(struct strgp *sg)
{
	assert(sg->state == STRGP_STOPPED);
	for (size_t i = 0; i < sg->n_prdcrs; i++)
		rx_fini(&sg->prdcrs[i]);
	for (size_t i = 0; i < sg->n_metrics; i++)
		free(sg->metrics[i]);
	for (size_t i = 0; i < sg->n_seen; i++)
		free(sg->seen[i]);
	free(sg->prdcrs);
	free(sg->metrics);
	free(sg->seen);
	rx_fini(&sg->schema_rx);
	queue_fini(&sg->queue);
	strgp_times_fini(&sg->times);
	pthread_mutex_destroy(&sg->conf_lock);
	pthread_mutex_destroy(&sg->lock);
	pthread_cond_destroy(&sg->ended);
	store_put(sg->conf.store);
	free((char *)sg->conf.name);
	free((char *)sg->conf.container);
	free((char *)sg->conf.schema);
	free((char *)sg->conf.schema_regex);
	free((char *)sg->conf.decomposition);
	decomp_free(sg->conf.decomp);
	free((char *)sg->conf.spool);
	free(sg);
}

/* The pool has let go of it: the stop is complete. */
static void strgp_end(struct strgp_task *t)
{
	struct strgp *sg = (struct strgp *)((char *)t - offsetof(struct strgp, task));

	pthread_mutex_lock(&sg->lock);
	sg->state = STRGP_STOPPED;
	pthread_cond_broadcast(&sg->ended);
	pthread_mutex_unlock(&sg->lock);
	strgp_put(sg);
}

int strgp_new(const struct strgp_conf *conf, struct strgp_pool *pool, struct strgp **ret, struct err *err)
{
	struct strgp *sg = xcalloc(1, sizeof(*sg));
	pthread_condattr_t attr;
	int rc;

	if (conf->schema_regex) {
		rc = rx_init(&sg->schema_rx, conf->schema_regex, err);
		if (rc) {
			free(sg);
			return err_prefix(err, rc, "storage policy %s: regex: ", conf->name);
		}
	}
	sg->task = (struct strgp_task){ .run = strgp_run, .end = strgp_end };
	sg->pool = pool;
	sg->conf = *conf;
	sg->conf.name = xstrdup(conf->name);
	sg->conf.container = xstrdup(conf->container ? conf->container : conf->name);
	sg->conf.schema = xstrdup(conf->schema);
	sg->conf.schema_regex = xstrdup(conf->schema_regex);
	sg->conf.decomposition = xstrdup(conf->decomposition);
	sg->conf.spool = xstrdup(conf->spool);
	if (!conf->queue_bytes)
		sg->conf.queue_bytes = STRGP_QUEUE_BYTES_DFLT;
	if (!conf->spool_bytes)
		sg->conf.spool_bytes = STRGP_SPOOL_BYTES_DFLT;
	sg->counts = &sg->own;
	store_get(conf->store);
	atomic_init(&sg->refs, 1);
	atomic_init(&sg->stop_by, INT64_MAX);
	strgp_times_init(&sg->times);
	pthread_mutex_init(&sg->conf_lock, NULL);
	pthread_mutex_init(&sg->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&sg->ended, &attr);
	pthread_condattr_destroy(&attr);
	*ret = sg;
	return 0;
}

struct strgp *strgp_get(struct strgp *sg)
{
	atomic_fetch_add_explicit(&sg->refs, 1, memory_order_relaxed);
	return sg;
}

void strgp_put(struct strgp *sg)
{
	if (sg && atomic_fetch_sub_explicit(&sg->refs, 1, memory_order_acq_rel) == 1)
		strgp_free(sg);
}

const char *strgp_name(const struct strgp *sg)
{
	return sg->conf.name;
}

/* -- start and stop ------------------------------------------------------------------------------------------------ */

enum strgp_state strgp_state(struct strgp *sg)
{
	enum strgp_state state;

	pthread_mutex_lock(&sg->lock);
	state = sg->state;
	pthread_mutex_unlock(&sg->lock);
	return state;
}

static int start(struct strgp *sg, struct err *err)
{
	static const struct kv no_attrs;
	enum strgp_state state = strgp_state(sg);
	int rc = 0;

	if (state == STRGP_RUNNING)
		return err_set(err, -EBUSY, "The storage policy is already running.");
	if (state == STRGP_STOPPING)
		return err_set(err, -EBUSY,
			       "storage policy %s: store %s has not come back since strgp_stop; try again when it has",
			       sg->conf.name, store_name(sg->conf.store));
	if (!store_configured(sg->conf.store))
		rc = store_config(sg->conf.store, &no_attrs, err);
	if (!rc)
		rc = strgp_spool_begin(sg, err);
	if (!rc && (rc = strgp_pool_join(sg->pool, &sg->task, err)))
		strgp_spool_end(sg);
	if (rc)
		return err_prefix(err, rc, "storage policy %s: ", sg->conf.name);
	strgp_get(sg); /* the pool's, given back by strgp_end() */
	pthread_mutex_lock(&sg->lock);
	sg->stop_by = INT64_MAX;
	sg->soon = sg->hurried = sg->overflowing = false;
	sg->linger_us = STRGP_LINGER_US;
	strgp_well(sg);
	sg->state = STRGP_RUNNING;
	if (strgp_spool_waits(sg))
		strgp_pool_at(sg->pool, &sg->task, 0);
	pthread_mutex_unlock(&sg->lock);
	return 0;
}

int strgp_start(struct strgp *sg, struct err *err)
{
	int rc;

	pthread_mutex_lock(&sg->conf_lock);
	rc = start(sg, err);
	pthread_mutex_unlock(&sg->conf_lock);
	return rc;
}

/* Wait for the worker's end; lock held. */
static void stop_wait(struct strgp *sg, int64_t until_us)
{
	struct timespec ts = { .tv_sec = until_us / SEC_US, .tv_nsec = until_us % SEC_US * 1000 };
	int rc = 0;

	while (sg->state == STRGP_STOPPING && !rc)
		rc = pthread_cond_timedwait(&sg->ended, &sg->lock, &ts);
}

int strgp_stop(struct strgp *sg, int64_t deadline_us, struct err *err)
{
	const struct store_type *type = store_type(sg->conf.store);
	int64_t stop_by = mono_us() + deadline_us;
	int rc;

	pthread_mutex_lock(&sg->lock);
	if (sg->state != STRGP_RUNNING) {
		pthread_mutex_unlock(&sg->lock);
		return err_set(err, -EBUSY, "The storage policy is not running.");
	}
	strgp_get(sg);
	sg->state = STRGP_STOPPING;
	sg->stop_by = stop_by;
	strgp_pool_at(sg->pool, &sg->task, 0);
	stop_wait(sg, stop_by + STOP_GRACE_US);
	if (sg->state == STRGP_STOPPING && type->abort && sg->sink) {
		type->abort(sg->sink);
		stop_wait(sg, mono_us() + ABORT_GRACE_US);
	}
	rc = sg->state == STRGP_STOPPING ? -ETIMEDOUT : 0;
	pthread_mutex_unlock(&sg->lock);
	if (rc)
		err_set(err, rc,
			"storage policy %s: store %s did not come back in time; it goes on in the background, and what "
			"is still queued is dropped when it does; look at the store's file system or server",
			sg->conf.name, store_name(sg->conf.store));
	strgp_put(sg);
	return rc;
}

bool strgp_running(const struct strgp *sg)
{
	return strgp_state((struct strgp *)sg) == STRGP_RUNNING;
}

/* -- looking ------------------------------------------------------------------------------------------------------- */

void strgp_status(struct strgp *sg, struct strgp_status *ret)
{
	const struct spool_counts *c;

	pthread_mutex_lock(&sg->lock);
	c = sg->counts;
	*ret = (struct strgp_status){
		.running = sg->state == STRGP_RUNNING,
		.produced = c->produced,
		.stored = c->stored + c->taken - c->taken_dropped,
		.queued = sg->queue.n + sg->in_hand + sg->unflushed,
		.spooled = sg->spool_tail - c->taken,
		.dropped = c->dropped + c->taken_dropped,
		.refused = sg->rows_refused,
		.rows = sg->rows,
		.errors = sg->errors,
		.queued_bytes = sg->queue.bytes + sg->in_hand_bytes,
		.spooled_bytes = sg->spool_bytes,
		.since_us = sg->why_since_us,
		.refused_since_us = sg->refused_since_us,
	};
	if (ret->running && sg->retry_at_us)
		ret->retry_us = sg->retry_at_us > mono_us() ? sg->retry_at_us - mono_us() : 1;
	memcpy(ret->why, sg->why, sizeof(ret->why));
	memcpy(ret->refused_why, sg->refused_why, sizeof(ret->refused_why));
	if (ret->running && sg->overflowing && !ret->why[0]) {
		snprintf(ret->why, sizeof(ret->why),
			 "its queue is full, or too old: the store is slower than the sets come; the oldest are "
			 "dropped");
		ret->since_us = sg->overflow_since_us;
	}
	pthread_mutex_unlock(&sg->lock);
}

void strgp_join(struct strgp *sg, const char *set, const char *prdcr, const char *schema)
{
	strgp_times_join(&sg->times, set, prdcr, schema);
}

void strgp_leave(struct strgp *sg, const char *set)
{
	strgp_times_leave(&sg->times, set);
}

void strgp_times(struct strgp *sg, bool reset, void (*fn)(const struct strgp_time *tm, void *arg), void *arg)
{
	strgp_times_walk(&sg->times, reset, fn, arg);
}

const struct strgp_conf *strgp_conf(const struct strgp *sg)
{
	return &sg->conf;
}

const char *strgp_prdcr(const struct strgp *sg, size_t i)
{
	return i < sg->n_prdcrs ? sg->prdcrs[i].text : NULL;
}

const char *strgp_metric(const struct strgp *sg, size_t i)
{
	return i < sg->n_metrics ? sg->metrics[i] : NULL;
}

void strgp_seen(struct strgp *sg, void (*fn)(const char *metric, void *arg), void *arg)
{
	pthread_mutex_lock(&sg->lock);
	for (size_t i = 0; i < sg->n_seen; i++)
		fn(sg->seen[i], arg);
	pthread_mutex_unlock(&sg->lock);
}
