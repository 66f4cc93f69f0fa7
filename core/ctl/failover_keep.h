/* failover_keep.h - what the failover peer has, kept here: see core/daemon/failover.h. */
#ifndef CORE_CTL_FAILOVER_KEEP_H
#define CORE_CTL_FAILOVER_KEEP_H

#include "core/ctl/record.h"
#include "core/daemon/failover.h"

/* Make the daemon's keeper; before anything is carried out. */
void failover_keep_open(struct daemon *d);
/* Behind daemon_free(), which took the objects with it. */
void failover_keep_free(struct failover_keeper *k);

/* One record of the peer's, of the request `code`: it has that.  What cannot be kept has changed nothing. */
int failover_keep_take(struct daemon *d, uint32_t code, const struct record_attr *attrs, int n, struct err *err);

/* In perm=: the peer has it running. */
#define FAILOVER_RUNS 01000

#endif
