/* show.c - see show.h */
#include "cmd/show.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <jansson.h>

#include "core/base/term.h"
#include "core/base/unit.h"
#include "core/base/xalloc.h"

#define NAME_BYTES 64 /* of a member that a path names */
#define KEYS_MAX   4  /* '*' in a path */
#define COLS_MAX   32
#define INDENT     4
#define GAP        1

/* A row on its way: the value, and the names at which the walk is. */
struct row {
	json_t *v;
	const char *keys[KEYS_MAX]; /* the last one first */
};

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

/* -- values -------------------------------------------------------------------------------------------------------- */

static json_t *member(json_t *v, const char *path, size_t n)
{
	char key[NAME_BYTES];

	if (n >= sizeof(key))
		return NULL;
	memcpy(key, path, n);
	key[n] = '\0';
	return json_object_get(v, key);
}

/* The value at a path without '*'; borrowed, or NULL. */
static json_t *value_at(json_t *v, const char *path)
{
	if (!strcmp(path, "."))
		return v;
	while (v && *path) {
		size_t n = strcspn(path, ">");

		v = member(v, path, n);
		path += n + (path[n] == '>');
	}
	return v;
}

/* Numbers may come as texts. */
static bool number_of(const json_t *v, double *ret)
{
	char *end;

	if (json_is_number(v)) {
		*ret = json_number_value(v);
		return true;
	}
	if (!json_is_string(v) || !json_string_length(v))
		return false;
	*ret = strtod(json_string_value(v), &end);
	return !*end && isfinite(*ret);
}

static void plain_put(struct buf *to, const json_t *v)
{
	switch (json_typeof(v)) {
	case JSON_STRING:
		term_put(to, json_string_value(v), json_string_length(v), TERM_LINE);
		break;
	case JSON_INTEGER:
		buf_addf(to, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
		break;
	case JSON_REAL:
		buf_addf(to, "%.6g", json_real_value(v));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		buf_addf(to, "%s", json_is_true(v) ? "true" : "false");
		break;
	default:
		buf_addf(to, "-");
	}
}

static void list_put(struct buf *to, const json_t *list)
{
	const json_t *v;
	size_t i;

	json_array_foreach(list, i, v)
	{
		if (i)
			buf_u8(to, ' ');
		plain_put(to, v);
	}
}

static void span_put(struct buf *to, double us)
{
	static const struct {
		double us;
		const char *unit;
	} units[] = { { 86400e6, "d" }, { 3600e6, "h" }, { 60e6, "m" }, { 1e6, "s" }, { 1e3, "ms" }, { 1, "us" } };
	size_t i = 0;

	while (i < 5 && fabs(us) < units[i].us)
		i++;
	buf_addf(to, "%.4g%s", us / units[i].us, us == 0 ? "" : units[i].unit);
}

static void size_put(struct buf *to, double bytes)
{
	static const char units[] = " kMGTPE";
	size_t i = 0;

	while (fabs(bytes) >= 1024 && i < sizeof(units) - 2) {
		bytes /= 1024;
		i++;
	}
	buf_addf(to, i ? "%.4g%c" : "%.4g", bytes, units[i]);
}

void show_when(struct buf *to, double sec)
{
	time_t t = (time_t)(sec > 0 && sec < 1e11 ? sec : 0); /* nothing yet: 0, or the end of all times */
	char text[32];
	struct tm tm;

	if (!t || !localtime_r(&t, &tm) || !strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm))
		buf_addf(to, "-");
	else
		buf_addf(to, "%s.%03d", text, (int)((sec - (double)t) * 1000));
}

static bool pair_of(json_t *row, const char *path, double *ret_sec)
{
	char *sec = xasprintf("%s.sec", path), *usec = xasprintf("%s.usec", path);
	double s, us;
	bool ok = number_of(value_at(row, sec), &s) && number_of(value_at(row, usec), &us);

	free(sec);
	free(usec);
	if (ok)
		*ret_sec = s + us / 1e6;
	return ok;
}

/* Daemons write "-" for what is not there. */
static bool is_nothing(const json_t *v)
{
	const char *text = json_string_value(v);

	return json_is_null(v) || json_is_object(v) || (text && (!*text || !strcmp(text, "-")));
}

static bool is_number(enum show_form form)
{
	return form == SHOW_NUM || form == SHOW_US || form == SHOW_SEC || form == SHOW_SIZE || form == SHOW_SHARE ||
	       form == SHOW_PAIR_SPAN;
}

/* NULL when the row has no such value. */
static char *cell(const struct row *r, const struct show_col *col)
{
	json_t *v = *col->path == '@' ? NULL : value_at(r->v, col->path);
	struct buf b = { 0 };
	char *ret = NULL;
	double num = 0;

	if (*col->path == '@') {
		const char *key = r->keys[col->path[1] - '0'];

		term_put(&b, key ? key : "-", key ? strlen(key) : 1, TERM_LINE);
	} else if (col->form == SHOW_PAIR_WHEN || col->form == SHOW_PAIR_SPAN) {
		if (!pair_of(r->v, col->path, &num))
			return NULL;
		col->form == SHOW_PAIR_WHEN ? show_when(&b, num) : span_put(&b, num * 1e6);
	} else if (!v || is_nothing(v)) {
		return NULL;
	} else if (json_is_array(v)) {
		if (!json_array_size(v))
			return NULL;
		list_put(&b, v);
	} else if (col->form == SHOW_TEXT || col->form == SHOW_NUM || !number_of(v, &num)) {
		plain_put(&b, v);
	} else if (col->form == SHOW_US || col->form == SHOW_SEC) {
		span_put(&b, col->form == SHOW_SEC ? num * 1e6 : num);
	} else if (col->form == SHOW_SIZE) {
		size_put(&b, num);
	} else if (col->form == SHOW_WHEN) {
		show_when(&b, num);
	} else if (col->form == SHOW_SHARE) {
		buf_addf(&b, num < 0 ? "-" : "%.2f%%", num * 100);
	}
	ret = xstrdup(buf_str(&b));
	buf_fini(&b);
	return ret;
}

/* -- the walk ------------------------------------------------------------------------------------------------------ */

static size_t cols_of(const struct show_table *t)
{
	size_t n = 0;

	while (t->cols[n].title && n < COLS_MAX)
		n++;
	return n;
}

static void table_take(struct sheet *s, const struct show_table *t, struct row r, unsigned int depth);

static void row_take(struct sheet *s, const struct show_table *t, const struct row *r, unsigned int depth)
{
	size_t n = cols_of(t);
	struct line l = { .t = t, .depth = depth, .cells = xcalloc(n, sizeof(*l.cells)) };

	for (size_t i = 0; i < n; i++)
		l.cells[i] = cell(r, &t->cols[i]);
	if (!(s->n & (s->n + 1))) /* room for twice as many */
		s->lines = xrealloc(s->lines, 2 * (s->n + 1) * sizeof(*s->lines));
	s->lines[s->n++] = l;
	for (const struct show_table *sub = t->subs; sub && sub->rows; sub++)
		table_take(s, sub, (struct row){ .v = r->v }, depth + 1);
}

static struct row step(const struct row *r, const char *key, json_t *v)
{
	struct row next = { .v = v, .keys = { key } };

	memcpy(&next.keys[1], r->keys, (KEYS_MAX - 1) * sizeof(*r->keys));
	return next;
}

static void rows_walk(struct sheet *s, const struct show_table *t, const char *path, struct row r, unsigned int depth)
{
	size_t n = strcspn(path, ">"), i;
	const char *rest = path + n + (path[n] == '>'), *key;
	struct row next;
	json_t *v;

	if (!*path || !strcmp(path, ".")) {
		row_take(s, t, &r, depth);
	} else if (strncmp(path, "*", n)) {
		r.v = member(r.v, path, n);
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

static void table_take(struct sheet *s, const struct show_table *t, struct row r, unsigned int depth)
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
		w.number[c] = is_number(t->cols[c].form);
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
		table_take(&s, t, (struct row){ .v = v }, 0);
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
