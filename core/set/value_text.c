/* value_text.c - see value_text.h */
#include "core/set/value_text.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/base/xalloc.h"

/* -- scalars and arrays -------------------------------------------------------------------------------------------- */

static void put_text(struct buf *to, struct value v)
{
	const char *text;
	size_t len = value_text(v, &text);

	buf_u8(to, '"');
	buf_add(to, text, len);
	buf_u8(to, '"');
}

static void put_elem(struct buf *to, struct value v, uint32_t i)
{
	struct value_time t;

	switch (v.type) {
	case V_CHAR:
		buf_addf(to, "'%c'", (char)value_s64(v, i));
		break;
	case V_U8_ARRAY:
		buf_addf(to, "0x%02" PRIx64, value_u64(v, i));
		break;
	case V_U8:
	case V_U16:
	case V_U32:
	case V_U64:
	case V_U16_ARRAY:
	case V_U32_ARRAY:
	case V_U64_ARRAY:
		buf_addf(to, "%" PRIu64, value_u64(v, i));
		break;
	case V_F32:
	case V_D64:
	case V_F32_ARRAY:
	case V_D64_ARRAY:
		buf_addf(to, "%f", value_d64(v, i));
		break;
	case V_TIMESTAMP:
		t = value_time(v);
		buf_addf(to, "%u.%06u", t.sec, t.usec);
		break;
	default:
		buf_addf(to, "%" PRId64, value_s64(v, i));
	}
}

static void put_plain(struct buf *to, struct value v)
{
	if (v.type == V_CHAR_ARRAY) {
		put_text(to, v);
		return;
	}
	for (uint32_t i = 0; i < v.count; i++) {
		if (i)
			buf_u8(to, ',');
		put_elem(to, v, i);
	}
}

/* -- the entries of a list and the records of a record[], one after the other -------------------------------------- */

struct rows {
	const struct image *im;
	struct value v;
	struct list_it it;
	uint32_t i;
};

static struct rows rows_of(const struct image *im, struct value v)
{
	return (struct rows){ .im = im, .v = v, .it = v.type == V_LIST ? list_first(v) : (struct list_it){ 0 } };
}

static bool rows_next(struct rows *r, struct value *ret)
{
	if (r->v.type == V_RECORD_ARRAY) {
		if (r->i == record_array_len(r->v))
			return false;
		*ret = record_array_get(r->im, r->v, r->i++);
		return true;
	}
	if (!r->it.off)
		return false;
	*ret = list_value(r->im, r->it);
	r->it = list_next(r->im, r->it);
	return true;
}

/* -- lists and records in one line --------------------------------------------------------------------------------- */

static void put_inline_list(struct buf *to, const struct image *im, struct value list);

static void put_inline_record(struct buf *to, const struct image *im, struct value rec)
{
	uint32_t type = record_type_of(rec);

	buf_u8(to, '{');
	for (uint32_t i = 0; i < record_card(im->meta, type); i++) {
		buf_addf(to, "%s%s=", i ? "," : "", record_member(im->meta, type, i).name);
		put_plain(to, record_value(im, rec, i));
	}
	buf_u8(to, '}');
}

static void put_entry(struct buf *to, const struct image *im, struct value v)
{
	bool brackets = value_is_array(v.type) && v.type != V_CHAR_ARRAY;

	if (v.type == V_LIST) {
		put_inline_list(to, im, v);
		return;
	}
	if (v.type == V_RECORD_INST) {
		put_inline_record(to, im, v);
		return;
	}
	if (brackets)
		buf_u8(to, '[');
	put_plain(to, v);
	if (brackets)
		buf_u8(to, ']');
}

static void put_inline_list(struct buf *to, const struct image *im, struct value list)
{
	struct rows r = rows_of(im, list);
	const char *sep = "";
	struct value v;

	buf_u8(to, '[');
	while (rows_next(&r, &v)) {
		buf_addf(to, "%s", sep);
		put_entry(to, im, v);
		sep = ",";
	}
	buf_addf(to, "]\n");
}

/* -- tables of records --------------------------------------------------------------------------------------------- */

/* Are there records, and nothing but records of one type? */
static bool rows_agree(const struct image *im, struct value v, uint32_t *ret_type)
{
	struct rows r = rows_of(im, v);
	struct value rec;
	bool any = false;

	while (rows_next(&r, &rec)) {
		if (rec.type != V_RECORD_INST || (any && record_type_of(rec) != *ret_type))
			return false;
		*ret_type = record_type_of(rec);
		any = true;
	}
	return any;
}

static void put_title(struct buf *to, struct metric m)
{
	buf_addf(to, *m.unit ? "%s (%s)" : "%s", m.name, m.unit);
}

static void put_table(struct buf *to, const struct image *im, struct value v, uint32_t type)
{
	uint32_t card = record_card(im->meta, type), i;
	size_t *width = xcalloc(card, sizeof(*width));
	struct rows r = rows_of(im, v);
	struct buf cell = { 0 };
	struct value rec;

	for (i = 0; i < card; i++) {
		buf_reset(&cell);
		put_title(&cell, record_member(im->meta, type, i));
		width[i] = cell.len;
	}
	while (rows_next(&r, &rec))
		for (i = 0; i < card; i++) {
			buf_reset(&cell);
			put_plain(&cell, record_value(im, rec, i));
			if (cell.len > width[i])
				width[i] = cell.len;
		}
	buf_addf(to, "\n ");
	for (i = 0; i < card; i++) {
		buf_reset(&cell);
		put_title(&cell, record_member(im->meta, type, i));
		buf_addf(to, " %*s", (int)width[i], buf_str(&cell));
	}
	for (r = rows_of(im, v); rows_next(&r, &rec);) {
		buf_addf(to, "\n ");
		for (i = 0; i < card; i++) {
			buf_reset(&cell);
			put_plain(&cell, record_value(im, rec, i));
			buf_addf(to, " %*s", (int)width[i], buf_str(&cell)); /* a char that is NUL ends its cell */
		}
	}
	buf_fini(&cell);
	free(width);
}

void value_text_put(struct buf *to, const struct image *im, struct value v)
{
	uint32_t type = 0;

	switch (v.type) {
	case V_NONE:
		buf_addf(to, "unavailable");
		break;
	case V_RECORD_TYPE:
		buf_addf(to, "LDMS_V_RECORD_TYPE");
		break;
	case V_RECORD_INST:
		put_inline_record(to, im, v);
		break;
	case V_LIST:
	case V_RECORD_ARRAY:
		if (rows_agree(im, v, &type))
			put_table(to, im, v, type);
		else
			put_inline_list(to, im, v);
		break;
	default:
		put_plain(to, v);
	}
}
