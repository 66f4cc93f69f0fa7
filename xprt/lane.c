/* lane.c - one connection of a peer: making it, knowing who is at the other end, and its end.
 *
 * Nothing is freed while a callback may still stand on it: what is closed is buried by a job of the loop.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "xprt/msg_rail.h"
#include "xprt/proto.h"
#include "xprt/subs.h"
#include "xprt/xprt_impl.h"

/* -- lanes --------------------------------------------------------------------------------------------------------- */

static struct ev_loop *ev_of(const struct lane *lane)
{
	return loop_ev(lane->ep->loop);
}

static void deadline_cb(struct ev_loop *ev, ev_timer *w, int events);

struct lane *lane_new(struct xprt *x, unsigned int idx)
{
	struct lane *lane = xcalloc(1, sizeof(*lane));

	lane->x = x;
	lane->idx = idx;
	ev_init(&lane->deadline, deadline_cb);
	lane->deadline.data = lane;
	return lane;
}

void lane_deadline(struct lane *lane)
{
	int64_t us = (int64_t)lane->ep->env->limits.handshake_us, now = mono_us(), left;

	if (us <= 0)
		return;
	if (!lane->since_us)
		lane->since_us = now;
	left = lane->since_us + us - now; /* it has moved to another loop, but began where it was accepted */
	ev_now_update(ev_of(lane));       /* the loop may have slept long while another thread works on it */
	ev_timer_set(&lane->deadline, left > 0 ? (double)left / SEC_US : 0, 0);
	ev_timer_start(ev_of(lane), &lane->deadline);
}

/* The method has nothing more to do. */
static void auth_end(struct lane *lane)
{
	if (lane->auth.type && lane->auth.type->end)
		lane->auth.type->end(&lane->auth);
	lane->auth.state = NULL;
}

/* The connection is over, or is to be: let go of all it holds but the lane itself. */
void lane_shut(struct lane *lane)
{
	struct ep *ep = lane->ep;

	if (!ep)
		return;
	ev_timer_stop(ev_of(lane), &lane->deadline);
	guest_left(lane);
	auth_end(lane);
	lane->auth.type = NULL;
	atomic_fetch_sub(&ep->env->stats.live, 1);
	if (lane->l) {
		atomic_fetch_sub(&ep->env->stats.incoming, 1);
		listener_left(lane->l, &ep->addr);
	}
	if (lane->place && lane->place->x == lane->x)
		lane->place->x = NULL;
	subs_end(lane);
	lane->state = LANE_SHUT;
	lane->ep = NULL;
	ep->type->close(ep);
}

void lane_free(struct lane *lane)
{
	if (!lane)
		return;
	if (lane->l)
		listener_place_put(lane->l, lane->place);
	listener_put(lane->l);
	free(lane);
}

/* -- connecting ---------------------------------------------------------------------------------------------------- */

int lane_dial(struct lane *lane, struct err *err)
{
	struct xprt *x = lane->x;
	struct conn c = { .n_eps = x->n_eps,
			  .idx = lane->idx,
			  .pid = (uint32_t)getpid(),
			  .gn = x->rail_gn,
			  .quota = x->quota,
			  .msg_on = bus_enabled(x->env->bus) };
	const struct peer_addr *at = &x->addrs[lane->at];
	uint8_t bytes[CONN_SZ];
	int rc;

	lane->state = LANE_WAITING;
	lane->since_us = 0;
	lane->ep = x->type->new (x->type, x->env, x->loop, &lane_events, lane);
	atomic_fetch_add(&x->env->stats.live, 1);
	x->addr = at->ss;
	conn_put(bytes, x->auth->name, &c);
	rc = x->type->connect(lane->ep, (const struct sockaddr *)&at->ss, at->len, bytes, sizeof(bytes), err);
	if (rc)
		lane_shut(lane);
	else
		lane_deadline(lane);
	return rc;
}

/* Front of the words about a connection that we make: the name, and the address if that is something else. */
static void words_prefix(const struct lane *lane, const struct ep *ep, struct err *words, const char *why)
{
	char text[ADDR_TEXT_MAX];

	addr_text(&ep->addr, text);
	if (strcmp(text, lane->x->peer))
		err_set(words, 0, "%s (%s): %s", lane->x->peer, text, why);
	else
		err_set(words, 0, "%s: %s", text, why);
}

/* Who hangs up in the middle of an authentication, or soon after it is over here and without a word, does not like what
 * it got: LDMS has no message to say so. */
static bool is_auth_hang_up(const struct lane *lane, enum xprt_fail fail)
{
	const struct xprt *x = lane->x;

	if (fail != XPRT_LOST || !lane->auth.type || !lane->auth.type->hung_up)
		return false;
	if (lane->state != LANE_OPEN)
		return lane->state == LANE_AUTH;
	return !lane->heard && (!x->up_us || mono_us() - x->up_us <= (int64_t)x->env->limits.handshake_us);
}

/* A connection has ended by itself.  The endpoint is gone already. */
void lane_down(struct lane *lane, enum xprt_fail fail, const char *why)
{
	struct xprt *x = lane->x;
	struct err words, hung_up;

	if (!x) {
		guest_end(lane, fail, why);
		return;
	}
	if (is_auth_hang_up(lane, fail)) {
		err_set(&hung_up, 0, "it hung up %s authentication %s: %s",
			lane->state == LANE_AUTH ? "during" : "right after", lane->auth.type->name,
			lane->auth.type->hung_up);
		fail = XPRT_AUTH;
		why = hung_up.msg;
		lane->auth.why = AUTH_HUNG_UP;
	}
	if (fail == XPRT_AUTH) {
		x->auth_why = lane->auth.why;
		atomic_fetch_add(&x->env->stats.auth_failed[x->auth_why], 1);
	}
	if (x->l) {
		rail_down(x, fail, why);
		return;
	}
	words_prefix(lane, lane->ep, &words, why);
	if (lane->state == LANE_WAITING && lane->at + 1 < x->n_addrs &&
	    (fail == XPRT_REFUSED || fail == XPRT_TIMEOUT)) {
		struct err err;

		lane_shut(lane);
		lane->at++;
		if (!lane_dial(lane, &err))
			return;
	}
	rail_down(x, fail, words.msg);
}

void lane_waits(const struct lane *lane, enum auth_why *why, struct err *ret)
{
	const struct auth_run *a = &lane->auth;
	const char *late = a->type->late ? a->type->late(a, why) : NULL;

	if (!late)
		*why = AUTH_SILENT;
	err_set(ret, 0, "authentication %s: %s", a->type->name,
		late ? late : "it connected, but does not say who it is; is it stopped, or overloaded?");
}

static void deadline_cb(struct ev_loop *ev, ev_timer *w, int events)
{
	struct lane *lane = w->data;
	enum xprt_fail fail = XPRT_TIMEOUT;
	struct err why, late;
	char limit[32];

	unit_time_text((int64_t)lane->ep->env->limits.handshake_us, limit);
	if (!lane->x) {
		err_set(&why, 0, "it did not ask to connect within %s", limit);
	} else if (lane->state == LANE_AUTH) {
		lane_waits(lane, &lane->auth.why, &late);
		err_set(&why, 0, "%s (%s have passed)", late.msg, limit);
		fail = XPRT_AUTH;
	} else if (lane->state == LANE_OPEN) {
		err_set(&why, 0, "its other %u connections did not come within %s", lane->x->n_eps - lane->x->n_open,
			limit);
	} else if (lane->x->l) {
		err_set(&why, 0, "it asked to connect, but did not go on within %s", limit);
	} else {
		err_set(&why, 0, "no LDMS answer within %s; is the host up, the port right, no firewall between?",
			limit);
	}
	lane_down(lane, fail, why.msg);
}

static void on_accepted(struct ep *ep, const void *bytes, size_t len)
{
	struct lane *lane = ep->owner;
	const struct conn_verdict *v;
	struct conn c = { .quota = conn_no_quota, .legacy = true };
	struct err err;

	v = conn_get(bytes, len, lane->x->auth->name, &c);
	if (v->fail == XPRT_AUTH || v->fail == XPRT_VERSION || len < CONN_LEGACY_SZ) {
		err_set(&err, 0, "its answer does not fit: %s; it must run the same version and authentication method",
			v->text ? v->text : "too short");
		lane_down(lane, v->text ? v->fail : XPRT_PROTO, err.msg);
		return;
	}
	/* other lengths and types are no reason to leave: what is no rail is an old peer */
	lane->x->legacy |= c.legacy;
	lane->x->peer_quota = c.quota;
	lane->x->msg_on = c.msg_on;
}

/* -- who it is ----------------------------------------------------------------------------------------------------- */

static void on_up(struct ep *ep)
{
	struct lane *lane = ep->owner;
	struct xprt *x = lane->x;

	lane->state = LANE_AUTH;
	lane->auth = (struct auth_run){ .type = x->auth, .ep = ep, .active = !x->l };
	lane->auth.conf = x->auth_conf ? x->auth_conf->own : NULL;
	x->auth->begin(&lane->auth);
}

static struct lane *lane_of(struct auth_run *a)
{
	return (struct lane *)((char *)a - offsetof(struct lane, auth));
}

int auth_say(struct auth_run *a, const void *bytes, size_t len)
{
	struct lane *lane = lane_of(a);
	struct buf *b = proto_req(lane, CMD_AUTH_MSG, 0);

	buf_be32(b, (uint32_t)len);
	buf_add(b, bytes, len);
	return proto_put(lane, b);
}

void auth_hold(struct auth_run *a)
{
	a->holding = true;
	a->ep->type->hold(a->ep, true);
}

void auth_resume(struct auth_run *a)
{
	a->holding = false;
	a->ep->type->hold(a->ep, false);
}

void auth_refuse(struct auth_run *a, enum auth_why why, const char *fmt, ...)
{
	struct err words;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(words.msg, sizeof(words.msg), fmt, ap);
	va_end(ap);
	a->why = why;
	lane_down(lane_of(a), XPRT_AUTH, words.msg);
}

/* The peer is who it says; with its last lane it is up. */
static void lane_open(struct lane *lane)
{
	struct xprt *x = lane->x;

	lane->state = LANE_OPEN;
	guest_left(lane);
	if (!x->n_open)
		proto_up(x); /* what a peer asks may overtake the last of its connections */
	if (++x->n_open < x->n_eps)
		return;
	for (unsigned int i = 0; i < x->n_eps; i++)
		ev_timer_stop(loop_ev(x->loop), &x->lanes[i]->deadline);
	x->up = true;
	x->up_us = mono_us();
	free(x->addrs);
	x->addrs = NULL;
	x->n_addrs = 0;
	atomic_fetch_add(&x->env->stats.connected, 1);
	msg_rail_up(x);
	if (x->ev->up)
		x->ev->up(x, x->arg);
}

void auth_approve(struct auth_run *a, uint32_t uid, uint32_t gid)
{
	struct lane *lane = lane_of(a);
	struct xprt *x = lane->x;
	bool held = a->holding;

	if (x->n_open && (x->uid != uid || x->gid != gid)) {
		auth_refuse(a, AUTH_BROKEN, "the connections of its rail belong to different users");
		return;
	}
	a->done = true;
	auth_end(lane);
	x->uid = uid;
	x->gid = gid;
	lane_open(lane);
	a->holding = false;
	if (held && lane->ep) /* it may have been closed by now */
		lane->ep->type->hold(lane->ep, false);
}

/* -- the other events ---------------------------------------------------------------------------------------------- */

static void on_message(struct ep *ep, const void *msg, size_t len)
{
	proto_message(ep->owner, msg, len);
}

static void on_shared(struct ep *ep, uint32_t key, uint64_t addr, uint32_t map_len, const void *msg, size_t len)
{
	proto_shared(ep->owner, key, addr, map_len, msg, len);
}

static void on_drained(struct ep *ep)
{
	subs_drained(ep);
	msg_rail_drained(ep->owner);
}

static void on_down(struct ep *ep, int fail, const char *why)
{
	lane_down(ep->owner, (enum xprt_fail)fail, why);
}

const struct ep_events lane_events = {
	.asked = guest_asked,
	.accepted = on_accepted,
	.up = on_up,
	.message = on_message,
	.shared = on_shared,
	.read_done = rset_read_done,
	.drained = on_drained,
	.down = on_down,
};
