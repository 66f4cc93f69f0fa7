/* strgp_offer.c - the door for snapshots: they are queued, or the oldest are dropped; any thread. */
#include <inttypes.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/daemon/strgp_impl.h"

#define VICTIMS_MAX 16 /* snapshots that are dropped before the lock is given up between */

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
