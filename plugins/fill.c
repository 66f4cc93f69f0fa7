/* fill.c - see fill.h */
#include "plugins/fill.h"

#include <endian.h>
#include <string.h>

static uint32_t f32_bits(float f)
{
	uint32_t bits;

	memcpy(&bits, &f, sizeof(bits));
	return bits;
}

static uint64_t d64_bits(double d)
{
	uint64_t bits;

	memcpy(&bits, &d, sizeof(bits));
	return bits;
}

/* Element `to` of a type of that size. */
static void put(uint8_t *to, size_t size, uint64_t bits)
{
	bits = htole64(bits);
	if (size == sizeof(bits))
		memcpy(to, &bits, sizeof(bits));
	else
		memcpy(to, &bits, size);
}

void fill_ints(void *to, enum value_type t, uint32_t n, uint64_t v, int64_t step)
{
	enum value_type elem = value_elem_type(t);
	size_t size = value_elem_size(t);
	uint8_t *at = to;

	if (elem == V_U64 || elem == V_S64) { /* most there is: nothing to be asked for each */
		for (uint8_t *end = at + n * sizeof(v); at < end; at += sizeof(v), v += (uint64_t)step)
			put(at, sizeof(v), v);
		return;
	}
	for (uint32_t i = 0; i < n; i++, at += size, v += (uint64_t)step) {
		if (elem == V_CHAR)
			*at = (uint8_t)('a' + v % 26);
		else if (elem == V_F32)
			put(at, size, f32_bits((float)(int64_t)v));
		else if (elem == V_D64)
			put(at, size, d64_bits((double)(int64_t)v));
		else
			put(at, size, v);
	}
	if (elem == V_CHAR && value_is_array(t) && n > 1)
		at[-1] = 0;
}

void fill_reals(void *to, enum value_type t, uint32_t n, double v, double step)
{
	enum value_type elem = value_elem_type(t);
	size_t size = value_elem_size(t);
	uint8_t *at = to;

	for (uint32_t i = 0; i < n; i++, at += size) {
		double x = v + i * step;

		if (elem == V_F32)
			put(at, size, f32_bits((float)x));
		else if (elem == V_D64)
			put(at, size, d64_bits(x));
		else
			put(at, size, (uint64_t)(int64_t)x);
	}
}
