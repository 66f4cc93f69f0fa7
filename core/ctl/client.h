/* client.h - the asking side: a connection to a daemon, and commands over it one by one, for tools that wait.
 *
 * The connection lives on a loop and a thread of its own, so that the peer is attended to while the caller waits for a
 * user.  All functions are called by one thread.
 */
#ifndef CORE_CTL_CLIENT_H
#define CORE_CTL_CLIENT_H

#include "core/ctl/line.h"
#include "xprt/xprt.h"

struct client;

struct client_conf { /* borrowed until client_open() returns */
	const char *xprt, *host;
	unsigned short port;
	const char *auth;
	const struct kv *auth_args;
	int64_t time_us; /* how long the daemon may keep us waiting */
};

/* Connect.  A negative errno with words, which name the peer, and the kind of failure. */
int client_open(const struct client_conf *conf, struct client **ret, enum xprt_fail *fail, struct err *err);
/* Send a command and wait for its answer.  0 or the daemon's (positive) errno, with its words or JSON added to
 * `answer`. A negative errno with words, and *fail: there is no answer, and the connection is of no use any more. */
int client_ask(struct client *c, const struct verb *v, const struct ctl_arg *args, size_t n, struct buf *answer,
	       enum xprt_fail *fail, struct err *err);
/* NULL is fine. */
void client_close(struct client *c);

/* The request's attributes as they travel: also those that have only one possible value, given or not. */
void client_put(struct buf *body, const struct verb *v, const struct ctl_arg *args, size_t n);

#endif
