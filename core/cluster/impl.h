/* impl.h - what the files of core/cluster share. */
#ifndef CORE_CLUSTER_IMPL_H
#define CORE_CLUSTER_IMPL_H

#include "core/base/buf.h"
#include "core/cluster/cluster.h"

struct cluster *cluster_new(const char *base, const char *name);
struct cluster_node *cluster_node_add(struct cluster *c, const char *name, const char *addr, const char *addr6);
int cluster_state_write(const struct cluster *c, struct err *err);
int cluster_state_parse(struct cluster *c, char *text); /* -EINVAL; `text` is cut into words */

/* Written beside it and renamed: whoever reads it sees the old or the new one.  Read: at most max bytes. */
int cluster_file_write(const char *path, const struct buf *text, struct err *err);
int cluster_file_read(const char *path, size_t max, struct buf *ret, struct err *err);

/* -- folders (folder.c) -- */

/* BASE and BASE/NAME, which must be the caller's own, and its lock: nobody else can make or end it then. */
int folder_make(struct cluster *c, const char *base, struct err *err);
/* All that nodes will see of files. */
int folder_fill(const struct cluster *c, const struct cluster_conf *conf, struct err *err);
/* Is it a cluster's, also a half-made one's? */
bool folder_is_cluster(const char *path);
/* Remove a cluster's folder with all that is in it; 0 when it is not there. */
int folder_remove(const char *path, struct err *err);
/* mkdir -p. */
int folder_path(const char *path, mode_t mode);

/* -- the keeper (keeper.c) -- */

/* Start it, and all nodes; fills in the numbers of c.  When it fails nothing of it is left. */
int keeper_start(struct cluster *c, const struct cluster_conf *conf, struct err *err);
/* Kill it and wait until all is gone. */
int keeper_kill(const struct cluster *c, struct err *err);

/* -- a node's files (mounts.c) -- */

/* In the keeper: its own view of the host's files, from which nodes take theirs. */
int mounts_keeper(const struct cluster *c, struct err *err);
/* In the node's init. */
int mounts_node(const struct cluster *c, const struct cluster_conf *conf, size_t node, struct err *err);

#endif
