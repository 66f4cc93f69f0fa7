/* sqlite_keep.c - retention: rows that are too old, or the oldest of too many, are deleted a few at a time.
 *
 * Each step is a transaction of its own, so that readers see whole steps and a full disk undoes one at most.  Room that
 * becomes free is used again; what is more than a part of the file is given back.
 */
#ifdef HAVE_SQLITE
#include <inttypes.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "store/sqlite.h"

#define LOOK_US    (10 * SEC_US)   /* between looks; a tenth of the age kept when that is less */
#define STEP_ROWS  5000            /* deleted in one transaction: some ten milliseconds */
#define STEPS_US   (100 * MSEC_US) /* for steps, of one turn of the worker; twice as long after each that was too short */
#define STEPS_MAX  SEC_US          /* a turn is a second apart from the next: so half of the time, or little more */
#define FREE_SHARE 4               /* of the file: more free pages than 1 / FREE_SHARE are given back */

struct tables {
	char **names;
	size_t n;
};

static int tables_read(struct sqlite_db *db, struct tables *t, struct err *err)
{
	sqlite3_stmt *st;
	int rc = sql_prepare(db->conn, db->path,
			     "SELECT DISTINCT \"table\" FROM " SQL_COLUMNS
			     " WHERE \"table\" IN (SELECT name FROM sqlite_schema WHERE type='table')",
			     &st, err),
	    code;

	if (rc)
		return rc;
	while ((code = sqlite3_step(st)) == SQLITE_ROW) {
		t->names = xrealloc(t->names, (t->n + 1) * sizeof(*t->names));
		t->names[t->n++] = xstrdup((const char *)sqlite3_column_text(st, 0));
	}
	sqlite3_finalize(st);
	return code == SQLITE_DONE ? 0 : sql_error(db->conn, db->path, code, err);
}

static void tables_fini(struct tables *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->names[i]);
	free(t->names);
}

/* One number; INT64_MAX when it is none. */
static int number(struct sqlite_db *db, const char *sql, int64_t *ret, struct err *err)
{
	sqlite3_stmt *st;
	int rc = sql_prepare(db->conn, db->path, sql, &st, err), code;

	if (rc)
		return rc;
	code = sqlite3_step(st);
	*ret = code == SQLITE_ROW && sqlite3_column_type(st, 0) == SQLITE_INTEGER ? sqlite3_column_int64(st, 0)
										  : INT64_MAX;
	sqlite3_finalize(st);
	return code == SQLITE_ROW || code == SQLITE_DONE ? 0 : sql_error(db->conn, db->path, code, err);
}

/* The table whose oldest row is the oldest of all. */
static int oldest(struct sqlite_db *db, const struct tables *t, size_t *ret, int64_t *ret_time, struct err *err)
{
	struct buf sql = { 0 };
	int rc = 0;

	*ret_time = INT64_MAX;
	for (size_t i = 0; !rc && i < t->n; i++) {
		int64_t time;

		buf_reset(&sql);
		buf_addf(&sql, "SELECT min(time) FROM ");
		sql_name_add(&sql, t->names[i]);
		rc = number(db, buf_str(&sql), &time, err);
		if (rc || time >= *ret_time)
			continue;
		*ret = i;
		*ret_time = time;
	}
	buf_fini(&sql);
	return rc;
}

/* Bytes that rows and indices take. */
static int used(struct sqlite_db *db, uint64_t *ret, uint64_t *ret_free, struct err *err)
{
	int64_t pages = 0, unused = 0, size = 0;
	int rc = number(db, "PRAGMA page_count", &pages, err);

	if (!rc)
		rc = number(db, "PRAGMA freelist_count", &unused, err);
	if (!rc)
		rc = number(db, "PRAGMA page_size", &size, err);
	if (rc)
		return rc;
	*ret = (uint64_t)(pages - unused) * (uint64_t)size;
	*ret_free = (uint64_t)unused * (uint64_t)size;
	return 0;
}

static int step(struct sqlite_db *db, const char *table, int64_t before, struct err *err)
{
	struct buf sql = { 0 };
	int rc;

	buf_addf(&sql, "DELETE FROM ");
	sql_name_add(&sql, table);
	buf_addf(&sql, " WHERE rowid IN (SELECT rowid FROM ");
	sql_name_add(&sql, table);
	buf_addf(&sql, " WHERE time<%" PRId64 " ORDER BY time LIMIT %d)", before, STEP_ROWS);
	rc = sql_run(db->conn, db->path, buf_str(&sql), err);
	buf_fini(&sql);
	return rc;
}

static int steps(struct sqlite_db *db, const struct tables *t, int64_t until, bool *ret_more, struct err *err)
{
	int64_t limit = db->keep.age_us ? wall_us() - db->keep.age_us : INT64_MIN, time, deleted = 0;
	uint64_t bytes = 0, unused = 0;
	size_t at = 0;
	int rc = 0;

	for (*ret_more = true; !rc && mono_us() < until; deleted++) {
		bool too_much;

		rc = used(db, &bytes, &unused, err);
		too_much = db->keep.bytes && bytes > db->keep.bytes;
		if (!rc)
			rc = oldest(db, t, &at, &time, err);
		*ret_more = !rc && time != INT64_MAX && (time < limit || too_much);
		if (!*ret_more)
			break;
		rc = step(db, t->names[at], too_much ? INT64_MAX : limit, err);
	}
	if (deleted)
		log_debug("store", "database %s: oldest rows deleted: steps=%" PRId64 " bytes=%" PRIu64, db->path,
			  deleted, bytes);
	if (!rc && unused > bytes / FREE_SHARE)
		rc = sql_run(db->conn, db->path, "PRAGMA incremental_vacuum(1000)", err);
	return rc;
}

/* Sizes are looked at each time, which costs three small questions; ages now and then. */
static int is_due(struct sqlite_db *db, int64_t now, bool *ret, struct err *err)
{
	uint64_t bytes, unused;
	int rc;

	*ret = (db->keep.age_us || db->keep.bytes) && now >= db->keep_at;
	if (*ret || !db->keep.bytes)
		return 0;
	rc = used(db, &bytes, &unused, err);
	*ret = !rc && bytes > db->keep.bytes;
	return rc;
}

int sqlite_keep(struct sqlite_db *db, struct err *err)
{
	int64_t now = mono_us(), pause = LOOK_US;
	struct tables t = { 0 };
	bool more = false, due;
	int rc = is_due(db, now, &due, err);

	if (rc || !due)
		return rc;
	rc = tables_read(db, &t, err);
	if (!rc)
		rc = steps(db, &t, now + (db->keep_us ? db->keep_us : STEPS_US), &more, err);
	db->keep_us = !more ? 0 : !db->keep_us ? 2 * STEPS_US : db->keep_us < STEPS_MAX ? 2 * db->keep_us : db->keep_us;
	tables_fini(&t);
	if (db->keep.age_us && db->keep.age_us / 10 < pause)
		pause = db->keep.age_us / 10;
	if (!more)
		db->keep_at = now + pause;
	return rc;
}
#endif
