/* exec_child.c - see exec_child.h */
#include "plugins/exec_child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.h"

#define READ_MAX 65536
#define GRACE_US 1000000 /* between the end of its output and its own */

extern char **environ;

static int attr_make(posix_spawnattr_t *attr)
{
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_init(attr);
	posix_spawnattr_setpgroup(attr, 0);
	posix_spawnattr_setsigmask(attr, &none); /* ours is that of a worker: everything is blocked */
	posix_spawnattr_setsigdefault(attr, &all);
	return posix_spawnattr_setflags(attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

int exec_child_begin(struct exec_child *c, char *const argv[], struct err *err)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	int fds[2], rc;

	if (pipe2(fds, O_CLOEXEC))
		return err_set(err, -errno, "%s: no pipe: %s; raise `ulimit -n`", argv[0], err_name(errno));
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&files, fds[1], STDOUT_FILENO);
	attr_make(&attr);
	rc = -posix_spawn(&c->pid, argv[0], &files, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	close(fds[1]);
	if (rc) {
		c->pid = 0;
		close(fds[0]);
		return err_set(err, rc, "%s: cannot be run: %s%s", argv[0], err_name(rc),
			       rc == -EPERM ? "; with --sandbox no program can" : "");
	}
	c->fd = fds[0];
	fcntl(c->fd, F_SETFL, O_NONBLOCK);
	buf_reset(&c->out);
	return 0;
}

int exec_child_read(struct exec_child *c, size_t max, struct err *err)
{
	while (c->out.len < max) {
		size_t room = max - c->out.len < READ_MAX ? max - c->out.len : READ_MAX;
		ssize_t n = read(c->fd, buf_reserve(&c->out, room), room);

		if (n > 0)
			c->out.len += (size_t)n;
		else if (n == 0)
			return 1;
		else if (errno == EAGAIN)
			return 0;
		else if (errno != EINTR)
			return err_set(err, -errno, "its output cannot be read: %s", err_name(errno));
	}
	return 0;
}

bool exec_child_wait(struct exec_child *c, int64_t until_us)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };
	int64_t left = until_us - mono_us();

	return left > 0 && poll(&p, 1, (int)(left / 1000 + 1)) > 0;
}

/* Its status when it ends by itself within the grace; false: it does not. */
static bool reap(pid_t pid, int *ret)
{
	int64_t end_us = mono_us() + GRACE_US;
	pid_t got;

	while (!(got = waitpid(pid, ret, WNOHANG)) && mono_us() < end_us)
		poll(NULL, 0, 1);
	if (got < 0)
		*ret = 0; /* somebody else has asked */
	return got != 0;
}

int exec_child_end(struct exec_child *c, bool kill_it, const char *path, struct err *err)
{
	int status = 0;
	bool ended;

	if (!c->pid)
		return 0;
	close(c->fd);
	ended = !kill_it && reap(c->pid, &status);
	kill(-c->pid, SIGKILL); /* what it has left behind goes, too */
	if (!ended)
		waitpid(c->pid, &status, 0);
	c->pid = 0;
	if (kill_it)
		return 0;
	if (!ended)
		return err_set(err, -ECHILD, "%s: closed its output and did not end; it was killed", path);
	if (WIFSIGNALED(status))
		return err_set(err, -ECHILD, "%s: was ended by signal %d (%s)", path, WTERMSIG(status),
			       strsignal(WTERMSIG(status)));
	if (WEXITSTATUS(status))
		return err_set(err, -ECHILD, "%s: ended with status %d", path, WEXITSTATUS(status));
	return 0;
}
