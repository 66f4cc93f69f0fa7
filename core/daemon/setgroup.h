/* setgroup.h - set groups: sets without metrics, whose info pairs name other sets.
 *
 * A group is a set of schema ldmsd_grp_schema.  A member is the info key "    grp_member: NAME" (four blanks in front)
 * with the value "-"; the set of that name need not be there.  Who reads a group reads its members: aggregators in one
 * go right behind it, `ldms ls` shows them along.
 */
#ifndef CORE_DAEMON_SETGROUP_H
#define CORE_DAEMON_SETGROUP_H

#include "core/daemon/daemon.h"

#define SETGROUP_SCHEMA      "ldmsd_grp_schema"
#define SETGROUP_MEMBERS_MAX 4000 /* of one group; readers take 4096 info pairs of a set */

#define SETGROUP_VALUE "-"

/* The member's name if that info key is one, or NULL. */
const char *setgroup_member(const char *info_key);

struct setgroup_schedule { /* how often the members are sampled, for the update hint; interval 0: not said */
	int64_t interval_us, offset_us;
	bool has_offset;
};

/* Publish a new, empty group.  -EEXIST when there is a set of that name. */
int setgroup_add(struct daemon *d, const char *name, const char *producer, const struct setgroup_schedule *sched,
		 struct err *err);
/* The others: -ENOENT when there is no set of that name, -EINVAL when it is no group of this daemon's. */
int setgroup_del(struct daemon *d, const char *name, struct err *err);
/* Change the hint; with interval 0 it goes. */
int setgroup_mod(struct daemon *d, const char *name, const struct setgroup_schedule *sched, struct err *err);
/* Members, separated by commas.  One that is in (or not in) already is fine; one bad name and nothing is changed. */
int setgroup_ins(struct daemon *d, const char *name, const char *members, struct err *err);
int setgroup_rm(struct daemon *d, const char *name, const char *members, struct err *err);

#endif
