/* in_child.h - what cannot be taken back (rights, sandboxes) is tried in a child process. */
#ifndef TESTS_UNIT_IN_CHILD_H
#define TESTS_UNIT_IN_CHILD_H

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* fn's result in a child of ours, -1 when that was killed.  fn says 0 when all is well; it must not assert. */
static int in_child(int (*fn)(const void *arg), const void *arg)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(fn(arg)); /* leak checks, which trace the process, are not for it */
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

/* In fn: the line that went wrong, for people, and 1. */
#define WANT(condition)                                                                                                \
	do {                                                                                                           \
		if (!(condition)) {                                                                                    \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                \
			return 1;                                                                                      \
		}                                                                                                      \
	} while (0)

#endif
