/* fault_proc.c - signals to all that runs in a node */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/xalloc.h"
#include "core/cluster/fault.h"

#define SCANS_MAX 1000 /* a node that makes processes faster than they are found */

struct spaces {
	char net[64], pid[64]; /* "net:[4026531840]" */
};

static bool spaces_of(pid_t pid, struct spaces *ret)
{
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	n = readlink(path, ret->net, sizeof(ret->net) - 1);
	if (n <= 0)
		return false;
	ret->net[n] = '\0';
	/* a program that runs something in the node has entered it, too, but not its process numbers */
	snprintf(path, sizeof(path), "/proc/%d/ns/pid", (int)pid);
	n = readlink(path, ret->pid, sizeof(ret->pid) - 1);
	if (n <= 0)
		return false;
	ret->pid[n] = '\0';
	return true;
}

struct seen {
	pid_t *v;
	size_t n;
};

static bool add(struct seen *s, pid_t pid)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i] == pid)
			return false;
	s->v = xrealloc(s->v, (s->n + 1) * sizeof(*s->v));
	s->v[s->n++] = pid;
	return true;
}

/* Those that were not there the last time; how many. */
static size_t scan(const struct spaces *node, pid_t init, int sig, struct seen *s)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	size_t n = 0;

	while (d && (e = readdir(d))) {
		pid_t pid = atoi(e->d_name);
		struct spaces sp;

		if (pid <= 1 || pid == init || !spaces_of(pid, &sp) || strcmp(sp.net, node->net) ||
		    strcmp(sp.pid, node->pid) || !add(s, pid))
			continue;
		n++;
		kill(pid, sig); /* one that ended by itself is all right */
	}
	if (d)
		closedir(d);
	return n;
}

int fault_proc_signal(const struct cluster *c, size_t node, int sig, size_t *ret_n, struct err *err)
{
	const struct cluster_node *n = &c->nodes[node];
	struct seen s = { 0 };
	struct spaces sp;
	int scans = 0, rc = 0;

	if (!cluster_node_alive(n) || !spaces_of(n->pid, &sp))
		return err_set(err, -ESRCH, "node %s of cluster %s is dead", n->name, c->name);
	while (scan(&sp, n->pid, sig, &s))
		if (++scans == SCANS_MAX) {
			rc = err_set(err, -EAGAIN, "node %s makes new processes all the time; not all got the signal",
				     n->name);
			break;
		}
	*ret_n = s.n;
	free(s.v);
	return rc;
}
