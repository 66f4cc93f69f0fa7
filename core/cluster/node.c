/* node.c - see node.h
 *
 * A process enters a node by joining the namespaces of the node's init; for process numbers that counts for its children,
 * so that there is always a process outside and one inside.
 */
#include "core/cluster/node.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/xalloc.h"
#include "core/cluster/impl.h"
#include "core/cluster/report.h"

#define ENV_MAX   (1u << 20) /* bytes of a node's environment */
#define PATH_DFLT "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

int node_enter(const struct cluster *c, size_t node, struct err *err)
{
	const struct cluster_node *n = &c->nodes[node];
	int flags = CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID, rc = 0, fd;

	fd = proc_pidfd(n->pid, n->born);
	if (fd < 0)
		return err_set(err, -ESRCH, "node %s of cluster %s is dead; `ldms cluster down %s`, and up again",
			       n->name, c->name, c->name);
	if (setns(fd, flags | (c->user ? CLONE_NEWUSER : 0)))
		rc = err_set(err, -errno, "node %s of cluster %s cannot be entered: %s%s", n->name, c->name,
			     err_name(errno), errno == EPERM ? "; only who made it, and root, may" : "");
	close(fd);
	/* root of the host is nobody in a user's namespace, before it becomes its root */
	if (!rc && c->user && (setresgid(0, 0, 0) || setresuid(0, 0, 0)))
		rc = err_set(err, -errno, "node %s: root there: %s", n->name, err_name(errno));
	return rc;
}

/* -- what it starts with ------------------------------------------------------------------------------------------- */

static void env_put(const char *text)
{
	const char *eq = strchr(text, '=');
	char *key;

	if (!eq || eq == text)
		return;
	key = xstrndup(text, (size_t)(eq - text));
	setenv(key, eq + 1, 1);
	free(key);
}

/* Ours, then the node's, then the command's; CLUSTER_BIN is first in PATH whoever said it. */
static void env_make(const struct cluster_node *n, const struct buf *node_env, const char *const *more)
{
	const char *path;
	char *with;

	unsetenv("LDMS_CLUSTER_DIR"); /* a folder of the host */
	setenv("HOSTNAME", n->name, 1);
	for (size_t at = 0; at < node_env->len; at += strlen((const char *)node_env->p + at) + 1)
		env_put((const char *)node_env->p + at);
	for (; more && *more; more++)
		env_put(*more);
	path = getenv("PATH");
	with = xasprintf("%s:%s", CLUSTER_BIN, path && *path ? path : PATH_DFLT);
	setenv("PATH", with, 1);
	free(with);
}

static int fds_place(const int *fds)
{
	int at[3];

	/* first out of the way of each other */
	for (int i = 0; i < 3; i++) {
		int fd = fds[i] >= 0 ? fds[i] : open("/dev/null", O_RDWR | O_CLOEXEC);

		at[i] = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
		if (at[i] < 0)
			return -errno;
	}
	for (int i = 0; i < 3; i++)
		if (dup2(at[i], i) < 0)
			return -errno;
	return 0;
}

/* Why there is no such program in a node. */
static const char *no_program(const char *path)
{
	static const char *const own[] = { "/run/", "/tmp/", "/var/log/" };

	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
		if (!strncmp(path, own[i], strlen(own[i])))
			return "; each node has a /run, /tmp and /var/log of its own: `ldms cluster up "
			       "--mount SRC:DST` shows it another folder";
	return "; it is neither in the node's PATH nor a file there";
}

/* In the process that becomes the command; what goes wrong is reported. */
static void become(const struct cluster_node *n, const struct node_cmd *cmd, const struct buf *env, int to)
{
	int rc = fds_place(cmd->fds);
	struct err err;

	env_make(n, env, cmd->env);
	if (!cmd->cwd || chdir(cmd->cwd))
		rc = rc ? rc : chdir("/") ? -errno : 0;
	if (!rc) {
		execvp(cmd->argv[0], cmd->argv);
		rc = -errno;
	}
	err_set(&err, rc, "node %s: %s cannot be started: %s%s", n->name, cmd->argv[0], err_name(rc),
		rc == -ENOENT ? no_program(cmd->argv[0]) : "");
	report_send(to, 0, rc, &err);
	_exit(127);
}

static int env_read(const struct cluster *c, size_t node, struct buf *env, struct err *err)
{
	char *path = cluster_node_path(c, &c->nodes[node], "env");
	int rc = cluster_file_read(path, ENV_MAX, env, err);

	if (!rc)
		buf_str(env); /* ends also when somebody cut it */
	free(path);
	return rc;
}

/* -- run to its end ------------------------------------------------------------------------------------------------ */

static const int passed_on[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2 };
#define PASSED_ON (sizeof(passed_on) / sizeof(*passed_on))

static void signals_hold(sigset_t *set, sigset_t *was)
{
	sigemptyset(set);
	sigaddset(set, SIGCHLD);
	for (size_t i = 0; i < PASSED_ON; i++)
		sigaddset(set, passed_on[i]);
	sigprocmask(SIG_BLOCK, set, was);
}

static int status_of(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int reap(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status_of(status);
}

/* Until the helper ends; signals go to the command. */
static int await(pid_t helper, int cmd_fd, const sigset_t *set)
{
	siginfo_t si;
	int status;

	for (;;) {
		int sig = sigwaitinfo(set, &si);

		if (sig < 0)
			continue;
		if (sig != SIGCHLD) {
			/* what a terminal sends comes to the whole group of processes, also to the command */
			if (si.si_code != SI_KERNEL && cmd_fd >= 0)
				syscall(SYS_pidfd_send_signal, cmd_fd, sig, NULL, 0);
			continue;
		}
		if (waitpid(helper, &status, WNOHANG) == helper)
			return status_of(status);
	}
}

/* With whom nobody waits for, we end, too. */
static void tie(int to)
{
	struct pollfd p = { .fd = to };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (poll(&p, 1, 0)) /* hung up: it ended before that */
		_exit(127);
}

static pid_t fork_or_report(const struct cluster_node *n, int to)
{
	pid_t pid = fork();
	struct err err;

	if (pid >= 0)
		return pid;
	report_send(to, 0, err_set(&err, -errno, "node %s: no process more: %s", n->name, err_name(errno)), &err);
	_exit(127);
}

static void enter_or_report(const struct cluster *c, size_t node, int to)
{
	struct err err = { "" };
	int rc = node_enter(c, node, &err);

	if (!rc)
		return;
	report_send(to, 0, rc, &err);
	_exit(127);
}

/* In the helper: it is outside with its own process number, and its child is inside. */
static void run_inside(const struct cluster *c, size_t node, const struct node_cmd *cmd, const struct buf *env, int to,
		       const sigset_t *mask)
{
	pid_t pid;

	tie(to);
	enter_or_report(c, node, to);
	pid = fork_or_report(&c->nodes[node], to);
	if (!pid) {
		tie(to);
		sigprocmask(SIG_SETMASK, mask, NULL);
		report_send(to, 0, 0, NULL);
		become(&c->nodes[node], cmd, env, to);
	}
	close(to);
	_exit(reap(pid));
}

/* First who the command is, or why there is none; then, when it could not become the command, why. */
static int started(const struct cluster_node *n, const struct node_cmd *cmd, int from, pid_t *ret_pid, struct err *err)
{
	struct report r = { 0 };
	pid_t pid = 0;
	int rc = 0;

	while (!rc && !r.rc)
		rc = report_receive(from, &r, pid ? &(pid_t){ 0 } : &pid);
	if (!rc)
		return err_set(err, r.rc, "%s", r.msg);
	if (rc != -EPIPE || !pid)
		return err_set(err, rc, "node %s: %s was not started: %s", n->name, cmd->argv[0], err_name(rc));
	*ret_pid = pid;
	return 0;
}

int node_run(const struct cluster *c, size_t node, const struct node_cmd *cmd, int *ret_status, struct err *err)
{
	const struct cluster_node *n = &c->nodes[node];
	int sv[2], rc, cmd_fd;
	struct buf env = { 0 };
	sigset_t set, was;
	pid_t helper, pid;

	rc = env_read(c, node, &env, err);
	if (!rc)
		rc = report_pair(sv, err);
	if (rc)
		goto out;
	signals_hold(&set, &was);
	helper = fork();
	if (!helper) {
		close(sv[0]);
		run_inside(c, node, cmd, &env, sv[1], &was);
	}
	close(sv[1]);
	rc = helper < 0 ? err_set(err, -errno, "node %s: no process more: %s", n->name, err_name(errno))
			: started(n, cmd, sv[0], &pid, err);
	close(sv[0]);
	if (!rc) {
		cmd_fd = (int)syscall(SYS_pidfd_open, pid, 0); /* -1: it ended already */
		*ret_status = await(helper, cmd_fd, &set);
		if (cmd_fd >= 0)
			close(cmd_fd);
	} else if (helper > 0) {
		reap(helper);
	}
	sigprocmask(SIG_SETMASK, &was, NULL);
out:
	buf_fini(&env);
	return rc;
}

/* -- start for good ------------------------------------------------------------------------------------------------ */

/* In the helper: what it starts there starts the command and ends, which makes the command a child of the node's (or
 * the cluster's) init. */
static void start_inside(const struct cluster *c, size_t node, const struct node_cmd *cmd, const struct buf *env,
			 int to)
{
	sigset_t none;
	pid_t pid;

	enter_or_report(c, node, to);
	pid = fork_or_report(&c->nodes[node], to);
	if (pid)
		_exit(reap(pid));
	if (fork_or_report(&c->nodes[node], to))
		_exit(0);
	setsid();
	syscall(SYS_close_range, 3, ~0u, CLOSE_RANGE_CLOEXEC); /* what we were given is not for what outlives us */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	report_send(to, 0, 0, NULL);
	become(&c->nodes[node], cmd, env, to);
}

int node_start(const struct cluster *c, size_t node, const struct node_cmd *cmd, pid_t *ret_pid, struct err *err)
{
	const struct cluster_node *n = &c->nodes[node];
	struct buf env = { 0 };
	pid_t helper, pid;
	int sv[2], rc;

	rc = env_read(c, node, &env, err);
	if (!rc)
		rc = report_pair(sv, err);
	if (rc)
		goto out;
	helper = fork();
	if (!helper) {
		close(sv[0]);
		start_inside(c, node, cmd, &env, sv[1]);
	}
	close(sv[1]);
	rc = helper < 0 ? err_set(err, -errno, "node %s: no process more: %s", n->name, err_name(errno))
			: started(n, cmd, sv[0], &pid, err);
	close(sv[0]);
	if (helper > 0)
		reap(helper);
	if (!rc)
		*ret_pid = pid;
out:
	buf_fini(&env);
	return rc;
}
