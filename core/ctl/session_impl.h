/* session_impl.h - sessions and their requests, as session.c (on the peer's loop) and session_run.c (on the main loop) know
 * them. */
#ifndef CORE_CTL_SESSION_IMPL_H
#define CORE_CTL_SESSION_IMPL_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>
#include <uthash.h>

#include "core/base/loop.h"
#include "core/ctl/ask.h"
#include "core/ctl/peer.h"
#include "core/daemon/daemon.h"
#include "core/daemon/records.h"

#define ATTRS_MAX 128 /* attributes of one request */

struct session {
	uint64_t id;
	struct xprt *x;
	struct loop *loop;
	struct part *parts; /* PARTS_MAX of them; NULL: it never asked, as an aggregator's thousands of producers */
	unsigned int parts_n;
	struct asks asks;    /* what we asked it */
	struct peer peer;    /* what is carried out here, at once */
	atomic_size_t bytes; /* see BYTES_MAX; what waits for the main loop is taken off there */
	atomic_uint waiting; /* requests without answer */
	bool held;           /* its requests wait for one that is answered later; the sink's lock */
	UT_hash_handle hh;   /* by x */
	UT_hash_handle by_id;
};

struct sink {
	struct record_sink face;
	struct daemon *d;
	struct loop_job job;         /* to carry out requests */
	TAILQ_HEAD(, request) queue; /* guarded by lock */
	pthread_mutex_t lock;        /* guards the tables; taken with a loop held, or with none */
	struct session *sessions, *ids;
	uint64_t last_id;
	atomic_bool closing;
};

struct request {
	struct sink *sink;
	TAILQ_ENTRY(request) entry;
	uint64_t session;
	struct loop *loop;
	uint32_t msg_no, code, uid, gid;
	bool holds; /* the session's other requests */
	bool named; /* the users and groups that it names are known */
	struct buf body;
};

/* -- session.c, with the peer's loop held -- */
/* The answer to a message; the latter: `body` holds attributes, and is ended here. */
void session_answer(struct xprt *x, uint32_t msg_no, int rc, uint32_t id, const void *text, size_t len);
void session_answer_body(struct xprt *x, uint32_t msg_no, int rc, struct buf *body);

/* -- session_run.c, on the main loop -- */
/* Carry out what waits, for a while. */
void sessions_turn(struct loop_job *job);
/* The first request whose session has none that holds it back; NULL: none. */
struct request *session_next(struct sink *sk);

#endif
