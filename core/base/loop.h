/* loop.h - an event loop (libev), the lock that guards what lives on it, and a door for other threads.
 *
 * Every long-lived object belongs to one loop and is handed that loop when made; there is no global one.  The loop's
 * lock is held whenever its callbacks run and released while it waits, so that another thread may look at (or change)
 * the loop's objects between loop_lock() and loop_unlock().  Order of locks: the main loop's before an I/O loop's, one
 * I/O loop at a time; code on an I/O loop never locks the main loop: it posts to it.
 *
 * Nothing in a callback waits.
 */
#ifndef CORE_BASE_LOOP_H
#define CORE_BASE_LOOP_H

#include <stdbool.h>
#include <ev.h>

#include "core/base/err.h"

struct loop;

/* Something to be done on a loop.  The memory is the poster's; it may be posted again once `fn` has begun. */
struct loop_job {
	void (*fn)(struct loop_job *job);
	struct loop_job *next;
	bool queued;
};

struct loop *loop_new(const char *name, struct err *err);
/* The loop must have stopped; jobs that are still queued are run first. */
void loop_free(struct loop *l);

struct ev_loop *loop_ev(struct loop *l);

/* Turn in the calling thread until loop_stop(). */
void loop_run(struct loop *l);
/* Turn in a thread of its own; loop_join() stops it and waits for its end. */
int loop_start(struct loop *l, struct err *err);
void loop_join(struct loop *l);
/* Any thread, and signal handlers. */
void loop_stop(struct loop *l);
bool loop_stopping(const struct loop *l);

/* Any thread but never from a callback of `l` itself (they hold it already: loop_is_mine). */
void loop_lock(struct loop *l);
void loop_unlock(struct loop *l);
/* Does the calling thread hold the loop (a callback of it, or between lock and unlock)? */
bool loop_is_mine(const struct loop *l);

/* The same for code that may or may not be on `l` already; may be nested. */
void loop_enter(struct loop *l);
void loop_leave(struct loop *l);

/* Run job->fn on the loop soon; any thread, in order of posting.  A job that is queued already stays queued once. */
void loop_post(struct loop *l, struct loop_job *job);
/* The same with memory of its own, for rare things: fn(arg) is called once on the loop. */
void loop_call(struct loop *l, void (*fn)(void *arg), void *arg);

/* A slot for the transport's per-loop state (one for each loop; see xprt/io.h). */
void loop_io_set(struct loop *l, void *io, void (*fini)(void *io));
void *loop_io(const struct loop *l);

#endif
