/* strgp_store.c - snapshots are taken from the queue in batches, cut to rows, handed to the store, and flushed: the
 * worker's hands; strgp_run.c says when.
 *
 * What the worker has taken is "in hand" until the store has taken its rows, then "unflushed" until the store has
 * flushed them; both count as queued.  When the store fails, what is in hand goes back to the queue's front, with the
 * number of rows of the first one that the store has, so that no row is written twice.  With a spool the queue is then
 * written there, whole, and the order is kept: nothing is stored from the queue while something is in the spool.  What
 * is unflushed goes there first: it is not given to the store again while this process lives, but to the next one's.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/daemon/strgp_impl.h"
#include "store/undo.h"

#define BATCHES_MAX    64 /* in one run, so that policies that are always busy share the threads */
#define REFUSED_SAY_US (60 * SEC_US)
#define FETCH_AHEAD    3 /* snapshots; storing one takes longer than its bytes need to come */

/* Whom strgp_stop() may abort. */
static void sink_show(struct strgp *sg, struct store_sink *sink)
{
	pthread_mutex_lock(&sg->lock);
	sg->sink = sink;
	pthread_mutex_unlock(&sg->lock);
}

int strgp_sink_open(struct strgp *sg, struct err *err)
{
	int rc;

	if (sg->work.sink)
		return 0;
	rc = store_type(sg->conf.store)->open(sg->conf.store, sg->conf.container, &sg->work.sink, err);
	if (rc)
		return rc;
	sink_show(sg, sg->work.sink);
	if (sg->spool && store_type(sg->conf.store)->undo)
		store_type(sg->conf.store)->undo(sg->work.sink, spool_undo(sg->spool));
	return 0;
}

void strgp_sink_close(struct strgp *sg)
{
	if (!sg->work.sink)
		return;
	sink_show(sg, NULL);
	store_type(sg->conf.store)->close(sg->work.sink);
	sg->work.sink = NULL;
}

struct rows {
	struct strgp *sg;
	const struct store_type *type;
	struct store_sink *sink;
	uint32_t skip; /* the store has these already */
	uint32_t n;    /* rows met */
	uint64_t taken;
	int rc; /* the store's, when it failed */
	struct err *err;
};

/* Rows of this row schema are left out from now on; the other ones of such sets are stored. */
static int row_refuse(struct strgp *sg, const struct row *row, const struct err *err)
{
	log_error("store", "policy %s: rows of row schema %s are not stored: %s", sg->conf.name, row->schema->name,
		  err->msg);
	decomp_refuse(row);
	pthread_mutex_lock(&sg->lock);
	sg->errors++;
	strgp_why(sg, err->msg);
	pthread_mutex_unlock(&sg->lock);
	return ROW_HAD;
}

/* For row_cut_each(): 1 stops it, and `rc` says why. */
static int row_cb(const struct row *row, void *arg)
{
	struct rows *r = arg;

	bool had = r->n < r->skip;

	if (!had) {
		r->rc = r->type->row(r->sink, row, r->err);
		if (r->rc == -EINVAL && row->schema->decomposed)
			return row_refuse(r->sg, row, r->err);
		if (r->rc)
			return 1;
		r->taken++;
	}
	r->n++;
	return had ? ROW_HAD : 0;
}

int strgp_snap_store(struct strgp *sg, const struct snap *sn, uint32_t *rows_done, struct strgp_tally *tally,
		     struct err *err)
{
	struct strgp_work *w = &sg->work;
	struct rows r = {
		.sg = sg, .type = store_type(sg->conf.store), .sink = w->sink, .skip = *rows_done, .err = err
	};
	int rc = -ESTALE;

	if (w->n_shapes && !w->shapes[0]->refused)
		rc = row_cut_each(w->shapes[0]->cut, sn, row_cb, &r);
	if (rc == -ESTALE) {
		rc = strgp_shape_find(sg, sn);
		if (!rc && w->shapes[0]->refused)
			rc = -EINVAL;
		if (!rc)
			rc = row_cut_each(w->shapes[0]->cut, sn, row_cb, &r);
	}
	tally->rows += r.taken;
	if (rc == 1 && r.rc == -EINVAL) {
		strgp_shape_refuse(sg, w->shapes[0], err);
		rc = -EINVAL;
	}
	if (rc == 1) {
		*rows_done = r.n;
		return r.rc;
	}
	*rows_done = 0;
	if (!rc && !r.n && decomp_refuses(w->shapes[0]->cut))
		rc = -EINVAL; /* all that it would give is refused */
	if (rc == 0 || rc == -EAGAIN)
		tally->taken++;
	else
		tally->dropped++;
	return 0;
}

/* Book what became of what was in hand; `left` of them go back to the queue.  Lock held. */
static void batch_settle(struct strgp *sg, const struct strgp_tally *tally, struct snap *const *left, size_t n_left,
			 int64_t since_us, uint32_t rows_done)
{
	sg->in_hand = 0;
	sg->in_hand_bytes = 0;
	sg->unflushed += tally->taken;
	sg->counts->dropped += tally->dropped;
	sg->rows += tally->rows;
	if (n_left)
		queue_unpop(&sg->queue, left, n_left, since_us, rows_done);
}

size_t strgp_batch_take(struct strgp *sg, struct snap *batch[STRGP_BATCH], int64_t *since_us, uint32_t *rows_done)
{
	uint64_t bytes_max = sg->conf.queue_bytes / STRGP_SHARE;
	size_t n = 0;

	*rows_done = sg->queue.rows_done;
	*since_us = queue_since(&sg->queue);
	while (n < STRGP_BATCH && sg->queue.n && (!n || sg->in_hand_bytes < bytes_max)) {
		sg->in_hand_bytes += queue_first_bytes(&sg->queue);
		batch[n++] = queue_pop(&sg->queue);
	}
	sg->in_hand = n;
	return n;
}

bool strgp_time_is_up(struct strgp *sg)
{
	int64_t stop_by = atomic_load_explicit(&sg->stop_by, memory_order_relaxed);

	return stop_by != INT64_MAX && mono_us() >= stop_by;
}

int64_t strgp_flush_us(const struct strgp *sg)
{
	return sg->conf.flush_us ? sg->conf.flush_us : STRGP_FLUSH_US;
}

/* What has waited too long is dropped; with a spool it goes there.  Lock held. */
static void queue_expire(struct strgp *sg)
{
	int64_t oldest = sg->conf.queue_age_us && !sg->spool ? mono_us() - sg->conf.queue_age_us : INT64_MIN;

	while (queue_since(&sg->queue) <= oldest) {
		snap_put(queue_pop(&sg->queue));
		sg->counts->dropped++;
	}
}

/* The batch is at its i-th: those behind it are on their way from the cache of who made them. */
static inline __attribute__((always_inline)) void fetch_ahead(struct snap *const *batch, size_t n, size_t i)
{
	if (i + 2 * FETCH_AHEAD < n)
		snap_fetch_head(batch[i + 2 * FETCH_AHEAD]);
	if (i + FETCH_AHEAD < n)
		snap_fetch(batch[i + FETCH_AHEAD]);
}

int strgp_drain(struct strgp *sg, struct err *err)
{
	struct snap *batch[STRGP_BATCH];
	struct strgp_tally tally = { 0 };
	int64_t since_ns = wall_ns(), now_ns, since_us;
	uint32_t rows_done;
	size_t n, i = 0;
	int rc = 0;

	pthread_mutex_lock(&sg->lock);
	queue_expire(sg);
	for (int k = 0; k < BATCHES_MAX && !rc && !strgp_spool_is_urgent(sg); k++) {
		n = strgp_batch_take(sg, batch, &since_us, &rows_done);
		if (!n)
			break;
		pthread_mutex_unlock(&sg->lock);
		tally = (struct strgp_tally){ 0 };
		rc = strgp_sink_open(sg, err);
		for (i = 0; !rc && i < n && !strgp_time_is_up(sg); i++) {
			uint64_t taken = tally.taken;

			fetch_ahead(batch, n, i);
			rc = strgp_snap_store(sg, batch[i], &rows_done, &tally, err);
			if (rc)
				break;
			if (sg->spool && tally.taken > taken)
				strgp_spool_keep(sg, batch[i]);
		}
		sg->work.part |= rc && rows_done;
		now_ns = wall_ns();
		strgp_times_count(&sg->times, batch, i, now_ns - since_ns, now_ns / 1000);
		since_ns = now_ns;
		for (size_t j = 0; j < i; j++)
			snap_put(batch[j]);
		pthread_mutex_lock(&sg->lock);
		if (tally.taken && !sg->unflushed)
			sg->work.flush_at = mono_us() + strgp_flush_us(sg);
		batch_settle(sg, &tally, batch + i, n - i, since_us, rows_done);
		if (strgp_spool_keeps_much(sg)) {
			sg->work.flush_at = 0;
			break;
		}
		if (i < n)
			break;
	}
	pthread_mutex_unlock(&sg->lock);
	return rc;
}

/* Only the worker changes these. */
bool strgp_has_unflushed(const struct strgp *sg)
{
	return sg->unflushed || sg->work.part || (sg->spool && spool_at(sg->spool) > sg->counts->taken);
}

/* Rows that the store's engine has refused: the policy goes on, and they are said, not too often. */
static void refused(struct strgp *sg)
{
	const struct store_type *type = store_type(sg->conf.store);
	struct err why = { "" };
	uint64_t n = type->refused ? type->refused(sg->work.sink, &why) : 0, all;
	int64_t now = mono_us();

	if (!n)
		return;
	pthread_mutex_lock(&sg->lock);
	all = sg->rows_refused += n;
	memcpy(sg->refused_why, why.msg, sizeof(sg->refused_why));
	if (!sg->refused_since_us)
		sg->refused_since_us = wall_us();
	sg->rows -= n < sg->rows ? n : sg->rows;
	pthread_mutex_unlock(&sg->lock);
	if (sg->work.refused_said && now - sg->work.refused_said < REFUSED_SAY_US)
		return;
	sg->work.refused_said = now;
	log_error("store", "policy %s: rows were refused and are lost: refused=%" PRIu64 " so far: %s", sg->conf.name,
		  all, why.msg);
}

int strgp_flush(struct strgp *sg, struct err *err)
{
	int rc;

	if (!strgp_has_unflushed(sg) || !sg->work.sink)
		return 0;
	rc = store_type(sg->conf.store)->flush(sg->work.sink, err);
	if (rc)
		return rc;
	sg->work.part = false;
	refused(sg);
	pthread_mutex_lock(&sg->lock);
	sg->counts->stored += sg->unflushed;
	sg->unflushed = 0;
	strgp_spool_settle(sg);
	pthread_mutex_unlock(&sg->lock);
	if (sg->spool)
		undo_settle(spool_undo(sg->spool), sg->counts->taken);
	strgp_spool_clean(sg);
	return 0;
}
