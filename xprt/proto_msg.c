/* proto_msg.c - MSG, MSG_SUB, MSG_UNSUB: messages of the bus, and who wants them.
 *
 *   MSG (11)          16 source: family BE u16, port BE u16, 16 bytes of address | 36 number BE u64 |
 *                     44 flags LE u32: bit 0 more parts follow, bit 1 the first |
 *                     48 the message, or a part of it (bus_impl.h).  No reply but SEND_QUOTA
 *   MSG_SUB (12), MSG_UNSUB (13)
 *                     16 LE u32: bit 0 is it an expression, above it the length in an odd order, which nobody reads |
 *                     20 rate BE i64, -1: any | 28 channel or expression with NUL
 *   replies 0x10b, 0x10c
 *                     20 text length BE u32 | 24 text with NUL: "OK", also a failure may have rc 0
 *
 * Real peers die of a message in two parts, so ours have one; in parts we take them.  Peers of before rails die of all
 * of these.
 */
#include <errno.h>
#include <stdlib.h>

#include <byteswap.h>

#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "core/set/perm.h"
#include "xprt/msg_rail.h"
#include "xprt/proto.h"
#include "xprt/rare.h"

#define PART_MORE  1u
#define PART_FIRST 2u
#define SUB_REGEX  1u

static const char off_text[] = "LDMS Message Service disabled"; /* the words of real peers */

/* -- messages that come -------------------------------------------------------------------------------------------- */

static struct msg_lane *lane_of(struct msg *m)
{
	struct msg_lane *ml = &msg_rail_of(m->x)->lanes[m->lane->idx];

	if (!ml->from)
		ml->from = bus_origin_new(m->x->loop, msg_pay, ml);
	return ml;
}

/* Only root may speak in the name of others. */
static bool forged(const struct xprt *x, const struct bus_msg *m)
{
	return x->uid && (m->uid != x->uid || !perm_in_group(x->uid, x->gid, m->gid));
}

/* Has it more outstanding than we allow, and more than one message on top (it may have been on its way)? */
static bool overrun(const struct msg_lane *ml)
{
	int64_t quota = ml->x->quota.recv_quota;

	return quota >= 0 && ml->from->unpaid > (uint64_t)quota + BUS_MSG_MAX;
}

static void lost(struct msg_lane *ml, const char *channel, uint32_t cost, enum bus_loss why)
{
	static struct rare rares[BUS_LOSSES];
	unsigned long held;

	bus_lose(ml->x->env->bus, channel, cost, why);
	if (rare_now(&rares[why], &held))
		log_warning("msg", "%s: a message on channel %s is dropped: %s (%lu more since the last line)",
			    ml->x->peer, channel ? channel : "?", bus_loss_name(why), held);
}

/* A whole message came. */
static void take(struct msg *m, struct msg_lane *ml, const void *image, size_t len)
{
	struct bus *bus = m->x->env->bus;
	struct bus_body *body;
	const char *channel;
	struct err err;
	uint32_t cost;

	channel = bus_image_channel(image, len, &cost);
	if (!channel) {
		proto_violation(m->lane, "MSG of %zu bytes is cut, or names no channel of up to %d bytes", len,
				BUS_NAME_MAX - 1);
		return;
	}
	ml->from->unpaid += cost;
	if (bus_body_parse(bus, image, len, &body, &err)) {
		lost(ml, channel, cost, BUS_LOST_MEMORY);
		bus_origin_owe(ml->from, cost);
		return;
	}
	body->from = bus_origin_get(ml->from);
	if (overrun(ml)) {
		lost(ml, channel, cost, BUS_LOST_OVERRUN);
	} else if (forged(m->x, &body->m)) {
		lost(ml, channel, cost, BUS_LOST_FORGED);
	} else {
		bus_body_arrived(body, &m->x->addr);
		bus_route(bus, body);
	}
	bus_body_put(body);
}

/* What is said to who publishes where the bus is off. */
static void say_off(struct msg *m, const struct msg_part_hdr *h, const void *bytes, size_t len)
{
	struct bus *bus = m->x->env->bus;
	const char *channel;
	struct buf *b;
	uint32_t cost;

	channel = bus && h->first && !h->more ? bus_image_channel(bytes, len, &cost) : NULL;
	if (channel)
		bus_tell_off(bus, channel, m->x->peer);
	b = proto_req(m->lane, CMD_SEND_QUOTA, 0);
	buf_be32(b, 0);
	buf_be32(b, EOPNOTSUPP);
	proto_put(m->lane, b);
}

void msg_got(struct msg *m)
{
	struct msg_part_hdr h = { .src = rd_take(&m->r, BUS_SRC_SZ), .gn = rd_be64(&m->r) };
	uint32_t flags = rd_le32(&m->r), cost;
	size_t len = rd_left(&m->r);
	const uint8_t *bytes = rd_take(&m->r, len);
	struct buf whole = { 0 };
	struct msg_lane *ml;
	int rc;

	h.first = flags & PART_FIRST;
	h.more = flags & PART_MORE;
	if (m->x->legacy) {
		proto_odd(m->x, "MSG of a peer of before the message bus");
		return;
	}
	if (!bus_enabled(m->x->env->bus)) {
		say_off(m, &h, bytes, len);
		return;
	}
	ml = lane_of(m);
	if (h.first && !h.more) {
		take(m, ml, bytes, len);
		return;
	}
	if (msg_part_add(ml, &h, bytes, len, &whole, &rc, &cost)) {
		take(m, ml, whole.p, whole.len);
	} else if (rc == -ENOBUFS) {
		ml->from->unpaid += cost;
		lost(ml, NULL, cost, BUS_LOST_MEMORY);
		bus_origin_owe(ml->from, cost);
	} else if (rc) {
		proto_violation(m->lane, "MSG: a part of %zu bytes does not belong to any message", len);
	}
	buf_fini(&whole);
}

/* -- the peer subscribes ------------------------------------------------------------------------------------------- */

static void sub_answer(struct msg *m, enum proto_cmd cmd, int rc, const char *text)
{
	struct buf *b = proto_reply(m->lane, cmd, m->xid, (uint32_t)-rc);
	size_t len = strlen(text) + 1;

	buf_be32(b, (uint32_t)len);
	buf_add(b, text, len);
	proto_put(m->lane, b);
}

/* The rest of the request; false when it is none. */
static bool sub_read(struct msg *m, bool *ret_regex, int64_t *ret_rate, const char **ret_match)
{
	size_t left;

	*ret_regex = rd_le32(&m->r) & SUB_REGEX;
	*ret_rate = (int64_t)rd_be64(&m->r);
	left = rd_left(&m->r);
	*ret_match = (const char *)rd_take(&m->r, left);
	if (left && memchr(*ret_match, 0, left))
		return true;
	proto_violation(m->lane, "a subscription whose channel has no end");
	return false;
}

/* A rail has one subscription for each text, be it a name or an expression. */
static struct bus_sub *sub_find(const struct xprt *x, const char *match)
{
	struct bus_sub *s;

	if (!x->msg)
		return NULL;
	LIST_FOREACH(s, &x->msg->subs, peers)
		if (!strcmp(s->match, match))
			return s;
	return NULL;
}

void msg_sub_got(struct msg *m)
{
	struct bus *bus = m->x->env->bus;
	struct bus_sub_conf conf = { .desc = "remote_client", .dest = m->x->peer, .n_ports = m->x->n_eps };
	struct msg_rail *mr;
	struct bus_sub *s;
	struct err err;
	int rc;

	if (m->x->legacy) {
		proto_odd(m->x, "MSG_SUB of a peer of before the message bus");
		return;
	}
	if (!sub_read(m, &conf.regex, &conf.rate, &conf.match))
		return;
	if (!bus_enabled(bus)) {
		sub_answer(m, CMD_MSG_SUB_REPLY, -EOPNOTSUPP, off_text);
		return;
	}
	if (sub_find(m->x, conf.match)) {
		sub_answer(m, CMD_MSG_SUB_REPLY, -EEXIST, "Subscription already existed");
		return;
	}
	mr = msg_rail_of(m->x);
	if (!xprt_allows(m->x, REFUSE_SUBS, mr->subs_n)) {
		sub_answer(m, CMD_MSG_SUB_REPLY, -ENOBUFS, "Too many subscriptions of one peer");
		return;
	}
	conf.ports = mr->ports;
	rc = bus_sub_new(bus, &conf, &s, &err);
	if (rc) {
		sub_answer(m, CMD_MSG_SUB_REPLY, rc, err.msg);
		return;
	}
	LIST_INSERT_HEAD(&mr->subs, s, peers);
	mr->subs_n++;
	m->x->msg_on = true; /* since it connected, its bus may have been switched on */
	sub_answer(m, CMD_MSG_SUB_REPLY, 0, "OK");
}

void msg_unsub_got(struct msg *m)
{
	const char *match;
	struct bus_sub *s;
	int64_t rate;
	bool regex;

	if (m->x->legacy) {
		proto_odd(m->x, "MSG_UNSUB of a peer of before the message bus");
		return;
	}
	if (!sub_read(m, &regex, &rate, &match))
		return;
	s = sub_find(m->x, match);
	if (!s && !bus_enabled(m->x->env->bus)) {
		sub_answer(m, CMD_MSG_UNSUB_REPLY, -EOPNOTSUPP, off_text);
		return;
	}
	if (!s) {
		sub_answer(m, CMD_MSG_UNSUB_REPLY, -ENOENT, "Subscription not found");
		return;
	}
	LIST_REMOVE(s, peers);
	m->x->msg->subs_n--;
	bus_sub_free(s);
	sub_answer(m, CMD_MSG_UNSUB_REPLY, 0, "OK");
}

/* -- we subscribe -------------------------------------------------------------------------------------------------- */

struct sub_req {
	struct req req;
	xprt_msg_fn fn;
	void *arg;
};

static void sub_done(struct req *rq, int rc, const char *text)
{
	struct xprt *x = rq->lane->x;
	struct sub_req sr = *(struct sub_req *)rq;

	req_del(rq);
	if (sr.fn)
		sr.fn(x, sr.arg, rc, text);
}

static void sub_expired(struct req *rq)
{
	sub_done(rq, -ETIMEDOUT, "no answer in time");
}

static const struct req_type sub_type = { "subscription", sub_expired }, unsub_type = { "unsubscription", sub_expired };

static void reply_got(struct msg *m, const struct req_type *type)
{
	struct req *rq = req_find(m->lane, m->xid, type);
	char text[ERR_MAX] = "";
	size_t len;

	if (!rq) {
		proto_odd(m->x, "an answer to a subscription that was not asked for");
		return;
	}
	rd_be32(&m->r);
	len = rd_left(&m->r) < sizeof(text) - 1 ? rd_left(&m->r) : sizeof(text) - 1;
	if (!m->r.short_read)
		memcpy(text, rd_take(&m->r, len), len);
	if (!m->rc && strcmp(text, "OK")) /* real peers fail with 0 */
		m->rc = EINVAL;
	sub_done(rq, m->rc <= INT32_MAX ? -(int)m->rc : -EPROTO, text);
}

void msg_sub_reply_got(struct msg *m)
{
	reply_got(m, &sub_type);
}

void msg_unsub_reply_got(struct msg *m)
{
	reply_got(m, &unsub_type);
}

bool xprt_msg_enabled(const struct xprt *x)
{
	return x->up && x->msg_on && !x->legacy;
}

static int sub_ask(struct xprt *x, enum proto_cmd cmd, const struct req_type *type, const char *match, bool regex,
		   int64_t rate, xprt_msg_fn fn, void *arg, struct err *err)
{
	struct lane *lane = proto_lane(x, err);
	size_t len = strlen(match) + 1;
	struct sub_req *sr;
	struct buf *b;
	int rc;

	if (!lane)
		return -ENOTCONN;
	if (!xprt_msg_enabled(x))
		return err_set(err, -ENOTSUP,
			       "%s: its message bus is off; `msg_enable` there, before it is connected to", x->peer);
	if (len < 2 || len > BUS_NAME_MAX)
		return err_set(err, -EINVAL, "%s: '%.32s' is no channel: a name has 1 to %d bytes", x->peer, match,
			       BUS_NAME_MAX - 1);
	sr = xcalloc(1, sizeof(*sr));
	sr->fn = fn;
	sr->arg = arg;
	req_add(lane, &sr->req, type);
	b = proto_req(lane, cmd, sr->req.xid);
	buf_raw32(b, htole32((bswap_32((uint32_t)len) & INT32_MAX) << 1 | (regex ? SUB_REGEX : 0)));
	buf_be64(b, (uint64_t)rate);
	buf_add(b, match, len);
	rc = proto_put(lane, b);
	if (!rc)
		return 0;
	req_del(&sr->req);
	return err_set(err, rc, "%s: cannot be sent to: %s", x->peer, err_name(rc));
}

int xprt_msg_sub(struct xprt *x, const char *match, bool regex, int64_t rate, xprt_msg_fn fn, void *arg,
		 struct err *err)
{
	return sub_ask(x, CMD_MSG_SUB, &sub_type, match, regex, rate, fn, arg, err);
}

int xprt_msg_unsub(struct xprt *x, const char *match, bool regex, xprt_msg_fn fn, void *arg, struct err *err)
{
	return sub_ask(x, CMD_MSG_UNSUB, &unsub_type, match, regex, BUS_UNLIMITED, fn, arg, err);
}

/* -- we publish to one peer ---------------------------------------------------------------------------------------- */

int xprt_msg_send(struct xprt *x, const struct bus_msg *msg, struct err *err)
{
	struct bus_body *body;
	struct msg_lane *ml;
	enum msg_hold hold;
	bool waiting; /* others that came before it */
	int rc;

	if (!proto_lane(x, err))
		return -ENOTCONN;
	if (!xprt_msg_enabled(x))
		return err_set(err, -ENOTSUP, "%s: its message bus is off; `msg_enable` there", x->peer);
	rc = bus_body_new(NULL, msg, &body, err);
	if (rc)
		return rc;
	ml = &msg_rail_of(x)->lanes[bus_lane(body, x->n_eps)];
	waiting = bus_port_head(&ml->port);
	hold = waiting ? HOLD_ROOM : msg_lane_may_send(ml, body->cost);
	if (hold == HOLD_NEVER) {
		rc = err_set(
			err, -EMSGSIZE,
			"%s: a message of %u bytes on channel %s; it takes no more than %lld at once, %lld a second",
			x->peer, body->cost, msg->channel, (long long)x->peer_quota.recv_quota,
			(long long)x->peer_quota.rate);
	} else if (hold) {
		x->msg->want_credit = true;
		if (!waiting)
			msg_lane_hold(ml, hold);
		rc = err_set(err, -EAGAIN, "%s: it takes no more messages now", x->peer);
	} else {
		rc = msg_lane_send(ml, body);
		if (rc)
			err_set(err, rc, "%s: cannot be sent to: %s", x->peer, err_name(rc));
	}
	bus_body_put(body);
	return rc;
}
