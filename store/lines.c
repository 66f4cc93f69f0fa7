/* lines.c - see lines.h */
#include "store/lines.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/dirs.h"

/* The file's last `done` bytes are the first ones of buf: let go of the whole lines, and cut the file behind them.  Who
 * reads a pipe has all of them. */
static void cut_back(struct lines *l, size_t done)
{
	const uint8_t *newline = memrchr(l->buf.p, '\n', done);
	off_t end = lseek(l->fd, 0, SEEK_CUR);
	size_t whole = end < 0 ? done : newline ? (size_t)(newline - l->buf.p) + 1 : 0;
	struct stat st;

	for (size_t i = 0; i < whole && l->rows; i++)
		l->rows -= l->buf.p[i] == '\n';
	if (newline && *l->buf.p == '#') /* the header was no row */
		l->rows++;
	/* not what somebody else has appended since */
	undo_short(l->undo, l->buf.p, whole);
	if (whole < done)
		l->torn = fstat(l->fd, &st) || st.st_size != end || ftruncate(l->fd, end - (off_t)(done - whole));
	buf_consume(&l->buf, whole);
}

int lines_flush(struct lines *l, struct err *err)
{
	size_t done = 0;
	ssize_t n = 0;
	int rc;

	if (!l->buf.len)
		return 0;
	if (l->torn) {
		undo_note(l->undo, l->path, l->fd, "\n", 1);
		n = write(l->fd, "\n", 1);
		l->torn = n != 1;
	}
	if (!l->torn)
		undo_note(l->undo, l->path, l->fd, l->buf.p, l->buf.len);
	while (!l->torn && done < l->buf.len) {
		n = file_write(l->fd, l->buf.p + done, l->buf.len - done);
		if (n > 0)
			done += (size_t)n;
		else if (n == 0 || errno != EINTR)
			break;
	}
	if (done == l->buf.len) {
		buf_reset(&l->buf);
		l->rows = 0;
		l->failing = false;
		return 0;
	}
	rc = n < 0 ? -errno : -ENOSPC;
	l->failing = true;
	cut_back(l, done);
	return file_failed(l->path, rc, "be written", err);
}

int lines_added(struct lines *l, size_t before, size_t flush_bytes, uint64_t flush_rows, size_t *ret_len,
		struct err *err)
{
	size_t len = l->buf.len;
	int rc;

	l->rows++;
	*ret_len = len - before;
	if (len < flush_bytes && l->rows < flush_rows)
		return 0;
	rc = lines_flush(l, err);
	if (rc && len - l->buf.len > before) /* some of it is in a pipe */
		return 0;
	if (rc) { /* the line is still the last in the buffer */
		l->buf.len -= *ret_len;
		l->rows--;
	}
	return rc;
}
