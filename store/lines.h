/* lines.h - a file that whole lines are appended to.
 *
 * Lines are gathered in memory and appended by one write() for many.  The file holds whole lines at any time: when a
 * write comes short, the part of a line at its end is cut off again, and the rest waits in memory for the next try.
 * Where cutting off fails (or the daemon was killed between), the next write begins on a new line.  From a pipe nothing
 * can be cut off: there the rest of the line follows.
 */
#ifndef STORE_LINES_H
#define STORE_LINES_H

#include <stdbool.h>

#include "core/base/buf.h"
#include "core/base/err.h"
#include "store/undo.h"

struct lines {
	char *path;
	int fd;            /* -1: not open */
	struct buf buf;    /* whole lines that are not in the file yet */
	uint64_t rows;     /* in buf */
	bool torn;         /* the file ends in a part of a line */
	bool failing;      /* the last write failed */
	struct undo *undo; /* where writes are noted; NULL: they are not */
};

/* Write what is taken; what cannot be written stays taken. */
int lines_flush(struct lines *l, struct err *err);
/* A row's line was added at `before`: write what there is when that is so many bytes or rows.  An error: the line is
 * gone again; one of which a pipe has a part already is taken.  *ret_len: its length. */
int lines_added(struct lines *l, size_t before, size_t flush_bytes, uint64_t flush_rows, size_t *ret_len,
		struct err *err);

#endif
