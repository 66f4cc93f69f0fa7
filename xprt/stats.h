/* stats.h - the peers of a process in numbers, for who asks: operations and their times, connections and their queues. */
#ifndef XPRT_STATS_H
#define XPRT_STATS_H

#include "core/base/loop.h"
#include "xprt/xprt.h"

const char *xprt_op_name(enum xprt_op op);
/* One operation is over, begun at `since_us` (monotonic). */
void xprt_op_done(struct xprt *x, enum xprt_op op, int64_t since_us);
struct op_stat xprt_op_get(struct xprt_env *env, enum xprt_op op);

struct xprt_brief {
	const char *state, *host; /* host: "" for those that came to us */
	unsigned int n_eps;
	const struct sockaddr_storage *addr;
	const size_t *queued; /* bytes that wait to be read by the peer, for each connection */
};
/* Every peer on a loop, which is held. */
void xprt_each(struct loop *l, struct xprt_env *env, void (*fn)(const struct xprt_brief *b, void *arg), void *arg);

/* What rates and times are counted from: now. */
void xprt_stats_reset(struct xprt_env *env);

#endif
