/* prdcr_outage.c - see prdcr_outage.h */
#include "core/daemon/prdcr_outage.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/hostlist.h"
#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/daemon/prdcr_impl.h"

#define PERIOD_US (5 * SEC_US) /* a line for many in so long; a dead switch is noticed by all behind it within that */
#define SAID_MAX  24           /* changes in a period that are said each: of a few producers all of them */
#define BAD_MAX   4            /* ... and failures */
#define NAMES_MAX 600          /* bytes of names in one line */
#define COUNT_MAX 32           /* bytes of a count with its commas */

struct prdcr_outage {
	struct daemon *d;
	pthread_mutex_t lock; /* innermost */
	int64_t end_us;       /* of the period */
	unsigned int said, bad;
	struct loop_job open; /* wants the timer started */
	ev_timer timer;       /* on the main loop */
	bool held;            /* something was not said, in this period */
	bool told;            /* the last line told of some that are away */
	struct buf last;      /* lines, the NUL counted */
};

static const char *const fail_words[XPRT_FAILS] = {
	[XPRT_CLOSED] = "closed",
	[XPRT_RESOLVE] = "the name does not resolve",
	[XPRT_REFUSED] = "connection refused",
	[XPRT_TIMEOUT] = "no answer in time",
	[XPRT_NOT_LDMS] = "what answers is no ldmsd",
	[XPRT_VERSION] = "another protocol version",
	[XPRT_AUTH] = "authentication failed",
	[XPRT_LOST] = "connection lost",
	[XPRT_PROTO] = "protocol error",
	[XPRT_SLOW] = "does not read",
	[XPRT_LIMIT] = "a limit here is reached",
	[XPRT_LOCAL] = "an error on this side",
};

/* 4900 as "4,900". */
static const char *count_text(unsigned int n, char *to)
{
	char digits[16];
	int len = snprintf(digits, sizeof(digits), "%u", n);
	char *at = to;

	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			*at++ = ',';
		*at++ = digits[i];
	}
	*at = '\0';
	return to;
}

/* The line on those that fail in this way. */
static void fail_put(const struct prdcr_look *looks, size_t n, enum xprt_fail fail, unsigned int all, struct buf *to)
{
	const char **names = xcalloc(n, sizeof(*names));
	char count[COUNT_MAX], of[COUNT_MAX];
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		if (looks[i].failed && looks[i].fail == fail)
			names[k++] = looks[i].name;
	if (k) {
		buf_addf(to, "%s%s of %s producers unreachable: ", to->len ? "\n" : "",
			 count_text((unsigned int)k, count), count_text(all, of));
		hostlist_fold(names, k, NAMES_MAX, to);
		buf_addf(to, " (%s)", fail_words[fail]);
	}
	free(names);
}

void prdcr_outage_words(const struct prdcr_look *looks, size_t n, struct buf *to, unsigned int *ret_away)
{
	unsigned int there = 0, failed = 0, stopped = 0, all;
	char count[COUNT_MAX], of[COUNT_MAX];

	for (size_t i = 0; i < n; i++) {
		there += looks[i].state == PRDCR_CONNECTED;
		stopped += looks[i].state == PRDCR_STOPPED || looks[i].state == PRDCR_STANDBY;
		failed += looks[i].failed;
	}
	all = (unsigned int)n - stopped;
	*ret_away = all - there;
	for (int fail = 0; fail < XPRT_FAILS && failed; fail++)
		fail_put(looks, n, (enum xprt_fail)fail, all, to);
	if (failed || !n)
		return;
	if (!all)
		buf_addf(to, "all %s producers stopped", count_text((unsigned int)n, count));
	else if (there == all)
		buf_addf(to, "all %s producers connected", count_text(all, count));
	else
		buf_addf(to, "%s of %s producers connected", count_text(there, count), count_text(all, of));
}

static size_t look_at_all(struct daemon *d, struct prdcr_look **ret)
{
	struct daemon_turn turn = { 0 };
	size_t n = 0, k = 0;

	NODE_EACH(p, d->prdcrs)
		n++;
	*ret = xcalloc(n ? n : 1, sizeof(**ret));
	NODE_EACH(node, d->prdcrs) {
		struct prdcr *p = (struct prdcr *)node;

		daemon_step(d, &turn);
		(*ret)[k++] = (struct prdcr_look){
			.name = p->conf.name,
			.state = p->state,
			.fail = p->fail,
			.failed = (p->state == PRDCR_CONNECTING || p->state == PRDCR_DISCONNECTED) && p->why,
		};
	}
	daemon_steps_end(d, &turn);
	return k;
}

/* A line each; those that tell of trouble are warnings. */
static void lines_log(const struct buf *words, bool bad)
{
	const char *at = (const char *)words->p;

	while (*at) {
		int len = (int)strcspn(at, "\n");

		log_at(bad ? LOG_WARNING_ : LOG_INFO_, "producer", "%.*s", len, at);
		at += len + (at[len] == '\n');
	}
}

/* The end of a period: what became of all, if that is news.  While some are away, there will be another one. */
static void period_cb(struct ev_loop *ev, ev_timer *w, int events)
{
	struct prdcr_outage *o = w->data;
	struct prdcr_look *looks;
	struct buf words = { 0 };
	unsigned int away = 0;
	bool held;
	size_t n;

	(void)events;
	pthread_mutex_lock(&o->lock);
	held = o->held;
	o->held = false;
	o->said = o->bad = 0;
	o->end_us = mono_us() + PERIOD_US;
	pthread_mutex_unlock(&o->lock);

	n = look_at_all(o->d, &looks);
	prdcr_outage_words(looks, n, &words, &away);
	free(looks);
	buf_u8(&words, 0);
	if ((held || o->told) && (words.len != o->last.len || memcmp(words.p, o->last.p, words.len))) {
		lines_log(&words, away);
		o->told = away;
		buf_fini(&o->last);
		o->last = words;
	} else {
		o->told = o->told && away;
		buf_fini(&words);
	}

	pthread_mutex_lock(&o->lock);
	if (!o->told && !o->held) {
		ev_timer_stop(ev, w);
		buf_fini(&o->last);
		o->end_us = 0;
	}
	pthread_mutex_unlock(&o->lock);
}

static void open_cb(struct loop_job *job)
{
	struct prdcr_outage *o = (struct prdcr_outage *)((char *)job - offsetof(struct prdcr_outage, open));

	if (!ev_is_active(&o->timer)) {
		ev_timer_set(&o->timer, (double)PERIOD_US / 1e6, (double)PERIOD_US / 1e6);
		ev_timer_start(loop_ev(o->d->main), &o->timer);
	}
}

struct prdcr_outage *prdcr_outage_new(struct daemon *d)
{
	struct prdcr_outage *o = xcalloc(1, sizeof(*o));

	o->d = d;
	pthread_mutex_init(&o->lock, NULL);
	o->open.fn = open_cb;
	ev_init(&o->timer, period_cb);
	o->timer.data = o;
	return o;
}

void prdcr_outage_free(struct prdcr_outage *o)
{
	if (!o)
		return;
	pthread_mutex_destroy(&o->lock);
	buf_fini(&o->last);
	free(o);
}

bool prdcr_outage_says(struct prdcr_outage *o, bool bad)
{
	int64_t now_us;
	bool says, first;

	if (!o)
		return true;
	now_us = mono_us();
	pthread_mutex_lock(&o->lock);
	if (now_us >= o->end_us && !o->held) {
		o->said = o->bad = 0;
		o->end_us = now_us + PERIOD_US;
	}
	says = o->said < SAID_MAX && (!bad || o->bad < BAD_MAX);
	first = !says && !o->held;
	o->held |= !says;
	o->said += says;
	o->bad += says && bad;
	pthread_mutex_unlock(&o->lock);
	if (first)
		loop_post(o->d->main, &o->open);
	return says;
}
