/* append.c - see append.h */
#include "store/append.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/xalloc.h"
#include "store/dirs.h"

void append_init(struct append *a)
{
	*a = (struct append){ .fd = -1 };
}

int append_open(struct append *a, const char *path, bool excl, mode_t mode, struct err *err)
{
	/* a pipe that nobody reads keeps no thread waiting */
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | (excl ? O_EXCL : 0), mode), rc;
	struct stat st;

	if (fd < 0 && errno == EEXIST && excl)
		return -EEXIST;
	if (fd < 0)
		return file_failed(path, -errno, "be opened", err);
	/* two that write at places of their own would write over each other */
	if (!excl && flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK) {
		close(fd);
		return err_set(err, -EBUSY, "file %s: another store writes to it; give each a file of its own", path);
	}
	if (fstat(fd, &st)) {
		rc = file_failed(path, -errno, "be looked at", err);
		close(fd);
		return rc;
	}
	a->fd = fd;
	a->pipe = lseek(fd, 0, SEEK_CUR) < 0 && errno == ESPIPE;
	a->size = a->end = S_ISREG(st.st_mode) ? st.st_size : 0;
	a->path = xstrdup(path);
	return 0;
}

static ssize_t write_at(struct append *a, const uint8_t *p, size_t len, off_t at)
{
	return a->pipe ? file_write(a->fd, p, len) : pwrite(a->fd, p, len, at);
}

/* A part of what was not written wholly stands behind the file's end, unless it was written over since. */
static void part_cut(struct append *a)
{
	if (a->end > a->size && !ftruncate(a->fd, a->size))
		a->end = a->size;
	/* else it stays there: nothing that we could do better */
}

int append_flush(struct append *a, struct err *err)
{
	size_t done = 0;
	ssize_t n;

	while (done < a->buf.len) {
		n = write_at(a, a->buf.p + done, a->buf.len - done, a->size + (off_t)done);
		if (n > 0) {
			done += (size_t)n;
		} else if (n == 0 || errno != EINTR) {
			int rc = file_failed(a->path, n < 0 ? -errno : -ENOSPC, "be written", err);

			if (a->pipe) /* who reads it has that much */
				buf_consume(&a->buf, done);
			return rc;
		}
		if (a->end < a->size + (off_t)done)
			a->end = a->size + (off_t)done;
	}
	a->size += (off_t)done;
	part_cut(a);
	buf_reset(&a->buf);
	return 0;
}

int append_added(struct append *a, size_t before, size_t flush_bytes, struct err *err)
{
	size_t len = a->buf.len;
	int rc = len >= flush_bytes ? append_flush(a, err) : 0;

	if (rc && len - a->buf.len > before) /* some of it is in a pipe */
		return 0;
	if (rc)
		a->buf.len -= len - before;
	return rc;
}

void append_close(struct append *a)
{
	if (a->fd >= 0) {
		part_cut(a);
		close(a->fd);
	}
	buf_fini(&a->buf);
	free(a->path);
	append_init(a);
}
