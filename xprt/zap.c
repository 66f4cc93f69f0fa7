/* zap.c - see zap.h: what comes in, and the life of an endpoint.
 *
 * Each message has a row in `kinds`: how long it must be, when it may come, who handles it.  Everything else of a peer
 * that does not keep to that ends its connection.
 */
#include "xprt/zap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/rd.h"
#include "core/base/xalloc.h"

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

#define IN(state) (1u << (state))

static const struct zap_kind {
	const char *name;
	uint32_t min, max;   /* bytes */
	unsigned int states; /* in which it may come */
	void (*got)(struct zap *z, const uint8_t *msg, uint32_t len);
} kinds[ZAP_TYPES] = {
	[ZAP_CONNECT] = { "CONNECT", ZAP_CONNECT_SZ, ZAP_SHORT_MAX, IN(ZAP_WAIT_CONNECT), got_connect },
	[ZAP_SENDRECV] = { "SENDRECV", ZAP_SENDRECV_SZ, ZAP_MSG_MAX, IN(ZAP_UP), got_message },
	[ZAP_RENDEZVOUS] = { "RENDEZVOUS", ZAP_RENDEZVOUS_SZ, ZAP_MSG_MAX, IN(ZAP_UP), got_rendezvous },
	[ZAP_READ_REQ] = { "READ_REQ", ZAP_READ_REQ_SZ, ZAP_MSG_MAX, IN(ZAP_UP), got_read_req },
	[ZAP_READ_RESP] = { "READ_RESP", ZAP_READ_RESP_SZ, UINT32_MAX, IN(ZAP_UP), got_read_resp },
	[ZAP_WRITE_REQ] = { "WRITE_REQ", ZAP_WRITE_REQ_SZ, ZAP_MSG_MAX, IN(ZAP_UP), got_write_req },
	[ZAP_WRITE_RESP] = { "WRITE_RESP", ZAP_WRITE_RESP_SZ, ZAP_MSG_MAX, IN(ZAP_UP), got_write_resp },
	[ZAP_ACCEPTED] = { "ACCEPTED", ZAP_SENDRECV_SZ, ZAP_SHORT_MAX, IN(ZAP_WAIT_ACCEPT), got_accepted },
	[ZAP_REJECTED] = { "REJECTED", ZAP_SENDRECV_SZ, ZAP_SHORT_MAX, IN(ZAP_WAIT_ACCEPT), got_rejected },
	[ZAP_ACK_ACCEPTED] = { "ACK_ACCEPTED", ZAP_SENDRECV_SZ, ZAP_SHORT_MAX, IN(ZAP_WAIT_ACK), got_ack },
};

/* A read's status as an errno. */
static const int status_errno[] = { 0,         EINVAL,     EIO,    ENOTCONN,   EADDRNOTAVAIL, ENETUNREACH, EFAULT,
				    ENOBUFS,   EBUSY,      ENOSPC, EPROTOTYPE, ECONNREFUSED,  ENOTCONN,    EHOSTUNREACH,
				    E2BIG,     EOPNOTSUPP, EPERM,  EFAULT,     EFAULT,        EPERM,       EOPNOTSUPP,
				    ETIMEDOUT, ETIMEDOUT,  EPIPE,  EOPNOTSUPP };

/* -- life ---------------------------------------------------------------------------------------------------------- */

static void rest_cb(struct loop_job *job)
{
	struct zap *z = (struct zap *)((char *)job - offsetof(struct zap, rest));

	z->ep.work = 0;
	if (!zap_is_closed(z))
		z->ops->resume(z);
}

void zap_rest(struct ep *ep)
{
	struct zap *z = (struct zap *)ep;

	z->held = true;
	z->rest.fn = rest_cb;
	loop_post(ep->loop, &z->rest);
}

void zap_hold(struct ep *ep, bool on)
{
	struct zap *z = (struct zap *)ep;

	z->paused = on; /* the carrier is told to stop when it next hands us bytes */
	if (on || zap_is_closed(z))
		return;
	z->held = true;
	z->ops->resume(z);
}

void zap_charge(struct zap *z)
{
	struct xprt_env *env = z->ep.env;
	size_t now = z->stash.cap + (z->slow || z->out.cap > IO_BUF ? z->out.cap : 0), old = z->charged;

	if (now < old)
		xprt_release(env, old - now);
	else if (now > old && !xprt_hold(env, now - old)) {
		/* it stays uncounted: little, or about to go */
		if (now > ZAP_FREE && !z->doom && !zap_is_closed(z)) {
			refuse(env, REFUSE_MEMORY, &z->ep.addr);
			zap_doom(z, XPRT_LIMIT, "it makes us keep %zu bytes, and the memory for all peers is used up",
				 now);
		}
		return;
	}
	z->charged = now;
}

static void flush_cb(struct io_flush *f)
{
	struct zap *z = (struct zap *)((char *)f - offsetof(struct zap, flush));

	if (z->doom)
		zap_fail(z, (enum xprt_fail)z->doom, "%s", z->doom_why);
	else if (zap_pending(z))
		z->ops->push(z);
}

void zap_init(struct zap *z, const struct ep_type *type, const struct zap_ops *ops, struct xprt_env *env,
	      struct loop *loop, const struct ep_events *ev, void *owner)
{
	z->ep = (struct ep){ .type = type, .ev = ev, .owner = owner, .env = env };
	z->ops = ops;
	z->flush.fn = flush_cb;
	zap_enter(z, loop);
}

void zap_enter(struct zap *z, struct loop *loop)
{
	z->io = io_of(loop);
	z->ep.loop = loop;
	z->ep.heard_us = mono_us();
}

void zap_leave(struct zap *z)
{
	io_flush_del(z->io, &z->flush);
	z->io = NULL;
	z->ep.loop = NULL;
}

void zap_fini(struct zap *z)
{
	if (z->own)
		buf_fini(&z->out);
	else if (z->io)
		io_buf_put(z->io, &z->out);
	buf_fini(&z->stash);
	zap_charge(z);
	buf_fini(&z->conn);
	free(z->reads);
	free(z->doom_why);
	zap_maps_fini(z);
}

bool zap_is_closed(const struct zap *z)
{
	return z->state == ZAP_CLOSED;
}

static void shut(struct zap *z)
{
	z->state = ZAP_CLOSED;
	io_flush_del(z->io, &z->flush);
	z->ops->close(z);
}

void zap_fail(struct zap *z, enum xprt_fail fail, const char *fmt, ...)
{
	struct err why;
	va_list ap;

	if (zap_is_closed(z))
		return;
	va_start(ap, fmt);
	vsnprintf(why.msg, sizeof(why.msg), fmt, ap);
	va_end(ap);
	shut(z);
	z->ep.ev->down(&z->ep, fail, why.msg);
}

void zap_doom(struct zap *z, enum xprt_fail fail, const char *fmt, ...)
{
	va_list ap;

	if (zap_is_closed(z) || z->doom)
		return;
	va_start(ap, fmt);
	if (vasprintf(&z->doom_why, fmt, ap) < 0)
		z->doom_why = NULL;
	va_end(ap);
	if (!z->doom_why)
		z->doom_why = xstrdup("out of memory");
	z->doom = (int)fail;
	io_flush_add(z->io, &z->flush);
}

void zap_close(struct ep *ep)
{
	struct zap *z = (struct zap *)ep;

	if (zap_is_closed(z))
		return;
	if (zap_pending(z) && !z->doom)
		z->ops->push(z);
	shut(z);
}

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

void zap_ended(struct zap *z, int rc)
{
	const char *how = rc ? err_name(rc) : "the peer closed the connection";
	bool dead = rc == -ETIMEDOUT && z->state == ZAP_UP; /* the kernel asked, and sent again, and gave up */

	if (z->state == ZAP_WAIT_ACCEPT)
		zap_fail(
			z, XPRT_NOT_LDMS,
			"it closed the connection without an LDMS answer (%s); is another kind of server on that port?",
			how);
	else if (z->state == ZAP_WAIT_CONNECT)
		zap_fail(z, XPRT_NOT_LDMS, "it went away without asking to connect (%s)", how);
	else if (dead)
		zap_fail(z, XPRT_TIMEOUT, "%s", ZAP_DEAD);
	else
		zap_fail(z, XPRT_LOST, "%s", how);
}

/* -- input --------------------------------------------------------------------------------------------------------- */

/* The peer broke the protocol; before it has proved to speak it, it is just somebody else. */
static enum xprt_fail blame(const struct zap *z)
{
	return z->state == ZAP_WAIT_ACCEPT || z->state == ZAP_WAIT_CONNECT ? XPRT_NOT_LDMS : XPRT_PROTO;
}

/* The length of the message whose header stands at p, checked against all that is known before any of the rest has
 * come; 0 when the endpoint is ended for it. */
static uint32_t checked_len(struct zap *z, const uint8_t *p)
{
	struct rd r = rd_over(p, ZAP_HDR_SZ);
	uint16_t type = rd_be16(&r), reserved = rd_be16(&r);
	uint32_t len = rd_be32(&r);
	const struct zap_kind *k = type < ZAP_TYPES ? &kinds[type] : NULL;

	if (!k || !k->name) {
		zap_fail(z, blame(z), "message of unknown type %u (%02x %02x %02x %02x ...): not LDMS", type, p[0],
			 p[1], p[2], p[3]);
		return 0;
	}
	(void)reserved;
	if (!(k->states & IN(z->state))) {
		zap_fail(z, blame(z), "%s came when it may not", k->name);
		return 0;
	}
	if (len < k->min) {
		zap_fail(z, blame(z), "%s of %u bytes: shorter than the %u it must have", k->name, len, k->min);
		return 0;
	}
	if (type == ZAP_READ_RESP) {
		if (!z->ep.reading) {
			zap_fail(z, XPRT_PROTO, "READ_RESP without a read that asked for it");
			return 0;
		}
		if (len != ZAP_READ_RESP_SZ && len - ZAP_READ_RESP_SZ != z->reads[z->reads_head].len) {
			zap_fail(z, XPRT_PROTO, "READ_RESP with %u bytes where %u were asked for",
				 len - ZAP_READ_RESP_SZ, z->reads[z->reads_head].len);
			return 0;
		}
	} else if (len > k->max) {
		zap_fail(z, blame(z), "%s of %u bytes: more than %u", k->name, len, k->max);
		return 0;
	}
	return len;
}

/* Is there no point in looking at more bytes now? */
static bool stopped(const struct zap *z)
{
	return zap_is_closed(z) || z->doom || z->held || z->paused || z->state == ZAP_ASKED;
}

/* Handle the whole messages of p; how many bytes they were. */
static size_t handle(struct zap *z, const uint8_t *p, size_t len)
{
	size_t at = 0;

	while (len - at >= ZAP_HDR_SZ && !stopped(z)) {
		uint32_t n = checked_len(z, p + at);

		if (!n || n > len - at)
			break;
		kinds[p[at + 1]].got(z, p + at, n); /* checked_len: the type is less than 256 */
		at += n;
		if (zap_pending(z) > ZAP_BACKLOG_MAX)
			z->held = true;
	}
	return at;
}

size_t zap_wants(const struct zap *z)
{
	uint32_t len;

	if (!z->stash.len)
		return 0;
	if (z->stash.len < ZAP_HDR_SZ)
		return ZAP_HDR_SZ - z->stash.len;
	memcpy(&len, z->stash.p + 4, sizeof(len));
	len = be32toh(len);
	return len > z->stash.len ? len - z->stash.len : 0;
}

void *zap_stash_room(struct zap *z, size_t len)
{
	return buf_reserve(&z->stash, len);
}

/* It is empty: the next message in pieces, of whichever endpoint, takes its memory. */
static void stash_put(struct zap *z)
{
	struct io *io = z->io;

	if (io->stash.p || z->stash.cap > IO_STASH) {
		buf_fini(&z->stash);
	} else {
		io->stash = z->stash;
		z->stash = (struct buf){ 0 };
	}
	zap_charge(z);
}

/* Keep what is incomplete, with room for all of it. */
static void stash(struct zap *z, const uint8_t *p, size_t len)
{
	if (!len || zap_is_closed(z))
		return;
	if (!z->stash.p) {
		z->stash = z->io->stash;
		z->io->stash = (struct buf){ 0 };
	}
	buf_add(&z->stash, p, len);
	if (z->stash.len >= ZAP_HDR_SZ && !stopped(z) && checked_len(z, z->stash.p))
		buf_reserve(&z->stash, zap_wants(z));
	if (!zap_is_closed(z))
		zap_charge(z);
}

/* len more bytes stand at the end of the stash. */
bool zap_stashed(struct zap *z, size_t len)
{
	z->stash.len += len;
	return zap_resume(z);
}

bool zap_resume(struct zap *z)
{
	size_t done;

	z->held = false;
	done = handle(z, z->stash.p, z->stash.len);
	if (zap_is_closed(z))
		return false;
	buf_consume(&z->stash, done);
	if (!z->stash.len)
		stash_put(z);
	else if (z->stash.len >= ZAP_HDR_SZ && !stopped(z)) {
		buf_reserve(&z->stash, zap_wants(z)); /* handle() has checked that length */
		zap_charge(z);
	}
	return !stopped(z);
}

bool zap_input(struct zap *z, const uint8_t *p, size_t len)
{
	z->ep.heard_us = mono_us();
	while (len && z->stash.len && !stopped(z)) {
		size_t n = zap_wants(z);

		n = n < len ? n : len;
		buf_add(&z->stash, p, n);
		p += n;
		len -= n;
		zap_resume(z);
	}
	if (!stopped(z)) {
		size_t n = handle(z, p, len);

		p += n;
		len -= n;
	}
	stash(z, p, len);
	return !stopped(z);
}

/* -- connecting ---------------------------------------------------------------------------------------------------- */

/* The data behind a header that ends with data_len at `at`; the words are for a length that lies. */
static const uint8_t *data_of(struct zap *z, const uint8_t *msg, uint32_t len, uint32_t at, uint32_t *ret_len)
{
	struct rd r = rd_over(msg + at, len - at);
	uint32_t n = rd_be32(&r);

	if (n > rd_left(&r)) {
		zap_fail(z, blame(z), "%s of %u bytes says that it carries %u", kinds[msg[1]].name, len, n);
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
