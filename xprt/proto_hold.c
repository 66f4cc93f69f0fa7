/* proto_hold.c - requests that come before it is known in which groups their sender is.
 *
 * What a peer may read depends on its groups, and the user database that knows them may be slow.  Its first requests
 * wait for it here, in order, but not for long: then they are answered as for somebody who is in no group but his own.
 * Of a peer that says much meanwhile no more is read.
 */
#include <stdlib.h>

#include "core/base/groups.h"
#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "xprt/proto.h"
#include "xprt/rare.h"

#define PATIENCE_US (2 * SEC_US) /* tools give up after 10 s, and so much is a lot for a local question */
#define BYTES_MAX   (4u << 20)   /* of requests that wait, but for the last: four of the largest */

struct hold {
	struct groups_wait wait; /* its job: they are known, or one of the requests may be answered now */
	struct xprt *x;          /* NULL: gone, only our job is still on its way */
	struct buf msgs;         /* struct held, and as many bytes; ... */
	size_t at;               /* of the first that waits still */
	bool passing;            /* ... it is being answered */
	uint64_t unread;         /* lanes that nothing is read from, a bit each */
	ev_timer patience;
};

struct held {
	struct lane *lane;
	size_t len;
};

static void hold_free(struct hold *h)
{
	buf_fini(&h->msgs);
	free(h);
}

void hold_end(struct xprt *x)
{
	struct hold *h = x->hold;

	if (!h)
		return;
	x->hold = NULL;
	h->x = NULL;
	ev_timer_stop(loop_ev(x->loop), &h->patience);
	xprt_release(x->env, h->msgs.len);
	if (groups_unwait(&h->wait))
		hold_free(h);
	/* else wait_cb() comes, or is what called us */
}

/* The next one, as if it came now. */
static void hold_answer(struct hold *h)
{
	struct held one;
	uint8_t *msg;

	memcpy(&one, h->msgs.p + h->at, sizeof(one));
	msg = xmalloc(one.len);
	memcpy(msg, h->msgs.p + h->at + sizeof(one), one.len);
	h->at += sizeof(one) + one.len;
	h->passing = true;
	proto_message(one.lane, msg, one.len);
	h->passing = false;
	free(msg);
}

static void read_on(struct xprt *x, uint64_t lanes)
{
	for (unsigned int i = 0; i < x->n_eps; i++) {
		const struct lane *lane = lanes >> i & 1 ? x->lanes[i] : NULL;

		if (lane && lane->ep)
			lane->ep->type->hold(lane->ep, false);
	}
}

/* One a turn: others want theirs.  What comes meanwhile goes behind them. */
static void wait_cb(struct loop_job *job)
{
	struct hold *h = (struct hold *)job;
	struct xprt *x;
	uint64_t unread;

	if (h->x)
		ev_timer_stop(loop_ev(h->x->loop), &h->patience);
	if (h->x && h->at < h->msgs.len)
		hold_answer(h);
	if (h->x && h->at < h->msgs.len) {
		loop_post(h->wait.loop, &h->wait.job);
		return;
	}
	x = h->x;
	unread = h->unread;
	if (x)
		hold_end(x);
	hold_free(h);
	if (x)
		read_on(x, unread);
}

static void patience_cb(struct ev_loop *ev, ev_timer *w, int events)
{
	struct hold *h = w->data;
	static struct rare rare;
	unsigned long held;

	(void)ev;
	(void)events;
	if (rare_now(&rare, &held))
		log_warning("xprt",
			    "%s: the user database does not say in which groups user %u is; the peer is served as a "
			    "member of group %u alone (%lu more like this since the last line)",
			    h->x->peer, h->x->uid, h->x->gid, held);
	if (groups_unwait(&h->wait))
		loop_post(h->wait.loop, &h->wait.job);
}

/* Root may do everything; where there are neither sets nor messages nobody asks for any. */
static bool groups_count(const struct xprt *x)
{
	return x->uid && (x->env->sets || x->env->bus);
}

void hold_begin(struct xprt *x)
{
	struct hold *h;

	if (!groups_count(x))
		return;
	h = xcalloc(1, sizeof(*h));
	h->wait.job.fn = wait_cb;
	h->wait.loop = x->loop;
	if (groups_need(x->env->users, x->loop, x->uid, &h->wait)) {
		free(h);
		return;
	}
	h->x = x;
	x->hold = h;
	ev_timer_init(&h->patience, patience_cb, (double)PATIENCE_US / SEC_US, 0);
	h->patience.data = h;
	ev_timer_start(loop_ev(x->loop), &h->patience);
}

bool hold_keeps(struct lane *lane, const void *msg, size_t len)
{
	struct xprt *x = lane->x;
	struct hold *h = x->hold;
	const struct held one = { .lane = lane, .len = len };

	if (!h && groups_count(x))
		groups_need(x->env->users, x->loop, x->uid, NULL); /* they stay up to date */
	if (!h || h->passing)
		return false;
	if (!xprt_hold(x->env, sizeof(one) + len)) {
		refuse(x->env, REFUSE_MEMORY, &x->addr);
		rail_down(x, XPRT_LIMIT,
			  "its requests wait for its user's groups, and the memory for all peers is used up");
		return true;
	}
	buf_add(&h->msgs, &one, sizeof(one));
	buf_add(&h->msgs, msg, len);
	if (h->msgs.len > BYTES_MAX) {
		static_assert(RAIL_EPS_MAX <= 64, "a bit for each lane");
		h->unread |= UINT64_C(1) << lane->idx;
		lane->ep->type->hold(lane->ep, true);
	}
	return true;
}
