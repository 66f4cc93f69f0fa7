/* guest.c - who has connected and not yet said who it is: see xprt_impl.h
 *
 * A guest asks on the listener's first loop.  What it says there tells which peer it belongs to, and so on which loop
 * it goes on; there it is asked again, and becomes a lane.
 */
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "core/base/xalloc.h"
#include "xprt/xprt_impl.h"

static void lane_bury_cb(struct loop_job *job)
{
	lane_free((struct lane *)((char *)job - offsetof(struct lane, bury)));
}

static void guest_list(struct lane *lane)
{
	TAILQ_INSERT_TAIL(&io_of(lane->ep->loop)->guests, lane, guests);
	lane->listed = true;
}

static void guest_unlist(struct lane *lane)
{
	if (lane->listed)
		TAILQ_REMOVE(&io_of(lane->ep->loop)->guests, lane, guests);
	lane->listed = false;
}

#define CROWD 64 /* guests that are worth cleaning up after */

/* A storm of connections leaves holes all over the heap, which malloc keeps for itself. */
static void crowd_gone(void *arg)
{
	malloc_trim(0);
}

static void crowd_left(struct lane *lane, unsigned long guests)
{
	struct xprt_stats *st = &lane->ep->env->stats;

	if (atomic_load(&st->guests_peak) < CROWD || guests > atomic_load(&st->guests_peak) / 8)
		return;
	atomic_store(&st->guests_peak, guests);
	loop_call(lane->ep->loop, crowd_gone, NULL); /* behind the jobs that bury them */
}

void guest_left(struct lane *lane)
{
	guest_unlist(lane);
	if (lane->guest)
		crowd_left(lane, atomic_fetch_sub(&lane->ep->env->stats.guests, 1) - 1);
	lane->guest = false;
}

void guest_end(struct lane *lane, enum xprt_fail fail, const char *why)
{
	struct ep *ep = lane->ep;
	struct loop *loop = ep->loop;
	char text[ADDR_TEXT_MAX];

	atomic_fetch_add(&ep->env->stats.refused[fail], 1);
	if (fail == XPRT_AUTH) /* a guest has come to nothing yet but naming another method */
		atomic_fetch_add(&ep->env->stats.auth_failed[AUTH_METHOD], 1);
	rail_count(ep->env, fail, false, &ep->addr);
	rail_log(addr_text(&ep->addr, text), fail, AUTH_METHOD, why);
	lane_shut(lane);
	lane->bury.fn = lane_bury_cb;
	loop_post(loop, &lane->bury);
}

void guest_new(struct xprt_listener *l, struct ep *ep)
{
	struct lane *lane = lane_new(NULL, 0);
	unsigned long guests;

	lane->l = listener_get(l);
	lane->ep = ep;
	ep->ev = &lane_events;
	ep->owner = lane;
	atomic_fetch_add(&l->env->stats.accepted, 1);
	atomic_fetch_add(&l->env->stats.live, 1);
	atomic_fetch_add(&l->env->stats.incoming, 1);
	guests = atomic_fetch_add(&l->env->stats.guests, 1) + 1;
	if (guests > atomic_load(&l->env->stats.guests_peak))
		atomic_store(&l->env->stats.guests_peak, guests);
	lane->guest = true;
	guest_list(lane);
	lane_deadline(lane);
}

bool guests_evict(struct io *io)
{
	struct lane *lane = TAILQ_FIRST(&io->guests);
	const char *why = "others want to connect, and it has not said who it is";

	if (!lane)
		return false;
	refuse(lane->ep->env, REFUSE_GUESTS, &lane->ep->addr);
	if (lane->x)
		rail_down(lane->x, XPRT_LIMIT, why);
	else
		guest_end(lane, XPRT_LIMIT, why);
	return true;
}

void guests_end(struct xprt_listener *l, struct io *io)
{
	struct lane *lane, *next;

	for (lane = TAILQ_FIRST(&io->guests); lane; lane = next) {
		next = TAILQ_NEXT(lane, guests);
		if (lane->l == l && !lane->x)
			guest_end(lane, XPRT_CLOSED, "the listener closes");
	}
}

/* Say no in the peer's words. */
__attribute__((format(printf, 3, 4))) static void turn_away(struct lane *lane, enum xprt_fail fail, const char *fmt,
							    ...)
{
	struct err why;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why.msg, sizeof(why.msg), fmt, ap);
	va_end(ap);
	lane->ep->type->reject(lane->ep, why.msg);
	guest_end(lane, fail, why.msg);
}

/* It asks for another method than ours: the peer is told in the words that it knows, the operator in those that help.
 */
static void wrong_method(struct lane *lane, const char *text, const void *bytes, size_t len)
{
	char name[AUTH_NAME_MAX + 1];
	struct err why;

	conn_auth_name(bytes, len, name);
	lane->ep->type->reject(lane->ep, text);
	err_set(&why, 0, "it wants authentication '%s', but this port '%s'; give both sides the same -a", name,
		lane->l->auth->name);
	guest_end(lane, XPRT_AUTH, why.msg);
}

struct rail_id guest_rail_id(const struct sockaddr_storage *from, const struct conn *c)
{
	struct rail_id id = { .pid = c->pid, .gn = c->gn };

	addr_ip(from, &id.ip); /* zero for who is in this process */
	return id;
}

/* The guest has become a connection of a peer: of one that is there, or of a new one. */
static void guest_join(struct lane *lane, const struct conn *c)
{
	struct xprt_listener *l = lane->l;
	struct ep *ep = lane->ep;
	struct xprt *x = lane->place ? lane->place->x : NULL;
	struct conn mine = *c;
	char text[ADDR_TEXT_MAX];
	uint8_t bytes[CONN_SZ];

	if (x && x->n_eps != c->n_eps) {
		turn_away(lane, XPRT_PROTO, "bad request, expecting rail of %u eps, but got %u", x->n_eps, c->n_eps);
		return;
	}
	if (x && x->lanes[c->idx]) {
		turn_away(lane, XPRT_PROTO, "bad ep_idx %u, the endpoint already existed", c->idx);
		return;
	}
	if (!x) {
		x = rail_new(l->env, ep->loop, l->type, l->ev, l->arg, c->n_eps);
		x->l = l;
		x->auth = l->auth;
		x->auth_conf = l->auth_conf;
		x->addr = ep->addr;
		x->peer = xstrdup(addr_text(&ep->addr, text));
		x->legacy = c->legacy;
		x->msg_on = c->msg_on;
		x->peer_quota = c->quota;
		x->quota = l->quota;
		if (lane->place)
			lane->place->x = x;
	}
	lane->x = x;
	lane->idx = c->idx;
	x->lanes[c->idx] = lane;
	mine.pid = (uint32_t)getpid();
	mine.quota = x->quota;
	mine.msg_on = bus_enabled(x->env->bus);
	conn_put(bytes, l->auth->name, &mine);
	ep->type->accept(ep, bytes, c->legacy ? CONN_LEGACY_SZ : CONN_SZ);
}

void guest_asked(struct ep *ep, const void *bytes, size_t len)
{
	struct lane *lane = ep->owner;
	struct xprt_listener *l = lane->l;
	const struct conn_verdict *v;
	struct conn c;

	if (atomic_load(&l->closed)) {
		guest_end(lane, XPRT_CLOSED, "the listener closes");
		return;
	}
	v = conn_get(bytes, len, l->auth->name, &c);
	if (v->fail == XPRT_AUTH) {
		wrong_method(lane, v->text, bytes, len);
		return;
	}
	if (v->text) {
		turn_away(lane, v->fail, "%s", v->text);
		return;
	}
	if (!c.n_eps || c.n_eps > RAIL_EPS_MAX) {
		turn_away(lane, XPRT_PROTO, "bad request, rail of %u eps (1..%u)", c.n_eps, RAIL_EPS_MAX);
		return;
	}
	if (c.idx >= c.n_eps) {
		turn_away(lane, XPRT_PROTO, "bad ep_idx %u (should be in 0..%u range)", c.idx, c.n_eps - 1);
		return;
	}
	if (!lane->placed) {
		const struct rail_id id = guest_rail_id(&ep->addr, &c);
		struct loop *loop = listener_place(l, c.legacy ? NULL : &id, &lane->place);

		lane->placed = true;
		if (loop != ep->loop) {
			guest_unlist(lane);
			ev_timer_stop(loop_ev(ep->loop), &lane->deadline);
			ep->type->move(ep, loop); /* we are asked again there */
			return;
		}
	}
	if (!lane->listed) { /* it has just come to this loop */
		guest_list(lane);
		lane_deadline(lane);
	}
	guest_join(lane, &c);
}
