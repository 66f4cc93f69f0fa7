/* announce.h - changes of the set database, brought to the loops of those who want to know.
 *
 * One listener a set database, however many peers; a change is posted once to each loop that has any.
 */
#ifndef XPRT_ANNOUNCE_H
#define XPRT_ANNOUNCE_H

#include <stdint.h>

struct announce;
struct xprt;

/* From now on dir_tell() is called for x, on its loop, whenever a set comes, changes or goes: for who lists our sets or
 * looks them up, before that is answered.  An aggregator's producers do neither, and there are thousands of them: what
 * came of one need not be told to each.  No-op without sets, and for who has joined. */
void announce_join(struct xprt *x);
void announce_leave(struct xprt *x); /* no-op when it has not joined */
/* The number of the last change; the database's lock is held, or a change may be missed or told twice. */
uint64_t announce_serial(const struct announce *a);

#endif
