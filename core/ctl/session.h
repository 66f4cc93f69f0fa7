/* session.h - control requests of connected peers: gathered, carried out on the main loop, answered. */
#ifndef CORE_CTL_SESSION_H
#define CORE_CTL_SESSION_H

#include "core/daemon/daemon.h"
#include "core/daemon/listener.h"

/* Make the daemon's sink (daemon->sink); before the first listener. */
void sessions_open(struct daemon *d);
/* Requests that are still on their way are dropped from now on; before daemon_free(). */
void sessions_stop(struct record_sink *sink);
/* Behind daemon_free(). */
void sessions_free(struct record_sink *sink);

#endif
