/* feed.h - endpoints without a socket: bytes are put into zap_input() by hand, and what is sent is thrown away.
 *
 * One loop and one set database serve all runs; each run makes its connection and ends it, so that whatever a peer can
 * do to one is seen by the sanitizer when it is taken apart.
 */
#ifndef TESTS_FUZZ_FEED_H
#define TESTS_FUZZ_FEED_H

#include <stdlib.h>

#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "xprt/proto.h"
#include "xprt/zap.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

/* What costs most of a short run is the sanitizer's memory: pages that were never touched, for all that lies in its
 * quarantine.  A little of it finds a use after the end as well. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "quarantine_size_mb=4:thread_local_quarantine_size_kb=64:malloc_context_size=2:max_malloc_fill_size=0";
}

struct feed {
	struct zap z;
	struct loop_job job;
};

static struct {
	struct loop *loop;
	struct xprt_env env;
	struct xprt_listener l;
	struct set *sets[3];
	struct zap *client; /* the newest endpoint of a client */
	struct zap *server; /* and of the server; NULL when it has gone */
	bool stuck;         /* nobody takes what is sent */
} fuzz;

static inline void feed_push(struct zap *z)
{
	if (!fuzz.stuck)
		zap_sent(z, zap_pending(z));
}

static inline void feed_free(struct loop_job *job)
{
	struct feed *f = (struct feed *)((char *)job - offsetof(struct feed, job));

	zap_fini(&f->z);
	free(f);
}

static inline void feed_close(struct zap *z)
{
	struct feed *f = (struct feed *)z;

	f->job.fn = feed_free;
	if (fuzz.client == z)
		fuzz.client = NULL;
	if (fuzz.server == z)
		fuzz.server = NULL;
	loop_post(fuzz.loop, &f->job);
}

static inline void feed_resume(struct zap *z)
{
	zap_resume(z);
}

static const struct zap_ops feed_ops = { .push = feed_push, .close = feed_close, .resume = feed_resume };

static inline struct ep *feed_new(const struct ep_type *type, struct xprt_env *env, struct loop *loop,
				  const struct ep_events *ev, void *owner)
{
	struct feed *f = xcalloc(1, sizeof(*f));

	zap_init(&f->z, type, &feed_ops, env, loop, ev, owner);
	return &f->z.ep;
}

static inline int feed_connect(struct ep *ep, const struct sockaddr *addr, socklen_t len, const void *conn,
			       size_t conn_len, struct err *err)
{
	struct zap *z = (struct zap *)ep;

	buf_add(&z->conn, conn, conn_len);
	fuzz.client = z;
	zap_begin(z);
	return 0;
}

static const struct ep_type ep_feed = {
	.name = "feed",
	.new = feed_new,
	.connect = feed_connect,
	.accept = zap_accept,
	.reject = zap_reject,
	.hold = zap_hold,
	.send = zap_send,
	.set_id = zap_set_id,
	.set_by_id = zap_set_by_id,
	.share = zap_share,
	.unshare = zap_unshare,
	.read = zap_read,
	.rest = zap_rest,
	.queued = zap_queued,
	.flush = zap_flush,
	.close = zap_close,
};

static inline void feed_settle(void)
{
	ev_run(loop_ev(fuzz.loop), EVRUN_NOWAIT);
}

/* Bytes of the peer; what it has asked too much of waits for the next turn, as it does for a socket. */
static inline void feed_input(struct zap *z, const uint8_t *p, size_t len)
{
	zap_input(z, p, len);
	for (int i = 0; i < 64 && !zap_is_closed(z) && z->held; i++)
		feed_settle();
}

static inline void feed_set(unsigned int i, const char *name, unsigned int ring)
{
	struct schema *sc = schema_new(i ? "fuzz" : "other", NULL);

	schema_add(sc, "a", V_U64, NULL, NULL);
	schema_add(sc, "b", V_U64, "kB", NULL);
	schema_array_card_set(sc, ring);
	if (set_new(fuzz.env.pool, sc, name, "p", 0, 0, 0777, &fuzz.sets[i], NULL))
		abort();
	schema_free(sc);
	set_begin(fuzz.sets[i]);
	set_end(fuzz.sets[i]);
	setdb_add(fuzz.env.sets, fuzz.sets[i], NULL);
}

static inline void feed_init(void)
{
	static const struct xprt_events none;

	if (fuzz.loop)
		return;
	log_level_set(LOG_QUIET_);
	fuzz.loop = loop_new("fuzz", NULL);
	loop_lock(fuzz.loop);
	fuzz.env.limits = xprt_limits_dflt;
	fuzz.env.sets = setdb_new();
	fuzz.env.pool = pool_new(64 << 20);
	fuzz.l = (struct xprt_listener){
		.env = &fuzz.env, .type = &ep_feed, .loops = &fuzz.loop, .n_loops = 1, .ev = &none, .refs = 1
	};
	auth_type_find("none", &fuzz.l.auth, NULL);
	pthread_mutex_init(&fuzz.l.lock, NULL);
	feed_set(0, "n/a", 1);
	feed_set(1, "n/b", 4);
	feed_set(2, "n/c", 1);
}

/* An endpoint of the server that waits for CONNECT. */
static inline struct zap *feed_accept(void)
{
	struct ep *ep = feed_new(&ep_feed, &fuzz.env, fuzz.loop, NULL, NULL);

	fuzz.server = (struct zap *)ep;
	fuzz.server->state = ZAP_WAIT_CONNECT;
	guest_new(&fuzz.l, ep);
	return (struct zap *)ep;
}

/* A client that has said CONNECT; its endpoint is fuzz.client until it goes. */
static inline struct xprt *feed_client(const struct xprt_events *ev, void *arg)
{
	struct xprt *x = rail_new(&fuzz.env, fuzz.loop, &ep_feed, ev, arg, 1);

	x->auth = fuzz.l.auth;
	x->peer = xstrdup("peer");
	x->addrs = xcalloc(1, sizeof(*x->addrs));
	x->n_addrs = 1;
	rail_dial(x);
	return x;
}

/* -- frames by hand ------------------------------------------------------------------------------------------------ */

static inline void feed_header(struct buf *b, enum zap_type type, uint32_t body_len)
{
	buf_be16(b, (uint16_t)type);
	buf_be16(b, 0);
	buf_be32(b, ZAP_HDR_SZ + body_len);
	buf_raw32(b, 1);
	buf_raw64(b, 0);
}

static inline void feed_conn_as(struct buf *b, enum zap_type type, const char *auth)
{
	const struct conn c = { .n_eps = 1, .pid = 1, .gn = 1, .quota = conn_no_quota, .msg_on = true };
	uint8_t conn[CONN_SZ];

	conn_put(conn, auth, &c);
	feed_header(b, type, (type == ZAP_CONNECT ? 16 : 4) + sizeof(conn));
	if (type == ZAP_CONNECT)
		buf_add(b, "\1\3\1\0SOCKET\0\0", 12);
	buf_be32(b, sizeof(conn));
	buf_add(b, conn, sizeof(conn));
}

static inline void feed_conn(struct buf *b, enum zap_type type)
{
	feed_conn_as(b, type, "none");
}

/* The next piece of the input: a selector, a length of two bytes (as far as there is so much), the bytes. */
struct piece {
	uint8_t sel;
	const uint8_t *p;
	uint32_t len;
};

/* A connection that has been accepted and has confirmed that: what it says next is authentication, or a message. */
static inline struct zap *feed_peer(const char *auth)
{
	struct zap *z = feed_accept();
	struct buf b = { 0 };

	feed_conn_as(&b, ZAP_CONNECT, auth);
	zap_input(z, b.p, b.len);
	buf_reset(&b);
	feed_header(&b, ZAP_ACK_ACCEPTED, 4);
	buf_be32(&b, 0);
	zap_input(z, b.p, b.len);
	buf_fini(&b);
	return z;
}

static inline bool feed_piece(struct rd *r, struct piece *ret)
{
	if (rd_left(r) < 3)
		return false;
	ret->sel = rd_u8(r);
	ret->len = rd_be16(r);
	if (ret->len > rd_left(r))
		ret->len = (uint32_t)rd_left(r);
	ret->p = rd_take(r, ret->len);
	return true;
}

#endif
