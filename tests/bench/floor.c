/* floor.c - the least that sampling a file can cost: a wake-up on multiples of an interval, and one pread
 *
 *	cc -O2 -o floor tests/bench/floor.c; ./floor /proc/loadavg 10000
 *
 * Samples until it is ended; its CPU time is read from outside, as a daemon's.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	static char buf[1 << 20];
	long us = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
	struct itimerspec it = { .it_interval = { us / 1000000, us % 1000000 * 1000 } };
	int fd = argc > 1 ? open(argv[1], O_RDONLY) : -1, timer = timerfd_create(CLOCK_REALTIME, 0);
	uint64_t n;

	it.it_value = it.it_interval;
	if (fd < 0 || us <= 0 || timerfd_settime(timer, 0, &it, NULL)) {
		fprintf(stderr, "usage: floor FILE INTERVAL_US\n");
		return 2;
	}
	while (read(timer, &n, sizeof(n)) == sizeof(n) && pread(fd, buf, sizeof(buf), 0) > 0)
		;
	return 1;
}
