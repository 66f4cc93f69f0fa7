/* failover_tell.h - what this daemon collects, told to its failover peer. */
#ifndef CORE_CTL_FAILOVER_TELL_H
#define CORE_CTL_FAILOVER_TELL_H

#include "core/ctl/verb.h"

/* To the peer that asks, as records (failover_take.c has their table): producers that were configured here, updaters and
 * storage policies; not what is kept for the peer. */
int failover_tell(struct ctl *c, struct err *err);

#endif
