/* subs.c - see subs.h
 *
 * A sub that has news stands in its lane's queue.  For each that comes to its turn a parcel is made, a copy of what is
 * to be sent, from one moment; it goes as one message, or in fragments as far as the peer takes them, and only then
 * comes the next.  Where the peer does not take more, the queue waits for subs_drained().
 */
#include "xprt/subs.h"

#include <stdlib.h>

#include "core/base/xalloc.h"
#include "xprt/push.h"

#define PARCEL_KEPT (64u << 10) /* a lane keeps the buffer of a parcel up to this size */

struct parcel {
	struct buf b; /* room for a header, then the bytes of the image that go */
	struct sub *sub;
	size_t at, len; /* bytes sent, and all of them */
	size_t meta;    /* the first so many are the metadata, what follows stands elsewhere; 0: all in one run */
	size_t off;     /* of that run in the image */
	size_t held;    /* bytes that count towards the memory for all peers */
};

struct lane_subs {
	struct lane *lane;
	struct sub *by_set;
	TAILQ_HEAD(, sub) turns;
	struct parcel parcel;
	struct loop_job more; /* what waited for the peer can go on */
	bool running;
};

/* -- life ---------------------------------------------------------------------------------------------------------- */

static void run(struct lane_subs *ls);

static void sub_free(struct sub *sub)
{
	set_put(sub->set);
	free(sub);
}

static void changed_cb(struct set_watch *w)
{
	struct sub *sub = (struct sub *)((char *)w - offsetof(struct sub, watch));

	unsigned int before = atomic_fetch_add_explicit(&sub->news, 1, memory_order_acq_rel);

	if (!before)
		loop_post(sub->loop, &sub->job);
	else if (before >= sub->set->array_card) /* the ring is full of news: the oldest is gone */
		atomic_fetch_add_explicit(&sub->stats->pushes_merged, 1, memory_order_relaxed);
}

static void news_cb(struct loop_job *job)
{
	struct sub *sub = (struct sub *)((char *)job - offsetof(struct sub, job));

	if (!sub->of) {
		sub_free(sub);
		return;
	}
	if (!sub->queued)
		TAILQ_INSERT_TAIL(&sub->of->turns, sub, turn);
	sub->queued = true;
	run(sub->of);
}

static void more_cb(struct loop_job *job)
{
	struct lane_subs *ls = (struct lane_subs *)((char *)job - offsetof(struct lane_subs, more));

	if (!ls->lane)
		free(ls);
	else
		run(ls);
}

static struct lane_subs *subs_of(struct lane *lane)
{
	struct lane_subs *ls = lane->subs;

	if (ls)
		return ls;
	ls = lane->subs = xcalloc(1, sizeof(*ls));
	ls->lane = lane;
	ls->more.fn = more_cb;
	TAILQ_INIT(&ls->turns);
	return ls;
}

static struct set *set_by_id(struct lane *lane, uint64_t set_id)
{
	struct set *set = lane->ep->type->set_by_id(lane->ep, set_id);

	if (!set)
		proto_odd(lane->x, "a request about a set that it did not look up, or that is gone");
	return set;
}

struct sub *sub_get(struct lane *lane, uint64_t set_id)
{
	struct set *set = set_by_id(lane, set_id);
	struct lane_subs *ls;
	struct sub *sub;

	if (!set)
		return NULL;
	if (!proto_may_read(lane->x, set)) {
		proto_odd(lane->x, "a request to hear of a set that it may not read");
		return NULL;
	}
	ls = subs_of(lane);
	HASH_FIND_PTR(ls->by_set, &set, sub);
	if (sub)
		return sub;
	if (!xprt_allows(lane->x, REFUSE_PUSHES, lane->x->subs))
		return NULL;
	sub = xcalloc(1, sizeof(*sub));
	lane->x->subs++;
	sub->watch.changed = changed_cb;
	sub->job.fn = news_cb;
	sub->loop = lane->x->loop;
	sub->stats = &lane->x->env->stats;
	sub->of = ls;
	sub->set = set_get(set);
	sub->gn = set_gn(set);
	HASH_ADD_PTR(ls->by_set, set, sub);
	set_watch_add(set, &sub->watch);
	return sub;
}

struct sub *sub_find(struct lane *lane, uint64_t set_id)
{
	struct set *set = set_by_id(lane, set_id);
	struct sub *sub = NULL;

	if (set && lane->subs)
		HASH_FIND_PTR(lane->subs->by_set, &set, sub);
	if (set && !sub)
		proto_odd(lane->x, "the end of something that it did not ask for");
	return sub;
}

void sub_push_set(struct sub *sub, uint32_t flags, uint64_t push_id)
{
	bool was = sub->push_flags & PUSH_ON_CHANGE, is = flags & PUSH_ON_CHANGE;

	if (is != was)
		atomic_fetch_add(&sub->set->pushed, is ? 1u : -1u);
	if (!sub->push_flags || push_id != sub->push_id)
		sub->meta_gn = 0; /* another copy of the peer's: all begins anew */
	sub->push_flags = flags;
	sub->push_id = push_id;
}

static void parcel_drop(struct lane_subs *ls)
{
	struct parcel *p = &ls->parcel;

	p->sub = NULL;
	if (p->b.cap > PARCEL_KEPT)
		buf_fini(&p->b);
	else
		buf_reset(&p->b);
	xprt_release(ls->lane->x->env, p->held);
	p->held = 0;
}

static void sub_end(struct sub *sub)
{
	struct lane_subs *ls = sub->of;

	ls->lane->x->subs--;
	set_watch_del(sub->set, &sub->watch);
	sub_push_set(sub, 0, 0);
	HASH_DEL(ls->by_set, sub);
	if (sub->queued)
		TAILQ_REMOVE(&ls->turns, sub, turn);
	if (ls->parcel.sub == sub)
		parcel_drop(ls);
	sub->of = NULL;
	if (!sub->job.queued) /* else it frees */
		sub_free(sub);
}

void sub_settle(struct sub *sub)
{
	if (!sub->push_flags && !sub->notify)
		sub_end(sub);
}

void subs_set_gone(struct lane *lane, struct set *set)
{
	struct sub *sub = NULL;

	if (lane->subs)
		HASH_FIND_PTR(lane->subs->by_set, &set, sub);
	if (sub)
		sub_end(sub);
}

void subs_end(struct lane *lane)
{
	struct lane_subs *ls = lane->subs;
	struct sub *sub, *next;

	if (!ls)
		return;
	lane->subs = NULL;
	HASH_ITER(hh, ls->by_set, sub, next) {
		sub_end(sub);
	}
	buf_fini(&ls->parcel.b);
	ls->lane = NULL;
	if (!ls->more.queued && !ls->running) /* else it is freed there */
		free(ls);
}

/* -- parcels ------------------------------------------------------------------------------------------------------- */

/* Pack element k, and the metadata where the peer has not got those of today.  False: it is not what it was. */
static bool pack(struct lane_subs *ls, struct sub *sub, uint32_t k, uint64_t meta_gn)
{
	const struct set *s = sub->set;
	bool meta = meta_gn != sub->meta_gn;
	size_t elem = s->meta_sz + (size_t)k * s->data_sz;
	struct xprt_env *env = ls->lane->x->env;
	struct parcel *p = &ls->parcel;
	struct set_data d;
	uint8_t *to;

	p->len = s->data_sz + (meta ? s->meta_sz : 0);
	if (p->len > PARCEL_KEPT) {
		if (!xprt_hold(env, p->len)) {
			refuse(env, REFUSE_MEMORY, &ls->lane->ep->addr);
			return false;
		}
		p->held = p->len;
	}
	to = (uint8_t *)buf_reserve(&p->b, PUSH_HDR_SZ + p->len) + PUSH_HDR_SZ;
	if (meta)
		set_copy_elem(s, k, to);
	else
		set_copy(s, elem, s->data_sz, to);
	memcpy(&d, to + p->len - s->data_sz, sizeof(d));
	/* meanwhile the ring may have gone round: then it is newer than we thought, which is as good */
	if (le32toh(d.flags) != SET_TRANS_DONE || le64toh(d.gn) <= sub->gn) {
		parcel_drop(ls);
		return false;
	}
	p->sub = sub;
	p->at = 0;
	p->meta = meta && k ? s->meta_sz : 0;
	p->off = meta && !k ? 0 : elem;
	if (meta)
		sub->meta_gn = le64toh(((const struct set_meta *)to)->meta_gn);
	sub->gn = le64toh(d.gn);
	return true;
}

/* Send what is left of the parcel, as far as the peer takes it, or (all) whatever it takes.  True: it is sent. */
static bool parcel_send(struct lane_subs *ls, bool all)
{
	struct parcel *p = &ls->parcel;
	struct ep *ep = ls->lane->ep;
	size_t queued;

	while (p->at < p->len) {
		size_t end = p->at < p->meta ? p->meta : p->len, n = end - p->at;
		size_t off = p->at < p->meta ? p->at : p->off + p->at - p->meta;

		if (n > PUSH_DATA_MAX)
			n = PUSH_DATA_MAX;
		queued = ep->type->queued(ep);
		if (!all && queued && queued + n > PUSH_BACKLOG_MAX)
			return false;
		/* the header takes the place of bytes that are gone */
		push_header(p->b.p + p->at, p->sub->push_id, PUSH_F_PUSH | (p->at + n < p->len ? PUSH_F_MORE : 0), off,
			    n);
		if (ep->type->send(ep, p->b.p + p->at, PUSH_HDR_SZ + n))
			return false; /* the connection is ending */
		p->at += n;
	}
	atomic_fetch_add_explicit(&p->sub->stats->pushes_out, 1, memory_order_relaxed);
	if (p->sub->waiting)
		p->sub->waiting--;
	parcel_drop(ls);
	return true;
}

void sub_flush(struct sub *sub)
{
	struct lane_subs *ls = sub->of;

	if (ls->parcel.sub == sub)
		parcel_send(ls, true);
}

/* -- turns --------------------------------------------------------------------------------------------------------- */

static bool wants_push(const struct sub *sub)
{
	/* mirrors are pushed by whoever updates them, which here is always; samplers' sets only when a sample ends */
	return sub->push_flags & PUSH_ON_CHANGE || (sub->push_flags && !sub->set->local);
}

/* The oldest sample that the peer was not sent goes into a parcel; false when there is none. */
static bool pack_next(struct lane_subs *ls, struct sub *sub)
{
	uint32_t n = sub->set->array_card, newest;
	uint64_t few[16], *gns = few, meta_gn;
	bool found = false;

	if (set_gn(sub->set) == sub->gn)
		return false;
	if (n > sizeof(few) / sizeof(*few))
		gns = xmalloc(n * sizeof(*gns));
	newest = set_ring(sub->set, gns, &meta_gn);
	for (uint32_t i = 1; i <= n && !found; i++) {
		uint32_t k = (newest + i) % n;

		found = gns[k] > sub->gn && pack(ls, sub, k, meta_gn);
	}
	if (gns != few)
		free(gns);
	return found;
}

/* One parcel of this sub is made, and true; or it has had its turn. */
static bool turn(struct lane_subs *ls, struct sub *sub)
{
	unsigned int news = atomic_exchange_explicit(&sub->news, 0, memory_order_acq_rel);

	if (news && sub->notify)
		notify_send(ls->lane, sub->notify_xid);
	if (!wants_push(sub))
		return false;
	sub->waiting += news < sub->set->array_card ? news : sub->set->array_card; /* the others are counted already */
	if (pack_next(ls, sub))
		return true;
	if (sub->waiting) /* nothing of their own was sent for them */
		atomic_fetch_add_explicit(&sub->stats->pushes_merged, sub->waiting, memory_order_relaxed);
	sub->waiting = 0;
	return false;
}

static void run(struct lane_subs *ls)
{
	struct sub *sub;

	if (ls->running)
		return;
	ls->running = true;
	while (ls->lane && ls->lane->ep) {
		if (ls->parcel.sub && !parcel_send(ls, false))
			break;
		sub = TAILQ_FIRST(&ls->turns);
		if (!sub || ls->lane->ep->type->queued(ls->lane->ep) > PUSH_BACKLOG_MAX)
			break;
		if (turn(ls, sub))
			continue;
		TAILQ_REMOVE(&ls->turns, sub, turn);
		sub->queued = false;
	}
	ls->running = false;
	if (!ls->lane && !ls->more.queued)
		free(ls);
}

void subs_drained(struct ep *ep)
{
	struct lane *lane = ep->owner;
	struct lane_subs *ls = lane ? lane->subs : NULL;

	if (ls && !ls->running && (ls->parcel.sub || !TAILQ_EMPTY(&ls->turns)))
		loop_post(lane->x->loop, &ls->more);
}
