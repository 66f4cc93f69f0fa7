/* json_row.c - see json_row.h */
#include "store/json_row.h"

#include <math.h>
#include <stdlib.h>

#include "core/base/json_put.h"
#include "core/base/xalloc.h"
#include "store/csv.h"
#include "store/digits.h"

void json_row_init(struct json_row *j, const struct row_schema *rs)
{
	*j = (struct json_row){ 0 };
	row_fields_init(&j->fields, rs, ROW_FIELD_NAMES_AS_IS);
	j->key_ends = xcalloc(j->fields.n + 1, sizeof(*j->key_ends));
	j->room = 4;
	for (uint32_t i = 0; i < j->fields.n; i++) {
		const struct row_field *f = &j->fields.v[i];

		buf_u8(&j->keys, i ? ',' : '{');
		json_put_str(&j->keys, f->name);
		buf_u8(&j->keys, ':');
		j->key_ends[i] = (uint32_t)j->keys.len;
	}
	j->room += j->keys.len + (size_t)j->fields.n * (2 * DIGITS_MAX);
}

void json_row_fini(struct json_row *j)
{
	row_fields_fini(&j->fields);
	buf_fini(&j->keys);
	free(j->key_ends);
	*j = (struct json_row){ 0 };
}

/* Nearly all texts need no escapes. */
static bool is_plain(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] < ' ' || text[i] > '~' || text[i] == '"' || text[i] == '\\')
			return false;
	return true;
}

static void put_text(struct buf *to, struct value v)
{
	const char *text;
	size_t len = value_text(v, &text);

	if (is_plain(text, len)) {
		buf_u8(to, '"');
		buf_add(to, text, len);
		buf_u8(to, '"');
	} else {
		json_put_text(to, text, len);
	}
}

/* A number or a timestamp, in at most 2 * DIGITS_MAX bytes. */
static char *put_number(char *p, struct value v)
{
	if (!value_elem_size(v.type) && v.type != V_TIMESTAMP)
		return stpcpy(p, "null");
	if ((v.type == V_F32 || v.type == V_D64) && !isfinite(value_d64(v, 0)))
		return stpcpy(p, "null");
	return csv_put_value(p, v);
}

static bool is_text(enum value_type type)
{
	return type == V_CHAR || type == V_CHAR_ARRAY;
}

static void put_array(struct buf *to, struct value v)
{
	enum value_type type = value_elem_type(v.type);
	size_t size = value_elem_size(type);
	char *at = buf_reserve(to, 2 + (size_t)v.count * (DIGITS_MAX + 1)), *p = at;

	*p++ = '[';
	for (uint32_t i = 0; i < v.count; i++) {
		if (i)
			*p++ = ',';
		p = put_number(p, (struct value){ type, 1, v.p + i * size });
	}
	*p++ = ']';
	to->len += (size_t)(p - at);
}

void json_row_put(struct buf *to, const struct json_row *j, const struct row *row)
{
	char *at = buf_reserve(to, j->room), *p = at;
	const uint8_t *key = j->keys.p;
	struct row_field_room time;
	uint64_t bits;

	if (!j->fields.n)
		*p++ = '{';
	for (uint32_t i = 0; i < j->fields.n; i++) {
		const uint8_t *end = j->keys.p + j->key_ends[i];
		struct value v = row_field_value(&j->fields.v[i], row, &time);

		memcpy(p, key, (size_t)(end - key));
		p += end - key;
		key = end;
		if (v.type == V_U64) { /* nearly all there is */
			memcpy(&bits, v.p, sizeof(bits));
			p = put_u64(p, le64toh(bits));
			continue;
		}
		if (!is_text(v.type) && !value_is_array(v.type)) {
			p = put_number(p, v);
			continue;
		}
		to->len += (size_t)(p - at);
		if (is_text(v.type))
			put_text(to, v);
		else
			put_array(to, v);
		p = at = buf_reserve(to, j->room);
	}
	*p++ = '}';
	to->len += (size_t)(p - at);
}
