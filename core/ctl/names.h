/* names.h - users and groups that a request names: the user database may be slow, so a worker asks it. */
#ifndef CORE_CTL_NAMES_H
#define CORE_CTL_NAMES_H

#include "core/ctl/verb.h"

/* Does the request name users or groups?  Then the database is asked on a worker, and fn(arg) is called on the main
 * loop when they are known: a moment long, ctl_run() does not wait for them. */
bool names_ask(struct daemon *d, const struct verb *v, const struct ctl_arg *args, size_t n, void (*fn)(void *arg),
	       void *arg);

#endif
