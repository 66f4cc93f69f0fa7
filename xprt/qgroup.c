/* qgroup.c - see qgroup.h */
#include "xprt/qgroup.h"

#include <errno.h>

#include "core/base/clock.h"

void qgroup_init(struct qgroup *q)
{
	*q = (struct qgroup){ .on = false };
	pthread_mutex_init(&q->lock, NULL);
	TAILQ_INIT(&q->waits);
}

void qgroup_fini(struct qgroup *q)
{
	pthread_mutex_destroy(&q->lock);
}

/* All who wait try again; locked. */
static void wake(struct qgroup *q)
{
	struct qgroup_wait *w;

	while ((w = TAILQ_FIRST(&q->waits))) {
		TAILQ_REMOVE(&q->waits, w, entry);
		w->waits = false;
		loop_post(w->loop, &w->job);
	}
}

/* The window of now; a new one begins with the whole quota.  Locked, and on. */
static void turn(struct qgroup *q)
{
	int64_t now = wall_us(), window = now - now % q->conf.reset_us;

	if (window == q->window_us)
		return;
	q->window_us = window;
	q->left = q->conf.quota;
	wake(q);
}

void qgroup_conf_set(struct qgroup *q, const struct qgroup_conf *conf)
{
	pthread_mutex_lock(&q->lock);
	q->conf = *conf;
	if (q->left > conf->quota)
		q->left = conf->quota;
	pthread_mutex_unlock(&q->lock);
}

int qgroup_on(struct qgroup *q, struct err *err)
{
	const struct qgroup_conf *c = &q->conf;
	int rc = 0;

	pthread_mutex_lock(&q->lock);
	if (c->quota && c->ask_amount && c->ask_us > 0 && c->reset_us > 0) {
		q->on = true;
		q->window_us = -1; /* none yet */
		turn(q);
	} else {
		rc = err_set(err, -EINVAL, "qgroup start error: EINVAL(22): %s is not set; give it with qgroup_config",
			     !c->quota        ? "quota"
			     : !c->ask_amount ? "ask_amount"
			     : c->ask_us <= 0 ? "ask_interval"
					      : "reset_interval");
	}
	pthread_mutex_unlock(&q->lock);
	return rc;
}

void qgroup_off(struct qgroup *q)
{
	pthread_mutex_lock(&q->lock);
	q->on = false;
	wake(q);
	pthread_mutex_unlock(&q->lock);
}

bool qgroup_is_on(struct qgroup *q)
{
	bool on;

	pthread_mutex_lock(&q->lock);
	on = q->on;
	pthread_mutex_unlock(&q->lock);
	return on;
}

uint64_t qgroup_spend(struct qgroup *q, uint64_t bytes, struct qgroup_wait *w)
{
	uint64_t n = bytes;

	if (!q)
		return bytes;
	pthread_mutex_lock(&q->lock);
	if (q->on) {
		turn(q);
		n = bytes < q->left ? bytes : q->left;
		q->left -= n;
		if (n < bytes && !w->waits) {
			w->waits = true;
			TAILQ_INSERT_TAIL(&q->waits, w, entry);
		}
	}
	pthread_mutex_unlock(&q->lock);
	return n;
}

void qgroup_wait_end(struct qgroup *q, struct qgroup_wait *w)
{
	if (!q)
		return;
	pthread_mutex_lock(&q->lock);
	if (w->waits)
		TAILQ_REMOVE(&q->waits, w, entry);
	w->waits = false;
	pthread_mutex_unlock(&q->lock);
}

void qgroup_tick(struct qgroup *q)
{
	pthread_mutex_lock(&q->lock);
	if (q->on)
		turn(q);
	pthread_mutex_unlock(&q->lock);
}

bool qgroup_left(struct qgroup *q, uint64_t *ret_left, int64_t *ret_window_us)
{
	bool on;

	pthread_mutex_lock(&q->lock);
	on = q->on;
	if (on)
		turn(q);
	*ret_left = on ? q->left : 0;
	*ret_window_us = q->window_us;
	pthread_mutex_unlock(&q->lock);
	return on;
}

/* Is that window the one of now?  Locked. */
static bool current(struct qgroup *q, int64_t window_us)
{
	if (!q->on)
		return false;
	turn(q);
	return window_us == q->window_us;
}

uint64_t qgroup_donate(struct qgroup *q, uint64_t amount, int64_t window_us)
{
	uint64_t n = 0;

	pthread_mutex_lock(&q->lock);
	if (current(q, window_us) && q->left > q->conf.ask_mark) {
		n = q->left - q->conf.ask_mark;
		if (n > amount)
			n = amount;
		q->left -= n;
	}
	pthread_mutex_unlock(&q->lock);
	return n;
}

uint64_t qgroup_take(struct qgroup *q, uint64_t amount, int64_t window_us)
{
	uint64_t n = 0;

	pthread_mutex_lock(&q->lock);
	if (current(q, window_us)) {
		n = q->conf.quota - q->left;
		if (n > amount)
			n = amount;
		q->left += n;
		if (n)
			wake(q);
	}
	pthread_mutex_unlock(&q->lock);
	return amount - n;
}

void qgroup_back(struct qgroup *q, uint64_t amount, int64_t window_us)
{
	qgroup_take(q, amount, window_us);
}
