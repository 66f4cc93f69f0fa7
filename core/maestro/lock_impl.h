/* lock_impl.h - what the kinds of locks share: lock.c renews on a thread, lock_file.c and lock_etcd.c are where. */
#ifndef CORE_MAESTRO_LOCK_IMPL_H
#define CORE_MAESTRO_LOCK_IMPL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/err.h"
#include "core/maestro/lock.h"

struct lock_type {
	int (*open)(const struct lock_conf *conf, void **ret, struct err *err);
	/* Get it, or renew it; may wait, though not beyond deadline_us (monotonic).  1: it is ours; 0: another one has
	 * it, and err says who ("" when he does not say so); a negative errno: nobody knows. */
	int (*hold)(void *lock, int64_t deadline_us, struct err *err);
	void (*release)(void *lock); /* if it is ours */
	void (*close)(void *lock);
};
extern const struct lock_type lock_file, lock_etcd;

/* Who we are, for others to read: "HOST PID NUMBER"; yours. */
char *lock_id(void);

#endif
