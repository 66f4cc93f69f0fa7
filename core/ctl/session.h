/* session.h - control requests of connected peers: gathered, carried out on the main loop, answered. */
#ifndef CORE_CTL_SESSION_H
#define CORE_CTL_SESSION_H

#include "core/ctl/verb.h"
#include "core/daemon/daemon.h"
#include "core/daemon/records.h"

/* Make the daemon's sink (daemon->sink); before the first listener. */
void sessions_open(struct daemon *d);
/* For handlers: the peer that asks, with its loop held, or NULL: it has gone since, or a file asks.  Then leave it. */
struct xprt *ctl_peer_enter(struct ctl *c);
void ctl_peer_leave(struct ctl *c);
/* For handlers: send the peer that asks a request of ours that wants no answer, in front of the answer to its own.
 * -ENOTCONN when it has gone since. */
int ctl_peer_tell(struct ctl *c, uint32_t code, const struct buf *body, struct err *err);
/* For handlers that must wait for others: the answer is given later, on the main loop.  NULL: a file asks. */
struct ctl_later *ctl_defer(struct ctl *c);
/* The same, and what the peer asks meanwhile waits for that answer, too: it may be about what changes now. */
struct ctl_later *ctl_defer_in_order(struct ctl *c);
/* The answer, JSON with its NUL; frees `later`. */
void ctl_later_json(struct ctl_later *later, struct buf *json);
/* The answer: nothing, a text, or (rc a negative errno) the words of a failure; frees `later`. */
void ctl_later_text(struct ctl_later *later, int rc, const char *text);
/* Requests that are still on their way are dropped from now on; before daemon_free(). */
void sessions_stop(struct record_sink *sink);
/* Behind daemon_free(). */
void sessions_free(struct record_sink *sink);

#endif
