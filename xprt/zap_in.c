/* zap_in.c - bytes of a stream become messages: see zap.h.
 *
 * What of a peer does not keep to the rows of zap_kinds ends its connection.
 */
#include "core/base/clock.h"
#include "core/base/rd.h"
#include "xprt/zap_impl.h"

/* The peer broke the protocol; before it has proved to speak it, it is just somebody else. */
enum xprt_fail zap_blame(const struct zap *z)
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
	const struct zap_kind *k = type < ZAP_TYPES ? &zap_kinds[type] : NULL;

	if (!k || !k->name) {
		zap_fail(z, zap_blame(z), "message of unknown type %u (%02x %02x %02x %02x ...): not LDMS", type, p[0],
			 p[1], p[2], p[3]);
		return 0;
	}
	(void)reserved;
	if (!(k->states & ZAP_IN(z->state))) {
		zap_fail(z, zap_blame(z), "%s came when it may not", k->name);
		return 0;
	}
	if (len < k->min) {
		zap_fail(z, zap_blame(z), "%s of %u bytes: shorter than the %u it must have", k->name, len, k->min);
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
		zap_fail(z, zap_blame(z), "%s of %u bytes: more than %u", k->name, len, k->max);
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
		zap_kinds[p[at + 1]].got(z, p + at, n); /* checked_len: the type is less than 256 */
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
