/* msg.c - what peers may say on the message bus, to both sides of a connection at once.
 *
 * Reaches: xprt/proto_msg.c, msg_part.c, msg_rail.c, proto_quota.c, proto_qgroup.c, bus*.c, qgroup.c.
 * Input: pieces (feed.h); the low bits of the selector say what the bytes become, its top bit who hears them (0: the
 * server, 1: the client):
 *   0 a message as it is, its inner length put right
 *   1 MSG: flags, number, then name and data behind a header that is right but for what the first byte spoils
 *   2 MSG_SUB: flags, then the channel  3 MSG_UNSUB, likewise
 *   4 SEND_QUOTA, QUOTA_RECONFIG or RATE_RECONFIG with a small number  5 messages of quota groups
 *   6 the process publishes  7 an answer to a subscription of ours, or the transport is stuck or goes on
 */
#include <stdio.h>

#include "tests/fuzz/feed.h"
#include "xprt/bus_impl.h"
#include "xprt/msg_rail.h"
#include "xprt/qgroup.h"

static struct qgroup group;
static struct xprt *client;
static struct bus_sub *local;

static void heard_cb(void *arg, const struct bus_msg *m)
{
	volatile size_t n = 0;

	for (uint32_t i = 0; i < m->len; i++) /* it is there */
		n += ((const uint8_t *)m->data)[i];
	if (strlen(m->channel) >= BUS_NAME_MAX)
		abort();
	if (m->len == 13) {
		bus_unsubscribe(local);
		local = NULL;
	}
}

static void answer_cb(struct xprt *x, void *arg, int rc, const char *text)
{
	if (strlen(text) >= ERR_MAX)
		abort();
	if (rc != -77)
		return;
	xprt_close(x); /* a callback may do that */
	client = NULL;
}

static void credit_cb(struct xprt *x, void *arg)
{
	const struct bus_msg m = { .channel = "back", .data = "data", .len = 4, .perm = 0777 };

	if (x->msg->lanes[0].spent < 40)
		xprt_msg_send(x, &m, NULL);
}

static void down_cb(struct xprt *x, void *arg, enum xprt_fail fail, const char *why)
{
	xprt_close(x);
	client = NULL;
}

static void ldms(struct buf *b, uint64_t xid, uint32_t cmd, const void *p, size_t len)
{
	uint32_t n = REQ_HDR_SZ + (uint32_t)len;

	feed_header(b, ZAP_SENDRECV, 4 + n);
	buf_be32(b, n);
	buf_raw64(b, xid);
	buf_be32(b, cmd);
	buf_be32(b, n);
	buf_add(b, p, len);
}

/* flags, number, spoiler, then name and data */
static void put_msg(struct buf *b, const struct piece *p)
{
	uint32_t len = p->len > 3 ? p->len - 3 : 0, cost = htobe32(len);
	struct buf m = { 0 };
	uint8_t *at;

	memset(buf_reserve(&m, 32 + BUS_HDR_SZ), 0, 32 + BUS_HDR_SZ);
	m.len = 32 + BUS_HDR_SZ;
	m.p[28] = p->len > 0 ? p->p[0] & 3 : 2;
	m.p[27] = p->len > 1 ? p->p[1] & 3 : 0;
	at = m.p + 32;
	memcpy(at + 64, &cost, sizeof(cost));
	memset(at + 80, 0xff, 4);
	if (p->len > 2 && p->p[2] & 0x80)
		at[(size_t)(p->p[2] & 0x7f) * 3] ^= p->p[2];
	if (len)
		buf_add(&m, p->p + 3, len);
	ldms(b, 0, CMD_MSG, m.p, m.len);
	buf_fini(&m);
}

static void put_sub(struct buf *b, const struct piece *p, enum proto_cmd cmd)
{
	struct buf m = { 0 };

	buf_raw32(&m, p->len ? p->p[0] & 1 : 0);
	buf_be64(&m, p->len > 1 && p->p[1] & 1 ? (uint64_t)p->p[1] : UINT64_MAX);
	buf_add(&m, p->p, p->len);
	if (p->len < 2 || !(p->p[1] & 2))
		buf_u8(&m, 0);
	ldms(b, 7, cmd, m.p, m.len);
	buf_fini(&m);
}

static void put_numbers(struct buf *b, const struct piece *p)
{
	static const enum proto_cmd cmds[] = { CMD_SEND_QUOTA,    CMD_SEND_QUOTA,        CMD_QUOTA_RECONFIG,
					       CMD_RATE_RECONFIG, CMD_QGROUP_ASK,        CMD_QGROUP_DONATE,
					       CMD_QGROUP_DONATE, CMD_QGROUP_DONATE_BACK };
	enum proto_cmd cmd = cmds[(p->sel & 7) == 4 ? (p->len & 3) : 4 + (p->len & 3)];
	struct buf m = { 0 };

	if (cmd == CMD_SEND_QUOTA) {
		buf_be32(&m, p->len ? p->p[0] : UINT32_MAX);
		buf_be32(&m, p->len > 1 && p->p[1] == 95 ? 95 : 0);
	} else {
		buf_be64(&m, p->len ? p->p[0] : UINT64_MAX);
		buf_be64(&m, p->len > 1 ? p->p[1] & 1 : 0);
	}
	ldms(b, client ? client->qgroup.asked_xid : 0, cmd, m.p, m.len);
	buf_fini(&m);
}

static void put_answer(struct buf *b, const struct piece *p)
{
	uint64_t xid = client && client->reqs ? client->reqs->xid : 1;
	struct buf m = { 0 };

	buf_be32(&m, p->len ? p->p[0] : 0); /* rc */
	buf_be32(&m, 3);
	buf_add(&m, p->len > 1 ? (const void *)(p->p + 1) : "OK", p->len > 1 ? p->len - 1 : 3);
	ldms(b, xid, p->len & 1 ? CMD_MSG_SUB_REPLY : CMD_MSG_UNSUB_REPLY, m.p, m.len);
	buf_fini(&m);
}

static void publish(const struct piece *p)
{
	char name[64];
	struct bus_msg m = { .channel = name, .data = p->p, .len = p->len, .perm = p->len & 1 ? 0777 : 0400 };

	snprintf(name, sizeof(name), "%.*s", p->len < 8 ? (int)p->len : 8, (const char *)p->p);
	bus_publish(fuzz.env.bus, &m, NULL);
	if (client)
		xprt_msg_send(client, &m, NULL);
	if (client && xprt_is_up(client))
		xprt_qgroup_ask(client, p->len, 0);
	if (client)
		xprt_msg_sub(client, name, p->len & 1, -1, answer_cb, NULL, NULL);
}

static void once(void)
{
	/* small, so that every bound is met */
	const struct bus_limits lim = {
		.queue_bytes = 4096,
		.queue_msgs = 8,
		.held_bytes = 16384,
		.channels = 8,
		.stall_us = 1,
		.credit_us = 1,
	};
	const struct qgroup_conf conf = {
		.quota = 500, .ask_mark = 20, .ask_amount = 100, .ask_us = 1, .reset_us = INT64_MAX
	};

	if (fuzz.env.bus)
		return;
	fuzz.env.bus = bus_new(&lim);
	fuzz.env.limits.subs = 4;
	fuzz.env.limits.parts_bytes = 4096;
	bus_enable(fuzz.env.bus, true);
	qgroup_init(&group);
	qgroup_conf_set(&group, &conf);
	qgroup_on(&group, NULL);
	fuzz.env.qgroup = &group;
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	static const struct xprt_events ev = { .down = down_cb, .credit = credit_cb };
	uint64_t lost[BUS_LOSSES];
	struct rd r = rd_over(in, len);
	struct buf b = { 0 };
	struct piece p;
	size_t held;

	feed_init();
	once();
	local = bus_subscribe(fuzz.env.bus, "^[a-m]", true, fuzz.loop, heard_cb, NULL, NULL);
	feed_peer("none");
	client = feed_client(&ev, NULL);
	feed_conn(&b, ZAP_ACCEPTED);
	zap_input(fuzz.client, b.p, b.len);
	while (fuzz.server && feed_piece(&r, &p)) {
		struct zap *to = p.sel & 0x80 && fuzz.client ? fuzz.client : fuzz.server;

		buf_reset(&b);
		switch (p.sel & 7) {
		case 0:
			ldms(&b, 0, p.len ? p.p[0] % 20 : 0, p.p + !!p.len, p.len - !!p.len);
			break;
		case 1:
			put_msg(&b, &p);
			break;
		case 2:
		case 3:
			put_sub(&b, &p, (p.sel & 7) == 2 ? CMD_MSG_SUB : CMD_MSG_UNSUB);
			break;
		case 4:
		case 5:
			put_numbers(&b, &p);
			break;
		case 6:
			publish(&p);
			break;
		default:
			if (p.sel & 0x40)
				fuzz.stuck = p.sel & 0x20;
			else
				put_answer(&b, &p);
			break;
		}
		if (b.len)
			zap_input(to, b.p, b.len);
		if (p.sel & 0x10)
			feed_settle();
	}
	fuzz.stuck = false;
	bus_unsubscribe(local);
	if (fuzz.server)
		zap_ended(fuzz.server, 0);
	if (fuzz.client)
		zap_ended(fuzz.client, 0);
	for (int i = 0; i < 8; i++)
		feed_settle();
	bus_totals(fuzz.env.bus, lost, &held);
	if (held || !LIST_EMPTY(&fuzz.env.bus->subs))
		abort(); /* whatever was said, nothing is kept for those who are gone */
	qgroup_off(&group);
	qgroup_on(&group, NULL);
	buf_fini(&b);
	return 0;
}
