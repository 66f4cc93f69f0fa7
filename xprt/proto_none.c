/* proto_none.c - requests for what this daemon does not have: the polite answer, where one is known.
 *
 *   MSG (11)         -> SEND_QUOTA (10): 16 quota BE u32 = 0 | 20 rc BE = 95: do not send more
 *   MSG_SUB (12)     -> 0x10b with rc 95: 20 text length BE u32 | 24 text with NUL
 *   MSG_UNSUB (13)   -> 0x10c, the same
 *
 * Quota groups have no answer that says no; they are let pass.
 */
#include <errno.h>

#include "xprt/proto.h"

void ignored_got(struct msg *m)
{
	proto_odd(m->x, "a request or news that this daemon has no use for");
}

void msg_refused_got(struct msg *m)
{
	struct buf *b = proto_req(m->lane, CMD_SEND_QUOTA, 0);

	buf_be32(b, 0);
	buf_be32(b, EOPNOTSUPP);
	proto_put(m->lane, b);
}

static void sub_refuse(struct msg *m, enum proto_cmd cmd)
{
	static const char text[] = "LDMS Message Service disabled"; /* the words of real peers */
	struct buf *b = proto_reply(m->lane, cmd, m->xid, EOPNOTSUPP);

	buf_be32(b, sizeof(text));
	buf_add(b, text, sizeof(text));
	proto_put(m->lane, b);
}

void msg_sub_refused_got(struct msg *m)
{
	sub_refuse(m, CMD_MSG_SUB_REPLY);
}

void msg_unsub_refused_got(struct msg *m)
{
	sub_refuse(m, CMD_MSG_UNSUB_REPLY);
}
