/* to_store.c - see to_store.h */
#include "cmd/to_store.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/xalloc.h"

static const struct store_type *type_of(const char *text, const struct store_to **ret_to)
{
	char *word = xstrndup(text, strcspn(text, ":"));
	const struct store_type *type = store_to_find(word, ret_to);

	free(word);
	return type;
}

/* The file of another maker's store: how many bytes in front of the colon, or all; 0: it is none. */
static size_t object_len(const char *text)
{
	size_t len = strcspn(text, ":");

	return len > 3 && memchr(text, '/', len) && !memcmp(text + len - 3, ".so", 3) ? len : 0;
}

bool to_store_is(const char *text)
{
	const struct store_to *to;

	return object_len(text) || type_of(text, &to);
}

static bool is_attr(const char *p)
{
	size_t n = 0;

	while (isalnum((unsigned char)p[n]) || p[n] == '_')
		n++;
	return n && p[n] == '=';
}

/* Where the value ends: at the comma in front of NAME=, or at the end. */
static const char *value_end(const char *p)
{
	while (*p && !(*p == ',' && is_attr(p + 1)))
		p++;
	return p;
}

/* NAME=VALUE[,NAME=VALUE...], with a blank in front of each but the first of all. */
static void attrs_add(struct buf *b, const char *p)
{
	const char *end;

	for (; *p; p = *end ? end + 1 : end) {
		end = value_end(p);
		buf_addf(b, "%s%.*s", b->len ? " " : "", (int)(end - p), p);
	}
}

static int object_read(const char *text, struct to_store *t, struct buf *conf, struct err *err)
{
	size_t len = object_len(text);
	const char *attrs = text + len + (text[len] == ':');
	char *word;

	if (*attrs && !is_attr(attrs))
		return err_set(err, -EINVAL,
			       "--to: '%s': what the store wants goes behind the file, as %.*s:NAME=VALUE,...", text,
			       (int)len, text);
	word = xstrndup(text, len);
	t->path = *word == '/' ? NULL : realpath(word, NULL);
	if (!t->path) /* or it is not there, which is said when it is loaded */
		t->path = xstrdup(word);
	free(word);
	attrs_add(conf, attrs);
	return 0;
}

static int ours_read(const char *text, struct to_store *t, struct buf *conf, struct err *err)
{
	const struct store_to *to;
	const struct store_type *type = type_of(text, &to);
	const char *colon = strchr(text, ':'), *value = colon ? colon + 1 : "", *end = value_end(value);
	const char *tail = to->tail ? memchr(value, '/', (size_t)(end - value)) : NULL;
	size_t head = (size_t)((tail ? tail : end) - value);

	if (*to->form ? !head : head)
		return err_set(err, -EINVAL, "--to: '%s' is not STORE:PATH; write %s:%s", text, to->word, to->form);
	t->type = type;
	t->value = xstrndup(value, (size_t)(end - value));
	if (*to->form && !to->attr)
		t->container = xstrndup(value, head);
	else if (to->container)
		t->container = xstrdup(to->container);
	if (to->attr)
		buf_addf(conf, "%s=%.*s", to->attr, (int)head, value);
	if (tail && tail + 1 < end)
		buf_addf(conf, "%s%s=%.*s", conf->len ? " " : "", to->tail, (int)(end - tail - 1), tail + 1);
	if (to->more)
		buf_addf(conf, "%s%s", conf->len ? " " : "", to->more);
	attrs_add(conf, end + (*end == ','));
	return 0;
}

int to_store_read(const char *text, struct to_store *ret, struct err *err)
{
	struct to_store t = { NULL };
	struct buf conf = { 0 };
	int rc = object_len(text) ? object_read(text, &t, &conf, err) : ours_read(text, &t, &conf, err);

	if (rc) {
		buf_fini(&conf);
		return rc;
	}
	buf_str(&conf);
	t.conf = (char *)conf.p;
	*ret = t;
	return 0;
}

void to_store_fini(struct to_store *t)
{
	free(t->path);
	free(t->value);
	free(t->conf);
	free(t->container);
	*t = (struct to_store){ NULL };
}
