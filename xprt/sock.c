/* sock.c - the transport `sock`: zap messages over a TCP connection.
 *
 * Input is received into the loop's scratch area, or, when the beginning of a message waits, straight behind it.  What
 * is to be sent leaves in one send() at the end of the wake-up; only when the socket takes less does a watcher wait for
 * more room.
 *
 * Buffer sizes are left to the kernel: it grows them by itself as long as nobody sets them, and what may be set without
 * privilege (net.core.*mem_max, 208 KiB on most machines) is smaller than what it grows to.
 */
#include "xprt/sock.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "xprt/addr.h"
#include "xprt/zap.h"

/* A peer whose machine is gone is noticed after about 16 s of silence (limits.dead_us), as real peers do it. */
#define KEEP_IDLE_S     10
#define KEEP_INTERVAL_S 2
#define KEEP_COUNT      3
/* What gets no acknowledgement is sent again at least so often: the kernel's least. */
#define AGAIN_MAX_MS 1000
#ifndef TCP_RTO_MAX_MS
#define TCP_RTO_MAX_MS 44 /* Linux 6.15 */
#endif

struct sock {
	struct zap z;
	int fd;
	bool connecting;
	bool tcp;
	bool guest; /* watched in the lobby, not by `in` */
	struct loop *move_to;
	ev_io in, out;
	ev_timer slow;       /* runs while the socket does not take all */
	size_t taken;        /* bytes that it took since then */
	size_t due;          /* ... and must have by the end of the time */
	struct loop_job job; /* to end, or to arrive on another loop */
};

static struct sock *sock_of(struct ep *ep)
{
	return (struct sock *)ep;
}

static struct ev_loop *ev_of(const struct sock *s)
{
	return loop_ev(s->z.ep.loop);
}

/* -- the lobby ----------------------------------------------------------------------------------------------------- */

/* A guest may go on to another loop.  libev takes a descriptor out of its epoll set only when it stumbles over it, and
 * by then it belongs to the other loop's thread; so guests are watched in a set of our own, which a descriptor leaves
 * at once. */
#define LOBBY_BATCH 64 /* guests served in one go */

static void in_cb(struct ev_loop *ev, ev_io *w, int events);

static void lobby_cb(struct ev_loop *ev, ev_io *w, int events)
{
	struct io *io = w->data;
	struct epoll_event ready[LOBBY_BATCH];
	int n = epoll_wait(io->lobby, ready, LOBBY_BATCH, 0);

	for (int i = 0; i < n; i++) {
		struct sock *s = ready[i].data.ptr; /* ends are posted: it is there still */

		if (s->guest)
			in_cb(ev, &s->in, events);
	}
}

static int lobby_enter(struct sock *s)
{
	struct io *io = io_of(s->z.ep.loop);
	struct epoll_event want = { .events = EPOLLIN, .data.ptr = s };

	if (io->lobby < 0) {
		io->lobby = epoll_create1(EPOLL_CLOEXEC);
		if (io->lobby < 0)
			return -errno;
		ev_io_init(&io->lobby_io, lobby_cb, io->lobby, EV_READ);
		io->lobby_io.data = io;
		ev_io_start(loop_ev(io->loop), &io->lobby_io);
		ev_unref(loop_ev(io->loop));
	}
	if (epoll_ctl(io->lobby, EPOLL_CTL_ADD, s->fd, &want))
		return -errno;
	s->guest = true;
	return 0;
}

static void lobby_leave(struct sock *s)
{
	if (s->guest)
		epoll_ctl(io_of(s->z.ep.loop)->lobby, EPOLL_CTL_DEL, s->fd, NULL);
	s->guest = false;
}

static void stop_watching(struct sock *s)
{
	lobby_leave(s);
	ev_io_stop(ev_of(s), &s->in);
	ev_io_stop(ev_of(s), &s->out);
	ev_timer_stop(ev_of(s), &s->slow);
}

/* -- connecting: errors in words ----------------------------------------------------------------------------------- */

static const struct {
	int errnum;
	enum xprt_fail fail;
	const char *remedy;
} connect_errors[] = {
	{ ECONNREFUSED, XPRT_REFUSED, "nothing listens on that port; start the daemon there or correct the port" },
	{ ENOENT, XPRT_REFUSED, "nothing listens under that name" },
	{ ETIMEDOUT, XPRT_TIMEOUT, "the host is down, or a firewall drops the packets" },
	{ EHOSTUNREACH, XPRT_REFUSED, "the host is down, or there is no route to it" },
	{ ENETUNREACH, XPRT_REFUSED, "there is no route to that network from here" },
	{ EHOSTDOWN, XPRT_REFUSED, "the host is down" },
	{ EACCES, XPRT_LOCAL, "a local firewall rule forbids it" },
	{ EPERM, XPRT_LOCAL, "a local firewall rule forbids it" },
	{ EADDRNOTAVAIL, XPRT_LIMIT, "no local port is free; see net.ipv4.ip_local_port_range" },
	{ EAGAIN, XPRT_LIMIT, "the listener's queue is full; try again" },
};

static void connect_failed(struct sock *s, int errnum)
{
	for (size_t i = 0; i < sizeof(connect_errors) / sizeof(*connect_errors); i++) {
		if (connect_errors[i].errnum != errnum)
			continue;
		zap_doom(&s->z, connect_errors[i].fail, "%s; %s", err_name(errnum), connect_errors[i].remedy);
		return;
	}
	zap_doom(&s->z, XPRT_LOCAL, "cannot connect: %s", err_name(errnum));
}

/* -- in ------------------------------------------------------------------------------------------------------------ */

/* A peer with Nagle's algorithm sends its next small message when the last one is acknowledged; while we wait for
 * something of it, the acknowledgement must not wait for us.  The kernel forgets this setting by itself. */
static void ack_quickly(struct sock *s)
{
	int on = 1;

	if (s->tcp && (s->z.stash.len || s->z.ep.reading || s->z.ep.waiting))
		setsockopt(s->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
}

static void arrive_cb(struct loop_job *job)
{
	struct sock *s = (struct sock *)((char *)job - offsetof(struct sock, job));

	zap_enter(&s->z, s->move_to);
	s->move_to = NULL;
	zap_ask_again(&s->z);
	if (!zap_is_closed(&s->z) && zap_resume(&s->z))
		ev_io_start(ev_of(s), &s->in);
}

/* What is to be done when zap takes no more bytes: move, or wait for its peer to read. */
static void pause_reading(struct sock *s)
{
	struct loop *to = s->move_to;

	if (zap_is_closed(&s->z))
		return;
	lobby_leave(s);
	ev_io_stop(ev_of(s), &s->in);
	if (!to)
		return;
	stop_watching(s);
	zap_leave(&s->z);
	s->job.fn = arrive_cb;
	loop_post(to, &s->job); /* from here it is not ours to touch */
}

static void in_cb(struct ev_loop *ev, ev_io *w, int events)
{
	struct sock *s = w->data;
	struct zap *z = &s->z;
	struct xprt_stats *st = &z->ep.env->stats;

	for (size_t turn = 0; turn < IO_TURN;) {
		size_t want = zap_wants(z), cap = want + IO_SCRATCH;
		struct iovec iov[2] = { { want ? zap_stash_room(z, want) : NULL, want },
					{ z->io->scratch, IO_SCRATCH } };
		ssize_t n = want ? readv(s->fd, iov, 2) : recv(s->fd, z->io->scratch, IO_SCRATCH, 0);
		size_t got;
		bool go = true;

		atomic_fetch_add_explicit(&st->calls_recv, 1, memory_order_relaxed);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			zap_ended(z, n ? -errno : 0);
			return;
		}
		got = (size_t)n;
		atomic_fetch_add_explicit(&st->bytes_in, got, memory_order_relaxed);
		turn += got;
		if (want) {
			size_t k = got < want ? got : want;

			go = zap_stashed(z, k);
			got -= k;
		}
		if (got)
			go = zap_input(z, z->io->scratch, got);
		if (!go) {
			pause_reading(s);
			return;
		}
		if (s->guest && z->state == ZAP_UP) { /* it stays on this loop */
			lobby_leave(s);
			ev_io_start(ev, &s->in);
		}
		ack_quickly(s);
		if ((size_t)n < cap)
			return; /* it was all there was */
	}
}

/* -- out ----------------------------------------------------------------------------------------------------------- */

/* A byte now and then is as bad as none: in each such time the peer must take all that waits at its beginning, or at
 * least so much of it. */
#define SLOW_MIN (64u << 10)

static void slow_begin(struct sock *s)
{
	size_t waiting = zap_pending(&s->z);

	s->taken = 0;
	s->due = waiting < SLOW_MIN ? waiting : SLOW_MIN;
	ev_timer_again(ev_of(s), &s->slow);
}

static void wait_for_room(struct sock *s)
{
	ev_io_start(ev_of(s), &s->out);
	if (!ev_is_active(&s->slow))
		slow_begin(s);
}

static void sock_push(struct zap *z)
{
	struct sock *s = (struct sock *)z;
	struct xprt_stats *st = &z->ep.env->stats;
	ssize_t n;

	if (s->connecting || ev_is_active(&s->out))
		return; /* it goes on when there is room */
	n = send(s->fd, z->out.p + z->out_off, zap_pending(z), MSG_NOSIGNAL);
	atomic_fetch_add_explicit(&st->calls_send, 1, memory_order_relaxed);
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		/* what came before it may still be read, and says more than "broken pipe" */
		if ((errno != EPIPE && errno != ECONNRESET) || (!ev_is_active(&s->in) && !s->guest))
			zap_doom(z, errno == ETIMEDOUT ? XPRT_TIMEOUT : XPRT_LOST, "%s",
				 errno == ETIMEDOUT ? ZAP_DEAD : err_name(errno));
		zap_sent(z, zap_pending(z));
		return;
	}
	if (n > 0) {
		atomic_fetch_add_explicit(&st->bytes_out, (unsigned long)n, memory_order_relaxed);
		zap_sent(z, (size_t)n);
		s->taken += (size_t)n;
	}
	if (!zap_pending(z)) {
		ev_timer_stop(ev_of(s), &s->slow);
		if (z->held)
			zap_rest(&z->ep); /* no watcher waits for room that is there: go on by itself */
		return;
	}
	zap_park(z);
	wait_for_room(s);
}

static void connected(struct sock *s)
{
	int errnum = 0;
	socklen_t len = sizeof(errnum);

	getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &errnum, &len);
	if (errnum == EINPROGRESS)
		return;
	ev_io_stop(ev_of(s), &s->out);
	s->connecting = false;
	if (errnum) {
		connect_failed(s, errnum);
		return;
	}
	s->z.ep.heard_us = mono_us();
	ev_io_start(ev_of(s), &s->in);
	zap_begin(&s->z);
}

static void sock_resume(struct zap *z);

static void out_cb(struct ev_loop *ev, ev_io *w, int events)
{
	struct sock *s = w->data;
	size_t before = zap_pending(&s->z);

	if (s->connecting) {
		connected(s);
		return;
	}
	ev_io_stop(ev, &s->out);
	if (before)
		sock_push(&s->z);
	if (s->z.held)
		sock_resume(&s->z);
}

/* Handle what was held; if that makes too many answers again, wait for them to go. */
static void sock_resume(struct zap *z)
{
	struct sock *s = (struct sock *)z;

	if (zap_pending(z) < ZAP_BACKLOG_MAX / 2 && zap_resume(z)) {
		ev_io_start(ev_of(s), &s->in);
		return;
	}
	if (zap_is_closed(z) || !z->held)
		return;
	ev_io_stop(ev_of(s), &s->in);
	if (zap_pending(z))
		wait_for_room(s);
}

static void slow_cb(struct ev_loop *ev, ev_timer *w, int events)
{
	struct sock *s = w->data;

	if (s->taken < s->due)
		zap_fail(&s->z, XPRT_SLOW, "it does not read: it took %zu bytes in %g s, and %zu wait for it", s->taken,
			 w->repeat, zap_pending(&s->z));
	else
		slow_begin(s);
}

/* -- life ---------------------------------------------------------------------------------------------------------- */

static void end_cb(struct loop_job *job)
{
	struct sock *s = (struct sock *)((char *)job - offsetof(struct sock, job));

	zap_fini(&s->z);
	free(s);
}

static void sock_close(struct zap *z)
{
	struct sock *s = (struct sock *)z;

	stop_watching(s);
	if (s->fd >= 0) {
		shutdown(s->fd, SHUT_RDWR);
		close(s->fd);
		s->fd = -1;
	}
	s->job.fn = end_cb;
	loop_post(z->ep.loop, &s->job);
}

static const struct zap_ops sock_ops = { .push = sock_push, .close = sock_close, .resume = sock_resume };

static struct sock *sock_make(const struct ep_type *type, struct xprt_env *env, struct loop *loop,
			      const struct ep_events *ev, void *owner)
{
	struct sock *s = xcalloc(1, sizeof(*s));

	zap_init(&s->z, type, &sock_ops, env, loop, ev, owner);
	s->fd = -1;
	ev_init(&s->in, in_cb);
	ev_init(&s->out, out_cb);
	ev_init(&s->slow, slow_cb);
	s->in.data = s->out.data = s->slow.data = s;
	s->slow.repeat = (double)env->limits.answer_us / SEC_US;
	return s;
}

static void sock_take(struct sock *s, int fd, int family)
{
	int dead_ms = (int)(s->z.ep.env->limits.dead_us / MSEC_US);
	const struct {
		int level, name, value;
	} options[] = {
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ IPPROTO_TCP, TCP_KEEPIDLE, KEEP_IDLE_S },
		{ IPPROTO_TCP, TCP_KEEPINTVL, KEEP_INTERVAL_S },
		{ IPPROTO_TCP, TCP_KEEPCNT, KEEP_COUNT },
		{ IPPROTO_TCP, TCP_NODELAY, 1 },
		/* with something under way the kernel does not ask whether the other side lives, it just sends again */
		{ IPPROTO_TCP, TCP_USER_TIMEOUT, dead_ms },
		/* ... and soon: by default it waits as long again as the network was away; older kernels refuse */
		{ IPPROTO_TCP, TCP_RTO_MAX_MS, AGAIN_MAX_MS },
	};

	s->fd = fd;
	s->tcp = family != AF_UNIX;
	for (size_t i = 0; s->tcp && i < sizeof(options) / sizeof(*options); i++)
		setsockopt(fd, options[i].level, options[i].name, &options[i].value, sizeof(options[i].value));
	ev_io_set(&s->in, fd, EV_READ);
	ev_io_set(&s->out, fd, EV_WRITE);
}

struct ep *sock_new(const struct ep_type *type, struct xprt_env *env, struct loop *loop, const struct ep_events *ev,
		    void *owner)
{
	return &sock_make(type, env, loop, ev, owner)->z.ep;
}

int sock_connect(struct ep *ep, const struct sockaddr *addr, socklen_t len, const void *conn, size_t conn_len,
		 struct err *err)
{
	struct sock *s = sock_of(ep);
	char text[ADDR_TEXT_MAX];
	int fd;

	memcpy(&ep->addr, addr, len);
	buf_add(&s->z.conn, conn, conn_len);
	fd = socket(addr->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set(err, -errno, "%s: no socket: %s%s", addr_text(&ep->addr, text), err_name(errno),
			       errno == EMFILE ? "; raise `ulimit -n`" : "");
	sock_take(s, fd, addr->sa_family);
	s->connecting = true;
	if (connect(fd, addr, len) && errno != EINPROGRESS)
		connect_failed(s, errno);
	else
		ev_io_start(ev_of(s), &s->out);
	return 0;
}

struct ep *sock_adopt(const struct ep_type *type, struct xprt_env *env, struct loop *loop, int fd,
		      const struct sockaddr_storage *addr)
{
	struct sock *s = sock_make(type, env, loop, NULL, NULL);

	s->z.ep.addr = *addr;
	s->z.state = ZAP_WAIT_CONNECT;
	sock_take(s, fd, addr->ss_family);
	if (lobby_enter(s))
		ev_io_start(ev_of(s), &s->in); /* out of descriptors or memory: slower, but served */
	return &s->z.ep;
}

void sock_move(struct ep *ep, struct loop *to)
{
	sock_of(ep)->move_to = to; /* once the call that we are in has come back: pause_reading() */
}

void sock_local(const struct ep *ep, struct sockaddr_storage *ret)
{
	socklen_t len = sizeof(*ret);

	getsockname(((const struct sock *)ep)->fd, (struct sockaddr *)ret, &len);
}
