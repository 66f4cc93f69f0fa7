/* exchange.c - the least that updating one set of each of many producers can cost: a small message to each process on
 * multiples of an interval, and an answer of a set's size from each
 *
 *	cc -O2 -o exchange tests/bench/exchange.c; ./exchange 500 1000000
 *
 * Goes on until it is ended, and its children with it; the first process is the one whose CPU time counts.
 */
#include <arpa/inet.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define REQUEST       56  /* bytes of a read request */
#define ANSWER        548 /* and of its answer: 50 u64 and their headers */
#define EVENTS        64
#define INTERVAL_DFLT 1000000

static char buf[1 << 16];

static void answer(int fd)
{
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	while (recv(fd, buf, sizeof(buf), 0) > 0)
		if (send(fd, buf, ANSWER, 0) != ANSWER)
			break;
	_exit(0);
}

/* A connection to a child of its own; -1 when there can be none. */
static int peer_new(int listener)
{
	struct sockaddr_in sa;
	socklen_t len = sizeof(sa);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	pid_t pid;

	if (fd < 0 || getsockname(listener, (struct sockaddr *)&sa, &len) ||
	    connect(fd, (struct sockaddr *)&sa, sizeof(sa)))
		return -1;
	pid = fork();
	if (!pid) {
		close(fd);
		answer(accept(listener, NULL, NULL));
	}
	if (pid < 0)
		return -1;
	return fd;
}

static int round_trip(int ep, const int *fds, int n)
{
	struct epoll_event ev[EVENTS];

	for (int i = 0; i < n; i++)
		if (send(fds[i], buf, REQUEST, 0) != REQUEST)
			return -1;
	while (n > 0) {
		int got = epoll_wait(ep, ev, EVENTS, -1);

		for (int i = 0; i < got; i++)
			if (recv(ev[i].data.fd, buf, sizeof(buf), 0) <= 0)
				return -1;
		n -= got;
	}
	return 0;
}

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 0, ep = epoll_create1(0), timer = timerfd_create(CLOCK_REALTIME, 0);
	long us = argc > 2 ? strtol(argv[2], NULL, 10) : INTERVAL_DFLT;
	struct itimerspec it = { .it_interval = { us / 1000000, us % 1000000 * 1000 } };
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int listener = socket(AF_INET, SOCK_STREAM, 0), *fds = calloc(n > 0 ? (size_t)n : 1, sizeof(*fds));
	uint64_t ticks;

	it.it_value = it.it_interval;
	if (n <= 0 || us <= 0 || !fds || bind(listener, (struct sockaddr *)&any, sizeof(any)) ||
	    listen(listener, SOMAXCONN) || timerfd_settime(timer, 0, &it, NULL)) {
		fprintf(stderr, "usage: exchange PEERS [INTERVAL_US]\n");
		return 2;
	}
	for (int i = 0; i < n; i++) {
		struct epoll_event ev = { .events = EPOLLIN };

		fds[i] = ev.data.fd = peer_new(listener);
		if (fds[i] < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, fds[i], &ev)) {
			perror("exchange");
			return 1;
		}
	}
	puts("ready");
	fflush(stdout);
	while (read(timer, &ticks, sizeof(ticks)) == sizeof(ticks) && !round_trip(ep, fds, n))
		;
	return 1;
}
