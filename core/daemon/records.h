/* records.h - control records of peers: who reads them, on connections that came and on those that we made.
 *
 * Whoever owns a connection hands on what it says: `msg` from xprt_events.msg, and `gone` before it closes it.  The
 * control plane behind it (core/ctl/session.c) carries out what is asked and gives back what is answered.
 */
#ifndef CORE_DAEMON_RECORDS_H
#define CORE_DAEMON_RECORDS_H

#include <errno.h>

#include "core/daemon/daemon.h"

struct record_pair { /* an attribute of a question */
	uint32_t id;
	const char *value;
};

/* The peer's answer: a positive errno, or 0, and its words (""); a negative one: the connection ended before it came.
 * On the peer's loop. */
typedef void (*record_answer_fn)(void *arg, int rc, const char *words);

struct record_sink {
	void (*msg)(struct record_sink *sink, struct xprt *x, const void *bytes, size_t len);
	void (*gone)(struct record_sink *sink, struct xprt *x);
	/* Ask the peer to carry out the verb of that number. */
	int (*ask)(struct record_sink *sink, struct xprt *x, uint32_t code, const struct record_pair *pairs, size_t n,
		   record_answer_fn fn, void *arg, struct err *err);
	/* The peer is the producer of that name. */
	void (*prdcr)(struct record_sink *sink, struct xprt *x, const char *name);
};

/* The daemon's sink; all of them on the peer's loop.  A daemon without control plane (tests) reads no records. */
static inline void records_msg(struct daemon *d, struct xprt *x, const void *bytes, size_t len)
{
	if (d->sink)
		d->sink->msg(d->sink, x, bytes, len);
}

static inline void records_gone(struct daemon *d, struct xprt *x)
{
	if (d->sink && x)
		d->sink->gone(d->sink, x);
}

static inline void records_prdcr(struct daemon *d, struct xprt *x, const char *name)
{
	if (d->sink)
		d->sink->prdcr(d->sink, x, name);
}

static inline int records_ask(struct daemon *d, struct xprt *x, uint32_t code, const struct record_pair *pairs, size_t n,
			      record_answer_fn fn, void *arg, struct err *err)
{
	return d->sink ? d->sink->ask(d->sink, x, code, pairs, n, fn, arg, err)
		       : err_set(err, -ENOSYS, "%s: nobody here asks peers", xprt_peer(x));
}

#endif
