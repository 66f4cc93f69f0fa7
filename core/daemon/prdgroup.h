/* prdgroup.h - set groups among the sets of a producer: which sets are members of which.
 *
 * With the producer's loop held.  The group tells its members' names; the sets may come before it, after it, or never.
 */
#ifndef CORE_DAEMON_PRDGROUP_H
#define CORE_DAEMON_PRDGROUP_H

#include "core/daemon/prdcr.h"

/* Is that the schema of set groups?  Then make the set one, without members so far. */
void prdgroup_init(struct prdset *ps);
/* The group's info has come, or come anew: who is in it now.  Its updaters read the members. */
void prdgroup_read(struct prdset *group, const struct info_pair *info, unsigned int n);
/* The group goes; no updater has it any more. */
void prdgroup_fini(struct prdset *group);
/* The mirror's info: the members as they are known here. */
void prdgroup_put_info(const struct prdset *group, struct set *mirror);

/* The i-th name in a group, and the set of that name, NULL when there is none; false behind the last one. */
bool prdgroup_member(const struct prdset *group, unsigned int i, struct prdset **ret);
/* The i-th group that a set is in; NULL behind the last one. */
struct prdset *prdgroup_of(const struct prdset *ps, unsigned int i);

#endif
