/* zap_got.c - the messages of the framing (see zap.h): what each does when it has come whole, and those by which a
 * connection is made.
 *
 * Each has a row in `zap_kinds`: how long it must be, when it may come, who handles it.
 */
#include <errno.h>
#include <stdio.h>

#include "core/base/rd.h"
#include "xprt/zap_impl.h"

static const uint8_t zap_version[4] = { 1, 3, 1, 0 };
static const uint8_t zap_signature[8] = "SOCKET\0";

static void got_connect(struct zap *z, const uint8_t *msg, uint32_t len);
static void got_accepted(struct zap *z, const uint8_t *msg, uint32_t len);
static void got_rejected(struct zap *z, const uint8_t *msg, uint32_t len);
static void got_ack(struct zap *z, const uint8_t *msg, uint32_t len);
static void got_message(struct zap *z, const uint8_t *msg, uint32_t len);
static void got_rendezvous(struct zap *z, const uint8_t *msg, uint32_t len);
static void got_read_req(struct zap *z, const uint8_t *msg, uint32_t len);
static void got_read_resp(struct zap *z, const uint8_t *msg, uint32_t len);
static void got_write_req(struct zap *z, const uint8_t *msg, uint32_t len);
static void got_write_resp(struct zap *z, const uint8_t *msg, uint32_t len);

const struct zap_kind zap_kinds[ZAP_TYPES] = {
	[ZAP_CONNECT] = { "CONNECT", ZAP_CONNECT_SZ, ZAP_SHORT_MAX, ZAP_IN(ZAP_WAIT_CONNECT), got_connect },
	[ZAP_SENDRECV] = { "SENDRECV", ZAP_SENDRECV_SZ, ZAP_MSG_MAX, ZAP_IN(ZAP_UP), got_message },
	[ZAP_RENDEZVOUS] = { "RENDEZVOUS", ZAP_RENDEZVOUS_SZ, ZAP_MSG_MAX, ZAP_IN(ZAP_UP), got_rendezvous },
	[ZAP_READ_REQ] = { "READ_REQ", ZAP_READ_REQ_SZ, ZAP_MSG_MAX, ZAP_IN(ZAP_UP), got_read_req },
	[ZAP_READ_RESP] = { "READ_RESP", ZAP_READ_RESP_SZ, UINT32_MAX, ZAP_IN(ZAP_UP), got_read_resp },
	[ZAP_WRITE_REQ] = { "WRITE_REQ", ZAP_WRITE_REQ_SZ, ZAP_MSG_MAX, ZAP_IN(ZAP_UP), got_write_req },
	[ZAP_WRITE_RESP] = { "WRITE_RESP", ZAP_WRITE_RESP_SZ, ZAP_MSG_MAX, ZAP_IN(ZAP_UP), got_write_resp },
	[ZAP_ACCEPTED] = { "ACCEPTED", ZAP_SENDRECV_SZ, ZAP_SHORT_MAX, ZAP_IN(ZAP_WAIT_ACCEPT), got_accepted },
	[ZAP_REJECTED] = { "REJECTED", ZAP_SENDRECV_SZ, ZAP_SHORT_MAX, ZAP_IN(ZAP_WAIT_ACCEPT), got_rejected },
	[ZAP_ACK_ACCEPTED] = { "ACK_ACCEPTED", ZAP_SENDRECV_SZ, ZAP_SHORT_MAX, ZAP_IN(ZAP_WAIT_ACK), got_ack },
};

/* A read's status as an errno. */
static const int status_errno[] = { 0,         EINVAL,     EIO,    ENOTCONN,   EADDRNOTAVAIL, ENETUNREACH, EFAULT,
				    ENOBUFS,   EBUSY,      ENOSPC, EPROTOTYPE, ECONNREFUSED,  ENOTCONN,    EHOSTUNREACH,
				    E2BIG,     EOPNOTSUPP, EPERM,  EFAULT,     EFAULT,        EPERM,       EOPNOTSUPP,
				    ETIMEDOUT, ETIMEDOUT,  EPIPE,  EOPNOTSUPP };

/* -- connecting ---------------------------------------------------------------------------------------------------- */

void zap_begin(struct zap *z)
{
	uint32_t len = ZAP_CONNECT_SZ + (uint32_t)z->conn.len, data_len = htobe32((uint32_t)z->conn.len);
	uint8_t *m = zap_msg(z, ZAP_CONNECT, len, zap_next_xid(z), NULL);

	z->state = ZAP_WAIT_ACCEPT;
	if (!m)
		return;
	memcpy(m + 20, zap_version, sizeof(zap_version));
	memcpy(m + 24, zap_signature, sizeof(zap_signature));
	memcpy(m + 32, &data_len, sizeof(data_len));
	memcpy(m + 36, z->conn.p, z->conn.len);
	buf_fini(&z->conn);
	zap_msg_done(z, len);
}

/* The data behind a header that ends with data_len at `at`; the words are for a length that lies. */
static const uint8_t *data_of(struct zap *z, const uint8_t *msg, uint32_t len, uint32_t at, uint32_t *ret_len)
{
	struct rd r = rd_over(msg + at, len - at);
	uint32_t n = rd_be32(&r);

	if (n > rd_left(&r)) {
		zap_fail(z, zap_blame(z), "%s of %u bytes says that it carries %u", zap_kinds[msg[1]].name, len, n);
		return NULL;
	}
	*ret_len = n;
	return rd_take(&r, n);
}

static void got_connect(struct zap *z, const uint8_t *msg, uint32_t len)
{
	const uint8_t *data;
	uint32_t n;

	if (memcmp(msg + 24, zap_signature, sizeof(zap_signature))) {
		zap_fail(z, XPRT_NOT_LDMS, "CONNECT without the signature of LDMS's sock transport");
		return;
	}
	if (msg[20] != zap_version[0] || msg[21] != zap_version[1]) {
		zap_fail(z, XPRT_VERSION, "CONNECT of transport version %u.%u; this is %u.%u", msg[20], msg[21],
			 zap_version[0], zap_version[1]);
		return;
	}
	data = data_of(z, msg, len, 32, &n);
	if (!data)
		return;
	z->state = ZAP_ASKED;
	buf_reset(&z->conn);
	buf_add(&z->conn, data, n); /* it may be asked again, on another loop */
	zap_ask_again(z);
}

void zap_ask_again(struct zap *z)
{
	z->ep.ev->asked(&z->ep, z->conn.p, z->conn.len);
}

int zap_accept(struct ep *ep, const void *conn, size_t len)
{
	struct zap *z = (struct zap *)ep;

	if (z->state != ZAP_ASKED)
		return -EINVAL;
	z->state = ZAP_WAIT_ACK;
	buf_fini(&z->conn);
	return zap_data(z, ZAP_ACCEPTED, conn, len);
}

void zap_reject(struct ep *ep, const char *why)
{
	struct zap *z = (struct zap *)ep;

	if (z->state == ZAP_ASKED)
		zap_data(z, ZAP_REJECTED, why, strlen(why) + 1);
	zap_close(ep);
}

static void got_ack(struct zap *z, const uint8_t *msg, uint32_t len)
{
	z->state = ZAP_UP;
	z->ep.ev->up(&z->ep);
}

static void got_accepted(struct zap *z, const uint8_t *msg, uint32_t len)
{
	uint32_t n;
	const uint8_t *data = data_of(z, msg, len, 20, &n);

	if (!data)
		return;
	z->state = ZAP_UP;
	zap_data(z, ZAP_ACK_ACCEPTED, NULL, 0); /* first of all, also when we do not like what it says */
	z->ep.ev->accepted(&z->ep, data, n);
	if (!zap_is_closed(z))
		z->ep.ev->up(&z->ep);
}

/* The texts by which a peer says why; real peers have no numbers for it. */
static const struct {
	const char *text;
	enum xprt_fail fail;
	const char *remedy;
} rejections[] = {
	{ "Auth mismatch", XPRT_AUTH, "; it wants another authentication method, see its `-a`" },
	{ "Version mismatch", XPRT_VERSION, "; it speaks another version of LDMS" },
};

static void got_rejected(struct zap *z, const uint8_t *msg, uint32_t len)
{
	uint32_t n, shown;
	const char *text = (const char *)data_of(z, msg, len, 20, &n);

	if (!text)
		return;
	n = (uint32_t)strnlen(text, n);
	for (size_t i = 0; i < sizeof(rejections) / sizeof(*rejections); i++) {
		if (n != strlen(rejections[i].text) || memcmp(text, rejections[i].text, n))
			continue;
		zap_fail(z, rejections[i].fail, "rejected: %s%s", rejections[i].text, rejections[i].remedy);
		return;
	}
	for (shown = 0; shown < n && text[shown] >= ' ' && text[shown] <= '~'; shown++)
		;
	zap_fail(z, XPRT_REFUSED, "rejected: %.*s", (int)shown, text);
}

/* -- connected ----------------------------------------------------------------------------------------------------- */

static void got_message(struct zap *z, const uint8_t *msg, uint32_t len)
{
	uint32_t n;
	const uint8_t *data = data_of(z, msg, len, 20, &n);

	if (data)
		z->ep.ev->message(&z->ep, data, n);
}

static void got_rendezvous(struct zap *z, const uint8_t *msg, uint32_t len)
{
	struct rd r = rd_over(msg + ZAP_HDR_SZ, len - ZAP_HDR_SZ);
	uint32_t key = rd_raw32(&r), acc = rd_be32(&r);
	uint64_t addr = rd_be64(&r);
	uint32_t map_len = rd_be32(&r);

	(void)acc;
	z->ep.ev->shared(&z->ep, key, addr, map_len, r.p, rd_left(&r));
}

static void got_read_req(struct zap *z, const uint8_t *msg, uint32_t len)
{
	struct rd r = rd_over(msg + 8, len - 8);
	uint32_t xid = rd_raw32(&r);
	const uint8_t *ctxt = rd_take(&r, 8);
	uint32_t key = rd_raw32(&r);
	uint64_t addr = rd_be64(&r);

	zap_map_read(z, xid, ctxt, key, addr, rd_be32(&r));
}

static void got_read_resp(struct zap *z, const uint8_t *msg, uint32_t len)
{
	struct rd r = rd_over(msg + 8, len - 8);
	uint32_t xid = rd_raw32(&r);
	const uint8_t *ctxt = rd_take(&r, 8);
	uint16_t status = rd_be16(&r);
	struct zap_read rq = z->reads[z->reads_head]; /* checked_len: there is one */
	uint32_t ours[2] = { rq.xid, 0 }, data_len;
	int rc = 0;

	rd_take(&r, 2 + 8);
	data_len = rd_be32(&r);
	if (xid != rq.xid || memcmp(ctxt, ours, sizeof(ours))) {
		zap_fail(z, XPRT_PROTO, "READ_RESP out of turn: reads must be answered in the order of asking");
		return;
	}
	if (status)
		rc = status < sizeof(status_errno) / sizeof(*status_errno) ? -status_errno[status] : -EIO;
	else if (data_len != rd_left(&r) || data_len != rq.len) {
		zap_fail(z, XPRT_PROTO, "READ_RESP of %u bytes says that it carries %u, %u were asked for", len,
			 data_len, rq.len);
		return;
	}
	z->reads_head = (z->reads_head + 1) & (z->reads_cap - 1);
	z->ep.reading--;
	z->ep.read_us = z->ep.heard_us;
	z->ep.ev->read_done(&z->ep, rq.ctxt, rc, rc ? NULL : r.p, rc ? 0 : data_len);
}

/* Whatever we say about access, nobody writes into our sets. */
static void got_write_req(struct zap *z, const uint8_t *msg, uint32_t len)
{
	uint32_t xid;
	uint16_t status = htobe16(ZAP_REMOTE_PERMISSION);
	uint8_t *m;

	memcpy(&xid, msg + 8, sizeof(xid));
	m = zap_msg(z, ZAP_WRITE_RESP, ZAP_WRITE_RESP_SZ, xid, msg + 12);
	refuse(z->ep.env, REFUSE_WRITE, &z->ep.addr);
	if (!m)
		return;
	memset(m + 20, 0, 4);
	memcpy(m + 20, &status, sizeof(status));
	zap_msg_done(z, ZAP_WRITE_RESP_SZ);
}

static void got_write_resp(struct zap *z, const uint8_t *msg, uint32_t len)
{
	zap_fail(z, XPRT_PROTO, "WRITE_RESP: nothing was asked to be written");
}
