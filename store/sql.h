/* sql.h - what those who write and those who read an embedded database share: names in statements, failures in words.
 *
 * Names come from peers.  They stand in statements as quoted identifiers only, by sql_name_add(); values are bound.
 */
#ifndef STORE_SQL_H
#define STORE_SQL_H

#include <sqlite3.h>
#include <stdbool.h>

#include "core/base/buf.h"
#include "core/base/err.h"

#define SQL_COLUMNS "ldms_columns" /* our table of tables: which column holds which metric, of what type */

/* "name" with its quotes, those inside doubled: whatever the bytes are, one identifier. */
void sql_name_add(struct buf *b, const char *name);
/* Run a statement without result. */
int sql_run(sqlite3 *db, const char *path, const char *sql, struct err *err);
int sql_prepare(sqlite3 *db, const char *path, const char *sql, sqlite3_stmt **ret, struct err *err);
/* The words for what just failed, with what to do; the negative errno. */
int sql_error(sqlite3 *db, const char *path, int code, struct err *err);
/* Is it no use to go on with this connection? */
bool sql_is_broken(int code);

#endif
