/* listener.h - the ports that a daemon listens on. */
#ifndef CORE_DAEMON_LISTENER_H
#define CORE_DAEMON_LISTENER_H

#include "core/daemon/daemon.h"

struct listener_conf {
	const char *xprt, *host;
	const char *auth;           /* the name of a domain: auth_domain.h; or of a method, when there are arguments */
	const struct kv *auth_args; /* in place of the domain's own; NULL: none are given */
	unsigned short port;
	struct xprt_quota quota;
};

/* Listen, and keep it in the daemon's table under "xprt:port".  -EEXIST when it is there. */
int listener_add(struct daemon *d, const struct listener_conf *conf, struct err *err);
/* Can that port be listened on?  For one that nobody here listens on; opens nothing. */
int listener_try(const char *host, unsigned short port, struct err *err);
/* Take no more peers on "xprt:port"; those that came stay.  -ENOENT. */
int listener_shut(struct daemon *d, const char *name, struct err *err);
void listener_close_all(struct daemon *d);
/* The port of the first one, 0 when there is none; any thread. */
unsigned short listener_port(const struct daemon *d);

#endif
