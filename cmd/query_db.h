/* query_db.h - shared by query_db.c (opening, what there is) and query_db_rows.c (rows) */
#ifndef CMD_QUERY_DB_H
#define CMD_QUERY_DB_H

#include "cmd/query.h"
#include "store/sql.h"

struct query_src {
	char *path;
	sqlite3 *db;
	bool immutable;
};

/* One more connection. */
int query_db_connect(struct query_src *s, sqlite3 **ret, struct err *err);
/* One number of a table: "min(time)", say. */
int query_db_number(struct query_src *s, const char *what, const char *schema, int64_t *ret, struct err *err);
int query_db_range(struct query_src *s, const char *schema, int64_t *ret_first, int64_t *ret_last, struct err *err);
int query_db_rows(struct query_src *s, const struct query_ask *ask, query_row_fn fn, void *arg, struct err *err);
int query_db_rows_many(struct query_src *s, const struct query_ask *ask, query_row_fn fn, void **args, size_t n,
		       struct err *err);

#endif
