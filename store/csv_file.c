/* csv_file.c - one data file: opening, appending, and what happens when the disk is full.
 *
 * Rows are gathered in memory as whole lines and appended by one write() for many.  The file holds whole lines at any
 * time: when a write comes short, the part of a line at its end is cut off again, and the rest waits in memory for the
 * next try.  Where cutting off fails (or the daemon was killed between), the next write begins on a new line.
 *
 * A file that is there is appended to when the last header in it is ours, and then gets no second one; a file with
 * another header holds rows of another shape and is left alone.  With `altheader` the header stands in NAME.HEADER.
 *
 * Files that roll over are NAME.SECONDS, always new ones, and begin with their first row.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "store/csv.h"
#include "store/dirs.h"

#define EPOCHS 1000 /* seconds ahead that a file's name may be, where there are files with those before */

/* -- files beside the data ----------------------------------------------------------------------------------------- */

static int file_error(const char *path, int rc, const char *what, struct err *err)
{
	return err_set(err, rc, "file %s: cannot %s: %s; %s", path, what, err_name(rc), file_remedy(rc));
}

/* Ours to write, new or not; *ret_new says which. */
static int file_create(const struct csv_file *f, const char *path, int flags, bool *ret_new, struct err *err)
{
	const struct csv_conf *conf = f->conf;
	uid_t uid = f->uid == (uid_t)-1 ? conf->uid : f->uid;
	int fd = open(path, flags | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, conf->file_perm), rc;

	*ret_new = fd >= 0;
	if (fd < 0 && errno == EEXIST && !(flags & O_EXCL))
		fd = open(path, flags | O_CREAT | O_CLOEXEC | O_NOCTTY, conf->file_perm);
	if (fd < 0 && errno == EEXIST)
		return -EEXIST;
	if (fd < 0)
		return file_error(path, -errno, "be opened", err);
	if (!*ret_new)
		return fd;
	/* open() took the umask off the mode */
	if (!fchmod(fd, conf->file_perm) &&
	    ((uid == (uid_t)-1 && conf->gid == (gid_t)-1) || !fchown(fd, uid, conf->gid)))
		return fd;
	rc = file_error(path, -errno, "have its owner and mode set", err);
	close(fd);
	unlink(path);
	return rc;
}

/* The file beside the data that holds the header or the kinds. */
static char *side_path(const struct csv_file *f, const char *kind)
{
	if (f->conf->roll)
		return xasprintf("%s/%s.%s.%" PRId64, f->dir, f->name, kind, f->epoch);
	return xasprintf("%s/%s.%s", f->dir, f->name, kind);
}

static struct csv_named named(const struct csv_file *f, const char *path, const char *kind)
{
	return (struct csv_named){ path, f->container, f->schema_name, kind };
}

/* Note a file that was opened. */
static void file_note(struct csv_file *f, const char *path, const char *kind)
{
	struct csv_named n = named(f, path, kind);

	csv_list_begin(f->list, &n);
}

/* The one of that kind, with just this text. */
static int side_file_write(struct csv_file *f, const char *kind, const struct buf *text, struct err *err)
{
	char *path = side_path(f, kind);
	bool is_new;
	int rc = 0, fd;

	if (csv_text_is(path, text))
		goto out_note;
	fd = file_create(f, path, O_WRONLY | O_TRUNC, &is_new, err);
	rc = fd < 0 ? fd : 0;
	if (fd < 0)
		goto out;
	errno = ENOSPC; /* a short write tells no reason */
	if (write(fd, text->p, text->len) != (ssize_t)text->len)
		rc = file_error(path, -errno, "be written", err);
	close(fd);
out_note:
	if (!rc)
		file_note(f, path, kind);
out:
	free(path);
	return rc;
}

/* -- opening ------------------------------------------------------------------------------------------------------- */

/* What stands in a file that keeps its name, or its header. */
static int file_begin(struct csv_file *f, const struct buf *header, struct err *err)
{
	struct stat st;
	char last = '\n';
	int rc = 0;

	if (fstat(f->fd, &st))
		return file_error(f->path, -errno, "be looked at", err);
	if (S_ISREG(st.st_mode) && st.st_size) {
		if (!csv_text_is_ours(f->fd, st.st_size, f->path, header))
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

/* Is there a file of the name that this one is going to have? */
static bool renamed_is_there(const struct csv_file *f)
{
	const struct csv_named n = named(f, f->path, "DATA");
	char *to = f->conf->rename ? csv_rename_path(f->conf->rename, &n, NULL) : NULL;
	bool there = to && !access(to, F_OK);

	free(to);
	return there;
}

/* The next name that no file has: two that begin in one second are told apart by a second that has not been yet. */
static int file_new(struct csv_file *f, struct err *err)
{
	bool is_new;

	f->fd = -EEXIST;
	for (int i = 0; f->fd == -EEXIST && i < EPOCHS; i++) {
		f->epoch = f->opened_s + i;
		free(f->path);
		f->path = xasprintf("%s/%s.%" PRId64, f->dir, f->name, f->epoch);
		if (renamed_is_there(f))
			continue;
		f->fd = file_create(f, f->path, O_RDWR | O_APPEND | O_EXCL, &is_new, err);
	}
	if (f->fd == -EEXIST)
		return err_set(err, -EBUSY,
			       "file %s: so are %d before it; make files roll over less often, or move them away",
			       f->path, EPOCHS);
	return f->fd < 0 ? f->fd : 0;
}

/* Open a file where there is none. */
static int file_start(struct csv_file *f, struct err *err)
{
	const struct csv_conf *conf = f->conf;
	struct buf header = { 0 }, kinds = { 0 };
	bool is_new = true;
	int rc;

	csv_header_add(&header, conf, f->schema);
	csv_kinds_add(&kinds, conf, f->schema);
	f->opened_s = wall_us() / 1000000;
	if (conf->roll) {
		rc = file_new(f, err);
	} else {
		f->path = xasprintf("%s/%s", f->dir, f->name);
		/* in a folder of users, names lead nowhere else */
		f->fd = file_create(f, f->path, O_RDWR | O_APPEND | (f->uid == (uid_t)-1 ? 0 : O_NOFOLLOW), &is_new,
				    err);
		rc = f->fd < 0 ? f->fd : file_begin(f, &header, err);
	}
	if (!rc && conf->altheader)
		rc = side_file_write(f, "HEADER", &header, err);
	if (!rc && conf->typeheader)
		rc = side_file_write(f, "KIND", &kinds, err);
	if (!rc) {
		file_note(f, f->path, "DATA");
		if (conf->roll && !conf->altheader)
			buf_add(&f->head, header.p, header.len);
		f->rows_all = f->bytes_all = 0;
		f->roll_at = csv_roll_due(conf, f->opened_s);
	} else {
		if (f->fd >= 0)
			close(f->fd);
		if (f->fd >= 0 && conf->roll)
			unlink(f->path);
		f->fd = -1;
		free(f->path);
		f->path = NULL;
	}
	buf_fini(&header);
	buf_fini(&kinds);
	return rc;
}

char *csv_fit_name(const char *name)
{
	char *fit = xstrdup(name);

	for (char *p = fit; *p; p++)
		if (*p == '/' || (p == fit && *p == '.') || (unsigned char)*p < ' ' || *p == 0x7f)
			*p = '_';
	return fit;
}

int csv_file_open(const struct csv_file_conf *fc, struct csv_file **ret, struct err *err)
{
	struct csv_file *f = xcalloc(1, sizeof(*f));
	int rc;

	f->conf = fc->conf;
	f->list = fc->list;
	f->fd = -1;
	f->uid = fc->uid;
	f->key = xstrdup(fc->key);
	f->container = xstrdup(fc->container);
	f->dir = xstrdup(fc->dir);
	f->name = xstrdup(fc->name);
	f->schema_name = csv_fit_name(fc->schema->name);
	f->schema = row_schema_get(fc->schema);
	rc = csv_plan_init(&f->plan, f->conf, f->schema, err);
	if (!rc)
		rc = file_start(f, err);
	if (rc)
		csv_file_close(f);
	else
		*ret = f;
	return rc;
}

/* -- closing ------------------------------------------------------------------------------------------------------- */

/* A closed file gets its name. */
static void file_rename(struct csv_file *f, const char *path, const char *kind)
{
	struct csv_named n = named(f, path, kind);
	char *now = csv_rename(f->conf, &n);

	csv_list_end(f->list, now);
	free(now);
}

static void side_file_rename(struct csv_file *f, const char *kind)
{
	char *path = side_path(f, kind);

	file_rename(f, path, kind);
	free(path);
}

static void file_end(struct csv_file *f)
{
	if (f->fd < 0)
		return;
	close(f->fd);
	f->fd = -1;
	f->torn = false;
	buf_reset(&f->head);
	file_rename(f, f->path, "DATA");
	if (f->conf->altheader)
		side_file_rename(f, "HEADER");
	if (f->conf->typeheader)
		side_file_rename(f, "KIND");
	free(f->path);
	f->path = NULL;
}

void csv_file_close(struct csv_file *f)
{
	struct err err = { "" };

	/* a failure that was told already is not waited for again */
	if (f->buf.len && (f->failing || csv_file_flush(f, &err)))
		log_error("store", "file %s: closed with rows=%" PRIu64 " that could not be written; they are lost%s%s",
			  f->path, f->rows, *err.msg ? ": " : "", err.msg);
	file_end(f);
	csv_plan_fini(&f->plan);
	row_schema_put(f->schema);
	buf_fini(&f->head);
	buf_fini(&f->buf);
	free(f->key);
	free(f->container);
	free(f->dir);
	free(f->name);
	free(f->schema_name);
	free(f->path);
	free(f);
}

int csv_file_roll(struct csv_file *f, struct err *err)
{
	int rc = csv_file_flush(f, err);

	if (rc)
		return rc;
	file_end(f);
	return f->conf->rollempty ? file_start(f, err) : 0;
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
	if (whole && *f->buf.p == '#') /* the header was no row */
		f->rows++;
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
	size_t before, line;
	int rc = f->fd < 0 ? file_start(f, err) : 0;

	if (rc)
		return rc;
	if (f->head.len) {
		buf_add(&f->buf, f->head.p, f->head.len);
		buf_reset(&f->head);
	}
	before = f->buf.len;
	csv_row_add(&f->buf, f->conf, &f->plan, row);
	f->rows++;
	line = f->buf.len - before;
	if (f->buf.len >= f->conf->flush_bytes || f->rows >= f->conf->flush_rows) {
		rc = csv_file_flush(f, err);
		if (rc) { /* the row's line is still the last in the buffer */
			f->buf.len -= line;
			f->rows--;
			return rc;
		}
	}
	f->rows_all++;
	f->bytes_all += line;
	return 0;
}
