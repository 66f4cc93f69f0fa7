/* prdcr.c - producers: connecting, and coming back.  See prdcr.h; their sets: prdset.c. */
#include "core/daemon/prdcr.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/daemon/advert.h"
#include "core/daemon/auth_domain.h"
#include "core/daemon/prdcr_impl.h"
#include "core/daemon/prdcr_outage.h"
#include "core/daemon/prdcr_sub.h"
#include "core/daemon/records.h"
#include "core/daemon/updtr.h"
#include "xprt/resolve.h"

/* A peer that was there and went is most often restarting: ask again soon, then ever slower up to `reconnect`. */
#define RETRY_FIRST_US (100 * MSEC_US)
/* A peer that connects to us and goes sooner than this flaps: it comes when it likes, so that is not said each time. */
#define STAYED_US (10 * SEC_US)

enum prdcr_event {
	ON_START,
	ON_WAIT, /* start, of one whose peer connects */
	ON_UP,
	ON_DOWN,
	ON_TIMER,
	ON_LOOK, /* timer, of one whose peer connects */
	ON_STOP,
};

static void dial(struct prdcr *p);
static void ask_dir(struct prdcr *p);
static void come_back(struct prdcr *p);
static void hang_up(struct prdcr *p);
static void serve_local(struct prdcr *p);
static void look(struct prdcr *p);
static void nothing(struct prdcr *p);

/* Pairs that are not listed are ignored: an event that comes late changes nothing. */
static const struct prdcr_move {
	enum prdcr_state from;
	enum prdcr_event ev;
	enum prdcr_state to;
	void (*act)(struct prdcr *p);
} prdcr_next[] = {
	{ PRDCR_STOPPED, ON_START, PRDCR_CONNECTING, dial },
	{ PRDCR_STOPPED, ON_WAIT, PRDCR_DISCONNECTED, look },
	{ PRDCR_STOPPED, ON_UP, PRDCR_STANDBY, nothing },
	{ PRDCR_STOPPED, ON_DOWN, PRDCR_STOPPED, come_back },
	{ PRDCR_STOPPED, ON_STOP, PRDCR_STOPPED, hang_up },
	{ PRDCR_CONNECTING, ON_UP, PRDCR_CONNECTED, ask_dir },
	{ PRDCR_CONNECTING, ON_DOWN, PRDCR_DISCONNECTED, come_back },
	{ PRDCR_CONNECTING, ON_STOP, PRDCR_STOPPED, hang_up },
	{ PRDCR_CONNECTED, ON_DOWN, PRDCR_DISCONNECTED, come_back },
	{ PRDCR_CONNECTED, ON_STOP, PRDCR_STOPPED, hang_up },
	{ PRDCR_DISCONNECTED, ON_UP, PRDCR_CONNECTED, ask_dir },
	{ PRDCR_DISCONNECTED, ON_DOWN, PRDCR_DISCONNECTED, come_back },
	{ PRDCR_DISCONNECTED, ON_TIMER, PRDCR_CONNECTING, dial },
	{ PRDCR_DISCONNECTED, ON_LOOK, PRDCR_DISCONNECTED, look },
	{ PRDCR_DISCONNECTED, ON_STOP, PRDCR_STOPPED, hang_up },
	{ PRDCR_STANDBY, ON_WAIT, PRDCR_CONNECTED, ask_dir },
	{ PRDCR_STANDBY, ON_DOWN, PRDCR_STOPPED, come_back },
	{ PRDCR_STANDBY, ON_STOP, PRDCR_STOPPED, hang_up },
};

static const char *const state_names[PRDCR_STATES] = { "STOPPED", "DISCONNECTED", "CONNECTING", "CONNECTED",
						       "STANDBY" };
static const char *const type_names[PRDCR_TYPES] = {
	[PRDCR_ACTIVE] = "active",
	[PRDCR_LOCAL] = "local",
	[PRDCR_BRIDGE] = "bridge",
	[PRDCR_ADVERTISER] = "advertiser",
	[PRDCR_PASSIVE] = "passive",
	[PRDCR_ADVERTISED] = "advertised, passive",
	[PRDCR_ADVERTISED_ACTIVE] = "advertised, active",
};

const char *prdcr_type_name(enum prdcr_type t)
{
	return type_names[t];
}

const char *prdcr_state_name(enum prdcr_state s)
{
	return state_names[s];
}

static bool peer_connects(const struct prdcr *p)
{
	return p->conf.type == PRDCR_ADVERTISED || p->conf.type == PRDCR_PASSIVE;
}

/* In the log's words. */
static const char *kind(const struct prdcr *p)
{
	return p->conf.type == PRDCR_ADVERTISER ? "advertiser" : "producer";
}

/* Is this one to be said, where many have the same to say? */
static bool says(const struct prdcr *p, bool bad)
{
	return p->conf.type == PRDCR_ADVERTISER || prdcr_outage_says(p->d->outages, bad);
}

/* The only place that changes a state.  Log changes, not repetitions: a peer that stays away is said once. */
static void event(struct prdcr *p, enum prdcr_event ev, const char *why)
{
	for (size_t i = 0; i < sizeof(prdcr_next) / sizeof(*prdcr_next); i++) {
		const struct prdcr_move *m = &prdcr_next[i];

		if (m->from != p->state || m->ev != ev)
			continue;
		if (m->to != m->from && (p->attempt < 2 || ev == ON_STOP || (ev == ON_UP && !peer_connects(p))) &&
		    says(p, ev == ON_DOWN))
			log_info(kind(p), "%s: %s -> %s%s%s", p->conf.name, state_names[m->from], state_names[m->to],
				 why && *why ? ": " : "", why ? why : "");
		p->state = m->to;
		m->act(p);
		return;
	}
}

bool prdcr_why_set(struct prdcr *p, const char *why)
{
	if (!strcmp(prdcr_why(p), why ? why : ""))
		return false;
	free(p->why);
	p->why = why ? xstrdup(why) : NULL;
	return true;
}

void prdcr_is_up(struct prdcr *p)
{
	p->stats.connects++;
	event(p, ON_UP, xprt_peer(p->x));
}

void prdcr_is_down(struct prdcr *p, enum xprt_fail fail, const char *why)
{
	if (peer_connects(p) && p->up_us && mono_us() - p->up_us > STAYED_US)
		p->attempt = 0;
	if (p->state == PRDCR_CONNECTED || p->state == PRDCR_STANDBY)
		p->stats.disconnects++;
	else
		p->stats.failures++;
	p->fail = fail;
	/* it stays away, but for another reason than before */
	if (prdcr_why_set(p, why) && p->attempt >= 2 && !peer_connects(p) && says(p, true))
		log_info(kind(p), "%s: still DISCONNECTED: %s (%s)", p->conf.name, why, xprt_fail_name(fail));
	event(p, ON_DOWN, why);
}

static void on_up(struct xprt *x, void *arg)
{
	struct prdcr *p = arg;

	(void)x;
	if (p->conf.type == PRDCR_ADVERTISER)
		advert_ask(p); /* it is connected when the peer has agreed */
	else
		prdcr_is_up(p);
}

static void on_down(struct xprt *x, void *arg, enum xprt_fail fail, const char *why)
{
	(void)x;
	prdcr_is_down(arg, fail, why);
}

static void on_msg(struct xprt *x, void *arg, const void *bytes, size_t len)
{
	records_msg(((struct prdcr *)arg)->d, x, bytes, len);
}

static const struct xprt_events prdcr_events = { .up = on_up, .down = on_down, .msg = on_msg };

static void dial(struct prdcr *p)
{
	struct xprt_conf conf = {
		.type = p->conf.xprt,
		.host = p->conf.host,
		.port = p->conf.port,
		.auth = p->auth->plugin,
		.auth_args = &p->auth->args,
		.auth_kept = p->auth->kept,
		.n_eps = p->conf.rail,
		.quota = p->conf.quota,
	};
	struct err err = { "" };

	if (p->conf.type == PRDCR_LOCAL) {
		serve_local(p);
		return;
	}
	if (xprt_connect(&p->d->xprt, p->loop, &conf, &prdcr_events, p, &p->x, &err))
		prdcr_is_down(p, XPRT_LOCAL, err.msg);
}

static void ask_dir(struct prdcr *p)
{
	struct err err = { "" };

	prdcr_why_set(p, NULL);
	p->up_us = mono_us();
	if (p->conf.type == PRDCR_LOCAL || p->conf.type == PRDCR_BRIDGE || p->conf.type == PRDCR_ADVERTISER)
		return;
	records_prdcr(p->d, p->x, p->conf.name);
	prdcr_wants_up(p);
	if (xprt_dir(p->x, true, prdset_dir, p, &err))
		prdcr_is_down(p, XPRT_LOCAL, err.msg);
}

static void drop(struct prdcr *p)
{
	if (p->local_on)
		prdset_local_stop(p);
	prdset_free_all(p);
	resolve_cancel(p->resolve);
	p->resolve = NULL;
	records_gone(p->d, p->x);
	prdcr_wants_down(p);
	xprt_close(p->x);
	p->x = NULL;
	prdset_asking_free(p); /* the answers that were waited for do not come any more */
}

static void timer_arm(struct prdcr *p, int64_t us)
{
	ev_timer_stop(loop_ev(p->loop), &p->retry);
	ev_timer_set(&p->retry, (double)us / 1e6, 0);
	ev_timer_start(loop_ev(p->loop), &p->retry);
}

void prdcr_deadline(struct prdcr *p, int64_t us)
{
	if (us > 0)
		timer_arm(p, us);
	else
		ev_timer_stop(loop_ev(p->loop), &p->retry);
}

/* After a while, and ever later; one whose peer connects just waits. */
static void come_back(struct prdcr *p)
{
	int64_t us;

	drop(p);
	if (p->conf.type == PRDCR_PASSIVE)
		timer_arm(p, p->conf.reconnect_us);
	if (peer_connects(p)) {
		bool was_here = p->up_us || p->conf.type == PRDCR_ADVERTISED;

		p->up_us = 0;
		if (was_here && ++p->attempt == 2 && says(p, true))
			log_warning("producer", "%s: it comes and goes; no more of that until it stays", p->conf.name);
		return;
	}
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
	timer_arm(p, us);
}

static void look(struct prdcr *p)
{
	if (p->conf.type == PRDCR_PASSIVE)
		prdcr_look(p);
}

static void nothing(struct prdcr *p)
{
	(void)p;
}

static void hang_up(struct prdcr *p)
{
	ev_timer_stop(loop_ev(p->loop), &p->retry);
	drop(p);
	prdgap_forget(p); /* what is stopped by hand loses nothing */
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
	if (p->state == PRDCR_CONNECTING)
		prdcr_is_down(p, XPRT_TIMEOUT, "the peer does not answer");
	else
		event(p, peer_connects(p) ? ON_LOOK : ON_TIMER, NULL);
}

struct prdcr *prdcr_new(struct daemon *d, const struct prdcr_conf *conf, struct err *err)
{
	struct auth_domain *auth;
	struct prdcr *p;

	if (conf->reconnect_us <= 0) {
		err_set(err, -EINVAL, "producer %s: the reconnect interval must be a positive number", conf->name);
		return NULL;
	}
	auth = auth_domain_get(d, conf->auth, err);
	if (!auth)
		return NULL;
	p = xcalloc(1, sizeof(*p));
	p->auth = auth;
	p->d = d;
	p->loop = conf->type == PRDCR_LOCAL ? d->main : daemon_next_io(d);
	p->conf = *conf;
	p->conf.name = xstrdup(conf->name);
	p->conf.xprt = xstrdup(conf->xprt);
	p->conf.host = xstrdup(conf->host);
	p->conf.auth = xstrdup(conf->auth);
	p->conf.listen = conf->listen ? xstrdup(conf->listen) : NULL;
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
	free((char *)p->conf.listen);
	free(p->why);
	prdcr_wants_free(p);
	prdgap_forget(p);
	auth_domain_put(p->auth);
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
	if (p->state != PRDCR_STOPPED && p->state != PRDCR_STANDBY)
		return err_set(err, -EBUSY, "The %s is already running.", kind(p));
	if (reconnect_us < 0)
		return err_set(err, -EINVAL, "The 'reconnect' interval must be a positive interval.");
	if (reconnect_us)
		p->conf.reconnect_us = reconnect_us;
	p->attempt = 0;
	event(p, peer_connects(p) ? ON_WAIT : ON_START, NULL);
	return 0;
}

void prdcr_stop(struct prdcr *p)
{
	p->attempt = 0;
	event(p, ON_STOP, NULL);
}

bool prdcr_waits(const struct prdcr *p)
{
	return peer_connects(p) && !p->x;
}

void prdcr_take(struct prdcr *p, struct xprt *x)
{
	struct err err = { "" };

	assert(prdcr_waits(p));
	if (xprt_adopt(x, &prdcr_events, p, &err)) {
		log_error("producer", "%s: %s", p->conf.name, err.msg);
		return;
	}
	p->loop = xprt_loop(x); /* nothing of it was on the old one */
	p->x = x;
	xprt_quota_set(x, &p->conf.quota); /* so far it had those of the port that it came through */
	if (xprt_is_up(x))                 /* else there are connections of its rail to come */
		prdcr_is_up(p);
}

const struct prdcr_conf *prdcr_conf(const struct prdcr *p)
{
	return &p->conf;
}

enum prdcr_state prdcr_state(const struct prdcr *p)
{
	return p->state;
}

struct xprt *prdcr_xprt(const struct prdcr *p)
{
	return p->state == PRDCR_CONNECTED ? p->x : NULL;
}

void prdcr_stats(const struct prdcr *p, struct prdcr_stats *ret)
{
	*ret = p->stats;
}

const char *prdcr_why(const struct prdcr *p)
{
	return p->why ? p->why : "";
}

struct prdset *prdcr_sets(struct prdcr *p)
{
	return p->sets;
}

static int by_name(const struct prdset *a, const struct prdset *b)
{
	return strcmp(a->name, b->name);
}

struct prdset *prdcr_sets_sorted(struct prdcr *p)
{
	struct prdset *ps = p->sets;

	while (ps && ps->hh.next && by_name(ps, ps->hh.next) < 0)
		ps = ps->hh.next;
	if (ps && ps->hh.next)
		HASH_SORT(p->sets, by_name);
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
