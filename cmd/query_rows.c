/* query_rows.c - rows as a table, as CSV, as JSON
 *
 * Times are local and readable in tables, seconds since 1970 elsewhere.  A table holds its first rows back to see how
 * wide its columns are; whatever number of rows follows is printed as it comes.
 */
#include <stdlib.h>
#include <string.h>

#include "cmd/query.h"
#include "core/base/json_put.h"
#include "core/base/term.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"

#define HELD_MAX  200
#define WIDTH_MAX 40 /* wider texts stand out of their column */

struct query_out {
	enum query_form form;
	FILE *to;
	char **cols;
	size_t n;
	bool who, began;
	struct buf line;
	/* table: cells held back, row by row; what is a number is written to the right */
	char **held;
	bool *right;
	size_t n_held, *width;
};

struct query_out *query_out_new(enum query_form form, FILE *to, const char *who, const char *const *cols, size_t n)
{
	struct query_out *o = xcalloc(1, sizeof(*o));

	o->form = form;
	o->to = to;
	o->who = who;
	o->cols = xcalloc(n + 2, sizeof(*o->cols));
	o->cols[o->n++] = xstrdup("time");
	if (who)
		o->cols[o->n++] = xstrdup(who);
	for (size_t i = 0; i < n; i++)
		o->cols[o->n++] = xstrdup(cols[i]);
	o->width = xcalloc(o->n, sizeof(*o->width));
	o->held = xcalloc(HELD_MAX * o->n, sizeof(*o->held));
	o->right = xcalloc(HELD_MAX * o->n, sizeof(*o->right));
	return o;
}

/* -- one value ----------------------------------------------------------------------------------------------------- */

static void number_put(struct buf *b, const struct query_value *v)
{
	if (v->kind == QUERY_INT)
		buf_addf(b, "%lld", (long long)v->i);
	else
		json_put_d64(b, v->d);
}

/* In quotes where need be. */
static void csv_put(struct buf *b, const char *p, size_t len)
{
	bool quote = false;

	for (size_t i = 0; i < len; i++)
		quote |= strchr(",\"\r\n", p[i]) != NULL;
	if (!quote) {
		buf_add(b, p, len);
		return;
	}
	buf_u8(b, '"');
	for (size_t i = 0; i < len; i++) {
		if (p[i] == '"')
			buf_u8(b, '"');
		buf_u8(b, (uint8_t)p[i]);
	}
	buf_u8(b, '"');
}

static void value_put(struct query_out *o, struct buf *b, const struct query_value *v)
{
	if (v->kind == QUERY_NONE) {
		if (o->form != FORM_CSV)
			buf_addf(b, o->form == FORM_JSON ? "null" : "-");
	} else if (v->kind != QUERY_TEXT) {
		number_put(b, v);
	} else if (o->form == FORM_JSON) {
		json_put_text(b, v->text.p, v->text.len);
	} else if (o->form == FORM_CSV) {
		csv_put(b, v->text.p, v->text.len);
	} else {
		term_put(b, v->text.p, v->text.len, TERM_LINE);
	}
}

static void time_put(struct query_out *o, struct buf *b, int64_t us)
{
	char text[QUERY_TIME_MAX];

	if (o->form == FORM_TABLE)
		buf_addf(b, "%s", query_time_text(us, text));
	else
		buf_addf(b, "%lld.%06lld", (long long)(us / SEC_US), (long long)(us % SEC_US));
}

/* -- tables -------------------------------------------------------------------------------------------------------- */

static void cell_print(struct query_out *o, size_t i, const char *text, bool right)
{
	int pad = (int)o->width[i] - (int)term_width(text);
	bool last = i + 1 == o->n;

	pad = pad > 0 ? pad : 0;
	fprintf(o->to, "%*s%s%*s", right ? pad : 0, "", text, right || last ? 0 : pad, "");
	fputs(last ? "\n" : "  ", o->to);
}

static void held_print(struct query_out *o)
{
	for (size_t i = 0; !o->began && i < o->n; i++) {
		struct buf b = { 0 };

		term_put(&b, o->cols[i], strlen(o->cols[i]), TERM_LINE);
		cell_print(o, i, buf_str(&b), o->n_held && o->right[i]);
		buf_fini(&b);
	}
	o->began = true;
	for (size_t i = 0; i < o->n_held * o->n; i++) {
		cell_print(o, i % o->n, o->held[i], o->right[i]);
		free(o->held[i]);
	}
	o->n_held = 0;
}

static void cell_hold(struct query_out *o, size_t i, struct buf *b, bool right)
{
	char **cell = &o->held[o->n_held * o->n + i];
	size_t width;

	*cell = xstrdup(buf_str(b));
	buf_reset(b);
	o->right[o->n_held * o->n + i] = right;
	width = term_width(*cell);
	if (!o->began && width > o->width[i] && width <= WIDTH_MAX)
		o->width[i] = width;
	if (!o->began && strlen(o->cols[i]) > o->width[i])
		o->width[i] = strlen(o->cols[i]);
}

static void table_row(struct query_out *o, const struct query_row *row)
{
	struct buf *b = &o->line;
	size_t k = 0;

	time_put(o, b, row->time_us);
	cell_hold(o, k++, b, false);
	if (o->who) {
		value_put(o, b, &row->producer);
		cell_hold(o, k++, b, false);
	}
	for (size_t i = 0; k < o->n; i++, k++) {
		value_put(o, b, &row->v[i]);
		cell_hold(o, k, b, row->v[i].kind != QUERY_TEXT);
	}
	if (++o->n_held == (o->began ? 1 : HELD_MAX))
		held_print(o);
}

/* -- CSV, JSON ----------------------------------------------------------------------------------------------------- */

static void line_begin(struct query_out *o, struct buf *b)
{
	if (o->form == FORM_JSON)
		buf_addf(b, o->began ? ",\n{" : "[\n{");
	for (size_t i = 0; o->form == FORM_CSV && !o->began && i < o->n; i++) {
		if (i)
			buf_u8(b, ',');
		csv_put(b, o->cols[i], strlen(o->cols[i]));
	}
	if (o->form == FORM_CSV && !o->began)
		buf_u8(b, '\n');
	o->began = true;
}

static void field_begin(struct query_out *o, struct buf *b, size_t i)
{
	if (i)
		buf_u8(b, ',');
	if (o->form == FORM_CSV)
		return;
	json_put_str(b, o->cols[i]);
	buf_u8(b, ':');
}

int query_out_row(const struct query_row *row, void *out)
{
	struct query_out *o = out;
	struct buf *b = &o->line;
	size_t k = 0;

	if (o->form == FORM_TABLE) {
		table_row(o, row);
		return ferror(o->to);
	}
	line_begin(o, b);
	field_begin(o, b, k++);
	time_put(o, b, row->time_us);
	if (o->who) {
		field_begin(o, b, k++);
		value_put(o, b, &row->producer);
	}
	for (size_t i = 0; k < o->n; i++, k++) {
		field_begin(o, b, k);
		value_put(o, b, &row->v[i]);
	}
	buf_addf(b, o->form == FORM_JSON ? "}" : "\n");
	fwrite(b->p, 1, b->len, o->to);
	buf_reset(b);
	return ferror(o->to);
}

void query_out_agg(struct query_out *o, const struct query_agg *a)
{
	const struct query_agg_conf *conf = query_agg_conf(a);
	struct query_value *v = xcalloc(conf->n_metrics, sizeof(*v));
	int stop = 0;

	for (size_t s = 0; !stop && s < conf->n_slots; s++)
		for (size_t g = 0; !stop && g < query_agg_groups(a); g++) {
			const char *name = query_agg_name(a, g);
			struct query_row row = { .time_us = conf->begin_us + (int64_t)s * conf->every_us, .v = v };
			bool any = false;

			row.producer = (struct query_value){ .kind = QUERY_TEXT, .text = { name, strlen(name) } };
			for (size_t m = 0; m < conf->n_metrics; m++) {
				v[m].kind = query_agg_at(a, g, m, s, &v[m].d) ? QUERY_REAL : QUERY_NONE;
				any |= v[m].kind != QUERY_NONE;
			}
			if (any)
				stop = query_out_row(&row, o);
		}
	free(v);
}

void query_out_end(struct query_out *o, int rc)
{
	if (o->form == FORM_TABLE) {
		if (!rc && !o->began && !o->n_held) /* people see only a head, and think of what they asked for last */
			fputs("ldms query: no rows match; `ldms query PATH` says what there is, and since when\n", stderr);
		for (size_t i = 0; !o->n_held && i < o->n; i++)
			o->width[i] = o->began ? o->width[i] : strlen(o->cols[i]);
		held_print(o);
	} else if (o->form == FORM_JSON) {
		fputs(o->began ? "\n]\n" : "[]\n", o->to);
	} else if (!o->began) {
		line_begin(o, &o->line);
		fwrite(o->line.p, 1, o->line.len, o->to);
	}
	for (size_t i = 0; i < o->n; i++)
		free(o->cols[i]);
	buf_fini(&o->line);
	free(o->cols);
	free(o->width);
	free(o->held);
	free(o->right);
	free(o);
}
