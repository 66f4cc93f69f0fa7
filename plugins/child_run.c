/* child_run.c - the child's side of child.h, and every kind of child there is
 *
 * One thread answers; another one waits for the daemon's end of the socket to close and then ends the process, whatever
 * the first one hangs in.  (PR_SET_PDEATHSIG would not do: it is about the thread that began us, and workers come and go.)
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "plugins/child.h"
#include "plugins/child_wire.h"

#define NAME_SZ 16 /* the kernel's */

static const struct child_type *const types[] = { &child_nvml, &child_rocm };

static const struct child_type *type_find(const char *name)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (!strcmp(types[i]->name, name))
			return types[i];
	return NULL;
}

static void *end_watch(void *arg)
{
	struct pollfd p = { .fd = CHILD_FD };

	while (poll(&p, 1, -1) < 0 || !(p.revents & (POLLHUP | POLLERR | POLLNVAL)))
		;
	_exit(0);
	return arg;
}

/* Nothing of the daemon's is left open but our socket, and what the library prints is nobody's.  No core files: a crash is
 * in the sampler's status. */
static int prepare(const char *type)
{
	const struct rlimit none = { 0, 0 };
	char name[NAME_SZ];
	pthread_t thread;
	int null;

	snprintf(name, sizeof(name), "ldms-%s", type);
	prctl(PR_SET_NAME, name, 0, 0, 0);
	setrlimit(RLIMIT_CORE, &none);
	null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (null < 0 || dup2(null, STDOUT_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0)
		return -errno;
#ifdef SYS_close_range
	syscall(SYS_close_range, CHILD_FD + 1, ~0u, 0);
#endif
	return -pthread_create(&thread, NULL, end_watch, NULL);
}

/* False when the daemon is gone, or sends what it never would. */
static bool question_take(char *question, uint32_t *seq)
{
	char packet[sizeof(struct child_head) + CHILD_QUESTION_MAX + 1];
	struct child_head h;
	ssize_t n;

	do
		n = recv(CHILD_FD, packet, sizeof(packet), 0);
	while (n < 0 && errno == EINTR);
	if (n < 0 || !child_head_check(packet, (size_t)n, CHILD_QUESTION_MAX, &h))
		return false;
	memcpy(question, packet + sizeof(h), h.len);
	question[h.len] = 0;
	*seq = h.seq;
	return true;
}

static bool answer_send(uint32_t seq, int rc, const void *body, size_t len)
{
	struct child_head h = { .magic = CHILD_MAGIC, .seq = seq, .rc = rc, .len = (uint32_t)len };
	struct iovec v[] = { { &h, sizeof(h) }, { (void *)body, len } };
	struct msghdr m = { .msg_iov = v, .msg_iovlen = 2 };
	ssize_t n;

	do
		n = sendmsg(CHILD_FD, &m, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n >= 0;
}

int child_main(int argc, char **argv)
{
	const struct child_type *type = argc == 2 ? type_find(argv[1]) : NULL;
	char question[CHILD_QUESTION_MAX + 1];
	struct buf answer = { 0 };
	int kind;
	socklen_t len = sizeof(kind);
	uint32_t seq;
	bool on = true;

	if (!type || getsockopt(CHILD_FD, SOL_SOCKET, SO_TYPE, &kind, &len) || kind != SOCK_SEQPACKET) {
		fprintf(stderr,
			"ldms child: a daemon begins this for samplers whose libraries may crash or hang; it is of "
			"no use by hand\n");
		return 1;
	}
	if (prepare(type->name))
		return 1;
	while (on && question_take(question, &seq)) {
		struct err err = { "" };
		int rc;

		buf_reset(&answer);
		rc = type->answer(question, &answer, &err);
		if (!rc && answer.len > CHILD_ANSWER_MAX)
			rc = err_set(&err, -EFBIG, "its answer of %zu bytes is longer than %d", answer.len,
				     CHILD_ANSWER_MAX);
		on = rc ? answer_send(seq, rc, err.msg, strlen(err.msg)) : answer_send(seq, 0, answer.p, answer.len);
	}
	_exit(0); /* not through the end of a library that may crash there */
}
