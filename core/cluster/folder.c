/* folder.c - a cluster's folder: made, filled with what nodes see of files, removed.
 *
 * A file .ldms-cluster says that the folder is a cluster's: it is the first thing in it and the last that goes, so that
 * whatever a killed program left is known again, and nobody's home is ever taken for a cluster.
 */
#include "core/cluster/fault.h"
#include "core/cluster/impl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/xalloc.h"

#define MARK ".ldms-cluster"

int folder_path(const char *path, mode_t mode)
{
	char *copy = xstrdup(path);
	int rc = 0;

	for (char *p = copy + 1; !rc && p; p = *p ? p + 1 : NULL) {
		char was;

		p = strchrnul(p, '/');
		was = *p;
		*p = '\0';
		if (mkdir(copy, mode) && errno != EEXIST)
			rc = -errno;
		*p = was;
	}
	free(copy);
	return rc;
}

static bool is_ours(const char *path)
{
	char *mark = xasprintf("%s/" MARK, path);
	bool ours = !access(mark, F_OK);

	free(mark);
	return ours;
}

/* Has it anything in it? */
static bool is_empty(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;
	size_t n = 0;

	while (d && n < 3 && (e = readdir(d)))
		n++;
	if (d)
		closedir(d);
	return d && n == 2; /* itself and its parent */
}

bool folder_is_cluster(const char *path)
{
	return is_ours(path) || is_empty(path); /* empty: the mark was not yet made, or just went */
}

int folder_remove(const char *path, struct err *err)
{
	char *const roots[] = { (char *)(uintptr_t)path, NULL };
	char *mark = xasprintf("%s/" MARK, path);
	FTSENT *e;
	FTS *fts = NULL;
	int rc = 0;

	if (access(path, F_OK))
		goto out;
	if (!folder_is_cluster(path)) {
		rc = err_set(err, -EPERM, "%s is no cluster's folder (it has no " MARK "); it is left alone", path);
		goto out;
	}
	fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
	while (fts && (e = fts_read(fts))) {
		if (e->fts_info == FTS_D && (e->fts_statp->st_mode & 0700) != 0700)
			chmod(e->fts_accpath, 0700); /* a daemon may have closed it even to us */
		if (e->fts_info == FTS_D || e->fts_level == 0 || (e->fts_level == 1 && !strcmp(e->fts_name, MARK)))
			continue;
		if (remove(e->fts_accpath) && errno != ENOENT && !rc)
			rc = err_set(err, -errno, "%s cannot be removed: %s", e->fts_path, err_name(errno));
	}
	if (!rc && ((unlink(mark) && errno != ENOENT) || (rmdir(path) && errno != ENOENT)))
		rc = err_set(err, -errno, "%s cannot be removed: %s", path, err_name(errno));
out:
	if (fts)
		fts_close(fts);
	free(mark);
	return rc;
}

static int base_make(const char *base, struct err *err)
{
	struct stat st;
	int rc = folder_path(base, geteuid() ? 0700 : 0755);

	if (!rc && stat(base, &st))
		rc = -errno;
	if (rc)
		return err_set(err, rc, "%s cannot be made: %s; say another folder with --dir", base, err_name(rc));
	if (geteuid() && st.st_uid && st.st_uid != geteuid())
		return err_set(err, -EPERM, "%s belongs to user %u; say a folder of your own with --dir", base,
			       st.st_uid);
	return 0;
}

/* With the lock: is a cluster running here, or what is left of one? */
static int folder_vacant(struct cluster *c, const char *base, struct err *err)
{
	struct cluster *was;
	bool alive = false;

	if (!cluster_open(base, c->name, &was, NULL)) {
		alive = cluster_alive(was);
		cluster_close(was);
	}
	if (alive)
		return err_set(err, -EEXIST, "cluster %s is running already; `ldms cluster down %s` ends it", c->name,
			       c->name);
	if (is_empty(c->dir))
		return 0;
	close(c->lock);
	c->lock = -1;
	return folder_remove(c->dir, err);
}

int folder_make(struct cluster *c, const char *base, struct err *err)
{
	char *mark = xasprintf("%s/" MARK, c->dir);
	int rc = base_make(base, err), fd;

	while (!rc && c->lock < 0) {
		if (mkdir(c->dir, 0755) && errno != EEXIST)
			rc = err_set(err, -errno, "%s cannot be made: %s", c->dir, err_name(errno));
		if (!rc)
			rc = cluster_lock(c, err);
		if (rc == -ENOENT) {
			rc = 0; /* who ended one of that name removed it just now */
			continue;
		}
		if (!rc)
			rc = folder_vacant(c, base, err);
	}
	if (!rc) {
		fd = open(mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		if (fd < 0)
			rc = err_set(err, -errno, "%s cannot be made: %s", mark, err_name(errno));
		else
			close(fd);
	}
	free(mark);
	return rc;
}

/* -- what is in it ------------------------------------------------------------------------------------------------- */

static int fill_bin(const struct cluster *c, const struct cluster_conf *conf)
{
	char *path = xasprintf("%s/bin", c->dir);
	int rc = folder_path(path, 0755), fd, dir;

	dir = rc ? -1 : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!rc && dir < 0)
		rc = -errno;
	if (!rc) {
		fd = openat(dir, "ldms", O_WRONLY | O_CREAT | O_CLOEXEC, 0755); /* the executable is mounted on it */
		if (fd < 0)
			rc = -errno;
		else
			close(fd);
	}
	for (const char *const *p = conf->programs; !rc && p && *p; p++)
		if (symlinkat("ldms", dir, *p))
			rc = -errno;
	if (dir >= 0)
		close(dir);
	free(path);
	return rc;
}

/* `env` is that of all nodes, before the node's own. */
static int fill_node(const struct cluster *c, const struct cluster_node *n, const struct cluster_host *h,
		     const char *const *env, struct err *err)
{
	static const struct {
		const char *name;
		mode_t mode;
	} dirs[] = {
		{ "run", 0755 },  { "run/lock", 01777 }, { "run/ldms", 0755 }, { "run/ldms/bin", 0755 },
		{ "tmp", 01777 }, { "log", 0755 },       { "daemons", 0755 },
	};
	char *path = xasprintf("%s/nodes/%s", c->dir, n->name);
	const char *const *lists[] = { env, h->env };
	struct buf b = { 0 };
	int rc = folder_path(path, 0755);

	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs) && !rc; i++) {
		free(path);
		path = cluster_node_path(c, n, dirs[i].name);
		if (mkdir(path, 0755) || chmod(path, dirs[i].mode)) /* chmod: whatever the umask is */
			rc = -errno;
	}
	if (rc) {
		err_set(err, rc, "%s cannot be made: %s", path, err_name(rc));
	} else {
		for (size_t i = 0; i < 2; i++)
			for (const char *const *e = lists[i]; e && *e; e++)
				buf_add(&b, *e, strlen(*e) + 1);
		free(path);
		path = cluster_node_path(c, n, "env");
		rc = cluster_file_write(path, &b, err);
	}
	buf_fini(&b);
	free(path);
	return rc;
}

static void hosts_line(struct buf *b, const char *addr, const struct cluster_host *h)
{
	buf_addf(b, "%s\t%s", addr, h->name);
	for (const char *const *a = h->aliases; a && *a; a++)
		buf_addf(b, " %s", *a);
	buf_addf(b, "\n");
}

static void env_free(char **env)
{
	for (char **e = env; e && *e; e++)
		free(*e);
	free(env);
}

int folder_fill(const struct cluster *c, const struct cluster_conf *conf, struct err *err)
{
	char *path = xasprintf("%s/hosts", c->dir), **env = NULL;
	struct buf hosts = { 0 };
	int rc = conf->clock ? fault_clock_env(&env, err) : 0;

	if (rc)
		goto out;
	rc = fill_bin(c, conf);
	if (rc)
		err_set(err, rc, "%s/bin cannot be made: %s", c->dir, err_name(rc));
	buf_addf(&hosts, "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n");
	for (size_t i = 0; i < c->n && !rc; i++) {
		rc = fill_node(c, &c->nodes[i], &conf->hosts[i], (const char *const *)env, err);
		if (!rc && conf->clock)
			rc = fault_clock_set(c, i, 0, err);
		hosts_line(&hosts, c->nodes[i].addr, &conf->hosts[i]);
		if (c->nodes[i].addr6)
			hosts_line(&hosts, c->nodes[i].addr6, &conf->hosts[i]);
	}
	if (!rc)
		rc = cluster_file_write(path, &hosts, err);
out:
	env_free(env);
	buf_fini(&hosts);
	free(path);
	return rc;
}
