/* compare.h - what is to be done at a daemon, from what is wanted, what runs, and what it was sent before.
 *
 * What the file has and the daemon has not, or otherwise, is made so; what the daemon was sent and the file has no more
 * goes.  What differs although the daemon was sent just that is drift: an operator has changed it.  So is what nobody
 * here has sent.  Drift is told, and left as it is unless it is to be repaired.
 */
#ifndef CORE_MAESTRO_COMPARE_H
#define CORE_MAESTRO_COMPARE_H

#include "core/ctl/book_diff.h"

struct compare_conf { /* books are borrowed, and sorted */
	struct book *want;
	struct book *have;
	const struct book *sent; /* since the daemon has been running; NULL: it is not known */
	bool ldmsd;              /* `have` is filled (ldmsd_fill) */
	bool enforce;            /* repair drift */
	/* Nobody is known to have sent it, and it is the file's all the same: another one's producer; or NULL. */
	bool (*is_ours)(void *arg, enum book_kind kind, const char *name);
	void *arg;
	unsigned short port; /* at which it is reached: it listens there already */
};

struct compared {
	struct book *from, *to; /* of the difference */
	struct book_diff *diff; /* to be carried out */
	bool ldmsd;
	struct buf drift;       /* in words, a line each */
	size_t drift_n;
	struct buf fixed;      /* what only a restart of the daemon brings, in words */
	struct buf again;      /* ldmsd: lines to be said whether it knows them already or not: it does not show them */
	struct buf again_subs; /* ... behind the producers that they are about */
	struct buf again_starts; /* ... of samplers, at the end */
};

void compare(struct compared *ret, const struct compare_conf *conf);
void compared_fini(struct compared *c);
/* The commands, in order; errors are the function's. */
int compared_steps(const struct compared *c, book_step_fn *fn, void *arg, struct err *err);
bool compared_same(const struct compared *c);

#endif
