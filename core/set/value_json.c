/* value_json.c - see value_json.h */
#include "core/set/value_json.h"

#include <inttypes.h>

#include "core/base/json_put.h"

static void put_number(struct buf *to, struct value v, uint32_t i)
{
	struct value_time t;

	switch (value_elem_type(v.type)) {
	case V_U8:
	case V_U16:
	case V_U32:
	case V_U64:
		buf_addf(to, "%" PRIu64, value_u64(v, i));
		break;
	case V_F32:
		json_put_f32(to, (float)value_d64(v, i));
		break;
	case V_D64:
		json_put_d64(to, value_d64(v, i));
		break;
	case V_TIMESTAMP:
		t = value_time(v);
		buf_addf(to, "%u.%06u", t.sec, t.usec);
		break;
	default:
		buf_addf(to, "%" PRId64, value_s64(v, i));
	}
}

static void put_text(struct buf *to, struct value v)
{
	const char *text;
	size_t len = value_text(v, &text);

	json_put_text(to, text, len);
}

static void put_numbers(struct buf *to, struct value v)
{
	buf_u8(to, '[');
	for (uint32_t i = 0; i < v.count; i++) {
		if (i)
			buf_u8(to, ',');
		put_number(to, v, i);
	}
	buf_u8(to, ']');
}

static void put_list(struct buf *to, const struct image *im, struct value list)
{
	buf_u8(to, '[');
	for (struct list_it it = list_first(list); it.off; it = list_next(im, it)) {
		if (it.off != list_first(list).off)
			buf_u8(to, ',');
		value_json_put(to, im, list_value(im, it));
	}
	buf_u8(to, ']');
}

static void put_record(struct buf *to, const struct image *im, struct value rec)
{
	uint32_t type = record_type_of(rec);

	buf_u8(to, '{');
	for (uint32_t i = 0; i < record_card(im->meta, type); i++) {
		if (i)
			buf_u8(to, ',');
		json_put_str(to, record_member(im->meta, type, i).name);
		buf_u8(to, ':');
		value_json_put(to, im, record_value(im, rec, i));
	}
	buf_u8(to, '}');
}

static void put_record_array(struct buf *to, const struct image *im, struct value arr)
{
	buf_u8(to, '[');
	for (uint32_t i = 0; i < record_array_len(arr); i++) {
		if (i)
			buf_u8(to, ',');
		put_record(to, im, record_array_get(im, arr, i));
	}
	buf_u8(to, ']');
}

void value_json_put(struct buf *to, const struct image *im, struct value v)
{
	switch (v.type) {
	case V_NONE:
		buf_addf(to, "null");
		break;
	case V_CHAR:
	case V_CHAR_ARRAY:
		put_text(to, v);
		break;
	case V_LIST:
		put_list(to, im, v);
		break;
	case V_RECORD_TYPE:
		buf_addf(to, "\"LDMS_V_RECORD_TYPE\"");
		break;
	case V_RECORD_INST:
		put_record(to, im, v);
		break;
	case V_RECORD_ARRAY:
		put_record_array(to, im, v);
		break;
	default:
		if (value_is_array(v.type))
			put_numbers(to, v);
		else
			put_number(to, v, 0);
	}
}
