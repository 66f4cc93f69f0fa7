/* soak.c - peers in masses, good and bad, for tests/soak/soak.py.
 *
 *	soak flood PORT TOTAL AT_ONCE	connections that say nothing, garbage, half a hello, or a hello and no more
 *	soak cycles PORT TOTAL		connect and close
 *	soak good PORT SET INTERVAL_MS	a well-behaved peer that updates a set; tells how often it was late at SIGTERM
 *
 * The bad ones come from many addresses of loopback: one address has too few ports, and may not have so many
 *connections.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "xprt/xprt.h"

#define CYCLES_AT_ONCE 64
#define EVENTS         256
#define UPDATES_MIN    3 /* also of one that is ended at once */
#define LATE_PART      2 /* an answer after this part of the interval is late */

static volatile sig_atomic_t ended;

static void on_term(int sig)
{
	(void)sig;
	ended = 1;
}

/* -- bad peers ----------------------------------------------------------------------------------------------------- */

static int dial(unsigned short port, unsigned long nth)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) }, from = { .sin_family = AF_INET };
	struct linger abort = { .l_onoff = 1 }; /* no TIME_WAIT */
	int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	from.sin_addr.s_addr = htonl(0x7f010000u + (uint32_t)(nth % 250) * 256 + 1); /* 127.1.0.1, 127.1.1.1, ... */
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort, sizeof(abort));
	if (bind(fd, (struct sockaddr *)&from, sizeof(from)) ||
	    (connect(fd, (struct sockaddr *)&to, sizeof(to)) && errno != EINPROGRESS)) {
		int rc = -errno;

		close(fd);
		return rc;
	}
	return fd;
}

/* What the nth connection says. */
static void say(int fd, unsigned long nth)
{
	static const uint8_t hello[100] = { 0, 1, 0,   0,   0,   0,   0,        100,      1,         [20] = 1, 3,
					    1, 0, 'S', 'O', 'C', 'K', 'E',      'T',      [35] = 64, 4,        2,
					    0, 0, 'n', 'o', 'n', 'e', [59] = 1, [79] = 1, [87] = 1 };
	uint8_t bytes[512];
	size_t len = 0;

	switch (nth % 4) {
	case 1:
		len = 1 + nth % sizeof(bytes);
		if (getrandom(bytes, len, 0) < 0)
			len = 1;
		break;
	case 2: /* half a hello */
		memcpy(bytes, hello, len = 50);
		break;
	case 3: /* a hello, and no word after it */
		memcpy(bytes, hello, len = sizeof(hello));
		memcpy(bytes + 88, &nth, sizeof(nth));
		break;
	default:
		break;
	}
	if (len && send(fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return; /* it has been refused already */
}

struct slot {
	int fd; /* -1: free */
	unsigned long nth;
};

/* Keep `at_once` connections open until `total` were made; the oldest is closed for the next. */
static int flood(unsigned short port, unsigned long total, unsigned long at_once, bool talk)
{
	struct slot *slots = xcalloc(at_once, sizeof(*slots));
	struct epoll_event ev[EVENTS];
	unsigned long made = 0, failed = 0;
	int ep = epoll_create1(EPOLL_CLOEXEC);

	for (unsigned long i = 0; i < at_once; i++)
		slots[i].fd = -1;
	while (made < total && !ended) {
		struct slot *s = &slots[made % at_once];
		struct epoll_event want = { .events = EPOLLOUT | EPOLLONESHOT, .data.ptr = s };
		int n;

		if (s->fd >= 0)
			close(s->fd);
		s->nth = made;
		s->fd = dial(port, made++);
		if (s->fd < 0)
			failed++;
		else if (talk)
			epoll_ctl(ep, EPOLL_CTL_ADD, s->fd, &want);
		if (s->fd < 0 && s->fd != -EADDRNOTAVAIL && s->fd != -EAGAIN && s->fd != -ECONNREFUSED) {
			errno = -s->fd;
			perror("soak: a connection cannot be made");
			return 1;
		}
		if (made % 32 && made < total)
			continue;
		n = talk ? epoll_wait(ep, ev, EVENTS, made < total ? 0 : 200) : 0;
		for (int i = 0; i < n; i++) {
			const struct slot *sl = ev[i].data.ptr;

			if (sl->fd >= 0)
				say(sl->fd, sl->nth);
		}
	}
	for (unsigned long i = 0; i < at_once; i++)
		if (slots[i].fd >= 0)
			close(slots[i].fd);
	printf("{\"made\": %lu, \"failed\": %lu}\n", made, failed);
	free(slots);
	return 0;
}

/* -- the good one -------------------------------------------------------------------------------------------------- */

static struct {
	struct xprt_env env;
	struct loop *loop;
	ev_timer tick;
	struct rset *rs;
	const char *set;
	int64_t interval_us, asked_us; /* 0: answered */
	unsigned long updates, late, missed, ends;
	int64_t worst_us;
} good;

static void updated_cb(struct rset *rs, enum update_result res, int rc, const struct set_data *data)
{
	int64_t us = mono_us() - good.asked_us;

	if (rs->busy || !good.asked_us)
		return;
	good.asked_us = 0;
	good.updates++;
	good.late += us > good.interval_us / LATE_PART;
	good.worst_us = us > good.worst_us ? us : good.worst_us;
}

static void tick_cb(struct ev_loop *ev, ev_timer *w, int events)
{
	if (ended && (good.updates >= UPDATES_MIN || good.ends))
		ev_break(ev, EVBREAK_ALL);
	if (!good.rs)
		return;
	if (good.asked_us) {
		good.missed++;
		return;
	}
	good.asked_us = mono_us();
	if (rset_update(good.rs))
		good.missed++;
}

static void lookup_cb(struct xprt *x, void *arg, int rc, struct rset *rs, bool more, const char *why)
{
	if (rc) {
		fprintf(stderr, "soak: %s\n", why ? why : err_name(rc));
		exit(1);
	}
	good.rs = rs;
	rs->updated = updated_cb;
	puts("ready");
	fflush(stdout);
}

static void up_cb(struct xprt *x, void *arg)
{
	xprt_lookup(x, good.set, 0, lookup_cb, NULL, NULL);
}

static void down_cb(struct xprt *x, void *arg, enum xprt_fail fail, const char *why)
{
	fprintf(stderr, "soak: %s\n", why);
	good.ends++;
	ended = 1;
}

static int go_on(unsigned short port, const char *set, int64_t interval_us)
{
	const struct xprt_conf conf = { .type = "sock", .host = "127.0.0.1", .port = port, .auth = "none" };
	static const struct xprt_events ev = { .up = up_cb, .down = down_cb };
	struct err err = { "" };
	struct xprt *x;

	good.set = set;
	good.interval_us = interval_us;
	good.loop = loop_new("good", &err);
	good.env.limits = xprt_limits_dflt;
	good.env.pool = pool_new(0);
	loop_lock(good.loop);
	if (xprt_connect(&good.env, good.loop, &conf, &ev, NULL, &x, &err)) {
		fprintf(stderr, "soak: %s\n", err.msg);
		return 1;
	}
	ev_timer_init(&good.tick, tick_cb, (double)interval_us / SEC_US, (double)interval_us / SEC_US);
	ev_timer_start(loop_ev(good.loop), &good.tick);
	ev_run(loop_ev(good.loop), 0);
	printf("{\"updates\": %lu, \"late\": %lu, \"missed\": %lu, \"ends\": %lu, \"worst_us\": %lld}\n", good.updates,
	       good.late, good.missed, good.ends, (long long)good.worst_us);
	rset_free(good.rs);
	xprt_close(x);
	ev_run(loop_ev(good.loop), EVRUN_NOWAIT);
	loop_unlock(good.loop);
	loop_free(good.loop);
	pool_free(good.env.pool);
	return 0;
}

int main(int argc, char **argv)
{
	unsigned short port = argc > 2 ? (unsigned short)atoi(argv[2]) : 0;

	log_level_set(LOG_ERROR_);
	signal(SIGTERM, on_term);
	signal(SIGPIPE, SIG_IGN);
	if (argc == 5 && !strcmp(argv[1], "flood"))
		return flood(port, strtoul(argv[3], NULL, 10), strtoul(argv[4], NULL, 10), true);
	if (argc == 4 && !strcmp(argv[1], "cycles"))
		return flood(port, strtoul(argv[3], NULL, 10), CYCLES_AT_ONCE, false);
	if (argc == 5 && !strcmp(argv[1], "good"))
		return go_on(port, argv[3], atoi(argv[4]) * MSEC_US);
	fprintf(stderr, "usage: soak flood PORT TOTAL AT_ONCE | cycles PORT TOTAL | good PORT SET INTERVAL_MS\n");
	return 2;
}
