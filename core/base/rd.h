/* rd.h - reading bytes from a peer: a cursor that knows its end and remembers the first short read.
 *
 * Code reads top to bottom and checks `short_read` once.  After a short read every value is 0 and every pointer NULL.
 */
#ifndef CORE_BASE_RD_H
#define CORE_BASE_RD_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct rd {
	const uint8_t *p, *end;
	bool short_read;
};

static inline struct rd rd_over(const void *p, size_t len)
{
	return (struct rd){ .p = p, .end = len ? (const uint8_t *)p + len : p }; /* nothing may be nowhere: NULL, 0 */
}

static inline size_t rd_left(const struct rd *r)
{
	return (size_t)(r->end - r->p);
}

/* The next n bytes, borrowed; NULL when they are not there. */
static inline const uint8_t *rd_take(struct rd *r, size_t n)
{
	const uint8_t *p = r->p;

	if (r->short_read || n > rd_left(r)) {
		r->short_read = true;
		return NULL;
	}
	r->p += n;
	return p;
}

static inline uint8_t rd_u8(struct rd *r)
{
	const uint8_t *p = rd_take(r, 1);

	return p ? *p : 0;
}

#define RD_INT(name, type, conv)                                                                                       \
	static inline type name(struct rd *r)                                                                          \
	{                                                                                                              \
		const uint8_t *p = rd_take(r, sizeof(type));                                                           \
		type v = 0;                                                                                            \
		if (p)                                                                                                 \
			memcpy(&v, p, sizeof(v));                                                                      \
		return conv(v);                                                                                        \
	}
RD_INT(rd_be16, uint16_t, be16toh)
RD_INT(rd_be32, uint32_t, be32toh)
RD_INT(rd_be64, uint64_t, be64toh)
RD_INT(rd_le16, uint16_t, le16toh)
RD_INT(rd_le32, uint32_t, le32toh)
RD_INT(rd_le64, uint64_t, le64toh)
RD_INT(rd_raw32, uint32_t, ) /* the sender's byte order: only handed back */
RD_INT(rd_raw64, uint64_t, )
#undef RD_INT

#endif
