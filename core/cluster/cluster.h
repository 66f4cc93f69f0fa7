/* cluster.h - a virtual cluster: what it shall be, where its state is kept, and what runs of it.
 *
 * Nothing of a cluster lives in the host's namespaces.  One keeper, init of a pid namespace of its own, holds the bridge;
 * below it each node's namespaces are held by the node's init.  Killing the keeper ends all of it.  What is kept in files
 * only says who that is:
 *
 *	DIR/NAME/cluster              the keeper and the nodes' inits (cluster.c has its form)
 *	DIR/NAME/hosts                /etc/hosts of every node
 *	DIR/NAME/bin/                 /run/ldms/bin of every node
 *	DIR/NAME/nodes/NODE/{run,tmp,log}  /run, /tmp and /var/log of the node
 *	DIR/NAME/nodes/NODE/env       its environment, KEY=VALUE, a NUL behind each
 *	DIR/NAME/nodes/NODE/daemons/  a file for each daemon that was started (daemon_rec.h)
 *
 * The folder DIR/NAME itself is the lock (flock) of whoever changes the cluster.
 */
#ifndef CORE_CLUSTER_CLUSTER_H
#define CORE_CLUSTER_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/base/err.h"

#define CLUSTER_NODES_MAX 1000            /* a bridge of this kernel has 1023 ports */
#define CLUSTER_NAME_MAX  63              /* bytes of a node's or a cluster's name: that of a host name's part */
#define CLUSTER_BIN       "/run/ldms/bin" /* in every node: first in PATH */

/* -- what it shall be ---------------------------------------------------------------------------------------------- */

struct cluster_mount {
	const char *src, *dst; /* in the host, in the nodes */
	bool ro;
};

struct cluster_host {
	const char *name;
	const char *const *aliases;         /* more names in /etc/hosts, ended by NULL; NULL: none */
	const char *const *env;             /* KEY=VALUE, ended by NULL; a later one wins; NULL: none */
	const struct cluster_mount *mounts; /* of this node, behind the cluster's */
	size_t n_mounts;
};

struct cluster_conf {
	const char *name, *base; /* the folder is base/name */
	const struct cluster_host *hosts;
	size_t n_hosts;
	const struct cluster_mount *mounts;
	size_t n_mounts;
	const char *const *programs; /* names of this executable in CLUSTER_BIN, ended by NULL */
	bool ipv6;                   /* nodes have addresses of that, too */
	bool pidns;                  /* each node has process numbers of its own */
	bool clock;                  /* what is started in nodes can be told another time */
};

/* -- what is there ------------------------------------------------------------------------------------------------- */

struct cluster_node {
	char *name;
	char *addr;    /* 10.77.1.2 */
	char *addr6;   /* fd77::1:2; NULL: none */
	pid_t pid;     /* of its init, as the host counts */
	uint64_t born; /* when that began: who has the number later is somebody else */
};

struct cluster {
	char *name, *dir; /* dir: BASE/NAME */
	int lock;         /* the folder, when it is locked; else -1 */
	pid_t keeper;
	uint64_t born;
	bool user; /* made without root: in a user namespace */
	bool ipv6, pidns, clock;
	struct cluster_node *nodes;
	size_t n;
	int settle; /* while it is being made: the keeper dies when this is closed; else -1 */
};

/* Where clusters are kept: `dir`, or $LDMS_CLUSTER_DIR, or the user's place for such things.  Yours. */
char *cluster_base(const char *dir);
/* "SRC:DST[:ro|rw]", DST from the root.  The texts live as long as *ret_copy, which is yours, also on failure. */
int cluster_mount_parse(const char *text, struct cluster_mount *ret, char **ret_copy, struct err *err);
/* -EINVAL with words when that cannot be the name of a cluster or node (`what`). */
int cluster_name_check(const char *what, const char *name, struct err *err);

/* Read what is there.  -ENOENT: there is no such cluster. */
int cluster_open(const char *base, const char *name, struct cluster **ret, struct err *err);
void cluster_close(struct cluster *c); /* takes NULL; the cluster itself goes on */
bool cluster_alive(const struct cluster *c);
bool cluster_node_alive(const struct cluster_node *n);
/* -ENOENT with words, and the nearest name. */
int cluster_node_find(const struct cluster *c, const char *name, size_t *ret, struct err *err);
/* A file or folder of a node as the host sees it: cluster_node_path(c, n, "log/x.log").  Yours. */
char *cluster_node_path(const struct cluster *c, const struct cluster_node *n, const char *below);

/* The names of all clusters in `base`, sorted, ended by NULL; also of half-made ones and dead ones.  Yours. */
char **cluster_list(const char *base);
void cluster_list_free(char **names);

/* Make it.  It lives only as long as the caller, until cluster_settle().  On failure nothing is left.  -EEXIST when it is
 * running; one that is dead is cleared away before. */
int cluster_up(const struct cluster_conf *conf, struct cluster **ret, struct err *err);
/* It is complete: it lives on by itself, and others may change it. */
int cluster_settle(struct cluster *c, struct err *err);
/* End it, whatever is left of it, and remove its folder.  0 also when there was nothing: *ret_was says. */
int cluster_down(const char *base, const char *name, bool *ret_was, struct err *err);
/* The same for one that was not settled; closes it. */
void cluster_undo(struct cluster *c);

/* Hold the lock of a cluster that is there while it is changed; cluster_close() gives it back. */
int cluster_lock(struct cluster *c, struct err *err);
void cluster_unlock(struct cluster *c);

/* -- processes (proc.c) -------------------------------------------------------------------------------------------- */

/* When the process began, 0: there is none. */
uint64_t proc_born(pid_t pid);
/* Its state, a letter as ps has it; '\0': the one that began then is gone. */
char proc_state(pid_t pid, uint64_t born);
/* A pidfd of the process that has this number and began then, or -ESRCH. */
int proc_pidfd(pid_t pid, uint64_t born);

#endif
