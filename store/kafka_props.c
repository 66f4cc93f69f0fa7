/* kafka_props.c - files of properties */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/xalloc.h"
#include "store/kafka.h"

#define FILE_MAX (1u << 20) /* bytes: properties are lines */

const char *kafka_prop(const struct kv *props, const char *key)
{
	for (size_t i = props->n; i--;)
		if (!strcmp(props->v[i].key, key))
			return props->v[i].value;
	return NULL;
}

/* A value as librdkafka reads it. */
static int json_prop(const char *key, const json_t *v, struct kv *ret, struct err *err)
{
	char *text;

	switch (json_typeof(v)) {
	case JSON_STRING:
		text = xstrdup(json_string_value(v));
		break;
	case JSON_INTEGER:
		text = xasprintf("%lld", (long long)json_integer_value(v));
		break;
	case JSON_REAL:
		text = xasprintf("%.17g", json_real_value(v));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		text = xstrdup(json_is_true(v) ? "true" : "false");
		break;
	default:
		return err_set(err, -EINVAL, "property %s: a text, a number, true or false goes there", key);
	}
	kv_add(ret, key, text);
	free(text);
	return 0;
}

int kafka_props_json(const char *text, size_t len, struct kv *ret, struct err *err)
{
	json_error_t at;
	json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &at), *v;
	const char *key;
	int rc = 0;

	if (!root) { /* without " near ...": what stands there may be a password */
		const char *near = strstr(at.text, " near ");

		return err_set(err, -EINVAL, "line %d, column %d: %.*s", at.line, at.column,
			       (int)(near ? near - at.text : (ptrdiff_t)strlen(at.text)), at.text);
	}
	if (!json_is_object(root))
		rc = err_set(err, -EINVAL, "holds no object of JSON, as {\"acks\":\"all\"}");
	json_object_foreach(root, key, v)
	{
		rc = json_prop(key, v, ret, err);
		if (rc)
			break;
	}
	json_decref(root);
	return rc;
}

static char *trimmed(const char *at, const char *end)
{
	while (at < end && strchr(" \t\r", *at) && *at)
		at++;
	while (end > at && strchr(" \t\r", end[-1]) && end[-1])
		end--;
	return xstrndup(at, (size_t)(end - at));
}

static int line_prop(const char *line, const char *end, struct kv *ret, struct err *err)
{
	const char *eq = memchr(line, '=', (size_t)(end - line));
	char *key = trimmed(line, eq ? eq : end), *value = eq ? trimmed(eq + 1, end) : NULL;
	int rc = 0;

	if (!*key && !eq)
		goto out; /* blank */
	if (*key == '#')
		goto out;
	if (!eq || !*key)
		rc = err_set(err, -EINVAL, "is no KEY=VALUE"); /* what it is may be a password */
	else
		kv_add(ret, key, value);
out:
	free(key);
	free(value);
	return rc;
}

int kafka_props_lines(const char *text, size_t len, struct kv *ret, struct err *err)
{
	const char *at = text, *end = text + len;
	unsigned int number = 0;
	int rc = 0;

	while (!rc && at < end) {
		const char *nl = memchr(at, '\n', (size_t)(end - at));

		number++;
		rc = line_prop(at, nl ? nl : end, ret, err);
		at = nl ? nl + 1 : end;
	}
	return rc ? err_prefix(err, rc, "line %u: ", number) : 0;
}

int kafka_props_file(const char *path, int (*parse)(const char *text, size_t len, struct kv *ret, struct err *err),
		     struct kv *ret, struct err *err)
{
	FILE *f = fopen(path, "re");
	struct buf b = { 0 };
	int rc;

	if (!f)
		return err_set(err, -errno, "%s: cannot be opened: %s; name a file that the daemon may read", path,
			       err_name(errno));
	rc = buf_slurp(&b, f, FILE_MAX);
	if (rc == -EFBIG)
		err_set(err, rc, "has more than %u bytes; name a file of properties", FILE_MAX);
	else if (rc)
		err_set(err, rc, "cannot be read: %s; name a file of properties", err_name(rc));
	else if (memchr(buf_str(&b), 0, b.len))
		rc = err_set(err, -EINVAL, "is no text; name a file of properties");
	else
		rc = parse(buf_str(&b), b.len, ret, err);
	fclose(f);
	buf_fini(&b);
	return rc ? err_prefix(err, rc, "%s: ", path) : 0;
}
