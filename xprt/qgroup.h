/* qgroup.h - a group of daemons that share a rate of bus messages.
 *
 * Each member may let its publishers send `quota` bytes in each window of time; that is spent when credit is given back
 * to them (SEND_QUOTA), and while nothing is left credit is withheld.  A member that runs short asks the others, which
 * donate what they can spare.  Windows begin at whole multiples of reset_us of the wall clock, so that members agree on
 * them without words; what is said of another window is ignored.
 *
 * This is the account; who the members are is the daemon's business (core/daemon/qgroups.h).  Any thread; the lock is
 * taken with loops held, and none but loop_post()'s is taken under it.
 */
#ifndef XPRT_QGROUP_H
#define XPRT_QGROUP_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "core/base/err.h"
#include "core/base/loop.h"

struct xprt;

struct qgroup_conf {
	uint64_t quota;      /* bytes of a window */
	uint64_t ask_mark;   /* ask when less is left; donate only what is above */
	uint64_t ask_amount; /* of each member, at once */
	int64_t ask_us;      /* look that often whether to ask */
	int64_t reset_us;    /* length of a window */
};

/* Somebody who wants to spend more than there is. */
struct qgroup_wait {
	struct loop *loop;
	struct loop_job job; /* posted when there is more */
	bool waits;
	TAILQ_ENTRY(qgroup_wait) entry;
};

struct qgroup {
	pthread_mutex_t lock;
	struct qgroup_conf conf;
	bool on;
	uint64_t left;
	int64_t window_us;
	TAILQ_HEAD(, qgroup_wait) waits;
};

void qgroup_init(struct qgroup *q);
void qgroup_fini(struct qgroup *q);
void qgroup_conf_set(struct qgroup *q, const struct qgroup_conf *conf);
/* -EINVAL: something is not configured. */
int qgroup_on(struct qgroup *q, struct err *err);
void qgroup_off(struct qgroup *q); /* who waits need not any more */
bool qgroup_is_on(struct qgroup *q);

/* How much of that may be spent now; for the rest `w` waits.  q NULL or off: all of it. */
uint64_t qgroup_spend(struct qgroup *q, uint64_t bytes, struct qgroup_wait *w);
void qgroup_wait_end(struct qgroup *q, struct qgroup_wait *w);
/* A window may have ended: who waits goes on. */
void qgroup_tick(struct qgroup *q);
/* Bytes left, and the window they are of; false when it is off. */
bool qgroup_left(struct qgroup *q, uint64_t *ret_left, int64_t *ret_window_us);
/* For a member that asks: what it gets, 0: nothing. */
uint64_t qgroup_donate(struct qgroup *q, uint64_t amount, int64_t window_us);
/* A member gave us that: what we do not need is its again. */
uint64_t qgroup_take(struct qgroup *q, uint64_t amount, int64_t window_us);
/* ... of ours, it gave that back. */
void qgroup_back(struct qgroup *q, uint64_t amount, int64_t window_us);

/* Ask a member, with the peer's loop held.  Only members: a real daemon without a group dies of it. */
int xprt_qgroup_ask(struct xprt *x, uint64_t amount, int64_t window_us);

#endif
