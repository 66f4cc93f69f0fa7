/* csv.h - the parts of store csv: how it is set up, its lines, its files, when they roll over and what becomes of them. */
#ifndef STORE_CSV_H
#define STORE_CSV_H

#include <stdbool.h>
#include <sys/types.h>

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/kv.h"
#include "store/keep.h"
#include "store/lines.h"
#include "store/roll.h"
#include "store/row.h"
#include "store/store.h"

struct csv_conf {
	const char *array_sep, *array_lquote, *array_rquote; /* borrowed from attributes, as all text here */
	bool altheader, userdata, ietf, expand_array;
	unsigned int typeheader, time_format;
	size_t flush_bytes;  /* lines are written when there are so many bytes of them */
	uint64_t flush_rows; /* ... or rows */
	uid_t uid;
	gid_t gid; /* of what we create; (uid_t)-1, (gid_t)-1: the daemon's */
	mode_t file_perm, dir_perm;
	struct roll roll;
	const char *rename; /* what a closed file is called; NULL: as before */
	uid_t rename_uid;
	gid_t rename_gid;
	mode_t rename_perm; /* 0: as it was made */
};

/* -- csv_conf.c: attributes ---------------------------------------------------------------------------------------- */

/* Where to look for an attribute, the first that has it. */
struct csv_attrs {
	const struct kv *over; /* for one file; may be NULL */
	const struct store *st;
	const struct kv *file; /* of opt_file */
};

extern const struct store_attr csv_attrs[];

const char *csv_attr(const struct csv_attrs *a, const char *name);
int csv_conf_read(struct csv_conf *ret, const struct csv_attrs *a, struct err *err);
/* The lines of an opt_file: fn() for each that is not empty; stops at the first that it refuses. */
int csv_opt_lines(const char *text, int (*fn)(const struct kv *line, void *arg, struct err *err), void *arg,
		  struct err *err);
int csv_opt_file(const char *path, int (*fn)(const struct kv *line, void *arg, struct err *err), void *arg,
		 struct err *err);

/* -- csv_line.c, csv_head.c: text ---------------------------------------------------------------------------------- */

#define CSV_PRODUCER_SZ 64 /* with a comma */

/* Does an array have a field for each element?  Does each value have its user data in front? (In
 * a decomposition: not times, producer and instance, and it is 0.) */
static inline bool csv_expands(const struct csv_conf *conf, const struct row_schema *rs)
{
	return conf->expand_array || rs->decomposed;
}

static inline bool csv_userdata(const struct csv_conf *conf, const struct row_schema *rs, const struct row_col *col)
{
	return conf->userdata && (!rs->decomposed || (col->type != V_TIMESTAMP && col->what == ROW_METRIC));
}

/* What is known of a schema's rows beforehand. */
struct csv_plan {
	size_t room;     /* bytes of a row at most, without its texts; those take twice their lengths */
	uint32_t *texts; /* columns */
	uint32_t n_texts;
	uint32_t *u64_run; /* by column: how many columns of u64, with nothing but commas between, begin there */
};

/* Lines of a schema, with their newline. */
void csv_header_add(struct buf *b, const struct csv_conf *conf, const struct row_schema *rs);
void csv_kinds_add(struct buf *b, const struct csv_conf *conf, const struct row_schema *rs);
/* -EINVAL when a line would be larger than we want to hold in memory: ask before making the header. */
int csv_plan_init(struct csv_plan *plan, const struct csv_conf *conf, const struct row_schema *rs, struct err *err);
void csv_plan_fini(struct csv_plan *plan);
/* A row's line. */
void csv_row_add(struct buf *b, const struct csv_conf *conf, const struct csv_plan *plan, const struct row *row);

/* At p, where there is room: a text on one line, and a value that is no array (text: as long as it is; else
 * DIGITS_MAX). */
char *csv_put_text(char *p, const char *text, size_t len);
char *csv_put_value(char *p, struct value v);

/* -- csv_rename.c: what a closed file is called -------------------------------------------------------------------- */

/* A file of ours, on disk. */
struct csv_named {
	const char *path, *container, *schema;
	const char *kind; /* "DATA", "HEADER", "KIND" */
};

/* The new name, from the template; NULL with words when it cannot be made. */
char *csv_rename_path(const char *template, const struct csv_named *n, struct err *err);
/* Give a closed file the mode, owner and name that the configuration says; returns its name then: the old one where
 * that failed (which is said), or where there is no template.  Never in place of another file.  Noted in `undo`, which
 * may be NULL. */
char *csv_rename(const struct csv_conf *conf, const struct csv_named *n, struct undo *undo);

/* -- csv_name.c: names of ours, which tell rows apart -------------------------------------------------------------- */

struct csv_name; /* a name_template; NULL: PATH/CONTAINER/SCHEMA */

/* -EINVAL with words when it is none. */
int csv_name_new(const char *template, struct csv_name **ret, struct err *err);
void csv_name_free(struct csv_name *n);
bool csv_name_has_user(const struct csv_name *n);
/* The file for that row, below PATH: borrowed until the next call.  *ret_uid: whose it is, (uid_t)-1 where users are
 * not told apart, or that one is not known here. */
const char *csv_name_of(struct csv_name *n, const char *container, const struct row *row, uid_t *ret_uid);

/* -- csv_list.c: which files are ours ------------------------------------------------------------------------------ */

/* Files that an instance has written below a folder, noted in a file there, PATH/.INSTANCE.files: so that those which a
 * killed daemon left are closed as they should be, and only our own are ever deleted.  Its functions may be called on
 * any thread; what goes wrong with noting is logged and harms no row. */
struct csv_list;

/* -EBUSY: another daemon has it. */
int csv_list_open(const char *dir, const char *instance, struct csv_list **ret, struct err *err);
void csv_list_close(struct csv_list *l); /* NULL is fine, here and for all below */
/* We have opened that file, under that name. */
void csv_list_begin(struct csv_list *l, const struct csv_named *n);
/* We have closed the file that is now called so. */
void csv_list_end(struct csv_list *l, const char *path);
/* fn() for each file that was left open by a process before; it is then closed, under the name that fn() returns. */
void csv_list_left(struct csv_list *l, char *(*fn)(const struct csv_named *n, void *arg), void *arg);
/* Delete closed files, oldest first, until no more than `keep` are there.  Returns how many. */
unsigned int csv_list_prune(struct csv_list *l, const struct keep *keep, int64_t now_us);

/* -- csv_text.c ---------------------------------------------------------------------------------------------------- */

/* Is that all that the file holds? */
bool csv_text_is(const char *path, const struct buf *text);
/* Is what a data file of `size` bytes holds ours to go on with?  Its last header says so, or when it has none, the one
 * beside it. */
bool csv_text_is_ours(int fd, off_t size, const char *path, const struct buf *header);

/* -- csv_file.c: one data file ------------------------------------------------------------------------------------- */

struct csv_file_conf {
	const struct csv_conf *conf;
	struct csv_list *list; /* where files are noted; NULL: they are not */
	const char *container, *dir, *name;
	const char *key; /* may be NULL */
	const struct row_schema *schema;
	struct undo *undo; /* where writes are noted; NULL: they are not */
	uid_t uid;         /* whose the file is, when that is not what conf says; (uid_t)-1 */
};

struct csv_file {
	struct csv_file *next;
	char *key;          /* what csv_name_of() said; NULL without */
	uint64_t rows_seen; /* of rows_all, when it was looked at last */
	unsigned int idle;  /* how often nothing had come since */
	const struct csv_conf *conf;
	struct csv_list *list;
	char *container, *dir, *name, *schema_name; /* made fit for a file's name */
	int64_t epoch;                              /* in its name, when it rolls over */
	uid_t uid;
	struct row_schema *schema; /* of its rows */
	struct csv_plan plan;
	struct buf head;              /* the header, until it is in the file */
	uint64_t rows_all, bytes_all; /* taken since it was opened */
	int64_t opened_s, roll_at;    /* wall clock; INT64_MAX: never */
	struct lines out;             /* its path is NULL when no file is open */
	bool roll_failing;            /* ... the last roll; said */
};

/* Open or create dir/name for rows of that schema.  -EEXIST (without words) when it holds rows of another shape. */
int csv_file_open(const struct csv_file_conf *fc, struct csv_file **ret, struct err *err);
/* What could not be written is lost, and said. */
void csv_file_close(struct csv_file *f);
/* Take a row, whole or not at all. */
int csv_file_row(struct csv_file *f, const struct row *row, struct err *err);
/* Write what is taken; what cannot be written stays taken. */
int csv_file_flush(struct csv_file *f, struct err *err);
/* Write, close and rename what is there; the next row begins a new file.  An error: all is as it was. */
int csv_file_roll(struct csv_file *f, struct err *err);

#endif
