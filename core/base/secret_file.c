/* secret_file.c - see secret_file.h */
#include "core/base/secret_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SECRET_MAX 4096 /* bytes of a password or a token */

int secret_file_read(const char *path, struct buf *to, struct err *err)
{
	FILE *f = fopen(path, "re");
	int rc = f ? buf_slurp(to, f, SECRET_MAX) : -errno;
	const char *text = buf_str(to);

	if (f)
		fclose(f);
	if (rc)
		return err_set(err, rc, "%s: %s", path, err_name(rc));
	while (to->len && strchr(" \t\r\n", text[to->len - 1]))
		to->len--;
	if (!to->len || memchr(text, '\n', to->len) || memchr(text, 0, to->len))
		return err_set(err, -EIO, "%s: a secret of one line goes there", path);
	return 0;
}

void secret_forget(struct buf *b)
{
	if (b->p)
		explicit_bzero(b->p, b->cap);
	buf_fini(b);
}
