/* scribe.h - instances of stores of messages (store/scribe.h): what they hear, the bounded queue where it waits, and the
 * store worker that writes it.
 *
 * At every moment messages = stored + queued + dropped + refused.  A message is stored when it was flushed, queued until
 * then; the oldest are dropped when the queue is full; refused are those that the plugin can never take.  A plugin that
 * fails (a full disk) is tried again after 1 s, then 2, up to 30 s.
 *
 * An instance is owned by the main loop.
 */
#ifndef CORE_DAEMON_SCRIBE_H
#define CORE_DAEMON_SCRIBE_H

#include "core/base/loop.h"
#include "store/scribe.h"

struct streams;
struct bus;
struct strgp_pool;

/* The attributes that every one has, for help; ended by a row without name. */
extern const struct store_attr scribe_common_attrs[];

/* What all instances of a daemon share; borrowed, outlives them. */
struct scribe_env {
	struct loop *loop;
	struct streams *streams; /* and bus: NULL: there are none */
	struct bus *bus;
	struct strgp_pool *pool;
	bool draft; /* nothing is heard, nothing is written */
};

struct scribe *scribe_new(const struct scribe_env *env, const struct scribe_type *type, const char *name);
/* It hears nothing more; what is queued is written by its worker, after which the memory goes. */
void scribe_drop(struct scribe *sc);
/* The attributes are copied.  One that does not wait for `start` begins. */
int scribe_config(struct scribe *sc, const struct kv *attrs, struct err *err);
/* -EBUSY when it writes, -EINVAL when it has no config, or needs none of this. */
int scribe_start(struct scribe *sc, struct err *err);
/* Hear nothing more; the worker writes what is queued and closes its files.  Does not wait. */
int scribe_stop(struct scribe *sc, struct err *err);
/* For the end of the daemon: the same, and wait for the worker until then (monotonic). */
void scribe_end(struct scribe *sc, int64_t end_us);

const struct scribe_type *scribe_type(const struct scribe *sc);

struct scribe_status {
	const char *state; /* LOADED, CONFIGURED, RUNNING, STOPPING */
	bool running;      /* or stopping */
	uint64_t msgs, stored, queued, dropped, refused;
	uint64_t queued_bytes;
	char why[ERR_MAX]; /* what is wrong now, or why the last message was refused; "" when all is well */
	int64_t retry_us;  /* until it is tried again; 0: it does not fail */
};
void scribe_status(struct scribe *sc, struct scribe_status *ret);

#endif
