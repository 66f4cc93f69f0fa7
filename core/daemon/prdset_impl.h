/* prdset_impl.h - what the files of a producer's sets share: prdset.c (their life, and their updates), prdset_lookup.c,
 * prdset_dir.c, prdset_hint.c and prdset_local.c. */
#ifndef CORE_DAEMON_PRDSET_IMPL_H
#define CORE_DAEMON_PRDSET_IMPL_H

#include "core/daemon/prdcr_impl.h"

struct prdset *prdset_new(struct prdcr *p, const char *name, const char *schema);
void prdset_free(struct prdset *ps);

/* -- updates (prdset.c) -- */
/* What came of one: of every set's rs->updated. */
void prdset_updated(struct rset *rs, enum update_result res, int rc, const struct set_data *data);
/* Its first sample is still to come: that nothing can be read yet is no mishap.  The bytes are as they came, and lie
 * anywhere. */
bool prdset_is_unsampled(const struct set_data *data);
void prdset_nothing_new(struct prdset *ps);
/* Two producers offer a set of this name: the first one's is here. */
void prdset_name_taken(struct prdset *ps);
/* The running policies that take this set, NULL: none; and store a sample there.  It takes `sn`, which may be NULL. */
struct strgp **prdset_strgps(struct prdset *ps);
void prdset_store(struct prdset *ps, struct snap *sn);

/* -- prdset_lookup.c -- */
void prdset_lookup(struct prdset *ps);

/* -- prdset_hint.c -- */
/* What its side says of the set's schedule; the pairs of a published set are guarded. */
void prdset_hint_take(struct prdset *ps, const struct info_pair *info, unsigned int n);
/* Ask its side to push it, or not to, as the updaters want it. */
void prdset_push_follow(struct prdset *ps);
/* Its info is another one. */
void prdset_info_changed(struct prdset *ps, const struct dir_set *set);

/* -- prdset_local.c -- */
/* A local set has nothing to fetch: a new generation is a new sample. */
void prdset_local_turn(struct prdset *ps);

#endif
