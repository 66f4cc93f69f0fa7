/* lock.h - which of several maestros acts: who holds the lock, for the time of a lease that it renews.
 *
 * A holder that cannot renew its lease gives up before it is over, by its own clock; so there are never two.  Who waits
 * takes over when the lease has run out, or at once when the holder ended as it should.
 */
#ifndef CORE_MAESTRO_LOCK_H
#define CORE_MAESTRO_LOCK_H

#include <stdint.h>

#include "core/base/err.h"
#include "core/base/loop.h"

struct lock;

struct lock_conf {           /* borrowed until lock_new() returns */
	const char *file;    /* a shared file; or */
	const char *cluster; /* a file that names the members of an etcd cluster, as maestro's --cluster */
	const char *prefix;  /* of the key in etcd */
	int64_t lease_us;
};

int lock_new(const struct lock_conf *conf, struct lock **ret, struct err *err);
/* Try to get it, and go on: held(true) when it is ours, held(false) when it is no more; on the loop. */
void lock_start(struct lock *l, struct loop *loop, void (*held)(void *arg, bool ours), void *arg);
/* Who has it, as far as it is known: "HOST PID NUMBER", or why nobody knows; yours. */
char *lock_holder(struct lock *l);
/* Give it up.  NULL is fine. */
void lock_free(struct lock *l);

#endif
