/* share.h - which aggregator of a group runs which producer.
 *
 * Every producer has a home among the aggregators of its group: blocks of the same size in the order of the producers'
 * names, or what was found running, and moved only as far as balance wants it.  While its home is dead another one of
 * the group runs it; no one else's producers move.  Aggregators are indices into the group's `aggs`.
 */
#ifndef CORE_MAESTRO_SHARE_H
#define CORE_MAESTRO_SHARE_H

#include <stdint.h>

#include "core/maestro/plan.h"

#define SHARE_NOBODY UINT32_MAX

struct share_group {
	uint32_t *home; /* of each producer of the group */
	uint32_t *runs; /* who is to run it now; SHARE_NOBODY: nobody of the group is alive */
	size_t n;
};

struct share {
	struct share_group *groups; /* as the plan's */
	size_t n;
};

/* What a producer weighs (bytes per second, say); NULL: all the same. */
struct share_weigh {
	double (*weight)(void *arg, size_t group, size_t prdcr);
	void *arg;
};

/* All at home, in blocks. */
struct share *share_new(const struct plan *p, const struct share_weigh *w);
void share_free(struct share *s); /* NULL is fine */

/* After share_new(): homes are taken over from an earlier share (of an earlier plan, by names), or one by one from what
 * was found running; then share_balance() moves the fewest that it can so that the load is even again, and gives those
 * without a home one.  Who ran at home runs at the new one. */
void share_inherit(struct share *s, const struct plan *p, const struct share *old, const struct plan *old_plan);
void share_found(struct share *s, size_t group, size_t prdcr, uint32_t agg);
void share_balance(struct share *s, const struct plan *p, const struct share_weigh *w);

/* Who is alive has changed: producers of the dead move to the living who have least, those of the returned go home (as
 * the group's `rebalance` has it).  How many now run elsewhere than before. */
size_t share_settle(struct share *s, const struct plan *p, bool (*alive)(void *arg, size_t daemon), void *arg,
		    const struct share_weigh *w);

#endif
