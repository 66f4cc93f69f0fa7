/* resolve.h - host names to addresses, without making the loop wait. */
#ifndef XPRT_RESOLVE_H
#define XPRT_RESOLVE_H

#include <netdb.h>

#include "core/base/loop.h"
#include "core/base/work.h"

struct resolve;

/* `list` is borrowed; NULL when the name does not resolve: then `why` says what failed. */
typedef void (*resolve_fn)(void *arg, struct addrinfo *list, const char *why);

/* fn comes on the loop, later, unless resolve_cancel() was called; an address written in numbers costs no worker.
 * Without workers (command-line tools) the name service is asked here and now. */
struct resolve *resolve_start(struct work *work, struct loop *loop, const char *host, unsigned short port,
			      resolve_fn fn, void *arg);
/* fn will not come any more; NULL is fine. */
void resolve_cancel(struct resolve *r);

#endif
