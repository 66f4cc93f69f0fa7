/* samp_self.c - the sampler of the daemon itself: see self.h for what it tells
 *
 * The objects are the main loop's, which is asked and answers when it turns; a sample waits for that a moment, and else
 * has what it said the last time.  What both sides look at has two owners, the sampler and the question that is under
 * way: whoever lets go last frees it.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/daemon/daemon.h"
#include "core/daemon/self.h"

#define PATIENCE_US (50 * MSEC_US)

struct desk {
	pthread_mutex_t lock;
	pthread_cond_t answered;
	struct daemon *d; /* NULL: the sampler has gone */
	struct self_counts counts;
	bool asked; /* and not yet answered */
	unsigned int refs;
};

struct self {
	struct set *set;
	int first;
	struct desk *desk;
};

static struct desk *desk_new(struct daemon *d)
{
	struct desk *k = xcalloc(1, sizeof(*k));
	pthread_condattr_t attr;

	k->d = d;
	k->refs = 1;
	pthread_mutex_init(&k->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&k->answered, &attr);
	pthread_condattr_destroy(&attr);
	return k;
}

/* The lock is held, and is not afterwards. */
static void desk_put(struct desk *k)
{
	bool last = !--k->refs;

	pthread_mutex_unlock(&k->lock);
	if (!last)
		return;
	pthread_cond_destroy(&k->answered);
	pthread_mutex_destroy(&k->lock);
	free(k);
}

/* On the main loop. */
static void desk_answer(void *arg)
{
	struct desk *k = arg;
	struct self_counts counts;
	struct daemon *d;

	pthread_mutex_lock(&k->lock);
	d = k->d;
	pthread_mutex_unlock(&k->lock);
	if (d)
		self_count_objects(d, &counts);
	pthread_mutex_lock(&k->lock);
	if (d)
		k->counts = counts;
	k->asked = false;
	pthread_cond_signal(&k->answered);
	desk_put(k);
}

static void desk_ask(struct desk *k, struct self_counts *ret)
{
	int64_t until_us = mono_us() + PATIENCE_US;
	struct timespec until = { .tv_sec = until_us / SEC_US, .tv_nsec = until_us % SEC_US * 1000 };
	struct loop *loop = k->d->main;
	bool ask;

	pthread_mutex_lock(&k->lock);
	ask = !k->asked;
	k->asked = true;
	k->refs += ask;
	pthread_mutex_unlock(&k->lock);
	if (ask)
		loop_call(loop, desk_answer, k);
	pthread_mutex_lock(&k->lock);
	while (k->asked && !pthread_cond_timedwait(&k->answered, &k->lock, &until))
		;
	*ret = k->counts;
	pthread_mutex_unlock(&k->lock);
}

static int self_open(struct samp *sp, struct err *err)
{
	struct daemon *d = samp_daemon(sp);
	struct self *se = samp_state(sp);
	struct schema *s;

	if (!d)
		return err_set(err, -EINVAL, "there is no daemon to sample; this sampler works in one alone");
	s = samp_schema_new(sp, "ldms_self", err);
	if (!s)
		return -EINVAL;
	for (size_t i = 0; i < self_rows_n(); i++) {
		int rc = schema_add_defs(s, &self_rows[i].def, 1, err);

		if (rc < 0) {
			schema_free(s);
			return rc;
		}
		if (!i)
			se->first = rc;
	}
	se->set = samp_set_new(sp, s, "", err);
	if (!se->set)
		return -ENOMEM;
	se->desk = desk_new(d);
	return 0;
}

static int self_sample(struct samp *sp, struct err *err)
{
	struct self *se = samp_state(sp);
	struct self_counts counts;

	(void)err;
	desk_ask(se->desk, &counts);
	self_count_process(se->desk->d, &counts);
	samp_begin(sp, se->set);
	for (size_t i = 0; i < self_rows_n(); i++) {
		uint64_t v;

		memcpy(&v, (const char *)&counts + self_rows[i].off, sizeof(v));
		set_u64(se->set, se->first + (int)i, v);
	}
	samp_end(sp, se->set);
	return 0;
}

static void self_close(struct samp *sp)
{
	struct self *se = samp_state(sp);

	if (!se->desk)
		return;
	pthread_mutex_lock(&se->desk->lock);
	se->desk->d = NULL;
	desk_put(se->desk);
}

const struct samp_type samp_self = {
	.name = "self",
	.brief = "the daemon's own counters",
	.source = "this daemon",
	.state_size = sizeof(struct self),
	.open = self_open,
	.sample = self_sample,
	.close = self_close,
};
