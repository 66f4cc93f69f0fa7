/* groups.h - which groups a user is in, as the system's user database has it.
 *
 * The database may be a server far away that is slow, or does not answer at all.  So questions are answered from memory
 * and never wait; what is not in memory, or stands there for long, is learned on a worker.  One memory for the process.
 */
#ifndef CORE_BASE_GROUPS_H
#define CORE_BASE_GROUPS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "core/base/work.h"

/* Who wants to be told when the groups of a user are known: job.fn and loop are his to set. */
struct groups_wait {
	struct loop_job job; /* posted to the loop, once */
	struct loop *loop;
	LIST_ENTRY(groups_wait) entry; /* groups.c's */
	bool listed;                   /* groups.c's */
};

/* Is that a group of the user?  False when his groups are not known. */
bool groups_has(uint32_t uid, uint32_t gid);

/* See to it that the groups of the user become known and stay up to date: asks the database on a worker of `work` where
 * needed (without `work`, at once).  True when they are known now; else w->job is posted when they are (w NULL: nobody
 * wants to know). */
bool groups_need(struct work *work, struct loop *loop, uint32_t uid, struct groups_wait *w);

/* Not interested any more.  False: the job is on its way already and comes. */
bool groups_unwait(struct groups_wait *w);

#endif
