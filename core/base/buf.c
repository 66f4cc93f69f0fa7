/* buf.c - see buf.h */
#include "core/base/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "core/base/xalloc.h"

#define BUF_MIN   256   /* first allocation, bytes */
#define SLURP_LEN 65536 /* bytes read at a time */

void buf_fini(struct buf *b)
{
	free(b->p);
	*b = (struct buf){ 0 };
}

void *buf_reserve(struct buf *b, size_t more)
{
	size_t cap = b->cap ? b->cap : BUF_MIN;

	if (b->cap - b->len >= more && b->p)
		return b->p + b->len;
	while (cap - b->len < more)
		cap *= 2;
	b->p = xrealloc(b->p, cap);
	b->cap = cap;
	return b->p + b->len;
}

void buf_add(struct buf *b, const void *p, size_t len)
{
	if (!len)
		return;
	memcpy(buf_reserve(b, len), p, len);
	b->len += len;
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap, again;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	buf_reserve(b, 64);
	n = vsnprintf((char *)b->p + b->len, b->cap - b->len, fmt, ap);
	va_end(ap);
	if (n > 0 && (size_t)n >= b->cap - b->len) {
		buf_reserve(b, (size_t)n + 1);
		n = vsnprintf((char *)b->p + b->len, b->cap - b->len, fmt, again);
	}
	va_end(again);
	if (n > 0)
		b->len += (size_t)n;
}

void buf_consume(struct buf *b, size_t n)
{
	b->len -= n;
	if (b->len)
		memmove(b->p, b->p + n, b->len);
}

const char *buf_str(struct buf *b)
{
	*(char *)buf_reserve(b, 1) = '\0';
	return (const char *)b->p;
}

int buf_slurp(struct buf *b, FILE *f, size_t max)
{
	size_t before = b->len, n;

	do {
		errno = 0;
		n = fread(buf_reserve(b, SLURP_LEN), 1, SLURP_LEN, f);
		b->len += n;
	} while (n && b->len - before <= max);
	if (b->len - before > max)
		return -EFBIG;
	return !ferror(f) ? 0 : errno ? -errno : -EIO;
}
