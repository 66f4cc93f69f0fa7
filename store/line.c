/* line.c - see line.h */
#include "store/line.h"

#include <math.h>
#include <stdlib.h>

#include "core/base/json_put.h"
#include "core/base/xalloc.h"
#include "store/digits.h"
#include "store/unique.h"

#define NUMBER_MAX (DIGITS_MAX + 2) /* with the letter behind it, and the comma in front of the field */
#define TIME_MAX   (DIGITS_MAX + 2)
#define WHOLE_MAX  1e15 /* whole numbers below are written fast */

struct tag {
	enum row_what what; /* ROW_PRODUCER, ROW_INSTANCE: the row's; ROW_METRIC: of column `col` */
	uint32_t col;
	char *name; /* as it is written */
	char *key;  /* ",NAME=" */
	size_t key_len;
};

struct field {
	uint32_t col;
	char *name;
	char *key; /* "NAME=" */
	size_t key_len;
};

struct line_shape {
	const struct line_conf *conf;
	struct row_schema *schema;
	struct buf head; /* the measurement */
	struct tag *tags;
	struct field *fields;
	size_t n_tags, n_fields;
	size_t room; /* bytes that all fields take which are numbers */
	/* of tags and fields, while these are added: what asks for one of both gets the wrong one, and of two fields of
	 * one name the first is lost; of arrays, whose elements are the fields */
	struct unique names, arrays;
};

/* -- names and texts ----------------------------------------------------------------------------------------------- */

static bool is_special(char c)
{
	return c == ',' || c == '=' || c == ' ';
}

/* A name or a tag's value, where blanks, commas and equal signs are escaped. */
static void word_escape(struct buf *to, const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		bool slips = p[i] == '\\' && (i + 1 == len || is_special(p[i + 1]));

		if (is_special(p[i]))
			buf_u8(to, '\\');
		buf_u8(to, slips ? '/' : (uint8_t)p[i]);
	}
}

/* Does it stand for itself, as most do? */
static bool is_plain(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (p[i] <= ' ' || (unsigned char)p[i] >= 0x7f || p[i] == ',' || p[i] == '=' || p[i] == '\\')
			return false;
	return true;
}

static void word_put(struct buf *to, const char *p, size_t len)
{
	struct buf clean = { 0 };

	if (is_plain(p, len)) {
		buf_add(to, p, len);
		return;
	}
	series_text(&clean, p, len);
	word_escape(to, (const char *)clean.p, clean.len);
	buf_fini(&clean);
}

static void quoted_put(struct buf *to, const char *p, size_t len)
{
	struct buf clean = { 0 };

	series_text(&clean, p, len);
	buf_u8(to, '"');
	for (size_t i = 0; i < clean.len; i++) {
		if (clean.p[i] == '"' || clean.p[i] == '\\')
			buf_u8(to, '\\');
		buf_u8(to, clean.p[i]);
	}
	buf_u8(to, '"');
	buf_fini(&clean);
}

/* -- shapes -------------------------------------------------------------------------------------------------------- */

static char *name_of(const struct line_conf *conf, const char *name)
{
	struct buf b = { 0 };

	series_text(&b, *name ? name : "_", strlen(*name ? name : "_"));
	buf_str(&b);
	for (char *p = (char *)b.p; conf->ldmsd && *p; p++)
		if (strchr("()#:", *p))
			*p = '_';
	return (char *)b.p;
}

/* before NAME after, as a word of the protocol. */
static char *key_of(const char *before, const char *name, const char *after, size_t *ret_len)
{
	struct buf b = { 0 };

	buf_add(&b, before, strlen(before));
	word_put(&b, name, strlen(name));
	buf_add(&b, after, strlen(after));
	*ret_len = b.len;
	buf_str(&b);
	return (char *)b.p;
}

static void tag_add(struct line_shape *sh, enum row_what what, uint32_t col, const char *name)
{
	struct tag t = { .what = what, .col = col, .name = unique_add(&sh->names, name_of(sh->conf, name)) };

	t.key = key_of(",", t.name, "=", &t.key_len);
	sh->tags[sh->n_tags++] = t;
}

static void field_add(struct line_shape *sh, uint32_t col)
{
	sh->fields[sh->n_fields++].col = col;
}

/* Names with which databases mean something else: InfluxDB 1 leaves a field `time` out without a word. */
static void names_reserve(struct line_shape *sh)
{
	static const char *const own[] = { "time", "_field", "_measurement" };

	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
		free(unique_add(&sh->names, xstrdup(own[i])));
}

/* Take the names NAME_0, NAME_1, ...; false: there is one of them already. */
static bool elements_take(struct line_shape *sh, const char *name, uint32_t count)
{
	bool free_all = true;
	char *element;

	for (uint32_t i = 0; free_all && i < count; i++) {
		element = xasprintf("%s_%u", name, i);
		free_all = !unique_has(&sh->names, element);
		free(element);
	}
	for (uint32_t i = 0; free_all && i < count; i++)
		free(unique_add(&sh->names, xasprintf("%s_%u", name, i)));
	return free_all;
}

static char *array_name(struct line_shape *sh, const struct row_col *c)
{
	char *name = NULL;

	do {
		free(name);
		name = unique_add(&sh->arrays, name_of(sh->conf, c->name));
	} while (!elements_take(sh, name, c->count));
	return name;
}

/* Arrays first: their fields keep the number at the end. */
static void fields_name(struct line_shape *sh)
{
	for (int arrays = 1; arrays >= 0; arrays--)
		for (size_t i = 0; i < sh->n_fields; i++) {
			struct field *f = &sh->fields[i];
			const struct row_col *c = &sh->schema->cols[f->col];

			if (arrays != (value_is_array(c->type) && c->type != V_CHAR_ARRAY))
				continue;
			f->name = arrays ? array_name(sh, c) : unique_add(&sh->names, name_of(sh->conf, c->name));
			f->key = key_of("", f->name, "=", &f->key_len);
			sh->room += f->key_len + (sh->conf->ldmsd ? FIXED_MAX : DIGITS_MAX) + NUMBER_MAX;
		}
}

static int tag_order(const void *a, const void *b)
{
	return strcmp(((const struct tag *)a)->name, ((const struct tag *)b)->name);
}

static void columns_take(struct line_shape *sh)
{
	const struct row_schema *rs = sh->schema;

	names_reserve(sh);
	if (series_has_own(&sh->conf->series, rs, ROW_PRODUCER, "producer"))
		tag_add(sh, ROW_PRODUCER, 0, "producer");
	if (series_has_own(&sh->conf->series, rs, ROW_INSTANCE, "instance"))
		tag_add(sh, ROW_INSTANCE, 0, "instance");
	for (uint32_t i = 0, list = SERIES_NO_LIST; i < rs->n_cols; list = series_list(rs, i, list), i++)
		if (series_role(&sh->conf->series, rs, i, list) == SERIES_TAG)
			tag_add(sh, ROW_METRIC, i, rs->cols[i].name);
	if (sh->n_tags)
		qsort(sh->tags, sh->n_tags, sizeof(*sh->tags), tag_order);
	for (uint32_t i = 0, list = SERIES_NO_LIST; i < rs->n_cols; list = series_list(rs, i, list), i++)
		if (series_role(&sh->conf->series, rs, i, list) == SERIES_VALUE)
			field_add(sh, i);
}

/* As store_influx has them, in its order. */
static void columns_take_ldmsd(struct line_shape *sh)
{
	static const char *const tags[] = { "job_id", "component_id" };
	const struct row_schema *rs = sh->schema;

	for (size_t k = 0; k < sizeof(tags) / sizeof(*tags); k++)
		for (uint32_t i = 0; i < rs->n_cols; i++)
			if (!strcmp(rs->cols[i].name, tags[k]) && !value_is_array(rs->cols[i].type))
				tag_add(sh, ROW_METRIC, i, tags[k]);
	for (uint32_t i = 0, list = SERIES_NO_LIST; i < rs->n_cols; list = series_list(rs, i, list), i++) {
		const struct row_col *c = &rs->cols[i];
		bool is_tag = !strcmp(c->name, tags[0]) || !strcmp(c->name, tags[1]);

		if (!is_tag && !series_is_of_list(rs, i, list) && (c->type == V_CHAR_ARRAY || !value_is_array(c->type)))
			field_add(sh, i);
	}
}

struct line_shape *line_shape_new(const struct line_conf *conf, const struct row_schema *rs)
{
	struct line_shape *sh = xcalloc(1, sizeof(*sh));

	sh->conf = conf;
	sh->schema = row_schema_get(rs);
	sh->tags = xcalloc(rs->n_cols + 2, sizeof(*sh->tags));
	sh->fields = xcalloc(rs->n_cols + 1, sizeof(*sh->fields));
	if (*rs->name == '#') /* a comment */
		buf_u8(&sh->head, '_');
	word_put(&sh->head, rs->name + (*rs->name == '#'), strlen(rs->name) - (*rs->name == '#'));
	if (conf->ldmsd)
		columns_take_ldmsd(sh);
	else
		columns_take(sh);
	fields_name(sh);
	unique_fini(&sh->names);
	unique_fini(&sh->arrays);
	return sh;
}

void line_shape_free(void *shape)
{
	struct line_shape *sh = shape;

	for (size_t i = 0; i < sh->n_tags; i++) {
		free(sh->tags[i].name);
		free(sh->tags[i].key);
	}
	for (size_t i = 0; i < sh->n_fields; i++) {
		free(sh->fields[i].name);
		free(sh->fields[i].key);
	}
	free(sh->tags);
	free(sh->fields);
	buf_fini(&sh->head);
	row_schema_put(sh->schema);
	free(sh);
}

const struct row_schema *line_shape_schema(const void *shape)
{
	return ((const struct line_shape *)shape)->schema;
}

/* -- values -------------------------------------------------------------------------------------------------------- */

/* The fewest digits that give the same number back. */
static char *put_shortest(char *p, double d, bool single)
{
	struct buf b = { .p = (uint8_t *)p, .cap = DIGITS_MAX };

	if (fabs(d) < WHOLE_MAX && d == trunc(d))
		return put_d64(p, d);
	if (single)
		json_put_f32(&b, (float)d);
	else
		json_put_d64(&b, d);
	return p + b.len;
}

static char *put_float(const struct line_conf *conf, char *p, double d, bool single)
{
	if (!isfinite(d))
		return NULL;
	return conf->ldmsd ? put_fixed(p, d) : put_shortest(p, d, single);
}

static char *put_unsigned(const struct line_conf *conf, char *p, uint64_t u)
{
	if (conf->u64 == LINE_U64_INT && u > INT64_MAX)
		u = INT64_MAX;
	p = put_u64(p, u);
	if (conf->u64 != LINE_U64_FLOAT)
		*p++ = conf->u64 == LINE_U64_UINT ? 'u' : 'i';
	return p;
}

static char *put_int(char *p, int64_t i)
{
	p = put_s64(p, i);
	*p++ = 'i';
	return p;
}

/* A number, or element i of an array of them; NULL when it is none. */
static char *put_number(const struct line_conf *conf, char *p, struct value v, uint32_t i)
{
	uint64_t u;

	switch (value_elem_type(v.type)) {
	case V_U64: /* most are: without a call */
		memcpy(&u, v.p + i * sizeof(u), sizeof(u));
		return put_unsigned(conf, p, le64toh(u));
	case V_CHAR:
	case V_U8:
	case V_U16:
	case V_U32:
		return put_int(p, (int64_t)value_u64(v, i));
	case V_S8:
	case V_S16:
	case V_S32:
	case V_S64:
		return put_int(p, value_s64(v, i));
	case V_F32:
	case V_D64:
		return put_float(conf, p, value_d64(v, i), value_elem_type(v.type) == V_F32);
	case V_TIMESTAMP:
		return put_int(p, (int64_t)value_time(v).sec * 1000000 + value_time(v).usec);
	default: /* not there, or a record array beside a list */
		return NULL;
	}
}

static char *put(char *p, const char *text, size_t len)
{
	memcpy(p, text, len);
	return p + len;
}

static void array_put(const struct line_conf *conf, const struct field *f, struct value v, struct buf *to)
{
	for (uint32_t i = 0; i < v.count; i++) {
		size_t before = to->len;
		char *p = buf_reserve(to, f->key_len + 2 * DIGITS_MAX + NUMBER_MAX);

		*p++ = ',';
		p = put(p, f->key, f->key_len - 1);
		*p++ = '_';
		p = put_u64(p, i);
		*p++ = '=';
		p = put_number(conf, p, v, i);
		to->len = p ? (size_t)((uint8_t *)p - to->p) : before;
	}
}

static void text_put(const struct field *f, struct value v, struct buf *to)
{
	const char *text;
	size_t len = value_text(v, &text);

	buf_u8(to, ',');
	buf_add(to, f->key, f->key_len);
	quoted_put(to, text, len);
}

/* Each with a comma in front of it. */
static void fields_put(const struct line_shape *sh, const struct row *row, struct buf *to)
{
	const struct line_conf *conf = sh->conf;
	char *p = buf_reserve(to, sh->room), *q;

	for (const struct field *f = sh->fields, *end = f + sh->n_fields; f < end; f++) {
		struct value v = row->v[f->col];

		if (value_is_array(v.type)) {
			to->len = (size_t)((uint8_t *)p - to->p);
			if (v.type == V_CHAR_ARRAY)
				text_put(f, v, to);
			else if (!conf->ldmsd)
				array_put(conf, f, v, to);
			p = buf_reserve(to, sh->room);
			continue;
		}
		*p = ',';
		q = put_number(conf, put(p + 1, f->key, f->key_len), v, 0);
		p = q ? q : p;
	}
	to->len = (size_t)((uint8_t *)p - to->p);
}

/* The text of a column that is a tag, in `digits` where it is a number: integers without the letter behind them, unless
 * ldmsd's form has it. */
static size_t tag_text(const struct line_conf *conf, struct value v, char *digits, const char **ret)
{
	char *end;

	if (v.type == V_CHAR_ARRAY)
		return value_text(v, ret);
	*ret = digits;
	end = v.type == V_U64 ? put_u64(digits, value_u64(v, 0)) : put_number(conf, digits, v, 0);
	if (!end)
		return 0;
	if (end[-1] == 'i')
		end--;
	if (conf->ldmsd && v.type != V_F32 && v.type != V_D64)
		*end++ = 'i';
	return (size_t)(end - digits);
}

/* A tag without a value is left out: there is no such thing. */
static void tag_put(const struct line_shape *sh, const struct tag *t, const struct row *row, struct buf *to)
{
	size_t before = to->len, len;
	char digits[NUMBER_MAX + FIXED_MAX];
	const char *text;

	buf_add(to, t->key, t->key_len);
	if (t->what == ROW_METRIC) {
		len = tag_text(sh->conf, row->v[t->col], digits, &text);
	} else {
		text = t->what == ROW_PRODUCER ? row->producer : row->instance;
		len = strlen(text);
	}
	if (len)
		word_put(to, text, len);
	else
		to->len = before;
}

bool line_put(const struct line_shape *sh, const struct row *row, struct buf *to, size_t *ret_key)
{
	size_t before = to->len, fields;
	char *p;

	buf_add(to, sh->head.p, sh->head.len);
	for (size_t i = 0; i < sh->n_tags; i++)
		tag_put(sh, &sh->tags[i], row, to);
	fields = to->len;
	fields_put(sh, row, to);
	if (to->len == fields) {
		to->len = before;
		return false;
	}
	*ret_key = fields - before;
	to->p[fields] = ' ';
	p = buf_reserve(to, TIME_MAX);
	*p++ = ' ';
	p = put_u64(p, (uint64_t)row->ts_sec * 1000000 + row->ts_usec);
	p = put(p, "000\n", 4);
	to->len = (size_t)((uint8_t *)p - to->p);
	return true;
}
