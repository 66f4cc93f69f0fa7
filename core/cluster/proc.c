/* proc.c - processes by number and when they began: a number alone may be somebody else's by now */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/cluster/cluster.h"

static uint64_t look(pid_t pid, char *ret_state)
{
	char path[32], text[1024], *p;
	uint64_t born = 0;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	p = strrchr(text, ')'); /* the name may hold anything; what follows is the third field, its state */
	if (p && (p[2] == 'Z' || p[2] == 'X'))
		return 0; /* it ended, and only its number is left */
	if (p)
		*ret_state = p[2];
	for (int field = 2; p && field < 22; field++)
		p = strchr(p + 1, ' ');
	if (p)
		born = strtoull(p + 1, NULL, 10);
	return born;
}

uint64_t proc_born(pid_t pid)
{
	char state;

	return look(pid, &state);
}

char proc_state(pid_t pid, uint64_t born)
{
	char state;

	return pid > 0 && born && look(pid, &state) == born ? state : '\0';
}

int proc_pidfd(pid_t pid, uint64_t born)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (fd < 0)
		return -errno;
	/* looked at behind the open: from here on the number means what the descriptor means, or nothing */
	if (!born || proc_born(pid) != born) {
		close(fd);
		return -ESRCH;
	}
	return fd;
}
