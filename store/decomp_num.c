/* decomp_num.c - numbers of one type made into another's, by C's rules; what C leaves undefined is the nearest there is */
#include "store/decomp_impl.h"

bool num_is_float(enum value_type t)
{
	t = value_elem_type(t);
	return t == V_F32 || t == V_D64;
}

bool num_converts(enum value_type from, enum value_type to)
{
	return value_elem_size(from) && value_elem_size(to) && from != V_CHAR_ARRAY && to != V_CHAR_ARRAY;
}

/* Microseconds, for timestamps. */
__int128 num_int(struct value v, uint32_t i)
{
	struct value_time t;

	switch (value_elem_type(v.type)) {
	case V_TIMESTAMP:
		t = value_time(v);
		return (__int128)t.sec * 1000000 + t.usec;
	case V_U64:
		return value_u64(v, i);
	default:
		return value_s64(v, i);
	}
}

static void put_bits(uint8_t *at, size_t size, uint32_t i, uint64_t bits)
{
	bits = htole64(bits);
	memcpy(at + i * size, &bits, size); /* the low ones */
}

void num_put_int(uint8_t *at, enum value_type type, uint32_t i, __int128 n)
{
	type = value_elem_type(type);
	if (type == V_TIMESTAMP)
		put_bits(at, 8, i, (uint64_t)(uint32_t)(n / 1000000) | (uint64_t)(n % 1000000) << 32);
	else if (num_is_float(type))
		num_put_float(at, type, i, (double)n);
	else
		put_bits(at, value_elem_size(type), i, (uint64_t)n);
}

void num_put_float(uint8_t *at, enum value_type type, uint32_t i, double n)
{
	uint8_t bytes[8];
	struct value d64 = { V_D64, 1, bytes };
	uint64_t bits;
	uint32_t low;
	float f;

	type = value_elem_type(type);
	memcpy(&bits, &n, sizeof(bits));
	if (type == V_D64)
		return put_bits(at, sizeof(bits), i, bits);
	if (type == V_F32) {
		f = (float)n;
		memcpy(&low, &f, sizeof(low));
		return put_bits(at, sizeof(low), i, low);
	}
	put_bits(bytes, sizeof(bits), 0, bits);
	if (type == V_TIMESTAMP)
		num_put_int(at, type, i, n > 0 && n < 0x1p32 ? (__int128)(n * 1e6) : 0);
	else
		num_put_int(at, type, i, type == V_U64 ? (__int128)value_u64(d64, 0) : value_s64(d64, 0));
}

struct value num_convert(struct value v, enum value_type to, uint32_t count, uint8_t *room)
{
	uint32_t n = v.count < count ? v.count : count;

	memset(room, 0, value_size(to, count));
	for (uint32_t i = 0; i < n; i++) {
		if (num_is_float(v.type) || (num_is_float(to) && v.type == V_TIMESTAMP))
			num_put_float(room, to, i, value_d64(v, i));
		else if (v.type == V_TIMESTAMP || to == V_TIMESTAMP)
			num_put_int(room, to, i, (__int128)value_u64(v, i) * (to == V_TIMESTAMP ? 1000000 : 1));
		else if (value_elem_type(v.type) == V_U64 && num_is_float(to))
			num_put_float(room, to, i, value_d64(v, i));
		else
			num_put_int(room, to, i, num_int(v, i));
	}
	return (struct value){ to, count, room };
}
