/* zap.c - see zap.h: the life of an endpoint.  zap_in.c takes what comes, zap_got.c handles it, zap_out.c sends. */
#include "xprt/zap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/xalloc.h"

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
