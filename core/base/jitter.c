/* jitter.c - see jitter.h */
#include "core/base/jitter.h"

#include <sys/random.h>

#define PARTS 1024

int64_t jitter_us(int64_t us)
{
	uint32_t r = 0;

	if (getrandom(&r, sizeof(r), GRND_NONBLOCK) != sizeof(r))
		r = 0; /* a machine that has just begun has none yet */
	return us + us / 4 * (r % PARTS) / PARTS;
}
