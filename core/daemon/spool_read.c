/* spool_read.c - a spool's records, read in order.  See spool.h */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/base/rd.h"
#include "core/daemon/spool_impl.h"
#include "store/dirs.h"

#define READ_AHEAD (256u << 10)

int64_t spool_pread(int fd, struct buf *b, uint64_t off, size_t want)
{
	size_t n = 0;

	while (n < want) {
		ssize_t k = pread(fd, (uint8_t *)buf_reserve(b, want - n), want - n, (off_t)(off + n));

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -errno;
		if (!k)
			break;
		b->len += (size_t)k;
		n += (size_t)k;
	}
	return (int64_t)n;
}

void spool_read_end(struct spool *sp)
{
	if (sp->read_fd >= 0)
		close(sp->read_fd);
	sp->read_fd = -1;
	buf_reset(&sp->in);
	spool_metas_clear(&sp->read);
	snap_put(sp->cur);
	sp->cur = NULL;
	sp->cur_rows_done = 0;
}

/* The segment that record `at` is in, or the next one. */
static const struct segment *segment_of(const struct spool *sp, uint64_t at, uint64_t *ret_behind)
{
	for (size_t i = 0; i < sp->n_segs; i++) {
		*ret_behind = i + 1 < sp->n_segs ? sp->segs[i + 1].first : sp->tail;
		if (*ret_behind > at)
			return &sp->segs[i];
	}
	return NULL;
}

static int segment_open(struct spool *sp, const struct segment *seg)
{
	char *path = spool_path(sp, seg->first);

	spool_read_end(sp);
	sp->read_fd = open(path, O_RDONLY | O_CLOEXEC);
	free(path);
	sp->read_first = seg->first;
	sp->read_off = 0;
	return sp->read_fd < 0 ? -errno : 0;
}

/* See that `n` bytes from read_off on are at hand; 0: the segment has them. */
static int fill(struct spool *sp, const struct segment *seg, size_t n)
{
	uint64_t off = sp->read_off + sp->in.len, left = seg->bytes > off ? seg->bytes - off : 0;
	size_t want = n > READ_AHEAD ? n : READ_AHEAD;
	int64_t k;

	if (sp->in.len >= n)
		return 0;
	want -= sp->in.len;
	k = spool_pread(sp->read_fd, &sp->in, off, left < want ? (size_t)left : want);
	if (k < 0)
		return (int)k;
	return sp->in.len >= n ? 0 : -EPROTO;
}

/* The bytes of the record at read_off, parsed. */
static int record_read(struct spool *sp, const struct segment *seg, struct spool_record *rec, struct err *err)
{
	uint32_t size;
	int rc = fill(sp, seg, SPOOL_RECORD_HDR);

	if (rc)
		return err_set(err, rc, "it ends too early: %s", err_name(rc));
	size = spool_record_size(sp->in.p);
	if (!size || size > seg->bytes - sp->read_off)
		return err_set(err, -EPROTO, "a record of %u bytes does not fit", size);
	rc = fill(sp, seg, size);
	if (rc)
		return err_set(err, rc, "it ends too early: %s", err_name(rc));
	return spool_record_parse(sp->in.p, sp->in.len, rec, err);
}

static void advance(struct spool *sp, uint32_t size)
{
	buf_consume(&sp->in, size);
	sp->read_off += size;
}

/* What cannot be read does not keep the rest: go on behind it. */
static void pass_spoilt(struct spool *sp, const struct segment *seg, uint64_t to, const struct err *err)
{
	log_error("store", "spool %s: segment %016" PRIx64 ": %s; dropped=%" PRIu64, sp->dir, seg->first, err->msg,
		  to - sp->at);
	sp->spoilt += to - sp->at;
	sp->at = to;
}

/* Is the spoilt record's size still right: does the next one begin behind it? */
static uint32_t spoilt_size(struct spool *sp, const struct segment *seg, uint64_t behind)
{
	uint32_t size = sp->in.len >= 4 ? spool_record_size(sp->in.p) : 0;
	struct rd r;

	if (!size || size > seg->bytes - sp->read_off)
		return 0;
	if (size == seg->bytes - sp->read_off)
		return sp->at + 1 == behind ? size : 0;
	if (fill(sp, seg, (size_t)size + SPOOL_RECORD_HDR))
		return 0;
	r = rd_over(sp->in.p + size + 8, 8);
	return rd_le64(&r) == sp->at + 1 ? size : 0;
}

/* A record that does not even tell where it ends: go on at the next that is whole. */
static void pass_unknown(struct spool *sp, const struct segment *seg, uint64_t behind, const struct err *err)
{
	uint64_t number, left = seg->bytes - sp->read_off;
	struct buf b = { 0 };
	size_t at;

	/* the first ones may be there for their metadata alone */
	if (spool_pread(sp->read_fd, &b, sp->read_off, left) > 0 &&
	    spool_record_find(b.p, b.len, 1, seg->first, behind, &at, &number)) {
		if (number > sp->at)
			pass_spoilt(sp, seg, number, err);
		sp->read_off += at;
		buf_reset(&sp->in);
	} else {
		pass_spoilt(sp, seg, behind, err);
		spool_read_end(sp);
	}
	buf_fini(&b);
}

/* The record's metadata, yours: its own, which later ones may refer to, or those that it refers to. */
static int record_meta(struct spool *sp, const struct spool_record *rec, struct snap_meta **ret, struct err *err)
{
	struct snap_meta *m;
	int rc;

	if (!rec->meta_len) {
		m = spool_metas_at(&sp->read, rec->meta_at);
		if (!m)
			return err_set(err, -EPROTO, "record %" PRIu64 ": its metadata are not at %u", rec->number,
				       rec->meta_at);
		*ret = snap_meta_get(m);
		return 0;
	}
	if (rec->number < sp->at && rec->meta_at != SPOOL_META_KEPT)
		return 0; /* nobody wants them */
	rc = spool_record_meta(rec, ret, err);
	if (!rc && rec->meta_at == SPOOL_META_KEPT && !spool_metas_at(&sp->read, (uint32_t)sp->read_off))
		spool_metas_add(&sp->read, *ret, (uint32_t)sp->read_off);
	return rc;
}

/* One step: 1 when a snapshot is at hand, 0 to go on. */
static int step(struct spool *sp, const struct segment *seg, uint64_t behind, struct err *err)
{
	struct snap_meta *meta = NULL;
	struct err gap = { "" };
	struct spool_record rec;
	int rc = record_read(sp, seg, &rec, err);

	if (rc && rc != -EPROTO)
		return err_prefix(err, rc, "spool %s: ", sp->dir); /* the disk: it may come back */
	if (!rc && (rec.number < seg->first || rec.number >= behind))
		rc = err_set(err, -EPROTO, "record %" PRIu64 " does not belong there", rec.number);
	if (rc) {
		uint32_t size = spoilt_size(sp, seg, behind);

		if (size) {
			pass_spoilt(sp, seg, sp->at + 1, err);
			advance(sp, size);
		} else {
			pass_unknown(sp, seg, behind, err);
		}
		return 0;
	}
	rc = record_meta(sp, &rec, &meta, err);
	if (rc == -ENOMEM)
		return err_prefix(err, rc, "spool %s: ", sp->dir);
	if (rec.number < sp->at) { /* done with by the last process */
		snap_meta_put(meta);
		advance(sp, rec.size);
		return 0;
	}
	if (rec.number > sp->at) {
		err_set(&gap, -EPROTO, "records are missing before %" PRIu64, rec.number);
		pass_spoilt(sp, seg, rec.number, &gap);
	}
	if (!rc)
		rc = spool_record_snap(&rec, meta, &sp->cur, err);
	snap_meta_put(meta);
	if (rc == -ENOMEM)
		return err_prefix(err, rc, "spool %s: ", sp->dir);
	if (rc) {
		pass_spoilt(sp, seg, rec.number + 1, err);
		advance(sp, rec.size);
		return 0;
	}
	sp->cur_size = rec.size;
	sp->cur_rows_done = rec.rows_done;
	return 1;
}

int spool_peek(struct spool *sp, struct snap **ret, struct err *err)
{
	const struct segment *seg;
	struct err why = { "" };
	uint64_t behind;
	int rc = 0;

	*ret = NULL;
	while (!sp->cur && (seg = segment_of(sp, sp->at, &behind))) {
		if (sp->at < seg->first) {
			err_set(&why, -EPROTO, "the records before it are missing");
			pass_spoilt(sp, seg, seg->first, &why);
		}
		if (sp->read_fd < 0 || sp->read_first != seg->first)
			rc = segment_open(sp, seg);
		if (rc == -ENOENT) {
			err_set(&why, rc, "somebody has removed it");
			pass_spoilt(sp, seg, behind, &why);
			rc = 0;
			continue;
		}
		if (rc)
			return err_set(err, rc, "spool %s: segment %016" PRIx64 ": %s; %s", sp->dir, seg->first,
				       err_name(rc), file_remedy(rc));
		rc = step(sp, seg, behind, &why);
		if (rc < 0)
			return err_set(err, rc, "%s", why.msg);
		rc = 0;
	}
	*ret = sp->cur;
	return 0;
}

uint32_t *spool_rows_done(struct spool *sp)
{
	return &sp->cur_rows_done;
}

void spool_pass(struct spool *sp)
{
	snap_put(sp->cur);
	sp->cur = NULL;
	sp->cur_rows_done = 0;
	advance(sp, sp->cur_size);
	sp->at++;
}

void spool_pass_all(struct spool *sp)
{
	spool_read_end(sp);
	sp->at = sp->tail;
}

uint64_t spool_at(const struct spool *sp)
{
	return sp->at;
}

uint64_t spool_spoilt(struct spool *sp)
{
	uint64_t n = sp->spoilt;

	sp->spoilt = 0;
	return n;
}
