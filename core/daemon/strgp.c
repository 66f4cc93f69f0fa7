/* strgp.c - storage policies: what they take, starting and stopping, and the door for snapshots. */
#include "core/daemon/strgp.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "core/daemon/mirrored.h"
#include "core/daemon/strgp_impl.h"

#define VICTIMS_MAX    16              /* snapshots that are dropped before the lock is given up between */
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

/* -- what it takes ------------------------------------------------------------------------------------------------- */

static enum strgp_state state_of(struct strgp *sg)
{
	enum strgp_state state;

	pthread_mutex_lock(&sg->lock);
	state = sg->state;
	pthread_mutex_unlock(&sg->lock);
	return state;
}

/* Lock its configuration for a change; the words are those that ldmsd's tools know. */
static int conf_change(struct strgp *sg, struct err *err)
{
	pthread_mutex_lock(&sg->conf_lock);
	if (state_of(sg) == STRGP_STOPPED)
		return 0;
	pthread_mutex_unlock(&sg->conf_lock);
	return err_set(err, -EBUSY, "Configuration changes cannot be made while the storage policy is running.");
}

int strgp_prdcr_add(struct strgp *sg, const char *regex, struct err *err)
{
	struct rx rx;
	int rc = conf_change(sg, err);

	if (rc)
		return rc;
	rc = rx_init(&rx, regex, err);
	if (!rc) {
		sg->prdcrs = xrealloc(sg->prdcrs, (sg->n_prdcrs + 1) * sizeof(*sg->prdcrs));
		sg->prdcrs[sg->n_prdcrs++] = rx;
	}
	pthread_mutex_unlock(&sg->conf_lock);
	return rc ? err_prefix(err, rc, "storage policy %s: ", sg->conf.name) : 0;
}

int strgp_prdcr_del(struct strgp *sg, const char *regex, struct err *err)
{
	int rc = conf_change(sg, err);
	size_t i;

	if (rc)
		return rc;
	for (i = 0; i < sg->n_prdcrs && strcmp(sg->prdcrs[i].text, regex); i++)
		;
	if (i < sg->n_prdcrs) {
		rx_fini(&sg->prdcrs[i]);
		memmove(&sg->prdcrs[i], &sg->prdcrs[i + 1], (--sg->n_prdcrs - i) * sizeof(*sg->prdcrs));
	} else {
		rc = err_set(err, -ENOENT, "The specified regex does not match any condition.");
	}
	pthread_mutex_unlock(&sg->conf_lock);
	return rc;
}

static size_t metric_index(const struct strgp *sg, const char *metric)
{
	size_t i;

	for (i = 0; i < sg->n_metrics && strcmp(sg->metrics[i], metric); i++)
		;
	return i;
}

int strgp_metric_add(struct strgp *sg, const char *metric, struct err *err)
{
	int rc = conf_change(sg, err);

	if (rc)
		return rc;
	if (sg->conf.decomp) {
		rc = err_set(err, -EINVAL,
			     "strgp '%s': its decomposition says which metrics are stored; change %s, or leave "
			     "decomposition= out",
			     sg->conf.name, sg->conf.decomposition);
	} else if (metric_index(sg, metric) < sg->n_metrics) {
		rc = err_set(err, -EEXIST, "The specified metric is already present.");
	} else {
		sg->metrics = xrealloc(sg->metrics, (sg->n_metrics + 1) * sizeof(*sg->metrics));
		sg->metrics[sg->n_metrics++] = xstrdup(metric);
	}
	pthread_mutex_unlock(&sg->conf_lock);
	return rc;
}

int strgp_metric_del(struct strgp *sg, const char *metric, struct err *err)
{
	int rc = conf_change(sg, err);
	size_t i;

	if (rc)
		return rc;
	i = metric_index(sg, metric);
	if (i < sg->n_metrics) {
		free(sg->metrics[i]);
		memmove(&sg->metrics[i], &sg->metrics[i + 1], (--sg->n_metrics - i) * sizeof(*sg->metrics));
	} else {
		rc = err_set(err, -ENOENT, "The specified metric was not found.");
	}
	pthread_mutex_unlock(&sg->conf_lock);
	return rc;
}

/* Expressions on producers are those of the peer where the policy is: without the mark. */
static bool matches(const struct strgp *sg, const char *prdcr, const char *schema)
{
	if (is_mirrored(prdcr) != is_mirrored(sg->conf.name))
		return false;
	prdcr += is_mirrored(prdcr);
	if (sg->conf.schema && strcmp(sg->conf.schema, schema))
		return false;
	if (sg->conf.schema_regex && !rx_match(&sg->schema_rx, schema))
		return false;
	for (size_t i = 0; i < sg->n_prdcrs; i++)
		if (rx_match(&sg->prdcrs[i], prdcr))
			return true;
	return !sg->n_prdcrs;
}

bool strgp_wants(struct strgp *sg, const char *prdcr, const char *schema, const char *set)
{
	bool wants;

	pthread_mutex_lock(&sg->conf_lock);
	wants = state_of(sg) == STRGP_RUNNING && matches(sg, prdcr, schema) && shard_takes(&sg->conf.shard, set);
	pthread_mutex_unlock(&sg->conf_lock);
	return wants;
}

/* -- start and stop ------------------------------------------------------------------------------------------------ */

static int start(struct strgp *sg, struct err *err)
{
	static const struct kv no_attrs;
	enum strgp_state state = state_of(sg);
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
	return state_of((struct strgp *)sg) == STRGP_RUNNING;
}

/* -- offers -------------------------------------------------------------------------------------------------------- */

/* What is to be done when the lock is given up. */
struct aftermath {
	struct snap *victims[VICTIMS_MAX];
	size_t n;
	bool overflow; /* the queue has just become full: say so */
};

static bool has_room(const struct strgp *sg, uint64_t bytes)
{
	return sg->queue.bytes + sg->in_hand_bytes + bytes <= sg->conf.queue_bytes;
}

/* With a spool the worker sees to that. */
static bool is_too_old(const struct strgp *sg, int64_t now_us)
{
	return !sg->spool && sg->conf.queue_age_us && queue_since(&sg->queue) <= now_us - sg->conf.queue_age_us;
}

static void count_dropped(struct strgp *sg, struct aftermath *after)
{
	if (!sg->overflowing) {
		sg->overflowing = after->overflow = true;
		sg->overflow_since_us = wall_us();
		sg->dropped_before = sg->counts->dropped;
	}
	sg->counts->dropped++;
}

static uint64_t hurry_bytes(const struct strgp *sg)
{
	uint64_t share = sg->conf.queue_bytes / 4; /* of a small queue */

	return share < STRGP_HURRY ? share : STRGP_HURRY;
}

/* See that the worker comes: once for many offers. */
static void call_worker(struct strgp *sg)
{
	if (!sg->soon) {
		sg->soon = true;
		strgp_pool_at(sg->pool, &sg->task, mono_us() + sg->linger_us);
	} else if (!sg->hurried && sg->queue.bytes > hurry_bytes(sg)) {
		sg->hurried = true;
		strgp_pool_at(sg->pool, &sg->task, 0);
	}
}

/* Take it in, dropping the oldest; false: there may be more to drop than one aftermath holds. */
static bool take_in(struct strgp *sg, struct snap *sn, struct aftermath *after)
{
	uint64_t bytes = snap_bytes(sn);
	int64_t now_us = sg->conf.queue_age_us ? mono_us() : 0;

	if (after->n == VICTIMS_MAX)
		return false;
	while (sg->queue.n && (!has_room(sg, bytes) || is_too_old(sg, now_us))) {
		if (after->n == VICTIMS_MAX - 1) /* the last place is the new one's */
			return false;
		after->victims[after->n++] = queue_pop(&sg->queue);
		count_dropped(sg, after);
	}
	sg->counts->produced++;
	if (has_room(sg, bytes)) {
		queue_push(&sg->queue, sn, now_us);
		call_worker(sg);
	} else { /* it is larger than the bound, or the worker has in hand all that is allowed */
		after->victims[after->n++] = sn;
		count_dropped(sg, after);
	}
	return true;
}

void strgp_offer_all(struct strgp *sg, struct snap *const *sn, size_t n)
{
	struct aftermath after;
	bool running = true;
	size_t i = 0;

	while (i < n && running) {
		after.n = 0;
		after.overflow = false;
		pthread_mutex_lock(&sg->lock);
		running = sg->state == STRGP_RUNNING;
		while (i < n && running && take_in(sg, sn[i], &after))
			i++;
		pthread_mutex_unlock(&sg->lock);
		while (after.n)
			snap_put(after.victims[--after.n]);
		if (after.overflow)
			log_warning("store",
				    "policy %s: its queue is full (%" PRIu64
				    " bytes), or too old: store %s is slower than "
				    "the sets come, or fails; the oldest are dropped and counted",
				    sg->conf.name, sg->conf.queue_bytes, store_name(sg->conf.store));
	}
	while (i < n)
		snap_put(sn[i++]);
}

void strgp_offer(struct strgp *sg, struct snap *sn)
{
	snap_get(sn);
	strgp_offer_all(sg, &sn, 1);
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
