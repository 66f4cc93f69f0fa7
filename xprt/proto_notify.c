/* proto_notify.c - notifications: a peer wants to know when a set of ours changes, and reads it when it likes.
 *
 *   REQ_NOTIFY (3)      16 set_id raw u64 | 24 flags BE u32: 0 all events, 1 the set has changed, 2 data of the user
 *   CANCEL_NOTIFY (4)   16 set_id raw u64
 *   event (0x105), with the xid of REQ_NOTIFY
 *                       20 type BE u32: 1 or 2 | 24 - | 28 length BE u32, 16 and the user's bytes | 32 0 u32 | 36 them
 *
 * There is no answer to the requests.  We ask for no events: those that come all the same (real servers send them to
 * whoever looked a set up) are passed over.
 */
#include "xprt/push.h"
#include "xprt/subs.h"

enum { EVENT_CHANGED = 1, EVENT_USER = 2 };

#define EVENT_LEN 16 /* without bytes of a user */

void req_notify_got(struct msg *m)
{
	uint64_t set_id = rd_raw64(&m->r);
	uint32_t flags = rd_be32(&m->r);
	struct sub *sub;

	if (flags && !(flags & EVENT_CHANGED))
		return; /* there are no others here */
	sub = sub_get(m->lane, set_id);
	if (!sub)
		return;
	sub->notify = true;
	sub->notify_xid = m->xid;
}

void cancel_notify_got(struct msg *m)
{
	struct sub *sub = sub_find(m->lane, rd_raw64(&m->r));

	if (!sub)
		return;
	sub->notify = false;
	sub_settle(sub);
}

void notify_send(struct lane *lane, uint64_t xid)
{
	struct buf *b = proto_reply(lane, CMD_NOTIFY_EVENT, xid, 0);

	buf_be32(b, EVENT_CHANGED);
	buf_be32(b, 0);
	buf_be32(b, EVENT_LEN);
	buf_be32(b, 0);
	proto_put(lane, b);
}

void notify_event_got(struct msg *m)
{
	proto_odd(m->x, "an event that nobody asked for");
}
