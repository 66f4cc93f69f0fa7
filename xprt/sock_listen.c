/* sock_listen.c - listening sockets: opening them, and taking in who knocks.
 *
 * When descriptors or memory are out, accept() would fail again at once: the door stays shut for a moment instead of
 * making the loop spin.
 */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "xprt/port_owner.h"
#include "xprt/rare.h"
#include "xprt/sock.h"
#include "xprt/xprt_impl.h"
#include "xprt/zap.h"

#define BACKLOG      1024
#define ACCEPT_TURN  64  /* connections taken in before others get their turn */
#define EVICT_TURN   16  /* guests that go when there are no descriptors for others */
#define DOOR_PAUSE_S 0.1 /* long enough not to spin, short enough not to be noticed */

struct door {
	struct xprt_listener *l;
	int fd;
	ev_io knock;
	ev_timer pause;
	bool out; /* of descriptors or memory: logged once, until it is over */
	struct rare refused;
};

static struct ev_loop *ev_of(const struct door *d)
{
	return loop_ev(d->l->loops[0]);
}

static void pause_cb(struct ev_loop *ev, ev_timer *w, int events)
{
	struct door *d = w->data;

	ev_io_start(ev, &d->knock);
}

static void door_pause(struct door *d, int errnum)
{
	struct xprt_env *env = d->l->env;

	atomic_fetch_add(&env->stats.refused[XPRT_LIMIT], 1);
	refuse(env, REFUSE_DESCRIPTORS, NULL);
	for (int i = 0; i < EVICT_TURN && guests_evict(io_of(d->l->loops[0])); i++)
		;
	if (!d->out)
		log_error("xprt",
			  "port %u: cannot accept connections: %s; %lu are open. Accepting again as soon as it goes; "
			  "raise %s",
			  d->l->port, err_name(errnum), atomic_load(&env->stats.live),
			  errnum == EMFILE   ? "`ulimit -n`"
			  : errnum == ENFILE ? "fs.file-max"
					     : "the memory of this machine");
	d->out = true;
	ev_io_stop(ev_of(d), &d->knock);
	ev_timer_set(&d->pause, DOOR_PAUSE_S, 0);
	ev_timer_start(ev_of(d), &d->pause);
}

/* One more is too many: tell it before it has asked. */
static void turn_away(struct door *d, int fd, const struct sockaddr_storage *addr, enum refusal refusal)
{
	const char *why = refusal_words(refusal);
	uint8_t bytes[128];
	size_t n = zap_reject_bytes(bytes, sizeof(bytes), why);
	char text[ADDR_TEXT_MAX];
	unsigned long held;

	atomic_fetch_add(&d->l->env->stats.refused[XPRT_LIMIT], 1);
	refuse(d->l->env, refusal, addr);
	if (rare_now(&d->refused, &held))
		log_warning("xprt", "%s: refused: %s: the limit `%s` is reached (%lu more since the last line)",
			    addr_text(addr, text), why, refusal_name(refusal), held);
	if (send(fd, bytes, n, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		log_debug("xprt", "%s: could not be told: %s", addr_text(addr, text), err_name(errno));
	shutdown(fd, SHUT_RDWR);
	close(fd);
}

static void knock_cb(struct ev_loop *ev, ev_io *w, int events)
{
	struct door *d = w->data;
	struct xprt_listener *l = d->l;

	for (int i = 0; i < ACCEPT_TURN; i++) {
		struct sockaddr_storage addr = { 0 };
		socklen_t len = sizeof(addr);
		enum refusal why;
		int fd = accept4(d->fd, (struct sockaddr *)&addr, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0 && errno == EAGAIN)
			return;
		if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
			door_pause(d, errno);
			return;
		}
		if (fd < 0)
			continue; /* that one has gone already, or is forbidden; the next may be fine */
		if (d->out)
			log_info("xprt", "port %u: accepting connections again", l->port);
		d->out = false;
		if (listener_admit(l, &addr, &why))
			guest_new(l, sock_adopt(l->type, l->env, l->loops[0], fd, &addr));
		else
			turn_away(d, fd, &addr, why);
	}
}

int sock_listen_at(const struct sockaddr *addr, socklen_t len)
{
	int on = 1, off = 0, rc, fd = socket(addr->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (addr->sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)); /* one for both families */
	if (bind(fd, addr, len) || listen(fd, BACKLOG)) {
		rc = -errno;
		close(fd);
		return rc;
	}
	return fd;
}

void sock_door_open(struct xprt_listener *l, int fd)
{
	struct door *d = xcalloc(1, sizeof(*d));

	d->l = l;
	d->fd = fd;
	ev_io_init(&d->knock, knock_cb, fd, EV_READ);
	ev_init(&d->pause, pause_cb);
	d->knock.data = d->pause.data = d;
	ev_io_start(ev_of(d), &d->knock);
	l->door = d;
}

void sock_unlisten(struct xprt_listener *l)
{
	struct door *d = l->door;

	if (!d)
		return;
	ev_io_stop(ev_of(d), &d->knock);
	ev_timer_stop(ev_of(d), &d->pause);
	close(d->fd);
	free(d);
	l->door = NULL;
}

/* -- TCP: addresses, and errors in words --------------------------------------------------------------------------- */

static int listen_failed(const struct xprt_listener *l, int rc, struct err *err)
{
	const char *host = l->host ? l->host : "*";
	char owner[128];

	switch (-rc) {
	case EADDRINUSE:
		if (port_owner(l->port, owner, sizeof(owner)))
			return err_set(err, rc, "port %u on %s: in use by %s; stop that or choose another port",
				       l->port, host, owner);
		return err_set(err, rc, "port %u on %s: in use by another program; stop that or choose another port",
			       l->port, host);
	case EACCES:
		return err_set(err, rc,
			       "port %u on %s: ports below 1024 need root or CAP_NET_BIND_SERVICE; choose a port above",
			       l->port, host);
	case EADDRNOTAVAIL:
		return err_set(err, rc,
			       "port %u on %s: no interface of this machine has that address; leave it out to "
			       "listen on all",
			       l->port, host);
	default:
		return err_set(err, rc, "port %u on %s: cannot listen: %s", l->port, host, err_name(rc));
	}
}

/* The first of the host's addresses that can be listened on. */
static int listen_named(const struct xprt_listener *l, struct err *err)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE }, *list, *a;
	char service[8];
	int rc;

	/* once, while the daemon is configured; what one listens on stands in /etc/hosts or is a number */
	snprintf(service, sizeof(service), "%u", l->port);
	rc = getaddrinfo(l->host, service, &hints, &list);
	if (rc)
		return err_set(err, -EADDRNOTAVAIL,
			       "listen on %s: the name does not resolve (%s); give an address of this machine", l->host,
			       gai_strerror(rc));
	rc = -EADDRNOTAVAIL;
	for (a = list; a && rc < 0; a = a->ai_next)
		rc = sock_listen_at(a->ai_addr, a->ai_addrlen);
	freeaddrinfo(list);
	return rc < 0 ? listen_failed(l, rc, err) : rc;
}

static int listen_any(const struct xprt_listener *l, struct err *err)
{
	struct sockaddr_in6 any6 = { .sin6_family = AF_INET6, .sin6_port = htons(l->port) };
	struct sockaddr_in any4 = { .sin_family = AF_INET, .sin_port = htons(l->port) };
	int rc = sock_listen_at((struct sockaddr *)&any6, sizeof(any6));

	if (rc == -EAFNOSUPPORT || rc == -EADDRNOTAVAIL) /* IPv6 is switched off here */
		rc = sock_listen_at((struct sockaddr *)&any4, sizeof(any4));
	return rc < 0 ? listen_failed(l, rc, err) : rc;
}

static int sock_listen(struct xprt_listener *l, struct err *err)
{
	struct sockaddr_storage at = { 0 };
	socklen_t len = sizeof(at);
	int fd = l->host ? listen_named(l, err) : listen_any(l, err);

	if (fd < 0)
		return fd;
	if (!getsockname(fd, (struct sockaddr *)&at, &len))
		l->port = ntohs(((struct sockaddr_in *)&at)->sin_port); /* at the same place in both families */
	sock_door_open(l, fd);
	return 0;
}

extern const struct ep_type ep_sock; /* ep.c's table */
const struct ep_type ep_sock = {
	.name = "sock",
	.new = sock_new,
	.connect = sock_connect,
	.accept = zap_accept,
	.move = sock_move,
	.reject = zap_reject,
	.hold = zap_hold,
	.local = sock_local,
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
	.listen = sock_listen,
	.unlisten = sock_unlisten,
};
