/* value.c - see value.h */
#include "core/set/value.h"

enum form { NUMBER_NONE, NUMBER_UINT, NUMBER_SINT, NUMBER_F32, NUMBER_D64, NUMBER_TIME };

static const struct {
	const char *name;
	enum value_type elem;
	uint8_t size; /* of one element */
	enum form form;
} types[V_TYPE_MAX + 1] = {
	[V_NONE] = { "none", V_NONE, 0, NUMBER_NONE },
	[V_CHAR] = { "char", V_CHAR, 1, NUMBER_SINT },
	[V_U8] = { "u8", V_U8, 1, NUMBER_UINT },
	[V_S8] = { "s8", V_S8, 1, NUMBER_SINT },
	[V_U16] = { "u16", V_U16, 2, NUMBER_UINT },
	[V_S16] = { "s16", V_S16, 2, NUMBER_SINT },
	[V_U32] = { "u32", V_U32, 4, NUMBER_UINT },
	[V_S32] = { "s32", V_S32, 4, NUMBER_SINT },
	[V_U64] = { "u64", V_U64, 8, NUMBER_UINT },
	[V_S64] = { "s64", V_S64, 8, NUMBER_SINT },
	[V_F32] = { "f32", V_F32, 4, NUMBER_F32 },
	[V_D64] = { "d64", V_D64, 8, NUMBER_D64 },
	[V_CHAR_ARRAY] = { "char[]", V_CHAR, 1, NUMBER_SINT },
	[V_U8_ARRAY] = { "u8[]", V_U8, 1, NUMBER_UINT },
	[V_S8_ARRAY] = { "s8[]", V_S8, 1, NUMBER_SINT },
	[V_U16_ARRAY] = { "u16[]", V_U16, 2, NUMBER_UINT },
	[V_S16_ARRAY] = { "s16[]", V_S16, 2, NUMBER_SINT },
	[V_U32_ARRAY] = { "u32[]", V_U32, 4, NUMBER_UINT },
	[V_S32_ARRAY] = { "s32[]", V_S32, 4, NUMBER_SINT },
	[V_U64_ARRAY] = { "u64[]", V_U64, 8, NUMBER_UINT },
	[V_S64_ARRAY] = { "s64[]", V_S64, 8, NUMBER_SINT },
	[V_F32_ARRAY] = { "f32[]", V_F32, 4, NUMBER_F32 },
	[V_D64_ARRAY] = { "d64[]", V_D64, 8, NUMBER_D64 },
	[V_LIST] = { "list<>", V_LIST, 0, NUMBER_NONE },
	[V_LIST_ENTRY] = { "list_entry", V_LIST_ENTRY, 0, NUMBER_NONE },
	[V_RECORD_TYPE] = { "record_type", V_RECORD_TYPE, 0, NUMBER_NONE },
	[V_RECORD_INST] = { "record_inst", V_RECORD_INST, 0, NUMBER_NONE },
	[V_RECORD_ARRAY] = { "record[]", V_RECORD_ARRAY, 0, NUMBER_NONE },
	[V_TIMESTAMP] = { "timestamp", V_TIMESTAMP, 8, NUMBER_TIME },
};

static bool type_known(enum value_type t)
{
	return (unsigned int)t <= V_TYPE_MAX;
}

const char *value_type_name(enum value_type t)
{
	return types[type_known(t) ? t : V_NONE].name;
}

enum value_type value_type_find(const char *name)
{
	unsigned int t;

	for (t = 1; t <= V_TYPE_MAX; t++)
		if (!strcmp(types[t].name, name))
			return t;
	return V_NONE;
}

size_t value_elem_size(enum value_type t)
{
	return type_known(t) ? types[t].size : 0;
}

bool value_is_array(enum value_type t)
{
	return t >= V_CHAR_ARRAY && t <= V_D64_ARRAY;
}

enum value_type value_elem_type(enum value_type t)
{
	return type_known(t) ? types[t].elem : t;
}

size_t value_size(enum value_type t, uint32_t count)
{
	return VALUE_ROUND(value_elem_size(t) * (value_is_array(t) ? count : 1));
}

/* The bits of element i, in host order, zero-extended.  Loads of a fixed size are an instruction each. */
static uint64_t bits_at(struct value v, uint32_t i)
{
	size_t size = types[v.type].size;
	const uint8_t *p = v.p + i * size;
	uint64_t bits64;
	uint32_t bits32;
	uint16_t bits16;

	switch (size) {
	case 8:
		memcpy(&bits64, p, sizeof(bits64));
		return le64toh(bits64);
	case 4:
		memcpy(&bits32, p, sizeof(bits32));
		return le32toh(bits32);
	case 2:
		memcpy(&bits16, p, sizeof(bits16));
		return le16toh(bits16);
	default:
		return *p;
	}
}

static int64_t sint_at(struct value v, uint32_t i)
{
	unsigned int shift = 64 - 8 * types[v.type].size;

	return (int64_t)(bits_at(v, i) << shift) >> shift;
}

static double float_at(struct value v, uint32_t i)
{
	uint64_t bits = bits_at(v, i);
	uint32_t low = (uint32_t)bits;
	double d;
	float f;

	if (types[v.type].form == NUMBER_F32) {
		memcpy(&f, &low, sizeof(f));
		return f;
	}
	memcpy(&d, &bits, sizeof(d));
	return d;
}

/* C leaves the conversion of what does not fit undefined, and a peer may send any bits: the nearest, and 0 for NaN. */
static int64_t double_s64(double d)
{
	if (d != d)
		return 0;
	if (d >= 0x1p63)
		return INT64_MAX;
	return d < -0x1p63 ? INT64_MIN : (int64_t)d;
}

static uint64_t double_u64(double d)
{
	if (d < 0x1p63 || d != d)
		return (uint64_t)double_s64(d); /* negative ones wrap, as integers do */
	return d >= 0x1p64 ? UINT64_MAX : (uint64_t)d;
}

static enum form form_at(struct value v, uint32_t i)
{
	return i < v.count && type_known(v.type) ? types[v.type].form : NUMBER_NONE;
}

uint64_t value_u64(struct value v, uint32_t i)
{
	switch (form_at(v, i)) {
	case NUMBER_UINT:
		return bits_at(v, i);
	case NUMBER_SINT:
		return (uint64_t)sint_at(v, i);
	case NUMBER_F32:
	case NUMBER_D64:
		return double_u64(float_at(v, i));
	case NUMBER_TIME:
		return value_time(v).sec;
	case NUMBER_NONE:
		break;
	}
	return 0;
}

int64_t value_s64(struct value v, uint32_t i)
{
	switch (form_at(v, i)) {
	case NUMBER_F32:
	case NUMBER_D64:
		return double_s64(float_at(v, i));
	default:
		return (int64_t)value_u64(v, i);
	}
}

double value_d64(struct value v, uint32_t i)
{
	switch (form_at(v, i)) {
	case NUMBER_UINT:
		return (double)bits_at(v, i);
	case NUMBER_SINT:
		return (double)sint_at(v, i);
	case NUMBER_F32:
	case NUMBER_D64:
		return float_at(v, i);
	case NUMBER_TIME:
		return value_time(v).sec + value_time(v).usec / 1e6;
	case NUMBER_NONE:
		break;
	}
	return 0;
}

struct value_time value_time(struct value v)
{
	uint64_t bits;

	if (form_at(v, 0) != NUMBER_TIME)
		return (struct value_time){ 0 };
	bits = bits_at(v, 0);
	return (struct value_time){ .sec = (uint32_t)bits, .usec = (uint32_t)(bits >> 32) };
}

size_t value_text(struct value v, const char **ret)
{
	if (value_elem_type(v.type) != V_CHAR) {
		*ret = "";
		return 0;
	}
	*ret = (const char *)v.p;
	return strnlen(*ret, v.count);
}
