/* record.c - see record.h */
#include "core/ctl/record.h"

#include <errno.h>

#include "core/base/rd.h"

int record_parse(const void *bytes, size_t len, struct record *ret, struct err *err)
{
	struct rd r = rd_over(bytes, len);
	uint32_t marker = rd_be32(&r), rec_len;

	ret->type = rd_be32(&r);
	ret->flags = rd_be32(&r);
	ret->msg_no = rd_be32(&r);
	ret->code = rd_be32(&r);
	rec_len = rd_be32(&r);
	if (r.short_read || marker != RECORD_MARKER)
		return err_set(err, -EPROTO, "Config request is missing record marker");
	if (rec_len > RECORD_MAX)
		return err_set(err, -E2BIG, "a record of %u bytes; at most %u fit", rec_len, RECORD_MAX);
	if (rec_len < RECORD_HDR_SZ || rec_len > len)
		return err_set(err, -EINVAL, "LDMSD received a bad request: a record says %u bytes and has %zu",
			       rec_len, len);
	ret->body = r.p;
	ret->body_len = rec_len - RECORD_HDR_SZ;
	return 0;
}

int record_attrs(const uint8_t *body, size_t len, struct record_attr *attrs, size_t max, struct err *err)
{
	struct rd r = rd_over(body, len);
	size_t n = 0;

	if (len != RECORD_END_SZ && len < RECORD_ATTR_SZ)
		return err_set(err, -EINVAL, "LDMSD received a bad request.");
	while (rd_be32(&r)) {
		uint32_t id = rd_be32(&r), vlen = rd_be32(&r);
		const uint8_t *value = rd_take(&r, vlen);

		if (r.short_read || (vlen && value[vlen - 1])) {
			r.short_read = true;
			break;
		}
		if (n == max)
			return err_set(err, -EINVAL, "LDMSD received a bad request: more than %zu attributes", max);
		attrs[n++] = (struct record_attr){ id, vlen ? (const char *)value : NULL, vlen };
		if (rd_left(&r) < RECORD_END_SZ) {
			r.short_read = true;
			break;
		}
	}
	if (r.short_read)
		return err_set(err, -EINVAL, "LDMSD received a bad request.");
	return (int)n;
}

void record_put(struct buf *body, uint32_t id, const void *value, size_t len)
{
	buf_be32(body, 1);
	buf_be32(body, id);
	buf_be32(body, (uint32_t)len);
	buf_add(body, value, len);
}

void record_end(struct buf *body)
{
	buf_be32(body, 0);
}

void record_send(uint32_t type, uint32_t msg_no, uint32_t code, const struct buf *body,
		 void (*send)(void *arg, const void *rec, size_t len), void *arg)
{
	const size_t room = RECORD_MAX - RECORD_HDR_SZ;
	size_t off = 0;

	do {
		size_t n = body->len - off < room ? body->len - off : room;
		struct buf rec = { 0 };

		buf_be32(&rec, RECORD_MARKER);
		buf_be32(&rec, type);
		buf_be32(&rec, (off ? 0 : RECORD_FIRST) | (off + n == body->len ? RECORD_LAST : 0));
		buf_be32(&rec, msg_no);
		buf_be32(&rec, code);
		buf_be32(&rec, (uint32_t)(RECORD_HDR_SZ + n));
		buf_add(&rec, body->p + off, n);
		send(arg, rec.p, rec.len);
		buf_fini(&rec);
		off += n;
	} while (off < body->len);
}
