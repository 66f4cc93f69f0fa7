/* qgroups.c - see qgroups.h */
#include "core/daemon/qgroups.h"

#include <errno.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/daemon/auth_domain.h"

#define RETRY_US (2 * SEC_US) /* a member that is away is asked for a place again */

enum member_state { AWAY, CONNECTING, CONNECTED };
static const char *const state_names[] = { "DISCONNECTED", "CONNECTING", "CONNECTED" };

struct member {
	struct qgroups *g;
	LIST_ENTRY(member) entry;
	char *xprt, *host, *domain;
	struct auth_domain *auth; /* a reference is held */
	unsigned short port;
	enum member_state state;
	bool told; /* that it is away */
	struct xprt *x;
	ev_timer retry;
};

struct qgroups {
	struct daemon *d;
	struct qgroup q;
	struct qgroup_conf conf;
	bool running;
	ev_timer ask, reset;
	LIST_HEAD(, member) members;
};

/* -- members ------------------------------------------------------------------------------------------------------- */

static void away(struct member *m, const char *why)
{
	if (!m->told)
		log_info("qgroup", "%s:%u: DISCONNECTED: %s; tried again every %d s", m->host, m->port, why,
			 (int)(RETRY_US / SEC_US));
	m->told = true;
	m->state = AWAY;
	xprt_close(m->x);
	m->x = NULL;
	ev_now_update(loop_ev(m->g->d->main));
	ev_timer_set(&m->retry, (double)RETRY_US / SEC_US, 0);
	ev_timer_start(loop_ev(m->g->d->main), &m->retry);
}

static void on_up(struct xprt *x, void *arg)
{
	struct member *m = arg;

	m->state = CONNECTED;
	m->told = false;
	log_info("qgroup", "%s:%u: CONNECTED", m->host, m->port);
}

static void on_down(struct xprt *x, void *arg, enum xprt_fail fail, const char *why)
{
	away(arg, why);
}

static void dial(struct member *m)
{
	static const struct xprt_events ev = { .up = on_up, .down = on_down };
	const struct xprt_conf conf = {
		.type = m->xprt,
		.host = m->host,
		.port = m->port,
		.auth = m->auth->plugin,
		.auth_args = &m->auth->args,
		.auth_kept = m->auth->kept,
	};
	struct err err;

	m->state = CONNECTING;
	if (xprt_connect(&m->g->d->xprt, m->g->d->main, &conf, &ev, m, &m->x, &err))
		away(m, err.msg);
}

static void retry_cb(struct ev_loop *ev, ev_timer *w, int events)
{
	dial(w->data);
}

static void hang_up(struct member *m)
{
	ev_timer_stop(loop_ev(m->g->d->main), &m->retry);
	xprt_close(m->x);
	m->x = NULL;
	m->state = AWAY;
	m->told = false;
}

static void member_free(struct member *m) /* hung up */
{
	LIST_REMOVE(m, entry);
	free(m->xprt);
	free(m->host);
	free(m->domain);
	auth_domain_put(m->auth);
	free(m);
}

static struct member *find(struct qgroups *g, const char *host, unsigned short port)
{
	struct member *m;

	LIST_FOREACH(m, &g->members, entry)
		if (m->port == port && !strcmp(m->host, host))
			return m;
	return NULL;
}

int qgroups_member_add(struct qgroups *g, const struct qgroup_member_conf *conf, struct err *err)
{
	struct auth_domain *auth;
	struct member *m;

	if (find(g, conf->host, conf->port))
		return err_set(err, -EEXIST, "qgroup: %s:%u is a member already", conf->host, conf->port);
	auth = auth_domain_get(g->d, conf->auth, err);
	if (!auth)
		return -ENOENT;
	m = xcalloc(1, sizeof(*m));
	m->g = g;
	m->xprt = xstrdup(conf->xprt);
	m->host = xstrdup(conf->host);
	m->domain = xstrdup(conf->auth);
	m->auth = auth;
	m->port = conf->port;
	ev_init(&m->retry, retry_cb);
	m->retry.data = m;
	LIST_INSERT_HEAD(&g->members, m, entry);
	if (g->running)
		dial(m);
	return 0;
}

int qgroups_member_del(struct qgroups *g, const char *host, unsigned short port, struct err *err)
{
	struct member *m = find(g, host, port);

	if (!m)
		return err_set(err, -ENOENT, "qgroup: %s:%u is no member", host, port);
	hang_up(m);
	member_free(m);
	return 0;
}

void qgroups_members(struct qgroups *g, void (*fn)(void *arg, const struct qgroup_member_info *m), void *arg)
{
	struct member *m;

	LIST_FOREACH(m, &g->members, entry) {
		const struct qgroup_member_info info = {
			.conf = { .xprt = m->xprt, .host = m->host, .auth = m->domain, .port = m->port },
			.state = state_names[m->state],
		};

		fn(arg, &info);
	}
}

/* -- time ---------------------------------------------------------------------------------------------------------- */

static void ask_cb(struct ev_loop *ev, ev_timer *w, int events)
{
	struct qgroups *g = w->data;
	int64_t window_us;
	struct member *m;
	uint64_t left;

	if (!qgroup_left(&g->q, &left, &window_us) || left >= g->conf.ask_mark)
		return;
	LIST_FOREACH(m, &g->members, entry)
		if (m->state == CONNECTED)
			xprt_qgroup_ask(m->x, g->conf.ask_amount, window_us);
}

/* At the beginning of the next window, and a little later: the clock of timers is not the wall's. */
static void arm_reset(struct qgroups *g)
{
	int64_t now = wall_us(), next = next_slot_us(now, g->conf.reset_us, 0);

	ev_now_update(loop_ev(g->d->main));
	ev_timer_set(&g->reset, (double)(next - now + MSEC_US) / SEC_US, 0);
	ev_timer_start(loop_ev(g->d->main), &g->reset);
}

static void reset_cb(struct ev_loop *ev, ev_timer *w, int events)
{
	struct qgroups *g = w->data;

	qgroup_tick(&g->q);
	arm_reset(g);
}

static void timers_start(struct qgroups *g)
{
	double every = (double)g->conf.ask_us / SEC_US;

	ev_timer_set(&g->ask, every, every);
	ev_timer_start(loop_ev(g->d->main), &g->ask);
	arm_reset(g);
}

static void timers_stop(struct qgroups *g)
{
	ev_timer_stop(loop_ev(g->d->main), &g->ask);
	ev_timer_stop(loop_ev(g->d->main), &g->reset);
}

/* -- life ---------------------------------------------------------------------------------------------------------- */

struct qgroups *qgroups_new(struct daemon *d)
{
	struct qgroups *g = xcalloc(1, sizeof(*g));

	g->d = d;
	qgroup_init(&g->q);
	LIST_INIT(&g->members);
	ev_init(&g->ask, ask_cb);
	ev_init(&g->reset, reset_cb);
	g->ask.data = g->reset.data = g;
	return g;
}

struct qgroup *qgroups_account(struct qgroups *g)
{
	return &g->q;
}

void qgroups_config(struct qgroups *g, const struct qgroup_conf *conf)
{
	g->conf = *conf;
	qgroup_conf_set(&g->q, conf);
	if (!g->running)
		return;
	timers_stop(g);
	timers_start(g);
}

int qgroups_start(struct qgroups *g, struct err *err)
{
	struct member *m;
	int rc;

	if (g->running)
		return 0;
	rc = qgroup_on(&g->q, err);
	if (rc)
		return rc;
	g->running = true;
	timers_start(g);
	LIST_FOREACH(m, &g->members, entry)
		dial(m);
	return 0;
}

void qgroups_stop(struct qgroups *g)
{
	struct member *m;

	if (!g || !g->running)
		return;
	loop_enter(g->d->main);
	g->running = false;
	qgroup_off(&g->q);
	timers_stop(g);
	LIST_FOREACH(m, &g->members, entry)
		hang_up(m);
	loop_leave(g->d->main);
}

void qgroups_free(struct qgroups *g)
{
	if (!g)
		return;
	while (!LIST_EMPTY(&g->members))
		member_free(LIST_FIRST(&g->members));
	qgroup_fini(&g->q);
	free(g);
}
