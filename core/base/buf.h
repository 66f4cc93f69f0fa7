/* buf.h - a growable run of bytes, and the writing side of the wire's integers.
 *
 * A buf starts as all zero (or buf_init) and ends with buf_fini().  Memory is asked from malloc; growth that fails ends
 * the program in xrealloc(): sizes that come from a peer are checked against a maximum before they get here.
 */
#ifndef CORE_BASE_BUF_H
#define CORE_BASE_BUF_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct buf {
	uint8_t *p;
	size_t len; /* bytes in use */
	size_t cap; /* bytes allocated */
};

void buf_fini(struct buf *b);
/* Make room for `more` bytes behind the end; the pointer is to the first of them.  buf->len is not changed. */
void *buf_reserve(struct buf *b, size_t more);
void buf_add(struct buf *b, const void *p, size_t len);
void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Drop `n` bytes from the front. */
void buf_consume(struct buf *b, size_t n);
/* Put a NUL behind the bytes (not counted in len) and give them as text; borrowed. */
const char *buf_str(struct buf *b);
/* Add the rest of the file: -EFBIG when that is more than `max` bytes, -errno when it cannot be read. */
int buf_slurp(struct buf *b, FILE *f, size_t max);

static inline void buf_reset(struct buf *b)
{
	b->len = 0;
}

static inline void buf_be16(struct buf *b, uint16_t v)
{
	v = htobe16(v);
	buf_add(b, &v, sizeof(v));
}

static inline void buf_be32(struct buf *b, uint32_t v)
{
	v = htobe32(v);
	buf_add(b, &v, sizeof(v));
}

static inline void buf_be64(struct buf *b, uint64_t v)
{
	v = htobe64(v);
	buf_add(b, &v, sizeof(v));
}

static inline void buf_u8(struct buf *b, uint8_t v)
{
	buf_add(b, &v, sizeof(v));
}

/* Raw: the sender's byte order, never interpreted by the other side. */
static inline void buf_raw32(struct buf *b, uint32_t v)
{
	buf_add(b, &v, sizeof(v));
}

static inline void buf_raw64(struct buf *b, uint64_t v)
{
	buf_add(b, &v, sizeof(v));
}

#endif
