/* spool_record.c - see spool_record.h */
#include "core/daemon/spool_record.h"

#include <errno.h>

#include "core/base/crc32c.h"
#include "core/base/rd.h"

#define CHECKED_FROM 8 /* where the part begins that the checksum is of */

static void put32(uint8_t *p, uint32_t v)
{
	v = htole32(v);
	memcpy(p, &v, sizeof(v));
}

void spool_record_put(struct buf *b, const struct snap *sn, uint64_t number, uint32_t rows_done, bool with_meta,
		      uint32_t meta_at)
{
	uint32_t meta_len = with_meta ? sn->meta->len : 0, size = SPOOL_RECORD_HDR + meta_len + sn->len;
	uint8_t *p = buf_reserve(b, size);

	number = htole64(number);
	put32(p, size);
	memcpy(p + 8, &number, sizeof(number));
	put32(p + 16, meta_len);
	put32(p + 20, sn->len);
	put32(p + 24, rows_done);
	put32(p + 28, meta_at);
	memcpy(p + SPOOL_RECORD_HDR, sn->meta->bytes, meta_len);
	memcpy(p + SPOOL_RECORD_HDR + meta_len, sn->bytes, sn->len);
	put32(p + 4, crc32c(p + CHECKED_FROM, size - CHECKED_FROM));
	b->len += size;
}

uint32_t spool_record_size(const uint8_t head[4])
{
	struct rd r = rd_over(head, 4);
	uint32_t size = rd_le32(&r);

	return size < SPOOL_RECORD_HDR ? 0 : size;
}

int spool_record_parse(const void *p, size_t len, struct spool_record *ret, struct err *err)
{
	struct rd r = rd_over(p, len);
	struct spool_record rec;
	uint32_t sum;

	rec.size = rd_le32(&r);
	sum = rd_le32(&r);
	rec.number = rd_le64(&r);
	rec.meta_len = rd_le32(&r);
	rec.data_len = rd_le32(&r);
	rec.rows_done = rd_le32(&r);
	rec.meta_at = rd_le32(&r);
	if (r.short_read || rec.size > len)
		return err_set(err, -EPROTO, "its last record is torn: %zu bytes", len);
	if ((uint64_t)rec.meta_len + rec.data_len + SPOOL_RECORD_HDR != rec.size)
		return err_set(err, -EPROTO, "a record of %u bytes cannot hold a set of %u and %u", rec.size,
			       rec.meta_len, rec.data_len);
	if (crc32c((const uint8_t *)p + CHECKED_FROM, rec.size - CHECKED_FROM) != sum)
		return err_set(err, -EPROTO, "record %llu: the checksum is wrong", (unsigned long long)rec.number);
	rec.image = rd_take(&r, rec.size - SPOOL_RECORD_HDR);
	*ret = rec;
	return 0;
}

bool spool_record_find(const uint8_t *p, size_t len, size_t from, uint64_t low, uint64_t high, size_t *ret_at,
		       uint64_t *ret_number)
{
	struct spool_record rec;
	uint64_t number;

	for (size_t at = from; at < len && len - at >= SPOOL_RECORD_HDR; at++) {
		memcpy(&number, p + at + 8, sizeof(number));
		number = le64toh(number);
		if (number < low || number >= high || !spool_record_size(p + at) ||
		    spool_record_parse(p + at, len - at, &rec, NULL))
			continue;
		*ret_at = at;
		*ret_number = number;
		return true;
	}
	return false;
}

int spool_record_meta(const struct spool_record *rec, struct snap_meta **ret, struct err *err)
{
	struct snap_meta *m = snap_meta_of(rec->image, rec->meta_len);
	int rc;

	if (!m)
		return err_set(err, -ENOMEM, "no memory for a set of %u bytes", rec->size);
	rc = image_check_meta((const struct set_meta *)m->bytes, rec->meta_len, err);
	if (rc) {
		snap_meta_put(m);
		return rc;
	}
	*ret = m;
	return 0;
}

int spool_record_snap(const struct spool_record *rec, struct snap_meta *meta, struct snap **ret, struct err *err)
{
	struct snap *sn = snap_with(meta, rec->image + rec->meta_len, rec->data_len);
	int rc = 0;

	if (!sn)
		return err_set(err, -ENOMEM, "no memory for a set of %u bytes", rec->size);
	if (le32toh(sn->im.meta->data_sz) != rec->data_len)
		rc = err_set(err, -EPROTO, "record %llu: %u bytes are not the %u of its set's data",
			     (unsigned long long)rec->number, rec->data_len, le32toh(sn->im.meta->data_sz));
	if (!rc)
		rc = image_check_data(sn->im.meta, sn->im.data, true, err);
	if (rc) {
		snap_put(sn);
		return rc;
	}
	*ret = sn;
	return 0;
}
