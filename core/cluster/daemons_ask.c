/* daemons_ask.c - what goes on in a node, seen from the host */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uthash.h>

#include "core/base/xalloc.h"
#include "core/cluster/daemons_impl.h"

#define OUTPUT_MAX (1 << 20) /* bytes of a command's output */
#define TCP_LISTEN 0x0a      /* a state in /proc/net/tcp */
#define NOT_RUN    255

/* -- listeners: /proc/PID/net/tcp is that of the process's network namespace --------------------------------------- */

struct listener {
	unsigned long inode;
	UT_hash_handle hh;
};

/* The sockets that the process has open.  False when it lets nobody see them. */
static bool sockets_of(pid_t pid, struct listener **ret)
{
	char path[320], to[64];
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	d = opendir(path);
	while (d && (e = readdir(d))) {
		struct listener *l = NULL;
		unsigned long inode;
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/%d/fd/%s", (int)pid, e->d_name);
		n = readlink(path, to, sizeof(to) - 1);
		to[n < 0 ? 0 : n] = '\0';
		if (sscanf(to, "socket:[%lu]", &inode) != 1)
			continue;
		HASH_FIND(hh, *ret, &inode, sizeof(inode), l);
		if (l)
			continue;
		l = xcalloc(1, sizeof(*l));
		l->inode = inode;
		HASH_ADD(hh, *ret, inode, sizeof(inode), l);
	}
	if (d)
		closedir(d);
	return d;
}

/* Those of the process are `own`; of one that lets nobody see them (NULL) any counts. */
static void listeners_note(const char *path, struct listener *const *own, const unsigned short *ports, size_t n,
			   bool *there)
{
	FILE *f = fopen(path, "re");
	unsigned int port, state;
	unsigned long inode;
	char line[512];

	while (f && fgets(line, sizeof(line), f)) {
		struct listener *l = NULL;

		/*   0: 00000000:019B 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 22572735 ... */
		if (sscanf(line, "%*s %*[0-9A-Fa-f]:%x %*s %x %*s %*s %*s %*s %*s %lu", &port, &state, &inode) != 3 ||
		    state != TCP_LISTEN)
			continue;
		if (own)
			HASH_FIND(hh, *own, &inode, sizeof(inode), l);
		for (size_t i = 0; i < n && (l || !own); i++)
			there[i] |= ports[i] == port;
	}
	if (f)
		fclose(f);
}

bool ports_listen(const struct cluster *c, size_t node, pid_t pid, const unsigned short *ports, size_t n,
		  unsigned short *ret_missing)
{
	static const char *const files[] = { "tcp", "tcp6" };
	bool *there = xcalloc(n + 1, sizeof(*there)), all = true;
	struct listener *own = NULL, *l, *next;
	bool seen = sockets_of(pid, &own);

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		char path[64];

		snprintf(path, sizeof(path), "/proc/%d/net/%s", (int)c->nodes[node].pid, files[i]);
		listeners_note(path, seen ? &own : NULL, ports, n, there);
	}
	for (size_t i = 0; i < n && all; i++) {
		all = there[i];
		*ret_missing = ports[i];
	}
	HASH_ITER(hh, own, l, next) {
		HASH_DEL(own, l);
		free(l);
	}
	free(there);
	return all;
}

/* -- commands: in a process of its own, since a process enters only one node --------------------------------------- */

static void ask(const struct daemons *ds, size_t node, char *const *argv, int out)
{
	const struct node_cmd cmd = { .argv = argv, .fds = { -1, out, -1 } };
	int status = NOT_RUN;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (node_run(ds->c, node, &cmd, &status, NULL))
		status = NOT_RUN;
	_exit(status);
}

static void output_read(int fd, struct buf *to)
{
	ssize_t n;

	do {
		n = read(fd, buf_reserve(to, 4096), 4096);
		to->len += n > 0 ? (size_t)n : 0;
	} while (n > 0 && to->len < OUTPUT_MAX);
}

int node_ask(const struct daemons *ds, size_t node, char *const *argv, struct buf *ret_output, struct err *err)
{
	const char *name = ds->c->nodes[node].name;
	int fds[2] = { -1, -1 }, status = 0;
	pid_t pid;

	if (ret_output && pipe2(fds, O_CLOEXEC))
		return err_set(err, -errno, "node %s: no pipe: %s", name, err_name(errno));
	pid = fork();
	if (!pid)
		ask(ds, node, argv, fds[1]);
	if (ret_output)
		close(fds[1]);
	if (pid > 0 && ret_output)
		output_read(fds[0], ret_output);
	if (ret_output)
		close(fds[0]);
	if (pid < 0)
		return err_set(err, -errno, "node %s: no process more: %s", name, err_name(errno));
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!WIFEXITED(status) || WEXITSTATUS(status) == NOT_RUN)
		return err_set(err, -ECHILD, "node %s: %s cannot be run there", name, argv[0]);
	return WEXITSTATUS(status);
}
