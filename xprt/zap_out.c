/* zap_out.c - see zap.h: what goes out */
#include "xprt/zap.h"

#include <errno.h>
#include <stdlib.h>

#include "core/base/xalloc.h"

#define READS_MIN 8 /* first size of the ring; it doubles */

uint32_t zap_next_xid(struct zap *z)
{
	if (!++z->xid)
		z->xid = 1; /* 0 makes real peers answer with a number of their own */
	return z->xid;
}

static void header_put(uint8_t *m, enum zap_type type, uint32_t len, uint32_t xid, const void *ctxt)
{
	uint16_t t = htobe16(type);
	uint32_t n = htobe32(len);

	memset(m, 0, ZAP_HDR_SZ);
	memcpy(m, &t, sizeof(t));
	memcpy(m + 4, &n, sizeof(n));
	memcpy(m + 8, &xid, sizeof(xid));
	if (ctxt)
		memcpy(m + 12, ctxt, 8);
}

/* The buffer has no room for so many bytes: make some.  False when the endpoint is doomed for it. */
static bool make_room(struct zap *z, uint32_t len)
{
	if (!z->out.p)
		z->out = io_buf_take(z->io);
	if (z->out_off && z->out.cap - z->out.len < len) {
		buf_consume(&z->out, z->out_off);
		z->out_off = 0;
	}
	if (z->out.cap - z->out.len >= len)
		return true;
	buf_reserve(&z->out, len);
	zap_charge(z);
	return !z->doom;
}

uint8_t *zap_msg(struct zap *z, enum zap_type type, uint32_t len, uint32_t xid, const void *ctxt)
{
	size_t limit = z->ep.env->limits.out_bytes, waiting = zap_pending(z);
	uint8_t *m;

	if (zap_is_closed(z) || z->doom)
		return NULL;
	if (waiting && limit && len + waiting > limit) { /* one message alone may be as large as a set */
		zap_doom(z, XPRT_SLOW, "it does not read: %zu bytes wait for it, the limit is %zu", waiting, limit);
		return NULL;
	}
	if (z->out.cap - z->out.len < len && !make_room(z, len))
		return NULL;
	m = z->out.p + z->out.len;
	header_put(m, type, len, xid, ctxt);
	return m;
}

void zap_msg_done(struct zap *z, uint32_t len)
{
	size_t before = zap_pending(z);

	z->out.len += len;
	io_flush_add(z->io, &z->flush);
	if (before < IO_GATHER && zap_pending(z) >= IO_GATHER)
		z->ops->push(z);
}

void zap_sent(struct zap *z, size_t n)
{
	z->out_off += n;
	if (zap_pending(z))
		return;
	z->out_off = 0;
	if (z->own)
		buf_fini(&z->out);
	else
		io_buf_put(z->io, &z->out);
	z->own = z->slow = false;
	if (z->charged)
		zap_charge(z);
	if (z->ep.ev && z->ep.ev->drained)
		z->ep.ev->drained(&z->ep);
}

void zap_park(struct zap *z)
{
	size_t n = zap_pending(z);

	if (!z->own && n < z->out.cap / 2 && z->io->lent > IO_SPARES) { /* a few may keep what they were lent */
		struct buf own = { 0 };

		buf_add(&own, z->out.p + z->out_off, n);
		io_buf_put(z->io, &z->out);
		z->out = own;
		z->own = true;
		z->out_off = 0;
	}
	z->slow = true;
	zap_charge(z);
}

size_t zap_queued(const struct ep *ep)
{
	return zap_pending((const struct zap *)ep);
}

void zap_flush(struct ep *ep)
{
	struct zap *z = (struct zap *)ep;

	if (!zap_is_closed(z) && !z->doom && zap_pending(z))
		z->ops->push(z);
}

int zap_data(struct zap *z, enum zap_type type, const void *data, size_t data_len)
{
	uint32_t len, n = htobe32((uint32_t)data_len);
	uint8_t *m;

	if (data_len > EP_MSG_MAX)
		return -EMSGSIZE;
	len = ZAP_SENDRECV_SZ + (uint32_t)data_len;
	m = zap_msg(z, type, len, zap_next_xid(z), NULL);
	if (!m)
		return zap_is_closed(z) ? -ENOTCONN : -ENOBUFS;
	memcpy(m + 20, &n, sizeof(n));
	if (data_len)
		memcpy(m + 24, data, data_len);
	zap_msg_done(z, len);
	return 0;
}

int zap_send(struct ep *ep, const void *msg, size_t len)
{
	struct zap *z = (struct zap *)ep;

	return z->state == ZAP_UP ? zap_data(z, ZAP_SENDRECV, msg, len) : -ENOTCONN;
}

size_t zap_reject_bytes(uint8_t *to, size_t cap, const char *why)
{
	size_t data_len = strlen(why) + 1, len = ZAP_SENDRECV_SZ + data_len;
	uint32_t n = htobe32((uint32_t)data_len);

	if (len > cap)
		return 0;
	header_put(to, ZAP_REJECTED, (uint32_t)len, 1, NULL);
	memcpy(to + 20, &n, sizeof(n));
	memcpy(to + 24, why, data_len);
	return len;
}

/* Room for one more outstanding read. */
static void reads_grow(struct zap *z)
{
	uint32_t cap = z->reads_cap ? 2 * z->reads_cap : READS_MIN;
	struct zap_read *reads = xmalloc(cap * sizeof(*reads));

	for (uint32_t i = 0; i < z->ep.reading; i++)
		reads[i] = z->reads[(z->reads_head + i) & (z->reads_cap - 1)];
	free(z->reads);
	z->reads = reads;
	z->reads_head = 0;
	z->reads_cap = cap;
}

int zap_read(struct ep *ep, uint32_t key, uint64_t addr, uint32_t len, void *ctxt)
{
	struct zap *z = (struct zap *)ep;
	uint32_t cookie[2], n = htobe32(len);
	uint8_t *m;

	if (z->state != ZAP_UP)
		return -ENOTCONN;
	cookie[0] = zap_next_xid(z);
	cookie[1] = 0;
	m = zap_msg(z, ZAP_READ_REQ, ZAP_READ_REQ_SZ, cookie[0], cookie);
	if (!m)
		return -ENOBUFS;
	addr = htobe64(addr);
	memcpy(m + 20, &key, sizeof(key));
	memcpy(m + 24, &addr, sizeof(addr));
	memcpy(m + 32, &n, sizeof(n));
	zap_msg_done(z, ZAP_READ_REQ_SZ);
	if (z->ep.reading == z->reads_cap)
		reads_grow(z);
	z->reads[(z->reads_head + z->ep.reading++) & (z->reads_cap - 1)] =
		(struct zap_read){ .ctxt = ctxt, .len = len, .xid = cookie[0] };
	return 0;
}
