/* failover.c - see failover.h */
#include "core/daemon/failover.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/daemon/auth_domain.h"
#include "core/daemon/listener.h"
#include "core/daemon/records.h"

#define FACTOR_MIN 1.0 /* less, and each ping that is under way would be one that is missed */

struct failover {
	struct daemon *d;
	struct failover_keeper *keeper;
	struct failover_conf conf; /* strings are ours */
	struct auth_domain *auth;  /* a reference is held while it is started */
	enum failover_state state;
	enum failover_conn conn;
	struct xprt *x;   /* NULL while DISCONNECTED */
	ev_timer tick;    /* every interval */
	int64_t since_us; /* monotonic: when `conn` was entered */
	int64_t heard_us; /* monotonic: the last sign of life of a peer that we know */
	struct pings pings;
	int64_t sent_us, echo_us;    /* wall clock, for people: of the last ping, and of the last sign of life */
	bool known, stands_in, told; /* told: that the peer is away */
	char why[ERR_MAX];
};

static void disconnect(struct failover *f, const char *why);

const char *failover_state_name(enum failover_state s)
{
	static const char *const names[] = { "STOP", "START", "STOPPING" };

	return names[s];
}

const char *failover_conn_name(enum failover_conn c)
{
	static const char *const names[] = { "DISCONNECTED", "CONNECTING",  "PAIRING",    "PAIRING_RETRY",
					     "RESETTING",    "CONFIGURING", "CONFIGURED", "UNPAIRING" };

	return names[c];
}

static void conn_set(struct failover *f, enum failover_conn conn, const char *why)
{
	bool stays_away = f->told && conn != FAILOVER_CONFIGURED;

	if (!stays_away && conn != f->conn)
		log_info("failover", "peer %s: %s -> %s%s%s", f->conf.peer, failover_conn_name(f->conn),
			 failover_conn_name(conn), *why ? ": " : "", why);
	f->conn = conn;
	f->since_us = mono_us();
}

/* -- what the peer has ----------------------------------------------------------------------------------------------- */

static void stand_in(struct failover *f, bool yes, const char *why)
{
	if (f->stands_in == yes)
		return;
	f->stands_in = yes;
	if (yes)
		log_warning("failover", "peer %s: what it collects is collected here: %s", f->conf.peer, why);
	else
		log_info("failover", "peer %s: it collects by itself again: %s", f->conf.peer, why);
	if (f->keeper)
		(yes ? f->keeper->begin : f->keeper->cease)(f->keeper);
}

static void forget(struct failover *f, const char *why)
{
	stand_in(f, false, why);
	f->known = false;
	if (f->keeper)
		f->keeper->forget(f->keeper);
}

static int64_t patience_us(const struct failover *f)
{
	return pings_patience_us(&f->pings, (int64_t)((double)f->conf.interval_us * f->conf.factor));
}

static void heard(struct failover *f)
{
	f->heard_us = mono_us();
	f->echo_us = wall_us();
	if (f->conf.auto_switch)
		stand_in(f, false, "it answers");
}

/* -- the conversation ------------------------------------------------------------------------------------------------ */

static bool says_no(struct failover *f, int rc, const char *what, const char *words)
{
	struct err why;

	if (!rc)
		return false;
	err_set(&why, 0, "%s: %s", what, *words ? words : err_name(rc));
	disconnect(f, why.msg);
	return true;
}

/* An answer that does not come because the connection ended (rc < 0): that is told elsewhere. */
static void on_pong(void *arg, int rc, const char *words)
{
	struct failover *f = arg;

	if (rc < 0 || f->state != FAILOVER_START || says_no(f, rc, "the ping was refused", words))
		return;
	pings_answered(&f->pings, mono_us());
	heard(f);
}

static void ping(struct failover *f)
{
	const struct record_pair pair = { FAILOVER_NAME, f->d->name };
	struct err err = { "" };

	if (!pings_send(&f->pings, mono_us()))
		return;
	f->sent_us = wall_us();
	if (records_ask(f->d, f->x, FAILOVER_PING, &pair, 1, on_pong, f, &err))
		disconnect(f, err.msg);
}

static void on_peercfg(void *arg, int rc, const char *words)
{
	struct failover *f = arg;

	if (rc < 0 || f->state != FAILOVER_START || says_no(f, rc, "it does not say what it has", words))
		return;
	f->known = true;
	f->told = false;
	if (f->keeper)
		f->keeper->told(f->keeper);
	conn_set(f, FAILOVER_CONFIGURED, "");
	heard(f);
}

static void on_paired(void *arg, int rc, const char *words)
{
	struct failover *f = arg;
	struct err err = { "" };

	if (rc < 0 || f->state != FAILOVER_START)
		return;
	if (says_no(f, rc, "it does not pair with this daemon", words)) {
		f->conn = FAILOVER_PAIRING_RETRY;
		return;
	}
	forget(f, "it is back"); /* and what it has now is told anew */
	conn_set(f, FAILOVER_CONFIGURING, "");
	if (records_ask(f->d, f->x, FAILOVER_PEERCFG, NULL, 0, on_peercfg, f, &err))
		disconnect(f, err.msg);
}

static void on_up(struct xprt *x, void *arg)
{
	struct failover *f = arg;
	const struct record_pair pair = { FAILOVER_PEER_NAME, f->d->name };
	struct err err = { "" };

	conn_set(f, FAILOVER_PAIRING, "");
	if (records_ask(f->d, x, FAILOVER_PAIR, &pair, 1, on_paired, f, &err))
		disconnect(f, err.msg);
}

static void on_down(struct xprt *x, void *arg, enum xprt_fail fail, const char *why)
{
	(void)x;
	(void)fail;
	disconnect(arg, why);
}

static void on_msg(struct xprt *x, void *arg, const void *bytes, size_t len)
{
	records_msg(((struct failover *)arg)->d, x, bytes, len);
}

static const struct xprt_events link_events = { .up = on_up, .down = on_down, .msg = on_msg };

static void hang_up(struct failover *f)
{
	struct xprt *x = f->x;

	f->x = NULL;
	f->pings.out = false;
	if (!x)
		return;
	records_gone(f->d, x);
	xprt_close(x);
}

static void unpaired(struct failover *f)
{
	hang_up(f);
	ev_timer_stop(loop_ev(f->d->main), &f->tick);
	auth_domain_put(f->auth);
	f->auth = NULL;
	f->state = FAILOVER_STOP;
	conn_set(f, FAILOVER_DISCONNECTED, "unpaired");
}

/* The next tick connects again. */
static void disconnect(struct failover *f, const char *why)
{
	if (f->state != FAILOVER_START) {
		unpaired(f);
		return;
	}
	snprintf(f->why, sizeof(f->why), "%s", why);
	hang_up(f);
	conn_set(f, FAILOVER_DISCONNECTED, why);
	f->told = true;
}

static void dial(struct failover *f)
{
	const struct xprt_conf conf = {
		.type = f->conf.xprt,
		.host = f->conf.host,
		.port = f->conf.port,
		.auth = f->auth->plugin,
		.auth_args = &f->auth->args,
		.auth_kept = f->auth->kept,
	};
	struct err err = { "" };

	conn_set(f, FAILOVER_CONNECTING, "");
	if (xprt_connect(&f->d->xprt, f->d->main, &conf, &link_events, f, &f->x, &err))
		disconnect(f, err.msg);
}

static void tick_cb(struct ev_loop *ev, ev_timer *w, int events)
{
	struct failover *f = w->data;
	int64_t now = mono_us();

	(void)ev;
	(void)events;
	if (f->state == FAILOVER_STOPPING) {
		unpaired(f); /* who does not answer that is not waited for */
		return;
	}
	if (!f->x)
		dial(f);
	else if (f->conn == FAILOVER_CONFIGURED)
		ping(f);
	else if (now - f->since_us > (int64_t)f->d->xprt.limits.answer_us)
		disconnect(f, "it does not answer");
	if (f->known && f->conf.auto_switch && now - f->heard_us > patience_us(f))
		stand_in(f, true, "it does not answer");
}

/* -- life ------------------------------------------------------------------------------------------------------------ */

struct failover *failover_new(struct daemon *d)
{
	struct failover *f = xcalloc(1, sizeof(*f));

	f->d = d;
	ev_init(&f->tick, tick_cb);
	f->tick.data = f;
	return f;
}

void failover_end(struct failover *f)
{
	if (!f)
		return;
	loop_enter(f->d->main);
	f->keeper = NULL;
	if (f->state != FAILOVER_STOP)
		unpaired(f);
	loop_leave(f->d->main);
}

static void conf_fini(struct failover_conf *conf)
{
	free((char *)conf->host);
	free((char *)conf->xprt);
	free((char *)conf->peer);
}

void failover_free(struct failover *f)
{
	if (!f)
		return;
	conf_fini(&f->conf);
	free(f);
}

void failover_keeper_set(struct failover *f, struct failover_keeper *k)
{
	f->keeper = k;
}

struct failover_keeper *failover_keeper(struct failover *f)
{
	return f->keeper;
}

int failover_config(struct failover *f, const struct failover_conf *conf, struct err *err)
{
	struct failover_conf copy = *conf;

	if (f->state != FAILOVER_STOP)
		return err_set(err, -EBUSY, "failover: it is started; stop it first: failover_stop");
	if (conf->interval_us <= 0)
		return err_set(err, -EINVAL, "failover: the interval must be a positive time");
	if (!(conf->factor >= FACTOR_MIN && conf->factor <= 1e6))
		return err_set(err, -EINVAL, "failover: timeout_factor=%g: at least %g", conf->factor, FACTOR_MIN);
	if (!conf->port)
		return err_set(err, -EINVAL, "failover: the attribute 'port' is required: where the peer listens");
	copy.host = xstrdup(conf->host);
	copy.xprt = xstrdup(conf->xprt);
	copy.peer = xstrdup(conf->peer);
	conf_fini(&f->conf);
	f->conf = copy;
	return 0;
}

const struct failover_conf *failover_conf(const struct failover *f)
{
	return f->conf.host ? &f->conf : NULL;
}

int failover_start(struct failover *f, struct err *err)
{
	double every = (double)f->conf.interval_us / SEC_US;

	if (!f->conf.host)
		return err_set(err, -EINVAL, "failover_start: there is no peer; name it with failover_config first");
	if (f->state != FAILOVER_STOP)
		return err_set(err, -EBUSY, "failover service busy");
	if (!strcmp(f->conf.peer, f->d->name))
		return err_set(err, -EINVAL,
			       "failover_start: the peer is named as this daemon is, %s; give each a name of its own "
			       "(-n NAME, or daemon_name)",
			       f->conf.peer);
	if (!listener_port(f->d))
		return err_set(err, -EINVAL,
			       "failover_start: this daemon listens on no port, where its peer could ask "
			       "it; add `listen`, or -x");
	f->auth = auth_domain_get(f->d, AUTH_DOMAIN_DFLT, err);
	if (!f->auth)
		return -ENOENT;
	f->state = FAILOVER_START;
	f->why[0] = '\0';
	f->told = false;
	f->pings = (struct pings){ 0 };
	ev_now_update(loop_ev(f->d->main));
	ev_timer_set(&f->tick, 0, every);
	ev_timer_start(loop_ev(f->d->main), &f->tick);
	return 0;
}

static void on_reset(void *arg, int rc, const char *words)
{
	struct failover *f = arg;

	(void)words;
	if (rc >= 0 && f->state == FAILOVER_STOPPING)
		unpaired(f);
}

int failover_stop(struct failover *f, struct err *err)
{
	if (f->state != FAILOVER_START)
		return err_set(err, -EBUSY, "failover service busy");
	f->state = FAILOVER_STOPPING;
	forget(f, "failover is stopped");
	if (f->conn < FAILOVER_CONFIGURING) {
		unpaired(f);
		return 0;
	}
	conn_set(f, FAILOVER_UNPAIRING, "");
	if (records_ask(f->d, f->x, FAILOVER_RESET, NULL, 0, on_reset, f, NULL))
		unpaired(f);
	return 0;
}

enum failover_state failover_state(const struct failover *f)
{
	return f->state;
}

int failover_stand_in(struct failover *f, bool yes, struct err *err)
{
	if (!f->known)
		return err_set(err, -ENOENT, "failover: what the peer has is not known; see failover_status");
	stand_in(f, yes, "the operator says so");
	return 0;
}

int failover_may_pair(const struct failover *f, const char *peer, struct err *err)
{
	if (!f->conf.host)
		return err_set(err, -EAGAIN, "failover is not configured here");
	if (!peer || strcmp(peer, f->conf.peer))
		return err_set(err, -EPERM, "%s is not the peer of %s", peer ? peer : "", f->d->name);
	return 0;
}

void failover_reset(struct failover *f)
{
	if (f->state == FAILOVER_START)
		failover_stop(f, NULL);
}

bool failover_is_link(const struct failover *f, const struct xprt *x)
{
	return f->state == FAILOVER_START && f->x == x && f->conn == FAILOVER_CONFIGURING;
}

void failover_status(const struct failover *f, struct failover_status *ret)
{
	*ret = (struct failover_status){ .state = f->state, .conn = f->conn, .why = f->x ? "" : f->why };
	ret->flags = (f->conf.host ? FAILOVER_HAS_CONF : 0) | (f->stands_in ? FAILOVER_STANDS_IN : 0) |
		     (f->known ? FAILOVER_HAS_PEER : 0) | (f->pings.out ? FAILOVER_PINGING : 0) |
		     (f->d->ready ? FAILOVER_OWN : 0);
	ret->skipped = f->pings.skipped;
	ret->sent_us = f->sent_us;
	ret->echo_us = f->echo_us;
	pings_sum(&f->pings, &ret->pings);
	if (f->known)
		ret->limit_us = f->echo_us + patience_us(f);
}
