/* rare.h - log the first of a kind at once, the rest as a number: a fleet in trouble must not fill the log. */
#ifndef XPRT_RARE_H
#define XPRT_RARE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "core/base/clock.h"

#define RARE_US 10000000 /* one line of a kind in so many microseconds */

struct rare {
	_Atomic int64_t next_us; /* not before */
	atomic_ulong held;       /* since the last line */
};

/* May one be logged now?  *ret_held is how many were not, since the last one. */
static inline bool rare_now(struct rare *r, unsigned long *ret_held)
{
	int64_t now = mono_us(), next = atomic_load(&r->next_us);

	if (now < next || !atomic_compare_exchange_strong(&r->next_us, &next, now + RARE_US)) {
		atomic_fetch_add(&r->held, 1);
		return false;
	}
	*ret_held = atomic_exchange(&r->held, 0);
	return true;
}

#endif
