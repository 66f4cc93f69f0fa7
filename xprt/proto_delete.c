/* proto_delete.c - SET_DELETE: a set that the peer serves is gone.
 *
 *   request 9:   16 name length BE u32 (NUL counted) | 20 name with NUL
 *   reply 0x10a: 20 seconds BE i64 | 28 nanoseconds BE i64, when it was received (old peers send the header alone)
 *
 * We send it to those who follow our directory, and look at no answer: the memory that the peer might still read is
 * refused at once, and freed with its last reference.
 */
#include <time.h>

#include "xprt/proto.h"

void set_delete_got(struct msg *m)
{
	uint32_t len = rd_be32(&m->r);
	const char *name = (const char *)rd_take(&m->r, len);
	struct timespec now;
	struct buf *b;

	if (m->r.short_read || !len || name[len - 1] != '\0') {
		proto_violation(m->lane, "SET_DELETE does not hold a name of %u bytes", len);
		return;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	b = proto_reply(m->lane, CMD_SET_DELETE_REPLY, m->xid, 0);
	buf_be64(b, (uint64_t)now.tv_sec);
	buf_be64(b, (uint64_t)now.tv_nsec);
	proto_put(m->lane, b);
	dir_deleted(m->x, name);
}

/* As said above: nothing waits for it. */
void set_delete_reply_got(struct msg *m)
{
}

void set_delete_send(struct xprt *x, struct lane *lane, struct set *s)
{
	size_t len = strlen(s->name) + 1;
	struct buf *b = proto_req(lane, CMD_SET_DELETE, ++x->xid); /* never 0; the answer is not waited for */

	buf_be32(b, (uint32_t)len);
	buf_add(b, s->name, len);
	proto_put(lane, b);
}
