/* daemons.h - the daemons of a specification, started in the nodes of its cluster and awaited, and stopped.
 *
 * Munge comes first, then etcd, then Slurm, then LDMS; daemons of one kind start on all nodes at the same time.  One is up
 * when it does what others want of it: munged makes credentials, etcd is healthy, Slurm's nodes are idle, LDMS listens.
 */
#ifndef CORE_CLUSTER_DAEMONS_H
#define CORE_CLUSTER_DAEMONS_H

#include "core/cluster/cluster.h"
#include "core/cluster/spec.h"

struct daemons;

/* Those of cluster `c` as `s` has them, whose file is `path`; `mounts` ("SRC:DST[:MODE]") are all that nodes were given.
 * They are kept in the cluster's folder.  Both c and s are borrowed. */
int daemons_new(const struct cluster *c, const struct spec *s, const char *path, const struct spec_words *mounts,
		struct daemons **ret, struct err *err);
/* What was kept.  -ENOENT with words when the cluster was made without a specification. */
int daemons_open(const struct cluster *c, struct daemons **ret, struct err *err);
void daemons_free(struct daemons *d); /* takes NULL; they run on */
const struct spec *daemons_spec(const struct daemons *d);

/* Start those of the nodes (`n` numbers of them) that do not run, or only the one called `name` on each, and wait until
 * they are up.  On failure those that this call started are stopped; what the log of the one that failed says last comes
 * to `said`.  SIGINT, SIGTERM and SIGHUP are such a failure (-EINTR). */
int daemons_start(struct daemons *d, const size_t *nodes, size_t n, const char *name, struct buf *said,
		  struct err *err);
/* End those that run, in the other order.  One that does not end by SIGTERM is killed. */
int daemons_stop(struct daemons *d, const size_t *nodes, size_t n, const char *name, struct err *err);

#endif
