/* stream_csv_line.c - see stream_csv_line.h
 *
 * Columns are the members of the object in their order, without the first list of objects; then the members of that
 * list's first object, as LIST:MEMBER.  A message is a line for each object of its list; what stands beside the list is
 * repeated.  Values are whole numbers as they are written, other numbers with six decimals, true, false, null, and texts
 * in double quotes, with a double quote doubled.  Objects and lists that have no columns of their own are their JSON, as
 * a text.
 */
#include "store/stream_csv_line.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "core/base/json_scan.h"
#include "core/base/xalloc.h"

#define COLS_MAX   4096
#define NUMBER_MAX 400 /* characters of a number; as text, "%f" of the largest has 316 */

struct col {
	UT_hash_handle hh;
	size_t i;
	char name[]; /* as in JSON, escapes and all */
};

struct cols {
	struct col **v, *by_name;
	size_t n;
};

struct scsv {
	struct cols one, list; /* of the message, of each entry of its list */
	char *list_name;       /* NULL: it has none */
	/* of the message, and the entry, at hand */
	struct json_member *values, *entry;
};

/* -- columns ------------------------------------------------------------------------------------------------------- */

static bool is_called(const char *name, const struct json_member *m)
{
	return !strncmp(name, m->key, m->key_len) && !name[m->key_len];
}

static ssize_t col_find(const struct cols *c, const struct json_member *m, size_t hint)
{
	struct col *col;

	if (hint < c->n && is_called(c->v[hint]->name, m))
		return (ssize_t)hint;
	HASH_FIND(hh, c->by_name, m->key, m->key_len, col);
	return col ? (ssize_t)col->i : -1;
}

static int col_add(struct cols *c, const struct json_member *m, struct err *err)
{
	struct col *col;

	if (col_find(c, m, c->n) >= 0)
		return 0;
	if (c->n == COLS_MAX)
		return err_set(err, -EINVAL, "it has more than %d members", COLS_MAX);
	col = xcalloc(1, sizeof(*col) + m->key_len + 1);
	memcpy(col->name, m->key, m->key_len);
	col->i = c->n;
	HASH_ADD_KEYPTR(hh, c->by_name, col->name, m->key_len, col);
	c->v = xrealloc(c->v, (c->n + 1) * sizeof(struct col *));
	c->v[c->n++] = col;
	return 0;
}

/* The first entry when it is an object. */
static bool list_first(const struct json_member *m, struct json_member *ret)
{
	struct json_walk w;

	return json_items_init(&w, m->value, m->value_len) && json_items_next(&w, ret) && *ret->value == '{';
}

static bool list_empty(const struct json_member *m)
{
	struct json_walk w;
	struct json_member first;

	return json_items_init(&w, m->value, m->value_len) && !json_items_next(&w, &first);
}

static int list_learn(struct scsv *c, const struct json_member *m, const struct json_member *first, struct err *err)
{
	struct json_member k;
	struct json_walk w;
	int rc = 0;

	json_walk_init(&w, first->value, first->value_len);
	while (!rc && json_walk_next(&w, &k))
		rc = col_add(&c->list, &k, err);
	if (!rc && !c->list.n)
		rc = err_set(err, -EINVAL, "the first entry of its list \"%.*s\" has no members to make columns of",
			     (int)m->key_len, m->key);
	c->list_name = xstrndup(m->key, m->key_len);
	return rc;
}

static int learn(struct scsv *c, const char *text, size_t len, struct err *err)
{
	struct json_member m, first;
	struct json_walk w;
	int rc = json_check(text, len, err);

	if (!rc && !json_walk_init(&w, text, len))
		rc = err_set(err, -EINVAL, "it is no JSON object; columns are the members of one");
	while (!rc && json_walk_next(&w, &m)) {
		if (list_empty(&m))
			rc = err_set(
				err, -EINVAL,
				"its list \"%.*s\" is empty: the first message of a stream says what columns there "
				"are, and waits for entries",
				(int)m.key_len, m.key);
		else if (!c->list_name && list_first(&m, &first))
			rc = list_learn(c, &m, &first, err);
		else
			rc = col_add(&c->one, &m, err);
	}
	if (!rc && !c->one.n && !c->list.n)
		rc = err_set(err, -EINVAL, "it has no members to make columns of");
	return rc;
}

static void cols_fini(struct cols *c)
{
	HASH_CLEAR(hh, c->by_name);
	for (size_t i = 0; i < c->n; i++)
		free(c->v[i]);
	free(c->v);
}

void scsv_free(struct scsv *c)
{
	if (!c)
		return;
	cols_fini(&c->one);
	cols_fini(&c->list);
	free(c->list_name);
	free(c->values);
	free(c->entry);
	free(c);
}

int scsv_new(const char *text, size_t len, struct scsv **ret, struct err *err)
{
	struct scsv *c = xcalloc(1, sizeof(*c));
	int rc = learn(c, text, len, err);

	if (rc) {
		scsv_free(c);
		return rc;
	}
	c->values = xcalloc(c->one.n + 1, sizeof(*c->values));
	c->entry = xcalloc(c->list.n + 1, sizeof(*c->entry));
	*ret = c;
	return 0;
}

/* -- texts --------------------------------------------------------------------------------------------------------- */

/* Double the double quotes of what was added at `from`, and put it between two. */
static void quote(struct buf *b, size_t from)
{
	size_t n = 0, to;

	for (size_t i = from; i < b->len; i++)
		n += b->p[i] == '"';
	buf_reserve(b, n + 2);
	to = b->len + n + 1;
	b->p[to] = '"';
	for (size_t i = b->len; i-- > from;) {
		b->p[--to] = b->p[i];
		if (b->p[i] == '"')
			b->p[--to] = '"';
	}
	b->p[from] = '"';
	b->len += n + 2;
}

static void name_add(struct buf *b, const char *list, const char *name)
{
	size_t from = b->len;

	if (list)
		json_unescape(b, list, strlen(list));
	if (list)
		buf_u8(b, ':');
	json_unescape(b, name, strlen(name));
	if (memchr(b->p + from, ',', b->len - from) || memchr(b->p + from, '"', b->len - from))
		quote(b, from);
}

void scsv_head_add(struct buf *b, const struct scsv *c)
{
	const char *sep = "#";

	for (size_t i = 0; i < c->one.n; i++, sep = ",") {
		buf_addf(b, "%s", sep);
		name_add(b, NULL, c->one.v[i]->name);
	}
	for (size_t i = 0; i < c->list.n; i++, sep = ",") {
		buf_addf(b, "%s", sep);
		name_add(b, c->list_name, c->list.v[i]->name);
	}
	buf_u8(b, '\n');
}

static void number_add(struct buf *b, const struct json_member *m)
{
	char text[NUMBER_MAX + 1];

	if (m->value_len > NUMBER_MAX ||
	    (!memchr(m->value, '.', m->value_len) && !memchr(m->value, 'e', m->value_len) &&
	     !memchr(m->value, 'E', m->value_len))) {
		buf_add(b, m->value, m->value_len);
		return;
	}
	memcpy(text, m->value, m->value_len);
	text[m->value_len] = '\0';
	buf_addf(b, "%f", strtod(text, NULL));
}

/* Objects and lists: their JSON, on one line. */
static void json_add(struct buf *b, const struct json_member *m)
{
	size_t from = b->len;

	buf_add(b, m->value, m->value_len);
	for (size_t i = from; i < b->len; i++)
		if (b->p[i] < ' ') /* blanks between values: in texts there are none of these */
			b->p[i] = ' ';
	quote(b, from);
}

static void value_add(struct buf *b, const struct json_member *m)
{
	size_t from = b->len;

	if (!m->value_len)
		return;
	switch (*m->value) {
	case '"':
		json_unescape(b, m->value + 1, m->value_len - 2);
		quote(b, from);
		break;
	case '{':
	case '[':
		json_add(b, m);
		break;
	case 't':
	case 'f':
	case 'n':
		buf_add(b, m->value, m->value_len);
		break;
	default:
		number_add(b, m);
	}
}

/* -- lines --------------------------------------------------------------------------------------------------------- */

/* The values of an object, by column. */
static void values_take(const struct cols *c, const struct json_member *object, struct json_member *values,
			const char *besides, struct scsv_key *left_out)
{
	struct json_member m;
	struct json_walk w;
	size_t hint = 0;
	ssize_t i;

	memset(values, 0, c->n * sizeof(*values));
	json_walk_init(&w, object->value, object->value_len);
	while (json_walk_next(&w, &m)) {
		i = col_find(c, &m, hint);
		if (i >= 0) {
			values[i] = m;
			hint = (size_t)i + 1;
		} else if (!left_out->p && !(besides && is_called(besides, &m))) {
			*left_out = (struct scsv_key){ m.key, m.key_len };
		}
	}
}

/* `values` NULL: empty ones; `behind` others. */
static void fields_add(struct buf *b, const struct json_member *values, size_t n, bool behind)
{
	for (size_t i = 0; i < n; i++) {
		if (behind || i)
			buf_u8(b, ',');
		if (values)
			value_add(b, &values[i]);
	}
}

/* The list of this message; false: it has none. */
static bool list_of(const struct scsv *c, const struct json_member *message, struct json_member *ret)
{
	struct json_member m;
	struct json_walk w;
	bool found = false;

	json_walk_init(&w, message->value, message->value_len);
	while (c->list_name && json_walk_next(&w, &m))
		if (is_called(c->list_name, &m) && *m.value != 'n') {
			*ret = m;
			found = true;
		}
	return found;
}

/* A line for each entry of the list; what stands beside it is in `b` already, once, from `head` on. */
static int entries_add(struct buf *b, struct scsv *c, const struct json_member *list, size_t head, size_t max,
		       struct scsv_key *left_out, struct err *err)
{
	size_t head_len = b->len - head;
	struct json_member entry;
	struct json_walk w;
	bool first = true;

	if (!json_items_init(&w, list->value, list->value_len))
		return err_set(err, -EINVAL, "\"%s\" is no list, as it was in the first message of the stream",
			       c->list_name);
	for (; json_items_next(&w, &entry); first = false) {
		if (*entry.value != '{')
			return err_set(err, -EINVAL, "its list \"%s\" has entries that are no objects", c->list_name);
		buf_reserve(b, head_len);
		if (!first)
			buf_add(b, b->p + head, head_len);
		values_take(&c->list, &entry, c->entry, NULL, left_out);
		fields_add(b, c->entry, c->list.n, c->one.n);
		buf_u8(b, '\n');
		if (b->len - head > max)
			return err_set(err, -EINVAL, "its list \"%s\" would give more than %zu bytes of lines",
				       c->list_name, max);
	}
	if (first) { /* it is empty */
		fields_add(b, NULL, c->list.n, c->one.n);
		buf_u8(b, '\n');
	}
	return 0;
}

static int lines_add(struct buf *b, struct scsv *c, const struct json_member *message, size_t max,
		     struct scsv_key *left_out, struct err *err)
{
	struct json_member list;
	size_t head = b->len;

	values_take(&c->one, message, c->values, c->list_name, left_out);
	fields_add(b, c->values, c->one.n, false);
	if (list_of(c, message, &list))
		return entries_add(b, c, &list, head, max, left_out, err);
	fields_add(b, NULL, c->list.n, c->one.n);
	buf_u8(b, '\n');
	return 0;
}

int scsv_lines_add(struct buf *b, struct scsv *c, const char *text, size_t len, size_t max,
		   struct scsv_key *ret_left_out, struct err *err)
{
	const struct json_member message = { .value = text, .value_len = len };
	struct json_walk w;
	size_t from = b->len;
	int rc = json_check(text, len, err);

	*ret_left_out = (struct scsv_key){ 0 };
	if (!rc && !json_walk_init(&w, text, len))
		rc = err_set(err, -EINVAL, "it is no JSON object; columns are the members of one");
	if (!rc)
		rc = lines_add(b, c, &message, max, ret_left_out, err);
	if (rc)
		b->len = from;
	return rc;
}
