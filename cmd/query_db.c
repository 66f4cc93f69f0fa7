/* query_db.c - a database of store sqlite, which may be written at the same time: opening it, what there is in it
 *
 * Names in statements are those that the database itself has, quoted; what the user gives is bound.
 */
#include "cmd/query.h"

#ifdef HAVE_SQLITE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/query_db.h"
#include "core/base/str.h"
#include "core/base/xalloc.h"

#define BUSY_MS 5000

/* -- opening ------------------------------------------------------------------------------------------------------- */

int query_db_connect(struct query_src *s, sqlite3 **ret, struct err *err)
{
	char *uri = sqlite3_mprintf("file:%s?mode=ro%s", s->path, s->immutable ? "&immutable=1" : "");
	int code = sqlite3_open_v2(s->immutable ? uri : s->path, ret,
				   SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | (s->immutable ? SQLITE_OPEN_URI : 0),
				   NULL);
	int rc = 0;

	sqlite3_free(uri);
	if (code == SQLITE_OK) {
		sqlite3_busy_timeout(*ret, BUSY_MS);
		code = sqlite3_exec(*ret,
				    "PRAGMA mmap_size=2147418112; PRAGMA temp_store=MEMORY; PRAGMA trusted_schema=OFF;"
				    "SELECT 1 FROM sqlite_schema",
				    NULL, NULL, NULL);
	}
	if (code != SQLITE_OK) {
		rc = sql_error(*ret, s->path, code, err);
		sqlite3_close(*ret);
		*ret = NULL;
	}
	return rc;
}

static void db_close(struct query_src *s)
{
	sqlite3_close(s->db);
	free(s->path);
	free(s);
}

static int db_open(const char *path, struct query_src **ret, struct err *err)
{
	struct query_src *s = xcalloc(1, sizeof(*s));
	char *wal = xasprintf("%s-wal", path);
	int rc;

	s->path = xstrdup(path);
	if (access(path, R_OK))
		rc = err_set(err, -errno, "database %s: %s; name the file that the daemon writes", path,
			     err_name(errno));
	else
		rc = query_db_connect(s, &s->db, err);
	/* somebody else's, in a folder we may not write, and nobody has it open: it does not change under us */
	if (rc && access(wal, F_OK) && !strpbrk(path, "?#%") && access(path, R_OK) == 0 && access(path, W_OK)) {
		s->immutable = true;
		rc = query_db_connect(s, &s->db, err);
	}
	free(wal);
	if (rc)
		db_close(s);
	else
		*ret = s;
	return rc;
}

/* -- what there is ------------------------------------------------------------------------------------------------- */

static int db_schemas(struct query_src *s, struct query_cols *ret, struct err *err)
{
	sqlite3_stmt *st;
	int rc = sql_prepare(s->db, s->path,
			     "SELECT name FROM sqlite_schema t WHERE type='table'"
			     " AND 2=(SELECT count(*) FROM pragma_table_info(t.name) WHERE name IN ('time','producer'))"
			     " ORDER BY name",
			     &st, err),
	    code;

	if (rc)
		return rc;
	while ((code = sqlite3_step(st)) == SQLITE_ROW)
		query_cols_add(ret, (const char *)sqlite3_column_text(st, 0), "", false);
	sqlite3_finalize(st);
	return code == SQLITE_DONE ? 0 : sql_error(s->db, s->path, code, err);
}

static int schema_unknown(struct query_src *s, const char *schema, struct err *err)
{
	struct query_cols names = { 0 };
	const char **words, *near;
	int rc = db_schemas(s, &names, err);

	if (!rc) {
		words = xcalloc(names.n + 1, sizeof(*words));
		for (size_t i = 0; i < names.n; i++)
			words[i] = names.v[i].name;
		near = nearest(schema, words);
		rc = err_set(err, -ENOENT, "database %s: no schema '%s'%s%s%s", s->path, schema,
			     near ? "; did you mean '" : "; `ldms query FILE` lists what there is", near ? near : "",
			     near ? "'?" : "");
		free(words);
	}
	query_cols_fini(&names);
	return rc;
}

static int db_columns(struct query_src *s, const char *schema, struct query_cols *ret, struct err *err)
{
	static const char with_types[] = "SELECT i.name, i.type, (SELECT c.type FROM " SQL_COLUMNS
					 " c WHERE c.\"table\"=?1 AND c.\"column\"=i.name) FROM pragma_table_info(?1) i"
					 " WHERE i.name NOT IN ('time','producer')",
			  without[] = "SELECT name, type, lower(type) FROM pragma_table_info(?1)"
				      " WHERE name NOT IN ('time','producer')";
	bool known = sqlite3_table_column_metadata(s->db, NULL, SQL_COLUMNS, NULL, NULL, NULL, NULL, NULL, NULL) ==
		     SQLITE_OK;
	sqlite3_stmt *st;
	int rc = sql_prepare(s->db, s->path, known ? with_types : without, &st, err), code;

	if (rc)
		return rc;
	sqlite3_bind_text(st, 1, schema, -1, SQLITE_STATIC);
	while ((code = sqlite3_step(st)) == SQLITE_ROW) {
		const char *type = (const char *)sqlite3_column_text(st, 2);

		query_cols_add(ret, (const char *)sqlite3_column_text(st, 0), type ? type : "",
			       strcmp((const char *)sqlite3_column_text(st, 1), "TEXT") != 0);
	}
	sqlite3_finalize(st);
	if (code != SQLITE_DONE)
		return sql_error(s->db, s->path, code, err);
	return ret->n ? 0 : schema_unknown(s, schema, err);
}

int query_db_number(struct query_src *s, const char *what, const char *schema, int64_t *ret, struct err *err)
{
	struct buf sql = { 0 };
	sqlite3_stmt *st = NULL;
	int rc, code = SQLITE_ROW;

	buf_addf(&sql, "SELECT %s FROM ", what);
	sql_name_add(&sql, schema);
	rc = sql_prepare(s->db, s->path, buf_str(&sql), &st, err);
	if (!rc)
		code = sqlite3_step(st);
	if (!rc && code != SQLITE_ROW)
		rc = sql_error(s->db, s->path, code, err);
	if (!rc)
		*ret = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	buf_fini(&sql);
	return rc;
}

int query_db_range(struct query_src *s, const char *schema, int64_t *ret_first, int64_t *ret_last, struct err *err)
{
	int rc = query_db_number(s, "min(time)", schema, ret_first, err);

	return rc ? rc : query_db_number(s, "max(time)", schema, ret_last, err);
}

const struct query_src_type query_db = {
	.open = db_open,
	.close = db_close,
	.schemas = db_schemas,
	.columns = db_columns,
	.range = query_db_range,
	.rows = query_db_rows,
	.rows_many = query_db_rows_many,
};
#else
#include <errno.h>

static int db_open(const char *path, struct query_src **ret, struct err *err)
{
	return err_set(err, -ENOSYS,
		       "database %s: this ldms was built without libsqlite3; install it and run make again", path);
}

const struct query_src_type query_db = { .open = db_open };
#endif
