/* daemons_file.c - files of nodes, as their daemons want them: written and read from the host, where all that a node may
 * write to is in some folder of the cluster, or in one that was mounted into the node */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/xalloc.h"
#include "core/cluster/daemons_impl.h"
#include "core/cluster/impl.h"

#define MUNGE_KEY_BYTES 1024 /* the most that munged takes */
#define QUOTE_MAX       2000 /* bytes of a log in a complaint */

/* What is left of `path` below folder `dir`, or NULL. */
static const char *below(const char *path, const char *dir, size_t len)
{
	return !strncmp(path, dir, len) && (!path[len] || path[len] == '/') ? path + len : NULL;
}

/* A mount "SRC:DST[:MODE]" that covers the path; the last one counts. */
static char *of_mounts(const struct daemons *ds, const char *path)
{
	for (size_t i = ds->mounts.n; i-- > 0;) {
		const char *src = ds->mounts.v[i], *dst = strchr(src, ':') + 1, *rest;

		rest = below(path, dst, strcspn(dst, ":"));
		if (rest)
			return xasprintf("%.*s%s", (int)(dst - src - 1), src, rest);
	}
	return NULL;
}

char *daemon_file(const struct daemons *ds, size_t node, const char *path)
{
	static const char *const own[][2] = { { "/run", "run" }, { "/tmp", "tmp" }, { "/var/log", "log" } };
	char *found = of_mounts(ds, path), *dir;

	for (size_t i = 0; i < sizeof(own) / sizeof(*own) && !found; i++) {
		const char *rest = below(path, own[i][0], strlen(own[i][0]));

		if (!rest)
			continue;
		dir = cluster_node_path(ds->c, &ds->c->nodes[node], own[i][1]);
		found = xasprintf("%s%s", dir, rest);
		free(dir);
	}
	return found ? found : xstrdup(path);
}

static int cannot(const struct daemons *ds, size_t node, const char *path, int rc, struct err *err)
{
	return err_set(err, rc, "node %s: %s cannot be written: %s", ds->c->nodes[node].name, path, err_name(rc));
}

/* The folders above a path (of the host). */
static int up_make(const char *path)
{
	char *dir = xstrdup(path);
	int rc;

	*strrchr(dir, '/') = '\0';
	rc = *dir ? folder_path(dir, 0755) : 0;
	free(dir);
	return rc;
}

int daemon_file_write(const struct daemons *ds, size_t node, const char *path, mode_t mode, const struct buf *text,
		      struct err *err)
{
	char *host = daemon_file(ds, node, path);
	int rc = up_make(host);

	if (!rc)
		rc = cluster_file_write(host, text, NULL);
	if (!rc && chmod(host, mode))
		rc = -errno;
	free(host);
	return rc ? cannot(ds, node, path, rc, err) : 0;
}

int daemon_dir_make(const struct daemons *ds, size_t node, const char *path, mode_t mode, struct err *err)
{
	char *host = daemon_file(ds, node, path);
	int rc = folder_path(host, 0755);

	if (!rc && chmod(host, mode)) /* whatever the umask is */
		rc = -errno;
	free(host);
	return rc ? cannot(ds, node, path, rc, err) : 0;
}

int daemon_log_open(const struct daemons *ds, size_t node, const char *path, struct err *err)
{
	char *host = daemon_file(ds, node, path);
	int rc = up_make(host), fd = -1;

	if (!rc) {
		fd = open(host, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
		rc = fd < 0 ? -errno : fd;
	}
	free(host);
	return rc < 0 ? cannot(ds, node, path, rc, err) : fd;
}

void daemon_log_end(const char *host, off_t from, struct buf *to)
{
	int fd = open(host, O_RDONLY | O_CLOEXEC);
	struct stat st = { 0 };
	bool cut;
	ssize_t n;
	char *line;

	if (fd < 0 || fstat(fd, &st))
		goto out;
	cut = st.st_size - from > QUOTE_MAX;
	n = pread(fd, buf_reserve(to, QUOTE_MAX), QUOTE_MAX, cut ? st.st_size - QUOTE_MAX : from);
	to->len += n > 0 ? (size_t)n : 0;
	line = cut && n > 0 ? memchr(to->p, '\n', to->len) : NULL;
	if (line)
		buf_consume(to, (size_t)(line + 1 - (char *)to->p));
out:
	if (fd >= 0)
		close(fd);
}

int munge_key(const struct daemons *ds, struct buf *ret, struct err *err)
{
	char *path = xasprintf("%s/munge.key", ds->c->dir);
	uint8_t key[MUNGE_KEY_BYTES];
	int rc = cluster_file_read(path, sizeof(key), ret, NULL);

	if (rc == -ENOENT) {
		if (getrandom(key, sizeof(key), 0) != sizeof(key))
			rc = -EIO;
		else
			buf_add(ret, key, sizeof(key));
		rc = rc == -ENOENT ? cluster_file_write(path, ret, NULL) : rc;
		if (!rc && chmod(path, 0400))
			rc = -errno;
	}
	if (rc)
		err_set(err, rc, "%s: %s", path, err_name(rc));
	free(path);
	return rc;
}
