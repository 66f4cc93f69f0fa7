/* sqlite_table.c - the table of a schema: made when its first row comes, given the columns that it lacks when another
 * shape comes.
 *
 * Columns: "time" (microseconds since 1970), "producer", then one for each column of the row, INTEGER, REAL or TEXT by
 * its type.  SQLite's names do not know capital letters: a name that the row has already becomes NAME_2, NAME_3 ...
 * A column that is there with another type is left as it is, and one called NAME_integer, NAME_real or NAME_text made.
 *
 * Indices: (time), (producer, time), (job_id, time) where there is a job_id, and those that a decomposition names.
 */
#ifdef HAVE_SQLITE
#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "store/sqlite.h"

#define FIXED 2 /* columns in front: time, producer */

/* Names that a table of ours may not have. */
static const char *const reserved[] = { "sqlite_", SQL_COLUMNS, "ldms_index " };

struct col {
	char *name;
	enum sqlite_type type;
};

/* What is being made: names for a shape's rows in the table. */
struct plan {
	struct sqlite_db *db;
	const struct row_schema *rs;
	char *table;
	struct col *cols; /* of the row, in its order, without those that are fixed */
	uint32_t *from;   /* which of the row's each is */
	uint32_t n;
	struct col *have; /* of the table, as found */
	size_t n_have;
};

static void plan_fini(struct plan *p)
{
	for (uint32_t i = 0; i < p->n; i++)
		free(p->cols[i].name);
	free(p->from);
	for (size_t i = 0; i < p->n_have; i++)
		free(p->have[i].name);
	free(p->cols);
	free(p->have);
	free(p->table);
}

static char *table_name(const char *schema)
{
	for (size_t i = 0; i < sizeof(reserved) / sizeof(*reserved); i++)
		if (!strncasecmp(schema, reserved[i], strlen(reserved[i])))
			return xasprintf("_%s", schema);
	return xstrdup(schema);
}

/* -- what is there ------------------------------------------------------------------------------------------------- */

static int have_read(struct plan *p, struct err *err)
{
	sqlite3_stmt *st;
	int rc = sql_prepare(p->db->conn, p->db->path, "SELECT name, type FROM pragma_table_info(?)", &st, err), code;

	if (rc)
		return rc;
	sqlite3_bind_text(st, 1, p->table, -1, SQLITE_STATIC);
	while ((code = sqlite3_step(st)) == SQLITE_ROW) {
		struct col c = { .name = xstrdup((const char *)sqlite3_column_text(st, 0)) };
		const char *type = (const char *)sqlite3_column_text(st, 1);

		for (enum sqlite_type t = SQLITE_T_INTEGER; t <= SQLITE_T_TEXT; t++)
			if (type && !strcasecmp(type, sqlite_type_names[t]))
				c.type = t;
		p->have = xrealloc(p->have, (p->n_have + 1) * sizeof(*p->have));
		p->have[p->n_have++] = c;
	}
	sqlite3_finalize(st);
	return code == SQLITE_DONE ? 0 : sql_error(p->db->conn, p->db->path, code, err);
}

static const struct col *have_find(const struct plan *p, const char *name)
{
	for (size_t i = 0; i < p->n_have; i++)
		if (!strcasecmp(p->have[i].name, name))
			return &p->have[i];
	return NULL;
}

static bool name_is_taken(const struct plan *p, uint32_t n, const char *name)
{
	if (!strcasecmp(name, "time") || !strcasecmp(name, "producer"))
		return true;
	for (uint32_t i = 0; i < n; i++)
		if (!strcasecmp(p->cols[i].name, name))
			return true;
	return false;
}

static char *name_free(const struct plan *p, uint32_t n, const char *base)
{
	char *name = xstrdup(base);

	for (unsigned int k = 2; name_is_taken(p, n, name); k++) {
		free(name);
		name = xasprintf("%s_%u", base, k);
	}
	return name;
}

/* Names for the row's columns: those that the table has of that type, or free ones. */
static void cols_name(struct plan *p)
{
	static const char *const suffix[] = { "integer", "real", "text" };

	for (uint32_t i = 0; i < p->n; i++) {
		struct col *c = &p->cols[i];
		const struct col *there;
		char *other;

		c->type = sqlite_type_of(p->rs->cols[p->from[i]].type);
		c->name = name_free(p, i, p->rs->cols[p->from[i]].name);
		there = have_find(p, c->name);
		if (!there || there->type == c->type)
			continue;
		other = xasprintf("%s_%s", c->name, suffix[c->type]);
		if (!have_find(p, other))
			log_warning("store",
				    "database %s: table %s: column %s is %s, but %s in this shape of the schema: these "
				    "values go to column %s",
				    p->db->path, p->table, c->name, sqlite_type_names[there->type],
				    sqlite_type_names[c->type], other);
		free(c->name);
		c->name = name_free(p, i, other);
		free(other);
	}
}

/* -- making it ----------------------------------------------------------------------------------------------------- */

static int run(struct plan *p, struct buf *sql, struct err *err)
{
	int rc = sql_run(p->db->conn, p->db->path, buf_str(sql), err);

	buf_reset(sql);
	return rc;
}

static void def_add(struct buf *sql, const struct col *c)
{
	sql_name_add(sql, c->name);
	buf_addf(sql, " %s", sqlite_type_names[c->type]);
}

static int table_make(struct plan *p, struct buf *sql, struct err *err)
{
	buf_addf(sql, "CREATE TABLE ");
	sql_name_add(sql, p->table);
	buf_addf(sql, "(\"time\" INTEGER NOT NULL, \"producer\" TEXT NOT NULL");
	for (uint32_t i = 0; i < p->n; i++) {
		buf_addf(sql, ", ");
		def_add(sql, &p->cols[i]);
	}
	buf_addf(sql, ")");
	return run(p, sql, err);
}

static int table_widen(struct plan *p, struct buf *sql, struct err *err)
{
	unsigned int n = 0;
	int rc = 0;

	for (uint32_t i = 0; !rc && i < p->n; i++) {
		if (have_find(p, p->cols[i].name))
			continue;
		buf_addf(sql, "ALTER TABLE ");
		sql_name_add(sql, p->table);
		buf_addf(sql, " ADD COLUMN ");
		def_add(sql, &p->cols[i]);
		rc = run(p, sql, err);
		n++;
	}
	if (n && !rc)
		log_info("store", "database %s: table %s: another shape of its schema: columns_added=%u", p->db->path,
			 p->table, n);
	return rc;
}

static int index_make(struct plan *p, struct buf *sql, const char *const *cols, size_t n, struct err *err)
{
	struct buf name = { 0 };

	buf_addf(&name, "ldms_index %s", p->table);
	for (size_t i = 0; i < n; i++)
		buf_addf(&name, " %s", cols[i]);
	buf_addf(sql, "CREATE INDEX IF NOT EXISTS ");
	sql_name_add(sql, buf_str(&name));
	buf_addf(sql, " ON ");
	sql_name_add(sql, p->table);
	for (size_t i = 0; i < n; i++) {
		buf_addf(sql, "%c", i ? ',' : '(');
		sql_name_add(sql, cols[i]);
	}
	buf_addf(sql, ")");
	buf_fini(&name);
	return run(p, sql, err);
}

/* What the row's column is called in the table. */
static const char *col_name(const struct plan *p, uint32_t row_col)
{
	for (uint32_t i = 0; i < p->n; i++)
		if (p->from[i] == row_col)
			return p->cols[i].name;
	return p->rs->cols[row_col].name; /* time, producer */
}

static int index_named(struct plan *p, struct buf *sql, const struct row_index *ix, struct err *err)
{
	const char **cols = xcalloc(ix->n_cols, sizeof(*cols));
	int rc;

	for (uint32_t i = 0; i < ix->n_cols; i++)
		cols[i] = col_name(p, ix->cols[i]);
	rc = index_make(p, sql, cols, ix->n_cols, err);
	free(cols);
	return rc;
}

static int indices_make(struct plan *p, struct buf *sql, struct err *err)
{
	static const char *const producer[] = { "producer", "time" };
	static const char *const job[] = { "job_id", "time" };
	int rc = index_make(p, sql, &producer[1], 1, err);

	if (!rc)
		rc = index_make(p, sql, producer, 2, err);
	for (uint32_t i = 0; !rc && i < p->n; i++)
		if (!strcasecmp(p->cols[i].name, job[0]))
			rc = index_make(p, sql, job, 2, err);
	for (uint32_t i = 0; !rc && i < p->rs->n_indices; i++)
		rc = index_named(p, sql, &p->rs->indices[i], err);
	return rc;
}

/* Say in our table of tables what the columns are. */
static int columns_note(struct plan *p, struct err *err)
{
	sqlite3_stmt *st;
	int rc = sql_prepare(p->db->conn, p->db->path, "INSERT OR IGNORE INTO " SQL_COLUMNS " VALUES(?,?,?,?,?)", &st,
			     err);
	int code = SQLITE_DONE;

	for (uint32_t i = 0; !rc && code == SQLITE_DONE && i < p->n; i++) {
		const struct row_col *c = &p->rs->cols[p->from[i]];

		sqlite3_bind_text(st, 1, p->table, -1, SQLITE_STATIC);
		sqlite3_bind_text(st, 2, p->cols[i].name, -1, SQLITE_STATIC);
		sqlite3_bind_text(st, 3, c->name, -1, SQLITE_STATIC);
		sqlite3_bind_text(st, 4, value_type_name(c->type), -1, SQLITE_STATIC);
		sqlite3_bind_int64(st, 5, c->count);
		code = sqlite3_step(st);
		sqlite3_reset(st);
	}
	if (!rc && code != SQLITE_DONE)
		rc = sql_error(p->db->conn, p->db->path, code, err);
	if (!rc)
		sqlite3_finalize(st);
	return rc;
}

static int insert_prepare(struct plan *p, struct buf *sql, sqlite3_stmt **ret, struct err *err)
{
	int rc;

	buf_addf(sql, "INSERT INTO ");
	sql_name_add(sql, p->table);
	buf_addf(sql, "(\"time\",\"producer\"");
	for (uint32_t i = 0; i < p->n; i++) {
		buf_u8(sql, ',');
		sql_name_add(sql, p->cols[i].name);
	}
	buf_addf(sql, ") VALUES(?,?");
	for (uint32_t i = 0; i < p->n; i++)
		buf_addf(sql, ",?");
	buf_addf(sql, ")");
	rc = sql_prepare(p->db->conn, p->db->path, buf_str(sql), ret, err);
	buf_reset(sql);
	return rc;
}

/* Room for so many columns? */
static int width_check(const struct plan *p, struct err *err)
{
	uint32_t max = (uint32_t)sqlite3_limit(p->db->conn, SQLITE_LIMIT_COLUMN, -1);
	uint32_t n = p->n_have ? (uint32_t)p->n_have : FIXED;

	for (uint32_t i = 0; i < p->n; i++)
		n += !p->n_have || !have_find(p, p->cols[i].name);
	if (n <= max)
		return 0;
	return err_set(err, -EINVAL,
		       "database %s: table %s would have %u columns, at most %u fit; name fewer metrics with "
		       "strgp_metric_add, or give the policy a decomposition",
		       p->db->path, p->table, n, max);
}

static int shape_make(struct plan *p, struct sqlite_shape *sh, struct buf *sql, struct err *err)
{
	int rc = have_read(p, err);

	if (rc)
		return rc;
	if (p->n_have && !(have_find(p, "time") && have_find(p, "producer")))
		return err_set(err, -EEXIST,
			       "database %s: table %s is there and not of our making (it has no columns time and "
			       "producer); rename it, or give another path",
			       p->db->path, p->table);
	cols_name(p);
	rc = width_check(p, err);
	if (!rc)
		rc = p->n_have ? table_widen(p, sql, err) : table_make(p, sql, err);
	if (!rc)
		rc = indices_make(p, sql, err);
	if (!rc)
		rc = columns_note(p, err);
	if (!rc)
		rc = insert_prepare(p, sql, &sh->insert, err);
	return rc;
}

int sqlite_shape_prepare(struct sqlite_db *db, struct sqlite_shape *sh, struct err *err)
{
	struct plan p = {
		.db = db,
		.rs = sh->schema,
		.table = table_name(sh->schema->name),
		.cols = xcalloc(sh->schema->n_cols + 1, sizeof(*p.cols)),
		.from = xcalloc(sh->schema->n_cols + 1, sizeof(*p.from)),
	};
	struct buf sql = { 0 };
	int rc = sqlite_db_begin(db, err);

	for (uint32_t i = 0; i < p.rs->n_cols; i++)
		if (!sqlite_col_is_fixed(p.rs, i))
			p.from[p.n++] = i;
	sqlite_shape_fini(db, sh);
	sh->opened = db->opened;
	if (!rc) {
		rc = shape_make(&p, sh, &sql, err);
		if (!rc)
			rc = sqlite_db_commit(db, err);
		if (rc) {
			sqlite_shape_fini(db, sh);
			sqlite_db_abort(db);
		}
	}
	buf_fini(&sql);
	plan_fini(&p);
	return rc;
}

void sqlite_shape_fini(struct sqlite_db *db, struct sqlite_shape *sh)
{
	if (sh->opened == db->opened)
		sqlite3_finalize(sh->insert);
	sh->insert = NULL;
}
#endif
