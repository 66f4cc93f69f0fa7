/* proto_hold.c - requests that come before it is known in which groups their sender is.
 *
 * What a peer may read depends on its groups, and the user database that knows them may be slow.  Its first requests
 * wait for it here, in order, but not for long: then they are answered as for somebody who is in no group but his own.
 */
#include <stdlib.h>

#include "core/base/groups.h"
#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "xprt/proto.h"
#include "xprt/rare.h"

#define PATIENCE_US (2 * SEC_US) /* tools give up after 10 s, and so much is a lot for a local question */
#define BYTES_MAX   (4u << 20)   /* of requests that wait; four of the largest */

struct hold {
	struct groups_wait wait;
	struct xprt *x;  /* NULL: gone, only our job is still on its way */
	struct buf msgs; /* struct held, and as many bytes; ... */
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
	if (groups_unwait(&h->wait))
		hold_free(h);
	else
		buf_fini(&h->msgs); /* wait_cb() comes for the rest */
}

/* All that came, as if it came now. */
static void hold_release(struct xprt *x)
{
	struct buf msgs = x->hold->msgs;
	struct held one;

	x->hold->msgs = (struct buf){ 0 };
	hold_end(x);
	for (size_t at = 0; at < msgs.len && !x->down && !x->closed; at += sizeof(one) + one.len) {
		memcpy(&one, msgs.p + at, sizeof(one));
		proto_message(one.lane, msgs.p + at + sizeof(one), one.len);
	}
	buf_fini(&msgs);
}

static void wait_cb(struct loop_job *job)
{
	struct hold *h = (struct hold *)job;
	struct xprt *x = h->x;

	if (x)
		hold_release(x); /* which leaves the memory to us: the job is here */
	hold_free(h);
}

static void patience_cb(struct ev_loop *ev, ev_timer *w, int events)
{
	struct xprt *x = ((struct hold *)w->data)->x;
	static struct rare rare;
	unsigned long held;

	(void)ev;
	(void)events;
	if (rare_now(&rare, &held))
		log_warning("xprt",
			    "%s: the user database does not say in which groups user %u is; the peer is served as a "
			    "member of group %u alone (%lu more like this since the last line)",
			    x->peer, x->uid, x->gid, held);
	hold_release(x);
}

void hold_begin(struct xprt *x)
{
	struct hold *h;

	if (!x->uid || !x->env->sets)
		return; /* root may do everything; where nothing is served nothing is asked */
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

	if (!h) {
		if (x->uid && x->env->sets)
			groups_need(x->env->users, x->loop, x->uid, NULL); /* they stay up to date */
		return false;
	}
	if (h->msgs.len + sizeof(struct held) + len > BYTES_MAX) {
		proto_violation(lane, "more than %u bytes of requests before its user's groups are known", BYTES_MAX);
		return true;
	}
	buf_add(&h->msgs, &(struct held){ .lane = lane, .len = len }, sizeof(struct held));
	buf_add(&h->msgs, msg, len);
	return true;
}
