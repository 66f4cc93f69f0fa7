/* csv.h - the parts of store csv: how it is set up, its lines, its files. */
#ifndef STORE_CSV_H
#define STORE_CSV_H

#include <stdbool.h>
#include <sys/types.h>

#include "core/base/buf.h"
#include "core/base/err.h"
#include "store/row.h"

struct csv_conf {
	const char *path; /* of the root folder; borrowed from the instance, as all text here */
	const char *array_sep, *array_lquote, *array_rquote;
	bool altheader, userdata, ietf, expand_array;
	unsigned int typeheader, time_format;
	size_t flush_bytes;  /* lines are written when there are so many bytes of them */
	uint64_t flush_rows; /* ... or rows */
	uid_t uid;
	gid_t gid; /* of what we create; (uid_t)-1, (gid_t)-1: the daemon's */
	mode_t file_perm, dir_perm;
};

#define CSV_PRODUCER_SZ 64 /* with a comma */

/* Does an array have a field for each element?  Does each value have its user data in front? */
static inline bool csv_expands(const struct csv_conf *conf, const struct row_schema *rs)
{
	return conf->expand_array || rs->decomposed;
}

static inline bool csv_userdata(const struct csv_conf *conf, const struct row_schema *rs)
{
	return conf->userdata && !rs->decomposed; /* its columns need not be made of one metric */
}

/* -- csv_line.c, csv_head.c: text ---------------------------------------------------------------------------------- */

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

/* -- csv_file.c: one data file ------------------------------------------------------------------------------------- */

struct csv_file {
	struct csv_file *next;
	const struct csv_conf *conf;
	char *name, *path;         /* in its folder; whole */
	struct row_schema *schema; /* of its rows */
	struct csv_plan plan;
	struct buf buf; /* whole lines that are not in the file yet */
	uint64_t rows;  /* in buf */
	int fd;
	bool torn;    /* it ends in a part of a line */
	bool failing; /* the last write failed */
};

/* Open or create dir/name for rows of that schema.  -EEXIST (without words) when it holds rows of another shape. */
int csv_file_open(const struct csv_conf *conf, const char *dir, const char *name, const struct row_schema *rs,
		  struct csv_file **ret, struct err *err);
/* What could not be written is lost, and said. */
void csv_file_close(struct csv_file *f);
/* Take a row, whole or not at all. */
int csv_file_row(struct csv_file *f, const struct row *row, struct err *err);
/* Write what is taken; what cannot be written stays taken. */
int csv_file_flush(struct csv_file *f, struct err *err);

#endif
