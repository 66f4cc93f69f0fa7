/* mounts.c - what a node sees of files: the host's, with places of its own in them.
 *
 * Everything that is put into a node is first taken hold of (open_tree) as the keeper sees it, and only then put into its
 * place (move_mount): a source below /tmp or /run stays reachable although the node's own /tmp and /run come before it.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/base/xalloc.h"
#include "core/cluster/impl.h"

/* <sys/mount.h> clashes with <linux/mount.h> in some versions of libc. */
int mount(const char *src, const char *dst, const char *type, unsigned long flags, const void *data);
#ifndef MS_BIND
#define MS_NOSUID 2
#define MS_NODEV  4
#define MS_NOEXEC 8
#define MS_BIND   4096
#define MS_REC    16384
#define MS_SLAVE  (1 << 19)
#endif

int mounts_keeper(const struct cluster *c, struct err *err)
{
	char *bin = xasprintf("%s/bin/ldms", c->dir), exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	int rc = 0;

	exe[n < 0 ? 0 : n] = '\0';
	/* what the host unmounts goes here, too, or it would stay in use; what is mounted here stays here */
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL))
		rc = err_set(err, -errno, "the mounts cannot be made our own: %s", err_name(errno));
	else if (n < 0 || mount(exe, bin, NULL, MS_BIND, NULL))
		rc = err_set(err, -errno, "%s cannot be mounted on %s: %s", exe, bin, err_name(errno));
	else if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL))
		rc = err_set(err, -errno, "/proc cannot be mounted: %s; inside a container it must not be masked",
			     err_name(errno));
	free(bin);
	return rc;
}

/* A tree of files that is mounted nowhere yet: fd, or a negative errno. */
static int take(const char *path, bool ro)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	int fd = (int)syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE), rc;

	if (fd < 0)
		return -errno;
	if (ro && syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr))) {
		rc = -errno;
		close(fd);
		return rc;
	}
	return fd;
}

static int place(int fd, const char *dst)
{
	int rc = syscall(SYS_move_mount, fd, "", AT_FDCWD, dst, MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS)
			 ? -errno
			 : 0;

	close(fd);
	return rc;
}

/* -- the node's own places ----------------------------------------------------------------------------------------- */

enum { OWN_RUN, OWN_TMP, OWN_LOG, OWN_BIN, OWN_HOSTS, OWN_N };
static const struct {
	const char *dst, *src; /* src: below the node's folder, else the cluster's when it begins with a slash */
} own[OWN_N] = {
	[OWN_RUN] = { "/run", "run" },
	[OWN_TMP] = { "/tmp", "tmp" },
	[OWN_LOG] = { "/var/log", "log" },
	[OWN_BIN] = { CLUSTER_BIN, "/bin" },
	[OWN_HOSTS] = { "/etc/hosts", "/hosts" },
};

static int own_take(const struct cluster *c, const struct cluster_node *n, int *fds, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < OWN_N && !rc; i++) {
		char *src = own[i].src[0] == '/' ? xasprintf("%s%s", c->dir, own[i].src)
						 : cluster_node_path(c, n, own[i].src);

		fds[i] = take(src, false);
		if (fds[i] < 0)
			rc = err_set(err, fds[i], "%s cannot be taken into the node: %s", src, err_name(fds[i]));
		free(src);
	}
	return rc;
}

/* /sys with the node's interfaces; the control groups of the host stand in it to be read.  Where the host's own /sys is
 * masked (in containers) it stays as it is. */
static void sys_mount(void)
{
	int cgroup = take("/sys/fs/cgroup", true);

	if (!mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) && cgroup >= 0)
		place(cgroup, "/sys/fs/cgroup");
	else if (cgroup >= 0)
		close(cgroup);
}

/* -- what was asked for -------------------------------------------------------------------------------------------- */

int cluster_mount_parse(const char *text, struct cluster_mount *ret, char **ret_copy, struct err *err)
{
	char *dst, *mode, *src = xstrdup(text);

	*ret_copy = src;
	dst = strchr(src, ':');
	if (dst)
		*dst++ = '\0';
	mode = dst ? strchr(dst, ':') : NULL;
	if (mode)
		*mode++ = '\0';
	if (!dst || !*src || dst[0] != '/' || !dst[1] || (mode && strcmp(mode, "ro") && strcmp(mode, "rw")))
		return err_set(err, -EINVAL, "mount '%s': write SRC:DST or SRC:DST:ro, DST with all its folders from /",
			       text);
	*ret = (struct cluster_mount){ .src = src, .dst = dst, .ro = mode && !strcmp(mode, "ro") };
	return 0;
}

/* Below the node's own places whatever is missing is made; elsewhere that would be in the host. */
static int dst_make(const char *dst, bool dir)
{
	char *up = xstrdup(dst), *slash = strrchr(up, '/');
	int rc = 0, fd;

	if (dir) {
		rc = folder_path(dst, 0755);
	} else {
		*slash = '\0';
		rc = *up ? folder_path(up, 0755) : 0;
		fd = rc ? -1 : open(dst, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		if (!rc && fd < 0)
			rc = -errno;
		if (fd >= 0)
			close(fd);
	}
	free(up);
	return rc;
}

static bool dst_is_own(const char *dst)
{
	for (size_t i = 0; i < OWN_BIN; i++) {
		size_t len = strlen(own[i].dst);

		if (!strncmp(dst, own[i].dst, len) && dst[len] == '/')
			return true;
	}
	return false;
}

static int asked_place(const struct cluster_mount *m, int fd, struct err *err)
{
	struct stat st, there;
	int rc = fstat(fd, &st) ? -errno : 0;

	if (!rc && stat(m->dst, &there)) {
		if (!dst_is_own(m->dst)) {
			close(fd);
			return err_set(err, -ENOENT,
				       "mount %s:%s: %s is not there; make it in the host, or choose a place below "
				       "/tmp, /run or /var/log",
				       m->src, m->dst, m->dst);
		}
		rc = dst_make(m->dst, S_ISDIR(st.st_mode));
	}
	if (rc)
		close(fd);
	else
		rc = place(fd, m->dst);
	return rc ? err_set(err, rc, "mount %s:%s: %s%s", m->src, m->dst, err_name(rc),
			    rc == -ENOTDIR ? "; one of them is a folder, the other is not" : "")
		  : 0;
}

struct asked {
	const struct cluster_mount *m;
	int fd;
};

static int asked_take(const struct cluster_mount *m, size_t n, struct asked *to, size_t *k, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		int fd = take(m[i].src, m[i].ro);

		if (fd < 0)
			return err_set(err, fd, "mount %s:%s: %s: %s", m[i].src, m[i].dst, m[i].src, err_name(fd));
		to[(*k)++] = (struct asked){ &m[i], fd };
	}
	return 0;
}

int mounts_node(const struct cluster *c, const struct cluster_conf *conf, size_t node, struct err *err)
{
	const struct cluster_host *h = &conf->hosts[node];
	struct asked *asked = xcalloc(conf->n_mounts + h->n_mounts + 1, sizeof(*asked));
	int fds[OWN_N], rc;
	size_t k = 0;

	/* descriptors are not given back on failure: this process ends then */
	rc = own_take(c, &c->nodes[node], fds, err);
	if (!rc)
		rc = asked_take(conf->mounts, conf->n_mounts, asked, &k, err);
	if (!rc)
		rc = asked_take(h->mounts, h->n_mounts, asked, &k, err);
	if (rc)
		goto out;
	sys_mount();
	if (conf->pidns && mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL))
		rc = err_set(err, -errno, "/proc cannot be mounted: %s", err_name(errno));
	if (!rc && mount("shm", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777") && errno != ENOENT)
		rc = err_set(err, -errno, "/dev/shm cannot be mounted: %s", err_name(errno));
	for (size_t i = 0; i < OWN_N && !rc; i++) {
		rc = place(fds[i], own[i].dst);
		if (rc)
			err_set(err, rc, "%s cannot be mounted: %s", own[i].dst, err_name(rc));
	}
	for (size_t i = 0; i < k && !rc; i++)
		rc = asked_place(asked[i].m, asked[i].fd, err);
out:
	free(asked);
	return rc;
}
