/* proto.c - see proto.h: which message goes to whom, and the requests that wait for an answer.
 *
 * To add a message: its handler in proto_NAME.c, declared in proto.h, and a row below.
 */
#include "xprt/proto.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "xprt/announce.h"
#include "xprt/msg_rail.h"
/* last */
#include "core/base/small_hash.h"

struct row {
	const char *name;
	uint32_t min; /* bytes behind the header */
	void (*got)(struct msg *m);
};

static const struct row requests[] = {
	[CMD_DIR] = { "DIR", 4, dir_got },
	[CMD_DIR_CANCEL] = { "DIR_CANCEL", 0, dir_cancel_got },
	[CMD_LOOKUP] = { "LOOKUP", 8, lookup_got },
	[CMD_REQ_NOTIFY] = { "REQ_NOTIFY", 12, req_notify_got },
	[CMD_CANCEL_NOTIFY] = { "CANCEL_NOTIFY", 8, cancel_notify_got },
	[CMD_SEND_MSG] = { "SEND_MSG", 4, send_msg_got },
	[CMD_CANCEL_PUSH] = { "CANCEL_PUSH", 8, cancel_push_got },
	[CMD_SET_DELETE] = { "SET_DELETE", 4, set_delete_got },
	[CMD_SEND_QUOTA] = { "SEND_QUOTA", 8, send_quota_got },
	[CMD_MSG] = { "MSG", 32, msg_got },
	[CMD_MSG_SUB] = { "MSG_SUB", 12, msg_sub_got },
	[CMD_MSG_UNSUB] = { "MSG_UNSUB", 12, msg_unsub_got },
	[CMD_QGROUP_ASK] = { "QGROUP_ASK", 16, qgroup_ask_got },
	[CMD_QGROUP_DONATE] = { "QGROUP_DONATE", 16, qgroup_donate_got },
	[CMD_QGROUP_DONATE_BACK] = { "QGROUP_DONATE_BACK", 16, qgroup_donate_back_got },
	[CMD_QUOTA_RECONFIG] = { "QUOTA_RECONFIG", 8, quota_reconfig_got },
	[CMD_RATE_RECONFIG] = { "RATE_RECONFIG", 8, rate_reconfig_got },
};

#define REPLY_BASE 0x100

static const struct row replies[] = {
	[CMD_DIR_REPLY - REPLY_BASE] = { "DIR_REPLY", 12, dir_reply_got },
	[CMD_DIR_CANCEL_REPLY - REPLY_BASE] = { "DIR_CANCEL_REPLY", 0, ignored_got },
	[CMD_DIR_UPDATE - REPLY_BASE] = { "DIR_UPDATE", 12, dir_update_got },
	[CMD_LOOKUP_REPLY - REPLY_BASE] = { "LOOKUP_REPLY", 0, lookup_reply_got },
	[CMD_NOTIFY_EVENT - REPLY_BASE] = { "NOTIFY_EVENT", 0, notify_event_got },
	[CMD_PUSH - REPLY_BASE] = { "PUSH", 20, push_got },
	[CMD_SET_DELETE_REPLY - REPLY_BASE] = { "SET_DELETE_REPLY", 0, set_delete_reply_got },
	[CMD_MSG_SUB_REPLY - REPLY_BASE] = { "MSG_SUB_REPLY", 0, msg_sub_reply_got },
	[CMD_MSG_UNSUB_REPLY - REPLY_BASE] = { "MSG_UNSUB_REPLY", 0, msg_unsub_reply_got },
};

static const struct row *row_of(uint32_t cmd)
{
	const struct row *row = NULL;

	if (cmd < sizeof(requests) / sizeof(*requests))
		row = &requests[cmd];
	else if (cmd > REPLY_BASE && cmd - REPLY_BASE < sizeof(replies) / sizeof(*replies))
		row = &replies[cmd - REPLY_BASE];
	return row && row->name ? row : NULL;
}

void proto_violation(struct lane *lane, const char *fmt, ...)
{
	struct err why;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why.msg, sizeof(why.msg), fmt, ap);
	va_end(ap);
	rail_down(lane->x, XPRT_PROTO, why.msg);
}

void proto_odd(struct xprt *x, const char *what)
{
	x->odd++;
	refuse(x->env, REFUSE_ODD, &x->addr);
	log_debug("xprt", "%s: ignored: %s", x->peer, what);
}

/* Sets looked at for one peer in one turn: less than a millisecond, but for regular expressions. */
#define WORK_TURN 1024

void proto_work(struct lane *lane, size_t sets)
{
	struct ep *ep = lane->ep;

	if (!ep)
		return;
	ep->work += (unsigned int)sets + 1;
	if (ep->work >= WORK_TURN)
		ep->type->rest(ep);
}

static void auth_got(struct lane *lane, struct rd r)
{
	uint32_t len = rd_be32(&r);
	const uint8_t *bytes = rd_take(&r, len);

	if (r.short_read)
		proto_violation(lane, "AUTH_MSG does not hold the %u bytes that it announces", len);
	else if (lane->state != LANE_AUTH || lane->auth.done || !lane->auth.type->message)
		proto_violation(lane, "AUTH_MSG when nothing is being authenticated");
	else
		lane->auth.type->message(&lane->auth, bytes, len);
}

void proto_message(struct lane *lane, const void *bytes, size_t len)
{
	struct msg m = { .lane = lane, .x = lane->x, .r = rd_over(bytes, len) };
	const struct row *row;
	uint32_t cmd, msg_len, hdr = REQ_HDR_SZ;

	m.xid = rd_raw64(&m.r);
	cmd = rd_be32(&m.r);
	msg_len = rd_be32(&m.r);
	if (cmd > REPLY_BASE) {
		m.rc = rd_be32(&m.r);
		hdr = REPLY_HDR_SZ;
	}
	if (m.r.short_read || msg_len < hdr || msg_len > len) {
		proto_violation(lane, "message 0x%x of %zu bytes says that it has %u", cmd, len, msg_len);
		return;
	}
	m.r.end = (const uint8_t *)bytes + msg_len;
	if (cmd == CMD_AUTH_MSG) {
		auth_got(lane, m.r);
		return;
	}
	row = row_of(cmd);
	if (lane->state != LANE_OPEN) {
		refuse(lane->x->env, REFUSE_EARLY, &lane->x->addr);
		log_debug("xprt", "%s: ignored: a message before authentication is over", lane->x->peer);
		return;
	}
	if (!row) {
		proto_odd(lane->x, "a message of unknown kind");
		return;
	}
	lane->heard = true;
	if (rd_left(&m.r) < row->min) {
		proto_violation(lane, "%s of %zu bytes: too short", row->name, len);
		return;
	}
	lane->x->asked |= cmd == CMD_DIR || cmd == CMD_LOOKUP || cmd == CMD_SEND_MSG;
	if (cmd > REPLY_BASE || !hold_keeps(lane, bytes, msg_len))
		row->got(&m);
}

void proto_shared(struct lane *lane, uint32_t key, uint64_t addr, uint32_t map_len, const void *bytes, size_t len)
{
	struct msg m = { .lane = lane, .x = lane->x, .r = rd_over(bytes, len) };
	uint32_t cmd;

	m.xid = rd_raw64(&m.r);
	cmd = rd_be32(&m.r);
	rd_take(&m.r, 4); /* a length in one byte order or the other */
	if (m.r.short_read)
		proto_violation(lane, "RENDEZVOUS with %zu bytes of message: too short", len);
	else if (lane->state == LANE_OPEN && cmd == RENDEZVOUS_LOOKUP)
		lookup_shared(lane, key, addr, map_len, &m);
	else if (lane->state == LANE_OPEN && cmd == RENDEZVOUS_PUSH)
		push_register_got(lane, &m); /* what it exports beside is of no use: the data go in messages */
	else
		proto_odd(lane->x, "memory that nobody asked for");
}

/* -- messages that go ---------------------------------------------------------------------------------------------- */

static struct buf *begin(struct lane *lane, enum proto_cmd cmd, uint64_t xid)
{
	struct buf *b = &lane->x->io->text;

	buf_reset(b);
	buf_raw64(b, xid);
	buf_be32(b, cmd);
	buf_be32(b, 0); /* proto_put() */
	return b;
}

struct buf *proto_req(struct lane *lane, enum proto_cmd cmd, uint64_t xid)
{
	return begin(lane, cmd, xid);
}

struct buf *proto_reply(struct lane *lane, enum proto_cmd cmd, uint64_t xid, uint32_t rc)
{
	struct buf *b = begin(lane, cmd, xid);

	buf_be32(b, rc);
	return b;
}

int proto_put(struct lane *lane, struct buf *b)
{
	uint32_t len = htobe32((uint32_t)b->len);
	int rc;

	memcpy(b->p + 12, &len, sizeof(len));
	rc = lane->ep ? lane->ep->type->send(lane->ep, b->p, b->len) : -ENOTCONN;
	buf_reset(b);
	return rc;
}

struct lane *proto_lane(struct xprt *x, struct err *err)
{
	if (x->up)
		return x->lanes[0];
	err_set(err, -ENOTCONN, "%s: not connected", x->peer);
	return NULL;
}

struct lane *proto_next_lane(struct xprt *x, struct err *err)
{
	return proto_lane(x, err) ? x->lanes[x->next_lane++ % x->n_eps] : NULL;
}

/* -- answers that are due ------------------------------------------------------------------------------------------ */

#define ANSWER_CHECKS 4 /* how often in the time of one answer it is looked whether one is overdue */

/* A peer that says nothing at all is dropped, and one that does not answer reads: they are answered in turn, so all the
 * others would wait.  A single request that is not answered by one that lives just fails. */
static void answer_cb(struct ev_loop *ev, ev_timer *w, int events)
{
	struct xprt *x = w->data;
	int64_t now = mono_us(), limit = (int64_t)x->env->limits.answer_us;
	struct req *rq, *tmp;
	bool due = false;
	char text[32];

	for (unsigned int i = 0; i < x->n_eps; i++) {
		const struct ep *ep = x->lanes[i] ? x->lanes[i]->ep : NULL;
		struct err why;

		if (!ep || (!ep->waiting && !ep->reading))
			continue;
		due = true;
		if (now - ep->heard_us > limit)
			err_set(&why, 0, "%s: no answer to %u requests and %u reads within %s", x->peer, ep->waiting,
				ep->reading, unit_time_text(limit, text));
		else if (ep->reading && now - ep->read_us > limit)
			err_set(&why, 0, "%s: it talks, but the oldest of %u reads was not answered within %s", x->peer,
				ep->reading, unit_time_text(limit, text));
		else
			continue;
		rail_down(x, XPRT_TIMEOUT, why.msg);
		return;
	}
	HASH_ITER(hh, x->reqs, rq, tmp) {
		if (rq->settled || now - rq->since_us <= limit)
			continue;
		rq->type->expired(rq);
		if (!x->up)
			return;
	}
	if (!due)
		ev_timer_stop(ev, w);
}

void proto_await(struct lane *lane)
{
	struct xprt *x = lane->x;
	struct ep *ep = lane->ep;

	if (!ep->reading) {
		ep->read_us = mono_us();
		if (!ep->waiting)
			ep->heard_us = ep->read_us; /* its silence counts from now */
	}
	if (x->env->limits.answer_us > 0 && !ev_is_active(&x->answer))
		ev_timer_start(loop_ev(x->loop), &x->answer);
}

void req_add(struct lane *lane, struct req *rq, const struct req_type *type)
{
	struct xprt *x = lane->x;

	proto_await(lane);
	rq->xid = ++x->xid;
	rq->type = type;
	rq->lane = lane;
	rq->asked_us = rq->since_us = mono_us();
	HASH_ADD(hh, x->reqs, xid, sizeof(rq->xid), rq);
	lane->ep->waiting++;
}

struct req *req_find(struct lane *lane, uint64_t xid, const struct req_type *type)
{
	struct req *rq;

	HASH_FIND(hh, lane->x->reqs, &xid, sizeof(xid), rq);
	return rq && rq->type == type && rq->lane == lane ? rq : NULL;
}

void req_settle(struct req *rq)
{
	if (!rq->settled && rq->lane->ep)
		rq->lane->ep->waiting--;
	rq->settled = true;
}

void req_del(struct req *rq)
{
	req_settle(rq);
	HASH_DEL(rq->lane->x->reqs, rq);
	free(rq);
}

/* -- beginning and end --------------------------------------------------------------------------------------------- */

void proto_up(struct xprt *x)
{
	double every = (double)x->env->limits.answer_us / SEC_US / ANSWER_CHECKS;

	ev_timer_init(&x->answer, answer_cb, every, every);
	x->answer.data = x;
	hold_begin(x);
}

void proto_down(struct xprt *x)
{
	struct rset_impl *ri, *next;
	struct req *rq, *tmp;

	announce_leave(x);
	msg_rail_down(x);
	hold_end(x);
	ev_timer_stop(loop_ev(x->loop), &x->answer);
	for (ri = LIST_FIRST(&x->rsets); ri; ri = next) {
		next = LIST_NEXT(ri, entry);
		rset_orphan(ri);
	}
	x->dir = NULL;
	HASH_ITER(hh, x->reqs, rq, tmp) {
		req_del(rq);
	}
}
