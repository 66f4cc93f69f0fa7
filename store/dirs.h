/* dirs.h - folders for what stores keep. */
#ifndef STORE_DIRS_H
#define STORE_DIRS_H

#include <sys/types.h>

#include "core/base/err.h"

/* Make the folder and those above it that are missing, with that mode and owner ((uid_t)-1, (gid_t)-1: ours). */
int dirs_make(const char *path, mode_t mode, uid_t uid, gid_t gid, struct err *err);
/* What an operator can do about an errno of a file: "free some space on its file system". */
const char *file_remedy(int rc);
/* "file PATH: cannot WHAT: reason; remedy"; returns rc. */
int file_failed(const char *path, int rc, const char *what, struct err *err);

/* A name made fit for one part of a path, so that it leads nowhere else. */
char *file_fit_name(const char *name);
/* What to open a file with that is appended to, and looked at; where it is a pipe: to write alone, without waiting for
 * who reads it (-ENXIO: nobody does). */
int file_flags(const char *path, int flags);
/* write(), which gives who reads a pipe a moment: -1 with EAGAIN when nothing was read meanwhile. */
ssize_t file_write(int fd, const void *p, size_t len);
/* Rename, in one step, and not over another file: -EEXIST. */
int file_move(const char *from, const char *to, struct err *err);

#endif
