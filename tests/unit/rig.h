/* rig.h - for tests of the transport: a loop that is turned until something holds, peers on it, and raw connections
 * that say whatever the test wants them to say. */
#ifndef TESTS_UNIT_RIG_H
#define TESTS_UNIT_RIG_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
/* clang-format off: cmocka wants those above first */
#include <cmocka.h>
/* clang-format on */

#include "core/base/buf.h"
#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/set/set.h"
#include "xprt/xprt.h"

#define RIG_LIMIT_S 20.0 /* a condition that does not come true by then never will */

struct rig {
	struct loop *loop;
	struct xprt_env env;  /* the server's */
	struct xprt_env cenv; /* the client's: no sets, its own limits and counters */
	struct xprt_listener *l;
	const char *type;
	const char *auth, *c_auth; /* methods of server and client; NULL: none */
	struct kv args, c_args;    /* ... and their arguments */
	struct xprt *c;            /* the client */
	/* what happened */
	int s_ups, s_downs, c_ups, c_downs, s_msgs, c_credits;
	enum xprt_fail s_fail, c_fail;
	struct xprt *s;          /* the newest peer at the server */
	struct xprt *s_msg_from; /* who said the last message */
	char why[ERR_MAX];
	char msg[256];
	size_t msg_len;
	bool late;
};

static inline void rig_s_up(struct xprt *x, void *arg)
{
	struct rig *r = arg;

	r->s = x;
	r->s_ups++;
}

static inline void rig_s_down(struct xprt *x, void *arg, enum xprt_fail fail, const char *why)
{
	struct rig *r = arg;

	r->s = NULL;
	r->s_downs++;
	r->s_fail = fail;
	if (getenv("V"))
		print_message("the server's peer is down: %s: %s\n", xprt_fail_name(fail), why);
}

static inline void rig_s_msg(struct xprt *x, void *arg, const void *bytes, size_t len)
{
	struct rig *r = arg;

	r->s_msgs++;
	r->s_msg_from = x;
	r->msg_len = len < sizeof(r->msg) - 1 ? len : sizeof(r->msg) - 1;
	memcpy(r->msg, bytes, r->msg_len);
	r->msg[r->msg_len] = '\0';
}

static inline void rig_c_up(struct xprt *x, void *arg)
{
	((struct rig *)arg)->c_ups++;
}

static inline void rig_c_down(struct xprt *x, void *arg, enum xprt_fail fail, const char *why)
{
	struct rig *r = arg;

	r->c_downs++;
	r->c_fail = fail;
	snprintf(r->why, sizeof(r->why), "%s", why);
	if (getenv("V"))
		print_message("down: %s: %s\n", xprt_fail_name(fail), why);
	xprt_close(x);
	r->c = NULL;
}

static inline void rig_c_credit(struct xprt *x, void *arg)
{
	((struct rig *)arg)->c_credits++;
}

static const struct xprt_events rig_s_ev = { .up = rig_s_up, .down = rig_s_down, .msg = rig_s_msg };
static const struct xprt_events rig_c_ev = { .up = rig_c_up, .down = rig_c_down, .credit = rig_c_credit };

static inline void rig_open(struct rig *r, const char *type)
{
	struct err err;

	memset(r, 0, sizeof(*r));
	log_level_set(getenv("V") ? LOG_DEBUG_ : LOG_QUIET_);
	r->type = type;
	r->loop = loop_new("rig", &err);
	r->env.limits = r->cenv.limits = xprt_limits_dflt;
	r->env.sets = setdb_new();
	r->env.pool = pool_new(0);
	r->cenv.pool = pool_new(0);
	loop_lock(r->loop);
}

static inline void rig_late_cb(struct ev_loop *ev, ev_timer *w, int events)
{
	((struct rig *)w->data)->late = true;
}

/* One turn of the loop; false when it takes too long. */
static inline bool rig_turn(struct rig *r)
{
	ev_timer limit;

	ev_timer_init(&limit, rig_late_cb, RIG_LIMIT_S, 0);
	limit.data = r;
	ev_now_update(loop_ev(r->loop));
	ev_timer_start(loop_ev(r->loop), &limit);
	ev_run(loop_ev(r->loop), EVRUN_ONCE);
	ev_timer_stop(loop_ev(r->loop), &limit);
	return !r->late;
}

#define rig_until(r, cond)                                                                                             \
	do {                                                                                                           \
		while (!(cond))                                                                                        \
			if (!rig_turn(r))                                                                              \
				fail_msg("never came true: %s (last words: %s)", #cond, (r)->why);                     \
	} while (0)

/* Turn without waiting, until nothing is left to be done. */
static inline void rig_settle(struct rig *r)
{
	for (int i = 0; i < 20; i++)
		ev_run(loop_ev(r->loop), EVRUN_NOWAIT);
}

static inline void rig_listen(struct rig *r)
{
	const struct xprt_listen_conf conf = { .type = r->type,
					       .host = strcmp(r->type, "mem") ? "127.0.0.1" : "rig",
					       .auth = r->auth ? r->auth : "none",
					       .auth_args = &r->args };
	struct err err = { "" };

	if (xprt_listen(&r->env, &r->loop, 1, &conf, &rig_s_ev, r, &r->l, &err))
		fail_msg("%s", err.msg);
}

static inline void rig_connect_to(struct rig *r, const char *host, unsigned short port, unsigned int n_eps)
{
	const struct xprt_conf conf = { .type = r->type,
					.host = host,
					.port = port,
					.n_eps = n_eps,
					.auth = r->c_auth ? r->c_auth : "none",
					.auth_args = &r->c_args };
	struct err err = { "" };

	if (xprt_connect(&r->cenv, r->loop, &conf, &rig_c_ev, r, &r->c, &err))
		fail_msg("%s", err.msg);
}

/* Server and client, connected. */
static inline void rig_connect(struct rig *r, unsigned int n_eps)
{
	int ups = r->s_ups;

	if (!r->l)
		rig_listen(r);
	rig_connect_to(r, strcmp(r->type, "mem") ? "127.0.0.1" : "rig", xprt_listener_port(r->l), n_eps);
	rig_until(r, r->c && xprt_is_up(r->c) && r->s_ups > ups);
}

static inline void rig_close(struct rig *r)
{
	xprt_close(r->c);
	xprt_listener_close(r->l);
	rig_settle(r);
	assert_int_equal(atomic_load(&r->env.stats.live), 0);
	assert_int_equal(atomic_load(&r->cenv.stats.live), 0);
	loop_unlock(r->loop);
	loop_free(r->loop);
	setdb_free(r->env.sets);
	pool_free(r->env.pool);
	pool_free(r->cenv.pool);
	kv_fini(&r->args);
	kv_fini(&r->c_args);
}

/* A set of the server with `n` u64 metrics m0, m1, ..., published; the reference is the caller's. */
static inline struct set *rig_set(struct rig *r, const char *schema, const char *name, unsigned int n,
				  unsigned int ring, uint32_t uid, uint32_t perm)
{
	struct err err = { "" };
	struct schema *sc = schema_new(schema, &err);
	struct set *s;
	char m[16];

	for (unsigned int i = 0; i < n; i++) {
		snprintf(m, sizeof(m), "m%u", i);
		schema_add(sc, m, V_U64, NULL, &err);
	}
	schema_add_meta(sc, "site", V_U64, NULL, &err);
	schema_array_card_set(sc, ring);
	if (set_new(r->env.pool, sc, name, "rig", uid, uid, perm, &s, &err))
		fail_msg("%s", err.msg);
	schema_free(sc);
	if (setdb_add(r->env.sets, s, &err))
		fail_msg("%s", err.msg);
	return s;
}

static inline void rig_sample(struct set *s, uint64_t v)
{
	set_begin(s);
	set_u64(s, 0, v);
	set_end(s);
}

/* -- raw connections ----------------------------------------------------------------------------------------------- */

struct raw {
	int fd;
	struct buf in; /* what came and was not taken */
	bool eof;
};

static inline struct raw raw_connect(unsigned short port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct raw w = { .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(w.fd, (struct sockaddr *)&at, sizeof(at)), 0); /* the kernel accepts */
	fcntl(w.fd, F_SETFL, O_NONBLOCK);
	return w;
}

static inline int raw_listen(unsigned short *ret_port)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 8), 0);
	getsockname(fd, (struct sockaddr *)&at, &len);
	*ret_port = ntohs(at.sin_port);
	return fd;
}

static inline bool raw_accept(int fd, struct raw *w)
{
	int got = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (got < 0)
		return false;
	*w = (struct raw){ .fd = got };
	return true;
}

static inline void raw_close(struct raw *w)
{
	close(w->fd);
	buf_fini(&w->in);
}

static inline void raw_fill(struct raw *w)
{
	char tmp[65536];
	ssize_t n;

	while ((n = recv(w->fd, tmp, sizeof(tmp), 0)) > 0)
		buf_add(&w->in, tmp, (size_t)n);
	if (!n || (errno != EAGAIN && errno != EINTR))
		w->eof = true;
}

/* Is there a whole message?  Its length, or 0. */
static inline uint32_t raw_has(struct raw *w)
{
	uint32_t len;

	raw_fill(w);
	if (w->in.len < 20)
		return 0;
	memcpy(&len, w->in.p + 4, 4);
	len = ntohl(len);
	return len <= w->in.len ? len : 0;
}

static inline void raw_watch_cb(struct ev_loop *ev, ev_io *w, int events)
{
}

/* Turn the loop until the raw side sees something: a message, or the end. */
#define raw_until(r, w, cond)                                                                                          \
	do {                                                                                                           \
		ev_io raw_io_;                                                                                         \
		ev_io_init(&raw_io_, raw_watch_cb, (w)->fd, EV_READ);                                                  \
		ev_io_start(loop_ev((r)->loop), &raw_io_);                                                             \
		rig_until(r, cond);                                                                                    \
		ev_io_stop(loop_ev((r)->loop), &raw_io_);                                                              \
	} while (0)

static inline uint16_t raw_type(const struct raw *w)
{
	return (uint16_t)(w->in.p[0] << 8 | w->in.p[1]);
}

static inline void raw_send(struct rig *r, struct raw *w, const void *p, size_t len)
{
	const uint8_t *at = p;

	while (len) {
		ssize_t n = send(w->fd, at, len, MSG_NOSIGNAL);

		if (n < 0) {
			assert_int_equal(errno, EAGAIN);
			assert_true(rig_turn(r));
			continue;
		}
		at += n;
		len -= (size_t)n;
	}
}

/* -- messages by hand ---------------------------------------------------------------------------------------------- */

static inline void put_zap(struct buf *b, uint16_t type, uint32_t body_len)
{
	buf_be16(b, type);
	buf_be16(b, 0);
	buf_be32(b, 20 + body_len);
	buf_raw32(b, 77);
	buf_raw64(b, 0);
}

static inline void put_conn(struct buf *b, const char *auth, uint32_t n_eps, uint32_t idx, uint64_t gn)
{
	char name[16] = "";

	snprintf(name, sizeof(name), "%s", auth);
	buf_add(b, "\4\2\0\0", 4);
	buf_add(b, name, sizeof(name));
	buf_be32(b, 1);
	buf_be64(b, (uint64_t)-1);
	buf_be64(b, (uint64_t)-1);
	buf_be32(b, n_eps);
	buf_be32(b, idx);
	buf_be32(b, 4711);
	buf_be64(b, gn);
	buf_be32(b, 0);
}

static inline void put_connect(struct buf *b, const char *auth, uint32_t n_eps, uint32_t idx, uint64_t gn)
{
	put_zap(b, 1, 16 + 64);
	buf_add(b, "\1\3\1\0SOCKET\0\0", 12);
	buf_be32(b, 64);
	put_conn(b, auth, n_eps, idx, gn);
}

static inline void put_accepted(struct buf *b)
{
	put_zap(b, 8, 4 + 64);
	buf_be32(b, 64);
	put_conn(b, "none", 1, 0, 1);
}

static inline void put_ack(struct buf *b)
{
	put_zap(b, 10, 4);
	buf_be32(b, 0);
}

/* An ldms message: header and body. */
static inline void put_ldms(struct buf *b, uint64_t xid, uint32_t cmd, bool reply, uint32_t rc, const void *body,
			    uint32_t body_len)
{
	uint32_t len = (reply ? 20 : 16) + body_len;

	put_zap(b, 2, 4 + len);
	buf_be32(b, len);
	buf_raw64(b, xid);
	buf_be32(b, cmd);
	buf_be32(b, len);
	if (reply)
		buf_be32(b, rc);
	buf_add(b, body, body_len);
}

/* Connect by hand, up to ACK_ACCEPTED. */
static inline struct raw raw_handshake(struct rig *r)
{
	struct raw w = raw_connect(xprt_listener_port(r->l));
	struct buf b = { 0 };
	int ups = r->s_ups;

	put_connect(&b, "none", 1, 0, (uint64_t)w.fd << 32 | (uint64_t)ups);
	raw_send(r, &w, b.p, b.len);
	raw_until(r, &w, raw_has(&w));
	assert_int_equal(raw_type(&w), 8);
	buf_consume(&w.in, raw_has(&w));
	buf_reset(&b);
	put_ack(&b);
	raw_send(r, &w, b.p, b.len);
	rig_until(r, r->s_ups > ups);
	buf_fini(&b);
	return w;
}

#endif
