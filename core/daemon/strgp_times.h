/* strgp_times.h - how long a policy takes to store each of its sets.
 *
 * Sets come when a producer begins to offer them and go with it, so there are never more than the daemon has.  The
 * worker counts a batch at a time: one reading of the clock, shared out evenly.
 */
#ifndef CORE_DAEMON_STRGP_TIMES_H
#define CORE_DAEMON_STRGP_TIMES_H

#include <pthread.h>
#include <stdint.h>
#include <uthash.h>

#include "core/set/snap.h"

struct strgp_time {
	UT_hash_handle hh;
	const char *prdcr, *schema; /* behind the name */
	struct snap_meta *meta;     /* of its last snapshot: the next one's are likely the same */
	unsigned int users;         /* who offers it: two for a moment, when it moves to another producer */
	int tid;                    /* of the worker that had it last; 0: none yet */
	uint64_t n;
	double sum_us, min_us, max_us;
	int64_t min_at_us, max_at_us, first_us, last_us; /* wall clock */
	char name[];
};

struct strgp_times {
	pthread_mutex_t lock; /* innermost */
	struct strgp_time *table;
	struct strgp_time *next; /* of the one counted last: sets come in the same order each time */
};

void strgp_times_init(struct strgp_times *t);
void strgp_times_fini(struct strgp_times *t);
void strgp_times_join(struct strgp_times *t, const char *set, const char *prdcr, const char *schema);
void strgp_times_leave(struct strgp_times *t, const char *set);
/* A batch was stored, by the calling thread, in so long, until now. */
void strgp_times_count(struct strgp_times *t, struct snap *const *sn, size_t n, int64_t took_ns, int64_t now_us);
/* Each set that was ever stored; then all begins anew, if `reset`. */
void strgp_times_walk(struct strgp_times *t, bool reset, void (*fn)(const struct strgp_time *tm, void *arg), void *arg);

#endif
