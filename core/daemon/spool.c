/* spool.c - a spool's segments: written, bounded, removed.  See spool.h */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/xalloc.h"
#include "core/daemon/spool_impl.h"
#include "store/dirs.h"

char *spool_path(const struct spool *sp, uint64_t first)
{
	return xasprintf("%s/%016" PRIx64 ".spool", sp->dir, first);
}

struct spool_counts *spool_counts(struct spool *sp)
{
	return &sp->account->counts;
}

struct undo *spool_undo(struct spool *sp)
{
	return sp->undo;
}

uint64_t spool_tail(const struct spool *sp)
{
	return sp->tail;
}

uint64_t spool_bytes(const struct spool *sp)
{
	return sp->bytes;
}

bool spool_is_there(const struct spool *sp)
{
	struct stat st;

	return !fstat(sp->account_fd, &st) && st.st_nlink;
}

/* -- segments ------------------------------------------------------------------------------------------------------ */

void segment_add(struct spool *sp, const struct segment *seg)
{
	sp->segs = xrealloc(sp->segs, (sp->n_segs + 1) * sizeof(*sp->segs));
	sp->segs[sp->n_segs++] = *seg;
	sp->bytes += seg->bytes;
}

static void segment_end(struct spool *sp)
{
	if (sp->fd < 0)
		return;
	if (fdatasync(sp->fd))
		log_error("store", "spool %s: %s; what was written last may be lost with the machine", sp->dir,
			  err_name(errno));
	close(sp->fd);
	sp->fd = -1;
}

/* The first one, with all that is in it. */
static void segment_remove(struct spool *sp)
{
	struct segment *seg = &sp->segs[0];
	char *path = spool_path(sp, seg->first);

	if (sp->n_segs == 1)
		segment_end(sp);
	if (sp->read_fd >= 0 && sp->read_first == seg->first)
		spool_read_end(sp);
	if (unlink(path) && errno != ENOENT)
		log_error("store", "spool %s: cannot be removed: %s", path, err_name(errno));
	sp->bytes -= seg->bytes;
	memmove(&sp->segs[0], &sp->segs[1], --sp->n_segs * sizeof(*sp->segs));
	free(path);
}

/* The number behind the first segment. */
static uint64_t segment_behind(const struct spool *sp)
{
	return sp->n_segs > 1 ? sp->segs[1].first : sp->tail;
}

static int segment_begin(struct spool *sp, struct err *err)
{
	char *path = spool_path(sp, sp->tail);
	int64_t now = wall_us();
	int rc = 0;

	segment_end(sp);
	spool_metas_clear(&sp->written);
	if (sp->n_segs && sp->segs[sp->n_segs - 1].first == sp->tail)
		sp->n_segs--; /* nothing could be written to it */
	sp->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (sp->fd < 0) {
		rc = -errno;
		err_set(err, rc, "spool %s: cannot be made: %s; %s", path, err_name(rc), file_remedy(rc));
	} else {
		segment_add(sp, &(struct segment){ .first = sp->tail, .made_us = now, .last_us = now });
	}
	free(path);
	return rc;
}

uint64_t spool_shrink(struct spool *sp, uint64_t more, int64_t oldest_us)
{
	uint64_t lowest = sp->account->counts.taken;

	while (sp->n_segs && (sp->bytes + more > sp->bytes_max || sp->segs[0].last_us < oldest_us)) {
		uint64_t behind = segment_behind(sp);

		segment_remove(sp);
		lowest = behind > lowest ? behind : lowest;
	}
	if (sp->at < lowest) {
		spool_read_end(sp);
		sp->at = lowest;
	}
	return lowest;
}

void spool_clean(struct spool *sp)
{
	while (sp->n_segs && segment_behind(sp) <= sp->account->counts.taken)
		segment_remove(sp);
}

/* -- writing ------------------------------------------------------------------------------------------------------- */

static int write_all(int fd, const struct buf *b, uint64_t off)
{
	for (size_t n = 0; n < b->len;) {
		ssize_t k = pwrite(fd, b->p + n, b->len - n, (off_t)(off + n));

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return k ? -errno : -ENOSPC;
		n += (size_t)k;
	}
	return 0;
}

/* Put a record behind what is to be written from `base` on; metadata that will be met again are written once. */
static void record_put(struct spool *sp, const struct snap *sn, uint64_t base, uint64_t number, uint32_t rows_done)
{
	uint32_t at = (uint32_t)(base + sp->out.len);

	if (!sn->shares && atomic_load_explicit(&sn->meta->refs, memory_order_relaxed) == 1) {
		spool_record_put(&sp->out, sn, number, rows_done, true, 0); /* nobody else has them */
	} else if (spool_metas_refer(&sp->written, sn->meta, &at)) {
		spool_record_put(&sp->out, sn, number, rows_done, false, at);
	} else {
		spool_metas_add(&sp->written, sn->meta, at);
		spool_record_put(&sp->out, sn, number, rows_done, true, SPOOL_META_KEPT);
	}
}

int spool_add(struct spool *sp, struct snap *const *sn, size_t n, uint32_t rows_done, struct err *err)
{
	struct segment *seg;
	int rc = 0;

	if (sp->fd < 0 || sp->segs[sp->n_segs - 1].bytes >= sp->segment_max)
		rc = segment_begin(sp, err);
	if (rc)
		return rc;
	buf_reset(&sp->out);
	seg = &sp->segs[sp->n_segs - 1];
	for (size_t i = 0; i < n; i++)
		record_put(sp, sn[i], seg->bytes, sp->tail + i, i ? 0 : rows_done);
	rc = write_all(sp->fd, &sp->out, seg->bytes);
	if (rc) {
		spool_metas_clear(&sp->written); /* some of them are not there */
		if (ftruncate(sp->fd, (off_t)seg->bytes))
			segment_end(sp); /* what is torn stays behind it, and is cut off later */
		return err_set(err, rc, "spool %s: cannot be written: %s; %s", sp->dir, err_name(rc), file_remedy(rc));
	}
	seg->bytes += sp->out.len;
	seg->last_us = wall_us();
	sp->bytes += sp->out.len;
	sp->tail += n;
	return 0;
}

void spool_close(struct spool *sp)
{
	if (!sp)
		return;
	if (sp->account)
		spool_clean(sp);
	segment_end(sp);
	spool_read_end(sp);
	if (sp->account)
		munmap(sp->account, sizeof(*sp->account));
	if (sp->account_fd >= 0)
		close(sp->account_fd);
	undo_close(sp->undo);
	spool_metas_clear(&sp->written);
	buf_fini(&sp->in);
	buf_fini(&sp->out);
	free(sp->segs);
	free(sp->dir);
	free(sp);
}
