/* prdcr.c - producers: connecting, and coming back.  See prdcr.h; their sets are in prdset.c. */
#include "core/daemon/prdcr.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/daemon/prdcr_impl.h"
#include "core/daemon/updtr.h"

/* A peer that was there and went is most often restarting: ask again soon, then ever slower up to `reconnect`. */
#define RETRY_FIRST_US (100 * MSEC_US)

enum prdcr_event { ON_START, ON_UP, ON_DOWN, ON_TIMER, ON_STOP };

static void dial(struct prdcr *p);
static void ask_dir(struct prdcr *p);
static void arm_retry(struct prdcr *p);
static void hang_up(struct prdcr *p);
static void serve_local(struct prdcr *p);

/* Pairs that are not listed are ignored: an event that comes late changes nothing. */
static const struct prdcr_move {
	enum prdcr_state from;
	enum prdcr_event ev;
	enum prdcr_state to;
	void (*act)(struct prdcr *p);
} prdcr_next[] = {
	{ PRDCR_STOPPED, ON_START, PRDCR_CONNECTING, dial },
	{ PRDCR_CONNECTING, ON_UP, PRDCR_CONNECTED, ask_dir },
	{ PRDCR_CONNECTING, ON_DOWN, PRDCR_DISCONNECTED, arm_retry },
	{ PRDCR_CONNECTING, ON_STOP, PRDCR_STOPPED, hang_up },
	{ PRDCR_CONNECTED, ON_DOWN, PRDCR_DISCONNECTED, arm_retry },
	{ PRDCR_CONNECTED, ON_STOP, PRDCR_STOPPED, hang_up },
	{ PRDCR_DISCONNECTED, ON_TIMER, PRDCR_CONNECTING, dial },
	{ PRDCR_DISCONNECTED, ON_STOP, PRDCR_STOPPED, hang_up },
};

static const char *const state_names[PRDCR_STATES] = { "STOPPED", "DISCONNECTED", "CONNECTING", "CONNECTED" };

const char *prdcr_state_name(enum prdcr_state s)
{
	return state_names[s];
}

/* The only place that changes a state.  Log changes, not repetitions: a peer that stays away is said once. */
static void event(struct prdcr *p, enum prdcr_event ev, const char *why)
{
	for (size_t i = 0; i < sizeof(prdcr_next) / sizeof(*prdcr_next); i++) {
		const struct prdcr_move *m = &prdcr_next[i];

		if (m->from != p->state || m->ev != ev)
			continue;
		if (p->attempt < 2 || m->to == PRDCR_CONNECTED || m->to == PRDCR_STOPPED)
			log_info("producer", "%s: %s -> %s%s%s", p->conf.name, state_names[m->from], state_names[m->to],
				 why && *why ? ": " : "", why ? why : "");
		p->state = m->to;
		m->act(p);
		return;
	}
}

static void on_up(struct xprt *x, void *arg)
{
	struct prdcr *p = arg;

	(void)x;
	p->stats.connects++;
	event(p, ON_UP, xprt_peer(x));
}

static void on_down(struct xprt *x, void *arg, enum xprt_fail fail, const char *why)
{
	struct prdcr *p = arg;

	(void)x;
	if (p->state == PRDCR_CONNECTED)
		p->stats.disconnects++;
	else
		p->stats.failures++;
	if (strcmp(p->why, why)) {
		snprintf(p->why, sizeof(p->why), "%s", why);
		if (p->attempt >= 2) /* it stays away, but for another reason than before */
			log_info("producer", "%s: still DISCONNECTED: %s (%s)", p->conf.name, why,
				 xprt_fail_name(fail));
	}
	event(p, ON_DOWN, why);
}

static const struct xprt_events prdcr_events = { .up = on_up, .down = on_down };

static void dial(struct prdcr *p)
{
	struct xprt_conf conf = {
		.type = p->conf.xprt,
		.host = p->conf.host,
		.port = p->conf.port,
		.auth = p->conf.auth,
		.n_eps = p->conf.rail,
	};
	struct err err = { "" };

	if (p->conf.type == PRDCR_LOCAL) {
		serve_local(p);
		return;
	}
	if (xprt_connect(&p->d->xprt, p->loop, &conf, &prdcr_events, p, &p->x, &err))
		on_down(NULL, p, XPRT_LOCAL, err.msg);
}

static void ask_dir(struct prdcr *p)
{
	struct err err = { "" };

	p->why[0] = '\0';
	p->up_us = mono_us();
	if (p->conf.type == PRDCR_LOCAL)
		return;
	if (xprt_dir(p->x, true, prdset_dir, p, &err))
		on_down(p->x, p, XPRT_LOCAL, err.msg);
}

static void drop(struct prdcr *p)
{
	if (p->local_on)
		prdset_local_stop(p);
	prdset_free_all(p);
	xprt_close(p->x);
	p->x = NULL;
	/* the answers that were waited for do not come any more */
	free(p->asking);
	p->asking = NULL;
	p->asking_n = p->asking_free = 0;
}

static void arm_retry(struct prdcr *p)
{
	int64_t us;

	drop(p);
	/* a connection that lasted was a good one; one that flaps is as bad as none */
	if (p->up_us && mono_us() - p->up_us > p->conf.reconnect_us)
		p->attempt = 0;
	p->up_us = 0;
	us = RETRY_FIRST_US << (p->attempt < 20 ? p->attempt : 20);
	if (us > p->conf.reconnect_us)
		us = p->conf.reconnect_us;
	p->attempt++;
	/* up to a tenth earlier, so that a thousand peers of one dead switch do not come back in step */
	us -= (int64_t)((double)us * 0.1 * drand48());
	p->retry.repeat = 0;
	ev_timer_set(&p->retry, (double)us / 1e6, 0);
	ev_timer_start(loop_ev(p->loop), &p->retry);
}

static void hang_up(struct prdcr *p)
{
	ev_timer_stop(loop_ev(p->loop), &p->retry);
	drop(p);
}

static void serve_local(struct prdcr *p)
{
	event(p, ON_UP, "this daemon's own sets");
	prdset_local_start(p);
}

static void retry_cb(struct ev_loop *ev, ev_timer *w, int events)
{
	struct prdcr *p = w->data;

	(void)ev;
	(void)events;
	event(p, ON_TIMER, NULL);
}

struct prdcr *prdcr_new(struct daemon *d, const struct prdcr_conf *conf, struct err *err)
{
	struct prdcr *p;

	if (conf->reconnect_us <= 0) {
		err_set(err, -EINVAL, "producer %s: the reconnect interval must be a positive number", conf->name);
		return NULL;
	}
	p = xcalloc(1, sizeof(*p));
	p->d = d;
	p->loop = conf->type == PRDCR_LOCAL ? d->main : daemon_next_io(d);
	p->conf = *conf;
	p->conf.name = xstrdup(conf->name);
	p->conf.xprt = xstrdup(conf->xprt);
	p->conf.host = xstrdup(conf->host);
	p->conf.auth = xstrdup(conf->auth);
	p->node.name = p->conf.name;
	ev_timer_init(&p->retry, retry_cb, 0, 0);
	p->retry.data = p;
	return p;
}

static void free_cb(void *arg)
{
	struct prdcr *p = arg;

	free((char *)p->conf.name);
	free((char *)p->conf.xprt);
	free((char *)p->conf.host);
	free((char *)p->conf.auth);
	free(p->updtrs);
	free(p->asking);
	free(p);
}

void prdcr_free(struct prdcr *p)
{
	if (!p)
		return;
	assert(p->state == PRDCR_STOPPED);
	loop_call(p->loop, free_cb, p); /* behind the news of local sets that are still on their way */
}

struct loop *prdcr_loop(const struct prdcr *p)
{
	return p->loop;
}

int prdcr_start(struct prdcr *p, int64_t reconnect_us, struct err *err)
{
	if (p->state != PRDCR_STOPPED)
		return err_set(err, -EBUSY, "The producer is already running.");
	if (reconnect_us < 0)
		return err_set(err, -EINVAL, "The 'reconnect' interval must be a positive interval.");
	if (reconnect_us)
		p->conf.reconnect_us = reconnect_us;
	p->attempt = 0;
	event(p, ON_START, NULL);
	return 0;
}

void prdcr_stop(struct prdcr *p)
{
	p->attempt = 0;
	event(p, ON_STOP, NULL);
}

const struct prdcr_conf *prdcr_conf(const struct prdcr *p)
{
	return &p->conf;
}

enum prdcr_state prdcr_state(const struct prdcr *p)
{
	return p->state;
}

void prdcr_stats(const struct prdcr *p, struct prdcr_stats *ret)
{
	*ret = p->stats;
}

const char *prdcr_why(const struct prdcr *p)
{
	return p->why;
}

struct prdset *prdcr_sets(struct prdcr *p)
{
	return p->sets;
}

void prdcr_updtr_add(struct prdcr *p, struct updtr *u)
{
	p->updtrs = xrealloc(p->updtrs, (p->updtrs_n + 1) * sizeof(*p->updtrs));
	p->updtrs[p->updtrs_n++] = u;
	for (struct prdset *ps = p->sets, *next; ps; ps = next) {
		next = ps->hh.next;
		if (updtr_set_add(u, ps))
			prdset_turn(ps);
	}
}

void prdcr_updtr_del(struct prdcr *p, struct updtr *u)
{
	for (unsigned int i = 0; i < p->updtrs_n; i++) {
		if (p->updtrs[i] != u)
			continue;
		p->updtrs[i] = p->updtrs[--p->updtrs_n];
		return;
	}
}
