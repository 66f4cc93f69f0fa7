/* append.h - a file that runs of bytes are appended to, each wholly or not at all.
 *
 * What is to be written is gathered in memory, and written by one call for much.  What could be written only in part
 * waits in memory as a whole, and is written again at the same place: nobody else may write to the file.  What is taken
 * out of memory meanwhile leaves nothing in the file.  A pipe has no places: there, what is written is gone from memory,
 * and the rest follows.
 */
#ifndef STORE_APPEND_H
#define STORE_APPEND_H

#include <stdbool.h>
#include <sys/types.h>

#include "core/base/buf.h"
#include "core/base/err.h"

struct append {
	char *path;
	int fd;         /* -1: not open */
	bool pipe;      /* ... or a device */
	off_t size;     /* of what is in the file */
	off_t end;      /* of what was written to it: more, after a failure */
	struct buf buf; /* what is not */
};

void append_init(struct append *a);
/* Open PATH, a new file when `excl` (-EEXIST, without words, where there is one). */
int append_open(struct append *a, const char *path, bool excl, mode_t mode, struct err *err);
int append_flush(struct append *a, struct err *err);
/* A run was added to `buf` at `before`: write what there is when that is so many bytes.  An error: the run is gone
 * again.  One of which a pipe has a part already stays, for the next flush. */
int append_added(struct append *a, size_t before, size_t flush_bytes, struct err *err);
/* Without what is not written, which is lost; fine when not open. */
void append_close(struct append *a);

#endif
