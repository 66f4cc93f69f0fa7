/* qgroups.h - the quota group of a daemon: who the other members are, and when they are asked (the account itself is
 * xprt/qgroup.h).  Of the main loop; members are connected to while the group runs.
 */
#ifndef CORE_DAEMON_QGROUPS_H
#define CORE_DAEMON_QGROUPS_H

#include "core/daemon/daemon.h"
#include "xprt/qgroup.h"

struct qgroups;

struct qgroup_member_conf {
	const char *xprt, *host, *auth; /* auth: the domain */
	unsigned short port;
};

struct qgroup_member_info { /* borrowed */
	struct qgroup_member_conf conf;
	const char *state; /* "CONNECTED", "CONNECTING", "DISCONNECTED" */
};

struct qgroups *qgroups_new(struct daemon *d);
/* Members are let go, the account lives on. */
void qgroups_stop(struct qgroups *g);
void qgroups_free(struct qgroups *g); /* stopped, and no peer is left */

struct qgroup *qgroups_account(struct qgroups *g);
/* -EINVAL: the group is not fully configured.  Started again: no-op. */
int qgroups_start(struct qgroups *g, struct err *err);
/* Also while it runs: a new ask_us counts from now. */
void qgroups_config(struct qgroups *g, const struct qgroup_conf *conf);
int qgroups_member_add(struct qgroups *g, const struct qgroup_member_conf *conf, struct err *err); /* -EEXIST */
int qgroups_member_del(struct qgroups *g, const char *host, unsigned short port, struct err *err); /* -ENOENT */
void qgroups_members(struct qgroups *g, void (*fn)(void *arg, const struct qgroup_member_info *m), void *arg);

#endif
