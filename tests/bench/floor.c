/* floor.c - the least that sampling files can cost: wake-ups on multiples of an interval, and one pread of each
 *
 *	cc -O2 -o floor tests/bench/floor.c -lpthread; ./floor 10000 /proc/loadavg /proc/stat
 *	./floor -1 10000 /proc/loadavg /proc/stat
 *
 * Each file has a thread and a wake-up of its own, or with -1 all have one.  It samples until it is ended; its CPU time is
 * read from outside, as a daemon's.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { BUF = 1 << 20, FILES = 1024, STACK = 64 << 10 };

struct reader {
	const int *fds;
	const size_t *sizes; /* that are asked for: some of the kernel's files take and clear as much memory */
	int n;
	char *buf;
};

static long us;

static void *read_all(void *arg)
{
	struct reader *r = arg;
	struct itimerspec it = { .it_interval = { us / 1000000, us % 1000000 * 1000 } };
	int timer = timerfd_create(CLOCK_REALTIME, 0);
	uint64_t n;

	it.it_value = it.it_interval;
	if (timer < 0 || timerfd_settime(timer, 0, &it, NULL))
		exit(2);
	while (read(timer, &n, sizeof(n)) == sizeof(n))
		for (int i = 0; i < r->n; i++)
			if (pread(r->fds[i], r->buf, r->sizes[i], 0) < 0)
				exit(1);
	exit(1);
}

int main(int argc, char **argv)
{
	static int fds[FILES];
	static size_t sizes[FILES];
	static char buf[BUF];
	static struct reader readers[FILES];
	int first = argc > 1 && !strcmp(argv[1], "-1") ? 2 : 1, n = argc - first - 1, threads = first == 2 ? 1 : n;
	pthread_attr_t attr;
	pthread_t thread;

	us = n > 0 && n <= FILES ? strtol(argv[first], NULL, 10) : 0;
	if (us <= 0) {
		fprintf(stderr, "usage: floor [-1] INTERVAL_US FILE ...\n");
		return 2;
	}
	for (int i = 0; i < n; i++) {
		ssize_t len;

		fds[i] = open(argv[first + 1 + i], O_RDONLY);
		if (fds[i] < 0) {
			perror(argv[first + 1 + i]);
			return 2;
		}
		len = pread(fds[i], buf, BUF, 0);
		sizes[i] = 4096 + 2 * (size_t)(len > 0 ? len : 0);
		sizes[i] = sizes[i] < BUF ? sizes[i] : BUF;
	}
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	for (int i = 0; i < threads; i++) {
		readers[i] = (struct reader){ fds + i, sizes + i, n / threads, malloc(BUF) };
		if (i + 1 < threads && pthread_create(&thread, &attr, read_all, &readers[i]))
			return 2;
	}
	read_all(&readers[threads - 1]);
	return 1;
}
