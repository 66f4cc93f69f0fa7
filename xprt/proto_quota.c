/* proto_quota.c - SEND_QUOTA, QUOTA_RECONFIG, RATE_RECONFIG: how much may be on its way.
 *
 *   SEND_QUOTA (10)       16 bytes given back BE u32 | 20 errno BE i32: 0, or 95: my bus is off, send nothing.
 *                         xid 0, no reply.  Always comes when a message is done with, also where no quota was set
 *   QUOTA_RECONFIG (17)   16 bytes outstanding from now on BE u64; for all connections of the rail
 *   RATE_RECONFIG (18)    16 bytes a second from now on BE u64
 */
#include "core/base/log.h"
#include "xprt/msg_rail.h"
#include "xprt/proto.h"

/* What is withheld, as far as the quota group has it. */
static void pay_withheld(struct msg_lane *ml)
{
	struct lane *lane = ml->x->lanes[ml->idx];
	uint64_t bytes = qgroup_spend(ml->x->env->qgroup, ml->withheld, &ml->more);

	ml->withheld -= bytes;
	while (bytes && lane->ep) {
		uint32_t part = bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX;
		struct buf *b = proto_req(lane, CMD_SEND_QUOTA, 0);

		buf_be32(b, part);
		buf_be32(b, 0);
		if (proto_put(lane, b))
			return;
		bytes -= part;
	}
}

void msg_pay(void *msg_lane, uint64_t bytes)
{
	struct msg_lane *ml = msg_lane;

	ml->withheld += bytes;
	pay_withheld(ml);
}

void msg_pay_more(struct loop_job *job)
{
	struct msg_lane *ml =
		(struct msg_lane *)((char *)job - offsetof(struct msg_lane, more) - offsetof(struct qgroup_wait, job));

	if (ml->withheld)
		pay_withheld(ml);
}

void send_quota_got(struct msg *m)
{
	uint32_t bytes = rd_be32(&m->r), rc = rd_be32(&m->r);
	struct xprt *x = m->x;
	struct msg_lane *ml;

	if (!x->msg) {
		proto_odd(x, "SEND_QUOTA for nothing");
		return;
	}
	ml = &x->msg->lanes[m->lane->idx];
	ml->spent -= bytes;
	if (rc && x->msg_on) {
		log_warning("msg", "%s: takes no messages (%s); `msg_enable` there", x->peer,
			    err_name((int)(rc & INT32_MAX)));
		msg_rail_off(x);
	}
	x->msg->want_credit = true; /* whoever counts what was paid back hears of it */
	msg_lane_go(ml);
}

/* For all connections: what is held may go now. */
static void go_all(struct xprt *x)
{
	for (unsigned int i = 0; x->msg && i < x->n_eps; i++)
		msg_lane_go(&x->msg->lanes[i]);
}

void quota_reconfig_got(struct msg *m)
{
	m->x->peer_quota.recv_quota = (int64_t)rd_be64(&m->r);
	go_all(m->x);
}

void rate_reconfig_got(struct msg *m)
{
	m->x->peer_quota.rate = (int64_t)rd_be64(&m->r);
	go_all(m->x);
}

static void reconfig_send(struct xprt *x, enum proto_cmd cmd, int64_t v)
{
	struct buf *b = proto_req(x->lanes[0], cmd, 0);

	buf_be64(b, (uint64_t)v);
	proto_put(x->lanes[0], b);
}

void msg_quota_send(struct xprt *x)
{
	x->quota_late = false;
	if (x->legacy)
		return;
	reconfig_send(x, CMD_QUOTA_RECONFIG, x->quota.recv_quota);
	reconfig_send(x, CMD_RATE_RECONFIG, x->quota.rate);
}

void xprt_quota_set(struct xprt *x, const struct xprt_quota *quota)
{
	const struct xprt_quota q = conn_quota(quota);

	if (q.recv_quota == x->quota.recv_quota && q.rate == x->quota.rate)
		return;
	x->quota = q;
	if (x->up)
		msg_quota_send(x);
	else
		x->quota_late = true;
}
