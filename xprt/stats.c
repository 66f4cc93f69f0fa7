/* stats.c - see stats.h */
#include "xprt/stats.h"

#include <pthread.h>
#include <string.h>

#include "core/base/clock.h"
#include "xprt/xprt_impl.h"

static const char *const op_names[XPRT_OPS] = {
	[OP_LOOKUP] = "LOOKUP",
	[OP_UPDATE] = "UPDATE",
	[OP_PUBLISH] = "PUBLISH",
	[OP_SET_DELETE] = "SET_DELETE",
	[OP_DIR_REQ] = "DIR_REQ",
	[OP_DIR_REP] = "DIR_REP",
	[OP_SEND] = "SEND",
	[OP_RECV] = "RECV",
	[OP_MSG_PUBLISH] = "MSG_PUBLISH",
	[OP_MSG_SUBSCRIBE] = "MSG_SUBSCRIBE",
	[OP_MSG_UNSUBSCRIBE] = "MSG_UNSUBSCRIBE",
};

static pthread_mutex_t op_lock = PTHREAD_MUTEX_INITIALIZER; /* guards all op_stats; innermost */

const char *xprt_op_name(enum xprt_op op)
{
	return op_names[op];
}

void xprt_op_done(struct xprt *x, enum xprt_op op, int64_t since_us)
{
	struct op_stat *st = &x->env->stats.ops[op];
	int64_t us = mono_us() - since_us;

	pthread_mutex_lock(&op_lock);
	if (!st->n || us < st->min_us) {
		st->min_us = us;
		st->min_addr = x->addr;
	}
	if (!st->n || us > st->max_us) {
		st->max_us = us;
		st->max_addr = x->addr;
	}
	st->n++;
	st->total_us += us;
	pthread_mutex_unlock(&op_lock);
}

struct op_stat xprt_op_get(struct xprt_env *env, enum xprt_op op)
{
	struct op_stat ret;

	pthread_mutex_lock(&op_lock);
	ret = env->stats.ops[op];
	pthread_mutex_unlock(&op_lock);
	return ret;
}

void xprt_stats_reset(struct xprt_env *env)
{
	struct xprt_stats *st = &env->stats;

	pthread_mutex_lock(&op_lock);
	memset(st->ops, 0, sizeof(st->ops));
	pthread_mutex_unlock(&op_lock);
	st->base = (struct xprt_base){ .since_us = mono_us(), .accepted = st->accepted, .connected = st->connected };
	for (int f = 0; f < XPRT_FAILS; f++) {
		st->base.ended += st->ended[f];
		st->base.rejected += st->refused[f];
	}
	st->base.auth = st->refused[XPRT_AUTH];
}

void xprt_each(struct loop *l, struct xprt_env *env, void (*fn)(const struct xprt_brief *b, void *arg), void *arg)
{
	size_t queued[RAIL_EPS_MAX];
	struct xprt *x;

	LIST_FOREACH(x, &io_of(l)->xprts, entry) {
		struct xprt_brief b = { .state = x->up     ? "connect"
						 : x->down ? "close"
							   : "connecting",
					.host = x->l ? "" : x->peer,
					.n_eps = x->n_eps,
					.addr = &x->addr,
					.queued = queued };

		for (unsigned int i = 0; i < x->n_eps; i++) {
			struct lane *lane = x->lanes[i];

			queued[i] = lane && lane->ep ? lane->ep->type->queued(lane->ep) : 0;
		}
		if (x->env == env)
			fn(&b, arg);
	}
}
