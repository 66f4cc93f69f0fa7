/* proc.c - see proc.h.
 *
 * How a read knows that it has everything without asking once more: the kernel hands out records (lines, or the whole
 * file) as long as they fit into a page, so a chunk that leaves room for a record in its page was the last one.
 */
#include "plugins/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/xalloc.h"

#define CAP_MIN 4096        /* bytes of the first buffer: most files fit */
#define CAP_MAX (64u << 20) /* a file that is larger is none of these */

static int file_open(struct proc_file *pf, struct err *err)
{
	pf->fd = open(pf->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (pf->fd < 0)
		return err_set(err, -errno, "%s: cannot be opened: %s; is this a Linux host with procfs mounted?",
			       pf->path, err_name(errno));
	return 0;
}

int proc_open(struct proc_file *pf, const char *root, const char *path, struct err *err)
{
	*pf = (struct proc_file){
		.fd = -1,
		.path = xasprintf("%s%s", root, path),
		.page = (size_t)sysconf(_SC_PAGESIZE),
		.record_max = PROC_RECORD_MAX,
	};
	return file_open(pf, err);
}

void proc_close(struct proc_file *pf)
{
	if (pf->path && pf->fd >= 0)
		close(pf->fd);
	free(pf->path);
	free(pf->buf);
	*pf = (struct proc_file){ .fd = -1 };
}

/* All of the file; the length or a negative errno. */
static ssize_t slurp(struct proc_file *pf)
{
	size_t len = 0;
	ssize_t n;

	do {
		if (len + PROC_SLACK >= pf->cap) {
			if (pf->cap >= CAP_MAX)
				return -EFBIG;
			pf->cap = pf->cap ? 2 * pf->cap : CAP_MIN + PROC_SLACK;
			pf->buf = xrealloc(pf->buf, pf->cap);
		}
		n = pread(pf->fd, pf->buf + len, pf->cap - PROC_SLACK - len, (off_t)len);
		if (n < 0 && errno == ESPIPE) /* some pseudo files cannot seek: what they have now is the whole */
			return (n = read(pf->fd, pf->buf, pf->cap - PROC_SLACK)) < 0 ? -errno : n;
		if (n < 0)
			return -errno;
		len += (size_t)n;
	} while (n && ((!pf->whole && (size_t)n + pf->record_max > pf->page) || len + PROC_SLACK == pf->cap));
	return (ssize_t)len;
}

int proc_read(struct proc_file *pf, struct err *err)
{
	ssize_t n;
	int rc;

	if (pf->fd < 0 && (rc = file_open(pf, err)))
		return rc;
	n = slurp(pf);
	if (n <= 0) {
		close(pf->fd);
		pf->fd = -1;
		pf->len = 0;
		return n ? err_set(err, (int)n, "%s: cannot be read: %s; does `cat` show it?", pf->path,
				   err_name((int)n))
			 : err_set(err, -ENODATA, "%s: is empty; does this kernel fill it?", pf->path);
	}
	pf->len = (size_t)n;
	memset(pf->buf + pf->len, 0, PROC_SLACK);
	return 0;
}
