/* digits.h - numbers as decimal text, fast: what text stores spend most of their time on. */
#ifndef STORE_DIGITS_H
#define STORE_DIGITS_H

#include <stdint.h>
#include <string.h>

#define DIGITS_MAX 32 /* bytes that any number below may take: "-2.2250738585072014e-308" has 24 */

extern const char digit_pairs[201]; /* "00" "01" ... "99" */
extern const char digit_heads[201]; /* "0 " "1 " ... "9 " "10" ... "99" */

/* The first one or two digits of a number, v < 100. */
static inline char *put_head(char *p, uint32_t v)
{
	memcpy(p, digit_heads + 2 * v, 2);
	return p + 1 + (v >= 10);
}

/* Fixed point: `frac` holds a number below 1 in its low 32 bits; write the next two of its decimal digits. */
static inline uint64_t put_pair(char *p, uint64_t frac)
{
	frac = (frac & 0xffffffff) * 100;
	memcpy(p, digit_pairs + (frac >> 32) * 2, 2);
	return frac;
}

/* Eight digits, zeros in front; v < 100000000.  For this and the next: v / 10^k as a fixed point number, a hair above
 * the true value, whose whole part is the first two digits and whose fraction gives the others, a multiplication for
 * two, where divisions would give them last to first. */
static inline char *put_eight(char *p, uint32_t v)
{
	uint64_t f = ((v * 281474977ull) >> 16) + 1; /* 2^48 / 10^6 */

	memcpy(p, digit_pairs + (f >> 32) * 2, 2);
	f = put_pair(p + 2, f);
	f = put_pair(p + 4, f);
	put_pair(p + 6, f);
	return p + 8;
}

/* Write v < 100000000 at p; returns the place behind it. */
static inline __attribute__((always_inline)) char *put_u32_small(char *p, uint32_t v)
{
	uint64_t f;

	if (v < 100)
		return put_head(p, v);
	if (v < 10000) {
		f = v * 42949673ull; /* 2^32 / 10^2, rounded up */
		p = put_head(p, (uint32_t)(f >> 32));
		put_pair(p, f);
		return p + 2;
	}
	if (v < 1000000) {
		f = v * 429497ull; /* 2^32 / 10^4, rounded up */
		p = put_head(p, (uint32_t)(f >> 32));
		f = put_pair(p, f);
		put_pair(p + 2, f);
		return p + 4;
	}
	f = ((v * 281474977ull) >> 16) + 1; /* as put_eight() */
	p = put_head(p, (uint32_t)(f >> 32));
	f = put_pair(p, f);
	f = put_pair(p + 2, f);
	put_pair(p + 4, f);
	return p + 6;
}

char *put_u64_large(char *p, uint64_t v);

/* Write v at p; returns the place behind it.  One byte behind that may be written, too. */
static inline __attribute__((always_inline)) char *put_u64(char *p, uint64_t v)
{
	return v < 100000000 ? put_u32_small(p, (uint32_t)v) : put_u64_large(p, v);
}

static inline char *put_s64(char *p, int64_t v)
{
	if (v >= 0)
		return put_u64(p, (uint64_t)v);
	*p = '-';
	return put_u64(p + 1, -(uint64_t)v);
}

/* Six digits, zeros in front: microseconds.  v < 1000000. */
static inline char *put_six(char *p, uint32_t v)
{
	memcpy(p, digit_pairs + v / 10000 * 2, 2);
	memcpy(p + 2, digit_pairs + v / 100 % 100 * 2, 2);
	memcpy(p + 4, digit_pairs + v % 100 * 2, 2);
	return p + 6;
}

/* As printf's %.17g and %.9g: as many digits as give the same number back. */
char *put_d64(char *p, double v);
char *put_f32(char *p, float v);

#define FIXED_MAX 320 /* bytes of a number as %f: -DBL_MAX has 317 */

/* As printf's %f: six digits behind the point. */
char *put_fixed(char *p, double v);

#endif
