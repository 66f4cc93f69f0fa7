/* maestro.h - a cluster is made what its file says, and kept so.
 *
 * One loop in the calling thread.  Each daemon is connected to, asked what runs, compared with the plan, and sent the
 * difference; then it is asked now and then whether its configuration has changed.  Daemons run on whatever becomes of
 * maestro.
 */
#ifndef CORE_MAESTRO_MAESTRO_H
#define CORE_MAESTRO_MAESTRO_H

#include "core/base/loop.h"
#include "core/maestro/plan.h"

enum maestro_mode {
	MAESTRO_KEEP, /* stay, and watch the file and the daemons */
	MAESTRO_ONCE, /* until all agree, or time is up */
	MAESTRO_DIFF, /* only say what differs */
};

struct lock;
struct watch;

struct maestro_conf { /* borrowed */
	const char *file;
	struct watch *watch; /* KEEP: since before the file was read */
	enum maestro_mode mode;
	bool enforce;
	int64_t poll_us;   /* between two looks at a daemon */
	int64_t wait_us;   /* ONCE, DIFF: for daemons that cannot be reached */
	const char *state; /* a file that remembers what was sent; NULL: none */
	struct lock *lock; /* NULL: nobody else does this */
	/* ONCE, DIFF: some more daemons are done. */
	void (*progress)(void *arg, size_t done, size_t all);
	void *arg;
};

enum outcome {
	OUTCOME_NONE,      /* on its way */
	OUTCOME_APPLIED,   /* it was sent something, and agrees now */
	OUTCOME_UNCHANGED, /* it agreed */
	OUTCOME_UNREACHABLE,
	OUTCOME_REFUSED, /* it did not take all of it */
	OUTCOME_DIFFERS, /* MAESTRO_DIFF: it does not agree; otherwise: an operator has changed it */
	OUTCOMES
};
extern const char *const outcome_names[OUTCOMES];

struct maestro;

/* Takes the plan. */
int maestro_new(const struct maestro_conf *conf, struct loop *loop, struct plan *plan, struct maestro **ret,
		struct err *err);
/* Begin; ends by itself, by loop_stop(), in the modes that end. */
void maestro_start(struct maestro *m);
void maestro_free(struct maestro *m); /* NULL is fine */

/* Does it act, or another one that has the lock? */
bool maestro_leads(const struct maestro *m);
/* What became of the daemons: a count of each outcome, and each with its words (why, or the difference; "" for none). */
void maestro_counts(const struct maestro *m, size_t n[OUTCOMES]);
void maestro_each(const struct maestro *m, void (*fn)(void *arg, const char *name, enum outcome o, const char *words),
		  void *arg);

#endif
