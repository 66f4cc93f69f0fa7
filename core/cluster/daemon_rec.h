/* daemon_rec.h - which daemons were started in a node: a file for each in the node's folder daemons/, "PID BORN LOG". */
#ifndef CORE_CLUSTER_DAEMON_REC_H
#define CORE_CLUSTER_DAEMON_REC_H

#include "core/cluster/cluster.h"

struct daemon_rec {
	char *name;
	pid_t pid; /* as the host counts */
	uint64_t born;
	char *log; /* its file as the host sees it, NULL: none */
};

/* It was started: when it is gone this stays, until daemon_rec_drop(). */
int daemon_rec_put(const struct cluster *c, size_t node, const char *name, pid_t pid, const char *log, struct err *err);
/* It was stopped, by its operator. */
void daemon_rec_drop(const struct cluster *c, size_t node, const char *name);
/* All of a node, sorted by name; *ret_n is their number.  Yours. */
struct daemon_rec *daemon_rec_list(const struct cluster *c, size_t node, size_t *ret_n);
void daemon_rec_free(struct daemon_rec *recs, size_t n);
bool daemon_rec_alive(const struct daemon_rec *r);
/* "running", "paused", "ended". */
const char *daemon_rec_state(const struct daemon_rec *r);

#endif
