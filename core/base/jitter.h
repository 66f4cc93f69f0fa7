/* jitter.h - so that many who wait for the same do not come back as one. */
#ifndef CORE_BASE_JITTER_H
#define CORE_BASE_JITTER_H

#include <stdint.h>

/* A time, and up to a quarter more of it, another each time. */
int64_t jitter_us(int64_t us);

#endif
