/* exec_lines.c - see exec_lines.h */
#include "plugins/exec_lines.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/xalloc.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* A text that is no valid UTF-8 has no place in JSON: NULL. */
static json_t *value_of(const char *text, size_t len)
{
	char *copy = xstrndup(text, len), *end;
	json_t *value = NULL;
	long long whole;
	double real;

	errno = 0;
	whole = strtoll(copy, &end, 10);
	if (*copy && !*end && !errno)
		value = json_integer(whole);
	else if (!strcmp(copy, "true") || !strcmp(copy, "false"))
		value = json_boolean(*copy == 't');
	else if ((real = strtod(copy, &end)), *copy && !*end && isfinite(real))
		value = json_real(real);
	else if (len >= 2 && *text == '"' && text[len - 1] == '"')
		value = json_stringn(text + 1, len - 2);
	else
		value = json_stringn(text, len);
	free(copy);
	return value;
}

static int object_take(json_t *object, const char *line, size_t len, struct err *err)
{
	json_error_t where;
	json_t *one = json_loadb(line, len, 0, &where);

	if (!one)
		return err_set(err, -EINVAL, "column %d: %s", where.column, where.text);
	json_object_update(object, one);
	json_decref(one);
	return 1;
}

int exec_line_take(json_t *object, const char *line, size_t len, struct err *err)
{
	size_t name = 0, from;
	json_t *value;
	char *key;
	int rc = 0;

	while (len && is_blank(line[len - 1]))
		len--;
	while (len && is_blank(*line))
		line++, len--;
	if (!len)
		return json_object_size(object) > 0;
	if (*line == '#')
		return 0;
	if (*line == '{')
		return object_take(object, line, len, err);
	while (name < len && !is_blank(line[name]) && line[name] != '=')
		name++;
	from = name;
	while (from < len && is_blank(line[from]))
		from++;
	if (from < len && line[from] == '=')
		for (from++; from < len && is_blank(line[from]); from++)
			;
	if (!name || from == name || from >= len || memchr(line, 0, len))
		return err_set(err, -EINVAL, "'%.*s' is no `name value` and no JSON object", len < 60 ? (int)len : 60,
			       line);
	key = xstrndup(line, name);
	value = value_of(line + from, len - from);
	if (!value || json_object_set_new(object, key, value))
		rc = err_set(err, -EINVAL, "'%.*s': is no valid UTF-8", len < 60 ? (int)len : 60, line);
	free(key);
	return rc;
}
