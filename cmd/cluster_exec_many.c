/* cluster_exec_many.c - a command in many nodes at once: a process for each, whose lines come with the node's name */
#include "cmd/cluster_exec.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/xalloc.h"

#define LINE_MAX_ (64u << 10) /* bytes of a line; a longer one comes in parts */
#define READ_SIZE 4096

struct stream {
	struct buf line; /* what came behind the last line's end */
	FILE *to;
	int fd; /* -1: it ended */
};

struct child {
	const char *name;
	pid_t pid;
	struct stream out, err;
};

struct many {
	struct child *v;
	size_t n, open; /* open: streams that have not ended */
	int sigfd;
	sigset_t was;
};

static void child_main(const struct cluster *c, size_t node, char **argv, const int *fds, pid_t parent,
		       const sigset_t *was)
{
	struct err err = { "" };
	int status;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigprocmask(SIG_SETMASK, was, NULL);
	if (getppid() != parent)
		_exit(CLUSTER_EXIT_NOT_RUN);
	status = exec_one(c, node, argv, fds, &err);
	if (status < 0) { /* the node's name comes in front of every line */
		size_t front = strlen("node ") + strlen(c->nodes[node].name) + strlen(": ");

		dprintf(fds[2], "%s\n",
			strncmp(err.msg, "node ", 5) || strlen(err.msg) < front ? err.msg : err.msg + front);
	}
	_exit(status < 0 ? CLUSTER_EXIT_NOT_RUN : status);
}

static int child_start(struct many *m, const struct cluster *c, size_t node, char **argv, struct err *err)
{
	struct child *k = &m->v[m->n];
	int out[2], errs[2];
	pid_t self = getpid();

	if (pipe2(out, O_CLOEXEC))
		return err_set(err, -errno, "no pipe: %s; see ulimit -n", err_name(errno));
	if (pipe2(errs, O_CLOEXEC)) {
		int rc = err_set(err, -errno, "no pipe: %s; see ulimit -n", err_name(errno));

		close(out[0]);
		close(out[1]);
		return rc;
	}
	*k = (struct child){ .name = c->nodes[node].name, .pid = fork() };
	if (!k->pid) {
		/* the ends that others read would keep their readers from seeing an end, were they inherited on */
		child_main(c, node, argv, (const int[3]){ -1, out[1], errs[1] }, self, &m->was);
	}
	close(out[1]);
	close(errs[1]);
	k->out = (struct stream){ .to = stdout, .fd = out[0] };
	k->err = (struct stream){ .to = stderr, .fd = errs[0] };
	m->n++;
	m->open += 2;
	return k->pid < 0 ? err_set(err, -errno, "no process more: %s", err_name(errno)) : 0;
}

/* Whole lines, and at the end also what has no end of line. */
static void lines_say(const char *name, struct stream *s, bool all)
{
	uint8_t *nl;

	while (s->line.len && ((nl = memchr(s->line.p, '\n', s->line.len)) || all || s->line.len > LINE_MAX_)) {
		size_t len = nl ? (size_t)(nl - s->line.p) : s->line.len;

		fprintf(s->to, "%s: ", name);
		fwrite(s->line.p, 1, len, s->to);
		fputc('\n', s->to);
		buf_consume(&s->line, nl ? len + 1 : len);
	}
}

static void stream_read(struct many *m, const char *name, struct stream *s)
{
	ssize_t n = read(s->fd, buf_reserve(&s->line, READ_SIZE), READ_SIZE);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n > 0)
		s->line.len += (size_t)n;
	lines_say(name, s, n <= 0);
	if (n <= 0) {
		close(s->fd);
		s->fd = -1;
		m->open--;
	}
}

/* A signal is for all of them; a terminal's reached them by itself. */
static void pass_on(const struct many *m)
{
	struct signalfd_siginfo si;

	if (read(m->sigfd, &si, sizeof(si)) != sizeof(si) || si.ssi_code == SI_KERNEL)
		return;
	for (size_t i = 0; i < m->n; i++)
		kill(m->v[i].pid, (int)si.ssi_signo);
}

static void relay(struct many *m)
{
	struct pollfd *p = xcalloc(2 * m->n + 1, sizeof(*p));

	while (m->open) {
		for (size_t i = 0; i < m->n; i++) {
			p[2 * i] = (struct pollfd){ .fd = m->v[i].out.fd, .events = POLLIN };
			p[2 * i + 1] = (struct pollfd){ .fd = m->v[i].err.fd, .events = POLLIN };
		}
		p[2 * m->n] = (struct pollfd){ .fd = m->sigfd, .events = POLLIN };
		if (poll(p, 2 * m->n + 1, -1) < 0)
			continue;
		for (size_t i = 0; i < m->n; i++) {
			if (p[2 * i].revents)
				stream_read(m, m->v[i].name, &m->v[i].out);
			if (p[2 * i + 1].revents)
				stream_read(m, m->v[i].name, &m->v[i].err);
		}
		if (p[2 * m->n].revents)
			pass_on(m);
		fflush(stdout);
	}
	free(p);
}

static int reap(struct many *m)
{
	int worst = 0;

	for (size_t i = 0; i < m->n; i++) {
		struct child *k = &m->v[i];
		int status = 0, s;

		while (k->pid > 0 && waitpid(k->pid, &status, 0) < 0 && errno == EINTR)
			;
		s = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		worst = s > worst ? s : worst;
		buf_fini(&k->out.line);
		buf_fini(&k->err.line);
	}
	return worst;
}

static void more_files(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r))
		return;
	r.rlim_cur = r.rlim_max;
	setrlimit(RLIMIT_NOFILE, &r); /* else the pipes say so */
}

int exec_many(const struct cluster *c, const struct hostlist *nodes, char **argv, struct err *err)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2 };
	struct many m = { .v = xcalloc(nodes->n + 1, sizeof(*m.v)) };
	size_t *which = xcalloc(nodes->n + 1, sizeof(*which));
	int rc = 0, worst;
	sigset_t set;

	for (size_t i = 0; i < nodes->n && !rc; i++)
		rc = cluster_node_find(c, nodes->names[i], &which[i], err);
	if (rc)
		goto out;
	more_files();
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaddset(&set, signals[i]);
	sigprocmask(SIG_BLOCK, &set, &m.was);
	m.sigfd = signalfd(-1, &set, SFD_CLOEXEC);
	for (size_t i = 0; i < nodes->n && !rc; i++)
		rc = child_start(&m, c, which[i], argv, err);
	for (size_t i = 0; rc && i < m.n; i++)
		if (m.v[i].pid > 0)
			kill(m.v[i].pid, SIGKILL);
	relay(&m);
	worst = reap(&m);
	close(m.sigfd);
	sigprocmask(SIG_SETMASK, &m.was, NULL);
out:
	free(which);
	free(m.v);
	return rc ? rc : worst;
}
