/* sqlite.h - the parts of store sqlite: its connection, its tables, its rows in memory. */
#ifndef STORE_SQLITE_H
#define STORE_SQLITE_H

#include <pthread.h>
#include <sys/stat.h>

#include "store/keep.h"
#include "store/row.h"
#include "store/sql.h"

/* -- sqlite_rows.c: rows in memory --------------------------------------------------------------------------------- */

/* What a column of a table holds. */
enum sqlite_type { SQLITE_T_INTEGER, SQLITE_T_REAL, SQLITE_T_TEXT };
extern const char *const sqlite_type_names[];

enum sqlite_type sqlite_type_of(enum value_type type);
/* A column of a decomposition that says what "time" and "producer" of each table say anyway, under that name. */
bool sqlite_col_is_fixed(const struct row_schema *rs, uint32_t i);
/* A row behind those that `b` holds: a number for whose it is (the shape), the time, the producer, a value a column. */
void sqlite_row_add(struct buf *b, uint64_t shape, const struct row *row);

struct sqlite_row {
	uint64_t shape;
	int64_t time_us;
	const char *producer;
	uint32_t producer_len, n;
	const uint8_t *values;
};
/* The row at *at, and *at behind its head: sqlite_row_bind() goes over its values. */
struct sqlite_row sqlite_row_next(const uint8_t **at);
/* Bind all of it to a statement, from parameter 1 on; *at is behind the row then. */
int sqlite_row_bind(const struct sqlite_row *row, sqlite3_stmt *st, const uint8_t **at);

/* -- sqlite_db.c: one file, one connection, shared by the policies of an instance ---------------------------------- */

struct sqlite_db {
	const char *path; /* borrowed from the instance */
	mode_t perm;
	struct keep keep;
	bool full_sync;
	int64_t busy_us;

	pthread_mutex_t lock; /* for all below */
	sqlite3 *conn;        /* NULL: not open */
	struct stat file;     /* which it is */
	unsigned int opened;  /* number of the connection: statements are of one */
	unsigned int users;
	int64_t keep_at; /* when to look what is too old */
	int64_t keep_us; /* how long deleting may take then, when the last time was too short; 0: the least */
};

/* See that it is open, and that the file is still the one under that name.  Lock held, as for all of these. */
int sqlite_db_open(struct sqlite_db *db, struct err *err);
/* Also ends all its statements: a connection that lives on would keep its log, which a new file must not meet. */
void sqlite_db_close(struct sqlite_db *db);
int sqlite_db_begin(struct sqlite_db *db, struct err *err);
int sqlite_db_commit(struct sqlite_db *db, struct err *err);
/* Undo what was begun, and let go of a connection that is broken. */
void sqlite_db_abort(struct sqlite_db *db);

/* -- sqlite_table.c: the table of a schema ------------------------------------------------------------------------- */

/* Rows of one shape, and the statement that inserts them. */
struct sqlite_shape {
	struct row_schema *schema;
	sqlite3_stmt *insert;
	unsigned int opened; /* the connection that it is of */
};

/* Make the table, or the columns that it lacks, and the statement.  -EINVAL: that cannot be, ever. */
int sqlite_shape_prepare(struct sqlite_db *db, struct sqlite_shape *sh, struct err *err);
void sqlite_shape_fini(struct sqlite_db *db, struct sqlite_shape *sh);

/* -- sqlite_keep.c: what is too old, or too much ------------------------------------------------------------------- */

/* Delete some of it, now and then. */
int sqlite_keep(struct sqlite_db *db, struct err *err);

#endif
