/* sysnum.h - the small files that /sys has by the hundred, most of them one number: a kept descriptor each, and no buffer
 * of their own. */
#ifndef PLUGINS_SYSNUM_H
#define PLUGINS_SYSNUM_H

#include "core/base/err.h"
#include "plugins/proc.h"

#define SYSNUM_TEXT (256 + PROC_SLACK) /* enough for any number */

struct sysnum {
	int fd;
	char *path;
	bool fleeting; /* opened for each read: others may put a new file in its place */
};

/* Takes the path.  Errors name the file.  A sysnum may also be begun by hand, with fd -1: the first read opens it. */
int sysnum_open(struct sysnum *sn, char *path, struct err *err);
void sysnum_close(struct sysnum *sn);
/* What the file says into `size` bytes, of which the last PROC_SLACK, or more, are NUL: for the scanner of proc.h.  A file
 * that is gone is opened again the next time. */
int sysnum_read(struct sysnum *sn, char *text, size_t size, struct err *err);
/* The number that it begins with; -EPROTO when it is none. */
int sysnum_u64(struct sysnum *sn, uint64_t *ret, struct err *err);
int sysnum_s64(struct sysnum *sn, int64_t *ret, struct err *err); /* the same, which may be negative */
/* The first line of the file, cut to fit, without blanks at its end; "" when it cannot be read.  For what is looked at
 * once. */
void sysnum_text(const char *path, char *text, size_t size);
/* The number of a file that is looked at once; `dflt` when there is none. */
int64_t sysnum_once(const char *path, int64_t dflt);

#endif
