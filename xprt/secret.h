/* secret.h - the file with the word that the daemons of a site share (authentication ovis).
 *
 * Text; '#' begins a comment line.  The first line that begins with `secretword=` counts; the word ends at a blank or a
 * '#'.  Nobody but the owner may have any permission on the file.
 */
#ifndef XPRT_SECRET_H
#define XPRT_SECRET_H

#include <stddef.h>

#include "core/base/err.h"

#define SECRET_KEY "secretword="
#define SECRET_MIN 8 /* characters */
#define SECRET_MAX 512

struct secret {
	size_t len;
	char word[SECRET_MAX + 1];
};

/* Which file: `conf` (NULL: not given), $LDMS_AUTH_FILE, or the first that exists of the usual places; *ret is yours.
 */
int secret_find(const char *conf, char **ret, struct err *err);
int secret_read(const char *path, struct secret *ret, struct err *err);
/* The same for the text of a file, which `name` stands for in complaints. */
int secret_parse(const char *name, const char *text, size_t len, struct secret *ret, struct err *err);
void secret_wipe(struct secret *s);

#endif
