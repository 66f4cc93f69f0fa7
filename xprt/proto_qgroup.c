/* proto_qgroup.c - QGROUP_ASK, QGROUP_DONATE, QGROUP_DONATE_BACK: members of a quota group help each other out.
 *
 *   14 ask, 15 donate, 16 give back what is left over: 16 bytes BE u64 | 24 window BE u64: microseconds since 1970.
 *   The xid is that of the ask in all three: its time in microseconds, BE.
 *
 * A real daemon without a group dies of an ask, so they go to configured members alone.  Nobody gets more out of us
 * than was asked for, and gives back more than he got.
 */
#include <errno.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "xprt/proto.h"
#include "xprt/qgroup.h"

static int send_one(struct lane *lane, enum proto_cmd cmd, uint64_t xid, uint64_t amount, int64_t window_us)
{
	struct buf *b = proto_req(lane, cmd, xid);

	buf_be64(b, amount);
	buf_be64(b, (uint64_t)window_us);
	return proto_put(lane, b);
}

int xprt_qgroup_ask(struct xprt *x, uint64_t amount, int64_t window_us)
{
	struct lane *lane = proto_lane(x, NULL);

	if (!lane)
		return -ENOTCONN;
	if (x->legacy)
		return -ENOTSUP;
	x->qgroup.asked_xid = htobe64((uint64_t)wall_us());
	x->qgroup.asked = amount;
	return send_one(lane, CMD_QGROUP_ASK, x->qgroup.asked_xid, amount, window_us);
}

static void read_two(struct msg *m, uint64_t *ret_amount, int64_t *ret_window_us)
{
	*ret_amount = rd_be64(&m->r);
	*ret_window_us = (int64_t)rd_be64(&m->r);
}

void qgroup_ask_got(struct msg *m)
{
	struct qgroup *q = m->x->env->qgroup;
	uint64_t amount, n = 0;
	int64_t window_us;

	read_two(m, &amount, &window_us);
	/* whoever may ask can leave us with nothing but the mark: it must be who runs daemons here */
	if (q && !m->x->legacy && (!m->x->uid || m->x->uid == geteuid()))
		n = qgroup_donate(q, amount, window_us);
	if (!n) {
		proto_odd(m->x, "QGROUP_ASK; nothing to donate");
		return;
	}
	m->x->qgroup.donated += n;
	send_one(m->lane, CMD_QGROUP_DONATE, m->xid, n, window_us);
}

void qgroup_donate_got(struct msg *m)
{
	struct qgroup *q = m->x->env->qgroup;
	uint64_t amount, rest;
	int64_t window_us;

	read_two(m, &amount, &window_us);
	if (!q || !m->x->qgroup.asked || m->xid != m->x->qgroup.asked_xid || amount > m->x->qgroup.asked) {
		proto_odd(m->x, "QGROUP_DONATE; not asked for");
		return;
	}
	m->x->qgroup.asked = 0;
	rest = qgroup_take(q, amount, window_us);
	if (rest)
		send_one(m->lane, CMD_QGROUP_DONATE_BACK, m->xid, rest, window_us);
}

void qgroup_donate_back_got(struct msg *m)
{
	struct qgroup *q = m->x->env->qgroup;
	uint64_t amount;
	int64_t window_us;

	read_two(m, &amount, &window_us);
	if (!q || amount > m->x->qgroup.donated) {
		proto_odd(m->x, "QGROUP_DONATE_BACK of what it was not given");
		return;
	}
	m->x->qgroup.donated -= amount;
	qgroup_back(q, amount, window_us);
}
