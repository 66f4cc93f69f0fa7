/* lock_file.c - a lock in a file that several maestros see
 *
 *	HOST PID NUMBER COUNT LEASE-US
 *
 * The holder writes it anew with the next count.  Who waits looks whether the line changes; when it has not for its
 * lease, by the looker's own clock, or is empty, he writes his own.  Reading and writing happen under a lock of the
 * kernel (of the file server, for a shared file), so that one of several gets it.  Who stands still with that lock keeps
 * it; when his lease has run out the file is replaced by another one, where he has none.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "core/maestro/lock_impl.h"

#define LINE_MAX_ 512

struct file_lock {
	char *path, *id;
	int64_t lease_us;
	unsigned long long count;
	bool ours;
	char seen[LINE_MAX_]; /* the other one's line, */
	int64_t since_us;     /* which has stood there since then */
};

static int file_open(const struct lock_conf *conf, void **ret, struct err *err)
{
	struct file_lock *f;
	int fd = open(conf->file, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

	if (fd < 0)
		return err_set(err, -errno, "--lock %s: %s; it must be a file that this user may write", conf->file,
			       err_name(errno));
	close(fd);
	f = xcalloc(1, sizeof(*f));
	f->path = xstrdup(conf->file);
	f->id = lock_id();
	f->lease_us = conf->lease_us;
	*ret = f;
	return 0;
}

static int line_write(int fd, const char *line)
{
	size_t n = strlen(line);

	if (ftruncate(fd, 0) || pwrite(fd, line, n, 0) != (ssize_t)n || fsync(fd))
		return -errno;
	return 0;
}

/* The lease of a line, or -1: it is none. */
static int64_t lease_of(const char *line)
{
	const char *last = strrchr(line, ' ');

	return last ? strtoll(last, NULL, 10) : -1;
}

static bool is_free(struct file_lock *f, const char *line)
{
	int64_t now_us = clock_us(CLOCK_MONOTONIC), lease_us = lease_of(line);
	size_t n = strlen(f->id);

	if (lease_us <= 0 || (!strncmp(line, f->id, n) && line[n] == ' '))
		return true;
	if (strcmp(line, f->seen)) {
		snprintf(f->seen, sizeof(f->seen), "%s", line);
		f->since_us = now_us;
	}
	return now_us - f->since_us > lease_us;
}

static int locked(struct file_lock *f, int fd, struct err *err)
{
	char line[LINE_MAX_] = "";
	char *mine;
	ssize_t n = pread(fd, line, sizeof(line) - 1, 0);
	int rc;

	if (n < 0)
		return err_set(err, -errno, "%s: %s", f->path, err_name(errno));
	line[strcspn(line, "\n")] = '\0';
	if (!is_free(f, line)) {
		f->ours = false;
		for (int words = 2; words--;) { /* HOST PID NUMBER, without COUNT and LEASE-US */
			char *last = strrchr(line, ' ');

			if (last)
				*last = '\0';
		}
		return err_set(err, 0, "%s", line);
	}
	mine = xasprintf("%s %llu %lld\n", f->id, ++f->count, (long long)f->lease_us);
	rc = line_write(fd, mine);
	free(mine);
	if (rc)
		return err_set(err, rc, "%s: %s", f->path, err_name(rc));
	f->ours = true;
	return 1;
}

/* The kernel's lock is held for as long as it takes to read and write a line; it is waited for in steps. */
static int kernel_lock(struct file_lock *f, int fd, int64_t deadline_us, struct err *err)
{
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	while (fcntl(fd, F_OFD_SETLK, &fl)) {
		if (errno != EAGAIN && errno != EACCES && errno != EINTR)
			return err_set(err, -errno, "%s: %s", f->path, err_name(errno));
		if (clock_us(CLOCK_MONOTONIC) > deadline_us)
			return err_set(err, -ETIMEDOUT, "%s: somebody keeps it locked", f->path);
		usleep(20 * MSEC_US);
	}
	return 0;
}

/* Nobody could read and write under the kernel's lock: has the line stood there for a lease, since it was seen first? */
static bool stands_still(struct file_lock *f, int fd)
{
	char line[LINE_MAX_] = "";
	int64_t now_us = clock_us(CLOCK_MONOTONIC), lease_us;

	if (pread(fd, line, sizeof(line) - 1, 0) < 0)
		return false;
	line[strcspn(line, "\n")] = '\0';
	lease_us = lease_of(line);
	if (!f->since_us || strcmp(line, f->seen)) {
		snprintf(f->seen, sizeof(f->seen), "%s", line);
		f->since_us = now_us;
	}
	return now_us - f->since_us > (lease_us > 0 ? lease_us : f->lease_us);
}

/* It is ours when it is still so at the next look: of several who do this at once the last one has it. */
static int file_replace(struct file_lock *f, struct err *err)
{
	char *beside = xasprintf("%s.%s", f->path, strrchr(f->id, ' ') + 1);
	char *mine = xasprintf("%s %llu %lld\n", f->id, ++f->count, (long long)f->lease_us);
	int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644), rc = fd < 0 ? -errno : line_write(fd, mine);

	if (fd >= 0)
		close(fd);
	if (!rc && rename(beside, f->path))
		rc = -errno;
	if (rc)
		unlink(beside);
	free(mine);
	free(beside);
	return rc ? err_set(err, rc, "%s: somebody keeps it locked, and it cannot be replaced: %s", f->path, err_name(rc)) : 0;
}

static bool is_replaced(const struct file_lock *f, int fd)
{
	struct stat here, there;

	return !fstat(fd, &here) && (stat(f->path, &there) || here.st_ino != there.st_ino || here.st_dev != there.st_dev);
}

static int file_hold(void *lock, int64_t deadline_us, struct err *err)
{
	struct file_lock *f = lock;
	int fd = open(f->path, O_RDWR | O_CREAT | O_CLOEXEC, 0644), rc;

	if (fd < 0)
		return err_set(err, -errno, "%s: %s", f->path, err_name(errno));
	rc = kernel_lock(f, fd, deadline_us, err);
	if (rc == -ETIMEDOUT && stands_still(f, fd))
		rc = file_replace(f, err);
	else if (!rc && !is_replaced(f, fd))
		rc = locked(f, fd, err);
	close(fd);
	return rc;
}

static void file_release(void *lock)
{
	struct file_lock *f = lock;
	int fd = f->ours ? open(f->path, O_RDWR | O_CLOEXEC) : -1;
	char line[LINE_MAX_] = "";

	if (fd < 0)
		return;
	if (!kernel_lock(f, fd, clock_us(CLOCK_MONOTONIC) + SEC_US, NULL) && pread(fd, line, sizeof(line) - 1, 0) > 0 &&
	    !strncmp(line, f->id, strlen(f->id)))
		line_write(fd, "");
	close(fd);
}

static void file_close(void *lock)
{
	struct file_lock *f = lock;

	free(f->path);
	free(f->id);
	free(f);
}

const struct lock_type lock_file = { file_open, file_hold, file_release, file_close };
