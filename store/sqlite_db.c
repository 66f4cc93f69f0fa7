/* sqlite_db.c - the connection of an instance of store sqlite.
 *
 * The file is in WAL mode: those who read it never hold up the one who writes, and a commit is one write behind the end
 * of FILE-wal.  Commits are safe against the end of the process; with sync=full also against that of the machine (else
 * some of the last seconds are lost then; the database is whole in any case).
 *
 * A file that was moved or removed under us is noticed before the next transaction: another one is made.
 */
#ifdef HAVE_SQLITE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "store/dirs.h"
#include "store/sqlite.h"

#define DIR_PERM 0750

/* Pages of 4 kB: the log is brought in when it has 16 MB, and cut to that when readers had kept it from being so. */
static const char pragmas[] = "PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL;"
			      "PRAGMA wal_autocheckpoint=4000; PRAGMA journal_size_limit=16777216;"
			      "PRAGMA cache_size=-16000; PRAGMA temp_store=MEMORY; PRAGMA trusted_schema=OFF";

static const char columns_sql[] = "CREATE TABLE IF NOT EXISTS " SQL_COLUMNS
				  "(\"table\" TEXT NOT NULL, \"column\" TEXT NOT NULL, metric TEXT NOT NULL,"
				  " type TEXT NOT NULL, count INTEGER NOT NULL,"
				  " PRIMARY KEY(\"table\", \"column\")) WITHOUT ROWID";

/* The folder, and the file with its mode: SQLite's own would be the umask's. */
static int file_make(const struct sqlite_db *db, struct err *err)
{
	const char *slash = strrchr(db->path, '/');
	char *dir = xstrndup(db->path, slash ? (size_t)(slash - db->path) : 0);
	int rc = *dir ? dirs_make(dir, DIR_PERM, (uid_t)-1, (gid_t)-1, err) : 0, fd;

	free(dir);
	if (rc)
		return rc;
	fd = open(db->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, db->perm);
	if (fd >= 0) {
		if (fchmod(fd, db->perm))
			rc = -errno;
		close(fd);
	} else if (errno != EEXIST) {
		rc = -errno;
	}
	return rc ? err_set(err, rc, "database %s: cannot be made: %s; %s", db->path, err_name(rc), file_remedy(rc))
		  : 0;
}

static int wal_check(struct sqlite_db *db, struct err *err)
{
	sqlite3_stmt *st;
	int rc = sql_prepare(db->conn, db->path, "PRAGMA journal_mode", &st, err);

	if (rc)
		return rc;
	if (sqlite3_step(st) == SQLITE_ROW && strcmp((const char *)sqlite3_column_text(st, 0), "wal"))
		log_warning(
			"store",
			"database %s: its file system has no memory to share, which a write-ahead log needs; whoever "
			"reads it holds up the daemon; use a local disk",
			db->path);
	sqlite3_finalize(st);
	return 0;
}

int sqlite_db_open(struct sqlite_db *db, struct err *err)
{
	struct stat st;
	int rc, code;

	if (db->conn) {
		if (!stat(db->path, &st) && st.st_dev == db->file.st_dev && st.st_ino == db->file.st_ino)
			return 0;
		log_warning("store", "database %s: it was moved or removed while in use; a new one is made", db->path);
		/* what is in its log only goes with it: closing leaves that out for a file that has moved */
		sqlite3_exec(db->conn, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL);
		sqlite_db_close(db);
	}
	rc = file_make(db, err);
	if (rc)
		return rc;
	code = sqlite3_open_v2(db->path, &db->conn, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (code != SQLITE_OK) {
		rc = sql_error(db->conn, db->path, code, err);
	} else {
		sqlite3_busy_timeout(db->conn, (int)(db->busy_us / 1000));
		rc = sql_run(db->conn, db->path, pragmas, err);
	}
	if (!rc)
		rc = sql_run(db->conn, db->path,
			     db->full_sync ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL", err);
	if (!rc)
		rc = sql_run(db->conn, db->path, columns_sql, err);
	if (!rc)
		rc = wal_check(db, err);
	if (!rc && stat(db->path, &db->file))
		rc = err_set(err, -errno, "database %s: %s; look at its folder", db->path, err_name(errno));
	if (rc)
		sqlite_db_close(db);
	return rc;
}

void sqlite_db_close(struct sqlite_db *db)
{
	sqlite3_stmt *st;

	while (db->conn && (st = sqlite3_next_stmt(db->conn, NULL)))
		sqlite3_finalize(st);
	sqlite3_close(db->conn);
	db->conn = NULL;
	db->opened++;
}

int sqlite_db_begin(struct sqlite_db *db, struct err *err)
{
	return sql_run(db->conn, db->path, "BEGIN IMMEDIATE", err);
}

int sqlite_db_commit(struct sqlite_db *db, struct err *err)
{
	return sql_run(db->conn, db->path, "COMMIT", err);
}

void sqlite_db_abort(struct sqlite_db *db)
{
	bool broken = sql_is_broken(sqlite3_errcode(db->conn));

	if (!sqlite3_get_autocommit(db->conn))
		sqlite3_exec(db->conn, "ROLLBACK", NULL, NULL, NULL);
	if (broken)
		sqlite_db_close(db);
}
#endif
