/* report.c - see report.h; unix(7), SO_PASSCRED */
#include "core/cluster/report.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

int report_pair(int sv[2], struct err *err)
{
	int on = 1;

	if (!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) &&
	    !setsockopt(sv[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)))
		return 0;
	return err_set(err, -errno, "no socket: %s", err_name(errno));
}

void report_send(int fd, int node, int rc, const struct err *err)
{
	struct report r = { .node = node, .rc = rc };

	if (rc)
		snprintf(r.msg, sizeof(r.msg), "%s", err->msg);
	(void)!send(fd, &r, sizeof(r), MSG_NOSIGNAL); /* when nobody is there, nobody wants to know */
}

int report_receive(int fd, struct report *ret, pid_t *ret_pid)
{
	union {
		struct cmsghdr h;
		char room[CMSG_SPACE(sizeof(struct ucred))];
	} u;
	struct iovec iov = { ret, sizeof(*ret) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &u, .msg_controllen = sizeof(u) };
	ssize_t n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
	struct cmsghdr *h;

	if (n < 0)
		return -errno;
	if (n != sizeof(*ret))
		return -EPIPE;
	ret->msg[ERR_MAX - 1] = '\0';
	h = CMSG_FIRSTHDR(&m);
	if (h && h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_CREDENTIALS) {
		struct ucred cred;

		memcpy(&cred, CMSG_DATA(h), sizeof(cred));
		*ret_pid = cred.pid;
	}
	return 0;
}
