/* avro.c - see avro.h */
#include "store/avro.h"

#include <stdlib.h>

#include "core/base/utf8.h"

enum avro_form { FORM_LONG, FORM_FLOAT, FORM_DOUBLE, FORM_TEXT, FORM_MILLIS };

/* Of scalars, and of the elements of arrays. */
static const struct avro_type {
	enum avro_form form;
	bool is_signed;
	const char *text, *dflt; /* JSON; NULL: no default */
} types[V_TYPE_MAX + 1] = {
#define LOGICAL(type, logical) "{\"type\":\"" type "\",\"logicalType\":\"" logical "\"}"
	[V_CHAR] = { FORM_TEXT, false, LOGICAL("string", "single-character"), "\" \"" },
	[V_U8] = { FORM_LONG, false, LOGICAL("int", "uint8"), "0" },
	[V_S8] = { FORM_LONG, true, LOGICAL("int", "int8"), "0" },
	[V_U16] = { FORM_LONG, false, LOGICAL("int", "unsigned-short"), "0" },
	[V_S16] = { FORM_LONG, true, LOGICAL("int", "signed-short"), "0" },
	[V_U32] = { FORM_LONG, false, LOGICAL("long", "unsigned-int"), "0" },
	[V_S32] = { FORM_LONG, true, "\"int\"", "0" },
	[V_U64] = { FORM_LONG, false, LOGICAL("long", "unsigned-long"), "0" },
	[V_S64] = { FORM_LONG, true, "\"long\"", "0" },
	[V_F32] = { FORM_FLOAT, true, "\"float\"", "0.0" },
	[V_D64] = { FORM_DOUBLE, true, "\"double\"", "0.0" },
	[V_CHAR_ARRAY] = { FORM_TEXT, false, "\"string\"", "\"\"" },
	[V_TIMESTAMP] = { FORM_MILLIS, false, LOGICAL("long", "timestamp-millis"), NULL },
#undef LOGICAL
};

static bool is_array(enum value_type type)
{
	return value_is_array(type) && type != V_CHAR_ARRAY;
}

void avro_schema_put(struct buf *to, const char *name, const struct row_fields *f)
{
	char *ours = row_field_name_avro(name);

	buf_addf(to, "{\"name\":\"%s\",\"type\":\"record\",\"fields\":[", ours);
	free(ours);
	for (uint32_t i = 0; i < f->n; i++) {
		bool array = is_array(f->v[i].type);
		const struct avro_type *t = &types[array ? value_elem_type(f->v[i].type) : f->v[i].type];
		const char *dflt = array ? "[]" : t->dflt;

		buf_addf(to, "%s{\"name\":\"%s\",\"type\":", i ? "," : "", f->v[i].name);
		buf_addf(to, array ? "{ \"type\" : \"array\", \"items\": %s }" : "%s", t->text);
		if (dflt)
			buf_addf(to, ",\"default\":%s", dflt);
		buf_u8(to, '}');
	}
	buf_addf(to, "]}");
}

/* -- values -------------------------------------------------------------------------------------------------------- */

static void put_long(struct buf *to, int64_t v)
{
	uint64_t z = ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
	uint8_t *at = buf_reserve(to, 10), *p = at;

	for (; z > 0x7f; z >>= 7)
		*p++ = (uint8_t)(z | 0x80);
	*p++ = (uint8_t)z;
	to->len += (size_t)(p - at);
}

static void put_d64(struct buf *to, double d)
{
	uint64_t bits;

	memcpy(&bits, &d, sizeof(bits));
	bits = htole64(bits);
	buf_add(to, &bits, sizeof(bits));
}

static void put_f32(struct buf *to, float f)
{
	uint32_t bits;

	memcpy(&bits, &f, sizeof(bits));
	bits = htole32(bits);
	buf_add(to, &bits, sizeof(bits));
}

/* Bytes that are no part of a character become the characters that Latin-1 has for them: two bytes each. */
static void put_text(struct buf *to, struct value v)
{
	const char *text;
	size_t len = value_text(v, &text), odd = 0;
	const unsigned char *p, *end;

	p = (const unsigned char *)text;
	end = p + len;
	for (const unsigned char *at = p; at < end;) {
		size_t n = utf8_len(at, (size_t)(end - at));

		odd += !n;
		at += n ? n : 1;
	}
	put_long(to, (int64_t)(len + odd));
	if (!odd) {
		buf_add(to, p, len);
		return;
	}
	while (p < end) {
		size_t n = utf8_len(p, (size_t)(end - p));

		if (n)
			buf_add(to, p, n);
		else
			buf_add(to, (uint8_t[]){ (uint8_t)(0xc0 | *p >> 6), (uint8_t)(0x80 | (*p & 0x3f)) }, 2);
		p += n ? n : 1;
	}
}

/* Element i of a value, as one of type t; of a value that is none, 0. */
static inline void put_elem(struct buf *to, const struct avro_type *t, struct value v, uint32_t i)
{
	struct value_time time;

	switch (t->form) {
	case FORM_LONG:
		put_long(to, t->is_signed ? value_s64(v, i) : (int64_t)value_u64(v, i));
		break;
	case FORM_FLOAT:
		put_f32(to, (float)value_d64(v, i));
		break;
	case FORM_DOUBLE:
		put_d64(to, value_d64(v, i));
		break;
	case FORM_TEXT:
		put_text(to, v);
		break;
	case FORM_MILLIS:
		time = value_time(v);
		put_long(to, (int64_t)time.sec * 1000 + time.usec / 1000);
		break;
	}
}

static void put_array(struct buf *to, const struct avro_type *t, struct value v)
{
	uint32_t n = is_array(v.type) ? v.count : 0;

	if (n)
		put_long(to, n);
	for (uint32_t i = 0; i < n; i++)
		put_elem(to, t, v, i);
	put_long(to, 0);
}

void avro_row_put(struct buf *to, const struct row_fields *f, const struct row *row)
{
	struct row_field_room time;

	for (uint32_t i = 0; i < f->n; i++) {
		struct value v = row_field_value(&f->v[i], row, &time);
		enum value_type type = f->v[i].type;

		if (is_array(type))
			put_array(to, &types[value_elem_type(type)], v);
		else
			put_elem(to, &types[type], v, 0);
	}
}
