/* stream_impl.h - what stream.c (the streams) and stream_sub.c (who subscribed to them) share. */
#ifndef CORE_DAEMON_STREAM_IMPL_H
#define CORE_DAEMON_STREAM_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/daemon/stream.h"
#include "xprt/xprt.h"

struct stream_blob; /* a message that waits */

struct streams {
	struct xprt_env *env;
	pthread_mutex_t lock; /* inside loops' locks, outside of their job queues' */
	atomic_bool enabled;
	struct streams_view view;
	uint64_t uses;
	struct told *told; /* names whose messages were lost because streams are off */
	unsigned int told_n;
	LIST_HEAD(, stream_sub) dead; /* wait for their loop */
};

/* -EINVAL with words for a name that no stream can have. */
int stream_name_check(const char *name, struct err *err);

/* -- with the lock held -- */
/* Find or make; NULL with words: there are too many. */
struct stream *stream_get(struct streams *all, const char *name, struct err *err);
/* Let a message wait for one subscriber; *blob is its copy, made for the first of them.  False: it is dropped, and
 * counted. */
bool stream_enqueue(struct stream_sub *sub, struct stream_blob **blob, const struct stream_msg *m);
void stream_sub_free(struct stream_sub *sub);

/* Drop a reference; the lock may be held, or not. */
void stream_blob_put(struct streams *all, struct stream_blob *b);

#endif
