/* flatfile.c - a file for each metric, PATH/CONTAINER/SCHEMA/METRIC, as ldmsd's store_flatfile writes them:
 *
 *	1795187393.001651 node-1 1 0.54000000000000004
 *
 * time, producer, component_id (0 without one), value.  A metric's name ends at its first '#'.  Arrays have no file: a
 * line has one value.
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
#include "store/digits.h"
#include "store/dirs.h"
#include "store/lines.h"

#define FLUSH_BYTES (16u << 10) /* for each metric's file */
#define FILES_MAX   4096        /* of one schema: each takes a descriptor */
#define FILE_PERM   0600
#define DIR_PERM    0750

/* The files of one shape of rows. */
struct flat_shape {
	struct flat_shape *next;
	struct row_schema *schema;
	struct lines *files; /* by column */
	int component;       /* column, -1: none */
	size_t pending;      /* bytes in all buffers */
};

struct flat {
	const char *path;
};

struct store_sink {
	char *dir;
	struct undo *undo;
	struct flat_shape *shapes; /* the one of the last row first */
};

static const struct store_attr flat_attrs[] = {
	{ "path", NULL, "the folder below which files are written: PATH/CONTAINER/SCHEMA/METRIC; required", "folder" },
	{ 0 },
};

static int flat_config(struct store *st, struct err *err)
{
	struct flat *flat = store_state(st);

	flat->path = store_attr(st, "path");
	if (!flat->path)
		return err_set(err, -EINVAL, "store %s: path is required: the folder below which files are written",
			       store_name(st));
	return 0;
}

static void flat_fini(struct store *st)
{
}

/* -- files --------------------------------------------------------------------------------------------------------- */

static bool has_file(const struct row_col *col)
{
	return col->type == V_CHAR_ARRAY || !value_is_array(col->type);
}

static void shape_free(struct flat_shape *sh)
{
	struct err err = { "" };

	for (uint32_t c = 0; c < sh->schema->n_cols; c++) {
		struct lines *l = &sh->files[c];

		if (l->fd >= 0 && (l->failing || lines_flush(l, &err)))
			log_error("store",
				  "file %s: closed with rows=%" PRIu64
				  " that could not be written; without a spool they are lost",
				  l->path, l->rows);
		if (l->fd >= 0)
			close(l->fd);
		buf_fini(&l->buf);
		free(l->path);
	}
	row_schema_put(sh->schema);
	free(sh->files);
	free(sh);
}

static int file_open(struct lines *l, const char *dir, const char *metric, struct err *err)
{
	char *name = file_fit_name(metric), last = '\n';
	struct stat st;
	int rc = 0;

	name[strcspn(name, "#")] = '\0';
	l->path = xasprintf("%s/%s", dir, *name ? name : "_");
	free(name);
	l->fd = open(l->path, file_flags(l->path, O_RDWR) | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, FILE_PERM);
	if (l->fd < 0 || fstat(l->fd, &st))
		rc = file_failed(l->path, -errno, "be opened", err);
	else if (S_ISREG(st.st_mode) && st.st_size)
		l->torn = pread(l->fd, &last, 1, st.st_size - 1) == 1 && last != '\n';
	return rc;
}

static int shape_new(struct store_sink *sk, const struct row_schema *rs, struct err *err)
{
	char *name = file_fit_name(rs->name), *dir = xasprintf("%s/%s", sk->dir, name);
	struct flat_shape *sh = xcalloc(1, sizeof(*sh));
	int rc = rs->n_cols > FILES_MAX
			 ? err_set(err, -EINVAL,
				   "schema %s: has %u metrics, and at most %d files are made; choose some "
				   "with strgp_metric_add, or use store csv",
				   rs->name, rs->n_cols, FILES_MAX)
			 : dirs_make(dir, DIR_PERM, (uid_t)-1, (gid_t)-1, err);

	sh->schema = row_schema_get(rs);
	sh->files = xcalloc(rs->n_cols, sizeof(*sh->files));
	sh->component = -1;
	for (uint32_t c = 0; c < rs->n_cols; c++) {
		sh->files[c].fd = -1;
		sh->files[c].undo = sk->undo;
	}
	for (uint32_t c = 0; !rc && c < rs->n_cols; c++) {
		if (!strcmp(rs->cols[c].name, "component_id"))
			sh->component = (int)c;
		if (has_file(&rs->cols[c]))
			rc = file_open(&sh->files[c], dir, rs->cols[c].name, err);
		else
			log_info("store", "schema %s: metric %s is an array: no file is made of it", rs->name,
				 rs->cols[c].name);
	}
	if (rc) {
		shape_free(sh);
	} else {
		sh->next = sk->shapes;
		sk->shapes = sh;
	}
	free(dir);
	free(name);
	return rc;
}

static int shape_get(struct store_sink *sk, const struct row_schema *rs, struct err *err)
{
	for (struct flat_shape **link = &sk->shapes, *sh; (sh = *link); link = &sh->next) {
		if (!row_schema_same(sh->schema, rs))
			continue;
		*link = sh->next;
		sh->next = sk->shapes;
		sk->shapes = sh;
		return 0;
	}
	return shape_new(sk, rs, err);
}

/* -- rows ---------------------------------------------------------------------------------------------------------- */

static void line_add(struct buf *b, const struct row *row, uint64_t component, struct value v)
{
	size_t producer = strnlen(row->producer, CSV_PRODUCER_SZ);
	char *line = buf_reserve(b, 4 * DIGITS_MAX + CSV_PRODUCER_SZ + (v.type == V_CHAR_ARRAY ? v.count : 0)),
	     *p = line;

	p = put_u64(p, row->ts_sec);
	*p++ = '.';
	p = put_six(p, row->ts_usec % 1000000);
	*p++ = ' ';
	p = csv_put_text(p, row->producer, producer);
	*p++ = ' ';
	p = put_u64(p, component);
	*p++ = ' ';
	p = csv_put_value(p, v);
	*p++ = '\n';
	b->len += (size_t)(p - line);
}

/* All files of the shape; the rows are in all of them, or they are waiting. */
static int shape_flush(struct flat_shape *sh, struct err *err)
{
	int rc = 0;

	for (uint32_t c = 0; c < sh->schema->n_cols; c++) {
		int rc_c = sh->files[c].fd >= 0 ? lines_flush(&sh->files[c], rc ? NULL : err) : 0;

		rc = rc ? rc : rc_c;
	}
	if (!rc)
		sh->pending = 0;
	return rc;
}

/* A row is taken by all files or by none: what is full is written first. */
static int flat_row(struct store_sink *sk, const struct row *row, struct err *err)
{
	int rc = shape_get(sk, row->schema, err);
	struct flat_shape *sh = sk->shapes;
	uint64_t component;

	if (rc)
		return rc;
	if (sh->pending >= (size_t)FLUSH_BYTES * row->schema->n_cols)
		rc = shape_flush(sh, err);
	if (rc)
		return rc;
	component = sh->component >= 0 ? value_u64(row->v[sh->component], 0) : 0;
	for (uint32_t c = 0; c < row->schema->n_cols; c++) {
		struct lines *l = &sh->files[c];
		size_t before = l->buf.len;

		if (l->fd < 0 || row->v[c].type == V_NONE)
			continue;
		line_add(&l->buf, row, component, row->v[c]);
		l->rows++;
		sh->pending += l->buf.len - before;
	}
	return 0;
}

static int flat_flush(struct store_sink *sk, struct err *err)
{
	int rc = 0;

	for (struct flat_shape *sh = sk->shapes; sh; sh = sh->next) {
		int rc_s = shape_flush(sh, rc ? NULL : err);

		rc = rc ? rc : rc_s;
	}
	return rc;
}

static int flat_open(struct store *st, const char *container, struct store_sink **ret, struct err *err)
{
	const struct flat *flat = store_state(st);
	struct store_sink *sk = xcalloc(1, sizeof(*sk));

	sk->dir = xasprintf("%s/%s", flat->path, container);
	*ret = sk;
	return 0;
}

static void flat_undo(struct store_sink *sk, struct undo *undo)
{
	sk->undo = undo;
}

static void flat_close(struct store_sink *sk)
{
	while (sk->shapes) {
		struct flat_shape *sh = sk->shapes;

		sk->shapes = sh->next;
		shape_free(sh);
	}
	free(sk->dir);
	free(sk);
}

static const struct store_to flatfile_to[] = {
	{ .word = "flatfile",
	  .form = "DIR",
	  .attr = "path",
	  .help = "a text file for each metric: DIR/CONTAINER/SCHEMA/METRIC" },
	{ 0 },
};

static const struct store_about flatfile_about = {
	.example = "load name=flat plugin=flatfile\n"
		   "config name=flat path=/var/lib/ldms/flat\n"
		   "strgp_add name=flat plugin=flat container=data schema=loadavg\n"
		   "strgp_start name=flat\n",
	.flush = "lines are written when the policy is flushed, or at 16 kB of a file; they are then in files, which "
		 "the kernel brings to the disk in its time",
	.once = "with a spool, rows that were written, and come again after a kill, are cut off the files first, so "
		"that each is there once",
};

const struct store_type store_flatfile = {
	.name = "flatfile",
	.brief = "a text file for each metric: PATH/CONTAINER/SCHEMA/METRIC",
	.about = &flatfile_about,
	.to = flatfile_to,
	.attrs = flat_attrs,
	.dir_attr = "path",
	.again_bytes = 64 << 10,
	.state_size = sizeof(struct flat),
	.config = flat_config,
	.open = flat_open,
	.undo = flat_undo,
	.row = flat_row,
	.flush = flat_flush,
	.close = flat_close,
	.fini = flat_fini,
};
