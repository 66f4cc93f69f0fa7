/* sysnum.c - see sysnum.h */
#include "plugins/sysnum.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static int file_open(struct sysnum *sn, struct err *err)
{
	sn->fd = open(sn->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (sn->fd < 0)
		return err_set(err, -errno, "%s: cannot be opened: %s; does this machine have it?", sn->path,
			       err_name(errno));
	return 0;
}

int sysnum_open(struct sysnum *sn, char *path, struct err *err)
{
	*sn = (struct sysnum){ .path = path };
	return file_open(sn, err);
}

void sysnum_close(struct sysnum *sn)
{
	if (sn->path && sn->fd >= 0)
		close(sn->fd);
	free(sn->path);
	*sn = (struct sysnum){ .fd = -1 };
}

int sysnum_read(struct sysnum *sn, char *text, size_t size, struct err *err)
{
	int rc = sn->fd < 0 ? file_open(sn, err) : 0;
	ssize_t n;

	if (rc)
		return rc;
	n = pread(sn->fd, text, size - PROC_SLACK, 0);
	if (n < 0)
		rc = err_set(err, -errno, "%s: cannot be read: %s; does `cat` show it?", sn->path, err_name(errno));
	if (rc || sn->fleeting) {
		close(sn->fd);
		sn->fd = -1;
	}
	if (!rc)
		memset(text + n, 0, PROC_SLACK);
	return rc;
}

int sysnum_u64(struct sysnum *sn, uint64_t *ret, struct err *err)
{
	char text[SYSNUM_TEXT];
	const char *p = text;
	int rc = sysnum_read(sn, text, sizeof(text), err);

	if (!rc && !proc_number(&p, ret))
		rc = err_set(err, -EPROTO, "%s: begins with no number but `%.*s`; is it the right file?", sn->path,
			     (int)proc_word(text, 0), text);
	return rc;
}
