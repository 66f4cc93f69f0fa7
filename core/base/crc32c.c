/* crc32c.c - see crc32c.h */
#include "core/base/crc32c.h"

#include <pthread.h>

#define POLYNOMIAL 0x82f63b78u /* reflected */

static uint32_t table[256];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void table_make(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t v = i;

		for (int bit = 0; bit < 8; bit++)
			v = v >> 1 ^ (v & 1 ? POLYNOMIAL : 0);
		table[i] = v;
	}
}

uint32_t crc32c(const void *p, size_t len)
{
	const uint8_t *at = p;
	uint32_t v = ~0u;

	pthread_once(&once, table_make);
	for (size_t i = 0; i < len; i++)
		v = v >> 8 ^ table[(v ^ at[i]) & 0xff];
	return ~v;
}
