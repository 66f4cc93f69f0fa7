/* secret_file.h - a password or a token in a file of its own. */
#ifndef CORE_BASE_SECRET_FILE_H
#define CORE_BASE_SECRET_FILE_H

#include "core/base/buf.h"
#include "core/base/err.h"

/* What the file holds, one line, without the line's end behind it. */
int secret_file_read(const char *path, struct buf *to, struct err *err);
/* Free it, and leave nothing of it in memory. */
void secret_forget(struct buf *b);

#endif
