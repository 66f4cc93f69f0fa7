/* scribe_impl.h - the inside of an instance of a store of messages: scribe.c (what operators see), scribe_hear.c (its
 * subscriptions), scribe_run.c (the queue, and the worker's side). */
#ifndef CORE_DAEMON_SCRIBE_IMPL_H
#define CORE_DAEMON_SCRIBE_IMPL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#include "core/daemon/scribe.h"
#include "core/daemon/strgp_pool.h"

enum scribe_state_ { SCRIBE_LOADED, SCRIBE_CONFIGURED, SCRIBE_RUNNING, SCRIBE_STOPPING };

/* Something to hear: the main loop's; letters hold references. */
struct scribe_sub {
	struct scribe_sub *next;
	struct scribe *sc;
	atomic_uint refs;
	enum scribe_via via;
	bool regex;
	struct stream_sub *stream;
	struct bus_sub *bus;
	char name[];
};
struct scribe_letter {
	struct scribe_letter *next;
	struct scribe_sub *sub;
	struct scribe_msg m; /* points behind */
	size_t cost;
};

struct scribe {
	struct strgp_task task;
	const struct scribe_env *env;
	const struct scribe_type *type;
	char *name;
	struct kv attrs;
	atomic_uint refs;
	/* the main loop's */
	struct scribe_sub *subs;
	bool wanted; /* to begin, when the loop turns */
	uint64_t queue_bytes;

	pthread_mutex_t lock;
	pthread_cond_t ended;
	enum scribe_state_ state;
	struct scribe_letter *head, **tail;
	uint64_t n, bytes, in_hand, unflushed;
	uint64_t msgs, stored, dropped, refused;
	uint64_t dropped_before; /* when the queue became full */
	int64_t dropped_us;      /* the last time; monotonic */
	bool overflowing, soon, hurried;
	char why[ERR_MAX];
	_Atomic int64_t stop_by; /* INT64_MAX: not stopping */
	/* the worker's */
	bool open, failing;
	int64_t flush_at, retry_at, backoff_us, said_us;

	max_align_t plugin[];
};

void scribe_put(struct scribe *sc);

/* -- scribe_hear.c: with the main loop held ------------------------------------------------------------------------ */

void scribe_sub_put(struct scribe_sub *sub); /* any thread */
void scribe_subs_open(struct scribe *sc);
void scribe_subs_close(struct scribe *sc);
void scribe_subs_drop(struct scribe *sc); /* and forget them */

/* -- scribe_run.c -------------------------------------------------------------------------------------------------- */

void scribe_queue_init(struct scribe *sc);
void scribe_queue_fini(struct scribe *sc);
/* A message is there: any thread. */
void scribe_take(struct scribe_sub *sub, const struct scribe_msg *m);
int64_t scribe_run(struct strgp_task *t);
void scribe_ended(struct strgp_task *t);

#endif
