/* node.h - running something in a node of a cluster. */
#ifndef CORE_CLUSTER_NODE_H
#define CORE_CLUSTER_NODE_H

#include "core/cluster/cluster.h"

struct node_cmd {
	char *const *argv;      /* ended by NULL; the program is looked for in the node's PATH */
	const char *const *env; /* KEY=VALUE, ended by NULL: over the node's, which is over ours; NULL: no more */
	const char *cwd;        /* where it runs; NULL, or where there is no such folder: / */
	int fds[3];             /* its standard input, output and error; -1: /dev/null */
};

/* Start it for good: it is the node's own, and ends with the node; nobody waits for it.  *ret_pid is its number as the
 * host counts.  -ENOENT and the like with words when the program cannot be started. */
int node_start(const struct cluster *c, size_t node, const struct node_cmd *cmd, pid_t *ret_pid, struct err *err);

/* Run it to its end: *ret_status is its exit status, 128 and the signal's number when one ended it.  SIGTERM, SIGINT,
 * SIGHUP, SIGQUIT, SIGUSR1 and SIGUSR2 that come to us go to it; it dies when we die.  -ENOENT and the like with words when it cannot be
 * started. */
int node_run(const struct cluster *c, size_t node, const struct node_cmd *cmd, int *ret_status, struct err *err);

/* From here on what this process starts, and what it opens, is in the node; only once in a process, which must be a child
 * that ends with _exit(): its own process number stays what it was, and is not in the node's /proc. */
int node_enter(const struct cluster *c, size_t node, struct err *err);

#endif
