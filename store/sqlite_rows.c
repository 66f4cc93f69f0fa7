/* sqlite_rows.c - rows in memory, between the policy and the transaction that stores them.
 *
 *   u64 shape | i64 time | u32 bytes of producer | u32 columns | producer | for each column a byte and what follows it:
 *   'N' nothing | 'I' i64 | 'D' double | 'T' u32 bytes, text
 *
 * All in the machine's order, unaligned: it never leaves the process.
 *
 * A number is an integer or a float; u64 beyond what SQLite's integers hold becomes a float.  A timestamp is
 * microseconds since 1970.  Text is what is in front of the first NUL; arrays are JSON: [1,2,3].
 */
#ifdef HAVE_SQLITE
#include <strings.h>

#include "core/base/json_put.h"
#include "store/digits.h"
#include "store/sqlite.h"

#define ROW_HEAD  24
#define VALUE_MAX 9 /* bytes of a number */

const char *const sqlite_type_names[] = { "INTEGER", "REAL", "TEXT" };

enum sqlite_type sqlite_type_of(enum value_type type)
{
	if (type == V_F32 || type == V_D64)
		return SQLITE_T_REAL;
	return type == V_CHAR || value_is_array(type) ? SQLITE_T_TEXT : SQLITE_T_INTEGER;
}

bool sqlite_col_is_fixed(const struct row_schema *rs, uint32_t i)
{
	const struct row_col *c = &rs->cols[i];

	if (!rs->decomposed || c->what == ROW_METRIC)
		return false;
	return !strcasecmp(c->name, c->what == ROW_PRODUCER ? "producer" : c->what == ROW_TIME ? "time" : "");
}

/* -- writing ------------------------------------------------------------------------------------------------------- */

static inline uint8_t *put8(uint8_t *p, char kind, const void *eight)
{
	*p = (uint8_t)kind;
	memcpy(p + 1, eight, 8);
	return p + VALUE_MAX;
}

static inline uint8_t *put_int(uint8_t *p, int64_t i)
{
	return put8(p, 'I', &i);
}

static inline uint8_t *put_real(uint8_t *p, double d)
{
	return put8(p, 'D', &d);
}

static void text_add(struct buf *b, const char *p, size_t len)
{
	buf_u8(b, 'T');
	buf_raw32(b, (uint32_t)len);
	buf_add(b, p, len);
}

static void number_add(struct buf *b, struct value v, uint32_t i)
{
	enum value_type elem = value_elem_type(v.type);
	char digits[DIGITS_MAX];

	if (elem == V_F32)
		json_put_f32(b, (float)value_d64(v, i));
	else if (elem == V_D64)
		json_put_d64(b, value_d64(v, i));
	else if (elem == V_S8 || elem == V_S16 || elem == V_S32 || elem == V_S64)
		buf_add(b, digits, (size_t)(put_s64(digits, value_s64(v, i)) - digits));
	else
		buf_add(b, digits, (size_t)(put_u64(digits, value_u64(v, i)) - digits));
}

static void array_add(struct buf *b, struct value v)
{
	size_t at = b->len;
	uint32_t len;

	text_add(b, "[", 1);
	for (uint32_t i = 0; i < v.count; i++) {
		if (i)
			buf_u8(b, ',');
		number_add(b, v, i);
	}
	buf_u8(b, ']');
	len = (uint32_t)(b->len - at - 5);
	memcpy(b->p + at + 1, &len, sizeof(len));
}

static uint8_t *put_number(uint8_t *p, struct value v)
{
	uint64_t u;

	switch (v.type) {
	case V_U64:
		u = value_u64(v, 0);
		return u <= INT64_MAX ? put_int(p, (int64_t)u) : put_real(p, (double)u);
	case V_U8:
	case V_U16:
	case V_U32:
	case V_S8:
	case V_S16:
	case V_S32:
	case V_S64:
		return put_int(p, value_s64(v, 0));
	case V_F32:
	case V_D64:
		return put_real(p, value_d64(v, 0));
	case V_TIMESTAMP:
		return put_int(p, (int64_t)value_time(v).sec * 1000000 + value_time(v).usec);
	default: /* not there, or a record array beside a list */
		*p = 'N';
		return p + 1;
	}
}

void sqlite_row_add(struct buf *b, uint64_t shape, const struct row *row)
{
	uint32_t n = row->schema->n_cols, used = n, len = (uint32_t)strlen(row->producer);
	size_t head = b->len;
	int64_t time_us = (int64_t)row->ts_sec * 1000000 + row->ts_usec;
	/* numbers are put where there is room; what has no bound adds to the buffer */
	uint8_t *p = buf_reserve(b, ROW_HEAD + len + (size_t)n * VALUE_MAX);

	memcpy(p, &shape, 8);
	memcpy(p + 8, &time_us, 8);
	memcpy(p + 16, &len, 4);
	memcpy(p + ROW_HEAD, row->producer, len);
	p += ROW_HEAD + len;
	for (uint32_t i = 0; i < n; i++) {
		struct value v = row->v[i];

		if (sqlite_col_is_fixed(row->schema, i)) {
			used--;
			continue;
		}
		if (v.type != V_CHAR && !value_is_array(v.type)) {
			p = put_number(p, v);
			continue;
		}
		b->len = (size_t)(p - b->p);
		if (v.type == V_CHAR || v.type == V_CHAR_ARRAY) {
			const char *text;
			size_t text_len = value_text(v, &text);

			text_add(b, text, text_len);
		} else {
			array_add(b, v);
		}
		p = buf_reserve(b, (size_t)(n - i) * VALUE_MAX);
	}
	b->len = (size_t)(p - b->p);
	memcpy(b->p + head + 20, &used, 4);
}

/* -- reading ------------------------------------------------------------------------------------------------------- */

struct sqlite_row sqlite_row_next(const uint8_t **at)
{
	const uint8_t *p = *at;
	struct sqlite_row row;

	memcpy(&row.shape, p, 8);
	memcpy(&row.time_us, p + 8, 8);
	memcpy(&row.producer_len, p + 16, 4);
	memcpy(&row.n, p + 20, 4);
	row.producer = (const char *)p + ROW_HEAD;
	row.values = p + ROW_HEAD + row.producer_len;
	*at = row.values;
	return row;
}

int sqlite_row_bind(const struct sqlite_row *row, sqlite3_stmt *st, const uint8_t **at)
{
	const uint8_t *p = row->values;
	int code = sqlite3_bind_int64(st, 1, row->time_us);
	uint32_t len;
	int64_t i64;
	double d;

	code |= sqlite3_bind_text(st, 2, row->producer, (int)row->producer_len, SQLITE_STATIC);
	for (int k = 3; k < (int)row->n + 3; k++) {
		switch (*p++) {
		case 'I':
			memcpy(&i64, p, 8);
			p += 8;
			code |= sqlite3_bind_int64(st, k, i64);
			break;
		case 'D':
			memcpy(&d, p, 8);
			p += 8;
			code |= sqlite3_bind_double(st, k, d);
			break;
		case 'T':
			memcpy(&len, p, 4);
			code |= sqlite3_bind_text(st, k, (const char *)p + 4, (int)len, SQLITE_STATIC);
			p += 4 + len;
			break;
		default:
			code |= sqlite3_bind_null(st, k);
		}
	}
	*at = p;
	return code;
}
#endif
