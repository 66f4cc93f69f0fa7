/* csv_file.c - one data file: opening, appending, and what happens when the disk is full.
 *
 * Rows are gathered in memory as whole lines and appended by one write() for many.  The file holds whole lines at any
 * time: when a write comes short, the part of a line at its end is cut off again, and the rest waits in memory for the
 * next try.  Where cutting off fails (or the daemon was killed between), the next write begins on a new line.
 *
 * A file that is there is appended to when the last header in it is ours, and then gets no second one; a file with
 * another header holds rows of another shape and is left alone.  With `altheader` the header stands in NAME.HEADER.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "store/csv.h"
#include "store/dirs.h"

#define TAIL_MAX (8u << 20) /* bytes from the end that are searched for a header; ldmsd writes one at each start */
#define CHUNK    65536

/* -- headers of existing files ------------------------------------------------------------------------------------- */

/* Does this line (with its newline) stand in the file at `off`? */
static bool line_is_at(int fd, off_t off, const struct buf *line)
{
	uint8_t chunk[4096];
	size_t done = 0;

	while (done < line->len) {
		size_t want = line->len - done < sizeof(chunk) ? line->len - done : sizeof(chunk);
		ssize_t n = pread(fd, chunk, want, off + (off_t)done);

		if (n <= 0 || memcmp(chunk, line->p + done, (size_t)n))
			return false;
		done += (size_t)n;
	}
	return true;
}

/* The last '#' at the beginning of a line in p[0..n), or -1.  p[0] begins a line when `first`. */
static ssize_t last_header_in(const char *p, size_t n, bool first)
{
	while (n) {
		const char *hash = memrchr(p, '#', n);

		if (!hash)
			break;
		n = (size_t)(hash - p);
		if (n ? hash[-1] == '\n' : first)
			return (ssize_t)n;
	}
	return -1;
}

/* Where the last header of a file of `size` bytes begins: no row begins with '#'.  The file's beginning when there is
 * none in its tail. */
static off_t last_header(int fd, off_t size)
{
	off_t limit = size > TAIL_MAX ? size - TAIL_MAX : 0, end = size;
	char chunk[CHUNK];

	while (end > limit) {
		off_t from = end - limit > CHUNK ? end - CHUNK : limit;
		ssize_t n = pread(fd, chunk, (size_t)(end - from), from), at;

		if (n <= 0)
			return 0;
		at = last_header_in(chunk, (size_t)n, from == 0);
		if (at >= 0)
			return from + at;
		if (from == limit)
			return 0;
		end = from + 1; /* once more the first byte, whose predecessor we have not seen */
	}
	return 0;
}

static bool file_holds(const char *path, const struct buf *text)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	bool same;

	if (fd < 0)
		return false;
	same = !fstat(fd, &st) && st.st_size == (off_t)text->len && line_is_at(fd, 0, text);
	close(fd);
	return same;
}

/* -- files beside the data ----------------------------------------------------------------------------------------- */

static int file_error(const char *path, int rc, const char *what, struct err *err)
{
	return err_set(err, rc, "file %s: cannot %s: %s; %s", path, what, err_name(rc), file_remedy(rc));
}

/* Ours to write, new or not; *ret_new says which. */
static int file_create(const struct csv_conf *conf, const char *path, int flags, bool *ret_new, struct err *err)
{
	int fd = open(path, flags | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, conf->file_perm), rc;

	*ret_new = fd >= 0;
	if (fd < 0 && errno == EEXIST)
		fd = open(path, flags | O_CREAT | O_CLOEXEC | O_NOCTTY, conf->file_perm);
	if (fd < 0)
		return file_error(path, -errno, "be opened", err);
	if (!*ret_new)
		return fd;
	/* open() took the umask off the mode */
	if (!fchmod(fd, conf->file_perm) &&
	    ((conf->uid == (uid_t)-1 && conf->gid == (gid_t)-1) || !fchown(fd, conf->uid, conf->gid)))
		return fd;
	rc = file_error(path, -errno, "have its owner and mode set", err);
	close(fd);
	unlink(path);
	return rc;
}

/* path.SUFFIX with just this text. */
static int side_file_write(const struct csv_file *f, const char *suffix, const struct buf *text, struct err *err)
{
	char *path = xasprintf("%s.%s", f->path, suffix);
	bool is_new;
	int rc = 0, fd;

	if (file_holds(path, text))
		goto out;
	fd = file_create(f->conf, path, O_WRONLY | O_TRUNC, &is_new, err);
	rc = fd < 0 ? fd : 0;
	if (fd < 0)
		goto out;
	errno = ENOSPC; /* a short write tells no reason */
	if (write(fd, text->p, text->len) != (ssize_t)text->len)
		rc = file_error(path, -errno, "be written", err);
	close(fd);
out:
	free(path);
	return rc;
}

/* -- opening ------------------------------------------------------------------------------------------------------- */

/* Is what the file holds ours to go on with?  Its last header says so, or when it has none, the one beside it. */
static bool file_is_ours(struct csv_file *f, off_t size, const struct buf *header)
{
	off_t at = last_header(f->fd, size);
	char *header_path, first;
	bool ours;

	if (pread(f->fd, &first, 1, at) == 1 && first == '#')
		return line_is_at(f->fd, at, header);
	header_path = xasprintf("%s.HEADER", f->path);
	ours = file_holds(header_path, header);
	free(header_path);
	return ours;
}

static int file_begin(struct csv_file *f, const struct buf *header, struct err *err)
{
	struct stat st;
	char last = '\n';
	int rc = 0;

	if (fstat(f->fd, &st))
		return file_error(f->path, -errno, "be looked at", err);
	if (S_ISREG(st.st_mode) && st.st_size) {
		if (!file_is_ours(f, st.st_size, header))
			return -EEXIST;
		f->torn = pread(f->fd, &last, 1, st.st_size - 1) == 1 && last != '\n';
		if (f->torn)
			log_warning("store",
				    "file %s: its last line is not whole (the daemon or the disk stopped "
				    "there); going on with a new line",
				    f->path);
	} else if (!f->conf->altheader) {
		buf_add(&f->buf, header->p, header->len);
		rc = csv_file_flush(f, err);
		buf_reset(&f->buf);
	}
	return rc;
}

int csv_file_open(const struct csv_conf *conf, const char *dir, const char *name, const struct row_schema *rs,
		  struct csv_file **ret, struct err *err)
{
	struct csv_file *f = xcalloc(1, sizeof(*f));
	struct buf header = { 0 }, kinds = { 0 };
	bool is_new;
	int rc;

	f->conf = conf;
	f->fd = -1;
	f->name = xstrdup(name);
	f->path = xasprintf("%s/%s", dir, name);
	f->schema = row_schema_get(rs);
	rc = csv_plan_init(&f->plan, conf, rs, err);
	if (rc)
		goto out;
	csv_header_add(&header, conf, rs);
	csv_kinds_add(&kinds, conf, rs);
	f->fd = file_create(conf, f->path, O_RDWR | O_APPEND, &is_new, err);
	rc = f->fd < 0 ? f->fd : file_begin(f, &header, err);
	if (!rc && conf->altheader)
		rc = side_file_write(f, "HEADER", &header, err);
	if (!rc && conf->typeheader)
		rc = side_file_write(f, "KIND", &kinds, err);
out:
	buf_fini(&header);
	buf_fini(&kinds);
	if (rc)
		csv_file_close(f);
	else
		*ret = f;
	return rc;
}

void csv_file_close(struct csv_file *f)
{
	struct err err = { "" };

	/* a failure that was told already is not waited for again */
	if (f->buf.len && (f->failing || csv_file_flush(f, &err)))
		log_error("store", "file %s: closed with rows=%" PRIu64 " that could not be written; they are lost%s%s",
			  f->path, f->rows, *err.msg ? ": " : "", err.msg);
	if (f->fd >= 0)
		close(f->fd);
	csv_plan_fini(&f->plan);
	row_schema_put(f->schema);
	buf_fini(&f->buf);
	free(f->name);
	free(f->path);
	free(f);
}

/* -- writing ------------------------------------------------------------------------------------------------------- */

/* The file's last `done` bytes are the first ones of buf: let go of the whole lines, and cut the file behind them. */
static void cut_back(struct csv_file *f, size_t done)
{
	const uint8_t *newline = memrchr(f->buf.p, '\n', done);
	size_t whole = newline ? (size_t)(newline - f->buf.p) + 1 : 0;
	off_t end = lseek(f->fd, 0, SEEK_CUR);
	struct stat st;

	for (size_t i = 0; i < whole && f->rows; i++)
		f->rows -= f->buf.p[i] == '\n';
	/* not what somebody else has appended since */
	if (whole < done)
		f->torn = fstat(f->fd, &st) || st.st_size != end || ftruncate(f->fd, end - (off_t)(done - whole));
	buf_consume(&f->buf, whole);
}

int csv_file_flush(struct csv_file *f, struct err *err)
{
	size_t done = 0;
	ssize_t n = 0;
	int rc;

	if (!f->buf.len)
		return 0;
	if (f->torn) {
		n = write(f->fd, "\n", 1);
		f->torn = n != 1;
	}
	while (!f->torn && done < f->buf.len) {
		n = write(f->fd, f->buf.p + done, f->buf.len - done);
		if (n > 0)
			done += (size_t)n;
		else if (n == 0 || errno != EINTR)
			break;
	}
	if (done == f->buf.len) {
		buf_reset(&f->buf);
		f->rows = 0;
		f->failing = false;
		return 0;
	}
	rc = n < 0 ? -errno : -ENOSPC;
	f->failing = true;
	cut_back(f, done);
	return file_error(f->path, rc, "be written", err);
}

int csv_file_row(struct csv_file *f, const struct row *row, struct err *err)
{
	size_t before = f->buf.len, line;
	int rc;

	csv_row_add(&f->buf, f->conf, &f->plan, row);
	f->rows++;
	if (f->buf.len < f->conf->flush_bytes && f->rows < f->conf->flush_rows)
		return 0;
	line = f->buf.len - before;
	rc = csv_file_flush(f, err);
	if (rc) { /* the row's line is still the last in the buffer */
		f->buf.len -= line;
		f->rows--;
	}
	return rc;
}
