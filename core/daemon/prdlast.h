/* prdlast.h - the last sample of sets that went, so that it is not stored again when they come back.
 *
 * A set whose aggregator dies comes from another one a moment later, and what that reads first is often the sample that
 * the dead one passed on last.  So does a connection that is made anew within an interval.  Any thread.
 */
#ifndef CORE_DAEMON_PRDLAST_H
#define CORE_DAEMON_PRDLAST_H

#include "core/set/set.h"

struct prdlast;

struct prdlast *prdlast_new(void);
void prdlast_free(struct prdlast *l);
/* The set goes; its newest sample was stored. */
void prdlast_keep(struct prdlast *l, const struct set *s);
/* A set came: is its first sample that one?  Asked once. */
bool prdlast_is(struct prdlast *l, const char *name, uint32_t ts_sec, uint32_t ts_usec);

#endif
