/* sql.c - see sql.h */
#ifdef HAVE_SQLITE
#include "store/sql.h"

#include <errno.h>
#include <stdlib.h>

#include "core/base/xalloc.h"
#include "store/dirs.h"

void sql_name_add(struct buf *b, const char *name)
{
	buf_u8(b, '"');
	for (; *name; name++) {
		if (*name == '"')
			buf_u8(b, '"');
		buf_u8(b, (uint8_t)*name);
	}
	buf_u8(b, '"');
}

bool sql_is_broken(int code)
{
	switch (code & 0xff) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
	case SQLITE_READONLY:
		return true;
	default:
		return false;
	}
}

int sql_error(sqlite3 *db, const char *path, int code, struct err *err)
{
	static const struct {
		int code, rc;
		const char *what, *remedy;
	} rows[] = {
		{ SQLITE_FULL, -ENOSPC, "the disk is full", "free some space on its file system" },
		{ SQLITE_BUSY, -EBUSY, "another program has locked it",
		  "end that program's transaction (`fuser -v FILE` names it)" },
		{ SQLITE_LOCKED, -EBUSY, "a table of it is locked", "end what holds it" },
		{ SQLITE_CORRUPT, -EBADMSG, "it is damaged",
		  "save what can be saved (`sqlite3 FILE .recover`) and move it away: a new one is made then" },
		{ SQLITE_NOTADB, -EBADMSG, "it is no database of SQLite", "move it away, or give another path" },
		{ SQLITE_READONLY, -EROFS, "it cannot be written",
		  "let the daemon's user write the file and its folder" },
		{ SQLITE_PERM, -EACCES, "access is refused", "let this user in" },
		{ SQLITE_NOMEM, -ENOMEM, "memory is out", "give the daemon more" },
	};
	int os = db ? sqlite3_system_errno(db) : 0, rc = -EIO;
	const char *what = db ? sqlite3_errmsg(db) : sqlite3_errstr(code), *remedy = "look at the file and its disk";

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].code == (code & 0xff))
			return err_set(err, rows[i].rc, "database %s: %s; %s", path, rows[i].what, rows[i].remedy);
	if (((code & 0xff) == SQLITE_CANTOPEN || (code & 0xff) == SQLITE_IOERR) && os) {
		rc = -abs(os);
		what = err_name(os);
		remedy = file_remedy(os);
	}
	return err_set(err, rc, "database %s: %s; %s", path, what, remedy);
}

int sql_run(sqlite3 *db, const char *path, const char *sql, struct err *err)
{
	int code = sqlite3_exec(db, sql, NULL, NULL, NULL);

	return code == SQLITE_OK ? 0 : sql_error(db, path, code, err);
}

int sql_prepare(sqlite3 *db, const char *path, const char *sql, sqlite3_stmt **ret, struct err *err)
{
	int code = sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret, NULL);

	return code == SQLITE_OK ? 0 : sql_error(db, path, code, err);
}
#endif
