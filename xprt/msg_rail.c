/* msg_rail.c - messages on their way to a peer: see msg_rail.h */
#include "xprt/msg_rail.h"

#include <errno.h>
#include <stdlib.h>

#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/set/perm.h"
#include "xprt/proto.h"
#include "xprt/rare.h"

#define WINDOW   (256u << 10) /* bytes handed to the transport and not taken: what a connection that reads never sees */
#define MSG_ONLY 2            /* flags of a message in one part: the first, and no more follow */

static struct ev_loop *ev_of(const struct msg_lane *ml)
{
	return loop_ev(ml->x->loop);
}

static struct ep *ep_of(const struct msg_lane *ml)
{
	const struct lane *lane = ml->x->lanes[ml->idx];

	return lane ? lane->ep : NULL;
}

/* -- may it go ----------------------------------------------------------------------------------------------------- */

static uint64_t rate_used(const struct msg_rail *mr)
{
	return mr->rate_s == wall_us() / SEC_US ? mr->rate_used : 0;
}

enum msg_hold msg_lane_may_send(const struct msg_lane *ml, uint32_t cost)
{
	const struct xprt_quota *q = &ml->x->peer_quota;
	const struct ep *ep = ep_of(ml);

	if ((q->recv_quota >= 0 && cost > q->recv_quota) || (q->rate >= 0 && cost > q->rate))
		return HOLD_NEVER;
	if (q->recv_quota >= 0 && ml->spent + cost > q->recv_quota)
		return HOLD_CREDIT;
	if (q->rate >= 0 && rate_used(ml->x->msg) + cost > (uint64_t)q->rate)
		return HOLD_RATE;
	return ep && ep->type->queued(ep) >= WINDOW ? HOLD_ROOM : HOLD_NONE;
}

int msg_lane_send(struct msg_lane *ml, const struct bus_body *body)
{
	struct msg_rail *mr = ml->x->msg;
	struct buf *b = proto_req(ml->x->lanes[ml->idx], CMD_MSG, 0);
	uint32_t flags = htole32(MSG_ONLY);
	size_t at;
	int rc;

	buf_add(b, body->image, BUS_SRC_SZ);
	buf_be64(b, body->m.gn);
	buf_raw32(b, flags);
	at = b->len;
	buf_add(b, body->image, body->size);
	bus_body_stamp(body, b->p + at);
	rc = proto_put(ml->x->lanes[ml->idx], b);
	if (rc)
		return rc;
	ml->spent += body->cost;
	mr->rate_used = rate_used(mr) + body->cost;
	mr->rate_s = wall_us() / SEC_US;
	return 0;
}

/* Is there a reason not to give it to this peer at all? */
static bool unfit(const struct xprt *x, const struct bus_body *body, enum bus_loss *ret_why)
{
	const struct bus_msg *m = &body->m;

	if (m->hop_cnt >= BUS_HOPS)
		*ret_why = BUS_LOST_HOPS;
	else if (MSG_PART_SZ + body->size > EP_MSG_MAX)
		*ret_why = BUS_LOST_LONG;
	else if (!perm_allows(x->uid, x->gid, PERM_READ, m->uid, m->gid, m->perm))
		*ret_why = BUS_LOST_ACCESS;
	else
		return false;
	return true;
}

static void send_waiting(struct msg_lane *ml)
{
	struct bus_body *body;

	ev_timer_stop(ev_of(ml), &ml->wait);
	ml->hold = HOLD_NONE;
	if (!ml->x->up)
		return;
	while ((body = bus_port_head(&ml->port))) {
		enum bus_loss why;
		enum msg_hold hold;

		if (unfit(ml->x, body, &why)) {
			bus_body_put(bus_port_lose(&ml->port, why));
			continue;
		}
		hold = msg_lane_may_send(ml, body->cost);
		if (hold == HOLD_NEVER) {
			bus_body_put(bus_port_lose(&ml->port, BUS_LOST_QUOTA));
			continue;
		}
		if (hold) {
			msg_lane_hold(ml, hold);
			return;
		}
		bus_body_put(msg_lane_send(ml, body) ? bus_port_lose(&ml->port, BUS_LOST_GONE)
						     : bus_port_done(&ml->port));
	}
}

static void turn(struct bus_port *p)
{
	send_waiting((struct msg_lane *)((char *)p - offsetof(struct msg_lane, port)));
}

/* -- waiting ------------------------------------------------------------------------------------------------------- */

/* Until the next second of the wall clock. */
static double second_left(void)
{
	return (double)(SEC_US - wall_us() % SEC_US) / SEC_US;
}

void msg_lane_hold(struct msg_lane *ml, enum msg_hold hold)
{
	const struct bus_limits *lim = ml->port.bus ? &ml->port.bus->lim : &bus_limits_dflt;
	struct ep *ep = ep_of(ml);

	ml->hold = hold;
	if (!ep)
		return;
	ml->pending = ep->type->queued(ep);
	ev_timer_stop(ev_of(ml), &ml->wait);
	ev_now_update(ev_of(ml));
	ev_timer_set(&ml->wait,
		     hold == HOLD_RATE ? second_left()
				       : (double)(hold == HOLD_ROOM ? lim->stall_us : lim->credit_us) / SEC_US,
		     0);
	ev_timer_start(ev_of(ml), &ml->wait);
}

/* It takes nothing: what waits for it is no use to anybody, and those who sent it wait to be paid. */
static void stall(struct msg_lane *ml)
{
	static struct rare rare;
	unsigned long n, held;

	if (!bus_port_head(&ml->port)) /* it is only that xprt_msg_send() waits */
		return;
	n = bus_port_stall(&ml->port, true);
	if (rare_now(&rare, &held))
		log_warning("msg",
			    "%s: %s; %lu messages for it are dropped, and what comes until it does (%lu other peers of "
			    "this kind since the last line)",
			    ml->x->peer,
			    ml->hold == HOLD_ROOM ? "does not read" : "takes messages but gives no credit back", n,
			    held);
}

static void wait_cb(struct ev_loop *ev, ev_timer *w, int events)
{
	struct msg_lane *ml = w->data;
	struct ep *ep = ep_of(ml);

	if (ml->hold == HOLD_RATE || !ep)
		msg_lane_go(ml);
	else if (ml->hold == HOLD_ROOM && ep->type->queued(ep) < ml->pending)
		msg_lane_hold(ml, HOLD_ROOM); /* it is slow, but takes some */
	else
		stall(ml);
}

void msg_lane_go(struct msg_lane *ml)
{
	struct xprt *x = ml->x;
	struct msg_rail *mr = x->msg;

	if (!x->up)
		return;
	if (ml->port.stalled) {
		unsigned long n = bus_port_stall(&ml->port, false);

		log_info("msg", "%s: takes messages again; %lu were dropped meanwhile", x->peer, n);
	}
	send_waiting(ml);
	if (!mr->want_credit)
		return;
	mr->want_credit = false;
	if (x->ev->credit)
		x->ev->credit(x, x->arg);
}

static void go_cb(struct loop_job *job)
{
	msg_lane_go((struct msg_lane *)((char *)job - offsetof(struct msg_lane, go)));
}

void msg_rail_drained(struct lane *lane)
{
	struct xprt *x = lane->x;

	if (x && x->msg && x->msg->lanes[lane->idx].hold == HOLD_ROOM)
		loop_post(x->loop, &x->msg->lanes[lane->idx].go);
}

/* -- life ---------------------------------------------------------------------------------------------------------- */

struct msg_rail *msg_rail_of(struct xprt *x)
{
	struct msg_rail *mr = x->msg;

	if (mr)
		return mr;
	mr = xcalloc(1, sizeof(*mr) + x->n_eps * sizeof(mr->lanes[0]));
	mr->ports = xcalloc(x->n_eps, sizeof(struct bus_port *));
	LIST_INIT(&mr->subs);
	for (unsigned int i = 0; i < x->n_eps; i++) {
		struct msg_lane *ml = &mr->lanes[i];

		ml->x = x;
		ml->idx = i;
		ml->go.fn = go_cb;
		ml->more = (struct qgroup_wait){ .loop = x->loop, .job = { .fn = msg_pay_more } };
		ev_init(&ml->wait, wait_cb);
		ml->wait.data = ml;
		LIST_INIT(&ml->parts);
		bus_port_open(&ml->port, x->env->bus, x->loop, turn);
		mr->ports[i] = &ml->port;
	}
	x->msg = mr;
	return mr;
}

void msg_rail_up(struct xprt *x)
{
	if (x->quota_late)
		msg_quota_send(x);
	for (unsigned int i = 0; x->msg && i < x->n_eps; i++)
		send_waiting(&x->msg->lanes[i]);
}

static void subs_free(struct msg_rail *mr)
{
	while (!LIST_EMPTY(&mr->subs)) {
		struct bus_sub *s = LIST_FIRST(&mr->subs);

		LIST_REMOVE(s, peers);
		bus_sub_free(s);
	}
	mr->subs_n = 0;
}

void msg_rail_down(struct xprt *x)
{
	struct msg_rail *mr = x->msg;

	if (!mr)
		return;
	subs_free(mr);
	for (unsigned int i = 0; i < x->n_eps; i++) {
		struct msg_lane *ml = &mr->lanes[i];

		ev_timer_stop(ev_of(ml), &ml->wait);
		msg_parts_free(ml);
		bus_port_close(&ml->port);
		qgroup_wait_end(x->env->qgroup, &ml->more);
		ml->withheld = 0;
		bus_origin_close(ml->from);
		ml->from = NULL;
	}
}

void msg_rail_off(struct xprt *x)
{
	x->msg_on = false;
	if (x->msg)
		subs_free(x->msg);
}

void msg_rail_free(struct xprt *x)
{
	if (!x->msg)
		return;
	free(x->msg->ports);
	free(x->msg);
}

int64_t xprt_msg_unpaid(const struct xprt *x)
{
	int64_t sum = 0;

	for (unsigned int i = 0; x->msg && i < x->n_eps; i++)
		sum += x->msg->lanes[i].spent > 0 ? x->msg->lanes[i].spent : 0;
	return sum;
}
