/* show_value.c - what stands in a column of a table: a value of the JSON in its form.  See show.h. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd/show_impl.h"
#include "core/base/term.h"
#include "core/base/xalloc.h"

#define NAME_BYTES 64 /* of a member that a path names */

json_t *show_member(json_t *v, const char *path, size_t n)
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

		v = show_member(v, path, n);
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

bool show_is_number(enum show_form form)
{
	return form == SHOW_NUM || form == SHOW_US || form == SHOW_SEC || form == SHOW_SIZE || form == SHOW_SHARE ||
	       form == SHOW_PAIR_SPAN;
}

char *show_cell(const struct show_row *r, const struct show_col *col)
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
