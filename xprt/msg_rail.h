/* msg_rail.h - a peer's side of the message bus: what waits for it, what it owes us and what we owe it.
 *
 * Made when the first message or subscription comes or goes; most peers have none.  Each connection of a rail has
 * credit and a queue of its own.
 */
#ifndef XPRT_MSG_RAIL_H
#define XPRT_MSG_RAIL_H

#include "xprt/bus_impl.h"
#include "xprt/qgroup.h"
#include "xprt/xprt_impl.h"

#define MSG_PART_SZ 48 /* in front of the bytes of a message: request header 16, source 20, number 8, flags 4 */

/* Why nothing more goes to it now. */
enum msg_hold {
	HOLD_NONE,
	HOLD_ROOM,   /* it does not read so fast */
	HOLD_CREDIT, /* it is not done with what it has */
	HOLD_RATE,   /* it wants no more in this second */
	HOLD_NEVER,  /* more at once than it ever takes */
};

struct msg_lane {
	struct xprt *x;
	unsigned int idx;
	struct bus_port port; /* what waits for it */
	struct loop_job go;
	ev_timer wait; /* runs while something waits */
	enum msg_hold hold;
	size_t pending;          /* when the timer began */
	int64_t spent;           /* bytes that went and are not paid back; negative: extra credit */
	struct bus_origin *from; /* NULL: no message came here yet */
	uint64_t withheld;       /* to be paid when the quota group has more */
	struct qgroup_wait more;
	LIST_HEAD(, msg_part) parts;
	unsigned int parts_n;
	size_t parts_bytes;
};

struct msg_rail {
	int64_t rate_s; /* the second that rate_used is of */
	uint64_t rate_used;
	LIST_HEAD(, bus_sub) subs; /* its subscriptions here */
	unsigned int subs_n;
	bool want_credit;        /* xprt_msg_send() said -EAGAIN */
	struct bus_port **ports; /* of the lanes, for its subscriptions */
	struct msg_lane lanes[];
};

/* The peer's; made now when it has none. */
struct msg_rail *msg_rail_of(struct xprt *x);
void msg_rail_up(struct xprt *x);   /* all its connections are there */
void msg_rail_down(struct xprt *x); /* forget what waits */
void msg_rail_free(struct xprt *x);
void msg_rail_drained(struct lane *lane); /* ep_events.drained */

/* May a message that costs so much go now? */
enum msg_hold msg_lane_may_send(const struct msg_lane *ml, uint32_t cost);
int msg_lane_send(struct msg_lane *ml, const struct bus_body *body);
/* Something has changed: send what may go.  The peer may be gone after it. */
void msg_lane_go(struct msg_lane *ml);
/* Nothing may go now: look again in time. */
void msg_lane_hold(struct msg_lane *ml, enum msg_hold hold);

/* Its bus is off: it gets nothing any more. */
void msg_rail_off(struct xprt *x);

/* Parts of messages that are not complete (msg_part.c). */
struct msg_part_hdr {
	const uint8_t *src; /* BUS_SRC_SZ bytes */
	uint64_t gn;
	bool first, more;
};
/* One part came.  True: the message is complete and in *ret (yours).  Else it waits for more, or *ret_rc says why
 * not: -EPROTO: these are no parts of anything, -ENOBUFS: dropped, *ret_cost is to be paid back. */
bool msg_part_add(struct msg_lane *ml, const struct msg_part_hdr *h, const void *bytes, size_t len, struct buf *ret,
		  int *ret_rc, uint32_t *ret_cost);
void msg_parts_free(struct msg_lane *ml);

/* Tell the peer of x->quota (proto_quota.c). */
void msg_quota_send(struct xprt *x);
/* Pay so much back (proto_quota.c). */
void msg_pay(void *msg_lane, uint64_t bytes);
void msg_pay_more(struct loop_job *job); /* msg_lane.more: there is more to pay with */

#endif
