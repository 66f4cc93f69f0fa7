/* clock.h - the two clocks, in microseconds.  Samples and updates fall on the wall clock; time-outs on the other. */
#ifndef CORE_BASE_CLOCK_H
#define CORE_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline int64_t clock_us(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static inline int64_t wall_us(void)
{
	return clock_us(CLOCK_REALTIME);
}

static inline int64_t wall_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static inline int64_t mono_us(void)
{
	return clock_us(CLOCK_MONOTONIC);
}

/* The first interval * k + offset (k whole; offset may be negative) later than now. */
static inline int64_t next_slot_us(int64_t now_us, int64_t interval_us, int64_t offset_us)
{
	int64_t k = (now_us - offset_us) / interval_us;

	if (now_us < offset_us)
		k--; /* division rounds toward zero */
	return (k + 1) * interval_us + offset_us;
}

#endif
