/* proto_send.c - SEND_MSG: bytes for the layer above.
 *
 *   request 5: 16 length BE u32 | 20 bytes.  xid 0, no reply.
 */
#include <errno.h>

#include "xprt/proto.h"

int xprt_send(struct xprt *x, const void *bytes, size_t len, struct err *err)
{
	struct lane *lane = proto_lane(x, err);
	struct buf *b;
	int rc;

	if (!lane)
		return -ENOTCONN;
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
	const struct ep *ep = x->up ? x->lanes[0]->ep : NULL;

	return ep ? ep->type->queued(ep) : 0;
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
