/* listener.h - the ports that a daemon listens on. */
#ifndef CORE_DAEMON_LISTENER_H
#define CORE_DAEMON_LISTENER_H

#include "core/daemon/daemon.h"

struct listener_conf {
	const char *xprt, *host, *auth;
	unsigned short port;
};

/* What incoming peers' records are given to (daemon->sink); called on the peer's loop. */
struct record_sink {
	void (*msg)(struct record_sink *sink, struct xprt *x, const void *bytes, size_t len);
	void (*gone)(struct record_sink *sink, struct xprt *x);
};

/* Listen, and keep it in the daemon's table under "xprt:port".  -EEXIST when it is there. */
int listener_add(struct daemon *d, const struct listener_conf *conf, struct err *err);
void listener_close_all(struct daemon *d);
/* The port of the first one in the table, 0 when there is none. */
unsigned short listener_port(const struct daemon *d);

#endif
