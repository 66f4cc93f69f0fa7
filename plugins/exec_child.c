/* exec_child.c - see exec_child.h */
#include "plugins/exec_child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "plugins/spawn.h"

#define READ_MAX 65536
#define GRACE_US 1000000 /* between the end of its output and its own */

int exec_child_begin(struct exec_child *c, char *const argv[], struct err *err)
{
	int fds[2], rc;

	if (pipe2(fds, O_CLOEXEC))
		return err_set(err, -errno, "%s: no pipe: %s; raise `ulimit -n`", argv[0], err_name(errno));
	rc = spawn_begin(&c->pid, argv[0], argv, fds[1], STDOUT_FILENO, err);
	close(fds[1]);
	if (rc) {
		c->pid = 0;
		close(fds[0]);
		return err_prefix(err, rc, "%s: ", argv[0]);
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

int exec_child_end(struct exec_child *c, bool kill_it, const char *path, struct err *err)
{
	int status = 0, rc;

	if (!c->pid)
		return 0;
	close(c->fd);
	rc = spawn_end(c->pid, kill_it ? 0 : GRACE_US, &status);
	c->pid = 0;
	if (kill_it)
		return 0;
	if (rc)
		return err_set(err, rc, "%s: closed its output and did not end; it was killed", path);
	rc = spawn_judge(status, err);
	return rc ? err_prefix(err, rc, "%s: ", path) : 0;
}
