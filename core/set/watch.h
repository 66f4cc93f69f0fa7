/* watch.h - who wants to know when a set has a new sample.
 *
 * A sample ends in the thread of its writer, which must not wait: a watch's function only notes that there is something
 * new, and posts to its loop.  A set that nobody watches pays one look at a pointer.
 */
#ifndef CORE_SET_WATCH_H
#define CORE_SET_WATCH_H

#include "core/set/set.h"

struct set_watch {
	/* Called in any thread after a sample of the set was published, one call at a time, a lock held: it takes no
	 * lock but a loop's queue's. */
	void (*changed)(struct set_watch *w);
	struct set_watch *next, **prev; /* watch.c's */
};

void set_watch_add(struct set *s, struct set_watch *w);
/* When this returns, `changed` is not running and will not be called. */
void set_watch_del(struct set *s, struct set_watch *w);

/* A sample was published. */
void set_tell_watches(struct set *s);

static inline void set_tell(struct set *s)
{
	if (atomic_load_explicit(&s->watches, memory_order_acquire))
		set_tell_watches(s);
}

#endif
