/* strgp_spool.c - a storage policy with a spool: the queue goes there when the store fails or is too slow, and comes
 * back before anything newer is stored.
 *
 * The spool is the worker's; what status tells of it (how far it reaches, what is taken) is changed under the lock, in
 * one step with the queue's numbers.  What was read is taken when the store has flushed it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "core/daemon/strgp_impl.h"
#include "store/undo.h"

#define RECORDS_MAX    4096   /* in one run */
#define SPOOL_RETRY_US SEC_US /* a disk that is full may have room again */

/* -- opening and closing ------------------------------------------------------------------------------------------- */

char *strgp_spool_dir(const struct strgp_conf *conf)
{
	char *dir = xasprintf("%s/%s", conf->spool, conf->name), *name = dir + strlen(conf->spool) + 1;

	for (char *p = name; *p; p++)
		if (*p == '/' || (p == name && *p == '.'))
			*p = '_';
	return dir;
}

/* Lock held, or nobody else there. */
static void extent(struct strgp *sg)
{
	sg->spool_tail = spool_tail(sg->spool);
	sg->spool_bytes = spool_bytes(sg->spool);
}

int strgp_spool_begin(struct strgp *sg, struct err *err)
{
	struct spool *sp;
	uint64_t lost;
	char *dir;
	int rc;

	if (sg->conf.overflow != STRGP_SPOOL)
		return 0;
	dir = strgp_spool_dir(&sg->conf);
	rc = spool_open(dir, sg->conf.spool_bytes, &sp, &lost, err);
	if (!rc) {
		pthread_mutex_lock(&sg->lock);
		sg->spool = sp;
		sg->counts = spool_counts(sp);
		extent(sg);
		pthread_mutex_unlock(&sg->lock);
		if (lost)
			log_warning("store",
				    "policy %s: dropped=%" PRIu64 " that were in memory when the daemon was ended last "
				    "time",
				    sg->conf.name, lost);
		if (sg->spool_tail > sg->counts->taken)
			log_info("store", "policy %s: spooled=%" PRIu64 " in %s from last time", sg->conf.name,
				 sg->spool_tail - sg->counts->taken, dir);
	}
	free(dir);
	return rc;
}

void strgp_spool_end(struct strgp *sg)
{
	struct spool *sp = sg->spool;
	uint64_t gone;

	if (!sp)
		return;
	pthread_mutex_lock(&sg->lock);
	gone = spool_is_there(sp) ? 0 : sg->spool_tail - sg->counts->taken;
	sg->counts->taken_dropped += gone;
	sg->counts->taken += gone;
	sg->own = *sg->counts;
	sg->counts = &sg->own;
	sg->spool = NULL;
	pthread_mutex_unlock(&sg->lock);
	if (gone)
		log_error("store",
			  "policy %s: somebody has removed its spool in %s while it was in use; dropped=%" PRIu64
			  " that were in it",
			  sg->conf.name, sg->conf.spool, gone);
	spool_close(sp);
}

/* -- out of memory ------------------------------------------------------------------------------------------------- */

bool strgp_spool_is_urgent(const struct strgp *sg)
{
	if (!sg->spool || (sg->work.spool_failing && mono_us() < sg->work.spool_retry_at))
		return false;
	return sg->queue.bytes > sg->conf.queue_bytes / 2 ||
	       (sg->conf.queue_age_us && queue_since(&sg->queue) <= mono_us() - sg->conf.queue_age_us);
}

bool strgp_spool_urgent(struct strgp *sg)
{
	bool urgent;

	pthread_mutex_lock(&sg->lock);
	urgent = strgp_spool_is_urgent(sg);
	pthread_mutex_unlock(&sg->lock);
	return urgent;
}

/* Within its bounds: what is too much or too old is dropped, the oldest first. */
static void shrink(struct strgp *sg, uint64_t more)
{
	int64_t oldest_us = sg->conf.spool_age_us ? wall_us() - sg->conf.spool_age_us : INT64_MIN;
	uint64_t lowest = spool_shrink(sg->spool, more, oldest_us), lost;

	/* some of them may be with the store, unflushed: what may be lost is counted, rather too much than too little */
	lost = lowest - sg->counts->taken;
	undo_taken(spool_undo(sg->spool), lowest);
	pthread_mutex_lock(&sg->lock);
	sg->counts->taken_dropped += lost;
	sg->counts->taken = lowest;
	extent(sg);
	pthread_mutex_unlock(&sg->lock);
	if (lost && !sg->work.spool_full)
		log_warning("store", "policy %s: its spool is at its bound; the oldest are dropped and counted",
			    sg->conf.name);
	sg->work.spool_full |= lost > 0;
}

static void spool_failed(struct strgp *sg, const struct err *err)
{
	if (!sg->work.spool_failing)
		log_error("store",
			  "policy %s: %s; the sets wait in its queue, and its oldest are dropped when that is full",
			  sg->conf.name, err->msg);
	sg->work.spool_failing = true;
	sg->work.spool_retry_at = mono_us() + SPOOL_RETRY_US;
	pthread_mutex_lock(&sg->lock);
	sg->errors++;
	strgp_why(sg, err->msg);
	pthread_mutex_unlock(&sg->lock);
}

void strgp_spool_keep(struct strgp *sg, struct snap *sn)
{
	struct strgp_kept *k = &sg->work.kept;

	if (k->n == k->cap) {
		k->cap = k->cap ? 2 * k->cap : STRGP_BATCH;
		k->sn = xrealloc(k->sn, k->cap * sizeof(struct snap *));
	}
	k->sn[k->n++] = snap_get(sn);
	k->bytes += snap_bytes(sn);
}

bool strgp_spool_keeps_much(const struct strgp *sg)
{
	return sg->work.kept.bytes > sg->conf.queue_bytes / STRGP_SHARE;
}

static void kept_free(struct strgp_kept *k)
{
	while (k->n)
		snap_put(k->sn[--k->n]);
	free(k->sn);
	*k = (struct strgp_kept){ 0 };
}

/* What the store has unflushed: it is older than all that waits.  In the spool it counts as read, and not as taken. */
static int kept_spool(struct strgp *sg, struct err *err)
{
	struct strgp_kept *k = &sg->work.kept;
	int rc;

	if (!k->n)
		return 0;
	shrink(sg, k->bytes);
	/* all of them, or a kill meanwhile would take back rows that do not come again */
	undo_again(spool_undo(sg->spool), spool_tail(sg->spool) + k->n - 1);
	rc = spool_add(sg->spool, k->sn, k->n, 0, err);
	if (rc) {
		undo_again(spool_undo(sg->spool), UINT64_MAX);
		return rc;
	}
	spool_pass_all(sg->spool);
	pthread_mutex_lock(&sg->lock);
	sg->unflushed -= k->n;
	extent(sg);
	pthread_mutex_unlock(&sg->lock);
	kept_free(k);
	return 0;
}

/* The oldest of the queue, of which the store has rows; number: of its record.  Where others are before it, these rows
 * are noted with theirs. */
static int part_spool(struct strgp *sg, struct snap *const *sn, size_t n, uint64_t number, struct err *err)
{
	bool first = number == sg->counts->taken;
	int rc;

	if (first)
		undo_again(spool_undo(sg->spool), number);
	rc = spool_add(sg->spool, sn, n, 0, err); /* the next process cannot rely on rows that were not flushed */
	if (rc && first)
		undo_again(spool_undo(sg->spool), UINT64_MAX);
	return rc;
}

bool strgp_spool_queue(struct strgp *sg)
{
	struct snap *batch[STRGP_BATCH];
	struct err err = { "" };
	uint32_t rows_done;
	int64_t since_us;
	uint64_t bytes, number;
	size_t n;
	bool part;
	int rc = 0;

	shrink(sg, 0);
	rc = kept_spool(sg, &err);
	pthread_mutex_lock(&sg->lock);
	while (!rc && (n = strgp_batch_take(sg, batch, &since_us, &rows_done))) {
		bytes = sg->in_hand_bytes;
		pthread_mutex_unlock(&sg->lock);
		shrink(sg, bytes);
		number = spool_tail(sg->spool);
		part = rows_done && sg->work.part;
		rc = part ? part_spool(sg, batch, n, number, &err) : spool_add(sg->spool, batch, n, rows_done, &err);
		if (!rc && part) {
			sg->work.part_no = number;
			sg->work.part_rows = rows_done;
		}
		for (size_t i = 0; !rc && i < n; i++)
			snap_put(batch[i]);
		pthread_mutex_lock(&sg->lock);
		sg->in_hand = 0;
		sg->in_hand_bytes = 0;
		if (rc)
			queue_unpop(&sg->queue, batch, n, since_us, rows_done);
		extent(sg);
	}
	pthread_mutex_unlock(&sg->lock);
	if (rc)
		spool_failed(sg, &err);
	else if (sg->work.spool_failing)
		log_info("store", "policy %s: its spool is written again", sg->conf.name);
	sg->work.spool_failing = rc;
	return !rc;
}

/* -- back again ---------------------------------------------------------------------------------------------------- */

bool strgp_spool_waits(const struct strgp *sg)
{
	return sg->spool && spool_at(sg->spool) < spool_tail(sg->spool);
}

void strgp_spool_settle(struct strgp *sg)
{
	struct spool_counts *c = sg->counts;
	uint64_t at, dropped;

	if (!sg->spool)
		return;
	at = spool_at(sg->spool);
	dropped = sg->work.refused + spool_spoilt(sg->spool);
	if (dropped > at - c->taken) /* some of these were counted when the spool was shrunk */
		dropped = at - c->taken;
	c->taken_dropped += dropped;
	c->taken = at;
	sg->work.refused = 0;
	sg->work.spool_full &= at < spool_tail(sg->spool);
	extent(sg);
}

void strgp_spool_clean(struct strgp *sg)
{
	if (!sg->spool)
		return;
	kept_free(&sg->work.kept);
	spool_clean(sg->spool);
	pthread_mutex_lock(&sg->lock);
	extent(sg);
	pthread_mutex_unlock(&sg->lock);
}

int strgp_spool_drain(struct strgp *sg, struct err *err)
{
	struct strgp_tally tally = { 0 };
	bool unflushed = spool_at(sg->spool) > sg->counts->taken || sg->unflushed;
	size_t again = store_type(sg->conf.store)->again_bytes, bytes = 0;
	int64_t since_ns = wall_ns(), now_ns;
	struct snap *sn;
	int rc = strgp_sink_open(sg, err);

	shrink(sg, 0);
	for (unsigned int n = 0; !rc && n < RECORDS_MAX && !strgp_time_is_up(sg); n++) {
		/* newer ones wait in the queue meanwhile, which must not run over */
		if (n % STRGP_BATCH == 0 && strgp_spool_urgent(sg))
			strgp_spool_queue(sg);
		rc = spool_peek(sg->spool, &sn, err);
		if (rc || !sn)
			break;
		if (sg->work.part_rows && spool_at(sg->spool) == sg->work.part_no) {
			*spool_rows_done(sg->spool) = sg->work.part_rows;
			sg->work.part_rows = 0;
		}
		if (spool_at(sg->spool) == sg->counts->taken)
			undo_again(spool_undo(sg->spool), sg->counts->taken);
		rc = strgp_snap_store(sg, sn, spool_rows_done(sg->spool), &tally, err);
		sg->work.part |= rc && *spool_rows_done(sg->spool);
		if (rc)
			break;
		now_ns = wall_ns();
		strgp_times_count(&sg->times, &sn, 1, now_ns - since_ns, now_ns / 1000);
		since_ns = now_ns;
		bytes += sn->len;
		spool_pass(sg->spool);
		if (again &&
		    (bytes >= again || !strgp_spool_waits(sg))) { /* rows of the queue may come behind the last */
			sg->work.refused += tally.dropped;
			tally.dropped = 0;
			bytes = 0;
			unflushed = false;
			rc = strgp_flush(sg, err);
		}
	}
	sg->work.refused += tally.dropped;
	if (!unflushed)
		sg->work.flush_at = mono_us() + strgp_flush_us(sg);
	pthread_mutex_lock(&sg->lock);
	sg->rows += tally.rows;
	pthread_mutex_unlock(&sg->lock);
	return rc;
}
