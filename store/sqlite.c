/* sqlite.c - the embedded store: a table for each schema in one file of SQLite.
 *
 * Rows are taken into memory and stored by flush() in one transaction, or by row() when there are many: while a disk is
 * full or another program holds the database, what was taken stays here, bounded, and what comes is not taken.  So a
 * row is in the file once, whole, after the flush that says so; readers see all of a flush or nothing.
 *
 * The policies of an instance share a connection; their transactions come one after the other.
 */
#include "store/store.h"

static const struct store_attr sqlite_attrs[] = {
	{ "path", NULL, "the database's file; made, with its folder, when it is missing; required", "file" },
	{ "busy", "2s", "how long to wait for a program that has locked the database, before that is a failure",
	  "time" },
	{ "create_perm", "0640", "mode of the file when it is made, octal", "octal" },
	{ "keep", NULL,
	  "delete rows that are older, and the oldest when there are more: 30d, 20G or 30d/20G; "
	  "without it all is kept",
	  "time/size" },
	{ "sync", "normal",
	  "normal: after a crash of the machine the last seconds may be missing; full: what is stored "
	  "is on the disk",
	  "normal|full" },
	{ 0 },
};

#ifdef HAVE_SQLITE
#include <errno.h>
#include <stdlib.h>

#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "store/sqlite.h"
#include "store/store.h"

#define TAKEN_BYTES (4u << 20) /* taken before row() stores: some 10,000 rows of 50 metrics */
#define BUSY_DFLT   (2 * SEC_US)
#define BUSY_MAX    (60 * SEC_US)
#define PERM_DFLT   0640

struct store_sink {
	struct sqlite_db *db;
	struct sqlite_shape **shapes; /* by number */
	size_t n_shapes, last;        /* the one of the last row */
	struct buf taken;
	bool failing; /* the last time it was to be stored */
};

static int conf_perm(struct store *st, mode_t *ret, struct err *err)
{
	const char *perm = store_attr(st, "create_perm");
	char *end;

	*ret = PERM_DFLT;
	if (!perm)
		return 0;
	*ret = (mode_t)strtoul(perm, &end, 8);
	if (*end || *ret > 0777)
		return err_set(err, -EINVAL, "store %s: create_perm=%s: an octal mode goes there, as 0640",
			       store_name(st), perm);
	*ret = (*ret & 0666) | 0600;
	return 0;
}

static int sqlite_config(struct store *st, struct err *err)
{
	struct sqlite_db *db = store_state(st);
	const char *sync = store_attr(st, "sync"), *busy = store_attr(st, "busy");
	int rc;

	db->path = store_attr(st, "path");
	if (!db->path)
		return err_set(err, -EINVAL,
			       "store %s: path is required: the database's file, as /var/lib/ldms/ldms.db",
			       store_name(st));
	if (sync && strcmp(sync, "normal") && strcmp(sync, "full"))
		return err_set(err, -EINVAL, "store %s: sync=%s: normal or full goes there", store_name(st), sync);
	db->full_sync = sync && !strcmp(sync, "full");
	db->busy_us = BUSY_DFLT;
	rc = busy ? unit_time_us(busy, &db->busy_us, err) : 0;
	if (!rc && (db->busy_us < 0 || db->busy_us > BUSY_MAX))
		rc = err_set(err, -EINVAL, "busy=%s: at most 60s", busy);
	if (!rc)
		rc = keep_parse(store_attr(st, "keep"), &db->keep, err);
	if (rc)
		return err_prefix(err, rc, "store %s: ", store_name(st));
	rc = conf_perm(st, &db->perm, err);
	if (!rc)
		pthread_mutex_init(&db->lock, NULL);
	return rc;
}

static void sqlite_fini(struct store *st)
{
	struct sqlite_db *db = store_state(st);

	pthread_mutex_destroy(&db->lock);
}

/* -- a policy's ---------------------------------------------------------------------------------------------------- */

static int sqlite_open(struct store *st, const char *container, struct store_sink **ret, struct err *err)
{
	struct store_sink *sk = xcalloc(1, sizeof(*sk));

	sk->db = store_state(st);
	pthread_mutex_lock(&sk->db->lock);
	sk->db->users++;
	pthread_mutex_unlock(&sk->db->lock);
	*ret = sk;
	return 0;
}

/* The statement of a shape, made anew where the connection is another one. */
static int shape_ready(struct store_sink *sk, struct sqlite_shape *sh, struct err *err)
{
	int rc = sqlite_db_open(sk->db, err);

	if (!rc && (!sh->insert || sh->opened != sk->db->opened))
		rc = sqlite_shape_prepare(sk->db, sh, err);
	return rc;
}

static int rows_insert(struct store_sink *sk, struct err *err)
{
	const uint8_t *at = sk->taken.p, *end = at + sk->taken.len;
	int code = SQLITE_DONE;

	while (at < end && code == SQLITE_DONE) {
		struct sqlite_row row = sqlite_row_next(&at);
		sqlite3_stmt *st = sk->shapes[row.shape]->insert;

		code = sqlite_row_bind(&row, st, &at);
		if (code == SQLITE_OK)
			code = sqlite3_step(st);
		if (code == SQLITE_DONE)
			sqlite3_reset(st);
	}
	if (code == SQLITE_DONE)
		return 0;
	return sql_error(sk->db->conn, sk->db->path, code, err);
}

static void statements_reset(struct store_sink *sk)
{
	for (size_t i = 0; i < sk->n_shapes; i++)
		sqlite3_reset(sk->shapes[i]->insert);
}

/* What was taken, in one transaction; all of it stays taken when that fails. */
static int taken_store(struct store_sink *sk, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < sk->n_shapes; i++)
		rc = shape_ready(sk, sk->shapes[i], err);
	if (!rc)
		rc = sqlite_db_begin(sk->db, err);
	if (rc)
		goto out;
	rc = rows_insert(sk, err);
	if (rc)
		statements_reset(sk);
	if (!rc)
		rc = sqlite_db_commit(sk->db, err);
	if (rc) {
		sqlite_db_abort(sk->db);
		goto out;
	}
	buf_reset(&sk->taken);
out:
	sk->failing = rc;
	/* the next one knows whether it can be opened */
	if (rc && sk->db->conn && sql_is_broken(sqlite3_errcode(sk->db->conn)))
		sqlite_db_close(sk->db);
	return rc;
}

static int sqlite_flush(struct store_sink *sk, struct err *err)
{
	struct err why = { "" };
	int rc = 0;

	pthread_mutex_lock(&sk->db->lock);
	if (sk->taken.len)
		rc = taken_store(sk, err);
	/* what is not deleted yet keeps no row from being stored: it is tried again */
	if (!rc && sk->db->conn && sqlite_keep(sk->db, &why))
		log_warning("store", "%s; old rows stay for now", why.msg);
	pthread_mutex_unlock(&sk->db->lock);
	return rc;
}

static int shape_add(struct store_sink *sk, const struct row_schema *rs, struct err *err)
{
	struct sqlite_shape *sh = xcalloc(1, sizeof(*sh));
	int rc;

	sh->schema = row_schema_get(rs);
	pthread_mutex_lock(&sk->db->lock);
	rc = shape_ready(sk, sh, err);
	pthread_mutex_unlock(&sk->db->lock);
	if (rc) {
		row_schema_put(sh->schema);
		free(sh);
		return rc;
	}
	sk->shapes = xrealloc(sk->shapes, (sk->n_shapes + 1) * sizeof(*sk->shapes));
	sk->last = sk->n_shapes++;
	sk->shapes[sk->last] = sh;
	return 0;
}

static int shape_find(struct store_sink *sk, const struct row_schema *rs, struct err *err)
{
	if (sk->n_shapes && sk->shapes[sk->last]->schema == rs)
		return 0;
	for (size_t i = 0; i < sk->n_shapes; i++)
		if (row_schema_same(sk->shapes[i]->schema, rs)) {
			sk->last = i;
			return 0;
		}
	return shape_add(sk, rs, err);
}

static int sqlite_row(struct store_sink *sk, const struct row *row, struct err *err)
{
	size_t before = sk->taken.len;
	int rc = shape_find(sk, row->schema, err);

	if (rc)
		return rc;
	sqlite_row_add(&sk->taken, sk->last, row);
	if (sk->taken.len < TAKEN_BYTES)
		return 0;
	pthread_mutex_lock(&sk->db->lock);
	rc = taken_store(sk, err);
	pthread_mutex_unlock(&sk->db->lock);
	if (rc)
		sk->taken.len = before;
	return rc;
}

static void sqlite_close(struct store_sink *sk)
{
	struct err err = { "" };

	/* what failed is in the spool by now, or counted as dropped: stored now it would be there twice, or be more than
	 * is counted */
	if (sk->taken.len && sk->failing)
		log_error("store",
			  "database %s: closed with bytes=%zu of rows that could not be stored; without a spool they "
			  "are lost",
			  sk->db->path, sk->taken.len);
	else if (sqlite_flush(sk, &err))
		log_error("store", "%s; what it had taken is lost", err.msg);
	pthread_mutex_lock(&sk->db->lock);
	for (size_t i = 0; i < sk->n_shapes; i++) {
		sqlite_shape_fini(sk->db, sk->shapes[i]);
		row_schema_put(sk->shapes[i]->schema);
		free(sk->shapes[i]);
	}
	if (!--sk->db->users)
		sqlite_db_close(sk->db);
	pthread_mutex_unlock(&sk->db->lock);
	free(sk->shapes);
	buf_fini(&sk->taken);
	free(sk);
}

#define SQLITE_FACE                                                                                                    \
	.file_attr = "path", .state_size = sizeof(struct sqlite_db), .again_bytes = TAKEN_BYTES / 8,                   \
	.config = sqlite_config, .open = sqlite_open, .row = sqlite_row, .flush = sqlite_flush, .close = sqlite_close, \
	.fini = sqlite_fini
#else
#define SQLITE_FACE .needs = "libsqlite3"
#endif

static const struct store_to sqlite_to[] = {
	{ .word = "sqlite",
	  .form = "FILE",
	  .attr = "path",
	  .help = "a database, a table for each schema; `ldms query` reads it" },
	{ 0 },
};

static const struct store_about sqlite_about = {
	.example = "load name=db plugin=sqlite\n"
		   "config name=db path=/var/lib/ldms/ldms.db keep=30d/20G\n"
		   "strgp_add name=db plugin=db container=db regex=.* \\\n"
		   "          spool=/var/spool/ldms\n"
		   "strgp_start name=db\n",
	.flush = "a transaction, when the policy is flushed or 4 MB of rows wait; with sync=full it is on the disk "
		 "then, else the kernel brings it there",
	.once = "with a spool, one transaction may come twice: when the daemon is killed in the instant between its "
		"end and the account of it",
};

const struct store_type store_sqlite = {
	.name = "sqlite",
	.brief = "a database in one file, a table for each schema; `ldms query` reads it",
	.about = &sqlite_about,
	.to = sqlite_to,
	.attrs = sqlite_attrs,
	SQLITE_FACE,
};
