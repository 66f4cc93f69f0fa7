/* child.c - the daemon's side of child.h; the other one is child_run.c */
#include "plugins/child.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/unit.h"
#include "plugins/child_wire.h"
#include "plugins/spawn.h"

#define SELF     "/proc/self/exe" /* this program, also when another one has taken its path since */
#define GRACE_US SEC_US           /* between the end of its socket and its own */

/* -- begin and end -------------------------------------------------------------------------------------------------- */

static int begin(struct child *c, struct err *err)
{
	char *const argv[] = { (char *)"ldms", (char *)"child", (char *)c->type, NULL };
	int fds[2], rc;
	pid_t pid;

	if (c->former && spawn_lingers(c->former))
		return err_set(err, -EBUSY,
			       "its process %d was killed and has not ended yet: it waits in the kernel, most often "
			       "for a device",
			       (int)c->former);
	c->former = 0;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
		return err_set(err, -errno, "no socket for its process: %s; raise `ulimit -n`", err_name(errno));
	rc = spawn_begin(&pid, SELF, argv, fds[1], CHILD_FD, err);
	close(fds[1]);
	if (rc) {
		close(fds[0]);
		return err_prefix(err, rc, "its process ");
	}
	c->pid = pid;
	c->fd = fds[0];
	return 0;
}

/* End the process; 0 with its status when it had ended by itself. */
static int end(struct child *c, int64_t grace_us, int *status)
{
	close(c->fd);
	c->former = c->pid;
	c->pid = 0;
	return spawn_end(c->former, grace_us, status);
}

void child_close(struct child *c)
{
	int status;

	if (c->pid)
		end(c, 0, &status);
}

/* It has closed its end: how did it end? */
static int ended_say(struct child *c, struct err *err)
{
	int status, rc = end(c, GRACE_US, &status);

	if (rc)
		return err_set(err, rc, "its process hung up and did not end; it was killed");
	rc = spawn_judge(status, err);
	return rc ? err_prefix(err, rc, "its process ") : err_set(err, -ECHILD, "its process has ended");
}

/* -- question and answer -------------------------------------------------------------------------------------------- */

bool child_head_check(const void *packet, size_t n, size_t max, struct child_head *ret)
{
	if (n < sizeof(*ret))
		return false;
	memcpy(ret, packet, sizeof(*ret));
	return ret->magic == CHILD_MAGIC && ret->len == n - sizeof(*ret) && ret->len <= max && ret->rc <= 0;
}

static int question_send(struct child *c, const char *question, struct err *err)
{
	struct child_head h = { .magic = CHILD_MAGIC, .seq = ++c->seq, .len = (uint32_t)strlen(question) };
	struct iovec v[] = { { &h, sizeof(h) }, { (void *)question, h.len } };
	struct msghdr m = { .msg_iov = v, .msg_iovlen = 2 };

	if (sendmsg(c->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return errno == EPIPE || errno == ECONNRESET
			       ? ended_say(c, err)
			       : err_set(err, -EPROTO, "its process takes no question: %s", err_name(errno));
	return 0;
}

/* One packet, into the buffer as it came. */
static int answer_wait(struct child *c, int64_t deadline_us, struct buf *answer, struct err *err)
{
	const size_t max = sizeof(struct child_head) + CHILD_ANSWER_MAX;
	int64_t until_us = mono_us() + deadline_us, left_us;
	char text[32];
	ssize_t n;

	buf_reset(answer);
	while ((left_us = until_us - mono_us()) > 0) {
		struct pollfd p = { .fd = c->fd, .events = POLLIN };

		if (poll(&p, 1, (int)((left_us < 3600 * SEC_US ? left_us : 3600 * SEC_US) / 1000 + 1)) <= 0)
			continue;
		n = recv(c->fd, buf_reserve(answer, max + 1), max + 1, MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n <= 0)
			return ended_say(c, err);
		answer->len = (size_t)n;
		return 0;
	}
	return err_set(err, -ETIMEDOUT, "its process has not answered within %s (deadline=) and was killed",
		       unit_time_text(deadline_us, text));
}

/* The process as such; *ret_rc is what it said. */
static int exchange(struct child *c, const char *question, int64_t deadline_us, struct buf *answer,
		    struct child_head *ret, struct err *err)
{
	int rc = c->pid ? 0 : begin(c, err);

	if (!rc)
		rc = question_send(c, question, err);
	if (!rc)
		rc = answer_wait(c, deadline_us, answer, err);
	if (!rc && (!child_head_check(answer->p, answer->len, CHILD_ANSWER_MAX, ret) || ret->seq != c->seq))
		rc = err_set(err, -EPROTO, "its process answered with %zu bytes that are none of ours", answer->len);
	if (!rc)
		buf_consume(answer, sizeof(*ret));
	return rc;
}

int child_ask(struct child *c, const char *question, int64_t deadline_us, struct buf *answer, struct err *err)
{
	int64_t wait_us;
	struct child_head h;
	char text[32];
	int rc;

	if (strlen(question) > CHILD_QUESTION_MAX)
		return err_set(err, -E2BIG, "%.32s...: longer than %d bytes", question, CHILD_QUESTION_MAX);
	if (mono_us() < c->not_before_us)
		return err_set(err, -EAGAIN, "%s", c->why.msg);
	rc = exchange(c, question, deadline_us, answer, &h, &c->why);
	if (!rc) {
		c->fails = 0;
		return h.rc ? err_set(err, h.rc, "%.*s", (int)answer->len, (const char *)answer->p) : 0;
	}
	child_close(c);
	wait_us = spawn_pause_us(c->fails++);
	c->not_before_us = mono_us() + wait_us;
	return err_set(err, rc, "%s; it is begun again in %s", c->why.msg, unit_time_text(wait_us, text));
}
