/* background.c - see background.h */
#include "cmd/background.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int background_begin(int *ret_parent, struct err *err)
{
	int fds[2];
	pid_t pid;
	char word;

	if (pipe2(fds, O_CLOEXEC))
		return err_set(err, -errno, "no pipe to a process in the background: %s", err_name(errno));
	pid = fork();
	if (pid < 0) {
		close(fds[0]);
		close(fds[1]);
		return err_set(err, -errno, "no process in the background: %s", err_name(errno));
	}
	if (pid) {
		close(fds[1]);
		_exit(read(fds[0], &word, 1) == 1 ? 0 : 1);
	}
	close(fds[0]);
	setsid();
	*ret_parent = fds[1];
	return 0;
}

void background_ready(int *parent)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = STDIN_FILENO; null >= 0 && fd <= STDERR_FILENO; fd++)
		dup2(null, fd);
	if (null > STDERR_FILENO)
		close(null);
	if (write(*parent, "", 1) != 1)
		(void)0; /* nobody waits any more */
	close(*parent);
	*parent = -1;
}
