/* samples.c - see samples.h */
#include "store/samples.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>

#include "core/base/xalloc.h"
#include "store/digits.h"
#include "store/unique.h"

#define KEY(number, kind) ((number) << 3 | (kind))
enum { VARINT = 0, EIGHT_BYTES = 1, BYTES = 2 };

#define VARINT_MAX  10
#define SAMPLE_HEAD 12 /* bytes in front of the time */
#define NAME_LABEL  "__name__"
#define INDEX_LABEL "index"

struct label {
	enum row_what what; /* ROW_PRODUCER, ROW_INSTANCE: the row's; ROW_METRIC: of column `col` */
	uint32_t col;
	char *name;
};

struct metric_name {
	uint32_t col;
	char *name;
	struct buf label; /* the label of its name, encoded */
};

struct samples_shape {
	const struct samples_conf *conf;
	struct row_schema *schema;
	struct label *labels; /* in order */
	struct metric_name *names;
	size_t n_labels, n_names;
	size_t before_name, before_index; /* so many labels stand in front of these */
	struct buf encoded, text;         /* of the row: its labels; a value */
	struct unique label_names, taken; /* while these are added: of labels, of metrics */
};

/* -- protobuf ------------------------------------------------------------------------------------------------------ */

static uint8_t *put_varint(uint8_t *p, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		*p++ = (uint8_t)(v | 0x80);
	*p++ = (uint8_t)v;
	return p;
}

static size_t varint_len(uint64_t v)
{
	size_t n = 1;

	for (; v >= 0x80; v >>= 7)
		n++;
	return n;
}

static uint8_t *put_bytes(uint8_t *p, unsigned int number, const void *bytes, size_t len)
{
	*p++ = (uint8_t)KEY(number, BYTES);
	p = put_varint(p, len);
	memcpy(p, bytes, len);
	return p + len;
}

/* As a member of TimeSeries. */
static void label_put(struct buf *to, const char *name, const void *value, size_t value_len)
{
	size_t name_len = strlen(name), len = 2 + varint_len(name_len) + name_len + varint_len(value_len) + value_len;
	uint8_t *p = buf_reserve(to, len + 1 + VARINT_MAX);

	*p++ = KEY(1, BYTES);
	p = put_varint(p, len);
	p = put_bytes(p, 1, name, name_len);
	p = put_bytes(p, 2, value, value_len);
	to->len = (size_t)(p - to->p);
}

/* -- shapes -------------------------------------------------------------------------------------------------------- */

/* Of letters, digits and _, and : in metrics' names; no digit in front; those that begin with __ are Prometheus's own. */
static char *name_clean(char *name, bool label)
{
	for (char *p = name; *p; p++)
		if (!(isalnum((unsigned char)*p) && (unsigned char)*p < 0x80) && (label || *p != ':'))
			*p = '_';
	if (label && !strncmp(name, "__", 2))
		*name = 'x';
	if (isdigit((unsigned char)*name) || !*name) {
		char *longer = xasprintf("_%s", name);

		free(name);
		name = longer;
	}
	return name;
}

static void label_add(struct samples_shape *sh, enum row_what what, uint32_t col, const char *name)
{
	char *ours = unique_add(&sh->label_names, name_clean(xstrdup(name), true));

	sh->labels[sh->n_labels++] = (struct label){ .what = what, .col = col, .name = ours };
}

static void name_add(struct samples_shape *sh, uint32_t col)
{
	const char *prefix = sh->conf->prefix ? sh->conf->prefix : "";
	struct metric_name *m = &sh->names[sh->n_names];
	char *name = xasprintf("%s%s_%s", prefix, sh->schema->name, sh->schema->cols[col].name);

	m->col = col;
	m->name = unique_add(&sh->taken, name_clean(name, false));
	label_put(&m->label, NAME_LABEL, m->name, strlen(m->name));
	sh->n_names++;
}

static int label_order(const void *a, const void *b)
{
	return strcmp(((const struct label *)a)->name, ((const struct label *)b)->name);
}

static void columns_take(struct samples_shape *sh)
{
	const struct row_schema *rs = sh->schema;

	free(unique_add(&sh->label_names, xstrdup(INDEX_LABEL)));
	if (series_has_own(&sh->conf->series, rs, ROW_PRODUCER, "producer"))
		label_add(sh, ROW_PRODUCER, 0, "hostname");
	if (series_has_own(&sh->conf->series, rs, ROW_INSTANCE, "instance"))
		label_add(sh, ROW_INSTANCE, 0, "instance");
	for (uint32_t i = 0, list = SERIES_NO_LIST; i < rs->n_cols; list = series_list(rs, i, list), i++) {
		enum series_role role = series_role(&sh->conf->series, rs, i, list);

		if (role == SERIES_TAG)
			label_add(sh, ROW_METRIC, i, rs->cols[i].name);
		else if (role == SERIES_VALUE && rs->cols[i].type != V_CHAR_ARRAY)
			name_add(sh, i);
	}
	if (sh->n_labels)
		qsort(sh->labels, sh->n_labels, sizeof(*sh->labels), label_order);
	while (sh->before_name < sh->n_labels && strcmp(sh->labels[sh->before_name].name, NAME_LABEL) < 0)
		sh->before_name++;
	sh->before_index = sh->before_name; /* as the names are in order */
	while (sh->before_index < sh->n_labels && strcmp(sh->labels[sh->before_index].name, INDEX_LABEL) < 0)
		sh->before_index++;
}

struct samples_shape *samples_shape_new(const struct samples_conf *conf, const struct row_schema *rs)
{
	struct samples_shape *sh = xcalloc(1, sizeof(*sh));

	sh->conf = conf;
	sh->schema = row_schema_get(rs);
	sh->labels = xcalloc(rs->n_cols + 2, sizeof(*sh->labels));
	sh->names = xcalloc(rs->n_cols + 1, sizeof(*sh->names));
	columns_take(sh);
	unique_fini(&sh->label_names);
	unique_fini(&sh->taken);
	buf_reserve(&sh->encoded, 1); /* also where there is no label */
	return sh;
}

void samples_shape_free(void *shape)
{
	struct samples_shape *sh = shape;

	for (size_t i = 0; i < sh->n_labels; i++)
		free(sh->labels[i].name);
	for (size_t i = 0; i < sh->n_names; i++) {
		free(sh->names[i].name);
		buf_fini(&sh->names[i].label);
	}
	free(sh->labels);
	free(sh->names);
	buf_fini(&sh->encoded);
	buf_fini(&sh->text);
	row_schema_put(sh->schema);
	free(sh);
}

const struct row_schema *samples_shape_schema(const void *shape)
{
	return ((const struct samples_shape *)shape)->schema;
}

/* -- rows ---------------------------------------------------------------------------------------------------------- */

/* The text of a label into sh->text. */
static void label_text(struct samples_shape *sh, const struct label *l, const struct row *row)
{
	struct value v = l->what == ROW_METRIC ? row->v[l->col] : (struct value){ .type = V_NONE };
	const char *text = l->what == ROW_PRODUCER ? row->producer : row->instance;
	char digits[DIGITS_MAX + 1], *end = digits;

	buf_reset(&sh->text);
	if (l->what != ROW_METRIC) {
		series_text(&sh->text, text, strlen(text));
	} else if (v.type == V_CHAR_ARRAY) {
		size_t len = value_text(v, &text);

		series_text(&sh->text, text, len);
	} else if (value_elem_size(v.type) && !value_is_array(v.type)) {
		if (v.type == V_F32 || v.type == V_D64)
			end = put_d64(digits, value_d64(v, 0));
		else if (v.type == V_S8 || v.type == V_S16 || v.type == V_S32 || v.type == V_S64)
			end = put_s64(digits, value_s64(v, 0));
		else
			end = put_u64(digits, value_u64(v, 0));
		buf_add(&sh->text, digits, (size_t)(end - digits));
	}
}

/* All labels but the name and the index; where these two go are *name_at and *index_at.  A label without text is none. */
static void labels_put(struct samples_shape *sh, const struct row *row, size_t *name_at, size_t *index_at)
{
	buf_reset(&sh->encoded);
	*name_at = *index_at = 0;
	for (size_t i = 0; i < sh->n_labels; i++) {
		label_text(sh, &sh->labels[i], row);
		if (sh->text.len)
			label_put(&sh->encoded, sh->labels[i].name, sh->text.p, sh->text.len);
		if (i < sh->before_name)
			*name_at = sh->encoded.len;
		if (i < sh->before_index)
			*index_at = sh->encoded.len;
	}
}

struct piece {
	const void *p;
	size_t len;
};

/* One TimeSeries, of the labels in pieces. */
static void series_put(struct buf *to, const struct piece *pieces, size_t n, double value, uint64_t time_ms)
{
	size_t sample_len = 1 + 8 + 1 + varint_len(time_ms), len = 2 + sample_len;
	uint64_t bits;
	uint8_t *p;

	for (size_t i = 0; i < n; i++)
		len += pieces[i].len;
	p = buf_reserve(to, 1 + VARINT_MAX + len);
	*p++ = KEY(1, BYTES);
	p = put_varint(p, len);
	for (size_t i = 0; i < n; i++) {
		if (pieces[i].len)
			memcpy(p, pieces[i].p, pieces[i].len);
		p += pieces[i].len;
	}
	*p++ = KEY(2, BYTES);
	*p++ = (uint8_t)sample_len;
	*p++ = KEY(1, EIGHT_BYTES);
	memcpy(&bits, &value, sizeof(bits));
	bits = htole64(bits);
	memcpy(p, &bits, sizeof(bits));
	p += sizeof(bits);
	*p++ = KEY(2, VARINT);
	p = put_varint(p, time_ms);
	to->len = (size_t)(p - to->p);
}

/* One kind of "not a number" alone: others have meanings of their own to Prometheus. */
static double number(struct value v, uint32_t i)
{
	double d = value_d64(v, i);

	return isnan(d) ? NAN : d;
}

static bool is_number(struct value v)
{
	return v.type != V_CHAR_ARRAY && value_elem_size(value_elem_type(v.type));
}

bool samples_put(struct samples_shape *sh, const struct row *row, struct buf *to)
{
	uint64_t time_ms = (uint64_t)row->ts_sec * 1000 + row->ts_usec / 1000;
	size_t before = to->len, name_at, index_at;
	struct piece pieces[5];
	struct buf index = { 0 };
	char digits[DIGITS_MAX];

	labels_put(sh, row, &name_at, &index_at);
	pieces[0] = (struct piece){ sh->encoded.p, name_at };
	for (size_t i = 0; i < sh->n_names; i++) {
		struct value v = row->v[sh->names[i].col];

		if (!is_number(v))
			continue;
		pieces[1] = (struct piece){ sh->names[i].label.p, sh->names[i].label.len };
		pieces[2] = (struct piece){ sh->encoded.p + name_at, sh->encoded.len - name_at };
		if (!value_is_array(v.type)) {
			series_put(to, pieces, 3, number(v, 0), time_ms);
			continue;
		}
		pieces[2].len = index_at - name_at;
		pieces[4] = (struct piece){ sh->encoded.p + index_at, sh->encoded.len - index_at };
		for (uint32_t k = 0; k < v.count; k++) {
			buf_reset(&index);
			label_put(&index, INDEX_LABEL, digits, (size_t)(put_u64(digits, k) - digits));
			pieces[3] = (struct piece){ index.p, index.len };
			series_put(to, pieces, 5, number(v, k), time_ms);
		}
	}
	buf_fini(&index);
	return to->len > before;
}

const void *samples_key(const struct samples_shape *sh, size_t *ret_len)
{
	*ret_len = sh->encoded.len;
	return sh->encoded.p;
}
