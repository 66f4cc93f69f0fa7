/* scribe_run.c - the queue of a store of messages, and the worker's side: messages are taken from it one at a time, handed
 * to the plugin, and flushed. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/daemon/scribe_impl.h"

#define TURN_MSGS      4096           /* in one run, so that stores that are always busy share the threads */
#define LINGER_US      (20 * MSEC_US) /* messages of one burst share one wake-up */
#define HURRY_BYTES    (1u << 20)     /* more than so many do not wait for that */
#define FLUSH_US       SEC_US         /* that long is in memory alone */
#define CALM_US        (10 * SEC_US)  /* without a drop, until the end of an overflow is said */
#define BACKOFF_MIN_US SEC_US
#define BACKOFF_MAX_US (30 * SEC_US)
#define SAY_EVERY_US   (60 * SEC_US) /* refused messages: they come from strangers */
#define TICK_MAX_US    (60 * SEC_US) /* the wall clock may be set meanwhile */

/* -- the queue ----------------------------------------------------------------------------------------------------- */

static struct scribe_letter *letter_new(struct scribe_sub *sub, const struct scribe_msg *m)
{
	size_t name_sz = strlen(m->name) + 1, size = sizeof(struct scribe_letter) + name_sz + m->len + 1;
	struct scribe_letter *l = xmalloc(size);
	char *at = (char *)(l + 1), *data = at + name_sz;

	*l = (struct scribe_letter){ .sub = sub, .m = *m, .cost = size };
	atomic_fetch_add(&sub->refs, 1);
	l->m.heard = sub->name;
	l->m.name = memcpy(at, m->name, name_sz);
	if (m->len)
		memcpy(data, m->data, m->len);
	data[m->len] = 0;
	l->m.data = data;
	return l;
}

static void letter_free(struct scribe_letter *l)
{
	scribe_sub_put(l->sub);
	free(l);
}

/* The oldest; lock held. */
static struct scribe_letter *pop(struct scribe *sc)
{
	struct scribe_letter *l = sc->head;

	if (!l)
		return NULL;
	sc->head = l->next;
	if (!sc->head)
		sc->tail = &sc->head;
	sc->bytes -= l->cost;
	sc->n--;
	return l;
}

static void unpop(struct scribe *sc, struct scribe_letter *l)
{
	l->next = sc->head;
	if (!sc->head)
		sc->tail = &l->next;
	sc->head = l;
	sc->bytes += l->cost;
	sc->n++;
}

void scribe_queue_init(struct scribe *sc)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&sc->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&sc->ended, &attr);
	pthread_condattr_destroy(&attr);
	sc->tail = &sc->head;
	sc->stop_by = INT64_MAX;
}

void scribe_queue_fini(struct scribe *sc)
{
	struct scribe_letter *l;

	while ((l = pop(sc)))
		letter_free(l);
	pthread_mutex_destroy(&sc->lock);
	pthread_cond_destroy(&sc->ended);
}

/* Into the queue; what has no room beside it goes, the oldest first.  Returns whether that begins now.  Lock held. */
static bool push(struct scribe *sc, struct scribe_letter *l)
{
	struct scribe_letter *old;
	bool began = false;

	sc->msgs++;
	*sc->tail = l;
	sc->tail = &l->next;
	sc->bytes += l->cost;
	sc->n++;
	while (sc->bytes > sc->queue_bytes) {
		old = pop(sc);
		letter_free(old);
		if (!sc->overflowing) {
			sc->overflowing = began = true;
			sc->dropped_before = sc->dropped;
		}
		sc->dropped++;
		sc->dropped_us = mono_us();
	}
	return began;
}

void scribe_take(struct scribe_sub *sub, const struct scribe_msg *m)
{
	struct scribe_letter *l = letter_new(sub, m);
	struct scribe *sc = sub->sc;
	bool began;

	pthread_mutex_lock(&sc->lock);
	began = push(sc, l);
	if (!sc->soon) {
		sc->soon = true;
		strgp_pool_at(sc->env->pool, &sc->task, mono_us() + LINGER_US);
	} else if (!sc->hurried && sc->bytes > HURRY_BYTES) {
		sc->hurried = true;
		strgp_pool_at(sc->env->pool, &sc->task, 0);
	}
	pthread_mutex_unlock(&sc->lock);
	if (began)
		log_warning("store",
			    "store %s: its queue is full (%" PRIu64 " bytes): the oldest messages are dropped; see "
			    "plugn_status, or give it a larger queue_bytes=",
			    sc->name, sc->queue_bytes);
}

/* -- the worker ---------------------------------------------------------------------------------------------------- */

static bool time_is_up(const struct scribe *sc)
{
	int64_t stop_by = sc->stop_by;

	return stop_by != INT64_MAX && mono_us() >= stop_by;
}

static bool waits(struct scribe *sc)
{
	bool any;

	pthread_mutex_lock(&sc->lock);
	any = sc->n;
	pthread_mutex_unlock(&sc->lock);
	return any;
}

static void why_set(struct scribe *sc, const char *text)
{
	pthread_mutex_lock(&sc->lock);
	snprintf(sc->why, sizeof(sc->why), "%s", text);
	pthread_mutex_unlock(&sc->lock);
}

/* The message in hand can never be written. */
static void refuse(struct scribe *sc, const struct scribe_letter *l, const struct err *err)
{
	int64_t now = mono_us();
	struct err all = { "" };
	uint64_t refused;

	err_set(&all, -EINVAL, "a message of %s is not stored: %s", l->m.name, err->msg);
	why_set(sc, all.msg);
	pthread_mutex_lock(&sc->lock);
	sc->in_hand = 0;
	refused = ++sc->refused;
	pthread_mutex_unlock(&sc->lock);
	if (sc->said_us && now - sc->said_us < SAY_EVERY_US)
		return;
	sc->said_us = now;
	log_warning("store", "store %s: %s (refused=%" PRIu64 " so far)", sc->name, all.msg, refused);
}

/* Give the plugin what waits, up to a number of messages, and until a flush may be due. */
static int drain(struct scribe *sc, struct err *err)
{
	int64_t until = mono_us() + FLUSH_US;
	struct scribe_letter *l;
	int rc = 0;

	pthread_mutex_lock(&sc->lock);
	for (unsigned int i = 0; i < TURN_MSGS && mono_us() < until && !time_is_up(sc) && (l = pop(sc)); i++) {
		sc->in_hand = 1;
		pthread_mutex_unlock(&sc->lock);
		rc = sc->type->msg(sc, &l->m, err);
		if (rc == -EINVAL)
			refuse(sc, l, err);
		pthread_mutex_lock(&sc->lock);
		sc->in_hand = 0;
		if (rc && rc != -EINVAL) {
			unpop(sc, l);
			break;
		}
		if (!rc && !sc->unflushed++)
			sc->flush_at = mono_us() + FLUSH_US;
		letter_free(l);
		rc = 0;
	}
	pthread_mutex_unlock(&sc->lock);
	return rc;
}

static int flush(struct scribe *sc, struct err *err)
{
	int rc = sc->open ? sc->type->flush(sc, err) : 0;

	if (rc)
		return rc;
	pthread_mutex_lock(&sc->lock);
	sc->stored += sc->unflushed;
	sc->unflushed = 0;
	pthread_mutex_unlock(&sc->lock);
	return 0;
}

static int open_plugin(struct scribe *sc, struct err *err)
{
	int rc = 0;

	if (!sc->open && sc->type->open)
		rc = sc->type->open(sc, err);
	sc->open = !rc;
	return rc;
}

/* The plugin failed: said once, tried again later, each time later than before. */
static int64_t turn_failed(struct scribe *sc, const struct err *err)
{
	int64_t now = mono_us();
	char text[32];

	sc->backoff_us = sc->failing ? 2 * sc->backoff_us : BACKOFF_MIN_US;
	if (sc->backoff_us > BACKOFF_MAX_US)
		sc->backoff_us = BACKOFF_MAX_US;
	if (!sc->failing)
		log_error("store", "store %s: %s; messages wait in its queue; next try in %s, then ever later",
			  sc->name, err->msg, unit_time_text(sc->backoff_us, text));
	why_set(sc, err->msg);
	pthread_mutex_lock(&sc->lock);
	sc->failing = true;
	sc->retry_at = now + sc->backoff_us;
	sc->soon = sc->hurried = true; /* messages do not call for an earlier turn */
	pthread_mutex_unlock(&sc->lock);
	return sc->retry_at;
}

static void recovered(struct scribe *sc)
{
	struct scribe_status st;

	pthread_mutex_lock(&sc->lock);
	sc->failing = false;
	sc->retry_at = 0;
	sc->why[0] = '\0';
	pthread_mutex_unlock(&sc->lock);
	scribe_status(sc, &st);
	log_info("store", "store %s: writes again: queued=%" PRIu64 " dropped=%" PRIu64, sc->name, st.queued,
		 st.dropped);
}

/* When the plugin wants to look at the clock. */
static int64_t tick(struct scribe *sc)
{
	int64_t at = sc->type->tick ? sc->type->tick(sc) : INT64_MAX, wait;

	if (at == INT64_MAX)
		return TASK_NEVER;
	wait = at * SEC_US - wall_us();
	return mono_us() + (wait < 0 ? 0 : wait > TICK_MAX_US ? TICK_MAX_US : wait);
}

/* All is well: when next? */
static int64_t turn_done(struct scribe *sc)
{
	int64_t due = tick(sc), now = mono_us(), calm_at;
	uint64_t lost = 0;
	char text[32];

	if (sc->failing)
		recovered(sc);
	pthread_mutex_lock(&sc->lock);
	if (sc->unflushed && sc->flush_at < due)
		due = sc->flush_at;
	calm_at = sc->dropped_us + CALM_US;
	if (sc->overflowing && now >= calm_at) {
		sc->overflowing = false;
		lost = sc->dropped - sc->dropped_before;
	} else if (sc->overflowing && calm_at < due) {
		due = calm_at;
	}
	sc->soon = sc->hurried = sc->n;
	if (sc->soon)
		due = 0;
	pthread_mutex_unlock(&sc->lock);
	if (lost)
		log_warning("store",
			    "store %s: its queue has not been full for %s; dropped=%" PRIu64 " messages while it was",
			    sc->name, unit_time_text(CALM_US, text), lost);
	return due;
}

/* The last turn: what there is time for is written, the rest is dropped. */
static int64_t turn_last(struct scribe *sc)
{
	struct scribe_letter *l;
	struct err err = { "" };
	uint64_t lost;
	int rc = waits(sc) ? open_plugin(sc, &err) : 0;

	while (!rc && waits(sc) && !time_is_up(sc))
		rc = drain(sc, &err);
	if (!rc)
		rc = flush(sc, &err);
	if (sc->open)
		sc->type->close(sc);
	sc->open = false;
	pthread_mutex_lock(&sc->lock);
	lost = sc->n + sc->unflushed;
	while ((l = pop(sc)))
		letter_free(l);
	sc->unflushed = 0;
	sc->dropped += lost;
	sc->failing = sc->overflowing = false;
	sc->retry_at = 0;
	snprintf(sc->why, sizeof(sc->why), "%s", rc ? err.msg : "");
	pthread_mutex_unlock(&sc->lock);
	if (lost)
		log_warning("store", "store %s: stopped; dropped=%" PRIu64 " messages that could not be written%s%s",
			    sc->name, lost, rc ? ": " : " in time", rc ? err.msg : "");
	return TASK_END;
}

int64_t scribe_run(struct strgp_task *t)
{
	struct scribe *sc = (struct scribe *)((char *)t - offsetof(struct scribe, task));
	struct err err = { "" };
	int rc;

	if (sc->stop_by != INT64_MAX)
		return turn_last(sc);
	if (sc->failing && mono_us() < sc->retry_at)
		return sc->retry_at;
	rc = open_plugin(sc, &err);
	/* one that failed proves itself by a flush: what it takes may only be in its memory */
	if (!rc && sc->failing)
		rc = flush(sc, &err);
	if (!rc)
		rc = drain(sc, &err);
	if (!rc && sc->unflushed && mono_us() >= sc->flush_at)
		rc = flush(sc, &err);
	if (sc->stop_by != INT64_MAX)
		return turn_last(sc);
	return rc ? turn_failed(sc, &err) : turn_done(sc);
}

void scribe_ended(struct strgp_task *t)
{
	struct scribe *sc = (struct scribe *)((char *)t - offsetof(struct scribe, task));

	pthread_mutex_lock(&sc->lock);
	sc->state = SCRIBE_CONFIGURED;
	sc->stop_by = INT64_MAX;
	sc->soon = sc->hurried = false;
	pthread_cond_broadcast(&sc->ended);
	pthread_mutex_unlock(&sc->lock);
	scribe_put(sc);
}
