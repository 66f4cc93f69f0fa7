/* user.h - becoming another user: for a daemon that is root only as long as it must be.
 *
 * All of this is for a process that has one thread yet: the user changes for all threads, but capabilities, and that
 * no program may give new ones, are each thread's own; those that are made later inherit them.
 */
#ifndef CORE_BASE_USER_H
#define CORE_BASE_USER_H

#include <stdint.h>
#include <sys/types.h>

#include "core/base/err.h"

struct user {
	char *name; /* as in the user database, or the number */
	uid_t uid;
	gid_t gid;
	gid_t *groups; /* the supplementary ones */
	int n_groups;
};

/* USER[:GROUP], each a name or a number: its numbers and groups.  -ENOENT with words for one that is not known; a
 * number need not be, but then wants a GROUP. */
int user_find(const char *text, struct user *ret, struct err *err);
void user_fini(struct user *u);

/* Look at (and make) files as that user would, and be oneself again.  Only root can: -EPERM. */
struct user_saved {
	uid_t uid;
	gid_t gid;
	gid_t *groups;
	int n_groups;
};
int user_try(const struct user *u, struct user_saved *saved, struct err *err);
void user_back(struct user_saved *saved); /* ends the program when the kernel refuses: nobody may go on half changed */

/* Be that user for good: with those of `keep` that are permitted now as the only capabilities, an empty bounding set,
 * and no way to new rights.  The memory is then nobody's to look at but root's: no core files, no debugger.  -EPERM
 * with words when this process may not become that user. */
int user_become(const struct user *u, uint64_t keep, struct err *err);

#endif
