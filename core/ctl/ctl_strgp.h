/* ctl_strgp.h - what others than the verbs do with storage policies. */
#ifndef CORE_CTL_CTL_STRGP_H
#define CORE_CTL_CTL_STRGP_H

#include "core/daemon/daemon.h"

/* Out of its table and away, running or not; what is queued is stored meanwhile.  When one that ran has ended, `gone` is
 * called on the main loop: its spool is free. */
void ctl_strgp_drop(struct daemon *d, struct strgp_node *n, void (*gone)(struct daemon *d, const char *name));

#endif
