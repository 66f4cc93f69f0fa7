/* rail.c - a peer: the lanes that make it up, and its end.
 *
 * It is up when all its lanes are open, and down when the first one ends.
 */
#include <stdlib.h>
#include <sys/random.h>

#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "xprt/msg_rail.h"
#include "xprt/proto.h"
#include "xprt/rare.h"
#include "xprt/resolve.h"
#include "xprt/xprt_impl.h"

static const char *const fail_names[XPRT_FAILS] = {
	[XPRT_CLOSED] = "closed",   [XPRT_RESOLVE] = "resolve",   [XPRT_REFUSED] = "refused",
	[XPRT_TIMEOUT] = "timeout", [XPRT_NOT_LDMS] = "not-ldms", [XPRT_VERSION] = "version",
	[XPRT_AUTH] = "auth",       [XPRT_LOST] = "lost",         [XPRT_PROTO] = "protocol",
	[XPRT_SLOW] = "slow",       [XPRT_LIMIT] = "limit",       [XPRT_LOCAL] = "local",
};

const char *xprt_fail_name(enum xprt_fail f)
{
	return (unsigned int)f < XPRT_FAILS ? fail_names[f] : "?";
}

/* One line for each way to fail, however many connections fail so. */
static struct rare fail_rares[XPRT_FAILS], auth_rares[AUTH_WHYS];

void rail_log(const char *peer, enum xprt_fail fail, enum auth_why auth, const char *why)
{
	struct rare *rare = fail == XPRT_AUTH ? &auth_rares[auth] : &fail_rares[fail];
	const char *kind = fail == XPRT_AUTH ? auth_why_name(auth) : "";
	unsigned long held;

	if (fail == XPRT_LOST || fail == XPRT_CLOSED || !rare_now(rare, &held))
		return;
	if (held)
		log_warning("xprt", "%s: dropped: %s (%s%s%s; %lu more like this since the last line)", peer, why,
			    xprt_fail_name(fail), *kind ? ": " : "", kind, held);
	else
		log_warning("xprt", "%s: dropped: %s (%s%s%s)", peer, why, xprt_fail_name(fail), *kind ? ": " : "",
			    kind);
}

/* What a connection's end says of its peer; the ceilings count where they are met. */
static const struct {
	bool counts;
	enum refusal before, after; /* it was up */
} fail_refusals[XPRT_FAILS] = {
	[XPRT_TIMEOUT] = { true, REFUSE_HANDSHAKE, REFUSE_SILENT },
	[XPRT_NOT_LDMS] = { true, REFUSE_NOT_LDMS, REFUSE_NOT_LDMS },
	[XPRT_VERSION] = { true, REFUSE_VERSION, REFUSE_VERSION },
	[XPRT_AUTH] = { true, REFUSE_AUTH, REFUSE_AUTH },
	[XPRT_PROTO] = { true, REFUSE_PROTOCOL, REFUSE_PROTOCOL },
	[XPRT_SLOW] = { true, REFUSE_SLOW, REFUSE_SLOW },
};

void rail_count(struct xprt_env *env, enum xprt_fail fail, bool was_up, const struct sockaddr_storage *from)
{
	if (fail_refusals[fail].counts)
		refuse(env, was_up ? fail_refusals[fail].after : fail_refusals[fail].before, from);
}

struct xprt *rail_new(struct xprt_env *env, struct loop *loop, const struct ep_type *type, const struct xprt_events *ev,
		      void *arg, unsigned int n_eps)
{
	struct xprt *x = xcalloc(1, sizeof(*x));

	x->env = env;
	x->loop = loop;
	x->io = io_of(loop);
	x->type = type;
	x->ev = ev;
	x->arg = arg;
	x->n_eps = n_eps;
	x->quota = x->peer_quota = conn_no_quota;
	x->lanes = xcalloc(n_eps, sizeof(struct lane *));
	/* rails of one process are told apart by it, and after a restart with an old pid too */
	if (getrandom(&x->rail_gn, sizeof(x->rail_gn), 0) != sizeof(x->rail_gn))
		x->rail_gn = (uint64_t)wall_us();
	LIST_INIT(&x->rsets);
	LIST_INSERT_HEAD(&x->io->xprts, x, entry);
	return x;
}

void rail_dial(struct xprt *x)
{
	struct err err;

	for (unsigned int i = 0; i < x->n_eps; i++) {
		x->lanes[i] = lane_new(x, i);
		if (lane_dial(x->lanes[i], &err)) {
			rail_down(x, XPRT_LOCAL, err.msg);
			return;
		}
	}
}

void rail_free(struct xprt *x)
{
	for (unsigned int i = 0; i < x->n_eps; i++)
		lane_free(x->lanes[i]);
	if (!x->l)
		auth_conf_put(x->auth_conf);
	msg_rail_free(x);
	free(x->addrs);
	free(x->lanes);
	free(x->peer);
	free(x);
}

/* All that a peer has open. */
static void shut(struct xprt *x)
{
	x->up = false;
	resolve_cancel(x->resolve);
	x->resolve = NULL;
	proto_down(x);
	for (unsigned int i = 0; i < x->n_eps; i++)
		if (x->lanes[i])
			lane_shut(x->lanes[i]);
}

void rail_down(struct xprt *x, enum xprt_fail fail, const char *why)
{
	bool was_up = x->up;

	if (x->down || x->closed)
		return;
	x->down = true;
	atomic_fetch_add(was_up ? &x->env->stats.ended[fail] : &x->env->stats.refused[fail], 1);
	if (x->l || was_up) /* who is not there, or is called by mistake, is refused nothing */
		rail_count(x->env, fail, was_up, &x->addr);
	if (x->l && !x->adopted)
		rail_log(x->peer, fail, x->auth_why, why);
	shut(x);
	/* who comes in and does not get as far as being somebody is nobody's peer; what one open lane of a rail has said
	 * is known to the owner, also when the others never came */
	if (x->ev->down && (!x->l || x->adopted || x->n_open))
		x->ev->down(x, x->arg, fail, why);
	if (x->l && !x->adopted)
		xprt_close(x);
}

static void bury_cb(struct loop_job *job)
{
	rail_free((struct xprt *)((char *)job - offsetof(struct xprt, bury)));
}

void xprt_close(struct xprt *x)
{
	if (!x || x->closed)
		return;
	if (!x->down && x->up)
		atomic_fetch_add(&x->env->stats.ended[XPRT_CLOSED], 1);
	x->closed = true;
	shut(x);
	LIST_REMOVE(x, entry);
	x->bury.fn = bury_cb;
	loop_post(x->loop, &x->bury);
}
