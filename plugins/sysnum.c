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

static int not_a_number(const struct sysnum *sn, const char *text, struct err *err)
{
	return err_set(err, -EPROTO, "%s: begins with no number but `%.*s`; is it the right file?", sn->path,
		       (int)proc_word(text, 0), text);
}

int sysnum_u64(struct sysnum *sn, uint64_t *ret, struct err *err)
{
	char text[SYSNUM_TEXT];
	const char *p = text;
	int rc = sysnum_read(sn, text, sizeof(text), err);

	if (!rc && !proc_number(&p, ret))
		rc = not_a_number(sn, text, err);
	return rc;
}

int sysnum_s64(struct sysnum *sn, int64_t *ret, struct err *err)
{
	char text[SYSNUM_TEXT];
	const char *p = text;
	int rc = sysnum_read(sn, text, sizeof(text), err);
	bool minus = !rc && *p == '-';
	uint64_t v;

	if (rc)
		return rc;
	p += minus;
	if (!proc_number(&p, &v))
		return not_a_number(sn, text, err);
	*ret = minus ? (int64_t)(0 - v) : (int64_t)v;
	return 0;
}

void sysnum_text(const char *path, char *text, size_t size)
{
	struct sysnum sn = { .fd = -1, .path = (char *)path, .fleeting = true };
	char line[SYSNUM_TEXT];
	size_t n;

	if (sysnum_read(&sn, line, sizeof(line), NULL))
		*line = 0;
	n = strcspn(line, "\n");
	while (n && line[n - 1] == ' ')
		n--;
	if (n >= size)
		n = size - 1;
	memcpy(text, line, n);
	text[n] = 0;
}

int64_t sysnum_once(const char *path, int64_t dflt)
{
	struct sysnum sn = { .fd = -1, .path = (char *)path, .fleeting = true };
	int64_t v;

	return sysnum_s64(&sn, &v, NULL) ? dflt : v;
}
