/* csv_file.c - one data file: opening, appending, and what happens when the disk is full.
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

/* Ours to write, new or not; *ret_new says which. */
static int file_create(const struct csv_file *f, const char *path, int flags, bool *ret_new, struct err *err)
{
	const struct csv_conf *conf = f->conf;
	uid_t uid = f->uid == (uid_t)-1 ? conf->uid : f->uid;
	int fd = open(path, flags | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, conf->file_perm), rc;

	*ret_new = fd >= 0;
	if (fd < 0 && errno == EEXIST && !(flags & O_EXCL))
		fd = open(path, file_flags(path, flags) | O_CREAT | O_CLOEXEC | O_NOCTTY, conf->file_perm);
	if (fd < 0 && errno == EEXIST)
		return -EEXIST;
	if (fd < 0)
		return file_failed(path, -errno, "be opened", err);
	if (!*ret_new)
		return fd;
	/* open() took the umask off the mode */
	if (!fchmod(fd, conf->file_perm) &&
	    ((uid == (uid_t)-1 && conf->gid == (gid_t)-1) || !fchown(fd, uid, conf->gid)))
		return fd;
	rc = file_failed(path, -errno, "have its owner and mode set", err);
	close(fd);
	unlink(path);
	return rc;
}

/* The file beside the data that holds the header or the kinds. */
static char *side_path(const struct csv_file *f, const char *kind)
{
	if (f->conf->roll.type)
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
		rc = file_failed(path, -errno, "be written", err);
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

	if (fstat(f->out.fd, &st))
		return file_failed(f->out.path, -errno, "be looked at", err);
	if (S_ISREG(st.st_mode) && st.st_size) {
		if (!csv_text_is_ours(f->out.fd, st.st_size, f->out.path, header))
			return -EEXIST;
		f->out.torn = pread(f->out.fd, &last, 1, st.st_size - 1) == 1 && last != '\n';
		if (f->out.torn)
			log_warning("store",
				    "file %s: its last line is not whole (the daemon or the disk stopped "
				    "there); going on with a new line",
				    f->out.path);
	} else if (!f->conf->altheader) {
		buf_add(&f->out.buf, header->p, header->len);
		rc = csv_file_flush(f, err);
		if (rc && f->out.buf.len < header->len) /* some of it is in a pipe: the rest follows */
			return 0;
		buf_reset(&f->out.buf);
	}
	return rc;
}

/* Is there a file of the name that this one is going to have? */
static bool renamed_is_there(const struct csv_file *f)
{
	const struct csv_named n = named(f, f->out.path, "DATA");
	char *to = f->conf->rename ? csv_rename_path(f->conf->rename, &n, NULL) : NULL;
	bool there = to && !access(to, F_OK);

	free(to);
	return there;
}

/* The next name that no file has: two that begin in one second are told apart by a second that has not been yet. */
static int file_new(struct csv_file *f, struct err *err)
{
	bool is_new;

	f->out.fd = -EEXIST;
	for (int i = 0; f->out.fd == -EEXIST && i < EPOCHS; i++) {
		f->epoch = f->opened_s + i;
		free(f->out.path);
		f->out.path = xasprintf("%s/%s.%" PRId64, f->dir, f->name, f->epoch);
		if (renamed_is_there(f))
			continue;
		f->out.fd = file_create(f, f->out.path, O_RDWR | O_APPEND | O_EXCL, &is_new, err);
	}
	if (f->out.fd == -EEXIST)
		return err_set(err, -EBUSY,
			       "file %s: so are %d before it; make files roll over less often, or move them away",
			       f->out.path, EPOCHS);
	return f->out.fd < 0 ? f->out.fd : 0;
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
	if (conf->roll.type) {
		rc = file_new(f, err);
	} else {
		f->out.path = xasprintf("%s/%s", f->dir, f->name);
		/* in a folder of users, names lead nowhere else */
		f->out.fd = file_create(f, f->out.path, O_RDWR | O_APPEND | (f->uid == (uid_t)-1 ? 0 : O_NOFOLLOW),
					&is_new, err);
		rc = f->out.fd < 0 ? f->out.fd : file_begin(f, &header, err);
	}
	if (!rc && conf->altheader)
		rc = side_file_write(f, "HEADER", &header, err);
	if (!rc && conf->typeheader)
		rc = side_file_write(f, "KIND", &kinds, err);
	if (!rc) {
		file_note(f, f->out.path, "DATA");
		if (conf->roll.type && !conf->altheader)
			buf_add(&f->head, header.p, header.len);
		f->rows_all = f->bytes_all = 0;
		f->roll_at = roll_due(&conf->roll, f->opened_s);
	} else {
		if (f->out.fd >= 0)
			close(f->out.fd);
		if (f->out.fd >= 0 && conf->roll.type)
			unlink(f->out.path);
		f->out.fd = -1;
		free(f->out.path);
		f->out.path = NULL;
	}
	buf_fini(&header);
	buf_fini(&kinds);
	return rc;
}

int csv_file_open(const struct csv_file_conf *fc, struct csv_file **ret, struct err *err)
{
	struct csv_file *f = xcalloc(1, sizeof(*f));
	int rc;

	f->conf = fc->conf;
	f->list = fc->list;
	f->out.fd = -1;
	f->out.undo = fc->undo;
	f->uid = fc->uid;
	f->key = xstrdup(fc->key);
	f->container = xstrdup(fc->container);
	f->dir = xstrdup(fc->dir);
	f->name = xstrdup(fc->name);
	f->schema_name = file_fit_name(fc->schema->name);
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
	char *now = csv_rename(f->conf, &n, f->out.undo);

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
	if (f->out.fd < 0)
		return;
	close(f->out.fd);
	f->out.fd = -1;
	f->out.torn = false;
	buf_reset(&f->head);
	file_rename(f, f->out.path, "DATA");
	if (f->conf->altheader)
		side_file_rename(f, "HEADER");
	if (f->conf->typeheader)
		side_file_rename(f, "KIND");
	free(f->out.path);
	f->out.path = NULL;
}

void csv_file_close(struct csv_file *f)
{
	struct err err = { "" };

	/* a failure that was told already is not waited for again */
	if (f->out.buf.len && (f->out.failing || csv_file_flush(f, &err)))
		log_error("store",
			  "file %s: closed with rows=%" PRIu64
			  " that could not be written; without a spool they are lost%s%s",
			  f->out.path, f->out.rows, *err.msg ? ": " : "", err.msg);
	file_end(f);
	csv_plan_fini(&f->plan);
	row_schema_put(f->schema);
	buf_fini(&f->head);
	buf_fini(&f->out.buf);
	free(f->key);
	free(f->container);
	free(f->dir);
	free(f->name);
	free(f->schema_name);
	free(f->out.path);
	free(f);
}

int csv_file_roll(struct csv_file *f, struct err *err)
{
	int rc = csv_file_flush(f, err);

	if (rc)
		return rc;
	file_end(f);
	return f->conf->roll.empty ? file_start(f, err) : 0;
}

/* -- writing ------------------------------------------------------------------------------------------------------- */

int csv_file_flush(struct csv_file *f, struct err *err)
{
	return lines_flush(&f->out, err);
}

int csv_file_row(struct csv_file *f, const struct row *row, struct err *err)
{
	size_t before, line;
	int rc = f->out.fd < 0 ? file_start(f, err) : 0;

	if (rc)
		return rc;
	if (f->head.len) {
		buf_add(&f->out.buf, f->head.p, f->head.len);
		buf_reset(&f->head);
	}
	before = f->out.buf.len;
	csv_row_add(&f->out.buf, f->conf, &f->plan, row);
	rc = lines_added(&f->out, before, f->conf->flush_bytes, f->conf->flush_rows, &line, err);
	if (rc)
		return rc;
	f->rows_all++;
	f->bytes_all += line;
	return 0;
}
