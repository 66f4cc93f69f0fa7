/* stream.h - streams: texts and JSON under a name, handed to whoever subscribed to it; nothing is kept.
 *
 * This is the older of the two ways to pass messages (the other is the message bus).  Any thread may publish.  A
 * subscriber gets messages on its own loop, in order, out of a bounded queue: a slow one loses messages, which are
 * counted, and holds up nobody.
 */
#ifndef CORE_DAEMON_STREAM_H
#define CORE_DAEMON_STREAM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <uthash.h>

#include "core/base/err.h"
#include "core/base/loop.h"

#define STREAM_NAME_MAX  256        /* bytes of a name, the NUL included: peers have no room for more */
#define STREAMS_MAX      4096       /* names that are remembered; they come from strangers */
#define STREAM_QUEUE_MAX (8u << 20) /* bytes that wait for one subscriber */
#define STREAM_MSG_COST  128        /* ... to which each message adds this, so that many small ones are bounded too */

/* Between daemons, as control records (man ldms-wire, "streams"). */
enum stream_request {
	STREAM_PUBLISH = 0x900,
	STREAM_SUBSCRIBE = 0x901,
	STREAM_UNSUBSCRIBE = 0x902,
	STREAM_NEW = 0x904,
	STREAM_STATUS = 0x905,
};
#define STREAM_ATTR_NAME 1 /* the attribute with the stream's name */

struct streams; /* those of a daemon */

enum stream_type { STREAM_STRING, STREAM_JSON };

struct stream_msg { /* borrowed */
	const char *name;
	enum stream_type type;
	const void *data;
	size_t len; /* as it came: the NUL behind a text counts */
	uint32_t uid, gid; /* who published it */
};

/* Where a message came from; all NULL: from this process. */
struct stream_from {
	const char *who;   /* for the log */
	const char *prdcr; /* the producer on whose connection it came */
	const void *owner; /* whose own subscriptions do not get it: it does not go back where it came from */
};

struct stream_sub_conf {
	const char *name;
	const char *who;   /* for people: "127.0.0.1:4711" */
	const void *owner; /* see struct stream_from */
	struct loop *loop;
	void (*fn)(void *arg, const struct stream_msg *m); /* on `loop` */
	void *arg;
};

struct xprt_env;
/* What waits counts towards the memory for peers of `env`; NULL: it does not (tests). */
struct streams *streams_new(struct xprt_env *env);
void streams_free(struct streams *all); /* with the subscriptions that are left; their loops do not turn any more */
void streams_enable(struct streams *all, bool on); /* off to begin with */
bool streams_enabled(const struct streams *all);

/* Hand it to who has subscribed.  -ENOSYS while streams are off (the log says so once for each name), -EINVAL without
 * a name or with a bad one, -ENOSPC when there are too many names with subscribers. */
int stream_publish(struct streams *all, const struct stream_msg *m, const struct stream_from *from, struct err *err);

struct stream_sub *stream_subscribe(struct streams *all, const struct stream_sub_conf *conf, struct err *err);
/* With its loop held; fn is not called any more.  NULL is fine. */
void stream_unsubscribe(struct stream_sub *sub);
/* From fn: the message could not be passed on. */
void stream_dropped(struct stream_sub *sub, const struct stream_msg *m);

/* -- for status: all of it, between lock and unlock ---------------------------------------------------------------- */

struct stream_count {
	int64_t first_s, last_s; /* wall clock */
	uint64_t n, bytes;
};

struct stream_source {
	struct stream_count recv;
	UT_hash_handle hh;
	char prdcr[];
};

struct stream_sub {
	struct streams *all;
	struct stream *stream;
	struct stream_sub_conf conf;      /* who is ours */
	struct stream_post *head, **tail; /* what waits */
	size_t queued;                    /* bytes of it, with STREAM_MSG_COST for each */
	uint64_t taken, drops, drop_bytes;
	bool dead;
	struct loop_job job;
	LIST_ENTRY(stream_sub) entry;
};

struct stream {
	struct stream_count pub, recv; /* handed to subscribers; published */
	struct stream_source *sources;
	LIST_HEAD(, stream_sub) subs;
	uint64_t used;     /* counts up over all: the longest unused has the smallest */
	UT_hash_handle hh; /* by name */
	char name[];
};

struct streams_view {
	struct stream *streams; /* a uthash table, by name */
	struct stream_count pub, recv;
};

const struct streams_view *streams_lock(struct streams *all);
void streams_unlock(struct streams *all);
void streams_reset(struct streams *all); /* counters to zero; while locked */

#endif
