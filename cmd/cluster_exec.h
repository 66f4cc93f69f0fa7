/* cluster_exec.h - running a command in one node, or in many at once. */
#ifndef CMD_CLUSTER_EXEC_H
#define CMD_CLUSTER_EXEC_H

#include "cmd/cluster.h"
#include "core/base/hostlist.h"

/* Each enters the node for good, or a child does; the exit status, or a negative errno with words. */
int exec_one(const struct cluster *c, size_t node, char **argv, const int *fds, struct err *err);
/* The worst of all statuses; CLUSTER_EXIT_NOT_RUN where it could not be started, which is said. */
int exec_many(const struct cluster *c, const struct hostlist *nodes, char **argv, struct err *err);

#endif
