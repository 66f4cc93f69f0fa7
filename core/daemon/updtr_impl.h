/* updtr_impl.h - an updater as its files know it: updtr.c (its configuration, and which producers), updtr_task.c (its
 * schedules, and the sets on them), updtr_hint.c (what sets say of theirs). */
#ifndef CORE_DAEMON_UPDTR_IMPL_H
#define CORE_DAEMON_UPDTR_IMPL_H

#include <sys/queue.h>

#include "core/base/regex.h"
#include "core/daemon/updtr.h"

/* A set on a schedule. */
struct updtr_member {
	TAILQ_ENTRY(updtr_member) turn; /* the task's, in order of coming: sets of one producer stand together */
	struct updtr_member *next;      /* the set's */
	struct task *task;
	struct prdset *ps;
	const struct prdset *via; /* the group that it is read behind; NULL: it has a turn of its own */
};

/* One schedule on one loop. */
struct task {
	LIST_ENTRY(task) link;
	struct updtr *u;
	struct loop *loop;
	int64_t interval_us, offset_us;
	ev_periodic tick;
	TAILQ_HEAD(, updtr_member) members;
};

struct match {
	struct rx rx;
	enum updtr_selector sel;
};

/* On producers' names; the last one that matches counts. */
struct rule {
	struct rx rx;
	bool del; /* not those, whatever rules before it say */
};

struct updtr {
	struct node node; /* in the daemon's table */
	struct daemon *d;
	struct updtr_conf conf;
	bool running;
	int64_t hint_lag_us;
	int64_t phase_us; /* conf.async: the offset that its start made */
	struct rule *rules;
	size_t rules_n;
	struct match *matches;
	size_t matches_n;
	LIST_HEAD(, task) tasks[DAEMON_IO_LOOPS_MAX + 1]; /* by loop (loop_index), each under its loop's lock */
};

/* How long behind its sampling a set with a hint is read. */
int64_t updtr_hint_lag_us(void);
/* Take it off its schedule; its loop is held. */
void updtr_member_del(struct updtr_member *m);

#endif
