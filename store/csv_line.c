/* csv_line.c - the text of CSV files: rows.  Headers and kinds are csv_head.c's.
 *
 *	#Time,Time_usec,ProducerName,component_id,load1min,per_core0,per_core1
 *	1795187393.001651,1651,node-1,1,0.54000000000000004,10435,11080
 *
 * One row is one line, whatever a text holds: line breaks in it become blanks.  Otherwise texts are written as they
 * are, as ldmsd does, so that one with a comma in it shifts the columns behind it; `ietfcsv=1` quotes all texts (as in
 * RFC 4180).  A column has its fields on every line: a value that is missing leaves them empty.
 *
 * The rows of a decomposition have just its columns; a timestamp among them is written as the time of other rows is, in
 * two fields, floating point numbers (unless in arrays) as %f, and arrays always one field for each element.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/base/xalloc.h"
#include "store/csv.h"
#include "store/digits.h"

#define LINE_MAX_B (16u << 20) /* bytes: a line of half a million numbers is a mistake, or an attack on our memory */
#define TIME_SZ    (2 * DIGITS_MAX)

/* -- values -------------------------------------------------------------------------------------------------------- */

static inline char *put_raw(char *p, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		*p++ = text[i] == '\n' || text[i] == '\r' ? ' ' : text[i];
	return p;
}

static char *put_text(char *p, const struct csv_conf *conf, struct value v)
{
	const char *text;
	size_t len = value_text(v, &text);

	if (!conf->ietf)
		return put_raw(p, text, len);
	*p++ = '"';
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '"')
			*p++ = '"';
		p = put_raw(p, &text[i], 1);
	}
	*p++ = '"';
	return p;
}

#define LOAD(T, conv)                                                                                                  \
	({                                                                                                             \
		T x_;                                                                                                  \
		memcpy(&x_, at, sizeof(x_));                                                                           \
		conv(x_);                                                                                              \
	})

/* One element, at its place in a set. */
static inline char *put_elem(char *p, enum value_type type, const uint8_t *at)
{
	uint32_t bits32;
	uint64_t bits64;
	double d;
	float f;

	switch (type) {
	case V_CHAR:
		return *at ? put_raw(p, (const char *)at, 1) : p;
	case V_U8:
		return put_u64(p, *at);
	case V_S8:
		return put_s64(p, (int8_t)*at);
	case V_U16:
		return put_u64(p, LOAD(uint16_t, le16toh));
	case V_S16:
		return put_s64(p, (int16_t)LOAD(uint16_t, le16toh));
	case V_U32:
		return put_u64(p, LOAD(uint32_t, le32toh));
	case V_S32:
		return put_s64(p, (int32_t)LOAD(uint32_t, le32toh));
	case V_U64:
		return put_u64(p, LOAD(uint64_t, le64toh));
	case V_S64:
		return put_s64(p, (int64_t)LOAD(uint64_t, le64toh));
	case V_F32:
		bits32 = LOAD(uint32_t, le32toh);
		memcpy(&f, &bits32, sizeof(f));
		return put_f32(p, f);
	case V_D64:
		bits64 = LOAD(uint64_t, le64toh);
		memcpy(&d, &bits64, sizeof(d));
		return put_d64(p, d);
	default: /* nothing, or what no row holds */
		return p;
	}
}

/* Two fields. */
static char *put_time(char *p, const struct csv_conf *conf, uint32_t sec, uint32_t usec)
{
	usec %= 1000000;
	if (conf->time_format) {
		p = put_u64(p, sec * (uint64_t)1000 + usec / 1000);
		usec %= 1000;
	} else {
		p = put_u64(p, sec);
		*p++ = '.';
		p = put_six(p, usec);
	}
	*p++ = ',';
	return put_u64(p, usec);
}

char *csv_put_text(char *p, const char *text, size_t len)
{
	return put_raw(p, text, len);
}

static char *put_timestamp(char *p, struct value v)
{
	struct value_time t = value_time(v);

	p = put_u64(p, t.sec);
	*p++ = '.';
	return put_six(p, t.usec % 1000000);
}

static char *put_user_data(char *p, const struct row *row, uint32_t col)
{
	p = put_u64(p, row_user_data(row, col));
	*p++ = ',';
	return p;
}

/* An array's elements, each a field or all in one; as many as the column has. */
static char *put_array(char *p, const struct csv_conf *conf, const struct row *row, uint32_t col)
{
	const struct value v = row->v[col];
	enum value_type type = value_is_array(v.type) && v.type != V_CHAR_ARRAY ? value_elem_type(v.type) : V_NONE;
	size_t size = value_elem_size(type);
	uint32_t n = row->schema->cols[col].count;
	bool one = !csv_expands(conf, row->schema);
	bool userdata = csv_userdata(conf, row->schema, &row->schema->cols[col]);

	if (one && userdata)
		p = put_user_data(p, row, col);
	if (one)
		p = stpcpy(p, conf->array_lquote);
	for (uint32_t i = 0; i < n; i++) {
		if (i)
			p = stpcpy(p, one ? conf->array_sep : ",");
		if (!one && userdata)
			p = put_user_data(p, row, col);
		if (i < v.count)
			p = put_elem(p, type, v.p + i * size);
	}
	return one ? stpcpy(p, conf->array_rquote) : p;
}

static char *put_column(char *p, const struct csv_conf *conf, const struct row *row, uint32_t col)
{
	const struct value v = row->v[col];
	enum value_type type = row->schema->cols[col].type;

	if (value_is_array(type) && type != V_CHAR_ARRAY)
		return put_array(p, conf, row, col);
	if (csv_userdata(conf, row->schema, &row->schema->cols[col]))
		p = put_user_data(p, row, col);
	if (v.type == V_CHAR_ARRAY)
		return type == V_CHAR_ARRAY ? put_text(p, conf, v) : p;
	if (v.type == V_TIMESTAMP)
		return put_timestamp(p, v);
	return put_elem(p, v.type, v.p);
}

char *csv_put_value(char *p, struct value v)
{
	const char *text;
	size_t len;

	if (v.type == V_TIMESTAMP)
		return put_timestamp(p, v);
	if (v.type != V_CHAR_ARRAY)
		return put_elem(p, v.type, v.p);
	len = value_text(v, &text);
	return put_raw(p, text, len);
}

/* A column of a decomposition. */
static char *put_decomposed(char *p, const struct csv_conf *conf, const struct row *row, uint32_t col)
{
	const struct value v = row->v[col];
	enum value_type type = row->schema->cols[col].type;
	struct value_time t;

	if (type == V_TIMESTAMP && v.type == V_TIMESTAMP) {
		t = value_time(v);
		return put_time(p, conf, t.sec, t.usec);
	}
	if (type == V_TIMESTAMP) { /* two empty fields */
		*p++ = ',';
		return p;
	}
	if (value_is_array(type) && type != V_CHAR_ARRAY)
		return put_array(p, conf, row, col);
	if (csv_userdata(conf, row->schema, &row->schema->cols[col]) && (v.type == V_F32 || v.type == V_D64))
		p = put_user_data(p, row, col);
	if (v.type == V_F32 || v.type == V_D64)
		return put_fixed(p, value_d64(v, 0));
	return put_column(p, conf, row, col);
}

/* -- rows ---------------------------------------------------------------------------------------------------------- */

int csv_plan_init(struct csv_plan *plan, const struct csv_conf *conf, const struct row_schema *rs, struct err *err)
{
	size_t quotes = strlen(conf->array_lquote) + strlen(conf->array_rquote) + 2; /* or those of a text */
	size_t elem = DIGITS_MAX + strlen(conf->array_sep) + 1 + (conf->userdata ? DIGITS_MAX : 0);
	size_t header = 0;

	*plan = (struct csv_plan){ .room = TIME_SZ + CSV_PRODUCER_SZ + DIGITS_MAX };
	plan->texts = xcalloc(rs->n_cols, sizeof(*plan->texts));
	plan->u64_run = xcalloc(rs->n_cols, sizeof(*plan->u64_run));
	for (uint32_t c = 0; c < rs->n_cols; c++) {
		const struct row_col *col = &rs->cols[c];

		uint32_t fields = col->type == V_CHAR_ARRAY ? 1 : col->count;

		plan->room += quotes + (size_t)fields * elem;
		if (rs->decomposed && (col->type == V_F32 || col->type == V_D64))
			plan->room += FIXED_MAX;
		header += (size_t)fields * (strlen(col->name) + elem);
		if (plan->room > LINE_MAX_B || header > LINE_MAX_B) {
			csv_plan_fini(plan);
			return err_set(
				err, -EINVAL,
				"schema %s: a line of CSV may get more than %u MiB; leave out its largest arrays "
				"with strgp_metric_add",
				rs->name, LINE_MAX_B >> 20);
		}
		if (col->type == V_CHAR_ARRAY)
			plan->texts[plan->n_texts++] = c;
	}
	for (uint32_t c = rs->n_cols, run = 0; c--;) {
		run = rs->cols[c].type == V_U64 && !csv_userdata(conf, rs, &rs->cols[c]) ? run + 1 : 0;
		plan->u64_run[c] = run;
	}
	return 0;
}

void csv_plan_fini(struct csv_plan *plan)
{
	free(plan->texts);
	free(plan->u64_run);
	*plan = (struct csv_plan){ 0 };
}

/* The fields of v[0..run), all columns of u64, a comma in front of each, up to the first that is something else; *ret
 * is how many.  Nearly all there is: put_column() would do the same, in twice the time. */
static __attribute__((noinline)) char *put_u64_run(char *p, const struct value *v, uint32_t run, uint32_t *ret)
{
	uint32_t i;

	for (i = 0; i < run && v[i].type == V_U64; i++) {
		const uint8_t *at = v[i].p;

		*p++ = ',';
		p = put_u64(p, LOAD(uint64_t, le64toh));
	}
	*ret = i;
	return p;
}

/* The same of values that stand one behind the other. */
static __attribute__((noinline)) char *put_u64_flat(char *p, const uint8_t *at, uint32_t n)
{
	for (const uint8_t *end = at + n * sizeof(uint64_t); at < end; at += sizeof(uint64_t)) {
		*p++ = ',';
		p = put_u64(p, LOAD(uint64_t, le64toh));
	}
	return p;
}

/* How many columns of u64 from c on are to be written in one go; *flat: their values stand one behind the other. */
static inline uint32_t u64_run(const struct csv_plan *plan, const struct row *row, uint32_t c, bool *flat)
{
	uint32_t run = plan->u64_run[c], left = 0;

	if (c < row->flat)
		left = row->flat - c;
	else if (c - row->flat < row->n_flat)
		left = row->n_flat - (c - row->flat);
	*flat = left && c >= row->flat;
	return left && left < run ? left : run;
}

/* The fields of the columns from c on, a comma in front of each. */
static inline __attribute__((always_inline)) char *
put_columns(char *p, const struct csv_conf *conf, const struct csv_plan *plan, const struct row *row, uint32_t c)
{
	const uint32_t n = row->schema->n_cols;
	bool flat;

	for (uint32_t done, run; c < n; c += done) {
		done = 0;
		run = u64_run(plan, row, c, &flat);
		if (run && flat)
			p = put_u64_flat(p, row->v[c].p, done = run);
		else if (run)
			p = put_u64_run(p, &row->v[c], run, &done);
		if (done)
			continue;
		*p++ = ',';
		p = row->schema->decomposed ? put_decomposed(p, conf, row, c) : put_column(p, conf, row, c);
		done = 1;
	}
	return p;
}

void csv_row_add(struct buf *b, const struct csv_conf *conf, const struct csv_plan *plan, const struct row *row)
{
	const uint32_t n = row->schema->n_cols;
	size_t room = plan->room;
	char *line, *p;

	for (uint32_t i = 0; i < plan->n_texts; i++)
		room += 2 * (size_t)row->v[plan->texts[i]].count;
	line = buf_reserve(b, room);
	p = line;
	if (!row->schema->decomposed) {
		p = put_time(p, conf, row->ts_sec, row->ts_usec);
		*p++ = ',';
		p = put_raw(p, row->producer, strnlen(row->producer, CSV_PRODUCER_SZ - 1));
		p = put_columns(p, conf, plan, row, 0);
	} else if (n) {
		p = put_decomposed(p, conf, row, 0);
		p = put_columns(p, conf, plan, row, 1);
	}
	*p++ = '\n';
	b->len += (size_t)(p - line);
}
