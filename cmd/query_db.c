/* query_db.c - rows from a database of store sqlite, which may be written at the same time.
 *
 * Names in statements are those that the database itself has, quoted; what the user gives is bound.
 *
 * One metric of a whole day of a cluster is millions of rows: where nothing narrows the search down, the table is read
 * from end to end, in as many parts as there are threads, which is several times faster than by an index.
 */
#include "cmd/query.h"

#ifdef HAVE_SQLITE
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/str.h"
#include "core/base/xalloc.h"
#include "store/sql.h"

#define BUSY_MS    5000
#define NODES_IN   64 /* of so many an index is asked; rows of more are picked while reading all */
#define PART_SHARE 4  /* of the time: less than 1 / PART_SHARE of it is found by the index */

struct query_src {
	char *path;
	sqlite3 *db;
	bool immutable;
};

/* -- opening ------------------------------------------------------------------------------------------------------- */

static int connect(struct query_src *s, sqlite3 **ret, struct err *err)
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
		rc = connect(s, &s->db, err);
	/* somebody else's, in a folder we may not write, and nobody has it open: it does not change under us */
	if (rc && access(wal, F_OK) && !strpbrk(path, "?#%") && access(path, R_OK) == 0 && access(path, W_OK)) {
		s->immutable = true;
		rc = connect(s, &s->db, err);
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

static int number(struct query_src *s, const char *what, const char *schema, int64_t *ret, struct err *err)
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

static int db_range(struct query_src *s, const char *schema, int64_t *ret_first, int64_t *ret_last, struct err *err)
{
	int rc = number(s, "min(time)", schema, ret_first, err);

	return rc ? rc : number(s, "max(time)", schema, ret_last, err);
}

/* -- rows ---------------------------------------------------------------------------------------------------------- */

/* A part of the table: all that `ask` wants, of these row numbers when `scan`. */
struct part {
	struct query_src *s;
	const struct query_ask *ask;
	bool scan;
	int64_t first, last;
	query_row_fn fn;
	void *arg;
	pthread_t thread;
	bool started;
	int rc;
	struct err err;
};

static bool nodes_in_sql(const struct query_ask *ask)
{
	return ask->nodes.n && ask->nodes.n <= NODES_IN;
}

static void select_write(struct buf *sql, const struct part *p)
{
	const struct query_ask *ask = p->ask;
	const char *plus = p->scan ? "+" : ""; /* keeps the planner from that column's index */

	buf_addf(sql, "SELECT time,producer");
	for (size_t i = 0; i < ask->n_cols; i++) {
		buf_u8(sql, ',');
		sql_name_add(sql, ask->cols[i]);
	}
	buf_addf(sql, " FROM ");
	sql_name_add(sql, ask->schema);
	buf_addf(sql, " WHERE 1");
	if (p->scan)
		buf_addf(sql, " AND rowid BETWEEN %" PRId64 " AND %" PRId64, p->first, p->last);
	if (ask->since_us != INT64_MIN)
		buf_addf(sql, " AND %stime>=%" PRId64, plus, ask->since_us);
	if (ask->until_us != INT64_MAX)
		buf_addf(sql, " AND %stime<%" PRId64, plus, ask->until_us);
	if (ask->has_job)
		buf_addf(sql, " AND %sjob_id=%" PRIu64, plus, ask->job);
	for (size_t i = 0; nodes_in_sql(ask) && i < ask->nodes.n; i++)
		buf_addf(sql, i ? ",?" : " AND %sproducer IN (?", plus);
	if (nodes_in_sql(ask))
		buf_u8(sql, ')');
	if (ask->ordered)
		buf_addf(sql, " ORDER BY time");
}

static void value_read(sqlite3_stmt *st, int i, struct query_value *v)
{
	switch (sqlite3_column_type(st, i)) {
	case SQLITE_INTEGER:
		v->kind = QUERY_INT;
		v->i = sqlite3_column_int64(st, i);
		break;
	case SQLITE_FLOAT:
		v->kind = QUERY_REAL;
		v->d = sqlite3_column_double(st, i);
		break;
	case SQLITE_NULL:
		v->kind = QUERY_NONE;
		break;
	default:
		v->kind = QUERY_TEXT;
		v->text.p = sqlite3_column_blob(st, i); /* the bytes as they are */
		v->text.len = (size_t)sqlite3_column_bytes(st, i);
	}
}

static int cmp_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Is this one of the nodes (sorted)?  Where the statement does not say. */
static bool node_wanted(char *const *sorted, size_t n, const struct query_value *producer)
{
	char *name;
	bool is;

	if (!n)
		return true;
	name = xstrndup(producer->text.p ? producer->text.p : "", producer->text.len);
	is = bsearch(&name, sorted, n, sizeof(*sorted), cmp_names);
	free(name);
	return is;
}

static int part_read(struct part *p, sqlite3 *db, sqlite3_stmt *st, struct err *err)
{
	const struct query_ask *ask = p->ask;
	size_t n_sorted = nodes_in_sql(ask) ? 0 : ask->nodes.n;
	char **sorted = xcalloc(n_sorted + 1, sizeof(*sorted));
	struct query_value *v = xcalloc(ask->n_cols + 1, sizeof(*v));
	struct query_row row = { .v = v };
	int rc = 0, code;

	if (n_sorted) {
		memcpy(sorted, ask->nodes.names, n_sorted * sizeof(*sorted));
		qsort(sorted, n_sorted, sizeof(*sorted), cmp_names);
	}
	for (size_t i = 0; nodes_in_sql(ask) && i < ask->nodes.n; i++)
		sqlite3_bind_text(st, (int)i + 1, ask->nodes.names[i], -1, SQLITE_STATIC);
	while (!rc && (code = sqlite3_step(st)) == SQLITE_ROW) {
		row.time_us = sqlite3_column_int64(st, 0);
		value_read(st, 1, &row.producer);
		if (!node_wanted(sorted, n_sorted, &row.producer))
			continue;
		for (size_t i = 0; i < ask->n_cols; i++)
			value_read(st, (int)i + 2, &v[i]);
		rc = p->fn(&row, p->arg);
	}
	if (!rc && code != SQLITE_DONE)
		rc = sql_error(db, p->s->path, code, err);
	free(sorted);
	free(v);
	return rc;
}

static int part_run(struct part *p, sqlite3 *db, struct err *err)
{
	struct buf sql = { 0 };
	sqlite3_stmt *st;
	int rc;

	select_write(&sql, p);
	rc = sql_prepare(db, p->s->path, buf_str(&sql), &st, err);
	if (!rc) {
		rc = part_read(p, db, st, err);
		sqlite3_finalize(st);
	}
	buf_fini(&sql);
	return rc;
}

static int db_rows(struct query_src *s, const struct query_ask *ask, query_row_fn fn, void *arg, struct err *err)
{
	struct part p = { .s = s, .ask = ask, .fn = fn, .arg = arg };

	return part_run(&p, s->db, err);
}

static void *part_main(void *arg)
{
	struct part *p = arg;
	sqlite3 *db = NULL;

	p->rc = connect(p->s, &db, &p->err);
	if (!p->rc)
		p->rc = part_run(p, db, &p->err);
	sqlite3_close(db);
	return NULL;
}

/* Does the ask narrow the search down to what an index finds sooner than all is read? */
static int is_narrow(struct query_src *s, const struct query_ask *ask, bool *ret, struct err *err)
{
	int64_t first, last, since, until;
	int rc;

	*ret = ask->has_job || nodes_in_sql(ask);
	if (*ret)
		return 0;
	rc = db_range(s, ask->schema, &first, &last, err);
	if (rc)
		return rc;
	since = ask->since_us > first ? ask->since_us : first;
	until = ask->until_us < last ? ask->until_us : last;
	*ret = (until - since) / (1 + (last - first) / PART_SHARE) < 1;
	return 0;
}

static int db_rows_many(struct query_src *s, const struct query_ask *ask, query_row_fn fn, void **args, size_t n,
			struct err *err)
{
	struct part *parts;
	int64_t first = 0, last = 0;
	bool narrow;
	int rc = is_narrow(s, ask, &narrow, err);

	if (!rc && narrow)
		return db_rows(s, ask, fn, args[0], err);
	if (!rc)
		rc = number(s, "min(rowid)", ask->schema, &first, err);
	if (!rc)
		rc = number(s, "max(rowid)", ask->schema, &last, err);
	if (rc)
		return rc;
	parts = xcalloc(n, sizeof(*parts));
	for (size_t i = 0; i < n; i++) {
		int64_t share = (last - first) / (int64_t)n + 1;

		parts[i] = (struct part){ .s = s, .ask = ask, .scan = true, .fn = fn, .arg = args[i] };
		parts[i].first = first + (int64_t)i * share;
		parts[i].last = parts[i].first + share - 1;
		parts[i].started = i && !pthread_create(&parts[i].thread, NULL, part_main, &parts[i]);
	}
	for (size_t i = 0; i < n; i++) {
		if (parts[i].started)
			pthread_join(parts[i].thread, NULL);
		else
			part_main(&parts[i]);
		if (parts[i].rc && !rc) {
			rc = parts[i].rc;
			err_set(err, rc, "%s", parts[i].err.msg);
		}
	}
	free(parts);
	return rc;
}

const struct query_src_type query_db = {
	.open = db_open,
	.close = db_close,
	.schemas = db_schemas,
	.columns = db_columns,
	.range = db_range,
	.rows = db_rows,
	.rows_many = db_rows_many,
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
