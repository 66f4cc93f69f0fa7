/* keeper.c - the process that a cluster hangs on, and the inits of its nodes.
 *
 *	ldms cluster up                  dies: the keeper dies (PR_SET_PDEATHSIG), until it is told that all is complete
 *	 `- keeper                       init of a pid namespace: dies: everything below dies, and with it all namespaces,
 *	     |                           mounts and interfaces; its network namespace has the bridge
 *	     |- init of node1            its namespaces have eth0, the host name, /run, /tmp, ...
 *	     `- init of node2
 *
 * Over one socket keeper and inits report; the kernel says who sends, in numbers of the reader.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/xalloc.h"
#include "core/cluster/impl.h"
#include "core/cluster/net.h"
#include "core/cluster/report.h"

enum { FD_REPORT = 3, FD_LOCK, FD_FREE }; /* what the keeper has open */

struct keeper {
	const struct cluster *c;
	const struct cluster_conf *conf;
	uid_t uid; /* of who made it, as the host counts */
	gid_t gid;
	pid_t *inits;
	int go[2]; /* closed when all wires are there */
};

/* As fork(), into new namespaces. */
static pid_t fork_into(int flags)
{
#if defined(__s390x__)
	return (pid_t)syscall(SYS_clone, NULL, flags | SIGCHLD, NULL, NULL, NULL);
#else
	return (pid_t)syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL);
#endif
}

/* -- a node's init ------------------------------------------------------------------------------------------------- */

static int text_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), rc = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		rc = -errno;
	close(fd);
	return rc;
}

static int node_net(const struct cluster_node *n, struct err *err)
{
	struct net net;
	int rc = net_open(&net, err);

	if (rc)
		return rc;
	if (!n->addr6) /* no packets that nobody asked for; a kernel without IPv6 sends none anyway */
		text_to("/proc/sys/net/ipv6/conf/" NET_ETH "/disable_ipv6", "1");
	rc = net_link_set(&net, "lo", true, err);
	if (!rc)
		rc = net_addr_add(&net, NET_ETH, n->addr, NET_PREFIX, err);
	if (!rc && n->addr6)
		rc = net_addr_add(&net, NET_ETH, n->addr6, NET_PREFIX6, err);
	if (!rc)
		rc = net_link_set(&net, NET_ETH, true, err);
	net_close(&net);
	return rc;
}

static void node_main(struct keeper *k, size_t node)
{
	static const int ignored[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGPIPE, SIGALRM };
	const struct cluster_node *n = &k->c->nodes[node];
	struct err err = { "" };
	char word;
	int rc = 0;

	close(k->go[1]);
	prctl(PR_SET_NAME, "ldms-node");
	for (size_t i = 0; i < sizeof(ignored) / sizeof(*ignored); i++)
		signal(ignored[i], SIG_IGN);
	signal(SIGCHLD, SIG_IGN); /* what is left to an init is reaped by the kernel */
	if (sethostname(n->name, strlen(n->name)))
		rc = err_set(&err, -errno, "the host name cannot be set: %s", err_name(errno));
	if (!rc)
		rc = mounts_node(k->c, k->conf, node, &err);
	while (!rc && read(k->go[0], &word, 1) < 0 && errno == EINTR)
		;
	close(k->go[0]);
	if (!rc)
		rc = node_net(n, &err);
	if (rc)
		err_prefix(&err, rc, "node %s: ", n->name);
	if (chdir("/") && !rc)
		rc = err_set(&err, -errno, "node %s: /: %s", n->name, err_name(errno));
	report_send(FD_REPORT, (int)node, rc, &err);
	close(FD_REPORT);
	for (; !rc;)
		pause();
	_exit(1);
}

/* -- the keeper ---------------------------------------------------------------------------------------------------- */

/* In the new user namespace we are root, and nobody else is there. */
static int map_user(const struct keeper *k, struct err *err)
{
	char map[64];
	int rc = text_to("/proc/self/setgroups", "deny");

	snprintf(map, sizeof(map), "0 %u 1", k->uid);
	if (!rc)
		rc = text_to("/proc/self/uid_map", map);
	snprintf(map, sizeof(map), "0 %u 1", k->gid);
	if (!rc)
		rc = text_to("/proc/self/gid_map", map);
	return rc ? err_set(err, rc,
			    "this user may not be root in a user namespace: %s; the machine's administrator can allow "
			    "it "
			    "(kernel.apparmor_restrict_unprivileged_userns=0), or run this as root",
			    err_name(rc))
		  : 0;
}

static int keeper_nodes(struct keeper *k, struct net *net, struct err *err)
{
	int flags = CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | (k->conf->pidns ? CLONE_NEWPID : 0),
	    rc = 0;
	char port[32];

	for (size_t i = 0; i < k->c->n && !rc; i++) {
		k->inits[i] = fork_into(flags);
		if (!k->inits[i])
			node_main(k, i);
		if (k->inits[i] < 0)
			return err_set(err, -errno, "node %s: its namespaces cannot be made: %s%s", k->c->nodes[i].name,
				       err_name(errno),
				       errno == ENOSPC ? "; there are too many (sysctl user.max_net_namespaces)" : "");
		rc = net_wire_add(net, net_port(i, port), NET_BRIDGE, k->inits[i], err);
		if (rc)
			err_prefix(err, rc, "node %s: ", k->c->nodes[i].name);
	}
	return rc;
}

static int keeper_make(struct keeper *k, struct err *err)
{
	struct net net = { .fd = -1 };
	int rc = k->c->user ? map_user(k, err) : 0;

	if (!rc)
		rc = mounts_keeper(k->c, err);
	if (!rc && sethostname(k->c->name, strlen(k->c->name)))
		rc = err_set(err, -errno, "the host name cannot be set: %s", err_name(errno));
	if (!rc)
		rc = net_open(&net, err);
	if (rc)
		return rc;
	text_to("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1"); /* bridge and wires have no addresses */
	rc = net_link_set(&net, "lo", true, err);
	if (!rc)
		rc = net_bridge_add(&net, NET_BRIDGE, err);
	if (!rc && pipe2(k->go, O_CLOEXEC))
		rc = err_set(err, -errno, "pipe: %s", err_name(errno));
	if (!rc)
		rc = keeper_nodes(k, &net, err);
	if (!rc) /* else nobody goes on: what is wrong here is what counts */
		close(k->go[1]);
	net_close(&net);
	return rc;
}

static void on_child(int sig)
{
	(void)sig;
}

/* What ended: an orphan of a node, or a node's init, which is told. */
static void keeper_reap(const struct keeper *k)
{
	struct err err;
	pid_t pid;

	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
		for (size_t i = 0; i < k->c->n; i++)
			if (k->inits[i] == pid) {
				err_set(&err, -ECHILD, "node %s: its init ended", k->c->nodes[i].name);
				report_send(FD_REPORT, (int)i, -ECHILD, &err);
			}
}

/* Until it is complete: the one who makes it says so, or closes the socket, or is dead. */
static void keeper_await(const struct keeper *k)
{
	struct pollfd p = { .fd = FD_REPORT, .events = POLLIN };
	struct err err = { "" };
	sigset_t none;
	char word;

	sigemptyset(&none);
	for (;;) {
		keeper_reap(k);
		if (ppoll(&p, 1, NULL, &none) > 0)
			break;
	}
	if (recv(FD_REPORT, &word, 1, 0) != 1)
		_exit(0);
	prctl(PR_SET_PDEATHSIG, 0);
	report_send(FD_REPORT, FROM_KEEPER, 0, &err);
}

/* As long as somebody can find it: who removes the folder by hand has ended the cluster. */
static void keeper_live(const struct cluster *c)
{
	char *state = xasprintf("%s/cluster", c->dir), events[sizeof(struct inotify_event) + NAME_MAX + 1];
	int in = inotify_init1(IN_CLOEXEC);

	if (in < 0 || inotify_add_watch(in, c->dir, IN_DELETE | IN_MOVED_FROM | IN_ONLYDIR) < 0)
		in = -1; /* there are too many of such watches: then it lives until it is killed */
	while (in < 0 || !access(state, F_OK)) {
		if (in < 0)
			pause();
		else if (read(in, events, sizeof(events)) < 0 && errno != EINTR)
			break;
	}
}

static void keeper_main(struct keeper *k, int fd)
{
	struct sigaction chld = { .sa_handler = on_child };
	struct err err = { "" };
	int null, lock, rc;
	sigset_t set;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "ldms-cluster");
	setsid();
	umask(022);
	/* nothing of who made it is held open but the socket and the lock */
	fd = fcntl(fd, F_DUPFD, FD_FREE);
	lock = fcntl(k->c->lock, F_DUPFD, FD_FREE);
	null = open("/dev/null", O_RDWR);
	if (fd < 0 || lock < 0 || null < 0)
		_exit(1);
	for (int i = 0; i < 3; i++)
		dup2(null, i);
	dup2(fd, FD_REPORT);
	dup2(lock, FD_LOCK);
	syscall(SYS_close_range, FD_FREE, ~0u, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_SETMASK, &set, NULL);
	sigaction(SIGCHLD, &chld, NULL);
	rc = keeper_make(k, &err);
	report_send(FD_REPORT, FROM_KEEPER, rc, &err);
	if (chdir("/")) /* and holds no folder of who made it; what nodes get may be named from there until then */
		_exit(1);
	keeper_await(k);
	signal(SIGCHLD, SIG_IGN);
	close(FD_REPORT);
	flock(FD_LOCK, LOCK_UN); /* for the inits, too; who made it may be dead by now, and then unlocks nothing */
	close(FD_LOCK);
	keeper_live(k->c);
	_exit(0);
}

/* -- the side that makes it ---------------------------------------------------------------------------------------- */

static int await_all(struct cluster *c, struct err *err)
{
	size_t missing = c->n + 1;
	struct report r;
	pid_t pid = 0;
	int rc;

	while (missing--) {
		rc = report_receive(c->settle, &r, &pid);
		if (rc == -EINTR)
			return err_set(err, rc, "interrupted");
		if (rc)
			return err_set(err, rc, "the keeper ended before all was made; is memory out?");
		if (r.rc)
			return err_set(err, r.rc, "%s", r.msg);
		if (r.node != FROM_KEEPER) {
			c->nodes[r.node].pid = pid;
			c->nodes[r.node].born = proc_born(pid);
		}
	}
	return 0;
}

static int no_namespaces(const struct cluster *c, int rc, struct err *err)
{
	if (!c->user)
		return err_set(err, rc, "namespaces cannot be made: %s%s", err_name(rc),
			       rc == -EPERM ? "; a container must be privileged (CAP_SYS_ADMIN)" : "");
	return err_set(err, rc,
		       "this user may make no user namespace: %s; allow it (sysctl user.max_user_namespaces, "
		       "kernel.unprivileged_userns_clone=1), or run this as root",
		       err_name(rc));
}

int keeper_start(struct cluster *c, const struct cluster_conf *conf, struct err *err)
{
	int flags = CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC, sv[2], rc;
	struct keeper k = { .c = c, .conf = conf, .uid = geteuid(), .gid = getegid(), .go = { -1, -1 } };

	rc = report_pair(sv, err);
	if (rc)
		return rc;
	k.inits = xcalloc(c->n + 1, sizeof(*k.inits));
	c->user = geteuid();
	fflush(NULL);
	c->keeper = fork_into(flags | (c->user ? CLONE_NEWUSER : 0));
	if (!c->keeper) {
		close(sv[0]);
		keeper_main(&k, sv[1]);
	}
	if (c->keeper < 0)
		rc = no_namespaces(c, -errno, err);
	close(sv[1]);
	free(k.inits);
	c->settle = sv[0];
	if (!rc) {
		c->born = proc_born(c->keeper);
		rc = await_all(c, err);
	}
	if (rc && c->keeper > 0)
		keeper_kill(c, NULL);
	return rc;
}

int cluster_settle(struct cluster *c, struct err *err)
{
	struct report r;
	pid_t pid;
	int rc = 0;

	if (send(c->settle, "", 1, MSG_NOSIGNAL) != 1)
		rc = -errno;
	while (!rc) {
		rc = report_receive(c->settle, &r, &pid);
		if (!rc && r.rc)
			return err_set(err, r.rc, "%s", r.msg);
		if (!rc && r.node == FROM_KEEPER)
			break;
		if (rc == -EINTR)
			rc = 0;
	}
	if (rc)
		return err_set(err, rc, "cluster %s: the keeper ended: %s", c->name, err_name(rc));
	close(c->settle);
	c->settle = -1;
	cluster_unlock(c);
	return 0;
}

int keeper_kill(const struct cluster *c, struct err *err)
{
	int fd = proc_pidfd(c->keeper, c->born), rc = 0;
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (fd < 0) {
		waitpid(c->keeper, NULL, WNOHANG);
		return 0;
	}
	if (syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0))
		rc = err_set(err, -errno, "cluster %s: its keeper, process %d, cannot be ended: %s", c->name,
			     (int)c->keeper, err_name(errno));
	/* an init ends behind all that it is the init of */
	while (!rc && poll(&p, 1, -1) < 0 && errno == EINTR)
		;
	close(fd);
	waitpid(c->keeper, NULL, WNOHANG);
	return rc;
}
