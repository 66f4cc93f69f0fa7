/* query_db_rows.c - rows from a database of store sqlite
 *
 * One metric of a whole day of a cluster is millions of rows: where nothing narrows the search down, the table is read
 * from end to end, in as many parts as there are threads, which is several times faster than by an index.
 */
#ifdef HAVE_SQLITE
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/query_db.h"
#include "core/base/xalloc.h"

#define NODES_IN   64 /* of so many an index is asked; rows of more are picked while reading all */
#define FN_NAME    "ldms_row"
#define FN_ARGS    100 /* of a function, at most: SQLite's limit is 127 */
#define PART_SHARE 4   /* of the time: less than 1 / PART_SHARE of it is found by the index */

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
	/* the names of nodes, sorted, where the statement does not say them; the row at hand */
	char **sorted;
	size_t n_sorted;
	struct query_value *v;
	int stop; /* what fn answered */
};

static bool nodes_in_sql(const struct query_ask *ask)
{
	return ask->nodes.n && ask->nodes.n <= NODES_IN;
}

static void select_write(struct buf *sql, const struct part *p)
{
	const struct query_ask *ask = p->ask;
	const char *plus = p->scan ? "+" : ""; /* keeps the planner from that column's index */

	buf_addf(sql, p->scan ? "SELECT " FN_NAME "(time,producer" : "SELECT time,producer");
	for (size_t i = 0; i < ask->n_cols; i++) {
		buf_u8(sql, ',');
		sql_name_add(sql, ask->cols[i]);
	}
	buf_addf(sql, p->scan ? ") FROM " : " FROM ");
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

/* sqlite3_value_... for the arguments of a function, sqlite3_column_... for those of a row: the same, twice as fast. */
#define VALUE_READ(face, v, ...)                                                                                       \
	switch (sqlite3_##face##_type(__VA_ARGS__)) {                                                                  \
	case SQLITE_INTEGER:                                                                                           \
		(v)->kind = QUERY_INT;                                                                                 \
		(v)->i = sqlite3_##face##_int64(__VA_ARGS__);                                                          \
		break;                                                                                                 \
	case SQLITE_FLOAT:                                                                                             \
		(v)->kind = QUERY_REAL;                                                                                \
		(v)->d = sqlite3_##face##_double(__VA_ARGS__);                                                         \
		break;                                                                                                 \
	case SQLITE_NULL:                                                                                              \
		(v)->kind = QUERY_NONE;                                                                                \
		break;                                                                                                 \
	default: /* the bytes as they are */                                                                           \
		(v)->kind = QUERY_TEXT;                                                                                \
		(v)->text.p = sqlite3_##face##_blob(__VA_ARGS__);                                                      \
		(v)->text.len = (size_t)sqlite3_##face##_bytes(__VA_ARGS__);                                           \
	}

static void column_read(sqlite3_stmt *st, int i, struct query_value *v)
{
	VALUE_READ(column, v, st, i)
}

static void arg_read(sqlite3_value *arg, struct query_value *v)
{
	VALUE_READ(value, v, arg)
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

static int row_give(struct part *p, struct query_row *row)
{
	row->v = p->v;
	p->stop = node_wanted(p->sorted, p->n_sorted, &row->producer) ? p->fn(row, p->arg) : 0;
	return p->stop;
}

/* An aggregate function that is given every row: to be called from inside costs less than to be given rows. */
static void fn_row(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	struct part *p = sqlite3_user_data(ctx);
	struct query_row row;

	row.time_us = sqlite3_value_int64(args[0]);
	arg_read(args[1], &row.producer);
	for (int i = 2; i < n; i++)
		arg_read(args[i], &p->v[i - 2]);
	if (row_give(p, &row))
		sqlite3_result_error_code(ctx, SQLITE_ABORT);
}

static void fn_end(sqlite3_context *ctx)
{
	sqlite3_result_null(ctx);
}

static int part_read(struct part *p, sqlite3 *db, sqlite3_stmt *st, struct err *err)
{
	const struct query_ask *ask = p->ask;
	int code;

	while ((code = sqlite3_step(st)) == SQLITE_ROW && !p->scan) {
		struct query_row row;

		row.time_us = sqlite3_column_int64(st, 0);
		column_read(st, 1, &row.producer);
		for (size_t i = 0; i < ask->n_cols; i++)
			column_read(st, (int)i + 2, &p->v[i]);
		if (row_give(p, &row))
			break;
	}
	if (p->stop)
		return p->stop;
	return code == SQLITE_DONE || code == SQLITE_ROW ? 0 : sql_error(db, p->s->path, code, err);
}

static void nodes_sort(struct part *p)
{
	const struct hostlist *nodes = &p->ask->nodes;

	p->n_sorted = nodes_in_sql(p->ask) ? 0 : nodes->n;
	p->sorted = xcalloc(p->n_sorted + 1, sizeof(*p->sorted));
	if (p->n_sorted)
		memcpy(p->sorted, nodes->names, p->n_sorted * sizeof(*p->sorted));
	qsort(p->sorted, p->n_sorted, sizeof(*p->sorted), cmp_names);
}

static int part_run(struct part *p, sqlite3 *db, struct err *err)
{
	const struct query_ask *ask = p->ask;
	struct buf sql = { 0 };
	sqlite3_stmt *st = NULL;
	int rc = 0, code;

	p->v = xcalloc(ask->n_cols + 1, sizeof(*p->v));
	nodes_sort(p);
	select_write(&sql, p);
	if (p->scan) {
		code = sqlite3_create_function(db, FN_NAME, -1, SQLITE_UTF8, p, NULL, fn_row, fn_end);
		rc = code == SQLITE_OK ? 0 : sql_error(db, p->s->path, code, err);
	}
	if (!rc)
		rc = sql_prepare(db, p->s->path, buf_str(&sql), &st, err);
	for (size_t i = 0; !rc && nodes_in_sql(ask) && i < ask->nodes.n; i++)
		sqlite3_bind_text(st, (int)i + 1, ask->nodes.names[i], -1, SQLITE_STATIC);
	if (!rc)
		rc = part_read(p, db, st, err);
	sqlite3_finalize(st);
	buf_fini(&sql);
	free(p->sorted);
	free(p->v);
	return rc;
}

int query_db_rows(struct query_src *s, const struct query_ask *ask, query_row_fn fn, void *arg, struct err *err)
{
	struct part p = { .s = s, .ask = ask, .fn = fn, .arg = arg };

	return part_run(&p, s->db, err);
}

static void *part_main(void *arg)
{
	struct part *p = arg;
	sqlite3 *db = NULL;

	p->rc = query_db_connect(p->s, &db, &p->err);
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

	*ret = ask->has_job || nodes_in_sql(ask) || ask->n_cols + 2 > FN_ARGS;
	if (*ret)
		return 0;
	rc = query_db_range(s, ask->schema, &first, &last, err);
	if (rc)
		return rc;
	since = ask->since_us > first ? ask->since_us : first;
	until = ask->until_us < last ? ask->until_us : last;
	*ret = (until - since) / (1 + (last - first) / PART_SHARE) < 1;
	return 0;
}

int query_db_rows_many(struct query_src *s, const struct query_ask *ask, query_row_fn fn, void **args, size_t n,
		       struct err *err)
{
	struct part *parts;
	int64_t first = 0, last = 0;
	bool narrow;
	int rc = is_narrow(s, ask, &narrow, err);

	if (!rc && narrow)
		return query_db_rows(s, ask, fn, args[0], err);
	if (!rc)
		rc = query_db_number(s, "min(rowid)", ask->schema, &first, err);
	if (!rc)
		rc = query_db_number(s, "max(rowid)", ask->schema, &last, err);
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
#endif
