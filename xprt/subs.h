/* subs.h - what a peer has asked to be told of our sets: pushes of their samples, and notifications.
 *
 * A sample ends on a sampler's thread; that only counts it and posts to the loop of the peer, where it is sent.  What
 * has not been sent when the next sample ends is replaced by it, and so a peer that reads slowly gets fewer samples,
 * all of them whole, and costs the memory of one set: what would make more than PUSH_BACKLOG_MAX bytes wait is not sent
 * yet, unless it waits alone.  Of a set that keeps a ring of samples none is passed over as long as it is in the ring.
 */
#ifndef XPRT_SUBS_H
#define XPRT_SUBS_H

#include "core/set/watch.h"
#include "xprt/proto.h"

#define PUSH_BACKLOG_MAX (512u << 10) /* twice what is sent in one call */

struct sub { /* a set that the peer wants to hear of, on one lane */
	struct set_watch watch;
	struct loop_job job; /* posted by the writer's thread */
	struct loop *loop;
	struct xprt_stats *stats;
	struct lane_subs *of; /* NULL: given up, only the job still knows it */
	struct set *set;      /* a reference is held */
	atomic_uint news;     /* samples since the last look */
	TAILQ_ENTRY(sub) turn;
	bool queued; /* in of->turns */
	/* pushes */
	uint32_t push_flags;  /* enum push_when; 0: none */
	uint64_t push_id;     /* by which the peer knows it, raw */
	uint64_t meta_gn;     /* of the metadata that the peer has; 0: none */
	uint64_t gn;          /* of the newest sample that it was sent, or that it could read */
	unsigned int waiting; /* samples that nothing was sent for yet */
	/* notifications */
	bool notify;
	uint64_t notify_xid; /* of the request, raw */
	UT_hash_handle hh;   /* by set */
};

/* The peer's subscription to the set by that number; made if there is none.  NULL, counted, for a number that it was
 * not given and for a set that it may not read. */
struct sub *sub_get(struct lane *lane, uint64_t set_id);
/* NULL when there is none; counted. */
struct sub *sub_find(struct lane *lane, uint64_t set_id);
/* Push no more, or from now on; pushes begin with the next sample. */
void sub_push_set(struct sub *sub, uint32_t flags, uint64_t push_id);
/* What is being sent in pieces goes out whole: something of its own follows. */
void sub_flush(struct sub *sub);
/* Nothing is wanted any more?  Then forget it. */
void sub_settle(struct sub *sub);

/* A set is gone, the lane is going down. */
void subs_set_gone(struct lane *lane, struct set *set);
void subs_end(struct lane *lane);
void subs_drained(struct ep *ep); /* ep_events.drained */

#endif
