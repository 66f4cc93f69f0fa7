/* digits.c - see digits.h */
#include "store/digits.h"

#include <math.h>
#include <stdio.h>

#define TEN(d) #d "0" #d "1" #d "2" #d "3" #d "4" #d "5" #d "6" #d "7" #d "8" #d "9"
const char digit_pairs[201] = TEN(0) TEN(1) TEN(2) TEN(3) TEN(4) TEN(5) TEN(6) TEN(7) TEN(8) TEN(9);

#define ONE(d) #d " "
const char digit_heads[201] = ONE(0) ONE(1) ONE(2) ONE(3) ONE(4) ONE(5) ONE(6) ONE(7) ONE(8) ONE(9) /* one digit */
	TEN(1) TEN(2) TEN(3) TEN(4) TEN(5) TEN(6) TEN(7) TEN(8) TEN(9);

char *put_u64_large(char *p, uint64_t v)
{
	uint64_t high = v / 100000000;

	p = high < 100000000 ? put_u32_small(p, (uint32_t)high) : put_u64_large(p, high);
	return put_eight(p, (uint32_t)(v % 100000000));
}

/* Whole numbers of up to `digits` digits are printed by %g as integers are; many metrics hold nothing else. */
static char *put_real(char *p, double v, int digits, double whole_max)
{
	if (fabs(v) < whole_max && (double)(int64_t)v == v && !(v == 0 && signbit(v)))
		return put_s64(p, (int64_t)v);
	return p + snprintf(p, DIGITS_MAX, "%.*g", digits, v);
}

char *put_d64(char *p, double v)
{
	return put_real(p, v, 17, 1e17);
}

char *put_f32(char *p, float v)
{
	return put_real(p, v, 9, 1e9);
}

/* Rounded to millionths by hand where that is certain: v * 10^6 is `x` and a rest that fma() gives exactly; the true
 * product must be clearly nearer to one whole number than to the next. */
char *put_fixed(char *p, double v)
{
	double a = fabs(v), x = a * 1e6, whole, off;
	uint64_t n;

	if (!(x < 1e15))
		return p + snprintf(p, FIXED_MAX, "%f", v);
	whole = floor(x);
	off = (x - whole) + fma(a, 1e6, -x);
	if (fabs(off - 0.5) < 1e-6)
		return p + snprintf(p, FIXED_MAX, "%f", v);
	n = (uint64_t)whole + (off > 0.5);
	if (signbit(v))
		*p++ = '-';
	p = put_u64(p, n / 1000000);
	*p++ = '.';
	return put_six(p, (uint32_t)(n % 1000000));
}
