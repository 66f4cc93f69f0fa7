/* cluster.c - the folder of a virtual cluster: its name, lock and state file.
 *
 * The state file has a line each: words with blanks between.
 *
 *	keeper PID BORN
 *	with [user] [ipv6] [pidns] [clock]
 *	node NAME PID BORN ADDRESS [ADDRESS6]
 */
#include "core/cluster/cluster.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/str.h"
#include "core/base/xalloc.h"
#include "core/cluster/impl.h"

#define STATE_MAX (1u << 20) /* bytes of a state file: CLUSTER_NODES_MAX lines are a tenth of it */

char *cluster_base(const char *dir)
{
	const char *env = getenv("LDMS_CLUSTER_DIR"), *xdg = getenv("XDG_RUNTIME_DIR");

	if (dir)
		return xstrdup(dir);
	if (env && *env)
		return xstrdup(env);
	if (!geteuid())
		return xstrdup("/run/ldms-cluster");
	if (xdg && *xdg)
		return xasprintf("%s/ldms-cluster", xdg);
	return xasprintf("/tmp/ldms-cluster-%u", (unsigned)geteuid());
}

int cluster_name_check(const char *what, const char *name, struct err *err)
{
	size_t n = strlen(name);
	bool good = n && n <= CLUSTER_NAME_MAX && isalnum((unsigned char)name[0]);

	for (size_t i = 0; i < n && good; i++)
		good = isalnum((unsigned char)name[i]) || strchr("-_.", name[i]);
	if (good)
		return 0;
	return err_set(
		err, -EINVAL,
		"%s '%.80s': a name has 1 to %d letters, digits, '-', '_' and '.', and begins with one of the first "
		"two",
		what, name, CLUSTER_NAME_MAX);
}

bool cluster_alive(const struct cluster *c)
{
	return proc_state(c->keeper, c->born);
}

bool cluster_node_alive(const struct cluster_node *n)
{
	return proc_state(n->pid, n->born);
}

/* -- the state file ------------------------------------------------------------------------------------------------ */

struct cluster *cluster_new(const char *base, const char *name)
{
	struct cluster *c = xcalloc(1, sizeof(*c));

	c->name = xstrdup(name);
	c->dir = xasprintf("%s/%s", base, name);
	c->lock = c->settle = -1;
	return c;
}

void cluster_close(struct cluster *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n; i++) {
		free(c->nodes[i].name);
		free(c->nodes[i].addr);
		free(c->nodes[i].addr6);
	}
	free(c->nodes);
	if (c->settle >= 0)
		close(c->settle);
	cluster_unlock(c);
	free(c->name);
	free(c->dir);
	free(c);
}

struct cluster_node *cluster_node_add(struct cluster *c, const char *name, const char *addr, const char *addr6)
{
	struct cluster_node *n;

	c->nodes = xrealloc(c->nodes, (c->n + 1) * sizeof(*c->nodes));
	n = &c->nodes[c->n++];
	*n = (struct cluster_node){ .name = xstrdup(name), .addr = xstrdup(addr), .addr6 = xstrdup(addr6) };
	return n;
}

static int write_whole(int fd, const uint8_t *p, size_t len)
{
	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int cluster_file_write(const char *path, const struct buf *text, struct err *err)
{
	char *tmp = xasprintf("%s.new", path);
	int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644), rc = fd < 0 ? -errno : 0;

	if (!rc)
		rc = write_whole(fd, text->p, text->len);
	if (fd >= 0 && close(fd) && !rc)
		rc = -errno;
	if (!rc && rename(tmp, path))
		rc = -errno;
	if (rc) {
		unlink(tmp);
		err_set(err, rc, "%s cannot be written: %s", path, err_name(rc));
	}
	free(tmp);
	return rc;
}

int cluster_file_read(const char *path, size_t max, struct buf *ret, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc = fd < 0 ? -errno : 0;
	ssize_t n = 1;

	while (!rc && n) {
		n = read(fd, buf_reserve(ret, 4096), 4096);
		if (n < 0)
			rc = -errno;
		else if ((ret->len += (size_t)n) > max)
			rc = -EFBIG;
	}
	if (fd >= 0)
		close(fd);
	return rc ? err_set(err, rc, "%s cannot be read: %s", path, err_name(rc)) : 0;
}

int cluster_state_write(const struct cluster *c, struct err *err)
{
	char *path = xasprintf("%s/cluster", c->dir);
	struct buf b = { 0 };
	int rc;

	buf_addf(&b, "keeper %d %llu\nwith%s%s%s%s\n", (int)c->keeper, (unsigned long long)c->born,
		 c->user ? " user" : "", c->ipv6 ? " ipv6" : "", c->pidns ? " pidns" : "", c->clock ? " clock" : "");
	for (size_t i = 0; i < c->n; i++)
		buf_addf(&b, "node %s %d %llu %s %s\n", c->nodes[i].name, (int)c->nodes[i].pid,
			 (unsigned long long)c->nodes[i].born, c->nodes[i].addr,
			 c->nodes[i].addr6 ? c->nodes[i].addr6 : "");
	rc = cluster_file_write(path, &b, err);
	buf_fini(&b);
	free(path);
	return rc;
}

static bool state_line(struct cluster *c, char *line)
{
	char *save, *word = strtok_r(line, " ", &save), *w[5] = { 0 };
	struct cluster_node *n;
	size_t k = 0;

	if (!word)
		return true;
	while (k < 5 && (w[k] = strtok_r(NULL, " ", &save)))
		k++;
	if (!strcmp(word, "keeper") && k == 2) {
		c->keeper = atoi(w[0]);
		c->born = strtoull(w[1], NULL, 10);
		return c->keeper > 1;
	}
	if (!strcmp(word, "with")) {
		for (size_t i = 0; i < k; i++) {
			c->user |= !strcmp(w[i], "user");
			c->ipv6 |= !strcmp(w[i], "ipv6");
			c->pidns |= !strcmp(w[i], "pidns");
			c->clock |= !strcmp(w[i], "clock");
		}
		return true;
	}
	if (strcmp(word, "node") || k < 4 || c->n == CLUSTER_NODES_MAX || cluster_name_check("node", w[0], NULL))
		return false;
	n = cluster_node_add(c, w[0], w[3], w[4]);
	n->pid = atoi(w[1]);
	n->born = strtoull(w[2], NULL, 10);
	return n->pid > 1;
}

int cluster_state_parse(struct cluster *c, char *text)
{
	char *save, *line;

	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (!state_line(c, line))
			return -EINVAL;
	return c->keeper ? 0 : -EINVAL;
}

int cluster_open(const char *base, const char *name, struct cluster **ret, struct err *err)
{
	struct cluster *c;
	struct buf b = { 0 };
	char *path;
	int rc = cluster_name_check("cluster", name, err);

	if (rc)
		return rc;
	c = cluster_new(base, name);
	path = xasprintf("%s/cluster", c->dir);
	rc = cluster_file_read(path, STATE_MAX, &b, err);
	if (rc == -ENOENT && access(c->dir, F_OK))
		err_set(err, rc,
			"there is no cluster '%s' in %s; `ldms cluster ls` lists them, `ldms cluster up` makes one",
			name, base);
	else if (rc == -ENOENT)
		err_set(err, rc, "cluster %s: it is not complete (yet); if nobody is making it, `ldms cluster down %s`",
			name, name);
	if (!rc && cluster_state_parse(c, (char *)(uintptr_t)buf_str(&b)))
		rc = err_set(err, -EINVAL, "cluster %s: %s is broken; `ldms cluster down %s` clears it away", name,
			     path, name);
	buf_fini(&b);
	free(path);
	if (rc)
		cluster_close(c);
	else
		*ret = c;
	return rc;
}

int cluster_node_find(const struct cluster *c, const char *name, size_t *ret, struct err *err)
{
	const char **names, *near;

	for (size_t i = 0; i < c->n; i++)
		if (!strcmp(c->nodes[i].name, name)) {
			*ret = i;
			return 0;
		}
	names = xcalloc(c->n + 1, sizeof(*names));
	for (size_t i = 0; i < c->n; i++)
		names[i] = c->nodes[i].name;
	near = nearest(name, names);
	free(names);
	return err_set(err, -ENOENT, "cluster %s has no node '%.80s'%s%s%s; `ldms cluster ls --name %s` lists them",
		       c->name, name, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "", c->name);
}

char *cluster_node_path(const struct cluster *c, const struct cluster_node *n, const char *below)
{
	return xasprintf("%s/nodes/%s/%s", c->dir, n->name, below);
}

/* -- the folder ---------------------------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

char **cluster_list(const char *base)
{
	char **names = xcalloc(1, sizeof(*names));
	DIR *d = opendir(base);
	struct dirent *e;
	size_t n = 0;

	while (d && (e = readdir(d))) {
		char *path = xasprintf("%s/%s", base, e->d_name);
		bool ours = !cluster_name_check("cluster", e->d_name, NULL) && folder_is_cluster(path);

		free(path);
		if (!ours)
			continue;
		names = xrealloc(names, (n + 2) * sizeof(*names));
		names[n++] = xstrdup(e->d_name);
	}
	if (d)
		closedir(d);
	names[n] = NULL;
	if (n)
		qsort(names, n, sizeof(*names), by_name);
	return names;
}

void cluster_list_free(char **names)
{
	for (char **n = names; *n; n++)
		free(*n);
	free(names);
}

int cluster_lock(struct cluster *c, struct err *err)
{
	struct stat held, named;

	for (;;) {
		int fd = open(c->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;

		if (fd < 0)
			return err_set(err, -errno, "cluster %s: %s: %s", c->name, c->dir, err_name(errno));
		while (flock(fd, LOCK_EX)) {
			rc = -errno;
			if (rc == -EINTR)
				break;
			close(fd);
			return err_set(err, rc, "cluster %s: %s cannot be locked: %s", c->name, c->dir, err_name(rc));
		}
		if (rc) {
			close(fd);
			return err_set(err, rc, "cluster %s: interrupted while another changes it", c->name);
		}
		/* who had it before may have removed the folder, and somebody made another */
		if (!fstat(fd, &held) && !stat(c->dir, &named) && held.st_ino == named.st_ino &&
		    held.st_dev == named.st_dev) {
			c->lock = fd;
			return 0;
		}
		close(fd);
	}
}

void cluster_unlock(struct cluster *c)
{
	if (c->lock < 0)
		return;
	flock(c->lock, LOCK_UN); /* not only closed: keeper and inits have inherited it */
	close(c->lock);
	c->lock = -1;
}
