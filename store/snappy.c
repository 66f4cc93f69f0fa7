/* snappy.c - see snappy.h
 *
 *   varint     length of what it becomes
 *   elements   a byte whose low two bits are 0: a literal; the upper six: its length - 1, or 60 to 63: that stands in
 *              the next 1 to 4 bytes, little endian.  Others copy what was before; we write none of them by ourselves.
 */
#include "store/snappy.h"

#include <pthread.h>
#include <stdbool.h>

#include "core/base/library.h"

/* Of snappy-c.h, which has not changed since it is there. */
static struct snappy {
	int (*compress)(const char *in, size_t in_len, char *out, size_t *out_len);
	size_t (*max_compressed_length)(size_t len);
} snappy;
static bool there;

static struct library library = {
	.files = (const char *const[]){ "libsnappy.so.1", NULL },
	.functions = (const char *const[]){ "snappy_compress", "snappy_max_compressed_length", NULL },
	.table = &snappy,
	.package = "libsnappy",
	.lock = PTHREAD_MUTEX_INITIALIZER,
};

static void look(void)
{
	there = !library_get(&library, NULL);
}

void snappy_put(const void *p, size_t len, struct buf *to)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	size_t room;

	pthread_once(&once, look);
	room = there ? snappy.max_compressed_length(len) : 0;
	if (room && !snappy.compress(p, len, buf_reserve(to, room), &room))
		to->len += room;
	else
		snappy_put_literals(p, len, to);
}

#define LITERAL_MAX 65536 /* bytes of one; with two of length */

void snappy_put_literals(const void *p, size_t len, struct buf *to)
{
	const uint8_t *at = p;
	uint32_t n = (uint32_t)len;

	for (; n >= 0x80; n >>= 7)
		buf_u8(to, (uint8_t)(n | 0x80));
	buf_u8(to, (uint8_t)n);
	for (; len; len -= n, at += n) {
		n = len < LITERAL_MAX ? (uint32_t)len : LITERAL_MAX;
		buf_u8(to, 61 << 2);
		buf_u8(to, (uint8_t)(n - 1));
		buf_u8(to, (uint8_t)((n - 1) >> 8));
		buf_add(to, at, n);
	}
}
