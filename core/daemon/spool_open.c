/* spool_open.c - what the last process left of a spool, found again.  See spool.h */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "core/daemon/spool_impl.h"
#include "store/dirs.h"

#define DIR_PERM 0750

static const char magic[8] = "LDMSSPL1";

/* -- the account --------------------------------------------------------------------------------------------------- */

static int account_lock(struct spool *sp, const char *path, struct err *err)
{
	int rc;

	sp->account_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (sp->account_fd < 0) {
		rc = -errno;
		return err_set(err, rc, "spool %s: cannot be opened: %s; %s", path, err_name(rc), file_remedy(rc));
	}
	if (flock(sp->account_fd, LOCK_EX | LOCK_NB))
		return err_set(err, -EBUSY, "spool %s: another daemon uses it; give each a folder of its own", sp->dir);
	/* room on the disk beforehand: a page that cannot be written back would end us */
	rc = posix_fallocate(sp->account_fd, 0, sizeof(*sp->account));
	return rc ? err_set(err, -rc, "spool %s: %s; %s", path, err_name(rc), file_remedy(-rc)) : 0;
}

static int account_open(struct spool *sp, struct err *err)
{
	char *path = xasprintf("%s/account", sp->dir);
	struct account none = { 0 };
	void *p;
	int rc = account_lock(sp, path, err);

	if (rc)
		goto out;
	p = mmap(NULL, sizeof(*sp->account), PROT_READ | PROT_WRITE, MAP_SHARED, sp->account_fd, 0);
	if (p == MAP_FAILED) {
		rc = -errno;
		err_set(err, rc, "spool %s: cannot be mapped: %s", path, err_name(rc));
		goto out;
	}
	sp->account = p;
	if (memcmp(sp->account, &none, sizeof(none)) && memcmp(sp->account->magic, magic, sizeof(magic)))
		rc = err_set(err, -EINVAL, "spool %s: is no account of a spool; move it away", path);
out:
	free(path);
	return rc;
}

/* -- the segments -------------------------------------------------------------------------------------------------- */

static int segment_order(const void *a, const void *b)
{
	const struct segment *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

static void segment_meet(struct spool *sp, const char *name)
{
	struct segment seg = { 0 };
	struct stat sb;
	char *path;
	int end = 0;

	if (sscanf(name, "%16" SCNx64 ".spool%n", &seg.first, &end) != 1 || !end || name[end])
		return;
	path = spool_path(sp, seg.first);
	if (!stat(path, &sb) && S_ISREG(sb.st_mode)) {
		seg.bytes = (uint64_t)sb.st_size;
		seg.made_us = seg.last_us = (int64_t)sb.st_mtim.tv_sec * 1000000 + sb.st_mtim.tv_nsec / 1000;
		segment_add(sp, &seg);
	}
	free(path);
}

/* What is whole in `b`, the last segment: the tail is behind it.  Returns where it ends. */
static size_t segment_walk(struct spool *sp, const struct buf *b)
{
	struct spool_record rec;
	size_t off = 0, next;
	uint64_t number;

	while (off < b->len) {
		if (!spool_record_parse(b->p + off, b->len - off, &rec, NULL) && rec.number == sp->tail) {
			off += rec.size;
			sp->tail++;
			continue;
		}
		/* spoilt, or torn?  What is spoilt has others behind it, and is counted when it is read */
		if (!spool_record_find(b->p, b->len, off + 1, sp->tail + 1,
				       sp->tail + 1 + (b->len - off) / SPOOL_RECORD_HDR, &next, &number))
			break;
		off = next;
		sp->tail = number;
	}
	return off;
}

/* Count what is there in the last segment, and cut off what is torn at its end. */
static int last_segment_check(struct spool *sp, struct err *err)
{
	struct segment *seg = &sp->segs[sp->n_segs - 1];
	char *path = spool_path(sp, seg->first);
	struct buf b = { 0 };
	size_t off;
	int64_t n;
	int fd = open(path, O_RDWR | O_CLOEXEC), rc = 0;

	n = fd < 0 ? -errno : spool_pread(fd, &b, 0, seg->bytes);
	if (n < 0) {
		rc = err_set(err, (int)n, "spool %s: %s; %s", path, err_name((int)n), file_remedy((int)n));
		goto out;
	}
	sp->tail = seg->first;
	off = segment_walk(sp, &b);
	if (off < seg->bytes) {
		log_warning("store", "spool %s: bytes=%zu at its end are torn; they are cut off", path,
			    (size_t)(seg->bytes - off));
		if (ftruncate(fd, (off_t)off))
			log_warning("store", "spool %s: cannot be cut: %s", path, err_name(errno));
	}
	sp->bytes -= seg->bytes - off;
	seg->bytes = off;
out:
	if (fd >= 0)
		close(fd);
	buf_fini(&b);
	free(path);
	return rc;
}

static int segments_find(struct spool *sp, struct err *err)
{
	DIR *dir = opendir(sp->dir);
	struct dirent *e;
	int rc;

	if (!dir) {
		rc = -errno;
		return err_set(err, rc, "spool %s: cannot be read: %s; %s", sp->dir, err_name(rc), file_remedy(rc));
	}
	while ((e = readdir(dir)))
		segment_meet(sp, e->d_name);
	closedir(dir);
	if (!sp->n_segs)
		return 0;
	qsort(sp->segs, sp->n_segs, sizeof(*sp->segs), segment_order);
	return last_segment_check(sp, err);
}

static int undo_begin(struct spool *sp, struct err *err)
{
	char *path = xasprintf("%s/undo", sp->dir);
	int rc = undo_open(path, &sp->undo, err);

	free(path);
	return rc;
}

/* -- all of it --------------------------------------------------------------------------------------------------------- */

/* Make the numbers agree: what is neither stored nor dropped nor here was in the memory of the last process. */
static uint64_t balance(struct spool *sp)
{
	struct spool_counts *c = &sp->account->counts;
	uint64_t known, lost = 0, first = sp->n_segs ? sp->segs[0].first : 0;

	if (!sp->account->magic[0])
		c->taken = first; /* a new account */
	else if (sp->n_segs && c->taken < first) {
		c->taken_dropped += first - c->taken;
		c->taken = first;
	}
	if (sp->tail < c->taken)
		sp->tail = c->taken;
	/* the new account has not met what was taken before it */
	known = c->stored + c->dropped + sp->tail;
	if (c->produced < known)
		c->produced = known;
	lost = c->produced - known;
	c->dropped += lost;
	memcpy(sp->account->magic, magic, sizeof(magic));
	sp->at = c->taken;
	return lost;
}

int spool_open(const char *dir, uint64_t bytes_max, struct spool **ret, uint64_t *ret_lost, struct err *err)
{
	struct spool *sp = xcalloc(1, sizeof(*sp));
	int rc = dirs_make(dir, DIR_PERM, (uid_t)-1, (gid_t)-1, err);

	sp->dir = xstrdup(dir);
	sp->bytes_max = bytes_max;
	sp->segment_max = bytes_max / 8 < SPOOL_SEGMENT_MAX ? bytes_max / 8 : SPOOL_SEGMENT_MAX;
	sp->account_fd = sp->fd = sp->read_fd = -1;
	if (!rc)
		rc = account_open(sp, err);
	if (!rc)
		rc = segments_find(sp, err);
	if (!rc)
		rc = undo_begin(sp, err);
	if (rc) {
		spool_close(sp);
		return rc;
	}
	undo_apply(sp->undo, sp->account->counts.taken, sp->tail);
	*ret_lost = balance(sp);
	undo_settle(sp->undo, sp->account->counts.taken);
	spool_clean(sp);
	*ret = sp;
	return 0;
}
