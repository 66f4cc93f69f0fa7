/* announce.h - changes of the set database, brought to the loops of those who want to know.
 *
 * One listener a set database, however many peers; a change is posted once to each loop that has any.
 */
#ifndef XPRT_ANNOUNCE_H
#define XPRT_ANNOUNCE_H

#include <stdint.h>

struct announce;
struct xprt;

/* From now on dir_tell() is called for x, on its loop, whenever a set comes, changes or goes.  No-op without sets. */
void announce_join(struct xprt *x);
void announce_leave(struct xprt *x); /* no-op when it has not joined */
/* The number of the last change; the database's lock is held, or a change may be missed or told twice. */
uint64_t announce_serial(const struct announce *a);

#endif
