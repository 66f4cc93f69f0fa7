/* proto_send.c - SEND_MSG: bytes for the layer above.
 *
 *   request 5: 16 length BE u32 | 20 bytes.  xid 0, no reply.
 */
#include <errno.h>

#include "xprt/proto.h"

/* What a peer asks may overtake the last connections of its rail, and the answer may, too. */
static struct lane *first_lane(const struct xprt *x)
{
	struct lane *lane = x->lanes[0];

	return lane && lane->state == LANE_OPEN && !x->down && !x->closed ? lane : NULL;
}

int xprt_send(struct xprt *x, const void *bytes, size_t len, struct err *err)
{
	struct lane *lane = first_lane(x);
	struct buf *b;
	int rc;

	if (!lane)
		return err_set(err, -ENOTCONN, "%s: not connected", x->peer);
	if (len > SEND_MSG_MAX)
		return err_set(err, -EMSGSIZE, "%s: a message of %zu bytes; at most %d fit, split it", x->peer, len,
			       SEND_MSG_MAX);
	b = proto_req(lane, CMD_SEND_MSG, 0);
	buf_be32(b, (uint32_t)len);
	buf_add(b, bytes, len);
	rc = proto_put(lane, b);
	return rc ? err_set(err, rc, "%s: cannot be sent to: %s", x->peer, err_name(rc)) : 0;
}

size_t xprt_backlog(const struct xprt *x)
{
	const struct lane *lane = first_lane(x);

	return lane ? lane->ep->type->queued(lane->ep) : 0;
}

void send_msg_got(struct msg *m)
{
	uint32_t len = rd_be32(&m->r);
	const uint8_t *bytes = rd_take(&m->r, len);

	if (m->r.short_read)
		proto_violation(m->lane, "SEND_MSG does not hold the %u bytes that it announces", len);
	else if (m->x->ev->msg)
		m->x->ev->msg(m->x, m->x->arg, bytes, len);
	else
		proto_odd(m->x, "SEND_MSG; nobody reads it here");
}
