/* strgp_run.c - the worker's turns: when a storage policy stores, flushes, spools, tries again and ends. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/jitter.h"
#include "core/base/log.h"
#include "core/daemon/strgp_impl.h"

#define CALM_US         (10 * SEC_US) /* without a drop, until the end of an overflow is said */
#define BACKOFF_MIN_US  SEC_US
#define SPOOL_LINGER_US SEC_US /* that much is in memory alone when the process is killed */
#define BACKOFF_MAX_US  (30 * SEC_US)

void strgp_why(struct strgp *sg, const char *text)
{
	if (!sg->why[0])
		sg->why_since_us = wall_us();
	snprintf(sg->why, sizeof(sg->why), "%s", text);
}

void strgp_well(struct strgp *sg)
{
	sg->why[0] = '\0';
	sg->why_since_us = 0;
	sg->retry_at_us = 0;
}

/* The store fails: what comes meanwhile goes to the spool, some at a time. */
static int64_t turn_spooling(struct strgp *sg)
{
	bool ok = strgp_spool_queue(sg);
	int64_t soon = mono_us() + SPOOL_LINGER_US;

	pthread_mutex_lock(&sg->lock);
	sg->linger_us = SPOOL_LINGER_US;
	sg->soon = !ok || sg->queue.n; /* more came meanwhile */
	sg->hurried = !ok;
	if (!sg->soon || soon > sg->work.retry_at)
		soon = sg->work.retry_at;
	pthread_mutex_unlock(&sg->lock);
	return soon;
}

/* The store failed: said once, tried again later, each time later than before, unless the store itself tries on. */
static int64_t turn_failed(struct strgp *sg, int rc, const struct err *err)
{
	struct strgp_work *w = &sg->work;
	int64_t now = mono_us();
	char text[32];

	w->backoff_us = w->failing && rc != -EAGAIN ? 2 * w->backoff_us : BACKOFF_MIN_US;
	if (w->backoff_us > BACKOFF_MAX_US)
		w->backoff_us = BACKOFF_MAX_US;
	if (!w->failing) {
		w->failing = true;
		w->failing_since = now;
		log_error("store", "policy %s: %s; the sets wait in its %s; next try in %s%s", sg->conf.name, err->msg,
			  sg->spool ? "spool" : "queue", unit_time_text(w->backoff_us, text),
			  rc == -EAGAIN ? "" : ", then ever later");
	}
	w->retry_at = now + jitter_us(w->backoff_us); /* many daemons lost the same server */
	pthread_mutex_lock(&sg->lock);
	sg->errors++;
	sg->soon = sg->hurried = true; /* offers do not call for an earlier turn */
	strgp_why(sg, err->msg);
	sg->retry_at_us = w->retry_at;
	pthread_mutex_unlock(&sg->lock);
	return sg->spool ? turn_spooling(sg) : w->retry_at;
}

static void recovered(struct strgp *sg)
{
	struct strgp_status st;
	char text[32];

	sg->work.failing = false;
	pthread_mutex_lock(&sg->lock);
	strgp_well(sg);
	sg->linger_us = STRGP_LINGER_US;
	pthread_mutex_unlock(&sg->lock);
	strgp_status(sg, &st);
	log_info("store",
		 "policy %s: stores again after %s: errors=%" PRIu64 " queued=%" PRIu64 " spooled=%" PRIu64
		 " dropped=%" PRIu64,
		 sg->conf.name, unit_time_text((mono_us() - sg->work.failing_since) / SEC_US * SEC_US, text), st.errors,
		 st.queued, st.spooled, st.dropped);
}

/* A queue that is full now and then is one event: it ends when nothing was dropped for a while.  Returns when to look
 * again, at the latest; *ret_lost when it ended.  Lock held. */
static int64_t overflow_check(struct strgp *sg, int64_t due, uint64_t *ret_lost)
{
	struct strgp_work *w = &sg->work;
	int64_t now = mono_us();

	if (w->dropped_seen != sg->counts->dropped) {
		w->dropped_seen = sg->counts->dropped;
		w->calm_since = now;
	}
	if (now - w->calm_since >= CALM_US) {
		sg->overflowing = false;
		*ret_lost = sg->counts->dropped - sg->dropped_before;
		return due;
	}
	return w->calm_since + CALM_US < due ? w->calm_since + CALM_US : due;
}

/* All is well: when next? */
static int64_t turn_done(struct strgp *sg)
{
	int64_t due = strgp_has_unflushed(sg) ? sg->work.flush_at : TASK_NEVER;
	uint64_t lost = 0;
	char text[32];

	if (sg->work.failing)
		recovered(sg);
	pthread_mutex_lock(&sg->lock);
	sg->soon = sg->hurried = sg->queue.n || strgp_spool_waits(sg);
	if (sg->soon)
		due = 0;
	if (sg->overflowing)
		due = overflow_check(sg, due, &lost);
	pthread_mutex_unlock(&sg->lock);
	if (lost)
		log_warning("store", "policy %s: its queue has not been full for %s; dropped=%" PRIu64 " while it was",
			    sg->conf.name, unit_time_text(CALM_US, text), lost);
	return due;
}

/* The last turn: what there is time for is stored, the rest is dropped. */
static int64_t turn_last(struct strgp *sg)
{
	struct strgp_work *w = &sg->work;
	struct err err = { "" };
	struct snap *sn;
	uint64_t lost = 0;
	bool early;
	int rc;

	do {
		rc = strgp_spool_waits(sg) ? strgp_spool_drain(sg, &err) : strgp_drain(sg, &err);
		if (!rc && strgp_spool_urgent(sg))
			strgp_spool_queue(sg);
	} while (!rc && !strgp_time_is_up(sg) && (sg->queue.n || strgp_spool_waits(sg)));
	early = !rc && !sg->queue.n && !w->failing; /* what is safe need not be spooled before */
	if (early)
		rc = strgp_flush(sg, &err);
	if (sg->spool)
		strgp_spool_queue(sg);
	if (rc && !early)
		strgp_flush(sg, NULL);
	else if (!early)
		rc = strgp_flush(sg, &err);
	strgp_sink_close(sg);
	strgp_shapes_fini(w);
	if (sg->conf.decomp)
		decomp_reset(sg->conf.decomp);
	strgp_spool_clean(sg);
	*w = (struct strgp_work){ 0 };
	pthread_mutex_lock(&sg->lock);
	while ((sn = queue_pop(&sg->queue))) {
		lost++;
		snap_put(sn);
	}
	lost += sg->unflushed;
	sg->unflushed = 0;
	sg->counts->dropped += lost;
	if (rc) {
		sg->errors++;
		strgp_why(sg, err.msg);
	}
	pthread_mutex_unlock(&sg->lock);
	strgp_spool_end(sg);
	if (lost)
		log_warning("store", "policy %s: stopped; dropped=%" PRIu64 " that could not be stored%s%s",
			    sg->conf.name, lost, rc ? ": " : " in time", rc ? err.msg : "");
	return TASK_END;
}

int64_t strgp_run(struct strgp_task *t)
{
	struct strgp *sg = (struct strgp *)((char *)t - offsetof(struct strgp, task));
	struct strgp_work *w = &sg->work;
	struct err err = { "" };
	int rc = 0;

	if (sg->stop_by != INT64_MAX)
		return turn_last(sg);
	if (sg->spool && w->failing && mono_us() < w->retry_at)
		return turn_spooling(sg);
	/* a store that failed proves itself by a flush: rows that it takes may only be in its memory */
	if (w->failing)
		rc = strgp_flush(sg, &err);
	if (!rc && strgp_spool_waits(sg))
		rc = strgp_spool_drain(sg, &err);
	if (!rc && !strgp_spool_waits(sg))
		rc = strgp_drain(sg, &err);
	if (!rc && strgp_spool_urgent(sg))
		strgp_spool_queue(sg);
	if (!rc && strgp_has_unflushed(sg) && (w->failing || mono_us() >= w->flush_at))
		rc = strgp_flush(sg, &err);
	if (sg->stop_by != INT64_MAX)
		return turn_last(sg);
	return rc ? turn_failed(sg, rc, &err) : turn_done(sg);
}
