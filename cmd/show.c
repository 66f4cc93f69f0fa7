/* show.c - see show.h: rows and tables; show_value.c has the values */
#include "cmd/show.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/show_impl.h"
#include "core/base/term.h"
#include "core/base/xalloc.h"

#define COLS_MAX 32
#define INDENT   4
#define GAP      1

struct line {
	const struct show_table *t;
	unsigned int depth;
	char **cells; /* as many as the table has columns; NULL: absent */
	bool first;   /* of its table: titles stand above */
};

struct sheet {
	struct line *lines;
	size_t n;
};

/* What one table takes in the whole sheet. */
struct widths {
	size_t at[COLS_MAX];
	bool number[COLS_MAX]; /* to the right */
	size_t cols;
};

/* -- the walk ------------------------------------------------------------------------------------------------------ */

static size_t cols_of(const struct show_table *t)
{
	size_t n = 0;

	while (t->cols[n].title && n < COLS_MAX)
		n++;
	return n;
}

static void table_take(struct sheet *s, const struct show_table *t, struct show_row r, unsigned int depth);

static void row_take(struct sheet *s, const struct show_table *t, const struct show_row *r, unsigned int depth)
{
	size_t n = cols_of(t);
	struct line l = { .t = t, .depth = depth, .cells = xcalloc(n, sizeof(*l.cells)) };

	for (size_t i = 0; i < n; i++)
		l.cells[i] = show_cell(r, &t->cols[i]);
	if (!(s->n & (s->n + 1))) /* room for twice as many */
		s->lines = xrealloc(s->lines, 2 * (s->n + 1) * sizeof(*s->lines));
	s->lines[s->n++] = l;
	for (const struct show_table *sub = t->subs; sub && sub->rows; sub++)
		table_take(s, sub, (struct show_row){ .v = r->v }, depth + 1);
}

static struct show_row step(const struct show_row *r, const char *key, json_t *v)
{
	struct show_row next = { .v = v, .keys = { key } };

	memcpy(&next.keys[1], r->keys, (SHOW_KEYS_MAX - 1) * sizeof(*r->keys));
	return next;
}

static void rows_walk(struct sheet *s, const struct show_table *t, const char *path, struct show_row r,
		      unsigned int depth)
{
	size_t n = strcspn(path, ">"), i;
	const char *rest = path + n + (path[n] == '>'), *key;
	struct show_row next;
	json_t *v;

	if (!*path || !strcmp(path, ".")) {
		row_take(s, t, &r, depth);
	} else if (strncmp(path, "*", n)) {
		r.v = show_member(r.v, path, n);
		if (r.v)
			rows_walk(s, t, rest, r, depth);
	} else if (json_is_array(r.v)) {
		json_array_foreach(r.v, i, v)
		{
			next = step(&r, "", v);
			rows_walk(s, t, rest, next, depth);
		}
	} else {
		json_object_foreach(r.v, key, v)
		{
			next = step(&r, key, v);
			rows_walk(s, t, rest, next, depth);
		}
	}
}

static void table_take(struct sheet *s, const struct show_table *t, struct show_row r, unsigned int depth)
{
	size_t before = s->n;

	rows_walk(s, t, t->rows, r, depth);
	if (s->n > before)
		s->lines[before].first = true;
}

/* -- lines --------------------------------------------------------------------------------------------------------- */

static void wide(size_t *at, const char *text)
{
	size_t n = term_width(text);

	if (n > *at)
		*at = n;
}

static struct widths widths_of(const struct sheet *s, const struct show_table *t)
{
	struct widths w = { .cols = cols_of(t) };

	for (size_t i = 0; i < s->n; i++)
		for (size_t c = 0; s->lines[i].t == t && c < w.cols; c++)
			if (s->lines[i].cells[c])
				wide(&w.at[c], s->lines[i].cells[c]);
	for (size_t c = 0; c < w.cols; c++) {
		w.number[c] = show_is_number(t->cols[c].form);
		if (w.at[c] && !t->facts)
			wide(&w.at[c], t->cols[c].title);
	}
	return w;
}

static void pad(struct buf *to, size_t n)
{
	memset(buf_reserve(to, n), ' ', n);
	to->len += n;
}

static void cells_put(struct buf *to, const struct widths *w, unsigned int depth, char *const *cells)
{
	size_t owed = (size_t)depth * INDENT; /* blanks, if something follows them */

	for (size_t c = 0; c < w->cols; c++) {
		const char *text = cells[c] ? cells[c] : "-";
		size_t n = term_width(text);

		if (!w->at[c])
			continue;
		if (w->number[c])
			owed += w->at[c] - n;
		pad(to, owed);
		buf_add(to, text, strlen(text));
		owed = GAP + (w->number[c] ? 0 : w->at[c] - n);
	}
	buf_u8(to, '\n');
}

static void titles_put(struct buf *to, const struct widths *w, const struct show_table *t)
{
	char *titles[COLS_MAX], *rules[COLS_MAX];

	for (size_t c = 0; c < w->cols; c++) {
		titles[c] = (char *)t->cols[c].title;
		rules[c] = xmalloc(w->at[c] + 1);
		memset(rules[c], '-', w->at[c]);
		rules[c][w->at[c]] = '\0';
	}
	cells_put(to, w, 0, titles);
	cells_put(to, w, 0, rules);
	for (size_t c = 0; c < w->cols; c++)
		free(rules[c]);
}

/* "title: value" for what is there; aligned when they stand alone. */
static void facts_put(struct buf *to, const struct line *l)
{
	const struct show_col *cols = l->t->cols;
	size_t n = cols_of(l->t), title = 0;

	for (size_t c = 0; c < n && !l->depth; c++)
		if (l->cells[c])
			wide(&title, cols[c].title);
	for (size_t c = 0; c < n; c++) {
		if (!l->cells[c])
			continue;
		pad(to, (size_t)l->depth * INDENT);
		buf_addf(to, "%s:", cols[c].title);
		pad(to, 1 + (title ? title - term_width(cols[c].title) : 0));
		buf_addf(to, "%s\n", l->cells[c]);
	}
}

#define TABLES_MAX 16 /* of one answer, sub-tables included */

struct layout {
	const struct show_table *t[TABLES_MAX];
	struct widths w[TABLES_MAX];
	size_t n;
};

static const struct widths *layout_of(struct layout *lay, const struct sheet *s, const struct show_table *t)
{
	for (size_t i = 0; i < lay->n; i++)
		if (lay->t[i] == t)
			return &lay->w[i];
	if (lay->n == TABLES_MAX)
		return &lay->w[0];
	lay->t[lay->n] = t;
	lay->w[lay->n] = widths_of(s, t);
	return &lay->w[lay->n++];
}

static void sheet_put(struct buf *to, const struct sheet *s)
{
	struct layout lay = { .n = 0 };

	for (size_t i = 0; i < s->n; i++) {
		const struct line *l = &s->lines[i];
		const struct widths *w = layout_of(&lay, s, l->t);

		if (l->first && !l->depth) {
			if (l->t->title)
				buf_addf(to, "%s%s\n", to->len ? "\n" : "", l->t->title);
			if (!l->t->facts)
				titles_put(to, w, l->t);
		}
		if (l->t->facts)
			facts_put(to, l);
		else
			cells_put(to, w, l->depth, l->cells);
	}
}

static void sheet_fini(struct sheet *s)
{
	for (size_t i = 0; i < s->n; i++) {
		for (size_t c = 0; c < cols_of(s->lines[i].t); c++)
			free(s->lines[i].cells[c]);
		free(s->lines[i].cells);
	}
	free(s->lines);
}

/* -- the text ------------------------------------------------------------------------------------------------------ */

static json_t *load(const char *json, size_t len, struct err *err)
{
	json_error_t why;
	json_t *v = json_loadb(json, len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);
	struct buf text = { 0 };

	if (!v && json_error_code(&why) == json_error_numeric_overflow)
		v = json_loadb(json, len, JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &why);
	if (v)
		return v;
	term_put(&text, why.text, strlen(why.text), TERM_LINE);
	err_set(err, -EINVAL, "the answer is no JSON: line %d, column %d: %s", why.line, why.column, buf_str(&text));
	buf_fini(&text);
	return NULL;
}

/* A table without rows says so by its titles. */
static void empty_put(struct buf *to, const struct show_table *t)
{
	struct widths w = { .cols = cols_of(t) };

	if (t->facts)
		return;
	for (size_t c = 0; c < w.cols; c++)
		wide(&w.at[c], t->cols[c].title);
	titles_put(to, &w, t);
}

static bool is_blank(const struct sheet *s)
{
	for (size_t i = 0; i < s->n; i++)
		for (size_t c = 0; c < cols_of(s->lines[i].t); c++)
			if (s->lines[i].cells[c])
				return false;
	return true;
}

int show_tables(struct buf *to, const struct show_table *tables, const char *json, size_t len, struct err *err)
{
	json_t *v = load(json, len, err);
	struct sheet s = { 0 };
	int rc = 0;

	if (!v)
		return -EINVAL;
	for (const struct show_table *t = tables; t->rows; t++)
		table_take(&s, t, (struct show_row){ .v = v }, 0);
	if (!is_blank(&s))
		sheet_put(to, &s);
	else if (json_array_size(v) || json_object_size(v))
		rc = err_set(err, -ENODATA, "the answer has nothing that is known");
	else
		empty_put(to, tables);
	sheet_fini(&s);
	json_decref(v);
	return rc;
}

int show_json(struct buf *to, const char *json, size_t len, struct err *err)
{
	json_t *v = load(json, len, err);
	char *text = v ? json_dumps(v, JSON_INDENT(2) | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15)) : NULL;

	json_decref(v);
	if (!v)
		return -EINVAL;
	if (!text)
		return err_set(err, -ENOMEM, "the answer is too large to be shown; --json prints it as it came");
	term_put(to, text, strlen(text), TERM_JSON);
	buf_u8(to, '\n');
	free(text);
	return 0;
}
