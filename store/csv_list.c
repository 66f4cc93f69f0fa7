/* csv_list.c - which files are ours: PATH/.INSTANCE.files, lines of
 *
 *	+ DEV:INODE KIND CONTAINER SCHEMA PATH    opened
 *	= DEV:INODE PATH                          closed, and called so
 *	- DEV:INODE                               no more
 *
 * with tabs between.  Lines are appended as things happen; when there are many more of them than files, the file is
 * written anew.  A file is known by its inode as well as by its name, so that another one that took its name is not
 * ours.  A part of a line at the end (the daemon was killed there) is cut off.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"
#include "store/csv.h"
#include "store/csv_list.h"
#include "store/dirs.h"

#define LIST_MAX  (64u << 20) /* bytes: half a million files; a longer one is not ours */
#define SLACK     256         /* lines that may be there beyond those of the files */
#define LIST_PERM 0600

struct csv_list {
	pthread_mutex_t lock;
	char *path;
	int fd;
	bool failing; /* said */
	size_t lines;
	struct csv_entries e;
};

/* -- the file ------------------------------------------------------------------------------------------------------ */

static void list_failed(struct csv_list *l, int rc)
{
	if (!l->failing)
		log_error("store",
			  "file %s: cannot be written: %s; %s: files that are made meanwhile will be neither renamed "
			  "after a crash nor deleted when they are old",
			  l->path, err_name(rc), file_remedy(rc));
	l->failing = true;
}

/* All anew, in one step: a crash leaves the old one or the new one. */
static void notes_rewrite(struct csv_list *l)
{
	char *tmp = xasprintf("%s.new", l->path);
	int fd = open(tmp, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, LIST_PERM);
	struct buf b = { 0 };

	for (size_t i = 0; i < l->e.n; i++) {
		csv_begin_line(&b, &l->e.v[i]);
		if (!l->e.v[i].open)
			csv_end_line(&b, &l->e.v[i]);
	}
	if (fd >= 0 && !flock(fd, LOCK_EX | LOCK_NB) && write(fd, b.p ? b.p : (void *)"", b.len) == (ssize_t)b.len &&
	    !rename(tmp, l->path)) {
		close(l->fd);
		l->fd = fd;
		l->lines = l->e.n;
		l->failing = false;
	} else {
		list_failed(l, errno ? -errno : -ENOSPC);
		if (fd >= 0) {
			close(fd);
			unlink(tmp);
		}
	}
	buf_fini(&b);
	free(tmp);
}

static void note_append(struct csv_list *l, const struct buf *b)
{
	ssize_t n;

	errno = 0;
	if (l->failing || l->lines > 3 * l->e.n + SLACK) {
		notes_rewrite(l);
		return;
	}
	n = write(l->fd, b->p, b->len);
	l->lines++;
	if (n == (ssize_t)b->len)
		return;
	list_failed(l, n < 0 ? -errno : -ENOSPC);
	if (n > 0)
		n = ftruncate(l->fd, lseek(l->fd, 0, SEEK_END) - n);
}

/* What is there of those that were noted. */
static void list_look(struct csv_list *l)
{
	struct stat st;

	for (size_t i = l->e.n; i--;) {
		struct csv_entry *e = &l->e.v[i];

		if (lstat(e->path, &st) || st.st_dev != e->dev || st.st_ino != e->ino)
			csv_entry_del(&l->e, e);
	}
}

static int list_load(struct csv_list *l, struct err *err)
{
	struct buf b = { 0 };
	const char *tail;
	struct stat st;
	ssize_t n;

	if (fstat(l->fd, &st) || !S_ISREG(st.st_mode) || st.st_size > LIST_MAX)
		return err_set(err, -EINVAL, "file %s: is no list of files that this store has made; move it away",
			       l->path);
	while ((n = pread(l->fd, buf_reserve(&b, 65536), 65536, (off_t)b.len)) > 0)
		b.len += (size_t)n;
	tail = b.len ? memrchr(b.p, '\n', b.len) : NULL;
	b.len = tail ? (size_t)(tail - (char *)b.p) + 1 : 0;
	l->lines = csv_entries_read(&l->e, (char *)buf_str(&b));
	if (b.len != (size_t)st.st_size && ftruncate(l->fd, (off_t)b.len))
		list_failed(l, -errno);
	buf_fini(&b);
	list_look(l);
	return 0;
}

int csv_list_open(const char *dir, const char *instance, struct csv_list **ret, struct err *err)
{
	struct csv_list *l = xcalloc(1, sizeof(*l));
	char *name = file_fit_name(instance);
	int rc;

	pthread_mutex_init(&l->lock, NULL);
	l->path = xasprintf("%s/.%s.files", dir, name);
	free(name);
	l->fd = open(l->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, LIST_PERM);
	if (l->fd < 0)
		rc = err_set(err, -errno, "file %s: cannot be opened: %s; %s", l->path, err_name(-errno),
			     file_remedy(-errno));
	else if (flock(l->fd, LOCK_EX | LOCK_NB))
		rc = err_set(err, -EBUSY,
			     "file %s: another daemon has it, and writes below that folder by a store called %s, too; "
			     "give one of them another path or name",
			     l->path, instance);
	else
		rc = list_load(l, err);
	if (rc)
		csv_list_close(l);
	else
		*ret = l;
	return rc;
}

void csv_list_close(struct csv_list *l)
{
	if (!l)
		return;
	if (l->fd >= 0)
		close(l->fd);
	pthread_mutex_destroy(&l->lock);
	csv_entries_fini(&l->e);
	free(l->path);
	free(l);
}

/* -- what happens to files ----------------------------------------------------------------------------------------- */

void csv_list_begin(struct csv_list *l, const struct csv_named *n)
{
	struct buf b = { 0 };
	struct stat st;

	/* devices and the like are not to be renamed or deleted; what has a tab is not ours to tell */
	if (!l || lstat(n->path, &st) || !S_ISREG(st.st_mode) || strpbrk(n->path, "\t\n"))
		return;
	pthread_mutex_lock(&l->lock);
	csv_entry_begin(&l->e, st.st_dev, st.st_ino, n);
	csv_begin_line(&b, csv_entry_find(&l->e, st.st_dev, st.st_ino));
	note_append(l, &b);
	pthread_mutex_unlock(&l->lock);
	buf_fini(&b);
}

void csv_list_end(struct csv_list *l, const char *path)
{
	struct csv_entry *e;
	struct buf b = { 0 };
	struct stat st;

	if (!l || lstat(path, &st))
		return;
	pthread_mutex_lock(&l->lock);
	e = csv_entry_find(&l->e, st.st_dev, st.st_ino);
	if (e) {
		csv_entry_end(e, path);
		csv_end_line(&b, e);
		note_append(l, &b);
	}
	pthread_mutex_unlock(&l->lock);
	buf_fini(&b);
}

void csv_list_left(struct csv_list *l, char *(*fn)(const struct csv_named *n, void *arg), void *arg)
{
	pthread_mutex_lock(&l->lock);
	for (size_t i = 0; i < l->e.n; i++) {
		struct csv_entry *e = &l->e.v[i];
		struct buf b = { 0 };
		char *path;

		if (!e->open)
			continue;
		path = fn(&(struct csv_named){ e->path, e->container, e->schema, e->kind }, arg);
		csv_entry_end(e, path);
		csv_end_line(&b, e);
		note_append(l, &b);
		buf_fini(&b);
		free(path);
	}
	pthread_mutex_unlock(&l->lock);
}

/* -- retention ----------------------------------------------------------------------------------------------------- */

static int older(const void *a, const void *b)
{
	const struct csv_entry *x = a, *y = b;

	return x->mtime_us < y->mtime_us ? -1 : x->mtime_us > y->mtime_us;
}

static uint64_t entries_size(struct csv_entries *es)
{
	uint64_t sum = 0;
	struct stat st;

	for (size_t i = 0; i < es->n; i++) {
		struct csv_entry *e = &es->v[i];

		e->size = 0;
		if (lstat(e->path, &st) || st.st_dev != e->dev || st.st_ino != e->ino)
			continue;
		e->size = (uint64_t)st.st_size;
		e->mtime_us = st.st_mtim.tv_sec * SEC_US + st.st_mtim.tv_nsec / 1000;
		sum += e->size;
	}
	return sum;
}

unsigned int csv_list_prune(struct csv_list *l, const struct keep *keep, int64_t now_us)
{
	unsigned int n_deleted = 0;
	uint64_t sum, freed = 0;

	if (!l || (!keep->age_us && !keep->bytes))
		return 0;
	pthread_mutex_lock(&l->lock);
	list_look(l); /* others may delete or compress them */
	sum = entries_size(&l->e);
	qsort(l->e.v, l->e.n, sizeof(*l->e.v), older);
	for (size_t i = 0; i < l->e.n; i++) {
		struct csv_entry *e = &l->e.v[i];

		if (e->open)
			continue;
		if (!(keep->age_us && now_us - e->mtime_us > keep->age_us) && !(keep->bytes && sum > keep->bytes))
			break;
		if (unlink(e->path)) {
			log_warning("store", "file %s: cannot be deleted: %s; %s", e->path, err_name(-errno),
				    file_remedy(-errno));
			continue;
		}
		sum -= e->size;
		freed += e->size;
		n_deleted++;
	}
	if (n_deleted) {
		list_look(l);
		notes_rewrite(l);
		log_info("store",
			 "list %s: files=%zu bytes=%" PRIu64 "; deleted=%u of the oldest, bytes=%" PRIu64
			 ", as keep= says",
			 l->path, l->e.n, sum, n_deleted, freed);
	}
	pthread_mutex_unlock(&l->lock);
	return n_deleted;
}
